"""The stack's own MariaDB: a socket, no network."""
import os

from labkit.util import LabError, run, wait_for

SCHEMAS = ("keystone", "placement", "glance", "neutron", "nova_api", "nova_cell0", "nova")

# A lab's database may be lost with the machine: nothing is flushed for safety's sake.
OPTIONS = ("--skip-networking", "--performance-schema=OFF", "--innodb-flush-log-at-trx-commit=0",
           "--innodb-doublewrite=0", "--innodb-flush-method=nosync", "--innodb-buffer-pool-size=128M",
           "--innodb-log-file-size=32M", "--skip-log-bin", "--max-connections=300",
           "--character-set-server=utf8mb3", "--collation-server=utf8mb3_general_ci")


class Database:
    def __init__(self, layout, procs):
        self.layout = layout
        self.procs = procs
        self.client = ["mariadb", "--no-defaults", f"--socket={layout.socket}", "--user=root"]

    def url(self, schema):
        # pymysql 1.0.2 does not know the name utf8mb3
        return f"mysql+pymysql://root@localhost/{schema}?unix_socket={self.layout.socket}&charset=utf8"

    def create(self):
        run(["mariadb-install-db", "--no-defaults", "--user=root", f"--datadir={self.layout.path('mysql')}",
             "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"], 60)

    def start(self):
        self.procs.start("mariadb", ["mariadbd", "--no-defaults", "--user=root",
                                     f"--datadir={self.layout.path('mysql')}", f"--socket={self.layout.socket}",
                                     f"--tmpdir={self.layout.path('tmp')}",
                                     f"--pid-file={self.layout.path('run', 'mariadb.pid')}", *OPTIONS],
                         self.layout.environment())

        def answers():
            self.procs.need("mariadb")
            return os.path.exists(self.layout.socket) and run([*self.client, "-e", "SELECT 1"], 5, check=False
                                                              ).returncode == 0
        wait_for(f"MariaDB (see {self.procs.log('mariadb')})", answers, 60, 0.1)

    def create_schemas(self):
        self.sql("".join(f"CREATE DATABASE {name} CHARACTER SET utf8mb3;" for name in SCHEMAS))

    def sql(self, statements, schema=None, timeout=30):
        """Rows as lists of words; NULL is None."""
        done = run([*self.client, "--batch", "--skip-column-names", *([schema] if schema else [])], timeout,
                   check=False, stdin=statements)
        if done.returncode != 0:
            raise LabError(f"SQL: {done.stderr.strip()}")
        return [[None if cell == "NULL" else cell for cell in line.split("\t")] for line in done.stdout.splitlines()]

    def stop(self):
        self.procs.stop("mariadb", 30)
