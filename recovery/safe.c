/*
 * SAFE, written once (contract S1): one owner, it is the record host, nobody in Nova can
 * still be at work, and the observation is complete. Contracts: spec.h and inner.h.
 */
#include "recovery/inner.h"

int rcv_foreign(const struct rcv_look *k) {
  return k->reach == RCV_REACH_OK && k->presence == RCV_PRESENCE_PRESENT &&
         (k->owner == RCV_OWNER_DIFFERENT || k->name_equal == RCV_TRI_NO);
}

int rcv_nameless(const struct rcv_look *k, const struct rcv_policy *p) {
  return p->require_metadata != 0 && k->reach == RCV_REACH_OK &&
         k->presence == RCV_PRESENCE_PRESENT && k->owner == RCV_OWNER_NO_METADATA;
}

int rcv_killed_beside(const struct rcv_look *h, const struct rcv_look *t) {
  if (h->reason != 5 && h->reason != 6) { /* unpaused; migration canceled */
    return 0;
  }
  return t->reach == RCV_REACH_OK && t->presence == RCV_PRESENCE_PRESENT && t->state == 5 &&
         (t->reason == 1 || t->reason == 2 || t->reason == 3 || t->reason == 8);
}

/*@ requires \valid_read(e) && 0 <= i < e->candidates <= RCV_MAX_CANDIDATES;
    assigns \nothing;
    ensures apart_means_apart: \result == 1 <==> told_apart(e, i);
    ensures \result == 0 || \result == 1; */
static int told_apart(const struct rcv_evidence *e, int64_t i) {
  const struct rcv_candidate *c = &e->candidate[i];
  int unknown_ok = c->last.reach != RCV_REACH_OK;
  if (c->same_uuid_as != i && !(c->same_uuid_as == -1 && unknown_ok)) {
    return 0;
  }
  return c->same_name_as == i || (c->same_name_as == -1 && unknown_ok);
}

/*@ requires \valid_read(c) && \valid_read(p);
    assigns \nothing;
    ensures owner_means_owner: \result == 1 <==> owner_facts(c, p);
    ensures \result == 0 || \result == 1; */
static int is_owner(const struct rcv_candidate *c, const struct rcv_policy *p) {
  const struct rcv_look *k = &c->last;
  if (rcv_classify(k) != RCV_CLASS_RUN || rcv_nameless(k, p)) {
    return 0;
  }
  if (k->name_equal != RCV_TRI_YES || k->mirror != RCV_TRI_NO) {
    return 0;
  }
  if (k->owner != RCV_OWNER_EQUAL && k->owner != RCV_OWNER_NO_METADATA) {
    return 0;
  }
  return k->monitor != RCV_MONITOR_MUTE;
}

/*@ requires \valid_read(e) && \valid_read(p) && indexes_ok(e);
    requires 0 <= i < e->candidates && 0 <= e->nova_last.record_host;
    assigns \nothing;
    ensures other_means_other: \result == 1 <==> other_facts(e, p, i);
    ensures \result == 0 || \result == 1; */
static int has_no_copy(const struct rcv_evidence *e, const struct rcv_policy *p, int64_t i) {
  const struct rcv_look *k = &e->candidate[i].last;
  enum rcv_class c = rcv_classify(k);
  if (rcv_foreign(k) || rcv_nameless(k, p)) {
    return 0;
  }
  if (rcv_killed_beside(&e->candidate[e->nova_last.record_host].last, k)) {
    return 0;
  }
  return c == RCV_CLASS_ABSENT || c == RCV_CLASS_OFF_DEFINITE || rcv_excused(e, p, i);
}

/*@ requires \valid_read(e) && \valid_read(p) && indexes_ok(e);
    requires 0 <= i < e->candidates && 0 <= e->nova_last.record_host;
    assigns \nothing;
    ensures candidate_means_candidate: \result == 1 <==> candidate_safe(e, p, i);
    ensures \result == 0 || \result == 1; */
static int candidate_safe(const struct rcv_evidence *e, const struct rcv_policy *p, int64_t i) {
  if (!told_apart(e, i)) {
    return 0;
  }
  if (i == e->nova_last.record_host) {
    return is_owner(&e->candidate[i], p);
  }
  return has_no_copy(e, p, i);
}

int rcv_ownership_safe(const struct rcv_evidence *e, const struct rcv_policy *p) {
  if (e->nova_last.record_host < 0) {
    return 0;
  }
  /*@ loop invariant 0 <= i <= e->candidates;
      loop invariant \forall integer j; 0 <= j < i ==> candidate_safe(e, p, j);
      loop assigns i;
      loop variant e->candidates - i; */
  for (int64_t i = 0; i < e->candidates; i++) {
    if (!candidate_safe(e, p, i)) {
      return 0;
    }
  }
  /*@ assert the_owner: candidate_safe(e, p, e->nova_last.record_host); */
  /*@ assert it_runs: run_facts(&e->candidate[e->nova_last.record_host].last) &&
        !foreign_facts(&e->candidate[e->nova_last.record_host].last); */
  /*@ assert others_empty: \forall integer j;
        0 <= j < e->candidates && j != e->nova_last.record_host ==>
        without_copy(e, p, j); */
  /*@ assert others_idle: \forall integer j;
        0 <= j < e->candidates && j != e->nova_last.record_host ==>
        !run_facts(&e->candidate[j].last) &&
        (absent_facts(&e->candidate[j].last) || off_facts(&e->candidate[j].last) ||
         excused(e, p, j)); */
  return 1;
}

/*@ requires \valid_read(e) && indexes_ok(e);
    assigns \nothing;
    ensures agreed_means_agreed: \result == 1 <==>
      (\forall integer i; 0 <= i < e->candidates ==> e->candidate[i].agreed == RCV_TRI_YES);
    ensures \result == 0 || \result == 1; */
static int all_agreed(const struct rcv_evidence *e) {
  /*@ loop invariant 0 <= i <= e->candidates;
      loop invariant all_steady: \forall integer j; 0 <= j < i ==>
        e->candidate[j].agreed == RCV_TRI_YES;
      loop assigns i;
      loop variant e->candidates - i; */
  for (int64_t i = 0; i < e->candidates; i++) {
    if (e->candidate[i].agreed != RCV_TRI_YES) {
      return 0;
    }
  }
  return 1;
}

int rcv_settled(const struct rcv_evidence *e, const struct rcv_policy *p) {
  if (e->rounds < 1 || e->rounds < p->observe_rounds) {
    return 0;
  }
  if (rcv_window_ms(e) < p->observe_window_ms) {
    return 0;
  }
  if (e->nova_reads < 2 || e->nova_agreed != RCV_TRI_YES || e->heartbeat != RCV_TRI_NO) {
    return 0;
  }
  if (e->nova_first.end_ms < 0 || e->nova_first.end_ms > e->first_round_ms) {
    return 0;
  }
  if (e->last_round_ms < 0 || e->nova_last.start_ms < e->last_round_ms) {
    return 0;
  }
  return all_agreed(e);
}

int rcv_complete(const struct rcv_evidence *e, const struct rcv_policy *p) {
  if (e->nova_last.record_host < 0 || !rcv_settled(e, p)) {
    return 0;
  }
  return p->monitor_check == 0 ||
         e->candidate[e->nova_last.record_host].last.monitor == RCV_MONITOR_ANSWERED;
}

int rcv_safe(const struct rcv_evidence *e, const struct rcv_policy *p) {
  if (!rcv_policy_sound(p) || !rcv_evidence_valid(e)) {
    return 0;
  }
  if (!rcv_nova_safe(e, p)) {
    return 0;
  }
  if (!rcv_ownership_safe(e, p)) {
    return 0;
  }
  return rcv_complete(e, p);
}
