/* plan, apply, recover: the dry run, the act, and both with a question between them. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "agent/base/files.h"
#include "agent/cli/context.h"
#include "agent/cli/render.h"
#include "agent/cli/verbs.h"
#include "agent/run/planning.h"

#define ANSWER_BYTES 64
#define ANSWER_POLL_MS 200

/* --- plan --------------------------------------------------------------------------------- */

static int make_plan(struct context *c, struct uw_plan **plan, struct look **l,
                     struct uw_err *err) {
  *l = look_new(c->session, c->uuid, LOOK_FULL, err);
  if (*l == NULL || look_save(c->session, *l, err) != 0) {
    return -1;
  }
  *plan = planning_make(c->session, *l, err);
  return *plan == NULL ? -1 : 0;
}

static int write_plan(const struct cli_options *options, const struct uw_plan *plan,
                      struct uw_err *err) {
  if (options->out == NULL) {
    return 0;
  }
  return uw_plan_write(plan, options->out, err);
}

static void print_next(const struct cli_options *options, const struct uw_plan *plan) {
  char until[UW_TIME_BYTES];
  if (options->json) {
    return;
  }
  if (plan->judgement->verdict.kind != RCV_VERDICT_RESET) {
    if (options->out != NULL) {
      (void)printf("\nplan: %s, for the record; with this verdict there is nothing to apply\n",
                   options->out);
    }
    return;
  }
  uw_time_text(plan->head.expires_s, until);
  if (options->out != NULL) {
    (void)printf("\nplan: %s, good until %s. To apply it:\n  unwedge apply %s\n", options->out,
                 until, options->out);
  } else {
    (void)printf("\nNo plan file was written (-o FILE writes one).\n");
  }
}

int verb_plan(const struct cli_options *options) {
  struct context c;
  struct uw_err err;
  struct uw_plan *plan = NULL;
  struct look *l = NULL;
  uw_err_clear(&err);
  if (context_open(options, false, options->operand[0], &c, &err) != 0) {
    return context_fail(&err);
  }
  int status = UW_EXIT_OK;
  bool failed = make_plan(&c, &plan, &l, &err) != 0 || write_plan(options, plan, &err) != 0;
  if (l != NULL) {
    status = context_print_look(&c, l); /* what was seen is worth a minute, plan or not */
  }
  if (failed) {
    status = context_fail(&err);
  } else {
    print_next(options, plan);
  }
  uw_plan_free(plan);
  look_free(l);
  context_close(&c);
  return status;
}

/* --- apply -------------------------------------------------------------------------------- */

static void print_lines(const struct act_result *r) {
  struct uw_buf out = {0};
  /* The other way to be stale, too long a gap, has a line of its own. */
  if (r->status == UW_EXIT_STALE && r->lines > 0 && strstr(r->line[0], " -> ") != NULL) {
    uw_buf_puts(&out, "stale: this changed since the plan was made\n");
  }
  for (size_t i = 0; i < r->lines; i++) {
    render_clean(r->line[i], &out);
    uw_buf_puts(&out, "\n");
  }
  /* An outcome stands in the lines, with what Nova answered to the request that it refused. */
  if (!r->sent && r->outcome[0] == '\0' && r->status != UW_EXIT_OK) {
    uw_buf_puts(&out, "nothing was sent to Nova\n");
  }
  (void)fputs(uw_buf_text(&out), stdout);
  uw_buf_free(&out);
}

static int print_result(const struct cli_options *options, const struct act_result *r) {
  if (options->json) {
    json_t *lines = json_array();
    for (size_t i = 0; i < r->lines; i++) {
      (void)json_array_append_new(lines, json_string(r->line[i]));
    }
    json_t *o = json_pack("{s:s, s:i, s:s?, s:s?, s:b, s:o, s:O?}", "schema", "unwedge.apply/1",
                          "exit_status", (int)r->status, "outcome",
                          r->outcome[0] != '\0' ? r->outcome : NULL, "request_id",
                          r->request_id[0] != '\0' ? r->request_id : NULL, "verified",
                          (int)r->verified, "happened", lines, "verdict", r->verdict);
    int status = context_print_verdict(options, o, "", (int)r->status);
    json_decref(o);
    return status;
  }
  print_lines(r);
  if (r->status == UW_EXIT_OK && r->verdict != NULL) {
    struct uw_buf out = {0};
    render_residue(r->verdict, &out);
    (void)fputs(uw_buf_text(&out), stdout);
    uw_buf_free(&out);
  } else if (r->verdict != NULL) {
    (void)printf("\n");
    return context_print_verdict(options, r->verdict, "", (int)r->status);
  }
  return (int)r->status;
}

static int apply(struct context *c, const struct uw_plan *plan, bool on_terminal) {
  static struct act_result result;
  struct uw_err err;
  uw_err_clear(&err);
  bool failed = act_apply(c->session, plan, on_terminal, &result, &err) != 0;
  context_progress_end();
  if (failed) {
    /* What was sent stays true whatever failed afterwards: 8 would say that nothing was. */
    result.status = result.sent && !result.outcome_durable ? UW_EXIT_ACTED_UNKNOWN : err.status;
  }
  int status = print_result(c->options, &result);
  if (failed) {
    (void)context_fail(&err);
  }
  act_result_free(&result);
  return status;
}

int verb_apply(const struct cli_options *options) {
  struct context c;
  struct uw_err err;
  uw_err_clear(&err);
  if (context_open(options, true, NULL, &c, &err) != 0) {
    return context_fail(&err);
  }
  struct uw_plan_expect expect = {.cloud = c.session->cloud_id, .now_s = uw_wall_s()};
  struct uw_plan *plan = uw_plan_read(options->operand[0], &expect, &err);
  int status;
  if (plan == NULL || planning_usable(c.session, plan, &err) != 0 ||
      session_adopt(c.session, plan, &err) != 0) {
    status = context_fail(&err);
  } else {
    status = apply(&c, plan, false);
  }
  uw_plan_free(plan);
  context_close(&c);
  return status;
}

/* --- recover ------------------------------------------------------------------------------ */

/* A signal that comes just before a read would leave that read waiting for ever. */
static int await_answer(int tty, const volatile bool *stop) {
  struct pollfd p = {.fd = tty, .events = POLLIN};
  while (!*stop) {
    int n = poll(&p, 1, ANSWER_POLL_MS);
    if (n > 0) {
      return 0;
    }
    if (n < 0 && errno != EINTR) {
      return -1;
    }
  }
  return -1;
}

/* The question goes to the terminal, never to a pipe: nobody can answer it by accident. */
static int ask(int tty, const char *instance, const volatile bool *stop, bool *yes) {
  char question[256];
  char answer[ANSWER_BYTES];
  int n = snprintf(question, sizeof question,
                   "\nReset the state of %.120s to active now? Only 'yes' is yes: ", instance);
  *yes = false;
  if (n < 0 || uw_write_all(tty, question, strlen(question)) != 0) {
    return -1;
  }
  if (await_answer(tty, stop) != 0) {
    return -1;
  }
  ssize_t got = read(tty, answer, sizeof answer - 1);
  if (got < 0) {
    return -1;
  }
  answer[got] = '\0';
  *yes = strcmp(answer, "yes\n") == 0;
  return 0;
}

static int ask_and_apply(struct context *c, int tty, const struct uw_plan *plan) {
  bool yes = false;
  (void)fflush(stdout);
  if (ask(tty, plan->record->names.name, c->session->options.stop, &yes) != 0) {
    (void)fprintf(stderr, "unwedge: no answer from the terminal; nothing was changed\n");
    return UW_EXIT_USAGE;
  }
  if (!yes) {
    (void)printf("declined; nothing was changed\n");
    return UW_EXIT_OK;
  }
  return apply(c, plan, true);
}

int verb_recover(const struct cli_options *options) {
  struct context c;
  struct uw_err err;
  struct uw_plan *plan = NULL;
  struct look *l = NULL;
  uw_err_clear(&err);
  int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
  if (tty < 0) {
    (void)fprintf(stderr, "unwedge: recover asks on the terminal and there is none; use `unwedge "
                          "plan INSTANCE -o FILE` and `unwedge apply FILE`\n");
    return UW_EXIT_USAGE;
  }
  int status;
  if (context_open(options, true, options->operand[0], &c, &err) != 0) {
    (void)close(tty);
    return context_fail(&err);
  }
  if (make_plan(&c, &plan, &l, &err) != 0 || write_plan(options, plan, &err) != 0) {
    status = context_fail(&err);
  } else {
    status = context_print_look(&c, l);
    if (status == UW_EXIT_RESET) {
      status = ask_and_apply(&c, tty, plan);
    }
  }
  (void)close(tty);
  uw_plan_free(plan);
  look_free(l);
  context_close(&c);
  return status;
}
