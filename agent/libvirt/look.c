/* Looks and other questions: targets in, results out. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "agent/base/json.h"
#include "agent/libvirt/inner.h"

#define REQUEST_SCHEMA "unwedge.probe-request/1"
#define MIN_DEADLINE_MS 200
#define MAX_DEADLINE_MS 600000
#define MIN_MARGIN_MS 50 /* the probe's own deadline comes first, so that it can say what hung */
#define MAX_MARGIN_MS 500

void probe_result_free(struct probe_result *r) { uw_buf_free(&r->raw); }

static int64_t clamp(int64_t value, int64_t low, int64_t high) {
  return value < low ? low : value > high ? high : value;
}

static void init_results(struct probe_result *result, size_t n) {
  for (size_t i = 0; i < n; i++) {
    memset(&result[i], 0, sizeof result[i]);
    rcv_look_init(&result[i].look);
    result[i].look.start_ms = uw_mono_ms();
    result[i].look.end_ms = result[i].look.start_ms;
  }
}

static void note_unmapped(struct probe_result *r, const char *why) {
  r->look.reach = RCV_REACH_UNMAPPED;
  (void)snprintf(r->detail, sizeof r->detail, "%.*s", (int)sizeof r->detail - 1, why);
}

static char *dump(json_t *json) {
  char *text = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;
  json_decref(json);
  return text;
}

/* Fills child i, unless the target cannot be asked: that is a result of its own. */
static int prepare(struct child *c, const struct probe_target *t, struct probe_result *r,
                   int64_t deadline_ms, json_t *json, struct uw_err *err) {
  char uri[PROBE_URI_BYTES];
  struct uw_err why;
  memset(&why, 0, sizeof why);
  c->deadline_ms = clamp(deadline_ms, MIN_DEADLINE_MS, MAX_DEADLINE_MS);
  c->fd_out = -1;
  c->fd_err = -1;
  if (t->uri[0] == '\0' || t->expect_hostname[0] == '\0') {
    note_unmapped(r, "no libvirt URI or no expected hostname is known for this host");
  } else if (probe_uri_for_use(t->uri, uri, &why) != 0) {
    note_unmapped(r, why.text);
  } else {
    int64_t margin = clamp(c->deadline_ms / 10, MIN_MARGIN_MS, MAX_MARGIN_MS);
    int failed = json_object_set_new(json, "schema", json_string(REQUEST_SCHEMA)) != 0 ||
                 json_object_set_new(json, "uri", json_string(uri)) != 0 ||
                 json_object_set_new(json, "deadline_ms", json_integer(c->deadline_ms - margin));
    c->request = failed ? NULL : dump(json_incref(json));
    c->wanted = c->request != NULL;
    if (!c->wanted) {
      json_decref(json);
      return uw_err_set(err, UW_EXIT_USAGE,
                        "no memory for a question to libvirt, or it is not "
                        "UTF-8 text");
    }
  }
  json_decref(json);
  return 0;
}

static json_t *look_json(const struct probe_question *q) {
  json_t *json = json_pack("{s:s, s:[s]}", "op", "look", "instances", q->instance);
  if (json != NULL && (q->gentle || q->monitor)) {
    (void)json_object_set_new(json, q->monitor ? "monitor" : "gentle", json_true());
  }
  return json;
}

static json_t *ask_json(const struct probe_request *q) {
  json_t *json = json_pack("{s:s, s:[]}", "op", q->op, "instances");
  for (size_t i = 0; json != NULL && i < q->instances; i++) {
    (void)json_array_append_new(json_object_get(json, "instances"), json_string(q->instance[i]));
  }
  if (json != NULL && q->cpu_xml != NULL) {
    (void)json_object_set_new(json, "cpu_xml", json_string(q->cpu_xml));
  }
  return json;
}

/* question: one for each target, or NULL and the same request for all. */
static int ask_all(const char *program, const struct probe_target *target, size_t n,
                   const struct probe_question *question, const struct probe_request *request,
                   int parallel, const volatile bool *stop, struct probe_result *result,
                   struct uw_err *err) {
  init_results(result, n);
  if (access(program, X_OK) != 0) {
    return uw_err_set(err, UW_EXIT_USAGE,
                      "cannot run %s: it is missing or not executable; "
                      "reinstall, or build it with 'make'",
                      program);
  }
  struct child *child = calloc(n > 0 ? n : 1, sizeof *child);
  if (child == NULL) {
    return uw_err_set(err, UW_EXIT_USAGE, "out of memory for %zu probes", n);
  }
  int status = 0;
  for (size_t i = 0; status == 0 && i < n; i++) {
    status = question != NULL ? prepare(&child[i], &target[i], &result[i], question[i].deadline_ms,
                                        look_json(&question[i]), err)
                              : prepare(&child[i], &target[i], &result[i], request->deadline_ms,
                                        ask_json(request), err);
  }
  if (status == 0) {
    status = children_run(program, child, n, parallel, stop, err);
  }
  for (size_t i = 0; i < n; i++) {
    if (status == 0 && child[i].wanted) {
      reply_fold(&child[i], &target[i], question != NULL ? &question[i] : NULL, &result[i]);
    }
    result[i].raw = child[i].out;
    free(child[i].request);
  }
  free(child);
  return status;
}

int probe_look(const char *program, const struct probe_target *target, size_t n,
               const struct probe_question *question, int parallel, const volatile bool *stop,
               struct probe_result *result, struct uw_err *err) {
  return ask_all(program, target, n, question, NULL, parallel, stop, result, err);
}

int probe_ask(const char *program, const struct probe_target *target, size_t n,
              const struct probe_request *request, int parallel, const volatile bool *stop,
              struct probe_result *result, struct uw_err *err) {
  return ask_all(program, target, n, NULL, request, parallel, stop, result, err);
}

static bool usable(char *out, size_t n, const char *dir, const char *rest) {
  int used = snprintf(out, n, "%s/%s", dir, rest);
  return used > 0 && (size_t)used < n && access(out, X_OK) == 0;
}

int probe_program(char *out, size_t n, struct uw_err *err) {
  char self[PATH_MAX];
  ssize_t got = readlink("/proc/self/exe", self, sizeof self - 1);
  if (got > 0) {
    self[got] = '\0';
    char *slash = strrchr(self, '/');
    if (slash != NULL) {
      *slash = '\0';
    }
    if (usable(out, n, self, "../libexec/unwedge/unwedge-probe") ||
        usable(out, n, self, "unwedge-probe")) {
      return 0;
    }
  } else {
    (void)snprintf(self, sizeof self, "?");
  }
  if (n > 0) {
    out[0] = '\0';
  }
  return uw_err_set(err, UW_EXIT_USAGE,
                    "unwedge-probe is neither in %s/../libexec/unwedge nor in %s: reinstall, or "
                    "build it with 'make'",
                    self, self);
}
