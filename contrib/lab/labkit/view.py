"""One host's answer about one domain, as the few words of scenarios/expected."""

NO_DOMAIN, INCOMING = 42, 84


def opened(steps):
    """What the open step gave if it gave no connection, else None."""
    if "open" not in steps:
        return "blocked"
    text = steps["open"].get("text")
    if text is None:
        return None
    if "refused" in text:
        return "refused"
    return "unreachable" if "No route to host" in text else f"open fails ({text})"


def job_word(job):
    if job is None:
        return "?"
    if job.get("error") == INCOMING:
        return "IN"
    return "J" if job.get("type") else "-"


def words(steps):
    """steps is what look() gives."""
    failed = opened(steps)
    if failed:
        return failed
    seen = steps.get("lookup")
    if seen is None:
        return "lookup blocked"
    if not seen.get("found"):
        return "absent" if seen.get("error") == NO_DOMAIN else f"error {seen.get('error')}"
    return f"{seen['state']}/{seen['reason']} {job_word(steps.get('job'))} {'p' if seen['persistent'] == 1 else 't'}"


def truth_words(truth):
    """truth is what qmp.truth() gives."""
    return f"{truth['status']}/{truth['migrate']}" if truth["qemu"] == "answers" else truth["qemu"]
