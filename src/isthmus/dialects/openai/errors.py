"""Errors of the OpenAI family, read from any host that resembles it and written for OpenAI clients.

Sources: the OpenAI API reference and its guide to error codes; for compatible hosts, what they send.
"""

from collections.abc import Mapping

from msgspec import Raw

from isthmus.core.errors import GatewayError, Kind, UpstreamWords
from isthmus.dialects.openai import CHAT
from isthmus.wire import json
from isthmus.wire.headers import Headers, retry_after
from isthmus.wire.json import Fields, Malformed
from isthmus.wire.no_json import LONGEST
from isthmus.wire.waits import asked_wait

_WORDS: Mapping[str, Kind] = {
    "context_length_exceeded": Kind.CONTEXT_EXCEEDED,
    "exceed_context_size_error": Kind.CONTEXT_EXCEEDED,
    "model_max_prompt_tokens_exceeded": Kind.CONTEXT_EXCEEDED,
    "request_too_large": Kind.TOO_LARGE,
    "insufficient_quota": Kind.QUOTA_SPENT,
    "billing_hard_limit_reached": Kind.QUOTA_SPENT,
    "billing_not_active": Kind.QUOTA_SPENT,
    "insufficient_balance": Kind.QUOTA_SPENT,
    "usage_limit_reached": Kind.QUOTA_SPENT,
    "invalid_api_key": Kind.CREDENTIAL_REJECTED,
    "authentication_error": Kind.CREDENTIAL_REJECTED,
    "permission_error": Kind.CREDENTIAL_REJECTED,
    "account_deactivated": Kind.CREDENTIAL_REVOKED,
    "model_not_found": Kind.UNKNOWN_MODEL,
    "deploymentnotfound": Kind.UNKNOWN_MODEL,
    "rate_limit_exceeded": Kind.UPSTREAM_LIMITED,
    "rate_limit_error": Kind.UPSTREAM_LIMITED,
    "content_filter": Kind.REFUSED,
    "content_policy_violation": Kind.REFUSED,
    "moderation_blocked": Kind.REFUSED,
    "responsibleaipolicyviolation": Kind.REFUSED,
    "overloaded": Kind.OVERLOADED,
    "overloaded_error": Kind.OVERLOADED,
    "engine_overloaded_error": Kind.OVERLOADED,
    "service_unavailable": Kind.OVERLOADED,
    "service_unavailable_error": Kind.OVERLOADED,
    "slow_down": Kind.OVERLOADED,
    "server_is_overloaded": Kind.OVERLOADED,
    "server_error": Kind.UPSTREAM_FAULT,
    "internal_server_error": Kind.UPSTREAM_FAULT,
    "api_error": Kind.UPSTREAM_FAULT,
    "timeout": Kind.TIMED_OUT,
    "invalid_request_error": Kind.INVALID,
}
"""`error.code` and `error.type`, in lower case; the code is asked first."""

_PHRASES: tuple[tuple[str, Kind], ...] = (
    ("context length", Kind.CONTEXT_EXCEEDED),
    ("context window", Kind.CONTEXT_EXCEEDED),
    ("context size", Kind.CONTEXT_EXCEEDED),
    ("prompt is too long", Kind.CONTEXT_EXCEEDED),
    ("maximum number of input tokens", Kind.CONTEXT_EXCEEDED),
    ("input token count exceeds", Kind.CONTEXT_EXCEEDED),
    ("content management policy", Kind.REFUSED),
    ("api key not valid", Kind.CREDENTIAL_REJECTED),
    ("incorrect api key", Kind.CREDENTIAL_REJECTED),
    ("invalid api key", Kind.CREDENTIAL_REJECTED),
    ("insufficient credits", Kind.QUOTA_SPENT),
    ("insufficient balance", Kind.QUOTA_SPENT),
    ("exceeded your current quota", Kind.QUOTA_SPENT),
)
"""What compatible hosts say in a message, in lower case, where their codes say nothing."""

_STATUSES: Mapping[int, Kind] = {
    401: Kind.CREDENTIAL_REJECTED,
    402: Kind.QUOTA_SPENT,
    403: Kind.CREDENTIAL_REJECTED,
    404: Kind.UNKNOWN_MODEL,
    408: Kind.TIMED_OUT,
    413: Kind.TOO_LARGE,
    429: Kind.UPSTREAM_LIMITED,
    503: Kind.OVERLOADED,
    504: Kind.TIMED_OUT,
    529: Kind.OVERLOADED,
}

ROWS: Mapping[Kind, tuple[str, str | None]] = {
    Kind.INVALID: ("invalid_request_error", None),
    Kind.TOO_LARGE: ("invalid_request_error", "request_too_large"),
    Kind.CONTEXT_EXCEEDED: ("invalid_request_error", "context_length_exceeded"),
    Kind.UNAUTHENTICATED: ("invalid_request_error", "invalid_api_key"),
    Kind.FORBIDDEN: ("invalid_request_error", "permission_denied"),
    Kind.BUDGET_SPENT: ("insufficient_quota", "insufficient_quota"),
    Kind.UNKNOWN_MODEL: ("invalid_request_error", "model_not_found"),
    Kind.UNKNOWN_PATH: ("invalid_request_error", "unknown_url"),
    Kind.WRONG_METHOD: ("invalid_request_error", "method_not_supported"),
    Kind.UNSUPPORTED: ("invalid_request_error", "unsupported_value"),
    Kind.REFUSED: ("invalid_request_error", "content_filter"),
    Kind.RATE_LIMITED: ("rate_limit_error", "rate_limit_exceeded"),
    Kind.UPSTREAM_LIMITED: ("rate_limit_error", "rate_limit_exceeded"),
    Kind.QUOTA_SPENT: ("insufficient_quota", "insufficient_quota"),
    Kind.CREDENTIAL_REJECTED: ("server_error", "provider_credential_rejected"),
    Kind.CREDENTIAL_REVOKED: ("server_error", "provider_credential_revoked"),
    Kind.OVERLOADED: ("server_error", "overloaded"),
    Kind.UPSTREAM_FAULT: ("server_error", None),
    Kind.UNREACHABLE: ("server_error", "provider_unreachable"),
    Kind.TIMED_OUT: ("server_error", "timeout"),
    Kind.GARBLED: ("server_error", "provider_garbled"),
    Kind.CUT_SHORT: ("server_error", "provider_cut_short"),
    Kind.EMPTY: ("server_error", "provider_empty"),
    Kind.NO_ACCOUNT: ("authentication_error", "no_account"),
    Kind.NO_TARGET: ("server_error", "no_target"),
    Kind.STORE_GONE: ("server_error", "store_gone"),
    Kind.STOPPING: ("server_error", "stopping"),
    Kind.CANCELLED: ("server_error", "cancelled"),
    Kind.BUG: ("server_error", "internal_error"),
}
"""`error.type` and `error.code` of each kind; where no code is named, a provider's own is passed on."""


YEAR = 366 * 86_400.0
"""Seconds beyond which no limit is believed to reset."""


class _Told:
    """What an error body says, in whatever shape it came."""

    __slots__ = ("code", "message", "param", "status", "type", "wait")

    def __init__(self) -> None:
        self.message: str | None = None
        self.type: str | None = None
        self.code: str | None = None
        self.param: str | None = None
        self.status: int | None = None
        self.wait: float | None = None


def read_error(status: int, headers: Headers, body: bytes, dialect: str = CHAT) -> GatewayError:
    """An upstream's refusal, told in `dialect`. Its words are kept; an HTML page is named and not shown."""
    told = _read_body(body)
    kind = _kind(status, told)
    return GatewayError(
        kind,
        (told.message or _unsaid(status, body))[:LONGEST],
        status=status,
        retry_after=asked_wait(kind, retry_after(headers) if told.wait is None else told.wait, told.message or ""),
        param=told.param,
        code=told.code,
        upstream=UpstreamWords(dialect, status, body) if _is_ours(body) else None,
    )


def told_error(body: bytes | Raw) -> GatewayError:
    """The error in `body`, which came under a good status: a whole answer or one frame of a stream."""
    told = _read_body(bytes(body))
    message, kind = told.message or "the provider told an error without words", _kind(told.status, told)
    wait = asked_wait(kind, told.wait, message)
    return GatewayError(kind, message[:LONGEST], status=told.status, retry_after=wait, param=told.param, code=told.code)


def write_error(error: GatewayError) -> bytes:
    """The body of an error answer. `detail` is what clients of FastAPI-made servers look for."""
    return json.encode({"error": error_object(error), "detail": error.message})


def write_error_event(error: GatewayError) -> bytes:
    """The same as the last event of a stream."""
    return b"data: " + json.encode({"error": error_object(error)}) + b"\n\n"


def error_object(error: GatewayError) -> dict[str, str | None]:
    """What stands under `error` in an error of this vendor."""
    kind, code = ROWS[error.kind]
    return {"message": error.message, "type": kind, "param": error.param, "code": code or error.code}


def _kind(status: int | None, told: _Told) -> Kind:
    if status == 401:
        return Kind.CREDENTIAL_REJECTED
    for word in (told.code, told.type):
        found = _WORDS.get(word.lower(), Kind.INVALID) if word else Kind.INVALID
        if found not in (Kind.INVALID, Kind.UPSTREAM_FAULT):
            return found
    if status is None or 400 <= status < 500:
        message = (told.message or "").lower()
        for phrase, kind in _PHRASES:
            if phrase in message and (status != 429 or kind is Kind.QUOTA_SPENT):
                return kind
    return _by_status(status, told)


def _by_status(status: int | None, told: _Told) -> Kind:
    if status is None:
        return _WORDS.get((told.type or "").lower(), Kind.UPSTREAM_FAULT)
    if status in _STATUSES:
        return _STATUSES[status]
    return Kind.INVALID if 400 <= status < 500 else Kind.UPSTREAM_FAULT


def _read_body(body: bytes) -> _Told:
    told = _Told()
    try:
        _read_value(Raw(body.strip()), told)
    except (Malformed, RecursionError):
        text = body.decode("utf-8", "replace").strip()
        told.message = text if text and not text.startswith("<") and text[0] not in '{["' else None
    return told


def _read_value(value: Raw, told: _Told) -> None:
    """A string, an object, or a list of which the first item counts (Gemini's OpenAI endpoint sends one)."""
    match bytes(memoryview(value)[:1]):
        case b'"':
            told.message = _text(value)
        case b"[":
            items = json.read_items(value)
            if items:
                _read_value(items[0], told)
        case b"{":
            _read_object(Fields(value), told)
        case _:
            raise Malformed("not an error body")


def _read_object(fields: Fields, told: _Told) -> None:
    error = fields.raw("error")
    if error is not None and bytes(memoryview(error)[:1]) == b"{":
        _read_object(Fields(error), told)
    elif error is not None:
        told.message = _text(error)
    told.type = told.type or _text(fields.raw("type"))
    told.code = told.code or _text(fields.raw("code"))
    told.param = told.param or _text(fields.raw("param"))
    told.message = told.message or _message(fields)
    if (seconds := fields.raw("resets_in_seconds")) is not None:
        told.wait = _seconds(seconds)
    for name in ("status_code", "status", "code"):
        told.status = told.status or _status(_text(fields.raw(name)) or (told.code if name == "code" else None))


def _message(fields: Fields) -> str | None:
    """`message`, or FastAPI's `detail`: a text, or a list of objects with `msg`."""
    for name in ("message", "detail", "error_description", "msg"):
        value = fields.raw(name)
        if value is None:
            continue
        if bytes(memoryview(value)[:1]) != b"[":
            return _text(value)
        found = [json.decode(item) for item in json.read_items(value)]
        texts = [str(item.get("msg") or item) if isinstance(item, dict) else str(item) for item in found]
        return "; ".join(texts)
    return None


def _text(value: Raw | None) -> str | None:
    """The text of a string, the spelling of anything else."""
    if value is None:
        return None
    return str(json.decode(value)) if json.is_text(value) else bytes(value).decode("utf-8", "replace")


def _seconds(value: Raw) -> float | None:
    """What the Codex backend tells with a limit of use that is reached; None for what no limit lasts."""
    try:
        said = json.decode(value)
    except Malformed:
        return None
    return float(said) if type(said) in (int, float) and 0 <= said <= YEAR else None


def _status(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() and 400 <= int(text) <= 599 else None


def _unsaid(status: int, body: bytes) -> str:
    start = body.lstrip()[:1]
    what = "without a body" if not start else "with an HTML page" if start == b"<" else "with a body that says nothing"
    return f"the provider answered HTTP {status} {what}"


def _is_ours(body: bytes) -> bool:
    """Is it an error object as OpenAI's clients read it?"""
    try:
        fields = Fields(body).fields("error")
        return fields is not None and fields.text("message") is not None
    except Malformed:
        return False
