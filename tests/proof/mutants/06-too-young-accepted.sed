# seeds: a terminal record is accepted at any age
# file: nova_gates.c
# function: status_gate
# refutes: status_means_status
s/return age < p->age_terminal_s \? RCV_CODE_TOO_YOUNG : RCV_CODE_UNSET;/return RCV_CODE_UNSET;/
