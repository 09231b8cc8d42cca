/*
 * The number of candidates and every index into them: what memory safety rests on.
 */
#include "recovery/inner.h"

/*@ assigns \nothing;
    ensures \result == 1 <==> -1 <= index < n;
    ensures \result == 0 || \result == 1; */
static int index_ok(int64_t index, int64_t n) { return index >= -1 && index < n; }

/*@ requires \valid_read(r);
    assigns \nothing;
    ensures \result == 1 <==> -1 <= r->record_host < n && -1 <= r->mig_source < n &&
      -1 <= r->mig_dest < n;
    ensures \result == 0 || \result == 1; */
static int reading_ok(const struct rcv_nova *r, int64_t n) {
  return index_ok(r->record_host, n) && index_ok(r->mig_source, n) && index_ok(r->mig_dest, n);
}

/* rcv_indexes_valid: contract in inner.h. */
int rcv_indexes_valid(const struct rcv_evidence *e) {
  if (e->candidates < 0 || e->candidates > RCV_MAX_CANDIDATES) {
    return 0;
  }
  if (!reading_ok(&e->nova_first, e->candidates) || !reading_ok(&e->nova_last, e->candidates)) {
    return 0;
  }
  /*@ loop invariant 0 <= i <= e->candidates;
      loop invariant \forall integer j; 0 <= j < i ==>
        -1 <= e->candidate[j].same_uuid_as < e->candidates &&
        -1 <= e->candidate[j].same_name_as < e->candidates;
      loop assigns i;
      loop variant e->candidates - i; */
  for (int64_t i = 0; i < e->candidates; i++) {
    if (!index_ok(e->candidate[i].same_uuid_as, e->candidates) ||
        !index_ok(e->candidate[i].same_name_as, e->candidates)) {
      return 0;
    }
  }
  return 1;
}
