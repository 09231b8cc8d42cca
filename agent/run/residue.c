#include "agent/run/residue.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "agent/http/http.h"
#include "agent/openstack/cinder.h"
#include "agent/openstack/neutron.h"
#include "agent/openstack/placement.h"
#include "recovery/text.h"

/* Who may change bindings, by Neutron's default policy (nova.md section 4.4). */
#define BINDING_ROLE "role service (before 2024.1: admin)"
#define TOKEN_HEADER "-H \"X-Auth-Token: $(openstack token issue -f value -c id)\""

struct report {
  json_t *lines; /* owned by the caller in the end */
  size_t bytes;
  bool full, failed;
  struct session *s;
  const char *uuid;               /* of the instance */
  const struct nova_server *here; /* where the guest runs, as Nova has it now */
};

/* --- Lines ----------------------------------------------------------------------------------- */

static void add(struct report *r, const char *line) {
  size_t n = 2;
  for (const char *c = line; *c != '\0'; c++) {
    n += *c == '"' || *c == '\\' ? 2 : 1;
  }
  if (r->full) {
    return;
  }
  if (json_array_size(r->lines) + 1 >= RESIDUE_MAX_LINES || r->bytes + n > RESIDUE_MAX_BYTES) {
    r->full = true;
    line = "could not be read: more was found than a report holds; clean what is named above, and "
           "look for the rest by hand";
  }
  r->bytes += n;
  r->failed = json_array_append_new(r->lines, json_string(line)) != 0 || r->failed;
}

static void say(struct report *r, const char *format, ...) UW_PRINTF(2, 3);
static void say(struct report *r, const char *format, ...) {
  char line[RCV_LINE_BYTES];
  va_list ap;
  va_start(ap, format);
  (void)vsnprintf(line, sizeof line, format, ap);
  va_end(ap);
  http_printable(line); /* reasons quote what services sent */
  add(r, line);
}

/* A name from a service, for a line whose command somebody pastes. */
struct safe {
  char text[RCV_TEXT_BYTES];
};

static struct safe safe(const char *value) {
  struct safe out;
  struct rcv_text t;
  rcv_text_start(&t, out.text, sizeof out.text);
  rcv_text_value(&t, value, sizeof out.text, "(none)");
  return out;
}

static struct safe record_host(const struct report *r) { return safe(r->here->host); }

static bool same_host(const char *a, const char *b) { return strcasecmp(a, b) == 0; }

/* Ctrl-C after the act ends the reading, not the run. */
static bool stopped(const struct report *r, struct uw_err *why) {
  if (r->s->options.stop == NULL || !*r->s->options.stop) {
    return false;
  }
  (void)uw_err_set(why, UW_EXIT_UNKNOWN, "interrupted");
  return true;
}

/* --- Nova: the migration records ------------------------------------------------------------- */

/* What Nova itself counts as in progress: all but these (_assert_no_in_progress_migrations). */
static bool has_ended(const char *status) {
  static const char *const ended[] = {"completed", "failed",   "error", "cancelled",
                                      "confirmed", "reverted", "done"};
  for (size_t i = 0; i < sizeof ended / sizeof ended[0]; i++) {
    if (strcmp(status, ended[i]) == 0) {
      return true;
    }
  }
  return false;
}

/* The status in words that may stand in quotes of SQL: Nova's own, or made safe. */
static struct safe status_words(const char *status) {
  static const char post_copy[] = "running (post-copy)";
  struct safe out;
  if (strcmp(status, post_copy) != 0) {
    return safe(status);
  }
  memcpy(out.text, post_copy, sizeof post_copy);
  return out;
}

static void say_records(struct report *r, const struct nova_reading *now) {
  size_t unfinished = 0;
  for (size_t i = 0; i < now->migrations; i++) {
    const struct nova_migration *m = &now->migration[i];
    if (has_ended(m->status) || uw_uuid_parse(m->uuid, NULL) != 0) {
      continue;
    }
    unfinished++;
    say(r,
        "found: Nova: migration %lld (%s) stays `%s` for ever, and no API can change it. While it "
        "does, the service of %s cannot be deleted (409), and a later migration may take it for "
        "its own. In Nova's database:",
        (long long)m->id, m->uuid, status_words(m->status).text, safe(m->source).text);
    say(r, "  UPDATE migrations SET status='error' WHERE uuid='%s' AND status='%s';", m->uuid,
        status_words(m->status).text);
  }
  if (unfinished == 0) {
    say(r, "none found: Nova: no migration record of the instance is unfinished.");
  }
}

/* --- Placement: the allocations -------------------------------------------------------------- */

static void say_instance_allocation(struct report *r, const struct pl_consumer *c) {
  size_t away = 0;
  bool at_home = false;
  if (!c->read || !c->named) {
    say(r, "could not be read: Placement, the instance's allocation: %s; by hand, it must be %s's:",
        c->why.text, safe(r->here->hypervisor_hostname).text);
    say(r, "  openstack resource provider allocation show %s", r->uuid);
    return;
  }
  /* Shared storage is a provider of its own: only a place on a host can be on the wrong one. */
  const char *node = r->here->hypervisor_hostname;
  for (size_t i = 0; i < c->holdings; i++) {
    const struct pl_holding *h = &c->holding[i];
    bool home = same_host(h->hypervisor, node);
    at_home = at_home || (home && h->compute);
    away += !home && h->compute ? 1 : 0;
  }
  for (size_t i = 0; i < c->holdings; i++) {
    const struct pl_holding *h = &c->holding[i];
    if (h->compute && !same_host(h->hypervisor, node)) {
      say(r,
          "found: Placement: the instance is allocated %s of %s and %s of %s, where it runs; the "
          "scheduler counts wrong:",
          h->resources, safe(h->hypervisor).text, at_home ? "also its place" : "nothing",
          safe(node).text);
    }
  }
  if (away == 0 && !at_home) {
    say(r,
        "found: Placement: the instance is allocated nothing of %s, where it runs; the scheduler "
        "counts wrong:",
        safe(node).text);
  }
  if (away > 0 || !at_home) {
    if (!rcv_heal_is_forced(nova_max_minor(r->s->nova))) {
      say(r, "  openstack resource provider allocation delete %s", r->uuid);
    }
    say(r, "  nova-manage placement heal_allocations --instance %s%s", r->uuid,
        rcv_heal_is_forced(nova_max_minor(r->s->nova)) ? " --force" : "");
  } else {
    say(r, "none found: Placement: the instance's allocation is %s's.", safe(node).text);
  }
}

static void say_leaked(struct report *r, const struct pl_consumer *c) {
  for (size_t i = 0; i < c->holdings; i++) {
    const struct pl_holding *h = &c->holding[i];
    bool named = h->hypervisor[0] != '\0';
    say(r, "found: Placement: migration %s still holds %s of %s%s. Nothing in Nova releases it:",
        c->uuid, h->resources, named ? "" : "provider ",
        named ? safe(h->hypervisor).text : h->provider);
  }
  say(r, "  openstack resource provider allocation delete %s", c->uuid);
}

static void say_migration_allocations(struct report *r, const struct pl_consumer *c, size_t n,
                                      size_t not_asked) {
  size_t leaked = 0;
  size_t unread = 0;
  for (size_t i = 0; i < n; i++) {
    unread += c[i].read ? 0 : 1;
    leaked += c[i].holdings > 0 ? 1 : 0;
    if (c[i].read && c[i].holdings > 0) {
      say_leaked(r, &c[i]);
    }
  }
  for (size_t i = 0; i < n; i++) {
    if (!c[i].read) {
      say(r,
          "could not be read: Placement, the allocation of migration %s: %s; by hand, it must be "
          "empty:",
          c[i].uuid, c[i].why.text);
      say(r, "  openstack resource provider allocation show %s", c[i].uuid);
      break; /* one reason is as good as ten */
    }
  }
  if (unread > 1) {
    say(r, "could not be read: Placement, %zu more migrations likewise.", unread - 1);
  }
  if (not_asked > 0) {
    say(r,
        "could not be read: Placement: %zu older migrations of the instance were not asked about; "
        "by hand: openstack resource provider allocation show MIGRATION_UUID",
        not_asked);
  }
  if (leaked == 0 && unread == 0) {
    say(r, "none found: Placement: %s.",
        n == 0 ? "the instance has no migration that could hold an allocation"
               : "no migration of the instance holds an allocation");
  }
}

static void report_allocations(struct report *r, const struct nova_reading *now) {
  struct pl_consumer *c = calloc(PL_MAX_CONSUMERS, sizeof *c);
  size_t n = 1;
  size_t not_asked = 0;
  if (c == NULL) {
    r->failed = true;
    return;
  }
  (void)snprintf(c[0].uuid, sizeof c[0].uuid, "%s", r->uuid);
  for (size_t i = 0; i < now->migrations; i++) {
    uint8_t uuid[RCV_UUID_BYTES];
    if (uw_uuid_parse(now->migration[i].uuid, uuid) != 0 || n == PL_MAX_CONSUMERS) {
      not_asked++;
    } else {
      uw_uuid_text(uuid, c[n++].uuid);
    }
  }
  bool stop = false;
  for (size_t i = 0; i < n; i++) {
    stop = stopped(r, &c[i].why);
  }
  if (!stop) {
    pl_read(r->s->nova, c, n);
  }
  say_instance_allocation(r, &c[0]);
  say_migration_allocations(r, c + 1, n - 1, not_asked);
  free(c);
}

/* --- Neutron: the bindings ------------------------------------------------------------------- */

/* The endpoint for a command; a placeholder when a shell could act on something in it. */
static const char *network_url(const struct nt_ports *all) {
  size_t n =
      strspn(all->url, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:/");
  return n > 0 && all->url[n] == '\0' ? all->url : "NEUTRON/v2.0";
}

static void say_delete_binding(struct report *r, const struct nt_ports *all, const char *port,
                               const char *host) {
  say(r, "  curl -X DELETE " TOKEN_HEADER " %s/ports/%s/bindings/%s", network_url(all), port,
      safe(host).text);
}

static const struct nt_binding *binding_of(const struct nt_port *p, const char *host, bool active) {
  for (size_t i = 0; p->state == NT_BINDINGS_READ && i < p->bindings; i++) {
    if (p->binding[i].active == active && same_host(p->binding[i].host, host)) {
      return &p->binding[i];
    }
  }
  return NULL;
}

/* Where the port is ACTIVE; "" nowhere. */
static const char *active_host(const struct nt_port *p) {
  if (p->state != NT_BINDINGS_READ) {
    return p->host; /* binding:host_id is the ACTIVE binding's */
  }
  for (size_t i = 0; i < p->bindings; i++) {
    if (p->binding[i].active) {
      return p->binding[i].host;
    }
  }
  return "";
}

/* The ACTIVE binding is where the network sends the guest's traffic. */
static size_t say_active(struct report *r, const struct nt_ports *all, const struct nt_port *p) {
  const char *active = active_host(p);
  bool to_activate = binding_of(p, r->here->host, false) != NULL;
  const char *how = to_activate ? " To change that takes " BINDING_ROLE ":" : " To change that:";
  if (same_host(active, r->here->host)) {
    return 0;
  }
  if (active[0] == '\0') {
    say(r, "found: Neutron: port %s is bound to no host, and the guest runs on %s.%s", p->id,
        record_host(r).text, how);
  } else {
    say(r,
        "found: Neutron: port %s is bound (ACTIVE) to %s, and the guest runs on %s: it has no "
        "network through this port.%s",
        p->id, safe(active).text, record_host(r).text, how);
  }
  if (!to_activate) {
    say(r, "  openstack port set --host %s %s", record_host(r).text, p->id);
    return 1;
  }
  say(r, "  curl -X PUT " TOKEN_HEADER " %s/ports/%s/bindings/%s/activate", network_url(all), p->id,
      record_host(r).text);
  if (active[0] != '\0') {
    say_delete_binding(r, all, p->id, active);
  }
  return 1;
}

static size_t say_inactive(struct report *r, const struct nt_ports *all, const struct nt_port *p) {
  size_t found = 0;
  for (size_t i = 0; p->state == NT_BINDINGS_READ && i < p->bindings; i++) {
    const struct nt_binding *b = &p->binding[i];
    if (!b->active && !same_host(b->host, r->here->host)) {
      say(r,
          "found: Neutron: port %s has an INACTIVE binding on %s left: the next migration to %s "
          "fails on it (409). To remove it takes " BINDING_ROLE ":",
          p->id, safe(b->host).text, safe(b->host).text);
      say_delete_binding(r, all, p->id, b->host);
      found++;
    }
  }
  return found;
}

static size_t say_port(struct report *r, const struct nt_ports *all, const struct nt_port *p) {
  size_t found = say_active(r, all, p) + say_inactive(r, all, p);
  if (p->migrating_to[0] != '\0') {
    say(r,
        "found: Neutron: port %s still has migrating_to %s in its binding profile. It stops "
        "nothing, and the next move takes it away; or:",
        p->id, safe(p->migrating_to).text);
    say(r, "  openstack port unset --binding-profile migrating_to %s", p->id);
    found++;
  }
  return found;
}

static void say_ports_by_hand(struct report *r, const struct nt_ports *all) {
  say(r, "  openstack port list --server %s", r->uuid);
  say(r, "  curl " TOKEN_HEADER " %s/ports/PORT/bindings", network_url(all));
}

static void say_ports(struct report *r, const struct nt_ports *all) {
  size_t found = 0;
  size_t unread = 0;
  size_t not_offered = 0;
  const struct nt_port *first = NULL;
  for (size_t i = 0; i < all->ports; i++) {
    const struct nt_port *p = &all->port[i];
    found += say_port(r, all, p);
    not_offered += p->state == NT_BINDINGS_NOT_OFFERED ? 1 : 0;
    if (p->state == NT_BINDINGS_UNREAD) {
      unread++;
      first = first == NULL ? p : first;
    }
  }
  if (first != NULL) {
    say(r,
        "could not be read: Neutron, the bindings of %zu of %zu ports: %s; by hand, no INACTIVE one "
        "may be left on another host than %s:",
        unread, all->ports, first->why.text, record_host(r).text);
    say_ports_by_hand(r, all);
  } else if (found > 0) {
    return;
  } else if (all->ports == 0) {
    say(r, "none found: Neutron: the instance has no port.");
  } else {
    say(r, "none found: Neutron: every port (%zu) is bound to %s%s.", all->ports,
        record_host(r).text,
        not_offered > 0 ? " (by binding:host_id; this Neutron offers no list of bindings)"
                        : " alone");
  }
}

static void report_ports(struct report *r) {
  struct nt_ports *all = calloc(1, sizeof *all);
  if (all == NULL) {
    r->failed = true;
    return;
  }
  if (!stopped(r, &all->why)) {
    nt_read(r->s->nova, r->uuid, all);
  }
  if (all->read) {
    say_ports(r, all);
  } else {
    say(r,
        "could not be read: Neutron, the instance's ports: %s; by hand, each must be bound to %s "
        "alone:",
        all->why.text, record_host(r).text);
    say_ports_by_hand(r, all);
  }
  free(all);
}

/* --- Cinder: the attachments ----------------------------------------------------------------- */

/* From 2.89 on the list has the attachment that Nova uses; before, only its database has. */
static void say_volume_list(struct report *r) {
  if (rcv_release_has(nova_max_minor(r->s->nova), RCV_TRAIT_ATTACHMENT_IDS) == RCV_TRI_NO) {
    say(r, "  openstack server volume list %s", r->uuid);
    say(r,
        "  SELECT volume_id, attachment_id FROM block_device_mapping WHERE instance_uuid='%s' AND "
        "deleted=0;",
        r->uuid);
  } else {
    say(r, "  openstack --os-compute-api-version 2.89 server volume list %s", r->uuid);
  }
}

/* Which of two attachments is the right one only Nova's own list tells (2.89), so both ways out are
 * named; refresh makes a new attachment in place of the one that Nova uses. */
static void say_attachment(struct report *r, const struct cn_attachment *a) {
  if (strcmp(a->status, "attached") == 0) {
    say(r,
        "found: Cinder: attachment %s of volume %s is %s's, and the guest runs on %s. See which "
        "one Nova uses; if it is another, delete this one; if it is this one, stop the instance "
        "and refresh it with the connector of %s:",
        a->id, a->volume, safe(a->host).text, record_host(r).text, record_host(r).text);
  } else {
    say(r,
        "found: Cinder: attachment %s of volume %s never came to be attached (it is `%s`). See "
        "which one Nova uses; if it is another, delete this one; if it is this one, stop the "
        "instance and refresh it with the connector of %s:",
        a->id, a->volume, safe(a->status).text, record_host(r).text);
  }
  say_volume_list(r);
  say(r, "  openstack --os-volume-api-version 3.27 volume attachment delete %s", a->id);
  if (rcv_release_has(nova_max_minor(r->s->nova), RCV_TRAIT_VOLUME_REFRESH) == RCV_TRI_NO) {
    say(r, "  (this Nova cannot refresh one: detach the volume and attach it again instead)");
    return;
  }
  say(r, "  nova-manage volume_attachment get_connector --json > connector.json   # on %s",
      record_host(r).text);
  say(r, "  nova-manage volume_attachment refresh %s %s connector.json", r->uuid, a->volume);
}

static void say_attachments(struct report *r, const struct cn_attachments *all) {
  size_t found = 0;
  size_t hidden = 0;
  const struct cn_attachment *first = NULL;
  for (size_t i = 0; i < all->attachments; i++) {
    const struct cn_attachment *a = &all->attachment[i];
    bool attached = strcmp(a->status, "attached") == 0;
    if (attached && a->host[0] == '\0') {
      hidden++;
      first = first == NULL ? a : first;
    } else if (!attached || !same_host(a->host, r->here->host)) {
      say_attachment(r, a);
      found++;
    }
  }
  if (first != NULL) {
    say(r,
        "could not be read: Cinder, the host of %zu of %zu attachments: %s; by hand, each must be "
        "%s's:",
        hidden, all->attachments,
        first->why.text[0] != '\0' ? first->why.text : "it is not told to this credential",
        record_host(r).text);
    say_volume_list(r);
  } else if (found == 0 && all->attachments == 0) {
    say(r, "none found: Cinder: the instance has no volume attachment.");
  } else if (found == 0) {
    say(r, "none found: Cinder: every volume attachment (%zu) is %s's.", all->attachments,
        record_host(r).text);
  }
}

static void report_attachments(struct report *r) {
  struct cn_attachments *all = calloc(1, sizeof *all);
  if (all == NULL) {
    r->failed = true;
    return;
  }
  if (!stopped(r, &all->why)) {
    cn_read(r->s->nova, r->uuid, all);
  }
  if (all->read) {
    say_attachments(r, all);
  } else {
    say(r,
        "could not be read: Cinder, the instance's volume attachments: %s; by hand, each must be "
        "%s's:",
        all->why.text, record_host(r).text);
    say_volume_list(r);
  }
  free(all);
}

/* --- The whole ------------------------------------------------------------------------------- */

static void say_all(struct report *r, const struct rcv_lines *lines) {
  for (int64_t i = 0; i < lines->count && i < RCV_MAX_LINES; i++) {
    add(r, lines->line[i]);
  }
}

/* What a person has to read, as the verdict had it, when this cannot be told apart from the next
 * one's work, or when Nova does not answer any more. */
static void say_check_lines(struct report *r, const struct look *look) {
  say_all(r, &look->judgement->explanation.residue);
}

static void say_after(struct report *r, const struct look *look) {
  struct rcv_lines *after = calloc(1, sizeof *after);
  if (after == NULL) {
    r->failed = true;
    return;
  }
  rcv_explain_after(&look->record->evidence, &look->record->names, &look->record->policy,
                    &look->judgement->verdict, after);
  say_all(r, after);
  free(after);
}

/* Somebody else is at work on the instance since the verification, so that what is read now would be
 * his, not ours. */
static bool moved_on(const struct report *r, const struct look *look) {
  int64_t h = look->record->evidence.nova_last.record_host;
  return r->here->task_state[0] != '\0' || h < 0 ||
         strcmp(look->record->names.host[h].host, r->here->host) != 0;
}

static void report_all(struct report *r, const struct look *look, struct nova_reading *now) {
  struct uw_err err;
  uw_err_clear(&err);
  r->here = &now->server;
  if (stopped(r, &err) ||
      nova_read(r->s->nova, r->uuid, NOVA_SERVER | NOVA_MIGRATIONS, now, &err) != 0) {
    say(r, "could not be read: Nova: %s; by hand:", err.text);
    say_check_lines(r, look);
    return;
  }
  if (moved_on(r, look)) {
    say(r,
        "could not be read: the instance is at work again (host %s, task_state %s); when that is "
        "over, by hand:",
        record_host(r).text, safe(r->here->task_state).text);
    say_check_lines(r, look);
    return;
  }
  say_records(r, now);
  report_allocations(r, now);
  report_ports(r);
  report_attachments(r);
  say_after(r, look);
}

static void begin(struct report *r, struct session *s, const struct look *look) {
  memset(r, 0, sizeof *r);
  r->lines = json_array();
  r->failed = r->lines == NULL;
  r->s = s;
  r->uuid = look->record->names.instance;
}

static json_t *end(struct report *r) {
  if (r->failed) {
    json_decref(r->lines);
    return NULL;
  }
  return r->lines;
}

json_t *residue_report(struct session *s, const struct look *look) {
  struct report r;
  struct nova_reading *now = nova_reading_new();
  begin(&r, s, look);
  r.failed = r.failed || now == NULL;
  if (!r.failed) {
    report_all(&r, look, now);
  }
  nova_reading_free(now);
  return end(&r);
}

json_t *residue_unread(struct session *s, const struct look *look) {
  struct report r;
  begin(&r, s, look);
  if (!r.failed) {
    say_check_lines(&r, look);
  }
  return end(&r);
}
