/* Shared by the files of agent/config only. */
#ifndef UW_CONFIG_INNER_H
#define UW_CONFIG_INNER_H

#include "agent/config/config.h"

/* Copies the line of a failed policies/ call; returns -1. */
int uw_config_fail(const struct pol_error *why, struct uw_err *err);

/*
 * Puts host and hypervisor_hostname into a template. -1 with the reason ("what; what to do",
 * no file and line) in error when a placeholder is unknown, a needed name is "" or not safe in a
 * URI, or the result does not fit.
 */
int uw_config_expand(const char *template, const char *host, const char *hypervisor_hostname,
                     char out[PROBE_URI_BYTES], struct pol_error *error);
/* Which placeholders a template has. */
struct uw_placeholders {
  bool hypervisor, host;
};
struct uw_placeholders uw_config_placeholders(const char *template);

/* 1 for a policy's name: letters, digits, '-', '_', '.', not beginning with a dot. */
bool uw_policy_name_ok(const char *name);

#endif
