/*
 * The gates: what stops an act although the decision says RESET (contract codes 501 to 509).
 *
 * Pure functions of a policy and of facts that the agent collects (clock, files, journal, Nova)
 * and saves with the evidence, so that a run can be judged again offline. A fact that could not
 * be collected never passes a gate that needs it.
 */
#ifndef POL_GATES_H
#define POL_GATES_H

#include <stdint.h>

#include "policies/policy.h"
#include "recovery/limits.h"

/*
 * Every fact, flat: INT(unit, field, "sentence") and TEXT(field, bytes, "sentence"). One table
 * drives the struct, the codec and the documentation; the field's name is its JSON key. -1 is
 * "not known" everywhere.
 */
#define POL_GATE_FACTS(INT, TEXT)                                                                  \
  INT(s, now_s, "wall clock of this machine, seconds since the epoch")                             \
  INT(year, local_year, "the same moment in local time, 1970 and later")                           \
  INT(month, local_month, "1 to 12")                                                               \
  INT(day, local_day, "1 to 31")                                                                   \
  INT(weekday, local_weekday, "1 is Monday, 7 is Sunday")                                          \
  INT(hour, local_hour, "0 to 23")                                                                 \
  INT(minute, local_minute, "0 to 59")                                                             \
  INT(s, local_offset_s, "local time minus UTC; informative")                                      \
  INT(flag, kill_switch, "1: a kill switch is there, 0: none is, -1: could not be looked for")     \
  TEXT(kill_switch_path, POL_YAML_TEXT_BYTES, "the one that is there, or could not be looked for") \
  INT(count, wedged, "instances of the cloud that look wedged now, this one included")             \
  INT(s, storm_seen_s, "when more than storm.max_migrating_wedged were last seen, 0 never")        \
  INT(count, resets_hour, "resets sent in the last 3600 s")                                        \
  INT(count, resets_day, "resets sent in the last 86400 s")                                        \
  INT(count, resets_host_hour, "resets sent in the last 3600 s, same record host")                 \
  INT(s, last_reset_s, "when this instance was last reset, 0 never")                               \
  INT(flag, open_intent, "1: an intent of this instance has no outcome, 0: none has")              \
  TEXT(open_intent_run, RCV_ID_BYTES, "the run of that intent")                                    \
  INT(mask, attest_made, "enum rcv_attestation: the statements that were made")                    \
  INT(mask, attest_applicable,                                                                     \
      "those the situation calls for: compute-stopped for a record that "                          \
      "has not ended with the source's service down, queue-empty for an "                          \
      "accepted or missing record")                                                                \
  INT(count, approvals, "valid, unexpired, unused approvals of this plan by different keys")       \
  INT(count, approvals_self, "how many of these are by the key that made the proposal")            \
  TEXT(instance, RCV_ID_BYTES, "UUID")                                                             \
  TEXT(project, RCV_ID_BYTES, "project id of the server")                                          \
  TEXT(host, RCV_TEXT_BYTES, "record host")                                                        \
  TEXT(source, RCV_TEXT_BYTES, "source of the newest migration record, empty if none")             \
  TEXT(dest, RCV_TEXT_BYTES, "destination of the newest migration record, empty if none")

#define POL_GATE_INT(unit, field, doc) int64_t field;
#define POL_GATE_TEXT(field, bytes, doc) char field[bytes];
struct pol_gate_facts {
  POL_GATE_FACTS(POL_GATE_INT, POL_GATE_TEXT)
};

/* Every number not known, every text empty: no gate that needs a fact passes. */
void pol_gate_facts_init(struct pol_gate_facts *facts);

#define POL_GATE_LINE_BYTES 384

/* The gates in their order. The code of each is GATE's second argument (recovery/codes.def). */
#define POL_GATES(GATE)                                                                            \
  GATE(KILL_SWITCH, 501, KILL_SWITCH)                                                              \
  GATE(FREEZE, 502, FREEZE)                                                                        \
  GATE(STORM, 503, STORM_MAX)                                                                      \
  GATE(STORM_COOLDOWN, 503, STORM_COOLDOWN)                                                        \
  GATE(LIMIT_HOUR, 504, LIMIT_HOUR)                                                                \
  GATE(LIMIT_DAY, 504, LIMIT_DAY)                                                                  \
  GATE(LIMIT_HOST_HOUR, 504, LIMIT_HOST_HOUR)                                                      \
  GATE(COOLDOWN, 505, COOLDOWN)                                                                    \
  GATE(DENY_INSTANCES, 506, DENY_INSTANCES)                                                        \
  GATE(DENY_PROJECTS, 506, DENY_PROJECTS)                                                          \
  GATE(DENY_HOSTS, 506, DENY_HOSTS)                                                                \
  GATE(ONLY_INSTANCES, 506, ONLY_INSTANCES)                                                        \
  GATE(ONLY_PROJECTS, 506, ONLY_PROJECTS)                                                          \
  GATE(ONLY_HOSTS, 506, ONLY_HOSTS)                                                                \
  GATE(OPEN_INTENT, 507, NONE)                                                                     \
  GATE(ATTEST_ACCEPTED, 508, ATTEST_ACCEPTED)                                                      \
  GATE(ATTEST_REQUIRED, 508, ATTEST_REQUIRED)                                                      \
  GATE(NEVER_WRITES, 509, APPLY_ALLOW)

#define POL_GATE_ID(id, code, param) POL_GATE_##id,
enum pol_gate { POL_GATES(POL_GATE_ID) POL_GATE_COUNT };

struct pol_gate_result {
  int64_t code;                   /* 501 .. 509; 0 of an approval (pol_approved) */
  int64_t pass;                   /* 1 or 0 */
  enum pol_param param;           /* what decided; NONE for open intents */
  char text[POL_GATE_LINE_BYTES]; /* one line with the numbers, printable ASCII */
};

/*
 * Evaluates every gate, also after one that fails. result[i] is gate i of enum pol_gate. Returns
 * how many failed; the first that failed leads. A policy that is not valid fails all.
 */
int64_t pol_gates(const struct pol_policy *policy, const struct pol_gate_facts *facts,
                  struct pol_gate_result result[POL_GATE_COUNT]) POL_MUST_USE;

/* Only the kill switch: what is looked at again just before the reset is sent (S4). 1 or 0. */
int pol_gate_kill_switch(const struct pol_policy *policy, const struct pol_gate_facts *facts,
                         struct pol_gate_result *result) POL_MUST_USE;

/* Whether the approvals suffice (contract S7; exit 5 when not, so it has no 5xx code). 1 or 0. */
int pol_approved(const struct pol_policy *policy, const struct pol_gate_facts *facts,
                 struct pol_gate_result *result) POL_MUST_USE;

#endif
