/*
 * Evidence: the unknown value of every field, and the ranges that everything from a file
 * or from the network has to pass before it is decided upon.
 */
#include "recovery/evidence.h"
#include "recovery/inner.h"

#define INIT_ENUM(tag, field, role, doc) out->field = (enum tag)0;
#define INIT_INT(unit, field, role, doc) out->field = INIT_##unit;
/* By unit: a count starts at nothing, all else at "not known". */
#define INIT_libvirt -1
#define INIT_ms -1
#define INIT_id -1
#define INIT_count 0
#define INIT_op -1
#define INIT_bytes -1
#define INIT_index -1
#define INIT_s -1
#define INIT_percent -1
#define INIT_minor -1

void rcv_look_init(struct rcv_look *look) {
  struct rcv_look *out = look;
  RCV_LOOK_FACTS(INIT_ENUM, INIT_INT)
  out->vcpus = -1;
  out->iteration = -1;
}

void rcv_nova_init(struct rcv_nova *nova) {
  struct rcv_nova *out = nova;
  RCV_NOVA_FACTS(INIT_ENUM, INIT_INT)
}

static void candidate_init(struct rcv_candidate *out) {
  RCV_CANDIDATE_FACTS(INIT_ENUM, INIT_INT)
  rcv_look_init(&out->first);
  rcv_look_init(&out->last);
}

void rcv_evidence_init(struct rcv_evidence *e) {
  struct rcv_evidence *out = e;
  RCV_OBSERVATION_FACTS(INIT_ENUM, INIT_INT)
  rcv_nova_init(&out->nova_first);
  rcv_nova_init(&out->nova_last);
  out->candidates = 0;
  for (int64_t i = 0; i < RCV_MAX_CANDIDATES; i++) {
    candidate_init(&out->candidate[i]);
  }
}

/* The bound of an enumeration, by its tag. */
#define BOUND_rcv_tri RCV_TRI_COUNT
#define BOUND_rcv_reach RCV_REACH_COUNT
#define BOUND_rcv_presence RCV_PRESENCE_COUNT
#define BOUND_rcv_job RCV_JOB_COUNT
#define BOUND_rcv_control RCV_CONTROL_COUNT
#define BOUND_rcv_owner RCV_OWNER_COUNT
#define BOUND_rcv_monitor RCV_MONITOR_COUNT
#define BOUND_rcv_api RCV_API_COUNT
#define BOUND_rcv_vm RCV_VM_COUNT
#define BOUND_rcv_task RCV_TASK_COUNT
#define BOUND_rcv_hv RCV_HV_COUNT
#define BOUND_rcv_mig RCV_MIG_COUNT
#define BOUND_rcv_mtype RCV_MTYPE_COUNT
#define BOUND_rcv_evac RCV_EVAC_COUNT
#define BOUND_rcv_act RCV_ACT_COUNT
#define BOUND_rcv_svc RCV_SVC_COUNT

static int64_t in_range(int64_t value, int64_t low, int64_t high) {
  return value >= low && value <= high;
}

#define CHECK_ENUM(tag, field, role, doc)                                                          \
  ok = ok && in_range((int64_t)in->field, 0, (int64_t)BOUND_##tag - 1);
#define CHECK_INT(unit, field, role, doc) ok = ok && in_range(in->field, LOW_##unit, RCV_INT_MAX);
#define LOW_libvirt -1
#define LOW_ms -1
#define LOW_id -1
#define LOW_count -1
#define LOW_op -1
#define LOW_bytes -1
#define LOW_index -1
#define LOW_s -1
#define LOW_percent -1
#define LOW_minor -1

static int64_t look_in_range(const struct rcv_look *in) {
  int64_t ok = 1;
  RCV_LOOK_FACTS(CHECK_ENUM, CHECK_INT)
  return ok;
}

static int64_t nova_in_range(const struct rcv_nova *in) {
  int64_t ok = 1;
  RCV_NOVA_FACTS(CHECK_ENUM, CHECK_INT)
  return ok;
}

static int64_t candidate_in_range(const struct rcv_candidate *in) {
  int64_t ok = 1;
  RCV_CANDIDATE_FACTS(CHECK_ENUM, CHECK_INT)
  return ok && look_in_range(&in->first) && look_in_range(&in->last);
}

static int64_t observation_in_range(const struct rcv_evidence *in) {
  int64_t ok = 1;
  RCV_OBSERVATION_FACTS(CHECK_ENUM, CHECK_INT)
  return ok;
}

int64_t rcv_facts_in_range(const struct rcv_evidence *e) {
  if (!observation_in_range(e) || !nova_in_range(&e->nova_first) || !nova_in_range(&e->nova_last)) {
    return 0;
  }
  for (int64_t i = 0; i < e->candidates; i++) {
    if (!candidate_in_range(&e->candidate[i])) {
      return 0;
    }
  }
  return 1;
}

int rcv_evidence_valid(const struct rcv_evidence *e) {
  return rcv_indexes_valid(e) && rcv_facts_in_range(e);
}

int64_t rcv_window_ms(const struct rcv_evidence *e) {
  if (e->rounds < 1 || e->first_round_ms < 0 || e->last_round_ms < e->first_round_ms) {
    return 0;
  }
  return e->last_round_ms - e->first_round_ms;
}
