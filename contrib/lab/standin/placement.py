"""Placement: allocations and resource providers, to be read."""

import http.client
import uuid

from neighbour import Service, Version, demand
from wire import HttpError, Reply


def providers(state):
    """name -> {uuid, root}: each hypervisor, and what the state adds."""
    result = {}
    for name, hyper in (state.get("hypervisors") or {}).items():
        result[name] = {"uuid": hyper.get("uuid") or derived(name),
                        "root": name}
    for name, more in (state.get("providers") or {}).items():
        result[name] = {"uuid": more.get("uuid") or derived(name),
                        "root": more.get("root", name)}
    return result


def derived(name):
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "provider-" + name))


def provider_uuid(state, name):
    """A name that nothing else knows is a provider all the same."""
    return providers(state).get(name, {}).get("uuid") or derived(name)


def show_allocations(call, consumer):
    """A consumer that is not known has none: never a 404."""
    demand(call, "placement:allocations:list",
           "Access was denied to this resource.\n\n Policy does not allow "
           "placement:allocations:list to be performed.  ")
    held = (call.state.get("allocations") or {}).get(consumer.lower()) or {}
    document = {"allocations": {
        provider_uuid(call.state, name): {"generation": 2,
                                          "resources": resources}
        for name, resources in held.items()}}
    if held and call.mv >= (1, 12):
        document.update(project_id=call.token["project_id"],
                        user_id=call.token["user_id"])
    if held and call.mv >= (1, 28):
        document["consumer_generation"] = 1
    if held and call.mv >= (1, 38):
        document["consumer_type"] = "INSTANCE"
    return Reply(200, document)


def show_provider(call, key):
    demand(call, "placement:resource_providers:show",
           "Access was denied to this resource.\n\n Policy does not allow "
           "placement:resource_providers:show to be performed.  ")
    known = providers(call.state)
    for names in (call.state.get("allocations") or {}).values():
        for name in names or {}:
            known.setdefault(name, {"uuid": derived(name), "root": name})
    for name, entry in known.items():
        if entry["uuid"] == key.lower():
            break
    else:
        raise HttpError(404, "The resource could not be found.\n\n No "
                             "resource provider with uuid %s found  " % key)
    body = {"uuid": entry["uuid"], "name": name, "generation": 2}
    links = ["aggregates", "inventories", "usages", "traits", "allocations"]
    here = "/placement/resource_providers/" + entry["uuid"]
    body["links"] = [{"rel": "self", "href": here}] + [
        {"rel": rel, "href": here + "/" + rel} for rel in links]
    if call.mv >= (1, 14):
        root = known[entry["root"]]["uuid"]
        body["root_provider_uuid"] = root
        body["parent_provider_uuid"] = None if root == entry["uuid"] else root
    return Reply(200, body)


def error(call, why):
    return {"errors": [{
        "status": why.status, "request_id": call.request_id,
        "title": http.client.responses.get(why.status, "Error"),
        "code": "placement.undefined_code", "detail": why.message}]}


SERVICE = Service(("placement",),
                  [(r"/allocations/([^/]+)", show_allocations),
                   (r"/resource_providers/([^/]+)", show_provider)],
                  error, Version("placement", (1, 0), (1, 39)))
