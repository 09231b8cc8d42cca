"""Where everything of a stack is, and the ports it listens on."""
import os
import socket
import zlib

from labkit.util import LabError

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SERVICE = os.path.join(HERE, "service")
FORWARD = os.path.join(HERE, "host", "forward")
PYTHON = "/usr/bin/python3"     # Debian's: the OpenStack packages are its modules

APIS = ("identity", "compute", "placement", "image", "network")
PORTS = (*APIS, "amqp", "erlang", "epmd")
FIRST_PORT, BLOCKS = 20000, 1000    # below the ephemeral ports
PATHS = {"identity": "/v3", "compute": "/v2.1", "placement": "", "image": "", "network": ""}


def free(port):
    with socket.socket() as sock:
        try:
            sock.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def choose_ports(name):
    """A block of free ports; the same one for the same name, unless somebody has it."""
    start = zlib.crc32(name.encode())
    for i in range(BLOCKS):
        base = FIRST_PORT + (start + i) % BLOCKS * 10
        if all(free(base + n) for n in range(len(PORTS))):
            return {port: base + n for n, port in enumerate(PORTS)}
    raise LabError(f"no {len(PORTS)} free ports from {FIRST_PORT} on")


def urls(ports):
    return {name: f"http://127.0.0.1:{ports[name]}{PATHS[name]}" for name in APIS}


class Layout:
    """The stack's own directory inside the lab's."""

    FOLDERS = ("run", "logs", "etc", "home", "state", "locks", "mysql", "rabbitmq", "glance", "glance-staging",
               "keystone-keys", "credential-keys", "tmp")

    def __init__(self, lab_dir):
        self.dir = os.path.join(lab_dir, "openstack")
        self.socket = self.path("mysql.sock")
        self.file = self.path("stack.json")

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def etc(self, name):
        return self.path("etc", name)

    def make(self):
        if len(self.socket) > 100:
            raise LabError(f"{self.dir} is too long a path for a socket")
        os.makedirs(self.dir, mode=0o700)
        for folder in self.FOLDERS:
            os.makedirs(self.path(folder), mode=0o700, exist_ok=True)

    def environment(self):
        """What a service sees of this environment: nothing, least of all a proxy."""
        return {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8",
                "HOME": self.path("home"), "XDG_CACHE_HOME": self.path("home", "cache"), "TMPDIR": self.path("tmp"),
                "PYTHONWARNINGS": "ignore", "PYTHONDONTWRITEBYTECODE": "1",
                "OS_KEYSTONE_CONFIG_DIR": self.path("etc"),
                "OS_PLACEMENT_CONFIG_DIR": self.path("etc"), "OS_NEUTRON_CONFIG_DIR": self.path("etc"),
                "OS_NEUTRON_CONFIG_FILES": "neutron.conf", "PYTHONPATH": os.path.join(HERE, "neutron")}
