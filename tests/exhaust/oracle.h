/*
 * The oracle: what the verdict must be, worked out a second time.
 *
 * It shares nothing with recovery/ but the types of its headers. Every host becomes one bit
 * ("mark"), the hosts become two words (the record host's mark, the union of the others) and
 * a count per mark; the verdict is read off a flat list of (code, predicate) over that picture.
 * There is no order of evaluation in it: every predicate is asked, then the precedence of the
 * contract (section 3) picks the leader.
 */
#ifndef EXHAUST_ORACLE_H
#define EXHAUST_ORACLE_H

#include "recovery/decide.h"

#define ORC_MAX_RAISED 64

struct orc_answer {
  enum rcv_verdict_kind kind;
  int code;      /* number of the leading code */
  int64_t owner; /* candidate index or -1 */
  int safe;
  int complete;
  int64_t least_look_again_s; /* TOO_YOUNG: the exact value; other WAIT: 1; else -1 */
  int raised[ORC_MAX_RAISED]; /* every code, unordered, secondary ones included */
  int raised_count;
};

/* Class of one look, from a table of state/reason pairs. */
enum rcv_class orc_class(const struct rcv_look *look);

/* Expected answer; e must satisfy the bounds of rcv_evidence_valid(). */
void orc_answer(const struct rcv_evidence *e, const struct rcv_policy *p, struct orc_answer *out);

#endif
