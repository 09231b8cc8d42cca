/*
 * One run of the program against one cloud: configuration, policy, credentials, identity.
 * Everything a verb needs before it can look at an instance.
 */
#ifndef UW_RUN_SESSION_H
#define UW_RUN_SESSION_H

#include <limits.h>
#include <stdbool.h>

#include "agent/base/digest.h"
#include "agent/base/lock.h"
#include "agent/config/config.h"
#include "agent/observe/observe.h"
#include "agent/openstack/nova.h"
#include "agent/records/plan.h"
#include "policies/policy.h"

#define SESSION_WHO_BYTES 256

/* What a verb was told; texts are borrowed, NULL where not given. */
struct session_options {
  const char *config, *policy, *os_cloud, *reason;
  bool acting; /* verbs that can write to the cloud: --policy may only tighten (S7) */
  bool debug;
  const struct obs_also *also;
  const struct obs_attestation *attestation;
  size_t attestations;
  void (*progress)(void *ctx, const struct obs_progress *p);
  void *progress_ctx;
  const volatile bool *stop;
};

struct session {
  struct session_options options;
  char run[UW_UUID_TEXT_BYTES];
  char who[SESSION_WHO_BYTES];  /* "alice (uid 1000) on opshost" */
  char made_on[RCV_TEXT_BYTES]; /* host name of this machine */
  struct uw_config *config;
  struct pol_policy *policy;
  struct rcv_policy decision;
  char policy_name[UW_POLICY_NAME_BYTES];
  uint8_t policy_digest[RCV_DIGEST_BYTES];
  struct os_cloud *cloud;
  struct nova *nova;
  char cloud_id[RCV_TEXT_BYTES]; /* entry name and Keystone URL, as plans name the cloud */
  char state_dir[PATH_MAX], journal_dir[PATH_MAX];
  /* What is stated and also probed: from the command line, or from the plan that is applied. */
  struct obs_also also;
  struct obs_attestation attestation[OBS_MAX_ATTESTATIONS];
  size_t attestations;
  struct uw_lock journal_lock; /* while a journal of this session is open (audit.h) */
  json_t *stated;              /* array of {fact, who, reason}, as many as attestations; owned */
  char probe[PATH_MAX];
};

/* Configuration, policy and credentials are loaded and the token is fetched. NULL on error;
 * nothing is left behind. */
struct session *session_open(const struct session_options *options, struct uw_err *err);
void session_close(struct session *s); /* NULL is fine */

/*
 * Takes a plan's statements and further hosts in place of the command line's: what a plan was
 * made with is part of it. -1 (status UW_EXIT_STALE) when the policy does not accept one.
 */
int session_adopt(struct session *s, const struct uw_plan *plan, struct uw_err *err) UW_MUST_USE;

/* "alice (uid 1000, from 192.0.2.7) on opshost": who started this process. */
void session_who(char out[SESSION_WHO_BYTES]);

#endif
