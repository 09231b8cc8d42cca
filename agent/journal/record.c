/* One record: its types, its members, its canonical line, its place in the chain. */
#include <stdio.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/base/json.h"
#include "agent/journal/inner.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* SCHEMA.md describes all members; these are the ones that other records are matched by. */
static const struct journal_type types[] = {
    {"init", {NULL}},
    {"run_started", {"verb", NULL}},
    {"evidence", {"instance", NULL}},
    {"verdict", {"instance", "verdict", "code", NULL}},
    {"plan", {"instance", NULL}},
    {"approval", {"instance", NULL}},
    {"gates", {"instance", NULL}},
    {"attestation", {"instance", "fact", "who", NULL}},
    {"intent", {"instance", "user_id", "requests", NULL}},
    {"outcome", {"instance", "result", NULL}},
    {"verification", {"instance", NULL}},
    {"residue", {"instance", NULL}},
    {"refusal", {"code", NULL}},
    {"recovered", {"torn_digest", "torn_bytes", NULL}},
    {"resolved", {"instance", "result", "reason", NULL}},
};

static const char *const reserved[] = {"schema",  "seq",     "run",  "type", "time", "time_s",
                                       "mono_ms", "boot_id", "salt", "tool", "chain"};

const struct journal_type *journal_type_find(const char *name) {
  for (size_t i = 0; i < COUNT(types); i++) {
    if (strcmp(types[i].name, name) == 0) {
      return &types[i];
    }
  }
  return NULL;
}

bool journal_key_reserved(const char *key) {
  for (size_t i = 0; i < COUNT(reserved); i++) {
    if (strcmp(reserved[i], key) == 0) {
      return true;
    }
  }
  return false;
}

static bool one_of(const char *text, const char *const *words, size_t n) {
  for (size_t i = 0; text != NULL && i < n; i++) {
    if (strcmp(text, words[i]) == 0) {
      return true;
    }
  }
  return false;
}

static int results_check(const char *type, const json_t *body, struct uw_err *err) {
  static const char *const outcomes[] = {"applied", "not_applied", "unknown"};
  static const char *const resolutions[] = {"applied", "not_applied"};
  const char *result = uw_json_str(body, "result", NULL);
  if (strcmp(type, "outcome") == 0 && !one_of(result, outcomes, COUNT(outcomes))) {
    return uw_err_set(err, UW_EXIT_JOURNAL,
                      "a record of type outcome needs result applied, not_applied or unknown");
  }
  if (strcmp(type, "resolved") == 0 && !one_of(result, resolutions, COUNT(resolutions))) {
    return uw_err_set(err, UW_EXIT_JOURNAL,
                      "a record of type resolved needs result applied or not_applied");
  }
  if (strcmp(type, "intent") == 0 && !json_is_array(json_object_get(body, "requests"))) {
    return uw_err_set(err, UW_EXIT_JOURNAL, "a record of type intent needs requests as a list");
  }
  return 0;
}

int journal_body_check(const char *type, const json_t *body, struct uw_err *err) {
  const struct journal_type *t = journal_type_find(type);
  if (t == NULL) {
    return uw_err_set(err, UW_EXIT_JOURNAL, "there is no journal record of type '%.40s'", type);
  }
  for (size_t i = 0; i < JOURNAL_MAX_REQUIRED && t->required[i] != NULL; i++) {
    if (json_object_get(body, t->required[i]) == NULL) {
      return uw_err_set(err, UW_EXIT_JOURNAL, "a record of type %s needs '%s'", type,
                        t->required[i]);
    }
  }
  return results_check(type, body, err);
}

int journal_chain(const uint8_t before[RCV_DIGEST_BYTES], const json_t *record,
                  uint8_t out[RCV_DIGEST_BYTES], struct uw_err *err) {
  struct uw_buf bytes = {.max = 2 * JOURNAL_RECORD_BYTES};
  json_t *bare = json_copy((json_t *)(uintptr_t)record);
  memset(out, 0, RCV_DIGEST_BYTES);
  if (bare == NULL) {
    return uw_err_set(err, UW_EXIT_JOURNAL, "no memory for a journal record");
  }
  (void)json_object_del(bare, "chain");
  uw_buf_add(&bytes, before, RCV_DIGEST_BYTES);
  int result = uw_json_canonical(bare, &bytes, err);
  if (result == 0) {
    result = uw_sha256(bytes.data, bytes.len, out, err);
  }
  if (result != 0 && err != NULL) {
    err->status = UW_EXIT_JOURNAL;
  }
  uw_buf_free(&bytes);
  json_decref(bare);
  return result;
}

static int canonical_check(const char *line, size_t n, const json_t *record, struct uw_err *err) {
  struct uw_buf bytes = {.max = 2 * JOURNAL_RECORD_BYTES};
  struct uw_err why;
  uw_err_clear(&why);
  int result = 0;
  if (uw_json_canonical(record, &bytes, &why) != 0) {
    result = uw_err_set(err, UW_EXIT_JOURNAL, "is not in canonical form: %.300s", why.text);
  } else if (bytes.len != n || memcmp(bytes.data, line, n) != 0) {
    result = uw_err_set(err, UW_EXIT_JOURNAL, "is not in canonical form");
  }
  uw_buf_free(&bytes);
  return result;
}

static bool salt_ok(const char *salt) {
  return strlen(salt) == 2 * (size_t)JOURNAL_SALT_BYTES &&
         strspn(salt, "0123456789abcdef") == 2 * (size_t)JOURNAL_SALT_BYTES;
}

static int members_check(const json_t *record, struct uw_err *err) {
  char when[UW_TIME_BYTES];
  uw_time_text(uw_json_int(record, "time_s", -1), when);
  const char *problem = NULL;
  if (strcmp(uw_json_str(record, "schema", ""), JOURNAL_SCHEMA) != 0) {
    problem = "schema is not \"" JOURNAL_SCHEMA "\"";
  } else if (uw_json_int(record, "seq", -1) < 0) {
    problem = "seq is not a number from 0";
  } else if (uw_uuid_parse(uw_json_str(record, "run", ""), NULL) != 0) {
    problem = "run is not a UUID";
  } else if (strcmp(uw_json_str(record, "time", ""), when) != 0) {
    problem = "time and time_s do not agree";
  } else if (uw_json_int(record, "mono_ms", -1) < 0) {
    problem = "mono_ms is not a number from 0";
  } else if (!json_is_string(json_object_get(record, "boot_id"))) {
    problem = "boot_id is missing";
  } else if (!salt_ok(uw_json_str(record, "salt", ""))) {
    problem = "salt is not 32 hexadecimal digits";
  } else if (!json_is_string(json_object_get(record, "tool"))) {
    problem = "tool is missing";
  }
  if (problem != NULL) {
    return uw_err_set(err, UW_EXIT_JOURNAL, "%s", problem);
  }
  return journal_body_check(uw_json_str(record, "type", ""), record, err);
}

static int place_check(const json_t *record, int64_t seq, const uint8_t before[RCV_DIGEST_BYTES],
                       struct uw_err *err) {
  uint8_t written[RCV_DIGEST_BYTES];
  uint8_t real[RCV_DIGEST_BYTES];
  int64_t own = uw_json_int(record, "seq", -1);
  if (own != seq) {
    return uw_err_set(err, UW_EXIT_JOURNAL,
                      "has seq %lld where %lld belongs: records are missing, repeated or moved",
                      (long long)own, (long long)seq);
  }
  if (journal_chain(before, record, real, err) != 0) {
    return -1;
  }
  if (uw_digest_parse(uw_json_str(record, "chain", ""), written) != 0 ||
      memcmp(written, real, sizeof real) != 0) {
    return uw_err_set(err, UW_EXIT_JOURNAL,
                      "does not match its chain value: it, or a record before it, was changed");
  }
  return 0;
}

int journal_line_check(const char *line, size_t n, int64_t seq,
                       const uint8_t before[RCV_DIGEST_BYTES], json_t **ret, struct uw_err *err) {
  *ret = NULL;
  json_t *record = uw_json_parse(line, n, "record", UW_EXIT_JOURNAL, err);
  if (record == NULL) {
    return -1;
  }
  if (!json_is_object(record)) {
    json_decref(record);
    return uw_err_set(err, UW_EXIT_JOURNAL, "is not a JSON object");
  }
  if (canonical_check(line, n, record, err) != 0 || members_check(record, err) != 0 ||
      (seq >= 0 && place_check(record, seq, before, err) != 0)) {
    json_decref(record);
    return -1;
  }
  *ret = record;
  return 0;
}
