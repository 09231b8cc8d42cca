"""Nova's compute API: routing, microversions, tokens, error replies."""

import re

from access import authorize, unauthorized
from call import KEYS, NOT_FOUND, Call, version
from reads import (list_actions, list_hypervisors, list_migrations,
                   list_server_migrations, list_servers, list_services,
                   show_action, show_server, show_server_migration)
from wire import HttpError, Reply
from writes import abort_migration, migration_action, server_action

ROUTES = [
    ("GET", r"/servers", lambda c: list_servers(c, False)),
    ("GET", r"/servers/detail", lambda c: list_servers(c, True)),
    ("GET", r"/servers/([^/]+)/migrations", list_server_migrations),
    ("GET", r"/servers/([^/]+)/migrations/([^/]+)", show_server_migration),
    ("DELETE", r"/servers/([^/]+)/migrations/([^/]+)", abort_migration),
    ("POST", r"/servers/([^/]+)/migrations/([^/]+)/action", migration_action),
    ("GET", r"/servers/([^/]+)/os-instance-actions", list_actions),
    ("GET", r"/servers/([^/]+)/os-instance-actions/([^/]+)", show_action),
    ("POST", r"/servers/([^/]+)/action", server_action),
    ("GET", r"/servers/([^/]+)", show_server),
    ("GET", r"/os-migrations", list_migrations),
    ("GET", r"/os-services", list_services),
    ("GET", r"/os-hypervisors/detail", list_hypervisors),
]


def route(call):
    other_method = False
    for method, pattern, function in ROUTES:
        found = re.match("^" + pattern + "$", call.req.path)
        if not found:
            continue
        if method == call.req.method:
            return function(call, *found.groups())
        other_method = True
    if other_method:
        raise HttpError(405, "The method specified is not allowed for this "
                             "resource.")
    raise HttpError(404, NOT_FOUND)


def asked_version(call):
    """The microversion of the request, or HttpError 400 or 406."""
    headers = call.req.headers
    text = None
    for part in (headers.get("OpenStack-API-Version") or "").split(","):
        words = part.strip().split(None, 1)
        if len(words) == 2 and words[0].lower() == "compute":
            text = words[1].strip()
    if text is None:
        text = headers.get("X-OpenStack-Nova-API-Version") or "2.1"
    lowest, highest = call.setting("min", "2.1"), call.setting("max", "2.93")
    if text.lower() == "latest":
        return version(highest)
    found = version(text)
    if found is None:
        raise HttpError(400, "API Version String %s is of invalid format. "
                             "Must be of format MajorNum.MinorNum." % text)
    if not version(lowest) <= found <= version(highest):
        call.mv = found
        raise HttpError(406, "Version %s is not supported by the API. Minimum "
                             "is %s and maximum is %s." % (text, lowest,
                                                           highest))
    return found


def version_headers(mv):
    text = "%d.%d" % mv
    return [("Openstack-Api-Version", "compute " + text),
            ("X-Openstack-Nova-Api-Version", text),
            ("Vary", "OpenStack-API-Version")]


def finish(call, reply):
    reply.request_id = call.request_id
    reply.user_id = (call.token or {}).get("user_id")
    for name in ("X-Openstack-Request-Id", "X-Compute-Request-Id"):
        reply.headers.append((name, call.request_id))
    return reply


def versions_document(call):
    """GET / of Nova: both API versions, with the range of microversions."""
    base = call.req.service_url

    def entry(key, path, status, low, high, updated):
        return {"id": key, "status": status, "version": high,
                "min_version": low, "updated": updated,
                "links": [{"rel": "self", "href": "%s/%s/" % (base, path)}]}

    reply = Reply(200, {"versions": [
        entry("v2.0", "v2", "SUPPORTED", "", "", "2011-01-21T11:33:21Z"),
        entry("v2.1", "v2.1", "CURRENT", call.setting("min", "2.1"),
              call.setting("max", "2.93"), "2013-07-23T11:33:21Z")]})
    reply.headers = [("Content-Type", "application/json")]
    return reply


def version_document(call):
    """GET /v2.1/: no token is needed, the microversion is looked at."""
    try:
        mv = asked_version(call)
    except HttpError as why:
        return error_reply(call, why)
    reply = Reply(200, {"version": {
        "id": "v2.1", "status": "CURRENT",
        "version": call.setting("max", "2.93"),
        "min_version": call.setting("min", "2.1"),
        "updated": "2013-07-23T11:33:21Z",
        "links": [{"rel": "self", "href": call.req.service_url + "/v2.1/"},
                  {"rel": "describedby", "type": "text/html",
                   "href": "http://docs.openstack.org/"}],
        "media-types": [{
            "base": "application/json",
            "type": "application/vnd.openstack.compute+json;version=2.1"}]}})
    reply.headers = [("Content-Type", "application/json")]
    reply.headers += version_headers(mv)
    return finish(call, reply)


def error_reply(call, why):
    reply = Reply(why.status, {KEYS[why.status]: {
        "code": why.status, "message": why.message}})
    if not (why.status == 400 and why.message.startswith("API Version")):
        reply.headers = version_headers(call.mv)
    reply.headers.append(("Content-Type", "application/json; charset=UTF-8"))
    return finish(call, reply)


def strip_version(call):
    """Take /v2.1 (and an old cloud's project id) off the path."""
    path = call.req.path
    found = re.match(r"^/v2(\.1)?(/.*)?$", path)
    if not found:
        return False
    rest = found.group(2) or ""
    pieces = rest.split("/", 2)
    if len(pieces) > 2 and pieces[1] in (call.state.get("projects") or {}):
        rest = "/" + pieces[2]
    call.req.path = rest
    return True


def handle(req, store, tokens):
    """Answer a request to Nova."""
    call = Call(req, store, tokens)
    if req.path in ("", "/"):
        return versions_document(call)
    if not strip_version(call):
        return error_reply(call, HttpError(404, NOT_FOUND))
    if req.path in ("", "/") and req.method in ("GET", "HEAD"):
        return version_document(call)
    try:
        authorize(call, ("compute",), "/v2.1" + call.req.path)
    except HttpError:
        return finish(call, unauthorized(call.req))
    try:
        call.mv = asked_version(call)
        reply = route(call)
    except HttpError as why:
        return error_reply(call, why)
    reply.headers = [("Content-Type", "application/json")]
    reply.headers += version_headers(call.mv)
    return finish(call, reply)
