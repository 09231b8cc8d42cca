#include "agent/base/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int uw_write_all(int fd, const void *bytes, size_t n) {
  const char *at = bytes;
  while (n > 0) {
    ssize_t done = write(fd, at, n);
    if (done < 0 && errno == EINTR) {
      continue;
    }
    if (done <= 0) {
      return -1;
    }
    at += done;
    n -= (size_t)done;
  }
  return 0;
}

int uw_path_join(char *out, size_t n, const char *dir, const char *name, struct uw_err *err) {
  size_t len = strlen(dir);
  const char *slash = len > 0 && dir[len - 1] == '/' ? "" : "/";
  int used = snprintf(out, n, "%s%s%s", dir, slash, name);
  if (used < 0 || (size_t)used >= n) {
    return uw_err_set(err, UW_EXIT_USAGE, "path too long: %s/%s", dir, name);
  }
  return 0;
}

static int read_fd(int fd, const char *path, size_t max, struct uw_buf *out, struct uw_err *err) {
  size_t before = out->len;
  char block[16384];
  for (;;) {
    ssize_t got = read(fd, block, sizeof block);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      out->len = before;
      return uw_err_set(err, UW_EXIT_USAGE, "cannot read %s: %s", path, strerrordesc_np(errno));
    }
    if (got == 0) {
      return 0;
    }
    if ((size_t)got > max - (out->len - before)) {
      out->len = before;
      return uw_err_set(err, UW_EXIT_USAGE, "%s is larger than %zu bytes", path, max);
    }
    uw_buf_add(out, block, (size_t)got);
    if (out->failed) {
      out->len = before;
      return uw_err_set(err, UW_EXIT_USAGE, "%s does not fit in memory", path);
    }
  }
}

int uw_file_read(const char *path, size_t max, struct uw_buf *out, struct uw_err *err) {
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    return uw_err_set(err, UW_EXIT_USAGE, "cannot open %s: %s", path, strerrordesc_np(errno));
  }
  struct stat st;
  int result = -1;
  if (fstat(fd, &st) != 0 || S_ISDIR(st.st_mode)) {
    (void)uw_err_set(err, UW_EXIT_USAGE, "cannot read %s: it is not a file", path);
  } else {
    result = read_fd(fd, path, max, out, err);
  }
  (void)close(fd);
  return result;
}

static void parent_of(const char *path, char *out, size_t n) {
  const char *slash = strrchr(path, '/');
  if (slash == NULL) {
    (void)snprintf(out, n, ".");
  } else if (slash == path) {
    (void)snprintf(out, n, "/");
  } else {
    (void)snprintf(out, n, "%.*s", (int)(slash - path), path);
  }
}

int uw_dir_fsync(const char *path, struct uw_err *err) {
  int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0 || fsync(fd) != 0) {
    int why = errno;
    if (fd >= 0) {
      (void)close(fd);
    }
    return uw_err_set(err, UW_EXIT_USAGE, "cannot make directory %s durable: %s", path,
                      strerrordesc_np(why));
  }
  return close(fd) == 0 ? 0 : uw_err_set(err, UW_EXIT_USAGE, "cannot close directory %s", path);
}

static int write_and_rename(int fd, const char *temp, const char *path, const void *bytes, size_t n,
                            struct uw_err *err) {
  int failed = uw_write_all(fd, bytes, n) != 0 || fsync(fd) != 0;
  int why = errno;
  if (close(fd) != 0 && !failed) {
    failed = 1;
    why = errno;
  }
  if (!failed && rename(temp, path) != 0) {
    failed = 1;
    why = errno;
  }
  if (failed) {
    (void)unlink(temp);
    return uw_err_set(err, UW_EXIT_USAGE, "cannot write %s: %s", path, strerrordesc_np(why));
  }
  return 0;
}

int uw_file_write_atomic(const char *path, const void *bytes, size_t n, mode_t mode,
                         struct uw_err *err) {
  char temp[PATH_MAX];
  char parent[PATH_MAX];
  int used = snprintf(temp, sizeof temp, "%s.new-%ld", path, (long)getpid());
  if (used < 0 || (size_t)used >= sizeof temp) {
    return uw_err_set(err, UW_EXIT_USAGE, "path too long: %s", path);
  }
  int fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
  if (fd < 0) {
    return uw_err_set(err, UW_EXIT_USAGE, "cannot create %s: %s", temp, strerrordesc_np(errno));
  }
  if (write_and_rename(fd, temp, path, bytes, n, err) != 0) {
    return -1;
  }
  parent_of(path, parent, sizeof parent);
  return uw_dir_fsync(parent, err);
}

static int make_one(const char *path, mode_t mode, struct uw_err *err) {
  struct stat st;
  if (mkdir(path, mode) == 0) {
    return 0;
  }
  if (errno == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
    return 0;
  }
  return uw_err_set(err, UW_EXIT_USAGE, "cannot make directory %s: %s", path,
                    strerrordesc_np(errno));
}

int uw_dir_make(const char *path, mode_t mode, struct uw_err *err) {
  char part[PATH_MAX];
  size_t len = strlen(path);
  if (len == 0 || len >= sizeof part) {
    return uw_err_set(err, UW_EXIT_USAGE, "not a usable directory name: '%s'", path);
  }
  for (size_t i = 1; i <= len; i++) {
    if (path[i] == '/' || path[i] == '\0') {
      memcpy(part, path, i);
      part[i] = '\0';
      if (make_one(part, mode, err) != 0) {
        return -1;
      }
    }
  }
  return 0;
}
