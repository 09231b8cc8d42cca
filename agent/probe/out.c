#include "agent/probe/out.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent/base/files.h"
#include "agent/probe/watch.h"

#define TEXT_BYTES 1001 /* one text from libvirt, with NUL */
#define LOG_BYTES 16384
#define MAX_LOG_LINES 16
#define BROKEN_STATUS 4
#define LIBVIRT_WARN "3" /* libvirt's number for warnings and above */

static int log_fd = -1;
static off_t log_at;

static void write_text(char *text) {
  if (text == NULL) {
    _exit(BROKEN_STATUS);
  }
  watch_hold();
  if (uw_write_all(STDOUT_FILENO, text, strlen(text)) != 0 ||
      uw_write_all(STDOUT_FILENO, "\n", 1) != 0) {
    _exit(BROKEN_STATUS);
  }
  watch_release();
  free(text);
}

void out_line(const char *key, json_t *value) {
  json_t *line = json_pack("{s:o}", key, value);
  write_text(line != NULL ? json_dumps(line, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL);
  json_decref(line);
}

void out_begin(const char *step, const char *instance, int64_t limit_ms) {
  char hung[WATCH_LINE_BYTES];
  json_t *line = instance == NULL ? json_pack("{s:s}", "begin", step)
                                  : json_pack("{s:s, s:s}", "begin", step, "instance", instance);
  write_text(line != NULL ? json_dumps(line, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL);
  json_decref(line);
  /* Steps are our own words and instances were checked to be UUIDs: nothing needs escaping. */
  if (instance == NULL) {
    (void)snprintf(hung, sizeof hung, "{\"hung\":\"%s\"}\n", step);
  } else {
    (void)snprintf(hung, sizeof hung, "{\"hung\":\"%s\",\"instance\":\"%s\"}\n", step, instance);
  }
  watch_step(hung, limit_ms);
}

json_t *out_text(const char *text) {
  char copy[TEXT_BYTES];
  if (text == NULL) {
    return json_null();
  }
  (void)snprintf(copy, sizeof copy, "%s", text);
  json_t *value = json_string(copy);
  if (value == NULL) {
    for (char *p = copy; *p != '\0'; p++) {
      if ((unsigned char)*p >= 0x80) {
        *p = '?';
      }
    }
    value = json_string(copy);
  }
  return value;
}

static json_t *error_value(const char *step, const char *instance, int code, int domain, int int1,
                           const char *text) {
  json_t *value = json_pack("{s:s, s:i, s:i, s:i, s:o}", "step", step, "code", code, "domain",
                            domain, "int1", int1, "text", out_text(text));
  if (value != NULL && instance != NULL) {
    (void)json_object_set_new(value, "instance", json_string(instance));
  }
  return value;
}

/* "2026-11-23 05:48:51.123+0000: 17: warning : function:line : text" -> text */
static const char *log_text(const char *line) {
  const char *level = strstr(line, ": warning : ");
  const char *rest;
  if (level != NULL) {
    rest = level + strlen(": warning : ");
  } else {
    level = strstr(line, ": error : ");
    if (level == NULL) {
      return NULL; /* "libvirt version: ...", "hostname: ..." */
    }
    rest = level + strlen(": error : ");
  }
  const char *text = strstr(rest, " : ");
  return text != NULL ? text + 3 : rest;
}

static void out_log(void) {
  static char bytes[LOG_BYTES];
  if (log_fd < 0) {
    return;
  }
  ssize_t got = pread(log_fd, bytes, sizeof bytes - 1, log_at);
  if (got <= 0) {
    return;
  }
  bytes[got] = '\0';
  log_at += got;
  char *next = bytes;
  for (int lines = 0; lines < MAX_LOG_LINES && next != NULL && *next != '\0';) {
    char *line = next;
    next = strchr(line, '\n');
    if (next != NULL) {
      *next++ = '\0';
    }
    const char *text = log_text(line);
    if (text != NULL) {
      out_line("log", out_text(text));
      lines++;
    }
  }
}

void out_libvirt_error(const char *step, const char *instance) {
  virErrorPtr e = virGetLastError();
  int code = e != NULL ? e->code : 0;
  int domain = e != NULL ? e->domain : 0;
  int int1 = e != NULL ? e->int1 : 0;
  json_t *value = error_value(step, instance, code, domain, int1,
                              e != NULL && e->message != NULL ? e->message : "no error text");
  out_log();
  out_line("error", value);
}

void out_error(const char *step, const char *instance, const char *text) {
  out_line("error", error_value(step, instance, 0, 0, 0, text));
}

void out_capture_log(void) {
  char target[64];
  log_fd = memfd_create("libvirt-log", MFD_CLOEXEC);
  if (log_fd >= 0) {
    (void)snprintf(target, sizeof target, LIBVIRT_WARN ":file:/proc/self/fd/%d", log_fd);
    (void)setenv("LIBVIRT_LOG_OUTPUTS", target, 1);
  }
}
