/* Bounds of evidence, and which facts make a plan stale. Every fact is taken from facts.def. */
#include "tests/unit/recovery/sample.h"

static struct rcv_evidence whole; /* the struct is large; a test starts with setup() */

static int setup(void **state) {
  (void)state;
  sample_evidence(&whole);
  return 0;
}

static void initial_values_are_unknown_and_valid(void **state) {
  (void)state;
  struct rcv_policy p;
  struct rcv_verdict v;
  struct rcv_permit permit;
  sample_policy(&p);
  memset(&whole, 0x5a, sizeof whole);
  rcv_evidence_init(&whole);
#define IS_UNKNOWN_ENUM(tag, field, role, doc) assert_int_equal((int)s->field, 0);
#define IS_UNKNOWN_INT(unit, field, role, doc)                                                     \
  assert_int_equal(s->field, strcmp(#unit, "count") == 0 && s->field == 0 ? 0 : -1);
  for (int i = 0; i < RCV_MAX_CANDIDATES; i++) {
    const struct rcv_look *s = &whole.candidate[i].last;
    RCV_LOOK_FACTS(IS_UNKNOWN_ENUM, IS_UNKNOWN_INT)
    s = &whole.candidate[i].first;
    RCV_LOOK_FACTS(IS_UNKNOWN_ENUM, IS_UNKNOWN_INT)
    assert_int_equal(whole.candidate[i].looks, 0);
  }
  const struct rcv_nova *s = &whole.nova_last;
  RCV_NOVA_FACTS(IS_UNKNOWN_ENUM, IS_UNKNOWN_INT)
  s = &whole.nova_first;
  RCV_NOVA_FACTS(IS_UNKNOWN_ENUM, IS_UNKNOWN_INT)
  assert_int_equal(whole.candidates, 0);
  assert_int_equal(whole.rounds, 0);
  assert_int_equal(whole.nova_reads, 0);
  assert_int_equal(whole.first_round_ms, -1);
  assert_int_equal(rcv_evidence_valid(&whole), 1);
  rcv_decide(&whole, &p, NULL, &v, &permit);
  assert_int_equal(v.kind, RCV_VERDICT_UNKNOWN);
  assert_int_equal(permit.minted, 0);
}

static void the_sample_is_valid(void **state) {
  (void)state;
  assert_int_equal(rcv_evidence_valid(&whole), 1);
}

static void rejected(void) { assert_int_equal(rcv_evidence_valid(&whole), 0); }

/* Values just outside, and far outside, of an enumeration or a number below 2^53. */
#define REJECT_ENUM(tag, field, role, doc)                                                         \
  {                                                                                                \
    static const int outside[] = {-1, 1, 1000, INT32_MAX, INT32_MIN};                              \
    for (size_t k = 0; k < SAMPLE_COUNT(outside); k++) {                                           \
      enum tag keep = s->field;                                                                    \
      s->field = (enum tag)(outside[k] == 1 ? tag##_enum.count : outside[k]);                      \
      rejected();                                                                                  \
      s->field = keep;                                                                             \
    }                                                                                              \
  }
#define REJECT_INT(unit, field, role, doc)                                                         \
  {                                                                                                \
    static const int64_t outside[] = {-2, RCV_INT_MAX + 1, INT64_MAX, INT64_MIN};                  \
    for (size_t k = 0; k < SAMPLE_COUNT(outside); k++) {                                           \
      int64_t keep = s->field;                                                                     \
      s->field = outside[k];                                                                       \
      rejected();                                                                                  \
      s->field = keep;                                                                             \
    }                                                                                              \
    if (strcmp(#unit, "index") == 0) {                                                             \
      int64_t keep = s->field;                                                                     \
      s->field = whole.candidates;                                                                 \
      rejected();                                                                                  \
      s->field = RCV_MAX_CANDIDATES;                                                               \
      rejected();                                                                                  \
      s->field = keep;                                                                             \
    }                                                                                              \
  }

static void every_fact_outside_its_range_is_rejected(void **state) {
  (void)state;
  for (int i = 0; i < 2; i++) {
    struct rcv_look *s = &whole.candidate[i].last;
    RCV_LOOK_FACTS(REJECT_ENUM, REJECT_INT)
    s = &whole.candidate[i].first;
    RCV_LOOK_FACTS(REJECT_ENUM, REJECT_INT)
  }
  for (int i = 0; i < 2; i++) {
    struct rcv_candidate *s = &whole.candidate[i];
    RCV_CANDIDATE_FACTS(REJECT_ENUM, REJECT_INT)
  }
  {
    struct rcv_nova *s = &whole.nova_first;
    RCV_NOVA_FACTS(REJECT_ENUM, REJECT_INT)
    s = &whole.nova_last;
    RCV_NOVA_FACTS(REJECT_ENUM, REJECT_INT)
  }
  struct rcv_evidence *s = &whole;
  RCV_OBSERVATION_FACTS(REJECT_ENUM, REJECT_INT)
  assert_int_equal(rcv_evidence_valid(&whole), 1); /* everything was put back */
}

static void the_number_of_candidates_is_bounded(void **state) {
  (void)state;
  static const int64_t outside[] = {-1, RCV_MAX_CANDIDATES + 1, INT64_MAX, INT64_MIN};
  for (size_t k = 0; k < SAMPLE_COUNT(outside); k++) {
    whole.candidates = outside[k];
    rejected();
  }
  rcv_evidence_init(&whole);
  whole.candidates = RCV_MAX_CANDIDATES;
  assert_int_equal(rcv_evidence_valid(&whole), 1);
  whole.candidate[RCV_MAX_CANDIDATES - 1].last.reach = RCV_REACH_COUNT;
  rejected();
}

static void invalid_evidence_is_decided_as_unknown(void **state) {
  (void)state;
  struct rcv_policy p;
  struct rcv_binding b;
  struct rcv_verdict v;
  struct rcv_permit permit;
  sample_policy(&p);
  sample_binding(&b);
  rcv_decide(&whole, &p, &b, &v, &permit);
  assert_int_equal(v.kind, RCV_VERDICT_RESET);
  assert_int_equal(permit.minted, 1);
  whole.candidate[1].last.mirror = RCV_TRI_COUNT;
  rcv_decide(&whole, &p, &b, &v, &permit);
  assert_int_equal(v.code, RCV_CODE_EVIDENCE_INVALID);
  assert_int_equal(v.kind, RCV_VERDICT_UNKNOWN);
  assert_int_equal(v.owner, -1);
  assert_int_equal(permit.minted, 0);
  assert_int_equal(rcv_safe(&whole, &p), 0);
}

/* ---- what makes a plan stale ----------------------------------------------------------- */

static struct rcv_evidence newer;
static struct rcv_change changed[8];

static void differs(const char *group, const char *field, int64_t candidate, int decisive) {
  size_t n = rcv_changes(&whole, &newer, changed, SAMPLE_COUNT(changed));
  if (!decisive) {
    if (n != 0) {
      print_error("%s.%s should not make a plan stale\n", group, field);
    }
    assert_int_equal(n, 0);
    return;
  }
  if (n != 1) {
    print_error("%s.%s: %zu changes\n", group, field, n);
  }
  assert_int_equal(n, 1);
  assert_string_equal(changed[0].group, group);
  assert_string_equal(changed[0].field, field);
  assert_int_equal(changed[0].candidate, candidate);
  assert_int_not_equal(changed[0].before, changed[0].after);
}

#define DIFFER(member, type_is)                                                                    \
  differs(group, #member, at, RCV_ROLE_##type_is == RCV_ROLE_DECISIVE);
#define DIFFER_ENUM(tag, field, role, doc)                                                         \
  {                                                                                                \
    enum tag keep = s->field;                                                                      \
    s->field = keep == (enum tag)0 ? (enum tag)1 : (enum tag)0;                                    \
    DIFFER(field, role)                                                                            \
    if (RCV_ROLE_##role == RCV_ROLE_DECISIVE) {                                                    \
      assert_int_equal(changed[0].before, (int)keep);                                              \
      assert_int_equal(changed[0].after, (int)s->field);                                           \
      assert_ptr_equal(changed[0].type, &tag##_enum);                                              \
    }                                                                                              \
    s->field = keep;                                                                               \
  }
#define DIFFER_INT(unit, field, role, doc)                                                         \
  {                                                                                                \
    int64_t keep = s->field;                                                                       \
    s->field = keep == 0 ? 1 : 0;                                                                  \
    DIFFER(field, role)                                                                            \
    if (RCV_ROLE_##role == RCV_ROLE_DECISIVE) {                                                    \
      assert_int_equal(changed[0].before, keep);                                                   \
      assert_int_equal(changed[0].after, s->field);                                                \
      assert_null(changed[0].type);                                                                \
    }                                                                                              \
    s->field = keep;                                                                               \
  }

static void only_decisive_facts_make_a_plan_stale(void **state) {
  (void)state;
  const char *group = "look";
  int64_t at;
  newer = whole;
  differs("none", "none", -1, 0);
  for (at = 0; at < 2; at++) {
    struct rcv_look *s = &newer.candidate[at].last;
    RCV_LOOK_FACTS(DIFFER_ENUM, DIFFER_INT)
  }
  group = "nova";
  at = -1;
  {
    struct rcv_nova *s = &newer.nova_last;
    RCV_NOVA_FACTS(DIFFER_ENUM, DIFFER_INT)
  }
  group = "candidate";
  for (at = 0; at < 2; at++) {
    struct rcv_candidate *s = &newer.candidate[at];
    RCV_CANDIDATE_FACTS(DIFFER_ENUM, DIFFER_INT)
  }
  group = "observation";
  at = -1;
  struct rcv_evidence *s = &newer;
  RCV_OBSERVATION_FACTS(DIFFER_ENUM, DIFFER_INT)
}

static void another_number_of_candidates_is_one_change(void **state) {
  (void)state;
  newer = whole;
  newer.candidates = 3;
  assert_int_equal(rcv_changes(&whole, &newer, changed, SAMPLE_COUNT(changed)), 1);
  assert_int_equal(changed[0].candidate, -1);
  assert_int_equal(changed[0].before, 2);
  assert_int_equal(changed[0].after, 3);
}

static void more_changes_than_room_are_still_counted(void **state) {
  (void)state;
  newer = whole;
  newer.candidate[0].last = sample_absent(1, 2);
  newer.candidate[1].last = sample_run(1, 2);
  newer.nova_last.task_state = RCV_TASK_NONE;
  size_t all = rcv_changes(&whole, &newer, changed, SAMPLE_COUNT(changed));
  assert_true(all > 8);
  memset(changed, 0, sizeof changed);
  assert_int_equal(rcv_changes(&whole, &newer, changed, 2), all);
  assert_non_null(changed[1].field);
  assert_null(changed[2].field);
  assert_int_equal(rcv_changes(&whole, &newer, NULL, 0), all);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(initial_values_are_unknown_and_valid, setup),
      cmocka_unit_test_setup(the_sample_is_valid, setup),
      cmocka_unit_test_setup(every_fact_outside_its_range_is_rejected, setup),
      cmocka_unit_test_setup(the_number_of_candidates_is_bounded, setup),
      cmocka_unit_test_setup(invalid_evidence_is_decided_as_unknown, setup),
      cmocka_unit_test_setup(only_decisive_facts_make_a_plan_stale, setup),
      cmocka_unit_test_setup(another_number_of_candidates_is_one_change, setup),
      cmocka_unit_test_setup(more_changes_than_room_are_still_counted, setup),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
