#include "agent/records/evidence.h"

#include <stdlib.h>
#include <string.h>

#include "agent/base/files.h"
#include "agent/base/json.h"
#include "agent/records/codec.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* The tables of facts.def: every fact's key, type and place, written nowhere else. */
#define FIELD_ENUM(tag, field, role, doc) CODEC_ENUM(OWNER, tag, field)
#define FIELD_INT(unit, field, role, doc) CODEC_INT(OWNER, field, -1, RCV_INT_MAX)
#define FIELD_TEXT(field, size, doc) CODEC_TEXT(OWNER, field, size)

#define OWNER struct rcv_look
static const struct codec_field look_fields[] = {RCV_LOOK_FACTS(FIELD_ENUM, FIELD_INT)};
#undef OWNER
#define OWNER struct rcv_nova
static const struct codec_field nova_fields[] = {RCV_NOVA_FACTS(FIELD_ENUM, FIELD_INT)};
#undef OWNER
#define OWNER struct rcv_candidate
static const struct codec_field candidate_fields[] = {RCV_CANDIDATE_FACTS(FIELD_ENUM, FIELD_INT)};
#undef OWNER
#define OWNER struct rcv_evidence
static const struct codec_field observation_fields[] = {
    RCV_OBSERVATION_FACTS(FIELD_ENUM, FIELD_INT)};
#undef OWNER
#define OWNER struct rcv_names
static const struct codec_field name_fields[] = {RCV_INSTANCE_TEXTS(FIELD_TEXT)};
#undef OWNER
#define OWNER struct rcv_host_names
static const struct codec_field host_fields[] = {RCV_HOST_TEXTS(FIELD_TEXT)};
#undef OWNER

#define MASK_MAX                                                                                   \
  (RCV_ATTEST_COMPUTE_STOPPED | RCV_ATTEST_COMPUTE_RESTARTED | RCV_ATTEST_QUEUE_EMPTY |            \
   RCV_ATTEST_HOST_GONE | RCV_ATTEST_HOST_FENCED)

static const struct codec_field policy_fields[] = {
    CODEC_INT(struct rcv_policy, valid, 0, 1) CODEC_INT(struct rcv_policy, observe_rounds, 0,
                                                        RCV_INT_MAX)
        CODEC_INT(struct rcv_policy, observe_window_ms, 0, RCV_INT_MAX)
            CODEC_INT(struct rcv_policy, monitor_check, 0, 1) CODEC_INT(struct rcv_policy,
                                                                        require_metadata, 0, 1)
                CODEC_INT(struct rcv_policy, age_terminal_s, 0, RCV_INT_MAX)
                    CODEC_INT(struct rcv_policy, age_terminal_error_up_s, 0, RCV_INT_MAX)
                        CODEC_INT(struct rcv_policy, age_nonterminal_s, 0, RCV_INT_MAX)
                            CODEC_INT(struct rcv_policy, age_nonterminal_down_s, 0, RCV_INT_MAX)
                                CODEC_INT(struct rcv_policy, age_missing_record_s, 0, RCV_INT_MAX)
                                    CODEC_INT(struct rcv_policy, attest_accepted, 0, MASK_MAX)
                                        CODEC_INT(struct rcv_policy, attest_required, 0, MASK_MAX)
                                            CODEC_INT(struct rcv_policy, allow_reset, 0, 1)};
_Static_assert(sizeof(struct rcv_policy) == COUNT(policy_fields) * sizeof(int64_t),
               "every parameter of struct rcv_policy is in the table");

static const struct codec_field head_fields[] = {
    CODEC_TEXT(struct uw_record, run, UW_UUID_TEXT_BYTES)
        CODEC_TEXT(struct uw_record, boot_id, UW_UUID_TEXT_BYTES)
            CODEC_TEXT(struct uw_record, made_by, UW_MADE_BY_BYTES)
                CODEC_INT(struct uw_record, made_s, 0, RCV_INT_MAX)
                    CODEC_TEXT(struct uw_record, policy_name, UW_POLICY_NAME_BYTES)};

struct uw_record *uw_record_new(void) {
  struct uw_record *r = calloc(1, sizeof *r);
  if (r != NULL) {
    rcv_evidence_init(&r->evidence);
  }
  return r;
}

void uw_record_free(struct uw_record *r) {
  if (r != NULL) {
    json_decref(r->gates);
    json_decref(r->attestations);
    free(r);
  }
}

static void clean_texts(const struct codec_field *field, size_t n, void *base) {
  for (size_t i = 0; i < n; i++) {
    char *text = (char *)base + field[i].at;
    if (field[i].bytes > 0 && memchr(text, '\0', field[i].bytes) != NULL) {
      codec_clean(text);
    }
  }
}

void uw_record_clean(struct uw_record *r) {
  clean_texts(name_fields, COUNT(name_fields), &r->names);
  clean_texts(head_fields, COUNT(head_fields), r);
  for (size_t i = 0; i < RCV_MAX_CANDIDATES; i++) {
    clean_texts(host_fields, COUNT(host_fields), &r->names.host[i]);
  }
}

/* attestations */

int uw_record_attest(struct uw_record *r, const char *fact, const char *who, const char *reason,
                     struct uw_err *err) {
  if (strlen(fact) >= UW_ATTESTATION_FACT_BYTES || strlen(who) >= UW_ATTESTATION_WHO_BYTES ||
      strlen(reason) >= UW_ATTESTATION_WHY_BYTES) {
    return uw_err_set(err, UW_EXIT_USAGE, "the attestation '%.80s' or its reason is too long",
                      fact);
  }
  if (r->attestations == NULL) {
    r->attestations = json_array();
  }
  if (json_array_size(r->attestations) >= UW_MAX_ATTESTATIONS) {
    return uw_err_set(err, UW_EXIT_USAGE, "more than %d attestations", UW_MAX_ATTESTATIONS);
  }
  bool bad = false;
  json_t *one = json_object();
  codec_put(one, "fact", codec_string(fact), &bad);
  codec_put(one, "who", codec_string(who), &bad);
  codec_put(one, "reason", codec_string(reason), &bad);
  codec_add(r->attestations, one, &bad);
  return bad ? uw_err_set(err, UW_EXIT_USAGE, "no memory for an attestation") : 0;
}

static int attestations_check(struct codec *c, const json_t *list) {
  static const char *const keys[] = {"fact", "who", "reason"};
  char text[UW_ATTESTATION_WHY_BYTES];
  if (!json_is_array(list) || json_array_size(list) > UW_MAX_ATTESTATIONS) {
    return codec_fail(c, "attestations", "must be a list of at most %d", UW_MAX_ATTESTATIONS);
  }
  for (size_t i = 0; i < json_array_size(list); i++) {
    const json_t *one = json_array_get(list, i);
    size_t mark = codec_enter(c, "attestations[%zu]", i);
    if (codec_shape(c, one, NULL, 0, keys, COUNT(keys)) != 0 ||
        codec_read_text(c, one, "fact", text, UW_ATTESTATION_FACT_BYTES) != 0 ||
        codec_read_text(c, one, "who", text, UW_ATTESTATION_WHO_BYTES) != 0 ||
        codec_read_text(c, one, "reason", text, UW_ATTESTATION_WHY_BYTES) != 0) {
      return -1;
    }
    codec_leave(c, mark);
  }
  return 0;
}

/* writing */

static json_t *object_of(const struct codec_field *field, size_t n, const void *base, bool *bad) {
  json_t *o = json_object();
  codec_write(o, field, n, base, bad);
  return o;
}

static json_t *candidate_json(const struct rcv_candidate *k, const struct rcv_host_names *names,
                              bool *bad) {
  json_t *o = object_of(candidate_fields, COUNT(candidate_fields), k, bad);
  codec_put(o, "names", object_of(host_fields, COUNT(host_fields), names, bad), bad);
  codec_put(o, "first", object_of(look_fields, COUNT(look_fields), &k->first, bad), bad);
  codec_put(o, "last", object_of(look_fields, COUNT(look_fields), &k->last, bad), bad);
  return o;
}

static void evidence_put(json_t *o, const struct uw_record *r, bool *bad) {
  const struct rcv_evidence *e = &r->evidence;
  json_t *list = json_array();
  for (int64_t i = 0; i < e->candidates && i < RCV_MAX_CANDIDATES; i++) {
    codec_add(list, candidate_json(&e->candidate[i], &r->names.host[i], bad), bad);
  }
  codec_put(o, "names", object_of(name_fields, COUNT(name_fields), &r->names, bad), bad);
  codec_put(o, "observation", object_of(observation_fields, COUNT(observation_fields), e, bad),
            bad);
  codec_put(o, "nova_first", object_of(nova_fields, COUNT(nova_fields), &e->nova_first, bad), bad);
  codec_put(o, "nova_last", object_of(nova_fields, COUNT(nova_fields), &e->nova_last, bad), bad);
  codec_put(o, "candidates", list, bad);
}

json_t *uw_record_to_json(const struct uw_record *r, struct uw_err *err) {
  bool bad = false;
  if (rcv_evidence_valid(&r->evidence) != 1) {
    (void)uw_err_set(err, UW_EXIT_USAGE,
                     "internal: the evidence is outside its own bounds and cannot be written");
    return NULL;
  }
  json_t *o = json_object();
  codec_put(o, "schema", json_string(UW_EVIDENCE_SCHEMA), &bad);
  codec_write(o, head_fields, COUNT(head_fields), r, &bad);
  codec_put(o, "policy_digest", codec_digest(r->policy_digest), &bad);
  codec_put(o, "policy", object_of(policy_fields, COUNT(policy_fields), &r->policy, &bad), &bad);
  codec_put(o, "attestations",
            r->attestations != NULL ? json_deep_copy(r->attestations) : json_array(), &bad);
  codec_put(o, "gates", r->gates != NULL ? json_deep_copy(r->gates) : json_null(), &bad);
  evidence_put(o, r, &bad);
  if (bad) {
    json_decref(o);
    (void)uw_err_set(err, UW_EXIT_USAGE,
                     "internal: evidence holds a value outside its range, or memory is short");
    return NULL;
  }
  return o;
}

/* reading */

static int read_object(struct codec *c, const json_t *parent, const char *key,
                       const struct codec_field *field, size_t n, void *base) {
  const json_t *o = json_object_get(parent, key);
  size_t mark = codec_enter(c, "%s", key);
  if (codec_shape(c, o, field, n, NULL, 0) != 0 || codec_read(c, o, field, n, base) != 0) {
    return -1;
  }
  codec_leave(c, mark);
  return 0;
}

static int read_candidate(struct codec *c, const json_t *o, struct rcv_candidate *k,
                          struct rcv_host_names *names) {
  static const char *const keys[] = {"names", "first", "last"};
  if (codec_shape(c, o, candidate_fields, COUNT(candidate_fields), keys, COUNT(keys)) != 0 ||
      codec_read(c, o, candidate_fields, COUNT(candidate_fields), k) != 0 ||
      read_object(c, o, "names", host_fields, COUNT(host_fields), names) != 0 ||
      read_object(c, o, "first", look_fields, COUNT(look_fields), &k->first) != 0) {
    return -1;
  }
  return read_object(c, o, "last", look_fields, COUNT(look_fields), &k->last);
}

static int read_candidates(struct codec *c, const json_t *parent, struct uw_record *r) {
  const json_t *list = json_object_get(parent, "candidates");
  if (!json_is_array(list) || json_array_size(list) > RCV_MAX_CANDIDATES) {
    return codec_fail(c, "candidates", "must be a list of at most %d", RCV_MAX_CANDIDATES);
  }
  for (size_t i = 0; i < json_array_size(list); i++) {
    size_t mark = codec_enter(c, "candidates[%zu]", i);
    if (read_candidate(c, json_array_get(list, i), &r->evidence.candidate[i], &r->names.host[i]) !=
        0) {
      return -1;
    }
    codec_leave(c, mark);
  }
  r->evidence.candidates = (int64_t)json_array_size(list);
  return 0;
}

static int uuid_or_empty(struct codec *c, const char *key, const char *text) {
  if (*text == '\0' || uw_uuid_parse(text, NULL) == 0) {
    return 0;
  }
  return codec_fail(c, key, "must be a UUID or empty");
}

static int read_head(struct codec *c, const json_t *o, struct uw_record *r) {
  static const char *const keys[] = {"schema",    "policy_digest", "policy",      "attestations",
                                     "gates",     "names",         "observation", "nova_first",
                                     "nova_last", "candidates"};
  const char *schema = json_string_value(json_object_get(o, "schema"));
  if (schema == NULL || strcmp(schema, UW_EVIDENCE_SCHEMA) != 0) {
    return codec_fail(c, "schema", "must be \"" UW_EVIDENCE_SCHEMA "\"");
  }
  if (codec_shape(c, o, head_fields, COUNT(head_fields), keys, COUNT(keys)) != 0 ||
      codec_read(c, o, head_fields, COUNT(head_fields), r) != 0 ||
      codec_read_digest(c, o, "policy_digest", r->policy_digest) != 0 ||
      read_object(c, o, "policy", policy_fields, COUNT(policy_fields), &r->policy) != 0) {
    return -1;
  }
  if (uuid_or_empty(c, "run", r->run) != 0) {
    return -1;
  }
  return uuid_or_empty(c, "boot_id", r->boot_id);
}

static int read_statements(struct codec *c, const json_t *o, struct uw_record *r) {
  json_t *gates = json_object_get(o, "gates");
  json_t *attestations = json_object_get(o, "attestations");
  if (attestations_check(c, attestations) != 0) {
    return -1;
  }
  if (json_is_object(gates)) {
    struct uw_buf bytes = {.max = UW_RECORD_MAX_BYTES};
    struct uw_err why;
    uw_err_clear(&why);
    int bad = uw_json_canonical(gates, &bytes, &why);
    uw_buf_free(&bytes);
    if (bad != 0) {
      return codec_fail(c, "gates", "%s", why.text);
    }
    r->gates = json_incref(gates);
  } else if (!json_is_null(gates)) {
    return codec_fail(c, "gates", "must be an object or null");
  }
  r->attestations = json_incref(attestations);
  return 0;
}

static int read_evidence(struct codec *c, const json_t *o, struct uw_record *r) {
  struct rcv_evidence *e = &r->evidence;
  if (read_object(c, o, "names", name_fields, COUNT(name_fields), &r->names) != 0 ||
      read_object(c, o, "observation", observation_fields, COUNT(observation_fields), e) != 0 ||
      read_object(c, o, "nova_first", nova_fields, COUNT(nova_fields), &e->nova_first) != 0 ||
      read_object(c, o, "nova_last", nova_fields, COUNT(nova_fields), &e->nova_last) != 0 ||
      read_candidates(c, o, r) != 0) {
    return -1;
  }
  if (uw_uuid_parse(r->names.instance, NULL) != 0) {
    return codec_fail(c, "names.instance", "must be a UUID");
  }
  if (rcv_evidence_valid(e) != 1) {
    return codec_fail(c, NULL,
                      "a fact is outside its bounds (an index without its host, or an "
                      "impossible count or time): damaged, or not written by unwedge");
  }
  return 0;
}

struct uw_record *uw_record_from_json(const json_t *json, const char *what, enum uw_exit status,
                                      struct uw_err *err) {
  struct codec c;
  codec_start(&c, what, status, err);
  struct uw_record *r = uw_record_new();
  if (r == NULL) {
    (void)codec_fail(&c, NULL, "does not fit in memory");
    return NULL;
  }
  if (!json_is_object(json)) {
    (void)codec_fail(&c, NULL, "must be an object");
  } else if (read_head(&c, json, r) == 0 && read_statements(&c, json, r) == 0 &&
             read_evidence(&c, json, r) == 0) {
    return r;
  }
  uw_record_free(r);
  return NULL;
}

/* bytes and files */

int uw_record_bytes(const struct uw_record *r, struct uw_buf *out, uint8_t digest[RCV_DIGEST_BYTES],
                    struct uw_err *err) {
  struct uw_buf own = {.max = UW_RECORD_MAX_BYTES};
  memset(digest, 0, RCV_DIGEST_BYTES);
  json_t *json = uw_record_to_json(r, err);
  if (json == NULL) {
    return -1;
  }
  int result = uw_json_canonical(json, &own, err);
  json_decref(json);
  if (result == 0) {
    result = uw_sha256(own.data, own.len, digest, err);
  }
  if (result == 0 && out != NULL) {
    uw_buf_add(out, own.data, own.len);
    result = out->failed ? uw_err_set(err, UW_EXIT_USAGE, "evidence does not fit in memory") : 0;
  }
  uw_buf_free(&own);
  return result;
}

struct uw_record *uw_record_parse(const char *bytes, size_t n, const char *what,
                                  enum uw_exit status, struct uw_err *err) {
  json_t *json = uw_json_parse(bytes, n, what, status, err);
  if (json == NULL) {
    return NULL;
  }
  struct uw_record *r = uw_record_from_json(json, what, status, err);
  json_decref(json);
  return r;
}

struct uw_record *uw_record_read(const char *path, struct uw_err *err) {
  struct uw_buf bytes = {0};
  struct uw_record *r = NULL;
  if (uw_file_read(path, UW_RECORD_MAX_BYTES, &bytes, err) == 0) {
    r = uw_record_parse(uw_buf_text(&bytes), bytes.len, path, UW_EXIT_USAGE, err);
  }
  uw_buf_free(&bytes);
  return r;
}

int uw_record_write(const struct uw_record *r, const char *path, struct uw_err *err) {
  struct uw_buf bytes = {0};
  uint8_t digest[RCV_DIGEST_BYTES];
  int result = uw_record_bytes(r, &bytes, digest, err);
  if (result == 0) {
    result = uw_file_write_atomic(path, bytes.data, bytes.len, 0600, err);
  }
  uw_buf_free(&bytes);
  return result;
}
