# seeds: the record host itself may be attested as fenced
# file: nova_gates.c
# function: rcv_excused
# refutes: excused_means_excused
s/if \(i == e->nova_last\.record_host\) \{/if (i < 0) {/
