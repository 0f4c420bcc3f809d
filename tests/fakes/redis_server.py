"""A real server of Redis or Valkey, for as long as a test takes."""

import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path

from isthmus.core.secret import Secret

PROGRAM, SETPRIV = shutil.which("valkey-server") or shutil.which("redis-server"), shutil.which("setpriv")


class RedisServer:
    """A server of its own, on a port of its own, that keeps nothing on disk."""

    def __init__(self, folder: Path, *options: str, tls: bool = False) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.url = Secret(f"redis://127.0.0.1:{self.port}/0")
        self._folder = folder
        self._options = (*options, *(("--port", "0", "--tls-port") if tls else ("--port",)), str(self.port))
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """It ends with whoever starts it, also where that is killed."""
        assert PROGRAM is not None
        apart = () if SETPRIV is None else (SETPRIV, "--pdeathsig=KILL")
        options = [*self._options, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self.process = subprocess.Popen(
            [*apart, PROGRAM, *options, "--dir", str(self._folder)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if b"eady to accept connections" in line:
                return
        self.stop()
        raise AssertionError("the server did not start")

    def send(self, number: signal.Signals) -> None:
        assert self.process is not None
        os.kill(self.process.pid, number)

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            assert self.process.stdout is not None
            self.process.stdout.close()
            self.process = None
