/* Clocks. Only the monotonic one is used for windows and deadlines. */
#ifndef UW_CLOCK_H
#define UW_CLOCK_H

#include <stdint.h>

#define UW_TIME_BYTES 21 /* "2026-11-23T05:48:51Z" and its NUL */

/* CLOCK_BOOTTIME in milliseconds: the same for all processes of one boot, counts suspend. */
int64_t uw_mono_ms(void);
/* CLOCK_REALTIME in seconds since the epoch. */
int64_t uw_wall_s(void);
/* UTC text of a time; "-" when it is negative or not representable. */
void uw_time_text(int64_t s, char out[UW_TIME_BYTES]);
/* Seconds of an ISO 8601 UTC text as Nova and Keystone write it ("...Z", "+00:00", fractions, or
 * naive, which means UTC); -1 when it is not one. */
int64_t uw_time_parse_iso(const char *text);
/* Seconds of an HTTP date (RFC 7231 IMF-fixdate); -1 when it is not one. */
int64_t uw_time_parse_http(const char *text);
/* Sleeps, at most 10 minutes a call; returns early (and -1) when a signal came. */
int uw_sleep_ms(int64_t ms);
/* /proc/sys/kernel/random/boot_id: monotonic times of two runs compare only when it is equal.
 * "" when it cannot be read. */
void uw_boot_id(char out[37]);

#endif
