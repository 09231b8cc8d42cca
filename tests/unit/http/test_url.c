/* URL helpers and the words for TLS failures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "agent/http/http.h"
#include "agent/http/tls.h"
#include "agent/http/url.h"

static void test_check(void **state) {
  static const char *const good[] = {"http://a", "https://a.b:5000/v3", "http://[::1]:80/x?y=z"};
  static const char *const bad[] = {"",
                                    "a",
                                    "ftp://a/",
                                    "http://",
                                    "file:///x",
                                    "http://u@a/",
                                    "http://u:p@a",
                                    "http://a/\n",
                                    "http://a/ b",
                                    "http://\xc3\xa4/"};
  (void)state;
  for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
    assert_int_equal(http_url_check(good[i]), 0);
  }
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    assert_int_equal(http_url_check(bad[i]), -1);
  }
  assert_int_equal(http_url_check(NULL), -1);
  assert_true(http_url_plain("http://a/"));
  assert_false(http_url_plain("https://a/"));
}

static void test_parts(void **state) {
  char where[HTTP_WHERE_BYTES];
  char path[HTTP_URL_BYTES];
  char value[16];
  (void)state;
  http_url_where("https://a.b:443/x", where);
  assert_string_equal(where, "https://a.b");
  http_url_where("http://a.b:8774/x", where);
  assert_string_equal(where, "http://a.b:8774");
  http_url_where("nothing", where);
  assert_string_equal(where, "?");
  http_url_path("http://a/b?c=\x1b[2J", path);
  assert_string_equal(path, "/b?c=?[2J");
  http_url_path("http://a", path);
  assert_string_equal(path, "/");
  assert_int_equal(http_url_query("http://a/?x=1&marker=a%20b&y", "marker", value, 16), 0);
  assert_string_equal(value, "a b");
  assert_int_equal(http_url_query("http://a/?xmarker=1", "marker", value, 16), -1);
  assert_int_equal(http_url_query("http://a/?marker=a%00b", "marker", value, 16), -1);
  assert_int_equal(http_url_query("http://a/?marker=0123456789abcdef", "marker", value, 16), -1);
  assert_int_equal(http_url_query("http://a/?&&&", "marker", value, 16), -1);
  assert_int_equal(http_url_query("", "marker", value, 16), -1);
}

static void test_escape(void **state) {
  char out[16] = "?n=";
  (void)state;
  assert_int_equal(http_url_escape("^a.", out, sizeof out), 0);
  assert_string_equal(out, "?n=%5Ea.");
  assert_int_equal(http_url_escape("&&&&", out, sizeof out), -1);
}

static void test_tls_words(void **state) {
  char out[512];
  (void)state;
  assert_true(http_tls_failed(CURLE_PEER_FAILED_VERIFICATION));
  assert_false(http_tls_failed(CURLE_COULDNT_CONNECT));
  http_tls_words(CURLE_PEER_FAILED_VERIFICATION, 10, "https://a", "d", out, sizeof out);
  assert_non_null(strstr(out, "has expired"));
  http_tls_words(CURLE_PEER_FAILED_VERIFICATION, 9, "https://a", "d", out, sizeof out);
  assert_non_null(strstr(out, "not valid yet"));
  http_tls_words(CURLE_PEER_FAILED_VERIFICATION, 19, "https://a", "d", out, sizeof out);
  assert_non_null(strstr(out, "not signed by an accepted CA"));
  http_tls_words(CURLE_PEER_FAILED_VERIFICATION, 0, "https://a",
                 "SSL: no alternative certificate subject name matches target host name 'a'", out,
                 sizeof out);
  assert_non_null(strstr(out, "for another name"));
}

/* Failures before anything could be sent, without any server. */
static void test_not_sent(void **state) {
  struct http *http;
  struct uw_err err;
  struct http_reply reply[4];
  struct http_options options = {.connect_timeout_ms = 500, .timeout_ms = 1000};
  struct http_request request[4] = {
      {.method = HTTP_POST, .url = "http://127.0.0.1:1/", .body = "x", .body_len = 1, .once = true},
      {.method = HTTP_GET, .url = "http://name.invalid/"},
      {.method = HTTP_GET, .url = "gopher://127.0.0.1/"},
      {.method = HTTP_GET, .url = "http://127.0.0.1:1/", .header = {"X-A: b\r\nX-C: d"}},
  };
  static const enum http_cause want[] = {HTTP_CAUSE_CONNECT, HTTP_CAUSE_RESOLVE, HTTP_CAUSE_REQUEST,
                                         HTTP_CAUSE_REQUEST};
  (void)state;
  assert_int_equal(http_new(&options, &http, &err), 0);
  http_perform(http, request, reply, 4);
  for (size_t i = 0; i < 4; i++) {
    assert_int_equal(reply[i].phase, HTTP_NOT_SENT);
    assert_int_equal(reply[i].cause, want[i]);
    assert_int_equal(reply[i].status, 0);
    assert_true(reply[i].text[0] != '\0');
    http_reply_free(&reply[i]);
  }
  http_free(http);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_check),    cmocka_unit_test(test_parts),
      cmocka_unit_test(test_escape),   cmocka_unit_test(test_tls_words),
      cmocka_unit_test(test_not_sent),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
