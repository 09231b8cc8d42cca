/*
 * Looks through scripted probes: whatever a probe prints, or fails to print, the result is whole
 * and never better than what was said.
 *
 * This program is its own fake probe: started under the name "fake-probe" it plays the script that
 * the host in the URI of its request names. With --look it asks the real probe and prints the
 * result as JSON; lab_probe uses that.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "agent/base/json.h"
#include "agent/libvirt/inner.h"

extern char **environ;

#define VM "4dea22b3-1d52-d8f3-2516-782e98ab3fa0"
#define HOST_UUID "6df1de7d-bb98-5628-aa06-4962d29dfc84"

/* --- the fake probe ----------------------------------------------------------------------- */

#define SCHEMA "{\"schema\":\"unwedge.probe-reply/1\"}\n"
#define HOST                                                                                       \
  SCHEMA "{\"begin\":\"open\"}\n{\"open\":{\"ms\":1}}\n{\"begin\":\"identity\"}\n"                 \
         "{\"identity\":{\"hostname\":\"cmp-a\",\"type\":\"QEMU\"}}\n"                             \
         "{\"begin\":\"capabilities\"}\n{\"host\":{\"uuid\":\"" HOST_UUID "\"}}\n"
#define LOOKUP "{\"begin\":\"lookup\",\"instance\":\"" VM "\"}\n"
#define FOUND                                                                                      \
  LOOKUP "{\"domain\":{\"instance\":\"" VM                                                         \
         "\",\"present\":true,\"name\":\"instance-1\",\"id\":7}}\n"
#define STATE                                                                                      \
  "{\"begin\":\"state\",\"instance\":\"" VM "\"}\n"                                                \
  "{\"state\":{\"state\":1,\"reason\":5,\"active\":true}}\n"
#define CONTROL(s, ms, reads, grew)                                                                \
  "{\"control\":{\"state\":" s ",\"details\":0,\"ms\":" ms ",\"reads\":" reads ",\"grew\":" grew   \
  "}}\n"
#define UP_TO_JOB                                                                                  \
  HOST FOUND STATE CONTROL("0", "0", "1", "false") "{\"persistent\":true}\n"                       \
                                                   "{\"vcpus\":{\"count\":2,\"time_ms\":1234}}\n"  \
                                                   "{\"begin\":\"job_stats\",\"instance\":\"" VM   \
                                                   "\"}\n"
#define JOB(type, op)                                                                              \
  "{\"job\":{\"type\":" type ",\"operation\":" op                                                  \
  ",\"data_processed\":10,\"data_remaining\":20,\"iteration\":3}}\n"
#define COMPLETED "{\"begin\":\"completed\"}\n{\"completed\":{\"operation\":-1}}\n"
#define XML(name, project, differ, mirrors)                                                        \
  "{\"managed_save\":false}\n{\"begin\":\"xml\",\"instance\":\"" VM "\"}\n"                        \
  "{\"xml\":{\"name\":\"" name "\",\"nova\":1,\"project\":" project ",\"differ\":" differ          \
  ",\"mirrors\":" mirrors "}}\n"
#define DONE "{\"done\":\"" VM "\"}\n{\"end\":true}\n"
#define REST COMPLETED XML("instance-1", "\"p1\"", "false", "0") DONE
#define ERROR_LINE(step, code, domain, text)                                                       \
  "{\"error\":{\"step\":\"" step "\",\"code\":" code ",\"domain\":" domain                         \
  ",\"int1\":0,\"text\":\"" text "\"}}\n"

struct script {
  const char *name;
  const char *text;
};

static const struct script scripts[] = {
    {"good", UP_TO_JOB JOB("0", "-1") REST},
    {"absent", HOST LOOKUP "{\"domain\":{\"instance\":\"" VM "\",\"present\":false}}\n" DONE},
    {"out", UP_TO_JOB JOB("2", "5") COMPLETED DONE},
    {"out-untold", UP_TO_JOB JOB("2", "-1") COMPLETED DONE},
    {"out-zero", UP_TO_JOB JOB("1", "0") COMPLETED DONE},
    {"in-op", UP_TO_JOB JOB("2", "4") COMPLETED DONE},
    {"snapshot", UP_TO_JOB JOB("1", "6") COMPLETED DONE},
    {"ending", UP_TO_JOB JOB("3", "5") COMPLETED DONE},
    {"in", UP_TO_JOB "{\"job\":{\"code\":84,\"text\":\"x\"}}\n" COMPLETED DONE},
    {"inactive", UP_TO_JOB "{\"job\":{\"code\":55,\"text\":\"x\"}}\n" REST},
    {"locked", UP_TO_JOB
     "{\"job\":{\"code\":68,\"text\":\"cannot acquire state change lock\"}}\n" COMPLETED DONE},
    {"odd-code", UP_TO_JOB "{\"job\":{\"code\":1,\"text\":\"x\"}}\n" COMPLETED DONE},
    {"job-error", UP_TO_JOB ERROR_LINE("job_stats", "1", "10", "odd") COMPLETED DONE},
    {"other-project",
     UP_TO_JOB JOB("0", "-1") COMPLETED XML("instance-1", "\"p2\"", "false", "1") DONE},
    {"two-projects",
     UP_TO_JOB JOB("0", "-1") COMPLETED XML("instance-1", "\"p1\"", "true", "0") DONE},
    {"no-metadata",
     UP_TO_JOB JOB("0", "-1") COMPLETED XML("instance-1", "null", "false", "0") DONE},
    {"two-names",
     UP_TO_JOB JOB("0", "-1") COMPLETED XML("instance-2", "\"p1\"", "false", "0") DONE},
    {"xml-error", UP_TO_JOB JOB("0", "-1") COMPLETED
     "{\"begin\":\"xml\",\"instance\":\"" VM "\"}\n"
     "{\"error\":{\"step\":\"xml\",\"code\":0,\"domain\":0,\"int1\":0,\"text\":\"bad\","
     "\"instance\":\"" VM "\"}}\n" DONE},
    {"control-stuck", HOST FOUND STATE CONTROL("2", "9000", "90", "true") DONE},
    {"control-job", HOST FOUND STATE CONTROL("1", "9000", "90", "true") DONE},
    {"control-error", HOST FOUND STATE CONTROL("3", "0", "1", "false") DONE},
    {"control-busy", HOST FOUND STATE CONTROL("2", "3", "90", "false") DONE},
    {"control-new", HOST FOUND STATE CONTROL("9", "0", "1", "false") DONE},
    {"again",
     UP_TO_JOB JOB("2", "5") "{\"again\":\"" VM "\"}\n" LOOKUP "{\"domain\":{\"instance\":\"" VM
                             "\",\"present\":false}}\n" DONE},
    {"unstable", UP_TO_JOB JOB("0", "-1") "{\"unstable\":\"" VM "\"}\n" DONE},
    {"other-host", SCHEMA "{\"open\":{\"ms\":1}}\n{\"identity\":{\"hostname\":\"cmp-b\",\"type\":"
                          "\"QEMU\"}}\n{\"host\":{\"uuid\":\"" HOST_UUID "\"}}\n" FOUND STATE DONE},
    {"case-host", SCHEMA "{\"open\":{\"ms\":1}}\n{\"identity\":{\"hostname\":\"CMP-A\",\"type\":"
                         "\"QEMU\"}}\n{\"host\":{\"uuid\":\"" HOST_UUID "\"}}\n" FOUND STATE DONE},
    {"not-qemu", SCHEMA "{\"open\":{\"ms\":1}}\n{\"identity\":{\"hostname\":\"cmp-a\",\"type\":"
                        "\"LXC\"}}\n{\"host\":{\"uuid\":\"" HOST_UUID "\"}}\n" LOOKUP
                        "{\"domain\":{\"instance\":\"" VM "\",\"present\":false}}\n" DONE},
    {"no-identity", SCHEMA "{\"end\":true}\n"},
    {"refused", SCHEMA ERROR_LINE("open", "38", "7", "Connection refused") "{\"end\":true}\n"},
    {"tls",
     SCHEMA "{\"log\":\"owner does not match the hostname x\"}\n{\"log\":\"later\"}\n" ERROR_LINE(
         "open", "45", "7", "authentication failed") "{\"end\":true}\n"},
    {"lost", HOST LOOKUP ERROR_LINE("lookup", "38", "7", "End of file") DONE},
    {"denied", HOST LOOKUP ERROR_LINE("lookup", "88", "0", "access denied") DONE},
    {"lookup-odd", HOST LOOKUP ERROR_LINE("lookup", "1", "10", "internal error") DONE},
    {"bad-request", SCHEMA ERROR_LINE("request", "0", "0", "malformed") "{\"end\":true}\n"},
    {"hung-open", SCHEMA "{\"begin\":\"open\"}\n{\"hung\":\"open\"}\n"},
    {"hung-lookup", HOST LOOKUP "{\"hung\":\"lookup\",\"instance\":\"" VM "\"}\n"},
    {"hung-job", UP_TO_JOB "{\"hung\":\"job_stats\",\"instance\":\"" VM "\"}\n"},
    {"hung-xml", UP_TO_JOB JOB("0", "-1") COMPLETED "{\"begin\":\"xml\",\"instance\":\"" VM "\"}\n"
                                                    "{\"hung\":\"xml\",\"instance\":\"" VM "\"}\n"},
    {"hung-control", HOST FOUND STATE "{\"begin\":\"control\",\"instance\":\"" VM "\"}\n"
                                      "{\"hung\":\"control\",\"instance\":\"" VM "\"}\n"},
    {"hung-elsewhere",
     SCHEMA "{\"open\":{\"ms\":1}}\n{\"identity\":{\"hostname\":\"cmp-b\",\"type\":"
            "\"QEMU\"}}\n{\"host\":{\"uuid\":\"" HOST_UUID "\"}}\n" FOUND STATE
            "{\"hung\":\"job_stats\",\"instance\":\"" VM "\"}\n"},
    {"hung-monitor", HOST FOUND STATE "{\"begin\":\"monitor\",\"instance\":\"" VM "\"}\n"
                                      "{\"hung\":\"monitor\",\"instance\":\"" VM "\"}\n"},
    {"monitor-fine", HOST FOUND STATE "{\"monitor\":{\"answered\":true,\"ms\":3}}\n" DONE},
    {"monitor-mute", HOST FOUND STATE "{\"monitor\":{\"answered\":false,\"text\":\"x\"}}\n" DONE},
    {"monitor-odd", HOST FOUND STATE ERROR_LINE("monitor", "1", "10", "x") DONE},
    /* Nonsense, all of it. */
    {"bad-nothing", ""},
    {"bad-text", "hello\n"},
    {"bad-schema", "{\"schema\":\"unwedge.probe-reply/2\"}\n{\"end\":true}\n"},
    {"bad-no-schema", "{\"open\":{\"ms\":1}}\n{\"end\":true}\n"},
    {"bad-no-end", UP_TO_JOB JOB("0", "-1") COMPLETED},
    {"bad-partial", UP_TO_JOB JOB("0", "-1") REST "{\"jo"},
    {"bad-after-end", UP_TO_JOB JOB("0", "-1") REST "{\"job\":1}\n"},
    {"bad-two-ends", UP_TO_JOB JOB("0", "-1") REST "{\"end\":true}\n"},
    {"bad-end-false", UP_TO_JOB JOB("0", "-1") COMPLETED "{\"end\":false}\n"},
    {"bad-array", SCHEMA "[]\n{\"end\":true}\n"},
    {"bad-empty-object", SCHEMA "{}\n{\"end\":true}\n"},
    {"bad-empty-line", SCHEMA "\n{\"end\":true}\n"},
    {"bad-key", SCHEMA "{\"surprise\":1}\n{\"end\":true}\n"},
    {"bad-two-keys", SCHEMA "{\"open\":{\"ms\":1},\"end\":true}\n"},
    {"bad-extra-member", SCHEMA "{\"open\":{\"ms\":1,\"x\":1}}\n{\"end\":true}\n"},
    {"bad-duplicate-key", HOST FOUND "{\"state\":{\"state\":1,\"state\":5,\"reason\":5,"
                                     "\"active\":true}}\n" DONE},
    {"bad-duplicate-line", HOST FOUND STATE STATE DONE},
    {"bad-two-domains", HOST FOUND FOUND DONE},
    {"bad-type", HOST FOUND "{\"state\":{\"state\":\"1\",\"reason\":5,\"active\":true}}\n" DONE},
    {"bad-bool", HOST FOUND "{\"state\":{\"state\":1,\"reason\":5,\"active\":1}}\n" DONE},
    {"bad-real", HOST FOUND "{\"state\":{\"state\":1.0,\"reason\":5,\"active\":true}}\n" DONE},
    {"bad-negative", HOST FOUND "{\"state\":{\"state\":-1,\"reason\":5,\"active\":true}}\n" DONE},
    {"bad-huge",
     HOST FOUND "{\"state\":{\"state\":9007199254740992,\"reason\":5,\"active\":true}}\n" DONE},
    {"bad-overflow", HOST FOUND "{\"state\":{\"state\":99999999999999999999,\"reason\":5,"
                                "\"active\":true}}\n" DONE},
    {"bad-utf8", SCHEMA "{\"log\":\"\xff\xfe\"}\n{\"end\":true}\n"},
    {"bad-order", SCHEMA STATE DONE},
    {"bad-state-of-absent", HOST STATE DONE},
    {"bad-other-instance",
     HOST "{\"domain\":{\"instance\":\"00000000-0000-0000-0000-000000000001\","
          "\"present\":false}}\n" DONE},
    {"bad-hung-then-more", UP_TO_JOB "{\"hung\":\"job_stats\",\"instance\":\"" VM "\"}\n"
                                     "{\"begin\":\"xml\",\"instance\":\"" VM "\"}\n"},
};

static void say(const char *text) {
  size_t left = strlen(text);
  while (left > 0) {
    ssize_t n = write(STDOUT_FILENO, text, left);
    if (n <= 0) {
      _exit(9);
    }
    text += n;
    left -= (size_t)n;
  }
}

static void sleep_long(void) {
  for (;;) {
    (void)uw_sleep_ms(60000);
  }
}

/* Says in the log line's place what it should not have been given. */
static void play_surroundings(void) {
  char line[512];
  for (char **e = environ; *e != NULL; e++) {
    if (strncmp(*e, "PATH=", 5) != 0 && strncmp(*e, "HOME=", 5) != 0 &&
        strcmp(*e, "LC_ALL=C") != 0 && strncmp(*e, "SSH_AUTH_SOCK=", 14) != 0 &&
        strncmp(*e, "KRB5", 4) != 0) {
      (void)snprintf(line, sizeof line, SCHEMA "{\"error\":\"%.100s\"}\n", *e);
      say(line);
      _exit(1);
    }
  }
  for (int fd = 3; fd < 256; fd++) {
    if (fcntl(fd, F_GETFD) != -1) {
      (void)snprintf(line, sizeof line, SCHEMA "{\"error\":\"fd %d\"}\n", fd);
      say(line);
      _exit(1);
    }
  }
  say(UP_TO_JOB JOB("0", "-1") REST);
}

static void play_flood(bool one_line) {
  char block[4096];
  memset(block, ' ', sizeof block);
  if (!one_line) {
    memcpy(block + sizeof block - 18, "\n{\"begin\":\"open\"}\n", 18);
  }
  block[sizeof block - 1] = one_line ? ' ' : '\n';
  say(SCHEMA);
  for (int i = 0; i < (one_line ? 20 : 1000); i++) {
    if (write(STDOUT_FILENO, block, sizeof block) <= 0) {
      _exit(9);
    }
  }
  say("{\"end\":true}\n");
}

static int play_action(const char *name) {
  if (strcmp(name, "surroundings") == 0) {
    play_surroundings();
  } else if (strcmp(name, "flood") == 0) {
    play_flood(false);
  } else if (strcmp(name, "long-line") == 0) {
    play_flood(true);
  } else if (strcmp(name, "sleep") == 0) {
    sleep_long();
  } else if (strcmp(name, "sleep-in-job") == 0) {
    say(UP_TO_JOB);
    sleep_long();
  } else if (strcmp(name, "sleep-in-line") == 0) {
    say(UP_TO_JOB "{\"jo");
    sleep_long();
  } else if (strcmp(name, "sleep-after-end") == 0) {
    say(UP_TO_JOB JOB("0", "-1") REST);
    sleep_long();
  } else if (strcmp(name, "closed-and-sleep") == 0) {
    say(UP_TO_JOB JOB("0", "-1") COMPLETED);
    (void)close(STDOUT_FILENO);
    sleep_long();
  } else if (strcmp(name, "crash") == 0) {
    say(UP_TO_JOB);
    (void)raise(SIGKILL);
  } else if (strcmp(name, "complain") == 0) {
    (void)fputs("cannot load libvirt.so.0\n", stderr);
    return 127;
  } else if (strcmp(name, "fails-after-end") == 0) {
    say(UP_TO_JOB JOB("0", "-1") REST);
    return 5;
  } else if (strcmp(name, "leaves-a-child") == 0) {
    if (fork() == 0) {
      sleep_long();
    }
    say(UP_TO_JOB JOB("0", "-1") REST);
  } else if (strcmp(name, "ignores-signals") == 0) {
    (void)signal(SIGTERM, SIG_IGN);
    (void)signal(SIGINT, SIG_IGN);
    sleep_long();
  } else {
    return 99;
  }
  return 0;
}

static int play(void) {
  static char text[8192];
  size_t used = 0;
  ssize_t got;
  while (used < sizeof text - 1 &&
         (got = read(STDIN_FILENO, text + used, sizeof text - 1 - used)) > 0) {
    used += (size_t)got;
  }
  json_t *request = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
  char name[128] = "";
  if (sscanf(uw_json_str(request, "uri", ""), "qemu+tcp://%127[^/]", name) != 1 ||
      uw_json_int(request, "deadline_ms", 0) < 100) {
    return 98;
  }
  json_decref(request);
  for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
    if (strcmp(scripts[i].name, name) == 0) {
      say(scripts[i].text);
      return 0;
    }
  }
  return play_action(name);
}

/* --- tests -------------------------------------------------------------------------------- */

#define DEADLINE_MS 400

static char fake[PATH_MAX];
static struct uw_err err;
static struct probe_result got;

static struct probe_target target_of(const char *script) {
  struct probe_target t;
  memset(&t, 0, sizeof t);
  (void)snprintf(t.host, sizeof t.host, "cmp-a");
  (void)snprintf(t.uri, sizeof t.uri, "qemu+tcp://%s/system", script);
  (void)snprintf(t.expect_hostname, sizeof t.expect_hostname, "cmp-a");
  return t;
}

static struct probe_question question_with(int64_t deadline_ms) {
  struct probe_question q;
  memset(&q, 0, sizeof q);
  (void)snprintf(q.instance, sizeof q.instance, VM);
  (void)snprintf(q.instance_name, sizeof q.instance_name, "instance-1");
  (void)snprintf(q.project, sizeof q.project, "p1");
  q.deadline_ms = deadline_ms;
  return q;
}

static void look_with(const char *script, const struct probe_question *q) {
  struct probe_target t = target_of(script);
  probe_result_free(&got);
  memset(&got, 0x5a, sizeof got);
  if (probe_look(fake, &t, 1, q, 1, NULL, &got, &err) != 0) {
    fail_msg("%s: %s", script, err.text);
  }
  assert_true(got.look.start_ms >= 0 && got.look.end_ms >= got.look.start_ms);
}

static void look(const char *script, enum rcv_reach reach) {
  struct probe_question q = question_with(5000);
  look_with(script, &q);
  if (got.look.reach != reach) {
    fail_msg("%s: reach %d instead of %d: %s", script, (int)got.look.reach, (int)reach, got.detail);
  }
}

static void look_briefly(const char *script, enum rcv_reach reach) {
  struct probe_question q = question_with(DEADLINE_MS);
  int64_t start = uw_mono_ms();
  look_with(script, &q);
  assert_in_range(uw_mono_ms() - start, 0, DEADLINE_MS + 3000);
  if (got.look.reach != reach) {
    fail_msg("%s: reach %d instead of %d: %s", script, (int)got.look.reach, (int)reach, got.detail);
  }
}

#define SAME_ENUM(tag, field, role, doc) assert_int_equal(got.look.field, unknown.field);
#define SAME_INT(unit, field, role, doc) assert_int_equal(got.look.field, unknown.field);

/* Reach and times aside, every fact is at its unknown value. */
static void nothing_known(void) {
  struct rcv_look unknown;
  rcv_look_init(&unknown);
  unknown.reach = got.look.reach;
  unknown.start_ms = got.look.start_ms;
  unknown.end_ms = got.look.end_ms;
  RCV_LOOK_FACTS(SAME_ENUM, SAME_INT)
  assert_true(got.detail[0] != '\0');
  assert_string_equal(got.domain_name, "");
}

static void good_look(void **state) {
  (void)state;
  look("good", RCV_REACH_OK);
  assert_int_equal(got.look.presence, RCV_PRESENCE_PRESENT);
  assert_int_equal(got.look.active, RCV_TRI_YES);
  assert_int_equal(got.look.state, 1);
  assert_int_equal(got.look.reason, 5);
  assert_int_equal(got.look.job, RCV_JOB_NONE);
  assert_int_equal(got.look.control, RCV_CONTROL_OK);
  assert_int_equal(got.look.control_ms, 0);
  assert_int_equal(got.look.persistent, RCV_TRI_YES);
  assert_int_equal(got.look.domain_id, 7);
  assert_int_equal(got.look.vcpus, 2);
  assert_int_equal(got.look.vcpu_time_ms, 1234);
  assert_int_equal(got.look.name_equal, RCV_TRI_YES);
  assert_int_equal(got.look.owner, RCV_OWNER_EQUAL);
  assert_int_equal(got.look.mirror, RCV_TRI_NO);
  assert_int_equal(got.look.managed_save, RCV_TRI_NO);
  assert_int_equal(got.look.monitor, RCV_MONITOR_UNKNOWN);
  assert_int_equal(got.look.completed_op, -1);
  assert_int_equal(got.look.data_remaining, -1);
  assert_string_equal(got.libvirt_hostname, "cmp-a");
  assert_string_equal(got.host_uuid, HOST_UUID);
  assert_string_equal(got.domain_name, "instance-1");
  assert_string_equal(got.detail, "");
  assert_non_null(strstr(uw_buf_text(&got.raw), "\"end\":true"));
}

static void absent(void **state) {
  (void)state;
  look("absent", RCV_REACH_OK);
  assert_int_equal(got.look.presence, RCV_PRESENCE_ABSENT);
  assert_int_equal(got.look.state, -1);
  assert_int_equal(got.look.job, RCV_JOB_UNKNOWN);
}

static void jobs(void **state) {
  (void)state;
  static const struct {
    const char *script;
    enum rcv_job job;
  } expect[] = {{"out", RCV_JOB_OUT},        {"out-untold", RCV_JOB_OUT},
                {"out-zero", RCV_JOB_OUT},   {"in-op", RCV_JOB_IN},
                {"snapshot", RCV_JOB_OTHER}, {"ending", RCV_JOB_UNKNOWN},
                {"in", RCV_JOB_IN},          {"inactive", RCV_JOB_INACTIVE},
                {"locked", RCV_JOB_HUNG},    {"job-error", RCV_JOB_UNKNOWN},
                {"hung-job", RCV_JOB_HUNG},  {"hung-xml", RCV_JOB_NONE}};
  for (size_t i = 0; i < sizeof expect / sizeof expect[0]; i++) {
    look(expect[i].script, RCV_REACH_OK);
    if (got.look.job != expect[i].job) {
      fail_msg("%s: job %d", expect[i].script, (int)got.look.job);
    }
    assert_int_equal(got.look.state, 1);
    assert_int_equal(got.look.data_remaining, got.look.job == RCV_JOB_OUT ? 20 : -1);
  }
  look("odd-code", RCV_REACH_BAD_REPLY);
}

static void owners(void **state) {
  (void)state;
  look("other-project", RCV_REACH_OK);
  assert_int_equal(got.look.owner, RCV_OWNER_DIFFERENT);
  assert_int_equal(got.look.mirror, RCV_TRI_YES);
  look("two-projects", RCV_REACH_OK);
  assert_int_equal(got.look.owner, RCV_OWNER_DIFFERENT);
  look("no-metadata", RCV_REACH_OK);
  assert_int_equal(got.look.owner, RCV_OWNER_NO_METADATA);
  look("two-names", RCV_REACH_OK);
  assert_int_equal(got.look.name_equal, RCV_TRI_UNKNOWN);
  look("xml-error", RCV_REACH_OK);
  assert_int_equal(got.look.owner, RCV_OWNER_UNKNOWN);
  assert_int_equal(got.look.mirror, RCV_TRI_UNKNOWN);
  assert_string_equal(got.detail, "bad");
  struct probe_question q = question_with(5000);
  (void)snprintf(q.instance_name, sizeof q.instance_name, "Instance-1");
  q.project[0] = '\0';
  look_with("good", &q);
  assert_int_equal(got.look.name_equal, RCV_TRI_NO);
  assert_int_equal(got.look.owner, RCV_OWNER_UNKNOWN);
  q.instance_name[0] = '\0';
  look_with("good", &q);
  assert_int_equal(got.look.name_equal, RCV_TRI_UNKNOWN);
}

static void control(void **state) {
  (void)state;
  look("control-stuck", RCV_REACH_OK);
  assert_int_equal(got.look.control, RCV_CONTROL_OCCUPIED);
  assert_int_equal(got.look.control_ms, 9000);
  assert_int_equal(got.look.job, RCV_JOB_HUNG);
  look("control-job", RCV_REACH_OK);
  assert_int_equal(got.look.control, RCV_CONTROL_JOB);
  look("control-error", RCV_REACH_OK);
  assert_int_equal(got.look.control, RCV_CONTROL_ERROR);
  look("control-busy", RCV_REACH_OK);
  assert_int_equal(got.look.control, RCV_CONTROL_UNKNOWN);
  assert_true(got.detail[0] != '\0');
  look("control-new", RCV_REACH_OK);
  assert_int_equal(got.look.control, RCV_CONTROL_UNKNOWN);
}

static void gentle(void **state) {
  (void)state;
  struct probe_question q = question_with(5000);
  q.gentle = true;
  look_with("control-stuck", &q);
  assert_int_equal(got.look.job, RCV_JOB_HUNG);
  assert_non_null(strstr(uw_buf_text(&got.raw), "control"));
  look_with("control-busy", &q);
  assert_int_equal(got.look.job, RCV_JOB_UNKNOWN);
}

static void monitor(void **state) {
  (void)state;
  look("monitor-fine", RCV_REACH_OK);
  assert_int_equal(got.look.monitor, RCV_MONITOR_ANSWERED);
  look("monitor-mute", RCV_REACH_OK);
  assert_int_equal(got.look.monitor, RCV_MONITOR_MUTE);
  look("hung-monitor", RCV_REACH_OK);
  assert_int_equal(got.look.monitor, RCV_MONITOR_MUTE);
  look("monitor-odd", RCV_REACH_OK);
  assert_int_equal(got.look.monitor, RCV_MONITOR_UNKNOWN);
}

static void changing_domain(void **state) {
  (void)state;
  look("again", RCV_REACH_OK);
  assert_int_equal(got.look.presence, RCV_PRESENCE_ABSENT);
  assert_int_equal(got.look.job, RCV_JOB_UNKNOWN);
  assert_int_equal(got.look.state, -1);
  look("unstable", RCV_REACH_OK);
  assert_int_equal(got.look.presence, RCV_PRESENCE_PRESENT);
  assert_int_equal(got.look.state, -1);
  assert_int_equal(got.look.job, RCV_JOB_UNKNOWN);
}

static void identity(void **state) {
  (void)state;
  look("other-host", RCV_REACH_IDENTITY_MISMATCH);
  nothing_known();
  assert_string_equal(got.libvirt_hostname, "cmp-b");
  look("hung-elsewhere", RCV_REACH_IDENTITY_MISMATCH);
  nothing_known();
  look("not-qemu", RCV_REACH_IDENTITY_MISMATCH);
  nothing_known();
  look("case-host", RCV_REACH_OK);
  struct probe_target t = target_of("good");
  struct probe_question q = question_with(5000);
  (void)snprintf(t.expect_uuid, sizeof t.expect_uuid, "6DF1DE7D-BB98-5628-AA06-4962D29DFC84");
  probe_result_free(&got);
  assert_int_equal(probe_look(fake, &t, 1, &q, 1, NULL, &got, &err), 0);
  assert_int_equal(got.look.reach, RCV_REACH_OK);
  (void)snprintf(t.expect_uuid, sizeof t.expect_uuid, "a8bb9b9f-316c-54e6-b7ff-736cb320748e");
  probe_result_free(&got);
  assert_int_equal(probe_look(fake, &t, 1, &q, 1, NULL, &got, &err), 0);
  assert_int_equal(got.look.reach, RCV_REACH_IDENTITY_MISMATCH);
  nothing_known();
}

static void failures(void **state) {
  (void)state;
  look("refused", RCV_REACH_UNREACHABLE);
  nothing_known();
  assert_string_equal(got.detail, "Connection refused");
  look("tls", RCV_REACH_AUTH_FAILED);
  assert_string_equal(got.detail, "authentication failed (owner does not match the hostname x)");
  look("lost", RCV_REACH_UNREACHABLE);
  nothing_known();
  look("denied", RCV_REACH_AUTH_FAILED);
  nothing_known();
  look("lookup-odd", RCV_REACH_OK);
  assert_int_equal(got.look.presence, RCV_PRESENCE_UNKNOWN);
  assert_string_equal(got.detail, "internal error");
  look("bad-request", RCV_REACH_BAD_REPLY);
  look("hung-open", RCV_REACH_TIMEOUT);
  nothing_known();
  look("hung-lookup", RCV_REACH_TIMEOUT);
  look("hung-control", RCV_REACH_TIMEOUT);
  nothing_known();
}

static void every_error_has_a_reach(void **state) {
  (void)state;
  static const struct {
    const char *step;
    int64_t code, domain;
    const char *text;
    enum rcv_reach reach;
  } expect[] = {
      {"open", 38, 7, "unable to connect to server at 'x:1': Connection refused",
       RCV_REACH_UNREACHABLE},
      {"open", 38, 7, "Unable to resolve address 'X' service '16509'", RCV_REACH_UNREACHABLE},
      {"open", 38, 7, "unable to connect to server: No route to host", RCV_REACH_UNREACHABLE},
      {"open", 38, 7, "End of file while reading data: Input/output error", RCV_REACH_UNREACHABLE},
      {"open", 39, 7, "packet 1919905648 bytes received", RCV_REACH_UNREACHABLE},
      {"open", 1, 7, "client socket is closed", RCV_REACH_UNREACHABLE},
      {"open", 38, 7, "Unable to read TLS confirmation: Input/output error", RCV_REACH_AUTH_FAILED},
      {"open", 38, 7, "Cannot read CA certificate '/x': No such file", RCV_REACH_AUTH_FAILED},
      {"open", 38, 7, "The client certificate /x has expired", RCV_REACH_AUTH_FAILED},
      {"open", 38, 7, "Cannot recv data: Permission denied (publickey)", RCV_REACH_AUTH_FAILED},
      {"open", 38, 7, "Cannot recv data: Host key verification failed.", RCV_REACH_AUTH_FAILED},
      {"open", 45, 7, "x", RCV_REACH_AUTH_FAILED},
      {"open", 79, 7, "x", RCV_REACH_AUTH_FAILED},
      {"open", 94, 7, "x", RCV_REACH_AUTH_FAILED},
      {"open", 40, 7, "x", RCV_REACH_AUTH_FAILED},
      {"open", 85, 7, "x", RCV_REACH_AUTH_FAILED},
      {"open", 98, 7, "x", RCV_REACH_AUTH_FAILED},
      {"lookup", 88, 10, "x", RCV_REACH_AUTH_FAILED},
      {"xml", 29, 20, "x", RCV_REACH_AUTH_FAILED},
      {"state", 38, 7, "x", RCV_REACH_UNREACHABLE},
      {"state", 42, 10, "x", RCV_REACH_OK},
      {"state", 38, 10, "x", RCV_REACH_OK},
      {"vcpus", 55, 10, "cpu affinity is not supported", RCV_REACH_OK},
      {"capabilities", 0, 0, "x", RCV_REACH_BAD_REPLY},
      {"request", 0, 0, "x", RCV_REACH_BAD_REPLY},
  };
  for (size_t i = 0; i < sizeof expect / sizeof expect[0]; i++) {
    enum rcv_reach reach =
        reply_reach(expect[i].step, expect[i].code, expect[i].domain, expect[i].text);
    if (reach != expect[i].reach) {
      fail_msg("%s %d %s: %d", expect[i].step, (int)expect[i].code, expect[i].text, (int)reach);
    }
  }
}

static void nonsense(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
    if (strncmp(scripts[i].name, "bad-", 4) == 0) {
      look(scripts[i].name, RCV_REACH_BAD_REPLY);
      nothing_known();
    }
  }
  look("long-line", RCV_REACH_BAD_REPLY);
  nothing_known();
  look("flood", RCV_REACH_BAD_REPLY);
  nothing_known();
}

static void broken_probes(void **state) {
  (void)state;
  look("crash", RCV_REACH_BAD_REPLY);
  nothing_known();
  look("complain", RCV_REACH_BAD_REPLY);
  assert_non_null(strstr(got.detail, "cannot load libvirt.so.0"));
  look("fails-after-end", RCV_REACH_BAD_REPLY);
  nothing_known();
}

static void deadlines(void **state) {
  (void)state;
  look_briefly("sleep", RCV_REACH_TIMEOUT);
  nothing_known();
  look_briefly("ignores-signals", RCV_REACH_TIMEOUT);
  look_briefly("sleep-in-job", RCV_REACH_OK);
  assert_int_equal(got.look.job, RCV_JOB_HUNG);
  assert_int_equal(got.look.state, 1);
  look_briefly("sleep-in-line", RCV_REACH_OK);
  assert_int_equal(got.look.job, RCV_JOB_HUNG);
  look_briefly("sleep-after-end", RCV_REACH_OK);
  assert_int_equal(got.look.job, RCV_JOB_NONE);
  look_briefly("leaves-a-child", RCV_REACH_OK);
  assert_int_equal(got.look.job, RCV_JOB_NONE);
  look_briefly("closed-and-sleep", RCV_REACH_OK);
  assert_int_equal(got.look.owner, RCV_OWNER_UNKNOWN);
}

static void clean_surroundings(void **state) {
  (void)state;
  int leak = open("/dev/null", O_RDONLY); /* deliberately without close-on-exec */
  assert_true(leak >= 0);
  assert_int_equal(setenv("OS_PASSWORD", "secret", 1), 0);
  assert_int_equal(setenv("LIBVIRT_DEFAULT_URI", "test:///default", 1), 0);
  look("surroundings", RCV_REACH_OK);
  (void)close(leak);
}

static void many_at_once(void **state) {
  (void)state;
  enum { N = 12 };
  static struct probe_target t[N];
  static struct probe_question q[N];
  static struct probe_result r[N];
  for (size_t i = 0; i < N; i++) {
    t[i] = target_of(i % 3 == 0 ? "sleep" : "good");
    q[i] = question_with(DEADLINE_MS);
    q[i].deadline_ms = i % 3 == 0 ? DEADLINE_MS : 5000;
  }
  int64_t start = uw_mono_ms();
  assert_int_equal(probe_look(fake, t, N, q, N, NULL, r, &err), 0);
  assert_in_range(uw_mono_ms() - start, DEADLINE_MS, DEADLINE_MS + 3000);
  for (size_t i = 0; i < N; i++) {
    assert_int_equal(r[i].look.reach, i % 3 == 0 ? RCV_REACH_TIMEOUT : RCV_REACH_OK);
    probe_result_free(&r[i]);
  }
  start = uw_mono_ms();
  assert_int_equal(probe_look(fake, t, N, q, 2, NULL, r, &err), 0);
  assert_in_range(uw_mono_ms() - start, 2 * DEADLINE_MS, 8 * DEADLINE_MS + 6000);
  for (size_t i = 0; i < N; i++) {
    assert_int_equal(r[i].look.reach, i % 3 == 0 ? RCV_REACH_TIMEOUT : RCV_REACH_OK);
    probe_result_free(&r[i]);
  }
}

static volatile bool stop;

static void on_alarm(int number) {
  (void)number;
  stop = true;
}

static void stops_when_told(void **state) {
  (void)state;
  struct probe_target t[2] = {target_of("sleep"), target_of("good")};
  struct probe_question q[2] = {question_with(30000), question_with(30000)};
  struct probe_result r[2];
  const struct itimerval soon = {.it_value = {.tv_usec = 200000}};
  stop = false;
  (void)signal(SIGALRM, on_alarm);
  (void)setitimer(ITIMER_REAL, &soon, NULL);
  int64_t start = uw_mono_ms();
  assert_int_equal(probe_look(fake, t, 2, q, 2, &stop, r, &err), -1);
  assert_in_range(uw_mono_ms() - start, 0, 3000);
  assert_non_null(strstr(err.text, "interrupted"));
  assert_int_equal(r[0].look.reach, RCV_REACH_NONE);
  probe_result_free(&r[0]);
  probe_result_free(&r[1]);
}

static void unmapped(void **state) {
  (void)state;
  static const char *const uris[] = {"", "test:///default", "qemu+ssh://a/system?command=/x"};
  struct probe_question q = question_with(5000);
  for (size_t i = 0; i < 3; i++) {
    struct probe_target t = target_of("good");
    (void)snprintf(t.uri, sizeof t.uri, "%s", uris[i]);
    probe_result_free(&got);
    assert_int_equal(probe_look(fake, &t, 1, &q, 1, NULL, &got, &err), 0);
    assert_int_equal(got.look.reach, RCV_REACH_UNMAPPED);
    nothing_known();
  }
  struct probe_target t = target_of("good");
  t.expect_hostname[0] = '\0';
  probe_result_free(&got);
  assert_int_equal(probe_look(fake, &t, 1, &q, 1, NULL, &got, &err), 0);
  assert_int_equal(got.look.reach, RCV_REACH_UNMAPPED);
}

static void no_program(void **state) {
  (void)state;
  struct probe_target t = target_of("good");
  struct probe_question q = question_with(5000);
  probe_result_free(&got);
  assert_int_equal(probe_look("/nonexistent/unwedge-probe", &t, 1, &q, 1, NULL, &got, &err), -1);
  assert_non_null(strstr(err.text, "/nonexistent/unwedge-probe"));
  assert_int_equal(got.look.reach, RCV_REACH_NONE);
  /* There, but no program: an outcome, not an error of ours. */
  char path[PATH_MAX + 32];
  (void)snprintf(path, sizeof path, "%s.not-a-program", fake);
  FILE *f = fopen(path, "w");
  assert_non_null(f);
  assert_true(fputs("garbage\n", f) >= 0);
  assert_int_equal(fclose(f), 0);
  assert_int_equal(chmod(path, 0755), 0);
  assert_int_equal(probe_look(path, &t, 1, &q, 1, NULL, &got, &err), 0);
  (void)unlink(path);
  assert_int_equal(got.look.reach, RCV_REACH_BAD_REPLY);
  nothing_known();
}

static void other_questions(void **state) {
  (void)state;
  struct probe_target t = target_of("good");
  const struct probe_request request = {.op = "list", .deadline_ms = 5000};
  probe_result_free(&got);
  assert_int_equal(probe_ask(fake, &t, 1, &request, 1, NULL, &got, &err), 0);
  assert_int_equal(got.look.reach, RCV_REACH_OK);
  assert_int_equal(got.look.presence, RCV_PRESENCE_UNKNOWN);
  assert_string_equal(got.host_uuid, HOST_UUID);
  t = target_of("other-host");
  probe_result_free(&got);
  assert_int_equal(probe_ask(fake, &t, 1, &request, 1, NULL, &got, &err), 0);
  assert_int_equal(got.look.reach, RCV_REACH_IDENTITY_MISMATCH);
  t = target_of("hung-lookup");
  probe_result_free(&got);
  assert_int_equal(probe_ask(fake, &t, 1, &request, 1, NULL, &got, &err), 0);
  assert_int_equal(got.look.reach, RCV_REACH_TIMEOUT);
}

/* --- the tool ------------------------------------------------------------------------------ */

#define PUT_ENUM(tag, field, role, doc)                                                            \
  (void)json_object_set_new(json, #field,                                                          \
                            json_string(rcv_enum_name(&tag##_enum, (int)r.look.field)));
#define PUT_INT(unit, field, role, doc)                                                            \
  (void)json_object_set_new(json, #field, json_integer((json_int_t)r.look.field));

/* --look PROGRAM URI HOSTNAME INSTANCE NAME PROJECT DEADLINE_MS look|gentle|monitor */
static int tool(char **argv) {
  struct probe_target t;
  struct probe_question q;
  struct probe_result r;
  memset(&t, 0, sizeof t);
  memset(&q, 0, sizeof q);
  memset(&r, 0, sizeof r);
  (void)snprintf(t.uri, sizeof t.uri, "%s", argv[3]);
  (void)snprintf(t.expect_hostname, sizeof t.expect_hostname, "%s", argv[4]);
  (void)snprintf(q.instance, sizeof q.instance, "%s", argv[5]);
  (void)snprintf(q.instance_name, sizeof q.instance_name, "%s", argv[6]);
  (void)snprintf(q.project, sizeof q.project, "%s", argv[7]);
  q.deadline_ms = strtoll(argv[8], NULL, 10);
  q.gentle = strcmp(argv[9], "gentle") == 0;
  q.monitor = strcmp(argv[9], "monitor") == 0;
  int status = probe_look(argv[2], &t, 1, &q, 1, NULL, &r, &err);
  if (status != 0) {
    (void)fprintf(stderr, "%s\n", err.text);
  } else {
    json_t *json =
        json_pack("{s:s, s:s, s:s, s:s}", "libvirt_hostname", r.libvirt_hostname, "host_uuid",
                  r.host_uuid, "domain_name", r.domain_name, "detail", r.detail);
    RCV_LOOK_FACTS(PUT_ENUM, PUT_INT)
    status = json_dumpf(json, stdout, JSON_COMPACT);
    (void)putchar('\n');
    json_decref(json);
  }
  probe_result_free(&r);
  return status == 0 ? 0 : 1;
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(good_look),
      cmocka_unit_test(absent),
      cmocka_unit_test(jobs),
      cmocka_unit_test(owners),
      cmocka_unit_test(control),
      cmocka_unit_test(gentle),
      cmocka_unit_test(monitor),
      cmocka_unit_test(changing_domain),
      cmocka_unit_test(identity),
      cmocka_unit_test(failures),
      cmocka_unit_test(every_error_has_a_reach),
      cmocka_unit_test(nonsense),
      cmocka_unit_test(broken_probes),
      cmocka_unit_test(deadlines),
      cmocka_unit_test(clean_surroundings),
      cmocka_unit_test(many_at_once),
      cmocka_unit_test(stops_when_told),
      cmocka_unit_test(unmapped),
      cmocka_unit_test(no_program),
      cmocka_unit_test(other_questions),
  };
  const char *slash = strrchr(argv[0], '/');
  if (strcmp(slash != NULL ? slash + 1 : argv[0], "fake-probe") == 0) {
    return play();
  }
  if (argc == 10 && strcmp(argv[1], "--look") == 0) {
    return tool(argv);
  }
  char dir[PATH_MAX - 32];
  char self[PATH_MAX];
  const char *tmp = getenv("TMPDIR");
  ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
  (void)snprintf(dir, sizeof dir, "%s/unwedge-look-XXXXXX", tmp != NULL ? tmp : "/tmp");
  if (n <= 0 || mkdtemp(dir) == NULL) {
    return 1;
  }
  self[n] = '\0';
  (void)snprintf(fake, sizeof fake, "%s/fake-probe", dir);
  int result = 1;
  if (symlink(self, fake) == 0) {
    result = cmocka_run_group_tests(tests, NULL, NULL);
    (void)unlink(fake);
  }
  probe_result_free(&got);
  (void)rmdir(dir);
  return result;
}
