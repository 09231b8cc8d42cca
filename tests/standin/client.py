"""Starts stand-ins for the checks and talks to them."""

import contextlib
import http.client
import importlib.machinery
import importlib.util
import io
import json
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PROGRAMS = os.path.join(ROOT, "contrib", "lab", "standin")
RECORDED = os.path.join(ROOT, "tests", "recorded", "nova")
UUID = "9bc95bd6-0455-43a7-8bca-179b99521a47"
PROJECT = "6636f25326c0481295733f4a88dfa621"
ADMIN = "3483e26294d54a6c90ec0e8dbceb343c"

sys.dont_write_bytecode = True
sys.path.insert(0, PROGRAMS)


def load_program(name):
    """A program without a suffix, as a module."""
    loader = importlib.machinery.SourceFileLoader(
        name, os.path.join(PROGRAMS, name))
    spec = importlib.util.spec_from_loader(name, loader)
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


HELPER = load_program("scenario")


def scenario(*words):
    """Run the scenario helper; its output, or an exception with its word."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            HELPER.main(list(words))
        except SystemExit as why:
            raise RuntimeError("%s %s" % (why, err.getvalue()))
    return out.getvalue()


def by_password(user="admin", project="admin", password="secret", **more):
    auth = {"identity": {"methods": ["password"], "password": {"user": {
        "name": user, "domain": {"name": "Default"}, "password": password}}}}
    if project:
        auth["scope"] = {"project": {"name": project,
                                     "domain": {"id": "default"}}}
    auth.update(more)
    return {"auth": auth}


class Answer:
    def __init__(self, status, reason, headers, raw):
        self.status, self.reason, self.raw = status, reason, raw
        self.headers = headers

    def header(self, name):
        for key, value in self.headers:
            if key.lower() == name.lower():
                return value
        return None

    def json(self):
        return json.loads(self.raw) if self.raw else None


class Standin:
    """One running stand-in with its state, log and ready file."""

    def __init__(self, state=None, arguments=()):
        self.folder = tempfile.TemporaryDirectory(prefix="standin-check-")
        self.state_file = self.path("state.json")
        self.log_file = self.path("requests.log")
        self.tls = None
        self.token = None
        if state is not None:
            self.write(state)
        self.arguments = list(arguments)
        self.process = None

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def write(self, state):
        with open(self.path("new"), "w", encoding="utf-8") as out:
            json.dump(state, out)
        os.replace(self.path("new"), self.state_file)

    def read(self):
        with open(self.state_file, encoding="utf-8") as source:
            return json.load(source)

    def scenario(self, name, *words):
        scenario("write", name, "--out", self.state_file, *words)
        return self

    def start(self):
        ready = self.path("ready.json")
        self.process = subprocess.Popen(
            [sys.executable, os.path.join(PROGRAMS, "standin"), "--state",
             self.state_file, "--log", self.log_file, "--ready", ready,
             "--watch-pid", str(os.getpid())] + self.arguments,
            stderr=open(self.path("stderr"), "w"))
        end = time.monotonic() + 20
        while not os.path.exists(ready):
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError("the stand-in did not start: "
                                   + self.stderr())
            time.sleep(0.01)
        with open(ready, encoding="utf-8") as source:
            self.ready = json.load(source)
        self.port, self.base = self.ready["port"], self.ready["base"]
        return self

    def stderr(self):
        with open(self.path("stderr"), encoding="utf-8") as source:
            return source.read()

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(10)
        code = self.process.returncode if self.process else None
        self.folder.cleanup()
        return code

    def connect(self, timeout=10):
        if self.tls:
            return http.client.HTTPSConnection(
                "127.0.0.1", self.port, timeout=timeout,
                context=ssl.create_default_context(cafile=self.tls))
        return http.client.HTTPConnection("127.0.0.1", self.port,
                                          timeout=timeout)

    def ask(self, method, path, body=None, headers=None, connection=None,
            timeout=10):
        """One request, sent exactly as given."""
        link = connection or self.connect(timeout)
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
        link.request(method, path, body, headers or {})
        reply = link.getresponse()
        answer = Answer(reply.status, reply.reason, reply.getheaders(),
                        reply.read())
        if connection is None:
            link.close()
        return answer

    def login(self, body=None, path="/v3/auth/tokens"):
        answer = self.ask("POST", path, body or by_password(),
                          {"Content-Type": "application/json"})
        if answer.status != 201:
            raise RuntimeError("no token: %d %s" % (answer.status,
                                                    answer.raw))
        self.token = answer.header("X-Subject-Token")
        return answer

    def nova(self, method, path, body=None, version="2.93", root="/v2.1",
             **more):
        """A call to Nova with a token and a microversion."""
        if self.token is None:
            self.login()
        headers = {"X-Auth-Token": self.token, "Accept": "application/json",
                   "OpenStack-API-Version": "compute " + version}
        if body is not None:
            headers["Content-Type"] = "application/json"
        return self.ask(method, root + path, body, headers, **more)

    def get(self, path, **more):
        return self.nova("GET", path, **more).json()

    def reset(self, key=UUID, state="active", **more):
        return self.nova("POST", "/servers/%s/action" % key,
                         {"os-resetState": {"state": state}}, **more)

    def log(self, **wanted):
        """The lines of the log whose fields are as wanted."""
        with open(self.log_file, encoding="utf-8") as source:
            lines = [json.loads(line) for line in source]
        return [e for e in lines
                if all(e[k] == v for k, v in wanted.items())]

    def raw(self, path, headers=(), timeout=10):
        """The bytes of the reply to a GET, up to the end of the connection."""
        link = socket.create_connection(("127.0.0.1", self.port), timeout)
        lines = ["GET %s HTTP/1.1" % path, "Host: standin",
                 "Connection: close"] + list(headers)
        link.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        data = b""
        try:
            while True:
                part = link.recv(65536)
                if not part:
                    return data
                data += part
        finally:
            link.close()


class Case(unittest.TestCase):
    """Checks that share one process; each has a state and a log of its own."""

    maxDiff = None
    shared = None

    @classmethod
    def tearDownClass(cls):
        if cls.shared is not None:
            cls.shared.stop()
            cls.shared = None

    def standin(self, name="wedged-failed", *words):
        """The process of the class in the state of a scenario."""
        # Another epoch makes the counts of fault rules begin anew.
        epoch = json.dumps({"epoch": "%s %d" % (self.id(),
                                                time.monotonic_ns())})
        words += ("--patch", epoch)
        cls = type(self)
        if cls.shared is None:
            cls.shared = Standin().scenario(name, *words).start()
        else:
            cls.shared.scenario(name, *words)
        os.truncate(cls.shared.log_file, 0)
        cls.shared.token = None
        return cls.shared

    def fresh(self, name="wedged-failed", *words):
        """A process of its own."""
        one = Standin().scenario(name, *words)
        self.addCleanup(one.stop)
        return one.start()
