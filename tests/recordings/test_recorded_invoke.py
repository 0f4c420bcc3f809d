"""Claude by invoke: what was recorded is asked at the same path with the same body, and its events come out bare."""

from base64 import b64decode
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from isthmus.core.events import StreamError
from isthmus.core.grammar import Checker
from isthmus.core.losses import Losses
from isthmus.core.operations import Operation
from isthmus.core.profile import ModelProfile
from isthmus.dialects.anthropic.messages import CODEC as ANTHROPIC
from isthmus.dialects.bedrock import count_tokens
from isthmus.dialects.bedrock.errors import read_error
from isthmus.providers.bedrock import ClaudeEvents, address, wrap
from isthmus.providers.provider import Aim
from isthmus.wire import json
from support.recordings import folder
from support.streams import events_of, frames_of, pieces_of, tapped

pytestmark = pytest.mark.recordings
Line = Mapping[str, Any]


@cache
def lines(name: str) -> tuple[Line, ...]:
    at = folder()
    assert at is not None
    return tuple(map(json.decode, (at / name).read_bytes().splitlines()))


def invoked(chosen: Callable[[Line], bool]) -> list[Line]:
    """The recorded exchanges with Claude."""
    every = [line for line in lines("bedrock-invoke.jsonl") if "claude" in (line["model"] or "") and chosen(line)]
    assert every, "there is no such record"
    return every


def whole(line: Line) -> bool:
    return line["response"]["status"] == 200 and not line["stream"]


def streamed(line: Line) -> bool:
    return line["response"]["status"] == 200 and line["stream"]


def taken_out(line: Line, size: int) -> bytes:
    unwrap = ClaudeEvents()
    pieces = pieces_of(b64decode(line["response"]["base64"]), size)
    return b"".join([*map(unwrap.feed, pieces), unwrap.end()])


def test_every_path_is_that_of_the_sdks() -> None:
    for line in invoked(lambda line: True):
        recorded = urlsplit(line["request"]["url"]).path
        aim = Aim(Operation.CHAT, "anthropic", line["model"], line["stream"])
        assert unquote(address("")(aim)[1]) == unquote(recorded), line["id"]


def test_a_request_of_anthropics_becomes_the_recorded_body() -> None:
    for line in invoked(lambda line: True):
        body = line["request"]["body"]
        asked = {"model": "claude", **body, "stream": line["stream"]}
        del asked["anthropic_version"]
        aim = Aim(Operation.CHAT, "anthropic", line["model"], line["stream"])
        assert json.decode(json.encode(wrap(aim, json.read_fields(json.encode(asked)), ()))) == body, line["id"]


def test_every_body_is_one_that_anthropics_reader_knows() -> None:
    for line in invoked(lambda line: True):
        request = ANTHROPIC.read_request(json.encode({"model": "claude", **line["request"]["body"]}))
        written = json.decode(ANTHROPIC.write_request(request, ModelProfile(requires_max_output=True), Losses()))
        assert written["max_tokens"] == line["request"]["body"]["max_tokens"], line["id"]


def test_answers_are_read_as_anthropics() -> None:
    for line in invoked(whole):
        body = line["response"]["text"].encode()
        assert ANTHROPIC.tap_reply(body) == ANTHROPIC.read_reply(body).usage, line["id"]


@pytest.mark.parametrize("size", [7, 1500, 1 << 30])
def test_streams_come_out_whole_and_obey_the_grammar(size: int) -> None:
    for line in invoked(streamed):
        stream = taken_out(line, size)
        events, checker = events_of(ANTHROPIC, [stream]), Checker()
        for event in events:
            checker.check(event)
        checker.end()
        assert not isinstance(events[-1], StreamError), line["id"]
        assert tapped(ANTHROPIC.tap(False), [stream]).complete, line["id"]


def test_the_streams_of_other_makers_are_taken_out_too() -> None:
    others = [line for line in filter(streamed, lines("bedrock-invoke.jsonl")) if "claude" not in (line["model"] or "")]
    for line in others:
        assert frames_of([taken_out(line, 1500)]), line["id"]
    assert others


def test_tokens_are_asked_for_and_counted_as_recorded() -> None:
    counted = 0
    for line in lines("bedrock-aux.jsonl"):
        body, answer = line["request"]["body"], line["response"]
        if answer["status"] != 200 or "converse" not in body["input"]:
            continue
        counted += 1
        aim = Aim(Operation.COUNT_TOKENS, "bedrock", line["model"])
        assert unquote(address("")(aim)[1]) == unquote(urlsplit(line["request"]["url"]).path)
        request = count_tokens.read_request(json.encode(body))
        written = json.decode(count_tokens.write_request(request, ModelProfile(), Losses()))
        said = {name: value for name, value in body["input"]["converse"].items() if value}
        assert written == {"input": {"converse": said}}, line["id"]
        assert count_tokens.read_reply(answer["text"].encode()) == json.decode(answer["text"].encode())["inputTokens"]
    assert counted


def test_refusals_are_read() -> None:
    refused = [*lines("bedrock-invoke.jsonl"), *lines("bedrock-aux.jsonl")]
    refused = [line for line in refused if line["response"]["status"] != 200]
    for line in refused:
        error = read_error(line["response"]["status"], (), line["response"]["text"].encode())
        assert error.message == json.decode(line["response"]["text"].encode())["message"], line["id"]
    assert refused
