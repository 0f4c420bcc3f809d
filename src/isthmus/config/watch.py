"""Notices that the configuration file changed, however it was written.

Looks at it once a second: what counts is whether the file's identity, size or time is another. So a file that an
editor puts in its place is noticed, and a link that a mounted Kubernetes ConfigMap swaps, on any file system; and
what else happens in its folder (a log that grows there) costs nothing.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

EVERY = 1.0
"""Seconds between two looks. A look is one system call."""

SETTLE = 5
"""The part of that time for which a changed file must stay the same before it is read."""

Print: TypeAlias = tuple[int, int, int, int]


class Watch:
    """Calls `on_change` after each change of the file. Changes count from its making."""

    def __init__(self, path: Path, on_change: Callable[[], object], *, every: float = EVERY) -> None:
        self._path = path
        self._on_change = on_change
        self._every = every
        self._seen = fingerprint(path)

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            await asyncio.sleep(self._every)
            if self.look():
                await self._settle()
                self._on_change()

    def look(self) -> bool:
        """Is the file another than the one seen last? One that is gone, perhaps only for now, is no change."""
        now = fingerprint(self._path)
        if now is None or now == self._seen:
            return False
        self._seen = now
        return True

    async def _settle(self) -> None:
        """Whoever writes the file may not have finished: wait until it stays the same."""
        changed = True
        while changed:
            await asyncio.sleep(self._every / SETTLE)
            changed = self.look()


def fingerprint(path: Path) -> Print | None:
    """What tells one state of a file from another; None without a file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
