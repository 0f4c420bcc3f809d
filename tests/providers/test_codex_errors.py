"""The Codex backend's refusals, and for how long it wants to be left alone."""

import pytest

from isthmus.core.errors import Kind
from isthmus.dialects.openai.errors import told_error
from isthmus.providers.codex_errors import read_error
from isthmus.wire import json
from isthmus.wire.headers import Headers

NOON = 1_755_777_600
DATE: Headers = ((b"date", b"Thu, 21 Aug 2025 12:00:00 GMT"),)


def spent(**fields: object) -> bytes:
    told = {"type": "usage_limit_reached", "message": "The usage limit has been reached", "plan_type": "plus"}
    return json.encode({"error": {**told, **fields}})


def test_a_spent_limit_of_use_names_the_seconds_until_it_resets() -> None:
    error = read_error(429, (), spent(resets_at=NOON + 18_000, resets_in_seconds=17_999))
    assert (error.kind, error.retry_after) == (Kind.QUOTA_SPENT, 17_999)


def test_where_only_a_time_is_told_the_backends_own_clock_says_how_long_that_is() -> None:
    assert read_error(429, DATE, spent(resets_at=NOON + 90)).retry_after == 90
    assert read_error(429, DATE, spent(resets_at=NOON - 90)).retry_after == 0


@pytest.mark.parametrize("headers", [(), ((b"date", b"yesterday"),)])
def test_without_a_clock_the_headers_of_limits_must_tell(headers: Headers) -> None:
    assert read_error(429, headers, spent(resets_at=NOON)).retry_after is None


@pytest.mark.parametrize("told", ["1e400", "1e300", "-5", "true", "[]", '"60"', "null"])
@pytest.mark.parametrize("name", ["resets_in_seconds", "resets_at"])
def test_what_is_no_time_is_not_waited_for(name: str, told: str) -> None:
    body = f'{{"error":{{"type":"usage_limit_reached","message":"no more","{name}":{told}}}}}'.encode()
    assert read_error(429, DATE, body).retry_after is None
    assert (told_error(body).kind, told_error(body).retry_after) == (Kind.QUOTA_SPENT, None)


def test_a_limit_that_is_reached_inside_a_stream_is_told_the_same() -> None:
    failed = b'{"status":"failed","error":{"code":"usage_limit_reached","message":"no more","resets_in_seconds":60}}'
    error = told_error(failed)
    assert (error.kind, error.retry_after) == (Kind.QUOTA_SPENT, 60)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (429, '{"error":{"type":"usage_not_included","message":"no Codex in this plan"}}', Kind.CREDENTIAL_REJECTED),
        (429, '{"error":{"code":"rate_limit_exceeded","message":"try again in 2s"}}', Kind.UPSTREAM_LIMITED),
        (401, '{"error":{"code":"token_expired","message":"expired"}}', Kind.CREDENTIAL_REJECTED),
        (401, '{"detail":"Unauthorized"}', Kind.CREDENTIAL_REJECTED),
        (401, '{"error":{"code":"token_invalidated","message":"sign in again"}}', Kind.CREDENTIAL_REVOKED),
        (402, '{"detail":{"code":"deactivated_workspace"}}', Kind.CREDENTIAL_REVOKED),
        (403, '{"detail":"This workspace has been deactivated"}', Kind.CREDENTIAL_REVOKED),
        (503, '{"error":{"code":"server_is_overloaded","message":"later"}}', Kind.OVERLOADED),
        (400, '{"detail":"Unsupported parameter: temperature"}', Kind.UNSUPPORTED),
        (400, '{"error":{"code":"context_length_exceeded","message":"too long"}}', Kind.CONTEXT_EXCEEDED),
        (400, '{"detail":"Instructions are required"}', Kind.INVALID),
        (500, "[]", Kind.UPSTREAM_FAULT),
    ],
)
def test_each_refusal_has_its_kind(status: int, body: str, kind: Kind) -> None:
    assert read_error(status, (), body.encode()).kind is kind


def test_a_model_that_the_plan_has_not_may_be_another_accounts() -> None:
    words = "The 'gpt-5.3-codex' model is not supported when using Codex with a ChatGPT account."
    error = read_error(400, (), json.encode({"detail": words}))
    assert (error.kind, error.message) == (Kind.UNKNOWN_MODEL, words)


def test_a_challenge_for_browsers_is_the_networks_fault_and_no_accounts() -> None:
    error = read_error(403, (), b"<!DOCTYPE html><title>Just a moment...</title>")
    assert error.kind is Kind.UPSTREAM_FAULT
    assert "DOCTYPE" not in error.message
    assert error.status == 502
