/*
 * The run: a state machine that lets at most one reset out (contract S4, S5).
 *
 * Invariant (run_ok): a reset was sent only after the intent was durable, at most once, and
 * never again from any phase. Proved inductive by tests/proof/prove.
 */
#include "recovery/plan.h"
#include "recovery/spec_run.h"

void rcv_run_start(struct rcv_run *run, int64_t max_gap_ms) {
  run->phase = RCV_PHASE_START;
  run->resets = 0;
  run->intent_durable = 0;
  run->relook_end_ms = -1;
  run->max_gap_ms = max_gap_ms;
}

void rcv_run_looked(struct rcv_run *run, int64_t end_ms) {
  if (run->phase == RCV_PHASE_INTENT) {
    run->relook_end_ms = end_ms;
  }
}

/* Before the intent is durable: stop, nothing has to be written. */
/*@ requires \valid(run) && run_ok(run) && run->intent_durable == 0;
    assigns run->phase;
    ensures run_ok(run) && run->phase == RCV_PHASE_HALTED && \result == RCV_EFFECT_HALT; */
static enum rcv_effect halt(struct rcv_run *run) {
  run->phase = RCV_PHASE_HALTED;
  return RCV_EFFECT_HALT;
}

/* After the intent is durable: every way out writes an outcome first. */
/*@ requires \valid(run) && run_ok(run) && run->intent_durable == 1;
    requires run->phase != RCV_PHASE_HALTED;
    assigns run->phase;
    ensures run_ok(run) && run->phase == RCV_PHASE_VERIFIED;
    ensures \result == RCV_EFFECT_WRITE_OUTCOME; */
static enum rcv_effect write_outcome(struct rcv_run *run) {
  run->phase = RCV_PHASE_VERIFIED;
  return RCV_EFFECT_WRITE_OUTCOME;
}

/*@ requires \valid(run) && run_ok(run) && run->intent_durable == 0;
    requires run->phase != RCV_PHASE_HALTED;
    requires next == RCV_PHASE_DECIDED || next == RCV_PHASE_GATED || next == RCV_PHASE_APPROVED;
    requires effect != RCV_EFFECT_SEND_RESET;
    assigns run->phase;
    ensures run_ok(run) && \result != RCV_EFFECT_SEND_RESET;
    ensures run->phase == next || (run->phase == RCV_PHASE_HALTED && \result == RCV_EFFECT_HALT); */
static enum rcv_effect advance(struct rcv_run *run, int expected, enum rcv_phase next,
                               enum rcv_effect effect) {
  if (!expected) {
    return halt(run);
  }
  run->phase = next;
  return effect;
}

/*@ requires \valid(run) && run_ok(run) && run->phase == RCV_PHASE_APPROVED;
    assigns run->phase, run->intent_durable, run->relook_end_ms;
    ensures run_ok(run) && \result != RCV_EFFECT_SEND_RESET; */
static enum rcv_effect intent_written(struct rcv_run *run, enum rcv_event event) {
  if (event != RCV_EVENT_INTENT_DURABLE) {
    return halt(run);
  }
  run->intent_durable = 1;
  run->relook_end_ms = -1; /* only a look after the intent counts */
  run->phase = RCV_PHASE_INTENT;
  return RCV_EFFECT_RELOOK;
}

/*@ requires \valid_read(run);
    assigns \nothing;
    ensures gap_means_gap: \result == 1 <==> gap_ok(run, now_ms);
    ensures \result == 0 || \result == 1; */
static int within_gap(const struct rcv_run *run, int64_t now_ms) {
  if (run->relook_end_ms < 0 || now_ms < run->relook_end_ms) {
    return 0;
  }
  return now_ms - run->relook_end_ms <= run->max_gap_ms;
}

/* The only way to SEND_RESET: every refusal first. */
/*@ requires \valid(run) && \valid(permit) && \separated(run, permit) && run_ok(run);
    requires relook_after_intent: run->phase == RCV_PHASE_INTENT;
    assigns run->phase, run->resets, permit->spent;
    ensures run_ok(run);
    ensures send_guarded: \result == RCV_EFFECT_SEND_RESET ==>
      event == RCV_EVENT_RELOOK_SAME && \old(permit->minted) == 1 && \old(permit->spent) == 0 &&
      permit->spent == 1 && \old(gap_ok(run, now_ms)) && \old(run->resets) == 0 &&
      run->resets == 1 && run->phase == RCV_PHASE_SENT;
    ensures \result != RCV_EFFECT_SEND_RESET ==> run->resets == \old(run->resets) &&
      \result == RCV_EFFECT_WRITE_OUTCOME && run->phase == RCV_PHASE_VERIFIED; */
static enum rcv_effect relooked(struct rcv_run *run, enum rcv_event event,
                                struct rcv_permit *permit, int64_t now_ms) {
  if (event != RCV_EVENT_RELOOK_SAME) {
    return write_outcome(run);
  }
  if (!within_gap(run, now_ms)) {
    return write_outcome(run);
  }
  if (run->resets != 0 || run->intent_durable != 1) {
    return write_outcome(run);
  }
  if (!rcv_permit_spend(permit)) {
    return write_outcome(run);
  }
  run->resets = 1;
  run->phase = RCV_PHASE_SENT;
  return RCV_EFFECT_SEND_RESET;
}

/*@ requires \valid(run) && run_ok(run) && run->phase == RCV_PHASE_SENT;
    assigns run->phase;
    ensures run_ok(run);
    ensures \result == RCV_EFFECT_VERIFY || \result == RCV_EFFECT_WRITE_OUTCOME; */
static enum rcv_effect sent(struct rcv_run *run, enum rcv_event event) {
  if (event == RCV_EVENT_POST_NOT_APPLIED) {
    return write_outcome(run);
  }
  /* Done, unknown, or anything else after the POST: go and look, never send again. */
  run->phase = RCV_PHASE_ACTED;
  return RCV_EFFECT_VERIFY;
}

enum rcv_effect rcv_run_step(struct rcv_run *run, enum rcv_event event, struct rcv_permit *permit,
                             int64_t now_ms) {
  switch (run->phase) {
  case RCV_PHASE_START:
    return advance(run, event == RCV_EVENT_DECIDED_RESET && permit->minted == 1, RCV_PHASE_DECIDED,
                   RCV_EFFECT_ASK_GATES);
  case RCV_PHASE_DECIDED:
    return advance(run, event == RCV_EVENT_GATES_CLEAR, RCV_PHASE_GATED, RCV_EFFECT_ASK_APPROVAL);
  case RCV_PHASE_GATED:
    return advance(run, event == RCV_EVENT_APPROVAL_CONSUMED, RCV_PHASE_APPROVED,
                   RCV_EFFECT_WRITE_INTENT);
  case RCV_PHASE_APPROVED: return intent_written(run, event);
  case RCV_PHASE_INTENT: return relooked(run, event, permit, now_ms);
  case RCV_PHASE_SENT: return sent(run, event);
  case RCV_PHASE_RELOOKED: /* never rested in: the look and the send are one step */
  case RCV_PHASE_ACTED:    /* verified, well or badly, or the verification failed */
    return write_outcome(run);
  case RCV_PHASE_VERIFIED:
  case RCV_PHASE_HALTED:
  case RCV_PHASE_COUNT: break;
  }
  run->phase = RCV_PHASE_HALTED;
  return RCV_EFFECT_HALT;
}
