# seeds: a disk may still have a mirror
# file: safe.c
s/ \|\| k->mirror != RCV_TRI_NO\) \{/) {/
