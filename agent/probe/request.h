/* The one request of a probe, read from stdin and checked before libvirt is touched. */
#ifndef UW_PROBE_REQUEST_H
#define UW_PROBE_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"

#define REQUEST_SCHEMA "unwedge.probe-request/1"
#define REQUEST_MAX_BYTES ((size_t)128 * 1024)
#define REQUEST_MAX_INSTANCES 256
#define REQUEST_URI_BYTES 1024
#define REQUEST_CPU_BYTES ((size_t)64 * 1024)
#define REQUEST_MIN_MS 100
#define REQUEST_MAX_MS 600000

enum request_op { OP_NONE, OP_LOOK, OP_LIST, OP_STATS, OP_CAPS, OP_COMPARE };

struct request {
  enum request_op op;
  const char *op_name;         /* static */
  char uri[REQUEST_URI_BYTES]; /* passed probe_uri_check */
  size_t instances;
  char instance[REQUEST_MAX_INSTANCES][37]; /* lower-case UUIDs */
  int64_t deadline_ms;
  bool gentle;   /* look: no job, XML or monitor call */
  bool monitor;  /* look: only the monitor-touching read */
  char *cpu_xml; /* compare: <cpu> of the guest or the other host; owned, else NULL */
};

/* Reads fd to its end. -1 when it is not one valid request; err says why. */
int request_read(int fd, struct request *r, struct uw_err *err) UW_MUST_USE;
void request_free(struct request *r);

#endif
