#include "agent/openstack/nova.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/http/url.h"
#include "agent/openstack/nova_parse.h"
#include "agent/openstack/session.h"

#define MAX_PAGES 64         /* of one list */
#define MAX_EVENT_ACTIONS 64 /* actions whose events are read */
#define PAGE_LIMIT 500       /* hypervisors and servers; Nova's own cap may be lower */

struct nova_reading *nova_reading_new(void) {
  struct nova_reading *r = calloc(1, sizeof *r);
  if (r != NULL) {
    r->now_s = -1;
  }
  return r;
}

static void clear(struct nova_reading *r) {
  free(r->service);
  free(r->hypervisor);
  memset(r, 0, sizeof *r);
  r->now_s = -1;
  r->server.updated_s = -1;
  r->server.progress = -1;
  r->progress = (struct nova_progress){-1, -1, -1, -1};
}

void nova_reading_free(struct nova_reading *r) {
  if (r != NULL) {
    clear(r);
    free(r);
  }
}

/* --- One reading under way ------------------------------------------------------------------- */

enum slot {
  SLOT_SERVER = 0,
  SLOT_MIGRATIONS,
  SLOT_PROGRESS,
  SLOT_ACTIONS,
  SLOT_SERVICES,
  SLOT_HYPERVISORS,
  SLOT_COUNT
};

struct read {
  struct nova *nova;
  const char *uuid;
  unsigned what;
  struct nova_reading *out;
  struct uw_err *err; /* first failure */
  bool failed;
};

/* Keeps the first failure; returns -1. */
static int fail(struct read *r, const struct uw_err *why) {
  if (!r->failed) {
    r->failed = true;
    *r->err = *why;
  }
  return -1;
}

/* The same for an error about the body of a reply. */
static int fail_body(struct read *r, const struct nova_call *call, struct uw_err *why) {
  (void)nova_blame(call, why);
  return fail(r, why);
}

/* --- Lists in pages -------------------------------------------------------------------------- */

struct pager {
  const char *links; /* "migrations_links" */
  int (*take)(struct read *r, const json_t *root, bool *done, struct uw_err *err);
};

/*
 * The first page is there; follows the markers. The pages of one list come one after the
 * other, since each names the next.
 */
static int follow(struct read *r, const struct pager *p, struct nova_call *first) {
  char base[NOVA_PATH_BYTES];
  char marker[NP_MARKER_BYTES];
  char last[NP_MARKER_BYTES] = "";
  struct uw_err err;
  bool done = false;
  int more;
  uw_err_clear(&err);
  memcpy(base, first->path, sizeof base);
  if (first->json == NULL) {
    return fail(r, &first->err);
  }
  for (int page = 0; page < MAX_PAGES; page++) {
    nova_note(r->out, first);
    if (p->take(r, first->json, &done, &err) != 0) {
      return fail_body(r, first, &err);
    }
    more = done ? 0 : np_next(first->json, p->links, marker, &err);
    if (more <= 0) {
      return more == 0 ? 0 : fail_body(r, first, &err);
    }
    if (strcmp(marker, last) == 0) {
      (void)uw_err_set(&err, UW_EXIT_UNKNOWN, "the list leads back to the same page");
      return fail_body(r, first, &err);
    }
    memcpy(last, marker, sizeof last);
    nova_calls_free(first, 1);
    memset(first, 0, sizeof *first);
    nova_set_path(first, "%s%cmarker=", base, strchr(base, '?') != NULL ? '&' : '?');
    if (http_url_escape(marker, first->path, sizeof first->path) != 0) {
      (void)uw_err_set(&err, UW_EXIT_UNKNOWN, "GET %.300s: the next page's marker does not fit",
                       base);
      return fail(r, &err);
    }
    nova_get(r->nova, first, 1);
    if (first->json == NULL) {
      return fail(r, &first->err);
    }
  }
  (void)uw_err_set(&err, UW_EXIT_UNKNOWN, "GET %.300s: more than %d pages", base, MAX_PAGES);
  return fail(r, &err);
}

static int take_migrations(struct read *r, const json_t *root, bool *done, struct uw_err *err) {
  int result = np_migrations(root, r->uuid, r->out, err);
  *done = r->out->too_many_migrations;
  return result;
}

static int take_actions(struct read *r, const json_t *root, bool *done, struct uw_err *err) {
  return np_actions(root, r->uuid, r->out, done, err);
}

static int take_hypervisors(struct read *r, const json_t *root, bool *done, struct uw_err *err) {
  *done = false;
  return np_hypervisors(root, r->out, err);
}

static const struct pager migrations_pager = {"migrations_links", take_migrations};
static const struct pager actions_pager = {"links", take_actions};
static const struct pager hypervisors_pager = {"hypervisors_links", take_hypervisors};

/* --- First level: everything that depends on nothing ----------------------------------------- */

static bool asked(const struct read *r, enum nova_what what) {
  return (r->what & (unsigned)what) != 0;
}

/* Fills calls[]; slot_of[] tells which is which; returns how many. */
static size_t first_level(struct read *r, struct nova_call *calls, int index[SLOT_COUNT]) {
  size_t n = 0;
  for (int i = 0; i < SLOT_COUNT; i++) {
    index[i] = -1;
  }
  if (asked(r, NOVA_SERVER)) {
    index[SLOT_SERVER] = (int)n;
    nova_set_path(&calls[n++], "/servers/%s", r->uuid);
  }
  if (asked(r, NOVA_MIGRATIONS) || asked(r, NOVA_QUEUE)) {
    index[SLOT_MIGRATIONS] = (int)n;
    nova_set_path(&calls[n++], "/os-migrations?instance_uuid=%s&limit=%d", r->uuid,
                  RCV_MAX_RECORDS + 1);
  }
  if (asked(r, NOVA_MIGRATIONS)) {
    index[SLOT_PROGRESS] = (int)n;
    nova_set_path(&calls[n++], "/servers/%s/migrations", r->uuid);
  }
  if (asked(r, NOVA_ACTIONS)) {
    index[SLOT_ACTIONS] = (int)n;
    nova_set_path(&calls[n++], "/servers/%s/os-instance-actions?limit=%d", r->uuid,
                  NOVA_MAX_ACTIONS + 1);
  }
  if (asked(r, NOVA_SERVICES)) {
    index[SLOT_SERVICES] = (int)n;
    nova_set_path(&calls[n++], "/os-services");
  }
  if (asked(r, NOVA_HYPERVISORS)) {
    index[SLOT_HYPERVISORS] = (int)n;
    nova_set_path(&calls[n++], "/os-hypervisors/detail?limit=%d", PAGE_LIMIT);
  }
  return n;
}

static void got(struct read *r, enum nova_what what) { r->out->read |= (unsigned)what; }

static int take_server(struct read *r, struct nova_call *call) {
  if (call->json == NULL) {
    if (call->err.http == 404) {
      nova_explain_404(r->nova, r->uuid, call, &call->err);
    }
    return fail(r, &call->err);
  }
  nova_note(r->out, call);
  return np_server(call->json, r->uuid, &r->out->server, &call->err) != 0
             ? fail_body(r, call, &call->err)
             : 0;
}

/* 404 is an empty list here: the list hides post-copy and every ended migration anyway. */
static int take_progress(struct read *r, struct nova_call *call) {
  if (call->json == NULL) {
    return call->err.http == 404 ? 0 : fail(r, &call->err);
  }
  nova_note(r->out, call);
  return np_progress(call->json, r->out, &call->err) != 0 ? fail_body(r, call, &call->err) : 0;
}

static int take_services(struct read *r, struct nova_call *call) {
  if (call->json == NULL) {
    return fail(r, &call->err);
  }
  nova_note(r->out, call);
  return np_services(call->json, r->out, &call->err) != 0 ? fail_body(r, call, &call->err) : 0;
}

/* Results in the order of importance, so that the first failure is the telling one. */
static void take_first_level(struct read *r, struct nova_call *calls, const int index[SLOT_COUNT],
                             bool *migrations) {
  *migrations = false;
  if (index[SLOT_SERVER] >= 0 && take_server(r, &calls[index[SLOT_SERVER]]) == 0) {
    got(r, NOVA_SERVER);
  }
  if (index[SLOT_MIGRATIONS] >= 0) {
    *migrations = follow(r, &migrations_pager, &calls[index[SLOT_MIGRATIONS]]) == 0;
  }
  if (index[SLOT_PROGRESS] >= 0 && *migrations &&
      take_progress(r, &calls[index[SLOT_PROGRESS]]) == 0) {
    got(r, NOVA_MIGRATIONS);
  }
  if (index[SLOT_SERVICES] >= 0 && take_services(r, &calls[index[SLOT_SERVICES]]) == 0) {
    got(r, NOVA_SERVICES);
  }
  if (index[SLOT_HYPERVISORS] >= 0 &&
      follow(r, &hypervisors_pager, &calls[index[SLOT_HYPERVISORS]]) == 0) {
    got(r, NOVA_HYPERVISORS);
  }
}

/* --- Second level: events and queue ---------------------------------------------------------- */

/* Migrations that hold or wait for a slot of their source (nova.md section 4.1). */
static const char *const queue_statuses[] = {"queued", "preparing", "running",
                                             "running (post-copy)", "post-migrating"};
#define QUEUE_CALLS (sizeof queue_statuses / sizeof queue_statuses[0])

static bool seen_request(const struct nova_reading *out, size_t before) {
  for (size_t i = 0; i < before; i++) {
    if (strcmp(out->action[i].request_id, out->action[before].request_id) == 0) {
      return true;
    }
  }
  return false;
}

static size_t event_calls(struct read *r, struct nova_call *calls) {
  struct nova_reading *out = r->out;
  size_t live = np_newest_live(out);
  size_t n = 0;
  for (size_t i = 0; live < out->actions && i <= live; i++) {
    if (seen_request(out, i)) {
      continue;
    }
    if (n == MAX_EVENT_ACTIONS) {
      out->too_many_event_hosts = true;
      break;
    }
    nova_set_path(&calls[n], "/servers/%s/os-instance-actions/", r->uuid);
    (void)http_url_escape(out->action[i].request_id, calls[n].path, sizeof calls[n].path);
    n++;
  }
  return n;
}

/*
 * Only a queued migration waits for others, so only then Nova is asked about them; else the
 * answer is no.
 */
static size_t queue_calls(struct read *r, struct nova_call *calls) {
  size_t live = np_newest_live(r->out);
  if (live >= r->out->migrations) {
    return 0;
  }
  const struct nova_migration *newest = &r->out->migration[live];
  if (strcmp(newest->status, "queued") != 0 || newest->source[0] == '\0') {
    return 0;
  }
  for (size_t i = 0; i < QUEUE_CALLS; i++) {
    nova_set_path(&calls[i],
                  "/os-migrations?migration_type=live-migration&limit=2&source_compute=");
    if (http_url_escape(newest->source, calls[i].path, sizeof calls[i].path) != 0 ||
        strlen(calls[i].path) + sizeof "&status=" >= sizeof calls[i].path) {
      calls[i].fixed_fail = true;
      continue;
    }
    memcpy(calls[i].path + strlen(calls[i].path), "&status=", sizeof "&status=");
    (void)http_url_escape(queue_statuses[i], calls[i].path, sizeof calls[i].path);
  }
  return QUEUE_CALLS;
}

static void take_events(struct read *r, struct nova_call *calls, size_t n) {
  bool good = true;
  for (size_t i = 0; i < n; i++) {
    if (calls[i].json == NULL) {
      (void)fail(r, &calls[i].err);
      good = false;
    } else {
      nova_note(r->out, &calls[i]);
      if (np_events(calls[i].json, r->uuid, r->out, &calls[i].err) != 0) {
        (void)fail_body(r, &calls[i], &calls[i].err);
        good = false;
      }
    }
  }
  if (good) {
    got(r, NOVA_ACTIONS);
  }
}

static void take_queue(struct read *r, struct nova_call *calls, size_t n) {
  bool other = false;
  bool good = true;
  for (size_t i = 0; i < n; i++) {
    if (calls[i].json == NULL) {
      (void)fail(r, &calls[i].err);
      good = false;
    } else if (np_queue(calls[i].json, r->uuid, &other, &calls[i].err) != 0) {
      (void)fail_body(r, &calls[i], &calls[i].err);
      good = false;
    }
  }
  bool hidden = r->out->migrations > 0 && r->out->migration[0].source[0] == '\0';
  if (good || other) {
    r->out->queued_behind = other ? RCV_TRI_YES : hidden ? RCV_TRI_UNKNOWN : RCV_TRI_NO;
  }
  if (good) {
    got(r, NOVA_QUEUE);
  }
}

static void second_level(struct read *r, bool migrations, bool actions) {
  struct nova_call *calls = calloc(NOVA_MAX_CALLS, sizeof *calls);
  if (calls == NULL) {
    struct uw_err err;
    (void)uw_err_set(&err, UW_EXIT_UNKNOWN, "no memory for requests");
    (void)fail(r, &err);
    return;
  }
  size_t events = actions ? event_calls(r, calls) : 0;
  bool want_queue = asked(r, NOVA_QUEUE) && migrations;
  size_t queue = want_queue ? queue_calls(r, calls + events) : 0;
  nova_get(r->nova, calls, events + queue);
  if (actions) {
    take_events(r, calls, events);
  }
  if (want_queue) {
    take_queue(r, calls + events, queue);
  }
  nova_calls_free(calls, events + queue);
  free(calls);
}

_Static_assert(MAX_EVENT_ACTIONS + QUEUE_CALLS <= NOVA_MAX_CALLS, "the second level fits");

int nova_read(struct nova *nova, const char *uuid, unsigned what, struct nova_reading *out,
              struct uw_err *err) {
  struct read r = {.nova = nova, .uuid = uuid, .what = what, .out = out, .err = err};
  int index[SLOT_COUNT];
  bool migrations = false;
  bool actions = false;
  clear(out);
  if (uw_uuid_parse(uuid, NULL) != 0) {
    return uw_err_set(err, UW_EXIT_USAGE, "not the UUID of an instance: %.64s", uuid);
  }
  struct nova_call *calls = calloc(SLOT_COUNT, sizeof *calls);
  if (calls == NULL) {
    return uw_err_set(err, UW_EXIT_UNKNOWN, "no memory for requests");
  }
  out->start_ms = uw_mono_ms();
  size_t n = first_level(&r, calls, index);
  nova_get(nova, calls, n);
  take_first_level(&r, calls, index, &migrations);
  if (index[SLOT_ACTIONS] >= 0) {
    actions = follow(&r, &actions_pager, &calls[index[SLOT_ACTIONS]]) == 0;
  }
  nova_calls_free(calls, n);
  free(calls);
  second_level(&r, migrations, actions);
  out->end_ms = uw_mono_ms();
  return r.failed ? -1 : 0;
}
