/* From a look to a plan, and whether a plan may be used by this session. */
#ifndef UW_PLANNING_H
#define UW_PLANNING_H

#include "agent/run/look.h"

/* Makes the plan of a look and journals run, verdict and plan (status UW_EXIT_JOURNAL when that
 * fails). NULL on error. */
struct uw_plan *planning_make(struct session *s, const struct look *l, struct uw_err *err);

/* -1 (status UW_EXIT_STALE) when the plan was made under another policy or with attestations that
 * this policy does not accept. */
int planning_usable(const struct session *s, const struct uw_plan *plan, struct uw_err *err)
    UW_MUST_USE;

#endif
