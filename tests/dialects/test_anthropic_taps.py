"""What a tap sees of a stream that is passed through, wherever the network cuts it."""

import pytest

from isthmus.core.errors import Kind
from isthmus.core.usage import Usage
from isthmus.dialects.anthropic.messages import CODEC
from isthmus.dialects.anthropic.messages.tap import MessagesTap
from isthmus.wire.frames import MAX_FRAME

STREAM = (
    b": hello\n\n"
    b'event: message_start\ndata: {"type":"message_start","message":{"id":"m","content":[],'
    b'"usage":{"input_tokens":10,"cache_read_input_tokens":4,"output_tokens":1}}}\n\n'
    b'event: ping\ndata: {"type": "ping"}\n\n'
    b'event: content_block_start\ndata: {"type":"content_block_start","index":0,'
    b'"content_block":{"type":"text","text":""}}\n\n'
    b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,'
    b'"delta":{"type":"text_delta","text":"the \\"usage\\" of \\"error\\" and \\"message_stop\\""}}\n\n'
    b'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}\n\n'
    b'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn"},'
    b'"usage":{"output_tokens":7}}\n\n'
    b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
)
LIMITED = b'event: error\ndata: {"type":"error","error":{"type":"rate_limit_error","message":"slow down"}}\n\n'
COUNTED = (10, 4, 7)


def watch(stream: bytes, size: int = 0) -> MessagesTap:
    """A tap that has seen `stream` in reads of `size` bytes and passed on every byte."""
    tap = CODEC.tap(False)
    assert isinstance(tap, MessagesTap)
    size = size or len(stream)
    passed = b"".join(tap.feed(stream[at : at + size]) for at in range(0, len(stream), size)) + tap.end()
    assert passed == stream
    return tap


def counted(usage: Usage | None) -> tuple[int, int, int]:
    assert usage is not None
    return usage.fresh_input, usage.cache_read, usage.output


@pytest.mark.parametrize("ends", [b"\n", b"\r\n", b"\r"], ids=["LF", "CRLF", "CR"])
@pytest.mark.parametrize("size", [0, 1, 2, 3, 7, 64])
def test_a_cut_hides_nothing(ends: bytes, size: int) -> None:
    tap = watch(STREAM.replace(b"\n", ends), size)
    assert counted(tap.usage) == COUNTED
    assert (tap.complete, tap.started, tap.error) == (True, True, None)


@pytest.mark.parametrize("at", range(0, len(STREAM), 5))
def test_a_cut_in_two_hides_nothing(at: int) -> None:
    tap = CODEC.tap(False)
    assert tap.feed(STREAM[:at]) + tap.feed(STREAM[at:]) + tap.end() == STREAM
    assert counted(tap.usage) == COUNTED


def test_an_error_is_seen_and_is_no_beginning() -> None:
    tap = watch(LIMITED)
    assert tap.error is not None
    assert (tap.error.kind, tap.started, tap.complete) == (Kind.UPSTREAM_LIMITED, False, False)


def test_the_start_of_a_message_is_no_beginning_yet() -> None:
    tap = CODEC.tap(False)
    tap.feed(STREAM[: STREAM.index(b"event: content_block_start")])
    assert not tap.started
    tap.feed(STREAM[STREAM.index(b"event: content_block_start") :])
    assert tap.started


def test_a_stream_that_breaks_off_is_not_complete() -> None:
    tap = watch(STREAM[: STREAM.index(b"event: message_delta")])
    assert (tap.complete, tap.started) == (False, True)


def test_a_stream_that_has_said_why_it_stopped_is_complete() -> None:
    assert watch(STREAM[: STREAM.index(b"event: message_stop")]).complete


def test_the_blank_line_behind_the_last_event_may_be_missing() -> None:
    assert watch(STREAM.rstrip(b"\n")).complete


def test_an_event_without_end_is_let_go() -> None:
    tap = CODEC.tap(False)
    piece = b"x" * (MAX_FRAME // 4)
    for _ in range(6):
        assert tap.feed(piece) == piece
    assert tap.end() == b""
