# seeds: 5/0, off for an unknown reason, counts as off
# file: classify.c
# function: off_class
# refutes: off_means_off
s/if \(r == 1 \|\| r == 2/if (r == 0 || r == 1 || r == 2/
