"""One diagnose of a real w1 against the same look by hand and by a script; ratios of one run. Asserts nothing."""
import os
import statistics
import subprocess
import time

from stackkit import wedges

HERE = os.path.dirname(os.path.abspath(__file__))
RUNS = 5
PEER = os.path.join(HERE, "peer.py")


class Bench:
    def __init__(self, site):
        self.site, self.stack = site, site.stack

    def all(self):
        uuid = wedges.make(self.stack, ["w1"])[0]["uuid"]
        uris = {host["name"]: host["uri"] for host in self.site.env["hosts"]}
        # openstackclient knows no cloud policy: the numbers are those of a look, not of a decision
        ours = self.median(lambda: self.site.exits(2, "diagnose", uuid, "--quiet"))
        by_hand = self.median(lambda: [self.command(words) for words in self.hand(uuid, uris)])
        script = self.median(lambda: self.command([PEER, "lab", uuid, *("%s=%s" % u for u in uris.items())]))
        print("  diagnose of w1, policy lab (its window is 2 s)   %6.2f s" % ours)
        print("  the same look by hand (openstack, virsh)         %6.2f s   %5.1f times" % (by_hand, by_hand / ours))
        print("  the same look by openstacksdk and libvirt-python %6.2f s   %5.1f times" % (script, script / ours),
              flush=True)

    def hand(self, uuid, uris):
        version = ["/usr/bin/openstack", "--os-compute-api-version", "2.80"]
        yield [*version, "server", "show", uuid]
        yield [*version, "server", "migration", "list", "--server", uuid]
        yield [*version, "compute", "service", "list"]
        for uri in uris.values():
            yield ["virsh", "-r", "-c", uri, "domstate", "--reason", uuid]
            yield ["virsh", "-r", "-c", uri, "domjobinfo", uuid]

    def command(self, words):
        env = {"PATH": "/usr/bin:/bin", "HOME": self.site.dir, "LANG": "C.UTF-8", "no_proxy": "127.0.0.1",
               "OS_CLIENT_CONFIG_FILE": self.site.path("clouds.yaml"), "OS_CLOUD": "lab"}
        subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, env=env, timeout=60, check=False)

    def median(self, function):
        took = []
        for _ in range(RUNS):
            begin = time.monotonic()
            function()
            took.append(time.monotonic() - begin)
        return statistics.median(took)
