#!/usr/bin/env python3
"""agent/openstack and agent/http against the Keystone and Nova stand-in.

    standin_test.py [DRIVE] [-k TEXT] [--keep]

DRIVE is tests/unit/openstack/drive.c, built; without it, it is built here with ASan and UBSan.
Everything is made in a temporary directory and ended by its own process id. Prints one line
per check.
"""

import argparse
import glob
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
STANDIN = os.path.join(ROOT, "contrib", "lab", "standin")
UUID = "9bc95bd6-0455-43a7-8bca-179b99521a47"
OTHER = "11111111-2222-4333-8444-555555555555"
THIRD = "22222222-2222-4333-8444-555555555555"
PROJECT = "6636f25326c0481295733f4a88dfa621"
RUN = "0d6a2a5e-8f1f-4f43-9f0d-3f4d5b1c7a10"
SECRETS = ["secret", "lab-recoverer-secret", "tok-static-admin"]


class Cloud:
    """A stand-in with its state, log and clouds.yaml."""

    def __init__(self, folder, name, *options):
        self.state = os.path.join(folder, name + ".state.json")
        self.log = os.path.join(folder, name + ".log")
        self.ready = os.path.join(folder, name + ".ready.json")
        self.clouds = os.path.join(folder, name + ".clouds.yaml")
        scenario("write", "wedged-running-src-down", "--out", self.state)
        with open(self.state, encoding="utf-8") as source:
            self.base = json.load(source)
        self.epoch = 0
        self.set()
        subprocess.run([os.path.join(STANDIN, "standin"), "--state", self.state, "--log", self.log,
                        "--ready", self.ready, "--watch-pid", str(os.getpid()), "--background",
                        *options], check=True, stdout=subprocess.DEVNULL)
        with open(self.ready, encoding="utf-8") as source:
            self.info = json.load(source)
        self.url = self.info["base"]

    def set(self, faults=(), edit=None):
        """A fresh state with these faults."""
        self.epoch += 1
        state = json.loads(json.dumps(self.base))
        state["epoch"] = "e%d" % self.epoch
        state["faults"] = list(faults)
        state["static_tokens"] = {"tok-static-admin": {
            "user_id": next(k for k, v in state["users"].items() if v["name"] == "admin"),
            "project_id": PROJECT}}
        if edit:
            edit(state)
        with open(self.state + ".new", "w", encoding="utf-8") as out:
            json.dump(state, out)
        os.replace(self.state + ".new", self.state)
        open(self.log, "w").close()

    def requests(self, method=None, path=""):
        with open(self.log, encoding="utf-8") as source:
            lines = [json.loads(line) for line in source]
        return [x for x in lines if (method is None or x["method"] == method)
                and re.search(path, x["path"])]

    def end(self):
        try:
            os.kill(self.info["pid"], signal.SIGTERM)
        except ProcessLookupError:
            pass


def scenario(*args):
    subprocess.run([os.path.join(STANDIN, "scenario"), *args], check=True,
                   stdout=subprocess.DEVNULL)


class Suite:
    def __init__(self, drive, folder, only):
        self.drive, self.folder, self.only = drive, folder, only
        self.passed = self.failed = 0
        self.err = ""

    def run(self, yaml, *steps, cloud=None, **env):
        """stdout of the drive; stderr in self.err."""
        path = os.path.join(self.folder, "clouds.yaml")
        with open(path, "w", encoding="utf-8") as out:
            out.write(yaml)
        os.chmod(path, 0o600)
        full = {k: v for k, v in os.environ.items() if not k.startswith("OS_")}
        full.update({"OS_CLIENT_CONFIG_FILE": path, "ASAN_OPTIONS": "detect_leaks=1"})
        full.update({k: str(v) for k, v in env.items()})
        args = [self.drive] + (["--cloud", cloud] if cloud else []) + list(steps)
        done = subprocess.run(args, env=full, capture_output=True, text=True, timeout=120,
                              cwd=self.folder)
        self.err = done.stderr
        if done.returncode not in (0, 1):
            print("drive ended with %d\n%s" % (done.returncode, done.stderr[-2000:]))
        return done.stdout

    def check(self, name, good, detail=""):
        if good:
            self.passed += 1
            print("ok    %s" % name)
        else:
            self.failed += 1
            print("FAIL  %s\n      %s" % (name, str(detail).replace("\n", "\n      ")))

    def match(self, name, pattern, text):
        self.check(name, re.search(pattern, text) is not None, "want %s in:\n%s" % (pattern, text))


def entry(url, auth="password", extra="", auth_extra="", path="/v3"):
    bodies = {
        "password": "username: admin, password: secret, project_name: admin, "
                    "user_domain_name: Default, project_domain_name: Default",
        "v3applicationcredential":
            "application_credential_id: 2e26fd14d1ae4321b6bc66dd523976cc, "
            "application_credential_secret: lab-recoverer-secret",
        "v3token": "token: tok-static-admin, project_name: admin, project_domain_name: Default"}
    return ("clouds:\n  one:\n    auth_type: %s\n    auth: {auth_url: '%s%s', %s%s}\n%s"
            % (auth, url, path, bodies[auth], auth_extra, extra))


# -- groups -------------------------------------------------------------------------------------

def group_auth(s, c):
    for kind in ("password", "v3applicationcredential", "v3token"):
        c.set()
        out = s.run(entry(c.url, kind), "find", UUID, "read", UUID, "63", DRIVE_DEBUG=1,
                    DRIVE_RUN=RUN)
        s.match("auth %s" % kind, "open max=93 .*\nfind %s\nread bits=63 " % UUID, out)
        shown = [x for x in SECRETS if x in s.err + out]
        s.check("auth %s: no secret in the trace" % kind, not shown, shown)
        ids = {x["headers"].get("X-OpenStack-Request-ID") for x in c.requests(path="servers")}
        s.check("auth %s: run id sent" % kind, ids == {"req-" + RUN}, ids)
    for path in ("", "/", "/v3/", "/v2.0"):
        c.set()
        s.match("auth_url with %r" % path, "open max=93", s.run(entry(c.url, path=path)))
    c.set()
    out = s.run(entry(c.url).replace("password: secret", "password: wrong"))
    s.match("wrong password", r"open error status=1 http=401 cloud one \(.*clouds.yaml\): .*"
            "password.* is wrong", out)
    s.check("wrong password asked once", len(c.requests("POST")) == 1, c.requests("POST"))
    out = s.run(entry(c.url, "v3applicationcredential").replace("lab-recoverer", "x"))
    s.match("wrong app-cred secret", "http=401 .*application credential's id or secret", out)
    out = s.run(entry(c.url).replace("project_name: admin", "system_scope: all"))
    s.match("system scope", "status=1 .*project-scoped token .*Zed", out)
    out = s.run(entry(c.url).replace("project_name: admin, ", ""))
    s.match("no project", "status=1 .*project-scoped", out)
    c.set([{"method": "POST", "path": "/auth/tokens", "status": 503, "count": 1}])
    s.match("keystone busy once", "open max=93", s.run(entry(c.url)))
    c.set([{"method": "POST", "path": "/auth/tokens", "html": True}])
    s.match("keystone is a portal", "open error status=4 .*HTML", s.run(entry(c.url)))
    c.set([{"path": "/auth/tokens", "drop_headers": ["X-Subject-Token"]}])
    s.match("no token header", "open error status=4 .*lacks the token", s.run(entry(c.url)))
    s.match("auth_url is no Keystone", "open error .*auth_url is no Keystone",
            s.run(entry(c.url, path="/nothing")))


def group_endpoint(s, c):
    def regions(state):
        state["regions"] = {"north": {"compute_url": "{base}/v2.1"},
                            "south": {"compute_url": "{base}/v2.1"}}
    c.set(edit=regions)
    s.match("two regions, no choice", "status=1 .*several regions: .*north.*south",
            s.run(entry(c.url)))
    s.match("region chosen", "open max=93", s.run(entry(c.url, extra="    region_name: north\n")))
    s.match("unknown region", "no compute endpoint .*in region west",
            s.run(entry(c.url, extra="    region_name: west\n")))
    c.set()
    for tail in ("", "/", "/v2.1", "/v2.1/", "/v2", "/compute/v2.1"):
        out = s.run(entry(c.url, extra="    compute_endpoint_override: %s%s\n" % (c.url, tail)),
                    "find", UUID)
        s.match("endpoint %r" % tail, "find " + UUID, out)

    def old(state):
        state["nova"]["max"] = "2.78"
    c.set(edit=old)
    s.match("old cloud", "open error status=1 .*2.1 to 2.78; 2.79", s.run(entry(c.url)))
    for most, asks in (("2.79", "2.79"), ("2.83", "2.79"), ("2.84", "2.84"), ("2.100", "2.84")):
        c.set(edit=lambda state, most=most: state["nova"].update(max=most))
        s.match(most, "read bits=63", s.run(entry(c.url), "read", UUID, "63"))
        asked = {x["headers"].get("OpenStack-API-Version") for x in c.requests(path="servers")}
        s.check("%s on %s asked for" % (asks, most), asked == {"compute " + asks}, asked)


def group_find(s, c):
    def names(state):
        base = state["servers"][UUID]
        state["servers"][OTHER] = dict(base, name="twin")
        state["servers"][THIRD] = dict(base, name="twin")
        state["servers"]["33333333-2222-4333-8444-555555555555"] = dict(base, name="a.b[1]")
        state["servers"]["44444444-2222-4333-8444-555555555555"] = dict(base, name="axb1")
        state["servers"]["55555555-2222-4333-8444-555555555555"] = dict(base, name="Grün 東京")
        state["nova"]["max_limit"] = 1
    c.set(edit=names)
    y = entry(c.url)
    s.match("find upper case", "find " + UUID, s.run(y, "find", UUID.upper()))
    s.match("find name", "find " + UUID, s.run(y, "find", "w3w1"))
    s.match("find regex name", "find 33333333", s.run(y, "find", "a.b[1]"))
    s.match("find UTF-8 name", "find 55555555", s.run(y, "find", "Grün 東京"))
    out = s.run(y, "find", "twin")
    s.match("find twins", "find error status=1 .*several .*(1{8}.*2{8}|2{8}.*1{8}).*give the UUID",
            out)
    s.match("find none", "find error status=1 .*no instance named nobody", s.run(y, "find",
                                                                                "nobody"))
    s.match("find part of a name", "no instance named w3", s.run(y, "find", "w3"))
    s.match("find damaged UUID", "status=1 .*not a whole UUID", s.run(y, "find", UUID[:-1]))
    s.match("find damaged UUID 2", "status=1 .*not a whole UUID", s.run(y, "find",
                                                                        "g" + UUID[1:]))
    s.match("find unknown UUID", "status=1 http=404 no instance 9999", s.run(
        y, "find", "99999999-0455-43a7-8bca-179b99521a47"))
    demo = y.replace("username: admin", "username: demo").replace("project_name: admin",
                                                                "project_name: demo")
    s.match("find name, not admin", "status=1 http=403 .*needs admin; give the UUID", s.run(
        demo, "find", "w3w1"))


def group_read(s, c):
    y = entry(c.url)

    def many(state):
        state["nova"]["max_limit"] = 2
        first = state["migrations"]["7"]
        for i in range(8, 14):
            state["migrations"][str(i)] = dict(
                first, uuid="00000000-0000-4000-8000-%012d" % i, status="completed",
                source_compute="cmp-%d" % i, created_at="now-%ds" % (20000 + i),
                updated_at="now-19000s")
    c.set(edit=many)
    out = s.run(y, "read", UUID, "63")
    s.match("paging", "read bits=63 .*migrations=7 .*\nserver.*\nmigration id=7 ", out)

    def too_many(state):
        first = state["migrations"]["7"]
        for i in range(8, 300):
            state["migrations"][str(i)] = dict(
                first, uuid="00000000-0000-4000-8000-%012d" % i, status="completed",
                created_at="now-%ds" % (20000 + i))
    c.set(edit=too_many)
    s.match("too many records", "read bits=.*migrations=256 many=1", s.run(y, "read", UUID, "63"))

    def later(state):
        state["actions"]["req-00000000-0000-4000-8000-00000000000a"] = {
            "action": "rebuild", "instance_uuid": UUID, "start_time": "now-60s",
            "events": [{"event": "compute_rebuild_instance", "host": "cmp-x",
                        "start_time": "now-60s", "finish_time": None, "result": None},
                       {"event": "conductor_rebuild", "host": "ctl-1", "start_time": "now-60s",
                        "finish_time": None, "result": None}]}
    c.set(edit=later)
    out = s.run(y, "read", UUID, "63")
    hosts = sorted(re.findall("event_host (.*)", out))
    s.check("event hosts", hosts == ["cmp-a", "cmp-b", "cmp-x"], out)

    c.set([{"path": "/os-instance-actions/", "remove": ["/instanceAction/events/0/host"]}])
    s.match("hidden event host", "hidden=1", s.run(y, "read", UUID, "63"))

    def hide(state):
        state["servers"][UUID]["hide"] = ["OS-EXT-SRV-ATTR:.*"]
    c.set(edit=hide)
    s.match("hidden host fields", "read bits=63(.|\n)*visible=0", s.run(y, "read", UUID, "63"))

    def cell(state):
        state["nova"]["down_cells"] = ["cell1"]
        state["servers"][UUID]["cell"] = "cell1"
    c.set(edit=cell)
    s.match("down cell", "server .*status=UNKNOWN .*down=1", s.run(y, "read", UUID, "1"))
    s.match("name with a down cell", "find error status=4 .*cell does not answer",
            s.run(y, "find", "w3w1"))

    def queued(state):
        first = state["migrations"]["7"]
        first["status"] = "queued"
        state["servers"][OTHER] = dict(state["servers"][UUID], name="o")
        state["migrations"]["8"] = dict(first, uuid="00000000-0000-4000-8000-000000000008",
                                        instance_uuid=OTHER, status="running",
                                        created_at="now-90000s")
    c.set(edit=queued)
    s.match("queued behind", "read bits=63 .*queued=2", s.run(y, "read", UUID, "63"))

    def no_list(state):
        state["migrations"]["7"]["status"] = "running (post-copy)"
    c.set(edit=no_list)
    s.match("post-copy hidden from the list", "read bits=63 .*mem=-1(.|\n)*post-copy",
            s.run(y, "read", UUID, "63"))
    c.set([{"path": "/servers/[^/]+/migrations$", "status": 404,
            "body": {"itemNotFound": {"code": 404, "message": "x"}}}])
    s.match("404 of the list", "read bits=63 ", s.run(y, "read", UUID, "63"))
    c.set([{"path": "/os-services", "status": 403, "headers": {"X-Compute-Request-Id": "req-x"},
            "body": {"forbidden": {"code": 403, "message": "Policy says no"}}}])
    out = s.run(y, "read", UUID, "63")
    s.match("one part forbidden", r"read error status=1 http=403 GET /v2.1/os-services: 403 .*"
            r"Policy says no.*\[req-.*\]\nread bits=55 ", out)


def group_timing(s, c):
    c.set([{"path": "/v2.1/(servers|os-)", "delay_ms": 200}])
    out = s.run(entry(c.url), "read", UUID, "63")
    ms = int(re.search(r"read bits=63 ms=(\d+)", out).group(1))
    s.check("seven reads of 200 ms each take %d ms (two levels)" % ms, 400 <= ms < 620, ms)


def group_hostile(s, c):
    y = entry(c.url)
    server = {"path": "/servers/%s$" % UUID}

    def one(name, pattern, fault, what="1", **env):
        c.set([dict(server, **fault)])
        out = s.run(y, "read", UUID, what, **env)
        s.match(name, pattern, out)

    head = "read error status=4 .*GET /v2.1/servers/.*"
    one("html", head + "HTML", {"html": True})
    one("html 502", head + "502 Bad Gateway.*HTML", {"html": True, "status": 502})
    one("giant", head + "larger than allowed", {"giant": {"bytes": 40000000}})
    one("giant without length", head + "larger than allowed",
        {"giant": {"bytes": 1000000000, "no_length": True}})
    one("deep", head + "nested deeper", {"deep": 100000})
    one("not an object", head + "no JSON object", {"raw": "[]"})
    one("empty", head + "not valid JSON", {"raw": ""})
    one("NUL", head + "not valid JSON", {"raw": '{"server": {"id": "a\\u0000b"}}'})
    one("duplicate key", head + "duplicate", {"duplicate": [
        {"path": "/server/OS-EXT-SRV-ATTR:host", "value": "cmp-z"}]})
    one("bad UTF-8", head + "not valid JSON", {"invalid_utf8": ["/server/name"]})
    one("wrong type vm_state", head + "vm_state: a text", {"set": {
        "/server/OS-EXT-STS:vm_state": 1}})
    one("wrong type task_state", head + "task_state: a text", {"set": {
        "/server/OS-EXT-STS:task_state": []}})
    one("missing task_state", head + "task_state: is missing", {"remove": [
        "/server/OS-EXT-STS:task_state"]})
    one("wrong type host", head + "host: a text", {"set": {
        "/server/OS-EXT-SRV-ATTR:host": {"a": 1}}})
    one("host of 300 bytes", head + "too long", {"set": {
        "/server/OS-EXT-SRV-ATTR:host": "h" * 300}})
    one("host with escape", head + "control character", {"set": {
        "/server/OS-EXT-SRV-ATTR:host": "a\u001b[2J"}})
    one("other id", head + "another instance", {"set": {"/server/id": OTHER}})
    one("bad time", head + "updated: is not a time", {"set": {"/server/updated": "yesterday"}})
    one("progress a float", head + "progress: a count", {"set": {"/server/progress": 1.5}})
    one("huge integer", head, {"raw": '{"server": {"progress": 99999999999999999999999}}'})
    one("truncated", head + "broke", {"truncate": 100})
    one("stall", head + "no whole reply .* after 1[0-9]{3} ms",
        {"stall": {"after_bytes": 20, "for_s": 5}}, DRIVE_TIMEOUT_MS=1500)
    one("stall in head", head + "no whole reply", {"stall": {"in_head": True, "for_s": 5}},
        DRIVE_TIMEOUT_MS=1000)
    one("redirect", head + "302 Found.*elsewhere.*not followed", {"redirect": {
        "status": 302, "location": "http://elsewhere.invalid/"}})
    one("406", head + "406 Not Acceptable.*version", {"status": 406, "body": {
        "computeFault": {"code": 406, "message": "Version 2.84 is not supported"}}})
    one("413", head + "413", {"status": 413, "body": "{}"})
    one("message with escapes", head + r"409 Conflict.*a\?\[2Jb", {"status": 409, "body": {
        "conflictingRequest": {"message": "a\u001b[2Jb"}}})
    one("version header gone", head + "version", {"drop_headers": [
        "OpenStack-API-Version", "X-OpenStack-Nova-API-Version"]})
    one("another version", head + "version", {"headers": {
        "OpenStack-API-Version": "compute 2.1"}})
    one("long name is shortened", r"name=n{100,}\.\.\. ", {"set": {"/server/name": "n" * 400}})
    one("close once", "read bits=1 ", {"close": "before", "count": 1})
    one("close always", head + "broke", {"close": "before"})
    one("500 once", "read bits=1 ", {"status": 500, "count": 1, "body": "{}"})
    one("500 always", head + "500 Internal", {"status": 500, "body": "{}"})
    s.check("500 asked three times", len(c.requests(path="/servers/")) == 3)
    one("no retries", head + "500 Internal", {"status": 500, "body": "{}"}, DRIVE_RETRIES=-1)
    s.check("500 asked once", len(c.requests(path="/servers/")) == 1)

    c.set([{"path": "/os-migrations", "set": {"/migrations/0/instance_uuid": OTHER}}])
    s.match("foreign record", "another instance", s.run(y, "read", UUID, "2"))
    record = c.base["migrations"]["7"]["uuid"]
    c.set([{"path": "/os-migrations", "set": {"/migrations_links": [
        {"rel": "next", "href": "http://evil.invalid/x?marker=%s" % record}]}}])
    out = s.run(y, "read", UUID, "2")
    asked = [x["query"] for x in c.requests(path="os-migrations")]
    s.check("links are not followed, markers are; loops end",
            "same page" in out and len(asked) == 2 and "marker=" + record in asked[1], (out, asked))
    c.set([{"path": "/os-migrations", "set": {"/migrations_links": [{"rel": "next"}]}}])
    s.match("next without a marker", "no marker", s.run(y, "read", UUID, "2"))


def group_retry(s, c):
    y = entry(c.url)
    c.set([{"path": "/servers/", "status": 429, "retry_after": 1, "count": 1}])
    begin = time.monotonic()
    s.match("429 with Retry-After 1", "read bits=1 ", s.run(y, "read", UUID, "1"))
    s.check("it was waited for", time.monotonic() - begin >= 1)
    c.set([{"path": "/servers/", "status": 429, "retry_after": 3600}])
    begin = time.monotonic()
    s.match("429 with Retry-After 3600", "429 .*Retry-After 3600", s.run(y, "read", UUID, "1"))
    s.check("it was not waited for", time.monotonic() - begin < 2)
    s.check("nor asked again", len(c.requests(path="/servers/")) == 1)


def group_401(s, c):
    y = entry(c.url)
    c.set([{"path": "/os-services", "revoke_tokens": True, "count": 1}])
    s.match("401 mid-run", "read bits=8 (.|\n)*read bits=63 ", s.run(
        y, "read", UUID, "8", "read", UUID, "63"))
    s.check("authenticated twice", len(c.requests("POST", "/auth/tokens")) == 2)
    c.set([{"path": "/servers/", "status": 401, "body": {
        "error": {"code": 401, "title": "Unauthorized", "message": "again"}}}])
    out = s.run(y, "read", UUID, "1", "read", UUID, "1")
    s.match("401 for ever", "read error status=1 http=401 .*a new token was refused as well", out)
    s.check("authenticated once more only", len(c.requests("POST", "/auth/tokens")) == 2,
            c.requests("POST"))
    c.set(edit=lambda st: st.update({"token": {"lifetime_s": 60}}))
    s.match("renew: too short", "renew error status=1 .*a token lives", s.run(y, "renew", "600"))
    c.set()
    s.match("renew: long enough", "renew ok", s.run(y, "renew", "600"))
    s.check("renew asked nothing", len(c.requests("POST", "/auth/tokens")) == 1)


def group_reset(s, c):
    y = entry(c.url)
    post = {"method": "POST", "path": "/action$"}

    def one(name, pattern, fault=None, sent=1, step="reset", **env):
        c.set([dict(post, **fault)] if fault else [])
        out = s.run(y, step, UUID, **env)
        s.match("reset: " + name, pattern, out)
        s.match("reset: %s: the permit is void" % name, "again outcome=NOT_APPLIED http=0 minted=0",
                out)
        end = time.monotonic() + 5  # the stand-in logs a request when it answers it
        while len(c.requests("POST", "/action$")) < sent and time.monotonic() < end:
            time.sleep(0.1)
        count = len(c.requests("POST", "/action$"))
        s.check("reset: %s: sent %d times" % (name, sent), count == sent, count)

    one("202", "reset outcome=DONE http=202 minted=0 id=req-")
    one("not spent", "reset outcome=NOT_APPLIED http=0", sent=0, step="unspent")
    for code in (400, 401, 403, 404, 406, 409, 413, 429):
        one(str(code), "reset outcome=NOT_APPLIED http=%d minted=0 id=req" % code,
            {"status": code, "body": {"x": {"message": "no"}},
             "headers": {"X-Compute-Request-Id": "req-x"}})
    for code in (200, 204, 500, 502, 503, 504):
        one(str(code), "reset outcome=UNKNOWN http=%d " % code, {"status": code, "body": {}})
    one("302", "reset outcome=UNKNOWN http=302 .*elsewhere", {"redirect": {
        "status": 302, "location": "http://elsewhere.invalid/"}})
    one("500 but executed", "reset outcome=UNKNOWN http=500", {"execute": True, "status": 500})
    one("close before", "reset outcome=UNKNOWN http=0 ", {"close": "before"})
    one("close after", "reset outcome=UNKNOWN http=0 ", {"close": "after"})
    one("TCP reset", "reset outcome=UNKNOWN http=0 ", {"close": "reset"})
    one("stall", "reset outcome=UNKNOWN http=0 .*no whole reply",
        {"stall": {"in_head": True, "for_s": 4}}, DRIVE_TIMEOUT_MS=1000)
    one("slow", "reset outcome=UNKNOWN http=0 .*no whole reply", {"delay_ms": 3000},
        DRIVE_TIMEOUT_MS=1000)
    one("slow reply", "reset outcome=UNKNOWN http=0 ", {"delay_reply_ms": 3000},
        DRIVE_TIMEOUT_MS=1000)
    one("202 cut off", "reset outcome=UNKNOWN http=202 .*status 202 was seen",
        {"execute": True, "status": 202, "body": {"a": "b"}, "content_length": 10})
    c.set()
    s.run(y, "read", UUID, "63", "reset", UUID)
    posts = c.requests("POST", "/action$")
    others = {x["connection"] for x in c.requests("GET")}
    s.check("reset: a connection of its own", posts[0]["connection"] not in others)
    s.check("reset: the body", posts[0]["body"] == {"os-resetState": {"state": "active"}}, posts)


def group_neighbours(s, c):
    """Placement, Neutron and Cinder: what is asked, in which version, of which endpoint."""
    y = entry(c.url)
    migration = "00000000-0000-4000-8000-0000000000aa"
    volume = "00000000-0000-4000-8000-0000000000bb"
    one, two = ("00000000-0000-4000-8000-0000000000c%d" % i for i in (1, 2))
    steps = ("allocations", UUID, "ports", UUID, "attachments", UUID)

    def full(state):
        state["providers"] = {"numa0": {"root": "cmp-a"}, "pool": {}}
        state["allocations"] = {UUID: {"cmp-b": {"VCPU": 2, "MEMORY_MB": 64}, "numa0": {"PCPU": 1},
                                       "pool": {"DISK_GB": 9}}}
        state["ports"] = {migration: {"device_id": UUID, "bindings": {
            "cmp-a": "ACTIVE", "cmp-b": "INACTIVE"}}}
        state["volumes"] = {volume: {"attachments": {
            one: {"instance": UUID, "host": "cmp-a"},
            two: {"instance": UUID, "host": "cmp-b", "status": "attaching"}}}}
    c.set(edit=full)
    out = s.run(y, *steps, DRIVE_RUN=RUN)
    s.match("allocations", "allocations read=1 named=1 holdings=3 http=0 \n", out)
    for line in ("holding of=cmp-b nested=0 compute=1 MEMORY_MB=64, VCPU=2",
                 "holding of=cmp-a nested=1 compute=1 PCPU=1",
                 "holding of=pool nested=0 compute=0 DISK_GB=9"):
        s.check(line, line + "\n" in out, out)
    s.match("ports", "ports read=1 ports=1 http=0 url=%s/networking/v2.0 \n"
            "port host=cmp-a state=2 cmp-a:ACTIVE cmp-b:INACTIVE \n" % c.url, out)
    s.match("attachments", "attachments read=1 attachments=2 http=0 \nattachment attached host=cmp-a "
            "\nattachment attaching host= \n", out)
    asked = c.requests(path="^/(placement|networking|volume)")
    s.check("reads only", {x["method"] for x in asked} == {"GET"}, asked)
    s.check("run id sent", {x["headers"].get("X-OpenStack-Request-ID") for x in asked}
            == {"req-" + RUN}, asked)
    versions = {(x["path"].split("/")[1], x["headers"].get("OpenStack-API-Version"),
                 x["headers"].get("X-OpenStack-Nova-API-Version")) for x in asked}
    s.check("versions asked for", versions == {("placement", "placement 1.28", None),
                                               ("networking", None, None),
                                               ("volume", "volume 3.27", None)}, versions)
    s.check("a provider is asked for once", len(c.requests(path="/resource_providers/")) == 4,
            c.requests(path="/resource_providers/"))

    for kind, tail, step, pattern in (
            ("placement", "/placement/", "allocations", "allocations read=1"),
            ("network", "/networking", "ports", "ports read=1"),
            ("network", "/networking/", "ports", "ports read=1"),
            ("network", "/networking/v2.0", "ports", "ports read=1"),
            ("network", "/networking/v2.0/", "ports", "ports read=1"),
            ("block_storage", "/volume", "attachments", "attachments read=1"),
            ("volume", "/volume/v3", "attachments", "attachments read=1"),
            ("block_storage", "/volume/v3/%s" % PROJECT, "attachments", "attachments read=1")):
        c.set(edit=lambda state: state.update(absent_services=["placement", "network", "volumev3"]))
        out = s.run(entry(c.url, extra="    %s_endpoint_override: %s%s\n" % (kind, c.url, tail)),
                    step, UUID)
        s.match("%s_endpoint_override %r" % (kind, tail), pattern, out)

    def catalog(*types):
        def edit(state):
            state["catalog"] = [{"type": t, "id": t, "name": t, "endpoints": [
                {"id": t + u, "interface": "public", "region": "R", "region_id": "R", "url": u}
                for u in urls]} for t, urls in types]
        return edit
    nova = ("compute", ["{base}/v2.1"])
    c.set(edit=catalog(nova, ("block-storage", ["{base}/volume/v3"])))
    out = s.run(y, *steps)
    s.match("block-storage in the catalog", "attachments read=1", out)
    s.match("no placement in the catalog", "allocations read=0 .*no placement endpoint of interface "
            "public", out)
    s.match("no network in the catalog", "ports read=0 ports=0 http=0 url= .*no network endpoint", out)
    s.check("and nothing was asked", not c.requests(path="^/(placement|networking)"), c.requests())
    c.set(edit=catalog(nova, ("placement", ["{base}/placement", "{base}/other"]),
                       ("network", ["ftp://x/"])))
    out = s.run(y, *steps)
    s.match("two endpoints", "allocations read=0 .*more than one placement endpoint in region R; set "
            "placement_endpoint_override", out)
    s.match("an endpoint of another kind", "ports read=0 .*no plain http or https URL; set "
            "network_endpoint_override", out)

    c.set([{"path": "/allocations/", "revoke_tokens": True, "count": 1}])
    out = s.run(y, *steps)
    s.match("token revoked", "allocations read=1(.|\n)*ports read=1(.|\n)*attachments read=1", out)
    s.check("one new token", len(c.requests("POST", "/auth/tokens")) == 2, c.requests("POST"))

    def pages(state):
        state["network"] = {"pagination_max_limit": 2}
        state["ports"] = {"00000000-0000-4000-8000-%012d" % i: {
            "device_id": UUID, "bindings": {"cmp-a": "ACTIVE"}} for i in range(5)}
    c.set(edit=pages)
    s.match("ports in pages", "ports read=1 ports=5", s.run(y, "ports", UUID))
    c.set([{"path": "/ports$", "set": {"/ports_links": [
        {"rel": "next", "href": "http://elsewhere/v2.0/ports?marker=%s" % one}]}}], edit=pages)
    out = s.run(y, "ports", UUID)
    s.match("the next page is asked of the same endpoint", "ports read=[01] ", out)
    s.match("a list without an end", "more than (64|64 pages)|could not|marker", out)


def group_reset_unreachable(s, folder):
    """The API goes away between opening and the reset."""
    c = Cloud(folder, "gone")
    path = os.path.join(folder, "gone.yaml")
    with open(path, "w", encoding="utf-8") as out:
        out.write(entry(c.url))
    env = {k: v for k, v in os.environ.items() if not k.startswith("OS_")}
    env["OS_CLIENT_CONFIG_FILE"] = path
    child = subprocess.Popen([s.drive, "read", UUID, "1", "sleep", "2500", "reset", UUID], env=env,
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    child.stdout.readline()
    time.sleep(0.5)
    c.end()
    out = child.communicate(timeout=30)[0]
    s.match("reset: API gone: nothing sent", "reset outcome=NOT_APPLIED http=0 .*nothing was sent: "
            ".*no connection to", out)


def group_tls(s, folder):
    def openssl(*args):
        subprocess.run(["openssl", *args], check=True, cwd=folder, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)

    def ca(name):
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", name + ".key", "-out",
                name + ".pem", "-days", "30", "-subj", "/CN=" + name)

    def leaf(name, dns, days):
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", name + ".key", "-out",
                name + ".csr", "-subj", "/CN=" + name)
        with open(os.path.join(folder, name + ".ext"), "w", encoding="utf-8") as out:
            out.write("subjectAltName=" + dns + "\n")
        openssl("x509", "-req", "-in", name + ".csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                "-CAcreateserial", "-out", name + ".pem", "-days", str(days), "-extfile",
                name + ".ext")

    ca("ca")
    ca("foreign")
    leaf("good", "IP:127.0.0.1", 30)
    leaf("named", "DNS:api.example.org", 30)
    leaf("expired", "IP:127.0.0.1", -1)
    join = lambda name: os.path.join(folder, name)
    clouds = {}
    for name in ("good", "named", "expired"):
        clouds[name] = Cloud(folder, "tls-" + name, "--tls-cert", join(name + ".pem"), "--tls-key",
                             join(name + ".key"))
    with_ca = "    cacert: %s\n" % join("ca.pem")
    foreign = "    cacert: %s\n" % join("foreign.pem")
    try:
        url = clouds["good"].url
        s.match("TLS good", "open max=93", s.run(entry(url, extra=with_ca)))
        s.check("TLS: no warning about plain http", "plain http" not in s.err, s.err)
        s.match("TLS reset", "outcome=DONE", s.run(entry(url, extra=with_ca), "reset", UUID))
        s.match("TLS wrong CA", "open error status=4 .*not signed by an accepted CA.*cacert",
                s.run(entry(url, extra=foreign)))
        s.match("TLS system CAs", "not signed by an accepted CA", s.run(entry(url)))
        s.match("TLS wrong name", "open error status=4 .*for another name",
                s.run(entry(clouds["named"].url, extra=with_ca)))
        s.match("TLS expired", "open error status=4 .*has expired.*renew",
                s.run(entry(clouds["expired"].url, extra=with_ca)))
        s.match("TLS insecure", "open max=93", s.run(entry(url, extra="    verify: false\n")))
        s.match("TLS insecure is said", "not verified", s.err)
        s.match("TLS missing cacert", "open error status=1 .*cacert: cannot read",
                s.run(entry(url, extra="    cacert: /nonexistent.pem\n")))
        s.match("TLS to a plain port", "open error status=4 .*TLS with",
                s.run(entry("https" + s.plain[4:], extra=with_ca)))
    finally:
        for cloud in clouds.values():
            cloud.end()


def build(folder):
    """The drive program with sanitizers."""
    out = os.path.join(folder, "drive")
    sources = sorted(glob.glob(os.path.join(ROOT, "agent", "openstack", "*.c"))
                     + glob.glob(os.path.join(ROOT, "agent", "http", "*.c"))
                     + glob.glob(os.path.join(ROOT, "agent", "base", "*.c"))
                     + [os.path.join(ROOT, "tests", "unit", "openstack", "drive.c")])
    libs = subprocess.run(["pkg-config", "--cflags", "--libs", "libcurl", "jansson", "yaml-0.1",
                           "uuid", "libcrypto"], check=True, capture_output=True,
                          text=True).stdout.split()
    subprocess.run([os.environ.get("CC", "gcc"), "-std=c11", "-D_GNU_SOURCE", "-g", "-O1",
                    "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined",
                    "-I" + ROOT, *sources, "-o", out, *libs], check=True)
    return out


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("drive", nargs="?")
    parser.add_argument("-k", default="")
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="uw-openstack-")
    drive = os.path.abspath(options.drive) if options.drive else build(folder)
    suite = Suite(drive, folder, options.k)
    cloud = Cloud(folder, "main")
    suite.plain = cloud.url
    try:
        for group in (group_auth, group_endpoint, group_find, group_read, group_timing,
                      group_hostile, group_retry, group_401, group_reset, group_neighbours):
            if options.k in group.__name__:
                group(suite, cloud)
        for group in (group_reset_unreachable, group_tls):
            if options.k in group.__name__:
                group(suite, folder)
    finally:
        cloud.end()
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)
    print("%d passed, %d failed, 0 skipped" % (suite.passed, suite.failed))
    return 1 if suite.failed else 0


if __name__ == "__main__":
    sys.exit(main())
