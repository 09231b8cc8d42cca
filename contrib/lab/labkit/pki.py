"""A lab's own certificate authority, a server certificate per host, a client certificate."""
import os
import shutil

from .util import run, write_text


class Pki:
    def __init__(self, lab):
        self.lab = lab
        self.dir = os.path.join(lab.dir, "pki")

    def _path(self, name):
        return os.path.join(self.dir, name)

    def _key(self, name):
        path = self._path(f"{name}key.pem")
        run(["certtool", "--generate-privkey", "--key-type=rsa", "--bits=2048", "--outfile", path])
        os.chmod(path, 0o600)
        return path

    def _certificate(self, name, template):
        key = self._key(name)
        write_text(self._path(f"{name}.info"), template + "expiration_days = 365\n")
        action = ["--generate-self-signed"] if name == "ca" else [
            "--generate-certificate", "--load-ca-certificate", self._path("cacert.pem"),
            "--load-ca-privkey", self._path("cakey.pem")]
        run(["certtool", *action, "--load-privkey", key, "--template", self._path(f"{name}.info"),
             "--outfile", self._path(f"{name}cert.pem")])

    def make(self):
        os.makedirs(self.dir, exist_ok=True)
        self._certificate("ca", f"cn = unwedge lab {self.lab.id}\nca\ncert_signing_key\n")
        for host in self.lab.hosts.values():
            self._certificate(host.name, f"organization = lab\ncn = {host.name}\ndns_name = {host.name}\n"
                              f"ip_address = {host.mgmt}\nip_address = {host.mig}\n"
                              "tls_www_server\ntls_www_client\nsigning_key\nencryption_key\n")
        self._certificate("client", "organization = lab\ncn = tool\ntls_www_client\nsigning_key\nencryption_key\n")
        self._copy(self.lab.pki_client, {"cacert.pem": "cacert.pem", "clientcert.pem": "clientcert.pem",
                                         "clientkey.pem": "clientkey.pem"})

    def _copy(self, target, files):
        for name, source in files.items():
            path = os.path.join(target, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            shutil.copy(self._path(source), path)

    def install(self, host, target):
        """The places libvirt looks at by itself."""
        self._copy(target, {
            "CA/cacert.pem": "cacert.pem",
            "libvirt/servercert.pem": f"{host.name}cert.pem", "libvirt/private/serverkey.pem": f"{host.name}key.pem",
            "libvirt/clientcert.pem": f"{host.name}cert.pem", "libvirt/private/clientkey.pem": f"{host.name}key.pem"})
