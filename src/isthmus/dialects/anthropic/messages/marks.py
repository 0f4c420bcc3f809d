"""What any block, tool or result may carry: a cache mark, and fields that only this dialect knows.

Source: https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching.
"""

from typing import TypeAlias

from isthmus.core.content import CacheMark
from isthmus.core.losses import Losses
from isthmus.core.value import Extra
from isthmus.dialects.anthropic.words import DIALECT
from isthmus.wire.json import Fields

Block: TypeAlias = dict[str, object]
"""An object that is being written."""


def read_cache(fields: Fields) -> CacheMark | None:
    mark = fields.fields("cache_control")
    if mark is None:
        return None
    mark.raw("type")
    return CacheMark(mark.text("ttl"), mark.rest(DIALECT))


def write_cache(mark: CacheMark) -> Block:
    block: Block = {"type": "ephemeral"}
    if mark.ttl is not None:
        block["ttl"] = mark.ttl
    if mark.extra is not None and mark.extra.dialect == DIALECT:
        block.update(mark.extra.fields)
    return block


def finish(block: Block, cache: CacheMark | None, extra: Extra | None, *, path: str, losses: Losses) -> Block:
    """The block with its cache mark and its extra fields."""
    if cache is not None:
        block["cache_control"] = write_cache(cache)
    if extra is not None:
        add_extra(block, extra, path, losses)
    return block


def add_extra(block: Block, extra: Extra | None, path: str, losses: Losses) -> None:
    """Write what only this dialect knows; what only another knows is a loss."""
    if extra is None:
        return
    if extra.dialect == DIALECT:
        block.update(extra.fields)
    else:
        losses.drop_extra(extra, path)
