/*
 * Prints what follows from recorded evidence beside the verdict: the rung of the ladder, the
 * steps of a reset, and why each other rung is not used. For tests/cases/run.
 *
 *   plan evidence FILE...   one block per file, each ended by a line "end"
 *   plan policy FILE...     the narrow policy that each policy file gives, in one line each
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent/base/files.h"
#include "agent/records/verdict.h"
#include "agent/run/gates.h"
#include "policies/policy.h"

static void print_plan(const struct rcv_plan *plan, const struct rcv_evidence *e) {
  printf("rung %s\n", rcv_enum_name(&rcv_rung_enum, (int)plan->rung));
  if (plan->also_start_compute == 1) {
    printf("also start_compute\n");
  }
  if (plan->steps > 0) {
    printf("target %s\nsteps", rcv_enum_name(&rcv_vm_enum, (int)plan->target));
    for (int64_t i = 0; i < plan->steps && i < RCV_MAX_STEPS; i++) {
      printf(" %s", rcv_enum_name(&rcv_step_kind_enum, (int)plan->step[i]));
    }
    printf("\n");
  }
  for (int i = 0; i < RCV_RUNG_COUNT; i++) {
    const char *why = rcv_plan_why_not(plan, e, (enum rcv_rung)i);
    if (*why != '\0') {
      printf("not %s: %s\n", rcv_enum_name(&rcv_rung_enum, i), why);
    }
  }
}

static int plan_of(const char *path, struct uw_err *err) {
  struct uw_guard guard[UW_MAX_GUARDS];
  size_t guards = 0;
  struct uw_record *r = uw_record_read(path, err);
  struct uw_judgement *j = uw_judgement_new();
  int result = -1;
  if (r != NULL && j != NULL && gates_replay(r->gates, path, guard, &guards, err) == 0) {
    uw_judge(r, guard, guards, j);
    print_plan(&j->plan, &r->evidence);
    result = 0;
  }
  uw_judgement_free(j);
  uw_record_free(r);
  return result;
}

static int policy_of(const char *path, struct uw_err *err) {
  static struct pol_policy policy;
  struct pol_error error;
  struct rcv_policy p;
  struct uw_buf bytes = {0};
  int result = uw_file_read(path, POL_YAML_FILE_BYTES, &bytes, err);
  if (result == 0 && pol_load(uw_buf_text(&bytes), bytes.len, path, &policy, &error) != 0) {
    result = uw_err_set(err, UW_EXIT_USAGE, "%s", error.text);
  }
  uw_buf_free(&bytes);
  if (result != 0) {
    return -1;
  }
  pol_to_decision(&policy, &p);
  const int64_t value[] = {p.valid,
                           p.observe_rounds,
                           p.observe_window_ms,
                           p.monitor_check,
                           p.require_metadata,
                           p.age_terminal_s,
                           p.age_terminal_error_up_s,
                           p.age_nonterminal_s,
                           p.age_nonterminal_down_s,
                           p.age_missing_record_s,
                           p.attest_accepted,
                           p.attest_required,
                           p.allow_reset};
  for (size_t i = 0; i < sizeof value / sizeof *value; i++) {
    printf("%s%" PRId64, i > 0 ? " " : "", value[i]);
  }
  printf("\n");
  return 0;
}

int main(int argc, char **argv) {
  int status = 0;
  int policy = argc > 1 && strcmp(argv[1], "policy") == 0;
  for (int i = 2; i < argc; i++) {
    struct uw_err err;
    uw_err_clear(&err);
    int bad = policy ? policy_of(argv[i], &err) : plan_of(argv[i], &err);
    if (bad != 0) {
      printf("error %s\n", err.text);
      status = 1;
    }
    if (!policy) {
      printf("end\n");
    }
  }
  return status;
}
