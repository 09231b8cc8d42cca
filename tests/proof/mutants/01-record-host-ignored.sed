# seeds: any host may be the owner, not only Nova's record host
# file: safe.c
# function: candidate_safe
# refutes: candidate_means_candidate
s/if \(i == e->nova_last\.record_host\) \{/if (rcv_classify(\&e->candidate[i].last) == RCV_CLASS_RUN) {/
