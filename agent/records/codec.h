/*
 * The strict reading and the writing of JSON objects from tables of fields: used by all files
 * of this room. A problem is one line: source, JSON path, what is wrong.
 */
#ifndef UW_CODEC_H
#define UW_CODEC_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"
#include "recovery/enums.h"

#define CODEC_PATH_BYTES 128
#define CODEC_MAX_KEYS 64 /* members of one object */

/* One member that mirrors one field of a C struct. */
struct codec_field {
  const char *key;
  const struct rcv_enum *type; /* an enumeration, by name */
  size_t bytes;                /* a text of so many bytes with its NUL; 0: not a text */
  int64_t min, max;            /* an integer */
  size_t at;                   /* offset in the struct */
};

#define CODEC_ENUM(owner, tag, field)                                                              \
  {.key = #field, .type = &tag##_enum, .at = offsetof(owner, field)},
#define CODEC_INT(owner, field, low, high)                                                         \
  {.key = #field, .min = (low), .max = (high), .at = offsetof(owner, field)},
#define CODEC_TEXT(owner, field, size)                                                             \
  {.key = #field, .bytes = (size), .at = offsetof(owner, field)},

/* Where the reading is; status is the exit status of a failure. */
struct codec {
  const char *what; /* the source's name; borrowed */
  enum uw_exit status;
  struct uw_err *err;
  size_t len;
  char path[CODEC_PATH_BYTES];
};

void codec_start(struct codec *c, const char *what, enum uw_exit status, struct uw_err *err);
/* Descends; the result is for codec_leave(). */
size_t codec_enter(struct codec *c, const char *format, ...) UW_PRINTF(2, 3);
void codec_leave(struct codec *c, size_t mark);
/* "what: path.key: text"; key may be NULL. Returns -1. */
int codec_fail(struct codec *c, const char *key, const char *format, ...) UW_PRINTF(3, 4);

/* 0 when object is an object that has the fields' and the extra keys, each, and no others. */
int codec_shape(struct codec *c, const json_t *object, const struct codec_field *field, size_t n,
                const char *const *extra, size_t extras) UW_MUST_USE;
/* Reads the fields into base. */
int codec_read(struct codec *c, const json_t *object, const struct codec_field *field, size_t n,
               void *base) UW_MUST_USE;
int codec_read_text(struct codec *c, const json_t *object, const char *key, char *out,
                    size_t bytes) UW_MUST_USE;
int codec_read_int(struct codec *c, const json_t *object, const char *key, int64_t min, int64_t max,
                   int64_t *out) UW_MUST_USE;
int codec_read_digest(struct codec *c, const json_t *object, const char *key,
                      uint8_t out[32]) UW_MUST_USE;

/* Writing: a failure (no memory, value outside its range) sets *bad; checked once at the end. */
void codec_put(json_t *object, const char *key, json_t *value, bool *bad);
void codec_add(json_t *array, json_t *value, bool *bad);
void codec_write(json_t *object, const struct codec_field *field, size_t n, const void *base,
                 bool *bad);
/* Replaces the bytes of text that are not UTF-8 by '?'. */
void codec_clean(char *text);
/* A JSON string of text; bytes that are not UTF-8 become '?'. NULL without memory. */
json_t *codec_string(const char *text);
/* The same, JSON null for "". */
json_t *codec_string_or_null(const char *text);
json_t *codec_digest(const uint8_t digest[32]);

#endif
