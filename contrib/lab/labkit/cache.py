"""Things that are made once per machine: guest kernel, initramfs, hostinit, QEMU's capabilities."""
import hashlib
import os
import shutil
import tempfile

from .util import LabError, run

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Cache:
    def __init__(self, path):
        self.dir = path
        self.kernel = os.path.join(path, "vmlinuz")

    def _built(self, name, source, build):
        """A file made from a source; its name carries the source's digest, so an old one is never used."""
        with open(source, "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()[:12]
        target = os.path.join(self.dir, f"{name}-{digest}")
        if not os.path.exists(target):
            os.makedirs(self.dir, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self.dir) as work:
                made = build(source, work)
                os.replace(made, target)
        return target

    @property
    def hostinit(self):
        def build(source, work):
            out = os.path.join(work, "hostinit")
            run(["gcc", "-O2", "-Wall", "-Wextra", "-o", out, source], 60)
            return out
        return self._built("hostinit", os.path.join(HERE, "host", "hostinit.c"), build)

    @property
    def shared_shim(self):
        """For contrib/lab/openstack: preloaded into libvirtd, it takes the instances' directory for NFS."""
        def build(source, work):
            out = os.path.join(work, "shared.so")
            run(["gcc", "-O2", "-Wall", "-Wextra", "-shared", "-fPIC", "-o", out, source, "-ldl"], 60)
            return out
        return self._built("shared.so", os.path.join(HERE, "openstack", "host", "shared.c"), build)

    @property
    def initrd(self):
        def build(source, work):
            root = os.path.join(work, "root")
            os.makedirs(os.path.join(root, "dev"))
            run(["gcc", "-O2", "-Wall", "-Wextra", "-static", "-o", os.path.join(root, "init"), source], 60)
            out = os.path.join(work, "initrd")
            run(["sh", "-c", 'cd "$1" && find . | cpio --quiet -o -H newc | gzip -9 >"$2"', "sh", root, out], 60)
            return out
        return self._built("initrd", os.path.join(HERE, "guest", "init.c"), build)

    def need(self):
        if not os.path.exists(self.kernel):
            raise LabError(f"no guest kernel in {self.dir}: run contrib/lab/install first")

    # libvirt probes QEMU for seconds when it has no cached answer. It checks by itself whether a
    # cached one is still good, so it may be handed from lab to lab.

    def seed_capabilities(self, target):
        source = os.path.join(self.dir, "capabilities")
        if os.path.isdir(source):
            shutil.copytree(source, target, dirs_exist_ok=True)

    def keep_capabilities(self, host_cache):
        target = os.path.join(self.dir, "capabilities")
        probed = os.path.join(host_cache, "qemu")
        if os.path.isdir(probed):
            with tempfile.TemporaryDirectory(dir=self.dir) as work:
                new = os.path.join(work, "new")
                shutil.copytree(host_cache, new)
                if os.path.isdir(target):
                    os.rename(target, os.path.join(work, "old"))
                try:
                    os.rename(new, target)
                except OSError:
                    pass    # another lab was faster
