"""The command line."""
import argparse
import json
import os
import shutil
import subprocess
import sys

from labkit.cli import open_lab
from labkit.util import LabError

from . import wedges
from .heal import heal as heal_stack
from .layout import HERE
from .snapshot import Snapshot
from .stack import Stack

PACKAGES = os.path.join(os.path.dirname(os.path.dirname(HERE)), "setup", "packages")
INSTALL_S = 1800


def parser():
    top = argparse.ArgumentParser(prog="openstack", description="A real OpenStack on the lab's two real hosts.")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--dir", help="where the lab is (or UNWEDGE_LAB_DIR; default /tmp/unwedge-lab-ID)")
    common.add_argument("--id", help="the lab's name, part of its interfaces' names (default: main)")
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")

    def verb(name, text):
        return verbs.add_parser(name, parents=[common], help=text, description=text)

    verb("install", "the Debian packages and the guests' kernel; instant when all is there")
    up = verb("up", "lab, control plane, a nova-compute on each host")
    up.add_argument("--fresh", action="store_true", help="make the databases anew, do not use the kept ones")
    verb("status", "what runs").add_argument("--json", action="store_true")
    verb("down", "end the stack and the lab and remove all of it")
    verb("clean", "down, and remove the kept databases from the cache")
    verb("env", "addresses, pids, logs and ids as JSON")
    wedge = verb("wedge", "wedge a real live migration; several names share one disturbance; a line of JSON each")
    wedge.add_argument("names", nargs="*", metavar="NAME")
    wedge.add_argument("--list", action="store_true", help="the wedges")
    verb("heal", "everything runs again, no server is left")
    server = verb("server", "create a server; prints its UUID")
    server.add_argument("--host", default="cmp-a")
    server.add_argument("--image", default="lab", help="lab (dirties 6 MiB/s) or lab-idle")
    migrate = verb("migrate", "live-migrate a server, to the end")
    migrate.add_argument("uuid")
    migrate.add_argument("dest")
    do = verb("do", "one step on a server or a service, for a test that looks meanwhile")
    do.add_argument("step", choices=sorted(wedges.STEPS))
    do.add_argument("what", nargs="*", help="UUID, host or service")
    return top


def install(_stack, _args):
    try:
        done = subprocess.run([PACKAGES, "lab", "openstack"], stdin=subprocess.DEVNULL, timeout=INSTALL_S, check=False)
    except subprocess.TimeoutExpired:
        raise LabError(f"{PACKAGES} lab openstack: no end within {INSTALL_S} s") from None
    if done.returncode != 0:
        raise LabError(f"{PACKAGES} lab openstack: exit {done.returncode}")


def up(stack, args):
    took = stack.up(args.fresh)
    if took is False:
        return print(f"openstack {stack.lab.id} is up already, in {stack.layout.dir}")
    return print(f"openstack {stack.lab.id} is up after {took:.1f} s, in {stack.layout.dir}")


def status(stack, args):
    stack.need_up()
    report = stack.status()
    if args.json:
        return print(json.dumps(report))
    for name, pid in report.items():
        print(f"  {name:22} {pid or 'does not run'}")
    for host, service in stack.services().items():
        print(f"  Nova: nova-compute on {host} is {service['state']}{', forced down' if service['forced_down'] else ''}")
    return None


def down(stack, _args):
    lab_id = stack.lab.id
    print(f"openstack {lab_id} is gone" if stack.down() else f"no openstack in {stack.lab.dir}")


def clean(stack, args):
    cache = stack.lab.cache.dir
    down(stack, args)
    shutil.rmtree(stack.kept_logs, ignore_errors=True)
    removed = Snapshot.clean(cache)
    print(f"removed {len(removed)} kept databases from {cache}")


def env(stack, _args):
    print(json.dumps(stack.env(), indent=1))


def wedge(stack, args):
    if args.list:
        for item in wedges.ALL.values():
            print(f"{item.name:12} {item.group:16} {item.about}")
        return
    if not args.names:
        raise LabError("which wedge? See 'openstack wedge --list'")
    stack.need_up()
    for line in wedges.make(stack, args.names):
        print(json.dumps(line), flush=True)


def heal(stack, _args):
    print(f"healed; {heal_stack(stack)} servers deleted")


def server(stack, args):
    stack.need_up()
    print(stack.server_create(args.host, args.image))


def migrate(stack, args):
    stack.need_up()
    stack.migrate(args.uuid, args.dest)
    print(json.dumps(stack.nova_says(args.uuid)))


def do(stack, args):
    stack.need_up()
    wedges.STEPS[args.step](stack, *args.what)


VERBS = {"install": install, "up": up, "status": status, "down": down, "clean": clean, "env": env, "wedge": wedge,
         "heal": heal, "server": server, "migrate": migrate, "do": do}


def main():
    args = parser().parse_args()
    try:
        VERBS[args.verb](Stack(open_lab(args)), args)
    except (LabError, OSError, TypeError) as err:
        print(f"openstack: {err}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("openstack: interrupted", file=sys.stderr)
        return 130
    return 0
