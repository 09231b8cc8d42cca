/* The records that more than one verb writes into the journal. All failures have status
 * UW_EXIT_JOURNAL. */
#ifndef UW_AUDIT_H
#define UW_AUDIT_H

#include "agent/journal/journal.h"
#include "agent/run/look.h"

/* Makes a journal in dir with its first record, which says who made it. */
int audit_make(const char *dir, struct uw_err *err) UW_MUST_USE;

/*
 * Opens the session's journal for writing, making it when it does not exist. Waits for another
 * run that is writing, at most AUDIT_WAIT_MS (then status UW_EXIT_USAGE: lock held). Says on
 * stderr what had to be recovered. NULL on error.
 */
#define AUDIT_WAIT_MS 120000
struct journal *audit_open(struct session *s, struct uw_err *err);
void audit_close(struct session *s, struct journal *j); /* NULL is fine */

/* Appends one record of this run and drops body (NULL: out of memory, an error). */
int audit_record(struct session *s, struct journal *j, const char *type, json_t *body,
                 struct uw_err *err) UW_MUST_USE;

/* run_started and one attestation record each; plan_digest NULL without a plan. */
int audit_started(struct session *s, struct journal *j, const char *verb, const char *instance,
                  const char *plan_digest, struct uw_err *err) UW_MUST_USE;

/* "OWNER_MOVED", "" for what is no code. */
const char *audit_code_name(enum rcv_code code);

/* Stores bytes under their digest (journal_store), status UW_EXIT_JOURNAL on failure. */
int audit_store(struct journal *j, const struct uw_buf *bytes, uint8_t digest[RCV_DIGEST_BYTES],
                struct uw_err *err) UW_MUST_USE;

/* Stores the evidence document and records the verdict on it; part says which look it was. */
int audit_verdict(struct session *s, struct journal *j, const struct look *l, const char *part,
                  struct uw_err *err) UW_MUST_USE;

#endif
