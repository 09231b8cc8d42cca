"""Every ready state of the stand-in, with the hosts that go with it, and its verdict.

Each row is one diagnose: the code, the exit status, the replay of what was saved, and no reset."""
from play import (A, ABSENT, B, C, HTTP_WARNING, IN, LAB_WARNINGS, OUT, PC_DEST, PC_SOURCE, PUSER, RUN,
                  UUID, add, need, play)

STOPPED, QUEUE = ("--attest", "compute-stopped=cmp-a"), ("--attest", "queue-empty")
# name, state, hosts, code, exit, words, more for nova()
ROWS = [
    ("migrating-running", "migrating-running", dict(a=OUT, b=IN), "UW-301", 9, (), {}),
    ("migrating-orphaned", "wedged-running-src-down", dict(a=OUT, b=IN), "UW-301", 9, (), {}),
    ("running-src-down", "wedged-running-src-down", dict(a=RUN, b=ABSENT), "UW-101", 2, (), {}),
    ("running-src-up", "wedged-running-src-up", dict(a=RUN, b=ABSENT), "UW-255", 3, (), {}),
    ("running-src-up-attested", "wedged-running-src-up", dict(a=RUN, b=ABSENT), "UW-255", 3, STOPPED,
     {}),
    ("failed", "wedged-failed", dict(a=RUN, b=ABSENT), "UW-101", 2, (), {}),
    ("failed-young", "wedged-failed", dict(a=RUN, b=ABSENT), "UW-306", 9, (), {"age_s": -30}),
    ("cancelled", "wedged-cancelled", dict(a=RUN, b=ABSENT), "UW-101", 2, (), {}),
    ("error", "wedged-error", dict(a=RUN, b=ABSENT), "UW-101", 2, (), {}),
    ("completed-moved", "wedged-completed", dict(a=ABSENT, b=RUN), "UW-202", 3, (), {}),
    ("completed-here", "wedged-completed", dict(a=RUN, b=ABSENT), "UW-215", 3, (), {}),
    ("accepted", "wedged-accepted", dict(a=RUN, b=ABSENT), "UW-256", 3, (), {}),
    ("accepted-attested", "wedged-accepted", dict(a=RUN, b=ABSENT), "UW-101", 2, QUEUE, {}),
    ("queued", "wedged-queued", dict(a=RUN, b=ABSENT), "UW-508", 3, (), {}),
    ("queued-attested", "wedged-queued", dict(a=RUN, b=ABSENT), "UW-101", 2, STOPPED, {}),
    ("preparing", "wedged-preparing", dict(a=RUN, b=ABSENT), "UW-508", 3, (), {}),
    ("preparing-attested", "wedged-preparing", dict(a=RUN, b=ABSENT), "UW-101", 2, STOPPED, {}),
    ("norecord", "wedged-norecord", dict(a=RUN), "UW-101", 2, (), {}),
    ("queued-behind", "queued-behind", dict(a=RUN, b=ABSENT), "UW-305", 9, (), {}),
    ("postcopy", "postcopy", dict(a=PC_SOURCE, b=PC_DEST), "UW-304", 9, (), {}),
    ("postcopy-src-down", "postcopy-src-down", dict(a=PC_SOURCE, b=PC_DEST), "UW-304", 9, (), {}),
    ("active", "active", dict(a=RUN), "UW-001", 0, (), {}),
    ("active-migrated", "active-migrated", dict(a=ABSENT, b=RUN), "UW-001", 0, (), {}),
    ("active-after-reset", "active-after-reset", dict(a=RUN, b=ABSENT), "UW-001", 0, (), {}),
    ("active-after-blind-reset", "active-after-reset", dict(a=ABSENT, b=RUN), "UW-202", 3, (), {}),
    ("half-repaired", "half-repaired", dict(a=ABSENT, b=RUN), "UW-101", 2, (), {}),
    ("error-migrating", "error-migrating", dict(a=RUN, b=ABSENT), "UW-252", 3, (), {}),
    ("error-migrating-void", "error-migrating", dict(a=RUN, b=ABSENT), "UW-252", 3, STOPPED, {}),
    ("error-migrating-attested", "error-migrating", dict(a=RUN, b=ABSENT), "UW-101", 2,
     ("--attest", "compute-restarted=cmp-a"), {}),
    ("error-migrating-stopped", "error-migrating", dict(a=RUN, b=ABSENT), "UW-101", 2, STOPPED,
     {"source_service": "down"}),
    ("restarted-but-migrating", "wedged-running-src-up", dict(a=RUN, b=ABSENT), "UW-255", 3,
     ("--attest", "compute-restarted=cmp-a"), {}),
    ("paused-migrating", "paused-migrating", dict(a=PUSER, b=ABSENT), "UW-208", 3, (), {}),
    ("resizing", "resizing", dict(a=RUN, b=ABSENT), "UW-251", 3, (), {}),
    ("deleting", "deleting", dict(a=RUN, b=ABSENT), "UW-253", 3, (), {}),
    ("rebuilding", "rebuilding", dict(a=RUN, b=ABSENT), "UW-253", 3, (), {}),
    ("evacuated", "evacuated", dict(a=RUN, b=ABSENT), "UW-254", 3, (), {}),
    ("evacuation-accepted", "evacuation-accepted", dict(a=RUN, b=ABSENT), "UW-254", 3, (), {}),
    ("newer-action", "newer-action", dict(a=RUN, b=ABSENT), "UW-257", 3, (), {}),
    ("locked", "locked", dict(a=RUN, b=ABSENT), "UW-101", 2, (), {}),
    ("many-records", "many-records", dict(a=RUN, b=ABSENT), "UW-409", 4, (), {}),
    ("many-hosts", "many-hosts", dict(a=RUN, b=ABSENT), "UW-409", 4, (), {}),
    ("foreign-hypervisor", "foreign-hypervisor", dict(a=RUN, b=ABSENT), "UW-250", 3, (), {}),
    ("dest-gone", "dest-gone", dict(a=RUN), "UW-410", 4, (), {}),
    ("dest-gone-newest", "dest-gone", dict(a=RUN), "UW-410", 4, ("--attest", "host-gone=cmp-b"), {}),
    ("source-forced-down", "source-forced-down", dict(a=RUN, b=ABSENT), "UW-255", 3, (), {}),
    ("source-forced-down-attested", "source-forced-down", dict(a=RUN, b=ABSENT), "UW-101", 2, STOPPED,
     {}),
    ("conductor-down", "conductor-down", dict(a=RUN), "UW-256", 3, (), {}),
    ("conductor-down-attested", "conductor-down", dict(a=RUN), "UW-101", 2, QUEUE, {}),
    ("hidden-host", "hidden-host", dict(a=RUN, b=ABSENT), "UW-408", 4, (), {}),
    ("down-cell", "down-cell", dict(a=RUN, b=ABSENT), "UW-408", 4, (), {}),
    ("new-nova", "new-nova", dict(a=RUN, b=ABSENT), "UW-101", 2, (), {}),
]


def row(state, hosts, code, status, words, more):
    def scenario(p):
        p.nova(state, **more).hosts(**hosts)
        v = p.diagnose(code, status, *words)
        text = p.run("replay", p.evidence(), warn=[]).exits(status)
        text.says(" verdict: " + v["verdict"], code, "for the ticket", "evidence: ")
        if v["verdict"] in ("REFUSE", "UNKNOWN"):
            need(v["next"], "nothing is said to do")
            text.says("break-glass")
        p.resets(0)
    return scenario


for name, state, hosts, code, status, words, more in ROWS:
    add("verdict-" + name, "%s: %s (exit %d)%s" % (state, code, status, " with " + words[1] if words
                                                   else ""),
        row(state, hosts, code, status, words, more))

OLD_HOST = {"migrations": {"3": {"uuid": "00000000-0000-4000-8000-000000000003", "instance_uuid": UUID,
                                 "status": "completed", "migration_type": "live-migration",
                                 "source_compute": C, "dest_compute": A,
                                 "created_at": "now-90000s", "updated_at": "now-89900s"}}}


@play
def verdict_old_host_gone(p):
    """A decommissioned host of an older record: unknown until a person attests that it is gone."""
    p.nova("wedged-failed", OLD_HOST).hosts(a=RUN, b=ABSENT)
    v = p.diagnose("UW-410", 4)
    need([r["host"] for r in v["reasons"] if r["code"] == "UW-410"] == [C], "%s", v["reasons"])
    p.diagnose("UW-101", 2, "--attest", "host-gone=cmp-c", "--reason", "scrapped in May")
    p.diagnose("UW-410", 4, "--attest", "host-gone=cmp-b")
    p.resets(0)


@play
def verdict_old_host_alive(p):
    """host-gone is void for a host that Nova still lists."""
    p.nova("wedged-failed", OLD_HOST, {"services": {"nova-compute@cmp-c": {
        "id": 9, "binary": "nova-compute", "host": C, "state": "down", "status": "enabled",
        "forced_down": False, "updated_at": "now-900s", "uuid": UUID}}}).hosts(a=RUN, b=ABSENT)
    p.diagnose("UW-410", 4, "--attest", "host-gone=cmp-c")


@play
def verdict_old_host_runs(p):
    """The guest runs on a host of an older record only: moved, and unexpected there."""
    p.nova("wedged-failed", OLD_HOST, {"hypervisors": {C: {
        "id": 9, "uuid": UUID, "service_host": C, "hypervisor_type": "QEMU", "host_ip": "127.0.0.1"}}})
    p.hosts(a=ABSENT, b=ABSENT, c=RUN)
    v = p.diagnose("UW-202", 3)
    need("UW-214" in [r["code"] for r in v["reasons"]] and v["owner"] == C, "%s", v["reasons"])


@play
def verdict_also_probe(p):
    """--also-probe finds a copy on a host that Nova does not connect with the instance."""
    p.nova("wedged-failed", {"hypervisors": {C: {
        "id": 9, "uuid": UUID, "service_host": C, "hypervisor_type": "QEMU", "host_ip": "127.0.0.1"}}})
    p.hosts(a=RUN, b=ABSENT, c=dict(RUN, id=9))
    p.diagnose("UW-101", 2)
    v = p.diagnose("UW-201", 3, "--also-probe", C)
    need({r["host"] for r in v["reasons"] if r["code"] == "UW-201"} == {A, C}, "%s", v["reasons"])


@play
def verdict_standard_policy(p):
    """Under the standard policy: attestation first, then OBSERVE_LONGER, as diagnose looks for seconds."""
    p.configure(policy="standard", environment="production")
    p.nova("wedged-running-src-down").hosts(a=RUN, b=ABSENT)
    p.diagnose("UW-508", 3, warn=[HTTP_WARNING])
    v = p.diagnose("UW-307", 9, "--attest", "compute-stopped=cmp-a", warn=[HTTP_WARNING])
    need(v["look_again_at"], "no time of the next look")
    need(not v["observed"]["complete"], "complete after seconds")
    p.resets(0)


@play
def verdict_standard_young(p):
    """The standard policy's ages: a failed record of a minute ago waits."""
    p.configure(policy="standard", environment="production")
    p.nova("wedged-failed", age_s=60).hosts(a=RUN, b=ABSENT)
    p.diagnose("UW-306", 9, warn=[HTTP_WARNING])
    p.resets(0)


@play
def verdict_system_scope(p):
    """A system-scoped token: Nova would refuse the reset, so one line and exit 1."""
    p.nova("system-scope").hosts(a=RUN, b=ABSENT)
    p.run("diagnose", UUID, "--os-cloud", "standin-system", fail=r"unwedge: .*system").exits(1)
    p.run("diagnose", UUID, fail=r"unwedge: .*40[13]").exits(1)
    p.resets(0)


@play
def verdict_reader_only(p):
    """A credential that may not read what a decision needs: exit 1, named."""
    p.nova("reader-only").hosts(a=RUN, b=ABSENT)
    p.run("diagnose", UUID, fail=r"unwedge: .*403").exits(1)
    p.resets(0)


@play
def verdict_old_nova(p):
    """A Nova older than 20 is refused with its versions, before anything is looked at."""
    p.nova("old-nova").hosts(a=RUN, b=ABSENT)
    p.run("diagnose", UUID, fail=r"unwedge: cloud standin offers compute API 2.1 to 2.72; 2.79").exits(1)
    need(not p.looks(), "hosts were looked at")


@play
def verdict_appcred(p):
    """An application credential with access rules is enough for the whole way."""
    p.nova("wedged-failed").hosts(a=RUN, b=ABSENT)
    p.plan("--os-cloud", "standin-appcred", status=2)
    p.apply("--os-cloud", "standin-appcred", status=0).says("verified")
    p.resets(1)


@play
def verdict_two_regions(p):
    """Two regions: asked for one, found in that one only."""
    p.nova("two-regions").hosts(a=RUN, b=ABSENT)
    p.run("diagnose", UUID, fail=r"unwedge: .*region").exits(1)
    p.run("diagnose", UUID, "--os-cloud", "standin-region1", fail=r"unwedge: .*" + UUID).exits(1)
    p.diagnose("UW-101", 2, "--os-cloud", "standin-region2")
    p.resets(0)


@play
def verdict_names(p):
    """An instance by its name: unique, though others contain it; ambiguous ones are listed."""
    p.nova("similar-names").hosts(a=RUN, b=ABSENT)
    p.run("diagnose", "w3w1").exits(2).says(UUID)
    p.nova("duplicate-names")
    p.run("diagnose", "w3w1", fail=r"unwedge: .*w3w1.*" + UUID).exits(1)
    p.run("diagnose", "no-such-name", fail=r"unwedge: .*no-such-name").exits(1)
    p.resets(0)


@play
def verdict_heartbeat(p):
    """Numbers that move between two readings of Nova: a live migration, whatever the hosts say."""
    p.nova("wedged-running-src-down", {"beats": {UUID: {"every_s": 1, "since": "now-60s",
                                                        "bytes": 4194304, "total": 134750208}}})
    p.hosts(a=dict(RUN, sleep_ms=700), b=ABSENT)  # so that a beat falls between the readings
    p.diagnose("UW-301", 9)
    p.resets(0)


@play
def verdict_json_and_text_agree(p):
    """Text comes from the verdict document: every reason and every step of the one is in the other."""
    p.nova("wedged-completed").hosts(a=ABSENT, b=RUN)
    v = p.diagnose("UW-202", 3)
    text = " ".join(p.run("replay", p.evidence(), warn=[]).exits(3).out.split())
    for line in v["next"] + v["never"] + v["residue"] + [r["text"] for r in v["reasons"]]:
        need(" ".join(line.split()) in text, "not in the text: %s", line)
