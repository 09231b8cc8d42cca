/*
 * op look: the one operation decisions are made from. The calls that cannot block on the guest
 * come first (they need neither libvirt's job lock nor QEMU's monitor), then those that may, each
 * announced by its "begin" line, so that a hang takes nothing away that was known before.
 */
#include <jansson.h>
#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/probe/host.h"
#include "agent/probe/out.h"
#include "agent/probe/watch.h"
#include "agent/probe/xml.h"

#define MAX_PASSES 3         /* a guest that changes under the eyes is looked at again */
#define CONTROL_WAIT_MS 2000 /* telemetry is in the monitor for milliseconds */
#define CONTROL_STEP_MS 20

struct state {
  int state, reason, active;
};

/* How one pass over the domain ended. */
enum pass {
  PASS_DONE,   /* nothing more to say about this instance */
  PASS_CHANGED /* it vanished or changed state meanwhile: what was said is void */
};

static int read_state(virDomainPtr dom, struct state *s) {
  s->active = virDomainIsActive(dom);
  if (s->active < 0 || virDomainGetState(dom, &s->state, &s->reason, 0) != 0) {
    return -1;
  }
  return 0;
}

static void say_state(const char *key, const struct state *s) {
  out_line(key, json_pack("{s:i, s:i, s:b}", "state", s->state, "reason", s->reason, "active",
                          s->active));
}

/*
 * A short job of somebody else is normal. Read again until it is over, or until it is clear that
 * one and the same call stays there: then its time only grows. Returns whether the guest is stuck
 * in this way: whatever needs its job lock would only queue up behind that call.
 */
static bool say_control(virDomainPtr dom, const char *instance) {
  virDomainControlInfo info;
  int64_t wait = half_left_ms() < CONTROL_WAIT_MS ? half_left_ms() : CONTROL_WAIT_MS;
  int64_t end = uw_mono_ms() + wait;
  int64_t first = -1;
  int reads = 0;
  bool grew = true;
  bool busy = false;
  out_begin("control", instance, 0);
  for (int64_t before = -1;; before = (int64_t)info.stateTime) {
    memset(&info, 0, sizeof info);
    if (virDomainGetControlInfo(dom, &info, 0) != 0) {
      out_libvirt_error("control", instance);
      return false;
    }
    reads++;
    first = first < 0 ? (int64_t)info.stateTime : first;
    grew = grew && (int64_t)info.stateTime >= before;
    busy = info.state == VIR_DOMAIN_CONTROL_JOB || info.state == VIR_DOMAIN_CONTROL_OCCUPIED;
    if (!busy || uw_mono_ms() >= end || uw_sleep_ms(CONTROL_STEP_MS) != 0) {
      break;
    }
  }
  grew = grew && reads > 1 && (int64_t)info.stateTime > first;
  out_line("control", json_pack("{s:i, s:i, s:I, s:i, s:b}", "state", (int)info.state, "details",
                                (int)info.details, "ms", (json_int_t)info.stateTime, "reads", reads,
                                "grew", grew));
  return (busy && grew) || info.state == VIR_DOMAIN_CONTROL_ERROR;
}

static void say_persistent(virDomainPtr dom, const char *instance) {
  out_begin("persistent", instance, 0);
  int persistent = virDomainIsPersistent(dom);
  if (persistent < 0) {
    out_libvirt_error("persistent", instance);
  } else {
    out_line("persistent", json_boolean(persistent));
  }
}

/*
 * 84 is libvirt's way of saying "incoming migration here", 55 "not running", 68 "another call has
 * held the job lock for 30 s": answers, not failures.
 * Returns whether there is no job, so that the XML (which takes the job lock) may be asked for.
 */
static bool say_job(virDomainPtr dom, const char *instance) {
  int type = VIR_DOMAIN_JOB_NONE;
  virTypedParameterPtr params = NULL;
  int n = 0;
  out_begin("job_stats", instance, half_left_ms());
  if (virDomainGetJobStats(dom, &type, &params, &n, 0) != 0) {
    int code = last_code();
    if (code == VIR_ERR_OPERATION_UNSUPPORTED || code == VIR_ERR_OPERATION_INVALID ||
        code == VIR_ERR_OPERATION_TIMEOUT) {
      out_line("job",
               json_pack("{s:i, s:o}", "code", code, "text", out_text(virGetLastErrorMessage())));
    } else {
      out_libvirt_error("job_stats", instance);
    }
    return code == VIR_ERR_OPERATION_INVALID;
  }
  out_line("job",
           json_pack("{s:i, s:I, s:I, s:I, s:I}", "type", type, "operation",
                     (json_int_t)param_value(params, n, VIR_DOMAIN_JOB_OPERATION), "data_processed",
                     (json_int_t)param_value(params, n, VIR_DOMAIN_JOB_DATA_PROCESSED),
                     "data_remaining",
                     (json_int_t)param_value(params, n, VIR_DOMAIN_JOB_DATA_REMAINING), "iteration",
                     (json_int_t)param_value(params, n, VIR_DOMAIN_JOB_MEMORY_ITERATION)));
  virTypedParamsFree(params, n);
  return type == VIR_DOMAIN_JOB_NONE;
}

/* KEEP_COMPLETED, or the read itself would erase the evidence. */
static void say_completed(virDomainPtr dom, const char *instance) {
  int type = VIR_DOMAIN_JOB_NONE;
  virTypedParameterPtr params = NULL;
  int n = 0;
  int64_t operation = -1;
  out_begin("completed", instance, half_left_ms());
  if (virDomainGetJobStats(dom, &type, &params, &n,
                           VIR_DOMAIN_JOB_STATS_COMPLETED | VIR_DOMAIN_JOB_STATS_KEEP_COMPLETED) ==
      0) {
    if (type != VIR_DOMAIN_JOB_NONE) {
      operation = param_value(params, n, VIR_DOMAIN_JOB_OPERATION);
    }
    virTypedParamsFree(params, n);
  }
  out_line("completed", json_pack("{s:I}", "operation", (json_int_t)operation));
}

static void say_managed_save(virDomainPtr dom, const char *instance) {
  out_begin("managed_save", instance, half_left_ms());
  int there = virDomainHasManagedSaveImage(dom, 0);
  if (there < 0) {
    out_libvirt_error("managed_save", instance);
  } else {
    out_line("managed_save", json_boolean(there));
  }
}

enum { X_NAME, X_UUID, X_NOVA, X_PROJECT, X_MIRROR, X_COUNT };

static const struct xml_want domain_want[X_COUNT] = {
    [X_NAME] = {XML_TEXT, "domain/name", NULL},
    [X_UUID] = {XML_TEXT, "domain/uuid", NULL},
    [X_NOVA] = {XML_COUNT, "domain/metadata/nova:instance", NULL},
    [X_PROJECT] = {XML_ATTRIBUTE, "domain/metadata/nova:instance/nova:owner/nova:project", "uuid"},
    [X_MIRROR] = {XML_COUNT, "domain/devices/disk/mirror", NULL},
};

static void say_xml_facts(const char *xml, const char *instance) {
  struct xml_found found[X_COUNT];
  const char *why = NULL;
  if (xml_read(xml, strlen(xml), domain_want, found, X_COUNT, &why) != 0) {
    out_error("xml", instance, why);
    return;
  }
  if (found[X_NAME].count != 1 || found[X_UUID].count != 1 ||
      strcasecmp(found[X_UUID].text, instance) != 0) {
    out_error("xml", instance, "it is not the description of this domain");
    return;
  }
  out_line("xml",
           json_pack("{s:o, s:i, s:o, s:b, s:i}", "name", out_text(found[X_NAME].text), "nova",
                     (int)found[X_NOVA].count, "project",
                     found[X_PROJECT].count > 0 ? out_text(found[X_PROJECT].text) : json_null(),
                     "differ", found[X_PROJECT].differ, "mirrors", (int)found[X_MIRROR].count));
}

static void say_xml(virDomainPtr dom, const char *instance) {
  out_begin("xml", instance, half_left_ms());
  char *xml = virDomainGetXMLDesc(dom, 0);
  if (xml == NULL) {
    out_libvirt_error("xml", instance);
    return;
  }
  say_xml_facts(xml, instance);
  free(xml);
}

/*
 * State and job are two calls; a migration may end between them. The pair counts only if the state
 * is still the same afterwards.
 */
static bool still(virDomainPtr dom, const char *instance, const struct state *before) {
  struct state now;
  out_begin("recheck", instance, 0);
  if (read_state(dom, &now) != 0) {
    out_libvirt_error("recheck", instance);
    return last_code() != VIR_ERR_NO_DOMAIN;
  }
  say_state("recheck", &now);
  return now.state == before->state && now.reason == before->reason && now.active == before->active;
}

static enum pass look_at(virDomainPtr dom, const char *instance, bool gentle) {
  struct state s;
  out_begin("state", instance, 0);
  if (read_state(dom, &s) != 0) {
    out_libvirt_error("state", instance);
    return last_code() == VIR_ERR_NO_DOMAIN ? PASS_CHANGED : PASS_DONE;
  }
  say_state("state", &s);
  bool stuck = s.active && say_control(dom, instance);
  say_persistent(dom, instance);
  if (s.active) {
    say_vcpus(dom, instance);
  }
  bool no_job = false;
  if (!gentle && !stuck) {
    no_job = say_job(dom, instance);
    say_completed(dom, instance);
  }
  if (!still(dom, instance, &s)) {
    return PASS_CHANGED;
  }
  if (no_job) {
    say_managed_save(dom, instance);
    say_xml(dom, instance);
  }
  return PASS_DONE;
}

/*
 * The monitor-touching read. virDomainGetIOThreadInfo is the gentlest that a read-only connection
 * may make and that always goes there: one query-iothreads, answered by QEMU's main loop from a
 * list that is nearly always empty. virDomainMemoryStats stays silent without a balloon device,
 * the block calls wait for disks (GetBlockInfo also opens images on the host),
 * MigrateGetMaxDowntime needs migration rights, and bulk statistics make many calls. If the monitor
 * is mute, libvirt keeps this guest's job lock until it speaks again; hence only where control is
 * idle, and only as the last question.
 */
static void ask_monitor(virDomainPtr dom, const char *instance) {
  virDomainIOThreadInfoPtr *info = NULL;
  virDomainControlInfo control;
  struct state s;
  out_begin("state", instance, 0);
  memset(&control, 0, sizeof control);
  if (read_state(dom, &s) != 0) {
    out_libvirt_error("state", instance);
    return;
  }
  say_state("state", &s);
  if (!s.active || virDomainGetControlInfo(dom, &control, 0) != 0 ||
      control.state != VIR_DOMAIN_CONTROL_OK) {
    out_error("monitor", instance, "not asked: the guest is off, or its monitor is in use");
    return;
  }
  int64_t start = uw_mono_ms();
  out_begin("monitor", instance, 0);
  int n = virDomainGetIOThreadInfo(dom, &info, VIR_DOMAIN_AFFECT_LIVE);
  if (n >= 0) {
    for (int i = 0; i < n; i++) {
      virDomainIOThreadInfoFree(info[i]);
    }
    free(info);
    out_line("monitor",
             json_pack("{s:b, s:I}", "answered", 1, "ms", (json_int_t)(uw_mono_ms() - start)));
  } else if (last_code() == VIR_ERR_OPERATION_TIMEOUT) {
    out_line("monitor",
             json_pack("{s:b, s:o}", "answered", 0, "text", out_text(virGetLastErrorMessage())));
  } else {
    out_libvirt_error("monitor", instance);
  }
}

static void look_once_settled(struct host *h, const char *instance, bool gentle) {
  for (int pass = 1;; pass++) {
    virDomainPtr dom = NULL;
    if (host_lookup(h, instance, &dom) != LOOKUP_FOUND) {
      return;
    }
    enum pass result = look_at(dom, instance, gentle);
    (void)virDomainFree(dom);
    if (result == PASS_DONE) {
      return;
    }
    if (pass == MAX_PASSES) {
      out_line("unstable", json_string(instance));
      return;
    }
    out_line("again", json_string(instance));
  }
}

void op_look(struct host *h, const struct request *r) {
  for (size_t i = 0; i < r->instances; i++) {
    const char *instance = r->instance[i];
    if (r->monitor) {
      virDomainPtr dom = NULL;
      if (host_lookup(h, instance, &dom) == LOOKUP_FOUND) {
        ask_monitor(dom, instance);
        (void)virDomainFree(dom);
      }
    } else {
      look_once_settled(h, instance, r->gentle);
    }
    out_line("done", json_string(instance));
  }
}
