/* The verbs: one function each. They print results on stdout, everything else on stderr, and
 * return the exit status of contract section 3. */
#ifndef UW_VERBS_H
#define UW_VERBS_H

#include "agent/cli/options.h"

struct cli_verb {
  const char *name;
  const char *operands; /* "INSTANCE", "FILE...", "" */
  size_t min, max;      /* how many operands */
  const char *help;     /* one line */
  int (*run)(const struct cli_options *options);
};

int verb_diagnose(const struct cli_options *options);
int verb_plan(const struct cli_options *options);
int verb_apply(const struct cli_options *options);
int verb_recover(const struct cli_options *options);
int verb_replay(const struct cli_options *options);
int verb_explain(const struct cli_options *options);
int verb_config(const struct cli_options *options);
int verb_policy(const struct cli_options *options);
int verb_journal(const struct cli_options *options);

#endif
