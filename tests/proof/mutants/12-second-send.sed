# seeds: the same permit lets a second reset out
# file: decide.c
# function: rcv_permit_spend
# refutes: spent_once
s/if \(permit->minted != 1 \|\| permit->spent != 0\) \{/if (permit->minted != 1) {/
