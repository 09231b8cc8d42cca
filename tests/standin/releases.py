"""The stand-in at the maximum microversion of other releases.

For each file of tests/recorded/releases the stand-in is put into the same
situation, with that release's maximum, and has to answer the same request
with the same keys and types; the version document and what the releases
tell differently has to have the same values.
"""

import glob
import json
import os
import unittest

from captured import STUCK, Replay, documents, login_for, replay, shape, world
from client import ROOT

RELEASES = os.path.join(ROOT, "tests", "recorded", "releases")
MAXIMA = {"train": 79, "yoga": 90, "2023.1": 95, "2024.1": 96, "2025.1": 100}
ACTION = "req-2c65e77a-88a3-4a35-9d89-443b0cfc844b"
# What is compared by value, of the parts named; of the rest keys and types.
VALUES = ("id", "version", "status", "migration_type", "source_compute",
          "dest_compute", "action", "OS-EXT-STS:vm_state",
          "OS-EXT-STS:task_state", "OS-EXT-SRV-ATTR:host")


def read(release, name):
    path = os.path.join(RELEASES, release, name + ".json")
    with open(path, encoding="utf-8") as source:
        return json.load(source)


def names(release):
    found = glob.glob(os.path.join(RELEASES, release, "*.json"))
    return sorted(os.path.basename(path)[:-5] for path in found)


def situation(release, name):
    """The wedge of the recordings, told as this release would tell it."""
    state = world()
    state["nova"]["max"] = "2.%d" % MAXIMA[release]
    server, record = state["servers"][STUCK], state["migrations"]["2"]
    for kind in ("disk", "memory"):
        for part in ("processed", "remaining", "total"):
            record["%s_%s_bytes" % (kind, part)] = 4096
    state["migrations"] = {"2": record}
    state["actions"][ACTION]["events"].reverse()
    if "failed-last-step" in name:
        record["status"] = "completed"
        if MAXIMA[release] >= 100:
            record["status"] = "error"
            server.update(vm_state="error", task_state=None, host="cmp-b",
                          fault={"code": 500, "created": server["updated"],
                                 "message": "m", "details": "d"})
    if "after-reset" in name and MAXIMA[release] >= 88:
        listed = read(release, name)["response"]["body"]["instanceActions"]
        state["actions"][listed[0]["request_id"]] = dict(listed[0], events=[])
    return state


def told(value):
    """The values of VALUES, in order, wherever they stand."""
    if isinstance(value, dict):
        own = [(k, value[k]) for k in VALUES
               if k in value and not isinstance(value[k], (dict, list))]
        return [pair for pair in own if pair[0] != "id"] + [
            pair for k in sorted(value) for pair in told(value[k])]
    if isinstance(value, list):
        return [pair for item in value for pair in told(item)]
    return []


class ReleaseTest(Replay):
    """Every file by itself; the methods are made below."""

    def check(self, release, name):
        capture = read(release, name)
        self.one.write(situation(release, name))
        answer = replay(self.one, capture, login_for(self.one, "admin"))
        self.assertEqual(200, answer.status, answer.raw)
        asked = capture["request"]["headers"].get("OpenStack-API-Version")
        if asked:
            self.assertEqual(asked, answer.header("OpenStack-API-Version"))
        wanted, given = documents(self.one, capture, answer)
        self.assertEqual(shape(wanted), shape(given))
        if name.startswith(("version", "server", "os-migrations",
                            "os-instance-actions")):
            self.assertEqual(told(wanted), told(given))

    def test_every_release_has_its_files(self):
        self.assertEqual(sorted(MAXIMA), sorted(
            name for name in os.listdir(RELEASES)
            if os.path.isdir(os.path.join(RELEASES, name))))
        for release in MAXIMA:
            self.assertGreaterEqual(len(names(release)), 6, release)

    def test_more_than_the_maximum_is_refused(self):
        for release, most in MAXIMA.items():
            self.one.write(situation(release, ""))
            answer = self.one.nova("GET", "/servers/" + STUCK,
                                   version="2.%d" % (most + 1))
            self.assertEqual(406, answer.status, release)


def add(release, name):
    def test(self):
        self.check(release, name)
    setattr(ReleaseTest, "test_%s_%s" % (release, name), test)


for _release in MAXIMA:
    for _name in names(_release):
        add(_release, _name)

if __name__ == "__main__":
    unittest.main()
