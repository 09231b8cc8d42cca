"""Pairs of hosts under one record of Nova, and probes that misbehave."""
from play import (A, ABSENT, B, CRASHED, DYING, IN, JOB_HUNG, OFF_DESTROYED, OFF_MIGRATED, OFF_UNKNOWN,
                  OUT, OUT_PAUSED, OUT_STALLED, PC_DEST, PC_SOURCE, PCF_DEST, PCF_SOURCE, PERR, PMIG,
                  PUSER, REFUSED, RUN, RUN_UNPAUSED, STUCK, SUSP, UUID, add, need, play)

OTHER_PROJECT = "44d731ab52694eb583684859da98c277"
GARBAGE = {"garbage": "Segmentation fault\n"}
HALF = {"garbage": '{"schema":"unwedge.probe-reply/1"}\n{"open":{"ms":1}}\n{"ident'}
PAIRS = [  # name, cmp-a (record host, source), cmp-b, code, exit, further codes among the reasons
    ("split-brain", RUN, dict(RUN, id=9), "UW-201", 3, ()),
    ("split-brain-job", OUT, dict(RUN, id=9), "UW-201", 3, ()),
    ("moved", ABSENT, RUN, "UW-202", 3, ()),
    ("moved-source-kept", OFF_MIGRATED, RUN, "UW-202", 3, ()),
    ("moved-source-paused", PMIG, RUN, "UW-202", 3, ("UW-203",)),
    ("moved-source-api-error", {"state": 3, "reason": 14}, RUN, "UW-202", 3, ("UW-203",)),
    ("moved-and-paused", ABSENT, PUSER, "UW-202", 3, ()),
    ("second-paused", RUN, PMIG, "UW-203", 3, ()),
    ("second-stuck", RUN, STUCK, "UW-203", 3, ("UW-212",)),
    ("second-crashed", RUN, CRASHED, "UW-203", 3, ("UW-216",)),
    ("past-split-brain", RUN_UNPAUSED, OFF_DESTROYED, "UW-203", 3, ()),
    ("residue-off", RUN_UNPAUSED, OFF_MIGRATED, "UW-101", 2, ()),
    ("residue-saved", RUN, dict(OFF_MIGRATED, managed_save=True), "UW-211", 3, ()),
    ("off-unknown", RUN, OFF_UNKNOWN, "UW-211", 3, ()),
    ("no-owner", ABSENT, ABSENT, "UW-204", 3, ()),
    ("no-owner-off", OFF_DESTROYED, ABSENT, "UW-204", 3, ()),
    ("postcopy", PC_SOURCE, PC_DEST, "UW-304", 9, ()),
    ("postcopy-failed", PCF_SOURCE, PCF_DEST, "UW-205", 3, ()),
    ("postcopy-lost", dict(PCF_SOURCE), {"state": 5, "reason": 3}, "UW-205", 3, ()),
    ("postcopy-alone", ABSENT, PC_DEST, "UW-205", 3, ()),
    ("switchover-undecided", OUT_PAUSED, IN, "UW-206", 3, ()),
    ("both-paused", PMIG, PMIG, "UW-206", 3, ()),
    ("paused-migration", PMIG, ABSENT, "UW-207", 3, ()),
    ("paused-by-user", PUSER, ABSENT, "UW-208", 3, ()),
    ("paused-error", PERR, ABSENT, "UW-209", 3, ()),
    ("incoming-remnant", RUN, IN, "UW-210", 3, ()),
    ("incoming-alone", ABSENT, IN, "UW-210", 3, ()),
    ("stuck", STUCK, ABSENT, "UW-212", 3, ()),
    ("job-hung", [JOB_HUNG, dict(RUN, control=1, control_grew=True)], ABSENT, "UW-212", 3, ()),
    ("foreign-name", dict(RUN, name="somebody-else"), ABSENT, "UW-213", 3, ()),
    ("foreign-project", dict(RUN, project=OTHER_PROJECT), ABSENT, "UW-213", 3, ()),
    ("foreign-beside", RUN, dict(RUN, id=9, project=OTHER_PROJECT), "UW-213", 3, ()),
    ("no-metadata", dict(RUN, nova=0), ABSENT, "UW-218", 3, ()),
    ("crashed", CRASHED, ABSENT, "UW-216", 3, ()),
    ("dying", DYING, ABSENT, "UW-216", 3, ()),
    ("mirror", dict(RUN, mirrors=1), ABSENT, "UW-217", 3, ()),
    ("suspended", SUSP, ABSENT, "UW-219", 3, ()),
    ("migrating", OUT, IN, "UW-301", 9, ()),
    ("stalled", OUT_STALLED, IN, "UW-301", 9, ("UW-302",)),
    ("unreachable", RUN, REFUSED, "UW-401", 4, ()),
    ("unreachable-source", REFUSED, RUN, "UW-401", 4, ("UW-420",)),
    ("killed", RUN, {"die": "lookup"}, "UW-401", 4, ()),
    ("ended", RUN, {"exit": "lookup"}, "UW-401", 4, ()),
    ("garbage", RUN, GARBAGE, "UW-401", 4, ()),
    ("half-a-line", RUN, HALF, "UW-401", 4, ()),
    ("too-much", RUN, {"flood": 400000}, "UW-401", 4, ()),
    ("long-line", RUN, {"flood": 100000}, "UW-401", 4, ()),
    ("hung", RUN, {"hang": "open"}, "UW-402", 4, ()),
    ("hung-lookup", RUN, {"hang": "lookup"}, "UW-402", 4, ()),
    ("slow-start", RUN, {"sleep_ms": 5000}, "UW-402", 4, ()),
    ("refused", RUN, {"error": {"step": "open", "code": 45, "text": "authentication failed"}}, "UW-403",
     4, ()),
    ("wrong-host", RUN, {"hostname": "cmp-z"}, "UW-404", 4, ()),
    ("not-qemu", RUN, {"type": "LXC"}, "UW-404", 4, ()),
    ("lookup-error", RUN, {"error": {"step": "lookup", "code": 1, "domain": 10, "text": "internal error"}},
     "UW-406", 4, ()),
    ("appears", RUN, [ABSENT, dict(RUN, id=9)], "UW-201", 3, ()),
    ("state-zero", {"state": 0, "reason": 0}, ABSENT, "UW-406", 4, ()),
    ("new-reason", {"state": 1, "reason": 42}, ABSENT, "UW-406", 4, ()),
    ("snapshot-job", dict(RUN, job="snapshot"), ABSENT, "UW-406", 4, ()),
    ("changing", dict(RUN, unstable=True), ABSENT, "UW-406", 4, ()),
    ("xml-unread", {"state": 1, "reason": 1, "hang": "xml"}, ABSENT, "UW-406", 4, ()),
]


def pair(a, b, code, status, more):
    def scenario(p):
        p.nova("wedged-failed").hosts(a=a, b=b)
        v = p.diagnose(code, status)
        codes = [r["code"] for r in v["reasons"]]
        for other in more:
            need(other in codes, "%s is missing among %s", other, codes)
        need(v["owner"] is None or code in ("UW-101", "UW-202", "UW-203", "UW-208", "UW-209", "UW-217",
                                            "UW-218", "UW-219", "UW-212"), "owner %s", v["owner"])
        if code != "UW-101":
            p.plan("-f", "json", status=status)
            p.apply_nothing(status)
        p.resets(0)
    return scenario


for name, a, b, code, status, more in PAIRS:
    add("host-" + name, "%s (exit %d)" % (code, status), pair(a, b, code, status, more))


@play
def host_restarts_all_the_time(p):
    """Another domain id at every look: never agreed, and looked at a bounded number of times."""
    p.nova("wedged-failed").hosts(a=[dict(RUN, id=n) for n in range(3, 60)], b=ABSENT)
    p.diagnose("UW-406", 4)
    need(len(p.looks()) < 40, "%d looks", len(p.looks()))
    p.resets(0)


@play
def host_same_twice(p):
    """Two names for one host (same host UUID, name, domain): never called a split brain."""
    p.nova("wedged-failed")
    one = {"host_uuid": "00000000-0000-4000-8000-0000000000aa"}
    p.hosts(a=dict(RUN, **one), b=dict(RUN, **one))
    v = p.diagnose("UW-405", 4)
    need("UW-201" not in [r["code"] for r in v["reasons"]], "called a split brain")
    p.resets(0)


@play
def host_monitor_mute(p):
    """All is well but the guest's monitor does not answer: refused, and it is asked once only."""
    p.nova("wedged-failed").hosts({A: {"looks": [RUN], "monitor": "mute"}, B: {"looks": [ABSENT]}})
    p.diagnose("UW-212", 3)
    need(sum("monitor" in line for line in p.looks()) == 1, "asked again: %s", p.looks())
    p.resets(0)


@play
def host_monitor_hangs(p):
    """The monitor call never returns: refused, and this guest gets no further job or monitor call."""
    p.nova("wedged-failed").hosts({A: {"looks": [RUN], "monitor": "hang"}, B: {"looks": [ABSENT]}})
    p.diagnose("UW-212", 3)
    asked = [line for line in p.looks() if line.startswith(A)]
    need("%s look" % A not in asked[asked.index("%s monitor" % A):], "asked again: %s", asked)
    p.resets(0)


@play
def host_hung_is_spared(p):
    """After a hang the host is looked at gently: no second call that could hang the guest's job lock."""
    p.nova("wedged-failed").hosts(a=[RUN, JOB_HUNG, RUN], b=ABSENT)
    p.run("diagnose", UUID)
    asked = [line for line in p.looks() if line.startswith(A)]
    need(asked[:2] == ["%s look" % A] * 2 and set(asked[2:]) <= {"%s gentle" % A}, "%s", asked)
    p.resets(0)


@play
def host_unmapped(p):
    """A host that the configuration maps to nothing usable: named, exit 4."""
    p.configure(more="")
    p.nova("wedged-failed", {"hypervisors": {B: None}}).hosts(a=RUN, b=ABSENT)
    p.diagnose("UW-410", 4)


@play
def host_override(p):
    """hosts.overrides: another URI, and a pinned host UUID that does not answer there."""
    p.configure()
    text = p.read("unwedge.yaml").replace(
        'hosts: {uri: "qemu+tls://%h/system"}',
        'hosts:\n  uri: "qemu+tls://%h/system"\n  overrides:\n    cmp-b: {uri: "qemu+tls://other/system", '
        'hostname: cmp-b, uuid: "11111111-1111-4111-8111-111111111111"}')
    p.write("unwedge.yaml", text)
    p.nova("wedged-failed").hosts({A: RUN, "other": {"hostname": B}})
    p.diagnose("UW-404", 4)
    p.hosts({A: RUN, "other": {"hostname": B, "host_uuid": "11111111-1111-4111-8111-111111111111"}})
    p.diagnose("UW-101", 2)


@play
def host_probe_missing(p):
    """No unwedge-probe in the installation: one line, exit 1."""
    import os
    os.unlink(p.path("libexec/unwedge/unwedge-probe"))
    p.nova("wedged-failed").hosts(a=RUN, b=ABSENT)
    p.run("diagnose", UUID, fail=r"unwedge: unwedge-probe is neither in .*").exits(1)
    p.resets(0)


@play
def host_probe_not_executable(p):
    """An unwedge-probe that cannot be run: one line, exit 1."""
    import os
    os.chmod(p.path("libexec/unwedge/unwedge-probe"), 0o644)
    p.nova("wedged-failed").hosts(a=RUN, b=ABSENT)
    p.run("diagnose", UUID, fail=r"unwedge: unwedge-probe is neither in .*").exits(1)


@play
def host_environment_is_clean(p):
    """The probe gets no OpenStack variable and no other secret of our environment."""
    probe = p.read("libexec/unwedge/unwedge-probe").split("\n", 1)
    p.write("libexec/unwedge/unwedge-probe", probe[0] + "\nimport json, os\nwith open(os.path.join("
            "os.path.dirname(__file__), 'seen.json'), 'w') as f:\n    json.dump(dict(os.environ), f)\n"
            + probe[1], 0o755)
    p.nova("wedged-failed").hosts(a=RUN, b=ABSENT)
    p.run("diagnose", UUID, env={"OS_PASSWORD": "x", "OS_TOKEN": "y", "LD_PRELOAD": "",
                                 "LIBVIRT_DEFAULT_URI": "test:///default"}).exits(2)
    import json
    seen = json.loads(p.read("libexec/unwedge/seen.json"))
    need(set(seen) <= {"PATH", "LC_ALL", "HOME", "SSH_AUTH_SOCK", "LC_CTYPE"}, "it saw %s", sorted(seen))
