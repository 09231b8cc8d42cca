#include "agent/openstack/session.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/base/json.h"
#include "agent/http/url.h"
#include "agent/openstack/exchange.h"

/* --- Headers --------------------------------------------------------------------------------- */

/* The version headers of the other services; Neutron has one version for all. */
static const char *const version_headers[KS_SERVICES] = {
    [KS_PLACEMENT] = "OpenStack-API-Version: placement " PLACEMENT_VERSION,
    [KS_VOLUME] = "OpenStack-API-Version: volume " VOLUME_VERSION,
};

void nova_set_headers(struct nova *nova, enum ks_service service, struct http_request *request,
                      size_t from) {
  struct nova_headers *h = &nova->headers;
  size_t n = from;
  (void)snprintf(h->token, sizeof h->token, "X-Auth-Token: %s", nova->token.text);
  request->header[n++] = h->token;
  if (version_headers[service] != NULL) {
    request->header[n++] = version_headers[service];
  }
  if (service == KS_COMPUTE && nova->minor > 0) {
    /* The second is what proxies and clouds before 2.27 look at. */
    (void)snprintf(h->version, sizeof h->version, "OpenStack-API-Version: compute 2.%d",
                   nova->minor);
    (void)snprintf(h->old_version, sizeof h->old_version, "X-OpenStack-Nova-API-Version: 2.%d",
                   nova->minor);
    request->header[n++] = h->version;
    request->header[n++] = h->old_version;
  }
  if (nova->run_header[0] != '\0') {
    request->header[n++] = nova->run_header;
  }
  request->header[n] = NULL;
}

void nova_wipe_headers(struct nova *nova) { explicit_bzero(&nova->headers, sizeof nova->headers); }

/* --- Token ----------------------------------------------------------------------------------- */

static int authenticate(struct nova *nova, json_t **catalog, struct uw_err *err) {
  struct ks_token fresh;
  memset(&fresh, 0, sizeof fresh);
  const char *extra = nova->run_header[0] != '\0' ? nova->run_header : NULL;
  if (ks_authenticate(nova->http, &nova->cloud, nova->keystone, extra, nova->retries, &fresh,
                      catalog, err) != 0) {
    ks_token_free(&fresh);
    return -1;
  }
  ks_token_free(&nova->token);
  nova->token = fresh;
  return 0;
}

static int64_t left_ms(const struct nova *nova) {
  return nova->token.text == NULL ? 0 : nova->token.expires_mono_ms - uw_mono_ms();
}

static int renew(struct nova *nova, struct uw_err *err) {
  json_t *catalog = NULL;
  int result = authenticate(nova, &catalog, err);
  json_decref(catalog);
  return result;
}

int nova_renew(struct nova *nova, int64_t needed_s, struct uw_err *err) {
  int64_t needed_ms = (needed_s > 0 ? needed_s : 0) * 1000 + NOVA_MARGIN_MS;
  if (left_ms(nova) >= needed_ms) {
    return 0;
  }
  if (renew(nova, err) != 0) {
    return -1;
  }
  if (left_ms(nova) < needed_ms) {
    return uw_err_set(err, UW_EXIT_USAGE,
                      "cloud %s: a token lives %lld s here, %lld s are needed for the act; raise "
                      "[token] expiration in Keystone, or use a credential that is not a token",
                      nova->cloud.name, (long long)(left_ms(nova) / 1000),
                      (long long)(needed_ms / 1000));
  }
  return 0;
}

/* --- Reads ----------------------------------------------------------------------------------- */

int nova_blame(const struct nova_call *call, struct uw_err *err) {
  char path[HTTP_URL_BYTES];
  http_url_path(call->url, path);
  (void)uw_err_wrap(err, "GET %.300s: 200%s%s%s", path, call->request_id[0] != '\0' ? " [" : "",
                    call->request_id, call->request_id[0] != '\0' ? "]" : "");
  err->http = 200;
  return -1;
}

/* "compute 2.84": what was asked for, and has to come back; "" where nothing was. */
static void wanted_version(const struct nova *nova, enum ks_service service,
                           char want[NOVA_HEADER_BYTES]) {
  const char *header = version_headers[service];
  want[0] = '\0';
  if (header != NULL) {
    (void)snprintf(want, NOVA_HEADER_BYTES, "%s", strchr(header, ' ') + 1);
  } else if (service == KS_COMPUTE && nova->minor > 0) {
    (void)snprintf(want, NOVA_HEADER_BYTES, "compute 2.%d", nova->minor);
  }
}

static bool version_matches(const char *want, enum ks_service service,
                            const struct http_reply *reply) {
  if (want[0] == '\0') {
    return true;
  }
  if (reply->api_version[0] != '\0' || service != KS_COMPUTE) {
    return strcmp(reply->api_version, want) == 0;
  }
  return strcmp(reply->nova_api_version, want + strlen("compute ")) == 0;
}

static void read_reply(const struct nova *nova, const struct http_request *request,
                       const struct http_reply *reply, struct nova_call *call) {
  const char *id = ex_request_id(reply);
  call->date_s = uw_time_parse_http(reply->date);
  if (strlen(id) < sizeof call->request_id) {
    (void)snprintf(call->request_id, sizeof call->request_id, "%.64s", id);
  }
  char want[NOVA_HEADER_BYTES];
  call->json = ex_json(request, reply, 200, &call->err);
  wanted_version(nova, call->service, want);
  if (call->json == NULL || version_matches(want, call->service, reply)) {
    return;
  }
  json_decref(call->json);
  call->json = NULL;
  (void)uw_err_set(&call->err, UW_EXIT_UNKNOWN,
                   "asked in API version %s, answered in '%s'; a proxy changes the version "
                   "headers, so the reply cannot be trusted",
                   strchr(want, ' ') + 1, reply->api_version);
  (void)nova_blame(call, &call->err);
}

struct get_batch {
  struct http_request *request;
  struct http_reply *reply;
  size_t *index; /* call of each request */
  size_t count;
};

static void batch_free(struct get_batch *b) {
  free(b->request);
  free(b->reply);
  free(b->index);
}

static bool batch_make(struct get_batch *b, size_t n) {
  memset(b, 0, sizeof *b);
  b->request = calloc(n, sizeof *b->request);
  b->reply = calloc(n, sizeof *b->reply);
  b->index = calloc(n, sizeof *b->index);
  return b->request != NULL && b->reply != NULL && b->index != NULL;
}

void nova_set_path(struct nova_call *call, const char *format, ...) {
  va_list ap;
  va_start(ap, format);
  int n = vsnprintf(call->path, sizeof call->path, format, ap);
  va_end(ap);
  if (n < 0 || (size_t)n >= sizeof call->path) {
    call->fixed_fail = true;
    (void)uw_err_set(&call->err, UW_EXIT_UNKNOWN, "internal: a request path does not fit");
  }
}

/* The whole URL of a call; -1 (a failure that no new token changes) when there is none. */
static int set_url(const struct nova *nova, struct nova_call *call) {
  const char *base = nova->endpoint;
  if (call->service != KS_COMPUTE) {
    base = nova->other[call->service].url;
  }
  if (base[0] == '\0') {
    call->err = nova->other[call->service].why;
    call->fixed_fail = true;
    return -1;
  }
  int len = snprintf(call->url, sizeof call->url, "%s%s", base, call->path);
  if (len < 0 || (size_t)len >= sizeof call->url) {
    call->fixed_fail = true;
    return uw_err_set(&call->err, UW_EXIT_USAGE, "GET %.200s: the URL is too long", call->path);
  }
  return 0;
}

/* One pass over the calls that have neither a result nor a fixed failure. */
static void get_pass(struct nova *nova, struct nova_call *calls, size_t n, struct get_batch *b) {
  b->count = 0;
  for (size_t i = 0; i < n; i++) {
    struct nova_call *call = &calls[i];
    if (call->json != NULL || call->fixed_fail || set_url(nova, call) != 0) {
      continue;
    }
    struct http_request *r = &b->request[b->count];
    memset(r, 0, sizeof *r);
    r->method = HTTP_GET;
    r->url = call->url;
    nova_set_headers(nova, call->service, r, 0);
    b->index[b->count++] = i;
  }
  ex_perform(nova->http, b->request, b->reply, b->count, nova->retries);
  for (size_t i = 0; i < b->count; i++) {
    struct nova_call *call = &calls[b->index[i]];
    uw_err_clear(&call->err);
    read_reply(nova, &b->request[i], &b->reply[i], call);
    http_reply_free(&b->reply[i]);
  }
  nova_wipe_headers(nova);
}

static bool any_401(const struct nova_call *calls, size_t n) {
  for (size_t i = 0; i < n; i++) {
    if (calls[i].json == NULL && calls[i].err.http == 401) {
      return true;
    }
  }
  return false;
}

/* Only what was refused with 401 is worth a second pass with a new token. */
static void settle_others(struct nova_call *calls, size_t n) {
  for (size_t i = 0; i < n; i++) {
    calls[i].fixed_fail = calls[i].json == NULL && calls[i].err.http != 401;
  }
}

void nova_explain_401(const struct nova *nova, struct uw_err *err) {
  bool renewed = nova->reauthenticated;
  char said[UW_ERR_TEXT_BYTES];
  int http = err->http;
  memcpy(said, err->text, sizeof said);
  const char *limited = nova->token.limited;
  const char *first = renewed ? "a new token was refused as well: " : "";
  if (limited[0] != '\0') {
    (void)uw_err_set(
        err, err->status,
        "%.700s: %sthe access rules of application credential %.100s do not allow this "
        "%s; make one with the rules that SECURITY.md lists",
        said, first, limited, renewed ? "path" : "request (or it was revoked)");
  } else {
    (void)uw_err_set(err, err->status, "%.700s: %s%s", said, first,
                     renewed ? "the user's tokens were revoked this second (try again), or the "
                               "service does not take tokens of this Keystone (its "
                               "[keystone_authtoken])"
                             : "the token was revoked or has expired");
  }
  err->http = http;
}

void nova_explain_404(const struct nova *nova, const char *uuid, const struct nova_call *call,
                      struct uw_err *err) {
  (void)uw_err_set(err, UW_EXIT_USAGE, "no instance %s in cloud %s%s%s%s", uuid, nova->cloud.name,
                   nova->token.admin ? ""
                                     : ", or one of another project, which Nova shows to admins "
                                       "only (this credential has no role admin; SECURITY.md)",
                   call->request_id[0] != '\0' ? ": request " : "", call->request_id);
  err->http = 404;
}

static void explain_all(const struct nova *nova, struct nova_call *calls, size_t n) {
  for (size_t i = 0; i < n; i++) {
    if (calls[i].json == NULL && calls[i].err.http == 401) {
      nova_explain_401(nova, &calls[i].err);
    }
  }
}

static void fail_all(struct nova_call *calls, size_t n, const struct uw_err *err) {
  for (size_t i = 0; i < n; i++) {
    if (calls[i].json == NULL && !calls[i].fixed_fail) {
      calls[i].err = *err;
    }
  }
}

void nova_get(struct nova *nova, struct nova_call *calls, size_t n) {
  struct uw_err err;
  struct get_batch b;
  for (size_t i = 0; i < n; i++) {
    calls[i].date_s = -1;
  }
  if (n == 0) {
    return;
  }
  if (n > NOVA_MAX_CALLS || !batch_make(&b, n)) {
    (void)uw_err_set(&err, UW_EXIT_UNKNOWN, "no memory for %zu requests", n);
    fail_all(calls, n, &err);
    if (n <= NOVA_MAX_CALLS) {
      batch_free(&b);
    }
    return;
  }
  uw_err_clear(&err);
  if (left_ms(nova) < NOVA_MARGIN_MS && nova->cloud.auth != OS_AUTH_TOKEN &&
      renew(nova, &err) != 0) {
    fail_all(calls, n, &err);
    batch_free(&b);
    return;
  }
  get_pass(nova, calls, n, &b);
  if (any_401(calls, n) && !nova->reauthenticated) {
    nova->reauthenticated = true;
    settle_others(calls, n);
    if (renew(nova, &err) != 0) {
      fail_all(calls, n, &err);
      batch_free(&b);
      return;
    }
    get_pass(nova, calls, n, &b);
  }
  explain_all(nova, calls, n);
  batch_free(&b);
}

void nova_calls_free(struct nova_call *calls, size_t n) {
  for (size_t i = 0; i < n; i++) {
    json_decref(calls[i].json);
    calls[i].json = NULL;
  }
}

int nova_trust_empty(const struct nova *nova, const char *what, struct uw_err *err) {
  return nova->token.admin
             ? 0
             : uw_err_set(err, UW_EXIT_UNKNOWN,
                          "no %s are listed, and to a credential without role admin those of other "
                          "projects are not shown",
                          what);
}

void nova_note(struct nova_reading *reading, const struct nova_call *call) {
  /* The oldest of the clocks of the API's nodes: a clock ahead must not make a record old. */
  if (call->date_s >= 0 && (reading->now_s < 0 || call->date_s < reading->now_s)) {
    reading->now_s = call->date_s;
  }
  for (size_t i = 0; call->request_id[0] != '\0' && i < 8; i++) {
    if (reading->request_ids[i][0] == '\0') {
      memcpy(reading->request_ids[i], call->request_id, sizeof call->request_id);
      return;
    }
  }
}

/* --- Microversion ---------------------------------------------------------------------------- */

/* The path segment "/v2.1" or "/v2" (old catalogs) of url and its length; NULL without one. */
static const char *find_segment(const char *url, size_t *len) {
  const char *authority = strstr(url, "://");
  const char *at = authority == NULL ? NULL : strchr(authority + 3, '/');
  for (at = at == NULL ? NULL : strstr(at, "/v2"); at != NULL; at = strstr(at + 1, "/v2")) {
    *len = strncmp(at, "/v2.1", 5) == 0 ? 5 : 3;
    if (at[*len] == '\0' || at[*len] == '/') {
      return at;
    }
  }
  return NULL;
}

/* The maximum of a version entry "2.93"; -1 when it is none. */
static int minor_of(const char *text) {
  if (strncmp(text, "2.", 2) != 0) {
    return -1;
  }
  size_t digits = strspn(text + 2, "0123456789");
  return digits == 0 || digits > 5 || text[2 + digits] != '\0' ? -1
                                                               : (int)strtol(text + 2, NULL, 10);
}

static const json_t *entry_21(const json_t *root) {
  const json_t *one = json_object_get(root, "version");
  const json_t *list = json_object_get(root, "versions");
  if (json_is_object(one)) {
    return one;
  }
  for (size_t i = 0; i < json_array_size(list) && i < 100; i++) {
    if (strcmp(uw_json_str(json_array_get(list, i), "id", ""), "v2.1") == 0) {
      return json_array_get(list, i);
    }
  }
  return NULL;
}

static int pin(struct nova *nova, const json_t *root, const char *url, struct uw_err *err) {
  const json_t *entry = entry_21(root);
  int max = minor_of(uw_json_str(entry, "version", ""));
  int min = minor_of(uw_json_str(entry, "min_version", ""));
  if (max < 0 || min < 0) {
    return uw_err_set(err, UW_EXIT_USAGE,
                      "cloud %s: %s does not say which compute API versions it has; is it Nova's "
                      "v2.1 endpoint?",
                      nova->cloud.name, url);
  }
  if (max < NOVA_MIN_MINOR || min > NOVA_MIN_MINOR) {
    return uw_err_set(err, UW_EXIT_USAGE,
                      "cloud %s offers compute API 2.%d to 2.%d; 2.%d (Nova 20, Train) is needed",
                      nova->cloud.name, min, max, NOVA_MIN_MINOR);
  }
  nova->max_minor = max;
  nova->minor = max >= NOVA_EVENT_MINOR ? NOVA_EVENT_MINOR : NOVA_MIN_MINOR;
  return 0;
}

static json_t *get_version(struct nova *nova, const char *url, bool with_token, int *status,
                           struct uw_err *err) {
  struct http_request request = {.method = HTTP_GET, .url = url};
  struct http_reply reply;
  if (with_token) {
    nova_set_headers(nova, KS_COMPUTE, &request, 0);
  }
  ex_perform(nova->http, &request, &reply, 1, nova->retries);
  /* The unversioned root answers 300 in some releases; its body is the list. */
  json_t *root = ex_json(&request, &reply, reply.status == 300 ? 300 : 200, err);
  *status = reply.status;
  http_reply_free(&reply);
  nova_wipe_headers(nova);
  return root;
}

/*
 * The versioned root is open to everybody since Train. Where it is not, the unversioned one
 * is, and only then the token is shown: access rules of an application credential seldom
 * allow this path, and would make it look expired.
 */
static int find_version(struct nova *nova, struct uw_err *err) {
  char root_url[KS_URL_BYTES];
  char url[KS_URL_BYTES + 8];
  int status = 0;
  size_t len = 0;
  memcpy(root_url, nova->endpoint, sizeof root_url);
  const char *segment = find_segment(nova->endpoint, &len);
  if (segment != NULL) {
    root_url[segment - nova->endpoint] = '\0';
  }
  (void)snprintf(url, sizeof url, "%s/v2.1/", root_url);
  json_t *root = get_version(nova, url, false, &status, err);
  if (root == NULL && status == 401) {
    (void)snprintf(url, sizeof url, "%s/", root_url);
    root = get_version(nova, url, false, &status, err);
    if (root == NULL || entry_21(root) == NULL) {
      json_decref(root);
      (void)snprintf(url, sizeof url, "%s/v2.1/", root_url);
      root = get_version(nova, url, true, &status, err);
      if (root == NULL && status == 401) {
        nova_explain_401(nova, err);
      }
    }
  }
  int result = root == NULL ? uw_err_wrap(err, "cloud %s: compute API", nova->cloud.name)
                            : pin(nova, root, url, err);
  json_decref(root);
  return result;
}

/* The endpoint of the calls: /v2 of old catalogs becomes /v2.1, a missing version is added. */
static int normalise_endpoint(struct nova *nova, struct uw_err *err) {
  char old[KS_URL_BYTES];
  size_t len = 0;
  memcpy(old, nova->endpoint, sizeof old);
  const char *segment = find_segment(old, &len);
  int root = segment == NULL ? (int)strlen(old) : (int)(segment - old);
  const char *tail = segment == NULL ? "" : segment + len;
  int n = snprintf(nova->endpoint, sizeof nova->endpoint, "%.*s/v2.1%s", root, old, tail);
  return n > 0 && (size_t)n < sizeof nova->endpoint
             ? 0
             : uw_err_set(err, UW_EXIT_USAGE, "cloud %s: the compute endpoint is too long",
                          nova->cloud.name);
}

/* Adds the version to the endpoint of a service, unless the catalog has it in the path. */
static int add_version(char url[KS_URL_BYTES], const char *segment, struct uw_err *err) {
  const char *authority = strstr(url, "://");
  const char *at = authority == NULL ? NULL : strchr(authority + 3, '/');
  for (at = at == NULL ? NULL : strstr(at, segment); at != NULL; at = strstr(at + 1, segment)) {
    char behind = at[strlen(segment)];
    if (behind == '\0' || behind == '/') {
      return 0;
    }
  }
  size_t n = strlen(url);
  if (n + strlen(segment) >= KS_URL_BYTES) {
    return uw_err_set(err, UW_EXIT_USAGE, "the endpoint %.200s is too long", url);
  }
  memcpy(url + n, segment, strlen(segment) + 1);
  return 0;
}

/* Nothing is decided upon the other services, so a cloud without one is as good as any. */
static void find_others(struct nova *nova, const json_t *catalog) {
  static const char *const version[KS_SERVICES] = {[KS_NETWORK] = "/v2.0", [KS_VOLUME] = "/v3"};
  for (enum ks_service i = KS_PLACEMENT; i < KS_SERVICES; i++) {
    char *url = nova->other[i].url;
    struct uw_err *why = &nova->other[i].why;
    if (ks_endpoint(catalog, &nova->cloud, i, url, why) != 0 ||
        (version[i] != NULL && add_version(url, version[i], why) != 0)) {
      url[0] = '\0';
    }
  }
}

/* --- Opening and closing --------------------------------------------------------------------- */

static int copy_secret(char **field, const char *text, struct uw_err *err) {
  *field = text == NULL ? NULL : strdup(text);
  return text != NULL && *field == NULL
             ? uw_err_set(err, UW_EXIT_USAGE, "no memory for a credential")
             : 0;
}

static int copy_cloud(struct os_cloud *to, const struct os_cloud *from, struct uw_err *err) {
  *to = *from;
  to->password = NULL;
  to->appcred_secret = NULL;
  to->token = NULL;
  return copy_secret(&to->password, from->password, err) != 0 ||
                 copy_secret(&to->appcred_secret, from->appcred_secret, err) != 0 ||
                 copy_secret(&to->token, from->token, err) != 0
             ? -1
             : 0;
}

static void free_secret(char *secret) {
  if (secret != NULL) {
    explicit_bzero(secret, strlen(secret));
    free(secret);
  }
}

void nova_close(struct nova *nova) {
  if (nova == NULL) {
    return;
  }
  http_free(nova->http);
  ks_token_free(&nova->token);
  free_secret(nova->cloud.password);
  free_secret(nova->cloud.appcred_secret);
  free_secret(nova->cloud.token);
  explicit_bzero(nova, sizeof *nova);
  free(nova);
}

static int make_client(struct nova *nova, struct uw_err *err) {
  const struct nova_options *o = &nova->options;
  struct http_options h = {.insecure = nova->cloud.insecure,
                           .cacert = nova->cloud.cacert,
                           .cert = nova->cloud.cert,
                           .key = nova->cloud.key,
                           .connect_timeout_ms = o->connect_timeout_ms,
                           .timeout_ms = o->timeout_ms,
                           .max_reply_bytes = o->max_reply_bytes,
                           .debug = o->debug};
  nova->retries = o->get_retries < 0 ? 0 : o->get_retries == 0 ? 2 : o->get_retries;
  if (o->run_id[0] != '\0') {
    (void)snprintf(nova->run_header, sizeof nova->run_header, "X-OpenStack-Request-ID: req-%s",
                   o->run_id);
  }
  return http_new(&h, &nova->http, err);
}

static int open_session(struct nova *nova, struct uw_err *err) {
  json_t *catalog = NULL;
  const struct os_cloud *c = &nova->cloud;
  if (c->insecure) {
    uw_warn("cloud %s: certificates are not verified (verify: false)", c->name);
  }
  if (make_client(nova, err) != 0 ||
      ks_discover(nova->http, c, nova->retries, nova->keystone, err) != 0 ||
      authenticate(nova, &catalog, err) != 0) {
    return -1;
  }
  int result = ks_endpoint(catalog, c, KS_COMPUTE, nova->endpoint, err);
  find_others(nova, catalog);
  json_decref(catalog);
  if (result != 0) {
    return -1;
  }
  bool plain = http_url_plain(nova->keystone) || http_url_plain(nova->endpoint);
  for (enum ks_service i = KS_PLACEMENT; i < KS_SERVICES; i++) {
    plain = plain || http_url_plain(nova->other[i].url);
  }
  if (plain) {
    uw_warn("cloud %s: plain http: password and token can be read on the way", c->name);
  }
  return find_version(nova, err) != 0 ? -1 : normalise_endpoint(nova, err);
}

int nova_open(const struct os_cloud *cloud, const struct nova_options *options, struct nova **ret,
              struct uw_err *err) {
  *ret = NULL;
  struct nova *nova = calloc(1, sizeof *nova);
  if (nova == NULL) {
    return uw_err_set(err, UW_EXIT_USAGE, "no memory for a session");
  }
  nova->options = *options;
  if (copy_cloud(&nova->cloud, cloud, err) != 0 || open_session(nova, err) != 0) {
    nova_close(nova);
    return -1;
  }
  *ret = nova;
  return 0;
}

int nova_max_minor(const struct nova *nova) { return nova->max_minor; }

const char *nova_user_id(const struct nova *nova) { return nova->token.user_id; }

const char *nova_cloud_name(const struct nova *nova) { return nova->cloud.name; }
