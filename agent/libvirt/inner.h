/* Between the files of this room: running children, and folding what they print. */
#ifndef UW_LIBVIRT_INNER_H
#define UW_LIBVIRT_INNER_H

#include <sys/types.h>

#include "agent/libvirt/probe.h"

#define CHILD_STDERR_BYTES 512

/* How a child ended. */
enum child_end {
  CHILD_NOT_STARTED, /* why says so */
  CHILD_EXITED,      /* status */
  CHILD_DIED,        /* signal in status */
  CHILD_KILLED,      /* by us, at its deadline */
  CHILD_TOO_MUCH     /* by us: more than PROBE_REPLY_BYTES */
};

/* One child: what it is given, and what came of it. */
struct child {
  bool wanted;         /* false: is not started at all */
  char *request;       /* owned by the caller */
  int64_t deadline_ms; /* from its start */
  struct uw_buf out;   /* what it printed; owned by the caller afterwards */
  int64_t start_ms, end_ms;
  enum child_end end;
  int status;
  char why[RCV_TEXT_BYTES];           /* NOT_STARTED: reason */
  char complaint[CHILD_STDERR_BYTES]; /* beginning of what it wrote to stderr */
  /* While it runs. */
  bool running, killed;
  pid_t pid;
  int fd_out, fd_err;
};

/*
 * Runs all wanted children, at most parallel at a time, in the order given. -1 only when stop
 * became true; everything is then killed and reaped.
 */
int children_run(const char *program, struct child *child, size_t n, int parallel,
                 const volatile bool *stop, struct uw_err *err);

/* Folds what one child printed. question NULL: no look, only reach, identity and detail. */
void reply_fold(const struct child *c, const struct probe_target *target,
                const struct probe_question *question, struct probe_result *r);

/* How far a failed step means that one came; RCV_REACH_OK: the failure is no matter of reach. */
enum rcv_reach reply_reach(const char *step, int64_t code, int64_t domain, const char *text);

#endif
