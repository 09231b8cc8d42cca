/* What every verb that talks to a cloud shares: the session, Ctrl-C, progress, printing. */
#ifndef UW_CONTEXT_H
#define UW_CONTEXT_H

#include "agent/cli/options.h"
#include "agent/run/act.h"
#include "agent/run/look.h"
#include "agent/run/session.h"

struct context {
  const struct cli_options *options;
  struct session *session;
  char uuid[UW_UUID_TEXT_BYTES];
};

/*
 * Installs the handlers of SIGINT and SIGTERM, opens the session, and finds the instance
 * (operand may be NULL). acting: the verb can write to the cloud. On error prints it.
 */
int context_open(const struct cli_options *options, bool acting, const char *operand,
                 struct context *c, struct uw_err *err) UW_MUST_USE;
void context_close(struct context *c);

/* "unwedge: TEXT" on stderr; returns the status to exit with, never 0. */
int context_fail(const struct uw_err *err);

/* "unwedge: VERB WORD...: not understood; known are: KNOWN" on stderr; returns UW_EXIT_USAGE. */
int context_bad_words(const struct cli_options *options, const char *known);

/* Prints a document and frees it; NULL is told as out of memory. Returns the exit status. */
int context_print_json(json_t *owned);

/* Prints a look's verdict as asked (text or JSON). Returns the exit status of the verdict, or of
 * a failure to print. */
int context_print_look(const struct context *c, const struct look *l);
/* The same for a verdict document with its status. */
int context_print_verdict(const struct cli_options *options, const json_t *verdict,
                          const char *saved, int status);

/* Waits until the next look is due (bounded by the deadline, monotonic). 0: look again; 1: the
 * time is over; -1: interrupted. */
int context_wait(const struct context *c, const struct rcv_verdict *v, int64_t deadline_ms);

/* Removes what progress left on the terminal's last line. */
void context_progress_end(void);

#endif
