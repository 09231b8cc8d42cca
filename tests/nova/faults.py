"""Parts of the real stack that die, hang or are late while unwedge works."""
import os
import signal
import subprocess
import time

from labkit.util import wait_for
from novasite import NovaSite, need
from stackkit import wedges

B = "cmp-b"
BLOCKED_S = 60      # for the POST to arrive at the lock


class RowLock:
    """Holds one instance's row: reads go on, and Nova's next write of it waits, as on a slow database.

    By its number: by its UUID the action's own record, which refers to it, would wait as well.
    """

    def __init__(self, stack, uuid):
        self.stack, self.uuid = stack, uuid

    def __enter__(self):
        self.process = subprocess.Popen([*self.stack.database.client, "--unbuffered", "--skip-column-names", "nova"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        number = self.stack.sql("SELECT id FROM instances WHERE uuid = '%s'" % self.uuid)[0][0]
        self.process.stdin.write("BEGIN; SELECT id FROM instances WHERE id = %s FOR UPDATE;\n" % number)
        self.process.stdin.flush()
        need(self.process.stdout.readline().strip().isdigit(), "the row could not be locked")
        return self

    def wait_blocked(self):
        wait_for("Nova's write to wait for the lock", lambda: self.stack.sql(
            "SELECT id FROM information_schema.processlist WHERE info LIKE 'UPDATE instances SET%'"), BLOCKED_S, 0.1)

    def release(self):
        if self.process.poll() is None:
            self.process.communicate("ROLLBACK;\n", timeout=10)

    def __exit__(self, *_):
        self.release()


class Faults:
    def __init__(self, site, report):
        self.site, self.stack, self.report = site, site.stack, report
        self.wedge = None

    def all(self):
        self.some(self.conductor_away, self.broker_away, self.keystone_gone, self.api_late,
                  self.two_runs, self.two_machines, self.api_killed, self.post_late, self.database_gone)

    def some(self, *plays):
        lines = wedges.make(self.stack, ["w1"] * len(plays))
        uuids = [line["uuid"] for line in lines]
        for play in plays:
            self.report.play("fault: " + play.__doc__.rstrip("."), play, uuids.pop())

    # --- words for all ----------------------------------------------------------------------------------

    def plan(self, uuid, site=None):
        path = (site or self.site).path("fault-%s.json" % uuid)
        (site or self.site).exits(2, "plan", uuid, "-o", path)
        return path

    def start(self, *words, site=None):
        site = site or self.site
        environment = {k: v for k, v in os.environ.items() if not k.startswith("OS_")}
        environment["OS_CLIENT_CONFIG_FILE"] = site.path("clouds.yaml")
        return subprocess.Popen([site.unwedge, *words, "--config", site.path("unwedge.yaml")],
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True, env=environment)

    def end(self, process, status, timeout=240):
        out, err = process.communicate(timeout=timeout)
        need(process.returncode in ((status,) if isinstance(status, int) else status), "exit %d, expected %s: %s",
             process.returncode, status, (err + out)[-1500:])
        return process.returncode, out, err

    def applied(self, uuid, plan, site=None):
        (site or self.site).exits(0, "apply", plan)
        need(len(self.site.resets(uuid)) == 1, "%s", self.site.resets(uuid))

    # --- services away ------------------------------------------------------------------------------------

    def conductor_away(self, uuid):
        """no nova-conductor: os-resetState does not need one."""
        self.stack.stop_conductor()
        try:
            self.applied(uuid, self.plan(uuid))
        finally:
            self.stack.start_conductor()

    def broker_away(self, uuid):
        """no RabbitMQ: neither the reads nor the reset need one."""
        self.stack.stop_service("rabbitmq")
        try:
            self.stack.wait_service(B, "down")  # no report arrives; while this changes, a plan is stale
            self.applied(uuid, self.plan(uuid))
        finally:
            self.stack.start_service("rabbitmq")
            self.stack.wait_service(B, "up")

    def keystone_gone(self, uuid):
        """Keystone goes between plan and apply: exit 4, no intent, nothing sent."""
        plan = self.plan(uuid)
        intents = len(self.site.journal("intent"))
        self.stack.stop_service("keystone")
        try:
            done = self.site.exits(4, "apply", plan)
            lines = [line for line in done.stderr.splitlines() if not line.startswith("unwedge: warning: ")]
            need(len(lines) == 1 and "/v3/auth/tokens" in lines[0], "%s", done.stderr)
            need(len(self.site.journal("intent")) == intents, "an intent was written")
        finally:
            self.stack.start_service("keystone")
        need(not self.site.resets(uuid), "it was reset")
        self.applied(uuid, plan)

    def api_late(self, uuid):
        """nova-api stops answering: exit 4 within the deadline, nothing sent."""
        plan = self.plan(uuid)
        self.stack.stop_service("nova-api", signal.SIGSTOP)
        try:
            begin = time.monotonic()
            self.site.exits(4, "apply", plan)
            need(time.monotonic() - begin < 180, "it took %d s", time.monotonic() - begin)
        finally:
            self.stack.start_service("nova-api")
        need(not self.site.resets(uuid), "it was reset")

    def database_gone(self, uuid):
        """no MariaDB: exit 4, and one line that says what Keystone or Nova answered."""
        plan = self.plan(uuid)
        self.stack.stop_service("mariadb")
        try:
            done = self.site.exits(4, "apply", plan)
            lines = [line for line in done.stderr.splitlines() if not line.startswith("unwedge: warning: ")]
            need(len(lines) == 1, "%s", done.stderr)
        finally:
            self.stack.start_service("mariadb")
        need(not self.site.resets(uuid), "it was reset")

    # --- two at once --------------------------------------------------------------------------------------

    def two_runs(self, uuid):
        """two applies on one machine: the lock lets one through."""
        plan = self.plan(uuid)
        both = [self.start("apply", plan), self.start("apply", plan)]
        statuses = sorted(self.end(p, (0, 1, 6))[0] for p in both)
        need(statuses[0] == 0 and statuses[1] in (1, 6), "%s", statuses)
        need(len(self.site.resets(uuid)) == 1, "%s", self.site.resets(uuid))

    def two_machines(self, uuid):
        """two machines that do not know of each other: no harm, and each tells what it did."""
        with NovaSite(self.stack, self.site.unwedge) as other:
            sites = [self.site, other]
            plans = [self.plan(uuid, site) for site in sites]
            both = [self.start("apply", plan, site=site) for site, plan in zip(sites, plans)]
            statuses = sorted(self.end(p, (0, 6, 7))[0] for p in both)
            need(statuses[0] == 0, "%s", statuses)
            actions = self.site.resets(uuid)
            sent = [r for site in sites for r in site.journal("outcome")
                    if r["instance"] == uuid and r["result"] == "applied"]
            need(len(actions) == len(sent), "%d actions, %d outcomes", len(actions), len(sent))
            need({a["request_id"] for a in actions} == {r["request_id"] for r in sent}, "%s %s", actions, sent)
        says = self.stack.nova_says(uuid)
        need((says["status"], says["task_state"]) == ("ACTIVE", None), "%s", says)

    # --- in the middle of the POST ----------------------------------------------------------------------------

    def api_killed(self, uuid):
        """nova-api killed in the middle of the POST: exit 7; what became of it is found out, nothing sent again."""
        plan = self.plan(uuid)
        with RowLock(self.stack, uuid) as lock:
            process = self.start("apply", plan)
            lock.wait_blocked()
            self.stack.stop_service("nova-api")
            lock.release()
            self.end(process, 7)
        self.stack.start_service("nova-api")
        row = self.stack.row(uuid)
        need(row["task_state"] == "migrating", "the reset went through: %s", row)
        outcome = self.site.journal("outcome")[-1]
        need(outcome["instance"] == uuid and outcome["result"] == "unknown", "%s", outcome)
        self.after_broken_post(uuid)

    def after_broken_post(self, uuid):
        """Nova broke off between the action and the instance: nobody may call that applied."""
        need(len(self.site.resets(uuid)) == 1, "%s", self.site.resets(uuid))
        done = self.site.exits(3, "journal", "resolve", uuid)
        need("the server is as it was before" in done.stderr, "%s", done.stderr)
        self.site.exits(0, "journal", "resolve", uuid, "--as", "not-applied", "--reason", "nova-api was killed")
        self.site.exits(0, "apply", self.plan(uuid))
        need(len(self.site.resets(uuid)) == 2, "%s", self.site.resets(uuid))

    def post_late(self, uuid):
        """a POST that takes longer than we wait: exit 7 or verified, and one reset in the end."""
        plan = self.plan(uuid)
        with RowLock(self.stack, uuid) as lock:
            process = self.start("apply", plan)
            lock.wait_blocked()
            time.sleep(35)
            lock.release()
            status, out, err = self.end(process, (0, 7))
        self.stack.wait_row(uuid, "active", None, 60)
        need(len(self.site.resets(uuid)) == 1, "%s", self.site.resets(uuid))
        if status == 7:
            self.site.exits(0, "journal", "resolve", uuid)
            resolved = self.site.journal("resolved")[-1]
            need(resolved["instance"] == uuid and resolved["result"] == "applied", "%s", resolved)
        self.site.exits(0, "diagnose", uuid)
