/* Names and numbers: enumerations, reason codes, exit statuses. */
#include "tests/unit/recovery/sample.h"

#include "recovery/plan.h"

#define ENUM_WITH_BOUND(tag, T)                                                                    \
  { &rcv_##tag##_enum, RCV_##T##_COUNT, "rcv_" #tag }
static const struct {
  const struct rcv_enum *e;
  int count;
  const char *tag;
} every_enum[] = {
    ENUM_WITH_BOUND(tri, TRI),           ENUM_WITH_BOUND(reach, REACH),
    ENUM_WITH_BOUND(presence, PRESENCE), ENUM_WITH_BOUND(job, JOB),
    ENUM_WITH_BOUND(control, CONTROL),   ENUM_WITH_BOUND(owner, OWNER),
    ENUM_WITH_BOUND(monitor, MONITOR),   ENUM_WITH_BOUND(class, CLASS),
    ENUM_WITH_BOUND(api, API),           ENUM_WITH_BOUND(vm, VM),
    ENUM_WITH_BOUND(task, TASK),         ENUM_WITH_BOUND(hv, HV),
    ENUM_WITH_BOUND(mig, MIG),           ENUM_WITH_BOUND(mtype, MTYPE),
    ENUM_WITH_BOUND(evac, EVAC),         ENUM_WITH_BOUND(act, ACT),
    ENUM_WITH_BOUND(svc, SVC),           ENUM_WITH_BOUND(verdict_kind, VERDICT),
    ENUM_WITH_BOUND(role, ROLE),         ENUM_WITH_BOUND(rung, RUNG),
    ENUM_WITH_BOUND(step_kind, STEP),    ENUM_WITH_BOUND(phase, PHASE),
    ENUM_WITH_BOUND(event, EVENT),       ENUM_WITH_BOUND(effect, EFFECT),
};

static void every_name_comes_back(void **state) {
  (void)state;
  for (size_t i = 0; i < SAMPLE_COUNT(every_enum); i++) {
    const struct rcv_enum *e = every_enum[i].e;
    assert_int_equal(e->count, every_enum[i].count);
    assert_string_equal(e->tag, every_enum[i].tag);
    for (int v = 0; v < e->count; v++) {
      const char *name = rcv_enum_name(e, v);
      assert_non_null(name);
      assert_string_not_equal(name, "");
      assert_int_equal(rcv_enum_value(e, name), v); /* so names are unique */
      for (const char *c = name; *c != '\0'; c++) {
        assert_in_range(*c, ' ', '~');
      }
    }
  }
}

static void no_other_name_is_taken(void **state) {
  (void)state;
  for (size_t i = 0; i < SAMPLE_COUNT(every_enum); i++) {
    const struct rcv_enum *e = every_enum[i].e;
    assert_string_equal(rcv_enum_name(e, -1), "?");
    assert_string_equal(rcv_enum_name(e, e->count), "?");
    assert_int_equal(rcv_enum_value(e, "?"), -1);
    assert_int_equal(rcv_enum_value(e, ""), -1);
    assert_int_equal(rcv_enum_value(e, " ok"), -1);
  }
  assert_int_equal(rcv_enum_value(&rcv_tri_enum, "Yes"), -1);
  assert_int_equal(rcv_enum_value(&rcv_tri_enum, "yes "), -1);
  assert_int_equal(rcv_enum_value(&rcv_tri_enum, "ye"), -1);
}

/* The contract's table, copied by hand. */
static const struct {
  int number;
  const char *name;
} contract[] = {
    {1, "NOT_WEDGED"},
    {101, "SAFE_TO_RESET"},
    {201, "SPLIT_BRAIN"},
    {202, "OWNER_MOVED"},
    {203, "SECOND_COPY"},
    {204, "NO_OWNER"},
    {205, "POSTCOPY_FAILED"},
    {206, "SWITCHOVER_UNDECIDED"},
    {207, "PAUSED_MIGRATION"},
    {208, "PAUSED_BY_USER"},
    {209, "PAUSED_ERROR"},
    {210, "INCOMING_REMNANT"},
    {211, "OFF_UNKNOWN"},
    {212, "MONITOR_STUCK"},
    {213, "FOREIGN_DOMAIN"},
    {214, "UNEXPECTED_HOST"},
    {215, "INCONSISTENT_RECORD"},
    {216, "NO_STABLE_OWNER"},
    {217, "STORAGE_JOB"},
    {218, "NO_METADATA"},
    {219, "SUSPENDED"},
    {250, "NOT_LIBVIRT"},
    {251, "NOT_LIVE_MIGRATION"},
    {252, "VM_STATE_ERROR"},
    {253, "OTHER_TASK"},
    {254, "EVACUATION_RECORD"},
    {255, "MAY_STILL_FINISH"},
    {256, "CAST_MAY_BE_PENDING"},
    {257, "NEWER_ACTION"},
    {301, "STILL_MIGRATING"},
    {302, "JOB_STALLED"},
    {303, "JOB_ORPHANED"},
    {304, "POSTCOPY"},
    {305, "QUEUED"},
    {306, "TOO_YOUNG"},
    {307, "OBSERVE_LONGER"},
    {308, "SETTLING"},
    {401, "HOST_UNREACHABLE"},
    {402, "HOST_TIMEOUT"},
    {403, "HOST_AUTH_FAILED"},
    {404, "IDENTITY_MISMATCH"},
    {405, "SAME_HOST_TWICE"},
    {406, "UNSTABLE_OBSERVATION"},
    {407, "API_UNAVAILABLE"},
    {408, "API_HIDDEN"},
    {409, "TOO_MANY_CANDIDATES"},
    {410, "HOST_UNMAPPED"},
    {420, "RUNS_ELSEWHERE"},
    {501, "KILL_SWITCH"},
    {502, "FREEZE"},
    {503, "STORM"},
    {504, "RATE_LIMIT"},
    {505, "COOLDOWN"},
    {506, "DENIED_SCOPE"},
    {507, "OPEN_INTENT"},
    {508, "ATTESTATION_REQUIRED"},
};

static enum rcv_verdict_kind verdict_by_range(int number) {
  static const enum rcv_verdict_kind of[] = {RCV_VERDICT_NOTHING, RCV_VERDICT_RESET,
                                             RCV_VERDICT_REFUSE,  RCV_VERDICT_WAIT,
                                             RCV_VERDICT_UNKNOWN, RCV_VERDICT_REFUSE};
  return number < 600 ? of[number / 100] : RCV_VERDICT_NONE;
}

static void codes_are_the_contracts(void **state) {
  (void)state;
  for (size_t i = 0; i < SAMPLE_COUNT(contract); i++) {
    const struct rcv_code_info *c = rcv_code_find(contract[i].number);
    assert_non_null(c);
    assert_int_equal((int)c->code, contract[i].number);
    assert_string_equal(c->name, contract[i].name);
    assert_int_equal(c->verdict, verdict_by_range(contract[i].number));
    assert_ptr_equal(rcv_code_find_name(contract[i].name), c);
  }
}

static void codes_are_unique_and_in_order(void **state) {
  (void)state;
  assert_true(rcv_code_count >= SAMPLE_COUNT(contract));
  for (size_t i = 0; i < rcv_code_count; i++) {
    const struct rcv_code_info *c = &rcv_code_table[i];
    assert_true(i == 0 || rcv_code_table[i - 1].code < c->code);
    assert_ptr_equal(rcv_code_find((int64_t)c->code), c);
    assert_ptr_equal(rcv_code_find_name(c->name), c);
    assert_true(c->line != NULL && strlen(c->line) > 10 && strlen(c->line) < RCV_LINE_BYTES);
    assert_int_equal(c->line[strlen(c->line) - 1], '.');
  }
}

static void what_is_no_code_is_not_found(void **state) {
  (void)state;
  static const int64_t none[] = {-1,  0,   2,   100, 102,       220,       299,
                                 421, 600, 900, 903, INT64_MAX, INT64_MIN, (int64_t)1 << 32};
  for (size_t i = 0; i < SAMPLE_COUNT(none); i++) {
    assert_null(rcv_code_find(none[i]));
  }
  assert_null(rcv_code_find_name(""));
  assert_null(rcv_code_find_name("owner_moved"));
  assert_null(rcv_code_find_name("OWNER_MOVED "));
}

/* Contract section 3: 0 nothing wrong, 2 RESET, 3 refused, 4 unknown, 9 wait. */
static void exit_status_follows_the_verdict(void **state) {
  (void)state;
  static const int status[RCV_VERDICT_COUNT] = {
      [RCV_VERDICT_NONE] = 1,   [RCV_VERDICT_RESET] = 2,   [RCV_VERDICT_WAIT] = 9,
      [RCV_VERDICT_REFUSE] = 3, [RCV_VERDICT_UNKNOWN] = 4, [RCV_VERDICT_NOTHING] = 0};
  for (size_t i = 0; i < rcv_code_count; i++) {
    struct rcv_verdict v;
    memset(&v, 0, sizeof v);
    v.kind = rcv_code_table[i].verdict;
    v.code = rcv_code_table[i].code;
    assert_int_equal(rcv_exit_status(&v), status[v.kind]);
  }
  struct rcv_verdict nothing_decided;
  memset(&nothing_decided, 0, sizeof nothing_decided);
  assert_int_equal(rcv_exit_status(&nothing_decided), status[RCV_VERDICT_NONE]);
}

static void worth_observing_only_what_may_become_a_reset(void **state) {
  (void)state;
  for (size_t i = 0; i < rcv_code_count; i++) {
    struct rcv_verdict v;
    memset(&v, 0, sizeof v);
    v.kind = rcv_code_table[i].verdict;
    v.code = rcv_code_table[i].code;
    int more = v.kind == RCV_VERDICT_RESET || v.code == RCV_CODE_OBSERVE_LONGER ||
               v.code == RCV_CODE_SETTLING;
    assert_int_equal(rcv_worth_observing(&v), more);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_name_comes_back),
      cmocka_unit_test(no_other_name_is_taken),
      cmocka_unit_test(codes_are_the_contracts),
      cmocka_unit_test(codes_are_unique_and_in_order),
      cmocka_unit_test(what_is_no_code_is_not_found),
      cmocka_unit_test(exit_status_follows_the_verdict),
      cmocka_unit_test(worth_observing_only_what_may_become_a_reset),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
