/*
 * The decision, and the only place that mints or spends a permit. Contracts: spec.h.
 */
#include "recovery/inner.h"

/*@ requires \valid(permit);
    assigns *permit;
    ensures permit->minted == 0 && permit->spent == 0; */
static void permit_init(struct rcv_permit *permit) {
  permit->minted = 0;
  permit->spent = 0;
  /*@ loop invariant 0 <= i <= RCV_UUID_BYTES;
      loop assigns i, permit->binding.instance[0 .. RCV_UUID_BYTES - 1];
      loop variant RCV_UUID_BYTES - i; */
  for (int64_t i = 0; i < RCV_UUID_BYTES; i++) {
    permit->binding.instance[i] = 0;
  }
  /*@ loop invariant 0 <= i <= RCV_DIGEST_BYTES;
      loop assigns i, permit->binding.evidence_digest[0 .. RCV_DIGEST_BYTES - 1],
        permit->binding.policy_digest[0 .. RCV_DIGEST_BYTES - 1];
      loop variant RCV_DIGEST_BYTES - i; */
  for (int64_t i = 0; i < RCV_DIGEST_BYTES; i++) {
    permit->binding.evidence_digest[i] = 0;
    permit->binding.policy_digest[i] = 0;
  }
  permit->record_host = -1;
  permit->vm_state = RCV_VM_UNKNOWN;
  permit->task_state = RCV_TASK_UNKNOWN;
  permit->mig_status = RCV_MIG_UNKNOWN;
  permit->mig_id = -1;
  permit->server_updated_s = -1;
}

/*@ requires \valid(permit) && \valid_read(n) && \valid_read(binding);
    requires \separated(permit, n) && \separated(permit, binding);
    assigns permit->minted, permit->binding, permit->record_host, permit->vm_state,
      permit->task_state, permit->mig_status, permit->mig_id, permit->server_updated_s;
    ensures permit->minted == 1 && permit->record_host == record_host; */
static void mint(struct rcv_permit *permit, const struct rcv_nova *n,
                 const struct rcv_binding *binding, int64_t record_host) {
  /*@ loop invariant 0 <= i <= RCV_UUID_BYTES;
      loop assigns i, permit->binding.instance[0 .. RCV_UUID_BYTES - 1];
      loop variant RCV_UUID_BYTES - i; */
  for (int64_t i = 0; i < RCV_UUID_BYTES; i++) {
    permit->binding.instance[i] = binding->instance[i];
  }
  /*@ loop invariant 0 <= i <= RCV_DIGEST_BYTES;
      loop assigns i, permit->binding.evidence_digest[0 .. RCV_DIGEST_BYTES - 1],
        permit->binding.policy_digest[0 .. RCV_DIGEST_BYTES - 1];
      loop variant RCV_DIGEST_BYTES - i; */
  for (int64_t i = 0; i < RCV_DIGEST_BYTES; i++) {
    permit->binding.evidence_digest[i] = binding->evidence_digest[i];
    permit->binding.policy_digest[i] = binding->policy_digest[i];
  }
  permit->vm_state = n->vm_state;
  permit->task_state = n->task_state;
  permit->mig_status = n->mig_status;
  permit->mig_id = n->mig_id;
  permit->server_updated_s = n->server_updated_s;
  permit->record_host = record_host;
  permit->minted = 1;
}

int rcv_permit_spend(struct rcv_permit *permit) {
  if (permit->minted != 1 || permit->spent != 0) {
    return 0;
  }
  permit->spent = 1;
  return 1;
}

/*@ requires \valid_read(e) && \valid(out) && \separated(e, out);
    assigns out->class_of[0 .. RCV_MAX_CANDIDATES - 1]; */
static void classify_all(const struct rcv_evidence *e, struct rcv_verdict *out) {
  /*@ loop invariant 0 <= i <= RCV_MAX_CANDIDATES;
      loop assigns i, out->class_of[0 .. RCV_MAX_CANDIDATES - 1];
      loop variant RCV_MAX_CANDIDATES - i; */
  for (int64_t i = 0; i < RCV_MAX_CANDIDATES && i < e->candidates; i++) {
    out->class_of[i] = rcv_classify(&e->candidate[i].last);
  }
}

/* A verdict that does not act, from the reasons in out. */
/*@ requires \valid(out) && 0 <= out->reasons <= RCV_MAX_REASONS;
    assigns out->reasons, out->reason[0 .. RCV_MAX_REASONS - 1], out->code, out->kind;
    ensures never_reset_by_reasons: out->kind != RCV_VERDICT_RESET;
    ensures 0 <= out->reasons <= RCV_MAX_REASONS; */
static void conclude(struct rcv_verdict *out) {
  if (out->reasons < 1) {
    rcv_raise(out, RCV_CODE_NO_RULE, -1);
  }
  out->code = out->reason[0].code;
  out->kind = rcv_kind_of(out->code);
}

/*@ requires \valid_read(e) && \valid_read(p) && \valid(out) && \separated(out, e, p);
    assigns *out;
    ensures refuse_never_resets: out->kind != RCV_VERDICT_RESET;
    ensures 0 <= out->reasons <= RCV_MAX_REASONS; */
static void refuse(const struct rcv_evidence *e, const struct rcv_policy *p, int valid,
                   int complete, struct rcv_verdict *out) {
  rcv_verdict_init(out);
  if (!valid) {
    rcv_raise(out, RCV_CODE_EVIDENCE_INVALID, -1);
    conclude(out);
    return;
  }
  classify_all(e, out);
  out->complete = complete;
  rcv_reasons(e, p, out);
  conclude(out);
}

/*@ requires \valid_read(e) && \valid(out) && \separated(out, e);
    assigns *out;
    ensures out->kind == RCV_VERDICT_RESET && 0 <= out->reasons <= RCV_MAX_REASONS; */
static void allow(const struct rcv_evidence *e, int64_t owner, struct rcv_verdict *out) {
  rcv_verdict_init(out);
  classify_all(e, out);
  rcv_raise(out, RCV_CODE_SAFE_TO_RESET, owner);
  out->complete = 1;
  out->owner = owner;
  out->code = RCV_CODE_SAFE_TO_RESET;
  out->kind = RCV_VERDICT_RESET;
}

/* All refusals first; the dangerous verdict and the permit come last, and once. */
/*@ requires \valid_read(e) && \valid_read(p) && \valid(out) && \valid(permit);
    requires binding == \null || \valid_read(binding);
    requires \separated(out, permit, e, p);
    requires binding != \null ==> \separated(binding, out, permit);
    assigns *out, *permit;
    ensures verdict_needs_safe: out->kind == RCV_VERDICT_RESET <==> safe == 1;
    ensures mint_needs_safe: permit->minted == 1 ==> safe == 1;
    ensures mint_needs_policy: permit->minted == 1 ==> allowed == 1;
    ensures mint_needs_binding: permit->minted == 1 ==> binding != \null;
    ensures mint_for_owner: permit->minted == 1 ==> permit->record_host == owner;
    ensures mint_unspent: permit->spent == 0 && (permit->minted == 0 || permit->minted == 1);
    ensures mint_when_allowed: safe == 1 && allowed == 1 && binding != \null ==>
      permit->minted == 1;
    ensures 0 <= out->reasons <= RCV_MAX_REASONS; */
static void decide_with(const struct rcv_evidence *e, const struct rcv_policy *p,
                        const struct rcv_binding *binding, struct rcv_verdict *out,
                        struct rcv_permit *permit, int safe, int valid, int complete,
                        int64_t allowed, int64_t owner) {
  permit_init(permit);
  if (safe != 1) {
    refuse(e, p, valid, complete, out);
    return;
  }
  allow(e, owner, out);
  if (binding == NULL || allowed != 1) {
    return;
  }
  mint(permit, &e->nova_last, binding, owner);
}

void rcv_decide(const struct rcv_evidence *e, const struct rcv_policy *p,
                const struct rcv_binding *binding, struct rcv_verdict *out,
                struct rcv_permit *permit) {
  int safe = rcv_safe(e, p);
  int valid = rcv_policy_sound(p) && rcv_evidence_valid(e);
  int complete = valid && rcv_complete(e, p);
  decide_with(e, p, binding, out, permit, safe, valid, complete, p->allow_reset,
              e->nova_last.record_host);
}
