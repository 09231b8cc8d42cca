#include "agent/run/act.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/base/json.h"
#include "agent/base/lock.h"
#include "agent/journal/journal.h"
#include "agent/journal/resolve.h"
#include "agent/run/audit.h"
#include "agent/run/gates.h"
#include "agent/run/residue.h"
#include "agent/run/verify.h"

#define TOKEN_NEEDED_S 120 /* the act and its verification fit in this with room to spare */

struct act {
  struct session *s;
  const struct uw_plan *plan;
  struct act_result *r;
  struct uw_lock lock;
  struct journal *journal;
  struct look *look;
  struct rcv_run run;
  struct rcv_permit permit;
  struct nova_reset_result reset;
  bool ready;                  /* the look before the act found nothing against it */
  bool reset_sent;             /* nova_reset() was called */
  bool on_terminal;            /* a person said yes to this plan at the terminal */
  struct rcv_evidence *before; /* evidence of the decision, for what changed until the POST */
  char plan_digest[UW_DIGEST_TEXT_BYTES];
};

void act_result_free(struct act_result *r) {
  json_decref(r->verdict);
  r->verdict = NULL;
}

static void say(struct act *a, const char *format, ...) UW_PRINTF(2, 3);
static void say(struct act *a, const char *format, ...) {
  if (a->r->lines >= RCV_MAX_LINES) {
    return;
  }
  va_list ap;
  va_start(ap, format);
  (void)vsnprintf(a->r->line[a->r->lines], RCV_LINE_BYTES, format, ap);
  va_end(ap);
  a->r->lines++;
}

/* --- records ------------------------------------------------------------------------------ */

static int record(struct act *a, const char *type, json_t *body, struct uw_err *err) {
  return audit_record(a->s, a->journal, type, body, err);
}

static const char *instance_of(const struct act *a) { return a->plan->record->names.instance; }

static const char *record_host_of(const struct act *a) {
  const struct uw_record *r = a->look->record;
  int64_t h = r->evidence.nova_last.record_host;
  return h >= 0 ? r->names.host[h].host : "";
}

static int record_refusal(struct act *a, const char *why, struct uw_err *err) {
  char code[UW_CODE_BYTES];
  enum rcv_code number = a->look != NULL ? a->look->judgement->verdict.code : RCV_CODE_UNSET;
  uw_code_text(number, code);
  say(a, "%s", why);
  return record(a, "refusal",
                json_pack("{s:s, s:s, s:s, s:s}", "instance", instance_of(a), "code", code,
                          "code_name", audit_code_name(number), "text", why),
                err);
}

static json_t *actions_before(const struct act *a) {
  const struct nova_reading *reading = obs_reading(a->look->obs);
  json_t *list = json_array();
  for (size_t i = 0; list != NULL && i < reading->actions; i++) {
    if (json_array_append_new(list, json_string(reading->action[i].request_id)) != 0) {
      json_decref(list);
      return NULL;
    }
  }
  return list;
}

static int record_intent(struct act *a, struct uw_err *err) {
  char evidence[UW_DIGEST_TEXT_BYTES];
  uw_digest_text(a->look->digest, evidence);
  const struct rcv_names *names = &a->look->record->names;
  const struct rcv_nova *nova = &a->look->record->evidence.nova_last;
  return record(a, "intent",
                json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:o}", "instance",
                          instance_of(a), "action", "reset_state_active", "user_id",
                          nova_user_id(a->s->nova), "who", a->s->who, "record_host",
                          record_host_of(a), "vm_state", names->vm_state, "task_state",
                          names->task_state, "evidence_digest", evidence, "plan_digest",
                          a->plan_digest, "server_updated_s", (json_int_t)nova->server_updated_s,
                          "requests", actions_before(a)),
                err);
}

static int record_outcome(struct act *a, struct uw_err *err) {
  const char *result = "not_applied"; /* nothing was sent */
  if (a->reset_sent) {
    result = a->reset.outcome == NOVA_DONE || a->r->verified ? "applied"
             : a->reset.outcome == NOVA_NOT_APPLIED          ? "not_applied"
                                                             : "unknown";
  }
  return record(
      a, "outcome",
      json_pack("{s:s, s:s, s:s, s:b, s:s, s:I, s:s}", "instance", instance_of(a), "record_host",
                record_host_of(a), "result", result, "sent", (int)a->r->sent, "request_id",
                a->r->request_id, "http", (json_int_t)a->reset.http, "text",
                a->reset_sent ? a->reset.text : "given up before the act; nothing was sent"),
      err);
}

/* --- before the intent -------------------------------------------------------------------- */

/* An act whose outcome is not known comes before anything else on that instance. */
static int settle_open_intent(struct act *a, struct uw_err *err) {
  json_t *intent = NULL;
  if (journal_open_intent(a->s->journal_dir, instance_of(a), &intent, err) != 0) {
    err->status = UW_EXIT_JOURNAL;
    return -1;
  }
  if (intent == NULL) {
    return 0;
  }
  char text[RCV_LINE_BYTES];
  int result = verify_resolve(a->s, a->journal, instance_of(a), intent, text, err);
  json_decref(intent);
  say(a, "%s", text);
  return result;
}

/* Facts about the looking itself: they change because another fact did. */
static bool is_echo(const struct rcv_change *c, const struct rcv_change *all, size_t n) {
  static const char *const agreed[] = {"agreed", "nova_agreed", "service_agreed"};
  for (size_t i = 0; i < sizeof agreed / sizeof agreed[0]; i++) {
    if (strcmp(c->field, agreed[i]) == 0) {
      return true;
    }
  }
  /* A domain that came or went takes all that was known of it along. */
  bool cause = strcmp(c->field, "presence") == 0 || strcmp(c->field, "reach") == 0;
  for (size_t i = 0; !cause && strcmp(c->group, "look") == 0 && i < n; i++) {
    if (all[i].candidate == c->candidate && strcmp(all[i].group, "look") == 0 &&
        (strcmp(all[i].field, "presence") == 0 || strcmp(all[i].field, "reach") == 0)) {
      return true;
    }
  }
  return false;
}

static int report_change(struct act *a, const struct rcv_change *c, struct uw_err *err) {
  char line[RCV_LINE_BYTES];
  rcv_explain_change(c, &a->look->record->names, line);
  return record_refusal(a, line, err);
}

static bool same_list(const struct rcv_evidence *x, const struct rcv_names *of_x,
                      const struct rcv_evidence *y, const struct rcv_names *of_y) {
  bool same = x->candidates == y->candidates;
  for (int64_t i = 0; same && i < x->candidates; i++) {
    same = strcmp(of_x->host[i].host, of_y->host[i].host) == 0;
  }
  return same;
}

static void list_hosts(const struct rcv_evidence *e, const struct rcv_names *names,
                       struct uw_buf *out) {
  for (int64_t i = 0; i < e->candidates; i++) {
    uw_buf_printf(out, "%s%s", i == 0 ? "" : ", ", names->host[i].host);
  }
}

/* Other candidates, or the same ones with another record host or migration first: facts that go
 * by place in the list cannot be compared then. 1: said, 0: the lists are the same. */
static int report_other_hosts(struct act *a, const struct rcv_evidence *before,
                              const struct rcv_names *names, struct uw_err *err) {
  const struct uw_record *now = a->look->record;
  if (same_list(before, names, &now->evidence, &now->names)) {
    return 0;
  }
  char line[RCV_LINE_BYTES];
  struct uw_buf text = {.max = RCV_LINE_BYTES - 1};
  int64_t was = before->nova_last.record_host;
  int64_t is = now->evidence.nova_last.record_host;
  (void)snprintf(line, sizeof line, "nova.record_host: %s -> %s",
                 was >= 0 ? names->host[was].host : "none",
                 is >= 0 ? now->names.host[is].host : "none");
  int result = 0;
  if (was < 0 || is < 0 || strcmp(names->host[was].host, now->names.host[is].host) != 0) {
    result = record_refusal(a, line, err);
  }
  uw_buf_puts(&text, "candidate hosts: ");
  list_hosts(before, names, &text);
  uw_buf_puts(&text, " -> ");
  list_hosts(&now->evidence, &now->names, &text);
  if (result == 0) {
    result =
        record_refusal(a, text.failed ? "the candidate hosts are others" : uw_buf_text(&text), err);
  }
  uw_buf_free(&text);
  return result != 0 ? -1 : 1;
}

/* What a person sees as the reason: a change that was seen, or that nothing could be seen. */
static enum uw_exit status_of_change(const struct rcv_verdict *v) {
  bool blind = v->kind == RCV_VERDICT_UNKNOWN && v->code != RCV_CODE_UNSTABLE_OBSERVATION;
  return blind ? UW_EXIT_UNKNOWN : UW_EXIT_STALE;
}

static int report_changes(struct act *a, const struct rcv_evidence *before,
                          const struct rcv_names *names, struct uw_err *err) {
  struct rcv_change change[RCV_MAX_LINES];
  const struct rcv_evidence *now = &a->look->record->evidence;
  int said = report_other_hosts(a, before, names, err);
  if (said == 0) {
    size_t n = rcv_changes(before, now, change, RCV_MAX_LINES);
    size_t shown = n < RCV_MAX_LINES ? n : RCV_MAX_LINES;
    size_t told = 0;
    for (size_t pass = 0; pass < 2 && told == 0; pass++) { /* echoes only when there is no more */
      for (size_t i = 0; i < shown; i++) {
        if (pass == 0 && is_echo(&change[i], change, shown)) {
          continue;
        }
        if (report_change(a, &change[i], err) != 0) {
          return -1;
        }
        told++;
      }
    }
    said = n > 0;
  }
  if (said > 0) {
    a->r->status = status_of_change(&a->look->judgement->verdict);
  }
  return said;
}

/* 1: refused (status set); 0: RESET with a minted permit. */
static int decide(struct act *a, struct uw_err *err) {
  const struct rcv_verdict *judged = &a->look->judgement->verdict;
  int changed = report_changes(a, &a->plan->record->evidence, &a->plan->record->names, err);
  if (changed != 0) {
    return changed;
  }
  if (judged->kind != RCV_VERDICT_RESET) {
    a->r->status = (enum uw_exit)rcv_exit_status(judged);
    return record_refusal(a, a->look->judgement->explanation.summary, err) != 0 ? -1 : 1;
  }
  struct rcv_binding binding;
  struct rcv_verdict verdict;
  memcpy(binding.evidence_digest, a->look->digest, sizeof binding.evidence_digest);
  memcpy(binding.policy_digest, a->s->policy_digest, sizeof binding.policy_digest);
  if (uw_uuid_parse(instance_of(a), binding.instance) != 0) {
    return uw_err_set(err, UW_EXIT_USAGE, "the plan's instance is not a UUID");
  }
  rcv_decide(&a->look->record->evidence, &a->s->decision, &binding, &verdict, &a->permit);
  if (verdict.kind != RCV_VERDICT_RESET || a->permit.minted != 1) {
    a->r->status = UW_EXIT_REFUSED;
    return record_refusal(a, "the policy in force never acts", err) != 0 ? -1 : 1;
  }
  return 0;
}

static int record_gates(struct act *a, struct uw_err *err) {
  return record(a, "gates",
                json_pack("{s:s, s:b}", "instance", instance_of(a), "clear", a->look->guards == 0),
                err);
}

static int approve(struct act *a, struct uw_err *err) {
  if (a->s->policy->approval_required == 0) {
    return !a->on_terminal
               ? 0
               : record(a, "approval",
                        json_pack("{s:s, s:s, s:s, s:s}", "instance", instance_of(a), "decision",
                                  "terminal", "by", a->s->who, "plan_digest", a->plan_digest),
                        err);
  }
  a->r->status = UW_EXIT_APPROVAL;
  return record_refusal(a,
                        "this policy asks for an approval, and none was given that this version "
                        "can check; use a policy without approval.required",
                        err) != 0
             ? -1
             : 1;
}

/* --- from the intent to the outcome ------------------------------------------------------- */

static bool interrupted(const struct act *a) {
  return a->s->options.stop != NULL && *a->s->options.stop;
}

/* 1: give up (reason said); 0: everything is as it was. */
static int relook(struct act *a, struct uw_err *err) {
  int result = look_relook(a->s, a->look, err);
  if (result != 0 && interrupted(a)) {
    a->r->status = UW_EXIT_USAGE;
    say(a, "interrupted before the act; nothing was sent");
    return 1;
  }
  if (result != 0) {
    say(a, "the look before the act failed: %s", err->text);
    a->r->status = err->status == UW_EXIT_UNKNOWN ? UW_EXIT_UNKNOWN : UW_EXIT_STALE;
    return 1;
  }
  if (audit_verdict(a->s, a->journal, a->look, "before_act", err) != 0) {
    /* The intent stands: its outcome has to be tried even if this could not be written. */
    say(a, "the journal failed before the act: %s", err->text);
    a->r->status = UW_EXIT_JOURNAL;
    return 1;
  }
  int changed = report_changes(a, a->before, &a->look->record->names, err);
  if (changed != 0) {
    return changed;
  }
  if (a->look->judgement->verdict.kind != RCV_VERDICT_RESET) {
    a->r->status = (enum uw_exit)rcv_exit_status(&a->look->judgement->verdict);
    say(a, "%s", a->look->judgement->explanation.summary);
    return 1;
  }
  if (gates_kill_switch(a->s)) {
    a->r->status = UW_EXIT_REFUSED;
    say(a, "the kill switch was turned on before the act");
    return 1;
  }
  if (interrupted(a)) {
    a->r->status = UW_EXIT_USAGE;
    say(a, "interrupted before the act; nothing was sent");
    return 1;
  }
  a->ready = true;
  return 0;
}

static void send(struct act *a) {
  nova_reset(a->s->nova, &a->permit, &a->reset);
  const char *outcome = "unknown";
  a->reset_sent = true;
  a->r->sent = true;
  if (a->reset.outcome == NOVA_DONE) {
    outcome = "done";
  } else if (a->reset.outcome == NOVA_NOT_APPLIED) {
    outcome = "not_applied";
    a->r->sent = false;
  }
  (void)snprintf(a->r->outcome, sizeof a->r->outcome, "%s", outcome);
  (void)snprintf(a->r->request_id, sizeof a->r->request_id, "%s", a->reset.request_id);
  say(a, "os-resetState: %s (%s)", outcome, a->reset.text);
}

/* After a reply that does not say 202: only an action with the id of our own request shows that
 * it was our request that did it. */
static bool is_ours(const struct act *a) {
  return a->reset.outcome == NOVA_DONE ||
         (a->reset.request_id[0] != '\0' && nova_max_minor(a->s->nova) >= MINOR_WITH_ACTION);
}

static void verify(struct act *a) {
  struct verify_result v;
  struct uw_err error;
  struct uw_err *err = &error;
  uw_err_clear(err);
  int result = verify_reset(a->s, a->look, &a->reset, &v, err);
  for (size_t i = 0; result == 0 && i < v.lines; i++) {
    say(a, "%s", v.line[i]);
  }
  if (result != 0) {
    say(a, "the verification could not be made: %s", err->text);
    v.good = false;
  } else if (v.good && !is_ours(a)) {
    say(a, "yet it cannot be told whether it was this request that did it");
    v.good = false;
  }
  if (v.good) {
    (void)snprintf(a->r->outcome, sizeof a->r->outcome, "done");
  }
  a->r->verified = v.good;
  a->r->status = v.good ? UW_EXIT_OK : UW_EXIT_ACTED_UNKNOWN;
  if (record(a, "verification",
             json_pack("{s:s, s:b, s:s}", "instance", instance_of(a), "good", (int)v.good, "text",
                       v.lines > 0 ? v.line[v.lines - 1] : "could not look"),
             err) != 0) {
    say(a, "the verification could not be journalled: %s", err->text); /* the outcome still is */
  }
}

/*
 * After the outcome: what the reset did not fix goes into the journal and the result. Read from the
 * services when the reset is verified; else the verdict's own lines stand, since a person has to
 * look at everything first. The act is over: whatever fails here is said, and changes no status.
 */
static void report_residue(struct act *a) {
  struct uw_err err;
  uw_err_clear(&err);
  json_t *lines = NULL;
  if (a->r->verified) {
    /* Others may write while slow services are waited for. */
    audit_close(a->s, a->journal);
    a->journal = NULL;
    lines = residue_report(a->s, a->look);
    a->journal = audit_open(a->s, &err);
  } else {
    lines = residue_unread(a->s, a->look);
  }
  if (lines == NULL || json_object_set(a->r->verdict, "residue", lines) != 0) {
    (void)uw_err_set(&err, UW_EXIT_JOURNAL, "out of memory for the residue report");
  }
  if (lines == NULL || a->journal == NULL ||
      record(a, "residue", json_pack("{s:s, s:O}", "instance", instance_of(a), "lines", lines),
             &err) != 0) {
    say(a, "the residue could not be journalled: %s", err.text);
  }
  json_decref(lines);
}

/* When what the decision stands on was seen: the older of the last round's end and the beginning
 * of the last reading of Nova (contract S4: from the last look to the POST). */
static int64_t looked_ms(const struct rcv_evidence *e) {
  return e->last_round_ms < e->nova_last.start_ms ? e->last_round_ms : e->nova_last.start_ms;
}

/* From the intent to the outcome no signal may end the process: a lost terminal (SIGHUP) or a
 * second Ctrl-C is noted and answered after the outcome is durable. */
static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
#define SIGNALS (sizeof signals / sizeof signals[0])

struct held_signals {
  struct sigaction was[SIGNALS];
};

static void hold_signals(struct held_signals *held) {
  for (size_t i = 0; i < SIGNALS; i++) {
    struct sigaction now;
    (void)sigaction(signals[i], NULL, &held->was[i]);
    now = held->was[i];
    now.sa_flags &= ~(int)SA_RESETHAND;
    if (now.sa_handler == SIG_DFL) {
      now.sa_handler = SIG_IGN;
    }
    (void)sigaction(signals[i], &now, NULL);
  }
}

static void release_signals(const struct held_signals *held) {
  for (size_t i = 0; i < SIGNALS; i++) {
    (void)sigaction(signals[i], &held->was[i], NULL);
  }
}

/* Walks the state machine; every effect is one thing to do. -1: the journal failed. */
static int walk(struct act *a, struct uw_err *err) {
  enum rcv_event event = RCV_EVENT_DECIDED_RESET;
  for (int step = 0; step < RCV_MAX_STEPS; step++) {
    int stop = 0;
    switch (rcv_run_step(&a->run, event, &a->permit, uw_mono_ms())) {
    case RCV_EFFECT_COUNT: /* not an effect */
    case RCV_EFFECT_HALT: return 0;
    case RCV_EFFECT_ASK_GATES:
      /* The guards are part of the verdict that decide() required to be RESET. */
      stop = record_gates(a, err);
      event = a->look->guards == 0 ? RCV_EVENT_GATES_CLEAR : RCV_EVENT_FAILED;
      break;
    case RCV_EFFECT_ASK_APPROVAL:
      stop = approve(a, err);
      event = stop == 0 ? RCV_EVENT_APPROVAL_CONSUMED : RCV_EVENT_FAILED;
      break;
    case RCV_EFFECT_WRITE_INTENT:
      if (interrupted(a)) {
        a->r->status = UW_EXIT_USAGE;
        return uw_err_set(err, UW_EXIT_USAGE, "interrupted; nothing was changed");
      }
      if (nova_renew(a->s->nova, TOKEN_NEEDED_S, err) != 0) {
        return -1;
      }
      if (record_intent(a, err) != 0) {
        return -1;
      }
      event = RCV_EVENT_INTENT_DURABLE;
      break;
    case RCV_EFFECT_RELOOK:
      stop = relook(a, err);
      rcv_run_looked(&a->run, looked_ms(&a->look->record->evidence));
      event = stop == 0 ? RCV_EVENT_RELOOK_SAME : RCV_EVENT_FAILED;
      break;
    case RCV_EFFECT_SEND_RESET:
      send(a);
      event = a->reset.outcome == NOVA_DONE          ? RCV_EVENT_POST_DONE
              : a->reset.outcome == NOVA_NOT_APPLIED ? RCV_EVENT_POST_NOT_APPLIED
                                                     : RCV_EVENT_POST_UNKNOWN;
      a->r->status = a->reset.outcome == NOVA_NOT_APPLIED ? UW_EXIT_REFUSED : UW_EXIT_ACTED_UNKNOWN;
      break;
    case RCV_EFFECT_VERIFY:
      verify(a);
      event = a->r->verified ? RCV_EVENT_VERIFY_GOOD : RCV_EVENT_VERIFY_BAD;
      break;
    case RCV_EFFECT_WRITE_OUTCOME:
      if (a->ready && !a->reset_sent) {
        a->r->status = UW_EXIT_STALE;
        say(a, "more than %lld ms passed since the last look; nothing was sent",
            (long long)a->run.max_gap_ms);
      }
      if (record_outcome(a, err) != 0) {
        return -1;
      }
      a->r->outcome_durable = true;
      event = RCV_EVENT_OUTCOME_DURABLE;
      break;
    }
    if (stop < 0) {
      return -1;
    }
  }
  return uw_err_set(err, UW_EXIT_USAGE, "internal: the run did not end");
}

static void record_failed_look(struct act *a, const struct uw_err *why) {
  struct uw_err ignored;
  uw_err_clear(&ignored);
  a->journal = audit_open(a->s, &ignored);
  if (a->journal != NULL) {
    (void)record_refusal(a, why->text, &ignored); /* the error itself is reported by the caller */
  }
}

static int observe_and_act(struct act *a, struct uw_err *err) {
  int begun = settle_open_intent(a, err) != 0 ||
              audit_started(a->s, a->journal, "apply", instance_of(a), a->plan_digest, err) != 0;
  /* Others may write while this run looks for a minute or two. */
  audit_close(a->s, a->journal);
  a->journal = NULL;
  if (begun != 0) {
    return -1;
  }
  a->look = look_again(a->s, a->plan, err);
  if (a->look == NULL) {
    record_failed_look(a, err);
    return -1;
  }
  a->journal = audit_open(a->s, err);
  if (a->journal == NULL || look_save(a->s, a->look, err) != 0 ||
      audit_verdict(a->s, a->journal, a->look, "decision", err) != 0) {
    return -1;
  }
  *a->before = a->look->record->evidence;
  int refused = decide(a, err);
  if (refused == 0) {
    rcv_run_start(&a->run, a->s->policy->apply_max_gap_ms);
    struct held_signals held;
    hold_signals(&held);
    refused = walk(a, err);
    release_signals(&held);
  }
  a->r->verdict = look_verdict(a->look, err);
  if (a->r->sent && a->r->outcome_durable && a->r->verdict != NULL) {
    report_residue(a);
  }
  return refused < 0 || a->r->verdict == NULL ? -1 : 0;
}

int act_apply(struct session *s, const struct uw_plan *plan, bool on_terminal, struct act_result *r,
              struct uw_err *err) {
  struct act a = {.s = s, .plan = plan, .r = r, .lock = {.fd = -1}, .on_terminal = on_terminal};
  memset(r, 0, sizeof *r);
  uw_digest_text(plan->plan_digest, a.plan_digest);
  a.before = calloc(1, sizeof *a.before);
  int result = -1;
  if (a.before == NULL) {
    (void)uw_err_set(err, UW_EXIT_USAGE, "out of memory");
  } else if (uw_lock_instance(s->state_dir, instance_of(&a), "apply", &a.lock, err) == 0 &&
             (a.journal = audit_open(s, err)) != NULL) {
    result = observe_and_act(&a, err);
  }
  look_free(a.look);
  audit_close(s, a.journal);
  uw_lock_drop(&a.lock);
  free(a.before);
  return result;
}

/* --- journal resolve ------------------------------------------------------------------------ */

static int record_claim(struct session *s, struct journal *j, const char *uuid,
                        const json_t *intent, enum act_claim claim, char text[RCV_LINE_BYTES],
                        struct uw_err *err) {
  const char *run = uw_json_str(intent, "run", "");
  const char *result = claim == ACT_CLAIM_APPLIED ? "applied" : "not_applied";
  json_t *body = json_pack("{s:s, s:s, s:s, s:s}", "instance", uuid, "result", result, "reason",
                           s->options.reason, "by", s->who);
  int failed = body == NULL ? uw_err_set(err, UW_EXIT_JOURNAL, "out of memory for a journal record")
                            : journal_append(j, run, "resolved", body, err);
  json_decref(body);
  (void)snprintf(text, RCV_LINE_BYTES, "open intent of run %s: %s, as stated by %s", run, result,
                 s->who);
  return failed;
}

int act_resolve(struct session *s, const char *uuid, enum act_claim claim,
                char text[RCV_LINE_BYTES], struct uw_err *err) {
  struct uw_lock lock = {.fd = -1};
  struct journal *j = NULL;
  json_t *intent = NULL;
  int result = -1;
  text[0] = '\0';
  if (claim != ACT_CLAIM_NONE && (s->options.reason == NULL || s->options.reason[0] == '\0')) {
    return uw_err_set(err, UW_EXIT_USAGE, "--as needs --reason TEXT: say how it was found out");
  }
  if (uw_lock_instance(s->state_dir, uuid, "resolve", &lock, err) == 0 &&
      (j = audit_open(s, err)) != NULL &&
      journal_open_intent(s->journal_dir, uuid, &intent, err) == 0) {
    if (intent == NULL) {
      (void)snprintf(text, RCV_LINE_BYTES, "no intent of %s is open", uuid);
      result = 0;
    } else if (claim != ACT_CLAIM_NONE) {
      result = record_claim(s, j, uuid, intent, claim, text, err);
    } else {
      result = verify_resolve(s, j, uuid, intent, text, err);
    }
  }
  json_decref(intent);
  if (j != NULL) {
    audit_close(s, j);
  }
  uw_lock_drop(&lock);
  return result;
}
