/*
 * Exhaustive enumeration of the decision against the oracle.
 *
 *   exhaust [--seed N] [--random N] [--show N] [--first]
 *
 * What is crossed with what, and why that is enough:
 *
 *  looks     every value of every field the class of one host depends on, boundary values and
 *            nonsense included, in full cross product: rcv_classify() against the table.
 *  hosts     1..4 hosts, every combination of representative looks (several per class, see
 *            menu[]), every position of the record host, under each "setting" of everything else.
 *            One and two hosts: the whole menu, all settings. Three: the whole menu, the two hosts
 *            that are not on record as an unordered pair. Four: one or two looks per class, the
 *            three others unordered. Symmetry: no rule speaks of the order of the hosts that are
 *            not on record, but for source and destination, which "records" moves about; the
 *            position of the record host moves the others through every place.
 *            Nothing in the rules counts beyond two copies, so that a fifth host adds no case.
 *  records   everything the gates of Nova's side depend on, in full cross product, on pictures
 *            that are clean (the gates are asked of no other) and on one that is not.
 *  server    everything of the server that is evaluated whatever the hosts hold, in full cross
 *            product, on one picture per kind of verdict.
 *  watching  everything completeness depends on, in full cross product, on one picture per rule
 *            that asks for it.
 *  identity  everything that tells whose the domain is and whether two names are one host.
 *  sworn     attestations about a host that cannot be reached, in full cross product.
 *  bounds    policies and evidence that must not be decided upon; permits.
 *  random    deterministic mixtures of all fields at once, mostly good with a few bad ones, to
 *            catch an interaction between two groups that the above holds apart.
 *
 * Each state: verdict kind, leading code, owner and SAFE against the oracle, the permit, the
 * inner consistency of the verdict, and for a RESET once more the bare words of contract S1.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/exhaust/oracle.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))
#define NOW ((int64_t)1000000)
#define MAX_KINDS 400 /* kinds of disagreement that are told apart */

static struct rcv_evidence ev;
static struct rcv_policy pol;
static struct rcv_binding binding;
static struct rcv_verdict verdict;
static struct rcv_permit permit;

static const char *part = "";
static long states, resets, wrong, shown, show = 20;
static int first_is_enough;
static long led[1000];
static long seen[RCV_CLASS_COUNT];
static long kinds[RCV_VERDICT_COUNT];

/* ---- the good state everything starts from ---------------------------------------------- */

#define BLANK_ENUM(tag, field, role, doc) s->field = (enum tag)0;
#define BLANK_INT(unit, field, role, doc) s->field = -1;

static void blank_look(struct rcv_look *s) { RCV_LOOK_FACTS(BLANK_ENUM, BLANK_INT) }
static void blank_nova(struct rcv_nova *s) { RCV_NOVA_FACTS(BLANK_ENUM, BLANK_INT) }
static void blank_candidate(struct rcv_candidate *s) {
  RCV_CANDIDATE_FACTS(BLANK_ENUM, BLANK_INT)
  blank_look(&s->first);
  blank_look(&s->last);
}
static void blank_evidence(struct rcv_evidence *s) {
  RCV_OBSERVATION_FACTS(BLANK_ENUM, BLANK_INT)
  blank_nova(&s->nova_first);
  blank_nova(&s->nova_last);
  for (int i = 0; i < RCV_MAX_CANDIDATES; i++) {
    blank_candidate(&s->candidate[i]);
    s->candidate[i].looks = 0;
  }
  s->rounds = 0;
  s->nova_reads = 0;
  s->candidates = 0;
}

static void good_policy(void) {
  pol = (struct rcv_policy){.valid = 1,
                            .observe_rounds = 3,
                            .observe_window_ms = 90000,
                            .monitor_check = 1,
                            .require_metadata = 1,
                            .age_terminal_s = 120,
                            .age_terminal_error_up_s = 600,
                            .age_nonterminal_s = 3600,
                            .age_nonterminal_down_s = 130,
                            .age_missing_record_s = 3500,
                            .attest_accepted = 31,
                            .attest_required = RCV_ATTEST_COMPUTE_STOPPED,
                            .allow_reset = 1};
}

/* One look of the menu. Letters: what the XML says, in owner, name, mirror. */
struct dish {
  const char *name;
  enum rcv_reach reach;
  enum rcv_presence presence;
  enum rcv_tri active;
  int state, reason;
  enum rcv_job job;
  enum rcv_control control;
  enum rcv_tri saved;
  enum rcv_owner owner;
  enum rcv_tri named, mirror;
  enum rcv_monitor monitor;
  int core; /* one of the few that stand for their class among four hosts */
};

#define UP RCV_REACH_OK, RCV_PRESENCE_PRESENT, RCV_TRI_YES
#define OFF RCV_REACH_OK, RCV_PRESENCE_PRESENT, RCV_TRI_NO
#define OURS RCV_OWNER_EQUAL, RCV_TRI_YES, RCV_TRI_NO, RCV_MONITOR_ANSWERED
#define UNREAD RCV_OWNER_UNKNOWN, RCV_TRI_UNKNOWN, RCV_TRI_UNKNOWN, RCV_MONITOR_UNKNOWN
#define RUNNING(n, reason, core)                                                                   \
  { n, UP, 1, reason, RCV_JOB_NONE, RCV_CONTROL_OK, RCV_TRI_NO, OURS, core }
#define PAUSED(n, reason, core)                                                                    \
  { n, UP, 3, reason, RCV_JOB_NONE, RCV_CONTROL_OK, RCV_TRI_NO, OURS, core }
#define OTHER_STATE(n, state, reason, core)                                                        \
  { n, UP, state, reason, RCV_JOB_NONE, RCV_CONTROL_OK, RCV_TRI_NO, OURS, core }
#define WITH_JOB(n, state, reason, job, core)                                                      \
  { n, UP, state, reason, RCV_JOB_##job, RCV_CONTROL_OK, RCV_TRI_NO, UNREAD, core }
#define DEFINED(n, reason, saved, core)                                                            \
  { n, OFF, 5, reason, RCV_JOB_INACTIVE, RCV_CONTROL_UNKNOWN, RCV_TRI_##saved, OURS, core }
#define LOST(r, core)                                                                              \
  {                                                                                                \
#r, RCV_REACH_##r, RCV_PRESENCE_UNKNOWN, RCV_TRI_UNKNOWN, -1, -1, RCV_JOB_UNKNOWN,             \
        RCV_CONTROL_UNKNOWN, RCV_TRI_UNKNOWN, UNREAD, core                                         \
  }

static const struct dish menu[] = {
    {"absent", RCV_REACH_OK, RCV_PRESENCE_ABSENT, RCV_TRI_UNKNOWN, -1, -1, RCV_JOB_UNKNOWN,
     RCV_CONTROL_UNKNOWN, RCV_TRI_UNKNOWN, UNREAD, 1},
    RUNNING("1/1", 1, 1),
    RUNNING("1/2", 2, 0),
    RUNNING("1/5", 5, 1),
    RUNNING("1/6", 6, 0),
    RUNNING("1/0", 0, 0),
    RUNNING("1/9", 9, 0),
    RUNNING("1/12 a reason nobody knows", 12, 0),
    RUNNING("1/? reason not read", -1, 0),
    {"1/1 but not active", OFF, 1, 1, RCV_JOB_NONE, RCV_CONTROL_OK, RCV_TRI_NO, OURS, 0},
    {"1/1 control unknown", UP, 1, 1, RCV_JOB_NONE, RCV_CONTROL_UNKNOWN, RCV_TRI_NO, OURS, 0},
    {"1/1 control job", UP, 1, 1, RCV_JOB_NONE, RCV_CONTROL_JOB, RCV_TRI_NO, OURS, 0},
    {"1/1 control occupied", UP, 1, 1, RCV_JOB_NONE, RCV_CONTROL_OCCUPIED, RCV_TRI_NO, OURS, 1},
    {"1/1 control error", UP, 1, 1, RCV_JOB_NONE, RCV_CONTROL_ERROR, RCV_TRI_NO, OURS, 0},
    {"1/1 job out, control job", UP, 1, 1, RCV_JOB_OUT, RCV_CONTROL_JOB, RCV_TRI_NO, UNREAD, 0},
    WITH_JOB("1/1 job unknown", 1, 1, UNKNOWN, 0),
    WITH_JOB("1/1 job other", 1, 1, OTHER, 1),
    WITH_JOB("1/1 job inactive", 1, 1, INACTIVE, 0),
    WITH_JOB("1/1 job hung", 1, 1, HUNG, 1),
    WITH_JOB("3/1 job hung", 3, 1, HUNG, 0),
    WITH_JOB("1/1 out", 1, 1, OUT, 1),
    WITH_JOB("3/2 out", 3, 2, OUT, 1),
    WITH_JOB("5/0 out", 5, 0, OUT, 0),
    WITH_JOB("3/2 in", 3, 2, IN, 1),
    WITH_JOB("3/11 in", 3, 11, IN, 0),
    WITH_JOB("1/2 in", 1, 2, IN, 1),
    WITH_JOB("5/0 in", 5, 0, IN, 0),
    WITH_JOB("3/2 job unknown", 3, 2, UNKNOWN, 0),
    WITH_JOB("3/1 job other", 3, 1, OTHER, 0),
    WITH_JOB("6/0 job other", 6, 0, OTHER, 0),
    PAUSED("3/2", 2, 1),
    PAUSED("3/1", 1, 1),
    PAUSED("3/0", 0, 0),
    PAUSED("3/3", 3, 0),
    PAUSED("3/5", 5, 1),
    PAUSED("3/8", 8, 1),
    PAUSED("3/10", 10, 0),
    PAUSED("3/11", 11, 0),
    PAUSED("3/14", 14, 0),
    PAUSED("3/15 a reason nobody knows", 15, 0),
    PAUSED("3/? reason not read", -1, 0),
    {"3/2 control occupied", UP, 3, 2, RCV_JOB_NONE, RCV_CONTROL_OCCUPIED, RCV_TRI_NO, OURS, 0},
    OTHER_STATE("7/0", 7, 0, 1),
    OTHER_STATE("7/1", 7, 1, 0),
    OTHER_STATE("4/1", 4, 1, 0),
    OTHER_STATE("6/0", 6, 0, 1),
    OTHER_STATE("6/1", 6, 1, 0),
    OTHER_STATE("0/0", 0, 0, 0),
    OTHER_STATE("2/0", 2, 0, 0),
    OTHER_STATE("8/0", 8, 0, 0),
    OTHER_STATE("state not read", -1, -1, 0),
    DEFINED("5/0", 0, NO, 1),
    DEFINED("5/1", 1, NO, 0),
    DEFINED("5/2", 2, NO, 1),
    DEFINED("5/3", 3, NO, 0),
    DEFINED("5/4", 4, NO, 1),
    DEFINED("5/5", 5, NO, 0),
    DEFINED("5/6", 6, NO, 0),
    DEFINED("5/7", 7, NO, 0),
    DEFINED("5/8", 8, NO, 0),
    DEFINED("5/9 a reason nobody knows", 9, NO, 0),
    DEFINED("5/4 saved", 4, YES, 0),
    DEFINED("5/5 saved", 5, YES, 0),
    DEFINED("5/2 saving unknown", 2, UNKNOWN, 0),
    {"5/4 job unknown", OFF, 5, 4, RCV_JOB_UNKNOWN, RCV_CONTROL_UNKNOWN, RCV_TRI_NO, OURS, 0},
    {"5/4 but active", UP, 5, 4, RCV_JOB_NONE, RCV_CONTROL_OK, RCV_TRI_NO, OURS, 0},
    WITH_JOB("1/10 in", 1, 10, IN, 1),
    WITH_JOB("1/10", 1, 10, NONE, 0),
    WITH_JOB("3/12 out", 3, 12, OUT, 1),
    WITH_JOB("3/12", 3, 12, NONE, 0),
    WITH_JOB("3/13 out", 3, 13, OUT, 1),
    WITH_JOB("3/13", 3, 13, NONE, 0),
    WITH_JOB("1/11 in", 1, 11, IN, 0),
    {"1/1 of another project", UP, 1, 1, RCV_JOB_NONE, RCV_CONTROL_OK, RCV_TRI_NO,
     RCV_OWNER_DIFFERENT, RCV_TRI_YES, RCV_TRI_NO, RCV_MONITOR_ANSWERED, 1},
    {"1/1 of another name", UP, 1, 1, RCV_JOB_NONE, RCV_CONTROL_OK, RCV_TRI_NO, RCV_OWNER_EQUAL,
     RCV_TRI_NO, RCV_TRI_NO, RCV_MONITOR_ANSWERED, 0},
    {"5/4 of another project", OFF, 5, 4, RCV_JOB_INACTIVE, RCV_CONTROL_UNKNOWN, RCV_TRI_NO,
     RCV_OWNER_DIFFERENT, RCV_TRI_YES, RCV_TRI_NO, RCV_MONITOR_UNKNOWN, 0},
    {"3/1 of another project", UP, 3, 1, RCV_JOB_NONE, RCV_CONTROL_OK, RCV_TRI_NO,
     RCV_OWNER_DIFFERENT, RCV_TRI_YES, RCV_TRI_NO, RCV_MONITOR_UNKNOWN, 0},
    {"1/1 without metadata", UP, 1, 1, RCV_JOB_NONE, RCV_CONTROL_OK, RCV_TRI_NO,
     RCV_OWNER_NO_METADATA, RCV_TRI_YES, RCV_TRI_NO, RCV_MONITOR_ANSWERED, 0},
    {"5/4 without metadata", OFF, 5, 4, RCV_JOB_INACTIVE, RCV_CONTROL_UNKNOWN, RCV_TRI_NO,
     RCV_OWNER_NO_METADATA, RCV_TRI_YES, RCV_TRI_NO, RCV_MONITOR_UNKNOWN, 0},
    {"1/1 XML not read", UP, 1, 1, RCV_JOB_NONE, RCV_CONTROL_OK, RCV_TRI_NO, UNREAD, 0},
    {"3/1 XML not read", UP, 3, 1, RCV_JOB_NONE, RCV_CONTROL_OK, RCV_TRI_NO, UNREAD, 0},
    {"5/4 XML not read", OFF, 5, 4, RCV_JOB_INACTIVE, RCV_CONTROL_UNKNOWN, RCV_TRI_NO, UNREAD, 0},
    {"1/1 mirror", UP, 1, 1, RCV_JOB_NONE, RCV_CONTROL_OK, RCV_TRI_NO, RCV_OWNER_EQUAL, RCV_TRI_YES,
     RCV_TRI_YES, RCV_MONITOR_ANSWERED, 0},
    {"1/1 mute", UP, 1, 1, RCV_JOB_NONE, RCV_CONTROL_OK, RCV_TRI_NO, RCV_OWNER_EQUAL, RCV_TRI_YES,
     RCV_TRI_NO, RCV_MONITOR_MUTE, 0},
    {"1/1 monitor not asked", UP, 1, 1, RCV_JOB_NONE, RCV_CONTROL_OK, RCV_TRI_NO, RCV_OWNER_EQUAL,
     RCV_TRI_YES, RCV_TRI_NO, RCV_MONITOR_UNKNOWN, 0},
    LOST(NONE, 0),
    LOST(UNREACHABLE, 1),
    LOST(UNMAPPED, 0),
    LOST(TIMEOUT, 0),
    LOST(AUTH_FAILED, 0),
    LOST(IDENTITY_MISMATCH, 0),
    LOST(BAD_REPLY, 0),
    {"timeout after saying 1/1", RCV_REACH_TIMEOUT, RCV_PRESENCE_PRESENT, RCV_TRI_YES, 1, 1,
     RCV_JOB_NONE, RCV_CONTROL_OK, RCV_TRI_NO, OURS, 0},
    {"timeout after saying absent", RCV_REACH_TIMEOUT, RCV_PRESENCE_ABSENT, RCV_TRI_UNKNOWN, -1, -1,
     RCV_JOB_UNKNOWN, RCV_CONTROL_UNKNOWN, RCV_TRI_UNKNOWN, UNREAD, 0},
    {"reached, presence unknown", RCV_REACH_OK, RCV_PRESENCE_UNKNOWN, RCV_TRI_UNKNOWN, -1, -1,
     RCV_JOB_UNKNOWN, RCV_CONTROL_UNKNOWN, RCV_TRI_UNKNOWN, UNREAD, 0},
};
#define MENU COUNT(menu)

static int dish_of[RCV_MAX_CANDIDATES];

static int dish(const char *name) {
  for (int i = 0; i < MENU; i++) {
    if (strcmp(menu[i].name, name) == 0) {
      return i;
    }
  }
  fprintf(stderr, "exhaust: the menu has no \"%s\"\n", name);
  exit(2);
}

static void serve(int host, int d) {
  const struct dish *m = &menu[d];
  struct rcv_candidate *c = &ev.candidate[host];
  struct rcv_look *l = &c->last;
  blank_look(l);
  l->reach = m->reach;
  l->presence = m->presence;
  l->active = m->active;
  l->state = m->state;
  l->reason = m->reason;
  l->job = m->job;
  l->control = m->control;
  l->managed_save = m->saved;
  l->owner = m->owner;
  l->name_equal = m->named;
  l->mirror = m->mirror;
  l->monitor = m->monitor;
  l->domain_id = m->active == RCV_TRI_YES ? host + 3 : -1;
  l->vcpu_time_ms = m->active == RCV_TRI_YES ? 1000 * (host + 1) : -1;
  l->start_ms = 5000;
  l->end_ms = 5010;
  c->first = *l;
  c->looks = 3;
  c->agreed = RCV_TRI_YES;
  c->same_uuid_as = c->same_name_as = m->reach == RCV_REACH_OK ? host : -1;
  c->progressing = m->job == RCV_JOB_OUT ? RCV_TRI_YES : RCV_TRI_NO;
  int postcopy = (m->state == 1 && (m->reason == 10 || m->reason == 11)) ||
                 (m->state == 3 && (m->reason == 12 || m->reason == 13));
  c->seen_postcopy = postcopy && m->reach == RCV_REACH_OK ? RCV_TRI_YES : RCV_TRI_NO;
  c->of_newest_record = RCV_TRI_YES;
  c->also_probe = RCV_TRI_NO;
  c->service_first = c->service_last = RCV_SVC_UP;
  c->service_agreed = RCV_TRI_YES;
  c->hypervisor_listed = RCV_TRI_YES;
  c->attested_gone = c->attested_fenced = RCV_TRI_NO;
  c->attested_stopped = c->attested_restarted = RCV_TRI_NO;
  dish_of[host] = d;
}

/* A wedge that may be reset as soon as the hosts allow it: a failed record, long ago. */
static void good(int n, int h) {
  struct rcv_nova *v = &ev.nova_last;
  blank_nova(v);
  ev.rounds = 3;
  ev.first_round_ms = 1000;
  ev.last_round_ms = 91000;
  ev.nova_reads = 3;
  ev.nova_agreed = RCV_TRI_YES;
  ev.heartbeat = RCV_TRI_NO;
  ev.conductor_always_up = RCV_TRI_YES;
  ev.attested_queue_empty = RCV_TRI_NO;
  ev.too_many = RCV_TRI_NO;
  ev.sealed = RCV_TRI_YES;
  ev.candidates = n;
  v->api = RCV_API_OK;
  v->vm_state = RCV_VM_ACTIVE;
  v->task_state = RCV_TASK_MIGRATING;
  v->record_host = h;
  v->hypervisor = RCV_HV_QEMU;
  v->server_updated_s = NOW - 5000;
  v->locked = RCV_TRI_NO;
  v->action_start_s = NOW - 5000;
  v->newer_action = RCV_ACT_NONE;
  v->mig_present = RCV_TRI_YES;
  v->mig_id = 7;
  v->mig_type = RCV_MTYPE_LIVE;
  v->mig_status = RCV_MIG_FAILED;
  v->mig_source = h;
  v->mig_dest = n > 1 ? (h + 1) % n : h;
  v->mig_created_s = v->mig_updated_s = NOW - 4900;
  v->older_nonterminal = 0;
  v->evacuation = RCV_EVAC_NONE;
  v->queued_behind = RCV_TRI_NO;
  v->records = 1;
  v->conductor_up = RCV_TRI_YES;
  v->max_minor = 93;
  v->now_s = NOW;
  v->start_ms = 91000;
  v->end_ms = 91100;
  ev.nova_first = *v;
  ev.nova_first.start_ms = 800;
  ev.nova_first.end_ms = 900;
  good_policy();
}

/* ---- one state --------------------------------------------------------------------------- */

static void print_host(int i) {
  const struct rcv_candidate *c = &ev.candidate[i];
  const struct rcv_look *l = &c->last;
  printf("    host %d%s [%s] %s: %s %s active=%s %" PRId64 "/%" PRId64 " job=%s control=%s save=%s"
         " owner=%s name=%s mirror=%s monitor=%s\n",
         i, i == (int)ev.nova_last.record_host ? " (record)" : "", menu[dish_of[i]].name,
         rcv_enum_name(&rcv_class_enum, (int)orc_class(l)),
         rcv_enum_name(&rcv_reach_enum, (int)l->reach),
         rcv_enum_name(&rcv_presence_enum, (int)l->presence),
         rcv_enum_name(&rcv_tri_enum, (int)l->active), l->state, l->reason,
         rcv_enum_name(&rcv_job_enum, (int)l->job),
         rcv_enum_name(&rcv_control_enum, (int)l->control),
         rcv_enum_name(&rcv_tri_enum, (int)l->managed_save),
         rcv_enum_name(&rcv_owner_enum, (int)l->owner),
         rcv_enum_name(&rcv_tri_enum, (int)l->name_equal),
         rcv_enum_name(&rcv_tri_enum, (int)l->mirror),
         rcv_enum_name(&rcv_monitor_enum, (int)l->monitor));
  printf("      agreed=%s same=%" PRId64 ",%" PRId64 " svc=%s/%s newest=%s listed=%s gone=%s"
         " fenced=%s stopped=%s restarted=%s postcopy_seen=%s progressing=%s id=%" PRId64
         " vcpu=%" PRId64 "\n",
         rcv_enum_name(&rcv_tri_enum, (int)c->agreed), c->same_uuid_as, c->same_name_as,
         rcv_enum_name(&rcv_svc_enum, (int)c->service_last),
         rcv_enum_name(&rcv_tri_enum, (int)c->service_agreed),
         rcv_enum_name(&rcv_tri_enum, (int)c->of_newest_record),
         rcv_enum_name(&rcv_tri_enum, (int)c->hypervisor_listed),
         rcv_enum_name(&rcv_tri_enum, (int)c->attested_gone),
         rcv_enum_name(&rcv_tri_enum, (int)c->attested_fenced),
         rcv_enum_name(&rcv_tri_enum, (int)c->attested_stopped),
         rcv_enum_name(&rcv_tri_enum, (int)c->attested_restarted),
         rcv_enum_name(&rcv_tri_enum, (int)c->seen_postcopy),
         rcv_enum_name(&rcv_tri_enum, (int)c->progressing), l->domain_id, l->vcpu_time_ms);
}

static void print_state(const char *what, const struct orc_answer *want) {
  const struct rcv_nova *v = &ev.nova_last;
  printf("%s: %s\n  oracle  %s UW-%03d owner %" PRId64 " safe %d again %" PRId64 " (", part, what,
         rcv_enum_name(&rcv_verdict_kind_enum, (int)want->kind), want->code, want->owner,
         want->safe, want->least_look_again_s);
  for (int i = 0; i < want->raised_count; i++) {
    printf(" %d", want->raised[i]);
  }
  printf(" )\n  recovery %s UW-%03d owner %" PRId64 " safe %d again %" PRId64 " complete %" PRId64
         " (",
         rcv_enum_name(&rcv_verdict_kind_enum, (int)verdict.kind), (int)verdict.code, verdict.owner,
         rcv_safe(&ev, &pol), verdict.look_again_s, verdict.complete);
  for (int i = 0; i < verdict.reasons && i < RCV_MAX_REASONS; i++) {
    printf(" %d@%" PRId64, (int)verdict.reason[i].code, verdict.reason[i].candidate);
  }
  printf(" )\n    nova api=%s vm=%s task=%s hv=%s mig=%s/%s/%s %" PRId64 "->%" PRId64
         " updated %" PRId64 "s ago act=%s evac=%s behind=%s minor=%" PRId64
         " action_start=%" PRId64 " server_updated=%" PRId64 "\n",
         rcv_enum_name(&rcv_api_enum, (int)v->api), rcv_enum_name(&rcv_vm_enum, (int)v->vm_state),
         rcv_enum_name(&rcv_task_enum, (int)v->task_state),
         rcv_enum_name(&rcv_hv_enum, (int)v->hypervisor),
         rcv_enum_name(&rcv_tri_enum, (int)v->mig_present),
         rcv_enum_name(&rcv_mtype_enum, (int)v->mig_type),
         rcv_enum_name(&rcv_mig_enum, (int)v->mig_status), v->mig_source, v->mig_dest,
         v->now_s - v->mig_updated_s, rcv_enum_name(&rcv_act_enum, (int)v->newer_action),
         rcv_enum_name(&rcv_evac_enum, (int)v->evacuation),
         rcv_enum_name(&rcv_tri_enum, (int)v->queued_behind), v->max_minor, v->action_start_s,
         v->server_updated_s);
  printf("    rounds=%" PRId64 "/%" PRId64 " window=%" PRId64 "/%" PRId64 " reads=%" PRId64
         " nova_agreed=%s heartbeat=%s conductor=%s queue_empty=%s nova %" PRId64 "..%" PRId64
         " rounds %" PRId64 "..%" PRId64 " monitor_check=%" PRId64 " metadata=%" PRId64
         " accepted=%" PRId64 " required=%" PRId64 "\n",
         ev.rounds, pol.observe_rounds, rcv_window_ms(&ev), pol.observe_window_ms, ev.nova_reads,
         rcv_enum_name(&rcv_tri_enum, (int)ev.nova_agreed),
         rcv_enum_name(&rcv_tri_enum, (int)ev.heartbeat),
         rcv_enum_name(&rcv_tri_enum, (int)ev.conductor_always_up),
         rcv_enum_name(&rcv_tri_enum, (int)ev.attested_queue_empty), ev.nova_first.end_ms,
         v->start_ms, ev.first_round_ms, ev.last_round_ms, pol.monitor_check, pol.require_metadata,
         pol.attest_accepted, pol.attest_required);
  for (int i = 0; i < ev.candidates && i < 6; i++) {
    print_host(i);
  }
}

/* Disagreements are counted by kind, and one state of each kind is printed. */
static struct {
  const char *part, *what;
  int want, got;
  long count;
} kind_of_wrong[MAX_KINDS];
static int kinds_of_wrong;

static void fail(const char *what, const struct orc_answer *want) {
  int got = (int)verdict.code, k = 0;
  wrong++;
  while (k < kinds_of_wrong &&
         (kind_of_wrong[k].want != want->code || kind_of_wrong[k].got != got ||
          kind_of_wrong[k].what != what || kind_of_wrong[k].part != part)) {
    k++;
  }
  if (k == kinds_of_wrong && k < MAX_KINDS) {
    kind_of_wrong[k].part = part;
    kind_of_wrong[k].what = what;
    kind_of_wrong[k].want = want->code;
    kind_of_wrong[k].got = got;
    kinds_of_wrong++;
    if (shown < show) {
      shown++;
      print_state(what, want);
    }
  }
  if (k < MAX_KINDS) {
    kind_of_wrong[k].count++;
  }
  if (first_is_enough) {
    printf("exhaust: %ld states, stopped at the first disagreement\n", states);
    exit(1);
  }
}

static int has(int code) {
  for (int i = 0; i < verdict.reasons && i < RCV_MAX_REASONS; i++) {
    if ((int)verdict.reason[i].code == code) {
      return 1;
    }
  }
  return 0;
}

static int wants(const struct orc_answer *want, int code) {
  for (int i = 0; i < want->raised_count; i++) {
    if (want->raised[i] == code) {
      return 1;
    }
  }
  return 0;
}

/* The bare words of contract S1 over the raw fields: neither class nor oracle involved. */
static int bare_words(void) {
  int64_t h = ev.nova_last.record_host;
  for (int64_t i = 0; i < ev.candidates; i++) {
    const struct rcv_candidate *c = &ev.candidate[i];
    const struct rcv_look *l = &c->last;
    int read = l->reach == RCV_REACH_OK && c->agreed == RCV_TRI_YES;
    int up = read && l->presence == RCV_PRESENCE_PRESENT && l->active == RCV_TRI_YES &&
             l->state == 1 && l->reason != 10 && l->reason != 11 && l->reason >= 0 &&
             l->job == RCV_JOB_NONE && l->control == RCV_CONTROL_OK && l->domain_id > 0 &&
             l->name_equal == RCV_TRI_YES && l->owner != RCV_OWNER_DIFFERENT &&
             l->owner != RCV_OWNER_UNKNOWN && l->mirror != RCV_TRI_YES &&
             l->monitor != RCV_MONITOR_MUTE;
    int none = read && (l->presence == RCV_PRESENCE_ABSENT ||
                        (l->presence == RCV_PRESENCE_PRESENT && l->active == RCV_TRI_NO &&
                         l->state == 5 && l->managed_save == RCV_TRI_NO));
    int sworn = l->reach != RCV_REACH_OK &&
                (c->attested_fenced == RCV_TRI_YES || c->attested_gone == RCV_TRI_YES);
    if (i == h ? !up : !(none || sworn)) {
      return 0;
    }
  }
  return h >= 0 && h < ev.candidates && ev.heartbeat == RCV_TRI_NO && ev.rounds >= 2 &&
         ev.nova_last.task_state == RCV_TASK_MIGRATING;
}

static int look_again_fits(const struct orc_answer *want) {
  if (want->kind != RCV_VERDICT_WAIT) {
    return verdict.look_again_s == -1;
  }
  return want->code == RCV_CODE_TOO_YOUNG ? verdict.look_again_s == want->least_look_again_s
                                          : verdict.look_again_s >= want->least_look_again_s;
}

static void check_inside(const struct orc_answer *want) {
  const struct rcv_code_info *info = rcv_code_find((int64_t)verdict.code);
  if (info == NULL || info->verdict != verdict.kind || verdict.reasons < 1 ||
      verdict.reasons > RCV_MAX_REASONS || verdict.reason[0].code != verdict.code) {
    fail("the verdict contradicts itself", want);
  }
  for (int i = 0; i < verdict.reasons && i < RCV_MAX_REASONS; i++) {
    if (rcv_code_find((int64_t)verdict.reason[i].code) == NULL ||
        verdict.reason[i].candidate < -1 || verdict.reason[i].candidate >= ev.candidates) {
      fail("a reason names no code or no host", want);
    }
  }
  static const int secondary[] = {302, 303, 420};
  for (int i = 0; i < COUNT(secondary); i++) {
    if (has(secondary[i]) != wants(want, secondary[i])) {
      fail("a secondary reason", want);
      break;
    }
  }
  if (want->code == RCV_CODE_OWNER_MOVED && has(203) != wants(want, 203)) {
    fail("OWNER_MOVED with or without SECOND_COPY", want);
  }
  if (!look_again_fits(want)) {
    fail("when to look again", want);
  }
  for (int i = 0; i < ev.candidates && want->code != 901; i++) {
    if (verdict.class_of[i] != orc_class(&ev.candidate[i].last)) {
      fail("the class of a host", want);
      break;
    }
    seen[verdict.class_of[i]]++;
  }
}

static void check(void) {
  struct orc_answer want;
  orc_answer(&ev, &pol, &want);
  memset(&verdict, 0x5a, sizeof verdict);
  memset(&permit, 0x5a, sizeof permit);
  rcv_decide(&ev, &pol, &binding, &verdict, &permit);
  states++;
  if (verdict.kind != want.kind || (int)verdict.code != want.code) {
    fail("the verdict", &want);
    return;
  }
  led[want.code]++;
  kinds[want.kind]++;
  resets += want.kind == RCV_VERDICT_RESET;
  if (verdict.owner != want.owner) {
    fail("the owner", &want);
  }
  int safe = rcv_safe(&ev, &pol);
  if (safe != want.safe || safe != (verdict.kind == RCV_VERDICT_RESET)) {
    fail("RESET if and only if SAFE", &want);
  }
  int may = verdict.kind == RCV_VERDICT_RESET && pol.allow_reset == 1;
  if (permit.minted != may || permit.spent != 0) {
    fail("the permit", &want);
  }
  if (may &&
      (permit.record_host != ev.nova_last.record_host || permit.task_state != RCV_TASK_MIGRATING ||
       permit.vm_state != ev.nova_last.vm_state || permit.mig_id != ev.nova_last.mig_id ||
       permit.mig_status != ev.nova_last.mig_status ||
       permit.server_updated_s != ev.nova_last.server_updated_s ||
       memcmp(&permit.binding, &binding, sizeof binding) != 0)) {
    fail("what the permit is bound to", &want);
  }
  if (verdict.kind == RCV_VERDICT_RESET && !bare_words()) {
    fail("RESET against the bare words of S1", &want);
  }
  check_inside(&want);
}

/* ---- looks --------------------------------------------------------------------------------- */

static void looks(void) {
  static const int reasons[] = {-1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 99};
  struct rcv_look l;
  part = "looks";
  blank_look(&l);
  for (int reach = 0; reach < RCV_REACH_COUNT; reach++)
    for (int presence = 0; presence < RCV_PRESENCE_COUNT; presence++)
      for (int active = 0; active < RCV_TRI_COUNT; active++)
        for (int state = -1; state <= 9; state++)
          for (int r = 0; r < COUNT(reasons); r++)
            for (int job = 0; job < RCV_JOB_COUNT; job++)
              for (int control = 0; control < RCV_CONTROL_COUNT; control++)
                for (int saved = 0; saved < 3 * RCV_TRI_COUNT; saved++) {
                  static const int64_t ids[] = {-1, 0, 3};
                  l.domain_id = ids[saved / RCV_TRI_COUNT];
                  l.reach = (enum rcv_reach)reach;
                  l.presence = (enum rcv_presence)presence;
                  l.active = (enum rcv_tri)active;
                  l.state = state;
                  l.reason = reasons[r];
                  l.job = (enum rcv_job)job;
                  l.control = (enum rcv_control)control;
                  l.managed_save = (enum rcv_tri)(saved % RCV_TRI_COUNT);
                  enum rcv_class got = rcv_classify(&l), want = orc_class(&l);
                  states++;
                  if (got != want) {
                    wrong++;
                    if (first_is_enough) {
                      printf("looks: a class differs\n");
                      exit(1);
                    }
                    if (shown < show) {
                      shown++;
                      printf(
                          "looks: oracle %s, recovery %s: %s %s active=%s %d/%d job=%s control=%s"
                          " save=%s\n",
                          rcv_enum_name(&rcv_class_enum, (int)want),
                          rcv_enum_name(&rcv_class_enum, (int)got),
                          rcv_enum_name(&rcv_reach_enum, reach),
                          rcv_enum_name(&rcv_presence_enum, presence),
                          rcv_enum_name(&rcv_tri_enum, active), state, reasons[r],
                          rcv_enum_name(&rcv_job_enum, job),
                          rcv_enum_name(&rcv_control_enum, control),
                          rcv_enum_name(&rcv_tri_enum, (int)l.managed_save));
                    }
                  }
                }
}

/* ---- hosts ---------------------------------------------------------------------------------- */

/* Everything that is not the hosts, in one word each. All start from good(). */
static void set_young(int n, int h) {
  (void)n, (void)h;
  ev.nova_last.mig_updated_s = NOW - 119;
}
static void set_idle(int n, int h) {
  (void)n, (void)h;
  ev.nova_last.task_state = RCV_TASK_NONE;
}
static void set_stopped(int n, int h) {
  set_idle(n, h);
  ev.nova_last.vm_state = RCV_VM_STOPPED;
}
static void set_heartbeat(int n, int h) {
  (void)n, (void)h;
  ev.heartbeat = RCV_TRI_YES;
}
static void set_two_rounds(int n, int h) {
  (void)n, (void)h;
  ev.rounds = 2;
}
static void set_no_round(int n, int h) {
  (void)n, (void)h;
  ev.rounds = 0;
  ev.first_round_ms = ev.last_round_ms = -1;
}
static void set_dead_source(int n, int h) {
  (void)n;
  ev.nova_last.mig_status = RCV_MIG_RUNNING;
  ev.candidate[h].service_last = RCV_SVC_DOWN;
  ev.candidate[h].attested_stopped = RCV_TRI_YES;
}
static void set_unattested(int n, int h) {
  set_dead_source(n, h);
  ev.candidate[h].attested_stopped = RCV_TRI_NO;
}
static void set_lenient(int n, int h) {
  (void)n, (void)h;
  pol.monitor_check = pol.require_metadata = 0;
}
static void set_api_down(int n, int h) {
  (void)n, (void)h;
  ev.nova_last.api = RCV_API_UNAVAILABLE;
}
static void set_hidden_host(int n, int h) {
  (void)n, (void)h;
  ev.nova_last.record_host = -1;
}
static void set_no_agreement(int n, int h) {
  (void)n, (void)h;
  ev.nova_agreed = RCV_TRI_NO;
}
static void set_restless(int n, int h) {
  (void)h;
  ev.candidate[n - 1].agreed = RCV_TRI_NO;
}
static void set_to_home(int n, int h) {
  ev.nova_last.mig_source = (h + 1) % n;
  ev.nova_last.mig_dest = h;
  ev.nova_last.mig_status = RCV_MIG_COMPLETED;
}
static void set_completed(int n, int h) {
  (void)n, (void)h;
  ev.nova_last.mig_status = RCV_MIG_COMPLETED;
}
static void set_rebuilding(int n, int h) {
  (void)n, (void)h;
  ev.nova_last.task_state = RCV_TASK_REBUILDING;
}
static void set_was_postcopy(int n, int h) {
  (void)h;
  for (int i = 0; i < n; i++) {
    ev.candidate[i].seen_postcopy = RCV_TRI_YES;
  }
}
static void set_stalled(int n, int h) {
  for (int i = 0; i < n; i++) {
    ev.candidate[i].progressing = RCV_TRI_NO;
  }
  ev.candidate[h].service_last = RCV_SVC_DOWN;
}
static void set_no_record(int n, int h) {
  (void)n, (void)h;
  ev.nova_last.mig_present = RCV_TRI_NO;
  ev.nova_last.mig_id = ev.nova_last.mig_source = ev.nova_last.mig_dest = -1;
  ev.nova_last.mig_status = RCV_MIG_UNKNOWN;
  ev.nova_last.mig_type = RCV_MTYPE_UNKNOWN;
  ev.nova_last.mig_created_s = ev.nova_last.mig_updated_s = -1;
}
static void set_vm_paused(int n, int h) {
  (void)n, (void)h;
  ev.nova_last.vm_state = RCV_VM_PAUSED;
}
static void set_fenced(int n, int h) {
  for (int i = 0; i < n; i++) {
    ev.candidate[i].attested_fenced = i == h ? RCV_TRI_NO : RCV_TRI_YES;
  }
}
static void set_fenced_home(int n, int h) {
  (void)n;
  ev.candidate[h].attested_fenced = ev.candidate[h].attested_gone = RCV_TRI_YES;
  ev.candidate[h].of_newest_record = ev.candidate[h].hypervisor_listed = RCV_TRI_NO;
  ev.candidate[h].service_last = RCV_SVC_MISSING;
}
static void set_good(int n, int h) { (void)n, (void)h; }

typedef void setting(int n, int h);
static setting *const settings[] = {
    set_good,         set_idle,        set_young,        set_two_rounds, set_stopped,
    set_heartbeat,    set_no_round,    set_dead_source,  set_lenient,    set_api_down,
    set_restless,     set_hidden_host, set_no_agreement, set_to_home,    set_rebuilding,
    set_was_postcopy, set_stalled,     set_no_record,    set_vm_paused,  set_fenced,
    set_fenced_home,  set_unattested,  set_completed,
};

/* The others of an n-host picture go round the record host's place in their order. */
static void place(int n, int h, const int dishes[4], setting *with) {
  good(n, h);
  for (int i = 0; i < n; i++) {
    serve((h + i) % n, dishes[i]);
  }
  with(n, h);
  check();
}

static void hosts(void) {
  static int core[MENU];
  int cores = 0;
  int d[4] = {0, 0, 0, 0};
  for (int i = 0; i < MENU; i++) {
    if (menu[i].core) {
      core[cores++] = i;
    }
  }
  part = "one host";
  for (int s = 0; s < COUNT(settings); s++)
    for (d[0] = 0; d[0] < MENU; d[0]++)
      place(1, 0, d, settings[s]);
  part = "two hosts";
  for (int s = 0; s < COUNT(settings); s++)
    for (int h = 0; h < 2; h++)
      for (d[0] = 0; d[0] < MENU; d[0]++)
        for (d[1] = 0; d[1] < MENU; d[1]++)
          place(2, h, d, settings[s]);
  part = "three hosts";
  for (int s = 0; s < 4; s++)
    for (d[0] = 0; d[0] < MENU; d[0]++)
      for (d[1] = 0; d[1] < MENU; d[1]++)
        for (d[2] = d[1]; d[2] < MENU; d[2]++)
          place(3, (d[1] + d[2] + s) % 3, d, settings[s]);
  for (int s = 4; s < COUNT(settings); s++)
    for (int a = 0; a < cores; a++)
      for (int b = 0; b < cores; b++)
        for (int c = 0; c < cores; c++) {
          d[0] = core[a], d[1] = core[b], d[2] = core[c];
          place(3, (a + b + c) % 3, d, settings[s]);
        }
  part = "four hosts";
  for (int s = 0; s < 4; s++)
    for (int h = 0; h < 4; h++)
      for (int a = 0; a < cores; a++)
        for (int b = 0; b < cores; b++)
          for (int c = b; c < cores; c++)
            for (int e = c; e < cores; e++) {
              d[0] = core[a], d[1] = core[b], d[2] = core[c], d[3] = core[e];
              place(4, h, d, settings[s]);
            }
}

/* ---- records -------------------------------------------------------------------------------- */

static const struct {
  enum rcv_svc last;
  enum rcv_tri agreed;
} services[] = {
    {RCV_SVC_UP, RCV_TRI_YES},          {RCV_SVC_DOWN, RCV_TRI_YES},
    {RCV_SVC_FORCED_DOWN, RCV_TRI_YES}, {RCV_SVC_MISSING, RCV_TRI_YES},
    {RCV_SVC_UNKNOWN, RCV_TRI_YES},     {RCV_SVC_DOWN, RCV_TRI_NO}, /* flapping */
    {RCV_SVC_MISSING, RCV_TRI_UNKNOWN},
};

/* Sources and destinations: H and T in every part, T twice, one not known. */
static const struct {
  int source, dest; /* 0 = H, 1 = T, -1 = none */
} ends[] = {{0, 1}, {1, 0}, {1, 1}, {0, 0}, {0, -1}, {-1, 0}};

/* Seconds since the last change: around every limit of good_policy(), and the unknown. */
static const int64_t ages[] = {-60, 0,   119,  120,  121,  129,  130,
                               599, 600, 3499, 3500, 3599, 3600, 9999};

static void one_record(int status, int64_t age) {
  struct rcv_nova *v = &ev.nova_last;
  v->mig_present = status < 0 ? RCV_TRI_NO : RCV_TRI_YES;
  v->mig_status = status < 0 ? RCV_MIG_UNKNOWN : (enum rcv_mig)status;
  v->mig_updated_s = NOW - age;
  /* without a record: the action's start, and where that is not known the server's update */
  v->action_start_s = status == -2 ? -1 : status == -1 ? NOW - age : NOW - 9999;
  v->server_updated_s = status == -2 ? NOW - age : NOW;
}

static void record_attested(int h, int source) {
  for (int mask = 0; mask < 64; mask++) {
    if ((mask & 32) != 0 && (mask & 23) != 0) {
      continue; /* what is sworn of the other end is tried where nothing else is sworn */
    }
    struct rcv_candidate *src = &ev.candidate[source < 0 ? 1 - h : source];
    struct rcv_candidate *dst = &ev.candidate[source < 0 ? h : 1 - source];
    src->attested_stopped = (mask & 1) != 0 ? RCV_TRI_YES : RCV_TRI_NO;
    src->attested_restarted = (mask & 2) != 0 ? RCV_TRI_YES : RCV_TRI_NO;
    ev.attested_queue_empty = (mask & 4) != 0 ? RCV_TRI_YES : RCV_TRI_NO;
    pol.attest_required = (mask & 8) != 0 ? RCV_ATTEST_COMPUTE_STOPPED : 0;
    ev.conductor_always_up = (mask & 16) != 0 ? RCV_TRI_YES : RCV_TRI_NO;
    /* the same said of the other end, where it proves nothing of the source */
    dst->attested_stopped = dst->attested_restarted = (mask & 32) != 0 ? RCV_TRI_YES : RCV_TRI_NO;
    check();
  }
}

static void records(void) {
  static const enum rcv_vm vms[] = {RCV_VM_ACTIVE, RCV_VM_ERROR, RCV_VM_PAUSED, RCV_VM_OTHER};
  static const int minors[] = {93, 80, 79, 0, -1};
  int run = dish("1/1");
  const int second[] = {dish("absent"), dish("5/4"), dish("3/1")};
  part = "records";
  for (int h = 0; h < 2; h++)
    for (int t = 0; t < COUNT(second); t++)
      for (int s = 0; s < COUNT(services); s++)
        for (int e = 0; e < COUNT(ends); e++) {
          if (t > 0 && (h == 1 || e > 1)) {
            continue; /* the gates are asked alike of ABSENT and OFF, and of nothing else */
          }
          int src = ends[e].source < 0 ? -1 : ends[e].source == 0 ? h : 1 - h;
          int dst = ends[e].dest < 0 ? -1 : ends[e].dest == 0 ? h : 1 - h;
          good(2, h);
          serve(h, run);
          serve(1 - h, second[t]);
          ev.nova_last.mig_source = src;
          ev.nova_last.mig_dest = dst;
          struct rcv_candidate *c = &ev.candidate[src < 0 ? h : src];
          c->service_last = services[s].last;
          c->service_agreed = services[s].agreed;
          for (int status = -2; status < RCV_MIG_COUNT; status++)
            for (int a = 0; a < COUNT(ages); a++)
              for (int v = 0; v < COUNT(vms); v++)
                for (int m = 0; m < COUNT(minors); m++) {
                  if ((v > 1 && m > 0) || (m > 2 && a % 4 != 0)) {
                    continue; /* the release matters to compute-restarted alone */
                  }
                  one_record(status, ages[a]);
                  ev.nova_last.vm_state = vms[v];
                  ev.nova_last.max_minor = minors[m];
                  record_attested(h, src);
                }
        }
}

/* Times that are not known, queues, kinds of record, limits of other policies, masks. */
static void record_edges(void) {
  int run = dish("1/1"), absent = dish("absent");
  part = "record edges";
  for (int h = 0; h < 2; h++)
    for (int status = -1; status < RCV_MIG_COUNT; status++)
      for (int unknown = 0; unknown < 32; unknown++)
        for (int behind = 0; behind < RCV_TRI_COUNT; behind++)
          for (int type = 0; type < RCV_MTYPE_COUNT; type++)
            for (int svc = 0; svc < COUNT(services); svc++)
              for (int taken = type == RCV_MTYPE_LIVE ? 0 : 31; taken < 32; taken++) {
                struct rcv_nova *v = &ev.nova_last;
                good(2, h);
                serve(h, run);
                serve(1 - h, absent);
                v->mig_present = status < 0 ? RCV_TRI_NO : RCV_TRI_YES;
                v->mig_status = status < 0 ? RCV_MIG_UNKNOWN : (enum rcv_mig)status;
                v->queued_behind = (enum rcv_tri)behind;
                v->mig_type = (enum rcv_mtype)type;
                v->mig_updated_s = (unknown & 1) != 0 ? -1 : v->mig_updated_s;
                v->action_start_s = (unknown & 2) != 0 ? -1 : v->action_start_s;
                v->server_updated_s = (unknown & 4) != 0 ? -1 : v->server_updated_s;
                v->now_s = (unknown & 8) != 0 ? -1 : v->now_s;
                ev.conductor_always_up = (unknown & 16) != 0 ? RCV_TRI_UNKNOWN : RCV_TRI_YES;
                ev.candidate[h].service_last = services[svc].last;
                ev.candidate[h].service_agreed = services[svc].agreed;
                ev.candidate[h].attested_stopped = RCV_TRI_YES;
                ev.candidate[h].attested_restarted = RCV_TRI_YES;
                ev.attested_queue_empty = RCV_TRI_YES;
                pol.attest_accepted = taken;
                check();
              }
}

/* ---- server ---------------------------------------------------------------------------------- */

static void server(void) {
  static const char *const pictures[][2] = {
      {"1/1", "absent"}, {"absent", "1/1"}, {"1/1 out", "3/2 in"},  {"absent", "5/4"},
      {"1/1", "1/1"},    {"3/1", "absent"}, {"1/1", "UNREACHABLE"},
  };
  part = "server";
  for (int i = 0; i < COUNT(pictures); i++)
    for (int vm = 0; vm < RCV_VM_COUNT; vm++)
      for (int task = 0; task < RCV_TASK_COUNT; task++)
        for (int hv = 0; hv < RCV_HV_COUNT; hv++)
          for (int api = 0; api < RCV_API_COUNT; api++)
            for (int evac = 0; evac < RCV_EVAC_COUNT; evac++)
              for (int act = 0; act < RCV_ACT_COUNT; act++)
                for (int mask = 0; mask < 24; mask++) {
                  struct rcv_nova *v = &ev.nova_last;
                  int d[4] = {dish(pictures[i][0]), dish(pictures[i][1]), 0, 0};
                  good(2, 0);
                  serve(0, d[0]);
                  serve(1, d[1]);
                  v->vm_state = (enum rcv_vm)vm;
                  v->task_state = (enum rcv_task)task;
                  v->hypervisor = (enum rcv_hv)hv;
                  v->api = (enum rcv_api)api;
                  v->evacuation = (enum rcv_evac)evac;
                  v->newer_action = (enum rcv_act)act;
                  v->mig_present = (enum rcv_tri)(mask % 3);
                  ev.too_many = (mask / 3) % 2 == 0 ? RCV_TRI_NO : RCV_TRI_YES;
                  v->record_host = (mask / 6) % 2 == 0 ? 0 : -1;
                  ev.heartbeat = mask / 12 == 0 ? RCV_TRI_NO : RCV_TRI_YES;
                  check();
                }
}

/* ---- watching -------------------------------------------------------------------------------- */

static void watched(int i, const char *const picture[2]) {
  static const int64_t rounds[] = {0, 1, 2, 3, 4};
  static const int64_t windows[] = {0, 89999, 90000, 90001};
  static const int64_t before[] = {-1, 900, 999, 1001, 50000}; /* end of the first reading */
  static const int64_t after[] = {-1, -2, -1000, 0, 1, 2000};  /* last reading after the rounds */
  int d0 = dish(picture[0]), d1 = dish(picture[1]);
  for (int r = 0; r < COUNT(rounds); r++)
    for (int w = 0; w < COUNT(windows); w++)
      for (int b = 0; b < COUNT(before); b++)
        for (int a = 0; a < COUNT(after); a++)
          for (int agreed = 0; agreed < 9; agreed++)
            for (int nova = 0; nova < 3; nova++)
              for (int heart = 0; heart < 3; heart++)
                for (int mask = 0; mask < 16; mask++) {
                  if (i > 2 && (mask & 12) != 0) {
                    continue; /* monitor_check and the task move the first pictures only */
                  }
                  good(2, 0);
                  serve(0, d0);
                  serve(1, d1);
                  ev.rounds = rounds[r];
                  ev.first_round_ms = rounds[r] == 0 ? -1 : 1000;
                  ev.last_round_ms = rounds[r] == 0 ? -1 : 1000 + windows[w];
                  ev.nova_first.end_ms = before[b];
                  ev.nova_first.start_ms = before[b];
                  int64_t last = after[a] == -1 ? -1 : ev.last_round_ms + after[a];
                  ev.nova_last.start_ms = last < -1 ? -1 : last;
                  ev.nova_last.end_ms = ev.nova_last.start_ms;
                  ev.candidate[0].agreed = (enum rcv_tri)(agreed % 3);
                  ev.candidate[1].agreed = (enum rcv_tri)(agreed / 3);
                  ev.nova_agreed = (enum rcv_tri)nova;
                  ev.heartbeat = (enum rcv_tri)heart;
                  ev.nova_reads = (mask & 1) != 0 ? 2 : 1;
                  ev.sealed = (mask & 2) != 0 ? RCV_TRI_YES : RCV_TRI_NO;
                  pol.monitor_check = (mask & 4) != 0 ? 0 : 1;
                  ev.nova_last.task_state = (mask & 8) != 0 ? RCV_TASK_NONE : RCV_TASK_MIGRATING;
                  check();
                }
}

static void watching(void) {
  static const char *const pictures[][2] = {
      {"1/1", "absent"},     {"1/1 monitor not asked", "absent"},
      {"1/1 mute", "5/4"},   {"1/1", "3/2 in"},
      {"absent", "3/2 in"},  {"3/2 out", "3/2 in"},
      {"1/1 out", "3/2 in"}, {"3/12 out", "1/10 in"},
      {"absent", "1/1"},     {"1/1", "TIMEOUT"},
  };
  part = "watching";
  for (int i = 0; i < COUNT(pictures); i++) {
    watched(i, pictures[i]);
  }
}

/* ---- identity -------------------------------------------------------------------------------- */

static void identity(void) {
  static const char *const looks_of[] = {"1/1", "absent", "5/4", "1/1 out", "3/1"};
  static const char *const three_of[] = {"1/1", "absent", "1/1 out", "TIMEOUT"};
  static const char *const home_of[] = {"1/1", "absent", "3/1", "5/4", "3/2", "1/1 out", "5/0"};
  part = "whose";
  for (int hl = 0; hl < COUNT(home_of); hl++)
    for (int tl = 0; tl < COUNT(looks_of); tl++)
      for (int x = 0; x < 4 * 3 * 3; x++)
        for (int y = 0; y < 4 * 3 * 3; y++)
          for (int mask = 0; mask < 6; mask++) {
            good(2, 0);
            serve(0, dish(home_of[hl]));
            serve(1, dish(looks_of[tl]));
            struct rcv_look *h = &ev.candidate[0].last, *t = &ev.candidate[1].last;
            if (h->presence == RCV_PRESENCE_PRESENT) {
              h->owner = (enum rcv_owner)(x % 4);
              h->name_equal = (enum rcv_tri)(x / 4 % 3);
              h->mirror = (enum rcv_tri)(x / 12);
            }
            if (t->presence == RCV_PRESENCE_PRESENT) {
              t->owner = (enum rcv_owner)(y % 4);
              t->name_equal = (enum rcv_tri)(y / 4 % 3);
              t->mirror = (enum rcv_tri)(y / 12);
            }
            pol.require_metadata = mask % 2;
            h->monitor = (enum rcv_monitor)(mask / 2);
            check();
          }
  part = "same host twice";
  for (int a = 0; a < COUNT(three_of); a++)
    for (int b = 0; b < COUNT(three_of); b++)
      for (int c = 0; c < COUNT(three_of); c++)
        for (int u = 0; u < 64; u++)
          for (int k = 0; k < 64; k++)
            for (int twin = 0; twin < 4; twin++) {
              int d[4] = {dish(three_of[a]), dish(three_of[b]), dish(three_of[c]), 0};
              good(3, 0);
              for (int i = 0; i < 3; i++) {
                serve(i, d[i]);
                ev.candidate[i].same_uuid_as = (u >> (2 * i) & 3) - 1;
                ev.candidate[i].same_name_as = (k >> (2 * i) & 3) - 1;
              }
              ev.candidate[1].last.domain_id = (twin & 1) != 0 ? 3 : 4;
              ev.candidate[1].last.vcpu_time_ms = (twin & 2) != 0 ? 1000 : 2000;
              check();
            }
  part = "twins";
  static const int64_t id[] = {-1, 0, 3}, t[] = {-1, 0, 500};
  for (int x = 0; x < 81; x++)
    for (int h = 0; h < 2; h++) {
      good(2, h);
      serve(0, dish("1/1"));
      serve(1, dish("1/2"));
      ev.candidate[0].last.domain_id = id[x % 3];
      ev.candidate[1].last.domain_id = id[x / 3 % 3];
      ev.candidate[0].last.vcpu_time_ms = t[x / 9 % 3];
      ev.candidate[1].last.vcpu_time_ms = t[x / 27];
      check();
    }
}

/* ---- sworn ------------------------------------------------------------------------------------
 */

static void sworn(void) {
  static const char *const home_of[] = {"1/1", "absent", "1/5", "TIMEOUT", "1/1 out", "3/2"};
  static const char *const away_of[] = {"TIMEOUT",
                                        "UNREACHABLE",
                                        "UNMAPPED",
                                        "AUTH_FAILED",
                                        "IDENTITY_MISMATCH",
                                        "BAD_REPLY",
                                        "NONE",
                                        "absent",
                                        "1/1",
                                        "5/0",
                                        "timeout after saying 1/1",
                                        "reached, presence unknown"};
  part = "sworn";
  for (int hl = 0; hl < COUNT(home_of); hl++)
    for (int tl = 0; tl < COUNT(away_of); tl++)
      for (int about = 0; about < 2; about++) /* sworn of T, or of H itself */
        for (int word = 0; word < 9; word++)
          for (int newest = 0; newest < 3; newest++)
            for (int listed = 0; listed < 3; listed++)
              for (int s = 0; s < COUNT(services); s++)
                for (int mask = 0; mask < 4; mask++)
                  for (int more = 0; more < 8; more++) {
                    good(2, 0);
                    serve(0, dish(home_of[hl]));
                    serve(1, dish(away_of[tl]));
                    struct rcv_candidate *c = &ev.candidate[about == 0 ? 1 : 0];
                    c->attested_gone = (enum rcv_tri)(word % 3);
                    c->attested_fenced = (enum rcv_tri)(word / 3);
                    c->of_newest_record = (enum rcv_tri)newest;
                    c->hypervisor_listed = (enum rcv_tri)listed;
                    c->service_last = services[s].last;
                    c->service_agreed = services[s].agreed;
                    pol.attest_accepted = mask * 8; /* gone, fenced */
                    if ((more & 4) != 0) {          /* it was reached once */
                      ev.candidate[1].first.reach = RCV_REACH_OK;
                    }
                    ev.candidate[1].agreed = (more & 1) != 0 ? RCV_TRI_NO : RCV_TRI_YES;
                    ev.nova_last.task_state = (more & 2) != 0 ? RCV_TASK_NONE : RCV_TASK_MIGRATING;
                    check();
                  }
}

/* ---- bounds -----------------------------------------------------------------------------------
 */

static void expect(const char *what, int holds) {
  states++;
  if (!holds) {
    struct orc_answer want;
    memset(&want, 0, sizeof want);
    fail(what, &want);
  }
}

static void reset_picture(void) {
  good(2, 0);
  serve(0, dish("1/1"));
  serve(1, dish("absent"));
}

static void bounds(void) {
  part = "bounds";
  for (int64_t valid = -1; valid <= 2; valid++) {
    reset_picture();
    pol.valid = valid;
    check();
  }
  for (int64_t least = -1; least <= 2; least++) {
    int64_t *const fields[] = {
        &pol.observe_rounds,    &pol.observe_window_ms,      &pol.monitor_check,
        &pol.require_metadata,  &pol.age_terminal_s,         &pol.age_terminal_error_up_s,
        &pol.age_nonterminal_s, &pol.age_nonterminal_down_s, &pol.age_missing_record_s};
    for (int i = 0; i < COUNT(fields); i++) {
      reset_picture();
      *fields[i] = i == 1 ? 998 + least : least;
      check();
    }
  }
  for (int64_t allow = -1; allow <= 2; allow++) {
    reset_picture();
    pol.allow_reset = allow;
    check();
  }
  reset_picture();
  rcv_decide(&ev, &pol, NULL, &verdict, &permit);
  expect("no permit without a binding",
         verdict.kind == RCV_VERDICT_RESET && permit.minted == 0 && permit.spent == 0);
  memset(&pol, 0, sizeof pol);
  rcv_decide(&ev, &pol, &binding, &verdict, &permit);
  expect("a zeroed policy permits nothing",
         verdict.code == RCV_CODE_EVIDENCE_INVALID && permit.minted == 0 && !rcv_safe(&ev, &pol));
  memset(&ev, 0, sizeof ev);
  good_policy();
  rcv_decide(&ev, &pol, &binding, &verdict, &permit);
  expect("zeroed evidence permits nothing",
         verdict.kind == RCV_VERDICT_UNKNOWN && permit.minted == 0 && !rcv_safe(&ev, &pol));
  blank_evidence(&ev);
  check();
  for (int64_t n = RCV_MAX_CANDIDATES - 1; n <= RCV_MAX_CANDIDATES; n++) {
    for (int bad = -1; bad < n; bad++) {
      good((int)n, 0);
      serve(0, dish("1/1"));
      for (int i = 1; i < n; i++) {
        serve(i, dish(i == bad ? "5/0" : i % 2 == 0 ? "absent" : "5/4"));
      }
      check();
    }
  }
  reset_picture();
  ev.candidates = RCV_MAX_CANDIDATES + 1;
  rcv_decide(&ev, &pol, &binding, &verdict, &permit);
  expect("too many candidates for the struct",
         verdict.code == RCV_CODE_EVIDENCE_INVALID && permit.minted == 0 && !rcv_safe(&ev, &pol));
  ev.candidates = 0;
  blank_evidence(&ev);
}

/* ---- random -----------------------------------------------------------------------------------
 */

static uint64_t dice;

static uint32_t roll(uint32_t sides) {
  dice ^= dice << 13;
  dice ^= dice >> 7;
  dice ^= dice << 17;
  return (uint32_t)((dice >> 32) % sides);
}

/* One time in `rare` something else than what is there. */
#define SOMETIMES(rare, place, type, sides)                                                        \
  do {                                                                                             \
    if (roll(rare) == 0) {                                                                         \
      (place) = (type)roll(sides);                                                                 \
    }                                                                                              \
  } while (0)

static void random_candidate(int i, int n) {
  struct rcv_candidate *c = &ev.candidate[i];
  SOMETIMES(20, c->agreed, enum rcv_tri, RCV_TRI_COUNT);
  SOMETIMES(12, c->seen_postcopy, enum rcv_tri, RCV_TRI_COUNT);
  SOMETIMES(12, c->progressing, enum rcv_tri, RCV_TRI_COUNT);
  SOMETIMES(3, c->service_last, enum rcv_svc, RCV_SVC_COUNT);
  SOMETIMES(20, c->service_agreed, enum rcv_tri, RCV_TRI_COUNT);
  SOMETIMES(4, c->of_newest_record, enum rcv_tri, RCV_TRI_COUNT);
  SOMETIMES(4, c->hypervisor_listed, enum rcv_tri, RCV_TRI_COUNT);
  SOMETIMES(4, c->attested_gone, enum rcv_tri, RCV_TRI_COUNT);
  SOMETIMES(6, c->attested_fenced, enum rcv_tri, RCV_TRI_COUNT);
  SOMETIMES(3, c->attested_stopped, enum rcv_tri, RCV_TRI_COUNT);
  SOMETIMES(6, c->attested_restarted, enum rcv_tri, RCV_TRI_COUNT);
  SOMETIMES(40, c->last.owner, enum rcv_owner, RCV_OWNER_COUNT);
  SOMETIMES(40, c->last.mirror, enum rcv_tri, RCV_TRI_COUNT);
  SOMETIMES(40, c->last.monitor, enum rcv_monitor, RCV_MONITOR_COUNT);
  if (roll(60) == 0) {
    c->same_uuid_as = (int64_t)roll((uint32_t)n + 1) - 1;
  }
  if (roll(60) == 0) {
    c->same_name_as = (int64_t)roll((uint32_t)n + 1) - 1;
  }
}

static void random_nova(int n) {
  struct rcv_nova *v = &ev.nova_last;
  v->mig_status = (enum rcv_mig)roll(RCV_MIG_COUNT);
  v->mig_updated_s = NOW - ages[roll((uint32_t)COUNT(ages))];
  SOMETIMES(8, v->mig_present, enum rcv_tri, RCV_TRI_COUNT);
  SOMETIMES(8, v->vm_state, enum rcv_vm, RCV_VM_COUNT);
  SOMETIMES(6, v->task_state, enum rcv_task, RCV_TASK_COUNT);
  SOMETIMES(40, v->hypervisor, enum rcv_hv, RCV_HV_COUNT);
  SOMETIMES(40, v->api, enum rcv_api, RCV_API_COUNT);
  SOMETIMES(20, v->evacuation, enum rcv_evac, RCV_EVAC_COUNT);
  SOMETIMES(15, v->newer_action, enum rcv_act, RCV_ACT_COUNT);
  SOMETIMES(20, v->mig_type, enum rcv_mtype, RCV_MTYPE_COUNT);
  SOMETIMES(6, v->queued_behind, enum rcv_tri, RCV_TRI_COUNT);
  SOMETIMES(6, v->max_minor, int64_t, 100);
  SOMETIMES(6, ev.attested_queue_empty, enum rcv_tri, RCV_TRI_COUNT);
  SOMETIMES(12, ev.conductor_always_up, enum rcv_tri, RCV_TRI_COUNT);
  SOMETIMES(15, ev.heartbeat, enum rcv_tri, RCV_TRI_COUNT);
  SOMETIMES(25, ev.nova_agreed, enum rcv_tri, RCV_TRI_COUNT);
  SOMETIMES(15, ev.rounds, int64_t, 5);
  SOMETIMES(20, ev.nova_reads, int64_t, 4);
  SOMETIMES(60, ev.too_many, enum rcv_tri, RCV_TRI_COUNT);
  SOMETIMES(15, pol.monitor_check, int64_t, 2);
  SOMETIMES(15, pol.require_metadata, int64_t, 2);
  SOMETIMES(3, pol.attest_required, int64_t, 32);
  SOMETIMES(6, pol.attest_accepted, int64_t, 32);
  if (roll(5) == 0) {
    v->mig_source = (int64_t)roll((uint32_t)n + 1) - 1;
  }
  if (roll(5) == 0) {
    v->mig_dest = (int64_t)roll((uint32_t)n + 1) - 1;
  }
  if (roll(60) == 0) {
    v->record_host = (int64_t)roll((uint32_t)n + 1) - 1;
  }
  if (roll(15) == 0) {
    ev.last_round_ms = ev.first_round_ms + (int64_t)roll(3) * 60000;
    v->start_ms = v->end_ms = ev.last_round_ms;
  }
}

static void random_mixtures(uint64_t seed, long how_many) {
  int run = dish("1/1"), absent = dish("absent");
  part = "random";
  dice = seed;
  for (long k = 0; k < how_many; k++) {
    int n = 1 + (int)roll(4), h = (int)roll((uint32_t)n);
    good(n, h);
    for (int i = 0; i < n; i++) {
      serve(i, roll(3) != 0 ? (i == h ? run : absent) : (int)roll((uint32_t)MENU));
      random_candidate(i, n);
    }
    random_nova(n);
    check();
  }
}

/* ---- the sum -----------------------------------------------------------------------------------
 */

/* Codes no decision leads with: secondary ones and the guards that policies/ adds. */
static int never_leads(int code) {
  return code == 302 || code == 303 || code == 420 || code == 214 || code == 509 ||
         (code >= 501 && code <= 507);
}

static int covered(void) {
  int missing = 0;
  for (size_t i = 0; i < rcv_code_count; i++) {
    int code = (int)rcv_code_table[i].code;
    if (!never_leads(code) && led[code] == 0) {
      printf("no state was led by UW-%03d %s\n", code, rcv_code_table[i].name);
      missing++;
    }
    if (never_leads(code) && led[code] != 0) {
      printf("UW-%03d %s must never lead\n", code, rcv_code_table[i].name);
      missing++;
    }
  }
  for (int c = 0; c < RCV_CLASS_COUNT; c++) {
    if (seen[c] == 0) {
      printf("no host was of class %s\n", rcv_enum_name(&rcv_class_enum, c));
      missing++;
    }
  }
  return missing;
}

int main(int argc, char **argv) {
  uint64_t seed = 88172645463325252u;
  long how_many = 2000000;
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc) {
      seed = strtoull(argv[++i], NULL, 10) | 1;
    } else if (strcmp(argv[i], "--random") == 0 && i + 1 < argc) {
      how_many = strtol(argv[++i], NULL, 10);
    } else if (strcmp(argv[i], "--first") == 0) {
      first_is_enough = 1;
    } else if (strcmp(argv[i], "--show") == 0 && i + 1 < argc) {
      show = strtol(argv[++i], NULL, 10);
    } else {
      fprintf(stderr, "usage: exhaust [--seed N] [--random N] [--show N] [--first]\n");
      return 2;
    }
  }
  clock_t begin = clock();
  memset(&binding, 0x42, sizeof binding);
  blank_evidence(&ev);
  good_policy();
  static const struct {
    const char *name;
    void (*run)(void);
  } parts[] = {{"looks", looks},        {"hosts", hosts},   {"records", records},
               {"edges", record_edges}, {"server", server}, {"watching", watching},
               {"identity", identity},  {"sworn", sworn},   {"bounds", bounds}};
  for (int i = 0; i < COUNT(parts); i++) {
    long s = states, r = resets, w = wrong;
    clock_t t = clock();
    parts[i].run();
    printf("%-9s %10ld states %8ld resets %6ld disagreements %6.2f s\n", parts[i].name, states - s,
           resets - r, wrong - w, (double)(clock() - t) / CLOCKS_PER_SEC);
  }
  long s = states, r = resets, w = wrong;
  random_mixtures(seed, how_many);
  printf("%-9s %10ld states %8ld resets %6ld disagreements\n", "random", states - s, resets - r,
         wrong - w);
  for (int k = 0; k < RCV_VERDICT_COUNT; k++) {
    printf("%s %ld%s", rcv_enum_name(&rcv_verdict_kind_enum, k), kinds[k],
           k + 1 < RCV_VERDICT_COUNT ? ", " : "\n");
  }
  for (int k = 0; k < kinds_of_wrong; k++) {
    printf("%8ld x %s: %s, oracle UW-%03d, recovery UW-%03d\n", kind_of_wrong[k].count,
           kind_of_wrong[k].part, kind_of_wrong[k].what, kind_of_wrong[k].want,
           kind_of_wrong[k].got);
  }
  int missing = covered();
  printf("exhaust: %ld states, %ld resets, %ld disagreements, %d not covered, %.1f s\n", states,
         resets, wrong, missing, (double)(clock() - begin) / CLOCKS_PER_SEC);
  return wrong == 0 && missing == 0 ? 0 : 1;
}
