/* The fold: what counts as a round, what agreed, what moved. Times are milliseconds. */
#include "tests/unit/recovery/sample.h"

static struct rcv_evidence e;
static struct rcv_fold f;
static const enum rcv_svc all_up[RCV_MAX_CANDIDATES] = {RCV_SVC_UP, RCV_SVC_UP, RCV_SVC_UP};

static void begin(int64_t candidates) {
  rcv_evidence_init(&e);
  rcv_fold_init(&f);
  e.candidates = candidates;
  e.too_many = e.attested_queue_empty = RCV_TRI_NO;
  for (int64_t i = 0; i < candidates; i++) {
    sample_candidate(&e.candidate[i], i);
  }
}

static void nova(const struct rcv_nova *v) { rcv_fold_nova(&f, &e, v, all_up, RCV_TRI_NO); }

static int setup(void **state) {
  (void)state;
  begin(3);
  struct rcv_nova v = sample_nova(0, 5);
  nova(&v);
  return 0;
}

static void look(int64_t host, int64_t start, int64_t end) {
  struct rcv_look l = host == 0 ? sample_run(start, end) : sample_absent(start, end);
  rcv_fold_look(&f, &e, host, &l);
}

/* ---- rounds ------------------------------------------------------------------------------ */

static void bracketed_looks_make_rounds(void **state) {
  (void)state;
  look(0, 10, 20);
  look(1, 21, 30);
  look(2, 22, 40); /* side by side, both between the two looks at the record host */
  assert_int_equal(e.rounds, 0);
  assert_int_equal(rcv_window_ms(&e), 0);
  look(0, 41, 50);
  assert_int_equal(e.rounds, 1);
  assert_int_equal(e.first_round_ms, 10);
  assert_int_equal(e.last_round_ms, 50);
  assert_int_equal(rcv_window_ms(&e), 40);
  look(2, 51, 60);
  look(1, 61, 70);
  look(0, 90071, 90080); /* the end of one round begins the next */
  assert_int_equal(e.rounds, 2);
  assert_int_equal(e.first_round_ms, 10);
  assert_int_equal(e.last_round_ms, 90080);
  assert_int_equal(rcv_window_ms(&e), 90070);
}

static void the_record_host_alone_is_bracketed_by_itself(void **state) {
  (void)state;
  begin(1);
  struct rcv_nova v = sample_nova(0, 5);
  v.mig_dest = 0;
  nova(&v);
  look(0, 10, 20);
  assert_int_equal(e.rounds, 0);
  look(0, 30, 40);
  assert_int_equal(e.rounds, 1);
}

static void a_look_that_began_before_the_first_does_not_count(void **state) {
  (void)state;
  look(0, 10, 20);
  look(1, 15, 30); /* began while the record host was being looked at */
  look(2, 21, 31);
  look(0, 41, 50);
  assert_int_equal(e.rounds, 0);
  look(1, 51, 60);
  look(2, 51, 60);
  look(0, 61, 70);
  assert_int_equal(e.rounds, 1);
  assert_int_equal(e.first_round_ms, 41);
}

static void a_look_that_ended_after_the_second_began_does_not_count(void **state) {
  (void)state;
  look(0, 10, 20);
  look(2, 21, 30);
  look(1, 21, 45);
  look(0, 41, 50);
  assert_int_equal(e.rounds, 0);
}

static void a_look_across_two_rounds_spoils_both(void **state) {
  (void)state;
  look(0, 10, 20);
  look(2, 21, 30);
  look(0, 41, 50);
  look(1, 21, 60); /* ended within the second round, began within the first */
  look(2, 51, 60);
  look(0, 61, 70);
  assert_int_equal(e.rounds, 0);
}

static void a_good_look_makes_up_for_an_overlapping_one(void **state) {
  (void)state;
  look(0, 10, 20);
  look(1, 15, 25);
  look(1, 26, 30); /* this one lies wholly between */
  look(2, 26, 30);
  look(0, 41, 50);
  assert_int_equal(e.rounds, 1);
}

static void every_other_host_must_have_been_seen(void **state) {
  (void)state;
  look(0, 10, 20);
  look(1, 21, 30);
  look(0, 41, 50);
  assert_int_equal(e.rounds, 0);
  look(2, 51, 60);
  look(0, 61, 70); /* cmp-b was not looked at since */
  assert_int_equal(e.rounds, 0);
}

static void without_the_record_host_there_is_no_round(void **state) {
  (void)state;
  look(1, 10, 20);
  look(2, 21, 30);
  look(1, 31, 40);
  assert_int_equal(e.rounds, 0);
  begin(3);
  look(0, 10, 20); /* Nova was not read: there is no record host */
  look(1, 21, 30);
  look(2, 21, 30);
  look(0, 41, 50);
  assert_int_equal(e.rounds, 0);
}

static void a_look_outside_the_candidates_does_nothing(void **state) {
  (void)state;
  static struct rcv_evidence before;
  struct rcv_look l = sample_run(10, 20);
  before = e;
  rcv_fold_look(&f, &e, -1, &l);
  rcv_fold_look(&f, &e, 3, &l);
  rcv_fold_look(&f, &e, RCV_MAX_CANDIDATES, &l);
  rcv_fold_look(&f, &e, INT64_MAX, &l);
  assert_memory_equal(&before, &e, sizeof e);
}

static void sealed_evidence_never_changes(void **state) {
  (void)state;
  static struct rcv_evidence before;
  look(0, 10, 20);
  look(1, 21, 30);
  look(2, 21, 30);
  rcv_evidence_seal(&e);
  assert_int_equal(e.sealed, RCV_TRI_YES);
  before = e;
  look(0, 41, 50);
  struct rcv_nova v = sample_nova(60, 70);
  v.vm_state = RCV_VM_ERROR;
  nova(&v);
  assert_memory_equal(&before, &e, sizeof e);
}

/* ---- what agreed --------------------------------------------------------------------------- */

static void a_moving_counter_is_no_disagreement(void **state) {
  (void)state;
  look(0, 10, 20);
  struct rcv_look l = sample_run(30, 40);
  l.vcpu_time_ms = 5000;
  l.control_ms = 7;
  l.control = RCV_CONTROL_JOB;
  rcv_fold_look(&f, &e, 0, &l);
  assert_int_equal(e.candidate[0].looks, 2);
  assert_int_equal(e.candidate[0].agreed, RCV_TRI_YES);
  assert_int_equal(e.candidate[0].first.vcpu_time_ms, 1000);
  assert_int_equal(e.candidate[0].last.vcpu_time_ms, 5000);
}

static void one_other_look_is_a_disagreement_for_good(void **state) {
  (void)state;
  look(0, 10, 20);
  struct rcv_look l = sample_run(30, 40);
  l.reason = 5;
  rcv_fold_look(&f, &e, 0, &l);
  assert_int_equal(e.candidate[0].agreed, RCV_TRI_NO);
  look(0, 50, 60); /* back to what it was */
  look(0, 70, 80);
  assert_int_equal(e.candidate[0].agreed, RCV_TRI_NO);
}

#define DISAGREES(field, value)                                                                    \
  {                                                                                                \
    setup(NULL);                                                                                   \
    look(0, 10, 20);                                                                               \
    struct rcv_look l = sample_run(30, 40);                                                        \
    l.field = (value);                                                                             \
    rcv_fold_look(&f, &e, 0, &l);                                                                  \
    assert_int_equal(e.candidate[0].agreed, RCV_TRI_NO);                                           \
  }
static void every_decisive_fact_of_a_look_must_agree(void **state) {
  (void)state;
  DISAGREES(reach, RCV_REACH_TIMEOUT)
  DISAGREES(presence, RCV_PRESENCE_ABSENT)
  DISAGREES(active, RCV_TRI_NO)
  DISAGREES(state, 3)
  DISAGREES(reason, 2)
  DISAGREES(job, RCV_JOB_OUT)
  DISAGREES(domain_id, 4) /* it was started again in between */
  DISAGREES(name_equal, RCV_TRI_NO)
  DISAGREES(owner, RCV_OWNER_DIFFERENT)
  DISAGREES(mirror, RCV_TRI_YES)
  DISAGREES(managed_save, RCV_TRI_YES)
}

static void the_monitor_may_be_asked_once_at_the_end(void **state) {
  (void)state;
  struct rcv_look l = sample_run(10, 20);
  l.monitor = RCV_MONITOR_UNKNOWN;
  rcv_fold_look(&f, &e, 0, &l);
  look(0, 30, 40);
  assert_int_equal(e.candidate[0].last.monitor, RCV_MONITOR_ANSWERED);
  assert_int_equal(e.candidate[0].agreed, RCV_TRI_YES);
}

static void vcpu_time(int64_t start, int64_t ms) {
  struct rcv_look l = sample_run(start, start + 5);
  l.vcpu_time_ms = ms;
  rcv_fold_look(&f, &e, 0, &l);
}

static void vcpu_time_that_grows_every_time_is_life(void **state) {
  (void)state;
  vcpu_time(10, 1000);
  assert_int_not_equal(e.candidate[0].vcpu_advancing, RCV_TRI_YES);
  vcpu_time(20, 1001);
  assert_int_equal(e.candidate[0].vcpu_advancing, RCV_TRI_YES);
  vcpu_time(30, 1002);
  assert_int_equal(e.candidate[0].vcpu_advancing, RCV_TRI_YES);
  vcpu_time(40, 1002);
  assert_int_equal(e.candidate[0].vcpu_advancing, RCV_TRI_NO);
  vcpu_time(50, 2000);
  assert_int_equal(e.candidate[0].vcpu_advancing, RCV_TRI_NO);
}

static void vcpu_time_that_is_not_told_is_no_life(void **state) {
  (void)state;
  vcpu_time(10, -1);
  vcpu_time(20, 5);
  assert_int_not_equal(e.candidate[0].vcpu_advancing, RCV_TRI_YES);
  setup(NULL);
  vcpu_time(10, 5);
  vcpu_time(20, -1);
  assert_int_not_equal(e.candidate[0].vcpu_advancing, RCV_TRI_YES);
}

static void a_seen_postcopy_is_remembered(void **state) {
  (void)state;
  look(0, 10, 20);
  assert_int_not_equal(e.candidate[0].seen_postcopy, RCV_TRI_YES);
  struct rcv_look l = sample_run(30, 40);
  l.state = 3;
  l.reason = 12;
  l.job = RCV_JOB_OUT;
  rcv_fold_look(&f, &e, 0, &l);
  look(0, 50, 60);
  assert_int_equal(e.candidate[0].seen_postcopy, RCV_TRI_YES);
}

static void job(int64_t start, int64_t processed, int64_t remaining, int64_t iteration) {
  struct rcv_look l = sample_run(start, start + 5);
  l.job = RCV_JOB_OUT;
  l.data_processed = processed;
  l.data_remaining = remaining;
  l.iteration = iteration;
  rcv_fold_look(&f, &e, 0, &l);
}

static void job_statistics_that_move_are_progress(void **state) {
  (void)state;
  job(10, 100, 900, 1);
  job(20, 100, 900, 1);
  assert_int_equal(e.candidate[0].progressing, RCV_TRI_NO);
  assert_int_equal(e.candidate[0].agreed, RCV_TRI_YES);
  job(30, 100, 900, 2);
  assert_int_equal(e.candidate[0].progressing, RCV_TRI_YES);
  assert_int_equal(e.candidate[0].agreed, RCV_TRI_YES);
  job(40, 100, 900, 2);
  assert_int_equal(e.candidate[0].progressing, RCV_TRI_YES);
}

/* ---- readings of Nova ------------------------------------------------------------------------ */

static void equal_readings_agree_and_nothing_beats(void **state) {
  (void)state;
  struct rcv_nova v = sample_nova(50, 60);
  v.now_s += 30;
  nova(&v);
  assert_int_equal(e.nova_reads, 2);
  assert_int_equal(e.nova_agreed, RCV_TRI_YES);
  assert_int_equal(e.heartbeat, RCV_TRI_NO);
  assert_int_equal(e.conductor_always_up, RCV_TRI_YES);
  assert_int_equal(e.nova_first.start_ms, 0);
  assert_int_equal(e.nova_last.start_ms, 50);
  assert_int_equal(e.nova_last.now_s, SAMPLE_NOW + 30);
}

static void after(const struct rcv_nova *v, enum rcv_tri lock_only, enum rcv_tri beats) {
  rcv_fold_nova(&f, &e, v, all_up, lock_only);
  assert_int_equal(e.heartbeat, beats);
  struct rcv_nova same = *v; /* a heart that has beaten once counts for the whole observation */
  same.start_ms += 100;
  same.end_ms += 100;
  rcv_fold_nova(&f, &e, &same, all_up, RCV_TRI_NO);
  assert_int_equal(e.heartbeat, beats);
}

#define BEATS(field, lock_only)                                                                    \
  {                                                                                                \
    setup(NULL);                                                                                   \
    struct rcv_nova moved = sample_nova(50, 60);                                                   \
    moved.field += 1;                                                                              \
    after(&moved, lock_only, RCV_TRI_YES);                                                         \
  }
static void every_field_of_the_heartbeat_counts(void **state) {
  (void)state;
  BEATS(mig_updated_s, RCV_TRI_NO)
  BEATS(memory_processed, RCV_TRI_NO)
  BEATS(memory_remaining, RCV_TRI_NO)
  BEATS(disk_processed, RCV_TRI_NO)
  BEATS(disk_remaining, RCV_TRI_NO)
  BEATS(progress, RCV_TRI_NO)
  BEATS(server_updated_s, RCV_TRI_NO)
  setup(NULL);
  struct rcv_nova v = sample_nova(50, 60);
  v.mig_status = RCV_MIG_RUNNING;
  after(&v, RCV_TRI_NO, RCV_TRI_YES);
}

static void a_lock_may_move_the_server_and_nothing_else(void **state) {
  (void)state;
  struct rcv_nova v = sample_nova(50, 60);
  v.server_updated_s += 9;
  v.locked = RCV_TRI_YES;
  after(&v, RCV_TRI_YES, RCV_TRI_NO);
  assert_int_equal(e.nova_agreed, RCV_TRI_YES);
  setup(NULL);
  after(&v, RCV_TRI_UNKNOWN, RCV_TRI_YES);
  BEATS(mig_updated_s, RCV_TRI_YES)
  BEATS(memory_processed, RCV_TRI_YES)
  BEATS(progress, RCV_TRI_YES)
}

#define CONTRADICTS(field, value)                                                                  \
  {                                                                                                \
    setup(NULL);                                                                                   \
    struct rcv_nova v = sample_nova(50, 60);                                                       \
    v.field = (value);                                                                             \
    nova(&v);                                                                                      \
    assert_int_equal(e.nova_agreed, RCV_TRI_NO);                                                   \
    v = sample_nova(70, 80);                                                                       \
    nova(&v);                                                                                      \
    assert_int_equal(e.nova_agreed, RCV_TRI_NO);                                                   \
  }
static void every_decisive_fact_of_nova_must_agree(void **state) {
  (void)state;
  CONTRADICTS(api, RCV_API_UNAVAILABLE)
  CONTRADICTS(vm_state, RCV_VM_ERROR)
  CONTRADICTS(task_state, RCV_TASK_NONE)
  CONTRADICTS(record_host, 1)
  CONTRADICTS(hypervisor, RCV_HV_UNKNOWN)
  CONTRADICTS(action_start_s, SAMPLE_NOW)
  CONTRADICTS(newer_action, RCV_ACT_OTHER)
  CONTRADICTS(mig_present, RCV_TRI_NO)
  CONTRADICTS(mig_id, 8)
  CONTRADICTS(mig_type, RCV_MTYPE_COLD)
  CONTRADICTS(mig_status, RCV_MIG_ERROR)
  CONTRADICTS(mig_source, 1)
  CONTRADICTS(mig_dest, 2)
  CONTRADICTS(evacuation, RCV_EVAC_PENDING)
  CONTRADICTS(queued_behind, RCV_TRI_YES)
  CONTRADICTS(conductor_up, RCV_TRI_NO)
}

static void a_conductor_must_be_up_at_every_reading(void **state) {
  (void)state;
  static const enum rcv_tri not_up[] = {RCV_TRI_NO, RCV_TRI_UNKNOWN};
  for (size_t i = 0; i < SAMPLE_COUNT(not_up); i++) {
    setup(NULL);
    struct rcv_nova v = sample_nova(50, 60);
    v.conductor_up = not_up[i];
    nova(&v);
    assert_int_not_equal(e.conductor_always_up, RCV_TRI_YES);
    v = sample_nova(70, 80);
    nova(&v);
    assert_int_not_equal(e.conductor_always_up, RCV_TRI_YES);
  }
}

static void a_service_that_flaps_did_not_agree(void **state) {
  (void)state;
  enum rcv_svc now[RCV_MAX_CANDIDATES] = {RCV_SVC_DOWN, RCV_SVC_UP, RCV_SVC_UP};
  struct rcv_nova v = sample_nova(50, 60);
  rcv_fold_nova(&f, &e, &v, now, RCV_TRI_NO);
  assert_int_equal(e.candidate[0].service_first, RCV_SVC_UP);
  assert_int_equal(e.candidate[0].service_last, RCV_SVC_DOWN);
  assert_int_equal(e.candidate[0].service_agreed, RCV_TRI_NO);
  assert_int_equal(e.candidate[1].service_agreed, RCV_TRI_YES);
  v = sample_nova(70, 80);
  rcv_fold_nova(&f, &e, &v, all_up, RCV_TRI_NO);
  assert_int_equal(e.candidate[0].service_last, RCV_SVC_UP);
  assert_int_equal(e.candidate[0].service_agreed, RCV_TRI_NO);
}

/* ---- a whole observation, folded and decided ---------------------------------------------- */

static enum rcv_code decided(void) {
  struct rcv_policy p;
  struct rcv_verdict v;
  struct rcv_permit permit;
  sample_policy(&p);
  rcv_decide(&e, &p, NULL, &v, &permit);
  return v.code;
}

/* Three rounds over more than 90 s, with Nova read at the times given, -1 for never. */
static void observe(int64_t nova_first, int64_t nova_last) {
  begin(2);
  struct rcv_nova v = sample_nova(nova_first, nova_first + 5);
  nova(&v);
  for (int64_t t = 1000; t <= 91030; t += 30010) {
    look(0, t, t + 10);
    look(1, t + 11, t + 20);
  }
  look(0, 91050, 91060);
  if (nova_last >= 0) {
    v = sample_nova(nova_last, nova_last + 5);
    nova(&v);
  }
}

static void a_whole_observation_leads_to_a_reset(void **state) {
  (void)state;
  observe(100, 91061);
  assert_int_equal(e.rounds, 4);
  assert_int_equal(decided(), RCV_CODE_SAFE_TO_RESET);
}

static void nova_must_be_read_before_and_after_the_rounds(void **state) {
  (void)state;
  observe(100, -1);
  assert_int_equal(decided(), RCV_CODE_OBSERVE_LONGER);
  observe(100, 91040); /* before the last look had ended */
  assert_int_equal(decided(), RCV_CODE_OBSERVE_LONGER);
  observe(1500, 91061); /* the first reading came after the first look */
  assert_int_equal(decided(), RCV_CODE_OBSERVE_LONGER);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(bracketed_looks_make_rounds, setup),
      cmocka_unit_test_setup(the_record_host_alone_is_bracketed_by_itself, setup),
      cmocka_unit_test_setup(a_look_that_began_before_the_first_does_not_count, setup),
      cmocka_unit_test_setup(a_look_that_ended_after_the_second_began_does_not_count, setup),
      cmocka_unit_test_setup(a_look_across_two_rounds_spoils_both, setup),
      cmocka_unit_test_setup(a_good_look_makes_up_for_an_overlapping_one, setup),
      cmocka_unit_test_setup(every_other_host_must_have_been_seen, setup),
      cmocka_unit_test_setup(without_the_record_host_there_is_no_round, setup),
      cmocka_unit_test_setup(a_look_outside_the_candidates_does_nothing, setup),
      cmocka_unit_test_setup(sealed_evidence_never_changes, setup),
      cmocka_unit_test_setup(a_moving_counter_is_no_disagreement, setup),
      cmocka_unit_test_setup(one_other_look_is_a_disagreement_for_good, setup),
      cmocka_unit_test_setup(every_decisive_fact_of_a_look_must_agree, setup),
      cmocka_unit_test_setup(the_monitor_may_be_asked_once_at_the_end, setup),
      cmocka_unit_test_setup(vcpu_time_that_grows_every_time_is_life, setup),
      cmocka_unit_test_setup(vcpu_time_that_is_not_told_is_no_life, setup),
      cmocka_unit_test_setup(a_seen_postcopy_is_remembered, setup),
      cmocka_unit_test_setup(job_statistics_that_move_are_progress, setup),
      cmocka_unit_test_setup(equal_readings_agree_and_nothing_beats, setup),
      cmocka_unit_test_setup(every_field_of_the_heartbeat_counts, setup),
      cmocka_unit_test_setup(a_lock_may_move_the_server_and_nothing_else, setup),
      cmocka_unit_test_setup(every_decisive_fact_of_nova_must_agree, setup),
      cmocka_unit_test_setup(a_conductor_must_be_up_at_every_reading, setup),
      cmocka_unit_test_setup(a_service_that_flaps_did_not_agree, setup),
      cmocka_unit_test_setup(a_whole_observation_leads_to_a_reset, setup),
      cmocka_unit_test_setup(nova_must_be_read_before_and_after_the_rounds, setup),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
