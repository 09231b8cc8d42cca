# seeds: queued and preparing need no word that nova-compute is gone
# file: nova_gates.c
# function: unfinished_gate
# refutes: unfinished_means_unfinished
s/if \(status != RCV_MIG_RUNNING \&\& status != RCV_MIG_POSTCOPY\) \{/if (status == RCV_MIG_ACCEPTED) {/
