"""A site: one lab, one stand-in for Keystone and Nova, one configuration, one unwedge.

The demo and the lab tests drive everything through this; nothing in it decides anything.
"""
import json
import os
import shutil
import signal
import subprocess
import tempfile

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ROOT = os.path.dirname(os.path.dirname(HERE))
LAB = os.path.join(HERE, "lab")
STANDIN = os.path.join(HERE, "standin", "standin")
SCENARIO = os.path.join(HERE, "standin", "scenario")


class SiteError(Exception):
    """One line that says what did not work."""


def call(command, timeout=180, **options):
    """stdout of a command that has to succeed."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=timeout, text=True, **options)
    if done.returncode != 0:
        raise SiteError("%s: exit %d: %s" % (" ".join(command[:4]), done.returncode,
                                             (done.stderr or done.stdout).strip()[-600:]))
    return done.stdout


class Site:
    cloud = "standin"   # entry of clouds.yaml

    def __init__(self, lab_id, hosts=2, unwedge=None, policy="lab", keepalive=None):
        self.lab_id = lab_id
        self.hosts = hosts
        # By its file: a program in a build folder of its own does not find the shipped ones by name.
        self.policy = os.path.join(ROOT, "policies", policy + ".yaml")
        self.keepalive = keepalive
        self.unwedge = unwedge or os.path.join(ROOT, "build", "unwedge")
        self.dir = tempfile.mkdtemp(prefix="unwedge-site-%s-" % lab_id)
        self.standin_pid = None
        self.env = None

    # --- up and down ---------------------------------------------------------------------

    def up(self):
        command = [LAB, "up", "--id", self.lab_id, "--hosts", str(self.hosts)]
        if self.keepalive:
            command += ["--keepalive", self.keepalive]
        call(command)
        self.env = json.loads(call([LAB, "env", "--id", self.lab_id]))
        self.state("unknown-instance", None)
        ready = self.path("ready.json")
        out = call([STANDIN, "--state", self.path("state.json"), "--log", self.path("requests.log"),
                    "--ready", ready, "--watch-pid", str(os.getpid()), "--background"])
        self.standin_pid = json.loads(out)["pid"]
        call([SCENARIO, "clouds", ready, "--out", self.path("clouds.yaml")])
        self.configure()

    def down(self):
        if self.standin_pid:
            try:
                os.kill(self.standin_pid, signal.SIGTERM)
            except ProcessLookupError:
                pass
        call([LAB, "down", "--id", self.lab_id])
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        try:
            self.up()
        except BaseException:
            self.down()
            raise
        return self

    def __exit__(self, *_):
        self.down()

    # --- files ---------------------------------------------------------------------------

    def path(self, name):
        return os.path.join(self.dir, name)

    def configure(self, uris=None, name="unwedge.yaml"):
        """Writes the configuration; uris replaces the URI of some hosts."""
        lines = ["cloud: %s" % self.cloud, "environment: lab", "policy: %s" % self.policy,
                 "state_dir: %s" % self.path("state"),
                 "journal: {dir: %s}" % self.path("journal"), "hosts:",
                 '  uri: "qemu+tls://%h/system"', "  overrides:"]
        for host in self.env["hosts"]:
            uri = (uris or {}).get(host["name"], host["uri"])
            lines.append('    %s: {uri: "%s", hostname: %s}' % (host["name"], uri, host["hostname"]))
        with open(self.path(name), "w", encoding="utf-8") as f:
            f.write("\n".join(lines) + "\n")
        return self.path(name)

    # --- what Nova says, and what is done to the guest -------------------------------------

    def state(self, scenario, wedge, *more):
        """Makes Nova say a scenario about the domain of a wedge."""
        command = [SCENARIO, "write", scenario, "--out", self.path("state.json")]
        if wedge:
            command += ["--uuid", wedge["uuid"], "--source", wedge["source"], "--dest",
                        wedge["dest"], "--instance-name", wedge["instance_name"], "--project",
                        wedge["project"]]
        call(command + list(more))

    def wedge(self, name, *more):
        return json.loads(call([LAB, "wedge", name, "--id", self.lab_id, *more]).splitlines()[-1])

    def batch(self, *names):
        out = call([LAB, "batch", "--id", self.lab_id, *names], timeout=300)
        return [json.loads(line) for line in out.splitlines() if line.startswith("{")]

    def heal(self):
        call([LAB, "heal", "--id", self.lab_id])

    def truth(self, uuid):
        return json.loads(call([LAB, "truth", uuid, "--id", self.lab_id]))

    def resets(self):
        """How many os-resetState requests reached Nova so far."""
        count = 0
        with open(self.path("requests.log"), encoding="utf-8") as f:
            for line in f:
                request = json.loads(line)
                if request["method"] == "POST" and "os-resetState" in json.dumps(request.get("body")):
                    count += 1
        return count

    # --- the program ---------------------------------------------------------------------

    def run(self, *words, config=None, timeout=240, stdin=None, env=None):
        """unwedge with the site's configuration; a CompletedProcess with text."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("OS_")}
        environment["OS_CLIENT_CONFIG_FILE"] = self.path("clouds.yaml")
        environment.update(env or {})
        return subprocess.run([self.unwedge, *words, "--config", config or self.path("unwedge.yaml")],
                              stdin=subprocess.DEVNULL if stdin is None else stdin,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout,
                              text=True, env=environment)
