/*
 * Placement: what a consumer (an instance, or the migration that holds its old place) is allocated,
 * and of which compute host. Only read, and only for the residue report.
 *
 * Source: Placement API reference, GET /allocations/{consumer_uuid} and
 * GET /resource_providers/{uuid}, 1.14 and later. Nova's root provider is named like the
 * hypervisor (hypervisor_hostname); what is nested below it has it as root_provider_uuid.
 */
#ifndef UW_PLACEMENT_H
#define UW_PLACEMENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "agent/base/digest.h"
#include "agent/base/err.h"
#include "agent/openstack/nova.h"
#include "recovery/limits.h"

#define PL_MAX_CONSUMERS 17    /* the instance, and its newest migrations */
#define PL_MAX_HOLDINGS 16     /* providers that one consumer holds something of */
#define PL_MAX_RESOURCES 32    /* resource classes of one holding */
#define PL_RESOURCES_BYTES 256 /* "MEMORY_MB=128, VCPU=1", with its NUL */

/* What a consumer has of one provider. */
struct pl_holding {
  char provider[UW_UUID_TEXT_BYTES];
  char root[UW_UUID_TEXT_BYTES];      /* "" while not known */
  char hypervisor[RCV_TEXT_BYTES];    /* name of the root; "" while not known */
  char resources[PL_RESOURCES_BYTES]; /* in the order of their names */
  bool compute; /* processors or memory: this is a place on a host, not on shared storage */
};

struct pl_consumer {
  char uuid[UW_UUID_TEXT_BYTES]; /* set by the caller */
  bool read;                     /* the allocations were read; else why */
  bool named;                    /* every provider's hypervisor is known; else why */
  struct uw_err why;
  size_t holdings;
  struct pl_holding holding[PL_MAX_HOLDINGS];
};

/* Reads n <= PL_MAX_CONSUMERS consumers; each says for itself what was read. */
void pl_read(struct nova *nova, struct pl_consumer *consumer, size_t n);

/* The reply of GET /allocations/{uuid} into out->holding; -1 with an error about its body. */
int pl_allocations(const json_t *root, struct pl_consumer *out, struct uw_err *err) UW_MUST_USE;

/* The reply of GET /resource_providers/{uuid}; uuid is the one that was asked for. */
int pl_provider(const json_t *reply, const char *uuid, char name[RCV_TEXT_BYTES],
                char root[UW_UUID_TEXT_BYTES], struct uw_err *err) UW_MUST_USE;

#endif
