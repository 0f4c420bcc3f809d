"""A real server of PostgreSQL, for as long as it takes. It refuses to run as root, so there it runs as nobody."""

import os
import shutil
import signal
import socket
import subprocess
import time
from itertools import count
from pathlib import Path

from isthmus.core.secret import Secret

PROGRAM, SETPRIV = shutil.which("postgres"), shutil.which("setpriv")
STARTS_WITHIN = 30.0
"""Seconds."""


class PostgresServer:
    """A server of its own, on a port of its own. `folder` is empty, and whoever runs the server can reach it."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._folder = folder
        self._databases = count(1)
        self._process: subprocess.Popen[bytes] | None = None

    def make(self) -> None:
        """Its files."""
        if os.geteuid() == 0:
            shutil.chown(self._folder, "nobody", "nogroup")
        options = ["--auth=trust", "--username=isthmus", "--encoding=UTF8", "--locale=C", "--no-sync"]
        self._run("initdb", "--pgdata", str(self._folder / "data"), *options)

    def start(self) -> None:
        """It ends with whoever starts it, also where that is killed."""
        command = ["postgres", "-D", str(self._folder / "data"), "-p", str(self.port), "-k", ""]
        settings = ["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen([*_apart(), *command, *settings], stdout=log, stderr=log, cwd="/")
        until = time.monotonic() + STARTS_WITHIN
        while not self._answers():
            assert time.monotonic() < until, (self._folder / "log").read_text()
            time.sleep(0.02)

    def stop(self) -> None:
        """At once, as by a crash."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait()
            self._process = None

    def new_database(self) -> Secret:
        """The URL of an empty one."""
        name = f"test{next(self._databases)}"
        self.ask(f"CREATE DATABASE {name}")
        return Secret(f"postgresql://isthmus@127.0.0.1:{self.port}/{name}")

    def ask(self, statement: str, database: str = "postgres") -> str:
        """What the server says to one statement."""
        where = ["--host=127.0.0.1", f"--port={self.port}", "--username=isthmus", f"--dbname={database}"]
        return self._run("psql", "--no-psqlrc", "--tuples-only", "--no-align", *where, "--command", statement)

    def _answers(self) -> bool:
        command = ["pg_isready", "--quiet", "--host=127.0.0.1", f"--port={self.port}"]
        return subprocess.run(command, check=False).returncode == 0

    def _run(self, *command: str) -> str:
        out = subprocess.run(
            [*_apart(), *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd="/", check=False
        )
        assert out.returncode == 0, out.stdout
        return out.stdout


def _apart() -> tuple[str, ...]:
    """What stands before a command: what it starts is no root, and ends with us."""
    if SETPRIV is None:
        return ()
    user = ("--reuid=nobody", "--regid=nogroup", "--clear-groups") if os.geteuid() == 0 else ()
    return (SETPRIV, *user, "--pdeathsig=QUIT")
