"""The second QMP socket of a lab guest: the truth, independent of libvirt."""
import json
import socket

from .util import LabError


class Mute(LabError):
    """QEMU is there and does not answer (stopped)."""


class Gone(LabError):
    """There is no QEMU."""


class Qmp:
    def __init__(self, path, timeout=3):
        self.buffer = b""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(timeout)
        try:
            self.sock.connect(path)
        except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError):
            self.sock.close()
            raise Gone("no QEMU") from None
        except OSError:
            self.sock.close()
            raise Mute("QEMU does not accept") from None
        try:
            self._line()
            self.call("qmp_capabilities")
        except LabError:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.sock.close()

    def _line(self):
        while b"\n" not in self.buffer:
            try:
                more = self.sock.recv(65536)
            except TimeoutError:
                raise Mute("QEMU does not answer") from None
            except OSError:
                more = b""
            if not more:
                raise Gone("QEMU went away")
            self.buffer += more
        line, self.buffer = self.buffer.split(b"\n", 1)
        return json.loads(line)

    def call(self, command, **arguments):
        request = {"execute": command}
        if arguments:
            request["arguments"] = arguments
        try:
            self.sock.sendall(json.dumps(request).encode() + b"\n")
        except OSError:
            raise Gone("QEMU went away") from None
        while True:
            reply = self._line()
            if "return" in reply:
                return reply["return"]
            if "error" in reply:
                raise LabError(f"QMP {command}: {reply['error'].get('desc')}")


def truth(path, timeout=3):
    """What QEMU itself says: {"qemu": "answers", "status": ..., "migrate": ...}."""
    try:
        with Qmp(path, timeout) as qmp:
            status = qmp.call("query-status")
            migrate = qmp.call("query-migrate")
    except Gone:
        return {"qemu": "gone", "status": None, "migrate": None}
    except Mute:
        return {"qemu": "mute", "status": None, "migrate": None}
    return {"qemu": "answers", "status": status.get("status"), "running": status.get("running"),
            "migrate": migrate.get("status", "none"), "query_migrate": migrate}
