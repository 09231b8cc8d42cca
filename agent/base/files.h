/* Files: bounded reading, atomic writing, private directories. */
#ifndef UW_FILES_H
#define UW_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "agent/base/buf.h"
#include "agent/base/err.h"

/*
 * Appends the whole file to out (NUL behind it). At most max bytes, else an error; a path of
 * "-" is not special. A NUL byte inside is left to the caller. Errors name path and reason
 * (status UW_EXIT_USAGE); out then holds what it held before.
 */
int uw_file_read(const char *path, size_t max, struct uw_buf *out, struct uw_err *err) UW_MUST_USE;

/*
 * Writes the bytes to a new file beside path, fsyncs it, renames it over path and fsyncs the
 * directory: path holds all the old or all the new bytes. On error nothing is left beside it.
 */
int uw_file_write_atomic(const char *path, const void *bytes, size_t n, mode_t mode,
                         struct uw_err *err) UW_MUST_USE;

/* Makes one directory and its missing parents (mode for those it makes). 0 when it is there. */
int uw_dir_make(const char *path, mode_t mode, struct uw_err *err) UW_MUST_USE;
int uw_dir_fsync(const char *path, struct uw_err *err) UW_MUST_USE;

/*
 * Joins with one slash. -1 (err set) when it does not fit n bytes.
 */
int uw_path_join(char *out, size_t n, const char *dir, const char *name,
                 struct uw_err *err) UW_MUST_USE;

/* Writes all bytes, through partial writes and EINTR. */
int uw_write_all(int fd, const void *bytes, size_t n) UW_MUST_USE;

#endif
