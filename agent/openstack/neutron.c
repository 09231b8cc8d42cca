#include "agent/openstack/neutron.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/http/url.h"
#include "agent/openstack/member.h"
#include "agent/openstack/nova_parse.h"
#include "agent/openstack/session.h"

/* --- Replies --------------------------------------------------------------------------------- */

static int port(const json_t *object, const char *uuid, struct nt_port *out, struct uw_err *err) {
  struct mb_thing t = {.object = object, .what = "port", .err = err};
  memset(out, 0, sizeof *out);
  if (mb_object(&t) != 0 || mb_uuid(&t, "id", out->id) != 0 ||
      mb_same_uuid(&t, "device_id", uuid) != 0) {
    return -1;
  }
  if (json_object_get(object, "binding:host_id") == NULL) {
    return mb_bad(&t, "binding:host_id", "is not shown to this credential (role admin sees it)");
  }
  struct mb_thing profile = {
      .object = json_object_get(object, "binding:profile"), .what = "binding:profile", .err = err};
  return mb_text(&t, "binding:host_id", MB_NULLABLE, out->host, sizeof out->host) != 0 ||
                 mb_text(&profile, "migrating_to", MB_OPTIONAL, out->migrating_to,
                         sizeof out->migrating_to) != 0
             ? -1
             : 0;
}

int nt_ports(const json_t *root, const char *uuid, struct nt_ports *out, struct uw_err *err) {
  const json_t *list = mb_list(root, "ports", err);
  for (size_t i = 0; i < json_array_size(list); i++) {
    if (out->ports == NT_MAX_PORTS) {
      return uw_err_set(err, UW_EXIT_UNKNOWN, "ports: more than %d", NT_MAX_PORTS);
    }
    if (port(json_array_get(list, i), uuid, &out->port[out->ports], err) != 0) {
      return -1;
    }
    out->ports++;
  }
  return list == NULL ? -1 : 0;
}

int nt_bindings(const json_t *root, struct nt_port *out, struct uw_err *err) {
  const json_t *list = mb_list(root, "bindings", err);
  out->bindings = 0;
  for (size_t i = 0; i < json_array_size(list); i++) {
    struct mb_thing t = {.object = json_array_get(list, i), .what = "port binding", .err = err};
    char status[RCV_ID_BYTES];
    if (out->bindings == NT_MAX_BINDINGS) {
      return uw_err_set(err, UW_EXIT_UNKNOWN, "bindings: more than %d", NT_MAX_BINDINGS);
    }
    struct nt_binding *b = &out->binding[out->bindings];
    memset(b, 0, sizeof *b);
    if (mb_object(&t) != 0 || mb_text(&t, "host", MB_NULLABLE, b->host, sizeof b->host) != 0 ||
        mb_text(&t, "status", MB_TEXT, status, sizeof status) != 0) {
      return -1;
    }
    b->active = strcmp(status, "ACTIVE") == 0;
    if (!b->active && strcmp(status, "INACTIVE") != 0) {
      return mb_bad(&t, "status", "ACTIVE or INACTIVE is expected");
    }
    out->bindings++;
  }
  return list == NULL ? -1 : 0;
}

/* --- Reading --------------------------------------------------------------------------------- */

static void list_path(struct nova_call *call, const char *uuid, const char *marker) {
  memset(call, 0, sizeof *call);
  call->service = KS_NETWORK;
  nova_set_path(call,
                "/ports?device_id=%s&fields=id&fields=device_id&fields=binding:host_id"
                "&fields=binding:profile%s",
                uuid, marker[0] != '\0' ? "&marker=" : "");
  if (http_url_escape(marker, call->path, sizeof call->path) != 0) {
    call->fixed_fail = true;
    (void)uw_err_set(&call->err, UW_EXIT_UNKNOWN, "the next page's marker does not fit");
  }
}

/* Neutron names a next page only where pagination_max_limit is set and reached. */
static int read_ports(struct nova *nova, const char *uuid, struct nova_call *call,
                      struct nt_ports *out) {
  char marker[NP_MARKER_BYTES] = "";
  for (int page = 0; page < NT_MAX_PAGES; page++) {
    list_path(call, uuid, marker);
    nova_get(nova, call, 1);
    if (call->json == NULL) {
      return -1;
    }
    if (nt_ports(call->json, uuid, out, &call->err) != 0) {
      return nova_blame(call, &call->err);
    }
    int more = np_next(call->json, "ports_links", marker, &call->err);
    if (more < 0) {
      return nova_blame(call, &call->err);
    }
    if (more == 0) {
      return out->ports > 0 ? 0 : nova_trust_empty(nova, "ports", &call->err);
    }
    nova_calls_free(call, 1);
  }
  return uw_err_set(&call->err, UW_EXIT_UNKNOWN, "ports: more than %d pages", NT_MAX_PAGES);
}

static void read_bindings(struct nova *nova, struct nova_call *calls, struct nt_ports *out) {
  memset(calls, 0, NOVA_MAX_CALLS * sizeof *calls);
  for (size_t i = 0; i < out->ports; i++) {
    calls[i].service = KS_NETWORK;
    nova_set_path(&calls[i], "/ports/%s/bindings", out->port[i].id);
  }
  nova_get(nova, calls, out->ports);
  for (size_t i = 0; i < out->ports; i++) {
    struct nt_port *p = &out->port[i];
    struct nova_call *c = &calls[i];
    if (c->json == NULL) {
      p->state = c->err.http == 404 ? NT_BINDINGS_NOT_OFFERED : NT_BINDINGS_UNREAD;
    } else if (nt_bindings(c->json, p, &c->err) != 0) {
      (void)nova_blame(c, &c->err);
    } else {
      p->state = NT_BINDINGS_READ;
    }
    p->why = c->err;
  }
  nova_calls_free(calls, out->ports);
}

void nt_read(struct nova *nova, const char *uuid, struct nt_ports *out) {
  memset(out, 0, sizeof *out);
  struct nova_call *calls = calloc(NOVA_MAX_CALLS, sizeof *calls);
  if (calls == NULL) {
    (void)uw_err_set(&out->why, UW_EXIT_UNKNOWN, "no memory for requests");
    return;
  }
  (void)snprintf(out->url, sizeof out->url, "%s", nova->other[KS_NETWORK].url);
  out->read = read_ports(nova, uuid, calls, out) == 0;
  out->why = calls[0].err;
  nova_calls_free(calls, 1);
  if (out->read) {
    read_bindings(nova, calls, out);
  }
  free(calls);
}

_Static_assert(NT_MAX_PORTS <= NOVA_MAX_CALLS, "the bindings are read side by side");
_Static_assert(NT_URL_BYTES == KS_URL_BYTES, "the endpoint fits");
