/*
 * unwedge.yaml: which cloud, how each host is reached, which policy, where things are kept
 * (contract section 4), read strictly (S8); and the policies it leads to (S7).
 */
#ifndef UW_CONFIG_H
#define UW_CONFIG_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"
#include "agent/libvirt/probe.h"
#include "policies/policy.h"

#define UW_CONFIG_FILE "/etc/unwedge/unwedge.yaml"
#define UW_CONFIG_POLICIES "/etc/unwedge/policies"
#define UW_CONFIG_OVERRIDES POL_YAML_MEMBERS /* hosts with an override */
#define UW_CONFIG_NOTIFY 16                  /* entries of notify */
#define UW_CONFIG_WARNINGS 16

/* Zero is the strict one. */
enum uw_environment { UW_ENV_PRODUCTION = 0, UW_ENV_LAB };

/* X(ID, "key", "default", "sentence"): the single values of the file. */
#define UW_CONFIG_KEYS(X)                                                                          \
  X(CLOUD, "cloud", "", "entry of clouds.yaml; empty: OS_* variables or the only entry")           \
  X(ENVIRONMENT, "environment", "production", "production or lab; lab policies load only in lab")  \
  X(URI, "hosts.uri", "qemu+tls://%h/system",                                                      \
    "libvirt URI of a host: %h hypervisor_hostname, %n Nova host name, %% a percent sign")         \
  X(POLICY, "policy", "standard", "name or absolute file of the policy in force")                  \
  X(HOOK_POLICY, "hook.policy", "observe-only", "the same for unwedge hook")                       \
  X(JOURNAL_DIR, "journal.dir", "", "directory of the audit journal; journal/ in state_dir")       \
  X(JOURNAL_KEY, "journal.key", "/etc/unwedge/journal.key", "key that signs its checkpoints")      \
  X(STATE_DIR, "state_dir", "/var/lib/unwedge", "locks, runs and the spool")                       \
  X(COORDINATION, "coordination.driver", "local", "who sees to it that one run acts at a time")    \
  X(KILL_SWITCH, "kill_switch", "/etc/unwedge/kill-switch", "a file whose existence stops acts")

#define UW_CONFIG_ID(id, key, def, doc) UW_CONFIG_##id,
enum uw_config_key { UW_CONFIG_KEYS(UW_CONFIG_ID) UW_CONFIG_KEY_COUNT };

/* hosts.overrides.<host>; texts are "" when not given. */
struct uw_host_override {
  char host[RCV_TEXT_BYTES];
  char uri[PROBE_URI_BYTES];
  char hostname[RCV_TEXT_BYTES];
  char uuid[RCV_ID_BYTES];                          /* lower case */
  int64_t line, uri_line, hostname_line, uuid_line; /* 0: not given */
};

struct uw_notify {
  bool command;                   /* else a webhook */
  char text[POL_YAML_TEXT_BYTES]; /* URL, or absolute path of a program; a URL can be a secret */
  int64_t line;
};

struct uw_config {
  char file[PATH_MAX]; /* "" when there is no file and all is default */
  char value[UW_CONFIG_KEY_COUNT][POL_YAML_TEXT_BYTES]; /* by enum uw_config_key, never unset */
  int64_t line[UW_CONFIG_KEY_COUNT];                    /* 0: default */
  enum uw_environment environment;
  struct uw_host_override *override; /* owned */
  size_t overrides;
  struct uw_notify notify[UW_CONFIG_NOTIFY];
  size_t notifies;
  char policies_dir[PATH_MAX]; /* UW_CONFIG_POLICIES; first place of policy names */
  char program[PATH_MAX];      /* real path of this program; "" when it cannot be told */
};

/*
 * Reads path, or with NULL UW_CONFIG_FILE, which may be missing (defaults then); a named file
 * must exist. *ret is owned by the caller. On error *ret is NULL and err has status
 * UW_EXIT_USAGE and one line "FILE:LINE: key 'a.b': ...".
 */
int uw_config_load(const char *path, struct uw_config **ret, struct uw_err *err) UW_MUST_USE;
/* The same from bytes; name stands for the file. */
int uw_config_parse(const char *bytes, size_t n, const char *name, struct uw_config **ret,
                    struct uw_err *err) UW_MUST_USE;
void uw_config_free(struct uw_config *config); /* NULL is fine */

/*
 * Where a host of Nova is and who has to answer there: the override, else the template.
 * hypervisor_hostname is Nova's, "" when it lists none. The target is always written whole;
 * 0 with uri "" is an unmapped host (no hostname is known that could be verified).
 * A name that is put into a URI must be letters, digits, '.', '-' and '_'; any other name, and a
 * URI that probe_uri_check refuses, is -1 with an unmapped target: err says why (status
 * UW_EXIT_UNKNOWN, since it concerns one host only). warn is set (may be "") as there.
 */
int uw_config_target(const struct uw_config *config, const char *host,
                     const char *hypervisor_hostname, struct probe_target *target,
                     char warn[UW_ERR_TEXT_BYTES], struct uw_err *err) UW_MUST_USE;

/*
 * The policy in force for a verb. flag is --policy (NULL or "": none): a name or, with a slash,
 * a file. acting: the verb could write to the cloud; then flag may only tighten the configured
 * policy (S7). A policy with lab_only: true loads only under environment: lab. On error *out is
 * zeroed, which permits nothing.
 */
int uw_policy_load(const struct uw_config *config, const char *flag, bool acting,
                   struct pol_policy *out, struct uw_err *err) UW_MUST_USE;
/* The same for unwedge hook: hook.policy takes the place of policy. */
int uw_hook_policy_load(const struct uw_config *config, const char *flag, bool acting,
                        struct pol_policy *out, struct uw_err *err) UW_MUST_USE;
/*
 * The file of a policy name: NAME.yaml in policies_dir, then in ../share/unwedge/policies from the
 * program's real path, or, for a program in a directory build/, in ../policies. A file that
 * is there and cannot be read is not passed over.
 */
int uw_policy_path(const struct uw_config *config, const char *name, char out[PATH_MAX],
                   struct uw_err *err) UW_MUST_USE;

/*
 * The state directory of a run: state_dir; for a read-only verb of a user that is not root and
 * may not write there, $XDG_STATE_HOME/unwedge, else ~/.local/state/unwedge. Makes nothing.
 */
int uw_config_state_dir(const struct uw_config *config, bool acting, char out[PATH_MAX],
                        struct uw_err *err) UW_MUST_USE;

/* Calls show for every value in force: key, value (secrets masked), origin ("default",
 * "FILE:LINE"), sentence. */
void uw_config_show(const struct uw_config *config,
                    void (*show)(const char *key, const char *value, const char *origin,
                                 const char *doc, void *ctx),
                    void *ctx);

/* What is allowed but dangerous (plain http, qemu+tcp, lab), one line each; returns how many. */
size_t uw_config_warnings(const struct uw_config *config,
                          char out[UW_CONFIG_WARNINGS][UW_ERR_TEXT_BYTES]);

#endif
