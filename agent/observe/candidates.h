/*
 * From a reading of Nova to the decision's facts: which hosts are candidates, and what Nova says
 * in the narrow terms of recovery/. Pure: no I/O.
 */
#ifndef UW_CANDIDATES_H
#define UW_CANDIDATES_H

#include "agent/openstack/nova.h"
#include "recovery/evidence.h"

#define OBS_MAX_ALSO 64 /* --also-probe hosts */

struct obs_also {
  bool everywhere; /* every host of every hypervisor Nova lists (scope.exclusivity: all) */
  size_t count;
  char host[OBS_MAX_ALSO][RCV_TEXT_BYTES];
};

/*
 * Fills the candidate list of e (count, of_newest_record, also_probe, hypervisor_listed) and the
 * host names, in a fixed order: the record host, the newest record's ends, other records from
 * new to old, event hosts, --also-probe (contract section 1, "candidate"). More than the bounds
 * sets e->too_many and keeps what fits. e and names must be freshly initialised.
 */
void obs_candidates(const struct nova_reading *reading, const struct obs_also *also,
                    struct rcv_evidence *e, struct rcv_names *names);

/* Index of a host among the candidates, -1 when it is none or "". */
int64_t obs_candidate_index(const struct rcv_evidence *e, const struct rcv_names *names,
                            const char *host);

/*
 * The reading in the decision's terms, and nova-compute of every candidate. Returns 0, or -1
 * when the reading names a host that is no candidate: the list is then out of date and the
 * observation has to begin again.
 */
int obs_convert(const struct nova_reading *reading, const struct obs_also *also,
                const struct rcv_evidence *e, const struct rcv_names *names, struct rcv_nova *out,
                enum rcv_svc services[RCV_MAX_CANDIDATES]);

/* The instance's texts of a reading. */
void obs_instance_texts(const struct nova_reading *reading, struct rcv_names *names);

/* YES when every action newer than the newest one of `before` is lock or unlock, and there is
 * at least one; NO otherwise. */
enum rcv_tri obs_only_lock_changed(const struct nova_reading *before,
                                   const struct nova_reading *now);

/* The newest live-migration record, NULL when there is none. Borrowed from reading. */
const struct nova_migration *obs_newest_live(const struct nova_reading *reading);

#endif
