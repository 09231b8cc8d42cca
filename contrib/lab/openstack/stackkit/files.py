"""openrc, clouds.yaml and the JSON of `env`."""
from labkit.util import write_text

from .layout import APIS


def _openrc(stack):
    lines = ["# source this for the openstack client, as admin"]
    for name, value in (("AUTH_URL", stack.urls["identity"]), ("USERNAME", "admin"),
                        ("PASSWORD", stack.facts["passwords"]["admin"]), ("PROJECT_NAME", "admin"),
                        ("USER_DOMAIN_NAME", "Default"), ("PROJECT_DOMAIN_NAME", "Default"),
                        ("REGION_NAME", "RegionOne"), ("IDENTITY_API_VERSION", "3")):
        lines.append(f"export OS_{name}={value}")
    # the client knows no later one
    lines.append("export OS_COMPUTE_API_VERSION=2.92")
    lines.append("export no_proxy=127.0.0.1")
    return "\n".join(lines) + "\n"


def _cloud(stack, name, user, scope):
    return (f"  {name}:\n    region_name: RegionOne\n    identity_api_version: 3\n    auth:\n"
            f"      auth_url: {stack.urls['identity']}\n      username: {user}\n"
            f"      password: {stack.facts['passwords'][user]}\n      user_domain_name: Default\n{scope}")


def _project(name):
    return f"      project_name: {name}\n      project_domain_name: Default\n"


def _clouds(stack):
    """lab: an admin; lab-demo-admin: the same user in the tenant's project; lab-member, lab-reader; lab-system."""
    return "clouds:\n" + "".join([
        _cloud(stack, "lab", "admin", _project("admin")),
        _cloud(stack, "lab-demo-admin", "admin", _project("demo")),
        _cloud(stack, "lab-member", "member", _project("demo")),
        _cloud(stack, "lab-reader", "reader", _project("demo")),
        _cloud(stack, "lab-system", "admin", "      system_scope: all\n")])


def write(stack):
    write_text(stack.layout.path("openrc"), _openrc(stack), 0o600)
    write_text(stack.layout.path("clouds.yaml"), _clouds(stack), 0o600)


def environment(stack):
    pids = stack.status()
    facts = stack.facts
    return {**stack.lab.env(), "openstack_dir": stack.layout.dir, "openrc": stack.layout.path("openrc"),
            "clouds_yaml": stack.layout.path("clouds.yaml"), "cloud": "lab",
            "clouds": ["lab", "lab-demo-admin", "lab-member", "lab-reader", "lab-system"],
            "urls": {name: stack.urls[name] for name in APIS}, "sql": stack.database.client, "pids": pids,
            "logs": {name: stack.procs.log(name) for name in pids}, "etc": stack.layout.path("etc"),
            "instances": stack.lab.shared, "flavors": facts["flavors"], "images": facts["images"],
            "neutron_network": facts["network"], "projects": facts["projects"], "users": facts["users"]}
