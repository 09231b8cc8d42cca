/*
 * Members of a service's reply by key, strict in type and bounded: what every parser of
 * agent/openstack reads with.
 *
 * Functions with an error return 0, or -1 with a line (status UW_EXIT_UNKNOWN) that names the
 * thing, the member and what was expected. Texts that do not fit are an error, never cut.
 */
#ifndef UW_MEMBER_H
#define UW_MEMBER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/digest.h"
#include "agent/base/err.h"
#include "recovery/enums.h"

enum mb_need {
  MB_TEXT = 0, /* must be a text */
  MB_NULLABLE, /* text or null; must be there */
  MB_OPTIONAL  /* text, null or absent */
};

/* What is being read, for messages. All borrowed. */
struct mb_thing {
  const json_t *object;
  const char *what; /* "migration record" */
  struct uw_err *err;
};

/* Sets t->err to "WHAT: KEY: WHY"; returns -1. */
int mb_bad(const struct mb_thing *t, const char *key, const char *why);

/* 0 when the thing is an object; else an error. */
int mb_object(const struct mb_thing *t) UW_MUST_USE;

/* No control character in it. */
bool mb_clean(const char *text);

/* Into out of n bytes; "" for null and absent, where need allows it. */
int mb_text(const struct mb_thing *t, const char *key, enum mb_need need, char *out,
            size_t n) UW_MUST_USE;

/* A text that is a UUID, as lower case: it may stand in a path and in a command. */
int mb_uuid(const struct mb_thing *t, const char *key, char out[UW_UUID_TEXT_BYTES]) UW_MUST_USE;

/* A text that is this UUID, in any case. */
int mb_same_uuid(const struct mb_thing *t, const char *key, const char *uuid) UW_MUST_USE;

/* Seconds since the epoch; -1 for null and absent. */
int mb_time(const struct mb_thing *t, const char *key, int64_t *out) UW_MUST_USE;

/* An integer of at least 0; -1 for null and absent. */
int mb_int(const struct mb_thing *t, const char *key, int64_t *out) UW_MUST_USE;

/* UNKNOWN for null and absent. */
int mb_tri(const struct mb_thing *t, const char *key, enum rcv_tri *out) UW_MUST_USE;

/* The array under key, borrowed; NULL with an error when it is none. */
const json_t *mb_list(const json_t *root, const char *key, struct uw_err *err);

#endif
