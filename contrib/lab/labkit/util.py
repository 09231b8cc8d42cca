"""Small helpers: commands with a deadline, waits that end, locks."""
import contextlib
import fcntl
import json
import os
import socket
import subprocess
import time


class LabError(Exception):
    """A failure that is told to the user in one line."""


def run(args, timeout=30, check=True, stdin=None):
    """Run a command; return its result. Never waits longer than timeout seconds."""
    try:
        done = subprocess.run(args, input=stdin, stdin=subprocess.DEVNULL if stdin is None else None,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=timeout, cwd="/", check=False)
    except subprocess.TimeoutExpired:
        raise LabError(f"no end within {timeout} s: {' '.join(args)}") from None
    except OSError as err:
        raise LabError(f"cannot run {args[0]}: {err.strerror}") from None
    if check and done.returncode != 0:
        why = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
        raise LabError(f"{' '.join(args)}: {why}")
    return done


def wait_for(what, probe, timeout, step=0.05):
    """Call probe until it gives something true; return that. LabError after timeout seconds."""
    end = time.monotonic() + timeout
    while True:
        got = probe()
        if got:
            return got
        if time.monotonic() >= end:
            raise LabError(f"waited {timeout} s for {what}")
        time.sleep(step)


@contextlib.contextmanager
def locked(path, timeout=120):
    """Hold an exclusive lock on a file of the lab."""
    with open(path, "a", encoding="ascii") as lock:
        def take():
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            except BlockingIOError:
                return False
        wait_for(f"the lock {path}", take, timeout)
        yield


@contextlib.contextmanager
def machine_lock(timeout=60):
    """Only one lab at a time picks its addresses. An abstract socket leaves no file behind."""
    with socket.socket(socket.AF_UNIX) as lock:
        def take():
            try:
                lock.bind("\0unwedge-lab-addresses")
                return True
            except OSError:
                return False
        wait_for("another lab to pick its addresses", take, timeout)
        yield


def read_json(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def write_json(path, value):
    """Readers never see half a file."""
    temp = f"{path}.new"
    with open(temp, "w", encoding="utf-8") as file:
        json.dump(value, file, indent=1)
        file.write("\n")
    os.replace(temp, path)


def write_text(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)
