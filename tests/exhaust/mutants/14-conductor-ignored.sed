# seeds: a record may be missing with no conductor up
# file: nova_gates.c
s/ \|\| e->conductor_always_up != RCV_TRI_YES\) \{/) {/
