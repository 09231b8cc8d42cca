/*
 * Neutron: the ports of an instance and the hosts they are bound to. Only read, and only for the
 * residue report.
 *
 * Source: Networking API v2.0 reference, "Ports" and "Port bindings" (extension binding-extended):
 * a live migration adds an INACTIVE binding on the destination, which becomes the ACTIVE one at
 * switch-over. Both are shown to role admin (and service) only.
 */
#ifndef UW_NEUTRON_H
#define UW_NEUTRON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "agent/base/digest.h"
#include "agent/base/err.h"
#include "agent/openstack/nova.h"
#include "recovery/limits.h"

#define NT_MAX_PORTS 64    /* of one instance */
#define NT_MAX_PAGES 64    /* of the list of ports */
#define NT_MAX_BINDINGS 16 /* of one port */
#define NT_URL_BYTES 1152  /* the endpoint, with its NUL */

struct nt_binding {
  char host[RCV_TEXT_BYTES]; /* Nova's name of the host; "" unbound */
  bool active;               /* ACTIVE; else INACTIVE */
};

enum nt_bindings_state {
  NT_BINDINGS_UNREAD = 0,  /* why says so */
  NT_BINDINGS_NOT_OFFERED, /* 404: this Neutron has one binding a port, the port's own */
  NT_BINDINGS_READ
};

struct nt_port {
  char id[UW_UUID_TEXT_BYTES];
  char host[RCV_TEXT_BYTES];         /* binding:host_id: where it is ACTIVE; "" unbound */
  char migrating_to[RCV_TEXT_BYTES]; /* of binding:profile; "" none */
  enum nt_bindings_state state;
  struct uw_err why;
  size_t bindings;
  struct nt_binding binding[NT_MAX_BINDINGS];
};

struct nt_ports {
  bool read; /* the list of ports was read; else why */
  struct uw_err why;
  char url[NT_URL_BYTES]; /* of the endpoint, ends in /v2.0; "" when there is none */
  size_t ports;
  struct nt_port port[NT_MAX_PORTS];
};

/* Reads the ports of an instance, then the bindings of each side by side. */
void nt_read(struct nova *nova, const char *uuid, struct nt_ports *out);

/* One page of GET /v2.0/ports?device_id=UUID; appends. -1 with an error about its body. */
int nt_ports(const json_t *root, const char *uuid, struct nt_ports *out,
             struct uw_err *err) UW_MUST_USE;

/* The reply of GET /v2.0/ports/{id}/bindings. */
int nt_bindings(const json_t *root, struct nt_port *out, struct uw_err *err) UW_MUST_USE;

#endif
