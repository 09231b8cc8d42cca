#include "agent/run/planning.h"

#include <stdio.h>
#include <string.h>

#include "agent/base/clock.h"
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
  if (uw_plan_bytes(plan, &bytes, err) == 0 &&
      journal_store(j, bytes.data, bytes.len, stored, err) == 0) {
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
  if (result != 0) {
    err->status = UW_EXIT_JOURNAL;
  }
  uw_buf_free(&bytes);
  journal_close(j);
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

int planning_usable(const struct session *s, const struct uw_plan *plan, struct uw_err *err) {
  if (memcmp(plan->record->policy_digest, s->policy_digest, RCV_DIGEST_BYTES) != 0) {
    return uw_err_set(err, UW_EXIT_STALE,
                      "the plan was made under policy %s with other values than %s, which is in "
                      "force now; make a new plan",
                      plan->record->policy_name, s->policy_name);
  }
  return 0;
}
