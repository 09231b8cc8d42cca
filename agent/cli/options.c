#include "agent/cli/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPT_OS_CLOUD = 256, OPT_REASON, OPT_ATTEST, OPT_ALSO, OPT_WAIT, OPT_DEBUG, OPT_NO_COLOR,
       OPT_QUIET, OPT_CONFIG, OPT_POLICY, OPT_AS, OPT_INSTANCE, OPT_RUN, OPT_APPROVAL,
       OPT_VERSION };

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
    {"approval", required_argument, NULL, OPT_APPROVAL},
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
  if (out->also.count >= OBS_MAX_ALSO || host[0] == '\0' || strlen(host) >= RCV_TEXT_BYTES) {
    return uw_err_set(err, UW_EXIT_USAGE, "--also-probe %s: not a host name, or more than %d",
                      host, OBS_MAX_ALSO);
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
    return uw_err_set(err, UW_EXIT_USAGE, "more than %d attestations", OBS_MAX_ATTESTATIONS);
  }
  if (obs_attestation_parse(text, &out->attestation[out->attestations], err) != 0) {
    return -1;
  }
  out->attestations++;
  return 0;
}

static int take_approval(const char *file, struct cli_options *out, struct uw_err *err) {
  if (out->approvals >= CLI_MAX_APPROVALS) {
    return uw_err_set(err, UW_EXIT_USAGE, "more than %d approvals", CLI_MAX_APPROVALS);
  }
  out->approval[out->approvals++] = file;
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
  case OPT_APPROVAL: return take_approval(value, out, err);
  case 'h': out->help = true; return 0;
  case OPT_VERSION: out->version = true; return 0;
  default: break;
  }
  return uw_err_set(err, UW_EXIT_USAGE, "unknown option; `unwedge --help` lists them");
}

static int bad_option(int argc, char **argv, int kind, struct uw_err *err) {
  const char *word = optind > 0 && optind <= argc ? argv[optind - 1] : "?";
  return uw_err_set(err, UW_EXIT_USAGE, kind == ':' ? "%s needs a value"
                                                    : "%s is not an option of unwedge; "
                                                      "`unwedge --help` lists them",
                    word);
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
    if (take(option, optarg, out, err) != 0) {
      return -1;
    }
  }
  for (int i = optind; i < argc; i++) {
    if (out->verb == NULL) {
      out->verb = argv[i];
    } else if (out->operands < CLI_MAX_OPERANDS) {
      out->operand[out->operands++] = argv[i];
    } else {
      return uw_err_set(err, UW_EXIT_USAGE, "more than %d operands", CLI_MAX_OPERANDS);
    }
  }
  return 0;
}
