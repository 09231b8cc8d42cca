#include "agent/openstack/member.h"

#include <string.h>
#include <strings.h>

#include "agent/base/clock.h"
#include "agent/base/json.h"

int mb_bad(const struct mb_thing *t, const char *key, const char *why) {
  return uw_err_set(t->err, UW_EXIT_UNKNOWN, "%s: %s: %s", t->what, key, why);
}

bool mb_clean(const char *text) {
  for (; *text != '\0'; text++) {
    if ((unsigned char)*text < 0x20 || *text == 0x7f) {
      return false;
    }
  }
  return true;
}

int mb_text(const struct mb_thing *t, const char *key, enum mb_need need, char *out, size_t n) {
  const json_t *value = json_object_get(t->object, key);
  out[0] = '\0';
  if (value == NULL && need != MB_OPTIONAL) {
    return mb_bad(t, key, "is missing");
  }
  if (value == NULL || (json_is_null(value) && need != MB_TEXT)) {
    return 0;
  }
  const char *text = json_string_value(value);
  if (text == NULL) {
    return mb_bad(t, key, "a text is expected");
  }
  if (strlen(text) >= n) {
    return mb_bad(t, key, "the text is too long");
  }
  if (!mb_clean(text)) {
    return mb_bad(t, key, "holds a control character");
  }
  memcpy(out, text, strlen(text) + 1);
  return 0;
}

int mb_object(const struct mb_thing *t) {
  return json_is_object(t->object)
             ? 0
             : uw_err_set(t->err, UW_EXIT_UNKNOWN, "%s: an object is expected", t->what);
}

int mb_uuid(const struct mb_thing *t, const char *key, char out[UW_UUID_TEXT_BYTES]) {
  uint8_t binary[RCV_UUID_BYTES];
  const char *text = uw_json_str(t->object, key, NULL);
  out[0] = '\0';
  if (text == NULL || uw_uuid_parse(text, binary) != 0) {
    return mb_bad(t, key, "a UUID is expected");
  }
  uw_uuid_text(binary, out);
  return 0;
}

int mb_same_uuid(const struct mb_thing *t, const char *key, const char *uuid) {
  const char *given = uw_json_str(t->object, key, NULL);
  if (given == NULL) {
    return mb_bad(t, key, "a text is expected");
  }
  return strcasecmp(given, uuid) == 0 ? 0 : mb_bad(t, key, "belongs to another instance");
}

int mb_time(const struct mb_thing *t, const char *key, int64_t *out) {
  const json_t *value = json_object_get(t->object, key);
  *out = -1;
  if (value == NULL || json_is_null(value)) {
    return 0;
  }
  const char *text = json_string_value(value);
  if (text == NULL) {
    return mb_bad(t, key, "a time is expected");
  }
  *out = uw_time_parse_iso(text);
  return *out < 0 ? mb_bad(t, key, "is not a time") : 0;
}

int mb_int(const struct mb_thing *t, const char *key, int64_t *out) {
  const json_t *value = json_object_get(t->object, key);
  *out = -1;
  if (value == NULL || json_is_null(value)) {
    return 0;
  }
  if (!json_is_integer(value) || json_integer_value(value) < 0 ||
      json_integer_value(value) > RCV_INT_MAX) {
    return mb_bad(t, key, "a count is expected");
  }
  *out = (int64_t)json_integer_value(value);
  return 0;
}

int mb_tri(const struct mb_thing *t, const char *key, enum rcv_tri *out) {
  const json_t *value = json_object_get(t->object, key);
  *out = RCV_TRI_UNKNOWN;
  if (value == NULL || json_is_null(value)) {
    return 0;
  }
  if (!json_is_boolean(value)) {
    return mb_bad(t, key, "true or false is expected");
  }
  *out = json_is_true(value) ? RCV_TRI_YES : RCV_TRI_NO;
  return 0;
}

const json_t *mb_list(const json_t *root, const char *key, struct uw_err *err) {
  const json_t *list = json_object_get(root, key);
  if (!json_is_array(list)) {
    (void)uw_err_set(err, UW_EXIT_UNKNOWN, "%s: a list is expected", key);
    return NULL;
  }
  return list;
}
