"""Errors: a provider's refusal into a kind, and a kind into the body that this dialect's clients understand.

The kind comes from the words where they say more than the type ("prompt is too long"), then from
the type, then from the status.

Source: https://docs.anthropic.com/en/api/errors.
"""

from collections.abc import Mapping, Sequence

from msgspec import Raw

from isthmus.core.errors import GatewayError, Kind, UpstreamWords
from isthmus.dialects.anthropic.words import DIALECT
from isthmus.wire import json
from isthmus.wire.headers import Headers, retry_after
from isthmus.wire.json import Fields, Malformed
from isthmus.wire.no_json import LONGEST, describe
from isthmus.wire.sse import write_event
from isthmus.wire.waits import asked_wait

TOO_LONG = "prompt is too long"
"""Claude Code knows by these words, and by nothing else, that it must make its conversation shorter."""

_TYPES: Mapping[str, Kind] = {
    "invalid_request_error": Kind.INVALID,
    "authentication_error": Kind.CREDENTIAL_REJECTED,
    "billing_error": Kind.QUOTA_SPENT,
    "permission_error": Kind.CREDENTIAL_REJECTED,
    "not_found_error": Kind.INVALID,
    "conflict_error": Kind.UPSTREAM_FAULT,
    "request_too_large": Kind.TOO_LARGE,
    "rate_limit_error": Kind.UPSTREAM_LIMITED,
    "api_error": Kind.UPSTREAM_FAULT,
    "timeout_error": Kind.TIMED_OUT,
    "overloaded_error": Kind.OVERLOADED,
}
_VAGUE = frozenset({"invalid_request_error", "not_found_error", "api_error"})
"""Types that hosts give to errors of every sort: a status that says more outranks them."""
_STATUSES: Mapping[int, Kind] = {
    401: Kind.CREDENTIAL_REJECTED,
    402: Kind.QUOTA_SPENT,
    403: Kind.CREDENTIAL_REJECTED,
    408: Kind.TIMED_OUT,
    413: Kind.TOO_LARGE,
    429: Kind.UPSTREAM_LIMITED,
    503: Kind.OVERLOADED,
    504: Kind.TIMED_OUT,
    529: Kind.OVERLOADED,
}
_SAID: Sequence[tuple[str, Kind]] = (
    (TOO_LONG, Kind.CONTEXT_EXCEEDED),
    ("exceed context limit", Kind.CONTEXT_EXCEEDED),
    ("exceeds the context window", Kind.CONTEXT_EXCEEDED),
    ("maximum context length", Kind.CONTEXT_EXCEEDED),
    ("credit balance is too low", Kind.QUOTA_SPENT),
    ("reached your specified api usage limits", Kind.QUOTA_SPENT),
    ("token has been revoked", Kind.CREDENTIAL_REVOKED),
)
"""Words that tell more than the type they come with."""
_SPENT = "enforced_spend_limit_reached"
NO_THREADS = "thread_unsupported_request"
"""The code on which the SDKs send the whole conversation again, without `thread`."""

_WRITTEN: Mapping[Kind, str] = {
    Kind.INVALID: "invalid_request_error",
    Kind.TOO_LARGE: "request_too_large",
    Kind.CONTEXT_EXCEEDED: "invalid_request_error",
    Kind.UNAUTHENTICATED: "authentication_error",
    Kind.FORBIDDEN: "permission_error",
    Kind.BUDGET_SPENT: "billing_error",
    Kind.UNKNOWN_MODEL: "not_found_error",
    Kind.UNKNOWN_PATH: "not_found_error",
    Kind.WRONG_METHOD: "invalid_request_error",
    Kind.UNSUPPORTED: "invalid_request_error",
    Kind.REFUSED: "invalid_request_error",
    Kind.RATE_LIMITED: "rate_limit_error",
    Kind.UPSTREAM_LIMITED: "rate_limit_error",
    Kind.QUOTA_SPENT: "rate_limit_error",
    Kind.CREDENTIAL_REJECTED: "api_error",
    Kind.CREDENTIAL_REVOKED: "api_error",
    Kind.OVERLOADED: "overloaded_error",
    Kind.UPSTREAM_FAULT: "api_error",
    Kind.UNREACHABLE: "api_error",
    Kind.TIMED_OUT: "timeout_error",
    Kind.GARBLED: "api_error",
    Kind.CUT_SHORT: "api_error",
    Kind.EMPTY: "api_error",
    Kind.NO_ACCOUNT: "authentication_error",
    Kind.NO_TARGET: "overloaded_error",
    Kind.STORE_GONE: "api_error",
    Kind.STOPPING: "overloaded_error",
    Kind.CANCELLED: "api_error",
    Kind.BUG: "api_error",
}
"""One row per kind. The type goes with the status that RULES gives the kind."""


def read_error(status: int, headers: Headers, body: bytes) -> GatewayError:
    """A refusal in any form: this dialect's, a proxy's JSON, plain text or a web page."""
    try:
        fields = json.document(body)
    except Malformed:
        return GatewayError(
            _by_status(status),
            describe(status, headers, body),
            status=status,
            retry_after=retry_after(headers),
        )
    return read_told(
        fields,
        status=status,
        wait=retry_after(headers),
        upstream=UpstreamWords(DIALECT, status, body),
    )


def read_told(
    fields: Fields,
    *,
    status: int | None = None,
    wait: float | None = None,
    upstream: UpstreamWords | None = None,
) -> GatewayError:
    """An error object: the body of a refusal, or an event inside a stream, which has no status."""
    word, message, code = _told(fields)
    shown = message.strip()[:LONGEST] or f"the provider answered {status or 'with an error'} and did not say why"
    kind = _kind(word, message, code, status)
    wait = asked_wait(kind, wait, message)
    return GatewayError(kind, shown, status=status, retry_after=wait, code=code, upstream=upstream)


def _told(fields: Fields) -> tuple[str, str, str | None]:
    """Type, message and code. Hosts that only resemble Anthropic put them elsewhere, or give a string."""
    error = _object(fields.raw("error"))
    if isinstance(error, str):
        return "", error, None
    if error is None:
        return "", _string(fields.raw("message")) or _string(fields.raw("detail")), None
    details = _object(error.raw("details"))
    code = _string(details.raw("error_code")) if isinstance(details, Fields) else ""
    message = _string(error.raw("message"))
    return _string(error.raw("type")), message, code or _string(error.raw("code")) or None


def _object(value: Raw | None) -> Fields | str | None:
    if value is None:
        return None
    try:
        return json.decode(value) if json.is_text(value) else Fields(value)
    except Malformed:
        return None


def _string(value: Raw | None) -> str:
    return str(json.decode(value)) if value is not None and json.is_text(value) else ""


def _kind(word: str, message: str, code: str | None, status: int | None) -> Kind:
    if code == _SPENT:
        return Kind.QUOTA_SPENT
    lower = message.lower()
    for words, kind in _SAID:
        if words in lower:
            return kind
    if (word == "not_found_error" or status == 404) and "model" in lower:
        return Kind.UNKNOWN_MODEL
    if word in _TYPES and (word not in _VAGUE or status not in _STATUSES):
        return _TYPES[word]
    return Kind.UPSTREAM_FAULT if status is None else _by_status(status)


def _by_status(status: int) -> Kind:
    """A 404 or 405 that is not in this dialect's form comes from a wrong address, not from the caller."""
    if status in _STATUSES:
        return _STATUSES[status]
    return Kind.INVALID if status in range(400, 500) and status not in (404, 405) else Kind.UPSTREAM_FAULT


def write_error(error: GatewayError) -> bytes:
    """The body of an error answer, and of an `error` event."""
    told: dict[str, object] = {"type": _WRITTEN[error.kind], "message": _message(error)}
    if error.kind is Kind.UNKNOWN_MODEL:
        told["code"] = "model_not_found"
    if error.code == NO_THREADS:
        told["details"] = {"error_code": NO_THREADS}
    return json.encode({"type": "error", "error": told})


def _message(error: GatewayError) -> str:
    if error.kind is Kind.CONTEXT_EXCEEDED and not error.message.lower().startswith(TOO_LONG):
        return f"{TOO_LONG}: {error.message}"
    return error.message


def write_error_event(error: GatewayError) -> bytes:
    return write_event("error", write_error(error))
