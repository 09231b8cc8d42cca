#include "agent/http/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "agent/http/tls.h"
#include "agent/http/url.h"

#if LIBCURL_VERSION_NUM < 0x075500
#error "libcurl 7.85 or newer is needed (CURLOPT_PREREQFUNCTION, CURLOPT_PROTOCOLS_STR)"
#endif

#define POLL_MS 1000       /* longest sleep of one poll; libcurl shortens it for its timers */
#define LOW_SPEED_BYTES 16 /* a reply slower than this, per second ... */
#define LOW_SPEED_S 20     /* ... for this long has stalled */
#define POOL_SIZE 32       /* connections kept */

struct http {
  CURLM *multi;
  bool insecure, debug;
  char *user_agent, *cacert, *cert, *key; /* owned, NULL none */
  int64_t connect_timeout_ms, timeout_ms;
  size_t max_reply_bytes, parallel;
};

/* One request under way. */
struct transfer {
  const struct http *http;
  const struct http_request *request;
  struct http_reply *reply;
  CURL *easy;
  struct curl_slist *headers;
  bool started;     /* libcurl was about to write the request: it may be out */
  bool header_seen; /* any byte of a reply */
  bool body_seen;   /* headers after this are trailers */
  bool over;        /* our own limit ended it */
  size_t header_bytes;
  char error[CURL_ERROR_SIZE];
};

void http_printable(char *text) {
  for (; *text != '\0'; text++) {
    if (*text < 0x20 || *text > 0x7e) {
      *text = '?';
    }
  }
}

const char *http_status_words(int status) {
  static const struct {
    int status;
    const char *words;
  } table[] = {
      {200, "OK"},
      {201, "Created"},
      {202, "Accepted"},
      {204, "No Content"},
      {300, "Multiple Choices"},
      {301, "Moved Permanently"},
      {302, "Found"},
      {303, "See Other"},
      {307, "Temporary Redirect"},
      {308, "Permanent Redirect"},
      {400, "Bad Request"},
      {401, "Unauthorized"},
      {403, "Forbidden"},
      {404, "Not Found"},
      {405, "Method Not Allowed"},
      {406, "Not Acceptable"},
      {408, "Request Timeout"},
      {409, "Conflict"},
      {413, "Content Too Large"},
      {429, "Too Many Requests"},
      {500, "Internal Server Error"},
      {501, "Not Implemented"},
      {502, "Bad Gateway"},
      {503, "Service Unavailable"},
      {504, "Gateway Timeout"},
  };
  for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
    if (table[i].status == status) {
      return table[i].words;
    }
  }
  return "";
}

void http_reply_free(struct http_reply *reply) {
  if (reply->token != NULL) {
    explicit_bzero(reply->token, strlen(reply->token));
    free(reply->token);
    reply->token = NULL;
  }
  uw_buf_wipe(&reply->body);
}

/* --- Callbacks of libcurl -------------------------------------------------------------------- */

/*
 * Called between the end of connecting (TLS included) and the first byte of the request. That
 * it never ran is what HTTP_NOT_SENT rests on; everything after it may have been sent.
 */
static int on_before_request(void *user, char *remote_ip, char *local_ip, int remote_port,
                             int local_port) {
  struct transfer *t = user;
  (void)remote_ip;
  (void)local_ip;
  (void)remote_port;
  (void)local_port;
  t->started = true;
  return CURL_PREREQFUNC_OK;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *user) {
  struct transfer *t = user;
  size_t n = size * count; /* libcurl's size is 1 */
  t->body_seen = true;
  uw_buf_add(&t->reply->body, bytes, n);
  if (t->reply->body.failed) {
    t->over = true;
    return n == 0 ? 1 : 0; /* anything but n ends the transfer */
  }
  return n;
}

struct kept {
  const char *name;
  size_t offset; /* of char[HTTP_VALUE_BYTES] in struct http_reply */
};

#define KEPT(name, field)                                                                          \
  { name, offsetof(struct http_reply, field) }
static const struct kept kept_headers[] = {
    KEPT("Date", date),
    KEPT("X-Openstack-Request-Id", request_id),
    KEPT("X-Compute-Request-Id", compute_request_id),
    KEPT("OpenStack-API-Version", api_version),
    KEPT("X-OpenStack-Nova-API-Version", nova_api_version),
    KEPT("Retry-After", retry_after),
    KEPT("Content-Type", content_type),
    KEPT("Location", location),
    KEPT("WWW-Authenticate", www_authenticate),
};

static bool printable(const char *bytes, size_t n) {
  for (size_t i = 0; i < n; i++) {
    if (bytes[i] < 0x20 || bytes[i] > 0x7e) {
      return false;
    }
  }
  return true;
}

static void wipe_token(struct http_reply *reply) {
  if (reply->token != NULL) {
    explicit_bzero(reply->token, strlen(reply->token));
    free(reply->token);
    reply->token = NULL;
  }
}

static void keep_header(struct http_reply *reply, const char *name, size_t name_len,
                        const char *value, size_t value_len) {
  static const char token[] = "X-Subject-Token";
  if (!printable(value, value_len)) {
    return;
  }
  if (name_len == sizeof token - 1 && strncasecmp(name, token, name_len) == 0) {
    wipe_token(reply);
    reply->token = value_len <= HTTP_MAX_TOKEN ? strndup(value, value_len) : NULL;
    return;
  }
  for (size_t i = 0; i < sizeof kept_headers / sizeof kept_headers[0]; i++) {
    const struct kept *k = &kept_headers[i];
    if (strlen(k->name) == name_len && strncasecmp(name, k->name, name_len) == 0 &&
        value_len < HTTP_VALUE_BYTES) {
      char *field = (char *)reply + k->offset;
      memcpy(field, value, value_len);
      field[value_len] = '\0';
    }
  }
}

static void clear_headers(struct http_reply *reply) {
  wipe_token(reply);
  for (size_t i = 0; i < sizeof kept_headers / sizeof kept_headers[0]; i++) {
    *((char *)reply + kept_headers[i].offset) = '\0';
  }
}

static bool blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

static size_t on_header(char *bytes, size_t size, size_t count, void *user) {
  struct transfer *t = user;
  size_t n = size * count;
  t->header_seen = true;
  t->header_bytes += n;
  if (t->header_bytes > HTTP_MAX_REPLY_HEADER) {
    t->over = true;
    return n == 0 ? 1 : 0;
  }
  if (t->body_seen) {
    return n;
  }
  if (n >= 5 && memcmp(bytes, "HTTP/", 5) == 0) {
    clear_headers(t->reply); /* what came before belonged to a 1xx */
    return n;
  }
  const char *colon = memchr(bytes, ':', n);
  if (colon != NULL) {
    const char *value = colon + 1;
    const char *end = bytes + n;
    while (value < end && blank(*value)) {
      value++;
    }
    while (end > value && blank(end[-1])) {
      end--;
    }
    keep_header(t->reply, bytes, (size_t)(colon - bytes), value, (size_t)(end - value));
  }
  return n;
}

/* --- Failure in words ------------------------------------------------------------------------ */

static enum http_cause cause_of(CURLcode code, const struct transfer *t) {
  if (t->over || code == CURLE_FILESIZE_EXCEEDED) {
    return HTTP_CAUSE_TOO_BIG;
  }
  if (http_tls_failed(code)) {
    return HTTP_CAUSE_TLS;
  }
  if (code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_RESOLVE_PROXY) {
    return HTTP_CAUSE_RESOLVE;
  }
  if (code == CURLE_OPERATION_TIMEDOUT) {
    return t->started ? HTTP_CAUSE_TIMEOUT : HTTP_CAUSE_CONNECT;
  }
  if (code == CURLE_COULDNT_CONNECT || code == CURLE_PROXY || !t->started) {
    return HTTP_CAUSE_CONNECT;
  }
  return HTTP_CAUSE_BROKEN;
}

static void set_text(struct http_reply *reply, const char *format, ...) UW_PRINTF(2, 3);
static void set_text(struct http_reply *reply, const char *format, ...) {
  va_list ap;
  va_start(ap, format);
  (void)vsnprintf(reply->text, sizeof reply->text, format, ap);
  va_end(ap);
  http_printable(reply->text);
}

static void describe(const struct transfer *t, CURLcode code) {
  struct http_reply *reply = t->reply;
  char where[HTTP_WHERE_BYTES];
  http_url_where(t->request->url, where);
  const char *detail = t->error[0] != '\0' ? t->error : curl_easy_strerror(code);
  long long ms = (long long)(reply->end_ms - reply->start_ms);
  switch (reply->cause) {
  case HTTP_CAUSE_RESOLVE:
    set_text(reply, "no address for %s: %s; check the name and the DNS of this machine", where,
             detail);
    break;
  case HTTP_CAUSE_CONNECT:
    set_text(reply, "no connection to %s after %lld ms: %s; check route, firewall and service",
             where, ms, detail);
    break;
  case HTTP_CAUSE_TLS: {
    long verify = 0;
    (void)curl_easy_getinfo(t->easy, CURLINFO_SSL_VERIFYRESULT, &verify);
    http_tls_words(code, verify, where, detail, reply->text, sizeof reply->text);
    http_printable(reply->text);
    break;
  }
  case HTTP_CAUSE_TIMEOUT:
    set_text(reply, "no whole reply from %s after %lld ms (%s)", where, ms, detail);
    break;
  case HTTP_CAUSE_BROKEN:
    set_text(reply, "the connection to %s broke before a whole reply came: %s", where, detail);
    break;
  case HTTP_CAUSE_TOO_BIG:
    set_text(reply, "the reply of %s is larger than allowed (%zu bytes of body, %zu of headers)",
             where, t->http->max_reply_bytes, HTTP_MAX_REPLY_HEADER);
    break;
  case HTTP_CAUSE_REQUEST:
  case HTTP_CAUSE_NONE:
  case HTTP_CAUSE_OTHER: set_text(reply, "%s: %s", where, detail); break;
  }
}

static void trace(const struct transfer *t) {
  if (!t->http->debug) {
    return;
  }
  const struct http_reply *reply = t->reply;
  const char *id =
      reply->compute_request_id[0] != '\0' ? reply->compute_request_id : reply->request_id;
  char path[HTTP_URL_BYTES];
  http_url_path(t->request->url, path);
  (void)fprintf(stderr, "unwedge: debug: %s %s %d %lld ms %s%s\n",
                t->request->method == HTTP_POST ? "POST" : "GET", path, reply->status,
                (long long)(reply->end_ms - reply->start_ms), id[0] != '\0' ? id : "-",
                reply->phase == HTTP_REPLIED    ? ""
                : reply->phase == HTTP_NOT_SENT ? " (not sent)"
                                                : " (no whole reply)");
}

/* --- One transfer ---------------------------------------------------------------------------- */

static void fail_request(struct transfer *t, const char *why) {
  t->reply->phase = HTTP_NOT_SENT;
  t->reply->cause = HTTP_CAUSE_REQUEST;
  t->reply->end_ms = uw_mono_ms();
  set_text(t->reply, "%s", why);
}

static bool request_usable(const struct http_request *r, const char **why) {
  *why = NULL;
  if (r->method == HTTP_METHOD_NONE) {
    *why = "internal: request without a method";
  } else if (http_url_check(r->url) != 0) {
    *why = "the URL is not a plain http or https URL";
  }
  for (size_t i = 0; *why == NULL && i < HTTP_MAX_HEADERS && r->header[i] != NULL; i++) {
    if (strpbrk(r->header[i], "\r\n") != NULL) {
      *why = "a request header holds a line break";
    }
  }
  return *why == NULL;
}

static bool set_headers(struct transfer *t) {
  static const char *const always[] = {"Accept: application/json", "Expect:"};
  for (size_t i = 0; i < 2; i++) {
    struct curl_slist *more = curl_slist_append(t->headers, always[i]);
    if (more == NULL) {
      return false;
    }
    t->headers = more;
  }
  for (size_t i = 0; i < HTTP_MAX_HEADERS && t->request->header[i] != NULL; i++) {
    struct curl_slist *more = curl_slist_append(t->headers, t->request->header[i]);
    if (more == NULL) {
      return false;
    }
    t->headers = more;
  }
  return curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers) == CURLE_OK;
}

/* Collects failures, so that a long list of options reads as one. */
struct setter {
  CURL *easy;
  bool failed;
};

static void set_long(struct setter *s, CURLoption option, long value) {
  s->failed |= curl_easy_setopt(s->easy, option, value) != CURLE_OK;
}

static void set_string(struct setter *s, CURLoption option, const char *value) {
  if (value != NULL) {
    s->failed |= curl_easy_setopt(s->easy, option, value) != CURLE_OK;
  }
}

static void set_fixed(struct setter *s, const struct http *http) {
  set_string(s, CURLOPT_PROTOCOLS_STR, "http,https");
  set_long(s, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  set_long(s, CURLOPT_FOLLOWLOCATION, 0);
  set_long(s, CURLOPT_NOSIGNAL, 1);
  set_long(s, CURLOPT_PATH_AS_IS, 1);
  set_long(s, CURLOPT_HTTP_CONTENT_DECODING, 0);
  set_long(s, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1);
  set_long(s, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
  set_long(s, CURLOPT_SSL_VERIFYPEER, http->insecure ? 0 : 1);
  set_long(s, CURLOPT_SSL_VERIFYHOST, http->insecure ? 0 : 2);
  set_string(s, CURLOPT_CAINFO, http->cacert);
  set_string(s, CURLOPT_SSLCERT, http->cert);
  set_string(s, CURLOPT_SSLKEY, http->key);
  set_string(s, CURLOPT_USERAGENT, http->user_agent);
  set_long(s, CURLOPT_CONNECTTIMEOUT_MS, (long)http->connect_timeout_ms);
  set_long(s, CURLOPT_TIMEOUT_MS, (long)http->timeout_ms);
  s->failed |= curl_easy_setopt(s->easy, CURLOPT_MAXFILESIZE_LARGE,
                                (curl_off_t)http->max_reply_bytes) != CURLE_OK;
}

static void set_callbacks(struct setter *s, struct transfer *t) {
  CURL *easy = s->easy;
  s->failed |= curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->error) != CURLE_OK;
  s->failed |= curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_before_request) != CURLE_OK;
  s->failed |= curl_easy_setopt(easy, CURLOPT_PREREQDATA, t) != CURLE_OK;
  s->failed |= curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) != CURLE_OK;
  s->failed |= curl_easy_setopt(easy, CURLOPT_WRITEDATA, t) != CURLE_OK;
  s->failed |= curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header) != CURLE_OK;
  s->failed |= curl_easy_setopt(easy, CURLOPT_HEADERDATA, t) != CURLE_OK;
  s->failed |= curl_easy_setopt(easy, CURLOPT_PRIVATE, (char *)t) != CURLE_OK;
}

static void set_request(struct setter *s, const struct http_request *r) {
  set_string(s, CURLOPT_URL, r->url);
  if (r->method == HTTP_POST) {
    set_long(s, CURLOPT_POST, 1);
    s->failed |= curl_easy_setopt(s->easy, CURLOPT_POSTFIELDSIZE_LARGE,
                                  (curl_off_t)(r->body != NULL ? r->body_len : 0)) != CURLE_OK;
    s->failed |=
        curl_easy_setopt(s->easy, CURLOPT_POSTFIELDS, r->body != NULL ? r->body : "") != CURLE_OK;
  } else {
    set_long(s, CURLOPT_HTTPGET, 1);
  }
  if (r->once) {
    set_long(s, CURLOPT_FRESH_CONNECT, 1);
    set_long(s, CURLOPT_FORBID_REUSE, 1);
  } else {
    set_long(s, CURLOPT_LOW_SPEED_LIMIT, LOW_SPEED_BYTES);
    set_long(s, CURLOPT_LOW_SPEED_TIME, LOW_SPEED_S);
  }
}

static bool prepare(struct transfer *t) {
  t->easy = curl_easy_init();
  if (t->easy == NULL) {
    return false;
  }
  struct setter s = {.easy = t->easy, .failed = false};
  set_fixed(&s, t->http);
  set_callbacks(&s, t);
  set_request(&s, t->request);
  return !s.failed && set_headers(t);
}

static void release(struct transfer *t) {
  /* libcurl reads the list until the handle is gone; then the token in it is wiped. */
  curl_easy_cleanup(t->easy);
  t->easy = NULL;
  for (struct curl_slist *h = t->headers; h != NULL; h = h->next) {
    explicit_bzero(h->data, strlen(h->data));
  }
  curl_slist_free_all(t->headers);
  t->headers = NULL;
}

static void finish(struct transfer *t, CURLcode code) {
  struct http_reply *reply = t->reply;
  long status = 0;
  long sent = 0;
  reply->end_ms = uw_mono_ms();
  (void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
  (void)curl_easy_getinfo(t->easy, CURLINFO_REQUEST_SIZE, &sent);
  reply->status = status >= 100 && status <= 599 ? (int)status : 0;
  if (code == CURLE_OK && reply->status >= 200) {
    reply->phase = HTTP_REPLIED;
    reply->cause = HTTP_CAUSE_NONE;
  } else {
    bool silent = !t->started && !t->header_seen && sent == 0;
    reply->phase = silent ? HTTP_NOT_SENT : HTTP_MAY_HAVE_BEEN_SENT;
    reply->cause = code == CURLE_OK ? HTTP_CAUSE_BROKEN : cause_of(code, t);
    describe(t, code);
  }
  trace(t);
}

/* --- The batch ------------------------------------------------------------------------------- */

struct batch {
  struct http *http;
  struct transfer *transfer;
  size_t n, next, running;
};

static void begin(struct batch *b, struct transfer *t) {
  const char *why;
  t->reply->start_ms = uw_mono_ms();
  if (!request_usable(t->request, &why)) {
    fail_request(t, why);
  } else if (!prepare(t)) {
    fail_request(t, "no memory for a request");
    release(t);
  } else if (curl_multi_add_handle(b->http->multi, t->easy) != CURLM_OK) {
    fail_request(t, "libcurl did not take a request");
    release(t);
  } else {
    b->running++;
  }
}

static void fill(struct batch *b) {
  while (b->next < b->n && b->running < b->http->parallel) {
    begin(b, &b->transfer[b->next]);
    b->next++;
  }
}

static void end(struct batch *b, struct transfer *t, CURLcode code) {
  finish(t, code);
  (void)curl_multi_remove_handle(b->http->multi, t->easy);
  release(t);
  b->running--;
}

static void reap(struct batch *b) {
  int left = 0;
  for (CURLMsg *m = curl_multi_info_read(b->http->multi, &left); m != NULL;
       m = curl_multi_info_read(b->http->multi, &left)) {
    if (m->msg == CURLMSG_DONE) {
      char *user = NULL;
      CURLcode code = m->data.result;
      if (curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &user) == CURLE_OK && user != NULL) {
        end(b, (struct transfer *)(void *)user, code);
      }
    }
  }
}

/* A failure of the multi interface itself: whatever runs may have been sent. */
static void give_up(struct batch *b) {
  for (size_t i = 0; i < b->n; i++) {
    if (b->transfer[i].easy != NULL) {
      end(b, &b->transfer[i], CURLE_FAILED_INIT);
    }
  }
  for (; b->next < b->n; b->next++) {
    fail_request(&b->transfer[b->next], "libcurl failed");
  }
}

static void run(struct batch *b) {
  fill(b);
  while (b->running > 0) {
    int running = 0;
    if (curl_multi_perform(b->http->multi, &running) != CURLM_OK) {
      give_up(b);
      return;
    }
    reap(b);
    fill(b);
    if (b->running > 0 && curl_multi_poll(b->http->multi, NULL, 0, POLL_MS, NULL) != CURLM_OK) {
      give_up(b);
      return;
    }
  }
}

void http_perform(struct http *http, const struct http_request *requests,
                  struct http_reply *replies, size_t n) {
  size_t taken = n < HTTP_MAX_BATCH ? n : HTTP_MAX_BATCH;
  struct batch b = {.http = http, .n = taken};
  b.transfer = calloc(taken == 0 ? 1 : taken, sizeof *b.transfer);
  for (size_t i = 0; i < n; i++) {
    memset(&replies[i], 0, sizeof replies[i]);
    replies[i].body.max = http->max_reply_bytes + 1;
    replies[i].phase = HTTP_NOT_SENT;
    replies[i].cause = HTTP_CAUSE_REQUEST;
    set_text(&replies[i], "no room for a request");
    if (b.transfer != NULL && i < taken) {
      b.transfer[i].http = http;
      b.transfer[i].request = &requests[i];
      b.transfer[i].reply = &replies[i];
      replies[i].phase = HTTP_MAY_HAVE_BEEN_SENT;
      replies[i].text[0] = '\0';
    }
  }
  if (b.transfer != NULL) {
    run(&b);
    free(b.transfer);
  }
}

/* --- The client ------------------------------------------------------------------------------ */

static int keep_text(char **field, const char *text, struct uw_err *err) {
  *field = text == NULL || *text == '\0' ? NULL : strdup(text);
  if (text != NULL && *text != '\0' && *field == NULL) {
    return uw_err_set(err, UW_EXIT_USAGE, "no memory for the HTTP client");
  }
  return 0;
}

static int check_file(const char *path, const char *key, struct uw_err *err) {
  if (path != NULL && access(path, R_OK) != 0) {
    return uw_err_set(err, UW_EXIT_USAGE, "%s: cannot read %s: %s", key, path,
                      strerrordesc_np(errno));
  }
  return 0;
}

static int setup(struct http *http, const struct http_options *o, struct uw_err *err) {
  http->insecure = o->insecure;
  http->debug = o->debug;
  http->connect_timeout_ms = o->connect_timeout_ms > 0 ? o->connect_timeout_ms : 5000;
  http->timeout_ms = o->timeout_ms > 0 ? o->timeout_ms : 30000;
  http->max_reply_bytes = o->max_reply_bytes > 0 ? o->max_reply_bytes : (size_t)8 * 1024 * 1024;
  http->parallel = o->parallel > 0 ? o->parallel : 16;
  if (keep_text(&http->user_agent, o->user_agent != NULL ? o->user_agent : "unwedge", err) != 0 ||
      keep_text(&http->cacert, o->cacert, err) != 0 || keep_text(&http->cert, o->cert, err) != 0 ||
      keep_text(&http->key, o->key, err) != 0) {
    return -1;
  }
  if (check_file(http->cacert, "cacert", err) != 0 || check_file(http->cert, "cert", err) != 0 ||
      check_file(http->key, "key", err) != 0) {
    return -1;
  }
  http->multi = curl_multi_init();
  if (http->multi == NULL ||
      curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, (long)POOL_SIZE) != CURLM_OK ||
      curl_multi_setopt(http->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING) != CURLM_OK) {
    return uw_err_set(err, UW_EXIT_USAGE, "libcurl cannot be set up");
  }
  return 0;
}

int http_new(const struct http_options *options, struct http **ret, struct uw_err *err) {
  *ret = NULL;
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    return uw_err_set(err, UW_EXIT_USAGE, "libcurl cannot be initialised");
  }
  struct http *http = calloc(1, sizeof *http);
  if (http == NULL) {
    curl_global_cleanup();
    return uw_err_set(err, UW_EXIT_USAGE, "no memory for the HTTP client");
  }
  if (setup(http, options, err) != 0) {
    http_free(http);
    return -1;
  }
  *ret = http;
  return 0;
}

void http_free(struct http *http) {
  if (http == NULL) {
    return;
  }
  if (http->multi != NULL) {
    (void)curl_multi_cleanup(http->multi);
  }
  free(http->user_agent);
  free(http->cacert);
  free(http->cert);
  free(http->key);
  free(http);
  curl_global_cleanup();
}
