/*
 * Locks between processes of this host: one file each, flock. The file stays when the lock is
 * dropped (removing it would let two processes lock two files of one name).
 */
#ifndef UW_LOCK_H
#define UW_LOCK_H

#include "agent/base/err.h"

#define UW_LOCK_NAME_BYTES 64 /* name of a lock file, with its NUL */

struct uw_lock {
  int fd; /* -1 while nothing is held */
};

/*
 * Takes dir/name without waiting. dir is made (0700) when missing. verb says what for, in one
 * word ("apply"). Held by another process: -1, status UW_EXIT_USAGE, and err names its pid, its
 * verb and since when. A symlink, a foreign owner or a group- or world-writable file or dir is
 * refused likewise. On error lock->fd is -1.
 */
int uw_lock_take(const char *dir, const char *name, const char *verb, struct uw_lock *lock,
                 struct uw_err *err) UW_MUST_USE;

/* The lock of one instance: state_dir/lock/<uuid, lower case>. instance must be a UUID. */
int uw_lock_instance(const char *state_dir, const char *instance, const char *verb,
                     struct uw_lock *lock, struct uw_err *err) UW_MUST_USE;

/* Drops it; nothing happens when nothing is held. The end of the process drops it too. */
void uw_lock_drop(struct uw_lock *lock);

#endif
