/*
 * Everything that stands against a reset, one function per group of rules. The precedence
 * (verdict.c) decides which reason leads; nothing here can lead to a reset.
 */
#include "recovery/inner.h"

enum { LOOK_AGAIN_S = 60, LOOK_AGAIN_QUEUED_S = 300 };

/* Who holds what. own[i] is the class of the instance's own copy on candidate i; a foreign
   domain is no copy, and an excused candidate (attested) has none. */
enum rcv_part { RCV_PART_COPY, RCV_PART_UNKNOWN, RCV_PART_FOREIGN, RCV_PART_EXCUSED };

struct picture {
  const struct rcv_evidence *e;
  const struct rcv_policy *p;
  int64_t n;
  int64_t h; /* the record host, -1 when Nova does not tell */
  enum rcv_part part[RCV_MAX_CANDIDATES];
  enum rcv_class own[RCV_MAX_CANDIDATES];
  int64_t count[RCV_CLASS_COUNT]; /* of own, parts COPY only */
  int64_t unknown, foreign, excused;
  int nothing; /* not migrating, and the record and the guest agree */
};

static int is_live(enum rcv_class c) {
  return c == RCV_CLASS_RUN || c == RCV_CLASS_PUSER || c == RCV_CLASS_PERR || c == RCV_CLASS_SUSP;
}

/* Has a QEMU that does not run the guest now but could. */
static int is_sleeping(enum rcv_class c) {
  return c == RCV_CLASS_PMIG || c == RCV_CLASS_PUSER || c == RCV_CLASS_PERR ||
         c == RCV_CLASS_SUSP || c == RCV_CLASS_STUCK || c == RCV_CLASS_CRASHED ||
         c == RCV_CLASS_DYING;
}

static int holds(const struct picture *pic, int64_t i, enum rcv_class c) {
  return pic->part[i] == RCV_PART_COPY && pic->own[i] == c;
}

/* Certainly nothing there that runs or could go on running. */
static int is_empty(const struct picture *pic, int64_t i) {
  return pic->part[i] == RCV_PART_EXCUSED || holds(pic, i, RCV_CLASS_ABSENT) ||
         holds(pic, i, RCV_CLASS_OFF_DEFINITE);
}

static int others_empty(const struct picture *pic) {
  for (int64_t i = 0; i < pic->n; i++) {
    if (i != pic->h && !is_empty(pic, i)) {
      return 0;
    }
  }
  return 1;
}

static int migrating(const struct picture *pic) {
  return pic->e->nova_last.api == RCV_API_OK && pic->e->nova_last.task_state == RCV_TASK_MIGRATING;
}

static int vm_is_off(enum rcv_vm v) {
  return v == RCV_VM_STOPPED || v == RCV_VM_SUSPENDED || v == RCV_VM_SHELVED ||
         v == RCV_VM_SHELVED_OFFLOADED || v == RCV_VM_DELETED || v == RCV_VM_SOFT_DELETED;
}

/* Candidate i had a copy that was killed after the record host's had been resumed. */
static int killed_at(const struct picture *pic, int64_t i) {
  return pic->h >= 0 && i != pic->h && holds(pic, pic->h, RCV_CLASS_RUN) &&
         pic->part[i] == RCV_PART_COPY &&
         rcv_killed_beside(&pic->e->candidate[pic->h].last, &pic->e->candidate[i].last);
}

static int nothing_wrong(const struct picture *pic) {
  const struct rcv_nova *n = &pic->e->nova_last;
  if (n->api != RCV_API_OK || n->task_state != RCV_TASK_NONE || pic->h < 0 || !others_empty(pic) ||
      pic->part[pic->h] != RCV_PART_COPY) {
    return 0;
  }
  if (pic->e->candidate[pic->h].last.monitor == RCV_MONITOR_MUTE) {
    return 0;
  }
  for (int64_t i = 0; i < pic->n; i++) {
    if (killed_at(pic, i)) {
      return 0;
    }
  }
  if (is_live(pic->own[pic->h])) {
    return 1;
  }
  return vm_is_off(n->vm_state) &&
         (is_empty(pic, pic->h) || pic->own[pic->h] == RCV_CLASS_OFF_UNKNOWN);
}

static enum rcv_part part_of(const struct rcv_evidence *e, const struct rcv_policy *p, int64_t i,
                             enum rcv_class c) {
  if (rcv_excused(e, p, i)) {
    return RCV_PART_EXCUSED;
  }
  if (c == RCV_CLASS_UNKNOWN) {
    return RCV_PART_UNKNOWN;
  }
  return rcv_foreign(&e->candidate[i].last) ? RCV_PART_FOREIGN : RCV_PART_COPY;
}

static void picture_make(struct picture *pic, const struct rcv_evidence *e,
                         const struct rcv_policy *p) {
  pic->e = e;
  pic->p = p;
  pic->n = e->candidates;
  pic->h = e->nova_last.api == RCV_API_OK ? e->nova_last.record_host : -1;
  pic->unknown = 0;
  pic->foreign = 0;
  pic->excused = 0;
  for (int i = 0; i < RCV_CLASS_COUNT; i++) {
    pic->count[i] = 0;
  }
  for (int64_t i = 0; i < pic->n; i++) {
    pic->own[i] = rcv_classify(&e->candidate[i].last);
    pic->part[i] = part_of(e, p, i, pic->own[i]);
    pic->unknown += pic->part[i] == RCV_PART_UNKNOWN;
    pic->foreign += pic->part[i] == RCV_PART_FOREIGN;
    pic->excused += pic->part[i] == RCV_PART_EXCUSED;
    if (pic->part[i] == RCV_PART_COPY) {
      pic->count[pic->own[i]]++;
    }
  }
  pic->nothing = nothing_wrong(pic);
}

/* ---- what could not be seen ------------------------------------------------------------ */

static enum rcv_code reach_code(enum rcv_reach reach) {
  switch (reach) {
  case RCV_REACH_TIMEOUT: return RCV_CODE_HOST_TIMEOUT;
  case RCV_REACH_AUTH_FAILED: return RCV_CODE_HOST_AUTH_FAILED;
  case RCV_REACH_IDENTITY_MISMATCH: return RCV_CODE_IDENTITY_MISMATCH;
  case RCV_REACH_UNMAPPED: return RCV_CODE_HOST_UNMAPPED;
  case RCV_REACH_OK: return RCV_CODE_UNSTABLE_OBSERVATION;
  case RCV_REACH_NONE:
  case RCV_REACH_UNREACHABLE:
  case RCV_REACH_BAD_REPLY:
  case RCV_REACH_COUNT: break;
  }
  return RCV_CODE_HOST_UNREACHABLE;
}

/* The domain's XML is read only without a job; elsewhere it must have been. */
static int xml_unread(const struct picture *pic, int64_t i) {
  const struct rcv_look *k = &pic->e->candidate[i].last;
  enum rcv_class c = pic->own[i];
  if (pic->part[i] != RCV_PART_COPY || k->presence != RCV_PRESENCE_PRESENT || c == RCV_CLASS_OUT ||
      c == RCV_CLASS_IN || c == RCV_CLASS_PC || c == RCV_CLASS_PCF || c == RCV_CLASS_STUCK) {
    return 0;
  }
  return k->owner == RCV_OWNER_UNKNOWN || k->name_equal == RCV_TRI_UNKNOWN ||
         (c == RCV_CLASS_RUN && k->mirror == RCV_TRI_UNKNOWN);
}

static void raise_candidates(const struct picture *pic, struct rcv_verdict *out) {
  for (int64_t i = 0; i < pic->n; i++) {
    const struct rcv_look *k = &pic->e->candidate[i].last;
    if (pic->part[i] == RCV_PART_UNKNOWN) {
      rcv_raise(out, reach_code(k->reach), i);
    }
    if (rcv_foreign(k)) {
      rcv_raise(out, RCV_CODE_FOREIGN_DOMAIN, i);
    }
    if (rcv_nameless(k, pic->p)) {
      rcv_raise(out, RCV_CODE_NO_METADATA, i);
    }
  }
  if (pic->h >= 0 && xml_unread(pic, pic->h)) {
    rcv_raise(out, RCV_CODE_UNSTABLE_OBSERVATION, pic->h);
  }
}

static int points_together(int64_t i, int64_t j, int64_t of_i, int64_t of_j) {
  return (of_i >= 0 && of_i == of_j) || of_i == j || of_j == i;
}

static int same_host(const struct picture *pic, int64_t i, int64_t j) {
  const struct rcv_candidate *a = &pic->e->candidate[i];
  const struct rcv_candidate *b = &pic->e->candidate[j];
  if (points_together(i, j, a->same_uuid_as, b->same_uuid_as) ||
      points_together(i, j, a->same_name_as, b->same_name_as)) {
    return 1;
  }
  return pic->own[i] == RCV_CLASS_RUN && pic->own[j] == RCV_CLASS_RUN && a->last.domain_id > 0 &&
         a->last.domain_id == b->last.domain_id && a->last.vcpu_time_ms >= 0 &&
         a->last.vcpu_time_ms == b->last.vcpu_time_ms;
}

static int maybe_running(const struct picture *pic, int64_t i) {
  const struct rcv_look *k = &pic->e->candidate[i].last;
  enum rcv_class c = pic->own[i];
  if (k->reach != RCV_REACH_OK || k->presence != RCV_PRESENCE_PRESENT || k->active != RCV_TRI_YES ||
      k->state != 1 || k->reason == 10 || k->reason == 11 || rcv_foreign(k)) {
    return 0;
  }
  return c == RCV_CLASS_RUN || c == RCV_CLASS_OUT || k->job == RCV_JOB_UNKNOWN ||
         k->job == RCV_JOB_OTHER || k->job == RCV_JOB_HUNG;
}

static void raise_pairs(const struct picture *pic, struct rcv_verdict *out) {
  for (int64_t i = 0; i < pic->n; i++) {
    for (int64_t j = i + 1; j < pic->n; j++) {
      if (same_host(pic, i, j)) {
        rcv_raise(out, RCV_CODE_SAME_HOST_TWICE, j);
      } else if (maybe_running(pic, i) && maybe_running(pic, j)) {
        rcv_raise(out, RCV_CODE_SPLIT_BRAIN, i);
        rcv_raise(out, RCV_CODE_SPLIT_BRAIN, j);
      }
    }
  }
}

/* ---- jobs ------------------------------------------------------------------------------ */

static int seen_postcopy_beside(const struct picture *pic, int64_t t) {
  for (int64_t i = 0; i < pic->n; i++) {
    if (i != t && pic->e->candidate[i].seen_postcopy == RCV_TRI_YES) {
      return 1;
    }
  }
  return 0;
}

static int host_is_off_or_absent(const struct picture *pic) {
  return pic->h >= 0 &&
         (holds(pic, pic->h, RCV_CLASS_ABSENT) || holds(pic, pic->h, RCV_CLASS_OFF_DEFINITE) ||
          holds(pic, pic->h, RCV_CLASS_OFF_UNKNOWN));
}

/* A post-copy has two sides; one alone is a broken one. Only said when all was seen. */
static int postcopy_is_broken(const struct picture *pic, int64_t i) {
  if (pic->unknown > 0) {
    return 0;
  }
  if (i != pic->h) {
    return host_is_off_or_absent(pic) && !seen_postcopy_beside(pic, i);
  }
  return pic->e->candidate[i].last.state == 3 && pic->count[RCV_CLASS_PC] == 1 &&
         pic->count[RCV_CLASS_IN] == 0;
}

static void raise_postcopy(const struct picture *pic, struct rcv_verdict *out) {
  for (int64_t i = 0; i < pic->n; i++) {
    if (holds(pic, i, RCV_CLASS_PCF)) {
      rcv_raise(out, RCV_CODE_POSTCOPY_FAILED, i);
    } else if (holds(pic, i, RCV_CLASS_PC)) {
      rcv_raise(out, postcopy_is_broken(pic, i) ? RCV_CODE_POSTCOPY_FAILED : RCV_CODE_POSTCOPY, i);
    }
  }
}

static int paused_for_migration(const struct picture *pic, int64_t i, enum rcv_class c) {
  const struct rcv_look *k = &pic->e->candidate[i].last;
  return holds(pic, i, c) && k->state == 3 && k->reason == 2;
}

/* The record host is paused in its job and the other side waits paused: the switch-over. */
static int in_switchover(const struct picture *pic, int64_t i) {
  if (i != pic->h || !paused_for_migration(pic, i, RCV_CLASS_OUT)) {
    return 0;
  }
  for (int64_t j = 0; j < pic->n; j++) {
    if (j != i && paused_for_migration(pic, j, RCV_CLASS_IN)) {
      return 1;
    }
  }
  return 0;
}

static int job_stalled(const struct picture *pic) {
  int stalled = 0;
  for (int64_t i = 0; i < pic->n; i++) {
    enum rcv_tri moves = pic->e->candidate[i].progressing;
    if (moves == RCV_TRI_YES) {
      return 0;
    }
    if (holds(pic, i, RCV_CLASS_OUT) && moves == RCV_TRI_NO) {
      stalled = 1;
    }
  }
  return stalled && pic->e->rounds >= pic->p->observe_rounds;
}

static void raise_outgoing(const struct picture *pic, struct rcv_verdict *out, int64_t i) {
  if (in_switchover(pic, i)) {
    rcv_raise(out, rcv_settled(pic->e, pic->p) ? RCV_CODE_SWITCHOVER_UNDECIDED : RCV_CODE_SETTLING,
              i);
    return;
  }
  rcv_raise(out, RCV_CODE_STILL_MIGRATING, i);
  if (job_stalled(pic)) {
    rcv_raise(out, RCV_CODE_JOB_STALLED, i);
  }
  if (rcv_service_of(&pic->e->candidate[i]) == RCV_SVC_DOWN) {
    rcv_raise(out, RCV_CODE_JOB_ORPHANED, i);
  }
}

/* An incoming QEMU that no outgoing job feeds. */
static void raise_incoming(const struct picture *pic, struct rcv_verdict *out, int64_t i) {
  if (!rcv_settled(pic->e, pic->p)) {
    rcv_raise(out, RCV_CODE_SETTLING, i);
  } else if (pic->count[RCV_CLASS_PMIG] > 0) {
    rcv_raise(out, RCV_CODE_SWITCHOVER_UNDECIDED, i);
  } else {
    rcv_raise(out, RCV_CODE_INCOMING_REMNANT, i);
  }
}

static void raise_jobs(const struct picture *pic, struct rcv_verdict *out) {
  /* A copy that hangs may well have the job (lab d-src-qemu-hung: the question about it blocks). */
  /* A copy that hangs may well be the one that sends. */
  int fed = pic->count[RCV_CLASS_OUT] + pic->count[RCV_CLASS_STUCK] > 0;
  for (int64_t i = 0; i < pic->n; i++) {
    if (holds(pic, i, RCV_CLASS_OUT)) {
      raise_outgoing(pic, out, i);
    } else if (holds(pic, i, RCV_CLASS_IN) && !fed) {
      raise_incoming(pic, out, i);
    }
  }
  if (migrating(pic) && pic->e->heartbeat == RCV_TRI_YES) {
    rcv_raise(out, RCV_CODE_STILL_MIGRATING, -1);
  }
}

/* ---- whose guest it is ----------------------------------------------------------------- */

/* The only candidate that runs the guest, else the only one with a live copy, else -1. */
static int64_t sole_live(const struct picture *pic) {
  int64_t runs = 0, lives = 0, run_at = -1, live_at = -1;
  for (int64_t i = 0; i < pic->n; i++) {
    if (holds(pic, i, RCV_CLASS_RUN)) {
      runs++;
      run_at = i;
    }
    if (pic->part[i] == RCV_PART_COPY && is_live(pic->own[i])) {
      lives++;
      live_at = i;
    }
  }
  if (runs == 1) {
    return run_at;
  }
  return runs == 0 && lives == 1 ? live_at : -1;
}

static int64_t live_copies(const struct picture *pic) {
  return pic->count[RCV_CLASS_RUN] + pic->count[RCV_CLASS_PUSER] + pic->count[RCV_CLASS_PERR] +
         pic->count[RCV_CLASS_SUSP];
}

static int64_t jobs(const struct picture *pic) {
  return pic->count[RCV_CLASS_OUT] + pic->count[RCV_CLASS_PC] + pic->count[RCV_CLASS_PCF];
}

/* Age of Nova's last word about the migration, for a guest that has just moved. */
static int64_t settling_age_s(const struct picture *pic) {
  const struct rcv_nova *n = &pic->e->nova_last;
  return rcv_age_s(n->now_s,
                   n->mig_present == RCV_TRI_YES ? n->mig_updated_s : n->server_updated_s);
}

static void raise_moved(const struct picture *pic, struct rcv_verdict *out, int64_t owner) {
  const struct rcv_nova *n = &pic->e->nova_last;
  if (owner < 0 || pic->h < 0 || owner == pic->h || pic->unknown > 0 || jobs(pic) > 0) {
    return;
  }
  if (migrating(pic) && settling_age_s(pic) < pic->p->age_terminal_s) {
    rcv_raise(out, RCV_CODE_SETTLING, owner);
    return;
  }
  rcv_raise(out, RCV_CODE_OWNER_MOVED, owner);
  if (owner != n->mig_source && owner != n->mig_dest) {
    rcv_raise(out, RCV_CODE_UNEXPECTED_HOST, owner);
  }
}

static void raise_copies(const struct picture *pic, struct rcv_verdict *out, int64_t owner) {
  if (live_copies(pic) < 1) {
    return;
  }
  for (int64_t i = 0; i < pic->n; i++) {
    int is_other = owner >= 0 ? i != owner : i != pic->h;
    if (is_other && pic->part[i] == RCV_PART_COPY && is_sleeping(pic->own[i])) {
      rcv_raise(out, RCV_CODE_SECOND_COPY, i);
    }
    if (killed_at(pic, i)) {
      rcv_raise(out, RCV_CODE_SECOND_COPY, i);
    }
  }
}

static void raise_paused_host(const struct picture *pic, struct rcv_verdict *out) {
  if (pic->h < 0) {
    return;
  }
  if (holds(pic, pic->h, RCV_CLASS_PUSER)) {
    rcv_raise(out, RCV_CODE_PAUSED_BY_USER, pic->h);
  }
  if (holds(pic, pic->h, RCV_CLASS_PERR)) {
    rcv_raise(out, RCV_CODE_PAUSED_ERROR, pic->h);
  }
  if (holds(pic, pic->h, RCV_CLASS_SUSP)) {
    rcv_raise(out, RCV_CODE_SUSPENDED, pic->h);
  }
  if (pic->part[pic->h] == RCV_PART_COPY) {
    if (pic->e->candidate[pic->h].last.mirror == RCV_TRI_YES) {
      rcv_raise(out, RCV_CODE_STORAGE_JOB, pic->h);
    }
    if (pic->e->candidate[pic->h].last.monitor == RCV_MONITOR_MUTE) {
      rcv_raise(out, RCV_CODE_MONITOR_STUCK, pic->h);
    }
  }
}

static int only_paused_copy(const struct picture *pic, int64_t i) {
  for (int64_t j = 0; j < pic->n; j++) {
    if (j != i && !is_empty(pic, j) && !holds(pic, j, RCV_CLASS_OFF_UNKNOWN)) {
      return 0;
    }
  }
  return 1;
}

static void raise_state(const struct picture *pic, struct rcv_verdict *out, int64_t i) {
  if (pic->part[i] != RCV_PART_COPY) {
    return;
  }
  if (pic->own[i] == RCV_CLASS_STUCK) {
    rcv_raise(out, RCV_CODE_MONITOR_STUCK, i);
  }
  if (pic->own[i] == RCV_CLASS_CRASHED || pic->own[i] == RCV_CLASS_DYING) {
    rcv_raise(out, RCV_CODE_NO_STABLE_OWNER, i);
  }
  if (pic->own[i] == RCV_CLASS_OFF_UNKNOWN) {
    rcv_raise(out, RCV_CODE_OFF_UNKNOWN, i);
  }
  if (pic->own[i] == RCV_CLASS_PMIG && pic->count[RCV_CLASS_PMIG] > 1 && live_copies(pic) == 0) {
    rcv_raise(out, RCV_CODE_SWITCHOVER_UNDECIDED, i);
  }
  if (pic->own[i] == RCV_CLASS_PMIG && only_paused_copy(pic, i)) {
    rcv_raise(out, RCV_CODE_PAUSED_MIGRATION, i);
  }
}

static void raise_ownership(const struct picture *pic, struct rcv_verdict *out) {
  int64_t owner = sole_live(pic);
  int64_t empty = 0;
  raise_moved(pic, out, owner);
  raise_copies(pic, out, owner);
  raise_paused_host(pic, out);
  for (int64_t i = 0; i < pic->n; i++) {
    raise_state(pic, out, i);
    empty += is_empty(pic, i);
  }
  if (pic->n > 0 && empty == pic->n) {
    rcv_raise(out, RCV_CODE_NO_OWNER, -1);
  }
}

/* Not every candidate could be seen, and one of them other than H has the guest. */
static void raise_elsewhere(const struct picture *pic, struct rcv_verdict *out) {
  if (pic->unknown == 0 && pic->e->nova_last.api == RCV_API_OK) {
    return;
  }
  for (int64_t i = 0; i < pic->n; i++) {
    if (i != pic->h && (holds(pic, i, RCV_CLASS_RUN) || holds(pic, i, RCV_CLASS_OUT) ||
                        holds(pic, i, RCV_CLASS_IN) || holds(pic, i, RCV_CLASS_PC) ||
                        holds(pic, i, RCV_CLASS_PCF))) {
      rcv_raise(out, RCV_CODE_RUNS_ELSEWHERE, i);
    }
  }
}

/* ---- Nova ------------------------------------------------------------------------------ */

static int nova_hides(const struct rcv_nova *n) {
  if (n->record_host < 0 || n->vm_state == RCV_VM_UNKNOWN || n->task_state == RCV_TASK_UNKNOWN ||
      n->newer_action == RCV_ACT_UNKNOWN || n->evacuation == RCV_EVAC_UNKNOWN ||
      n->mig_present == RCV_TRI_UNKNOWN || n->hypervisor == RCV_HV_UNKNOWN) {
    return 1;
  }
  if (n->mig_present != RCV_TRI_YES) {
    return 0;
  }
  return n->mig_source < 0 || (n->mig_dest < 0 && n->mig_status != RCV_MIG_ACCEPTED);
}

static void raise_api(const struct picture *pic, struct rcv_verdict *out) {
  const struct rcv_nova *n = &pic->e->nova_last;
  if (n->api == RCV_API_HIDDEN || n->api == RCV_API_DOWN_CELL) {
    rcv_raise(out, RCV_CODE_API_HIDDEN, -1);
  } else if (n->api != RCV_API_OK) {
    rcv_raise(out, RCV_CODE_API_UNAVAILABLE, -1);
  } else {
    if (nova_hides(n)) {
      rcv_raise(out, RCV_CODE_API_HIDDEN, -1);
    }
    if (pic->e->too_many != RCV_TRI_NO) {
      rcv_raise(out, RCV_CODE_TOO_MANY_CANDIDATES, -1);
    }
  }
}

static void raise_vm_state(const struct picture *pic, struct rcv_verdict *out) {
  const struct rcv_nova *n = &pic->e->nova_last;
  switch (n->vm_state) {
  case RCV_VM_UNKNOWN: /* API_HIDDEN */
  case RCV_VM_ACTIVE: return;
  case RCV_VM_PAUSED: rcv_raise(out, RCV_CODE_PAUSED_BY_USER, pic->h); return;
  case RCV_VM_ERROR:
    if (pic->h < 0 || (!rcv_stopped(&pic->e->candidate[pic->h], pic->p) &&
                       !rcv_restarted(&pic->e->candidate[pic->h], n, pic->p))) {
      rcv_raise(out, RCV_CODE_VM_STATE_ERROR, pic->h);
    }
    return;
  case RCV_VM_STOPPED:
  case RCV_VM_SUSPENDED:
  case RCV_VM_RESCUED:
  case RCV_VM_RESIZED:
  case RCV_VM_BUILDING:
  case RCV_VM_DELETED:
  case RCV_VM_SOFT_DELETED:
  case RCV_VM_SHELVED:
  case RCV_VM_SHELVED_OFFLOADED:
  case RCV_VM_OTHER:
  case RCV_VM_COUNT: break;
  }
  rcv_raise(out, RCV_CODE_OTHER_TASK, -1);
}

static void raise_task(const struct picture *pic, struct rcv_verdict *out) {
  const struct rcv_nova *n = &pic->e->nova_last;
  if (n->task_state == RCV_TASK_MIGRATING) {
    raise_vm_state(pic, out);
    if (n->newer_action == RCV_ACT_OTHER) {
      rcv_raise(out, RCV_CODE_NEWER_ACTION, -1);
    }
    if (n->mig_present == RCV_TRI_YES && n->mig_type != RCV_MTYPE_LIVE) {
      rcv_raise(out, RCV_CODE_INCONSISTENT_RECORD, -1);
    }
  } else if (n->task_state != RCV_TASK_NONE && n->task_state != RCV_TASK_UNKNOWN) {
    int resizing = n->task_state == RCV_TASK_RESIZE || n->vm_state == RCV_VM_RESIZED;
    rcv_raise(out, resizing ? RCV_CODE_NOT_LIVE_MIGRATION : RCV_CODE_OTHER_TASK, -1);
  }
  if (n->evacuation == RCV_EVAC_PENDING || n->evacuation == RCV_EVAC_DONE_NEWER) {
    rcv_raise(out, RCV_CODE_EVACUATION_RECORD, -1);
  }
}

/* Only for a guest that certainly runs on H alone: else the gates answer no question. */
static void raise_gate(const struct picture *pic, struct rcv_verdict *out) {
  enum rcv_code code;
  if (!migrating(pic) || pic->h < 0 || !holds(pic, pic->h, RCV_CLASS_RUN) || !others_empty(pic)) {
    return;
  }
  code = rcv_migration_gate(pic->e, pic->p);
  if (code != RCV_CODE_UNSET) {
    rcv_raise(out, code, pic->e->nova_last.mig_source);
  }
}

/* ---- the observation ------------------------------------------------------------------- */

static void raise_unstable(const struct picture *pic, struct rcv_verdict *out) {
  if (pic->count[RCV_CLASS_OUT] + pic->count[RCV_CLASS_PC] == 0) {
    for (int64_t i = 0; i < pic->n; i++) {
      if (pic->e->candidate[i].agreed == RCV_TRI_NO && pic->part[i] != RCV_PART_EXCUSED) {
        rcv_raise(out, RCV_CODE_UNSTABLE_OBSERVATION, i);
      }
    }
    if (pic->e->nova_agreed == RCV_TRI_NO) {
      rcv_raise(out, RCV_CODE_UNSTABLE_OBSERVATION, -1);
    }
  }
  /* Without a round nothing was observed; a better reason for that goes before. */
  if (pic->e->rounds < 1 &&
      (out->reasons < 1 || rcv_kind_of(out->reason[0].code) != RCV_VERDICT_UNKNOWN)) {
    rcv_raise(out, RCV_CODE_UNSTABLE_OBSERVATION, -1);
  }
}

static void raise_incomplete(const struct picture *pic, struct rcv_verdict *out) {
  if (rcv_nova_safe(pic->e, pic->p) && rcv_ownership_safe(pic->e, pic->p) &&
      !rcv_complete(pic->e, pic->p)) {
    rcv_raise(out, RCV_CODE_OBSERVE_LONGER, -1);
  }
}

/* ---- what else the verdict says -------------------------------------------------------- */

static int64_t remaining_window_s(const struct picture *pic) {
  int64_t left = pic->p->observe_window_ms - rcv_window_ms(pic->e);
  if (left < 1000) {
    return 1;
  }
  return left / 1000 + (left % 1000 != 0);
}

static int64_t at_least_one(int64_t s) { return s < 1 ? 1 : s; }

static int64_t look_again_s(const struct picture *pic, const struct rcv_reason *lead) {
  if (lead->code == RCV_CODE_TOO_YOUNG) {
    return at_least_one(rcv_age_limit_s(pic->e, pic->p) - rcv_record_age_s(pic->e));
  }
  if (lead->code == RCV_CODE_QUEUED) {
    return LOOK_AGAIN_QUEUED_S;
  }
  if (lead->code == RCV_CODE_OBSERVE_LONGER) {
    return remaining_window_s(pic);
  }
  if (lead->code == RCV_CODE_SETTLING) {
    if (lead->candidate >= 0 && pic->part[lead->candidate] == RCV_PART_COPY &&
        is_live(pic->own[lead->candidate])) {
      return at_least_one(pic->p->age_terminal_s - settling_age_s(pic));
    }
    return remaining_window_s(pic);
  }
  return rcv_kind_of(lead->code) == RCV_VERDICT_WAIT ? LOOK_AGAIN_S : -1;
}

/* The only confirmed owner: said only when nothing that was seen could contradict it. */
static int64_t confirmed_owner(const struct picture *pic, const struct rcv_verdict *out) {
  int64_t owner = sole_live(pic);
  for (int64_t i = 0; i < out->reasons; i++) {
    if (out->reason[i].code == RCV_CODE_SPLIT_BRAIN ||
        rcv_kind_of(out->reason[i].code) == RCV_VERDICT_UNKNOWN) {
      return -1;
    }
  }
  if (owner == pic->h) {
    return others_empty(pic) ? owner : -1;
  }
  if (pic->foreign > 0 || jobs(pic) > 0 ||
      pic->count[RCV_CLASS_IN] + pic->count[RCV_CLASS_OFF_UNKNOWN] > 0) {
    return -1;
  }
  return owner;
}

void rcv_reasons(const struct rcv_evidence *e, const struct rcv_policy *p,
                 struct rcv_verdict *out) {
  struct picture pic;
  if (e->nova_last.api == RCV_API_OK && e->nova_last.hypervisor == RCV_HV_OTHER) {
    rcv_raise(out, RCV_CODE_NOT_LIBVIRT, e->nova_last.record_host);
    return;
  }
  if (e->too_many == RCV_TRI_YES) {
    rcv_raise(out, RCV_CODE_TOO_MANY_CANDIDATES, -1);
    return;
  }
  picture_make(&pic, e, p);
  raise_api(&pic, out);
  raise_candidates(&pic, out);
  raise_pairs(&pic, out);
  raise_postcopy(&pic, out);
  raise_jobs(&pic, out);
  if (!pic.nothing) {
    raise_ownership(&pic, out);
  }
  raise_elsewhere(&pic, out);
  if (e->nova_last.api == RCV_API_OK) {
    raise_task(&pic, out);
    raise_gate(&pic, out);
    raise_incomplete(&pic, out);
  }
  raise_unstable(&pic, out);
  out->owner = confirmed_owner(&pic, out);
  if (out->reasons < 1 && pic.nothing) {
    rcv_raise(out, RCV_CODE_NOT_WEDGED, pic.h);
  }
  if (out->reasons > 0) {
    out->look_again_s = look_again_s(&pic, &out->reason[0]);
  }
}
