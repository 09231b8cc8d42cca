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

static int load_config(struct session *s, struct uw_err *err) {
  char warning[UW_CONFIG_WARNINGS][UW_ERR_TEXT_BYTES];
  if (uw_config_load(s->options.config, &s->config, err) != 0) {
    return -1;
  }
  size_t n = uw_config_warnings(s->config, warning);
  for (size_t i = 0; i < n && i < UW_CONFIG_WARNINGS; i++) {
    uw_warn("%s", warning[i]);
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
    uw_warn("%s", warning[i]);
  }
  pol_to_decision(s->policy, &s->decision);
  const char *slash = strrchr(s->policy->name, '/');
  const char *base = slash != NULL ? slash + 1 : s->policy->name;
  size_t n_base = strlen(base);
  if (n_base > 5 && strcmp(base + n_base - 5, ".yaml") == 0) {
    n_base -= 5;
  }
  n_base = n_base < sizeof s->policy_name ? n_base : sizeof s->policy_name - 1;
  (void)snprintf(s->policy_name, sizeof s->policy_name, "%.*s", (int)n_base, base);
  return digest_policy(s, err);
}

/* One statement; what the policy does not list is refused before anything else happens. */
static int state(struct session *s, const struct obs_attestation *a, const char *who,
                 const char *reason, struct uw_err *err) {
  char fact[OBS_ATTESTATION_TEXT_BYTES];
  obs_attestation_text(a, fact);
  if ((s->decision.attest_accepted & (int64_t)a->kind) == 0) {
    return uw_err_set(err, UW_EXIT_USAGE,
                      "--attest %s: policy %s does not accept this statement (attest.accepted)",
                      fact, s->policy_name);
  }
  json_t *one = json_pack("{s:s, s:s, s:s}", "fact", fact, "who", who, "reason", reason);
  if (s->attestations >= OBS_MAX_ATTESTATIONS || one == NULL ||
      json_array_append_new(s->stated, one) != 0) {
    return uw_err_set(err, UW_EXIT_USAGE, "--attest %s: too many statements, or out of memory",
                      fact);
  }
  s->attestation[s->attestations++] = *a;
  return 0;
}

static int take_options(struct session *s, struct uw_err *err) {
  const char *reason = s->options.reason != NULL ? s->options.reason : "";
  s->stated = json_array();
  if (s->stated == NULL) {
    return uw_err_set(err, UW_EXIT_USAGE, "out of memory");
  }
  if (s->options.also != NULL) {
    s->also = *s->options.also;
  }
  s->also.everywhere = s->policy->scope_exclusivity == POL_EXCLUSIVITY_ALL;
  for (size_t i = 0; i < s->options.attestations; i++) {
    if (state(s, &s->options.attestation[i], s->who, reason, err) != 0) {
      return -1;
    }
  }
  return 0;
}

static int adopt_statements(struct session *s, const json_t *list, struct uw_err *err) {
  for (size_t i = 0; i < json_array_size(list); i++) {
    const json_t *one = json_array_get(list, i);
    struct obs_attestation a;
    if (obs_attestation_parse(uw_json_str(one, "fact", ""), &a, err) != 0 ||
        state(s, &a, uw_json_str(one, "who", ""), uw_json_str(one, "reason", ""), err) != 0) {
      err->status = UW_EXIT_STALE;
      return uw_err_wrap(err, "a statement of the plan");
    }
  }
  return 0;
}

int session_adopt(struct session *s, const struct uw_plan *plan, struct uw_err *err) {
  const struct rcv_evidence *e = &plan->record->evidence;
  if (s->attestations > 0 || s->also.count > 0) { /* given on the command line */
    return uw_err_set(err, UW_EXIT_USAGE,
                      "--attest and --also-probe belong to the plan; make a new "
                      "plan with them");
  }
  for (int64_t i = 0; i < e->candidates; i++) {
    if (e->candidate[i].also_probe == RCV_TRI_YES && s->also.count < OBS_MAX_ALSO) {
      memcpy(s->also.host[s->also.count++], plan->record->names.host[i].host, RCV_TEXT_BYTES);
    }
  }
  return adopt_statements(s, plan->record->attestations, err);
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
  s->journal_lock.fd = -1;
  uw_uuid_new(s->run);
  session_who(s->who);
  if (gethostname(s->made_on, sizeof s->made_on - 1) != 0) {
    (void)snprintf(s->made_on, sizeof s->made_on, "unknown");
  }
  if (load_config(s, err) != 0 || load_policy(s, err) != 0 || take_options(s, err) != 0 ||
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
    json_decref(s->stated);
    free(s->policy);
    free(s);
  }
}
