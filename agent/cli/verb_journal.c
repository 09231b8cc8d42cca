/* journal init, show, verify, resolve. */
#include <stdio.h>
#include <string.h>

#include "agent/base/files.h"
#include "agent/cli/context.h"
#include "agent/cli/verbs.h"
#include "agent/journal/journal.h"
#include "agent/journal/show.h"
#include "agent/run/audit.h"

/* The journal's directory without asking any cloud. */
static int find_dir(const struct cli_options *options, bool acting, char dir[PATH_MAX],
                    struct uw_err *err) {
  struct uw_config *config = NULL;
  char state[PATH_MAX];
  if (uw_config_load(options->config, &config, err) != 0) {
    return -1;
  }
  int result = 0;
  const char *journal = config->value[UW_CONFIG_JOURNAL_DIR];
  if (journal[0] != '\0') {
    (void)snprintf(dir, PATH_MAX, "%s", journal);
  } else {
    result = uw_config_state_dir(config, acting, state, err) != 0 ||
                     uw_path_join(dir, PATH_MAX, state, "journal", err) != 0
                 ? -1
                 : 0;
  }
  uw_config_free(config);
  return result;
}

static int init(const struct cli_options *options, struct uw_err *err) {
  char dir[PATH_MAX];
  if (find_dir(options, true, dir, err) != 0 || audit_make(dir, err) != 0) {
    return context_fail(err);
  }
  if (options->json) {
    return context_print_json(
        json_pack("{s:s, s:s}", "schema", "unwedge.journal-init/1", "dir", dir));
  }
  (void)printf("journal made in %s\n", dir);
  return UW_EXIT_OK;
}

static int show(const struct cli_options *options, struct uw_err *err) {
  char dir[PATH_MAX];
  struct uw_buf out = {0};
  struct journal_filter filter = {.instance = options->instance, .run = options->run};
  int status = UW_EXIT_OK;
  if (find_dir(options, false, dir, err) != 0 ||
      journal_show(dir, &filter, options->json, &out, err) != 0) {
    status = context_fail(err);
  } else {
    (void)fwrite(uw_buf_text(&out), 1, out.len, stdout);
  }
  uw_buf_free(&out);
  return status;
}

static int verify(const struct cli_options *options, struct uw_err *err) {
  char dir[PATH_MAX];
  struct journal_report report;
  if (find_dir(options, false, dir, err) != 0 || journal_verify(dir, &report, err) != 0) {
    return context_fail(err);
  }
  bool good = report.first_problem[0] == '\0';
  if (options->json) {
    json_t *o =
        json_pack("{s:s, s:b, s:s?, s:I, s:I, s:I}", "schema", "unwedge.journal-verify/1", "good",
                  (int)good, "problem", good ? NULL : report.first_problem, "records",
                  (json_int_t)report.records, "evidence_files", (json_int_t)report.evidence_files,
                  "torn_bytes", (json_int_t)report.torn_bytes);
    int status = context_print_json(o);
    if (status != UW_EXIT_OK) {
      return status;
    }
  } else {
    (void)printf("%s: %s, records: %lld, evidence files: %lld, bytes after the last record: %lld\n",
                 dir, good ? "good" : "DAMAGED", (long long)report.records,
                 (long long)report.evidence_files, (long long)report.torn_bytes);
  }
  if (!good) {
    (void)fprintf(stderr, "unwedge: %s: %s\n", dir, report.first_problem);
    return UW_EXIT_JOURNAL;
  }
  return UW_EXIT_OK;
}

static int claim_of(const char *as, enum act_claim *claim, struct uw_err *err) {
  *claim = ACT_CLAIM_NONE;
  if (as == NULL) {
    return 0;
  }
  if (strcmp(as, "applied") == 0) {
    *claim = ACT_CLAIM_APPLIED;
  } else if (strcmp(as, "not-applied") == 0) {
    *claim = ACT_CLAIM_NOT_APPLIED;
  } else {
    return uw_err_set(err, UW_EXIT_USAGE, "--as %s: applied or not-applied", as);
  }
  return 0;
}

static int resolve(const struct cli_options *options, struct uw_err *err) {
  struct context c;
  enum act_claim claim;
  char text[RCV_LINE_BYTES];
  if (claim_of(options->as, &claim, err) != 0 ||
      context_open(options, true, options->operand[1], &c, err) != 0) {
    return context_fail(err);
  }
  int failed = act_resolve(c.session, c.uuid, claim, text, err);
  if (text[0] != '\0') {
    (void)printf("%s\n", text);
  }
  int status = failed != 0 ? context_fail(err) : UW_EXIT_OK;
  context_close(&c);
  return status;
}

int verb_journal(const struct cli_options *options) {
  const char *word = options->operand[0];
  struct uw_err err;
  uw_err_clear(&err);
  if (strcmp(word, "resolve") == 0 && options->operands == 2) {
    return resolve(options, &err);
  }
  if (options->operands == 1) {
    if (strcmp(word, "init") == 0) {
      return init(options, &err);
    }
    if (strcmp(word, "show") == 0) {
      return show(options, &err);
    }
    if (strcmp(word, "verify") == 0) {
      return verify(options, &err);
    }
  }
  return context_bad_words(options, "journal init, journal show, journal verify, journal resolve "
                                    "INSTANCE");
}
