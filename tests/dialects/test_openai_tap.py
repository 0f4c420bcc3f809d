"""A passed stream is watched, and not touched but for usage that nobody asked for."""

import json
from pathlib import Path
from typing import Any

import pytest

from isthmus.core.errors import Kind
from isthmus.dialects.openai.chat import CODEC
from isthmus.dialects.openai.chat import tap as tap_module
from isthmus.dialects.openai.chat.tap import RECENT, RECENT_BYTES, ChatTap

USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


def frame(choices: list[Any], end: str = "\n\n", **fields: Any) -> bytes:
    body = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": "m", "choices": choices, **fields}
    return b"data: " + json.dumps(body, separators=(",", ":")).encode() + end.encode()


def said(text: str, finish: str | None = None, **fields: Any) -> bytes:
    return frame([{"index": 0, "delta": {"content": text}, "finish_reason": finish}], **fields)


ROLE = frame([{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}])
HELLO = said("hello", usage=None)
TRICKY = said('"error" "usage":{"prompt_tokens":9} data: [DONE] \n\n "finish_reason":"stop" []')
STOP = said("", "stop", usage=None)
COUNT = frame([], usage=USAGE)
DONE = b"data: [DONE]\n\n"
STREAM = b": hello\n\n" + ROLE + HELLO + TRICKY + STOP + COUNT + DONE


def passed(stream: bytes, size: int, *, hide: bool) -> tuple[bytes, ChatTap]:
    tap = ChatTap(hide)
    out = b"".join(tap.feed(stream[at : at + size]) for at in range(0, len(stream), size))
    return out + tap.end(), tap


@pytest.mark.parametrize("size", [1, 2, 7, 64, 100_000])
def test_every_byte_is_passed_on_wherever_the_network_cut(size: int) -> None:
    out, tap = passed(STREAM, size, hide=False)
    assert out == STREAM
    assert tap.complete
    assert tap.error is None
    assert tap.usage is not None
    assert (tap.usage.fresh_input, tap.usage.output) == (3, 2)


@pytest.mark.parametrize("size", [1, 2, 7, 64, 100_000])
def test_usage_that_nobody_asked_for_is_taken_out(size: int) -> None:
    out, tap = passed(STREAM, size, hide=True)
    assert out == STREAM.replace(COUNT, b"")
    assert tap.usage is not None


def test_usage_beside_choices_stays() -> None:
    stream = ROLE + said("hello", "stop", usage=USAGE) + DONE
    out, tap = passed(stream, 50, hide=True)
    assert out == stream
    assert tap.usage is not None


def test_lines_may_end_as_they_like() -> None:
    stream = STREAM.replace(b"\n", b"\r\n")
    out, tap = passed(stream, 5, hide=True)
    assert out == stream.replace(COUNT.replace(b"\n", b"\r\n"), b"")
    assert tap.complete


def test_hiding_holds_back_an_unfinished_frame_and_no_more() -> None:
    tap = ChatTap(True)
    assert tap.feed(HELLO + COUNT[:30]) == HELLO
    assert tap.feed(COUNT[30:] + DONE) == DONE


def test_passing_holds_back_nothing() -> None:
    tap = ChatTap(False)
    assert tap.feed(HELLO[:30]) == HELLO[:30]


def test_the_last_usage_counts() -> None:
    early = said("a", usage={"prompt_tokens": 3, "completion_tokens": 1})
    _, tap = passed(ROLE + early + HELLO + COUNT + DONE, 100_000, hide=False)
    assert tap.usage is not None
    assert tap.usage.output == 2


def test_usage_in_every_chunk_is_known_whenever_the_stream_breaks() -> None:
    tap = ChatTap(False)
    for count in range(100):
        tap.feed(said("a", usage={"prompt_tokens": 3, "completion_tokens": count}))
    assert tap.usage is not None
    assert tap.usage.output == 99
    assert not tap.complete


@pytest.mark.parametrize(
    "stream",
    [
        b": comment\n\n",
        b"data: \n\n",
        ROLE,
        frame([], object="", prompt_filter_results=[]),
        b'data: {"error":{"message":"no"}}\n\n',
        b'event: error\ndata: {"message":"no"}\n\n',
    ],
)
def test_what_is_no_answer_yet_does_not_start_one(stream: bytes) -> None:
    tap = ChatTap(False)
    tap.feed(stream)
    assert not tap.started


@pytest.mark.parametrize(
    "delta", [{"content": "a"}, {"reasoning": "t"}, {"audio": {"data": "QUJD"}}, {"tool_calls": [{"index": 0}]}]
)
def test_whatever_is_said_starts_the_answer(delta: dict[str, Any]) -> None:
    tap = ChatTap(False)
    tap.feed(frame([{"index": 0, "delta": delta, "finish_reason": None}]))
    assert tap.started


@pytest.mark.parametrize(
    ("stream", "complete"),
    [(HELLO, False), (HELLO + STOP, True), (HELLO + DONE, True), (HELLO + b"data: [DONE]", True), (TRICKY, False)],
)
def test_an_end_is_an_end_mark_or_a_reason(stream: bytes, complete: bool) -> None:
    assert passed(stream, 9, hide=False)[1].complete is complete


@pytest.mark.parametrize(
    ("broken", "kind"),
    [
        (b'data: {"error":{"message":"no","type":"server_error"}}\n\n', Kind.UPSTREAM_FAULT),
        (said("", error={"message": "no", "code": 429}), Kind.UPSTREAM_LIMITED),
        (b'event: error\ndata: {"error":{"message":"no","status_code":400}}\n\n', Kind.INVALID),
    ],
)
def test_an_error_inside_the_stream_is_heard_at_once(broken: bytes, kind: Kind) -> None:
    tap = ChatTap(False)
    assert tap.feed(HELLO) + tap.feed(broken) == HELLO + broken
    assert tap.error is not None
    assert (tap.error.kind, tap.error.message) == (kind, "no")
    assert not tap.complete


def test_no_more_than_the_last_reads_are_kept() -> None:
    tap = CODEC.tap(False)
    assert isinstance(tap, ChatTap)
    for _ in range(10 * RECENT):
        tap.feed(HELLO)
    assert len(tap._recent) == RECENT


def test_what_is_kept_to_be_looked_at_is_bounded_by_its_bytes() -> None:
    _, tap = passed(ROLE + HELLO, 100_000, hide=False)
    for _ in range(RECENT):
        tap.feed(HELLO * 1000)
    assert sum(map(len, tap._recent)) <= max(RECENT_BYTES, 2 * len(HELLO * 1000))
    tap.feed(STOP + COUNT + DONE)
    assert tap.complete
    assert tap.usage is not None


STREAMS = sorted(Path(__file__).parent.parent.glob("specimens/*/openai_chat.stream.sse"))


@pytest.mark.parametrize("size", [1, 5, 100])
@pytest.mark.parametrize("file", STREAMS, ids=lambda file: file.parent.name)
def test_what_is_passed_over_tells_nothing(file: Path, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    frames = [piece + b"\n\n" for piece in file.read_bytes().split(b"\n\n") if piece]

    def told() -> tuple[Any, ...]:
        tap = ChatTap(False)
        for at in range(0, len(frames), size):
            tap.feed(b"".join(frames[at : at + size]))
        return tap.usage, tap.complete, tap.started, tap.error, tap._speaking, tap._finished

    shortly = told()
    monkeypatch.setattr(tap_module, "_only_speaks", lambda whole: False)
    assert told() == shortly


@pytest.mark.parametrize(
    "telling",
    [
        said("x", "stop"),
        said("x", usage=USAGE),
        frame([{"index": 1, "delta": {"content": "x"}, "finish_reason": None}]),
        frame([], usage=USAGE),
        DONE,
        b"event: error\ndata: {}\n\n",
        frame([{"index": 0, "delta": {"content": "x"}, "finish_reason": None}], x_groq={"usage": USAGE}),
        said("x").replace(b'":null', b'": null'),
    ],
)
def test_what_may_tell_something_is_read(telling: bytes) -> None:
    assert not tap_module._only_speaks(HELLO + telling + HELLO)
    assert tap_module._only_speaks(HELLO + said('"usage":{} "error" "finish_reason":"stop"') + HELLO)
