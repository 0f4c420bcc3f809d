"""Errors: a provider's refusal into a kind, and a kind into the body that this dialect's clients understand.

The kind comes from the words where they say more than the status, then from the details, then from the
status word, then from the HTTP status.

Source: https://ai.google.dev/gemini-api/docs/troubleshooting, https://cloud.google.com/apis/design/errors
(google.rpc.Status, ErrorInfo, RetryInfo, QuotaFailure).
"""

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Raw

from isthmus.core.errors import GatewayError, Kind, UpstreamWords
from isthmus.dialects.gemini.spelling import Camel
from isthmus.dialects.gemini.words import DIALECT
from isthmus.wire import json
from isthmus.wire.headers import Headers, retry_after
from isthmus.wire.json import Malformed
from isthmus.wire.no_json import LONGEST, describe
from isthmus.wire.sse import write_data
from isthmus.wire.waits import said_wait, span

_WORDS: Mapping[str, Kind] = {
    "INVALID_ARGUMENT": Kind.INVALID,
    "FAILED_PRECONDITION": Kind.INVALID,
    "OUT_OF_RANGE": Kind.INVALID,
    "ALREADY_EXISTS": Kind.INVALID,
    "NOT_FOUND": Kind.INVALID,
    "UNIMPLEMENTED": Kind.UNSUPPORTED,
    "UNAUTHENTICATED": Kind.CREDENTIAL_REJECTED,
    "PERMISSION_DENIED": Kind.CREDENTIAL_REJECTED,
    "RESOURCE_EXHAUSTED": Kind.UPSTREAM_LIMITED,
    "UNAVAILABLE": Kind.OVERLOADED,
    "DEADLINE_EXCEEDED": Kind.TIMED_OUT,
    "INTERNAL": Kind.UPSTREAM_FAULT,
    "UNKNOWN": Kind.UPSTREAM_FAULT,
    "ABORTED": Kind.UPSTREAM_FAULT,
    "CANCELLED": Kind.UPSTREAM_FAULT,
    "DATA_LOSS": Kind.UPSTREAM_FAULT,
}
_VAGUE = frozenset({"INVALID_ARGUMENT", "FAILED_PRECONDITION", "NOT_FOUND", "INTERNAL", "UNKNOWN"})
"""Words that come with errors of every sort: a status that says more outranks them."""
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
    ("exceeds the maximum number of tokens", Kind.CONTEXT_EXCEEDED),
    ("input context is too long", Kind.CONTEXT_EXCEEDED),
    ("request payload size exceeds", Kind.TOO_LARGE),
    ("api key not valid", Kind.CREDENTIAL_REJECTED),
    ("api key expired", Kind.CREDENTIAL_REJECTED),
    ("user location is not supported", Kind.CREDENTIAL_REJECTED),
    ("reported as leaked", Kind.CREDENTIAL_REVOKED),
    ("has been suspended", Kind.CREDENTIAL_REVOKED),
    ("credits are depleted", Kind.QUOTA_SPENT),
    ("spending cap", Kind.QUOTA_SPENT),
    ("check your plan and billing", Kind.QUOTA_SPENT),
)
"""Words that tell more than the status they come with."""
_REASONS: Mapping[str, Kind] = {
    "API_KEY_INVALID": Kind.CREDENTIAL_REJECTED,
    "API_KEY_SERVICE_BLOCKED": Kind.CREDENTIAL_REJECTED,
    "SERVICE_DISABLED": Kind.CREDENTIAL_REJECTED,
    "BILLING_DISABLED": Kind.QUOTA_SPENT,
    "CONSUMER_SUSPENDED": Kind.CREDENTIAL_REVOKED,
}
"""By the `reason` of an ErrorInfo."""

_WRITTEN: Mapping[Kind, str] = {
    Kind.INVALID: "INVALID_ARGUMENT",
    Kind.TOO_LARGE: "INVALID_ARGUMENT",
    Kind.CONTEXT_EXCEEDED: "INVALID_ARGUMENT",
    Kind.UNAUTHENTICATED: "UNAUTHENTICATED",
    Kind.FORBIDDEN: "PERMISSION_DENIED",
    Kind.BUDGET_SPENT: "PERMISSION_DENIED",
    Kind.UNKNOWN_MODEL: "NOT_FOUND",
    Kind.UNKNOWN_PATH: "NOT_FOUND",
    Kind.WRONG_METHOD: "INVALID_ARGUMENT",
    Kind.UNSUPPORTED: "INVALID_ARGUMENT",
    Kind.REFUSED: "INVALID_ARGUMENT",
    Kind.RATE_LIMITED: "RESOURCE_EXHAUSTED",
    Kind.UPSTREAM_LIMITED: "RESOURCE_EXHAUSTED",
    Kind.QUOTA_SPENT: "RESOURCE_EXHAUSTED",
    Kind.CREDENTIAL_REJECTED: "INTERNAL",
    Kind.CREDENTIAL_REVOKED: "INTERNAL",
    Kind.OVERLOADED: "UNAVAILABLE",
    Kind.UPSTREAM_FAULT: "INTERNAL",
    Kind.UNREACHABLE: "INTERNAL",
    Kind.TIMED_OUT: "DEADLINE_EXCEEDED",
    Kind.GARBLED: "INTERNAL",
    Kind.CUT_SHORT: "INTERNAL",
    Kind.EMPTY: "INTERNAL",
    Kind.NO_ACCOUNT: "UNAUTHENTICATED",
    Kind.NO_TARGET: "UNAVAILABLE",
    Kind.STORE_GONE: "UNAVAILABLE",
    Kind.STOPPING: "UNAVAILABLE",
    Kind.CANCELLED: "CANCELLED",
    Kind.BUG: "INTERNAL",
}
"""One row per kind. The word goes with the status that RULES gives the kind."""
_TOO_LONG = "the input exceeds the maximum number of tokens"
_RPC = "type.googleapis.com/google.rpc."


def read_error(status: int, headers: Headers, body: bytes) -> GatewayError:
    """A refusal in any form: this dialect's, alone or in a list, a proxy's JSON, plain text or a web page."""
    wait = retry_after(headers)
    try:
        fields = _only(body)
    except Malformed:
        return GatewayError(_by_status(status), describe(status, headers, body), status=status, retry_after=wait)
    return read_told(fields, status=status, wait=wait, upstream=UpstreamWords(DIALECT, status, body))


def _only(body: bytes) -> Camel:
    """A stream that is a JSON array tells its error as the one item of it."""
    json.check_text(body)
    if body.lstrip()[:1] == b"[" and (items := json.read_items(body)):
        return Camel(items[0])
    return Camel(body)


def read_told(
    fields: Camel,
    *,
    status: int | None = None,
    wait: float | None = None,
    upstream: UpstreamWords | None = None,
) -> GatewayError:
    """An error object: the body of a refusal, or a chunk of a stream, which has no status of its own."""
    told = _Told(fields)
    shown = told.message.strip()[:LONGEST] or f"the provider answered {status or 'with an error'} and did not say why"
    return GatewayError(
        _kind(told, status),
        shown,
        status=status if status is not None else told.code,
        retry_after=told.wait if wait is None else wait,
        code=told.reason or None,
        upstream=upstream,
    )


class _Told:
    """What an error says of itself. `spent`: a quota for a day is used up, and not one for a minute."""

    def __init__(self, fields: Camel) -> None:
        self.word = self.message = self.reason = ""
        self.code: int | None = None
        self.wait: float | None = None
        self.spent = False
        error = _object(fields.raw("error"))
        if isinstance(error, str):
            self.message = error
            return
        inner = fields if error is None else error
        self.message = _string(inner.raw("message")) or _string(inner.raw("detail"))
        self.word = _string(inner.raw("status"))
        code = inner.raw("code")
        number = json.decode(code) if code is not None else None
        self.code = number if type(number) is int and 400 <= number < 600 else None
        for detail in _details(inner.raw("details")):
            self._read_detail(detail)
        if self.wait is None:
            self.wait = said_wait(self.message)

    def _read_detail(self, detail: Camel) -> None:
        kind = _string(detail.raw("@type")).rpartition(".")[2]
        if kind == "ErrorInfo":
            self.reason = _string(detail.raw("reason"))
            self._read_metadata(_object(detail.raw("metadata")))
        elif kind == "RetryInfo":
            self.wait = span(_string(detail.raw("retryDelay")))
        elif kind == "QuotaFailure":
            self.spent = b"PerDay" in bytes(detail.raw("violations") or b"")

    def _read_metadata(self, told: Camel | str | None) -> None:
        """Quotas of accounts, as opposed to those of projects, name the time here."""
        if isinstance(told, Camel) and self.wait is None:
            self.wait = span(_string(told.raw("quotaResetDelay")))


def _details(value: Raw | None) -> Iterator[Camel]:
    try:
        for item in () if value is None else json.read_items(value):
            yield Camel(item)
    except Malformed:
        return


def _object(value: Raw | None) -> Camel | str | None:
    if value is None:
        return None
    try:
        return json.decode(value) if json.is_text(value) else Camel(value)
    except Malformed:
        return None


def _string(value: Raw | None) -> str:
    return str(json.decode(value)) if value is not None and json.is_text(value) else ""


def _kind(told: _Told, status: int | None) -> Kind:
    lower = told.message.lower()
    for words, kind in _SAID:
        if words in lower and not (kind is Kind.QUOTA_SPENT and told.wait is not None and not told.spent):
            return kind
    if told.reason in _REASONS:
        return _REASONS[told.reason]
    if told.spent:
        return Kind.QUOTA_SPENT
    number = told.code if status is None else status
    if (told.word == "NOT_FOUND" or number == 404) and "model" in lower:
        return Kind.UNKNOWN_MODEL
    if told.word in _WORDS and (told.word not in _VAGUE or number not in _STATUSES):
        return _WORDS[told.word]
    return Kind.UPSTREAM_FAULT if number is None else _by_status(number)


def _by_status(status: int) -> Kind:
    """A 404 or 405 that is not in this dialect's form comes from a wrong address, not from the caller."""
    if status in _STATUSES:
        return _STATUSES[status]
    return Kind.INVALID if status in range(400, 500) and status not in (404, 405) else Kind.UPSTREAM_FAULT


def write_error(error: GatewayError) -> bytes:
    """The body of an error answer. `type` is for clients that expect OpenAI's errors everywhere."""
    word = _WRITTEN[error.kind]
    told: dict[str, object] = {"code": error.status, "message": _message(error), "status": word, "type": word.lower()}
    details: list[dict[str, object]] = []
    if error.param is not None:
        violation = {"field": error.param, "description": error.message}
        details.append({"@type": f"{_RPC}BadRequest", "fieldViolations": [violation]})
    if error.retry_after is not None:
        details.append({"@type": f"{_RPC}RetryInfo", "retryDelay": f"{error.retry_after:g}s"})
    if details:
        told["details"] = details
    return json.encode({"error": told})


def _message(error: GatewayError) -> str:
    """Some of Google's errors are known by their words only."""
    if error.kind is Kind.CONTEXT_EXCEEDED and "exceeds the maximum number of tokens" not in error.message.lower():
        return f"{_TOO_LONG}: {error.message}"
    return error.message


def write_error_event(error: GatewayError) -> bytes:
    """The same as the last event of a stream."""
    return write_data(write_error(error))
