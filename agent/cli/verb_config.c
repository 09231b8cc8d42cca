/* config show, policy show, policy check: what is in force, and where it comes from. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/files.h"
#include "agent/cli/context.h"
#include "agent/cli/verbs.h"
#include "agent/config/config.h"

static int print_json(json_t *value) {
  struct uw_buf out = {0};
  struct uw_err err;
  uw_err_clear(&err);
  int status = UW_EXIT_OK;
  if (value == NULL) {
    (void)uw_err_set(&err, UW_EXIT_USAGE, "out of memory");
    status = context_fail(&err);
  } else if (uw_json_pretty(value, &out, &err) != 0) {
    status = context_fail(&err);
  } else {
    (void)fputs(uw_buf_text(&out), stdout);
  }
  uw_buf_free(&out);
  json_decref(value);
  return status;
}

static int bad_word(const char *verb, const char *word, const char *known) {
  (void)fprintf(stderr, "unwedge: %s %s: no such thing; known is %s\n", verb, word, known);
  return UW_EXIT_USAGE;
}

/* --- config ------------------------------------------------------------------------------- */

static void show_key(const char *key, const char *value, const char *origin, const char *doc,
                     void *ctx) {
  json_t *list = ctx;
  if (list != NULL) {
    (void)json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s}", "key", key, "value",
                                                value, "origin", origin, "doc", doc));
  } else {
    (void)printf("%-28s %-34s # %s; %s\n", key, value[0] != '\0' ? value : "\"\"", origin, doc);
  }
}

int verb_config(const struct cli_options *options) {
  struct uw_config *config = NULL;
  struct uw_err err;
  uw_err_clear(&err);
  if (strcmp(options->operand[0], "show") != 0) {
    return bad_word("config", options->operand[0], "show");
  }
  if (uw_config_load(options->config, &config, &err) != 0) {
    return context_fail(&err);
  }
  int status = UW_EXIT_OK;
  json_t *list = options->json ? json_array() : NULL;
  uw_config_show(config, show_key, list);
  if (options->json) {
    status = print_json(list);
  }
  uw_config_free(config);
  return status;
}

/* --- policy ------------------------------------------------------------------------------- */

static int show_item(const struct pol_item *item, void *ctx) {
  json_t *list = ctx;
  const struct pol_param_info *info = item->info;
  if (list != NULL) {
    return json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "name",
                                                 info->name, "value", item->value, "unit",
                                                 info->unit, "range", item->range, "origin",
                                                 item->origin, "doc", info->doc));
  }
  (void)printf("%-32s %-22s %-10s %-16s %s\n", info->name, item->value, info->unit, item->range,
               item->origin);
  return 0;
}

static int show_policy(const struct cli_options *options) {
  struct uw_config *config = NULL;
  struct uw_err err;
  uw_err_clear(&err);
  struct pol_policy *policy = calloc(1, sizeof *policy);
  int status = UW_EXIT_OK;
  if (policy == NULL) {
    (void)uw_err_set(&err, UW_EXIT_USAGE, "out of memory");
    status = context_fail(&err);
  } else if (uw_config_load(options->config, &config, &err) != 0 ||
             uw_policy_load(config, options->policy, false, policy, &err) != 0) {
    status = context_fail(&err);
  } else if (options->json) {
    json_t *list = json_array();
    status = list == NULL || pol_each(policy, show_item, list) != 0 ? print_json(NULL)
                                                                    : print_json(list);
  } else {
    (void)printf("policy in force: %s\n%-32s %-22s %-10s %-16s %s\n", policy->name, "PARAMETER",
                 "VALUE", "UNIT", "RANGE", "FROM");
    (void)pol_each(policy, show_item, NULL);
  }
  uw_config_free(config);
  free(policy);
  return status;
}

static int check_policy(const char *path) {
  struct uw_buf bytes = {0};
  struct uw_err err;
  struct pol_error error;
  char warning[POL_WARNINGS_MAX][POL_WARNING_BYTES];
  uw_err_clear(&err);
  struct pol_policy *policy = calloc(1, sizeof *policy);
  int status = UW_EXIT_OK;
  if (policy == NULL) {
    (void)uw_err_set(&err, UW_EXIT_USAGE, "out of memory");
    status = context_fail(&err);
  } else if (uw_file_read(path, POL_YAML_FILE_BYTES, &bytes, &err) != 0) {
    status = context_fail(&err);
  } else if (pol_load(uw_buf_text(&bytes), bytes.len, path, policy, &error) != 0) {
    (void)fprintf(stderr, "unwedge: %s\n", error.text);
    status = UW_EXIT_USAGE;
  } else {
    size_t n = pol_warnings(policy, warning);
    for (size_t i = 0; i < n && i < POL_WARNINGS_MAX; i++) {
      (void)fprintf(stderr, "unwedge: warning: %s\n", warning[i]);
    }
    (void)printf("%s: good, %d parameters\n", path, POL_PARAM_COUNT);
  }
  uw_buf_free(&bytes);
  free(policy);
  return status;
}

int verb_policy(const struct cli_options *options) {
  if (strcmp(options->operand[0], "show") == 0 && options->operands == 1) {
    return show_policy(options);
  }
  if (strcmp(options->operand[0], "check") == 0 && options->operands == 2) {
    return check_policy(options->operand[1]);
  }
  return bad_word("policy", options->operand[0], "check FILE, show");
}
