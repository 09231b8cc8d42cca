/*
 * A growing byte buffer with a limit. Always NUL-terminated behind its bytes.
 * A failed append sets `failed`, keeps the old bytes, and makes later appends no-ops, so
 * that a caller can append freely and check once.
 */
#ifndef UW_BUF_H
#define UW_BUF_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/base/err.h"

struct uw_buf {
  char *data; /* owned; NULL while empty and never used */
  size_t len;
  size_t cap;
  size_t max; /* bytes; 0 = UW_BUF_DEFAULT_MAX */
  bool failed;
};

#define UW_BUF_DEFAULT_MAX ((size_t)16 * 1024 * 1024)

void uw_buf_add(struct uw_buf *b, const void *bytes, size_t n);
void uw_buf_puts(struct uw_buf *b, const char *text);
void uw_buf_printf(struct uw_buf *b, const char *format, ...) UW_PRINTF(2, 3);
/* The text so far, "" when nothing was added. Borrowed until the next change. */
const char *uw_buf_text(const struct uw_buf *b);
/* Forgets the bytes, keeps the memory. */
void uw_buf_reset(struct uw_buf *b);
/* Frees; the buffer can be used again. Wipes first when it held a secret (uw_buf_wipe). */
void uw_buf_free(struct uw_buf *b);
void uw_buf_wipe(struct uw_buf *b);

#endif
