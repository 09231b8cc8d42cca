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
                     ("spaces", b" yes\n"), ("more", b"yes please\n"), ("end", b"\x04"),
                     ("long", b"y" * 300 + b"\n")):
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
    ("task-other", {"servers": {"*": {"task_state": "rebuilding"}}}, None, 6,
     "task_state: migrating -> rebuilding"),
    ("vm-state", {"servers": {"*": {"vm_state": "error"}}}, None, 6, "vm_state: active -> error"),
    ("record-status", {"migrations": {"*": {"status": "completed"}}}, None, 6,
     "mig_status: failed -> completed"),
    ("service", {"services": {"nova-compute@cmp-b": {"state": "down"}}}, None, 6, "service.*up -> down"),
    ("reset-by-other", {"actions": {"req-00000000-0000-4000-8000-000000000009": {
        "action": "resetState", "instance_uuid": UUID, "user_id": "x", "project_id": "y", "start_time": "now",
        "updated_at": "now", "events": []}}}, None, 6, "newer_action: none -> harmless"),
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
    stop = dict(RUN, hook=["/bin/sh", "-c", "> " + p.path("stop")])
    p.hosts({A: {"looks": [RUN], "after_intent": stop}, B: {"looks": [ABSENT]}})
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
    """SIGKILL between intent and POST: the next run finds the open intent; a person resolves it."""
    ready(p)
    p.plan(status=2)
    kill = dict(RUN, hook=["/bin/sh", "-c", "kill -KILL {ppid}"])
    p.hosts({A: {"looks": [RUN], "after_intent": kill}, B: {"looks": [ABSENT]}})
    p.start_and_kill("apply", p.path("plan.json"))
    p.resets(0)
    need(len(p.journal("intent")) == 1 and not p.journal("outcome"), "%s", p.journal())
    p.hosts(a=RUN, b=ABSENT)
    p.diagnose("UW-507", 3)
    p.run("journal", "resolve", UUID, fail=r"unwedge: UW-507 OPEN_INTENT: .*still be under way").exits(3)
    p.run("journal", "resolve", UUID, "--as", "not-applied", "--reason", "nova-api's log").exits(0)
    p.plan(status=2)
    p.apply(status=0)
    p.resets(1)
    p.verify_journal()


@play
def killed_after_post(p):
    """SIGKILL between POST and outcome: the next run finds the one new action of ours, and sends nothing."""
    ready(p)
    p.plan(status=2)
    p.faults({"method": "POST", "path": "/action$", "delay_reply_ms": 8000})
    process = p.start("apply", p.path("plan.json"))
    p.wait_for("the POST", lambda: any(r["method"] == "POST" and r["path"].endswith("/action")
                                       for r in p.requests()))
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=10)
    p.children.remove(process)
    p.faults()
    need(len(p.journal("intent")) == 1 and not p.journal("outcome"), "%s", p.journal())
    p.hosts(a=RUN, b=ABSENT)
    p.run("journal", "resolve", UUID).exits(0).says("exactly one reset is new")
    resolved = p.journal("resolved")[0]
    need(resolved["result"] == "applied" and resolved["request_id"], "%s", resolved)
    p.diagnose("UW-001", 0)
    p.apply(status=6).says("nova.task_state: migrating -> none")
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
    """Between the program and Nova: counts the requests sent while `counts` holds, and with the one
    numbered `last` stops to accept connections for good, before the reply is passed on."""

    def __init__(self, port, counts):
        super().__init__(daemon=True)
        self.target, self.counts, self.count, self.last = port, counts, 0, None
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def run(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.carry, args=(client,), daemon=True).start()

    def note(self, data):
        with self.lock:
            if data.startswith(b"GET ") and self.counts():
                self.count += 1
                if self.count == self.last:
                    self.listener.shutdown(socket.SHUT_RDWR)
                    self.listener.close()

    def carry(self, client):
        server = socket.create_connection(("127.0.0.1", self.target))
        with client, server:
            while True:
                for source in select.select([client, server], [], [], 60)[0]:
                    data = source.recv(65536)
                    if source is client:
                        self.note(data)
                    (server if source is client else client).sendall(data)
                    if not data:
                        return


@play
def post_refused(p):
    """Nobody listens any more when the reset is to be sent: not applied, exit 3, outcome recorded."""
    ready(p)
    intents, asked = 1, []

    def between():  # the intent is durable and nothing was sent yet
        journal = p.path("state/journal/records.jsonl")
        if not os.path.exists(journal):
            return False
        with open(journal, "rb") as f:
            return f.read().count(b'"type":"intent"') == intents and not asked

    gate = Gate(p.ready["port"], between)
    gate.start()
    p.patch({"regions": {"RegionOne": {"compute_url": "http://127.0.0.1:%d/v2.1" % gate.port}}})
    # How many reads there are between intent and POST is seen in a run that changes its mind.
    p.plan(status=2)
    stop = dict(RUN, hook=["/bin/sh", "-c", "> " + p.path("stop")])
    p.hosts({A: {"looks": [RUN], "after_intent": stop}, B: {"looks": [ABSENT]}})
    p.apply(status=3)
    os.unlink(p.path("stop"))
    need(gate.count > 0, "no read after the intent")
    gate.last, gate.count, intents = gate.count, 0, 2
    p.hosts(a=RUN, b=ABSENT)
    p.apply(status=3).says("nothing was sent")
    p.resets(0)
    need([o["result"] for o in p.journal("outcome")] == ["not_applied"] * 2, "%s", p.journal("outcome"))
    p.verify_journal()


@play
def post_stalls(p):
    """Nova takes the reset and never answers: given up in bounded time, unknown, never sent again."""
    ready(p)
    p.plan(status=2)
    p.faults({"method": "POST", "path": "/action$",
              "stall": {"in_head": True, "for_s": 50, "then": "close"}})
    begin = time.monotonic()
    p.apply(status=7).says("unknown")
    need(time.monotonic() - begin < 45, "it took %d s", time.monotonic() - begin)
    p.resets(1)
    p.outcome("unknown")


# --- the cloud's clock, and waiting ---------------------------------------------------------------


@play
def clock_set_back_before_apply(p):
    """The cloud's clock goes back between plan and apply: the record has no age any more."""
    ready(p)
    p.plan(status=2)
    p.patch({"clock": {"offset_s": -9000}})
    p.apply(status=9).says("UW-306")
    p.resets(0)
    need(not p.journal("intent"), "an intent was written")


@play
def clock_set_back_after_intent(p):
    """The same between intent and POST: not sent."""
    ready(p)
    p.plan(status=2)
    p.hosts({A: {"looks": [RUN], "after_intent": dict(RUN, hook=p.patch_hook(
        {"clock": {"offset_s": -9000}}))}, B: {"looks": [ABSENT]}})
    p.apply(status=9)
    p.resets(0)
    p.outcome("not_applied")


@play
def wait_until_old_enough(p):
    """diagnose --wait looks again until the verdict is final."""
    p.nova("wedged-failed", age_s=0).hosts(a=RUN, b=ABSENT)
    p.run("diagnose", UUID).exits(9).says("UW-306")
    p.run("diagnose", UUID, "--wait=20").exits(2).says("UW-101")
    p.resets(0)


@play
def wait_is_bounded(p):
    """--wait=2 ends after two seconds with what is true then."""
    p.nova("wedged-running-src-up").hosts(a=OUT, b=IN)
    begin = time.monotonic()
    p.run("diagnose", UUID, "--wait=2").exits(9).says("UW-301")
    need(time.monotonic() - begin < 15, "it took %d s", time.monotonic() - begin)


@play
def wait_is_interrupted(p):
    """Ctrl-C and SIGTERM end the waiting at once."""
    p.nova("wedged-running-src-up").hosts(a=OUT, b=IN)
    for number in (signal.SIGINT, signal.SIGTERM):
        process = p.start("diagnose", UUID, "--wait=60")
        asked = len(p.looks())
        p.wait_for("the looks", lambda: len(p.looks()) >= asked + 3)
        time.sleep(0.5)
        begin = time.monotonic()
        os.kill(process.pid, number)
        p.end(process, fail=r"unwedge: interrupted").exits(1)
        need(time.monotonic() - begin < 5, "it took %d s", time.monotonic() - begin)
    p.resets(0)
