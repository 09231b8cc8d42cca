/*
 * Performs calls of nova.h one after the other and prints what came, one line each, for
 * standin_test.py. It mints a permit by hand to reach nova_reset(): tests only.
 *
 *   drive [--cloud NAME] STEP...
 *   find NAME|UUID, read UUID WHAT, reset UUID, unspent UUID, renew SECONDS, sleep MS,
 *   allocations UUID, ports UUID, attachments UUID
 *
 * Settings: DRIVE_TIMEOUT_MS, DRIVE_CONNECT_MS, DRIVE_RETRIES, DRIVE_MAX_BYTES, DRIVE_DEBUG,
 * DRIVE_RUN (a UUID).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/openstack/cinder.h"
#include "agent/openstack/neutron.h"
#include "agent/openstack/nova.h"
#include "agent/openstack/placement.h"

static long number(const char *name, long otherwise) {
  const char *text = getenv(name);
  return text == NULL ? otherwise : strtol(text, NULL, 10);
}

static void print_error(const char *step, const struct uw_err *err) {
  printf("%s error status=%d http=%d %s\n", step, (int)err->status, err->http, err->text);
}

static void print_server(const struct nova_server *s) {
  printf("server id=%s name=%s status=%s vm=%s task=%s host=%s node=%s iname=%s project=%s "
         "visible=%d down=%d updated=%" PRId64 " progress=%" PRId64 " locked=%d\n",
         s->id, s->name, s->status, s->vm_state, s->task_state, s->host, s->hypervisor_hostname,
         s->instance_name, s->project, s->host_visible, s->down_cell, s->updated_s, s->progress,
         (int)s->locked);
}

static void print_reading(const struct nova_reading *r) {
  printf("read bits=%u ms=%" PRId64 " migrations=%zu many=%d actions=%zu hosts=%zu hidden=%d "
         "services=%zu conductor=%d hypervisors=%zu queued=%d now=%" PRId64 " mem=%" PRId64
         " ids=%s\n",
         r->read, r->end_ms - r->start_ms, r->migrations, r->too_many_migrations, r->actions,
         r->event_hosts, r->event_hosts_hidden, r->services, (int)r->conductor_up, r->hypervisors,
         (int)r->queued_behind, r->now_s, r->progress.memory_remaining, r->request_ids[0]);
  print_server(&r->server);
  for (size_t i = 0; i < r->migrations && i < 3; i++) {
    const struct nova_migration *m = &r->migration[i];
    printf("migration id=%" PRId64 " type=%s status=%s source=%s dest=%s created=%" PRId64 "\n",
           m->id, m->type, m->status, m->source, m->dest, m->created_s);
  }
  for (size_t i = 0; i < r->event_hosts; i++) {
    printf("event_host %s\n", r->event_host[i]);
  }
  for (size_t i = 0; i < r->actions && i < 5; i++) {
    printf("action %s %s\n", r->action[i].action, r->action[i].request_id);
  }
  for (size_t i = 0; i < r->services && i < 5; i++) {
    printf("service %s %d\n", r->service[i].host, (int)r->service[i].state);
  }
  for (size_t i = 0; i < r->hypervisors && i < 5; i++) {
    printf("hypervisor %s %s %s\n", r->hypervisor[i].service_host, r->hypervisor[i].hostname,
           r->hypervisor[i].type);
  }
}

static void do_find(struct nova *nova, const char *what) {
  char uuid[UW_UUID_TEXT_BYTES];
  struct uw_err err;
  uw_err_clear(&err);
  if (nova_find(nova, what, uuid, &err) != 0) {
    print_error("find", &err);
  } else {
    printf("find %s\n", uuid);
  }
}

static void do_read(struct nova *nova, const char *uuid, const char *what) {
  struct uw_err err;
  struct nova_reading *r = nova_reading_new();
  uw_err_clear(&err);
  if (r == NULL) {
    return;
  }
  if (nova_read(nova, uuid, (unsigned)strtoul(what, NULL, 10), r, &err) != 0) {
    print_error("read", &err);
  }
  print_reading(r);
  nova_reading_free(r);
}

static void do_allocations(struct nova *nova, const char *uuid) {
  static struct pl_consumer c;
  memset(&c, 0, sizeof c);
  (void)snprintf(c.uuid, sizeof c.uuid, "%s", uuid);
  pl_read(nova, &c, 1);
  printf("allocations read=%d named=%d holdings=%zu http=%d %s\n", c.read, c.named, c.holdings,
         c.why.http, c.why.text);
  for (size_t i = 0; i < c.holdings; i++) {
    const struct pl_holding *h = &c.holding[i];
    printf("holding of=%s nested=%d compute=%d %s\n", h->hypervisor,
           strcmp(h->root, h->provider) != 0, h->compute, h->resources);
  }
}

static void do_ports(struct nova *nova, const char *uuid) {
  static struct nt_ports all;
  nt_read(nova, uuid, &all);
  printf("ports read=%d ports=%zu http=%d url=%s %s\n", all.read, all.ports, all.why.http, all.url,
         all.why.text);
  for (size_t i = 0; i < all.ports; i++) {
    const struct nt_port *p = &all.port[i];
    printf("port host=%s state=%d", p->host, (int)p->state);
    for (size_t k = 0; k < p->bindings; k++) {
      printf(" %s:%s", p->binding[k].host, p->binding[k].active ? "ACTIVE" : "INACTIVE");
    }
    printf(" %s\n", p->why.text);
  }
}

static void do_attachments(struct nova *nova, const char *uuid) {
  static struct cn_attachments all;
  cn_read(nova, uuid, &all);
  printf("attachments read=%d attachments=%zu http=%d %s\n", all.read, all.attachments,
         all.why.http, all.why.text);
  for (size_t i = 0; i < all.attachments; i++) {
    const struct cn_attachment *a = &all.attachment[i];
    printf("attachment %s host=%s %s\n", a->status, a->host, a->why.text);
  }
}

static void do_reset(struct nova *nova, struct rcv_permit *permit, int spent, const char *uuid) {
  static const char *const names[] = {"UNKNOWN", "NOT_APPLIED", "DONE"};
  struct nova_reset_result result;
  memset(permit, 0, sizeof *permit);
  permit->minted = 1;
  permit->spent = spent;
  if (uw_uuid_parse(uuid, permit->binding.instance) != 0) {
    printf("reset bad uuid\n");
    return;
  }
  for (int i = 0; i < 2; i++) { /* the second call must refuse */
    nova_reset(nova, permit, &result);
    printf("%s outcome=%s http=%d minted=%" PRId64 " id=%s %s\n", i == 0 ? "reset" : "again",
           names[result.outcome], result.http, permit->minted, result.request_id, result.text);
  }
}

static void run(struct nova *nova, int argc, char **argv) {
  struct rcv_permit permit;
  struct uw_err err;
  for (int i = 0; i + 1 < argc; i += 2) {
    const char *step = argv[i];
    const char *arg = argv[i + 1];
    uw_err_clear(&err);
    if (strcmp(step, "find") == 0) {
      do_find(nova, arg);
    } else if (strcmp(step, "read") == 0 && i + 2 < argc) {
      do_read(nova, arg, argv[i + 2]);
      i++;
    } else if (strcmp(step, "reset") == 0 || strcmp(step, "unspent") == 0) {
      do_reset(nova, &permit, strcmp(step, "reset") == 0, arg);
    } else if (strcmp(step, "renew") == 0) {
      if (nova_renew(nova, strtol(arg, NULL, 10), &err) != 0) {
        print_error("renew", &err);
      } else {
        printf("renew ok\n");
      }
    } else if (strcmp(step, "allocations") == 0) {
      do_allocations(nova, arg);
    } else if (strcmp(step, "ports") == 0) {
      do_ports(nova, arg);
    } else if (strcmp(step, "attachments") == 0) {
      do_attachments(nova, arg);
    } else if (strcmp(step, "sleep") == 0) {
      (void)uw_sleep_ms(strtol(arg, NULL, 10));
    }
    (void)fflush(stdout);
  }
}

int main(int argc, char **argv) {
  struct os_cloud *cloud = NULL;
  struct nova *nova = NULL;
  struct uw_err err;
  struct nova_options options = {.connect_timeout_ms = number("DRIVE_CONNECT_MS", 0),
                                 .timeout_ms = number("DRIVE_TIMEOUT_MS", 0),
                                 .max_reply_bytes = (size_t)number("DRIVE_MAX_BYTES", 0),
                                 .get_retries = (int)number("DRIVE_RETRIES", 0),
                                 .debug = getenv("DRIVE_DEBUG") != NULL};
  const char *flag = NULL;
  int first = 1;
  uw_err_clear(&err);
  if (getenv("DRIVE_RUN") != NULL) {
    (void)snprintf(options.run_id, sizeof options.run_id, "%s", getenv("DRIVE_RUN"));
  }
  if (argc > 2 && strcmp(argv[1], "--cloud") == 0) {
    flag = argv[2];
    first = 3;
  }
  if (os_cloud_load(flag, NULL, &cloud, &err) != 0) {
    print_error("cloud", &err);
    return 1;
  }
  int result = nova_open(cloud, &options, &nova, &err);
  os_cloud_free(cloud); /* the session has its own copy */
  if (result != 0) {
    print_error("open", &err);
    return 1;
  }
  printf("open max=%d user=%s cloud=%s\n", nova_max_minor(nova), nova_user_id(nova),
         nova_cloud_name(nova));
  run(nova, argc - first, argv + first);
  nova_close(nova);
  return 0;
}
