#include "agent/cli/context.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "agent/cli/render.h"

#define WAIT_SLICE_MS 200
#define WAIT_LEAST_S 2 /* between two looks of --wait */
#define WAIT_MOST_S 60 /* states change earlier than their bound; look at least this often */

static volatile bool stop_requested;
static bool progress_shown;

static void on_signal(int number) {
  (void)number;
  stop_requested = true;
}

/* The second Ctrl-C ends the process at once, as people expect. */
static void install_handlers(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_signal;
  action.sa_flags = (int)SA_RESETHAND;
  (void)sigaction(SIGINT, &action, NULL);
  (void)sigaction(SIGTERM, &action, NULL);
  (void)sigaction(SIGHUP, &action, NULL);
}

static void show_progress(void *ctx, const struct obs_progress *p) {
  const struct cli_options *options = ctx;
  if (options->quiet || isatty(STDERR_FILENO) != 1) {
    return;
  }
  (void)fprintf(stderr, "\r\033[K%s%s%s", p->what, p->host[0] != '\0' ? " " : "", p->host);
  if (p->round > 0) {
    (void)fprintf(stderr, "  round %lld of %lld", (long long)p->round, (long long)p->rounds);
  }
  if (p->left_ms >= 0) {
    (void)fprintf(stderr, "  %lld s", (long long)((p->left_ms + 999) / 1000));
  }
  (void)fflush(stderr);
  progress_shown = true;
}

void context_progress_end(void) {
  if (progress_shown) {
    (void)fprintf(stderr, "\r\033[K");
    (void)fflush(stderr);
    progress_shown = false;
  }
}

int context_fail(const struct uw_err *err) {
  /* The line may quote what a caller or a server wrote; it must not steer a terminal. */
  struct uw_buf line = {0};
  render_clean(err->text, &line);
  context_progress_end();
  (void)fprintf(stderr, "unwedge: %s\n", uw_buf_text(&line));
  uw_buf_free(&line);
  return err->status == UW_EXIT_OK ? UW_EXIT_USAGE : (int)err->status;
}

int context_bad_words(const struct cli_options *options, const char *known) {
  (void)fprintf(stderr, "unwedge: %s", options->verb);
  for (size_t i = 0; i < options->operands; i++) {
    (void)fprintf(stderr, " %s", options->operand[i]);
  }
  (void)fprintf(stderr, ": not understood; known are: %s\n", known);
  return UW_EXIT_USAGE;
}

int context_open(const struct cli_options *options, bool acting, const char *operand,
                 struct context *c, struct uw_err *err) {
  memset(c, 0, sizeof *c);
  c->options = options;
  install_handlers();
  struct session_options so = {.config = options->config,
                               .policy = options->policy,
                               .os_cloud = options->os_cloud,
                               .reason = options->reason,
                               .acting = acting,
                               .debug = options->debug,
                               .also = &options->also,
                               .attestation = options->attestation,
                               .attestations = options->attestations,
                               .progress = show_progress,
                               .progress_ctx = (void *)(uintptr_t)options,
                               .stop = &stop_requested};
  c->session = session_open(&so, err);
  if (c->session == NULL) {
    return -1;
  }
  if (operand != NULL && nova_find(c->session->nova, operand, c->uuid, err) != 0) {
    context_close(c);
    return -1;
  }
  return 0;
}

void context_close(struct context *c) {
  context_progress_end();
  session_close(c->session);
  c->session = NULL;
}

int context_print_verdict(const struct cli_options *options, const json_t *verdict,
                          const char *saved, int status) {
  struct uw_buf out = {0};
  struct uw_err err;
  uw_err_clear(&err);
  int failed = 0;
  context_progress_end();
  if (options->json) {
    failed = uw_json_pretty(verdict, &out, &err);
  } else {
    struct render_options ro = {.color = render_use_color(STDOUT_FILENO, options->no_color),
                                .saved = saved};
    render_verdict(verdict, &ro, &out);
    failed = out.failed ? uw_err_set(&err, UW_EXIT_USAGE, "the output does not fit in memory") : 0;
  }
  if (failed == 0) {
    (void)fwrite(uw_buf_text(&out), 1, out.len, stdout);
  }
  uw_buf_free(&out);
  return failed != 0 ? context_fail(&err) : status;
}

int context_print_json(json_t *owned) {
  struct uw_buf out = {0};
  struct uw_err err;
  uw_err_clear(&err);
  int status = UW_EXIT_OK;
  if (owned == NULL) {
    (void)uw_err_set(&err, UW_EXIT_USAGE, "out of memory");
    status = context_fail(&err);
  } else if (uw_json_pretty(owned, &out, &err) != 0) {
    status = context_fail(&err);
  } else {
    (void)fputs(uw_buf_text(&out), stdout);
  }
  uw_buf_free(&out);
  json_decref(owned);
  return status;
}

int context_print_look(const struct context *c, const struct look *l) {
  struct uw_err err;
  uw_err_clear(&err);
  json_t *verdict = look_verdict(l, &err);
  if (verdict == NULL) {
    return context_fail(&err);
  }
  int status =
      context_print_verdict(c->options, verdict, l->saved, rcv_exit_status(&l->judgement->verdict));
  json_decref(verdict);
  return status;
}

int context_wait(const struct context *c, const struct rcv_verdict *v, int64_t deadline_ms) {
  int64_t wait_s = v->look_again_s < WAIT_LEAST_S  ? WAIT_LEAST_S
                   : v->look_again_s > WAIT_MOST_S ? WAIT_MOST_S
                                                   : v->look_again_s;
  int64_t until = uw_mono_ms() + wait_s * 1000;
  if (until > deadline_ms) {
    until = deadline_ms;
  }
  for (int64_t now = uw_mono_ms(); now < until && !stop_requested; now = uw_mono_ms()) {
    struct obs_progress p = {
        .what = "waiting for the next look", .host = "", .left_ms = until - now};
    show_progress((void *)(uintptr_t)c->options, &p);
    (void)uw_sleep_ms(until - now < WAIT_SLICE_MS ? until - now : WAIT_SLICE_MS);
  }
  if (stop_requested) {
    return -1;
  }
  return uw_mono_ms() >= deadline_ms ? 1 : 0;
}
