"""Through the harness: verdicts, plan, apply and recover as they are shown; terminals; colours."""
import fcntl
import os
import pty
import re
import select
import shutil
import struct
import subprocess
import termios
import time

import play as scenarios
from book import EVIDENCE, UUID, need
from play import ABSENT, IN, OUT, REFUSED, RUN

# What the text shows, in this order; the ones in brackets only where there is something to show.
ORDER = [" verdict: ", "instance: ", "   guest: ", "\n  HOST ", "\nwhy\n", "\ndo now\n", "[\nnever\n", "[\nresidue\n",
         "\nfor the ticket\n", "\nsee: unwedge explain UW-"]
VERDICTS = [  # state of Nova, hosts, exit
    ("wedged-failed", dict(a=RUN, b=ABSENT), 2),
    ("wedged-completed", dict(a=ABSENT, b=RUN), 3),
    ("wedged-failed", dict(a=RUN, b=dict(RUN, id=9)), 3),
    ("wedged-failed", dict(a=RUN, b=REFUSED), 4),
    ("migrating-running", dict(a=OUT, b=IN), 9),
    ("wedged-queued", dict(a=RUN, b=ABSENT), 3),
    ("active", dict(a=RUN), 0),
]


def in_order(text):
    at = 0
    for piece in ORDER:
        found = text.find(piece.lstrip("["), at)
        if found < 0 and piece.startswith("["):
            need(piece[1:] not in text, "%r is out of order", piece)
            continue
        need(found >= 0, "%r is missing or out of order\n%s", piece, text)
        at = found


def no_other_verb(p, texts):
    """What to do now never names a verb that this program has not."""
    verbs = set(re.findall(r"^  (\w+) {2,}", p.run("--help").out, re.M))
    advised = set(re.findall(r"(?<![\w/])unwedge ([a-z]+)\b", " ".join(" ".join(texts).split())))
    need(advised and advised <= verbs, "there is no: unwedge %s", ", ".join(sorted(advised - verbs)))


def verdicts(g):
    p = g.stage()
    texts = []
    for state, hosts, status in VERDICTS:
        p.nova(state).hosts(**hosts)
        name = "# %s" % state
        # Whether an idle look sees the vCPUs advance is a matter of rounds, which all of these have.
        text = g.played(p, "diagnose", UUID, title=("diagnose", UUID, name))
        texts.append(text.out)
        g.check("%s: the order of the sections" % state, lambda: in_order(text.out))
        doc = g.played(p, "diagnose", UUID, "-f", "json", title=("diagnose", UUID, "-f", "json", name))
        g.check("%s: text and JSON say the same and exit %d" % (state, status), lambda: need(
            text.status == doc.status == status and " %s %s\n" % (doc.json()["code"], doc.json()["code_name"])
            in text.out, "exit %s and %s\n%s", text.status, doc.status, doc.out))
    g.check("advice names only verbs that there are", lambda: no_other_verb(p, texts))
    g.check("no reset was sent", lambda: p.resets(0))


def acts(g):
    p = g.stage()
    p.nova("wedged-failed").hosts(a=RUN, b=ABSENT)
    plan = p.path("plan.json")
    g.played(p, "plan", UUID)
    done = g.played(p, "plan", UUID, "-o", plan)
    g.check("plan: the order of the sections, then how to apply it", lambda: (
        in_order(done.out), need(done.out.endswith("unwedge apply %s\n" % plan), "%s", done.out[-300:])))
    g.check("the plan is private", lambda: need(os.stat(plan).st_mode & 0o077 == 0, "mode %o", os.stat(plan).st_mode))
    g.played(p, "replay", plan)
    g.played(p, "apply", plan, "--reason", "INC-4711")
    g.played(p, "apply", plan, title=("apply", plan, "# once more"))
    g.check("one reset was sent", lambda: p.resets(1))
    g.played(p, "journal", "show")
    g.played(p, "journal", "verify")
    p.nova("wedged-failed").hosts(a=RUN, b=ABSENT)
    g.played(p, "plan", UUID, "-o", plan, "-f", "json")
    g.played(p, "apply", plan, "-f", "json")
    p.nova("wedged-failed").hosts(a=RUN, b=ABSENT)
    p.run("plan", UUID, "-o", plan)
    p.hosts(a=ABSENT, b=RUN)
    g.played(p, "apply", plan, title=("apply", plan, "# the guest has moved"))
    p.run("plan", UUID, "-o", plan)
    g.played(p, "plan", UUID, "-o", plan, title=("plan", UUID, "-o", plan, "# the guest has moved"))
    g.played(p, "apply", plan, title=("apply", plan, "# a plan of a refusal"))
    g.played(p, "plan", "no-such-name")
    g.played(p, "apply", p.path("none.json"))
    g.check("two resets were sent in all", lambda: p.resets(2))


def asking(g):
    p = g.stage()
    for title, answer, resets in (("# no", b"no\n", 0), ("# yes", b"yes\n", 1)):
        p.nova("wedged-failed").hosts(a=RUN, b=ABSENT)
        done = p.on_terminal("recover", UUID, answer=answer)
        g.record(done, ("recover", UUID, title))
        g.check("recover, answered %s: asked, %d sent" % (title, resets), lambda: (
            need(done.asked, "it did not ask"), p.resets(resets)))
    p.nova("wedged-completed").hosts(a=ABSENT, b=RUN)
    done = p.on_terminal("recover", UUID, answer=b"yes\n")
    g.record(done, ("recover", UUID, "# refused"))
    g.check("recover does not ask where nothing can be done", lambda: need(not done.asked, "it asked"))


# --- terminals ---------------------------------------------------------------------------------------


def on_pty(p, words, streams, env=None):
    """(status, what the terminal showed, what the pipe got). streams: 1, 2 or both go to the terminal."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 25, 80, 0, 0))
    pipe = subprocess.PIPE
    child = subprocess.Popen(p.words(words, None), stdin=subprocess.DEVNULL, stdout=slave if 1 in streams else pipe,
                             stderr=slave if 2 in streams else pipe, env=p.environment(env), cwd=p.dir,
                             start_new_session=True)
    os.close(slave)
    seen, end = {master: b""}, time.monotonic() + 60
    for stream in (child.stdout, child.stderr):
        if stream is not None:
            seen[stream.fileno()] = b""
    left = set(seen)
    while left:
        need(time.monotonic() < end, "no end on the terminal")
        for fd in select.select(list(left), [], [], 0.5)[0]:
            try:
                data = os.read(fd, 65536)
            except OSError:  # the terminal's other side was closed
                data = b""
            seen[fd] += data
            if not data:
                left.discard(fd)
    status = child.wait(timeout=10)
    for stream in (child.stdout, child.stderr):
        if stream is not None:
            stream.close()
    os.close(master)
    rest = b"".join(v for k, v in seen.items() if k != master)
    return status, seen[master].decode().replace("\r\n", "\n"), rest.decode()


ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


def terminals(g):
    p = g.stage()
    p.nova("wedged-failed").hosts(a=RUN, b=ABSENT)
    plain = p.run("diagnose", UUID)
    saved = p.evidence()
    replay = ("replay", saved)
    reference = p.run(*replay, warn=[])

    def colours(words, env, wanted):
        def check():
            status, shown, _ = on_pty(p, (*replay, *words), {1, 2}, env)
            need(status == reference.status, "exit %s", status)
            need(bool(ESCAPE.search(shown)) == wanted, "colours: %s\n%r", not wanted, shown[:200])
            need(ESCAPE.sub("", shown) == reference.out, "without colours it differs\n%s", shown)
        return check

    g.check("nothing but text in a pipe", lambda: need("\x1b" not in plain.out + plain.err + reference.out, "escapes"))
    g.check("colours on a terminal", colours((), None, True))
    g.check("NO_COLOR that is empty: colours", colours((), {"NO_COLOR": ""}, True))
    g.check("NO_COLOR: none", colours((), {"NO_COLOR": "1"}, False))
    g.check("NO_COLOR=0 is set, so none", colours((), {"NO_COLOR": "0"}, False))
    g.check("--no-color: none", colours(("--no-color",), None, False))
    g.check("JSON on a terminal has no colours", lambda: need(
        "\x1b" not in on_pty(p, (*replay, "-f", "json"), {1, 2})[1], "escapes"))

    def progress(words, streams, wanted):
        def check():
            status, shown, rest = on_pty(p, ("diagnose", UUID, *words), streams)
            need(status == 2, "exit %s\n%s", status, shown + rest)
            there = re.search(r"\r\x1b\[K\S.*  round \d+ of 2", shown)
            need(bool(there) == wanted, "progress: %s\n%r", not wanted, shown[:600])
            need("\r\x1b[K" not in rest, "progress in the pipe\n%r", rest)
            if wanted and streams == {2}:
                need(shown.endswith("\r\x1b[K"), "left behind: %r", shown[-200:])
        return check

    g.check("progress on the terminal of stderr", progress((), {2}, True))
    g.check("progress when both are the terminal", progress((), {1, 2}, True))
    g.check("no progress when only stdout is one", progress((), {1}, False))
    g.check("--quiet: no progress", progress(("--quiet",), {2}, False))

    def quiet_in_pipe():
        need("\r" not in plain.err and "round" not in plain.err, "%r", plain.err)
    g.check("no progress in a pipe", quiet_in_pipe)

    def closed():
        """Streams that were closed never give their numbers to a file or a connection."""
        hook = ["/bin/sh", "-c", "for i in 0 1 2; do readlink /proc/{ppid}/fd/$i; done > " + p.path("fds")]
        p.hosts(a=dict(RUN, hook=hook), b=ABSENT)
        subprocess.run(["/bin/sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *p.words(("diagnose", UUID), None)],
                       env=p.environment(), cwd=p.dir, timeout=60)
        p.hosts(a=RUN, b=ABSENT)
        need(p.read("fds").split() == ["/dev/null"] * 3, "0, 1 and 2 are %s", p.read("fds").split())
    g.check("closed streams stay unused", closed)
    for name, to in (("closed", ">&-"), ("full", ">/dev/full")):
        def lost():
            done = subprocess.run(["/bin/sh", "-c", 'exec "$@" ' + to, "sh", *p.words(("diagnose", UUID), None)],
                                  stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, env=p.environment(),
                                  cwd=p.dir, timeout=60)
            need(done.returncode > 0 and
                 done.stderr.endswith(b"\nunwedge: cannot write the result to standard output\n"), "exit %s %s",
                 done.returncode, done.stderr)
        g.check("diagnose, stdout %s" % name, lost)

    def debug():
        done = p.run("diagnose", UUID, "--debug", warn=[".*"] * 200).exits(2)
        need(done.out.startswith(" verdict: RESET"), "stdout holds something else\n%s", done.out[:300])
        need("GET " in done.err, "nothing about the exchange\n%s", done.err)
    g.check("--debug goes to stderr alone", debug)
    g.check("no secret was printed", p.check_secrets)


# --- evidence for replay -----------------------------------------------------------------------------


def record(build):
    """Makes the stored evidence anew; what is not needed of this machine is blanked."""
    os.makedirs(EVIDENCE, exist_ok=True)
    for name, state, hosts in (("moved", "wedged-completed", dict(a=ABSENT, b=RUN)),
                               ("reset", "wedged-failed", dict(a=RUN, b=ABSENT)),
                               ("unreachable", "wedged-failed", dict(a=RUN, b=REFUSED))):
        p = scenarios.Play("record", build)
        try:
            p.nova(state).hosts(**hosts)
            p.run("diagnose", UUID)
            with open(p.evidence(), encoding="utf-8") as f:
                text = re.sub(r'"(boot_id|run)":"[0-9a-f-]{36}"', r'"\1":"00000000-0000-4000-8000-000000000000"', f.read())
            with open(os.path.join(EVIDENCE, name + ".json"), "w", encoding="utf-8") as f:
                f.write(text)
        finally:
            p.close()


GROUPS = {"verdicts": verdicts, "acts": acts, "asking": asking, "terminals": terminals}
