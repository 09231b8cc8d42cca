#include "agent/journal/show.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/json.h"
#include "agent/journal/inner.h"

#define MAX_SHOWN 100000 /* records in memory at once */

/* Records that match, grouped by run: {"<run>": [record, ...]}; jansson keeps the order. */
struct pick {
  const struct journal_filter *filter;
  json_t *runs;
  int64_t kept;
  bool full;
};

static int keep(const json_t *record, void *ctx) {
  struct pick *p = ctx;
  const char *run = uw_json_str(record, "run", "");
  json_t *list = json_object_get(p->runs, run);
  if (p->filter->run != NULL && strcasecmp(p->filter->run, run) != 0) {
    return 0;
  }
  if (list == NULL) {
    list = json_array();
    if (json_object_set_new(p->runs, run, list) != 0) {
      p->full = true;
      return 1;
    }
  }
  p->kept++;
  if (p->kept > MAX_SHOWN || json_array_append(list, (json_t *)(uintptr_t)record) != 0) {
    p->full = true;
    return 1;
  }
  return 0;
}

static bool names(const json_t *record, const char *instance) {
  return strcasecmp(uw_json_str(record, "instance", ""), instance) == 0;
}

static bool run_matches(const json_t *list, const struct journal_filter *filter) {
  if (filter->instance == NULL) {
    return true;
  }
  for (size_t i = 0; i < json_array_size(list); i++) {
    if (names(json_array_get(list, i), filter->instance)) {
      return true;
    }
  }
  return false;
}

/* A run may be about several instances: only the records of the others are left out. */
static bool record_matches(const json_t *record, const struct journal_filter *filter) {
  return filter->instance == NULL || json_object_get(record, "instance") == NULL ||
         names(record, filter->instance);
}

/* words */

static void put_clean(struct uw_buf *out, const char *text) {
  for (; *text != '\0'; text++) {
    unsigned char c = (unsigned char)*text;
    uw_buf_add(out, c < 0x20 || c == 0x7f ? "?" : text, 1);
  }
}

/* "before" + member + "after", nothing when the member is absent or empty. */
static void put_member(struct uw_buf *out, const char *before, const json_t *record,
                       const char *key, const char *after) {
  const char *text = uw_json_str(record, key, "");
  if (*text != '\0') {
    uw_buf_puts(out, before);
    put_clean(out, text);
    uw_buf_puts(out, after);
  }
}

static void put_list(struct uw_buf *out, const json_t *record, const char *key,
                     const char *member) {
  const json_t *list = json_object_get(record, key);
  for (size_t i = 0; i < json_array_size(list); i++) {
    const json_t *one = json_array_get(list, i);
    const char *text = json_is_object(one) ? uw_json_str(one, member, "") : json_string_value(one);
    uw_buf_puts(out, "\n                 - ");
    if (json_is_object(one)) {
      put_member(out, "", one, "code", " ");
    }
    put_clean(out, text != NULL ? text : "");
  }
}

static void say_started(struct uw_buf *out, const json_t *r) {
  put_member(out, "", r, "verb", "");
  put_member(out, " by ", r, "user", "");
  put_member(out, " on ", r, "host", "");
  put_member(out, ", policy ", r, "policy", "");
  put_member(out, ", reason: ", r, "reason", "");
}

static void say_evidence(struct uw_buf *out, const json_t *r) {
  uw_buf_puts(out, "looked at the hosts and at Nova");
  if (json_is_true(json_object_get(r, "complete"))) {
    uw_buf_puts(out, ", observation complete");
  }
  put_member(out, ", evidence ", json_object_get(r, "files"), "evidence", "");
}

static void say_verdict(struct uw_buf *out, const json_t *r) {
  put_member(out, "", r, "verdict", "");
  put_member(out, " ", r, "code", "");
  put_member(out, " ", r, "code_name", "");
  put_member(out, ": ", r, "text", "");
}

static void say_plan(struct uw_buf *out, const json_t *r) {
  uw_buf_puts(out, "plan");
  put_member(out, " ", r, "plan_digest", "");
  put_member(out, ", expires ", r, "expires_at", "");
}

static void say_approval(struct uw_buf *out, const json_t *r) {
  put_member(out, "", r, "decision", "");
  put_member(out, " by ", r, "by", "");
  put_member(out, ", key ", r, "key", "");
  put_member(out, ", plan ", r, "plan_digest", "");
}

static void say_gates(struct uw_buf *out, const json_t *r) {
  uw_buf_puts(out, json_is_true(json_object_get(r, "clear")) ? "all clear" : "refused");
  put_list(out, r, "guards", "text");
}

static void say_attestation(struct uw_buf *out, const json_t *r) {
  put_member(out, "", r, "fact", "");
  put_member(out, ", stated by ", r, "who", "");
  put_member(out, ", because: ", r, "reason", "");
}

static void say_intent(struct uw_buf *out, const json_t *r) {
  uw_buf_puts(out, "is about to reset the instance");
  put_member(out, " as user ", r, "user_id", "");
  uw_buf_printf(out, "; actions listed before it: %zu",
                json_array_size(json_object_get(r, "requests")));
}

static void say_result(struct uw_buf *out, const json_t *r) {
  const char *result = uw_json_str(r, "result", "");
  if (strcmp(result, "applied") == 0) {
    uw_buf_puts(out, "applied");
  } else if (strcmp(result, "not_applied") == 0) {
    uw_buf_puts(out, "not applied");
  } else {
    uw_buf_puts(out, "NOT KNOWN: go and look, never send again");
  }
  if (json_is_integer(json_object_get(r, "http"))) {
    uw_buf_printf(out, ", HTTP %" PRId64, uw_json_int(r, "http", 0));
  }
  put_member(out, ", request ", r, "request_id", "");
  put_member(out, ", by ", r, "by", "");
  put_member(out, ": ", r, "text", "");
  put_member(out, ", because: ", r, "reason", "");
}

static void say_verification(struct uw_buf *out, const json_t *r) {
  uw_buf_puts(out, json_is_true(json_object_get(r, "good")) ? "good" : "NOT GOOD");
  put_member(out, ": ", r, "text", "");
}

static void say_residue(struct uw_buf *out, const json_t *r) {
  uw_buf_puts(out, "left behind:");
  put_list(out, r, "lines", "text");
}

static void say_refusal(struct uw_buf *out, const json_t *r) {
  put_member(out, "", r, "code", "");
  put_member(out, " ", r, "code_name", "");
  put_member(out, ": ", r, "text", "");
}

static void say_recovered(struct uw_buf *out, const json_t *r) {
  uw_buf_printf(out, "an unfinished record of %" PRId64 " bytes was set aside",
                uw_json_int(r, "torn_bytes", 0));
  put_member(out, " as ", r, "torn_digest", "");
}

static void say_text(struct uw_buf *out, const json_t *r) { put_member(out, "", r, "text", ""); }

static const struct {
  const char *type, *label;
  void (*say)(struct uw_buf *out, const json_t *record);
} stories[] = {
    {"init", "journal made", say_text},
    {"run_started", "started", say_started},
    {"evidence", "observed", say_evidence},
    {"verdict", "verdict", say_verdict},
    {"plan", "plan", say_plan},
    {"approval", "approval", say_approval},
    {"gates", "gates", say_gates},
    {"attestation", "statement", say_attestation},
    {"intent", "INTENT", say_intent},
    {"outcome", "OUTCOME", say_result},
    {"verification", "verified", say_verification},
    {"residue", "residue", say_residue},
    {"refusal", "refused", say_refusal},
    {"recovered", "recovered", say_recovered},
    {"resolved", "RESOLVED", say_result},
};

static void put_line(struct uw_buf *out, const json_t *record, int64_t began_ms,
                     const char *boot_id) {
  const char *type = uw_json_str(record, "type", "?");
  bool same_boot = strcmp(boot_id, uw_json_str(record, "boot_id", "")) == 0;
  int64_t ms = uw_json_int(record, "mono_ms", 0) - began_ms;
  if (same_boot && ms >= 0) {
    uw_buf_printf(out, "  %+5" PRId64 ".%01" PRId64 " s  ", ms / 1000, ms % 1000 / 100);
  } else {
    put_member(out, "  ", record, "time", "  ");
  }
  for (size_t i = 0; i < sizeof stories / sizeof *stories; i++) {
    if (strcmp(stories[i].type, type) == 0) {
      uw_buf_printf(out, "%-12s ", stories[i].label);
      stories[i].say(out, record);
    }
  }
  uw_buf_puts(out, "\n");
}

static const char *first_of(const json_t *list, const char *key) {
  const char *text = "";
  for (size_t i = 0; i < json_array_size(list) && *text == '\0'; i++) {
    text = uw_json_str(json_array_get(list, i), key, "");
  }
  return text;
}

static void put_run(struct uw_buf *out, const char *run, const json_t *list,
                    const struct journal_filter *filter) {
  const json_t *first = json_array_get(list, 0);
  const char *instance = filter->instance != NULL ? filter->instance : first_of(list, "instance");
  const char *name = first_of(list, "name");
  put_clean(out, uw_json_str(first, "time", "?"));
  if (strcmp(run, JOURNAL_NO_RUN) == 0) {
    uw_buf_puts(out, "  the journal itself");
  } else {
    uw_buf_puts(out, "  run ");
    put_clean(out, run);
  }
  if (*instance != '\0') {
    uw_buf_puts(out, "  instance ");
    put_clean(out, instance);
  }
  if (*name != '\0') {
    uw_buf_puts(out, " (");
    put_clean(out, name);
    uw_buf_puts(out, ")");
  }
  uw_buf_puts(out, "\n");
  for (size_t i = 0; i < json_array_size(list); i++) {
    const json_t *record = json_array_get(list, i);
    if (record_matches(record, filter)) {
      put_line(out, record, uw_json_int(first, "mono_ms", 0), uw_json_str(first, "boot_id", ""));
    }
  }
}

static int put_json(struct uw_buf *out, const struct pick *p, struct uw_err *err) {
  const char *run;
  json_t *list;
  const char *separator = "[\n";
  json_object_foreach(p->runs, run, list) {
    if (!run_matches(list, p->filter)) {
      continue;
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
      if (record_matches(json_array_get(list, i), p->filter)) {
        uw_buf_puts(out, separator);
        if (uw_json_canonical(json_array_get(list, i), out, err) != 0) {
          return -1;
        }
        separator = ",\n";
      }
    }
  }
  uw_buf_puts(out, *separator == '[' ? "[]\n" : "\n]\n");
  return 0;
}

static void put_text(struct uw_buf *out, const struct pick *p) {
  const char *run;
  json_t *list;
  bool any = false;
  json_object_foreach(p->runs, run, list) {
    if (run_matches(list, p->filter)) {
      uw_buf_puts(out, any ? "\n" : "");
      put_run(out, run, list, p->filter);
      any = true;
    }
  }
  if (!any) {
    uw_buf_puts(out, "The journal has no record of that.\n");
  }
}

int journal_show(const char *dir, const struct journal_filter *filter, bool json,
                 struct uw_buf *out, struct uw_err *err) {
  struct pick p = {.filter = filter, .runs = json_object()};
  int result = p.runs == NULL ? uw_err_set(err, UW_EXIT_JOURNAL, "no memory to read the journal")
                              : journal_each(dir, keep, &p, err);
  if (result == 0 && p.full) {
    result = uw_err_set(err, UW_EXIT_JOURNAL,
                        "more than %d records match; ask for one run or instance", MAX_SHOWN);
  }
  if (result == 0 && json) {
    result = put_json(out, &p, err);
  } else if (result == 0) {
    put_text(out, &p);
  }
  json_decref(p.runs);
  if (result == 0 && out->failed) {
    result = uw_err_set(err, UW_EXIT_JOURNAL, "what matches does not fit in memory");
  }
  return result;
}
