"""Keystone v3: version documents and tokens."""

import base64
import datetime
import hashlib
import json
import os
import re
import threading

from state import now, parse_time
from wire import HttpError, Reply, new_request_id

REQUIRES = "The request you have made requires authentication."


class Tokens:
    """The tokens given out by this process."""

    def __init__(self):
        self.lock = threading.Lock()
        self.known = {}

    def add(self, token):
        raw = os.urandom(96)
        name = "gAAAAAB" + base64.urlsafe_b64encode(raw).decode().rstrip("=")
        with self.lock:
            self.known[name] = token
        return name

    def revoke(self, name=None):
        """Forget one token, or all of them."""
        with self.lock:
            if name is None:
                self.known.clear()
            else:
                self.known.pop(name, None)

    def find(self, name, state):
        """The valid token of that name, or None."""
        with self.lock:
            token = self.known.get(name)
        if token is None:
            fixed = (state.get("static_tokens") or {}).get(name)
            return static_token(state, fixed) if fixed else None
        if token["ends"] is not None and token["ends"] <= now(state):
            return None
        return token


def static_token(state, spec):
    """A token that the state itself lists (for auth_type v3token)."""
    token = dict(spec)
    token.setdefault("ends", None)
    token.setdefault("rules", None)
    token.setdefault("scope", "project")
    if "roles" not in token:
        user = state["users"][token["user_id"]]
        token["roles"] = roles_of(user, token.get("project_id"))
    return token


def roles_of(user, scope):
    return list((user.get("roles") or {}).get(scope) or [])


def stable_id(*parts):
    """A 32-digit id that is the same in every run."""
    return hashlib.md5("/".join(parts).encode()).hexdigest()


def error(status, title, message):
    return Reply(status, {"error": {"code": status, "message": message,
                                    "title": title}})


def unauthorized(req):
    reply = error(401, "Unauthorized", REQUIRES)
    reply.set_header("WWW-Authenticate", 'Keystone uri="%s/v3"' % req.base)
    return reply


def version_document(req):
    return {"id": "v3.14", "status": "stable",
            "updated": "2020-04-07T00:00:00Z",
            "links": [{"rel": "self", "href": req.service_url + "/v3/"}],
            "media-types": [{
                "base": "application/json",
                "type": "application/vnd.openstack.identity-v3+json"}]}


def catalog_of(state, req, project_id):
    """The service catalog; `catalog` in the state replaces it, and
    `absent_services` leaves types out."""
    if "catalog" in state:
        return substitute(state["catalog"], req, project_id)
    regions = state.get("regions") or {"RegionOne": {}}
    interfaces = state.get("interfaces") or ["public", "internal", "admin"]
    services = [("identity", "keystone", "{base}/v3/"),
                ("compute", "nova", None),
                ("placement", "placement", "{base}/placement"),
                ("network", "neutron", "{base}/networking"),
                ("volumev3", "cinder", "{base}/volume/v3/{project_id}")]
    absent = state.get("absent_services") or []
    services = [s for s in services if s[0] not in absent]
    result = []
    for kind, name, url in services:
        endpoints = []
        for region in sorted(regions):
            given = (regions[region] or {}).get(kind + "_url")
            where = given or url or default_compute_url(regions, region)
            for interface in interfaces:
                endpoints.append({
                    "id": stable_id(kind, region, interface),
                    "interface": interface, "region_id": region,
                    "url": where, "region": region})
        result.append({"endpoints": endpoints, "id": stable_id(kind),
                       "type": kind, "name": name})
    return substitute(result, req, project_id)


def default_compute_url(regions, region):
    """One region is served at the root, more of them side by side."""
    if len(regions) == 1:
        return "{base}/v2.1"
    return "{base}/region/%s/v2.1" % region


def substitute(value, req, project_id):
    if isinstance(value, dict):
        return {k: substitute(v, req, project_id) for k, v in value.items()}
    if isinstance(value, list):
        return [substitute(v, req, project_id) for v in value]
    if isinstance(value, str):
        return value.replace("{base}", req.base) \
                    .replace("{project_id}", project_id or "")
    return value


def domain_matches(wanted, domain):
    if "id" in wanted:
        return wanted["id"] == domain["id"]
    # Keystone compares domain names without regard to case.
    return str(wanted.get("name", "")).lower() == domain["name"].lower()


def domain_of(entry):
    return entry.get("domain") or {"id": "default", "name": "Default"}


def find_named(entries, wanted):
    """The (id, entry) that an id, or a name and domain, stands for."""
    if "id" in wanted:
        entry = entries.get(wanted["id"])
        return (wanted["id"], entry) if entry else None
    for key, entry in entries.items():
        if str(entry["name"]).lower() == str(wanted.get("name")).lower() \
                and domain_matches(wanted.get("domain") or {},
                                   domain_of(entry)):
            return key, entry
    return None


def check_password(state, identity):
    wanted = identity["password"]["user"]
    found = find_named(state.get("users") or {}, wanted)
    if not found or found[1].get("enabled") is False or \
            found[1].get("password") != wanted.get("password"):
        raise HttpError(401, REQUIRES)
    return found


def check_app_cred(state, identity, scope):
    """(user id, user, credential id, credential) for a good secret."""
    wanted = identity["application_credential"]
    creds = state.get("application_credentials") or {}
    key = wanted.get("id")
    if key is None:
        user = find_named(state["users"], wanted.get("user") or {})
        for name, cred in creds.items():
            if user and cred.get("name") == wanted.get("name") and \
                    cred["user_id"] == user[0]:
                key = name
    cred = creds.get(key)
    # A scope may not be asked for: the credential carries its own.
    if cred is None or scope is not None or \
            cred.get("secret") != wanted.get("secret"):
        raise HttpError(401, REQUIRES)
    if cred.get("expires_at") and parse_time(cred["expires_at"]) <= now(state):
        raise HttpError(401, REQUIRES)
    return cred["user_id"], state["users"][cred["user_id"]], key, cred


def wanted_scope(state, auth, user):
    """("project", id), ("system", None), ("domain", …) or ("none", None)."""
    scope = auth.get("scope")
    if scope == "unscoped" or (isinstance(scope, dict)
                               and "unscoped" in scope):
        return "none", None
    if scope is None:
        default = user.get("default_project_id")
        return ("project", default) if default else ("none", None)
    if "project" in scope:
        found = find_named(state.get("projects") or {}, scope["project"])
        if not found or not roles_of(user, found[0]):
            raise HttpError(401, REQUIRES)
        return "project", found[0]
    if "system" in scope:
        if not roles_of(user, "system"):
            raise HttpError(401, REQUIRES)
        return "system", None
    raise HttpError(401, REQUIRES)


def authenticate(req, state, tokens):
    try:
        auth = json.loads(req.body.decode("utf-8"))["auth"]
        identity = auth["identity"]
        method = identity["methods"][0]
    except (ValueError, KeyError, IndexError, TypeError):
        raise HttpError(400, "Expecting to find valid JSON in the request "
                             "body: the server could not comply with the "
                             "request since it is either malformed or "
                             "otherwise incorrect.")
    cred_id = cred = None
    try:
        if method == "password":
            user_id, user = check_password(state, identity)
        elif method == "application_credential":
            user_id, user, cred_id, cred = check_app_cred(
                state, identity, auth.get("scope"))
        elif method == "token":
            old = tokens.find(identity["token"]["id"], state)
            if old is None:     # Keystone's own choice of status for a revoked, expired or foreign one
                raise HttpError(404, "Failed to validate token")
            user_id, user = old["user_id"], state["users"][old["user_id"]]
        else:
            raise HttpError(401, REQUIRES)
    except (KeyError, TypeError):
        raise HttpError(400, "A part of the identity is missing.")
    if cred is not None:
        scope, project_id = "project", cred["project_id"]
        roles = cred.get("roles") or roles_of(user, project_id)
    else:
        scope, project_id = wanted_scope(state, auth, user)
        roles = roles_of(user, "system" if scope == "system" else project_id)
    return make_token(req, state, tokens, method, user_id, user, scope,
                      project_id, roles, cred_id, cred)


def make_token(req, state, tokens, method, user_id, user, scope, project_id,
               roles, cred_id, cred):
    rule = state.get("token") or {}
    issued = now(state)
    ends = issued + datetime.timedelta(seconds=rule.get("lifetime_s", 3600))
    shown = ends.strftime("%Y-%m-%dT%H:%M:%S.000000Z")
    if "expires_at" in rule:
        # What is said can differ from what is true, so that a client's
        # reading of odd values can be tried.
        shown = rule["expires_at"]
    body = {"methods": [method],
            "user": {"domain": domain_of(user), "id": user_id,
                     "name": user["name"], "password_expires_at": None},
            "audit_ids": [base64.urlsafe_b64encode(os.urandom(16))
                          .decode().rstrip("=")],
            "expires_at": shown,
            "issued_at": issued.strftime("%Y-%m-%dT%H:%M:%S.000000Z")}
    if scope == "project":
        project = state["projects"][project_id]
        body["project"] = {"domain": domain_of(project), "id": project_id,
                           "name": project["name"]}
        body["is_domain"] = False
    elif scope == "system":
        body["system"] = {"all": True}
    if scope != "none":
        body["roles"] = [{"id": stable_id("role", r), "name": r}
                         for r in roles]
        body["catalog"] = catalog_of(state, req, project_id)
    rules = None
    if cred is not None:
        body["application_credential"] = {
            "id": cred_id, "name": cred.get("name", "standin"),
            "restricted": not cred.get("unrestricted", False)}
        if cred.get("access_rules") is not None:
            rules = [dict(r, id=stable_id("rule", r["method"], r["path"]))
                     for r in cred["access_rules"]]
            body["application_credential"]["access_rules"] = [
                {k: r[k] for k in ("id", "service", "path", "method")}
                for r in rules]
    name = tokens.add({"user_id": user_id, "project_id": project_id,
                       "roles": roles, "scope": scope, "ends": ends,
                       "rules": rules, "body": body})
    reply = Reply(201, {"token": body})
    reply.set_header("X-Subject-Token", name)
    reply.user_id = user_id
    return reply


def token_call(req, state, tokens):
    """GET, HEAD and DELETE of /v3/auth/tokens: look at one, revoke one."""
    if not tokens.find(req.headers.get("X-Auth-Token", ""), state):
        raise HttpError(401, REQUIRES)
    name = req.headers.get("X-Subject-Token", "")
    token = tokens.find(name, state)
    if token is None:
        raise HttpError(404, "Could not find token.")
    if req.method == "DELETE":
        tokens.revoke(name)
        return Reply(204, empty=True)
    reply = Reply(200, {"token": token.get("body") or {}},
                  empty=req.method == "HEAD")
    reply.set_header("X-Subject-Token", name)
    return reply


def route(req, state, tokens):
    path = req.path.rstrip("/")
    if path == "" and req.method in ("GET", "HEAD"):
        reply = Reply(300, {"versions": {"values": [version_document(req)]}})
        reply.set_header("Location", req.service_url + "/v3/")
        return reply
    if path == "/v3" and req.method in ("GET", "HEAD"):
        return Reply(200, {"version": version_document(req)})
    if path == "/v3/auth/tokens":
        if req.method == "POST":
            return authenticate(req, state, tokens)
        if req.method in ("GET", "HEAD", "DELETE"):
            return token_call(req, state, tokens)
    raise HttpError(404, "The resource could not be found.")


def handle(req, state, tokens):
    """Answer a request to Keystone."""
    titles = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden",
              404: "Not Found"}
    try:
        reply = route(req, state, tokens)
    except HttpError as why:
        if why.status == 401:
            reply = unauthorized(req)
        else:
            reply = error(why.status, titles[why.status], why.message)
    reply.request_id = new_request_id()
    reply.headers = [("Content-Type", "application/json")] + reply.headers + [
        ("Vary", "X-Auth-Token"),
        ("x-openstack-request-id", reply.request_id)]
    return reply


def is_keystone(path):
    """Paths that belong to Keystone; everything else is Nova's."""
    return path == "/" or path == "" or re.match(r"^/v3(/|$)", path)
