"""The whole program on other releases of Nova, told by tests/recorded/releases.

The stand-in gives the replies of those files at that maximum (tests/standin/releases.py).
"""
import json
import os
import re

from play import A, ABSENT, B, ROOT, RUN, UUID, need, play

RELEASES = os.path.join(ROOT, "tests", "recorded", "releases")
MOVED = {"7c5d3ad2-0000-4000-8000-00000000000a": {"attachments": {
    "7c5d3ad2-0000-4000-8000-0000000000b1": {"instance": UUID, "status": "attached", "host": B}}}}


def body(release, name):
    with open(os.path.join(RELEASES, release, name + ".json"), encoding="utf-8") as f:
        return json.load(f)["response"]["body"]


def cloud(p, release, scenario, *patches):
    """The stand-in with that release's maximum, and no trace of a reset where it keeps none."""
    most = body(release, "version")["version"]["version"]
    keeps = {"nova": {"records_reset": release != "train"}}
    return p.nova(scenario, keeps, *patches, max_microversion=most)


def asked(p, minor):
    """Nothing but that microversion was asked for."""
    seen = {r["headers"].get("OpenStack-API-Version") for r in p.requests()
            if "/servers" in r["path"] or "/os-" in r["path"]}
    need(seen == {"compute 2." + minor}, "asked for %s", seen)


def failed_last_step(p, release, minor):
    """Server and record as that release leaves them when the last step fails at the destination."""
    server = body(release, "server-failed-last-step-2." + minor)["server"]
    record = body(release, "os-migrations-failed-last-step-2." + minor)["migrations"][0]
    told = {"vm_state": server["OS-EXT-STS:vm_state"], "task_state": server["OS-EXT-STS:task_state"],
            "host": server["OS-EXT-SRV-ATTR:host"],
            "node": server["OS-EXT-SRV-ATTR:hypervisor_hostname"]}
    cloud(p, release, "wedged-completed", {"servers": {UUID: told},
                                           "migrations": {"*": {"status": record["status"]}}})
    return p.hosts(a=ABSENT, b=RUN)


def recovers(p, release, minor, *words):
    """A wedge that a reset ends: the whole way, verified, with the journal's join where Nova has one."""
    cloud(p, release, "wedged-failed").hosts(a=RUN, b=ABSENT)
    p.diagnose("UW-101", 2)
    p.plan(status=2)
    p.apply(status=0).says("os-resetState: done", "verified: the instance is ACTIVE", *words)
    p.resets(1)
    p.outcome("applied")
    p.verify_journal()
    kept = [a for a in p.nova_state()["actions"].values() if a["action"] == "resetState"]
    need(len(kept) == (release != "train"), "%d actions of a reset", len(kept))
    asked(p, minor)


def refuses(p, release, minor, says, never):
    """The canonical wedge as that release makes it: refused, with a repair that fits it."""
    failed_last_step(p, release, minor)
    before = len(p.requests())
    p.run("diagnose", UUID).exits(3).says("UW-202 OWNER_MOVED", *says).never_says(*never)
    need(not any(r["path"].endswith("/action") for r in p.requests()[before:]), "something was written")
    asked(p, minor)


COMPUTE_ID = r"task_state=NULL, compute_id=\(SELECT id FROM compute_nodes"


@play
def release_train(p):
    """Train (2.79): asked for 2.79; no resetState action; a start of nova-compute is no cure."""
    recovers(p, "train", "79", "this Nova writes no resetState action")
    refuses(p, "train", "79", [r"Nova 2\.79 \(Train\) leaves it so", "FROM block_device_mapping",
                               "cut its network"],
            ["compute_id", r"api-version 2\.[89]", "--force"])
    cloud(p, "train", "wedged-running-src-down").hosts(a=RUN, b=ABSENT)
    p.run("diagnose", UUID).exits(2).never_says("As good, if it can be started", "would end that")
    p.resets(1)  # that of the recovery


@play
def release_yoga(p):
    """Yoga (2.90)."""
    recovers(p, "yoga", "84", "resetState is there")
    refuses(p, "yoga", "84", [r"Nova 2\.90 \(Xena or Yoga\) leaves it so", "role admin; where"],
            ["compute_id"])


@play
def release_2023_1(p):
    """2023.1 (2.95), which shares its maximum with 2023.2: both statements."""
    recovers(p, "2023.1", "84", "resetState is there")
    refuses(p, "2023.1", "84", [r"Nova 2\.95 \(2023\.1 or 2023\.2\) leaves it so", "SHOW COLUMNS",
                                COMPUTE_ID], [])


@play
def release_2024_1(p):
    """2024.1 (2.96): compute_id, bindings by role service, the wedge still made."""
    recovers(p, "2024.1", "84", "resetState is there")
    refuses(p, "2024.1", "84", [r"Nova 2\.96 \(2024\.1 or 2024\.2\) leaves it so", COMPUTE_ID,
                                "with role service: an admin's token gets 403"], ["SHOW COLUMNS"])


@play
def release_2025_1(p):
    """2025.1 (2.100): a failed last step is no wedge there; an old-style one is somebody's doing."""
    recovers(p, "2025.1", "84", "resetState is there", "by itself any more")
    failed_last_step(p, "2025.1", "84")
    v = p.diagnose("UW-001", 0)
    need(v["owner"] == B and v["record_host"] == B, "the owner is %s", v["owner"])
    p.run("diagnose", UUID).exits(0).says(r"No wedge: Nova 2\.100 \(2025\.1 or 2025\.2\) ends so")
    cloud(p, "2025.1", "wedged-completed").hosts(a=ABSENT, b=RUN)
    p.run("diagnose", UUID).exits(3).says("does not leave it so by itself", COMPUTE_ID).never_says(
        "cut its network")
    need(p.diagnose("UW-202", 3)["record_host"] == A, "another record host")
    p.resets(1)  # that of the recovery
    asked(p, "84")


@play
def release_residue(p):
    """The commands of the residue on Train: no --force, no 2.89, no refresh; on 2025.1: all three."""
    for release, words in (("train", ["allocation delete " + UUID, "--instance " + UUID + "$",
                                      "server volume list " + UUID, "FROM block_device_mapping",
                                      "cannot refresh one"]),
                           ("2025.1", ["--force$", "version 2.89 server volume list", "refresh"])):
        cloud(p, release, "wedged-running-src-down", {"volumes": MOVED}).hosts(a=RUN, b=ABSENT)
        p.plan("--attest", "compute-stopped=cmp-a", status=2)
        lines = p.apply("-f", "json", status=0).json()["verdict"]["residue"]
        for word in words:
            need(any(re.search(word, line) for line in lines), "no %r in %s", word, lines)
        bad = "--force|2\\.89|volume_attachment" if release == "train" else "cannot refresh|allocation delete " + UUID
        need(not any(re.search(bad, line) for line in lines), "%r in %s", bad, lines)
