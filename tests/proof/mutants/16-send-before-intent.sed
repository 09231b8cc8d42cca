# seeds: the send does not wait for the durable intent
# file: run.c
# function: rcv_run_step
# refutes: relook_after_intent
s/case RCV_PHASE_APPROVED: return intent_written\(run, event\);/case RCV_PHASE_APPROVED: return relooked(run, event, permit, now_ms);/
