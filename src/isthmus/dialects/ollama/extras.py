"""Leftovers: the fields of a known object that the core has no word for, kept and put back.

A leftover of an object inside is kept under both names ("options.num_ctx", "message.parser").
"""

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Raw

from isthmus.core.losses import EMPTY, Losses
from isthmus.core.value import Extra
from isthmus.dialects.ollama import OLLAMA
from isthmus.wire.json import Fields

SAID = Raw(b'""')
"""The value of a leftover that only marks how something was spelled; its loss is none."""


def keep(outer: Fields, inner: Fields | None = None, name: str = "") -> dict[str, Raw]:
    """What nobody claimed of `outer`, and of the object `inner` that is its field `name`."""
    left = dict(fields_of(outer.rest(OLLAMA)))
    if inner is not None:
        left.update({f"{name}.{key}": value for key, value in fields_of(inner.rest(OLLAMA)).items()})
    return left


def kept(left: Mapping[str, Raw]) -> Extra | None:
    """Leftovers as the core carries them."""
    return Extra(OLLAMA, left) if left else None


def fields_of(extra: Extra | None) -> Mapping[str, Raw]:
    """The leftovers that this family may write."""
    return extra.fields if extra is not None and extra.dialect == OLLAMA else {}


def unmarked(extra: Extra | None, *names: str) -> Extra | None:
    """The leftovers without those of `names` that only mark how something was spelled."""
    left = fields_of(extra)
    if all(left.get(name) != SAID for name in names):
        return extra
    return kept({name: value for name, value in left.items() if name not in names or value != SAID})


def is_marked(extra: Extra | None, name: str) -> bool:
    """Is `name` marked as not having been said?"""
    return fields_of(extra).get(name) == SAID


def hollow(fields: Fields, names: Iterable[str]) -> dict[str, Raw]:
    """Those of `names` that are there and say nothing ("", [] or {}), so that they can be said again. Claims them."""
    found: dict[str, Raw] = {}
    for name in names:
        value = fields.look(name)
        if value is not None and len(memoryview(value)) == 2 and bytes(value) in EMPTY:
            found[name] = value
            fields.raw(name)
    return found


def restore(document: dict[str, Any], extra: Extra | None, path: str, losses: Losses) -> None:
    """Put the leftovers of this family back where they were; tell those of another."""
    if extra is None:
        return
    if extra.dialect != OLLAMA:
        losses.drop_extra(extra, path)
        return
    for name, value in extra.fields.items():
        outer, dot, inner = name.partition(".")
        home = document.get(outer) if dot else None
        if isinstance(home, dict):
            home.setdefault(inner, value)
        else:
            document.setdefault(name, value)
