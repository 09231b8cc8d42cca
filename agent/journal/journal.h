/*
 * The audit journal: one canonical JSON record a line, durable before an act (contract S3 and
 * section 6).
 *
 * records.jsonl is the source; evidence/ holds content-addressed files; torn/ what was found
 * after the last whole record. One writer at a time (flock). The same interface serves any
 * later form (tree, checkpoints, proofs).
 */
#ifndef UW_JOURNAL_H
#define UW_JOURNAL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/base/buf.h"
#include "agent/base/digest.h"
#include "agent/base/err.h"

#define JOURNAL_RECORD_BYTES ((size_t)32 * 1024)

struct journal;

/* Makes dir (0700), evidence/, torn/, an empty records.jsonl; refuses where one exists. */
int journal_init(const char *dir, struct uw_err *err) UW_MUST_USE;

/*
 * Opens for writing: takes the lock (held: error that names the holder's pid), refuses symlinks,
 * foreign owners and group- or world-writable modes, moves a torn tail to torn/ and records it
 * (type "recovered"; *warning then says so, else ""). All failures have status UW_EXIT_JOURNAL.
 */
int journal_open(const char *dir, struct journal **ret, char warning[UW_ERR_TEXT_BYTES],
                 struct uw_err *err) UW_MUST_USE;
void journal_close(struct journal *j); /* NULL is fine */

/*
 * Appends one record and fsyncs it. body's members are merged with schema, seq, run, type, time
 * (wall seconds and text), mono_ms, boot_id, salt, tool version, chain (SCHEMA.md). 0 means
 * durable. A failure to write leaves the journal closed for writing: every later append fails
 * too (never retry fsync). A body that cannot be a record (unknown type, missing or reserved
 * member, outside the canonical subset, too large) is refused before anything is written and
 * leaves it open. An intent also reserves space for its outcome on the disk, and says in
 * "reserved" how many bytes it got (0: the file system cannot).
 * The caller keeps body.
 */
int journal_append(struct journal *j, const char *run, const char *type, const json_t *body,
                   struct uw_err *err) UW_MUST_USE;

/*
 * Stores bytes as evidence/<hex digest> (0600, fsynced, never rewritten) and returns the digest.
 * A record names it in its member "files": {"evidence": "sha256:..."}. At most 16 MiB. A
 * failure leaves the journal open.
 */
int journal_store(struct journal *j, const void *bytes, size_t n, uint8_t digest[RCV_DIGEST_BYTES],
                  struct uw_err *err) UW_MUST_USE;

/* Reads a stored file back and checks its digest. */
int journal_fetch(const char *dir, const uint8_t digest[RCV_DIGEST_BYTES], struct uw_buf *out,
                  struct uw_err *err) UW_MUST_USE;

/* Calls each(record, ctx) in order until it returns non-zero or the end. Read-only, no lock:
 * an unfinished last line is ignored. A record that does not parse ends with an error. */
int journal_each(const char *dir, int (*each)(const json_t *record, void *ctx), void *ctx,
                 struct uw_err *err) UW_MUST_USE;

/*
 * The newest intent of that instance that no record of the same run has answered: an outcome
 * with result applied or not_applied, or a resolved. *ret is a new reference, NULL if none.
 */
int journal_open_intent(const char *dir, const char *instance, json_t **ret,
                        struct uw_err *err) UW_MUST_USE;

struct journal_report {
  int64_t records, evidence_files, torn_bytes;
  char first_problem[UW_ERR_TEXT_BYTES]; /* "" when all is well; names line and what is wrong */
};
/* Sequence, chain, canonical form, schema, digests of evidence files, torn tail. Read-only. */
int journal_verify(const char *dir, struct journal_report *out, struct uw_err *err) UW_MUST_USE;

#endif
