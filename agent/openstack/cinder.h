/*
 * Cinder: the attachments of an instance's volumes and their hosts. Only read, and only for the
 * residue report.
 *
 * Source: Block Storage API v3 reference, "Attachments" (3.27) and "Volumes": the list of
 * attachments has the instance and a status, and the volume's own list, which has the finished ones
 * only, has the host (shown to role admin). connection_info, which may hold secrets of the
 * storage, is in neither, and the calls that have it are not made.
 */
#ifndef UW_CINDER_H
#define UW_CINDER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "agent/base/digest.h"
#include "agent/base/err.h"
#include "agent/openstack/nova.h"
#include "recovery/limits.h"

#define CN_MAX_ATTACHMENTS 64 /* of one instance */
#define CN_MAX_LISTED 1024    /* attachments of one volume that are looked through */

struct cn_attachment {
  char id[UW_UUID_TEXT_BYTES], volume[UW_UUID_TEXT_BYTES];
  char status[RCV_ID_BYTES]; /* "attached"; "attaching", "reserved", ... while not finished */
  char host[RCV_TEXT_BYTES]; /* Nova's name of the host; "" not told, see why */
  struct uw_err why;         /* the volume could not be read; "" when Cinder does not tell */
};

struct cn_attachments {
  bool read; /* the list was read; else why */
  struct uw_err why;
  size_t attachments;
  struct cn_attachment attachment[CN_MAX_ATTACHMENTS];
};

/* Reads the attachments of an instance, then their volumes side by side. */
void cn_read(struct nova *nova, const char *uuid, struct cn_attachments *out);

/* The reply of GET /attachments?instance_id=UUID; -1 with an error about its body. */
int cn_attachments(const json_t *root, const char *uuid, struct cn_attachments *out,
                   struct uw_err *err) UW_MUST_USE;

/* The hosts of a GET /volumes/{id} into the attachments of that volume. */
int cn_volume(const json_t *root, const char *volume, struct cn_attachments *out,
              struct uw_err *err) UW_MUST_USE;

#endif
