"""What is passed on under the name that was asked for is the same in all but that name."""

from collections.abc import Callable
from typing import Any

import pytest

from isthmus.dialects.codec import Codec
from isthmus.engine.renaming import Renaming, rename_whole
from isthmus.wire import json
from isthmus.wire.framings import GATES, SPLITTERS
from isthmus.wire.json import Malformed
from support.recordings import Record, check_each, records
from support.specimens import codec_of
from support.streams import pieces_of

pytestmark = pytest.mark.recordings
Count = Callable[[str, int], None]
ASKED = "asked-for"
PASSED = ("openai_chat", "openai_responses", "openai_completions", "anthropic", "gemini", "ollama", "ollama_generate")


def renamed(codec: Codec, answer: bytes, size: int) -> bytes:
    """The stream as it goes on when it came in reads of `size` bytes."""
    gate, renaming = GATES[codec.framing](), Renaming(codec, ASKED)
    whole = [*map(gate.feed, pieces_of(answer, size)), gate.end()]
    return b"".join(map(renaming.events, whole))


def frames(codec: Codec, answer: bytes) -> list[Any]:
    """What each event says; one that is no JSON as it is."""
    splitter = SPLITTERS[codec.framing]()
    found = []
    for frame in (*splitter.feed(answer), *splitter.end()):
        try:
            found.append(json.decode(frame.data))
        except Malformed:
            found.append(frame.data)
    return found


def expected(codec: Codec, event: Any) -> Any:
    """The event with the name in the one place where it stands."""
    if not isinstance(event, dict):
        return event
    within = event.get(codec.shown_within) if codec.shown_within else None
    if isinstance(within, dict) and isinstance(within.get(codec.shown_as), str):
        return {**event, codec.shown_within: {**within, codec.shown_as: ASKED}}
    return {**event, codec.shown_as: ASKED} if isinstance(event.get(codec.shown_as), str) else event


@pytest.mark.parametrize("dialect", PASSED)
def test_a_stream_differs_in_its_name_alone(dialect: str, count: Count) -> None:
    codec = codec_of(dialect)

    def check(record: Record) -> None:
        wanted = [expected(codec, event) for event in frames(codec, record.answer)]
        for size in (64, 1500, 1 << 30):
            assert frames(codec, renamed(codec, record.answer, size)) == wanted

    count("streams passed under another name", check_each((one for one in records(dialect) if one.streamed), check))


@pytest.mark.parametrize("dialect", PASSED)
def test_an_answer_differs_in_its_name_alone(dialect: str, count: Count) -> None:
    codec = codec_of(dialect)

    def check(record: Record) -> None:
        told = json.decode(record.answer)
        wanted = {**told, codec.shown_as: ASKED} if isinstance(told.get(codec.shown_as), str) else told
        assert json.decode(rename_whole(record.answer, codec, ASKED)) == wanted

    count("answers passed under another name", check_each((one for one in records(dialect) if one.whole), check))
