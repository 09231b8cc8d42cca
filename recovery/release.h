/*
 * What a release of Nova does and does not do, as far as the words of this library depend on it.
 *
 * The one thing that a cloud tells about its release is the maximum microversion 2.x of its compute
 * API (`max_minor`, -1 not told). Nothing here takes part in a decision: vendors carry patches, so
 * a release is a hint for a person, never evidence.
 */
#ifndef RCV_RELEASE_H
#define RCV_RELEASE_H

#include <stdint.h>

#include "recovery/enums.h"

/*
 * Behaviours that came with some release and stayed. Sources: nova.md sections 2.3, 2.4, 3.1, 4.4,
 * and Nova's tags 20.0.0 to 33.0.0; release.c says for each where it begins.
 */
enum rcv_trait {
  RCV_TRAIT_NONE = 0,          /* nothing is known of it */
  RCV_TRAIT_START_ENDS_RECORD, /* nova-compute's start also aborts the job and ends the record */
  RCV_TRAIT_FORCED_HEAL,       /* nova-manage placement heal_allocations has --force */
  RCV_TRAIT_RESET_RECORDED,    /* os-resetState leaves an instance action */
  RCV_TRAIT_VOLUME_REFRESH,    /* nova-manage volume_attachment refresh is there */
  RCV_TRAIT_ATTACHMENT_IDS,    /* the API shows attachment ids of a server's volumes */
  RCV_TRAIT_COMPUTE_ID,        /* the instances table has compute_id */
  RCV_TRAIT_SERVICE_ROLE,      /* Neutron's bindings are changed by role service alone */
  RCV_TRAIT_FAILED_POST_MOVES, /* a failed last step gives vm_state error and the new host */
  RCV_TRAIT_PORTS_LEFT_ALONE,  /* nova-compute binds no port to its own host by itself */
  RCV_TRAIT_COUNT
};

/*
 * YES or NO where the maximum microversion settles it; UNKNOWN when it is not told (-1), between
 * two releases, or when releases that differ share it. Newer ones are taken to keep what is there.
 */
enum rcv_tri rcv_release_has(int64_t max_minor, enum rcv_trait trait);

/* 1 where a start of nova-compute may clear the state and leave the job running (Train). */
int rcv_start_is_no_cure(int64_t max_minor);
/* 1 where heal_allocations has --force for sure, or the release is not told. */
int rcv_heal_is_forced(int64_t max_minor);

/*
 * Name of the release with this maximum ("Zed", "2023.1 or 2023.2"); static, NULL for a maximum that
 * no known release has. *after: the newest release below it, NULL when there is none.
 */
const char *rcv_release_name(int64_t max_minor, const char **after);

#endif
