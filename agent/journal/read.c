/* Reading a journal: no lock, no change. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/files.h"
#include "agent/base/json.h"
#include "agent/journal/inner.h"

#define BLOCK_BYTES (4 * JOURNAL_RECORD_BYTES)

void journal_file_name(const uint8_t digest[RCV_DIGEST_BYTES], char out[JOURNAL_FILE_NAME]) {
  char text[UW_DIGEST_TEXT_BYTES];
  uw_digest_text(digest, text);
  memcpy(out, text + sizeof "sha256:" - 1, JOURNAL_FILE_NAME);
}

int journal_open_read(const char *dir, const char *name, struct uw_err *err) {
  struct stat st;
  int at = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (at < 0) {
    return uw_err_set(err, UW_EXIT_JOURNAL,
                      "cannot open journal %s: %s (make one with 'unwedge journal init')", dir,
                      strerrordesc_np(errno));
  }
  int fd = openat(at, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  int why = errno;
  (void)close(at);
  if (fd < 0) {
    return uw_err_set(err, UW_EXIT_JOURNAL, "cannot open %s/%s: %s", dir, name,
                      strerrordesc_np(why));
  }
  if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
    (void)close(fd);
    return uw_err_set(err, UW_EXIT_JOURNAL, "%s/%s is not a file", dir, name);
  }
  return fd;
}

/* Reads through fd with one block of memory. */
struct walk {
  const char *dir;
  int fd;
  char *block; /* BLOCK_BYTES */
  size_t have; /* bytes in it that no line has used yet */
  int64_t number;
  bool stopped;
};

/* Hands out the whole lines in the block and moves the rest to its front. */
static int hand_out(struct walk *w, int (*each)(const char *, size_t, int64_t, void *), void *ctx,
                    struct uw_err *err) {
  size_t at = 0;
  while (!w->stopped) {
    const char *end = memchr(w->block + at, '\n', w->have - at);
    if (end == NULL) {
      break;
    }
    size_t n = (size_t)(end - (w->block + at));
    w->number++;
    if (n + 1 > JOURNAL_RECORD_BYTES) {
      return uw_err_set(err, UW_EXIT_JOURNAL, "%s/%s line %lld is longer than a record", w->dir,
                        JOURNAL_FILE, (long long)w->number);
    }
    w->stopped = each(w->block + at, n, w->number, ctx) != 0;
    at += n + 1;
  }
  memmove(w->block, w->block + at, w->have - at);
  w->have -= at;
  if (w->have > JOURNAL_RECORD_BYTES) {
    return uw_err_set(err, UW_EXIT_JOURNAL, "%s/%s line %lld is longer than a record", w->dir,
                      JOURNAL_FILE, (long long)w->number + 1);
  }
  return 0;
}

static int walk_all(struct walk *w, int (*each)(const char *, size_t, int64_t, void *), void *ctx,
                    struct uw_err *err) {
  while (!w->stopped) {
    ssize_t got = read(w->fd, w->block + w->have, BLOCK_BYTES - w->have);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return uw_err_set(err, UW_EXIT_JOURNAL, "cannot read %s/%s: %s", w->dir, JOURNAL_FILE,
                        strerrordesc_np(errno));
    }
    if (got == 0) {
      return 0;
    }
    w->have += (size_t)got;
    if (hand_out(w, each, ctx, err) != 0) {
      return -1;
    }
  }
  return 0;
}

int journal_lines(const char *dir, int (*each)(const char *, size_t, int64_t, void *), void *ctx,
                  int64_t *torn, struct uw_err *err) {
  struct walk w = {.dir = dir, .block = malloc(BLOCK_BYTES)};
  int result = -1;
  if (w.block == NULL) {
    return uw_err_set(err, UW_EXIT_JOURNAL, "no memory to read the journal");
  }
  w.fd = journal_open_read(dir, JOURNAL_FILE, err);
  if (w.fd >= 0) {
    result = walk_all(&w, each, ctx, err);
    (void)close(w.fd);
  }
  if (torn != NULL) {
    *torn = result == 0 && !w.stopped ? (int64_t)w.have : 0;
  }
  free(w.block);
  return result;
}

/* journal_each */

struct each_ctx {
  const char *dir;
  int (*each)(const json_t *record, void *ctx);
  void *ctx;
  bool failed;
  struct uw_err *err;
};

static int each_line(const char *line, size_t n, int64_t number, void *ctx) {
  struct each_ctx *c = ctx;
  char what[UW_ERR_TEXT_BYTES / 2];
  (void)snprintf(what, sizeof what, "%.400s/%s line %lld", c->dir, JOURNAL_FILE, (long long)number);
  json_t *record = uw_json_parse(line, n, what, UW_EXIT_JOURNAL, c->err);
  if (record == NULL) {
    c->failed = true;
    return 1;
  }
  int stop = c->each(record, c->ctx);
  json_decref(record);
  return stop;
}

int journal_each(const char *dir, int (*each)(const json_t *record, void *ctx), void *ctx,
                 struct uw_err *err) {
  struct each_ctx c = {.dir = dir, .each = each, .ctx = ctx, .err = err};
  if (journal_lines(dir, each_line, &c, NULL, err) != 0) {
    return -1;
  }
  return c.failed ? -1 : 0;
}

/* journal_open_intent */

struct intent_ctx {
  const char *instance;
  json_t *open; /* intents without an answer so far, oldest first; owned */
};

static bool settles(const json_t *record) {
  const char *type = uw_json_str(record, "type", "");
  if (strcmp(type, "resolved") == 0) {
    return true;
  }
  /* An outcome that does not know is the reason to look, not the answer. */
  const char *result = uw_json_str(record, "result", "");
  return strcmp(type, "outcome") == 0 &&
         (strcmp(result, "applied") == 0 || strcmp(result, "not_applied") == 0);
}

static void settle(json_t *open, const char *run) {
  for (size_t i = json_array_size(open); i > 0; i--) {
    if (strcmp(uw_json_str(json_array_get(open, i - 1), "run", ""), run) == 0) {
      (void)json_array_remove(open, i - 1);
    }
  }
}

static int find_intent(const json_t *record, void *ctx) {
  struct intent_ctx *c = ctx;
  if (strcasecmp(uw_json_str(record, "instance", ""), c->instance) != 0) {
    return 0;
  }
  if (settles(record)) {
    settle(c->open, uw_json_str(record, "run", ""));
  } else if (strcmp(uw_json_str(record, "type", ""), "intent") == 0 &&
             json_array_append(c->open, (json_t *)(uintptr_t)record) != 0) {
    json_decref(c->open);
    c->open = NULL;
    return 1;
  }
  return 0;
}

int journal_open_intent(const char *dir, const char *instance, json_t **ret, struct uw_err *err) {
  struct intent_ctx c = {.instance = instance, .open = json_array()};
  *ret = NULL;
  int result = journal_each(dir, find_intent, &c, err);
  if (result == 0 && c.open == NULL) {
    result = uw_err_set(err, UW_EXIT_JOURNAL, "no memory to read the journal");
  }
  size_t n = json_array_size(c.open);
  if (result == 0 && n > 0) {
    *ret = json_incref(json_array_get(c.open, n - 1));
  }
  json_decref(c.open);
  return result;
}

/* stored files */

static int fetch_name(const char *dir, const char *name, struct uw_buf *out, struct uw_err *err) {
  char folder[PATH_MAX];
  char block[16384];
  if (uw_path_join(folder, sizeof folder, dir, JOURNAL_EVIDENCE, err) != 0) {
    return -1;
  }
  int fd = journal_open_read(folder, name, err);
  if (fd < 0) {
    return -1;
  }
  size_t before = out->len;
  ssize_t got = 0;
  do {
    got = read(fd, block, sizeof block);
    if (got > 0) {
      uw_buf_add(out, block, (size_t)got);
    }
  } while ((got > 0 || (got < 0 && errno == EINTR)) && !out->failed &&
           out->len - before <= JOURNAL_STORE_BYTES);
  int why = errno;
  (void)close(fd);
  if (got < 0) {
    return uw_err_set(err, UW_EXIT_JOURNAL, "cannot read %s/%s: %s", folder, name,
                      strerrordesc_np(why));
  }
  if (out->failed || out->len - before > JOURNAL_STORE_BYTES) {
    return uw_err_set(err, UW_EXIT_JOURNAL, "%s/%s is too large", folder, name);
  }
  return 0;
}

int journal_fetch(const char *dir, const uint8_t digest[RCV_DIGEST_BYTES], struct uw_buf *out,
                  struct uw_err *err) {
  char name[JOURNAL_FILE_NAME];
  uint8_t real[RCV_DIGEST_BYTES];
  size_t before = out->len;
  journal_file_name(digest, name);
  if (fetch_name(dir, name, out, err) != 0) {
    return -1;
  }
  if (uw_sha256(uw_buf_text(out) + before, out->len - before, real, err) != 0 ||
      memcmp(real, digest, sizeof real) != 0) {
    return uw_err_set(err, UW_EXIT_JOURNAL,
                      "%s/%s/%s does not have the digest that is its name: it was changed", dir,
                      JOURNAL_EVIDENCE, name);
  }
  return 0;
}

/* journal_verify */

struct verify_ctx {
  const char *dir;
  struct journal_report *report;
  uint8_t chain[RCV_DIGEST_BYTES];
};

static void problem(struct verify_ctx *c, const char *text) {
  if (c->report->first_problem[0] == '\0') {
    (void)snprintf(c->report->first_problem, sizeof c->report->first_problem, "%s", text);
  }
}

/* The member "files" names stored files: {"evidence": "sha256:..."}. */
static void check_files(struct verify_ctx *c, const json_t *record, int64_t number) {
  const char *key;
  json_t *value;
  char text[UW_ERR_TEXT_BYTES];
  json_object_foreach(json_object_get(record, "files"), key, value) {
    uint8_t digest[RCV_DIGEST_BYTES];
    struct uw_buf bytes = {.max = JOURNAL_STORE_BYTES + 65536};
    struct uw_err why;
    uw_err_clear(&why);
    if (!json_is_string(value) || uw_digest_parse(json_string_value(value), digest) != 0) {
      (void)snprintf(text, sizeof text, "line %lld: files.%.60s is not a digest", (long long)number,
                     key);
      problem(c, text);
    } else if (journal_fetch(c->dir, digest, &bytes, &why) != 0) {
      (void)snprintf(text, sizeof text, "line %lld: files.%.60s: %.800s", (long long)number, key,
                     why.text);
      problem(c, text);
    }
    uw_buf_free(&bytes);
  }
}

static int verify_line(const char *line, size_t n, int64_t number, void *ctx) {
  struct verify_ctx *c = ctx;
  json_t *record = NULL;
  struct uw_err why;
  uw_err_clear(&why);
  if (journal_line_check(line, n, number - 1, c->chain, &record, &why) != 0) {
    char text[UW_ERR_TEXT_BYTES];
    (void)snprintf(text, sizeof text, "line %lld: %.900s", (long long)number, why.text);
    problem(c, text);
    return 1;
  }
  c->report->records++;
  check_files(c, record, number);
  if (uw_digest_parse(uw_json_str(record, "chain", ""), c->chain) != 0) {
    problem(c, "a chain value cannot be read");
  }
  json_decref(record);
  return 0;
}

/* Every stored file has the digest that is its name, whether or not a record names it. */
static int verify_files(struct verify_ctx *c, struct uw_err *err) {
  char folder[PATH_MAX];
  if (uw_path_join(folder, sizeof folder, c->dir, JOURNAL_EVIDENCE, err) != 0) {
    return -1;
  }
  DIR *d = opendir(folder);
  if (d == NULL) {
    return uw_err_set(err, UW_EXIT_JOURNAL, "cannot open %s: %s", folder, strerrordesc_np(errno));
  }
  for (struct dirent *entry = readdir(d); entry != NULL; entry = readdir(d)) {
    char text[UW_DIGEST_TEXT_BYTES + sizeof entry->d_name];
    uint8_t digest[RCV_DIGEST_BYTES];
    if (entry->d_name[0] == '.') {
      continue; /* ".", "..", and what a crash left of a file that no record names */
    }
    (void)snprintf(text, sizeof text, "sha256:%s", entry->d_name);
    struct uw_buf bytes = {.max = JOURNAL_STORE_BYTES + 65536};
    struct uw_err why;
    uw_err_clear(&why);
    if (uw_digest_parse(text, digest) != 0) {
      (void)snprintf(why.text, sizeof why.text, "%s/%s is not a stored file of this journal",
                     JOURNAL_EVIDENCE, entry->d_name);
      problem(c, why.text);
    } else if (journal_fetch(c->dir, digest, &bytes, &why) != 0) {
      problem(c, why.text);
    } else {
      c->report->evidence_files++;
    }
    uw_buf_free(&bytes);
  }
  (void)closedir(d);
  return 0;
}

int journal_verify(const char *dir, struct journal_report *out, struct uw_err *err) {
  struct verify_ctx c = {.dir = dir, .report = out};
  memset(out, 0, sizeof *out);
  struct uw_err why;
  uw_err_clear(&why);
  int fd = journal_open_read(dir, JOURNAL_FILE, err);
  if (fd < 0) {
    return -1;
  }
  (void)close(fd);
  if (journal_lines(dir, verify_line, &c, &out->torn_bytes, &why) != 0) {
    problem(&c, why.text);
  }
  if (out->torn_bytes > 0) {
    char text[UW_ERR_TEXT_BYTES];
    (void)snprintf(text, sizeof text,
                   "line %lld is unfinished (%lld bytes): a writer died; the next run that writes "
                   "moves it to %s/ and says so",
                   (long long)out->records + 1, (long long)out->torn_bytes, JOURNAL_TORN);
    problem(&c, text);
  }
  if (out->records == 0 && out->torn_bytes == 0 && out->first_problem[0] == '\0') {
    /* The first record says that the journal was made: an empty one was emptied. */
    problem(&c, JOURNAL_FILE " holds no record, not even the first one (init): it was emptied");
  }
  return verify_files(&c, err);
}
