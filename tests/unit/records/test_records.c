/* Evidence, verdict and plan documents: what is written is read back, and nothing else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above before it */
#include <cmocka.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "agent/base/files.h"
#include "agent/base/json.h"
#include "agent/records/evidence.h"
#include "agent/records/plan.h"
#include "agent/records/verdict.h"
#include "agent/records/words.h"

#define INSTANCE "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
#define RUN "11111111-1111-4111-8111-111111111111"
#define NOW ((int64_t)1795413000) /* 2026-11-23T05:50:00Z */

#ifndef GOLDEN_DIR
#define GOLDEN_DIR "tests/unit/records/golden"
#endif

static struct uw_err err;

/* random records: the facts come from facts.def here too */

static uint64_t seed;

static uint64_t rnd(void) {
  seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
  return seed >> 20;
}

static int64_t rnd_int(void) {
  switch (rnd() % 4) {
  case 0: return -1;
  case 1: return RCV_INT_MAX;
  default: return (int64_t)(rnd() % 100000);
  }
}

static int64_t rnd_index(int64_t n) { return (int64_t)(rnd() % (uint64_t)(n + 1)) - 1; }

static void rnd_text(char *out, size_t bytes) {
  static const char *const bits[] = {
      "a", "Z",   "9", "-", ".", " ", "\"", "\\", "\n", "\x01", "ö", "€", "\xf0\x9f\x90\xa7",
      "/", "\x7f"};
  size_t want = rnd() % bytes;
  size_t len = 0;
  out[0] = '\0';
  while (len < want) {
    const char *bit = bits[rnd() % (sizeof bits / sizeof *bits)];
    if (len + strlen(bit) >= bytes) {
      break;
    }
    memcpy(out + len, bit, strlen(bit) + 1);
    len += strlen(bit);
  }
}

#define RND_ENUM(tag, field, role, doc) out->field = (enum tag)(rnd() % (unsigned)tag##_enum.count);
#define RND_INT(unit, field, role, doc) out->field = RND_##unit;
#define RND_libvirt rnd_int()
#define RND_ms rnd_int()
#define RND_id rnd_int()
#define RND_count rnd_int()
#define RND_op rnd_int()
#define RND_bytes rnd_int()
#define RND_index rnd_index(n)
#define RND_s rnd_int()
#define RND_percent rnd_int()
#define RND_minor rnd_int()
#define RND_TEXT(field, bytes, doc) rnd_text(out->field, bytes);

static void rnd_look(struct rcv_look *out) { RCV_LOOK_FACTS(RND_ENUM, RND_INT) }

static void rnd_nova(struct rcv_nova *out, int64_t n) { RCV_NOVA_FACTS(RND_ENUM, RND_INT) }

static void rnd_candidate(struct rcv_candidate *out, int64_t n) {
  RCV_CANDIDATE_FACTS(RND_ENUM, RND_INT)
  rnd_look(&out->first);
  rnd_look(&out->last);
}

static void rnd_observation(struct rcv_evidence *out) { RCV_OBSERVATION_FACTS(RND_ENUM, RND_INT) }

static void rnd_host(struct rcv_host_names *out) { RCV_HOST_TEXTS(RND_TEXT) }

static void rnd_names(struct rcv_names *out) { RCV_INSTANCE_TEXTS(RND_TEXT) }

static struct uw_record *random_record(uint64_t number) {
  struct uw_record *r = uw_record_new();
  assert_non_null(r);
  seed = number * 7919 + 17;
  int64_t n = (int64_t)(rnd() % (number % 20 == 0 ? RCV_MAX_CANDIDATES + 1 : 5));
  rnd_observation(&r->evidence);
  rnd_nova(&r->evidence.nova_first, n);
  rnd_nova(&r->evidence.nova_last, n);
  rnd_names(&r->names);
  (void)snprintf(r->names.instance, sizeof r->names.instance, INSTANCE);
  r->evidence.candidates = n;
  for (int64_t i = 0; i < n; i++) {
    rnd_candidate(&r->evidence.candidate[i], n);
    rnd_host(&r->names.host[i]);
  }
  r->policy = (struct rcv_policy){.valid = (int64_t)(rnd() % 2),
                                  .observe_rounds = (int64_t)(rnd() % 10),
                                  .observe_window_ms = (int64_t)(rnd() % 100000),
                                  .age_missing_record_s = RCV_INT_MAX,
                                  .attest_accepted = (int64_t)(rnd() % 32),
                                  .allow_reset = (int64_t)(rnd() % 2)};
  for (size_t i = 0; i < RCV_DIGEST_BYTES; i++) {
    r->policy_digest[i] = (uint8_t)rnd();
  }
  rnd_text(r->policy_name, sizeof r->policy_name);
  rnd_text(r->made_by, sizeof r->made_by);
  r->made_s = (int64_t)(rnd() % 2000000000);
  (void)snprintf(r->run, sizeof r->run, RUN);
  (void)snprintf(r->boot_id, sizeof r->boot_id, "%s", number % 2 == 0 ? RUN : "");
  if (number % 3 == 0) {
    r->gates = json_pack("{s:i,s:{s:[i,s]}}", "wedged", 3, "local", "x", 1, "ö");
  }
  for (uint64_t i = 0; i < number % 4; i++) {
    assert_int_equal(uw_record_attest(r, "compute-stopped=cmp-a", "alice", "saw it", &err), 0);
  }
  return r;
}

#define SAME_ENUM(tag, field, role, doc) assert_int_equal(a->field, b->field);
#define SAME_INT(unit, field, role, doc) assert_true(a->field == b->field);
#define SAME_TEXT(field, bytes, doc) assert_string_equal(a->field, b->field);

static void same_look(const struct rcv_look *a, const struct rcv_look *b) {
  RCV_LOOK_FACTS(SAME_ENUM, SAME_INT)
}

static void same_nova(const struct rcv_nova *a, const struct rcv_nova *b) {
  RCV_NOVA_FACTS(SAME_ENUM, SAME_INT)
}

static void same_candidate(const struct rcv_candidate *a, const struct rcv_candidate *b) {
  RCV_CANDIDATE_FACTS(SAME_ENUM, SAME_INT)
  same_look(&a->first, &b->first);
  same_look(&a->last, &b->last);
}

static void same_evidence(const struct rcv_evidence *a, const struct rcv_evidence *b) {
  RCV_OBSERVATION_FACTS(SAME_ENUM, SAME_INT)
  same_nova(&a->nova_first, &b->nova_first);
  same_nova(&a->nova_last, &b->nova_last);
  assert_int_equal(a->candidates, b->candidates);
  for (int64_t i = 0; i < a->candidates; i++) {
    same_candidate(&a->candidate[i], &b->candidate[i]);
  }
}

static void same_host(const struct rcv_host_names *a, const struct rcv_host_names *b) {
  RCV_HOST_TEXTS(SAME_TEXT)
}

static void same_names(const struct rcv_names *a, const struct rcv_names *b, int64_t n) {
  RCV_INSTANCE_TEXTS(SAME_TEXT)
  for (int64_t i = 0; i < n; i++) {
    same_host(&a->host[i], &b->host[i]);
  }
}

static struct uw_record *must_parse(const char *bytes, size_t n) {
  struct uw_record *r = uw_record_parse(bytes, n, "evidence", UW_EXIT_USAGE, &err);
  if (r == NULL) {
    fail_msg("%s", err.text);
  }
  return r;
}

static void must_bytes(const struct uw_record *r, struct uw_buf *out,
                       uint8_t digest[RCV_DIGEST_BYTES]) {
  uw_buf_reset(out);
  if (uw_record_bytes(r, out, digest, &err) != 0) {
    fail_msg("%s", err.text);
  }
}

static void test_round_trip(void **state) {
  (void)state;
  for (uint64_t i = 0; i < 200; i++) {
    struct uw_buf one = {0};
    struct uw_buf two = {0};
    uint8_t digest[RCV_DIGEST_BYTES];
    uint8_t again[RCV_DIGEST_BYTES];
    struct uw_record *r = random_record(i);
    must_bytes(r, &one, digest);
    struct uw_record *back = must_parse(one.data, one.len);
    must_bytes(back, &two, again);
    assert_int_equal(one.len, two.len);
    assert_memory_equal(one.data, two.data, one.len);
    assert_memory_equal(digest, again, sizeof digest);
    same_evidence(&r->evidence, &back->evidence);
    same_names(&r->names, &back->names, r->evidence.candidates);
    assert_memory_equal(&r->policy, &back->policy, sizeof r->policy);
    assert_memory_equal(r->policy_digest, back->policy_digest, sizeof digest);
    assert_string_equal(r->policy_name, back->policy_name);
    assert_string_equal(r->run, back->run);
    assert_string_equal(r->boot_id, back->boot_id);
    assert_string_equal(r->made_by, back->made_by);
    assert_true(r->made_s == back->made_s);
    assert_true(r->gates == NULL ? back->gates == NULL : json_equal(r->gates, back->gates));
    uw_record_free(r);
    uw_record_free(back);
    uw_buf_free(&one);
    uw_buf_free(&two);
  }
}

/* mutations of every member */

static int mutations;

static void assert_rejected(const json_t *document, const char *key, const char *part) {
  uw_err_clear(&err);
  struct uw_record *r = uw_record_from_json(document, "evidence", UW_EXIT_USAGE, &err);
  mutations++;
  if (r != NULL) {
    fail_msg("accepted after a change of '%s' (%s)", key, part);
  }
  assert_int_equal(err.status, UW_EXIT_USAGE);
  if (strstr(err.text, key) == NULL || strstr(err.text, part) == NULL ||
      strchr(err.text, '\n') != NULL || strncmp(err.text, "evidence: ", 10) != 0) {
    fail_msg("'%s' and '%s' expected in: %s", key, part, err.text);
  }
}

static void try_value(const json_t *document, json_t *object, const char *key, json_t *value,
                      const char *part) {
  json_t *old = json_incref(json_object_get(object, key));
  assert_int_equal(json_object_set_new(object, key, value), 0);
  assert_rejected(document, key, part);
  assert_int_equal(json_object_set_new(object, key, old), 0);
}

static json_t *long_text(void) {
  char text[5001];
  memset(text, 'x', sizeof text - 1);
  text[sizeof text - 1] = '\0';
  return json_string(text);
}

static void mutate_member(const json_t *document, json_t *object, const char *key) {
  const json_t *old = json_object_get(object, key);
  if (json_is_integer(old)) {
    try_value(document, object, key, json_integer(RCV_INT_MAX + 1), "outside");
    try_value(document, object, key, json_integer(-2), "outside");
    try_value(document, object, key, json_string("1"), "must be an integer");
    try_value(document, object, key, json_real(1.0), "must be an integer");
    try_value(document, object, key, json_true(), "must be an integer");
  } else if (json_is_string(old)) {
    try_value(document, object, key, long_text(), "");
    try_value(document, object, key, json_integer(0), "must be");
    try_value(document, object, key, json_null(), "must be");
  } else if (json_is_array(old)) {
    try_value(document, object, key, json_object(), "must be a list");
  } else {
    try_value(document, object, key, json_string("x"), "must be an object");
    try_value(document, object, key, json_array(), "must be an object");
  }
  /* dropped, and under another name */
  json_t *value = json_incref(json_object_get(object, key));
  assert_int_equal(json_object_del(object, key), 0);
  assert_rejected(document, key, strcmp(key, "schema") == 0 ? "must be" : "missing");
  assert_int_equal(json_object_set(object, "zzz", value), 0);
  assert_rejected(document, strcmp(key, "schema") == 0 ? "schema" : "zzz", "");
  assert_int_equal(json_object_del(object, "zzz"), 0);
  assert_int_equal(json_object_set_new(object, key, value), 0);
}

/* Every member of every object but what is inside the gates, which are opaque here. */
static void mutate_all(const json_t *document, json_t *object) {
  const char *keys[CHAR_MAX];
  size_t n = 0;
  const char *key;
  json_t *value;
  json_object_foreach(object, key, value) {
    assert_true(n < sizeof keys / sizeof *keys);
    keys[n++] = key;
  }
  for (size_t i = 0; i < n; i++) {
    char name[64];
    (void)snprintf(name, sizeof name, "%s", keys[i]);
    /* deleting moves the key's memory, so it is looked up again by a copy of its name */
    mutate_member(document, object, name);
  }
  json_t *copy = json_copy(object);
  json_object_foreach(copy, key, value) {
    if (json_is_object(value) && strcmp(key, "gates") != 0) {
      mutate_all(document, value);
    }
    for (size_t i = 0; json_is_array(value) && i < json_array_size(value); i++) {
      mutate_all(document, json_array_get(value, i));
    }
  }
  json_decref(copy);
}

static struct uw_record *sample(void) {
  for (uint64_t i = 3;; i += 12) { /* gates, three attestations */
    struct uw_record *r = random_record(i);
    if (r->evidence.candidates == 2) {
      return r;
    }
    uw_record_free(r);
  }
}

static void test_mutations(void **state) {
  (void)state;
  struct uw_record *r = sample();
  json_t *document = uw_record_to_json(r, &err);
  assert_non_null(document);
  mutate_all(document, document);
  assert_true(mutations > 1500);
  struct uw_record *back = uw_record_from_json(document, "evidence", UW_EXIT_USAGE, &err);
  assert_non_null(back);
  print_message("%d mutations refused\n", mutations);
  uw_record_free(back);
  uw_record_free(r);
  json_decref(document);
}

/* Each key twice, in the text. */
static void test_duplicates(void **state) {
  (void)state;
  struct uw_buf bytes = {0};
  uint8_t digest[RCV_DIGEST_BYTES];
  struct uw_record *r = sample();
  int tried = 0;
  must_bytes(r, &bytes, digest);
  for (size_t at = 1; at + 1 < bytes.len; at++) {
    bool begins = bytes.data[at] == '"' && (bytes.data[at - 1] == '{' || bytes.data[at - 1] == ',');
    char *end = begins ? strchr(bytes.data + at + 1, '"') : NULL;
    if (end == NULL || end[1] != ':' ||
        memchr(bytes.data + at, '\\', (size_t)(end - bytes.data) - at)) {
      continue;
    }
    struct uw_buf twice = {0};
    uw_buf_add(&twice, bytes.data, at);
    uw_buf_add(&twice, bytes.data + at, (size_t)(end + 2 - bytes.data) - at);
    uw_buf_puts(&twice, "0,");
    uw_buf_add(&twice, bytes.data + at, bytes.len - at);
    assert_null(uw_record_parse(twice.data, twice.len, "evidence", UW_EXIT_USAGE, &err));
    assert_int_equal(err.status, UW_EXIT_USAGE);
    if (strstr(err.text, "duplicate") == NULL) {
      fail_msg("%s", err.text);
    }
    uw_buf_free(&twice);
    tried++;
  }
  assert_true(tried > 200);
  uw_record_free(r);
  uw_buf_free(&bytes);
}

static void reject_path(json_t *document, const char *part) {
  assert_null(uw_record_from_json(document, "file.json", UW_EXIT_STALE, &err));
  assert_int_equal(err.status, UW_EXIT_STALE);
  if (strstr(err.text, part) == NULL) {
    fail_msg("'%s' is not in: %s", part, err.text);
  }
}

static void test_particular(void **state) {
  (void)state;
  struct uw_record *r = sample();
  json_t *document = uw_record_to_json(r, &err);
  json_t *second = json_array_get(json_object_get(document, "candidates"), 1);
  json_t *last = json_object_get(second, "last");
  json_t *nova = json_object_get(document, "nova_last");

  (void)json_object_set_new(last, "job", json_string("sideways"));
  reject_path(document, "file.json: candidates[1].last.job: 'sideways' is none of: unknown, none");
  (void)json_object_set_new(last, "job", json_string("none"));
  (void)json_object_set_new(nova, "record_host", json_integer(2));
  reject_path(document, "outside its bounds");
  (void)json_object_set_new(nova, "record_host", json_integer(1));
  (void)json_object_set_new(json_object_get(document, "names"), "instance", json_string("x"));
  reject_path(document, "names.instance: must be a UUID");
  (void)json_object_set_new(json_object_get(document, "names"), "instance", json_string(INSTANCE));
  (void)json_object_set_new(document, "run", json_string("x"));
  reject_path(document, "run: must be a UUID or empty");
  (void)json_object_set_new(document, "run", json_string(""));
  (void)json_object_set_new(document, "policy_digest", json_string("sha256:00"));
  reject_path(document, "policy_digest: must be");
  char zeros[UW_DIGEST_TEXT_BYTES];
  uw_digest_text(r->policy_digest, zeros);
  (void)json_object_set_new(document, "policy_digest", json_string(zeros));
  (void)json_object_set_new(document, "gates", json_pack("{s:f}", "load", 1.5));
  reject_path(document, "gates: ");
  (void)json_object_set_new(document, "gates", json_null());
  (void)json_object_set_new(document, "schema", json_string("unwedge.evidence/2"));
  reject_path(document, "schema: must be \"unwedge.evidence/1\"");
  (void)json_object_set_new(document, "schema", json_string("unwedge.evidence/1"));
  json_t *list = json_object_get(document, "candidates");
  while (json_array_size(list) <= RCV_MAX_CANDIDATES) {
    (void)json_array_append(list, second);
  }
  reject_path(document, "candidates: must be a list of at most 64");
  (void)json_array_remove(list, RCV_MAX_CANDIDATES);
  struct uw_record *back = uw_record_from_json(document, "file.json", UW_EXIT_USAGE, &err);
  assert_non_null(back);
  assert_int_equal(back->evidence.candidates, RCV_MAX_CANDIDATES);
  uw_record_free(back);
  json_t *array = json_array();
  reject_path(array, "must be an object");
  json_decref(array);
  json_decref(document);
  uw_record_free(r);
}

/* Damaged bytes are refused, or are another record that is whole: never anything in between. */
static void test_damage(void **state) {
  (void)state;
  struct uw_buf bytes = {0};
  uint8_t digest[RCV_DIGEST_BYTES];
  struct uw_record *r = sample();
  must_bytes(r, &bytes, digest);
  uw_record_free(r);
  char *copy = malloc(bytes.len + 1);
  assert_non_null(copy);
  seed = 4711;
  for (int i = 0; i < 3000; i++) {
    size_t n = bytes.len;
    memcpy(copy, bytes.data, n + 1);
    for (uint64_t k = rnd() % 4; k > 0; k--) {
      copy[rnd() % n] = (char)rnd();
    }
    if (rnd() % 3 == 0) {
      n = rnd() % n;
    }
    uw_err_clear(&err);
    struct uw_record *back = uw_record_parse(copy, n, "evidence", UW_EXIT_USAGE, &err);
    if (back == NULL) {
      assert_int_equal(err.status, UW_EXIT_USAGE);
      assert_true(err.text[0] != '\0');
    } else {
      assert_int_equal(rcv_evidence_valid(&back->evidence), 1);
      assert_int_equal(uw_record_bytes(back, NULL, digest, &err), 0);
      uw_record_free(back);
    }
  }
  free(copy);
  uw_buf_free(&bytes);
}

static void test_unwritable(void **state) {
  (void)state;
  struct uw_record *r = sample();
  int64_t keep = r->evidence.nova_last.record_host;
  r->evidence.nova_last.record_host = 7;
  assert_null(uw_record_to_json(r, &err));
  r->evidence.nova_last.record_host = keep;
  r->evidence.candidate[0].last.job = RCV_JOB_COUNT;
  assert_null(uw_record_to_json(r, &err));
  r->evidence.candidate[0].last.job = RCV_JOB_NONE;
  r->policy.observe_rounds = -1;
  assert_null(uw_record_to_json(r, &err));
  r->policy.observe_rounds = 2;
  memset(r->policy_name, 'x', sizeof r->policy_name);
  assert_null(uw_record_to_json(r, &err));
  memset(r->policy_name, 0, sizeof r->policy_name);
  json_t *document = uw_record_to_json(r, &err);
  assert_non_null(document);
  json_decref(document);
  uint8_t digest[RCV_DIGEST_BYTES];
  json_decref(r->gates);
  r->gates = json_pack("{s:i}", "Cmp-A", 1);
  assert_int_equal(uw_record_bytes(r, NULL, digest, &err), -1);
  assert_int_equal(err.status, UW_EXIT_USAGE);
  uw_record_free(r);
}

static void test_broken_text(void **state) {
  (void)state;
  static const struct {
    const char *in, *out;
  } cases[] = {
      {"cut \xe2\x82", "cut ??"},
      {"\xc0\x80 x", "?? x"},
      {"\xed\xa0\x80", "???"},
      {"\xf4\x90\x80\x80", "????"},
      {"ok ö \xff", "ok ö ?"},
      {"\xe2\x82\xac", "€"},
      {"\xf0\x8f\xbf\xbf", "????"},
      {"a\xc3", "a?"},
      {"\x80", "?"},
      {"\xf0\x9f\x90\xa7", "\xf0\x9f\x90\xa7"},
  };
  struct uw_record *r = sample();
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct uw_buf bytes = {0};
    uint8_t digest[RCV_DIGEST_BYTES];
    (void)snprintf(r->names.host[0].detail, RCV_TEXT_BYTES, "%s", cases[i].in);
    must_bytes(r, &bytes, digest);
    struct uw_record *back = must_parse(bytes.data, bytes.len);
    assert_string_equal(back->names.host[0].detail, cases[i].out);
    uw_record_clean(r);
    assert_string_equal(r->names.host[0].detail, cases[i].out);
    uw_record_free(back);
    uw_buf_free(&bytes);
  }
  uw_record_free(r);
}

static void test_attest_bounds(void **state) {
  (void)state;
  char large[UW_ATTESTATION_WHY_BYTES + 1];
  memset(large, 'x', sizeof large - 1);
  large[sizeof large - 1] = '\0';
  struct uw_record *r = uw_record_new();
  assert_int_equal(uw_record_attest(r, "f", "w", large, &err), -1);
  assert_int_equal(uw_record_attest(r, large, "w", "r", &err), -1);
  for (int i = 0; i < UW_MAX_ATTESTATIONS; i++) {
    assert_int_equal(uw_record_attest(r, "f", "w", "r", &err), 0);
  }
  assert_int_equal(uw_record_attest(r, "f", "w", "r", &err), -1);
  uw_record_free(r);
}

static char dir[PATH_MAX];

static void in_dir(const char *name, char out[PATH_MAX]) {
  assert_int_equal(uw_path_join(out, PATH_MAX, dir, name, &err), 0);
}

static void test_record_file(void **state) {
  (void)state;
  char path[PATH_MAX];
  struct stat st;
  struct uw_buf bytes = {0};
  struct uw_buf file = {0};
  uint8_t digest[RCV_DIGEST_BYTES];
  struct uw_record *r = sample();
  in_dir("evidence.json", path);
  assert_int_equal(uw_record_write(r, path, &err), 0);
  assert_int_equal(stat(path, &st), 0);
  assert_int_equal(st.st_mode & 07777, 0600);
  must_bytes(r, &bytes, digest);
  assert_int_equal(uw_file_read(path, 1 << 20, &file, &err), 0);
  assert_int_equal(file.len, bytes.len);
  assert_memory_equal(file.data, bytes.data, bytes.len);
  struct uw_record *back = uw_record_read(path, &err);
  assert_non_null(back);
  uw_record_free(back);
  assert_int_equal(truncate(path, 100), 0);
  assert_null(uw_record_read(path, &err));
  assert_int_equal(err.status, UW_EXIT_USAGE);
  assert_non_null(strstr(err.text, path));
  assert_int_equal(unlink(path), 0);
  assert_null(uw_record_read(path, &err));
  uw_record_free(r);
  uw_buf_free(&bytes);
  uw_buf_free(&file);
}

/* two known situations */

static void set_texts(struct uw_record *r) {
  struct rcv_names *n = &r->names;
  (void)snprintf(n->instance, sizeof n->instance, INSTANCE);
  (void)snprintf(n->name, sizeof n->name, "web-1");
  (void)snprintf(n->instance_name, sizeof n->instance_name, "instance-00000007");
  (void)snprintf(n->project, sizeof n->project, "p1");
  (void)snprintf(n->status, sizeof n->status, "MIGRATING");
  (void)snprintf(n->vm_state, sizeof n->vm_state, "active");
  (void)snprintf(n->task_state, sizeof n->task_state, "migrating");
  (void)snprintf(n->migration_status, sizeof n->migration_status, "failed");
  for (int i = 0; i < 2; i++) {
    (void)snprintf(n->host[i].host, RCV_TEXT_BYTES, "cmp-%c", 'a' + i);
    (void)snprintf(n->host[i].hypervisor_hostname, RCV_TEXT_BYTES, "cmp-%c.example", 'a' + i);
  }
  (void)snprintf(r->run, sizeof r->run, RUN);
  (void)snprintf(r->boot_id, sizeof r->boot_id, RUN);
  (void)snprintf(r->made_by, sizeof r->made_by, "unwedge test");
  (void)snprintf(r->policy_name, sizeof r->policy_name, "standard");
  memset(r->policy_digest, 0x5a, sizeof r->policy_digest);
  r->made_s = NOW + 1;
}

static void set_nova(struct rcv_nova *n, int64_t start_ms) {
  n->api = RCV_API_OK;
  n->vm_state = RCV_VM_ACTIVE;
  n->task_state = RCV_TASK_MIGRATING;
  n->record_host = 0;
  n->hypervisor = RCV_HV_QEMU;
  n->server_updated_s = NOW - 7200;
  n->locked = RCV_TRI_NO;
  n->action_start_s = NOW - 7300;
  n->newer_action = RCV_ACT_NONE;
  n->mig_present = RCV_TRI_YES;
  n->mig_id = 7;
  n->mig_type = RCV_MTYPE_LIVE;
  n->mig_status = RCV_MIG_FAILED;
  n->mig_source = 0;
  n->mig_dest = 1;
  n->mig_created_s = NOW - 7300;
  n->mig_updated_s = NOW - 7200;
  n->evacuation = RCV_EVAC_NONE;
  n->queued_behind = RCV_TRI_NO;
  n->records = 1;
  n->conductor_up = RCV_TRI_YES;
  n->max_minor = 96;
  n->now_s = NOW;
  n->start_ms = start_ms;
  n->end_ms = start_ms + 50;
}

static void set_running(struct rcv_look *l) {
  l->presence = RCV_PRESENCE_PRESENT;
  l->active = RCV_TRI_YES;
  l->state = 1;
  l->reason = 2;
  l->job = RCV_JOB_NONE;
  l->control = RCV_CONTROL_OK;
  l->control_ms = 0;
  l->persistent = RCV_TRI_YES;
  l->domain_id = 3;
  l->name_equal = RCV_TRI_YES;
  l->owner = RCV_OWNER_EQUAL;
  l->mirror = RCV_TRI_NO;
  l->managed_save = RCV_TRI_NO;
  l->monitor = RCV_MONITOR_ANSWERED;
}

/* Three rounds over 90 s, the guest on candidate `owner`, nothing anywhere else. */
static struct uw_record *known(int owner) {
  struct uw_record *r = uw_record_new();
  struct rcv_evidence *e = &r->evidence;
  assert_non_null(r);
  set_texts(r);
  set_nova(&e->nova_first, 1000);
  set_nova(&e->nova_last, 92000);
  e->rounds = 3;
  e->first_round_ms = 1100;
  e->last_round_ms = 91100;
  e->nova_reads = 2;
  e->nova_agreed = RCV_TRI_YES;
  e->heartbeat = RCV_TRI_NO;
  e->conductor_always_up = RCV_TRI_YES;
  e->too_many = RCV_TRI_NO;
  e->sealed = RCV_TRI_YES;
  e->candidates = 2;
  for (int i = 0; i < 2; i++) {
    struct rcv_candidate *k = &e->candidate[i];
    k->of_newest_record = RCV_TRI_YES;
    k->service_first = RCV_SVC_UP;
    k->service_last = RCV_SVC_UP;
    k->service_agreed = RCV_TRI_YES;
    k->hypervisor_listed = RCV_TRI_YES;
    k->same_uuid_as = i;
    k->same_name_as = i;
    k->looks = 4;
    k->agreed = RCV_TRI_YES;
    k->vcpu_advancing = i == owner ? RCV_TRI_YES : RCV_TRI_UNKNOWN;
    k->first.reach = RCV_REACH_OK;
    k->first.presence = RCV_PRESENCE_ABSENT;
    k->first.start_ms = 1100;
    k->first.end_ms = 1200;
    if (i == owner) {
      set_running(&k->first);
    }
    k->last = k->first;
    k->last.start_ms = 91000;
    k->last.end_ms = 91100;
  }
  r->policy = (struct rcv_policy){.valid = 1,
                                  .observe_rounds = 3,
                                  .observe_window_ms = 90000,
                                  .monitor_check = 1,
                                  .require_metadata = 1,
                                  .age_terminal_s = 120,
                                  .age_terminal_error_up_s = 600,
                                  .age_nonterminal_s = 3600,
                                  .age_nonterminal_down_s = 120,
                                  .age_missing_record_s = 3600,
                                  .allow_reset = 1};
  return r;
}

/* Wording belongs to the explanation and its own tests: here a text is only there or not. */
static void blank(json_t *value) {
  static const char *const texts[] = {"summary", "guest", "text", "detail"};
  static const char *const lists[] = {"next", "never", "residue"};
  if (json_is_array(value)) {
    for (size_t i = 0; i < json_array_size(value); i++) {
      blank(json_array_get(value, i));
    }
    return;
  }
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    if (json_is_string(json_object_get(value, texts[i]))) {
      (void)json_object_set_new(value, texts[i], json_string("..."));
    }
  }
  for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
    if (json_is_array(json_object_get(value, lists[i]))) {
      (void)json_object_set_new(value, lists[i], json_array());
    }
  }
  const char *key;
  json_t *member;
  json_object_foreach(value, key, member) { blank(member); }
}

static void verdict_text(const struct uw_record *r, const struct uw_guard *guard, size_t n,
                         bool whole, struct uw_buf *out) {
  uint8_t digest[RCV_DIGEST_BYTES];
  struct uw_judgement *j = uw_judgement_new();
  assert_int_equal(uw_record_bytes(r, NULL, digest, &err), 0);
  uw_judge(r, guard, n, j);
  json_t *document = uw_verdict_json(r, digest, j, UW_VERDICT_DOCUMENT, &err);
  assert_non_null(document);
  if (!whole) {
    blank(document);
  }
  assert_int_equal(uw_json_pretty(document, out, &err), 0);
  json_decref(document);
  uw_judgement_free(j);
}

/* UW_GOLDEN_WRITE=1 in the environment writes the files anew. */
static void check_golden(const struct uw_record *r, const struct uw_guard *guard, size_t n,
                         const char *name) {
  struct uw_buf now = {0};
  struct uw_buf then = {0};
  char path[PATH_MAX];
  (void)snprintf(path, sizeof path, "%s/%s", GOLDEN_DIR, name);
  verdict_text(r, guard, n, false, &now);
  if (getenv("UW_GOLDEN_WRITE") != NULL) {
    assert_int_equal(uw_file_write_atomic(path, now.data, now.len, 0644, &err), 0);
  }
  if (uw_file_read(path, 1 << 20, &then, &err) != 0) {
    fail_msg("%s", err.text);
  }
  assert_string_equal(now.data, then.data);
  uw_buf_free(&now);
  uw_buf_free(&then);
}

static void test_verdict_golden(void **state) {
  (void)state;
  struct uw_guard guard[2] = {{RCV_CODE_KILL_SWITCH, "the kill switch is on"},
                              {RCV_CODE_COOLDOWN, "reset an hour ago"}};
  struct uw_record *r = known(0);
  check_golden(r, NULL, 0, "reset.json");
  check_golden(r, guard, 2, "reset-guarded.json");
  uw_record_free(r);
  r = known(1);
  r->evidence.candidate[1].service_last = RCV_SVC_DOWN;
  check_golden(r, NULL, 0, "owner-moved.json");
  r->evidence.candidate[0].first.reach = RCV_REACH_TIMEOUT;
  r->evidence.candidate[0].last.reach = RCV_REACH_TIMEOUT;
  r->evidence.nova_first.mig_present = RCV_TRI_NO;
  r->evidence.nova_last.mig_present = RCV_TRI_NO;
  (void)snprintf(r->names.host[0].detail, RCV_TEXT_BYTES, "no answer in 5 s");
  check_golden(r, guard, 1, "timeout.json");
  uw_record_free(r);
}

/* The contract's example, key by key. */
static void test_verdict_keys(void **state) {
  (void)state;
  static const char *const top[] = {
      "schema",          "instance",      "name",        "verdict", "code",
      "code_name",       "reasons",       "record_host", "owner",   "nova",
      "hosts",           "next",          "never",       "residue", "look_again_at",
      "evidence_digest", "policy_digest", "observed"};
  static const char *const host[] = {"host", "class",  "state",         "reason",
                                     "job",  "detail", "vcpu_advancing"};
  struct uw_buf text = {0};
  struct uw_record *r = known(1);
  verdict_text(r, NULL, 0, true, &text);
  json_t *o = uw_json_parse(text.data, text.len, "verdict", UW_EXIT_USAGE, &err);
  for (size_t i = 0; i < sizeof top / sizeof *top; i++) {
    assert_non_null(json_object_get(o, top[i]));
  }
  assert_string_equal(uw_json_str(o, "schema", ""), "unwedge.verdict/1");
  assert_string_equal(uw_json_str(o, "verdict", ""), "REFUSE");
  assert_string_equal(uw_json_str(o, "code", ""), "UW-202");
  assert_string_equal(uw_json_str(o, "code_name", ""), "OWNER_MOVED");
  assert_string_equal(uw_json_str(o, "record_host", ""), "cmp-a");
  assert_string_equal(uw_json_str(o, "owner", ""), "cmp-b");
  const json_t *hosts = json_object_get(o, "hosts");
  assert_int_equal(json_array_size(hosts), 2);
  for (size_t i = 0; i < 2; i++) {
    for (size_t k = 0; k < sizeof host / sizeof *host; k++) {
      assert_non_null(json_object_get(json_array_get(hosts, i), host[k]));
    }
  }
  assert_true(json_is_null(json_object_get(json_array_get(hosts, 0), "state")));
  assert_true(json_is_null(json_object_get(json_array_get(hosts, 0), "job")));
  assert_string_equal(uw_json_str(json_array_get(hosts, 1), "state", ""), "running");
  assert_string_equal(uw_json_str(json_array_get(hosts, 1), "reason", ""), "migrated");
  assert_string_equal(uw_json_str(json_array_get(hosts, 1), "job", ""), "none");
  assert_true(json_is_true(json_object_get(json_array_get(hosts, 1), "vcpu_advancing")));
  const json_t *nova = json_object_get(o, "nova");
  assert_string_equal(uw_json_str(json_object_get(nova, "services"), "cmp-b", ""), "up");
  assert_int_equal(uw_json_int(json_object_get(nova, "migration"), "id", 0), 7);
  assert_string_equal(uw_json_str(json_object_get(nova, "migration"), "dest", ""), "cmp-b");
  assert_int_equal(uw_json_int(json_object_get(o, "observed"), "window_ms", 0), 90000);
  assert_true(json_is_boolean(json_object_get(json_object_get(o, "observed"), "complete")));
  json_decref(o);
  uw_buf_free(&text);
  uw_record_free(r);
}

/* The same bytes from the record in memory and from its file: `replay`. */
static void test_verdict_replay(void **state) {
  (void)state;
  for (uint64_t i = 0; i < 60; i++) {
    struct uw_buf bytes = {0};
    struct uw_buf one = {0};
    struct uw_buf two = {0};
    uint8_t digest[RCV_DIGEST_BYTES];
    struct uw_record *r = i < 2 ? known((int)i) : random_record(i);
    uw_record_clean(r);
    must_bytes(r, &bytes, digest);
    struct uw_record *back = must_parse(bytes.data, bytes.len);
    verdict_text(r, NULL, 0, true, &one);
    verdict_text(back, NULL, 0, true, &two);
    assert_string_equal(one.data, two.data);
    uw_record_free(r);
    uw_record_free(back);
    uw_buf_free(&bytes);
    uw_buf_free(&one);
    uw_buf_free(&two);
  }
}

static void test_guards(void **state) {
  (void)state;
  struct uw_guard guard[RCV_MAX_REASONS + 4];
  struct rcv_verdict v = {.kind = RCV_VERDICT_RESET,
                          .code = RCV_CODE_SAFE_TO_RESET,
                          .reasons = 1,
                          .reason = {{RCV_CODE_SAFE_TO_RESET, 0}},
                          .owner = 0};
  struct rcv_verdict before = v;
  memset(guard, 0, sizeof guard);
  uw_final_verdict(&v, NULL, NULL, 0);
  assert_memory_equal(&v, &before, sizeof v);
  guard[0].code = RCV_CODE_FREEZE;
  guard[1].code = RCV_CODE_STORM;
  uw_final_verdict(&v, NULL, guard, 2);
  assert_int_equal(v.kind, RCV_VERDICT_REFUSE);
  assert_int_equal(v.code, RCV_CODE_FREEZE);
  assert_int_equal(v.reasons, 3);
  assert_int_equal(v.reason[1].code, RCV_CODE_STORM);
  assert_int_equal(v.reason[2].code, RCV_CODE_SAFE_TO_RESET);
  assert_int_equal(rcv_exit_status(&v), UW_EXIT_REFUSED);
  v = before;
  guard[0].code = RCV_CODE_SAFE_TO_RESET; /* no guard's code: refused all the same */
  uw_final_verdict(&v, NULL, guard, 1);
  assert_int_equal(v.kind, RCV_VERDICT_REFUSE);
  assert_int_equal(v.code, RCV_CODE_NO_RULE);
  v = before;
  uw_final_verdict(&v, NULL, guard, RCV_MAX_REASONS + 4);
  assert_int_equal(v.kind, RCV_VERDICT_REFUSE);
  assert_int_equal(v.reasons, RCV_MAX_REASONS);
  v = before;
  v.kind = RCV_VERDICT_WAIT;
  v.code = RCV_CODE_TOO_YOUNG;
  guard[0].code = RCV_CODE_FREEZE;
  uw_final_verdict(&v, NULL, guard, 1);
  assert_int_equal(v.kind, RCV_VERDICT_WAIT);
  assert_int_equal(v.code, RCV_CODE_TOO_YOUNG);
  assert_int_equal(v.reason[1].code, RCV_CODE_FREEZE);
  /* and in the words */
  struct uw_judgement *j = uw_judgement_new();
  struct uw_record *r = known(0);
  (void)snprintf(guard[0].text, sizeof guard[0].text, "frozen until Monday");
  uw_judge(r, guard, 1, j);
  assert_int_equal(j->verdict.code, RCV_CODE_FREEZE);
  assert_string_equal(j->explanation.summary, "frozen until Monday");
  assert_string_equal(j->explanation.reason[0], "frozen until Monday");
  assert_int_equal(j->plan.steps, 0);
  uw_record_free(r);
  uw_judgement_free(j);
}

static void test_codes_and_words(void **state) {
  (void)state;
  char text[UW_CODE_BYTES];
  uw_code_text(RCV_CODE_NOT_WEDGED, text);
  assert_string_equal(text, "UW-001");
  for (size_t i = 0; i < rcv_code_count; i++) {
    uw_code_text(rcv_code_table[i].code, text);
    assert_int_equal(uw_code_parse(text), rcv_code_table[i].code);
    assert_int_equal(uw_code_parse(text + 3), rcv_code_table[i].code);
    assert_int_equal(uw_code_parse(rcv_code_table[i].name), rcv_code_table[i].code);
  }
  assert_int_equal(uw_code_parse("UW-999"), RCV_CODE_UNSET);
  assert_int_equal(uw_code_parse("UW-1"), RCV_CODE_UNSET);
  assert_int_equal(uw_code_parse(""), RCV_CODE_UNSET);
  assert_null(uw_libvirt_state(-1));
  assert_null(uw_libvirt_reason(1, -1));
  assert_string_equal(uw_libvirt_state(5), "shut off");
  assert_string_equal(uw_libvirt_reason(1, 10), "post-copy");
  assert_string_equal(uw_libvirt_reason(3, 2), "migrating");
  assert_string_equal(uw_libvirt_reason(3, 14), "api error");
  assert_string_equal(uw_libvirt_reason(5, 8), "daemon");
  assert_string_equal(uw_libvirt_reason(5, 9), "unrecognised");
  assert_string_equal(uw_libvirt_reason(8, 0), "unrecognised");
  assert_string_equal(uw_libvirt_state(RCV_INT_MAX), "unrecognised");
}

/* plans */

static const struct uw_plan_expect here = {
    .cloud = "prod http://ks/v3", .made_on = "ctl-1", .instance = INSTANCE, .now_s = NOW + 60};

static struct uw_plan_head head(void) {
  struct uw_plan_head h = {.made_s = NOW, .expires_s = NOW + 900};
  (void)snprintf(h.cloud, sizeof h.cloud, "prod http://ks/v3");
  (void)snprintf(h.made_on, sizeof h.made_on, "ctl-1");
  assert_int_equal(uw_plan_nonce(h.nonce, &err), 0);
  return h;
}

static struct uw_plan *make_plan(int owner, const struct uw_guard *guard, size_t n) {
  struct uw_plan_head h = head();
  struct uw_record *r = known(owner);
  assert_int_equal(uw_record_attest(r, "compute-stopped=cmp-b", "alice", "saw \"it\"", &err), 0);
  r->gates = json_pack("{s:i}", "wedged", 1);
  struct uw_plan *plan = uw_plan_new(r, guard, n, &h, &err);
  if (plan == NULL) {
    fail_msg("%s", err.text);
  }
  uw_record_free(r);
  return plan;
}

static void reject_plan(const char *bytes, size_t n, const struct uw_plan_expect *expect,
                        const char *part) {
  uw_err_clear(&err);
  struct uw_plan *plan = uw_plan_parse(bytes, n, "x.plan", expect, &err);
  if (plan != NULL) {
    fail_msg("accepted: %s", part);
  }
  assert_int_equal(err.status, UW_EXIT_STALE);
  if (strstr(err.text, part) == NULL || strncmp(err.text, "x.plan", 6) != 0) {
    fail_msg("'%s' is not in: %s", part, err.text);
  }
}

static void test_plan_round_trip(void **state) {
  (void)state;
  char path[PATH_MAX];
  struct stat st;
  struct uw_guard guard = {RCV_CODE_FREEZE, "frozen until \"Monday\""};
  in_dir("the.plan", path);
  for (int i = 0; i < 3; i++) {
    struct uw_plan *plan = make_plan(i == 1 ? 1 : 0, &guard, i == 2 ? 1 : 0);
    assert_int_equal(uw_plan_write(plan, path, &err), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    struct uw_plan *back = uw_plan_read(path, &here, &err);
    if (back == NULL) {
      fail_msg("%s", err.text);
    }
    assert_memory_equal(plan->plan_digest, back->plan_digest, RCV_DIGEST_BYTES);
    assert_memory_equal(plan->evidence_digest, back->evidence_digest, RCV_DIGEST_BYTES);
    assert_memory_equal(&plan->judgement->verdict, &back->judgement->verdict,
                        sizeof plan->judgement->verdict);
    assert_string_equal(plan->head.nonce, back->head.nonce);
    assert_true(plan->head.expires_s == back->head.expires_s);
    assert_true(json_equal(plan->json, back->json));
    assert_int_equal(back->judgement->plan.steps > 0, i == 0);
    assert_int_equal(json_array_size(json_object_get(back->json, "attestations")), 1);
    uw_plan_free(back);
    struct uw_plan_expect any = {.now_s = -1};
    back = uw_plan_read(path, &any, &err);
    assert_non_null(back);
    uw_plan_free(back);
    uw_plan_free(plan);
  }
}

static void test_plan_expect(void **state) {
  (void)state;
  struct uw_buf bytes = {0};
  struct uw_plan *plan = make_plan(0, NULL, 0);
  assert_int_equal(uw_plan_bytes(plan, &bytes, &err), 0);
  struct uw_plan_expect e = here;
  e.now_s = NOW + 900;
  reject_plan(bytes.data, bytes.len, &e, "expired at 2026-11-23T06:05:00Z");
  e.now_s = NOW - 301;
  reject_plan(bytes.data, bytes.len, &e, "in the future");
  e = here;
  e.cloud = "lab http://ks/v3";
  reject_plan(bytes.data, bytes.len, &e, "the plan is for cloud 'prod");
  e = here;
  e.made_on = "ctl-2";
  reject_plan(bytes.data, bytes.len, &e, "made on 'ctl-1'");
  e = here;
  e.instance = RUN;
  reject_plan(bytes.data, bytes.len, &e, "not for " RUN);
  uw_plan_free(plan);
  uw_buf_free(&bytes);
}

static void test_plan_truncated(void **state) {
  (void)state;
  struct uw_buf bytes = {0};
  struct uw_plan *plan = make_plan(0, NULL, 0);
  assert_int_equal(uw_plan_bytes(plan, &bytes, &err), 0);
  for (size_t n = 0; n + 2 < bytes.len; n += 53) {
    reject_plan(bytes.data, n, &here, "not valid JSON");
  }
  reject_plan(bytes.data, bytes.len - 2, &here, "not valid JSON");
  reject_plan("{}", 2, &here, "schema");
  reject_plan("[]", 2, &here, "schema");
  char *big = malloc(UW_PLAN_MAX_BYTES + 1);
  assert_non_null(big);
  memset(big, ' ', UW_PLAN_MAX_BYTES + 1);
  memcpy(big, bytes.data, bytes.len);
  reject_plan(big, UW_PLAN_MAX_BYTES + 1, &here, "larger than");
  struct uw_plan *padded = uw_plan_parse(big, UW_PLAN_MAX_BYTES, "x", &here, &err);
  assert_non_null(padded);
  uw_plan_free(padded);
  char path[PATH_MAX];
  in_dir("big.plan", path);
  assert_int_equal(uw_file_write_atomic(path, big, UW_PLAN_MAX_BYTES + 1, 0600, &err), 0);
  assert_null(uw_plan_read(path, &here, &err));
  assert_int_equal(err.status, UW_EXIT_STALE);
  in_dir("none.plan", path);
  assert_null(uw_plan_read(path, &here, &err));
  assert_int_equal(err.status, UW_EXIT_USAGE);
  free(big);
  uw_plan_free(plan);
  uw_buf_free(&bytes);
}

static void redigest(json_t *o) {
  struct uw_buf bytes = {0};
  uint8_t digest[RCV_DIGEST_BYTES];
  char text[UW_DIGEST_TEXT_BYTES];
  (void)json_object_del(o, "plan_digest");
  assert_int_equal(uw_json_canonical(o, &bytes, &err), 0);
  assert_int_equal(uw_sha256(bytes.data, bytes.len, digest, &err), 0);
  uw_digest_text(digest, text);
  (void)json_object_set_new(o, "plan_digest", json_string(text));
  uw_buf_free(&bytes);
}

static void reject_document(json_t *o, bool digest_again, const char *part) {
  struct uw_buf bytes = {0};
  if (digest_again) {
    redigest(o);
  }
  assert_int_equal(uw_json_pretty(o, &bytes, &err), 0);
  reject_plan(bytes.data, bytes.len, &here, part);
  uw_buf_free(&bytes);
}

/* Any value anywhere that is changed is found by the digest; with a digest made anew, what
 * does not follow from the evidence still is. */
static void edit_all(json_t *root, json_t *value, int *edits) {
  const char *key;
  json_t *member;
  if (json_is_array(value)) {
    for (size_t i = 0; i < json_array_size(value); i++) {
      edit_all(root, json_array_get(value, i), edits);
    }
    return;
  }
  json_object_foreach(value, key, member) {
    if (json_is_string(member) && strcmp(key, "schema") != 0 && strcmp(key, "plan_digest") != 0) {
      char old[2048];
      (void)snprintf(old, sizeof old, "%s", json_string_value(member));
      assert_int_equal(json_string_set(member, "x"), 0);
      reject_document(root, false, "edited or damaged");
      assert_int_equal(json_string_set(member, old), 0);
      *edits += 1;
    } else if (json_is_integer(member)) {
      json_int_t old = json_integer_value(member);
      assert_int_equal(json_integer_set(member, old + 1), 0);
      reject_document(root, false, "edited or damaged");
      assert_int_equal(json_integer_set(member, old), 0);
      *edits += 1;
    } else {
      edit_all(root, member, edits);
    }
  }
}

static void test_plan_edited(void **state) {
  (void)state;
  struct uw_plan *plan = make_plan(0, NULL, 0);
  json_t *o = json_deep_copy(plan->json);
  int edits = 0;
  edit_all(o, o, &edits);
  assert_true(edits > 200);
  print_message("%d edits refused\n", edits);
  json_decref(o);
  uw_plan_free(plan);
}

static void test_plan_forged(void **state) {
  (void)state;
  static const struct {
    const char *key, *part;
  } keys[] = {
      {"instance", "instance: does not follow"},
      {"name", "name: does not follow"},
      {"made_by", "made_by: does not follow"},
      {"run", "run: does not follow"},
      {"record_host", "record_host: does not"},
      {"rung", "rung: does not follow"},
      {"target", "target: does not follow"},
      {"evidence_digest", "evidence_digest: does not"},
      {"made_at", "made_at: must be a time"},
      {"expires_at", "expires_at: must be a time"},
      {"nonce", "nonce is not 32"},
  };
  struct uw_plan *plan = make_plan(0, NULL, 0);
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
    json_t *o = json_deep_copy(plan->json);
    (void)json_object_set_new(o, keys[i].key, json_string("x"));
    reject_document(o, true, keys[i].part);
    (void)json_object_del(o, keys[i].key);
    reject_document(o, true, keys[i].key);
    json_decref(o);
  }
  json_t *o = json_deep_copy(plan->json);
  (void)json_object_set_new(o, "force", json_true());
  reject_document(o, true, "force: unknown key");
  (void)json_object_del(o, "force");
  json_t *verdict = json_object_get(o, "verdict");
  (void)json_object_set_new(verdict, "owner", json_string("cmp-z"));
  reject_document(o, true, "verdict: does not follow");
  (void)json_object_set_new(verdict, "owner", json_string("cmp-a"));
  (void)json_object_set_new(o, "attestations", json_array());
  reject_document(o, true, "attestations: does not follow");
  json_decref(o);
  o = json_deep_copy(plan->json);
  json_t *policy = json_object_get(json_object_get(o, "evidence"), "policy");
  (void)json_object_set_new(policy, "age_terminal_s", json_integer(0));
  reject_document(o, true, "does not follow");
  (void)json_object_set_new(policy, "age_terminal_s", json_integer(-5));
  reject_document(o, true, "evidence: policy.age_terminal_s: -5 is outside");
  json_decref(o);
  o = json_deep_copy(plan->json);
  (void)json_object_set_new(o, "guards", json_pack("[{s:s,s:s}]", "code", "UW-777", "text", "x"));
  reject_document(o, true, "guards[0].code: there is no code");
  (void)json_object_set_new(o, "guards", json_pack("[{s:s,s:s}]", "code", "UW-501", "text", "x"));
  reject_document(o, true, "does not follow");
  json_decref(o);
  o = json_deep_copy(plan->json);
  (void)json_object_set_new(o, "expires_at", json_string("2027-11-23T06:05:00Z"));
  reject_document(o, true, "within seven days");
  json_decref(o);
  uw_plan_free(plan);
}

static void test_plan_refused(void **state) {
  (void)state;
  struct uw_plan_head h = head();
  struct uw_record *r = known(0);
  struct uw_guard guard[UW_MAX_GUARDS + 1];
  memset(guard, 0, sizeof guard);
  assert_null(uw_plan_new(r, guard, UW_MAX_GUARDS + 1, &h, &err));
  h.expires_s = h.made_s;
  assert_null(uw_plan_new(r, NULL, 0, &h, &err));
  h = head();
  h.nonce[3] = 'G';
  assert_null(uw_plan_new(r, NULL, 0, &h, &err));
  h = head();
  r->evidence.nova_last.record_host = 60;
  assert_null(uw_plan_new(r, NULL, 0, &h, &err));
  uw_record_free(r);
}

static int make_dir(void **state) {
  (void)state;
  const char *tmp = getenv("TMPDIR");
  (void)snprintf(dir, sizeof dir, "%s/uw-records-XXXXXX", tmp != NULL ? tmp : "/tmp");
  return mkdtemp(dir) != NULL ? 0 : -1;
}

static int remove_dir(void **state) {
  (void)state;
  static const char *const names[] = {"the.plan", "big.plan", "evidence.json"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    char path[PATH_MAX];
    in_dir(names[i], path);
    (void)unlink(path);
  }
  return rmdir(dir);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_round_trip),      cmocka_unit_test(test_mutations),
      cmocka_unit_test(test_duplicates),      cmocka_unit_test(test_particular),
      cmocka_unit_test(test_damage),          cmocka_unit_test(test_unwritable),
      cmocka_unit_test(test_broken_text),     cmocka_unit_test(test_attest_bounds),
      cmocka_unit_test(test_record_file),     cmocka_unit_test(test_verdict_golden),
      cmocka_unit_test(test_verdict_keys),    cmocka_unit_test(test_verdict_replay),
      cmocka_unit_test(test_guards),          cmocka_unit_test(test_codes_and_words),
      cmocka_unit_test(test_plan_round_trip), cmocka_unit_test(test_plan_expect),
      cmocka_unit_test(test_plan_truncated),  cmocka_unit_test(test_plan_edited),
      cmocka_unit_test(test_plan_forged),     cmocka_unit_test(test_plan_refused),
  };
  return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
