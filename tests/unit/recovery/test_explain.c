/* Plans and words: the ladder, the texts of every code, the repair of OWNER_MOVED. */
#include "tests/unit/recovery/sample.h"

#include <stdio.h>

#include "recovery/explain.h"
#include "recovery/plan.h"

static struct rcv_evidence e;
static struct rcv_names names;
static struct rcv_policy p;
static struct rcv_verdict v;
static struct rcv_permit permit;
static struct rcv_plan plan;
static struct rcv_explanation out;

#define SET(field, text) snprintf(field, sizeof(field), "%s", text)

static int setup(void **state) {
  (void)state;
  static const char *const hosts[] = {"cmp-a", "cmp-b"};
  sample_evidence(&e);
  sample_policy(&p);
  memset(&names, 0, sizeof names);
  SET(names.instance, "11111111-2222-4333-8444-555555555555");
  SET(names.name, "web-7");
  SET(names.instance_name, "instance-0000002a");
  SET(names.project, "0123456789abcdef0123456789abcdef");
  SET(names.status, "MIGRATING");
  SET(names.vm_state, "active");
  SET(names.task_state, "migrating");
  SET(names.migration_uuid, "99999999-2222-4333-8444-555555555555");
  SET(names.migration_status, "failed");
  for (int i = 0; i < 2; i++) {
    SET(names.host[i].host, hosts[i]);
    snprintf(names.host[i].hypervisor_hostname, sizeof names.host[i].hypervisor_hostname,
             "%s.example.org", hosts[i]);
    SET(names.host[i].libvirt_hostname, hosts[i]);
    SET(names.host[i].domain_name, "instance-0000002a");
  }
  return 0;
}

static void decide(void) {
  rcv_decide(&e, &p, NULL, &v, &permit);
  rcv_plan_make(&e, &p, &v, &plan);
  rcv_explain(&e, &names, &p, &v, &out);
}

static void guest_moved(void) {
  struct rcv_look run = e.candidate[0].last;
  e.candidate[0].first = e.candidate[0].last = e.candidate[1].last;
  e.candidate[1].first = e.candidate[1].last = run;
  e.nova_last.mig_status = e.nova_first.mig_status = RCV_MIG_COMPLETED;
}

static int says(const struct rcv_lines *lines, const char *text) {
  for (int64_t i = 0; i < lines->count && i < RCV_MAX_LINES; i++) {
    if (strstr(lines->line[i], text) != NULL) {
      return 1;
    }
  }
  print_error("no line says \"%s\"\n", text);
  return 0;
}

/* ---- the ladder ------------------------------------------------------------------------------ */

static void every_other_rung_says_why_not(void) {
  for (int r = 1; r < RCV_RUNG_COUNT; r++) {
    const char *why = rcv_plan_why_not(&plan, &e, (enum rcv_rung)r);
    assert_non_null(why);
    if ((enum rcv_rung)r == plan.rung) {
      assert_string_equal(why, "");
    } else if (!((enum rcv_rung)r == RCV_RUNG_START_COMPUTE && plan.also_start_compute)) {
      assert_string_not_equal(why, "");
    }
  }
}

static void a_reset_is_planned_in_the_order_of_the_contract(void **state) {
  (void)state;
  static const enum rcv_step_kind order[] = {RCV_STEP_OBSERVE, RCV_STEP_GATES,   RCV_STEP_APPROVAL,
                                             RCV_STEP_INTENT,  RCV_STEP_RELOOK,  RCV_STEP_RESET,
                                             RCV_STEP_VERIFY,  RCV_STEP_OUTCOME, RCV_STEP_RESIDUE};
  decide();
  assert_int_equal(v.kind, RCV_VERDICT_RESET);
  assert_int_equal(plan.rung, RCV_RUNG_RESET);
  assert_int_equal(plan.target, RCV_VM_ACTIVE);
  assert_int_equal(plan.steps, SAMPLE_COUNT(order));
  for (size_t i = 0; i < SAMPLE_COUNT(order); i++) {
    assert_int_equal(plan.step[i], order[i]);
  }
  every_other_rung_says_why_not();
}

static void whoever_is_not_reset_has_no_steps(void **state) {
  (void)state;
  guest_moved();
  decide();
  assert_int_equal(v.code, RCV_CODE_OWNER_MOVED);
  assert_int_equal(plan.rung, RCV_RUNG_ESCALATE);
  assert_int_equal(plan.steps, 0);
  assert_int_equal(plan.also_start_compute, 0); /* that would be w4b */
  every_other_rung_says_why_not();
  setup(NULL);
  e.rounds = 2;
  decide();
  assert_int_equal(v.code, RCV_CODE_OBSERVE_LONGER);
  assert_int_equal(plan.rung, RCV_RUNG_WAIT);
  assert_int_equal(plan.steps, 0);
  every_other_rung_says_why_not();
}

static void a_dead_compute_is_better_started(void **state) {
  (void)state;
  e.nova_last.mig_status = e.nova_first.mig_status = RCV_MIG_RUNNING;
  e.candidate[0].service_first = e.candidate[0].service_last = RCV_SVC_DOWN;
  e.candidate[0].attested_stopped = RCV_TRI_YES;
  decide();
  assert_int_equal(v.kind, RCV_VERDICT_RESET);
  assert_int_equal(plan.also_start_compute, 1);
  e.nova_last.mig_status = e.nova_first.mig_status = RCV_MIG_ACCEPTED;
  e.attested_queue_empty = RCV_TRI_YES;
  decide();
  assert_int_equal(v.kind, RCV_VERDICT_RESET);
  assert_int_equal(plan.also_start_compute, 0); /* never with an accepted record */
  setup(NULL);
  decide();
  assert_int_equal(plan.also_start_compute, 0); /* it is up */
}

/* Before 20.2.0 a start ends neither a job nor the record, and a maximum cannot tell which Train. */
static void a_dead_compute_is_not_started_on_train(void **state) {
  (void)state;
  e.nova_last.mig_status = e.nova_first.mig_status = RCV_MIG_RUNNING;
  e.candidate[0].service_first = e.candidate[0].service_last = RCV_SVC_DOWN;
  e.nova_last.max_minor = e.nova_first.max_minor = 79;
  decide();
  assert_int_equal(v.code, RCV_CODE_ATTESTATION_REQUIRED);
  assert_int_equal(plan.rung, RCV_RUNG_ESCALATE);
  every_other_rung_says_why_not();
  e.nova_last.max_minor = e.nova_first.max_minor = 87;
  decide();
  assert_int_equal(plan.rung, RCV_RUNG_START_COMPUTE);
  e.nova_last.max_minor = e.nova_first.max_minor = 79;
  e.candidate[0].attested_stopped = RCV_TRI_YES;
  decide();
  assert_int_equal(v.kind, RCV_VERDICT_RESET); /* the words change, never the verdict */
  assert_int_equal(plan.also_start_compute, 0);
  assert_non_null(strstr(rcv_plan_why_not(&plan, &e, RCV_RUNG_START_COMPUTE), "Train"));
}

static void a_running_job_is_waited_for_or_aborted(void **state) {
  (void)state;
  e.candidate[0].last.job = RCV_JOB_OUT;
  decide();
  assert_int_equal(v.code, RCV_CODE_STILL_MIGRATING);
  assert_true(plan.rung == RCV_RUNG_WAIT || plan.rung == RCV_RUNG_ABORT);
  assert_int_equal(plan.steps, 0);
  every_other_rung_says_why_not();
}

/* ---- the texts of the codes --------------------------------------------------------------------
 */

static void every_code_has_its_text(void **state) {
  (void)state;
  for (size_t i = 0; i < rcv_code_count; i++) {
    const struct rcv_code_info *c = &rcv_code_table[i];
    const struct rcv_code_text *t = rcv_code_text(c->code);
    assert_non_null(t);
    assert_int_equal(t->code, c->code);
    assert_true(t->meaning != NULL && t->action != NULL && t->never != NULL);
    assert_true(strlen(t->meaning) > 20);
    assert_true(strlen(t->action) > (c->verdict == RCV_VERDICT_NOTHING ? 0 : 10));
  }
  assert_null(rcv_code_text(RCV_CODE_UNSET));
  assert_null(rcv_code_text((enum rcv_code)299));
}

/* ---- OWNER_MOVED
 * ----------------------------------------------------------------------------------- */

static void owner_moved_tells_the_repair_with_real_values(void **state) {
  (void)state;
  guest_moved();
  decide();
  assert_int_equal(v.owner, 1);
  assert_non_null(strstr(out.summary, "cmp-b"));
  assert_non_null(strstr(out.guest, "cmp-b"));
  assert_true(says(&out.next, "UPDATE"));
  assert_true(says(&out.next, names.instance));
  assert_true(says(&out.next, "cmp-b"));
  assert_true(says(&out.next, "cmp-b.example.org"));
  assert_true(says(&out.next, "cmp-a"));
  assert_true(says(&out.next, "task_state"));
  assert_true(says(&out.next, "launched_on"));
  assert_true(says(&out.next, "task_state=NULL WHERE")); /* no compute_id on Zed */
  e.nova_first.max_minor = e.nova_last.max_minor = -1;
  decide();
  assert_true(says(&out.next, "compute_id"));
}

/* Contract and nova.md section 3.4, 4.3: no reset, no nova-compute on H, no evacuation. */
static void owner_moved_tells_the_three_nevers(void **state) {
  (void)state;
  guest_moved();
  decide();
  assert_true(out.never.count >= 3);
  assert_true(says(&out.never, "reset"));
  assert_true(says(&out.never, "nova-compute"));
  assert_true(says(&out.never, "vacuate"));
}

static void a_guest_seen_elsewhere_has_the_same_nevers(void **state) {
  (void)state;
  guest_moved();
  rcv_look_init(&e.candidate[0].last);
  e.candidate[0].last.reach = RCV_REACH_UNREACHABLE;
  e.candidate[0].first = e.candidate[0].last;
  decide();
  assert_int_equal(v.kind, RCV_VERDICT_UNKNOWN);
  assert_true(says(&out.never, "reset"));
  assert_true(says(&out.never, "nova-compute"));
  assert_true(says(&out.never, "vacuate"));
}

static void a_stale_copy_must_never_be_resumed(void **state) {
  (void)state;
  guest_moved();
  e.candidate[0].first = e.candidate[0].last = sample_run(90000, 90010);
  e.candidate[0].first.state = e.candidate[0].last.state = 3;
  e.candidate[0].first.reason = e.candidate[0].last.reason = 2;
  decide();
  assert_int_equal(v.code, RCV_CODE_OWNER_MOVED);
  assert_true(says(&out.never, "resume"));
}

/* ---- nothing is cut off
 * ---------------------------------------------------------------------------- */

static void fill(char *text, size_t size, char with) {
  memset(text, with, size - 1);
  text[size - 1] = '\0';
}

static void longest_names(void) {
#define FILL_TEXT(field, bytes, doc) fill(names.field, bytes, 'n');
  RCV_INSTANCE_TEXTS(FILL_TEXT)
#undef FILL_TEXT
#define FILL_TEXT(field, bytes, doc) fill(names.host[i].field, bytes, (char)('a' + i % 26));
  for (int i = 0; i < RCV_MAX_CANDIDATES; i++) {
    RCV_HOST_TEXTS(FILL_TEXT)
  }
#undef FILL_TEXT
}

static void check_lines(const struct rcv_lines *lines) {
  assert_in_range(lines->count, 0, RCV_MAX_LINES);
  for (int64_t i = 0; i < lines->count; i++) {
    assert_non_null(memchr(lines->line[i], '\0', RCV_LINE_BYTES));
    assert_true(strlen(lines->line[i]) > 0);
    for (const char *c = lines->line[i]; *c != '\0'; c++) {
      assert_true(*c != '\n' && *c != '\r');
    }
  }
}

static void whole(void) {
  assert_non_null(memchr(out.summary, '\0', RCV_LINE_BYTES));
  assert_non_null(memchr(out.guest, '\0', RCV_LINE_BYTES));
  assert_true(strlen(out.summary) > 0 && strlen(out.guest) > 0);
  for (int64_t i = 0; i < v.reasons; i++) {
    assert_true(strlen(out.reason[i]) > 0 && strlen(out.reason[i]) < RCV_LINE_BYTES);
  }
  for (int64_t i = 0; i < e.candidates; i++) {
    assert_true(strlen(out.host[i]) > 0 && strlen(out.host[i]) < RCV_LINE_BYTES);
  }
  check_lines(&out.next);
  check_lines(&out.never);
  check_lines(&out.residue);
  if (v.kind == RCV_VERDICT_REFUSE || v.kind == RCV_VERDICT_UNKNOWN || v.kind == RCV_VERDICT_WAIT) {
    assert_true(out.next.count > 0); /* nobody is sent away without a way on */
  }
}

static void nothing_is_truncated_with_ordinary_names(void **state) {
  (void)state;
  for (int moved = 0; moved < 2; moved++) {
    setup(NULL);
    if (moved) {
      guest_moved();
    }
    decide();
    whole();
    assert_int_equal(out.next.truncated + out.never.truncated + out.residue.truncated, 0);
  }
}

static void names_of_full_length_are_not_cut(void **state) {
  (void)state;
  static const int64_t releases[] = {-1, 79, 95, 100};
  for (size_t i = 0; i < SAMPLE_COUNT(releases); i++) {
    setup(NULL);
    longest_names();
    guest_moved();
    e.nova_first.max_minor = e.nova_last.max_minor = releases[i];
    decide();
    whole();
    assert_int_equal(out.next.truncated, 0);
    assert_int_equal(out.never.truncated, 0);
    assert_int_equal(out.residue.truncated, 0);
  }
  assert_true(says(&out.next, names.host[1].host));
  assert_true(says(&out.next, names.host[1].hypervisor_hostname));
  assert_true(says(&out.next, names.instance));
}

/* Every look that leads somewhere else, on both hosts, in words. */
/* After an act the other services are read: their "check" lines are not said again. */
static void what_is_read_after_an_act_is_not_said_twice(void **state) {
  (void)state;
  struct rcv_lines after;
  e.candidate[1].first = e.candidate[1].last;
  decide();
  rcv_explain_after(&e, &names, &p, &v, &after);
  assert_true(after.count > 0);
  assert_true(after.count < out.residue.count);
  assert_int_equal(after.truncated, 0);
  for (int64_t i = 0; i < after.count; i++) {
    assert_null(strstr(after.line[i], "check: "));
    assert_null(strstr(after.line[i], "Migration "));
    assert_true(says(&out.residue, after.line[i]));
  }
}

static void every_class_can_be_told(void **state) {
  (void)state;
  static const struct {
    int64_t at, reason;
    enum rcv_job job;
  } looks[] = {{1, 1, RCV_JOB_NONE},    {1, 1, RCV_JOB_OUT},  {3, 2, RCV_JOB_IN},
               {3, 2, RCV_JOB_NONE},    {3, 1, RCV_JOB_NONE}, {3, 5, RCV_JOB_NONE},
               {3, 12, RCV_JOB_OUT},    {1, 10, RCV_JOB_IN},  {3, 13, RCV_JOB_OUT},
               {6, 0, RCV_JOB_NONE},    {4, 0, RCV_JOB_NONE}, {7, 0, RCV_JOB_NONE},
               {1, 1, RCV_JOB_HUNG},    {0, 0, RCV_JOB_NONE}, {5, 0, RCV_JOB_INACTIVE},
               {5, 4, RCV_JOB_INACTIVE}};
  for (size_t a = 0; a < SAMPLE_COUNT(looks) + RCV_REACH_COUNT; a++) {
    for (size_t b = 0; b < SAMPLE_COUNT(looks) + RCV_REACH_COUNT; b++) {
      size_t pick[2] = {a, b};
      setup(NULL);
      for (int i = 0; i < 2; i++) {
        struct rcv_look l = sample_absent(90000, 90010);
        if (pick[i] >= SAMPLE_COUNT(looks)) {
          l.reach = (enum rcv_reach)(pick[i] - SAMPLE_COUNT(looks));
        } else if (looks[pick[i]].at == 5) {
          l = sample_off(looks[pick[i]].reason);
        } else {
          l = sample_run(90000, 90010);
          l.state = looks[pick[i]].at;
          l.reason = looks[pick[i]].reason;
          l.job = looks[pick[i]].job;
        }
        e.candidate[i].first = e.candidate[i].last = l;
      }
      decide();
      whole();
      assert_int_equal(out.next.truncated + out.never.truncated + out.residue.truncated, 0);
    }
  }
}

static void a_stale_fact_is_told_old_and_new(void **state) {
  (void)state;
  static struct rcv_evidence newer;
  struct rcv_change c[4];
  char line[RCV_LINE_BYTES];
  newer = e;
  newer.nova_last.task_state = RCV_TASK_NONE;
  assert_int_equal(rcv_changes(&e, &newer, c, SAMPLE_COUNT(c)), 1);
  rcv_explain_change(&c[0], &names, line);
  assert_non_null(strstr(line, "task_state"));
  assert_true(strstr(line, "migrating") < strstr(line, "none"));
  newer = e;
  newer.nova_last.record_host = 1;
  assert_int_equal(rcv_changes(&e, &newer, c, SAMPLE_COUNT(c)), 1);
  rcv_explain_change(&c[0], &names, line);
  assert_non_null(strstr(line, "cmp-a"));
  assert_true(strstr(line, "cmp-a") < strstr(line, "cmp-b"));
  newer = e;
  newer.candidate[1].last.reach = RCV_REACH_TIMEOUT;
  assert_int_equal(rcv_changes(&e, &newer, c, SAMPLE_COUNT(c)), 1);
  longest_names();
  rcv_explain_change(&c[0], &names, line);
  assert_non_null(memchr(line, '\0', RCV_LINE_BYTES));
  assert_non_null(strstr(line, names.host[1].host));
  assert_non_null(strstr(line, "timeout"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(a_reset_is_planned_in_the_order_of_the_contract, setup),
      cmocka_unit_test_setup(whoever_is_not_reset_has_no_steps, setup),
      cmocka_unit_test_setup(a_dead_compute_is_better_started, setup),
      cmocka_unit_test_setup(a_dead_compute_is_not_started_on_train, setup),
      cmocka_unit_test_setup(a_running_job_is_waited_for_or_aborted, setup),
      cmocka_unit_test_setup(every_code_has_its_text, setup),
      cmocka_unit_test_setup(owner_moved_tells_the_repair_with_real_values, setup),
      cmocka_unit_test_setup(owner_moved_tells_the_three_nevers, setup),
      cmocka_unit_test_setup(a_guest_seen_elsewhere_has_the_same_nevers, setup),
      cmocka_unit_test_setup(a_stale_copy_must_never_be_resumed, setup),
      cmocka_unit_test_setup(nothing_is_truncated_with_ordinary_names, setup),
      cmocka_unit_test_setup(names_of_full_length_are_not_cut, setup),
      cmocka_unit_test_setup(what_is_read_after_an_act_is_not_said_twice, setup),
      cmocka_unit_test_setup(every_class_can_be_told, setup),
      cmocka_unit_test_setup(a_stale_fact_is_told_old_and_new, setup),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
