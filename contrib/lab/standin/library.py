"""The ready states: one function per situation that Nova can show."""

import datetime
import uuid

from state import UTC, stamp

ADMIN_PROJECT = "6636f25326c0481295733f4a88dfa621"
DEMO_PROJECT = "44d731ab52694eb583684859da98c277"
ADMIN = "3483e26294d54a6c90ec0e8dbceb343c"
DEMO = "03f130e0985f4853ba8822276d6ff340"
READER = "0d2c5b6e6c6f4a0f8f4f0f0a1c7d9e21"
RECOVERER = "5f0f7f5e8b5d4b7c9a3b2c1d0e9f8a76"
APP_CRED = "2e26fd14d1ae4321b6bc66dd523976cc"
DEFAULT_UUID = "9bc95bd6-0455-43a7-8bca-179b99521a47"

ACCESS_RULES = [("GET", "/v2.1/servers/detail"),
                ("GET", "/v2.1/servers/{server_id}"),
                ("GET", "/v2.1/servers/{server_id}/migrations"),
                ("GET", "/v2.1/servers/{server_id}/os-instance-actions"),
                ("GET", "/v2.1/servers/{server_id}/os-instance-actions/*"),
                ("GET", "/v2.1/os-migrations"),
                ("GET", "/v2.1/os-services"),
                ("GET", "/v2.1/os-hypervisors/detail"),
                ("POST", "/v2.1/servers/{server_id}/action")]


FLAVOR = {"VCPU": 1, "MEMORY_MB": 128}
# A migration that is in one of these still has what it took at its begin.
UNFINISHED = ("accepted", "queued", "preparing", "running",
              "running (post-copy)")


class Make:
    """One state under construction, with the wishes of the command line."""

    def __init__(self, wish):
        self.wish = wish
        self.now = datetime.datetime.now(UTC)
        self.uuid = wish.uuid
        self.state = {
            "schema": "unwedge.standin/1",
            "scenario": wish.name,
            "clock": {"offset_s": 0},
            "nova": {"min": "2.1", "max": wish.max_microversion,
                     "max_limit": 1000, "service_down_s": 60},
            "token": {"lifetime_s": 3600},
            "regions": {"RegionOne": {}},
            "interfaces": ["public", "internal", "admin"],
            "projects": {ADMIN_PROJECT: {"name": "admin"},
                         DEMO_PROJECT: {"name": "demo"}},
            "users": {
                ADMIN: {"name": "admin", "password": "secret",
                        "roles": {ADMIN_PROJECT: ["admin", "member",
                                                  "reader"]}},
                DEMO: {"name": "demo", "password": "secret",
                       "roles": {DEMO_PROJECT: ["member", "reader"]}},
                READER: {"name": "reader", "password": "secret",
                         "roles": {ADMIN_PROJECT: ["reader"],
                                   DEMO_PROJECT: ["reader"]}},
                RECOVERER: {"name": "recoverer", "password": "secret",
                            "roles": {ADMIN_PROJECT: ["nova_recoverer",
                                                      "reader"]}}},
            "application_credentials": {APP_CRED: {
                "name": "lab-recoverer", "secret": "lab-recoverer-secret",
                "user_id": ADMIN, "project_id": ADMIN_PROJECT,
                "access_rules": [{"service": "compute", "method": m,
                                  "path": p} for m, p in ACCESS_RULES]}},
            "policy": {"default": ["admin"]},
            "servers": {}, "migrations": {}, "actions": {},
            "services": {}, "hypervisors": {}, "beats": {},
            "allocations": {}, "ports": {}, "volumes": {}, "faults": []}
        for host in (wish.source, wish.dest):
            self.host(host)
        for binary in ("nova-scheduler", "nova-conductor"):
            self.service("ctl-1", binary)

    def ago(self, seconds):
        return stamp(self.now - datetime.timedelta(seconds=seconds))

    def service(self, host, binary="nova-compute", state="up", **more):
        name = "%s@%s" % (binary, host)
        old = self.state["services"].get(name, {})
        entry = {"id": old.get("id", len(self.state["services"]) + 1),
                 "uuid": old.get("uuid", derived(name)),
                 "binary": binary, "host": host, "state": state,
                 "status": "enabled",
                 "updated_at": self.ago(2 if state == "up"
                                        else self.wish.age_s),
                 "disabled_reason": None, "forced_down": False}
        if state == "up":
            entry["reports_every_s"] = 10
        entry.update(more)
        self.state["services"][name] = entry

    def host(self, name, **more):
        """A compute host: its service and its hypervisor."""
        self.service(name)
        entry = {"id": len(self.state["hypervisors"]) + 1,
                 "uuid": derived("hypervisor-" + name),
                 "service_host": name, "hypervisor_type": "QEMU",
                 "hypervisor_version": 7002000, "host_ip": "127.0.0.1"}
        entry.update(more)
        self.state["hypervisors"][name] = entry

    def server(self, key=None, **more):
        wish = self.wish
        number = 27 + len(self.state["servers"])
        entry = {"name": wish.server_name, "project_id": wish.project,
                 "user_id": ADMIN, "vm_state": "active",
                 "task_state": "migrating", "power_state": 1, "progress": 43,
                 "host": wish.source, "node": wish.source,
                 "instance_name": wish.instance_name if key is None
                 else "instance-%08x" % number,
                 "created": self.ago(wish.age_s + 600),
                 "launched_at": self.ago(wish.age_s + 598),
                 "updated": self.ago(wish.age_s),
                 "root_device_name": "/dev/vda", "locked": False}
        entry.update(more)
        key = key or self.uuid
        self.state["servers"][key] = entry
        self.state["allocations"][key] = {entry["node"]: dict(FLAVOR)}
        if key == self.uuid:
            self.state["ports"][derived("port-" + key)] = {
                "device_id": key, "project_id": wish.project,
                "bindings": {entry["host"]: "ACTIVE"}}
        self.action(key, "create", wish.age_s + 600,
                    [("compute__do_build_and_run_instance", entry["host"])])
        return entry

    def record(self, status, age=None, key=None, **more):
        """A migration record with its last change `age` seconds ago."""
        wish = self.wish
        age = wish.age_s if age is None else age
        mid = more.pop("mid", None) or len(self.state["migrations"]) + 7
        entry = {"uuid": derived("migration-%d" % mid),
                 "instance_uuid": key or self.uuid, "status": status,
                 "migration_type": "live-migration",
                 "source_compute": wish.source, "dest_compute": wish.dest,
                 "source_node": wish.source, "dest_node": wish.dest,
                 "user_id": ADMIN, "project_id": wish.project,
                 "created_at": self.ago(age + 40),
                 "updated_at": self.ago(age)}
        if status in ("running", "running (post-copy)", "completed",
                      "failed", "cancelled", "error"):
            entry.update(disk_processed_bytes=0, disk_remaining_bytes=0,
                         disk_total_bytes=0,
                         memory_processed_bytes=43331658,
                         memory_remaining_bytes=77336576,
                         memory_total_bytes=134750208)
        entry.update(more)
        self.state["migrations"][str(mid)] = entry
        return entry

    def action(self, key, name, age, events=(), user=ADMIN):
        """An instance action `age` seconds ago; (event, host) in order."""
        start = self.ago(age)
        rid = "req-" + derived("%s-%s-%s" % (key, name, age))
        self.state["actions"][rid] = {
            "action": name, "instance_uuid": key, "user_id": user,
            "project_id": self.wish.project, "start_time": start,
            "updated_at": start,
            "events": [{"event": event, "host": host, "start_time": start,
                        "finish_time": start, "result": "Success"}
                       for event, host in events]}
        return rid

    def under_way(self, record, key=None):
        """What a live migration has in Placement and Neutron while it lasts:
        the instance is allocated the destination, the migration the source,
        and each port has an INACTIVE binding on the destination."""
        wish, key = self.wish, key or self.uuid
        self.state["allocations"][key] = {wish.dest: dict(FLAVOR)}
        self.state["allocations"][record["uuid"]] = {
            wish.source: dict(FLAVOR)}
        for port in self.state["ports"].values():
            if port["device_id"] == key:
                port["bindings"].setdefault(wish.dest, "INACTIVE")

    def live_migration(self, key=None, age=None, last=5):
        """The action that a live migration leaves, with its first events."""
        wish = self.wish
        age = wish.age_s + 41 if age is None else age
        events = [("conductor_migrate_server", "ctl-1"),
                  ("compute_check_can_live_migrate_destination", wish.dest),
                  ("compute_check_can_live_migrate_source", wish.source),
                  ("compute_live_migration", wish.source),
                  ("compute_pre_live_migration", wish.dest)]
        return self.action(key or self.uuid, "live-migration", age,
                           events[:last])

    def source_down(self):
        self.service(self.wish.source, state=self.wish.source_service
                     or "down")

    def beat(self, key=None, every=5):
        self.state["beats"][key or self.uuid] = {
            "every_s": every, "since": self.ago(60), "bytes": 4194304,
            "total": 134750208}


def derived(text):
    """A uuid that is the same whenever the same state is made."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "unwedge-standin-" + text))


def numbered(index):
    return derived("server-%d" % index)


SCENARIOS = {}


def scenario(name):
    def keep(function):
        SCENARIOS[name] = function
        return function
    return keep


def wedged(make, status, source="up", last=5, **more):
    """task_state migrating, one record, the source's service as said."""
    make.server()
    record = make.record(status, **more)
    if status in UNFINISHED:
        make.under_way(record)
    make.live_migration(last=last)
    if source == "down":
        make.source_down()
    elif make.wish.source_service:
        make.service(make.wish.source, state=make.wish.source_service)


@scenario("migrating-running")
def migrating_running(make):
    """A live migration that goes well: the numbers move every 5 s."""
    make.wish.age_s = min(make.wish.age_s, 60)
    wedged(make, "running")
    make.beat()


@scenario("wedged-running-src-down")
def wedged_running_src_down(make):
    """The source's nova-compute died; the record stays `running`."""
    wedged(make, "running", source="down")


@scenario("wedged-running-src-up")
def wedged_running_src_up(make):
    """A stale `running` record while the source's service is up."""
    wedged(make, "running")


@scenario("wedged-failed")
def wedged_failed(make):
    """A terminal record, yet task_state was never cleared."""
    wedged(make, "failed")


@scenario("wedged-cancelled")
def wedged_cancelled(make):
    """As wedged-failed, after an abort."""
    wedged(make, "cancelled")


@scenario("wedged-error")
def wedged_error(make):
    """As wedged-failed, after an exception."""
    wedged(make, "error")


@scenario("wedged-completed")
def wedged_completed(make):
    """Record completed, host still the source: the guest is elsewhere."""
    wedged(make, "completed")


@scenario("wedged-accepted")
def wedged_accepted(make):
    """The cast to the source was never taken up."""
    wedged(make, "accepted", source="down", last=3)


@scenario("wedged-queued")
def wedged_queued(make):
    """The source died while the migration was queued."""
    wedged(make, "queued", source="down", last=4)


@scenario("wedged-preparing")
def wedged_preparing(make):
    """The source died between pre_live_migration and the start."""
    wedged(make, "preparing", source="down")


@scenario("wedged-norecord")
def wedged_norecord(make):
    """The API set task_state; the conductor never made a record."""
    make.server()
    make.live_migration(last=0)


@scenario("queued-behind")
def queued_behind(make):
    """Queued behind another migration of the same source: not wedged."""
    wedged(make, "queued", last=4)
    other = numbered(1)
    make.server(other, name="ahead")
    make.record("running", age=5, key=other, created_at=make.ago(
        make.wish.age_s + 300))
    make.live_migration(other)
    make.beat(other)


@scenario("postcopy")
def postcopy(make):
    """Post-copy under way: the record is hidden under the server."""
    wedged(make, "running (post-copy)")


@scenario("postcopy-src-down")
def postcopy_src_down(make):
    """As postcopy, with the source's nova-compute dead (w5)."""
    wedged(make, "running (post-copy)", source="down")


@scenario("active")
def active(make):
    """Not migrating, never was."""
    make.server(task_state=None, progress=0)


@scenario("active-migrated")
def active_migrated(make):
    """A live migration that ended well: the host is the destination."""
    make.server(task_state=None, progress=0, host=make.wish.dest,
                node=make.wish.dest)
    make.record("completed")
    make.live_migration()


@scenario("active-after-reset")
def active_after_reset(make):
    """Somebody reset it already; the record stays `running`."""
    wedged(make, "running", source="down")
    age = make.wish.age_s / 2
    make.state["servers"][make.uuid].update(task_state=None,
                                            updated=make.ago(age))
    make.action(make.uuid, "resetState", age)


@scenario("half-repaired")
def half_repaired(make):
    """The record's destination is already instance.host."""
    wedged(make, "error")
    make.state["servers"][make.uuid].update(host=make.wish.dest,
                                            node=make.wish.dest)


@scenario("error-migrating")
def error_migrating(make):
    """vm_state error with task_state migrating: status says ERROR."""
    wedged(make, "error")
    make.state["servers"][make.uuid].update(
        vm_state="error", fault={
            "code": 500, "created": make.ago(make.wish.age_s)[:19] + "Z",
            "message": "Remote error: VirtualInterfacePlugException",
            "details": "Traceback (most recent call last):\n"})


@scenario("paused-migrating")
def paused_migrating(make):
    """Paused by its user before the migration; status says MIGRATING."""
    wedged(make, "failed")
    make.state["servers"][make.uuid].update(vm_state="paused", power_state=3)


def other_task(make, task_state, action, kind=None, status=None):
    make.server(task_state=task_state, progress=0)
    if kind:
        make.record(status, migration_type=kind)
    make.action(make.uuid, action, make.wish.age_s)


@scenario("resizing")
def resizing(make):
    """A resize, not a live migration."""
    other_task(make, "resize_migrating", "resize", "resize", "migrating")


@scenario("deleting")
def deleting(make):
    """A delete came in after the live migration."""
    wedged(make, "running", source="down")
    make.state["servers"][make.uuid]["task_state"] = "deleting"
    make.action(make.uuid, "delete", make.wish.age_s / 2)


@scenario("rebuilding")
def rebuilding(make):
    """An evacuation came in after the live migration: task rebuilding."""
    wedged(make, "running", source="down")
    make.state["servers"][make.uuid]["task_state"] = "rebuilding"
    make.action(make.uuid, "evacuate", make.wish.age_s / 2)


@scenario("evacuated")
def evacuated(make):
    """A newer evacuation record, done; task_state says migrating again."""
    wedged(make, "running", source="down")
    make.record("done", age=make.wish.age_s / 2, migration_type="evacuation")
    make.action(make.uuid, "evacuate", make.wish.age_s / 2 + 45)


@scenario("evacuation-accepted")
def evacuation_accepted(make):
    """An evacuation has been asked for and not begun."""
    wedged(make, "running", source="down")
    make.record("accepted", age=make.wish.age_s / 2,
                migration_type="evacuation")
    make.action(make.uuid, "evacuate", make.wish.age_s / 2 + 45)


@scenario("newer-action")
def newer_action(make):
    """A reboot is newer than the live migration."""
    wedged(make, "failed")
    make.action(make.uuid, "reboot", make.wish.age_s / 2)


@scenario("locked")
def locked(make):
    """wedged-failed, locked with a reason after the live migration."""
    wedged(make, "failed")
    age = make.wish.age_s / 2
    make.state["servers"][make.uuid].update(
        locked=True, locked_reason="maintenance", updated=make.ago(age))
    make.action(make.uuid, "lock", age)


def many(make, count, hosts):
    """`count` older records in turn between a number of hosts."""
    names = ["old-%d" % i for i in range(hosts)]
    for index in range(count):
        make.record("failed", age=make.wish.age_s + 600 + (count - index) * 60,
                    mid=index + 1,
                    source_compute=make.wish.source,
                    dest_compute=names[index % hosts],
                    dest_node=names[index % hosts])
    for name in names:
        make.host(name)


@scenario("many-records")
def many_records(make):
    """300 migration records: more than the product looks through."""
    many(make, make.wish.records - 1, 4)
    wedged(make, "failed", mid=make.wish.records)
    make.state["nova"]["max_limit"] = 100


@scenario("many-hosts")
def many_hosts(make):
    """100 records with 80 hosts: more than the product looks at."""
    many(make, 99, 80)
    wedged(make, "failed", mid=100)


@scenario("foreign-hypervisor")
def foreign_hypervisor(make):
    """The hosts are VMware's."""
    wedged(make, "failed")
    for hyper in make.state["hypervisors"].values():
        hyper.update(hypervisor_type="VMware vCenter Server",
                     hypervisor_version=7000003)


@scenario("dest-gone")
def dest_gone(make):
    """The destination was decommissioned: no service, no hypervisor."""
    wedged(make, "failed")
    del make.state["services"]["nova-compute@" + make.wish.dest]
    del make.state["hypervisors"][make.wish.dest]


@scenario("source-forced-down")
def source_forced_down(make):
    """The service was forced down, which says nothing of the process."""
    wedged(make, "running")
    make.service(make.wish.source, state="up", forced_down=True)


@scenario("conductor-down")
def conductor_down(make):
    """No record, and no conductor that could make one."""
    wedged_norecord(make)
    make.service("ctl-1", "nova-conductor", state="down")


@scenario("hidden-host")
def hidden_host(make):
    """The policy hides host fields and host names from this user."""
    wedged(make, "failed")
    make.state["servers"][make.uuid]["hide"] = ["OS-EXT-SRV-ATTR:host$",
                                                "OS-EXT-SRV-ATTR:hyp",
                                                "OS-EXT-SRV-ATTR:inst",
                                                "host_status"]
    make.state["policy"]["os-migrations:index:host"] = []
    make.state["policy"]["servers:migrations:index:host"] = []


@scenario("system-scope")
def system_scope(make):
    """The administrator's role is on the system, not on a project."""
    wedged(make, "failed")
    make.state["users"][ADMIN]["roles"] = {"system": ["admin"]}


@scenario("reader-only")
def reader_only(make):
    """The user admin has the role reader alone: reads and resets are 403."""
    wedged(make, "failed")
    make.state["users"][ADMIN]["roles"] = {ADMIN_PROJECT: ["reader"]}


@scenario("down-cell")
def down_cell(make):
    """The server's cell does not answer: a skeleton, and no records."""
    wedged(make, "failed")
    make.state["servers"][make.uuid]["cell"] = "cell2"
    make.state["nova"]["down_cells"] = ["cell2"]


@scenario("two-regions")
def two_regions(make):
    """Two regions; the server is in RegionTwo only."""
    wedged(make, "failed")
    make.state["regions"] = {"RegionOne": {}, "RegionTwo": {}}
    make.state["servers"][make.uuid]["region"] = "RegionTwo"
    other = numbered(1)
    make.server(other, name="elsewhere", task_state=None, region="RegionOne")


@scenario("duplicate-names")
def duplicate_names(make):
    """Three servers: two of one name, one whose name contains it."""
    wedged(make, "failed")
    name = make.wish.server_name
    make.server(numbered(1), name=name, task_state=None)
    make.server(numbered(2), name=name + "-2", task_state=None)


@scenario("similar-names")
def similar_names(make):
    """The name is unique, though others contain it (name= is a regex)."""
    wedged(make, "failed")
    name = make.wish.server_name
    make.server(numbered(1), name=name + "-2", task_state=None)
    make.server(numbered(2), name="not-" + name, task_state=None)


@scenario("many-servers")
def many_servers(make):
    """A cloud to scan: wedged ones of every kind among many others."""
    wedged(make, "failed")
    kinds = ["failed", "running", "completed", "cancelled", "queued",
             "running (post-copy)"]
    for index in range(1, make.wish.servers):
        key = numbered(index)
        stuck = index % 3 == 0
        make.server(key, name="vm-%04d" % index,
                    task_state="migrating" if stuck else None,
                    created=make.ago(make.wish.age_s + 700 + index))
        if stuck:
            make.record(kinds[index // 3 % len(kinds)], key=key)
            make.live_migration(key)
    make.state["nova"]["max_limit"] = 50


@scenario("old-nova")
def old_nova(make):
    """A Nova of Stein's time: microversions end at 2.72."""
    wedged(make, "failed")
    make.state["nova"].update(max="2.72", records_reset=False)


@scenario("new-nova")
def new_nova(make):
    """A Nova of 2025: microversions up to 2.100."""
    wedged(make, "failed")
    make.state["nova"]["max"] = "2.100"


@scenario("unknown-instance")
def unknown_instance(make):
    """The cloud has hosts but no servers."""


def build(wish):
    """The state of a named scenario."""
    make = Make(wish)
    SCENARIOS[wish.name](make)
    return make.state
