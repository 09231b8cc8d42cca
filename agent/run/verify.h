/*
 * After an act: did it happen, is the guest where it was, what is left behind (contract S5).
 */
#ifndef UW_VERIFY_H
#define UW_VERIFY_H

#include "agent/journal/journal.h"
#include "agent/run/look.h"

/* Nova writes the resetState action since 23.0.0, whose maximum microversion is 2.88. */
#define MINOR_WITH_ACTION 88

struct verify_result {
  bool good;    /* server ACTIVE, task none, our resetState action, domain unmoved */
  size_t lines; /* what was found, in order; the last one sums up */
  char line[RCV_MAX_LINES][RCV_LINE_BYTES];
};

/*
 * Looks until the effects of the reset are all there or apply.deadline_s has passed. The look is
 * the one that led to the act. 0 with *out written; -1 when nothing could be read (out->good
 * false).
 */
int verify_reset(struct session *s, struct look *l, const struct nova_reset_result *reset,
                 struct verify_result *out, struct uw_err *err) UW_MUST_USE;

/*
 * Resolves an intent of an earlier run from Nova's actions and records it. 0 when it could be
 * told; -1 (status UW_EXIT_REFUSED, code OPEN_INTENT) when a person has to say. text gets a line.
 */
int verify_resolve(struct session *s, struct journal *j, const char *uuid, const json_t *intent,
                   char text[RCV_LINE_BYTES], struct uw_err *err) UW_MUST_USE;

#endif
