/*
 * Replies of Nova into struct nova_reading: pure, strict in types, bounded.
 *
 * Every function returns 0, or -1 with an error (status UW_EXIT_UNKNOWN) that names the member
 * and what was expected. Texts that do not fit are an error; only the display name of a server,
 * which nothing is decided upon, is shortened (and then ends in "...").
 * Field meanings: nova.md sections 4.1, 5.1 and 8.
 */
#ifndef UW_NOVA_PARSE_H
#define UW_NOVA_PARSE_H

#include <jansson.h>
#include <stdbool.h>

#include "agent/base/err.h"
#include "agent/openstack/nova.h"

#define NP_MARKER_BYTES 160 /* a paging marker, with its NUL */
#define NP_MAX_EVENTS 4096  /* events of one action */

/* {"server": ...} of that uuid. */
int np_server(const json_t *root, const char *uuid, struct nova_server *out,
              struct uw_err *err) UW_MUST_USE;
/* One server of a list or of {"server": ...}. */
int np_server_body(const json_t *server, struct nova_server *out, struct uw_err *err) UW_MUST_USE;

/* One page of /os-migrations; appends, drops repeated records, sets too_many_migrations. */
int np_migrations(const json_t *root, const char *uuid, struct nova_reading *out,
                  struct uw_err *err) UW_MUST_USE;
/* /servers/ID/migrations: the progress of the newest record, when it is listed. */
int np_progress(const json_t *root, struct nova_reading *out, struct uw_err *err) UW_MUST_USE;

/*
 * One page of actions; appends. *done is set when no further page matters: the list is full
 * and a live migration is in it. A live migration behind a full list takes its last place.
 */
int np_actions(const json_t *root, const char *uuid, struct nova_reading *out, bool *done,
               struct uw_err *err) UW_MUST_USE;
/* Index of the newest live-migration action; out->actions when there is none. */
size_t np_newest_live(const struct nova_reading *out);
/* One action with its events; adds hosts of compute_* events. */
int np_events(const json_t *root, const char *uuid, struct nova_reading *out,
              struct uw_err *err) UW_MUST_USE;

int np_services(const json_t *root, struct nova_reading *out, struct uw_err *err) UW_MUST_USE;
int np_hypervisors(const json_t *root, struct nova_reading *out, struct uw_err *err) UW_MUST_USE;

/* One page of /os-migrations of a host: does it hold a record of another instance? */
int np_queue(const json_t *root, const char *uuid, bool *other, struct uw_err *err) UW_MUST_USE;

/*
 * Marker of the "next" link under key ("migrations_links"). 1 with marker, 0 when this is the
 * last page, -1 error. Only the marker is taken from the link: the next request goes to the
 * session's own endpoint whatever the link says, so a token never follows a link.
 */
int np_next(const json_t *root, const char *key, char marker[NP_MARKER_BYTES],
            struct uw_err *err) UW_MUST_USE;

#endif
