/* unwedge.yaml, the host map, policy lookup and S7, the state directory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/base/files.h"
#include "agent/config/config.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define UUID "0f0e0d0c-0b0a-4908-8706-050403020100"

static char root[64]; /* a temporary directory of this run */
static struct pol_policy policy;

static int make_root(void **state) {
  (void)state;
  (void)snprintf(root, sizeof root, "/tmp/unwedge-config-XXXXXX");
  return mkdtemp(root) != NULL && chmod(root, 0755) == 0 ? 0 : -1;
}

static int remove_root(void **state) {
  (void)state;
  pid_t pid = fork();
  if (pid == 0) {
    (void)execlp("rm", "rm", "-rf", root, (char *)NULL);
    _exit(127);
  }
  int status = 0;
  return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0 ? 0 : -1;
}

/* Writes a file under root, making its directories; the path stays good until the next call. */
static const char *put(const char *name, const char *text) {
  static char path[256];
  char dir[256];
  struct uw_err err;
  uw_err_clear(&err);
  (void)snprintf(path, sizeof path, "%s/%s", root, name);
  (void)snprintf(dir, sizeof dir, "%.*s", (int)(strrchr(path, '/') - path), path);
  assert_int_equal(uw_dir_make(dir, 0755, &err), 0);
  assert_int_equal(uw_file_write_atomic(path, text, strlen(text), 0644, &err), 0);
  return path;
}

static struct uw_config *parse(const char *text) {
  struct uw_config *config = NULL;
  struct uw_err err;
  uw_err_clear(&err);
  if (uw_config_parse(text, strlen(text), "c.yaml", &config, &err) != 0) {
    print_error("%s\n", err.text);
    fail();
  }
  /* Nothing of the machine the test runs on. */
  (void)snprintf(config->policies_dir, sizeof config->policies_dir, "%s/etc/policies", root);
  (void)snprintf(config->program, sizeof config->program, "%s/usr/bin/unwedge", root);
  return config;
}

static void refuses(const char *text, const char *begin, const char *contains) {
  struct uw_config *config = (struct uw_config *)1;
  struct uw_err err;
  uw_err_clear(&err);
  assert_int_equal(uw_config_parse(text, strlen(text), "c.yaml", &config, &err), -1);
  assert_null(config);
  assert_int_equal(err.status, UW_EXIT_USAGE);
  if (strncmp(err.text, begin, strlen(begin)) != 0 || strstr(err.text, contains) == NULL) {
    print_error("got: %s\nwanted: %s...%s\n", err.text, begin, contains);
    fail();
  }
  assert_null(strchr(err.text, '\n'));
}

/* ---- The file ---- */

static const char full[] = "cloud: prod\n"
                           "environment: production\n"
                           "hosts:\n"
                           "  uri: \"qemu+tls://%h/system\"\n"
                           "  overrides:\n"
                           "    cmp-a: {uri: \"qemu+tcp://10.77.0.11/system\", hostname: cmp-a,\n"
                           "            uuid: \"0F0E0D0C-0B0A-4908-8706-050403020100\"}\n"
                           "    \"odd name:1\": {hostname: odd}\n"
                           "policy: automation\n"
                           "hook: {policy: observe-only}\n"
                           "journal: {dir: /j, key: /k}\n"
                           "state_dir: /s\n"
                           "coordination: {driver: local}\n"
                           "notify: [{webhook: \"https://u:p@hooks.example.com/T0/secret\"},\n"
                           "         {command: \"/usr/bin/page me\"}]\n"
                           "kill_switch: /run/stop\n";

static void test_full(void **state) {
  (void)state;
  struct uw_config *c = parse(full);
  assert_string_equal(c->file, "c.yaml");
  assert_string_equal(c->value[UW_CONFIG_CLOUD], "prod");
  assert_int_equal(c->environment, UW_ENV_PRODUCTION);
  assert_string_equal(c->value[UW_CONFIG_URI], "qemu+tls://%h/system");
  assert_int_equal(c->overrides, 2);
  assert_string_equal(c->override[0].host, "cmp-a");
  assert_string_equal(c->override[0].uuid, UUID);
  assert_int_equal(c->override[0].line, 6);
  assert_int_equal(c->override[0].uuid_line, 7);
  assert_string_equal(c->override[1].host, "odd name:1");
  assert_string_equal(c->value[UW_CONFIG_POLICY], "automation");
  assert_int_equal(c->line[UW_CONFIG_POLICY], 9);
  assert_string_equal(c->value[UW_CONFIG_HOOK_POLICY], "observe-only");
  assert_string_equal(c->value[UW_CONFIG_JOURNAL_DIR], "/j");
  assert_string_equal(c->value[UW_CONFIG_JOURNAL_KEY], "/k");
  assert_string_equal(c->value[UW_CONFIG_STATE_DIR], "/s");
  assert_string_equal(c->value[UW_CONFIG_KILL_SWITCH], "/run/stop");
  assert_int_equal(c->notifies, 2);
  assert_false(c->notify[0].command);
  assert_true(c->notify[1].command);
  uw_config_free(c);
  uw_config_free(NULL);
}

static void test_defaults(void **state) {
  (void)state;
  struct uw_config *c = parse("state_dir: /data\n");
  assert_string_equal(c->value[UW_CONFIG_CLOUD], "");
  assert_int_equal(c->environment, UW_ENV_PRODUCTION);
  assert_string_equal(c->value[UW_CONFIG_URI], "qemu+tls://%h/system");
  assert_string_equal(c->value[UW_CONFIG_POLICY], "standard");
  assert_string_equal(c->value[UW_CONFIG_HOOK_POLICY], "observe-only");
  assert_string_equal(c->value[UW_CONFIG_JOURNAL_DIR], "/data/journal");
  assert_string_equal(c->value[UW_CONFIG_JOURNAL_KEY], "/etc/unwedge/journal.key");
  assert_string_equal(c->value[UW_CONFIG_COORDINATION], "local");
  assert_string_equal(c->value[UW_CONFIG_KILL_SWITCH], "/etc/unwedge/kill-switch");
  uw_config_free(c);
  c = parse("environment: lab\n");
  assert_int_equal(c->environment, UW_ENV_LAB);
  assert_string_equal(c->value[UW_CONFIG_JOURNAL_DIR], "/var/lib/unwedge/journal");
  uw_config_free(c);
}

static void test_refused(void **state) {
  (void)state;
  static const struct {
    const char *text, *begin, *contains;
  } cases[] = {
      {"", "c.yaml:1: ", "empty"},
      {"clod: x\n", "c.yaml:1: key 'clod': ", "known here: cloud, environment, hosts"},
      {"cloud: a\ncloud: b\n", "c.yaml:2: key 'cloud': ", "given twice"},
      {"cloud:\n", "c.yaml:1: key 'cloud': ", "is nothing"},
      {"cloud: [a]\n", "c.yaml:1: key 'cloud': ", "a list"},
      {"cloud: &x a\n", "c.yaml:1: ", "anchor"},
      {"environment: test\n", "c.yaml:1: key 'environment': ", "production or lab"},
      {"environment: Lab\n", "c.yaml:1: key 'environment': ", "production or lab"},
      {"hosts: {url: x}\n", "c.yaml:1: key 'hosts.url': ", "known here: uri, overrides"},
      {"hosts: x\n", "c.yaml:1: key 'hosts': ", "a map"},
      {"hosts: {uri: \"qemu+tls://a/system\"}\n", "c.yaml:1: key 'hosts.uri': ", "neither %h"},
      {"hosts: {uri: \"qemu+tls://%x/system\"}\n", "c.yaml:1: key 'hosts.uri': ", "write %%"},
      {"hosts: {uri: \"qemu+tls://%h/system%\"}\n", "c.yaml:1: key 'hosts.uri': ", "write %%"},
      {"hosts: {uri: \"qemu+tls://%%h/system\"}\n", "c.yaml:1: key 'hosts.uri': ", "neither"},
      {"hosts: {uri: \"test:///%h\"}\n", "c.yaml:1: key 'hosts.uri': ", "test"},
      {"hosts: {uri: \"qemu+ext://%h/system?command=/x\"}\n", "c.yaml:1: key 'hosts.uri': ", ""},
      {"hosts: {uri: \"qemu+tls://%h/system?no_verify=1\"}\n", "c.yaml:1: key 'hosts.uri': ", ""},
      {"hosts:\n  overrides:\n    a: {}\n", "c.yaml:3: key 'hosts.overrides.a': ", "is empty"},
      {"hosts:\n  overrides: {}\n", "c.yaml:2: key 'hosts.overrides': ", "is empty"},
      {"hosts:\n  overrides:\n    a: {ur: x}\n",
       "c.yaml:3: key 'hosts.overrides.a.ur': ", "uri, hostname, uuid"},
      {"hosts:\n  overrides:\n    a: {uri: \"test:///default\"}\n",
       "c.yaml:3: key 'hosts.overrides.a.uri': ", "test:///default"},
      {"hosts:\n  overrides:\n    a: {uuid: x}\n",
       "c.yaml:3: key 'hosts.overrides.a.uuid': ", "not a UUID"},
      {"hosts:\n  overrides:\n    a: {hostname: a}\n    a: {hostname: b}\n",
       "c.yaml:4: key 'hosts.overrides.a': ", "given twice"},
      {"policy: ./x.yaml\n", "c.yaml:1: key 'policy': ", "neither a name"},
      {"policy: .x\n", "c.yaml:1: key 'policy': ", "neither a name"},
      {"policy: a b\n", "c.yaml:1: key 'policy': ", "neither a name"},
      {"hook: {policy: ../x}\n", "c.yaml:1: key 'hook.policy': ", "neither a name"},
      {"hook: observe-only\n", "c.yaml:1: key 'hook': ", "a map"},
      {"journal: {dir: j}\n", "c.yaml:1: key 'journal.dir': ", "absolute"},
      {"journal: {dri: /j}\n", "c.yaml:1: key 'journal.dri': ", "dir, key"},
      {"journal: {key: k}\n", "c.yaml:1: key 'journal.key': ", "absolute"},
      {"state_dir: s\n", "c.yaml:1: key 'state_dir': ", "absolute"},
      {"state_dir: {a: 1}\n", "c.yaml:1: key 'state_dir': ", "a map"},
      {"kill_switch: stop\n", "c.yaml:1: key 'kill_switch': ", "absolute"},
      {"coordination: {driver: etcd}\n", "c.yaml:1: key 'coordination.driver': ", "local"},
      {"coordination: {endpoints: [a]}\n", "c.yaml:1: key 'coordination.endpoints': ", "driver"},
      {"notify: {webhook: \"https://a\"}\n", "c.yaml:1: key 'notify': ", "a list"},
      {"notify: [x]\n", "c.yaml:1: key 'notify[1]': ", "a map"},
      {"notify: [{mail: a}]\n", "c.yaml:1: key 'notify[1].mail': ", "webhook, command"},
      {"notify: [{webhook: \"https://a/b\", command: /c}]\n",
       "c.yaml:1: key 'notify[1]': ", "both"},
      {"notify: [{webhook: \"ftp://a\"}]\n", "c.yaml:1: key 'notify[1].webhook': ", "URL"},
      {"notify: [{webhook: \"https://\"}]\n", "c.yaml:1: key 'notify[1].webhook': ", "URL"},
      {"notify: [{webhook: \"https:///x\"}]\n", "c.yaml:1: key 'notify[1].webhook': ", "URL"},
      {"notify: [{webhook: \"https://a b\"}]\n", "c.yaml:1: key 'notify[1].webhook': ", "URL"},
      {"notify: [{command: page}]\n", "c.yaml:1: key 'notify[1].command': ", "absolute"},
      {"cloud:\tx\n", "c.yaml:1: ", "tab"},
      {"cloud: \xC3\n", "c.yaml:1: ", "UTF-8"},
      {"cloud: a\n---\ncloud: b\n", "c.yaml:2: ", "second document"},
      {"hosts: [[[[[[[[1]]]]]]]]\n", "c.yaml:1: ", "nested"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    refuses(cases[i].text, cases[i].begin, cases[i].contains);
  }
}

/* The webhook's address can be a secret: it is in no message. */
static void test_webhook_secret(void **state) {
  (void)state;
  static const char text[] = "notify: [{webhook: \"hooks.example.com/secret\"}]\n";
  struct uw_config *config = NULL;
  struct uw_err err;
  uw_err_clear(&err);
  assert_int_equal(uw_config_parse(text, sizeof text - 1, "c.yaml", &config, &err), -1);
  assert_null(strstr(err.text, "secret"));
}

static void test_load(void **state) {
  (void)state;
  struct uw_config *config = NULL;
  struct uw_err err;
  char path[256];
  uw_err_clear(&err);
  (void)snprintf(path, sizeof path, "%s/missing.yaml", root);
  assert_int_equal(uw_config_load(path, &config, &err), -1);
  assert_int_equal(err.status, UW_EXIT_USAGE);
  assert_non_null(strstr(err.text, "missing.yaml"));
  assert_int_equal(uw_config_load(root, &config, &err), -1);
  assert_null(config);
  assert_int_equal(uw_config_load(put("c.yaml", "cloud: x\n"), &config, &err), 0);
  assert_string_equal(config->value[UW_CONFIG_CLOUD], "x");
  assert_true(config->program[0] == '/');
  assert_string_equal(config->policies_dir, "/etc/unwedge/policies");
  uw_config_free(config);
  char *huge = malloc(POL_YAML_FILE_BYTES + 8);
  assert_non_null(huge);
  memset(huge, '#', POL_YAML_FILE_BYTES + 7);
  huge[POL_YAML_FILE_BYTES + 7] = '\0';
  assert_int_equal(uw_config_load(put("huge.yaml", huge), &config, &err), -1);
  assert_non_null(strstr(err.text, "larger than 262144"));
  free(huge);
  /* Without a name the installed file may be missing. */
  struct stat st;
  if (stat(UW_CONFIG_FILE, &st) != 0) {
    assert_int_equal(uw_config_load(NULL, &config, &err), 0);
    assert_string_equal(config->file, "");
    assert_string_equal(config->value[UW_CONFIG_URI], "qemu+tls://%h/system");
    uw_config_free(config);
  }
}

/* Truncated anywhere, a file loads whole lines or nothing. */
static void test_truncation(void **state) {
  (void)state;
  for (size_t n = 0; n <= strlen(full); n++) {
    struct uw_config *config = NULL;
    struct uw_err err;
    uw_err_clear(&err);
    if (uw_config_parse(full, n, "c.yaml", &config, &err) == 0) {
      uw_config_free(config);
    } else {
      assert_null(config);
      assert_true(err.text[0] != '\0');
    }
  }
}

/* ---- The host map ---- */

static void target_is(struct uw_config *c, const char *host, const char *hypervisor,
                      const char *uri, const char *hostname) {
  struct probe_target target;
  char warn[UW_ERR_TEXT_BYTES];
  struct uw_err err;
  uw_err_clear(&err);
  if (uw_config_target(c, host, hypervisor, &target, warn, &err) != 0) {
    print_error("%s\n", err.text);
    fail();
  }
  assert_string_equal(target.host, host);
  assert_string_equal(target.uri, uri);
  assert_string_equal(target.expect_hostname, hostname);
}

static void target_fails(struct uw_config *c, const char *host, const char *hypervisor,
                         const char *contains) {
  struct probe_target target;
  char warn[UW_ERR_TEXT_BYTES];
  struct uw_err err;
  uw_err_clear(&err);
  assert_int_equal(uw_config_target(c, host, hypervisor, &target, warn, &err), -1);
  assert_int_equal(err.status, UW_EXIT_UNKNOWN);
  if (strstr(err.text, contains) == NULL) {
    print_error("got: %s\nwanted: %s\n", err.text, contains);
    fail();
  }
  assert_string_equal(target.uri, "");
  assert_string_equal(target.expect_hostname, "");
  for (const char *at = err.text; *at != '\0'; at++) {
    assert_true(*at >= ' ' && *at <= '~');
  }
}

static void test_targets(void **state) {
  (void)state;
  struct probe_target target;
  char warn[UW_ERR_TEXT_BYTES];
  struct uw_err err;
  struct uw_config *c = parse("hosts:\n"
                              "  uri: \"qemu+tls://%h/system\"\n"
                              "  overrides:\n"
                              "    cmp-a: {uri: \"qemu+tcp://10.77.0.11/system\", uuid: " UUID "}\n"
                              "    cmp-b: {hostname: real-b}\n"
                              "    \"odd:name\": {uri: \"qemu+tls://odd/system\", hostname: odd}\n"
                              "    lone: {uri: \"qemu+tls://lone/system\"}\n");
  uw_err_clear(&err);
  target_is(c, "cmp-x", "cmp-x.dc.example.com", "qemu+tls://cmp-x.dc.example.com/system",
            "cmp-x.dc.example.com");
  target_is(c, "cmp-a", "cmp-a.dc", "qemu+tcp://10.77.0.11/system", "cmp-a.dc");
  assert_int_equal(uw_config_target(c, "cmp-a", "cmp-a.dc", &target, warn, &err), 0);
  assert_string_equal(target.expect_uuid, UUID);
  assert_true(warn[0] != '\0');
  /* The identity that is expected is the override's, the way there is Nova's. */
  target_is(c, "cmp-b", "cmp-b.dc", "qemu+tls://cmp-b.dc/system", "real-b");
  target_is(c, "cmp-b", "", "qemu+tls://real-b/system", "real-b");
  target_is(c, "odd:name", "", "qemu+tls://odd/system", "odd");
  /* Nova lists no hypervisor: unmapped, with or without a URI. */
  target_is(c, "cmp-x", "", "", "");
  target_is(c, "lone", "", "", "");
  target_is(c, "lone", "lone.dc", "qemu+tls://lone/system", "lone.dc");
  uw_config_free(c);
  c = parse("hosts: {uri: \"qemu+ssh://root@%n/system?keyfile=/etc/unwedge/id\"}\n");
  target_is(c, "cmp-x", "hv-x", "qemu+ssh://root@cmp-x/system?keyfile=/etc/unwedge/id", "hv-x");
  target_is(c, "cmp-x", "", "", "");
  uw_config_free(c);
}

static void test_injection(void **state) {
  (void)state;
  static const char *const names[] = {
      "a/session", "a?no_verify=1", "a#x",      "a@b",          "a:1",  "a b",       "a%2fsession",
      "%h",        "-oProxy",       ".",        "..",           "_a",   "a/../../x", "[::1]",
      "a\\b",      "a\nb",          "a\x1b[2J", "\xC3\xA4",     "a;id", "a$(id)",    "a'b",
      "a\"b",      "a&b",           "a=b",      "a?command=/x", "a,b",  "a*",        "a~",
      "a+b",       "\x7f",
  };
  struct uw_config *by_hypervisor = parse("cloud: x\n");
  struct uw_config *by_host = parse("hosts: {uri: \"qemu+tls://%n.dc/system\"}\n");
  char longest[RCV_TEXT_BYTES + 8];
  for (size_t i = 0; i < COUNT(names); i++) {
    target_fails(by_hypervisor, "cmp-a", names[i], "cannot be put into a URI");
    target_fails(by_host, names[i], "cmp-a", "cannot be put into a URI");
    /* The name that is not put into the URI may be anything. */
    target_is(by_hypervisor, names[i], "cmp-a", "qemu+tls://cmp-a/system", "cmp-a");
    target_is(by_host, "cmp-a", names[i], "qemu+tls://cmp-a.dc/system", names[i]);
  }
  target_fails(by_hypervisor, "", "cmp-a", "empty or too long");
  memset(longest, 'a', sizeof longest);
  longest[RCV_TEXT_BYTES] = '\0';
  target_fails(by_hypervisor, longest, "cmp-a", "empty or too long");
  target_fails(by_hypervisor, "cmp-a", longest, "too long");
  longest[254] = '\0';
  target_fails(by_hypervisor, "cmp-a", longest, "cannot be put into a URI");
  uw_config_free(by_hypervisor);
  uw_config_free(by_host);
}

/* A template whose URI is only refused with a real name does not get through either. */
static void test_expansion_bound(void **state) {
  (void)state;
  char text[1100];
  char name[254];
  (void)snprintf(text, sizeof text, "hosts: {uri: \"qemu+tls://%%h/system?pkipath=/%0900d\"}\n", 1);
  struct uw_config *c = parse(text);
  memset(name, 'a', sizeof name - 1);
  name[sizeof name - 1] = '\0';
  target_fails(c, "cmp-a", name, "more than 1023 bytes");
  uw_config_free(c);
}

/* ---- Policies ---- */

static int load_policy(struct uw_config *c, const char *flag, bool acting, struct uw_err *err) {
  uw_err_clear(err);
  memset(&policy, 1, sizeof policy);
  return uw_policy_load(c, flag, acting, &policy, err);
}

static void policy_fails(struct uw_config *c, const char *flag, bool acting, const char *contains) {
  struct uw_err err;
  assert_int_equal(load_policy(c, flag, acting, &err), -1);
  assert_int_equal(err.status, UW_EXIT_USAGE);
  assert_int_equal(policy.valid, 0);
  assert_int_equal(policy.apply_allow, 0);
  if (strstr(err.text, contains) == NULL) {
    print_error("got: %s\nwanted: %s\n", err.text, contains);
    fail();
  }
}

static void test_policy_places(void **state) {
  (void)state;
  struct uw_config *c = parse("policy: mine\n");
  struct uw_err err;
  char path[PATH_MAX];
  char program[PATH_MAX];
  policy_fails(c, NULL, false, "no policy 'mine'");
  /* In a build tree: program at build/unwedge, files in policies/ beside it. */
  (void)put("tree/policies/mine.yaml", "observe: {rounds: 4}\n");
  (void)snprintf(program, sizeof program, "%s/tree/build/unwedge", root);
  memcpy(c->program, program, sizeof program);
  assert_int_equal(load_policy(c, NULL, true, &err), 0);
  assert_int_equal(policy.observe_rounds, 4);
  /* The same place beside any other directory is none. */
  (void)snprintf(c->program, sizeof c->program, "%s/tree/bin/unwedge", root);
  policy_fails(c, NULL, false, "no policy 'mine'");
  (void)snprintf(c->program, sizeof c->program, "%s/tree/rebuild/unwedge", root);
  policy_fails(c, NULL, false, "no policy 'mine'");
  /* Installed below a prefix. */
  (void)put("usr/share/unwedge/policies/mine.yaml", "observe: {rounds: 5}\n");
  (void)snprintf(c->program, sizeof c->program, "%s/usr/bin/unwedge", root);
  assert_int_equal(load_policy(c, NULL, false, &err), 0);
  assert_int_equal(policy.observe_rounds, 5);
  /* The site's own place comes first, even when what is there is wrong. */
  (void)put("etc/policies/mine.yaml", "observe: {rounds: 6}\n");
  assert_int_equal(load_policy(c, NULL, false, &err), 0);
  assert_int_equal(policy.observe_rounds, 6);
  assert_int_equal(uw_policy_path(c, "mine", path, &err), 0);
  assert_string_equal(path + strlen(root), "/etc/policies/mine.yaml");
  (void)put("etc/policies/mine.yaml", "observe: {round: 6}\n");
  policy_fails(c, NULL, false, "etc/policies/mine.yaml:1: key 'observe.round'");
  c->program[0] = '\0';
  policy_fails(c, "other", false, "no policy 'other'");
  policy_fails(c, "a b", false, "not the name of a policy");
  policy_fails(c, ".hidden", false, "not the name of a policy");
  uw_config_free(c);
}

static void test_policy_flag(void **state) {
  (void)state;
  struct uw_config *c = parse("policy: base\nhook: {policy: strict}\n");
  struct uw_err err;
  char lax[256];
  (void)put("etc/policies/base.yaml", "observe:\n  rounds: 4\nfreeze: [Sat]\n");
  (void)put("etc/policies/strict.yaml", "observe: {rounds: 5}\nfreeze: [Sat-Sun]\n"
                                        "apply: {allow: false}\n");
  (void)snprintf(lax, sizeof lax, "%s", put("lax.yaml", "freeze: [Sat]\nobserve: {rounds: 3}\n"));
  /* A verb that only looks may use any policy. */
  assert_int_equal(load_policy(c, lax, false, &err), 0);
  assert_int_equal(policy.observe_rounds, 3);
  /* A verb that acts may only tighten. */
  assert_int_equal(load_policy(c, "strict", true, &err), 0);
  assert_int_equal(policy.observe_rounds, 5);
  assert_int_equal(load_policy(c, "base", true, &err), 0);
  assert_int_equal(load_policy(c, "", true, &err), 0);
  assert_int_equal(policy.observe_rounds, 4);
  policy_fails(c, lax, true, "observe.rounds is 3");
  policy_fails(c, lax, true, "lax.yaml:2), laxer than 4");
  policy_fails(c, lax, true, "base.yaml:2) of the configured policy");
  /* The hook is measured by its own policy. */
  uw_err_clear(&err);
  assert_int_equal(uw_hook_policy_load(c, NULL, true, &policy, &err), 0);
  assert_int_equal(policy.apply_allow, 0);
  assert_int_equal(uw_hook_policy_load(c, "base", true, &policy, &err), -1);
  assert_int_equal(policy.valid, 0);
  assert_non_null(strstr(err.text, "apply.allow is true"));
  /* When the configured one cannot be read, nothing can be shown to be tighter. */
  (void)put("etc/policies/base.yaml", "x: 1\n");
  policy_fails(c, "strict", true, "base.yaml:1: key 'x'");
  policy_fails(c, "/nonexistent/p.yaml", false, "/nonexistent/p.yaml");
  uw_config_free(c);
}

static void test_policy_lab(void **state) {
  (void)state;
  struct uw_config *c = parse("policy: labp\nenvironment: production\n");
  struct uw_err err;
  (void)put("etc/policies/labp.yaml", "observe: {rounds: 2, window_s: 2}\nlab_only: true\n");
  policy_fails(c, NULL, false, "labp.yaml:2: key 'lab_only'");
  policy_fails(c, "labp", false, "(c.yaml) does not say environment: lab");
  policy_fails(c, "labp", true, "lab_only");
  uw_config_free(c);
  c = parse("policy: labp\nenvironment: lab\n");
  assert_int_equal(load_policy(c, NULL, true, &err), 0);
  assert_int_equal(policy.observe_window_s, 2);
  uw_config_free(c);
  /* Also in the lab --policy may only tighten for a verb that acts. */
  c = parse("policy: std\nenvironment: lab\n");
  (void)put("etc/policies/std.yaml", "observe: {rounds: 3}\n");
  assert_int_equal(load_policy(c, "labp", false, &err), 0);
  policy_fails(c, "labp", true, "laxer than 3");
  uw_config_free(c);
}

/* The shipped files, found as from a build tree; run from the root of the source tree. */
static void test_policy_shipped(void **state) {
  (void)state;
  static const char *const names[] = {"standard", "automation", "observe-only"};
  struct uw_err err;
  char here[PATH_MAX];
  assert_non_null(realpath(".", here));
  struct uw_config *c = parse("policy: standard\n");
  (void)snprintf(c->program, sizeof c->program, "%.4000s/build/unwedge", here);
  for (size_t i = 0; i < COUNT(names); i++) {
    assert_int_equal(load_policy(c, names[i], true, &err), 0);
  }
  policy_fails(c, "lab", false, "policies/lab.yaml:3: key 'lab_only'");
  uw_config_free(c);
  c = parse("policy: lab\nenvironment: lab\n");
  (void)snprintf(c->program, sizeof c->program, "%.4000s/build/unwedge", here);
  assert_int_equal(load_policy(c, NULL, true, &err), 0);
  assert_int_equal(load_policy(c, "standard", true, &err), 0);
  uw_config_free(c);
}

/* ---- The state directory ---- */

/* Runs in a child that is not root; 0 when all is as expected. */
static int state_dir_child(struct uw_config *c) {
  char out[PATH_MAX];
  char want[PATH_MAX];
  struct uw_err err;
  uw_err_clear(&err);
  if (geteuid() == 0 && (setegid(65534) != 0 || seteuid(65534) != 0)) {
    return 10;
  }
  (void)setenv("XDG_STATE_HOME", "/x/state", 1);
  (void)setenv("HOME", "/home/u", 1);
  /* Acting verbs never fall back. */
  (void)snprintf(c->value[UW_CONFIG_STATE_DIR], POL_YAML_TEXT_BYTES, "%s/locked/state", root);
  if (uw_config_state_dir(c, true, out, &err) != 0 ||
      strcmp(out, c->value[UW_CONFIG_STATE_DIR]) != 0) {
    return 1;
  }
  if (uw_config_state_dir(c, false, out, &err) != 0 || strcmp(out, "/x/state/unwedge") != 0) {
    return 2;
  }
  (void)setenv("XDG_STATE_HOME", "relative", 1);
  if (uw_config_state_dir(c, false, out, &err) != 0 ||
      strcmp(out, "/home/u/.local/state/unwedge") != 0) {
    return 3;
  }
  (void)unsetenv("XDG_STATE_HOME");
  (void)setenv("HOME", "", 1);
  if (uw_config_state_dir(c, false, out, &err) != -1 || err.status != UW_EXIT_USAGE) {
    return 4;
  }
  /* A directory that can be written to, or made, is used by everybody. */
  (void)snprintf(want, sizeof want, "%s/open/a/b", root);
  memcpy(c->value[UW_CONFIG_STATE_DIR], want, strlen(want) + 1);
  if (uw_config_state_dir(c, false, out, &err) != 0 || strcmp(out, want) != 0) {
    return 5;
  }
  /* A file in the way is not a directory. */
  (void)snprintf(c->value[UW_CONFIG_STATE_DIR], POL_YAML_TEXT_BYTES, "%s/open/file/s", root);
  return uw_config_state_dir(c, false, out, &err) == -1 ? 0 : 6;
}

static void test_state_dir(void **state) {
  (void)state;
  char path[256];
  char out[PATH_MAX];
  struct uw_err err;
  uw_err_clear(&err);
  struct uw_config *c = parse("cloud: x\n");
  (void)put("locked/keep", "");
  (void)put("open/file", "");
  (void)snprintf(path, sizeof path, "%s/open", root);
  assert_int_equal(chmod(path, 0777), 0);
  (void)snprintf(path, sizeof path, "%s/locked", root);
  assert_int_equal(chmod(path, 0555), 0);
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0) {
    int result = state_dir_child(c);
    uw_config_free(c);
    _exit(result);
  }
  int status = 0;
  assert_int_equal(waitpid(pid, &status, 0), pid);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 0);
  if (geteuid() == 0) {
    assert_int_equal(uw_config_state_dir(c, false, out, &err), 0);
    assert_string_equal(out, "/var/lib/unwedge");
  }
  assert_int_equal(chmod(path, 0755), 0);
  uw_config_free(c);
}

/* ---- Showing ---- */

struct shown {
  int count;
  char text[8192];
};

static void remember(const char *key, const char *value, const char *origin, const char *doc,
                     void *ctx) {
  struct shown *s = ctx;
  size_t used = strlen(s->text);
  s->count++;
  assert_true(doc[0] != '\0');
  (void)snprintf(s->text + used, sizeof s->text - used, "%s=%s (%s)\n", key, value, origin);
}

static void test_show(void **state) {
  (void)state;
  struct shown s = {0, ""};
  struct uw_config *c = parse(full);
  uw_config_show(c, remember, &s);
  assert_int_equal(s.count, UW_CONFIG_KEY_COUNT + 4 + 2);
  assert_non_null(strstr(s.text, "cloud=prod (c.yaml:1)\n"));
  assert_non_null(strstr(s.text, "policy=automation (c.yaml:9)\n"));
  assert_non_null(strstr(s.text, "hosts.overrides.cmp-a.uuid=" UUID " (c.yaml:7)\n"));
  assert_non_null(strstr(s.text, "hosts.overrides.odd name:1.hostname=odd (c.yaml:8)\n"));
  assert_non_null(strstr(s.text, "notify[1].webhook=https://hooks.example.com/... (c.yaml:14)\n"));
  assert_non_null(strstr(s.text, "notify[2].command=/usr/bin/page me (c.yaml:15)\n"));
  assert_null(strstr(s.text, "secret"));
  assert_null(strstr(s.text, "u:p"));
  uw_config_free(c);
  c = parse("cloud: x\n");
  s.text[0] = '\0';
  uw_config_show(c, remember, &s);
  assert_non_null(strstr(s.text, "policy=standard (default)\n"));
  uw_config_free(c);
}

static void test_warnings(void **state) {
  (void)state;
  static char out[UW_CONFIG_WARNINGS][UW_ERR_TEXT_BYTES];
  struct uw_config *c = parse("environment: lab\n"
                              "hosts:\n"
                              "  uri: \"qemu+tcp://%h/system\"\n"
                              "  overrides:\n"
                              "    a: {uri: \"qemu+tcp://a/system\"}\n"
                              "    b: {uri: \"qemu+tls://b/system\"}\n"
                              "notify: [{webhook: \"http://a/b\"}, {webhook: \"https://a/b\"}]\n");
  assert_int_equal(uw_config_warnings(c, out), 4);
  assert_non_null(strstr(out[0], "c.yaml:1: key 'environment': lab"));
  assert_non_null(strstr(out[1], "c.yaml:3: key 'hosts.uri': "));
  assert_non_null(strstr(out[2], "c.yaml:5: key 'hosts.overrides.a.uri': "));
  assert_non_null(strstr(out[3], "c.yaml:7: key 'notify': "));
  uw_config_free(c);
  c = parse("cloud: x\n");
  assert_int_equal(uw_config_warnings(c, out), 0);
  uw_config_free(c);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_full),
      cmocka_unit_test(test_defaults),
      cmocka_unit_test(test_refused),
      cmocka_unit_test(test_webhook_secret),
      cmocka_unit_test(test_load),
      cmocka_unit_test(test_truncation),
      cmocka_unit_test(test_targets),
      cmocka_unit_test(test_injection),
      cmocka_unit_test(test_expansion_bound),
      cmocka_unit_test(test_policy_places),
      cmocka_unit_test(test_policy_flag),
      cmocka_unit_test(test_policy_lab),
      cmocka_unit_test(test_policy_shipped),
      cmocka_unit_test(test_state_dir),
      cmocka_unit_test(test_show),
      cmocka_unit_test(test_warnings),
  };
  return cmocka_run_group_tests(tests, make_root, remove_root);
}
