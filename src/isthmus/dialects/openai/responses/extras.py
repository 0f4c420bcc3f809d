"""Leftovers: what the core has no word for, kept and put back; and labels, which nobody but this dialect misses."""

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Raw

from isthmus.core.losses import Losses
from isthmus.core.value import Extra
from isthmus.dialects.openai import RESPONSES
from isthmus.wire.json import Fields

Written = dict[str, Any] | Raw
ITEM = "item"
"""The label of the first part of a message item: the fields around its content. Such a part begins an item anew."""
ITEM_DOT = ITEM + "."


def take(fields: Fields, names: Iterable[str]) -> dict[str, Raw]:
    """Those of the fields that are there and not null, claimed."""
    return {name: value for name in names if (value := fields.raw(name)) is not None}


def keep(fields: Fields, labels: Mapping[str, Raw] | None = None) -> Extra:
    """What nobody claimed, and the labels. Never None, which tells the writer that it was said in this dialect."""
    left = fields.rest(RESPONSES)
    return Extra(RESPONSES, left.fields if left is not None else {}, labels or {})


def is_ours(extra: Extra | None) -> bool:
    return extra is not None and extra.dialect == RESPONSES


def fields_of(extra: Extra | None) -> Mapping[str, Raw]:
    """The leftovers that this dialect may write."""
    return extra.fields if extra is not None and extra.dialect == RESPONSES else {}


def labels_of(extra: Extra | None) -> Mapping[str, Raw]:
    return extra.labels if extra is not None and extra.dialect == RESPONSES else {}


def restore(document: dict[str, Any], extra: Extra | None, path: str, losses: Losses) -> None:
    """Put the leftovers of this dialect back, but for those of a surrounding item; tell those of another dialect."""
    if extra is None:
        return
    if extra.dialect != RESPONSES:
        losses.drop_extra(extra, path)
        return
    for name, value in extra.fields.items():
        if not name.startswith(ITEM_DOT) and document.get(name) is None:
            document[name] = value
