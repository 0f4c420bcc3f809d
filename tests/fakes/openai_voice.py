"""The scripted provider speaking OpenAI chat completions: whole answers, event streams and errors."""

import itertools
import json
from collections.abc import Iterator, Mapping
from typing import Any

from fakes.openai_habits import HABITS
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
    Thought,
    Words,
)
from fakes.wire import Piece, Reply, Reset, Stream, Whole, broken, cut_up, encode

_NUMBERS = itertools.count(1)
CREATED = 1_790_000_000
FINISH = {"stop": "stop", "calls": "tool_calls", "length": "length", "word": "stop", "refused": "stop"}
HEADERS = {
    "x-request-id": "req_scripted",
    "openai-processing-ms": "12",
    "x-ratelimit-remaining-requests": "99",
    "set-cookie": "tracker=1",
}
USAGE = {
    "prompt_tokens": TOKENS.fresh + TOKENS.read,
    "completion_tokens": TOKENS.visible + TOKENS.thought,
    "total_tokens": TOKENS.fresh + TOKENS.read + TOKENS.visible + TOKENS.thought,
    "prompt_tokens_details": {"cached_tokens": TOKENS.read, "audio_tokens": 0},
    "completion_tokens_details": {
        "reasoning_tokens": TOKENS.thought,
        "audio_tokens": 0,
        "accepted_prediction_tokens": 0,
        "rejected_prediction_tokens": 0,
    },
}


def answer(act: Act, talk: Conversation) -> Reply:
    match act:
        case Failure():
            body = error_body(act.message, act.kind[0], code=act.code)
            return Whole(act.status, body, {**HEADERS, **act.headers}, late=act.late)
        case Broken():
            hello = encode(_whole(Answer((Words("cut off"),)), talk))
            return broken(act.how, error_body("The scripted provider says 200 and means 500.", "server_error"), hello)
        case Answer() if talk.stream and not act.unstreamed:
            return Stream(_stream(act, talk), HEADERS, act.late, act.crumb)
        case Answer() if act.cut == "reset":
            return Reset()
        case _:
            return Whole(200, encode(_whole(act, talk)), HEADERS, late=act.late)


def error_body(message: str, kind: str, *, param: str | None = None, code: str | None = None) -> bytes:
    return encode({"error": {"message": message, "type": kind, "param": param, "code": code}})


def _whole(act: Answer, talk: Conversation) -> dict[str, Any]:
    count = talk.body.get("n") or 1
    body = {
        "id": _new_id(),
        "object": "chat.completion",
        "created": CREATED,
        "model": talk.model,
        "choices": [_choice(act, talk, index) for index in range(count)],
        "usage": USAGE,
        "service_tier": "default",
        "system_fingerprint": "fp_scripted",
    }
    if act.odd:
        HABITS[act.odd](body)
    return body


def _new_id() -> str:
    """Clients join turns by the ids of their answers, so no two answers may share one."""
    return f"chatcmpl-scripted{next(_NUMBERS):06}"


def _choice(act: Answer, talk: Conversation, index: int) -> dict[str, Any]:
    text = _joined(act, Words)
    message: dict[str, Any] = {
        "role": "assistant",
        "content": _numbered(text, index) if text else None,
        "refusal": _joined(act, Denial) or None,
        "annotations": [],
    }
    if thoughts := _joined(act, Thought):
        message["reasoning_content"] = thoughts
    if calls := [part for part in act.parts if isinstance(part, Call)]:
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in calls
        ]
    shown = (
        {"content": [_logprob(piece) for piece in cut_up(text)], "refusal": None} if talk.body.get("logprobs") else None
    )
    return {"index": index, "message": message, "logprobs": shown, "finish_reason": FINISH[act.stop]}


def _numbered(text: str, index: int) -> str:
    return text if index == 0 else f"{text} ({index})"


def _joined(act: Answer, kind: type[Words] | type[Thought] | type[Denial]) -> str:
    return "".join(part.text for part in act.parts if isinstance(part, kind))


def _logprob(piece: str) -> dict[str, Any]:
    data = list(piece.encode())
    return {
        "token": piece,
        "logprob": -0.25,
        "bytes": data,
        "top_logprobs": [{"token": piece, "logprob": -0.25, "bytes": data}],
    }


def _stream(act: Answer, talk: Conversation) -> Iterator[Piece | Reset]:
    options = talk.body.get("stream_options") or {}
    answer_id = _new_id()
    wants_usage = bool(options.get("include_usage"))

    def event(choices: list[dict[str, Any]], *, wait: float = 0.0, usage: Mapping[str, Any] | None = None) -> Piece:
        chunk: dict[str, Any] = {
            "id": answer_id,
            "object": "chat.completion.chunk",
            "created": CREATED,
            "model": talk.model,
            "service_tier": "default",
            "system_fingerprint": "fp_scripted",
            "choices": choices,
        }
        if wants_usage:
            chunk["usage"] = usage
        if act.odd:
            HABITS[act.odd](chunk)
        return Piece(b"data: " + encode(chunk) + b"\n\n", wait)

    count = talk.body.get("n") or 1
    for index in range(count):
        yield event([_delta(index, {"role": "assistant", "content": "", "refusal": None})], wait=act.before)
    for index in range(count):
        for spoken, delta in enumerate(_deltas(act, talk, index)):
            if act.cut and spoken == act.words:
                yield from _cut(act.cut)
                return
            yield event([delta], wait=act.between)
        yield event([_delta(index, {}, FINISH[act.stop])])
    if wants_usage and act.odd != "no-usage":
        yield event([], usage=USAGE)
    yield Piece(b"data: [DONE]\n\n")


def _cut(how: str) -> Iterator[Piece | Reset]:
    if how == "reset":
        yield Reset()
    elif how in MIDSTREAM_ERRORS:
        yield Piece(b"data: " + error_body(MIDSTREAM_ERRORS[how], "server_error") + b"\n\n")


def _delta(index: int, delta: dict[str, Any], finish: str | None = None, logprobs: Any = None) -> dict[str, Any]:
    return {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish}


def _deltas(act: Answer, talk: Conversation, index: int) -> Iterator[dict[str, Any]]:
    place = 0
    for part in act.parts:
        match part:
            case Words():
                for piece in cut_up(_numbered(part.text, index), 5 if act.between else 7):
                    shown = {"content": [_logprob(piece)], "refusal": None} if talk.body.get("logprobs") else None
                    yield _delta(index, {"content": piece}, logprobs=shown)
            case Thought():
                for piece in cut_up(part.text):
                    yield _delta(index, {"reasoning_content": piece})
            case Denial():
                for piece in cut_up(part.text):
                    yield _delta(index, {"refusal": piece})
            case Call():
                head = {
                    "index": place,
                    "id": part.id,
                    "type": "function",
                    "function": {"name": part.name, "arguments": ""},
                }
                yield _delta(index, {"tool_calls": [head]})
                for piece in cut_up(part.arguments, 3):
                    yield _delta(index, {"tool_calls": [{"index": place, "function": {"arguments": piece}}]})
                place += 1


def models(names: list[str]) -> bytes:
    entries = [{"id": name, "object": "model", "created": CREATED, "owned_by": "scripted"} for name in names]
    return json.dumps({"object": "list", "data": entries}).encode()


def model(name: str) -> bytes:
    return json.dumps({"id": name, "object": "model", "created": CREATED, "owned_by": "scripted"}).encode()
