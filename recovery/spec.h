/*
 * What SAFE means, stated in the facts alone, for the prover (ACSL; compilers see comments).
 *
 * The code never reads this file's predicates and the predicates never name the code's
 * helper results: tests/proof/prove shows that the two agree. SAFETY.md numbers the lemmas.
 */
#ifndef RCV_SPEC_H
#define RCV_SPEC_H

#include "recovery/decide.h"

/* ---- one look ------------------------------------------------------------------------- */
/*@
  predicate look_state{L}(struct rcv_look *k, integer s, integer r) =
    k->state == s && k->reason == r;

  predicate off_reason(integer r) =
    r == 1 || r == 2 || r == 3 || r == 4 || r == 6 || r == 8;

  // Running, whole, without any job, and libvirt's control interface is at ease.
  predicate run_facts{L}(struct rcv_look *k) =
    k->reach == RCV_REACH_OK && k->presence == RCV_PRESENCE_PRESENT &&
    k->active == RCV_TRI_YES && k->state == 1 && 0 <= k->reason <= 9 &&
    k->job == RCV_JOB_NONE && k->control == RCV_CONTROL_OK && k->domain_id > 0;

  // libvirt there answered, and said that it knows no such domain.
  predicate absent_facts{L}(struct rcv_look *k) =
    k->reach == RCV_REACH_OK && k->presence == RCV_PRESENCE_ABSENT;

  // Defined, off, libvirt knows why, and nothing is saved that could be resumed.
  predicate off_facts{L}(struct rcv_look *k) =
    k->reach == RCV_REACH_OK && k->presence == RCV_PRESENCE_PRESENT &&
    k->active == RCV_TRI_NO && k->state == 5 && off_reason(k->reason) &&
    k->managed_save == RCV_TRI_NO &&
    (k->job == RCV_JOB_NONE || k->job == RCV_JOB_INACTIVE) &&
    (k->control == RCV_CONTROL_OK || k->control == RCV_CONTROL_UNKNOWN);

  predicate foreign_facts{L}(struct rcv_look *k) =
    k->reach == RCV_REACH_OK && k->presence == RCV_PRESENCE_PRESENT &&
    (k->owner == RCV_OWNER_DIFFERENT || k->name_equal == RCV_TRI_NO);

  predicate nameless_facts{L}(struct rcv_look *k, struct rcv_policy *p) =
    p->require_metadata != 0 && k->reach == RCV_REACH_OK &&
    k->presence == RCV_PRESENCE_PRESENT && k->owner == RCV_OWNER_NO_METADATA;

  // The domain's XML was read, it is the instance's, and no block job runs on it.
  predicate identified_facts{L}(struct rcv_look *k) =
    k->name_equal == RCV_TRI_YES &&
    (k->owner == RCV_OWNER_EQUAL || k->owner == RCV_OWNER_NO_METADATA) &&
    k->mirror == RCV_TRI_NO;
*/

/* ---- ranges --------------------------------------------------------------------------- */
/*@
  predicate indexes_ok{L}(struct rcv_evidence *e) =
    0 <= e->candidates <= RCV_MAX_CANDIDATES &&
    -1 <= e->nova_first.record_host < e->candidates &&
    -1 <= e->nova_first.mig_source < e->candidates &&
    -1 <= e->nova_first.mig_dest < e->candidates &&
    -1 <= e->nova_last.record_host < e->candidates &&
    -1 <= e->nova_last.mig_source < e->candidates &&
    -1 <= e->nova_last.mig_dest < e->candidates &&
    (\forall integer i; 0 <= i < e->candidates ==>
      -1 <= e->candidate[i].same_uuid_as < e->candidates &&
      -1 <= e->candidate[i].same_name_as < e->candidates);

  // Every enumeration and integer is in its range: facts.def, expanded in evidence.c by the
  // preprocessor. Opaque here; no theorem needs more of it than that it was asked.
  axiomatic Ranges {
    predicate facts_in_range{L}(struct rcv_evidence *e) reads *e;
  }

  predicate valid_evidence{L}(struct rcv_evidence *e) = indexes_ok(e) && facts_in_range(e);

  predicate policy_sound{L}(struct rcv_policy *p) =
    p->valid == 1 && p->observe_rounds >= 2 && p->observe_window_ms >= 1000 &&
    0 <= p->monitor_check <= 1 && 0 <= p->require_metadata <= 1 &&
    p->age_terminal_s >= 0 && p->age_terminal_error_up_s >= 0 &&
    p->age_nonterminal_s >= 0 && p->age_nonterminal_down_s >= 0 &&
    p->age_missing_record_s >= 0;
*/

/* ---- services and attestations -------------------------------------------------------- */
/*@
  logic integer service{L}(struct rcv_candidate *c) =
    c->service_agreed == RCV_TRI_YES ? (integer) c->service_last : (integer) RCV_SVC_UNKNOWN;

  predicate stopped{L}(struct rcv_candidate *c, struct rcv_policy *p) =
    c->attested_stopped == RCV_TRI_YES &&
    (p->attest_accepted & RCV_ATTEST_COMPUTE_STOPPED) != 0 &&
    (service(c) == RCV_SVC_DOWN || service(c) == RCV_SVC_FORCED_DOWN ||
     service(c) == RCV_SVC_MISSING);

  predicate restarted{L}(struct rcv_candidate *c, struct rcv_nova *n, struct rcv_policy *p) =
    c->attested_restarted == RCV_TRI_YES &&
    (p->attest_accepted & RCV_ATTEST_COMPUTE_RESTARTED) != 0 &&
    n->vm_state == RCV_VM_ERROR;

  predicate dead{L}(struct rcv_candidate *c, struct rcv_nova *n, struct rcv_policy *p) =
    service(c) == RCV_SVC_DOWN || stopped(c, p) || restarted(c, n, p);

  predicate unreached{L}(struct rcv_candidate *c) =
    c->first.reach != RCV_REACH_OK && c->last.reach != RCV_REACH_OK;

  // Decommissioned, or dead and powered off: a person said so, and nothing contradicts it.
  predicate gone{L}(struct rcv_candidate *c, struct rcv_policy *p) =
    c->attested_gone == RCV_TRI_YES &&
    (p->attest_accepted & RCV_ATTEST_HOST_GONE) != 0 &&
    c->of_newest_record == RCV_TRI_NO && service(c) == RCV_SVC_MISSING &&
    c->hypervisor_listed == RCV_TRI_NO;

  predicate fenced{L}(struct rcv_candidate *c, struct rcv_policy *p) =
    c->attested_fenced == RCV_TRI_YES && (p->attest_accepted & RCV_ATTEST_HOST_FENCED) != 0;

  predicate excused{L}(struct rcv_evidence *e, struct rcv_policy *p, integer i) =
    i != e->nova_last.record_host && unreached(&e->candidate[i]) &&
    (gone(&e->candidate[i], p) || fenced(&e->candidate[i], p));

  predicate queue_empty{L}(struct rcv_evidence *e, struct rcv_policy *p) =
    e->attested_queue_empty == RCV_TRI_YES &&
    (p->attest_accepted & RCV_ATTEST_QUEUE_EMPTY) != 0;
*/

/* ---- ownership ------------------------------------------------------------------------ */
/*@
  // This candidate certainly has no copy of the guest that runs or could go on running.
  predicate without_copy{L}(struct rcv_evidence *e, struct rcv_policy *p, integer i) =
    !foreign_facts(&e->candidate[i].last) && !nameless_facts(&e->candidate[i].last, p) &&
    (absent_facts(&e->candidate[i].last) || off_facts(&e->candidate[i].last) ||
     excused(e, p, i));

  // Two candidate names cannot be one host: each was told apart, or was never reached.
  predicate told_apart{L}(struct rcv_evidence *e, integer i) =
    (e->candidate[i].same_uuid_as == i ||
     (e->candidate[i].same_uuid_as == -1 && e->candidate[i].last.reach != RCV_REACH_OK)) &&
    (e->candidate[i].same_name_as == i ||
     (e->candidate[i].same_name_as == -1 && e->candidate[i].last.reach != RCV_REACH_OK));

  // A copy that was killed after the record host's guest had been resumed: both may have
  // written (rulings: past split brain).
  predicate killed_beside{L}(struct rcv_look *h, struct rcv_look *t) =
    (h->reason == 5 || h->reason == 6) &&
    t->reach == RCV_REACH_OK && t->presence == RCV_PRESENCE_PRESENT && t->state == 5 &&
    (t->reason == 1 || t->reason == 2 || t->reason == 3 || t->reason == 8);

  predicate owner_facts{L}(struct rcv_candidate *c, struct rcv_policy *p) =
    run_facts(&c->last) && identified_facts(&c->last) && !nameless_facts(&c->last, p) &&
    c->last.monitor != RCV_MONITOR_MUTE;

  predicate other_facts{L}(struct rcv_evidence *e, struct rcv_policy *p, integer i) =
    without_copy(e, p, i) &&
    !killed_beside(&e->candidate[e->nova_last.record_host].last, &e->candidate[i].last);

  predicate candidate_safe{L}(struct rcv_evidence *e, struct rcv_policy *p, integer i) =
    told_apart(e, i) &&
    (i == e->nova_last.record_host ==> owner_facts(&e->candidate[i], p)) &&
    (i != e->nova_last.record_host ==> other_facts(e, p, i));

  predicate ownership_safe{L}(struct rcv_evidence *e, struct rcv_policy *p) =
    0 <= e->nova_last.record_host < e->candidates &&
    (\forall integer i; 0 <= i < e->candidates ==> candidate_safe(e, p, i));

  // The theorem in plain words: one candidate runs the guest, it is the record host, and
  // every other one said that it has none, or has it off, or was named by a person.
  predicate exactly_one_owner{L}(struct rcv_evidence *e, struct rcv_policy *p) =
    \exists integer k; 0 <= k < e->candidates && k == e->nova_last.record_host &&
      run_facts(&e->candidate[k].last) && !foreign_facts(&e->candidate[k].last) &&
      (\forall integer j; 0 <= j < e->candidates && j != k ==>
        !run_facts(&e->candidate[j].last) &&
        (absent_facts(&e->candidate[j].last) || off_facts(&e->candidate[j].last) ||
         excused(e, p, j)));
*/

/* ---- Nova's side ---------------------------------------------------------------------- */
/*@
  logic integer age_between(integer now, integer then) =
    now < 0 || then < 0 || now < then ? 0 : now - then;

  logic integer record_age{L}(struct rcv_evidence *e) =
    age_between(e->nova_last.now_s,
      e->nova_last.mig_present == RCV_TRI_YES ? e->nova_last.mig_updated_s :
      e->nova_last.action_start_s >= 0 ? e->nova_last.action_start_s :
      e->nova_last.server_updated_s);

  predicate source_dead{L}(struct rcv_evidence *e, struct rcv_policy *p) =
    0 <= e->nova_last.mig_source < e->candidates &&
    dead(&e->candidate[e->nova_last.mig_source], &e->nova_last, p);

  predicate old_enough{L}(struct rcv_evidence *e, struct rcv_policy *p, integer if_dead,
                          integer if_alive) =
    (source_dead(e, p) ==> record_age(e) >= if_dead) &&
    (!source_dead(e, p) ==> record_age(e) >= if_alive);

  // A person says that the source's nova-compute is really gone, not only "down".
  predicate source_attested{L}(struct rcv_evidence *e, struct rcv_policy *p) =
    0 <= e->nova_last.mig_source < e->candidates &&
    (stopped(&e->candidate[e->nova_last.mig_source], p) ||
     restarted(&e->candidate[e->nova_last.mig_source], &e->nova_last, p));

  // No nova-compute can be at work on a record that never ended.
  predicate unfinished_clear{L}(struct rcv_evidence *e, struct rcv_policy *p) =
    source_dead(e, p) && record_age(e) >= p->age_nonterminal_down_s &&
    (source_attested(e, p) ||
     ((e->nova_last.mig_status == RCV_MIG_RUNNING ||
       e->nova_last.mig_status == RCV_MIG_POSTCOPY) &&
      (p->attest_required & RCV_ATTEST_COMPUTE_STOPPED) == 0));

  predicate status_clear{L}(struct rcv_evidence *e, struct rcv_policy *p) =
    (e->nova_last.mig_status == RCV_MIG_ACCEPTED && queue_empty(e, p) &&
      old_enough(e, p, p->age_nonterminal_down_s, p->age_nonterminal_s)) ||
    (e->nova_last.mig_status == RCV_MIG_QUEUED &&
      e->nova_last.queued_behind == RCV_TRI_NO && unfinished_clear(e, p)) ||
    ((e->nova_last.mig_status == RCV_MIG_PREPARING ||
      e->nova_last.mig_status == RCV_MIG_RUNNING) && unfinished_clear(e, p)) ||
    (e->nova_last.mig_status == RCV_MIG_POSTCOPY &&
      e->nova_last.record_host != e->nova_last.mig_source && unfinished_clear(e, p)) ||
    (e->nova_last.mig_status == RCV_MIG_COMPLETED &&
      e->nova_last.record_host != e->nova_last.mig_source &&
      record_age(e) >= p->age_terminal_s) ||
    ((e->nova_last.mig_status == RCV_MIG_FAILED ||
      e->nova_last.mig_status == RCV_MIG_CANCELLED) && record_age(e) >= p->age_terminal_s) ||
    (e->nova_last.mig_status == RCV_MIG_ERROR &&
      old_enough(e, p, p->age_terminal_s, p->age_terminal_error_up_s));

  predicate missing_clear{L}(struct rcv_evidence *e, struct rcv_policy *p) =
    record_age(e) >= p->age_terminal_s &&
    (queue_empty(e, p) ||
     (record_age(e) >= p->age_missing_record_s && e->conductor_always_up == RCV_TRI_YES));

  // Nobody in Nova can still be finishing the migration.
  predicate migration_clear{L}(struct rcv_evidence *e, struct rcv_policy *p) =
    (e->nova_last.mig_present == RCV_TRI_NO && missing_clear(e, p)) ||
    (e->nova_last.mig_present == RCV_TRI_YES &&
      (e->nova_last.record_host == e->nova_last.mig_source ||
       e->nova_last.record_host == e->nova_last.mig_dest) && status_clear(e, p));

  predicate record_readable{L}(struct rcv_nova *n) =
    n->mig_present == RCV_TRI_NO ||
    (n->mig_present == RCV_TRI_YES && n->mig_type == RCV_MTYPE_LIVE && n->mig_source >= 0 &&
     (n->mig_dest >= 0 || n->mig_status == RCV_MIG_ACCEPTED));

  predicate vm_state_clear{L}(struct rcv_evidence *e, struct rcv_policy *p) =
    e->nova_last.vm_state == RCV_VM_ACTIVE ||
    (e->nova_last.vm_state == RCV_VM_ERROR &&
     0 <= e->nova_last.record_host < e->candidates &&
     (stopped(&e->candidate[e->nova_last.record_host], p) ||
      restarted(&e->candidate[e->nova_last.record_host], &e->nova_last, p)));

  predicate nova_safe{L}(struct rcv_evidence *e, struct rcv_policy *p) =
    e->too_many == RCV_TRI_NO && e->nova_last.api == RCV_API_OK &&
    e->nova_last.hypervisor == RCV_HV_QEMU &&
    e->nova_last.task_state == RCV_TASK_MIGRATING && vm_state_clear(e, p) &&
    (e->nova_last.newer_action == RCV_ACT_NONE ||
     e->nova_last.newer_action == RCV_ACT_HARMLESS) &&
    (e->nova_last.evacuation == RCV_EVAC_NONE || e->nova_last.evacuation == RCV_EVAC_OLDER) &&
    record_readable(&e->nova_last) && migration_clear(e, p);
*/

/* ---- the observation ------------------------------------------------------------------ */
/*@
  logic integer window{L}(struct rcv_evidence *e) =
    e->rounds < 1 || e->first_round_ms < 0 || e->last_round_ms < e->first_round_ms
      ? 0 : e->last_round_ms - e->first_round_ms;

  // Long enough, often enough, nothing changed, and Nova was read before and after.
  predicate settled{L}(struct rcv_evidence *e, struct rcv_policy *p) =
    e->rounds >= 1 && e->rounds >= p->observe_rounds && window(e) >= p->observe_window_ms &&
    e->nova_reads >= 2 && e->nova_agreed == RCV_TRI_YES && e->heartbeat == RCV_TRI_NO &&
    0 <= e->nova_first.end_ms <= e->first_round_ms &&
    0 <= e->last_round_ms <= e->nova_last.start_ms &&
    (\forall integer i; 0 <= i < e->candidates ==>
      e->candidate[i].agreed == RCV_TRI_YES);

  predicate complete{L}(struct rcv_evidence *e, struct rcv_policy *p) =
    settled(e, p) && 0 <= e->nova_last.record_host < e->candidates &&
    (p->monitor_check == 0 ||
     e->candidate[e->nova_last.record_host].last.monitor == RCV_MONITOR_ANSWERED);

  // SAFE (contract S1). RESET if and only if this.
  predicate safe{L}(struct rcv_evidence *e, struct rcv_policy *p) =
    policy_sound(p) && valid_evidence(e) && nova_safe(e, p) && ownership_safe(e, p) &&
    complete(e, p);
*/

/* ---- contracts of the public functions ------------------------------------------------- */

/*@ requires \valid_read(look);
    assigns \nothing;
    ensures class_run: \result == RCV_CLASS_RUN <==> run_facts(look);
    ensures class_absent: \result == RCV_CLASS_ABSENT <==> absent_facts(look);
    ensures class_off: \result == RCV_CLASS_OFF_DEFINITE <==> off_facts(look);
    ensures class_range: 0 <= \result < RCV_CLASS_COUNT; */
enum rcv_class rcv_classify(const struct rcv_look *look);

/*@ requires \valid_read(e) && \valid_read(p);
    assigns \nothing;
    ensures safe_means_safe: \result == 1 <==> safe(e, p);
    ensures safe_one_owner: \result == 1 ==> exactly_one_owner(e, p);
    ensures \result == 0 || \result == 1; */
int rcv_safe(const struct rcv_evidence *e, const struct rcv_policy *p);

/*@ requires \valid_read(e);
    assigns \nothing;
    ensures valid_means_valid: \result == 1 <==> valid_evidence(e);
    ensures \result == 0 || \result == 1; */
int rcv_evidence_valid(const struct rcv_evidence *e);

/*@ requires \valid_read(e);
    assigns \nothing;
    ensures window_means_window: \result == window(e);
    ensures \result >= 0; */
int64_t rcv_window_ms(const struct rcv_evidence *e);

/*@ requires \valid(permit);
    assigns permit->spent;
    ensures spent_once: \result == 1 <==>
      \old(permit->minted) == 1 && \old(permit->spent) == 0;
    ensures spent_after: \result == 1 ==> permit->spent == 1;
    ensures \result == 0 ==> permit->spent == \old(permit->spent);
    ensures \result == 0 || \result == 1; */
int rcv_permit_spend(struct rcv_permit *permit);

/*@ requires \valid_read(e) && \valid_read(p) && \valid(out) && \valid(permit);
    requires binding == \null || \valid_read(binding);
    requires \separated(out, permit, e, p);
    requires binding != \null ==> \separated(binding, out, permit);
    assigns *out, *permit;
    ensures reset_means_safe: out->kind == RCV_VERDICT_RESET <==> \old(safe(e, p));
    ensures reset_one_owner: out->kind == RCV_VERDICT_RESET ==> \old(exactly_one_owner(e, p));
    ensures permit_needs_reset: permit->minted == 1 ==> out->kind == RCV_VERDICT_RESET;
    ensures permit_needs_policy: permit->minted == 1 ==> \old(p->allow_reset) == 1;
    ensures permit_needs_binding: permit->minted == 1 ==> binding != \null;
    ensures permit_for_record_host: permit->minted == 1 ==>
      permit->record_host == \old(e->nova_last.record_host);
    ensures permit_unspent: permit->spent == 0 && (permit->minted == 0 || permit->minted == 1);
    ensures reset_minted: out->kind == RCV_VERDICT_RESET && \old(p->allow_reset) == 1 &&
      binding != \null ==> permit->minted == 1;
    ensures reasons_bounded: 0 <= out->reasons <= RCV_MAX_REASONS; */
void rcv_decide(const struct rcv_evidence *e, const struct rcv_policy *p,
                const struct rcv_binding *binding, struct rcv_verdict *out,
                struct rcv_permit *permit);

/*@ requires \valid_read(v);
    assigns \nothing; */
int rcv_worth_observing(const struct rcv_verdict *v);

/*@ requires \valid_read(v);
    assigns \nothing; */
int rcv_exit_status(const struct rcv_verdict *v);

#endif
