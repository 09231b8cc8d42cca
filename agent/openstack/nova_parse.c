#include "agent/openstack/nova_parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "agent/base/json.h"
#include "agent/http/url.h"
#include "agent/openstack/member.h"

/* --- Server ---------------------------------------------------------------------------------- */

/* Up to 255 characters of any script, so up to 1020 bytes; nothing is decided upon it. */
static void set_display_name(char out[RCV_TEXT_BYTES], const char *name) {
  size_t n = strlen(name);
  bool cut = n >= RCV_TEXT_BYTES;
  if (cut) {
    n = RCV_TEXT_BYTES - 4;
    while (n > 0 && ((unsigned char)name[n] & 0xc0) == 0x80) {
      n--; /* not inside a character */
    }
  }
  (void)snprintf(out, RCV_TEXT_BYTES, "%.*s%s", (int)n, name, cut ? "..." : "");
  for (char *c = out; *c != '\0'; c++) {
    if ((unsigned char)*c < 0x20 || *c == 0x7f) {
      *c = '?';
    }
  }
}

static int server_hosts(const struct mb_thing *t, struct nova_server *out) {
  static const char host[] = "OS-EXT-SRV-ATTR:host";
  static const char node[] = "OS-EXT-SRV-ATTR:hypervisor_hostname";
  static const char name[] = "OS-EXT-SRV-ATTR:instance_name";
  out->host_visible = json_object_get(t->object, host) != NULL &&
                      json_object_get(t->object, node) != NULL &&
                      json_object_get(t->object, name) != NULL;
  return mb_text(t, host, MB_OPTIONAL, out->host, sizeof out->host) != 0 ||
                 mb_text(t, node, MB_OPTIONAL, out->hypervisor_hostname,
                         sizeof out->hypervisor_hostname) != 0 ||
                 mb_text(t, name, MB_OPTIONAL, out->instance_name, sizeof out->instance_name) != 0
             ? -1
             : 0;
}

int np_server_body(const json_t *server, struct nova_server *out, struct uw_err *err) {
  struct mb_thing t = {.object = server, .what = "server", .err = err};
  memset(out, 0, sizeof *out);
  out->updated_s = -1;
  out->progress = -1;
  if (!json_is_object(server)) {
    return uw_err_set(err, UW_EXIT_UNKNOWN, "server: an object is expected");
  }
  if (mb_text(&t, "id", MB_TEXT, out->id, sizeof out->id) != 0 ||
      mb_text(&t, "status", MB_TEXT, out->status, sizeof out->status) != 0 ||
      mb_text(&t, "tenant_id", MB_OPTIONAL, out->project, sizeof out->project) != 0) {
    return -1;
  }
  if (strcmp(out->status, "UNKNOWN") == 0 &&
      json_object_get(server, "OS-EXT-STS:vm_state") == NULL) {
    out->down_cell = true; /* 2.69: the skeleton of a server whose cell does not answer */
    return 0;
  }
  const char *name = uw_json_str(server, "name", NULL);
  if (name == NULL) {
    return mb_bad(&t, "name", "a text is expected");
  }
  set_display_name(out->name, name);
  return mb_text(&t, "OS-EXT-STS:vm_state", MB_TEXT, out->vm_state, sizeof out->vm_state) != 0 ||
                 mb_text(&t, "OS-EXT-STS:task_state", MB_NULLABLE, out->task_state,
                         sizeof out->task_state) != 0 ||
                 server_hosts(&t, out) != 0 || mb_time(&t, "updated", &out->updated_s) != 0 ||
                 mb_int(&t, "progress", &out->progress) != 0 ||
                 mb_tri(&t, "locked", &out->locked) != 0
             ? -1
             : 0;
}

int np_server(const json_t *root, const char *uuid, struct nova_server *out, struct uw_err *err) {
  const json_t *server = json_object_get(root, "server");
  if (np_server_body(server, out, err) != 0) {
    return -1;
  }
  if (strcasecmp(out->id, uuid) != 0) {
    return uw_err_set(err, UW_EXIT_UNKNOWN, "server: id: belongs to another instance");
  }
  return 0;
}

/* --- Migration records ----------------------------------------------------------------------- */

static int migration(const json_t *record, const char *uuid, struct nova_migration *out,
                     struct uw_err *err) {
  struct mb_thing t = {.object = record, .what = "migration record", .err = err};
  memset(out, 0, sizeof *out);
  if (!json_is_object(record)) {
    return uw_err_set(err, UW_EXIT_UNKNOWN, "migration record: an object is expected");
  }
  if (mb_int(&t, "id", &out->id) != 0 || mb_same_uuid(&t, "instance_uuid", uuid) != 0) {
    return -1;
  }
  if (out->id < 0) {
    return mb_bad(&t, "id", "is missing");
  }
  return mb_text(&t, "uuid", MB_TEXT, out->uuid, sizeof out->uuid) != 0 ||
                 mb_text(&t, "migration_type", MB_NULLABLE, out->type, sizeof out->type) != 0 ||
                 mb_text(&t, "status", MB_TEXT, out->status, sizeof out->status) != 0 ||
                 mb_text(&t, "source_compute", MB_OPTIONAL, out->source, sizeof out->source) != 0 ||
                 mb_text(&t, "dest_compute", MB_OPTIONAL, out->dest, sizeof out->dest) != 0 ||
                 mb_text(&t, "instance_uuid", MB_TEXT, out->instance, sizeof out->instance) != 0 ||
                 mb_time(&t, "created_at", &out->created_s) != 0 ||
                 mb_time(&t, "updated_at", &out->updated_s) != 0
             ? -1
             : 0;
}

static bool known_migration(const struct nova_reading *r, const char *uuid) {
  for (size_t i = 0; i < r->migrations; i++) {
    if (strcmp(r->migration[i].uuid, uuid) == 0) {
      return true;
    }
  }
  return false;
}

/* Nova sorts by creation, newest first, from 2.59; equal seconds keep Nova's order. */
static void insert_migration(struct nova_reading *r, const struct nova_migration *m) {
  size_t at = r->migrations;
  while (at > 0 && r->migration[at - 1].created_s < m->created_s) {
    at--;
  }
  memmove(&r->migration[at + 1], &r->migration[at], (r->migrations - at) * sizeof r->migration[0]);
  r->migration[at] = *m;
  r->migrations++;
}

int np_migrations(const json_t *root, const char *uuid, struct nova_reading *out,
                  struct uw_err *err) {
  const json_t *list = mb_list(root, "migrations", err);
  if (list == NULL) {
    return -1;
  }
  for (size_t i = 0; i < json_array_size(list) && !out->too_many_migrations; i++) {
    struct nova_migration m;
    if (migration(json_array_get(list, i), uuid, &m, err) != 0) {
      return -1;
    }
    if (known_migration(out, m.uuid)) {
      continue;
    }
    if (out->migrations == RCV_MAX_RECORDS) {
      out->too_many_migrations = true;
    } else {
      insert_migration(out, &m);
    }
  }
  return 0;
}

int np_progress(const json_t *root, struct nova_reading *out, struct uw_err *err) {
  const json_t *list = mb_list(root, "migrations", err);
  if (list == NULL) {
    return -1;
  }
  for (size_t i = 0; i < json_array_size(list); i++) {
    struct mb_thing t = {.object = json_array_get(list, i), .what = "server migration", .err = err};
    struct nova_progress p;
    int64_t id;
    char uuid[RCV_ID_BYTES];
    if (!json_is_object(t.object)) {
      return uw_err_set(err, UW_EXIT_UNKNOWN, "server migration: an object is expected");
    }
    if (mb_int(&t, "id", &id) != 0 || mb_text(&t, "uuid", MB_OPTIONAL, uuid, sizeof uuid) != 0 ||
        mb_int(&t, "memory_processed_bytes", &p.memory_processed) != 0 ||
        mb_int(&t, "memory_remaining_bytes", &p.memory_remaining) != 0 ||
        mb_int(&t, "disk_processed_bytes", &p.disk_processed) != 0 ||
        mb_int(&t, "disk_remaining_bytes", &p.disk_remaining) != 0) {
      return -1;
    }
    if (out->migrations > 0 && id == out->migration[0].id &&
        strcmp(uuid, out->migration[0].uuid) == 0) {
      out->progress = p;
    }
  }
  return 0;
}

int np_queue(const json_t *root, const char *uuid, bool *other, struct uw_err *err) {
  const json_t *list = mb_list(root, "migrations", err);
  if (list == NULL) {
    return -1;
  }
  for (size_t i = 0; i < json_array_size(list); i++) {
    const char *instance = uw_json_str(json_array_get(list, i), "instance_uuid", NULL);
    if (instance == NULL) {
      return uw_err_set(err, UW_EXIT_UNKNOWN, "migration record: instance_uuid: is missing");
    }
    *other = *other || strcasecmp(instance, uuid) != 0;
  }
  return 0;
}

/* --- Actions and events ---------------------------------------------------------------------- */

static const char live_migration[] = "live-migration";

size_t np_newest_live(const struct nova_reading *out) {
  for (size_t i = 0; i < out->actions; i++) {
    if (strcmp(out->action[i].action, live_migration) == 0) {
      return i;
    }
  }
  return out->actions;
}

static int action(const json_t *object, const char *uuid, struct nova_action *out,
                  struct uw_err *err) {
  struct mb_thing t = {.object = object, .what = "instance action", .err = err};
  memset(out, 0, sizeof *out);
  if (!json_is_object(object)) {
    return uw_err_set(err, UW_EXIT_UNKNOWN, "instance action: an object is expected");
  }
  return mb_same_uuid(&t, "instance_uuid", uuid) != 0 ||
                 mb_text(&t, "action", MB_TEXT, out->action, sizeof out->action) != 0 ||
                 mb_text(&t, "request_id", MB_TEXT, out->request_id, sizeof out->request_id) != 0 ||
                 mb_text(&t, "user_id", MB_OPTIONAL, out->user, sizeof out->user) != 0 ||
                 mb_time(&t, "start_time", &out->start_s) != 0
             ? -1
             : 0;
}

static void insert_action(struct nova_reading *r, const struct nova_action *a) {
  size_t at = r->actions;
  while (at > 0 && r->action[at - 1].start_s < a->start_s) {
    at--;
  }
  memmove(&r->action[at + 1], &r->action[at], (r->actions - at) * sizeof r->action[0]);
  r->action[at] = *a;
  r->actions++;
}

int np_actions(const json_t *root, const char *uuid, struct nova_reading *out, bool *done,
               struct uw_err *err) {
  const json_t *list = mb_list(root, "instanceActions", err);
  if (list == NULL) {
    return -1;
  }
  for (size_t i = 0; i < json_array_size(list) && !*done; i++) {
    struct nova_action a;
    if (action(json_array_get(list, i), uuid, &a, err) != 0) {
      return -1;
    }
    if (out->actions < NOVA_MAX_ACTIONS) {
      insert_action(out, &a);
      continue;
    }
    if (np_newest_live(out) < out->actions) {
      *done = true;
    } else if (strcmp(a.action, live_migration) == 0) {
      out->action[NOVA_MAX_ACTIONS - 1] = a;
      *done = true;
    }
  }
  return 0;
}

static void add_host(struct nova_reading *r, const char *host) {
  for (size_t i = 0; i < r->event_hosts; i++) {
    if (strcmp(r->event_host[i], host) == 0) {
      return;
    }
  }
  if (r->event_hosts == NOVA_MAX_EVENT_HOSTS) {
    r->too_many_event_hosts = true;
    return;
  }
  memcpy(r->event_host[r->event_hosts++], host, strlen(host) + 1);
}

/* conductor_* and api_* events carry the hosts of those services, where no guest can be. */
static int event(const json_t *object, struct nova_reading *out, struct uw_err *err) {
  struct mb_thing t = {.object = object, .what = "event of an instance action", .err = err};
  char name[RCV_TEXT_BYTES];
  char host[RCV_TEXT_BYTES];
  if (!json_is_object(object)) {
    return uw_err_set(err, UW_EXIT_UNKNOWN, "event of an instance action: an object is expected");
  }
  if (mb_text(&t, "event", MB_TEXT, name, sizeof name) != 0 ||
      mb_text(&t, "host", MB_OPTIONAL, host, sizeof host) != 0) {
    return -1;
  }
  if (strncmp(name, "compute_", 8) != 0) {
    return 0;
  }
  if (host[0] == '\0') {
    out->event_hosts_hidden = true;
  } else {
    add_host(out, host);
  }
  return 0;
}

int np_events(const json_t *root, const char *uuid, struct nova_reading *out, struct uw_err *err) {
  const json_t *object = json_object_get(root, "instanceAction");
  struct nova_action a;
  if (action(object, uuid, &a, err) != 0) {
    return -1;
  }
  const json_t *list = json_object_get(object, "events");
  if (list == NULL) {
    out->event_hosts_hidden = true; /* the policy hides events from this credential */
    return 0;
  }
  if (!json_is_array(list) || json_array_size(list) > NP_MAX_EVENTS) {
    return uw_err_set(err, UW_EXIT_UNKNOWN, "instance action: events: a list of at most %d",
                      NP_MAX_EVENTS);
  }
  for (size_t i = 0; i < json_array_size(list); i++) {
    if (event(json_array_get(list, i), out, err) != 0) {
      return -1;
    }
  }
  return 0;
}

/* --- Services and hypervisors ---------------------------------------------------------------- */

/* A service of a cell that does not answer has no state (2.69): unknown, not down. */
static int service_state(const struct mb_thing *t, enum rcv_svc *out) {
  char state[RCV_ID_BYTES];
  enum rcv_tri forced;
  *out = RCV_SVC_UNKNOWN;
  if (mb_text(t, "state", MB_OPTIONAL, state, sizeof state) != 0 ||
      mb_tri(t, "forced_down", &forced) != 0) {
    return -1;
  }
  if (forced == RCV_TRI_YES) {
    *out = RCV_SVC_FORCED_DOWN;
  } else if (strcmp(state, "up") == 0) {
    *out = RCV_SVC_UP;
  } else if (strcmp(state, "down") == 0) {
    *out = RCV_SVC_DOWN;
  }
  return 0;
}

static int service(const json_t *object, struct nova_reading *out, struct uw_err *err) {
  struct mb_thing t = {.object = object, .what = "service", .err = err};
  char binary[RCV_ID_BYTES];
  struct nova_service s;
  if (!json_is_object(object)) {
    return uw_err_set(err, UW_EXIT_UNKNOWN, "service: an object is expected");
  }
  if (mb_text(&t, "binary", MB_TEXT, binary, sizeof binary) != 0 ||
      mb_text(&t, "host", MB_TEXT, s.host, sizeof s.host) != 0 ||
      service_state(&t, &s.state) != 0) {
    return -1;
  }
  if (strcmp(binary, "nova-compute") == 0) {
    out->service[out->services++] = s;
  } else if (strcmp(binary, "nova-conductor") == 0) {
    if (s.state == RCV_SVC_UP) {
      out->conductor_up = RCV_TRI_YES;
    } else if (s.state != RCV_SVC_UNKNOWN && out->conductor_up != RCV_TRI_YES) {
      out->conductor_up = RCV_TRI_NO;
    }
  }
  return 0;
}

int np_services(const json_t *root, struct nova_reading *out, struct uw_err *err) {
  const json_t *list = mb_list(root, "services", err);
  if (list == NULL) {
    return -1;
  }
  size_t n = json_array_size(list);
  if (n > NOVA_MAX_SERVICES) {
    return uw_err_set(err, UW_EXIT_UNKNOWN, "services: more than %d", NOVA_MAX_SERVICES);
  }
  out->service = calloc(n == 0 ? 1 : n, sizeof *out->service);
  if (out->service == NULL) {
    return uw_err_set(err, UW_EXIT_USAGE, "no memory for %zu services", n);
  }
  for (size_t i = 0; i < n; i++) {
    if (service(json_array_get(list, i), out, err) != 0) {
      return -1;
    }
  }
  return 0;
}

static int hypervisor(const json_t *object, struct nova_hypervisor *out, struct uw_err *err) {
  struct mb_thing t = {.object = object, .what = "hypervisor", .err = err};
  memset(out, 0, sizeof *out);
  if (!json_is_object(object)) {
    return uw_err_set(err, UW_EXIT_UNKNOWN, "hypervisor: an object is expected");
  }
  if (mb_text(&t, "hypervisor_hostname", MB_TEXT, out->hostname, sizeof out->hostname) != 0 ||
      mb_text(&t, "hypervisor_type", MB_OPTIONAL, out->type, sizeof out->type) != 0) {
    return -1;
  }
  t.object = json_object_get(object, "service");
  t.what = "hypervisor: service";
  if (!json_is_object(t.object)) {
    return uw_err_set(err, UW_EXIT_UNKNOWN, "hypervisor: service: an object is expected");
  }
  return mb_text(&t, "host", MB_TEXT, out->service_host, sizeof out->service_host);
}

int np_hypervisors(const json_t *root, struct nova_reading *out, struct uw_err *err) {
  const json_t *list = mb_list(root, "hypervisors", err);
  if (list == NULL) {
    return -1;
  }
  size_t n = json_array_size(list);
  if (n > NOVA_MAX_SERVICES || out->hypervisors + n > NOVA_MAX_SERVICES) {
    return uw_err_set(err, UW_EXIT_UNKNOWN, "hypervisors: more than %d", NOVA_MAX_SERVICES);
  }
  size_t room = out->hypervisors + n;
  struct nova_hypervisor *more =
      reallocarray(out->hypervisor, room == 0 ? 1 : room, sizeof *out->hypervisor);
  if (more == NULL) {
    return uw_err_set(err, UW_EXIT_USAGE, "no memory for %zu hypervisors", room);
  }
  out->hypervisor = more;
  for (size_t i = 0; i < n; i++) {
    if (hypervisor(json_array_get(list, i), &out->hypervisor[out->hypervisors], err) != 0) {
      return -1;
    }
    out->hypervisors++;
  }
  return 0;
}

/* --- Paging ---------------------------------------------------------------------------------- */

int np_next(const json_t *root, const char *key, char marker[NP_MARKER_BYTES], struct uw_err *err) {
  const json_t *links = json_object_get(root, key);
  marker[0] = '\0';
  if (links != NULL && !json_is_array(links)) {
    return uw_err_set(err, UW_EXIT_UNKNOWN, "%s: a list is expected", key);
  }
  for (size_t i = 0; i < json_array_size(links); i++) {
    const json_t *link = json_array_get(links, i);
    if (strcmp(uw_json_str(link, "rel", ""), "next") != 0) {
      continue;
    }
    const char *href = uw_json_str(link, "href", "");
    if (http_url_query(href, "marker", marker, NP_MARKER_BYTES) != 0 || marker[0] == '\0' ||
        !mb_clean(marker)) {
      return uw_err_set(err, UW_EXIT_UNKNOWN, "%s: the link to the next page has no marker", key);
    }
    return 1;
  }
  return 0;
}
