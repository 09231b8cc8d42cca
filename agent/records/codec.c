#include "agent/records/codec.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/digest.h"

_Static_assert(sizeof(enum rcv_tri) == sizeof(int), "enumerations are read and written as int");

void codec_start(struct codec *c, const char *what, enum uw_exit status, struct uw_err *err) {
  memset(c, 0, sizeof *c);
  c->what = what;
  c->status = status;
  c->err = err;
}

size_t codec_enter(struct codec *c, const char *format, ...) {
  size_t mark = c->len;
  const char *dot = mark > 0 ? "." : "";
  char part[CODEC_PATH_BYTES];
  va_list ap;
  va_start(ap, format);
  int used = vsnprintf(part, sizeof part, format, ap);
  va_end(ap);
  if (used > 0) {
    int all = snprintf(c->path + mark, sizeof c->path - mark, "%s%s", dot, part);
    if (all > 0) {
      c->len = (size_t)all < sizeof c->path - mark ? mark + (size_t)all : sizeof c->path - 1;
    }
  }
  return mark;
}

void codec_leave(struct codec *c, size_t mark) {
  c->len = mark;
  c->path[mark] = '\0';
}

int codec_fail(struct codec *c, const char *key, const char *format, ...) {
  char text[UW_ERR_TEXT_BYTES];
  va_list ap;
  va_start(ap, format);
  if (vsnprintf(text, sizeof text, format, ap) < 0) {
    text[0] = '\0';
  }
  va_end(ap);
  const char *name = key != NULL ? key : "";
  const char *dot = c->len > 0 && *name != '\0' ? "." : "";
  const char *colon = c->len > 0 || *name != '\0' ? ": " : "";
  return uw_err_set(c->err, c->status, "%s: %s%s%.80s%s%.600s", c->what, c->path, dot, name, colon,
                    text);
}

static bool known(const char *key, const struct codec_field *field, size_t n,
                  const char *const *extra, size_t extras) {
  for (size_t i = 0; i < n; i++) {
    if (strcmp(field[i].key, key) == 0) {
      return true;
    }
  }
  for (size_t i = 0; i < extras; i++) {
    if (strcmp(extra[i], key) == 0) {
      return true;
    }
  }
  return false;
}

static int need(struct codec *c, const json_t *object, const char *key) {
  return json_object_get(object, key) != NULL ? 0 : codec_fail(c, key, "missing");
}

int codec_shape(struct codec *c, const json_t *object, const struct codec_field *field, size_t n,
                const char *const *extra, size_t extras) {
  const char *key;
  json_t *ignored;
  if (!json_is_object(object)) {
    return codec_fail(c, NULL, "must be an object");
  }
  json_object_foreach((json_t *)(uintptr_t)object, key, ignored) {
    if (!known(key, field, n, extra, extras)) {
      return codec_fail(c, key, "unknown key");
    }
  }
  for (size_t i = 0; i < n; i++) {
    if (need(c, object, field[i].key) != 0) {
      return -1;
    }
  }
  for (size_t i = 0; i < extras; i++) {
    if (need(c, object, extra[i]) != 0) {
      return -1;
    }
  }
  return 0;
}

int codec_read_text(struct codec *c, const json_t *object, const char *key, char *out,
                    size_t bytes) {
  const json_t *value = json_object_get(object, key);
  memset(out, 0, bytes);
  if (!json_is_string(value)) {
    return codec_fail(c, key, "must be a text");
  }
  size_t len = json_string_length(value);
  if (len >= bytes || strlen(json_string_value(value)) != len) {
    return codec_fail(c, key, "must be at most %zu bytes of text", bytes - 1);
  }
  memcpy(out, json_string_value(value), len);
  return 0;
}

int codec_read_int(struct codec *c, const json_t *object, const char *key, int64_t min, int64_t max,
                   int64_t *out) {
  const json_t *value = json_object_get(object, key);
  *out = min;
  if (!json_is_integer(value)) {
    return codec_fail(c, key, "must be an integer");
  }
  int64_t n = json_integer_value(value);
  if (n < min || n > max) {
    return codec_fail(c, key, "%" PRId64 " is outside %" PRId64 " to %" PRId64, n, min, max);
  }
  *out = n;
  return 0;
}

int codec_read_digest(struct codec *c, const json_t *object, const char *key, uint8_t out[32]) {
  const char *text = json_string_value(json_object_get(object, key));
  if (text == NULL || uw_digest_parse(text, out) != 0) {
    memset(out, 0, 32);
    return codec_fail(c, key, "must be 'sha256:' and 64 hexadecimal digits");
  }
  return 0;
}

static int read_enum(struct codec *c, const json_t *object, const struct codec_field *f, int *out) {
  const char *name = json_string_value(json_object_get(object, f->key));
  *out = 0;
  if (name == NULL) {
    return codec_fail(c, f->key, "must be the name of a %s", f->type->tag);
  }
  int value = rcv_enum_value(f->type, name);
  if (value >= 0 && value < f->type->count) {
    *out = value;
    return 0;
  }
  char all[400] = "";
  size_t len = 0;
  for (int i = 0; i < f->type->count && len < sizeof all - 1; i++) {
    int used = snprintf(all + len, sizeof all - len, "%s%s", i > 0 ? ", " : "", f->type->names[i]);
    len += used > 0 ? (size_t)used : 0;
  }
  return codec_fail(c, f->key, "'%.60s' is none of: %s", name, all);
}

int codec_read(struct codec *c, const json_t *object, const struct codec_field *field, size_t n,
               void *base) {
  for (size_t i = 0; i < n; i++) {
    const struct codec_field *f = &field[i];
    char *at = (char *)base + f->at;
    if (f->bytes > 0) {
      if (codec_read_text(c, object, f->key, at, f->bytes) != 0) {
        return -1;
      }
    } else if (f->type != NULL) {
      int value = 0;
      if (read_enum(c, object, f, &value) != 0) {
        return -1;
      }
      memcpy(at, &value, sizeof value);
    } else {
      int64_t value = 0;
      if (codec_read_int(c, object, f->key, f->min, f->max, &value) != 0) {
        return -1;
      }
      memcpy(at, &value, sizeof value);
    }
  }
  return 0;
}

void codec_put(json_t *object, const char *key, json_t *value, bool *bad) {
  if (json_object_set_new(object, key, value) != 0) {
    *bad = true;
  }
}

void codec_add(json_t *array, json_t *value, bool *bad) {
  if (json_array_append_new(array, value) != 0) {
    *bad = true;
  }
}

static json_t *field_value(const struct codec_field *f, const void *base, bool *bad) {
  const char *at = (const char *)base + f->at;
  if (f->bytes > 0) {
    if (memchr(at, '\0', f->bytes) == NULL) {
      *bad = true;
      return NULL;
    }
    return codec_string(at);
  }
  if (f->type != NULL) {
    int value = 0;
    memcpy(&value, at, sizeof value);
    *bad = *bad || value < 0 || value >= f->type->count;
    return json_string(rcv_enum_name(f->type, value));
  }
  int64_t value = 0;
  memcpy(&value, at, sizeof value);
  *bad = *bad || value < f->min || value > f->max;
  return json_integer(value);
}

void codec_write(json_t *object, const struct codec_field *field, size_t n, const void *base,
                 bool *bad) {
  for (size_t i = 0; i < n; i++) {
    codec_put(object, field[i].key, field_value(&field[i], base, bad), bad);
  }
}

/* Length of the UTF-8 sequence at s (Unicode 15, table 3-7), 0 when there is none. */
static size_t utf8_length(const unsigned char *s) {
  size_t n = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
  if (s[0] > 0xf4) {
    return 0;
  }
  for (size_t i = 1; i < n; i++) {
    if ((s[i] & 0xc0) != 0x80) {
      return 0; /* this also ends at the NUL */
    }
  }
  bool low = (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xf0 && s[1] < 0x90);
  bool high = (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf4 && s[1] > 0x8f);
  return low || high ? 0 : n;
}

void codec_clean(char *text) {
  for (size_t i = 0; text[i] != '\0';) {
    size_t n = utf8_length((const unsigned char *)&text[i]);
    if (n == 0) {
      text[i] = '?';
      n = 1;
    }
    i += n;
  }
}

/* An error text that was cut in the middle of a letter must not keep evidence from being
 * written, so what is not UTF-8 is marked, byte by byte: lengths stay as they are. */
json_t *codec_string(const char *text) {
  json_t *plain = json_string(text);
  if (plain != NULL) {
    return plain;
  }
  char *copy = strdup(text);
  if (copy == NULL) {
    return NULL;
  }
  codec_clean(copy);
  plain = json_string(copy);
  free(copy);
  return plain;
}

json_t *codec_string_or_null(const char *text) {
  return *text == '\0' ? json_null() : codec_string(text);
}

json_t *codec_digest(const uint8_t digest[32]) {
  char text[UW_DIGEST_TEXT_BYTES];
  uw_digest_text(digest, text);
  return json_string(text);
}
