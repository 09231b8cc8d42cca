#include "agent/base/clock.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

int64_t uw_mono_ms(void) {
  struct timespec ts;
  if (clock_gettime(CLOCK_BOOTTIME, &ts) != 0) {
    return 0;
  }
  return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t uw_wall_s(void) { return (int64_t)time(NULL); }

void uw_time_text(int64_t s, char out[UW_TIME_BYTES]) {
  time_t t = (time_t)s;
  struct tm tm;
  if (s < 0 || gmtime_r(&t, &tm) == NULL ||
      strftime(out, UW_TIME_BYTES, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0) {
    (void)snprintf(out, UW_TIME_BYTES, "-");
  }
}

/* The two digits-only forms differ in how the rest may look; strptime leaves the rest to us. */
int64_t uw_time_parse_iso(const char *text) {
  struct tm tm;
  memset(&tm, 0, sizeof tm);
  const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
  if (rest == NULL) {
    return -1;
  }
  if (*rest == '.') {
    rest++;
    if (!isdigit((unsigned char)*rest)) {
      return -1;
    }
    while (isdigit((unsigned char)*rest)) {
      rest++;
    }
  }
  if (*rest != '\0' && strcmp(rest, "Z") != 0 && strcmp(rest, "+00:00") != 0) {
    return -1;
  }
  time_t t = timegm(&tm);
  return t < 0 ? -1 : (int64_t)t;
}

int64_t uw_time_parse_http(const char *text) {
  struct tm tm;
  memset(&tm, 0, sizeof tm);
  const char *rest = strptime(text, "%a, %d %b %Y %H:%M:%S", &tm);
  if (rest == NULL || strcmp(rest, " GMT") != 0) {
    return -1;
  }
  time_t t = timegm(&tm);
  return t < 0 ? -1 : (int64_t)t;
}

int uw_sleep_ms(int64_t ms) {
  if (ms <= 0) {
    return 0;
  }
  if (ms > 600000) {
    ms = 600000;
  }
  struct timespec ts = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
  return nanosleep(&ts, NULL) == 0 ? 0 : -1;
}

void uw_boot_id(char out[37]) {
  out[0] = '\0';
  FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");
  if (f == NULL) {
    return;
  }
  if (fread(out, 1, 36, f) == 36) {
    out[36] = '\0';
  } else {
    out[0] = '\0';
  }
  (void)fclose(f);
}
