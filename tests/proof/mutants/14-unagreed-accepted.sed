# seeds: facts that changed during the observation are accepted
# file: safe.c
# function: all_agreed
# refutes: all_steady
s/e->candidate\[i\]\.agreed != RCV_TRI_YES/e->candidate[i].agreed == RCV_TRI_UNKNOWN/
