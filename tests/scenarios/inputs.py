"""What a caller can get wrong: names, files, options, credentials files."""
import json
import os
import subprocess
import time

from play import (A, ABSENT, APPCRED_SECRET, B, LAB_WARNINGS, PASSWORD, RUN, Skip, UUID, add, need,
                  play)


def ready(p):
    p.nova("wedged-failed").hosts(a=RUN, b=ABSENT)


@play
def unknown_instance(p):
    """No such server: exit 1 and its id, for every verb."""
    p.nova("unknown-instance").hosts(a=RUN, b=ABSENT)
    for verb in ("diagnose", "plan"):
        p.run(verb, UUID, fail=r"unwedge: .*" + UUID).exits(1)
    p.run("diagnose", "web-1", fail=r"unwedge: .*web-1").exits(1)
    need(not p.looks(), "hosts were looked at")


INSTANCES = {"short": "9bc95bd6", "letters": "9bc95bd6-0455-43a7-8bca-179b99521a4z", "empty": "",
             "path": "../../etc/passwd", "newline": "w3w1\nX-Evil: 1", "control": "\x1b[31m",
             "percent": "%2e%2e",
             "long": "x" * 4000, "utf8": "\u00e9t\u00e9", "question": UUID + "?all=1", "dots": ".*"}


def malformed(text):
    def scenario(p):
        ready(p)
        done = p.run("diagnose", text, fail=r"unwedge: ").exits(1)
        need(len(done.err.splitlines()) <= 5, "more than one line\n%s", done)
        need("\x1b" not in done.err, "a control character reached the terminal")
        p.resets(0)
        need(not p.looks(), "hosts were looked at")
    return scenario


for name, text in INSTANCES.items():
    add("instance-" + name, "an INSTANCE that is %r: exit 1" % text[:40], malformed(text))


@play
def instance_upper_case(p):
    """A UUID in capitals is the same instance."""
    ready(p)
    p.run("diagnose", UUID.upper()).exits(2).says(UUID)


@play
def not_migrating(p):
    """An instance that is not migrating: nothing wrong, exit 0, and a plan has nothing to apply."""
    p.nova("active").hosts(a=RUN)
    p.diagnose("UW-001", 0)
    p.plan(status=0)
    p.apply_nothing(6)
    p.resets(0)


# --- plan files --------------------------------------------------------------------------------


def edit(change):
    def scenario(p):
        ready(p)
        p.plan(status=2)
        change(p)
        done = p.run("apply", p.path("plan.json"), fail=r"unwedge: \S*plan\.json").exits(6)
        need(len(done.err.splitlines()) <= 6, "%s", done)
        p.resets(0)
        need(not p.journal("intent"), "an intent was written")
    return scenario


def document(change):
    def apply(p):
        plan = json.loads(p.read("plan.json"))
        change(plan)
        p.write("plan.json", json.dumps(plan, indent=2) + "\n")
    return apply


PLAN_EDITS = {
    "truncated": lambda p: p.write("plan.json", p.read("plan.json")[:-700]),
    "empty": lambda p: p.write("plan.json", ""),
    "garbage": lambda p: p.write("plan.json", os.urandom(2000)),
    "list": lambda p: p.write("plan.json", "[1]"),
    "large": lambda p: p.write("plan.json", " " * (2 << 20) + "{}"),
    "twice": lambda p: p.write("plan.json", p.read("plan.json") * 2),
    "duplicate-key": lambda p: p.write("plan.json", p.read("plan.json").replace(
        '"schema"', '"schema": "unwedge.plan/1",\n  "schema"', 1)),
    "deep": lambda p: p.write("plan.json", "[" * 100000),
    "nul": lambda p: p.write("plan.json", p.read("plan.json").replace("cmp-a", "cmp\\u0000a", 1)),
    "schema": document(lambda d: d.update(schema="unwedge.plan/9")),
    "expiry": document(lambda d: d.update(expires_at="2099-01-01T00:00:00Z")),
    "cloud": document(lambda d: d.update(cloud="elsewhere")),
    "instance": document(lambda d: d.update(instance="00000000-0000-4000-8000-000000000001")),
    "unknown-key": document(lambda d: d.update(extra=1)),
    "evidence": document(lambda d: d["evidence"]["observation"].update(rounds=99)),
    "attestation": document(lambda d: d["attestations"].append(
        {"fact": "queue-empty", "who": "me", "reason": "so"})),
    "digest": document(lambda d: d.update(plan_digest="sha256:" + "0" * 64)),
    "no-digest": document(lambda d: d.pop("plan_digest")),
}
for name, change in PLAN_EDITS.items():
    add("plan-" + name, "a plan file that was changed (%s): exit 6, nothing sent" % name, edit(change))


@play
def plan_missing(p):
    """A plan file that is not there, or is a directory: exit 1."""
    ready(p)
    p.run("apply", p.path("nothing.json"), fail=r"unwedge: .*nothing\.json").exits(1)
    p.run("apply", p.path("bin"), fail=r"unwedge: .*bin").exits(1)
    p.resets(0)


@play
def plan_fifo(p):
    """A named pipe in place of a plan does not hang: it is an empty plan."""
    ready(p)
    os.mkfifo(p.path("plan.json"))
    p.run("apply", p.path("plan.json"), fail=r"unwedge: .*plan\.json", timeout=10).exits(6)


@play
def plan_expired(p):
    """A plan past its time: exit 6."""
    p.policy("quick", "plan: {expires_s: 1}")
    ready(p)
    p.plan(status=2)
    time.sleep(2.1)
    p.run("apply", p.path("plan.json"), fail=r"unwedge: .*expired").exits(6)
    p.resets(0)


@play
def plan_of_another_cloud(p):
    """A plan made for another entry of clouds.yaml: exit 6."""
    ready(p)
    p.plan("--os-cloud", "standin-appcred", status=2)
    p.run("apply", p.path("plan.json"), fail=r"unwedge: .*cloud").exits(6)
    p.resets(0)


@play
def plan_not_over_a_directory(p):
    """-o names a place that cannot be written: one line, and no half file."""
    ready(p)
    p.run("plan", UUID, "-o", p.path("no/such/plan.json"), fail=r"unwedge: .*no/such").exits(1)
    p.run("plan", UUID, "-o", p.path("bin"), fail=r"unwedge: .*bin").exits(1)
    need(not [n for n in os.listdir(p.dir) if "plan" in n], "left behind: %s", os.listdir(p.dir))


@play
def stdout_full(p):
    """Standard output cannot be written: said on stderr, and not exit 0."""
    ready(p)
    with open("/dev/full", "wb") as full:
        words = p.words(("diagnose", UUID), None)
        done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE,
                              env=p.environment(), timeout=60, cwd=p.dir)
    need(done.returncode != 0 and b"standard output" in done.stderr, "exit %s %s", done.returncode,
         done.stderr)


# --- evidence ------------------------------------------------------------------------------------

EVIDENCE_EDITS = {
    "truncated": lambda b: b[:-50],
    "flipped": lambda b: b.replace(b'"rounds":2', b'"rounds":-2'),
    "unknown-word": lambda b: b.replace(b'"migrating"', b'"migratinG"'),
    "unknown-key": lambda b: b.replace(b'"rounds":', b'"zounds":', 1),
    "huge-number": lambda b: b.replace(b'"rounds":2', b'"rounds":9007199254740993'),
    "float": lambda b: b.replace(b'"rounds":2', b'"rounds":2.0'),
    "index": lambda b: b.replace(b'"mig_dest":1', b'"mig_dest":63'),
    "empty": lambda b: b"",
}


def damaged(change):
    def scenario(p):
        ready(p)
        p.run("diagnose", UUID).exits(2)
        with open(p.evidence(), "rb") as f:
            data = f.read()
        bad = change(data)
        need(bad != data, "nothing was changed")
        p.write("bad.json", bad)
        done = p.run("replay", p.path("bad.json"), warn=[], fail=r"unwedge: \S*bad\.json").exits(1)
        need(not done.out, "a verdict all the same\n%s", done)
    return scenario


for name, change in EVIDENCE_EDITS.items():
    add("replay-" + name, "damaged evidence (%s) is no evidence: exit 1" % name, damaged(change))


@play
def replay_plan(p):
    """A plan can be replayed as well, and gives the verdict that it was made from."""
    ready(p)
    p.plan(status=2)
    p.run("replay", p.path("plan.json"), warn=[]).exits(2).says("SAFE_TO_RESET")
    p.run("replay", p.path("plan.json"), p.evidence(), warn=[]).exits(0)
    p.run("replay", p.path("plan.json"), p.path("nothing"), warn=[], fail=r"unwedge: .*nothing").exits(1)


# --- where credentials come from -------------------------------------------------------------------


@play
def secrets_stay_secret(p):
    """--debug on the whole way, with each kind of credential: no secret anywhere."""
    ready(p)
    debug = [r".*"] * 400
    for cloud in ("standin", "standin-appcred"):
        p.run("diagnose", UUID, "--debug", "--os-cloud", cloud, warn=debug).exits(2)
    p.run("plan", UUID, "--debug", "-o", p.path("plan.json"), warn=debug).exits(2)
    done = p.run("apply", p.path("plan.json"), "--debug", warn=debug).exits(0)
    need("GET" in done.err, "--debug shows nothing\n%s", done.err)
    p.run("config", "show", warn=[]).exits(0)
    p.resets(1)


@play
def credentials_from_environment(p):
    """OS_* variables without any clouds.yaml."""
    ready(p)
    text = p.read("unwedge.yaml").replace("cloud: standin\n", "")
    p.write("bare.yaml", text)
    env = {"OS_CLIENT_CONFIG_FILE": p.path("none.yaml"), "OS_AUTH_URL": p.ready["auth_url"],
           "OS_USERNAME": "admin", "OS_PASSWORD": PASSWORD, "OS_PROJECT_NAME": "admin",
           "OS_USER_DOMAIN_NAME": "Default", "OS_PROJECT_DOMAIN_NAME": "Default"}
    p.run("diagnose", UUID, env=env, config=p.path("bare.yaml")).exits(2)
    env["OS_PASSWORD"] = ""
    p.run("diagnose", UUID, env=env, config=p.path("bare.yaml"), fail=r"unwedge: ").exits(1)


@play
def clouds_yaml_readable_by_all(p):
    """A clouds.yaml with a password that everybody can read: a warning."""
    ready(p)
    os.chmod(p.path("clouds.yaml"), 0o644)
    warning = r"unwedge: warning: \S+clouds\.yaml holds a secret"
    p.run("diagnose", UUID, warn=LAB_WARNINGS + [warning]).exits(2)


@play
def clouds_yaml_wrong(p):
    """No such cloud, broken YAML, no file: one line each that names the file."""
    ready(p)
    p.run("diagnose", UUID, "--os-cloud", "nowhere", fail=r"unwedge: .*nowhere").exits(1)
    p.write("clouds.yaml", "clouds: {standin: [", 0o600)
    p.run("diagnose", UUID, fail=r"unwedge: .*clouds\.yaml").exits(1)
    os.unlink(p.path("clouds.yaml"))
    p.run("diagnose", UUID, fail=r"unwedge: .*").exits(1)
    p.resets(0)


@play
def non_root_state(p):
    """Looking works for a user that may not write the state directory; acting does not."""
    ready(p)
    if os.geteuid() != 0 or not os.access("/usr/bin/python3", os.X_OK):
        raise Skip("needs root to become somebody else, and a python3 for everybody")
    os.makedirs(p.path("state"), exist_ok=True)
    os.chmod(p.path("state"), 0o700)
    os.chmod(p.dir, 0o755)
    os.chown(p.path("home"), 65534, 65534)
    os.chown(p.path("clouds.yaml"), 65534, 65534)
    p.write("probe.log", "", 0o666)
    probe = p.read("libexec/unwedge/unwedge-probe").split("\n", 1)[1]
    p.write("libexec/unwedge/unwedge-probe", "#!/usr/bin/python3 -IS\n" + probe, 0o755)
    words = p.words(("diagnose", UUID), None)
    done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=p.environment(), timeout=60, user=65534, group=65534, extra_groups=[])
    text = done.stdout.decode()
    # What was reset before cannot be counted without the journal, and that is said, not guessed.
    need(done.returncode == 3 and "UW-504" in text and "SAFE_TO_RESET" in text, "exit %s: %s",
         done.returncode, text + done.stderr.decode())
    need(os.path.isdir(p.path("home/.local/state/unwedge/runs")), "saved nowhere")
    words = p.words(("plan", UUID, "-o", p.path("home/plan.json")), None)
    done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=p.environment(), timeout=60, user=65534, group=65534, extra_groups=[])
    need(done.returncode == 8 and not os.path.exists(p.path("home/plan.json")), "exit %s: %s",
         done.returncode, done.stderr.decode())
    p.resets(0)
