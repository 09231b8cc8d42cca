# seeds: a domain of somebody else counts as no copy
# file: safe.c
s/if \(rcv_foreign\(k\) \|\| rcv_nameless\(k, p\)\)/if (rcv_nameless(k, p))/
