"""A real server of PostgreSQL, for as long as it takes. It refuses to run as root, so there it runs as nobody."""

import os
import shutil
import socket
import subprocess
from itertools import count
from pathlib import Path

from isthmus.core.secret import Secret

PROGRAM = shutil.which("pg_ctl")
_AS_ANOTHER = ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups")


class PostgresServer:
    """A server of its own, on a port of its own. `folder` is empty, and whoever runs the server can reach it."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._folder = folder
        self._databases = count(1)

    def make(self) -> None:
        """Its files."""
        if os.geteuid() == 0:
            shutil.chown(self._folder, "nobody", "nogroup")
        options = ["--auth=trust", "--username=isthmus", "--encoding=UTF8", "--locale=C", "--no-sync"]
        self._run("initdb", "--pgdata", str(self._folder / "data"), *options)

    def start(self) -> None:
        settings = f"-p {self.port} -k '' -c listen_addresses=127.0.0.1 -c fsync=off"
        self._run(*self._control, "--options", settings, "--log", str(self._folder / "log"), "--wait", "start")

    def stop(self) -> None:
        """At once, as by a crash."""
        self._run(*self._control, "--mode", "immediate", "stop")

    def new_database(self) -> Secret:
        """The URL of an empty one."""
        name = f"test{next(self._databases)}"
        self.ask(f"CREATE DATABASE {name}")
        return Secret(f"postgresql://isthmus@127.0.0.1:{self.port}/{name}")

    def ask(self, statement: str, database: str = "postgres") -> str:
        """What the server says to one statement."""
        where = ["--host=127.0.0.1", f"--port={self.port}", "--username=isthmus", f"--dbname={database}"]
        return self._run("psql", "--no-psqlrc", "--tuples-only", "--no-align", *where, "--command", statement)

    @property
    def _control(self) -> tuple[str, ...]:
        return ("pg_ctl", "--silent", "--pgdata", str(self._folder / "data"))

    def _run(self, *command: str) -> str:
        user = _AS_ANOTHER if os.geteuid() == 0 else ()
        out = subprocess.run(
            [*user, *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd="/", check=False
        )
        assert out.returncode == 0, out.stdout
        return out.stdout
