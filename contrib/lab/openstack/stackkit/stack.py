"""A whole stack: up, down, heal, and everything a test does to it. Its state is a directory inside the lab's."""
import os
import shutil
import signal
import threading
import time

from labkit.lab import each
from labkit.util import LabError, read_json, wait_for, write_json

from . import bootstrap, files, layout
from .bootstrap import Bootstrap
from .broker import Broker
from .compute import Compute
from .config import DOWN, Config
from .controlplane import SERVICES, ControlPlane
from .database import Database
from .layout import Layout
from .procs import Processes
from .rest import Cloud
from .servers import Servers
from .snapshot import Snapshot

KEEPALIVE = [1, 4]
USERS = {"admin": "admin", "demo-admin": "demo", "member": "demo", "reader": "demo"}    # cloud: project


class Stack(Servers):
    """lab is a labkit Lab, up or not."""

    def __init__(self, lab):
        self.lab = lab
        self.layout = Layout(lab.dir)
        self.procs = Processes(self.layout.path("run"), self.layout.path("logs"))
        self.ports = None
        self.facts = {}
        self.computes = {}
        self._clouds = {}
        if os.path.exists(self.layout.file):
            self._load()

    # --- state ------------------------------------------------------------------------------------------------

    def _load(self):
        try:
            state = read_json(self.layout.file)
            self.ports = state["ports"]
            self.facts = state["facts"]
        except (OSError, ValueError, KeyError) as err:
            raise LabError(f"cannot read {self.layout.file}: {err}") from None
        self._parts()

    def save(self):
        write_json(self.layout.file, {"ports": self.ports, "facts": self.facts})

    def _parts(self):
        self.urls = layout.urls(self.ports)
        self.database = Database(self.layout, self.procs)
        self.broker = Broker(self.layout, self.procs, self.ports)
        self.plane = ControlPlane(self)
        self.computes = {name: Compute(self, host) for name, host in self.lab.hosts.items()}

    @property
    def exists(self):
        return self.ports is not None

    def need_up(self):
        if not self.exists:
            raise LabError(f"no OpenStack in {self.lab.dir}: run 'openstack up' first")
        self.lab.need_up()

    def compute(self, name):
        """A nova-compute by its host's name or letter."""
        return self.computes[self.lab.host(name).name]

    # --- up ---------------------------------------------------------------------------------------------------

    def up(self, fresh=False):
        """Seconds it took; False when it is up already. fresh: do not use the snapshot."""
        if self.exists:
            missing = [n for n in ("mariadb", "rabbitmq", "forward", *SERVICES) if not self.procs.pid(n)]
            if missing or not all(h.init for h in self.lab.hosts.values()):
                raise LabError(f"the OpenStack in {self.lab.dir} is broken ({' '.join(missing) or 'no host'}): "
                               "run 'openstack down' first")
            return False
        started = time.monotonic()
        lab_was_up = bool(self.lab.hosts)
        try:
            self._make(fresh)
        except BaseException:
            # the message names a log, which is then in kept_logs
            self._save_logs()
            self.down(keep_lab=lab_was_up)
            raise
        return time.monotonic() - started

    def _make(self, fresh):
        lab_up = self._lab_up()
        self.layout.make()
        self.ports = layout.choose_ports(self.lab.id)
        self.save()
        self._parts()
        self.broker.start()
        facts = None if fresh else Snapshot(self.lab, self.layout).restore()
        self.facts = facts or bootstrap.new_facts()
        self.save()
        self._write_config()
        if facts:
            self._restored()
        else:
            self._first_time()
        lab_up()
        self._parts()
        self.plane.forward()
        since = self.database_now()
        self.broker.wait()
        each(lambda c: c.start(), self.computes.values())
        each(lambda n: wait_for(f"{n} to report (see {self.procs.log(n)})",
                                lambda: self.reported("control", None, n), 90, 0.3),
             ("nova-conductor", "nova-scheduler"))
        self.plane.wait(*SERVICES)
        if not facts:
            self._keep()
        self.save()
        files.write(self)
        return since

    def _lab_up(self):
        """Bring the lab up beside; a function that waits for it."""
        env = {"LD_PRELOAD": self.lab.cache.shared_shim}
        failed = []

        def work():
            try:
                if self.lab.up(2, KEEPALIVE, keep=True, libvirtd_env=env) is False:
                    self.lab.use_libvirtd_env(env)
            except BaseException as err:      # told by whoever waits
                failed.append(err)
        thread = threading.Thread(target=work)
        thread.start()
        wait_for("the lab to begin", lambda: failed or self.lab.hosts or not thread.is_alive(), 60)

        def wait():
            thread.join()
            if failed:
                raise failed[0]
        if failed:
            wait()
        return wait

    def _write_config(self):
        Config(self.layout, self.database, self.broker, self.urls, self.ports,
               self.facts["passwords"]["service"]).write(list(self.lab.hosts))

    def _restored(self):
        self.database.start()
        Bootstrap(self).moved()
        self._fresh_services()
        self.broker.wait()
        self.plane.start(*SERVICES)

    def _fresh_services(self):
        """Services of the kept database have last reported long ago; say never, so that waits see only new reports."""
        self.database.sql("UPDATE services SET last_seen_up = NULL, updated_at = NULL", "nova")

    def _first_time(self):
        boot = Bootstrap(self)
        bootstrap.write_keys(self.layout)
        self.database.create()
        self.database.start()
        self.database.create_schemas()
        boot.schemas()
        boot.cells()
        self.plane.start("keystone")
        self.plane.wait("keystone")
        boot.accounts()
        self.broker.wait()
        rest = [name for name in SERVICES if name != "keystone"]
        self.plane.start(*rest)
        self.plane.wait("glance", "neutron", "nova-api")
        wait_for("the guest's kernel", lambda: os.path.exists(os.path.join(self.lab.dir, "guest", "initrd")), 60)
        boot.things()

    def _keep(self):
        """The services outlive the short absence of their database: they connect again."""
        self.database.stop()
        Snapshot(self.lab, self.layout).keep(self.facts)
        self.database.start()

    @property
    def kept_logs(self):
        return f"{self.lab.dir}-openstack-logs"

    def _save_logs(self):
        """A stack that did not come up leaves its logs beside the lab."""
        logs = self.layout.path("logs")
        if os.path.isdir(logs):
            shutil.rmtree(self.kept_logs, ignore_errors=True)
            shutil.copytree(logs, self.kept_logs)

    # --- down -------------------------------------------------------------------------------------------------

    def down(self, keep_lab=False):
        """End everything that was started, remove the stack's directory, then the lab. True if there was one."""
        existed = os.path.isdir(self.layout.dir)
        for compute in self.computes.values():
            self.procs.kill(compute.name) if compute.pid else self.procs.forget(compute.name)
        names = self.procs.names()
        each(self.procs.kill, [n for n in names if n not in ("mariadb", "epmd")])
        each(self.procs.kill, [n for n in names if n in ("mariadb", "epmd")])
        if existed:
            shutil.rmtree(self.layout.dir)
        self.ports = None
        if not keep_lab:
            existed = self.lab.down() or existed
        return existed

    # --- what Nova has heard ------------------------------------------------------------------------------------

    def database_now(self):
        return self.database.sql("SELECT UTC_TIMESTAMP()")[0][0]

    def reported(self, host, since, binary="nova-compute"):
        """A service has reported (after a time, in the database's words)."""
        after = f"AND last_seen_up > '{since}'" if since else "AND last_seen_up IS NOT NULL"
        return bool(self.database.sql(f"SELECT 1 FROM services WHERE host = '{host}' AND `binary` = '{binary}' "
                                      f"AND deleted = 0 {after}", "nova"))

    def sql(self, statements, schema="nova"):
        """Rows of a query as lists of words."""
        return self.database.sql(statements, schema)

    # --- users ----------------------------------------------------------------------------------------------------

    def cloud(self, name="admin"):
        """The APIs as admin, demo-admin, member or reader see them."""
        if name not in self._clouds:
            user = "admin" if name == "demo-admin" else name
            self._clouds[name] = Cloud(self.urls, user, self.facts["passwords"][user], USERS[name])
        return self._clouds[name]

    @property
    def admin(self):
        return self.cloud("admin")

    # --- services ---------------------------------------------------------------------------------------------------

    def services(self):
        """nova-compute services by host, as Nova lists them."""
        found = self.admin.nova("GET", "/os-services?binary=nova-compute")["services"]
        return {service["host"]: service for service in found}

    def wait_service(self, host, state, timeout=DOWN + 15):
        wait_for(f"Nova to call nova-compute on {host} {state}",
                 lambda: self.services()[host]["state"] == state, timeout, 0.5)

    def force_down(self, host, value=True):
        service = self.services()[self.lab.host(host).name]["id"]
        return self.admin.nova("PUT", f"/os-services/{service}", {"forced_down": value})

    def kill_compute(self, host):
        return self.compute(host).kill()

    def start_compute(self, host, extra=None, wait=True):
        self.compute(host).start(extra, wait)

    def stop_service(self, name, number=signal.SIGKILL):
        """Kill a service of the control plane, or stop it (SIGSTOP); its pid."""
        pid = self.procs.need(name)
        if number == signal.SIGKILL:
            self.procs.kill(name)
        else:
            self.procs.signal(name, number)
        return pid

    def start_service(self, name, wait=True):
        """Start again what stop_service ended, or wake it."""
        if self.procs.pid(name):
            self.procs.signal(name, signal.SIGCONT)
        elif name == "mariadb":
            self.database.start()
        elif name == "rabbitmq":
            self.procs.kill("epmd")
            self.broker.start()
            self.broker.wait()
        else:
            self.plane.start(name)
        if wait and name in SERVICES:
            self.plane.wait(name)

    def stop_conductor(self):
        return self.stop_service("nova-conductor")

    def start_conductor(self):
        self.start_service("nova-conductor")

    # --- what is printed ------------------------------------------------------------------------------------------

    def env(self):
        self.need_up()
        return files.environment(self)

    def status(self):
        names = ("mariadb", "rabbitmq", "epmd", "forward", *SERVICES, *(c.name for c in self.computes.values()))
        return {name: self.procs.pid(name) for name in names}
