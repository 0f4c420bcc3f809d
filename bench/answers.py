"""What the mock provider says, in both dialects, built once and sent again and again."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from bench.bodies import Dialect, Json

TEXT = (
    "Order 1042 leaves on the 14th. It holds three items: a lamp, two chairs and a “café” sign.\n"
    'The customer asked for it "as soon as you can", so I moved it forward by a day. 你好. '
) * 3
"""The text of every whole answer."""
PIECE = " token"
"""The text of every piece of a streamed answer."""

_HEAD = b"HTTP/1.1 200 OK\r\nserver: mock\r\nx-request-id: req_0123456789abcdef\r\ncontent-type: %b\r\n"


@dataclass(frozen=True)
class Answers:
    """Complete bytes: a whole answer, and the parts of a streamed one. `opening` comes with the head."""

    whole: bytes
    opening: bytes
    piece: bytes
    closing: bytes
    end: bytes = b"0\r\n\r\n"


def answers(pieces: int) -> Mapping[Dialect, Answers]:
    """The answers of each dialect. A streamed one tells of `pieces` in its usage."""
    return {Dialect.OPENAI: _openai(pieces), Dialect.ANTHROPIC: _anthropic(pieces)}


def whole(document: Json, *, status: bytes = b"200 OK", extra: bytes = b"") -> bytes:
    """An answer of one piece, with its head."""
    body = _dump(document)
    head = (_HEAD % b"application/json").replace(b"200 OK", status)
    return head + extra + b"content-length: %d\r\n\r\n" % len(body) + body


def _openai(pieces: int) -> Answers:
    ids: Json = {"id": "chatcmpl-0123456789abcdefABCDEF0123456", "created": 1790000000, "model": "gpt-mock-2026-04-14"}
    usage: Json = {
        "prompt_tokens": 419,
        "completion_tokens": pieces,
        "total_tokens": 419 + pieces,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 0,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }
    rest: Json = {"service_tier": "default", "system_fingerprint": "fp_0123456789"}
    message: Json = {"role": "assistant", "content": TEXT, "refusal": None, "annotations": []}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    reply = {**ids, "object": "chat.completion", "choices": [choice], "usage": usage, **rest}

    def chunk(delta: Json, finish: str | None = None) -> bytes:
        one = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return _event({**ids, "object": "chat.completion.chunk", "choices": [one], "usage": None, **rest})

    last = {**ids, "object": "chat.completion.chunk", "choices": [], "usage": usage, **rest}
    return Answers(
        whole=whole(reply),
        opening=_stream_head() + chunk({"role": "assistant", "content": "", "refusal": None}),
        piece=chunk({"content": PIECE}),
        closing=chunk({}, "stop") + _event(last) + _framed(b"data: [DONE]\n\n"),
    )


def _anthropic(pieces: int) -> Answers:
    usage: Json = {
        "input_tokens": 419,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": pieces,
        "service_tier": "standard",
    }
    reply: Json = {
        "id": "msg_0123456789abcdefABCDEF",
        "type": "message",
        "role": "assistant",
        "model": "claude-mock-20260414",
        "content": [{"type": "text", "text": TEXT}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": usage,
    }
    opening = {**reply, "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 1}}
    delta = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": PIECE}}
    stop = {"stop_reason": "end_turn", "stop_sequence": None}
    return Answers(
        whole=whole(reply),
        opening=_stream_head()
        + _event({"type": "message_start", "message": opening}, named=True)
        + _event(
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}, named=True
        ),
        piece=_event(delta, named=True),
        closing=_event({"type": "content_block_stop", "index": 0}, named=True)
        + _event({"type": "message_delta", "delta": stop, "usage": {"output_tokens": pieces}}, named=True)
        + _event({"type": "message_stop"}, named=True),
    )


def _stream_head() -> bytes:
    return _HEAD % b"text/event-stream; charset=utf-8" + b"transfer-encoding: chunked\r\n\r\n"


def _event(document: Json, *, named: bool = False) -> bytes:
    name = b"event: %b\n" % document["type"].encode() if named else b""
    return _framed(name + b"data: " + _dump(document) + b"\n\n")


def _framed(data: bytes) -> bytes:
    """One chunk of a body of unknown length."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def _dump(document: Json) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
