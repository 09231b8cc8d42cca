"""Cinder: the attachments of an instance and their volumes, to be read."""

from call import KEYS
from neighbour import Service, Version, demand
from wire import HttpError, Reply

PROJECT = r"(?:/[0-9a-f]{32})?"
ATTACHED = "attached"


def attachments(state):
    """(volume, id, attachment) of all volumes."""
    return [(volume, key, one)
            for volume, entry in (state.get("volumes") or {}).items()
            for key, one in (entry.get("attachments") or {}).items()]


def list_attachments(call):
    if call.mv < (3, 27):
        raise HttpError(404, "The resource could not be found.")
    given = dict(call.req.query)
    # all_tenants is passed over in silence for whoever is no admin; the
    # attachments are those of the instance's project.
    every = call.allowed("volume:context_is_admin")
    servers = call.state.get("servers") or {}
    demand(call, "volume:attachment_list",
           "Policy doesn't allow volume:attachment_list to be performed.")
    return Reply(200, {"attachments": [
        {"id": key, "status": one.get("status", ATTACHED),
         "instance": one.get("instance"), "volume_id": volume}
        for volume, key, one in attachments(call.state)
        if one.get("instance") == given.get("instance_id",
                                            one.get("instance"))
        and (every or servers.get(one.get("instance"), {}).get("project_id")
             == call.token["project_id"])]})


def show_volume(call, key):
    """The volume's own list has the finished attachments only, and their
    hosts for role admin only."""
    volume = (call.state.get("volumes") or {}).get(key.lower())
    if volume is None:
        raise HttpError(404, "Volume %s could not be found." % key)
    admin = call.allowed("volume:get_admin")
    shown = [{"id": key, "attachment_id": one_id, "volume_id": key,
              "server_id": one.get("instance"), "device": "/dev/vdb",
              "attached_at": "2026-11-23T05:00:00.000000",
              "host_name": one.get("host") if admin else None}
             for volume_id, one_id, one in attachments(call.state)
             if volume_id == key.lower()
             and one.get("status", ATTACHED) == ATTACHED]
    return Reply(200, {"volume": {
        "id": key, "name": volume.get("name", ""), "size": 1,
        "status": "in-use" if shown else "available", "bootable": "false",
        "availability_zone": "nova", "created_at": "2026-11-23T05:00:00.000000",
        "updated_at": None, "description": None, "volume_type": "lvm",
        "snapshot_id": None, "source_volid": None, "metadata": {},
        "user_id": call.token["user_id"], "encrypted": False,
        "replication_status": None, "consistencygroup_id": None,
        "multiattach": False, "attachments": shown,
        "os-vol-tenant-attr:tenant_id": call.token["project_id"]}})


def error(_, why):
    return {KEYS.get(why.status, "computeFault"): {
        "code": why.status, "message": why.message}}


SERVICE = Service(("volumev3", "block-storage"),
                  [(r"/v3" + PROJECT + r"/attachments", list_attachments),
                   (r"/v3" + PROJECT + r"/volumes/([^/]+)", show_volume)],
                  error, Version("volume", (3, 0), (3, 70)))
