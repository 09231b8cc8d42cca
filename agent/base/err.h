/*
 * One error: what, where, what to do, and the exit status it leads to.
 *
 * By value, supplied by the caller, passed last. Setting it allocates nothing, so that
 * reporting a lack of memory cannot fail. Functions that take one return 0 or -1.
 */
#ifndef UW_ERR_H
#define UW_ERR_H

#include <stddef.h>

#define UW_ERR_TEXT_BYTES 1024
#define UW_MUST_USE __attribute__((warn_unused_result))
#define UW_PRINTF(f, a) __attribute__((format(printf, f, a)))

/* Exit statuses of the program (contract section 3). */
enum uw_exit {
  UW_EXIT_OK = 0,
  UW_EXIT_USAGE = 1, /* usage, configuration, unknown instance, credential, lock, internal */
  UW_EXIT_RESET = 2,
  UW_EXIT_REFUSED = 3,
  UW_EXIT_UNKNOWN = 4,
  UW_EXIT_APPROVAL = 5,
  UW_EXIT_STALE = 6,
  UW_EXIT_ACTED_UNKNOWN = 7,
  UW_EXIT_JOURNAL = 8,
  UW_EXIT_WAIT = 9
};

struct uw_err {
  enum uw_exit status; /* UW_EXIT_OK (0) until something is set */
  int http;            /* HTTP status that caused it, 0 if none */
  char text[UW_ERR_TEXT_BYTES];
};

void uw_err_clear(struct uw_err *err);

/* Sets err (err may be NULL) and returns -1, so that `return uw_err_set(...)` is one line. */
int uw_err_set(struct uw_err *err, enum uw_exit status, const char *format, ...) UW_PRINTF(3, 4);

/* Puts "format: " before the text that is there; keeps the status; returns -1. */
int uw_err_wrap(struct uw_err *err, const char *format, ...) UW_PRINTF(2, 3);

/* "unwedge: warning: TEXT" and a newline on standard error. */
void uw_warn(const char *format, ...) UW_PRINTF(1, 2);

#endif
