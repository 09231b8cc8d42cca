#include "agent/openstack/keystone.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/buf.h"
#include "agent/base/clock.h"
#include "agent/base/json.h"
#include "agent/http/url.h"
#include "agent/openstack/exchange.h"

#define MAX_ROLES 1000
#define MAX_BODY_BYTES ((size_t)64 * 1024)
#define MAX_VERSIONS 100

void ks_token_free(struct ks_token *token) {
  if (token->text != NULL) {
    explicit_bzero(token->text, strlen(token->text));
    free(token->text);
  }
  memset(token, 0, sizeof *token);
}

/* --- Discovery ------------------------------------------------------------------------------- */

static void strip_slashes(char *text) {
  size_t n = strlen(text);
  while (n > 0 && text[n - 1] == '/') {
    text[--n] = '\0';
  }
}

static bool strip_end(char *text, const char *end) {
  size_t n = strlen(text);
  size_t m = strlen(end);
  if (n < m || strcmp(text + n - m, end) != 0) {
    return false;
  }
  text[n - m] = '\0';
  return true;
}

/* Does the document of the unversioned root (300 or 200) name a version 3? */
static bool names_v3(const json_t *root) {
  const json_t *versions = json_object_get(root, "versions");
  const json_t *values = json_is_object(versions) ? json_object_get(versions, "values") : versions;
  for (size_t i = 0; i < json_array_size(values) && i < MAX_VERSIONS; i++) {
    if (strncmp(uw_json_str(json_array_get(values, i), "id", ""), "v3", 2) == 0) {
      return true;
    }
  }
  return strncmp(uw_json_str(json_object_get(root, "version"), "id", ""), "v3", 2) == 0;
}

static int ask_root(struct http *http, const char *root_url, int retries, struct uw_err *err) {
  char url[KS_URL_BYTES + 1];
  (void)snprintf(url, sizeof url, "%s/", root_url);
  struct http_request request = {.method = HTTP_GET, .url = url};
  struct http_reply reply;
  ex_perform(http, &request, &reply, 1, retries);
  /* 300 is how Keystone's root answers; the body is the list of versions. */
  int want = reply.status == 300 ? 300 : 200;
  int result = -1;
  json_t *root = ex_json(&request, &reply, want, err);
  if (root == NULL) {
    (void)uw_err_wrap(err, "auth_url is no Keystone");
  } else if (!names_v3(root)) {
    (void)uw_err_set(err, UW_EXIT_USAGE,
                     "auth_url %s: no Keystone v3 there; set auth_url to the URL that ends in /v3",
                     url);
  } else {
    result = 0;
  }
  json_decref(root);
  http_reply_free(&reply);
  return result;
}

int ks_discover(struct http *http, const struct os_cloud *cloud, int retries,
                char base[KS_URL_BYTES], struct uw_err *err) {
  (void)snprintf(base, KS_URL_BYTES, "%s", cloud->auth_url);
  strip_slashes(base);
  if (!strip_end(base, "/v3")) {
    (void)strip_end(base, "/v2.0");
    if (ask_root(http, base, retries, err) != 0) {
      return -1;
    }
  }
  size_t n = strlen(base);
  (void)snprintf(base + n, KS_URL_BYTES - n, "/v3"); /* OS_TEXT_BYTES + 4 fits */
  return 0;
}

/* --- The request ----------------------------------------------------------------------------- */

/* Written by hand and not by jansson, so that every copy of a secret is ours to wipe. */
static void put_json_string(struct uw_buf *b, const char *text) {
  uw_buf_puts(b, "\"");
  for (; *text != '\0'; text++) {
    unsigned char c = (unsigned char)*text;
    if (c == '"' || c == '\\') {
      uw_buf_add(b, "\\", 1);
      uw_buf_add(b, text, 1);
    } else if (c < 0x20) {
      uw_buf_printf(b, "\\u%04x", c);
    } else {
      uw_buf_add(b, text, 1);
    }
  }
  uw_buf_puts(b, "\"");
}

static void put_member(struct uw_buf *b, const char *key, const char *value) {
  uw_buf_printf(b, "\"%s\":", key);
  put_json_string(b, value);
}

/* {"id":...} or {"name":...,"domain":...}; the domain "default" as the openstack client does. */
static void put_named(struct uw_buf *b, const char *key, const char *id, const char *name,
                      const char *domain_id, const char *domain_name) {
  uw_buf_printf(b, "\"%s\":{", key);
  if (id[0] != '\0') {
    put_member(b, "id", id);
  } else {
    put_member(b, "name", name);
    uw_buf_puts(b, ",\"domain\":{");
    if (domain_name[0] != '\0' && domain_id[0] == '\0') {
      put_member(b, "name", domain_name);
    } else {
      put_member(b, "id", domain_id[0] != '\0' ? domain_id : "default");
    }
    uw_buf_puts(b, "}");
  }
}

static void put_user(struct uw_buf *b, const struct os_cloud *c) {
  put_named(b, "user", c->user_id, c->username, c->user_domain_id, c->user_domain_name);
}

static void put_identity(struct uw_buf *b, const struct os_cloud *c) {
  switch (c->auth) {
  case OS_AUTH_PASSWORD:
    uw_buf_puts(b, "\"methods\":[\"password\"],\"password\":{");
    put_user(b, c);
    uw_buf_puts(b, ",");
    put_member(b, "password", c->password);
    uw_buf_puts(b, "}}");
    break;
  case OS_AUTH_APPCRED:
    uw_buf_puts(b, "\"methods\":[\"application_credential\"],\"application_credential\":{");
    if (c->appcred_id[0] != '\0') {
      put_member(b, "id", c->appcred_id);
    } else {
      put_member(b, "name", c->appcred_name);
      uw_buf_puts(b, ",");
      put_user(b, c);
      uw_buf_puts(b, "}");
    }
    uw_buf_puts(b, ",");
    put_member(b, "secret", c->appcred_secret);
    uw_buf_puts(b, "}");
    break;
  case OS_AUTH_TOKEN:
    uw_buf_puts(b, "\"methods\":[\"token\"],\"token\":{");
    put_member(b, "id", c->token);
    uw_buf_puts(b, "}");
    break;
  case OS_AUTH_NONE: b->failed = true; break;
  }
}

static bool has_project(const struct os_cloud *c) {
  return c->project_id[0] != '\0' || c->project_name[0] != '\0';
}

static void put_auth(struct uw_buf *b, const struct os_cloud *c) {
  uw_buf_puts(b, "{\"auth\":{\"identity\":{");
  put_identity(b, c);
  uw_buf_puts(b, "}");
  if (c->auth != OS_AUTH_APPCRED && has_project(c)) {
    uw_buf_puts(b, ",\"scope\":{");
    put_named(b, "project", c->project_id, c->project_name, c->project_domain_id,
              c->project_domain_name);
    uw_buf_puts(b, "}}");
  }
  uw_buf_puts(b, "}}");
}

/* --- The token ------------------------------------------------------------------------------- */

static int not_scoped(const struct os_cloud *c, const char *what, struct uw_err *err) {
  return uw_err_set(err, UW_EXIT_USAGE,
                    "cloud %s: %s; Nova needs a project-scoped token (system scope is gone since "
                    "Zed): set project_name and project_domain_name of an admin project",
                    c->name, what);
}

static int copy_id(const json_t *owner, char out[RCV_ID_BYTES]) {
  const char *id = uw_json_str(owner, "id", "");
  size_t n = strlen(id);
  if (n == 0 || n >= RCV_ID_BYTES) {
    return -1;
  }
  memcpy(out, id, n + 1);
  return 0;
}

/* Keystone's own lifetime, counted by our monotonic clock: no two clocks are compared. */
static int64_t expiry_of(const json_t *token, const struct http_reply *reply) {
  int64_t expires = uw_time_parse_iso(uw_json_str(token, "expires_at", ""));
  int64_t now = uw_time_parse_iso(uw_json_str(token, "issued_at", ""));
  if (now < 0) {
    now = uw_time_parse_http(reply->date);
  }
  if (expires < 0 || now < 0) {
    return -1;
  }
  return reply->start_ms + (expires > now ? expires - now : 0) * 1000;
}

static bool is_admin(const json_t *token) {
  const json_t *roles = json_object_get(token, "roles");
  for (size_t i = 0; i < json_array_size(roles) && i < MAX_ROLES; i++) {
    if (strcmp(uw_json_str(json_array_get(roles, i), "name", ""), "admin") == 0) {
      return true;
    }
  }
  return false;
}

/* Cut when it is too long: it is only shown. */
static void note_limited(const json_t *token, char limited[RCV_TEXT_BYTES]) {
  const json_t *credential = json_object_get(token, "application_credential");
  limited[0] = '\0';
  if (json_is_array(json_object_get(credential, "access_rules"))) {
    (void)snprintf(limited, RCV_TEXT_BYTES, "%.200s", uw_json_str(credential, "name", "?"));
    http_printable(limited);
  }
}

static int read_token(const struct os_cloud *c, const json_t *root, struct http_reply *reply,
                      struct ks_token *out, json_t **catalog, struct uw_err *err) {
  const json_t *token = json_object_get(root, "token");
  if (json_object_get(token, "system") != NULL) {
    return not_scoped(c, "Keystone gave a system-scoped token", err);
  }
  if (json_is_object(token) && json_object_get(token, "project") == NULL) {
    return not_scoped(c, "Keystone gave a token without a project", err);
  }
  json_t *list = json_object_get(token, "catalog");
  int64_t expires = expiry_of(token, reply);
  if (reply->token == NULL || expires < 0 || !json_is_array(list) ||
      copy_id(json_object_get(token, "user"), out->user_id) != 0 ||
      copy_id(json_object_get(token, "project"), out->project_id) != 0) {
    return uw_err_set(err, UW_EXIT_UNKNOWN,
                      "cloud %s: Keystone's reply lacks the token, its expiry, user, project or "
                      "catalog; is auth_url %s really Keystone?",
                      c->name, c->auth_url);
  }
  out->admin = is_admin(token);
  note_limited(token, out->limited);
  out->expires_mono_ms = expires;
  out->text = reply->token;
  reply->token = NULL;
  *catalog = json_incref(list);
  return 0;
}

static const char *credential_words(enum os_auth auth) {
  switch (auth) {
  case OS_AUTH_PASSWORD:
    return "user, password, domain or project is wrong (or the user is disabled or locked)";
  case OS_AUTH_APPCRED:
    return "the application credential's id or secret is wrong, or it has expired or was deleted";
  case OS_AUTH_TOKEN:
    return "the token is wrong, was revoked or has expired; get a new one (openstack token issue), "
           "or use a password or an application credential, which can be renewed";
  case OS_AUTH_NONE: break;
  }
  return "no credential";
}

static int refused(const struct os_cloud *c, const struct http_request *request,
                   const struct http_reply *reply, struct uw_err *err) {
  /* To a token that it does not take Keystone answers 404. */
  bool not_found = c->auth == OS_AUTH_TOKEN && reply->status == 404;
  (void)ex_error(request, reply, err);
  if (reply->phase == HTTP_REPLIED && (reply->status == 401 || not_found)) {
    const char *id = ex_request_id(reply);
    (void)uw_err_set(err, UW_EXIT_USAGE,
                     "cloud %s (%s): Keystone at %s refuses the credential (%d): %s%s%s%s", c->name,
                     c->source, c->auth_url, reply->status, credential_words(c->auth),
                     id[0] != '\0' ? " [" : "", id, id[0] != '\0' ? "]" : "");
    err->http = 401;
  } else if (reply->phase == HTTP_REPLIED && reply->status == 400) {
    (void)uw_err_wrap(err, "cloud %s (%s): Keystone does not understand the credential", c->name,
                      c->source);
    err->status = UW_EXIT_USAGE;
  } else {
    (void)uw_err_wrap(err, "cloud %s", c->name);
  }
  return -1;
}

int ks_authenticate(struct http *http, const struct os_cloud *cloud, const char *base,
                    const char *extra, int retries, struct ks_token *token, json_t **catalog,
                    struct uw_err *err) {
  *catalog = NULL;
  if (cloud->auth == OS_AUTH_PASSWORD && !has_project(cloud)) {
    return not_scoped(cloud,
                      cloud->system_scope[0] != '\0' ? "system_scope is set and no project"
                                                     : "no project is set",
                      err);
  }
  char url[KS_URL_BYTES + 16];
  (void)snprintf(url, sizeof url, "%s/auth/tokens", base);
  struct uw_buf body = {.max = MAX_BODY_BYTES};
  put_auth(&body, cloud);
  int result = -1;
  if (body.failed) {
    (void)uw_err_set(err, UW_EXIT_USAGE, "cloud %s: the credential does not fit", cloud->name);
  } else {
    struct http_request request = {.method = HTTP_POST,
                                   .url = url,
                                   .header = {"Content-Type: application/json", extra},
                                   .body = body.data,
                                   .body_len = body.len};
    struct http_reply reply;
    ex_perform(http, &request, &reply, 1, retries);
    if (reply.phase != HTTP_REPLIED || reply.status != 201) {
      result = refused(cloud, &request, &reply, err);
    } else {
      json_t *root = ex_json(&request, &reply, 201, err);
      result = root == NULL ? -1 : read_token(cloud, root, &reply, token, catalog, err);
      json_decref(root);
    }
    http_reply_free(&reply);
  }
  uw_buf_wipe(&body);
  return result;
}

/* --- The catalog ----------------------------------------------------------------------------- */

#define MAX_TYPES 2

/* What a catalog calls the services (first that has an endpoint wins), and their overrides. */
static const struct service {
  const char *type[MAX_TYPES];
  const char *override; /* key of clouds.yaml */
  size_t offset;        /* of its value, char[OS_TEXT_BYTES] in struct os_cloud */
} services[KS_SERVICES] = {
    [KS_COMPUTE] = {{"compute", NULL},
                    "compute_endpoint_override",
                    offsetof(struct os_cloud, compute_endpoint_override)},
    [KS_PLACEMENT] = {{"placement", NULL},
                      "placement_endpoint_override",
                      offsetof(struct os_cloud, placement_endpoint_override)},
    [KS_NETWORK] = {{"network", NULL},
                    "network_endpoint_override",
                    offsetof(struct os_cloud, network_endpoint_override)},
    [KS_VOLUME] = {{"volumev3", "block-storage"},
                   "block_storage_endpoint_override",
                   offsetof(struct os_cloud, block_storage_endpoint_override)},
};

struct search {
  const struct os_cloud *cloud;
  const char *type;
  const char *url, *region; /* of the match; borrowed from the catalog */
  size_t matches;           /* different URLs */
  struct uw_buf regions;    /* of all endpoints of the interface */
  bool several_regions;
};

static bool same_interface(const char *given, const char *want) {
  size_t n = strlen(want);
  return strncmp(given, want, n) == 0 && (given[n] == '\0' || strcmp(given + n, "URL") == 0);
}

static void consider(struct search *s, const json_t *endpoint) {
  const char *url = uw_json_str(endpoint, "url", "");
  const char *region = uw_json_str(endpoint, "region_id", uw_json_str(endpoint, "region", ""));
  if (!same_interface(uw_json_str(endpoint, "interface", ""), s->cloud->interface)) {
    return;
  }
  uw_buf_printf(&s->regions, "%s%s", s->regions.len == 0 ? "" : ", ", region);
  if (s->cloud->region[0] != '\0' && strcmp(s->cloud->region, region) != 0 &&
      strcmp(s->cloud->region, uw_json_str(endpoint, "region", "")) != 0) {
    return;
  }
  if (s->matches == 0 || strcmp(s->url, url) != 0 || strcmp(s->region, region) != 0) {
    s->several_regions |= s->matches > 0 && strcmp(s->region, region) != 0;
    s->matches++;
    s->url = url;
    s->region = region;
  }
}

static void search_catalog(struct search *s, const json_t *catalog) {
  size_t seen = 0;
  for (size_t i = 0; i < json_array_size(catalog) && seen < KS_MAX_ENDPOINTS; i++) {
    const json_t *service = json_array_get(catalog, i);
    const json_t *endpoints = json_object_get(service, "endpoints");
    if (strcmp(uw_json_str(service, "type", ""), s->type) != 0) {
      continue;
    }
    for (size_t k = 0; k < json_array_size(endpoints) && seen < KS_MAX_ENDPOINTS; k++) {
      consider(s, json_array_get(endpoints, k));
      seen++;
    }
  }
}

static int search_error(struct search *s, const struct service *service, struct uw_err *err) {
  const struct os_cloud *c = s->cloud;
  http_printable(s->regions.data != NULL ? s->regions.data : (char[]){""});
  if (s->matches == 0) {
    return uw_err_set(err, UW_EXIT_USAGE,
                      "cloud %s: the catalog has no %s endpoint of interface %s%s%s (regions "
                      "with one: %s); correct region_name or interface",
                      c->name, s->type, c->interface, c->region[0] != '\0' ? " in region " : "",
                      c->region, s->regions.len == 0 ? "none" : uw_buf_text(&s->regions));
  }
  return s->several_regions
             ? uw_err_set(err, UW_EXIT_USAGE,
                          "cloud %s: the catalog has %s endpoints in several regions: %s; "
                          "set region_name (OS_REGION_NAME)",
                          c->name, s->type, uw_buf_text(&s->regions))
             : uw_err_set(
                   err, UW_EXIT_USAGE,
                   "cloud %s: the catalog has more than one %s endpoint in region %s; set %s",
                   c->name, s->type, s->region, service->override);
}

int ks_endpoint(const json_t *catalog, const struct os_cloud *cloud, enum ks_service service,
                char endpoint[KS_URL_BYTES], struct uw_err *err) {
  const struct service *what = &services[service < KS_SERVICES ? service : KS_COMPUTE];
  struct search s = {.cloud = cloud, .regions = {.max = 500}};
  int result = 0;
  const char *url = (const char *)cloud + what->offset;
  endpoint[0] = '\0';
  if (url[0] == '\0') {
    for (size_t i = 0; i < MAX_TYPES && what->type[i] != NULL && s.matches == 0; i++) {
      s.type = what->type[i];
      search_catalog(&s, catalog);
    }
    s.type = s.matches == 0 ? what->type[0] : s.type;
    result = s.matches == 1 ? 0 : search_error(&s, what, err);
    url = s.url;
  }
  if (result == 0 && (url == NULL || http_url_check(url) != 0 || strlen(url) >= OS_TEXT_BYTES)) {
    result = uw_err_set(err, UW_EXIT_USAGE,
                        "cloud %s: the %s endpoint of the catalog is no plain http or https "
                        "URL; set %s",
                        cloud->name, what->type[0], what->override);
  }
  if (result == 0) {
    (void)snprintf(endpoint, KS_URL_BYTES, "%s", url);
    strip_slashes(endpoint);
  }
  uw_buf_free(&s.regions);
  return result;
}
