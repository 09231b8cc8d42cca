#include "agent/base/json.h"

#include <string.h>

#include "recovery/limits.h"

/* jansson recurses per level up to its own limit; ours is checked on the text beforehand. */
static bool too_deep(const char *bytes, size_t n) {
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < n; i++) {
    char c = bytes[i];
    if (in_string) {
      if (c == '\\') {
        i++;
      } else if (c == '"') {
        in_string = false;
      }
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      depth++;
      if (depth > UW_JSON_MAX_DEPTH) {
        return true;
      }
    } else if (c == ']' || c == '}') {
      depth--;
    }
  }
  return false;
}

json_t *uw_json_parse(const char *bytes, size_t n, const char *what, enum uw_exit status,
                      struct uw_err *err) {
  if (too_deep(bytes, n)) {
    (void)uw_err_set(err, status, "%s: JSON nested deeper than %d levels", what, UW_JSON_MAX_DEPTH);
    return NULL;
  }
  json_error_t where;
  json_t *value = json_loadb(bytes, n, JSON_REJECT_DUPLICATES, &where);
  if (value == NULL) {
    (void)uw_err_set(err, status, "%s: not valid JSON at line %d: %s", what, where.line,
                     where.text);
  }
  return value;
}

const char *uw_json_str(const json_t *object, const char *key, const char *otherwise) {
  const char *text = json_string_value(json_object_get(object, key));
  return text != NULL ? text : otherwise;
}

int64_t uw_json_int(const json_t *object, const char *key, int64_t otherwise) {
  const json_t *value = json_object_get(object, key);
  return json_is_integer(value) ? (int64_t)json_integer_value(value) : otherwise;
}

static void put_string(const char *text, size_t len, struct uw_buf *out) {
  static const char hex[] = "0123456789abcdef";
  uw_buf_puts(out, "\"");
  for (size_t i = 0; i < len; i++) {
    unsigned char c = (unsigned char)text[i];
    char shorts[] = {'\\', 0, '\0'};
    switch (c) {
    case '"': shorts[1] = '"'; break;
    case '\\': shorts[1] = '\\'; break;
    case '\b': shorts[1] = 'b'; break;
    case '\f': shorts[1] = 'f'; break;
    case '\n': shorts[1] = 'n'; break;
    case '\r': shorts[1] = 'r'; break;
    case '\t': shorts[1] = 't'; break;
    default: break;
    }
    if (shorts[1] != 0) {
      uw_buf_puts(out, shorts);
    } else if (c < 0x20) {
      char escape[] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15], '\0'};
      uw_buf_puts(out, escape);
    } else {
      uw_buf_add(out, &text[i], 1);
    }
  }
  uw_buf_puts(out, "\"");
}

static bool key_ok(const char *key) {
  if (*key == '\0') {
    return false;
  }
  for (; *key != '\0'; key++) {
    if (!((*key >= 'a' && *key <= 'z') || (*key >= '0' && *key <= '9') || *key == '_')) {
      return false;
    }
  }
  return true;
}

static int put_value(const json_t *value, int depth, struct uw_buf *out, struct uw_err *err);

/* The smallest key greater than `after` in byte order; quadratic, and our objects are small. */
static const char *next_key(const json_t *object, const char *after) {
  const char *best = NULL;
  const char *key;
  json_t *ignored;
  json_object_foreach((json_t *)(uintptr_t)object, key, ignored) {
    if ((after == NULL || strcmp(key, after) > 0) && (best == NULL || strcmp(key, best) < 0)) {
      best = key;
    }
  }
  return best;
}

static int put_object(const json_t *value, int depth, struct uw_buf *out, struct uw_err *err) {
  const char *separator = "";
  uw_buf_puts(out, "{");
  for (const char *key = next_key(value, NULL); key != NULL; key = next_key(value, key)) {
    if (!key_ok(key)) {
      return uw_err_set(err, UW_EXIT_USAGE, "internal: JSON key '%s' is outside [a-z0-9_]", key);
    }
    uw_buf_puts(out, separator);
    put_string(key, strlen(key), out);
    uw_buf_puts(out, ":");
    if (put_value(json_object_get(value, key), depth + 1, out, err) != 0) {
      return -1;
    }
    separator = ",";
  }
  uw_buf_puts(out, "}");
  return 0;
}

static int put_array(const json_t *value, int depth, struct uw_buf *out, struct uw_err *err) {
  uw_buf_puts(out, "[");
  for (size_t i = 0; i < json_array_size(value); i++) {
    uw_buf_puts(out, i == 0 ? "" : ",");
    if (put_value(json_array_get(value, i), depth + 1, out, err) != 0) {
      return -1;
    }
  }
  uw_buf_puts(out, "]");
  return 0;
}

static int put_integer(const json_t *value, struct uw_buf *out, struct uw_err *err) {
  json_int_t n = json_integer_value(value);
  if (n > RCV_INT_MAX || n < -RCV_INT_MAX) {
    return uw_err_set(err, UW_EXIT_USAGE, "internal: integer outside 2^53 in JSON");
  }
  uw_buf_printf(out, "%" JSON_INTEGER_FORMAT, n);
  return 0;
}

static int put_value(const json_t *value, int depth, struct uw_buf *out, struct uw_err *err) {
  if (depth > UW_JSON_MAX_DEPTH || value == NULL) {
    return uw_err_set(err, UW_EXIT_USAGE, "internal: JSON too deep or empty");
  }
  switch (json_typeof(value)) {
  case JSON_OBJECT: return put_object(value, depth, out, err);
  case JSON_ARRAY: return put_array(value, depth, out, err);
  case JSON_STRING: put_string(json_string_value(value), json_string_length(value), out); return 0;
  case JSON_INTEGER: return put_integer(value, out, err);
  case JSON_TRUE: uw_buf_puts(out, "true"); return 0;
  case JSON_FALSE: uw_buf_puts(out, "false"); return 0;
  case JSON_NULL: uw_buf_puts(out, "null"); return 0;
  case JSON_REAL: break;
  }
  return uw_err_set(err, UW_EXIT_USAGE, "internal: a float has no canonical form here");
}

int uw_json_canonical(const json_t *value, struct uw_buf *out, struct uw_err *err) {
  if (put_value(value, 0, out, err) != 0) {
    return -1;
  }
  return out->failed ? uw_err_set(err, UW_EXIT_USAGE, "JSON text does not fit in memory") : 0;
}
