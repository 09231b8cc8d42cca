/*
 * The observation: rounds of looks at every candidate between readings of Nova, folded into
 * evidence (contract section 1, "round" and "observation"). It ends early when the verdict can
 * only be a refusal, and begins again, a bounded number of times, when something moved.
 */
#ifndef UW_OBSERVE_H
#define UW_OBSERVE_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/libvirt/probe.h"
#include "agent/observe/attestation.h"
#include "agent/observe/candidates.h"
#include "agent/openstack/nova.h"
#include "recovery/decide.h"

#define OBS_MAX_RESTARTS 3
#define OBS_MAX_ROUNDS 64

struct obs_progress {
  const char *what; /* "reading Nova", "looking at the hosts", "waiting" */
  int64_t round, rounds;
  const char *host; /* "" when not about one host */
  int64_t left_ms;  /* expected, -1 not known */
};

struct obs_options {
  const struct rcv_policy *policy;
  int64_t rounds;    /* of this observation, 2 .. OBS_MAX_ROUNDS */
  int64_t window_ms; /* that they have to span */
  int64_t probe_deadline_ms;
  int parallel;
  const char *probe_program;
  /* The host map; target->uri "" means unmapped. */
  void (*target)(void *ctx, const char *host, const char *hypervisor_hostname,
                 struct probe_target *target);
  void *target_ctx;
  const struct obs_also *also;
  const struct obs_attestation *attestation;
  size_t attestations;
  void (*progress)(void *ctx, const struct obs_progress *p); /* may be NULL */
  void *progress_ctx;
  const volatile bool *stop; /* set by a signal handler; may be NULL */
};

struct obs; /* one observation and what is needed to go on with it */

/* options, policy and strings in it are borrowed until obs_free(). NULL without memory. */
struct obs *obs_new(struct nova *nova, const char *uuid, const struct obs_options *options);
void obs_free(struct obs *o);

/*
 * Observes until complete, or until more looking cannot lead to RESET. 0: the evidence holds what
 * was seen, also when hosts or Nova failed. -1: nothing can be decided (no such instance, bad
 * credential, no probe program, interrupted); err says why.
 */
int obs_run(struct obs *o, struct uw_err *err) UW_MUST_USE;

/*
 * One more bracketing round, then server, migrations, actions and services again (contract S4),
 * folded onto what is there. The looks begin with `monitor` when the policy asks for it.
 */
int obs_relook(struct obs *o, struct uw_err *err) UW_MUST_USE;

/*
 * Starts from evidence of an earlier run of this boot instead of from nothing (a plan younger
 * than its window). The next call is obs_relook(). -1 when Nova's hosts are no longer the same
 * list: then run a full observation.
 */
int obs_resume(struct obs *o, const struct rcv_evidence *evidence, const struct rcv_names *names,
               struct uw_err *err) UW_MUST_USE;

const struct rcv_evidence *obs_evidence(const struct obs *o);
const struct rcv_names *obs_names(const struct obs *o);
/* The latest reading of Nova (borrowed until the next call). */
const struct nova_reading *obs_reading(const struct obs *o);
/* Every raw look as one JSON line: host, round, times, what the probe said. */
const struct uw_buf *obs_raw(const struct obs *o);

#endif
