/*
 * Nova's side of SAFE: may a process of Nova still own the migration? Contracts: inner.h.
 */
#include "recovery/inner.h"

int rcv_policy_sound(const struct rcv_policy *p) {
  if (p->valid != 1 || p->observe_rounds < 2 || p->observe_window_ms < 1000) {
    return 0;
  }
  if (p->monitor_check < 0 || p->monitor_check > 1 || p->require_metadata < 0 ||
      p->require_metadata > 1) {
    return 0;
  }
  return p->age_terminal_s >= 0 && p->age_terminal_error_up_s >= 0 && p->age_nonterminal_s >= 0 &&
         p->age_nonterminal_down_s >= 0 && p->age_missing_record_s >= 0;
}

enum rcv_svc rcv_service_of(const struct rcv_candidate *c) {
  if (c->service_agreed != RCV_TRI_YES) {
    return RCV_SVC_UNKNOWN;
  }
  return c->service_last;
}

int rcv_stopped(const struct rcv_candidate *c, const struct rcv_policy *p) {
  enum rcv_svc s = rcv_service_of(c);
  if (c->attested_stopped != RCV_TRI_YES ||
      (p->attest_accepted & RCV_ATTEST_COMPUTE_STOPPED) == 0) {
    return 0;
  }
  return s == RCV_SVC_DOWN || s == RCV_SVC_FORCED_DOWN || s == RCV_SVC_MISSING;
}

int rcv_restarted(const struct rcv_candidate *c, const struct rcv_nova *n,
                  const struct rcv_policy *p) {
  if (c->attested_restarted != RCV_TRI_YES ||
      (p->attest_accepted & RCV_ATTEST_COMPUTE_RESTARTED) == 0) {
    return 0;
  }
  /* A restart clears task_state itself (compute/manager.py: _init_instance, long before Nova 21
     too), so that a server which still says migrating contradicts the statement; but it leaves
     one in vm_state error alone. */
  return n->vm_state == RCV_VM_ERROR;
}

int rcv_dead(const struct rcv_candidate *c, const struct rcv_nova *n, const struct rcv_policy *p) {
  return rcv_service_of(c) == RCV_SVC_DOWN || rcv_stopped(c, p) || rcv_restarted(c, n, p);
}

/*@ requires \valid_read(c) && \valid_read(p);
    assigns \nothing;
    ensures gone_means_gone: \result == 1 <==> gone(c, p);
    ensures \result == 0 || \result == 1; */
static int gone(const struct rcv_candidate *c, const struct rcv_policy *p) {
  if (c->attested_gone != RCV_TRI_YES || (p->attest_accepted & RCV_ATTEST_HOST_GONE) == 0) {
    return 0;
  }
  return c->of_newest_record == RCV_TRI_NO && rcv_service_of(c) == RCV_SVC_MISSING &&
         c->hypervisor_listed == RCV_TRI_NO;
}

int rcv_excused(const struct rcv_evidence *e, const struct rcv_policy *p, int64_t i) {
  const struct rcv_candidate *c = &e->candidate[i];
  if (i == e->nova_last.record_host) {
    return 0;
  }
  if (c->first.reach == RCV_REACH_OK || c->last.reach == RCV_REACH_OK) {
    return 0;
  }
  if (gone(c, p)) {
    return 1;
  }
  return c->attested_fenced == RCV_TRI_YES && (p->attest_accepted & RCV_ATTEST_HOST_FENCED) != 0;
}

/*@ requires \valid_read(e) && \valid_read(p);
    assigns \nothing;
    ensures queue_means_queue: \result == 1 <==> queue_empty(e, p);
    ensures \result == 0 || \result == 1; */
static int queue_empty(const struct rcv_evidence *e, const struct rcv_policy *p) {
  return e->attested_queue_empty == RCV_TRI_YES &&
         (p->attest_accepted & RCV_ATTEST_QUEUE_EMPTY) != 0;
}

int64_t rcv_age_s(int64_t now, int64_t then) {
  if (now < 0 || then < 0 || now < then) {
    return 0;
  }
  return now - then;
}

int64_t rcv_record_age_s(const struct rcv_evidence *e) {
  const struct rcv_nova *n = &e->nova_last;
  if (n->mig_present == RCV_TRI_YES) {
    return rcv_age_s(n->now_s, n->mig_updated_s);
  }
  if (n->action_start_s >= 0) {
    return rcv_age_s(n->now_s, n->action_start_s);
  }
  return rcv_age_s(n->now_s, n->server_updated_s);
}

/*@ requires \valid_read(e) && \valid_read(p) && indexes_ok(e);
    assigns \nothing;
    ensures source_dead_means_dead: \result == 1 <==> source_dead(e, p);
    ensures \result == 0 || \result == 1; */
static int source_dead(const struct rcv_evidence *e, const struct rcv_policy *p) {
  int64_t s = e->nova_last.mig_source;
  if (s < 0) {
    return 0;
  }
  return rcv_dead(&e->candidate[s], &e->nova_last, p);
}

/*@ requires \valid_read(e) && \valid_read(p) && indexes_ok(e);
    assigns \nothing;
    ensures attested_means_attested: \result == 1 <==> source_attested(e, p);
    ensures \result == 0 || \result == 1; */
static int source_attested(const struct rcv_evidence *e, const struct rcv_policy *p) {
  int64_t s = e->nova_last.mig_source;
  if (s < 0) {
    return 0;
  }
  return rcv_stopped(&e->candidate[s], p) || rcv_restarted(&e->candidate[s], &e->nova_last, p);
}

int64_t rcv_age_limit_s(const struct rcv_evidence *e, const struct rcv_policy *p) {
  if (e->nova_last.mig_present != RCV_TRI_YES) {
    return p->age_terminal_s;
  }
  switch (e->nova_last.mig_status) {
  case RCV_MIG_ACCEPTED:
  case RCV_MIG_QUEUED:
  case RCV_MIG_PREPARING:
  case RCV_MIG_RUNNING:
  case RCV_MIG_POSTCOPY:
    return source_dead(e, p) ? p->age_nonterminal_down_s : p->age_nonterminal_s;
  case RCV_MIG_COMPLETED:
  case RCV_MIG_FAILED:
  case RCV_MIG_CANCELLED: return p->age_terminal_s;
  case RCV_MIG_ERROR: /* the status is set before the rollback ends */
    return source_dead(e, p) ? p->age_terminal_s : p->age_terminal_error_up_s;
  case RCV_MIG_UNKNOWN:
  case RCV_MIG_OTHER:
  case RCV_MIG_COUNT: break;
  }
  return 0;
}

/*@ requires \valid_read(e) && \valid_read(p);
    assigns \nothing;
    ensures missing_means_missing: \result == RCV_CODE_UNSET <==> missing_clear(e, p); */
static enum rcv_code missing_gate(const struct rcv_evidence *e, const struct rcv_policy *p) {
  int64_t age = rcv_record_age_s(e);
  if (age < p->age_terminal_s) {
    return RCV_CODE_TOO_YOUNG;
  }
  if (queue_empty(e, p)) {
    return RCV_CODE_UNSET;
  }
  if (age < p->age_missing_record_s || e->conductor_always_up != RCV_TRI_YES) {
    return RCV_CODE_CAST_MAY_BE_PENDING;
  }
  return RCV_CODE_UNSET;
}

/* A record that never ended: queued, preparing, running, running (post-copy). */
/*@ requires \valid_read(e) && \valid_read(p) && indexes_ok(e);
    assigns \nothing;
    ensures unfinished_means_unfinished: \result == RCV_CODE_UNSET <==> unfinished_clear(e, p); */
static enum rcv_code unfinished_gate(const struct rcv_evidence *e, const struct rcv_policy *p) {
  int64_t age = rcv_record_age_s(e);
  enum rcv_mig status = e->nova_last.mig_status;
  if (!source_dead(e, p)) {
    return age < p->age_nonterminal_s ? RCV_CODE_TOO_YOUNG : RCV_CODE_MAY_STILL_FINISH;
  }
  if (age < p->age_nonterminal_down_s) {
    return RCV_CODE_TOO_YOUNG;
  }
  if (source_attested(e, p)) {
    return RCV_CODE_UNSET;
  }
  /* A live thread in queued or preparing would go on to migrate with no task_state. */
  if (status != RCV_MIG_RUNNING && status != RCV_MIG_POSTCOPY) {
    return RCV_CODE_ATTESTATION_REQUIRED;
  }
  if ((p->attest_required & RCV_ATTEST_COMPUTE_STOPPED) != 0) {
    return RCV_CODE_ATTESTATION_REQUIRED;
  }
  return RCV_CODE_UNSET;
}

/*@ requires \valid_read(e) && \valid_read(p) && indexes_ok(e);
    assigns \nothing;
    ensures accepted_means_clear: \result == RCV_CODE_UNSET <==> queue_empty(e, p) &&
      old_enough(e, p, p->age_nonterminal_down_s, p->age_nonterminal_s); */
static enum rcv_code accepted_gate(const struct rcv_evidence *e, const struct rcv_policy *p) {
  int64_t limit = source_dead(e, p) ? p->age_nonterminal_down_s : p->age_nonterminal_s;
  if (rcv_record_age_s(e) < limit) {
    return RCV_CODE_TOO_YOUNG;
  }
  if (!queue_empty(e, p)) {
    return RCV_CODE_CAST_MAY_BE_PENDING;
  }
  return RCV_CODE_UNSET;
}

/*@ requires \valid_read(e) && \valid_read(p) && indexes_ok(e);
    assigns \nothing;
    ensures status_means_status: \result == RCV_CODE_UNSET <==> status_clear(e, p); */
static enum rcv_code status_gate(const struct rcv_evidence *e, const struct rcv_policy *p) {
  const struct rcv_nova *n = &e->nova_last;
  int64_t age = rcv_record_age_s(e);
  int64_t error_limit = source_dead(e, p) ? p->age_terminal_s : p->age_terminal_error_up_s;
  switch (n->mig_status) {
  case RCV_MIG_ACCEPTED: return accepted_gate(e, p);
  case RCV_MIG_QUEUED:
    if (n->queued_behind != RCV_TRI_NO) {
      return RCV_CODE_QUEUED;
    }
    return unfinished_gate(e, p);
  case RCV_MIG_POSTCOPY:
    if (n->record_host == n->mig_source) {
      return RCV_CODE_INCONSISTENT_RECORD;
    }
    return unfinished_gate(e, p);
  case RCV_MIG_PREPARING:
  case RCV_MIG_RUNNING: return unfinished_gate(e, p);
  case RCV_MIG_COMPLETED:
    if (n->record_host == n->mig_source) {
      return RCV_CODE_INCONSISTENT_RECORD;
    }
    return age < p->age_terminal_s ? RCV_CODE_TOO_YOUNG : RCV_CODE_UNSET;
  case RCV_MIG_FAILED:
  case RCV_MIG_CANCELLED: return age < p->age_terminal_s ? RCV_CODE_TOO_YOUNG : RCV_CODE_UNSET;
  case RCV_MIG_ERROR: return age < error_limit ? RCV_CODE_TOO_YOUNG : RCV_CODE_UNSET;
  case RCV_MIG_UNKNOWN:
  case RCV_MIG_OTHER:
  case RCV_MIG_COUNT: break;
  }
  return RCV_CODE_INCONSISTENT_RECORD;
}

enum rcv_code rcv_migration_gate(const struct rcv_evidence *e, const struct rcv_policy *p) {
  const struct rcv_nova *n = &e->nova_last;
  if (n->mig_present == RCV_TRI_NO) {
    return missing_gate(e, p);
  }
  if (n->mig_present != RCV_TRI_YES) {
    return RCV_CODE_API_HIDDEN;
  }
  if (n->record_host != n->mig_source && n->record_host != n->mig_dest) {
    return RCV_CODE_INCONSISTENT_RECORD;
  }
  return status_gate(e, p);
}

/*@ requires \valid_read(n);
    assigns \nothing;
    ensures record_means_record: \result == 1 <==> record_readable(n);
    ensures \result == 0 || \result == 1; */
static int record_readable(const struct rcv_nova *n) {
  if (n->mig_present == RCV_TRI_NO) {
    return 1;
  }
  if (n->mig_present != RCV_TRI_YES || n->mig_type != RCV_MTYPE_LIVE || n->mig_source < 0) {
    return 0;
  }
  return n->mig_dest >= 0 || n->mig_status == RCV_MIG_ACCEPTED;
}

/*@ requires \valid_read(e) && \valid_read(p) && indexes_ok(e);
    assigns \nothing;
    ensures vm_means_vm: \result == 1 <==> vm_state_clear(e, p);
    ensures \result == 0 || \result == 1; */
static int vm_state_clear(const struct rcv_evidence *e, const struct rcv_policy *p) {
  const struct rcv_nova *n = &e->nova_last;
  if (n->vm_state == RCV_VM_ACTIVE) {
    return 1;
  }
  if (n->vm_state != RCV_VM_ERROR || n->record_host < 0) {
    return 0;
  }
  return rcv_stopped(&e->candidate[n->record_host], p) ||
         rcv_restarted(&e->candidate[n->record_host], n, p);
}

int rcv_nova_safe(const struct rcv_evidence *e, const struct rcv_policy *p) {
  const struct rcv_nova *n = &e->nova_last;
  if (e->too_many != RCV_TRI_NO || n->api != RCV_API_OK || n->hypervisor != RCV_HV_QEMU) {
    return 0;
  }
  if (n->task_state != RCV_TASK_MIGRATING || !vm_state_clear(e, p)) {
    return 0;
  }
  if (n->newer_action != RCV_ACT_NONE && n->newer_action != RCV_ACT_HARMLESS) {
    return 0;
  }
  if (n->evacuation != RCV_EVAC_NONE && n->evacuation != RCV_EVAC_OLDER) {
    return 0;
  }
  return record_readable(n) && rcv_migration_gate(e, p) == RCV_CODE_UNSET;
}
