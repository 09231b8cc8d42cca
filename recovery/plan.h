/*
 * The plan (what would be done, step by step, with the rung of the ladder and why no higher
 * one is used) and the run (the state machine that permits at most one reset).
 */
#ifndef RCV_PLAN_H
#define RCV_PLAN_H

#include "recovery/decide.h"

/* rulings.md, "The ladder". */
/* clang-format off */
#define RCV_RUNG_LIST(X)                                                                        \
  X(RUNG, NONE, "none") X(RUNG, WAIT, "wait") X(RUNG, ABORT, "abort")                           \
  X(RUNG, START_COMPUTE, "start_compute") X(RUNG, RESET, "reset") X(RUNG, ESCALATE, "escalate")
/* clang-format on */
RCV_ENUM_DEFINE(rcv_rung, RCV_RUNG_LIST, RUNG)

/* clang-format off */
#define RCV_STEP_LIST(X)                                                                        \
  X(STEP, NONE, "none") X(STEP, OBSERVE, "observe") X(STEP, GATES, "gates")                     \
  X(STEP, APPROVAL, "approval") X(STEP, INTENT, "intent") X(STEP, RELOOK, "relook")             \
  X(STEP, RESET, "reset") X(STEP, VERIFY, "verify") X(STEP, OUTCOME, "outcome")                 \
  X(STEP, RESIDUE, "residue")
/* clang-format on */
RCV_ENUM_DEFINE(rcv_step_kind, RCV_STEP_LIST, STEP)

extern const struct rcv_enum rcv_rung_enum, rcv_step_kind_enum;

struct rcv_plan {
  enum rcv_rung rung;         /* the rung this verdict stands on */
  int64_t also_start_compute; /* 1: rung 3 would be right too (starting nova-compute on H) */
  int64_t steps;              /* 0 unless the verdict is RESET */
  enum rcv_step_kind step[RCV_MAX_STEPS];
  enum rcv_vm target; /* ACTIVE; the vm_state the reset asks for */
};
void rcv_plan_make(const struct rcv_evidence *e, const struct rcv_policy *p,
                   const struct rcv_verdict *v, struct rcv_plan *out);
/* Why rung r is not the one used; static text, "" for the used one. */
const char *rcv_plan_why_not(const struct rcv_plan *plan, const struct rcv_evidence *e,
                             enum rcv_rung r);

/* The run: contract S4. Zero is START. HALTED is final. */
/* clang-format off */
#define RCV_PHASE_LIST(X)                                                                       \
  X(PHASE, START, "start") X(PHASE, DECIDED, "decided") X(PHASE, GATED, "gated")                \
  X(PHASE, APPROVED, "approved") X(PHASE, INTENT, "intent") X(PHASE, RELOOKED, "relooked")      \
  X(PHASE, SENT, "sent") X(PHASE, ACTED, "acted") X(PHASE, VERIFIED, "verified")                \
  X(PHASE, HALTED, "halted")
/* clang-format on */
RCV_ENUM_DEFINE(rcv_phase, RCV_PHASE_LIST, PHASE)

/* clang-format off */
#define RCV_EVENT_LIST(X)                                                                       \
  X(EVENT, FAILED, "failed")                 /* anything else went wrong: stop */               \
  X(EVENT, DECIDED_RESET, "decided_reset")   /* full observation, verdict RESET, permit minted */ \
  X(EVENT, GATES_CLEAR, "gates_clear") X(EVENT, APPROVAL_CONSUMED, "approval_consumed")         \
  X(EVENT, INTENT_DURABLE, "intent_durable")                                                    \
  /* RELOOK_SAME: bracketing round and Nova read: still RESET, no decisive fact changed, kill     \
     switch off */                                                                                \
  X(EVENT, RELOOK_SAME, "relook_same")                                                            \
  X(EVENT, POST_DONE, "post_done") X(EVENT, POST_NOT_APPLIED, "post_not_applied")               \
  X(EVENT, POST_UNKNOWN, "post_unknown") X(EVENT, VERIFY_GOOD, "verify_good")                   \
  X(EVENT, VERIFY_BAD, "verify_bad") X(EVENT, OUTCOME_DURABLE, "outcome_durable")
/* clang-format on */
RCV_ENUM_DEFINE(rcv_event, RCV_EVENT_LIST, EVENT)

/* clang-format off */
#define RCV_EFFECT_LIST(X)                                                                      \
  X(EFFECT, HALT, "halt")                    /* stop without acting; nothing else is allowed */ \
  X(EFFECT, ASK_GATES, "ask_gates") X(EFFECT, ASK_APPROVAL, "ask_approval")                     \
  X(EFFECT, WRITE_INTENT, "write_intent") X(EFFECT, RELOOK, "relook")                           \
  X(EFFECT, SEND_RESET, "send_reset") X(EFFECT, VERIFY, "verify")                               \
  X(EFFECT, WRITE_OUTCOME, "write_outcome")  /* then halt */
/* clang-format on */
RCV_ENUM_DEFINE(rcv_effect, RCV_EFFECT_LIST, EFFECT)

extern const struct rcv_enum rcv_phase_enum, rcv_event_enum, rcv_effect_enum;

struct rcv_run {
  enum rcv_phase phase;
  int64_t resets;         /* 0 or 1 */
  int64_t intent_durable; /* 0 or 1 */
  int64_t relook_end_ms;  /* monotonic end of the last look, -1 none */
  int64_t max_gap_ms;     /* apply.max_gap_ms */
};

void rcv_run_start(struct rcv_run *run, int64_t max_gap_ms);

/*
 * One event in, one effect out. SEND_RESET comes back at most once in the life of a run,
 * only after INTENT_DURABLE and RELOOK_SAME, only while permit is minted and unspent (it is
 * spent here), and only when now_ms - relook_end_ms <= max_gap_ms. After INTENT_DURABLE every
 * way out leads through WRITE_OUTCOME. An event that does not belong to the phase halts.
 */
enum rcv_effect rcv_run_step(struct rcv_run *run, enum rcv_event event, struct rcv_permit *permit,
                             int64_t now_ms);
/* For RELOOK_SAME: tell when the last look ended, before stepping. */
void rcv_run_looked(struct rcv_run *run, int64_t end_ms);

#endif
