/* Many short-lived children at once, none of which can hold up or outlive the caller. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "agent/base/files.h"
#include "agent/libvirt/inner.h"

#define POLL_MS 100       /* at most this late for stop and deadlines */
#define REAP_MS 2         /* between two looks for the end of a child that closed its output */
#define LAST_WAIT_MS 2000 /* for a killed child to go; then it is left to init */
#define BLOCK_BYTES 16384

/* What the probe gets of our environment: where ~/.pki and ~/.ssh are, the ssh agent, Kerberos for
 * SASL. Nothing of it can be an OpenStack credential. */
static const char *const passed[] = {"HOME", "SSH_AUTH_SOCK", "KRB5CCNAME", "KRB5_CLIENT_KTNAME"};
#define PASSED ((int)(sizeof passed / sizeof passed[0]))

/* So that nothing that lacks close-on-exec leaks into the probe, not even until it closes it. */
static int close_others(posix_spawn_file_actions_t *actions) {
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 34)
  return posix_spawn_file_actions_addclosefrom_np(actions, 3);
#else
  (void)actions;
  return 0;
#endif
}

struct environment {
  char text[PASSED][PATH_MAX + 32];
  char *list[PASSED + 3];
};

static void make_environment(struct environment *e) {
  static char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  static char locale[] = "LC_ALL=C";
  int n = 0;
  e->list[n++] = path;
  e->list[n++] = locale;
  for (int i = 0; i < PASSED; i++) {
    const char *value = getenv(passed[i]);
    if (value != NULL && strlen(value) < PATH_MAX) {
      (void)snprintf(e->text[i], sizeof e->text[i], "%s=%s", passed[i], value);
      e->list[n++] = e->text[i];
    }
  }
  e->list[n] = NULL;
}

static int not_started(struct child *c, const char *what, int why) {
  c->end = CHILD_NOT_STARTED;
  c->end_ms = uw_mono_ms();
  (void)snprintf(c->why, sizeof c->why, "%s: %s", what, strerrordesc_np(why));
  return -1;
}

/* A file in memory instead of a pipe: writing it can neither block nor raise SIGPIPE. */
static int request_file(const char *request) {
  int fd = memfd_create("probe-request", MFD_CLOEXEC);
  if (fd >= 0 && (uw_write_all(fd, request, strlen(request)) != 0 || lseek(fd, 0, SEEK_SET) != 0)) {
    (void)close(fd);
    fd = -1;
  }
  return fd;
}

static int spawn_with(const char *program, struct child *c, int in, int out, int err) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  struct environment environment;
  sigset_t all;
  sigset_t none;
  char *argv[] = {(char *)(uintptr_t)program, NULL};
  (void)sigfillset(&all);
  (void)sigdelset(&all, SIGKILL);
  (void)sigdelset(&all, SIGSTOP);
  (void)sigemptyset(&none);
  make_environment(&environment);
  int why = posix_spawn_file_actions_init(&actions);
  if (why != 0) {
    return why;
  }
  why = posix_spawnattr_init(&attributes);
  if (why == 0) {
    bool set = posix_spawn_file_actions_adddup2(&actions, in, 0) == 0 &&
               posix_spawn_file_actions_adddup2(&actions, out, 1) == 0 &&
               posix_spawn_file_actions_adddup2(&actions, err, 2) == 0 &&
               close_others(&actions) == 0 && posix_spawnattr_setpgroup(&attributes, 0) == 0 &&
               posix_spawnattr_setsigdefault(&attributes, &all) == 0 &&
               posix_spawnattr_setsigmask(&attributes, &none) == 0 &&
               posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF |
                                                         POSIX_SPAWN_SETSIGMASK) == 0;
    why =
        set ? posix_spawn(&c->pid, program, &actions, &attributes, argv, environment.list) : ENOMEM;
    (void)posix_spawnattr_destroy(&attributes);
  }
  (void)posix_spawn_file_actions_destroy(&actions);
  return why;
}

static void close_pair(int fd[2]) {
  if (fd[0] >= 0) {
    (void)close(fd[0]);
  }
  if (fd[1] >= 0) {
    (void)close(fd[1]);
  }
}

static int start(const char *program, struct child *c) {
  int out[2] = {-1, -1};
  int err[2] = {-1, -1};
  c->start_ms = uw_mono_ms();
  c->out.max = PROBE_REPLY_BYTES + BLOCK_BYTES;
  int in = request_file(c->request);
  if (in < 0 || pipe2(out, O_CLOEXEC | O_NONBLOCK) != 0 ||
      pipe2(err, O_CLOEXEC | O_NONBLOCK) != 0 || fcntl(out[1], F_SETFL, 0) != 0) {
    int why = errno;
    close_pair(out);
    close_pair(err);
    if (in >= 0) {
      (void)close(in);
    }
    return not_started(c, "cannot make pipes for a probe", why);
  }
  int why = spawn_with(program, c, in, out[1], err[1]);
  (void)close(in);
  (void)close(out[1]);
  (void)close(err[1]);
  if (why != 0) {
    (void)close(out[0]);
    (void)close(err[0]);
    return not_started(c, program, why);
  }
  c->fd_out = out[0];
  c->fd_err = err[0];
  c->running = true;
  return 0;
}

/* The whole group: an ssh that the probe has started must not stay behind. */
static void kill_child(const struct child *c) { (void)kill(-c->pid, SIGKILL); }

static void read_complaint(struct child *c) {
  ssize_t got = read(c->fd_err, c->complaint, sizeof c->complaint - 1);
  c->complaint[got > 0 ? got : 0] = '\0';
}

/* Takes the exit status if there is one by now. The pid is still ours until then. */
static bool reaped(struct child *c) {
  int status = 0;
  siginfo_t info;
  memset(&info, 0, sizeof info);
  int known = waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOHANG | WNOWAIT);
  if (known == 0 && info.si_pid == 0) {
    return false;
  }
  if (known == 0) {
    kill_child(c); /* not reaped yet, so that the number is still this group's */
  }
  pid_t done = waitpid(c->pid, &status, WNOHANG);
  read_complaint(c);
  (void)close(c->fd_err);
  if (c->fd_out >= 0) {
    (void)close(c->fd_out);
  }
  c->running = false;
  c->end_ms = uw_mono_ms();
  if (c->killed) {
    return true; /* end was set by who killed it */
  }
  if (done == c->pid && WIFEXITED(status)) {
    c->end = CHILD_EXITED;
    c->status = WEXITSTATUS(status);
  } else {
    c->end = CHILD_DIED;
    c->status = done == c->pid && WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  }
  return true;
}

static void stop_child(struct child *c, enum child_end end) {
  if (!c->killed) {
    c->killed = true;
    c->end = end;
    kill_child(c);
  }
}

/* Reads what is there. At the end of the output fd_out becomes -1. */
static void read_output(struct child *c) {
  char block[BLOCK_BYTES];
  for (;;) {
    ssize_t got = read(c->fd_out, block, sizeof block);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
      return;
    }
    if (got <= 0) {
      (void)close(c->fd_out);
      c->fd_out = -1;
      return;
    }
    uw_buf_add(&c->out, block, (size_t)got);
    if (c->out.failed || c->out.len > PROBE_REPLY_BYTES) {
      stop_child(c, CHILD_TOO_MUCH);
      return;
    }
  }
}

/* Gives up on a killed child that the kernel does not let go (it would block us for ever). */
static void abandon(struct child *c) {
  (void)close(c->fd_err);
  if (c->fd_out >= 0) {
    (void)close(c->fd_out);
  }
  c->running = false;
  c->end_ms = uw_mono_ms();
}

static void tend(struct child *c) {
  if (c->fd_out >= 0) {
    read_output(c);
  }
  int64_t age = uw_mono_ms() - c->start_ms;
  if (age >= c->deadline_ms) {
    stop_child(c, CHILD_KILLED);
  }
  if ((c->fd_out < 0 || c->killed) && !reaped(c) && c->killed &&
      age >= c->deadline_ms + LAST_WAIT_MS) {
    abandon(c);
  }
}

/* Sleeps until something may have happened to a running child. */
static void wait_for(struct child *child, size_t n) {
  struct pollfd fds[PROBE_MAX_PARALLEL];
  nfds_t count = 0;
  int64_t wait = POLL_MS;
  int64_t now = uw_mono_ms();
  for (size_t i = 0; i < n && count < PROBE_MAX_PARALLEL; i++) {
    if (!child[i].running) {
      continue;
    }
    int64_t left = child[i].start_ms + child[i].deadline_ms - now;
    if (child[i].fd_out >= 0 && !child[i].killed) {
      fds[count++] = (struct pollfd){.fd = child[i].fd_out, .events = POLLIN};
    } else {
      left = REAP_MS;
    }
    if (left < wait) {
      wait = left > 0 ? left : 0;
    }
  }
  (void)poll(fds, count, (int)wait);
}

static size_t running(const struct child *child, size_t n) {
  size_t count = 0;
  for (size_t i = 0; i < n; i++) {
    count += child[i].running ? 1U : 0U;
  }
  return count;
}

static int give_up(struct child *child, size_t n, struct uw_err *err) {
  for (size_t i = 0; i < n; i++) {
    if (child[i].running) {
      child[i].deadline_ms = 0;
      stop_child(&child[i], CHILD_KILLED);
    }
  }
  for (int64_t end = uw_mono_ms() + LAST_WAIT_MS; running(child, n) > 0;) {
    for (size_t i = 0; i < n; i++) {
      if (child[i].running && !reaped(&child[i]) && uw_mono_ms() >= end) {
        abandon(&child[i]);
      }
    }
    (void)uw_sleep_ms(REAP_MS);
  }
  return uw_err_set(err, UW_EXIT_USAGE, "interrupted while asking libvirt");
}

int children_run(const char *program, struct child *child, size_t n, int parallel,
                 const volatile bool *stop, struct uw_err *err) {
  size_t most = parallel < 1 ? 1 : (size_t)parallel;
  size_t next = 0;
  most = most > PROBE_MAX_PARALLEL ? PROBE_MAX_PARALLEL : most;
  for (;;) {
    if (stop != NULL && *stop) {
      return give_up(child, n, err);
    }
    while (next < n && running(child, n) < most) {
      if (child[next].wanted) {
        (void)start(program, &child[next]);
      }
      next++;
    }
    if (next == n && running(child, n) == 0) {
      return 0;
    }
    wait_for(child, n);
    for (size_t i = 0; i < n; i++) {
      if (child[i].running) {
        tend(&child[i]);
      }
    }
  }
}
