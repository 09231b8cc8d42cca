/* libvirt's words for the numbers of virDomainGetState, as virsh prints them. */
#ifndef UW_WORDS_H
#define UW_WORDS_H

#include <stdint.h>

/* "running", "shut off" ...; NULL when state is negative (not known), "unrecognised" when
 * libvirt's list, version 11.3, has no such number. Static. */
const char *uw_libvirt_state(int64_t state);
/* "migrated", "post-copy" ...; the same rules. */
const char *uw_libvirt_reason(int64_t state, int64_t reason);

#endif
