/*
 * One observation of one instance with everything that follows from it: record, gates, verdict.
 */
#ifndef UW_LOOK_H
#define UW_LOOK_H

#include "agent/observe/observe.h"
#include "agent/records/verdict.h"
#include "agent/run/session.h"

struct look {
  struct obs *obs;
  struct uw_record *record;
  uint8_t digest[RCV_DIGEST_BYTES]; /* of the record's canonical bytes */
  struct uw_judgement *judgement;   /* guards applied */
  size_t guards;
  struct uw_guard guard[UW_MAX_GUARDS];
  bool storm_known; /* the cloud was counted for an earlier judgement of this look */
  int64_t wedged, storm_seen_s;
  char saved[PATH_MAX]; /* path of the evidence file, "" when not saved */
};

/* How long to look. */
enum look_depth {
  LOOK_FULL = 0, /* the policy's observation */
  LOOK_QUICK     /* two rounds in seconds: diagnose */
};

/* Observes (obs_run). NULL when nothing can be decided; err says why. */
struct look *look_new(struct session *s, const char *uuid, enum look_depth depth,
                      struct uw_err *err);

/*
 * For an act: on top of the plan's evidence when that is younger than the policy's window and of
 * this boot (one bracketing round), else a full observation.
 */
struct look *look_again(struct session *s, const struct uw_plan *plan, struct uw_err *err);

/* One more bracketing round on the same look; record, digest and verdict are made anew. */
int look_relook(struct session *s, struct look *l, struct uw_err *err) UW_MUST_USE;
void look_free(struct look *l);

/* Saves evidence.json and reads.jsonl under state_dir/runs/<run>/; l->saved is set. */
int look_save(struct session *s, struct look *l, struct uw_err *err) UW_MUST_USE;

/* The verdict document; a new reference. */
json_t *look_verdict(const struct look *l, struct uw_err *err);

#endif
