"""One host of a lab: namespaces, addresses, daemons, cuts."""
import json
import os
import shutil
import signal
import subprocess
import sys
import uuid

from . import qmp
from .util import LabError, read_json, run, wait_for, write_json, write_text

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LOOK = os.path.join(HERE, "labkit", "look.py")

QEMU_CONF = """\
# The hosts share the machine's cgroups: equal scope names would collide.
cgroup_controllers = []
namespaces = []
security_driver = "none"
user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
# No virtlogd: QEMU writes its logs itself.
stdio_handler = "file"
{keepalive}"""

LIBVIRTD_CONF = """\
listen_tcp = 1
listen_tls = 1
listen_addr = "0.0.0.0"
auth_tcp = "none"
host_uuid = "{uuid}"
log_outputs = "3:file:/var/log/libvirt/libvirtd.log"
# Each migration that is stuck holds a worker.
max_workers = 200
# Nova has one connection, on which each of its live migrations is a request that lasts.
max_client_requests = 100
{keepalive}"""


def keepalive_text(keepalive):
    """keepalive is (interval, count), or None for libvirt's own numbers."""
    if keepalive is None:
        return ""
    return f"keepalive_interval = {keepalive[0]}\nkeepalive_count = {keepalive[1]}\n"


def process_fields(pid):
    """(start time, command line words) of a process, or None when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            stat = file.read().rpartition(")")[2].split()
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = file.read().decode(errors="replace").split("\0")
    except OSError:
        return None
    if stat[0] in "ZX":
        return None
    return int(stat[19]), words


class Host:
    """A host as recorded in the lab's state; its processes live in its own pid namespace."""

    def __init__(self, lab, facts):
        self.lab = lab
        self.name = facts["name"]
        self.letter = facts["letter"]
        self.mgmt = facts["mgmt"]
        self.mig = facts["mig"]
        self.uuid = facts["uuid"]
        self.dir = os.path.join(lab.dir, "hosts", self.name)

    @staticmethod
    def plan(lab_id, index, mgmt_net, mig_net):
        """What a new host will be called and where it will be."""
        letter = chr(ord("a") + index)
        name = f"cmp-{letter}"
        return {"name": name, "letter": letter, "mgmt": str(mgmt_net[11 + index]), "mig": str(mig_net[11 + index]),
                "uuid": str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{name}.{lab_id}.{mgmt_net}"))}

    # --- identity -------------------------------------------------------------------------------

    @property
    def uri(self):
        return f"qemu+tcp://{self.mgmt}/system"

    @property
    def tls_uri(self):
        return f"qemu+tls://{self.mgmt}/system?pkipath={self.lab.pki_client}"

    @property
    def init_file(self):
        return os.path.join(self.dir, "init.json")

    def veth(self, net):
        """The end in the root namespace; net is m (management) or g (migration)."""
        return f"uw{self.lab.id}{net}{self.letter}"

    @property
    def init(self):
        """The pid of the host's first process, or None if it does not run (any more)."""
        try:
            known = read_json(self.init_file)
        except (OSError, ValueError):
            return None
        fields = process_fields(known["pid"])
        # a pid may have been given to somebody else since
        if fields is None or fields[0] != known["start"]:
            return None
        return known["pid"]

    def need_init(self):
        pid = self.init
        if pid is None:
            raise LabError(f"host {self.name} does not run")
        return pid

    # --- commands and processes inside ---------------------------------------------------------------

    def inside(self, *args):
        """The command line that runs args inside the host."""
        return ["nsenter", "-t", str(self.need_init()), "-m", "-u", "-n", "-p", "--", *args]

    def run(self, *args, timeout=30, check=True, stdin=None):
        return run(self.inside(*args), timeout, check, stdin)

    def virsh(self, *args, timeout=20, check=True, stdin=None):
        return self.run("virsh", "-q", "-c", "qemu:///system", *args, timeout=timeout, check=check, stdin=stdin)

    def try_virsh(self, *args):
        """A command that may fail or block: it is tried again by whoever needs its effect."""
        try:
            self.virsh(*args, timeout=3, check=False)
        except LabError:
            pass

    def processes(self):
        """{pid: words of its command line} of the host's processes, but for its first; pids as seen from outside."""
        init = self.init
        if init is None:
            return {}
        space = os.readlink(f"/proc/{init}/ns/pid")
        found = {}
        for entry in os.listdir("/proc"):
            if not entry.isdigit() or int(entry) == init:
                continue
            try:
                if os.readlink(f"/proc/{entry}/ns/pid") != space:
                    continue
            except OSError:
                continue
            fields = process_fields(int(entry))
            if fields:
                found[int(entry)] = fields[1]
        return found

    def libvirtd(self):
        return [pid for pid, words in self.processes().items() if os.path.basename(words[0]) == "libvirtd"]

    def qemu(self, name):
        """Pids of the QEMU processes of a guest (name None: of all guests)."""
        wanted = "guest=" if name is None else f"guest={name},"
        return [pid for pid, words in self.processes().items()
                if "qemu" in os.path.basename(words[0]) and any(w.startswith(wanted) for w in words)]

    @staticmethod
    def signal(pids, number):
        for pid in pids:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def kill_qemu(self, name):
        self.signal(self.qemu(name), signal.SIGKILL)

    # --- what can be seen ------------------------------------------------------------------------------

    def qmp_path(self, name):
        return f"/proc/{self.need_init()}/root/run/lab/{name}.qmp"

    def truth(self, name):
        if self.init is None:
            return {"qemu": "gone", "status": None, "migrate": None}
        return qmp.truth(self.qmp_path(name))

    def look(self, domain_uuid=None, timeout=4, uri=None):
        """What libvirt says: the steps of look.py by name. A step without an answer is missing."""
        return look(uri or self.uri, domain_uuid, timeout)

    # --- making and ending ------------------------------------------------------------------------------

    def prepare_files(self):
        """The host's own /etc, /var/lib, /var/log, /var/cache."""
        for part in ("var/lib/libvirt", "var/lib/nova/instances", "var/lib/nova/unlocked", "var/log/libvirt/console",
                     "var/cache/libvirt"):
            os.makedirs(os.path.join(self.dir, part), exist_ok=True)
        os.chmod(self.dir, 0o700)
        etc = os.path.join(self.dir, "etc")
        run(["cp", "-a", "/etc/.", etc])
        for part in ("libvirt/qemu", "pki"):
            shutil.rmtree(os.path.join(etc, part), ignore_errors=True)
        os.makedirs(os.path.join(etc, "libvirt/qemu"))
        for file in ("machine-id", "hosts", "hostname"):
            try:
                os.unlink(os.path.join(etc, file))
            except FileNotFoundError:
                pass
        names = "".join(f"{h.mig} {h.name}\n" for h in self.lab.hosts.values())
        write_text(os.path.join(etc, "hosts"), f"127.0.0.1 localhost\n{names}")
        write_text(os.path.join(etc, "hostname"), f"{self.name}\n")
        write_text(os.path.join(etc, "machine-id"), uuid.UUID(self.uuid).hex + "\n")
        self._users(etc)
        self.write_daemon_conf(self.lab.keepalive)
        self.lab.pki.install(self, os.path.join(etc, "pki"))
        self.lab.cache.seed_capabilities(os.path.join(self.dir, "var/cache/libvirt"))

    @staticmethod
    def _users(etc):
        """libvirtd wants its package's default user to exist even where QEMU runs as root."""
        for file, line in (("passwd", "libvirt-qemu:x:64055:64055::/var/lib/libvirt:/usr/sbin/nologin\n"),
                           ("group", "libvirt-qemu:x:64055:\n")):
            path = os.path.join(etc, file)
            with open(path, "r+", encoding="utf-8") as users:
                if "libvirt-qemu:" not in users.read():
                    users.write(line)

    def write_daemon_conf(self, server_keepalive):
        """qemu.conf: this host as the source of a migration; libvirtd.conf: towards its clients."""
        conf = os.path.join(self.dir, "etc", "libvirt")
        write_text(os.path.join(conf, "qemu.conf"), QEMU_CONF.format(keepalive=keepalive_text(self.lab.keepalive)))
        write_text(os.path.join(conf, "libvirtd.conf"),
                   LIBVIRTD_CONF.format(uuid=self.uuid, keepalive=keepalive_text(server_keepalive)))

    def start(self):
        """Make the namespaces and the network, start libvirtd. Does not wait for it."""
        pid = int(run([self.lab.cache.hostinit, self.lab.id, self.name]).stdout)
        fields = process_fields(pid)
        if fields is None:
            raise LabError(f"the first process of {self.name} ended at once")
        write_json(self.init_file, {"pid": pid, "start": fields[0]})
        self.run(os.path.join(HERE, "host", "setup"), self.dir, self.lab.shared)
        self._network(pid)
        self.start_libvirtd()

    def _network(self, pid):
        for net, inner, address in (("m", "mgmt", self.mgmt), ("g", "mig", self.mig)):
            outer = self.veth(net)
            run(["ip", "link", "add", outer, "type", "veth", "peer", "name", inner, "netns", str(pid)])
            run(["ip", "link", "set", outer, "master", self.lab.bridge(net), "up"])
            self.run("ip", "address", "add", f"{address}/24", "dev", inner)
            self.run("ip", "link", "set", inner, "up")

    def start_libvirtd(self):
        env = [f"{name}={value}" for name, value in self.lab.libvirtd_env.items()]
        self.run("env", *env, "libvirtd", "--daemon", "--listen", timeout=20)

    def wait_ready(self, timeout=60):
        """Opens over tcp and tls and the first, slow, read of the capabilities."""
        def answers():
            if not self.libvirtd():
                raise LabError(f"libvirtd of {self.name} ended: see {self.dir}/var/log/libvirt/libvirtd.log")
            seen = self.look(timeout=3)
            return seen.get("open", {}).get("hostname")
        hostname = wait_for(f"libvirtd of {self.name}", answers, timeout, 0.1)
        if hostname != self.name:
            raise LabError(f"libvirtd of {self.name} calls itself {hostname}")
        run(["virsh", "-r", "-c", self.uri, "capabilities"], timeout)
        run(["virsh", "-r", "-c", self.tls_uri, "uri"], 10)

    def kill_libvirtd(self):
        self.signal(self.libvirtd(), signal.SIGKILL)
        wait_for(f"the end of libvirtd of {self.name}", lambda: not self.libvirtd(), 10)

    def restart_libvirtd(self):
        self.kill_libvirtd()
        self.start_libvirtd()
        wait_for(f"libvirtd of {self.name}",
                 lambda: self.look(timeout=2).get("open", {}).get("hostname"), 30, 0.1)

    def pause_libvirtd(self):
        self.signal(self.libvirtd(), signal.SIGSTOP)

    def wake_libvirtd(self):
        self.signal(self.libvirtd(), signal.SIGCONT)

    def stop(self):
        """End everything in the host by ending its first process."""
        pid = self.init
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
            wait_for(f"the end of {self.name}", lambda: process_fields(pid) is None, 20)
        for net in "mg":
            run(["ip", "link", "delete", self.veth(net)], check=False)

    # --- cuts ------------------------------------------------------------------------------------------

    def iptables(self, *rule):
        self.run("iptables", "-w", "5", *rule)

    def cut_from(self, other):
        """Drop everything on the migration network between this host and another."""
        self.iptables("-A", "INPUT", "-i", "mig", "-s", other.mig, "-j", "DROP")
        self.iptables("-A", "OUTPUT", "-o", "mig", "-d", other.mig, "-j", "DROP")

    def refuse(self, *target):
        """New connections to libvirt from outside are dropped or rejected (an iptables target)."""
        self.iptables("-A", "INPUT", "-i", "mgmt", "-p", "tcp", "-m", "multiport", "--dports", "16509,16514",
                      "-j", *target)

    def mute(self, ports=("16599", "16598")):
        """Connections to libvirt from outside come to somebody who never says a word."""
        subprocess.Popen(self.inside(os.path.join(HERE, "host", "mute"), *ports), stdin=subprocess.DEVNULL,
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", start_new_session=True)
        for port, new in zip(("16509", "16514"), ports):
            self.iptables("-t", "nat", "-A", "PREROUTING", "-i", "mgmt", "-p", "tcp", "--dport", port,
                          "-j", "REDIRECT", "--to-ports", new)

    def mark_conf_changed(self):
        """'lab heal' will give libvirtd its usual configuration again."""
        write_text(os.path.join(self.dir, "restart-at-heal"), "")

    def link(self, interface, state):
        self.run("ip", "link", "set", interface, state)

    def remove_cuts(self):
        for chain in (("-F",), ("-t", "nat", "-F")):
            self.iptables(*chain)
        for interface in ("mgmt", "mig"):
            self.link(interface, "up")


def look(uri, domain_uuid, timeout=4):
    """Run look.py with a deadline; return {step: facts}; the key 'end' is there if nothing blocked."""
    args = [sys.executable, "-I", "-S", LOOK, uri] + ([domain_uuid] if domain_uuid else [])
    with subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          cwd="/") as helper:
        try:
            out, _ = helper.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            helper.kill()
            out, _ = helper.communicate()
    steps = {}
    for line in out.decode(errors="replace").splitlines():
        facts = json.loads(line)
        steps[facts.pop("step")] = facts
    return steps
