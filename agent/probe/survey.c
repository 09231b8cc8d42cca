/* The operations that only inform: list, stats, caps, compare. */
#include <jansson.h>
#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

#include "agent/probe/host.h"
#include "agent/probe/out.h"
#include "agent/probe/xml.h"

#define MAX_LISTED 1000 /* domains of one host that fit a reply */

static bool asked_for(const struct request *r, const char *uuid) {
  if (r->instances == 0) {
    return true;
  }
  for (size_t i = 0; i < r->instances; i++) {
    if (strcmp(r->instance[i], uuid) == 0) {
      return true;
    }
  }
  return false;
}

static int say_listed(const struct request *r, const virDomainStatsRecord *record) {
  char uuid[VIR_UUID_STRING_BUFLEN] = "";
  if (virDomainGetUUIDString(record->dom, uuid) != 0 || !asked_for(r, uuid)) {
    return 0;
  }
  unsigned int id = virDomainGetID(record->dom);
  out_line("domain",
           json_pack("{s:s, s:o, s:I, s:I, s:I}", "instance", uuid, "name",
                     out_text(virDomainGetName(record->dom)), "id",
                     id == (unsigned int)-1 ? (json_int_t)-1 : (json_int_t)id, "state",
                     (json_int_t)param_value(record->params, record->nparams, "state.state"),
                     "reason",
                     (json_int_t)param_value(record->params, record->nparams, "state.reason")));
  return 1;
}

/* The state group needs neither the job lock nor the monitor, and is one call for all domains. */
void op_list(struct host *h, const struct request *r) {
  virDomainStatsRecordPtr *records = NULL;
  int listed = 0;
  out_begin("list", NULL, 0);
  int n = virConnectGetAllDomainStats(h->conn, VIR_DOMAIN_STATS_STATE, &records, 0);
  if (n < 0) {
    out_libvirt_error("list", NULL);
    return;
  }
  if (n > MAX_LISTED) {
    out_error("list", NULL, "this host has more than 1000 domains: name the instances");
  } else {
    for (int i = 0; i < n; i++) {
      listed += say_listed(r, records[i]);
    }
    out_line("count", json_pack("{s:i, s:i}", "all", n, "listed", listed));
  }
  virDomainStatsRecordListFree(records);
}

static json_t *numbers(virTypedParameterPtr params, int n) {
  json_t *object = json_object();
  for (int i = 0; object != NULL && i < n; i++) {
    int64_t value = param_value(&params[i], 1, params[i].field);
    if (value >= 0) {
      (void)json_object_set_new(object, params[i].field, json_integer(value));
    }
  }
  return object;
}

/* Progress of a running job, with everything libvirt tells about it. */
static void say_stats(virDomainPtr dom, const char *instance, const char *key, unsigned int flags) {
  int type = VIR_DOMAIN_JOB_NONE;
  virTypedParameterPtr params = NULL;
  int n = 0;
  out_begin(key, instance, half_left_ms());
  if (virDomainGetJobStats(dom, &type, &params, &n, flags) != 0) {
    out_libvirt_error(key, instance);
    return;
  }
  out_line(key, json_pack("{s:s, s:i, s:o}", "instance", instance, "type", type, "params",
                          numbers(params, n)));
  virTypedParamsFree(params, n);
}

static void stats_of(virDomainPtr dom, const char *instance) {
  int state = 0;
  int reason = 0;
  out_begin("state", instance, 0);
  int active = virDomainIsActive(dom);
  if (active < 0 || virDomainGetState(dom, &state, &reason, 0) != 0) {
    out_libvirt_error("state", instance);
    return;
  }
  out_line("state",
           json_pack("{s:i, s:i, s:b}", "state", state, "reason", reason, "active", active));
  if (active) {
    say_vcpus(dom, instance);
  }
  say_stats(dom, instance, "completed_stats",
            VIR_DOMAIN_JOB_STATS_COMPLETED | VIR_DOMAIN_JOB_STATS_KEEP_COMPLETED);
  say_stats(dom, instance, "stats", 0);
}

void op_stats(struct host *h, const struct request *r) {
  for (size_t i = 0; i < r->instances; i++) {
    virDomainPtr dom = NULL;
    if (host_lookup(h, r->instance[i], &dom) == LOOKUP_FOUND) {
      stats_of(dom, r->instance[i]);
      (void)virDomainFree(dom);
    }
    out_line("done", json_string(r->instance[i]));
  }
}

enum { C_ARCH, C_MODEL, C_VENDOR, C_TRANSPORT, C_SECURITY, C_CPU, C_COUNT };

static const struct xml_want caps_want[C_COUNT] = {
    [C_ARCH] = {XML_TEXT, "capabilities/host/cpu/arch", NULL},
    [C_MODEL] = {XML_TEXT, "capabilities/host/cpu/model", NULL},
    [C_VENDOR] = {XML_TEXT, "capabilities/host/cpu/vendor", NULL},
    [C_TRANSPORT] = {XML_TEXT, "capabilities/host/migration_features/uri_transports/uri_transport",
                     NULL},
    [C_SECURITY] = {XML_TEXT, "capabilities/host/secmodel/model", NULL},
    [C_CPU] = {XML_SLICE, "capabilities/host/cpu", NULL},
};

#define SLICE_BYTES 49152 /* a longer <cpu> is left out: its line would not fit the reply */

static json_t *found_text(const struct xml_found *f) {
  return f->count > 0 ? out_text(f->text) : json_null();
}

static json_t *found_slice(const struct xml_found *f) {
  json_t *value = NULL;
  if (f->slice != NULL && f->slice_len < SLICE_BYTES) {
    value = json_stringn(f->slice, f->slice_len);
  }
  return value != NULL ? value : json_null();
}

static void say_caps(struct host *h) {
  struct xml_found found[C_COUNT];
  const char *why = NULL;
  if (xml_read(h->capabilities, strlen(h->capabilities), caps_want, found, C_COUNT, &why) != 0) {
    out_error("caps", NULL, why);
    return;
  }
  out_line("caps",
           json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "arch", found_text(&found[C_ARCH]),
                     "cpu_model", found_text(&found[C_MODEL]), "cpu_vendor",
                     found_text(&found[C_VENDOR]), "uri_transport", found_text(&found[C_TRANSPORT]),
                     "security", found_text(&found[C_SECURITY]), "cpu_xml",
                     found_slice(&found[C_CPU])));
}

static void say_versions(struct host *h) {
  unsigned long libvirt = 0;
  unsigned long hypervisor = 0;
  out_begin("versions", NULL, 0);
  if (virConnectGetLibVersion(h->conn, &libvirt) != 0 ||
      virConnectGetVersion(h->conn, &hypervisor) != 0) {
    out_libvirt_error("versions", NULL);
    return;
  }
  out_line("versions", json_pack("{s:I, s:I}", "libvirt", (json_int_t)libvirt, "hypervisor",
                                 (json_int_t)hypervisor));
}

static void say_node(struct host *h) {
  virNodeInfo node;
  memset(&node, 0, sizeof node);
  out_begin("node", NULL, 0);
  if (virNodeGetInfo(h->conn, &node) != 0) {
    out_libvirt_error("node", NULL);
    return;
  }
  unsigned long long free_bytes = virNodeGetFreeMemory(h->conn); /* 0: not told */
  out_line("node", json_pack("{s:I, s:I, s:I}", "cpus", (json_int_t)node.cpus, "memory_kib",
                             (json_int_t)node.memory, "free_kib", (json_int_t)(free_bytes / 1024)));
}

enum { G_MACHINE, G_ARCH, G_EMULATOR, G_CPU, G_HOSTDEV, G_COUNT };

static const struct xml_want guest_want[G_COUNT] = {
    [G_MACHINE] = {XML_ATTRIBUTE, "domain/os/type", "machine"},
    [G_ARCH] = {XML_ATTRIBUTE, "domain/os/type", "arch"},
    [G_EMULATOR] = {XML_TEXT, "domain/devices/emulator", NULL},
    [G_CPU] = {XML_SLICE, "domain/cpu", NULL},
    [G_HOSTDEV] = {XML_COUNT, "domain/devices/hostdev", NULL},
};

/* What a destination must be able to run. */
static void say_guest(virDomainPtr dom, const char *instance) {
  struct xml_found found[G_COUNT];
  const char *why = NULL;
  out_begin("guest", instance, half_left_ms());
  char *xml = virDomainGetXMLDesc(dom, 0);
  if (xml == NULL) {
    out_libvirt_error("guest", instance);
    return;
  }
  if (xml_read(xml, strlen(xml), guest_want, found, G_COUNT, &why) != 0) {
    out_error("guest", instance, why);
  } else {
    out_line("guest",
             json_pack("{s:s, s:o, s:o, s:o, s:i, s:o}", "instance", instance, "machine",
                       found_text(&found[G_MACHINE]), "arch", found_text(&found[G_ARCH]),
                       "emulator", found_text(&found[G_EMULATOR]), "hostdevs",
                       (int)found[G_HOSTDEV].count, "cpu_xml", found_slice(&found[G_CPU])));
  }
  free(xml);
}

void op_caps(struct host *h, const struct request *r) {
  say_caps(h);
  say_versions(h);
  say_node(h);
  for (size_t i = 0; i < r->instances; i++) {
    virDomainPtr dom = NULL;
    if (host_lookup(h, r->instance[i], &dom) == LOOKUP_FOUND) {
      say_guest(dom, r->instance[i]);
      (void)virDomainFree(dom);
    }
    out_line("done", json_string(r->instance[i]));
  }
}

/*
 * virConnectCompareCPU is what a read-only connection may ask (the hypervisor's own comparison is
 * refused): necessary for a migration, not sufficient. When the CPU does not fit, a second call
 * makes libvirt name the missing features.
 */
void op_compare(struct host *h, const struct request *r) {
  const char *result = "error";
  json_t *missing = json_null();
  out_begin("compare", NULL, 0);
  virCPUCompareResult answer = virConnectCompareCPU(h->conn, r->cpu_xml, 0);
  if (answer == VIR_CPU_COMPARE_ERROR) {
    out_libvirt_error("compare", NULL);
    return;
  }
  if (answer == VIR_CPU_COMPARE_IDENTICAL) {
    result = "identical";
  } else if (answer == VIR_CPU_COMPARE_SUPERSET) {
    result = "superset";
  } else {
    result = "incompatible";
    if (virConnectCompareCPU(h->conn, r->cpu_xml, VIR_CONNECT_COMPARE_CPU_FAIL_INCOMPATIBLE) ==
        VIR_CPU_COMPARE_ERROR) {
      missing = out_text(virGetLastErrorMessage());
    }
  }
  out_line("compare", json_pack("{s:s, s:o}", "result", result, "detail", missing));
}
