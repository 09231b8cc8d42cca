"""Tokens and access rules, as keystonemiddleware has them before a service."""

import re

from wire import HttpError, Reply

REQUIRES = "The request you have made requires authentication."


def rule_matches(rule, services, method, path):
    """Does an access rule of an application credential cover the call?"""
    if rule["service"] not in services or rule["method"] != method:
        return False
    pattern = ""
    for piece in re.split(r"(\*\*|\*|\{[^}]*\})", rule["path"]):
        if piece == "**":
            pattern += ".*"
        elif piece == "*" or piece.startswith("{"):
            pattern += "[^/]+"
        else:
            pattern += re.escape(piece)
    return re.match("^" + pattern + "$", path) is not None


def authorize(call, services, path):
    """The token of the request into call.token, or HttpError 401.

    `services` are the types a rule may name the service by.
    """
    name = call.req.headers.get("X-Auth-Token") or ""
    token = call.tokens.find(name, call.state)
    if token is not None and token["rules"] is not None:
        if not any(rule_matches(r, services, call.req.method, path)
                   for r in token["rules"]):
            token = None
    if token is None:
        raise HttpError(401, REQUIRES)
    call.token = token


def unauthorized(req):
    """keystonemiddleware answers before the service looks at the request."""
    reply = Reply(401, {"error": {
        "code": 401, "title": "Unauthorized", "message": REQUIRES}})
    reply.headers = [("Content-Type", "application/json"),
                     ("Www-Authenticate",
                      'Keystone uri="%s/"' % req.base)]
    return reply
