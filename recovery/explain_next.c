/*
 * What to do now, what never to do, and what a reset leaves behind, with the real values.
 * Commands are printed for a person; nothing here is ever run.
 */
#include "recovery/inner.h"
#include "recovery/text.h"

static struct rcv_story about(const struct rcv_story *s, int64_t i) {
  struct rcv_story other = *s;
  other.about = i;
  return other;
}

static int has(const struct rcv_story *s, enum rcv_code code) {
  for (int64_t i = 0; i < s->v->reasons && i < RCV_MAX_REASONS; i++) {
    if (s->v->reason[i].code == code) {
      return 1;
    }
  }
  return 0;
}

static int64_t where(const struct rcv_story *s, enum rcv_code code) {
  for (int64_t i = 0; i < s->v->reasons && i < RCV_MAX_REASONS; i++) {
    if (s->v->reason[i].code == code) {
      return s->v->reason[i].candidate;
    }
  }
  return -1;
}

static enum rcv_svc service_at(const struct rcv_story *s, int64_t i) {
  if (i < 0 || i >= s->e->candidates || i >= RCV_MAX_CANDIDATES) {
    return RCV_SVC_UNKNOWN;
  }
  return rcv_service_of(&s->e->candidate[i]);
}

static int unfinished(const struct rcv_story *s) {
  enum rcv_mig m = s->e->nova_last.mig_status;
  return s->e->nova_last.mig_present == RCV_TRI_YES &&
         (m == RCV_MIG_ACCEPTED || m == RCV_MIG_QUEUED || m == RCV_MIG_PREPARING ||
          m == RCV_MIG_RUNNING || m == RCV_MIG_POSTCOPY);
}

static int host_holds_copy(const struct rcv_story *s) {
  return rcv_story_holds(s, s->h, RCV_CLASS_PMIG) || rcv_story_holds(s, s->h, RCV_CLASS_PUSER) ||
         rcv_story_holds(s, s->h, RCV_CLASS_PERR) || rcv_story_holds(s, s->h, RCV_CLASS_SUSP) ||
         rcv_story_holds(s, s->h, RCV_CLASS_STUCK) || rcv_story_holds(s, s->h, RCV_CLASS_CRASHED) ||
         rcv_story_holds(s, s->h, RCV_CLASS_DYING);
}

static void look_again(const struct rcv_story *s, struct rcv_lines *l) {
  rcv_say(l, s,
          l->count > 0 ? "Then look again: unwedge diagnose %i"
                       : "Look again: unwedge diagnose %i");
}

/* ---- OWNER_MOVED: the repair ------------------------------------------------------------- */

static void repair_copy(const struct rcv_story *s, struct rcv_lines *l) {
  if (host_holds_copy(s)) {
    rcv_say(l, s,
            "First the stale copy on %H. Check on both hosts once more: virsh -c "
            "qemu:///system domstate --reason %i ; only while %T still says running, on %H: "
            "virsh -c qemu:///system destroy %i   (it ends the stale QEMU process; NEVER "
            "resume it)");
  } else if (rcv_story_holds(s, s->h, RCV_CLASS_OFF_UNKNOWN)) {
    rcv_say(l, s,
            "First %H: libvirt there cannot say why its definition is off. On %H: pgrep -af "
            "%i   must print nothing. A QEMU process there makes this a split brain: stop "
            "here.");
  } else if (rcv_story_holds(s, s->h, RCV_CLASS_OFF_DEFINITE)) {
    rcv_say(l, s,
            "%H still has a definition that is off: never start it; undefine it there after "
            "the last step: virsh -c qemu:///system undefine --keep-nvram %i");
  }
  if (service_at(s, s->e->nova_last.mig_source) == RCV_SVC_UP && unfinished(s)) {
    rcv_say(l, s,
            "nova-compute on %s is up and migration %M is `%S`: it may still be finishing. "
            "Read its log for %i first; if it says nothing new for some minutes, go on.");
  }
}

static void repair_sql(const struct rcv_story *s, struct rcv_lines *l) {
  rcv_say(l, s, "2. In the database of the cell, one guarded statement:");
  rcv_say(l, s, "   BEGIN;");
  rcv_say_update(s, l);
  rcv_say(l, s,
          "   COMMIT only if exactly 1 row was changed; else ROLLBACK and look again: "
          "somebody else was at work.");
}

static void repair_rest(const struct rcv_story *s, struct rcv_lines *l) {
  rcv_say_bindings(s, l);
  rcv_say_attachments(s, l);
  rcv_say3(l, s,
           "5. Placement: openstack resource provider allocation show %i ; must be %N's. If not: ",
           rcv_heal_words(s),
           " ; and if `openstack resource provider allocation show %m` is not empty: openstack "
           "resource provider allocation delete %m");
  if (unfinished(s)) {
    rcv_say(l, s,
            "6. Migration %M (%m) stays `%S`, and no API can end it; while it does, Nova "
            "refuses to delete the service of %s (409). In the database: UPDATE migrations "
            "SET status='completed' WHERE uuid='%m' AND status='%S';");
  } else {
    rcv_say(l, s, "6. Migration %M (%m) is `%S`: leave it, note the repair in your ticket.");
  }
  rcv_say(l, s,
          "7. Only now start nova-compute on %H, and look again: unwedge diagnose %i   "
          "must say NOT_WEDGED.");
}

static void next_moved(const struct rcv_story *s, struct rcv_lines *l) {
  if (rcv_story_holds(s, s->about, RCV_CLASS_RUN)) {
    rcv_say(l, s,
            "The guest is up and well on %T: there is no hurry, and it must not be touched. "
            "Nova's record is what is wrong, and no API can set it.");
  } else {
    rcv_say(l, s,
            "The guest's only copy is on %T, and it is paused there. Nova's record is what "
            "is wrong, and no API can set it; resume the guest only on %T, after the repair.");
  }
  rcv_say_how_it_came(s, l);
  rcv_say(l, s, "The repair, for a person with the rights; this tool never runs any of it:");
  repair_copy(s, l);
  rcv_say(l, s,
          "1. On %H: systemctl stop nova-compute   (or stop its container), and prove that "
          "it is dead: pgrep -af nova-compute   must print nothing.");
  repair_sql(s, l);
  repair_rest(s, l);
}

static void never_moved(const struct rcv_story *s, struct rcv_lines *l) {
  rcv_say(l, s,
          "Never reset the state (openstack server set --state ...): Nova would say ACTIVE "
          "on %H, and the next start or hard reboot boots a second copy there on the same "
          "disks.");
  if (rcv_story_has(s, RCV_TRAIT_PORTS_LEFT_ALONE) == RCV_TRI_NO) {
    rcv_say(l, s,
            "A reset would also cut its network: once nova-compute on %H is up, %R binds the ports "
            "to %H there (one of its instances every 60 s), while the guest is on %T.");
  }
  rcv_say(l, s,
          "Never start or restart nova-compute on %H before step 7: it clears task_state "
          "without looking where the guest is. Restarting it on %T changes nothing.");
  rcv_say(l, s,
          "Never evacuate, rebuild, hard reboot, shelve, resize or delete it through Nova "
          "before the repair is done.");
  if (host_holds_copy(s)) {
    rcv_say(l, s,
            "Never resume the copy on %H (virsh resume): without a disk lock it starts and "
            "writes.");
  }
}

/* ---- SPLIT_BRAIN -------------------------------------------------------------------------- */

static void next_split(const struct rcv_story *s, struct rcv_lines *l) {
  rcv_say(l, s,
          "Page the on-call of storage and the owner of project and application: data may "
          "be damaged right now.");
  rcv_say(l, s,
          "If the disks have no lock that both hosts honour (RBD without exclusive-lock, "
          "iSCSI or FC LUNs, locking=off), stop the writing first, on BOTH hosts:");
  for (int64_t i = 0; i < s->v->reasons && i < RCV_MAX_REASONS; i++) {
    if (s->v->reason[i].code == RCV_CODE_SPLIT_BRAIN) {
      struct rcv_story o = about(s, s->v->reason[i].candidate);
      rcv_say(l, &o, "   on %T: virsh -c qemu:///system suspend %i");
    }
  }
  rcv_say(l, s,
          "Then find out which copy is the live one: who wrote last (rbd lock ls / rbd "
          "status, /proc/locks on the image), which one's vCPU time grew (virsh domstats "
          "--vcpu %i on both), which switch port last saw its MAC, what its console and "
          "logs show, which one its users are connected to.");
  rcv_say(l, s,
          "Fence the other one: virsh -c qemu:///system destroy %i on that host only, or "
          "power the host off; keep its disk image or a snapshot until the data was checked.");
  rcv_say(l, s, "Check the filesystems from inside before the remaining copy is resumed.");
  look_again(s, l);
}

static void never_split(const struct rcv_story *s, struct rcv_lines *l) {
  rcv_say(l, s,
          "Never reset, stop, start, reboot, migrate, evacuate or delete it through Nova "
          "while two copies exist: Nova sees only %H.");
  rcv_say(l, s,
          "Never destroy both, and never destroy one before it is known which one has the "
          "data.");
}

/* ---- other ownership ---------------------------------------------------------------------- */

static void next_paused_migration(const struct rcv_story *s, struct rcv_lines *l) {
  if (has(s, RCV_CODE_OFF_UNKNOWN)) {
    struct rcv_story o = about(s, where(s, RCV_CODE_OFF_UNKNOWN));
    rcv_say(l, &o,
            "First prove that no QEMU of it lives on %T, where libvirt cannot say why it is "
            "off: on %T: pgrep -af %i   must print nothing.");
  }
  rcv_say(l, s,
          "The guest is down. Every other candidate was asked and has no copy. Resume it on "
          "%T: virsh -c qemu:///system resume %i");
  rcv_say(l, s,
          "If the resume fails with a lock error, another QEMU holds the disk: stop there "
          "and find it (rbd status, /proc/locks, pgrep -af %i on every hypervisor).");
  if (s->about != s->h) {
    rcv_say(
        l, s,
        "Nova has it on %H, not on %T: once it runs, Nova's record has to be repaired; the look "
        "below then says OWNER_MOVED and how.");
  }
  look_again(s, l);
}

static void next_paused_user(const struct rcv_story *s, struct rcv_lines *l) {
  if (s->e->nova_last.vm_state == RCV_VM_PAUSED) {
    rcv_say(l, s,
            "Nova has vm_state paused: the owner paused it before the migration. When the "
            "guest is on %H alone (see the hosts) and no job is left, a person may run:");
    rcv_say(l, s,
            "   openstack server set --state active %i && openstack server pause %i   (the "
            "second puts the label back; pausing a paused guest does nothing to it)");
  } else {
    rcv_say(l, s,
            "Somebody paused it in libvirt. If it should run, on %T: virsh -c qemu:///system "
            "resume %i");
  }
  look_again(s, l);
}

static void next_paused_error(const struct rcv_story *s, struct rcv_lines *l) {
  rcv_say(l, s,
          "On %T, find the cause: virsh -c qemu:///system domblkerror %i ; virsh -c "
          "qemu:///system domstate --reason %i ; the QEMU log of the domain; is the storage "
          "full or gone?");
  rcv_say(l, s,
          "When the cause is removed: virsh -c qemu:///system resume %i on %T. A failed "
          "lock means that another QEMU holds the disk: find that one first.");
  look_again(s, l);
}

static void next_no_owner(const struct rcv_story *s, struct rcv_lines *l) {
  rcv_say(l, s,
          "On every candidate, look for a QEMU that libvirt lost: pgrep -af %i ; and at the "
          "storage for who has the disk open (rbd status POOL/IMAGE, /proc/locks).");
  rcv_say(l, s,
          "If one is found, it is the guest: do not start another. If none is found, the "
          "guest is off, and the QEMU log on %H says why.");
  rcv_say(l, s,
          "Then a person may run: openstack server set --state error %i ; openstack server "
          "reboot --hard %i   (it boots anew on %H; what was only in memory is lost).");
}

static void next_off_unknown(const struct rcv_story *s, struct rcv_lines *l) {
  rcv_say(l, s,
          "On %T: pgrep -af %i   (is there a QEMU beside the definition?) and: virsh -c "
          "qemu:///system domstate --reason %i ; virsh -c qemu:///system dominfo %i (managed "
          "save?)");
  if (s->about == s->h) {
    rcv_say(l, s,
            "With no process there, the guest is off on its record host: see NO_OWNER in "
            "`unwedge explain 204`.");
  } else {
    rcv_say(l, s,
            "With no process there and the guest certainly elsewhere, remove the leftover on "
            "%T: virsh -c qemu:///system undefine --keep-nvram %i");
  }
  look_again(s, l);
}

static void next_remnant(const struct rcv_story *s, struct rcv_lines *l) {
  if (s->about >= 0 && s->about < s->e->candidates && s->e->candidate[s->about].last.state != 3) {
    rcv_say(l, s,
            "The incoming copy on %T is not paused as an empty one is: its CPUs may run, and "
            "then it is a second copy. Touch neither; find out on %T what its QEMU does "
            "(virsh -r -c qemu:///system domstats %i --vcpu, twice) and page storage.");
    look_again(s, l);
    return;
  }
  rcv_say(l, s,
          "On %T, the empty incoming copy can go once the hosts show the guest on another "
          "host: virsh -c qemu:///system destroy %i   (on %T and nowhere else)");
  look_again(s, l);
}

static void next_second_copy(const struct rcv_story *s, struct rcv_lines *l) {
  int64_t owner = s->v->owner;
  if (s->about >= 0 && (rcv_story_holds(s, s->about, RCV_CLASS_OFF_DEFINITE) ||
                        rcv_story_holds(s, s->about, RCV_CLASS_OFF_UNKNOWN))) {
    rcv_say(l, s,
            "The guest on %H was resumed after a broken switch-over, and a copy on %T was "
            "ended: both may have written. Check the filesystems from inside, and the QEMU "
            "log on %T: did its CPUs ever start?");
    rcv_say(l, s,
            "If the disk is good, remove the leftover on %T: virsh -c qemu:///system undefine "
            "--keep-nvram %i");
  } else {
    rcv_say(l, s,
            "See what the copy on %T is: virsh -c qemu:///system domstate --reason %i ; its "
            "QEMU log; which side was the source (%s -> %d)?");
    rcv_say(l, s,
            owner >= 0 ? "Only when the running one is certainly the live guest, on %T: virsh "
                         "-c qemu:///system destroy %i"
                       : "None of the copies runs: decide which one holds the newest state "
                         "before any of them is resumed or destroyed.");
  }
  look_again(s, l);
}

static void next_postcopy_failed(const struct rcv_story *s, struct rcv_lines *l) {
  rcv_say(l, s,
          "See which sides still exist: virsh -c qemu:///system domstate --reason %i on every "
          "candidate.");
  rcv_say(l, s,
          "Both there: repair the network between the hosts, then a person resumes the "
          "post-copy on the source: virsh migrate --postcopy-resume with the URIs and flags "
          "of the original call (Nova cannot).");
  rcv_say(l, s,
          "One side gone: the guest's memory is lost. Do not resume the source. Destroy what "
          "is left on both, prove that no QEMU is left (pgrep -af %i), then openstack server set "
          "--state error %i, and hard reboot it on its record host %H.");
}

static void next_undecided(const struct rcv_story *s, struct rcv_lines *l) {
  rcv_say(l, s,
          "The guest is down. On both hosts: the QEMU log of the domain, and `virsh "
          "qemu-monitor-command %i --hmp 'info migrate'`: `completed` on the source means "
          "the destination has the whole state; anything else means the source has it.");
  rcv_say(l, s,
          "Destroy the side that has not the state, and only then resume the other, with "
          "virsh, by two people.");
  look_again(s, l);
}

static void next_stuck(const struct rcv_story *s, struct rcv_lines *l) {
  rcv_say(l, s,
          "On %T: is the storage there? ps -o pid,stat,wchan,cmd of the QEMU (stat D = hung "
          "in the kernel); libvirtd's log for `cannot acquire state change lock`.");
  look_again(s, l);
}

/* ---- Nova's side -------------------------------------------------------------------------- */

static void next_may_finish(const struct rcv_story *s, struct rcv_lines *l) {
  if (s->e->nova_last.mig_status != RCV_MIG_POSTCOPY) {
    rcv_say(l, s,
            "Ask Nova first: openstack --os-compute-api-version 2.65 server migration abort "
            "%i %M");
  }
  rcv_say(l, s,
          "See whether it is at work: in nova-compute's log on %s, `Migration running for` "
          "appears every 30 s for %i while it watches a migration.");
  rcv_say(l, s,
          "Before you stop or restart nova-compute on %s: it aborts that host's other live "
          "migrations. List them: openstack --os-compute-api-version 2.59 server migration "
          "list --host %s --status running");
  if (rcv_story_no_cure(s)) {
    rcv_say(l, s, rcv_no_cure_words());
  } else if (s->h >= 0 && s->h == s->e->nova_last.mig_source) {
    rcv_say(l, s,
            "Restarting nova-compute on %s is Nova's own cure here, since the guest is on "
            "%s: it clears the state and ends the record.");
  }
  rcv_say(l, s,
          "Or stop it (systemctl stop nova-compute; pgrep -af nova-compute prints nothing; "
          "wait until `openstack compute service list` says down), then: unwedge plan %i "
          "--attest compute-stopped=%s --reason TICKET");
}

static void next_attest(const struct rcv_story *s, struct rcv_lines *l) {
  rcv_say(l, s,
          "Look at the process on %s, not at the service list: systemctl is-active "
          "nova-compute ; pgrep -af nova-compute   must print nothing.");
  if (rcv_story_no_cure(s)) {
    rcv_say(l, s, rcv_no_cure_words());
  } else if (s->h >= 0 && s->h == s->e->nova_last.mig_source) {
    rcv_say(l, s,
            "Can it be started? Then start it on %s: the guest is on %s, so Nova's own "
            "start-up heals this, and ends the record too. No reset is needed.");
  }
  rcv_say(l, s,
          "If it is gone and stays gone: unwedge plan %i -o FILE --attest compute-stopped=%s "
          "--reason TICKET");
}

static void next_cast(const struct rcv_story *s, struct rcv_lines *l) {
  rcv_say(l, s,
          "Look at the broker: rabbitmqctl list_queues name messages consumers | grep "
          "compute ; a message waiting in the queue of the source host %s may be the order "
          "(request %r).");
  rcv_say(l, s, "If none waits: unwedge plan %i -o FILE --attest queue-empty --reason TICKET");
  rcv_say(l, s, "If one waits: purge it, or let it be consumed and look again.");
}

static void next_vm_error(const struct rcv_story *s, struct rcv_lines *l) {
  rcv_say(l, s,
          "Read why it is in error: openstack server show %i -c fault ; nova-compute's log "
          "on %H.");
  rcv_say(
      l, s,
      "nova-compute on %H stopped: unwedge plan %i -o FILE --attest compute-stopped=%H --reason "
      "TICKET");
  rcv_say(l, s,
          "nova-compute on %H restarted since: unwedge plan %i -o FILE --attest "
          "compute-restarted=%H --reason TICKET");
}

static void next_inconsistent(const struct rcv_story *s, struct rcv_lines *l) {
  rcv_say(l, s,
          "Migration %M (%m) says `%S`, %s -> %d; Nova has the instance on %H. Read "
          "nova-compute's log of %s and %d for request %r.");
  rcv_say(l, s,
          "Check where its ports and volumes are wired: openstack port list --server %i ; "
          "openstack server volume list %i");
}

static void next_other_task(const struct rcv_story *s, struct rcv_lines *l) {
  rcv_say(l, s, "vm_state %V, task_state %A: see who does what: openstack server event list %i");
  look_again(s, l);
}

/* ---- waiting and not knowing --------------------------------------------------------------- */

static void next_stalled(const struct rcv_story *s, struct rcv_lines *l) {
  struct rcv_story o = about(s, where(s, RCV_CODE_JOB_STALLED));
  rcv_say(l, &o,
          "The job on %T has not moved. Is the network between the hosts up? Does the "
          "destination's QEMU hang?");
  if (service_at(s, o.about) == RCV_SVC_UP) {
    rcv_say(l, &o,
            "To give it up, through Nova: openstack --os-compute-api-version 2.65 server "
            "migration abort %i %M");
    rcv_say(l, &o,
            "If Nova's abort does nothing within a minute, a person on %T: virsh -c "
            "qemu:///system domjobabort %i");
  } else {
    rcv_say(l, &o,
            "Nova cannot abort it (its nova-compute is not up). A person on %T: virsh -c "
            "qemu:///system domjobabort %i");
  }
}

static void next_orphaned(const struct rcv_story *s, struct rcv_lines *l) {
  struct rcv_story o = about(s, where(s, RCV_CODE_JOB_ORPHANED));
  if (rcv_story_no_cure(s)) {
    rcv_say(l, &o,
            "nova-compute on %T is down, so Nova will not notice how this ends. Do not start it "
            "while the job runs: %R, before 20.2.0, then clears the state and lets the job go on. "
            "Wait for its end; or, to give it up, a person on %T: virsh -c qemu:///system "
            "domjobabort %i");
    return;
  }
  rcv_say(l, &o,
          "nova-compute on %T is down, so Nova will not notice how this ends. As long as the "
          "job runs, starting nova-compute on %T aborts it, and the guest stays on %T: that "
          "is a clean way out NOW.");
  rcv_say(l, &o,
          "It is wrong once the job has ended on the other side: look again right before "
          "you start it (unwedge diagnose %i).");
}

/* The queue lives in the memory of the source's nova-compute. It dies with it, and a record of
 * another instance that says `running` for ever (what a right reset leaves) is no queue either:
 * nova.md F4 and row 3. */
static void next_queued(const struct rcv_story *s, struct rcv_lines *l) {
  rcv_say(l, s,
          "What it waits for: openstack --os-compute-api-version 2.59 server migration list "
          "--host %s --status running");
  if (service_at(s, s->e->nova_last.mig_source) == RCV_SVC_UP) {
    rcv_say(l, s,
            "To take this one out of the queue, through Nova: openstack --os-compute-api-version "
            "2.65 server migration abort %i %M");
    rcv_say(l, s,
            "If the ones before it are only left-overs (their instances are not MIGRATING), and "
            "no live migration really runs from %s: restart nova-compute there; it clears this "
            "one.");
  } else if (s->v->owner >= 0 && s->v->owner == s->h) {
    rcv_say(l, s,
            rcv_story_no_cure(s)
                ? "nova-compute on %s is down and its queue went with it: nothing will start this "
                  "migration. Start nova-compute there once no live migration runs from %s any "
                  "more: it clears the state, and the guest stays on %H. The record stays `%S`."
                : "nova-compute on %s is down and its queue went with it: nothing will start this "
                  "migration. Start nova-compute there: it clears the state, and the guest stays "
                  "on %H. The record stays `%S`. A live migration that still runs from %s is "
                  "aborted by that.");
  }
}

static void next_wait(const struct rcv_story *s, struct rcv_lines *l) {
  rcv_say(l, s, "Look again in %w s: unwedge diagnose %i");
  if (has(s, RCV_CODE_STILL_MIGRATING)) {
    rcv_say(l, s, "Its progress, on the source: virsh -r -c qemu:///system domjobinfo %i");
  }
  if (has(s, RCV_CODE_JOB_STALLED)) {
    next_stalled(s, l);
  }
  if (has(s, RCV_CODE_JOB_ORPHANED)) {
    next_orphaned(s, l);
  }
  if (s->v->code == RCV_CODE_QUEUED) {
    next_queued(s, l);
  }
  if (s->v->code == RCV_CODE_OBSERVE_LONGER) {
    rcv_say(l, s, "Or observe for the full time now: unwedge plan %i -o FILE");
  }
  if (s->v->code == RCV_CODE_POSTCOPY) {
    rcv_say(l, s,
            "What could break it: the network between %s and %d, a restart of either host, "
            "of its libvirtd or QEMU. Keep people away from both.");
  }
}

static const char *unreached_pattern(enum rcv_code code) {
  switch ((int)code) {
  case RCV_CODE_HOST_UNREACHABLE:
    return "%T could not be reached. Is the host up, and its libvirtd? From here: virsh -r -c URI "
           "version   with the URI of %T.";
  case RCV_CODE_HOST_TIMEOUT:
    return "%T did not answer in time. On %T: systemctl status libvirtd (virtqemud); is it hung on "
           "storage?";
  case RCV_CODE_HOST_AUTH_FAILED:
    return "%T refused the credential: check certificates, SASL or ssh key for %T.";
  case RCV_CODE_IDENTITY_MISMATCH:
    return "What answers for %T is another host: check DNS and hosts.overrides for %T.";
  case RCV_CODE_SAME_HOST_TWICE:
    return "%T and another candidate lead to the same libvirt: check DNS and hosts.overrides.";
  case RCV_CODE_HOST_UNMAPPED:
    return "%T has no libvirt URI: add it to hosts.overrides in /etc/unwedge/unwedge.yaml.";
  default: return NULL;
  }
}

static void next_unknown(const struct rcv_story *s, struct rcv_lines *l) {
  for (int64_t i = 0; i < s->v->reasons && i < RCV_MAX_REASONS; i++) {
    const char *pattern = unreached_pattern(s->v->reason[i].code);
    struct rcv_story o = about(s, s->v->reason[i].candidate);
    if (pattern != NULL) {
      rcv_say(l, &o, pattern);
    }
  }
  if (has(s, RCV_CODE_API_UNAVAILABLE) || has(s, RCV_CODE_API_HIDDEN)) {
    rcv_say(l, s,
            "What the API said: %e. unwedge diagnose %i --debug shows every call and its "
            "answer.");
  }
  if (has(s, RCV_CODE_TOO_MANY_CANDIDATES)) {
    rcv_say(l, s,
            "Look on every hypervisor instead, on each: virsh -r -c qemu:///system domstate %i");
  }
  if (has(s, RCV_CODE_HOST_UNREACHABLE) || has(s, RCV_CODE_HOST_TIMEOUT) ||
      has(s, RCV_CODE_HOST_UNMAPPED)) {
    rcv_say(l, s,
            "A host that will not come back: decommissioned long ago: --attest host-gone=HOST; "
            "dead and powered off: --attest host-fenced=HOST; each only where the policy "
            "lists it, and never for %H.");
  }
  if (has(s, RCV_CODE_RUNS_ELSEWHERE)) {
    struct rcv_story o = about(s, where(s, RCV_CODE_RUNS_ELSEWHERE));
    rcv_say(l, &o,
            "The guest, or a job of it, was seen on %T, which is not the host Nova has "
            "(%H): treat it as moved until every host was seen.");
  }
  look_again(s, l);
}

/* ---- by leading code ----------------------------------------------------------------------- */

static void next_general(const struct rcv_story *s, struct rcv_lines *l) {
  const struct rcv_code_text *text = rcv_code_text(s->v->code);
  if (text != NULL) {
    rcv_say(l, s, text->action);
  }
}

static int next_ownership(const struct rcv_story *s, struct rcv_lines *l) {
  switch ((int)s->v->code) {
  case RCV_CODE_SPLIT_BRAIN: next_split(s, l); return 1;
  case RCV_CODE_OWNER_MOVED: next_moved(s, l); return 1;
  case RCV_CODE_SECOND_COPY: next_second_copy(s, l); return 1;
  case RCV_CODE_NO_OWNER: next_no_owner(s, l); return 1;
  case RCV_CODE_POSTCOPY_FAILED: next_postcopy_failed(s, l); return 1;
  case RCV_CODE_SWITCHOVER_UNDECIDED: next_undecided(s, l); return 1;
  case RCV_CODE_PAUSED_MIGRATION: next_paused_migration(s, l); return 1;
  case RCV_CODE_PAUSED_BY_USER: next_paused_user(s, l); return 1;
  case RCV_CODE_PAUSED_ERROR: next_paused_error(s, l); return 1;
  case RCV_CODE_INCOMING_REMNANT: next_remnant(s, l); return 1;
  case RCV_CODE_OFF_UNKNOWN: next_off_unknown(s, l); return 1;
  case RCV_CODE_MONITOR_STUCK: next_stuck(s, l); return 1;
  default: return 0;
  }
}

static int next_nova(const struct rcv_story *s, struct rcv_lines *l) {
  switch ((int)s->v->code) {
  case RCV_CODE_SUSPENDED:
    rcv_say(l, s, "To wake it, on %T: virsh -c qemu:///system dompmwakeup %i");
    look_again(s, l);
    return 1;
  case RCV_CODE_STORAGE_JOB:
    rcv_say(l, s,
            "On %T: virsh -c qemu:///system domblklist %i ; virsh -c qemu:///system blockjob "
            "%i DISK   for each; if the job is the broken migration's, with --abort.");
    look_again(s, l);
    return 1;
  case RCV_CODE_INCONSISTENT_RECORD: next_inconsistent(s, l); return 1;
  case RCV_CODE_OTHER_TASK:
  case RCV_CODE_NOT_LIVE_MIGRATION:
  case RCV_CODE_NEWER_ACTION:
  case RCV_CODE_EVACUATION_RECORD: next_other_task(s, l); return 1;
  case RCV_CODE_VM_STATE_ERROR: next_vm_error(s, l); return 1;
  case RCV_CODE_MAY_STILL_FINISH: next_may_finish(s, l); return 1;
  case RCV_CODE_CAST_MAY_BE_PENDING: next_cast(s, l); return 1;
  case RCV_CODE_ATTESTATION_REQUIRED: next_attest(s, l); return 1;
  default: return 0;
  }
}

static void next_reset(const struct rcv_story *s, struct rcv_lines *l) {
  rcv_say(l, s, "Write it down for approval: unwedge plan %i -o FILE ; unwedge apply FILE");
  rcv_say(l, s, "Or do it now, at this terminal: unwedge recover %i");
  if (!rcv_story_no_cure(s) && s->e->nova_last.mig_present == RCV_TRI_YES &&
      s->e->nova_last.mig_status != RCV_MIG_ACCEPTED &&
      (service_at(s, s->h) == RCV_SVC_DOWN || service_at(s, s->h) == RCV_SVC_FORCED_DOWN)) {
    rcv_say(l, s,
            "As good, if it can be started: start nova-compute on %H. With the guest on %H, "
            "Nova clears the state itself, and a `running` record becomes `error`.");
  }
}

/* nova.md 2.3: what 2025.1 and later make of a failed last step is no wedge, but not healthy. */
static void next_nothing(const struct rcv_story *s, struct rcv_lines *l) {
  const struct rcv_nova *n = &s->e->nova_last;
  if (rcv_story_has(s, RCV_TRAIT_FAILED_POST_MOVES) == RCV_TRI_YES && n->vm_state == RCV_VM_ERROR &&
      n->task_state == RCV_TASK_NONE && n->mig_present == RCV_TRI_YES &&
      n->mig_status == RCV_MIG_ERROR && s->h >= 0 && s->h == n->mig_dest && s->v->owner == s->h) {
    rcv_say(l, s,
            "No wedge: %R ends so when the last step of a live migration fails. The guest runs on "
            "%H, where Nova has it; only vm_state is error. Nova's cure, which restarts the guest: "
            "openstack server reboot --hard %i");
    return;
  }
  rcv_say(l, s, "Nothing to do.");
}

static void never_general(const struct rcv_story *s, struct rcv_lines *never) {
  const struct rcv_code_text *text = rcv_code_text(s->v->code);
  if (text != NULL && text->never[0] != '\0') {
    rcv_say(never, s, text->never);
  }
  if (has(s, RCV_CODE_JOB_ORPHANED)) {
    struct rcv_story o = about(s, where(s, RCV_CODE_JOB_ORPHANED));
    rcv_say(never, &o,
            "Never start nova-compute on %T once the job has ended on the other side: it "
            "clears the state without looking where the guest is.");
  }
  if (has(s, RCV_CODE_RUNS_ELSEWHERE)) {
    rcv_say(never, s,
            "Never restart nova-compute on %H and never evacuate: the guest may be on "
            "another host.");
  }
  if (s->v->code == RCV_CODE_PAUSED_MIGRATION || s->v->code == RCV_CODE_SECOND_COPY) {
    rcv_say(never, s,
            "Never resume any copy while another host has one that runs or cannot be "
            "seen.");
  }
}

static void never_lines(const struct rcv_story *s, struct rcv_lines *never) {
  if (s->v->code == RCV_CODE_OWNER_MOVED) {
    never_moved(s, never);
  } else if (s->v->code == RCV_CODE_SPLIT_BRAIN) {
    never_split(s, never);
  } else {
    never_general(s, never);
  }
}

static void next_refused(const struct rcv_story *s, struct rcv_lines *next) {
  if (!next_ownership(s, next) && !next_nova(s, next)) {
    next_general(s, next);
  }
}

void rcv_explain_next(const struct rcv_story *s, struct rcv_lines *next, struct rcv_lines *never) {
  next->count = 0;
  next->truncated = 0;
  never->count = 0;
  never->truncated = 0;
  switch (s->v->kind) {
  case RCV_VERDICT_RESET: next_reset(s, next); break;
  case RCV_VERDICT_WAIT: next_wait(s, next); break;
  case RCV_VERDICT_REFUSE: next_refused(s, next); break;
  case RCV_VERDICT_UNKNOWN: next_unknown(s, next); break;
  case RCV_VERDICT_NOTHING: next_nothing(s, next); break;
  case RCV_VERDICT_NONE:
  case RCV_VERDICT_COUNT: break;
  }
  if (s->v->kind == RCV_VERDICT_REFUSE || s->v->kind == RCV_VERDICT_UNKNOWN) {
    rcv_say(next, s,
            "What a person checks by hand when this tool cannot: unwedge explain "
            "break-glass");
  }
  never_lines(s, never);
}

/* ---- what is left behind ------------------------------------------------------------------- */

static void residue_records(const struct rcv_story *s, struct rcv_lines *l) {
  const struct rcv_nova *n = &s->e->nova_last;
  if (unfinished(s)) {
    rcv_say(l, s,
            "Migration %M (%m) stays `%S` for ever: no API can change it. While it does, the "
            "service of %s cannot be deleted (409), and a later migration may take it for "
            "its own.");
    if (n->mig_status == RCV_MIG_RUNNING && !rcv_story_no_cure(s)) {
      rcv_say(l, s, "Starting nova-compute on %s instead of a reset would end that record.");
    }
  }
  if (n->older_nonterminal > 0) {
    rcv_say(l, s,
            "Older live-migration records of this instance never ended either; they are left "
            "as they are.");
  }
  if (n->vm_state == RCV_VM_ERROR) {
    rcv_say(l, s, "vm_state is error now; the reset writes active over it.");
  }
}

static void residue_hosts(const struct rcv_story *s, struct rcv_lines *l) {
  for (int64_t i = 0; i < s->e->candidates && i < RCV_MAX_CANDIDATES; i++) {
    struct rcv_story o = about(s, i);
    if (rcv_story_holds(s, i, RCV_CLASS_OFF_DEFINITE)) {
      rcv_say(l, &o,
              "%T keeps a definition that is off. Never start it there; after the reset, on "
              "%T: virsh -c qemu:///system undefine --keep-nvram %i");
    }
    if (rcv_excused(s->e, s->p, i)) {
      rcv_say(l, &o,
              "%T was not looked at: a person answers for it. Should it ever come back, look "
              "for this guest there before its nova-compute starts.");
    }
  }
}

static void residue_checks(const struct rcv_story *s, struct rcv_lines *l) {
  rcv_say(l, s,
          "check: openstack port list --server %i ; each port's binding_host_id must be %H, "
          "with no INACTIVE binding left on another host (it makes the next migration there "
          "fail).");
  rcv_say_volume_check(s, l);
  rcv_say3(l, s,
           "check: openstack resource provider allocation show %i ; it must be %H's. If it is the "
           "destination's: ",
           rcv_heal_words(s), "");
  if (s->names->migration_uuid[0] != '\0') {
    rcv_say(l, s,
            "check: openstack resource provider allocation show %m ; if it is not empty, the "
            "migration's claim leaked: openstack resource provider allocation delete %m");
  }
}

static void residue_after(const struct rcv_story *s, struct rcv_lines *l) {
  rcv_say_release_residue(s, l);
  rcv_say(l, s,
          "Within 600 s Nova's power sync looks at the instance on %H; with the guest up "
          "there it changes nothing. Look once more after it: unwedge diagnose %i");
  if (service_at(s, s->h) == RCV_SVC_UP) {
    rcv_say(l, s, "nova-compute on %H may be restarted again once the server shows no task_state.");
  } else {
    rcv_say(l, s,
            "nova-compute on %H may be started once the server shows no task_state; until it "
            "is up, Nova does not look at the guest.");
  }
}

void rcv_explain_residue(const struct rcv_story *s, struct rcv_lines *residue) {
  residue->count = 0;
  residue->truncated = 0;
  if (s->v->kind == RCV_VERDICT_NOTHING && unfinished(s)) {
    rcv_say(residue, s, "Migration %M (%m) is still `%S` on record: what an earlier repair left.");
    return;
  }
  if (s->v->kind != RCV_VERDICT_RESET && s->v->code != RCV_CODE_OBSERVE_LONGER) {
    return;
  }
  residue_records(s, residue);
  residue_hosts(s, residue);
  residue_checks(s, residue);
  residue_after(s, residue);
}

void rcv_explain_after(const struct rcv_evidence *e, const struct rcv_names *names,
                       const struct rcv_policy *p, const struct rcv_verdict *v,
                       struct rcv_lines *out) {
  struct rcv_story s = {e, names, p, v, e->nova_last.record_host, -1};
  out->count = 0;
  out->truncated = 0;
  residue_hosts(&s, out);
  residue_after(&s, out);
}
