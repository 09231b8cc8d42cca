/* Writing a journal: making it, opening it with the lock, appending, storing files. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "agent/base/files.h"
#include "agent/base/json.h"
#include "agent/base/lock.h"
#include "agent/journal/inner.h"

#ifndef UW_VERSION
#define UW_VERSION "unversioned"
#endif

/* The last two records, what a record cut short leaves behind them, and the newline before. */
#define TAIL_BYTES (3 * JOURNAL_RECORD_BYTES + 1)

struct journal {
  char dir[PATH_MAX];
  int dir_fd;
  int fd; /* records.jsonl, O_APPEND */
  struct uw_lock lock;
  int64_t seq;                     /* of the next record */
  uint8_t chain[RCV_DIGEST_BYTES]; /* of the last record */
  char boot_id[37];
  bool dead; /* a write failed; nothing more is written through this handle */
};

static int fail(struct uw_err *err, const char *what, const char *dir, const char *name) {
  return uw_err_set(err, UW_EXIT_JOURNAL, "%s %s/%s: %s", what, dir, name, strerrordesc_np(errno));
}

/* A limit on file sizes has to be an error (EFBIG) and not the end of the process between an act
 * and its outcome. */
static void survive_size_limit(void) {
  struct sigaction now;
  if (sigaction(SIGXFSZ, NULL, &now) == 0 && now.sa_handler == SIG_DFL) {
    struct sigaction ignore;
    memset(&ignore, 0, sizeof ignore);
    ignore.sa_handler = SIG_IGN;
    (void)sigaction(SIGXFSZ, &ignore, NULL);
  }
}

static int check_private(int fd, const char *dir, const char *name, bool is_dir,
                         struct uw_err *err) {
  struct stat st;
  if (fstat(fd, &st) != 0) {
    return fail(err, "cannot examine", dir, name);
  }
  if (is_dir ? !S_ISDIR(st.st_mode) : (!S_ISREG(st.st_mode) || st.st_nlink != 1)) {
    return uw_err_set(err, UW_EXIT_JOURNAL, "%s/%s is not a plain %s with one name", dir, name,
                      is_dir ? "directory" : "file");
  }
  if (st.st_uid != geteuid()) {
    return uw_err_set(err, UW_EXIT_JOURNAL,
                      "%s/%s belongs to user %u and not to user %u, which runs this; not used", dir,
                      name, (unsigned)st.st_uid, (unsigned)geteuid());
  }
  if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return uw_err_set(err, UW_EXIT_JOURNAL,
                      "%s/%s can be written by others (mode %04o); chmod go-w it after you have "
                      "looked who did",
                      dir, name, (unsigned)(st.st_mode & 07777));
  }
  return 0;
}

/* init */

static int make_records(int dir_fd, const char *dir, struct uw_err *err) {
  int fd = openat(dir_fd, JOURNAL_FILE, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0 && errno == EEXIST) {
    return uw_err_set(err, UW_EXIT_JOURNAL, "%s/%s exists: there is a journal here already", dir,
                      JOURNAL_FILE);
  }
  if (fd < 0) {
    return fail(err, "cannot make", dir, JOURNAL_FILE);
  }
  int result = fsync(fd) == 0 ? 0 : fail(err, "cannot make durable", dir, JOURNAL_FILE);
  (void)close(fd);
  return result;
}

static int make_folder(int dir_fd, const char *dir, const char *name, struct uw_err *err) {
  if (mkdirat(dir_fd, name, 0700) != 0 && errno != EEXIST) {
    return fail(err, "cannot make directory", dir, name);
  }
  int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) {
    return fail(err, "cannot open directory", dir, name);
  }
  int result = check_private(fd, dir, name, true, err);
  (void)close(fd);
  return result;
}

static int open_dir(const char *dir, struct uw_err *err) {
  int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) {
    return uw_err_set(err, UW_EXIT_JOURNAL,
                      "cannot open journal %s: %s (make one with 'unwedge journal init')", dir,
                      strerrordesc_np(errno));
  }
  if (check_private(fd, dir, ".", true, err) != 0) {
    (void)close(fd);
    return -1;
  }
  return fd;
}

static int parent_fsync(const char *dir, struct uw_err *err) {
  char path[PATH_MAX];
  return uw_path_join(path, sizeof path, dir, "..", err) == 0 ? uw_dir_fsync(path, err) : -1;
}

int journal_init(const char *dir, struct uw_err *err) {
  if (uw_dir_make(dir, 0700, err) != 0) {
    if (err != NULL) {
      err->status = UW_EXIT_JOURNAL;
    }
    return -1;
  }
  int fd = open_dir(dir, err);
  if (fd < 0) {
    return -1;
  }
  int result = -1;
  if (make_folder(fd, dir, JOURNAL_EVIDENCE, err) == 0 &&
      make_folder(fd, dir, JOURNAL_TORN, err) == 0 && make_records(fd, dir, err) == 0) {
    result = fsync(fd) == 0 ? parent_fsync(dir, err) : fail(err, "cannot make durable", dir, ".");
  }
  (void)close(fd);
  if (result != 0 && err != NULL) {
    err->status = UW_EXIT_JOURNAL;
  }
  return result;
}

/* stored files */

/* Writes bytes as folder/name unless it is there with the same bytes. */
static int put_file(struct journal *j, const char *folder, const char *name, const void *bytes,
                    size_t n, struct uw_err *err) {
  char path[PATH_MAX];
  char file[PATH_MAX];
  struct stat st;
  if (uw_path_join(path, sizeof path, j->dir, folder, err) != 0 ||
      uw_path_join(file, sizeof file, path, name, err) != 0) {
    return -1;
  }
  if (lstat(file, &st) == 0) {
    struct uw_buf old = {.max = JOURNAL_STORE_BYTES + 65536};
    bool same = S_ISREG(st.st_mode) && uw_file_read(file, JOURNAL_STORE_BYTES, &old, err) == 0 &&
                old.len == n && (n == 0 || memcmp(old.data, bytes, n) == 0);
    uw_buf_free(&old);
    /* an earlier call may have failed between its name and the name's durability */
    return same ? uw_dir_fsync(path, err)
                : uw_err_set(err, UW_EXIT_JOURNAL,
                             "%s is there and holds something else: it was changed", file);
  }
  /* The temporary name must not look like a stored file, even after a crash. */
  char temp[PATH_MAX];
  unsigned mark = 0;
  if (getrandom(&mark, sizeof mark, 0) != (ssize_t)sizeof mark) {
    return fail(err, "no random bytes for", path, name);
  }
  int used = snprintf(temp, sizeof temp, "%s/.new-%08x", path, mark);
  if (used < 0 || (size_t)used >= sizeof temp) {
    return uw_err_set(err, UW_EXIT_JOURNAL, "path too long: %s", path);
  }
  int fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) {
    return fail(err, "cannot write", path, name);
  }
  bool bad = uw_write_all(fd, bytes, n) != 0 || fsync(fd) != 0;
  int why = errno;
  (void)close(fd);
  if (!bad && rename(temp, file) != 0) {
    bad = true;
    why = errno;
  }
  if (bad) {
    (void)unlink(temp);
    errno = why;
    return fail(err, "cannot write", path, name);
  }
  return uw_dir_fsync(path, err);
}

static int store_in(struct journal *j, const char *folder, const void *bytes, size_t n,
                    uint8_t digest[RCV_DIGEST_BYTES], struct uw_err *err) {
  char name[JOURNAL_FILE_NAME];
  int result = uw_sha256(bytes, n, digest, err);
  if (result == 0) {
    journal_file_name(digest, name);
    result = put_file(j, folder, name, bytes, n, err);
  }
  if (result != 0) {
    memset(digest, 0, RCV_DIGEST_BYTES);
    if (err != NULL) {
      err->status = UW_EXIT_JOURNAL;
    }
  }
  return result;
}

int journal_store(struct journal *j, const void *bytes, size_t n, uint8_t digest[RCV_DIGEST_BYTES],
                  struct uw_err *err) {
  memset(digest, 0, RCV_DIGEST_BYTES);
  if (n > JOURNAL_STORE_BYTES) {
    return uw_err_set(err, UW_EXIT_JOURNAL, "a file of %zu bytes is too large for the journal", n);
  }
  return store_in(j, JOURNAL_EVIDENCE, bytes, n, digest, err);
}

/* append */

static int add_members(const struct journal *j, const char *run, const char *type,
                       const json_t *body, json_t *record, struct uw_err *err) {
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)(uintptr_t)body, key, value) {
    if (journal_key_reserved(key)) {
      return uw_err_set(err, UW_EXIT_JOURNAL, "a journal record cannot have a member '%s'", key);
    }
    if (json_object_set(record, key, value) != 0) {
      return uw_err_set(err, UW_EXIT_JOURNAL, "no memory for a journal record");
    }
  }
  unsigned char random[JOURNAL_SALT_BYTES];
  char salt[2 * JOURNAL_SALT_BYTES + 1];
  char when[UW_TIME_BYTES];
  int64_t now = uw_wall_s();
  if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random) {
    return uw_err_set(err, UW_EXIT_JOURNAL, "the kernel gives no random bytes");
  }
  for (size_t i = 0; i < sizeof random; i++) {
    (void)snprintf(salt + 2 * i, 3, "%02x", random[i]);
  }
  uw_time_text(now, when);
  bool bad = json_object_set_new(record, "schema", json_string(JOURNAL_SCHEMA)) != 0 ||
             json_object_set_new(record, "seq", json_integer(j->seq)) != 0 ||
             json_object_set_new(record, "run", json_string(run)) != 0 ||
             json_object_set_new(record, "type", json_string(type)) != 0 ||
             json_object_set_new(record, "time", json_string(when)) != 0 ||
             json_object_set_new(record, "time_s", json_integer(now)) != 0 ||
             json_object_set_new(record, "mono_ms", json_integer(uw_mono_ms())) != 0 ||
             json_object_set_new(record, "boot_id", json_string(j->boot_id)) != 0 ||
             json_object_set_new(record, "salt", json_string(salt)) != 0 ||
             json_object_set_new(record, "tool", json_string(UW_VERSION)) != 0;
  return bad ? uw_err_set(err, UW_EXIT_JOURNAL, "no memory for a journal record") : 0;
}

/* Makes the line with its newline, and the chain value that it carries. */
static int make_line(const struct journal *j, json_t *record, struct uw_buf *line,
                     uint8_t chain[RCV_DIGEST_BYTES], struct uw_err *err) {
  char text[UW_DIGEST_TEXT_BYTES];
  if (journal_chain(j->chain, record, chain, err) != 0) {
    return -1;
  }
  uw_digest_text(chain, text);
  if (json_object_set_new(record, "chain", json_string(text)) != 0 ||
      uw_json_canonical(record, line, err) != 0) {
    return uw_err_set(err, UW_EXIT_JOURNAL, "no memory for a journal record");
  }
  uw_buf_puts(line, "\n");
  if (line->failed || line->len > JOURNAL_RECORD_BYTES) {
    return uw_err_set(err, UW_EXIT_JOURNAL,
                      "a journal record of type %s is larger than %zu bytes; store the large part "
                      "as a file",
                      uw_json_str(record, "type", "?"), JOURNAL_RECORD_BYTES);
  }
  return 0;
}

/* Space behind the end for an intent and its outcome, so that a full disk stops a run before
 * the act and not after it. 0 when the file system cannot reserve, -1 when there is no space. */
static int64_t reserve(struct journal *j, struct uw_err *err) {
  struct stat st;
  if (fstat(j->fd, &st) != 0) {
    return fail(err, "cannot examine", j->dir, JOURNAL_FILE);
  }
  int result = 0;
  do {
    result = fallocate(j->fd, FALLOC_FL_KEEP_SIZE, st.st_size, (off_t)JOURNAL_RESERVE);
  } while (result != 0 && errno == EINTR);
  if (result == 0) {
    return JOURNAL_RESERVE;
  }
  if (errno == EOPNOTSUPP || errno == ENOSYS) {
    return 0;
  }
  return fail(err, "cannot reserve space in", j->dir, JOURNAL_FILE);
}

/* One write, one fsync, no second try (but for a signal that came first): after an error the kernel
 * may have dropped the bytes. */
static int write_line(struct journal *j, const struct uw_buf *line, struct uw_err *err) {
  ssize_t done = -1;
  do {
    done = write(j->fd, line->data, line->len);
  } while (done < 0 && errno == EINTR);
  if (done != (ssize_t)line->len) {
    j->dead = true;
    if (done >= 0) {
      return uw_err_set(err, UW_EXIT_JOURNAL,
                        "%s/%s: only %zd of %zu bytes could be written (is the disk full, or the "
                        "file size limited?)",
                        j->dir, JOURNAL_FILE, done, line->len);
    }
    return fail(err, "cannot write", j->dir, JOURNAL_FILE);
  }
  if (fsync(j->fd) != 0) {
    j->dead = true;
    return fail(err, "cannot make durable", j->dir, JOURNAL_FILE);
  }
  return 0;
}

static int append_record(struct journal *j, json_t *record, struct uw_err *err) {
  struct uw_buf line = {.max = 2 * JOURNAL_RECORD_BYTES};
  uint8_t chain[RCV_DIGEST_BYTES];
  int result = make_line(j, record, &line, chain, err);
  if (result == 0) {
    result = write_line(j, &line, err);
  }
  if (result == 0) {
    j->seq++;
    memcpy(j->chain, chain, sizeof chain);
  }
  uw_buf_free(&line);
  return result;
}

static int reserve_for(struct journal *j, const char *type, json_t *record, struct uw_err *err) {
  if (strcmp(type, "intent") != 0) {
    return 0;
  }
  int64_t got = reserve(j, err);
  if (got < 0) {
    j->dead = true;
    return -1;
  }
  return json_object_set_new(record, "reserved", json_integer(got)) == 0
             ? 0
             : uw_err_set(err, UW_EXIT_JOURNAL, "no memory for a journal record");
}

int journal_append(struct journal *j, const char *run, const char *type, const json_t *body,
                   struct uw_err *err) {
  if (j->dead) {
    return uw_err_set(err, UW_EXIT_JOURNAL,
                      "%s: an earlier write failed; nothing more is written by this process",
                      j->dir);
  }
  if (uw_uuid_parse(run, NULL) != 0 || !json_is_object(body)) {
    return uw_err_set(err, UW_EXIT_JOURNAL, "internal: a journal record needs a run and a body");
  }
  json_t *record = json_object();
  int result = -1;
  if (record != NULL && journal_body_check(type, body, err) == 0 &&
      add_members(j, run, type, body, record, err) == 0 && reserve_for(j, type, record, err) == 0) {
    result = append_record(j, record, err);
  }
  json_decref(record);
  return result;
}

/* open */

struct tail {
  char *bytes;  /* the end of the file; owned */
  size_t n;     /* how many of them */
  off_t start;  /* where they begin in the file */
  size_t whole; /* bytes up to and with the last newline; the rest is torn */
};

static int read_tail(struct journal *j, struct tail *t, struct uw_err *err) {
  struct stat st;
  if (fstat(j->fd, &st) != 0) {
    return fail(err, "cannot examine", j->dir, JOURNAL_FILE);
  }
  t->start = st.st_size > (off_t)TAIL_BYTES ? st.st_size - (off_t)TAIL_BYTES : 0;
  size_t want = (size_t)(st.st_size - t->start);
  t->bytes = malloc(TAIL_BYTES);
  if (t->bytes == NULL) {
    return uw_err_set(err, UW_EXIT_JOURNAL, "no memory to open the journal");
  }
  while (t->n < want) {
    ssize_t got = pread(j->fd, t->bytes + t->n, want - t->n, t->start + (off_t)t->n);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      return fail(err, "cannot read", j->dir, JOURNAL_FILE);
    }
    t->n += (size_t)got;
  }
  const char *last = t->n > 0 ? memrchr(t->bytes, '\n', t->n) : NULL;
  t->whole = last != NULL ? (size_t)(last - t->bytes) + 1 : 0;
  if (t->n - t->whole > JOURNAL_RECORD_BYTES) {
    return uw_err_set(err, UW_EXIT_JOURNAL,
                      "%s/%s ends with more than one record could leave: it was not this program "
                      "that wrote there; 'unwedge journal verify' says more",
                      j->dir, JOURNAL_FILE);
  }
  return 0;
}

/* The line that ends before `end` (one past its newline); NULL when there is none. */
static const char *line_before(const struct tail *t, size_t end, size_t *len) {
  *len = 0;
  if (end == 0) {
    return NULL;
  }
  const char *previous = end > 1 ? memrchr(t->bytes, '\n', end - 1) : NULL;
  size_t begin = previous != NULL ? (size_t)(previous - t->bytes) + 1 : 0;
  if (previous == NULL && t->start > 0) {
    return NULL;
  }
  *len = end - 1 - begin;
  return t->bytes + begin;
}

/* Takes seq and chain from the last whole record, and refuses to go on behind a changed one. */
static int adopt_last(struct journal *j, const struct tail *t, struct uw_err *err) {
  size_t len = 0;
  const char *line = line_before(t, t->whole, &len);
  j->seq = 0;
  memset(j->chain, 0, sizeof j->chain);
  if (line == NULL && t->whole == 0 && t->start == 0) {
    return 0;
  }
  size_t before_len = 0;
  uint8_t before[RCV_DIGEST_BYTES] = {0};
  json_t *record = NULL;
  struct uw_err why;
  uw_err_clear(&why);
  const char *previous =
      line != NULL ? line_before(t, (size_t)(line - t->bytes), &before_len) : NULL;
  int64_t seq = -1;
  bool good = line != NULL;
  if (good && previous != NULL) {
    good = journal_line_check(previous, before_len, -1, before, &record, &why) == 0 &&
           uw_digest_parse(uw_json_str(record, "chain", ""), before) == 0;
    seq = uw_json_int(record, "seq", -1);
    json_decref(record);
    record = NULL;
  }
  good = good && journal_line_check(line, len, seq + 1, before, &record, &why) == 0 &&
         uw_digest_parse(uw_json_str(record, "chain", ""), j->chain) == 0;
  j->seq = good ? seq + 2 : 0;
  json_decref(record);
  return good ? 0
              : uw_err_set(err, UW_EXIT_JOURNAL,
                           "%s/%s: the last records are damaged or were changed (%.400s); nothing "
                           "is written behind them; 'unwedge journal verify' says more",
                           j->dir, JOURNAL_FILE, why.text);
}

/* The torn bytes are kept, then cut off, then told of; a crash in between only repeats this. */
static int recover(struct journal *j, const struct tail *t, char warning[UW_ERR_TEXT_BYTES],
                   struct uw_err *err) {
  size_t torn = t->n - t->whole;
  uint8_t digest[RCV_DIGEST_BYTES];
  char text[UW_DIGEST_TEXT_BYTES];
  char run[] = JOURNAL_NO_RUN;
  if (torn == 0) {
    return 0;
  }
  off_t end = t->start + (off_t)t->whole;
  if (store_in(j, JOURNAL_TORN, t->bytes + t->whole, torn, digest, err) != 0) {
    return -1;
  }
  if (ftruncate(j->fd, end) != 0 || fsync(j->fd) != 0) {
    j->dead = true;
    return fail(err, "cannot cut the unfinished record off", j->dir, JOURNAL_FILE);
  }
  uw_digest_text(digest, text);
  json_t *body = json_object();
  bool bad = json_object_set_new(body, "torn_bytes", json_integer((json_int_t)torn)) != 0 ||
             json_object_set_new(body, "torn_digest", json_string(text)) != 0 ||
             json_object_set_new(body, "torn_offset", json_integer((json_int_t)end)) != 0;
  int result = bad ? uw_err_set(err, UW_EXIT_JOURNAL, "no memory for a journal record")
                   : journal_append(j, run, "recovered", body, err);
  json_decref(body);
  if (result == 0) {
    (void)snprintf(warning, UW_ERR_TEXT_BYTES,
                   "the journal's last record was unfinished (%zu bytes): an earlier run died "
                   "while writing it; the bytes are kept as %.600s/%s/%s",
                   torn, j->dir, JOURNAL_TORN, text + sizeof "sha256:" - 1);
  }
  return result;
}

static int open_files(struct journal *j, struct uw_err *err) {
  j->dir_fd = open_dir(j->dir, err);
  if (j->dir_fd < 0 || make_folder(j->dir_fd, j->dir, JOURNAL_EVIDENCE, err) != 0 ||
      make_folder(j->dir_fd, j->dir, JOURNAL_TORN, err) != 0) {
    return -1;
  }
  j->fd = openat(j->dir_fd, JOURNAL_FILE, O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (j->fd < 0) {
    return fail(err, "cannot open for writing", j->dir, JOURNAL_FILE);
  }
  if (check_private(j->fd, j->dir, JOURNAL_FILE, false, err) != 0 ||
      uw_lock_take(j->dir, JOURNAL_LOCK, "journal", &j->lock, err) != 0) {
    return -1;
  }
  /* The lock file carries the holder's name; this one holds even when that file is removed. */
  if (flock(j->fd, LOCK_EX | LOCK_NB) != 0) {
    return fail(err, "another process writes to", j->dir, JOURNAL_FILE);
  }
  return 0;
}

static int open_all(struct journal *j, char warning[UW_ERR_TEXT_BYTES], struct uw_err *err) {
  struct tail t = {0};
  int result = -1;
  if (open_files(j, err) == 0 && read_tail(j, &t, err) == 0 && adopt_last(j, &t, err) == 0) {
    result = recover(j, &t, warning, err);
  }
  free(t.bytes);
  return result;
}

int journal_open(const char *dir, struct journal **ret, char warning[UW_ERR_TEXT_BYTES],
                 struct uw_err *err) {
  warning[0] = '\0';
  *ret = NULL;
  struct journal *j = calloc(1, sizeof *j);
  if (j == NULL || strlen(dir) >= sizeof j->dir) {
    free(j);
    return uw_err_set(err, UW_EXIT_JOURNAL, "cannot open the journal: path too long or no memory");
  }
  memcpy(j->dir, dir, strlen(dir));
  j->dir_fd = -1;
  j->fd = -1;
  j->lock.fd = -1;
  uw_boot_id(j->boot_id);
  survive_size_limit();
  if (open_all(j, warning, err) != 0) {
    if (err != NULL) {
      err->status = UW_EXIT_JOURNAL;
    }
    journal_close(j);
    return -1;
  }
  *ret = j;
  return 0;
}

void journal_close(struct journal *j) {
  if (j == NULL) {
    return;
  }
  if (j->fd >= 0) {
    (void)close(j->fd);
  }
  if (j->dir_fd >= 0) {
    (void)close(j->dir_fd);
  }
  uw_lock_drop(&j->lock);
  free(j);
}
