#include "agent/observe/attestation.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const struct {
  const char *name;
  enum rcv_attestation kind;
  bool host;
} facts[] = {
    {"compute-stopped", RCV_ATTEST_COMPUTE_STOPPED, true},
    {"compute-restarted", RCV_ATTEST_COMPUTE_RESTARTED, true},
    {"queue-empty", RCV_ATTEST_QUEUE_EMPTY, false},
    {"host-gone", RCV_ATTEST_HOST_GONE, true},
    {"host-fenced", RCV_ATTEST_HOST_FENCED, true},
};
#define FACTS (sizeof facts / sizeof facts[0])

int obs_attestation_parse(const char *text, struct obs_attestation *out, struct uw_err *err) {
  const char *equals = strchr(text, '=');
  size_t len = equals != NULL ? (size_t)(equals - text) : strlen(text);
  for (size_t i = 0; i < FACTS; i++) {
    if (strlen(facts[i].name) != len || strncmp(facts[i].name, text, len) != 0) {
      continue;
    }
    const char *host = equals != NULL ? equals + 1 : "";
    if (facts[i].host != (host[0] != '\0')) {
      return uw_err_set(err, UW_EXIT_USAGE, "--attest %s: %s", text,
                        facts[i].host ? "name the host, as in --attest compute-stopped=HOST"
                                      : "this fact is not about one host; give it without '='");
    }
    out->kind = facts[i].kind;
    int used = snprintf(out->host, sizeof out->host, "%s", host);
    if (used < 0 || (size_t)used >= sizeof out->host) {
      return uw_err_set(err, UW_EXIT_USAGE, "--attest %.40s...: host name too long", text);
    }
    return 0;
  }
  return uw_err_set(err, UW_EXIT_USAGE,
                    "--attest %s: no such fact; known are compute-stopped=HOST, "
                    "compute-restarted=HOST, queue-empty, host-gone=HOST, host-fenced=HOST",
                    text);
}

void obs_attestation_text(const struct obs_attestation *a, char out[OBS_ATTESTATION_TEXT_BYTES]) {
  out[0] = '\0';
  for (size_t i = 0; i < FACTS; i++) {
    if (facts[i].kind == a->kind) {
      (void)snprintf(out, OBS_ATTESTATION_TEXT_BYTES, "%s%s%s", facts[i].name,
                     facts[i].host ? "=" : "", a->host);
    }
  }
}
