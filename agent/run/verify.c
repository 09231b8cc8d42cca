#include "agent/run/verify.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/base/json.h"
#include "agent/journal/resolve.h"
#include "agent/run/audit.h"

#define POLL_MS 1000

static void say(struct verify_result *out, const char *format, ...) UW_PRINTF(2, 3);
static void say(struct verify_result *out, const char *format, ...) {
  if (out->lines < RCV_MAX_LINES) {
    va_list ap;
    va_start(ap, format);
    (void)vsnprintf(out->line[out->lines], RCV_LINE_BYTES, format, ap);
    va_end(ap);
    out->lines++;
  }
}

/* --- Nova's side ---------------------------------------------------------------------------- */

static bool is_active(const struct nova_reading *r) {
  return strcmp(r->server.vm_state, "active") == 0 && r->server.task_state[0] == '\0';
}

static bool has_action(const struct nova_reading *r, const char *request_id) {
  for (size_t i = 0; request_id[0] != '\0' && i < r->actions; i++) {
    if (strcmp(r->action[i].action, RESOLVE_ACTION) == 0 &&
        strcmp(r->action[i].request_id, request_id) == 0) {
      return true;
    }
  }
  return false;
}

/* Polls until both effects are there. 0: *r is the last reading; -1: none could be had. */
static int await_effects(struct session *s, const char *uuid, const char *request_id,
                         struct nova_reading *r, struct uw_err *err) {
  int64_t deadline = uw_mono_ms() + s->policy->apply_deadline_s * 1000;
  int result = -1;
  for (;;) {
    uw_err_clear(err);
    result = nova_read(s->nova, uuid, NOVA_SERVER | NOVA_ACTIONS, r, err);
    bool both = result == 0 && is_active(r) &&
                (has_action(r, request_id) || nova_max_minor(s->nova) < MINOR_WITH_ACTION);
    if (both || uw_mono_ms() + POLL_MS > deadline) {
      return result;
    }
    (void)uw_sleep_ms(POLL_MS);
  }
}

static bool check_nova(struct session *s, const struct nova_reading *r, const char *request_id,
                       struct verify_result *out) {
  bool active = is_active(r);
  bool action = has_action(r, request_id);
  say(out, "server: vm_state %s, task_state %s%s", r->server.vm_state,
      r->server.task_state[0] != '\0' ? r->server.task_state : "none",
      active ? " (ACTIVE)" : ", which is not what a reset leaves");
  if (action) {
    say(out, "instance action resetState is there with request id %s", request_id);
  } else if (nova_max_minor(s->nova) < MINOR_WITH_ACTION) {
    say(out, "this Nova writes no resetState action; only our journal records the reset");
    action = true;
  } else {
    say(out, "no resetState action with request id '%s' is there", request_id);
  }
  return active && action;
}

/* --- the guest's side ----------------------------------------------------------------------- */

static bool same_place(const struct rcv_look *before, const struct rcv_look *now) {
  return rcv_classify(before) == rcv_classify(now) && before->domain_id == now->domain_id;
}

static bool check_hosts(struct look *l, struct verify_result *out, struct uw_err *err) {
  const struct rcv_evidence *before = &l->record->evidence;
  bool good = true;
  if (obs_relook(l->obs, err) != 0) {
    say(out, "the hosts could not be looked at again: %s", err->text);
    return false;
  }
  const struct rcv_evidence *now = obs_evidence(l->obs);
  for (int64_t i = 0; i < now->candidates; i++) {
    const char *host = l->record->names.host[i].host;
    const struct rcv_look *was = &before->candidate[i].last;
    const struct rcv_look *is = &now->candidate[i].last;
    if (!same_place(was, is)) {
      say(out, "on %s the guest's domain is %s now, it was %s", host,
          rcv_enum_name(&rcv_class_enum, (int)rcv_classify(is)),
          rcv_enum_name(&rcv_class_enum, (int)rcv_classify(was)));
      good = false;
    }
  }
  if (good) {
    say(out, "the guest is where it was: running on %s, domain id %lld",
        l->record->names.host[before->nova_last.record_host].host,
        (long long)before->candidate[before->nova_last.record_host].last.domain_id);
  }
  return good;
}

int verify_reset(struct session *s, struct look *l, const struct nova_reset_result *reset,
                 struct verify_result *out, struct uw_err *err) {
  memset(out, 0, sizeof *out);
  struct nova_reading *r = nova_reading_new();
  if (r == NULL) {
    return uw_err_set(err, UW_EXIT_USAGE, "out of memory for the verification");
  }
  int result = await_effects(s, l->record->names.instance, reset->request_id, r, err);
  if (result == 0) {
    bool nova = check_nova(s, r, reset->request_id, out);
    bool hosts = check_hosts(l, out, err);
    out->good = nova && hosts;
    say(out, out->good ? "verified: the instance is ACTIVE and its guest was not touched"
                       : "NOT verified: look at the instance now (unwedge diagnose)");
  }
  nova_reading_free(r);
  return result;
}

/* --- an intent of an earlier run ------------------------------------------------------------ */

static bool unchanged(const json_t *intent, const struct nova_server *server) {
  return strcmp(uw_json_str(intent, "vm_state", ""), server->vm_state) == 0 &&
         strcmp(uw_json_str(intent, "task_state", ""), server->task_state) == 0 &&
         uw_json_int(intent, "server_updated_s", -1) == server->updated_s;
}

#define SEND_TIMEOUT_S 30 /* of the request itself (nova_options.timeout_ms) */

struct newest {
  const char *run;
  int64_t time_s, mono_ms;
  char boot_id[UW_UUID_TEXT_BYTES];
};

static int note_newest(const json_t *record, void *ctx) {
  struct newest *n = ctx;
  if (strcmp(uw_json_str(record, "run", ""), n->run) == 0) {
    n->time_s = uw_json_int(record, "time_s", -1);
    n->mono_ms = uw_json_int(record, "mono_ms", -1);
    (void)snprintf(n->boot_id, sizeof n->boot_id, "%s", uw_json_str(record, "boot_id", ""));
  }
  return 0;
}

/* No request of that run can still be under way: long enough since its last sign of life, by the
 * clock that cannot be set where the machine was not started again. */
static bool nothing_can_arrive(const struct session *s, const char *run) {
  struct uw_err ignored;
  char boot[UW_UUID_TEXT_BYTES];
  struct newest n = {.run = run, .time_s = -1, .mono_ms = -1};
  int64_t needed_s =
      s->policy->apply_deadline_s + SEND_TIMEOUT_S + s->policy->apply_max_gap_ms / 1000 + 1;
  if (journal_each(s->journal_dir, note_newest, &n, &ignored) != 0 || n.time_s < 0) {
    return false;
  }
  uw_boot_id(boot);
  if (boot[0] != '\0' && strcmp(boot, n.boot_id) == 0) {
    return uw_mono_ms() - n.mono_ms > needed_s * 1000;
  }
  return uw_wall_s() - n.time_s > needed_s;
}

int verify_resolve(struct session *s, struct journal *j, const char *uuid, const json_t *intent,
                   char text[RCV_LINE_BYTES], struct uw_err *err) {
  char why[UW_ERR_TEXT_BYTES];
  struct journal_action action[NOVA_MAX_ACTIONS];
  struct nova_reading *r = nova_reading_new();
  if (r == NULL) {
    return uw_err_set(err, UW_EXIT_USAGE, "out of memory to resolve an open intent");
  }
  if (nova_read(s->nova, uuid, NOVA_SERVER | NOVA_ACTIONS, r, err) != 0) {
    nova_reading_free(r);
    return uw_err_wrap(err, "an earlier run may have acted on %s and its outcome is not known",
                       uuid);
  }
  for (size_t i = 0; i < r->actions; i++) {
    action[i] = (struct journal_action){.action = r->action[i].action,
                                        .request_id = r->action[i].request_id,
                                        .user = r->action[i].user};
  }
  struct journal_resolve in = {.intent = intent,
                               .action = action,
                               .actions = r->actions,
                               .actions_complete = r->actions < NOVA_MAX_ACTIONS,
                               .server_unchanged = unchanged(intent, &r->server),
                               .deadline_passed =
                                   nothing_can_arrive(s, uw_json_str(intent, "run", ""))};
  int64_t found = -1;
  enum journal_resolution what = journal_resolve(&in, &found, why);
  const char *run = uw_json_str(intent, "run", "");
  (void)snprintf(text, RCV_LINE_BYTES, "open intent of run %s: %.400s", run, why);
  int result = 0;
  if (what == RESOLUTION_CANNOT_TELL) {
    result = uw_err_set(
        err, UW_EXIT_REFUSED,
        "UW-507 OPEN_INTENT: run %s may have reset %s and it cannot be told (%.300s); "
        "find out, then: unwedge journal resolve %s --as applied|not-applied --reason TEXT",
        run, uuid, why, uuid);
  } else {
    json_t *body = json_pack("{s:s, s:s, s:s, s:s, s:s}", "instance", uuid, "result",
                             journal_resolution_name(what), "reason", why, "by", "actions",
                             "request_id", found >= 0 ? action[found].request_id : "");
    result = body == NULL ? uw_err_set(err, UW_EXIT_JOURNAL, "out of memory for a journal record")
                          : journal_append(j, run, "resolved", body, err);
    json_decref(body);
  }
  nova_reading_free(r);
  return result;
}
