# seeds: the monitor need not have answered
# file: safe.c
s/return p->monitor_check == 0 \|\|/return p->monitor_check != 2 ||/
