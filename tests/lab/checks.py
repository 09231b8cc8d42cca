"""What both labs check about every run of unwedge, and how a suite reports."""
import os
import subprocess
import threading
import time

EXIT = {"NOTHING": 0, "RESET": 2, "REFUSE": 3, "UNKNOWN": 4, "WAIT": 9}


class Report:
    """Results of a suite; may be told from several threads."""

    def __init__(self):
        self.lock = threading.Lock()
        self.results = []

    def add(self, name, problems, took):
        with self.lock:
            self.results.append((name, problems))
            print("  %-4s %-74s %5.1f s" % ("ok" if not problems else "FAIL", name, took), flush=True)
            for problem in problems:
                print("       " + problem, flush=True)

    def play(self, name, function, *words):
        """One check: the problems it returns, or what it raises."""
        begin = time.monotonic()
        try:
            problems = function(*words) or []
        except Exception as e:  # a lab that does not work is a failure like any other
            problems = ["%s: %s" % (type(e).__name__, e)]
        self.add(name, problems, time.monotonic() - begin)
        return not problems

    def end(self):
        """The closing line; the exit status."""
        failed = sum(1 for _, problems in self.results if problems)
        print("%d passed, %d failed, 0 skipped" % (len(self.results) - failed, failed), flush=True)
        return 1 if failed or not self.results else 0


def among(value, wanted):
    return value in wanted if isinstance(wanted, tuple) else value == wanted


def unexpected(stderr):
    return [line for line in stderr.splitlines() if not line.startswith("unwedge: warning: ")]


def newest_run(site):
    """Folder of the newest run of a site."""
    runs = site.path("state/runs")
    return max((os.path.join(runs, r) for r in os.listdir(runs)), key=os.path.getmtime)


def replayed(site, out, verdict):
    """The evidence that the run saved, decided upon again, must print the same bytes."""
    again = subprocess.run([site.unwedge, "replay", os.path.join(newest_run(site), "evidence.json"),
                            "-f", "json"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                           timeout=60)
    if again.stdout != out or again.returncode != EXIT.get(verdict["verdict"]):
        return ["replay of the evidence differs from the run (%s)" % again.stderr.strip()]
    return []


def verdict_problems(done, verdict, kind, code, more):
    """What a run said against what it had to say; kind and code may be a tuple."""
    problems = []
    said = (verdict["verdict"], verdict["code_name"])
    if not (among(said[0], kind) and among(said[1], code)):
        problems.append("says %s %s, expected %s %s" % (*said, kind, code))
        problems += ["%s: %s %s/%s job %s" % (h["host"], h["class"], h["state"], h["reason"],
                                              h["job"]) for h in verdict["hosts"]]
    if done.returncode != EXIT[said[0]]:
        problems.append("exit %d does not fit %s" % (done.returncode, said[0]))
    names = {r["name"] for r in verdict["reasons"]}
    problems += ["%s is not among the reasons" % m for m in more if m not in names]
    return problems + ["stderr: " + line for line in unexpected(done.stderr)]
