/* unwedge: argv to the table of verbs, nothing else. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "agent/cli/options.h"
#include "agent/cli/verbs.h"

static const struct cli_verb verbs[] = {
    {"diagnose", "INSTANCE", 1, 1, "look at the hosts and say what is true now; never writes",
     verb_diagnose},
    {"plan", "INSTANCE", 1, 1, "the dry run: full observation, and a plan file with -o FILE",
     verb_plan},
    {"apply", "FILE", 1, 1, "apply a plan: look again, journal, reset, verify", verb_apply},
    {"recover", "INSTANCE", 1, 1, "plan, show it, ask on the terminal, apply", verb_recover},
    {"replay", "FILE...", 1, CLI_MAX_OPERANDS, "decide again on recorded evidence, offline",
     verb_replay},
    {"explain", "CODE|break-glass", 1, 1, "what a code means, what to do, what never to do",
     verb_explain},
    {"config", "show", 1, 1, "the configuration in force, with origins", verb_config},
    {"policy", "check FILE | show", 1, 2, "check a policy file; show the policy in force",
     verb_policy},
    {"journal", "init | show | verify | resolve INSTANCE", 1, 2, "the audit journal", verb_journal},
};
#define VERBS (sizeof verbs / sizeof verbs[0])

static void usage(FILE *out) {
  (void)fprintf(out, "usage: unwedge VERB [INSTANCE or FILE] [options]\n\n");
  for (size_t i = 0; i < VERBS; i++) {
    (void)fprintf(out, "  %-9s %-40s %s\n", verbs[i].name, verbs[i].operands, verbs[i].help);
  }
  (void)fprintf(
      out, "\n"
           "  --config FILE      configuration (default /etc/unwedge/unwedge.yaml)\n"
           "  --policy NAME|FILE another policy; for verbs that act it may only be stricter\n"
           "  --os-cloud NAME    entry of clouds.yaml; OS_* variables work as with openstack\n"
           "  -f, --format FMT   text or json\n"
           "  -o, --out FILE     the file that is made (plan)\n"
           "  --reason TEXT      ticket; goes into the journal\n"
           "  --attest FACT      compute-stopped=HOST, compute-restarted=HOST, queue-empty,\n"
           "                     host-gone=HOST, host-fenced=HOST; where the policy accepts it\n"
           "  --also-probe HOST  look for the guest on this host too\n"
           "  --wait[=SECONDS]   look again until the verdict is no WAIT (900 s)\n"
           "  --instance UUID, --run UUID   filters of journal show\n"
           "  --as applied|not-applied      what a person found, for journal resolve\n"
           "  --debug --quiet --no-color --version --help\n"
           "\n"
           "exit status: 0 done or nothing wrong, 1 usage or credential, 2 a reset would be safe,\n"
           "  3 refused, 4 could not be observed, 5 approval, 6 stale plan, 7 acted but not\n"
           "  verified, 8 journal unusable, 9 wait\n");
}

/*
 * A stream that was closed (2>&-) gives its number to the next file or socket, and a warning would
 * go into the connection to Nova. Standard output is filled so that writing fails: a lost result is
 * to be told.
 */
static int fill_streams(void) {
  static const int mode[] = {O_RDONLY, O_RDONLY, O_WRONLY};
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
    if (fcntl(fd, F_GETFD) == -1 && open("/dev/null", mode[fd]) != fd) {
      return -1;
    }
  }
  return 0;
}

static int finish(int status) {
  if (fflush(stdout) != 0 || ferror(stdout)) {
    (void)fprintf(stderr, "unwedge: cannot write the result to standard output\n");
    return status == UW_EXIT_OK ? UW_EXIT_USAGE : status;
  }
  return status;
}

static int bad_operands(const struct cli_verb *verb, const struct cli_options *options) {
  if (options->operands < verb->min) {
    (void)fprintf(stderr, "unwedge: %s: a word is missing", verb->name);
  } else {
    (void)fprintf(stderr, "unwedge: %s: '%s' is one word too many", verb->name,
                  options->operand[verb->max]);
  }
  (void)fprintf(stderr, "; usage: unwedge %s %s [options]\n", verb->name, verb->operands);
  return UW_EXIT_USAGE;
}

static const struct cli_verb *find_verb(const char *name) {
  for (size_t i = 0; i < VERBS; i++) {
    if (strcmp(verbs[i].name, name) == 0) {
      return &verbs[i];
    }
  }
  return NULL;
}

int main(int argc, char **argv) {
  static struct cli_options options;
  struct uw_err err;
  /* A core would hold the token and the password. */
  const struct rlimit no_core = {0, 0};
  (void)setrlimit(RLIMIT_CORE, &no_core);
  (void)signal(SIGPIPE, SIG_IGN);
  uw_err_clear(&err);
  if (fill_streams() != 0) {
    return UW_EXIT_USAGE;
  }
  if (cli_parse(argc, argv, &options, &err) != 0) {
    (void)fprintf(stderr, "unwedge: %s\n", err.text);
    return UW_EXIT_USAGE;
  }
  if (options.version) {
    (void)printf("unwedge %s\n", UW_VERSION);
    return finish(UW_EXIT_OK);
  }
  if (options.help) {
    usage(stdout);
    return finish(UW_EXIT_OK);
  }
  if (options.verb == NULL) {
    usage(stderr);
    return UW_EXIT_USAGE;
  }
  const struct cli_verb *verb = find_verb(options.verb);
  if (verb == NULL) {
    (void)fprintf(stderr, "unwedge: no such verb: %s; `unwedge --help` lists them\n", options.verb);
    return UW_EXIT_USAGE;
  }
  if (options.operands < verb->min || options.operands > verb->max) {
    return bad_operands(verb, &options);
  }
  return finish(verb->run(&options));
}
