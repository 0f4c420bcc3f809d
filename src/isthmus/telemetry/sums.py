"""Numbers by series, as they are kept, joined and sent: one kind of mapping for counts and for current values.

A key is a metric's name and the values of its labels in order. A counter and a gauge have one number; a histogram has
how many fell into each bucket, the last of them without bound, and then their sum.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

Key: TypeAlias = tuple[str, ...]
Series: TypeAlias = dict[Key, list[float]]
Packed: TypeAlias = list[tuple[Key, list[float]]]
Rows: TypeAlias = Iterable[Sequence[Any]]
"""What was packed, as it was received."""


def add(into: Series, more: Mapping[Key, Sequence[float]]) -> None:
    """Every number of `more` on top of what is there."""
    for key, values in more.items():
        mine = into.get(key)
        if mine is None:
            into[key] = list(values)
        else:
            for index, value in enumerate(values):
                mine[index] += value


def pack(series: Series) -> Packed:
    """As it is sent from one process to another."""
    return list(series.items())


def unpack(rows: Rows) -> Series:
    """The same again, in lists of its own."""
    return {tuple(key): list(values) for key, values in rows}
