"""Processes that outlive the command that started them; each is recorded, and ended by its pid."""
import os
import signal
import subprocess

from labkit.host import process_fields
from labkit.util import LabError, read_json, wait_for, write_json

_started = []       # kept: a Popen that is collected while its process runs complains


def session_of(pid):
    """(session, start time) of a process, or None when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            stat = file.read().rpartition(")")[2].split()
    except OSError:
        return None
    return None if stat[0] in "ZX" else (int(stat[3]), int(stat[19]))


def last_line(path):
    """The last line of a log that says something, for a message."""
    try:
        with open(path, "rb") as file:
            file.seek(max(0, os.path.getsize(path) - 4000))
            lines = file.read().decode(errors="replace").split("\n")
    except OSError:
        return "no log"
    return next((line.strip()[-300:] for line in reversed(lines) if line.strip()), "an empty log")


class Processes:
    def __init__(self, folder, logs):
        self.folder = folder
        self.logs = logs

    def log(self, name):
        return os.path.join(self.logs, f"{name}.log")

    def _record(self, name):
        return os.path.join(self.folder, f"{name}.json")

    def names(self):
        if not os.path.isdir(self.folder):
            return []
        return sorted(f[:-5] for f in os.listdir(self.folder) if f.endswith(".json"))

    def start(self, name, argv, env):
        """Start a process in a session of its own."""
        if self.pid(name):
            raise LabError(f"{name} runs already")
        with open(self.log(name), "ab") as log:
            process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env, cwd="/",
                                       start_new_session=True)
        _started.append(process)
        fields = process_fields(process.pid)
        self.note(name, process.pid, fields[0] if fields else 0)
        return process.pid

    def note(self, name, pid, start):
        write_json(self._record(name), {"pid": pid, "start": start})

    def pid(self, name):
        """The pid of a process that runs, else None; a pid given to somebody else since is not taken for it."""
        try:
            known = read_json(self._record(name))
        except (OSError, ValueError):
            return None
        fields = process_fields(known["pid"])
        return known["pid"] if fields and fields[0] == known["start"] else None

    def need(self, name):
        pid = self.pid(name)
        if pid is None:
            raise LabError(f"{name} does not run: {last_line(self.log(name))} (see {self.log(name)})")
        return pid

    def members(self, name):
        """The process and what it started: all of its session. The kernel gives a session's number to nobody else."""
        try:
            known = read_json(self._record(name))
        except (OSError, ValueError):
            return []
        found = []
        for entry in os.listdir("/proc"):
            seen = session_of(entry) if entry.isdigit() else None
            if seen and seen[0] == known["pid"] and seen[1] >= known["start"] > 0:
                found.append(int(entry))
        return found

    def signal(self, name, number):
        os.kill(self.need(name), number)

    def kill(self, name):
        """End it at once."""
        for pid in self.members(name):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        wait_for(f"the end of {name}", lambda: not self.members(name), 10)
        self.forget(name)

    def stop(self, name, timeout=15):
        """Ask it to end; kill it when it does not."""
        pid = self.pid(name)
        if pid:
            for number in (signal.SIGTERM, signal.SIGCONT):
                try:
                    os.kill(pid, number)
                except ProcessLookupError:
                    pass
            try:
                wait_for(f"the end of {name}", lambda: not self.members(name), timeout)
            except LabError:
                pass    # killed below
        self.kill(name)

    def forget(self, name):
        try:
            os.unlink(self._record(name))
        except FileNotFoundError:
            pass
