/*
 * The one HTTP client: several requests side by side over libcurl, one connection pool.
 *
 * Fixed for all requests: HTTP/1.1 over http or https, certificates verified unless `insecure`
 * is set explicitly, TLS 1.2 or newer, no redirect is followed (a 3xx is a reply like any
 * other and its Location is kept), no cookies, no .netrc, no decompression, no signals. The
 * usual http_proxy, https_proxy, all_proxy and no_proxy variables are honoured, as by the
 * openstack client and curl; nothing else of the environment is.
 *
 * A client serves one thread. Nothing here retries; libcurl's own repetition on a pooled
 * connection that turned out dead is confined to requests without `once`.
 */
#ifndef UW_HTTP_H
#define UW_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/buf.h"
#include "agent/base/err.h"

#define HTTP_MAX_BATCH 1024                       /* requests of one http_perform() */
#define HTTP_MAX_HEADERS 16                       /* headers of one request */
#define HTTP_MAX_REPLY_HEADER ((size_t)64 * 1024) /* bytes of all headers of one reply */
#define HTTP_MAX_TOKEN ((size_t)16 * 1024)        /* bytes of X-Subject-Token */
#define HTTP_VALUE_BYTES 256                      /* a kept reply header, with its NUL */
#define HTTP_URL_BYTES 4096                       /* a URL, with its NUL */
#define HTTP_TEXT_BYTES 640                       /* a failure in words, with its NUL */

enum http_method { HTTP_METHOD_NONE = 0, HTTP_GET, HTTP_POST };

/* How far a request came. The zero value is the one that permits no conclusion. */
enum http_phase {
  HTTP_MAY_HAVE_BEEN_SENT = 0, /* no whole reply, and the request may have left this machine */
  HTTP_NOT_SENT,               /* name, connection or TLS failed: not one byte of it was sent */
  HTTP_REPLIED                 /* a whole reply is there */
};

enum http_cause {
  HTTP_CAUSE_OTHER = 0,
  HTTP_CAUSE_NONE,    /* replied */
  HTTP_CAUSE_REQUEST, /* the request itself is unusable (URL, header, memory) */
  HTTP_CAUSE_RESOLVE, /* no address for the name */
  HTTP_CAUSE_CONNECT, /* refused, unreachable, or no connection in time */
  HTTP_CAUSE_TLS,     /* handshake, certificate, local TLS files */
  HTTP_CAUSE_TIMEOUT, /* connected, but no whole reply in time, or too slow */
  HTTP_CAUSE_BROKEN,  /* the connection ended or was not HTTP */
  HTTP_CAUSE_TOO_BIG  /* more header or body bytes than allowed */
};

struct http_options {
  const char *user_agent;     /* NULL: "unwedge" */
  bool insecure;              /* accept any certificate and name */
  const char *cacert;         /* PEM file, "" or NULL: the system's */
  const char *cert, *key;     /* client certificate and key (PEM), "" or NULL: none */
  int64_t connect_timeout_ms; /* resolve, connect, TLS; 0: 5000 */
  int64_t timeout_ms;         /* the whole exchange; 0: 30000 */
  size_t max_reply_bytes;     /* 0: 8 MiB */
  size_t parallel;            /* requests at a time; 0: 16 */
  bool debug;                 /* one line per exchange on stderr, without secrets */
};

/* All pointers are borrowed for the call. */
struct http_request {
  enum http_method method;
  const char *url;
  const char *header[HTTP_MAX_HEADERS]; /* "Name: value"; NULL ends */
  const char *body;                     /* NULL: none */
  size_t body_len;
  /*
   * Sent on a connection of its own that is not kept, so that it is never repeated and a
   * failure cannot come from an old connection; only the deadlines of the client end it.
   */
  bool once;
};

struct http_reply {
  enum http_phase phase;
  enum http_cause cause;
  int status; /* 0: no status line was seen; may be set although the reply is not whole */
  struct uw_buf body;
  char *token; /* X-Subject-Token; owned, wiped by http_reply_free(), NULL none */
  /* "" when absent, longer than the field, or not printable ASCII. */
  char date[HTTP_VALUE_BYTES], request_id[HTTP_VALUE_BYTES], compute_request_id[HTTP_VALUE_BYTES];
  char api_version[HTTP_VALUE_BYTES], nova_api_version[HTTP_VALUE_BYTES];
  char retry_after[HTTP_VALUE_BYTES], content_type[HTTP_VALUE_BYTES];
  char location[HTTP_VALUE_BYTES], www_authenticate[HTTP_VALUE_BYTES];
  int64_t start_ms, end_ms;   /* monotonic */
  char text[HTTP_TEXT_BYTES]; /* the failure: what, where, what to do; "" when replied */
};

struct http;

/* Errors (status UW_EXIT_USAGE): TLS files that cannot be read, no memory. */
int http_new(const struct http_options *options, struct http **ret, struct uw_err *err) UW_MUST_USE;
void http_free(struct http *http); /* NULL is fine */

/*
 * Performs n requests, at most `parallel` at a time, and returns when all have ended; each
 * ends within its deadline, so this does too. replies[] is written whole (the caller frees
 * each with http_reply_free()). More than HTTP_MAX_BATCH: the rest is HTTP_NOT_SENT.
 */
void http_perform(struct http *http, const struct http_request *requests,
                  struct http_reply *replies, size_t n);

/* Wipes and frees what the reply owns; a zeroed reply is fine. */
void http_reply_free(struct http_reply *reply);

/* "Not Found" for 404; "" for a status without a common name. */
const char *http_status_words(int status);

/* Replaces every byte that is not printable ASCII by '?': remote text for a terminal. */
void http_printable(char *text);

#endif
