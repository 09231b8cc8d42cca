# seeds: a running second copy counts as none
# file: safe.c
# function: has_no_copy
# refutes: other_means_other
s/return c == RCV_CLASS_ABSENT \|\|/return c == RCV_CLASS_RUN || c == RCV_CLASS_ABSENT ||/
