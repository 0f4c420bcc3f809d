"""Through the core and back, recorded traffic is JSON-equal but for a few spellings that mean the same.

Of a request, of any dialect:
    a null field and no field; `"x"` and `[{"type":"text","text":"x"}]`; a blank text beside others, or alone, and none;
    an empty list of tools and none, and then the choice of them; `"stream": false` and none.
Of an OpenAI request: `max_tokens` and `max_completion_tokens`; `"stop": "x"` and `["x"]`; arguments `""` and `"{}"`;
    a named choice with and without its type; `stream_options.include_usage`, which is always asked for in a stream.
Of a request for a response: `"input": "x"` and a list of one message that says it; a message that says nothing, beside
    what else its side says, and none.
Of those of Gemini: see support/gemini_spellings.py.
Of those of Bedrock: see support/bedrock_spellings.py.
Of an answer: a null field and no field; arguments that are not there, `""` and `"{}"`; a choice without a message and
    one that has nothing but its role; a response without tools and the choice of them, and one with none and "auto".
"""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from msgspec.structs import replace

from isthmus.catalog.lookup import profile_of
from isthmus.core.content import ToolCall
from isthmus.core.errors import GatewayError
from isthmus.core.events import StreamError
from isthmus.core.fold import fold
from isthmus.core.losses import Losses
from isthmus.core.profile import ModelProfile
from isthmus.core.reply import ChatReply
from isthmus.dialects.codec import ReplyHead
from isthmus.wire import json
from support import bedrock_spellings, gemini_spellings
from support.recordings import Record, check_each, records
from support.specimens import ABLE, CREATED, bare, codec_of, dated
from support.streams import events_of, stream_of

pytestmark = pytest.mark.recordings
Count = Callable[[str, int], None]
WORD_FOR_WORD = frozenset({"parameters", "schema", "input_schema", "input", "json_schema"})
"""Fields whose nulls are part of what they say."""

PLAIN: Mapping[str, Callable[[bytes], Any]] = {
    "bedrock": bedrock_spellings.plain_request,
    "gemini": gemini_spellings.plain_request,
}


def test_requests_are_written_as_they_came(dialect: str, count: Count) -> None:
    codec = codec_of(dialect)

    def check(record: Record) -> None:
        assert record.request is not None
        try:
            read = codec.read_request(record.request)
        except GatewayError:
            assert record.status == 400
            return
        losses = Losses()
        written = codec.write_request(read, able(record), losses)
        plain = PLAIN.get(record.dialect, plain_request)
        assert plain(written) == plain(record.request)
        assert losses.found == []

    count("requests round", check_each((one for one in records(dialect) if one.request), check))


def test_answers_are_written_as_they_came(dialect: str, count: Count) -> None:
    codec = codec_of(dialect)
    chosen = (one for one in records(dialect) if one.whole and "error_in_200" not in one.features)

    def check(record: Record) -> None:
        losses = Losses()
        written = codec.write_reply(codec.read_reply(record.answer), losses)
        plain = gemini_spellings.plain_answer if record.dialect == "gemini" else plain_answer
        assert plain(written) == plain(record.answer)
        assert losses.found == []

    count("answers round", check_each(chosen, check))


def test_streams_say_the_same_when_written_again(dialect: str, count: Count) -> None:
    """Chunks are spelled anew, so what is compared is the folded answer. Only arguments "" become "{}"."""
    codec = codec_of(dialect)

    def check(record: Record) -> None:
        events, losses = events_of(codec, [record.answer]), Losses()
        if isinstance(events[-1], StreamError):
            return
        answer = fold(events)
        again = stream_of(codec, ReplyHead(answer.model, answer.created or CREATED), events, losses)
        assert bare(dated(fold(events_of(codec, [again])))) == with_arguments(bare(dated(answer)))
        assert losses.found == []

    count("streams round", check_each((one for one in records(dialect) if one.streamed), check))


def with_arguments(reply: ChatReply) -> ChatReply:
    def whole(part: object) -> object:
        return replace(part, arguments="{}") if isinstance(part, ToolCall) and not part.arguments else part

    candidates = [replace(one, parts=tuple(map(whole, one.parts))) for one in reply.candidates]
    return replace(reply, candidates=tuple(candidates))


def able(record: Record) -> ModelProfile:
    """The model that the request was made for: which role it calls its system, and where it takes thinking."""
    profile = ABLE[record.dialect]
    if record.dialect == "bedrock":
        return replace(profile, maker=profile_of("bedrock", record.model).maker)
    if record.status == 400:
        return replace(profile, max_temperature=1000.0)
    if record.dialect != "openai_chat":
        return profile
    messages = json.decode(record.request or b"{}")["messages"]
    if any(message["role"] == "developer" for message in messages):
        profile = replace(profile, system_role="developer")
    field = next((name for name in ("reasoning_content", "reasoning") if any(name in one for one in messages)), None)
    return profile if field is None else replace(profile, reasoning_field=field)


def plain_request(body: bytes) -> dict[str, Any]:
    plain: dict[str, Any] = without_nulls(json.decode(body))
    for message in plain.get("messages", ()):
        plain_message(message)
    if "input" in plain:
        plain["input"] = plain_input(plain["input"])
    if not plain.get("tools") and "additional_tools" not in (item.get("type") for item in plain.get("input", ())):
        plain = {name: value for name, value in plain.items() if name not in ("tools", "tool_choice")}
        plain.pop("parallel_tool_calls", None)
    if not plain.get("stream", True):
        del plain["stream"]
    if "max_tokens" in plain:
        plain["max_completion_tokens"] = plain.pop("max_tokens")
    if isinstance(plain.get("stop"), str):
        plain["stop"] = [plain["stop"]]
    if isinstance(choice := plain.get("tool_choice"), dict) and "function" in choice:
        choice["type"] = "function"
    if plain.get("stream"):
        plain["stream_options"] = {**plain.get("stream_options", {}), "include_usage": True}
    if "system" in plain and (system := plain_content(plain.pop("system"))):
        plain["system"] = system
    return plain


def plain_input(items: Any) -> list[Any]:
    """The items, each with what it says as short as it can be."""
    listed = [{"role": "user", "content": items}] if isinstance(items, str) else list(map(without_nulls, items))
    for item in listed:
        name = "output" if item.get("type", "").endswith("_output") else "content"
        match item.get(name):
            case [{"type": "input_text" | "output_text", "text": str(text), **more}] if not any(more.values()):
                item[name] = text
    return [item for item in listed if item != {"role": "assistant", "content": ""} and item.get("content") != ""]


def plain_message(message: dict[str, Any]) -> None:
    content = plain_content(message.pop("content", None))
    if content:
        message["content"] = content
    for call in message.get("tool_calls", ()):
        if "function" in call:
            call["function"]["arguments"] = call["function"].get("arguments") or "{}"


def plain_content(content: Any) -> Any:
    if not isinstance(content, list):
        return content
    kept = [part for part in content if part != {"type": "text", "text": ""}]
    for part in kept:
        if isinstance(part, dict) and part.get("type") == "tool_result":
            plain_message(part)
    match kept:
        case [{"type": "text", "text": text, **more}] if not more:
            return text
    return kept


def plain_answer(body: bytes) -> dict[str, Any]:
    plain: dict[str, Any] = without_nulls(json.decode(body))
    if plain.get("object") == "response":
        plain = {"parallel_tool_calls": True, "tool_choice": "auto", "tools": [], **plain}
    for choice in plain.get("choices", ()):
        message = choice.setdefault("message", {"role": "assistant"})
        for call in message.get("tool_calls", ()):
            if "function" in call:
                call["function"]["arguments"] = call["function"].get("arguments") or "{}"
    return plain


def without_nulls(value: Any) -> Any:
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    if isinstance(value, Mapping):
        told = {name: item for name, item in value.items() if item is not None}
        return {name: item if name in WORD_FOR_WORD else without_nulls(item) for name, item in told.items()}
    return value
