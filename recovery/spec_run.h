/*
 * What the run promises, for the prover (ACSL; compilers see comments).
 */
#ifndef RCV_SPEC_RUN_H
#define RCV_SPEC_RUN_H

#include "recovery/plan.h"
#include "recovery/spec.h"

/*@
  predicate before_intent{L}(struct rcv_run *r) =
    r->phase == RCV_PHASE_START || r->phase == RCV_PHASE_DECIDED ||
    r->phase == RCV_PHASE_GATED || r->phase == RCV_PHASE_APPROVED;

  predicate run_ok{L}(struct rcv_run *r) =
    (r->resets == 0 || r->resets == 1) &&
    (r->intent_durable == 0 || r->intent_durable == 1) &&
    (before_intent(r) ==> r->intent_durable == 0) &&
    (!before_intent(r) && r->phase != RCV_PHASE_HALTED ==> r->intent_durable == 1) &&
    (r->resets == 1 ==> r->intent_durable == 1) &&
    (r->phase == RCV_PHASE_INTENT || r->phase == RCV_PHASE_RELOOKED ==> r->resets == 0) &&
    (r->phase == RCV_PHASE_SENT ==> r->resets == 1) &&
    0 <= r->phase < RCV_PHASE_COUNT;

  // The last look ended before now and at most max_gap_ms ago.
  predicate gap_ok{L}(struct rcv_run *r, integer now) =
    0 <= r->relook_end_ms <= now && now - r->relook_end_ms <= r->max_gap_ms;
*/

/*@ requires \valid(run);
    assigns *run;
    ensures start_ok: run_ok(run) && run->resets == 0 && run->phase == RCV_PHASE_START;
    ensures run->intent_durable == 0 && run->max_gap_ms == max_gap_ms; */
void rcv_run_start(struct rcv_run *run, int64_t max_gap_ms);

/*@ requires \valid(run) && run_ok(run);
    assigns run->relook_end_ms;
    ensures looked_ok: run_ok(run); */
void rcv_run_looked(struct rcv_run *run, int64_t end_ms);

/*@ requires \valid(run) && \valid(permit) && \separated(run, permit);
    requires run_ok(run);
    assigns run->phase, run->resets, run->intent_durable, run->relook_end_ms, permit->spent;
    ensures run_invariant: run_ok(run);
    ensures send_at_most_once:
      run->resets == \old(run->resets) + (\result == RCV_EFFECT_SEND_RESET ? 1 : 0) &&
      run->resets <= 1;
    ensures send_needs_permit: \result == RCV_EFFECT_SEND_RESET ==>
      \old(permit->minted) == 1 && \old(permit->spent) == 0 && permit->spent == 1;
    ensures send_needs_intent: \result == RCV_EFFECT_SEND_RESET ==>
      \old(run->intent_durable) == 1 && \old(run->phase) == RCV_PHASE_INTENT;
    ensures send_needs_relook: \result == RCV_EFFECT_SEND_RESET ==>
      event == RCV_EVENT_RELOOK_SAME && \old(gap_ok(run, now_ms));
    ensures halted_is_final: \old(run->phase) == RCV_PHASE_HALTED ==>
      \result == RCV_EFFECT_HALT && run->phase == RCV_PHASE_HALTED;
    ensures outcome_before_halt: \old(run->intent_durable) == 1 &&
      \old(run->phase) != RCV_PHASE_VERIFIED && \old(run->phase) != RCV_PHASE_HALTED ==>
      \result != RCV_EFFECT_HALT; */
enum rcv_effect rcv_run_step(struct rcv_run *run, enum rcv_event event, struct rcv_permit *permit,
                             int64_t now_ms);

#endif
