# seeds: completed, with the guest on its source, passes
# file: nova_gates.c
# function: status_gate
# refutes: status_means_status
/case RCV_MIG_COMPLETED:/,/}/ s/n->record_host == n->mig_source/n->mig_source < 0/
