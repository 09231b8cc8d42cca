# seeds: a host that did not answer counts as one without the guest
# file: safe.c
# function: has_no_copy
# refutes: other_means_other
s/return c == RCV_CLASS_ABSENT \|\|/return c == RCV_CLASS_UNKNOWN || c == RCV_CLASS_ABSENT ||/
