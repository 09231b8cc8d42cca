"""What a server, a record or an event looks like at each microversion."""

import datetime
import hashlib
import re
import uuid

from call import IN_PROGRESS, PROGRESS_STATUSES, status_of
from state import micros, now, parse_time, seconds, stamp


def host_id(project_id, host):
    """What Nova shows to everyone instead of the host's name."""
    if not host:
        return ""
    return hashlib.sha224((project_id + host).encode()).hexdigest()


def links(call, kind, key, versioned=True):
    base = call.req.service_url
    result = [{"rel": "self", "href": "%s/v2.1/%s/%s" % (base, kind, key)}]
    if not versioned:
        result = []
    return result + [{"rel": "bookmark",
                      "href": "%s/%s/%s" % (base, kind, key)}]


def service_state(service, state):
    """up or down: as set, else from the age of its last report."""
    if service.get("forced_down"):
        return "down"
    if service.get("state"):
        return service["state"]
    age = now(state) - parse_time(service["updated_at"])
    limit = (state.get("nova") or {}).get("service_down_s", 60)
    return "up" if age.total_seconds() <= limit else "down"


def last_report(service, state):
    """updated_at; a service that lives reports every few seconds."""
    every = service.get("reports_every_s")
    if not every or service_state(service, state) == "down":
        return service.get("updated_at")
    moment = now(state)
    age = moment.timestamp() % every
    return stamp(moment - datetime.timedelta(seconds=age))


def compute_service(state, host):
    for service in (state.get("services") or {}).values():
        if service.get("binary", "nova-compute") == "nova-compute" and \
                service.get("host") == host:
            return service
    return None


def host_status(state, server):
    """host_status as Nova derives it from the service of the host."""
    if "host_status" in server:
        return server["host_status"]
    if not server.get("host"):
        return ""
    service = compute_service(state, server["host"])
    if service is None:
        return "UNKNOWN"
    if service.get("status", "enabled") == "disabled":
        return "MAINTENANCE"
    if service.get("forced_down"):
        return "DOWN"
    return "UP" if service_state(service, state) == "up" else "UNKNOWN"


def skeleton(call, key, server, one):
    """What is left of a server whose cell does not answer (2.69)."""
    result = {"id": key, "status": "UNKNOWN",
              "tenant_id": server.get("project_id"),
              "created": seconds(server.get("created")),
              "links": links(call, "servers", key)}
    if one:
        result.update({"user_id": server.get("user_id"),
                       "image": image_body(call, server),
                       "flavor": flavor_body(call, server),
                       "OS-EXT-AZ:availability_zone": server.get("az", "nova"),
                       "OS-EXT-STS:power_state": 0})
        if call.mv >= (2, 71):
            result["server_groups"] = server.get("server_groups", [])
    return result


DEFAULT_FLAVOR = {"id": "1", "vcpus": 1, "ram": 128, "disk": 0,
                  "ephemeral": 0, "swap": 0, "original_name": "m1.nano",
                  "extra_specs": {}}


def flavor_body(call, server):
    flavor = dict(DEFAULT_FLAVOR, **(server.get("flavor") or {}))
    key = flavor.pop("id")
    if call.mv >= (2, 47):
        return flavor
    return {"id": key, "links": links(call, "flavors", key, False)}


def image_body(call, server):
    key = server.get("image", "9b3a3ce7-c3d7-416b-8b3f-26645886ed4a")
    if not key:
        return ""
    body = {"id": key, "links": links(call, "images", key, False)}
    if call.mv >= (2, 98):
        body["properties"] = server.get("image_properties", {})
    return body


def server_body(call, key, server, one):
    """A server as GET shows it; `one`: alone rather than in a list."""
    if call.in_down_cell(server):
        return skeleton(call, key, server, one)
    mv, admin = call.mv, call.is_admin()
    status = status_of(server)
    project, host = server.get("project_id", ""), server.get("host")
    body = {
        "id": key, "name": server.get("name"), "status": status,
        "tenant_id": project, "user_id": server.get("user_id"),
        "metadata": server.get("metadata", {}),
        "hostId": host_id(project, host),
        "image": image_body(call, server), "flavor": flavor_body(call, server),
        "created": seconds(server.get("created")),
        "updated": seconds(server.get("updated")),
        "addresses": server.get("addresses", {}),
        "accessIPv4": "", "accessIPv6": "",
        "links": links(call, "servers", key),
        "OS-DCF:diskConfig": "MANUAL"}
    if status in PROGRESS_STATUSES:
        body["progress"] = server.get("progress", 0)
    if server.get("fault") and status in ("ERROR", "DELETED"):
        fault = dict(server["fault"])
        if not admin:
            fault.pop("details", None)
        body["fault"] = fault
    body["OS-EXT-AZ:availability_zone"] = server.get("az", "nova")
    if mv >= (2, 96):
        body["pinned_availability_zone"] = None
    body["config_drive"] = server.get("config_drive", "")
    body["key_name"] = server.get("key_name")
    launched = server.get("launched_at", server.get("created"))
    body["OS-SRV-USG:launched_at"] = micros(launched)
    body["OS-SRV-USG:terminated_at"] = micros(server.get("terminated_at"))
    if admin:
        body.update({
            "OS-EXT-SRV-ATTR:host": host,
            "OS-EXT-SRV-ATTR:instance_name": server.get("instance_name"),
            "OS-EXT-SRV-ATTR:hypervisor_hostname": server.get("node", host)})
    if mv >= (2, 3) and admin:
        body.update(attributes_2_3(server))
    elif mv >= (2, 90):
        body["OS-EXT-SRV-ATTR:hostname"] = server.get("hostname",
                                                      server.get("name"))
    body["OS-EXT-STS:task_state"] = server.get("task_state")
    body["OS-EXT-STS:vm_state"] = server.get("vm_state", "active")
    body["OS-EXT-STS:power_state"] = server.get("power_state", 1)
    body["os-extended-volumes:volumes_attached"] = server.get("volumes", [])
    if mv >= (2, 16) and admin:
        body["host_status"] = host_status(call.state, server)
    if mv >= (2, 9):
        body["locked"] = bool(server.get("locked"))
    if mv >= (2, 73):
        body["locked_reason"] = server.get("locked_reason")
    if mv >= (2, 19):
        body["description"] = server.get("description")
    if mv >= (2, 26):
        body["tags"] = server.get("tags", [])
    if mv >= (2, 63):
        body["trusted_image_certificates"] = None
    if mv >= (2, 71) and one:
        body["server_groups"] = server.get("server_groups", [])
    if mv >= (2, 100):
        body["scheduler_hints"] = {}
    for name in server.get("hide", []):
        body = {k: v for k, v in body.items() if not re.match(name, k)}
    body.update(server.get("extra", {}))
    return body


def attributes_2_3(server):
    prefix = "OS-EXT-SRV-ATTR:"
    return {prefix + "reservation_id": server.get("reservation_id",
                                                  "r-standin0"),
            prefix + "launch_index": 0,
            prefix + "hostname": server.get("hostname", server.get("name")),
            prefix + "kernel_id": server.get("kernel_id", ""),
            prefix + "ramdisk_id": server.get("ramdisk_id", ""),
            prefix + "root_device_name": server.get("root_device_name",
                                                    "/dev/vda"),
            prefix + "user_data": server.get("user_data")}


def record_uuid(mid, record):
    """The record's uuid; made from its number when the state has none."""
    return record.get("uuid") or str(uuid.uuid5(
        uuid.NAMESPACE_URL, "migration-%s" % mid))


def migration_nodes(record):
    """Host and node of both sides, as both kinds of listing name them."""
    source, dest = record.get("source_compute"), record.get("dest_compute")
    return {"source_compute": source, "dest_compute": dest,
            "source_node": record.get("source_node", source),
            "dest_node": record.get("dest_node", dest),
            "dest_host": record.get("dest_host")}


def server_migration_body(call, mid, record):
    """A record in GET /servers/ID/migrations."""
    body = {"created_at": micros(record.get("created_at")), "id": mid}
    body.update(migration_nodes(record))
    for kind in ("disk", "memory"):
        for name in ("processed", "remaining", "total"):
            field = "%s_%s_bytes" % (kind, name)
            body[field] = record.get(field)
    body.update({"server_uuid": record.get("instance_uuid"),
                 "status": record.get("status"),
                 "updated_at": micros(record.get("updated_at"))})
    if call.mv >= (2, 59):
        body["uuid"] = record_uuid(mid, record)
    if call.mv >= (2, 80):
        body.update(owner_of(call, record))
    if not call.allowed("servers:migrations:index:host"):
        body = without_hosts(body)
    body.update(record.get("extra", {}))
    return body


def owner_of(call, record):
    server = call.servers().get(record.get("instance_uuid"), {})
    return {"user_id": record.get("user_id", server.get("user_id")),
            "project_id": record.get("project_id", server.get("project_id"))}


def without_hosts(body):
    """Who may list records but not see hosts gets nulls."""
    hidden = ("source_compute", "dest_compute", "source_node", "dest_node",
              "dest_host")
    return {k: None if k in hidden else v for k, v in body.items()}


def os_migration_body(call, mid, record):
    """A record in GET /os-migrations."""
    body = {"id": mid}
    if call.mv >= (2, 59):
        body["uuid"] = record_uuid(mid, record)
    body.update(migration_nodes(record))
    kind = record.get("migration_type", "live-migration")
    flavor = None if kind == "evacuation" else 1
    body.update({
        "old_instance_type_id": record.get("old_instance_type_id", flavor),
        "new_instance_type_id": record.get("new_instance_type_id", flavor),
        "instance_uuid": record.get("instance_uuid"),
        "status": record.get("status")})
    if call.mv >= (2, 23):
        body["migration_type"] = kind
    if call.mv >= (2, 80):
        body.update(owner_of(call, record))
    body["created_at"] = micros(record.get("created_at"))
    body["updated_at"] = micros(record.get("updated_at"))
    if call.mv >= (2, 23) and kind == "live-migration" and \
            record.get("status") in IN_PROGRESS:
        body["links"] = links(call, "servers/%s/migrations"
                              % record.get("instance_uuid"), mid)
    if not call.allowed("os-migrations:index:host"):
        body = without_hosts(body)
    body.update(record.get("extra", {}))
    return body
