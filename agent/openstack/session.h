/* Inside of agent/openstack: the session of nova.h and its reads, of Nova and of its neighbours. */
#ifndef UW_SESSION_H
#define UW_SESSION_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/base/err.h"
#include "agent/http/http.h"
#include "agent/openstack/clouds.h"
#include "agent/openstack/keystone.h"
#include "agent/openstack/nova.h"

#define NOVA_MIN_MINOR 79   /* 2.79, Train: record uuids, paging, hosts of events, down cells */
#define NOVA_EVENT_MINOR 84 /* 2.84: details of events */
#define PLACEMENT_VERSION "1.28" /* Rocky: root_provider_uuid (1.14) is in it */
#define VOLUME_VERSION "3.27"    /* Ocata: attachments */
#define NOVA_MAX_CALLS 80        /* reads side by side */
#define NOVA_PATH_BYTES 2304     /* path and query below the endpoint */
#define NOVA_HEADER_BYTES 128
#define NOVA_MARGIN_MS 30000 /* a token this near to its end is renewed before use */

/* Header lines of one request, the token among them. Wipe after use. */
struct nova_headers {
  char token[HTTP_MAX_TOKEN + 32];
  char version[NOVA_HEADER_BYTES], old_version[NOVA_HEADER_BYTES], run[NOVA_HEADER_BYTES];
};

struct nova {
  struct http *http;
  struct os_cloud cloud; /* own copy, secrets included */
  struct nova_options options;
  int retries;
  char keystone[KS_URL_BYTES]; /* ends in /v3 */
  char endpoint[KS_URL_BYTES]; /* ends in /v2.1 or /v2.1/PROJECT, no slash behind it */
  struct ks_token token;
  struct nova_headers headers;
  /* Of the other services, like endpoint; "" when there is none to use, and then why says so. */
  struct {
    char url[KS_URL_BYTES];
    struct uw_err why;
  } other[KS_SERVICES];               /* [KS_COMPUTE] is not used */
  char run_header[NOVA_HEADER_BYTES]; /* "" none */
  int max_minor, minor;               /* minor: the one that is asked for; 0 before it is known */
  bool reauthenticated;               /* after a 401; once per run */
};

/* One read. Zero it, set path (and service); free with nova_calls_free(). */
struct nova_call {
  enum ks_service service;
  char path[NOVA_PATH_BYTES]; /* "/servers/...": below the endpoint */
  bool fixed_fail;            /* path could not be built; err says why */
  json_t *json;               /* owned; NULL when the call failed */
  struct uw_err err;
  char url[HTTP_URL_BYTES];
  int64_t date_s; /* of the reply, -1 none */
  char request_id[RCV_ID_BYTES];
};

/* Performs n <= NOVA_MAX_CALLS reads side by side; each call then has json or err. */
void nova_get(struct nova *nova, struct nova_call *calls, size_t n);
void nova_calls_free(struct nova_call *calls, size_t n);

/* The path of a call, printed; one that does not fit makes the call fail. */
void nova_set_path(struct nova_call *call, const char *format, ...) UW_PRINTF(2, 3);

/* Header lines for a service into request->header, from index `from`; they live in
 * nova->headers. */
void nova_set_headers(struct nova *nova, enum ks_service service, struct http_request *request,
                      size_t from);
void nova_wipe_headers(struct nova *nova);

/*
 * A list of the instance's things that came out empty: 0 when that is the truth, since role admin sees
 * all projects' things; else -1 with an error, because to others Neutron and Cinder answer with an
 * empty list where they hide what another project owns. what: "ports".
 */
int nova_trust_empty(const struct nova *nova, const char *what, struct uw_err *err) UW_MUST_USE;

/*
 * Adds to the error of a 401 what it means for this credential: to a token that has ended and to a
 * path outside the access rules services answer the same, so a new token was tried once in the run.
 */
void nova_explain_401(const struct nova *nova, struct uw_err *err);

/* The error of a server's 404: it is gone, or it is there and hidden from this credential. */
void nova_explain_404(const struct nova *nova, const char *uuid, const struct nova_call *call,
                      struct uw_err *err);

/* Adds what a call told besides its body: newest Date, request id. */
void nova_note(struct nova_reading *reading, const struct nova_call *call);

/* Puts method, path, status and request id before an error about the body. Returns -1. */
int nova_blame(const struct nova_call *call, struct uw_err *err);

#endif
