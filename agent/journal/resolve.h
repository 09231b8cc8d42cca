/*
 * What became of an intent whose outcome is not known: from Nova's instance actions (contract
 * section 6). Pure.
 */
#ifndef UW_RESOLVE_H
#define UW_RESOLVE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"

#define RESOLVE_ACTION "resetState" /* the name of Nova's action of os-resetState */

enum journal_resolution { RESOLUTION_CANNOT_TELL = 0, RESOLUTION_APPLIED, RESOLUTION_NOT_APPLIED };

/* One instance action as Nova lists it now; "" or NULL where Nova did not say. */
struct journal_action {
  const char *action, *request_id, *user;
};

struct journal_resolve {
  const json_t *intent;                /* the record; its "requests" are the actions before it */
  const struct journal_action *action; /* all actions of the instance now */
  size_t actions;
  bool actions_complete; /* nothing was left out of the list */
  bool server_unchanged; /* task_state, vm_state and updated are as the intent has them */
  bool deadline_passed;  /* no request sent then can still arrive */
};

/*
 * Exactly one new resetState, by the user of the intent, and the server changed: applied. No new
 * resetState at all, the list complete, the server unchanged and the deadline passed: not applied.
 * Anything else cannot be told; the action alone is no proof, since Nova writes it before it saves
 * the instance (api/openstack/compute/admin_actions.py: _reset_state; seen on a real Nova that was
 * killed in between). text says which and why, in one line; *found is the index of that action,
 * -1 for none (for the request id).
 */
enum journal_resolution journal_resolve(const struct journal_resolve *in, int64_t *found,
                                        char text[UW_ERR_TEXT_BYTES]);

/* "applied", "not_applied", "cannot_tell" */
const char *journal_resolution_name(enum journal_resolution resolution);

#endif
