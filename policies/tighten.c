/* S7: is one policy at least as strict as another, parameter by parameter? */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "policies/fields.h"

#define DAY_MIN 1440
#define WEEK_MIN (7 * DAY_MIN)

int pol_host_matches(const char *pattern, const char *name) {
  size_t n = strlen(pattern);
  if (n > 0 && pattern[n - 1] == '*') {
    return strncmp(pattern, name, n - 1) == 0;
  }
  return strcmp(pattern, name) == 0;
}

/* Entries of the other lists have no star in them, so one comparison serves all. */
static bool all_covered(const struct pol_texts *inner, const struct pol_texts *outer) {
  for (int64_t i = 0; i < inner->count; i++) {
    bool found = false;
    for (int64_t j = 0; j < outer->count && !found; j++) {
      found = pol_host_matches(outer->text[j], inner->text[i]);
    }
    if (!found) {
      return false;
    }
  }
  return true;
}

static bool within(const struct pol_texts *candidate, const struct pol_texts *configured) {
  return configured->count == 0 || (candidate->count > 0 && all_covered(candidate, configured));
}

/* Marks the minutes of a week in which a daily or weekly window holds. */
static void mark_week(const struct pol_freeze *freeze, uint8_t week[WEEK_MIN]) {
  memset(week, 0, (size_t)WEEK_MIN);
  for (int64_t i = 0; i < freeze->count; i++) {
    const struct pol_window *w = &freeze->window[i];
    for (int m = 0; m < WEEK_MIN && w->kind != POL_WINDOW_DATES; m++) {
      if (pol_window_holds(w, 0, m / DAY_MIN + 1, m % DAY_MIN)) {
        week[m] = 1;
      }
    }
  }
}

static bool dates_covered(const struct pol_window *window, const struct pol_freeze *outer) {
  for (int64_t i = 0; i < outer->count; i++) {
    const struct pol_window *w = &outer->window[i];
    if (w->kind == POL_WINDOW_DATES && w->from <= window->from && w->to >= window->to) {
      return true;
    }
  }
  return false;
}

static bool freeze_covers(const struct pol_freeze *candidate, const struct pol_freeze *configured) {
  uint8_t has[WEEK_MIN];
  uint8_t must[WEEK_MIN];
  mark_week(candidate, has);
  mark_week(configured, must);
  for (int m = 0; m < WEEK_MIN; m++) {
    if (must[m] && !has[m]) {
      return false;
    }
  }
  for (int64_t i = 0; i < configured->count; i++) {
    if (configured->window[i].kind == POL_WINDOW_DATES &&
        !dates_covered(&configured->window[i], candidate)) {
      return false;
    }
  }
  return true;
}

static bool strict_enough(const struct pol_policy *candidate, const struct pol_policy *configured,
                          const struct pol_param_info *info) {
  const void *a = pol_member(candidate, info);
  const void *b = pol_member(configured, info);
  switch (info->stricter) {
  case POL_STRICTER_NONE: return false;
  case POL_STRICTER_NEUTRAL: return true;
  case POL_STRICTER_MORE: return pol_number(candidate, info) >= pol_number(configured, info);
  case POL_STRICTER_LESS: return pol_number(candidate, info) <= pol_number(configured, info);
  case POL_STRICTER_SUBSET:
    return (pol_number(candidate, info) & ~pol_number(configured, info)) == 0;
  case POL_STRICTER_SUPERSET:
    return (pol_number(configured, info) & ~pol_number(candidate, info)) == 0;
  case POL_STRICTER_COVER:
    return info->type == POL_TYPE_FREEZE ? freeze_covers(a, b) : all_covered(b, a);
  case POL_STRICTER_WITHIN: return within(a, b);
  case POL_STRICTER_SAME: return ((const char *)b)[0] == '\0' || strcmp(a, b) == 0;
  }
  return false;
}

int pol_tightens(const struct pol_policy *candidate, const struct pol_policy *configured,
                 enum pol_param *laxer) {
  *laxer = POL_PARAM_NONE;
  if (candidate->valid != 1 || configured->valid != 1) {
    return 0;
  }
  for (int i = 1; i < (int)POL_PARAM_END; i++) {
    const struct pol_param_info *info = pol_param_info((enum pol_param)i);
    if (info == NULL || !strict_enough(candidate, configured, info)) {
      *laxer = (enum pol_param)i;
      return 0;
    }
  }
  return 1;
}
