/* Loading, defaults, ranges, origins, windows, tightening, and the files that are shipped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policies/fields.h"
#include "policies/policy.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define UUID "0f0e0d0c-0b0a-4908-8706-050403020100"
#define UUID2 "0f0e0d0c-0b0a-4908-8706-050403020101"

/* Two policies and a spare; too large for the stack of every test. */
static struct pol_policy one;
static struct pol_policy two;

static void load(const char *text, struct pol_policy *out) {
  struct pol_error error = {""};
  if (pol_load(text, strlen(text), "p.yaml", out, &error) != 0) {
    print_error("%s\n", error.text);
    fail();
  }
  assert_int_equal(out->valid, 1);
}

static void assert_zeroed(const struct pol_policy *p) {
  const unsigned char *byte = (const unsigned char *)p;
  for (size_t i = 0; i < sizeof *p; i++) {
    assert_int_equal(byte[i], 0);
  }
}

static void refuses(const char *text, const char *begin, const char *contains) {
  struct pol_error error = {""};
  pol_default(&one);
  assert_int_equal(pol_load(text, strlen(text), "p.yaml", &one, &error), -1);
  if (strncmp(error.text, begin, strlen(begin)) != 0 || strstr(error.text, contains) == NULL) {
    print_error("got: %s\nwanted: %s...%s\n", error.text, begin, contains);
    fail();
  }
  assert_null(strchr(error.text, '\n'));
  assert_zeroed(&one);
}

/* ---- Table ---- */

static void test_table(void **state) {
  (void)state;
  assert_null(pol_param_info(POL_PARAM_NONE));
  assert_null(pol_param_info(POL_PARAM_END));
  assert_null(pol_param_find("observe"));
  for (int i = 1; i < (int)POL_PARAM_END; i++) {
    const struct pol_param_info *info = pol_param_info((enum pol_param)i);
    assert_non_null(info);
    assert_int_equal(info->param, i);
    assert_ptr_equal(pol_param_find(info->name), info);
    assert_true(strlen(info->doc) > 20);
    assert_int_equal(info->doc[strlen(info->doc) - 1], '.');
    /* The loader knows one level of sections. */
    const char *dot = strchr(info->name, '.');
    assert_true(dot == NULL || strchr(dot + 1, '.') == NULL);
    assert_true(info->stricter != POL_STRICTER_NONE && info->type != POL_TYPE_NONE);
    if (info->type == POL_TYPE_INT || info->type == POL_TYPE_BOOL) {
      assert_true(info->lab_min <= info->min && info->min <= info->max);
      assert_true(info->min <= info->def && info->def <= info->max);
    }
  }
}

static void test_defaults(void **state) {
  (void)state;
  struct rcv_policy decision;
  pol_default(&one);
  assert_int_equal(one.valid, 1);
  assert_string_equal(one.name, "default");
  pol_to_decision(&one, &decision);
  assert_int_equal(decision.valid, 1);
  assert_int_equal(decision.observe_rounds, 3);
  assert_int_equal(decision.observe_window_ms, 90000);
  assert_int_equal(decision.monitor_check, 1);
  assert_int_equal(decision.require_metadata, 1);
  assert_int_equal(decision.age_terminal_s, 120);
  assert_int_equal(decision.age_terminal_error_up_s, 600);
  assert_int_equal(decision.age_nonterminal_s, 3600);
  assert_int_equal(decision.age_nonterminal_down_s, 120);
  assert_int_equal(decision.age_missing_record_s, 3600);
  assert_int_equal(decision.attest_accepted, 15);
  assert_int_equal(decision.attest_required, RCV_ATTEST_COMPUTE_STOPPED);
  assert_int_equal(decision.allow_reset, 1);
  assert_int_equal(one.scope_exclusivity, POL_EXCLUSIVITY_CANDIDATES);
  memset(&one, 0, sizeof one);
  memset(&decision, 1, sizeof decision);
  pol_to_decision(&one, &decision);
  assert_int_equal(decision.valid, 0);
  assert_int_equal(decision.allow_reset, 0);
}

static void test_load_all(void **state) {
  (void)state;
  struct rcv_policy decision;
  load(
      "apply: {allow: false, max_gap_ms: 1000, deadline_s: 30}\n"
      "observe:\n  rounds: 4\n  window_s: 120\n  monitor_check: true\n"
      "identity: {require_metadata: false}\n"
      "probe: {deadline_s: 10, parallel: 4}\n"
      "age: {terminal_s: 60, terminal_error_up_s: 700, nonterminal_s: 4000,\n"
      "      nonterminal_down_s: 61, missing_record_s: 3601}\n"
      "attest: {accepted: [queue-empty, host-fenced], required: [queue-empty]}\n"
      "scope: {exclusivity: all}\n"
      "plan: {expires_s: 60}\n"
      "approval: {required: 2, expires_s: 61, not_self: true}\n"
      "storm: {max_migrating_wedged: 1, cooldown_s: 60}\n"
      "limit: {per_hour: 1, per_day: 2, per_host_hour: 3}\n"
      "cooldown: {instance_s: 300}\n"
      "freeze: [\"22:00-06:00\", Sat-Sun]\n"
      "deny: {instances: [0F0E0D0C-0B0A-4908-8706-050403020100], projects: [abc], hosts: [a, b*]}\n"
      "only: {instances: [" UUID2 "], projects: [x-1_2.z], hosts: [\"*\"]}\n"
      "kill_switch: /run/stop\n",
      &one);
  assert_int_equal(one.observe_rounds, 4);
  assert_int_equal(one.line[POL_PARAM_OBSERVE_ROUNDS], 3);
  assert_int_equal(one.line[POL_PARAM_LAB_ONLY], 0);
  assert_int_equal(one.scope_exclusivity, POL_EXCLUSIVITY_ALL);
  assert_int_equal(one.attest_accepted, RCV_ATTEST_QUEUE_EMPTY | RCV_ATTEST_HOST_FENCED);
  assert_string_equal(one.deny_instances.text[0], UUID);
  assert_int_equal(one.deny_hosts.count, 2);
  assert_int_equal(one.freeze.count, 2);
  assert_int_equal(one.freeze.window[1].line, 17);
  assert_string_equal(one.kill_switch, "/run/stop");
  pol_to_decision(&one, &decision);
  assert_int_equal(decision.allow_reset, 0);
  assert_int_equal(decision.observe_window_ms, 120000);
  assert_int_equal(decision.require_metadata, 0);
  assert_int_equal(decision.age_missing_record_s, 3601);
}

static void test_refused_files(void **state) {
  (void)state;
  static const struct {
    const char *text, *begin, *contains;
  } cases[] = {
      {"", "p.yaml:1: ", "empty"},
      {"x: 1\n", "p.yaml:1: key 'x': ", "is not known; known here: lab_only, apply, observe, "},
      {"apply:\n  alow: true\n",
       "p.yaml:2: key 'apply.alow': ", "known here: allow, max_gap_ms, deadline_s"},
      {"observe.rounds: 3\n", "p.yaml:1: key 'observe.rounds': ", "observe: {rounds: ...}"},
      {"limit:\n  per.hour: 3\n", "p.yaml:2: key 'limit.per.hour': ", "not known"},
      {"app: {ly.allow: true}\n", "p.yaml:1: key 'app': ", "not known"},
      {"observe: {rounds: 3}\nobserve: {rounds: 4}\n", "p.yaml:2: key 'observe': ", "given twice"},
      {"observe: {rounds: 3, rounds: 3}\n", "p.yaml:1: key 'observe.rounds': ", "given twice"},
      {"observe:\n", "p.yaml:1: key 'observe': ", "is nothing"},
      {"observe: {}\n", "p.yaml:1: key 'observe': ", "is empty"},
      {"observe: 3\n", "p.yaml:1: key 'observe': ", "a single value"},
      {"observe: [rounds]\n", "p.yaml:1: key 'observe': ", "a list"},
      {"observe: {rounds: }\n", "p.yaml:1: key 'observe.rounds': ", "is nothing"},
      {"observe: {rounds: {a: 1}}\n", "p.yaml:1: key 'observe.rounds': ", "a map"},
      {"observe: {rounds: 1}\n", "p.yaml:1: key 'observe.rounds': ", "out of range"},
      {"observe: {rounds: 21}\n", "p.yaml:1: key 'observe.rounds': ", "from 2 to 20 rounds"},
      {"observe: {rounds: three}\n", "p.yaml:1: key 'observe.rounds': ", "not a whole number"},
      {"observe: {window_s: 90s}\n", "p.yaml:1: key 'observe.window_s': ", "not a whole number"},
      {"observe: {window_s: 74}\n", "p.yaml:1: key 'observe.window_s': ", "below 75 s"},
      {"observe: {window_s: 0}\n", "p.yaml:1: key 'observe.window_s': ", "out of range"},
      {"observe: {monitor_check: false}\n",
       "p.yaml:1: key 'observe.monitor_check': ", "must be true"},
      {"observe: {monitor_check: yes}\n", "p.yaml:1: key 'observe.monitor_check': ", "neither"},
      {"approval: {not_self: false}\n", "p.yaml:1: key 'approval.not_self': ", "must be true"},
      {"age: {nonterminal_s: 60}\n", "p.yaml:1: key 'age.nonterminal_s': ", "below 3600 s"},
      {"age: {missing_record_s: 3599}\n", "p.yaml:1: key 'age.missing_record_s': ", "lab_only"},
      {"age:\n  terminal_s: 59\nlab_only: false\n", "p.yaml:2: key 'age.terminal_s': ", "60 s"},
      {"age: {terminal_s: 0}\nlab_only: true\n", "p.yaml:1: key 'age.terminal_s': ", "out of"},
      {"lab_only: maybe\n", "p.yaml:1: key 'lab_only': ", "neither"},
      {"attest: {accepted: [sure]}\n", "p.yaml:1: key 'attest.accepted[1]': ", "compute-stopped"},
      {"attest: {accepted: compute-stopped}\n", "p.yaml:1: key 'attest.accepted': ", "a list"},
      {"attest: {accepted: [queue-empty, queue-empty]}\n",
       "p.yaml:1: key 'attest.accepted[2]': ", "twice"},
      {"attest: {accepted: [a,b,c,d,e,f]}\n", "p.yaml:1: key 'attest.accepted': ", "at most 5"},
      {"attest: {required: [host-gone]}\n",
       "p.yaml:1: key 'attest.required[1]': ", "write one of compute-stopped, queue-empty"},
      {"attest:\n  accepted: []\n",
       "p.yaml:2: key 'attest.accepted': ", "compute-stopped is required but not accepted"},
      {"attest:\n  accepted: [queue-empty]\n  required: [compute-stopped]\n",
       "p.yaml:3: key 'attest.required': ", "required but not accepted"},
      {"scope: {exclusivity: some}\n", "p.yaml:1: key 'scope.exclusivity': ", "candidates or all"},
      {"kill_switch: stop\n", "p.yaml:1: key 'kill_switch': ", "absolute"},
      {"kill_switch: ''\n", "p.yaml:1: key 'kill_switch': ", "empty"},
      {"deny: {instances: [i-1]}\n", "p.yaml:1: key 'deny.instances[1]': ", "not a UUID"},
      {"deny: {instances: [\"0f0e0d0c-0b0a-4908-8706-05040302010g\"]}\n",
       "p.yaml:1: key 'deny.instances[1]': ", "not a UUID"},
      {"deny: {instances: [" UUID ", 0F0E0D0C-0B0A-4908-8706-050403020100]}\n",
       "p.yaml:1: key 'deny.instances[2]': ", "twice"},
      {"deny: {projects: [a b]}\n", "p.yaml:1: key 'deny.projects[1]': ", "not a project id"},
      {"deny: {projects: [\"a*\"]}\n", "p.yaml:1: key 'deny.projects[1]': ", "not a project id"},
      {"deny: {hosts: [\"a*b\"]}\n", "p.yaml:1: key 'deny.hosts[1]': ", "not a host"},
      {"deny: {hosts: [\"\"]}\n", "p.yaml:1: key 'deny.hosts[1]': ", "is empty"},
      {"deny: {hosts: [{a: 1}]}\n", "p.yaml:1: key 'deny.hosts[1]': ", "a map"},
      {"only: {hosts: []}\n", "p.yaml:1: key 'only.hosts': ", "would allow nothing"},
      {"freeze: \"22:00-06:00\"\n", "p.yaml:1: key 'freeze': ", "a list"},
      {"freeze:\n- \"22:00-06:00\"\n- whenever\n",
       "p.yaml:3: key 'freeze[2]': ", "'whenever' is not a freeze window"},
      {"probe: {parallel: 0}\n", "p.yaml:1: key 'probe.parallel': ", "from 1 to 64 hosts"},
      {"approval: {required: -1}\n", "p.yaml:1: key 'approval.required': ", "out of range"},
      {"cooldown: {instance_s: 299}\n", "p.yaml:1: key 'cooldown.instance_s': ", "300"},
      {"cooldown: {instance_s: &a 3600}\n", "p.yaml:1: ", "anchor"},
      {"cooldown:\n\tinstance_s: 3600\n", "p.yaml:2: ", "tab"},
      {"a: *b\n", "p.yaml:1: ", "alias"},
      {"a: \xFF\n", "p.yaml:1: ", "UTF-8"},
      {"apply: {allow: true}\n---\napply: {allow: false}\n", "p.yaml:2: ", "second document"},
      {"observe: {rounds: [[[[[[[[2]]]]]]]]}\n", "p.yaml:1: ", "nested"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    refuses(cases[i].text, cases[i].begin, cases[i].contains);
  }
}

static void test_list_bound(void **state) {
  (void)state;
  char text[8192] = "deny: {hosts: [";
  size_t used = strlen(text);
  for (int i = 0; i <= POL_LIST_MAX; i++) {
    used += (size_t)snprintf(text + used, sizeof text - used, "h%d,", i);
  }
  (void)snprintf(text + used, sizeof text - used, "]}\n");
  refuses(text, "p.yaml:1: key 'deny.hosts': ", "at most 64");
  char *last = strstr(text, "h64,");
  assert_non_null(last);
  (void)snprintf(last, 8, "]}\n");
  load(text, &one);
  assert_int_equal(one.deny_hosts.count, POL_LIST_MAX);
}

/* Every number may go to both ends of its range, and not one further. */
static void test_every_range(void **state) {
  (void)state;
  struct pol_error error = {""};
  for (int i = 1; i < (int)POL_PARAM_END; i++) {
    const struct pol_param_info *info = pol_param_info((enum pol_param)i);
    char section[64];
    char text[256];
    if (info->type != POL_TYPE_INT) {
      continue;
    }
    const char *dot = strchr(info->name, '.');
    assert_non_null(dot);
    (void)snprintf(section, sizeof section, "%.*s", (int)(dot - info->name), info->name);
    for (int lab = 0; lab <= 1; lab++) {
      int64_t min = lab ? info->lab_min : info->min;
      const int64_t tries[4] = {min, info->max, min - 1, info->max + 1};
      for (int t = 0; t < 4; t++) {
        (void)snprintf(text, sizeof text, "lab_only: %s\n%s: {%s: %lld}\n", lab ? "true" : "false",
                       section, dot + 1, (long long)tries[t]);
        int result = pol_load(text, strlen(text), "p.yaml", &one, &error);
        if (result != (t < 2 ? 0 : -1)) {
          print_error("%s -> %d %s\n", text, result, error.text);
          fail();
        }
        if (t < 2) {
          assert_int_equal(pol_number(&one, info), tries[t]);
        }
      }
    }
  }
}

/* No byte may be lost without a word: every beginning of a file loads whole or not at all. */
static void test_truncation(void **state) {
  (void)state;
  static const char text[] = "apply: {allow: false}\nobserve:\n  rounds: 3\n  window_s: 120\n"
                             "deny:\n  hosts: [\"a\", \"b\"]\nfreeze:\n- Sat-Sun\n";
  struct pol_error error = {""};
  for (size_t n = 0; n < sizeof text; n++) {
    if (pol_load(text, n, "p.yaml", &one, &error) == 0) {
      assert_int_equal(one.valid, 1);
      assert_int_equal(one.apply_allow, 0);
    } else {
      assert_zeroed(&one);
    }
  }
}

static void test_long_name(void **state) {
  (void)state;
  char name[400];
  memset(name, 'd', sizeof name);
  memcpy(name + sizeof name - 8, "/p.yaml", 8);
  struct pol_error error = {""};
  struct pol_item item;
  assert_int_equal(pol_load("observe: {rounds: 2}\n", 21, name, &one, &error), 0);
  assert_memory_equal(one.name, "...", 3);
  assert_int_equal(strlen(one.name), POL_NAME_BYTES - 1);
  assert_int_equal(pol_item(&one, POL_PARAM_OBSERVE_ROUNDS, &item), 0);
  assert_string_equal(item.origin + strlen(item.origin) - 9, "/p.yaml:1");
}

/* ---- Windows ---- */

static void test_days(void **state) {
  (void)state;
  assert_int_equal(pol_days(1970, 1, 1), 0);
  assert_int_equal(pol_days(2000, 2, 29), 11016);
  assert_int_equal(pol_days(2000, 3, 1), 11017);
  assert_int_equal(pol_days(2026, 11, 23), 20780);
  assert_int_equal(pol_days(9999, 12, 31), 2932896);
  assert_int_equal(pol_days(2026, 2, 29), -1);
  assert_int_equal(pol_days(2100, 2, 29), -1);
  assert_int_equal(pol_days(2026, 13, 1), -1);
  assert_int_equal(pol_days(2026, 0, 1), -1);
  assert_int_equal(pol_days(2026, 4, 31), -1);
  assert_int_equal(pol_days(2026, 4, 0), -1);
  assert_int_equal(pol_days(1969, 12, 31), -1);
  assert_int_equal(pol_days(10000, 1, 1), -1);
  assert_int_equal(pol_days(-1, -1, -1), -1);
}

static void test_window_forms(void **state) {
  (void)state;
  static const char *const bad[] = {
      "",
      " ",
      "22:00",
      "22:00-",
      "-06:00",
      "22:00-06:00 ",
      " 22:00-06:00",
      "2200-0600",
      "9:00-17:00",
      "24:01-06:00",
      "25:00-06:00",
      "22:60-06:00",
      "22:00-22:00",
      "00:00-00:00",
      "Fri",
      "fri 18:00-mon 06:00",
      "Friday-Sunday",
      "Fri 18:00-06:00",
      "Fri 18:00-Mon",
      "Fri-Mon 06:00",
      "Fri 18:00",
      "Fri 18:00-Fri 18:00",
      "Tue-Mon",
      "Fri  18:00-Mon 06:00",
      "Fri 18:00-2026-01-01 06:00",
      "2026-12-24 10:00",
      "2026-13-24",
      "2026-02-29",
      "2026-12-26-2026-12-24",
      "2026-12-24 10:00-2026-12-24 10:00",
      "2026-12-24 10:00-2026-12-24 09:59",
      "2026-12-24 10:00-2026-12-25",
      "26-12-24",
      "2026-12-24T10:00-2026-12-25T10:00",
      "Fri 18:00--Mon 06:00",
      "Fri 18:00-Mon 06:00, Sat",
  };
  struct pol_window window;
  struct pol_error error = {""};
  for (size_t i = 0; i < COUNT(bad); i++) {
    /* A single day is a whole day; everything else of the list is refused. */
    int expected = strcmp(bad[i], "Fri") == 0 ? 0 : -1;
    if (pol_window_parse(bad[i], &window, &error) != expected) {
      print_error("accepted or refused wrongly: '%s'\n", bad[i]);
      fail();
    }
  }
}

/* Monday 2026-11-23 is weekday 1. */
static int holds(const char *text, int64_t day, int64_t minute) {
  struct pol_window window;
  struct pol_error error = {""};
  assert_int_equal(pol_window_parse(text, &window, &error), 0);
  int64_t days = pol_days(2026, 11, 23) + day;
  return pol_window_holds(&window, days, day % 7 + 1, minute);
}

static void test_windows(void **state) {
  (void)state;
  enum { MON, TUE, WED, THU, FRI, SAT, SUN, NEXT_MON };
  static const struct {
    const char *text;
    int day, hour, minute, holds;
  } cases[] = {
      {"22:00-06:00", MON, 21, 59, 0},
      {"22:00-06:00", MON, 22, 0, 1},
      {"22:00-06:00", TUE, 0, 0, 1},
      {"22:00-06:00", TUE, 5, 59, 1},
      {"22:00-06:00", TUE, 6, 0, 0},
      {"09:00-17:00", MON, 8, 59, 0},
      {"09:00-17:00", MON, 9, 0, 1},
      {"09:00 - 17:00", MON, 17, 0, 0},
      {"18:00-24:00", SUN, 23, 59, 1},
      {"18:00-24:00", SUN, 0, 0, 0},
      {"24:00-06:00", MON, 0, 0, 1},
      {"24:00-06:00", MON, 6, 0, 0},
      {"00:00-24:00", WED, 12, 0, 1},
      {"Fri 18:00-Mon 06:00", FRI, 17, 59, 0},
      {"Fri 18:00-Mon 06:00", FRI, 18, 0, 1},
      {"Fri 18:00-Mon 06:00", SAT, 12, 0, 1},
      {"Fri 18:00-Mon 06:00", SUN, 23, 59, 1},
      {"Fri 18:00-Mon 06:00", NEXT_MON, 5, 59, 1},
      {"Fri 18:00-Mon 06:00", NEXT_MON, 6, 0, 0},
      {"Fri 18:00-Mon 06:00", WED, 12, 0, 0},
      {"Mon 06:00-Fri 18:00", MON, 5, 59, 0},
      {"Mon 06:00-Fri 18:00", WED, 0, 0, 1},
      {"Mon 06:00-Fri 18:00", SAT, 0, 0, 0},
      {"Sun 22:00-Mon 00:00", SUN, 23, 59, 1},
      {"Sun 22:00-Mon 00:00", MON, 0, 0, 0},
      {"Sun 22:00-Sun 24:00", SUN, 23, 59, 1},
      {"Sun 22:00-Sun 24:00", NEXT_MON, 0, 0, 0},
      {"Sun 24:00-Mon 06:00", MON, 0, 0, 1},
      {"Sat-Sun", FRI, 23, 59, 0},
      {"Sat-Sun", SAT, 0, 0, 1},
      {"Sat-Sun", SUN, 23, 59, 1},
      {"Sat-Sun", NEXT_MON, 0, 0, 0},
      {"Sun-Mon", SUN, 0, 0, 1},
      {"Sun-Mon", MON, 23, 59, 1},
      {"Sun-Mon", TUE, 0, 0, 0},
      {"Wed", WED, 0, 0, 1},
      {"Wed", WED, 23, 59, 1},
      {"Wed", THU, 0, 0, 0},
      {"Mon-Sun", THU, 12, 0, 1},
      {"2026-11-24", MON, 23, 59, 0},
      {"2026-11-24", TUE, 0, 0, 1},
      {"2026-11-24", TUE, 23, 59, 1},
      {"2026-11-24", WED, 0, 0, 0},
      {"2026-11-24-2026-11-25", WED, 23, 59, 1},
      {"2026-11-24 - 2026-11-25", THU, 0, 0, 0},
      {"2026-11-24 18:00-2026-11-25 06:00", TUE, 17, 59, 0},
      {"2026-11-24 18:00-2026-11-25 06:00", WED, 5, 59, 1},
      {"2026-11-24 18:00-2026-11-25 06:00", WED, 6, 0, 0},
      {"2025-12-31-2026-12-31", MON, 12, 0, 1},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    if (holds(cases[i].text, cases[i].day, cases[i].hour * 60 + cases[i].minute) !=
        cases[i].holds) {
      print_error("%s day %d %d:%d\n", cases[i].text, cases[i].day, cases[i].hour, cases[i].minute);
      fail();
    }
  }
  struct pol_window none;
  memset(&none, 0, sizeof none);
  assert_int_equal(pol_window_holds(&none, 0, 1, 0), 1);
}

/* ---- Tightening ---- */

/* 1 when a tightens b; else the laxer parameter must be the given one. */
static int tightens(const char *a, const char *b, enum pol_param expected) {
  enum pol_param laxer = POL_PARAM_END;
  load(a, &one);
  load(b, &two);
  int result = pol_tightens(&one, &two, &laxer);
  assert_int_equal(laxer, result ? POL_PARAM_NONE : expected);
  return result;
}

/* Every number: equal is tight, one step in the stricter direction is, one step back is not. */
static void test_tighten_numbers(void **state) {
  (void)state;
  for (int i = 1; i < (int)POL_PARAM_END; i++) {
    const struct pol_param_info *info = pol_param_info((enum pol_param)i);
    enum pol_param laxer = POL_PARAM_END;
    if (info->type != POL_TYPE_INT && info->type != POL_TYPE_BOOL &&
        info->type != POL_TYPE_CHOICE && info->type != POL_TYPE_MASK) {
      continue;
    }
    pol_default(&one);
    pol_default(&two);
    assert_int_equal(pol_tightens(&one, &two, &laxer), 1);
    int64_t *a = pol_member_set(&one, info);
    int64_t *b = pol_member_set(&two, info);
    *a = 3;
    *b = 1;
    int more = pol_tightens(&one, &two, &laxer);
    enum pol_param more_laxer = laxer;
    *a = 1;
    *b = 3;
    int less = pol_tightens(&one, &two, &laxer);
    switch (info->stricter) {
    case POL_STRICTER_NEUTRAL: assert_true(more && less); break;
    case POL_STRICTER_MORE:
    case POL_STRICTER_SUPERSET:
      assert_true(more && !less);
      assert_int_equal(laxer, i);
      break;
    case POL_STRICTER_LESS:
    case POL_STRICTER_SUBSET:
      assert_true(!more && less);
      assert_int_equal(more_laxer, i);
      break;
    case POL_STRICTER_NONE:
    case POL_STRICTER_COVER:
    case POL_STRICTER_WITHIN:
    case POL_STRICTER_SAME: fail();
    }
    /* Sets that overlap without one being inside the other are never tighter. */
    if (info->type == POL_TYPE_MASK) {
      *a = 2;
      *b = 1;
      assert_int_equal(pol_tightens(&one, &two, &laxer), 0);
      assert_int_equal(laxer, i);
    }
  }
}

static void test_tighten_directions(void **state) {
  (void)state;
  /* What the contract names, so that a wrong direction in the table is seen. */
  static const struct {
    const char *strict, *lax;
    enum pol_param param;
  } cases[] = {
      {"observe: {rounds: 4}", "observe: {rounds: 3}", POL_PARAM_OBSERVE_ROUNDS},
      {"observe: {window_s: 91}", "observe: {window_s: 90}", POL_PARAM_OBSERVE_WINDOW},
      {"lab_only: true\nobserve: {monitor_check: true}",
       "lab_only: true\nobserve: {monitor_check: false}", POL_PARAM_MONITOR_CHECK},
      {"identity: {require_metadata: true}", "identity: {require_metadata: false}",
       POL_PARAM_REQUIRE_METADATA},
      {"age: {terminal_s: 121}", "age: {terminal_s: 120}", POL_PARAM_AGE_TERMINAL},
      {"age: {terminal_error_up_s: 601}", "age: {terminal_error_up_s: 600}",
       POL_PARAM_AGE_ERROR_UP},
      {"age: {nonterminal_s: 3601}", "age: {nonterminal_s: 3600}", POL_PARAM_AGE_NONTERMINAL},
      {"age: {nonterminal_down_s: 121}", "age: {nonterminal_down_s: 120}",
       POL_PARAM_AGE_NONTERMINAL_DOWN},
      {"age: {missing_record_s: 3601}", "age: {missing_record_s: 3600}", POL_PARAM_AGE_MISSING},
      {"attest: {accepted: [compute-stopped]}",
       "attest: {accepted: [compute-stopped, queue-empty]}", POL_PARAM_ATTEST_ACCEPTED},
      {"attest: {required: [compute-stopped, queue-empty]}", "attest: {required: [queue-empty]}",
       POL_PARAM_ATTEST_REQUIRED},
      {"scope: {exclusivity: all}", "scope: {exclusivity: candidates}", POL_PARAM_EXCLUSIVITY},
      {"apply: {allow: false}", "apply: {allow: true}", POL_PARAM_APPLY_ALLOW},
      {"apply: {max_gap_ms: 500}", "apply: {max_gap_ms: 501}", POL_PARAM_APPLY_MAX_GAP},
      {"plan: {expires_s: 60}", "plan: {expires_s: 61}", POL_PARAM_PLAN_EXPIRES},
      {"approval: {required: 1}", "approval: {required: 0}", POL_PARAM_APPROVAL_REQUIRED},
      {"approval: {expires_s: 60}", "approval: {expires_s: 61}", POL_PARAM_APPROVAL_EXPIRES},
      {"lab_only: true\napproval: {not_self: true}", "lab_only: true\napproval: {not_self: false}",
       POL_PARAM_APPROVAL_NOT_SELF},
      {"storm: {max_migrating_wedged: 1}", "storm: {max_migrating_wedged: 2}", POL_PARAM_STORM_MAX},
      {"storm: {cooldown_s: 61}", "storm: {cooldown_s: 60}", POL_PARAM_STORM_COOLDOWN},
      {"limit: {per_hour: 1}", "limit: {per_hour: 2}", POL_PARAM_LIMIT_HOUR},
      {"limit: {per_day: 1}", "limit: {per_day: 2}", POL_PARAM_LIMIT_DAY},
      {"limit: {per_host_hour: 1}", "limit: {per_host_hour: 2}", POL_PARAM_LIMIT_HOST_HOUR},
      {"cooldown: {instance_s: 301}", "cooldown: {instance_s: 300}", POL_PARAM_COOLDOWN},
      {"freeze: [Sat]", "plan: {expires_s: 3600}", POL_PARAM_FREEZE},
      {"freeze: [Sat-Sun]", "freeze: [Sat]", POL_PARAM_FREEZE},
      {"freeze: [\"20:00-07:00\"]", "freeze: [\"22:00-06:00\"]", POL_PARAM_FREEZE},
      {"freeze: [\"Fri 18:00-Mon 06:00\"]", "freeze: [Sat-Sun]", POL_PARAM_FREEZE},
      {"freeze: [2026-12-24-2026-12-26]", "freeze: [2026-12-25]", POL_PARAM_FREEZE},
      {"freeze: [\"Sat\", \"2026-12-25\"]", "freeze: [Sat]", POL_PARAM_FREEZE},
      {"deny: {instances: [" UUID "]}", "plan: {expires_s: 3600}", POL_PARAM_DENY_INSTANCES},
      {"deny: {projects: [a, b]}", "deny: {projects: [b]}", POL_PARAM_DENY_PROJECTS},
      {"deny: {hosts: [\"a*\"]}", "deny: {hosts: [a1, a2]}", POL_PARAM_DENY_HOSTS},
      {"deny: {hosts: [\"a*\"]}", "deny: {hosts: [\"ab*\"]}", POL_PARAM_DENY_HOSTS},
      {"only: {instances: [" UUID "]}", "only: {instances: [" UUID ", " UUID2 "]}",
       POL_PARAM_ONLY_INSTANCES},
      {"only: {projects: [a]}", "plan: {expires_s: 3600}", POL_PARAM_ONLY_PROJECTS},
      {"only: {hosts: [a1]}", "only: {hosts: [\"a*\"]}", POL_PARAM_ONLY_HOSTS},
      {"only: {hosts: [a1]}", "only: {hosts: [a1, b1]}", POL_PARAM_ONLY_HOSTS},
      {"kill_switch: /run/stop", "plan: {expires_s: 3600}", POL_PARAM_KILL_SWITCH},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    if (!tightens(cases[i].strict, cases[i].lax, POL_PARAM_NONE) ||
        tightens(cases[i].lax, cases[i].strict, cases[i].param)) {
      print_error("%s / %s\n", cases[i].strict, cases[i].lax);
      fail();
    }
  }
}

static void test_tighten_other(void **state) {
  (void)state;
  enum pol_param laxer = POL_PARAM_END;
  /* Different in both directions, or another file: not tighter either way. */
  assert_int_equal(tightens("freeze: [Sat]", "freeze: [Sun]", POL_PARAM_FREEZE), 0);
  assert_int_equal(tightens("deny: {hosts: [a]}", "deny: {hosts: [b]}", POL_PARAM_DENY_HOSTS), 0);
  assert_int_equal(tightens("only: {hosts: [a]}", "only: {hosts: [b]}", POL_PARAM_ONLY_HOSTS), 0);
  assert_int_equal(tightens("kill_switch: /a", "kill_switch: /b", POL_PARAM_KILL_SWITCH), 0);
  assert_int_equal(tightens("freeze: [2026-12-25]", "freeze: [2026-12-26]", POL_PARAM_FREEZE), 0);
  /* Two windows that together cover one. */
  assert_int_equal(tightens("freeze: [Sat, Sun]", "freeze: [Sat-Sun]", POL_PARAM_NONE), 1);
  assert_int_equal(
      tightens("freeze: [\"00:00-24:00\"]", "freeze: [\"Fri 18:00-Mon 06:00\"]", POL_PARAM_NONE),
      1);
  /* Several are laxer: the first of the table is named. */
  assert_int_equal(tightens("observe: {rounds: 2}\nlimit: {per_day: 400}", "observe: {rounds: 3}",
                            POL_PARAM_OBSERVE_ROUNDS),
                   0);
  /* What cannot weaken anything may differ. */
  assert_int_equal(tightens("probe: {deadline_s: 2, parallel: 64}\napply: {deadline_s: 600}",
                            "probe: {deadline_s: 300, parallel: 1}\napply: {deadline_s: 5}",
                            POL_PARAM_NONE),
                   1);
  memset(&one, 0, sizeof one);
  assert_int_equal(pol_tightens(&one, &two, &laxer), 0);
  assert_int_equal(laxer, POL_PARAM_NONE);
  assert_int_equal(pol_tightens(&two, &one, &laxer), 0);
}

static void test_host_matches(void **state) {
  (void)state;
  assert_int_equal(pol_host_matches("a", "a"), 1);
  assert_int_equal(pol_host_matches("a", "ab"), 0);
  assert_int_equal(pol_host_matches("a*", "ab"), 1);
  assert_int_equal(pol_host_matches("a*", "a"), 1);
  assert_int_equal(pol_host_matches("a*", "b"), 0);
  assert_int_equal(pol_host_matches("*", "anything"), 1);
  assert_int_equal(pol_host_matches("", "a"), 0);
  assert_int_equal(pol_host_matches("a*", "*"), 0);
}

/* ---- Showing ---- */

struct seen {
  int count;
  char rounds[128], origin[POL_ORIGIN_BYTES];
};

static int remember(const struct pol_item *item, void *ctx) {
  struct seen *seen = ctx;
  seen->count++;
  assert_true(item->origin[0] != '\0');
  if (item->info->param == POL_PARAM_OBSERVE_ROUNDS) {
    (void)snprintf(seen->rounds, sizeof seen->rounds, "%s", item->value);
    (void)snprintf(seen->origin, sizeof seen->origin, "%s", item->origin);
  }
  return 0;
}

static int stop_at_third(const struct pol_item *item, void *ctx) {
  int *count = ctx;
  assert_non_null(item->info);
  return ++*count == 3 ? 42 : 0;
}

static void test_show(void **state) {
  (void)state;
  struct pol_item item;
  struct seen seen = {0, "", ""};
  int count = 0;
  load("observe:\n  rounds: 7\ndeny: {hosts: [a, \"b*\"]}\nkill_switch: /run/stop\n"
       "freeze: [Sat-Sun]\n",
       &one);
  assert_int_equal(pol_each(&one, remember, &seen), 0);
  assert_int_equal(seen.count, POL_PARAM_COUNT);
  assert_string_equal(seen.rounds, "7");
  assert_string_equal(seen.origin, "p.yaml:2");
  assert_int_equal(pol_each(&one, stop_at_third, &count), 42);
  assert_int_equal(count, 3);
  assert_int_equal(pol_item(&one, POL_PARAM_DENY_HOSTS, &item), 0);
  assert_string_equal(item.value, "[a, b*]");
  assert_int_equal(item.texts, 2);
  assert_string_equal(item.text[1], "b*");
  assert_int_equal(pol_item(&one, POL_PARAM_ATTEST_ACCEPTED, &item), 0);
  assert_string_equal(item.value, "[compute-stopped, compute-restarted, queue-empty, host-gone]");
  assert_string_equal(item.origin, "default");
  assert_int_equal(pol_item(&one, POL_PARAM_EXCLUSIVITY, &item), 0);
  assert_string_equal(item.value, "candidates");
  assert_int_equal(pol_item(&one, POL_PARAM_KILL_SWITCH, &item), 0);
  assert_string_equal(item.value, "/run/stop");
  assert_int_equal(pol_item(&one, POL_PARAM_FREEZE, &item), 0);
  assert_string_equal(item.value, "[Sat-Sun]");
  assert_int_equal(pol_item(&one, POL_PARAM_ONLY_HOSTS, &item), 0);
  assert_string_equal(item.value, "[]");
  assert_int_equal(pol_item(&one, POL_PARAM_OBSERVE_WINDOW, &item), 0);
  assert_string_equal(item.range, "75..3600");
  assert_int_equal(pol_item(&one, POL_PARAM_MONITOR_CHECK, &item), 0);
  assert_string_equal(item.value, "true");
  assert_string_equal(item.range, "true");
  assert_int_equal(pol_item(&one, POL_PARAM_NONE, &item), -1);
  assert_int_equal(pol_item(&one, POL_PARAM_END, &item), -1);
}

static void test_show_cut(void **state) {
  (void)state;
  struct pol_item item;
  char text[1200] = "kill_switch: /";
  memset(text + 14, 'k', 500);
  (void)snprintf(text + 514, sizeof text - 514, "\ndeny: {hosts: [%060d, %060d1, %060d2]}\n", 1, 1,
                 1);
  load(text, &one);
  assert_int_equal(pol_item(&one, POL_PARAM_KILL_SWITCH, &item), 0);
  assert_int_equal(strlen(item.value), sizeof item.value - 1);
  assert_string_equal(item.value + sizeof item.value - 4, "...");
  assert_int_equal(strlen(item.text[0]), 501);
  assert_int_equal(pol_item(&one, POL_PARAM_DENY_HOSTS, &item), 0);
  assert_int_equal(item.texts, 3);
  assert_string_equal(item.value + strlen(item.value) - 6, ", ...]");
}

static void test_warnings(void **state) {
  (void)state;
  static char out[POL_WARNINGS_MAX][POL_WARNING_BYTES];
  pol_default(&one);
  assert_int_equal(pol_warnings(&one, out), 0);
  load("lab_only: true\nattest: {accepted: [host-fenced], required: []}\n"
       "identity: {require_metadata: false}\nobserve: {monitor_check: false}\n"
       "approval: {not_self: false}\n",
       &one);
  assert_int_equal(pol_warnings(&one, out), 6);
  assert_non_null(strstr(out[0], "policy p.yaml: it is for test beds"));
}

static void test_statements(void **state) {
  (void)state;
  assert_int_equal(pol_attest_find("compute-stopped"), RCV_ATTEST_COMPUTE_STOPPED);
  assert_int_equal(pol_attest_find("host-fenced"), RCV_ATTEST_HOST_FENCED);
  assert_int_equal(pol_attest_find("nothing"), 0);
  assert_string_equal(pol_attest_name(RCV_ATTEST_QUEUE_EMPTY), "queue-empty");
  assert_null(pol_attest_name(3));
}

/* ---- The shipped files ---- */

static void load_file(const char *name, struct pol_policy *out) {
  static char bytes[POL_YAML_FILE_BYTES];
  char path[256];
  struct pol_error error = {""};
  /* Run from the root of the source tree. */
  (void)snprintf(path, sizeof path, "policies/%s.yaml", name);
  FILE *file = fopen(path, "rb");
  assert_non_null(file);
  size_t n = fread(bytes, 1, sizeof bytes, file);
  assert_int_equal(fclose(file), 0);
  if (pol_load(bytes, n, path, out, &error) != 0) {
    print_error("%s\n", error.text);
    fail();
  }
}

static void test_shipped(void **state) {
  (void)state;
  static const char *const names[] = {"observe-only", "standard", "automation", "lab"};
  enum pol_param laxer = POL_PARAM_NONE;
  struct rcv_policy decision;
  for (size_t i = 0; i < COUNT(names); i++) {
    load_file(names[i], &one);
    assert_int_equal(one.lab_only, i == 3);
    assert_int_equal(one.apply_allow, i != 0);
    assert_int_equal(one.identity_require_metadata, 1);
    assert_int_equal(one.attest_accepted & RCV_ATTEST_HOST_FENCED, 0);
    pol_to_decision(&one, &decision);
    assert_int_equal(decision.valid, 1);
    assert_int_equal(decision.allow_reset, i != 0);
    assert_int_equal(decision.attest_required, i != 3 ? RCV_ATTEST_COMPUTE_STOPPED : 0);
  }
  assert_int_equal(decision.observe_rounds, 2);
  assert_int_equal(decision.observe_window_ms, 2000);

  load_file("standard", &two);
  assert_int_equal(two.observe_rounds, 3);
  assert_int_equal(two.observe_window_s, 90);
  assert_int_equal(two.age_terminal_s, 120);
  assert_int_equal(two.approval_required, 0);
  /* Standard is the defaults, both ways. */
  pol_default(&one);
  assert_int_equal(pol_tightens(&one, &two, &laxer), 1);
  assert_int_equal(pol_tightens(&two, &one, &laxer), 1);
  load_file("automation", &one);
  assert_int_equal(one.approval_required, 1);
  assert_int_equal(one.approval_not_self, 1);
  assert_int_equal(pol_tightens(&one, &two, &laxer), 1);
  assert_int_equal(pol_tightens(&two, &one, &laxer), 0);
  load_file("observe-only", &two);
  assert_int_equal(pol_tightens(&two, &one, &laxer), 1);
  assert_int_equal(pol_tightens(&one, &two, &laxer), 0);
  assert_int_equal(laxer, POL_PARAM_APPLY_ALLOW);
  load_file("lab", &one);
  load_file("standard", &two);
  assert_int_equal(pol_tightens(&one, &two, &laxer), 0);
  assert_int_equal(laxer, POL_PARAM_OBSERVE_ROUNDS);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_table),
      cmocka_unit_test(test_defaults),
      cmocka_unit_test(test_load_all),
      cmocka_unit_test(test_refused_files),
      cmocka_unit_test(test_list_bound),
      cmocka_unit_test(test_every_range),
      cmocka_unit_test(test_truncation),
      cmocka_unit_test(test_long_name),
      cmocka_unit_test(test_days),
      cmocka_unit_test(test_window_forms),
      cmocka_unit_test(test_windows),
      cmocka_unit_test(test_tighten_numbers),
      cmocka_unit_test(test_tighten_directions),
      cmocka_unit_test(test_tighten_other),
      cmocka_unit_test(test_host_matches),
      cmocka_unit_test(test_show),
      cmocka_unit_test(test_show_cut),
      cmocka_unit_test(test_warnings),
      cmocka_unit_test(test_statements),
      cmocka_unit_test(test_shipped),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
