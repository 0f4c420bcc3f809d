"""What all workers have counted, as the hub keeps it: counts outlive their worker, current values go with it."""

from collections.abc import Sequence
from typing import Any

from isthmus.telemetry.model_names import without_model
from isthmus.telemetry.sums import Packed, Series, add, pack, unpack

MOST = 20_000
"""Series; beyond, models that are new count as others. Workers that come and go each bring names of their own."""


class Sums:
    """`guest` is any value that stands for one worker's connection."""

    def __init__(self) -> None:
        self._counted: Series = {}
        self._current: dict[object, Sequence[Any]] = {}

    def take_in(self, guest: object, counted: Sequence[Any], current: Sequence[Any]) -> None:
        """What a worker counted since the last time, and what is so there at present."""
        for key, numbers in unpack(counted).items():
            full = len(self._counted) >= MOST and key not in self._counted
            add(self._counted, {without_model(key) if full else key: numbers})
        self._current[guest] = current

    def leave(self, guest: object) -> None:
        self._current.pop(guest, None)

    def told(self, guest: object) -> tuple[Packed, Sequence[Sequence[Any]]]:
        """What all have counted, and the current values of everybody but this one."""
        return pack(self._counted), [current for other, current in self._current.items() if other is not guest]
