"""What unwedge has to say about each real wedge.

One row: (lab scenario, state of the stand-in for Nova, words for diagnose, verdict, leading code,
other codes that have to be among the reasons). The codes are written by hand from the rulings;
lab.md names the scenarios. Rows of one scenario follow each other and share one guest.
"""

# Before this row, wait until libvirt's keepalive has noticed what the lab did, or the buffers of
# a stream that nobody reads are full.
SETTLED = "(settled)"
SETTLE_S = 10

ROWS = [
    # the migration goes on
    ("a-nonconverging", "migrating-running", [], "WAIT", "STILL_MIGRATING", []),
    ("a-nonconverging", "wedged-running-src-down", [], "WAIT", "STILL_MIGRATING", ["JOB_ORPHANED"]),
    # it failed, the guest is on the source
    ("b-aborted", "wedged-running-src-down", [], "RESET", "SAFE_TO_RESET", []),
    ("b-aborted", "wedged-failed", [], "RESET", "SAFE_TO_RESET", []),
    ("b-aborted", "wedged-cancelled", [], "RESET", "SAFE_TO_RESET", []),
    ("b-aborted", "wedged-running-src-up", [], "REFUSE", "MAY_STILL_FINISH", []),
    ("b-aborted", "wedged-completed", [], "REFUSE", "INCONSISTENT_RECORD", []),
    ("b-aborted", "wedged-accepted", [], "REFUSE", "CAST_MAY_BE_PENDING", []),
    ("b-aborted", "wedged-accepted", ["--attest", "queue-empty"], "RESET", "SAFE_TO_RESET", []),
    ("b-aborted", "wedged-preparing", [], "REFUSE", "ATTESTATION_REQUIRED", []),
    ("b-aborted", "wedged-preparing", ["--attest", "compute-stopped=cmp-a"], "RESET",
     "SAFE_TO_RESET", []),
    ("b-aborted", "active", [], "NOTHING", "NOT_WEDGED", []),
    ("b-aborted", "evacuation-accepted", [], "REFUSE", "EVACUATION_RECORD", []),
    ("b-aborted-switchover", "wedged-failed", [], "RESET", "SAFE_TO_RESET", []),
    ("b-failed-prepare", "wedged-error", [], "RESET", "SAFE_TO_RESET", []),
    # libvirtd of one host
    ("c-src-libvirtd-killed", "wedged-running-src-down", [], "UNKNOWN", "HOST_UNREACHABLE", []),
    ("c-src-libvirtd-hung", "wedged-running-src-down", [], "UNKNOWN", "HOST_TIMEOUT", []),
    ("c-src-libvirtd-restarted", "wedged-running-src-down", [], "RESET", "SAFE_TO_RESET", []),
    ("c-dst-libvirtd-killed", "wedged-running-src-down", [], "UNKNOWN", "HOST_UNREACHABLE", []),
    ("c-dst-libvirtd-hung", "wedged-running-src-down", [], "UNKNOWN", "HOST_TIMEOUT", []),
    ("c-dst-libvirtd-restarted", "wedged-running-src-down", [], "RESET", "SAFE_TO_RESET", []),
    # QEMU of one host
    ("d-dst-qemu-killed", "wedged-failed", [], "RESET", "SAFE_TO_RESET", []),
    ("d-src-qemu-killed", "wedged-running-src-down", [], "REFUSE", "NO_OWNER", []),
    ("d-dst-qemu-hung", "wedged-running-src-down", [SETTLED], "WAIT", "STILL_MIGRATING",
     ["JOB_STALLED", "JOB_ORPHANED"]),
    ("d-src-qemu-hung", "wedged-running-src-down", [], "REFUSE", "MONITOR_STUCK", []),
    ("d-src-qemu-hung-nojob", "wedged-running-src-down", [], "REFUSE", "MONITOR_STUCK", []),
    # the network
    ("e-net-cut-data", "wedged-running-src-down", [], "WAIT", "STILL_MIGRATING", ["JOB_STALLED"]),
    # it went through behind Nova's back
    ("f-completed-manager-dead", "wedged-completed", [], "REFUSE", "OWNER_MOVED", []),
    ("f-completed-manager-dead", "wedged-running-src-down", [], "REFUSE", "OWNER_MOVED", []),
    ("f-completed-manager-dead", "active-after-reset", [], "REFUSE", "OWNER_MOVED", []),
    ("f-completed-manager-dead", "active-migrated", [], "NOTHING", "NOT_WEDGED", []),
    ("f-completed-src-defined", "wedged-completed", [], "REFUSE", "OWNER_MOVED", []),
    ("f-completed-dst-transient", "wedged-completed", [], "REFUSE", "OWNER_MOVED", []),
    # post-copy
    ("g-postcopy", "postcopy", [], "WAIT", "POSTCOPY", []),
    ("g-postcopy", "postcopy-src-down", [], "WAIT", "POSTCOPY", []),
    ("g-postcopy-cut", "postcopy-src-down", [], ("WAIT", "REFUSE"), ("POSTCOPY", "POSTCOPY_FAILED"),
     []),
    ("g-postcopy-cut", "postcopy-src-down", [SETTLED], "REFUSE", "POSTCOPY_FAILED", []),
    ("g-postcopy-paused", "postcopy-src-down", [], "REFUSE", "POSTCOPY_FAILED", []),
    ("g-postcopy-dst-qemu-killed", "postcopy-src-down", [], "REFUSE", "POSTCOPY_FAILED", []),
    # two copies
    ("h-split-brain", "wedged-failed", [], "REFUSE", "SPLIT_BRAIN", []),
    ("h-split-brain", "active-after-reset", [], "REFUSE", "SPLIT_BRAIN", []),
    ("h-split-brain-locked", "wedged-failed", [], "RESET", "SAFE_TO_RESET", []),
    ("h-split-brain-lost-reply", "wedged-failed", [], "REFUSE", "SPLIT_BRAIN", []),
    ("i-lost-reply-locked", "wedged-failed", [], "REFUSE", "OWNER_MOVED", ["SECOND_COPY"]),
    ("n-past-split-brain", "wedged-failed", [], "REFUSE", "SECOND_COPY", []),
    # the switch-over
    ("i-both-paused-switchover", "wedged-running-src-down", [], "UNKNOWN", "HOST_TIMEOUT", []),
    ("i-finish-src-restarted-dst-dead", "wedged-running-src-down", [], "REFUSE",
     "PAUSED_MIGRATION", []),
    ("i-finish-src-restarted-dst-resumes", "wedged-running-src-down", [], "REFUSE", "OWNER_MOVED",
     ["SECOND_COPY"]),
    ("i-finish-dst-qemu-hung", "wedged-running-src-down", [], "REFUSE", "SWITCHOVER_UNDECIDED", []),
    # hosts that cannot be asked
    ("j-dst-unreachable", "wedged-running-src-down", [], "UNKNOWN",
     ("HOST_UNREACHABLE", "HOST_TIMEOUT"), []),
    ("j-dst-blackhole", "wedged-running-src-down", [], "UNKNOWN", "HOST_TIMEOUT", []),
    ("j-dst-refuses", "wedged-running-src-down", [], "UNKNOWN", "HOST_UNREACHABLE", []),
    ("j-src-unreachable", "wedged-running-src-down", [], "UNKNOWN",
     ("HOST_UNREACHABLE", "HOST_TIMEOUT"), []),
    ("j-both-unreachable", "wedged-running-src-down", [], "UNKNOWN",
     ("HOST_UNREACHABLE", "HOST_TIMEOUT"), []),
    ("j-mute", "wedged-running-src-down", [], "UNKNOWN", "HOST_TIMEOUT", []),
    # names
    ("k-same-host", "wedged-failed", [], "UNKNOWN", "IDENTITY_MISMATCH", ["SAME_HOST_TWICE"]),
    ("k-swapped-names", "wedged-failed", [], "UNKNOWN", "IDENTITY_MISMATCH", []),
    # the guest itself
    ("m-running", "active", [], "NOTHING", "NOT_WEDGED", []),
    ("m-paused-user", "paused-migrating", [], "REFUSE", "PAUSED_BY_USER", []),
    ("m-off", "wedged-failed", [], "REFUSE", "OFF_UNKNOWN", []),
    ("m-off-shutdown", "wedged-failed", [], "REFUSE", "NO_OWNER", []),
    ("m-incoming-remnant", "wedged-failed", [], "REFUSE", "INCOMING_REMNANT", []),
    ("n-clean-dest-crashed", "wedged-failed", [], "RESET", "SAFE_TO_RESET", []),
    # a third host, which no record names
    ("l-third-host", "wedged-completed", ["--also-probe", "cmp-c"], "REFUSE", "OWNER_MOVED",
     ["UNEXPECTED_HOST"]),
    # nothing passes between the hosts: the job goes on until libvirt's keepalive ends it
    ("e-net-cut", "wedged-running-src-down", [], ("WAIT", "RESET"),
     ("STILL_MIGRATING", "SETTLING", "SAFE_TO_RESET"), []),
]
