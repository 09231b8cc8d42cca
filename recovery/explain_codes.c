/*
 * The general text of every code: what it means, what to do, what never to do. The lines
 * with an instance's real values are explain_next.c's.
 */
#include "recovery/explain.h"

#define BREAK_GLASS " By hand: `unwedge explain break-glass`."
#define NEVER_RESET "Never reset the state: "

static const struct rcv_code_text texts[] = {
    {RCV_CODE_NOT_WEDGED,
     "Nova is not migrating the instance, and the guest is where Nova has it (or is off, and Nova "
     "knows it is off).",
     "Nothing.", ""},
    {RCV_CODE_SAFE_TO_RESET,
     "The guest runs on Nova's record host alone: every other candidate said that it has none, no "
     "libvirt job is left, nothing moved during the observation, and no nova-compute can still be "
     "at work on the migration. What is wrong is one column in Nova's database.",
     "Make a plan, have it approved where the policy asks for that, apply it. Then read the "
     "residue: a reset clears task_state and nothing else.",
     "Never reset by hand without looking again first: what was true a minute ago may not be now."},
    {RCV_CODE_SPLIT_BRAIN,
     "libvirt on two hosts says at the same time that it runs this guest. Both may write to the "
     "same disks.",
     "Stop the writing now: suspend both where the disk has no lock, find out which copy is the "
     "live one, fence the other, check the filesystems. Page the storage and the application "
     "owner." BREAK_GLASS,
     "Never reset, never resume, stop, reboot, evacuate or delete the instance through Nova while "
     "both run. Never decide by `virsh list` on one host alone."},
    {RCV_CODE_OWNER_MOVED,
     "The migration ended in libvirt but not in Nova: the guest is up on another host than the "
     "one in Nova's database. Network, disks and allocations of Nova may point to either side.",
     "Leave the guest alone and put Nova's record right: stop nova-compute on the record host, "
     "one guarded UPDATE, then ports, volumes, allocations. No API can do it." BREAK_GLASS,
     NEVER_RESET
     "Nova would show ACTIVE on the wrong host, and the next start, hard reboot or "
     "evacuation boots a second copy on the same disks. Never restart nova-compute on the record "
     "host: it clears the state without looking. Never evacuate."},
    {RCV_CODE_SECOND_COPY,
     "Besides the guest there is another QEMU of it that sleeps, hangs, or was killed after the "
     "guest had been resumed elsewhere: it could run, or both have written.",
     "Find out what the other copy is; destroy it by hand only when the running one is certain; "
     "after a killed copy, check the disk." BREAK_GLASS,
     "Never reset the state, and never resume the second copy: without a disk lock it starts and "
     "writes."},
    {RCV_CODE_NO_OWNER,
     "Every candidate was asked, and none has the guest running or paused. It died during the "
     "migration, or libvirt lost track of a QEMU that lives on.",
     "Look for an orphan QEMU on every candidate and for watchers on the storage. When there are "
     "none, the guest is off: reset to error, and hard reboot, are a person's "
     "decision." BREAK_GLASS,
     NEVER_RESET "to active it would claim a guest that is not there. Never evacuate or start it "
                 "before an orphan process is ruled out."},
    {RCV_CODE_POSTCOPY_FAILED,
     "The guest was switched over before all its memory had been copied, and the stream broke: "
     "its memory is on two hosts, or lost with one of them.",
     "Leave both QEMU processes alive. If both are there, repair the network between the hosts "
     "and resume the post-copy in libvirt; if one is gone, the guest has to be booted "
     "anew." BREAK_GLASS,
     "Never resume, destroy or reboot either side before that is decided, never restart "
     "nova-compute, never reset: the paused side holds memory that exists nowhere else."},
    {RCV_CODE_SWITCHOVER_UNDECIDED,
     "Both sides are paused in the middle of the switch-over, and it has not gone on for the "
     "whole observation. The guest is down, and which side holds the newer state is not known "
     "to libvirt.",
     "Find out how far the switch-over came (QEMU log of both hosts, query-migrate). Usually the "
     "source is the one to resume, after the destination's QEMU is destroyed." BREAK_GLASS,
     "Never resume either side before the other is certainly destroyed. " NEVER_RESET
     "it resumes nothing."},
    {RCV_CODE_PAUSED_MIGRATION,
     "The switch-over was interrupted: the only copy is paused, without a job that would resume "
     "it. The guest is down.",
     "A person resumes it with virsh once it is certain that no other host has a copy; then look "
     "again." BREAK_GLASS,
     NEVER_RESET "Nova would show ACTIVE for a guest that is paused."},
    {RCV_CODE_PAUSED_BY_USER,
     "The guest is paused (vm_state paused, or paused by a user in libvirt). A reset would write "
     "ACTIVE over it for ever.",
     "Decide whether it should be paused. Resume it by hand, or reset and pause it "
     "again." BREAK_GLASS,
     NEVER_RESET "it loses the label `paused`."},
    {RCV_CODE_PAUSED_ERROR,
     "QEMU paused the guest because of an error (I/O error, watchdog, a failed resume).",
     "Find and remove the cause (disk errors, full storage, lost lock), resume the guest by hand, "
     "look again." BREAK_GLASS,
     NEVER_RESET "Nova would show ACTIVE for a guest that does not run."},
    {RCV_CODE_INCOMING_REMNANT,
     "A destination QEMU waits for a migration that no longer exists. It holds no guest, but it "
     "could be fed or resumed by hand.",
     "Destroy the remnant by hand on that host, after the owner is certain; look "
     "again." BREAK_GLASS,
     "Never resume it: an incoming copy waits for memory that does not come. " NEVER_RESET
     "it stays behind."},
    {RCV_CODE_OFF_UNKNOWN,
     "libvirt has the guest defined and off there, but cannot say why it is off (5/0, saved, or "
     "restored). A QEMU that libvirt lost track of may live beside that definition.",
     "Look on that host for a QEMU process of this UUID. If there is none and it is not the "
     "record host, undefine the leftover; look again." BREAK_GLASS,
     "Never take that host for empty. Never start the definition."},
    {RCV_CODE_MONITOR_STUCK,
     "libvirt lists the guest as active but its QEMU, or libvirt's own lock on it, does not "
     "answer. `running` is then only libvirt's memory of it.",
     "Look for hung storage or a QEMU in D state on that host; when it answers again, look "
     "again." BREAK_GLASS,
     NEVER_RESET "nobody knows whether the guest runs. Never kill it before the other side is "
                 "known to have no copy."},
    {RCV_CODE_FOREIGN_DOMAIN,
     "A domain with this UUID has another name or another project's metadata: it is not this "
     "instance.",
     "Find out who made it and which cloud it belongs to." BREAK_GLASS,
     "Never touch that domain because of this UUID. " NEVER_RESET
     "whose guest it is is not known."},
    {RCV_CODE_UNEXPECTED_HOST,
     "The guest runs on a host that neither Nova's record nor the newest migration names: "
     "somebody moved it by hand, or an older migration ended after a newer one began.",
     "Ask who moved it; then repair as for OWNER_MOVED, towards that host." BREAK_GLASS,
     NEVER_RESET "as for OWNER_MOVED."},
    {RCV_CODE_INCONSISTENT_RECORD,
     "Where the guest runs cannot be reached from what the migration record says (for example "
     "`completed`, and the guest on its source).",
     "Read nova-compute's log of both hosts for this migration; check volumes and ports by hand: "
     "Nova may have taken them from the host the guest is on." BREAK_GLASS,
     NEVER_RESET "disks or network may already be wired to the other host."},
    {RCV_CODE_NO_STABLE_OWNER,
     "A copy of the guest has crashed or is shutting down, and its QEMU may still hold the disks.",
     "Wait for it to end, or end it by hand; keep a crash dump if it matters; look "
     "again." BREAK_GLASS,
     NEVER_RESET "it would claim a running guest."},
    {RCV_CODE_STORAGE_JOB,
     "A disk of the guest is being mirrored or copied: usually what a broken block migration left.",
     "See whose job it is (virsh blockjob), abort it by hand if it is the migration's, look "
     "again." BREAK_GLASS,
     "Never reset or restart the guest while writes go to two places. Never pivot the job."},
    {RCV_CODE_NO_METADATA,
     "The domain has no Nova metadata, and the policy wants it, since UUID and name alone do not "
     "say whose guest it is.",
     "Compare disks and network of the domain with the instance by hand. Where domains without "
     "metadata are normal, the policy's identity.require_metadata is the place." BREAK_GLASS,
     NEVER_RESET "it may be another cloud's guest."},
    {RCV_CODE_SUSPENDED, "The guest sleeps (suspend to RAM, state pmsuspended).",
     "Wake it by hand, or leave it; then look again." BREAK_GLASS,
     NEVER_RESET "Nova would show ACTIVE, and its power sync may then stop the instance."},
    {RCV_CODE_NOT_LIBVIRT, "The hypervisor of the record host is not QEMU/KVM under libvirt.",
     "Use that hypervisor's own means." BREAK_GLASS,
     NEVER_RESET "nothing here can tell where the guest runs."},
    {RCV_CODE_NOT_LIVE_MIGRATION, "The instance is being resized or cold-migrated.",
     "Confirm, revert, or wait for it." BREAK_GLASS, NEVER_RESET "a half-done resize is lost."},
    {RCV_CODE_VM_STATE_ERROR,
     "vm_state is error with task_state migrating. Nova heals that pair by nothing, not even by "
     "a restart of nova-compute.",
     "Make sure that nova-compute on the record host is not at work on it (stopped, or restarted "
     "since), say so with --attest, and plan again: the reset then goes to active." BREAK_GLASS,
     "Never hide the error before its cause was read."},
    {RCV_CODE_OTHER_TASK,
     "Another task of Nova owns the instance (rebuilding, deleting, evacuating ...), or its "
     "vm_state does not fit a live migration.",
     "Let that task end, or treat it as what it is." BREAK_GLASS,
     NEVER_RESET "os-resetState clears any task blindly and exposes a half-done one."},
    {RCV_CODE_EVACUATION_RECORD,
     "An evacuation of the instance waits, or was done after the migration: another copy was or "
     "will be built from its disks.",
     "Find out who evacuates (an operator, masakari, Instance HA) and where the instance now "
     "belongs." BREAK_GLASS,
     "Never reset the state, and never start a second evacuation."},
    {RCV_CODE_MAY_STILL_FINISH,
     "The guest runs on the record host and no job is left, but the record never ended and the "
     "source's nova-compute is up: a thread of it may still be at work.",
     "Ask Nova to abort the migration; else restart or stop the source's nova-compute, say so "
     "with --attest, and plan again." BREAK_GLASS,
     NEVER_RESET "if the thread goes on, it puts the instance into error, or leaves Nova with "
                 "the wrong host."},
    {RCV_CODE_CAST_MAY_BE_PENDING,
     "The conductor's order to migrate may still wait in the message queue: it would start a "
     "migration that nobody asked for any more.",
     "Look at the queue compute.<host> of the source in the broker. When no such message waits, "
     "attest queue-empty and plan again." BREAK_GLASS,
     "Never reset the state, and never start the source's nova-compute, before the queue was looked "
     "at."},
    {RCV_CODE_NEWER_ACTION,
     "After the migration began, somebody did something else with the instance.",
     "Find out who and why; then look again." BREAK_GLASS,
     NEVER_RESET "two people repairing the same instance break it."},
    {RCV_CODE_STILL_MIGRATING,
     "libvirt still has a migration job, or Nova's numbers still move. It may end by itself; "
     "libvirt goes on even when nova-compute has died.",
     "Wait, and look again; `virsh domjobinfo` on the source shows the progress.",
     NEVER_RESET "it turns a healthy migration into one that Nova loses."},
    {RCV_CODE_JOB_STALLED,
     "The job is there but transferred nothing over the whole observation: the stream is cut, "
     "or the destination's QEMU hangs.",
     "Abort the migration through Nova while the source's nova-compute is up; otherwise a person "
     "aborts the libvirt job on the source.",
     "Never kill either QEMU; never abort in post-copy."},
    {RCV_CODE_JOB_ORPHANED,
     "The source's nova-compute is down, so nobody in Nova will finish what libvirt ends.",
     "Starting the source's nova-compute now aborts the job, and the guest stays: good now (not in "
     "Nova 20, Train). Otherwise wait for the job's end and look again.",
     "Never start it once the job has ended on the other side: it clears the state without "
     "looking where the guest is."},
    {RCV_CODE_POSTCOPY,
     "The guest already runs on the destination and still fetches memory from the source. There "
     "is no way back.",
     "Wait. Keep both hosts and the network between them up.",
     "Never restart libvirtd, nova-compute or either host, never abort, never kill the paused "
     "side: half of the guest's memory is there."},
    {RCV_CODE_QUEUED,
     "nova-compute of the source works on one live migration at a time (by default), and this "
     "one waits its turn. Nothing moves, and nothing is wrong.",
     "Wait; or abort the one that is waiting through Nova. Where its nova-compute is down, the queue "
     "is gone with it: start it.",
     NEVER_RESET "it would start later, from the queue, with nobody expecting it."},
    {RCV_CODE_TOO_YOUNG,
     "Everything else fits, but Nova's last change is recent: a live nova-compute may be between "
     "two steps.",
     "Look again at the time given.", NEVER_RESET "it could overtake the last step."},
    {RCV_CODE_OBSERVE_LONGER,
     "All of the conditions for a reset hold in what was seen, but not over the time and number "
     "of rounds that the policy asks for.",
     "Make a plan: it observes for the full time.", NEVER_RESET "the observation is not complete."},
    {RCV_CODE_SETTLING,
     "The hosts are in a state that libvirt or Nova normally leaves by itself within a minute.",
     "Look again at the time given.",
     NEVER_RESET "the last second of a healthy migration looks "
                 "like this."},
    {RCV_CODE_HOST_UNREACHABLE,
     "libvirt on a candidate host could not be reached or did not answer sensibly. Silence is not "
     "absence: the guest may run there.",
     "Make that host reachable, or have it fenced, and look again." BREAK_GLASS,
     NEVER_RESET "the other copy may be on the host that is silent."},
    {RCV_CODE_HOST_TIMEOUT,
     "A candidate host accepted the connection or was tried, but did not answer before the "
     "deadline: libvirtd or the host hangs.",
     "Look at libvirtd on that host; look again." BREAK_GLASS,
     NEVER_RESET "a hung host still runs its guests."},
    {RCV_CODE_HOST_AUTH_FAILED,
     "A candidate host refused the connection's credential (TLS, SASL, ssh, or libvirt's access "
     "control).",
     "Read the error, see whether the API answers, and look again." BREAK_GLASS,
     NEVER_RESET "nothing is known of that host."},
    {RCV_CODE_IDENTITY_MISMATCH,
     "What answered under a candidate's address is another host than expected (UUID or hostname).",
     "Check DNS, /etc/hosts and hosts.overrides of the configuration." BREAK_GLASS,
     NEVER_RESET "the host in question was not asked."},
    {RCV_CODE_SAME_HOST_TWICE,
     "Two candidate names lead to one and the same libvirt: one host was seen twice, the other "
     "not at all.",
     "Check DNS and hosts.uri / hosts.overrides of the configuration." BREAK_GLASS,
     NEVER_RESET "one of the two hosts was never asked."},
    {RCV_CODE_UNSTABLE_OBSERVATION,
     "A fact that decides changed while it was observed, or could not be read to the end: what "
     "was seen is not one picture.",
     "Look again in a minute. If it keeps changing, something or somebody is at work "
     "there." BREAK_GLASS,
     NEVER_RESET "things are moving."},
    {RCV_CODE_API_UNAVAILABLE, "Nova or Keystone did not answer as it should.",
     "Bring the API back; look again." BREAK_GLASS, "Never edit the database instead."},
    {RCV_CODE_API_HIDDEN,
     "Nova answered, but without what a decision needs: host names hidden from this credential, "
     "a cell that does not answer, or a state this version does not know.",
     "Use a project-scoped admin credential, which sees host fields and events, or bring the cell "
     "back." BREAK_GLASS,
     NEVER_RESET "a host that is not shown cannot be asked."},
    {RCV_CODE_TOO_MANY_CANDIDATES,
     "The instance has more candidate hosts or migration records than this tool examines; it "
     "never leaves any out.",
     "Look for the UUID on every hypervisor by hand." BREAK_GLASS,
     NEVER_RESET "not every host was asked."},
    {RCV_CODE_HOST_UNMAPPED,
     "There is no libvirt URI or no expected identity for a candidate host.",
     "Add it to hosts.overrides of the configuration; for a host that no longer exists, see "
     "host-gone." BREAK_GLASS,
     NEVER_RESET "that host was not asked."},
    {RCV_CODE_RUNS_ELSEWHERE,
     "The guest, or a job of it, was seen on a host other than the record host, while another "
     "candidate could not be observed.",
     "Make every candidate observable first." BREAK_GLASS,
     NEVER_RESET "never restart nova-compute on the record host, never evacuate: as for "
                 "OWNER_MOVED."},
    {RCV_CODE_KILL_SWITCH, "Somebody switched all acting off.",
     "Ask who, and why; the diagnosis above stands." BREAK_GLASS, "Never work around it by hand."},
    {RCV_CODE_FREEZE, "The policy forbids acts at this time.",
     "Wait for the end of the window, or have the policy changed by its owner." BREAK_GLASS, ""},
    {RCV_CODE_STORM,
     "So many instances are wedged at once that the cause is the cloud's (a broker, a database, "
     "a network), not theirs.",
     "Treat the incident first: message queue, database, network, in that order." BREAK_GLASS,
     "Never reset instance by instance while the cause is at work."},
    {RCV_CODE_RATE_LIMIT, "The number of resets the policy allows in this time was made.",
     "Wait, or ask why so many were needed." BREAK_GLASS, ""},
    {RCV_CODE_COOLDOWN, "This instance was reset a short time ago.",
     "Find out why it is wedged again." BREAK_GLASS, ""},
    {RCV_CODE_DENIED_SCOPE, "The policy excludes this instance, its project or its host.",
     "Ask the policy's owner." BREAK_GLASS, ""},
    {RCV_CODE_OPEN_INTENT,
     "The journal has an intent for this instance without an outcome: an earlier run may have "
     "sent the reset.",
     "`unwedge journal resolve` finds out from Nova's own list of actions." BREAK_GLASS,
     "Never send another reset before that is resolved."},
    {RCV_CODE_ATTESTATION_REQUIRED,
     "The source's nova-compute is reported down. Down is not dead: a stopped or hung process "
     "can come back and go on. The policy wants a person's word that it is really gone.",
     "Start it if it is really dead (Nova from 21, Ussuri, on then heals itself), or make sure that the process is "
     "gone and say so with --attest compute-stopped." BREAK_GLASS,
     "Never attest from the service list alone: look at the process on the host."},
    {RCV_CODE_NEVER_WRITES, "The policy in force only observes.",
     "Use a policy that may act, if it is yours to choose." BREAK_GLASS, ""},
    {RCV_CODE_EVIDENCE_INVALID,
     "The evidence or the policy is outside its own ranges. Nothing was decided on it.",
     "Observe anew. If it comes again, it is a defect: keep the file and report it." BREAK_GLASS,
     NEVER_RESET "nothing is known."},
    {RCV_CODE_NO_RULE,
     "The facts are complete, but no rule names this combination, so it is refused.",
     "Read the hosts side by side and decide by hand; report the combination." BREAK_GLASS,
     NEVER_RESET "what no rule names is not understood."},
};

const struct rcv_code_text *rcv_code_text(enum rcv_code code) {
  for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
    if (texts[i].code == code) {
      return &texts[i];
    }
  }
  return NULL;
}
