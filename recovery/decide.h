/*
 * The decision: evidence and policy in, verdict and (for RESET alone) a permit out.
 *
 * Pure: no I/O, no clock, no allocation, no global state, no recursion, no floating point.
 * Facts and rules: rulings.md, nova.md section 9, libvirt.md section 6; the numbered safety
 * argument is SAFETY.md.
 */
#ifndef RCV_DECIDE_H
#define RCV_DECIDE_H

#include <stddef.h>
#include <stdint.h>

#include "recovery/codes.def"
#include "recovery/evidence.h"
#include "recovery/policy.h"

#define RCV_CODE_CONST(number, name, verdict, line) RCV_CODE_##name = (number),
enum rcv_code { RCV_CODE_UNSET = 0, RCV_CODES(RCV_CODE_CONST) };

struct rcv_code_info {
  enum rcv_code code;
  const char *name; /* "OWNER_MOVED" */
  enum rcv_verdict_kind verdict;
  const char *line;
};
extern const struct rcv_code_info rcv_code_table[];
extern const size_t rcv_code_count;
/* The table's entry, NULL for a number that is no code. */
const struct rcv_code_info *rcv_code_find(int64_t number);
const struct rcv_code_info *rcv_code_find_name(const char *name);

struct rcv_reason {
  enum rcv_code code;
  int64_t candidate; /* index, -1 when not about one host */
};

struct rcv_verdict {
  enum rcv_verdict_kind kind; /* NONE until decided */
  enum rcv_code code;         /* the leading reason */
  int64_t reasons;            /* leading one first; never more than RCV_MAX_REASONS */
  struct rcv_reason reason[RCV_MAX_REASONS];
  int64_t owner;        /* index of the only confirmed owner, -1 none or not sure */
  int64_t look_again_s; /* WAIT: seconds until another look is useful, else -1 */
  int64_t complete;     /* 1: the observation satisfied the policy */
  enum rcv_class class_of[RCV_MAX_CANDIDATES]; /* of the last look */
};

/* What a permit is bound to; digests are SHA-256. */
struct rcv_binding {
  uint8_t instance[RCV_UUID_BYTES];
  uint8_t evidence_digest[RCV_DIGEST_BYTES];
  uint8_t policy_digest[RCV_DIGEST_BYTES];
};

/*
 * The only thing with which a reset can be asked for. Minted by rcv_decide() alone, never
 * written to a file, never sent. spent goes from 0 to 1 once, by rcv_permit_spend().
 */
struct rcv_permit {
  int64_t minted; /* 1 after a RESET verdict; zeroed memory permits nothing */
  int64_t spent;
  struct rcv_binding binding;
  int64_t record_host;  /* candidate index */
  enum rcv_vm vm_state; /* what Nova must still say at the POST */
  enum rcv_task task_state;
  enum rcv_mig mig_status;
  int64_t mig_id;
  int64_t server_updated_s;
};

/* 1 exactly once for a minted, unspent permit (which is then spent), else 0. */
int rcv_permit_spend(struct rcv_permit *permit);

/* Class of one look (rulings: class of one host, first that fits). */
enum rcv_class rcv_classify(const struct rcv_look *look);

/* SAFE, written once (contract S1). 1 or 0. */
int rcv_safe(const struct rcv_evidence *e, const struct rcv_policy *p);

/*
 * The decision. out is always written whole; permit is written whole too and minted only
 * when out->kind is RESET and p->allow_reset is 1. binding may be NULL (a dry run): then
 * no permit is minted. RESET <=> rcv_safe(). Never fails: what cannot be decided is a verdict.
 */
void rcv_decide(const struct rcv_evidence *e, const struct rcv_policy *p,
                const struct rcv_binding *binding, struct rcv_verdict *out,
                struct rcv_permit *permit);

/*
 * 1 when more rounds of the same kind could still lead to RESET (the verdict is RESET, WAIT
 * OBSERVE_LONGER, or a settling state that must be seen unchanged over the whole observation);
 * 0 when it can only be a refusal, so that an observation may end early.
 */
int rcv_worth_observing(const struct rcv_verdict *v);

/* Exit status of the contract section 3 for a verdict seen in a dry run. */
int rcv_exit_status(const struct rcv_verdict *v);

#endif
