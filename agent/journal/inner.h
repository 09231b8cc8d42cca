/* What the files of this room share; not for others. */
#ifndef UW_JOURNAL_INNER_H
#define UW_JOURNAL_INNER_H

#include "agent/journal/journal.h"

#define JOURNAL_SCHEMA "unwedge.journal/1"
#define JOURNAL_FILE "records.jsonl"
#define JOURNAL_EVIDENCE "evidence"
#define JOURNAL_TORN "torn"
#define JOURNAL_LOCK "lock"
#define JOURNAL_NO_RUN "00000000-0000-0000-0000-000000000000" /* the journal itself */
#define JOURNAL_STORE_BYTES ((size_t)16 * 1024 * 1024)        /* one stored file */
#define JOURNAL_RESERVE ((int64_t)64 * 1024) /* for the outcome, see journal_append() */
#define JOURNAL_SALT_BYTES 16
#define JOURNAL_FILE_NAME (2 * RCV_DIGEST_BYTES + 1) /* hex digest and NUL */
#define JOURNAL_MAX_REQUIRED 4

/* A record type and the members that the journal's own logic needs in it. */
struct journal_type {
  const char *name;
  const char *required[JOURNAL_MAX_REQUIRED]; /* NULL after the last */
};
const struct journal_type *journal_type_find(const char *name); /* NULL: no such type */

/* NULL when the body of that type can be recorded, else what is wrong (static or in text). */
int journal_body_check(const char *type, const json_t *body, struct uw_err *err) UW_MUST_USE;
/* 1 when key is one that the journal itself writes. */
bool journal_key_reserved(const char *key);

/*
 * The chain: SHA-256 over the chain value of the record before (32 zero bytes for the first)
 * and the canonical bytes of this record without "chain".
 */
int journal_chain(const uint8_t before[RCV_DIGEST_BYTES], const json_t *record,
                  uint8_t out[RCV_DIGEST_BYTES], struct uw_err *err) UW_MUST_USE;

/*
 * Checks one line (without its newline) as a record that follows the given one: JSON, canonical
 * form, schema, members, seq and chain. seq -1: any seq, and no chain. *ret is a new reference.
 */
int journal_line_check(const char *line, size_t n, int64_t seq,
                       const uint8_t before[RCV_DIGEST_BYTES], json_t **ret,
                       struct uw_err *err) UW_MUST_USE;

/* Opens a file of the journal for reading, through no symlink. status UW_EXIT_JOURNAL. */
int journal_open_read(const char *dir, const char *name, struct uw_err *err) UW_MUST_USE;
/* hex of a digest, as the files are named */
void journal_file_name(const uint8_t digest[RCV_DIGEST_BYTES], char out[JOURNAL_FILE_NAME]);

/*
 * Walks the whole lines of records.jsonl. each gets the line without its newline and its
 * number from 1; non-zero from it ends the walk (and is no error). *torn (may be NULL) gets the
 * number of bytes behind the last newline. A line longer than a record is an error.
 */
int journal_lines(const char *dir,
                  int (*each)(const char *line, size_t n, int64_t number, void *ctx), void *ctx,
                  int64_t *torn, struct uw_err *err) UW_MUST_USE;

#endif
