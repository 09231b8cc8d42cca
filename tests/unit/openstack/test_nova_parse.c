/*
 * Recorded replies of a real Nova (tests/recorded/nova), what other releases answer
 * (tests/recorded/releases), and damaged ones. Run from the root.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/base/files.h"
#include "agent/base/json.h"
#include "agent/openstack/nova_parse.h"

#define STUCK "96fdbddf-3800-4222-aad1-051342782761"

/* response.body of a recording, RELEASE/NAME for those of other releases; a new reference. */
static json_t *recorded(const char *name) {
  char path[256];
  struct uw_err err;
  struct uw_buf text = {0};
  (void)snprintf(path, sizeof path, "tests/recorded/%s%s.json",
                 strchr(name, '/') == NULL ? "nova/" : "releases/", name);
  uw_err_clear(&err);
  if (uw_file_read(path, (size_t)8 * 1024 * 1024, &text, &err) != 0) {
    fail_msg("%s", err.text);
  }
  json_t *root = uw_json_parse(uw_buf_text(&text), text.len, path, UW_EXIT_UNKNOWN, &err);
  assert_non_null(root);
  json_t *body = json_incref(json_object_get(json_object_get(root, "response"), "body"));
  assert_non_null(body);
  json_decref(root);
  uw_buf_free(&text);
  return body;
}

static struct nova_reading *reading(void) {
  struct nova_reading *r = nova_reading_new();
  assert_non_null(r);
  r->progress = (struct nova_progress){-1, -1, -1, -1};
  return r;
}

static void test_server(void **state) {
  struct nova_server s;
  struct uw_err err;
  (void)state;
  json_t *body = recorded("server-stuck-2.93");
  assert_int_equal(np_server(body, STUCK, &s, &err), 0);
  assert_string_equal(s.name, "stuck");
  assert_string_equal(s.status, "MIGRATING");
  assert_string_equal(s.vm_state, "active");
  assert_string_equal(s.task_state, "migrating");
  assert_string_equal(s.host, "cmp-a");
  assert_string_equal(s.instance_name, "instance-00000006");
  assert_string_equal(s.project, "6636f25326c0481295733f4a88dfa621");
  assert_true(s.host_visible);
  assert_false(s.down_cell);
  assert_int_equal(s.updated_s, 1795412885);
  assert_int_equal(s.progress, 0);
  assert_int_equal(s.locked, RCV_TRI_NO);
  assert_int_equal(np_server(body, "00000000-0000-4000-8000-000000000000", &s, &err), -1);
  json_decref(body);
  body = recorded("server-stuck-2.1"); /* no lock yet in that version */
  assert_int_equal(np_server(body, STUCK, &s, &err), 0);
  assert_int_equal(s.locked, RCV_TRI_UNKNOWN);
  json_decref(body);
  body = recorded("server-stuck-locked");
  assert_int_equal(np_server_body(json_object_get(body, "server"), &s, &err), 0);
  assert_int_equal(s.locked, RCV_TRI_YES);
  json_decref(body);
  body = recorded("server-after-reset-2.93");
  assert_int_equal(np_server(body, STUCK, &s, &err), 0);
  assert_string_equal(s.task_state, "");
  json_decref(body);
}

static void test_migrations(void **state) {
  struct uw_err err;
  (void)state;
  struct nova_reading *r = reading();
  json_t *body = recorded("os-migrations-stuck-2.93");
  assert_int_equal(np_migrations(body, STUCK, r, &err), 0);
  assert_int_equal(np_migrations(body, STUCK, r, &err), 0); /* a repeated record counts once */
  json_decref(body);
  assert_int_equal(r->migrations, 1);
  assert_int_equal(r->migration[0].id, 2);
  assert_string_equal(r->migration[0].type, "live-migration");
  assert_string_equal(r->migration[0].status, "running");
  assert_string_equal(r->migration[0].source, "cmp-a");
  assert_string_equal(r->migration[0].dest, "cmp-b");
  assert_int_equal(r->migration[0].created_s, 1795412885);
  body = recorded("server-migrations-stuck-2.93");
  assert_int_equal(np_progress(body, r, &err), 0);
  json_decref(body);
  assert_int_equal(r->progress.memory_remaining, -1); /* null */
  r->migration[0].id = 5;
  (void)snprintf(r->migration[0].uuid, sizeof r->migration[0].uuid,
                 "fb0eb346-9c4a-4975-9fe1-97d396969b41");
  body = recorded("server-migrations-running-libvirt-2.93");
  assert_int_equal(np_progress(body, r, &err), 0);
  json_decref(body);
  assert_int_equal(r->progress.memory_remaining, 82620416);
  assert_int_equal(r->progress.disk_processed, 0);
  body = recorded("os-migrations-limit2"); /* records of other instances */
  assert_int_equal(np_migrations(body, STUCK, r, &err), -1);
  bool other = false;
  assert_int_equal(np_queue(body, STUCK, &other, &err), 0);
  assert_true(other);
  char marker[NP_MARKER_BYTES];
  assert_int_equal(np_next(body, "migrations_links", marker, &err), 1);
  assert_string_equal(marker, "f2d9378c-461e-4e07-a36c-efa43da5ddc1");
  json_decref(body);
  nova_reading_free(r);
}

static void test_actions(void **state) {
  struct uw_err err;
  bool done = false;
  (void)state;
  struct nova_reading *r = reading();
  json_t *body = recorded("os-instance-actions-stuck-2.93");
  assert_int_equal(np_actions(body, STUCK, r, &done, &err), 0);
  json_decref(body);
  assert_int_equal(r->actions, 2);
  assert_int_equal(np_newest_live(r), 0);
  assert_string_equal(r->action[0].request_id, "req-2c65e77a-88a3-4a35-9d89-443b0cfc844b");
  body = recorded("os-instance-action-live-migration-stuck-2.93");
  assert_int_equal(np_events(body, STUCK, r, &err), 0);
  json_decref(body);
  assert_int_equal(r->event_hosts, 2); /* the conductor's host is none */
  assert_string_equal(r->event_host[0], "cmp-b");
  assert_string_equal(r->event_host[1], "cmp-a");
  assert_false(r->event_hosts_hidden);
  body = recorded("os-instance-action-live-migration-stuck-2.1"); /* no hosts in that version */
  assert_int_equal(np_events(body, STUCK, r, &err), 0);
  json_decref(body);
  assert_true(r->event_hosts_hidden);
  nova_reading_free(r);
}

/* ---- other releases ------------------------------------------------------------------------- */

static json_t *of_release(const char *release, const char *name, const char *minor) {
  char path[160];
  (void)snprintf(path, sizeof path, "%s/%s-2.%s", release, name, minor);
  return recorded(path);
}

/* What a failed last step leaves: the wedge up to 2024.2, from 2025.1 on an error and the new host. */
static void failed_last_step(const char *release, const char *minor, bool moves) {
  struct nova_server s;
  struct uw_err err;
  struct nova_reading *r = reading();
  json_t *body = of_release(release, "server-failed-last-step", minor);
  assert_int_equal(np_server(body, STUCK, &s, &err), 0);
  json_decref(body);
  assert_string_equal(s.status, moves ? "ERROR" : "MIGRATING");
  assert_string_equal(s.vm_state, moves ? "error" : "active");
  assert_string_equal(s.task_state, moves ? "" : "migrating");
  assert_string_equal(s.host, moves ? "cmp-b" : "cmp-a");
  assert_int_equal(s.progress, moves ? -1 : 0);
  body = of_release(release, "os-migrations-failed-last-step", minor);
  assert_int_equal(np_migrations(body, STUCK, r, &err), 0);
  json_decref(body);
  assert_int_equal(r->migrations, 1);
  assert_string_equal(r->migration[0].status, moves ? "error" : "completed");
  assert_string_equal(r->migration[0].source, "cmp-a");
  assert_string_equal(r->migration[0].dest, "cmp-b");
  nova_reading_free(r);
}

/* Every field that is read is there at a release's own maximum, too. */
static void at_its_maximum(const char *release, const char *minor) {
  struct nova_server s;
  struct uw_err err;
  struct nova_reading *r = reading();
  json_t *body = of_release(release, "server-wedged", minor);
  assert_int_equal(np_server(body, STUCK, &s, &err), 0);
  json_decref(body);
  assert_true(s.host_visible);
  assert_string_equal(s.host, "cmp-a");
  assert_string_equal(s.task_state, "migrating");
  assert_int_equal(s.locked, RCV_TRI_NO);
  body = of_release(release, "os-hypervisors-detail", minor);
  assert_int_equal(np_hypervisors(body, r, &err), 0);
  json_decref(body);
  assert_int_equal(r->hypervisors, 2);
  assert_string_equal(r->hypervisor[1].service_host, "cmp-b");
  assert_string_equal(r->hypervisor[1].hostname, "cmp-b.example.net");
  assert_string_equal(r->hypervisor[1].type, "QEMU");
  nova_reading_free(r);
}

static void actions_after_reset(const char *release, const char *minor, bool kept) {
  struct uw_err err;
  bool done = false;
  struct nova_reading *r = reading();
  json_t *body = of_release(release, "os-instance-actions-after-reset", minor);
  assert_int_equal(np_actions(body, STUCK, r, &done, &err), 0);
  json_decref(body);
  assert_int_equal(r->actions, kept ? 3 : 2);
  assert_string_equal(r->action[0].action, kept ? "resetState" : "live-migration");
  nova_reading_free(r);
}

/* Train has no user in records and no details in events; nothing that is read depends on them. */
static void wedged(const char *release, const char *minor) {
  struct uw_err err;
  struct nova_reading *r = reading();
  json_t *body = of_release(release, "os-migrations-wedged", minor);
  const json_t *record = json_array_get(json_object_get(body, "migrations"), 0);
  assert_int_equal(json_object_get(record, "user_id") != NULL, strcmp(minor, "79") != 0);
  assert_int_equal(np_migrations(body, STUCK, r, &err), 0);
  json_decref(body);
  assert_string_equal(r->migration[0].status, "running");
  body = of_release(release, "server-migrations-wedged", minor);
  assert_int_equal(np_progress(body, r, &err), 0);
  json_decref(body);
  assert_int_equal(r->progress.memory_remaining, 4096);
  body = of_release(release, "os-instance-action-wedged", minor);
  assert_int_equal(np_events(body, STUCK, r, &err), 0);
  json_decref(body);
  assert_int_equal(r->event_hosts, 2);
  assert_false(r->event_hosts_hidden);
  body = of_release(release, "os-services-wedged", minor);
  assert_int_equal(np_services(body, r, &err), 0);
  json_decref(body);
  assert_int_equal(r->services, 2);
  assert_int_equal(r->service[0].state, RCV_SVC_DOWN);
  assert_int_equal(r->service[1].state, RCV_SVC_UP);
  assert_int_equal(r->conductor_up, RCV_TRI_YES);
  body = of_release(release, "os-hypervisors-detail", minor);
  assert_int_equal(np_hypervisors(body, r, &err), 0);
  json_decref(body);
  assert_int_equal(r->hypervisors, 2);
  nova_reading_free(r);
}

static void test_releases(void **state) {
  static const struct {
    const char *name, *asked, *max; /* asked: the microversion that is asked for there */
  } releases[] = {{"train", "79", "79"},
                  {"yoga", "84", "90"},
                  {"2023.1", "84", "95"},
                  {"2024.1", "84", "96"},
                  {"2025.1", "84", "100"}};
  (void)state;
  for (size_t i = 0; i < sizeof releases / sizeof releases[0]; i++) {
    failed_last_step(releases[i].name, releases[i].asked, strcmp(releases[i].max, "100") == 0);
    at_its_maximum(releases[i].name, releases[i].max);
    actions_after_reset(releases[i].name, releases[i].asked, strcmp(releases[i].max, "79") != 0);
  }
  wedged("train", "79");
  wedged("yoga", "84");
}

/* A live migration far down a long list is not lost. */
static void test_many_actions(void **state) {
  struct uw_err err;
  bool done = false;
  (void)state;
  struct nova_reading *r = reading();
  json_t *list = json_array();
  for (int i = 0; i < NOVA_MAX_ACTIONS + 50; i++) {
    char id[64];
    (void)snprintf(id, sizeof id, "req-%d", i);
    json_t *a = json_pack("{s:s, s:s, s:s, s:s}", "action",
                          i == NOVA_MAX_ACTIONS + 20 ? "live-migration" : "lock", "instance_uuid",
                          STUCK, "request_id", id, "start_time", "2026-11-23T05:48:05.000000");
    assert_int_equal(json_array_append_new(list, a), 0);
  }
  json_t *body = json_pack("{s:o}", "instanceActions", list);
  assert_int_equal(np_actions(body, STUCK, r, &done, &err), 0);
  assert_true(done);
  assert_int_equal(r->actions, NOVA_MAX_ACTIONS);
  assert_int_equal(np_newest_live(r), NOVA_MAX_ACTIONS - 1);
  json_decref(body);
  nova_reading_free(r);
}

static void test_services(void **state) {
  struct uw_err err;
  (void)state;
  struct nova_reading *r = reading();
  json_t *body = recorded("os-services-2.93");
  assert_int_equal(np_services(body, r, &err), 0);
  json_decref(body);
  assert_int_equal(r->services, 2);
  assert_string_equal(r->service[0].host, "cmp-a");
  assert_int_equal(r->service[0].state, RCV_SVC_DOWN);
  assert_int_equal(r->service[1].state, RCV_SVC_UP);
  assert_int_equal(r->conductor_up, RCV_TRI_YES);
  body = recorded("os-hypervisors-detail-2.93");
  assert_int_equal(np_hypervisors(body, r, &err), 0);
  json_decref(body);
  assert_int_equal(r->hypervisors, 2);
  assert_string_equal(r->hypervisor[1].service_host, "cmp-b");
  assert_string_equal(r->hypervisor[1].hostname, "cmp-b");
  assert_string_equal(r->hypervisor[1].type, "fake");
  nova_reading_free(r);
}

enum parser {
  P_SERVER = 0,
  P_MIGRATIONS,
  P_PROGRESS,
  P_ACTIONS,
  P_EVENTS,
  P_SERVICES,
  P_HYPERVISORS
};

static int parse(enum parser parser, const json_t *root, struct nova_reading *r,
                 struct uw_err *err) {
  bool done = false;
  switch (parser) {
  case P_SERVER: return np_server(root, STUCK, &r->server, err);
  case P_MIGRATIONS: return np_migrations(root, STUCK, r, err);
  case P_PROGRESS: return np_progress(root, r, err);
  case P_ACTIONS: return np_actions(root, STUCK, r, &done, err);
  case P_EVENTS: return np_events(root, STUCK, r, err);
  case P_SERVICES: return np_services(root, r, err);
  case P_HYPERVISORS: return np_hypervisors(root, r, err);
  }
  return -1;
}

static void test_hostile(void **state) {
#define SERVER "{\"server\":{\"id\":\"" STUCK "\",\"status\":\"ACTIVE\",\"name\":\"n\","
  static const struct {
    enum parser parser;
    const char *text;
    const char *words;
  } cases[] = {
      {P_SERVER, "{}", "an object"},
      {P_SERVER, "{\"server\":[]}", "an object"},
      {P_SERVER, "{\"server\":{\"id\":7}}", "id: a text"},
      {P_SERVER, SERVER "\"x\":1}}", "vm_state: is missing"},
      {P_SERVER, SERVER "\"OS-EXT-STS:vm_state\":null}}", "vm_state: a text"},
      {P_SERVER, SERVER "\"OS-EXT-STS:vm_state\":\"active\"}}", "task_state: is missing"},
      {P_SERVER,
       SERVER "\"OS-EXT-STS:vm_state\":\"active\",\"OS-EXT-STS:task_state\":null,\"locked\":1}}",
       "locked: true or false"},
      {P_SERVER,
       SERVER "\"OS-EXT-STS:vm_state\":\"active\",\"OS-EXT-STS:task_state\":null,"
              "\"progress\":-1}}",
       "progress: a count"},
      {P_MIGRATIONS, "{}", "migrations: a list"},
      {P_MIGRATIONS, "{\"migrations\":{}}", "migrations: a list"},
      {P_MIGRATIONS, "{\"migrations\":[1]}", "an object"},
      {P_MIGRATIONS, "{\"migrations\":[{\"id\":1}]}", "instance_uuid: a text"},
      {P_MIGRATIONS, "{\"migrations\":[{\"instance_uuid\":\"" STUCK "\"}]}", "id: is missing"},
      {P_MIGRATIONS, "{\"migrations\":[{\"id\":\"1\",\"instance_uuid\":\"" STUCK "\"}]}",
       "id: a count"},
      {P_MIGRATIONS, "{\"migrations\":[{\"id\":1,\"instance_uuid\":\"" STUCK "\"}]}",
       "uuid: is missing"},
      {P_PROGRESS, "{\"migrations\":[null]}", "an object"},
      {P_PROGRESS, "{\"migrations\":[{\"id\":1,\"memory_remaining_bytes\":\"many\"}]}",
       "memory_remaining_bytes: a count"},
      {P_ACTIONS, "{\"instanceActions\":[[]]}", "an object"},
      {P_ACTIONS, "{\"instanceActions\":[{\"instance_uuid\":\"other\"}]}", "another instance"},
      {P_EVENTS, "{\"instanceAction\":null}", "an object"},
      {P_EVENTS,
       "{\"instanceAction\":{\"instance_uuid\":\"" STUCK "\",\"action\":\"a\","
       "\"request_id\":\"r\",\"events\":{}}}",
       "events: a list"},
      {P_EVENTS,
       "{\"instanceAction\":{\"instance_uuid\":\"" STUCK "\",\"action\":\"a\","
       "\"request_id\":\"r\",\"events\":[{\"event\":\"compute_x\",\"host\":5}]}}",
       "host: a text"},
      {P_SERVICES, "{\"services\":[{\"binary\":\"nova-compute\"}]}", "host: is missing"},
      {P_SERVICES, "{\"services\":[{\"binary\":\"nova-compute\",\"host\":\"h\",\"state\":1}]}",
       "state: a text"},
      {P_HYPERVISORS, "{\"hypervisors\":[{\"hypervisor_hostname\":\"h\"}]}", "service: an object"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct uw_err err;
    struct nova_reading *r = reading();
    uw_err_clear(&err);
    json_t *root =
        uw_json_parse(cases[i].text, strlen(cases[i].text), "case", UW_EXIT_UNKNOWN, &err);
    assert_non_null(root);
    assert_int_equal(parse(cases[i].parser, root, r, &err), -1);
    assert_int_equal(err.status, UW_EXIT_UNKNOWN);
    if (strstr(err.text, cases[i].words) == NULL) {
      fail_msg("case %zu: '%s' is not in: %s", i, cases[i].words, err.text);
    }
    json_decref(root);
    nova_reading_free(r);
  }
}

/* What is odd but allowed: a cell that does not answer, unknown states, hidden members. */
static void test_unknown(void **state) {
  struct uw_err err;
  struct nova_server s;
  (void)state;
  json_t *root = json_pack("{s:{s:s, s:s, s:s, s:s}}", "server", "id", STUCK, "status", "UNKNOWN",
                           "tenant_id", "p", "created", "2026-11-23T05:48:05Z");
  assert_int_equal(np_server(root, STUCK, &s, &err), 0);
  assert_true(s.down_cell);
  assert_false(s.host_visible);
  json_decref(root);
  struct nova_reading *r = reading();
  root = json_pack("{s:[{s:s, s:s, s:s}, {s:s, s:s, s:s, s:b}]}", "services", "binary",
                   "nova-compute", "host", "a", "status", "UNKNOWN", "binary", "nova-compute",
                   "host", "b", "state", "up", "forced_down", 1);
  assert_int_equal(np_services(root, r, &err), 0);
  assert_int_equal(r->service[0].state, RCV_SVC_UNKNOWN);
  assert_int_equal(r->service[1].state, RCV_SVC_FORCED_DOWN);
  assert_int_equal(r->conductor_up, RCV_TRI_UNKNOWN);
  json_decref(root);
  nova_reading_free(r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_server),       cmocka_unit_test(test_migrations),
      cmocka_unit_test(test_actions),      cmocka_unit_test(test_releases),
      cmocka_unit_test(test_many_actions), cmocka_unit_test(test_services),
      cmocka_unit_test(test_hostile),      cmocka_unit_test(test_unknown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
