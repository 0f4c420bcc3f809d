"""One whole answer of POST /v1/chat/completions, read from any host that resembles it and written for OpenAI clients.

Source: the OpenAI API reference, "The chat completion object".
"""

from collections.abc import Sequence
from typing import Any

from msgspec import Raw
from msgspec.structs import replace

from isthmus.core.content import Media, Part, Reasoning, Refusal, Text, ToolCall, only_text
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.ids import without_prefix
from isthmus.core.losses import Losses
from isthmus.core.profile import ModelProfile
from isthmus.core.reply import Candidate, ChatReply
from isthmus.core.usage import Usage
from isthmus.core.value import Extra, Foreign
from isthmus.dialects.openai import CHAT
from isthmus.dialects.openai.chat import plain, thinking
from isthmus.dialects.openai.chat.calls import is_call, write_calls
from isthmus.dialects.openai.chat.citations import cite, write_citation
from isthmus.dialects.openai.chat.content import Host, is_thinking_part, write_content
from isthmus.dialects.openai.chat.extras import empties, fields_of, is_ours, keep, restore
from isthmus.dialects.openai.chat.messages import read_turn
from isthmus.dialects.openai.chat.shapes import read_outline
from isthmus.dialects.openai.chat.usage import read_finish, usage_of, write_finish, write_usage
from isthmus.dialects.openai.errors import told_error
from isthmus.wire import json
from isthmus.wire.json import DECODE_ERRORS, Fields, Malformed

PREFIX = "chatcmpl-"
_HOLLOW = ("content", "refusal", "tool_calls", "annotations", *thinking.NAMES)
_LISTED = Extra(CHAT, {})
"""Marks texts that stood in a list, so that they go back into one."""


def read_reply(body: bytes) -> ChatReply:
    """The answer in `body`. Raises GARBLED for what is none, and the told error for an error in a good status."""
    if (known := plain.decode_reply(body)) is not None:
        return _read_plain(known)
    try:
        fields = json.document(body)
        if fields.look("error") is not None:
            raise told_error(body)
        choices = fields.raw("choices")
        if choices is None:
            raise Malformed("choices is missing", "choices")
        return _read(fields, json.read_items(choices, "choices"))
    except Malformed as error:
        raise _garbled(error.message) from error


def tap_reply(body: bytes) -> Usage | None:
    """The usage in an answer that is passed through. Raises as `read_reply` does."""
    try:
        outline = read_outline(body)
    except DECODE_ERRORS as error:
        raise _garbled(str(error)) from error
    if outline.error is not None:
        raise told_error(body)
    if outline.choices is None:
        raise _garbled("choices is missing")
    try:
        return _usage(outline.usage)
    except Malformed as error:
        raise _garbled(error.message) from error


def _usage(body: Raw) -> Usage | None:
    """None where it is null. A copy is kept, and not all of the answer."""
    if body == json.NULL:
        return None
    if not plain.is_object(body):
        raise Malformed("usage is not an object", "usage")
    return usage_of(body.copy())


def _garbled(reason: str) -> GatewayError:
    return GatewayError(Kind.GARBLED, f"the provider's answer is not a chat completion: {reason}")


def _read_plain(said: plain.PlainReply) -> ChatReply:
    told = (("service_tier", said.service_tier), ("system_fingerprint", said.system_fingerprint))
    left = {name: value for name, value in told if value != json.NULL}
    id_ = said.id or ""
    return ChatReply(
        id=id_,
        model=said.model or "",
        candidates=tuple(map(_read_plain_choice, said.choices)),
        usage=_usage(said.usage),
        created=None if said.created is None else int(said.created),
        extra=Extra(CHAT, left) if left or not id_.startswith(PREFIX) else None,
    )


def _read_plain_choice(said: plain.PlainChoice) -> Candidate:
    message = said.message
    hollow = {"message.annotations": message.annotations} if message.annotations == plain.NO_ITEMS else None
    return Candidate(
        parts=plain.answer_of(message),
        finish=read_finish(said.finish_reason, called=message.tool_calls is not None),
        logprobs=None if said.logprobs == json.NULL else Foreign(CHAT, said.logprobs),
        extra=None if hollow is None else Extra(CHAT, hollow),
    )


def _read(fields: Fields, choices: Sequence[Raw]) -> ChatReply:
    id_, created = fields.text("id") or "", fields.number("created")
    fields.text("object")
    usage = fields.raw("usage") or json.NULL
    return ChatReply(
        id=id_,
        model=fields.text("model") or "",
        candidates=tuple(_read_choice(item, f"choices[{number}]", id_) for number, item in enumerate(choices)),
        usage=_usage(usage),
        created=None if created is None else int(created),
        extra=reply_extra(fields, id_),
    )


def reply_extra(fields: Fields, id_: str) -> Extra | None:
    """The leftovers of a reply, or of the first chunk of one; never None where its id is not OpenAI's own,

    which tells the writer to leave the id as it is.
    """
    return fields.rest(CHAT) or (None if id_.startswith(PREFIX) else Extra(CHAT, {}))


def shown_id(id_: str, extra: Extra | None) -> str:
    """The id with this dialect's prefix in place of another's; one that came from this dialect is left as it is."""
    if is_ours(extra) or id_.startswith(PREFIX):
        return id_
    return PREFIX + without_prefix(id_)


def _read_choice(item: Raw, path: str, reply_id: str) -> Candidate:
    fields = Fields(item, path)
    fields.integer("index")
    word, logprobs = fields.look("finish_reason"), fields.raw("logprobs")
    said = fields.raw("message")
    inner = Fields(said, fields.at("message")) if said is not None else None
    hollow = {} if inner is None else empties(inner, _HOLLOW, "message.")
    parts = () if inner is None else _read_message(inner, reply_id, path)
    finish = None
    if word is None or bytes(word) != b'""':
        called = any(isinstance(part, ToolCall) for part in parts)
        finish = read_finish(fields.text("finish_reason"), called=called)
    left = {**hollow, **fields_of(keep(fields, inner, "message"))}
    return Candidate(
        parts=parts,
        finish=finish,
        logprobs=None if logprobs is None else Foreign(CHAT, logprobs),
        extra=Extra(CHAT, left) if left else None,
    )


def _read_message(message: Fields, *seeds: object) -> tuple[Part, ...]:
    if (role := message.look("role")) is not None and bytes(role) == b'"assistant"':
        message.raw("role")
    listed = (content := message.look("content")) is not None and not json.is_text(content)
    parts = tuple(part for part in read_turn(message, *seeds) if part != Text(""))
    if listed and sum(isinstance(part, Text) for part in parts) > 1:
        parts = tuple(replace(part, extra=part.extra or _LISTED) if isinstance(part, Text) else part for part in parts)
    items = message.look("annotations")
    path = message.at("annotations")
    if items is not None and (cited := cite(parts, json.read_items(items, path), path)) is not None:
        message.raw("annotations")
        return cited
    return parts


def write_reply(reply: ChatReply, losses: Losses) -> bytes:
    """The body of the answer for an OpenAI client."""
    candidates = enumerate(reply.candidates)
    document: dict[str, Any] = {
        "id": shown_id(reply.id, reply.extra),
        "object": "chat.completion",
        "created": reply.created or 0,
        "model": reply.model,
        "choices": [_write_candidate(candidate, number, losses) for number, candidate in candidates],
    }
    if reply.usage is not None:
        document["usage"] = write_usage(reply.usage)
    restore(document, reply.extra, "", losses)
    return json.encode(document)


def _write_candidate(candidate: Candidate, number: int, losses: Losses) -> dict[str, Any]:
    path = f"candidates[{number}]"
    called = any(isinstance(part, ToolCall) for part in candidate.parts)
    document: dict[str, Any] = {
        "index": number,
        "message": _write_message(candidate.parts, path, losses),
        "logprobs": write_logprobs(candidate.logprobs, path, losses),
        "finish_reason": write_finish(candidate.finish, called=called, path=path, losses=losses),
    }
    restore(document, candidate.extra, path, losses)
    return document


def write_logprobs(logprobs: Foreign | None, path: str, losses: Losses) -> Raw | None:
    if logprobs is None or logprobs.dialect == CHAT:
        return None if logprobs is None else logprobs.body
    losses.drop(f"{path}.logprobs", f"log probabilities in the form of {logprobs.dialect}")
    return None


def _write_message(parts: Sequence[Part], path: str, losses: Losses) -> dict[str, Any]:
    if (words := only_text(parts)) is not None:  # most answers
        return {"role": "assistant", "content": words, "refusal": None}
    said: list[Part] = []
    calls: list[tuple[ToolCall | Foreign, str]] = []
    for number, part in enumerate(parts):
        at = f"{path}.parts[{number}]"
        if isinstance(part, ToolCall) or (isinstance(part, Foreign) and part.dialect == CHAT and is_call(part)):
            calls.append((part, at))
        elif isinstance(part, Media):
            losses.drop(at, f"a reply of this dialect holds no {part.kind}")
        elif isinstance(part, Foreign) and part.dialect != CHAT:
            losses.drop(at, f"only {part.dialect} knows this item")
        else:
            said.append(part)
    document: dict[str, Any] = {"role": "assistant", "content": _write_said(said, path, losses)}
    document["refusal"] = "".join(part.text for part in said if isinstance(part, Refusal)) or None
    thoughts = [part for part in said if isinstance(part, Reasoning) and not is_thinking_part(part)]
    document.update(thinking.write_thinking(thoughts))
    if annotations := _write_annotations(said, path, losses):
        document["annotations"] = annotations
    if calls:
        document["tool_calls"] = write_calls(calls, losses)
    return document


_ABLE = ModelProfile()


def _write_said(said: Sequence[Part], path: str, losses: Losses) -> object:
    """The content: one string, or a list where it was read from one that says more."""
    spoken = [part for part in said if isinstance(part, Text | Foreign) or is_thinking_part(part)]
    if any(not isinstance(part, Text) or is_ours(part.extra) for part in spoken):
        bare = [replace(part, citations=()) if isinstance(part, Text) else part for part in spoken]
        return write_content(bare, path, Host(_ABLE, losses))
    texts = [part.text for part in spoken if isinstance(part, Text)]
    return "".join(texts) if texts else None


def _write_annotations(said: Sequence[Part], path: str, losses: Losses) -> list[dict[str, Any] | Raw]:
    found: list[dict[str, Any] | Raw] = []
    start = 0
    for part in said:
        if isinstance(part, Text):
            for citation in part.citations:
                written = write_citation(citation, start=start, length=len(part.text), path=path, losses=losses)
                if written is not None:
                    found.append(written)
            start += len(part.text)
    return found
