/*
 * Evidence: what was seen of one instance, folded over one observation.
 *
 * The structs come from facts.def. Everything is an integer or an enumeration, bounded, and
 * has no pointer in it, so a decision can be proved over it and a file can hold it whole.
 * Texts (names, error messages) travel in struct rcv_names and are never decided upon.
 */
#ifndef RCV_EVIDENCE_H
#define RCV_EVIDENCE_H

#include <stddef.h>
#include <stdint.h>

#include "recovery/enums.h"
#include "recovery/facts.def"
#include "recovery/limits.h"

#define RCV_FIELD_ENUM(tag, field, role, doc) enum tag field;
#define RCV_FIELD_INT(unit, field, role, doc) int64_t field;
#define RCV_FIELD_TEXT(field, bytes, doc) char field[bytes];

struct rcv_look {
  RCV_LOOK_FACTS(RCV_FIELD_ENUM, RCV_FIELD_INT)
};

struct rcv_nova {
  RCV_NOVA_FACTS(RCV_FIELD_ENUM, RCV_FIELD_INT)
};

struct rcv_candidate {
  RCV_CANDIDATE_FACTS(RCV_FIELD_ENUM, RCV_FIELD_INT)
  struct rcv_look first;
  struct rcv_look last;
};

struct rcv_evidence {
  RCV_OBSERVATION_FACTS(RCV_FIELD_ENUM, RCV_FIELD_INT)
  struct rcv_nova nova_first;
  struct rcv_nova nova_last; /* nova_last.now_s is the decision's "now" */
  int64_t candidates;        /* 0 .. RCV_MAX_CANDIDATES */
  struct rcv_candidate candidate[RCV_MAX_CANDIDATES];
};

struct rcv_host_names {
  RCV_HOST_TEXTS(RCV_FIELD_TEXT)
};

struct rcv_names {
  RCV_INSTANCE_TEXTS(RCV_FIELD_TEXT)
  struct rcv_host_names host[RCV_MAX_CANDIDATES];
};

/* Sets every field to its unknown value (enums zero, integers -1, counts 0). */
void rcv_look_init(struct rcv_look *look);
void rcv_nova_init(struct rcv_nova *nova);
void rcv_evidence_init(struct rcv_evidence *e);

/*
 * 1 when every enumeration, index, count and time of e is inside its range, else 0.
 * Everything that comes from a file or from the network passes here before it is decided
 * upon; rcv_decide() treats invalid evidence as UNKNOWN.
 */
int rcv_evidence_valid(const struct rcv_evidence *e);

/*
 * The fold. The caller adds candidates first (candidate[0 .. candidates-1], looks and
 * first/last untouched), then feeds readings of Nova and looks in the order in which they
 * ended; the fold alone decides what counts as a round (contract section 1, "round").
 * The record host is nova_last.record_host. A fold of sealed evidence changes nothing.
 */
struct rcv_fold {
  int64_t h_prev_end_ms; /* end of the latest look at the record host, -1 none */
  int64_t h_prev_start_ms;
  int64_t other_start_ms[RCV_MAX_CANDIDATES]; /* earliest start since then, -1 none */
  int64_t other_end_ms[RCV_MAX_CANDIDATES];   /* latest end since then, -1 none */
};

void rcv_fold_init(struct rcv_fold *f);

/*
 * Folds one reading of Nova; services[i] is nova-compute of candidate i at this reading.
 * only_lock_changed: the only newer action since the last reading is lock or unlock, so
 * that a moved server.updated is no heartbeat (rulings: heartbeat).
 */
void rcv_fold_nova(struct rcv_fold *f, struct rcv_evidence *e, const struct rcv_nova *reading,
                   const enum rcv_svc services[RCV_MAX_CANDIDATES], enum rcv_tri only_lock_changed);

/* Folds one look at candidate index (0 <= index < e->candidates; else nothing happens). */
void rcv_fold_look(struct rcv_fold *f, struct rcv_evidence *e, int64_t index,
                   const struct rcv_look *look);

/* Ends the observation. */
void rcv_evidence_seal(struct rcv_evidence *e);

/* Milliseconds the counted rounds span, 0 when there are none. */
int64_t rcv_window_ms(const struct rcv_evidence *e);

/*
 * The decisive facts that differ between the evidence of a plan and newer evidence of the
 * same instance: calls nobody, fills changed[] with up to max entries and returns how many
 * there are in all (which may be more than max). Candidates are matched by index, so the
 * caller must have built both lists in the same order; a different number is one change.
 */
struct rcv_change {
  const char *group; /* "observation", "nova", "candidate", "look"; static */
  const char *field; /* the fact's name; static */
  int64_t candidate; /* index, -1 when not about one host */
  int64_t before, after;
  const struct rcv_enum *type; /* names of the values, NULL for integers */
};
size_t rcv_changes(const struct rcv_evidence *plan, const struct rcv_evidence *now,
                   struct rcv_change *changed, size_t max);

#endif
