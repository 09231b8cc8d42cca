/*
 * From the lines a probe printed to one look.
 *
 * Strict: a line that is not exactly one of those below makes the whole reply BAD_REPLY. What a
 * line says is only collected here; what it means is decided at the end (judge), since a reply
 * that breaks off may mean nothing at all.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "agent/base/json.h"
#include "agent/libvirt/inner.h"

#define REPLY_SCHEMA "unwedge.probe-reply/1"
#define STEP_BYTES 32

/* libvirt's numbers (virErrorNumber, virErrorDomain, virDomainState ...): this process does not
 * link libvirt, so they are written out. Source: libvirt.md section 2. */
enum {
  E_NO_CONNECT = 5,
  E_INVALID_CONN = 6,
  E_DENIED = 29,
  E_RPC = 39,
  E_GNUTLS = 40,
  E_NO_DOMAIN = 42,
  E_AUTH_FAILED = 45,
  E_OPERATION_INVALID = 55,
  E_OPERATION_TIMEOUT = 68,
  E_AUTH_CANCELLED = 79,
  E_OPERATION_UNSUPPORTED = 84,
  E_SSH = 85,
  E_ACCESS_DENIED = 88,
  E_AUTH_UNAVAILABLE = 94,
  E_LIBSSH = 98,
  FROM_RPC = 7
};
enum { JOB_TYPE_NONE = 0, JOB_TYPE_BOUNDED = 1, JOB_TYPE_UNBOUNDED = 2 };
enum { OPERATION_UNKNOWN = 0, OPERATION_IN = 4, OPERATION_OUT = 5 };
enum { CONTROL_OK = 0, CONTROL_JOB = 1, CONTROL_OCCUPIED = 2, CONTROL_ERROR = 3 };

/* Lines that may come once (per pass over the domain, for those of the domain). */
enum line {
  L_SCHEMA,
  L_OPEN,
  L_IDENTITY,
  L_HOST,
  L_DOMAIN, /* this and what follows is void after "again" */
  L_STATE,
  L_CONTROL,
  L_PERSISTENT,
  L_VCPUS,
  L_JOB,
  L_COMPLETED,
  L_RECHECK,
  L_MANAGED_SAVE,
  L_XML,
  L_MONITOR,
  L_DONE
};

struct fold {
  const struct probe_target *target;
  const struct probe_question *question; /* NULL: not a look */
  struct probe_result *r;
  unsigned seen; /* bit per enum line */
  bool ended, unstable, hung, busy_but_moving;
  char step[STEP_BYTES]; /* of the last begin, or hung */
  char type[RCV_ID_BYTES];
  char log[RCV_TEXT_BYTES]; /* last line of the library's log */
  char why[RCV_TEXT_BYTES]; /* text of the error that counts most */
  enum rcv_reach failed;    /* what it means for reach; NONE: no error */
  struct rcv_look facts;
};

typedef bool (*take_fn)(struct fold *f, const json_t *value);

static bool has(const struct fold *f, enum line line) { return (f->seen & (1U << line)) != 0; }

/* One line of printable text; a name from elsewhere must not steer a terminal. */
static void copy_text(char *out, size_t n, const char *text) {
  size_t used = 0;
  for (; *text != '\0' && used + 1 < n; text++) {
    unsigned char c = (unsigned char)*text;
    out[used++] = c < 0x20 || c == 0x7f ? ' ' : (char)c;
  }
  /* A character that was cut in two would make the whole text invalid UTF-8. */
  if (*text != '\0') {
    while (used > 0 && ((unsigned char)out[used - 1] & 0xC0) == 0x80) {
      used--;
    }
    if (used > 0 && ((unsigned char)out[used - 1] & 0xC0) == 0xC0) {
      used--;
    }
  }
  out[used] = '\0';
}

static bool take_text(const json_t *object, const char *key, char *out, size_t n) {
  const char *text = json_string_value(json_object_get(object, key));
  if (text == NULL) {
    return false;
  }
  copy_text(out, n, text);
  return true;
}

static bool take_int(const json_t *object, const char *key, int64_t low, int64_t *out) {
  const json_t *value = json_object_get(object, key);
  if (!json_is_integer(value) || json_integer_value(value) < low ||
      json_integer_value(value) > RCV_INT_MAX) {
    return false;
  }
  *out = (int64_t)json_integer_value(value);
  return true;
}

static bool take_tri(const json_t *value, enum rcv_tri *out) {
  if (!json_is_boolean(value)) {
    return false;
  }
  *out = json_is_true(value) ? RCV_TRI_YES : RCV_TRI_NO;
  return true;
}

static bool size_is(const json_t *object, size_t n) {
  return json_is_object(object) && json_object_size(object) == n;
}

static bool is_about(const struct fold *f, const json_t *instance) {
  const char *text = json_string_value(instance);
  return text != NULL && f->question != NULL && strcasecmp(text, f->question->instance) == 0;
}

static bool take_schema(struct fold *f, const json_t *value) {
  (void)f;
  const char *text = json_string_value(value);
  return text != NULL && strcmp(text, REPLY_SCHEMA) == 0;
}

static bool take_open(struct fold *f, const json_t *value) {
  int64_t ignored = 0;
  (void)f;
  return size_is(value, 1) && take_int(value, "ms", 0, &ignored);
}

static bool take_identity(struct fold *f, const json_t *value) {
  return size_is(value, 2) &&
         take_text(value, "hostname", f->r->libvirt_hostname, sizeof f->r->libvirt_hostname) &&
         take_text(value, "type", f->type, sizeof f->type);
}

static bool take_host(struct fold *f, const json_t *value) {
  return size_is(value, 1) && take_text(value, "uuid", f->r->host_uuid, sizeof f->r->host_uuid) &&
         f->r->host_uuid[0] != '\0';
}

static enum rcv_tri same_name(const struct fold *f, const char *name) {
  if (f->question->instance_name[0] == '\0') {
    return RCV_TRI_UNKNOWN;
  }
  return strcmp(name, f->question->instance_name) == 0 ? RCV_TRI_YES : RCV_TRI_NO;
}

static bool take_domain(struct fold *f, const json_t *value) {
  enum rcv_tri present = RCV_TRI_UNKNOWN;
  if (!is_about(f, json_object_get(value, "instance")) ||
      !take_tri(json_object_get(value, "present"), &present)) {
    return false;
  }
  if (present == RCV_TRI_NO) {
    f->facts.presence = RCV_PRESENCE_ABSENT;
    return size_is(value, 2);
  }
  if (!size_is(value, 4) || !take_int(value, "id", -1, &f->facts.domain_id) ||
      !take_text(value, "name", f->r->domain_name, sizeof f->r->domain_name)) {
    return false;
  }
  f->facts.presence = RCV_PRESENCE_PRESENT;
  f->facts.name_equal = same_name(f, json_string_value(json_object_get(value, "name")));
  return true;
}

static bool take_state_into(const json_t *value, struct rcv_look *look) {
  return size_is(value, 3) && take_int(value, "state", 0, &look->state) &&
         take_int(value, "reason", 0, &look->reason) &&
         take_tri(json_object_get(value, "active"), &look->active);
}

static bool take_state(struct fold *f, const json_t *value) {
  return take_state_into(value, &f->facts);
}

static bool take_recheck(struct fold *f, const json_t *value) {
  struct rcv_look look;
  (void)f;
  rcv_look_init(&look);
  return take_state_into(value, &look);
}

/*
 * Busy while the time of the call grows is one call that does not return. Busy with other calls
 * each time is a monitor that works; neither "ok" nor "stuck" was seen, so it stays unknown.
 */
static bool take_control(struct fold *f, const json_t *value) {
  int64_t state = 0;
  int64_t ignored = 0;
  enum rcv_tri grew = RCV_TRI_UNKNOWN;
  if (!size_is(value, 5) || !take_int(value, "state", 0, &state) ||
      !take_int(value, "details", 0, &ignored) || !take_int(value, "ms", 0, &f->facts.control_ms) ||
      !take_int(value, "reads", 1, &ignored) || !take_tri(json_object_get(value, "grew"), &grew)) {
    return false;
  }
  switch (state) {
  case CONTROL_OK: f->facts.control = RCV_CONTROL_OK; break;
  case CONTROL_JOB: f->facts.control = RCV_CONTROL_JOB; break;
  case CONTROL_OCCUPIED: f->facts.control = RCV_CONTROL_OCCUPIED; break;
  case CONTROL_ERROR: f->facts.control = RCV_CONTROL_ERROR; break;
  default: break;
  }
  if ((state == CONTROL_JOB || state == CONTROL_OCCUPIED) && grew == RCV_TRI_NO) {
    f->facts.control = RCV_CONTROL_UNKNOWN;
    f->busy_but_moving = true;
  }
  return true;
}

static bool take_persistent(struct fold *f, const json_t *value) {
  return take_tri(value, &f->facts.persistent);
}

static bool take_vcpus(struct fold *f, const json_t *value) {
  return size_is(value, 2) && take_int(value, "count", 0, &f->facts.vcpus) &&
         take_int(value, "time_ms", -1, &f->facts.vcpu_time_ms);
}

static bool take_job_error(struct fold *f, const json_t *value) {
  int64_t code = 0;
  char text[RCV_TEXT_BYTES];
  if (!size_is(value, 2) || !take_int(value, "code", 0, &code) ||
      !take_text(value, "text", text, sizeof text)) {
    return false;
  }
  switch (code) {
  case E_OPERATION_UNSUPPORTED: f->facts.job = RCV_JOB_IN; return true;
  case E_OPERATION_INVALID: f->facts.job = RCV_JOB_INACTIVE; return true;
  case E_OPERATION_TIMEOUT:
    f->facts.job = RCV_JOB_HUNG;
    copy_text(f->why, sizeof f->why, text);
    return true;
  default: return false;
  }
}

static enum rcv_job job_of(int64_t type, int64_t operation) {
  if (type == JOB_TYPE_NONE) {
    return RCV_JOB_NONE;
  }
  if (type != JOB_TYPE_BOUNDED && type != JOB_TYPE_UNBOUNDED) {
    return RCV_JOB_UNKNOWN; /* completed, failed, cancelled: in the middle of ending */
  }
  switch (operation) {
  case -1:
  case OPERATION_UNKNOWN:
  case OPERATION_OUT: return RCV_JOB_OUT;
  case OPERATION_IN: return RCV_JOB_IN;
  default: return RCV_JOB_OTHER;
  }
}

static bool take_job(struct fold *f, const json_t *value) {
  int64_t type = 0;
  int64_t operation = -1;
  if (json_object_get(value, "code") != NULL) {
    return take_job_error(f, value);
  }
  if (!size_is(value, 5) || !take_int(value, "type", 0, &type) ||
      !take_int(value, "operation", -1, &operation) ||
      !take_int(value, "data_processed", -1, &f->facts.data_processed) ||
      !take_int(value, "data_remaining", -1, &f->facts.data_remaining) ||
      !take_int(value, "iteration", -1, &f->facts.iteration)) {
    return false;
  }
  f->facts.job = job_of(type, operation);
  return true;
}

static bool take_completed(struct fold *f, const json_t *value) {
  return size_is(value, 1) && take_int(value, "operation", -1, &f->facts.completed_op);
}

static bool take_managed_save(struct fold *f, const json_t *value) {
  return take_tri(value, &f->facts.managed_save);
}

static enum rcv_owner owner_of(const struct fold *f, const char *project, bool differ) {
  if (project == NULL) {
    return RCV_OWNER_NO_METADATA;
  }
  if (f->question->project[0] == '\0') {
    return RCV_OWNER_UNKNOWN;
  }
  return !differ && strcmp(project, f->question->project) == 0 ? RCV_OWNER_EQUAL
                                                               : RCV_OWNER_DIFFERENT;
}

static bool take_xml(struct fold *f, const json_t *value) {
  int64_t nova = 0;
  int64_t mirrors = 0;
  enum rcv_tri differ = RCV_TRI_UNKNOWN;
  const char *name = json_string_value(json_object_get(value, "name"));
  const json_t *project = json_object_get(value, "project");
  if (!size_is(value, 5) || name == NULL || !take_int(value, "nova", 0, &nova) ||
      !take_int(value, "mirrors", 0, &mirrors) ||
      !take_tri(json_object_get(value, "differ"), &differ) ||
      !(json_is_null(project) || json_is_string(project))) {
    return false;
  }
  if (same_name(f, name) != f->facts.name_equal) {
    f->facts.name_equal = RCV_TRI_UNKNOWN;
  }
  f->facts.owner = owner_of(f, json_string_value(project), differ == RCV_TRI_YES);
  f->facts.mirror = mirrors > 0 ? RCV_TRI_YES : RCV_TRI_NO;
  return true;
}

static bool take_monitor(struct fold *f, const json_t *value) {
  enum rcv_tri answered = RCV_TRI_UNKNOWN;
  if (!size_is(value, 2) || !take_tri(json_object_get(value, "answered"), &answered)) {
    return false;
  }
  f->facts.monitor = answered == RCV_TRI_YES ? RCV_MONITOR_ANSWERED : RCV_MONITOR_MUTE;
  return true;
}

static bool take_done(struct fold *f, const json_t *value) { return is_about(f, value); }

/* What a line needs before it: an answer to nothing is nonsense. */
static const struct {
  const char *key;
  take_fn take;
  enum line line;
  enum line after;
} lines[] = {{"schema", take_schema, L_SCHEMA, L_SCHEMA},
             {"open", take_open, L_OPEN, L_SCHEMA},
             {"identity", take_identity, L_IDENTITY, L_OPEN},
             {"host", take_host, L_HOST, L_IDENTITY},
             {"domain", take_domain, L_DOMAIN, L_HOST},
             {"state", take_state, L_STATE, L_DOMAIN},
             {"control", take_control, L_CONTROL, L_STATE},
             {"persistent", take_persistent, L_PERSISTENT, L_STATE},
             {"vcpus", take_vcpus, L_VCPUS, L_STATE},
             {"job", take_job, L_JOB, L_STATE},
             {"completed", take_completed, L_COMPLETED, L_STATE},
             {"recheck", take_recheck, L_RECHECK, L_STATE},
             {"managed_save", take_managed_save, L_MANAGED_SAVE, L_STATE},
             {"xml", take_xml, L_XML, L_STATE},
             {"monitor", take_monitor, L_MONITOR, L_STATE},
             {"done", take_done, L_DONE, L_HOST}};

static bool text_has(const char *text, const char *const *words, size_t n) {
  for (size_t i = 0; i < n; i++) {
    if (strstr(text, words[i]) != NULL) {
      return true;
    }
  }
  return false;
}

/* Refusals that libvirt reports as errors of the connection (lab.md, TLS). */
static bool sounds_like_auth(const char *text) {
  static const char *const words[] = {"Unable to read TLS confirmation",
                                      "certificate",
                                      "x509",
                                      "TLS handshake failed",
                                      "Permission denied",
                                      "Host key verification failed",
                                      "private key",
                                      "no_tty",
                                      "Too many authentication failures"};
  return text_has(text, words, sizeof words / sizeof words[0]);
}

enum rcv_reach reply_reach(const char *step, int64_t code, int64_t domain, const char *text) {
  static const char *const connecting[] = {"open", "identity", "capabilities"};
  if (strcmp(step, "request") == 0 || strcmp(step, "start") == 0) {
    return RCV_REACH_BAD_REPLY;
  }
  switch (code) {
  case E_DENIED:
  case E_GNUTLS:
  case E_AUTH_FAILED:
  case E_AUTH_CANCELLED:
  case E_SSH:
  case E_ACCESS_DENIED:
  case E_AUTH_UNAVAILABLE:
  case E_LIBSSH: return RCV_REACH_AUTH_FAILED;
  case E_NO_CONNECT:
  case E_INVALID_CONN:
  case E_RPC: return RCV_REACH_UNREACHABLE;
  default: break;
  }
  for (size_t i = 0; i < sizeof connecting / sizeof connecting[0]; i++) {
    if (strcmp(step, connecting[i]) == 0) {
      if (sounds_like_auth(text)) {
        return RCV_REACH_AUTH_FAILED;
      }
      return code == 0 ? RCV_REACH_BAD_REPLY : RCV_REACH_UNREACHABLE;
    }
  }
  return domain == FROM_RPC ? RCV_REACH_UNREACHABLE : RCV_REACH_OK;
}

/* Keeps the first error that ends the look; one that does not, only as long as there is none. */
static bool take_error(struct fold *f, const json_t *value) {
  char step[STEP_BYTES];
  char text[RCV_TEXT_BYTES];
  int64_t code = 0;
  int64_t domain = 0;
  int64_t ignored = 0;
  const json_t *instance = json_object_get(value, "instance");
  if (!size_is(value, instance != NULL ? 6 : 5) || !take_text(value, "step", step, sizeof step) ||
      !take_text(value, "text", text, sizeof text) || !take_int(value, "code", 0, &code) ||
      !take_int(value, "domain", 0, &domain) || !take_int(value, "int1", INT32_MIN, &ignored)) {
    return false;
  }
  enum rcv_reach reach = reply_reach(step, code, domain, text);
  bool worse = f->failed == RCV_REACH_NONE || (f->failed == RCV_REACH_OK && reach != RCV_REACH_OK);
  if (worse) {
    f->failed = reach;
    /* The library's log tells why, its error often only that (lab.md, TLS). */
    if (reach == RCV_REACH_AUTH_FAILED && f->log[0] != '\0' && strstr(f->log, text) == NULL) {
      char both[2 * RCV_TEXT_BYTES + 4];
      (void)snprintf(both, sizeof both, "%s (%s)", text, f->log);
      copy_text(f->why, sizeof f->why, both);
    } else {
      copy_text(f->why, sizeof f->why, text);
    }
  }
  return true;
}

static void forget_domain(struct fold *f) {
  rcv_look_init(&f->facts);
  f->seen &= (1U << L_DOMAIN) - 1U;
  f->busy_but_moving = false;
  if (f->failed == RCV_REACH_OK) {
    f->failed = RCV_REACH_NONE;
    f->why[0] = '\0';
  }
}

static bool take_step(struct fold *f, const json_t *line, const char *key, bool hung) {
  const json_t *instance = json_object_get(line, "instance");
  if (!size_is(line, instance != NULL ? 2 : 1) || !take_text(line, key, f->step, sizeof f->step) ||
      f->hung) {
    return false;
  }
  f->hung = hung;
  return instance == NULL || f->question == NULL || is_about(f, instance);
}

/* The lines that are no facts. -1: not one of them. */
static int take_other(struct fold *f, const json_t *line, const char *key, const json_t *value) {
  if (strcmp(key, "begin") == 0 || strcmp(key, "hung") == 0) {
    return take_step(f, line, key, *key == 'h');
  }
  if (!size_is(line, 1)) {
    return 0;
  }
  if (strcmp(key, "error") == 0) {
    return take_error(f, value);
  }
  if (strcmp(key, "end") == 0) {
    f->ended = json_is_true(value);
    return f->ended;
  }
  if (strcmp(key, "log") == 0) {
    /* The first line of one failure is the cause, what follows are its consequences. */
    return json_is_string(value) &&
           (f->log[0] != '\0' || take_text(line, "log", f->log, sizeof f->log));
  }
  if (strcmp(key, "again") == 0) {
    forget_domain(f);
    return is_about(f, value);
  }
  if (strcmp(key, "unstable") == 0) {
    f->unstable = true;
    return is_about(f, value);
  }
  return -1;
}

/* The first key names the line: jansson keeps their order, and "instance" comes second. */
static bool take_line(struct fold *f, const json_t *line) {
  const char *key = json_object_iter_key(json_object_iter((json_t *)(uintptr_t)line));
  if (key == NULL || f->ended) {
    return false;
  }
  const json_t *value = json_object_get(line, key);
  int other = take_other(f, line, key, value);
  if (other >= 0) {
    return other > 0;
  }
  for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
    if (strcmp(lines[i].key, key) != 0) {
      continue;
    }
    if (lines[i].line > L_HOST && f->question == NULL) {
      return true; /* list, stats, caps: raw goes to who asked, who checks it */
    }
    if (has(f, lines[i].line) || (i > 0 && !has(f, lines[i].after)) || !lines[i].take(f, value)) {
      return false;
    }
    f->seen |= 1U << lines[i].line;
    return true;
  }
  return f->question == NULL;
}

static bool take_bytes(struct fold *f, const char *at, size_t n) {
  struct uw_err ignored;
  json_t *line =
      n <= PROBE_LINE_BYTES ? uw_json_parse(at, n, "probe", UW_EXIT_UNKNOWN, &ignored) : NULL;
  bool ok = json_is_object(line) && take_line(f, line);
  json_decref(line);
  return ok;
}

/* 0, or the number of the first line that is not acceptable. A last line without its newline is
 * what a killed probe leaves, and garbage from any other. */
static size_t take_lines(struct fold *f, const struct child *c) {
  const char *at = c->out.data;
  size_t left = c->out.len;
  for (size_t number = 1; left > 0; number++) {
    const char *newline = memchr(at, '\n', left);
    if (newline == NULL) {
      return c->end == CHILD_KILLED ? 0 : number;
    }
    size_t n = (size_t)(newline - at);
    if (!take_bytes(f, at, n)) {
      return number;
    }
    at += n + 1;
    left -= n + 1;
  }
  return 0;
}

static void set(struct probe_result *r, enum rcv_reach reach, const char *format, ...)
    UW_PRINTF(3, 4);

static void set(struct probe_result *r, enum rcv_reach reach, const char *format, ...) {
  char text[4 * RCV_TEXT_BYTES]; /* longer than detail: copy_text cuts between characters */
  va_list ap;
  va_start(ap, format);
  if (vsnprintf(text, sizeof text, format, ap) < 0) {
    text[0] = '\0';
  }
  va_end(ap);
  r->look.reach = reach;
  copy_text(r->detail, sizeof r->detail, text);
}

static bool identity_fits(struct fold *f) {
  const struct probe_target *t = f->target;
  const enum rcv_reach no = RCV_REACH_IDENTITY_MISMATCH;
  if (strcmp(f->type, "QEMU") != 0) {
    set(f->r, no, "the hypervisor there is '%s', not QEMU", f->type);
  } else if (strcasecmp(f->r->libvirt_hostname, t->expect_hostname) != 0) {
    set(f->r, no, "answered as '%s', expected '%s'", f->r->libvirt_hostname, t->expect_hostname);
  } else if (t->expect_uuid[0] != '\0' && strcasecmp(f->r->host_uuid, t->expect_uuid) != 0) {
    set(f->r, no, "answered with host UUID %s, expected %s", f->r->host_uuid, t->expect_uuid);
  } else {
    return true;
  }
  return false;
}

static bool step_is_one_of(const char *step, const char *const *steps, size_t n) {
  for (size_t i = 0; i < n; i++) {
    if (strcmp(step, steps[i]) == 0) {
      return true;
    }
  }
  return false;
}

/*
 * No answer. Calls that wait for the guest (its job lock, its monitor) or for the daemon's
 * ordinary workers say something about the guest, not about the way to the host, provided that
 * everything that cannot block on the guest was answered before.
 */
static void judge_hang(struct fold *f) {
  static const char *const waits[] = {"job_stats", "completed", "managed_save", "xml", "monitor"};
  if (!has(f, L_STATE) || !step_is_one_of(f->step, waits, sizeof waits / sizeof waits[0])) {
    const char *step = f->step[0] != '\0' ? f->step : "start";
    set(f->r, RCV_REACH_TIMEOUT, "no answer to '%s' before the deadline%s", step,
        strcmp(step, "capabilities") == 0 ? " (right after its start a daemon needs seconds)" : "");
    return;
  }
  if (!identity_fits(f)) {
    return;
  }
  if (strcmp(f->step, "job_stats") == 0) {
    f->facts.job = RCV_JOB_HUNG;
  }
  if (strcmp(f->step, "monitor") == 0) {
    f->facts.monitor = RCV_MONITOR_MUTE;
  }
  set(f->r, RCV_REACH_OK, "the call '%s' did not return before the deadline", f->step);
}

static void judge_end(struct fold *f, const struct child *c) {
  if (c->end == CHILD_EXITED && c->status != 0) {
    set(f->r, RCV_REACH_BAD_REPLY, "the probe failed after its answer");
  } else if (!has(f, L_HOST)) {
    set(f->r, RCV_REACH_BAD_REPLY, "the probe ended without saying who answered");
  } else if (identity_fits(f)) {
    set(f->r, RCV_REACH_OK, "%s", f->why);
  }
}

/* It stopped without its end: a probe that does not work. */
static void judge_broken(struct fold *f, const struct child *c) {
  const char *step = f->step[0] != '\0' ? f->step : "start";
  const char *how = c->end == CHILD_DIED ? "died of signal" : "exited with status";
  set(f->r, RCV_REACH_BAD_REPLY, "the probe %s %d in step '%s' %s", how, c->status, step,
      c->complaint);
}

static void judge(struct fold *f, const struct child *c, size_t bad_line) {
  if (c->end == CHILD_TOO_MUCH) {
    set(f->r, RCV_REACH_BAD_REPLY, "the probe printed more than 256 KiB");
  } else if (bad_line != 0) {
    set(f->r, RCV_REACH_BAD_REPLY, "line %zu of the probe's reply is not understood", bad_line);
  } else if (f->failed != RCV_REACH_NONE && f->failed != RCV_REACH_OK) {
    set(f->r, f->failed, "%s", f->why);
  } else if (f->ended) {
    judge_end(f, c);
  } else if (f->hung || c->end == CHILD_KILLED) {
    judge_hang(f);
  } else {
    judge_broken(f, c);
  }
}

static bool stuck(enum rcv_control control) {
  return control == RCV_CONTROL_JOB || control == RCV_CONTROL_OCCUPIED ||
         control == RCV_CONTROL_ERROR;
}

/* What the facts mean together, once it is certain that they count. */
static void settle_facts(struct fold *f) {
  if (f->unstable) {
    enum rcv_presence presence = f->facts.presence;
    rcv_look_init(&f->facts);
    f->facts.presence = presence;
    set(f->r, RCV_REACH_OK, "the domain changed each time while it was looked at");
  }
  /* Then the probe has not asked, so as not to queue up behind the call that hangs there. */
  if (f->facts.job == RCV_JOB_UNKNOWN && stuck(f->facts.control)) {
    f->facts.job = RCV_JOB_HUNG;
  }
  if (f->busy_but_moving && f->r->detail[0] == '\0') {
    set(f->r, RCV_REACH_OK, "the monitor was busy with one short call after another");
  }
  if (f->facts.job != RCV_JOB_OUT) {
    f->facts.data_processed = -1;
    f->facts.data_remaining = -1;
    f->facts.iteration = -1;
  }
}

void reply_fold(const struct child *c, const struct probe_target *target,
                const struct probe_question *question, struct probe_result *r) {
  struct fold f;
  memset(&f, 0, sizeof f);
  f.target = target;
  f.question = question;
  f.r = r;
  rcv_look_init(&f.facts);
  if (c->end == CHILD_NOT_STARTED) {
    set(r, RCV_REACH_BAD_REPLY, "%s", c->why);
  } else {
    judge(&f, c, take_lines(&f, c));
  }
  if (r->look.reach == RCV_REACH_OK && question != NULL) {
    settle_facts(&f);
    enum rcv_reach reach = r->look.reach;
    r->look = f.facts;
    r->look.reach = reach;
  } else {
    r->domain_name[0] = '\0';
  }
  r->look.start_ms = c->start_ms;
  r->look.end_ms = c->end_ms;
}
