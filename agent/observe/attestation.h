/* What a person may state with --attest (contract section 2): the five facts and their words. */
#ifndef UW_ATTESTATION_H
#define UW_ATTESTATION_H

#include <stddef.h>

#include "agent/base/err.h"
#include "recovery/limits.h"
#include "recovery/policy.h"

struct obs_attestation {
  enum rcv_attestation kind;
  char host[RCV_TEXT_BYTES]; /* Nova's name; "" for queue-empty */
};
#define OBS_MAX_ATTESTATIONS 16
#define OBS_ATTESTATION_TEXT_BYTES (RCV_TEXT_BYTES + 32)

/* "compute-stopped=cmp-a" or "queue-empty". Errors (status UW_EXIT_USAGE) name what is known. */
int obs_attestation_parse(const char *text, struct obs_attestation *out,
                          struct uw_err *err) UW_MUST_USE;
/* The same words back; always fits OBS_ATTESTATION_TEXT_BYTES. */
void obs_attestation_text(const struct obs_attestation *a, char out[OBS_ATTESTATION_TEXT_BYTES]);

#endif
