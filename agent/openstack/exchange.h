/* Requests to Keystone and Nova: repetition of reads, and what a bad reply means in words. */
#ifndef UW_EXCHANGE_H
#define UW_EXCHANGE_H

#include <jansson.h>
#include <stdbool.h>

#include "agent/base/err.h"
#include "agent/http/http.h"

#define EX_MAX_RETRIES 5
#define EX_MAX_RETRY_AFTER_S 30 /* a longer Retry-After is not waited for */
#define EX_BACKOFF_MS 200       /* before the first repetition; doubled each time */

/*
 * Performs n requests side by side. Those that failed in a way that may pass (no connection, a
 * broken one, 429, 500, 502, 503, 504) are performed again, up to `retries` times, after the
 * longest Retry-After of them, else after a growing pause. Never for `once` requests.
 */
void ex_perform(struct http *http, const struct http_request *requests, struct http_reply *replies,
                size_t n, int retries);

/*
 * The JSON object of a reply with status `want`; else NULL and one line: method, path, status,
 * Nova's own words, request id, what to do. Status of the error: UW_EXIT_USAGE for 401, 403
 * and 404, else UW_EXIT_UNKNOWN. err->http is the reply's status.
 */
json_t *ex_json(const struct http_request *request, const struct http_reply *reply, int want,
                struct uw_err *err) UW_MUST_USE;

/* The line alone, for a reply that is not as wanted. Returns -1. */
int ex_error(const struct http_request *request, const struct http_reply *reply,
             struct uw_err *err);

/* "request req-..." of a reply, "" without one. Fits HTTP_VALUE_BYTES. */
const char *ex_request_id(const struct http_reply *reply);

#endif
