#include "agent/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool reserve(struct uw_buf *b, size_t more) {
  size_t max = b->max != 0 ? b->max : UW_BUF_DEFAULT_MAX;
  if (b->failed || more >= max || b->len > max - more - 1) {
    b->failed = true;
    return false;
  }
  size_t need = b->len + more + 1;
  if (need > b->cap) {
    size_t cap = b->cap < 64 ? 64 : b->cap;
    while (cap < need) {
      cap *= 2;
    }
    /* malloc + copy, not realloc, so that a wiped secret leaves no copy in a freed block. */
    char *data = malloc(cap);
    if (data == NULL) {
      b->failed = true;
      return false;
    }
    if (b->len > 0) {
      memcpy(data, b->data, b->len);
      explicit_bzero(b->data, b->len);
    }
    free(b->data);
    b->data = data;
    b->cap = cap;
  }
  return true;
}

void uw_buf_add(struct uw_buf *b, const void *bytes, size_t n) {
  if (reserve(b, n)) {
    if (n > 0) {
      memcpy(b->data + b->len, bytes, n);
    }
    b->len += n;
    b->data[b->len] = '\0';
  }
}

void uw_buf_puts(struct uw_buf *b, const char *text) { uw_buf_add(b, text, strlen(text)); }

void uw_buf_printf(struct uw_buf *b, const char *format, ...) {
  va_list ap;
  va_list again;
  va_start(ap, format);
  va_copy(again, ap);
  int n = vsnprintf(NULL, 0, format, ap);
  va_end(ap);
  if (n < 0) {
    b->failed = true;
  } else if (reserve(b, (size_t)n)) {
    (void)vsnprintf(b->data + b->len, (size_t)n + 1, format, again);
    b->len += (size_t)n;
  }
  va_end(again);
}

const char *uw_buf_text(const struct uw_buf *b) { return b->data != NULL ? b->data : ""; }

void uw_buf_reset(struct uw_buf *b) {
  b->len = 0;
  b->failed = false;
  if (b->data != NULL) {
    b->data[0] = '\0';
  }
}

void uw_buf_free(struct uw_buf *b) {
  free(b->data);
  b->data = NULL;
  b->len = 0;
  b->cap = 0;
  b->failed = false;
}

void uw_buf_wipe(struct uw_buf *b) {
  if (b->data != NULL) {
    explicit_bzero(b->data, b->cap);
  }
  uw_buf_free(b);
}
