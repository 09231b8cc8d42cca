/* URLs: what is needed of them, through libcurl's own parser. */
#ifndef UW_HTTP_URL_H
#define UW_HTTP_URL_H

#include <stdbool.h>
#include <stddef.h>

#define HTTP_WHERE_BYTES 320 /* scheme, host and port, with the NUL */

/* 0 when url is absolute http or https, has a host, no user or password, and no control byte. */
int http_url_check(const char *url);
bool http_url_plain(const char *url); /* http, not https */

/* "https://host:port" (the default port left out); "?" when it is not a URL. */
void http_url_where(const char *url, char out[HTTP_WHERE_BYTES]);

/* Path and query, as far as they fit n = HTTP_URL_BYTES of http.h; for messages. */
void http_url_path(const char *url, char *out);

/*
 * The value of one query parameter, decoded, into out of n bytes. -1 when url is unusable,
 * the parameter is absent or does not fit.
 */
int http_url_query(const char *url, const char *name, char *out, size_t n);

/*
 * Appends value percent-encoded (everything but unreserved characters of RFC 3986) to out.
 * -1 when it does not fit n bytes.
 */
int http_url_escape(const char *value, char *out, size_t n);

#endif
