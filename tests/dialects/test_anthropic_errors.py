"""A provider's refusal into a kind, and every kind into a body for this dialect's clients."""

import json

import pytest

from isthmus.core.errors import GatewayError, Kind
from isthmus.dialects.anthropic import errors
from isthmus.dialects.anthropic.messages import CODEC


def body(word: str, message: str) -> bytes:
    return json.dumps({"type": "error", "error": {"type": word, "message": message}}).encode()


@pytest.mark.parametrize(
    ("status", "word", "message", "kind"),
    [
        (400, "invalid_request_error", "messages.0: no", Kind.INVALID),
        (400, "invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum", Kind.CONTEXT_EXCEEDED),
        (400, "invalid_request_error", "input length and `max_tokens` exceed context limit: 1", Kind.CONTEXT_EXCEEDED),
        (400, "invalid_request_error", "Your credit balance is too low to access", Kind.QUOTA_SPENT),
        (400, "invalid_request_error", "You have reached your specified API usage limits.", Kind.QUOTA_SPENT),
        (401, "authentication_error", "invalid x-api-key", Kind.CREDENTIAL_REJECTED),
        (401, "invalid_request_error", "bad key", Kind.CREDENTIAL_REJECTED),
        (401, "authentication_error", "OAuth token has been revoked", Kind.CREDENTIAL_REVOKED),
        (402, "billing_error", "pay", Kind.QUOTA_SPENT),
        (403, "permission_error", "no", Kind.CREDENTIAL_REJECTED),
        (404, "not_found_error", "model: claude-0", Kind.UNKNOWN_MODEL),
        (404, "not_found_error", "file not found", Kind.INVALID),
        (413, "request_too_large", "too large", Kind.TOO_LARGE),
        (429, "rate_limit_error", "slow down", Kind.UPSTREAM_LIMITED),
        (500, "api_error", "oops", Kind.UPSTREAM_FAULT),
        (503, "api_error", "oops", Kind.OVERLOADED),
        (504, "timeout_error", "late", Kind.TIMED_OUT),
        (529, "overloaded_error", "Overloaded", Kind.OVERLOADED),
        (400, "overloaded_error", "Overloaded", Kind.OVERLOADED),
    ],
)
def test_a_refusal_is_of_its_kind(status: int, word: str, message: str, kind: Kind) -> None:
    error = CODEC.read_error(status, (), body(word, message))
    assert (error.kind, error.message, error.upstream_status) == (kind, message, status)
    assert error.upstream is not None
    assert error.upstream.body == body(word, message)


def test_a_spending_limit_is_told_by_its_code() -> None:
    told = {"error": {"type": "rate_limit_error", "message": "x", "details": {"error_code": errors._SPENT}}}
    assert CODEC.read_error(429, (), json.dumps(told).encode()).kind is Kind.QUOTA_SPENT


def test_the_wait_asked_for_is_kept() -> None:
    error = CODEC.read_error(429, ((b"retry-after", b"7"),), body("rate_limit_error", "x"))
    assert error.retry_after == 7


@pytest.mark.parametrize(
    ("status", "sent", "kind", "message"),
    [
        (
            502,
            b"<html><h1>Bad gateway",
            Kind.UPSTREAM_FAULT,
            "the provider answered 502 with a web page in place of JSON",
        ),
        (503, b"", Kind.OVERLOADED, "the provider answered 503 without a body"),
        (500, b"upstream connect error", Kind.UPSTREAM_FAULT, "upstream connect error"),
        (500, b"\xff\xfe\x00\x01", Kind.UPSTREAM_FAULT, "the provider answered 500 with 4 bytes that are not text"),
        (404, b"<html>", Kind.UPSTREAM_FAULT, "the provider answered 404 with a web page in place of JSON"),
        (500, b'{"detail": "broken"}', Kind.UPSTREAM_FAULT, "broken"),
        (400, b'{"error": "no such field"}', Kind.INVALID, "no such field"),
        (400, b'{"error": {"code": 3, "message": "bad"}}', Kind.INVALID, "bad"),
        (418, b"{}", Kind.INVALID, "the provider answered 418 and did not say why"),
        (400, b'["odd"]', Kind.INVALID, '["odd"]'),
    ],
)
def test_a_refusal_in_another_form_is_understood(status: int, sent: bytes, kind: Kind, message: str) -> None:
    error = CODEC.read_error(status, (), sent)
    assert (error.kind, error.message) == (kind, message)


@pytest.mark.parametrize("sent", [body("api_error", "x" * 9000), b"x" * 9000])
def test_a_long_message_is_cut(sent: bytes) -> None:
    assert len(CODEC.read_error(500, (), sent).message) == 2000


def test_every_kind_is_written() -> None:
    assert set(errors._WRITTEN) == set(Kind)


@pytest.mark.parametrize("kind", Kind)
def test_a_written_error_has_the_shape_that_clients_demand(kind: Kind) -> None:
    told = json.loads(CODEC.write_error(GatewayError(kind, "why")))
    assert told["type"] == "error"
    assert told["error"]["type"] in errors._TYPES
    assert told["error"]["message"].endswith("why")


def test_an_unknown_model_has_a_code() -> None:
    told = json.loads(CODEC.write_error(GatewayError(Kind.UNKNOWN_MODEL, "no route offers 'x'")))
    assert told["error"]["code"] == "model_not_found"


@pytest.mark.parametrize("said", ["Prompt is too long: 9 > 8", "maximum context length is 8192 tokens"])
def test_a_full_context_is_told_in_the_words_that_claude_code_knows(said: str) -> None:
    told = json.loads(CODEC.write_error(GatewayError(Kind.CONTEXT_EXCEEDED, said)))
    message = told["error"]["message"]
    assert message.lower().startswith("prompt is too long")
    assert message.endswith(said)
    assert message.lower().count("prompt is too long") == 1
