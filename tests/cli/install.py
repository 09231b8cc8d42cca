"""make install into an empty place, the program run from there, make uninstall."""
import json
import os
import shutil
import stat
import subprocess

from book import ROOT, UUID, need
from play import ABSENT, RUN

INSTALLED = {
    "usr/bin/unwedge": 0o755,
    "usr/libexec/unwedge/unwedge-probe": 0o755,
    "usr/share/unwedge/policies/automation.yaml": 0o644,
    "usr/share/unwedge/policies/lab.yaml": 0o644,
    "usr/share/unwedge/policies/observe-only.yaml": 0o644,
    "usr/share/unwedge/policies/standard.yaml": 0o644,
    "usr/share/man/man8/unwedge.8": 0o644,
}


def files(folder):
    return {os.path.relpath(os.path.join(d, f), folder): stat.S_IMODE(os.stat(os.path.join(d, f)).st_mode)
            for d, _, names in os.walk(folder) for f in names}


def install(g):
    p = g.stage()
    place = p.path("image")
    root = os.path.join(place, "usr")

    def make(target):
        # -o all: what is there is installed; this suite builds nothing.
        done = subprocess.run(["make", "-s", "-o", "all", target, "DESTDIR=" + place, "PREFIX=/usr", "B=" + g.build],
                              cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=60)
        need(done.returncode == 0 and not done.stdout, "make %s: exit %d\n%s", target, done.returncode,
             done.stdout.decode())

    def fresh():
        make("install")
        need(files(place) == INSTALLED, "installed: %s", files(place))
        with open(os.path.join(g.build, "unwedge"), "rb") as a, open(os.path.join(root, "bin/unwedge"), "rb") as b:
            need(a.read() == b.read(), "another program was installed")
    g.check("make install puts there what it should, with its modes", fresh)

    # The tree of the harness is taken away, so that nothing of it can be found; what is run is the
    # installed program, through a link as from a bin directory elsewhere.
    shutil.rmtree(p.path("share"))
    fake = p.path("libexec/unwedge/unwedge-probe")
    os.unlink(p.path("bin/unwedge"))
    os.symlink(os.path.join(root, "bin/unwedge"), p.path("bin/unwedge"))

    def policies():
        p.configure(policy="standard", environment="production")
        p.run("policy", "show", warn=[]).exits(0).says(
            "policy in force: %s/share/unwedge/policies/standard.yaml" % root)
    g.check("policy show finds ../share/unwedge/policies", policies)

    def probe():
        done = subprocess.run([os.path.join(root, "libexec/unwedge/unwedge-probe")], input=b"{}\n",
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=20, env=p.environment())
        need(done.returncode not in (126, 127) and done.returncode >= 0 and done.returncode != 0,
             "the installed probe: exit %d %s", done.returncode, done.stderr)
    g.check("the installed probe starts, and refuses a request that is none", probe)

    def diagnose():
        shutil.copy(fake, os.path.join(root, "libexec/unwedge/unwedge-probe"))
        shutil.rmtree(p.path("libexec"))
        with open(os.path.join(root, "libexec/unwedge/hosts.json"), "w", encoding="utf-8") as f:
            json.dump({"cmp-a": {"looks": [RUN]}, "cmp-b": {"looks": [ABSENT]}}, f)
        p.configure(policy="lab")
        p.nova("wedged-failed")
        p.run("diagnose", UUID).exits(2).says("SAFE_TO_RESET")
        with open(os.path.join(root, "probe.log"), encoding="utf-8") as f:
            need("cmp-b look" in f.read(), "the probe beside the program was not asked")
    g.check("diagnose finds ../libexec/unwedge/unwedge-probe", diagnose)

    def gone():
        for name in ("libexec/unwedge/hosts.json", "probe.log"):
            if os.path.exists(os.path.join(root, name)):
                os.unlink(os.path.join(root, name))
        make("uninstall")
        need(not files(place), "left behind: %s", files(place))
        folders = [os.path.relpath(os.path.join(d, s), place) for d, subs, _ in os.walk(place) for s in subs]
        need(not [f for f in folders if "unwedge" in f], "directories left behind: %s", folders)
        make("uninstall")
    g.check("make uninstall leaves nothing, and can be repeated", gone)


GROUPS = {"install": install}
