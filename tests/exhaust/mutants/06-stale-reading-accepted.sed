# seeds: Nova need not be read again after the last round
# file: safe.c
s/e->nova_last\.start_ms < e->last_round_ms/e->nova_last.start_ms < 0/
