/* The journal: what is written, what is refused, what is found when something went wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above before it */
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/base/files.h"
#include "agent/base/json.h"
#include "agent/base/lock.h"
#include "agent/journal/inner.h"
#include "agent/journal/journal.h"
#include "agent/journal/resolve.h"
#include "agent/journal/show.h"

#define RUN_A "11111111-1111-4111-8111-111111111111"
#define RUN_B "22222222-2222-4222-8222-222222222222"
#define INSTANCE "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
#define OTHER "bbbbbbbb-bbbb-4ccc-8ddd-eeeeeeeeeeee"

/* These take the places of the C library's: the n-th call fails, 0 never. */
static int fsync_fails_at, fsync_calls;
static int fallocate_errno;

int fsync(int fd) {
  fsync_calls++;
  if (fsync_fails_at > 0 && fsync_calls == fsync_fails_at) {
    errno = EIO;
    return -1;
  }
  return (int)syscall(SYS_fsync, fd);
}

int fallocate(int fd, int mode, off_t at, off_t n) {
  if (fallocate_errno != 0) {
    errno = fallocate_errno;
    return -1;
  }
  return (int)syscall(SYS_fallocate, fd, mode, at, n);
}

static void fail_fsync(int at) {
  fsync_calls = 0;
  fsync_fails_at = at;
}

static char base[PATH_MAX]; /* a new directory for each test */
static char dir[PATH_MAX];  /* the journal in it */
static struct uw_err err;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw) {
  (void)st;
  (void)type;
  (void)ftw;
  return remove(path);
}

static int setup(void **state) {
  (void)state;
  const char *tmp = getenv("TMPDIR");
  (void)snprintf(base, sizeof base, "%s/uw-journal-XXXXXX", tmp != NULL ? tmp : "/tmp");
  uw_err_clear(&err);
  fail_fsync(0);
  fallocate_errno = 0;
  if (mkdtemp(base) == NULL) {
    return -1;
  }
  return uw_path_join(dir, sizeof dir, base, "journal", &err);
}

static int teardown(void **state) {
  (void)state;
  (void)chmod(dir, 0700);
  return nftw(base, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void path_of(const char *name, char out[PATH_MAX]) {
  assert_int_equal(uw_path_join(out, PATH_MAX, dir, name, NULL), 0);
}

static struct journal *must_open(void) {
  struct journal *j = NULL;
  char warning[UW_ERR_TEXT_BYTES];
  if (journal_open(dir, &j, warning, &err) != 0) {
    fail_msg("%s", err.text);
  }
  return j;
}

static void must_append(struct journal *j, const char *run, const char *type, json_t *body) {
  if (journal_append(j, run, type, body, &err) != 0) {
    fail_msg("%s", err.text);
  }
  json_decref(body);
}

static void must_init(void) {
  if (journal_init(dir, &err) != 0) {
    fail_msg("%s", err.text);
  }
}

static json_t *started(void) {
  return json_pack("{s:s,s:s,s:s,s:s}", "verb", "recover", "instance", INSTANCE, "user", "alice",
                   "reason", "TICKET-1 \"fönt\"\n");
}

static json_t *intent(const char *instance) {
  return json_pack("{s:s,s:s,s:[s,s]}", "instance", instance, "user_id", "u1", "requests", "req-1",
                   "req-2");
}

static json_t *outcome(const char *instance, const char *result) {
  return json_pack("{s:s,s:s}", "instance", instance, "result", result);
}

static void fill(int records) {
  must_init();
  struct journal *j = must_open();
  for (int i = 0; i < records; i++) {
    must_append(j, RUN_A, "run_started", started());
  }
  journal_close(j);
}

static void slurp(struct uw_buf *out) {
  char path[PATH_MAX];
  path_of(JOURNAL_FILE, path);
  uw_buf_reset(out);
  if (uw_file_read(path, 64 << 20, out, &err) != 0) {
    fail_msg("%s", err.text);
  }
}

/* Rewrites records.jsonl in place. */
static void spill(const void *bytes, size_t n) {
  char path[PATH_MAX];
  path_of(JOURNAL_FILE, path);
  int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
  assert_true(fd >= 0);
  assert_int_equal(uw_write_all(fd, bytes, n), 0);
  assert_int_equal(close(fd), 0);
}

static struct journal_report verify(void) {
  struct journal_report report;
  if (journal_verify(dir, &report, &err) != 0) {
    fail_msg("%s", err.text);
  }
  return report;
}

static void assert_refused(const char *part) {
  struct journal *j = NULL;
  char warning[UW_ERR_TEXT_BYTES];
  uw_err_clear(&err);
  assert_int_equal(journal_open(dir, &j, warning, &err), -1);
  assert_null(j);
  assert_int_equal(err.status, UW_EXIT_JOURNAL);
  if (strstr(err.text, part) == NULL) {
    fail_msg("'%s' is not in: %s", part, err.text);
  }
}

/* plain use */

static void test_init(void **state) {
  (void)state;
  struct stat st;
  char path[PATH_MAX];
  must_init();
  assert_int_equal(stat(dir, &st), 0);
  assert_int_equal(st.st_mode & 07777, 0700);
  path_of(JOURNAL_FILE, path);
  assert_int_equal(stat(path, &st), 0);
  assert_int_equal(st.st_mode & 07777, 0600);
  assert_int_equal(st.st_size, 0);
  assert_int_equal(journal_init(dir, &err), -1);
  assert_int_equal(err.status, UW_EXIT_JOURNAL);
  assert_non_null(strstr(err.text, "already"));
  struct journal_report report = verify();
  /* Whoever makes a journal appends its first record at once; without it, it was emptied. */
  assert_int_equal(report.records, 0);
  assert_non_null(strstr(report.first_problem, "emptied"));
}

static void test_record(void **state) {
  (void)state;
  struct uw_buf bytes = {0};
  fill(3);
  slurp(&bytes);
  char *line = bytes.data;
  for (int i = 0; i < 3; i++) {
    char *end = strchr(line, '\n');
    assert_non_null(end);
    struct uw_buf again = {0};
    json_t *record = uw_json_parse(line, (size_t)(end - line), "line", UW_EXIT_JOURNAL, &err);
    assert_non_null(record);
    assert_int_equal(uw_json_canonical(record, &again, &err), 0);
    assert_int_equal(again.len, end - line);
    assert_memory_equal(again.data, line, again.len);
    assert_int_equal(uw_json_int(record, "seq", -1), i);
    assert_string_equal(uw_json_str(record, "schema", ""), "unwedge.journal/1");
    assert_string_equal(uw_json_str(record, "run", ""), RUN_A);
    assert_string_equal(uw_json_str(record, "type", ""), "run_started");
    assert_string_equal(uw_json_str(record, "reason", ""), "TICKET-1 \"fönt\"\n");
    assert_int_equal(strlen(uw_json_str(record, "salt", "")), 32);
    assert_int_equal(strlen(uw_json_str(record, "boot_id", "")), 36);
    assert_true(uw_json_int(record, "mono_ms", -1) > 0);
    uw_buf_free(&again);
    json_decref(record);
    line = end + 1;
  }
  uw_buf_free(&bytes);
  struct journal_report report = verify();
  assert_int_equal(report.records, 3);
  assert_string_equal(report.first_problem, "");
}

/* What cannot be a record is refused, writes nothing, and leaves the journal open. */
static void test_bad_bodies(void **state) {
  (void)state;
  struct {
    const char *type;
    json_t *body;
    const char *part;
  } bad[] = {
      {"nonsense", json_object(), "no journal record of type"},
      {"run_started", json_object(), "'verb'"},
      {"run_started", json_pack("{s:s,s:i}", "verb", "plan", "seq", 1), "'seq'"},
      {"run_started", json_pack("{s:s,s:s}", "verb", "plan", "chain", "x"), "'chain'"},
      {"run_started", json_pack("{s:s,s:f}", "verb", "plan", "x", 1.5), ""},
      {"run_started", json_pack("{s:s,s:s}", "verb", "plan", "Bad-Key", "x"), ""},
      {"intent", json_pack("{s:s,s:s,s:s}", "instance", INSTANCE, "user_id", "u", "requests", ""),
       "requests"},
      {"intent", json_pack("{s:s,s:[]}", "instance", INSTANCE, "requests"), "'user_id'"},
      {"outcome", outcome(INSTANCE, "done"), "applied"},
      {"outcome", json_pack("{s:s}", "instance", INSTANCE), "'result'"},
      {"resolved",
       json_pack("{s:s,s:s,s:s}", "instance", INSTANCE, "result", "unknown", "reason", ""),
       "applied"},
  };
  must_init();
  struct journal *j = must_open();
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    assert_int_equal(journal_append(j, RUN_A, bad[i].type, bad[i].body, &err), -1);
    assert_int_equal(err.status, UW_EXIT_JOURNAL);
    assert_non_null(strstr(err.text, bad[i].part));
    json_decref(bad[i].body);
  }
  json_t *fine = started();
  assert_int_equal(journal_append(j, "not-a-uuid", "run_started", fine, &err), -1);
  must_append(j, RUN_A, "run_started", fine);
  journal_close(j);
  assert_int_equal(verify().records, 1);
}

static json_t *sized(size_t n) {
  char *text = malloc(n + 1);
  assert_non_null(text);
  memset(text, 'x', n);
  text[n] = '\0';
  json_t *body = json_pack("{s:s,s:s}", "verb", "plan", "text", text);
  free(text);
  return body;
}

static void test_largest(void **state) {
  (void)state;
  struct uw_buf bytes = {.max = 1 << 20};
  must_init();
  struct journal *j = must_open();
  must_append(j, RUN_A, "run_started", sized(0));
  slurp(&bytes);
  size_t room = JOURNAL_RECORD_BYTES - bytes.len;
  json_t *large = sized(room + 1);
  assert_int_equal(journal_append(j, RUN_A, "run_started", large, &err), -1);
  assert_non_null(strstr(err.text, "larger than"));
  json_decref(large);
  for (int i = 0; i < 4; i++) {
    must_append(j, RUN_A, "run_started", sized(room));
  }
  journal_close(j);
  /* two records of the largest size and a torn tail of nearly that size are understood */
  slurp(&bytes);
  uw_buf_add(&bytes, bytes.data + bytes.len - JOURNAL_RECORD_BYTES, JOURNAL_RECORD_BYTES - 1);
  spill(bytes.data, bytes.len);
  journal_close(must_open());
  struct journal_report report = verify();
  assert_string_equal(report.first_problem, "");
  assert_int_equal(report.records, 6);
  uw_buf_free(&bytes);
}

static void test_store(void **state) {
  (void)state;
  uint8_t digest[RCV_DIGEST_BYTES];
  uint8_t again[RCV_DIGEST_BYTES];
  char name[JOURNAL_FILE_NAME];
  char text[UW_DIGEST_TEXT_BYTES];
  char path[PATH_MAX];
  struct uw_buf back = {0};
  struct stat st;
  must_init();
  struct journal *j = must_open();
  assert_int_equal(journal_store(j, "evidence\0x", 10, digest, &err), 0);
  assert_int_equal(journal_store(j, "evidence\0x", 10, again, &err), 0);
  assert_memory_equal(digest, again, sizeof digest);
  assert_int_equal(journal_store(j, "", 0, again, &err), 0);
  uw_digest_text(digest, text);
  must_append(j, RUN_A, "evidence",
              json_pack("{s:s,s:{s:s}}", "instance", INSTANCE, "files", "evidence", text));
  assert_int_equal(journal_fetch(dir, digest, &back, &err), 0);
  assert_int_equal(back.len, 10);
  assert_memory_equal(back.data, "evidence\0x", 10);
  assert_int_equal(verify().evidence_files, 2);
  assert_string_equal(verify().first_problem, "");

  journal_file_name(digest, name);
  (void)snprintf(path, sizeof path, "%.*s/%s/%s", 3000, dir, JOURNAL_EVIDENCE, name);
  assert_int_equal(stat(path, &st), 0);
  assert_int_equal(st.st_mode & 07777, 0600);
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  assert_int_equal(pwrite(fd, "E", 1, 0), 1);
  (void)close(fd);
  uw_buf_reset(&back);
  assert_int_equal(journal_fetch(dir, digest, &back, &err), -1);
  assert_int_equal(err.status, UW_EXIT_JOURNAL);
  assert_non_null(strstr(err.text, "changed"));
  assert_int_equal(journal_store(j, "evidence\0x", 10, again, &err), -1);
  assert_non_null(strstr(verify().first_problem, "files.evidence"));
  assert_int_equal(unlink(path), 0);
  assert_non_null(strstr(verify().first_problem, "line 1: files.evidence"));
  assert_int_equal(journal_fetch(dir, digest, &back, &err), -1);
  journal_close(j);
  uw_buf_free(&back);
}

/* the open intent */

static json_t *open_intent(const char *instance) {
  json_t *found = NULL;
  if (journal_open_intent(dir, instance, &found, &err) != 0) {
    fail_msg("%s", err.text);
  }
  return found;
}

static void assert_open(const char *instance, const char *run) {
  json_t *found = open_intent(instance);
  if (run == NULL) {
    assert_null(found);
  } else {
    assert_non_null(found);
    assert_string_equal(uw_json_str(found, "run", ""), run);
    assert_string_equal(uw_json_str(found, "instance", ""), instance);
  }
  json_decref(found);
}

static void test_open_intent(void **state) {
  (void)state;
  must_init();
  struct journal *j = must_open();
  assert_open(INSTANCE, NULL);
  must_append(j, RUN_A, "intent", intent(INSTANCE));
  assert_open(INSTANCE, RUN_A);
  assert_open(OTHER, NULL);
  must_append(j, RUN_B, "outcome", outcome(INSTANCE, "applied")); /* another run's answer */
  must_append(j, RUN_A, "outcome", outcome(OTHER, "applied"));    /* another instance's */
  must_append(j, RUN_A, "outcome", outcome(INSTANCE, "unknown"));
  assert_open(INSTANCE, RUN_A);
  must_append(j, RUN_B, "intent", intent(INSTANCE));
  assert_open(INSTANCE, RUN_B);
  must_append(j, RUN_B, "outcome", outcome(INSTANCE, "not_applied"));
  assert_open(INSTANCE, RUN_A);
  must_append(j, RUN_A, "resolved",
              json_pack("{s:s,s:s,s:s}", "instance", INSTANCE, "result", "applied", "reason", "x"));
  assert_open(INSTANCE, NULL);
  must_append(j, RUN_B, "intent", intent(INSTANCE));
  must_append(j, RUN_B, "outcome", outcome(INSTANCE, "applied"));
  assert_open(INSTANCE, NULL);
  journal_close(j);
}

static void test_reserve(void **state) {
  (void)state;
  struct stat st;
  char path[PATH_MAX];
  must_init();
  struct journal *j = must_open();
  must_append(j, RUN_A, "intent", intent(INSTANCE));
  json_t *found = open_intent(INSTANCE);
  assert_int_equal(uw_json_int(found, "reserved", -1), JOURNAL_RESERVE);
  json_decref(found);
  path_of(JOURNAL_FILE, path);
  assert_int_equal(stat(path, &st), 0);
  assert_true(st.st_blocks * 512 >= JOURNAL_RESERVE);
  assert_true(st.st_size < 2000);
  journal_close(j);
}

static void test_no_reserve(void **state) {
  (void)state;
  must_init();
  struct journal *j = must_open();
  fallocate_errno = EOPNOTSUPP;
  must_append(j, RUN_A, "intent", intent(INSTANCE));
  json_t *found = open_intent(INSTANCE);
  assert_int_equal(uw_json_int(found, "reserved", -1), 0);
  json_decref(found);
  must_append(j, RUN_A, "outcome", outcome(INSTANCE, "applied"));
  fallocate_errno = EDQUOT;
  json_t *body = intent(INSTANCE);
  assert_int_equal(journal_append(j, RUN_B, "intent", body, &err), -1);
  assert_int_equal(err.status, UW_EXIT_JOURNAL);
  assert_non_null(strstr(err.text, "reserve"));
  fallocate_errno = 0;
  assert_int_equal(journal_append(j, RUN_B, "intent", body, &err), -1);
  json_decref(body);
  assert_open(INSTANCE, NULL);
  journal_close(j);
}

/* A medium that answers a flush with an error: never success, never a second try. */
static void test_fsync_append(void **state) {
  (void)state;
  must_init();
  struct journal *j = must_open();
  json_t *body = intent(INSTANCE);
  fail_fsync(1);
  assert_int_equal(journal_append(j, RUN_A, "intent", body, &err), -1);
  assert_int_equal(err.status, UW_EXIT_JOURNAL);
  assert_non_null(strstr(err.text, "durable"));
  int before = fsync_calls;
  assert_int_equal(journal_append(j, RUN_A, "intent", body, &err), -1);
  assert_int_equal(fsync_calls, before);
  journal_close(j);
  /* whether its bytes arrived is not known, so the intent counts as open where they did */
  assert_open(INSTANCE, RUN_A);
  json_decref(body);
}

static void test_fsync_store(void **state) {
  (void)state;
  uint8_t digest[RCV_DIGEST_BYTES];
  must_init();
  struct journal *j = must_open();
  for (int at = 1; at <= 2; at++) { /* the file, the directory */
    char text[2] = {(char)('a' + at), 0};
    fail_fsync(at);
    assert_int_equal(journal_store(j, text, 1, digest, &err), -1);
    assert_int_equal(err.status, UW_EXIT_JOURNAL);
    assert_int_equal(journal_store(j, text, 1, digest, &err), 0);
  }
  must_append(j, RUN_A, "run_started", started());
  journal_close(j);
  assert_int_equal(verify().evidence_files, 2);
}

static void test_fsync_recover(void **state) {
  (void)state;
  struct uw_buf bytes = {0};
  fill(2);
  slurp(&bytes);
  for (int at = 1; at <= 4; at++) { /* the side file, its directory, the cut, the record */
    spill(bytes.data, bytes.len - (size_t)at);
    fail_fsync(at);
    assert_refused("");
    fail_fsync(0);
    journal_close(must_open());
    assert_string_equal(verify().first_problem, "");
  }
  uw_buf_free(&bytes);
}

static void test_fsync_init(void **state) {
  (void)state;
  for (int at = 1; at <= 3; at++) { /* the file, the directory, its parent */
    fail_fsync(at);
    assert_int_equal(journal_init(dir, &err), -1);
    assert_int_equal(err.status, UW_EXIT_JOURNAL);
    assert_int_equal(nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
  }
  fail_fsync(0);
  must_init();
}

/* torn tails */

static void test_torn_everywhere(void **state) {
  (void)state;
  struct uw_buf bytes = {0};
  fill(3);
  slurp(&bytes);
  size_t first = (size_t)(strchr(bytes.data, '\n') - bytes.data) + 1;
  size_t second = (size_t)(strchr(bytes.data + first, '\n') - bytes.data) + 1;
  for (size_t cut = second + 1; cut < bytes.len; cut++) {
    struct journal *j = NULL;
    char warning[UW_ERR_TEXT_BYTES];
    spill(bytes.data, cut);
    struct journal_report report = verify();
    assert_int_equal(report.records, 2);
    assert_int_equal(report.torn_bytes, (int64_t)(cut - second));
    assert_non_null(strstr(report.first_problem, "unfinished"));
    assert_int_equal(journal_open(dir, &j, warning, &err), 0);
    assert_non_null(strstr(warning, "unfinished"));
    must_append(j, RUN_A, "run_started", started());
    journal_close(j);
    report = verify();
    assert_string_equal(report.first_problem, "");
    assert_int_equal(report.records, 4);
    /* the bytes are kept under their digest, and a record says so */
    uint8_t digest[RCV_DIGEST_BYTES];
    char name[JOURNAL_FILE_NAME];
    char path[PATH_MAX];
    struct uw_buf torn = {0};
    assert_int_equal(uw_sha256(bytes.data + second, cut - second, digest, &err), 0);
    journal_file_name(digest, name);
    (void)snprintf(path, sizeof path, "%.*s/%s/%s", 3000, dir, JOURNAL_TORN, name);
    assert_int_equal(uw_file_read(path, 1 << 20, &torn, &err), 0);
    assert_int_equal(torn.len, cut - second);
    assert_memory_equal(torn.data, bytes.data + second, torn.len);
    uw_buf_free(&torn);
    struct uw_buf now = {0};
    slurp(&now);
    assert_non_null(strstr(now.data, name));
    assert_non_null(strstr(now.data, "\"type\":\"recovered\""));
    uw_buf_free(&now);
  }
  uw_buf_free(&bytes);
}

static void test_torn_first(void **state) {
  (void)state;
  struct uw_buf bytes = {0};
  fill(1);
  slurp(&bytes);
  spill(bytes.data, bytes.len - 1);
  struct journal *j = must_open();
  must_append(j, RUN_A, "run_started", started());
  journal_close(j);
  assert_int_equal(verify().records, 2);
  assert_string_equal(verify().first_problem, "");
  uw_buf_free(&bytes);
}

/* The cut was made but the process died before it told of it: opening again is enough. */
static void test_recovery_repeats(void **state) {
  (void)state;
  struct uw_buf bytes = {0};
  fill(2);
  slurp(&bytes);
  spill(bytes.data, bytes.len - 5);
  journal_close(must_open());
  spill(bytes.data, bytes.len - 5);
  journal_close(must_open());
  assert_int_equal(verify().records, 2);
  assert_string_equal(verify().first_problem, "");
  uw_buf_free(&bytes);
}

static void test_zeros_behind(void **state) {
  (void)state;
  struct uw_buf bytes = {0};
  char zeros[4096] = {0};
  fill(2);
  slurp(&bytes);
  uw_buf_add(&bytes, zeros, sizeof zeros);
  spill(bytes.data, bytes.len);
  journal_close(must_open());
  assert_string_equal(verify().first_problem, "");
  uw_buf_free(&bytes);
}

static void test_much_behind(void **state) {
  (void)state;
  struct uw_buf bytes = {0};
  fill(2);
  slurp(&bytes);
  char *junk = calloc(1, JOURNAL_RECORD_BYTES + 1);
  uw_buf_add(&bytes, junk, JOURNAL_RECORD_BYTES + 1);
  free(junk);
  spill(bytes.data, bytes.len);
  assert_refused("more than one record");
  uw_buf_free(&bytes);
}

/* tampering */

static void test_every_flip(void **state) {
  (void)state;
  struct uw_buf bytes = {0};
  fill(3);
  slurp(&bytes);
  for (size_t at = 0; at < bytes.len; at++) {
    for (int bit = 0; bit < 8; bit += 3) {
      bytes.data[at] = (char)(bytes.data[at] ^ (1 << bit));
      spill(bytes.data, bytes.len);
      if (verify().first_problem[0] == '\0') {
        fail_msg("a flip of bit %d of byte %zu is not seen", bit, at);
      }
      bytes.data[at] = (char)(bytes.data[at] ^ (1 << bit));
    }
  }
  spill(bytes.data, bytes.len);
  assert_string_equal(verify().first_problem, "");
  uw_buf_free(&bytes);
}

/* The same contents written in another way are not the same record. */
static void test_not_canonical(void **state) {
  (void)state;
  struct uw_buf bytes = {0};
  struct uw_buf other = {0};
  fill(1);
  slurp(&bytes);
  uw_buf_puts(&other, "{ ");
  uw_buf_add(&other, bytes.data + 1, bytes.len - 1);
  spill(other.data, other.len);
  assert_non_null(strstr(verify().first_problem, "canonical"));
  assert_refused("canonical");
  uw_buf_free(&bytes);
  uw_buf_free(&other);
}

/* A record that was changed with care (still canonical, still a record) is not written behind. */
static void test_changed_last(void **state) {
  (void)state;
  struct uw_buf bytes = {0};
  fill(3);
  slurp(&bytes);
  char *last = NULL;
  for (char *at = strstr(bytes.data, "alice"); at != NULL; at = strstr(at + 1, "alice")) {
    last = at;
  }
  assert_non_null(last);
  memcpy(last, "mally", 5);
  spill(bytes.data, bytes.len);
  assert_refused("changed");
  assert_non_null(strstr(verify().first_problem, "line 3"));
  uw_buf_free(&bytes);
}

static void lines_of(const struct uw_buf *bytes, const char *line[], size_t len[], int n) {
  const char *at = bytes->data;
  for (int i = 0; i < n; i++) {
    const char *end = strchr(at, '\n');
    assert_non_null(end);
    line[i] = at;
    len[i] = (size_t)(end - at) + 1;
    at = end + 1;
  }
}

static void put_order(const char *line[], const size_t len[], const int *order, int n) {
  struct uw_buf out = {0};
  for (int i = 0; i < n; i++) {
    uw_buf_add(&out, line[order[i]], len[order[i]]);
  }
  spill(uw_buf_text(&out), out.len);
  uw_buf_free(&out);
}

static void test_order(void **state) {
  (void)state;
  static const struct {
    int n;
    int order[6];
    const char *part;
  } cases[] = {
      {3, {0, 1, 3}, "line 3"},       {3, {1, 2, 3}, "line 1"},    {5, {0, 1, 1, 2, 3}, "line 3"},
      {4, {0, 2, 1, 3}, "line 2"},    {4, {1, 0, 2, 3}, "line 1"}, {4, {0, 1, 3, 2}, "line 3"},
      {5, {0, 1, 2, 3, 3}, "line 5"}, {4, {0, 1, 2, 3}, NULL},
  };
  struct uw_buf bytes = {0};
  const char *line[4];
  size_t len[4];
  fill(4);
  slurp(&bytes);
  lines_of(&bytes, line, len, 4);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    put_order(line, len, cases[i].order, cases[i].n);
    struct journal_report report = verify();
    if (cases[i].part == NULL) {
      assert_string_equal(report.first_problem, "");
    } else if (strstr(report.first_problem, cases[i].part) == NULL ||
               strstr(report.first_problem, "missing, repeated or moved") == NULL) {
      fail_msg("case %zu: '%s'", i, report.first_problem);
    }
  }
  uw_buf_free(&bytes);
}

/* Records of another journal do not fit, even with the right numbers. */
static void test_splice(void **state) {
  (void)state;
  struct uw_buf one = {0};
  struct uw_buf two = {0};
  const char *line[2][3];
  size_t len[2][3];
  fill(3);
  slurp(&one);
  char path[PATH_MAX];
  path_of(JOURNAL_FILE, path);
  assert_int_equal(unlink(path), 0);
  fill(3);
  slurp(&two);
  lines_of(&one, line[0], len[0], 3);
  lines_of(&two, line[1], len[1], 3);
  struct uw_buf out = {0};
  uw_buf_add(&out, line[0][0], len[0][0]);
  uw_buf_add(&out, line[0][1], len[0][1]);
  uw_buf_add(&out, line[1][2], len[1][2]);
  spill(out.data, out.len);
  assert_non_null(strstr(verify().first_problem, "line 3"));
  assert_refused("changed");
  uw_buf_free(&one);
  uw_buf_free(&two);
  uw_buf_free(&out);
}

/* owners, modes, links, locks */

static void test_modes(void **state) {
  (void)state;
  char path[PATH_MAX];
  fill(1);
  path_of(JOURNAL_FILE, path);
  assert_int_equal(chmod(path, 0620), 0);
  assert_refused("written by others");
  assert_int_equal(chmod(path, 0602), 0);
  assert_refused("written by others");
  assert_int_equal(chmod(path, 0600), 0);
  assert_int_equal(chmod(dir, 0777), 0);
  assert_refused("written by others");
  assert_int_equal(chmod(dir, 0700), 0);
  path_of(JOURNAL_EVIDENCE, path);
  assert_int_equal(chmod(path, 0720), 0);
  assert_refused("written by others");
  assert_int_equal(chmod(path, 0700), 0);
  journal_close(must_open());
}

static void test_owner(void **state) {
  (void)state;
  char path[PATH_MAX];
  assert_int_equal(geteuid(), 0); /* the next lines need root */
  fill(1);
  path_of(JOURNAL_FILE, path);
  assert_int_equal(chown(path, 65534, 65534), 0);
  assert_refused("belongs to user 65534");
  assert_int_equal(chown(path, 0, 0), 0);
  assert_int_equal(chown(dir, 65534, 65534), 0);
  assert_refused("belongs to user 65534");
  assert_int_equal(chown(dir, 0, 0), 0);
  journal_close(must_open());
}

static void test_links(void **state) {
  (void)state;
  char path[PATH_MAX];
  char aside[PATH_MAX];
  fill(1);
  path_of(JOURNAL_FILE, path);
  path_of("aside", aside);
  assert_int_equal(rename(path, aside), 0);
  assert_int_equal(symlink(aside, path), 0);
  assert_refused("cannot open for writing");
  struct journal_report report;
  assert_int_equal(journal_verify(dir, &report, &err), -1);
  assert_int_equal(unlink(path), 0);
  assert_int_equal(link(aside, path), 0);
  assert_refused("one name");
  assert_int_equal(unlink(aside), 0);
  journal_close(must_open());
  assert_int_equal(unlink(path), 0);
  assert_int_equal(mkfifo(path, 0600), 0);
  assert_refused("not a plain file");
  /* the directory itself */
  assert_int_equal(uw_path_join(aside, sizeof aside, base, "moved", NULL), 0);
  assert_int_equal(rename(dir, aside), 0);
  assert_int_equal(symlink(aside, dir), 0);
  assert_refused("cannot open journal");
  assert_int_equal(unlink(dir), 0);
  assert_refused("unwedge journal init");
}

static int in_child(int (*body)(void)) {
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0) {
    _exit(body());
  }
  int status = 0;
  assert_int_equal(waitpid(pid, &status, 0), pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static pid_t parent;

static int second_writer(void) {
  struct journal *j = NULL;
  char warning[UW_ERR_TEXT_BYTES];
  char who[64];
  (void)snprintf(who, sizeof who, "process %ld (journal) since ", (long)parent);
  if (journal_open(dir, &j, warning, &err) == 0) {
    return 1;
  }
  return err.status == UW_EXIT_JOURNAL && strstr(err.text, who) != NULL ? 0 : 2;
}

static int second_writer_no_lock_file(void) {
  char path[PATH_MAX];
  struct journal *j = NULL;
  char warning[UW_ERR_TEXT_BYTES];
  path_of(JOURNAL_LOCK, path);
  if (unlink(path) != 0 || journal_open(dir, &j, warning, &err) == 0) {
    return 1;
  }
  return err.status == UW_EXIT_JOURNAL && strstr(err.text, "another process") != NULL ? 0 : 2;
}

static void test_two_writers(void **state) {
  (void)state;
  parent = getpid();
  fill(1);
  struct journal *j = must_open();
  assert_int_equal(in_child(second_writer), 0);
  assert_int_equal(in_child(second_writer_no_lock_file), 0);
  must_append(j, RUN_A, "run_started", started());
  journal_close(j);
  journal_close(must_open());
  assert_int_equal(verify().records, 2);
}

/* Many processes that take turns lose nothing. */
static void test_many_writers(void **state) {
  (void)state;
  enum { WRITERS = 6, EACH = 15 };
  fill(0);
  for (int i = 0; i < WRITERS; i++) {
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
      int done = 0;
      for (int tries = 0; done < EACH && tries < 100000; tries++) {
        struct journal *j = NULL;
        char warning[UW_ERR_TEXT_BYTES];
        if (journal_open(dir, &j, warning, &err) != 0) {
          (void)usleep(500);
          continue;
        }
        json_t *body = started();
        done += journal_append(j, RUN_A, "run_started", body, &err) == 0;
        json_decref(body);
        journal_close(j);
      }
      _exit(done == EACH ? 0 : 1);
    }
  }
  for (int i = 0; i < WRITERS; i++) {
    int status = 0;
    assert_true(wait(&status) > 0);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  assert_int_equal(verify().records, WRITERS * EACH);
  assert_string_equal(verify().first_problem, "");
}

/* A writer that is killed at any moment leaves a journal that opens again. */
static void test_killed_writer(void **state) {
  (void)state;
  fill(1); /* a journal has its first record before anybody else writes */
  for (int i = 0; i < 40; i++) {
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
      struct journal *j = NULL;
      char warning[UW_ERR_TEXT_BYTES];
      if (journal_open(dir, &j, warning, &err) != 0) {
        _exit(1);
      }
      for (;;) {
        json_t *body = sized(9000);
        if (journal_append(j, RUN_A, "run_started", body, &err) != 0) {
          _exit(1);
        }
        json_decref(body);
      }
    }
    (void)usleep(2000 + (useconds_t)i * 397);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    journal_close(must_open());
    assert_string_equal(verify().first_problem, "");
  }
}

/* a medium that fails */

static int tmpfs_full(void) {
  int result = 1;
  if (journal_init(dir, &err) != 0) {
    return 2;
  }
  struct journal *j = NULL;
  char warning[UW_ERR_TEXT_BYTES];
  if (journal_open(dir, &j, warning, &err) != 0) {
    return 3;
  }
  int records = 0;
  json_t *body = sized(30000);
  while (journal_append(j, RUN_A, "run_started", body, &err) == 0 && records < 1000) {
    records++;
  }
  bool failed = err.status == UW_EXIT_JOURNAL && records > 0 && records < 1000;
  /* dead from then on, also for a small record that might fit */
  json_t *small = started();
  bool dead = journal_append(j, RUN_A, "run_started", small, &err) != 0 &&
              strstr(err.text, "earlier write failed") != NULL;
  journal_close(j);
  struct journal_report report;
  bool seen = journal_verify(dir, &report, &err) == 0 && report.records == records;
  result = failed && dead && seen ? 0 : 4;
  /* no room to tell of it: not opened for writing, and nothing is lost */
  bool refused = journal_open(dir, &j, warning, &err) != 0 && err.status == UW_EXIT_JOURNAL;
  if (!refused) {
    refused = report.torn_bytes == 0 || warning[0] != '\0';
    journal_close(j);
  }
  json_decref(body);
  json_decref(small);
  return refused ? result : 5;
}

static int tmpfs_intent(void) {
  struct journal *j = NULL;
  char warning[UW_ERR_TEXT_BYTES];
  char path[PATH_MAX];
  if (journal_init(dir, &err) != 0 || journal_open(dir, &j, warning, &err) != 0) {
    return 2;
  }
  json_t *body = intent(INSTANCE);
  if (journal_append(j, RUN_A, "intent", body, &err) != 0) {
    return 3;
  }
  /* now the disk fills up */
  path_of("ballast", path);
  int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  char block[4096] = {1};
  while (write(fd, block, sizeof block) > 0) {
  }
  (void)close(fd);
  json_t *large = sized(24000);
  bool no_file = false;
  uint8_t digest[RCV_DIGEST_BYTES];
  no_file = journal_store(j, block, sizeof block, digest, &err) != 0;
  /* the verification and the outcome still fit where the intent made room */
  bool fits = journal_append(j, RUN_A, "run_started", large, &err) == 0;
  json_t *result = outcome(INSTANCE, "applied");
  fits = fits && journal_append(j, RUN_A, "outcome", result, &err) == 0;
  /* and the next intent is refused before anything could be done */
  bool refused = false;
  for (int i = 0; i < 4 && !refused; i++) {
    refused = journal_append(j, RUN_B, "intent", body, &err) != 0;
  }
  journal_close(j);
  json_decref(body);
  json_decref(large);
  json_decref(result);
  return no_file && fits && refused ? 0 : 4;
}

static int read_only(void) {
  struct journal *j = NULL;
  char warning[UW_ERR_TEXT_BYTES];
  if (journal_init(dir, &err) != 0 || journal_open(dir, &j, warning, &err) != 0) {
    return 2;
  }
  journal_close(j);
  if (mount(NULL, base, NULL, MS_REMOUNT | MS_RDONLY, NULL) != 0) {
    return 3;
  }
  bool refused = journal_open(dir, &j, warning, &err) != 0 && err.status == UW_EXIT_JOURNAL &&
                 strstr(err.text, "Read-only file system") != NULL;
  struct journal_report report;
  return refused && journal_verify(dir, &report, &err) == 0 ? 0 : 4;
}

static void on_tmpfs(const char *options, int (*body)(void)) {
  if (mount("uw-test", base, "tmpfs", 0, options) != 0) {
    fail_msg("a tmpfs cannot be mounted here (%s); this test needs root", strerror(errno));
  }
  int result = in_child(body);
  assert_int_equal(umount(base), 0);
  assert_int_equal(result, 0);
}

static void test_disk_full(void **state) {
  (void)state;
  on_tmpfs("size=512k,mode=0700", tmpfs_full);
}

static void test_reserved_outcome(void **state) {
  (void)state;
  on_tmpfs("size=512k,mode=0700", tmpfs_intent);
}

static void test_read_only(void **state) {
  (void)state;
  on_tmpfs("size=512k,mode=0700", read_only);
}

static int size_limited(void) {
  struct journal *j = NULL;
  char warning[UW_ERR_TEXT_BYTES];
  struct stat st;
  char path[PATH_MAX];
  path_of(JOURNAL_FILE, path);
  if (journal_open(dir, &j, warning, &err) != 0 || stat(path, &st) != 0) {
    return 2;
  }
  struct rlimit limit = {(rlim_t)st.st_size + 100, (rlim_t)st.st_size + 100};
  json_t *body = started();
  if (setrlimit(RLIMIT_FSIZE, &limit) != 0 ||
      journal_append(j, RUN_A, "run_started", body, &err) == 0) {
    return 3;
  }
  bool said = err.status == UW_EXIT_JOURNAL && strstr(err.text, "only 100 of") != NULL;
  bool dead = journal_append(j, RUN_A, "run_started", body, &err) != 0;
  return said && dead ? 0 : 4;
}

/* At the limit itself the kernel sends a signal that would end the process. */
static int size_used_up(void) {
  struct journal *j = NULL;
  char warning[UW_ERR_TEXT_BYTES];
  struct stat st;
  char path[PATH_MAX];
  path_of(JOURNAL_FILE, path);
  (void)signal(SIGXFSZ, SIG_DFL);
  if (journal_open(dir, &j, warning, &err) != 0 || stat(path, &st) != 0) {
    return 2;
  }
  struct rlimit limit = {(rlim_t)st.st_size, (rlim_t)st.st_size};
  json_t *body = started();
  if (setrlimit(RLIMIT_FSIZE, &limit) != 0 ||
      journal_append(j, RUN_A, "run_started", body, &err) == 0) {
    return 3;
  }
  return err.status == UW_EXIT_JOURNAL && strstr(err.text, "File too large") != NULL ? 0 : 4;
}

static void test_size_limit(void **state) {
  (void)state;
  fill(2);
  assert_int_equal(in_child(size_used_up), 0);
  assert_string_equal(verify().first_problem, "");
}

static void test_short_write(void **state) {
  (void)state;
  struct journal *j = NULL;
  char warning[UW_ERR_TEXT_BYTES];
  fill(2);
  assert_int_equal(in_child(size_limited), 0);
  assert_int_equal(verify().torn_bytes, 100);
  assert_int_equal(journal_open(dir, &j, warning, &err), 0);
  assert_non_null(strstr(warning, "(100 bytes)"));
  journal_close(j);
  assert_int_equal(verify().records, 3);
  assert_string_equal(verify().first_problem, "");
}

/* reading */

static int count_to(const json_t *record, void *ctx) {
  int *n = ctx;
  assert_int_equal(uw_json_int(record, "seq", -1), *n);
  *n += 1;
  return *n == 2 ? 1 : 0;
}

static void test_each(void **state) {
  (void)state;
  struct uw_buf bytes = {0};
  int n = 0;
  fill(3);
  assert_int_equal(journal_each(dir, count_to, &n, &err), 0);
  assert_int_equal(n, 2);
  n = 10;
  slurp(&bytes);
  bytes.data[0] = 'x';
  spill(bytes.data, bytes.len);
  assert_int_equal(journal_each(dir, count_to, &n, &err), -1);
  assert_int_equal(err.status, UW_EXIT_JOURNAL);
  assert_non_null(strstr(err.text, "line 1"));
  uw_buf_free(&bytes);
}

static void tell_story(void) {
  must_init();
  struct journal *j = must_open();
  must_append(j, RUN_A, "run_started", started());
  must_append(j, RUN_A, "verdict",
              json_pack("{s:s,s:s,s:s,s:s,s:s}", "instance", INSTANCE, "verdict", "RESET", "code",
                        "UW-101", "code_name", "SAFE_TO_RESET", "text", "one owner"));
  must_append(j, RUN_A, "gates",
              json_pack("{s:s,s:b,s:[{s:s,s:s}]}", "instance", INSTANCE, "clear", 0, "guards",
                        "code", "UW-501", "text", "the kill switch is on\x1b[31m"));
  must_append(j, RUN_A, "intent", intent(INSTANCE));
  must_append(j, RUN_A, "outcome",
              json_pack("{s:s,s:s,s:i,s:s}", "instance", INSTANCE, "result", "applied", "http", 202,
                        "request_id", "req-9"));
  must_append(j, RUN_A, "residue",
              json_pack("{s:s,s:[s,s]}", "instance", INSTANCE, "lines", "one", "two"));
  must_append(j, RUN_B, "run_started", json_pack("{s:s,s:s}", "verb", "plan", "instance", OTHER));
  must_append(
      j, RUN_B, "refusal",
      json_pack("{s:s,s:s,s:s}", "code", "UW-202", "code_name", "OWNER_MOVED", "instance", OTHER));
  journal_close(j);
}

static void test_show(void **state) {
  (void)state;
  struct uw_buf out = {0};
  struct journal_filter filter = {.instance = INSTANCE};
  tell_story();
  assert_int_equal(journal_show(dir, &filter, false, &out, &err), 0);
  const char *parts[] = {"run " RUN_A "  instance " INSTANCE,
                         "recover by alice, reason: TICKET-1 \"fönt\"?",
                         "RESET UW-101 SAFE_TO_RESET: one owner",
                         "- UW-501 the kill switch is on?[31m",
                         "as user u1; actions listed before it: 2",
                         "applied, HTTP 202, request req-9",
                         "- two"};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    if (strstr(out.data, parts[i]) == NULL) {
      fail_msg("'%s' is not in:\n%s", parts[i], out.data);
    }
  }
  assert_null(strstr(out.data, RUN_B));
  assert_null(strchr(out.data, '\x1b'));
  uw_buf_reset(&out);
  filter = (struct journal_filter){.run = RUN_B};
  assert_int_equal(journal_show(dir, &filter, true, &out, &err), 0);
  json_t *list = uw_json_parse(out.data, out.len, "show", UW_EXIT_USAGE, &err);
  assert_int_equal(json_array_size(list), 2);
  json_decref(list);
  uw_buf_reset(&out);
  filter = (struct journal_filter){.run = INSTANCE};
  assert_int_equal(journal_show(dir, &filter, true, &out, &err), 0);
  assert_string_equal(out.data, "[]\n");
  uw_buf_reset(&out);
  assert_int_equal(journal_show(dir, &filter, false, &out, &err), 0);
  assert_non_null(strstr(out.data, "no record"));
  uw_buf_free(&out);
}

/* resolve */

static void test_resolve(void **state) {
  (void)state;
  static const struct journal_action old = {"resetState", "req-1", "u1"};
  static const struct journal_action mine = {"resetState", "req-7", "u1"};
  static const struct journal_action mine2 = {"resetState", "req-8", "u1"};
  static const struct journal_action others = {"resetState", "req-9", "u2"};
  static const struct journal_action hidden = {"resetState", "req-9", ""};
  static const struct journal_action nameless = {"resetState", NULL, "u1"};
  static const struct journal_action else_ = {"lock", "req-6", "u1"};
  const struct {
    struct journal_action action[3];
    size_t n;
    bool whole, unchanged, deadline;
    enum journal_resolution result;
    int64_t found;
  } cases[] = {
      {{old, mine}, 2, true, false, false, RESOLUTION_APPLIED, 1},
      {{mine, old, else_}, 3, false, false, false, RESOLUTION_APPLIED, 0},
      {{nameless, old}, 2, true, false, true, RESOLUTION_APPLIED, 0},
      /* Nova broke off in between */
      {{old, mine}, 2, true, true, true, RESOLUTION_CANNOT_TELL, -1},
      {{mine, mine2}, 2, true, true, true, RESOLUTION_CANNOT_TELL, -1},
      {{mine, others}, 2, true, true, true, RESOLUTION_CANNOT_TELL, -1},
      {{old, others}, 2, true, true, true, RESOLUTION_CANNOT_TELL, -1},
      {{old, hidden}, 2, true, true, true, RESOLUTION_CANNOT_TELL, -1},
      {{old, else_}, 2, true, true, true, RESOLUTION_NOT_APPLIED, -1},
      {{old}, 1, false, true, true, RESOLUTION_CANNOT_TELL, -1},
      {{old}, 1, true, false, true, RESOLUTION_CANNOT_TELL, -1},
      {{old}, 1, true, true, false, RESOLUTION_CANNOT_TELL, -1},
      {{old}, 0, true, true, true, RESOLUTION_NOT_APPLIED, -1},
  };
  json_t *body = intent(INSTANCE);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char text[UW_ERR_TEXT_BYTES];
    int64_t found = 99;
    struct journal_resolve in = {.intent = body,
                                 .action = cases[i].action,
                                 .actions = cases[i].n,
                                 .actions_complete = cases[i].whole,
                                 .server_unchanged = cases[i].unchanged,
                                 .deadline_passed = cases[i].deadline};
    assert_int_equal(journal_resolve(&in, &found, text), cases[i].result);
    assert_int_equal(found, cases[i].found);
    assert_true(text[0] != '\0');
  }
  char text[UW_ERR_TEXT_BYTES];
  int64_t found = 99;
  json_t *empty = json_object();
  struct journal_resolve in = {
      .intent = empty, .actions_complete = true, .server_unchanged = true, .deadline_passed = true};
  assert_int_equal(journal_resolve(&in, &found, text), RESOLUTION_CANNOT_TELL);
  assert_string_equal(journal_resolution_name(RESOLUTION_NOT_APPLIED), "not_applied");
  json_decref(empty);
  json_decref(body);
}

/* the lock of an instance */

static int second_holder(void) {
  struct uw_lock lock;
  char who[64];
  (void)snprintf(who, sizeof who, "process %ld (apply) since 20", (long)parent);
  if (uw_lock_instance(base, INSTANCE, "plan", &lock, &err) == 0) {
    return 1;
  }
  return err.status == UW_EXIT_USAGE && lock.fd == -1 && strstr(err.text, who) != NULL ? 0 : 2;
}

static void test_lock(void **state) {
  (void)state;
  struct uw_lock lock;
  struct uw_lock other;
  char path[PATH_MAX];
  struct stat st;
  parent = getpid();
  assert_int_equal(uw_lock_instance(base, INSTANCE, "apply", &lock, &err), 0);
  assert_int_equal(in_child(second_holder), 0);
  assert_int_equal(uw_lock_instance(base, OTHER, "apply", &other, &err), 0);
  uw_lock_drop(&other);
  uw_lock_drop(&other);
  uw_lock_drop(&lock);
  assert_int_equal(
      uw_lock_instance(base, "AAAAAAAA-BBBB-4CCC-8DDD-EEEEEEEEEEEE", "apply", &lock, &err), 0);
  (void)snprintf(path, sizeof path, "%.*s/lock/%s", 3000, base, INSTANCE);
  assert_int_equal(stat(path, &st), 0);
  assert_int_equal(st.st_mode & 07777, 0600);
  uw_lock_drop(&lock);
  assert_int_equal(uw_lock_instance(base, "../x", "apply", &lock, &err), -1);
  assert_int_equal(uw_lock_take(base, "a/b", "apply", &lock, &err), -1);
  assert_int_equal(uw_lock_take(base, "..", "apply", &lock, &err), -1);
  assert_int_equal(chmod(path, 0666), 0);
  assert_int_equal(uw_lock_instance(base, INSTANCE, "apply", &lock, &err), -1);
  assert_int_equal(unlink(path), 0);
  assert_int_equal(symlink("elsewhere", path), 0);
  assert_int_equal(uw_lock_instance(base, INSTANCE, "apply", &lock, &err), -1);
  assert_int_equal(lock.fd, -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_init),
      TEST(test_record),
      TEST(test_bad_bodies),
      TEST(test_largest),
      TEST(test_store),
      TEST(test_open_intent),
      TEST(test_no_reserve),
      TEST(test_fsync_append),
      TEST(test_fsync_store),
      TEST(test_fsync_recover),
      TEST(test_fsync_init),
      TEST(test_reserve),
      TEST(test_torn_everywhere),
      TEST(test_torn_first),
      TEST(test_recovery_repeats),
      TEST(test_zeros_behind),
      TEST(test_much_behind),
      TEST(test_every_flip),
      TEST(test_changed_last),
      TEST(test_not_canonical),
      TEST(test_order),
      TEST(test_splice),
      TEST(test_modes),
      TEST(test_owner),
      TEST(test_links),
      TEST(test_two_writers),
      TEST(test_many_writers),
      TEST(test_killed_writer),
      TEST(test_disk_full),
      TEST(test_reserved_outcome),
      TEST(test_read_only),
      TEST(test_short_write),
      TEST(test_size_limit),
      TEST(test_each),
      TEST(test_show),
      TEST(test_resolve),
      TEST(test_lock),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
