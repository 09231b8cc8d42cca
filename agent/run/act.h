/*
 * The acting run: contract S4 and S5, driven by the state machine of recovery/plan.h.
 */
#ifndef UW_ACT_H
#define UW_ACT_H

#include "agent/run/look.h"

/* What an act came to, for the output. */
struct act_result {
  enum uw_exit status;
  bool sent;                     /* the POST may have reached Nova */
  char outcome[16];              /* "done", "not_applied", "unknown", "" when nothing was sent */
  char request_id[RCV_ID_BYTES]; /* Nova's, of the reset */
  bool verified;
  bool outcome_durable; /* the journal has the outcome */
  size_t lines;
  char line[RCV_MAX_LINES][RCV_LINE_BYTES]; /* what happened, in order */
  json_t *verdict;                          /* of the last look; owned; NULL if there was none */
};

void act_result_free(struct act_result *r);

/*
 * Applies a plan. on_terminal: a person read it and said yes at the terminal (journalled). 0 when the run went through to an end that r->status tells (also a refusal);
 * -1 when it could not begin or the journal failed, err has the reason and the status.
 */
int act_apply(struct session *s, const struct uw_plan *plan, bool on_terminal, struct act_result *r,
              struct uw_err *err) UW_MUST_USE;

/* What `journal resolve` was told. */
enum act_claim { ACT_CLAIM_NONE = 0, ACT_CLAIM_APPLIED, ACT_CLAIM_NOT_APPLIED };

/*
 * Resolves the open intent of an instance: from Nova's actions, or as a person says. text gets
 * one line of what was found. status of err: UW_EXIT_REFUSED when it cannot be told.
 */
int act_resolve(struct session *s, const char *uuid, enum act_claim claim,
                char text[RCV_LINE_BYTES], struct uw_err *err) UW_MUST_USE;

#endif
