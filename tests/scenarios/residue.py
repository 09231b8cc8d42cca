"""What a verified reset left behind: each left-over that was put there is found, none is invented."""
import json
import os
import re
import signal

from play import A, ABSENT, B, RUN, UUID, add, need, play
import library

MIGRATION = library.derived("migration-7")
PORT = library.derived("port-" + UUID)
VOLUME = "7c5d3ad2-0000-4000-8000-00000000000a"
HERE = "7c5d3ad2-0000-4000-8000-0000000000a1"   # attachment on cmp-a
THERE = "7c5d3ad2-0000-4000-8000-0000000000b1"  # the same volume's on cmp-b
FLAVOR = {"VCPU": 1, "MEMORY_MB": 128}
SUBJECTS = ["Nova: no migration record", "Placement: the instance's allocation", "Placement: (no migration|the instance has no)",
            "Neutron: ", "Cinder: "]
CLEAN = ["none found: " + s for s in SUBJECTS]
ATTACHED = {VOLUME: {"attachments": {HERE: {"instance": UUID, "status": "attached", "host": A}}}}


def after(p, *patches, state="wedged-failed", faults=(), cloud=None, run=RUN, **wish):
    """The residue lines of a reset that was verified; the same in text, JSON and journal."""
    more = ["--os-cloud", cloud] if cloud else []
    p.nova(state, *patches, **wish).hosts(a=run, b=ABSENT)
    p.plan("--attest", "compute-stopped=cmp-a", *more, status=2)
    p.faults(*faults)
    doc = p.apply("-f", "json", *more, status=0).json()
    need(doc["verified"] is True, "%s", doc)
    lines = doc["verdict"]["residue"]
    recorded = p.journal("residue")
    need(len(recorded) == 1 and recorded[0]["lines"] == lines, "the journal has %s", recorded)
    p.resets(1)
    p.verify_journal()
    need(not [x for x in lines if x.startswith("check: ")], "checks that were made: %s", lines)
    return lines


def found(lines, *wanted):
    """Exactly these, in any order; a command follows each of what was found."""
    told = [x for x in lines if re.match("found: |none found: |could not be read: ", x)]
    for pattern in wanted:
        hits = [x for x in told if re.match(pattern, x)]
        need(len(hits) == 1, "%d lines of %r in\n%s", len(hits), pattern, "\n".join(lines))
        told.remove(hits[0])
    need(not told, "invented:\n%s", "\n".join(told))


def commands(lines, *wanted):
    have = [x[2:] for x in lines if x.startswith("  ")]
    for pattern in wanted:
        need(any(re.fullmatch(pattern, x) for x in have), "no command %r in\n%s", pattern, "\n".join(lines))
    return have


@play
def residue_none(p):
    """Nothing left anywhere: one line a subject says so."""
    lines = after(p, {"volumes": ATTACHED})
    found(lines, *CLEAN)
    need(not commands(lines), "commands without a cause: %s", lines)


@play
def residue_without_volumes(p):
    """An instance without port and volume: there is nothing to be left."""
    lines = after(p, {"ports": None})
    found(lines, *CLEAN[:3], "none found: Neutron: the instance has no port", "none found: Cinder: .*no volume")


@play
def residue_dead_source(p):
    """w1: the record stays running, both allocations, an INACTIVE binding on the destination."""
    lines = after(p, state="wedged-running-src-down")
    found(lines, r"found: Nova: migration 7 \(%s\) stays `running`" % MIGRATION,
          "found: Placement: the instance is allocated MEMORY_MB=128, VCPU=1 of cmp-b and nothing of cmp-a, where",
          "found: Placement: migration %s still holds MEMORY_MB=128, VCPU=1 of cmp-a" % MIGRATION,
          "found: Neutron: port %s has an INACTIVE binding on cmp-b" % PORT, CLEAN[4])
    commands(lines, r"UPDATE migrations SET status='error' WHERE uuid='%s' AND status='running';" % MIGRATION,
             "nova-manage placement heal_allocations --instance %s --force" % UUID,
             "openstack resource provider allocation delete " + MIGRATION,
             r"curl -X DELETE -H .* http://127\.0\.0\.1:\d+/networking/v2\.0/ports/%s/bindings/cmp-b" % PORT)


# --- one left-over at a time ---------------------------------------------------------------------

SEEDS = [  # name, patch, subject that is not clean, what is found, a command
    ("record-older", {"migrations": {"3": {
        "uuid": "00000000-0000-4000-8000-000000000003", "instance_uuid": UUID, "status": "running (post-copy)",
        "migration_type": "live-migration", "source_compute": A, "dest_compute": B, "created_at": "now-90000s",
        "updated_at": "now-90000s"}}}, 0, "Nova: migration 3 .*stays `running \\(post-copy\\)`",
     r"UPDATE migrations .* AND status='running \(post-copy\)';"),
    ("allocation-both", {"allocations": {UUID: {A: FLAVOR, B: FLAVOR}}}, 1,
     "Placement: the instance is allocated .* of cmp-b and also its place of cmp-a", "nova-manage placement heal_allocations .*"),
    ("allocation-none", {"allocations": {UUID: None}}, 1, "Placement: the instance is allocated nothing of cmp-a",
     "nova-manage placement heal_allocations .*"),
    ("allocation-nested", {"providers": {"cmp-b_NUMA0": {"root": B}},
                           "allocations": {UUID: {A: FLAVOR, "cmp-b_NUMA0": {"PCPU": 2}}}}, 1,
     "Placement: the instance is allocated PCPU=2 of cmp-b and also", "nova-manage placement heal_allocations .*"),
    ("allocation-leaked", {"allocations": {MIGRATION: {A: FLAVOR}}}, 2,
     "Placement: migration %s still holds MEMORY_MB=128, VCPU=1 of cmp-a" % MIGRATION,
     "openstack resource provider allocation delete " + MIGRATION),
    ("binding-inactive", {"ports": {PORT: {"bindings": {B: "INACTIVE"}}}}, 3,
     "Neutron: port %s has an INACTIVE binding on cmp-b" % PORT, "curl -X DELETE .*/bindings/cmp-b"),
    ("binding-moved", {"ports": {PORT: {"bindings": {A: None, B: "ACTIVE"}}}}, 3,
     r"Neutron: port %s is bound \(ACTIVE\) to cmp-b" % PORT, "openstack port set --host cmp-a " + PORT),
    ("binding-swapped", {"ports": {PORT: {"bindings": {A: "INACTIVE", B: "ACTIVE"}}}}, 3,
     r"Neutron: port %s is bound \(ACTIVE\) to cmp-b" % PORT, "curl -X PUT .*/bindings/cmp-a/activate"),
    ("binding-none", {"ports": {PORT: {"bindings": {A: None}}}}, 3,
     "Neutron: port %s is bound to no host" % PORT, "openstack port set --host cmp-a " + PORT),
    ("binding-profile", {"ports": {PORT: {"profile": {"migrating_to": B}}}}, 3,
     "Neutron: port %s still has migrating_to cmp-b" % PORT,
     "openstack port unset --binding-profile migrating_to " + PORT),
    ("attachment-moved", {"volumes": {VOLUME: {"attachments": {THERE: {
        "instance": UUID, "status": "attached", "host": B}}}}}, 4,
     "Cinder: attachment %s of volume %s is cmp-b's" % (THERE, VOLUME),
     "nova-manage volume_attachment refresh %s %s connector.json" % (UUID, VOLUME)),
    ("attachment-second", {"volumes": {VOLUME: {"attachments": {
        HERE: {"instance": UUID, "status": "attached", "host": A},
        THERE: {"instance": UUID, "status": "attaching", "host": B}}}}}, 4,
     "Cinder: attachment %s of volume %s never came to be attached .*`attaching`" % (THERE, VOLUME),
     "openstack --os-volume-api-version 3.27 volume attachment delete " + THERE),
]


def seeded(patch, subject, what, command):
    def scenario(p):
        lines = after(p, patch)
        found(lines, *[s for i, s in enumerate(CLEAN) if i != subject], "found: " + what)
        commands(lines, command)
    return scenario


for name, patch, subject, what, command in SEEDS:
    add("residue-" + name, "a left-over, %s: found, and nothing else" % name, seeded(patch, subject, what, command))


@play
def residue_not_ours(p):
    """Other instances' ports, attachments and allocations, and shared storage, are nobody's residue."""
    other = "00000000-0000-4000-8000-00000000000b"
    shared = {"providers": {"nfs-pool": {}}, "allocations": {UUID: {"nfs-pool": {"DISK_GB": 20}},
                                                             other: {B: FLAVOR}},
              "ports": {other: {"device_id": other, "bindings": {B: "ACTIVE"}}},
              "volumes": {VOLUME: {"attachments": {
                  HERE: {"instance": UUID, "status": "attached", "host": A},
                  THERE: {"instance": other, "status": "attached", "host": B}}}}}
    found(after(p, shared), *CLEAN)


@play
def residue_hostile_names(p):
    """A host name that a shell would act on: shown harmless, in every line."""
    evil = "cmp-b; rm -rf $(x) `y` '\"\\"
    lines = after(p, {"allocations": {UUID: {evil: FLAVOR}},
                      "ports": {PORT: {"bindings": {evil: "INACTIVE"}, "profile": {"migrating_to": evil}}},
                      "volumes": {VOLUME: {"attachments": {THERE: {"instance": UUID, "host": evil}}}}})
    need(not [x for x in lines if "rm -rf" in x or "$(x" in x], "%s", "\n".join(lines))
    commands(lines, r"curl -X DELETE .*/bindings/cmp-b\?\?rm\?-rf[-?a-z]*")


@play
def residue_many_ports(p):
    """Ports in three pages are all looked at."""
    ports = {library.derived("port-%d" % i): {"device_id": UUID, "bindings": {A: "ACTIVE"}} for i in range(8)}
    lines = after(p, {"ports": ports, "network": {"pagination_max_limit": 4}})
    found(lines, *CLEAN[:3], r"none found: Neutron: every port \(9\)", CLEAN[4])


@play
def residue_too_much(p):
    """More left-overs than a report holds: the report ends with a line that says so, the record fits."""
    ports = {library.derived("port-%d" % i): {"device_id": UUID, "bindings": {
        A: "ACTIVE", **{"host-%d-%s" % (k, "x" * 180): "INACTIVE" for k in range(4)}}} for i in range(60)}
    lines = after(p, {"ports": ports})
    need("more was found than a report holds" in lines[-1], "%s", lines[-1])
    need(sum(len(x) for x in lines) < 24 * 1024, "too long")


@play
def residue_too_many_ports(p):
    """More ports than are asked about: that is said, nothing is cut off in silence."""
    ports = {library.derived("port-%d" % i): {"device_id": UUID, "bindings": {A: "ACTIVE"}} for i in range(70)}
    found(after(p, {"ports": ports}), *CLEAN[:3], "could not be read: Neutron, .*more than 64; by hand", CLEAN[4])


@play
def residue_many_migrations(p):
    """Migrations beyond the newest sixteen are named as not asked about."""
    records = {str(i): {"uuid": library.derived("m%d" % i), "instance_uuid": UUID, "status": "failed",
                        "migration_type": "live-migration", "source_compute": A, "dest_compute": B,
                        "created_at": "now-%ds" % (90000 + i), "updated_at": "now-90000s"}
               for i in range(20, 40)}
    lines = after(p, {"migrations": records, "allocations": {library.derived("m22"): {B: FLAVOR}}})
    found(lines, CLEAN[0], CLEAN[1], "found: Placement: migration %s still holds" % library.derived("m22"),
          "could not be read: Placement: 5 older migrations", CLEAN[3], CLEAN[4])


# --- what cannot be read -------------------------------------------------------------------------

P_SUBJECTS = ["could not be read: Placement, the instance's allocation: .*%s",
              "could not be read: Placement, the allocation of migration .*%s"]
SERVICES = [  # name, path, type in the catalog, its subjects, their lines
    ("placement", "^/placement/", "placement", (1, 2), P_SUBJECTS),
    ("neutron", "^/networking/", "network", (3,), ["could not be read: Neutron, the instance's ports: .*%s"]),
    ("cinder", "^/volume/", "volumev3", (4,),
     ["could not be read: Cinder, the instance's volume attachments: .*%s"]),
]
FAILURES = [  # name, fault steps, reason
    ("403", {"status": 403, "body": {"forbidden": {"code": 403, "message": "Policy says no"}}}, "403 .*Policy says no"),
    ("401", {"status": 401}, "401 .*a new token was refused as well"),
    ("404", {"status": 404}, "404"),
    ("406", {"status": 406}, "406 .*API version"),
    ("500", {"status": 500}, "500"),
    ("503", {"status": 503, "retry_after": 0}, "503"),
    ("html", {"html": True}, "HTML"),
    ("garbage", {"raw": "\u0000\u0001garbage"}, "(?:JSON|garbage|')"),
    ("list", {"raw": "[]"}, "no JSON object"),
    ("empty", {"raw": "{}"}, "(?:expected|answered in '')"),
    ("gigabyte", {"giant": {"bytes": 1 << 30}}, "larger"),
    ("deep", {"deep": 5000}, "nested"),
    ("closed", {"close": "before"}, "(?:closed|reply|ended|connection)"),
    ("redirect", {"redirect": {"status": 302}}, "302"),
]


def unreadable(services, why, patch=None, steps=None):
    """These services fail in one way; the others are read."""
    def scenario(p):
        lines = after(p, patch or {}, faults=[dict({"path": s[1]}, **steps) for s in services if steps])
        failed = [subject for s in services for subject in s[3]]
        reason = why or "no %s endpoint" % services[0][2]
        found(lines, *[s for i, s in enumerate(CLEAN) if i not in failed],
              *[x % reason for s in services for x in s[4]])
        need([x for x in lines if x.startswith("  ")], "nothing to do by hand:\n%s", "\n".join(lines))
    return scenario


for one in SERVICES:
    add("residue-no-" + one[0], "%s is not in the catalog: said, and how to look by hand" % one[0],
        unreadable([one], None, patch={"absent_services": [one[2]]}))
    add("residue-only-%s-fails" % one[0], "%s fails alone: the others are read" % one[0],
        unreadable([one], "500", steps={"status": 500}))
for name, steps, why in FAILURES:
    add("residue-fails-" + name, "Placement, Neutron and Cinder answer with %s: said, exit 0 all the same" % name,
        unreadable(SERVICES, why, steps=steps))

SHAPES = [  # path, steps, subject, the line: replies of the wrong types, one of each service a play
    [("/allocations/" + UUID, {"set": {"/allocations": []}}, 1, P_SUBJECTS[0] % "allocations: an object"),
     ("/ports$", {"set": {"/ports": {"a": 1}}}, 3, "could not be read: Neutron, .*ports: a list"),
     ("/attachments$", {"set": {"/attachments": 1}}, 4, "could not be read: Cinder, .*attachments: a list")],
    [("/resource_providers/", {"remove": ["/root_provider_uuid"]}, 1, P_SUBJECTS[0] % "root_provider_uuid: a UUID"),
     ("/ports$", {"set": {"/ports/0/id": "../../x"}}, 3, "could not be read: Neutron, .*id: a UUID"),
     ("/attachments$", {"set": {"/attachments/0/volume_id": None}}, 4, "could not be read: Cinder, .*volume_id: a UUID")],
    [("/resource_providers/", {"set": {"/uuid": UUID}}, 1, P_SUBJECTS[0] % "uuid: belongs to another"),
     ("/ports$", {"set": {"/ports/0/device_id": MIGRATION}}, 3,
      "could not be read: Neutron, .*device_id: belongs to another"),
     ("/attachments$", {"set": {"/attachments/0/instance": MIGRATION}}, 4,
      "could not be read: Cinder, .*instance: belongs to another")],
    [("/allocations/" + UUID, {"headers": {"OpenStack-API-Version": "placement 1.0"}}, 1,
      P_SUBJECTS[0] % "asked in API version 1.28, answered in 'placement 1.0'"),
     ("/ports$", {"remove": ["/ports/0/binding:host_id"]}, 3,
      "could not be read: Neutron, .*binding:host_id: is not shown"),
     ("/attachments$", {"headers": {"OpenStack-API-Version": "volume 3.0"}}, 4,
      "could not be read: Cinder, .*asked in API version 3.27, answered in 'volume 3.0'")],
    [("/resource_providers/", {"status": 404}, 1, P_SUBJECTS[0] % "404"),
     ("/bindings$", {"set": {"/bindings": None}}, 3,
      "could not be read: Neutron, the bindings of 1 of 1 ports: .*bindings: a list"),
     ("/volumes/", {"set": {"/volume/attachments": {}}}, 4,
      "could not be read: Cinder, the host of 1 of 1 attachments: .*attachments: a list")],
    [("/allocations/" + UUID, {"set": {"/allocations": {"x": {"resources": {}}}}}, 1,
      P_SUBJECTS[0] % "the key of one is no UUID"),
     ("/bindings$", {"set": {"/bindings/0/status": "MAYBE"}}, 3,
      "could not be read: Neutron, the bindings of 1 of 1 ports: .*ACTIVE or INACTIVE"),
     ("/volumes/", {"status": 403}, 4, "could not be read: Cinder, the host of 1 of 1 attachments: .*403")],
    [("/bindings$", {"status": 403}, 3, "could not be read: Neutron, the bindings of 1 of 1 ports: .*403"),
     ("/volumes/", {"set": {"/volume/attachments/0/host_name": None}}, 4,
      "could not be read: Cinder, the host of 1 of 1 attachments: it is not told")],
]


def shapes(faults):
    def scenario(p):
        lines = after(p, {"volumes": ATTACHED}, faults=[dict({"path": f[0]}, **f[1]) for f in faults])
        spoilt = [f[2] for f in faults]
        found(lines, *[s for i, s in enumerate(CLEAN) if i not in spoilt], *[f[3] for f in faults])
    return scenario


for number, faults in enumerate(SHAPES):
    add("residue-shapes-%d" % number, "replies of the wrong shape: said, nothing guessed", shapes(faults))


@play
def residue_bindings_not_offered(p):
    """A Neutron without the list of bindings: the port's own host is looked at."""
    one = {"network": {"bindings": False}}
    found(after(p, one), *CLEAN[:3], "none found: Neutron: .*by binding:host_id", CLEAN[4])


@play
def residue_bindings_not_offered_moved(p):
    """The same, and the port is on the other host."""
    lines = after(p, {"network": {"bindings": False}, "ports": {PORT: {"bindings": {A: None, B: "ACTIVE"}}}})
    found(lines, *CLEAN[:3], r"found: Neutron: port \S+ is bound \(ACTIVE\) to cmp-b", CLEAN[4])
    commands(lines, "openstack port set --host cmp-a " + PORT)


RULES = [("compute", m, "/v2.1/**") for m in ("GET", "POST")] + [
    ("placement", "GET", "/allocations/*"), ("placement", "GET", "/resource_providers/*"),
    ("network", "GET", "/v2.0/ports"), ("network", "GET", "/v2.0/ports/*/bindings"),
    ("volumev3", "GET", "/v3/*/attachments"), ("volumev3", "GET", "/v3/*/volumes/*")]


def credential(rules):
    return {"application_credentials": {library.APP_CRED: {"access_rules": [
        {"service": s, "method": m, "path": path} for s, m, path in rules]}}}


@play
def residue_access_rules(p):
    """The access rules that SECURITY.md names are enough for the whole report."""
    found(after(p, {"volumes": ATTACHED}, credential(RULES), cloud="standin-appcred"), *CLEAN)


@play
def residue_access_rules_nova_only(p):
    """A credential for Nova alone: the reset is made and verified, and the rest is said to be unread."""
    lines = after(p, credential(RULES[:2]), cloud="standin-appcred")
    found(lines, CLEAN[0], *[x % "401" for x in P_SUBJECTS], "could not be read: Neutron, .*401",
          "could not be read: Cinder, .*401")


@play
def residue_hidden_projects(p):
    """A recoverer's role that only Nova knows: Neutron and Cinder answer with empty lists for another
    project's instance, which is not taken for "none"."""
    role = {"users": {library.ADMIN: {"roles": {library.ADMIN_PROJECT: ["nova_recoverer"]}}},
            "policy": {"default": ["admin", "nova_recoverer"], "placement:allocations:list": ["admin"],
                       "network:context_is_admin": ["admin"], "volume:context_is_admin": ["admin"]}}
    lines = after(p, role, {"volumes": ATTACHED}, project=library.DEMO_PROJECT,
                  run=dict(RUN, project=library.DEMO_PROJECT))
    found(lines, CLEAN[0], *[x % "403" for x in P_SUBJECTS],
          "could not be read: Neutron, .*no ports are listed, and to a credential without role admin",
          "could not be read: Cinder, .*no attachments are listed, and to a credential without role admin")


@play
def residue_passes_once(p):
    """A 503 that passes is asked again, as any read."""
    found(after(p, faults=[{"path": "/(allocations|ports|attachments)", "count": 3, "status": 503}]), *CLEAN)


def last_read(p):
    """Which read of the server, counted from the start of apply, the report makes: the last one."""
    log = p.requests()
    post = max(i for i, r in enumerate(log) if r["method"] == "POST" and r["path"].endswith("/action"))
    begin = max(i for i, r in enumerate(log[:post]) if r["path"].endswith("/auth/tokens"))
    return len([r for r in log[begin:] if re.search("/servers/[^/]+$", r["path"])])


def twice(p, fault):
    """A first run shows which read is the report's; in the second one the fault meets it."""
    p.nova("wedged-failed").hosts(a=RUN, b=ABSENT)
    p.plan(status=2)
    p.apply(status=0)
    number = last_read(p)
    p.nova("wedged-failed").hosts(a=RUN, b=ABSENT)
    p.plan(status=2)
    p.faults(dict({"path": "/servers/[^/]+$", "from": number}, **fault))
    done = p.apply(status=0)
    p.resets(2)
    return done


@play
def residue_nova_gone(p):
    """Nova fails after the verification: the lines to check by hand stand, exit 0."""
    twice(p, {"status": 500}).says("could not be read: Nova: GET .*500", "check: openstack port list")


@play
def residue_at_work_again(p):
    """A new migration begins right after the verification: what it takes is not called residue."""
    done = twice(p, {"patch_before": {"servers": {"*": {"task_state": "migrating"}},
                                      "allocations": {UUID: {A: None, B: FLAVOR}}}})
    done.says(r"could not be read: the instance is at work again \(host cmp-a, task_state migrating\)", "check: ")
    done.never_says("(?m)^  - found: ")


@play
def residue_text(p):
    """The text of apply, of recover and of `journal show` has the same lines."""
    p.nova("wedged-running-src-down").hosts(a=RUN, b=ABSENT)
    p.plan("--attest", "compute-stopped=cmp-a", status=2)
    p.apply(status=0).says("residue - found: Nova: migration 7", "found: Placement: the instance is allocated",
                           "found: Neutron: port", "none found: Cinder").never_says("check: ")
    p.run("journal", "show", warn=[]).exits(0).says("left behind: - found: Nova: migration 7")
    p.nova("wedged-failed").hosts(a=RUN, b=ABSENT)
    done = p.on_terminal("recover", UUID, answer=b"yes\n").exits(0)
    report = done.out[done.out.index("os-resetState: done"):]
    need("none found: Placement" in report and "check: " not in report, "%s", report)


@play
def residue_unverified(p):
    """A reset that could not be verified: nothing is read, the lines to check stand, exit 7."""
    p.nova("wedged-failed", {"nova": {"records_reset": False}}).hosts(a=RUN, b=ABSENT)
    p.plan(status=2)
    p.apply(status=7).says("NOT verified", "check: openstack port list")
    need(not [r for r in p.requests() if r["path"].startswith(("/placement", "/networking", "/volume"))], "asked")


@play
def residue_interrupted(p):
    """Ctrl-C while a slow service is waited for: the report ends early, exit 0, the journal has it."""
    p.nova("wedged-failed").hosts(a=RUN, b=ABSENT)
    p.plan(status=2)
    p.faults({"path": "^/placement/allocations/", "delay_ms": 1500})
    process = p.start("apply", p.path("plan.json"), "-f", "json")
    p.wait_for("the report", lambda: p.journal("outcome"))
    p.wait_for("the end of the act", lambda: any(r["path"].startswith("/v2.1/os-migrations")
                                                 for r in p.requests()[-3:]))
    os.kill(process.pid, signal.SIGINT)
    done = p.end(process).exits(0)
    lines = json.loads(done.out)["verdict"]["residue"]
    need([x for x in lines if re.match("could not be read: (Neutron|Nova).*interrupted", x)], "%s", "\n".join(lines))
    need(p.journal("residue")[0]["lines"] == lines, "the journal differs")
    p.verify_journal()


@play
def residue_lock_is_free(p):
    """While a slow service is waited for, the journal is free for others."""
    p.nova("wedged-failed").hosts(a=RUN, b=ABSENT)
    p.plan(status=2)
    p.faults({"path": "^/placement/allocations/", "delay_ms": 4000})
    process = p.start("apply", p.path("plan.json"))
    p.wait_for("the outcome", lambda: p.journal("outcome"))
    begun = len(p.journal("run_started"))
    p.run("plan", UUID, "-o", p.path("other.json"))
    need(process.poll() is None, "it was over before the other had written")
    need(len(p.journal("run_started")) == begun + 1, "no record of the other run")
    p.end(process).exits(0)
    p.verify_journal()
