"""The whole way of a reset."""
from play import A, ABSENT, B, RUN, UUID, need, play


@play
def whole_way(p):
    """diagnose, plan, apply under the lab policy: one request, verified, journalled, once only."""
    p.configure(policy="lab")
    p.nova("wedged-failed").hosts(a=RUN, b=ABSENT)
    v = p.diagnose("UW-101", 2)
    need(v["owner"] == A and v["record_host"] == A, "the owner is %s", v["owner"])
    need({h["host"]: h["class"] for h in v["hosts"]} == {A: "RUN", B: "ABSENT"}, "%s", v["hosts"])
    p.resets(0)
    p.plan(status=2)
    p.resets(0)
    p.apply(status=0).says("os-resetState: done", "verified: the instance is ACTIVE")
    request = p.resets(1)[0]
    outcome = p.outcome("applied")
    need(request["request_id"] and outcome["request_id"] == request["request_id"],
         "the outcome names %s, Nova %s", outcome["request_id"], request["request_id"])
    order = [r["type"] for r in p.journal() if r["run"] == outcome["run"]]
    steps = [t for t in order if t in ("run_started", "intent", "verification", "outcome")]
    need(steps == ["run_started", "intent", "verification", "outcome"], "records: %s", order)
    actions = p.nova_state()["actions"]
    need(outcome["request_id"] in actions and
         actions[outcome["request_id"]]["action"] == "resetState", "no such action in Nova")
    p.verify_journal()
    p.apply(status=6)
    p.resets(1)
    p.diagnose("UW-001", 0)
    p.verify_journal()
