/* Replies of Placement, Neutron and Cinder: as their API references have them, and damaged ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/base/json.h"
#include "agent/openstack/cinder.h"
#include "agent/openstack/member.h"
#include "agent/openstack/neutron.h"
#include "agent/openstack/placement.h"

#define INSTANCE "9bc95bd6-0455-43a7-8bca-179b99521a47"
#define ONE "00000000-0000-4000-8000-000000000001"
#define TWO "00000000-0000-4000-8000-000000000002"
#define THREE "00000000-0000-4000-8000-000000000003"

static struct uw_err err;

/* A new reference; apostrophes stand for quotation marks. */
static json_t *json(const char *text) {
  char *copy = strdup(text);
  assert_non_null(copy);
  for (char *c = copy; *c != '\0'; c++) {
    *c = *c == '\'' ? '"' : *c;
  }
  json_t *root = uw_json_parse(copy, strlen(copy), "test", UW_EXIT_UNKNOWN, &err);
  if (root == NULL) {
    fail_msg("%s: %s", copy, err.text);
  }
  free(copy);
  return root;
}

static void says(const char *words) {
  if (strstr(err.text, words) == NULL) {
    fail_msg("no '%s' in: %s", words, err.text);
  }
  assert_int_equal(err.status, UW_EXIT_UNKNOWN);
  uw_err_clear(&err);
}

/* --- Placement ------------------------------------------------------------------------------- */

static int allocations(const char *text, struct pl_consumer *out) {
  json_t *root = json(text);
  memset(out, 0, sizeof *out);
  int result = pl_allocations(root, out, &err);
  json_decref(root);
  return result;
}

static void test_allocations(void **state) {
  struct pl_consumer c;
  (void)state;
  assert_int_equal(allocations("{'allocations':{}}", &c), 0);
  assert_int_equal(c.holdings, 0);
  assert_int_equal(allocations("{'allocations':{'" ONE
                               "':{'generation':9,'resources':{'VCPU':1,'MEMORY_MB':128}},"
                               "'" TWO
                               "':{'generation':2,'resources':{'DISK_GB':20,'CUSTOM_SSD_2':1}}},"
                               "'project_id':'p','user_id':'u','consumer_generation':3}",
                               &c),
                   0);
  assert_int_equal(c.holdings, 2);
  size_t first = strcmp(c.holding[0].provider, ONE) == 0 ? 0 : 1; /* an object has no order */
  assert_string_equal(c.holding[first].resources, "MEMORY_MB=128, VCPU=1");
  assert_true(c.holding[first].compute);
  assert_string_equal(c.holding[1 - first].provider, TWO);
  assert_string_equal(c.holding[1 - first].resources, "CUSTOM_SSD_2=1, DISK_GB=20");
  assert_false(c.holding[1 - first].compute);
  assert_string_equal(c.holding[first].hypervisor, "");
}

static void test_allocations_damaged(void **state) {
  static const char *const damaged[][2] = {
      {"{}", "allocations: an object"},
      {"{'allocations':[]}", "allocations: an object"},
      {"{'allocations':null}", "allocations: an object"},
      {"{'allocations':{'x':{'resources':{'VCPU':1}}}}", "is no UUID"},
      {"{'allocations':{'" ONE "':7}}", "allocation: an object"},
      {"{'allocations':{'" ONE "':{}}}", "resources: amounts"},
      {"{'allocations':{'" ONE "':{'resources':['VCPU']}}}", "resources: amounts"},
      {"{'allocations':{'" ONE "':{'resources':{'VCPU':'1'}}}}", "resources: amounts"},
      {"{'allocations':{'" ONE "':{'resources':{'VCPU':1.5}}}}", "resources: amounts"},
      {"{'allocations':{'" ONE "':{'resources':{'$(id)':1}}}}", "resources: amounts"},
      {"{'allocations':{'" ONE "':{'resources':{'':1}}}}", "resources: amounts"},
  };
  struct pl_consumer c;
  (void)state;
  for (size_t i = 0; i < sizeof damaged / sizeof damaged[0]; i++) {
    assert_int_equal(allocations(damaged[i][0], &c), -1);
    says(damaged[i][1]);
  }
}

static void test_allocations_bounds(void **state) {
  struct pl_consumer c;
  struct uw_buf text = {0};
  (void)state;
  for (int n = PL_MAX_HOLDINGS; n <= PL_MAX_HOLDINGS + 1; n++) {
    uw_buf_reset(&text);
    uw_buf_puts(&text, "{'allocations':{");
    for (int i = 0; i < n; i++) {
      uw_buf_printf(&text, "%s'00000000-0000-4000-8000-%012d':{'resources':{'VCPU':1}}",
                    i == 0 ? "" : ",", i);
    }
    uw_buf_puts(&text, "}}");
    assert_int_equal(allocations(uw_buf_text(&text), &c), n > PL_MAX_HOLDINGS ? -1 : 0);
  }
  says("more than 16 providers");
  for (int n = PL_MAX_RESOURCES; n <= PL_MAX_RESOURCES + 1; n++) {
    uw_buf_reset(&text);
    uw_buf_puts(&text, "{'allocations':{'" ONE "':{'resources':{'VCPU':1");
    for (int i = 1; i < n; i++) {
      uw_buf_printf(&text, ",'CUSTOM_%040d':1", i);
    }
    uw_buf_puts(&text, "}}}}");
    assert_int_equal(allocations(uw_buf_text(&text), &c), n > PL_MAX_RESOURCES ? -1 : 0);
    if (n == PL_MAX_RESOURCES) { /* the list does not fit, what matters is known */
      assert_string_equal(c.holding[0].resources, "many resources");
      assert_true(c.holding[0].compute);
    }
  }
  says("resources: amounts");
  uw_buf_free(&text);
}

static int provider(const char *text, char name[RCV_TEXT_BYTES], char root[UW_UUID_TEXT_BYTES]) {
  json_t *reply = json(text);
  int result = pl_provider(reply, ONE, name, root, &err);
  json_decref(reply);
  return result;
}

static void test_provider(void **state) {
  char name[RCV_TEXT_BYTES];
  char root[UW_UUID_TEXT_BYTES];
  (void)state;
  assert_int_equal(provider("{'uuid':'" ONE
                            "','name':'cmp-a.example.org','generation':4,'links':[],"
                            "'parent_provider_uuid':null,'root_provider_uuid':'" ONE "'}",
                            name, root),
                   0);
  assert_string_equal(name, "cmp-a.example.org");
  assert_string_equal(root, ONE);
  assert_int_equal(
      provider("{'uuid':'" TWO "','name':'a','root_provider_uuid':'" ONE "'}", name, root), -1);
  says("uuid: belongs to another");
  assert_int_equal(
      provider("{'uuid':'" ONE "','name':7,'root_provider_uuid':'" ONE "'}", name, root), -1);
  says("name: a text");
  assert_int_equal(provider("{'uuid':'" ONE "','name':'a'}", name, root), -1); /* before 1.14 */
  says("root_provider_uuid: a UUID");
}

/* --- Neutron --------------------------------------------------------------------------------- */

static int ports(const char *text, struct nt_ports *out) {
  json_t *root = json(text);
  memset(out, 0, sizeof *out);
  int result = nt_ports(root, INSTANCE, out, &err);
  json_decref(root);
  return result;
}

#define PORT(host, profile)                                                                        \
  "{'id':'" ONE "','device_id':'" INSTANCE "','binding:host_id':" host                             \
  ",'binding:profile':" profile "}"

static void test_ports(void **state) {
  static struct nt_ports all;
  (void)state;
  assert_int_equal(ports("{'ports':[]}", &all), 0);
  assert_int_equal(all.ports, 0);
  assert_int_equal(ports("{'ports':[" PORT("'cmp-a'", "{'migrating_to':'cmp-b'}") "]}", &all), 0);
  assert_int_equal(all.ports, 1);
  assert_string_equal(all.port[0].id, ONE);
  assert_string_equal(all.port[0].host, "cmp-a");
  assert_string_equal(all.port[0].migrating_to, "cmp-b");
  assert_int_equal(all.port[0].state, NT_BINDINGS_UNREAD);
  assert_int_equal(ports("{'ports':[" PORT("''", "{}") "]}", &all), 0);
  assert_string_equal(all.port[0].host, "");
  assert_int_equal(ports("{'ports':[" PORT("'cmp-a'", "null") "]}", &all), 0);
  assert_string_equal(all.port[0].migrating_to, "");
}

static void test_ports_damaged(void **state) {
  static const char *const damaged[][2] = {
      {"{}", "ports: a list"},
      {"{'ports':{}}", "ports: a list"},
      {"{'ports':['x']}", "port: an object"},
      {"{'ports':[{'id':'../x','device_id':'" INSTANCE "'}]}", "id: a UUID"},
      {"{'ports':[{'id':'" ONE "','device_id':'" TWO "'}]}", "device_id: belongs to another"},
      {"{'ports':[{'id':'" ONE "','device_id':'" INSTANCE "'}]}", "binding:host_id: is not shown"},
      {"{'ports':[" PORT("7", "{}") "]}", "binding:host_id: a text"},
      {"{'ports':[" PORT("'a\\nb'", "{}") "]}", "control character"},
      {"{'ports':[" PORT("'cmp-a'", "{'migrating_to':[]}") "]}", "migrating_to: a text"},
  };
  static struct nt_ports all;
  (void)state;
  for (size_t i = 0; i < sizeof damaged / sizeof damaged[0]; i++) {
    assert_int_equal(ports(damaged[i][0], &all), -1);
    says(damaged[i][1]);
  }
}

static void test_ports_bounds(void **state) {
  static struct nt_ports all;
  struct uw_buf text = {0};
  (void)state;
  for (int n = NT_MAX_PORTS; n <= NT_MAX_PORTS + 1; n++) {
    uw_buf_reset(&text);
    uw_buf_puts(&text, "{'ports':[");
    for (int i = 0; i < n; i++) {
      uw_buf_printf(&text, "%s%s", i == 0 ? "" : ",", PORT("'cmp-a'", "{}"));
    }
    uw_buf_puts(&text, "]}");
    assert_int_equal(ports(uw_buf_text(&text), &all), n > NT_MAX_PORTS ? -1 : 0);
    assert_int_equal(all.ports, NT_MAX_PORTS);
  }
  says("more than 64");
  uw_buf_free(&text);
}

static int bindings(const char *text, struct nt_port *out) {
  json_t *root = json(text);
  memset(out, 0, sizeof *out);
  int result = nt_bindings(root, out, &err);
  json_decref(root);
  return result;
}

static void test_bindings(void **state) {
  static const char *const damaged[][2] = {
      {"{}", "bindings: a list"},
      {"{'bindings':[7]}", "port binding: an object"},
      {"{'bindings':[{'status':'ACTIVE'}]}", "host: is missing"},
      {"{'bindings':[{'host':'a'}]}", "status: is missing"},
      {"{'bindings':[{'host':'a','status':'active'}]}", "ACTIVE or INACTIVE"},
      {"{'bindings':[{'host':'a','status':true}]}", "status: a text"},
  };
  static struct nt_port p;
  (void)state;
  assert_int_equal(
      bindings(
          "{'bindings':[{'host':'cmp-a','vif_type':'ovs','vif_details':{},'vnic_type':'normal',"
          "'profile':{},'status':'ACTIVE'},{'host':'cmp-b','vif_type':'unbound','vif_details':{},"
          "'vnic_type':'normal','profile':{},'status':'INACTIVE'}]}",
          &p),
      0);
  assert_int_equal(p.bindings, 2);
  assert_string_equal(p.binding[0].host, "cmp-a");
  assert_true(p.binding[0].active);
  assert_string_equal(p.binding[1].host, "cmp-b");
  assert_false(p.binding[1].active);
  for (size_t i = 0; i < sizeof damaged / sizeof damaged[0]; i++) {
    assert_int_equal(bindings(damaged[i][0], &p), -1);
    says(damaged[i][1]);
  }
  struct uw_buf text = {0};
  uw_buf_puts(&text, "{'bindings':[");
  for (int i = 0; i <= NT_MAX_BINDINGS; i++) {
    uw_buf_printf(&text, "%s{'host':'h%d','status':'INACTIVE'}", i == 0 ? "" : ",", i);
  }
  uw_buf_puts(&text, "]}");
  assert_int_equal(bindings(uw_buf_text(&text), &p), -1);
  says("bindings: more than 16");
  uw_buf_free(&text);
}

/* --- Cinder ---------------------------------------------------------------------------------- */

static int attachments(const char *text, struct cn_attachments *out) {
  json_t *root = json(text);
  memset(out, 0, sizeof *out);
  int result = cn_attachments(root, INSTANCE, out, &err);
  json_decref(root);
  return result;
}

static int volume(const char *text, struct cn_attachments *out) {
  json_t *root = json(text);
  int result = cn_volume(root, THREE, out, &err);
  json_decref(root);
  return result;
}

#define ATTACHMENT(id, status)                                                                     \
  "{'id':'" id "','volume_id':'" THREE "','instance':'" INSTANCE "','status':'" status "'}"

static void test_attachments(void **state) {
  static struct cn_attachments all;
  (void)state;
  assert_int_equal(attachments("{'attachments':[]}", &all), 0);
  assert_int_equal(attachments("{'attachments':[" ATTACHMENT(ONE, "attached") "," ATTACHMENT(
                                   TWO, "attaching") "]}",
                               &all),
                   0);
  assert_int_equal(all.attachments, 2);
  assert_string_equal(all.attachment[1].id, TWO);
  assert_string_equal(all.attachment[1].volume, THREE);
  assert_string_equal(all.attachment[1].status, "attaching");
  /* Another instance's attachment of the same volume is passed over. */
  assert_int_equal(volume("{'volume':{'id':'" THREE "','attachments':[{'attachment_id':'" ONE
                          "','host_name':'cmp-a','server_id':'" INSTANCE
                          "'},{'attachment_id':'" THREE "','host_name':'cmp-z','server_id':'" TWO
                          "'}]}}",
                          &all),
                   0);
  assert_string_equal(all.attachment[0].host, "cmp-a");
  assert_string_equal(all.attachment[1].host, "");
  assert_int_equal(volume("{'volume':{'id':'" THREE "','attachments':[{'attachment_id':'" ONE
                          "','host_name':null}]}}",
                          &all),
                   0);
  assert_string_equal(all.attachment[0].host, "");
}

static void test_attachments_damaged(void **state) {
  static const char *const damaged[][2] = {
      {"{}", "attachments: a list"},
      {"{'attachments':'x'}", "attachments: a list"},
      {"{'attachments':[[]]}", "attachment: an object"},
      {"{'attachments':[{'id':'x'}]}", "id: a UUID"},
      {"{'attachments':[{'id':'" ONE "','volume_id':null}]}", "volume_id: a UUID"},
      {"{'attachments':[{'id':'" ONE "','volume_id':'" TWO "','instance':'" TWO "'}]}",
       "instance: belongs to another"},
      {"{'attachments':[{'id':'" ONE "','volume_id':'" TWO "','instance':'" INSTANCE "'}]}",
       "status: is missing"},
      {"{'attachments':[],'attachments_links':[{'rel':'next','href':'http://c/v3/attachments?marker=m'}]}",
       "more than one page"},
  };
  static const char *const volumes[][2] = {
      {"{}", "volume: an object"},
      {"{'volume':{'id':'" ONE "'}}", "id: belongs to another"},
      {"{'volume':{'id':'" THREE "'}}", "attachments: a list"},
      {"{'volume':{'id':'" THREE "','attachments':[7]}}", "volume's attachment: an object"},
      {"{'volume':{'id':'" THREE "','attachments':[{}]}}", "attachment_id: a UUID"},
      {"{'volume':{'id':'" THREE "','attachments':[{'attachment_id':'" ONE "','host_name':7}]}}",
       "host_name: a text"},
  };
  static struct cn_attachments all;
  (void)state;
  for (size_t i = 0; i < sizeof damaged / sizeof damaged[0]; i++) {
    assert_int_equal(attachments(damaged[i][0], &all), -1);
    says(damaged[i][1]);
  }
  for (size_t i = 0; i < sizeof volumes / sizeof volumes[0]; i++) {
    assert_int_equal(volume(volumes[i][0], &all), -1);
    says(volumes[i][1]);
  }
}

static void test_attachments_bounds(void **state) {
  static struct cn_attachments all;
  struct uw_buf text = {0};
  (void)state;
  for (int n = CN_MAX_ATTACHMENTS; n <= CN_MAX_ATTACHMENTS + 1; n++) {
    uw_buf_reset(&text);
    uw_buf_puts(&text, "{'attachments':[");
    for (int i = 0; i < n; i++) {
      uw_buf_printf(&text, "%s%s", i == 0 ? "" : ",", ATTACHMENT(ONE, "attached"));
    }
    uw_buf_puts(&text, "]}");
    assert_int_equal(attachments(uw_buf_text(&text), &all), n > CN_MAX_ATTACHMENTS ? -1 : 0);
  }
  says("more than one page or than 64");
  uw_buf_reset(&text);
  uw_buf_puts(&text, "{'volume':{'id':'" THREE "','attachments':[0");
  for (int i = 0; i < CN_MAX_LISTED; i++) {
    uw_buf_puts(&text, ",0");
  }
  uw_buf_puts(&text, "]}}");
  assert_int_equal(volume(uw_buf_text(&text), &all), -1);
  says("attachments: more than 1024");
  uw_buf_free(&text);
}

/* --- Members --------------------------------------------------------------------------------- */

static void test_uuid(void **state) {
  char out[UW_UUID_TEXT_BYTES];
  json_t *root = json("{'a':'9BC95BD6-0455-43A7-8BCA-179B99521A47','b':'9bc95bd6','c':7,'d':null}");
  struct mb_thing t = {.object = root, .what = "thing", .err = &err};
  (void)state;
  assert_int_equal(mb_uuid(&t, "a", out), 0);
  assert_string_equal(out, INSTANCE);
  assert_int_equal(mb_same_uuid(&t, "a", INSTANCE), 0);
  for (const char *const *key = (const char *const[]){"b", "c", "d", "e", NULL}; *key != NULL;
       key++) {
    assert_int_equal(mb_uuid(&t, *key, out), -1);
    assert_string_equal(out, "");
    says("a UUID is expected");
  }
  json_decref(root);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_allocations),
      cmocka_unit_test(test_allocations_damaged),
      cmocka_unit_test(test_allocations_bounds),
      cmocka_unit_test(test_provider),
      cmocka_unit_test(test_ports),
      cmocka_unit_test(test_ports_damaged),
      cmocka_unit_test(test_ports_bounds),
      cmocka_unit_test(test_bindings),
      cmocka_unit_test(test_attachments),
      cmocka_unit_test(test_attachments_damaged),
      cmocka_unit_test(test_attachments_bounds),
      cmocka_unit_test(test_uuid),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
