/*
 * Words: what is true, what to do now, what never to do, what a reset leaves behind.
 * Pure text building into bounded lines; a line or section that would not fit is marked.
 */
#ifndef RCV_EXPLAIN_H
#define RCV_EXPLAIN_H

#include "recovery/decide.h"

struct rcv_lines {
  int64_t count;
  int64_t truncated; /* 1 when something did not fit */
  char line[RCV_MAX_LINES][RCV_LINE_BYTES];
};

struct rcv_explanation {
  char summary[RCV_LINE_BYTES]; /* one line: the leading reason with the real names in it */
  char guest[RCV_LINE_BYTES];   /* "The guest is up on cmp-b." / "... is not confirmed anywhere." */
  char reason[RCV_MAX_REASONS][RCV_LINE_BYTES];  /* text of verdict.reason[i] */
  char host[RCV_MAX_CANDIDATES][RCV_LINE_BYTES]; /* one sentence per candidate */
  struct rcv_lines next;    /* what to do now, in order; commands with the real values */
  struct rcv_lines never;   /* what not to do */
  struct rcv_lines residue; /* what is or would be left behind, with "check" lines */
};

/* Fills out from a decision. All pointers must be valid; names hold NUL-terminated text. */
void rcv_explain(const struct rcv_evidence *e, const struct rcv_names *names,
                 const struct rcv_policy *p, const struct rcv_verdict *v,
                 struct rcv_explanation *out);

/*
 * Only those lines of the residue that no reply of another service answers: what stays on hosts, what
 * Nova does next. For a report after the act, which has read the rest. Arguments as above.
 */
void rcv_explain_after(const struct rcv_evidence *e, const struct rcv_names *names,
                       const struct rcv_policy *p, const struct rcv_verdict *v,
                       struct rcv_lines *out);

/* The general text of a code, for `unwedge explain`: what it means, action, anti-action. */
struct rcv_code_text {
  enum rcv_code code;
  const char *meaning, *action, *never; /* static; never is "" where nothing is forbidden */
};
const struct rcv_code_text *rcv_code_text(enum rcv_code code); /* NULL if no such code */

/* One line for a stale fact, old -> new, with names resolved. */
void rcv_explain_change(const struct rcv_change *c, const struct rcv_names *names,
                        char line[RCV_LINE_BYTES]);

#endif
