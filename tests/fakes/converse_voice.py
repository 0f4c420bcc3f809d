"""The scripted provider speaking Bedrock's Converse: whole answers, event streams and errors.

Source: docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html,
smithy.io/2.0/aws/amazon-eventstream.html (the frames).
"""

import binascii
import json
import struct
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

STOP = {
    "stop": "end_turn",
    "calls": "tool_use",
    "length": "max_tokens",
    "word": "stop_sequence",
    "refused": "content_filtered",
}
KINDS = {
    400: "ValidationException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    429: "ThrottlingException",
    500: "InternalServerException",
    503: "ServiceUnavailableException",
}
USAGE = {
    "inputTokens": TOKENS.fresh,
    "outputTokens": TOKENS.visible + TOKENS.thought,
    "totalTokens": TOKENS.fresh + TOKENS.read + TOKENS.visible + TOKENS.thought,
    "cacheReadInputTokens": TOKENS.read,
    "cacheWriteInputTokens": 0,
}
METRICS = {"latencyMs": 275}


def answer(act: Act, talk: Conversation) -> Reply:
    match act:
        case Failure():
            return refusal(act.status, act.message, dict(act.headers), act.late)
        case Broken():
            hello = encode(_whole(Answer((Words("cut off"),))))
            return broken(act.how, encode({"message": "The scripted provider says 200 and means 500."}), hello)
        case Answer() if talk.stream and not act.unstreamed:
            return Stream(_stream(act), {}, act.late, act.crumb, "application/vnd.amazon.eventstream")
        case Answer() if act.cut == "reset":
            return Reset()
        case _:
            return Whole(200, encode(_whole(act)), late=act.late)


def refusal(status: int, message: str, headers: dict[str, str] | None = None, late: float = 0.0) -> Whole:
    kind = KINDS.get(status, "ModelErrorException")
    return Whole(status, encode({"message": message}), {"x-amzn-errortype": kind, **(headers or {})}, late=late)


def _block(part: Part) -> dict[str, Any]:
    match part:
        case Words() | Denial():
            return {"text": part.text}
        case Thought():
            return {"reasoningContent": {"reasoningText": {"text": part.text, "signature": "scripted"}}}
        case Call():
            return {"toolUse": {"toolUseId": part.id, "name": part.name, "input": json.loads(part.arguments)}}


def _whole(act: Answer) -> dict[str, Any]:
    message = {"role": "assistant", "content": [_block(part) for part in act.parts]}
    return {"output": {"message": message}, "stopReason": STOP[act.stop], "usage": USAGE, "metrics": METRICS}


def frame(headers: dict[str, str], payload: bytes) -> bytes:
    """One message: lengths, their checksum, headers of strings, the payload, and the checksum of all."""
    told = b"".join(
        struct.pack("!B", len(name)) + name.encode() + b"\x07" + struct.pack("!H", len(value)) + value.encode()
        for name, value in headers.items()
    )
    lengths = struct.pack("!II", 16 + len(told) + len(payload), len(told))
    body = lengths + struct.pack("!I", binascii.crc32(lengths)) + told + payload
    return body + struct.pack("!I", binascii.crc32(body))


def _event(kind: str, body: dict[str, Any], wait: float = 0.0) -> Piece:
    headers = {":event-type": kind, ":content-type": "application/json", ":message-type": "event"}
    return Piece(frame(headers, encode(body)), wait)


def _stream(act: Answer) -> Iterator[Piece | Reset]:
    yield _event("messageStart", {"role": "assistant"}, act.before)
    spoken = 0
    for index, part in enumerate(act.parts):
        if isinstance(part, Call):
            start = {"toolUse": {"toolUseId": part.id, "name": part.name}}
            yield _event("contentBlockStart", {"start": start, "contentBlockIndex": index})
        for delta in _deltas(part, 5 if act.between else 7):
            if act.cut and spoken == act.words:
                yield from _cut(act.cut)
                return
            spoken += 1
            yield _event("contentBlockDelta", {"delta": delta, "contentBlockIndex": index}, act.between)
        yield _event("contentBlockStop", {"contentBlockIndex": index})
    yield _event("messageStop", {"stopReason": STOP[act.stop]})
    yield _event("metadata", {"usage": USAGE, "metrics": METRICS})


def _deltas(part: Part, size: int) -> Iterator[dict[str, Any]]:
    match part:
        case Words() | Denial():
            yield from ({"text": piece} for piece in cut_up(part.text, size))
        case Thought():
            yield from ({"reasoningContent": {"text": piece}} for piece in cut_up(part.text, size))
            yield {"reasoningContent": {"signature": "scripted"}}
        case Call():
            yield from ({"toolUse": {"input": piece}} for piece in cut_up(part.arguments, 3))


def _cut(how: str) -> Iterator[Piece | Reset]:
    if how == "reset":
        yield Reset()
    elif how in MIDSTREAM_ERRORS:
        headers = {
            ":exception-type": "modelStreamErrorException",
            ":content-type": "application/json",
            ":message-type": "exception",
        }
        yield Piece(frame(headers, encode({"message": MIDSTREAM_ERRORS[how]})))
