#include "agent/run/planning.h"

#include <stdio.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/base/json.h"
#include "agent/journal/journal.h"
#include "agent/run/audit.h"

static int journal_plan(struct session *s, const struct look *l, const struct uw_plan *plan,
                        struct uw_err *err) {
  struct journal *j = audit_open(s, err);
  if (j == NULL) {
    return -1;
  }
  struct uw_buf bytes = {0};
  uint8_t stored[RCV_DIGEST_BYTES];
  char digest[UW_DIGEST_TEXT_BYTES];
  char file[UW_DIGEST_TEXT_BYTES];
  char expires[UW_TIME_BYTES];
  int result = -1;
  if (uw_plan_bytes(plan, &bytes, err) == 0 && audit_store(j, &bytes, stored, err) == 0) {
    uw_digest_text(plan->plan_digest, digest);
    uw_digest_text(stored, file);
    uw_time_text(plan->head.expires_s, expires);
    result = audit_started(s, j, "plan", l->record->names.instance, NULL, err) != 0 ||
                     audit_verdict(s, j, l, "plan", err) != 0 ||
                     audit_record(s, j, "plan",
                                  json_pack("{s:s, s:s, s:s, s:{s:s}}", "instance",
                                            l->record->names.instance, "plan_digest", digest,
                                            "expires_at", expires, "files", "plan", file),
                                  err) != 0
                 ? -1
                 : 0;
  }
  uw_buf_free(&bytes);
  audit_close(s, j);
  return result;
}

struct uw_plan *planning_make(struct session *s, const struct look *l, struct uw_err *err) {
  struct uw_plan_head head;
  memset(&head, 0, sizeof head);
  memcpy(head.cloud, s->cloud_id, sizeof head.cloud);
  memcpy(head.made_on, s->made_on, sizeof head.made_on);
  head.made_s = uw_wall_s();
  head.expires_s = head.made_s + s->policy->plan_expires_s;
  if (uw_plan_nonce(head.nonce, err) != 0) {
    return NULL;
  }
  struct uw_plan *plan = uw_plan_new(l->record, l->guard, l->guards, &head, err);
  if (plan != NULL && journal_plan(s, l, plan, err) != 0) {
    uw_plan_free(plan);
    plan = NULL;
  }
  return plan;
}

/* Only a plan that says RESET can be applied; any other one was a report. */
static int says_reset(const struct uw_plan *plan, struct uw_err *err) {
  const struct rcv_verdict *v = &plan->judgement->verdict;
  char code[UW_CODE_BYTES];
  if (v->kind == RCV_VERDICT_RESET) {
    return 0;
  }
  uw_code_text(v->code, code);
  return uw_err_set(
      err, v->kind == RCV_VERDICT_NOTHING ? UW_EXIT_STALE : (enum uw_exit)rcv_exit_status(v),
      "the plan says %s %s %s, so there is nothing to apply; make a new plan when "
      "that has changed",
      rcv_enum_name(&rcv_verdict_kind_enum, (int)v->kind), code, audit_code_name(v->code));
}

struct wanted {
  const char *digest;
  bool found;
};

static int find_plan(const json_t *record, void *ctx) {
  struct wanted *w = ctx;
  w->found = strcmp(uw_json_str(record, "type", ""), "plan") == 0 &&
             strcmp(uw_json_str(record, "plan_digest", ""), w->digest) == 0;
  return w->found ? 1 : 0;
}

bool planning_ours(const struct session *s, const struct uw_plan *plan) {
  char digest[UW_DIGEST_TEXT_BYTES];
  struct uw_err ignored;
  uw_digest_text(plan->plan_digest, digest);
  struct wanted w = {.digest = digest};
  return journal_each(s->journal_dir, find_plan, &w, &ignored) == 0 && w.found;
}

int planning_usable(const struct session *s, const struct uw_plan *plan, struct uw_err *err) {
  if (says_reset(plan, err) != 0) {
    return -1;
  }
  /* Anybody can write a file; that a person stated something is only known from our journal. */
  if (json_array_size(plan->record->attestations) > 0 && !planning_ours(s, plan)) {
    return uw_err_set(err, UW_EXIT_STALE,
                      "the plan holds statements (--attest) and is not in the journal of this "
                      "machine; make the plan here");
  }
  if (memcmp(plan->record->policy_digest, s->policy_digest, RCV_DIGEST_BYTES) != 0) {
    return uw_err_set(err, UW_EXIT_STALE,
                      "the plan was made under policy %s with other values than %s, which is in "
                      "force now; make a new plan",
                      plan->record->policy_name, s->policy_name);
  }
  return 0;
}
