"""The short ways of the readers, which take what is plain in one decode, read what the long way reads, or nothing."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.core.chat import ChatRequest
from isthmus.core.errors import GatewayError
from isthmus.core.losses import Losses
from isthmus.core.reply import ChatReply
from isthmus.wire import json
from support.mutations import damaged
from support.plain import SHORT_WAYS, reads_alike
from support.sayable import sayable_replies, sayable_requests
from support.specimens import ABLE, Specimen, codec_of, dated, told_in
from support.strategies import replies, requests

DIALECT = pytest.mark.parametrize("dialect", ["openai_chat", "anthropic"])
EACH = pytest.mark.parametrize(
    ("dialect", "specimen"), [(name, one) for name in SHORT_WAYS for one in told_in(name)], ids=str
)
DAMAGES = 150


@EACH
def test_a_request_is_read_alike(dialect: str, specimen: Specimen) -> None:
    assert reads_alike(dialect, codec_of(dialect).read_request, specimen.file(dialect, "request"))


@EACH
def test_a_damaged_request_is_read_alike(dialect: str, specimen: Specimen) -> None:
    read = codec_of(dialect).read_request
    for body in damaged(specimen.file(dialect, "request"), random.Random(specimen.name), DAMAGES):
        assert reads_alike(dialect, read, body), body


@DIALECT
@given(data=st.data())
def test_whatever_is_asked_is_read_alike(dialect: str, data: st.DataObject) -> None:
    request: ChatRequest = data.draw(st.one_of(requests(), sayable_requests(dialect)))
    codec = codec_of(dialect)
    try:
        body = codec.write_request(request, ABLE[dialect], Losses())
    except GatewayError:
        return
    assert reads_alike(dialect, codec.read_request, body)


@EACH
def test_an_answer_is_read_alike(dialect: str, specimen: Specimen) -> None:
    assert reads_alike(dialect, codec_of(dialect).read_reply, specimen.file(dialect, "reply"))


@EACH
def test_a_damaged_answer_is_read_alike(dialect: str, specimen: Specimen) -> None:
    read = codec_of(dialect).read_reply
    for body in damaged(specimen.file(dialect, "reply"), random.Random(specimen.name), DAMAGES):
        assert reads_alike(dialect, read, body), body


@DIALECT
@given(data=st.data())
def test_whatever_is_answered_is_read_alike(dialect: str, data: st.DataObject) -> None:
    reply: ChatReply = data.draw(st.one_of(replies(), sayable_replies(dialect)))
    codec = codec_of(dialect)
    assert reads_alike(dialect, codec.read_reply, codec.write_reply(dated(reply), Losses()))


ODD: Any = st.sampled_from([None, "", "x", 1, 1.5, True, [], [""], ["x", ""], {}, {"x": 1}])
TEXT_PARTS: Any = st.fixed_dictionaries({"type": st.just("text"), "text": st.sampled_from(["", "x", None])})
OPENAI_PARTS = st.one_of(
    TEXT_PARTS,
    st.fixed_dictionaries(
        {
            "type": st.just("image_url"),
            "image_url": st.fixed_dictionaries(
                {"url": st.sampled_from(["", "data:image/png;base64,AAAA", "https://example.com/a.png"])},
                optional={"detail": st.sampled_from([None, "low"]), "more": st.just(1)},
            ),
        },
        optional={"cache_control": st.just({"type": "ephemeral"})},
    ),
)
OPENAI_CALLS = st.fixed_dictionaries(
    {
        "id": st.sampled_from(["", "a", None]),
        "type": st.sampled_from(["function", "custom"]),
        "function": st.fixed_dictionaries(
            {"name": st.sampled_from(["", "f"]), "arguments": st.sampled_from(["", "{}", None])}
        ),
    },
    optional={"index": st.just(0)},
)
OPENAI_MESSAGES: Any = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "developer", "user", "assistant", "tool", "function"])},
    optional={
        "content": st.one_of(ODD, st.lists(OPENAI_PARTS, max_size=3)),
        "name": st.sampled_from([None, "", "n"]),
        "tool_calls": st.one_of(ODD, st.lists(OPENAI_CALLS, max_size=2)),
        "tool_call_id": st.sampled_from([None, "", "a"]),
        "reasoning_content": st.sampled_from([None, "", "t"]),
        "refusal": st.sampled_from([None, "", "no"]),
        "audio": st.none(),
        "function_call": st.none(),
        "more": ODD,
    },
)
ANTHROPIC_BLOCKS: Any = st.fixed_dictionaries(
    {"type": st.sampled_from(["text", "image", "thinking", "tool_use", "tool_result", "document", "new"])},
    optional={
        "text": st.sampled_from(["", "x", None]),
        "thinking": st.sampled_from(["", "t", None]),
        "signature": st.sampled_from(["", "s", "isthmus:", "isthmus:x:y", None]),
        "citations": st.sampled_from([None, []]),
        "id": st.sampled_from(["", "a", None]),
        "name": st.sampled_from(["", "f", None]),
        "input": ODD,
        "tool_use_id": st.sampled_from(["", "a", None]),
        "content": st.one_of(ODD, st.lists(TEXT_PARTS, max_size=2)),
        "is_error": ODD,
        "source": st.sampled_from(
            [
                {"type": "base64", "media_type": "image/png", "data": "AAAA"},
                {"type": "url", "url": "https://example.com/a.png"},
                {"type": "url", "url": "https://example.com/a.png", "more": 1},
                {"type": "file", "file_id": "f"},
            ]
        ),
        "cache_control": st.sampled_from([None, {}, {"type": "ephemeral"}, {"type": "x", "ttl": "1h"}, {"more": 1}]),
        "more": ODD,
    },
)
ANTHROPIC_WHOLE_BLOCKS: Any = st.one_of(
    TEXT_PARTS,
    st.fixed_dictionaries(
        {"type": st.just("tool_use"), "id": st.just("a"), "name": st.just("f")}, optional={"input": ODD}
    ),
    st.fixed_dictionaries(
        {"type": st.just("tool_result"), "tool_use_id": st.just("a")},
        optional={"content": st.one_of(st.sampled_from([None, "", "x"]), st.lists(TEXT_PARTS, max_size=3))},
    ),
    st.fixed_dictionaries(
        {"type": st.just("thinking"), "thinking": st.sampled_from(["", "t"])},
        optional={"signature": st.sampled_from(["", "s", "isthmus:", "isthmus:x:y", None])},
    ),
)
ANTHROPIC_MESSAGES: Any = st.fixed_dictionaries(
    {
        "role": st.sampled_from(["user", "assistant", "system", "tool"]),
        "content": st.one_of(ODD, st.lists(ANTHROPIC_BLOCKS, max_size=3), st.lists(ANTHROPIC_WHOLE_BLOCKS, max_size=3)),
    },
    optional={"more": ODD},
)
MESSAGES: dict[str, Any] = {"openai_chat": OPENAI_MESSAGES, "anthropic": ANTHROPIC_MESSAGES}
FIELDS: dict[str, Any] = {
    "anthropic": {
        "system": st.one_of(ODD, st.lists(TEXT_PARTS, max_size=2)),
        "tools": st.one_of(
            ODD, st.just([{"name": "f", "input_schema": None}]), st.just([{"name": "f", "type": "custom", "more": 1}])
        ),
        "tool_choice": st.sampled_from(
            [None, {"type": "auto"}, {"type": "any", "disable_parallel_tool_use": False}, {"type": "tool", "name": "f"}]
        ),
        "stop_sequences": ODD,
        "stream": ODD,
        "max_tokens": ODD,
        "temperature": ODD,
        "top_k": ODD,
        "thinking": st.sampled_from(
            [None, {}, {"type": "enabled", "budget_tokens": 1}, {"type": "adaptive", "display": "x"}, {"type": "new"}]
        ),
        "output_config": st.sampled_from([None, {}, {"effort": "low"}, {"effort": None, "more": 1}]),
        "metadata": st.sampled_from([None, {}, {"user_id": ""}, {"user_id": "u"}, {"more": 1}]),
        "thread": st.sampled_from([None, "x"]),
        "more": ODD,
    },
    "openai_chat": {
        "tools": st.one_of(ODD, st.just([{"type": "function", "function": {"name": "f", "parameters": None}}])),
        "tool_choice": st.sampled_from([None, "auto", "any", "required", "none", "x", {"type": "function"}]),
        "stop": ODD,
        "stream": ODD,
        "stream_options": st.sampled_from([None, {}, {"include_usage": True}, {"include_usage": None}, {"more": 1}]),
        "max_tokens": ODD,
        "max_completion_tokens": ODD,
        "temperature": ODD,
        "user": ODD,
        "reasoning_effort": ODD,
        "reasoning": ODD,
        "response_format": st.sampled_from([None, {"type": "text"}]),
        "more": ODD,
    },
}


@DIALECT
@given(data=st.data())
def test_any_mixture_of_fields_is_read_alike(dialect: str, data: st.DataObject) -> None:
    messages = data.draw(st.lists(MESSAGES[dialect], max_size=4))
    fields = data.draw(st.fixed_dictionaries({}, optional=FIELDS[dialect]))
    few = dict(data.draw(st.lists(st.sampled_from(sorted(fields.items(), key=repr)), max_size=3))) if fields else {}
    body = json.encode({"model": "m", "messages": messages, **few})
    assert reads_alike(dialect, codec_of(dialect).read_request, body)


OPENAI_REPLIES: Any = st.fixed_dictionaries(
    {
        "choices": st.lists(
            st.fixed_dictionaries(
                {
                    "message": st.fixed_dictionaries(
                        {"role": st.sampled_from(["assistant", "user", None])},
                        optional={
                            "content": st.one_of(ODD, st.lists(OPENAI_PARTS, max_size=2)),
                            "tool_calls": st.one_of(ODD, st.lists(OPENAI_CALLS, max_size=2)),
                            "annotations": st.sampled_from([None, [], [{"type": "new"}]]),
                            "refusal": st.sampled_from([None, "", "no"]),
                            "reasoning_content": st.sampled_from([None, "", "t"]),
                            "reasoning": st.sampled_from([None, "", "t"]),
                        },
                    )
                },
                optional={
                    "index": st.sampled_from([None, 0, 3, "x"]),
                    "finish_reason": st.sampled_from([None, "", "stop", "tool_calls", "new"]),
                    "logprobs": st.sampled_from([None, {}, {"content": []}]),
                },
            ),
            max_size=2,
        )
    },
    optional={
        "id": st.sampled_from([None, "", "chatcmpl-1", "gen-1", 1]),
        "model": st.sampled_from([None, "m"]),
        "object": ODD,
        "created": st.sampled_from([None, 0, 1.5, "x", 2**60 + 1]),
        "service_tier": st.sampled_from([None, "default"]),
        "system_fingerprint": st.sampled_from([None, "f"]),
        "usage": st.sampled_from([None, {}, {"prompt_tokens": 1}, {"prompt_tokens": "x"}, []]),
        "error": st.sampled_from([None, {"message": "no"}]),
    },
)
ANTHROPIC_COUNTS: Any = st.fixed_dictionaries(
    {},
    optional={
        "input_tokens": ODD,
        "output_tokens": st.sampled_from([None, -1, 0, 3, 2.5, True]),
        "output_tokens_details": st.sampled_from([None, 1, {}, {"thinking_tokens": 1}, {"thinking_tokens": 1.5}]),
    },
)
ANTHROPIC_REPLIES: Any = st.fixed_dictionaries(
    {"content": st.one_of(ODD, st.lists(st.one_of(ANTHROPIC_BLOCKS, ANTHROPIC_WHOLE_BLOCKS), max_size=3))},
    optional={
        "id": st.sampled_from([None, "", "msg_1", 1]),
        "type": st.sampled_from([None, "message", "error", "new"]),
        "role": ODD,
        "model": st.sampled_from([None, "m"]),
        "stop_reason": st.sampled_from([None, "end_turn", "tool_use", "", "new"]),
        "stop_sequence": ODD,
        "usage": st.one_of(ODD, ANTHROPIC_COUNTS),
        "container": st.sampled_from([None, {"id": "c"}]),
    },
)
REPLIES: dict[str, Any] = {"openai_chat": OPENAI_REPLIES, "anthropic": ANTHROPIC_REPLIES}


@DIALECT
@given(data=st.data())
def test_any_mixture_of_fields_of_an_answer_is_read_alike(dialect: str, data: st.DataObject) -> None:
    assert reads_alike(dialect, codec_of(dialect).read_reply, json.encode(data.draw(REPLIES[dialect])))


def taken(dialect: str, name: str, body: bytes) -> bool:
    module, _ = SHORT_WAYS[dialect]
    read: Callable[[bytes], object] = getattr(module, name)
    return read(body) is not None


@DIALECT
def test_the_short_way_is_taken_by_plain_conversations(dialect: str) -> None:
    for what in ("request", "reply"):
        plain = [one.name for one in told_in(dialect) if taken(dialect, f"decode_{what}", one.file(dialect, what))]
        assert {"plain_text", "one_tool_call"} <= set(plain)
