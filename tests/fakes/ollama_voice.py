"""The scripted provider speaking Ollama's chat: whole answers, lines of JSON and errors.

Source: docs.ollama.com/api/chat, /api/errors, /api/usage, /capabilities/tool-calling.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from fakes.ollama_judge import GIVEN, canonical
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

DONE = {"stop": "stop", "calls": "stop", "length": "length", "word": "stop", "refused": "stop"}
COUNTS = {
    "total_duration": 5_191_566_416,
    "load_duration": 2_154_458,
    "prompt_eval_count": TOKENS.fresh + TOKENS.read,
    "prompt_eval_duration": 383_809_000,
    "eval_count": TOKENS.visible + TOKENS.thought,
    "eval_duration": 4_799_921_000,
}


def continues(act: Act, talk: Conversation) -> Reply:
    """As `answer` does, in the shape of a prompt that is continued."""
    match answer(act, talk):
        case Whole(status=200) as whole if b'"message"' in whole.body:
            return replace(whole, body=_flat(whole.body))
        case Stream() as stream:
            return replace(stream, steps=(_flat_step(step) for step in stream.steps))
        case other:
            return other


def _flat_step(step: Piece | Reset) -> Piece | Reset:
    return replace(step, data=_flat(step.data) + b"\n") if isinstance(step, Piece) else step


def _flat(line: bytes) -> bytes:
    body = json.loads(line)
    message = body.pop("message", None)
    if message is not None:
        body["response"] = message.pop("content")
        body |= {name: value for name, value in message.items() if name == "thinking"}
    return encode(body)


def answer(act: Act, talk: Conversation) -> Reply:
    match act:
        case Failure():
            return Whole(act.status, error_body(act.message), act.headers, late=act.late)
        case Broken():
            hello = encode(_line(talk, Answer((Words("cut off"),)).parts, "stop"))
            return broken(act.how, error_body("The scripted provider says 200 and means 500."), hello)
        case Answer() if talk.stream and not act.unstreamed:
            return Stream(_stream(act, talk), {}, act.late, act.crumb, "application/x-ndjson")
        case Answer() if act.cut == "reset":
            return Reset()
        case _:
            return Whole(200, encode(_line(talk, _shown(act, talk), DONE[act.stop])), late=act.late)


def error_body(message: str) -> bytes:
    return encode({"error": message})


def _shown(act: Answer, talk: Conversation) -> tuple[Part, ...]:
    """Thoughts come only to who asked for them."""
    return tuple(part for part in act.parts if talk.body.get("think") or not isinstance(part, Thought))


def _line(talk: Conversation, parts: tuple[Part, ...], done: str | None) -> dict[str, Any]:
    message: dict[str, Any] = {
        "role": "assistant",
        "content": "".join(part.text for part in parts if isinstance(part, Words | Denial)),
    }
    if thoughts := "".join(part.text for part in parts if isinstance(part, Thought)):
        message["thinking"] = thoughts
    if calls := [part for part in parts if isinstance(part, Call)]:
        message["tool_calls"] = [_call(call) for call in calls]
    body = {"model": talk.model, "created_at": "2026-10-01T10:00:00.123456789Z", "message": message}
    if done is None:
        return {**body, "done": False}
    return {**body, "done_reason": done, "done": True, **COUNTS}


def _call(call: Call) -> dict[str, Any]:
    arguments = json.loads(call.arguments)
    GIVEN[call.name, canonical(arguments)] = call.id
    return {"function": {"name": call.name, "arguments": arguments}}


def _stream(act: Answer, talk: Conversation) -> Iterator[Piece | Reset]:
    spoken, wait = 0, act.before
    for part in _shown(act, talk):
        for piece in _pieces(part, 5 if act.between else 7):
            if act.cut and spoken == act.words:
                yield from _cut(act.cut)
                return
            yield Piece(encode(_line(talk, (piece,), None)) + b"\n", wait or act.between)
            spoken, wait = spoken + 1, 0.0
    yield Piece(encode(_line(talk, (), DONE[act.stop])) + b"\n")


def _pieces(part: Part, size: int) -> list[Part]:
    """Calls come whole."""
    match part:
        case Words() | Thought() | Denial():
            return [type(part)(piece) for piece in cut_up(part.text, size)]
        case _:
            return [part]


def _cut(how: str) -> Iterator[Piece | Reset]:
    if how == "reset":
        yield Reset()
    elif how in MIDSTREAM_ERRORS:
        yield Piece(error_body(MIDSTREAM_ERRORS[how]) + b"\n")
