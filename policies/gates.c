#include "policies/gates.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "policies/fields.h"

#define UNKNOWN (-1)
#define NAMES_MAX RCV_TEXT_BYTES

struct gate {
  int64_t code;
  enum pol_param param;
};
#define GATE_ENTRY(id, number, which) [POL_GATE_##id] = {number, POL_PARAM_##which},
static const struct gate gates[POL_GATE_COUNT] = {POL_GATES(GATE_ENTRY)};

#define CLEAR_INT(unit, field, doc) facts->field = UNKNOWN;
#define CLEAR_TEXT(field, bytes, doc) facts->field[0] = '\0';

void pol_gate_facts_init(struct pol_gate_facts *facts) {
  memset(facts, 0, sizeof *facts);
  POL_GATE_FACTS(CLEAR_INT, CLEAR_TEXT)
}

/* One gate at work. */
struct view {
  const struct pol_policy *p;
  const struct pol_gate_facts *f;
  struct pol_gate_result *r;
};

static void say(const struct view *v, bool pass, const char *format, ...) POL_PRINTF(3, 4);

/* Names come from Nova and from files: nothing but printable ASCII reaches a terminal. */
static void say(const struct view *v, bool pass, const char *format, ...) {
  char *text = v->r->text;
  va_list ap;
  va_start(ap, format);
  if (vsnprintf(text, POL_GATE_LINE_BYTES, format, ap) < 0) {
    text[0] = '\0';
  }
  va_end(ap);
  for (; *text != '\0'; text++) {
    if (*text < ' ' || *text > '~') {
      *text = '?';
    }
  }
  v->r->pass = pass ? 1 : 0;
}

static void origin_of(const struct view *v, char out[POL_ORIGIN_BYTES]) {
  struct pol_item item;
  out[0] = '\0';
  if (pol_item(v->p, v->r->param, &item) == 0) {
    memcpy(out, item.origin, sizeof item.origin);
  }
}

static void kill_switch(const struct view *v) {
  const struct pol_gate_facts *f = v->f;
  const char *path = f->kill_switch_path;
  if (f->kill_switch == 1) {
    say(v, false, "kill switch is on: %.200s exists; whoever made it can remove it",
        path[0] != '\0' ? path : "the configured file");
  } else if (f->kill_switch == 0) {
    say(v, true, "kill switch is off");
  } else {
    say(v, false, "kill switch could not be looked for (%.200s); make its directory readable",
        path[0] != '\0' ? path : "no path");
  }
}

static bool local_known(const struct pol_gate_facts *f) {
  return pol_days(f->local_year, f->local_month, f->local_day) >= 0 && f->local_weekday >= 1 &&
         f->local_weekday <= 7 && f->local_hour >= 0 && f->local_hour <= 23 &&
         f->local_minute >= 0 && f->local_minute <= 59;
}

static void freeze(const struct view *v) {
  static const char days[8][4] = {"?", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
  const struct pol_gate_facts *f = v->f;
  const struct pol_freeze *freeze = &v->p->freeze;
  if (freeze->count == 0) {
    say(v, true, "no freeze window is set");
    return;
  }
  if (!local_known(f)) {
    say(v, false, "local time is not known and %lld freeze windows are set; check the clock",
        (long long)freeze->count);
    return;
  }
  char now[48];
  (void)snprintf(now, sizeof now, "%s %04d-%02d-%02d %02d:%02d", days[f->local_weekday],
                 (int)f->local_year, (int)f->local_month, (int)f->local_day, (int)f->local_hour,
                 (int)f->local_minute);
  int64_t today = pol_days(f->local_year, f->local_month, f->local_day);
  for (int64_t i = 0; i < freeze->count; i++) {
    const struct pol_window *w = &freeze->window[i];
    if (pol_window_holds(w, today, f->local_weekday, f->local_hour * 60 + f->local_minute)) {
      say(v, false, "freeze window \"%s\" (%.160s:%lld) is in force; local time is %s", w->text,
          v->p->name, (long long)w->line, now);
      return;
    }
  }
  say(v, true, "none of %lld freeze windows is in force; local time is %s",
      (long long)freeze->count, now);
}

static void storm(const struct view *v) {
  int64_t max = v->p->storm_max_migrating_wedged;
  if (v->f->wedged < 0) {
    say(v, false, "wedged instances could not be counted; at most %lld are allowed",
        (long long)max);
  } else if (v->f->wedged > max) {
    say(v, false,
        "%lld instances are wedged at once, more than %lld; look for one cause (message queue, "
        "database, network) first",
        (long long)v->f->wedged, (long long)max);
  } else {
    say(v, true, "%lld instances are wedged, at most %lld are allowed", (long long)v->f->wedged,
        (long long)max);
  }
}

/* Passes when span seconds have gone by since a moment; the words are for the line. */
static void since(const struct view *v, int64_t moment, int64_t span, const char *what) {
  int64_t now = v->f->now_s;
  if (moment == 0) {
    say(v, true, "%s: never seen", what);
  } else if (moment < 0 || now < 0) {
    say(v, false, "%s: not known; at least %lld s must have passed", what, (long long)span);
  } else if (moment > now) {
    say(v, false, "%s: %lld s in the future; check the clock of this machine", what,
        (long long)(moment - now));
  } else if (now - moment < span) {
    say(v, false, "%s: %lld s ago, less than %lld s; possible again in %lld s", what,
        (long long)(now - moment), (long long)span, (long long)(span - (now - moment)));
  } else {
    say(v, true, "%s: %lld s ago, at least %lld s", what, (long long)(now - moment),
        (long long)span);
  }
}

static void limit(const struct view *v, int64_t made, int64_t max, int64_t hours,
                  const char *where) {
  const char *unit = hours == 1 ? "hour" : "hours";
  if (made < 0) {
    say(v, false, "resets%s in the last %lld %s could not be counted; at most %lld are allowed",
        where, (long long)hours, unit, (long long)max);
  } else {
    say(v, made < max, "%lld of %lld resets%s made in the last %lld %s", (long long)made,
        (long long)max, where, (long long)hours, unit);
  }
}

/* The first entry of the list that matches name, NULL when none does. */
static const char *find_entry(const struct pol_texts *list, const char *name) {
  for (int64_t i = 0; i < list->count; i++) {
    if (pol_host_matches(list->text[i], name)) {
      return list->text[i];
    }
  }
  return NULL;
}

static void deny(const struct view *v, const struct pol_texts *list, const char *what,
                 const char *const *name, size_t names) {
  char origin[POL_ORIGIN_BYTES];
  if (list->count == 0) {
    say(v, true, "no %s is denied", what);
    return;
  }
  origin_of(v, origin);
  if (name[0][0] == '\0') {
    say(v, false, "the %s is not known and %lld are denied (%.160s)", what, (long long)list->count,
        origin);
    return;
  }
  for (size_t i = 0; i < names; i++) {
    const char *entry = name[i][0] != '\0' ? find_entry(list, name[i]) : NULL;
    if (entry != NULL) {
      say(v, false, "%s %.70s is denied by entry '%.70s' (%.160s)", what, name[i], entry, origin);
      return;
    }
  }
  say(v, true, "%s %.200s is not among %lld denied", what, name[0], (long long)list->count);
}

static void only(const struct view *v, const struct pol_texts *list, const char *what,
                 const char *name) {
  char origin[POL_ORIGIN_BYTES];
  if (list->count == 0) {
    say(v, true, "every %s is allowed", what);
    return;
  }
  origin_of(v, origin);
  bool allowed = name[0] != '\0' && find_entry(list, name) != NULL;
  say(v, allowed, "%s %.120s is %samong the %lld allowed (%.160s)", what,
      name[0] != '\0' ? name : "(not known)", allowed ? "" : "not ", (long long)list->count,
      origin);
}

static void open_intent(const struct view *v) {
  const char *run = v->f->open_intent_run;
  if (v->f->open_intent == 0) {
    say(v, true, "no earlier run of this instance is without an outcome");
  } else if (v->f->open_intent == 1) {
    say(v, false, "run %.64s may have acted and has no outcome; use: unwedge journal resolve",
        run[0] != '\0' ? run : "(not named)");
  } else {
    say(v, false, "the journal could not be asked for open intents; see: unwedge journal verify");
  }
}

static void name_statements(int64_t mask, char *out, size_t room) {
  size_t used = 0;
  out[0] = '\0';
  for (int64_t bit = 1; bit <= POL_ATTEST_ALL && used < room; bit *= 2) {
    const char *name = pol_attest_name(bit);
    if ((mask & bit) != 0 && name != NULL) {
      int wrote = snprintf(out + used, room - used, "%s%s", used > 0 ? ", " : "", name);
      used += wrote > 0 ? (size_t)wrote : 0;
    }
  }
}

static void attest_accepted(const struct view *v) {
  char names[NAMES_MAX];
  int64_t made = v->f->attest_made;
  if (made < 0 || (made & ~(int64_t)POL_ATTEST_ALL) != 0) {
    say(v, false, "the statements that were made are not known");
    return;
  }
  int64_t refused = made & ~v->p->attest_accepted;
  name_statements(refused != 0 ? refused : made, names, sizeof names);
  if (refused != 0) {
    say(v, false, "statement %s is not accepted by this policy; leave it out", names);
  } else {
    say(v, true, "%s%s", made != 0 ? "statements made and accepted: " : "no statement was made",
        names);
  }
}

static void attest_required(const struct view *v) {
  char names[NAMES_MAX];
  int64_t made = v->f->attest_made;
  int64_t applicable = v->f->attest_applicable;
  int64_t required = v->p->attest_required;
  if (required != 0 && (made < 0 || applicable < 0)) {
    name_statements(required, names, sizeof names);
    say(v, false, "it is not known whether a statement is called for (%s)", names);
    return;
  }
  int64_t missing = required & applicable & ~made;
  if (required == 0 || missing == 0) {
    say(v, true, "no required statement is missing");
    return;
  }
  name_statements(missing, names, sizeof names);
  say(v, false, "statement required: %s; find out, then add it with --attest", names);
}

static void never_writes(const struct view *v) {
  if (v->p->apply_allow == 1) {
    say(v, true, "policy %.160s allows acts", v->p->name);
  } else {
    say(v, false, "policy %.160s never acts (apply.allow is false); configure another to act",
        v->p->name);
  }
}

static void evaluate(const struct view *v, enum pol_gate gate) {
  const struct pol_policy *p = v->p;
  const struct pol_gate_facts *f = v->f;
  const char *const instance[] = {f->instance};
  const char *const project[] = {f->project};
  const char *const host[] = {f->host, f->source, f->dest};
  switch (gate) {
  case POL_GATE_KILL_SWITCH: kill_switch(v); return;
  case POL_GATE_FREEZE: freeze(v); return;
  case POL_GATE_STORM: storm(v); return;
  case POL_GATE_STORM_COOLDOWN:
    since(v, f->storm_seen_s, p->storm_cooldown_s, "last storm");
    return;
  case POL_GATE_LIMIT_HOUR: limit(v, f->resets_hour, p->limit_per_hour, 1, ""); return;
  case POL_GATE_LIMIT_DAY: limit(v, f->resets_day, p->limit_per_day, 24, ""); return;
  case POL_GATE_LIMIT_HOST_HOUR:
    limit(v, f->resets_host_hour, p->limit_per_host_hour, 1, " on this host");
    return;
  case POL_GATE_COOLDOWN:
    since(v, f->last_reset_s, p->cooldown_instance_s, "last reset of this instance");
    return;
  case POL_GATE_DENY_INSTANCES: deny(v, &p->deny_instances, "instance", instance, 1); return;
  case POL_GATE_DENY_PROJECTS: deny(v, &p->deny_projects, "project", project, 1); return;
  case POL_GATE_DENY_HOSTS: deny(v, &p->deny_hosts, "host", host, 3); return;
  case POL_GATE_ONLY_INSTANCES: only(v, &p->only_instances, "instance", f->instance); return;
  case POL_GATE_ONLY_PROJECTS: only(v, &p->only_projects, "project", f->project); return;
  case POL_GATE_ONLY_HOSTS: only(v, &p->only_hosts, "host", f->host); return;
  case POL_GATE_OPEN_INTENT: open_intent(v); return;
  case POL_GATE_ATTEST_ACCEPTED: attest_accepted(v); return;
  case POL_GATE_ATTEST_REQUIRED: attest_required(v); return;
  case POL_GATE_NEVER_WRITES: never_writes(v); return;
  case POL_GATE_COUNT: return;
  }
}

static void run_gate(const struct pol_policy *policy, const struct pol_gate_facts *facts,
                     enum pol_gate gate, struct pol_gate_result *result) {
  memset(result, 0, sizeof *result);
  result->code = gates[gate].code;
  result->param = gates[gate].param;
  const struct view v = {policy, facts, result};
  if (policy->valid == 1) {
    evaluate(&v, gate);
  } else {
    say(&v, false, "no valid policy is loaded; nothing is allowed");
  }
}

int64_t pol_gates(const struct pol_policy *policy, const struct pol_gate_facts *facts,
                  struct pol_gate_result result[POL_GATE_COUNT]) {
  int64_t failed = 0;
  for (int i = 0; i < (int)POL_GATE_COUNT; i++) {
    run_gate(policy, facts, (enum pol_gate)i, &result[i]);
    failed += result[i].pass == 1 ? 0 : 1;
  }
  return failed;
}

int pol_gate_kill_switch(const struct pol_policy *policy, const struct pol_gate_facts *facts,
                         struct pol_gate_result *result) {
  run_gate(policy, facts, POL_GATE_KILL_SWITCH, result);
  return result->pass == 1;
}

int pol_approved(const struct pol_policy *policy, const struct pol_gate_facts *facts,
                 struct pol_gate_result *result) {
  memset(result, 0, sizeof *result);
  result->param = POL_PARAM_APPROVAL_REQUIRED;
  const struct view v = {policy, facts, result};
  int64_t need = policy->approval_required;
  int64_t have = facts->approvals;
  int64_t self = facts->approvals_self;
  if (policy->valid != 1) {
    say(&v, false, "no valid policy is loaded; nothing is allowed");
  } else if (need == 0) {
    say(&v, true, "no approval is required");
  } else if (have < 0 || self < 0 || self > have) {
    say(&v, false, "approvals could not be counted; %lld are required", (long long)need);
  } else {
    int64_t counted = policy->approval_not_self == 1 ? have - self : have;
    say(&v, counted >= need, "%lld of %lld approvals%s", (long long)counted, (long long)need,
        policy->approval_not_self == 1 && self > 0 ? "; one's own does not count" : "");
  }
  return result->pass == 1;
}
