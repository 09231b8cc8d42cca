/*
 * The judgement of a record, and the verdict document (schema "unwedge.verdict/1", contract
 * section 3). Pure: the same record and guards give the same bytes, here and in `replay`.
 */
#ifndef UW_VERDICT_H
#define UW_VERDICT_H

#include "agent/records/evidence.h"
#include "recovery/explain.h"
#include "recovery/plan.h"

#define UW_VERDICT_SCHEMA "unwedge.verdict/1"
#define UW_MAX_GUARDS 16
#define UW_GUARD_TEXT_BYTES RCV_LINE_BYTES
#define UW_CODE_BYTES 8 /* "UW-202" and its NUL */

/* A gate that says no (codes 5xx); text is the line with the real values. */
struct uw_guard {
  enum rcv_code code;
  char text[UW_GUARD_TEXT_BYTES];
};

/* Everything that follows from a record; large, allocate it with uw_judgement_new(). */
struct uw_judgement {
  struct rcv_verdict verdict; /* guards applied */
  struct rcv_explanation explanation;
  struct rcv_plan plan;
};

struct uw_judgement *uw_judgement_new(void); /* NULL without memory */
void uw_judgement_free(struct uw_judgement *j);

/*
 * Decides, explains, applies the guards and plans: no permit is minted. guards may be NULL when
 * n is 0.
 */
void uw_judge(const struct uw_record *r, const struct uw_guard *guard, size_t n,
              struct uw_judgement *out);

/*
 * Applies guards to a decision (in place; x may be NULL). RESET becomes REFUSE under the code of
 * the first guard, whose action replaces the advice to reset; SAFE_TO_RESET stays as the last
 * reason, since it is true. Other verdicts keep their lead and get the guards as secondary
 * reasons. A code outside 5xx counts as NO_RULE, so that no guard is ever lost. The caller must
 * not use a permit of the decision any more when n > 0.
 */
void uw_final_verdict(struct rcv_verdict *v, struct rcv_explanation *x,
                      const struct uw_guard *guard, size_t n);

/* "UW-202" */
void uw_code_text(enum rcv_code code, char out[UW_CODE_BYTES]);
/* The code of "UW-202", "202" or "OWNER_MOVED"; RCV_CODE_UNSET when there is none. */
enum rcv_code uw_code_parse(const char *text);

enum uw_verdict_form {
  UW_VERDICT_DOCUMENT, /* as the contract has it: nova.services is an object by host name */
  UW_VERDICT_HASHED    /* for files that are hashed, whose keys are [a-z0-9_]: no "schema", and
                          nova.services is a list of {host, state} */
};

/*
 * The verdict of j about record r, whose digest is given; a new reference, NULL without memory.
 */
json_t *uw_verdict_json(const struct uw_record *r, const uint8_t evidence_digest[RCV_DIGEST_BYTES],
                        const struct uw_judgement *j, enum uw_verdict_form form,
                        struct uw_err *err) UW_MUST_USE;

/* Appends any document of this room in its printed form: two spaces, keys in the order in which
 * they were made, a newline at the end. */
int uw_json_pretty(const json_t *value, struct uw_buf *out, struct uw_err *err) UW_MUST_USE;

#endif
