/*
 * The list of reasons, kept in the order of precedence, so that reason[0] leads.
 */
#include "recovery/inner.h"

void rcv_verdict_init(struct rcv_verdict *out) {
  out->kind = RCV_VERDICT_NONE;
  out->code = RCV_CODE_UNSET;
  out->reasons = 0;
  out->owner = -1;
  out->look_again_s = -1;
  out->complete = 0;
  /*@ loop invariant 0 <= i <= RCV_MAX_REASONS;
      loop assigns i, out->reason[0 .. RCV_MAX_REASONS - 1];
      loop variant RCV_MAX_REASONS - i; */
  for (int64_t i = 0; i < RCV_MAX_REASONS; i++) {
    out->reason[i].code = RCV_CODE_UNSET;
    out->reason[i].candidate = -1;
  }
  /*@ loop invariant 0 <= i <= RCV_MAX_CANDIDATES;
      loop assigns i, out->class_of[0 .. RCV_MAX_CANDIDATES - 1];
      loop variant RCV_MAX_CANDIDATES - i; */
  for (int64_t i = 0; i < RCV_MAX_CANDIDATES; i++) {
    out->class_of[i] = RCV_CLASS_UNKNOWN;
  }
}

/*
 * Contract section 3: SPLIT_BRAIN > POSTCOPY_FAILED > UNKNOWN > WAIT > other REFUSE >
 * guards; within one tier the lowest number. Those that never lead come last.
 */
/*@ assigns \nothing; */
static int64_t rank_of(enum rcv_code code) {
  int64_t number = (int64_t)code;
  if (code == RCV_CODE_JOB_STALLED || code == RCV_CODE_JOB_ORPHANED ||
      code == RCV_CODE_RUNS_ELSEWHERE) {
    return 9000 + number;
  }
  if (code == RCV_CODE_SPLIT_BRAIN) {
    return 0;
  }
  if (code == RCV_CODE_POSTCOPY_FAILED) {
    return 1000;
  }
  if (code == RCV_CODE_EVIDENCE_INVALID || (number >= 400 && number < 500)) {
    return 2000 + number;
  }
  if (number >= 300 && number < 400) {
    return 3000 + number;
  }
  if (code == RCV_CODE_ATTESTATION_REQUIRED) {
    return 5999;
  }
  if (number >= 500 && number < 600) {
    return 5000 + number;
  }
  return 4000 + number;
}

/*@ requires \valid_read(out) && 0 <= out->reasons <= RCV_MAX_REASONS;
    assigns \nothing;
    ensures \result == 0 || \result == 1; */
static int already(const struct rcv_verdict *out, enum rcv_code code, int64_t candidate) {
  /*@ loop invariant 0 <= i <= out->reasons;
      loop assigns i;
      loop variant out->reasons - i; */
  for (int64_t i = 0; i < out->reasons; i++) {
    if (out->reason[i].code == code && out->reason[i].candidate == candidate) {
      return 1;
    }
  }
  return 0;
}

void rcv_raise(struct rcv_verdict *out, enum rcv_code code, int64_t candidate) {
  int64_t at = out->reasons;
  if (already(out, code, candidate)) {
    return;
  }
  if (at == RCV_MAX_REASONS) {
    at = RCV_MAX_REASONS - 1;
    if (rank_of(out->reason[at].code) <= rank_of(code)) {
      return;
    }
  } else {
    out->reasons = at + 1;
  }
  /*@ loop invariant 0 <= at < RCV_MAX_REASONS;
      loop assigns at, out->reason[0 .. RCV_MAX_REASONS - 1];
      loop variant at; */
  while (at > 0 && rank_of(out->reason[at - 1].code) > rank_of(code)) {
    out->reason[at].code = out->reason[at - 1].code;
    out->reason[at].candidate = out->reason[at - 1].candidate;
    at = at - 1;
  }
  out->reason[at].code = code;
  out->reason[at].candidate = candidate;
}

enum rcv_verdict_kind rcv_kind_of(enum rcv_code code) {
  int64_t number = (int64_t)code;
  if (code == RCV_CODE_NOT_WEDGED) {
    return RCV_VERDICT_NOTHING;
  }
  if (code == RCV_CODE_EVIDENCE_INVALID || (number >= 400 && number < 500)) {
    return RCV_VERDICT_UNKNOWN;
  }
  if (number >= 300 && number < 400) {
    return RCV_VERDICT_WAIT;
  }
  return RCV_VERDICT_REFUSE;
}

int rcv_worth_observing(const struct rcv_verdict *v) {
  return v->kind == RCV_VERDICT_RESET || v->code == RCV_CODE_OBSERVE_LONGER ||
         v->code == RCV_CODE_SETTLING;
}

int rcv_exit_status(const struct rcv_verdict *v) {
  switch (v->kind) {
  case RCV_VERDICT_NOTHING: return 0;
  case RCV_VERDICT_RESET: return 2;
  case RCV_VERDICT_REFUSE: return 3;
  case RCV_VERDICT_UNKNOWN: return 4;
  case RCV_VERDICT_WAIT: return 9;
  case RCV_VERDICT_NONE:
  case RCV_VERDICT_COUNT: break;
  }
  return 1;
}
