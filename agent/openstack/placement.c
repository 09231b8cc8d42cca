#include "agent/openstack/placement.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/buf.h"
#include "agent/openstack/member.h"
#include "agent/openstack/session.h"

/* --- Replies --------------------------------------------------------------------------------- */

/* A standard or custom class; it stands in the report as it is. */
static bool is_class(const char *name) {
  size_t n = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
  return n > 0 && n < RCV_TEXT_BYTES && name[n] == '\0';
}

/* What stands for a guest on a host: shared storage and networks never have these classes. */
static bool is_compute(const char *name) {
  return strcmp(name, "VCPU") == 0 || strcmp(name, "PCPU") == 0 || strcmp(name, "MEMORY_MB") == 0;
}

static int by_name(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names of the resources in order; -1 when one is none, or there are too many. */
static int class_names(json_t *resources, const char *names[PL_MAX_RESOURCES], size_t *n) {
  *n = 0;
  for (void *at = json_object_iter(resources); at != NULL;
       at = json_object_iter_next(resources, at)) {
    if (*n == PL_MAX_RESOURCES || !is_class(json_object_iter_key(at)) ||
        !json_is_integer(json_object_iter_value(at))) {
      return -1;
    }
    names[(*n)++] = json_object_iter_key(at);
  }
  qsort(names, *n, sizeof names[0], by_name);
  return 0;
}

static int resources(const struct mb_thing *t, struct pl_holding *out) {
  const char *names[PL_MAX_RESOURCES];
  struct uw_buf text = {.max = PL_RESOURCES_BYTES - 1};
  json_t *object = json_object_get(t->object, "resources");
  size_t n = 0;
  if (!json_is_object(object) || class_names(object, names, &n) != 0) {
    return mb_bad(t, "resources", "amounts by resource class are expected");
  }
  for (size_t i = 0; i < n; i++) {
    out->compute = out->compute || is_compute(names[i]);
    uw_buf_printf(&text, "%s%s=%" JSON_INTEGER_FORMAT, i == 0 ? "" : ", ", names[i],
                  json_integer_value(json_object_get(object, names[i])));
  }
  /* What does not fit is only not listed: nothing depends on the amounts. */
  (void)snprintf(out->resources, sizeof out->resources, "%s",
                 text.failed ? "many resources" : uw_buf_text(&text));
  uw_buf_free(&text);
  return 0;
}

int pl_allocations(const json_t *root, struct pl_consumer *out, struct uw_err *err) {
  json_t *all = json_object_get(root, "allocations");
  out->holdings = 0;
  if (!json_is_object(all)) {
    return uw_err_set(err, UW_EXIT_UNKNOWN, "allocations: an object is expected");
  }
  for (void *at = json_object_iter(all); at != NULL; at = json_object_iter_next(all, at)) {
    struct mb_thing t = {.object = json_object_iter_value(at), .what = "allocation", .err = err};
    uint8_t uuid[RCV_UUID_BYTES];
    if (out->holdings == PL_MAX_HOLDINGS) {
      return uw_err_set(err, UW_EXIT_UNKNOWN, "allocations: more than %d providers",
                        PL_MAX_HOLDINGS);
    }
    if (uw_uuid_parse(json_object_iter_key(at), uuid) != 0) {
      return uw_err_set(err, UW_EXIT_UNKNOWN, "allocations: the key of one is no UUID");
    }
    struct pl_holding *h = &out->holding[out->holdings];
    memset(h, 0, sizeof *h);
    uw_uuid_text(uuid, h->provider);
    if (mb_object(&t) != 0 || resources(&t, h) != 0) {
      return -1;
    }
    out->holdings++;
  }
  return 0;
}

int pl_provider(const json_t *reply, const char *uuid, char name[RCV_TEXT_BYTES],
                char root[UW_UUID_TEXT_BYTES], struct uw_err *err) {
  struct mb_thing t = {.object = reply, .what = "resource provider", .err = err};
  return mb_same_uuid(&t, "uuid", uuid) != 0 ||
                 mb_text(&t, "name", MB_TEXT, name, RCV_TEXT_BYTES) != 0 ||
                 mb_uuid(&t, "root_provider_uuid", root) != 0
             ? -1
             : 0;
}

/* --- Reading --------------------------------------------------------------------------------- */

static void read_allocations(struct nova *nova, struct pl_consumer *consumer, size_t n,
                             struct nova_call *calls) {
  for (size_t i = 0; i < n; i++) {
    calls[i].service = KS_PLACEMENT;
    nova_set_path(&calls[i], "/allocations/%s", consumer[i].uuid);
  }
  nova_get(nova, calls, n);
  for (size_t i = 0; i < n; i++) {
    struct nova_call *c = &calls[i];
    consumer[i].read = c->json != NULL;
    if (c->json != NULL && pl_allocations(c->json, &consumer[i], &c->err) != 0) {
      (void)nova_blame(c, &c->err);
      consumer[i].read = false;
    }
    consumer[i].named = consumer[i].read;
    consumer[i].why = c->err;
  }
  nova_calls_free(calls, n);
}

/* Whose name is asked for next: the provider while its root is not known, then the root. */
static const char *unnamed(const struct pl_holding *h) {
  return h->hypervisor[0] != '\0' ? NULL : h->root[0] != '\0' ? h->root : h->provider;
}

/* The distinct providers without a name, at most NOVA_MAX_CALLS of them. */
static size_t collect(const struct pl_consumer *consumer, size_t n,
                      char asked[NOVA_MAX_CALLS][UW_UUID_TEXT_BYTES]) {
  size_t count = 0;
  for (size_t i = 0; i < n; i++) {
    for (size_t k = 0; k < consumer[i].holdings; k++) {
      const char *uuid = unnamed(&consumer[i].holding[k]);
      bool seen = uuid == NULL || !consumer[i].named;
      for (size_t j = 0; !seen && j < count; j++) {
        seen = strcmp(asked[j], uuid) == 0;
      }
      if (!seen && count < NOVA_MAX_CALLS) {
        memcpy(asked[count++], uuid, UW_UUID_TEXT_BYTES);
      }
    }
  }
  return count;
}

/* One answer into every holding that waits for it. */
static void spread(struct pl_consumer *consumer, size_t n, const char *uuid,
                   const struct nova_call *call, const char *name, const char *root) {
  for (size_t i = 0; i < n; i++) {
    for (size_t k = 0; k < consumer[i].holdings; k++) {
      struct pl_holding *h = &consumer[i].holding[k];
      const char *wants = unnamed(h);
      if (wants == NULL || strcmp(wants, uuid) != 0) {
        continue;
      }
      if (name == NULL) {
        consumer[i].named = false;
        consumer[i].why = call->err;
      } else if (strcmp(root, uuid) == 0) {
        memcpy(h->root, root, UW_UUID_TEXT_BYTES);
        memcpy(h->hypervisor, name, strlen(name) + 1);
      } else {
        memcpy(h->root, root, UW_UUID_TEXT_BYTES); /* a nested one: its root is asked next */
      }
    }
  }
}

static void read_names(struct nova *nova, struct pl_consumer *consumer, size_t n,
                       struct nova_call *calls) {
  char asked[NOVA_MAX_CALLS][UW_UUID_TEXT_BYTES];
  size_t count = collect(consumer, n, asked);
  memset(calls, 0, NOVA_MAX_CALLS * sizeof *calls);
  for (size_t i = 0; i < count; i++) {
    calls[i].service = KS_PLACEMENT;
    nova_set_path(&calls[i], "/resource_providers/%s", asked[i]);
  }
  nova_get(nova, calls, count);
  for (size_t i = 0; i < count; i++) {
    char name[RCV_TEXT_BYTES];
    char root[UW_UUID_TEXT_BYTES];
    bool good = calls[i].json != NULL;
    if (good && pl_provider(calls[i].json, asked[i], name, root, &calls[i].err) != 0) {
      (void)nova_blame(&calls[i], &calls[i].err);
      good = false;
    }
    spread(consumer, n, asked[i], &calls[i], good ? name : NULL, root);
  }
  nova_calls_free(calls, count);
}

/* What two levels did not name: a provider whose root has a root, or more than can be asked. */
static void check_named(struct pl_consumer *c) {
  for (size_t k = 0; c->named && k < c->holdings; k++) {
    if (unnamed(&c->holding[k]) != NULL) {
      c->named = false;
      (void)uw_err_set(&c->why, UW_EXIT_UNKNOWN, "resource provider %s: its root is not known",
                       c->holding[k].provider);
    }
  }
}

void pl_read(struct nova *nova, struct pl_consumer *consumer, size_t n) {
  struct nova_call *calls = calloc(NOVA_MAX_CALLS, sizeof *calls);
  for (size_t i = 0; calls == NULL && i < n; i++) {
    (void)uw_err_set(&consumer[i].why, UW_EXIT_UNKNOWN, "no memory for requests");
  }
  if (calls == NULL || n > PL_MAX_CONSUMERS) {
    free(calls);
    return;
  }
  read_allocations(nova, consumer, n, calls);
  read_names(nova, consumer, n, calls);
  read_names(nova, consumer, n, calls);
  for (size_t i = 0; i < n; i++) {
    check_named(&consumer[i]);
  }
  free(calls);
}

_Static_assert(PL_MAX_CONSUMERS <= NOVA_MAX_CALLS, "all consumers are read side by side");
