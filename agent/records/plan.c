#include "agent/records/plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "agent/base/clock.h"
#include "agent/base/files.h"
#include "agent/base/json.h"
#include "agent/records/codec.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

int uw_plan_nonce(char nonce[UW_NONCE_BYTES], struct uw_err *err) {
  unsigned char bytes[(UW_NONCE_BYTES - 1) / 2];
  nonce[0] = '\0';
  if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes) {
    return uw_err_set(err, UW_EXIT_USAGE, "the kernel gives no random bytes: %s",
                      strerrordesc_np(errno));
  }
  for (size_t i = 0; i < sizeof bytes; i++) {
    (void)snprintf(nonce + 2 * i, 3, "%02x", bytes[i]);
  }
  return 0;
}

void uw_plan_free(struct uw_plan *plan) {
  if (plan != NULL) {
    uw_record_free(plan->record);
    uw_judgement_free(plan->judgement);
    json_decref(plan->json);
    free(plan);
  }
}

/* writing */

static const char *step_text(enum rcv_step_kind step) {
  switch (step) {
  case RCV_STEP_NONE: return "nothing";
  case RCV_STEP_OBSERVE:
    return "observe every candidate host and Nova again; any changed decisive fact ends it here";
  case RCV_STEP_GATES: return "ask the gates: kill switch, freeze, storm, limits, scope";
  case RCV_STEP_APPROVAL: return "consume the approval bound to this plan, where one is required";
  case RCV_STEP_INTENT: return "write the intent to the journal and make it durable";
  case RCV_STEP_RELOOK:
    return "look once more at every candidate and read server, migrations and services again";
  case RCV_STEP_RESET: return "send os-resetState to Nova, once";
  case RCV_STEP_VERIFY: return "read the server and its actions, and see that the guest is unmoved";
  case RCV_STEP_OUTCOME: return "write the outcome to the journal";
  case RCV_STEP_RESIDUE: return "report what is left behind";
  case RCV_STEP_COUNT: break;
  }
  return "?";
}

static json_t *steps_json(const struct rcv_plan *p, bool *bad) {
  json_t *list = json_array();
  for (int64_t i = 0; i < p->steps && i < RCV_MAX_STEPS; i++) {
    json_t *o = json_object();
    codec_put(o, "step", json_string(rcv_enum_name(&rcv_step_kind_enum, (int)p->step[i])), bad);
    codec_put(o, "text", json_string(step_text(p->step[i])), bad);
    codec_add(list, o, bad);
  }
  return list;
}

static json_t *why_not_json(const struct uw_plan *plan, bool *bad) {
  json_t *list = json_array();
  for (int i = RCV_RUNG_WAIT; i < RCV_RUNG_COUNT; i++) {
    const char *why =
        rcv_plan_why_not(&plan->judgement->plan, &plan->record->evidence, (enum rcv_rung)i);
    if (why != NULL && *why != '\0') {
      json_t *o = json_object();
      codec_put(o, "rung", json_string(rcv_enum_name(&rcv_rung_enum, i)), bad);
      codec_put(o, "text", codec_string(why), bad);
      codec_add(list, o, bad);
    }
  }
  return list;
}

static json_t *guards_json(const struct uw_plan *plan, bool *bad) {
  json_t *list = json_array();
  for (size_t i = 0; i < plan->guards; i++) {
    char code[UW_CODE_BYTES];
    uw_code_text(plan->guard[i].code, code);
    json_t *o = json_object();
    codec_put(o, "code", json_string(code), bad);
    codec_put(o, "text", codec_string(plan->guard[i].text), bad);
    codec_add(list, o, bad);
  }
  return list;
}

static json_t *time_json(int64_t s, bool *bad) {
  char text[UW_TIME_BYTES];
  uw_time_text(s, text);
  *bad = *bad || strcmp(text, "-") == 0;
  return json_string(text);
}

static json_t *policy_json(const struct uw_record *r, bool *bad) {
  json_t *o = json_object();
  codec_put(o, "name", codec_string(r->policy_name), bad);
  codec_put(o, "digest", codec_digest(r->policy_digest), bad);
  return o;
}

static json_t *record_host_json(const struct uw_record *r) {
  int64_t h = r->evidence.nova_last.record_host;
  return h >= 0 && h < r->evidence.candidates ? codec_string(r->names.host[h].host) : json_null();
}

static void head_put(json_t *o, const struct uw_plan *plan, bool *bad) {
  const struct uw_record *r = plan->record;
  codec_put(o, "schema", json_string(UW_PLAN_SCHEMA), bad);
  codec_put(o, "instance", codec_string(r->names.instance), bad);
  codec_put(o, "name", codec_string(r->names.name), bad);
  codec_put(o, "cloud", codec_string(plan->head.cloud), bad);
  codec_put(o, "made_at", time_json(plan->head.made_s, bad), bad);
  codec_put(o, "expires_at", time_json(plan->head.expires_s, bad), bad);
  codec_put(o, "made_on", codec_string(plan->head.made_on), bad);
  codec_put(o, "made_by", codec_string(r->made_by), bad);
  codec_put(o, "run", codec_string(r->run), bad);
  codec_put(o, "nonce", codec_string(plan->head.nonce), bad);
  codec_put(o, "policy", policy_json(r, bad), bad);
  codec_put(o, "attestations",
            r->attestations != NULL ? json_deep_copy(r->attestations) : json_array(), bad);
  codec_put(o, "record_host", record_host_json(r), bad);
}

/* Everything but plan_digest, from record, guards and head. */
static json_t *build(const struct uw_plan *plan, struct uw_err *err) {
  const struct rcv_plan *p = &plan->judgement->plan;
  bool bad = false;
  json_t *evidence = uw_record_to_json(plan->record, err);
  json_t *verdict = NULL;
  if (evidence != NULL) {
    verdict = uw_verdict_json(plan->record, plan->evidence_digest, plan->judgement,
                              UW_VERDICT_HASHED, err);
  }
  if (verdict == NULL) {
    json_decref(evidence);
    return NULL;
  }
  json_t *o = json_object();
  head_put(o, plan, &bad);
  codec_put(o, "verdict", verdict, &bad);
  codec_put(o, "rung", json_string(rcv_enum_name(&rcv_rung_enum, (int)p->rung)), &bad);
  codec_put(o, "also_start_compute", json_boolean(p->also_start_compute == 1), &bad);
  codec_put(o, "why_not", why_not_json(plan, &bad), &bad);
  codec_put(o, "target", json_string(rcv_enum_name(&rcv_vm_enum, (int)p->target)), &bad);
  codec_put(o, "steps", steps_json(p, &bad), &bad);
  codec_put(o, "guards", guards_json(plan, &bad), &bad);
  codec_put(o, "evidence_digest", codec_digest(plan->evidence_digest), &bad);
  codec_put(o, "evidence", evidence, &bad);
  if (bad) {
    json_decref(o);
    (void)uw_err_set(err, UW_EXIT_USAGE,
                     "internal: a plan holds a value that has no text, or "
                     "memory is short");
    return NULL;
  }
  return o;
}

/* SHA-256 of the canonical bytes of document without its plan_digest. */
static int digest_of(const json_t *document, uint8_t digest[RCV_DIGEST_BYTES], struct uw_err *err) {
  struct uw_buf bytes = {.max = 2 * UW_PLAN_MAX_BYTES};
  json_t *copy = json_copy((json_t *)(uintptr_t)document); /* shallow: the members are shared */
  memset(digest, 0, RCV_DIGEST_BYTES);
  if (copy == NULL) {
    return uw_err_set(err, UW_EXIT_USAGE, "no memory for a plan");
  }
  (void)json_object_del(copy, "plan_digest");
  int result = uw_json_canonical(copy, &bytes, err);
  if (result == 0) {
    result = uw_sha256(bytes.data, bytes.len, digest, err);
  }
  json_decref(copy);
  uw_buf_free(&bytes);
  return result;
}

static int judge_and_build(struct uw_plan *plan, struct uw_err *err) {
  plan->judgement = uw_judgement_new();
  if (plan->judgement == NULL) {
    return uw_err_set(err, UW_EXIT_USAGE, "no memory for a plan");
  }
  uw_judge(plan->record, plan->guard, plan->guards, plan->judgement);
  if (uw_record_bytes(plan->record, NULL, plan->evidence_digest, err) != 0) {
    return -1;
  }
  plan->json = build(plan, err);
  if (plan->json == NULL || digest_of(plan->json, plan->plan_digest, err) != 0) {
    return -1;
  }
  bool bad = false;
  codec_put(plan->json, "plan_digest", codec_digest(plan->plan_digest), &bad);
  return bad ? uw_err_set(err, UW_EXIT_USAGE, "no memory for a plan") : 0;
}

static const char *head_problem(const struct uw_plan_head *head) {
  if (strlen(head->nonce) != UW_NONCE_BYTES - 1 ||
      strspn(head->nonce, "0123456789abcdef") != UW_NONCE_BYTES - 1) {
    return "its nonce is not 32 hexadecimal digits";
  }
  if (head->made_s < 0 || head->expires_s <= head->made_s ||
      head->expires_s - head->made_s > UW_PLAN_MAX_LIFE_S) {
    return "it must expire after it was made, and within seven days";
  }
  return NULL;
}

/* The copy passes through the document, so that it is what any reader will see. */
static struct uw_record *copy_of(const struct uw_record *r, struct uw_err *err) {
  struct uw_record *copy = NULL;
  json_t *json = uw_record_to_json(r, err);
  if (json != NULL) {
    copy = uw_record_from_json(json, "internal: evidence", UW_EXIT_USAGE, err);
  }
  json_decref(json);
  return copy;
}

struct uw_plan *uw_plan_new(const struct uw_record *r, const struct uw_guard *guard, size_t n,
                            const struct uw_plan_head *head, struct uw_err *err) {
  const char *problem = n > UW_MAX_GUARDS ? "too many guards refuse it" : head_problem(head);
  if (problem != NULL) {
    (void)uw_err_set(err, UW_EXIT_USAGE, "a plan cannot be made: %s", problem);
    return NULL;
  }
  struct uw_plan *plan = calloc(1, sizeof *plan);
  if (plan == NULL) {
    (void)uw_err_set(err, UW_EXIT_USAGE, "no memory for a plan");
    return NULL;
  }
  plan->head = *head;
  plan->guards = n;
  if (n > 0) {
    memcpy(plan->guard, guard, n * sizeof *guard);
  }
  plan->record = copy_of(r, err);
  if (plan->record == NULL || judge_and_build(plan, err) != 0) {
    uw_plan_free(plan);
    return NULL;
  }
  return plan;
}

int uw_plan_bytes(const struct uw_plan *plan, struct uw_buf *out, struct uw_err *err) {
  size_t before = out->len;
  if (uw_json_pretty(plan->json, out, err) != 0) {
    return -1;
  }
  if (out->len - before > UW_PLAN_MAX_BYTES) {
    return uw_err_set(err, UW_EXIT_USAGE,
                      "the plan is larger than %zu bytes, which nobody would "
                      "read; look at the evidence for what fills it",
                      UW_PLAN_MAX_BYTES);
  }
  return 0;
}

int uw_plan_write(const struct uw_plan *plan, const char *path, struct uw_err *err) {
  struct uw_buf bytes = {0};
  int result = uw_plan_bytes(plan, &bytes, err);
  if (result == 0) {
    result = uw_file_write_atomic(path, bytes.data, bytes.len, 0600, err);
  }
  uw_buf_free(&bytes);
  return result;
}

/* reading */

static int read_time(struct codec *c, const json_t *o, const char *key, int64_t *out) {
  char text[64];
  char again[UW_TIME_BYTES];
  if (codec_read_text(c, o, key, text, sizeof text) != 0) {
    return -1;
  }
  *out = uw_time_parse_iso(text);
  uw_time_text(*out, again);
  return strcmp(text, again) == 0 ? 0
                                  : codec_fail(c, key,
                                               "must be a time like "
                                               "2026-11-23T05:48:51Z");
}

static int read_guards(struct codec *c, const json_t *o, struct uw_plan *plan) {
  static const char *const keys[] = {"code", "text"};
  const json_t *list = json_object_get(o, "guards");
  if (!json_is_array(list) || json_array_size(list) > UW_MAX_GUARDS) {
    return codec_fail(c, "guards", "must be a list of at most %d", UW_MAX_GUARDS);
  }
  for (size_t i = 0; i < json_array_size(list); i++) {
    const json_t *one = json_array_get(list, i);
    char code[16];
    size_t mark = codec_enter(c, "guards[%zu]", i);
    if (codec_shape(c, one, NULL, 0, keys, COUNT(keys)) != 0 ||
        codec_read_text(c, one, "code", code, sizeof code) != 0 ||
        codec_read_text(c, one, "text", plan->guard[i].text, UW_GUARD_TEXT_BYTES) != 0) {
      return -1;
    }
    plan->guard[i].code = uw_code_parse(code);
    if (plan->guard[i].code == RCV_CODE_UNSET) {
      return codec_fail(c, "code", "there is no code '%s'", code);
    }
    codec_leave(c, mark);
  }
  plan->guards = json_array_size(list);
  return 0;
}

static int check_digest(struct codec *c, const json_t *o) {
  uint8_t written[RCV_DIGEST_BYTES];
  uint8_t real[RCV_DIGEST_BYTES];
  struct uw_err why;
  uw_err_clear(&why);
  if (codec_read_digest(c, o, "plan_digest", written) != 0) {
    return -1;
  }
  if (digest_of(o, real, &why) != 0) {
    return codec_fail(c, NULL, "%s", why.text);
  }
  if (memcmp(written, real, sizeof real) != 0) {
    return codec_fail(c, "plan_digest",
                      "does not match the rest of the file: the plan was edited "
                      "or damaged after it was made; make a new one");
  }
  return 0;
}

static int read_head(struct codec *c, const json_t *o, struct uw_plan *plan) {
  struct uw_plan_head *head = &plan->head;
  if (codec_read_text(c, o, "cloud", head->cloud, sizeof head->cloud) != 0 ||
      codec_read_text(c, o, "made_on", head->made_on, sizeof head->made_on) != 0 ||
      codec_read_text(c, o, "nonce", head->nonce, sizeof head->nonce) != 0 ||
      read_time(c, o, "made_at", &head->made_s) != 0 ||
      read_time(c, o, "expires_at", &head->expires_s) != 0 || read_guards(c, o, plan) != 0) {
    return -1;
  }
  const char *problem = head_problem(head);
  return problem == NULL ? 0 : codec_fail(c, NULL, "%s", problem);
}

/* Names the first member in which the file and what its evidence gives differ. plan_digest is
 * left out: it was checked, and differs as a consequence. */
static int compare(struct codec *c, const json_t *written, const json_t *built) {
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)(uintptr_t)written, key, value) {
    const json_t *ours = json_object_get(built, key);
    if (ours == NULL) {
      return codec_fail(c, key, "unknown key");
    }
    if (strcmp(key, "plan_digest") != 0 && !json_equal(value, ours)) {
      return codec_fail(c, key,
                        "does not follow from the evidence in the file: it was written by "
                        "another version of unwedge, or edited; make a new plan");
    }
  }
  json_object_foreach((json_t *)(uintptr_t)built, key, value) {
    if (json_object_get(written, key) == NULL) {
      return codec_fail(c, key, "missing");
    }
  }
  return 0;
}

static int check_expect(struct codec *c, const struct uw_plan *plan,
                        const struct uw_plan_expect *expect) {
  const struct uw_plan_head *head = &plan->head;
  if (expect->cloud != NULL && strcmp(expect->cloud, head->cloud) != 0) {
    return codec_fail(c, "cloud", "the plan is for cloud '%s', this is '%s'", head->cloud,
                      expect->cloud);
  }
  if (expect->made_on != NULL && strcmp(expect->made_on, head->made_on) != 0) {
    return codec_fail(c, "made_on", "the plan was made on '%s', this is '%s'; make a new one here",
                      head->made_on, expect->made_on);
  }
  if (expect->instance != NULL && strcasecmp(expect->instance, plan->record->names.instance) != 0) {
    return codec_fail(c, "instance", "the plan is for %s, not for %s", plan->record->names.instance,
                      expect->instance);
  }
  if (expect->now_s < 0) {
    return 0;
  }
  char made[UW_TIME_BYTES];
  char expires[UW_TIME_BYTES];
  uw_time_text(head->made_s, made);
  uw_time_text(head->expires_s, expires);
  if (expect->now_s >= head->expires_s) {
    return codec_fail(c, "expires_at", "the plan expired at %s; make a new one", expires);
  }
  if (head->made_s - expect->now_s > UW_PLAN_SKEW_S) {
    return codec_fail(c, "made_at",
                      "the plan was made at %s, which is in the future; check the "
                      "clocks",
                      made);
  }
  return 0;
}

static int parse(struct codec *c, const json_t *o, const struct uw_plan_expect *expect,
                 struct uw_plan *plan) {
  const char *schema = json_string_value(json_object_get(o, "schema"));
  if (schema == NULL || strcmp(schema, UW_PLAN_SCHEMA) != 0) {
    return codec_fail(c, "schema",
                      "must be \"" UW_PLAN_SCHEMA "\"; this is not a plan, or one of "
                      "another version");
  }
  if (check_digest(c, o) != 0 || read_head(c, o, plan) != 0) {
    return -1;
  }
  char what[RCV_TEXT_BYTES];
  (void)snprintf(what, sizeof what, "%.200s: evidence", c->what);
  plan->record = uw_record_from_json(json_object_get(o, "evidence"), what, c->status, c->err);
  if (plan->record == NULL) {
    return -1;
  }
  struct uw_err why;
  uw_err_clear(&why);
  if (judge_and_build(plan, &why) != 0) {
    return codec_fail(c, NULL, "%s", why.text);
  }
  if (compare(c, o, plan->json) != 0) {
    return -1;
  }
  return check_expect(c, plan, expect);
}

struct uw_plan *uw_plan_parse(const char *bytes, size_t n, const char *what,
                              const struct uw_plan_expect *expect, struct uw_err *err) {
  struct codec c;
  codec_start(&c, what, UW_EXIT_STALE, err);
  if (n > UW_PLAN_MAX_BYTES) {
    (void)codec_fail(&c, NULL, "larger than %zu bytes: this is not a plan", UW_PLAN_MAX_BYTES);
    return NULL;
  }
  json_t *o = uw_json_parse(bytes, n, what, UW_EXIT_STALE, err);
  if (o == NULL) {
    return NULL;
  }
  struct uw_plan *plan = calloc(1, sizeof *plan);
  if (plan == NULL) {
    (void)codec_fail(&c, NULL, "no memory for a plan");
  } else if (parse(&c, o, expect, plan) != 0) {
    uw_plan_free(plan);
    plan = NULL;
  }
  json_decref(o);
  return plan;
}

struct uw_plan *uw_plan_read(const char *path, const struct uw_plan_expect *expect,
                             struct uw_err *err) {
  struct uw_buf bytes = {0};
  struct uw_plan *plan = NULL;
  struct stat st;
  if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > (off_t)UW_PLAN_MAX_BYTES) {
    (void)uw_err_set(err, UW_EXIT_STALE, "%s: larger than %zu bytes: this is not a plan", path,
                     UW_PLAN_MAX_BYTES);
    return NULL;
  }
  if (uw_file_read(path, UW_PLAN_MAX_BYTES, &bytes, err) == 0) {
    plan = uw_plan_parse(uw_buf_text(&bytes), bytes.len, path, expect, err);
  }
  uw_buf_free(&bytes);
  return plan;
}
