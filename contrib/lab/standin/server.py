"""The HTTP side: connections, the log, and how a reply is sent."""

import email.utils
import hashlib
import http.client
import http.server
import json
import re
import socket
import socketserver
import ssl
import sys
import threading
import time

import faults
import cinder
import keystone
import neutron
import nova
import placement
import state as states
from wire import Reply, Request

LOGGED_HEADERS = ("Accept", "Content-Type", "OpenStack-API-Version",
                  "X-OpenStack-Nova-API-Version", "X-OpenStack-Request-ID",
                  "User-Agent", "Host", "Connection", "Expect")
SECRET_KEYS = ("password", "secret")
NEIGHBOURS = {"placement": placement.SERVICE, "networking": neutron.SERVICE,
              "volume": cinder.SERVICE}


def short_hash(text):
    """Enough to see whether two secrets are the same, no more."""
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()[:12]


def redact(value):
    """A request body without its secrets."""
    if isinstance(value, dict):
        result = {}
        for key, item in value.items():
            if key in SECRET_KEYS and isinstance(item, str):
                result[key] = short_hash(item)
            elif key == "token" and isinstance(item, dict) and "id" in item:
                result[key] = {"id": short_hash(str(item["id"]))}
            else:
                result[key] = redact(item)
        return result
    if isinstance(value, list):
        return [redact(v) for v in value]
    return value


def logged_body(body):
    if not body:
        return None
    try:
        return redact(json.loads(body.decode("utf-8")))
    except ValueError:
        return {"not_json": short_hash(body.decode("latin-1")),
                "length": len(body)}


class Log:
    """One JSON line per request, written before the reply is sent."""

    def __init__(self, path):
        self.lock = threading.Lock()
        self.out = open(path, "a", encoding="utf-8") if path else None
        self.number = 0

    def write(self, entry):
        with self.lock:
            self.number += 1
            line = json.dumps(dict({"n": self.number}, **entry))
            if self.out:
                self.out.write(line + "\n")
                self.out.flush()


class Standin:
    """What all connections share."""

    def __init__(self, store, log):
        self.store = store
        self.log = log
        self.tokens = keystone.Tokens()
        self.counters = faults.Counters()
        self.base = None                # set once the port is known
        self.stopping = threading.Event()

    def answer(self, req):
        """The reply without any fault."""
        found = re.match(r"^/(identity|compute|placement|networking|volume|"
                         r"region/([^/]+))(/.*)?$", req.path)
        if found:
            prefix = "/" + found.group(1)
            req.service_url = req.base + prefix
            req.region = found.group(2)
            req.path = found.group(3) or "/"
            if found.group(1) == "identity":
                return keystone.handle(req, self.store.view(), self.tokens)
            if found.group(1) in NEIGHBOURS:
                return NEIGHBOURS[found.group(1)].handle(req, self.store,
                                                         self.tokens)
            return nova.handle(req, self.store, self.tokens)
        if keystone.is_keystone(req.path):
            return keystone.handle(req, self.store.view(), self.tokens)
        return nova.handle(req, self.store, self.tokens)


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection; the requests on it come one after another."""

    protocol_version = "HTTP/1.1"
    timeout = 300
    standin = None
    tls = None

    def setup(self):
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.tls is not None:
            # Here and not at accept(): a slow client stops only itself.
            self.request.settimeout(30)
            self.request = self.tls.wrap_socket(self.request,
                                                server_side=True)
        http.server.BaseHTTPRequestHandler.setup(self)

    def log_message(self, *unused):
        pass

    def __getattr__(self, name):
        # Whatever the method, Nova and Keystone decide what to say to it.
        if name.startswith("do_"):
            return self.serve
        raise AttributeError(name)

    def read_body(self):
        if "chunked" in (self.headers.get("Transfer-Encoding") or ""):
            return self.read_chunks()
        length = int(self.headers.get("Content-Length") or 0)
        return self.rfile.read(length)

    def read_chunks(self):
        parts = []
        while True:
            size = int(self.rfile.readline().split(b";")[0], 16)
            if size == 0:
                while self.rfile.readline().strip():
                    pass
                return b"".join(parts)
            parts.append(self.rfile.read(size))
            self.rfile.readline()

    def serve(self):
        started = time.monotonic()
        body = self.read_body()
        req = Request(self.command, self.path, self.headers, body,
                      self.standin.base)
        entry = self.new_entry(req)
        try:
            self.serve_request(req, entry)
        except states.StateError as why:
            sys.stderr.write("standin: %s\n" % why)
            self.broken(entry, "stand-in: %s" % why)
        except (BrokenPipeError, ConnectionError, ssl.SSLError):
            self.close_connection = True
        except Exception as why:
            sys.stderr.write("standin: %s %s: %r\n"
                             % (req.method, req.target, why))
            self.broken(entry, "stand-in: %r" % why)
            raise
        finally:
            self.last_ms = int((time.monotonic() - started) * 1000)

    def broken(self, entry, message):
        """The stand-in itself failed: never to be taken for Nova's word."""
        reply = Reply(599, {"standin_error": message})
        reply.headers = [("Content-Type", "application/json")]
        self.close_connection = True
        self.note(entry, reply, "standin-error")
        try:
            self.send(reply, {}, None)
        except OSError:
            pass

    def new_entry(self, req):
        token = self.headers.get("X-Auth-Token")
        headers = {name: self.headers[name] for name in LOGGED_HEADERS
                   if self.headers.get(name) is not None}
        if token:
            headers["X-Auth-Token"] = short_hash(token)
        return {"time": states.stamp(states.datetime.datetime.now(states.UTC)),
                "method": req.method, "path": req.path,
                "query": req.raw_query, "headers": headers,
                "body": logged_body(req.body),
                "connection": "%s:%d" % self.client_address[:2]}

    def note(self, entry, reply, fault):
        """Write the log line; status null when nothing will be sent."""
        entry = dict(entry)
        entry["status"] = reply.status if reply else None
        entry["request_id"] = reply.request_id if reply else None
        entry["user_id"] = reply.user_id if reply else None
        entry["fault"] = fault
        self.standin.log.write(entry)

    def serve_request(self, req, entry):
        standin = self.standin
        chosen = faults.choose(standin.store.view(), req, standin.counters)
        name, steps = chosen or (None, {})
        self.pause(steps.get("delay_ms"))
        if steps.get("revoke_tokens"):
            standin.tokens.revoke()
        if "patch_before" in steps:
            standin.store.patch(steps["patch_before"])
        if steps.get("close") in ("before", "reset"):
            self.note(entry, None, name)
            self.after(steps)
            self.hang_up(hard=steps["close"] == "reset")
            return
        reply = faults.canned_reply(req, steps) if faults.is_canned(steps) \
            else standin.answer(req)
        # The reply's Date is of now, not of after a delay.
        reply.set_header("Date", self.date())
        faults.change_reply(reply, steps)
        self.after(steps)
        lost = steps.get("close") == "after"
        self.note(entry, None if lost else reply, name)
        self.pause(steps.get("delay_reply_ms"))
        if lost:
            self.hang_up()
            return
        self.send(reply, steps, req)

    def after(self, steps):
        """Scripted changes that come after the reply was made."""
        if "patch" in steps:
            self.standin.store.patch(steps["patch"])

    def date(self):
        moment = states.now(self.standin.store.view())
        return email.utils.format_datetime(moment, usegmt=True)

    def pause(self, milliseconds):
        if milliseconds:
            self.standin.stopping.wait(milliseconds / 1000.0)

    def hang_up(self, hard=False):
        """Close without a reply; `hard` sends a reset instead of an end."""
        self.close_connection = True
        if hard:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                       b"\x01\0\0\0\0\0\0\0")
            self.connection.close()
            return
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def send(self, reply, steps, req):
        """Send the reply as the steps want it sent."""
        if "giant" in steps:
            self.send_giant(reply, steps["giant"])
            return
        body = b"" if req is not None and req.method == "HEAD" else reply.body
        length = len(reply.body) + steps.get("content_length", 0)
        chunked = steps.get("chunked")
        head = self.head(reply, None if chunked else length, bool(chunked))
        if chunked:
            body = b"".join(b"%x\r\n%s\r\n" % (len(part), part)
                            for part in in_parts(body, 100)) + b"0\r\n\r\n"
        cut = None
        if "truncate" in steps:
            cut = min(steps["truncate"], len(body))
        if "stall" in steps:
            self.stall(head, body, steps["stall"])
            return
        self.wfile.write(head + (body if cut is None else body[:cut]))
        self.wfile.flush()
        if cut is not None or "content_length" in steps:
            self.hang_up()

    def stall(self, head, body, rule):
        """Send a part, wait, then end or go on."""
        whole = head + body
        cut = rule.get("in_head")
        if cut is None:
            cut = len(head) + min(rule.get("after_bytes", len(body) // 2),
                                  len(body))
        self.wfile.write(whole[:cut])
        self.wfile.flush()
        self.standin.stopping.wait(rule.get("for_s", 3600))
        if rule.get("then") == "continue":
            self.wfile.write(whole[cut:])
            self.wfile.flush()
        else:
            self.hang_up()

    def send_giant(self, reply, rule):
        """Stream one JSON string of as many bytes as are asked for."""
        total = rule if isinstance(rule, int) else rule["bytes"]
        start, end = b'{"server": {"name": "', b'"}}'
        fill = max(0, total - len(start) - len(end))
        known = not (isinstance(rule, dict) and rule.get("no_length"))
        if not known:
            self.close_connection = True
        self.wfile.write(self.head(reply, total if known else None, False))
        self.wfile.write(start)
        block = b"x" * 65536
        while fill > 0 and not self.standin.stopping.is_set():
            self.wfile.write(block[:min(fill, len(block))])
            fill -= len(block)
        self.wfile.write(end)
        self.wfile.flush()

    def head(self, reply, length, chunked):
        reason = http.client.responses.get(reply.status, "Unknown")
        lines = ["HTTP/1.1 %d %s" % (reply.status, reason)]
        has_length = reply.header("Content-Length") is not None
        if length is not None and reply.status != 204 and not has_length:
            lines.append("Content-Length: %d" % length)
        if chunked:
            lines.append("Transfer-Encoding: chunked")
        lines += ["%s: %s" % pair for pair in reply.headers]
        lines.append("Connection: %s" % ("close" if self.close_connection
                                         else "keep-alive"))
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def in_parts(data, size):
    return [data[i:i + size] for i in range(0, len(data), size)]


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def server_bind(self):
        """Bind without the name look-up of the base class: it can hang."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]

    def handle_error(self, request, client_address):
        """Connections that end early are the client's affair."""
        kind = sys.exc_info()[0]
        if kind is not None and not issubclass(kind, OSError):
            http.server.ThreadingHTTPServer.handle_error(
                self, request, client_address)


class Server6(Server):
    address_family = socket.AF_INET6


def make_server(standin, address, port, tls_context=None):
    """A server bound to address:port (0 = any free one), not yet serving."""
    handler = type("BoundHandler", (Handler,),
                   {"standin": standin, "tls": tls_context})
    kind = Server6 if ":" in address else Server
    server = kind((address, port), handler)
    host = "[%s]" % address if ":" in address else address
    standin.base = "%s://%s:%d" % ("https" if tls_context else "http", host,
                                   server.server_address[1])
    return server


def tls_context(cert, key, client_ca=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    if client_ca:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(client_ca)
    return context
