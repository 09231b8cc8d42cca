"""The stand-in against the recorded replies of a real Nova and Keystone.

For each recording a state is built from what was recorded, the recorded
request is sent, and the whole reply is compared: status, reason, the set of
headers and those that mean something, and the body with its values.  Only the
addresses of the services, request ids and tokens are taken as equal.
"""

import email.utils
import glob
import json
import os
import re
import unittest

from client import ADMIN, PROJECT, RECORDED, Standin, by_password

DEMO_PROJECT = "44d731ab52694eb583684859da98c277"
APP_CRED = "2e26fd14d1ae4321b6bc66dd523976cc"
STUCK = "96fdbddf-3800-4222-aad1-051342782761"
DEMOS = "16cedb9c-3f68-465f-ae7f-4fcd6440061c"


def recording(name):
    with open(os.path.join(RECORDED, name + ".json"),
              encoding="utf-8") as source:
        return json.load(source)


def body_of(name):
    return recording(name)["response"]["body"]


# -- states from recordings ---------------------------------------------------

def server_of(body):
    """The state's form of a server from its full (2.93) body."""
    prefix = "OS-EXT-SRV-ATTR:"
    flavor = dict(body["flavor"], id="1")
    result = {"name": body["name"], "project_id": body["tenant_id"],
              "user_id": body["user_id"], "metadata": body["metadata"],
              "image": body["image"]["id"], "flavor": flavor,
              "created": body["created"], "updated": body["updated"],
              "az": body["OS-EXT-AZ:availability_zone"],
              "launched_at": body["OS-SRV-USG:launched_at"],
              "host": body[prefix + "host"],
              "node": body[prefix + "hypervisor_hostname"],
              "locked": body["locked"],
              "locked_reason": body["locked_reason"]}
    for name in ("instance_name", "reservation_id", "hostname", "kernel_id",
                 "ramdisk_id", "root_device_name"):
        result[name] = body[prefix + name]
    for name in ("task_state", "vm_state", "power_state"):
        result[name] = body["OS-EXT-STS:" + name]
    for name in ("progress", "fault"):
        if name in body:
            result[name] = body[name]
    return result


def record_of(body, detail=None):
    """The state's form of a record, from both listings where there are two."""
    result = {k: v for k, v in body.items() if k not in ("id", "links")}
    if detail:
        for name, value in detail.items():
            if name.endswith("_bytes"):
                result[name] = value
    if "server_uuid" in result:
        result["instance_uuid"] = result.pop("server_uuid")
    return result


def action_of(listed, shown=None):
    result = {k: v for k, v in listed.items() if k != "request_id"}
    events = (shown or {}).get("events", [])
    # The state has events in the order of time, Nova shows the newest first.
    result["events"] = [{k: v for k, v in e.items() if k != "hostId"}
                        for e in reversed(events)]
    return result


def services_of():
    """The services with both their kinds of id."""
    result = {}
    numbers = body_of("os-services-2.1")["services"]
    for service, old in zip(body_of("os-services-2.93")["services"], numbers):
        name = "%s@%s" % (service["binary"], service["host"])
        result[name] = dict(service, uuid=service["id"], id=old["id"])
    return result


def hypervisors_of():
    result = {}
    olds = body_of("os-hypervisors-detail-2.1")["hypervisors"]
    news = body_of("os-hypervisors-detail-2.93")["hypervisors"]
    for old, new in zip(olds, news):
        entry = {k: v for k, v in old.items()
                 if k not in ("service", "state", "status",
                              "hypervisor_hostname")}
        entry.update(uuid=new["id"], uptime=new["uptime"],
                     cpu_info=json.loads(old["cpu_info"]),
                     service_host=new["service"]["host"])
        result[new["hypervisor_hostname"]] = entry
    return result


def world():
    """The cloud in which `stuck` is wedged, from the recordings of it."""
    actions = {}
    shown = {"live-migration": "os-instance-action-live-migration-stuck-2.93",
             "create": "os-instance-action-create-stuck-2.93"}
    for listed in body_of("os-instance-actions-stuck-2.93")["instanceActions"]:
        detail = body_of(shown[listed["action"]])["instanceAction"]
        actions[listed["request_id"]] = action_of(listed, detail)
    records = {}
    detail = body_of("server-migrations-stuck-2.93")["migrations"][0]
    for name in ("os-migrations-stuck-2.93", "os-migrations-good-completed"):
        for record in body_of(name)["migrations"]:
            same = detail if record["id"] == detail["id"] else None
            records[str(record["id"])] = record_of(record, same)
    stuck = server_of(body_of("server-stuck-2.93")["server"])
    demos = dict(stuck, project_id=DEMO_PROJECT, task_state=None)
    roles = {"admin": {PROJECT: ["member", "admin", "reader"]},
             "demo": {DEMO_PROJECT: ["member", "reader"]},
             "reader": {DEMO_PROJECT: ["reader"]},
             "recoverer": {PROJECT: ["nova_recoverer"]}}
    users = {ADMIN if name == "admin" else name + "-id":
             {"name": name, "password": "secret", "roles": roles[name]}
             for name in roles}
    rules = recording("keystone-appcred-token")["response"]["body"]["token"]
    rules = rules["application_credential"]["access_rules"]
    return {
        "nova": {"min": "2.1", "max": "2.93"},
        "projects": {PROJECT: {"name": "admin"},
                     DEMO_PROJECT: {"name": "demo"}},
        "users": users,
        "application_credentials": {APP_CRED: {
            "name": "lab-recoverer", "secret": "lab-recoverer-secret",
            "user_id": ADMIN, "project_id": PROJECT, "access_rules": rules}},
        "servers": {STUCK: stuck, DEMOS: demos},
        "migrations": records, "actions": actions, "services": services_of(),
        "hypervisors": hypervisors_of(), "beats": {}, "faults": []}


def paged_world():
    """The five servers that were listed page by page, all queued but one."""
    state = world()
    state["servers"], state["migrations"] = {}, {}
    for page in range(3):
        for body in body_of("servers-detail-migrating-page%d"
                            % page)["servers"]:
            state["servers"][body["id"]] = server_of(body)
    for name in ("os-migrations-limit2", "os-migrations-running-list"):
        for record in body_of(name)["migrations"]:
            state["migrations"][str(record["id"])] = record_of(record)
    state["services"]["nova-compute@cmp-a"]["state"] = "up"
    return state


def limited_world():
    """`stuck` and an older server: the first page of one has a next."""
    state = world()
    older = dict(state["servers"][STUCK], created="2026-11-23T05:40:00Z")
    del state["servers"][DEMOS]
    state["servers"]["11111111-1111-4111-8111-111111111111"] = older
    return state


def active_world():
    state = world()
    body = body_of("server-active-before-2.93")["server"]
    state["servers"][STUCK] = server_of(body)
    state["services"]["nova-compute@cmp-a"]["state"] = "up"
    return state


def libvirt_world():
    """The migration whose numbers were recorded under a real libvirt."""
    state = world()
    for record in body_of("server-migrations-running-libvirt-2.93")[
            "migrations"]:
        key = record["server_uuid"]
        state["migrations"][str(record["id"])] = record_of(record)
        state["servers"][key] = dict(state["servers"][STUCK])
    listed = body_of("os-instance-action-resetState-2.93")["instanceAction"]
    state["actions"][listed["request_id"]] = action_of(listed, listed)
    return state


def one_record_world(name):
    """A server with a running record of the number that the URL names."""
    state = world()
    url = recording(name)["request"]["url"]
    key, mid = re.search(r"/servers/([^/]+)/migrations/(\d+)", url).groups()
    state["servers"][key] = dict(state["servers"][STUCK])
    state["migrations"] = {mid: dict(state["migrations"]["2"],
                                     instance_uuid=key)}
    return state


def policy_world(letter):
    """What the policy files A to D allow the role nova_recoverer."""
    state = world()
    roles = ["admin", "nova_recoverer"]
    state["policy"] = {"os-admin-actions:reset_state": roles}
    if letter in "CD":
        state["policy"]["context_is_admin"] = roles
    return state


def old_services_world():
    """The services a moment earlier, when they were asked for at 2.1."""
    state = world()
    for service in body_of("os-services-2.1")["services"]:
        name = "%s@%s" % (service["binary"], service["host"])
        state["services"][name]["updated_at"] = service["updated_at"]
    return state


def deleted_world():
    state = world()
    del state["servers"][DEMOS]
    return state


# -- which recording wants which state and user -------------------------------

EXACT = {
    "os-services-2.1": (old_services_world, "admin"),
    "nova-versions": (world, None), "nova-root-versions": (world, "admin"),
    "get-401-bad-token": (world, "bad"),
    "appcred-401-delete": (world, "appcred"),
    "appcred-401-flavors": (world, "appcred"),
    "action-400-unknown": (world, "admin"),
    "server-active-before-2.93": (active_world, "admin"),
    "server-migrations-running-libvirt-2.93": (libvirt_world, "admin"),
    "os-instance-action-resetState-2.93": (libvirt_world, "admin"),
    "servers-detail-migrating-limit1-p1": (limited_world, "admin"),
    "servers-detail-migrating-page0": (paged_world, "admin"),
    "servers-detail-migrating-page1": (paged_world, "admin"),
    "servers-detail-migrating-page2": (paged_world, "admin"),
    "os-migrations-limit2": (paged_world, "admin"),
    "os-migrations-running-list": (paged_world, "admin"),
    "servers-detail-all-tenants-demo": (world, "demo"),
    "servers-detail-all-tenants-reader": (world, "reader"),
    "servers-detail-all-tenants-recoverer": (world, "recoverer"),
    "reset-401-bad-token": (world, "bad"),
    "reset-401-no-token": (world, None),
    "reset-401-expired": (world, "expired"),
    "reset-401-revoked": (world, "revoked"),
    "reset-403-demo-own": (world, "demo"),
    "reset-403-reader": (world, "reader"),
    "reset-403-recoverer-no-policy": (world, "recoverer"),
    "reset-404-demo-foreign": (world, "demo"),
    "reset-404-deleted": (deleted_world, "admin"),
    "live-migrate-409-migrating": (None, "admin"),
    "reset-202-on-stopped": (None, "admin"),
    "stage2-w1-reset": (None, "admin"), "stage2-w2-reset": (None, "admin"),
}
for _name in ("server-stuck-2.1", "server-stuck-2.93",
              "server-migration-one-stuck-2.93",
              "server-migrations-running-alive-2.80",
              "server-migrations-stuck-2.1-404",
              "server-migrations-stuck-2.23", "server-migrations-stuck-2.93",
              "servers-400-bad-marker", "servers-400-limit",
              "os-hypervisors-detail-2.1", "os-hypervisors-detail-2.93",
              "os-instance-action-create-stuck-2.1",
              "os-instance-action-create-stuck-2.93",
              "os-instance-action-live-migration-stuck-2.1",
              "os-instance-action-live-migration-stuck-2.93",
              "os-instance-actions-stuck-2.1",
              "os-instance-actions-stuck-2.93",
              "os-migrations-good-completed", "os-migrations-stuck-2.1",
              "os-migrations-stuck-2.93", "os-services-2.93",
              "os-services-cmp-a-2.1",
              "os-services-cmp-a-2.93", "reset-202-error",
              "reset-202-mv2.93", "reset-202-twice",
              "reset-400-content-type", "reset-400-extra",
              "reset-400-invalid-state", "reset-400-microversion",
              "reset-400-no-state", "reset-400-not-json", "reset-400-null",
              "reset-400-two-actions", "reset-404-nonsense",
              "reset-404-unknown", "reset-406-microversion"):
    EXACT[_name] = (world, "admin")
for _name in ("abort-source-dead", "force-complete",
              "force-complete-source-dead"):
    EXACT[_name] = (lambda name=_name: one_record_world(name), "admin")
# These are the steps of one story, see StoryTest.
STORY = ("server-stuck-locked", "reset-202-locked",
         "server-after-reset-2.93", "os-instance-actions-after-reset",
         "os-migrations-after-reset", "server-migrations-after-reset")
KEYSTONE = ("keystone-versions", "keystone-token-admin",
            "keystone-appcred-token", "keystone-401-wrong-password",
            "keystone-401-appcred-wrong-secret")


def other_world(name):
    """A recording of a server that no other recording describes."""
    state = world()
    url = recording(name)["request"]["url"]
    key = re.search(r"/servers/([^/]+)", url).group(1)
    state["servers"][key] = dict(state["servers"][STUCK])
    if name == "reset-202-on-stopped":
        state["servers"][key].update(vm_state="stopped", task_state=None)
    return state


# -- sending and comparing ----------------------------------------------------

def same_base(text, *bases):
    for base in bases:
        text = text.replace(base, "BASE")
    return text


REAL = ("http://127.0.0.1:8774", "http://127.0.0.1:5000")
# Names of headers that the tool which recorded, or its server, brought in.
NOT_COMPARED = ("connection", "content-length", "date")
BY_VALUE = ("content-type", "openstack-api-version", "vary", "date",
            "x-openstack-nova-api-version", "www-authenticate")


def login_for(one, who):
    """The X-Auth-Token header (or none) of a kind of user."""
    if who is None:
        return None
    if who == "bad":
        return "gAAAAABnonsense"
    if who == "appcred":
        body = {"auth": {"identity": {
            "methods": ["application_credential"],
            "application_credential": {"id": APP_CRED,
                                       "secret": "lab-recoverer-secret"}}}}
        return one.login(body).header("X-Subject-Token")
    project = {"demo": "demo", "reader": "demo"}.get(who, "admin")
    user = who if who in ("demo", "reader", "recoverer") else "admin"
    token = one.login(by_password(user, project)).header("X-Subject-Token")
    if who == "expired":
        state = one.read()
        fixed = state["clock"]["fixed"]
        hour = int(fixed[11:13])
        state["clock"]["fixed"] = fixed[:11] + "%02d" % (hour + 2) + fixed[13:]
        one.write(state)
    if who == "revoked":
        one.ask("DELETE", "/v3/auth/tokens", None,
                {"X-Auth-Token": token, "X-Subject-Token": token})
    return token


def clock_of(capture):
    """The moment of a recording, from its Date."""
    moment = email.utils.parsedate_to_datetime(
        capture["response"]["headers"]["Date"])
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def replay(one, capture, token):
    """Send the recorded request."""
    request = capture["request"]
    path = re.sub(r"^http://127\.0\.0\.1:\d+", "", request["url"])
    if path == "/":
        path = "/compute/"          # the stand-in has one port for both
    headers = {k: v for k, v in request["headers"].items()
               if k != "X-Auth-Token"}
    if token is not None:
        headers["X-Auth-Token"] = token
    return one.ask(request["method"], path, request["body"], headers)


def documents(one, capture, answer, renamed=()):
    """(recorded, given) bodies with addresses and ids made equal."""
    wanted = same_base(json.dumps(capture["response"]["body"]), *REAL)
    text = answer.raw.decode("utf-8") or "null"
    text = same_base(text, one.base + "/compute", one.base)
    for old, new in renamed:
        text = text.replace(old, new)
    return json.loads(wanted), json.loads(text)


def compare_headers(test, one, capture, answer):
    wanted = {k.lower(): v for k, v in capture["response"]["headers"].items()}
    given = {k.lower(): v for k, v in answer.headers}
    names = [n for n in wanted if n not in NOT_COMPARED]
    test.assertEqual(sorted(names), sorted(n for n in given
                                           if n not in NOT_COMPARED))
    for name in BY_VALUE:
        if name in wanted:
            test.assertEqual(same_base(wanted[name], *REAL),
                             same_base(given[name], one.base), name)
    test.assertIn("date", given)
    for name in ("x-openstack-request-id", "x-compute-request-id"):
        if name in given:
            test.assertRegex(given[name], r"^req-[0-9a-f-]{36}$")


class Replay(unittest.TestCase):
    """One stand-in for all; each check writes the state anew."""

    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.one = Standin(world()).start()

    @classmethod
    def tearDownClass(cls):
        cls.one.stop()

    def set_state(self, state, capture):
        state["clock"] = {"fixed": clock_of(capture)}
        self.one.write(state)

    def compare(self, capture, answer, renamed=()):
        response = capture["response"]
        self.assertEqual(response["status"], answer.status, answer.raw)
        self.assertEqual(response["reason"], answer.reason)
        wanted, given = documents(self.one, capture, answer, renamed)
        self.assertEqual(wanted, given)
        compare_headers(self, self.one, capture, answer)


class ExactTest(Replay):
    """Every recording by itself; the methods are made below."""

    def check(self, name, make, who):
        capture = recording(name)
        if who == "expired":
            # Its clock goes on by two hours between token and request.
            date = capture["response"]["headers"]["Date"]
            self.assertIn("06:49:50", date)
            capture["response"]["headers"]["Date"] = date.replace(
                "06:", "04:")
            state = make()
            self.set_state(state, capture)
            token = login_for(self.one, who)
            capture["response"]["headers"]["Date"] = date
        else:
            state = make() if make else other_world(name)
            self.set_state(state, capture)
            token = login_for(self.one, who)
        self.compare(capture, replay(self.one, capture, token))

    def check_policy(self, name):
        capture = recording(name)
        letter = name.split("-")[1]
        state = policy_world(letter)
        url = capture["request"]["url"]
        key = re.search(r"/servers/([^/]+)", url).group(1)
        own = name.endswith("own")
        state["servers"][key] = dict(
            state["servers"][STUCK],
            project_id=PROJECT if own else DEMO_PROJECT)
        self.set_state(state, capture)
        token = login_for(self.one, "recoverer")
        self.compare(capture, replay(self.one, capture, token))


def add_exact(name, make, who):
    def test(self):
        self.check(name, make, who)
    setattr(ExactTest, "test_" + name, test)


for _name, (_make, _who) in EXACT.items():
    add_exact(_name, _make, _who)


def add_policy(name):
    def test(self):
        self.check_policy(name)
    setattr(ExactTest, "test_" + name, test)


POLICY = sorted(os.path.basename(path)[:-5] for path in
                glob.glob(os.path.join(RECORDED, "policy-*-reset-*.json")))
for _name in POLICY:
    add_policy(_name)


class StoryTest(Replay):
    """Lock, reset and look again, as it was recorded step by step."""

    def test_story(self):
        one = self.one
        before = recording("server-stuck-locked")
        self.set_state(world(), before)
        one.login()
        locked = one.nova("POST", "/servers/%s/action" % STUCK,
                          {"lock": {"locked_reason": "maintenance"}})
        self.assertEqual(202, locked.status)
        self.compare(before, replay(one, before, one.token))

        reset = recording("reset-202-locked")
        state = one.read()
        state["clock"]["fixed"] = clock_of(reset)
        one.write(state)
        answer = replay(one, reset, one.token)
        self.compare(reset, answer)

        listed = body_of("os-instance-actions-after-reset")["instanceActions"]
        renamed = [(answer.header("X-Compute-Request-Id"),
                    listed[0]["request_id"]),
                   (locked.header("X-Compute-Request-Id"),
                    listed[1]["request_id"])]
        for name in STORY[2:]:
            capture = recording(name)
            with self.subTest(name):
                self.compare(capture, replay(one, capture, one.token),
                             renamed)
        # What was sent as a global request id is not Nova's own.
        sent = reset["request"]["headers"]["X-OpenStack-Request-ID"]
        self.assertNotEqual(sent, answer.header("X-Compute-Request-Id"))


class WedgeTest(Replay):
    """The real wedges: server and both listings, as they were found."""

    def check(self, name):
        found = recording(name)
        body = found["server"]
        state = world()
        state["clock"] = {"fixed": found["at"]}
        key = body["id"]
        details = {r["id"]: r for r in
                   found["server_migrations"]["migrations"]}
        state["servers"] = {key: server_of(body)}
        state["migrations"] = {
            str(r["id"]): record_of(r, details.get(r["id"]))
            for r in found["os_migrations"]["migrations"]}
        for host, service in found["service"].items():
            state["services"]["nova-compute@" + host]["state"] = service
        # A service can fall silent between two of the recorded calls.
        status = body["host_status"]
        state["services"]["nova-compute@" + body["OS-EXT-SRV-ATTR:host"]][
            "state"] = "up" if status == "UP" else "down"
        self.one.write(state)
        self.one.login()
        pairs = [("/servers/" + key, {"server": body}),
                 ("/os-migrations?instance_uuid=" + key,
                  found["os_migrations"]),
                 ("/servers/%s/migrations" % key,
                  found["server_migrations"])]
        for path, wanted in pairs:
            answer = self.one.nova("GET", path)
            capture = {"response": {"body": wanted}}
            self.assertEqual(*documents(self.one, capture, answer))


def add_wedge(name):
    def test(self):
        self.check(name)
    setattr(WedgeTest, "test_" + name, test)


WEDGES = sorted(
    name for name in (os.path.basename(path)[:-5] for path in
                      glob.glob(os.path.join(RECORDED, "stage2-*.json")))
    if name not in EXACT)
for _name in WEDGES:
    add_wedge(_name)


# -- Keystone -----------------------------------------------------------------

def shape(value):
    """Keys and types, recursively; of a list the shapes that occur in it."""
    if isinstance(value, dict):
        return {k: shape(v) for k, v in value.items()}
    if isinstance(value, list):
        found = []
        for item in value:
            if shape(item) not in found:
                found.append(shape(item))
        return found
    return type(value).__name__


class KeystoneTest(Replay):
    """Version, tokens and refusals; ids and times differ by nature."""

    def ask_as_recorded(self, name):
        capture = recording(name)
        self.one.write(world())
        return capture, replay(self.one, capture, None)

    def compare_loosely(self, name):
        capture, answer = self.ask_as_recorded(name)
        response = capture["response"]
        self.assertEqual(response["status"], answer.status, answer.raw)
        self.assertEqual(response["reason"].lower(), answer.reason.lower())
        wanted, given = documents(self.one, capture, answer)
        self.assertEqual(shape(wanted), shape(given))
        compare_headers(self, self.one, capture, answer)
        return wanted, given

    def test_versions(self):
        wanted, given = self.compare_loosely("keystone-versions")
        self.assertEqual(wanted, given)

    def test_wrong_password(self):
        wanted, given = self.compare_loosely("keystone-401-wrong-password")
        self.assertEqual(wanted, given)

    def test_wrong_secret(self):
        wanted, given = self.compare_loosely(
            "keystone-401-appcred-wrong-secret")
        self.assertEqual(wanted, given)

    def check_token(self, name):
        wanted, given = self.compare_loosely(name)
        wanted, given = wanted["token"], given["token"]
        for key in ("methods", "user", "project", "is_domain"):
            self.assertEqual(wanted[key], given[key])
        self.assertEqual(sorted(r["name"] for r in wanted["roles"]),
                         sorted(r["name"] for r in given["roles"]))
        time = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000000Z$"
        for key in ("expires_at", "issued_at"):
            self.assertRegex(wanted[key], time)
            self.assertRegex(given[key], time)
        for kind in ("identity", "compute"):
            self.assertEqual(self.endpoints(wanted, kind),
                             self.endpoints(given, kind))
        return wanted, given

    def endpoints(self, token, kind):
        entry, = [e for e in token["catalog"] if e["type"] == kind]
        return entry["name"], sorted(
            (e["interface"], e["region"], e["region_id"], e["url"])
            for e in entry["endpoints"])

    def test_token(self):
        self.check_token("keystone-token-admin")

    def test_appcred_token(self):
        wanted, given = self.check_token("keystone-appcred-token")
        wanted = wanted["application_credential"]
        given = given["application_credential"]
        for one in wanted["access_rules"] + given["access_rules"]:
            one.pop("id")
        self.assertEqual(wanted, given)


class CompleteTest(unittest.TestCase):
    """No recording lies about unused, and none that is named is missing."""

    def test_all_used(self):
        present = {os.path.basename(path)[:-5] for path in
                   glob.glob(os.path.join(RECORDED, "*.json"))}
        used = set(EXACT) | set(STORY) | set(KEYSTONE) | set(POLICY) | \
            set(WEDGES)
        self.assertEqual(set(), used - present)
        self.assertEqual(set(), present - used)
