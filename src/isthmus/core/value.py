"""The base of every core value, and the two ways to keep what only one dialect understands."""

from collections.abc import Mapping

from msgspec import Raw, Struct


class Value(Struct, frozen=True):
    """An immutable record. Changing one means making another with `msgspec.structs.replace`."""


class Foreign(Value, frozen=True):
    """An item kept word for word, because only `dialect` can say it. `body` is its JSON."""

    dialect: str
    body: Raw


class Extra(Value, frozen=True):
    """Fields of an understood item that the core has no word for, by name, kept word for word.

    Only `dialect` may write them; every other dialect reports each as a loss. `labels` are kept beside them
    for `dialect` alone: ids, states and spellings without which nothing is lost.
    """

    dialect: str
    fields: Mapping[str, Raw]
    labels: Mapping[str, Raw] = {}
