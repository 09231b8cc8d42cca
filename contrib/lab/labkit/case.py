"""One wedge in the making: a guest, its source and destination, and the steps scenarios are made of."""
import contextlib
import os
import signal
import termios
import time
import tty

from .qmp import Gone, Mute
from .util import LabError, locked, wait_for
from .view import truth_words, words

SLOW_MIB = 4            # less than the guest dirties: such a migration never converges
FAST = 10 ** 10         # bytes per second: no limit


class Case:
    def __init__(self, lab, domain, source, dest):
        self.lab = lab
        self.domain = domain
        self.src = source
        self.dst = dest
        self.extra = {}

    @property
    def third(self):
        """A host that is neither source nor destination."""
        for host in self.lab.hosts.values():
            if host not in (self.src, self.dst):
                return host
        raise LabError("this scenario needs a third host: lab up --hosts 3")

    # --- guest ------------------------------------------------------------------------------------------

    def boot(self, dirty=20, hot=8):
        self.domain.define(self.src, dirty, hot)
        self.domain.start(self.src)

    def truth(self, host):
        return host.truth(self.domain.name)

    def status(self, host):
        """QEMU's own words, like 'running/active', or 'gone' or 'mute'."""
        return truth_words(self.truth(host))

    def wait_status(self, host, wanted, timeout=20):
        wait_for(f"QEMU of {self.domain.name} on {host.name} to be {wanted}",
                 lambda: self.status(host) == wanted, timeout)

    def wait_look(self, host, what, wanted, timeout=20):
        """Wait until libvirt on a host says so; wanted(steps of look.py) tells."""
        steps = {}

        def fits():
            nonlocal steps
            steps = host.look(self.domain.uuid, timeout=3)
            return wanted(steps)
        try:
            wait_for(f"{host.name} to have {what}", fits, timeout)
        except LabError as err:
            manager = self.domain.manager_message() or "no message of the manager"
            raise LabError(f"{err}; it says: {words(steps)} ({manager})") from None

    def wait_absent(self, host, timeout=20):
        self.wait_look(host, "no domain", lambda s: s.get("lookup", {}).get("error") == 42, timeout)

    def wait_state(self, host, state, reason=None, job=None, timeout=20):
        def fits(steps):
            seen = steps.get("lookup", {})
            return (seen.get("state") == state and reason in (None, seen.get("reason"))
                    and job in (None, steps.get("job", {}).get("type")))
        self.wait_look(host, f"the domain in state {state}/{reason} job {job}", fits, timeout)

    def wait_idle(self, host, timeout=20):
        """Running, without a job."""
        self.wait_state(host, 1, None, 0, timeout)

    # --- migration --------------------------------------------------------------------------------------

    def start_migration(self, *options, bandwidth=SLOW_MIB):
        self.domain.manager_started(self.src, self.dst, ["--bandwidth", str(bandwidth), *options])

    def migrate(self, *options, undefine=True, persistent=True):
        """A migration as Nova makes it, in its memory pass, that does not end by itself."""
        self.start_migration(*(["--persistent"] if persistent else []),
                             *(["--undefinesource"] if undefine else []), *options)

        def copying():
            if not self.domain.manager_pids():
                message = self.domain.manager_message() or "it ended at once"
                raise LabError(f"migration did not start: {message.splitlines()[-1]}")
            seen = self.truth(self.src).get("query_migrate", {})
            return (seen.get("status") == "active" and seen.get("ram", {}).get("transferred", 0) > 0
                    and self.status(self.dst) == "inmigrate/active")
        try:
            wait_for("the migration to copy memory", copying, 30)
        except LabError as err:
            raise LabError(f"{err}; QEMU says {self.status(self.src)} on the source, "
                           f"{self.status(self.dst)} on the destination") from None

    def release(self, downtime_ms=1000):
        """Let the migration converge now."""
        with self.domain.qmp(self.src) as qmp:
            qmp.call("migrate-set-parameters", **{"max-bandwidth": FAST, "downtime-limit": downtime_ms})

    def wait_manager_end(self, timeout=30):
        wait_for("the end of the migration", lambda: not self.domain.manager_pids(), timeout)

    def prime(self):
        """Have all memory sent once, so that release() needs but a moment: libvirt's keepalive runs meanwhile."""
        with self.domain.qmp(self.src) as qmp:
            qmp.call("migrate-set-parameters", **{"max-bandwidth": 10 << 20})
            wait_for("a first pass over the memory", lambda: qmp.call("query-migrate").get("ram", {}).get(
                "dirty-sync-count", 0) >= 2, 30, 0.1)

    @contextlib.contextmanager
    def at_switchover(self, downtime_ms=1000, prime=True):
        """The source's vCPUs are stopped, and QEMU waits for a source libvirtd that is stopped too.

        libvirt always asks QEMU to pause before the switchover and to wait for its word to go on.
        On leaving, libvirtd goes on. Other cases on this host wait for their turn meanwhile.
        """
        if prime:
            self.prime()
        with locked(os.path.join(self.src.dir, "daemon.lock")):
            self.src.pause_libvirtd()
            try:
                self.release(downtime_ms)
                self.wait_status(self.src, "finish-migrate/pre-switchover", 10)
                yield
            finally:
                self.src.wake_libvirtd()

    def hang_at_switchover(self):
        """As at_switchover, but libvirtd stays stopped."""
        self.prime()
        with locked(os.path.join(self.src.dir, "daemon.lock")):
            self.src.pause_libvirtd()
            self.release()
            self.wait_status(self.src, "finish-migrate/pre-switchover", 10)

    @contextlib.contextmanager
    def at_finish(self):
        """Memory and devices have arrived; the destination's libvirtd is stopped and has not read Finish."""
        self.prime()
        with locked(os.path.join(self.dst.dir, "daemon.lock")):
            self.dst.pause_libvirtd()
            try:
                self.release()
                self.wait_status(self.src, "postmigrate/completed", 10)
                self.wait_phase(self.src, "perform3_done")
                yield
            finally:
                self.dst.wake_libvirtd()

    def wait_phase(self, host, phase):
        """libvirtd notes on disk how far a migration is."""
        path = f"/proc/{host.need_init()}/root/run/libvirt/qemu/{self.domain.name}.xml"

        def reached():
            try:
                with open(path, encoding="utf-8") as file:
                    return f"phase='{phase}'" in file.read()
            except OSError:
                return False
        wait_for(f"{host.name} to reach {phase}", reached, 5, 0.01)

    def to_postcopy(self):
        """Post-copy that is far from its end: once the guest has what it works on, pages only trickle.

        A QEMU that waits for a page with its big lock held is mute; cut off then, it stays so.
        """
        self.migrate("--postcopy", "--postcopy-bandwidth", "2")
        self.src.virsh("migrate-postcopy", self.domain.uuid)
        self.wait_state(self.src, 3, 12)
        self.wait_state(self.dst, 1, 10)
        self.wait_working_set()
        with self.domain.qmp(self.src) as qmp:
            qmp.call("migrate-set-parameters", **{"max-postcopy-bandwidth": 1024})

    def wait_working_set(self, timeout=6):
        """Until the guest asks for no more pages, or some seconds have passed."""
        last, end = None, time.monotonic() + timeout
        while time.monotonic() < end:
            time.sleep(0.7)
            asked = self.truth(self.src).get("query_migrate", {}).get("ram", {}).get("postcopy-requests")
            if asked == last:
                return
            last = asked

    def wait_finish_begun(self):
        """The destination's libvirtd carries out Finish (and waits for a QEMU that is stopped)."""
        self.wait_phase(self.dst, "finish3")

    def finish_manual(self):
        """Let it run to its end and wait for it."""
        self.release()
        self.wait_manager_end()

    # --- breaking ---------------------------------------------------------------------------------------

    def kill_qemu(self, host):
        pids = host.qemu(self.domain.name)
        host.signal(pids, signal.SIGKILL)
        wait_for("the end of QEMU", lambda: not host.qemu(self.domain.name), 10)

    def stop_qemu(self, host):
        host.signal(host.qemu(self.domain.name), signal.SIGSTOP)

    def wake_qemu(self, host):
        host.signal(host.qemu(self.domain.name), signal.SIGCONT)

    def cut(self):
        """Nothing passes between the two hosts; both can still be reached from outside."""
        self.src.cut_from(self.dst)
        self.dst.cut_from(self.src)

    def data_port(self):
        """The port on which the destination's QEMU takes this guest's memory."""
        try:
            with self.domain.qmp(self.dst) as qmp:
                addresses = qmp.call("query-migrate").get("socket-address", [])
        except (Gone, Mute):
            addresses = []
        ports = [a["port"] for a in addresses if "port" in a]
        if not ports:
            raise LabError("the destination's QEMU does not tell its port")
        return str(ports[0])

    def cut_data(self):
        port = self.data_port()
        self.dst.iptables("-A", "INPUT", "-i", "mig", "-p", "tcp", "--dport", port, "-j", "DROP")
        self.src.iptables("-A", "INPUT", "-i", "mig", "-p", "tcp", "--sport", port, "-j", "DROP")

    def lose_replies(self):
        """What the destination's libvirtd answers to the source's is lost."""
        self.src.iptables("-A", "INPUT", "-i", "mig", "-s", self.dst.mig, "-p", "tcp", "--sport", "16509", "-j", "DROP")

    def lose_requests(self):
        """What the source's libvirtd asks the destination's is lost."""
        self.src.iptables("-A", "OUTPUT", "-o", "mig", "-d", self.dst.mig, "-p", "tcp", "--dport", "16509",
                          "-j", "DROP")

    @property
    def keepalive_s(self):
        """How long libvirt needs to give up a silent peer."""
        interval, count = self.lab.keepalive or (5, 5)
        return interval * (count + 1)

    def type_in(self, host, line):
        """Type a line on the guest's serial console."""
        path = host.virsh("ttyconsole", self.domain.uuid).stdout.strip()
        fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
        try:
            # raw, or the terminal feeds the guest its own output; QEMU looks for an opened pty once a second
            tty.setraw(fd, termios.TCSANOW)
            time.sleep(1.5)
            os.write(fd, line.encode() + b"\n")
            time.sleep(0.5)
        finally:
            os.close(fd)
