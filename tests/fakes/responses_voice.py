"""The scripted provider speaking OpenAI's Responses: whole answers, event streams and errors."""

import itertools
from collections.abc import Iterator
from typing import Any

from fakes.openai_voice import CREATED, HEADERS, error_body
from fakes.responses_judge import SEALED
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
USAGE = {
    "input_tokens": TOKENS.fresh + TOKENS.read,
    "input_tokens_details": {"cached_tokens": TOKENS.read, "cache_write_tokens": 0},
    "output_tokens": TOKENS.visible + TOKENS.thought,
    "output_tokens_details": {"reasoning_tokens": TOKENS.thought},
    "total_tokens": TOKENS.fresh + TOKENS.read + TOKENS.visible + TOKENS.thought,
}
PIECES = {
    "output_text": "response.output_text",
    "refusal": "response.refusal",
    "function_call": "response.function_call_arguments",
}
WHOLE = {"output_text": "text", "refusal": "refusal", "function_call": "arguments"}
"""The field of a text that is told whole."""


def answer(act: Act, talk: Conversation) -> Reply:
    match act:
        case Failure():
            body = error_body(act.message, act.kind[0], code=act.code)
            return Whole(act.status, body, {**HEADERS, **act.headers}, late=act.late)
        case Broken():
            hello = encode(_response(Answer((Words("cut off"),)), talk))
            return broken(act.how, error_body("The scripted provider says 200 and means 500.", "server_error"), hello)
        case Answer() if talk.stream and not act.unstreamed:
            return Stream(_stream(act, talk), HEADERS, act.late, act.crumb)
        case Answer() if act.cut == "reset":
            return Reset()
        case _:
            return Whole(200, encode(_response(act, talk)), HEADERS, late=act.late)


def _response(act: Answer, talk: Conversation) -> dict[str, Any]:
    cut = act.stop == "length"
    output = _output(act, talk)
    return {
        **_frame(talk),
        "status": "incomplete" if cut else "completed",
        "incomplete_details": {"reason": "max_output_tokens"} if cut else None,
        "output": output,
        "usage": USAGE,
    }


def _frame(talk: Conversation) -> dict[str, Any]:
    asked = talk.body
    return {
        "id": f"resp_scripted{next(_NUMBERS):06}",
        "object": "response",
        "created_at": CREATED,
        "status": "in_progress",
        "error": None,
        "incomplete_details": None,
        "instructions": asked.get("instructions"),
        "metadata": asked.get("metadata") or {},
        "model": talk.model,
        "output": [],
        "parallel_tool_calls": asked.get("parallel_tool_calls", True),
        "service_tier": "default",
        "temperature": asked.get("temperature", 1.0),
        "tool_choice": asked.get("tool_choice", "auto"),
        "tools": asked.get("tools") or [],
        "top_p": asked.get("top_p", 1.0),
        "usage": None,
    }


def _output(act: Answer, talk: Conversation) -> list[dict[str, Any]]:
    return [_item(part, talk) for part in act.parts]


def _item(part: Part, talk: Conversation) -> dict[str, Any]:
    number = next(_NUMBERS)
    match part:
        case Words():
            content = {"type": "output_text", "text": part.text, "annotations": [], "logprobs": []}
            return _message(number, content)
        case Denial():
            return _message(number, {"type": "refusal", "refusal": part.text})
        case Thought():
            sealed = "reasoning.encrypted_content" in (talk.body.get("include") or ())
            proof = {"encrypted_content": f"{SEALED}{number}"} if sealed else {}
            summary = [{"type": "summary_text", "text": part.text}]
            return {"type": "reasoning", "id": f"rs_{number}", "summary": summary, **proof}
        case Call():
            named = {"call_id": part.id, "name": part.name, "arguments": part.arguments}
            return {"type": "function_call", "id": f"fc_{number}", "status": "completed", **named}


def _message(number: int, content: dict[str, Any]) -> dict[str, Any]:
    fixed = {"type": "message", "id": f"msg_{number}", "status": "completed", "role": "assistant"}
    return {**fixed, "content": [content]}


class _Told:
    """The events of one stream, numbered."""

    def __init__(self) -> None:
        self._number = itertools.count()

    def event(self, kind: str, *, wait: float = 0.0, **fields: Any) -> Piece:
        data = encode({"type": kind, "sequence_number": next(self._number), **fields})
        return Piece(b"event: %b\ndata: %b\n\n" % (kind.encode(), data), wait)


def _stream(act: Answer, talk: Conversation) -> Iterator[Piece | Reset]:
    told, final = _Told(), _response(act, talk)
    begun = {**final, "status": "in_progress", "incomplete_details": None, "output": [], "usage": None}
    yield told.event("response.created", wait=act.before, response=begun)
    yield told.event("response.in_progress", response=begun)
    spoken = 0
    for place, item in enumerate(final["output"]):
        for piece in _grow(item, place, told, act):
            if act.cut and spoken == act.words:
                yield from _cut(act.cut, told, begun)
                return
            spoken += b'"delta"' in piece.data
            yield piece
    ending = "response.incomplete" if final["status"] == "incomplete" else "response.completed"
    yield told.event(ending, response=final)


def _cut(how: str, told: _Told, begun: dict[str, Any]) -> Iterator[Piece | Reset]:
    if how == "reset":
        yield Reset()
    elif how in MIDSTREAM_ERRORS:
        words = {"code": "server_error", "message": MIDSTREAM_ERRORS[how]}
        yield told.event("error", error={"type": "server_error", "param": None, **words})
        yield told.event("response.failed", response={**begun, "status": "failed", "error": words})


def _grow(item: dict[str, Any], place: int, told: _Told, act: Answer) -> Iterator[Piece]:
    where = {"item_id": item["id"], "output_index": place}
    match item["type"]:
        case "message":
            yield told.event("response.output_item.added", output_index=place, item={**item, "content": []})
            yield from _say(item["content"][0], {**where, "content_index": 0}, told, act)
        case "reasoning":
            bare = {"type": "reasoning", "id": item["id"], "summary": []}
            yield told.event("response.output_item.added", output_index=place, item=bare)
            yield from _think(item["summary"][0], {**where, "summary_index": 0}, told)
        case _:
            begun = {**item, "status": "in_progress", "arguments": ""}
            yield told.event("response.output_item.added", output_index=place, item=begun)
            yield from _pieces(item, where, told, act)
    yield told.event("response.output_item.done", output_index=place, item=item)


def _say(part: dict[str, Any], where: dict[str, Any], told: _Told, act: Answer) -> Iterator[Piece]:
    empty = {**part, WHOLE[part["type"]]: ""}
    yield told.event("response.content_part.added", **where, part=empty)
    yield from _pieces(part, where, told, act)
    yield told.event("response.content_part.done", **where, part=part)


def _pieces(part: dict[str, Any], where: dict[str, Any], told: _Told, act: Answer) -> Iterator[Piece]:
    name, field = PIECES[part["type"]], WHOLE[part["type"]]
    for piece in cut_up(part[field], 5 if act.between else 7):
        yield told.event(f"{name}.delta", wait=act.between, **where, delta=piece)
    yield told.event(f"{name}.done", **where, **{field: part[field]})


def _think(part: dict[str, Any], where: dict[str, Any], told: _Told) -> Iterator[Piece]:
    yield told.event("response.reasoning_summary_part.added", **where, part={**part, "text": ""})
    for piece in cut_up(part["text"]):
        yield told.event("response.reasoning_summary_text.delta", **where, delta=piece)
    yield told.event("response.reasoning_summary_text.done", **where, text=part["text"])
    yield told.event("response.reasoning_summary_part.done", **where, part=part)
