"""The databases and files of a freshly made stack, kept in the lab's cache: the next one takes seconds."""
import hashlib
import os
import shutil
import tempfile

from labkit.util import read_json, run, write_json

from . import bootstrap, config

KEPT = ("mysql", "glance", "keystone-keys", "credential-keys")
PACKAGES = ("python3-nova", "python3-keystone", "python3-placement", "python3-glance", "python3-neutron",
            "mariadb-server-core")


class Snapshot:
    def __init__(self, lab, layout):
        self.layout = layout
        self.folder = lab.cache.dir
        digest = hashlib.sha256()
        versions = run(["dpkg-query", "-W", "-f", "${Package} ${Version}\n", *PACKAGES]).stdout
        digest.update(versions.encode())
        for module in (bootstrap, config):
            with open(module.__file__, "rb") as file:
                digest.update(file.read())
        for path in (lab.cache.kernel, lab.cache.initrd):
            digest.update(f"{os.path.basename(path)} {os.path.getsize(path)}".encode())
        self.path = os.path.join(self.folder, f"openstack-{digest.hexdigest()[:12]}")

    def restore(self):
        """The facts that were kept, after all files have been put in place; None without a snapshot."""
        facts = os.path.join(self.path, "facts.json")
        if not os.path.exists(facts):
            return None
        for name in KEPT:
            os.rmdir(self.layout.path(name))
            self._copy(os.path.join(self.path, name), self.layout.path(name))
        return read_json(facts)

    def keep(self, facts):
        """Called while MariaDB is stopped."""
        work = tempfile.mkdtemp(dir=self.folder)
        try:
            for name in KEPT:
                self._copy(self.layout.path(name), os.path.join(work, name))
            write_json(os.path.join(work, "facts.json"), facts)
            os.rename(work, self.path)
        except OSError:
            shutil.rmtree(work, ignore_errors=True)     # another stack was faster

    @staticmethod
    def _copy(source, target):
        run(["cp", "-a", "--reflink=auto", "--sparse=always", source, target], 60)

    @staticmethod
    def clean(cache_dir):
        """Remove every snapshot; their names."""
        names = [n for n in os.listdir(cache_dir) if n.startswith("openstack-")] if os.path.isdir(cache_dir) else []
        for name in names:
            shutil.rmtree(os.path.join(cache_dir, name))
        return names
