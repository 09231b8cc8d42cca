/* config show, policy show, policy check: what is in force, and where it comes from. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/files.h"
#include "agent/cli/context.h"
#include "agent/cli/verbs.h"
#include "agent/config/config.h"

/* What is shown is gone through twice for text: once for the widths of the columns. */
struct shown {
  json_t *list; /* not NULL: JSON */
  bool print;
  int key_width, value_width;
};

static void widen(int *width, const char *text) {
  int len = (int)strlen(text);
  *width = len > *width ? len : *width;
}

/* --- config ------------------------------------------------------------------------------- */

static void show_key(const char *key, const char *value, const char *origin, const char *doc,
                     void *ctx) {
  struct shown *s = ctx;
  const char *shown = value[0] != '\0' ? value : "\"\"";
  if (s->list != NULL) {
    (void)json_array_append_new(s->list, json_pack("{s:s, s:s, s:s, s:s}", "key", key, "value",
                                                   value, "origin", origin, "doc", doc));
  } else if (s->print) {
    (void)printf("%-*s  %-*s  # %s; %s\n", s->key_width, key, s->value_width, shown, origin, doc);
  } else {
    widen(&s->key_width, key);
    widen(&s->value_width, shown);
  }
}

int verb_config(const struct cli_options *options) {
  struct uw_config *config = NULL;
  struct uw_err err;
  uw_err_clear(&err);
  if (strcmp(options->operand[0], "show") != 0) {
    return context_bad_words(options, "config show");
  }
  if (uw_config_load(options->config, &config, &err) != 0) {
    return context_fail(&err);
  }
  int status = UW_EXIT_OK;
  struct shown s = {.list = options->json ? json_array() : NULL};
  if (!options->json || s.list != NULL) {
    uw_config_show(config, show_key, &s);
  }
  if (options->json) {
    status = context_print_json(s.list);
  } else {
    s.print = true;
    uw_config_show(config, show_key, &s);
  }
  uw_config_free(config);
  return status;
}

/* --- policy ------------------------------------------------------------------------------- */

static int show_item(const struct pol_item *item, void *ctx) {
  struct shown *s = ctx;
  const struct pol_param_info *info = item->info;
  if (s->list != NULL) {
    return json_array_append_new(s->list,
                                 json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "name", info->name,
                                           "value", item->value, "unit", info->unit, "range",
                                           item->range, "origin", item->origin, "doc", info->doc));
  }
  if (s->print) {
    (void)printf("%-*s  %-*s  %-11s  %-17s  %s\n", s->key_width, info->name, s->value_width,
                 item->value, info->unit, item->range, item->origin);
  } else {
    widen(&s->key_width, info->name);
    widen(&s->value_width, item->value);
  }
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
    struct shown s = {.list = json_array()};
    if (s.list != NULL && pol_each(policy, show_item, &s) != 0) {
      json_decref(s.list);
      s.list = NULL;
    }
    status = context_print_json(s.list);
  } else {
    struct shown s = {0};
    (void)pol_each(policy, show_item, &s);
    s.print = true;
    (void)printf("policy in force: %s\n%-*s  %-*s  %-11s  %-17s  %s\n", policy->name, s.key_width,
                 "PARAMETER", s.value_width, "VALUE", "UNIT", "RANGE", "FROM");
    (void)pol_each(policy, show_item, &s);
  }
  uw_config_free(config);
  free(policy);
  return status;
}

/* The findings as one document; warnings is taken. */
static int print_check(const char *path, const char *problem, json_t *warnings) {
  return context_print_json(json_pack("{s:s, s:s, s:b, s:s?, s:i, s:o}", "schema",
                                      "unwedge.policy-check/1", "file", path, "good",
                                      (int)(problem == NULL), "problem", problem, "parameters",
                                      (int)POL_PARAM_COUNT, "warnings", warnings));
}

static int show_check(const struct cli_options *options, const char *path,
                      const struct pol_policy *policy) {
  char warning[POL_WARNINGS_MAX][POL_WARNING_BYTES];
  size_t n = pol_warnings(policy, warning);
  json_t *list = json_array();
  for (size_t i = 0; i < n && i < POL_WARNINGS_MAX; i++) {
    uw_warn("%s", warning[i]);
    if (list != NULL && json_array_append_new(list, json_string(warning[i])) != 0) {
      json_decref(list);
      list = NULL;
    }
  }
  if (options->json) {
    return print_check(path, NULL, list);
  }
  json_decref(list);
  (void)printf("%s: good, %d parameters\n", path, POL_PARAM_COUNT);
  return UW_EXIT_OK;
}

static int check_policy(const struct cli_options *options, const char *path) {
  struct uw_buf bytes = {0};
  struct uw_err err;
  struct pol_error error;
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
    if (options->json) {
      (void)print_check(path, error.text, json_array());
    }
    status = UW_EXIT_USAGE;
  } else {
    status = show_check(options, path, policy);
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
    return check_policy(options, options->operand[1]);
  }
  return context_bad_words(options, "policy check FILE, policy show");
}
