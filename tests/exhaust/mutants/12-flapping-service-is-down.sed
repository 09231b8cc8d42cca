# seeds: a service that flaps counts as down
# file: nova_gates.c
s/if \(c->service_agreed != RCV_TRI_YES\) \{/if (c->service_agreed == RCV_TRI_UNKNOWN) {/
