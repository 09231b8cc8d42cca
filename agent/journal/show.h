/* `journal show`: the journal as a story, or as its records. */
#ifndef UW_JOURNAL_SHOW_H
#define UW_JOURNAL_SHOW_H

#include <stdbool.h>

#include "agent/base/buf.h"
#include "agent/base/err.h"

struct journal_filter {
  const char *instance; /* UUID, NULL: all */
  const char *run;      /* UUID, NULL: all */
};

/*
 * Appends what matches: text, run by run in the order of their beginning, each with a heading
 * (verb, instance, who, why) and one line per record with the seconds since the run began; or
 * json, an array of the records as they are, one a line. A run matches an instance when any of
 * its records names it. Nothing matches: a line that says so (text) or an empty array. Control
 * characters in texts are shown as '?'. Returns -1 when the journal cannot be read.
 */
int journal_show(const char *dir, const struct journal_filter *filter, bool json,
                 struct uw_buf *out, struct uw_err *err) UW_MUST_USE;

#endif
