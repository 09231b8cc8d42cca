/*
 * The fold: readings and looks, in the order in which they ended, become evidence. What
 * counts as a round is decided here and nowhere else (contract section 1): every other
 * candidate's look lies wholly between two looks of the record host.
 */
#include "recovery/inner.h"

static void forget_others(struct rcv_fold *f) {
  for (int64_t i = 0; i < RCV_MAX_CANDIDATES; i++) {
    f->other_start_ms[i] = -1;
    f->other_end_ms[i] = -1;
  }
}

void rcv_fold_init(struct rcv_fold *f) {
  f->h_prev_start_ms = -1;
  f->h_prev_end_ms = -1;
  forget_others(f);
}

/* ---- readings of Nova ------------------------------------------------------------------ */

#define DIFFERS_DECISIVE(a, b, field) differ = differ || (a)->field != (b)->field;
#define DIFFERS_VOLATILE(a, b, field)
#define DIFFERS_INFORMATIVE(a, b, field)
#define NOVA_ENUM(tag, field, role, doc) DIFFERS_##role(a, b, field)
#define NOVA_INT(unit, field, role, doc) DIFFERS_##role(a, b, field)

static int nova_differs(const struct rcv_nova *a, const struct rcv_nova *b) {
  int differ = 0;
  RCV_NOVA_FACTS(NOVA_ENUM, NOVA_INT)
  return differ;
}

/* Whatever a nova-compute at work would move (rulings: heartbeat). */
static int heartbeat_moved(const struct rcv_nova *a, const struct rcv_nova *b,
                           enum rcv_tri only_lock_changed) {
  if (a->server_updated_s != b->server_updated_s && only_lock_changed != RCV_TRI_YES) {
    return 1;
  }
  return a->mig_updated_s != b->mig_updated_s || a->mig_status != b->mig_status ||
         a->progress != b->progress || a->memory_processed != b->memory_processed ||
         a->memory_remaining != b->memory_remaining || a->disk_processed != b->disk_processed ||
         a->disk_remaining != b->disk_remaining;
}

static enum rcv_tri both(enum rcv_tri a, enum rcv_tri b) {
  if (a == RCV_TRI_NO || b == RCV_TRI_NO) {
    return RCV_TRI_NO;
  }
  return a == RCV_TRI_YES && b == RCV_TRI_YES ? RCV_TRI_YES : RCV_TRI_UNKNOWN;
}

static void fold_services(struct rcv_evidence *e, const enum rcv_svc *services, int first) {
  for (int64_t i = 0; i < e->candidates && i < RCV_MAX_CANDIDATES; i++) {
    struct rcv_candidate *c = &e->candidate[i];
    if (first) {
      c->service_first = services[i];
      c->service_agreed = RCV_TRI_YES;
    } else if (services[i] != c->service_first) {
      c->service_agreed = RCV_TRI_NO;
    }
    c->service_last = services[i];
  }
}

void rcv_fold_nova(struct rcv_fold *f, struct rcv_evidence *e, const struct rcv_nova *reading,
                   const enum rcv_svc services[RCV_MAX_CANDIDATES],
                   enum rcv_tri only_lock_changed) {
  int first = e->nova_reads < 1;
  if (e->sealed == RCV_TRI_YES) {
    return;
  }
  if (first) {
    e->nova_first = *reading;
    e->nova_agreed = RCV_TRI_YES;
    e->conductor_always_up = reading->conductor_up;
    e->nova_reads = 0;
  } else {
    if (nova_differs(&e->nova_first, reading)) {
      e->nova_agreed = RCV_TRI_NO;
    }
    if (heartbeat_moved(&e->nova_last, reading, only_lock_changed)) {
      e->heartbeat = RCV_TRI_YES;
    } else if (e->heartbeat == RCV_TRI_UNKNOWN) {
      e->heartbeat = RCV_TRI_NO;
    }
    e->conductor_always_up = both(e->conductor_always_up, reading->conductor_up);
  }
  /* Rounds are counted around the record host: a new one begins again. */
  if (!first && reading->record_host != e->nova_last.record_host) {
    rcv_fold_init(f);
  }
  e->nova_last = *reading;
  e->nova_reads++;
  fold_services(e, services, first);
}

/* ---- looks ------------------------------------------------------------------------------ */

#define LOOK_ENUM(tag, field, role, doc) DIFFERS_##role(a, b, field)
#define LOOK_INT(unit, field, role, doc) DIFFERS_##role(a, b, field)

/* Two looks that both came to nothing tell the same, however they failed: nothing. The
   monitor is read once, late, and only where all else is well: not having read it (yet) is
   no disagreement. */
static int look_differs(const struct rcv_look *before, const struct rcv_look *look) {
  struct rcv_look same = *look;
  const struct rcv_look *a = before;
  const struct rcv_look *b = &same;
  int differ = 0;
  if (a->reach != RCV_REACH_OK && b->reach != RCV_REACH_OK) {
    return 0;
  }
  if (a->monitor == RCV_MONITOR_UNKNOWN || b->monitor == RCV_MONITOR_UNKNOWN) {
    same.monitor = a->monitor;
  }
  RCV_LOOK_FACTS(LOOK_ENUM, LOOK_INT)
  return differ;
}

static enum rcv_tri grew(int64_t before, int64_t after) {
  if (before < 0 || after < 0) {
    return RCV_TRI_UNKNOWN;
  }
  return after > before ? RCV_TRI_YES : RCV_TRI_NO;
}

static int job_moved(const struct rcv_look *a, const struct rcv_look *b) {
  return a->data_processed != b->data_processed || a->data_remaining != b->data_remaining ||
         a->iteration != b->iteration;
}

static int has_job_numbers(const struct rcv_look *k) {
  return k->data_processed >= 0 || k->data_remaining >= 0 || k->iteration >= 0;
}

static void fold_motion(struct rcv_candidate *c, const struct rcv_look *look) {
  enum rcv_tri vcpu = grew(c->last.vcpu_time_ms, look->vcpu_time_ms);
  if (c->looks == 1) {
    c->vcpu_advancing = vcpu;
  } else if (c->vcpu_advancing == RCV_TRI_YES) {
    c->vcpu_advancing = vcpu;
  } else if (vcpu == RCV_TRI_NO) {
    c->vcpu_advancing = RCV_TRI_NO;
  }
  if (!has_job_numbers(&c->last) || !has_job_numbers(look)) {
    return;
  }
  if (job_moved(&c->last, look)) {
    c->progressing = RCV_TRI_YES;
  } else if (c->progressing == RCV_TRI_UNKNOWN) {
    c->progressing = RCV_TRI_NO;
  }
}

static void fold_candidate(struct rcv_candidate *c, const struct rcv_look *look) {
  enum rcv_class class = rcv_classify(look);
  enum rcv_monitor monitor = c->last.monitor;
  if (c->looks < 1) {
    c->looks = 0;
    c->first = *look;
    c->agreed = RCV_TRI_YES;
    c->seen_postcopy = RCV_TRI_NO;
  } else {
    if (look_differs(&c->last, look)) {
      c->agreed = RCV_TRI_NO;
    }
    fold_motion(c, look);
  }
  if (class == RCV_CLASS_PC || class == RCV_CLASS_PCF) {
    c->seen_postcopy = RCV_TRI_YES;
  }
  c->last = *look;
  if (look->monitor == RCV_MONITOR_UNKNOWN) {
    c->last.monitor = monitor;
  }
  c->looks++;
}

/* The record host was looked at: does what lies behind make a round? */
static int closes_round(const struct rcv_fold *f, const struct rcv_evidence *e, int64_t h,
                        const struct rcv_look *look) {
  if (f->h_prev_end_ms < 0 || look->start_ms < f->h_prev_end_ms) {
    return 0;
  }
  for (int64_t i = 0; i < e->candidates; i++) {
    if (i != h && (f->other_start_ms[i] < 0 || f->other_end_ms[i] > look->start_ms)) {
      return 0;
    }
  }
  return 1;
}

static void fold_record_host(struct rcv_fold *f, struct rcv_evidence *e, int64_t h,
                             const struct rcv_look *look) {
  if (closes_round(f, e, h, look)) {
    if (e->rounds < 1) {
      e->rounds = 0;
      e->first_round_ms = f->h_prev_start_ms;
    }
    e->rounds++;
    e->last_round_ms = look->end_ms;
  }
  f->h_prev_start_ms = look->start_ms;
  f->h_prev_end_ms = look->end_ms;
  forget_others(f);
}

/* Only a look that began after the record host's counts; the first such one is kept. */
static void fold_other(struct rcv_fold *f, int64_t i, const struct rcv_look *look) {
  if (f->h_prev_end_ms < 0 || look->start_ms < f->h_prev_end_ms || look->end_ms < look->start_ms ||
      f->other_start_ms[i] >= 0) {
    return;
  }
  f->other_start_ms[i] = look->start_ms;
  f->other_end_ms[i] = look->end_ms;
}

void rcv_fold_look(struct rcv_fold *f, struct rcv_evidence *e, int64_t index,
                   const struct rcv_look *look) {
  if (e->sealed == RCV_TRI_YES || index < 0 || index >= e->candidates ||
      index >= RCV_MAX_CANDIDATES || look->start_ms < 0 || look->end_ms < look->start_ms) {
    return;
  }
  fold_candidate(&e->candidate[index], look);
  if (index == e->nova_last.record_host) {
    fold_record_host(f, e, index, look);
  } else {
    fold_other(f, index, look);
  }
}

void rcv_evidence_seal(struct rcv_evidence *e) { e->sealed = RCV_TRI_YES; }
