"""One nova-compute, inside the namespaces of a host of the lab."""
import os
import signal

from labkit.host import process_fields
from labkit.util import LabError, wait_for

from .config import ini
from .layout import PYTHON, SERVICE
from .procs import last_line

STARTS_S = 90


class Compute:
    def __init__(self, stack, host):
        self.stack = stack
        self.host = host
        self.name = f"nova-compute-{host.name}"

    def _found(self):
        return [pid for pid, words in self.host.processes().items()
                if len(words) > 2 and words[1] == SERVICE and words[2] == "nova-compute"]

    @property
    def pid(self):
        """The pid as seen from outside; also of one that is stopped."""
        return self.stack.procs.pid(self.name)

    def need(self):
        return self.stack.procs.need(self.name)

    def start(self, extra=None, wait=True):
        """Start it, with further options {section: {name: value}}; wait until Nova has heard of it."""
        if self._found():
            raise LabError(f"{self.name} runs already")
        conf = [self.stack.layout.etc(f"nova-{self.host.name}.conf")]
        if extra:
            conf.append(self.stack.layout.etc(f"nova-{self.host.name}-extra.conf"))
            with open(conf[1], "w", encoding="utf-8") as file:
                file.write(ini(extra))
        since = self.stack.database_now()
        env = [f"{key}={value}" for key, value in self.stack.layout.environment().items() if key != "TMPDIR"]
        options = [word for path in conf for word in ("--config-file", path)]
        # The shell ends at once: nova-compute is a child of the host's first process. With nsenter as its parent
        # a nova-compute that is stopped would stop nsenter too.
        self.host.run("sh", "-c", 'log=$1; shift; setsid env -i "$@" </dev/null >>"$log" 2>&1 &', "sh",
                      self.stack.procs.log(self.name), *env, PYTHON, SERVICE, "nova-compute", *options)
        pid = wait_for(f"{self.name} to start", self._found, 10)[0]
        fields = process_fields(pid)
        if fields is None:
            raise LabError(f"{self.name} ended at once: see {self.stack.procs.log(self.name)}")
        self.stack.procs.note(self.name, pid, fields[0])
        if wait:
            self.wait_ready(since)

    def wait_ready(self, since):
        """It has reported after the given time of the database: its init is done, it takes requests."""
        log = self.stack.procs.log(self.name)

        def reported():
            if not self.pid:
                raise LabError(f"{self.name} ended: {last_line(log)} (see {log})")
            return self.stack.reported(self.host.name, since)
        wait_for(f"{self.name} to report (see {log})", reported, STARTS_S, 0.3)

    def kill(self):
        """kill -9; its pid."""
        pid = self.need()
        os.kill(pid, signal.SIGKILL)
        wait_for(f"the end of {self.name}", lambda: process_fields(pid) is None, 10)
        return pid

    def stop(self):
        """SIGSTOP; its pid."""
        self.stack.procs.signal(self.name, signal.SIGSTOP)
        return self.pid

    def wake(self):
        self.stack.procs.signal(self.name, signal.SIGCONT)

    @property
    def stopped(self):
        pid = self.pid
        if not pid:
            return False
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
                return file.read().rpartition(")")[2].split()[0] == "T"
        except OSError:
            return False
