#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/buf.h"
#include "agent/base/json.h"
#include "agent/http/url.h"
#include "agent/openstack/nova.h"
#include "agent/openstack/nova_parse.h"
#include "agent/openstack/session.h"

#define MAX_PAGES 64
#define PAGE_LIMIT 100
#define MARKER_ROOM ((size_t)3 * NP_MARKER_BYTES) /* percent-encoded */
#define MIN_UUID_LIKE 32   /* hex and dashes of this length or more are a damaged UUID, no name */
#define MAX_NAME_BYTES 255 /* of a name as it is looked up */

/* --- By UUID --------------------------------------------------------------------------------- */

static int by_uuid(struct nova *nova, const char *text, char uuid[UW_UUID_TEXT_BYTES],
                   struct uw_err *err) {
  uint8_t binary[RCV_UUID_BYTES];
  char lower[UW_UUID_TEXT_BYTES];
  struct nova_server server;
  if (uw_uuid_parse(text, binary) != 0) {
    return uw_err_set(err, UW_EXIT_USAGE, "not a UUID: %.64s", text);
  }
  uw_uuid_text(binary, lower);
  struct nova_call *call = calloc(1, sizeof *call);
  if (call == NULL) {
    return uw_err_set(err, UW_EXIT_USAGE, "no memory for a request");
  }
  (void)snprintf(call->path, sizeof call->path, "/servers/%s", lower);
  nova_get(nova, call, 1);
  int result = -1;
  if (call->json == NULL) {
    *err = call->err;
    if (call->err.http == 404) {
      nova_explain_404(nova, lower, call, err);
    }
  } else if (np_server(call->json, lower, &server, err) != 0) {
    (void)nova_blame(call, err);
  } else {
    memcpy(uuid, lower, sizeof lower);
    result = 0;
  }
  nova_calls_free(call, 1);
  free(call);
  return result;
}

/* --- By name --------------------------------------------------------------------------------- */

struct matches {
  size_t count;    /* exact matches */
  size_t nameless; /* skeletons of a cell that does not answer */
  char uuid[RCV_ID_BYTES];
  struct uw_buf list;
};

/* Nova's name filter is a regular expression of its database. */
static int name_path(const char *name, char *out, size_t n) {
  char pattern[2 * MAX_NAME_BYTES + 3] = "^";
  size_t used = 1;
  for (; *name != '\0'; name++) {
    if (used + 4 > sizeof pattern) {
      return -1;
    }
    if (strchr(".^$*+?()[]{}|\\", *name) != NULL) {
      pattern[used++] = '\\';
    }
    pattern[used++] = *name;
  }
  pattern[used++] = '$';
  pattern[used] = '\0';
  int len = snprintf(out, n, "/servers/detail?all_tenants=1&limit=%d&name=", PAGE_LIMIT);
  return len > 0 && (size_t)len < n ? http_url_escape(pattern, out, n) : -1;
}

static int take_servers(const json_t *root, const char *name, struct matches *m,
                        struct uw_err *err) {
  const json_t *list = json_object_get(root, "servers");
  if (!json_is_array(list)) {
    return uw_err_set(err, UW_EXIT_UNKNOWN, "servers: a list is expected");
  }
  for (size_t i = 0; i < json_array_size(list); i++) {
    struct nova_server server;
    const json_t *body = json_array_get(list, i);
    if (np_server_body(body, &server, err) != 0) {
      return -1;
    }
    if (server.down_cell) {
      m->nameless++;
    } else if (strcmp(uw_json_str(body, "name", ""), name) == 0) {
      m->count++;
      if (m->count <= NOVA_MAX_MATCHES) {
        uw_buf_printf(&m->list, "%s%s (project %s, %s)", m->count == 1 ? "" : ", ", server.id,
                      server.project[0] != '\0' ? server.project : "?", server.status);
      }
      memcpy(m->uuid, server.id, sizeof m->uuid);
    }
  }
  return 0;
}

static int read_pages(struct nova *nova, const char *name, struct nova_call *call,
                      struct matches *m, struct uw_err *err) {
  char base[NOVA_PATH_BYTES];
  char marker[NP_MARKER_BYTES];
  char last[NP_MARKER_BYTES] = "";
  if (name_path(name, base, sizeof base - MARKER_ROOM) != 0) {
    return uw_err_set(err, UW_EXIT_USAGE, "the name is too long to look up; give the UUID");
  }
  memcpy(call->path, base, sizeof base);
  for (int page = 0; page < MAX_PAGES; page++) {
    nova_get(nova, call, 1);
    if (call->json == NULL) {
      *err = call->err;
      return -1;
    }
    if (take_servers(call->json, name, m, err) != 0) {
      return nova_blame(call, err);
    }
    int more = np_next(call->json, "servers_links", marker, err);
    if (more == 0 || m->count > NOVA_MAX_MATCHES) {
      return 0;
    }
    if (more < 0 || strcmp(marker, last) == 0) {
      return more < 0 ? nova_blame(call, err)
                      : uw_err_set(err, UW_EXIT_UNKNOWN,
                                   "GET %.200s: the list leads back to the same page", base);
    }
    memcpy(last, marker, sizeof last);
    nova_calls_free(call, 1);
    memset(call, 0, sizeof *call);
    (void)snprintf(call->path, sizeof call->path, "%.*s&marker=", (int)strlen(base), base);
    if (http_url_escape(marker, call->path, sizeof call->path) != 0) {
      return uw_err_set(err, UW_EXIT_UNKNOWN, "GET %.200s: the next page's marker is too long",
                        base);
    }
  }
  return uw_err_set(err, UW_EXIT_UNKNOWN, "GET %.200s: more than %d pages", base, MAX_PAGES);
}

static int judge(const struct nova *nova, const char *name, const struct matches *m,
                 char uuid[UW_UUID_TEXT_BYTES], struct uw_err *err) {
  const char *cloud = nova_cloud_name(nova);
  if (m->count > 1) {
    return uw_err_set(err, UW_EXIT_USAGE,
                      "%s instances are named %.100s in cloud %s: %s%s; give "
                      "the UUID",
                      m->count > NOVA_MAX_MATCHES ? "many" : "several", name, cloud,
                      uw_buf_text(&m->list), m->list.failed ? ", ..." : "");
  }
  if (m->nameless > 0) {
    return uw_err_set(err, UW_EXIT_UNKNOWN,
                      "cloud %s: a cell does not answer, %zu instances are without their name, so "
                      "%.100s cannot be found for sure; give the UUID",
                      cloud, m->nameless, name);
  }
  if (m->count == 0) {
    return uw_err_set(err, UW_EXIT_USAGE, "no instance named %.100s in cloud %s; give the UUID",
                      name, cloud);
  }
  uint8_t binary[RCV_UUID_BYTES];
  if (uw_uuid_parse(m->uuid, binary) != 0) {
    return uw_err_set(err, UW_EXIT_UNKNOWN, "the id of %.100s is no UUID", name);
  }
  uw_uuid_text(binary, uuid);
  return 0;
}

static int by_name(struct nova *nova, const char *name, char uuid[UW_UUID_TEXT_BYTES],
                   struct uw_err *err) {
  struct matches m = {.list = {.max = 700}};
  struct nova_call *call = calloc(1, sizeof *call);
  if (call == NULL) {
    return uw_err_set(err, UW_EXIT_USAGE, "no memory for a request");
  }
  int result = read_pages(nova, name, call, &m, err);
  if (result == 0) {
    result = judge(nova, name, &m, uuid, err);
  } else if (err->http == 403) {
    (void)uw_err_wrap(err,
                      "a name is looked for in all projects, which needs admin; give the UUID");
  }
  uw_buf_free(&m.list);
  nova_calls_free(call, 1);
  free(call);
  return result;
}

/* Only hex and dashes, with a dash: what is left of a UUID that lost or gained a character. */
static bool uuid_like(const char *text) {
  size_t n = strspn(text, "0123456789abcdefABCDEF-");
  return text[n] == '\0' && n >= MIN_UUID_LIKE && strchr(text, '-') != NULL;
}

/* 36 characters with the dashes of a UUID in place, whatever is between them. */
static bool uuid_shape(const char *text) {
  return strlen(text) == 36 && text[8] == '-' && text[13] == '-' && text[18] == '-' &&
         text[23] == '-';
}

int nova_find(struct nova *nova, const char *uuid_or_name, char uuid[UW_UUID_TEXT_BYTES],
              struct uw_err *err) {
  uuid[0] = '\0';
  if (uw_uuid_parse(uuid_or_name, NULL) == 0) {
    return by_uuid(nova, uuid_or_name, uuid, err);
  }
  if (uuid_like(uuid_or_name) || uuid_shape(uuid_or_name)) {
    return uw_err_set(err, UW_EXIT_USAGE,
                      "%.64s is not a whole UUID (8-4-4-4-12 hexadecimal digits)", uuid_or_name);
  }
  if (*uuid_or_name == '\0') {
    return uw_err_set(err, UW_EXIT_USAGE, "an instance is needed: its UUID or its name");
  }
  return by_name(nova, uuid_or_name, uuid, err);
}
