/* TLS failures in words: what is wrong with which side, and what to do. */
#ifndef UW_HTTP_TLS_H
#define UW_HTTP_TLS_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

/* Is this a failure of TLS (handshake, certificate, local files)? */
bool http_tls_failed(CURLcode code);

/*
 * Writes one line to out. verify is CURLINFO_SSL_VERIFYRESULT (OpenSSL's X509_V_ERR_*),
 * where is scheme, host and port, detail is libcurl's own text.
 */
void http_tls_words(CURLcode code, long verify, const char *where, const char *detail, char *out,
                    size_t n);

#endif
