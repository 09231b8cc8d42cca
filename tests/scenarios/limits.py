"""The guards of a policy: each says no with its code, before anything is sent."""
import time

from play import A, ABSENT, B, HTTP_WARNING, RUN, UUID, add, need, play

PROJECT = "6636f25326c0481295733f4a88dfa621"
GUARDS = [  # name, line(s) of the policy, code, exit
    ("deny-instance", "deny: {instances: [%s]}" % UUID, "UW-506", 3),
    ("deny-project", "deny: {projects: [%s]}" % PROJECT, "UW-506", 3),
    ("deny-host", 'deny: {hosts: ["cmp-*"]}', "UW-506", 3),
    ("deny-dest", "deny: {hosts: [cmp-b]}", "UW-506", 3),
    ("only-others", "only: {hosts: [cmp-z]}", "UW-506", 3),
    ("freeze", 'freeze: ["00:00-24:00"]', "UW-502", 3),
    ("freeze-days", 'freeze: ["Mon-Sun"]', "UW-502", 3),
    ("never-writes", "apply: {allow: false}", "UW-509", 3),
]


def guarded(policy, code, status):
    def scenario(p):
        p.policy("quick", policy)
        p.nova("wedged-failed").hosts(a=RUN, b=ABSENT)
        v = p.diagnose(code, status)
        need("UW-101" in [r["code"] for r in v["reasons"]], "SAFE_TO_RESET is true and not said")
        p.plan(status=status)
        p.apply_nothing(status)
        p.resets(0)
        need(not p.journal("intent"), "an intent was written")
    return scenario


for name, policy, code, status in GUARDS:
    add("guard-" + name, "%s: %s" % (policy, code), guarded(policy, code, status))


@play
def guard_kill_switch(p):
    """The kill switch is on from the start, or goes on between plan and apply."""
    p.nova("wedged-failed").hosts(a=RUN, b=ABSENT)
    p.plan(status=2)
    p.write("stop", "")
    p.diagnose("UW-501", 3)
    p.apply(status=3).says("UW-501")
    p.plan(status=3)
    p.resets(0)


@play
def guard_storm(p):
    """More wedged instances than the policy allows: an incident of the cloud, nothing is reset."""
    p.policy("quick", "storm: {max_migrating_wedged: 5, cooldown_s: 60}")
    p.nova("many-servers", servers=40).hosts(a=RUN, b=ABSENT)
    v = p.diagnose("UW-503", 3)
    need("14" in v["reasons"][0]["text"], "the number is not told: %s", v["reasons"][0])
    p.plan(status=3)
    p.apply_nothing(3)
    p.resets(0)
    p.nova("wedged-failed")  # the storm is over, the caution is not
    p.diagnose("UW-503", 3)


@play
def guard_storm_unknown(p):
    """The number of wedged instances cannot be read: that is no calm."""
    p.nova("wedged-failed", faults=[{"path": "/servers/detail", "status": 500}]).hosts(a=RUN, b=ABSENT)
    p.diagnose("UW-503", 3)
    p.resets(0)


def wedge_again(p):
    p.patch({"servers": {"*": {"task_state": "migrating", "updated": "now-7200s"}},
             "actions": {k: None for k, a in p.nova_state()["actions"].items()
                         if a["action"] == "resetState"}})


@play
def guard_cooldown(p):
    """The same instance again, too soon after its last reset."""
    p.policy("quick", "cooldown: {instance_s: 300}")
    p.nova("wedged-failed").hosts(a=RUN, b=ABSENT)
    p.plan(status=2)
    p.apply(status=0)
    wedge_again(p)
    p.diagnose("UW-505", 3)
    p.plan(status=3)
    p.resets(1)


def limited(policy):
    def scenario(p):
        p.policy("quick", policy)
        p.nova("wedged-failed").hosts(a=RUN, b=ABSENT)
        p.plan(status=2)
        p.apply(status=0)
        wedge_again(p)
        p.diagnose("UW-504", 3)
        p.resets(1)
    return scenario


for name in ("per_hour", "per_day", "per_host_hour"):
    add("guard-limit-" + name.replace("_", "-"), "limit.%s: 1 stops the second reset" % name,
        limited("limit: {%s: 1}" % name))


@play
def guard_approval(p):
    """A policy that asks for an approval: exit 5 without one, nothing sent."""
    p.policy("quick", "approval: {required: 1}")
    p.nova("wedged-failed").hosts(a=RUN, b=ABSENT)
    p.plan(status=2)
    p.apply(status=5)
    need(not p.on_terminal("recover", UUID, answer=b"yes\n").status == 0, "recover went past the approval")
    p.resets(0)
    need(not p.journal("intent"), "an intent was written")


@play
def policy_lax_on_acting_verb(p):
    """--policy with anything laxer than the configured one: refused on verbs that act, with the key."""
    p.policy("lax", "observe: {rounds: 2, window_s: 1}\ncooldown: {instance_s: 0}")
    p.policy("quick", "cooldown: {instance_s: 600}")
    p.nova("wedged-failed").hosts(a=RUN, b=ABSENT)
    p.plan(status=2)
    line = r"unwedge: .*cooldown\.instance_s"
    p.run("apply", p.path("plan.json"), "--policy", "lax", fail=line, warn=None).exits(1)
    p.on_terminal("recover", UUID, "--policy", "lax", answer=b"yes\n", fail=line).exits(1)
    p.resets(0)
    p.diagnose("UW-101", 2, "--policy", "lax")
    p.resets(0)


@play
def policy_stricter_on_acting_verb(p):
    """--policy that only tightens is taken; the plan has to be made under the same."""
    p.policy("strict", 'deny: {hosts: ["gpu-*"]}')
    p.nova("wedged-failed").hosts(a=RUN, b=ABSENT)
    p.plan(status=2)
    p.run("apply", p.path("plan.json"), "--policy", "strict",
          fail=r"unwedge: the plan was made under policy quick").exits(6)
    p.plan("--policy", "strict", status=2)
    p.apply("--policy", "strict", status=0)
    p.resets(1)


@play
def policy_lab_needs_lab(p):
    """A lab policy does not load where the configuration says production."""
    p.configure(environment="production")
    p.nova("wedged-failed").hosts(a=RUN, b=ABSENT)
    p.run("diagnose", UUID, warn=[], fail=r"unwedge: .*lab").exits(1)
    p.run("diagnose", UUID, "--policy", "lab", warn=[], fail=r"unwedge: .*lab").exits(1)
    need(not p.requests(), "the cloud was asked")


@play
def policy_observe_only(p):
    """observe-only is shipped, and never acts."""
    p.configure(policy="observe-only", environment="production")
    p.nova("wedged-failed").hosts(a=RUN, b=ABSENT)
    p.diagnose("UW-307", 9, warn=[HTTP_WARNING])
    p.resets(0)


@play
def attest_not_accepted(p):
    """A statement that the policy does not list is refused before anything is asked."""
    p.nova("wedged-failed").hosts(a=RUN, b=ABSENT)
    p.run("diagnose", UUID, "--attest", "host-fenced=cmp-b",
          fail=r"unwedge: --attest host-fenced=cmp-b: policy quick does not accept", warn=None).exits(1)
    p.configure(policy="automation", environment="production")
    p.run("diagnose", UUID, "--attest", "compute-restarted=cmp-a", warn=[],
          fail=r"unwedge: --attest compute-restarted=cmp-a: policy automation").exits(1)


@play
def attest_in_journal(p):
    """What a person stated is in the journal with who and why, and in the plan."""
    p.nova("wedged-queued").hosts(a=RUN, b=ABSENT)
    words = ("--attest", "compute-stopped=cmp-a", "--reason", "ps shows none, INC-7")
    p.plan(*words, status=2)
    stated = p.journal("attestation")
    need(stated and stated[0]["fact"] == "compute-stopped=cmp-a" and "INC-7" in stated[0]["reason"] and
         stated[0]["who"], "%s", stated)
    need("compute-stopped=cmp-a" in p.read("plan.json"), "not in the plan")
    p.apply(status=0)  # a statement belongs to the plan that it was made for
    p.resets(1)


@play
def attest_in_old_plan(p):
    """The same when the plan is older than its window and everything is looked at again."""
    import time
    p.nova("wedged-queued").hosts(a=RUN, b=ABSENT)
    p.plan("--attest", "compute-stopped=cmp-a", "--reason", "INC-7", status=2)
    time.sleep(1.5)
    p.apply(status=0)
    p.resets(1)
