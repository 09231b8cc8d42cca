/*
 * The evidence document (schema "unwedge.evidence/1"): everything a decision was made from.
 *
 * It holds the facts of facts.def, the texts, the narrow policy and its digest, the gate facts
 * and the attestations, so that `replay` decides again from this file alone. Its canonical
 * bytes are what is hashed, stored in the journal and bound by permit, plan and approval.
 */
#ifndef UW_EVIDENCE_H
#define UW_EVIDENCE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/buf.h"
#include "agent/base/digest.h"
#include "agent/base/err.h"
#include "recovery/decide.h"

#define UW_EVIDENCE_SCHEMA "unwedge.evidence/1"
#define UW_RECORD_MAX_BYTES ((size_t)1024 * 1024) /* of one document */
#define UW_POLICY_NAME_BYTES 128
#define UW_MADE_BY_BYTES 64
#define UW_MAX_ATTESTATIONS 64
#define UW_ATTESTATION_FACT_BYTES 320 /* "compute-stopped=<host>", with its NUL */
#define UW_ATTESTATION_WHO_BYTES 256
#define UW_ATTESTATION_WHY_BYTES 1024

struct uw_record {
  struct rcv_evidence evidence;
  struct rcv_names names; /* names.instance is a UUID */
  struct rcv_policy policy;
  char policy_name[UW_POLICY_NAME_BYTES];
  uint8_t policy_digest[RCV_DIGEST_BYTES]; /* of the whole policy, as policies/ computes it */
  json_t *gates;        /* the facts of the gates, an object in the canonical subset; NULL: none */
  json_t *attestations; /* array of {fact, who, reason}, texts; NULL: none. Owned, both */
  char run[UW_UUID_TEXT_BYTES];     /* of the run that looked; "" none */
  char boot_id[UW_UUID_TEXT_BYTES]; /* of the host that looked; "" not known */
  char made_by[UW_MADE_BY_BYTES];   /* program and version */
  int64_t made_s;                   /* wall clock of that host, seconds since the epoch */
};

/* A record with every fact unknown and a policy that permits nothing; NULL without memory. */
struct uw_record *uw_record_new(void);
void uw_record_free(struct uw_record *r); /* NULL is fine */

/* Adds one attestation. -1 when a text is too long or there are too many. */
int uw_record_attest(struct uw_record *r, const char *fact, const char *who, const char *reason,
                     struct uw_err *err) UW_MUST_USE;

/*
 * Replaces bytes that are not UTF-8 in all texts by '?'. Call it once the record is complete and
 * before it is judged: then the texts here are those that a reader of the document has.
 */
void uw_record_clean(struct uw_record *r);

/*
 * The document; a new reference. NULL when a value is outside its range (a defect elsewhere),
 * the gates are outside the canonical subset, or memory lacks; status UW_EXIT_USAGE. Texts that
 * are not UTF-8 are written with '?' for the bytes that are not.
 */
json_t *uw_record_to_json(const struct uw_record *r, struct uw_err *err) UW_MUST_USE;

/*
 * The reverse, strict: unknown, missing, mistyped or out-of-range members are an error that
 * names source (what) and JSON path; then rcv_evidence_valid() must hold. status is the
 * exit status of a failure. The caller frees.
 */
struct uw_record *uw_record_from_json(const json_t *json, const char *what, enum uw_exit status,
                                      struct uw_err *err) UW_MUST_USE;

/* Appends the canonical bytes to out (which may be NULL) and gives their SHA-256. */
int uw_record_bytes(const struct uw_record *r, struct uw_buf *out, uint8_t digest[RCV_DIGEST_BYTES],
                    struct uw_err *err) UW_MUST_USE;

/* Parses n bytes (status as above); reads a file of at most UW_RECORD_MAX_BYTES (status 1). */
struct uw_record *uw_record_parse(const char *bytes, size_t n, const char *what,
                                  enum uw_exit status, struct uw_err *err) UW_MUST_USE;
struct uw_record *uw_record_read(const char *path, struct uw_err *err) UW_MUST_USE;

/* Writes exactly the canonical bytes (so sha256sum of the file is the digest), 0600. */
int uw_record_write(const struct uw_record *r, const char *path, struct uw_err *err) UW_MUST_USE;

#endif
