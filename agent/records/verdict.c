#include "agent/records/verdict.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/records/codec.h"
#include "agent/records/words.h"

struct uw_judgement *uw_judgement_new(void) {
  return calloc(1, sizeof(struct uw_judgement));
}

void uw_judgement_free(struct uw_judgement *j) { free(j); }

void uw_judge(const struct uw_record *r, const struct uw_guard *guard, size_t n,
              struct uw_judgement *out) {
  struct rcv_permit none;
  memset(out, 0, sizeof *out);
  rcv_decide(&r->evidence, &r->policy, NULL, &out->verdict, &none);
  rcv_explain(&r->evidence, &r->names, &r->policy, &out->verdict, &out->explanation);
  uw_final_verdict(&out->verdict, &out->explanation, guard, n);
  rcv_plan_make(&r->evidence, &r->policy, &out->verdict, &out->plan);
}

/* guards */

static enum rcv_code guard_code(const struct uw_guard *g) {
  const struct rcv_code_info *info = rcv_code_find((int64_t)g->code);
  bool is_guard = info != NULL && info->verdict == RCV_VERDICT_REFUSE && (int)g->code >= 500 &&
                  (int)g->code <= 599;
  return is_guard ? g->code : RCV_CODE_NO_RULE;
}

static void add_reason(struct rcv_verdict *v, struct rcv_explanation *x, enum rcv_code code,
                       int64_t candidate, const char *text) {
  if (v->reasons < 0 || v->reasons >= RCV_MAX_REASONS) {
    return;
  }
  v->reason[v->reasons].code = code;
  v->reason[v->reasons].candidate = candidate;
  if (x != NULL) {
    (void)snprintf(x->reason[v->reasons], RCV_LINE_BYTES, "%s", text);
  }
  v->reasons++;
}

/* Adds a line once: guards of one kind give the same advice. */
static void add_line(struct rcv_lines *lines, const char *text) {
  for (int64_t i = 0; i < lines->count && i < RCV_MAX_LINES; i++) {
    if (strcmp(lines->line[i], text) == 0) {
      return;
    }
  }
  if (lines->count < 0 || lines->count >= RCV_MAX_LINES) {
    lines->truncated = 1;
    return;
  }
  (void)snprintf(lines->line[lines->count], RCV_LINE_BYTES, "%s", text);
  lines->count++;
}

/* What to do about the guards comes in place of "reset now"; what never to do is added. */
static void advise(struct rcv_explanation *x, const struct uw_guard *guard, size_t n) {
  memset(&x->next, 0, sizeof x->next);
  (void)snprintf(x->summary, sizeof x->summary, "%s", guard[0].text);
  for (size_t i = 0; i < n; i++) {
    const struct rcv_code_text *text = rcv_code_text(guard_code(&guard[i]));
    if (text != NULL && text->action != NULL && *text->action != '\0') {
      add_line(&x->next, text->action);
    }
    if (text != NULL && text->never != NULL && *text->never != '\0') {
      add_line(&x->never, text->never);
    }
  }
}

void uw_final_verdict(struct rcv_verdict *v, struct rcv_explanation *x,
                      const struct uw_guard *guard, size_t n) {
  char safe[RCV_LINE_BYTES] = "";
  bool was_reset = v->kind == RCV_VERDICT_RESET;
  if (n == 0) {
    return;
  }
  if (was_reset) {
    if (x != NULL) {
      memcpy(safe, x->reason[0], sizeof safe);
      advise(x, guard, n);
    }
    v->kind = RCV_VERDICT_REFUSE;
    v->code = guard_code(&guard[0]);
    v->reasons = 0;
  }
  for (size_t i = 0; i < n; i++) {
    add_reason(v, x, guard_code(&guard[i]), -1, guard[i].text);
  }
  if (was_reset) {
    add_reason(v, x, RCV_CODE_SAFE_TO_RESET, -1, safe);
  }
}

/* codes */

void uw_code_text(enum rcv_code code, char out[UW_CODE_BYTES]) {
  (void)snprintf(out, UW_CODE_BYTES, "UW-%03u", (unsigned)code % 1000U);
}

enum rcv_code uw_code_parse(const char *text) {
  const struct rcv_code_info *info = rcv_code_find_name(text);
  const char *digits = strncmp(text, "UW-", 3) == 0 ? text + 3 : text;
  if (info == NULL && strlen(digits) == 3 && strspn(digits, "0123456789") == 3) {
    info = rcv_code_find((digits[0] - '0') * 100 + (digits[1] - '0') * 10 + (digits[2] - '0'));
  }
  return info != NULL ? info->code : RCV_CODE_UNSET;
}

/* the document */

static json_t *host_or_null(const struct uw_record *r, int64_t index) {
  if (index < 0 || index >= r->evidence.candidates || index >= RCV_MAX_CANDIDATES) {
    return json_null();
  }
  return codec_string_or_null(r->names.host[index].host);
}

static json_t *text_or_null(const char *text) {
  return text != NULL ? json_string(text) : json_null();
}

static json_t *time_or_null(int64_t s) {
  char text[UW_TIME_BYTES];
  uw_time_text(s, text);
  return s < 0 || strcmp(text, "-") == 0 ? json_null() : json_string(text);
}

static json_t *code_json(enum rcv_code code) {
  char text[UW_CODE_BYTES];
  uw_code_text(code, text);
  return json_string(text);
}

static const char *code_name(enum rcv_code code) {
  const struct rcv_code_info *info = rcv_code_find((int64_t)code);
  return info != NULL ? info->name : "UNSET";
}

static json_t *reasons_json(const struct uw_record *r, const struct uw_judgement *j, bool *bad) {
  json_t *list = json_array();
  for (int64_t i = 0; i < j->verdict.reasons && i < RCV_MAX_REASONS; i++) {
    const struct rcv_reason *reason = &j->verdict.reason[i];
    json_t *o = json_object();
    codec_put(o, "code", code_json(reason->code), bad);
    codec_put(o, "name", json_string(code_name(reason->code)), bad);
    codec_put(o, "host", host_or_null(r, reason->candidate), bad);
    codec_put(o, "text", codec_string(j->explanation.reason[i]), bad);
    codec_add(list, o, bad);
  }
  return list;
}

static json_t *migration_json(const struct uw_record *r, bool *bad) {
  const struct rcv_nova *nova = &r->evidence.nova_last;
  if (nova->mig_present != RCV_TRI_YES) {
    return json_null();
  }
  json_t *o = json_object();
  codec_put(o, "id", nova->mig_id >= 0 ? json_integer(nova->mig_id) : json_null(), bad);
  codec_put(o, "status", codec_string_or_null(r->names.migration_status), bad);
  codec_put(o, "source", host_or_null(r, nova->mig_source), bad);
  codec_put(o, "dest", host_or_null(r, nova->mig_dest), bad);
  return o;
}

static json_t *services_json(const struct uw_record *r, enum uw_verdict_form form, bool *bad) {
  json_t *all = form == UW_VERDICT_DOCUMENT ? json_object() : json_array();
  for (int64_t i = 0; i < r->evidence.candidates && i < RCV_MAX_CANDIDATES; i++) {
    json_t *host = codec_string(r->names.host[i].host);
    json_t *state =
        json_string(rcv_enum_name(&rcv_svc_enum, (int)r->evidence.candidate[i].service_last));
    if (form == UW_VERDICT_DOCUMENT) {
      codec_put(all, host != NULL ? json_string_value(host) : "", state, bad);
      json_decref(host);
    } else {
      json_t *o = json_object();
      codec_put(o, "host", host, bad);
      codec_put(o, "state", state, bad);
      codec_add(all, o, bad);
    }
  }
  return all;
}

static json_t *nova_json(const struct uw_record *r, enum uw_verdict_form form, bool *bad) {
  json_t *o = json_object();
  codec_put(o, "vm_state", codec_string_or_null(r->names.vm_state), bad);
  codec_put(o, "task_state", codec_string_or_null(r->names.task_state), bad);
  codec_put(o, "updated", time_or_null(r->evidence.nova_last.server_updated_s), bad);
  codec_put(o, "migration", migration_json(r, bad), bad);
  codec_put(o, "services", services_json(r, form, bad), bad);
  return o;
}

static json_t *tri_json(enum rcv_tri value) {
  switch (value) {
  case RCV_TRI_YES: return json_true();
  case RCV_TRI_NO: return json_false();
  case RCV_TRI_UNKNOWN:
  case RCV_TRI_COUNT: break;
  }
  return json_null();
}

static json_t *host_json(const struct uw_record *r, const struct uw_judgement *j, int64_t i,
                         bool *bad) {
  const struct rcv_candidate *k = &r->evidence.candidate[i];
  const struct rcv_look *look = &k->last;
  bool there = look->reach == RCV_REACH_OK && look->presence == RCV_PRESENCE_PRESENT;
  bool has_job = there && look->job != RCV_JOB_UNKNOWN;
  json_t *o = json_object();
  codec_put(o, "host", codec_string(r->names.host[i].host), bad);
  codec_put(o, "class", json_string(rcv_enum_name(&rcv_class_enum, (int)j->verdict.class_of[i])),
            bad);
  codec_put(o, "state", text_or_null(there ? uw_libvirt_state(look->state) : NULL), bad);
  codec_put(o, "reason", text_or_null(there ? uw_libvirt_reason(look->state, look->reason) : NULL),
            bad);
  codec_put(o, "job", text_or_null(has_job ? rcv_enum_name(&rcv_job_enum, (int)look->job) : NULL),
            bad);
  codec_put(o, "reach", json_string(rcv_enum_name(&rcv_reach_enum, (int)look->reach)), bad);
  codec_put(o, "vcpu_advancing", there ? tri_json(k->vcpu_advancing) : json_null(), bad);
  codec_put(o, "detail", codec_string_or_null(j->explanation.host[i]), bad);
  codec_put(o, "error", codec_string_or_null(r->names.host[i].detail), bad);
  return o;
}

static json_t *hosts_json(const struct uw_record *r, const struct uw_judgement *j, bool *bad) {
  json_t *list = json_array();
  for (int64_t i = 0; i < r->evidence.candidates && i < RCV_MAX_CANDIDATES; i++) {
    codec_add(list, host_json(r, j, i, bad), bad);
  }
  return list;
}

static json_t *lines_json(const struct rcv_lines *lines, bool *bad) {
  json_t *list = json_array();
  for (int64_t i = 0; i < lines->count && i < RCV_MAX_LINES; i++) {
    codec_add(list, codec_string(lines->line[i]), bad);
  }
  return list;
}

static json_t *observed_json(const struct uw_record *r, const struct rcv_verdict *v, bool *bad) {
  json_t *o = json_object();
  codec_put(o, "rounds", json_integer(r->evidence.rounds), bad);
  codec_put(o, "window_ms", json_integer(rcv_window_ms(&r->evidence)), bad);
  codec_put(o, "complete", json_boolean(v->complete == 1), bad);
  return o;
}

/* Counted from that cloud's clock; from ours only when Nova could not be read. */
static json_t *look_again_json(const struct uw_record *r, const struct rcv_verdict *v) {
  int64_t now = r->evidence.nova_last.now_s >= 0 ? r->evidence.nova_last.now_s : r->made_s;
  bool fits = v->look_again_s >= 0 && v->look_again_s <= RCV_INT_MAX - now;
  return fits ? time_or_null(now + v->look_again_s) : json_null();
}

json_t *uw_verdict_json(const struct uw_record *r, const uint8_t evidence_digest[RCV_DIGEST_BYTES],
                        const struct uw_judgement *j, enum uw_verdict_form form,
                        struct uw_err *err) {
  const struct rcv_verdict *v = &j->verdict;
  const struct rcv_explanation *x = &j->explanation;
  bool bad = false;
  json_t *o = json_object();
  if (form == UW_VERDICT_DOCUMENT) {
    codec_put(o, "schema", json_string(UW_VERDICT_SCHEMA), &bad);
  }
  codec_put(o, "instance", codec_string(r->names.instance), &bad);
  codec_put(o, "name", codec_string(r->names.name), &bad);
  codec_put(o, "verdict", json_string(rcv_enum_name(&rcv_verdict_kind_enum, (int)v->kind)), &bad);
  codec_put(o, "code", code_json(v->code), &bad);
  codec_put(o, "code_name", json_string(code_name(v->code)), &bad);
  codec_put(o, "summary", codec_string(x->summary), &bad);
  codec_put(o, "guest", codec_string(x->guest), &bad);
  codec_put(o, "reasons", reasons_json(r, j, &bad), &bad);
  codec_put(o, "record_host", host_or_null(r, r->evidence.nova_last.record_host), &bad);
  codec_put(o, "owner", host_or_null(r, v->owner), &bad);
  codec_put(o, "nova", nova_json(r, form, &bad), &bad);
  codec_put(o, "hosts", hosts_json(r, j, &bad), &bad);
  codec_put(o, "next", lines_json(&x->next, &bad), &bad);
  codec_put(o, "never", lines_json(&x->never, &bad), &bad);
  codec_put(o, "residue", lines_json(&x->residue, &bad), &bad);
  codec_put(o, "look_again_at", look_again_json(r, v), &bad);
  codec_put(o, "evidence_digest", codec_digest(evidence_digest), &bad);
  codec_put(o, "policy_digest", codec_digest(r->policy_digest), &bad);
  codec_put(o, "observed", observed_json(r, v, &bad), &bad);
  if (bad) {
    json_decref(o);
    (void)uw_err_set(err, UW_EXIT_USAGE, "no memory for the verdict document");
    return NULL;
  }
  return o;
}

static int into_buf(const char *bytes, size_t n, void *out) {
  uw_buf_add(out, bytes, n);
  return 0;
}

int uw_json_pretty(const json_t *value, struct uw_buf *out, struct uw_err *err) {
  if (json_dump_callback(value, into_buf, out, JSON_INDENT(2)) != 0) {
    return uw_err_set(err, UW_EXIT_USAGE, "internal: a JSON document cannot be printed");
  }
  uw_buf_puts(out, "\n");
  return out->failed ? uw_err_set(err, UW_EXIT_USAGE, "no memory for a JSON document") : 0;
}
