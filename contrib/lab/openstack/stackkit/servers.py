"""Servers of the stack: created, migrated, slowed down, looked at, deleted. A part of Stack."""
import json
import os
import time

from labkit.lab import each
from labkit.util import LabError, wait_for
from labkit.view import words

# MiB/s, less than the guest dirties, also on a busy machine: such a migration never converges. A paused guest
# dirties nothing; its migration takes a minute or more at this speed.
SLOW_MIB = 1
BOOT_S = 120            # several guests at once, two cores, no KVM


class Servers:
    # --- making ----------------------------------------------------------------------------------------------

    def server_create(self, host="cmp-a", image="lab", name=None, cloud="demo-admin", wait=True):
        """A server with one Neutron port on a host, in the tenant's project; its UUID once its guest ticks."""
        host = self.lab.host(host).name
        made = self.cloud(cloud).nova("POST", "/servers", {"server": {
            "name": name or f"vm-{os.urandom(3).hex()}", "imageRef": self.facts["images"][image],
            "flavorRef": self.facts["flavors"]["lab"], "networks": [{"uuid": self.facts["network"]}], "host": host}})
        uuid = made["server"]["id"]
        if wait:
            self.wait_booted(uuid)
        return uuid

    def servers_create(self, specs):
        """Several side by side; specs are the arguments of server_create."""
        uuids = each(lambda spec: self.server_create(**spec, wait=False), specs)
        each(self.wait_booted, uuids)
        return uuids

    def wait_booted(self, uuid):
        self.wait_row(uuid, "active", None, BOOT_S)
        wait_for(f"the guest of {uuid} to tick", lambda: "tick 1" in self.console(uuid), BOOT_S, 0.2)

    def console(self, uuid):
        try:
            with open(os.path.join(self.lab.shared, uuid, "console.log"), encoding="utf-8", errors="replace") as file:
                return file.read()
        except OSError:
            return ""

    # --- what Nova has written -------------------------------------------------------------------------------

    # Waits look into the database: an API request costs this machine ten times as much.

    def row(self, uuid):
        """vm_state, task_state, host, power_state of a server; None when it is deleted."""
        rows = self.sql("SELECT vm_state, task_state, host, power_state, hostname FROM instances "
                        f"WHERE uuid = '{uuid}' AND deleted = 0")
        return dict(zip(("vm_state", "task_state", "host", "power_state", "hostname"), rows[0])) if rows else None

    def wait_row(self, uuid, vm_state, task_state, timeout=60, host=None):
        seen = {}

        def fits():
            seen.clear()
            seen.update(self.row(uuid) or {"vm_state": "deleted", "task_state": None, "host": None})
            if seen["vm_state"] == "error" and vm_state != "error":
                raise LabError(f"{uuid} is in vm_state error: {self.fault(uuid)}")
            return seen["vm_state"] == vm_state and seen["task_state"] == task_state and host in (None, seen["host"])
        try:
            wait_for(f"{uuid} to be {vm_state}/{task_state}", fits, timeout, 0.2)
        except LabError as err:
            raise LabError(f"{err}; Nova has {seen}") from None

    def fault(self, uuid):
        rows = self.sql(f"SELECT message FROM instance_faults WHERE instance_uuid = '{uuid}' ORDER BY id DESC LIMIT 1")
        return rows[0][0] if rows else "no fault recorded"

    def migration(self, uuid):
        """The newest record: id, uuid, status, source, dest; None without one."""
        rows = self.sql("SELECT id, uuid, status, source_compute, dest_compute FROM migrations "
                        f"WHERE instance_uuid = '{uuid}' AND deleted = 0 ORDER BY id DESC LIMIT 1")
        return dict(zip(("id", "uuid", "status", "source", "dest"), rows[0])) if rows else None

    def wait_migration(self, uuid, *statuses, timeout=60):
        seen = {}

        def fits():
            seen.clear()
            seen.update(self.migration(uuid) or {})
            if seen.get("status") in ("error", "failed", "cancelled") and seen["status"] not in statuses:
                raise LabError(f"the migration of {uuid} is {seen['status']}: {self.fault(uuid)}")
            return seen.get("status") in statuses
        try:
            wait_for(f"the migration of {uuid} to be {' or '.join(statuses)}", fits, timeout, 0.2)
        except LabError as err:
            raise LabError(f"{err}; Nova has {seen}") from None

    # --- migrating ---------------------------------------------------------------------------------------------

    def migrate(self, uuid, dest, wait=True):
        """A live migration at full speed, to its end."""
        dest = self.lab.host(dest).name
        before = self.migration(uuid)
        self.admin.action(uuid, "os-migrateLive", {"host": dest, "block_migration": "auto"})
        wait_for(f"a record of the migration of {uuid}", lambda: self.migration(uuid) != before, 60, 0.2)
        if wait:
            self.wait_migration(uuid, "completed", timeout=90)
            self.wait_row(uuid, "active", None, host=dest)

    def migrate_slow(self, uuid, source, dest, mib=SLOW_MIB, wait=True):
        """A live migration that does not end by itself: it sends less than the guest dirties."""
        source = self.lab.host(source)
        source.virsh("migrate-setspeed", uuid, str(mib))
        self.migrate(uuid, dest, wait=False)
        if wait:
            self.wait_copying(uuid, source, self.lab.host(dest))

    def wait_copying(self, uuid, source, dest):
        """Nova calls it running, memory flows, the destination waits for more."""
        self.wait_migration(uuid, "running", timeout=90)

        def copying():
            # libvirt has a job some time before QEMU begins: post-copy is refused until then
            return (self.job(uuid, source.name).get("memory_processed", 0) > 0
                    and dest.look(uuid).get("lookup", {}).get("reason") in (2, 11))
        wait_for(f"the migration of {uuid} to copy memory", copying, 30, 0.2)

    def job(self, uuid, host):
        """The figures of a job, by libvirt's own names; empty without one."""
        out = self.lab.host(host).virsh("domjobinfo", "--rawstats", uuid, check=False).stdout
        pairs = [line.split(": ") for line in out.splitlines() if ": " in line]
        return {name: int(value) for name, value in pairs if value.strip().isdigit()}

    def release(self, uuid, source):
        """Let it converge now."""
        source = self.lab.host(source)
        source.virsh("migrate-setspeed", uuid, "10000")
        source.try_virsh("migrate-setmaxdowntime", uuid, "2000")    # it may have ended already

    def abort_job(self, uuid, source):
        """virsh domjobabort; waits until the guest runs on the source without a job."""
        source = self.lab.host(source)
        source.virsh("domjobabort", uuid)
        wait_for(f"the job of {uuid} on {source.name} to end",
                 lambda: source.look(uuid).get("job", {}).get("type") == 0, 30, 0.1)

    def wait_moved(self, uuid, source, dest, timeout=60):
        """libvirt: gone from the source, running on the destination."""
        source, dest = self.lab.host(source), self.lab.host(dest)

        def moved():
            return (source.look(uuid).get("lookup", {}).get("error") == 42
                    and dest.look(uuid).get("lookup", {}).get("state") in (1, 3)
                    and dest.look(uuid).get("job", {}).get("type") == 0)
        wait_for(f"{uuid} to be on {dest.name} only", moved, timeout, 0.2)

    def monitor(self, uuid, host, command, **arguments):
        """A QMP command through libvirt; not possible on the side that receives."""
        text = json.dumps({"execute": command, **({"arguments": arguments} if arguments else {})})
        return json.loads(self.lab.host(host).virsh("qemu-monitor-command", uuid, text).stdout).get("return")

    def post_copy(self, uuid, source):
        """force_complete, which is post-copy here. It goes on, at a trickle, until release_post_copy."""
        host = self.lab.host(source)
        self.monitor(uuid, source, "migrate-set-parameters", **{"max-postcopy-bandwidth": 2 << 20})
        self.admin.action_on_migration(uuid, self.migration(uuid)["id"], "force_complete")
        wait_for(f"{uuid} to be in post-copy", lambda: host.look(uuid).get("lookup", {}).get("reason") == 12
                 and host.look(uuid)["lookup"].get("state") == 3, 30, 0.1)
        self._wait_working_set(uuid, source)
        self.monitor(uuid, source, "migrate-set-parameters", **{"max-postcopy-bandwidth": 1024})
        self.wait_migration(uuid, "running (post-copy)", timeout=30)

    def _wait_working_set(self, uuid, source, timeout=6):
        """Until the guest asks for no more pages, or some seconds have passed: what is left may trickle then."""
        last, end = None, time.monotonic() + timeout
        while time.monotonic() < end:
            time.sleep(0.7)
            asked = self.job(uuid, source).get("memory_postcopy_requests")
            if asked == last:
                return
            last = asked

    def release_post_copy(self, uuid, source):
        self.monitor(uuid, source, "migrate-set-parameters", **{"max-postcopy-bandwidth": 10 ** 10})

    # --- what a person or a tenant may do meanwhile -------------------------------------------------------------

    def pause(self, uuid, cloud="member"):
        self.cloud(cloud).action(uuid, "pause")
        self.wait_row(uuid, "paused", None)

    def lock(self, uuid, cloud="admin"):
        self.cloud(cloud).action(uuid, "lock")

    def unlock(self, uuid, cloud="admin"):
        self.cloud(cloud).action(uuid, "unlock")

    def evacuate(self, uuid, dest=None):
        self.admin.action(uuid, "evacuate", {"host": self.lab.host(dest).name} if dest else {})

    def reset_state(self, uuid, state="active"):
        """The blind reset."""
        self.admin.action(uuid, "os-resetState", {"state": state})

    def delete(self, uuid, wait=True):
        reply = self.admin.ask("compute", "DELETE", f"/servers/{uuid}")
        if reply.status not in (204, 404):
            raise LabError(f"DELETE of {uuid}: HTTP {reply.status}: {reply.text[:200]}")
        if wait:
            wait_for(f"{uuid} to be deleted", lambda: self.row(uuid) is None, 60, 0.2)

    def actions(self, uuid):
        """Nova's own instance actions, newest first."""
        return self.admin.nova("GET", f"/servers/{uuid}/os-instance-actions")["instanceActions"]

    # --- what is the case -----------------------------------------------------------------------------------------

    def nova_says(self, uuid):
        """What the API answers about a server, in a few words."""
        reply = self.admin.ask("compute", "GET", f"/servers/{uuid}")
        if reply.status != 200:
            return {"http": reply.status}
        server = reply.json["server"]
        record = self.migration(uuid)
        return {"status": server["status"], "task_state": server["OS-EXT-STS:task_state"],
                "vm_state": server["OS-EXT-STS:vm_state"], "power_state": server["OS-EXT-STS:power_state"],
                "host": server["OS-EXT-SRV-ATTR:host"], "locked": server["locked"],
                "migration": record["status"] if record else None}

    def libvirt_says(self, uuid):
        """What each libvirt says, in the words of scenarios/expected."""
        hosts = list(self.lab.hosts.values())
        return dict(zip((h.name for h in hosts), each(lambda h: words(h.look(uuid, timeout=3)), hosts)))
