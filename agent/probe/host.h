/* One read-only connection and who answered on it. */
#ifndef UW_PROBE_HOST_H
#define UW_PROBE_HOST_H

#include <libvirt/libvirt.h>
#include <stdint.h>

#include "agent/probe/request.h"

struct host {
  virConnectPtr conn;
  char *capabilities; /* XML; owned */
};

/*
 * Connects and prints "open", "identity" and "host" lines. -1 when one of these steps failed; its
 * error line is then printed. host_close must be called in either case.
 */
int host_open(const struct request *r, struct host *h);

/* Closes. May block as any call: a deadline (watch_farewell) must be running. */
void host_close(struct host *h);

enum lookup { LOOKUP_FAILED, LOOKUP_ABSENT, LOOKUP_FOUND };

/* The domain of this UUID. FAILED: an error line was printed. FOUND: *dom is the caller's. */
enum lookup host_lookup(struct host *h, const char *instance, virDomainPtr *dom);

/* The code of libvirt's last error. */
int last_code(void);

/* Half of what is left of the deadline: the share of a step that is known to hang. */
int64_t half_left_ms(void);

/* Named integer among typed parameters, -1 when it is not there, negative or above 2^53. */
int64_t param_value(virTypedParameterPtr params, int n, const char *name);

/* The operations. Each prints its lines; nothing to return. */
void op_look(struct host *h, const struct request *r);
void op_list(struct host *h, const struct request *r);
void op_stats(struct host *h, const struct request *r);
void op_caps(struct host *h, const struct request *r);
void op_compare(struct host *h, const struct request *r);

/* Shared by look and stats: {"vcpus":{count, time_ms}}. */
void say_vcpus(virDomainPtr dom, const char *instance);

#endif
