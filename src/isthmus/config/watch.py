"""Notices that the configuration file changed, however it was written.

The file's folder is watched, not the file: editors put a new file in its place, and a mounted Kubernetes
ConfigMap swaps a link beside it. What counts is whether the file's identity, size or time is another.
"""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from watchfiles import awatch

log = logging.getLogger(__name__)

SETTLE_MS = 200
"""Milliseconds of quiet, roughly, before a burst of changes counts as over."""

Print: TypeAlias = tuple[int, int, int, int]


class Watch:
    """Calls `on_change` after each change of the file, and whenever it is nudged. Changes count from its making."""

    def __init__(self, path: Path, on_change: Callable[[], object]) -> None:
        self._path = path
        self._on_change = on_change
        self._seen = fingerprint(path)
        self._nudged = asyncio.Event()

    def nudge(self) -> None:
        """Act as if the file had changed: for SIGHUP."""
        self._nudged.set()

    async def run(self) -> None:
        """Watch until cancelled. Where folders cannot be watched, only nudges are left, and the log says so."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch_folders())
            await asyncio.sleep(0)  # the folders are watched from the task's first step on
            self.look()
            while await self._nudged.wait():
                self._nudged.clear()
                self._on_change()

    def look(self) -> bool:
        """Nudge when the file is not the one seen last. A file that is gone, perhaps only for now, is no change."""
        now = fingerprint(self._path)
        changed = now is not None and now != self._seen
        if changed:
            self._seen = now
            self.nudge()
        return changed

    async def _watch_folders(self) -> None:
        folders = {self._path.absolute().parent, self._path.resolve().parent}
        try:
            async for _ in awatch(*folders, watch_filter=None, step=SETTLE_MS, recursive=False):
                self.look()
        except (OSError, RuntimeError) as error:
            log.warning("%s cannot be watched (%s); send SIGHUP after a change", self._path, error)


def fingerprint(path: Path) -> Print | None:
    """What tells one state of a file from another; None without a file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
