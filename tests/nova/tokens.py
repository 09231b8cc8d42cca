"""Tokens that end while unwedge works with them: renewed once, or said in one line."""
import concurrent.futures
import contextlib
import re
import time

from checks import unexpected
from labkit.lab import each
from novasite import need
from stackkit.rest import http

# unwedge renews a token that has less than 30 s left; Keystone's default is 3600.
LIFE_S = 40
LAST_S = 5              # of a bare token's life, when the run begins that outlasts it
RESTARTED = ("keystone", "nova-api")


def logins(done):
    return len(re.findall(r"^unwedge: debug: POST \S*/auth/tokens ", done.stderr, re.MULTILINE))


def lines_of(done):
    return [line for line in unexpected(done.stderr) if not line.startswith("unwedge: debug: ")]


class Tokens:
    def __init__(self, site, report, accounts, uuid):
        self.site, self.stack, self.report, self.accounts, self.uuid = site, site.stack, report, accounts, uuid

    def all(self):
        play = self.report.play
        play("a path without an access rule: one login more, then one line", self.rule_missing)
        play("a token that was revoked: exit 1, one line", self.revoked)
        play("revoked after Nova saw it: Nova goes on taking it from its cache", self.cached)
        with self.short_lives():
            bare = self.accounts.token("admin"), time.monotonic() + LIFE_S
            with concurrent.futures.ThreadPoolExecutor(4) as pool:
                for job in [pool.submit(play, *words) for words in (
                        ("a token near its end is renewed in mid-run, and the plan made", self.renewed),
                        ("revoked in mid-run: one login more, and the plan made", self.revoked_in_mid_run),
                        ("a token too short for an act: exit 1, nothing sent", self.too_short),
                        ("a bare token that ends in mid-run: exit 1, one line", self.bare_ends, *bare))]:
                    job.result()
        play("no reset was sent", lambda: ["it was reset"] if self.site.resets(self.uuid) else [])

    def run(self, kind, *words, config=None):
        return self.site.run(*words, "--debug", config=config or self.accounts.config("tokens-" + kind),
                             env={"OS_CLIENT_CONFIG_FILE": self.accounts.files[kind][0]})

    def plan(self, kind, name):
        """A plan whose observation takes 12 s."""
        return self.run(kind, "plan", self.uuid, "-o", self.site.path("tokens-%s.json" % name),
                        config=self.accounts.config("tokens-" + name, self.site.path("slow-tokens.yaml")))

    def refused(self, done, pattern):
        found = lines_of(done)
        need(done.returncode == 1 and len(found) == 1 and re.search(pattern, found[0]), "exit %d, expected 1 and "
             "one line %r: %s", done.returncode, pattern, found)

    # --- Keystone and Nova as they are ------------------------------------------------------------------

    def rule_missing(self):
        made = self.accounts.call("POST", "/users/%s/application_credentials" % self.stack.facts["users"]["admin"], {
            "application_credential": {"name": "lab-few", "access_rules": [
                {"service": "compute", "method": "GET", "path": "/v2.1/servers/*"}]}})["application_credential"]
        self.accounts.admins.append(made["id"])
        self.accounts.appcred("few", made["id"], made["secret"])
        done = self.run("few", "diagnose", self.uuid)
        self.refused(done, r"401 .*a new token was refused as well: the access rules of application credential lab-few")
        need(logins(done) == 2, "%d logins, expected 2", logins(done))

    def revoke(self, token):
        reply = http("DELETE", self.stack.urls["identity"] + "/auth/tokens",
                     {"X-Auth-Token": self.stack.admin.token(), "X-Subject-Token": token})
        need(reply.status == 204, "DELETE of a token: %d %s", reply.status, reply.text)

    def revoked(self):
        token = self.accounts.token("admin")
        self.accounts.bare_token("revoked", token)
        self.revoke(token)
        done = self.run("revoked", "diagnose", self.uuid)
        self.refused(done, r"refuses the credential \(404\): the token is wrong, was revoked or has expired; get a new")
        need(logins(done) == 1, "%d logins, expected 1", logins(done))

    def cached(self):
        seen, unseen = self.accounts.token("admin"), self.accounts.token("admin")
        need(self.ask(seen) == 200, "a fresh token is refused")
        self.revoke(seen)
        self.revoke(unseen)
        said = self.ask(seen), self.ask(unseen)
        need(said == (200, 401), "seen and unseen: %s", said)

    def ask(self, token):
        return http("GET", self.stack.urls["compute"] + "/servers/" + self.uuid, {"X-Auth-Token": token}).status

    # --- short lives, and a Nova that asks Keystone each time -------------------------------------------

    @contextlib.contextmanager
    def short_lives(self):
        kept = {}
        for name, section, option in (("keystone", "token", "expiration = %d" % LIFE_S),
                                      ("nova", "keystone_authtoken", "token_cache_time = -1")):
            path = self.stack.layout.etc(name + ".conf")
            with open(path, encoding="utf-8") as file:
                kept[path] = file.read()
            self.write(path, kept[path].replace("[%s]\n" % section, "[%s]\n%s\n" % (section, option), 1))
        with open(self.site.path("standard.yaml"), encoding="utf-8") as file:
            self.write(self.site.path("slow-tokens.yaml"), file.read().replace("window_s: 2", "window_s: 12").replace(
                "required: [compute-stopped]", "required: []"))
        try:
            self.restart()
            yield
        finally:
            for path, text in kept.items():
                self.write(path, text)
            self.restart()
            self.stack.admin.forget()   # one of a short life, if it was fetched meanwhile

    @staticmethod
    def write(path, text):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def restart(self):
        each(self.stack.stop_service, RESTARTED)
        each(self.stack.start_service, RESTARTED)

    def renewed(self):
        done = self.plan("admin", "renewed")
        need(done.returncode == 2, "exit %d: %s", done.returncode, lines_of(done))
        need(logins(done) >= 2, "%d logins, a renewal expected", logins(done))

    def revoked_in_mid_run(self):
        """Nova's 401 is seen, one login follows, and no 401 any more."""
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            run = pool.submit(self.plan, "recoverer", "revoked")
            time.sleep(5)
            self.accounts.set_password()
            done = run.result()
        need(done.returncode == 2, "exit %d: %s", done.returncode, lines_of(done))
        asked = re.findall(r"^unwedge: debug: (?:GET|POST) (\S+) (\d+) ", done.stderr, re.MULTILINE)
        first = next((i for i, (_, status) in enumerate(asked) if status == "401"), None)
        need(first is not None, "Nova never refused the revoked token")
        again = next(i for i, (path, _) in enumerate(asked) if i > first and path.endswith("/auth/tokens"))
        need(all(status != "401" for _, status in asked[again:]), "refused after the new login: %s", asked)

    def too_short(self):
        plan = self.site.path("tokens-short.json")
        self.site.exits(2, "plan", self.uuid, "-o", plan,
                        env={"OS_CLIENT_CONFIG_FILE": self.accounts.files["admin"][0]})
        self.refused(self.run("admin", "apply", plan, "--reason", "INC-7"), r"a token lives \d+ s here, \d+ s are needed")

    def bare_ends(self, token, ends):
        self.accounts.bare_token("bare", token)
        time.sleep(max(0, ends - LAST_S - time.monotonic()))
        self.refused(self.plan("bare", "bare"), r"refuses the credential \(404\): the token is wrong, was revoked or has "
                     r"expired; get a new one")
