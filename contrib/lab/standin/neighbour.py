"""What the stand-ins for Placement, Neutron and Cinder have in common."""

import re

from access import authorize, unauthorized
from call import Call
from wire import HttpError, Reply


class Service:
    """One service: its name in access rules, its routes, its error bodies.

    A route is (pattern, function); every one is a GET. The reads of the
    residue report are all there is.
    """

    def __init__(self, types, routes, error, version=None):
        self.types, self.routes, self.error = types, routes, error
        self.version = version          # Version or None

    def handle(self, req, store, tokens):
        call = Call(req, store, tokens)
        try:
            authorize(call, self.types, req.path)
        except HttpError:
            return self.finish(call, unauthorized(req))
        try:
            if self.version:
                call.mv = self.version.asked(req)
            reply = self.route(call)
        except HttpError as why:
            reply = Reply(why.status, self.error(call, why))
        reply.headers = [("Content-Type", "application/json")]
        if self.version:
            reply.headers += self.version.headers(call.mv)
        return self.finish(call, reply)

    def route(self, call):
        for pattern, function in self.routes:
            found = re.match("^" + pattern + "$", call.req.path)
            if not found:
                continue
            if call.req.method != "GET":
                raise HttpError(405, "The method is not allowed for this "
                                     "resource.")
            return function(call, *found.groups())
        raise HttpError(404, "The resource could not be found.")

    @staticmethod
    def finish(call, reply):
        reply.request_id = call.request_id
        reply.user_id = (call.token or {}).get("user_id")
        reply.headers.append(("X-Openstack-Request-Id", call.request_id))
        return reply


class Version:
    """The microversions of a service."""

    def __init__(self, name, lowest, highest):
        self.name, self.lowest, self.highest = name, lowest, highest

    def asked(self, req):
        text = None
        for part in (req.headers.get("OpenStack-API-Version") or "").split(","):
            words = part.strip().split(None, 1)
            if len(words) == 2 and words[0].lower() == self.name:
                text = words[1].strip()
        if text is None:
            return self.lowest
        if text == "latest":
            return self.highest
        found = re.match(r"^(\d+)\.(\d+)$", text)
        version = found and (int(found.group(1)), int(found.group(2)))
        if not version or not self.lowest <= version <= self.highest:
            raise HttpError(406, "Version %s is not supported by the API. "
                                 "Minimum is %d.%d and maximum is %d.%d."
                                 % ((text,) + self.lowest + self.highest))
        return version

    def headers(self, mv):
        return [("OpenStack-API-Version", "%s %d.%d" % ((self.name,) + mv)),
                ("Vary", "OpenStack-API-Version")]


def demand(call, rule, message):
    if not call.allowed(rule):
        raise HttpError(403, message)
