"""A site whose Nova is a real one: the stack of contrib/lab/openstack, one configuration, one unwedge."""
import json
import os
import shutil

from checks import replayed, verdict_problems
from labkit.site import Site

# What `standard` asks of a person, with waits that a test can afford.
STANDARD = """lab_only: true
observe: {rounds: 2, window_s: 2}
age: {terminal_s: 3, terminal_error_up_s: 5, nonterminal_s: 10, nonterminal_down_s: 3, missing_record_s: 10}
attest: {accepted: [compute-stopped, compute-restarted, queue-empty, host-gone], required: [compute-stopped]}
storm: {max_migrating_wedged: 100, cooldown_s: 0}
limit: {per_hour: 100, per_day: 500, per_host_hour: 100}
cooldown: {instance_s: 0}
"""
ATTESTED = "compute-stopped"


class Wrong(Exception):
    """What was expected and what came."""


def need(condition, text, *values):
    if not condition:
        raise Wrong(text % values if values else text)


class NovaSite(Site):
    cloud = "lab"

    def __init__(self, stack, unwedge):
        super().__init__(stack.lab.id, unwedge=unwedge)
        self.stack = stack

    def up(self):
        self.env = self.stack.env()
        shutil.copyfile(self.env["clouds_yaml"], self.path("clouds.yaml"))
        os.chmod(self.path("clouds.yaml"), 0o600)
        with open(self.path("standard.yaml"), "w", encoding="utf-8") as f:
            f.write(STANDARD)
        with open(self.path("slow.yaml"), "w", encoding="utf-8") as f:
            f.write(STANDARD.replace("window_s: 2", "window_s: 8").replace("required: [compute-stopped]",
                                                                           "required: []"))
        self.configure()
        self.slow = self.configured_for(self.path("slow.yaml"), "unwedge-slow.yaml")
        self.standard = self.configured_for(self.path("standard.yaml"), "unwedge-standard.yaml")

    def down(self):
        shutil.rmtree(self.dir, ignore_errors=True)

    def configured_for(self, policy, name):
        """Another configuration file, with another policy; the same journal and runs."""
        kept, self.policy = self.policy, policy
        try:
            return self.configure(name=name)
        finally:
            self.policy = kept

    # --- what Nova itself has written down ------------------------------------------------------------

    def resets(self, uuid):
        """Nova's own resetState actions of a server, newest first: not what we say we did."""
        return [a for a in self.stack.actions(uuid) if a["action"] == "resetState"]

    # --- runs -----------------------------------------------------------------------------------------

    def verdict(self, *words, config=None, env=None, cloud=None):
        """(run, its verdict) of diagnose or plan."""
        if cloud:
            words = (*words, "--os-cloud", cloud)
        done = self.run(*words, "-f", "json", config=config, env=env)
        try:
            return done, json.loads(done.stdout)
        except ValueError:
            raise Wrong("%s: exit %d, no verdict: %s" % (words[0], done.returncode,
                                                         done.stderr.strip()[-500:])) from None

    def expect(self, uuid, kind, code, more=(), words=(), config=None, resets=0):
        """The problems of diagnose: its verdict, a replay of it, and that it wrote nothing to Nova."""
        done, verdict = self.verdict("diagnose", uuid, *words, config=config)
        problems = verdict_problems(done, verdict, kind, code, more)
        problems += replayed(self, done.stdout, verdict)
        if self.stack.row(uuid):
            found = len(self.resets(uuid))
            if found != resets:
                problems.append("Nova has %d resetState actions, expected %d" % (found, resets))
        return problems

    def journal(self, kind):
        """Records of a type, oldest first."""
        with open(self.path("journal/records.jsonl"), encoding="utf-8") as f:
            return [r for r in map(json.loads, f) if r["type"] == kind]

    def exits(self, status, *words, config=None, **options):
        done = self.run(*words, config=config, **options)
        need(done.returncode == status, "%s: exit %d, expected %d: %s", " ".join(words[:2]),
             done.returncode, status, (done.stderr + done.stdout)[-1500:])
        return done
