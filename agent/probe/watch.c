#include "agent/probe/watch.h"

#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "agent/base/clock.h"

#define HUNG_STATUS 3

static int64_t end_ms;
static char alarm_line[WATCH_LINE_BYTES];
static size_t alarm_len;

static void on_alarm(int number) {
  (void)number;
  /* A short or failed write cannot be helped: the parent then sees a begin without its end. */
  ssize_t ignored = alarm_len > 0 ? write(STDOUT_FILENO, alarm_line, alarm_len) : 0;
  _exit(ignored >= 0 && alarm_len == 0 ? 0 : HUNG_STATUS);
}

static void set_mask(int how) {
  sigset_t set;
  (void)sigemptyset(&set);
  (void)sigaddset(&set, SIGALRM);
  (void)sigprocmask(how, &set, NULL);
}

void watch_hold(void) { set_mask(SIG_BLOCK); }

void watch_release(void) { set_mask(SIG_UNBLOCK); }

static void arm(int64_t ms) {
  struct itimerval timer = {
      .it_value = {.tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000) * 1000}};
  if (ms <= 0) {
    timer.it_value.tv_usec = 1; /* zero would disarm it */
  }
  (void)setitimer(ITIMER_REAL, &timer, NULL);
}

void watch_start(int64_t deadline_ms) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_alarm;
  (void)sigaction(SIGALRM, &action, NULL);
  end_ms = uw_mono_ms() + deadline_ms;
  watch_step("{\"hung\":\"start\"}\n", 0);
}

int64_t watch_left_ms(void) {
  int64_t left = end_ms - uw_mono_ms();
  return left > 0 ? left : 0;
}

void watch_step(const char *line, int64_t limit_ms) {
  int64_t left = watch_left_ms();
  size_t len = strlen(line);
  watch_hold();
  alarm_len = len < sizeof alarm_line ? len : 0;
  memcpy(alarm_line, line, alarm_len);
  arm(limit_ms > 0 && limit_ms < left ? limit_ms : left);
  watch_release();
}

void watch_farewell(int64_t limit_ms) {
  watch_hold();
  alarm_len = 0;
  arm(limit_ms);
  watch_release();
}
