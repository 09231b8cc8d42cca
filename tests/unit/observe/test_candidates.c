/* From a reading of Nova to candidates and decision facts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "agent/observe/candidates.h"

#define START 1000000 /* of the newest live-migration action */

struct world {
  struct nova_reading *r;
  struct rcv_evidence *e;
  struct rcv_names *names;
  struct obs_also also;
  struct rcv_nova nova;
  enum rcv_svc services[RCV_MAX_CANDIDATES];
};

static void put(char *out, size_t n, const char *text) { (void)snprintf(out, n, "%s", text); }
#define PUT(field, text) put(field, sizeof(field), text)

static struct nova_migration *add_record(struct world *w, const char *type, const char *status,
                                         const char *source, const char *dest, int64_t created) {
  struct nova_migration *m = &w->r->migration[w->r->migrations++];
  m->id = (int64_t)w->r->migrations;
  PUT(m->type, type);
  PUT(m->status, status);
  PUT(m->source, source);
  PUT(m->dest, dest);
  m->created_s = created;
  m->updated_s = -1;
  return m;
}

static void add_action(struct world *w, const char *name, int64_t start) {
  struct nova_action *a = &w->r->action[w->r->actions++];
  PUT(a->action, name);
  (void)snprintf(a->request_id, sizeof a->request_id, "req-%zu", w->r->actions);
  a->start_s = start;
}

static void add_action(struct world *w, const char *name, int64_t start);

static void begin(struct world *w) {
  memset(w, 0, sizeof *w);
  w->r = nova_reading_new();
  w->e = calloc(1, sizeof *w->e);
  w->names = calloc(1, sizeof *w->names);
  assert_non_null(w->r);
  assert_non_null(w->e);
  assert_non_null(w->names);
  rcv_evidence_init(w->e);
  w->r->read = NOVA_ALL;
  PUT(w->r->server.host, "cmp-a");
  PUT(w->r->server.vm_state, "active");
  PUT(w->r->server.task_state, "migrating");
  w->r->server.host_visible = true;
}

static void end(struct world *w) {
  nova_reading_free(w->r);
  free(w->e);
  free(w->names);
}

static void convert(struct world *w) {
  obs_candidates(w->r, &w->also, w->e, w->names);
  assert_int_equal(obs_convert(w->r, &w->also, w->e, w->names, &w->nova, w->services), 0);
}

static void order_and_duplicates(void **state) {
  (void)state;
  struct world w;
  begin(&w);
  add_record(&w, "live-migration", "running", "cmp-a", "cmp-b", START);
  add_record(&w, "resize", "confirmed", "cmp-c", "cmp-a", START - 100);
  w.r->event_hosts = 2;
  PUT(w.r->event_host[0], "cmp-d");
  PUT(w.r->event_host[1], "cmp-b");
  w.also.count = 2;
  PUT(w.also.host[0], "cmp-e");
  PUT(w.also.host[1], "cmp-a");
  convert(&w);
  const char *const expected[] = {"cmp-a", "cmp-b", "cmp-c", "cmp-d", "cmp-e"};
  assert_int_equal(w.e->candidates, 5);
  for (int i = 0; i < 5; i++) {
    assert_string_equal(w.names->host[i].host, expected[i]);
    assert_int_equal(w.e->candidate[i].of_newest_record, i < 2 ? RCV_TRI_YES : RCV_TRI_NO);
  }
  assert_int_equal(w.e->candidate[4].also_probe, RCV_TRI_YES);
  assert_int_equal(w.nova.record_host, 0);
  assert_int_equal(w.nova.mig_dest, 1);
  end(&w);
}

static void too_many_is_said_never_cut(void **state) {
  (void)state;
  struct world w;
  begin(&w);
  for (int i = 0; i < RCV_MAX_CANDIDATES + 1; i++) {
    char host[16];
    (void)snprintf(host, sizeof host, "h%d", i);
    add_record(&w, "live-migration", "failed", host, "cmp-a", START - i);
  }
  obs_candidates(w.r, &w.also, w.e, w.names);
  assert_int_equal(w.e->too_many, RCV_TRI_YES);
  end(&w);
  begin(&w);
  w.r->too_many_migrations = true;
  obs_candidates(w.r, &w.also, w.e, w.names);
  assert_int_equal(w.e->too_many, RCV_TRI_YES);
  end(&w);
}

static void a_new_host_makes_the_list_stale(void **state) {
  (void)state;
  struct world w;
  begin(&w);
  add_record(&w, "live-migration", "running", "cmp-a", "cmp-b", START);
  convert(&w);
  PUT(w.r->migration[0].dest, "cmp-z");
  assert_int_equal(obs_convert(w.r, &w.also, w.e, w.names, &w.nova, w.services), -1);
  end(&w);
}

/* A record stamped a little before its action: clocks differ. What refuses more is taken. */
static void skew_of_record_and_action(void **state) {
  (void)state;
  static const struct {
    const char *status;
    int64_t created;
    enum rcv_tri present;
  } rows[] = {
      {"running", START, RCV_TRI_YES},       {"running", START - 1, RCV_TRI_YES},
      {"running", START - 60, RCV_TRI_YES},  {"running", START - 61, RCV_TRI_NO},
      {"failed", START, RCV_TRI_YES},        {"failed", START - 1, RCV_TRI_NO},
      {"completed", START - 1, RCV_TRI_YES}, {"completed", START - 61, RCV_TRI_NO},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    struct world w;
    begin(&w);
    add_action(&w, "live-migration", START);
    add_record(&w, "live-migration", rows[i].status, "cmp-a", "cmp-b", rows[i].created);
    convert(&w);
    assert_int_equal(w.nova.mig_present, rows[i].present);
    assert_int_equal(w.nova.older_nonterminal,
                     rows[i].present == RCV_TRI_NO && strcmp(rows[i].status, "running") == 0);
    end(&w);
  }
}

/* Changed after the action began: it is the action's, whatever its creation time says. */
static void an_ended_record_changed_after_the_action(void **state) {
  (void)state;
  struct world w;
  begin(&w);
  add_action(&w, "live-migration", START);
  add_record(&w, "live-migration", "failed", "cmp-a", "cmp-b", START - 2)->updated_s = START + 9;
  convert(&w);
  assert_int_equal(w.nova.mig_present, RCV_TRI_YES);
  assert_int_equal(w.nova.mig_status, RCV_MIG_FAILED);
  end(&w);
}

static void migrating_without_an_action_is_not_known(void **state) {
  (void)state;
  struct world w;
  begin(&w);
  add_action(&w, "evacuate", START);
  add_action(&w, "create", START - 500);
  convert(&w);
  assert_int_equal(w.nova.newer_action, RCV_ACT_UNKNOWN);
  PUT(w.r->server.task_state, "");
  assert_int_equal(obs_convert(w.r, &w.also, w.e, w.names, &w.nova, w.services), 0);
  assert_int_equal(w.nova.newer_action, RCV_ACT_NONE);
  end(&w);
}

static void hypervisors_not_read_are_not_missing(void **state) {
  (void)state;
  struct world w;
  struct nova_hypervisor hv = {.service_host = "cmp-b", .hostname = "b.example", .type = "QEMU"};
  begin(&w);
  w.also.everywhere = true;
  w.r->hypervisor = &hv;
  w.r->hypervisors = 1;
  convert(&w);
  assert_int_equal(w.e->candidates, 2);
  assert_int_equal(w.e->candidate[0].hypervisor_listed, RCV_TRI_NO);
  assert_int_equal(w.e->candidate[1].hypervisor_listed, RCV_TRI_YES);
  assert_int_equal(w.e->candidate[1].also_probe, RCV_TRI_YES);
  w.r->read &= ~(unsigned)NOVA_HYPERVISORS;
  rcv_evidence_init(w.e);
  obs_candidates(w.r, &w.also, w.e, w.names);
  assert_int_equal(w.e->candidate[0].hypervisor_listed, RCV_TRI_UNKNOWN);
  w.r->hypervisor = NULL;
  w.r->hypervisors = 0;
  end(&w);
}

static void newer_actions(void **state) {
  (void)state;
  static const struct {
    const char *name;
    enum rcv_act expected;
  } rows[] = {{"lock", RCV_ACT_HARMLESS},
              {"unlock", RCV_ACT_HARMLESS},
              {"live_migration_cancel", RCV_ACT_HARMLESS},
              {"live_migration_force_complete", RCV_ACT_HARMLESS},
              {"reboot", RCV_ACT_OTHER},
              {"resetState", RCV_ACT_HARMLESS},
              {"evacuate", RCV_ACT_OTHER},
              {"a name of a later release", RCV_ACT_OTHER}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    struct world w;
    begin(&w);
    add_action(&w, rows[i].name, START + 5);
    add_action(&w, "lock", START + 3);
    add_action(&w, "live-migration", START);
    add_action(&w, "reboot", START - 50);
    convert(&w);
    assert_int_equal(w.nova.newer_action, rows[i].expected);
    end(&w);
  }
}

static void evacuations(void **state) {
  (void)state;
  static const struct {
    const char *status;
    int64_t created;
    enum rcv_evac expected;
  } rows[] = {{"accepted", START - 900, RCV_EVAC_PENDING},
              {"pre-migrating", START - 900, RCV_EVAC_PENDING},
              {"done", START + 10, RCV_EVAC_DONE_NEWER},
              {"done", START - 30, RCV_EVAC_DONE_NEWER}, /* within the skew */
              {"done", START - 900, RCV_EVAC_OLDER},
              {"failed", START + 10, RCV_EVAC_OLDER}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    struct world w;
    begin(&w);
    add_record(&w, "live-migration", "failed", "cmp-a", "cmp-b", START);
    add_record(&w, "evacuation", rows[i].status, "cmp-a", "cmp-c", rows[i].created);
    convert(&w);
    assert_int_equal(w.nova.evacuation, rows[i].expected);
    end(&w);
  }
}

static void states_and_services(void **state) {
  (void)state;
  struct world w;
  begin(&w);
  struct nova_service service[] = {{.state = RCV_SVC_UP}, {.state = RCV_SVC_FORCED_DOWN}};
  PUT(service[0].host, "cmp-a");
  PUT(service[1].host, "cmp-b");
  w.r->service = service;
  w.r->services = 2;
  add_record(&w, "live-migration", "a later status", "cmp-a", "cmp-b", START);
  w.also.count = 1;
  PUT(w.also.host[0], "gone");
  PUT(w.r->server.task_state, "resize_prep");
  PUT(w.r->server.vm_state, "a later state");
  convert(&w);
  assert_int_equal(w.nova.task_state, RCV_TASK_RESIZE);
  assert_int_equal(w.nova.vm_state, RCV_VM_OTHER);
  assert_int_equal(w.nova.mig_status, RCV_MIG_OTHER);
  assert_int_equal(w.nova.hypervisor, RCV_HV_UNKNOWN);
  assert_int_equal(w.services[0], RCV_SVC_UP);
  assert_int_equal(w.services[1], RCV_SVC_FORCED_DOWN);
  assert_int_equal(w.services[2], RCV_SVC_MISSING);
  w.r->read &= ~(unsigned)NOVA_SERVICES;
  assert_int_equal(obs_convert(w.r, &w.also, w.e, w.names, &w.nova, w.services), 0);
  assert_int_equal(w.nova.api, RCV_API_UNAVAILABLE);
  assert_int_equal(w.services[0], RCV_SVC_UNKNOWN);
  w.r->service = NULL;
  w.r->services = 0;
  end(&w);
}

static void hidden_and_down(void **state) {
  (void)state;
  struct world w;
  begin(&w);
  w.r->server.host_visible = false;
  convert(&w);
  assert_int_equal(w.nova.api, RCV_API_HIDDEN);
  w.r->server.down_cell = true;
  assert_int_equal(obs_convert(w.r, &w.also, w.e, w.names, &w.nova, w.services), 0);
  assert_int_equal(w.nova.api, RCV_API_DOWN_CELL);
  end(&w);
}

static void only_lock_changed(void **state) {
  (void)state;
  struct world before;
  struct world now;
  begin(&before);
  begin(&now);
  PUT(before.r->action[0].request_id, "req-old");
  before.r->actions = 1;
  now.r->actions = 2;
  PUT(now.r->action[0].action, "lock");
  PUT(now.r->action[0].request_id, "req-new");
  PUT(now.r->action[1].request_id, "req-old");
  assert_int_equal(obs_only_lock_changed(before.r, now.r), RCV_TRI_YES);
  PUT(now.r->action[0].action, "reboot");
  assert_int_equal(obs_only_lock_changed(before.r, now.r), RCV_TRI_NO);
  assert_int_equal(obs_only_lock_changed(before.r, before.r), RCV_TRI_NO);
  end(&before);
  end(&now);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(order_and_duplicates),
      cmocka_unit_test(too_many_is_said_never_cut),
      cmocka_unit_test(a_new_host_makes_the_list_stale),
      cmocka_unit_test(skew_of_record_and_action),
      cmocka_unit_test(newer_actions),
      cmocka_unit_test(an_ended_record_changed_after_the_action),
      cmocka_unit_test(migrating_without_an_action_is_not_known),
      cmocka_unit_test(hypervisors_not_read_are_not_missing),
      cmocka_unit_test(evacuations),
      cmocka_unit_test(states_and_services),
      cmocka_unit_test(hidden_and_down),
      cmocka_unit_test(only_lock_changed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
