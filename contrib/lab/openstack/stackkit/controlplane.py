"""The services that are not on a host: started side by side, each one process."""
from labkit.util import LabError, wait_for

from .layout import FORWARD, PYTHON, SERVICE
from .procs import last_line
from .rest import answers

# name: (which API it answers, what it is started with); the slowest to start first
SERVICES = {"keystone": "identity", "neutron": "network", "nova-api": "compute", "nova-conductor": None,
            "nova-scheduler": None, "placement": "placement", "glance": "image"}
STARTS_S = 120


class ControlPlane:
    def __init__(self, stack):
        self.stack = stack
        self.procs = stack.procs
        self.layout = stack.layout

    def _options(self, name):
        if name in ("keystone", "neutron", "placement"):
            return [str(self.stack.ports[SERVICES[name]])]
        conf = "glance" if name == "glance" else "nova"
        return ["--config-file", self.layout.etc(f"{conf}.conf")]

    def start(self, *names):
        for name in names:
            self.procs.start(name, [PYTHON, SERVICE, name, *self._options(name)], self.layout.environment())

    def wait(self, *names):
        """Until each answers HTTP, or has reported."""
        for name in names:
            kind = SERVICES[name]
            if kind:
                wait_for(f"{name} (see {self.procs.log(name)})", lambda n=name, k=kind: self._answers(n, k), STARTS_S,
                         0.1)

    def _answers(self, name, kind):
        if not self.procs.pid(name):
            raise LabError(f"{name} ended: {last_line(self.procs.log(name))} (see {self.procs.log(name)})")
        return answers(self.stack.urls[kind])

    def forward(self):
        """Loopback inside the hosts leads to the control plane."""
        pids = [str(host.need_init()) for host in self.stack.lab.hosts.values()]
        ports = ",".join(str(self.stack.ports[p]) for p in
                         ("identity", "compute", "placement", "image", "network", "amqp"))
        self.procs.start("forward", [PYTHON, FORWARD, ports, *pids], self.layout.environment())
