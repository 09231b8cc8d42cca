"""What a policy file of Nova grants to a role: every rule that the installed Nova has is asked."""
import itertools
import json
import re
import subprocess
import sys

ROLE = "nova_recoverer"
ANYBODY = "@"
ASK_S = 60
# In a process of its own: Nova's modules change what Python's are like.
ASK = """
import json, sys
from oslo_config import cfg
from oslo_policy import policy
import nova.policies
conf = cfg.ConfigOpts()
conf([])
rules = policy.Enforcer(conf, policy_file=sys.argv[1])
rules.suppress_deprecation_warnings = True
rules.register_defaults(nova.policies.list_rules())
rules.load_rules()
who = {"user_id": "me", "project_id": "mine", "roles": [sys.argv[2]]}
who["is_admin"] = rules.enforce("context_is_admin", {}, dict(who))
theirs = {"user_id": "they", "project_id": "theirs"}
print(json.dumps({name: [rules.enforce(name, dict(theirs), dict(who)), rule.check_str]
                  for name, rule in rules.registered_rules.items()}))
"""


def granted(path, role=ROLE):
    """{rule: what its default is} of all rules that let the role at another project's things."""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", ASK, path, role], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=ASK_S, check=True)
    rules = json.loads(done.stdout)
    return {name: default for name, (yes, default) in rules.items() if yes}


def named(path, role=ROLE):
    """The rules of the file that name the role."""
    with open(path, encoding="utf-8") as file:
        pairs = re.findall(r'^"([^"]+)": "([^"]*)"$', file.read(), re.MULTILINE)
    return {name for name, check in pairs if "role:" + role in check}


def problems(path):
    """Where the file grants more, or less, than the rules in which it names the role."""
    given, wanted = granted(path), named(path)
    more = [name for name, default in given.items() if name not in wanted and default != ANYBODY]
    return list(itertools.chain(("%s is granted to %s, and the file does not say so" % (name, ROLE) for name in more),
                                ("%s names %s and is not granted" % (name, ROLE) for name in wanted - set(given))))
