#include "agent/http/url.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/http/http.h"

/* One part of a parsed URL; curl_free() it. NULL when it has none. */
static char *part(CURLU *u, CURLUPart what, unsigned int flags) {
  char *text = NULL;
  return curl_url_get(u, what, &text, flags) == CURLUE_OK ? text : NULL;
}

static CURLU *parse(const char *url) {
  CURLU *u = curl_url();
  if (u != NULL && (url == NULL || curl_url_set(u, CURLUPART_URL, url, 0) != CURLUE_OK)) {
    curl_url_cleanup(u);
    u = NULL;
  }
  return u;
}

static bool scheme_is(CURLU *u, const char *want) {
  char *scheme = part(u, CURLUPART_SCHEME, 0);
  bool same = scheme != NULL && strcmp(scheme, want) == 0;
  curl_free(scheme);
  return same;
}

int http_url_check(const char *url) {
  if (url == NULL || strlen(url) >= HTTP_URL_BYTES) {
    return -1;
  }
  for (const char *c = url; *c != '\0'; c++) {
    if (*c <= 0x20 || *c > 0x7e) {
      return -1;
    }
  }
  CURLU *u = parse(url);
  if (u == NULL) {
    return -1;
  }
  char *host = part(u, CURLUPART_HOST, 0);
  char *user = part(u, CURLUPART_USER, 0);
  char *password = part(u, CURLUPART_PASSWORD, 0);
  bool good = (scheme_is(u, "http") || scheme_is(u, "https")) && host != NULL && *host != '\0' &&
              user == NULL && password == NULL;
  curl_free(host);
  curl_free(user);
  curl_free(password);
  curl_url_cleanup(u);
  return good ? 0 : -1;
}

bool http_url_plain(const char *url) {
  CURLU *u = parse(url);
  bool plain = u != NULL && scheme_is(u, "http");
  curl_url_cleanup(u);
  return plain;
}

void http_url_where(const char *url, char out[HTTP_WHERE_BYTES]) {
  CURLU *u = parse(url);
  char *scheme = u == NULL ? NULL : part(u, CURLUPART_SCHEME, 0);
  char *host = u == NULL ? NULL : part(u, CURLUPART_HOST, 0);
  char *port = u == NULL ? NULL : part(u, CURLUPART_PORT, CURLU_NO_DEFAULT_PORT);
  if (scheme == NULL || host == NULL) {
    (void)snprintf(out, HTTP_WHERE_BYTES, "?");
  } else {
    (void)snprintf(out, HTTP_WHERE_BYTES, "%s://%s%s%s", scheme, host, port != NULL ? ":" : "",
                   port != NULL ? port : "");
  }
  curl_free(scheme);
  curl_free(host);
  curl_free(port);
  curl_url_cleanup(u);
}

void http_url_path(const char *url, char *out) {
  const char *authority = strstr(url, "://");
  const char *path = authority == NULL ? NULL : strchr(authority + 3, '/');
  (void)snprintf(out, HTTP_URL_BYTES, "%s", path != NULL ? path : "/");
  http_printable(out);
}

int http_url_query(const char *url, const char *name, char *out, size_t n) {
  CURLU *u = parse(url);
  char *query = u == NULL ? NULL : part(u, CURLUPART_QUERY, 0);
  size_t name_len = strlen(name);
  int result = -1;
  for (const char *p = query; p != NULL && result != 0; p = strchr(p, '&')) {
    p += *p == '&' ? 1 : 0;
    if (strncmp(p, name, name_len) == 0 && p[name_len] == '=') {
      const char *value = p + name_len + 1;
      int decoded_len = 0;
      char *decoded = curl_easy_unescape(NULL, value, (int)strcspn(value, "&"), &decoded_len);
      if (decoded != NULL && decoded_len >= 0 && (size_t)decoded_len < n &&
          strlen(decoded) == (size_t)decoded_len) {
        memcpy(out, decoded, (size_t)decoded_len + 1);
        result = 0;
      }
      curl_free(decoded);
    }
  }
  curl_free(query);
  curl_url_cleanup(u);
  return result;
}

static bool unreserved(unsigned char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

int http_url_escape(const char *value, char *out, size_t n) {
  static const char hex[] = "0123456789ABCDEF";
  size_t used = strlen(out);
  for (; *value != '\0'; value++) {
    unsigned char c = (unsigned char)*value;
    if (used + 4 > n) {
      return -1;
    }
    if (unreserved(c)) {
      out[used++] = (char)c;
    } else {
      out[used++] = '%';
      out[used++] = hex[c >> 4];
      out[used++] = hex[c & 15];
    }
    out[used] = '\0';
  }
  return 0;
}
