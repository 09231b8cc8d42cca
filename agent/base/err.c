#include "agent/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void uw_err_clear(struct uw_err *err) { memset(err, 0, sizeof *err); }

int uw_err_set(struct uw_err *err, enum uw_exit status, const char *format, ...) {
  if (err != NULL) {
    va_list ap;
    err->status = status;
    err->http = 0;
    va_start(ap, format);
    if (vsnprintf(err->text, sizeof err->text, format, ap) < 0) {
      err->text[0] = '\0';
    }
    va_end(ap);
  }
  return -1;
}

int uw_err_wrap(struct uw_err *err, const char *format, ...) {
  if (err != NULL) {
    char old[UW_ERR_TEXT_BYTES];
    memcpy(old, err->text, sizeof old);
    va_list ap;
    va_start(ap, format);
    int used = vsnprintf(err->text, sizeof err->text, format, ap);
    va_end(ap);
    if (used < 0) {
      used = 0;
    }
    size_t at = (size_t)used;
    if (at + 2 < sizeof err->text) {
      /* A cut tail is acceptable: the head says what and where. */
      size_t room = sizeof err->text - at;
      (void)snprintf(err->text + at, room, ": %.*s", (int)(room - 3), old);
    }
  }
  return -1;
}

void uw_warn(const char *format, ...) {
  va_list ap;
  (void)fputs("unwedge: warning: ", stderr);
  va_start(ap, format);
  (void)vfprintf(stderr, format, ap);
  va_end(ap);
  (void)fputc('\n', stderr);
}
