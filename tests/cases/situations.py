"""The table of situations, written by hand from the documents, never from the program.

case(name, sentence, rows, hosts, nova, expect, ...)

  hosts   one host after the other, parted by "|". The first is H, Nova's record host (cmp-a),
          unless nova says host=; then cmp-b, cmp-c ... Each begins with what libvirt says:
          state/reason as virDomainGetState numbers them, `abs` for error 42, or how the look
          failed: unreachable timeout auth mismatch bad none unmapped. Then the job if any
          (OUT IN OTHER HUNG, JOB? = not told) and facts: svc=down, stopped (attested), gone,
          fenced, restarted, any fact of facts.def as key=value, first.KEY=V for the first look.
  nova    status@age of the newest record in seconds (missing@ = no record, unread@ = the API
          failed) and facts: vm= task= src= dst= evac= newer= hv= host= or any fact of facts.def.
          The record goes from cmp-a to cmp-b, its age is also that of the server.
  expect  verdict, leading code (* = the documents name none), then: +code is among the reasons,
          -code is not, owner=HOST or owner=none, rung=RUNG of the plan, again=SECONDS until the
          next look is useful.
  says, lacks   words that the text or the plan must have, and must not have
  policy  a shipped one by name (standard unless said), or `site` with what differs from it.
  obs     facts of the observation; window=MS, gap=MS between last look and Nova, queue-empty.

The record of a case that has no job, no doubt and an old terminal record is CLEAN below.
"""
import json

CASES = []
KINDS = {"RESET": 2, "REFUSE": 3, "UNKNOWN": 4, "WAIT": 9, "NOTHING": 0}
CLEAN = "failed@700"
WEDGED = "running@7200"  # what a dead nova-compute leaves behind


class Case:  # one row of the table
    damage = None


def expectation(text):
    words = text.split()
    lines = ["exit %d" % KINDS[words[0]], "verdict " + words[0]]
    lines += ["code " + words[1]] if words[1] != "*" else []
    for word in words[2:]:
        key, _, value = word.partition("=")
        if word[0] == "+":
            lines.append("also " + word[1:])
        elif word[0] == "-":
            lines.append("not " + word[1:])
        else:
            lines.append("%s %s" % (key, value))
    return lines


def case(name, text, rows, hosts, nova, expect, policy="standard", obs="", guards=(),
         names=None, api_error="", says=(), lacks=()):
    c = Case()
    c.name, c.text, c.rows, c.hosts, c.nova = name, text, rows, hosts, nova
    c.policy, c.obs, c.guards, c.names, c.api_error = policy, obs, guards, names or {}, api_error
    c.expect = (expectation(expect) + ["says " + s for s in says] +
                ["lacks " + s for s in lacks])
    CASES.append(c)


def damaged(name, text, rows, says, damage, hosts="1/1 | abs", nova=CLEAN):
    case(name, text, rows, hosts, nova, "RESET 101")
    CASES[-1].damage = damage
    CASES[-1].expect = ["exit 1", "says " + says]


# ---- a: the tools themselves --------------------------------------------------------------

case("a001-base", "libvirt rolled the migration back and Nova lost the thread: one owner, on H, "
     "nobody at work; reset. Every other case differs from this one in what it names.",
     "nova 1, libvirt 1, X1, rulings ladder 4, rulings after-reset, lab b-failed-prepare, "
     "lab c-src-libvirtd-hung-woken, lab c-src-libvirtd-restarted, lab c-dst-libvirtd-restarted, "
     "lab c-both-libvirtd-restarted, lab d-dst-qemu-killed, lab e-net-reset",
     "1/1 | abs", CLEAN, "RESET 101 owner=cmp-a rung=reset")


def spread(data):
    """The same document, other key order and white space."""
    record = json.loads(data)
    return json.dumps(dict(reversed(list(record.items()))), indent=1).encode() + b"\n"


case("a002-same-document", "The same evidence written with other white space and key order is the "
     "same evidence: same digest, same verdict as a001-base.", "tool canonical", "1/1 | abs",
     CLEAN, "RESET 101 owner=cmp-a rung=reset")
CASES[-1].damage = spread
CASES[-1].expect += ["same a001-base"]

# ---- b: one owner, and it is H -------------------------------------------------------------

case("b001-cancelled", "The migration was aborted at the switch-over and the source resumed "
     "(1/5); reset.", "nova 1, rulings reason-is-history, lab b-aborted-switchover, "
     "lab i-both-paused-switchover-woken, lab i-switchover-src-libvirtd-restarted, lab b-aborted",
     "1/5 | abs", "cancelled@700", "RESET 101 owner=cmp-a rung=reset")
case("b002-error-record", "The record says error, long ago, the source's service is up; reset.",
     "nova 1, rulings nova error-record", "1/1 | abs", "error@700", "RESET 101 owner=cmp-a")
case("b003-finish-failed", "Finish failed and the source resumed (1/6), the destination has "
     "nothing; reset.", "libvirt 1, lab i-finish-dst-hung-woken, lab i-finish-p2p-cut, "
     "lab i-finish-dst-killed", "1/6 | abs", CLEAN, "RESET 101 owner=cmp-a")
case("b004-migrated-earlier", "The guest came to H by an earlier migration (1/2): the reason is "
     "history; reset.", "rulings reason-is-history", "1/2 | abs", CLEAN, "RESET 101 owner=cmp-a")
case("b005-dead-source", "The source's nova-compute was killed and the job then ended on the "
     "source; the record stays running for ever; a person saw the process gone; reset.",
     "nova 3, lab w1, lab w11, rulings nova row-3, attest stopped accepted, rulings ladder 3",
     "1/1 svc=down stopped | abs", WEDGED, "RESET 101 owner=cmp-a rung=reset",
     says=["also start_compute"])
case("b006-dead-source-lab", "The same without a statement under the lab policy, which only "
     "warns; reset.", "nova 3, lab w1, rulings nova row-3", "1/1 svc=down | abs", WEDGED,
     "RESET 101 owner=cmp-a", policy="lab")
case("b007-dead-preparing", "Killed while preparing; a person saw the process gone; reset.",
     "nova 3, rulings nova row-3", "1/1 svc=down stopped | abs", "preparing@7200",
     "RESET 101 owner=cmp-a")
case("b008-dead-queued", "Killed while queued behind nothing; a person saw it gone; reset.",
     "nova 3, rulings nova row-3", "1/1 svc=down stopped | abs", "queued@7200",
     "RESET 101 owner=cmp-a")
case("b009-no-record", "The newest action never made a record, an hour and more ago, with a "
     "conductor up all along; reset.", "nova 2, rulings nova missing", "1/1 | abs",
     "missing@7200", "RESET 101 owner=cmp-a")
case("b010-no-record-queue-empty", "No record, minutes old, but a person saw the queue empty; "
     "reset.", "rulings nova missing, attest queue accepted", "1/1 | abs", "missing@130",
     "RESET 101 owner=cmp-a", obs="queue-empty")
case("b011-accepted-queue-empty", "Accepted, stale, and a person saw the queue empty; an accepted "
     "record need not have a destination; reset.",
     "nova 4, rulings nova row-4, attest queue accepted", "1/1 | abs",
     "accepted@7200 dst=-1", "RESET 101 owner=cmp-a", obs="queue-empty")
case("b012-left-definition", "The destination had the guest earlier and kept its definition "
     "(5/4); reset, and the leftover is reported.", "nova 27, libvirt 4, rulings off-definite",
     "1/1 | 5/4", CLEAN, "RESET 101 owner=cmp-a")
case("b013-finish-persisted", "Finish failed after the destination had persisted (5/6); reset.",
     "nova 27, libvirt 2, X10, rulings off-definite, lab h-split-brain-locked", "1/1 | 5/6",
     CLEAN, "RESET 101 owner=cmp-a")
case("b014-left-everywhere", "Definitions that are off for a known reason on four hosts; reset.",
     "libvirt 2, rulings off-definite, rulings crashed-is-6, rulings nova newest-only",
     "1/1 | 5/3 | 5/1 | 5/2 | 5/8", CLEAN, "RESET 101 owner=cmp-a")
case("b015-transient-owner", "The owner is transient on H: it would vanish at shutdown; reset, "
     "reported.", "nova 32", "1/1 persistent=no | abs", CLEAN, "RESET 101 owner=cmp-a")
case("b016-h-is-dest", "Nova already has the destination on record and the guest runs there; "
     "reset through the same gates.", "nova 34, libvirt 22, rulings nova rows-7-34", "1/2 | abs",
     "failed@700 src=1 dst=0", "RESET 101 owner=cmp-a")
case("b017-completed-h-is-dest", "Completed, and H is the destination; reset.",
     "nova 34, rulings nova rows-7-34", "1/2 | 5/4", "completed@700 src=1 dst=0",
     "RESET 101 owner=cmp-a")
case("b018-post-copy-ended", "Post-copy ended by itself, H is the destination, the source's "
     "process is seen gone; `/servers/ID/migrations` would hide this record; reset.",
     "nova 34, rulings nova list-hides", "1/2 | abs svc=down stopped",
     "post-copy@7200 src=1 dst=0", "RESET 101 owner=cmp-a")
case("b019-running-h-is-dest", "The same with a record that still says running; reset.",
     "nova 34", "1/2 | abs svc=down stopped", "running@7200 src=1 dst=0",
     "RESET 101 owner=cmp-a")
case("b020-error-stopped", "vm_state error with task migrating, and a person saw H's nova-compute "
     "gone; the reset goes to active.", "rulings nova vm-error, attest stopped accepted",
     "1/1 svc=down stopped | abs", "failed@700 vm=error", "RESET 101 owner=cmp-a",
     says=["target active"])
case("b021-error-restarted", "vm_state error, and a person restarted H's nova-compute; reset.",
     "rulings nova vm-error, attest restarted accepted", "1/1 restarted | abs",
     "failed@700 vm=error", "RESET 101 owner=cmp-a")
case("b022-restarted-old-nova", "Before Nova 21 too a restart clears task_state: a server that still "
     "migrates contradicts the statement.", "attest restarted void",
     "1/1 restarted | abs", "running@7200 max_minor=79", "REFUSE 255")
case("b023-older-candidate", "A host of an older record was looked at too and has nothing; reset.",
     "rulings nova newest-only, rulings nova evacuation", "1/1 | abs | abs",
     "failed@700 evac=older older_nonterminal=1", "RESET 101 owner=cmp-a")
case("b024-host-gone", "A host of an older record was decommissioned, as a person states and Nova "
     "does not contradict; reset.", "attest gone accepted",
     "1/1 | abs | unreachable svc=missing hypervisor_listed=no gone", CLEAN,
     "RESET 101 owner=cmp-a -401")
case("b025-host-fenced", "The destination is powered off, under a policy that accepts the signed "
     "statement; reset.", "attest fenced accepted", "1/1 | timeout svc=down fenced", CLEAN,
     "RESET 101 owner=cmp-a -402", policy="site attest_accepted=31")
case("b026-lock-since", "Only a lock is newer than the migration; reset.", "nova 9.2.7",
     "1/1 | abs", "failed@700 newer=harmless", "RESET 101 owner=cmp-a")
case("b027-no-metadata-allowed", "No Nova metadata, under a policy that does not ask for it; "
     "reset.", "rulings nova metadata", "1/1 owner=no_metadata | abs", CLEAN,
     "RESET 101 owner=cmp-a", policy="site require_metadata=0")
case("b028-no-monitor-check", "The monitor was not read, under a test bed's policy that does not "
     "ask for it; reset.", "policy monitor", "1/1 monitor=unknown | abs", CLEAN,
     "RESET 101 owner=cmp-a", policy="site monitor_check=0")
case("b029-idle-guest", "The guest is idle: no vCPU time in the window is no sign of death; reset.",
     "libvirt 1", "1/1 vcpu_advancing=no | abs", CLEAN, "RESET 101 owner=cmp-a")
case("b030-service-missing", "The statement holds for a service that Nova no longer lists; reset.",
     "attest stopped accepted", "1/1 svc=missing stopped | abs", WEDGED, "RESET 101 owner=cmp-a")
case("b031-forced-down-stopped", "The statement holds for a service that was forced down; reset.",
     "attest stopped accepted", "1/1 svc=forced_down stopped | abs", WEDGED,
     "RESET 101 owner=cmp-a")
case("b040-healed", "A restart of the source's nova-compute healed it: not migrating, guest on H; "
     "nothing to do.", "lab w4a", "1/1 | abs", "error@700 task=none",
     "NOTHING 1 owner=cmp-a rung=none")
case("b041-after-a-right-reset", "A right reset leaves a running record for ever; nothing to do.",
     "lab w1, rulings nova newest-only", "1/1 svc=down | abs", "running@7200 task=none newer=other",
     "NOTHING 1 owner=cmp-a")
case("b042-paused-not-migrating", "Paused by its user and not migrating; nothing to do.",
     "contract not-migrating", "3/1 | abs", "completed@700 task=none vm=paused src=1 dst=0",
     "NOTHING 1")
case("b043-stopped", "A stopped guest reads 5/0 and Nova agrees; nothing to do.",
     "contract not-migrating", "5/0 | abs", "failed@700 task=none vm=stopped", "NOTHING 1")
case("b044-offloaded", "Shelved and offloaded: no host has it, as it should be; nothing to do.",
     "nova 9.2.3, contract not-migrating", "abs | abs", "failed@700 task=none vm=shelved_offloaded",
     "NOTHING 1")
case("b045-suspended", "Suspended to disk, Nova agrees; nothing to do.", "contract not-migrating",
     "5/5 managed_save=yes | abs", "failed@700 task=none vm=suspended", "NOTHING 1")

case("b046-quick-look", "Not migrating, and looked at for two rounds only; nothing to do.",
     "contract not-migrating", "1/1 | abs", "error@700 task=none", "NOTHING 1",
     obs="rounds=2 window=3000")
case("b047-used-otherwise", "Not migrating, and Nova updates it for other reasons; nothing to do.",
     "contract not-migrating", "1/1 | abs", "error@700 task=none", "NOTHING 1", obs="heartbeat=yes")
case("b048-dest-flapping", "The destination's service went down during the observation: it owns "
     "nothing of a failed migration; reset.", "nova 1", "1/1 | abs svc=down service_first=up "
     "service_agreed=no", CLEAN, "RESET 101")
case("b049-also-probe", "A host named by --also-probe has nothing; reset.", "nova 1",
     "1/1 | abs | abs also_probe=yes", CLEAN, "RESET 101")

case("b050-three-ends", "The record came from a third host, whose nova-compute is seen gone; H is "
     "the destination; reset.", "nova 34", "1/2 | abs | abs svc=down stopped",
     "running@7200 src=2 dst=0", "RESET 101 owner=cmp-a")

# ---- c: two owners, or one elsewhere -------------------------------------------------------

case("c001-false-rollback", "Finish succeeded, its reply was lost and the source resumed (1/6): "
     "both run; page someone.", "nova 16, libvirt 9, X6, lab h-split-brain-lost-reply", "1/6 | 1/2",
     WEDGED, "REFUSE 201 owner=none rung=escalate")
case("c002-both-booted", "Both were started; page someone.",
     "nova 16, libvirt 9, lab h-split-brain", "1/1 | 1/1", CLEAN, "REFUSE 201 owner=none")
case("c003-job-and-two-run", "A job on H and a running guest on both: two running guests outrank "
     "any job.", "rulings pair 1, libvirt 9", "1/1 OUT | 1/2", WEDGED, "REFUSE 201 owner=none")
case("c004-two-others-run", "H has nothing, two others run.", "nova 16, rulings pair 1",
     "abs | 1/2 | 1/1", WEDGED, "REFUSE 201 owner=none")
case("c005-hung-job-two-run", "Both say running; one's job call hangs: still two running guests.",
     "rulings pair 1", "1/1 HUNG | 1/2", WEDGED, "REFUSE 201 owner=none")
case("c006-unread-job-two-run", "Both say running; one's job could not be read.", "rulings pair 1",
     "1/1 | 1/2 JOB?", WEDGED, "REFUSE 201 owner=none")
case("c007-split-over-unknown", "Both run and a third host is unreachable: the split brain leads.",
     "rulings precedence", "1/1 | 1/2 | unreachable", WEDGED, "REFUSE 201 +401 owner=none")
case("c008-split-over-post-copy", "Both run and a third host holds a failed post-copy: the split "
     "brain leads.", "rulings precedence", "1/1 | 1/2 | 3/13", WEDGED, "REFUSE 201 +205 owner=none")
case("c009-split-after-restart", "Not migrating any more, and a stop and start brought a second "
     "guest up; page someone all the same.", "lab w6b, contract not-migrating", "1/1 | 1/2",
     "error@7200 task=none", "REFUSE 201 owner=none")
case("c010-canonical", "The migration completed and Nova still has the source on record: the guest "
     "lives on the destination; never reset, never restart the source's service.",
     "nova 11, libvirt 22, rulings nova rows-11-13, lab f-completed-manager-dead, "
     "lab f-completed-dst-transient, rulings ladder 5",
     "abs | 1/2", "completed@700", "REFUSE 202 owner=cmp-b rung=escalate -203")
case("c011-dead-source-completed", "The source's nova-compute was killed and the job then "
     "completed.", "nova 13, lab w2", "abs svc=down | 1/2", WEDGED,
     "REFUSE 202 owner=cmp-b rung=escalate")
case("c012-post-copy-completed", "The same after a post-copy that ended by itself.",
     "nova 13, lab w5, lab g-postcopy-src-libvirtd-restarted-end, X9", "5/4 svc=down | 1/2",
     "post-copy@7200", "REFUSE 202 owner=cmp-b")
case("c013-source-defined", "The source keeps its definition (5/4), the guest runs on the "
     "destination.", "libvirt 22, X9, lab f-completed-src-defined", "5/4 | 1/2", "error@7200",
     "REFUSE 202 owner=cmp-b")
case("c014-source-off-unknown", "The source is off and cannot say why (5/0): it is not counted "
     "absent, so the owner is not confirmed.", "libvirt 23, X9, rulings off-unknown",
     "5/0 svc=down | 1/2", WEDGED, "REFUSE 202 +211 owner=none")
case("c015-stale-paused-source", "The source's libvirtd restarted while Finish was at work: a "
     "stale paused copy on H, the guest on the destination; never resume H.",
     "nova 18, libvirt 14, X4, rulings pair 9, lab i-lost-reply-locked, "
     "lab i-finish-src-restarted-dst-resumes", "3/2 | 1/2", WEDGED, "REFUSE 202 +203 owner=cmp-b",
     says=["resume"])
case("c016-stale-api-error", "A false rollback was stopped by locks (3/14 on H).",
     "libvirt 15, X5, rulings pair 9, rulings 3/14-perr", "3/14 | 1/2", WEDGED,
     "REFUSE 202 +203 owner=cmp-b")
case("c017-paused-source", "Paused by a user on H, running on the destination.",
     "rulings pair 12", "3/1 | 1/2", WEDGED, "REFUSE 202 +203 owner=cmp-b")
case("c018-io-error-source", "Paused by an I/O error on H, running on the destination.",
     "rulings pair 12", "3/5 | 1/2", WEDGED, "REFUSE 202 +203 owner=cmp-b")
case("c019-suspended-source", "Suspended on H, running on the destination.", "rulings pair 12",
     "7/1 | 1/2", WEDGED, "REFUSE 202 +203 owner=cmp-b")
case("c020-crashed-source", "Crashed but kept on H, running on the destination.",
     "rulings pair 12", "6/1 | 1/2", WEDGED, "REFUSE 202 +203 owner=cmp-b")
case("c021-paused-elsewhere", "Only the destination has it, paused by a user.",
     "rulings pair 15, libvirt 24", "abs | 3/1", WEDGED, "REFUSE 202 owner=cmp-b",
     says=["paused"])
case("c022-settling", "Completed a minute ago: a healthy migration's last second is not "
     "OWNER_MOVED.", "rulings nova rows-11-13, age moved below", "abs | 1/2", "completed@119",
     "WAIT 308 again=1 rung=wait -202")
case("c023-settled", "A second later it is.", "rulings nova rows-11-13, age moved at", "abs | 1/2",
     "completed@120", "REFUSE 202 owner=cmp-b")
case("c024-post-step", "The guest is across and the source's nova-compute is at its last steps; "
     "wait.", "nova 12", "abs | 1/2", "running@10", "WAIT 301 -202", obs="heartbeat=yes")
case("c025-post-step-quiet", "The same between two writes of the record; wait.", "nova 12",
     "abs | 1/2", "running@30", "WAIT 308 again=90 -202")
case("c026-after-restart", "A restart of the source's nova-compute cleared the task while the "
     "guest was across; however young, the true code.",
     "lab w4b, lab w5+restart, contract not-migrating", "abs | 1/2",
     "error@30 task=none", "REFUSE 202 owner=cmp-b")
case("c027-after-blind-reset", "A blind reset was there before us.", "lab w6, lab w7",
     "abs | 1/2", "completed@700 task=none newer=other", "REFUSE 202 owner=cmp-b")
case("c028-shutoff-but-runs", "Stopped in Nova after a blind reset, and still running elsewhere.",
     "lab w6", "abs | 1/2", "running@7200 task=none vm=stopped newer=other",
     "REFUSE 202 owner=cmp-b")
case("c029-conductor-away", "nova-conductor was away at the end: vm_state error, task cleared, the "
     "guest across.", "lab w8", "abs | 1/2", "error@700 task=none vm=error",
     "REFUSE 202 owner=cmp-b")
case("c030-third-host", "A host that is neither end of the newest record runs the guest.",
     "nova 30", "abs | abs | 1/1", CLEAN, "REFUSE 202 +214 owner=cmp-c")
case("c031-moved-not-all-seen", "The destination runs it, a third host is unreachable: unknown "
     "leads, and what was seen is said.", "rulings pair 16, nova 28", "abs | 1/2 | unreachable",
     WEDGED, "UNKNOWN 401 +420 owner=none")
case("c032-second-paused-migration", "H runs, the destination is paused by a migration without a "
     "job.", "nova 17, libvirt 8, rulings pair 11", "1/1 | 3/2", CLEAN, "REFUSE 203 owner=none")
case("c033-second-paused-user", "H runs, another copy is paused by a user.",
     "nova 17, libvirt 8, rulings pair 11", "1/1 | 3/1", CLEAN, "REFUSE 203 owner=none")
case("c034-second-paused-error", "H runs, another copy is paused by an I/O error.",
     "nova 17, rulings pair 11", "1/1 | 3/5", CLEAN, "REFUSE 203 owner=none")
case("c035-second-suspended", "H runs, another copy is suspended.", "rulings pair 11",
     "1/1 | 7/0", CLEAN, "REFUSE 203 owner=none")
case("c036-second-stuck", "H runs, another copy's monitor is stuck.", "nova 17, rulings pair 11",
     "1/1 | 3/2 control=error control_ms=40000", CLEAN, "REFUSE 203 owner=none")
case("c037-second-crashed", "H runs, another copy crashed and was kept.",
     "nova 17, rulings pair 11", "1/1 | 6/1", CLEAN, "REFUSE 203 owner=none")
case("c038-second-dying", "H runs, another copy is shutting down.", "nova 26, libvirt 32",
     "1/1 | 4/1", CLEAN, "REFUSE 203 owner=none")
case("c040-past-split-5-1", "H resumed at the switch-over (1/5) and the other copy was shut down "
     "later: both may have written; check the disk.", "rulings pair 17", "1/5 | 5/1", CLEAN,
     "REFUSE 203 owner=cmp-a")
case("c041-past-split-5-2", "H resumed after a failed Finish (1/6), the other copy was destroyed.",
     "rulings pair 17", "1/6 | 5/2", CLEAN, "REFUSE 203 owner=cmp-a")
case("c042-past-split-5-3", "H 1/6, the other copy crashed.", "rulings pair 17", "1/6 | 5/3", CLEAN,
     "REFUSE 203 owner=cmp-a")
case("c043-past-split-5-8", "H 1/5, the other copy was killed by its libvirtd.", "rulings pair 17",
     "1/5 | 5/8", CLEAN, "REFUSE 203 owner=cmp-a")
case("c044-past-split-third", "The killed copy is on a third host.", "rulings pair 17",
     "1/6 | abs | 5/3", CLEAN, "REFUSE 203 owner=cmp-a")
case("c045-migrated-away", "H 1/6 and 5/4: the other one migrated it away and never ran beside it; "
     "reset with residue.", "rulings pair 17, libvirt 4", "1/6 | 5/4", CLEAN,
     "RESET 101 owner=cmp-a")
case("c046-finish-failed-off", "H 1/5 and 5/6: the other one never started; reset with residue.",
     "rulings pair 17, libvirt 2", "1/5 | 5/6", CLEAN, "RESET 101 owner=cmp-a")
case("c050-one-host-uuid", "Both names lead to one libvirt host UUID: one host seen twice is no "
     "split brain.", "rulings pair 18, libvirt 9", "1/1 | 1/1 same_uuid_as=0", CLEAN,
     "UNKNOWN 405 -201 owner=none rung=escalate")
case("c051-one-hostname", "Both names lead to one libvirt hostname.", "rulings pair 18",
     "1/1 | 1/1 same_name_as=0", CLEAN, "UNKNOWN 405 -201")
case("c052-one-domain", "Both show the same domain id and vCPU time.", "rulings pair 18",
     "1/1 domain_id=7 vcpu_time_ms=41000 | 1/1 domain_id=7 vcpu_time_ms=41000", CLEAN,
     "UNKNOWN 405 -201")
case("c053-same-host-absent", "Both names lead to one host, whatever it says.",
     "rulings pair 18, lab k-same-host", "1/1 | abs same_uuid_as=0", CLEAN, "UNKNOWN 405")
case("c060-foreign-other", "Another project's domain carries the UUID on the destination: it is "
     "not the instance's copy, and not accepted either.", "nova 31, rulings nova metadata",
     "1/1 | 1/1 owner=different", CLEAN, "REFUSE 213 -201")
case("c061-foreign-on-h", "The domain on H belongs to another project.",
     "nova 31, rulings nova metadata", "1/1 owner=different | abs", CLEAN, "REFUSE 213 owner=none",
     lacks=["seen up on cmp-a"])
case("c062-other-name", "The domain on H has another name than Nova's.", "nova 31",
     "1/1 name_equal=no | abs", CLEAN, "REFUSE 213 owner=none")
case("c063-foreign-definition", "The leftover definition has another name.", "nova 27, nova 31",
     "1/1 | 5/4 name_equal=no", CLEAN, "REFUSE 213")
case("c064-foreign-only", "H has nothing and the destination only a foreign domain, which is "
     "nobody's copy: it did not move there.",
     "nova 31", "abs | 1/1 owner=different", WEDGED, "REFUSE 213 -202 -214 owner=none",
     lacks=["seen up on cmp-b"])
case("c065-no-metadata", "The domain on H has no Nova metadata, which the policy asks for.",
     "rulings nova metadata", "1/1 owner=no_metadata | abs", CLEAN, "REFUSE 218")
case("c066-no-metadata-off", "So has the leftover definition.", "rulings nova metadata",
     "1/1 | 5/4 owner=no_metadata", CLEAN, "REFUSE 218")

case("c067-not-migrating-second", "Not migrating, and a paused copy beside the owner.",
     "contract not-migrating, rulings pair 11", "1/1 | 3/2", "error@700 task=none", "REFUSE 203")
case("c068-paused-in-nova", "Nova has it paused, and it runs elsewhere: that comes first.",
     "nova 13", "abs | 1/2", "error@7200 vm=paused", "REFUSE 202 owner=cmp-b")

case("c070-both-run-incoming", "H resumed (1/6) and the destination runs its vCPUs under an "
     "incoming job that stays (1/2 IN): that is no empty copy, and nobody may be told to "
     "destroy it as one.",
     "libvirt 9, rulings pair 1", "1/6 | 1/2 IN", WEDGED, "REFUSE * -101",
     lacks=["the empty incoming copy", "it has no memory of the guest"])

# ---- d: no owner, or one that is not well --------------------------------------------------

case("d001-nowhere", "No candidate knows the guest; look for QEMU processes and storage watchers.",
     "nova 14, libvirt 31, X11", "abs | abs", CLEAN, "REFUSE 204 owner=none rung=escalate")
case("d002-off", "The guest is off on H for a known reason (5/1): a reset would lie.", "nova 15",
     "5/1 | abs", CLEAN, "REFUSE 204 owner=none")
case("d003-crashed-source", "The source's QEMU was killed (5/3).",
     "libvirt 29, X12, rulings crashed-is-6, lab d-src-qemu-killed", "5/3 | abs", WEDGED,
     "REFUSE 204 owner=none")
case("d004-off-unknown", "H has it off and cannot say why (5/0): a restarted daemon, an orphan.",
     "nova 15, libvirt 30, rulings off-unknown", "5/0 | abs", CLEAN, "REFUSE 211 owner=none")
case("d005-other-off-unknown", "H runs, the destination is 5/0: never treated as absent.",
     "libvirt 3, rulings off-unknown", "1/1 | 5/0", CLEAN, "REFUSE 211")
case("d006-new-off-reason", "A shutoff reason that is not on the list is off-unknown.",
     "rulings off-unknown, rulings off-definite", "1/1 | 5/9", CLEAN, "REFUSE 211")
case("d007-managed-save", "The leftover definition has a managed save image that could be started.",
     "nova 27", "1/1 | 5/4 managed_save=yes", CLEAN, "REFUSE 211")
case("d008-managed-save-unread", "Whether it has one could not be told.", "nova 27",
     "1/1 | 5/4 managed_save=unknown", CLEAN, "REFUSE 211")
case("d009-off-after-all", "Not migrating, vm_state active, and off on H: not nothing.",
     "contract not-migrating", "5/1 | abs", "failed@700 task=none", "REFUSE 204 owner=none")
case("d010-paused-migration", "The source's libvirtd died before Finish: H holds the only copy, "
     "paused; only a person may resume it.",
     "nova 19, libvirt 13, X3, rulings pair 10, lab i-finish-src-restarted-dst-dead", "3/2 | abs",
     WEDGED, "REFUSE 207 owner=none rung=escalate")
case("d011-paused-both", "Both sides are paused by a migration that no longer runs.", "nova 20",
     "3/2 | 3/2", WEDGED, "REFUSE 206 owner=none")
case("d012-paused-elsewhere", "Only the destination holds a copy, paused by a migration, no job: "
     "nothing libvirt leaves by itself.", "libvirt 26", "abs | 3/2", WEDGED,
     "REFUSE 207 owner=none")
case("d013-paused-user", "Paused by a user on H; a reset would lose the label.",
     "nova 23, libvirt 27", "3/1 | abs", CLEAN, "REFUSE 208")
case("d014-vm-paused", "Nova has vm_state paused: a reset would call it ACTIVE for ever.",
     "rulings nova vm-paused", "3/1 | abs", "failed@700 vm=paused", "REFUSE 208")
case("d015-vm-paused-runs", "The same although libvirt says running.", "rulings nova vm-paused",
     "1/1 | abs", "failed@700 vm=paused", "REFUSE 208")
case("d016-io-error", "Paused by an I/O error.", "nova 24, libvirt 27", "3/5 | abs", CLEAN,
     "REFUSE 209")
case("d017-watchdog", "Paused by the watchdog.", "nova 24, libvirt 27", "3/6 | abs", CLEAN,
     "REFUSE 209")
case("d018-api-error", "Paused because an API call failed (3/14).",
     "libvirt 16, rulings 3/14-perr", "3/14 | abs", WEDGED, "REFUSE 209")
case("d019-panicked-paused", "Paused by a crash of the guest (3/10).", "libvirt 32", "3/10 | abs",
     CLEAN, "REFUSE 209")
case("d020-suspended", "The guest is suspended (7/x).", "libvirt 28, rulings susp-7", "7/0 | abs",
     CLEAN, "REFUSE 219")
case("d021-monitor-error", "H runs, but libvirt's monitor is in error: running is then only "
     "libvirt's memory.", "nova 25, libvirt 33", "1/1 control=error control_ms=60000 | abs", CLEAN,
     "REFUSE 212")
case("d022-monitor-occupied", "The monitor stays occupied.", "nova 25, rulings nova control-state",
     "1/1 control=occupied control_ms=60000 | abs", CLEAN, "REFUSE 212")
case("d023-job-stays", "A job of libvirt's own stays on the monitor.",
     "rulings nova control-state", "1/1 control=job control_ms=60000 | abs", CLEAN, "REFUSE 212")
case("d024-qemu-hung", "The source's QEMU hangs: the job call does not return, the destination "
     "waits.", "nova 25, lab d-src-qemu-hung", "1/1 HUNG | 3/2 IN", WEDGED, "REFUSE 212 owner=none")
case("d025-monitor-mute", "All is well for a reset, but QEMU does not answer.", "nova 25",
     "1/1 monitor=mute | abs", CLEAN, "REFUSE 212")
case("d026-crashed", "The guest crashed and its process is kept.",
     "nova 26, libvirt 32, rulings crashed-is-6", "6/1 | abs", CLEAN, "REFUSE 216 owner=none")
case("d027-shutdown", "The guest is shutting down.", "nova 26, libvirt 32", "4/1 | abs", CLEAN,
     "REFUSE 216 owner=none")
case("d028-shutting-paused", "Paused while shutting down (3/8).", "libvirt 32", "3/8 | abs", CLEAN,
     "REFUSE 216 owner=none")
case("d029-mirror", "A block job of the migration is still on a disk: writes go to both.",
     "nova 33", "1/1 mirror=yes | abs", CLEAN, "REFUSE 217")
case("d030-incoming-remnant", "An incoming QEMU without a source job, unchanged over the whole "
     "observation: clean the destination first.", "nova 10, libvirt 7, rulings pair 5",
     "1/1 | 3/2 IN", CLEAN, "REFUSE 210")
case("d031-incoming-young", "The same, not yet seen long enough: libvirt should end it.",
     "libvirt 7, rulings pair 5", "1/1 | 3/2 IN", CLEAN, "WAIT 308 again=60",
     obs="rounds=2 window=30000")
case("d032-incoming-only", "H has nothing, the destination an incoming QEMU, unchanged.",
     "libvirt 25, rulings pair 13", "abs | 3/2 IN", WEDGED, "REFUSE 210 owner=none")
case("d033-incoming-only-young", "The same, not yet seen long enough.",
     "libvirt 25, rulings pair 13", "abs | 3/2 IN", WEDGED, "WAIT 308", obs="rounds=1 window=10000")
case("d040-converging", "The migration runs; wait.", "nova 8, nova 9, libvirt 6, rulings ladder 1, "
     "lab a-nonconverging, lab e-net-cut", "1/1 OUT | 3/2 IN", "running@3",
     "WAIT 301 rung=wait -302", obs="heartbeat=yes")
case("d041-job-absent-dest", "A job on H, the destination is being prepared or just died; wait.",
     "nova 8, libvirt 5, X2", "1/1 OUT | abs", "running@3", "WAIT 301")
case("d042-dest-starting", "The destination's QEMU is starting (3/11 IN); wait.", "libvirt 6",
     "1/1 OUT | 3/11 IN", "running@3", "WAIT 301")
case("d043-dest-off-in", "The destination shows 5/0 with an incoming job; wait.", "libvirt 6",
     "1/1 OUT | 5/0 IN", "running@3", "WAIT 301")
case("d044-stalled", "Nothing of the job moves over the observation, the service is up: Nova's "
     "abort.", "X2, rulings pair 6, rulings ladder 2, lab d-dst-qemu-hung, lab e-net-cut-data",
     "1/1 OUT stalled | 3/2 IN", WEDGED, "WAIT 301 +302 rung=abort")
case("d045-orphaned", "The source's nova-compute is dead, the job runs on: nobody in Nova will "
     "finish it.", "rulings pair 7, lab w3, lab w9", "1/1 OUT svc=down | 3/2 IN", WEDGED,
     "WAIT 301 +303 -302 rung=wait")
case("d046-switchover-young", "Both paused in the switch-over, with a job; wait.",
     "nova 20, libvirt 10, rulings pair 8", "3/2 OUT | 3/2 IN", WEDGED, "WAIT 308",
     obs="rounds=2 window=40000")
case("d047-switchover", "Both paused in the switch-over, unchanged over the observation: the guest "
     "is down.", "nova 20, libvirt 10, X7, rulings pair 8, lab i-finish-dst-qemu-hung",
     "3/2 OUT stalled | 3/2 IN", WEDGED, "REFUSE 206 owner=none")
case("d048-finish-window", "The source waits for Finish, the destination has begun to run "
     "(1/2 IN); wait.", "libvirt 11", "3/2 OUT | 1/2 IN", "running@3", "WAIT 301 -201")
case("d049-finish-done", "The source still has its job, the destination runs; wait.", "libvirt 11",
     "3/2 OUT | 1/2", "running@3", "WAIT 301 -201 -202")
case("d050-source-resumes", "The destination is gone, the source is about to resume; wait.",
     "libvirt 12", "3/2 OUT | abs", WEDGED, "WAIT 301")
case("d051-forced-pause", "Nova's force-complete paused the source; the job decides; wait.",
     "nova 8, rulings class-order", "3/1 OUT | 3/2 IN", "running@3", "WAIT 301 -208")
case("d060-post-copy", "A post-copy is in flight: the guest is on the destination and needs the "
     "source alive; wait.", "nova 21, libvirt 18, X8, rulings pair 2, rulings class-order, "
     "lab g-postcopy, lab w5, lab g-postcopy-cut-data, lab g-postcopy-src-libvirtd-restarted",
     "3/12 OUT | 1/10 IN", "post-copy@3", "WAIT 304 rung=wait -201")
case("d061-post-copy-begins", "The source switched to post-copy, the destination is not running "
     "yet; wait.", "libvirt 17", "3/12 OUT | 3/2 IN", "post-copy@3", "WAIT 304")
case("d062-post-copy-broken", "The stream broke: 3/13 keeps its job for ever.",
     "nova 22, libvirt 19, X8, rulings pair 3, rulings class-order, lab g-postcopy-cut, "
     "lab g-postcopy-reset", "3/13 OUT | 1/10 IN", "post-copy@7200",
     "REFUSE 205 owner=none rung=escalate", lacks=["no libvirt job runs"])
case("d063-post-copy-paused", "Both sides know that it broke.",
     "nova 22, libvirt 19, rulings pair 3, lab g-postcopy-paused", "3/13 | 1/11 IN",
     "post-copy@7200", "REFUSE 205 owner=none")
case("d064-post-copy-lost", "The destination's QEMU died in post-copy: the guest is lost; do not "
     "resume the source.", "libvirt 20, rulings pair 4, lab g-postcopy-dst-qemu-killed",
     "3/13 OUT | 5/3", "post-copy@7200", "REFUSE 205 owner=none", says=["lost"])
case("d065-post-copy-no-dest", "The source is in post-copy and the destination has nothing.",
     "libvirt 20, X8", "3/12 OUT | abs", "post-copy@7200", "REFUSE 205 owner=none")
case("d066-post-copy-no-source", "The destination waits for pages that will never come.",
     "libvirt 21, rulings pair 3", "abs | 1/11", "post-copy@7200", "REFUSE 205 owner=none")
case("d067-post-copy-alone", "The destination is in post-copy, the source was never seen in it.",
     "rulings pair 14, libvirt 21", "abs | 1/10 IN", "post-copy@7200", "REFUSE 205 owner=none")
case("d068-post-copy-source-off", "The same with the source off (5/4).", "rulings pair 14",
     "5/4 | 1/10 IN", "post-copy@7200", "REFUSE 205 owner=none")
case("d069-post-copy-ending", "The source was seen in post-copy in this observation and has just "
     "ended; wait.", "rulings pair 14", "abs seen_postcopy=yes agreed=no | 1/10 IN",
     "post-copy@3", "WAIT 304")
case("d070-post-copy-over-unknown", "A failed post-copy on H outranks an unreachable destination.",
     "rulings precedence", "3/13 OUT | unreachable", "post-copy@7200", "REFUSE 205 +401")
case("d071-running-failed-post-copy", "H itself is 1/11: not a healthy owner whatever else holds.",
     "rulings pair 3, rulings class-order", "1/11 | abs", CLEAN, "REFUSE 205 owner=none")

case("d072-post-copy-not-migrating", "In post-copy although Nova's task is cleared; wait.",
     "lab w5+restart, contract not-migrating, rulings pair 2", "3/12 OUT | 1/10 IN",
     "post-copy@30 task=none", "WAIT 304")

# Combinations that no row names: no code is given by the documents, the verdict is.
UNNAMED = (("paused-incoming", "3/2", "3/2 IN", "nova 20"),
           ("user-incoming", "3/1", "3/2 IN", "nova 20"),
           ("user-user", "3/1", "3/1", "nova 17"), ("error-migration", "3/5", "3/2", "nova 17"),
           ("dying-incoming", "4/1", "3/2 IN", "nova 26"),
           ("crashed-crashed", "6/1", "6/1", "nova 26"),
           ("off-incoming", "5/3", "3/2 IN", "libvirt 29"),
           ("suspended-user", "7/0", "3/1", "libvirt 28"),
           ("absent-crashed", "abs", "6/1", "nova 26"), ("absent-stuck", "abs",
                                                         "1/1 control=error", "nova 25"))
for number, (slug, here, there, row) in enumerate(UNNAMED):
    case("d08%d-%s" % (number, slug), "H is %s and the other %s: no row names it, so it is "
         "refused." % (here, there), "rulings unnamed-is-refused, " + row,
         "%s | %s" % (here, there), WEDGED, "REFUSE * -101 -1")

# ---- e: missing or stale evidence ----------------------------------------------------------

case("e001-h-unreachable", "Nova's host cannot be reached.", "nova 29, libvirt 33, "
     "rulings pair 16, lab c-src-libvirtd-killed", "unreachable | abs", WEDGED,
     "UNKNOWN 401 owner=none rung=escalate")
case("e002-dest-unreachable", "The destination cannot be reached: exclusivity is unproven.",
     "nova 28, libvirt 33, rulings pair 16, lab c-dst-libvirtd-killed", "1/1 | unreachable", CLEAN,
     "UNKNOWN 401 owner=none -420")
case("e003-job-and-unreachable", "A job on H, the destination refuses: unknown leads over wait.",
     "rulings precedence, lab j-dst-refuses", "1/1 OUT | unreachable", WEDGED, "UNKNOWN 401 -420")
case("e004-dest-timeout", "The destination's libvirtd hangs.", "nova 28, lab c-dst-libvirtd-hung, "
     "lab j-dst-unreachable, lab j-dst-blackhole, lab i-finish-dst-hung",
     "1/1 OUT | timeout", WEDGED, "UNKNOWN 402", lacks=["no libvirt job runs"])
case("e005-h-timeout", "The source's libvirtd hangs, the destination has an incoming QEMU.",
     "nova 29, rulings pair 16, lab c-src-libvirtd-hung, lab j-src-unreachable, "
     "lab i-both-paused-switchover",
     "timeout | 3/2 IN", WEDGED, "UNKNOWN 402 +420")
case("e006-h-timeout-alone", "The source's libvirtd hangs, all of Nova is up; hands off.",
     "lab w10", "timeout | abs", WEDGED, "UNKNOWN 402 -420 owner=none",
     lacks=["nothing is at work any more"])
case("e007-both-hang", "Neither end answers.", "nova 29, lab j-both-unreachable",
     "timeout | timeout", WEDGED, "UNKNOWN 402 owner=none -420")
case("e014-finish-hung", "The source waits for Finish, the destination hangs.",
     "nova 28, lab i-finish-dst-hung-now", "3/2 OUT | timeout", WEDGED, "UNKNOWN 402 owner=none")
case("e008-refused", "A candidate refuses the credential.", "libvirt 33", "1/1 | auth", CLEAN,
     "UNKNOWN 403")
case("e009-other-host", "Another host answered in place of a candidate.", "nova 9.2.10",
     "1/1 | mismatch", CLEAN, "UNKNOWN 404")
case("e010-bad-reply", "The probe of a candidate died.", "libvirt 33", "1/1 | bad", CLEAN,
     "UNKNOWN 401")
case("e011-not-looked", "Nobody looked at a candidate.", "libvirt 33", "1/1 | none", CLEAN,
     "UNKNOWN 401")
case("e012-unmapped", "It is not known how to reach a candidate.", "nova 9.2.10", "1/1 | unmapped",
     CLEAN, "UNKNOWN 410")
case("e013-two-unknown", "Two candidates fail in two ways: the lower number leads.",
     "rulings precedence", "1/1 | timeout | unreachable", CLEAN, "UNKNOWN 401 +402")
case("e020-api-down", "Nova does not answer.", "contract api", "1/1 | abs",
     "unread@0 api=unavailable", "UNKNOWN 407", api_error="503 Service Unavailable")
case("e021-api-unread", "Nova was not read.", "contract api", "1/1 | abs", "unread@0 api=not_read",
     "UNKNOWN 407")
case("e022-hidden", "The credential does not see host fields.", "nova 9.2.6", "1/1 | abs",
     "unread@0 api=hidden", "UNKNOWN 408", api_error="OS-EXT-SRV-ATTR:host is not shown")
case("e023-down-cell", "The server's cell does not answer.", "contract api", "1/1 | abs",
     "unread@0 api=down_cell", "UNKNOWN 408", api_error="the cell of the server is down")
case("e024-no-host", "Nova has no host on record.", "nova 9.2.4", "1/1 | abs",
     "failed@700 host=-1", "UNKNOWN 408")
case("e025-vm-unknown", "vm_state is not shown.", "nova 9.2.6", "1/1 | abs",
     "failed@700 vm=unknown", "UNKNOWN 408")
case("e026-task-unknown", "task_state is not shown.", "nova 9.2.6", "1/1 | abs",
     "failed@700 task=unknown", "UNKNOWN 408")
case("e027-actions-unknown", "The actions are not shown.", "nova 9.2.6", "1/1 | abs",
     "failed@700 newer=unknown", "UNKNOWN 408")
case("e028-evacuations-unknown", "Evacuation records are not shown.", "nova 9.2.6", "1/1 | abs",
     "failed@700 evac=unknown", "UNKNOWN 408")
case("e029-record-unknown", "Whether the action has a record is not known.", "nova 9.2.6",
     "1/1 | abs", "failed@700 mig_present=unknown", "UNKNOWN 408")
case("e030-no-source", "The record's source is not shown.", "nova 9.2.6", "1/1 | abs",
     "failed@700 src=-1", "UNKNOWN 408")
case("e031-no-dest", "The destination of a record beyond accepted is not shown.", "nova 9.2.6",
     "1/1 | abs", "failed@700 dst=-1", "UNKNOWN 408")
case("e032-too-many", "More hosts or records than can be examined: nothing is cut off.",
     "contract too-many", "1/1 | abs", CLEAN, "UNKNOWN 409", obs="too_many=yes")
case("e033-too-many-first", "The same with two guests running: decided before everything else.",
     "contract too-many", "1/1 | 1/2", CLEAN, "UNKNOWN 409", obs="too_many=yes")
case("e034-api-down-runs-elsewhere", "Nova does not answer and another host runs the guest.",
     "rulings pair 16", "abs | 1/2", "unread@0 api=unavailable host=0", "UNKNOWN 407 +420",
     api_error="timed out")
case("e040-few-rounds", "All is well after two rounds of three; look longer.",
     "contract observation, contract anti-action", "1/1 | abs", CLEAN, "WAIT 307 rung=wait",
     obs="rounds=2", says=["never -"])
case("e041-short-window", "One millisecond short of the window.", "contract observation",
     "1/1 | abs", CLEAN, "WAIT 307 again=1", obs="window=89999")
case("e042-one-reading", "Nova was read once only.", "contract observation", "1/1 | abs", CLEAN,
     "WAIT 307", obs="nova_reads=1")
case("e043-nova-before-the-end", "The last reading of Nova began before the last round ended.",
     "contract observation", "1/1 | abs", CLEAN, "WAIT 307", obs="gap=-300")
case("e044-monitor-unread", "The monitor of H was not read yet.", "contract observation",
     "1/1 monitor=unknown | abs", CLEAN, "WAIT 307")
case("e045-no-round", "No round counts at all.", "contract observation", "1/1 | abs", CLEAN,
     "UNKNOWN 406", obs="rounds=0")
case("e046-look-again", "A third of the window has gone by; the rest is waited for.",
     "contract observation", "1/1 | abs", CLEAN, "WAIT 307 again=60", obs="rounds=2 window=30000")
case("e047-heartbeat-unknown", "Whether Nova's heartbeat moved is not known.",
     "rulings nova heartbeat", "1/1 | abs", CLEAN, "WAIT 307", obs="heartbeat=unknown")
case("e050-nostate", "libvirt says nostate, which QEMU's driver never does.",
     "libvirt 34, nova 26, rulings nostate-unknown", "0/0 | abs", CLEAN, "UNKNOWN 406")
case("e051-blocked", "libvirt says blocked, which QEMU's driver never does.",
     "libvirt 34, rulings nostate-unknown", "1/1 | 2/0", CLEAN, "UNKNOWN 406")
case("e052-new-pause", "A reason for a pause that nobody knows.", "libvirt 33", "3/99 | abs", CLEAN,
     "UNKNOWN 406")
case("e053-new-running", "A reason for running that nobody knows.", "libvirt 33", "1/12 | abs",
     CLEAN, "UNKNOWN 406")
case("e054-other-job", "A snapshot job runs on H: neither idle nor migrating.", "libvirt 33",
     "1/1 OTHER | abs", CLEAN, "UNKNOWN 406")
case("e055-job-unread", "H's job could not be read.", "libvirt 33", "1/1 JOB? | abs", CLEAN,
     "UNKNOWN 406")
case("e056-presence-unread", "The lookup on the destination failed with another error than 42.",
     "libvirt 33", "1/1 | abs presence=unknown active=unknown", CLEAN, "UNKNOWN 406")
case("e057-xml-unread", "H's XML was not read: whose domain it is cannot be told.", "nova 31",
     "1/1 owner=unknown name_equal=unknown mirror=unknown | abs", CLEAN, "UNKNOWN 406")
case("e058-starting-no-job", "3/11 without an incoming job.", "libvirt 33", "1/1 | 3/11", CLEAN,
     "UNKNOWN 406")
case("e059-control-unread", "H's control state was not read.", "libvirt 33",
     "1/1 control=unknown | abs", CLEAN, "UNKNOWN 406")

case("e060-host-identity-unread", "The destination answered without a host UUID: it cannot be told "
     "from H.", "nova 9.2.10, rulings unnamed-is-refused", "1/1 | abs same_uuid_as=-1", CLEAN,
     "REFUSE 902")
case("e061-first-reading-late", "The first reading of Nova ended after the first round had begun.",
     "contract observation", "1/1 | abs", CLEAN, "WAIT 307", obs="late=600")
case("e062-not-migrating-unseen", "Not migrating, guest on H, the other end unreachable: not "
     "nothing.", "contract not-migrating, rulings pair 16", "1/1 | unreachable",
     "error@700 task=none", "UNKNOWN 401 -1")

case("e063-no-domain-id", "H says running and has no domain id: the owner's must be above nought, "
     "so this look was not understood.", "libvirt 6.2, libvirt 33", "1/1 domain_id=-1 | abs", CLEAN,
     "UNKNOWN 406")
case("e064-hypervisor-hidden", "Which hypervisor H has is not shown.", "nova 9.2.5, nova 9.2.6",
     "1/1 | abs", "failed@700 hv=unknown", "UNKNOWN 408")

# attestations: void, contradicted, not listed

case("e070-gone-but-up", "Said gone, but Nova lists its service.", "attest gone contradicted",
     "1/1 | abs | unreachable svc=up hypervisor_listed=no gone", CLEAN, "UNKNOWN 401")
case("e071-gone-but-hypervisor", "Said gone, but Nova lists its hypervisor.",
     "attest gone contradicted", "1/1 | abs | unreachable svc=missing hypervisor_listed=yes gone",
     CLEAN, "UNKNOWN 401")
case("e072-gone-newest-record", "Said gone, but it is an end of the newest record.",
     "attest gone void", "1/1 | unreachable svc=missing hypervisor_listed=no gone", CLEAN,
     "UNKNOWN 401")
case("e073-gone-but-answers", "Said gone, but it answered, and runs the guest.",
     "attest gone contradicted", "1/1 | abs | 1/1 svc=missing hypervisor_listed=no gone",
     CLEAN, "REFUSE 201")
case("e074-gone-not-listed", "Said gone, under a policy that does not accept it.",
     "attest gone not-listed", "1/1 | abs | unreachable svc=missing hypervisor_listed=no gone",
     CLEAN, "UNKNOWN 401", policy="site attest_accepted=7")
case("e075-gone-h", "H cannot be said gone.", "attest gone void",
     "unreachable svc=missing hypervisor_listed=no of_newest_record=no gone | abs", CLEAN,
     "UNKNOWN 401")
case("e089-gone-unlisted-unknown", "Said gone, and whether Nova lists its hypervisor is not "
     "known.", "attest gone void",
     "1/1 | abs | unreachable svc=missing hypervisor_listed=unknown gone", CLEAN, "UNKNOWN 401")
case("e076-fenced-h", "H cannot be said fenced.", "attest fenced void",
     "timeout svc=down fenced | abs", CLEAN, "UNKNOWN 402", policy="site attest_accepted=31")
case("e077-fenced-answers", "Said fenced, but it answered with a paused copy.",
     "attest fenced contradicted", "1/1 | 3/2 svc=down fenced", CLEAN, "REFUSE 203",
     policy="site attest_accepted=31")
case("e078-fenced-not-listed", "No shipped policy accepts host-fenced.", "attest fenced not-listed",
     "1/1 | timeout svc=down fenced", CLEAN, "UNKNOWN 402")
case("e079-fenced-answered-first", "Said fenced, but it answered in the first look.",
     "attest fenced contradicted", "1/1 | timeout svc=down fenced first.reach=ok "
     "first.presence=present first.state=1 first.reason=2", CLEAN, "UNKNOWN 402",
     policy="site attest_accepted=31")
case("e080-stopped-but-up", "Said stopped, but Nova sees its service up.",
     "attest stopped contradicted", "1/1 svc=up stopped | abs", WEDGED, "REFUSE 255")
case("e081-stopped-flapping", "Said stopped, but its service changed during the observation.",
     "attest stopped void", "1/1 svc=down service_first=up service_agreed=no stopped | abs", WEDGED,
     "REFUSE 255")
case("e082-stopped-not-listed", "Said stopped, under a policy that does not accept it.",
     "attest stopped not-listed", "1/1 svc=down stopped | abs", WEDGED, "REFUSE 508",
     policy="site attest_accepted=14")
case("e083-restarted-still-migrating", "Said restarted, but a real restart would have cleared the "
     "task on this Nova.", "attest restarted contradicted", "1/1 restarted | abs", WEDGED,
     "REFUSE 255")
case("e084-restarted-not-listed", "Said restarted, under automation, which does not accept it.",
     "attest restarted not-listed", "1/1 restarted | abs", "failed@700 vm=error", "REFUSE 252",
     policy="automation")
case("e085-restarted-unknown-nova", "Said restarted, and Nova does not tell its microversion.",
     "attest restarted void", "1/1 restarted | abs", "running@7200 max_minor=-1", "REFUSE 255")
case("e086-queue-not-listed", "Said that the queue is empty, under a policy that does not accept "
     "it.", "attest queue not-listed", "1/1 | abs", "accepted@7200", "REFUSE 256",
     policy="site attest_accepted=11", obs="queue-empty")
case("e087-queue-void", "That the queue is empty says nothing of a record beyond accepted.",
     "attest queue void", "1/1 | abs", WEDGED, "REFUSE 255", obs="queue-empty")
case("e088-queue-contradicted", "Said that the queue is empty, but the record moves.",
     "attest queue contradicted", "1/1 | abs", "accepted@7200", "WAIT 301",
     obs="queue-empty heartbeat=yes")

# ---- f: hostile or damaged evidence --------------------------------------------------------


def swap(old, new):
    def change(data):
        if data.count(old.encode()) < 1:
            raise SystemExit("tests/cases/make: nothing to damage: " + old)
        return data.replace(old.encode(), new if isinstance(new, bytes) else new.encode(), 1)
    return change


def edit(change):
    def damage(data):
        record = json.loads(data)
        change(record)
        return json.dumps(record, sort_keys=True, separators=(",", ":")).encode()
    return damage


def put(path, value):
    def change(record):
        *way, last = path.split(".")
        for key in way:
            record = record[int(key) if key.isdigit() else key]
        record[int(last) if last.isdigit() else last] = value
    return edit(change)


damaged("f001-index", "The record host points at no candidate.", "damage index", "outside",
        put("nova_last.record_host", 2))
damaged("f002-index-same-host", "A candidate is said to be the same host as one that is not there.",
        "damage index", "outside", put("candidates.1.same_uuid_as", 5))
damaged("f003-no-candidates", "Indexes without any candidate.", "damage index", "outside",
        put("candidates", []))
damaged("f004-enum", "A job that is none.", "damage enum", "candidates[0].last.job",
        put("candidates.0.last.job", "sideways"))
damaged("f005-enum-number", "An enumeration by number.", "damage enum", "nova_last.vm_state",
        put("nova_last.vm_state", 1))
damaged("f006-negative-count", "Minus two rounds.", "damage count", "observation.rounds",
        put("observation.rounds", -2))
damaged("f007-too-big", "An integer beyond 2^53.", "damage count", "observation.last_round_ms",
        put("observation.last_round_ms", 9007199254740992))
damaged("f008-overflow", "An integer beyond 64 bits.", "damage count", "JSON",
        swap('"nova_reads":2', '"nova_reads":99999999999999999999'))
damaged("f009-float", "A float.", "damage count", "observation.rounds",
        put("observation.rounds", 3.5))
damaged("f010-bool", "A boolean where a number belongs.", "damage count", "observation.rounds",
        put("observation.rounds", True))
damaged("f011-null", "Null where a fact belongs.", "damage count", "nova_last.mig_id",
        put("nova_last.mig_id", None))
damaged("f012-duplicate", "A key twice: the second would win.", "damage duplicate", "duplicate",
        swap('"nova_agreed":"yes"', '"nova_agreed":"no","nova_agreed":"yes"'))
damaged("f013-too-deep", "Nested a thousand deep.", "damage deep", "deep",
        swap('"gates":null', '"gates":' + "[" * 1000 + "]" * 1000))
damaged("f014-truncated", "Cut off in the middle.", "damage truncated", "JSON",
        lambda data: data[:len(data) // 2])
damaged("f015-empty", "An empty file.", "damage truncated", "JSON", lambda data: b"")
damaged("f016-trailing", "A second document behind the first.", "damage truncated", "JSON",
        lambda data: data + data[:40])
damaged("f017-not-json", "No JSON at all.", "damage truncated", "JSON",
        lambda data: b"RESET: yes\n")
damaged("f018-list", "A list instead of an object.", "damage shape", "object",
        lambda data: b"[" + b"1]")
damaged("f019-unknown-key", "A key that nobody knows.", "damage shape", "force",
        put("observation.force", "yes"))
damaged("f020-missing-key", "A fact is missing.", "damage shape", "heartbeat",
        edit(lambda record: record["observation"].pop("heartbeat")))
damaged("f021-schema", "Another schema.", "damage shape", "schema",
        put("schema", "unwedge.evidence/2"))
damaged("f022-65-candidates", "One candidate too many.", "damage shape", "64",
        put("candidates", [{} for _ in range(65)]))
damaged("f023-long-text", "A name longer than its bound.", "damage text", "names.name",
        put("names.name", "x" * 256))
damaged("f024-nul", "A NUL within a text.", "damage text", "evidence.json",
        swap('"name":"web-1"', '"name":"web\\u00001"'))
damaged("f025-not-utf8", "A byte that is not UTF-8.", "damage text", "JSON",
        swap('"name":"web-1"', b'"name":"web\xff1"'))
damaged("f026-no-uuid", "An instance that is no UUID.", "damage text", "names.instance",
        put("names.instance", "../../etc"))
damaged("f027-policy-mask", "A policy that accepts statements which do not exist.", "damage policy",
        "policy.attest_accepted", put("policy.attest_accepted", 32))
damaged("f028-policy-valid", "A policy that is more than valid.", "damage policy", "policy.valid",
        put("policy.valid", 2))
damaged("f029-digest", "A digest that is none.", "damage policy", "policy_digest",
        put("policy_digest", "sha256:00"))
damaged("f030-gates", "Gates that are no object.", "damage gates", "gates", put("gates", [1]))
damaged("f031-guard-code", "A guard whose code is none.", "damage gates", "guards[0]",
        put("gates", {"facts": {}, "guards": [{"code": 999, "text": "x"}]}))
damaged("f032-many-guards", "More guards than there are gates.", "damage gates", "guards",
        put("gates", {"facts": {}, "guards": [{"code": 501, "text": "x"}] * 17}))
damaged("f033-attestations", "A statement by nobody.", "damage shape", "attestations[0]",
        put("attestations", [{"fact": "queue-empty", "reason": "x"}]))
damaged("f034-mistyped-host", "A candidate that is a text.", "damage shape", "candidates[1]",
        put("candidates.1", "cmp-b"))

case("f040-policy-invalid", "The recorded policy was never valid: it permits nothing.",
     "damage policy", "1/1 | abs", CLEAN, "UNKNOWN 901", policy="site valid=0")
case("f041-policy-one-round", "The recorded policy asks for one round, which no policy may.",
     "damage policy", "1/1 | abs", CLEAN, "UNKNOWN 901", policy="site observe_rounds=1",
     obs="rounds=3")
case("f042-terminal-escapes", "A server's name that would drive the terminal is shown harmless.",
     "hostile name", "1/1 | abs", CLEAN, "RESET 101",
     names={"name": "web\x1b[2J\x1b]0;x\x07\r\nverdict: RESET"})
case("f047-escapes-in-host", "A host's name that would drive the terminal is shown harmless.",
     "hostile name", "1/1 | abs", CLEAN, "RESET 101",
     names={"0.host": "cmp-a\x1b[31m", "1.hypervisor_hostname": "b\x9b2J"})
case("f043-shell-in-host", "A host name with shell characters must not become a command.",
     "hostile name", "abs | 1/2", WEDGED, "REFUSE 202",
     names={"1.host": "cmp-b;reboot $(id)", "1.hypervisor_hostname": "cmp-b;reboot $(id)"})
case("f044-error-text", "An error text of a host with line breaks and escapes.", "hostile name",
     "1/1 | unreachable", CLEAN, "UNKNOWN 401",
     names={"1.detail": "refused\n verdict: RESET  UW-101\x1b[1A"})
case("f045-long-names", "Names as long as they may be.", "hostile name", "1/1 | 1/2", WEDGED,
     "REFUSE 201", names={"name": "n" * 255, "0.host": "a" * 255, "1.host": "b" * 255})
case("f046-same-names", "Two candidates with one name are still two.", "hostile name",
     "1/1 | abs", CLEAN, "RESET 101", names={"0.host": "cmp-a", "1.host": "cmp-a "})

# ---- g: policy and guards ------------------------------------------------------------------

case("g001-statement-wanted", "Dead source, guest on H, under standard: `down` is not dead, so a "
     "statement is asked for; starting nova-compute on H would cure it too.",
     "nova 3, lab w1, rulings nova row-3, rulings ladder 3", "1/1 svc=down | abs", WEDGED,
     "REFUSE 508 owner=cmp-a rung=start_compute")
case("g002-automation", "The same under automation.", "rulings nova row-3", "1/1 svc=down | abs",
     WEDGED, "REFUSE 508", policy="automation")
case("g003-observe-only", "The same under observe-only.", "rulings nova row-3",
     "1/1 svc=down | abs", WEDGED, "REFUSE 508", policy="observe-only")
case("g004-preparing-lab", "Preparing: every policy asks for the statement, also lab.",
     "rulings nova row-3", "1/1 svc=down | abs", "preparing@7200", "REFUSE 508", policy="lab")
case("g005-queued-lab", "Queued: the same.", "rulings nova row-3", "1/1 svc=down | abs",
     "queued@7200", "REFUSE 508", policy="lab")
case("g006-h-is-dest", "The dead service is the source's and H is the destination: the statement "
     "is wanted, and starting H's service is no cure.", "nova 34, rulings ladder 3",
     "1/2 | abs svc=down", "running@7200 src=1 dst=0", "REFUSE 508 rung=escalate")
case("g007-accepted-not-started", "Accepted with a dead service on H: starting it would carry the "
     "order out.", "nova 4, rulings nova row-4, rulings ladder 3", "1/1 svc=down | abs",
     "accepted@7200", "REFUSE 256 rung=escalate")
case("g008-automation-resets", "Automation accepts compute-stopped.", "attest stopped accepted",
     "1/1 svc=down stopped | abs", WEDGED, "RESET 101", policy="automation")
case("g009-observe-only-safe", "All of SAFE holds under observe-only: the decision says so, the "
     "guard that it never writes leads.", "guard never-writes", "1/1 | abs", CLEAN,
     "REFUSE 509 +101", policy="observe-only",
     guards=[(509, "apply.allow is false: the policy in force never acts")])

GUARDS = ((501, "kill-switch", "the kill switch is on: /etc/unwedge/stop is there"),
          (502, "freeze", "the freeze window Fri 18:00-Mon 06:00 is in force"),
          (503, "storm", "7 instances look wedged at once, the limit is 5"),
          (504, "rate-limit", "6 resets in the last 3600 s, the limit is 6"),
          (505, "cooldown", "this instance was reset 600 s ago, the policy asks for 3600 s"),
          (506, "denied-scope", "host cmp-a is denied by deny.hosts"),
          (507, "open-intent", "an earlier run has an intent without an outcome"),
          (508, "statement", "compute-stopped is required by attest.required"))
for number, slug, line in GUARDS:
    case("g0%d-%s" % (number - 491, slug), "All of SAFE holds and the gate %s says no; its line is "
         "shown, and that the decision itself was for a reset." % slug, "guard " + slug,
         "1/1 | abs", CLEAN, "REFUSE %d +101 owner=cmp-a" % number, guards=[(number, line)],
         says=[line], lacks=["SAFE does not hold"] if number == 501 else ())
case("g020-two-guards", "Two gates say no: the first leads, both are listed.", "guard storm",
     "1/1 | abs", CLEAN, "REFUSE 503 +504 +101",
     guards=[(503, GUARDS[2][2]), (504, GUARDS[3][2])])
case("g021-guard-beside-refusal", "A gate beside a refusal of the decision: the refusal leads.",
     "rulings precedence", "1/1 | 1/2", CLEAN, "REFUSE 201 +501 -101",
     guards=[(501, GUARDS[0][2])])
case("g022-guard-beside-wait", "A gate beside a wait: the wait leads.", "rulings precedence",
     "1/1 OUT | 3/2 IN", "running@3", "WAIT 301 +501", guards=[(501, GUARDS[0][2])])

# ---- h: races ------------------------------------------------------------------------------

case("h001-heartbeat", "Guest on H without a job, but Nova's heartbeat moves: somebody is at work.",
     "rulings nova heartbeat, nova 6", "1/1 | abs", "running@3", "WAIT 301", obs="heartbeat=yes")
case("h002-heartbeat-terminal", "The record is terminal but the server still moves.",
     "rulings nova heartbeat", "1/1 | abs", CLEAN, "WAIT 301", obs="heartbeat=yes")
case("h003-restarted-guest", "The guest's domain id changed between the looks: it was restarted.",
     "libvirt 33", "1/1 first.domain_id=6 | abs", CLEAN, "UNKNOWN 406")
case("h004-job-ended", "The job ended during the observation.", "libvirt 33",
     "1/1 first.job=out | abs first.presence=present first.active=yes first.state=3 "
     "first.reason=2 first.job=in", WEDGED, "UNKNOWN 406")
case("h005-job-began", "A job began during the observation; wait.", "nova 8",
     "1/1 OUT first.job=none | 3/2 IN first.presence=absent", "running@3", "WAIT 301 -406")
case("h006-copy-vanished", "A copy on the destination vanished during the observation.",
     "libvirt 33", "1/1 | abs first.presence=present first.active=yes first.state=3 "
     "first.reason=1 first.job=none", CLEAN, "UNKNOWN 406")
case("h007-record-changed", "The record became failed during the observation: too fresh to say.",
     "rulings nova heartbeat", "1/1 | abs", "failed@10 first.mig_status=running", "UNKNOWN 406",
     obs="heartbeat=yes")
case("h008-host-changed", "Nova changed the record host during the observation.",
     "rulings nova rows-11-13", "1/2 | abs", "completed@700 src=1 dst=0 first.host=1",
     "UNKNOWN 406")
case("h009-reached-later", "A host answered only in the last look.", "libvirt 33",
     "1/1 | abs first.reach=timeout first.presence=unknown", CLEAN, "UNKNOWN 406")
case("h010-lost-later", "A host answered only in the first look.", "libvirt 33, nova 28",
     "1/1 | timeout first.reach=ok first.presence=absent", CLEAN, "UNKNOWN 402")
case("h011-moved-during", "The guest moved during the observation.", "rulings nova rows-11-13",
     "abs first.presence=present first.active=yes first.state=1 first.reason=1 first.job=out | "
     "1/2 first.state=3 first.job=in", "completed@30 first.mig_status=running", "UNKNOWN 406 -201",
     obs="heartbeat=yes")
case("h012-blind-reset-alive", "Somebody reset while the job was alive: not migrating in Nova, and "
     "migrating in libvirt.", "lab w7, contract not-migrating", "1/1 OUT | 3/2 IN",
     "running@30 task=none newer=other", "WAIT 301")

case("h013-healed-during", "Nova healed it during the observation: what was seen changed; look "
     "again.", "rulings nova heartbeat", "1/1 | abs", "error@5 task=none first.task=migrating",
     "UNKNOWN 406", obs="heartbeat=yes")
case("h014-status-moves-with-job", "The record moved on while the job runs; wait.", "nova 8",
     "1/1 OUT | 3/2 IN", "running@3 first.mig_status=preparing", "WAIT 301 -406",
     obs="heartbeat=yes")
case("h015-error-flapping", "Error, and the source's service went down during the observation: the "
     "longer bound counts.", "rulings nova error-record, age error-up below", "1/1 svc=down "
     "service_first=up service_agreed=no | abs", "error@300", "WAIT 306 again=300")

# ---- n: Nova's side ------------------------------------------------------------------------

case("n001-completed-on-source", "Completed, yet the guest runs on the source, which is H: the "
     "post steps removed its volumes.", "nova 7, rulings nova rows-7-34", "1/1 | abs",
     "completed@700", "REFUSE 215 owner=cmp-a")
case("n002-accepted", "Accepted and stale: the order may wait in the queue.",
     "nova 4, rulings nova row-4", "1/1 | abs", "accepted@7200 dst=-1", "REFUSE 256")
case("n003-accepted-below", "Accepted, a second below the bound.", "age nonterminal-up below",
     "1/1 | abs", "accepted@3599", "WAIT 306 again=1", obs="queue-empty")
case("n004-accepted-at", "Accepted, at the bound.", "age nonterminal-up at", "1/1 | abs",
     "accepted@3600", "RESET 101", obs="queue-empty")
case("n005-accepted-down-below", "Accepted, service down, a second below that bound.",
     "age nonterminal-down below", "1/1 svc=down | abs", "accepted@119", "WAIT 306 again=1",
     obs="queue-empty")
case("n006-accepted-down-at", "Accepted, service down, at that bound.", "age nonterminal-down at",
     "1/1 svc=down | abs", "accepted@120", "RESET 101", obs="queue-empty")
case("n010-stale-up", "Non-terminal, stale, the source's service is up: it may own the migration; "
     "a restart there aborts H's other live migrations.", "nova 5, rulings nova row-5", "1/1 | abs",
     WEDGED, "REFUSE 255", says=["other live migrations"], lacks=["nothing is at work any more"])
case("n011-fresh", "Non-terminal and fresh; wait.", "nova 6", "1/1 | abs", "preparing@30",
     "WAIT 306 again=3570")
case("n012-running-below", "Running, service up, a second below the bound.",
     "age nonterminal-up below, nova 6", "1/1 | abs", "running@3599", "WAIT 306 again=1")
case("n013-running-at", "Running, service up, at the bound: still not ours.",
     "age nonterminal-up at, nova 5", "1/1 | abs", "running@3600", "REFUSE 255")
case("n014-running-down-below", "Running, source seen gone, a second below that bound.",
     "age nonterminal-down below, nova 6", "1/1 svc=down stopped | abs", "running@119",
     "WAIT 306 again=1")
case("n015-running-down-at", "Running, source seen gone, at that bound.",
     "age nonterminal-down at", "1/1 svc=down stopped | abs", "running@120", "RESET 101")
case("n016-forced-down", "Forced down says nothing about the process.", "nova 5",
     "1/1 svc=forced_down | abs", WEDGED, "REFUSE 255")
case("n017-service-unknown", "What the source's service is doing is not known.", "nova 5",
     "1/1 svc=unknown | abs", WEDGED, "REFUSE 255")
case("n018-service-flapping", "The source's service went down during the observation.", "nova 5",
     "1/1 svc=down service_first=up service_agreed=no | abs", WEDGED, "REFUSE 255")
case("n020-failed-below", "Failed, a second below the bound.", "age terminal below, nova 1",
     "1/1 | abs", "failed@119", "WAIT 306 again=1")
case("n021-failed-at", "Failed, at the bound.", "age terminal at", "1/1 | abs", "failed@120",
     "RESET 101")
case("n022-cancelled-below", "Cancelled, a second below the bound.", "age terminal below",
     "1/1 | abs", "cancelled@119", "WAIT 306 again=1")
case("n023-error-up-below", "Error, service up: the status is set before the rollback ends.",
     "age error-up below, rulings nova error-record", "1/1 | abs", "error@599", "WAIT 306 again=1")
case("n024-error-up-at", "Error, service up, at that bound.",
     "age error-up at, rulings nova error-record", "1/1 | abs", "error@600", "RESET 101")
case("n025-error-down-below", "Error, service down, a second below the bound.",
     "age error-down below", "1/1 svc=down | abs", "error@119", "WAIT 306 again=1")
case("n026-error-down-at", "Error, service down, at the bound.", "age error-down at",
     "1/1 svc=down | abs", "error@120", "RESET 101")
case("n027-completed-dest-below", "Completed, H is the destination, a second below the bound.",
     "age terminal below", "1/2 | abs", "completed@119 src=1 dst=0", "WAIT 306 again=1")
case("n028-future", "The record was changed in the future, by that cloud's own clock: age nought.",
     "contract age", "1/1 | abs", "failed@-50", "WAIT 306 again=120")
case("n029-lab-below", "The lab's own short bound, a second below.", "age terminal below",
     "1/1 | abs", "failed@2", "WAIT 306 again=1", policy="lab")
case("n030-lab-at", "The lab's own short bound.", "age terminal at", "1/1 | abs", "failed@3",
     "RESET 101", policy="lab")
case("n031-missing-young", "No record yet, a second below the bound.", "age missing-young below",
     "1/1 | abs", "missing@119", "WAIT 306 again=1")
case("n032-missing-pending", "No record: the order may wait in the queue.",
     "rulings nova missing, age missing-young at", "1/1 | abs", "missing@120", "REFUSE 256")
case("n033-missing-below", "No record, a second below the hour.",
     "age missing below, rulings nova missing", "1/1 | abs", "missing@3599", "REFUSE 256")
case("n034-missing-at", "No record for an hour, a conductor up.",
     "age missing at, rulings nova missing, nova 2", "1/1 | abs", "missing@3600", "RESET 101")
case("n035-missing-no-conductor", "No record for hours, but no conductor was up at every reading.",
     "rulings nova missing, nova 2", "1/1 | abs", "missing@7200", "REFUSE 256",
     obs="conductor_always_up=no")
case("n036-missing-no-action", "No record and no action either: the server's own age counts.",
     "rulings nova missing", "1/1 | abs", "missing@3599 action_start_s=-1", "REFUSE 256")
case("n040-queued", "Queued behind another migration from the same source, for a day; wait.",
     "rulings nova queued", "1/1 | abs", "queued@86400 queued_behind=yes", "WAIT 305 rung=wait")
case("n041-queued-unknown", "Whether it is queued behind another is not known; wait.",
     "rulings nova queued", "1/1 svc=down stopped | abs", "queued@86400 queued_behind=unknown",
     "WAIT 305")
case("n048-queued-source-down", "Queued behind another record, yet the queue died with nova-compute: wait, "
     "and the way on is said.", "rulings nova queued", "1/1 svc=down | abs",
     "queued@86400 queued_behind=yes", "WAIT 305 rung=wait",
     says=("Start nova-compute there",))
case("n042-queued-alone-up", "Queued behind nothing, stale, service up.", "nova 5", "1/1 | abs",
     "queued@7200", "REFUSE 255")
case("n043-post-copy-on-source", "The record says post-copy, yet H is the source and runs.",
     "rulings nova list-hides", "1/1 svc=down stopped | abs", "post-copy@7200", "REFUSE 215")
case("n044-record-of-others", "H is neither end of the newest record.", "nova 34",
     "1/1 | abs | abs", "failed@700 src=1 dst=2", "REFUSE 215")
case("n045-status-other", "A status that nobody knows.", "contract record", "1/1 | abs",
     "other@700", "REFUSE 215")
case("n046-status-unknown", "A record without a status.", "contract record", "1/1 | abs",
     "unknown@700", "REFUSE 215")
case("n047-cold-record", "The newest record is a cold migration's, yet the task is live.",
     "contract record", "1/1 | abs", "failed@700 mig_type=migration", "REFUSE 215")
case("n050-vm-error", "vm_state error with task migrating is healed by nothing.",
     "rulings nova vm-error, nova 9.2.2", "1/1 | abs", "failed@700 vm=error", "REFUSE 252")
case("n051-vm-error-up", "The same with a statement that the service contradicts.",
     "rulings nova vm-error, attest stopped contradicted", "1/1 svc=up stopped | abs",
     "failed@700 vm=error", "REFUSE 252")
case("n052-vm-error-down", "Down alone does not clear it.", "rulings nova vm-error",
     "1/1 svc=down | abs", "error@700 vm=error", "REFUSE 252")
case("n053-vm-stopped", "Stopped and migrating.", "nova 9.2.2", "1/1 | abs",
     "failed@700 vm=stopped", "REFUSE 253")
case("n054-vm-deleted", "Deleted and migrating.", "nova 9.2.3", "1/1 | abs",
     "failed@700 vm=deleted", "REFUSE 253")
case("n055-vm-shelved", "Shelved and migrating.", "nova 9.2.3", "1/1 | abs",
     "failed@700 vm=shelved", "REFUSE 253")
case("n056-vm-resized", "Resized, and its confirmation at work: not a live migration.",
     "contract task", "1/1 | abs", "failed@700 vm=resized task=other", "REFUSE 251")
case("n069-vm-resized-migrating", "Resized and migrating.", "contract task", "1/1 | abs",
     "failed@700 vm=resized", "REFUSE 253")
case("n057-task-resize", "A resize owns the instance.", "contract task", "1/1 | abs",
     "failed@700 task=resize", "REFUSE 251")
case("n058-task-deleting", "A delete owns the instance: a reset would clear it blindly.",
     "rulings nova other-task, nova 9.2.1", "1/1 | abs", "failed@700 task=deleting", "REFUSE 253")
case("n059-task-rebuilding", "An evacuation was asked for while migrating.",
     "rulings nova other-task, lab w9-evacuate", "1/1 svc=down | abs", "failed@700 task=rebuilding",
     "REFUSE 253")
case("n060-task-other", "Some other task owns the instance.", "rulings nova other-task",
     "1/1 | abs", "failed@700 task=other", "REFUSE 253")
case("n061-evacuation-pending", "An evacuation is accepted or at work.",
     "rulings nova evacuation, nova 9.2.8", "1/1 | abs", "failed@700 evac=pending", "REFUSE 254")
case("n062-evacuation-newer", "An evacuation was done after the migration.",
     "rulings nova evacuation, nova 9.2.8", "1/1 | abs", "failed@700 evac=done_newer", "REFUSE 254")
case("n063-newer-action", "Somebody rebooted it after the migration began.", "nova 9.2.7",
     "1/1 | abs", "failed@700 newer=other", "REFUSE 257")
case("n064-not-libvirt", "The instance runs on another hypervisor.", "nova 9.2.5", "1/1 | abs",
     "failed@700 hv=other", "REFUSE 250")
case("n065-not-libvirt-first", "That is decided before anything is said of hosts.", "nova 9.2.5",
     "1/1 | unreachable", "failed@700 hv=other", "REFUSE 250")
case("n066-older-unfinished", "An older record never ended: residue, not a gate.",
     "nova 9.2.9, rulings nova newest-only", "1/1 | abs", "failed@700 older_nonterminal=2",
     "RESET 101")
case("n067-split-beside-nova", "Two guests run and Nova's side refuses too: the split brain leads.",
     "rulings precedence", "1/1 | 1/2", "failed@700 vm=error", "REFUSE 201 +252")
case("n068-wait-over-refusal", "A job runs and Nova's side refuses: wait leads.",
     "rulings precedence", "1/1 OUT | 3/2 IN", "running@3 newer=other", "WAIT 301 +257")


# ---- r: the words follow the release of Nova -------------------------------------------------
# The verdict never does. Releases are known by their maximum microversion.

UPDATE = ("UPDATE instances SET host='cmp-b', node='cmp-b.example.net', launched_on='cmp-b', "
          "task_state=NULL")
WITH_ID = (", compute_id=(SELECT id FROM compute_nodes WHERE host='cmp-b' AND "
           "hypervisor_hostname='cmp-b.example.net' AND deleted=0)")
WHERE = (" WHERE uuid='5f0c2c5e-9d4e-4a52-8a4f-1f3c2b7a9e10' AND host='cmp-a' AND "
         "task_state='migrating' AND deleted=0;")
BY_ITSELF = "leaves it so when the last step of a live migration fails on cmp-b"
NOT_BY_ITSELF = "does not leave it so by itself: a failed last step gives vm_state error there"
CUTS = "A reset would also cut its network"
LISTED = "--os-compute-api-version 2.89 server volume list"
FORCED = "heal_allocations --instance 5f0c2c5e-9d4e-4a52-8a4f-1f3c2b7a9e10 --force"
SERVICE = "(with role service: an admin's token gets 403)"


def moved(name, text, max_minor, says=(), lacks=()):
    case(name, text, "nova 11", "abs | 1/2", "completed@7200 max_minor=%d" % max_minor,
         "REFUSE 202 owner=cmp-b rung=escalate", says=says, lacks=lacks)


moved("r001-moved-train", "The canonical wedge on Train: no compute_id, no attachment ids, no "
      "forced heal.", 79,
      ["Nova 2.79 (Train) " + BY_ITSELF, UPDATE + WHERE, CUTS, "FROM block_device_mapping",
       "allocation delete 5f0c2c5e-9d4e-4a52-8a4f-1f3c2b7a9e10 ; nova-manage"],
      ["compute_id", LISTED, "--force", SERVICE])
moved("r002-moved-ussuri", "On Ussuri, which shares its maximum with Victoria: only what both have.",
      87, ["Nova 2.87 (Ussuri or Victoria) " + BY_ITSELF, "FROM block_device_mapping"],
      ["compute_id", LISTED, "--force"])
moved("r003-moved-zed", "On Zed.", 93,
      ["Nova 2.93 (Zed) " + BY_ITSELF, UPDATE + WHERE, CUTS, LISTED, FORCED], ["compute_id", SERVICE])
moved("r004-moved-2023-1", "On 2023.1, which shares its maximum with 2023.2: both statements, and "
      "how to tell which.", 95,
      ["Nova 2.95 (2023.1 or 2023.2) " + BY_ITSELF, UPDATE + WHERE, UPDATE + WITH_ID + WHERE,
       "SHOW COLUMNS FROM instances LIKE 'compute_id'", CUTS], [SERVICE])
moved("r005-moved-2024-1", "On 2024.1: compute_id in the statement, bindings by role service.", 96,
      ["Nova 2.96 (2024.1 or 2024.2) " + BY_ITSELF, UPDATE + WITH_ID + WHERE, CUTS, SERVICE,
       "late builds of 2024.1"], [UPDATE + WHERE, "SHOW COLUMNS"])
moved("r006-moved-2025-1", "On 2025.1, which does not make it by itself, and leaves ports alone.",
      100, ["Nova 2.100 (2025.1 or 2025.2) " + NOT_BY_ITSELF, UPDATE + WITH_ID + WHERE, SERVICE],
      [BY_ITSELF, CUTS, UPDATE + WHERE])
moved("r007-moved-newer", "On a release newer than this program: what 2026.1 has.", 120,
      ["Nova 2.120 (newer than 2026.1) " + NOT_BY_ITSELF, UPDATE + WITH_ID + WHERE], [CUTS])
moved("r008-moved-between", "Between two releases what differs is not claimed.", 98,
      ["Nova", UPDATE + WITH_ID + WHERE], [BY_ITSELF, NOT_BY_ITSELF, CUTS])
moved("r009-moved-unknown", "The release is not told: said so that it holds for each.", -1,
      ["On Nova 2023.2 and later, in the same SET: compute_id=", UPDATE + WHERE, LISTED, FORCED,
       "(role service since 2024.1)"], [BY_ITSELF, NOT_BY_ITSELF, CUTS, SERVICE])
moved("r010-moved-healed", "After a restart of nova-compute took the task away, on 2024.1.", 96,
      ["task_state IS NULL AND deleted=0;", WITH_ID], [BY_ITSELF, "task_state='migrating'"])
CASES[-1].nova = "completed@7200 max_minor=96 task=none"
DEAD = "1/1 svc=down stopped | abs"
AS_GOOD = "As good, if it can be started: start nova-compute on cmp-a"
case("r011-reset-train", "A dead source on Train: reset, and no word of starting it instead.",
     "nova 3", DEAD, "running@7200 max_minor=79", "RESET 101 owner=cmp-a rung=reset",
     says=["before 20.2.0 it clears the state", "Nova 2.79 (Train) keeps no action of a reset",
           "only the one of cmp-a may be there"],
     lacks=[AS_GOOD, "also start_compute", "would end that record", LISTED, "--force"])
case("r012-reset-2025-1", "The same on 2025.1: starting it is as good; nobody mends the ports.",
     "nova 3", DEAD, "running@7200 max_minor=100", "RESET 101 owner=cmp-a rung=reset",
     says=[AS_GOOD, "also start_compute", "would end that record", LISTED, FORCED,
           "Nova 2.100 (2025.1 or 2025.2) does not set a wrong binding_host_id of a port right"],
     lacks=["keeps no action", "every 60 s"])
case("r013-reset-unknown", "The same where the release is not told.", "nova 3", DEAD,
     "running@7200 max_minor=-1", "RESET 101 owner=cmp-a rung=reset",
     says=[AS_GOOD, "also start_compute"], lacks=["binding_host_id of a port right", "keeps no action"])
case("r014-attest-train", "A dead source on Train, nobody's word yet: rung 3 is no cure there.",
     "nova 3, rulings ladder 3", "1/1 svc=down | abs", "running@7200 max_minor=79",
     "REFUSE 508 rung=escalate",
     says=["Nova 2.79 (Train): before 20.2.0 the start of nova-compute only clears the state",
           "--attest compute-stopped=cmp-a"], lacks=["Can it be started?"])
case("r015-attest-2025-1", "The same on 2025.1: starting it heals.", "nova 3, rulings ladder 3",
     "1/1 svc=down | abs", "running@7200 max_minor=100", "REFUSE 508 rung=start_compute",
     says=["Can it be started?"], lacks=["20.2.0"])
case("r016-orphaned-train", "The job runs on, its nova-compute is dead, on Train: not to be started.",
     "lab w3", "1/1 OUT svc=down | 3/2 IN", "running@7200 max_minor=79", "WAIT 301 +303 rung=wait",
     says=["Do not start it while the job runs: Nova 2.79 (Train)"],
     lacks=["that is a clean way out NOW"])
case("r017-finish-train", "The source's nova-compute may be at work, on Train.", "nova 5",
     "1/1 | abs", "running@7200 max_minor=79", "REFUSE 255",
     says=["Nova 2.79 (Train): before 20.2.0"], lacks=["Nova's own cure here"])
case("r018-failed-last-step", "What 2025.1 makes of a failed last step: vm_state error, the host "
     "already the destination. No wedge.", "contract not-migrating", "1/2 | abs",
     "error@700 vm=error task=none src=1 dst=0 max_minor=100", "NOTHING 1 owner=cmp-a",
     says=["No wedge: Nova 2.100 (2025.1 or 2025.2) ends so", "server reboot --hard"],
     lacks=["Nothing to do."])
case("r019-error-zed", "The same facts on Zed are not explained so.", "contract not-migrating",
     "1/2 | abs", "error@700 vm=error task=none src=1 dst=0 max_minor=93", "NOTHING 1 owner=cmp-a",
     says=["Nothing to do."], lacks=["ends so when"])
case("r020-queued-train", "Queued, its nova-compute dead, on Train: started only when no migration "
     "runs.", "rulings nova queued", "1/1 svc=down | abs", "queued@7200 queued_behind=yes max_minor=79",
     "WAIT 305", says=["once no live migration runs from cmp-a any more"],
     lacks=["is aborted by that"])
