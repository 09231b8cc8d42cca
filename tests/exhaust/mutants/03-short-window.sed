# seeds: any window is long enough
# file: safe.c
s/rcv_window_ms\(e\) < p->observe_window_ms/rcv_window_ms(e) < 0/
