"""TLS to Keystone and Nova: only a certificate of the right authority, name and time will do."""
import subprocess

from play import ABSENT, LAB_WARNINGS, RUN, Skip, UUID, add, need, play

WARNINGS = [w for w in LAB_WARNINGS if "plain http" not in w]
DAYS = {"good": ("20240101000000Z", "21240101000000Z"), "expired": ("20200101000000Z", "20200201000000Z"),
        "future": ("21000101000000Z", "21240101000000Z")}


def openssl(*words):
    try:
        done = subprocess.run(["openssl", *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE)
    except FileNotFoundError:
        raise Skip("openssl is not installed") from None
    need(done.returncode == 0, "openssl %s: %s", words[0], done.stderr.decode())


def authority(p, name):
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
            "3650", "-subj", "/CN=" + name, "-keyout", p.path(name + ".key"), "-out",
            p.path(name + ".pem"))


def certificate(p, ca, host, time):
    first, last = DAYS[time]
    p.write("ca.cnf", "[ca]\ndefault_ca = d\n[d]\ndatabase = %s\nserial = %s\nnew_certs_dir = %s\n"
            "default_md = sha256\npolicy = any\nrand_serial = yes\nunique_subject = no\ncopy_extensions = "
            "copy\n[any]\ncommonName = supplied\n"
            % (p.write("index.txt", ""), p.write("serial", "01\n"), p.dir))
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=" + host,
            "-addext", "subjectAltName=DNS:" + host, "-keyout", p.path("server.key"), "-out",
            p.path("server.csr"))
    openssl("ca", "-batch", "-config", p.path("ca.cnf"), "-cert", p.path(ca + ".pem"), "-keyfile",
            p.path(ca + ".key"), "-in", p.path("server.csr"), "-out", p.path("server.pem"), "-startdate",
            first, "-enddate", last)


def serve(p, ca="right", host="localhost", time="good", trust="right"):
    authority(p, "right")
    authority(p, "wrong")
    certificate(p, ca, host, time)
    p.nova("wedged-failed", tls=["--tls-cert", p.path("server.pem"), "--tls-key", p.path("server.key"),
                                 "--public-host", "localhost"]).hosts(a=RUN, b=ABSENT)
    p.clouds(cacert=p.path(trust + ".pem"))


@play
def tls_good(p):
    """The whole way over TLS, without the warning about plain http."""
    serve(p)
    p.plan(status=2, warn=WARNINGS)
    p.apply(status=0, warn=WARNINGS)
    p.resets(1)


def refused(**how):
    def scenario(p):
        serve(p, **how)
        p.run("diagnose", UUID, warn=WARNINGS, fail=r"unwedge: .*([Cc]ertificate|SSL|TLS)").exits(4)
        need(not p.requests(), "a request was sent")
    return scenario


add("tls-wrong-authority", "a certificate of another authority", refused(trust="wrong"))
add("tls-wrong-name", "a certificate of another host", refused(host="elsewhere.example"))
add("tls-expired", "a certificate past its time", refused(time="expired"))
add("tls-not-yet", "a certificate before its time", refused(time="future"))


@play
def tls_insecure(p):
    """verify: false is possible, and warned about every time."""
    serve(p, trust="wrong")
    text = p.read("clouds.yaml").replace("    cacert: %s\n" % p.path("wrong.pem"), "    verify: false\n")
    p.write("clouds.yaml", text, 0o600)
    warning = r"unwedge: warning: cloud standin: certificates are not verified"
    p.run("diagnose", UUID, warn=WARNINGS + [warning]).exits(2)


@play
def tls_plain_server(p):
    """https in the URL, http on the wire."""
    p.nova("wedged-failed").hosts(a=RUN, b=ABSENT)
    p.clouds(url=p.ready["auth_url"].replace("http:", "https:"))
    p.run("diagnose", UUID, warn=WARNINGS, fail=r"unwedge: ").exits(4)
