"""One play: the program in a tree of its own, a stand-in for Keystone and Nova, hosts from a file.

A scenario is a function of one Play. Its checks raise Wrong; what the program prints on stderr beyond
the warnings named here or in the scenario is wrong as well, and so is a secret anywhere.
"""
import argparse
import contextlib
import fcntl
import glob
import json
import multiprocessing.util
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
STANDIN = os.path.join(ROOT, "contrib", "lab", "standin")
sys.path.insert(0, STANDIN)

import library          # noqa: E402
import state as states  # noqa: E402

UUID = library.DEFAULT_UUID
A, B, C = "cmp-a", "cmp-b", "cmp-c"
PASSWORD = "canary-password-5d1c"
APPCRED_SECRET = "canary-appcred-83ba"

# What one host holds (fake-probe has the defaults).
ABSENT = {}
RUN = {"state": 1, "reason": 1}
RUN_UNPAUSED = {"state": 1, "reason": 5}
OUT = {"state": 1, "reason": 1, "job": "out"}
OUT_STALLED = {"state": 1, "reason": 1, "job": "out", "moving": False}
OUT_PAUSED = {"state": 3, "reason": 2, "job": "out", "moving": False}
IN = {"state": 3, "reason": 2, "job": 84, "persistent": False, "vcpu_still": True}
PMIG = {"state": 3, "reason": 2, "vcpu_still": True}
PUSER = {"state": 3, "reason": 1, "vcpu_still": True}
PERR = {"state": 3, "reason": 5, "vcpu_still": True}
SUSP = {"state": 7, "reason": 0, "vcpu_still": True}
PC_SOURCE = {"state": 3, "reason": 12, "job": "out"}
PC_DEST = {"state": 1, "reason": 10, "job": 84}
PCF_SOURCE = {"state": 3, "reason": 13, "job": "out", "moving": False}
PCF_DEST = {"state": 1, "reason": 11, "job": 84}
CRASHED = {"state": 6, "reason": 1}
DYING = {"state": 4, "reason": 1}
STUCK = {"state": 1, "reason": 1, "control": 2, "control_grew": True}
JOB_HUNG = {"state": 1, "reason": 1, "hang": "job_stats"}
OFF_MIGRATED = {"state": 5, "reason": 4}
OFF_UNKNOWN = {"state": 5, "reason": 0}
OFF_DESTROYED = {"state": 5, "reason": 2}
REFUSED = {"error": {"step": "open", "code": 38, "text": "unable to connect to server at 'cmp-b:16514':"
                     " Connection refused"}}

ENVIRONMENT_WARNING = r"unwedge: warning: \S+: key 'environment': lab: policies for test beds"
HTTP_WARNING = r"unwedge: warning: cloud \S+: plain http: password and token can be read"
LAB_WARNINGS = [ENVIRONMENT_WARNING, HTTP_WARNING,
                r"unwedge: warning: policy \S+: it is for test beds: ",
                r"unwedge: warning: policy \S+: attest.required leaves out compute-stopped: "]
# A lab policy whose observation takes a second.
QUICK = """lab_only: true
observe: {rounds: 2, window_s: 1}
apply: {deadline_s: 3}
probe: {deadline_s: %(probe_s)s}
age: {terminal_s: 3, terminal_error_up_s: 5, nonterminal_s: 10, nonterminal_down_s: 3, missing_record_s: 10}
attest: {accepted: [compute-stopped, compute-restarted, queue-empty, host-gone], required: []}
storm: {max_migrating_wedged: 100, cooldown_s: 0}
limit: {per_hour: 100, per_day: 500, per_host_hour: 100}
cooldown: {instance_s: 0}
"""


class Wrong(Exception):
    """What was expected and what came."""


class Skip(Exception):
    """Why this cannot be played here."""


def need(condition, text, *values):
    if not condition:
        raise Wrong(text % values if values else text)


class Done:
    """One finished run of the program."""

    def __init__(self, words, status, out, err):
        self.words, self.status, self.out, self.err = words, status, out, err

    def __str__(self):
        return "unwedge %s: exit %s\n%s%s" % (" ".join(self.words), self.status, self.out, self.err)

    def exits(self, status):
        need(self.status == status, "exit %s expected\n%s", status, self)
        return self

    def says(self, *patterns):
        for p in patterns:
            need(re.search(p, re.sub(r"\s+", " ", self.out)), "no %r in stdout\n%s", p, self)
        return self

    def never_says(self, *patterns):
        for p in patterns:
            need(not re.search(p, self.out + self.err), "%r in the output\n%s", p, self)
        return self

    def json(self):
        try:
            return json.loads(self.out)
        except ValueError as why:
            raise Wrong("stdout is not JSON (%s)\n%s" % (why, self))


class World:
    """One stand-in. Its start costs more than a play, so the plays of a process share one."""

    shared = None

    def __init__(self, folder, more=()):
        self.state = os.path.join(folder, "nova.json")
        self.log = os.path.join(folder, "requests.log")
        self.plays = 0
        self.set({})
        ready = os.path.join(folder, "ready.json")
        command = [sys.executable, os.path.join(STANDIN, "standin"), "--state", self.state, "--log",
                   self.log, "--ready", ready, "--watch-pid", str(os.getpid()), "--background", *more]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        with open(ready, encoding="utf-8") as f:
            self.ready = json.load(f)

    def set(self, state):
        with states.file_lock(self.state):
            states.write_atomic(self.state, states.to_text(state))

    def change(self, edit):
        with states.file_lock(self.state):
            data, _ = states.read_file(self.state)
            edit(data)
            states.write_atomic(self.state, states.to_text(data))

    def begin(self):
        """Of a new play: no requests so far."""
        self.plays += 1
        os.truncate(self.log, 0)

    def end(self):
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.ready["pid"], signal.SIGTERM)

    @classmethod
    def of_this_process(cls):
        if cls.shared is None or cls.shared.owner != os.getpid():
            folder = tempfile.mkdtemp(prefix="unwedge-world-")
            cls.shared = cls(folder)
            cls.shared.owner = os.getpid()
            multiprocessing.util.Finalize(None, cls.leave, args=(cls.shared, folder), exitpriority=1)
        return cls.shared

    @staticmethod
    def leave(world, folder):
        if world.owner == os.getpid():
            world.end()
            shutil.rmtree(folder, ignore_errors=True)


class Play:
    def __init__(self, name, build):
        self.name = name
        self.program = os.path.join(build, "unwedge")
        self.dir = os.path.realpath(tempfile.mkdtemp(prefix="unwedge-play-"))
        self.world = self.ready = None
        self.texts = []  # everything that was printed, for the search for secrets
        self.children = []
        self.epochs = 0
        self.keep = False
        for part in ("bin", "libexec/unwedge", "share/unwedge/policies", "home"):
            os.makedirs(self.path(part))
        shutil.copy(self.program, self.path("bin/unwedge"))
        for policy in glob.glob(os.path.join(ROOT, "policies", "*.yaml")):
            shutil.copy(policy, self.path("share/unwedge/policies"))
        with open(os.path.join(HERE, "fake-probe"), encoding="utf-8") as f:
            body = f.read().split("\n", 1)[1]
        # -I -S: a third of the start of an interpreter, and there are many.
        self.write("libexec/unwedge/unwedge-probe", "#!%s -IS\n%s" % (sys.executable, body), 0o755)
        self.policy("quick")
        self.configure()

    # --- files -----------------------------------------------------------------------------

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def write(self, name, text, mode=0o644):
        with open(self.path(name), "wb") as f:
            f.write(text if isinstance(text, bytes) else text.encode())
        os.chmod(self.path(name), mode)
        return self.path(name)

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as f:
            return f.read()

    def policy(self, name, change="", probe_s=2):
        """A policy file: the quick one, with `parameter: value` lines in place of its own."""
        text = QUICK % {"probe_s": probe_s}
        for line in change.splitlines():
            key = line.split(":", 1)[0]
            text = re.sub(r"^%s:.*\n" % re.escape(key), "", text, flags=re.M) + line + "\n"
        return self.write("share/unwedge/policies/%s.yaml" % name, text)

    def configure(self, policy="quick", environment="lab", more="", name="unwedge.yaml", state=None):
        state = state or self.path("state")
        return self.write(name, "cloud: standin\nenvironment: %s\npolicy: %s\nstate_dir: %s\n"
                          "journal: {dir: %s/journal}\nkill_switch: %s\n"
                          "hosts: {uri: \"qemu+tls://%%h/system\"}\n%s"
                          % (environment, policy, state, state, self.path("stop"), more))

    # --- the world -------------------------------------------------------------------------

    def nova(self, scenario, *patches, faults=(), tls=None, **wish):
        """The stand-in in one of its ready states; started at the first call."""
        wishes = {"name": scenario, "uuid": UUID, "source": A, "dest": B, "server_name": "w3w1",
                  "instance_name": "instance-0000001b", "project": library.ADMIN_PROJECT,
                  "age_s": 7200, "source_service": None, "max_microversion": "2.93", "records": 300,
                  "servers": 250}
        wishes.update(wish)
        state = library.build(argparse.Namespace(**wishes))
        for user in state["users"].values():
            user["password"] = PASSWORD
        for credential in state["application_credentials"].values():
            credential["secret"] = APPCRED_SECRET
        for patch in patches:
            states.merge(state, states.resolve_times(patch, states.now(state)))
        state["faults"] = list(faults)
        if self.world is None:
            self.world = World(self.dir, tls) if tls else World.of_this_process()
            self.world.begin()
            self.ready = self.world.ready
            self.clouds()
        # Another epoch starts the counts of the fault rules anew.
        self.epochs += 1
        state["epoch"] = "%d.%d" % (self.world.plays, self.epochs)
        self.world.set(state)
        return self

    def clouds(self, cacert=None, url=None, password=PASSWORD):
        url = url or self.ready["auth_url"]
        tail = "    cacert: %s\n" % cacert if cacert else ""
        text = "clouds:\n"
        for name, user, region in (("standin", "admin", None), ("standin-reader", "reader", None),
                                   ("standin-region1", "admin", "RegionOne"),
                                   ("standin-region2", "admin", "RegionTwo")):
            text += ("  %s:\n    auth_type: password\n    auth: {auth_url: \"%s\", username: %s, "
                     "password: %s, project_name: admin, user_domain_name: Default, "
                     "project_domain_name: Default}\n%s%s"
                     % (name, url, user, password, "    region_name: %s\n" % region if region else "",
                        tail))
        text += ("  standin-appcred:\n    auth_type: v3applicationcredential\n    auth: {auth_url: "
                 "\"%s\", application_credential_id: %s, application_credential_secret: %s}\n%s"
                 % (url, library.APP_CRED, APPCRED_SECRET, tail))
        text += ("  standin-system:\n    auth_type: password\n    auth: {auth_url: \"%s\", username: "
                 "admin, password: %s, user_domain_name: Default, system_scope: all}\n%s"
                 % (url, password, tail))
        self.write("clouds.yaml", text, 0o600)

    def patch(self, patch):
        self.world.change(lambda data: states.merge(data, states.resolve_times(patch,
                                                                               states.now(data))))

    def faults(self, *rules):
        self.epochs += 1
        self.world.change(lambda data: data.update(faults=list(rules), epoch="%d.%d" % (
            self.world.plays, self.epochs)))

    def nova_state(self):
        with open(self.world.state, encoding="utf-8") as f:
            return json.load(f)

    def hosts(self, hosts=None, **named):
        """hosts(a=RUN, b=ABSENT): what each host holds; a list is one look after the other."""
        names = {"a": A, "b": B, "c": C}
        plan = {}
        for host, looks in {**(hosts or {}), **{names[k]: v for k, v in named.items()}}.items():
            if isinstance(looks, dict) and "looks" in looks:
                plan[host] = looks
            else:
                plan[host] = {"looks": looks if isinstance(looks, list) else [looks]}
        self.write("libexec/unwedge/hosts.json.new", json.dumps(plan))
        os.rename(self.path("libexec/unwedge/hosts.json.new"), self.path("libexec/unwedge/hosts.json"))
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path("probe.log"))
        return self

    def patch_hook(self, patch):
        """Words that patch the stand-in's state, for a host's hook."""
        file = self.write("hook-%d.json" % len(os.listdir(self.dir)), json.dumps(patch))
        return [sys.executable, os.path.join(STANDIN, "scenario"), "patch", self.world.state,
                "@" + file]

    # --- what was asked of it ----------------------------------------------------------------

    def requests(self):
        if self.world is None:
            return []
        with open(self.world.log, encoding="utf-8") as f:
            return [json.loads(line) for line in f.read().splitlines()]

    def resets(self, n):
        """Exactly n reset requests reached the stand-in; nothing else was ever written there."""
        posts = [r for r in self.requests() if r["method"] != "GET" and
                 not r["path"].endswith("/auth/tokens")]
        ours = [r for r in posts if "os-resetState" in json.dumps(r["body"])]
        need(len(posts) == len(ours), "writes other than a reset: %s", posts)
        need(len(ours) == n, "%d reset requests, %d expected", len(ours), n)
        return ours

    def looks(self):
        with contextlib.suppress(FileNotFoundError):
            return self.read("probe.log").splitlines()
        return []

    def journal(self, kind=None):
        with contextlib.suppress(FileNotFoundError):
            records = [json.loads(line) for line in self.read("state/journal/records.jsonl").splitlines()]
            return [r for r in records if kind is None or r["type"] == kind]
        return []

    def outcome(self, result):
        outcomes = self.journal("outcome")
        need(len(outcomes) == 1 and outcomes[0]["result"] == result, "one outcome %s expected: %s",
             result, outcomes)
        return outcomes[0]

    def verify_journal(self):
        self.run("journal", "verify", warn=[]).exits(0).says(": good, ")

    def evidence(self):
        """Path of the evidence of the newest run."""
        runs = glob.glob(self.path("state/runs/*/evidence.json"))
        need(runs, "no evidence was saved")
        return max(runs, key=lambda p: os.stat(p).st_mtime_ns)

    # --- the program -------------------------------------------------------------------------

    def environment(self, more=None):
        env = {"PATH": os.environ["PATH"], "HOME": self.path("home"), "LC_ALL": "C.UTF-8",
               "OS_CLIENT_CONFIG_FILE": self.path("clouds.yaml")}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"):
            if name in os.environ:
                env[name] = os.environ[name]
        env.update(more or {})
        return env

    def words(self, words, config):
        words = [self.path("bin/unwedge"), *words]
        offline = {"explain", "replay"}
        if "--config" not in words and words[1] not in offline and words[1][0] != "-":
            words += ["--config", config or self.path("unwedge.yaml")]
        return words

    def finish(self, words, status, out, err, warn, fail):
        done = Done(words[1:], status, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"))
        self.texts += [done.out, done.err]
        need(status is not None and status >= 0, "ended by signal\n%s", done)
        left = list(LAB_WARNINGS if warn is None else warn)
        fails = [fail] if isinstance(fail, str) else list(fail or [])
        for line in done.err.splitlines():
            for patterns in (left, fails):
                hit = [p for p in patterns if re.fullmatch(p, line) or re.match(p, line)]
                if hit:
                    patterns.remove(hit[0])
                    break
            else:
                raise Wrong("unexpected on stderr: %r\n%s" % (line, done))
        need(not fails, "missing on stderr: %s\n%s", fails, done)
        return done

    def run(self, *words, warn=None, fail=None, env=None, config=None, timeout=60, stdin=b"", cwd=None):
        """Runs it. warn: warnings that may come; fail: lines on stderr that have to come."""
        words = self.words(words, config)
        p = subprocess.run(words, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           env=self.environment(env), timeout=timeout, cwd=cwd or self.dir,
                           start_new_session=True)
        return self.finish(words, p.returncode, p.stdout, p.stderr, warn, fail)

    def start(self, *words, env=None, config=None):
        """Starts it in the background; end() it."""
        words = self.words(words, config)
        p = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, env=self.environment(env), cwd=self.dir,
                             start_new_session=True)
        p.words = words
        self.children.append(p)
        return p

    def end(self, p, warn=None, fail=None, timeout=60):
        out, err = p.communicate(timeout=timeout)
        self.children.remove(p)
        return self.finish(p.words, p.returncode, out, err, warn, fail)

    def start_and_kill(self, *words, timeout=60):
        """A run that something kills on its way."""
        p = self.start(*words)
        p.communicate(timeout=timeout)
        self.children.remove(p)
        need(p.returncode == -signal.SIGKILL, "it ended with %s", p.returncode)

    def wait_for(self, what, until, timeout=20):
        end = time.monotonic() + timeout
        while not until():
            need(time.monotonic() < end, "it did not come to this in %d s: %s", timeout, what)
            time.sleep(0.02)

    def on_terminal(self, *words, answer, question="Only 'yes' is yes: ", timeout=60, warn=None,
                    fail=None):
        """The same on a terminal of its own, where `answer` is typed when the question comes."""
        words = self.words(words, None)
        master, slave = pty.openpty()
        attributes = termios.tcgetattr(slave)
        attributes[3] &= ~termios.ECHO
        termios.tcsetattr(slave, termios.TCSANOW, attributes)
        p = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, env=self.environment(), cwd=self.dir,
                             start_new_session=True,
                             preexec_fn=lambda: fcntl.ioctl(slave, termios.TIOCSCTTY, 0))
        self.children.append(p)
        os.close(slave)
        seen, asked = "", False
        streams = {p.stdout.fileno(): b"", p.stderr.fileno(): b""}
        open_fds = set(streams)
        end = time.monotonic() + timeout
        while open_fds:
            need(time.monotonic() < end, "no end on the terminal; it says %r", seen)
            for fd in select.select(list(open_fds) + [master], [], [], 0.5)[0]:
                if fd == master:
                    try:
                        seen += os.read(master, 4096).decode()
                    except OSError:
                        pass
                    if question in seen and not asked:
                        asked = True
                        os.write(master, answer)
                else:
                    data = os.read(fd, 65536)
                    streams[fd] += data
                    if not data:
                        open_fds.discard(fd)
        p.wait(timeout=10)
        out, err = streams[p.stdout.fileno()], streams[p.stderr.fileno()]
        p.stdout.close()
        p.stderr.close()
        os.close(master)
        self.children.remove(p)
        done = self.finish(words, p.returncode, out, err, warn, fail)
        done.asked = asked
        return done

    # --- whole steps -------------------------------------------------------------------------

    def verdict(self, verb, *words, code, status, cloud=None, **options):
        """Runs a read-only verb for its verdict as JSON, and replays what it saved."""
        more = ["--os-cloud", cloud] if cloud else []
        done = self.run(verb, UUID, "-f", "json", *words, *more, **options).exits(status)
        v = done.json()
        need(v["code"] == code, "code %s expected, got %s %s\n%s", code, v["code"], v["code_name"], done)
        again = self.run("replay", self.evidence(), "-f", "json", warn=[]).exits(status)
        need(again.out == done.out, "the replay differs\n%s\n%s", done, again)
        return v

    def diagnose(self, code, status, *words, **options):
        return self.verdict("diagnose", *words, code=code, status=status, **options)

    def plan(self, *words, status=2, **options):
        self.run("plan", UUID, "-o", self.path("plan.json"), *words, **options).exits(status)
        return self.path("plan.json")

    def apply(self, *words, status, **options):
        done = self.run("apply", self.path("plan.json"), *words, **options)
        return done.exits(status)

    def apply_nothing(self, status):
        """apply of a plan that is no RESET: said in one line, and nothing is looked at again."""
        before = len(self.looks())
        self.apply(status=status, fail=r"unwedge: the plan says [A-Z]+ UW-\d+ \w+, so there is nothing "
                   "to apply")
        need(len(self.looks()) == before, "the hosts were looked at")

    # --- the end -----------------------------------------------------------------------------

    def check_secrets(self):
        """No password, no secret of a credential and no token in anything that was made."""
        tokens = re.compile(r"gAAAA[A-Za-z0-9_-]{20,}")
        made = [("the output", t) for t in self.texts]
        for folder, _, files in os.walk(self.path("state")):
            for name in files:
                with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as f:
                    made.append((name, f.read()))
        for name in filter(os.path.isfile, glob.glob(self.path("*plan*.json"))):
            with open(name, encoding="utf-8", errors="replace") as f:
                made.append((os.path.basename(name), f.read()))
        for where, text in made:
            for secret in (PASSWORD, APPCRED_SECRET):
                need(secret not in text, "%s holds a secret", where)
            need(not tokens.search(text), "%s holds a token", where)

    def close(self):
        for p in self.children:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(p.pid, signal.SIGKILL)  # ours, in a group of its own
            p.wait()
        if self.world is not None and self.world is not World.shared:
            self.world.end()
        if not self.keep:
            shutil.rmtree(self.dir, ignore_errors=True)


PLAYS = []


def play(function):
    """Marks a scenario: its name is the function's, its docstring says what it shows."""
    PLAYS.append((function.__name__.replace("_", "-"), function))
    return function


def add(name, doc, function):
    """The same for scenarios made from a table."""
    function.__doc__ = doc
    PLAYS.append((name, function))
