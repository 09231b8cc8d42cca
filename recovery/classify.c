/*
 * What one host holds, from one look at it (rulings: class of one host, first that fits).
 *
 * The running reasons (booted, migrated, unpaused, cancelled) are history and are not
 * tested beyond being known numbers: a reason this version does not know, or none, is
 * UNKNOWN, since it could be a new way of saying "not whole".
 */
#include "recovery/decide.h"
#include "recovery/spec.h"

/* virDomainState and its reasons (libvirt-domain.h); only those that are told apart. */
enum { STATE_RUNNING = 1, STATE_PAUSED = 3, STATE_SHUTDOWN = 4, STATE_SHUTOFF = 5 };
enum { STATE_CRASHED = 6, STATE_PMSUSPENDED = 7 };
enum { RUNNING_LAST_PLAIN = 9, RUNNING_POSTCOPY = 10, RUNNING_POSTCOPY_FAILED = 11 };
enum { PAUSED_USER = 1, PAUSED_MIGRATION = 2, PAUSED_SHUTTING_DOWN = 8, PAUSED_CRASHED = 10 };
enum { PAUSED_POSTCOPY = 12, PAUSED_POSTCOPY_FAILED = 13, PAUSED_API_ERROR = 14 };

/*@ requires \valid_read(k);
    assigns \nothing;
    ensures \result == 1 <==> look_state(k, 3, 13) || look_state(k, 1, 11);
    ensures k->state == 5 || (k->state == 1 && k->reason <= 9) ==> \result == 0;
    ensures \result == 0 || \result == 1; */
static int postcopy_failed(const struct rcv_look *k) {
  return (k->state == STATE_RUNNING && k->reason == RUNNING_POSTCOPY_FAILED) ||
         (k->state == STATE_PAUSED && k->reason == PAUSED_POSTCOPY_FAILED);
}

/*@ requires \valid_read(k);
    assigns \nothing;
    ensures \result == 1 <==> look_state(k, 3, 12) || look_state(k, 1, 10);
    ensures k->state == 5 || (k->state == 1 && k->reason <= 9) ==> \result == 0;
    ensures \result == 0 || \result == 1; */
static int postcopy(const struct rcv_look *k) {
  return (k->state == STATE_RUNNING && k->reason == RUNNING_POSTCOPY) ||
         (k->state == STATE_PAUSED && k->reason == PAUSED_POSTCOPY);
}

/*@ requires \valid_read(k);
    assigns \nothing;
    ensures \result == 1 <==> k->job == RCV_JOB_HUNG || k->control == RCV_CONTROL_JOB ||
      k->control == RCV_CONTROL_OCCUPIED || k->control == RCV_CONTROL_ERROR;
    ensures \result == 0 || \result == 1; */
static int stuck(const struct rcv_look *k) {
  return k->job == RCV_JOB_HUNG || k->control == RCV_CONTROL_JOB ||
         k->control == RCV_CONTROL_OCCUPIED || k->control == RCV_CONTROL_ERROR;
}

/*@ assigns \nothing;
    ensures \result == RCV_CLASS_PMIG || \result == RCV_CLASS_PUSER ||
      \result == RCV_CLASS_DYING || \result == RCV_CLASS_PERR || \result == RCV_CLASS_UNKNOWN; */
static enum rcv_class paused_class(int64_t reason) {
  if (reason == PAUSED_SHUTTING_DOWN) {
    return RCV_CLASS_DYING;
  }
  if (reason == PAUSED_MIGRATION) {
    return RCV_CLASS_PMIG;
  }
  if (reason == PAUSED_USER) {
    return RCV_CLASS_PUSER;
  }
  if ((reason >= 0 && reason <= PAUSED_CRASHED) || reason == PAUSED_API_ERROR) {
    return RCV_CLASS_PERR;
  }
  return RCV_CLASS_UNKNOWN;
}

/* A domain with a QEMU process and certainly without a job. */
/*@ requires \valid_read(k);
    assigns \nothing;
    ensures \result == RCV_CLASS_RUN <==>
      (k->state == 1 && 0 <= k->reason <= 9 && k->control == RCV_CONTROL_OK &&
       k->domain_id > 0);
    ensures \result != RCV_CLASS_ABSENT && \result != RCV_CLASS_OFF_DEFINITE;
    ensures 0 <= \result < RCV_CLASS_COUNT; */
static enum rcv_class active_class(const struct rcv_look *k) {
  if (k->state == STATE_SHUTDOWN) {
    return RCV_CLASS_DYING;
  }
  if (k->state == STATE_CRASHED) {
    return RCV_CLASS_CRASHED;
  }
  if (k->state == STATE_PAUSED) {
    return paused_class(k->reason);
  }
  if (k->state == STATE_PMSUSPENDED) {
    return RCV_CLASS_SUSP;
  }
  if (k->state != STATE_RUNNING || k->reason < 0 || k->reason > RUNNING_LAST_PLAIN ||
      k->control != RCV_CONTROL_OK || k->domain_id <= 0) { /* libvirt.md 6.2: the id is > 0 */
    return RCV_CLASS_UNKNOWN;
  }
  return RCV_CLASS_RUN;
}

/* 5/0 is the default of a definition whose status file was lost: never taken as absent. */
/*@ requires \valid_read(k);
    assigns \nothing;
    ensures off_means_off: \result == RCV_CLASS_OFF_DEFINITE <==> off_reason(k->reason) &&
      k->managed_save == RCV_TRI_NO;
    ensures \result == RCV_CLASS_OFF_DEFINITE || \result == RCV_CLASS_OFF_UNKNOWN; */
static enum rcv_class off_class(const struct rcv_look *k) {
  int64_t r = k->reason; /* 1 shutdown 2 destroyed 3 crashed 4 migrated 6 failed 8 daemon */
  if (k->managed_save != RCV_TRI_NO) {
    return RCV_CLASS_OFF_UNKNOWN;
  }
  if (r == 1 || r == 2 || r == 3 || r == 4 || r == 6 || r == 8) {
    return RCV_CLASS_OFF_DEFINITE;
  }
  return RCV_CLASS_OFF_UNKNOWN;
}

/* A domain that is there, without post-copy, hang or migration. */
/*@ requires \valid_read(k);
    assigns \nothing;
    ensures run_means_quiet: \result == RCV_CLASS_RUN <==>
      k->job == RCV_JOB_NONE && k->active == RCV_TRI_YES &&
      k->state == 1 && 0 <= k->reason <= 9 && k->control == RCV_CONTROL_OK && k->domain_id > 0;
    ensures \result == RCV_CLASS_OFF_DEFINITE <==>
      (k->job == RCV_JOB_NONE || k->job == RCV_JOB_INACTIVE) && k->active == RCV_TRI_NO &&
      k->state == 5 && off_reason(k->reason) && k->managed_save == RCV_TRI_NO &&
      (k->control == RCV_CONTROL_OK || k->control == RCV_CONTROL_UNKNOWN);
    ensures \result != RCV_CLASS_ABSENT;
    ensures 0 <= \result < RCV_CLASS_COUNT; */
static enum rcv_class quiet_class(const struct rcv_look *k) {
  if (k->job != RCV_JOB_NONE && k->job != RCV_JOB_INACTIVE) {
    return RCV_CLASS_UNKNOWN;
  }
  if (k->control != RCV_CONTROL_OK && k->control != RCV_CONTROL_UNKNOWN) {
    return RCV_CLASS_UNKNOWN;
  }
  if (k->active == RCV_TRI_NO && k->state == STATE_SHUTOFF) {
    return off_class(k);
  }
  if (k->active != RCV_TRI_YES || k->job != RCV_JOB_NONE) {
    return RCV_CLASS_UNKNOWN;
  }
  return active_class(k);
}

/* rcv_classify: contract in spec.h. */
enum rcv_class rcv_classify(const struct rcv_look *look) {
  if (look->reach != RCV_REACH_OK) {
    return RCV_CLASS_UNKNOWN;
  }
  if (look->presence == RCV_PRESENCE_ABSENT) {
    return RCV_CLASS_ABSENT;
  }
  if (look->presence != RCV_PRESENCE_PRESENT) {
    return RCV_CLASS_UNKNOWN;
  }
  if (postcopy_failed(look)) {
    return RCV_CLASS_PCF;
  }
  if (postcopy(look)) {
    return RCV_CLASS_PC;
  }
  if (stuck(look)) {
    return RCV_CLASS_STUCK;
  }
  if (look->job == RCV_JOB_IN) {
    return RCV_CLASS_IN;
  }
  if (look->job == RCV_JOB_OUT) {
    return RCV_CLASS_OUT;
  }
  return quiet_class(look);
}
