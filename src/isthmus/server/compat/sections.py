"""What the management APIs of other systems share: how their configurations are put in force, and their JSON read.

Only what a system has words for is changed."""

from collections.abc import Collection, Mapping
from typing import TypeAlias

from isthmus.core.errors import GatewayError, Kind
from isthmus.server.admin.desk import Configurer
from isthmus.wire import json

Changes: TypeAlias = Mapping[tuple[str | int, ...], object]
WHOLE = frozenset({"providers", "aliases", "models", "client-keys"})
"""Sections that are replaced as a whole, so that what is no longer said is gone."""


def changes_of(configurer: Configurer, text: str, kind: str, *, without: Collection[str] = ()) -> Changes:
    """What a configuration of this kind sets. Sections of ours that it says nothing of stay as they are, as do those
    `without` which it is read. Raises INVALID."""
    changes: dict[tuple[str | int, ...], object] = {}
    for name, value in configurer.translate(text, kind).items():
        if name in without:
            continue
        if name in WHOLE or not isinstance(value, Mapping):
            changes[(name,)] = value
        else:
            changes |= {(name, field): inner for field, inner in value.items()}
    return changes


def decoded(body: bytes, expected: str) -> object:
    """Any JSON. Raises INVALID with what was `expected`."""
    try:
        found: object = json.decode(body)
    except json.Malformed as error:
        raise GatewayError(Kind.INVALID, expected) from error
    return found


def said(told: Mapping[str, object]) -> Mapping[str, object]:
    """Without what nobody has said."""
    return {name: value for name, value in told.items() if value is not None}
