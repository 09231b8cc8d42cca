/* replay: decide again on recorded evidence, offline, byte for byte. */
#include <stdio.h>
#include <string.h>

#include "agent/base/files.h"
#include "agent/base/json.h"
#include "agent/cli/context.h"
#include "agent/cli/verbs.h"
#include "agent/records/plan.h"
#include "agent/run/gates.h"

/* The evidence of a file: an evidence document, or a plan, which has one inside. */
static struct uw_record *read_evidence(const char *path, struct uw_err *err) {
  struct uw_buf bytes = {0};
  struct uw_record *r = NULL;
  if (uw_file_read(path, UW_PLAN_MAX_BYTES, &bytes, err) == 0) {
    json_t *json =
        uw_json_parse(bytes.data != NULL ? bytes.data : "", bytes.len, path, UW_EXIT_USAGE, err);
    if (json != NULL && strcmp(uw_json_str(json, "schema", ""), UW_PLAN_SCHEMA) == 0) {
      struct uw_plan_expect any = {.now_s = -1};
      struct uw_plan *plan = uw_plan_parse(bytes.data, bytes.len, path, &any, err);
      if (plan != NULL) {
        r = plan->record;
        plan->record = NULL;
      }
      uw_plan_free(plan);
    } else if (json != NULL) {
      r = uw_record_from_json(json, path, UW_EXIT_USAGE, err);
    }
    json_decref(json);
  }
  uw_buf_free(&bytes);
  return r;
}

static int replay_one(const struct cli_options *options, const char *path) {
  struct uw_err err;
  struct uw_guard guard[UW_MAX_GUARDS];
  size_t guards = 0;
  uint8_t digest[RCV_DIGEST_BYTES];
  uw_err_clear(&err);
  int status;
  struct uw_record *r = read_evidence(path, &err);
  struct uw_judgement *j = uw_judgement_new();
  json_t *verdict = NULL;
  if (r != NULL && j != NULL && gates_replay(r->gates, path, guard, &guards, &err) == 0 &&
      uw_record_bytes(r, NULL, digest, &err) == 0) {
    uw_judge(r, guard, guards, j);
    verdict = uw_verdict_json(r, digest, j, UW_VERDICT_DOCUMENT, &err);
  }
  if (verdict == NULL) {
    if (err.status == UW_EXIT_OK) {
      (void)uw_err_set(&err, UW_EXIT_USAGE, "%s: out of memory", path);
    }
    err.status = UW_EXIT_USAGE;
    status = context_fail(&err);
  } else {
    status = context_print_verdict(options, verdict, path, rcv_exit_status(&j->verdict));
  }
  json_decref(verdict);
  uw_judgement_free(j);
  uw_record_free(r);
  return status;
}

/* One file: its verdict's status. Several: 0 when each could be decided upon, else 1. */
int verb_replay(const struct cli_options *options) {
  int result = UW_EXIT_OK;
  for (size_t i = 0; i < options->operands; i++) {
    if (i > 0 && !options->json) {
      (void)printf("\n");
    }
    int status = replay_one(options, options->operand[i]);
    if (options->operands == 1) {
      return status;
    }
    if (status == UW_EXIT_USAGE) {
      result = UW_EXIT_USAGE;
    }
  }
  return result;
}
