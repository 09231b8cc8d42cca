/*
 * What a verified reset left behind, read from the services that hold it: the migration records
 * (Nova), the allocations of the instance and of its migrations (Placement), the bindings of its
 * ports (Neutron), the attachments of its volumes (Cinder). Reads only; nothing here can fail the run:
 * the reset is done and verified whatever is found.
 *
 * What each left-over does, and what removes it: nova.md section 3.3, lab.md "Left-overs of a right
 * reset".
 */
#ifndef UW_RESIDUE_H
#define UW_RESIDUE_H

#include <jansson.h>

#include "agent/run/look.h"

/* A report is one record of the journal, so its bounds are that record's. */
#define RESIDUE_MAX_LINES 200
#define RESIDUE_MAX_BYTES ((size_t)24 * 1024) /* of all lines, as JSON text */

/*
 * The report after a reset that was verified, as an array of texts; NULL without memory. Of each subject at least one line: "found:
 * ..." (commands that remove it follow, each a line that begins with two spaces), "none found: ...",
 * or "could not be read: REASON; by hand: ...". Then what nobody can read: hosts that were not
 * looked at, and what Nova does next. look is the one that led to the act.
 */
json_t *residue_report(struct session *s, const struct look *look);

/* The same form without reading anything: the verdict's own lines, for a person to check. */
json_t *residue_unread(struct session *s, const struct look *look);

#endif
