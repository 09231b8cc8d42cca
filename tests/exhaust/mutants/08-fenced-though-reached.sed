# seeds: a host that answers may be attested as fenced
# file: nova_gates.c
s/if \(c->first\.reach == RCV_REACH_OK \|\| c->last\.reach == RCV_REACH_OK\) \{/if (c->also_probe == RCV_TRI_YES) {/
