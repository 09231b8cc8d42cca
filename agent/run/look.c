#include "agent/run/look.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/base/files.h"
#include "agent/base/json.h"
#include "agent/run/gates.h"
#include "agent/run/planning.h"

#define QUICK_ROUNDS 2
#define QUICK_WINDOW_MS 2000

static void target_of(void *ctx, const char *host, const char *hypervisor_hostname,
                      struct probe_target *target) {
  const struct session *s = ctx;
  struct uw_err err;
  char warning[UW_ERR_TEXT_BYTES]; /* said once, when the configuration was loaded */
  uw_err_clear(&err);
  if (uw_config_target(s->config, host, hypervisor_hostname, target, warning, &err) != 0) {
    uw_warn("host %s: %s", host, err.text);
  }
}

static struct obs_options options_of(struct session *s, enum look_depth depth) {
  bool quick = depth == LOOK_QUICK;
  int64_t window_ms = s->decision.observe_window_ms;
  struct obs_options o = {.policy = &s->decision,
                          .rounds = quick ? QUICK_ROUNDS : s->decision.observe_rounds,
                          .window_ms =
                              quick && window_ms > QUICK_WINDOW_MS ? QUICK_WINDOW_MS : window_ms,
                          .probe_deadline_ms = s->policy->probe_deadline_s * 1000,
                          .parallel = (int)s->policy->probe_parallel,
                          .probe_program = s->probe,
                          .target = target_of,
                          .target_ctx = s,
                          .also = &s->also,
                          .attestation = s->attestation,
                          .attestations = s->attestations,
                          .progress = s->options.progress,
                          .progress_ctx = s->options.progress_ctx,
                          .stop = s->options.stop};
  return o;
}

static int note_attestations(const struct session *s, struct uw_record *r, struct uw_err *err) {
  for (size_t i = 0; i < json_array_size(s->stated); i++) {
    const json_t *one = json_array_get(s->stated, i);
    if (uw_record_attest(r, uw_json_str(one, "fact", ""), uw_json_str(one, "who", ""),
                         uw_json_str(one, "reason", ""), err) != 0) {
      return -1;
    }
  }
  return 0;
}

/* Record, gates, digest and verdict of what the observation holds now. */
static int judge(struct session *s, struct look *l, struct uw_err *err) {
  uw_record_free(l->record);
  l->record = uw_record_new();
  if (l->record == NULL) {
    return uw_err_set(err, UW_EXIT_USAGE, "out of memory for the evidence");
  }
  struct uw_record *r = l->record;
  r->evidence = *obs_evidence(l->obs);
  r->names = *obs_names(l->obs);
  r->policy = s->decision;
  memcpy(r->policy_name, s->policy_name, sizeof r->policy_name);
  memcpy(r->policy_digest, s->policy_digest, sizeof r->policy_digest);
  memcpy(r->run, s->run, sizeof r->run);
  uw_boot_id(r->boot_id);
  (void)snprintf(r->made_by, sizeof r->made_by, "unwedge %s", UW_VERSION);
  r->made_s = uw_wall_s();
  uw_record_clean(r);
  if (note_attestations(s, r, err) != 0 || gates_apply(s, l, err) != 0 ||
      uw_record_bytes(r, NULL, l->digest, err) != 0) {
    return -1;
  }
  uw_judge(r, l->guard, l->guards, l->judgement);
  return 0;
}

static struct look *begin(struct session *s, const char *uuid, enum look_depth depth,
                          struct uw_err *err) {
  struct obs_options options = options_of(s, depth);
  struct look *l = calloc(1, sizeof *l);
  if (l != NULL) {
    l->obs = obs_new(s->nova, uuid, &options);
    l->judgement = uw_judgement_new();
  }
  if (l == NULL || l->obs == NULL || l->judgement == NULL) {
    look_free(l);
    (void)uw_err_set(err, UW_EXIT_USAGE, "out of memory for the observation");
    return NULL;
  }
  return l;
}

struct look *look_new(struct session *s, const char *uuid, enum look_depth depth,
                      struct uw_err *err) {
  struct look *l = begin(s, uuid, depth, err);
  if (l != NULL && (obs_run(l->obs, err) != 0 || judge(s, l, err) != 0)) {
    look_free(l);
    l = NULL;
  }
  return l;
}

static bool young_enough(const struct session *s, const struct uw_plan *plan) {
  char boot[UW_UUID_TEXT_BYTES];
  uw_boot_id(boot);
  /* Monotonic times only compare within one boot of one machine. */
  if (boot[0] == '\0' || strcmp(boot, plan->record->boot_id) != 0 ||
      strcmp(plan->head.made_on, s->made_on) != 0) {
    return false;
  }
  int64_t age = uw_mono_ms() - plan->record->evidence.last_round_ms;
  return plan->record->evidence.last_round_ms >= 0 && age >= 0 &&
         age <= s->decision.observe_window_ms;
}

struct look *look_again(struct session *s, const struct uw_plan *plan, struct uw_err *err) {
  const char *uuid = plan->record->names.instance;
  if (young_enough(s, plan) && planning_ours(s, plan)) {
    struct look *l = begin(s, uuid, LOOK_FULL, err);
    if (l == NULL) {
      return NULL;
    }
    if (obs_resume(l->obs, &plan->record->evidence, &plan->record->names, err) == 0 &&
        obs_relook(l->obs, err) == 0 && judge(s, l, err) == 0) {
      return l;
    }
    look_free(l);
    if (err->status != UW_EXIT_STALE) {
      return NULL;
    }
    /* Nova names other hosts now: look at all of them for the whole window. */
    uw_err_clear(err);
  }
  return look_new(s, uuid, LOOK_FULL, err);
}

int look_relook(struct session *s, struct look *l, struct uw_err *err) {
  return obs_relook(l->obs, err) != 0 ? -1 : judge(s, l, err);
}

void look_free(struct look *l) {
  if (l != NULL) {
    obs_free(l->obs);
    uw_record_free(l->record);
    uw_judgement_free(l->judgement);
    free(l);
  }
}

json_t *look_verdict(const struct look *l, struct uw_err *err) {
  return uw_verdict_json(l->record, l->digest, l->judgement, UW_VERDICT_DOCUMENT, err);
}

static int save_verdict(const struct look *l, const char *path, struct uw_err *err) {
  struct uw_buf text = {0};
  json_t *verdict = look_verdict(l, err);
  int result = -1;
  if (verdict != NULL && uw_json_pretty(verdict, &text, err) == 0) {
    result = uw_file_write_atomic(path, text.data, text.len, 0600, err);
  }
  json_decref(verdict);
  uw_buf_free(&text);
  return result;
}

int look_save(struct session *s, struct look *l, struct uw_err *err) {
  char runs[PATH_MAX];
  char dir[PATH_MAX];
  char path[PATH_MAX];
  const struct uw_buf *raw = obs_raw(l->obs);
  if (uw_path_join(runs, sizeof runs, s->state_dir, "runs", err) != 0 ||
      uw_path_join(dir, sizeof dir, runs, s->run, err) != 0 || uw_dir_make(dir, 0700, err) != 0 ||
      uw_path_join(path, sizeof path, dir, "reads.jsonl", err) != 0 ||
      uw_file_write_atomic(path, uw_buf_text(raw), raw->len, 0600, err) != 0 ||
      uw_path_join(path, sizeof path, dir, "verdict.json", err) != 0 ||
      save_verdict(l, path, err) != 0 ||
      uw_path_join(l->saved, sizeof l->saved, dir, "evidence.json", err) != 0) {
    return -1;
  }
  return uw_record_write(l->record, l->saved, err);
}
