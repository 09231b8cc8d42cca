# seeds: source and destination of the record are swapped
# file: nova_gates.c
# function: source_dead
# refutes: source_dead_means_dead
s/int64_t s = e->nova_last\.mig_source;/int64_t s = e->nova_last.mig_dest;/
