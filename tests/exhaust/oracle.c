/* The oracle; see oracle.h. Sources in brackets: R = the lead's rulings, C = contract section. */
#include "tests/exhaust/oracle.h"

#include <string.h>

/* ---- one host ------------------------------------------------------------------------- */

#define BIT(c) (1u << RCV_CLASS_##c)
#define FOREIGN (1u << RCV_CLASS_COUNT)       /* a domain with this UUID that is not ours */
#define VOUCHED (1u << (RCV_CLASS_COUNT + 1)) /* not reached, attested by name */
#define MARKS (RCV_CLASS_COUNT + 2)

#define LIVE (BIT(RUN) | BIT(PUSER) | BIT(PERR) | BIT(SUSP))
#define COPY (LIVE | BIT(PMIG) | BIT(STUCK) | BIT(CRASHED) | BIT(DYING))
#define GONE (BIT(ABSENT) | BIT(OFF_DEFINITE) | VOUCHED)
#define NOT_THERE (GONE | BIT(OFF_UNKNOWN))
#define JOB_OR_HANG (BIT(OUT) | BIT(IN) | BIT(PC) | BIT(PCF) | BIT(STUCK))

/* What a state/reason pair means once no job and no hang speaks. '*' = any reason. */
#define ANY INT64_MIN
static const struct {
  int64_t state, from, to;
  enum rcv_tri active; /* what virDomainIsActive must have said */
  enum rcv_class cls;
} meaning[] = {
    {1, 0, 9, RCV_TRI_YES, RCV_CLASS_RUN},
    {3, 1, 1, RCV_TRI_YES, RCV_CLASS_PUSER},
    {3, 2, 2, RCV_TRI_YES, RCV_CLASS_PMIG},
    {3, 0, 0, RCV_TRI_YES, RCV_CLASS_PERR},
    {3, 3, 7, RCV_TRI_YES, RCV_CLASS_PERR},
    {3, 9, 10, RCV_TRI_YES, RCV_CLASS_PERR},
    {3, 14, 14, RCV_TRI_YES, RCV_CLASS_PERR},
    {3, 8, 8, RCV_TRI_YES, RCV_CLASS_DYING},
    {4, ANY, ANY, RCV_TRI_YES, RCV_CLASS_DYING},
    {6, ANY, ANY, RCV_TRI_YES, RCV_CLASS_CRASHED},
    {7, ANY, ANY, RCV_TRI_YES, RCV_CLASS_SUSP},
    {5, 1, 4, RCV_TRI_NO, RCV_CLASS_OFF_DEFINITE},
    {5, 6, 6, RCV_TRI_NO, RCV_CLASS_OFF_DEFINITE},
    {5, 8, 8, RCV_TRI_NO, RCV_CLASS_OFF_DEFINITE},
    {5, ANY, ANY, RCV_TRI_NO, RCV_CLASS_OFF_UNKNOWN},
};

static int pair_is(const struct rcv_look *l, int64_t state, int64_t reason) {
  return l->state == state && l->reason == reason;
}

static enum rcv_class off_or_active(const struct rcv_look *l) {
  for (size_t i = 0; i < sizeof meaning / sizeof meaning[0]; i++) {
    int fits =
        meaning[i].from == ANY || (l->reason >= meaning[i].from && l->reason <= meaning[i].to);
    if (meaning[i].state != l->state || !fits || meaning[i].active != l->active) {
      continue;
    }
    if (meaning[i].active == RCV_TRI_NO) {
      /* an off domain has no job; a saved image makes it more than a definition [R] */
      if (l->job != RCV_JOB_NONE && l->job != RCV_JOB_INACTIVE) {
        return RCV_CLASS_UNKNOWN;
      }
      return l->managed_save == RCV_TRI_NO ? meaning[i].cls : RCV_CLASS_OFF_UNKNOWN;
    }
    if (l->job != RCV_JOB_NONE) {
      return RCV_CLASS_UNKNOWN;
    }
    if (meaning[i].cls == RCV_CLASS_RUN && (l->control != RCV_CONTROL_OK || l->domain_id < 1)) {
      return RCV_CLASS_UNKNOWN;
    }
    return meaning[i].cls;
  }
  return RCV_CLASS_UNKNOWN;
}

enum rcv_class orc_class(const struct rcv_look *l) {
  if (l->reach != RCV_REACH_OK || l->presence == RCV_PRESENCE_UNKNOWN) {
    return RCV_CLASS_UNKNOWN;
  }
  if (l->presence == RCV_PRESENCE_ABSENT) {
    return RCV_CLASS_ABSENT;
  }
  const struct {
    int fits;
    enum rcv_class cls;
  } first[] = {
      {pair_is(l, 1, 11) || pair_is(l, 3, 13), RCV_CLASS_PCF},
      {pair_is(l, 1, 10) || pair_is(l, 3, 12), RCV_CLASS_PC},
      {l->job == RCV_JOB_HUNG, RCV_CLASS_STUCK},
      {l->control == RCV_CONTROL_JOB || l->control == RCV_CONTROL_OCCUPIED ||
           l->control == RCV_CONTROL_ERROR,
       RCV_CLASS_STUCK},
      {l->job == RCV_JOB_IN, RCV_CLASS_IN},
      {l->job == RCV_JOB_OUT, RCV_CLASS_OUT},
  };
  for (size_t i = 0; i < sizeof first / sizeof first[0]; i++) {
    if (first[i].fits) {
      return first[i].cls;
    }
  }
  return off_or_active(l);
}

/* ---- the picture ---------------------------------------------------------------------- */

struct picture {
  const struct rcv_evidence *e;
  const struct rcv_policy *p;
  const struct rcv_nova *nova;
  int n;
  int h;
  uint32_t mark[RCV_MAX_CANDIDATES];
  uint32_t home; /* mark of the record host, 0 without one */
  uint32_t away; /* union of the marks of all others */
  uint32_t all;
  int count[MARKS];
  int away_live;  /* live copies not on the record host */
  int live_at;    /* one of them, -1 none */
  int copies;     /* COPY marks */
  int migrating;  /* task_state */
  int idle;       /* task_state none */
  int settled;    /* rounds, window, agreement, readings and heartbeat satisfy the policy */
  int monitor_ok; /* as far as the policy asks */
};

static int accepted(const struct picture *g, enum rcv_attestation which) {
  return (g->p->attest_accepted & (int64_t)which) != 0;
}

static enum rcv_svc service(const struct picture *g, int64_t c) {
  if (c < 0 || c >= g->n || g->e->candidate[c].service_agreed != RCV_TRI_YES) {
    return RCV_SVC_UNKNOWN;
  }
  return g->e->candidate[c].service_last;
}

static int stopped(const struct picture *g, int64_t c) {
  enum rcv_svc s = service(g, c);
  return c >= 0 && accepted(g, RCV_ATTEST_COMPUTE_STOPPED) &&
         g->e->candidate[c].attested_stopped == RCV_TRI_YES &&
         (s == RCV_SVC_DOWN || s == RCV_SVC_FORCED_DOWN || s == RCV_SVC_MISSING);
}

static int restarted(const struct picture *g, int64_t c) {
  return c >= 0 && accepted(g, RCV_ATTEST_COMPUTE_RESTARTED) &&
         g->e->candidate[c].attested_restarted == RCV_TRI_YES && g->nova->vm_state == RCV_VM_ERROR;
}

static int dead(const struct picture *g, int64_t c) {
  return service(g, c) == RCV_SVC_DOWN || stopped(g, c) || restarted(g, c);
}

static int vouched(const struct picture *g, int i) {
  const struct rcv_candidate *c = &g->e->candidate[i];
  if (i == g->e->nova_last.record_host || c->first.reach == RCV_REACH_OK ||
      c->last.reach == RCV_REACH_OK) {
    return 0;
  }
  if (accepted(g, RCV_ATTEST_HOST_FENCED) && c->attested_fenced == RCV_TRI_YES) {
    return 1;
  }
  return accepted(g, RCV_ATTEST_HOST_GONE) && c->attested_gone == RCV_TRI_YES &&
         c->of_newest_record == RCV_TRI_NO && service(g, i) == RCV_SVC_MISSING &&
         c->hypervisor_listed == RCV_TRI_NO;
}

/* A domain with the instance's UUID that is certainly not the instance. */
static int stranger(const struct rcv_look *l) {
  return l->reach == RCV_REACH_OK && l->presence == RCV_PRESENCE_PRESENT &&
         (l->owner == RCV_OWNER_DIFFERENT || l->name_equal == RCV_TRI_NO);
}

static uint32_t mark_of(const struct picture *g, int i) {
  const struct rcv_look *l = &g->e->candidate[i].last;
  enum rcv_class cls = orc_class(l);
  return vouched(g, i) ? VOUCHED : cls != RCV_CLASS_UNKNOWN && stranger(l) ? FOREIGN : 1u << cls;
}

static int settled(const struct picture *g) {
  const struct rcv_evidence *e = g->e;
  int ok = e->rounds >= g->p->observe_rounds && e->rounds >= 1 && e->first_round_ms >= 0 &&
           e->last_round_ms - e->first_round_ms >= g->p->observe_window_ms;
  ok = ok && e->nova_reads >= 2 && e->nova_agreed == RCV_TRI_YES && e->heartbeat == RCV_TRI_NO;
  ok = ok && e->nova_first.end_ms >= 0 && e->nova_first.end_ms <= e->first_round_ms &&
       e->nova_last.start_ms >= e->last_round_ms;
  for (int i = 0; i < g->n; i++) {
    ok = ok && e->candidate[i].agreed == RCV_TRI_YES;
  }
  return ok;
}

/* Of a reading that is not ok nothing is read further [facts.def], the record host included. */
static const struct rcv_nova *unread(enum rcv_api api) {
  static const struct rcv_nova blank[RCV_API_COUNT] = {
#define BLANK(a)                                                                                   \
  [RCV_API_##a] = {.api = RCV_API_##a,                                                             \
                   .record_host = -1,                                                              \
                   .mig_source = -1,                                                               \
                   .mig_dest = -1,                                                                 \
                   .mig_updated_s = -1,                                                            \
                   .action_start_s = -1,                                                           \
                   .server_updated_s = -1,                                                         \
                   .max_minor = -1,                                                                \
                   .now_s = -1}
      BLANK(NONE), BLANK(UNAVAILABLE), BLANK(HIDDEN), BLANK(DOWN_CELL)};
  return &blank[api];
}

static void look_at(struct picture *g, const struct rcv_evidence *e, const struct rcv_policy *p) {
  memset(g, 0, sizeof *g);
  g->e = e;
  g->p = p;
  g->nova = e->nova_last.api == RCV_API_OK ? &e->nova_last : unread(e->nova_last.api);
  g->n = (int)e->candidates;
  g->h = (int)g->nova->record_host;
  g->live_at = -1;
  for (int i = 0; i < g->n; i++) {
    uint32_t m = mark_of(g, i);
    g->mark[i] = m;
    g->all |= m;
    g->copies += (m & COPY) != 0;
    for (int b = 0; b < MARKS; b++) {
      g->count[b] += m == 1u << b;
    }
    if (i == g->h) {
      g->home = m;
    } else {
      g->away |= m;
      g->away_live += (m & LIVE) != 0;
      g->live_at = m == BIT(RUN) || ((m & LIVE) != 0 && g->live_at < 0) ? i : g->live_at;
    }
  }
  g->migrating = g->nova->task_state == RCV_TASK_MIGRATING;
  g->idle = g->nova->task_state == RCV_TASK_NONE;
  g->settled = settled(g);
  g->monitor_ok = p->monitor_check == 0 ||
                  (g->h >= 0 && e->candidate[g->h].last.monitor == RCV_MONITOR_ANSWERED);
}

static const struct rcv_look *at_home(const struct picture *g) {
  static const struct rcv_look nothing = {.state = -1, .reason = -1};
  return g->h >= 0 ? &g->e->candidate[g->h].last : &nothing;
}

static int only(uint32_t marks, uint32_t allowed) { return (marks & ~allowed) == 0; }

/* ---- hosts: predicates ---------------------------------------------------------------- */

/* Two names for one host, as far as it can be told of these two. */
static int one_host(const struct picture *g, int i, int j) {
  const struct rcv_candidate *a = &g->e->candidate[i];
  const struct rcv_candidate *b = &g->e->candidate[j];
  int linked = a->same_uuid_as == j || b->same_uuid_as == i || a->same_name_as == j ||
               b->same_name_as == i ||
               (a->same_uuid_as >= 0 && a->same_uuid_as == b->same_uuid_as) ||
               (a->same_name_as >= 0 && a->same_name_as == b->same_name_as);
  int twins = g->mark[i] == BIT(RUN) && g->mark[j] == BIT(RUN) && a->last.domain_id > 0 &&
              a->last.domain_id == b->last.domain_id && a->last.vcpu_time_ms >= 0 &&
              a->last.vcpu_time_ms == b->last.vcpu_time_ms;
  return linked || twins;
}

static int runs(const struct picture *g, int i) {
  const struct rcv_look *l = &g->e->candidate[i].last;
  int up = l->reach == RCV_REACH_OK && l->presence == RCV_PRESENCE_PRESENT &&
           l->active == RCV_TRI_YES && l->state == 1 && l->reason != 10 && l->reason != 11;
  int job = l->job == RCV_JOB_UNKNOWN || l->job == RCV_JOB_OTHER || l->job == RCV_JOB_HUNG;
  return up && !stranger(l) && ((g->mark[i] & (BIT(RUN) | BIT(OUT))) != 0 || job);
}

static int is_split(const struct picture *g) {
  for (int i = 0; i < g->n; i++) {
    for (int j = 0; j < i; j++) {
      if (runs(g, i) && runs(g, j) && !one_host(g, i, j)) {
        return 1;
      }
    }
  }
  return 0;
}

static int is_twice(const struct picture *g) {
  for (int i = 0; i < g->n; i++) {
    const struct rcv_candidate *c = &g->e->candidate[i];
    if ((c->same_uuid_as >= 0 && c->same_uuid_as != i) ||
        (c->same_name_as >= 0 && c->same_name_as != i)) {
      return 1;
    }
    for (int j = 0; j < i; j++) {
      if (g->mark[i] == BIT(RUN) && g->mark[j] == BIT(RUN) && one_host(g, i, j)) {
        return 1;
      }
    }
  }
  return 0;
}

static int seen_postcopy_elsewhere(const struct picture *g, int t) {
  for (int i = 0; i < g->n; i++) {
    if (i != t && g->e->candidate[i].seen_postcopy == RCV_TRI_YES) {
      return 1;
    }
  }
  return 0;
}

/* -1 nothing of post-copy, 0 in flight, 1 failed */
static int postcopy(const struct picture *g) {
  if ((g->all & BIT(PCF)) != 0) {
    return 1;
  }
  if ((g->all & BIT(PC)) == 0) {
    return -1;
  }
  /* a side that could not be seen may well hold the other half */
  int blind = (g->all & BIT(UNKNOWN)) != 0;
  for (int i = 0; i < g->n && !blind; i++) {
    if (g->mark[i] != BIT(PC)) {
      continue;
    }
    if (i != g->h && (g->home & NOT_THERE) != 0 && !seen_postcopy_elsewhere(g, i)) {
      return 1;
    }
    if (i == g->h && at_home(g)->state == 3 && (g->away & (BIT(PC) | BIT(IN))) == 0) {
      return 1;
    }
  }
  return 0;
}
static int is_postcopy_failed(const struct picture *g) { return postcopy(g) == 1; }
static int is_postcopy(const struct picture *g) { return postcopy(g) == 0; }

/* Both sides paused in the switch-over, the job still there: that pair, whatever else there is. */
static int switching(const struct picture *g) {
  for (int i = 0; i < g->n; i++) {
    if (g->home == BIT(OUT) && pair_is(at_home(g), 3, 2) && g->mark[i] == BIT(IN) &&
        pair_is(&g->e->candidate[i].last, 3, 2)) {
      return 1;
    }
  }
  return 0;
}

/* Outgoing jobs that are not half of that pair. */
static int outgoing(const struct picture *g) { return g->count[RCV_CLASS_OUT] - switching(g); }

/* Nobody sends; a copy that hangs may well be sending [lab d-src-qemu-hung]. */
static int incoming_alone(const struct picture *g) {
  return (g->all & BIT(IN)) != 0 && (g->all & (BIT(OUT) | BIT(STUCK))) == 0;
}

/* The one live copy is not at home; a running one beats any number of paused ones. */
static int moved(const struct picture *g) {
  if ((g->home & BIT(RUN)) != 0 || (g->all & (BIT(UNKNOWN) | BIT(OUT) | BIT(PC) | BIT(PCF))) != 0) {
    return 0;
  }
  return g->count[RCV_CLASS_RUN] == 1 ||
         (g->count[RCV_CLASS_RUN] == 0 && g->away_live == 1 && (g->home & LIVE) == 0);
}

static int64_t since(const struct picture *g, int64_t then) {
  int64_t now = g->nova->now_s;
  return then < 0 || now < then ? 0 : now - then;
}

static int64_t age_of_record(const struct picture *g, int for_gates) {
  if (g->nova->mig_present != RCV_TRI_NO) {
    return since(g, g->nova->mig_updated_s);
  }
  if (for_gates && g->nova->action_start_s >= 0) {
    return since(g, g->nova->action_start_s);
  }
  return since(g, g->nova->server_updated_s);
}

static int moving_now(const struct picture *g) {
  return moved(g) && g->migrating && age_of_record(g, 0) < g->p->age_terminal_s;
}
static int is_moved(const struct picture *g) { return moved(g) && !moving_now(g); }

static int past_split(const struct picture *g) {
  if (g->home != BIT(RUN) || (at_home(g)->reason != 5 && at_home(g)->reason != 6)) {
    return 0;
  }
  for (int i = 0; i < g->n; i++) {
    int64_t r = g->e->candidate[i].last.reason;
    if ((g->mark[i] & (BIT(OFF_DEFINITE) | BIT(OFF_UNKNOWN))) != 0 &&
        (r == 1 || r == 2 || r == 3 || r == 8)) {
      return 1;
    }
  }
  return 0;
}

static int is_second(const struct picture *g) {
  return past_split(g) || (g->copies >= 2 && (g->all & LIVE) != 0);
}

/* Nova itself says the guest is off, and it is [R: task NONE]. */
static int off_by_nova(const struct picture *g) {
  static const enum rcv_vm off[] = {RCV_VM_STOPPED, RCV_VM_SUSPENDED,
                                    RCV_VM_SHELVED, RCV_VM_SHELVED_OFFLOADED,
                                    RCV_VM_DELETED, RCV_VM_SOFT_DELETED};
  int said = 0;
  for (size_t i = 0; i < sizeof off / sizeof off[0]; i++) {
    said += g->nova->vm_state == off[i];
  }
  return said && g->idle && only(g->home, NOT_THERE) && only(g->away, GONE);
}
static int at_home_by_nova(const struct picture *g) {
  return g->idle && (g->home & LIVE) != 0 && only(g->away, GONE) && !past_split(g) &&
         at_home(g)->monitor != RCV_MONITOR_MUTE;
}
static int is_no_owner(const struct picture *g) {
  return g->n > 0 && only(g->all, GONE) && !off_by_nova(g);
}
/* No job, or only the incoming one that nobody feeds, and a side stopped in between [nova 20]. */
static int is_undecided(const struct picture *g) {
  int half = incoming_alone(g) && g->settled && (g->all & BIT(PMIG)) != 0;
  return (switching(g) && g->settled) || half || g->count[RCV_CLASS_PMIG] >= 2;
}
static int is_paused_migration(const struct picture *g) {
  return g->count[RCV_CLASS_PMIG] == 1 && only(g->all, NOT_THERE | BIT(PMIG));
}
static int is_user_paused(const struct picture *g) {
  return (g->home == BIT(PUSER) && !at_home_by_nova(g)) ||
         (g->migrating && g->nova->vm_state == RCV_VM_PAUSED);
}
static int is_error_paused(const struct picture *g) {
  return g->home == BIT(PERR) && !at_home_by_nova(g);
}
static int is_suspended(const struct picture *g) {
  return g->home == BIT(SUSP) && !at_home_by_nova(g);
}
static int is_remnant(const struct picture *g) {
  return incoming_alone(g) && g->settled && (g->all & BIT(PMIG)) == 0;
}
static int is_off_unknown(const struct picture *g) {
  return (g->all & BIT(OFF_UNKNOWN)) != 0 && !off_by_nova(g);
}
static int is_stuck(const struct picture *g) {
  return (g->all & BIT(STUCK)) != 0 ||
         (at_home(g)->monitor == RCV_MONITOR_MUTE && g->home != FOREIGN);
}
static int is_foreign(const struct picture *g) {
  int strangers = 0;
  for (int i = 0; i < g->n; i++) {
    strangers += stranger(&g->e->candidate[i].last);
  }
  return strangers != 0;
}
static int is_unstable_owner(const struct picture *g) {
  return (g->all & (BIT(CRASHED) | BIT(DYING))) != 0;
}
static int is_storage(const struct picture *g) {
  return at_home(g)->mirror == RCV_TRI_YES && !at_home_by_nova(g);
}
static int is_unlabelled(const struct picture *g) {
  for (int i = 0; i < g->n && g->p->require_metadata != 0; i++) {
    const struct rcv_look *l = &g->e->candidate[i].last;
    if (l->reach == RCV_REACH_OK && l->presence == RCV_PRESENCE_PRESENT &&
        l->owner == RCV_OWNER_NO_METADATA) {
      return 1;
    }
  }
  return 0;
}

/* ---- observation: predicates ---------------------------------------------------------- */

static int blind_by(const struct picture *g, enum rcv_reach a, enum rcv_reach b, enum rcv_reach c) {
  for (int i = 0; i < g->n; i++) {
    enum rcv_reach r = g->e->candidate[i].last.reach;
    if (g->mark[i] == BIT(UNKNOWN) && (r == a || r == b || r == c)) {
      return 1;
    }
  }
  return 0;
}
static int is_unreachable(const struct picture *g) {
  return blind_by(g, RCV_REACH_UNREACHABLE, RCV_REACH_BAD_REPLY, RCV_REACH_NONE);
}
static int is_timeout(const struct picture *g) {
  return blind_by(g, RCV_REACH_TIMEOUT, RCV_REACH_TIMEOUT, RCV_REACH_TIMEOUT);
}
static int is_auth(const struct picture *g) {
  return blind_by(g, RCV_REACH_AUTH_FAILED, RCV_REACH_AUTH_FAILED, RCV_REACH_AUTH_FAILED);
}
static int is_mismatch(const struct picture *g) {
  return blind_by(g, RCV_REACH_IDENTITY_MISMATCH, RCV_REACH_IDENTITY_MISMATCH,
                  RCV_REACH_IDENTITY_MISMATCH);
}
static int is_unmapped(const struct picture *g) {
  return blind_by(g, RCV_REACH_UNMAPPED, RCV_REACH_UNMAPPED, RCV_REACH_UNMAPPED);
}

/* The XML of a domain at home was not read and nothing explains why. */
static int unread_at_home(const struct picture *g) {
  const struct rcv_look *l = at_home(g);
  if (l->presence != RCV_PRESENCE_PRESENT ||
      (g->home & (JOB_OR_HANG | FOREIGN | BIT(UNKNOWN))) != 0) {
    return 0;
  }
  return l->owner == RCV_OWNER_UNKNOWN || l->name_equal == RCV_TRI_UNKNOWN ||
         (g->home == BIT(RUN) && l->mirror == RCV_TRI_UNKNOWN);
}

static int is_unstable(const struct picture *g) {
  int excused = (g->all & (BIT(OUT) | BIT(PC))) != 0;
  int restless = g->e->nova_agreed == RCV_TRI_NO;
  for (int i = 0; i < g->n; i++) {
    restless += g->e->candidate[i].agreed == RCV_TRI_NO && g->mark[i] != VOUCHED;
  }
  return (restless != 0 && !excused) || unread_at_home(g) ||
         blind_by(g, RCV_REACH_OK, RCV_REACH_OK, RCV_REACH_OK);
}

static int is_many(const struct picture *g) { return g->e->too_many != RCV_TRI_NO; }
static int is_api_down(const struct picture *g) {
  return g->nova->api == RCV_API_UNAVAILABLE || g->nova->api == RCV_API_NONE;
}
static int is_hidden(const struct picture *g) {
  const struct rcv_nova *v = g->nova;
  if (v->api != RCV_API_OK) {
    return v->api == RCV_API_HIDDEN || v->api == RCV_API_DOWN_CELL;
  }
  int record = v->mig_present == RCV_TRI_YES &&
               (v->mig_source < 0 || (v->mig_dest < 0 && v->mig_status != RCV_MIG_ACCEPTED));
  return v->record_host < 0 || v->vm_state == RCV_VM_UNKNOWN || v->task_state == RCV_TASK_UNKNOWN ||
         v->newer_action == RCV_ACT_UNKNOWN || v->evacuation == RCV_EVAC_UNKNOWN ||
         v->mig_present == RCV_TRI_UNKNOWN || v->hypervisor == RCV_HV_UNKNOWN || record;
}

/* ---- waits ---------------------------------------------------------------------------- */

static int is_migrating(const struct picture *g) {
  return outgoing(g) > 0 || (g->migrating && g->e->heartbeat == RCV_TRI_YES);
}
static int is_settling(const struct picture *g) {
  return ((switching(g) || incoming_alone(g)) && !g->settled) || moving_now(g);
}

/* ---- Nova's side ---------------------------------------------------------------------- */

static int other_task(const struct picture *g) { return !g->migrating && !g->idle; }
static int resizing(const struct picture *g) {
  return g->nova->task_state == RCV_TASK_RESIZE || g->nova->vm_state == RCV_VM_RESIZED;
}
static int is_not_live(const struct picture *g) { return other_task(g) && resizing(g); }
static int is_other_task(const struct picture *g) {
  enum rcv_vm s = g->nova->vm_state;
  int odd = s != RCV_VM_ACTIVE && s != RCV_VM_PAUSED && s != RCV_VM_ERROR && s != RCV_VM_UNKNOWN;
  return (other_task(g) && !resizing(g) && g->nova->task_state != RCV_TASK_UNKNOWN) ||
         (g->migrating && odd);
}
static int is_vm_error(const struct picture *g) {
  return g->migrating && g->nova->vm_state == RCV_VM_ERROR && !stopped(g, g->h) &&
         !restarted(g, g->h);
}
static int is_evacuated(const struct picture *g) {
  return g->nova->evacuation == RCV_EVAC_PENDING || g->nova->evacuation == RCV_EVAC_DONE_NEWER;
}
static int is_newer(const struct picture *g) {
  return g->migrating && g->nova->newer_action == RCV_ACT_OTHER;
}

/* The gates, one row per status: how young is too young, and what must be shown after it. */
enum limit { TERMINAL, ERROR_UP, NONTERMINAL, DOWN };
enum tail { NOTHING_MORE, EMPTY_QUEUE, DEAD_THREAD, DEAD_THREAD_IF_ASKED };
static const struct {
  enum rcv_mig status;
  enum limit alive, when_dead;
  enum tail then;
} gate_row[] = {
    {RCV_MIG_ACCEPTED, NONTERMINAL, DOWN, EMPTY_QUEUE},
    {RCV_MIG_QUEUED, NONTERMINAL, DOWN, DEAD_THREAD},
    {RCV_MIG_PREPARING, NONTERMINAL, DOWN, DEAD_THREAD},
    {RCV_MIG_RUNNING, NONTERMINAL, DOWN, DEAD_THREAD_IF_ASKED},
    {RCV_MIG_POSTCOPY, NONTERMINAL, DOWN, DEAD_THREAD_IF_ASKED},
    {RCV_MIG_COMPLETED, TERMINAL, TERMINAL, NOTHING_MORE},
    {RCV_MIG_FAILED, TERMINAL, TERMINAL, NOTHING_MORE},
    {RCV_MIG_CANCELLED, TERMINAL, TERMINAL, NOTHING_MORE},
    {RCV_MIG_ERROR, ERROR_UP, TERMINAL, NOTHING_MORE},
};

static int64_t seconds(const struct picture *g, enum limit which) {
  const int64_t value[] = {g->p->age_terminal_s, g->p->age_terminal_error_up_s,
                           g->p->age_nonterminal_s, g->p->age_nonterminal_down_s};
  return value[which];
}

static int queue_empty(const struct picture *g) {
  return accepted(g, RCV_ATTEST_QUEUE_EMPTY) && g->e->attested_queue_empty == RCV_TRI_YES;
}

static int clean(const struct picture *g) {
  return g->migrating && g->home == BIT(RUN) && only(g->away, GONE);
}

/* Code the gates raise, 0 for a clear way; *left = seconds missing for TOO_YOUNG. */
static int gate(const struct picture *g, int64_t *left) {
  const struct rcv_nova *v = g->nova;
  int64_t age = age_of_record(g, 1);
  if (v->mig_present == RCV_TRI_NO) {
    *left = g->p->age_terminal_s - age;
    int old = age >= g->p->age_missing_record_s && g->e->conductor_always_up == RCV_TRI_YES;
    return *left > 0 ? 306 : (queue_empty(g) || old ? 0 : 256);
  }
  int from_home = v->mig_source == g->h;
  if ((!from_home && v->mig_dest != g->h) ||
      (from_home && (v->mig_status == RCV_MIG_POSTCOPY || v->mig_status == RCV_MIG_COMPLETED))) {
    return 215;
  }
  if (v->mig_status == RCV_MIG_QUEUED && v->queued_behind != RCV_TRI_NO) {
    return 305;
  }
  for (size_t i = 0; i < sizeof gate_row / sizeof gate_row[0]; i++) {
    if (gate_row[i].status != v->mig_status) {
      continue;
    }
    int src_dead = dead(g, v->mig_source);
    int sworn = stopped(g, v->mig_source) || restarted(g, v->mig_source);
    int asked = (g->p->attest_required & (int64_t)RCV_ATTEST_COMPUTE_STOPPED) != 0;
    *left = seconds(g, src_dead ? gate_row[i].when_dead : gate_row[i].alive) - age;
    if (*left > 0) {
      return 306;
    }
    switch (gate_row[i].then) {
    case NOTHING_MORE: return 0;
    case EMPTY_QUEUE: return queue_empty(g) ? 0 : 256;
    case DEAD_THREAD: return !src_dead ? 255 : (sworn ? 0 : 508);
    case DEAD_THREAD_IF_ASKED: return !src_dead ? 255 : (sworn || !asked ? 0 : 508);
    }
  }
  return 215;
}

static int gates_say(const struct picture *g, int code) {
  int64_t left = 0;
  return clean(g) && g->nova->mig_present != RCV_TRI_UNKNOWN && gate(g, &left) == code;
}
static int is_inconsistent(const struct picture *g) {
  return gates_say(g, 215) || (g->migrating && g->nova->mig_present == RCV_TRI_YES &&
                               g->nova->mig_type != RCV_MTYPE_LIVE);
}
static int is_may_finish(const struct picture *g) { return gates_say(g, 255); }
static int is_cast(const struct picture *g) { return gates_say(g, 256); }
static int is_queued(const struct picture *g) { return gates_say(g, 305); }
static int is_young(const struct picture *g) { return gates_say(g, 306); }
static int is_unattested(const struct picture *g) { return gates_say(g, 508); }

/* ---- secondary ones (they never lead) -------------------------------------------------- */

static int is_stalled(const struct picture *g) {
  int moves = 0, still = 0;
  for (int i = 0; i < g->n; i++) {
    moves += g->e->candidate[i].progressing == RCV_TRI_YES;
    still += g->e->candidate[i].progressing == RCV_TRI_NO && g->mark[i] == BIT(OUT);
  }
  return outgoing(g) > 0 && g->e->rounds >= g->p->observe_rounds && still > 0 && moves == 0;
}
static int is_orphaned(const struct picture *g) {
  for (int i = 0; i < g->n; i++) {
    int other = i != g->h || !switching(g);
    if (g->mark[i] == BIT(OUT) && other && service(g, i) == RCV_SVC_DOWN) {
      return 1;
    }
  }
  return 0;
}
static int is_elsewhere(const struct picture *g) {
  return ((g->all & BIT(UNKNOWN)) != 0 || g->nova->api != RCV_API_OK) &&
         (g->away & (BIT(RUN) | BIT(OUT) | BIT(IN) | BIT(PC) | BIT(PCF))) != 0;
}

/* ---- SAFE, as one conjunction ---------------------------------------------------------- */

static int all_but_complete(const struct picture *g) {
  const struct rcv_look *l = at_home(g);
  int64_t left = 0;
  if (g->h < 0 || !clean(g) || gate(g, &left) != 0) {
    return 0;
  }
  int mine = l->name_equal == RCV_TRI_YES && l->mirror == RCV_TRI_NO &&
             (l->owner == RCV_OWNER_EQUAL ||
              (l->owner == RCV_OWNER_NO_METADATA && g->p->require_metadata == 0));
  int apart = 1;
  for (int i = 0; i < g->n; i++) {
    const struct rcv_candidate *c = &g->e->candidate[i];
    apart =
        apart && (c->last.reach != RCV_REACH_OK || (c->same_uuid_as == i && c->same_name_as == i));
  }
  int nova = g->nova->api == RCV_API_OK && g->nova->hypervisor == RCV_HV_QEMU &&
             (g->nova->vm_state == RCV_VM_ACTIVE ||
              (g->nova->vm_state == RCV_VM_ERROR && (stopped(g, g->h) || restarted(g, g->h)))) &&
             (g->nova->newer_action == RCV_ACT_NONE || g->nova->newer_action == RCV_ACT_HARMLESS) &&
             (g->nova->evacuation == RCV_EVAC_NONE || g->nova->evacuation == RCV_EVAC_OLDER);
  return mine && apart && nova && l->monitor != RCV_MONITOR_MUTE && !past_split(g) &&
         !is_unlabelled(g);
}

/* ---- the list -------------------------------------------------------------------------- */

static const struct rule {
  int code;
  int (*when)(const struct picture *g);
} rules[] = {
    {RCV_CODE_SPLIT_BRAIN, is_split},
    {RCV_CODE_OWNER_MOVED, is_moved},
    {RCV_CODE_SECOND_COPY, is_second},
    {RCV_CODE_NO_OWNER, is_no_owner},
    {RCV_CODE_POSTCOPY_FAILED, is_postcopy_failed},
    {RCV_CODE_SWITCHOVER_UNDECIDED, is_undecided},
    {RCV_CODE_PAUSED_MIGRATION, is_paused_migration},
    {RCV_CODE_PAUSED_BY_USER, is_user_paused},
    {RCV_CODE_PAUSED_ERROR, is_error_paused},
    {RCV_CODE_INCOMING_REMNANT, is_remnant},
    {RCV_CODE_OFF_UNKNOWN, is_off_unknown},
    {RCV_CODE_MONITOR_STUCK, is_stuck},
    {RCV_CODE_FOREIGN_DOMAIN, is_foreign},
    {RCV_CODE_INCONSISTENT_RECORD, is_inconsistent},
    {RCV_CODE_NO_STABLE_OWNER, is_unstable_owner},
    {RCV_CODE_STORAGE_JOB, is_storage},
    {RCV_CODE_NO_METADATA, is_unlabelled},
    {RCV_CODE_SUSPENDED, is_suspended},
    {RCV_CODE_NOT_LIVE_MIGRATION, is_not_live},
    {RCV_CODE_VM_STATE_ERROR, is_vm_error},
    {RCV_CODE_OTHER_TASK, is_other_task},
    {RCV_CODE_EVACUATION_RECORD, is_evacuated},
    {RCV_CODE_MAY_STILL_FINISH, is_may_finish},
    {RCV_CODE_CAST_MAY_BE_PENDING, is_cast},
    {RCV_CODE_NEWER_ACTION, is_newer},
    {RCV_CODE_STILL_MIGRATING, is_migrating},
    {RCV_CODE_JOB_STALLED, is_stalled},
    {RCV_CODE_JOB_ORPHANED, is_orphaned},
    {RCV_CODE_POSTCOPY, is_postcopy},
    {RCV_CODE_QUEUED, is_queued},
    {RCV_CODE_TOO_YOUNG, is_young},
    {RCV_CODE_SETTLING, is_settling},
    {RCV_CODE_HOST_UNREACHABLE, is_unreachable},
    {RCV_CODE_HOST_TIMEOUT, is_timeout},
    {RCV_CODE_HOST_AUTH_FAILED, is_auth},
    {RCV_CODE_IDENTITY_MISMATCH, is_mismatch},
    {RCV_CODE_SAME_HOST_TWICE, is_twice},
    {RCV_CODE_UNSTABLE_OBSERVATION, is_unstable},
    {RCV_CODE_API_UNAVAILABLE, is_api_down},
    {RCV_CODE_API_HIDDEN, is_hidden},
    {RCV_CODE_TOO_MANY_CANDIDATES, is_many},
    {RCV_CODE_HOST_UNMAPPED, is_unmapped},
    {RCV_CODE_RUNS_ELSEWHERE, is_elsewhere},
    {RCV_CODE_ATTESTATION_REQUIRED, is_unattested},
};

/* Smaller leads: tier of the contract's precedence, then the number. 0 = never leads. */
static int rank(int code) {
  if (code == 302 || code == 303 || code == 420) {
    return 0;
  }
  int hundreds = code / 100;
  int tier = code == 201     ? 1
             : code == 205   ? 2
             : hundreds == 4 ? 3
             : hundreds == 3 ? 4
             : hundreds == 2 ? 5
             : hundreds == 5 ? 6
                             : 7;
  return tier * 1000 + code;
}

static enum rcv_verdict_kind kind_of(int code) {
  switch (code / 100) {
  case 0: return RCV_VERDICT_NOTHING;
  case 1: return RCV_VERDICT_RESET;
  case 3: return RCV_VERDICT_WAIT;
  case 4: return RCV_VERDICT_UNKNOWN;
  default: return code == 901 ? RCV_VERDICT_UNKNOWN : RCV_VERDICT_REFUSE;
  }
}

static int leader(const struct orc_answer *a) {
  int best = 0;
  for (int i = 0; i < a->raised_count; i++) {
    int r = rank(a->raised[i]);
    if (r != 0 && (best == 0 || r < rank(best))) {
      best = a->raised[i];
    }
  }
  return best;
}

/* Confirmed: everything was seen, and nothing but stopped copies is left anywhere else. */
static int64_t owner_of(const struct picture *g, const struct orc_answer *a) {
  for (int i = 0; i < a->raised_count; i++) {
    if (a->raised[i] / 100 == 4 || a->raised[i] == RCV_CODE_SPLIT_BRAIN) {
      return -1;
    }
  }
  if (moved(g)) {
    return only(g->all, GONE | COPY) ? g->live_at : -1;
  }
  return (g->home & LIVE) != 0 && only(g->away, GONE) ? g->h : -1;
}

/* The ranges that policy.h promises; a policy outside them permits nothing. */
static int policy_in_range(const struct rcv_policy *p) {
  int64_t least = p->age_terminal_s;
  const int64_t ages[] = {p->age_terminal_error_up_s, p->age_nonterminal_s,
                          p->age_nonterminal_down_s, p->age_missing_record_s};
  for (size_t i = 0; i < sizeof ages / sizeof ages[0]; i++) {
    least = ages[i] < least ? ages[i] : least;
  }
  return p->valid == 1 && p->observe_rounds >= 2 && p->observe_window_ms >= 1000 && least >= 0 &&
         (p->monitor_check | 1) == 1 && (p->require_metadata | 1) == 1;
}

void orc_answer(const struct rcv_evidence *e, const struct rcv_policy *p, struct orc_answer *out) {
  struct picture g;
  memset(out, 0, sizeof *out);
  out->owner = -1;
  out->least_look_again_s = -1;
  int early = !policy_in_range(p)                                                         ? 901
              : e->nova_last.hypervisor == RCV_HV_OTHER && e->nova_last.api == RCV_API_OK ? 250
              : e->too_many == RCV_TRI_YES                                                ? 409
                                                                                          : 0;
  if (early != 0) {
    out->code = early;
    out->kind = kind_of(early);
    out->raised[out->raised_count++] = early;
    return;
  }
  look_at(&g, e, p);
  for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
    if (rules[i].when(&g)) {
      out->raised[out->raised_count++] = rules[i].code;
    }
  }
  out->code = leader(out);
  if (e->rounds < 1 && out->code / 100 != 4) { /* not one round, and nothing else says why */
    out->raised[out->raised_count++] = RCV_CODE_UNSTABLE_OBSERVATION;
    out->code = leader(out);
  }
  out->complete = g.settled && g.monitor_ok;
  if (out->code == 0) {
    int but = all_but_complete(&g);
    out->safe = but && out->complete;
    out->code = out->safe ? 101 : but ? 307 : at_home_by_nova(&g) || off_by_nova(&g) ? 1 : 902;
    out->raised[out->raised_count++] = out->code;
  }
  out->kind = kind_of(out->code);
  out->owner = owner_of(&g, out);
  if (out->kind == RCV_VERDICT_WAIT) {
    int64_t left = 1;
    out->least_look_again_s = 1;
    if (out->code == 306 && gate(&g, &left) == 306) {
      out->least_look_again_s = left;
    }
  }
}
