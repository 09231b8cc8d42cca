/*
 * Deadlines inside the probe. Any libvirt call may block for ever, and none can be cancelled, so
 * the last word is an alarm: it writes {"hung":"<step>"} and ends the process.
 */
#ifndef UW_PROBE_WATCH_H
#define UW_PROBE_WATCH_H

#include <stdint.h>

/* Starts the deadline of the whole process, in milliseconds from now. */
void watch_start(int64_t deadline_ms);
/* Milliseconds left of it, at least 0. */
int64_t watch_left_ms(void);

/*
 * Names the step that begins and gives it limit_ms (0: whatever is left), never more than what is
 * left of the whole. line is what the alarm writes: a complete reply line with its newline, at
 * most WATCH_LINE_BYTES; copied.
 */
#define WATCH_LINE_BYTES 256
void watch_step(const char *line, int64_t limit_ms);

/* From here on the alarm, after limit_ms, ends the process silently with status 0. */
void watch_farewell(int64_t limit_ms);

/* Keeps the alarm away while a line is written, so that it never cuts one in two. */
void watch_hold(void);
void watch_release(void);

#endif
