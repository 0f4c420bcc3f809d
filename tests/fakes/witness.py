"""Sees what a gateway does to its machine: Python's own audit events of programs that start, and of files to write.

The gateway runs with `variables`; whatever it starts or writes afterwards is told by `seen`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

_HOOK = """
import os
import sys

STARTS = {"subprocess.Popen", "pty.spawn"} | {
    "os." + name for name in ("system", "exec", "posix_spawn", "spawn", "fork", "forkpty")
}
CHANGES = {
    "os." + name for name in ("remove", "rename", "rmdir", "mkdir", "chmod", "chown", "link", "symlink", "truncate")
}
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC
out = os.open(os.environ["WITNESS"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)


def hook(event, args):
    if event == "open":
        path, _, flags = args
        if isinstance(path, int) or not isinstance(flags, int) or not flags & WRITES:
            return
        os.write(out, f"wrote {os.path.abspath(os.fsdecode(path))}\\n".encode())
    elif event in CHANGES:
        os.write(out, f"wrote {os.path.abspath(os.fsdecode(args[0]))}\\n".encode())
    elif event in STARTS:
        os.write(out, f"started {event} {args[:2]!r}\\n".encode())


sys.addaudithook(hook)
"""


class Witness:
    """Makes its own folder below `folder`."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "witness.txt"
        self._file.touch()
        hooks = folder / "hooks"
        hooks.mkdir()
        (hooks / "sitecustomize.py").write_text(_HOOK)
        self.variables: Mapping[str, str] = {"PYTHONPATH": str(hooks), "WITNESS": str(self._file)}
        self._begin = 0

    def begin(self) -> None:
        """What was before does not count."""
        self._begin = len(self.everything())

    def everything(self) -> Sequence[str]:
        return self._file.read_text().splitlines()

    def seen(self) -> Sequence[str]:
        return self.everything()[self._begin :]
