#include "agent/probe/host.h"

#include <jansson.h>
#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/probe/out.h"
#include "agent/probe/watch.h"
#include "agent/probe/xml.h"
#include "recovery/limits.h"

int last_code(void) {
  virErrorPtr e = virGetLastError();
  return e != NULL ? e->code : 0;
}

int64_t half_left_ms(void) { return watch_left_ms() / 2 + 1; }

static int say_identity(struct host *h) {
  out_begin("identity", NULL, 0);
  char *hostname = virConnectGetHostname(h->conn);
  const char *type = hostname != NULL ? virConnectGetType(h->conn) : NULL;
  if (hostname == NULL || type == NULL) {
    out_libvirt_error("identity", NULL);
    free(hostname);
    return -1;
  }
  out_line("identity",
           json_pack("{s:o, s:o}", "hostname", out_text(hostname), "type", out_text(type)));
  free(hostname);
  return 0;
}

/* The first answer after a start of the daemon takes seconds, since it looks at all its QEMUs. */
static int say_host_uuid(struct host *h) {
  static const struct xml_want want[] = {{XML_TEXT, "capabilities/host/uuid", NULL}};
  struct xml_found found[1];
  const char *why = NULL;
  out_begin("capabilities", NULL, 0);
  h->capabilities = virConnectGetCapabilities(h->conn);
  if (h->capabilities == NULL) {
    out_libvirt_error("capabilities", NULL);
    return -1;
  }
  if (xml_read(h->capabilities, strlen(h->capabilities), want, found, 1, &why) != 0) {
    out_error("capabilities", NULL, why);
    return -1;
  }
  if (found[0].count != 1) {
    out_error("capabilities", NULL, "they name no host UUID, or several");
    return -1;
  }
  out_line("host", json_pack("{s:o}", "uuid", out_text(found[0].text)));
  return 0;
}

/*
 * virConnectOpenReadOnly and no other opening call, so that the list of imported symbols proves
 * that no connection is ever writable. It has no flags, hence no VIR_CONNECT_NO_ALIASES; but the
 * name of an alias holds letters, digits, "_" and "-" only, and the URI that passed probe_uri_check
 * has "://".
 */
int host_open(const struct request *r, struct host *h) {
  memset(h, 0, sizeof *h);
  out_begin("open", NULL, 0);
  int64_t start = uw_mono_ms();
  h->conn = virConnectOpenReadOnly(r->uri);
  if (h->conn == NULL) {
    out_libvirt_error("open", NULL);
    return -1;
  }
  out_line("open", json_pack("{s:I}", "ms", (json_int_t)(uw_mono_ms() - start)));
  return say_identity(h) == 0 && say_host_uuid(h) == 0 ? 0 : -1;
}

void host_close(struct host *h) {
  free(h->capabilities);
  if (h->conn != NULL) {
    (void)virConnectClose(h->conn);
  }
  memset(h, 0, sizeof *h);
}

/*
 * Only error 42 of the QEMU driver means "unknown here": every other code says that the question
 * was not answered.
 */
enum lookup host_lookup(struct host *h, const char *instance, virDomainPtr *dom) {
  out_begin("lookup", instance, 0);
  *dom = virDomainLookupByUUIDString(h->conn, instance);
  if (*dom == NULL) {
    virErrorPtr e = virGetLastError();
    if (e != NULL && e->code == VIR_ERR_NO_DOMAIN && e->domain == VIR_FROM_QEMU) {
      out_line("domain", json_pack("{s:s, s:b}", "instance", instance, "present", 0));
      return LOOKUP_ABSENT;
    }
    out_libvirt_error("lookup", instance);
    return LOOKUP_FAILED;
  }
  unsigned int id = virDomainGetID(*dom);
  out_line("domain", json_pack("{s:s, s:b, s:o, s:I}", "instance", instance, "present", 1, "name",
                               out_text(virDomainGetName(*dom)), "id",
                               id == (unsigned int)-1 ? (json_int_t)-1 : (json_int_t)id));
  return LOOKUP_FOUND;
}

static int64_t bounded(unsigned long long value) {
  return value <= (unsigned long long)RCV_INT_MAX ? (int64_t)value : -1;
}

int64_t param_value(virTypedParameterPtr params, int n, const char *name) {
  for (int i = 0; i < n; i++) {
    if (strcmp(params[i].field, name) != 0) {
      continue;
    }
    switch (params[i].type) {
    case VIR_TYPED_PARAM_INT: return params[i].value.i >= 0 ? params[i].value.i : -1;
    case VIR_TYPED_PARAM_UINT: return params[i].value.ui;
    case VIR_TYPED_PARAM_LLONG: return params[i].value.l >= 0 ? params[i].value.l : -1;
    case VIR_TYPED_PARAM_ULLONG: return bounded(params[i].value.ul);
    default: return -1; /* a string, a double, a boolean, or a type of a newer libvirt */
    }
  }
  return -1;
}

#define MAX_VCPUS 1024

/* Per-vCPU thread times: a rise proves that the guest executes. Reads /proc there, no monitor. */
void say_vcpus(virDomainPtr dom, const char *instance) {
  virVcpuInfoPtr info = calloc(MAX_VCPUS, sizeof *info);
  out_begin("vcpus", instance, 0);
  int n = info != NULL ? virDomainGetVcpus(dom, info, MAX_VCPUS, NULL, 0) : -1;
  if (n < 0) {
    out_libvirt_error("vcpus", instance);
  } else {
    unsigned long long sum = 0;
    for (int i = 0; i < n; i++) {
      sum += info[i].cpuTime / 1000000; /* ns to ms; 2^64 ms are not reached by MAX_VCPUS */
    }
    out_line("vcpus", json_pack("{s:i, s:I}", "count", n, "time_ms", (json_int_t)bounded(sum)));
  }
  free(info);
}
