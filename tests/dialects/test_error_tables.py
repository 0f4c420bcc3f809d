"""Every kind of error has its rule, and every dialect can say it in its own shape and read whatever a provider says."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from isthmus.core.errors import RULES, Blame, GatewayError, Kind, Rest, Then
from isthmus.wire import json
from support.frames import anthropic_events, openai_chunks
from support.specimens import DIALECTS, codec_of
from support.streams import frames_of

DIALECT = pytest.mark.parametrize("dialect", DIALECTS)
KIND = pytest.mark.parametrize("kind", Kind)
STATUSES = st.sampled_from(
    [300, 400, 401, 402, 403, 404, 405, 408, 409, 413, 422, 429, 451, 499, 500, 502, 503, 504, 529, 599]
)
TOLD_AS_ITSELF = (
    Kind.INVALID,
    Kind.TOO_LARGE,
    Kind.CONTEXT_EXCEEDED,
    Kind.UNKNOWN_MODEL,
    Kind.UPSTREAM_LIMITED,
    Kind.OVERLOADED,
    Kind.UPSTREAM_FAULT,
    Kind.TIMED_OUT,
)
"""Kinds that are still known when a second gateway reads what a first one wrote, with the status it gave."""


def test_every_kind_has_a_rule() -> None:
    assert set(RULES) == set(Kind)


@KIND
def test_the_callers_fault_is_a_400_and_ours_a_500(kind: Kind) -> None:
    rule = RULES[kind]
    if rule.blame is Blame.CLIENT:
        assert 400 <= rule.status < 500
    elif kind is Kind.NO_ACCOUNT:
        assert rule.status == 401, "clients of signed-in accounts take this as the word to sign in again"
    else:
        assert rule.status == 429 or 500 <= rule.status < 600


@KIND
def test_what_cools_down_is_not_the_callers_fault(kind: Kind) -> None:
    rule = RULES[kind]
    assert rule.rest is Rest.NOTHING or (rule.blame is not Blame.CLIENT and rule.then is not Then.STOP)


def openai_words(body: Any) -> str:
    error = body["error"]
    assert {"message", "type", "param", "code"} <= error.keys()
    assert error["type"]
    assert error["param"] == "messages[0]"
    return str(error["message"])


def anthropic_words(body: Any) -> str:
    assert body["type"] == "error"
    assert body["error"]["type"]
    return str(body["error"]["message"])


def bedrock_words(body: Any) -> str:
    assert body["__type"]
    return str(body["message"])


def ollama_words(body: Any) -> str:
    assert body.keys() == {"error"}
    assert isinstance(body["error"], str)
    return body["error"]


def gemini_words(body: Any) -> str:
    error = body["error"]
    assert isinstance(error["code"], int)
    assert error["status"].isupper()
    assert error["details"][0]["fieldViolations"][0]["field"] == "messages[0]"
    return str(error["message"])


SHAPES: Mapping[str, Callable[[Any], str]] = {
    "anthropic": anthropic_words,
    "bedrock": bedrock_words,
    "gemini": gemini_words,
    "ollama": ollama_words,
    "ollama_generate": ollama_words,
}
"""How the words are found in an error of each dialect; in that of OpenAI where none is named."""


@DIALECT
@KIND
def test_every_dialect_says_every_kind_in_its_own_shape(kind: Kind, dialect: str) -> None:
    body = json.decode(codec_of(dialect).write_error(GatewayError(kind, "it is so", param="messages[0]")))
    assert "it is so" in SHAPES.get(dialect, openai_words)(body)


@DIALECT
@KIND
def test_an_error_in_a_stream_is_an_event_that_says_the_same(kind: Kind, dialect: str) -> None:
    codec, error = codec_of(dialect), GatewayError(kind, "it is so")
    frame, *_ = frames_of([codec.write_error_event(error)], codec.framing)
    assert told_in(json.decode(frame.data)) == told_in(json.decode(codec.write_error(error)))


def told_in(body: Any) -> Any:
    """What went wrong: in Bedrock's errors the message itself, in all others an object under one name."""
    return body["message"] if "message" in body and "error" not in body else body["error"]


@DIALECT
@pytest.mark.parametrize("kind", TOLD_AS_ITSELF, ids=str)
def test_what_is_written_is_read_as_the_same_kind(kind: Kind, dialect: str) -> None:
    codec, error = codec_of(dialect), GatewayError(kind, "the model m-1 cannot")
    read = codec.read_error(error.status, (), codec.write_error(error))
    assert read.kind is kind
    assert "the model m-1 cannot" in read.message


@DIALECT
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Kind.INVALID),
        (401, Kind.CREDENTIAL_REJECTED),
        (402, Kind.QUOTA_SPENT),
        (403, Kind.CREDENTIAL_REJECTED),
        (408, Kind.TIMED_OUT),
        (413, Kind.TOO_LARGE),
        (422, Kind.INVALID),
        (429, Kind.UPSTREAM_LIMITED),
        (500, Kind.UPSTREAM_FAULT),
        (502, Kind.UPSTREAM_FAULT),
        (503, Kind.OVERLOADED),
        (504, Kind.TIMED_OUT),
        (529, Kind.OVERLOADED),
    ],
)
@pytest.mark.parametrize("body", [b"", b"<html>no</html>", b"no", b"{}", b'{"detail":"no"}', b"\xff\xfe\x00"])
def test_a_body_that_says_nothing_leaves_the_status(body: bytes, status: int, kind: Kind, dialect: str) -> None:
    read = codec_of(dialect).read_error(status, (), body)
    assert read.kind is kind
    assert read.upstream_status == status
    assert "<html" not in read.message


@DIALECT
def test_the_time_to_wait_is_kept(dialect: str) -> None:
    assert codec_of(dialect).read_error(429, ((b"retry-after", b"7"),), b"{}").retry_after == 7


def json_values() -> st.SearchStrategy[Any]:
    names = st.sampled_from(["error", "type", "message", "code", "param", "status", "detail", "details", "msg", "x"])
    leaves = (
        st.none() | st.booleans() | st.integers() | st.text(max_size=6) | st.sampled_from(["rate_limit_error", "404"])
    )
    return st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4))


@DIALECT
@given(status=STATUSES, body=st.binary(max_size=60) | json_values().map(json.encode))
def test_no_refusal_is_too_odd_to_read(dialect: str, status: int, body: bytes) -> None:
    error = codec_of(dialect).read_error(status, (), body)
    assert error.kind in RULES
    assert error.message.strip()
    assert error.status >= 400


@DIALECT
@given(body=openai_chunks() | anthropic_events() | json_values())
@example(body={"type": "rate_limit_error"})
def test_an_answer_taken_for_a_refusal_is_one(dialect: str, body: Any) -> None:
    """Of the words in these bodies only a limit's name another fault than the status does."""
    error = codec_of(dialect).read_error(500, (), json.encode(body))
    assert error.status >= 500 or error.kind is Kind.UPSTREAM_LIMITED
