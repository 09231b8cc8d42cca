#include "agent/run/gates.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "agent/base/clock.h"
#include "agent/base/files.h"
#include "agent/base/json.h"
#include "agent/journal/journal.h"
#include "policies/gates.h"

#define HOUR_S 3600
#define DAY_S 86400

/* --- the kill switch ------------------------------------------------------------------------ */

/* 1 there, 0 certainly not there, -1 cannot be told. */
static int64_t present(const char *path) {
  struct stat st;
  if (path[0] == '\0') {
    return 0;
  }
  if (lstat(path, &st) == 0) {
    return 1;
  }
  return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
}

static void look_for_kill_switch(const struct session *s, struct pol_gate_facts *f) {
  const char *paths[] = {s->config->value[UW_CONFIG_KILL_SWITCH], s->policy->kill_switch};
  f->kill_switch = 0;
  for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
    int64_t now = present(paths[i]);
    if (now != 0) {
      f->kill_switch = now;
      (void)snprintf(f->kill_switch_path, sizeof f->kill_switch_path, "%s", paths[i]);
      return;
    }
  }
}

bool gates_kill_switch(const struct session *s) {
  static struct pol_gate_facts f;
  struct pol_gate_result result;
  pol_gate_facts_init(&f);
  look_for_kill_switch(s, &f);
  return pol_gate_kill_switch(s->policy, &f, &result) != 1;
}

/* --- facts ---------------------------------------------------------------------------------- */

static void tell_time(struct pol_gate_facts *f) {
  struct tm tm;
  time_t now = time(NULL);
  f->now_s = (int64_t)now;
  if (localtime_r(&now, &tm) == NULL) {
    return;
  }
  f->local_year = tm.tm_year + 1900;
  f->local_month = tm.tm_mon + 1;
  f->local_day = tm.tm_mday;
  f->local_weekday = tm.tm_wday == 0 ? 7 : tm.tm_wday;
  f->local_hour = tm.tm_hour;
  f->local_minute = tm.tm_min;
  f->local_offset_s = tm.tm_gmtoff;
}

struct count {
  struct pol_gate_facts *facts;
  const char *instance, *host;
};

/* Counts what may have been sent: an outcome that is not certainly "not applied", or an intent
 * that was found applied later (its run left no outcome). */
static int count_outcome(const json_t *record, void *ctx) {
  struct count *c = ctx;
  const char *type = uw_json_str(record, "type", "");
  if ((strcmp(type, "outcome") != 0 && strcmp(type, "resolved") != 0) ||
      strcmp(uw_json_str(record, "result", ""), "not_applied") == 0) {
    return 0;
  }
  int64_t when = uw_json_int(record, "time_s", 0);
  int64_t age = c->facts->now_s - when;
  bool same_host = strcmp(uw_json_str(record, "record_host", ""), c->host) == 0;
  c->facts->resets_hour += age < HOUR_S;
  c->facts->resets_day += age < DAY_S;
  c->facts->resets_host_hour += age < HOUR_S && same_host;
  if (strcmp(uw_json_str(record, "instance", ""), c->instance) == 0 &&
      when > c->facts->last_reset_s) {
    c->facts->last_reset_s = when;
  }
  return 0;
}

/* Without a journal nothing was ever sent from here; with a damaged one nothing is known. */
static void count_resets(const struct session *s, struct pol_gate_facts *f) {
  struct uw_err ignored;
  struct stat st;
  struct count c = {.facts = f, .instance = f->instance, .host = f->host};
  bool none = lstat(s->journal_dir, &st) != 0 && errno == ENOENT;
  f->resets_hour = f->resets_day = f->resets_host_hour = f->last_reset_s = 0;
  if (!none && journal_each(s->journal_dir, count_outcome, &c, &ignored) != 0) {
    f->resets_hour = f->resets_day = f->resets_host_hour = f->last_reset_s = -1;
  }
  json_t *intent = NULL;
  f->open_intent = none ? 0 : -1;
  if (!none && journal_open_intent(s->journal_dir, f->instance, &intent, &ignored) == 0) {
    const char *run = uw_json_str(intent, "run", "");
    /* This run's own intent is the one it is about to answer. */
    f->open_intent = intent != NULL && strcmp(run, s->run) != 0;
    if (f->open_intent == 1) {
      (void)snprintf(f->open_intent_run, sizeof f->open_intent_run, "%s", run);
    }
  }
  json_decref(intent);
}

/* The time of the last storm lies in a file, so that a calm minute does not end the caution. */
static void count_wedged(struct session *s, struct pol_gate_facts *f) {
  char path[PATH_MAX];
  struct uw_err ignored;
  struct stat st;
  if (nova_count_wedged(s->nova, s->policy->age_terminal_s, &f->wedged, &ignored) != 0) {
    f->wedged = -1;
  }
  if (uw_path_join(path, sizeof path, s->state_dir, "storm", &ignored) != 0) {
    return;
  }
  if (f->wedged > s->policy->storm_max_migrating_wedged) {
    f->storm_seen_s = f->now_s;
    if (uw_dir_make(s->state_dir, 0700, &ignored) != 0 ||
        uw_file_write_atomic(path, "", 0, 0600, &ignored) != 0) {
      f->storm_seen_s = -1;
    }
  } else if (lstat(path, &st) == 0) {
    f->storm_seen_s = (int64_t)st.st_mtime;
  } else {
    f->storm_seen_s = errno == ENOENT || errno == ENOTDIR ? 0 : -1;
  }
}

static enum rcv_svc source_service(const struct rcv_evidence *e) {
  int64_t source = e->nova_last.mig_source;
  return source >= 0 ? e->candidate[source].service_last : RCV_SVC_UNKNOWN;
}

static int64_t applicable(const struct rcv_evidence *e) {
  const struct rcv_nova *n = &e->nova_last;
  enum rcv_svc svc = source_service(e);
  bool ended = n->mig_status == RCV_MIG_COMPLETED || n->mig_status == RCV_MIG_FAILED ||
               n->mig_status == RCV_MIG_CANCELLED || n->mig_status == RCV_MIG_ERROR;
  if (n->mig_present != RCV_TRI_YES || n->mig_status == RCV_MIG_ACCEPTED) {
    return RCV_ATTEST_QUEUE_EMPTY;
  }
  return !ended && svc != RCV_SVC_UP ? RCV_ATTEST_COMPUTE_STOPPED : 0;
}

static void describe(const struct session *s, const struct uw_record *r, struct pol_gate_facts *f) {
  const struct rcv_evidence *e = &r->evidence;
  const struct rcv_nova *n = &e->nova_last;
  f->attest_made = 0;
  for (size_t i = 0; i < s->attestations; i++) {
    f->attest_made |= (int64_t)s->attestation[i].kind;
  }
  f->attest_applicable = applicable(e);
  f->approvals = 0;
  f->approvals_self = 0;
  (void)snprintf(f->instance, sizeof f->instance, "%s", r->names.instance);
  (void)snprintf(f->project, sizeof f->project, "%s", r->names.project);
  (void)snprintf(f->host, sizeof f->host, "%s",
                 n->record_host >= 0 ? r->names.host[n->record_host].host : "");
  (void)snprintf(f->source, sizeof f->source, "%s",
                 n->mig_source >= 0 ? r->names.host[n->mig_source].host : "");
  (void)snprintf(f->dest, sizeof f->dest, "%s",
                 n->mig_dest >= 0 ? r->names.host[n->mig_dest].host : "");
}

/* --- documents ------------------------------------------------------------------------------ */

#define PUT_INT(unit, field, doc)                                                                  \
  bad |= json_object_set_new(o, #field, json_integer((json_int_t)f->field)) != 0;
#define PUT_TEXT(field, bytes, doc)                                                                \
  bad |= json_object_set_new(o, #field, json_string(f->field)) != 0;

static json_t *facts_json(const struct pol_gate_facts *f) {
  json_t *o = json_object();
  bool bad = o == NULL;
  if (!bad) {
    POL_GATE_FACTS(PUT_INT, PUT_TEXT)
  }
  if (bad) {
    json_decref(o);
    return NULL;
  }
  return o;
}

static json_t *guards_json(const struct look *l) {
  json_t *list = json_array();
  for (size_t i = 0; list != NULL && i < l->guards; i++) {
    json_t *o = json_pack("{s:i, s:s}", "code", (int)l->guard[i].code, "text", l->guard[i].text);
    if (o == NULL || json_array_append_new(list, o) != 0) {
      json_decref(list);
      return NULL;
    }
  }
  return list;
}

static void judge(const struct session *s, const struct pol_gate_facts *f, struct look *l) {
  static struct pol_gate_result result[POL_GATE_COUNT];
  (void)!pol_gates(s->policy, f, result); /* each result is looked at below */
  for (size_t i = 0; i < POL_GATE_COUNT; i++) {
    if (result[i].pass == 1) {
      continue;
    }
    /* More failing gates than fit change nothing: the first one leads and one is enough. */
    if (l->guards < UW_MAX_GUARDS) {
      struct uw_guard *g = &l->guard[l->guards++];
      g->code = (enum rcv_code)result[i].code;
      (void)snprintf(g->text, sizeof g->text, "%s", result[i].text);
    }
  }
}

int gates_apply(struct session *s, struct look *l, struct uw_err *err) {
  static struct pol_gate_facts f;
  struct rcv_verdict v;
  struct rcv_permit none;
  struct uw_record *r = l->record;
  l->guards = 0;
  rcv_decide(&r->evidence, &r->policy, NULL, &v, &none);
  if (v.kind != RCV_VERDICT_RESET) {
    return 0; /* there is nothing to guard; the facts cost a call to Nova */
  }
  pol_gate_facts_init(&f);
  tell_time(&f);
  look_for_kill_switch(s, &f);
  describe(s, r, &f);
  count_resets(s, &f);
  /* Between the last look and the act there is no time to count a whole cloud again. */
  if (!l->storm_known) {
    count_wedged(s, &f);
    l->wedged = f.wedged;
    l->storm_seen_s = f.storm_seen_s;
    l->storm_known = true;
  }
  f.wedged = l->wedged;
  f.storm_seen_s = l->storm_seen_s;
  judge(s, &f, l);
  json_t *facts = facts_json(&f);
  json_t *guards = guards_json(l);
  r->gates = json_pack("{s:o?, s:o?}", "facts", facts, "guards", guards);
  if (facts == NULL || guards == NULL || r->gates == NULL) {
    return uw_err_set(err, UW_EXIT_USAGE, "out of memory for the gates' facts");
  }
  return 0;
}

int gates_replay(const json_t *gates, const char *what, struct uw_guard *guard, size_t *n,
                 struct uw_err *err) {
  *n = 0;
  if (gates == NULL) {
    return 0;
  }
  const json_t *list = json_object_get(gates, "guards");
  if (!json_is_array(list) || json_array_size(list) > UW_MAX_GUARDS) {
    return uw_err_set(err, UW_EXIT_USAGE, "%s: $.gates.guards is not a list of at most %d", what,
                      UW_MAX_GUARDS);
  }
  for (size_t i = 0; i < json_array_size(list); i++) {
    const json_t *o = json_array_get(list, i);
    const char *text = uw_json_str(o, "text", NULL);
    int64_t code = uw_json_int(o, "code", -1);
    if (text == NULL || strlen(text) >= UW_GUARD_TEXT_BYTES || rcv_code_find(code) == NULL) {
      return uw_err_set(err, UW_EXIT_USAGE, "%s: $.gates.guards[%zu] is not a code and a text",
                        what, i);
    }
    guard[i].code = (enum rcv_code)code;
    (void)snprintf(guard[i].text, sizeof guard[i].text, "%s", text);
    *n = i + 1;
  }
  return 0;
}
