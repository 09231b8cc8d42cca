/*
 * The explanation of one verdict: summary, where the guest is, the hosts, the reasons.
 * What to do and what never to do is explain_next.c's.
 */
#include "recovery/explain.h"
#include "recovery/inner.h"
#include "recovery/text.h"

static int64_t first_of(const struct rcv_story *s, enum rcv_class c, int64_t but) {
  for (int64_t i = 0; i < s->e->candidates && i < RCV_MAX_CANDIDATES; i++) {
    if (i != but && rcv_story_holds(s, i, c)) {
      return i;
    }
  }
  return -1;
}

static int64_t first_reason(const struct rcv_verdict *v, enum rcv_code code, int64_t but) {
  for (int64_t i = 0; i < v->reasons && i < RCV_MAX_REASONS; i++) {
    if (v->reason[i].code == code && v->reason[i].candidate != but) {
      return v->reason[i].candidate;
    }
  }
  return -1;
}

static struct rcv_story about(const struct rcv_story *s, int64_t i) {
  struct rcv_story other = *s;
  other.about = i;
  return other;
}

static int any_unknown(const struct rcv_story *s) {
  return s->e->candidates < 1 || first_of(s, RCV_CLASS_UNKNOWN, -1) >= 0 ||
         first_of(s, RCV_CLASS_OFF_UNKNOWN, -1) >= 0 || first_of(s, RCV_CLASS_STUCK, -1) >= 0;
}

/* ---- is the guest up, and where --------------------------------------------------------- */

static void guest_of_owner(const struct rcv_story *s, char line[RCV_LINE_BYTES]) {
  struct rcv_story o = about(s, s->v->owner);
  int home = s->v->owner == s->h;
  if (rcv_story_holds(s, o.about, RCV_CLASS_PUSER)) {
    rcv_line(line, &o, "The guest is paused by a user on %T.");
  } else if (rcv_story_holds(s, o.about, RCV_CLASS_PERR)) {
    rcv_line(line, &o, "The guest is NOT running: it is paused by an error on %T.");
  } else if (rcv_story_holds(s, o.about, RCV_CLASS_SUSP)) {
    rcv_line(line, &o, "The guest is suspended on %T.");
  } else if (home) {
    rcv_line(line, &o, "The guest is up on %T, which is Nova's record host.");
  } else {
    rcv_line(line, &o, "The guest is up on %T. Nova has it on %H.");
  }
}

static void guest_two(const struct rcv_story *s, char line[RCV_LINE_BYTES]) {
  int64_t a = first_reason(s->v, RCV_CODE_SPLIT_BRAIN, -1);
  int64_t b = first_reason(s->v, RCV_CODE_SPLIT_BRAIN, a);
  struct rcv_story first = about(s, a);
  struct rcv_story second = about(s, b);
  struct rcv_text t;
  rcv_text_start(&t, line, RCV_LINE_BYTES);
  rcv_text_fill(&t, &first, "The guest is up on %T AND ");
  rcv_text_fill(&t, &second, "on %T at the same time.");
}

static int guest_with_job(const struct rcv_story *s, char line[RCV_LINE_BYTES]) {
  int64_t i = first_of(s, RCV_CLASS_PC, -1);
  struct rcv_story o = about(s, i);
  if (first_of(s, RCV_CLASS_PCF, -1) >= 0) {
    rcv_line(line, s, "The guest's memory is split between hosts or lost: a post-copy broke.");
    return 1;
  }
  if (i >= 0) {
    rcv_line(line, s, "The guest is in post-copy: up on one host, with memory still on the other.");
    return 1;
  }
  i = first_of(s, RCV_CLASS_OUT, -1);
  if (i >= 0) {
    o = about(s, i);
    rcv_line(line, &o,
             s->e->candidate[i].last.state == 1
                 ? "The guest is up on %T while it is being migrated away."
                 : "The guest is paused on %T in the switch-over of a migration.");
    return 1;
  }
  return 0;
}

/* The same, but a foreign domain is not the guest. */
static int64_t first_own(const struct rcv_story *s, enum rcv_class c) {
  for (int64_t i = 0; i < s->e->candidates && i < RCV_MAX_CANDIDATES; i++) {
    if (rcv_story_holds(s, i, c) && !rcv_foreign(&s->e->candidate[i].last)) {
      return i;
    }
  }
  return -1;
}

static void guest_line(const struct rcv_story *s, char line[RCV_LINE_BYTES]) {
  int64_t run = first_own(s, RCV_CLASS_RUN);
  struct rcv_story o = about(s, run);
  if (first_reason(s->v, RCV_CODE_SPLIT_BRAIN, -1) >= 0) {
    guest_two(s, line);
  } else if (s->v->owner >= 0) {
    guest_of_owner(s, line);
  } else if (guest_with_job(s, line)) {
    return;
  } else if (run >= 0) {
    rcv_line(line, &o,
             "The guest was seen up on %T, but that it is up nowhere else is not "
             "confirmed.");
  } else if (any_unknown(s) || first_of(s, RCV_CLASS_RUN, -1) >= 0) {
    rcv_line(line, s, "The guest is not confirmed anywhere.");
  } else {
    rcv_line(line, s, "The guest is NOT up on any candidate host.");
  }
}

/* ---- hosts ------------------------------------------------------------------------------- */

static const char *class_sentence(enum rcv_class c) {
  switch (c) {
  case RCV_CLASS_UNKNOWN: return "could not be told";
  case RCV_CLASS_ABSENT: return "has no such domain";
  case RCV_CLASS_OFF_DEFINITE: return "has it defined and off";
  case RCV_CLASS_OFF_UNKNOWN: return "has it defined and off, and cannot say why";
  case RCV_CLASS_RUN: return "runs it, without any job";
  case RCV_CLASS_OUT: return "is migrating it away";
  case RCV_CLASS_IN: return "has an incoming, empty copy of it";
  case RCV_CLASS_PMIG: return "has it paused by a migration that has no job any more";
  case RCV_CLASS_PC: return "takes part in a post-copy of it";
  case RCV_CLASS_PCF: return "holds one side of a broken post-copy";
  case RCV_CLASS_PUSER: return "has it paused by a user";
  case RCV_CLASS_PERR: return "has it paused by an error";
  case RCV_CLASS_SUSP: return "has it suspended";
  case RCV_CLASS_CRASHED: return "has it crashed";
  case RCV_CLASS_DYING: return "has it shutting down";
  case RCV_CLASS_STUCK: return "lists it, but its QEMU does not answer";
  case RCV_CLASS_COUNT: break;
  }
  return "could not be told";
}

static const char *reach_sentence(enum rcv_reach r) {
  switch (r) {
  case RCV_REACH_NONE: return "was not looked at";
  case RCV_REACH_OK: return "answered, but not in a way that can be told";
  case RCV_REACH_UNMAPPED: return "is not mapped: no libvirt URI or no expected identity";
  case RCV_REACH_UNREACHABLE: return "could not be reached";
  case RCV_REACH_TIMEOUT: return "did not answer in time";
  case RCV_REACH_AUTH_FAILED: return "refused our credential";
  case RCV_REACH_IDENTITY_MISMATCH: return "is not who it should be: another host answered";
  case RCV_REACH_BAD_REPLY: return "gave no reply that can be read";
  case RCV_REACH_COUNT: break;
  }
  return "could not be told";
}

static void add_facts(struct rcv_text *t, const struct rcv_look *k) {
  if (k->presence != RCV_PRESENCE_PRESENT || k->state < 0) {
    return;
  }
  rcv_text_add(t, " (libvirt ");
  rcv_text_int(t, k->state);
  rcv_text_add(t, "/");
  rcv_text_int(t, k->reason);
  rcv_text_add(t, ", job ");
  rcv_text_add(t, rcv_enum_name(&rcv_job_enum, (int)k->job));
  if (k->persistent == RCV_TRI_NO) {
    rcv_text_add(t, ", transient");
  }
  rcv_text_add(t, ")");
}

static void add_service(struct rcv_text *t, const struct rcv_candidate *c) {
  rcv_text_add(t, "; nova-compute ");
  rcv_text_add(t, rcv_enum_name(&rcv_svc_enum, (int)rcv_service_of(c)));
}

static void host_line(const struct rcv_story *s, int64_t i, char line[RCV_LINE_BYTES]) {
  struct rcv_story o = about(s, i);
  const struct rcv_candidate *c = &s->e->candidate[i];
  enum rcv_class class = s->v->class_of[i];
  struct rcv_text t;
  rcv_text_start(&t, line, RCV_LINE_BYTES);
  rcv_text_fill(&t, &o, i == s->h ? "%T (record host) " : "%T ");
  if (class == RCV_CLASS_UNKNOWN) {
    rcv_text_add(&t, reach_sentence(c->last.reach));
  } else {
    rcv_text_add(&t, class_sentence(class));
  }
  add_facts(&t, &c->last);
  if (rcv_foreign(&c->last)) {
    rcv_text_add(&t, ", but that domain is not this instance");
  }
  if (class == RCV_CLASS_RUN && c->vcpu_advancing == RCV_TRI_YES) {
    rcv_text_add(&t, "; its virtual CPUs advance");
  }
  if (rcv_excused(s->e, s->p, i)) {
    rcv_text_add(&t, c->attested_fenced == RCV_TRI_YES ? "; attested as fenced by a person"
                                                       : "; attested as gone by a person");
  }
  add_service(&t, c);
  rcv_text_add(&t, ".");
}

/* ---- the whole --------------------------------------------------------------------------- */

static void reason_line(const struct rcv_story *s, const struct rcv_reason *r,
                        char line[RCV_LINE_BYTES]) {
  const struct rcv_code_info *info = rcv_code_find((int64_t)r->code);
  struct rcv_story o = about(s, r->candidate);
  struct rcv_text t;
  rcv_text_start(&t, line, RCV_LINE_BYTES);
  if (r->candidate >= 0) {
    rcv_text_fill(&t, &o, "%T: ");
  }
  rcv_text_add(&t, info == NULL ? "No such code." : info->line);
}

static const char *summary_pattern(enum rcv_code code) {
  if (code == RCV_CODE_SAFE_TO_RESET) {
    return "The guest runs on %H alone, which is Nova's record host, and nobody can still be "
           "finishing migration %M (%S): a reset of the state is safe.";
  }
  if (code == RCV_CODE_OWNER_MOVED) {
    return "The guest lives on %T, but Nova has it on %H: a reset would make Nova wrong in "
           "silence.";
  }
  if (code == RCV_CODE_TOO_YOUNG) {
    return "All fits, but migration %M (%S) changed only %a s ago; look again in %w s.";
  }
  if (code == RCV_CODE_API_UNAVAILABLE || code == RCV_CODE_API_HIDDEN) {
    return "Nova does not tell what a decision needs: %e.";
  }
  if (code == RCV_CODE_NEWER_ACTION) {
    return "After the migration began, somebody did `%g` with the instance.";
  }
  if (code == RCV_CODE_OTHER_TASK) {
    return "Nova has vm_state %V and task_state %A: another task owns the instance.";
  }
  if (code == RCV_CODE_MAY_STILL_FINISH) {
    return "The guest runs on %H, but nova-compute on %s is up and may still be at work on "
           "migration %M (%S).";
  }
  if (code == RCV_CODE_ATTESTATION_REQUIRED) {
    return "The guest runs on %H alone; nova-compute on %s is reported down, and the policy wants "
           "a person's word that it is really gone (migration %M, %S).";
  }
  return NULL;
}

static void summary_line(const struct rcv_story *s, char line[RCV_LINE_BYTES]) {
  const char *pattern = summary_pattern(s->v->code);
  if (pattern != NULL) {
    rcv_line(line, s, pattern);
  } else if (s->v->reasons > 0) {
    reason_line(s, &s->v->reason[0], line);
  } else {
    rcv_line(line, s, "Nothing was decided.");
  }
}

void rcv_explain(const struct rcv_evidence *e, const struct rcv_names *names,
                 const struct rcv_policy *p, const struct rcv_verdict *v,
                 struct rcv_explanation *out) {
  int64_t n = e->candidates;
  struct rcv_story s = {e, names, p, v, e->nova_last.record_host, -1};
  if (n < 0 || n > RCV_MAX_CANDIDATES) {
    n = 0;
  }
  if (s.h >= n) {
    s.h = -1;
  }
  if (v->reasons > 0) {
    s.about = v->reason[0].candidate;
  }
  for (int64_t i = 0; i < RCV_MAX_REASONS; i++) {
    out->reason[i][0] = '\0';
  }
  for (int64_t i = 0; i < RCV_MAX_CANDIDATES; i++) {
    out->host[i][0] = '\0';
  }
  summary_line(&s, out->summary);
  guest_line(&s, out->guest);
  for (int64_t i = 0; i < v->reasons && i < RCV_MAX_REASONS; i++) {
    reason_line(&s, &v->reason[i], out->reason[i]);
  }
  for (int64_t i = 0; i < n; i++) {
    host_line(&s, i, out->host[i]);
  }
  rcv_explain_next(&s, &out->next, &out->never);
  rcv_explain_residue(&s, &out->residue);
}

static void add_value(struct rcv_text *t, const struct rcv_story *s, const struct rcv_change *c,
                      int64_t value) {
  static const char *const hosts[] = {"record_host", "mig_source", "mig_dest", "same_uuid_as",
                                      "same_name_as"};
  struct rcv_story o = *s;
  o.about = value;
  for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
    const char *a = hosts[i];
    int64_t k = 0;
    while (a[k] != '\0' && a[k] == c->field[k]) {
      k++;
    }
    if (a[k] == c->field[k] && value >= 0 && value < RCV_MAX_CANDIDATES) {
      rcv_text_fill(t, &o, "%T");
      return;
    }
  }
  if (c->type != NULL) {
    rcv_text_add(t, rcv_enum_name(c->type, (int)value));
  } else if (value == -1) {
    rcv_text_add(t, "unknown");
  } else {
    rcv_text_int(t, value);
  }
}

void rcv_explain_change(const struct rcv_change *c, const struct rcv_names *names,
                        char line[RCV_LINE_BYTES]) {
  struct rcv_text t;
  struct rcv_story s = {NULL, names, NULL, NULL, -1, c->candidate};
  rcv_text_start(&t, line, RCV_LINE_BYTES);
  if (c->candidate >= 0 && c->candidate < RCV_MAX_CANDIDATES) {
    rcv_text_fill(&t, &s, "%T: ");
  }
  rcv_text_add(&t, c->group);
  rcv_text_add(&t, ".");
  rcv_text_add(&t, c->field);
  rcv_text_add(&t, ": ");
  add_value(&t, &s, c, c->before);
  rcv_text_add(&t, " -> ");
  add_value(&t, &s, c, c->after);
}
