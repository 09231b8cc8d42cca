"""The stand-in against the real stack: the same requests about the same wedge give the same codes, keys and types."""
import json
import os
import signal
import tempfile

from labkit.site import SCENARIO, STANDIN, call
from stackkit import wedges
from stackkit.rest import http

VERSIONS = ("2.1", "2.80", "2.93")
NOBODY = "00000000-0000-4000-8000-00000000dead"

# service, method, path, body; {uuid} {request} {port} {migration} are filled in for each side.
REQUESTS = [
    ("compute", "GET", "/servers/{uuid}", None),
    ("compute", "GET", "/servers/" + NOBODY, None),
    ("compute", "GET", "/servers/detail?all_tenants=1&status=MIGRATING", None),
    ("compute", "GET", "/servers?all_tenants=1&status=MIGRATING", None),
    ("compute", "GET", "/servers/detail?all_tenants=1&status=NONSENSE", None),
    ("compute", "GET", "/os-migrations?instance_uuid={uuid}", None),
    ("compute", "GET", "/servers/{uuid}/migrations", None),
    ("compute", "GET", "/servers/{uuid}/os-instance-actions", None),
    ("compute", "GET", "/servers/{uuid}/os-instance-actions/{request}", None),
    ("compute", "GET", "/servers/{uuid}/os-instance-actions/req-" + NOBODY, None),
    ("compute", "GET", "/os-services?binary=nova-compute", None),
    ("compute", "GET", "/os-services", None),
    ("compute", "GET", "/os-hypervisors/detail", None),
    ("compute", "POST", "/servers/" + NOBODY + "/action", {"os-resetState": {"state": "active"}}),
    ("compute", "POST", "/servers/{uuid}/action", {"os-resetState": {"state": "stopped"}}),
    ("compute", "POST", "/servers/{uuid}/action", {"os-resetState": {}}),
    ("compute", "POST", "/servers/{uuid}/action", {"frobnicate": None}),
]
OTHERS = [
    ("placement", "GET", "/allocations/{uuid}", None),
    ("placement", "GET", "/allocations/{migration}", None),
    ("placement", "GET", "/resource_providers", None),
    ("network", "GET", "/v2.0/ports?device_id={uuid}", None),
    ("network", "GET", "/v2.0/ports/{port}/bindings", None),
    ("network", "GET", "/v2.0/ports/" + NOBODY + "/bindings", None),
]
# Names that are data, not structure: any may stand there.
OPEN = ("metadata", "addresses", "extra_specs", "allocations", "resources", "binding:profile", "profile",
        "binding:vif_details", "vif_details", "flavor")


class Side:
    """One of the two: base URLs by service, a token, and what fills the paths."""

    def __init__(self, urls, token, names):
        self.urls, self.token, self.names = urls, token, names

    def ask(self, service, method, path, body, version):
        headers = {"X-Auth-Token": self.token, "Accept": "application/json"}
        if service == "compute":
            headers["X-OpenStack-Nova-API-Version"] = version
        if service == "placement":
            headers["OpenStack-API-Version"] = "placement 1.28"
        return http(method, self.urls[service] + path.format(**self.names), headers, body)


def differences(real, standin, path="body"):
    """Where keys or types are others; null fits any type, as it stands for a value that is not there now."""
    if real is None or standin is None:
        return []
    kinds = [float if isinstance(v, (int, float)) and not isinstance(v, bool) else type(v) for v in (real, standin)]
    if kinds[0] is not kinds[1]:
        return ["%s: %s, the stand-in %s" % (path, kinds[0].__name__, kinds[1].__name__)]
    if isinstance(real, dict):
        if path.rsplit(".", 1)[-1] in OPEN:
            return []
        found = ["%s: no %s in the stand-in" % (path, k) for k in sorted(real.keys() - standin.keys())]
        found += ["%s: only the stand-in has %s" % (path, k) for k in sorted(standin.keys() - real.keys())]
        for key in sorted(real.keys() & standin.keys()):
            found += differences(real[key], standin[key], "%s.%s" % (path, key))
        return found
    if isinstance(real, list) and bool(real) != bool(standin):
        return ["%s: %d entries, the stand-in %d" % (path, len(real), len(standin))]
    if isinstance(real, list) and real:
        return differences(real[0], standin[0], path + "[0]")
    return []


class Shapes:
    def __init__(self, site, report):
        self.stack, self.report = site.stack, report

    def all(self):
        wedge = wedges.make(self.stack, ["w1"])[0]
        real = self.real(wedge)
        with tempfile.TemporaryDirectory(prefix="unwedge-shapes-") as folder:
            pid, standin = self.standin(wedge, folder)
            try:
                for version in VERSIONS:
                    for request in REQUESTS:
                        self.check(real, standin, version, *request)
                for request in OTHERS:
                    self.check(real, standin, None, *request)
            finally:
                os.kill(pid, signal.SIGTERM)

    def check(self, real, standin, version, service, method, path, body):
        name = "%s %s %s %s" % (service, version or "", method, path.replace(NOBODY, "NOBODY"))
        if body:
            name += " " + json.dumps(body)
        self.report.play(name, self.compare, real, standin, version, service, method, path, body)

    def compare(self, real, standin, version, service, method, path, body):
        a = real.ask(service, method, path, body, version)
        b = standin.ask(service, method, path, body, version)
        if a.status != b.status:
            return ["HTTP %d, the stand-in %d: %s" % (a.status, b.status, a.text[:200])]
        return differences(a.json, b.json)

    # --- the two sides -----------------------------------------------------------------------------------

    def real(self, wedge):
        uuid = wedge["uuid"]
        ports = self.stack.admin.call("network", "GET", "/v2.0/ports?device_id=" + uuid)["ports"]
        live = next(a for a in self.stack.actions(uuid) if a["action"] == "live-migration")
        return Side(self.stack.urls, self.stack.admin.token(), {
            "uuid": uuid, "request": live["request_id"], "port": ports[0]["id"],
            "migration": wedge["migration"]["uuid"]})

    def standin(self, wedge, folder):
        """(pid, side) of a stand-in that says what this wedge is."""
        state, ready = os.path.join(folder, "state.json"), os.path.join(folder, "ready.json")
        call([SCENARIO, "write", "wedged-running-src-down", "--out", state, "--uuid", wedge["uuid"], "--source",
              wedge["source"], "--dest", wedge["dest"], "--instance-name", wedge["instance_name"], "--project",
              wedge["project"]])
        out = json.loads(call([STANDIN, "--state", state, "--log", os.path.join(folder, "log"), "--ready", ready,
                               "--watch-pid", str(os.getpid()), "--background"]))
        domain = {"name": "Default"}
        token = http("POST", out["auth_url"] + "/auth/tokens", body={"auth": {
            "identity": {"methods": ["password"], "password": {"user": {
                "name": "admin", "password": "secret", "domain": domain}}},
            "scope": {"project": {"name": "admin", "domain": domain}}}})
        urls = {"compute": out["compute_url"]}
        for service in token.json["token"]["catalog"]:
            for endpoint in service["endpoints"]:
                if endpoint["interface"] == "public":
                    urls.setdefault(service["type"], endpoint["url"].rstrip("/").removesuffix("/v2.0"))
        side = Side(urls, token.headers["X-Subject-Token"], {"uuid": wedge["uuid"]})
        actions = side.ask("compute", "GET", "/servers/{uuid}/os-instance-actions", None, "2.93").json
        ports = side.ask("network", "GET", "/v2.0/ports?device_id={uuid}", None, None).json["ports"]
        records = side.ask("compute", "GET", "/os-migrations?instance_uuid={uuid}", None, "2.93").json["migrations"]
        side.names.update(request=next(a["request_id"] for a in actions["instanceActions"]
                                       if a["action"] == "live-migration"),
                          port=ports[0]["id"], migration=records[0]["uuid"])
        return out["pid"], side
