/*
 * unwedge-probe: one short-lived process that asks one libvirt daemon, read-only, and prints what
 * it says as JSON lines. The only program here that links libvirt, and one that never sees an
 * OpenStack credential. Reads one request from stdin (request.h); the parent is agent/libvirt.
 */
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "agent/probe/host.h"
#include "agent/probe/out.h"
#include "agent/probe/request.h"
#include "agent/probe/watch.h"

#define FIRST_DEADLINE_MS 2000 /* until the request with its own deadline is read */
#define FAREWELL_MS 500        /* a polite goodbye keeps the daemon's log clean; worth no more */
#define MAX_FDS 64
#define MAX_CPU_S 30
#define MAX_MEMORY ((rlim_t)1 << 30)
#define MAX_FILE_BYTES ((rlim_t)1 << 20)

#if defined(__SANITIZE_ADDRESS__)
#define LIMIT_MEMORY 0 /* the sanitizer reserves terabytes of address space */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LIMIT_MEMORY 0
#endif
#endif
#ifndef LIMIT_MEMORY
#define LIMIT_MEMORY 1
#endif

/* What ssh, SASL and the search for TLS files need; everything else is dropped. */
static const char *const kept[] = {"HOME", "SSH_AUTH_SOCK", "KRB5CCNAME", "KRB5_CLIENT_KTNAME"};
#define KEPT (sizeof kept / sizeof kept[0])
#define SAFE_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static int clean_environment(void) {
  char *value[KEPT] = {NULL};
  int result = 0;
  for (size_t i = 0; i < KEPT; i++) {
    const char *text = getenv(kept[i]);
    value[i] = text != NULL ? strdup(text) : NULL;
  }
  if (clearenv() != 0 || setenv("PATH", SAFE_PATH, 1) != 0 || setenv("LC_ALL", "C", 1) != 0) {
    result = -1;
  }
  for (size_t i = 0; i < KEPT; i++) {
    if (value[i] != NULL && setenv(kept[i], value[i], 1) != 0) {
      result = -1;
    }
    free(value[i]);
  }
  return result;
}

#ifdef __GLIBC__
typedef __rlimit_resource_t resource_number;
#else
typedef int resource_number;
#endif

static int limit(resource_number resource, rlim_t most) {
  struct rlimit old;
  if (getrlimit(resource, &old) != 0) {
    return -1;
  }
  if (old.rlim_max < most) {
    most = old.rlim_max;
  }
  const struct rlimit now = {.rlim_cur = most, .rlim_max = most};
  return setrlimit(resource, &now);
}

static int set_limits(void) {
  if (LIMIT_MEMORY && limit(RLIMIT_AS, MAX_MEMORY) != 0) {
    return -1;
  }
  return limit(RLIMIT_CORE, 0) == 0 && limit(RLIMIT_CPU, MAX_CPU_S) == 0 &&
                 limit(RLIMIT_NOFILE, MAX_FDS) == 0 && limit(RLIMIT_FSIZE, MAX_FILE_BYTES) == 0
             ? 0
             : -1;
}

/* Whatever the caller forgot to close is not this program's business. */
static void close_others(void) {
  struct rlimit old;
  unsigned int most = 1024;
  if (close_range(3, ~0U, 0) == 0) {
    return;
  }
  if (getrlimit(RLIMIT_NOFILE, &old) == 0 && old.rlim_cur < 65536) {
    most = (unsigned int)old.rlim_cur;
  }
  for (unsigned int fd = 3; fd < most; fd++) {
    (void)close((int)fd);
  }
}

static int prepare(void) {
  close_others();
  /* Dies with its parent: nobody would read the answer. */
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return -1;
  }
  (void)signal(SIGPIPE, SIG_IGN);
  return clean_environment() == 0 && set_limits() == 0 ? 0 : -1;
}

static void stay_silent(void *data, virErrorPtr error) {
  (void)data;
  (void)error;
}

static void run(const struct request *r) {
  struct host h;
  out_capture_log();
  if (virInitialize() != 0) {
    out_libvirt_error("start", NULL);
    out_line("end", json_true());
    return;
  }
  /* It has been read; an ssh child of the library would read it again, without that file. */
  (void)unsetenv("LIBVIRT_LOG_OUTPUTS");
  virSetErrorFunc(NULL, stay_silent);
  if (host_open(r, &h) == 0) {
    switch (r->op) {
    case OP_LOOK: op_look(&h, r); break;
    case OP_LIST: op_list(&h, r); break;
    case OP_STATS: op_stats(&h, r); break;
    case OP_CAPS: op_caps(&h, r); break;
    case OP_COMPARE: op_compare(&h, r); break;
    case OP_NONE: break;
    }
  }
  /* The farewell's alarm is silent and set first, so that nothing can follow the end. */
  watch_farewell(FAREWELL_MS);
  out_line("end", json_true());
  host_close(&h);
}

int main(int argc, char **argv) {
  static struct request request;
  struct uw_err err;
  (void)argv;
  if (argc != 1) {
    (void)fputs("usage: unwedge-probe < REQUEST: one JSON request on stdin, reply lines on stdout; "
                "started by unwedge\n",
                stderr);
    return 1;
  }
  memset(&err, 0, sizeof err);
  if (prepare() != 0) {
    out_error("start", NULL, "cannot set limits, environment or death signal");
    return 1;
  }
  watch_start(FIRST_DEADLINE_MS);
  if (request_read(STDIN_FILENO, &request, &err) != 0) {
    out_line("schema", json_string(OUT_SCHEMA));
    out_error("request", NULL, err.text);
    out_line("end", json_true());
    request_free(&request);
    return 1;
  }
  watch_start(request.deadline_ms);
  out_line("schema", json_string(OUT_SCHEMA));
  run(&request);
  request_free(&request);
  return 0;
}
