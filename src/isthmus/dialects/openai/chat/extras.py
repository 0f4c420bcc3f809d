"""Leftovers: the fields of a known object that the core has no word for, kept and put back.

A leftover of an object inside is kept under both names ("function.examples", "message.annotations").
"""

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Raw

from isthmus.core.losses import EMPTY, Losses
from isthmus.core.value import Extra
from isthmus.dialects.openai import CHAT
from isthmus.wire.json import Fields

SAID = Raw(b'""')
"""The value of a leftover that only marks how something was spelled; its loss is none."""


def keep(outer: Fields, inner: Fields | None = None, name: str = "") -> Extra | None:
    """What nobody claimed of `outer`, and of the object `inner` that is its field `name`."""
    left = dict(fields_of(outer.rest(CHAT)))
    if inner is not None:
        left.update({f"{name}.{key}": value for key, value in fields_of(inner.rest(CHAT)).items()})
    return Extra(CHAT, left) if left else None


def fields_of(extra: Extra | None) -> Mapping[str, Raw]:
    """The leftovers that this dialect may write."""
    return extra.fields if extra is not None and extra.dialect == CHAT else {}


def is_ours(extra: Extra | None) -> bool:
    return extra is not None and extra.dialect == CHAT


def empties(fields: Fields, names: Iterable[str], prefix: str = "") -> dict[str, Raw]:
    """Those of `names` that are there and say nothing ("", [] or {}), so that they can be said again."""
    found = {prefix + name: value for name in names if (value := fields.look(name)) is not None}
    return {name: value for name, value in found.items() if len(memoryview(value)) == 2 and bytes(value) in EMPTY}


def restore(document: dict[str, Any], extra: Extra | None, path: str, losses: Losses) -> None:
    """Put the leftovers of this dialect back where they were; tell those of another."""
    if extra is None:
        return
    if extra.dialect != CHAT:
        losses.drop_extra(extra, path)
        return
    for name, value in extra.fields.items():
        outer, dot, inner = name.partition(".")
        home = document.get(outer) if dot else None
        if isinstance(home, dict):
            _put(home, inner, value)
        else:
            _put(document, name, value)


def _put(document: dict[str, Any], name: str, value: Raw) -> None:
    if document.get(name) is None:
        document[name] = value
