"""What Google's errors mean, and how its clients are told of ours."""

from typing import Any

import pytest

from isthmus.core.errors import GatewayError, Kind
from isthmus.dialects.gemini.errors import read_error, write_error
from isthmus.dialects.gemini.generate import ARRAY_CODEC
from isthmus.wire import json

RPC = "type.googleapis.com/google.rpc."


def error(status: int, word: str, message: str, *details: dict[str, Any]) -> GatewayError:
    told = {"code": status, "message": message, "status": word, "details": details}
    return read_error(status, (), json.encode({"error": told}))


@pytest.mark.parametrize(
    ("status", "word", "message", "kind"),
    [
        (400, "INVALID_ARGUMENT", "Unknown name", Kind.INVALID),
        (400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", Kind.CREDENTIAL_REJECTED),
        (400, "FAILED_PRECONDITION", "User location is not supported for the API use.", Kind.CREDENTIAL_REJECTED),
        (
            400,
            "INVALID_ARGUMENT",
            "The input token count (9) exceeds the maximum number of tokens allowed (8).",
            Kind.CONTEXT_EXCEEDED,
        ),
        (400, "INVALID_ARGUMENT", "Request payload size exceeds the limit: 20971520 bytes.", Kind.TOO_LARGE),
        (403, "PERMISSION_DENIED", "Method doesn't allow unregistered callers", Kind.CREDENTIAL_REJECTED),
        (403, "PERMISSION_DENIED", "Your API key was reported as leaked.", Kind.CREDENTIAL_REVOKED),
        (404, "NOT_FOUND", "models/x is not found for API version v1beta", Kind.UNKNOWN_MODEL),
        (404, "NOT_FOUND", "CachedContent not found", Kind.INVALID),
        (429, "RESOURCE_EXHAUSTED", "Resource exhausted.", Kind.UPSTREAM_LIMITED),
        (429, "RESOURCE_EXHAUSTED", "Your prepayment credits are depleted.", Kind.QUOTA_SPENT),
        (429, "RESOURCE_EXHAUSTED", "You exceeded your current quota, check your plan and billing", Kind.QUOTA_SPENT),
        (500, "INTERNAL", "An internal error has occurred.", Kind.UPSTREAM_FAULT),
        (503, "UNAVAILABLE", "The model is overloaded.", Kind.OVERLOADED),
        (504, "DEADLINE_EXCEEDED", "The request timed out.", Kind.TIMED_OUT),
        (499, "CANCELLED", "The operation was cancelled.", Kind.UPSTREAM_FAULT),
        (501, "UNIMPLEMENTED", "Not here.", Kind.UNSUPPORTED),
    ],
)
def test_each_error_has_its_kind(status: int, word: str, message: str, kind: Kind) -> None:
    read = error(status, word, message)
    assert (read.kind, read.message, read.upstream_status) == (kind, message, status)


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("API_KEY_INVALID", Kind.CREDENTIAL_REJECTED),
        ("SERVICE_DISABLED", Kind.CREDENTIAL_REJECTED),
        ("BILLING_DISABLED", Kind.QUOTA_SPENT),
        ("CONSUMER_SUSPENDED", Kind.CREDENTIAL_REVOKED),
        ("NOVEL", Kind.INVALID),
    ],
)
def test_the_reason_in_the_details_says_more_than_the_status(reason: str, kind: Kind) -> None:
    read = error(400, "INVALID_ARGUMENT", "No.", {"@type": RPC + "ErrorInfo", "reason": reason})
    assert (read.kind, read.code) == (kind, reason)


def test_a_limit_tells_how_long_to_wait() -> None:
    """A quota for a minute is a limit, whatever its words say of plans."""
    read = error(
        429,
        "RESOURCE_EXHAUSTED",
        "You exceeded your current quota, please check your plan and billing details.",
        {"@type": RPC + "QuotaFailure", "violations": [{"quotaId": "RequestsPerMinutePerProjectPerModel"}]},
        {"@type": RPC + "RetryInfo", "retryDelay": "34.4s"},
    )
    assert (read.kind, read.retry_after) == (Kind.UPSTREAM_LIMITED, 34.4)


def test_a_quota_for_a_day_is_spent() -> None:
    read = error(
        429,
        "RESOURCE_EXHAUSTED",
        "You exceeded your current quota, please check your plan and billing details.",
        {"@type": RPC + "QuotaFailure", "violations": [{"quotaId": "RequestsPerDayPerProjectPerModel-FreeTier"}]},
        {"@type": RPC + "RetryInfo", "retryDelay": "5s"},
    )
    assert read.kind is Kind.QUOTA_SPENT


@pytest.mark.parametrize(
    ("message", "wait"), [("Please retry in 34.4s.", 34.4), ("Please retry in 500ms.", 0.5), ("Please retry.", None)]
)
def test_the_wait_may_stand_in_the_words(message: str, wait: float | None) -> None:
    assert error(429, "RESOURCE_EXHAUSTED", message).retry_after == wait


@pytest.mark.parametrize("delay", ["soon", "-1s", "infs", 7])
def test_a_wait_that_is_none_is_not_told(delay: object) -> None:
    assert (
        error(429, "RESOURCE_EXHAUSTED", "No.", {"@type": RPC + "RetryInfo", "retryDelay": delay}).retry_after is None
    )


def test_the_header_outranks_the_details() -> None:
    body = json.encode({"error": {"details": [{"@type": RPC + "RetryInfo", "retryDelay": "5s"}]}})
    assert read_error(429, ((b"retry-after", b"7"),), body).retry_after == 7


def test_an_error_may_stand_in_a_list() -> None:
    """So streams that are arrays begin when they fail."""
    body = b'[{"error":{"code":400,"message":"Unknown name","status":"INVALID_ARGUMENT"}}]'
    assert read_error(400, (), body).message == "Unknown name"


@pytest.mark.parametrize("body", [b'{"error":"no such thing"}', b'{"message":"no such thing"}'])
def test_proxies_tell_it_elsewhere(body: bytes) -> None:
    assert read_error(400, (), body).message == "no such thing"


def test_clients_are_told_the_status_the_word_and_when_to_come_again() -> None:
    told = json.decode(write_error(GatewayError(Kind.UPSTREAM_LIMITED, "slow down", retry_after=7.5)))["error"]
    assert (told["code"], told["status"], told["message"]) == (429, "RESOURCE_EXHAUSTED", "slow down")
    assert told["details"] == [{"@type": RPC + "RetryInfo", "retryDelay": "7.5s"}]


def test_a_context_that_is_too_long_is_told_in_googles_words() -> None:
    told = json.decode(write_error(GatewayError(Kind.CONTEXT_EXCEEDED, "9 > 8")))["error"]
    assert told["message"] == "the input exceeds the maximum number of tokens: 9 > 8"


def test_who_asked_for_an_array_is_refused_in_one() -> None:
    refused = GatewayError(Kind.INVALID, "no")
    assert json.decode(ARRAY_CODEC.write_error(refused))[0]["error"]["message"] == "no"
    begun = b'[{"candidates":[]}' + ARRAY_CODEC.write_error_event(refused)
    assert json.decode(begun)[1]["error"]["message"] == "no"
