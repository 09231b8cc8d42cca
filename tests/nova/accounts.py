"""The credentials that are tried: made in the stack's Keystone, one clouds.yaml each, removed again."""
import json
import os
import re
import subprocess
import time

from labkit.site import ROOT
from novasite import need
from stackkit.rest import http

EXAMPLES = os.path.join(ROOT, "contrib", "examples")
POLICY = os.path.join(EXAMPLES, "nova-policy-recoverer.yaml")
RECOVERER = os.path.join(EXAMPLES, "recoverer.sh")
RECOVERER_S = 300
USER = "unwedge"        # of recoverer.sh, and its project
ROLE = "nova_recoverer"
PASSWORD = "a-password-for-the-lab-only"
REVOCATION_S = 1.5      # a token that is given in the second of a revocation is revoked too


def cloud_file(url, auth, kind="v3password"):
    """One entry of the name that the site's configuration asks for: plans are bound to it."""
    lines = ["clouds:", "  lab:", "    region_name: RegionOne", "    auth_type: " + kind, "    auth:"]
    return "\n".join(lines + ["      %s: %s" % pair for pair in {"auth_url": url, **auth}.items()]) + "\n"


class Accounts:
    def __init__(self, site):
        self.site, self.stack = site, site.stack
        self.url = self.stack.urls["identity"]
        self.files = {}         # name: (clouds.yaml, what Keystone is asked with)
        self.admins = []        # ids of application credentials of the admin

    def call(self, method, path, body=None):
        return self.stack.admin.call("identity", method, path, body)

    def config(self, name, policy=None):
        """The site's configuration with a state and a journal of its own, so that nobody waits for another."""
        with open(self.site.path("unwedge.yaml"), encoding="utf-8") as file:
            text = file.read()
        for folder in ("state", "journal"):
            text = text.replace(self.site.path(folder), self.site.path("%s-%s" % (folder, name)))
        if policy:
            text = text.replace("policy: %s\n" % self.site.policy, "policy: %s\n" % policy)
        path = self.site.path("unwedge-%s.yaml" % name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    # --- one credential each --------------------------------------------------------------------------

    def _add(self, name, auth, kind, asked):
        path = self.site.path("clouds-%s.yaml" % name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(cloud_file(self.url, auth, kind))
        os.chmod(path, 0o600)
        self.files[name] = (path, asked)

    def password(self, name, user, password, **scope):
        auth = {"username": user, "password": password, "user_domain_name": "Default", **scope}
        domain = {"name": "Default"}
        asked = {"identity": {"methods": ["password"], "password": {"user": {
            "name": user, "password": password, "domain": domain}}}}
        if "project_name" in scope:
            auth["project_domain_name"] = "Default"
            asked["scope"] = {"project": {"name": scope["project_name"], "domain": domain}}
        else:
            asked["scope"] = {"system": {"all": True}}
        self._add(name, auth, "v3password", asked)

    def appcred(self, name, key, secret):
        self._add(name, {"application_credential_id": key, "application_credential_secret": secret},
                  "v3applicationcredential", {"identity": {"methods": ["application_credential"],
                                                           "application_credential": {"id": key, "secret": secret}}})

    def bare_token(self, name, token):
        self._add(name, {"token": token, "project_name": "admin", "project_domain_name": "Default"}, "v3token", None)

    def token(self, name):
        """A token of the credential, outside of unwedge."""
        reply = http("POST", self.url + "/auth/tokens", body={"auth": self.files[name][1]})
        need(reply.status == 201, "%s gets no token: %d %s", name, reply.status, reply.text)
        return reply.headers["X-Subject-Token"]

    # --- all of them ----------------------------------------------------------------------------------

    def make(self):
        passwords = self.stack.facts["passwords"]
        self.password("project-admin", "admin", passwords["admin"], project_name="demo")
        self.password("admin", "admin", passwords["admin"], project_name="admin")
        for what in ("act", "look"):
            self.appcred("admin-" + what, *self._of_admin(what))
        self._recoverer()
        self.password("reader", "reader", passwords["reader"], project_name="demo")
        self.password("member", "member", passwords["member"], project_name="demo")
        self.password("system", "admin", passwords["admin"], system_scope="all")

    def _of_admin(self, what):
        with open(os.path.join(EXAMPLES, "access-rules-%s.json" % what), encoding="utf-8") as file:
            rules = json.load(file)
        made = self.call("POST", "/users/%s/application_credentials" % self.stack.facts["users"]["admin"], {
            "application_credential": {"name": "lab-" + what, "access_rules": rules}})["application_credential"]
        self.admins.append(made["id"])
        return made["id"], made["secret"]

    def _recoverer(self):
        """By the example, word for word; its user also gets a password that is known."""
        env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": self.site.dir, "LANG": "C.UTF-8", "OS_CLOUD": "lab",
               "no_proxy": "127.0.0.1", "OS_CLIENT_CONFIG_FILE": self.stack.layout.path("clouds.yaml")}
        done = subprocess.run([RECOVERER], stdin=subprocess.DEVNULL, capture_output=True, text=True, env=env,
                              timeout=RECOVERER_S)
        need(done.returncode == 0, "recoverer.sh: exit %d: %s", done.returncode, done.stderr.strip()[-500:])
        made = re.findall(r"^  unwedge-(\w+):$.*?_id: (\S+)$.*?_secret: (\S+)$", done.stdout, re.M | re.S)
        need([what for what, _, _ in made] == ["look", "act"], "recoverer.sh printed\n%s", done.stdout)
        for what, key, secret in made:
            self.appcred("recoverer-" + what, key, secret)
        self.set_password()
        self.password("recoverer", USER, PASSWORD, project_name=USER)

    def user(self):
        return self.call("GET", "/users?name=" + USER)["users"][0]["id"]

    def set_password(self):
        """Keystone revokes all tokens of a user whose password is set, also to what it was."""
        self.call("PATCH", "/users/" + self.user(), {"user": {"password": PASSWORD}})
        time.sleep(REVOCATION_S)

    def remove(self):
        for key in self.admins:
            self.call("DELETE", "/users/%s/application_credentials/%s" % (self.stack.facts["users"]["admin"], key))
        for kind, name in (("users", USER), ("projects", USER), ("roles", ROLE)):
            for found in self.call("GET", "/%s?name=%s" % (kind, name))[kind]:
                self.call("DELETE", "/%s/%s" % (kind, found["id"]))
