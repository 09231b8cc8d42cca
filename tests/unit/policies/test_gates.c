/* Every gate on both sides of its bound, with unknown facts, and their order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policies/gates.h"
#include "recovery/codes.def"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define UUID "0f0e0d0c-0b0a-4908-8706-050403020100"
#define NOW ((int64_t)1795412345)

static struct pol_policy policy;
static struct pol_gate_result result[POL_GATE_COUNT];

static void load(const char *text) {
  struct pol_error error = {""};
  if (pol_load(text, strlen(text), "p.yaml", &policy, &error) != 0) {
    print_error("%s\n", error.text);
    fail();
  }
}

/* Facts with which everything passes under the defaults: Monday 2026-11-23 12:30. */
static struct pol_gate_facts good_facts(void) {
  struct pol_gate_facts f;
  pol_gate_facts_init(&f);
  f.now_s = NOW;
  f.local_year = 2026;
  f.local_month = 11;
  f.local_day = 23;
  f.local_weekday = 1;
  f.local_hour = 12;
  f.local_minute = 30;
  f.local_offset_s = 0;
  f.kill_switch = 0;
  f.wedged = 1;
  f.storm_seen_s = 0;
  f.resets_hour = 0;
  f.resets_day = 0;
  f.resets_host_hour = 0;
  f.last_reset_s = 0;
  f.open_intent = 0;
  f.attest_made = 0;
  f.attest_applicable = 0;
  f.approvals = 0;
  f.approvals_self = 0;
  (void)snprintf(f.instance, sizeof f.instance, "%s", UUID);
  (void)snprintf(f.project, sizeof f.project, "proj1");
  (void)snprintf(f.host, sizeof f.host, "cmp-a");
  (void)snprintf(f.source, sizeof f.source, "cmp-a");
  (void)snprintf(f.dest, sizeof f.dest, "cmp-b");
  return f;
}

/* Exactly that gate fails (POL_GATE_COUNT: none) and its line contains the text. */
static void expect(const struct pol_gate_facts *f, enum pol_gate gate, const char *contains) {
  int64_t failed = pol_gates(&policy, f, result);
  for (int i = 0; i < (int)POL_GATE_COUNT; i++) {
    if (result[i].pass != (i == (int)gate ? 0 : 1) || result[i].text[0] == '\0') {
      print_error("gate %d: %lld %s\n", i, (long long)result[i].pass, result[i].text);
      fail();
    }
  }
  assert_int_equal(failed, gate == POL_GATE_COUNT ? 0 : 1);
  if (gate != POL_GATE_COUNT && strstr(result[gate].text, contains) == NULL) {
    print_error("got: %s\nwanted: %s\n", result[gate].text, contains);
    fail();
  }
}

static void test_codes_and_order(void **state) {
  (void)state;
  struct pol_gate_facts f = good_facts();
  pol_default(&policy);
  expect(&f, POL_GATE_COUNT, "");
  int64_t last = 501;
  int seen[10] = {0};
  for (int i = 0; i < (int)POL_GATE_COUNT; i++) {
    assert_true(result[i].code >= last && result[i].code <= 509);
    last = result[i].code;
    seen[last - 501] = 1;
    assert_true(result[i].param != POL_PARAM_NONE || result[i].code == 507);
  }
  for (int i = 0; i < 9; i++) {
    assert_int_equal(seen[i], 1);
  }
}

/* The numbers of the gates are those of the code table. */
static void test_code_names(void **state) {
  (void)state;
#define NAME_OF(number, name, verdict, line) {number, #name},
  static const struct {
    int64_t number;
    const char *name;
  } codes[] = {RCV_CODES(NAME_OF)};
  static const struct {
    enum pol_gate gate;
    const char *name;
  } cases[] = {
      {POL_GATE_KILL_SWITCH, "KILL_SWITCH"},
      {POL_GATE_FREEZE, "FREEZE"},
      {POL_GATE_STORM, "STORM"},
      {POL_GATE_STORM_COOLDOWN, "STORM"},
      {POL_GATE_LIMIT_HOUR, "RATE_LIMIT"},
      {POL_GATE_LIMIT_DAY, "RATE_LIMIT"},
      {POL_GATE_LIMIT_HOST_HOUR, "RATE_LIMIT"},
      {POL_GATE_COOLDOWN, "COOLDOWN"},
      {POL_GATE_DENY_INSTANCES, "DENIED_SCOPE"},
      {POL_GATE_DENY_PROJECTS, "DENIED_SCOPE"},
      {POL_GATE_DENY_HOSTS, "DENIED_SCOPE"},
      {POL_GATE_ONLY_INSTANCES, "DENIED_SCOPE"},
      {POL_GATE_ONLY_PROJECTS, "DENIED_SCOPE"},
      {POL_GATE_ONLY_HOSTS, "DENIED_SCOPE"},
      {POL_GATE_OPEN_INTENT, "OPEN_INTENT"},
      {POL_GATE_ATTEST_ACCEPTED, "ATTESTATION_REQUIRED"},
      {POL_GATE_ATTEST_REQUIRED, "ATTESTATION_REQUIRED"},
      {POL_GATE_NEVER_WRITES, "NEVER_WRITES"},
  };
  struct pol_gate_facts f = good_facts();
  assert_int_equal(COUNT(cases), POL_GATE_COUNT);
  pol_default(&policy);
  assert_int_equal(pol_gates(&policy, &f, result), 0);
  for (size_t i = 0; i < COUNT(cases); i++) {
    int found = 0;
    for (size_t c = 0; c < COUNT(codes); c++) {
      found += codes[c].number == result[cases[i].gate].code &&
               strcmp(codes[c].name, cases[i].name) == 0;
    }
    assert_int_equal(found, 1);
  }
}

/* A policy that restricts everything, and facts of which nothing is known: all gates fail. */
static void test_unknown_facts(void **state) {
  (void)state;
  struct pol_gate_facts f;
  pol_gate_facts_init(&f);
  load("apply: {allow: false}\nfreeze: [Sat]\n"
       "deny: {instances: [" UUID "], projects: [p], hosts: [h]}\n"
       "only: {instances: [" UUID "], projects: [p], hosts: [h]}\n");
  assert_int_equal(pol_gates(&policy, &f, result), POL_GATE_COUNT);
  /* The defaults alone: only gates that need no fact pass. */
  pol_default(&policy);
  assert_int_equal(pol_gates(&policy, &f, result), 10);
  assert_int_equal(result[POL_GATE_FREEZE].pass, 1);
  assert_int_equal(result[POL_GATE_NEVER_WRITES].pass, 1);
}

static void test_invalid_policy(void **state) {
  (void)state;
  struct pol_gate_facts f = good_facts();
  struct pol_gate_result r;
  memset(&policy, 0, sizeof policy);
  assert_int_equal(pol_gates(&policy, &f, result), POL_GATE_COUNT);
  assert_non_null(strstr(result[0].text, "no valid policy"));
  assert_int_equal(pol_gate_kill_switch(&policy, &f, &r), 0);
  assert_int_equal(pol_approved(&policy, &f, &r), 0);
}

static void test_kill_switch(void **state) {
  (void)state;
  struct pol_gate_facts f = good_facts();
  struct pol_gate_result r;
  pol_default(&policy);
  assert_int_equal(pol_gate_kill_switch(&policy, &f, &r), 1);
  f.kill_switch = 1;
  (void)snprintf(f.kill_switch_path, sizeof f.kill_switch_path, "/run/stop\x1b[2J");
  expect(&f, POL_GATE_KILL_SWITCH, "kill switch is on: /run/stop?[2J exists");
  assert_int_equal(pol_gate_kill_switch(&policy, &f, &r), 0);
  assert_int_equal(r.code, 501);
  f.kill_switch = -1;
  expect(&f, POL_GATE_KILL_SWITCH, "could not be looked for");
  f.kill_switch = 2;
  expect(&f, POL_GATE_KILL_SWITCH, "could not be looked for");
}

static void test_freeze(void **state) {
  (void)state;
  static const struct {
    int64_t year, month, day, weekday, hour, minute;
    int frozen;
  } cases[] = {
      {2026, 11, 27, 5, 17, 59, 0}, /* Friday */
      {2026, 11, 27, 5, 18, 0, 1},
      {2026, 11, 29, 7, 23, 59, 1},
      {2026, 11, 30, 1, 5, 59, 1},
      {2026, 11, 30, 1, 6, 0, 0},
      {2026, 12, 24, 4, 0, 0, 1},
      {2026, 12, 24, 4, 23, 59, 1},
      {2026, 12, 23, 3, 23, 59, 0},
      /* Not a time: frozen, since it is not known. */
      {2026, 11, 31, 1, 12, 0, 1},
      {2026, 11, 30, 0, 12, 0, 1},
      {2026, 11, 30, 8, 12, 0, 1},
      {2026, 11, 30, 1, 24, 0, 1},
      {2026, 11, 30, 1, 12, 60, 1},
      {-1, -1, -1, -1, -1, -1, 1},
  };
  struct pol_gate_facts f = good_facts();
  load("freeze:\n- \"Fri 18:00-Mon 06:00\"\n- 2026-12-24\n");
  for (size_t i = 0; i < COUNT(cases); i++) {
    f.local_year = cases[i].year;
    f.local_month = cases[i].month;
    f.local_day = cases[i].day;
    f.local_weekday = cases[i].weekday;
    f.local_hour = cases[i].hour;
    f.local_minute = cases[i].minute;
    expect(&f, cases[i].frozen ? POL_GATE_FREEZE : POL_GATE_COUNT, "");
  }
  f = good_facts();
  f.local_weekday = 6;
  f.local_day = 28;
  expect(&f, POL_GATE_FREEZE,
         "freeze window \"Fri 18:00-Mon 06:00\" (p.yaml:2) is in force; local time is Sat "
         "2026-11-28 12:30");
}

static void test_storm(void **state) {
  (void)state;
  struct pol_gate_facts f = good_facts();
  load("storm: {max_migrating_wedged: 3, cooldown_s: 100}\n");
  f.wedged = 3;
  expect(&f, POL_GATE_COUNT, "");
  f.wedged = 4;
  expect(&f, POL_GATE_STORM, "4 instances are wedged at once, more than 3");
  f.wedged = -1;
  expect(&f, POL_GATE_STORM, "could not be counted");
  f.wedged = 0;
  f.storm_seen_s = NOW - 99;
  expect(&f, POL_GATE_STORM_COOLDOWN, "99 s ago, less than 100 s; possible again in 1 s");
  f.storm_seen_s = NOW - 100;
  expect(&f, POL_GATE_COUNT, "");
  f.storm_seen_s = NOW + 5;
  expect(&f, POL_GATE_STORM_COOLDOWN, "5 s in the future");
  f.storm_seen_s = -1;
  expect(&f, POL_GATE_STORM_COOLDOWN, "not known");
}

static void test_limits(void **state) {
  (void)state;
  struct pol_gate_facts f = good_facts();
  load("limit: {per_hour: 2, per_day: 5, per_host_hour: 1}\n");
  f.resets_hour = 1;
  f.resets_day = 4;
  expect(&f, POL_GATE_COUNT, "");
  assert_string_equal(result[POL_GATE_LIMIT_HOUR].text, "1 of 2 resets made in the last 1 hour");
  f.resets_hour = 2;
  expect(&f, POL_GATE_LIMIT_HOUR, "2 of 2 resets made");
  f.resets_hour = -1;
  expect(&f, POL_GATE_LIMIT_HOUR, "could not be counted");
  f.resets_hour = 0;
  f.resets_day = 6;
  expect(&f, POL_GATE_LIMIT_DAY, "6 of 5 resets made in the last 24 hours");
  f.resets_day = 0;
  f.resets_host_hour = 1;
  expect(&f, POL_GATE_LIMIT_HOST_HOUR, "1 of 1 resets on this host made");
}

static void test_cooldown(void **state) {
  (void)state;
  struct pol_gate_facts f = good_facts();
  load("cooldown: {instance_s: 300}\n");
  f.last_reset_s = NOW - 300;
  expect(&f, POL_GATE_COUNT, "");
  f.last_reset_s = NOW - 1;
  expect(&f, POL_GATE_COOLDOWN, "1 s ago, less than 300 s; possible again in 299 s");
  f.last_reset_s = NOW;
  expect(&f, POL_GATE_COOLDOWN, "possible again in 300 s");
  f.last_reset_s = NOW + 1;
  expect(&f, POL_GATE_COOLDOWN, "check the clock");
  f.last_reset_s = -1;
  expect(&f, POL_GATE_COOLDOWN, "not known");
  f.last_reset_s = NOW - 1000;
  f.now_s = -1;
  expect(&f, POL_GATE_COOLDOWN, "not known");
}

static void test_deny(void **state) {
  (void)state;
  struct pol_gate_facts f = good_facts();
  load("deny:\n  instances: [" UUID "]\n");
  expect(&f, POL_GATE_DENY_INSTANCES, "is denied by entry '" UUID "' (p.yaml:2)");
  f.instance[0] = '\0';
  expect(&f, POL_GATE_DENY_INSTANCES, "is not known");
  f = good_facts();
  load("deny: {projects: [proj, proj2], instances: [00000000-0000-0000-0000-000000000000]}\n");
  expect(&f, POL_GATE_COUNT, "");
  load("deny: {projects: [proj2, proj1]}\n");
  expect(&f, POL_GATE_DENY_PROJECTS, "project proj1 is denied");
  load("deny: {hosts: [cmp]}\n");
  expect(&f, POL_GATE_COUNT, "");
  load("deny: {hosts: [\"cmp-b*\"]}\n");
  expect(&f, POL_GATE_DENY_HOSTS, "host cmp-b is denied by entry 'cmp-b*'");
  f.dest[0] = '\0';
  expect(&f, POL_GATE_COUNT, "");
  (void)snprintf(f.source, sizeof f.source, "cmp-b7");
  expect(&f, POL_GATE_DENY_HOSTS, "host cmp-b7 is denied");
  load("deny: {hosts: [cmp-a]}\n");
  expect(&f, POL_GATE_DENY_HOSTS, "host cmp-a is denied");
}

static void test_only(void **state) {
  (void)state;
  struct pol_gate_facts f = good_facts();
  load("only: {instances: [" UUID "], projects: [proj1], hosts: [\"cmp-*\"]}\n");
  expect(&f, POL_GATE_COUNT, "");
  load("only: {instances: [00000000-0000-0000-0000-000000000000]}\n");
  expect(&f, POL_GATE_ONLY_INSTANCES, "is not among the 1 allowed");
  load("only: {projects: [proj2]}\n");
  expect(&f, POL_GATE_ONLY_PROJECTS, "project proj1 is not among");
  /* The record host counts, not the other end. */
  load("only: {hosts: [cmp-b]}\n");
  expect(&f, POL_GATE_ONLY_HOSTS, "host cmp-a is not among");
  f.host[0] = '\0';
  load("only: {hosts: [\"*\"]}\n");
  expect(&f, POL_GATE_ONLY_HOSTS, "(not known)");
  (void)snprintf(f.host, sizeof f.host, "a\n\xC3\xA4");
  expect(&f, POL_GATE_COUNT, "");
  assert_non_null(strstr(result[POL_GATE_ONLY_HOSTS].text, "host a??? is among"));
}

static void test_open_intent(void **state) {
  (void)state;
  struct pol_gate_facts f = good_facts();
  pol_default(&policy);
  f.open_intent = 1;
  (void)snprintf(f.open_intent_run, sizeof f.open_intent_run, "run-1");
  expect(&f, POL_GATE_OPEN_INTENT, "run run-1 may have acted");
  f.open_intent = -1;
  expect(&f, POL_GATE_OPEN_INTENT, "could not be asked");
}

static void test_attest(void **state) {
  (void)state;
  struct pol_gate_facts f = good_facts();
  load("attest: {accepted: [compute-stopped, host-gone], required: [compute-stopped]}\n");
  expect(&f, POL_GATE_COUNT, "");
  f.attest_applicable = RCV_ATTEST_COMPUTE_STOPPED | RCV_ATTEST_QUEUE_EMPTY;
  expect(&f, POL_GATE_ATTEST_REQUIRED, "statement required: compute-stopped");
  f.attest_made = RCV_ATTEST_COMPUTE_STOPPED;
  expect(&f, POL_GATE_COUNT, "");
  assert_string_equal(result[POL_GATE_ATTEST_ACCEPTED].text,
                      "statements made and accepted: compute-stopped");
  f.attest_made = RCV_ATTEST_COMPUTE_STOPPED | RCV_ATTEST_HOST_FENCED | RCV_ATTEST_HOST_GONE;
  expect(&f, POL_GATE_ATTEST_ACCEPTED, "statement host-fenced is not accepted");
  f.attest_made = 64 | RCV_ATTEST_COMPUTE_STOPPED;
  expect(&f, POL_GATE_ATTEST_ACCEPTED, "are not known");
  f.attest_made = 0;
  f.attest_applicable = -1;
  expect(&f, POL_GATE_ATTEST_REQUIRED, "it is not known whether");
  load("attest: {required: []}\n");
  expect(&f, POL_GATE_COUNT, "");
}

static void test_never_writes(void **state) {
  (void)state;
  struct pol_gate_facts f = good_facts();
  load("apply: {allow: false}\n");
  expect(&f, POL_GATE_NEVER_WRITES, "policy p.yaml never acts");
}

static void test_all_evaluated(void **state) {
  (void)state;
  struct pol_gate_facts f = good_facts();
  load("apply: {allow: false}\n");
  f.kill_switch = 1;
  f.wedged = 50;
  f.open_intent = 1;
  assert_int_equal(pol_gates(&policy, &f, result), 4);
  assert_int_equal(result[POL_GATE_KILL_SWITCH].pass, 0);
  assert_int_equal(result[POL_GATE_NEVER_WRITES].pass, 0);
}

static void test_approved(void **state) {
  (void)state;
  static const struct {
    const char *policy;
    int64_t approvals, self;
    int approved;
    const char *text;
  } cases[] = {
      {"approval: {required: 0}", 0, 0, 1, "no approval is required"},
      {"approval: {required: 0}", -1, -1, 1, "no approval is required"},
      {"approval: {required: 1}", 0, 0, 0, "0 of 1 approvals"},
      {"approval: {required: 1}", 1, 0, 1, "1 of 1 approvals"},
      {"approval: {required: 1}", 1, 1, 0, "0 of 1 approvals; one's own does not count"},
      {"approval: {required: 2}", 2, 1, 0, "1 of 2 approvals; one's own does not count"},
      {"approval: {required: 2}", 3, 1, 1, "2 of 2 approvals; one's own does not count"},
      {"approval: {required: 1}", -1, 0, 0, "approvals could not be counted; 1 are required"},
      {"approval: {required: 1}", 1, -1, 0, "approvals could not be counted; 1 are required"},
      {"approval: {required: 1}", 1, 2, 0, "approvals could not be counted; 1 are required"},
      {"lab_only: true\napproval: {required: 1, not_self: false}", 1, 1, 1, "1 of 1 approvals"},
  };
  struct pol_gate_facts f = good_facts();
  struct pol_gate_result r;
  for (size_t i = 0; i < COUNT(cases); i++) {
    load(cases[i].policy);
    f.approvals = cases[i].approvals;
    f.approvals_self = cases[i].self;
    assert_int_equal(pol_approved(&policy, &f, &r), cases[i].approved);
    assert_int_equal(r.pass, cases[i].approved);
    assert_string_equal(r.text, cases[i].text);
    assert_int_equal(r.code, 0);
    assert_int_equal(r.param, POL_PARAM_APPROVAL_REQUIRED);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_codes_and_order),
      cmocka_unit_test(test_code_names),
      cmocka_unit_test(test_unknown_facts),
      cmocka_unit_test(test_invalid_policy),
      cmocka_unit_test(test_kill_switch),
      cmocka_unit_test(test_freeze),
      cmocka_unit_test(test_storm),
      cmocka_unit_test(test_limits),
      cmocka_unit_test(test_cooldown),
      cmocka_unit_test(test_deny),
      cmocka_unit_test(test_only),
      cmocka_unit_test(test_open_intent),
      cmocka_unit_test(test_attest),
      cmocka_unit_test(test_never_writes),
      cmocka_unit_test(test_all_evaluated),
      cmocka_unit_test(test_approved),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
