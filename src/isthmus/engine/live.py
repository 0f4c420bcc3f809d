"""The snapshot in force. Swapping is one assignment; whoever took one keeps it to the end."""

from isthmus.engine.snapshot import Snapshot


class Live:
    """`version` counts the swaps, so that a log line can say under which configuration it ran."""

    __slots__ = ("_snapshot", "version")

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self.version = 1

    def take(self) -> Snapshot:
        return self._snapshot

    def swap(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self.version += 1
