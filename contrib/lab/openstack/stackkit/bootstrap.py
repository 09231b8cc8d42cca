"""What is in the databases before the first server: schemas, users, catalogue, images, a flavor, a network."""
import base64
import os
import secrets

from labkit.lab import each
from labkit.util import LabError, run

from .layout import PYTHON

REGION = "RegionOne"
CELL0, CELL1 = "00000000-0000-0000-0000-000000000000", "11111111-1111-4111-8111-111111111111"
SERVICES = {"compute": "nova", "placement": "placement", "image": "glance", "network": "neutron"}

MEMORY_MIB = 96         # with 64 the kernel of Debian 12 does not boot
CMDLINE = "console=ttyS0 quiet loglevel=0 edd=off mitigations=off nokaslr panic=-1 dirty={dirty} hot=8 cold=16"
IMAGES = {"lab": 6, "lab-idle": 0}     # MiB that a guest of this image dirties each second


def new_facts():
    return {"passwords": {user: secrets.token_hex(12) for user in ("admin", "service", "member", "reader")}}


def write_keys(layout):
    """Fernet keys as keystone-manage would make them: 0 is the next, 1 the current one."""
    for folder in ("keystone-keys", "credential-keys"):
        for name in "01":
            path = layout.path(folder, name)
            with open(path, "wb") as file:
                file.write(base64.urlsafe_b64encode(os.urandom(32)))
            os.chmod(path, 0o600)


class Bootstrap:
    def __init__(self, stack):
        self.stack = stack
        self.layout = stack.layout

    def _manage(self, name, *args, timeout=180):
        env = [f"{key}={value}" for key, value in self.layout.environment().items()]
        log = self.stack.procs.log("setup")
        done = run(["env", "-i", *env, PYTHON, f"/usr/bin/{name}", *args], timeout, check=False)
        with open(log, "a", encoding="utf-8") as file:
            file.write(f"--- {name} {' '.join(args)}\n{done.stdout}{done.stderr}")
        if done.returncode != 0:
            raise LabError(f"{name} failed with {done.returncode}: see {log}")

    def _nova(self, conf, *args):
        self._manage("nova-manage", "--config-file", self.layout.etc(conf), *args)

    # --- schemas ---------------------------------------------------------------------------------------------

    def schemas(self):
        """Side by side; the longest one first."""
        etc = self.layout.etc
        each(lambda job: job(), [
            lambda: self._manage("neutron-db-manage", "--config-file", etc("neutron.conf"), "upgrade", "heads"),
            self._keystone,
            lambda: self._nova("nova.conf", "api_db", "sync"),
            lambda: self._nova("nova.conf", "db", "sync", "--local_cell"),
            lambda: self._nova("cell0.conf", "db", "sync", "--local_cell"),
            lambda: self._manage("placement-manage", "--config-file", etc("placement.conf"), "db", "sync"),
            lambda: self._manage("glance-manage", "--config-file", etc("glance.conf"), "db", "sync")])

    def _keystone(self):
        conf = ("--config-file", self.layout.etc("keystone.conf"))
        url = self.stack.urls["identity"]
        self._manage("keystone-manage", *conf, "db_sync")
        self._manage("keystone-manage", *conf, "bootstrap", "--bootstrap-password",
                     self.stack.facts["passwords"]["admin"], "--bootstrap-region-id", REGION,
                     "--bootstrap-admin-url", url, "--bootstrap-internal-url", url, "--bootstrap-public-url", url)

    # --- Keystone ----------------------------------------------------------------------------------------------

    def accounts(self):
        """Users, projects, roles and the catalogue, through Keystone's API."""
        call = self.stack.admin.call
        passwords = self.stack.facts["passwords"]
        roles = {r["name"]: r["id"] for r in call("identity", "GET", "/roles")["roles"]}
        admin = call("identity", "GET", "/users?name=admin")["users"][0]["id"]
        projects = {"admin": call("identity", "GET", "/projects?name=admin")["projects"][0]["id"]}
        users = {"admin": admin}
        for name in ("service", "demo"):
            made = call("identity", "POST", "/projects", {"project": {"name": name, "domain_id": "default"}})
            projects[name] = made["project"]["id"]
        for name in ("service", "member", "reader"):
            made = call("identity", "POST", "/users", {"user": {"name": name, "domain_id": "default",
                                                               "password": passwords[name]}})
            users[name] = made["user"]["id"]
        for user, project, role in (("service", "service", "admin"), ("admin", "demo", "admin"),
                                    ("member", "demo", "member"), ("reader", "demo", "reader")):
            call("identity", "PUT", f"/projects/{projects[project]}/users/{users[user]}/roles/{roles[role]}")
        self.stack.facts.update(projects=projects, users=users)
        for kind, name in SERVICES.items():
            service = call("identity", "POST", "/services", {"service": {"type": kind, "name": name}})["service"]["id"]
            for interface in ("public", "internal", "admin"):
                call("identity", "POST", "/endpoints", {"endpoint": {
                    "service_id": service, "interface": interface, "region_id": REGION,
                    "url": self.stack.urls[kind]}})

    # --- what servers are made of --------------------------------------------------------------------------------

    def things(self):
        self.stack.facts.update(images=self._images(), flavors={"lab": self._flavor()}, **self._network())

    def _image(self, name, kind, data, **properties):
        call = self.stack.admin.call
        made = call("image", "POST", "/v2/images", {"name": name, "container_format": kind, "disk_format": kind,
                                                    "visibility": "public", **properties})["id"]
        call("image", "PUT", f"/v2/images/{made}/file", data, headers={"Content-Type": "application/octet-stream"})
        return made

    def _images(self):
        guest = os.path.join(self.stack.lab.dir, "guest")
        made = {}
        for name, file, kind in (("lab-kernel", "vmlinuz", "aki"), ("lab-initrd", "initrd", "ari")):
            with open(os.path.join(guest, file), "rb") as data:
                made[name] = self._image(name, kind, data.read())
        for name, dirty in IMAGES.items():
            made[name] = self._image(name, "bare", bytes(1 << 20), disk_format="raw", kernel_id=made["lab-kernel"],
                                     ramdisk_id=made["lab-initrd"], os_command_line=CMDLINE.format(dirty=dirty),
                                     hw_machine_type="pc", hw_disk_bus="virtio", hw_vif_model="virtio")
        return made

    def _flavor(self):
        return self.stack.admin.nova("POST", "/flavors", {"flavor": {
            "name": "lab", "ram": MEMORY_MIB, "vcpus": 1, "disk": 0}})["flavor"]["id"]

    def _network(self):
        call = self.stack.admin.call
        network = call("network", "POST", "/v2.0/networks", {"network": {
            "name": "lab", "shared": True, "provider:network_type": "local"}})["network"]["id"]
        call("network", "POST", "/v2.0/subnets", {"subnet": {
            "network_id": network, "name": "lab", "ip_version": 4, "cidr": "10.190.0.0/16", "enable_dhcp": False,
            "gateway_ip": None}})
        return {"network": network}

    # --- cells ---------------------------------------------------------------------------------------------------

    def cells(self):
        """Nova's two cells and which host is in which, as nova-manage cell_v2 would write them."""
        database, broker = self.stack.database, self.stack.broker
        rows = [(CELL0, "cell0", "none:///", database.url("nova_cell0")),
                (CELL1, "cell1", broker.url, database.url("nova"))]
        statements = ["DELETE FROM host_mappings;"]
        for uuid, name, transport, url in rows:
            statements.append("INSERT INTO cell_mappings (created_at, uuid, name, transport_url, database_connection, "
                              f"disabled) VALUES (NOW(), '{uuid}', '{name}', '{transport}', '{url}', 0) ON DUPLICATE "
                              f"KEY UPDATE transport_url = '{transport}', database_connection = '{url}';")
        for host in self.stack.lab.hosts:
            statements.append("INSERT INTO host_mappings (created_at, host, cell_id) "
                              f"SELECT NOW(), '{host}', id FROM cell_mappings WHERE uuid = '{CELL1}';")
        database.sql("\n".join(statements), "nova_api")

    def moved(self):
        """A database that was made elsewhere: this stack's ports and paths into it."""
        statements = [f"UPDATE endpoint, service SET endpoint.url = '{url}' "
                      f"WHERE endpoint.service_id = service.id AND service.type = '{kind}';"
                      for kind, url in self.stack.urls.items()]
        self.stack.database.sql("\n".join(statements), "keystone")
        self.stack.database.sql(f"UPDATE image_locations SET value = CONCAT('file://{self.layout.path('glance')}/', "
                                "SUBSTRING_INDEX(value, '/', -1))", "glance")
        self.cells()
