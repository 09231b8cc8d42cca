/*
 * The part of a policy that the decision consumes. Loading, defaults, ranges and origins
 * are policies/'s; a zeroed rcv_policy permits nothing (valid is 0).
 */
#ifndef RCV_POLICY_H
#define RCV_POLICY_H

#include <stdint.h>

enum rcv_attestation { /* bits of the two masks below */
                       RCV_ATTEST_COMPUTE_STOPPED = 1,
                       RCV_ATTEST_COMPUTE_RESTARTED = 2,
                       RCV_ATTEST_QUEUE_EMPTY = 4,
                       RCV_ATTEST_HOST_GONE = 8,
                       RCV_ATTEST_HOST_FENCED = 16
};

struct rcv_policy {
  int64_t valid;                   /* 1 when loaded and checked; anything else permits nothing */
  int64_t observe_rounds;          /* >= 2 */
  int64_t observe_window_ms;       /* >= 1000 */
  int64_t monitor_check;           /* 0 or 1 */
  int64_t require_metadata;        /* 0 or 1: NO_METADATA is refused */
  int64_t age_terminal_s;          /* failed, cancelled, error; also settling of OWNER_MOVED */
  int64_t age_terminal_error_up_s; /* error while the source's service is up */
  int64_t age_nonterminal_s;       /* non-terminal, source service up: TOO_YOUNG until then */
  int64_t age_nonterminal_down_s;  /* non-terminal, source service down */
  int64_t age_missing_record_s;    /* newest action without a record */
  int64_t attest_accepted;         /* mask of enum rcv_attestation */
  int64_t attest_required;         /* mask: COMPUTE_STOPPED for `running` with a dead service */
  int64_t allow_reset;             /* 0: never acts (observe-only); no permit is ever minted */
};

#endif
