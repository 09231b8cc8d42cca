/*
 * The libvirt side as the main process sees it: which URI a host has, and looks made by
 * unwedge-probe, one short-lived process per host and look. This process never links libvirt.
 */
#ifndef UW_PROBE_H
#define UW_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/buf.h"
#include "agent/base/err.h"
#include "recovery/evidence.h"

#define PROBE_URI_BYTES 1024
#define PROBE_REPLY_BYTES ((size_t)256 * 1024) /* more than this from one probe is garbage */
#define PROBE_LINE_BYTES ((size_t)64 * 1024)   /* as is a longer line */
#define PROBE_MAX_PARALLEL 64                  /* probes that run at the same time */

/* Where one host is, and who has to answer there. Filled by the host map (config/). */
struct probe_target {
  char host[RCV_TEXT_BYTES];            /* Nova's name */
  char uri[PROBE_URI_BYTES];            /* "" = unmapped */
  char expect_hostname[RCV_TEXT_BYTES]; /* hypervisor_hostname; "" = unmapped */
  char expect_uuid[RCV_ID_BYTES];       /* "" = not pinned */
};

/* What is asked about. */
struct probe_question {
  char instance[RCV_ID_BYTES];        /* UUID */
  char instance_name[RCV_TEXT_BYTES]; /* expected domain name, "" not known */
  char project[RCV_ID_BYTES];         /* expected owner, "" not known */
  int64_t deadline_ms;                /* of the whole look; SIGKILL after it */
  bool monitor;                       /* do the monitor-touching read instead of a look */
  bool gentle;                        /* once found hung: no job or monitor call */
};

struct probe_result {
  struct rcv_look look; /* reach, facts, start_ms, end_ms */
  char libvirt_hostname[RCV_TEXT_BYTES], host_uuid[RCV_ID_BYTES], domain_name[RCV_TEXT_BYTES];
  char detail[RCV_TEXT_BYTES]; /* one line of why when reach is not ok, or a hang */
  struct uw_buf raw;           /* the reply lines as they came (owned) */
};

void probe_result_free(struct probe_result *r);

/*
 * Looks at n targets, at most `parallel` at a time (1 .. PROBE_MAX_PARALLEL), each in a process
 * group of its own with clean environment and resource limits; question[i] is asked of target[i].
 * Results are always written whole: a probe that cannot be started, dies, is killed or talks
 * nonsense is a look with the matching reach. Only reach ok has facts; every other look has all
 * of them unknown. result[i] is written anew (free an old one first) and is the caller's to free,
 * also after -1. Returns -1 only when this process itself cannot work (no probe program, no
 * memory); err then says why. stop (may be NULL) is polled: when it becomes true, running probes
 * are killed and -1 returned.
 *
 * A call that hangs after identity, domain and state are known leaves reach ok: job_stats gives
 * job HUNG, the monitor read gives monitor MUTE, the later ones leave their facts unknown. Where
 * the control interface shows that a call is stuck (busy, and its time grows, or in error), the job
 * is not asked for and is HUNG. A gentle look never asks for it: else UNKNOWN.
 */
int probe_look(const char *program, const struct probe_target *target, size_t n,
               const struct probe_question *question, int parallel, const volatile bool *stop,
               struct probe_result *result, struct uw_err *err) UW_MUST_USE;

/*
 * The operations that only inform (list, stats, caps, compare): raw holds the reply lines,
 * look.reach, the identity and detail are filled as for a look, all other facts stay unknown.
 */
struct probe_request {
  const char *op;              /* "list", "stats", "caps", "compare" */
  const char *const *instance; /* UUIDs; NULL when instances is 0 */
  size_t instances;            /* at most 256 */
  const char *cpu_xml;         /* compare only, else NULL; at most 64 KiB */
  int64_t deadline_ms;
};
int probe_ask(const char *program, const struct probe_target *target, size_t n,
              const struct probe_request *request, int parallel, const volatile bool *stop,
              struct probe_result *result, struct uw_err *err) UW_MUST_USE;

/*
 * Refuses a URI that could run programs, skip verification, or answer for anything else than
 * the system daemon: command=, ext, no_verify, test:///, /session (percent-decoded before the
 * check). warn is set (non-empty) for plain tcp. status UW_EXIT_USAGE.
 */
int probe_uri_check(const char *uri, char warn[UW_ERR_TEXT_BYTES], struct uw_err *err) UW_MUST_USE;

/* The same check; out is the URI as a probe gets it: with no_tty=1 for ssh, so that it never asks
 * anybody for anything. "" on error. */
int probe_uri_for_use(const char *uri, char out[PROBE_URI_BYTES], struct uw_err *err) UW_MUST_USE;

/* Path of unwedge-probe for a program that lies at self (its real path): ../libexec/unwedge/
 * when installed, beside it in a build tree. -1 when there is none. */
int probe_program(char *out, size_t n, struct uw_err *err) UW_MUST_USE;

#endif
