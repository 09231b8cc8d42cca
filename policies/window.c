/* Freeze windows: their text, and whether one holds at a local minute. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "policies/policy.h"

#define DAY_MIN 1440
#define WEEK_MIN (7 * DAY_MIN)

static const char day_names[7][4] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};

/* One end of a window: a day, a date or neither, and a time or none. */
struct end {
  enum pol_window_kind kind; /* DAILY: neither day nor date */
  int64_t day;               /* of the week from 0, or days since 1970 */
  int64_t minute;            /* of the day, up to 1440; -1 when no time was given */
};

int64_t pol_days(int64_t year, int64_t month, int64_t day) {
  static const int64_t lengths[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (year < 1970 || year > 9999 || month < 1 || month > 12 || day < 1) {
    return -1;
  }
  bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  if (day > lengths[month - 1] + (month == 2 && leap ? 1 : 0)) {
    return -1;
  }
  int64_t past = year - 1; /* whole years before this one */
  int64_t days = past * 365 + past / 4 - past / 100 + past / 400 - 719162;
  for (int64_t m = 1; m < month; m++) {
    days += lengths[m - 1] + (m == 2 && leap ? 1 : 0);
  }
  return days + day - 1;
}

/* Exactly n digits at *at, which moves behind them; -1 when they are not there. */
static int64_t take_digits(const char **at, int n) {
  int64_t value = 0;
  for (int i = 0; i < n; i++) {
    char c = (*at)[i];
    if (c < '0' || c > '9') {
      return -1;
    }
    value = value * 10 + (c - '0');
  }
  *at += n;
  return value;
}

static bool take_char(const char **at, char c) {
  if (**at != c) {
    return false;
  }
  (*at)++;
  return true;
}

/* "HH:MM", 24:00 being the end of the day; -1 when there is none. */
static int64_t take_time(const char **at) {
  const char *p = *at;
  int64_t hour = take_digits(&p, 2);
  if (hour < 0 || !take_char(&p, ':')) {
    return -1;
  }
  int64_t minute = take_digits(&p, 2);
  if (minute < 0 || minute > 59 || hour * 60 + minute > DAY_MIN) {
    return -1;
  }
  *at = p;
  return hour * 60 + minute;
}

static int64_t take_date(const char **at) {
  const char *p = *at;
  int64_t year = take_digits(&p, 4);
  if (year < 0 || !take_char(&p, '-')) {
    return -1;
  }
  int64_t month = take_digits(&p, 2);
  if (month < 0 || !take_char(&p, '-')) {
    return -1;
  }
  int64_t days = pol_days(year, month, take_digits(&p, 2));
  if (days >= 0) {
    *at = p;
  }
  return days;
}

static bool take_end(const char **at, struct end *out) {
  out->kind = POL_WINDOW_DAILY;
  out->day = 0;
  for (int64_t i = 0; i < 7; i++) {
    if (strncmp(*at, day_names[i], 3) == 0) {
      out->kind = POL_WINDOW_WEEKLY;
      out->day = i;
      *at += 3;
      break;
    }
  }
  if (out->kind == POL_WINDOW_DAILY) {
    int64_t date = take_date(at);
    if (date >= 0) {
      out->kind = POL_WINDOW_DATES;
      out->day = date;
    }
  }
  if (out->kind == POL_WINDOW_DAILY) {
    out->minute = take_time(at);
    return out->minute >= 0;
  }
  out->minute = -1;
  if (**at == ' ' && (*at)[1] >= '0' && (*at)[1] <= '9') {
    (*at)++;
    out->minute = take_time(at);
    return out->minute >= 0;
  }
  return true;
}

static bool take_dash(const char **at) {
  const char *p = *at;
  while (*p == ' ') {
    p++;
  }
  if (!take_char(&p, '-')) {
    return false;
  }
  while (*p == ' ') {
    p++;
  }
  *at = p;
  return true;
}

int pol_window_parse(const char *text, struct pol_window *out, struct pol_error *error) {
  static const char how[] = "is not a freeze window; write it as \"22:00-06:00\", "
                            "\"Fri 18:00-Mon 06:00\", \"Sat-Sun\", \"2026-12-24\" or "
                            "\"2026-12-20 18:00-2027-01-02 06:00\"";
  struct end from;
  struct end to;
  const char *at = text;
  memset(out, 0, sizeof *out);
  if (strlen(text) >= sizeof out->text || !take_end(&at, &from)) {
    return pol_fail(error, "%s", how);
  }
  to = from;
  if (*at == '\0') {
    if (from.kind == POL_WINDOW_DAILY || from.minute >= 0) {
      return pol_fail(error, "has no end; write it as \"Fri 18:00-Mon 06:00\"");
    }
  } else if (!take_dash(&at) || !take_end(&at, &to) || *at != '\0') {
    return pol_fail(error, "%s", how);
  }
  if (from.kind != to.kind || (from.minute < 0) != (to.minute < 0)) {
    return pol_fail(error, "begins and ends in different forms; give both a day, both a date, "
                           "and both a time or none");
  }
  out->kind = from.kind;
  out->from = from.day * DAY_MIN + (from.minute < 0 ? 0 : from.minute);
  out->to = to.day * DAY_MIN + (to.minute < 0 ? DAY_MIN : to.minute);
  int64_t circle = from.kind == POL_WINDOW_DAILY ? DAY_MIN : WEEK_MIN;
  if (from.kind != POL_WINDOW_DATES) {
    out->from %= circle; /* a begin at 24:00 is 00:00 of the next day */
  }
  if (out->from == out->to) {
    return pol_fail(error, "begins and ends at the same moment; write when it ends");
  }
  if (from.kind == POL_WINDOW_DATES && out->to < out->from) {
    return pol_fail(error, "ends before it begins; exchange the dates");
  }
  memcpy(out->text, text, strlen(text) + 1);
  return 0;
}

int pol_window_holds(const struct pol_window *window, int64_t days_since_1970, int64_t weekday,
                     int64_t minute_of_day) {
  int64_t now = minute_of_day;
  switch (window->kind) {
  case POL_WINDOW_NONE:
    return 1; /* never made by the parser: a window that is not understood freezes */
  case POL_WINDOW_DAILY: break;
  case POL_WINDOW_WEEKLY: now += (weekday - 1) * DAY_MIN; break;
  case POL_WINDOW_DATES: now += days_since_1970 * DAY_MIN; break;
  }
  if (window->from < window->to) {
    return now >= window->from && now < window->to;
  }
  return now >= window->from || now < window->to;
}
