#include "agent/records/words.h"

#include <stddef.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* include/libvirt/libvirt-domain.h and tools/virsh-domain-monitor.c; index = number. */
static const char *const nostate[] = {"unknown"};
static const char *const running[] = {
    "unknown",       "booted",   "migrated",           "restored",
    "from snapshot", "unpaused", "migration canceled", "save canceled",
    "event wakeup",  "crashed",  "post-copy",          "post-copy failed"};
static const char *const blocked[] = {"unknown"};
static const char *const paused[] = {
    "unknown",   "user",        "migrating",     "saving",           "dumping",
    "I/O error", "watchdog",    "from snapshot", "shutting down",    "creating snapshot",
    "crashed",   "starting up", "post-copy",     "post-copy failed", "api error"};
static const char *const shutdown_words[] = {"unknown", "user"};
static const char *const shutoff[] = {"unknown", "shutdown", "destroyed",     "crashed", "migrated",
                                      "saved",   "failed",   "from snapshot", "daemon"};
static const char *const crashed[] = {"unknown", "panicked"};
static const char *const pmsuspended[] = {"unknown"};

static const struct {
  const char *word;
  const char *const *reasons;
  size_t count;
} states[] = {
    {"no state", nostate, COUNT(nostate)},
    {"running", running, COUNT(running)},
    {"blocked", blocked, COUNT(blocked)},
    {"paused", paused, COUNT(paused)},
    {"in shutdown", shutdown_words, COUNT(shutdown_words)},
    {"shut off", shutoff, COUNT(shutoff)},
    {"crashed", crashed, COUNT(crashed)},
    {"pmsuspended", pmsuspended, COUNT(pmsuspended)},
};

static const char unrecognised[] = "unrecognised";

const char *uw_libvirt_state(int64_t state) {
  if (state < 0) {
    return NULL;
  }
  return state < (int64_t)COUNT(states) ? states[state].word : unrecognised;
}

const char *uw_libvirt_reason(int64_t state, int64_t reason) {
  if (state < 0 || reason < 0) {
    return NULL;
  }
  if (state >= (int64_t)COUNT(states) || reason >= (int64_t)states[state].count) {
    return unrecognised;
  }
  return states[state].reasons[reason];
}
