"""The last event of the Codex backend's streams holds the items that were told before it."""

from typing import Any

import pytest

from isthmus.core.operations import Operation
from isthmus.providers import codex_stream
from isthmus.providers.codex_stream import Completing, unwrap
from isthmus.providers.provider import Aim
from isthmus.wire import json
from isthmus.wire.sse import SseSplitter

ITEMS = [{"type": "reasoning", "summary": []}, {"type": "message", "content": [{"type": "output_text", "text": "é"}]}]


def event(name: str, **fields: object) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (name.encode(), json.encode({"type": name, **fields}))


DONE = [event("response.output_item.done", output_index=place, item=item) for place, item in enumerate(ITEMS)]
DELTA = event("response.output_text.delta", output_index=1, content_index=0, delta="response.completed")


def ended(name: str = "response.completed", output: object = ()) -> bytes:
    return event(name, response={"id": "resp_1", "output": output, "usage": {"input_tokens": 1}})


def told(stream: bytes, size: int = 1 << 20) -> bytes:
    completing = Completing()
    pieces = [completing.feed(stream[start : start + size]) for start in range(0, len(stream), size)]
    return b"".join(pieces) + completing.end()


def last(stream: bytes) -> Any:
    return json.decode([frame for frame in SseSplitter().feed(stream)][-1].data)


@pytest.mark.parametrize("name", ["response.completed", "response.incomplete"])
@pytest.mark.parametrize("order", [1, -1])
def test_an_empty_end_is_given_the_items_in_their_order(name: str, order: int) -> None:
    end = last(told(b"".join(DONE[::order]) + ended(name)))
    assert end["response"]["output"] == ITEMS
    assert end["response"]["usage"] == {"input_tokens": 1}


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 1500])
def test_cutting_changes_nothing(size: int) -> None:
    stream = DELTA + b"".join(DONE) + ended()
    assert told(stream, size) == told(stream)


def test_all_other_events_go_on_byte_by_byte() -> None:
    stream = b": ping\n\n" + DELTA + b"".join(DONE)
    assert told(stream) == stream


def test_an_end_that_has_its_items_goes_on_as_it_came() -> None:
    stream = b"".join(DONE) + ended(output=ITEMS[:1])
    assert told(stream) == stream


def test_an_answer_without_items_stays_empty() -> None:
    assert told(ended()) == ended()


def test_what_cannot_be_read_goes_on_as_it_came() -> None:
    stream = b"data: {response.completed\n\n" + b'data: {"type":"response.completed","response":7}\n\n'
    assert told(DONE[0] + stream) == DONE[0] + stream


def test_an_answer_that_is_too_long_to_be_held_ends_as_it_came(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codex_stream, "MOST", 10)
    assert told(b"".join(DONE) + ended()) == b"".join(DONE) + ended()


def test_what_comes_behind_the_last_whole_event_is_not_lost() -> None:
    assert told(DELTA + b"data: cut") == DELTA + b"data: cut"


def test_an_answer_that_is_folded_needs_no_help() -> None:
    assert unwrap(Aim(Operation.CHAT, "openai_responses", "m", stream=False)) is None
