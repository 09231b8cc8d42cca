#include "agent/openstack/exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "agent/base/clock.h"
#include "agent/base/json.h"
#include "agent/http/url.h"

#define MESSAGE_BYTES 300

const char *ex_request_id(const struct http_reply *reply) {
  return reply->compute_request_id[0] != '\0' ? reply->compute_request_id : reply->request_id;
}

/* --- Repetition ------------------------------------------------------------------------------ */

static bool may_pass(const struct http_reply *reply) {
  if (reply->phase == HTTP_REPLIED) {
    return reply->status == 429 || reply->status == 500 || reply->status == 502 ||
           reply->status == 503 || reply->status == 504;
  }
  return reply->cause == HTTP_CAUSE_CONNECT || reply->cause == HTTP_CAUSE_RESOLVE ||
         reply->cause == HTTP_CAUSE_BROKEN;
}

/* Seconds that the reply asks to wait; -1 when it does not. */
static int64_t retry_after_s(const struct http_reply *reply) {
  const char *text = reply->retry_after;
  size_t digits = strspn(text, "0123456789");
  if (digits > 0 && text[digits] == '\0') {
    return digits > 9 ? INT32_MAX : (int64_t)strtol(text, NULL, 10);
  }
  int64_t until = uw_time_parse_http(text);
  int64_t now = uw_time_parse_http(reply->date);
  if (until < 0) {
    return -1;
  }
  now = now >= 0 ? now : uw_wall_s();
  return until > now ? until - now : 0;
}

static bool again(const struct http_request *request, const struct http_reply *reply,
                  int64_t *wait_ms) {
  if (request->once || !may_pass(reply)) {
    return false;
  }
  int64_t asked = retry_after_s(reply);
  if (asked > EX_MAX_RETRY_AFTER_S) {
    return false;
  }
  if (asked * 1000 > *wait_ms) {
    *wait_ms = asked * 1000;
  }
  return true;
}

/* Performs those of the n that are worth it once more; 0 when there is none or no memory. */
static size_t repeat(struct http *http, const struct http_request *requests,
                     struct http_reply *replies, size_t n, int attempt) {
  int64_t wait_ms = (int64_t)EX_BACKOFF_MS << attempt;
  size_t count = 0;
  size_t *index = calloc(n, sizeof *index);
  struct http_request *some = calloc(n, sizeof *some);
  struct http_reply *fresh = calloc(n, sizeof *fresh);
  if (index != NULL && some != NULL && fresh != NULL) {
    for (size_t i = 0; i < n; i++) {
      if (again(&requests[i], &replies[i], &wait_ms)) {
        index[count] = i;
        some[count] = requests[i];
        count++;
      }
    }
    if (count > 0 && uw_sleep_ms(wait_ms) != 0) {
      count = 0; /* a signal: the caller's errors are as good now */
    }
    if (count > 0) {
      http_perform(http, some, fresh, count);
    }
    for (size_t i = 0; i < count; i++) {
      http_reply_free(&replies[index[i]]);
      replies[index[i]] = fresh[i];
    }
  }
  free(index);
  free(some);
  free(fresh);
  return count;
}

void ex_perform(struct http *http, const struct http_request *requests, struct http_reply *replies,
                size_t n, int retries) {
  if (n == 0) {
    return;
  }
  http_perform(http, requests, replies, n);
  int most = retries < EX_MAX_RETRIES ? retries : EX_MAX_RETRIES;
  for (int attempt = 0; attempt < most; attempt++) {
    if (repeat(http, requests, replies, n, attempt) == 0) {
      return;
    }
  }
}

/* --- Words ----------------------------------------------------------------------------------- */

static bool says_html(const struct http_reply *reply) {
  const char *body = uw_buf_text(&reply->body);
  body += strspn(body, " \t\r\n");
  return strcasestr(reply->content_type, "html") != NULL ||
         strncasecmp(body, "<!doctype", 9) == 0 || strncasecmp(body, "<html", 5) == 0;
}

/* Runs of white space become one blank; what ends a sentence goes, since words may follow. */
static void one_line(char *text) {
  size_t n = 0;
  for (const char *c = text; *c != '\0'; c++) {
    bool blank = strchr(" \t\r\n", *c) != NULL;
    if (!blank || (n > 0 && text[n - 1] != ' ')) {
      text[n++] = blank ? ' ' : *c;
    }
  }
  while (n > 0 && strchr(" .", text[n - 1]) != NULL) {
    n--;
  }
  text[n] = '\0';
}

/*
 * Keystone, Nova, Neutron and Cinder answer {"anything": {"message": "...", ...}}, Placement
 * {"errors": [{"detail": "...", ...}]} (its guideline: api-wg errors).
 */
static void message_of(const struct http_reply *reply, char out[MESSAGE_BYTES]) {
  struct uw_err ignored;
  out[0] = '\0';
  if (says_html(reply)) {
    (void)snprintf(out, MESSAGE_BYTES, "an HTML page, not the API's answer");
    return;
  }
  json_t *root =
      uw_json_parse(uw_buf_text(&reply->body), reply->body.len, "", UW_EXIT_UNKNOWN, &ignored);
  const char *message = NULL;
  void *first = root == NULL ? NULL : json_object_iter(root);
  if (first != NULL) {
    message = uw_json_str(json_object_iter_value(first), "message", NULL);
  }
  if (message == NULL) {
    message = uw_json_str(json_array_get(json_object_get(root, "errors"), 0), "detail", NULL);
  }
  if (message != NULL) {
    (void)snprintf(out, MESSAGE_BYTES, "%s", message);
    one_line(out);
    http_printable(out);
  }
  json_decref(root);
}

static const char *advice(const struct http_reply *reply) {
  switch (reply->status) {
  case 403:
    return "; the credential lacks the right (role admin is wanted, or a policy of the service that "
           "gives it to another role: see SECURITY.md)";
  case 406: return "; the cloud does not offer this API version";
  case 413: return "; a proxy refuses the size";
  case 429: return "; the API limits the rate, try again later";
  default: break;
  }
  if (reply->status >= 300 && reply->status < 400) {
    return "; redirects are not followed: correct the URL";
  }
  if (reply->status >= 500) {
    return "; the API or a proxy before it is in trouble, try again later";
  }
  return says_html(reply) ? "; is this URL the API, or does a proxy or portal answer?" : "";
}

static enum uw_exit status_of(const struct http_reply *reply) {
  bool ours = reply->status == 401 || reply->status == 403 || reply->status == 404;
  return reply->phase == HTTP_REPLIED && ours ? UW_EXIT_USAGE : UW_EXIT_UNKNOWN;
}

static void head_of(const struct http_request *request, char *out, size_t n) {
  char path[HTTP_URL_BYTES];
  http_url_path(request->url, path);
  (void)snprintf(out, n, "%s %.300s", request->method == HTTP_POST ? "POST" : "GET", path);
}

int ex_error(const struct http_request *request, const struct http_reply *reply,
             struct uw_err *err) {
  char head[320];
  char message[MESSAGE_BYTES];
  head_of(request, head, sizeof head);
  if (reply->phase != HTTP_REPLIED) {
    char seen[32] = "";
    if (reply->status != 0) {
      (void)snprintf(seen, sizeof seen, " (status %d was seen)", reply->status);
    }
    (void)uw_err_set(err, UW_EXIT_UNKNOWN, "%s: %s%s", head, reply->text, seen);
  } else {
    char where[HTTP_WHERE_BYTES];
    http_url_where(request->url, where);
    message_of(reply, message);
    const char *id = ex_request_id(reply);
    const char *place = reply->location[0] != '\0' ? reply->location : message;
    bool moved = reply->status >= 300 && reply->status < 400;
    const char *words = moved ? place : message;
    bool later = reply->retry_after[0] != '\0' && (reply->status == 429 || reply->status == 503);
    (void)uw_err_set(err, status_of(reply), "%s: %d %s from %s%s%.260s%s%s%s%s%s%s", head,
                     reply->status, http_status_words(reply->status), where,
                     words[0] != '\0' ? ": " : "", words, advice(reply),
                     later ? " (Retry-After " : "", later ? reply->retry_after : "",
                     later ? ")" : "", id[0] != '\0' ? " [" : "", id);
    if (id[0] != '\0' && err != NULL && strlen(err->text) + 1 < sizeof err->text) {
      size_t used = strlen(err->text);
      err->text[used] = ']';
      err->text[used + 1] = '\0';
    }
  }
  if (err != NULL) {
    err->http = reply->status;
  }
  return -1;
}

json_t *ex_json(const struct http_request *request, const struct http_reply *reply, int want,
                struct uw_err *err) {
  if (reply->phase != HTTP_REPLIED || reply->status != want) {
    (void)ex_error(request, reply, err);
    return NULL;
  }
  char head[320];
  char what[352 + HTTP_VALUE_BYTES];
  head_of(request, head, sizeof head);
  const char *id = ex_request_id(reply);
  (void)snprintf(what, sizeof what, "%s: %d%s%s%s", head, reply->status, id[0] != '\0' ? " [" : "",
                 id, id[0] != '\0' ? "]" : "");
  if (says_html(reply)) {
    (void)uw_err_set(err, UW_EXIT_UNKNOWN,
                     "%s: an HTML page instead of JSON; is this URL the API, or does a proxy or "
                     "portal answer?",
                     what);
    err->http = reply->status;
    return NULL;
  }
  json_t *root =
      uw_json_parse(uw_buf_text(&reply->body), reply->body.len, what, UW_EXIT_UNKNOWN, err);
  if (root != NULL && !json_is_object(root)) {
    json_decref(root);
    root = NULL;
    (void)uw_err_set(err, UW_EXIT_UNKNOWN, "%s: the reply is no JSON object", what);
  }
  if (root == NULL) {
    http_printable(err->text); /* the parser quotes the text it stopped at */
    err->http = reply->status;
  }
  return root;
}
