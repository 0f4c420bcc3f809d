"""Damage done to JSON: one value in a document replaced, taken away or doubled, or its bytes cut and flipped."""

import random
from collections.abc import Iterator
from typing import Any

from isthmus.wire import json

JUNK: tuple[Any, ...] = (
    None, True, False, 0, -1, 10**30, 1.5, "", "x", "\u2028", [], {}, [None], [[]], ["x"], {"type": "text"},
    {"type": 1}, {"type": "tool_use"}, {"role": "user"}, {"x": {"y": None}}, {"text": None}, {"index": "x"},
)  # fmt: skip


def damaged(body: bytes, dice: random.Random, times: int) -> Iterator[bytes]:
    """`times` documents like `body`, each damaged in one place; the last few of them in their bytes."""
    for _ in range(times):
        document = json.decode(body)
        _damage(document, dice)
        yield json.encode(document)
    for _ in range(times // 4):
        at = dice.randrange(len(body))
        yield body[:at]
        yield body[:at] + bytes([body[at] ^ (1 << dice.randrange(8))]) + body[at + 1 :]


def _damage(document: Any, dice: random.Random) -> None:
    holder, key = dice.choice(list(_places(document)))
    match dice.randrange(4):
        case 0 if isinstance(holder, dict):
            del holder[key]
        case 1 if isinstance(holder, list):
            holder.insert(key, holder[key])
        case 2:
            holder[key] = [holder[key]]
        case _:
            holder[key] = dice.choice(JUNK)


def _places(document: Any) -> Iterator[tuple[Any, Any]]:
    """Every list and object inside, with each of its keys."""
    keys = list(document) if isinstance(document, dict) else range(len(document)) if isinstance(document, list) else ()
    for key in keys:
        yield document, key
        yield from _places(document[key])
