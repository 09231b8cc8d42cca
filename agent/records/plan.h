/*
 * The plan file (schema "unwedge.plan/1"): what a reviewer reads and approves, and what `apply`
 * holds against a new observation.
 *
 * It embeds the evidence document, so one file is enough to decide again and to compare fact
 * by fact. All but the header follows from the embedded evidence and the guards; reading
 * builds the document again from these and refuses one that says anything else.
 * plan_digest is the SHA-256 of the canonical bytes without that member. It finds damage and
 * is what an approval signs; by itself it is no proof of who wrote the file.
 */
#ifndef UW_PLAN_H
#define UW_PLAN_H

#include <stdbool.h>

#include "agent/records/verdict.h"

#define UW_PLAN_SCHEMA "unwedge.plan/1"
#define UW_PLAN_MAX_BYTES ((size_t)1024 * 1024)
#define UW_NONCE_BYTES 33  /* 32 hexadecimal digits and the NUL */
#define UW_PLAN_SKEW_S 300 /* a plan made further in the future was made by a wrong clock */
#define UW_PLAN_MAX_LIFE_S ((int64_t)7 * 24 * 3600)

/* What a plan holds besides evidence and guards. */
struct uw_plan_head {
  char cloud[RCV_TEXT_BYTES]; /* which cloud: entry name and Keystone URL, as the caller forms it */
  char made_on[RCV_TEXT_BYTES]; /* host name of the machine that made it */
  char nonce[UW_NONCE_BYTES];   /* filled by uw_plan_nonce() */
  int64_t made_s, expires_s;    /* wall clock, seconds since the epoch; expires_s > made_s */
};

struct uw_plan {
  struct uw_plan_head head;
  struct uw_record *record;       /* owned */
  struct uw_judgement *judgement; /* of record and guards; owned */
  size_t guards;
  struct uw_guard guard[UW_MAX_GUARDS];
  uint8_t evidence_digest[RCV_DIGEST_BYTES], plan_digest[RCV_DIGEST_BYTES];
  json_t *json; /* the whole document; owned */
};

/* Fills nonce with 16 random bytes. */
int uw_plan_nonce(char nonce[UW_NONCE_BYTES], struct uw_err *err) UW_MUST_USE;

/*
 * Makes the plan of a record under these guards (n at most UW_MAX_GUARDS). The record is
 * copied. NULL with err set (status UW_EXIT_USAGE) when something is out of range.
 */
struct uw_plan *uw_plan_new(const struct uw_record *r, const struct uw_guard *guard, size_t n,
                            const struct uw_plan_head *head, struct uw_err *err) UW_MUST_USE;
void uw_plan_free(struct uw_plan *plan); /* NULL is fine */

/* Writes the printed form atomically, 0600; refuses what uw_plan_read() would find too large. */
int uw_plan_write(const struct uw_plan *plan, const char *path, struct uw_err *err) UW_MUST_USE;
/* Appends the bytes that uw_plan_write() writes. */
int uw_plan_bytes(const struct uw_plan *plan, struct uw_buf *out, struct uw_err *err) UW_MUST_USE;

/* What a plan must agree with to be used here and now. */
struct uw_plan_expect {
  const char *cloud;    /* this cloud; NULL: not compared */
  const char *made_on;  /* this host; NULL: plans of other hosts are fine */
  const char *instance; /* UUID; NULL: any */
  int64_t now_s;        /* -1: expiry is not looked at (show, replay) */
};

/*
 * Reads and checks a plan. Truncated, edited, expired, of another cloud, host or instance, too
 * large, or not a plan: NULL, status UW_EXIT_STALE, and err names what. A file that cannot be
 * opened has status UW_EXIT_USAGE.
 */
struct uw_plan *uw_plan_read(const char *path, const struct uw_plan_expect *expect,
                             struct uw_err *err) UW_MUST_USE;
struct uw_plan *uw_plan_parse(const char *bytes, size_t n, const char *what,
                              const struct uw_plan_expect *expect, struct uw_err *err) UW_MUST_USE;

#endif
