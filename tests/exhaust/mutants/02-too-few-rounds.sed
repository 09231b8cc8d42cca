# seeds: one round is enough
# file: safe.c
s/e->rounds < 1 \|\| e->rounds < p->observe_rounds/e->rounds < 1/
