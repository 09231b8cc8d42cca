#include "agent/run/session.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/buf.h"
#include "agent/base/files.h"
#include "agent/base/json.h"

/* --- who ------------------------------------------------------------------------------------ */

void session_who(char out[SESSION_WHO_BYTES]) {
  char host[RCV_TEXT_BYTES] = "";
  const struct passwd *user = getpwuid(getuid());
  /* The login behind sudo and the ssh client are what an auditor asks for first. */
  const char *sudo = getenv("SUDO_USER");
  const char *ssh = getenv("SSH_CLIENT");
  (void)gethostname(host, sizeof host - 1);
  (void)snprintf(out, SESSION_WHO_BYTES, "%.64s (uid %ld%s%.64s%s%.*s) on %.64s",
                 user != NULL ? user->pw_name : "unknown", (long)getuid(),
                 sudo != NULL ? ", sudo by " : "", sudo != NULL ? sudo : "",
                 ssh != NULL ? ", from " : "", ssh != NULL ? (int)strcspn(ssh, " ") : 0,
                 ssh != NULL ? ssh : "", host);
}

/* --- the policy's digest -------------------------------------------------------------------- */

static int add_item(const struct pol_item *item, void *ctx) {
  json_t *list = ctx;
  json_t *texts = json_array();
  for (int64_t i = 0; texts != NULL && i < item->texts; i++) {
    (void)json_array_append_new(texts, json_string(item->text[i]));
  }
  json_t *o = json_pack("{s:s, s:I, s:o}", "name", item->info->name, "number",
                        (json_int_t)item->number, "texts", texts);
  return o == NULL || json_array_append_new(list, o) != 0 ? -1 : 0;
}

static int digest_policy(struct session *s, struct uw_err *err) {
  struct uw_buf bytes = {0};
  json_t *list = json_array();
  int result = -1;
  if (list == NULL || pol_each(s->policy, add_item, list) != 0) {
    (void)uw_err_set(err, UW_EXIT_USAGE, "out of memory for the policy's digest");
  } else if (uw_json_canonical(list, &bytes, err) == 0) {
    result = uw_sha256(bytes.data, bytes.len, s->policy_digest, err);
  }
  json_decref(list);
  uw_buf_free(&bytes);
  return result;
}

/* --- opening -------------------------------------------------------------------------------- */

static void warn(const char *text) {
  (void)fprintf(stderr, "unwedge: warning: %s\n", text);
}

static int load_config(struct session *s, struct uw_err *err) {
  char warning[UW_CONFIG_WARNINGS][UW_ERR_TEXT_BYTES];
  if (uw_config_load(s->options.config, &s->config, err) != 0) {
    return -1;
  }
  size_t n = uw_config_warnings(s->config, warning);
  for (size_t i = 0; i < n && i < UW_CONFIG_WARNINGS; i++) {
    warn(warning[i]);
  }
  return 0;
}

static int load_policy(struct session *s, struct uw_err *err) {
  char warning[POL_WARNINGS_MAX][POL_WARNING_BYTES];
  s->policy = calloc(1, sizeof *s->policy);
  if (s->policy == NULL) {
    return uw_err_set(err, UW_EXIT_USAGE, "out of memory for the policy");
  }
  if (uw_policy_load(s->config, s->options.policy, s->options.acting, s->policy, err) != 0) {
    return -1;
  }
  size_t n = pol_warnings(s->policy, warning);
  for (size_t i = 0; i < n && i < POL_WARNINGS_MAX; i++) {
    warn(warning[i]);
  }
  pol_to_decision(s->policy, &s->decision);
  const char *base = strrchr(s->policy->name, '/');
  (void)snprintf(s->policy_name, sizeof s->policy_name, "%.*s",
                 (int)sizeof s->policy_name - 1, base != NULL ? base + 1 : s->policy->name);
  return digest_policy(s, err);
}

/* Attesting what the policy does not list is a mistake of the caller, said before anything. */
static int check_attestations(const struct session *s, struct uw_err *err) {
  for (size_t i = 0; i < s->options.attestations; i++) {
    int64_t kind = (int64_t)s->options.attestation[i].kind;
    if ((s->decision.attest_accepted & kind) == 0) {
      return uw_err_set(err, UW_EXIT_USAGE,
                        "--attest %s: policy %s does not accept this statement (attest.accepted)",
                        pol_attest_name(kind), s->policy_name);
    }
  }
  return 0;
}

static int find_dirs(struct session *s, struct uw_err *err) {
  if (uw_config_state_dir(s->config, s->options.acting, s->state_dir, err) != 0) {
    return -1;
  }
  const char *journal = s->config->value[UW_CONFIG_JOURNAL_DIR];
  if (journal[0] != '\0') {
    return snprintf(s->journal_dir, sizeof s->journal_dir, "%s", journal) <
                   (int)sizeof s->journal_dir
               ? 0
               : uw_err_set(err, UW_EXIT_USAGE, "journal.dir is too long");
  }
  return uw_path_join(s->journal_dir, sizeof s->journal_dir, s->state_dir, "journal", err);
}

static int connect(struct session *s, struct uw_err *err) {
  struct nova_options no = {.debug = s->options.debug};
  (void)snprintf(no.run_id, sizeof no.run_id, "%s", s->run);
  if (os_cloud_load(s->options.os_cloud, s->config->value[UW_CONFIG_CLOUD], &s->cloud, err) != 0 ||
      nova_open(s->cloud, &no, &s->nova, err) != 0) {
    return -1;
  }
  int n = snprintf(s->cloud_id, sizeof s->cloud_id, "%.100s %.150s", s->cloud->name,
                   s->cloud->auth_url);
  return n > 0 ? 0 : uw_err_set(err, UW_EXIT_USAGE, "internal: cannot name the cloud");
}

struct session *session_open(const struct session_options *options, struct uw_err *err) {
  struct session *s = calloc(1, sizeof *s);
  if (s == NULL) {
    (void)uw_err_set(err, UW_EXIT_USAGE, "out of memory");
    return NULL;
  }
  s->options = *options;
  uw_uuid_new(s->run);
  session_who(s->who);
  if (gethostname(s->made_on, sizeof s->made_on - 1) != 0) {
    (void)snprintf(s->made_on, sizeof s->made_on, "unknown");
  }
  if (load_config(s, err) != 0 || load_policy(s, err) != 0 || check_attestations(s, err) != 0 ||
      find_dirs(s, err) != 0 || probe_program(s->probe, sizeof s->probe, err) != 0 ||
      connect(s, err) != 0) {
    session_close(s);
    return NULL;
  }
  return s;
}

void session_close(struct session *s) {
  if (s != NULL) {
    nova_close(s->nova);
    os_cloud_free(s->cloud);
    uw_config_free(s->config);
    free(s->policy);
    free(s);
  }
}
