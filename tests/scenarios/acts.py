"""The act itself: the terminal, what changes on the way, Ctrl-C at each stage, two at once."""
import os
import select
import signal
import socket
import threading
import time

from play import A, ABSENT, B, C, IN, OUT, PUSER, REFUSED, RUN, UUID, add, need, play

INTERRUPT = ["/bin/sh", "-c", "kill -INT {ppid}"]


def ready(p, policy="quick", **wish):
    p.nova("wedged-failed", **wish).hosts(a=RUN, b=ABSENT)


# --- recover ---------------------------------------------------------------------------------


@play
def recover_yes(p):
    """recover on a terminal, answered with yes: the whole way in one command."""
    ready(p)
    done = p.on_terminal("recover", UUID, answer=b"yes\n").exits(0)
    need(done.asked, "it did not ask")
    done.says("SAFE_TO_RESET", "os-resetState: done", "verified")
    p.resets(1)
    p.outcome("applied")
    p.verify_journal()


def declined(answer):
    def scenario(p):
        ready(p)
        done = p.on_terminal("recover", UUID, answer=answer).exits(0)
        need(done.asked, "it did not ask")
        done.says("declined; nothing was changed")
        p.resets(0)
        need(not p.journal("intent"), "an intent was written")
    return scenario


for name, answer in (("no", b"no\n"), ("nothing", b"\n"), ("capitals", b"YES\n"), ("y", b"y\n"),
                     ("spaces", b" yes\n"), ("more", b"yes please\n"), ("end", b"\x04"), ("long", b"y" * 300 + b"\n")):
    add("recover-" + name, "recover answered with %r: declined, exit 0, nothing sent" % answer,
        declined(answer))


@play
def recover_pipe(p):
    """`yes | unwedge recover` without a terminal: exit 1, nothing is even looked at."""
    ready(p)
    p.run("recover", UUID, stdin=b"yes\n" * 100, warn=[],
          fail=r"unwedge: recover asks on the terminal and there is none").exits(1)
    need(not p.looks(), "hosts were looked at")
    p.resets(0)


@play
def recover_refused(p):
    """recover with a verdict that is no RESET does not ask."""
    p.nova("wedged-completed").hosts(a=ABSENT, b=RUN)
    done = p.on_terminal("recover", UUID, answer=b"yes\n").exits(3)
    need(not done.asked, "it asked")
    p.resets(0)


@play
def recover_interrupted_at_question(p):
    """Ctrl-C at the question: nothing is sent."""
    ready(p)
    done = p.on_terminal("recover", UUID, answer=b"\x03",
                         fail=r"unwedge: no answer from the terminal; nothing was changed").exits(1)
    need(done.asked, "it did not ask")
    p.resets(0)
    need(not p.journal("intent"), "an intent was written")


# --- what changes between plan and apply -------------------------------------------------------

CHANGES = [  # name, patch of Nova or None, hosts afterwards or None, exit, what is said
    ("host", {"servers": {"*": {"host": B, "node": B}}}, None, 6, "record_host: .*-> "),
    ("task-cleared", {"servers": {"*": {"task_state": None}}}, None, 6, "task_state: migrating -> none"),
    ("task-other", {"servers": {"*": {"task_state": "rebuilding"}}}, None, 6, "task_state: migrating -> rebuilding"),
    ("vm-state", {"servers": {"*": {"vm_state": "error"}}}, None, 6, "vm_state: active -> error"),
    ("record-status", {"migrations": {"*": {"status": "completed"}}}, None, 6, "mig_status: failed -> completed"),
    ("service", {"services": {"nova-compute@cmp-b": {"state": "down"}}}, None, 6, "service.*up -> down"),
    ("reset-by-other", {"actions": {"req-00000000-0000-4000-8000-000000000009": {
        "action": "resetState", "instance_uuid": UUID, "user_id": "x", "project_id": "y", "start_time": "now",
        "updated_at": "now", "events": []}}}, None, 6, "newer_action: none -> other"),
    ("new-migration", {"migrations": {"99": {
        "uuid": "00000000-0000-4000-8000-000000000099", "instance_uuid": UUID, "status": "running",
        "migration_type": "live-migration", "source_compute": A, "dest_compute": B, "created_at": "now",
        "updated_at": "now"}}}, None, 6, "mig_id: 7 -> 99"),
    ("new-host", {"migrations": {"99": {
        "uuid": "00000000-0000-4000-8000-000000000099", "instance_uuid": UUID, "status": "failed",
        "migration_type": "live-migration", "source_compute": A, "dest_compute": C,
        "created_at": "now-7000s", "updated_at": "now-7000s"}},
        "hypervisors": {C: {"id": 9, "uuid": UUID, "service_host": C, "hypervisor_type": "QEMU",
                            "host_ip": "127.0.0.1"}}}, {A: RUN, B: ABSENT, C: ABSENT}, 6, "->"),
    ("second-copy", None, {A: RUN, B: dict(RUN, id=9)}, 6, "absent -> present"),
    ("moved", None, {A: ABSENT, B: RUN}, 6, "present -> absent"),
    ("job", None, {A: OUT, B: IN}, 6, "job: none -> out"),
    ("paused", None, {A: PUSER, B: ABSENT}, 6, "state: 1 -> 3"),
    ("restarted", None, {A: dict(RUN, id=77), B: ABSENT}, 6, "domain_id: 3 -> 77"),
    ("unreachable", None, {A: RUN, B: REFUSED}, 4, "reach: ok -> unreachable"),
]


def changed(patch, hosts, status, says):
    def scenario(p):
        ready(p)
        p.plan(status=2)
        if patch:
            p.patch(patch)
        if hosts:
            p.hosts(hosts)
        p.apply(status=status).says(says)
        p.resets(0)
        need(not p.journal("intent"), "an intent was written")
        refusals = p.journal("refusal")
        need(refusals and all("->" in r["text"] for r in refusals), "refusals: %s", refusals)
        p.verify_journal()
    return scenario


def changed_after_intent(patch, hosts, status, says):
    def scenario(p):
        ready(p)
        p.plan(status=2)
        plan = {host: {"looks": [look]} for host, look in ((A, RUN), (B, ABSENT), (C, ABSENT))}
        for host, look in (hosts or {}).items():
            plan[host]["after_intent"] = look
        if patch:
            plan[A]["after_intent"] = dict(RUN, hook=p.patch_hook(patch))
        p.hosts(plan)
        p.apply(status=status).says(says)
        p.resets(0)
        need(len(p.journal("intent")) == 1, "no intent")
        p.outcome("not_applied")
        p.verify_journal()
        p.run("apply", p.path("plan.json"))
        p.resets(0)
    return scenario


for name, patch, hosts, status, says in CHANGES:
    add("changed-" + name, "%s changes between plan and apply: named, exit %d, nothing sent"
        % (name, status), changed(patch, hosts, status, says))
    add("late-" + name, "%s changes between intent and POST: not sent, outcome not_applied" % name,
        changed_after_intent(patch, hosts, status, says))


@play
def late_kill_switch(p):
    """The kill switch goes on between intent and POST."""
    ready(p)
    p.plan(status=2)
    p.hosts({A: {"looks": [RUN], "after_intent": dict(RUN, hook=["/bin/sh", "-c", "> " + p.path("stop")])},
             B: {"looks": [ABSENT]}})
    p.apply(status=3).says("kill switch|KILL_SWITCH")
    p.resets(0)
    p.outcome("not_applied")


@play
def late_heartbeat(p):
    """Nova's numbers begin to move between intent and POST."""
    ready(p)
    p.plan(status=2)
    p.hosts({A: {"looks": [RUN], "after_intent": dict(RUN, hook=p.patch_hook(
        {"servers": {"*": {"updated": "now"}}, "migrations": {"*": {"updated_at": "now"}}}))},
             B: {"looks": [ABSENT]}})
    done = p.run("apply", p.path("plan.json"))
    need(done.status in (6, 9), "exit %s\n%s", done.status, done)
    p.resets(0)
    p.outcome("not_applied")


@play
def late_gap(p):
    """More than apply.max_gap_ms between the last look and the POST: given up, with an outcome."""
    p.policy("quick", "apply: {deadline_s: 3, max_gap_ms: 400}")
    ready(p)
    p.plan(status=2)
    # What counts the wedged instances is asked after the last look.
    p.faults({"path": "/servers/detail", "delay_ms": 900})
    p.apply(status=6).says("more than 400 ms passed since the last look; nothing was sent")
    p.resets(0)
    p.outcome("not_applied")


# --- Ctrl-C ------------------------------------------------------------------------------------


@play
def interrupt_diagnose(p):
    """Ctrl-C while observing: exit 1, one line, nothing left behind."""
    ready(p)
    p.hosts(a=[RUN, dict(RUN, hook=INTERRUPT)], b=ABSENT)
    p.run("diagnose", UUID, fail=r"unwedge: interrupted").exits(1)
    need(not os.path.isdir(p.path("state/runs")) or not os.listdir(p.path("state/runs")), "a run was saved")
    p.resets(0)


@play
def interrupt_plan(p):
    """Ctrl-C in the observation of a plan: no plan file."""
    ready(p)
    p.hosts(a=[RUN, dict(RUN, hook=INTERRUPT)], b=ABSENT)
    p.run("plan", UUID, "-o", p.path("plan.json"), fail=r"unwedge: interrupted").exits(1)
    need(not os.path.exists(p.path("plan.json")), "a plan was written")


@play
def interrupt_apply_observing(p):
    """Ctrl-C in the observation of apply: no intent, nothing sent."""
    ready(p)
    p.plan(status=2)
    p.hosts(a=[dict(RUN, hook=INTERRUPT), RUN], b=ABSENT)
    p.run("apply", p.path("plan.json"), fail=r"unwedge: interrupted").exits(1)
    p.resets(0)
    need(not p.journal("intent"), "an intent was written")
    p.verify_journal()


@play
def interrupt_after_intent(p):
    """Ctrl-C after the intent and before the POST: not sent, and the outcome says so."""
    ready(p)
    p.plan(status=2)
    p.hosts({A: {"looks": [RUN], "after_intent": dict(RUN, hook=INTERRUPT)}, B: {"looks": [ABSENT]}})
    done = p.run("apply", p.path("plan.json"))
    need(done.status == 1, "exit %s\n%s", done.status, done)
    p.resets(0)
    p.outcome("not_applied")
    p.verify_journal()


@play
def interrupt_verifying(p):
    """Ctrl-C while the outcome is looked at: the outcome is recorded all the same."""
    ready(p)
    p.plan(status=2)
    p.faults({"path": "/servers/[^/]+$", "method": "GET", "from": 1, "delay_ms": 1})
    # The server still shows the old state for a while after the reset, so that it has to poll.
    p.faults({"method": "POST", "path": "/action$", "delay_reply_ms": 1500})
    process = p.start("apply", p.path("plan.json"))
    p.wait_for("the POST", lambda: any(r["method"] == "POST" and r["path"].endswith("/action")
                                       for r in p.requests()))
    os.kill(process.pid, signal.SIGINT)
    done = p.end(process, fail=[])
    p.resets(1)
    outcome = p.outcome("applied")
    need(outcome["request_id"], "no request id")
    need(done.status in (0, 7), "exit %s\n%s", done.status, done)
    p.verify_journal()


# --- two at once -------------------------------------------------------------------------------


@play
def two_at_once(p):
    """Two applies on the same instance: the second is told who holds it, and one reset is sent."""
    ready(p)
    p.plan(status=2)
    p.hosts(a=[dict(RUN, sleep_ms=1500), RUN], b=ABSENT)
    first = p.start("apply", p.path("plan.json"))
    lock = p.path("state/lock", UUID)
    p.wait_for("the lock", lambda: os.path.exists(lock) and os.path.getsize(lock) > 0)
    p.run("apply", p.path("plan.json"), fail=r"unwedge: \S+ is locked by process %d \(apply\) since "
          % first.pid).exits(1)
    p.end(first).exits(0)
    p.resets(1)


@play
def ten_at_once(p):
    """Ten applies of one plan, started together: exactly one reset."""
    ready(p)
    p.plan(status=2)
    running = [p.start("apply", p.path("plan.json")) for _ in range(10)]
    status = []
    for process in running:
        out, err = process.communicate(timeout=60)
        p.children.remove(process)
        status.append(process.returncode)
    need(status.count(0) == 1 and set(status) <= {0, 1, 6}, "they ended with %s", status)
    p.resets(1)
    p.verify_journal()


@play
def killed_before_post(p):
    """SIGKILL between intent and POST: the next run finds the open intent and can tell: not applied."""
    ready(p)
    p.plan(status=2)
    p.hosts({A: {"looks": [RUN], "after_intent": dict(RUN, hook=["/bin/sh", "-c", "kill -KILL {ppid}"])},
             B: {"looks": [ABSENT]}})
    p.start_and_kill("apply", p.path("plan.json"))
    p.resets(0)
    need(len(p.journal("intent")) == 1 and not p.journal("outcome"), "%s", p.journal())
    p.hosts(a=RUN, b=ABSENT)
    p.diagnose("UW-507", 3)
    time.sleep(3.2)  # apply.deadline_s of the quick policy
    p.run("journal", "resolve", UUID).exits(0).says("not_applied|no reset is new")
    p.plan(status=2)
    p.apply(status=0)
    p.resets(1)
    p.verify_journal()


@play
def json_of_apply(p):
    """apply -f json: one document with the outcome and the request id."""
    ready(p)
    p.plan(status=2)
    doc = p.apply("-f", "json", status=0).json()
    need(doc["schema"] == "unwedge.apply/1" and doc["outcome"] == "done" and doc["verified"] is True,
         "%s", doc)
    need(doc["request_id"] == p.resets(1)[0]["request_id"], "%s", doc["request_id"])


@play
def old_plan_full_observation(p):
    """A plan older than the window: apply observes for the whole window again."""
    ready(p)
    p.plan(status=2)
    time.sleep(1.5)
    p.hosts(a=RUN, b=ABSENT)
    p.apply(status=0)
    need(sum(line == "%s look" % B for line in p.looks()) >= 4, "looks: %s", p.looks())
    p.resets(1)


# --- a POST that cannot even be connected ---------------------------------------------------------


class Gate(threading.Thread):
    """Between the program and Nova; closes for good once `shut` holds for what a client sends."""

    def __init__(self, port, shut):
        super().__init__(daemon=True)
        self.target, self.shut = port, shut
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def run(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.carry, args=(client,), daemon=True).start()

    def carry(self, client):
        server = socket.create_connection(("127.0.0.1", self.target))
        last = False
        with client, server:
            while True:
                for source in select.select([client, server], [], [], 60)[0]:
                    data = source.recv(65536)
                    if source is client and self.shut(data):
                        last = True
                        self.listener.shutdown(socket.SHUT_RDWR)
                        self.listener.close()
                    (server if source is client else client).sendall(data)
                    if not data or (source is server and last):
                        return


@play
def post_refused(p):
    """Nobody listens any more when the reset is to be sent: not applied, exit 3, outcome recorded."""
    ready(p)
    journal = p.path("state/journal/records.jsonl")

    def shut(data):  # the count of the wedged is the last call before the POST
        if b"/servers/detail" not in data or not os.path.exists(journal):
            return False
        with open(journal, "rb") as f:
            return b'"type":"intent"' in f.read()

    gate = Gate(p.ready["port"], shut)
    gate.start()
    p.patch({"regions": {"RegionOne": {"compute_url": "http://127.0.0.1:%d/v2.1" % gate.port}}})
    p.plan(status=2)
    p.apply(status=3).says("nothing was sent")
    p.resets(0)
    p.outcome("not_applied")
    p.verify_journal()


@play
def post_stalls(p):
    """Nova takes the reset and never answers: given up in bounded time, unknown, never sent again."""
    ready(p)
    p.plan(status=2)
    p.faults({"method": "POST", "path": "/action$", "stall": {"in_head": True, "for_s": 50, "then": "close"}})
    begin = time.monotonic()
    p.apply(status=7).says("unknown")
    need(time.monotonic() - begin < 45, "it took %d s", time.monotonic() - begin)
    p.resets(1)
    p.outcome("unknown")
