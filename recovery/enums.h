/*
 * Every enumeration of the decision, and its names.
 *
 * One list per enumeration gives the constants, the names used in JSON and text, and
 * the bound that rcv_evidence_valid() checks. Zero is always the unknown or safe value,
 * so that zeroed memory never leads to an act. Lists may grow at the end only.
 */
#ifndef RCV_ENUMS_H
#define RCV_ENUMS_H

/* The lists are set as tables. */
/* clang-format off */

/* A fact that may be unknown. */
#define RCV_TRI_LIST(X) X(TRI, UNKNOWN, "unknown") X(TRI, NO, "no") X(TRI, YES, "yes")

/* How far one look at one host came. Only OK may be read further. */
#define RCV_REACH_LIST(X)                                                                       \
  X(REACH, NONE, "not_looked")             /* nobody looked yet */                              \
  X(REACH, OK, "ok")                       /* connected, identity verified, probe ended */      \
  X(REACH, UNMAPPED, "unmapped")           /* no URI or no expected identity for this host */   \
  X(REACH, UNREACHABLE, "unreachable")     /* refused, no route, unresolvable, connection lost */ \
  X(REACH, TIMEOUT, "timeout")             /* no answer before the deadline; helper killed */   \
  X(REACH, AUTH_FAILED, "auth_failed")     /* TLS, SASL, ssh or libvirt access refused */       \
  X(REACH, IDENTITY_MISMATCH, "identity_mismatch") /* another host answered */                  \
  X(REACH, BAD_REPLY, "bad_reply")         /* the probe died or printed nonsense */

/* Does libvirt there know the domain? ABSENT is error 42 on a healthy connection only. */
#define RCV_PRESENCE_LIST(X)                                                                    \
  X(PRESENCE, UNKNOWN, "unknown") X(PRESENCE, ABSENT, "absent") X(PRESENCE, PRESENT, "present")

/* The job on that side, from virDomainGetJobStats(flags 0). */
#define RCV_JOB_LIST(X)                                                                         \
  X(JOB, UNKNOWN, "unknown")   /* not asked, error, or no answer */                             \
  X(JOB, NONE, "none")         /* type 0 */                                                     \
  X(JOB, OUT, "out")           /* active, operation 5 (MIGRATION_OUT) or not told */            \
  X(JOB, IN, "in")             /* error 84, or operation 4 (MIGRATION_IN) */                    \
  X(JOB, OTHER, "other")       /* active, another operation (snapshot, backup, dump ...) */     \
  X(JOB, INACTIVE, "inactive") /* error 55: the domain is not running */                        \
  X(JOB, HUNG, "hung")         /* the call did not return in its deadline, or error 68 */

/* virDomainGetControlInfo. */
#define RCV_CONTROL_LIST(X)                                                                     \
  X(CONTROL, UNKNOWN, "unknown") X(CONTROL, OK, "ok") X(CONTROL, JOB, "job")                    \
  X(CONTROL, OCCUPIED, "occupied") X(CONTROL, ERROR, "error")

/* Is the domain the instance? From the name and the metadata in its XML. */
#define RCV_OWNER_LIST(X)                                                                       \
  X(OWNER, UNKNOWN, "unknown")          /* XML not read */                                      \
  X(OWNER, EQUAL, "equal")              /* the server's project */                              \
  X(OWNER, DIFFERENT, "different")      /* another project */                                   \
  X(OWNER, NO_METADATA, "no_metadata")  /* no Nova metadata at all */

/* The one monitor-touching read of the record host (policy observe.monitor_check). */
#define RCV_MONITOR_LIST(X)                                                                     \
  X(MONITOR, UNKNOWN, "unknown") X(MONITOR, ANSWERED, "answered") X(MONITOR, MUTE, "mute")

/* What one host holds; order of matching in classify.c (rulings: class of one host). */
#define RCV_CLASS_LIST(X)                                                                       \
  X(CLASS, UNKNOWN, "UNKNOWN") X(CLASS, ABSENT, "ABSENT") X(CLASS, OFF_DEFINITE, "OFF_DEFINITE") \
  X(CLASS, OFF_UNKNOWN, "OFF_UNKNOWN") X(CLASS, RUN, "RUN") X(CLASS, OUT, "OUT")                \
  X(CLASS, IN, "IN") X(CLASS, PMIG, "PMIG") X(CLASS, PC, "PC") X(CLASS, PCF, "PCF")             \
  X(CLASS, PUSER, "PUSER") X(CLASS, PERR, "PERR") X(CLASS, SUSP, "SUSP")                        \
  X(CLASS, CRASHED, "CRASHED") X(CLASS, DYING, "DYING") X(CLASS, STUCK, "STUCK")

/* What came of reading Nova. */
#define RCV_API_LIST(X)                                                                         \
  X(API, NONE, "not_read") X(API, OK, "ok")                                                     \
  X(API, UNAVAILABLE, "unavailable") /* timeout, 5xx, bad reply, after retries */               \
  X(API, HIDDEN, "hidden")           /* host fields or hosts of records not visible */          \
  X(API, DOWN_CELL, "down_cell")     /* skeleton server: its cell does not answer */

#define RCV_VM_LIST(X)                                                                          \
  X(VM, UNKNOWN, "unknown") X(VM, ACTIVE, "active") X(VM, PAUSED, "paused")                     \
  X(VM, ERROR, "error") X(VM, STOPPED, "stopped") X(VM, SUSPENDED, "suspended")                 \
  X(VM, RESCUED, "rescued") X(VM, RESIZED, "resized") X(VM, BUILDING, "building")               \
  X(VM, DELETED, "deleted") X(VM, SOFT_DELETED, "soft-delete") X(VM, SHELVED, "shelved")        \
  X(VM, SHELVED_OFFLOADED, "shelved_offloaded") X(VM, OTHER, "other")

#define RCV_TASK_LIST(X)                                                                        \
  X(TASK, UNKNOWN, "unknown") X(TASK, NONE, "none") X(TASK, MIGRATING, "migrating")             \
  X(TASK, RESIZE, "resize") /* resize_* */ X(TASK, DELETING, "deleting")                        \
  X(TASK, REBUILDING, "rebuilding") /* rebuilding*, evacuate */ X(TASK, OTHER, "other")

#define RCV_HV_LIST(X)                                                                          \
  X(HV, UNKNOWN, "unknown") X(HV, QEMU, "qemu") X(HV, OTHER, "other")

/* Nova's migration.status (nova/objects/migration.py and nova.md section 1). */
#define RCV_MIG_LIST(X)                                                                         \
  X(MIG, UNKNOWN, "unknown") X(MIG, ACCEPTED, "accepted") X(MIG, QUEUED, "queued")              \
  X(MIG, PREPARING, "preparing") X(MIG, RUNNING, "running")                                     \
  X(MIG, POSTCOPY, "running (post-copy)") X(MIG, COMPLETED, "completed")                        \
  X(MIG, FAILED, "failed") X(MIG, CANCELLED, "cancelled") X(MIG, ERROR, "error")                \
  X(MIG, OTHER, "other")

#define RCV_MTYPE_LIST(X)                                                                       \
  X(MTYPE, UNKNOWN, "unknown") X(MTYPE, LIVE, "live-migration") X(MTYPE, COLD, "migration")     \
  X(MTYPE, RESIZE, "resize") X(MTYPE, EVACUATION, "evacuation") X(MTYPE, OTHER, "other")

/* Evacuation records of the instance, the worst one (rulings: Nova's side). */
#define RCV_EVAC_LIST(X)                                                                        \
  X(EVAC, UNKNOWN, "unknown") X(EVAC, NONE, "none") X(EVAC, OLDER, "older")                     \
  X(EVAC, PENDING, "pending")        /* accepted or pre-migrating */                            \
  X(EVAC, DONE_NEWER, "done_newer")  /* done, newer than the migration */

/* The newest instance action that is newer than the newest live-migration action. */
#define RCV_ACT_LIST(X)                                                                         \
  X(ACT, UNKNOWN, "unknown") X(ACT, NONE, "none")                                               \
  X(ACT, HARMLESS, "harmless") /* lock, unlock, live_migration_cancel, ..._force_complete */    \
  X(ACT, OTHER, "other")

/* nova-compute of one host, from /os-services. */
#define RCV_SVC_LIST(X)                                                                         \
  X(SVC, UNKNOWN, "unknown") X(SVC, UP, "up") X(SVC, DOWN, "down")                              \
  X(SVC, FORCED_DOWN, "forced_down") /* says nothing about the process */                       \
  X(SVC, MISSING, "missing")         /* Nova lists no such service */

#define RCV_VERDICT_LIST(X)                                                                     \
  X(VERDICT, NONE, "NONE") X(VERDICT, RESET, "RESET") X(VERDICT, WAIT, "WAIT")                  \
  X(VERDICT, REFUSE, "REFUSE") X(VERDICT, UNKNOWN, "UNKNOWN") X(VERDICT, NOTHING, "NOTHING")

/* Facts' part in the stale-plan comparison. */
#define RCV_ROLE_LIST(X)                                                                        \
  X(ROLE, INFORMATIVE, "informative") /* never compared */                                      \
  X(ROLE, VOLATILE, "volatile")       /* expected to move; feeds the heartbeat or an age */     \
  X(ROLE, DECISIVE, "decisive")       /* a change makes a plan stale */

/* clang-format on */

#define RCV_ENUM_CONST(E, N, S) RCV_##E##_##N,
#define RCV_ENUM_DEFINE(tag, LIST, E) enum tag { LIST(RCV_ENUM_CONST) RCV_##E##_COUNT };

RCV_ENUM_DEFINE(rcv_tri, RCV_TRI_LIST, TRI)
RCV_ENUM_DEFINE(rcv_reach, RCV_REACH_LIST, REACH)
RCV_ENUM_DEFINE(rcv_presence, RCV_PRESENCE_LIST, PRESENCE)
RCV_ENUM_DEFINE(rcv_job, RCV_JOB_LIST, JOB)
RCV_ENUM_DEFINE(rcv_control, RCV_CONTROL_LIST, CONTROL)
RCV_ENUM_DEFINE(rcv_owner, RCV_OWNER_LIST, OWNER)
RCV_ENUM_DEFINE(rcv_monitor, RCV_MONITOR_LIST, MONITOR)
RCV_ENUM_DEFINE(rcv_class, RCV_CLASS_LIST, CLASS)
RCV_ENUM_DEFINE(rcv_api, RCV_API_LIST, API)
RCV_ENUM_DEFINE(rcv_vm, RCV_VM_LIST, VM)
RCV_ENUM_DEFINE(rcv_task, RCV_TASK_LIST, TASK)
RCV_ENUM_DEFINE(rcv_hv, RCV_HV_LIST, HV)
RCV_ENUM_DEFINE(rcv_mig, RCV_MIG_LIST, MIG)
RCV_ENUM_DEFINE(rcv_mtype, RCV_MTYPE_LIST, MTYPE)
RCV_ENUM_DEFINE(rcv_evac, RCV_EVAC_LIST, EVAC)
RCV_ENUM_DEFINE(rcv_act, RCV_ACT_LIST, ACT)
RCV_ENUM_DEFINE(rcv_svc, RCV_SVC_LIST, SVC)
RCV_ENUM_DEFINE(rcv_verdict_kind, RCV_VERDICT_LIST, VERDICT)
RCV_ENUM_DEFINE(rcv_role, RCV_ROLE_LIST, ROLE)

/*
 * The name table of one enumeration, so that one generic codec serves all.
 * names[i] is the JSON and text name of value i; all are non-NULL, static and ASCII.
 */
struct rcv_enum {
  const char *tag;          /* "rcv_reach" */
  const char *const *names; /* count entries */
  int count;
};

extern const struct rcv_enum rcv_tri_enum, rcv_reach_enum, rcv_presence_enum, rcv_job_enum,
    rcv_control_enum, rcv_owner_enum, rcv_monitor_enum, rcv_class_enum, rcv_api_enum, rcv_vm_enum,
    rcv_task_enum, rcv_hv_enum, rcv_mig_enum, rcv_mtype_enum, rcv_evac_enum, rcv_act_enum,
    rcv_svc_enum, rcv_verdict_kind_enum, rcv_role_enum;

/* Name of a value; "?" when the value is outside the enumeration. Static, never NULL. */
const char *rcv_enum_name(const struct rcv_enum *e, int value);

/* Value of a name, exactly as written; -1 when there is none. name may not be NULL. */
int rcv_enum_value(const struct rcv_enum *e, const char *name);

#endif
