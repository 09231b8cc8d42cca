"""What needs no cloud: usage, explain, policies, configuration, journal, replay, streams, man page."""
import json
import os
import re
import shlex
import shutil
import stat

from book import EVIDENCE, ROOT, UUID, need, run

# One command line per row, without the program.
USAGE = """
--help
-h
--help frobnicate
--version

frobnicate
Diagnose x
--frobnicate
-z
-zf
--debug=3 explain 202
--o x explain 202
diagnose
plan
apply
recover
replay
explain
config
policy
journal
diagnose a b
apply a b
explain 202 203
journal show a b
''
diagnose ''
diagnose x --config
diagnose x --policy
diagnose x --os-cloud
diagnose x -f
diagnose x --format
plan x -o
plan x --out
diagnose x --reason
diagnose x --attest
diagnose x --also-probe
journal resolve x --as
journal show --instance
journal show --run
diagnose x --config ''
diagnose x --policy=
diagnose x -f yaml
diagnose x --format=JSON
diagnose x -f ''
diagnose x --wait=0
diagnose x --wait=86401
diagnose x --wait=-1
diagnose x --wait=5s
diagnose x --wait=
diagnose x --wait=99999999999999999999
diagnose x --wait 5
diagnose x --attest frobnicate
diagnose x --attest compute-stopped
diagnose x --attest compute-stopped=
diagnose x --attest queue-empty=cmp-a
diagnose x --attest =cmp-a
diagnose x --attest ''
diagnose x --also-probe ''
journal resolve x --as perhaps
explain 202 -o file
diagnose x -o file
apply x --wait
plan x --wait=5
replay x --attest queue-empty
journal show --also-probe cmp-c
diagnose x --as applied
plan x --run 1
policy show --instance x
journal frobnicate
journal init x
journal show x
journal verify x
journal resolve
policy frobnicate
policy check
policy show x
config frobnicate
diagnose x --approval file
recover x
"""


def usage(g):
    p = g.stage()
    for line in USAGE.strip("\n").splitlines():
        g.run(p, *shlex.split(line))
    g.run(p, "diagnose", "x", "--attest", "compute-stopped=" + "h" * 300)
    g.run(p, "diagnose", "x", "--also-probe", "h" * 300)
    g.run(p, "diagnose", "x", *["--also-probe", "h"] * 65, title=("diagnose", "x", "# --also-probe h, 65 times"))
    g.run(p, "diagnose", "x", *["--attest", "queue-empty"] * 17,
          title=("diagnose", "x", "# --attest queue-empty, 17 times"))
    g.run(p, "replay", *["f"] * 1025, title=("replay", "# 1025 files"))


# --- explain -----------------------------------------------------------------------------------------


def codes():
    with open(os.path.join(ROOT, "recovery", "codes.def"), encoding="utf-8") as f:
        found = re.findall(r"^\s*CODE\((\d+), (\w+), ", f.read(), re.M)
    need(len(found) > 40, "only %d codes in recovery/codes.def", len(found))
    return [("UW-%03d" % int(number), name) for number, name in found]


def verbs_of(p):
    return re.findall(r"^  (\w+) {2,}", run(p, ("--help",)).stdout, re.M)


def explain(g):
    p = g.stage()
    verbs, shown = verbs_of(p), ""
    for i, (code, name) in enumerate(codes()):
        text = g.run(p, "explain", code).stdout
        shown += text
        word = (code[3:], name, name.lower(), code.lower())[i % 4]

        def agree():
            need(text.startswith("%s %s: " % (code, name)), "it begins with %r", text[:60])
            done = run(p, ("explain", word, "-f", "json"))
            need(done.returncode == 0 and not done.stderr, "explain %s: exit %d %s", word, done.returncode,
                 done.stderr)
            doc = json.loads(done.stdout)
            need([doc["code"], doc["name"]] == [code, name], "JSON: %s", doc)
            joined = " ".join(text.split())
            for key in ("line", "meaning", "action", "never"):
                need(" ".join(doc[key].split()) in joined, "%s is not in the text: %s", key, doc[key])
            need(max(len(line) for line in text.splitlines()) <= 96, "a line of more than 96 columns")
        g.check("explain %s as JSON says the same" % word, agree)
    for word in ("UW-999", "999", "0", "1", "UW-", "UW-20", "UW-2022", "UW202", "frobnicate", "RESET",
                 "-202", "break-glas", "x" * 300, "\u00e9"):
        g.run(p, "explain", "--", word)
    for word in ("202", "OWNER_MOVED", "owner_moved", "uw-202", "Uw-202"):
        g.check("explain %s is explain UW-202" % word, lambda: need(
            run(p, ("explain", word)).stdout == run(p, ("explain", "UW-202")).stdout != "", "it is not"))
    g.run(p, "explain", "UW-202", "-f", "json")
    shown += g.run(p, "explain", "break-glass").stdout
    # Commands in advice: in backquotes, or behind a colon.
    advised = set(re.findall(r"(?:`|: ?)unwedge\s+([a-z]+)", shown))
    g.check("advice names only verbs that there are", lambda: need(
        advised and advised <= set(verbs), "there is no: unwedge %s", ", ".join(sorted(advised - set(verbs)))))
    g.run(p, "explain", "break-glass", "-f", "json")


# --- policies ----------------------------------------------------------------------------------------

BAD_POLICIES = [
    ("unknown-key", "observe: {rounds: 3}\nfrobnicate: 1\n"),
    ("unknown-inner", "observe:\n  rounds: 3\n  frobnicate: 1\n"),
    ("duplicate", "observe: {rounds: 3}\nobserve: {rounds: 4}\n"),
    ("duplicate-inner", "observe:\n  rounds: 3\n  rounds: 4\n"),
    ("anchor", "observe: &x {rounds: 3}\n"),
    ("alias", "observe: *x\n"),
    ("merge", "observe: {<<: {rounds: 3}}\n"),
    ("tag", "observe: {rounds: !!int 3}\n"),
    ("two-documents", "observe: {rounds: 3}\n---\nobserve: {rounds: 4}\n"),
    ("below", "observe: {rounds: 1}\n"),
    ("above", "observe: {rounds: 21}\n"),
    ("window-short", "observe: {window_s: 74}\n"),
    ("lab-in-production", "observe: {monitor_check: false}\n"),
    ("huge", "observe: {rounds: 99999999999999999999}\n"),
    ("word-for-number", "observe: {rounds: three}\n"),
    ("float", "observe: {rounds: 3.0}\n"),
    ("quoted-number", 'observe: {rounds: "3"}\n'),
    ("octal", "observe: {rounds: 03}\n"),
    ("yes-for-true", "apply: {allow: yes}\n"),
    ("number-for-map", "observe: 3\n"),
    ("list-for-map", "observe: [1]\n"),
    ("null", "observe: {rounds: }\n"),
    ("text-for-list", "attest: {accepted: compute-stopped}\n"),
    ("unknown-statement", "attest: {accepted: [frobnicate]}\n"),
    ("required-not-accepted", "attest: {accepted: [], required: [compute-stopped]}\n"),
    ("bad-window", 'freeze: ["Fri 18:00-Mon 26:00"]\n'),
    ("bad-uuid", "deny: {instances: [web-1]}\n"),
    ("relative-path", "kill_switch: stop\n"),
    ("tab", "observe:\n\trounds: 3\n"),
    ("empty", ""),
    ("only-comment", "# nothing\n"),
    ("list", "- 1\n"),
    ("scalar", "standard\n"),
    ("broken", "observe: {rounds: 3\n"),
    ("nul", b"observe: {rounds: 3}\n\x00\n"),
    ("latin-1", "# f\u00fcr\nobserve: {rounds: 3}\n".encode("latin-1")),
    ("invisible", "observe: {rounds: 3}\n# \u202e\n"),
    ("deep", "a: " + "[" * 50 + "]" * 50 + "\n"),
    ("too-large", "# " + "x" * (256 * 1024) + "\nobserve: {rounds: 3}\n"),
]


def policy(g):
    p = g.stage()
    os.makedirs(p.path("bad"))
    p.configure(policy="standard", environment="production")
    for name in ("standard", "automation", "observe-only"):
        g.played(p, "policy", "show", "--policy", name)
    p.configure(policy="lab")
    g.played(p, "policy", "show")
    g.played(p, "policy", "show", "-f", "json")
    p.write("strict.yaml", "observe: {rounds: 5}\nfreeze: [\"Fri 18:00-Mon 06:00\"]\n"
            "deny: {hosts: [\"gpu-*\"], instances: [%s]}\nkill_switch: /run/stop\n" % UUID)
    g.played(p, "policy", "show", "--policy", p.path("strict.yaml"))
    p.configure(policy="standard", environment="production")
    for words in (("--policy", "lab"), ("--policy", "none"), ("--policy", p.path("none.yaml")),
                  ("--policy", "./strict.yaml"), ("--policy", "none/../x"), ("--policy", p.dir)):
        g.played(p, "policy", "show", *words)
    for name in ("standard", "automation", "observe-only", "lab"):
        g.run(p, "policy", "check", "share/unwedge/policies/%s.yaml" % name)
    g.run(p, "policy", "check", "strict.yaml")
    g.run(p, "policy", "check", "strict.yaml", "-f", "json")
    for name, text in BAD_POLICIES:
        p.write("bad/%s.yaml" % name, text)
        done = g.run(p, "policy", "check", "bad/%s.yaml" % name)
        g.check("%s is refused in one line that names the file" % name, lambda: need(
            done.returncode == 1 and not done.stdout and done.stderr.count("\n") == 1 and
            done.stderr.startswith("unwedge: bad/%s.yaml" % name), "exit %d\n%s%s", done.returncode,
            done.stdout, done.stderr))
    g.run(p, "policy", "check", "bad/%s.yaml" % BAD_POLICIES[0][0], "-f", "json")
    os.mkfifo(p.path("bad/fifo"))
    os.symlink("loop", p.path("bad/loop"))
    for name in ("missing.yaml", ".", "fifo", "loop", "no/such.yaml"):
        g.run(p, "policy", "check", "bad/" + name)
    g.run(p, "policy", "check", "/dev/null")
    g.run(p, "policy", "check", "/dev/zero")


# --- configuration -----------------------------------------------------------------------------------

BAD_CONFIGS = [
    ("unknown-key", "cloud: prod\nfrobnicate: 1\n"), ("duplicate", "cloud: a\ncloud: b\n"),
    ("relative-state", "state_dir: state\n"), ("environment", "environment: staging\n"),
    ("same-uri", "hosts: {uri: \"qemu+tls://compute/system\"}\n"),
    ("writable-uri", "hosts: {uri: \"qemu+ssh://%h/system?command=/bin/sh\"}\n"),
    ("placeholder", "hosts: {uri: \"qemu+tls://%x/system\"}\n"),
    ("override-uuid", "hosts: {overrides: {cmp-a: {uuid: x}}}\n"),
    ("override-key", "hosts: {overrides: {cmp-a: {url: x}}}\n"),
    ("policy-path", "policy: ./x\n"), ("etcd", "coordination: {driver: etcd}\n"),
    ("webhook", "notify: [{webhook: \"ftp://secret-token/\"}]\n"), ("command", "notify: [{command: mail}]\n"),
    ("alias", "cloud: *x\n"), ("tab", "\tcloud: x\n"), ("empty", ""), ("not-utf8", b"cloud: \xff\n"),
]


def config(g):
    p = g.stage()
    need(not os.path.exists("/etc/unwedge/unwedge.yaml"), "/etc/unwedge/unwedge.yaml is there; the defaults "
         "cannot be shown on this machine")
    g.run(p, "config", "show")
    g.run(p, "config", "show", "-f", "json")
    p.write("full.yaml", """cloud: prod
environment: lab
hosts:
  uri: "qemu+ssh://unwedge@%h/system"
  overrides:
    cmp-a: {uri: "qemu+tls://10.0.0.11/system", hostname: cmp-a.example.org}
    cmp-b: {uuid: 00000000-0000-4000-8000-000000000001}
policy: /etc/unwedge/night.yaml
hook: {policy: observe-only}
journal: {dir: /srv/journal, key: /srv/key}
state_dir: /srv/unwedge
kill_switch: /srv/stop
notify: [{webhook: "https://example.org/canary-token"}, {command: /usr/bin/page-somebody}]
""")
    for form in ((), ("-f", "json")):
        done = g.run(p, "config", "show", "--config", "full.yaml", *form)
        g.check("the address of a webhook is not shown", lambda: need(
            "canary-token" not in done.stdout + done.stderr, "%s", done.stdout))
    os.makedirs(p.path("bad"))
    for name, text in BAD_CONFIGS:
        p.write("bad/%s.yaml" % name, text)
        done = g.run(p, "config", "show", "--config", "bad/%s.yaml" % name)
        g.check("%s is refused in one line that names the file" % name, lambda: need(
            done.returncode == 1 and not done.stdout and done.stderr.count("\n") == 1 and
            done.stderr.startswith("unwedge: bad/%s.yaml" % name) and "secret-token" not in done.stderr,
            "exit %d\n%s%s", done.returncode, done.stdout, done.stderr))
    for name in ("bad/none.yaml", "bad"):
        for verb in (("config", "show"), ("policy", "show"), ("journal", "show"), ("diagnose", UUID)):
            g.run(p, *verb, "--config", name)


# --- the journal -------------------------------------------------------------------------------------


def tree(folder):
    return sorted((os.path.relpath(os.path.join(d, f), folder), stat.S_IMODE(os.lstat(os.path.join(d, f)).st_mode))
                  for d, subs, files in os.walk(folder) for f in subs + files)


def journal(g):
    p = g.stage()
    any_line = [".*"] * 9  # the golden file has what came

    def look(*words):
        return g.played(p, "journal", *words)

    look("show")
    look("verify")
    look("verify", "-f", "json")
    look("resolve", "x")
    g.check("nothing was made by looking", lambda: need(not os.path.exists(p.path("state")), "state is there"))
    os.makedirs(p.path("state/journal"), 0o700)
    look("show")
    look("verify")
    look("init")
    g.check("everything that was made is private", lambda: need(
        all(mode in (0o700, 0o600) for _, mode in tree(p.path("state/journal"))), "%s", tree(p.path("state/journal"))))
    before = p.read("state/journal/records.jsonl")
    look("init")
    look("init", "-f", "json")
    g.played(g.stage(), "journal", "init", "-f", "json")
    g.check("init changes nothing where a journal is", lambda: need(
        p.read("state/journal/records.jsonl") == before, "it changed"))
    look("show")
    look("show", "-f", "json")
    look("verify")
    look("verify", "-f", "json")
    look("show", "--run", "00000000-0000-4000-8000-000000000001")
    look("show", "--instance", UUID, "-f", "json")
    shutil.copytree(p.path("state/journal"), p.path("kept"))

    def emptied():
        edit(lambda d: b"")(p.path("state/journal"))
        done = p.run("journal", "verify", warn=any_line)
        need(done.status == 8, "exit %s\n%s", done.status, done)
    g.check("a journal that was emptied is not good", emptied)
    for name, harm in HARMS:
        shutil.rmtree(p.path("state/journal"))
        shutil.copytree(p.path("kept"), p.path("state/journal"))
        harm(p.path("state/journal"))
        for words in (("verify",), ("verify", "-f", "json"), ("show",)):
            done = p.run("journal", *words, warn=any_line)
            g.record(done, ("journal", *words, "# " + name))


def edit(change):
    def harm(folder):
        path = os.path.join(folder, "records.jsonl")
        with open(path, "rb") as f:
            data = f.read()
        with open(path, "wb") as f:
            f.write(change(data))
    return harm


def linked(folder):
    path = os.path.join(folder, "records.jsonl")
    os.rename(path, path + ".real")
    os.symlink(path + ".real", path)


HARMS = [
    ("one byte of a record was changed", edit(lambda d: d.replace(b"begins", b"begin5"))),
    ("the only record was cut", edit(lambda d: d[:200])),  # the length of a record is not fixed: its numbers grow
    ("half a record follows", edit(lambda d: d + b'{"boot_id":"')),
    ("a record is there twice", edit(lambda d: d + d)),
    ("garbage follows", edit(lambda d: d + b"\xff\x00frobnicate\n")),
    ("it is a symbolic link", linked),
    ("others may write it", lambda d: os.chmod(os.path.join(d, "records.jsonl"), 0o666)),
    ("others may write its directory", lambda d: os.chmod(d, 0o777)),
    ("the file is gone", lambda d: os.unlink(os.path.join(d, "records.jsonl"))),
    ("a directory is in its place", lambda d: (os.unlink(os.path.join(d, "records.jsonl")),
                                               os.mkdir(os.path.join(d, "records.jsonl")))),
]


# --- replay ------------------------------------------------------------------------------------------


def evidence_files():
    names = sorted(os.listdir(EVIDENCE))
    need(len(names) >= 3, "only %s in tests/cli/evidence", names)
    return names


def replay(g):
    p = g.stage()
    for name in evidence_files():
        shutil.copy(os.path.join(EVIDENCE, name), p.path(name))
        g.run(p, "replay", name, volatile=False)
        g.run(p, "replay", name, "-f", "json", volatile=False)
    names = evidence_files()
    for words in (("missing.json",), (".",), ("/dev/null",), ("/dev/zero",), ("bin/unwedge",)):
        g.run(p, "replay", *words)
    p.write("text.json", "not JSON\n")
    p.write("list.json", "[1]\n")
    p.write("object.json", "{}\n")
    p.write("schema.json", '{"schema": "unwedge.verdict/1"}\n')
    p.write("cut.json", p.read(names[0])[:-100])
    for name in ("text", "list", "object", "schema", "cut"):
        g.run(p, "replay", name + ".json")
    g.run(p, "replay", names[0], names[1], volatile=False)
    g.run(p, "replay", names[0], names[1], "-f", "json", volatile=False)
    g.run(p, "replay", names[0], "missing.json", volatile=False)

    def escapes():
        text = p.read("reset.json").replace('"w3w1"', r'"w3\u001b[31m\u009b\u202e"')
        p.write("escapes.json", text)
        done = run(p, ("replay", "escapes.json"))
        need(done.returncode == 2 and "instance: w3?[31m?? (" in done.stdout, "%s%s", done.stdout[:300],
             done.stderr)
        p.write("bad.json", b'{"schema": "\x1b[31m\xc2\x9b')
        done = run(p, ("replay", "bad.json"))
        need(done.returncode == 1 and not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", done.stderr), "%r",
             done.stderr)
    g.check("no control character of a file reaches the terminal", escapes)

    def same():
        one, two = run(p, ("replay", names[0])), run(p, ("replay", names[0]))
        need(one.stdout == two.stdout and one.returncode == two.returncode, "two replays differ")
    g.check("two replays print the same bytes", same)


# --- streams -----------------------------------------------------------------------------------------


def streams(g):
    """Standard output closed or full: one line that says so, and not 0."""
    import subprocess
    p = g.stage()
    p.configure(policy="lab")
    name = evidence_files()[0]
    shutil.copy(os.path.join(EVIDENCE, name), p.path("evidence.json"))
    runs = [("--help",), ("--version",), ("explain", "202"), ("explain", "202", "-f", "json"),
            ("explain", "break-glass"), ("policy", "show"), ("policy", "check", "share/unwedge/policies/lab.yaml"),
            ("config", "show"), ("config", "show", "-f", "json"), ("journal", "init"), ("journal", "show"),
            ("journal", "verify"), ("replay", "evidence.json"), ("replay", "evidence.json", "-f", "json")]
    for words in runs:
        for name, to in (("closed", ">&-"), ("full", ">/dev/full")):
            def lost():
                shutil.rmtree(p.path("state"), ignore_errors=True)
                if words[0] == "journal" and words[1] != "init":
                    p.run("journal", "init", warn=[]).exits(0)
                done = subprocess.run(["/bin/sh", "-c", 'exec "$@" ' + to, "sh", *p.words(words, None)],
                                      stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, env=p.environment(),
                                      cwd=p.dir, timeout=60)
                lines = [x for x in done.stderr.decode().splitlines() if "warning" not in x]
                need(done.returncode > 0 and
                     lines == ["unwedge: cannot write the result to standard output"],
                     "exit %s, stderr %s", done.returncode, lines)
            g.check("%s, stdout %s" % (" ".join(words), name), lost)


# --- the manual page ---------------------------------------------------------------------------------


def words_of_help(text):
    body, _, tail = text.partition("exit status:")
    verbs = re.findall(r"^  (\w+) {2,}", body, re.M)
    options = set(re.findall(r"(?<![\w-])(--[a-z][a-z-]*|-[a-zA-Z])\b", body))
    statuses = set(re.findall(r"(?:^|,|\n)\s*(\d) ", tail))
    return verbs, options, statuses


def man(g):
    p = g.stage()
    with open(os.path.join(ROOT, "agent", "unwedge.8"), encoding="utf-8") as f:
        page = f.read()
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as f:
        readme = f.read()
    verbs, options, statuses = words_of_help(run(p, ("--help",)).stdout)
    section = {name: text for name, text in re.findall(r"^\.Sh ([A-Z ]+)\n(.*?)(?=^\.Sh |\Z)", page,
                                                       re.M | re.S)}
    man_verbs = re.findall(r"^\.It Cm (\w+)", section["VERBS"], re.M)
    fl = re.findall(r"(?:^\.It |, )?Fl (-?[\w-]+)", "\n".join(
        line for line in section["OPTIONS"].splitlines() if line.startswith(".It Fl")))
    man_options = {"-" + name for name in fl}
    man_statuses = set(re.findall(r"^\.It (\d)$", section["EXIT STATUS"], re.M))
    mentioned = {"-" + name for name in re.findall(r"^\.Fl (-[\w-]+|\w)\b", page, re.M)}
    for text, ours, theirs in (("verbs", verbs, man_verbs), ("options", options, man_options),
                               ("exit statuses", statuses, man_statuses)):
        ours, theirs = set(ours), set(theirs)
        g.check("%s of --help are in the manual page" % text, lambda: need(
            ours and ours <= theirs, "missing: %s", ", ".join(sorted(ours - theirs)) or "all"))
        g.check("%s of the manual page are in --help" % text, lambda: need(
            theirs and theirs <= ours, "not in --help: %s", ", ".join(sorted(theirs - ours)) or "all"))
    g.check("options in the text of the manual page exist", lambda: need(
        mentioned <= options, "not in --help: %s", sorted(mentioned - options)))

    def taken():
        """Every option of --help is one, and the program takes none that --help does not name."""
        for option in sorted(options):
            done = run(p, (option,))
            need("is not an option" not in done.stderr, "%s: %s", option, done.stderr)
        with open(os.path.join(ROOT, "agent", "cli", "options.c"), encoding="utf-8") as f:
            table = re.findall(r'^    \{"([a-z-]+)", (?:no|required|optional)_argument', f.read(), re.M)
        need({"--" + t for t in table} == {o for o in options if o.startswith("--")}, "the table has %s, --help %s",
             sorted(table), sorted(options))
    g.check("the options of --help are those of the program", taken)

    def codes_known():
        known = {c for c, _ in codes()}
        used = set(re.findall(r"UW-\d{3}", readme + page))
        need(used and used <= known, "unknown: %s", used - known)
    g.check("codes named in README and manual page exist", codes_known)
    g.check("README names every verb", lambda: need(
        all(re.search(r"^unwedge %s\b" % v, readme, re.M) for v in verbs), "missing: %s",
        [v for v in verbs if not re.search(r"^unwedge %s\b" % v, readme, re.M)]))
    g.check("README names no other verb", lambda: need(
        set(re.findall(r"^unwedge (\w+)", readme, re.M)) <= set(verbs), "%s",
        set(re.findall(r"^unwedge (\w+)", readme, re.M)) - set(verbs)))

    def version():
        with open(os.path.join(ROOT, "Makefile"), encoding="utf-8") as f:
            number = re.search(r"^VERSION := (\S+)$", f.read(), re.M).group(1)
        done = run(p, ("--version",))
        need(done.stdout == "unwedge %s\n" % number, "%r, the Makefile has %s", done.stdout, number)
    g.check("--version is the Makefile's", version)


GROUPS = {"explain": explain, "usage": usage, "policy": policy, "config": config, "journal": journal,
          "replay": replay, "streams": streams, "man": man}
