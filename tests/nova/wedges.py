"""Real wedges and what unwedge has to say about each; for each RESET the whole way, for OWNER_MOVED the repair."""
import json
import os
import signal
import threading
import time

from novasite import ATTESTED, Wrong, need
from repair import Repair, Residue, agreement
from stackkit import heal, wedges

A, B = "cmp-a", "cmp-b"
STOPPED = ("--attest", "%s=%s" % (ATTESTED, A))


class Wedges:
    def __init__(self, site, report):
        self.site, self.stack, self.report = site, site.stack, report
        self.residue = {}       # of the resets, by instance

    def check(self, name, uuid, kind, code, more=(), words=(), config=None, resets=0):
        return self.report.play("%-12s %s %s" % (name, code, " ".join(words)), self.site.expect, uuid,
                                kind, code, more, words, config, resets)

    def make(self, *names):
        """{name: [wedge, ...]}; what one kill can make is made by one."""
        made = {}
        for line in wedges.make(self.stack, names):
            made.setdefault(line["wedge"], []).append(line)
        return made

    # --- one kill of the source's nova-compute ---------------------------------------------------------

    def one_kill(self):
        """Nova says the same of w1, w2 and w3 while their guests are in three different situations."""
        made = self.make("w1", "w1", "w1", "w2", "w2", "w2", "w3", "w5", "paused", "w7",
                         "queued")
        u = {name: [line["uuid"] for line in lines] for name, lines in made.items()}
        self.report.play("w1, w2 and w3 look alike in Nova", self.alike, u["w1"][0], u["w2"][0], u["w3"][0])
        self.check("w3", u["w3"][0], "WAIT", "STILL_MIGRATING", ["JOB_ORPHANED"])
        self.check("w1", u["w1"][0], "RESET", "SAFE_TO_RESET")
        self.check("w1", u["w1"][0], "REFUSE", "ATTESTATION_REQUIRED", config=self.site.standard)
        self.check("w1", u["w1"][0], "RESET", "SAFE_TO_RESET", words=STOPPED, config=self.site.standard)
        self.check("w2", u["w2"][0], "REFUSE", "OWNER_MOVED")
        self.check("paused", u["paused"][0], "REFUSE", "PAUSED_BY_USER")
        self.check("queued", u["queued"][0], "WAIT", "QUEUED")
        # A healthy migration that somebody reset: the reason for our refusal of one.
        self.check("w7", u["w7"][0], "REFUSE", "OWNER_MOVED", resets=1)
        self.check("w5", u["w5"][0], "WAIT", "POSTCOPY")
        self.stack.release_post_copy(u["w5"][0], A)
        self.stack.wait_moved(u["w5"][0], A, B)
        self.check("w5-end", u["w5"][0], "REFUSE", "OWNER_MOVED")
        play = self.report.play
        play("w1: plan, apply, ACTIVE, verified; the journal's request id is Nova's", self.whole_way, u["w1"][0])
        play("w1: each left-over of the reset is found", self.residue_found, u["w1"][0])
        play("w1: the commands that were printed clean it", self.residue_cleaned, u["w1"][0])
        play("w1: another one is cleaned before its reset", self.clean_before, u["w1"][1])
        play("w1: the same under standard's rules, attested", self.whole_way, u["w1"][1], STOPPED,
             self.site.standard)
        play("w1: nothing is invented where nothing is left", self.residue_none, u["w1"][1])
        play("w2: a plan is refused and sends nothing", self.refused, u["w2"][0])
        play("w2: the printed repair, steps 1 to 6", self.repair, u["w2"][0])
        play("w2: a blind reset makes w6", self.stack.reset_state, u["w2"][1])
        self.check("w6", u["w2"][1], "REFUSE", "OWNER_MOVED", resets=1)
        play("the repair's step 7: nova-compute starts again", self.step_seven)
        self.check("w2 repaired", u["w2"][0], "NOTHING", "NOT_WEDGED")
        play("w2 repaired: all agree, stop and start work on the right host", self.stop_start, u["w2"][0])
        self.check("w4a (w3)", u["w3"][0], "NOTHING", "NOT_WEDGED")
        self.check("w4a (w1)", u["w1"][2], "NOTHING", "NOT_WEDGED")
        self.check("w4b (w2)", u["w2"][2], "REFUSE", "OWNER_MOVED")
        self.check("w5+restart", u["w5"][0], "REFUSE", "OWNER_MOVED")
        play("w1: after the restart another live migration completes", self.migrates_again, u["w1"][0])
        play("rung 3 leaves `error`, a reset `running` for ever", self.records, u["w1"][2], u["w1"][1])
        play("w6: a stop by the API leaves the guest running", self.stop_of_w6, u["w2"][1])

    def alike(self, *uuids):
        said = [self.stack.nova_says(uuid) for uuid in uuids]
        need(said[0] == said[1] == said[2], "%s", said)
        truth = [self.stack.libvirt_says(uuid) for uuid in uuids]
        need(truth[0] != truth[1] and truth[1] != truth[2] and truth[0] != truth[2], "%s", truth)

    def whole_way(self, uuid, words=(), config=None):
        before = self.stack.libvirt_says(uuid)
        plan = self.site.path("plan-%s.json" % uuid)
        self.site.exits(2, "plan", uuid, "-o", plan, *words, "--reason", "INC-1", config=config)
        need(not self.site.resets(uuid), "the plan reset it")
        done = self.site.exits(0, "apply", plan, "--reason", "INC-1", "-f", "json", config=config)
        result = json.loads(done.stdout)
        actions = self.site.resets(uuid)
        outcome = self.site.journal("outcome")[-1]
        need(len(actions) == 1, "%d resetState actions", len(actions))
        need(actions[0]["request_id"] == outcome["request_id"] == result["request_id"], "%s, %s, %s",
             actions[0], outcome, result)
        need(outcome["instance"] == uuid and outcome["result"] == "applied", "%s", outcome)
        says = self.stack.nova_says(uuid)
        need((says["status"], says["task_state"], says["host"]) == ("ACTIVE", None, A), "%s", says)
        need(self.stack.libvirt_says(uuid) == before, "%s -> %s", before, self.stack.libvirt_says(uuid))
        self.site.exits(6, "apply", plan, config=config)
        need(len(self.site.resets(uuid)) == 1, "the same plan was applied twice")
        self.site.exits(0, "journal", "verify")
        self.residue[uuid] = Residue(self.stack, result["verdict"]["residue"])
        need(self.site.journal("residue")[-1]["lines"] == result["verdict"]["residue"],
             "the journal has other lines")

    # --- what a reset leaves behind ------------------------------------------------------------------------

    def ports(self, uuid):
        listed = self.stack.admin.call("network", "GET", "/v2.0/ports?device_id=" + uuid)["ports"]
        return [port["id"] for port in listed]

    def residue_found(self, uuid):
        report = self.residue[uuid]
        record = self.stack.migration(uuid)
        wanted = {"the record": ("Nova: migration", record["uuid"], "running"),
                  "the instance's allocation": ("Placement: the instance", B),
                  "the migration's": ("Placement: migration " + record["uuid"], A),
                  "the binding": ("Neutron: port " + self.ports(uuid)[0], "INACTIVE", B),
                  "its profile": ("Neutron: port " + self.ports(uuid)[0], "migrating_to", B)}
        problems = ["%s is not found" % name for name, words in wanted.items() if len(report.found(*words)) != 1]
        if len(report.found()) != len(wanted):
            problems.append("%d things are found, %d are there" % (len(report.found()), len(wanted)))
        if not any("Cinder" in line for line in report.lines if line.startswith("could not be read: ")):
            problems.append("nothing says that there is no Cinder to ask")
        return problems + ([] if not problems else report.lines)

    def residue_cleaned(self, uuid):
        self.residue[uuid].clean()
        return self.left(uuid, "error") + agreement(self.stack, uuid, A)

    def left(self, uuid, status):
        """Problems: what a clean instance does not have."""
        record = self.stack.migration(uuid)
        claims = self.stack.admin.call("placement", "GET", "/allocations/" + record["uuid"])["allocations"]
        bindings = {b["host"]: b["status"] for port in self.ports(uuid) for b in self.stack.admin.call(
            "network", "GET", "/v2.0/ports/%s/bindings" % port)["bindings"]}
        return (["the record is %s" % record["status"]] if record["status"] != status else []) + (
            ["the migration holds %s" % claims] if claims else []) + (
            ["bindings: %s" % bindings] if bindings != {A: "ACTIVE"} else [])

    def clean_before(self, uuid):
        """By hand, through the services' own APIs."""
        call = self.stack.admin.call
        for port in self.ports(uuid):
            call("network", "DELETE", "/v2.0/ports/%s/bindings/%s" % (port, B))
            call("network", "PUT", "/v2.0/ports/" + port, {"port": {"binding:profile": {}}})
        held = call("placement", "GET", "/allocations/" + self.stack.migration(uuid)["uuid"])
        mine = call("placement", "GET", "/allocations/" + uuid)
        # one request moves both, as Nova's own rollback does
        call("placement", "POST", "/allocations", {
            uuid: {**mine, "allocations": {k: {"resources": v["resources"]} for k, v in held["allocations"].items()}},
            self.stack.migration(uuid)["uuid"]: {**held, "allocations": {}}})
        return self.left(uuid, "running")

    def residue_none(self, uuid):
        report = self.residue[uuid]
        problems = ["%s: not said that nothing is found" % s for s in ("Placement", "Neutron")
                    if not report.none_found(s)]
        if len(report.found()) != 1 or not report.found("Nova: migration"):
            problems += ["only the record is left"] + report.lines
        return problems

    # --- OWNER_MOVED ---------------------------------------------------------------------------------------

    def refused(self, uuid):
        plan = self.site.path("plan-%s.json" % uuid)
        self.site.exits(3, "plan", uuid, "-o", plan)
        self.site.exits(3, "apply", plan)
        need(not self.site.resets(uuid), "it was reset")

    def repair(self, uuid):
        _, verdict = self.site.verdict("diagnose", uuid)
        Repair(self.stack, verdict).records_of_nova()
        return agreement(self.stack, uuid, B)

    def step_seven(self):
        self.stack.start_compute(A)
        self.stack.wait_service(A, "up")

    def stop_start(self, uuid):
        self.stack.admin.action(uuid, "os-stop")
        self.stack.wait_row(uuid, "stopped", None)
        self.stack.admin.action(uuid, "os-start")
        self.stack.wait_row(uuid, "active", None)
        return agreement(self.stack, uuid, B)

    def migrates_again(self, uuid):
        self.stack.release(uuid, A)
        self.stack.migrate(uuid, B)
        return ["libvirt: %s" % self.stack.libvirt_says(uuid)] if self.stack.row(uuid)["host"] != B else []

    def records(self, healed, reset):
        need(self.stack.migration(healed)["status"] == "error", "%s", self.stack.migration(healed))
        need(self.stack.migration(reset)["status"] == "running", "%s", self.stack.migration(reset))

    def stop_of_w6(self, uuid):
        self.stack.admin.action(uuid, "os-stop")
        self.stack.wait_row(uuid, "stopped", None)
        need(self.stack.libvirt_says(uuid)[B].startswith("1/"), "%s", self.stack.libvirt_says(uuid))
        return self.site.expect(uuid, "REFUSE", "OWNER_MOVED", resets=1)

    # --- one disturbance each ----------------------------------------------------------------------------

    def heal(self):
        self.report.play("heal", lambda: heal.heal(self.stack) and [])

    def singles(self):
        for name, function in (("w10", self.w10), ("w11", self.w11), ("forced-down", self.forced_down),
                               ("w8-early", self.w8_early)):
            function(name)
            self.heal()

    def _one(self, name):
        made = self.make(name)
        return made[name][0]["uuid"]

    def moves(self, uuid):
        seen = []
        end = time.monotonic() + 15
        while time.monotonic() < end:
            server = self.stack.admin.nova("GET", "/servers/" + uuid)["server"]
            found = self.stack.admin.nova("GET", "/servers/%s/migrations" % uuid)["migrations"]
            seen.append((server["updated"], found[0]["updated_at"], found[0]["memory_processed_bytes"]))
            time.sleep(1)
        for i, what in enumerate(("server.updated", "migration.updated_at", "memory_processed_bytes")):
            values = {s[i] for s in seen}
            need(len(values) >= 2, "%s did not move within 15 s: %s", what, values)

    def w10(self, name):
        self.check(name, self._one(name), "UNKNOWN", "HOST_TIMEOUT")

    def w11(self, name):
        """The process is stopped, not dead: standard asks for a statement, and a false one costs a vm_state."""
        uuid = self._one(name)
        self.check(name, uuid, "REFUSE", "ATTESTATION_REQUIRED", config=self.site.standard)
        self.report.play("w11: a false statement: ERROR in Nova, the guest unharmed", self.false_statement, uuid)

    def false_statement(self, uuid):
        self.whole_way(uuid, STOPPED, self.site.standard)
        before = self.stack.libvirt_says(uuid)
        self.stack.compute(A).wake()
        self.stack.wait_row(uuid, "error", None, 90)
        need(self.stack.libvirt_says(uuid) == before, "%s", self.stack.libvirt_says(uuid))

    def forced_down(self, name):
        uuid = self._one(name)
        self.check(name, uuid, "RESET", "SAFE_TO_RESET")
        self.report.play("forced-down: the whole way", self.whole_way, uuid)

    def w8_early(self, name):
        """The canonical wedge: the record is completed, everything is up, and nothing will ever end it."""
        self.check(name, self._one(name), "REFUSE", "OWNER_MOVED")

    # --- while it is observed ---------------------------------------------------------------------------

    def during(self):
        made = self.make("w1", "w1", "w1", "healthy")
        healthy = made["healthy"][0]["uuid"]
        locked, deleted, evacuated = (line["uuid"] for line in made["w1"])
        play = self.report.play
        play("heartbeat: updated, updated_at and memory move while somebody watches", self.moves, healthy)
        self.check("healthy", healthy, "WAIT", "STILL_MIGRATING")
        self.check("healthy", healthy, "WAIT", "STILL_MIGRATING", config=self.site.standard)
        play("locked during the observation: still RESET", self.meanwhile, locked,
             lambda: self.stack.lock(locked), 2, ("RESET",))
        play("deleted during the observation: no RESET", self.meanwhile, deleted,
             lambda: self.stack.delete(deleted, wait=False), (1, 3, 4, 6), ("REFUSE", "UNKNOWN", None))
        play("evacuated during the observation: no RESET", self.meanwhile, evacuated,
             lambda: self.stack.evacuate(evacuated, B), (3, 4), ("REFUSE", "UNKNOWN"))

    def meanwhile(self, uuid, act, statuses, verdicts):
        """plan with a window of 8 s; the act in its middle."""
        failed = []

        def later():
            time.sleep(4)
            try:
                act()
            except Exception as e:
                failed.append("the act: %s" % e)
        thread = threading.Thread(target=later)
        thread.start()
        done = self.site.run("plan", uuid, "-o", self.site.path("meanwhile-%s.json" % uuid), "-f", "json",
                             config=self.site.slow)
        thread.join()
        try:
            kind = json.loads(done.stdout)["verdict"]
        except ValueError:
            kind = None
        if isinstance(statuses, int):
            statuses = (statuses,)
        if done.returncode not in statuses or kind not in verdicts:
            failed.append("exit %d, verdict %s: %s" % (done.returncode, kind, done.stderr[-500:]))
        return failed + ["Nova has a resetState action" for _ in
                         (self.site.resets(uuid) if self.stack.row(uuid) else [])]
