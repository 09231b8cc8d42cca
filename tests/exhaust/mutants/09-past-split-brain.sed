# seeds: a copy that was killed beside the guest does not matter
# file: safe.c
s/t->state == 5 \&\&/t->state == 6 \&\&/
