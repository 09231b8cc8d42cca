/* Which libvirt URIs are opened, and that nothing that runs programs or skips checks gets through.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "agent/libvirt/probe.h"

static struct uw_err err;
static char warn[UW_ERR_TEXT_BYTES];

static void good_ones(void **state) {
  (void)state;
  static const char *const uris[] = {
      "qemu:///system",
      "qemu+unix:///system?socket=/run/libvirt/libvirt-sock-ro",
      "qemu://cmp-a/system",
      "qemu+tls://cmp-a.example.org:16514/system?pkipath=/etc/pki/unwedge",
      "qemu+tls://[fd00::1]:16514/system",
      "qemu+tls://10.0.0.1/system?tls_priority=NORMAL",
      "qemu+ssh://nova@cmp-a/system?keyfile=/etc/unwedge/key&no_tty=1",
      "qemu+ssh://nova@cmp-a:2222/system?mode=direct;proxy=native",
      "qemu+libssh2://nova@cmp-a/system?known_hosts=/etc/ssh/known_hosts&known_hosts_verify=normal",
      "qemu+libssh://nova@cmp-a/system?sshauth=agent,privkey",
      "qemu+tls://cmp-a/%73ystem"};
  for (size_t i = 0; i < sizeof uris / sizeof uris[0]; i++) {
    if (probe_uri_check(uris[i], warn, &err) != 0) {
      fail_msg("refused %s: %s", uris[i], err.text);
    }
    assert_string_equal(warn, "");
  }
}

static void bad_ones(void **state) {
  (void)state;
  static const char *const uris[] = {
      "",
      "cmp-a",
      "prod-alias",
      "qemu:/system",
      "qemu:///session",
      "qemu:///",
      "qemu:///System",
      "qemu:///system/",
      "qemu:///system/..",
      "qemu:///embed?root=/tmp",
      "test:///default",
      "test+tcp://cmp-a/default",
      "esx://cmp-a/system",
      "lxc:///system",
      "xen:///system",
      "QEMU:///system",
      "qemu+TCP://cmp-a/system",
      "qemu+ext://cmp-a/system?command=/bin/sh",
      "qemu+ext:///system",
      "qemu+ssh://cmp-a/system?command=/tmp/x",
      "qemu+ssh://cmp-a/system?%63ommand=/tmp/x",
      "qemu+ssh://cmp-a/system?comman%64=/tmp/x",
      "qemu+ssh://cmp-a/system?COMMAND=/tmp/x",
      "qemu+ssh://cmp-a/system?no_tty=1;command=/tmp/x",
      "qemu+ssh://cmp-a/system?netcat=/tmp/nc",
      "qemu+ssh://cmp-a/system?NetCat=/tmp/nc",
      "qemu+ssh://cmp-a/system?proxy=netcat",
      "qemu+ssh://cmp-a/system?no_tty=0",
      "qemu+tls://cmp-a/system?no_verify=1",
      "qemu+tls://cmp-a/system?no%5Fverify=1",
      "qemu+tls://cmp-a/system?no_verify",
      "qemu+tls://cmp-a/system?no_sanity=1",
      "qemu+tls://cmp-a/system?name=test:///default",
      "qemu+tls://cmp-a/system?unheard=1",
      "qemu+tls://cmp-a/system?pkipath=relative",
      "qemu+tls://cmp-a/system?=x",
      "qemu+libssh://cmp-a/system?known_hosts_verify=ignore",
      "qemu+libssh://cmp-a/system?known_hosts_verify=auto",
      "qemu+libssh://cmp-a/system?sshauth=password",
      "qemu+libssh://cmp-a/system?sshauth=agent,",
      "qemu+libssh://cmp-a/system?sshauth=agent,keyboard-interactive",
      "qemu+ssh:///system",
      "qemu+tls:///system",
      "qemu+unix://cmp-a/system",
      "qemu+ssh://-oProxyCommand=x/system",
      "qemu+ssh://u@-oProxyCommand=x/system",
      "qemu+ssh://-l@cmp-a/system",
      "qemu+ssh://u:secret@cmp-a/system",
      "qemu+ssh://@cmp-a/system",
      "qemu+tls://u@cmp-a/system",
      "qemu+tls://cmp a/system",
      "qemu+tls://cmp-a:port/system",
      "qemu+tls://cmp-a:/system",
      "qemu+tls://cmp-a:123456/system",
      "qemu+tls://[::1/system",
      "qemu+tls://%68ost/system",
      "qemu+tls://%h/system",
      "qemu+tls://a;b/system",
      "qemu+tls://$(x)/system",
      "qemu+tls://cmp-a/system#x",
      "qemu+tls://cmp-a/system?pkipath=/%0a",
      "qemu+tls://cmp-a/system?pkipath=/%zz",
      "qemu+tls://cmp-a/system?pkipath=/%00",
      "qemu+tls://cmp-a/system?pkipath=/\xc3\xa9",
      "qemu+tls://cmp-a/session?/system",
      "qemu+tls://cmp-a?/system"};
  for (size_t i = 0; i < sizeof uris / sizeof uris[0]; i++) {
    uw_err_clear(&err);
    if (probe_uri_check(uris[i], warn, &err) == 0) {
      fail_msg("accepted %s", uris[i]);
    }
    assert_int_equal(err.status, UW_EXIT_USAGE);
    assert_true(err.text[0] != '\0');
  }
}

static void too_many_and_too_long(void **state) {
  (void)state;
  char uri[2 * PROBE_URI_BYTES] = "qemu+tls://cmp-a/system?";
  for (int i = 0; i < 20; i++) {
    strncat(uri, "mode=auto&", sizeof uri - strlen(uri) - 1);
  }
  assert_int_equal(probe_uri_check(uri, warn, &err), -1);
  memset(uri, 'a', sizeof uri - 1);
  uri[sizeof uri - 1] = '\0';
  memcpy(uri, "qemu+tls://", 11);
  assert_int_equal(probe_uri_check(uri, warn, &err), -1);
}

static void plain_tcp_warns(void **state) {
  (void)state;
  assert_int_equal(probe_uri_check("qemu+tcp://cmp-a/system", warn, &err), 0);
  assert_non_null(strstr(warn, "tcp"));
}

static void ssh_never_asks(void **state) {
  (void)state;
  char out[PROBE_URI_BYTES];
  assert_int_equal(probe_uri_for_use("qemu+ssh://a/system", out, &err), 0);
  assert_string_equal(out, "qemu+ssh://a/system?no_tty=1");
  assert_int_equal(probe_uri_for_use("qemu+ssh://a/system?mode=auto", out, &err), 0);
  assert_string_equal(out, "qemu+ssh://a/system?mode=auto&no_tty=1");
  assert_int_equal(probe_uri_for_use("qemu+ssh://a/system?no%5ftty=1", out, &err), 0);
  assert_string_equal(out, "qemu+ssh://a/system?no%5ftty=1");
  assert_int_equal(probe_uri_for_use("qemu+tls://a/system", out, &err), 0);
  assert_string_equal(out, "qemu+tls://a/system");
  assert_int_equal(probe_uri_for_use("test:///default", out, &err), -1);
  assert_string_equal(out, "");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(good_ones),       cmocka_unit_test(bad_ones),
      cmocka_unit_test(plain_tcp_warns), cmocka_unit_test(too_many_and_too_long),
      cmocka_unit_test(ssh_never_asks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
