"""The state file: read when it changes, written back when a call changes it.

The file is the truth.  A scenario replaces it (atomically) at any time; the
stand-in looks at it before every request.  Both sides take the same lock file
for a read-modify-write, so that neither loses the other's change.
"""

import copy
import datetime
import fcntl
import json
import os
import re
import tempfile
import threading
import time

UTC = datetime.timezone.utc
_RELATIVE = re.compile(r"^now(?:([+-]\d+(?:\.\d+)?)s)?$")


class StateError(Exception):
    """The state file cannot be read or is not an object."""


def parse_time(text):
    """A time as Nova or a scenario writes it (naive means UTC)."""
    text = text.strip()
    if text.endswith("Z"):
        text = text[:-1] + "+00:00"
    when = datetime.datetime.fromisoformat(text)
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def stamp(when):
    """The one form in which the state keeps a time."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def seconds(text):
    """`updated` and `created` of a server: whole seconds, with a Z."""
    return None if text is None else \
        parse_time(text).strftime("%Y-%m-%dT%H:%M:%SZ")


def micros(text):
    """Every other time of Nova: no zone, microseconds that are always 0
    (its database keeps whole seconds)."""
    return None if text is None else \
        parse_time(text).strftime("%Y-%m-%dT%H:%M:%S.000000")


def resolve_times(value, base):
    """Replace "now" and "now-300s" anywhere in value; base is now."""
    if isinstance(value, dict):
        return {k: resolve_times(v, base) for k, v in value.items()}
    if isinstance(value, list):
        return [resolve_times(v, base) for v in value]
    if isinstance(value, str):
        found = _RELATIVE.match(value)
        if found:
            shift = float(found.group(1) or 0)
            return stamp(base + datetime.timedelta(seconds=shift))
    return value


def merge(target, patch):
    """RFC 7386 merge patch, plus: the key "*" means every present member."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    if not isinstance(target, dict):
        target = {}
    for key, value in patch.items():
        names = list(target) if key == "*" else [key]
        for name in names:
            if value is None:
                target.pop(name, None)
            else:
                target[name] = merge(target.get(name), value)
    return target


def write_atomic(path, text):
    """Replace path in one step, so that a reader never sees half of it."""
    folder = os.path.dirname(os.path.abspath(path))
    fd, name = tempfile.mkstemp(prefix=".standin-", dir=folder)
    try:
        with os.fdopen(fd, "w", encoding="utf-8") as out:
            out.write(text)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


class file_lock:
    """The lock that the stand-in and the scenario helper share."""

    def __init__(self, path):
        self.path = path + ".lock"

    def __enter__(self):
        self.fd = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        fcntl.flock(self.fd, fcntl.LOCK_EX)

    def __exit__(self, *unused):
        os.close(self.fd)


def read_file(path):
    """(state, signature) of the file; relative times count from its mtime."""
    with open(path, "rb") as source:
        info = os.fstat(source.fileno())
        text = source.read()
    try:
        data = json.loads(text)
    except ValueError as why:
        raise StateError("%s: %s" % (os.path.basename(path), why))
    if not isinstance(data, dict):
        raise StateError("%s: not an object" % os.path.basename(path))
    base = datetime.datetime.fromtimestamp(info.st_mtime, UTC)
    # `faults` hold patches whose "now" is the moment they are applied.
    faults = data.pop("faults", [])
    data = resolve_times(data, base)
    data["faults"] = faults
    for beat in data.get("beats", {}).values():
        if isinstance(beat, dict):
            beat.setdefault("since", stamp(base))
    return data, (info.st_mtime_ns, info.st_size, info.st_ino)


def to_text(state):
    return json.dumps(state, indent=1, ensure_ascii=False) + "\n"


class Store:
    """The state as the stand-in sees it."""

    def __init__(self, path):
        self.path = path
        self.lock = threading.RLock()
        self.signature = None
        self.data = None

    def _signature_now(self):
        info = os.stat(self.path)
        return (info.st_mtime_ns, info.st_size, info.st_ino)

    def view(self):
        """The present state; not to be changed by the caller."""
        with self.lock:
            deadline = time.monotonic() + 0.3
            while True:
                try:
                    if self._signature_now() != self.signature:
                        self.data, self.signature = read_file(self.path)
                    return self.data
                except (OSError, StateError) as why:
                    # A writer that does not replace atomically gets a moment.
                    if time.monotonic() > deadline:
                        self.signature = None
                        raise StateError(str(why))
                    time.sleep(0.02)

    def change(self, edit):
        """Run edit(copy of the state) and write the result back."""
        with self.lock, file_lock(self.path):
            data = copy.deepcopy(self.view())
            result = edit(data)
            write_atomic(self.path, to_text(data))
            self.data, self.signature = read_file(self.path)
            return result

    def patch(self, patch):
        """Merge a patch into the state; its "now" is the cloud's time."""
        def edit(data):
            merge(data, resolve_times(patch, now(data)))
        self.change(edit)


def now(state):
    """The cloud's time: real, shifted (`clock.offset_s`) or `clock.fixed`."""
    clock = state.get("clock") or {}
    if clock.get("fixed"):
        return parse_time(clock["fixed"])
    shift = datetime.timedelta(seconds=clock.get("offset_s", 0))
    return datetime.datetime.now(UTC) + shift


def later(one, other):
    """The later of two times of which either may be missing."""
    if not one or not other:
        return one or other
    return one if parse_time(one) >= parse_time(other) else other


def beat_of(state, server_id):
    """(time, number) of the last beat of a server's live migration, or None.

    nova-compute saves progress every few seconds while it watches a
    migration: server.updated and migration.updated_at move together.  It is
    worked out from the clock, so that the file need not be written for it.
    """
    beat = (state.get("beats") or {}).get(server_id)
    if not isinstance(beat, dict):
        return None
    end = now(state)
    if beat.get("until"):
        end = min(end, parse_time(beat["until"]))
    since = parse_time(beat["since"])
    every = float(beat.get("every_s", 5)) or 5.0
    count = int((end - since).total_seconds() // every)
    if count < 1:
        return None
    return stamp(since + datetime.timedelta(seconds=count * every)), count


def with_beat(state, server_id, server):
    """The server as the last beat left it."""
    beat = beat_of(state, server_id)
    if not beat:
        return server
    server = dict(server)
    server["updated"] = later(server.get("updated"), beat[0])
    rule = state["beats"][server_id]
    if rule.get("progress", True):
        total = rule.get("total", 134750208)
        done = beat[1] * rule.get("bytes", 4194304)
        server["progress"] = int(done * 100 / total) % 100
    return server


def migration_with_beat(state, mid, migration):
    """The migration record as the last beat left it."""
    server_id = migration.get("instance_uuid")
    beat = beat_of(state, server_id)
    if not beat:
        return migration
    rule = state["beats"][server_id]
    if str(rule.get("migration", mid)) != str(mid) or \
            migration.get("status") not in ("preparing", "running"):
        return migration
    migration = dict(migration)
    migration["updated_at"] = later(migration.get("updated_at"), beat[0])
    if rule.get("progress", True):
        total = rule.get("total", 134750208)
        done = beat[1] * rule.get("bytes", 4194304)
        migration.update(memory_total_bytes=total,
                         memory_processed_bytes=done,
                         memory_remaining_bytes=total - done % total)
        for name in ("total", "processed", "remaining"):
            if migration.get("disk_%s_bytes" % name) is None:
                migration["disk_%s_bytes" % name] = 0
    return migration
