"""What many blocks share: cache points, which stand behind what they mark, and fields that only this dialect knows.

Source: https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html.
"""

from collections.abc import Mapping, Sequence
from typing import TypeAlias, TypeVar

from msgspec import Raw
from msgspec.structs import replace

from isthmus.core.chat import Tool
from isthmus.core.content import CacheMark, Media, Text, ToolCall, ToolResult
from isthmus.core.losses import Losses
from isthmus.core.value import Extra, Foreign
from isthmus.dialects.bedrock.words import DIALECT
from isthmus.wire.json import Fields

Block: TypeAlias = dict[str, object]
"""An object that is being written."""

MARKABLE = (Text, Media, ToolCall, ToolResult, Tool)
_Item = TypeVar("_Item")


def read_point(fields: Fields) -> CacheMark | None:
    """The mark that a cache point sets; None where the block is none."""
    point = fields.fields("cachePoint")
    if point is None:
        return None
    point.raw("type")
    return CacheMark(point.text("ttl"), point.rest(DIALECT))


def mark_last(items: list[_Item], mark: CacheMark) -> bool:
    """Set the mark on the last item; False where that cannot carry one more."""
    last = items[-1] if items else None
    if not isinstance(last, MARKABLE) or last.cache is not None:
        return False
    items[-1] = replace(last, cache=mark)
    return True


def write_point(mark: CacheMark) -> Block:
    point: Block = {"type": "default"}
    if mark.ttl is not None:
        point["ttl"] = mark.ttl
    if mark.extra is not None and mark.extra.dialect == DIALECT:
        point.update(mark.extra.fields)
    return {"cachePoint": point}


def add_extra(block: Block, extra: Extra | None, path: str, losses: Losses) -> None:
    """Write what only this dialect knows; what only another knows is a loss."""
    if extra is None:
        return
    if extra.dialect == DIALECT:
        block.update(extra.fields)
    else:
        losses.drop_extra(extra, path)


def labelled(extra: Extra | None, labels: Mapping[str, Raw]) -> Extra | None:
    """With labels: what says no more than the rest does, and only this dialect spells."""
    if not labels:
        return extra
    return Extra(DIALECT, extra.fields if extra is not None else {}, {**(extra.labels if extra else {}), **labels})


def own_labels(extra: Extra | None) -> Mapping[str, Raw]:
    return extra.labels if extra is not None and extra.dialect == DIALECT else {}


def write_foreign(item: Foreign, path: str, losses: Losses) -> Raw | None:
    if item.dialect == DIALECT:
        return item.body
    losses.drop(path, f"only {item.dialect} knows this item")
    return None


def kind_of(block: Block | Raw) -> str:
    """The member that the block has; "" for one that is kept whole."""
    return next(iter(block)) if isinstance(block, dict) else ""


def has(blocks: Sequence[Block | Raw], *kinds: str) -> bool:
    return any(kind_of(block) in kinds for block in blocks)
