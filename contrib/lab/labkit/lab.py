"""A whole lab: up, down, heal, status; its state is one directory."""
import concurrent.futures
import ipaddress
import json
import os
import re
import shutil
import signal
import time
import zlib

from .cache import Cache
from .domain import Domain
from .host import Host
from .pki import Pki
from .util import LabError, locked, machine_lock, read_json, run, wait_for, write_json

# Hidden inside a host by that host's own parts, so a lab's directory cannot be there.
HIDDEN = ("/etc", "/run", "/var/lib", "/var/log", "/var/cache", "/proc", "/sys", "/dev")


def each(function, items):
    """function(item) for all items side by side; the first failure is raised when all have ended."""
    items = list(items)
    if not items:
        return []
    with concurrent.futures.ThreadPoolExecutor(len(items)) as pool:
        return [f.result() for f in [pool.submit(function, item) for item in items]]


class Lab:
    def __init__(self, path, lab_id=None):
        self.dir = os.path.abspath(path)
        self.file = os.path.join(self.dir, "lab.json")
        self.shared = os.path.join(self.dir, "shared")
        self.pki_client = os.path.join(self.dir, "pki", "client")
        self.cache = Cache(os.environ.get("UNWEDGE_LAB_CACHE", "/var/tmp/unwedge-lab-cache"))
        self.pki = Pki(self)
        self.id = lab_id
        self.keepalive = None
        self.hosts = {}
        self.network = None
        self.libvirtd_env = {}
        if os.path.exists(self.file):
            self._load()

    # --- state ------------------------------------------------------------------------------------------

    def _load(self):
        try:
            state = read_json(self.file)
            self.id = state["id"]
            self.keepalive = state["keepalive"]
            self.network = state["network"]
            self.libvirtd_env = state.get("libvirtd_env", {})
            self.hosts = {facts["name"]: Host(self, facts) for facts in state["hosts"]}
        except (OSError, ValueError, KeyError, TypeError) as err:
            raise LabError(f"cannot read {self.file}: {err}") from None

    def _save(self, hosts):
        write_json(self.file, {"id": self.id, "keepalive": self.keepalive, "network": self.network,
                               "libvirtd_env": self.libvirtd_env, "hosts": hosts})

    @property
    def lock_file(self):
        return os.path.join(self.dir, "lock")

    def bridge(self, net):
        return f"uw{self.id}{net}"

    def need_up(self):
        if not self.hosts:
            raise LabError(f"no lab in {self.dir}: run 'lab up' first")
        for host in self.hosts.values():
            host.need_init()

    def host(self, name):
        """A host by name or by its letter."""
        found = self.hosts.get(name) or self.hosts.get(f"cmp-{name}")
        if found is None:
            raise LabError(f"no host {name}; there are: {' '.join(self.hosts)}")
        return found

    # --- up ---------------------------------------------------------------------------------------------

    def up(self, count, keepalive, keep=False, libvirtd_env=None):
        """Seconds it took; False when it is up already. libvirtd_env: added to each libvirtd's environment."""
        if self.hosts:
            if len(self.hosts) >= count and all(h.init for h in self.hosts.values()):
                return False
            raise LabError(f"{self.dir} holds another or a broken lab: run 'lab down' first")
        self._check(count)
        started = time.monotonic()
        self.libvirtd_env = libvirtd_env or {}
        try:
            self._make(count, keepalive)
        except BaseException:
            if not keep:
                self.down()
            raise
        return time.monotonic() - started

    def _check(self, count):
        if os.geteuid() != 0:
            raise LabError("must run as root")
        if not re.fullmatch(r"[a-z0-9]{1,8}", self.id or ""):
            raise LabError("a lab's id is 1 to 8 lower-case letters and digits")
        if not 2 <= count <= 26:
            raise LabError("a lab has 2 to 26 hosts")
        if any(self.dir == h or self.dir.startswith(h + "/") for h in HIDDEN):
            raise LabError(f"a lab cannot be in {self.dir}: its hosts have their own {', '.join(HIDDEN[:5])}")
        if os.path.isdir(self.dir) and os.listdir(self.dir):
            raise LabError(f"{self.dir} is not empty")
        if os.path.exists(f"/sys/class/net/{self.bridge('m')}"):
            raise LabError(f"another lab with the id {self.id} is up: choose --id")
        for program in ("libvirtd", "virsh", "qemu-system-x86_64", "ip", "iptables", "certtool", "nsenter", "gcc",
                        "cpio"):
            if not shutil.which(program):
                raise LabError(f"{program} is missing: run contrib/lab/install first")
        self.cache.need()

    def _make(self, count, keepalive):
        os.makedirs(self.shared)
        os.makedirs(os.path.join(self.dir, "domains"))
        self.keepalive = keepalive
        with machine_lock():
            mgmt, mig = self._free_networks()
            self.network = str(mgmt)
            plans = [Host.plan(self.id, i, mgmt, mig) for i in range(count)]
            self._save(plans)
            self._load()
            self._bridges(mgmt)
        self.install_guest()
        self.pki.make()
        each(lambda host: (host.prepare_files(), host.start()), self.hosts.values())
        each(lambda host: host.wait_ready(), self.hosts.values())
        first = next(iter(self.hosts.values()))
        self.cache.keep_capabilities(os.path.join(first.dir, "var/cache/libvirt"))

    def install_guest(self):
        """The lab keeps its own copies: the cache may be cleared while the lab is up."""
        os.makedirs(os.path.join(self.dir, "guest"), exist_ok=True)
        shutil.copy(self.cache.kernel, os.path.join(self.dir, "guest", "vmlinuz"))
        shutil.copy(self.cache.initrd, os.path.join(self.dir, "guest", "initrd"))

    def _free_networks(self):
        """Two /24 side by side that overlap nothing this machine knows."""
        known = json.loads(run(["ip", "-j", "-4", "route", "show", "table", "all"]).stdout or "[]")
        used = [ipaddress.ip_network(r["dst"], strict=False) for r in known if r.get("dst", "default") != "default"]
        start = zlib.crc32(self.id.encode())
        for i in range(32768):
            n = (start + i) % 32768
            pair = ipaddress.ip_network(f"10.{n >> 7}.{(n & 127) << 1}.0/23")
            if not any(pair.overlaps(u) for u in used):
                return tuple(pair.subnets())
        raise LabError("no free 10.x network")

    def _bridges(self, mgmt):
        for net in "mg":
            run(["ip", "link", "add", self.bridge(net), "type", "bridge"])
            run(["ip", "link", "set", self.bridge(net), "up"])
        run(["ip", "address", "add", f"{mgmt[1]}/24", "dev", self.bridge("m")])

    def use_libvirtd_env(self, env):
        """For a lab that is up: its libvirtds start again, with this added to their environment."""
        write_json(self.file, {**read_json(self.file), "libvirtd_env": env})
        self._load()
        each(lambda host: host.restart_libvirtd(), self.hosts.values())

    # --- down -------------------------------------------------------------------------------------------

    def down(self):
        """End the lab; also one that came up only half. True if there was one."""
        existed = os.path.isdir(self.dir)
        self._end_managers()
        each(lambda host: host.stop(), self.hosts.values())
        if self.id:
            for net in "mg":
                if os.path.exists(f"/sys/class/net/{self.bridge(net)}") and self.hosts:
                    run(["ip", "link", "delete", self.bridge(net)], check=False)
        if existed:
            self._check_ours()
            shutil.rmtree(self.dir)
        self.hosts = {}
        return existed

    def _check_ours(self):
        """Never remove a directory that is not a lab's."""
        known = {"lab.json", "lab.json.new", "hosts", "shared", "domains", "guest", "pki", "lock"}
        strange = set(os.listdir(self.dir)) - known
        if strange:
            raise LabError(f"{self.dir} holds {sorted(strange)[0]}, which is not the lab's: not removed")

    def _end_managers(self):
        for domain in self.domains():
            domain.kill_manager()

    # --- heal -------------------------------------------------------------------------------------------

    def heal(self, uuid=None):
        """Everything back to clean hosts without domains; with a uuid only that domain goes."""
        self.need_up()
        if uuid:
            self.domain(uuid).remove()
            return
        with locked(self.lock_file):
            self._end_managers()
            each(self._heal_host, self.hosts.values())
            for domain in self.domains():
                domain.forget()

    def _heal_host(self, host):
        host.remove_cuts()
        libvirtd = set(host.libvirtd())
        everything = host.processes()
        host.signal(everything, signal.SIGCONT)
        host.signal(set(everything) - libvirtd, signal.SIGKILL)
        configured = os.path.join(host.dir, "restart-at-heal")
        if not libvirtd or os.path.exists(configured) or not self._clean(host):
            self._fresh_libvirtd(host)
            if os.path.exists(configured):
                os.unlink(configured)

    def _clean(self, host):
        """Undefine what is left through libvirt itself; False if libvirtd does not do that soon."""
        if not host.libvirtd():
            return False

        def empty():
            if host.look(timeout=1).get("open", {}).get("hostname") != host.name:
                return False
            names = host.virsh("list", "--all", "--uuid", timeout=3).stdout.split()
            for name in names:
                host.try_virsh("destroy", name)
                host.try_virsh("undefine", name)
            return not names
        try:
            return wait_for(f"{host.name} to be clean", empty, 5, 0.1)
        except LabError:
            return False

    def _fresh_libvirtd(self, host):
        """A new libvirtd that knows of nothing. Its guests have been killed before."""
        host.kill_libvirtd()
        host.run("sh", "-c", "rm -rf /run/libvirt /run/libvirtd.pid /etc/libvirt/qemu && mkdir -p /run/libvirt")
        host.write_daemon_conf(self.keepalive)
        host.start_libvirtd()
        host.wait_ready()

    # --- domains ----------------------------------------------------------------------------------------

    def domains(self):
        folder = os.path.join(self.dir, "domains")
        if not os.path.isdir(folder):
            return []
        files = sorted(f for f in os.listdir(folder) if f.endswith(".json"))
        found = []
        for file in files:
            try:
                found.append(Domain(self, read_json(os.path.join(folder, file))))
            except (OSError, ValueError):
                continue    # removed just now
        return sorted(found, key=lambda d: d.name)

    def domain(self, uuid):
        for domain in self.domains():
            if uuid in (domain.uuid, domain.name):
                return domain
        raise LabError(f"no domain {uuid} in this lab")

    # --- what is printed ----------------------------------------------------------------------------------

    def env(self):
        self.need_up()
        return {"lab": self.id, "dir": self.dir, "network": self.network, "keepalive": self.keepalive,
                "hosts": [{"name": h.name, "hostname": h.name, "address": h.mgmt, "migration_address": h.mig,
                           "uri": h.uri, "tls_uri": h.tls_uri, "host_uuid": h.uuid, "pkipath": self.pki_client}
                          for h in self.hosts.values()]}

    def status(self):
        """What each host says about each domain, all hosts side by side."""
        def ask(host):
            running = host.init is not None
            seen = host.look(timeout=3) if running else {}
            answers = "hostname" in seen.get("open", {})
            domains = {d.uuid: host.look(d.uuid, timeout=3) for d in self.domains()} if answers else {}
            return {"host": host.name, "address": host.mgmt, "uri": host.uri, "tls_uri": host.tls_uri,
                    "up": running, "libvirt": "answers" if answers else seen.get("open", {}).get("text", "no answer"),
                    "domains": domains}
        answers = each(ask, self.hosts.values())
        names = [{"uuid": d.uuid, "instance_name": d.name, "scenario": d.facts.get("scenario"),
                  "source": d.facts.get("source"), "dest": d.facts.get("dest")} for d in self.domains()]
        return {"lab": self.id, "dir": self.dir, "hosts": answers, "domains": names}
