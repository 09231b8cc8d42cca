/*
 * The lists of enums.h and codes.def, expanded into tables.
 */
#include "recovery/decide.h"
#include "recovery/plan.h"

#include <string.h>

#define NAME_OF(E, N, S) S,
#define TABLE(tag, LIST, E)                                                                        \
  static const char *const tag##_names[] = {LIST(NAME_OF)};                                        \
  _Static_assert(sizeof(tag##_names) / sizeof(tag##_names[0]) == RCV_##E##_COUNT, #tag);           \
  const struct rcv_enum tag##_enum = {#tag, tag##_names, RCV_##E##_COUNT};

TABLE(rcv_tri, RCV_TRI_LIST, TRI)
TABLE(rcv_reach, RCV_REACH_LIST, REACH)
TABLE(rcv_presence, RCV_PRESENCE_LIST, PRESENCE)
TABLE(rcv_job, RCV_JOB_LIST, JOB)
TABLE(rcv_control, RCV_CONTROL_LIST, CONTROL)
TABLE(rcv_owner, RCV_OWNER_LIST, OWNER)
TABLE(rcv_monitor, RCV_MONITOR_LIST, MONITOR)
TABLE(rcv_class, RCV_CLASS_LIST, CLASS)
TABLE(rcv_api, RCV_API_LIST, API)
TABLE(rcv_vm, RCV_VM_LIST, VM)
TABLE(rcv_task, RCV_TASK_LIST, TASK)
TABLE(rcv_hv, RCV_HV_LIST, HV)
TABLE(rcv_mig, RCV_MIG_LIST, MIG)
TABLE(rcv_mtype, RCV_MTYPE_LIST, MTYPE)
TABLE(rcv_evac, RCV_EVAC_LIST, EVAC)
TABLE(rcv_act, RCV_ACT_LIST, ACT)
TABLE(rcv_svc, RCV_SVC_LIST, SVC)
TABLE(rcv_verdict_kind, RCV_VERDICT_LIST, VERDICT)
TABLE(rcv_role, RCV_ROLE_LIST, ROLE)
TABLE(rcv_rung, RCV_RUNG_LIST, RUNG)
TABLE(rcv_step_kind, RCV_STEP_LIST, STEP)
TABLE(rcv_phase, RCV_PHASE_LIST, PHASE)
TABLE(rcv_event, RCV_EVENT_LIST, EVENT)
TABLE(rcv_effect, RCV_EFFECT_LIST, EFFECT)

const char *rcv_enum_name(const struct rcv_enum *e, int value) {
  if (value < 0 || value >= e->count) {
    return "?";
  }
  return e->names[value];
}

int rcv_enum_value(const struct rcv_enum *e, const char *name) {
  for (int i = 0; i < e->count; i++) {
    if (strcmp(e->names[i], name) == 0) {
      return i;
    }
  }
  return -1;
}

#define CODE_ROW(number, name, verdict, line) {RCV_CODE_##name, #name, RCV_VERDICT_##verdict, line},

const struct rcv_code_info rcv_code_table[] = {RCV_CODES(CODE_ROW)};
const size_t rcv_code_count = sizeof(rcv_code_table) / sizeof(rcv_code_table[0]);

const struct rcv_code_info *rcv_code_find(int64_t number) {
  for (size_t i = 0; i < rcv_code_count; i++) {
    if ((int64_t)rcv_code_table[i].code == number) {
      return &rcv_code_table[i];
    }
  }
  return NULL;
}

const struct rcv_code_info *rcv_code_find_name(const char *name) {
  for (size_t i = 0; i < rcv_code_count; i++) {
    if (strcmp(rcv_code_table[i].name, name) == 0) {
      return &rcv_code_table[i];
    }
  }
  return NULL;
}
