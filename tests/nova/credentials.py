"""What each kind of credential can do with unwedge, on a real Keystone and Nova: the table of SECURITY.md."""
import concurrent.futures
import json
import os
import re
import shutil
import threading

from accounts import POLICY, Accounts
from checks import unexpected
from labkit.lab import each
from labkit.site import ROOT
from novasite import Wrong, need
from policyrules import problems as policy_problems
from stackkit.rest import LATEST, http
from tokens import Tokens

SECURITY = os.path.join(ROOT, "SECURITY.md")
BEGIN, END = "<!-- credentials: begin -->\n", "<!-- credentials: end -->\n"
SIDE_BY_SIDE = 2        # more of them only make one another late
NOT_YET = "recoverer-no-policy"
KINDS = {               # in the order of the table
    "project-admin": "role `admin` in the instance's project, password",
    "admin": "role `admin` in another project, password",
    "admin-act": "the same, application credential with `access-rules-act.json`",
    "admin-look": "the same, with `access-rules-look.json`",
    "recoverer": "role `nova_recoverer` and `nova-policy-recoverer.yaml`, password",
    "recoverer-act": "both together: the same, application credential with `access-rules-act.json`",
    "recoverer-look": "the same, with `access-rules-look.json`",
    NOT_YET: "role `nova_recoverer`, Nova without the policy",
    "reader": "role `reader` in the instance's project",
    "member": "role `member` in the instance's project",
    "system": "role `admin`, system scope",
}
ACTS = ("project-admin", "admin", "admin-act", "recoverer", "recoverer-act")    # these can reset
FREE = ("project-admin", "admin", "member")     # a DELETE of these would be carried out: not tried
WORDS = [               # of the one line of a refusal, what stands in the table
    (r"system_scope is set", "not project-scoped"),
    (r"401 .*access rules of application credential", "401, access rules"),
    (r"or one of another project, which Nova shows to admins only", "404, not its project"),
    (r"403 .*Policy doesn't allow os_compute_api:(\S+) to be performed", r"403, `\1`"),
]


def in_words(text):
    for pattern, words in WORDS:
        found = re.search(pattern, text)
        if found:
            return found.expand(words)
    raise Wrong("an unknown reason: " + text.strip()[-500:])


class Credentials:
    def __init__(self, site, report, update=False):
        self.site, self.stack, self.report, self.update = site, site.stack, report, update
        self.accounts = Accounts(site)
        self.cells = {}
        self.lock = threading.Lock()

    def all(self):
        play = self.report.play
        play("nova-policy-recoverer.yaml: of all of Nova's rules exactly those are granted", policy_problems, POLICY)
        try:
            if not play("credentials and wedges are made", self.prepare):
                return
            play("a role without its policy: every foreign server is 404", self.row, NOT_YET)
            self.policy(POLICY)
            kinds = [kind for kind in KINDS if kind != NOT_YET]
            with concurrent.futures.ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
                list(pool.map(lambda kind: play("%-15s diagnose, plan, apply" % kind, self.row, kind), kinds))
            play("SECURITY.md has this table", self.table)
            Tokens(self.site, self.report, self.accounts, self.spare).all()
        finally:
            play("accounts and policy are removed", self.remove)

    def prepare(self):
        each(lambda job: job(), [self.wedge, self.accounts.make])
        self.accounts.files[NOT_YET] = self.accounts.files["recoverer"]

    def wedge(self):
        """One w1 for each that will be reset, and one for all that are refused: one kill makes all."""
        stack = self.stack
        uuids = stack.servers_create([{"host": "cmp-a"} for _ in range(len(ACTS) + 1)])
        each(lambda uuid: stack.migrate_slow(uuid, "cmp-a", "cmp-b"), uuids)
        stack.kill_compute("cmp-a")
        each(lambda uuid: stack.abort_job(uuid, "cmp-a"), uuids)
        stack.wait_service("cmp-a", "down")
        self.spare = uuids.pop()
        self.uuids = dict(zip(ACTS, uuids))

    def policy(self, path):
        """Nova's policy; it looks at the file again at the next request."""
        shutil.copyfile(path, self.stack.layout.etc("nova-policy.yaml"))

    def remove(self):
        with open(self.stack.layout.etc("nova-policy.yaml"), "w", encoding="utf-8") as file:
            file.write("# rules that differ from the defaults\n")
        self.accounts.remove()

    # --- one row ----------------------------------------------------------------------------------------

    def row(self, kind):
        uuid = self.uuids.get(kind, self.spare)
        config = self.accounts.config(kind)
        env = {"OS_CLIENT_CONFIG_FILE": self.accounts.files[kind][0]}
        cells = [self.look(config, env, "diagnose", uuid), self.look(config, env, "plan", uuid, "-o",
                                                                     self.site.path("plan-%s.json" % kind))]
        cells += [self.apply(kind, uuid, config, env), self.others(kind)]
        with self.lock:
            self.cells[kind] = cells
        return self.writes(kind, uuid)

    def look(self, config, env, *words):
        done = self.site.run(*words, config=config, env=env)
        if done.returncode == 2:
            return "RESET"
        return self.refusal(done)

    def refusal(self, done):
        """Exit and reason; a refusal is one line."""
        lines = unexpected(done.stderr)
        need(len(lines) == 1, "%d lines on stderr, 1 expected:\n%s", len(lines), done.stderr)
        return "exit %d: %s" % (done.returncode, in_words(lines[0]))

    def apply(self, kind, uuid, config, env):
        """Who cannot make a plan is given the one of an admin."""
        plan = self.site.path("plan-%s.json" % kind)
        if not os.path.exists(plan):
            plan = self.site.path("plan-of-admin.json")
            with self.lock:
                if not os.path.exists(plan):
                    self.site.exits(2, "plan", uuid, "-o", plan, env={
                        "OS_CLIENT_CONFIG_FILE": self.accounts.files["admin"][0]})
        done = self.site.run("apply", plan, "--reason", "INC-7", "-f", "json", config=config, env=env)
        if unexpected(done.stderr):
            return self.refusal(done)
        result = json.loads(done.stdout)
        if done.returncode != 0:
            need(result["outcome"] == "not_applied", "exit %d: %s", done.returncode, " ".join(result["happened"]))
            return "exit %d: POST %s" % (done.returncode, in_words(" ".join(result["happened"])))
        return "reset, verified" + self.unread(result["verdict"]["residue"])

    @staticmethod
    def unread(residue):
        """Of which service the report could read nothing; this stack has no Cinder."""
        services = [s for s in ("Placement", "Neutron") if any("could not be read: " + s in line for line in residue)]
        return "; not read afterwards: " + ", ".join(services) if services else ""

    def others(self, kind):
        """What else the credential may do to the server, asked without unwedge: 409 is a right, not carried out."""
        if kind == "system":
            return "-"
        token, server = self.accounts.token(kind), "/servers/" + self.spare
        asked = {"pause": ("POST", server + "/action", {"pause": None}),
                 "live-migrate": ("POST", server + "/action", {"os-migrateLive": {"host": None,
                                                                                  "block_migration": "auto"}})}
        if kind not in FREE:
            asked["delete"] = ("DELETE", server, None)
        said = {}
        for name, (method, path, body) in asked.items():
            status = http(method, self.stack.urls["compute"] + path, {
                "X-Auth-Token": token, "X-OpenStack-Nova-API-Version": LATEST}, body).status
            need(status in (401, 403, 404, 409), "%s as %s: %d", name, kind, status)
            said.setdefault("may" if status == 409 else str(status), []).append(name)
        return "; ".join("%s: %s" % (how, ", ".join(names)) for how, names in sorted(said.items(), reverse=True))

    def writes(self, kind, uuid):
        """Nova's own list of resets: one by this user, or none."""
        found = len(self.site.resets(uuid))
        wanted = 1 if kind in ACTS else 0
        return [] if found == wanted else ["Nova has %d resetState actions, expected %d" % (found, wanted)]

    # --- the table --------------------------------------------------------------------------------------

    def table(self):
        lines = ["| credential | diagnose | plan | apply | what else it may do |", "|---|---|---|---|---|"]
        for kind, words in KINDS.items():
            need(kind in self.cells, "no row for %s", kind)
            lines.append("| %s | %s |" % (words, " | ".join(self.cells[kind])))
        text = "\n".join(lines) + "\n"
        with open(SECURITY, encoding="utf-8") as file:
            page = file.read()
        need(page.count(BEGIN) == 1 and page.count(END) == 1, "SECURITY.md: no place for the table")
        head, rest = page.split(BEGIN)
        old, tail = rest.split(END)
        if old == text:
            return []
        if self.update:
            with open(SECURITY, "w", encoding="utf-8") as file:
                file.write(head + BEGIN + text + END + tail)
            return []
        different = [line for line in text.splitlines() if line not in old.splitlines()]
        return ["SECURITY.md differs (tests/nova/run --update credentials writes it):"] + different
