"""A passed stream of a response is watched, and not touched."""

import pytest

from isthmus.core.errors import Kind
from isthmus.dialects.openai.responses.tap import ResponsesTap
from isthmus.wire import json

USAGE = {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}


def event(name: str, **fields: object) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (name.encode(), json.encode({"type": name, **fields}))


CREATED = event("response.created", response={"id": "resp_1", "status": "in_progress", "output": [], "usage": None})
ADDED = event("response.output_item.added", output_index=0, item={"type": "message"})
TRICKY = event("response.output_text.delta", delta='data: {"type":"response.completed"} "error" event: error\n\n')
COMPLETED = event("response.completed", response={"id": "resp_1", "status": "completed", "output": [], "usage": USAGE})
STREAM = b": hello\n\n" + CREATED + ADDED + TRICKY + COMPLETED


def passed(stream: bytes, size: int) -> tuple[bytes, ResponsesTap]:
    tap = ResponsesTap()
    out = b"".join(tap.feed(stream[at : at + size]) for at in range(0, len(stream), size))
    return out + tap.end(), tap


@pytest.mark.parametrize("size", [1, 2, 7, 64, 100_000])
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"], ids=["lf", "crlf"])
def test_every_byte_is_passed_on_wherever_the_network_cut(size: int, line_end: bytes) -> None:
    stream = STREAM.replace(b"\n", line_end)
    out, tap = passed(stream, size)
    assert out == stream
    assert tap.complete
    assert tap.error is None
    assert tap.usage is not None
    assert (tap.usage.fresh_input, tap.usage.output) == (3, 2)


def test_an_answer_has_not_started_while_it_is_only_promised() -> None:
    assert not passed(CREATED + event("response.in_progress") + event("response.queued"), 50)[1].started
    assert not passed(CREATED + ADDED, 50)[1].started
    assert passed(CREATED + ADDED + TRICKY, 50)[1].started
    assert passed(CREATED + ADDED.replace(b'"message"', b'"function_call"'), 50)[1].started


def test_words_of_the_model_that_look_like_the_end_are_none() -> None:
    _, tap = passed(CREATED + ADDED + TRICKY, 100_000)
    assert not tap.complete
    assert tap.error is None


@pytest.mark.parametrize("name", ["response.incomplete", "response.done"])
def test_an_answer_that_ends_otherwise_is_counted_too(name: str) -> None:
    _, tap = passed(CREATED + ADDED + event(name, response={"status": "incomplete", "output": [], "usage": USAGE}), 64)
    assert tap.complete
    assert tap.usage is not None


def test_a_failure_is_heard() -> None:
    failed = {"status": "failed", "error": {"code": "server_error", "message": "oh"}}
    _, tap = passed(CREATED + ADDED + event("response.failed", response=failed), 64)
    assert not tap.complete
    assert tap.error is not None
    assert (tap.error.kind, tap.error.message) == (Kind.UPSTREAM_FAULT, "oh")


def test_a_stream_without_event_lines_is_heard() -> None:
    stream = b"".join(line + b"\n\n" for line in STREAM.split(b"\n") if line.startswith(b"data: "))
    assert passed(stream, 100_000)[1].complete


def test_the_last_event_counts_without_the_blank_line_behind_it() -> None:
    assert passed(STREAM.rstrip(b"\n"), 64)[1].complete


def test_what_follows_the_end_changes_nothing() -> None:
    late = event("response.completed", response={"status": "completed", "output": [], "usage": None})
    _, tap = passed(STREAM + late, 64)
    assert tap.usage is not None
