"""The scripted provider speaking Gemini's generateContent: whole answers, event streams and errors.

Source: ai.google.dev/api/generate-content, ai.google.dev/gemini-api/docs/troubleshooting (errors).
"""

import itertools
import json
from collections.abc import Iterator
from typing import Any

from fakes.gemini_judge import sign
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
FINISH = {"stop": "STOP", "calls": "STOP", "length": "MAX_TOKENS", "word": "STOP", "refused": "SAFETY"}
STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}
USAGE = {
    "promptTokenCount": TOKENS.fresh + TOKENS.read,
    "candidatesTokenCount": TOKENS.visible,
    "thoughtsTokenCount": TOKENS.thought,
    "cachedContentTokenCount": TOKENS.read,
    "totalTokenCount": TOKENS.fresh + TOKENS.read + TOKENS.visible + TOKENS.thought,
    "promptTokensDetails": [{"modality": "TEXT", "tokenCount": TOKENS.fresh + TOKENS.read}],
}
HEADERS = {"server-timing": "gfet4t7; dur=12"}


def answer(act: Act, talk: Conversation) -> Reply:
    match act:
        case Failure():
            return Whole(act.status, error_body(act.status, act.message), {**HEADERS, **act.headers}, late=act.late)
        case Broken():
            hello = encode(_whole(Answer((Words("cut off"),)), talk))
            return broken(act.how, error_body(500, "The scripted provider says 200 and means 500."), hello)
        case Answer() if talk.stream and not act.unstreamed:
            return Stream(_stream(act, talk), HEADERS, act.late, act.crumb, "text/event-stream")
        case Answer() if act.cut == "reset":
            return Reset()
        case _:
            return Whole(200, encode(_whole(act, talk)), HEADERS, late=act.late)


def error_body(status: int, message: str) -> bytes:
    return encode({"error": {"code": status, "message": message, "status": STATUS.get(status, "UNKNOWN")}})


def _shown(act: Answer, talk: Conversation) -> list[Part]:
    """Thoughts come only to who asked for them; what was refused has no content."""
    settings = talk.body.get("generationConfig") or {}
    wanted = (settings.get("thinkingConfig") or {}).get("includeThoughts")
    return [part for part in act.parts if not isinstance(part, Denial) and (wanted or not isinstance(part, Thought))]


def _part(part: Part) -> dict[str, Any]:
    match part:
        case Words() | Denial():
            return {"text": part.text}
        case Thought():
            return {"text": part.text, "thought": True}
        case Call():
            call = {"id": part.id, "name": part.name, "args": json.loads(part.arguments)}
            return {"functionCall": call, "thoughtSignature": sign(part.name)}


def _whole(act: Answer, talk: Conversation) -> dict[str, Any]:
    content = {"role": "model", "parts": [_part(part) for part in _shown(act, talk)]}
    return _body(act, talk, f"scripted{next(_NUMBERS):06}", content, FINISH[act.stop])


def _body(act: Answer, talk: Conversation, id_: str, content: dict[str, Any], finish: str | None) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": content, "index": 0}
    if finish is not None:
        candidate["finishReason"] = finish
    return {"candidates": [candidate], "usageMetadata": USAGE, "modelVersion": talk.model, "responseId": id_}


def _stream(act: Answer, talk: Conversation) -> Iterator[Piece | Reset]:
    id_, wait = f"scripted{next(_NUMBERS):06}", act.before
    spoken = 0
    for part in _shown(act, talk):
        for piece in _pieces(part, 5 if act.between else 7):
            if act.cut and spoken == act.words:
                yield from _cut(act.cut)
                return
            yield _event(_body(act, talk, id_, {"role": "model", "parts": [_part(piece)]}, None), wait or act.between)
            wait, spoken = 0.0, spoken + 1
    yield _event(_body(act, talk, id_, {"role": "model", "parts": [{"text": ""}]}, FINISH[act.stop]))


def _pieces(part: Part, size: int) -> list[Part]:
    """Calls come whole."""
    match part:
        case Words() | Thought():
            return [type(part)(piece) for piece in cut_up(part.text, size)]
        case _:
            return [part]


def _event(body: dict[str, Any], wait: float = 0.0) -> Piece:
    return Piece(b"data: " + encode(body) + b"\r\n\r\n", wait)


def _cut(how: str) -> Iterator[Piece | Reset]:
    if how == "reset":
        yield Reset()
    elif how in MIDSTREAM_ERRORS:
        yield Piece(b"data: " + error_body(500, MIDSTREAM_ERRORS[how]) + b"\r\n\r\n")


def models(names: list[str]) -> bytes:
    return json.dumps({"models": [_entry(name) for name in names]}).encode()


def _entry(name: str) -> dict[str, Any]:
    methods = ["generateContent", "countTokens"]
    return {"name": f"models/{name}", "displayName": name, "supportedGenerationMethods": methods}
