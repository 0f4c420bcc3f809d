"""Lines out to a file or a terminal, from a thread of their own, so that a full disk or a stuck pipe costs no request.

The queue is bounded: when it is full, new lines are dropped and counted.
"""

import queue
import sys
import threading
from pathlib import Path
from typing import BinaryIO

from isthmus.telemetry.rotation import KEEP_ALL, RotatingFile, Rotation

QUEUE = 10_000
"""Batches of lines that may wait to be written."""
CLOSE_PATIENCE = 2.0
"""Seconds that closing waits for what is still to be written."""


class LineWriter:
    """Writes whole lines. `dropped` counts what could not be written or found no place in the queue."""

    def __init__(self, path: Path | None = None, rotation: Rotation = KEEP_ALL) -> None:
        self.dropped = 0
        self._owned = path is not None
        self._out = _open(path, rotation)
        self._queue: queue.Queue[bytes | None] = queue.Queue(QUEUE)
        self._thread = threading.Thread(target=self._write_all, name="isthmus-log", daemon=True)
        self._thread.start()

    def put(self, lines: bytes) -> None:
        """Hand over lines, each ending in a line feed. Never blocks, never raises."""
        try:
            self._queue.put_nowait(lines)
        except queue.Full:
            self.dropped += lines.count(b"\n")

    def close(self) -> None:
        """Write what is left, for as long as patience lasts."""
        try:
            self._queue.put(None, timeout=CLOSE_PATIENCE)
        except queue.Full:
            return
        self._thread.join(CLOSE_PATIENCE)
        if self._owned and not self._thread.is_alive():
            self._out.close()

    def _write_all(self) -> None:
        while (lines := self._queue.get()) is not None:
            try:
                self._out.write(lines)
                self._out.flush()
            except (OSError, ValueError):
                self.dropped += lines.count(b"\n")


def _open(path: Path | None, rotation: Rotation) -> BinaryIO | RotatingFile:
    return sys.stderr.buffer if path is None else RotatingFile(path, rotation)
