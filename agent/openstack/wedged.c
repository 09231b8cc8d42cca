/* How many instances of a cloud look wedged: the input of the storm gate. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/http/url.h"
#include "agent/openstack/nova.h"
#include "agent/openstack/nova_parse.h"
#include "agent/openstack/session.h"

#define PAGE_LIMIT 500
#define MAX_PAGES (NOVA_MAX_WEDGED / 10) /* a server may give fewer than were asked for */

/* One that is still moving is updated every few seconds (lab.md, heartbeat). */
static int count_page(const struct nova_call *call, int64_t older_than_s, int64_t *count,
                      struct uw_err *err) {
  const json_t *list = json_object_get(call->json, "servers");
  if (!json_is_array(list)) {
    return uw_err_set(err, UW_EXIT_UNKNOWN, "GET /servers/detail: servers: a list is expected");
  }
  int64_t now_s = call->date_s >= 0 ? call->date_s : uw_wall_s();
  for (size_t i = 0; i < json_array_size(list); i++) {
    struct nova_server server;
    if (np_server_body(json_array_get(list, i), &server, err) != 0) {
      return -1;
    }
    if (server.down_cell || server.updated_s < 0 || now_s - server.updated_s >= older_than_s) {
      (*count)++;
    }
  }
  return 0;
}

static int set_path(struct nova_call *call, const char *marker, struct uw_err *err) {
  memset(call, 0, sizeof *call);
  (void)snprintf(call->path, sizeof call->path,
                 "/servers/detail?all_tenants=1&task_state=migrating&limit=%d%s", PAGE_LIMIT,
                 marker[0] != '\0' ? "&marker=" : "");
  if (http_url_escape(marker, call->path, sizeof call->path) != 0) {
    return uw_err_set(err, UW_EXIT_UNKNOWN, "GET /servers/detail: the page's marker is too long");
  }
  return 0;
}

static int count_pages(struct nova *nova, struct nova_call *call, int64_t older_than_s,
                       int64_t *count, struct uw_err *err) {
  char marker[NP_MARKER_BYTES] = "";
  for (int page = 0; page < MAX_PAGES && *count < NOVA_MAX_WEDGED; page++) {
    char last[NP_MARKER_BYTES];
    memcpy(last, marker, sizeof last);
    if (set_path(call, marker, err) != 0) {
      return -1;
    }
    nova_get(nova, call, 1);
    if (call->json == NULL) {
      *err = call->err;
      return -1;
    }
    int more = count_page(call, older_than_s, count, err) != 0
                   ? -1
                   : np_next(call->json, "servers_links", marker, err);
    nova_calls_free(call, 1);
    if (more <= 0) {
      return more;
    }
    if (strcmp(marker, last) == 0) {
      return uw_err_set(err, UW_EXIT_UNKNOWN,
                        "GET /servers/detail: the list leads back to the same page");
    }
  }
  return 0;
}

int nova_count_wedged(struct nova *nova, int64_t older_than_s, int64_t *count, struct uw_err *err) {
  *count = 0;
  struct nova_call *call = calloc(1, sizeof *call);
  if (call == NULL) {
    return uw_err_set(err, UW_EXIT_USAGE, "no memory for a request");
  }
  int result = count_pages(nova, call, older_than_s, count, err);
  nova_calls_free(call, 1);
  free(call);
  return result;
}
