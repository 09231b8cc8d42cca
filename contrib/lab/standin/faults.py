"""Faults: rules of the state that spoil chosen replies.

A rule is matched on method, path and query, and may fire on chosen calls
only.  What it does is a set of steps: some replace the reply, some change it,
some change how it is sent, some change the state.
"""

import hashlib
import json
import re
import threading

from wire import Reply, encode

MATCHERS = ("id", "method", "path", "query", "request_body", "nth", "from",
            "count", "every", "comment")
STEPS = ("status", "body", "headers", "html", "giant", "deep", "redirect",
         "retry_after", "execute", "delay_ms", "delay_reply_ms", "close",
         "stall", "truncate", "content_length", "chunked", "set", "remove",
         "duplicate", "invalid_utf8", "raw", "raw_hex", "drop_headers",
         "revoke_tokens", "patch", "patch_before", "do")
CANNED = ("status", "body", "html", "giant", "deep", "redirect", "raw",
          "raw_hex")
HTML = ("<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head>\n"
        "<body><h1>Bad Gateway</h1></body></html>\n")


class Counters:
    """How often each rule has matched; kept as long as the process runs."""

    def __init__(self):
        self.lock = threading.Lock()
        self.seen = {}

    def count(self, key):
        with self.lock:
            self.seen[key] = self.seen.get(key, 0) + 1
            return self.seen[key]


def check_rule(rule):
    """A misspelt key would silently test nothing: name it instead."""
    unknown = [k for k in rule if k not in MATCHERS + STEPS]
    unknown += [k for k in rule.get("do", {}) if k not in STEPS]
    if unknown:
        raise ValueError("fault rule: unknown key %s" % ", ".join(unknown))


def rule_key(rule, epoch):
    """Rules are counted by `id`, else by their text.

    `epoch` of the state takes part: another epoch starts all counts anew.
    """
    name = rule.get("id")
    if name is None:
        name = hashlib.sha256(encode(rule)).hexdigest()
    return "%s/%s" % (epoch, name)


def applies(rule, req):
    """Do method, path, query and body fit?  (The counts come after.)"""
    if rule.get("method", req.method) != req.method:
        return False
    if not re.search(rule.get("path", ""), req.path):
        return False
    if not re.search(rule.get("query", ""), req.raw_query):
        return False
    text = req.body.decode("utf-8", "replace")
    return re.search(rule.get("request_body", ""), text) is not None


def fires(rule, number):
    """Is this match, the number-th, one on which the rule acts?"""
    nth = rule.get("nth")
    if nth is not None and number not in (nth if isinstance(nth, list)
                                          else [nth]):
        return False
    first = rule.get("from", 1)
    if number < first:
        return False
    if "count" in rule and number >= first + rule["count"]:
        return False
    return (number - first) % rule.get("every", 1) == 0


def choose(state, req, counters):
    """(name of the rule, its steps) of the first rule that fires, or None.

    Every rule that fits is counted, also when an earlier one fires.
    """
    chosen = None
    for index, rule in enumerate(state.get("faults") or []):
        check_rule(rule)
        if not applies(rule, req):
            continue
        number = counters.count(rule_key(rule, state.get("epoch", "")))
        if chosen is None and fires(rule, number):
            steps = {k: v for k, v in rule.items() if k in STEPS}
            if "do" in steps:
                steps = steps["do"]
            chosen = (rule.get("id", "fault-%d" % index), steps)
    return chosen


def is_canned(steps):
    """Does the rule answer by itself instead of letting the call happen?"""
    return any(k in steps for k in CANNED) and not steps.get("execute")


def canned_reply(req, steps):
    """The reply that the rule makes up."""
    status = steps.get("status", 200)
    kind, body = "application/json", b""
    if "redirect" in steps:
        rule = steps["redirect"]
        status = rule.get("status", 302)
    if steps.get("html"):
        kind = "text/html"
        body = (HTML if steps["html"] is True else steps["html"]).encode()
    elif "deep" in steps:
        body = b"[" * steps["deep"] + b"]" * steps["deep"]
    elif "raw" in steps:
        body = steps["raw"].encode("utf-8")
    elif "raw_hex" in steps:
        body = bytes.fromhex(steps["raw_hex"])
    elif "body" in steps:
        body = steps["body"].encode() if isinstance(steps["body"], str) \
            else encode(steps["body"])
    reply = Reply(status, empty=True)
    reply.body = body
    reply.headers = [("Content-Type", kind)]
    if "redirect" in steps:
        where = steps["redirect"].get("location", "{base}{target}")
        reply.headers.append(("Location", where.replace("{base}", req.base)
                              .replace("{target}", req.target)))
    return reply


# -- changing a good reply ----------------------------------------------------

def pieces_of(pointer):
    """The parts of a JSON pointer (RFC 6901)."""
    return [p.replace("~1", "/").replace("~0", "~")
            for p in pointer.split("/")[1:]]


def parent_of(document, pointer):
    """(container, key) of what a pointer names; None where there is none."""
    pieces = pieces_of(pointer)
    for piece in pieces[:-1]:
        try:
            document = document[int(piece) if isinstance(document, list)
                                else piece]
        except (KeyError, IndexError, ValueError, TypeError):
            return None, None
    last = pieces[-1]
    if isinstance(document, list):
        last = int(last)
    return document, last


def change_document(document, steps):
    """Apply `set` and `remove` (both by JSON pointer) to a copy."""
    document = json.loads(json.dumps(document))
    for pointer, value in (steps.get("set") or {}).items():
        holder, key = parent_of(document, pointer)
        if holder is not None:
            holder[key] = value
    for pointer in steps.get("remove") or []:
        holder, key = parent_of(document, pointer)
        if isinstance(holder, dict):
            holder.pop(key, None)
        elif isinstance(holder, list) and key < len(holder):
            del holder[key]
    return document


def spoil_text(document, steps):
    """Bytes that no JSON writer would write: double keys, bad UTF-8."""
    swaps = {}
    for index, rule in enumerate(steps.get("duplicate") or []):
        holder, key = parent_of(document, rule["path"])
        if isinstance(holder, dict):
            mark = "standin-duplicate-%d" % index
            holder[mark] = rule["value"]
            swaps['"%s"' % mark] = json.dumps(key)
    for pointer in steps.get("invalid_utf8") or []:
        holder, key = parent_of(document, pointer)
        if holder is not None:
            holder[key] = "standin-bad-utf8"
    text = json.dumps(document)
    for old, new in swaps.items():
        text = text.replace(old, new)
    return text.encode("utf-8").replace(b"standin-bad-utf8", b"a\xff\xfeb\xc3")


def change_reply(reply, steps):
    """Change the reply in place as the rule says."""
    touched = ("set", "remove", "duplicate", "invalid_utf8")
    if reply.document is not None and any(k in steps for k in touched):
        document = change_document(reply.document, steps)
        reply.body = spoil_text(document, steps)
    if "execute" in steps:
        # The call was carried out, yet something else is said of it.
        if "status" in steps:
            reply.status = steps["status"]
        if "body" in steps:
            reply.body = steps["body"].encode() \
                if isinstance(steps["body"], str) else encode(steps["body"])
        if steps.get("html"):
            reply.body = HTML.encode()
            reply.set_header("Content-Type", "text/html")
    if "retry_after" in steps:
        reply.set_header("Retry-After", str(steps["retry_after"]))
    for name in steps.get("drop_headers") or []:
        reply.drop_header(name)
    for name, value in (steps.get("headers") or {}).items():
        reply.set_header(name, str(value))
