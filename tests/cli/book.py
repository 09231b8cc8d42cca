"""What the program printed, made comparable, beside what it is to print.

A golden file holds one group's runs, each a block:

  $ unwedge WORDS
  --- stdout / --- stderr     left out when nothing was printed there
  --- exit N

What differs from run to run is replaced by a word in capitals before anything is compared.
"""
import difflib
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
GOLDEN = os.path.join(HERE, "golden")
EVIDENCE = os.path.join(HERE, "evidence")
sys.path.insert(0, os.path.join(ROOT, "tests", "scenarios"))

import play as scenarios  # noqa: E402

UUID = scenarios.UUID
LIMIT_S = 60
VOLATILE = [
    (r"unwedge \d+\.\d+\.\d+", "unwedge VERSION"),
    (r'"tool":"[0-9.]+"', '"tool":"VERSION"'),
    (r"sha256:[0-9a-f]{64}", "sha256:DIGEST"),
    (r"(?!%s)\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b" % UUID, "UUID"),
    (r'"salt":"[0-9a-f]{32}"', '"salt":"SALT"'),
    (r"\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME"),
    (r'"(mono_ms|time_s)":\d+', r'"\1":N'),
    (r'"window_ms": \d+', '"window_ms": N'),
    (r"( rounds? over )\d+ ms", r"\1N ms"),
    (r"^( +)\+\d+\.\d s", r"\1+N s"),
    (r"(\bby |\"who\":\")\S+ \(uid \d+[^)]*\) on [^\s\",]+", r"\1WHO"),
]


class Wrong(Exception):
    """What was expected and what came."""


def need(condition, text, *values):
    if not condition:
        raise Wrong(text % values if values else text)


def plain(text, places, volatile=True):
    for path, name in places:
        text = text.replace(path, name)
    for pattern, word in VOLATILE if volatile else VOLATILE[:1]:
        text = re.sub(pattern, word, text, flags=re.M)
    return text


class Group:
    """The runs and checks of one group; its blocks make up golden/NAME.txt."""

    def __init__(self, name, build):
        self.name, self.build = name, build
        self.blocks, self.results = [], []  # (title, text), (name, None or why)
        self.places = []
        self.stages = []

    # --- a place to run it -------------------------------------------------------------------

    def stage(self):
        """A tree of its own with the program, the fake probe and the shipped policies."""
        p = scenarios.Play(self.name, self.build)
        self.stages.append(p)
        self.places.insert(0, (p.dir, "TREE"))
        return p

    def close(self):
        for p in self.stages:
            p.close()

    # --- results -----------------------------------------------------------------------------

    def check(self, name, function):
        try:
            function()
            self.results.append((name, None))
        except Exception as why:  # a check that breaks has failed
            self.results.append((name, "%s: %s" % (type(why).__name__, why)
                                 if not isinstance(why, (Wrong, scenarios.Wrong)) else str(why)))

    def block(self, words, status, out, err, volatile=True):
        text = ""
        for head, body in (("stdout", out), ("stderr", err)):
            body = plain(body, self.places, volatile)
            if body:
                text += "--- %s\n%s%s" % (head, body, "" if body.endswith("\n") else "\\\n")
        text += "--- exit %d\n" % status
        self.blocks.append((plain("unwedge " + " ".join(quote(w) for w in words), self.places, False),
                            text))

    # --- running -----------------------------------------------------------------------------

    def run(self, p, *words, volatile=True, title=None):
        """Runs it as it is, and records the block."""
        done = run(p, words)
        self.block(title or words, done.returncode, done.stdout, done.stderr, volatile)
        return done

    def played(self, p, *words, title=None, **options):
        """The same through the harness: with its configuration, its warnings left out."""
        # Whatever comes on stderr is in the golden file.
        done = p.run(*words, **{"warn": [".*"] * 50, **options})
        self.record(done, title or words)
        return done

    def record(self, done, words):
        left = [line for line in done.err.splitlines(True)
                if not any(re.match(w, line) for w in scenarios.LAB_WARNINGS)]
        self.block(words, done.status, done.out, "".join(left))


def quote(word):
    if len(word) > 200:
        word = "%s...(%d bytes)" % (word[:8], len(word))
    return word if re.fullmatch(r"[\w@%+=:,./-]+", word) else "'%s'" % word


def run(p, words):
    done = subprocess.run([p.path("bin/unwedge"), *words], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=p.environment(), cwd=p.dir,
                          timeout=LIMIT_S, start_new_session=True)
    done.stdout = done.stdout.decode("utf-8", "backslashreplace")
    done.stderr = done.stderr.decode("utf-8", "backslashreplace")
    return done


# --- golden files ---------------------------------------------------------------------------------


def golden_text(blocks):
    return "\n".join("$ %s\n%s" % block for block in blocks)


def read_golden(name):
    try:
        with open(os.path.join(GOLDEN, name + ".txt"), encoding="utf-8") as f:
            text = f.read()
    except FileNotFoundError:
        return []
    parts = re.split(r"(?:\A|(?<=\n)\n)\$ (unwedge.*)\n", text)
    return list(zip(parts[1::2], parts[2::2]))


def write_golden(name, blocks):
    path = os.path.join(GOLDEN, name + ".txt")
    if not blocks:
        return
    os.makedirs(GOLDEN, exist_ok=True)
    with open(path + ".new", "w", encoding="utf-8") as f:
        f.write(golden_text(blocks))
    os.replace(path + ".new", path)


def compare(name, blocks):
    """[(title, None or why)]: one result per block, and one per block that is left over."""
    wanted = read_golden(name)
    results = []
    for i, (title, text) in enumerate(blocks):
        label = "%s: %s" % (name, title)
        if i >= len(wanted):
            results.append((label, "not in golden/%s.txt; read it and run tests/cli/run --update" % name))
        elif (title, text) != wanted[i]:
            before, after = ("$ %s\n%s" % wanted[i]), ("$ %s\n%s" % (title, text))
            diff = difflib.unified_diff(before.splitlines(), after.splitlines(), "golden", "now",
                                        lineterm="", n=1)
            results.append((label, "\n".join(list(diff)[:40])))
        else:
            results.append((label, None))
    for title, _ in wanted[len(blocks):]:
        results.append(("%s: %s" % (name, title), "in golden/%s.txt, and no longer run" % name))
    return results
