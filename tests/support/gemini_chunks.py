"""Chunks of Gemini's streams, and what is read of them."""

from typing import Any

from isthmus.core.events import (
    Event,
)
from isthmus.core.grammar import Checker
from isthmus.dialects.codec import ReplyHead
from isthmus.dialects.gemini.generate import CODEC
from isthmus.wire import json
from isthmus.wire.sse import write_data
from support.streams import events_of

HEAD = ReplyHead("shown", 1_700_000_000)
DONE: dict[str, Any] = {"finishReason": "STOP"}


def chunk(*parts: object, index: int = 0, usage: object = None, **fields: Any) -> dict[str, Any]:
    content = {"content": {"parts": parts, "role": "model"}} if parts else {}
    told: dict[str, Any] = {"candidates": [{**content, "index": index, **fields}], "responseId": "r1"}
    return told if usage is None else {**told, "usageMetadata": usage}


def read(*chunks: object) -> list[Event]:
    """The events of the chunks, which obey the grammar."""
    events = events_of(CODEC, [write_data(json.encode(one)) for one in chunks])
    checker = Checker()
    for event in events:
        checker.check(event)
    checker.end()
    return events
