"""The calls that change something: reset, lock, abort, force-complete."""

import json

from call import require
from state import later, now, stamp, with_beat
from wire import HttpError, Reply


def record_action(call, state, key, name):
    """Nova keeps who did what, under the id of the request."""
    moment = stamp(now(state).replace(microsecond=0))
    state.setdefault("actions", {})[call.request_id] = {
        "action": name, "instance_uuid": key,
        "user_id": call.token["user_id"],
        "project_id": call.token["project_id"],
        "start_time": moment, "updated_at": moment, "events": []}
    return moment


def schema_error(field, value, message):
    raise HttpError(400, "Invalid input for field/attribute %s. Value: %s. %s"
                    % (field, value, message))


def reset_state(call, key, value):
    """os-resetState: vm_state and task_state, and nothing else.

    No state, lock or host is looked at, and nothing is compared: that is
    what makes the call dangerous, so it must be so here too.
    """
    name = "os-resetState"
    if not isinstance(value, dict):
        schema_error(name, value, "%r is not of type 'object'" % (value,))
    if "state" not in value:
        schema_error(name, value, "'state' is a required property")
    extra = [k for k in value if k != "state"]
    if extra:
        schema_error(name, value, "Additional properties are not allowed "
                     "(%s %s unexpected)" % (
                         ", ".join(repr(k) for k in extra),
                         "was" if len(extra) == 1 else "were"))
    if value["state"] not in ("active", "error"):
        schema_error("state", value["state"], "%r is not one of "
                     "['active', 'error']" % (value["state"],))
    call.server(key)
    call.demand("os-admin-actions:reset_state")

    def edit(state):
        server = state["servers"][key]
        moment = now(state)
        if call.setting("records_reset", True):
            record_action(call, state, key, "resetState")
        seen = with_beat(state, key, server).get("updated")
        server["vm_state"] = value["state"]
        server["task_state"] = None
        server["updated"] = later(seen, stamp(moment))

    call.store.change(edit)
    return Reply(202, empty=True)


def lock(call, key, value):
    reason = value.get("locked_reason") if isinstance(value, dict) else None
    call.server(key)

    def edit(state):
        server = state["servers"][key]
        server.update(locked=True, locked_reason=reason,
                      updated=record_action(call, state, key, "lock"))

    call.store.change(edit)
    return Reply(202, empty=True)


def unlock(call, key, value):
    call.server(key)

    def edit(state):
        server = state["servers"][key]
        server.update(locked=False, locked_reason=None,
                      updated=record_action(call, state, key, "unlock"))

    call.store.change(edit)
    return Reply(202, empty=True)


def live_migrate(call, key, value):
    """Only its refusal is needed; a new migration is the scenario's to set."""
    server = call.server(key)
    if server.get("task_state") is None:
        raise HttpError(501, "The stand-in starts no migration.")
    raise HttpError(409, "Cannot 'os-migrateLive' instance %s while it is in "
                         "task_state %s" % (key, server["task_state"]))


ACTIONS = {"os-resetState": reset_state, "lock": lock, "unlock": unlock,
           "os-migrateLive": live_migrate}


def parse_body(call):
    """The one action of a body; else what Nova says of it."""
    kind = (call.req.headers.get("Content-Type") or "").split(";")[0].strip()
    malformed = HttpError(400, "Malformed request body")
    if kind != "application/json":
        raise malformed
    try:
        document = json.loads(call.req.body.decode("utf-8"))
    except ValueError:
        raise malformed
    if not isinstance(document, dict) or len(document) != 1:
        raise malformed
    return next(iter(document.items()))


def server_action(call, key):
    name, value = parse_body(call)
    if name not in ACTIONS:
        raise HttpError(400, "There is no such action: %s" % name)
    return ACTIONS[name](call, key, value)


def abort_migration(call, key, mid):
    """DELETE …/migrations/ID: noted; what follows is the scenario's to set."""
    require(call, (2, 24))
    server = call.server(key)
    call.demand("servers:migrations:delete")
    if server.get("task_state") != "migrating":
        raise HttpError(409, "Cannot 'abort live migration' instance %s while "
                             "it is in task_state %s"
                        % (key, server.get("task_state")))
    find_migration_to_abort(call, key, mid)
    call.store.change(lambda state: record_action(
        call, state, key, "live_migration_cancel"))
    return Reply(202, empty=True)


def find_migration_to_abort(call, key, mid):
    accepted = ("running",) if call.mv < (2, 65) else \
        ("running", "queued", "preparing")
    for number, record in call.migrations():
        if str(number) == mid and record.get("instance_uuid") == key:
            if record.get("status") in accepted:
                return
            raise HttpError(400, "Migration %s of instance %s is not running."
                            " Its status is %s." % (mid, key,
                                                    record.get("status")))
    raise HttpError(404, "Migration %s not found for instance %s"
                    % (mid, key))


def migration_action(call, key, mid):
    require(call, (2, 22))
    name, _ = parse_body(call)
    if name != "force_complete":
        raise HttpError(400, "There is no such action: %s" % name)
    call.server(key)
    call.demand("servers:migrations:force_complete")
    find_migration_to_abort(call, key, mid)
    call.store.change(lambda state: record_action(
        call, state, key, "live_migration_force_complete"))
    return Reply(202, empty=True)
