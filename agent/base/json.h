/*
 * JSON: bounded strict parsing, typed access, and the one canonical writer.
 *
 * Canonical form: RFC 8785 within the I-JSON subset of contract section 6 (ASCII keys
 * [a-z0-9_] in byte order, integers below 2^53, no floats). Everything hashed is in it.
 */
#ifndef UW_JSON_H
#define UW_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/base/buf.h"
#include "agent/base/err.h"

#define UW_JSON_MAX_DEPTH 64

/*
 * Parses exactly one JSON text of n bytes: valid UTF-8, no duplicate keys, no NUL, depth at
 * most UW_JSON_MAX_DEPTH. what names the source in the error ("reply of GET /servers/..."),
 * status is the exit status of a failure. NULL on error. The caller owns the reference.
 */
json_t *uw_json_parse(const char *bytes, size_t n, const char *what, enum uw_exit status,
                      struct uw_err *err) UW_MUST_USE;

/* Members by key; the borrowed value or the given default when absent, null or of another type. */
const char *uw_json_str(const json_t *object, const char *key, const char *otherwise);
int64_t uw_json_int(const json_t *object, const char *key, int64_t otherwise);

/*
 * Appends the canonical bytes of value. -1 (err set) when value is outside the subset. The
 * buffer then holds a partial text that must not be used.
 */
int uw_json_canonical(const json_t *value, struct uw_buf *out, struct uw_err *err) UW_MUST_USE;

#endif
