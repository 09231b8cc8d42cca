# seeds: a time that is not known counts as long ago
# file: nova_gates.c
s/now < 0 \|\| then < 0 \|\| now < then/now < 0 || now < then/
