"""What the stand-in does beyond single recorded replies."""

import concurrent.futures
import datetime
import email.utils
import glob
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import unittest

from client import (ADMIN, HERE, PROGRAMS, PROJECT, ROOT, UUID, Case, Standin,
                    by_password, scenario)
import library

JSON = {"Content-Type": "application/json"}
APP_CRED = {"id": library.APP_CRED, "secret": "lab-recoverer-secret"}


def appcred(**more):
    auth = {"identity": {"methods": ["application_credential"],
                         "application_credential": APP_CRED}}
    auth.update(more)
    return {"auth": auth}


class IdentityTest(Case):
    def test_discovery(self):
        one = self.standin()
        for path in ("/", "/identity/", "/identity"):
            root = one.ask("GET", path)
            self.assertEqual(300, root.status)
            values = root.json()["versions"]["values"]
            self.assertEqual(["v3.14"], [v["id"] for v in values])
        for path in ("/v3", "/v3/", "/identity/v3"):
            self.assertEqual("v3.14", one.ask("GET", path)
                             .json()["version"]["id"])
        self.assertEqual(404, one.ask("GET", "/v3/nothing").status)

    def test_who_by_id_and_by_name(self):
        one = self.standin()
        body = by_password()
        body["auth"]["identity"]["password"]["user"] = {
            "id": ADMIN, "password": "secret"}
        body["auth"]["scope"] = {"project": {"id": PROJECT}}
        self.assertEqual("admin", one.login(body).json()["token"]["user"]
                         ["name"])
        body = by_password()
        body["auth"]["scope"]["project"]["domain"] = {"name": "Other"}
        self.assertEqual(401, one.ask("POST", "/v3/auth/tokens", body,
                                      JSON).status)

    def test_application_credential(self):
        one = self.standin()
        one.login(appcred())
        self.assertEqual(200, one.nova("GET", "/servers/" + UUID).status)
        self.assertEqual(401, one.nova("GET", "/servers/%s/" % UUID).status)
        self.assertEqual(401, one.nova("GET", "/servers").status)
        self.assertEqual(202, one.reset().status)

    def test_application_credential_takes_no_scope(self):
        one = self.standin()
        for scope in ({"project": {"id": PROJECT}}, "unscoped"):
            answer = one.ask("POST", "/v3/auth/tokens", appcred(scope=scope),
                             JSON)
            self.assertEqual(401, answer.status)

    def test_token_for_token(self):
        one = self.standin()
        one.login()
        one.login({"auth": {"identity": {"methods": ["token"], "token": {
            "id": one.token}}, "scope": {"project": {"id": PROJECT}}}})
        self.assertEqual(200, one.nova("GET", "/servers/" + UUID).status)

    def test_unscoped(self):
        one = self.standin()
        token = one.login(by_password(project=None)).json()["token"]
        for key in ("project", "catalog", "roles"):
            self.assertNotIn(key, token)
        self.assertEqual(404, one.reset().status)

    def test_system_scope(self):
        one = self.standin("system-scope")
        self.assertEqual(401, one.ask("POST", "/v3/auth/tokens",
                                      by_password(), JSON).status)
        body = by_password(project=None, scope={"system": {"all": True}})
        token = one.login(body).json()["token"]
        self.assertEqual({"all": True}, token["system"])
        self.assertEqual(5, len(token["catalog"]))
        for path in ("/servers/detail?all_tenants=1", "/os-migrations",
                     "/os-services", "/os-hypervisors/detail"):
            self.assertEqual(403, one.nova("GET", path).status, path)

    def test_expiry(self):
        one = self.standin()
        state = one.read()
        state["token"] = {"lifetime_s": 1}
        one.write(state)
        one.login()
        self.assertEqual(200, one.nova("GET", "/servers/" + UUID).status)
        time.sleep(1.1)
        self.assertEqual(401, one.nova("GET", "/servers/" + UUID).status)
        one.login()
        self.assertEqual(200, one.nova("GET", "/servers/" + UUID).status)

    def test_odd_expires_at(self):
        one = self.standin()
        state = one.read()
        state["token"]["expires_at"] = 17
        one.write(state)
        self.assertEqual(17, one.login().json()["token"]["expires_at"])
        self.assertEqual(200, one.nova("GET", "/servers/" + UUID).status)

    def test_static_token(self):
        one = self.standin()
        state = one.read()
        state["static_tokens"] = {"given": {"user_id": ADMIN,
                                            "project_id": PROJECT}}
        one.write(state)
        one.token = "given"
        self.assertEqual(200, one.nova("GET", "/servers/" + UUID).status)

    def test_not_json(self):
        one = self.standin()
        answer = one.ask("POST", "/v3/auth/tokens", "{", JSON)
        self.assertEqual(400, answer.status)

    def test_two_regions(self):
        one = self.standin("two-regions")
        catalog = one.login().json()["token"]["catalog"]
        compute, = [e for e in catalog if e["type"] == "compute"]
        public = {e["region"]: e["url"] for e in compute["endpoints"]
                  if e["interface"] == "public"}
        self.assertEqual({"RegionOne", "RegionTwo"}, set(public))
        seen = {}
        for region, url in public.items():
            root = url[len(one.base):]
            seen[region] = one.nova("GET", "/servers/" + UUID,
                                    root=root).status
            link = one.get("/servers", root=root)["servers"]
            self.assertTrue(all(s["links"][0]["href"].startswith(url)
                                for s in link))
        self.assertEqual({"RegionOne": 404, "RegionTwo": 200}, seen)

    def test_catalog_of_the_state(self):
        one = self.standin()
        state = one.read()
        state["catalog"] = [{"type": "compute", "endpoints": [
            {"url": "{base}/v2.1/{project_id}", "interface": "public"}]}]
        one.write(state)
        url = one.login().json()["token"]["catalog"][0]["endpoints"][0]["url"]
        self.assertEqual("%s/v2.1/%s" % (one.base, PROJECT), url)
        root = url[len(one.base):]
        self.assertEqual(200, one.nova("GET", "/servers/" + UUID,
                                       root=root).status)


class NeighbourTest(Case):
    """Placement, Neutron and Cinder, as their API references have them."""

    VOLUME = "00000000-0000-4000-8000-00000000000a"
    ATTACHMENT = "00000000-0000-4000-8000-00000000000b"

    def get(self, one, path, version=None, token=True):
        headers = {"X-Auth-Token": one.token} if token else {}
        if version:
            headers["OpenStack-API-Version"] = version
        return one.ask("GET", path, headers=headers)

    def logged_in(self, name="wedged-running-src-down", patch=None):
        one = self.standin(name)
        if patch:
            scenario("patch", one.state_file, json.dumps(patch))
        one.login()
        return one

    def test_catalog(self):
        one = self.logged_in(patch={"absent_services": ["volumev3"]})
        catalog = one.login().json()["token"]["catalog"]
        urls = {e["type"]: e["endpoints"][0]["url"] for e in catalog}
        self.assertEqual({"identity", "compute", "placement", "network"},
                         set(urls))
        self.assertEqual(one.base + "/placement", urls["placement"])

    def test_allocations(self):
        one = self.logged_in()
        path = "/placement/allocations/" + UUID
        body = self.get(one, path, "placement 1.28")
        self.assertEqual("placement 1.28",
                         body.header("OpenStack-API-Version"))
        body = body.json()
        self.assertEqual({"allocations", "project_id", "user_id",
                          "consumer_generation"}, set(body))
        provider, = body["allocations"]
        self.assertEqual({"VCPU": 1, "MEMORY_MB": 128},
                         body["allocations"][provider]["resources"])
        self.assertEqual({"allocations"}, set(self.get(one, path).json()))
        nobody = self.get(one, "/placement/allocations/" + self.VOLUME,
                          "placement 1.28")
        self.assertEqual((200, {"allocations": {}}),
                         (nobody.status, nobody.json()))
        path = "/placement/resource_providers/" + provider
        body = self.get(one, path, "placement 1.28").json()
        self.assertEqual(("cmp-b", provider, None),
                         (body["name"], body["root_provider_uuid"],
                          body["parent_provider_uuid"]))
        self.assertNotIn("root_provider_uuid", self.get(one, path).json())
        gone = self.get(one, "/placement/resource_providers/" + self.VOLUME)
        self.assertEqual(404, gone.status)
        self.assertIn("No resource provider", gone.json()["errors"][0]
                      ["detail"])
        self.assertEqual(406, self.get(one, path, "placement 1.99").status)

    def test_ports(self):
        one = self.logged_in()
        port, = self.get(one, "/networking/v2.0/ports?device_id=" + UUID) \
            .json()["ports"]
        self.assertEqual(("cmp-a", UUID), (port["binding:host_id"],
                                           port["device_id"]))
        path = "/networking/v2.0/ports?device_id=%s&fields=id" % UUID
        self.assertEqual([{"id": port["id"]}],
                         self.get(one, path).json()["ports"])
        path = "/networking/v2.0/ports?device_id=" + self.VOLUME
        self.assertEqual({"ports": []}, self.get(one, path).json())
        path = "/networking/v2.0/ports/%s/bindings" % port["id"]
        self.assertEqual([("cmp-a", "ACTIVE"), ("cmp-b", "INACTIVE")],
                         [(b["host"], b["status"]) for b in
                          self.get(one, path).json()["bindings"]])
        scenario("patch", one.state_file, '{"network": {"bindings": false}}')
        gone = self.get(one, path)
        self.assertEqual((404, "HTTPNotFound"),
                         (gone.status, gone.json()["NeutronError"]["type"]))

    def test_attachments(self):
        one = self.logged_in(patch={"volumes": {self.VOLUME: {
            "attachments": {self.ATTACHMENT: {"instance": UUID,
                                              "host": "cmp-a"}}}}})
        for project in ("", "/" + PROJECT):
            path = "/volume/v3%s/attachments?instance_id=%s&all_tenants=1" \
                % (project, UUID)
            answer = self.get(one, path, "volume 3.27")
            self.assertEqual("volume 3.27",
                             answer.header("OpenStack-API-Version"))
            self.assertEqual([{"id": self.ATTACHMENT, "status": "attached",
                               "instance": UUID, "volume_id": self.VOLUME}],
                             answer.json()["attachments"])
        self.assertEqual(404, self.get(one, path).status)
        path = "/volume/v3/%s/volumes/%s" % (PROJECT, self.VOLUME)
        shown, = self.get(one, path).json()["volume"]["attachments"]
        self.assertEqual(("cmp-a", UUID, self.ATTACHMENT),
                         (shown["host_name"], shown["server_id"],
                          shown["attachment_id"]))
        scenario("patch", one.state_file, json.dumps({"volumes": {
            self.VOLUME: {"attachments": {self.ATTACHMENT: {
                "status": "attaching"}}}}}))
        self.assertEqual([], self.get(one, path).json()["volume"]
                         ["attachments"])

    def test_rights(self):
        one = self.logged_in()
        paths = ("/placement/allocations/" + UUID,
                 "/networking/v2.0/ports",
                 "/volume/v3/attachments")
        for path in paths:
            self.assertEqual(401, self.get(one, path, token=False).status)
        one.login(appcred())            # its rules name Nova only
        for path in paths:
            self.assertEqual(401, self.get(one, path, "volume 3.27").status)
        one.login(by_password("reader"))
        self.assertEqual(403, self.get(one, paths[0]).status)
        self.assertEqual(403, self.get(one, paths[2], "volume 3.27").status)
        port, = self.get(one, paths[1]).json()["ports"]
        self.assertNotIn("binding:host_id", port)

    def test_nothing_is_written(self):
        one = self.logged_in()
        for path in ("/placement/allocations/" + UUID,
                     "/networking/v2.0/ports", "/volume/v3/attachments"):
            for method in ("PUT", "POST", "DELETE"):
                answer = one.ask(method, path, headers={
                    "X-Auth-Token": one.token})
                self.assertEqual(405, answer.status, (method, path))


class VersionTest(Case):
    def test_both_headers_and_latest(self):
        one = self.standin()
        one.login()
        base = {"X-Auth-Token": one.token}
        for headers, wanted in (
                ({}, "2.1"),
                ({"X-OpenStack-Nova-API-Version": "2.80"}, "2.80"),
                ({"OpenStack-API-Version": "compute latest"}, "2.93"),
                ({"OpenStack-API-Version": "identity 3, compute 2.60"},
                 "2.60"),
                ({"OpenStack-API-Version": "volume 3.1"}, "2.1")):
            answer = one.ask("GET", "/v2.1/servers/" + UUID, None,
                             dict(base, **headers))
            self.assertEqual(wanted,
                             answer.header("X-OpenStack-Nova-API-Version"))
            self.assertEqual("compute " + wanted,
                             answer.header("OpenStack-API-Version"))

    def test_fields_by_microversion(self):
        one = self.standin()
        fields = {"2.3": "OS-EXT-SRV-ATTR:root_device_name", "2.9": "locked",
                  "2.16": "host_status", "2.19": "description",
                  "2.26": "tags", "2.63": "trusted_image_certificates",
                  "2.71": "server_groups", "2.73": "locked_reason"}
        for low, field in fields.items():
            before = "2.%d" % (int(low[2:]) - 1)
            self.assertNotIn(field, one.get("/servers/" + UUID,
                                            version=before)["server"], low)
            self.assertIn(field, one.get("/servers/" + UUID,
                                         version=low)["server"], low)

    def test_migrations_by_microversion(self):
        one = self.standin("wedged-running-src-down")
        path = "/os-migrations?instance_uuid=" + UUID

        def keys(version):
            return set(one.get(path, version=version)["migrations"][0])
        self.assertEqual({"migration_type", "links"},
                         keys("2.23") - keys("2.22"))
        self.assertEqual({"uuid"}, keys("2.59") - keys("2.23"))
        self.assertEqual({"user_id", "project_id"},
                         keys("2.80") - keys("2.79"))

    def test_unknown_query_parameters(self):
        one = self.standin()
        for path, low in (("/servers/detail?bad=1", "2.75"),
                          ("/os-services?bad=1", "2.75"),
                          ("/os-migrations?bad=1", "2.59"),
                          ("/os-hypervisors/detail?bad=1", "2.33")):
            before = "2.%d" % (int(low[2:]) - 1)
            self.assertEqual(200, one.nova("GET", path,
                                           version=before).status, path)
            answer = one.nova("GET", path, version=low)
            self.assertEqual(400, answer.status, path)
            self.assertIn("'bad' was unexpected",
                          answer.json()["badRequest"]["message"])

    def test_range_is_the_state_s(self):
        one = self.standin("old-nova")
        version = one.ask("GET", "/v2.1/").json()["version"]
        self.assertEqual("2.72", version["version"])
        answer = one.nova("GET", "/servers/" + UUID, version="2.80")
        self.assertEqual(406, answer.status)
        self.assertIn("maximum is 2.72",
                      answer.json()["computeFault"]["message"])

    def test_new_nova(self):
        one = self.standin("new-nova")
        server = one.get("/servers/" + UUID, version="2.100")["server"]
        self.assertIn("pinned_availability_zone", server)
        self.assertIn("scheduler_hints", server)

    def test_unknown_paths_and_methods(self):
        one = self.standin()
        self.assertEqual(404, one.nova("GET", "/nothing").status)
        self.assertEqual(405, one.nova("PUT", "/servers/" + UUID).status)
        self.assertEqual(404, one.ask("GET", "/v9").status)


class ListTest(Case):
    def pages(self, one, path, key, count=1000):
        """All entries, page after page, by the links alone."""
        result, sizes = [], []
        while path:
            body = one.get(path)
            result += body[key]
            sizes.append(len(body[key]))
            links = body.get(key + "_links") or body.get("links") or []
            path = None
            for link in links:
                self.assertEqual("next", link["rel"])
                path = link["href"].split("/v2.1", 1)[1]
            self.assertLess(len(sizes), count)
        return result, sizes

    def test_servers_in_pages(self):
        one = self.standin("many-servers")
        found, sizes = self.pages(
            one, "/servers/detail?all_tenants=1&status=MIGRATING",
            "servers")
        self.assertEqual([50, 34], sizes)
        self.assertEqual(84, len({s["id"] for s in found}))
        self.assertEqual({"MIGRATING"}, {s["status"] for s in found})
        created = [s["created"] for s in found]
        self.assertEqual(sorted(created, reverse=True), created)

    def test_a_full_last_page_has_a_next(self):
        one = self.standin("duplicate-names")
        _, sizes = self.pages(one, "/servers?all_tenants=1&limit=3",
                              "servers")
        self.assertEqual([3, 0], sizes)
        self.assertEqual([], one.get("/servers?limit=0")["servers"])

    def test_migrations_in_pages(self):
        one = self.standin("many-records")
        found, sizes = self.pages(one, "/os-migrations?instance_uuid=" + UUID,
                                  "migrations")
        self.assertEqual([100, 100, 100, 0], sizes)
        self.assertEqual(list(range(300, 0, -1)), [m["id"] for m in found])
        answer = one.nova("GET", "/os-migrations?marker=nothing")
        self.assertEqual(400, answer.status)
        self.assertEqual(300, len(one.get("/os-migrations", version="2.58")
                                  ["migrations"]))

    def test_hypervisors_and_actions_in_pages(self):
        one = self.standin("many-hosts")
        found, sizes = self.pages(one, "/os-hypervisors/detail?limit=30",
                                  "hypervisors")
        self.assertEqual([30, 30, 22], sizes)
        self.assertEqual(82, len({h["id"] for h in found}))
        _, sizes = self.pages(
            one, "/servers/%s/os-instance-actions?limit=1" % UUID,
            "instanceActions")
        self.assertEqual([1, 1, 0], sizes)

    def test_name_is_a_regular_expression(self):
        one = self.standin("duplicate-names")

        def names(query):
            return sorted(s["name"] for s in one.get(
                "/servers/detail?all_tenants=1&" + query)["servers"])
        self.assertEqual(["w3w1", "w3w1", "w3w1-2"], names("name=w3w1"))
        self.assertEqual(["w3w1", "w3w1"], names("name=%5Ew3w1%24"))
        self.assertEqual(["w3w1"], names("name=W3&task_state=migrating"))
        self.assertEqual([], names("host=cmp-b"))
        self.assertEqual(3, len(names("vm_state=active&node=cmp-a")))
        self.assertEqual(["w3w1"], names("uuid=" + UUID))
        answer = one.nova("GET", "/servers?name=%28")
        self.assertEqual(400, answer.status)
        answer = one.nova("GET", "/servers?status=NONSENSE")
        self.assertEqual("Invalid status value",
                         answer.json()["badRequest"]["message"])

    def test_filters_of_migrations(self):
        one = self.standin("evacuated")

        def ids(query):
            return [m["id"] for m in one.get("/os-migrations?" + query)
                    ["migrations"]]
        self.assertEqual([8, 7], ids("instance_uuid=" + UUID))
        self.assertEqual([7], ids("status=running"))
        self.assertEqual([8], ids("migration_type=evacuation"))
        self.assertEqual([8, 7], ids("source_compute=cmp-a"))
        self.assertEqual([8, 7], ids("host=cmp-b"))
        self.assertEqual([], ids("host=cmp-c"))
        self.assertEqual([], ids("instance_uuid=none"))

    def test_services_by_binary_and_host(self):
        one = self.standin()
        hosts = [s["host"] for s in one.get(
            "/os-services?binary=nova-compute")["services"]]
        self.assertEqual(["cmp-a", "cmp-b"], hosts)
        binaries = [s["binary"] for s in one.get(
            "/os-services?host=ctl-1")["services"]]
        self.assertEqual(["nova-scheduler", "nova-conductor"], binaries)


class RightsTest(Case):
    def test_other_project(self):
        one = self.standin()
        one.login(by_password("demo", "demo"))
        self.assertEqual(404, one.nova("GET", "/servers/" + UUID).status)
        self.assertEqual([], one.get("/servers")["servers"])
        for path in ("/os-migrations", "/os-services",
                     "/os-hypervisors/detail",
                     "/servers?all_tenants=1"):
            self.assertEqual(403, one.nova("GET", path).status, path)

    def test_own_project_without_admin(self):
        one = self.standin("reader-only")
        server = one.get("/servers/" + UUID)["server"]
        self.assertEqual("migrating", server["OS-EXT-STS:task_state"])
        for key in ("OS-EXT-SRV-ATTR:host", "host_status",
                    "OS-EXT-SRV-ATTR:instance_name"):
            self.assertNotIn(key, server)
        self.assertIn("OS-EXT-SRV-ATTR:hostname", server)
        self.assertEqual(403, one.nova(
            "GET", "/servers/%s/migrations" % UUID).status)
        self.assertEqual(403, one.reset().status)
        actions = one.get("/servers/%s/os-instance-actions" % UUID)
        first = actions["instanceActions"][0]
        events = one.get("/servers/%s/os-instance-actions/%s" % (
            UUID, first["request_id"]))["instanceAction"]["events"]
        self.assertNotIn("host", events[0])
        self.assertIn("hostId", events[0])

    def test_hidden_host(self):
        one = self.standin("hidden-host")
        server = one.get("/servers/" + UUID)["server"]
        self.assertNotIn("OS-EXT-SRV-ATTR:host", server)
        self.assertIn("OS-EXT-SRV-ATTR:hostname", server)
        record, = one.get("/os-migrations")["migrations"]
        self.assertIsNone(record["source_compute"])
        self.assertIsNone(record["dest_compute"])

    def test_down_cell(self):
        one = self.standin("down-cell")
        server = one.get("/servers/" + UUID)["server"]
        self.assertEqual("UNKNOWN", server["status"])
        self.assertNotIn("OS-EXT-STS:vm_state", server)
        self.assertEqual([], one.get("/os-migrations")["migrations"])
        listed, = one.get("/servers/detail?all_tenants=1")["servers"]
        self.assertEqual({"id", "status", "tenant_id", "created", "links"},
                         set(listed))
        self.assertEqual(500, one.nova("GET", "/servers/" + UUID,
                                       version="2.68").status)
        self.assertEqual(500, one.reset().status)


class ResetTest(Case):
    def test_effects(self):
        one = self.standin()
        before = one.read()
        answer = one.reset()
        self.assertEqual((202, b""), (answer.status, answer.raw))
        rid = answer.header("X-Compute-Request-Id")
        self.assertEqual(rid, answer.header("X-OpenStack-Request-Id"))
        after = one.read()
        old, new = before["servers"][UUID], after["servers"][UUID]
        self.assertEqual({"task_state", "updated"},
                         {k for k in new if old.get(k) != new[k]})
        self.assertGreater(new["updated"], old["updated"])
        self.assertEqual(before["migrations"], after["migrations"])
        self.assertEqual([rid], [r for r in after["actions"]
                                 if r not in before["actions"]])
        listed = one.get("/servers/%s/os-instance-actions" % UUID)
        first = listed["instanceActions"][0]
        self.assertEqual(("resetState", rid, ADMIN, PROJECT),
                         (first["action"], first["request_id"],
                          first["user_id"], first["project_id"]))
        shown = one.get("/servers/%s/os-instance-actions/%s" % (UUID, rid))
        self.assertEqual([], shown["instanceAction"]["events"])

    def test_nothing_is_compared(self):
        one = self.standin("rebuilding")
        for state in ("active", "active", "error"):
            self.assertEqual(202, one.reset(state=state).status)
            server = one.get("/servers/" + UUID)["server"]
            self.assertEqual(state, server["OS-EXT-STS:vm_state"])
            self.assertIsNone(server["OS-EXT-STS:task_state"])
        self.assertEqual("ERROR", server["status"])
        self.assertNotIn("progress", server)

    def test_paused_keeps_its_power_state(self):
        one = self.standin("paused-migrating")
        server = one.get("/servers/" + UUID)["server"]
        self.assertEqual("MIGRATING", server["status"])
        one.reset()
        server = one.get("/servers/" + UUID)["server"]
        self.assertEqual(("ACTIVE", 3), (server["status"],
                                         server["OS-EXT-STS:power_state"]))

    def test_old_nova_leaves_no_trace(self):
        one = self.standin("old-nova")
        before = one.read()["actions"]
        self.assertEqual(202, one.reset(version="2.72").status)
        self.assertEqual(before, one.read()["actions"])

    def test_lock_and_unlock(self):
        one = self.standin()
        for name, locked in (("lock", True), ("unlock", False)):
            answer = one.nova("POST", "/servers/%s/action" % UUID,
                              {name: None})
            self.assertEqual(202, answer.status)
            self.assertEqual(locked, one.get("/servers/" + UUID)["server"]
                             ["locked"])
        listed = one.get("/servers/%s/os-instance-actions" % UUID)
        self.assertEqual(["unlock", "lock"], [
            a["action"] for a in listed["instanceActions"]][:2])

    def test_abort(self):
        one = self.standin("wedged-running-src-down")
        path = "/servers/%s/migrations/7" % UUID
        self.assertEqual(202, one.nova("DELETE", path).status)
        scenario("patch", one.state_file, json.dumps(
            {"migrations": {"7": {"status": "running (post-copy)"}}}))
        self.assertEqual(400, one.nova("DELETE", path).status)
        self.assertEqual(404, one.nova("GET", path).status)
        one.reset()
        self.assertEqual(409, one.nova("DELETE", path).status)

    def test_two_at_once(self):
        one = self.standin()
        one.login()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            codes = list(pool.map(lambda _: one.reset().status, range(16)))
        self.assertEqual([202] * 16, codes)
        listed = one.get("/servers/%s/os-instance-actions" % UUID)
        self.assertEqual(16, sum(a["action"] == "resetState"
                                 for a in listed["instanceActions"]))


class StateTest(Case):
    def test_read_again_when_changed(self):
        one = self.standin()
        self.assertEqual("MIGRATING", one.get("/servers/" + UUID)["server"]
                         ["status"])
        scenario("patch", one.state_file, json.dumps(
            {"servers": {"*": {"task_state": None}}}))
        self.assertEqual("ACTIVE", one.get("/servers/" + UUID)["server"]
                         ["status"])
        one.scenario("unknown-instance")
        self.assertEqual(404, one.nova("GET", "/servers/" + UUID).status)

    def test_broken_state_is_never_nova_s_word(self):
        one = self.standin()
        one.login()
        with open(one.state_file, "w") as out:
            out.write("{")
        answer = one.nova("GET", "/servers/" + UUID)
        self.assertEqual(599, answer.status)
        self.assertIn("standin_error", answer.json())
        one.scenario("wedged-failed")
        self.assertEqual(200, one.nova("GET", "/servers/" + UUID).status)

    def test_slow_writer_is_waited_for(self):
        one = self.standin()
        one.login()
        text = json.dumps(one.read())
        with open(one.state_file, "w") as out:
            out.write(text[:100])
            out.flush()
            with concurrent.futures.ThreadPoolExecutor(1) as pool:
                asked = pool.submit(one.nova, "GET", "/servers/" + UUID)
                time.sleep(0.1)
                out.write(text[100:])
                out.flush()
                self.assertEqual(200, asked.result().status)

    def test_relative_times(self):
        one = self.standin()
        state = one.read()
        state["servers"][UUID]["updated"] = "now-3600s"
        one.write(state)
        shown = one.get("/servers/" + UUID)["server"]["updated"]
        age = time.time() - datetime.datetime.fromisoformat(
            shown.replace("Z", "+00:00")).timestamp()
        self.assertAlmostEqual(3600, age, delta=5)
        time.sleep(1.1)
        self.assertEqual(shown, one.get("/servers/" + UUID)["server"]
                         ["updated"])

    def test_heartbeat_and_freeze(self):
        one = self.standin("migrating-running", "--patch", json.dumps(
            {"beats": {UUID: {"every_s": 0.5}}}))

        def look():
            server = one.get("/servers/" + UUID)["server"]
            record, = one.get("/servers/%s/migrations" % UUID)["migrations"]
            return (server["updated"], record["updated_at"],
                    record["memory_processed_bytes"],
                    record["memory_remaining_bytes"])
        first = look()
        time.sleep(1.6)
        second = look()
        for old, new in zip(first, second):
            self.assertNotEqual(old, new)
        scenario("freeze", one.state_file)
        third = look()
        time.sleep(1.2)
        self.assertEqual(third, look())
        self.assertGreaterEqual(third[:3], second[:3])

    def test_reset_during_a_heartbeat(self):
        one = self.standin("migrating-running")
        before = one.get("/servers/" + UUID)["server"]["updated"]
        one.reset()
        server = one.get("/servers/" + UUID)["server"]
        self.assertEqual("ACTIVE", server["status"])
        self.assertGreaterEqual(server["updated"], before)

    def date_of(self, one):
        answer = one.nova("GET", "/servers/" + UUID)
        return email.utils.parsedate_to_datetime(
            answer.header("Date")).timestamp()

    def test_clock(self):
        one = self.standin()
        self.assertAlmostEqual(time.time(), self.date_of(one), delta=3)
        for clock, wanted in (({"offset_s": -86400}, time.time() - 86400),
                              ({"fixed": "2020-01-02T03:04:05Z"},
                               1577934245)):
            state = one.read()
            state["clock"] = clock
            one.write(state)
            one.login()
            self.assertAlmostEqual(wanted, self.date_of(one), delta=3)

    def test_services_report(self):
        one = self.standin()

        def report():
            service = one.get("/os-services?host=cmp-a")["services"][0]
            return service["state"], service["updated_at"]
        state, stamp = report()
        age = time.time() - datetime.datetime.fromisoformat(
            stamp + "+00:00").timestamp()
        self.assertEqual("up", state)
        self.assertLess(age, 12)

    def test_service_state_from_its_age(self):
        one = self.standin()
        scenario("patch", one.state_file, json.dumps({"services": {
            "nova-compute@cmp-a": {"state": None, "reports_every_s": None,
                                   "updated_at": "now-300s"},
            "nova-compute@cmp-b": {"forced_down": True}}}))
        self.assertEqual(["down", "down"], [s["state"] for s in one.get(
            "/os-services?binary=nova-compute")["services"]])
        self.assertEqual("UNKNOWN", one.get("/servers/" + UUID)["server"]
                         ["host_status"])


class FaultTest(Case):
    path = "/servers/%s$" % UUID

    def faulty(self, *rules, name="wedged-failed"):
        one = self.standin(name)
        one.login()
        self.add(one, *rules)
        return one

    def add(self, one, *rules):
        scenario("fault", one.state_file, "--clear", json.dumps(rules))

    def rule(self, **more):
        return dict({"method": "GET", "path": self.path}, **more)

    def look(self, one):
        return one.nova("GET", "/servers/" + UUID, timeout=5)

    def test_status_body_headers(self):
        one = self.faulty(self.rule(status=503, retry_after=3, body={
            "error": "busy"}, headers={"X-Extra": "1"}))
        answer = self.look(one)
        self.assertEqual(503, answer.status)
        self.assertEqual({"error": "busy"}, answer.json())
        self.assertEqual("3", answer.header("Retry-After"))
        self.assertEqual("1", answer.header("X-Extra"))

    def test_which_calls(self):
        one = self.faulty(self.rule(status=500, nth=2))
        self.assertEqual([200, 500, 200],
                         [self.look(one).status for _ in range(3)])
        self.add(one, self.rule(id="a", status=500, **{"from": 2, "count": 2}))
        self.assertEqual([200, 500, 500, 200],
                         [self.look(one).status for _ in range(4)])
        self.add(one, self.rule(id="b", status=500, nth=[1, 3]))
        self.assertEqual([500, 200, 500],
                         [self.look(one).status for _ in range(3)])
        self.add(one, self.rule(id="c", status=500, every=2))
        self.assertEqual([500, 200, 500],
                         [self.look(one).status for _ in range(3)])

    def test_counts_start_anew_with_an_epoch(self):
        rule = self.rule(status=500, nth=1)
        one = self.faulty(rule)
        self.assertEqual([500, 200], [self.look(one).status for _ in "12"])
        scenario("patch", one.state_file, '{"epoch": "2"}')
        self.assertEqual([500, 200], [self.look(one).status for _ in "12"])

    def test_only_what_matches(self):
        one = self.faulty(
            {"method": "POST", "path": "/action$", "status": 500,
             "request_body": "os-resetState"},
            {"query": "limit=1", "status": 502})
        self.assertEqual(200, self.look(one).status)
        self.assertEqual(500, one.reset().status)
        self.assertEqual(202, one.nova("POST", "/servers/%s/action" % UUID,
                                       {"lock": None}).status)
        self.assertEqual(502, one.nova("GET", "/servers?limit=1").status)
        # It was answered for, not carried out.
        self.assertEqual("migrating", one.read()["servers"][UUID]
                         ["task_state"])

    def test_close_before(self):
        one = self.faulty({"method": "POST", "path": "/action$",
                           "close": "before"})
        with self.assertRaises(http.client.RemoteDisconnected):
            one.reset()
        self.assertEqual("migrating", one.read()["servers"][UUID]
                         ["task_state"])
        entry, = one.log(method="POST", path="/v2.1/servers/%s/action" % UUID)
        self.assertIsNone(entry["status"])

    def test_close_after_executing(self):
        one = self.faulty({"method": "POST", "path": "/action$",
                           "close": "after"})
        with self.assertRaises(http.client.RemoteDisconnected):
            one.reset()
        self.assertIsNone(one.read()["servers"][UUID]["task_state"])
        self.assertIn("resetState", [a["action"] for a in
                                     one.read()["actions"].values()])

    def test_connection_reset(self):
        one = self.faulty(self.rule(close="reset"))
        with self.assertRaises(ConnectionError):
            self.look(one)

    def test_executed_yet_5xx(self):
        one = self.faulty({"method": "POST", "path": "/action$",
                           "execute": True, "status": 504, "html": True})
        answer = one.reset()
        self.assertEqual(504, answer.status)
        self.assertEqual("text/html", answer.header("Content-Type"))
        self.assertIsNone(one.read()["servers"][UUID]["task_state"])

    def test_delays(self):
        one = self.faulty(self.rule(delay_ms=400))
        start = time.monotonic()
        self.assertEqual(200, self.look(one).status)
        self.assertGreater(time.monotonic() - start, 0.4)
        self.add(one, {"method": "POST", "path": "/action$",
                       "delay_reply_ms": 3000})
        with self.assertRaises(socket.timeout):
            one.reset(timeout=0.5)
        self.assertIsNone(one.read()["servers"][UUID]["task_state"])

    def test_stall(self):
        one = self.faulty(self.rule(stall={"after_bytes": 20, "for_s": 30}))
        with self.assertRaises(socket.timeout):
            one.nova("GET", "/servers/" + UUID, timeout=0.5)
        self.add(one, self.rule(stall={"after_bytes": 20, "for_s": 0.3,
                                       "then": "continue"}))
        self.assertEqual(UUID, self.look(one).json()["server"]["id"])
        self.add(one, self.rule(stall={"in_head": 8, "for_s": 0.2}))
        with self.assertRaises((http.client.HTTPException, ConnectionError)):
            self.look(one)

    def test_truncated_and_wrong_lengths(self):
        for steps in ({"truncate": 50}, {"content_length": 100}):
            one = self.faulty(self.rule(**steps))
            with self.assertRaises(http.client.IncompleteRead):
                self.look(one)

    def test_chunked(self):
        one = self.faulty(self.rule(chunked=True))
        answer = self.look(one)
        self.assertEqual("chunked", answer.header("Transfer-Encoding"))
        self.assertEqual(UUID, answer.json()["server"]["id"])

    def test_html(self):
        one = self.faulty(self.rule(html=True))
        answer = self.look(one)
        self.assertEqual((200, "text/html"),
                         (answer.status, answer.header("Content-Type")))
        self.assertIn(b"<html>", answer.raw)

    def test_giant(self):
        for no_length in (False, True):
            one = self.faulty(self.rule(giant={"bytes": 3000000,
                                               "no_length": no_length}))
            answer = self.look(one)
            self.assertEqual(3000000, len(answer.raw))
            answer.json()

    def test_deep(self):
        one = self.faulty(self.rule(deep=100000))
        self.assertEqual(b"[" * 100000 + b"]" * 100000, self.look(one).raw)

    def test_wrong_types(self):
        one = self.faulty(self.rule(
            set={"/server/OS-EXT-STS:task_state": 5, "/server/new": [1]},
            remove=["/server/status", "/server/links/0"]))
        server = self.look(one).json()["server"]
        self.assertEqual(5, server["OS-EXT-STS:task_state"])
        self.assertEqual([1], server["new"])
        self.assertNotIn("status", server)
        self.assertEqual(1, len(server["links"]))

    def test_duplicate_keys(self):
        key = "OS-EXT-STS:task_state"
        one = self.faulty(self.rule(duplicate=[
            {"path": "/server/" + key, "value": None}]))
        answer = self.look(one)
        self.assertEqual(2, answer.raw.count(b'"%s":' % key.encode()))
        self.assertIsNone(answer.json()["server"][key])

    def test_invalid_utf8(self):
        one = self.faulty(self.rule(invalid_utf8=["/server/name"]))
        with self.assertRaises(UnicodeDecodeError):
            self.look(one).raw.decode("utf-8")

    def test_raw(self):
        one = self.faulty(self.rule(raw="nonsense"))
        self.assertEqual(b"nonsense", self.look(one).raw)
        self.add(one, self.rule(raw_hex="00ff"))
        self.assertEqual(b"\x00\xff", self.look(one).raw)

    def test_redirects(self):
        for status in (301, 302, 307):
            one = self.faulty(self.rule(redirect={
                "status": status, "location": "{base}/elsewhere{target}"}))
            answer = self.look(one)
            self.assertEqual(status, answer.status)
            self.assertEqual("%s/elsewhere/v2.1/servers/%s"
                             % (one.base, UUID), answer.header("Location"))

    def test_too_large(self):
        one = self.faulty({"path": "/auth/tokens", "status": 413})
        self.assertEqual(413, one.ask("POST", "/v3/auth/tokens",
                                      by_password(), JSON).status)

    def test_headers_dropped(self):
        one = self.faulty({"method": "POST", "path": "/action$",
                           "drop_headers": ["X-Compute-Request-Id"]})
        answer = one.reset()
        self.assertIsNone(answer.header("X-Compute-Request-Id"))
        self.assertIsNotNone(answer.header("X-OpenStack-Request-Id"))

    def test_token_lost_in_mid_run(self):
        one = self.faulty(self.rule(revoke_tokens=True, nth=2))
        self.assertEqual([200, 401, 401],
                         [self.look(one).status for _ in range(3)])
        one.login()
        self.assertEqual(200, self.look(one).status)

    def test_state_changes_after_the_nth(self):
        patch = {"servers": {UUID: {"host": "cmp-b", "updated": "now"}},
                 "migrations": {"*": {"status": "completed"}}}
        one = self.faulty(self.rule(nth=2, patch=patch))
        hosts = [self.look(one).json()["server"]["OS-EXT-SRV-ATTR:host"]
                 for _ in range(3)]
        self.assertEqual(["cmp-a", "cmp-a", "cmp-b"], hosts)
        self.assertEqual("completed", one.get("/os-migrations")["migrations"]
                         [0]["status"])

    def test_state_changes_before(self):
        one = self.faulty({"method": "POST", "path": "/action$",
                           "patch_before": {"servers": {UUID: None}}})
        self.assertEqual(404, one.reset().status)

    def test_a_misspelt_rule_is_named(self):
        with self.assertRaisesRegex(RuntimeError, "unknown key stauts"):
            self.faulty(self.rule(stauts=500))
        one = self.standin()
        one.login()
        state = one.read()
        state["faults"] = [{"stauts": 500}]
        one.write(state)
        self.assertEqual(599, self.look(one).status)

    def test_faults_of_keystone(self):
        one = self.faulty({"path": "/auth/tokens$", "do": {
            "close": "before"}, "nth": 1})
        with self.assertRaises(http.client.RemoteDisconnected):
            one.ask("POST", "/v3/auth/tokens", by_password(), JSON)
        one.login()


class LogTest(Case):
    def test_one_line_each_and_no_secret(self):
        one = self.standin()
        one.login()
        one.get("/servers/" + UUID)
        answer = one.reset()
        lines = one.log()
        self.assertEqual(["POST", "GET", "POST"],
                         [e["method"] for e in lines])
        first = lines[0]["n"]
        self.assertEqual([first, first + 1, first + 2],
                         [e["n"] for e in lines])
        self.assertEqual([201, 200, 202], [e["status"] for e in lines])
        last = lines[-1]
        self.assertEqual({"os-resetState": {"state": "active"}},
                         last["body"])
        self.assertEqual(answer.header("X-Compute-Request-Id"),
                         last["request_id"])
        self.assertEqual(ADMIN, last["user_id"])
        with open(one.log_file, encoding="utf-8") as source:
            text = source.read()
        self.assertNotIn(one.token, text)
        self.assertNotIn('"secret"', text)
        one.login(appcred())
        one.login({"auth": {"identity": {"methods": ["token"], "token": {
            "id": one.token}}}})
        with open(one.log_file, encoding="utf-8") as source:
            self.assertNotIn("lab-recoverer-secret", source.read())

    def test_expectations(self):
        one = self.standin()
        post = ("log", one.log_file, "--method", "POST", "--path",
                "/action$", "--body", "os-resetState")
        one.login()
        scenario(*post, "--expect", "0")
        one.reset()
        scenario(*post, "--expect", "1")
        self.assertEqual("1\n", scenario(*post, "--count"))
        with self.assertRaises(RuntimeError):
            scenario(*post, "--expect", "2")

    def test_global_request_id_is_logged(self):
        one = self.standin()
        one.login()
        headers = {"X-Auth-Token": one.token,
                   "X-OpenStack-Request-ID": "req-" + UUID}
        one.ask("GET", "/v2.1/servers/" + UUID, None, headers)
        self.assertEqual("req-" + UUID, one.log()[-1]["headers"]
                         ["X-OpenStack-Request-ID"])


class ProcessTest(Case):
    def test_loopback_only(self):
        one = self.standin()
        listening = []
        for table in ("/proc/net/tcp", "/proc/net/tcp6"):
            if not os.path.exists(table):
                continue
            with open(table) as source:
                for line in source.readlines()[1:]:
                    fields = line.split()
                    if fields[3] == "0A" and \
                            int(fields[1].split(":")[1], 16) == one.port:
                        listening.append(fields[1].split(":")[0])
        if not listening:
            self.skipTest("no table of listening sockets here")
        self.assertEqual(["0100007F"], listening)

    def test_other_addresses_are_refused(self):
        one = Standin().scenario("active")
        self.addCleanup(one.stop)
        for address in ("0.0.0.0:0", "[::]:0", "192.0.2.1:0", "nonsense"):
            done = subprocess.run(
                [sys.executable, os.path.join(PROGRAMS, "standin"),
                 "--state", one.state_file, "--listen", address],
                stderr=subprocess.PIPE, text=True, timeout=20)
            self.assertEqual(1, done.returncode)
            self.assertIn("--", done.stderr)

    def test_keep_alive(self):
        one = self.standin()
        link = one.connect()
        one.login()
        for _ in range(3):
            answer = one.nova("GET", "/servers/" + UUID, connection=link)
            self.assertEqual("keep-alive", answer.header("Connection"))
        link.close()
        self.assertEqual(1, len({e["connection"] for e in one.log()[-3:]}))

    def test_pipelined_bytes_and_connection_close(self):
        one = self.standin()
        data = one.raw("/v3")
        self.assertIn(b"Connection: close", data)

    def test_sigterm(self):
        one = self.fresh()
        one.process.send_signal(signal.SIGTERM)
        self.assertEqual(0, one.process.wait(10))
        self.assertEqual("", one.stderr())

    def test_sigterm_during_a_stall(self):
        one = self.fresh("wedged-failed", "--fault", json.dumps(
            {"path": "/v3$", "stall": {"for_s": 60}}))
        with self.assertRaises(socket.timeout):
            one.ask("GET", "/v3", timeout=0.3)
        one.process.send_signal(signal.SIGTERM)
        self.assertEqual(0, one.process.wait(10))

    def test_background(self):
        one = Standin().scenario("active")
        self.addCleanup(one.folder.cleanup)
        done = subprocess.run(
            [sys.executable, os.path.join(PROGRAMS, "standin"), "--state",
             one.state_file, "--log", one.log_file, "--background",
             "--watch-pid", str(os.getpid())],
            stdout=subprocess.PIPE, text=True, timeout=20)
        ready = json.loads(done.stdout)
        try:
            one.port = ready["port"]
            self.assertEqual(200, one.ask("GET", "/v3").status)
        finally:
            os.kill(ready["pid"], signal.SIGTERM)

    def test_ends_with_the_watched(self):
        other = subprocess.Popen(["sleep", "60"])
        one = Standin(arguments=["--watch-pid", str(other.pid)])
        one.scenario("active")
        self.addCleanup(one.stop)
        one.start()
        other.terminate()
        other.wait()
        self.assertEqual(0, one.process.wait(10))

    def test_tls(self):
        openssl = shutil.which("openssl")
        if openssl is None:
            self.skipTest("no openssl program to make a certificate with")
        one = Standin().scenario("wedged-failed")
        self.addCleanup(one.stop)
        cert, key = one.path("cert.pem"), one.path("key.pem")
        subprocess.run(
            [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes",
             "-keyout", key, "-out", cert, "-days", "2", "-subj",
             "/CN=standin", "-addext", "subjectAltName=IP:127.0.0.1"],
            check=True, stderr=subprocess.DEVNULL)
        one.arguments = ["--tls-cert", cert, "--tls-key", key]
        one.tls = cert
        one.start()
        self.assertTrue(one.base.startswith("https://"))
        self.assertEqual(202, one.reset().status)

    def test_clouds(self):
        one = self.standin()
        text = scenario("clouds", one.path("ready.json"))
        self.assertIn("auth_url: %s/v3\n" % one.base, text)
        self.assertIn("standin-appcred:", text)


class ScenarioTest(Case):
    """Every ready state can be asked for everything that it holds."""

    def test_every_one(self):
        one = self.standin("active")
        for name in library.SCENARIOS:
            with self.subTest(name):
                one.scenario(name)
                one.token = None
                scope = {"system": {"all": True}} \
                    if name == "system-scope" else None
                one.login(by_password(project=None, scope=scope)
                          if scope else None)
                self.ask_all(one, name)

    def ask_all(self, one, name):
        high = one.read()["nova"]["max"]
        state = one.read()
        region = "/region/RegionTwo" if name == "two-regions" else ""
        paths = ["/servers/detail", "/os-migrations?instance_uuid=" + UUID,
                 "/os-services", "/os-hypervisors/detail"]
        if UUID in state["servers"]:
            paths += ["/servers/" + UUID, "/servers/%s/os-instance-actions"
                      % UUID]
        for version in ("2.1", high):
            for path in paths:
                answer = one.nova("GET", path, version=version,
                                  root=region + "/v2.1")
                allowed = {200}
                if name in ("system-scope", "reader-only"):
                    allowed |= {403, 404}
                if name == "down-cell":
                    allowed |= {500}
                self.assertIn(answer.status, allowed, path)

    def expect(self, name, **wanted):
        one = self.standin(name)
        server = one.get("/servers/" + UUID)["server"]
        found = {"status": server["status"],
                 "task": server["OS-EXT-STS:task_state"],
                 "vm": server["OS-EXT-STS:vm_state"],
                 "host": server["OS-EXT-SRV-ATTR:host"],
                 "host_status": server["host_status"],
                 "records": [m["status"] for m in one.get(
                     "/os-migrations")["migrations"]],
                 "listed": len(one.get("/servers/%s/migrations" % UUID)
                               ["migrations"]),
                 "actions": [a["action"] for a in one.get(
                     "/servers/%s/os-instance-actions" % UUID)
                     ["instanceActions"]]}
        self.assertEqual(wanted, {k: found[k] for k in wanted}, name)

    def test_what_nova_says(self):
        for name, status in (("failed", "failed"), ("error", "error"),
                             ("cancelled", "cancelled"),
                             ("completed", "completed")):
            self.expect("wedged-" + name, status="MIGRATING",
                        task="migrating", records=[status], listed=0,
                        host="cmp-a", host_status="UP",
                        actions=["live-migration", "create"])
        self.expect("wedged-running-src-down", host_status="UNKNOWN",
                    records=["running"], listed=1)
        self.expect("wedged-accepted", records=["accepted"], listed=0)
        self.expect("wedged-queued", records=["queued"], listed=1)
        self.expect("wedged-preparing", records=["preparing"], listed=1)
        self.expect("wedged-norecord", records=[], listed=0)
        self.expect("postcopy", records=["running (post-copy)"], listed=0)
        self.expect("active", status="ACTIVE", task=None, records=[])
        self.expect("error-migrating", status="ERROR", task="migrating",
                    vm="error")
        self.expect("resizing", status="RESIZE", task="resize_migrating")
        self.expect("rebuilding", status="REBUILD", task="rebuilding",
                    actions=["evacuate", "live-migration", "create"])
        self.expect("evacuated", records=["done", "running"])
        self.expect("half-repaired", host="cmp-b")

    def test_wishes(self):
        key = "11111111-2222-4333-8444-555555555555"
        one = self.standin("wedged-completed", "--uuid", key, "--source",
                           "left", "--dest", "right", "--server-name", "db",
                           "--instance-name", "instance-000000ff",
                           "--project", library.DEMO_PROJECT, "--age-s",
                           "500")
        server = one.get("/servers/" + key)["server"]
        self.assertEqual(("db", "left", "instance-000000ff",
                          library.DEMO_PROJECT),
                         (server["name"], server["OS-EXT-SRV-ATTR:host"],
                          server["OS-EXT-SRV-ATTR:instance_name"],
                          server["tenant_id"]))
        record, = one.get("/os-migrations")["migrations"]
        self.assertEqual(("left", "right"), (record["source_compute"],
                                             record["dest_compute"]))
        age = time.time() - datetime.datetime.fromisoformat(
            record["updated_at"] + "+00:00").timestamp()
        self.assertAlmostEqual(500, age, delta=10)

    def test_as_a_program(self):
        done = subprocess.run([os.path.join(PROGRAMS, "scenario"), "list"],
                              stdout=subprocess.PIPE, text=True, timeout=20)
        self.assertEqual(list(library.SCENARIOS), [
            line.split()[0] for line in done.stdout.splitlines()])

    def test_unknown_name(self):
        with self.assertRaisesRegex(RuntimeError, "no scenario"):
            scenario("write", "nothing", "--out", os.devnull)


class TidyTest(unittest.TestCase):
    """The files themselves."""

    def files(self):
        folders = (PROGRAMS, HERE, os.path.join(ROOT, "tests", "recorded",
                                                "nova"))
        for folder in folders:
            for path in sorted(glob.glob(os.path.join(folder, "*"))):
                if os.path.isfile(path):
                    yield path

    def test_standard_library_only(self):
        own = {os.path.splitext(os.path.basename(p))[0]
               for p in self.files()}
        for path in self.files():
            if path.endswith((".json", ".md")):
                continue
            with open(path, encoding="utf-8") as source:
                for line in source:
                    words = line.split()
                    if line.startswith(("import ", "from ")):
                        name = words[1].split(".")[0]
                        self.assertIn(name, own | set(
                            sys.stdlib_module_names), path)

    def test_no_cache_is_left(self):
        for folder in (PROGRAMS, HERE):
            self.assertFalse(os.path.exists(os.path.join(folder,
                                                         "__pycache__")))
