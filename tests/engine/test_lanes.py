"""Which lane a request takes, and that the cheap ones never read what they carry."""

from typing import Any

import pytest
from msgspec import Raw
from msgspec.structs import replace

from fakes.transport import SSE, Scripted
from isthmus.core.losses import Losses
from isthmus.core.operations import Operation
from isthmus.dialects.codec import Peek
from isthmus.dialects.table import CODECS
from isthmus.engine import lane as lanes
from isthmus.engine.exchange import Lane
from isthmus.engine.lane import choose_lane, forward
from isthmus.providers.quirks import Quirks
from isthmus.wire import json
from support.line import Line, provider

OPENAI, ANTHROPIC = CODECS["openai_chat", Operation.CHAT], CODECS["anthropic", Operation.CHAT]
BODY = (
    b'{ "model": "m",  "temperature": 1.50, "messages" :[{"role":"user","content":"\\u00fc"}],'
    b' "unknown": {"b":1,"a":2} }'
)
PLAIN, ODD = Peek("m"), Quirks(drop=frozenset({"seed"}))
CHAT_STREAM = (
    b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":'
    b'{"role":"assistant","content":"hi"},"finish_reason":null}]}\n\n'
    b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},'
    b'"finish_reason":"stop"}]}\n\n'
)
CHAT_USAGE = (
    b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[],'
    b'"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}}\n\n'
)
DONE = b"data: [DONE]\n\n"


@pytest.mark.parametrize(
    ("codec", "dialect", "quirks", "peek", "lane"),
    [
        (OPENAI, "openai_chat", None, PLAIN, Lane.PASSTHROUGH),
        (ANTHROPIC, "anthropic", None, PLAIN, Lane.PASSTHROUGH),
        (OPENAI, "openai_chat", ODD, PLAIN, Lane.PATCH),
        (OPENAI, "openai_chat", None, Peek("m", refused=frozenset({"tools"})), Lane.PATCH),
        (ANTHROPIC, "anthropic", None, Peek("m", marked=True), Lane.TRANSLATE),
        (OPENAI, "anthropic", None, PLAIN, Lane.TRANSLATE),
        (ANTHROPIC, "openai_chat", ODD, PLAIN, Lane.TRANSLATE),
    ],
)
def test_the_cheapest_correct_lane_is_taken(codec: Any, dialect: str, quirks: Quirks, peek: Peek, lane: Lane) -> None:
    assert choose_lane(codec, CODECS[dialect, Operation.CHAT], provider("one", dialect, quirks=quirks), peek) is lane


def forwarded(body: bytes, *, model: str = "m", quirks: Quirks | None = None) -> bytes:
    host = provider("one", quirks=quirks)
    return forward(body, OPENAI.peek(body), OPENAI, provider=host, model=model, losses=Losses())


def test_the_bytes_are_the_callers_own_when_nothing_must_change() -> None:
    assert forwarded(BODY) is BODY


def test_another_model_name_leaves_every_other_byte_of_every_value() -> None:
    sent = forwarded(BODY, model="other")
    assert json.decode(sent)["model"] == "other"
    assert b"1.50" in sent
    assert b'"\\u00fc"' in sent
    assert b'{"b":1,"a":2}' in sent


def test_quirks_rename_drop_and_default_top_level_fields() -> None:
    quirks = Quirks(rename={"temperature": "heat"}, drop=frozenset({"unknown"}), default={"safe": Raw(b"true")})
    fields = json.read_fields(forwarded(BODY, quirks=quirks))
    assert {name: bytes(value) for name, value in fields.items() if name not in ("model", "messages")} == {
        "heat": b"1.50",
        "safe": b"true",
    }


def test_usage_is_asked_for_beside_the_stream_options_that_the_caller_gave() -> None:
    body = BODY[:-1] + b',"stream":true,"stream_options":{"include_obfuscation":false}}'
    options = json.decode(forwarded(body))["stream_options"]
    assert options == {"include_obfuscation": False, "include_usage": True}


def test_a_field_of_our_own_that_a_host_refuses_is_nobodys_loss() -> None:
    losses, host = Losses(), provider("one", quirks=Quirks(drop=frozenset({"stream_options", "seed"})))
    body = BODY[:-1] + b',"stream":true,"seed":1}'
    forward(body, OPENAI.peek(body), OPENAI, provider=host, model="m", losses=losses)
    assert [loss.path for loss in losses.found] == ["seed"]


@pytest.fixture
def no_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every function of both codecs that would take a message apart raises."""

    def never(*_: object) -> Any:
        raise AssertionError("a lane that only carries has read what it carries")

    names = ("read_request", "write_request", "read_reply", "write_reply", "stream_reader", "stream_writer")
    blind = {key: replace(codec, **dict.fromkeys(names, never)) for key, codec in CODECS.items()}
    monkeypatch.setattr(lanes, "CODECS", blind)
    monkeypatch.setattr("support.line.CODECS", blind)


@pytest.mark.usefixtures("no_reading")
async def test_a_stream_of_the_callers_dialect_is_never_read() -> None:
    line = Line([provider("one")], {"one": [Scripted(CHAT_STREAM + CHAT_USAGE, DONE, headers=SSE)]})
    asked = BODY[:-1] + b',"stream":true,"stream_options":{"include_usage":true}}'
    assert (await line.ask(asked))[2] == CHAT_STREAM + CHAT_USAGE + DONE


@pytest.mark.usefixtures("no_reading")
async def test_usage_that_the_caller_did_not_ask_for_is_counted_and_taken_out() -> None:
    line = Line([provider("one")], {"one": [Scripted(CHAT_STREAM + CHAT_USAGE + DONE, headers=SSE)]})
    assert (await line.ask(BODY[:-1] + b',"stream":true}'))[2] == CHAT_STREAM + DONE
    assert line.exchange is not None
    assert line.exchange.usage is not None
    assert (line.exchange.usage.input, line.exchange.usage.total_output) == (5, 2)


@pytest.mark.parametrize("cut", range(1, len(CHAT_USAGE)))
async def test_usage_is_taken_out_wherever_the_network_cut_it(cut: int) -> None:
    pieces = (CHAT_STREAM, CHAT_USAGE[:cut], CHAT_USAGE[cut:], DONE)
    line = Line([provider("one")], {"one": [Scripted(*pieces, headers=SSE)]})
    assert (await line.ask(BODY[:-1] + b',"stream":true}'))[2] == CHAT_STREAM + DONE


def test_an_empty_list_of_tools_is_left_out_with_what_belongs_to_it() -> None:
    sent = json.decode(forwarded(BODY[:-1] + b',"tools": [ ],"tool_choice":"auto","parallel_tool_calls":true}'))
    assert not {"tools", "tool_choice", "parallel_tool_calls"} & set(sent)


def test_a_list_with_a_tool_is_passed_on_untouched() -> None:
    body = BODY[:-1] + b',"tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"auto"}'
    assert forwarded(body) is body


async def test_headers_of_a_dialect_travel_only_between_its_own_ends() -> None:
    asked = b'{"model":"m","max_tokens":5,"messages":[{"role":"user","content":"hi"}]}'
    headers = ((b"anthropic-version", b"2026-10-21"), (b"anthropic-beta", b"x"), (b"cookie", b"secret"))
    refusal = [Scripted(b"{}", status=400)]
    line = Line([provider("a", "anthropic"), provider("b")], {"a": refusal, "b": [Scripted(b"{}", status=400)]})
    for name in ("a", "b"):
        await line.ask(asked.replace(b'"m"', f'"{name}/m"'.encode()), "anthropic", headers)
    first, second = (dict(sent.headers) for sent in line.transport.sent)
    assert (first[b"anthropic-version"], first[b"anthropic-beta"]) == (b"2026-10-21", b"x")
    assert b"cookie" not in first
    assert not {b"anthropic-version", b"anthropic-beta", b"cookie"} & set(second)
