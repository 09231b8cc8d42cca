"""Neutron: ports and their bindings, to be read."""

import urllib.parse

from neighbour import Service, demand
from wire import HttpError, Reply

TYPES = {403: "PolicyNotAuthorized", 404: "HTTPNotFound",
         405: "HTTPMethodNotAllowed"}
ADMIN_ONLY = ("binding:host_id", "binding:profile", "binding:vif_type",
              "binding:vif_details")


def host_of(port):
    """binding:host_id is the host of the ACTIVE binding."""
    for host, status in (port.get("bindings") or {}).items():
        if status == "ACTIVE":
            return host
    return ""


def port_body(call, key, port):
    host = host_of(port)
    body = {"id": key, "name": port.get("name", ""),
            "network_id": port.get("network_id",
                                   "2f1b2f7e-0b58-4f0a-9d0e-6f0c5a8a3c11"),
            "tenant_id": port.get("project_id", call.token["project_id"]),
            "project_id": port.get("project_id", call.token["project_id"]),
            "mac_address": port.get("mac_address", "fa:16:3e:00:00:01"),
            "admin_state_up": True, "status": port.get("status", "ACTIVE"),
            "device_id": port.get("device_id", ""),
            "device_owner": port.get("device_owner", "compute:nova"),
            "fixed_ips": port.get("fixed_ips", []),
            "allowed_address_pairs": [], "security_groups": [],
            "binding:vnic_type": "normal",
            "binding:profile": port.get("profile", {}),
            "binding:host_id": host,
            "binding:vif_type": "ovs" if host else "unbound",
            "binding:vif_details": {}, "port_security_enabled": True,
            "description": "", "revision_number": 7,
            "created_at": "2026-11-23T05:00:00Z",
            "updated_at": "2026-11-23T05:00:00Z"}
    body.update(port.get("extra", {}))
    if not call.allowed("get_port:binding:host_id"):
        for name in ADMIN_ONLY:
            body.pop(name)
    wanted = [value for name, value in call.req.query if name == "fields"]
    return {k: v for k, v in body.items() if not wanted or k in wanted}


def list_ports(call):
    given = {k: v for k, v in call.req.query if k != "fields"}
    items = [(key, port) for key, port in
             sorted((call.state.get("ports") or {}).items())
             if port.get("device_id") == given.get("device_id",
                                                   port.get("device_id"))
             and (call.allowed("network:context_is_admin")
                  or port.get("project_id") == call.token["project_id"])]
    most = (call.state.get("network") or {}).get("pagination_max_limit")
    limit = int(given.get("limit", 0)) or most
    limit = min(limit, most) if limit and most else limit
    if given.get("marker"):
        keys = [key for key, _ in items]
        if given["marker"] not in keys:
            raise HttpError(400, "Invalid input for operation: marker.")
        items = items[keys.index(given["marker"]) + 1:]
    more = limit and len(items) > limit
    items = items[:limit] if limit else items
    document = {"ports": [port_body(call, *item) for item in items]}
    if more:
        query = [(k, v) for k, v in call.req.query if k != "marker"]
        query.append(("marker", items[-1][0]))
        document["ports_links"] = [{
            "rel": "next", "href": "%s/v2.0/ports?%s"
            % (call.req.service_url, urllib.parse.urlencode(query))}]
    return Reply(200, document)


def list_bindings(call, key):
    """The list is the extension binding-extended: 404 where it is not."""
    port = (call.state.get("ports") or {}).get(key.lower())
    if not (call.state.get("network") or {}).get("bindings", True):
        raise HttpError(404, "The resource could not be found.")
    if port is None:
        raise HttpError(404, "Port %s could not be found." % key)
    demand(call, "get_port_binding",
           "(rule:get_port_binding) is disallowed by policy")
    return Reply(200, {"bindings": [
        {"host": host, "vif_type": "ovs" if status == "ACTIVE" else "unbound",
         "vif_details": {}, "vnic_type": "normal",
         "profile": port.get("profile", {}) if status == "ACTIVE" else {},
         "status": status,
         "project_id": port.get("project_id", call.token["project_id"])}
        for host, status in (port.get("bindings") or {}).items()]})


def error(_, why):
    return {"NeutronError": {"type": TYPES.get(why.status, "BadRequest"),
                             "message": why.message, "detail": ""}}


SERVICE = Service(("network",),
                  [(r"/v2\.0/ports", list_ports),
                   (r"/v2\.0/ports/([^/]+)/bindings", list_bindings)],
                  error)
