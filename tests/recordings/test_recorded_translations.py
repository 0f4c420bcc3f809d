"""Translated to another dialect and read there, recorded traffic says the same, or the ledger says what it does not.

Compared are the words, the thoughts, the calls (name and arguments), the tools, the reason to stop and the usage.
"""

from collections import Counter
from collections.abc import Callable, Mapping

import pytest

from isthmus.core.content import Text
from isthmus.core.errors import GatewayError
from isthmus.core.events import StreamError
from isthmus.core.fold import fold
from isthmus.core.losses import Losses
from isthmus.dialects.codec import ReplyHead
from support.recordings import FILES, Record, check_each, records
from support.saying import compare, said_in_reply, said_in_request
from support.specimens import ABLE, CREATED, codec_of, dated
from support.streams import events_of, stream_of

pytestmark = pytest.mark.recordings
Count = Callable[[str, int], None]
OTHER: Mapping[str, str] = {**dict.fromkeys(FILES, "openai_chat"), "openai_chat": "anthropic"}


def test_requests_say_the_same_in_the_other_dialect(dialect: str, count: Count) -> None:
    codec, other, declared = codec_of(dialect), codec_of(OTHER[dialect]), Counter[str]()

    def check(record: Record) -> None:
        assert record.request is not None
        try:
            request = codec.read_request(record.request)
        except GatewayError:
            assert record.status == 400
            return
        losses = Losses()
        if all(part == Text("") for message in request.messages for part in message.parts):
            assert dialect in ("openai_chat", "openai_completions"), (
                "a request without a word, which Anthropic's writer refuses"
            )
            return
        written = other.write_request(request, ABLE[OTHER[dialect]], losses)
        declared.update(loss.path for loss in losses.found)
        compare(said_in_request(request), said_in_request(other.read_request(written)), losses)

    count("requests translated", check_each((one for one in records(dialect) if one.request), check))
    count("losses declared of requests", declared.total())


def test_answers_say_the_same_in_the_other_dialect(dialect: str, count: Count) -> None:
    codec, other, declared = codec_of(dialect), codec_of(OTHER[dialect]), Counter[str]()
    chosen = (one for one in records(dialect) if one.whole and "error_in_200" not in one.features)

    def check(record: Record) -> None:
        reply, losses = dated(codec.read_reply(record.answer)), Losses()
        read = other.read_reply(other.write_reply(reply, losses))
        declared.update(loss.path for loss in losses.found)
        compare(said_in_reply(reply), said_in_reply(read), losses)

    count("answers translated", check_each(chosen, check))
    count("losses declared of answers", declared.total())


def test_streams_say_the_same_in_the_other_dialect(dialect: str, count: Count) -> None:
    codec, other, declared = codec_of(dialect), codec_of(OTHER[dialect]), Counter[str]()

    def check(record: Record) -> None:
        events, losses = events_of(codec, [record.answer]), Losses()
        if isinstance(events[-1], StreamError):
            return
        reply = fold(events)
        written = stream_of(other, ReplyHead(reply.model, CREATED), events, losses)
        read = fold(events_of(other, [written]))
        declared.update(loss.path for loss in losses.found)
        compare(said_in_reply(reply), said_in_reply(read), losses)

    count("streams translated", check_each((one for one in records(dialect) if one.streamed), check))
    count("losses declared of streams", declared.total())
