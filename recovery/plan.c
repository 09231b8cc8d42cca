/*
 * The plan: the rung of the ladder a verdict stands on, and the steps of a reset.
 */
#include "recovery/plan.h"
#include "recovery/inner.h"
#include "recovery/release.h"

static int has_reason(const struct rcv_verdict *v, enum rcv_code code) {
  for (int64_t i = 0; i < v->reasons; i++) {
    if (v->reason[i].code == code) {
      return 1;
    }
  }
  return 0;
}

static int service_gone(const struct rcv_evidence *e, int64_t i) {
  enum rcv_svc s = RCV_SVC_UNKNOWN;
  if (i >= 0 && i < e->candidates) {
    s = rcv_service_of(&e->candidate[i]);
  }
  return s == RCV_SVC_DOWN || s == RCV_SVC_FORCED_DOWN;
}

/* Rung 3 is Nova's own cure: a dead nova-compute on H, the guest on H, no pending order. */
static int compute_could_start(const struct rcv_evidence *e) {
  const struct rcv_nova *n = &e->nova_last;
  return !rcv_start_is_no_cure(n->max_minor) && service_gone(e, n->record_host) &&
         n->mig_present == RCV_TRI_YES && n->mig_status != RCV_MIG_ACCEPTED;
}

static enum rcv_rung wait_rung(const struct rcv_evidence *e, const struct rcv_verdict *v) {
  int64_t s = e->nova_last.mig_source;
  if (has_reason(v, RCV_CODE_JOB_STALLED) && s >= 0 && s < e->candidates &&
      rcv_service_of(&e->candidate[s]) == RCV_SVC_UP) {
    return RCV_RUNG_ABORT;
  }
  return RCV_RUNG_WAIT;
}

static enum rcv_rung rung_of(const struct rcv_evidence *e, const struct rcv_verdict *v) {
  switch (v->kind) {
  case RCV_VERDICT_RESET: return RCV_RUNG_RESET;
  case RCV_VERDICT_WAIT: return wait_rung(e, v);
  case RCV_VERDICT_REFUSE:
    if (v->code == RCV_CODE_ATTESTATION_REQUIRED && compute_could_start(e) &&
        e->nova_last.mig_source == e->nova_last.record_host) {
      return RCV_RUNG_START_COMPUTE;
    }
    return RCV_RUNG_ESCALATE;
  case RCV_VERDICT_UNKNOWN: return RCV_RUNG_ESCALATE;
  case RCV_VERDICT_NONE:
  case RCV_VERDICT_NOTHING:
  case RCV_VERDICT_COUNT: break;
  }
  return RCV_RUNG_NONE;
}

void rcv_plan_make(const struct rcv_evidence *e, const struct rcv_policy *p,
                   const struct rcv_verdict *v, struct rcv_plan *out) {
  static const enum rcv_step_kind steps[] = {RCV_STEP_OBSERVE, RCV_STEP_GATES,   RCV_STEP_APPROVAL,
                                             RCV_STEP_INTENT,  RCV_STEP_RELOOK,  RCV_STEP_RESET,
                                             RCV_STEP_VERIFY,  RCV_STEP_OUTCOME, RCV_STEP_RESIDUE};
  const int64_t count = (int64_t)(sizeof(steps) / sizeof(steps[0]));
  (void)p; /* the steps are the same under every policy; what they ask for is policies/'s */
  out->rung = rung_of(e, v);
  out->also_start_compute = v->kind == RCV_VERDICT_RESET && compute_could_start(e);
  out->steps = 0;
  out->target = RCV_VM_UNKNOWN;
  for (int64_t i = 0; i < RCV_MAX_STEPS; i++) {
    out->step[i] = RCV_STEP_NONE;
  }
  if (v->kind != RCV_VERDICT_RESET) {
    return;
  }
  for (int64_t i = 0; i < count; i++) {
    out->step[i] = steps[i];
  }
  out->steps = count;
  out->target = RCV_VM_ACTIVE;
}

static const char *why_not_wait(const struct rcv_plan *plan) {
  if (plan->rung == RCV_RUNG_NONE) {
    return "nothing is wrong, so there is nothing to wait for";
  }
  if (plan->rung == RCV_RUNG_ABORT) {
    return "the job has not moved over the whole observation; waiting alone is not enough";
  }
  if (plan->rung == RCV_RUNG_RESET) {
    return "nothing is at work any more that could end this by itself";
  }
  return "waiting alone is not known to end this; the reasons say what is in the way";
}

static const char *why_not_abort(const struct rcv_plan *plan, const struct rcv_evidence *e) {
  if (plan->rung == RCV_RUNG_WAIT) {
    int64_t s = e->nova_last.mig_source;
    if (s >= 0 && s < e->candidates && rcv_service_of(&e->candidate[s]) != RCV_SVC_UP) {
      return "Nova's abort needs a nova-compute that is up on the source host";
    }
    return "the migration may still end well; an abort throws its work away";
  }
  if (plan->rung == RCV_RUNG_RESET || plan->rung == RCV_RUNG_NONE) {
    return "no libvirt job runs that Nova could abort";
  }
  return "an abort is right only where a job certainly runs and the source's nova-compute is up";
}

static const char *why_not_start(const struct rcv_plan *plan, const struct rcv_evidence *e) {
  const struct rcv_nova *n = &e->nova_last;
  if (plan->also_start_compute) {
    return "it would be right too, and leaves the record `error` instead of `running` for "
           "ever, but it is not this tool's to start a service: a person can, on the record host";
  }
  if (rcv_start_is_no_cure(n->max_minor) && service_gone(e, n->record_host)) {
    return "in Nova 20 (Train) it is no cure: before 20.2.0 it clears the state, but ends neither "
           "a job nor the record";
  }
  if (plan->rung == RCV_RUNG_WAIT || plan->rung == RCV_RUNG_ABORT) {
    return "starting nova-compute on the record host aborts a running job, and clears the "
           "state blindly when the guest has already moved";
  }
  if (n->mig_present == RCV_TRI_YES && n->mig_status == RCV_MIG_ACCEPTED) {
    return "the order to migrate may wait in the queue; a started nova-compute would carry "
           "it out";
  }
  if (plan->rung == RCV_RUNG_ESCALATE) {
    return "it clears the state without looking where the guest is";
  }
  return "nova-compute on the record host is not down";
}

const char *rcv_plan_why_not(const struct rcv_plan *plan, const struct rcv_evidence *e,
                             enum rcv_rung r) {
  if (r == plan->rung) {
    return "";
  }
  switch (r) {
  case RCV_RUNG_WAIT: return why_not_wait(plan);
  case RCV_RUNG_ABORT: return why_not_abort(plan, e);
  case RCV_RUNG_START_COMPUTE: return why_not_start(plan, e);
  case RCV_RUNG_RESET: return "the reasons forbid it";
  case RCV_RUNG_ESCALATE:
    return plan->rung == RCV_RUNG_RESET ? "the owner is confirmed and is the record host"
                                        : "no person is needed yet";
  case RCV_RUNG_NONE:
  case RCV_RUNG_COUNT: break;
  }
  return "";
}
