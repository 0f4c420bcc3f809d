"""How the keys of the schema are described: a sentence each, the unit and the bounds of its number.

Only the description stands here; what can be configured is in schema.py, schema_providers.py and schema_routing.py.
"""

from enum import StrEnum
from types import NoneType, UnionType
from typing import Annotated, Any, get_args, get_origin

from isthmus.core.value import Value

KIB, MIB, GIB = 1024, 1024**2, 1024**3
DAY = 86_400.0
MILLION = 1_000_000


class Unit(StrEnum):
    """What a number counts. BYTES also lets it be written as 512KiB, 64MiB or 1GiB, SHARE as 10%."""

    NONE = ""
    BYTES = "bytes"
    SECONDS = "seconds"
    DOLLARS = "US dollars"
    SHARE = "share"


class Switch(StrEnum):
    AUTO = "auto"
    ON = "true"
    OFF = "false"


class About(Value, frozen=True):
    """What a key means, for people, and the bounds of its number."""

    sentence: str
    unit: Unit = Unit.NONE
    least: float | None = None
    most: float | None = None


def unwrap(hint: Any) -> tuple[Any, About | None]:
    """A declared type without `| None` and without its sentence, and the sentence."""
    about = None
    if get_origin(hint) is Annotated:
        hint, about = get_args(hint)[0], get_args(hint)[1]
    if get_origin(hint) is UnionType:
        hint = next(kind for kind in get_args(hint) if kind is not NoneType)
    return hint, about
