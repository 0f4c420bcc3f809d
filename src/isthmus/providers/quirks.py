"""How a host differs from the dialect it speaks, in top-level request fields.

Applied by the patch lane to the bytes of a same-dialect request, and by the
translate lane to what the codec wrote: one place for both.
"""

from collections.abc import Mapping

from msgspec import Raw

from isthmus.core.losses import EMPTY, Losses
from isthmus.core.value import Value


class Quirks(Value, frozen=True):
    """`rename` gives a field another name, `drop` takes it out, `default` sets it where the caller did not."""

    rename: Mapping[str, str] = {}
    drop: frozenset[str] = frozenset()
    default: Mapping[str, Raw] = {}


def apply_quirks(
    fields: dict[str, Raw], quirks: Quirks, losses: Losses, *, ours: frozenset[str] = frozenset()
) -> dict[str, Raw]:
    """The fields as this host takes them, in the same order; what is dropped is told, unless it says nothing.

    `ours` are fields that the gateway added for its own sake: nobody misses those.
    """
    patched: dict[str, Raw] = {}
    for name, value in fields.items():
        if name in quirks.drop:
            if name not in ours and bytes(value) not in EMPTY:
                losses.drop(name, "this host refuses the field")
            continue
        target = quirks.rename.get(name, name)
        if target == name or target not in fields:
            patched[target] = value
    for name, value in quirks.default.items():
        patched.setdefault(name, value)
    return patched
