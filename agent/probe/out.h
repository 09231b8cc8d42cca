/* Reply lines of the probe: one JSON object a line, each written at once. */
#ifndef UW_PROBE_OUT_H
#define UW_PROBE_OUT_H

#include <jansson.h>
#include <stdint.h>

#define OUT_SCHEMA "unwedge.probe-reply/1"

/* Writes {"key": value} and takes the reference of value. A value that is NULL (no memory, text
 * that is not UTF-8) or a parent that no longer reads ends the process with status 4. */
void out_line(const char *key, json_t *value);

/* {"begin":step} (with {"instance":...} when instance is not NULL), and the alarm for it. */
void out_begin(const char *step, const char *instance, int64_t limit_ms);

/* Text from libvirt as a JSON string: at most 1000 bytes, what is not UTF-8 becomes '?'. NULL
 * becomes JSON null. */
json_t *out_text(const char *text);

/* {"error":{step, instance?, code, domain, int1, text}} from libvirt's last error, preceded by what
 * the library has logged since (see out_capture_log). */
void out_libvirt_error(const char *step, const char *instance);

/* {"error":{...}} with code 0: the probe itself refuses. */
void out_error(const char *step, const char *instance, const char *text);

/*
 * Makes libvirt's log go to memory. libvirt prints the true reason of a failed TLS check nowhere
 * else. Must be called before virInitialize.
 */
void out_capture_log(void);

#endif
