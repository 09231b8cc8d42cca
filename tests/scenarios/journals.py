"""The journal and the state directory when they are not as they should be; intents without an end."""
import glob
import json
import os
import subprocess
import time

from play import (A, ABSENT, B, HTTP_WARNING, LAB_WARNINGS, RUN, Skip, UUID, add, need, play)

LOST = {"method": "POST", "path": "/action$", "close": "after"}
NEVER_CAME = {"method": "POST", "path": "/action$", "close": "before"}


def ready(p):
    p.nova("wedged-failed").hosts(a=RUN, b=ABSENT)
    p.plan(status=2)


def refuses(p, pattern, status=8):
    p.run("apply", p.path("plan.json"), fail=pattern).exits(status)
    p.resets(0)


@play
def journal_mode(p):
    """A journal that others may write: exit 8, no act; looking goes on."""
    ready(p)
    os.chmod(p.path("state/journal/records.jsonl"), 0o666)
    refuses(p, r"unwedge: .*records\.jsonl.*mode")
    p.diagnose("UW-101", 2)


@play
def journal_dir_mode(p):
    """The same for its directory."""
    ready(p)
    os.chmod(p.path("state/journal"), 0o777)
    refuses(p, r"unwedge: .*journal.*mode")


@play
def journal_symlink(p):
    """A journal behind a symbolic link is refused."""
    ready(p)
    os.rename(p.path("state/journal/records.jsonl"), p.path("elsewhere.jsonl"))
    os.symlink(p.path("elsewhere.jsonl"), p.path("state/journal/records.jsonl"))
    refuses(p, r"unwedge: .*records\.jsonl")


@play
def journal_read_only(p):
    """A journal on a read-only file system: exit 8 and no act."""
    ready(p)
    if subprocess.run(["mount", "--bind", p.path("state/journal"), p.path("state/journal")],
                      stderr=subprocess.DEVNULL).returncode != 0:
        raise Skip("mounting is not allowed here")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", p.path("state/journal")], check=True)
        refuses(p, r"unwedge: .*journal.*")
    finally:
        subprocess.run(["umount", p.path("state/journal")], check=True)


@play
def journal_disk_full(p):
    """No space for the intent: exit 8, nothing is sent."""
    ready(p)
    small = p.path("small")
    os.mkdir(small)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k,mode=0700", "tmpfs", small],
                      stderr=subprocess.DEVNULL).returncode != 0:
        raise Skip("mounting is not allowed here")
    try:
        text = p.read("unwedge.yaml").replace("%s/journal" % p.path("state"), small + "/journal")
        p.write("small.yaml", text)
        p.run("journal", "init", config=p.path("small.yaml"), warn=[]).exits(0)
        filler = os.open(os.path.join(small, "filler"), os.O_WRONLY | os.O_CREAT)
        try:
            while os.write(filler, b"x" * 4096):
                pass
        except OSError:
            os.close(filler)
        p.run("apply", p.path("plan.json"), config=p.path("small.yaml"),
              fail=r"unwedge: .*([Nn]o space|full).*").exits(8)
        p.resets(0)
    finally:
        subprocess.run(["umount", small], check=True)


@play
def journal_is_missing(p):
    """A journal that was never made is made by the first acting verb."""
    p.nova("wedged-failed").hosts(a=RUN, b=ABSENT)
    p.run("journal", "verify", warn=[], fail=r"unwedge: .*journal.*").exits(8)
    p.plan(status=2)
    p.verify_journal()


@play
def journal_init_twice(p):
    """journal init refuses where a journal is."""
    p.run("journal", "init", warn=[]).exits(0)
    p.run("journal", "init", warn=[], fail=r"unwedge: .*journal.*").exits(8)


@play
def journal_torn_tail(p):
    """Half a record at the end (a crash while writing): put aside, said, and the act goes on."""
    ready(p)
    with open(p.path("state/journal/records.jsonl"), "ab") as f:
        f.write(b'{"boot_id":"')
    p.run("journal", "show", warn=[]).exits(0)
    p.apply(status=0, warn=LAB_WARNINGS + [r"unwedge: warning: .*torn"])
    need(len(p.journal("recovered")) == 1, "not recorded")
    need(len(os.listdir(p.path("state/journal/torn"))) == 1, "not kept")
    p.resets(1)
    p.verify_journal()


@play
def journal_edited(p):
    """One byte of an old record changed: verify names it, now and after whatever is added."""
    ready(p)
    text = p.read("state/journal/records.jsonl").replace("RESET", "RESEt", 1)
    p.write("state/journal/records.jsonl", text, 0o600)
    p.run("journal", "verify", warn=[], fail=r"unwedge: .*journal: line \d").exits(8).says("DAMAGED")
    p.run("apply", p.path("plan.json"))
    need(p.read("state/journal/records.jsonl").startswith(text), "the damage was covered up")
    p.run("journal", "verify", warn=[], fail=r"unwedge: .*journal: line \d").exits(8).says("DAMAGED")


@play
def journal_record_removed(p):
    """A record taken out of the middle is found."""
    ready(p)
    lines = p.read("state/journal/records.jsonl").splitlines(True)
    del lines[1]
    p.write("state/journal/records.jsonl", "".join(lines), 0o600)
    p.run("journal", "verify", warn=[], fail=r"unwedge: .*journal: line \d").exits(8).says("DAMAGED")


@play
def journal_evidence_damaged(p):
    """A stored evidence file that was changed is found by verify."""
    ready(p)
    for name in glob.glob(p.path("state/journal/evidence/*")):
        os.chmod(name, 0o600)
        with open(name, "ab") as f:
            f.write(b" ")
        break
    p.run("journal", "verify", warn=[], fail=r"unwedge: .*evidence.*").exits(8)


@play
def journal_show(p):
    """journal show: what a run did, for people and as JSON, and by instance."""
    ready(p)
    p.apply("--reason", "INC-4711", status=0)
    p.run("journal", "show", warn=[]).exits(0).says("INTENT", "OUTCOME", "INC-4711")
    run = p.journal("outcome")[0]["run"]
    p.run("journal", "show", "--run", run, warn=[]).exits(0).says("OUTCOME").never_says("plan by")
    p.run("journal", "show", "--instance", UUID, "-f", "json", warn=[]).exits(0)


@play
def state_not_writable(p):
    """A state directory that cannot be made: one line."""
    p.write("file", "")
    p.configure(state=p.path("file"))
    p.nova("wedged-failed").hosts(a=RUN, b=ABSENT)
    p.run("diagnose", UUID, fail=r"unwedge: .*file.*").exits(1)
    p.run("plan", UUID, fail=r"unwedge: .*file.*")
    p.resets(0)


# --- intents without an end ----------------------------------------------------------------------


@play
def resolve_applied(p):
    """The reply was lost: exit 7; then Nova's own action tells that it was applied."""
    ready(p)
    p.faults(LOST)
    p.apply(status=7).says("unknown")
    p.outcome("unknown")
    p.diagnose("UW-001", 0)
    p.run("journal", "resolve", UUID).exits(0).says("exactly one reset is new")
    resolved = p.journal("resolved")
    need(len(resolved) == 1 and resolved[0]["result"] == "applied" and resolved[0]["request_id"], "%s",
         resolved)
    p.run("journal", "resolve", UUID).exits(0).says("no intent of %s is open" % UUID)
    p.resets(1)
    p.verify_journal()


@play
def resolve_not_applied(p):
    """The request never arrived: the next apply finds that out by itself and goes on."""
    p.policy("quick", "apply: {deadline_s: 1, max_gap_ms: 3000}")
    ready(p)
    p.faults(NEVER_CAME)
    p.apply(status=7)
    p.faults()
    p.diagnose("UW-507", 3)
    p.plan(status=3)  # an open intent is a guard
    p.run("journal", "resolve", UUID, fail=r"unwedge: UW-507 OPEN_INTENT: .*still be under way").exits(3)
    time.sleep(36)  # 30 s for the request, the policy's 1 s and 3 s, and one more
    p.run("journal", "resolve", UUID).exits(0).says("no reset is new")
    need(p.journal("resolved")[0]["result"] == "not_applied", "%s", p.journal("resolved"))
    p.plan(status=2)
    p.apply(status=0)
    p.resets(2)
    p.verify_journal()


@play
def resolve_cannot_tell(p):
    """No action of ours, but the server changed: a person has to say, with a reason."""
    ready(p)
    p.faults(NEVER_CAME)
    p.apply(status=7)
    p.faults()
    p.patch({"servers": {"*": {"updated": "now"}}})
    line = r"unwedge: UW-507 OPEN_INTENT: .*unwedge journal resolve %s --as applied\|not-applied" % UUID
    p.run("journal", "resolve", UUID, fail=line).exits(3)
    p.run("apply", p.path("plan.json"), fail=line).exits(3)
    p.run("journal", "resolve", UUID, "--as", "not-applied",
          fail=r"unwedge: --as needs --reason").exits(1)
    p.run("journal", "resolve", UUID, "--as", "perhaps", "--reason", "x",
          fail=r"unwedge: --as perhaps: applied or not-applied").exits(1)
    p.run("journal", "resolve", UUID, "--as", "not-applied", "--reason",
          "read nova-api's log, INC-1").exits(0)
    resolved = p.journal("resolved")[0]
    need(resolved["result"] == "not_applied" and resolved["reason"].startswith("read nova") and
         resolved["by"], "%s", resolved)
    p.resets(1)
    p.plan(status=2)
    p.apply(status=0)
    p.resets(2)


@play
def resolve_two_resets(p):
    """Somebody else reset it too: cannot tell."""
    ready(p)
    p.faults(LOST)
    p.apply(status=7)
    p.faults()
    p.patch({"actions": {"req-00000000-0000-4000-8000-000000000009": {
        "action": "resetState", "instance_uuid": UUID, "user_id": "x", "project_id": "y",
        "start_time": "now", "updated_at": "now", "events": []}}})
    p.run("journal", "resolve", UUID, fail=r"unwedge: UW-507 OPEN_INTENT: .*somebody else").exits(3)
    p.run("journal", "resolve", UUID, "--as", "applied", "--reason", "seen in the log").exits(0)
    p.resets(1)


@play
def resolve_broken_off(p):
    """Nova wrote the action down and died before the instance: the action alone is no proof."""
    ready(p)
    p.faults(NEVER_CAME)
    p.apply(status=7)
    p.faults()
    p.patch({"actions": {"req-00000000-0000-4000-8000-000000000009": {
        "action": "resetState", "instance_uuid": UUID, "user_id": p.journal("intent")[0]["user_id"],
        "project_id": "y", "start_time": "now", "updated_at": "now", "events": []}}})
    p.run("journal", "resolve", UUID,
          fail=r"unwedge: UW-507 OPEN_INTENT: .*the server is as it was before").exits(3)
    need(not p.journal("resolved"), "%s", p.journal("resolved"))
    p.run("journal", "resolve", UUID, "--as", "not-applied", "--reason", "nova-api's log").exits(0)
    p.resets(1)
    p.plan(status=2)  # the action that did nothing is in nobody's way
    p.apply(status=0)
    p.resets(2)
    p.verify_journal()


@play
def resolve_nova_gone(p):
    """Nova cannot be read: the intent stays open, exit 4."""
    ready(p)
    p.faults(LOST)
    p.apply(status=7)
    p.faults({"path": "/os-instance-actions", "status": 500})
    p.run("journal", "resolve", UUID, fail=r"unwedge: .*not known.*500").exits(4)
    need(not p.journal("resolved"), "resolved")
    p.resets(1)


@play
def verification_bad(p):
    """Accepted, yet the server does not become ACTIVE: exit 7, and what was found."""
    ready(p)
    p.faults({"method": "GET", "path": "/servers/[^/]+$",
              "set": {"/server/OS-EXT-STS:task_state": "migrating"}})
    p.apply(status=7).says("NOT verified")
    p.resets(1)
    p.outcome("applied")


@play
def verification_guest_gone(p):
    """The guest is not where it was after the reset: exit 7 and its new place."""
    ready(p)
    log = p.world.log
    p.hosts({A: {"looks": [RUN]}, B: {"looks": [ABSENT], "after_post": dict(RUN, id=9), "log": log}})
    p.apply(status=7).says("on cmp-b the guest's domain is RUN now, it was ABSENT", "NOT verified")
    p.resets(1)
    p.outcome("applied")
