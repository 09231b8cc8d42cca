# seeds: a beating heart of Nova is not waited for
# file: safe.c
s/ \|\| e->heartbeat != RCV_TRI_NO\) \{/) {/
