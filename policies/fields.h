/* The members of a policy by parameter; only for the files of this folder. */
#ifndef POL_FIELDS_H
#define POL_FIELDS_H

#include "policies/policy.h"

static inline const void *pol_member(const struct pol_policy *p, const struct pol_param_info *i) {
  return (const unsigned char *)p + i->offset;
}

static inline void *pol_member_set(struct pol_policy *p, const struct pol_param_info *i) {
  return (unsigned char *)p + i->offset;
}

/* INT, BOOL, CHOICE, MASK */
static inline int64_t pol_number(const struct pol_policy *p, const struct pol_param_info *i) {
  return *(const int64_t *)pol_member(p, i);
}

#endif
