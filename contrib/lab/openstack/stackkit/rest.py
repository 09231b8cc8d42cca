"""Keystone and the other APIs over urllib, with tokens that are kept until they are near their end."""
import json
import time
import urllib.error
import urllib.request

from labkit.util import LabError

LATEST = "2.93"         # Nova 26 (Zed)
TOKEN_LIFE = 1800       # shorter than Keystone's default of one hour


class ApiError(LabError):
    """An answer that is not 2xx."""

    def __init__(self, status, what, body):
        super().__init__(f"{what}: HTTP {status}: {body[:300]}")
        self.status = status
        self.body = body


class Reply:
    def __init__(self, status, headers, text):
        self.status = status
        self.headers = headers
        self.text = text

    @property
    def json(self):
        return json.loads(self.text) if self.text else None


# Only loopback is spoken to: a proxy of the environment has no say here.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def http(method, url, headers=None, body=None, timeout=60):
    """One request; any HTTP status is an answer."""
    data = body
    headers = dict(headers or {})
    if body is not None and not isinstance(body, bytes):
        data = json.dumps(body).encode()
        headers.setdefault("Content-Type", "application/json")
    request = urllib.request.Request(url, data=data, headers=headers, method=method)
    try:
        with _opener.open(request, timeout=timeout) as answer:
            return Reply(answer.status, answer.headers, answer.read().decode(errors="replace"))
    except urllib.error.HTTPError as err:
        with err:
            return Reply(err.code, err.headers, err.read().decode(errors="replace"))
    except (OSError, urllib.error.URLError) as err:
        raise LabError(f"{method} {url}: {getattr(err, 'reason', err)}") from None


def answers(url, timeout=2):
    """True when somebody speaks HTTP there."""
    try:
        http("GET", url, timeout=timeout)
    except LabError:
        return False
    return True


class Cloud:
    """The APIs as one user of one project sees them (admin of the project admin, unless said)."""

    def __init__(self, urls, user, password, project):
        self.urls = urls
        self.user = user
        self.password = password
        self.project = project
        self._token = None
        self._until = 0.0

    def token(self):
        if time.monotonic() < self._until:
            return self._token
        domain = {"name": "Default"}
        auth = {"identity": {"methods": ["password"], "password": {"user": {
            "name": self.user, "password": self.password, "domain": domain}}},
            "scope": {"project": {"name": self.project, "domain": domain}}}
        reply = http("POST", self.urls["identity"] + "/auth/tokens", body={"auth": auth})
        if reply.status != 201:
            raise ApiError(reply.status, f"token for {self.user}", reply.text)
        self._token = reply.headers["X-Subject-Token"]
        self._until = time.monotonic() + TOKEN_LIFE
        return self._token

    def forget(self):
        """Fetch another token the next time."""
        self._until = 0.0

    def ask(self, service, method, path, body=None, version=LATEST, headers=None, timeout=60):
        """Any answer, as a Reply. service: identity, compute, placement, image or network."""
        sent = {"X-Auth-Token": self.token(), "Accept": "application/json", **(headers or {})}
        if service == "compute" and version:
            sent["X-OpenStack-Nova-API-Version"] = version
        if service == "placement":
            sent["OpenStack-API-Version"] = "placement 1.36"
        return http(method, self.urls[service] + path, sent, body, timeout)

    def call(self, service, method, path, body=None, **options):
        """The JSON of an answer that has to be 2xx (None when it is empty)."""
        reply = self.ask(service, method, path, body, **options)
        if not 200 <= reply.status < 300:
            raise ApiError(reply.status, f"{method} {service} {path}", reply.text)
        try:
            return reply.json
        except ValueError:
            return reply.text

    def nova(self, method, path, body=None, **options):
        return self.call("compute", method, path, body, **options)

    def action(self, server, name, value=None, **options):
        """POST /servers/ID/action."""
        return self.nova("POST", f"/servers/{server}/action", {name: value}, **options)

    def action_on_migration(self, server, migration, name):
        """POST /servers/ID/migrations/ID/action."""
        return self.nova("POST", f"/servers/{server}/migrations/{migration}/action", {name: None})
