/*
 * The decisive facts that a plan rests on against newer ones, driven by facts.def. Only the
 * last look and the last reading are compared: a plan is stale when what is true now differs.
 */
#include "recovery/inner.h"

struct list {
  struct rcv_change *changed;
  size_t max, found;
};

struct place {
  const char *group;
  int64_t candidate;
};

static void note(struct list *l, struct place at, const char *field, int64_t before, int64_t after,
                 const struct rcv_enum *type) {
  if (before == after) {
    return;
  }
  if (l->found < l->max) {
    struct rcv_change *c = &l->changed[l->found];
    c->group = at.group;
    c->field = field;
    c->candidate = at.candidate;
    c->before = before;
    c->after = after;
    c->type = type;
  }
  l->found++;
}

#define NOTE_DECISIVE(field, type) note(l, at, #field, (int64_t)a->field, (int64_t)b->field, type);
#define NOTE_VOLATILE(field, type)
#define NOTE_INFORMATIVE(field, type)
#define CHANGE_ENUM(tag, field, role, doc) NOTE_##role(field, &tag##_enum)
#define CHANGE_INT(unit, field, role, doc) NOTE_##role(field, NULL)

static void observation_changes(struct list *l, const struct rcv_evidence *a,
                                const struct rcv_evidence *b) {
  struct place at = {"observation", -1};
  RCV_OBSERVATION_FACTS(CHANGE_ENUM, CHANGE_INT)
  note(l, at, "candidates", a->candidates, b->candidates, NULL);
}

static void nova_changes(struct list *l, const struct rcv_nova *a, const struct rcv_nova *b) {
  struct place at = {"nova", -1};
  RCV_NOVA_FACTS(CHANGE_ENUM, CHANGE_INT)
}

static void candidate_changes(struct list *l, int64_t i, const struct rcv_candidate *a,
                              const struct rcv_candidate *b) {
  struct place at = {"candidate", i};
  RCV_CANDIDATE_FACTS(CHANGE_ENUM, CHANGE_INT)
}

static void look_changes(struct list *l, int64_t i, const struct rcv_look *a,
                         const struct rcv_look *b) {
  struct place at = {"look", i};
  RCV_LOOK_FACTS(CHANGE_ENUM, CHANGE_INT)
}

size_t rcv_changes(const struct rcv_evidence *plan, const struct rcv_evidence *now,
                   struct rcv_change *changed, size_t max) {
  struct list l = {changed, max, 0};
  int64_t n = plan->candidates < now->candidates ? plan->candidates : now->candidates;
  observation_changes(&l, plan, now);
  nova_changes(&l, &plan->nova_last, &now->nova_last);
  for (int64_t i = 0; i < n && i < RCV_MAX_CANDIDATES; i++) {
    candidate_changes(&l, i, &plan->candidate[i], &now->candidate[i]);
    look_changes(&l, i, &plan->candidate[i].last, &now->candidate[i].last);
  }
  return l.found;
}
