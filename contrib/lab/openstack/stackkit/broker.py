"""The stack's own RabbitMQ, and the epmd it needs; both on loopback only."""
import socket

from labkit.util import wait_for

SERVER = "/usr/lib/rabbitmq/bin/rabbitmq-server"    # /usr/sbin's is a wrapper that changes the user


class Broker:
    def __init__(self, layout, procs, ports):
        self.layout = layout
        self.procs = procs
        self.ports = ports

    @property
    def url(self):
        return f"rabbit://guest:guest@127.0.0.1:{self.ports['amqp']}/"

    def environment(self):
        home = self.layout.path("rabbitmq")
        return {**self.layout.environment(), "HOME": home, "RUNNING_UNDER_SYSTEMD": "1",    # no shell in between
                "RABBITMQ_NODENAME": f"lab{self.ports['amqp']}@localhost", "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
                "RABBITMQ_NODE_PORT": str(self.ports["amqp"]), "RABBITMQ_DIST_PORT": str(self.ports["erlang"]),
                "ERL_EPMD_PORT": str(self.ports["epmd"]), "ERL_EPMD_ADDRESS": "127.0.0.1",
                "RABBITMQ_MNESIA_BASE": home, "RABBITMQ_LOG_BASE": self.layout.path("logs"),
                "RABBITMQ_ENABLED_PLUGINS_FILE": f"{home}/enabled_plugins", "RABBITMQ_CONFIG_FILE": f"{home}/rabbitmq",
                "RABBITMQ_PID_FILE": f"{home}/pid", "RABBITMQ_CONF_ENV_FILE": f"{home}/env.conf",
                # Idle Erlang schedulers spin for a while: not on two cores.
                "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+sbwt none +sbwtdcpu none +sbwtdio none +S 2:2 "
                                                       "-kernel inet_dist_use_interface {127,0,0,1}"}

    def start(self):
        env = self.environment()
        self.procs.start("epmd", ["epmd", "-port", env["ERL_EPMD_PORT"], "-address", "127.0.0.1"], env)
        self.procs.start("rabbitmq", [SERVER], env)

    def answers(self):
        """AMQP is spoken there (the port is open some time before)."""
        self.procs.need("rabbitmq")
        try:
            with socket.create_connection(("127.0.0.1", self.ports["amqp"]), 2) as sock:
                sock.sendall(b"AMQP\x00\x00\x09\x01")
                return sock.recv(1) == b"\x01"
        except OSError:
            return False

    def wait(self, timeout=90):
        wait_for(f"RabbitMQ (see {self.procs.log('rabbitmq')})", self.answers, timeout, 0.2)

    def stop(self):
        self.procs.kill("rabbitmq")     # it has nothing to keep
        self.procs.kill("epmd")
