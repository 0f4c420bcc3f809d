"""What was recorded beside conversations: embeddings are read and written to the last bit, counts to the last token.

A count of another API's body is no conversation of Bedrock's, and its reader refuses it.
"""

import statistics
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.losses import Losses
from isthmus.core.operations import Operation
from isthmus.core.profile import UNKNOWN
from isthmus.dialects.table import CODECS, COUNT_CODECS, EMBED_CODECS
from isthmus.engine.counting import SHORT, Counting
from isthmus.wire import json
from support.recordings import folder, records

pytestmark = pytest.mark.recordings


def recorded(name: str, feature: str) -> Iterator[tuple[bytes, Mapping[str, Any]]]:
    """The bodies of requests, and the answers, of an operation."""
    at = folder()
    assert at is not None
    for line in (at / f"{name}-aux.jsonl").read_bytes().splitlines():
        told = json.decode(line)
        if feature in told["features"]:
            yield json.encode(told["request"]["body"]), told["response"]


def test_embeddings_are_read_and_written_as_they_came() -> None:
    codec, count = EMBED_CODECS["openai"], 0
    for body, answer in recorded("openai", "op_embeddings"):
        request, losses = codec.read_request(body), Losses()
        assert json.decode(codec.write_request(request, UNKNOWN, losses)) == json.decode(body)
        reply = codec.read_reply(answer["text"].encode())
        assert json.decode(codec.write_reply(reply, request, losses)) == json.decode(answer["text"].encode())
        assert codec.tap_reply is not None
        assert codec.tap_reply(answer["text"].encode()) == reply.usage
        assert losses.found == []
        count += 1
    assert count == 2


@pytest.mark.parametrize(
    ("dialect", "feature", "number"),
    [("anthropic", "op_count_tokens", 4), ("gemini", "op_countTokens", 2), ("bedrock", "op_count_tokens", 5)],
)
def test_counts_are_asked_and_read(dialect: str, feature: str, number: int) -> None:
    codec, count = COUNT_CODECS[dialect], 0
    for body, answer in recorded(dialect, feature):
        count += 1
        if b"invokeModel" in body:
            with pytest.raises(GatewayError):
                codec.read_request(body)
            continue
        read, losses = codec.read_request(body), Losses()
        again = codec.read_request(codec.write_request(read, UNKNOWN, losses))
        assert (again.messages, again.tools) == (read.messages, read.tools)
        assert losses.found == []
        if answer["status"] == 200:
            told = codec.read_reply(answer["text"].encode())
            assert f"{told}" in answer["text"]
        else:
            error = codec.read_error(answer["status"], (), answer["text"].encode())
            assert error.kind in (Kind.UNKNOWN_MODEL, Kind.INVALID)
    assert count == number


@pytest.mark.parametrize(("family", "least", "most"), [("gpt-", 0.9, 1.1), ("claude-sonnet-4-5", 0.9, 1.25)])
async def test_estimates_are_near_what_providers_counted(family: str, least: float, most: float) -> None:
    """In the middle, of what holds nothing but words; a short text is most of all its frame."""
    pytest.importorskip("toktok")
    counting, ratios = Counting(), list[float]()
    for dialect in ("openai_chat", "anthropic"):
        codec = CODECS[dialect, Operation.CHAT]
        for record in records(dialect):
            if record.whole and record.request is not None and not record.features & _BESIDE:
                request, usage = codec.read_request(record.request), codec.read_reply(record.answer).usage
                if request.model.startswith(family) and usage is not None and usage.input >= SHORT:
                    ratios.append(await counting.count(request, request.model) / usage.input)
    assert least < statistics.median(ratios) < most
    assert len(ratios) >= 5


_BESIDE = frozenset({"tools", "image_in", "file_in", "pdf_in", "audio_in", "error_in_200", "server_tools"})
"""What is recorded of requests that hold more than words."""
