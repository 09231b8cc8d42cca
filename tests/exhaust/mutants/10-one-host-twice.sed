# seeds: one host under two names counts as two
# file: safe.c
s/if \(!told_apart\(e, i\)\) \{/if (i < 0) {/
