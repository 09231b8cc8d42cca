#include "agent/base/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "agent/base/digest.h"
#include "agent/base/files.h"

#define HOLDER_BYTES 128

/* Who holds it, from the file's own line "pid seconds verb"; it is information, not the lock. */
static int held(int fd, const char *path, struct uw_err *err) {
  char line[HOLDER_BYTES] = "";
  long pid = 0;
  int64_t since = 0;
  char verb[32] = "";
  ssize_t got = pread(fd, line, sizeof line - 1, 0);
  if (got > 0) {
    line[got] = '\0';
  }
  if (sscanf(line, "%ld %" SCNd64 " %31s", &pid, &since, verb) != 3) {
    return uw_err_set(err, UW_EXIT_USAGE,
                      "%s is locked by another process; wait until that has ended", path);
  }
  char when[UW_TIME_BYTES];
  uw_time_text(since, when);
  return uw_err_set(err, UW_EXIT_USAGE,
                    "%s is locked by process %ld (%s) since %s; wait until that has ended", path,
                    pid, verb, when);
}

static int private_to_us(int fd, const char *path, struct uw_err *err) {
  struct stat st;
  if (fstat(fd, &st) != 0) {
    return uw_err_set(err, UW_EXIT_USAGE, "cannot examine %s: %s", path, strerrordesc_np(errno));
  }
  if (st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return uw_err_set(err, UW_EXIT_USAGE,
                      "%s belongs to another user or others may write it (mode %04o); make it "
                      "private to the user that runs unwedge",
                      path, (unsigned)(st.st_mode & 07777));
  }
  if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) {
    return uw_err_set(err, UW_EXIT_USAGE, "%s is not a file", path);
  }
  return 0;
}

static int dir_private(const char *dir, struct uw_err *err) {
  int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) {
    return uw_err_set(err, UW_EXIT_USAGE, "cannot open directory %s: %s", dir,
                      strerrordesc_np(errno));
  }
  int result = private_to_us(fd, dir, err);
  (void)close(fd);
  return result;
}

/* A line that cannot be written costs the next process a name in a message, nothing else. */
static void sign(int fd, const char *verb) {
  char line[HOLDER_BYTES];
  int used = snprintf(line, sizeof line, "%ld %" PRId64 " %s\n", (long)getpid(), uw_wall_s(), verb);
  if (used > 0 && (size_t)used < sizeof line &&
      (ftruncate(fd, 0) != 0 || uw_write_all(fd, line, (size_t)used) != 0)) {
    errno = 0;
  }
}

static int take(int fd, const char *path, const char *verb, struct uw_err *err) {
  if (private_to_us(fd, path, err) != 0) {
    return -1;
  }
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      return held(fd, path, err);
    }
    return uw_err_set(err, UW_EXIT_USAGE, "cannot lock %s: %s", path, strerrordesc_np(errno));
  }
  sign(fd, verb);
  return 0;
}

int uw_lock_take(const char *dir, const char *name, const char *verb, struct uw_lock *lock,
                 struct uw_err *err) {
  char path[PATH_MAX];
  lock->fd = -1;
  if (name[0] == '\0' || name[0] == '.' || strchr(name, '/') != NULL ||
      strlen(name) >= UW_LOCK_NAME_BYTES) {
    return uw_err_set(err, UW_EXIT_USAGE, "'%s' cannot name a lock", name);
  }
  if (uw_path_join(path, sizeof path, dir, name, err) != 0 || uw_dir_make(dir, 0700, err) != 0 ||
      dir_private(dir, err) != 0) {
    return -1;
  }
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
  if (fd < 0) {
    return uw_err_set(err, UW_EXIT_USAGE, "cannot open lock %s: %s", path, strerrordesc_np(errno));
  }
  if (take(fd, path, verb, err) != 0) {
    (void)close(fd);
    return -1;
  }
  lock->fd = fd;
  return 0;
}

int uw_lock_instance(const char *state_dir, const char *instance, const char *verb,
                     struct uw_lock *lock, struct uw_err *err) {
  char dir[PATH_MAX];
  uint8_t uuid[RCV_UUID_BYTES];
  char name[UW_UUID_TEXT_BYTES];
  lock->fd = -1;
  if (uw_uuid_parse(instance, uuid) != 0) {
    return uw_err_set(err, UW_EXIT_USAGE, "'%s' is not a UUID", instance);
  }
  uw_uuid_text(uuid, name);
  if (uw_path_join(dir, sizeof dir, state_dir, "lock", err) != 0) {
    return -1;
  }
  return uw_lock_take(dir, name, verb, lock, err);
}

void uw_lock_drop(struct uw_lock *lock) {
  if (lock->fd >= 0) {
    /* An empty file says that nobody holds it; close drops the lock. */
    if (ftruncate(lock->fd, 0) != 0) {
      errno = 0;
    }
    (void)close(lock->fd);
    lock->fd = -1;
  }
}
