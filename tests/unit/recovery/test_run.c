/* The permit and the run: whatever happens, at most one reset, and never without its papers. */
#include "tests/unit/recovery/sample.h"

#include "recovery/plan.h"

#define GAP_MS ((int64_t)2000)
#define LOOKED ((int64_t)100000)

static struct rcv_run run;
static struct rcv_permit permit;

static int setup(void **state) {
  (void)state;
  struct rcv_evidence *e = test_malloc(sizeof *e);
  struct rcv_policy p;
  struct rcv_binding b;
  struct rcv_verdict v;
  sample_evidence(e);
  sample_policy(&p);
  sample_binding(&b);
  rcv_decide(e, &p, &b, &v, &permit);
  test_free(e);
  rcv_run_start(&run, GAP_MS);
  return 0;
}

static enum rcv_effect step(enum rcv_event event) {
  return rcv_run_step(&run, event, &permit, LOOKED + 10);
}

/* The good way, as far as `count` steps. */
static const struct {
  enum rcv_event event;
  enum rcv_effect effect;
} good_way[] = {
    {RCV_EVENT_DECIDED_RESET, RCV_EFFECT_ASK_GATES},
    {RCV_EVENT_GATES_CLEAR, RCV_EFFECT_ASK_APPROVAL},
    {RCV_EVENT_APPROVAL_CONSUMED, RCV_EFFECT_WRITE_INTENT},
    {RCV_EVENT_INTENT_DURABLE, RCV_EFFECT_RELOOK},
    {RCV_EVENT_RELOOK_SAME, RCV_EFFECT_SEND_RESET},
    {RCV_EVENT_POST_DONE, RCV_EFFECT_VERIFY},
    {RCV_EVENT_VERIFY_GOOD, RCV_EFFECT_WRITE_OUTCOME},
    {RCV_EVENT_OUTCOME_DURABLE, RCV_EFFECT_HALT},
};
#define INTENT_AT 4 /* steps after which the intent is durable */
#define SENT_AT 5   /* steps after which the reset was sent */

static void go(size_t count) {
  setup(NULL);
  for (size_t i = 0; i < count; i++) {
    if (good_way[i].event == RCV_EVENT_RELOOK_SAME) {
      rcv_run_looked(&run, LOOKED);
    }
    assert_int_equal(step(good_way[i].event), good_way[i].effect);
  }
}

/* ---- the permit ---------------------------------------------------------------------------- */

static void a_permit_is_spent_once(void **state) {
  (void)state;
  assert_int_equal(permit.minted, 1);
  assert_int_equal(rcv_permit_spend(&permit), 1);
  assert_int_equal(permit.spent, 1);
  assert_int_equal(rcv_permit_spend(&permit), 0);
  assert_int_equal(rcv_permit_spend(&permit), 0);
}

static void what_was_never_minted_cannot_be_spent(void **state) {
  (void)state;
  static const int64_t not_minted[] = {0, -1, 2, INT64_MAX};
  struct rcv_permit none;
  memset(&none, 0, sizeof none);
  assert_int_equal(rcv_permit_spend(&none), 0);
  for (size_t i = 0; i < SAMPLE_COUNT(not_minted); i++) {
    none = permit;
    none.minted = not_minted[i];
    assert_int_equal(rcv_permit_spend(&none), 0);
  }
  none = permit;
  none.spent = -1;
  assert_int_equal(rcv_permit_spend(&none), 0);
}

static void a_permit_says_what_it_is_for(void **state) {
  (void)state;
  struct rcv_binding b;
  sample_binding(&b);
  assert_memory_equal(&permit.binding, &b, sizeof b);
  assert_int_equal(permit.record_host, 0);
  assert_int_equal(permit.vm_state, RCV_VM_ACTIVE);
  assert_int_equal(permit.task_state, RCV_TASK_MIGRATING);
  assert_int_equal(permit.mig_status, RCV_MIG_FAILED);
  assert_int_equal(permit.mig_id, 7);
  assert_int_equal(permit.server_updated_s, SAMPLE_NOW - 5000);
}

/* ---- the run -------------------------------------------------------------------------------- */

static void the_good_way_sends_one_reset(void **state) {
  (void)state;
  go(SAMPLE_COUNT(good_way));
  assert_int_equal(run.resets, 1);
  assert_int_equal(permit.spent, 1);
  assert_int_equal(run.phase, RCV_PHASE_HALTED);
}

/* Every event in every place of the good way. */
static void any_other_event_stops_the_run(void **state) {
  (void)state;
  for (size_t at = 0; at < SENT_AT; at++) {
    for (int ev = 0; ev < RCV_EVENT_COUNT; ev++) {
      if ((enum rcv_event)ev == good_way[at].event) {
        continue;
      }
      go(at);
      rcv_run_looked(&run, LOOKED);
      enum rcv_effect f = step((enum rcv_event)ev);
      assert_int_equal(f, at < INTENT_AT ? RCV_EFFECT_HALT : RCV_EFFECT_WRITE_OUTCOME);
      assert_int_equal(run.resets, 0);
      assert_int_equal(permit.spent, 0);
      for (int more = 0; more < RCV_EVENT_COUNT; more++) { /* and nothing revives it */
        rcv_run_looked(&run, LOOKED);
        assert_int_not_equal(step((enum rcv_event)more), RCV_EFFECT_SEND_RESET);
      }
      assert_int_equal(run.resets, 0);
    }
  }
}

static void after_the_post_every_way_ends_in_an_outcome(void **state) {
  (void)state;
  for (int first = 0; first < RCV_EVENT_COUNT; first++) {
    for (int second = 0; second < RCV_EVENT_COUNT; second++) {
      go(SENT_AT);
      enum rcv_effect f = step((enum rcv_event)first);
      assert_true(f == RCV_EFFECT_VERIFY || f == RCV_EFFECT_WRITE_OUTCOME);
      if (first == (int)RCV_EVENT_POST_NOT_APPLIED) {
        assert_int_equal(f, RCV_EFFECT_WRITE_OUTCOME);
      }
      if (first == (int)RCV_EVENT_POST_UNKNOWN) {
        assert_int_equal(f, RCV_EFFECT_VERIFY); /* go and look, never send again */
      }
      if (f == RCV_EFFECT_VERIFY) {
        assert_int_equal(step((enum rcv_event)second), RCV_EFFECT_WRITE_OUTCOME);
      }
      assert_int_equal(step(RCV_EVENT_OUTCOME_DURABLE), RCV_EFFECT_HALT);
      assert_int_equal(run.resets, 1);
    }
  }
}

static void gap(int64_t looked, int64_t now, enum rcv_effect want) {
  go(INTENT_AT);
  if (looked != INT64_MIN) {
    rcv_run_looked(&run, looked);
  }
  assert_int_equal(rcv_run_step(&run, RCV_EVENT_RELOOK_SAME, &permit, now), want);
  assert_int_equal(permit.spent, want == RCV_EFFECT_SEND_RESET);
}

static void the_reset_follows_the_last_look_at_once_or_not_at_all(void **state) {
  (void)state;
  gap(LOOKED, LOOKED, RCV_EFFECT_SEND_RESET);
  gap(LOOKED, LOOKED + GAP_MS, RCV_EFFECT_SEND_RESET);
  gap(LOOKED, LOOKED + GAP_MS + 1, RCV_EFFECT_WRITE_OUTCOME);
  gap(LOOKED, LOOKED - 1, RCV_EFFECT_WRITE_OUTCOME); /* the clock went backwards */
  gap(LOOKED, INT64_MAX, RCV_EFFECT_WRITE_OUTCOME);
  gap(LOOKED, INT64_MIN, RCV_EFFECT_WRITE_OUTCOME);
  gap(-1, LOOKED, RCV_EFFECT_WRITE_OUTCOME);
  gap(INT64_MIN, LOOKED, RCV_EFFECT_WRITE_OUTCOME); /* nobody told of a look */
}

static void a_look_before_the_intent_does_not_count(void **state) {
  (void)state;
  for (size_t at = 0; at < INTENT_AT; at++) {
    setup(NULL);
    for (size_t i = 0; i < INTENT_AT; i++) {
      if (i == at) {
        rcv_run_looked(&run, LOOKED);
      }
      assert_int_equal(step(good_way[i].event), good_way[i].effect);
    }
    assert_int_equal(step(RCV_EVENT_RELOOK_SAME), RCV_EFFECT_WRITE_OUTCOME);
  }
}

static void without_a_good_permit_nothing_is_sent(void **state) {
  (void)state;
  setup(NULL);
  permit.minted = 0;
  assert_int_equal(step(RCV_EVENT_DECIDED_RESET), RCV_EFFECT_HALT);
  go(INTENT_AT);
  rcv_run_looked(&run, LOOKED);
  permit.spent = 1;
  assert_int_equal(step(RCV_EVENT_RELOOK_SAME), RCV_EFFECT_WRITE_OUTCOME);
  go(INTENT_AT);
  rcv_run_looked(&run, LOOKED);
  permit.minted = 0;
  assert_int_equal(step(RCV_EVENT_RELOOK_SAME), RCV_EFFECT_WRITE_OUTCOME);
  go(INTENT_AT);
  rcv_run_looked(&run, LOOKED);
  memset(&permit, 0, sizeof permit);
  assert_int_equal(step(RCV_EVENT_RELOOK_SAME), RCV_EFFECT_WRITE_OUTCOME);
  assert_int_equal(run.resets, 0);
}

static void zeroed_memory_does_nothing(void **state) {
  (void)state;
  memset(&run, 0, sizeof run);
  memset(&permit, 0, sizeof permit);
  for (int ev = 0; ev < RCV_EVENT_COUNT; ev++) {
    assert_int_equal(step((enum rcv_event)ev), RCV_EFFECT_HALT);
  }
}

/*
 * All runs of ten events (cut where the run has halted), with the rules of
 * contract S3 to S5 watched from outside.
 */
struct watch {
  int intent, relook_asked, sent, outcome;
};
static long runs_seen;

static void walk(struct rcv_run at, struct rcv_permit with, struct watch seen, int depth) {
  runs_seen++;
  if (depth == 10 || at.phase == RCV_PHASE_HALTED) {
    assert_true(at.phase != RCV_PHASE_HALTED || !seen.intent || seen.outcome);
    return;
  }
  for (int ev = 0; ev < RCV_EVENT_COUNT; ev++) {
    struct rcv_run r = at;
    struct rcv_permit p = with;
    struct watch w = seen;
    rcv_run_looked(&r, LOOKED);
    enum rcv_effect f = rcv_run_step(&r, (enum rcv_event)ev, &p, LOOKED + 1);
    w.intent |= w.relook_asked == 0 && f == RCV_EFFECT_RELOOK;
    w.relook_asked |= f == RCV_EFFECT_RELOOK;
    w.outcome |= f == RCV_EFFECT_WRITE_OUTCOME;
    if (f == RCV_EFFECT_SEND_RESET) {
      assert_int_equal(ev, RCV_EVENT_RELOOK_SAME);
      assert_true(w.intent && !w.sent && !w.outcome);
      assert_int_equal(with.spent, 0);
      assert_int_equal(p.spent, 1);
      w.sent = 1;
    }
    assert_int_equal(r.resets, w.sent);
    walk(r, p, w, depth + 1);
  }
}

static void in_no_run_is_more_than_one_reset_sent(void **state) {
  (void)state;
  struct watch nothing = {0, 0, 0, 0};
  runs_seen = 0;
  walk(run, permit, nothing, 0);
  assert_true(runs_seen > 100);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(a_permit_is_spent_once, setup),
      cmocka_unit_test_setup(what_was_never_minted_cannot_be_spent, setup),
      cmocka_unit_test_setup(a_permit_says_what_it_is_for, setup),
      cmocka_unit_test_setup(the_good_way_sends_one_reset, setup),
      cmocka_unit_test_setup(any_other_event_stops_the_run, setup),
      cmocka_unit_test_setup(after_the_post_every_way_ends_in_an_outcome, setup),
      cmocka_unit_test_setup(the_reset_follows_the_last_look_at_once_or_not_at_all, setup),
      cmocka_unit_test_setup(a_look_before_the_intent_does_not_count, setup),
      cmocka_unit_test_setup(without_a_good_permit_nothing_is_sent, setup),
      cmocka_unit_test_setup(zeroed_memory_does_nothing, setup),
      cmocka_unit_test_setup(in_no_run_is_more_than_one_reset_sent, setup),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
