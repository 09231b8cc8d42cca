# seeds: an outgoing migration job is not looked at
# file: classify.c
# function: quiet_class
# refutes: run_means_quiet
s/if \(k->job != RCV_JOB_NONE \&\& k->job != RCV_JOB_INACTIVE\)/if (k->job == RCV_JOB_UNKNOWN)/; s/if \(k->active != RCV_TRI_YES \|\| k->job != RCV_JOB_NONE\)/if (k->active != RCV_TRI_YES)/
