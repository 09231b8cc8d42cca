"""What Nova and Keystone may answer instead of what they should: on reads, and on the one POST."""
import re

from play import ABSENT, HTTP_WARNING, RUN, UUID, add, need, play

MIGRATIONS = "/os-migrations$"
READS = [  # name, fault steps, exit, pattern of the reason (JSON text or the line on stderr)
    ("403", {"status": 403, "body": {"forbidden": {"code": 403, "message": "no"}}}, 1, "403"),
    ("404", {"status": 404, "body": {"itemNotFound": {"code": 404, "message": "no"}}}, 1, "404"),
    ("406", {"status": 406}, 4, "406"),
    ("409", {"status": 409}, 4, "409"),
    ("413", {"status": 413, "retry_after": 1}, 4, "413"),
    ("429", {"status": 429, "retry_after": 1}, 4, "429"),
    ("500", {"status": 500}, 4, "500"),
    ("503", {"status": 503, "retry_after": 1}, 4, "503"),
    ("redirect", {"redirect": {"status": 302, "location": "http://127.0.0.1:1{target}"}}, 4, "302|redirect"),
    ("redirect-308", {"redirect": {"status": 308}}, 4, "308|redirect"),
    ("html", {"html": True, "status": 200}, 4, "JSON|HTML|html|content"),
    ("gigabyte", {"giant": {"bytes": 1 << 30}}, 4, "larger|bytes|MiB|long"),
    ("gigabyte-unannounced", {"giant": {"bytes": 1 << 30, "no_length": True}}, 4, "larger|bytes|MiB|long"),
    ("deep", {"deep": 5000}, 4, "nest|deep|depth|JSON"),
    ("types", {"set": {"/migrations/0/id": "seven"}}, 4, "id"),
    ("types-list", {"set": {"/migrations": {"a": 1}}}, 4, "migrations"),
    ("missing", {"remove": ["/migrations/0/status"]}, 4, "status"),
    ("duplicate", {"duplicate": [{"path": "/migrations/0/status", "value": "failed"}]}, 4, "twice|duplicate"),
    ("utf8", {"invalid_utf8": ["/migrations/0/status"]}, 4, "UTF-8|JSON"),
    ("truncated", {"truncate": 60}, 4, "JSON|closed|ended|partial|bytes"),
    ("half", {"stall": {"after_bytes": 40, "for_s": 0.3, "then": "close"}}, 4,
     "closed|ended|partial|bytes|connection|transfer"),
    ("closed", {"close": "before"}, 4, "closed|reply|connection|empty"),
    ("reset", {"close": "reset"}, 4, "reset|closed|connection|receiv"),
    ("other-instance", {"set": {"/migrations/0/instance_uuid":
                                "00000000-0000-4000-8000-000000000001"}}, 4, "instance"),
    ("bad-time", {"set": {"/migrations/0/updated_at": "yesterday"}}, 4, "updated_at|time"),
]


def bad_read(steps, status, why):
    def scenario(p):
        p.nova("wedged-failed", faults=[dict({"path": MIGRATIONS}, **steps)]).hosts(a=RUN, b=ABSENT)
        if status == 4:
            v = p.diagnose("UW-407", 4)
            need(re.search(why, v["summary"]), "the reason is not told (%s): %s", why, v["summary"])
        else:
            p.run("diagnose", UUID, fail=r"unwedge: .*" + why).exits(status)
        p.plan(status=status, fail=None if status == 4 else r"unwedge: .*" + why)
        p.resets(0)
    return scenario


for name, steps, status, why in READS:
    add("read-" + name, "a migrations list that is answered with %s: exit %d" % (name, status),
        bad_read(steps, status, why))


@play
def read_503_once(p):
    """A reply 503 that passes is no reason to give up: reads are tried again."""
    p.nova("wedged-failed", faults=[{"path": MIGRATIONS, "nth": [1, 3], "status": 503}])
    p.hosts(a=RUN, b=ABSENT)
    p.diagnose("UW-101", 2)


@play
def read_server_garbage(p):
    """The very first read, of the server itself: one line, exit 4."""
    p.nova("wedged-failed", faults=[{"path": "/servers/[^/]+$", "html": True}]).hosts(a=RUN, b=ABSENT)
    p.run("diagnose", UUID, fail=r"unwedge: .*servers").exits(4)
    need(not p.looks(), "hosts were looked at")


@play
def token_expires_in_mid_run(p):
    """The token is revoked between two readings: a new one is fetched once, and the run goes on."""
    p.nova("wedged-failed", faults=[{"path": "/servers/[^/]+$", "nth": 3, "revoke_tokens": True}])
    p.hosts(a=RUN, b=ABSENT)
    p.diagnose("UW-101", 2)
    p.nova("wedged-failed", {"epoch": "2"},
           faults=[{"path": "/servers/[^/]+$", "nth": 5, "revoke_tokens": True}])
    p.plan(status=2)
    p.apply(status=0)
    p.resets(1)


@play
def token_401_twice(p):
    """401 also with a new token is an access rule or a lost role: authenticate once, then stop."""
    p.nova("wedged-failed", faults=[{"path": MIGRATIONS, "status": 401, "body": {"error": {
        "code": 401, "title": "Unauthorized",
        "message": "The request you have made requires authentication."}}}])
    p.hosts(a=RUN, b=ABSENT)
    p.run("diagnose", UUID, fail=r"unwedge: .*401").exits(1)
    logins = [r for r in p.requests() if r["path"].endswith("/auth/tokens")]
    need(len(logins) == 2, "%d logins, 2 expected", len(logins))
    p.resets(0)


@play
def wrong_password(p):
    """A wrong password: one line that names the cloud, exit 1, and no second try."""
    p.nova("wedged-failed").hosts(a=RUN, b=ABSENT)
    p.clouds(password="canary-wrong-password")
    done = p.run("diagnose", UUID, fail=r"unwedge: .*standin.*401|unwedge: .*401.*standin").exits(1)
    done.never_says("canary-wrong-password")
    need(len([r for r in p.requests() if r["path"].endswith("/auth/tokens")]) == 1, "tried again")


@play
def keystone_gone(p):
    """Nobody listens at the authentication URL: exit 4 and its address."""
    p.nova("wedged-failed").hosts(a=RUN, b=ABSENT)
    p.clouds(url="http://127.0.0.1:1/v3")
    p.run("diagnose", UUID, fail=r"unwedge: .*127\.0\.0\.1:1.*").exits(4)


@play
def keystone_html(p):
    """A captive portal in Keystone's place: exit 4."""
    p.nova("wedged-failed", faults=[{"path": "/auth/tokens$", "html": True}]).hosts(a=RUN, b=ABSENT)
    p.run("diagnose", UUID, fail=r"unwedge: .*").exits(4)


@play
def keystone_503(p):
    """Keystone is overloaded: exit 4, and a login is not hammered."""
    p.nova("wedged-failed", faults=[{"path": "/auth/tokens$", "status": 503}]).hosts(a=RUN, b=ABSENT)
    p.run("diagnose", UUID, fail=r"unwedge: .*503").exits(4)
    need(len([r for r in p.requests() if r["path"].endswith("/auth/tokens")]) <= 4, "hammered")


@play
def compute_missing_from_catalog(p):
    """A catalogue without a compute endpoint: exit 1."""
    p.nova("wedged-failed", {"catalog": [{"type": "identity", "name": "keystone", "id": "1",
                                          "endpoints": []}]})
    p.hosts(a=RUN, b=ABSENT)
    p.run("diagnose", UUID, fail=r"unwedge: .*compute").exits(1)


@play
def clock_of_the_cloud_behind(p):
    """The cloud's clock stands an hour before the record's last change: no age, hence too young."""
    p.nova("wedged-failed").hosts(a=RUN, b=ABSENT)
    p.patch({"clock": {"offset_s": -9000}})
    p.diagnose("UW-306", 9)


@play
def clock_of_the_cloud_ahead(p):
    """Ages come from the cloud's own Date: its clock may differ from ours by days."""
    p.nova("wedged-failed", age_s=60).hosts(a=RUN, b=ABSENT)
    p.patch({"clock": {"offset_s": 864000}})
    p.diagnose("UW-101", 2)


@play
def date_missing(p):
    """Replies without a Date give no age: never old enough."""
    p.nova("wedged-failed", faults=[{"path": "/v2.1/", "drop_headers": ["Date"]}]).hosts(a=RUN, b=ABSENT)
    v = p.verdict("diagnose", code="UW-306", status=9)
    need(v["verdict"] == "WAIT", "%s", v)


# --- the POST -------------------------------------------------------------------------------

POSTS = [  # name, fault steps, exit, outcome
    ("400", {"status": 400, "body": {"badRequest": {"code": 400, "message": "no"}}}, 3, "not_applied"),
    ("401", {"status": 401, "body": {"error": {"code": 401, "message": "no"}}}, 3, "not_applied"),
    ("403", {"status": 403, "body": {"forbidden": {"code": 403, "message": "no"}}}, 3, "not_applied"),
    ("404", {"status": 404, "body": {"itemNotFound": {"code": 404, "message": "no"}}}, 3, "not_applied"),
    ("409", {"status": 409, "body": {"conflictingRequest": {"code": 409, "message": "no"}}}, 3,
     "not_applied"),
    ("413", {"status": 413, "retry_after": 1}, 3, "not_applied"),
    ("429", {"status": 429, "retry_after": 1}, 3, "not_applied"),
    ("500", {"status": 500}, 7, "unknown"),
    ("502-executed", {"status": 502, "html": True, "execute": True}, 0, "applied"),
    ("503", {"status": 503, "retry_after": 1}, 7, "unknown"),
    ("200", {"status": 200}, 7, "unknown"),
    ("redirect", {"redirect": {"status": 307}}, 7, "unknown"),
    ("lost", {"close": "after"}, 7, "unknown"),
    ("closed", {"close": "before"}, 7, "unknown"),
    ("reset", {"close": "reset"}, 7, "unknown"),
    ("half", {"stall": {"in_head": True, "for_s": 0.5, "then": "close"}}, 7, "unknown"),
]


def bad_post(steps, status, outcome):
    def scenario(p):
        p.nova("wedged-failed", faults=[dict({"method": "POST", "path": "/action$"}, **steps)])
        p.hosts(a=RUN, b=ABSENT)
        p.plan(status=2)
        p.apply(status=status)
        p.resets(1)
        p.outcome(outcome)
        p.verify_journal()
        p.faults()
        if outcome == "unknown":
            done = "stall" in steps or steps.get("close") == "after"  # carried out all the same
            p.diagnose("UW-001" if done else "UW-507", 0 if done else 3)
            p.resets(1)
    return scenario


for name, steps, status, outcome in POSTS:
    add("post-" + name, "the reset is answered with %s: exit %d, outcome %s, sent once"
        % (name, status, outcome), bad_post(steps, status, outcome))
