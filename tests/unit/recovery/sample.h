/* The instance all these tests start from: wedged, on cmp-a, and safe to reset. */
#ifndef UNIT_RECOVERY_SAMPLE_H
#define UNIT_RECOVERY_SAMPLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "recovery/decide.h"

#define SAMPLE_NOW ((int64_t)1700000000)
#define SAMPLE_COUNT(a) (sizeof(a) / sizeof((a)[0]))

static inline struct rcv_look sample_absent(int64_t start, int64_t end) {
  struct rcv_look l;
  rcv_look_init(&l);
  l.reach = RCV_REACH_OK;
  l.presence = RCV_PRESENCE_ABSENT;
  l.start_ms = start;
  l.end_ms = end;
  return l;
}

static inline struct rcv_look sample_run(int64_t start, int64_t end) {
  struct rcv_look l = sample_absent(start, end);
  l.presence = RCV_PRESENCE_PRESENT;
  l.active = RCV_TRI_YES;
  l.state = 1;
  l.reason = 1;
  l.job = RCV_JOB_NONE;
  l.control = RCV_CONTROL_OK;
  l.control_ms = 0;
  l.persistent = RCV_TRI_YES;
  l.domain_id = 3;
  l.vcpus = 2;
  l.vcpu_time_ms = 1000;
  l.name_equal = RCV_TRI_YES;
  l.owner = RCV_OWNER_EQUAL;
  l.mirror = RCV_TRI_NO;
  l.managed_save = RCV_TRI_NO;
  l.monitor = RCV_MONITOR_ANSWERED;
  return l;
}

static inline struct rcv_look sample_off(int64_t reason) {
  struct rcv_look l = sample_run(0, 1);
  l.active = RCV_TRI_NO;
  l.state = 5;
  l.reason = reason;
  l.job = RCV_JOB_INACTIVE;
  l.control = RCV_CONTROL_UNKNOWN;
  l.monitor = RCV_MONITOR_UNKNOWN;
  l.domain_id = l.vcpus = l.vcpu_time_ms = -1;
  return l;
}

static inline struct rcv_nova sample_nova(int64_t start, int64_t end) {
  struct rcv_nova v;
  rcv_nova_init(&v);
  v.api = RCV_API_OK;
  v.vm_state = RCV_VM_ACTIVE;
  v.task_state = RCV_TASK_MIGRATING;
  v.record_host = 0;
  v.hypervisor = RCV_HV_QEMU;
  v.server_updated_s = SAMPLE_NOW - 5000;
  v.locked = RCV_TRI_NO;
  v.progress = 40;
  v.action_start_s = SAMPLE_NOW - 5100;
  v.newer_action = RCV_ACT_NONE;
  v.mig_present = RCV_TRI_YES;
  v.mig_id = 7;
  v.mig_type = RCV_MTYPE_LIVE;
  v.mig_status = RCV_MIG_FAILED;
  v.mig_source = 0;
  v.mig_dest = 1;
  v.mig_created_s = SAMPLE_NOW - 5100;
  v.mig_updated_s = SAMPLE_NOW - 5000;
  v.memory_processed = v.memory_remaining = v.disk_processed = v.disk_remaining = 100;
  v.older_nonterminal = 0;
  v.evacuation = RCV_EVAC_NONE;
  v.queued_behind = RCV_TRI_NO;
  v.records = 1;
  v.conductor_up = RCV_TRI_YES;
  v.max_minor = 93;
  v.now_s = SAMPLE_NOW;
  v.start_ms = start;
  v.end_ms = end;
  return v;
}

static inline void sample_candidate(struct rcv_candidate *c, int64_t index) {
  c->of_newest_record = RCV_TRI_YES;
  c->also_probe = RCV_TRI_NO;
  c->service_first = c->service_last = RCV_SVC_UP;
  c->service_agreed = c->hypervisor_listed = RCV_TRI_YES;
  c->same_uuid_as = c->same_name_as = index;
  c->attested_gone = c->attested_fenced = RCV_TRI_NO;
  c->attested_stopped = c->attested_restarted = RCV_TRI_NO;
}

/* Two candidates: cmp-a runs the guest, cmp-b knows nothing of it; the observation is whole. */
static inline void sample_evidence(struct rcv_evidence *e) {
  rcv_evidence_init(e);
  e->candidates = 2;
  for (int64_t i = 0; i < 2; i++) {
    struct rcv_candidate *c = &e->candidate[i];
    sample_candidate(c, i);
    c->first = c->last = i == 0 ? sample_run(90000, 90010) : sample_absent(90000, 90010);
    c->looks = 3;
    c->agreed = RCV_TRI_YES;
    c->vcpu_advancing = i == 0 ? RCV_TRI_YES : RCV_TRI_UNKNOWN;
    c->seen_postcopy = c->progressing = RCV_TRI_NO;
  }
  e->nova_first = sample_nova(100, 200);
  e->nova_last = sample_nova(91100, 91200);
  e->rounds = 3;
  e->first_round_ms = 1000;
  e->last_round_ms = 91000;
  e->nova_reads = 3;
  e->nova_agreed = RCV_TRI_YES;
  e->heartbeat = RCV_TRI_NO;
  e->conductor_always_up = RCV_TRI_YES;
  e->attested_queue_empty = e->too_many = RCV_TRI_NO;
  e->sealed = RCV_TRI_YES;
}

static inline void sample_policy(struct rcv_policy *p) {
  memset(p, 0, sizeof *p);
  p->valid = 1;
  p->observe_rounds = 3;
  p->observe_window_ms = 90000;
  p->monitor_check = 1;
  p->require_metadata = 1;
  p->age_terminal_s = 120;
  p->age_terminal_error_up_s = 600;
  p->age_nonterminal_s = 3600;
  p->age_nonterminal_down_s = 120;
  p->age_missing_record_s = 3600;
  p->attest_accepted = RCV_ATTEST_COMPUTE_STOPPED | RCV_ATTEST_COMPUTE_RESTARTED |
                       RCV_ATTEST_QUEUE_EMPTY | RCV_ATTEST_HOST_GONE;
  p->attest_required = RCV_ATTEST_COMPUTE_STOPPED;
  p->allow_reset = 1;
}

static inline void sample_binding(struct rcv_binding *b) { memset(b, 0x42, sizeof *b); }

#endif
