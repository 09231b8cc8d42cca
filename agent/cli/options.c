#include "agent/cli/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  OPT_OS_CLOUD = 256,
  OPT_REASON,
  OPT_ATTEST,
  OPT_ALSO,
  OPT_WAIT,
  OPT_DEBUG,
  OPT_NO_COLOR,
  OPT_QUIET,
  OPT_CONFIG,
  OPT_POLICY,
  OPT_AS,
  OPT_INSTANCE,
  OPT_RUN,
  OPT_VERSION
};

static const struct option long_options[] = {
    {"config", required_argument, NULL, OPT_CONFIG},
    {"policy", required_argument, NULL, OPT_POLICY},
    {"os-cloud", required_argument, NULL, OPT_OS_CLOUD},
    {"format", required_argument, NULL, 'f'},
    {"out", required_argument, NULL, 'o'},
    {"reason", required_argument, NULL, OPT_REASON},
    {"attest", required_argument, NULL, OPT_ATTEST},
    {"also-probe", required_argument, NULL, OPT_ALSO},
    {"wait", optional_argument, NULL, OPT_WAIT},
    {"debug", no_argument, NULL, OPT_DEBUG},
    {"no-color", no_argument, NULL, OPT_NO_COLOR},
    {"quiet", no_argument, NULL, OPT_QUIET},
    {"as", required_argument, NULL, OPT_AS},
    {"instance", required_argument, NULL, OPT_INSTANCE},
    {"run", required_argument, NULL, OPT_RUN},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, OPT_VERSION},
    {NULL, 0, NULL, 0},
};

static int parse_wait(const char *text, int64_t *out, struct uw_err *err) {
  char *end = NULL;
  errno = 0;
  long long n = strtoll(text, &end, 10);
  if (errno != 0 || end == text || *end != '\0' || n < 1 || n > 86400) {
    return uw_err_set(err, UW_EXIT_USAGE, "--wait=%s: give seconds from 1 to 86400", text);
  }
  *out = n;
  return 0;
}

static int add_also(const char *host, struct cli_options *out, struct uw_err *err) {
  if (out->also.count >= OBS_MAX_ALSO) {
    return uw_err_set(err, UW_EXIT_USAGE, "more than %d hosts of --also-probe", OBS_MAX_ALSO);
  }
  if (strlen(host) >= RCV_TEXT_BYTES) {
    return uw_err_set(err, UW_EXIT_USAGE, "--also-probe %.40s...: host name too long", host);
  }
  (void)snprintf(out->also.host[out->also.count], RCV_TEXT_BYTES, "%s", host);
  out->also.count++;
  return 0;
}

static int take_format(const char *text, struct cli_options *out, struct uw_err *err) {
  if (strcmp(text, "json") != 0 && strcmp(text, "text") != 0) {
    return uw_err_set(err, UW_EXIT_USAGE, "--format %s: text or json", text);
  }
  out->json = strcmp(text, "json") == 0;
  return 0;
}

static int take_attestation(const char *text, struct cli_options *out, struct uw_err *err) {
  if (out->attestations >= OBS_MAX_ATTESTATIONS) {
    return uw_err_set(err, UW_EXIT_USAGE, "more than %d statements of --attest",
                      OBS_MAX_ATTESTATIONS);
  }
  if (obs_attestation_parse(text, &out->attestation[out->attestations], err) != 0) {
    return -1;
  }
  out->attestations++;
  return 0;
}

static int take(int option, const char *value, struct cli_options *out, struct uw_err *err) {
  switch (option) {
  case OPT_CONFIG: out->config = value; return 0;
  case OPT_POLICY: out->policy = value; return 0;
  case OPT_OS_CLOUD: out->os_cloud = value; return 0;
  case 'f': return take_format(value, out, err);
  case 'o': out->out = value; return 0;
  case OPT_REASON: out->reason = value; return 0;
  case OPT_ATTEST: return take_attestation(value, out, err);
  case OPT_ALSO: return add_also(value, out, err);
  case OPT_WAIT:
    out->wait_s = CLI_WAIT_DEFAULT_S;
    return value == NULL ? 0 : parse_wait(value, &out->wait_s, err);
  case OPT_DEBUG: out->debug = true; return 0;
  case OPT_NO_COLOR: out->no_color = true; return 0;
  case OPT_QUIET: out->quiet = true; return 0;
  case OPT_AS: out->as = value; return 0;
  case OPT_INSTANCE: out->instance = value; return 0;
  case OPT_RUN: out->run = value; return 0;
  case 'h': out->help = true; return 0;
  case OPT_VERSION: out->version = true; return 0;
  default: break;
  }
  return uw_err_set(err, UW_EXIT_USAGE, "unknown option; `unwedge --help` lists them");
}

static int bad_option(int argc, char **argv, int kind, struct uw_err *err) {
  char letter[] = {'-', (char)optopt, '\0'};
  const char *word = optind > 0 && optind <= argc ? argv[optind - 1] : "?";
  /* Inside a cluster such as -zq getopt has not gone on to the next word yet. */
  if (optopt > 0 && optopt < OPT_OS_CLOUD && strncmp(word, "--", 2) != 0) {
    word = letter;
  }
  if (kind == ':') {
    return uw_err_set(err, UW_EXIT_USAGE, "%s needs a value", word);
  }
  /* getopt tells a long option that takes no value by naming it. */
  if (strncmp(word, "--", 2) == 0 && optopt != 0) {
    return uw_err_set(err, UW_EXIT_USAGE, "%s: this option takes no value", word);
  }
  return uw_err_set(err, UW_EXIT_USAGE,
                    "%s is not an option of unwedge; `unwedge --help` lists them", word);
}

static int only_for(const struct cli_options *o, bool given, const char *option,
                    const char *const *verbs, struct uw_err *err) {
  char known[64] = "";
  size_t used = 0;
  for (size_t i = 0; given && verbs[i] != NULL; i++) {
    if (strcmp(o->verb, verbs[i]) == 0) {
      return 0;
    }
    int n = snprintf(known + used, sizeof known - used, "%s%s", i > 0 ? ", " : "", verbs[i]);
    used += n > 0 ? (size_t)n : 0;
  }
  return given ? uw_err_set(err, UW_EXIT_USAGE, "%s does nothing with %s; it is for %s", o->verb,
                            option, known)
               : 0;
}

/* An option that is dropped silently is a trap: nobody misses a plan file before it is needed. */
static int check_use(const struct cli_options *o, struct uw_err *err) {
  static const char *const makes[] = {"plan", "recover", NULL};
  static const char *const looks[] = {"diagnose", "plan", "recover", "apply", NULL};
  static const char *const waits[] = {"diagnose", NULL};
  static const char *const journal[] = {"journal", NULL};
  if (o->verb == NULL || o->help || o->version) {
    return 0;
  }
  return only_for(o, o->out != NULL, "--out", makes, err) == 0 &&
                 only_for(o, o->wait_s >= 0, "--wait", waits, err) == 0 &&
                 only_for(o, o->attestations > 0, "--attest", looks, err) == 0 &&
                 only_for(o, o->also.count > 0, "--also-probe", looks, err) == 0 &&
                 only_for(o, o->as != NULL, "--as", journal, err) == 0 &&
                 only_for(o, o->instance != NULL, "--instance", journal, err) == 0 &&
                 only_for(o, o->run != NULL, "--run", journal, err) == 0
             ? 0
             : -1;
}

static const char *name_of(int option) {
  size_t i = 0;
  while (long_options[i].name != NULL && long_options[i].val != option) {
    i++;
  }
  return long_options[i].name != NULL ? long_options[i].name : "?";
}

int cli_parse(int argc, char **argv, struct cli_options *out, struct uw_err *err) {
  memset(out, 0, sizeof *out);
  out->wait_s = -1;
  opterr = 0;
  optind = 1;
  int option;
  while ((option = getopt_long(argc, argv, ":f:o:h", long_options, NULL)) != -1) {
    if (option == '?' || option == ':') {
      return bad_option(argc, argv, option, err);
    }
    if (option != OPT_WAIT && optarg != NULL && optarg[0] == '\0') {
      return uw_err_set(err, UW_EXIT_USAGE, "--%s has an empty value", name_of(option));
    }
    if (take(option, optarg, out, err) != 0) {
      return -1;
    }
  }
  for (int i = optind; i < argc; i++) {
    if (argv[i][0] == '\0') {
      return uw_err_set(err, UW_EXIT_USAGE,
                        "an empty word on the command line; give a name, or "
                        "leave it out");
    }
    if (out->verb == NULL) {
      out->verb = argv[i];
    } else if (out->operands < CLI_MAX_OPERANDS) {
      out->operand[out->operands++] = argv[i];
    } else {
      return uw_err_set(err, UW_EXIT_USAGE, "more than %d operands", CLI_MAX_OPERANDS);
    }
  }
  return check_use(out, err);
}
