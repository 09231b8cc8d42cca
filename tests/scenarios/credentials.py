"""Credentials that are good for a part only: each refusal is one line that says what to do, and one login more."""
import json
import urllib.request

import library
from play import ABSENT, PASSWORD, RUN, UUID, need, play

LOOK = ["/v2.1/servers/detail", "/v2.1/servers/{id}", "/v2.1/servers/{id}/migrations",
        "/v2.1/servers/{id}/os-instance-actions", "/v2.1/servers/{id}/os-instance-actions/*",
        "/v2.1/os-migrations", "/v2.1/os-services", "/v2.1/os-hypervisors/detail"]
APPCRED = ("--os-cloud", "standin-appcred")


def rules(paths):
    return {"application_credentials": {library.APP_CRED: {"access_rules": [
        {"service": "compute", "method": "GET", "path": path} for path in paths]}}}


def issue(p):
    """A token, as somebody might paste one from `openstack token issue`."""
    domain = {"id": "default"}
    auth = {"identity": {"methods": ["password"], "password": {"user": {
        "name": "admin", "password": PASSWORD, "domain": domain}}},
        "scope": {"project": {"name": "admin", "domain": domain}}}
    request = urllib.request.Request(p.ready["auth_url"] + "/auth/tokens", json.dumps({"auth": auth}).encode(),
                                     {"Content-Type": "application/json"})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=10) as reply:
        return reply.headers["X-Subject-Token"]


def logins(p, n):
    seen = len([r for r in p.requests() if r["path"].endswith("/auth/tokens")])
    need(seen == n, "%d logins, %d expected", seen, n)


@play
def access_rule_missing(p):
    """A path without an access rule: the 401 looks like an expired token, so one login more, then its name."""
    p.nova("wedged-failed", rules(LOOK[:-1])).hosts(a=RUN, b=ABSENT)
    p.run("diagnose", UUID, *APPCRED,
          fail=r"unwedge: GET /v2.1/os-hypervisors/detail\S*: 401 .*: a new token was refused as well: the access "
               r"rules of application credential lab-recoverer do not allow this path").exits(1)
    logins(p, 2)
    p.resets(0)


@play
def access_rule_for_acts_missing(p):
    """A credential that only looks: it plans; its act is refused by Nova, and said to be the access rules."""
    p.nova("wedged-failed", rules(LOOK)).hosts(a=RUN, b=ABSENT)
    p.plan(*APPCRED, status=2)
    done = p.apply(*APPCRED, status=3)
    done.says(r"not_applied \(Nova refused the reset: POST \S+: 401 .* the access rules of application credential "
              r"lab-recoverer do not allow this request")
    done.never_says("nothing was sent to Nova")
    p.resets(1)
    p.outcome("not_applied")
    p.verify_journal()


@play
def token_refused_twice_without_rules(p):
    """401 also with a new token, and no access rules: Nova does not believe this Keystone, or the user."""
    p.nova("wedged-failed", faults=[{"path": "/os-services$", "status": 401}]).hosts(a=RUN, b=ABSENT)
    p.run("diagnose", UUID, fail=r"unwedge: GET /v2.1/os-services: 401 .*a new token was refused as well: ").exits(1)
    logins(p, 2)


@play
def bare_token_ends_in_mid_run(p):
    """A credential that is a token cannot be renewed when it ends: exit 1, and what to use instead."""
    p.nova("wedged-failed", faults=[{"path": "/servers/[^/]+$", "nth": 3, "revoke_tokens": True}])
    p.hosts(a=RUN, b=ABSENT)
    p.write("clouds.yaml", "clouds:\n  standin:\n    auth_type: v3token\n    auth: {auth_url: \"%s\", token: %s, "
            "project_name: admin, project_domain_name: Default}\n" % (p.ready["auth_url"], issue(p)), 0o600)
    p.run("diagnose", UUID, fail=r"unwedge: cloud standin .*refuses the credential \(404\): the token is wrong, was "
          r"revoked or has expired; get a new one").exits(1)
    p.resets(0)


@play
def other_project_without_admin(p):
    """Nova hides servers of other projects from all but admins: 404 need not mean that there is none."""
    p.nova("wedged-failed").hosts(a=RUN, b=ABSENT)
    p.run("diagnose", "00000000-0000-4000-8000-00000000dead",
          fail=r"unwedge: no instance \S+ in cloud standin: request").exits(1)
    p.run("diagnose", "00000000-0000-4000-8000-00000000dead", "--os-cloud", "standin-reader",
          fail=r"unwedge: no instance \S+ in cloud standin-reader, or one of another project, which Nova shows to "
               r"admins only").exits(1)
