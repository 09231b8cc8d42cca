"""Carries out the repair that OWNER_MOVED prints, step by step, with the very words that were printed.

Only what stands in the lines is run: a statement, a command, a call that is not there is not made. A
step whose line changed its wording fails here, so that nobody is sent a repair that was never tried.
"""
import re
import shlex
import subprocess

from novasite import need

CLIENT_S = 60
OPENSTACK = "/usr/bin/openstack"
NOVA_MANAGE = "/usr/bin/nova-manage"


def line_of(lines, start):
    found = [line for line in lines if line.lstrip().startswith(start)]
    need(len(found) == 1, "%d lines begin with %r in:\n%s", len(found), start, "\n".join(lines))
    return found[0]


class Hands:
    """What a person with the rights would paste: commands of the clients, statements, curl."""

    def __init__(self, stack):
        self.stack = stack

    def command(self, text):
        """A command of a line, as a person would paste it."""
        words = shlex.split(text)
        env = {"PATH": "/usr/bin:/bin", "HOME": self.stack.layout.dir, "LANG": "C.UTF-8",
               "no_proxy": "127.0.0.1", "OS_CLIENT_CONFIG_FILE": self.stack.layout.path("clouds.yaml"),
               "OS_CLOUD": "lab"}
        if words[0] == "openstack":
            words[0] = OPENSTACK
        elif words[0] == "nova-manage":
            words = [NOVA_MANAGE, "--config-file", self.stack.layout.etc("nova.conf"), *words[1:]]
        if words[0] == "curl":      # it asks for a token in a command of its own
            words = ["bash", "-c", "set -o pipefail; %s --silent --show-error --fail" % text]
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              env=env, timeout=CLIENT_S)
        need(done.returncode == 0, "%s: exit %d: %s", text, done.returncode,
             (done.stderr or done.stdout).strip()[-500:])
        return done.stdout

    def statement(self, text, schema="nova"):
        """One guarded statement in a transaction; the rows it changed."""
        rows = self.stack.sql("BEGIN; %s SELECT ROW_COUNT(); COMMIT;" % text, schema)
        return int(rows[-1][0])


class Repair(Hands):
    def __init__(self, stack, verdict):
        super().__init__(stack)
        self.lines = verdict["next"]
        self.record_host, self.owner = verdict["record_host"], verdict["owner"]
        self.instance = verdict["instance"]

    # --- the steps ---------------------------------------------------------------------------------

    def compute_is_dead(self):
        line = line_of(self.lines, "1. On %s: systemctl stop nova-compute" % self.record_host)
        need("pgrep -af nova-compute" in line, "%s", line)
        need(self.stack.compute(self.record_host).pid is None, "nova-compute lives on %s",
             self.record_host)

    def record(self):
        line_of(self.lines, "2. In the database of the cell")
        line = line_of(self.lines, "UPDATE instances SET")
        line_of(self.lines, "COMMIT only if exactly 1 row was changed")
        changed = self.statement(line.strip())
        need(changed == 1, "the statement changed %d rows: %s", changed, line)
        need(self.statement(line.strip()) == 0, "the statement is not guarded: %s", line)

    def ports(self):
        line = line_of(self.lines, "3. Neutron")
        need("PUT /v2.0/ports/PORT/bindings/%s/activate" % self.owner in line and
             "DELETE /v2.0/ports/PORT/bindings/%s" % self.record_host in line, "%s", line)
        listed = self.command(re.search(r"`(openstack port list [^`]*)`", line).group(1) + " -f value -c ID")
        ports = listed.split()
        need(ports, "no port is listed for %s", self.instance)
        for port in ports:
            self.port(port)

    def bindings(self, port):
        found = self.stack.admin.call("network", "GET", "/v2.0/ports/%s/bindings" % port)["bindings"]
        return {b["host"]: b["status"] for b in found}

    def port(self, port):
        call = self.stack.admin.call
        if self.bindings(port).get(self.owner) != "ACTIVE":
            call("network", "PUT", "/v2.0/ports/%s/bindings/%s/activate" % (port, self.owner))
            call("network", "DELETE", "/v2.0/ports/%s/bindings/%s" % (port, self.record_host))
        need(self.bindings(port) == {self.owner: "ACTIVE"}, "port %s: %s", port, self.bindings(port))

    def allocations(self):
        line = line_of(self.lines, "5. Placement")
        show, heal, of_migration, remove = re.findall(
            r"(openstack resource provider allocation (?:show|delete) [0-9a-f-]+|"
            r"nova-manage placement heal_allocations --instance [0-9a-f-]+ --force)", line)
        if self.owner_provider() not in self.command(show):
            self.command(heal)
        need(self.owner_provider() in self.command(show), "allocation: %s", self.command(show))
        if self.command(of_migration + " -f value").strip():
            self.command(remove)
        need(not self.command(of_migration + " -f value").strip(), "the migration's is left")

    def owner_provider(self):
        listed = self.stack.admin.call("placement", "GET", "/resource_providers")["resource_providers"]
        return next(p["uuid"] for p in listed if p["name"] == self.owner)

    def migration(self):
        line = line_of(self.lines, "6. Migration")
        found = re.search(r"UPDATE migrations SET .*?;", line)
        if found:
            need(self.statement(found.group(0)) == 1, "it changed nothing: %s", found.group(0))

    def compute_again(self):
        line = line_of(self.lines, "7. Only now start nova-compute on %s" % self.record_host)
        need("must say NOT_WEDGED" in line, "%s", line)
        if self.stack.compute(self.record_host).pid is None:
            self.stack.start_compute(self.record_host)

    def records_of_nova(self):
        """Steps 1 to 6; the seventh ends the absence of nova-compute for every server there."""
        self.compute_is_dead()
        self.record()
        self.ports()
        line_of(self.lines, "4. Cinder")     # this stack has none
        self.allocations()
        self.migration()


class Residue(Hands):
    """What `apply` found left behind: lines that begin with `found:`, each with the commands below it."""

    def __init__(self, stack, lines):
        super().__init__(stack)
        self.lines = lines

    def found(self, *words):
        """Lines that say `found:` and hold all of the words."""
        return [line for line in self.lines if line.startswith("found: ") and all(w in line for w in words)]

    def none_found(self, service):
        return [line for line in self.lines if line.startswith("none found: %s" % service)]

    def clean(self):
        """Each command as it was printed."""
        for line in self.lines:
            if line.startswith("  UPDATE "):
                need(self.statement(line.strip()) == 1, "it changed nothing: %s", line)
            elif line.startswith("  "):
                self.command(line.strip())


def agreement(stack, uuid, host):
    """Problems: where Nova, Placement, Neutron and libvirt do not name the same one host."""
    problems = []
    says = stack.nova_says(uuid)
    if (says["host"], says["vm_state"], says["task_state"]) != (host, "active", None):
        problems.append("Nova: %s" % says)
    providers = {p["uuid"]: p["name"] for p in
                 stack.admin.call("placement", "GET", "/resource_providers")["resource_providers"]}
    claims = stack.admin.call("placement", "GET", "/allocations/" + uuid)["allocations"]
    if [providers[u] for u in claims] != [host]:
        problems.append("Placement: %s" % [providers[u] for u in claims])
    for port in stack.admin.call("network", "GET", "/v2.0/ports?device_id=" + uuid)["ports"]:
        if port["binding:host_id"] != host:
            problems.append("Neutron: port %s is bound to %s" % (port["id"], port["binding:host_id"]))
    words = stack.libvirt_says(uuid)
    if not words[host].startswith("1/") or any(w != "absent" for h, w in words.items() if h != host):
        problems.append("libvirt: %s" % words)
    return problems
