"""The calls that change nothing: servers, migrations, actions, services."""

import json
import re
import uuid

from bodies import (host_id, last_report, links, os_migration_body, owner_of,
                    record_uuid, server_body, server_migration_body,
                    service_state)
from call import IN_PROGRESS, STATUSES, require, status_of
from state import micros, parse_time
from wire import HttpError, Reply

# -- servers

SERVER_QUERY = ("access_ip_v4", "access_ip_v6", "all_tenants",
                "auto_disk_config", "availability_zone", "changes-since",
                "changes-before", "config_drive", "created_at", "deleted",
                "description", "disk_config", "display_description",
                "display_name", "flavor", "host", "hostname", "image",
                "image_ref", "instance_type_id", "ip", "ip6", "kernel_id",
                "key_name", "launch_index", "launched_at", "limit", "locked",
                "locked_by", "marker", "name", "node", "not-tags",
                "not-tags-any", "power_state", "progress", "project_id",
                "ramdisk_id", "reservation_id", "root_device_name",
                "soft_deleted", "sort_dir", "sort_key", "status", "tags",
                "tags-any", "task_state", "tenant_id", "terminated_at",
                "user_id", "uuid", "vm_state")
# What somebody who is no administrator may filter by.
PLAIN_FILTERS = ("reservation_id", "name", "status", "image", "flavor", "ip",
                 "changes-since", "all_tenants", "ip6", "tags", "tags-any",
                 "not-tags", "not-tags-any", "changes-before", "locked")


def name_matches(pattern, text):
    """name= is a regular expression, matched anywhere, as MySQL does it."""
    try:
        return re.search(pattern, text or "", re.IGNORECASE) is not None
    except re.error:
        raise HttpError(400, "Invalid filter field: name.")


def filter_servers(call, given):
    everyone = given.get("all_tenants", "0") not in ("0", "false", "False")
    wanted = [v for k, v in call.req.query if k == "status"]
    for status in wanted:
        if status.upper() not in STATUSES:
            if call.mv >= (2, 38):
                raise HttpError(400, "Invalid status value")
            return []
    wanted = [w.upper() for w in wanted]
    fields = {"host": "host", "node": "node", "task_state": "task_state",
              "vm_state": "vm_state", "project_id": "project_id",
              "tenant_id": "project_id", "user_id": "user_id"}
    result = []
    for key, server in call.servers().items():
        gone = bool(server.get("deleted"))
        if gone != (given.get("deleted") in ("1", "true", "True")):
            continue
        if not everyone and \
                server.get("project_id") != call.token["project_id"]:
            continue
        if wanted and status_of(server) not in wanted:
            continue
        if "name" in given and not name_matches(given["name"],
                                                server.get("name")):
            continue
        if given.get("uuid", key) != key:
            continue
        if call.in_down_cell(server) and call.mv < (2, 69):
            continue
        seen = dict(server, node=server.get("node", server.get("host")),
                    vm_state=server.get("vm_state", "active"))
        if all(seen.get(field) == given[name]
               for name, field in fields.items() if name in given):
            result.append((key, server))
    return result


def sort_servers(call, items):
    keys = [v for k, v in call.req.query if k == "sort_key"]
    dirs = [v for k, v in call.req.query if k == "sort_dir"]
    key = keys[0] if keys else "created_at"
    backward = (dirs[0] if dirs else "desc") == "desc"
    field = {"created_at": "created", "updated_at": "updated",
             "display_name": "name"}.get(key, key)

    def rank(index):
        uid, server = items[index]
        value = uid if field == "uuid" else server.get(field)
        if field in ("created", "updated"):
            value = parse_time(value).timestamp() if value else 0.0
            return (value, index)
        return (str(value or ""), index)

    order = sorted(range(len(items)), key=rank, reverse=backward)
    return [items[i] for i in order]


def list_servers(call, detail):
    given = call.query(SERVER_QUERY)
    if not call.is_admin():
        plain = PLAIN_FILTERS + ("limit", "marker", "sort_key", "sort_dir")
        given = {k: v for k, v in given.items() if k in plain}
    if given.get("all_tenants", "0") not in ("0", "false", "False"):
        kind = "detail" if detail else "index"
        call.demand("servers:%s:get_all_tenants" % kind)
    # A bad limit is named before the database is asked for anything.
    call.page([], dict(given, marker=None) if "limit" in given else {}, "")
    items = sort_servers(call, filter_servers(call, given))
    items, more = call.page(items, given, "marker [%s] not found")
    document = {"servers": []}
    for key, server in items:
        if detail:
            document["servers"].append(server_body(call, key, server, False))
        else:
            document["servers"].append({
                "id": key, "name": server.get("name"),
                "links": links(call, "servers", key)})
    if more is not None:
        document["servers_links"] = call.next_link(more)
    return Reply(200, document)


def show_server(call, key):
    server = call.server(key, cell_down_ok=call.mv >= (2, 69))
    return Reply(200, {"server": server_body(call, key, server, True)})


# -- migrations


def list_server_migrations(call, key):
    require(call, (2, 23))
    call.server(key)
    call.demand("servers:migrations:index")
    shown = [server_migration_body(call, mid, record)
             for mid, record in call.migrations() if listed(record, key)]
    return Reply(200, {"migrations": shown})


def listed(record, key):
    """Only live migrations in progress are listed under a server."""
    return record.get("instance_uuid") == key and \
        record.get("migration_type", "live-migration") == "live-migration" \
        and record.get("status") in IN_PROGRESS


def find_migration(call, key, mid):
    """The record in progress, or the 404 that Nova gives."""
    for number, record in call.migrations():
        if str(number) == mid and record.get("instance_uuid") == key:
            break
    else:
        raise HttpError(404, "In-progress live migration %s is not found for "
                             "server %s." % (mid, key))
    if record.get("migration_type", "live-migration") != "live-migration":
        raise HttpError(404, "Migration %s for server %s is not "
                             "live-migration." % (mid, key))
    if record.get("status") not in IN_PROGRESS:
        raise HttpError(404, "Live migration %s for server %s is not in "
                             "progress." % (mid, key))
    return number, record


def show_server_migration(call, key, mid):
    require(call, (2, 23))
    call.server(key)
    call.demand("servers:migrations:show")
    number, record = find_migration(call, key, mid)
    return Reply(200, {"migration": server_migration_body(call, number,
                                                          record)})


def list_migrations(call):
    known = ("hidden", "host", "instance_uuid", "source_compute", "status",
             "migration_type")
    if call.mv >= (2, 59):
        known += ("limit", "marker", "changes-since")
    if call.mv >= (2, 66):
        known += ("changes-before",)
    if call.mv >= (2, 80):
        known += ("user_id", "project_id")
    call.demand("os-migrations:index")
    given = call.query(known, (2, 59))
    items = []
    for mid, record in call.migrations():
        if migration_wanted(call, record, given):
            items.append((record_uuid(mid, record), (mid, record)))
    if call.mv < (2, 59):
        shown = [os_migration_body(call, *item) for _, item in items]
        return Reply(200, {"migrations": shown})
    items.sort(key=lambda pair: (parse_time(pair[1][1]["created_at"]),
                                 pair[1][0]), reverse=True)
    items, more = call.page(items, given, "Marker %s could not be found.")
    document = {"migrations": [os_migration_body(call, *item)
                               for _, item in items]}
    if more is not None:
        document["migrations_links"] = call.next_link(more)
    return Reply(200, document)


def migration_wanted(call, record, given):
    hidden = given.get("hidden") in ("1", "true", "True")
    if bool(record.get("hidden")) != hidden:
        return False
    if "host" in given and given["host"] not in (
            record.get("source_compute"), record.get("dest_compute")):
        return False
    full = dict(record, **owner_of(call, record))
    full.setdefault("migration_type", "live-migration")
    for name in ("instance_uuid", "source_compute", "status",
                 "migration_type", "user_id", "project_id"):
        if name in given and full.get(name) != given[name]:
            return False
    since = given.get("changes-since")
    return not since or parse_time(record["updated_at"]) >= parse_time(since)


# -- instance actions


def action_body(call, request_id, action):
    body = {"action": action.get("action"),
            "instance_uuid": action.get("instance_uuid"),
            "request_id": request_id, "user_id": action.get("user_id"),
            "project_id": action.get("project_id"),
            "start_time": micros(action.get("start_time")),
            "message": action.get("message")}
    if call.mv >= (2, 58):
        body["updated_at"] = micros(action.get("updated_at",
                                               action.get("start_time")))
    body.update(action.get("extra", {}))
    return body


def event_body(call, event, project_id):
    host, admin = event.get("host"), call.allowed("os-instance-actions:events")
    body = {"event": event.get("event"),
            "start_time": micros(event.get("start_time")),
            "finish_time": micros(event.get("finish_time")),
            "result": event.get("result")}
    if admin:
        body["traceback"] = event.get("traceback")
    if call.mv >= (2, 62):
        if admin:
            body["host"] = host
        body["hostId"] = host_id(project_id or "", host)
    if call.mv >= (2, 84) and \
            call.allowed("os-instance-actions:events:details"):
        body["details"] = event.get("details")
    body.update(event.get("extra", {}))
    return body


def list_actions(call, key):
    call.server(key, deleted=call.mv >= (2, 21))
    known = ("limit", "marker", "changes-since", "changes-before") \
        if call.mv >= (2, 58) else ()
    given = call.query(known, (2, 58))
    items, more = call.page(call.actions(key), given,
                            "Marker %s could not be found.")
    document = {"instanceActions": [action_body(call, rid, action)
                                    for rid, action in items]}
    if more is not None and call.mv >= (2, 58):
        document["links"] = call.next_link(more)
    return Reply(200, document)


def show_action(call, key, request_id):
    server = call.server(key, deleted=call.mv >= (2, 21))
    for rid, action in call.actions(key):
        if rid == request_id:
            break
    else:
        raise HttpError(404, "Action %s not found" % request_id)
    body = action_body(call, rid, action)
    if call.mv >= (2, 51) or call.allowed("os-instance-actions:events"):
        events = list(reversed(action.get("events") or []))
        body["events"] = [event_body(call, e, server.get("project_id"))
                          for e in events]
    return Reply(200, {"instanceAction": body})


# -- services and hypervisors


def service_number(state, name):
    service = state["services"][name]
    return service.get("id", list(state["services"]).index(name) + 1)


def service_uuid(name, service):
    return service.get("uuid") or str(uuid.uuid5(uuid.NAMESPACE_URL,
                                                 "service-" + name))


def in_region(call, entry):
    region = call.req.region
    return not region or entry.get("region", region) == region


def list_services(call):
    given = call.query(("host", "binary"))
    call.demand("os-services:list")
    shown = []
    for name, service in (call.state.get("services") or {}).items():
        binary = service.get("binary", "nova-compute")
        if given.get("host", service.get("host")) != service.get("host") or \
                given.get("binary", binary) != binary or \
                not in_region(call, service):
            continue
        compute = binary == "nova-compute"
        body = {"binary": binary, "host": service.get("host"),
                "id": service_uuid(name, service) if call.mv >= (2, 53)
                else service_number(call.state, name),
                "zone": service.get("zone", "nova" if compute
                                    else "internal"),
                "status": service.get("status", "enabled"),
                "state": service_state(service, call.state),
                "updated_at": micros(last_report(service, call.state)),
                "disabled_reason": service.get("disabled_reason")}
        if call.mv >= (2, 11):
            body["forced_down"] = bool(service.get("forced_down"))
        body.update(service.get("extra", {}))
        shown.append(body)
    return Reply(200, {"services": shown})


CPU_INFO = {"arch": "x86_64", "model": "Nehalem", "vendor": "Intel",
            "features": ["pge", "clflush"],
            "topology": {"cores": 1, "threads": 1, "sockets": 4}}
HYPERVISOR_STATS = (("vcpus", 4), ("memory_mb", 8192), ("local_gb", 100),
                    ("vcpus_used", 1), ("memory_mb_used", 640),
                    ("local_gb_used", 0), ("free_ram_mb", 7552),
                    ("free_disk_gb", 100), ("current_workload", 0),
                    ("running_vms", 1), ("disk_available_least", 0))


def hypervisor_body(call, name, hyper):
    host = hyper.get("service_host", name)
    service, key = None, None
    for key, service in (call.state.get("services") or {}).items():
        if service.get("host") == host and \
                service.get("binary", "nova-compute") == "nova-compute":
            break
    else:
        service = {"state": "down"}
    modern = call.mv >= (2, 53)
    body = {"id": hypervisor_id(call, name, hyper),
            "hypervisor_hostname": name,
            "state": service_state(service, call.state),
            "status": service.get("status", "enabled"),
            "hypervisor_type": hyper.get("hypervisor_type", "QEMU"),
            "hypervisor_version": hyper.get("hypervisor_version", 7002000),
            "host_ip": hyper.get("host_ip", "127.0.0.1"),
            "service": {
                "id": None if key is None else
                service_uuid(key, service) if modern else
                service_number(call.state, key),
                "host": host,
                "disabled_reason": service.get("disabled_reason")}}
    if call.mv < (2, 88):
        for field, value in HYPERVISOR_STATS:
            body[field] = hyper.get(field, value)
        info = hyper.get("cpu_info", CPU_INFO)
        body["cpu_info"] = info if call.mv >= (2, 28) else json.dumps(info)
    else:
        body["uptime"] = hyper.get("uptime")
    body.update(hyper.get("extra", {}))
    return body


def hypervisor_id(call, name, hyper):
    if call.mv >= (2, 53):
        return hyper.get("uuid") or str(uuid.uuid5(uuid.NAMESPACE_URL,
                                                   "hypervisor-" + name))
    return hyper.get("id", list(call.state["hypervisors"]).index(name) + 1)


def list_hypervisors(call):
    known = ("limit", "marker") if call.mv >= (2, 33) else ()
    if call.mv >= (2, 53):
        known += ("hypervisor_hostname_pattern", "with_servers")
    given = call.query(known, (2, 33))
    call.demand("os-hypervisors:list-detail")
    pattern = given.get("hypervisor_hostname_pattern", "")
    items = [(hypervisor_id(call, name, hyper), (name, hyper))
             for name, hyper in (call.state.get("hypervisors") or {}).items()
             if pattern in name and in_region(call, hyper)]
    items, more = call.page(items, given, "marker [%s] not found")
    document = {"hypervisors": [hypervisor_body(call, *item)
                                for _, item in items]}
    if more is not None and call.mv >= (2, 33):
        document["hypervisors_links"] = call.next_link(more)
    return Reply(200, document)
