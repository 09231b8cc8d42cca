/* From a look to a plan, and whether a plan may be used by this session. */
#ifndef UW_PLANNING_H
#define UW_PLANNING_H

#include "agent/run/look.h"

/* Makes the plan of a look and journals run, verdict and plan (status UW_EXIT_JOURNAL when that
 * fails). NULL on error. */
struct uw_plan *planning_make(struct session *s, const struct look *l, struct uw_err *err);

/* true when the journal of this session has a record of exactly this plan: then its evidence was
 * really seen, and its statements were really made. */
bool planning_ours(const struct session *s, const struct uw_plan *plan);

/* -1 when the plan does not say RESET (status of its verdict), was made under another policy, or
 * holds statements that are not in this journal (status UW_EXIT_STALE). */
int planning_usable(const struct session *s, const struct uw_plan *plan,
                    struct uw_err *err) UW_MUST_USE;

#endif
