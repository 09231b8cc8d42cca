"""Back to a stack without servers in which everything runs."""
import os
import shutil
import signal

from labkit.lab import each
from labkit.util import LabError, wait_for

from .config import DOWN
from .controlplane import SERVICES

GONE_S = 120


def heal(stack):
    stack.need_up()
    for name in ("mariadb", "rabbitmq", *SERVICES):
        stack.start_service(name, wait=False)
    stack.broker.wait()
    stack.plane.wait(*SERVICES)
    each(lambda host: _host(host), stack.lab.hosts.values())
    since = stack.database_now()
    stopped = [c for c in stack.computes.values() if c.pid is None]
    for compute in stack.computes.values():
        if compute.pid:
            compute.wake()
        else:
            compute.start(wait=False)
    stack.sql("UPDATE services SET forced_down = 0 WHERE deleted = 0")
    uuids = [row[0] for row in stack.sql("SELECT uuid FROM instances WHERE deleted = 0")]
    each(lambda uuid: _delete(stack, uuid), uuids)
    for compute in stopped:
        compute.wait_ready(since)
    _gone(stack, uuids)
    for host in stack.lab.hosts.values():
        _destroy_all(host)
        _taps(host)
    for name in stack.lab.hosts:
        stack.wait_service(name, "up", DOWN + 20)
    _leftovers(stack)
    return len(uuids)


def _host(host):
    """libvirtd answers, no cuts, no domain."""
    host.remove_cuts()
    host.wake_libvirtd()
    if not host.libvirtd():
        host.start_libvirtd()
    host.signal(host.qemu(None), signal.SIGCONT)
    wait_for(f"libvirtd of {host.name}", lambda: host.look(timeout=2).get("open", {}).get("hostname"), 30, 0.1)
    _destroy_all(host)


def _destroy_all(host):
    """QEMU first: no job holds up its end then."""
    host.signal(host.qemu(None), signal.SIGKILL)

    def empty():
        names = host.virsh("list", "--all", "--uuid").stdout.split()
        for name in names:
            host.try_virsh("destroy", name)
            host.try_virsh("undefine", name)
        return not names
    wait_for(f"{host.name} to have no domain", empty, 60, 0.2)


def _gone(stack, uuids):
    """Servers that an earlier state of Nova kept from going are asked again."""
    if not uuids:
        return
    names = ", ".join(f"'{uuid}'" for uuid in uuids)
    asked = [0]

    def gone():
        left = [r[0] for r in stack.sql(f"SELECT uuid FROM instances WHERE deleted = 0 AND uuid IN ({names})")]
        asked[0] += 1
        if left and asked[0] % 30 == 0:
            for uuid in left:
                _delete(stack, uuid, again=True)
        return not left
    wait_for(f"{len(uuids)} servers to be deleted", gone, GONE_S, 0.3)


def _delete(stack, uuid, again=False):
    """It may be on its way already, or gone."""
    if again:
        stack.admin.ask("compute", "POST", f"/servers/{uuid}/action", {"os-resetState": {"state": "error"}})
    reply = stack.admin.ask("compute", "DELETE", f"/servers/{uuid}")
    if reply.status not in (204, 404, 409):
        raise LabError(f"DELETE of {uuid}: HTTP {reply.status}: {reply.text[:200]}")


def _taps(host):
    """Tap devices of ports whose nova-compute could not remove them."""
    for line in host.run("ip", "-o", "link", "show").stdout.splitlines():
        name = line.split(":")[1].strip()
        if name.startswith("tap"):
            host.run("ip", "link", "delete", name, check=False)


def _leftovers(stack):
    """Disks of servers deleted while their host was away (_base holds the images, and stays), and what wedges leave
    in Placement for ever: each nova-compute would look at all of it whenever it looks at its host."""
    stack.sql("DELETE FROM allocations; DELETE FROM consumers", "placement")
    for name in os.listdir(stack.lab.shared):
        if name.count("-") == 4:
            shutil.rmtree(os.path.join(stack.lab.shared, name), ignore_errors=True)
    left = stack.sql("SELECT COUNT(*) FROM instances WHERE deleted = 0")[0][0]
    if left != "0":
        raise LabError(f"{left} servers are left after heal")
