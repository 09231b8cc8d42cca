"""The command line of the lab."""
import argparse
import concurrent.futures
import json
import os
import sys
import time
import zlib

from . import scenarios
from .case import Case
from .domain import Domain
from .lab import Lab
from .util import LabError
from .view import words

KEEPALIVE_HELP = "libvirt's keepalive, INTERVALxCOUNT in seconds (1x4: 5 s), or 'default' for libvirt's own 5x5 (30 s)"


def parse_keepalive(text):
    if text == "default":
        return None
    interval, _, count = text.partition("x")
    if not (interval.isdigit() and count.isdigit() and int(interval) > 0):
        raise argparse.ArgumentTypeError(f"{text} is not INTERVALxCOUNT")
    return [int(interval), int(count)]


def parser():
    top = argparse.ArgumentParser(prog="lab", description="Real libvirt hosts in namespaces, wedged for real.")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--dir", help="where the lab is (or UNWEDGE_LAB_DIR; default /tmp/unwedge-lab-ID)")
    common.add_argument("--id", help="the lab's name, part of its interfaces' names (default: main)")
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")

    def verb(name, text):
        return verbs.add_parser(name, parents=[common], help=text, description=text)

    up = verb("up", "make the hosts and wait until they answer")
    up.add_argument("--hosts", type=int, default=2, help="how many (2)")
    up.add_argument("--keepalive", type=parse_keepalive, default=[1, 4], help=KEEPALIVE_HELP)
    up.add_argument("--keep", action="store_true", help="leave a lab that did not come up, to look at it")
    verb("down", "end the lab and remove all of it")
    verb("status", "hosts and domains").add_argument("--json", action="store_true")
    verb("env", "addresses, URIs and identities of the hosts, as JSON")
    wedge = verb("wedge", "make one scenario; prints one line of JSON")
    wedge.add_argument("name", nargs="?")
    wedge.add_argument("--list", action="store_true", help="the scenarios")
    wedge.add_argument("--uuid", help="the guest's UUID (default: random)")
    wedge.add_argument("--name", dest="instance_name", help="its libvirt name (default: instance-0000000N)")
    wedge.add_argument("--project", help="its Nova project")
    wedge.add_argument("--user", help="its Nova user")
    wedge.add_argument("--pair", default="a,b", help="source,destination (a,b)")
    batch = verb("batch", "make several domain-scope scenarios side by side; a line of JSON each")
    batch.add_argument("names", nargs="+", metavar="NAME")
    batch.add_argument("--pair", default="a,b", help="source,destination (a,b)")
    batch.add_argument("--jobs", type=int, default=6, help="how many at a time (6)")
    heal = verb("heal", "back to clean hosts: daemons answer, no cuts, no domains")
    heal.add_argument("--uuid", help="remove only this domain")
    verb("truth", "what QEMU itself says on each host, as JSON").add_argument("uuid")
    return top


def open_lab(args):
    """--dir, else --id's own place, else UNWEDGE_LAB_DIR, else the lab called main."""
    path = args.dir or (None if args.id else os.environ.get("UNWEDGE_LAB_DIR"))
    if path is None:
        lab_id = args.id or "main"
        return Lab(f"/tmp/unwedge-lab-{lab_id}", lab_id)
    path = os.path.abspath(path)
    lab = Lab(path, args.id or f"{zlib.crc32(path.encode()):08x}")
    if args.id and lab.hosts and lab.id != args.id:
        raise LabError(f"{path} holds the lab {lab.id}, not {args.id}")
    return lab


def list_scenarios():
    for item in scenarios.ALL.values():
        marks = [item.scope]
        if item.hosts > 2:
            marks.append(f"{item.hosts} hosts")
        print(f"{item.name:36} {', '.join(marks):16} {item.about}")


def make(lab, item, pair, **identity):
    """Make one scenario; return what its line of JSON says. A failed one leaves no domain behind."""
    source, dest = [lab.host(name) for name in pair]
    if len(lab.hosts) < item.hosts:
        raise LabError(f"{item.name} needs {item.hosts} hosts: lab up --hosts {item.hosts}")
    started = time.monotonic()
    domain = Domain.create(lab, lock=item.lock, **identity)
    case = Case(lab, domain, source, dest)
    try:
        domain.note(scenario=item.name, source=source.name, dest=dest.name)
        item.function(case)
        domain.note(scenario=item.name, source=source.name, dest=dest.name)
    except (LabError, OSError) as err:
        if item.scope == "domain":
            try:
                domain.remove()
            except LabError:
                pass    # the first failure is the one to tell
        raise LabError(f"{item.name}: {err}") from None
    managers = domain.manager_pids()
    return {"scenario": item.name, "scope": item.scope, "uuid": domain.uuid, "instance_name": domain.name,
            "project": domain.facts["project"], "user": domain.facts["user"], "source": source.name, "dest": dest.name,
            "image_lock": item.lock, "manager_pid": managers[0] if managers else None,
            "settles_after_s": case.keepalive_s + 3 if item.settles else 0,
            "took_s": round(time.monotonic() - started, 1), **case.extra}


def pair_of(text):
    pair = text.split(",")
    if len(pair) != 2 or pair[0] == pair[1]:
        raise LabError(f"--pair {text}: two different hosts, as a,b")
    return pair


def wedge(lab, args):
    if args.list:
        return list_scenarios()
    if not args.name:
        raise LabError("which scenario? See 'lab wedge --list'")
    item = scenarios.get(args.name)
    lab.need_up()
    line = make(lab, item, pair_of(args.pair), uuid=args.uuid, name=args.instance_name, project=args.project,
                user=args.user)
    return print(json.dumps(line))


def batch(lab, args):
    items = [scenarios.get(name) for name in args.names]
    for item in items:
        if item.scope != "domain":
            raise LabError(f"{item.name} disturbs its whole host and cannot be in a batch")
    lab.need_up()
    pair = pair_of(args.pair)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(max(1, args.jobs)) as pool:
        for future in concurrent.futures.as_completed([pool.submit(make, lab, item, pair) for item in items]):
            try:
                print(json.dumps(future.result()), flush=True)
            except LabError as err:
                failed += 1
                print(f"lab: {err}", file=sys.stderr)
    if failed:
        raise LabError(f"{failed} of {len(items)} scenarios failed")


def status(lab, args):
    lab.need_up()
    report = lab.status()
    if args.json:
        return print(json.dumps(report))
    print(f"lab {report['lab']} in {report['dir']}")
    for host in report["hosts"]:
        print(f"  {host['host']}  {host['address']}  {host['uri']}  libvirt: {host['libvirt']}")
    for domain in report["domains"]:
        print(f"  {domain['instance_name']}  {domain['uuid']}  {domain['scenario']}")
        for host in report["hosts"]:
            print(f"    {host['host']}: {words(host['domains'].get(domain['uuid'], {}))}")
    return None


def up(lab, args):
    took = lab.up(args.hosts, args.keepalive, args.keep)
    if took is False:
        return print(f"lab {lab.id} is up already, in {lab.dir}")
    return print(f"lab {lab.id} is up after {took:.1f} s: {len(lab.hosts)} hosts, {lab.network}, in {lab.dir}")


def down(lab, _args):
    if os.path.isdir(os.path.join(lab.dir, "openstack")):
        raise LabError(f"an OpenStack is on the lab {lab.id}: contrib/lab/openstack/openstack down ends both")
    print(f"lab {lab.id} is gone" if lab.down() else f"no lab in {lab.dir}")


def truth(lab, args):
    lab.need_up()
    print(json.dumps(lab.domain(args.uuid).truth()))


def env(lab, _args):
    print(json.dumps(lab.env(), indent=1))


def heal(lab, args):
    lab.heal(args.uuid)
    print("healed")


VERBS = {"up": up, "down": down, "status": status, "env": env, "wedge": wedge, "batch": batch, "heal": heal,
         "truth": truth}


def main():
    args = parser().parse_args()
    try:
        VERBS[args.verb](open_lab(args), args)
    except (LabError, OSError) as err:
        print(f"lab: {err}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("lab: interrupted", file=sys.stderr)
        return 130
    return 0
