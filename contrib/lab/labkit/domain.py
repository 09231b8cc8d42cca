"""A guest of the lab, defined as Nova defines it."""
import os
import shutil
import signal
import subprocess
import time
import uuid as uuidlib

from . import qmp
from .util import LabError, locked, read_json, wait_for, write_json

MEMORY_MIB = 96         # with 64 the kernel of Debian 12 does not boot

XML = """\
<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>{name}</name>
  <uuid>{uuid}</uuid>
  <metadata>
    <nova:instance xmlns:nova="http://openstack.org/xmlns/libvirt/nova/1.1">
      <nova:package version="26.2.2"/>
      <nova:name>{display_name}</nova:name>
      <nova:creationTime>{created}</nova:creationTime>
      <nova:flavor name="lab">
        <nova:memory>{memory}</nova:memory>
        <nova:disk>0</nova:disk>
        <nova:swap>0</nova:swap>
        <nova:ephemeral>0</nova:ephemeral>
        <nova:vcpus>1</nova:vcpus>
      </nova:flavor>
      <nova:owner>
        <nova:user uuid="{user}">lab</nova:user>
        <nova:project uuid="{project}">lab</nova:project>
      </nova:owner>
      <nova:ports/>
    </nova:instance>
  </metadata>
  <memory unit='MiB'>{memory}</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='pc'>hvm</type>
    <kernel>{lab}/guest/vmlinuz</kernel>
    <initrd>{lab}/guest/initrd</initrd>
    <cmdline>console=ttyS0 quiet loglevel=0 edd=off mitigations=off nokaslr panic=-1 {options}</cmdline>
  </os>
  <features><acpi/></features>
  <clock offset='utc'/>
  <on_poweroff>destroy</on_poweroff>
  <on_reboot>restart</on_reboot>
  <on_crash>destroy</on_crash>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/>
      <source file='{disk}'/>
      <target dev='vda' bus='virtio'/>
    </disk>
    <controller type='usb' model='none'/>
    <serial type='pty'>
      <log file='/var/log/libvirt/console/{name}.log' append='off'/>
    </serial>
    <memballoon model='none'/>
  </devices>
  <qemu:commandline>
    <qemu:arg value='-chardev'/>
    <qemu:arg value='socket,id=labtruth,path=/run/lab/{name}.qmp,server=on,wait=off'/>
    <qemu:arg value='-mon'/>
    <qemu:arg value='chardev=labtruth,mode=control'/>
  </qemu:commandline>
</domain>
"""


class Domain:
    """facts: uuid, name, project, user, locked, scenario, source, dest, manager."""

    def __init__(self, lab, facts):
        self.lab = lab
        self.facts = facts
        self.uuid = facts["uuid"]
        self.name = facts["name"]

    @classmethod
    def create(cls, lab, uuid=None, name=None, project=None, user=None, lock=True):
        """A new guest: its disk and its record; nothing is defined yet."""
        folder = os.path.join(lab.dir, "domains")
        with locked(lab.lock_file):
            counter = os.path.join(lab.dir, "domains", "counter")
            number = (read_json(counter) if os.path.exists(counter) else 0) + 1
            write_json(counter, number)
            try:
                uuid = str(uuidlib.UUID(uuid)) if uuid else str(uuidlib.uuid4())
            except ValueError:
                raise LabError(f"{uuid} is not a UUID") from None
            if os.path.exists(os.path.join(folder, f"{uuid}.json")):
                raise LabError(f"there is a domain {uuid} already")
            domain = cls(lab, {"uuid": uuid, "name": name or f"instance-{number:08x}",
                               "project": project or uuidlib.uuid4().hex, "user": user or uuidlib.uuid4().hex,
                               "locked": lock, "manager": None})
            domain.save()
        domain.make_disks()
        return domain

    @property
    def record(self):
        return os.path.join(self.lab.dir, "domains", f"{self.uuid}.json")

    @property
    def manager_log(self):
        return os.path.join(self.lab.dir, "domains", f"{self.uuid}.migrate.log")

    def save(self):
        write_json(self.record, self.facts)

    def note(self, **facts):
        self.facts.update(facts)
        self.save()

    # --- disk -------------------------------------------------------------------------------------------

    # One file that all hosts see has QEMU's image lock. Without a lock each host has a file of its
    # own under the same path: to QEMU that looks as a LUN or an RBD image without exclusive-lock does.

    @property
    def disk(self):
        kind = "instances" if self.facts["locked"] else "unlocked"
        return f"/var/lib/nova/{kind}/{self.uuid}/disk"

    def disk_folders(self):
        if self.facts["locked"]:
            return [os.path.join(self.lab.shared, self.uuid)]
        return [os.path.join(h.dir, "var/lib/nova/unlocked", self.uuid) for h in self.lab.hosts.values()]

    def make_disks(self):
        for folder in self.disk_folders():
            os.makedirs(folder)
            with open(os.path.join(folder, "disk"), "wb") as file:
                file.truncate(4 << 20)

    # --- life -------------------------------------------------------------------------------------------

    def define(self, host, dirty=20, hot=8):
        xml = XML.format(name=self.name, uuid=self.uuid, display_name=f"vm-{self.name}", memory=MEMORY_MIB,
                         created=time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime()), user=self.facts["user"],
                         project=self.facts["project"], lab=self.lab.dir, disk=self.disk,
                         options=f"dirty={dirty} hot={hot} cold=16")
        host.virsh("define", "/proc/self/fd/0", stdin=xml)

    def start(self, host, wait=True):
        host.virsh("start", self.uuid, timeout=60)
        if wait:
            self.wait_guest(host)

    def console(self, host):
        path = os.path.join(host.dir, "var/log/libvirt/console", f"{self.name}.log")
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def wait_guest(self, host, timeout=45):
        """The guest's own program has begun to tick."""
        wait_for(f"the guest {self.name} to boot on {host.name}", lambda: "tick 1" in self.console(host), timeout)

    def truth(self):
        return {host.name: host.truth(self.name) for host in self.lab.hosts.values()}

    # --- migration --------------------------------------------------------------------------------------

    def manager_pids(self):
        """The running `virsh migrate` of this guest: what a nova-compute is to a real one."""
        known = self.facts.get("manager")
        if not known:
            return []
        host = self.lab.hosts[known["host"]]
        return [pid for pid, words in host.processes().items()
                if os.path.basename(words[0]) == "virsh" and "migrate" in words and self.uuid in words]

    def kill_manager(self):
        pids = self.manager_pids()
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        if pids:
            wait_for("the end of the manager", lambda: not self.manager_pids(), 5)

    def manager_started(self, source, dest, options):
        """Start `virsh migrate` inside the source and let it run on by itself."""
        log = os.open(self.manager_log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        try:
            subprocess.Popen(source.inside("virsh", "-q", "-c", "qemu:///system", "migrate", "--live", "--p2p",
                                           "--unsafe", *options, self.uuid, f"qemu+tcp://{dest.name}/system"),
                             stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", start_new_session=True)
        finally:
            os.close(log)
        self.note(manager={"host": source.name}, source=source.name, dest=dest.name)
        wait_for("the manager to start", lambda: self.manager_pids() or self.manager_message(), 5, 0.01)

    def manager_message(self):
        try:
            with open(self.manager_log, encoding="utf-8", errors="replace") as file:
                return file.read().strip()
        except FileNotFoundError:
            return ""

    def qmp(self, host):
        return qmp.Qmp(host.qmp_path(self.name))

    # --- end --------------------------------------------------------------------------------------------

    def remove(self):
        """Kill and undefine this guest everywhere, whatever state it is in."""
        self.kill_manager()
        for host in self.lab.hosts.values():
            host.kill_qemu(self.name)
        for host in self.lab.hosts.values():
            self._undefine(host)
        self.forget()

    def _undefine(self, host):
        def gone():
            seen = host.look(self.uuid, timeout=2).get("lookup", {})
            if seen.get("error") == 42:
                return True
            if seen.get("found"):
                host.try_virsh("destroy", self.uuid)
                host.try_virsh("undefine", self.uuid)
            return False
        wait_for(f"{self.name} to be gone from {host.name} (a daemon that is down or hung needs 'lab heal')",
                 gone, 30, 0.1)

    def forget(self):
        for folder in self.disk_folders():
            shutil.rmtree(folder, ignore_errors=True)
        for path in (self.manager_log, self.record):
            try:
                os.unlink(path)
            except FileNotFoundError:
                pass

