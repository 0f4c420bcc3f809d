"""The scripted provider speaking Anthropic messages: whole answers, event streams and errors."""

import base64
import hashlib
import itertools
import json
from collections.abc import Iterator
from typing import Any

from fakes.scripts import (
    MIDSTREAM_ERRORS,
    TOKENS,
    Act,
    Answer,
    Broken,
    Call,
    Conversation,
    Denial,
    Failure,
    Part,
    Thought,
    Words,
)
from fakes.wire import Piece, Reply, Reset, Stream, Whole, broken, cut_up, encode

_NUMBERS = itertools.count(1)
STOP = {"stop": "end_turn", "calls": "tool_use", "length": "max_tokens", "word": "stop_sequence", "refused": "refusal"}
HEADERS = {
    "request-id": "req_011scripted",
    "anthropic-ratelimit-requests-remaining": "99",
    "anthropic-organization-id": "org-scripted",
    "set-cookie": "tracker=1",
}
USAGE = {
    "input_tokens": TOKENS.fresh,
    "cache_creation_input_tokens": TOKENS.written,
    "cache_read_input_tokens": TOKENS.read,
    "cache_creation": {"ephemeral_5m_input_tokens": TOKENS.written, "ephemeral_1h_input_tokens": 0},
    "output_tokens": TOKENS.visible + TOKENS.thought,
    "output_tokens_details": {"thinking_tokens": TOKENS.thought},
    "service_tier": "standard",
}


def sign(thought: str) -> str:
    """The signature this provider gives to a thought, and wants back with it."""
    return base64.b64encode(hashlib.sha256(b"scripted" + thought.encode()).digest() * 3).decode()


def answer(act: Act, talk: Conversation) -> Reply:
    match act:
        case Failure():
            body = error_body(act.message, act.kind[1])
            return Whole(act.status, body, {**HEADERS, **act.headers}, late=act.late)
        case Broken():
            hello = encode(_whole(Answer((Words("cut off"),)), talk))
            return broken(act.how, error_body("The scripted provider says 200 and means 500.", "api_error"), hello)
        case Answer() if talk.stream and not act.unstreamed:
            return Stream(_stream(act, talk), HEADERS, act.late, act.crumb)
        case Answer() if act.cut == "reset":
            return Reset()
        case _:
            return Whole(200, encode(_whole(act, talk)), HEADERS, late=act.late)


def error_body(message: str, kind: str, **details: str) -> bytes:
    error = {"type": kind, "message": message, **({"details": details} if details else {})}
    return encode({"type": "error", "error": error, "request_id": "req_011scripted"})


def _parts(act: Answer, talk: Conversation) -> list[Part]:
    """Thoughts come only to who asked for them, and without their text where that is to be left out."""
    thinking = talk.body.get("thinking") or {"type": "disabled"}
    if thinking["type"] == "disabled":
        return [part for part in act.parts if not isinstance(part, Thought)]
    if thinking.get("display") == "omitted":
        return [Thought("") if isinstance(part, Thought) else part for part in act.parts]
    return list(act.parts)


def _block(part: Part) -> dict[str, Any]:
    match part:
        case Words() | Denial():
            return {"type": "text", "text": part.text}
        case Thought():
            return {"type": "thinking", "thinking": part.text, "signature": sign(part.text)}
        case Call():
            return {"type": "tool_use", "id": part.id, "name": part.name, "input": json.loads(part.arguments)}


def _word(act: Answer, talk: Conversation) -> str | None:
    return (talk.body.get("stop_sequences") or [None])[0] if act.stop == "word" else None


def _whole(act: Answer, talk: Conversation) -> dict[str, Any]:
    return {
        "id": f"msg_01Scripted{next(_NUMBERS):06}",
        "type": "message",
        "role": "assistant",
        "model": talk.model,
        "content": [_block(part) for part in _parts(act, talk)],
        "stop_reason": STOP[act.stop],
        "stop_sequence": _word(act, talk),
        "usage": USAGE,
    }


def _event(body: dict[str, Any], wait: float = 0.0) -> Piece:
    return Piece(f"event: {body['type']}\n".encode() + b"data: " + encode(body) + b"\n\n", wait)


def _stream(act: Answer, talk: Conversation) -> Iterator[Piece | Reset]:
    opened = {**_whole(act, talk), "content": [], "stop_reason": None, "stop_sequence": None}
    opened["usage"] = {**USAGE, "output_tokens": 1}
    yield _event({"type": "message_start", "message": opened}, act.before)
    if act.cut and not act.words:
        yield from _cut(act.cut)
        return
    spoken = 0
    for index, part in enumerate(_parts(act, talk)):
        yield _event({"type": "content_block_start", "index": index, "content_block": _hollow(part)})
        if index == 0:
            yield _event({"type": "ping"})
        for delta in _deltas(part, 5 if act.between else 7):
            if act.cut and spoken == act.words:
                yield from _cut(act.cut)
                return
            spoken += 1
            yield _event({"type": "content_block_delta", "index": index, "delta": delta}, act.between)
        yield _event({"type": "content_block_stop", "index": index})
    ending = {"stop_reason": STOP[act.stop], "stop_sequence": _word(act, talk)}
    yield _event({"type": "message_delta", "delta": ending, "usage": USAGE})
    yield _event({"type": "message_stop"})


def _cut(how: str) -> Iterator[Piece | Reset]:
    if how == "reset":
        yield Reset()
    elif how in MIDSTREAM_ERRORS:
        yield Piece(b"event: error\ndata: " + error_body(MIDSTREAM_ERRORS[how], "overloaded_error") + b"\n\n")


def _hollow(part: Part) -> dict[str, Any]:
    block = _block(part)
    empty: dict[str, Any] = {"text": "", "thinking": "", "signature": "", "input": {}}
    return {name: empty.get(name, value) for name, value in block.items()}


def _deltas(part: Part, size: int) -> Iterator[dict[str, Any]]:
    match part:
        case Words() | Denial():
            for piece in cut_up(part.text, size):
                yield {"type": "text_delta", "text": piece}
        case Thought():
            for piece in cut_up(part.text, size) if part.text else ():
                yield {"type": "thinking_delta", "thinking": piece}
            yield {"type": "signature_delta", "signature": sign(part.text)}
        case Call():
            yield {"type": "input_json_delta", "partial_json": ""}
            if part.arguments != "{}":
                for piece in cut_up(part.arguments, 3):
                    yield {"type": "input_json_delta", "partial_json": piece}


def models(names: list[str]) -> bytes:
    entries = [_entry(name) for name in names]
    ends = {"first_id": names[0], "last_id": names[-1], "has_more": False}
    return json.dumps({"data": entries, **ends}).encode()


def model(name: str) -> bytes:
    return json.dumps(_entry(name)).encode()


def _entry(name: str) -> dict[str, Any]:
    return {"type": "model", "id": name, "display_name": name, "created_at": "2026-01-01T00:00:00Z"}
