/* clouds.yaml, secure.yaml and the OS_* variables, from files in data/. Run from the root. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/openstack/clouds.h"

#define DATA "tests/unit/openstack/data/"

extern char **environ;

static char said[4096]; /* what the last load printed on stderr */

/* Only what is named here is in the environment; "K=V" texts, NULL ends. */
static void environment(const char *first, ...) {
  va_list ap;
  assert_int_equal(clearenv(), 0);
  va_start(ap, first);
  for (const char *text = first; text != NULL; text = va_arg(ap, const char *)) {
    assert_int_equal(putenv((char *)(uintptr_t)text), 0);
  }
  va_end(ap);
}

static int load(const char *flag, const char *configured, struct os_cloud **cloud,
                struct uw_err *err) {
  int keep = dup(2);
  int file = memfd_create("stderr", 0);
  uw_err_clear(err);
  (void)fflush(stderr);
  assert_true(keep >= 0 && file >= 0 && dup2(file, 2) == 2);
  int result = os_cloud_load(flag, configured, cloud, err);
  (void)fflush(stderr);
  assert_int_equal(dup2(keep, 2), 2);
  ssize_t n = pread(file, said, sizeof said - 1, 0);
  said[n > 0 ? n : 0] = '\0';
  (void)close(file);
  (void)close(keep);
  return result;
}

static struct os_cloud *good(const char *name) {
  struct os_cloud *cloud;
  struct uw_err err;
  if (load(name, NULL, &cloud, &err) != 0) {
    fail_msg("%s: %s", name != NULL ? name : "-", err.text);
  }
  return cloud;
}

static void bad(const char *name, const char *words) {
  struct os_cloud *cloud;
  struct uw_err err;
  assert_int_equal(load(name, NULL, &cloud, &err), -1);
  assert_null(cloud);
  assert_int_equal(err.status, UW_EXIT_USAGE);
  if (strstr(err.text, words) == NULL) {
    fail_msg("%s: '%s' is not in: %s", name != NULL ? name : "-", words, err.text);
  }
}

static void full(void) {
  environment("OS_CLIENT_CONFIG_FILE=" DATA "full.yaml",
              "OS_CLIENT_SECURE_FILE=" DATA "secure.yaml",
              "OS_CLIENT_VENDOR_FILE=" DATA "clouds-public.yaml", "HOME=/home/me", NULL);
}

static void test_password(void **state) {
  (void)state;
  full();
  struct os_cloud *c = good("password");
  assert_string_equal(c->name, "password");
  assert_string_equal(c->source, DATA "full.yaml");
  assert_int_equal(c->auth, OS_AUTH_PASSWORD);
  assert_string_equal(c->auth_url, "https://keystone.example.org:5000/v3");
  assert_string_equal(c->username, "admin");
  assert_string_equal(c->password, "s3cr\"et");
  assert_string_equal(c->project_name, "admin");
  assert_string_equal(c->user_domain_name, "Default");
  assert_string_equal(c->project_domain_id, "default");
  assert_string_equal(c->region, "north");
  assert_string_equal(c->interface, "internal");
  assert_string_equal(c->cacert, "/home/me/ca.pem");
  assert_false(c->insecure);
  os_cloud_free(c);
}

static void test_variants(void **state) {
  (void)state;
  full();
  struct os_cloud *c = good("endpoint-type");
  assert_string_equal(c->interface, "admin");
  assert_true(c->insecure);
  os_cloud_free(c);
  c = good("override");
  assert_string_equal(c->region, "first"); /* the first of a list of merges wins */
  assert_string_equal(c->interface, "admin");
  assert_string_equal(c->user_id, "0123"); /* as text, not as a number */
  assert_string_equal(c->compute_endpoint_override, "https://nova.example.org/v2.1");
  os_cloud_free(c);
  c = good("appcred");
  assert_int_equal(c->auth, OS_AUTH_APPCRED);
  assert_string_equal(c->appcred_id, "id1");
  assert_string_equal(c->appcred_secret, "sec1");
  assert_string_equal(c->project_name, "");
  assert_non_null(strstr(said, "the project is ignored"));
  os_cloud_free(c);
  c = good("token");
  assert_int_equal(c->auth, OS_AUTH_TOKEN);
  assert_string_equal(c->token, "tok1");
  os_cloud_free(c);
  c = good("beside");
  assert_string_equal(c->username, "u");
  assert_string_equal(c->region, "");
  assert_string_equal(c->interface, "public");
  os_cloud_free(c);
  c = good("system");
  assert_string_equal(c->system_scope, "all");
  os_cloud_free(c);
  c = good("doubled");
  assert_string_equal(c->region, "late"); /* as PyYAML: the last of equal keys */
  os_cloud_free(c);
  c = good("loop");
  assert_string_equal(c->username, "u");
  os_cloud_free(c);
}

static void test_regions(void **state) {
  (void)state;
  full();
  struct os_cloud *c = good("regions");
  assert_string_equal(c->region, "one");
  assert_string_equal(c->username, "admin");
  os_cloud_free(c);
  c = good("regions-two");
  assert_string_equal(c->region, "two");
  assert_string_equal(c->cacert, "/two.pem");
  assert_string_equal(c->username, "regional");
  os_cloud_free(c);
  bad("regions-none", "no region nine; there are: one, two");
}

static void test_layers(void **state) {
  (void)state;
  full();
  struct os_cloud *c = good("profiled");
  assert_string_equal(c->auth_url, "https://vendor.example.org/v3");
  assert_string_equal(c->username, "u"); /* the entry is stronger than the profile */
  assert_string_equal(c->interface, "admin");
  os_cloud_free(c);
  c = good("secured");
  assert_string_equal(c->password, "right");
  os_cloud_free(c);
  c = good("only-secure");
  assert_string_equal(c->password, "p");
  os_cloud_free(c);
}

static void test_errors(void **state) {
  (void)state;
  full();
  bad("nobody", "no cloud named nobody; it has: password, endpoint-type");
  bad("odd-type", "v3oidcpassword is not spoken here");
  bad("no-url", "auth.auth_url (OS_AUTH_URL) is missing");
  bad("no-password", "auth.password (OS_PASSWORD) is missing");
  bad("bad-auth", "data/full.yaml:");
  bad("bad-auth", "bad-auth: auth: must be a mapping");
  bad("bad-text", "auth.auth_url: must be a text");
  bad("bad-verify", "verify: not true or false");
  bad("bad-interface", "must be public, internal or admin");
  bad("bad-url", "auth_url: must be an http or https URL");
  bad("url-user", "auth_url: must be an http or https URL");
  bad("bad-entry", "clouds.bad-entry: must be a mapping");
  bad(NULL, "more than one cloud; choose with --os-cloud or OS_CLOUD: password, ");
}

static void one_file(const char *file, const char *words) {
  char variable[256];
  (void)snprintf(variable, sizeof variable, "OS_CLIENT_CONFIG_FILE=%s%s", DATA, file);
  environment(variable, NULL);
  bad(NULL, words);
}

static void test_files(void **state) {
  (void)state;
  one_file("broken.yaml", "broken.yaml:4: not valid YAML");
  one_file("list.yaml", "list.yaml:1: a mapping with the key clouds");
  one_file("clouds-list.yaml", "clouds-list.yaml:1: clouds: must be a mapping");
  one_file("two-documents.yaml", "a second YAML document");
  one_file("empty.yaml", "it has no cloud");
  one_file("two.yaml", "choose with --os-cloud or OS_CLOUD: a, b");
  one_file("missing.yaml", "OS_CLIENT_CONFIG_FILE: cannot read");
  environment("OS_CLIENT_CONFIG_FILE=" DATA "one.json", NULL);
  struct os_cloud *c = good(NULL);
  assert_string_equal(c->name, "only");
  os_cloud_free(c);
  environment("OS_CLIENT_CONFIG_FILE=" DATA "bomb.yaml", NULL);
  c = good(NULL);
  assert_string_equal(c->project_name, "q");
  os_cloud_free(c);
}

/* Bytes of one kind, to a file of its own. */
static void big_file(const char *bytes, size_t count, const char *words) {
  char path[] = "/tmp/uw-clouds-XXXXXX";
  char variable[128];
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  FILE *f = fdopen(fd, "w");
  assert_non_null(f);
  for (size_t i = 0; i < count; i++) {
    assert_true(fputs(bytes, f) >= 0);
  }
  assert_int_equal(fclose(f), 0);
  (void)snprintf(variable, sizeof variable, "OS_CLIENT_CONFIG_FILE=%s", path);
  environment(variable, NULL);
  bad(NULL, words);
  assert_int_equal(unlink(path), 0);
}

static void test_hostile_files(void **state) {
  (void)state;
  big_file("[", 200000, "nested deeper than 100 levels");
  big_file("- ", 100000, "");
  big_file("{a: ", 1000, "nested deeper");
  big_file("#", 2000000, "");
  big_file("a: \x80\x80", 10, "not valid YAML");
}

static void test_choice(void **state) {
  struct os_cloud *c;
  struct uw_err err;
  (void)state;
  environment("OS_CLIENT_CONFIG_FILE=" DATA "full.yaml", "OS_CLOUD=token", NULL);
  c = good(NULL);
  assert_string_equal(c->name, "token");
  os_cloud_free(c);
  c = good("beside"); /* the flag is stronger */
  assert_string_equal(c->name, "beside");
  os_cloud_free(c);
  environment("OS_CLIENT_CONFIG_FILE=" DATA "full.yaml", NULL);
  assert_int_equal(load(NULL, "beside", &c, &err), 0); /* ours, when nothing else chooses */
  assert_string_equal(c->name, "beside");
  os_cloud_free(c);
  environment("OS_CLIENT_CONFIG_FILE=" DATA "full.yaml", "OS_CLOUD=token",
              "OS_AUTH_URL=http://k:5000/v3", NULL);
  c = good(NULL);
  assert_string_equal(c->name, "token");
  assert_non_null(strstr(said, "OS_CLOUD and OS_AUTH_URL are both set: the cloud token is used"));
  os_cloud_free(c);
  environment("HOME=/nonexistent", NULL);
  assert_int_equal(chdir("tests/unit/openstack"), 0);
  bad("x", "cloud x: no clouds.yaml in ., ~/.config/openstack or /etc/openstack");
  bad(NULL, "no cloud to talk to");
  assert_int_equal(chdir("../../.."), 0);
}

static void test_variables(void **state) {
  (void)state;
  environment("OS_AUTH_URL=http://k:5000/v3", "OS_USERNAME=u", "OS_PASSWORD=p", "OS_TENANT_NAME=t",
              "OS_DEFAULT_DOMAIN_ID=dd", "OS_USER_DOMAIN_NAME=Users",
              "OS_ENDPOINT_TYPE=internalURL", "OS_REGION_NAME=r", "OS_INSECURE=1", NULL);
  struct os_cloud *c = good(NULL);
  assert_string_equal(c->name, "envvars");
  assert_string_equal(c->source, "environment");
  assert_string_equal(c->project_name, "t");
  assert_string_equal(c->user_domain_name, "Users");
  assert_string_equal(c->user_domain_id, "");
  assert_string_equal(c->project_domain_id, "dd");
  assert_string_equal(c->interface, "internal");
  assert_true(c->insecure);
  assert_string_equal(said, "");
  os_cloud_free(c);
  environment("OS_AUTH_URL=http://k:5000/v3", "OS_APPLICATION_CREDENTIAL_ID=i",
              "OS_APPLICATION_CREDENTIAL_SECRET=s", NULL);
  c = good(NULL);
  assert_int_equal(c->auth, OS_AUTH_APPCRED);
  os_cloud_free(c);
  environment("OS_AUTH_URL=http://k:5000/v3", "OS_TOKEN=tok", NULL);
  c = good("envvars");
  assert_int_equal(c->auth, OS_AUTH_TOKEN);
  os_cloud_free(c);
  environment("OS_AUTH_URL=http://k:5000/v3\n", "OS_TOKEN=tok", NULL);
  bad(NULL, "OS_AUTH_URL: holds a control character");
  environment("OS_AUTH_URL=http://k:5000/v3", "OS_USERNAME=u", NULL);
  bad(NULL, "environment: cloud envvars: auth.password (OS_PASSWORD) is missing");
}

static void test_world_readable(void **state) {
  (void)state;
  char path[] = "/tmp/uw-clouds-XXXXXX";
  char variable[128];
  static const char text[] =
      "clouds: {a: {auth: {auth_url: 'http://k/v3', username: u, password: p}}}\n";
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
  (void)snprintf(variable, sizeof variable, "OS_CLIENT_CONFIG_FILE=%s", path);
  environment(variable, NULL);
  struct os_cloud *c = good(NULL);
  assert_string_equal(said, "");
  os_cloud_free(c);
  assert_int_equal(fchmod(fd, 0644), 0);
  c = good(NULL);
  assert_non_null(strstr(said, "can be read by everybody; chmod 600 it"));
  os_cloud_free(c);
  assert_int_equal(close(fd), 0);
  assert_int_equal(unlink(path), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_password),  cmocka_unit_test(test_variants),
      cmocka_unit_test(test_regions),   cmocka_unit_test(test_layers),
      cmocka_unit_test(test_errors),    cmocka_unit_test(test_files),
      cmocka_unit_test(test_choice),    cmocka_unit_test(test_hostile_files),
      cmocka_unit_test(test_variables), cmocka_unit_test(test_world_readable),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
