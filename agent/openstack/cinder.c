#include "agent/openstack/cinder.h"

#include <stdlib.h>
#include <string.h>

#include "agent/base/json.h"
#include "agent/openstack/member.h"
#include "agent/openstack/nova_parse.h"
#include "agent/openstack/session.h"

/* --- Replies --------------------------------------------------------------------------------- */

static int attachment(const struct mb_thing *t, const char *uuid, struct cn_attachment *out) {
  memset(out, 0, sizeof *out);
  return mb_object(t) != 0 || mb_uuid(t, "id", out->id) != 0 ||
                 mb_uuid(t, "volume_id", out->volume) != 0 ||
                 mb_same_uuid(t, "instance", uuid) != 0 ||
                 mb_text(t, "status", MB_TEXT, out->status, sizeof out->status) != 0
             ? -1
             : 0;
}

int cn_attachments(const json_t *root, const char *uuid, struct cn_attachments *out,
                   struct uw_err *err) {
  char marker[NP_MARKER_BYTES];
  const json_t *list = mb_list(root, "attachments", err);
  out->attachments = 0;
  if (list == NULL) {
    return -1;
  }
  if (json_array_size(list) > CN_MAX_ATTACHMENTS ||
      np_next(root, "attachments_links", marker, err) != 0) {
    return uw_err_set(err, UW_EXIT_UNKNOWN, "attachments: more than one page or than %d",
                      CN_MAX_ATTACHMENTS);
  }
  for (size_t i = 0; i < json_array_size(list); i++) {
    struct mb_thing t = {.object = json_array_get(list, i), .what = "attachment", .err = err};
    if (attachment(&t, uuid, &out->attachment[i]) != 0) {
      return -1;
    }
    out->attachments++;
  }
  return 0;
}

static struct cn_attachment *find(struct cn_attachments *all, const char *volume, const char *id) {
  for (size_t i = 0; i < all->attachments; i++) {
    if (strcmp(all->attachment[i].volume, volume) == 0 && strcmp(all->attachment[i].id, id) == 0) {
      return &all->attachment[i];
    }
  }
  return NULL;
}

int cn_volume(const json_t *root, const char *volume, struct cn_attachments *out,
              struct uw_err *err) {
  const json_t *object = json_object_get(root, "volume");
  struct mb_thing v = {.object = object, .what = "volume", .err = err};
  if (mb_object(&v) != 0 || mb_same_uuid(&v, "id", volume) != 0) {
    return -1;
  }
  const json_t *list = mb_list(object, "attachments", err);
  if (list == NULL) {
    return -1;
  }
  if (json_array_size(list) > CN_MAX_LISTED) {
    return uw_err_set(err, UW_EXIT_UNKNOWN, "volume: attachments: more than %d", CN_MAX_LISTED);
  }
  for (size_t i = 0; i < json_array_size(list); i++) {
    struct mb_thing t = {
        .object = json_array_get(list, i), .what = "volume's attachment", .err = err};
    char id[UW_UUID_TEXT_BYTES];
    char host[RCV_TEXT_BYTES];
    if (mb_object(&t) != 0 || mb_uuid(&t, "attachment_id", id) != 0 ||
        mb_text(&t, "host_name", MB_OPTIONAL, host, sizeof host) != 0) {
      return -1;
    }
    struct cn_attachment *a = find(out, volume, id); /* others are of other instances */
    if (a != NULL) {
      memcpy(a->host, host, sizeof host);
    }
  }
  return 0;
}

/* --- Reading --------------------------------------------------------------------------------- */

static int read_list(struct nova *nova, const char *uuid, struct nova_call *call,
                     struct cn_attachments *out) {
  call->service = KS_VOLUME;
  nova_set_path(call, "/attachments?instance_id=%s&all_tenants=1", uuid);
  nova_get(nova, call, 1);
  if (call->json == NULL) {
    return -1;
  }
  if (cn_attachments(call->json, uuid, out, &call->err) != 0) {
    return nova_blame(call, &call->err);
  }
  return out->attachments > 0 ? 0 : nova_trust_empty(nova, "attachments", &call->err);
}

/* Calls for the distinct volumes; volume[] tells which attachment each stands for. */
static size_t volume_calls(const struct cn_attachments *all, struct nova_call *calls,
                           size_t volume[CN_MAX_ATTACHMENTS]) {
  size_t n = 0;
  for (size_t i = 0; i < all->attachments; i++) {
    bool seen = false;
    for (size_t k = 0; !seen && k < i; k++) {
      seen = strcmp(all->attachment[k].volume, all->attachment[i].volume) == 0;
    }
    if (!seen) {
      calls[n].service = KS_VOLUME;
      nova_set_path(&calls[n], "/volumes/%s", all->attachment[i].volume);
      volume[n++] = i;
    }
  }
  return n;
}

static void read_volumes(struct nova *nova, struct nova_call *calls, struct cn_attachments *out) {
  size_t volume[CN_MAX_ATTACHMENTS];
  memset(calls, 0, NOVA_MAX_CALLS * sizeof *calls);
  size_t n = volume_calls(out, calls, volume);
  nova_get(nova, calls, n);
  for (size_t i = 0; i < n; i++) {
    struct nova_call *c = &calls[i];
    const char *id = out->attachment[volume[i]].volume;
    bool good = c->json != NULL;
    if (good && cn_volume(c->json, id, out, &c->err) != 0) {
      (void)nova_blame(c, &c->err);
      good = false;
    }
    for (size_t k = 0; !good && k < out->attachments; k++) {
      if (strcmp(out->attachment[k].volume, id) == 0) {
        out->attachment[k].host[0] = '\0';
        out->attachment[k].why = c->err;
      }
    }
  }
  nova_calls_free(calls, n);
}

void cn_read(struct nova *nova, const char *uuid, struct cn_attachments *out) {
  memset(out, 0, sizeof *out);
  struct nova_call *calls = calloc(NOVA_MAX_CALLS, sizeof *calls);
  if (calls == NULL) {
    (void)uw_err_set(&out->why, UW_EXIT_UNKNOWN, "no memory for requests");
    return;
  }
  out->read = read_list(nova, uuid, calls, out) == 0;
  out->why = calls[0].err;
  nova_calls_free(calls, 1);
  if (out->read) {
    read_volumes(nova, calls, out);
  }
  free(calls);
}

_Static_assert(CN_MAX_ATTACHMENTS <= NOVA_MAX_CALLS, "the volumes are read side by side");
