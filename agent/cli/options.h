/* The command line: one verb, its operands, and options that mean the same for every verb. */
#ifndef UW_OPTIONS_H
#define UW_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"
#include "agent/observe/candidates.h"
#include "agent/observe/observe.h"

#define CLI_MAX_OPERANDS 1024 /* files of one replay */
#define CLI_WAIT_DEFAULT_S 900

struct cli_options {
  const char *verb;                      /* "diagnose"; NULL when none was given */
  const char *operand[CLI_MAX_OPERANDS]; /* borrowed from argv */
  size_t operands;
  const char *config, *policy, *os_cloud, *out, *reason; /* NULL when not given */
  const char *as;                                        /* journal resolve --as */
  const char *instance, *run;                            /* journal show filters */
  bool json, debug, no_color, quiet, help, version;
  int64_t wait_s; /* -1 without --wait */
  struct obs_also also;
  struct obs_attestation attestation[OBS_MAX_ATTESTATIONS];
  size_t attestations;
};

/*
 * Parses argv (GNU style: options anywhere, "--" ends them). An empty value or operand is an error
 * (an unset variable of a script), and so is an option that would be dropped silently because the
 * verb does nothing with it. Errors name the word and what is accepted; status UW_EXIT_USAGE.
 */
int cli_parse(int argc, char **argv, struct cli_options *out, struct uw_err *err) UW_MUST_USE;

#endif
