"""The wedges: real live migrations, broken off for real. Several that share one disturbance are made side by side.

All go through the same steps: boot, `before`, start the migration, `during` (all of Nova is up), the group's
disturbance, `after`, the group's end. The source is the first host and the destination the second, but for the
wedges of which the migration goes on: those go the other way and are not touched by what happens to the first.
"""
import time

from labkit.lab import each
from labkit.util import LabError, wait_for

from .config import DOWN, RPC_TIMEOUT


class Wedge:
    def __init__(self, name, group, about, steps):
        self.name = name
        self.group = group
        self.about = about
        self.steps = steps

    @property
    def backwards(self):
        return self.group == "alive"


class Case:
    """One wedge in the making."""

    def __init__(self, stack, wedge, uuid):
        hosts = list(stack.lab.hosts)
        self.stack = stack
        self.wedge = wedge
        self.uuid = uuid
        self.source, self.dest = hosts[1::-1] if wedge.backwards else hosts[:2]
        self.done = []
        self.stopped = {}
        self.extra = {}

    def step(self, name):
        for function in self.wedge.steps.get(name, ()):
            function(self)

    def did(self, text):
        self.done.append(text)


# --- steps ----------------------------------------------------------------------------------------------

def pause(case):
    case.stack.pause(case.uuid)
    case.did("paused by its tenant")


def copy_slowly(case):
    case.stack.migrate_slow(case.uuid, case.source, case.dest)
    case.did(f"os-migrateLive to {case.dest}, slower than the guest dirties memory")


def post_copy(case):
    case.stack.post_copy(case.uuid, case.source)
    case.did("force_complete: post-copy, of which only a trickle is let through")


def end_post_copy(case):
    case.stack.release_post_copy(case.uuid, case.source)
    case.stack.wait_moved(case.uuid, case.source, case.dest)
    case.did("the post-copy ended by itself")


def abort(case):
    case.stack.abort_job(case.uuid, case.source)
    case.did(f"virsh domjobabort on {case.source}")


def end_by_itself(case):
    case.stack.release(case.uuid, case.source)
    case.stack.wait_moved(case.uuid, case.source, case.dest)
    case.did("the job ended by itself")


def reset(case):
    case.stack.reset_state(case.uuid)
    case.did("os-resetState to active, blind")


def end_healthy(case):
    case.stack.release(case.uuid, case.source)
    case.stack.wait_moved(case.uuid, case.source, case.dest)
    case.stack.wait_migration(case.uuid, "completed", "error")
    case.did("the job ended, with all of Nova alive")


def behind_another(case):
    """The second host sends one migration at a time."""
    stack = case.stack
    blocker = case.extra.pop("blocker_to_boot")
    stack.migrate_slow(blocker, case.source, case.dest)
    stack.migrate(case.uuid, case.dest, wait=False)
    stack.wait_migration(case.uuid, "queued")
    case.extra["blocker"] = blocker
    case.did(f"os-migrateLive behind the migration of {blocker}")


SLOW = {"migrate": [copy_slowly]}
ALL = {}


def _add(name, group, about, **steps):
    ALL[name] = Wedge(name, group, about, {**SLOW, **steps})


_add("w3", "kill", "source's nova-compute killed, the job goes on")
_add("w1", "kill", "w3, then the job is aborted: the guest stays", after=[abort])
_add("w2", "kill", "w3, then the job ends by itself: the guest is on the destination", after=[end_by_itself])
_add("w5", "kill", "post-copy, then the source's nova-compute is killed", during=[post_copy])
_add("w5-end", "kill", "w5, and the post-copy ends by itself", during=[post_copy], after=[end_post_copy])
_add("w6", "kill", "w2, then reset blind", after=[end_by_itself, reset])
_add("paused", "kill", "paused by its tenant, then as w1", before=[pause], after=[abort])
_add("w1-restart", "restart", "w1, then nova-compute starts again", after=[abort])
_add("w4a", "restart", "w3, then nova-compute starts again: it aborts the job")
_add("w4b", "restart", "w2, then nova-compute starts again: ACTIVE on the wrong host", after=[end_by_itself])
_add("w5-restart", "restart", "w5, then nova-compute starts again", during=[post_copy])
_add("forced-down", "forced", "w1, and the service is forced down", after=[abort])
_add("w11", "stop", "source's nova-compute stopped (SIGSTOP), the job aborted", after=[abort])
_add("w10", "libvirtd", "source's libvirtd stopped (SIGSTOP), Nova alive")
_add("w8", "conductor", "no nova-conductor when the job ends, for two minutes and more: vm_state error")
_add("w8-early", "conductor-early", "the same for 96 s: MIGRATING for ever, record completed, all services up")
_add("w7", "reset", "a healthy migration is reset and then ends: ACTIVE on the wrong host", during=[reset, end_healthy])
_add("healthy", "alive", "a migration that goes on, all of Nova alive (from the second host)")
_add("queued", "alive", "queued behind another migration (from the second host)", migrate=[behind_another])

# Wedges of these groups leave all of Nova up, so they may be made together with any other.
UNDISTURBED = ("reset", "alive")


# --- disturbances: what is done once for all cases of a group --------------------------------------------------

class Disturbance:
    def __init__(self, stack, cases):
        self.stack = stack
        self.cases = cases
        self.source = cases[0].source

    def did(self, text, **stopped):
        for case in self.cases:
            case.did(text)
            case.stopped.update(stopped)

    def begin(self):
        pass

    def end(self):
        pass


class Kill(Disturbance):
    def begin(self):
        pid = self.stack.kill_compute(self.source)
        self.did(f"kill -9 of nova-compute on {self.source}", **{f"nova-compute-{self.source}": pid})

    def end(self):
        self.stack.wait_service(self.source, "down")


class Restart(Kill):
    def end(self):
        self.stack.start_compute(self.source)
        self.did(f"nova-compute on {self.source} started again")
        # it heals what it finds in its init, which is over once it has reported
        each(lambda case: self.stack.wait_row(case.uuid, "active", None), self.cases)
        for case in self.cases:
            case.stopped.clear()


class Forced(Kill):
    def end(self):
        self.stack.force_down(self.source)
        self.did("forced_down set")


class Stop(Disturbance):
    def begin(self):
        pid = self.stack.compute(self.source).stop()
        self.did(f"SIGSTOP of nova-compute on {self.source}", **{f"nova-compute-{self.source}": pid})

    def end(self):
        self.stack.wait_service(self.source, "down")


class Libvirtd(Disturbance):
    def begin(self):
        host = self.stack.lab.host(self.source)
        pids = host.libvirtd()
        host.pause_libvirtd()
        self.did(f"SIGSTOP of libvirtd on {self.source}", **{f"libvirtd-{self.source}": pids[0]})

    def end(self):
        """The destination's keepalive gives the source up."""
        dest = self.stack.lab.host(self.cases[0].dest)
        for case in self.cases:
            wait_for(f"{dest.name} to give up {case.uuid}",
                     lambda c=case: dest.look(c.uuid).get("lookup", {}).get("error") == 42, 60, 0.2)


class Conductor(Disturbance):
    """Away for longer than nova-compute's calls wait. How the server ends depends on when it comes back."""

    AWAY_S = 2 * RPC_TIMEOUT + 15
    pid = None

    def begin(self):
        self.pid = self.stack.stop_conductor()
        self.did("kill -9 of nova-conductor")
        each(end_by_itself, self.cases)
        time.sleep(self.AWAY_S)

    def end(self):
        self.stack.start_conductor()
        self.did(f"nova-conductor (it was {self.pid}) started again after {self.AWAY_S} s")
        each(lambda case: self.stack.wait_migration(case.uuid, "completed", "error", "failed",
                                                    timeout=4 * RPC_TIMEOUT), self.cases)
        time.sleep(10)      # the server's state is written after the record's, if at all


class ConductorEarly(Conductor):
    """Back while nova-compute still waits for an answer."""

    AWAY_S = 96


DISTURBANCES = {"kill": Kill, "restart": Restart, "forced": Forced, "stop": Stop, "libvirtd": Libvirtd,
                "conductor": Conductor, "conductor-early": ConductorEarly,
                "reset": Disturbance, "alive": Disturbance}


# --- making ------------------------------------------------------------------------------------------------------

def _wanted(names):
    wanted = []
    for name in names:
        if name not in ALL:
            raise LabError(f"no wedge {name}: see 'openstack wedge --list'")
        wanted.append(ALL[name])
    groups = {wedge.group for wedge in wanted} - set(UNDISTURBED)
    if len(groups) > 1:
        raise LabError(f"one disturbance at a time, not {' and '.join(sorted(groups))}: see 'openstack wedge --list'")
    if groups & {"libvirtd", "conductor", "conductor-early"} and any(wedge.group == "alive" for wedge in wanted):
        raise LabError(f"{groups.pop()} disturbs the second host's migrations too")
    return wanted, (groups.pop() if groups else None)


def _boot(stack, wanted):
    """All servers side by side; a queued one has another in front of it, unless one is named that goes on."""
    cases = [Case(stack, wedge, None) for wedge in wanted]
    blockers = [case for case in cases if case.wedge.name == "queued"]
    uuids = stack.servers_create([{"host": case.source, "name": f"vm-{case.wedge.name}"} for case in cases]
                                 + [{"host": case.source, "name": "vm-before-queued"} for case in blockers])
    for case, uuid in zip(cases, uuids):
        case.uuid = uuid
    for case, uuid in zip(blockers, uuids[len(cases):]):
        case.extra["blocker_to_boot"] = uuid
    return cases


def make(stack, names):
    """Make wedges; what their lines of JSON say."""
    wanted, group = _wanted(names)
    if len([wedge for wedge in wanted if wedge.group == "alive"]) > 1:
        raise LabError("healthy and queued: one of them at a time, the second host sends one migration at a time")
    for compute in stack.computes.values():
        if not compute.pid or compute.stopped:
            raise LabError(f"{compute.name} does not run: 'openstack heal' first")
    clock = Clock()
    cases = _boot(stack, wanted)
    clock.lap("boot")
    for step in ("before", "migrate", "during"):
        each(lambda case, name=step: case.step(name), cases)
        clock.lap(step)
    disturbed = [case for case in cases if case.wedge.group == group]
    if disturbed:
        disturbance = DISTURBANCES[group](stack, disturbed)
        disturbance.begin()
        each(lambda case: case.step("after"), disturbed)
        clock.lap("after")
        disturbance.end()
        clock.lap("end")
    return _lines(stack, cases, clock.laps)


class Clock:
    """Seconds each part took."""

    def __init__(self):
        self.last = time.monotonic()
        self.laps = {}

    def lap(self, name):
        now = time.monotonic()
        self.laps[name] = round(now - self.last, 1)
        self.last = now


def _lines(stack, cases, took):
    services = {host: {key: service[key] for key in ("state", "forced_down")}
                for host, service in stack.services().items()}
    return [_line(stack, case, services, took) for case in cases]


def _line(stack, case, services, took):
    server = stack.admin.nova("GET", f"/servers/{case.uuid}")["server"]
    return {"wedge": case.wedge.name, "group": case.wedge.group, "uuid": case.uuid, "name": server["name"],
            "instance_name": server["OS-EXT-SRV-ATTR:instance_name"], "project": server["tenant_id"],
            "user": server["user_id"], "source": case.source, "dest": case.dest, "done": case.done,
            "nova": stack.nova_says(case.uuid), "migration": stack.migration(case.uuid), "services": services,
            "libvirt": stack.libvirt_says(case.uuid), "stopped": case.stopped, **case.extra,
            "took_s": took}


# --- single steps, for a test that looks meanwhile -----------------------------------------------------------------

STEPS = {
    "lock": lambda s, uuid: s.lock(uuid),
    "unlock": lambda s, uuid: s.unlock(uuid),
    "delete": lambda s, uuid: s.delete(uuid),
    "evacuate": lambda s, uuid, *dest: s.evacuate(uuid, *dest),
    "reset": lambda s, uuid, *state: s.reset_state(uuid, *state),
    "pause": lambda s, uuid: s.pause(uuid),
    "start": lambda s, uuid: s.admin.action(uuid, "os-start"),
    "stop": lambda s, uuid: s.admin.action(uuid, "os-stop"),
    "reboot-hard": lambda s, uuid: s.admin.action(uuid, "reboot", {"type": "HARD"}),
    "abort-job": lambda s, uuid, source: s.abort_job(uuid, source),
    "release": lambda s, uuid, source: s.release(uuid, source),
    "release-post-copy": lambda s, uuid, source: s.release_post_copy(uuid, source),
    "kill-compute": lambda s, host: s.kill_compute(host),
    "start-compute": lambda s, host: s.start_compute(host),
    "stop-compute": lambda s, host: s.compute(host).stop(),
    "wake-compute": lambda s, host: s.compute(host).wake(),
    "force-down": lambda s, host: s.force_down(host),
    "force-up": lambda s, host: s.force_down(host, False),
    "wait-down": lambda s, host: s.wait_service(host, "down", DOWN + 15),
    "wait-up": lambda s, host: s.wait_service(host, "up", DOWN + 15),
    "kill-service": lambda s, name: s.stop_service(name),
    "start-service": lambda s, name: s.start_service(name),
}
