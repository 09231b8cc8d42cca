#include "agent/observe/observe.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "agent/base/buf.h"
#include "agent/base/clock.h"
#include "agent/base/json.h"

#define RAW_MAX_BYTES ((size_t)8 * 1024 * 1024)
#define RAW_LINE_ROOM 4096   /* of a raw line besides the reply in it */
#define MIDDLE_READ_MS 10000 /* from this window on Nova is read after every round */
#define WAIT_SLICE_MS 200    /* how fast Ctrl-C is noticed while waiting between rounds */

struct obs {
  struct nova *nova;
  char uuid[UW_UUID_TEXT_BYTES];
  struct obs_options options;
  struct rcv_evidence evidence;
  struct rcv_names names;
  struct rcv_fold fold;
  struct nova_reading *reading;  /* newest */
  struct nova_reading *previous; /* the one before, for what moved */
  bool have_reading;
  struct probe_target target[RCV_MAX_CANDIDATES];
  bool hung[RCV_MAX_CANDIDATES]; /* no further job or monitor call there in this run */
  char hung_host[RCV_MAX_CANDIDATES][RCV_TEXT_BYTES]; /* the same by name: lists change */
  size_t hung_hosts;
  enum rcv_monitor monitor; /* of the record host, carried over later looks */
  int64_t round;
  struct uw_buf raw;
};

struct obs *obs_new(struct nova *nova, const char *uuid, const struct obs_options *options) {
  struct obs *o = calloc(1, sizeof *o);
  if (o == NULL) {
    return NULL;
  }
  o->nova = nova;
  (void)snprintf(o->uuid, sizeof o->uuid, "%s", uuid);
  o->options = *options;
  o->raw.max = RAW_MAX_BYTES;
  o->reading = nova_reading_new();
  o->previous = nova_reading_new();
  if (o->reading == NULL || o->previous == NULL) {
    obs_free(o);
    return NULL;
  }
  rcv_evidence_init(&o->evidence);
  rcv_fold_init(&o->fold);
  return o;
}

void obs_free(struct obs *o) {
  if (o != NULL) {
    nova_reading_free(o->reading);
    nova_reading_free(o->previous);
    uw_buf_free(&o->raw);
    free(o);
  }
}

const struct rcv_evidence *obs_evidence(const struct obs *o) { return &o->evidence; }

const struct rcv_names *obs_names(const struct obs *o) { return &o->names; }

const struct nova_reading *obs_reading(const struct obs *o) { return o->reading; }

const struct uw_buf *obs_raw(const struct obs *o) { return &o->raw; }

static bool stopped(const struct obs *o) { return o->options.stop != NULL && *o->options.stop; }

static void tell(const struct obs *o, const char *what, const char *host, int64_t left_ms) {
  if (o->options.progress != NULL) {
    struct obs_progress p = {.what = what,
                             .round = o->round,
                             .rounds = o->options.rounds,
                             .host = host,
                             .left_ms = left_ms};
    o->options.progress(o->options.progress_ctx, &p);
  }
}

/* --- Nova ------------------------------------------------------------------------------- */

static int read_nova(struct obs *o, unsigned what, struct uw_err *err) {
  struct nova_reading *swap = o->previous;
  o->previous = o->reading;
  o->reading = swap;
  tell(o, "reading Nova", "", -1);
  uw_err_clear(err);
  if (nova_read(o->nova, o->uuid, what, o->reading, err) != 0 && err->status != UW_EXIT_UNKNOWN) {
    return -1;
  }
  if ((what & NOVA_HYPERVISORS) == 0 && o->have_reading) {
    /* Hypervisors are read once an observation; the list moves along with the readings. */
    o->reading->hypervisor = o->previous->hypervisor;
    o->reading->hypervisors = o->previous->hypervisors;
    o->reading->read |= o->previous->read & NOVA_HYPERVISORS;
    o->previous->hypervisor = NULL;
    o->previous->hypervisors = 0;
  }
  (void)snprintf(o->names.api_error, sizeof o->names.api_error, "%.*s",
                 (int)sizeof o->names.api_error - 1, err->text);
  o->have_reading = true;
  return 0;
}

/* 1: the candidate list is out of date. */
static int fold_reading(struct obs *o, bool first) {
  struct rcv_nova nova;
  enum rcv_svc services[RCV_MAX_CANDIDATES];
  int stale = obs_convert(o->reading, o->options.also, &o->evidence, &o->names, &nova, services);
  nova.max_minor = nova_max_minor(o->nova);
  enum rcv_tri lock_only = first ? RCV_TRI_NO : obs_only_lock_changed(o->previous, o->reading);
  rcv_fold_nova(&o->fold, &o->evidence, &nova, services, lock_only);
  if (nova.api == RCV_API_OK) {
    obs_instance_texts(o->reading, &o->names);
  }
  return stale != 0 ? 1 : 0;
}

/* --- hosts where a call hung --------------------------------------------------------------- */

static void note_hung(struct obs *o, int64_t index) {
  if (!o->hung[index] && o->hung_hosts < RCV_MAX_CANDIDATES) {
    memcpy(o->hung_host[o->hung_hosts++], o->names.host[index].host, RCV_TEXT_BYTES);
  }
  o->hung[index] = true;
}

static void recall_hung(struct obs *o) {
  memset(o->hung, 0, sizeof o->hung);
  for (size_t i = 0; i < o->hung_hosts; i++) {
    int64_t at = obs_candidate_index(&o->evidence, &o->names, o->hung_host[i]);
    if (at >= 0) {
      o->hung[at] = true;
    }
  }
}

/* --- attestations ------------------------------------------------------------------------- */

/* A statement about a host that is not looked at would silently not count. */
static int unknown_host(const struct obs *o, const struct obs_attestation *a, struct uw_err *err) {
  char text[OBS_ATTESTATION_TEXT_BYTES];
  struct uw_buf hosts = {.max = 512};
  obs_attestation_text(a, text);
  for (int64_t i = 0; i < o->evidence.candidates; i++) {
    uw_buf_printf(&hosts, "%s%s", i == 0 ? "" : ", ", o->names.host[i].host);
  }
  (void)uw_err_set(err, UW_EXIT_USAGE,
                   "--attest %s: not a candidate host of this instance; these "
                   "are: %s%s",
                   text, uw_buf_text(&hosts), hosts.failed ? ", ..." : "");
  uw_buf_free(&hosts);
  return -1;
}

static int attest(struct obs *o, struct uw_err *err) {
  for (size_t i = 0; i < o->options.attestations; i++) {
    const struct obs_attestation *a = &o->options.attestation[i];
    if ((o->options.policy->attest_accepted & (int64_t)a->kind) == 0) {
      continue;
    }
    if (a->kind == RCV_ATTEST_QUEUE_EMPTY) {
      o->evidence.attested_queue_empty = RCV_TRI_YES;
      continue;
    }
    int64_t at = obs_candidate_index(&o->evidence, &o->names, a->host);
    if (at < 0) {
      return unknown_host(o, a, err);
    }
    struct rcv_candidate *c = &o->evidence.candidate[at];
    switch (a->kind) {
    case RCV_ATTEST_COMPUTE_STOPPED: c->attested_stopped = RCV_TRI_YES; break;
    case RCV_ATTEST_COMPUTE_RESTARTED: c->attested_restarted = RCV_TRI_YES; break;
    case RCV_ATTEST_HOST_GONE: c->attested_gone = RCV_TRI_YES; break;
    case RCV_ATTEST_HOST_FENCED: c->attested_fenced = RCV_TRI_YES; break;
    case RCV_ATTEST_QUEUE_EMPTY: break;
    }
  }
  return 0;
}

/* --- looks -------------------------------------------------------------------------------- */

/* The raw record is for people; a host that talks too much must not end the observation. */
static int note_raw(struct obs *o, int64_t index, const struct probe_result *r,
                    struct uw_err *err) {
  if (o->raw.len + 4 * r->raw.len + RAW_LINE_ROOM > RAW_MAX_BYTES) {
    return 0;
  }
  json_t *line = json_pack("{s:s, s:I, s:I, s:I, s:s, s:s, s:s%}", "host",
                           o->names.host[index].host, "round", (json_int_t)o->round, "start_ms",
                           (json_int_t)r->look.start_ms, "end_ms", (json_int_t)r->look.end_ms,
                           "reach", rcv_enum_name(&rcv_reach_enum, (int)r->look.reach), "detail",
                           r->detail, "reply", r->raw.data != NULL ? r->raw.data : "", r->raw.len);
  if (line == NULL) {
    /* A reply that is not UTF-8 is recorded without its bytes; the look already is BAD_REPLY. */
    line =
        json_pack("{s:s, s:I, s:s, s:s}", "host", o->names.host[index].host, "round",
                  (json_int_t)o->round, "reach", rcv_enum_name(&rcv_reach_enum, (int)r->look.reach),
                  "detail", "the reply is not UTF-8 text");
  }
  if (line == NULL) {
    return uw_err_set(err, UW_EXIT_USAGE, "out of memory while recording a look");
  }
  int result = uw_json_canonical(line, &o->raw, err);
  json_decref(line);
  uw_buf_puts(&o->raw, "\n");
  return result;
}

static int64_t first_same(const struct obs *o, int64_t index, bool by_uuid) {
  const struct rcv_host_names *own = &o->names.host[index];
  const char *value = by_uuid ? own->host_uuid : own->libvirt_hostname;
  if (value[0] == '\0') {
    return -1;
  }
  for (int64_t i = 0; i < index; i++) {
    const struct rcv_host_names *other = &o->names.host[i];
    if (strcasecmp(by_uuid ? other->host_uuid : other->libvirt_hostname, value) == 0) {
      return i;
    }
  }
  return index;
}

static void note_identity(struct obs *o) {
  for (int64_t i = 0; i < o->evidence.candidates; i++) {
    o->evidence.candidate[i].same_uuid_as = first_same(o, i, true);
    o->evidence.candidate[i].same_name_as = first_same(o, i, false);
  }
}

static int take_result(struct obs *o, int64_t index, struct probe_result *r, struct uw_err *err) {
  struct rcv_host_names *h = &o->names.host[index];
  (void)snprintf(h->detail, sizeof h->detail, "%s", r->detail);
  if (r->look.reach == RCV_REACH_OK || r->look.reach == RCV_REACH_IDENTITY_MISMATCH) {
    (void)snprintf(h->libvirt_hostname, sizeof h->libvirt_hostname, "%s", r->libvirt_hostname);
    (void)snprintf(h->host_uuid, sizeof h->host_uuid, "%s", r->host_uuid);
    (void)snprintf(h->domain_name, sizeof h->domain_name, "%s", r->domain_name);
  }
  if (r->look.job == RCV_JOB_HUNG || r->look.control == RCV_CONTROL_OCCUPIED) {
    note_hung(o, index);
  }
  if (index == o->evidence.nova_last.record_host) {
    r->look.monitor = o->monitor;
  }
  rcv_fold_look(&o->fold, &o->evidence, index, &r->look);
  return note_raw(o, index, r, err);
}

/* Looks at the given candidates side by side and folds what came. */
static int look_at(struct obs *o, const int64_t *index, size_t n, struct uw_err *err) {
  struct probe_target *target = calloc(n, sizeof *target);
  struct probe_question *question = calloc(n, sizeof *question);
  struct probe_result *result = calloc(n, sizeof *result);
  int status = -1;
  if (target == NULL || question == NULL || result == NULL) {
    (void)uw_err_set(err, UW_EXIT_USAGE, "out of memory for %zu probes", n);
  } else {
    for (size_t i = 0; i < n; i++) {
      target[i] = o->target[index[i]];
      struct probe_question *q = &question[i];
      (void)snprintf(q->instance, sizeof q->instance, "%s", o->uuid);
      (void)snprintf(q->instance_name, sizeof q->instance_name, "%s", o->names.instance_name);
      (void)snprintf(q->project, sizeof q->project, "%s", o->names.project);
      q->deadline_ms = o->options.probe_deadline_ms;
      q->gentle = o->hung[index[i]];
    }
    tell(o, "looking at", n == 1 ? o->names.host[index[0]].host : "the other hosts", -1);
    status = probe_look(o->options.probe_program, target, n, question, o->options.parallel,
                        o->options.stop, result, err);
    for (size_t i = 0; status == 0 && i < n; i++) {
      status = take_result(o, index[i], &result[i], err);
    }
    for (size_t i = 0; i < n; i++) {
      probe_result_free(&result[i]);
    }
  }
  free(target);
  free(question);
  free(result);
  return status;
}

static int look_at_record_host(struct obs *o, struct uw_err *err) {
  int64_t h = o->evidence.nova_last.record_host;
  return look_at(o, &h, 1, err);
}

static int look_at_others(struct obs *o, struct uw_err *err) {
  int64_t others[RCV_MAX_CANDIDATES];
  size_t n = 0;
  for (int64_t i = 0; i < o->evidence.candidates; i++) {
    if (i != o->evidence.nova_last.record_host) {
      others[n++] = i;
    }
  }
  return n == 0 ? 0 : look_at(o, others, n, err);
}

/* The monitor-touching read, in a probe of its own and only where nothing hung. */
static int check_monitor(struct obs *o, struct uw_err *err) {
  int64_t h = o->evidence.nova_last.record_host;
  struct probe_question q = {.deadline_ms = o->options.probe_deadline_ms, .monitor = true};
  struct probe_result r;
  memset(&r, 0, sizeof r);
  (void)snprintf(q.instance, sizeof q.instance, "%s", o->uuid);
  tell(o, "asking the guest's monitor on", o->names.host[h].host, -1);
  int status =
      probe_look(o->options.probe_program, &o->target[h], 1, &q, 1, o->options.stop, &r, err);
  if (status == 0) {
    o->monitor = r.look.monitor;
    if (r.look.monitor == RCV_MONITOR_MUTE) {
      note_hung(o, h);
    }
    /* It belongs to the observation as a whole, not to one look of it. */
    o->evidence.candidate[h].first.monitor = o->monitor;
    o->evidence.candidate[h].last.monitor = o->monitor;
    status = note_raw(o, h, &r, err);
  }
  probe_result_free(&r);
  return status;
}

/* --- the observation ---------------------------------------------------------------------- */

static int begin(struct obs *o, struct uw_err *err) {
  char api_error[sizeof o->names.api_error]; /* of the reading that this begins with */
  memcpy(api_error, o->names.api_error, sizeof api_error);
  rcv_evidence_init(&o->evidence);
  rcv_fold_init(&o->fold);
  memset(&o->names, 0, sizeof o->names);
  memcpy(o->names.api_error, api_error, sizeof api_error);
  /* Which instance it is about is known even if Nova says nothing. */
  (void)snprintf(o->names.instance, sizeof o->names.instance, "%s", o->uuid);
  o->monitor = RCV_MONITOR_UNKNOWN;
  o->round = 0;
  obs_candidates(o->reading, o->options.also, &o->evidence, &o->names);
  for (int64_t i = 0; i < o->evidence.candidates; i++) {
    memset(&o->target[i], 0, sizeof o->target[i]);
    o->options.target(o->options.target_ctx, o->names.host[i].host,
                      o->names.host[i].hypervisor_hostname, &o->target[i]);
  }
  recall_hung(o);
  /* Without Nova's answer there are no candidates that a statement could be about. */
  return o->evidence.candidates > 0 ? attest(o, err) : 0;
}

static bool can_look(const struct obs *o) {
  const struct rcv_nova *nova = &o->evidence.nova_last;
  return nova->api == RCV_API_OK && nova->record_host >= 0 && nova->hypervisor != RCV_HV_OTHER &&
         o->evidence.too_many != RCV_TRI_YES;
}

/* Hosts that nobody could look at are no findings: Nova's answer is the reason, not theirs. */
static void forget_hosts(struct obs *o) {
  if (o->evidence.too_many == RCV_TRI_YES || o->evidence.nova_last.hypervisor == RCV_HV_OTHER) {
    return; /* these are verdicts of their own, and the hosts belong to them */
  }
  enum rcv_tri too_many = o->evidence.too_many;
  rcv_evidence_init(&o->evidence);
  rcv_fold_init(&o->fold);
  memset(o->names.host, 0, sizeof o->names.host);
  o->evidence.too_many = too_many;
  (void)fold_reading(o, true);
}

static bool job_moves(const struct rcv_evidence *e) {
  for (int64_t i = 0; i < e->candidates; i++) {
    if (e->candidate[i].progressing == RCV_TRI_YES) {
      return true;
    }
  }
  return false;
}

static bool disagreed(const struct rcv_evidence *e) {
  for (int64_t i = 0; i < e->candidates; i++) {
    if (e->candidate[i].agreed == RCV_TRI_NO) {
      return true;
    }
  }
  return e->nova_agreed == RCV_TRI_NO;
}

static void decide(const struct obs *o, struct rcv_verdict *v) {
  struct rcv_permit none;
  rcv_decide(&o->evidence, o->options.policy, NULL, v, &none);
}

/* A job that was not seen moving has to be watched to the end: only then it is called stalled. */
static bool worth_another_round(const struct obs *o) {
  struct rcv_verdict v;
  decide(o, &v);
  return rcv_worth_observing(&v) != 0 ||
         (v.code == RCV_CODE_STILL_MIGRATING && !job_moves(&o->evidence));
}

static int wait_until(struct obs *o, int64_t until_ms, struct uw_err *err) {
  for (int64_t now = uw_mono_ms(); now < until_ms; now = uw_mono_ms()) {
    if (stopped(o)) {
      return uw_err_set(err, UW_EXIT_USAGE, "interrupted; nothing was changed");
    }
    int64_t left = until_ms - now;
    tell(o, "waiting", "", left);
    (void)uw_sleep_ms(left < WAIT_SLICE_MS ? left : WAIT_SLICE_MS);
  }
  return stopped(o) ? uw_err_set(err, UW_EXIT_USAGE, "interrupted; nothing was changed") : 0;
}

static int one_round(struct obs *o, struct uw_err *err) {
  o->round++;
  if (look_at_others(o, err) != 0 || look_at_record_host(o, err) != 0) {
    return -1;
  }
  note_identity(o);
  return 0;
}

/* Rounds spread over the window: round k of n begins not before start + window * (k-1)/(n-1),
 * and the last one only when its end lies beyond the window. */
static int all_rounds(struct obs *o, struct uw_err *err) {
  int64_t rounds = o->options.rounds < 2 ? 2 : o->options.rounds;
  if (look_at_record_host(o, err) != 0) {
    return -1;
  }
  int64_t start = uw_mono_ms();
  for (int64_t k = 0; k < rounds && k < OBS_MAX_ROUNDS; k++) {
    if (wait_until(o, start + o->options.window_ms * k / (rounds - 1), err) != 0 ||
        one_round(o, err) != 0) {
      return -1;
    }
    if (disagreed(&o->evidence) || !worth_another_round(o)) {
      return 0;
    }
    /* A long observation watches Nova all along: heartbeat, conductor, services. */
    if (k + 1 < rounds && o->options.window_ms >= MIDDLE_READ_MS) {
      if (read_nova(o, NOVA_ALL & ~(unsigned)NOVA_HYPERVISORS, err) != 0) {
        return -1;
      }
      if (fold_reading(o, false) != 0) {
        o->evidence.nova_agreed = RCV_TRI_NO;
      }
    }
  }
  return 0;
}

static bool needs_monitor(const struct obs *o) {
  int64_t h = o->evidence.nova_last.record_host;
  if (o->options.policy->monitor_check == 0 || o->hung[h] || o->monitor != RCV_MONITOR_UNKNOWN) {
    return false;
  }
  struct rcv_verdict v;
  decide(o, &v);
  return v.kind == RCV_VERDICT_RESET || v.code == RCV_CODE_OBSERVE_LONGER;
}

/* One attempt. 1: something moved, begin again. */
static int attempt(struct obs *o, struct uw_err *err) {
  if (read_nova(o, NOVA_ALL, err) != 0) {
    return -1;
  }
  if (begin(o, err) != 0) {
    return -1;
  }
  (void)fold_reading(o, true);
  if (!can_look(o)) {
    forget_hosts(o);
    return 0;
  }
  if (all_rounds(o, err) != 0) {
    return -1;
  }
  if (needs_monitor(o) && check_monitor(o, err) != 0) {
    return -1;
  }
  if (read_nova(o, NOVA_ALL & ~(unsigned)NOVA_HYPERVISORS, err) != 0) {
    return -1;
  }
  if (fold_reading(o, false) != 0) {
    o->evidence.nova_agreed = RCV_TRI_NO; /* a host came in that nobody looked at */
  }
  return disagreed(&o->evidence) ? 1 : 0;
}

int obs_run(struct obs *o, struct uw_err *err) {
  for (int restart = 0;; restart++) {
    int again = attempt(o, err);
    if (again < 0) {
      return -1;
    }
    struct rcv_verdict v;
    decide(o, &v);
    /* What moved may already be an answer (a job that runs); only an unclear one is retried. */
    if (again == 0 || restart >= OBS_MAX_RESTARTS ||
        (v.kind != RCV_VERDICT_UNKNOWN && v.code != RCV_CODE_OBSERVE_LONGER)) {
      break;
    }
  }
  rcv_evidence_seal(&o->evidence);
  return 0;
}

/* The guest's monitor is asked again: an answer of a minute ago says nothing about now. */
static int ask_monitor_again(struct obs *o, struct uw_err *err) {
  int64_t h = o->evidence.nova_last.record_host;
  bool asked = o->options.policy->monitor_check != 0 && o->monitor != RCV_MONITOR_UNKNOWN;
  return asked && !o->hung[h] ? check_monitor(o, err) : 0;
}

int obs_relook(struct obs *o, struct uw_err *err) {
  o->evidence.sealed = RCV_TRI_NO;
  if (can_look(o) && ask_monitor_again(o, err) != 0) {
    return -1;
  }
  if (can_look(o) && (look_at_record_host(o, err) != 0 || one_round(o, err) != 0)) {
    return -1;
  }
  if (read_nova(o, NOVA_ALL & ~(unsigned)NOVA_HYPERVISORS, err) != 0) {
    return -1;
  }
  if (fold_reading(o, false) != 0) {
    o->evidence.nova_agreed = RCV_TRI_NO;
  }
  rcv_evidence_seal(&o->evidence);
  return 0;
}

int obs_resume(struct obs *o, const struct rcv_evidence *evidence, const struct rcv_names *names,
               struct uw_err *err) {
  if (read_nova(o, NOVA_ALL, err) != 0) {
    return -1;
  }
  if (begin(o, err) != 0) {
    return -1;
  }
  struct rcv_nova ignored;
  enum rcv_svc services[RCV_MAX_CANDIDATES];
  bool same =
      evidence->candidates == o->evidence.candidates && evidence->nova_last.record_host >= 0;
  for (int64_t i = 0; same && i < evidence->candidates; i++) {
    same = strcmp(names->host[i].host, o->names.host[i].host) == 0 &&
           evidence->candidate[i].hypervisor_listed == o->evidence.candidate[i].hypervisor_listed;
  }
  if (!same || obs_convert(o->reading, o->options.also, evidence, names, &ignored, services) != 0) {
    return uw_err_set(err, UW_EXIT_STALE, "Nova's hosts of this instance changed since the plan");
  }
  o->evidence = *evidence;
  o->evidence.sealed = RCV_TRI_NO;
  o->names = *names;
  o->monitor = evidence->candidate[evidence->nova_last.record_host].last.monitor;
  rcv_fold_init(&o->fold);
  (void)fold_reading(o, true);
  return 0;
}
