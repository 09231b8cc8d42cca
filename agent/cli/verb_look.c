/* diagnose: look, and say what is true now. */
#include <stdio.h>

#include "agent/base/clock.h"
#include "agent/cli/context.h"
#include "agent/cli/verbs.h"

/* Looks until the verdict is final or --wait is over; the last look, NULL on error. */
static struct look *look_and_wait(struct context *c, struct uw_err *err) {
  const struct cli_options *options = c->options;
  int64_t deadline = uw_mono_ms() + (options->wait_s < 0 ? 0 : options->wait_s) * 1000;
  enum look_depth depth = LOOK_QUICK;
  for (;;) {
    struct look *l = look_new(c->session, c->uuid, depth, err);
    if (l == NULL) {
      return NULL;
    }
    const struct rcv_verdict *v = &l->judgement->verdict;
    if (options->wait_s < 0 || v->kind != RCV_VERDICT_WAIT) {
      return l;
    }
    /* More looks of the quick kind would say OBSERVE_LONGER for ever. */
    bool longer = v->code == RCV_CODE_OBSERVE_LONGER && depth == LOOK_QUICK;
    if (!longer) {
      int over = context_wait(c, v, deadline);
      if (over != 0) {
        if (over < 0) {
          look_free(l);
          (void)uw_err_set(err, UW_EXIT_USAGE, "interrupted; nothing was changed");
          return NULL;
        }
        return l;
      }
    }
    depth = longer ? LOOK_FULL : LOOK_QUICK;
    look_free(l);
  }
}

int verb_diagnose(const struct cli_options *options) {
  struct context c;
  struct uw_err err;
  uw_err_clear(&err);
  if (context_open(options, false, options->operand[0], &c, &err) != 0) {
    return context_fail(&err);
  }
  struct look *l = look_and_wait(&c, &err);
  int status;
  if (l == NULL || look_save(c.session, l, &err) != 0) {
    status = context_fail(&err);
  } else {
    status = context_print_look(&c, l);
  }
  look_free(l);
  context_close(&c);
  return status;
}
