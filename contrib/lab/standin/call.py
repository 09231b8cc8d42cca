"""A call to Nova: who asks for what, and the state as of now."""

import re
import urllib.parse

from state import migration_with_beat, parse_time, with_beat
from wire import HttpError, new_request_id

IN_PROGRESS = ("queued", "preparing", "running", "post-migrating")
NOT_FOUND = "The resource could not be found."
UNEXPECTED = ("Unexpected API Error. Please report this at "
              "http://bugs.launchpad.net/nova/ and attach the Nova API log "
              "if possible.\n<class 'nova.exception.NovaException'>")
KEYS = {400: "badRequest", 403: "forbidden", 404: "itemNotFound",
        405: "badMethod", 406: "computeFault", 409: "conflictingRequest",
        500: "computeFault", 501: "notImplemented"}
PROGRESS_STATUSES = ("ACTIVE", "BUILD", "REBUILD", "RESIZE", "VERIFY_RESIZE",
                     "MIGRATING")

REBUILD = {"rebuilding": "REBUILD", "rebuild_block_device_mapping": "REBUILD",
           "rebuild_spawning": "REBUILD"}
RESIZE = {"resize_prep": "RESIZE", "resize_migrating": "RESIZE",
          "resize_migrated": "RESIZE", "resize_finish": "RESIZE"}
ACTIVE = dict(REBUILD, **RESIZE)
ACTIVE.update({"default": "ACTIVE", "migrating": "MIGRATING",
               "updating_password": "PASSWORD",
               "reboot_pending": "REBOOT", "reboot_started": "REBOOT",
               "rebooting": "REBOOT", "rebooting_hard": "HARD_REBOOT",
               "reboot_pending_hard": "HARD_REBOOT",
               "reboot_started_hard": "HARD_REBOOT"})
# vm_state and task_state to status, as Nova's api/openstack/common.py has it.
STATUS = {
    "active": ACTIVE,
    "building": {"default": "BUILD"},
    "stopped": dict(REBUILD, default="SHUTOFF", **RESIZE),
    "resized": {"default": "VERIFY_RESIZE",
                "resize_reverting": "REVERT_RESIZE"},
    "paused": {"default": "PAUSED", "migrating": "MIGRATING"},
    "suspended": {"default": "SUSPENDED"},
    "rescued": {"default": "RESCUE"},
    "error": dict(REBUILD, default="ERROR"),
    "deleted": {"default": "DELETED"},
    "soft-delete": {"default": "SOFT_DELETED"},
    "shelved": {"default": "SHELVED"},
    "shelved_offloaded": {"default": "SHELVED_OFFLOADED"},
}
STATUSES = {s for table in STATUS.values() for s in table.values()}


def status_of(server):
    table = STATUS.get(server.get("vm_state", "active"))
    if table is None:
        return "UNKNOWN"
    return table.get(server.get("task_state"), table["default"])


def version(text):
    found = re.match(r"^([1-9]\d*)\.([1-9]\d*|0)$", text)
    return (int(found.group(1)), int(found.group(2))) if found else None


class Call:
    """One authenticated call: the request, the state as of now, who asks."""

    def __init__(self, req, store, tokens):
        self.req = req
        self.store = store
        self.state = store.view()
        self.tokens = tokens
        self.token = None
        self.mv = (2, 1)
        self.seen_servers = None
        self.request_id = new_request_id()

    def setting(self, name, default):
        return (self.state.get("nova") or {}).get(name, default)

    # -- who may do what ---------------------------------------------------

    def allowed(self, rule):
        """The roles of `policy` in the state decide; else the role admin."""
        if self.token["scope"] != "project" and \
                not self.setting("system_scope_allowed", False):
            return False
        policy = self.state.get("policy") or {}
        roles = policy.get(rule, policy.get("default", ["admin"]))
        return bool(set(roles) & set(self.token["roles"]))

    def demand(self, rule):
        if not self.allowed(rule):
            raise HttpError(403, "Policy doesn't allow os_compute_api:%s "
                                 "to be performed." % rule)

    def is_admin(self):
        return self.allowed("context_is_admin")

    # -- look-ups ----------------------------------------------------------

    def servers(self):
        """All servers of the region, by id, as of now."""
        if self.seen_servers is None:
            self.seen_servers = self.read_servers()
        return self.seen_servers

    def read_servers(self):
        region = self.req.region
        result = {}
        for key, server in (self.state.get("servers") or {}).items():
            if region and server.get("region", region) != region:
                continue
            result[key] = with_beat(self.state, key, server)
        return result

    def server(self, key, deleted=False, cell_down_ok=False):
        """The server if the token may see it; else the 404 of Nova."""
        server = self.servers().get(key)
        if server is None or (server.get("deleted") and not deleted):
            raise HttpError(404, "Instance %s could not be found." % key)
        if not self.is_admin() and \
                server.get("project_id") != self.token["project_id"]:
            raise HttpError(404, "Instance %s could not be found." % key)
        if self.in_down_cell(server) and not cell_down_ok:
            raise HttpError(500, UNEXPECTED)
        return server

    def in_down_cell(self, server):
        return server.get("cell", "cell1") in self.setting("down_cells", [])

    def migrations(self):
        """All records as of now, in the order in which they were made."""
        known = self.servers()
        result = []
        for mid, record in (self.state.get("migrations") or {}).items():
            server = known.get(record.get("instance_uuid"))
            if self.req.region and server is None:
                continue
            # A cell that is down is silently left out by Nova.
            if server is not None and self.in_down_cell(server):
                continue
            entry = migration_with_beat(self.state, mid, record)
            result.append((int(mid), entry))
        return sorted(result, key=lambda pair: pair[0])

    def actions(self, key):
        """The actions of one server, newest first."""
        result = [(rid, a) for rid, a in
                  (self.state.get("actions") or {}).items()
                  if a.get("instance_uuid") == key]
        order = list(range(len(result)))
        order.sort(key=lambda i: (parse_time(result[i][1]["start_time"]), i),
                   reverse=True)
        return [result[i] for i in order]

    # -- query parameters --------------------------------------------------

    def query(self, known, strict_from=(2, 75)):
        """The parameters as a dict; unknown ones are 400 when strict."""
        result = {}
        for name, value in self.req.query:
            if name not in known:
                if self.mv >= strict_from:
                    raise HttpError(400, "Additional properties are not "
                                         "allowed (%r was unexpected)" % name)
                continue
            result[name] = value
        return result

    def page(self, items, given, missing):
        """Cut one page out of [(id, item)]; (page, id of the next or None)."""
        limit_max = self.setting("max_limit", 1000)
        text = given.get("limit")
        if text is not None and not re.match(r"^[0-9]*$", text):
            raise HttpError(400, "Invalid input for query parameters limit. "
                                 "Value: %s. %r does not match '^[0-9]*$'"
                                 % (text, text))
        limit = min(int(text), limit_max) if text else limit_max
        marker = given.get("marker")
        if marker is not None:
            names = [str(key) for key, _ in items]
            if marker not in names:
                raise HttpError(400, missing % marker)
            items = items[names.index(marker) + 1:]
        items = items[:limit]
        # Nova offers a next page whenever this one is full.
        more = items[-1][0] if items and len(items) == limit else None
        return items, more

    def next_link(self, marker):
        params = dict(sorted(dict(self.req.query).items()))
        params["marker"] = marker
        return [{"rel": "next",
                 "href": "%s/v2.1%s?%s" % (self.req.service_url,
                                           self.req.path,
                                           urllib.parse.urlencode(params))}]


def require(call, lowest):
    """A route that a microversion does not have yet is simply not there."""
    if call.mv < lowest:
        raise HttpError(404, NOT_FOUND)
