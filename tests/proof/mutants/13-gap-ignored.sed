# seeds: the reset goes out however long ago the last look was
# file: run.c
# function: relooked
# refutes: send_guarded
s/if \(!within_gap\(run, now_ms\)\) \{/if (run->relook_end_ms < 0) {/
