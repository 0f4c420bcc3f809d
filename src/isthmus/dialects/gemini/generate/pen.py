"""What every part of one request is written with."""

from collections.abc import Mapping

from msgspec import Raw

from isthmus.core.losses import Losses
from isthmus.core.profile import ModelProfile
from isthmus.core.value import Extra
from isthmus.dialects.gemini.generate.media import Block
from isthmus.dialects.gemini.words import DIALECT


class Pen:
    """The model that a request is for, and the ledger of what it cannot be told."""

    __slots__ = ("losses", "profile")

    def __init__(self, profile: ModelProfile, losses: Losses) -> None:
        self.profile = profile
        self.losses = losses


def own_fields(extra: Extra | None) -> Mapping[str, Raw]:
    return extra.fields if extra is not None and extra.dialect == DIALECT else {}


def own_labels(extra: Extra | None) -> Mapping[str, Raw]:
    return extra.labels if extra is not None and extra.dialect == DIALECT else {}


def drop_foreign(extra: Extra | None, path: str, losses: Losses) -> None:
    """Report what only another dialect knows."""
    if extra is not None and extra.dialect != DIALECT:
        losses.drop_extra(extra, path)


def add_extra(block: Block, extra: Extra | None, path: str, losses: Losses) -> None:
    """Write what only this dialect knows; what only another knows is a loss."""
    if extra is None:
        return
    if extra.dialect == DIALECT:
        block.update(extra.fields)
    else:
        losses.drop_extra(extra, path)


def nest(document: Block, name: str, value: object) -> None:
    """Put `value` where a name with dots says: "toolConfig.functionCallingConfig.mode"."""
    *above, last = name.split(".")
    inner = document
    for step in above:
        following = inner.setdefault(step, {})
        if not isinstance(following, dict):
            return
        inner = following
    inner[last] = value
