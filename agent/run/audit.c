#include "agent/run/audit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/base/clock.h"
#include "agent/base/files.h"
#include "agent/base/json.h"

#define AUDIT_POLL_MS 200

int audit_make(const char *dir, struct uw_err *err) {
  char warning[UW_ERR_TEXT_BYTES];
  char who[SESSION_WHO_BYTES];
  char run[UW_UUID_TEXT_BYTES];
  struct journal *j = NULL;
  session_who(who);
  uw_uuid_new(run);
  int result = -1;
  json_t *body = json_pack("{s:s, s:s}", "text", "the journal begins", "who", who);
  if (body == NULL) {
    (void)uw_err_set(err, UW_EXIT_JOURNAL, "out of memory for a journal record");
  } else if (journal_init(dir, err) == 0 && journal_open(dir, &j, warning, err) == 0) {
    result = journal_append(j, run, "init", body, err);
  }
  json_decref(body);
  journal_close(j);
  if (result != 0) {
    err->status = UW_EXIT_JOURNAL;
  }
  return result;
}

/* One run writes at a time; the others wait a moment, as an act takes seconds. */
static int await_turn(struct session *s, struct uw_err *err) {
  char locks[PATH_MAX];
  int64_t deadline = uw_mono_ms() + AUDIT_WAIT_MS;
  if (uw_path_join(locks, sizeof locks, s->state_dir, "lock", err) != 0) {
    return -1;
  }
  for (;;) {
    struct uw_err held;
    uw_err_clear(&held);
    if (uw_lock_take(locks, "journal", "journal", &s->journal_lock, &held) == 0) {
      return 0;
    }
    bool stop = s->options.stop != NULL && *s->options.stop;
    if (stop || uw_mono_ms() >= deadline || strstr(held.text, "is locked by") == NULL) {
      *err = held;
      return uw_err_wrap(err, "cannot write to the journal");
    }
    (void)uw_sleep_ms(AUDIT_POLL_MS);
  }
}

void audit_close(struct session *s, struct journal *j) {
  journal_close(j);
  uw_lock_drop(&s->journal_lock);
}

static struct journal *open_now(struct session *s, struct uw_err *err);

struct journal *audit_open(struct session *s, struct uw_err *err) {
  if (await_turn(s, err) != 0) {
    return NULL;
  }
  struct journal *j = open_now(s, err);
  if (j == NULL) {
    uw_lock_drop(&s->journal_lock);
  }
  return j;
}

static struct journal *open_now(struct session *s, struct uw_err *err) {
  char warning[UW_ERR_TEXT_BYTES];
  char records[PATH_MAX];
  struct stat st;
  struct journal *j = NULL;
  if (uw_path_join(records, sizeof records, s->journal_dir, "records.jsonl", err) != 0) {
    err->status = UW_EXIT_JOURNAL;
    return NULL;
  }
  /* A journal that is there but broken is never replaced by a new one: only ENOENT makes one. */
  if (lstat(s->journal_dir, &st) != 0 && errno == ENOENT && audit_make(s->journal_dir, err) != 0) {
    return NULL;
  }
  if (journal_open(s->journal_dir, &j, warning, err) != 0) {
    err->status = UW_EXIT_JOURNAL;
    return NULL;
  }
  if (warning[0] != '\0') {
    uw_warn("%s", warning);
  }
  return j;
}

int audit_record(struct session *s, struct journal *j, const char *type, json_t *body,
                 struct uw_err *err) {
  if (body == NULL) {
    return uw_err_set(err, UW_EXIT_JOURNAL, "cannot build the journal record '%s'", type);
  }
  int result = journal_append(j, s->run, type, body, err);
  json_decref(body);
  if (result != 0) {
    err->status = UW_EXIT_JOURNAL;
  }
  return result;
}

int audit_started(struct session *s, struct journal *j, const char *verb, const char *instance,
                  const char *plan_digest, struct uw_err *err) {
  char policy[UW_DIGEST_TEXT_BYTES];
  const char *reason = s->options.reason != NULL ? s->options.reason : "";
  uw_digest_text(s->policy_digest, policy);
  json_t *body = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "verb", verb, "instance",
                           instance, "user", s->who, "reason", reason, "policy", s->policy_name,
                           "policy_digest", policy, "cloud", s->cloud_id);
  if (body != NULL && plan_digest != NULL &&
      json_object_set_new(body, "plan_digest", json_string(plan_digest)) != 0) {
    json_decref(body);
    body = NULL;
  }
  if (audit_record(s, j, "run_started", body, err) != 0) {
    return -1;
  }
  for (size_t i = 0; i < json_array_size(s->stated); i++) {
    const json_t *one = json_array_get(s->stated, i);
    json_t *statement = json_copy((json_t *)(uintptr_t)one);
    if (statement != NULL &&
        json_object_set_new(statement, "instance", json_string(instance)) != 0) {
      json_decref(statement);
      statement = NULL;
    }
    if (audit_record(s, j, "attestation", statement, err) != 0) {
      return -1;
    }
  }
  return 0;
}

int audit_store(struct journal *j, const struct uw_buf *bytes, uint8_t digest[RCV_DIGEST_BYTES],
                struct uw_err *err) {
  int result = journal_store(j, bytes->data, bytes->len, digest, err);
  if (result != 0) {
    err->status = UW_EXIT_JOURNAL;
  }
  return result;
}

const char *audit_code_name(enum rcv_code code) {
  const struct rcv_code_info *info = rcv_code_find((int64_t)code);
  return info != NULL ? info->name : "";
}

int audit_verdict(struct session *s, struct journal *j, const struct look *l, const char *part,
                  struct uw_err *err) {
  struct uw_buf bytes = {0};
  uint8_t made[RCV_DIGEST_BYTES];
  uint8_t stored[RCV_DIGEST_BYTES];
  char digest[UW_DIGEST_TEXT_BYTES];
  char code[UW_CODE_BYTES];
  int result = uw_record_bytes(l->record, &bytes, made, err);
  if (result == 0) {
    result = audit_store(j, &bytes, stored, err);
  }
  uw_buf_free(&bytes);
  if (result != 0) {
    err->status = UW_EXIT_JOURNAL;
    return -1;
  }
  const struct rcv_verdict *v = &l->judgement->verdict;
  uw_digest_text(stored, digest);
  uw_code_text(v->code, code);
  return audit_record(s, j, "verdict",
                      json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:{s:s}}", "instance",
                                l->record->names.instance, "part", part, "verdict",
                                rcv_enum_name(&rcv_verdict_kind_enum, (int)v->kind), "code", code,
                                "code_name", audit_code_name(v->code), "text",
                                l->judgement->explanation.summary, "files", "evidence", digest),
                      err);
}
