#!/usr/bin/python3
"""What a careful script would do over openstacksdk and libvirt-python: the same facts as one diagnose.

usage: peer.py CLOUD UUID NAME=URI...       prints what it saw; it decides nothing
"""
import json
import sys

import libvirt
import openstack


def main():
    cloud, uuid = sys.argv[1:3]
    hosts = dict(word.split("=", 1) for word in sys.argv[3:])
    conn = openstack.connect(cloud=cloud)
    compute = conn.compute
    seen = {"server": compute.get_server(uuid).to_dict()["status"]}
    for name, path in (("migrations", "/os-migrations?instance_uuid=" + uuid),
                       ("actions", "/servers/%s/os-instance-actions" % uuid),
                       ("services", "/os-services"), ("hypervisors", "/os-hypervisors/detail")):
        seen[name] = len(compute.get(path, microversion="2.80").json())
    for name, uri in hosts.items():
        c = libvirt.openReadOnly(uri)
        try:
            domain = c.lookupByUUIDString(uuid)
            seen[name] = [domain.state(), domain.jobStats()]
        except libvirt.libvirtError as e:
            seen[name] = e.get_error_code()
        c.close()
    print(json.dumps(seen, default=str))


if __name__ == "__main__":
    main()
