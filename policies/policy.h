/*
 * Policies: what a site demands beyond SAFE, with a range, a default and an origin for every
 * parameter (params.def).
 *
 * Bytes in, struct out: no I/O, no clock. A zeroed struct pol_policy permits nothing (valid is
 * 0), and a failed load leaves a zeroed one. The struct has no pointers in it and can be copied;
 * it is about 150 KiB, so keep it static or on the heap.
 */
#ifndef POL_POLICY_H
#define POL_POLICY_H

#include <stddef.h>
#include <stdint.h>

#include "policies/params.def"
#include "policies/yaml.h"
#include "recovery/limits.h"
#include "recovery/policy.h"

#define POL_NAME_BYTES 256  /* the name of a policy's file in messages and origins, with NUL */
#define POL_LIST_MAX 64     /* entries of one list (hosts take a trailing * for more) */
#define POL_WINDOWS_MAX 32  /* freeze windows */
#define POL_WINDOW_BYTES 64 /* the text of one, with NUL */
#define POL_ORIGIN_BYTES (POL_NAME_BYTES + 24)
#define POL_WARNINGS_MAX 8
#define POL_WARNING_BYTES 448

#define POL_ATTEST_ALL                                                                             \
  (RCV_ATTEST_COMPUTE_STOPPED | RCV_ATTEST_COMPUTE_RESTARTED | RCV_ATTEST_QUEUE_EMPTY |            \
   RCV_ATTEST_HOST_GONE | RCV_ATTEST_HOST_FENCED)

enum pol_exclusivity { POL_EXCLUSIVITY_NONE = 0, POL_EXCLUSIVITY_CANDIDATES, POL_EXCLUSIVITY_ALL };

struct pol_texts {
  int64_t count;
  char text[POL_LIST_MAX][RCV_TEXT_BYTES];
};

/* One freeze window. from is inside, to is outside; a daily or weekly one may wrap. */
enum pol_window_kind { POL_WINDOW_NONE = 0, POL_WINDOW_DAILY, POL_WINDOW_WEEKLY, POL_WINDOW_DATES };
struct pol_window {
  enum pol_window_kind kind;
  int64_t from, to; /* minutes: of the day; of the week from Monday; since 1970-01-01 local */
  int64_t line;
  char text[POL_WINDOW_BYTES]; /* as it was written */
};
struct pol_freeze {
  int64_t count;
  struct pol_window window[POL_WINDOWS_MAX];
};

enum pol_type {
  POL_TYPE_NONE = 0,
  POL_TYPE_INT,
  POL_TYPE_BOOL,
  POL_TYPE_CHOICE,
  POL_TYPE_MASK,
  POL_TYPE_PATH,
  POL_TYPE_UUIDS,
  POL_TYPE_PROJECTS,
  POL_TYPE_HOSTS,
  POL_TYPE_FREEZE
};

enum pol_stricter {
  POL_STRICTER_NONE = 0,
  POL_STRICTER_NEUTRAL,
  POL_STRICTER_MORE,
  POL_STRICTER_LESS,
  POL_STRICTER_SUBSET,
  POL_STRICTER_SUPERSET,
  POL_STRICTER_COVER,
  POL_STRICTER_WITHIN,
  POL_STRICTER_SAME
};

/* POL_PARAM_OBSERVE_ROUNDS ...; NONE is no parameter. */
#define POL_PARAM_ID(type, id, field, name, unit, min, max, lab_min, def, stricter, doc)           \
  POL_PARAM_##id,
enum pol_param { POL_PARAM_NONE = 0, POL_PARAMS(POL_PARAM_ID) POL_PARAM_END };
#define POL_PARAM_COUNT ((int)POL_PARAM_END - 1)

#define POL_FIELD_INT(field) int64_t field;
#define POL_FIELD_BOOL(field) int64_t field;
#define POL_FIELD_CHOICE(field) int64_t field;
#define POL_FIELD_MASK(field) int64_t field;
#define POL_FIELD_PATH(field) char field[POL_YAML_TEXT_BYTES];
#define POL_FIELD_UUIDS(field) struct pol_texts field;
#define POL_FIELD_PROJECTS(field) struct pol_texts field;
#define POL_FIELD_HOSTS(field) struct pol_texts field;
#define POL_FIELD_FREEZE(field) struct pol_freeze field;
#define POL_FIELD(type, id, field, name, unit, min, max, lab_min, def, stricter, doc)              \
  POL_FIELD_##type(field)

struct pol_policy {
  int64_t valid;               /* 1 after pol_default() or a successful pol_load() */
  char name[POL_NAME_BYTES];   /* file, "default" when built in; cut at the front when too long */
  int64_t line[POL_PARAM_END]; /* by enum pol_param: where it was given, 0 = default */
  POL_PARAMS(POL_FIELD)
};

struct pol_param_info {
  enum pol_param param;
  enum pol_type type;
  enum pol_stricter stricter;
  const char *name; /* "observe.rounds" */
  const char *unit; /* "" when it has none */
  const char *doc;
  int64_t min, max, lab_min, def; /* INT, BOOL, CHOICE, MASK */
  size_t offset;                  /* of its member in struct pol_policy */
};
/* The table's entry; NULL for a number that is no parameter. */
const struct pol_param_info *pol_param_info(enum pol_param param);
const struct pol_param_info *pol_param_find(const char *name);

/* Every parameter at its default, valid. */
void pol_default(struct pol_policy *out);

/*
 * Reads a policy file of n bytes; name is used in messages and origins. Checks everything:
 * keys, types, ranges (those of production, or with lab_only: true those of the lab), windows,
 * that attest.required can be met. -1: error set, out zeroed.
 */
int pol_load(const char *bytes, size_t n, const char *name, struct pol_policy *out,
             struct pol_error *error) POL_MUST_USE;

/* What the decision consumes. A policy that is not valid gives a zeroed one. */
void pol_to_decision(const struct pol_policy *policy, struct rcv_policy *out);

/*
 * S7: 1 when candidate is, in every parameter, at least as strict as configured; else 0, with
 * the first laxer parameter (in the order of params.def) in *laxer. An invalid one is never
 * tighter (*laxer is NONE then). Conservative: what cannot be shown to be tighter is laxer.
 */
int pol_tightens(const struct pol_policy *candidate, const struct pol_policy *configured,
                 enum pol_param *laxer) POL_MUST_USE;

/* "compute-stopped" and so on; 0 and NULL for what is none. */
int64_t pol_attest_find(const char *name);
const char *pol_attest_name(int64_t bit);

/* 1 when pattern (a name, or a prefix and '*') matches name or is wider than the pattern name. */
int pol_host_matches(const char *pattern, const char *name);

/* 1 when the window holds at that local minute (weekday 1 = Monday .. 7), 0 when not. */
int pol_window_holds(const struct pol_window *window, int64_t days_since_1970, int64_t weekday,
                     int64_t minute_of_day);
/* Days from 1970-01-01 to a date of the Gregorian calendar; -1 when it is no date of 1970..9999. */
int64_t pol_days(int64_t year, int64_t month, int64_t day);
/* One freeze window from its text; 0, or -1 with the reason (no file and line) in error. */
int pol_window_parse(const char *text, struct pol_window *out,
                     struct pol_error *error) POL_MUST_USE;

/* One parameter in force, for `policy show` and for the canonical JSON that is digested. */
struct pol_item {
  const struct pol_param_info *info;
  int64_t number;                 /* INT, BOOL, CHOICE (enum pol_exclusivity), MASK */
  int64_t texts;                  /* CHOICE and PATH (0 or 1), MASK and lists: how many */
  const char *text[POL_LIST_MAX]; /* borrowed from the policy */
  char value[128];                /* "90", "true", "all", "[compute-stopped]"; cut with "..." */
  char range[64];                 /* "2..20", "" when it has none */
  char origin[POL_ORIGIN_BYTES];  /* "default" or "FILE:LINE" */
};
/* Fills *item; -1 for a number that is no parameter. */
int pol_item(const struct pol_policy *policy, enum pol_param param,
             struct pol_item *item) POL_MUST_USE;
/* Calls each(item, ctx) for every parameter in the order of params.def until it is non-zero,
 * which is then returned. */
int pol_each(const struct pol_policy *policy, int (*each)(const struct pol_item *item, void *ctx),
             void *ctx);

/* What is allowed but dangerous, one line each; returns how many. */
size_t pol_warnings(const struct pol_policy *policy, char out[POL_WARNINGS_MAX][POL_WARNING_BYTES]);

#endif
