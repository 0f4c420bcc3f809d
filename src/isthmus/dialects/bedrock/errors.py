"""Errors: what Bedrock refuses, in an answer or inside a stream, into a kind; and a kind into its words.

An exception is named by the header `x-amzn-errortype`, by `__type` in the body, or by the stream's frame. The kind
comes from the words where they say more than the name, then from the name, then from the status.

Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html (errors),
https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html.
"""

from collections.abc import Mapping, Sequence

from msgspec import Raw

from isthmus.core.errors import GatewayError, Kind, UpstreamWords
from isthmus.dialects.bedrock.words import DIALECT
from isthmus.wire import json
from isthmus.wire.event_stream import EXCEPTION, GARBLED, write_exception
from isthmus.wire.frames import Frame
from isthmus.wire.headers import Headers, find, retry_after
from isthmus.wire.json import Fields, Malformed
from isthmus.wire.no_json import LONGEST, describe
from isthmus.wire.waits import asked_wait

TOO_LONG = "Input is too long for requested model."

_NAMES: Mapping[str, Kind] = {
    "ValidationException": Kind.INVALID,
    "AccessDeniedException": Kind.CREDENTIAL_REJECTED,
    "UnrecognizedClientException": Kind.CREDENTIAL_REJECTED,
    "InvalidSignatureException": Kind.CREDENTIAL_REJECTED,
    "IncompleteSignatureException": Kind.CREDENTIAL_REJECTED,
    "MissingAuthenticationTokenException": Kind.CREDENTIAL_REJECTED,
    "InvalidClientTokenId": Kind.CREDENTIAL_REJECTED,
    "ExpiredTokenException": Kind.CREDENTIAL_REJECTED,
    "OptInRequired": Kind.CREDENTIAL_REJECTED,
    "ThrottlingException": Kind.UPSTREAM_LIMITED,
    "TooManyRequestsException": Kind.UPSTREAM_LIMITED,
    "ServiceQuotaExceededException": Kind.QUOTA_SPENT,
    "ResourceNotFoundException": Kind.UNKNOWN_MODEL,
    "ModelNotReadyException": Kind.OVERLOADED,
    "ServiceUnavailableException": Kind.OVERLOADED,
    "ServiceUnavailable": Kind.OVERLOADED,
    "ModelTimeoutException": Kind.TIMED_OUT,
    "RequestEntityTooLargeException": Kind.TOO_LARGE,
    "ModelErrorException": Kind.UPSTREAM_FAULT,
    "ModelStreamErrorException": Kind.UPSTREAM_FAULT,
    "InternalServerException": Kind.UPSTREAM_FAULT,
    "InternalFailure": Kind.UPSTREAM_FAULT,
}
_STATUSES: Mapping[int, Kind] = {
    401: Kind.CREDENTIAL_REJECTED,
    402: Kind.QUOTA_SPENT,
    403: Kind.CREDENTIAL_REJECTED,
    408: Kind.TIMED_OUT,
    413: Kind.TOO_LARGE,
    424: Kind.UPSTREAM_FAULT,
    429: Kind.UPSTREAM_LIMITED,
    503: Kind.OVERLOADED,
    504: Kind.TIMED_OUT,
    529: Kind.OVERLOADED,
}
_SAID: Sequence[tuple[str, Kind]] = (
    ("input is too long", Kind.CONTEXT_EXCEEDED),
    ("prompt is too long", Kind.CONTEXT_EXCEEDED),
    ("exceed context limit", Kind.CONTEXT_EXCEEDED),
    ("maximum context length", Kind.CONTEXT_EXCEEDED),
    ("too many input tokens", Kind.CONTEXT_EXCEEDED),
    ("input tokens exceeded", Kind.CONTEXT_EXCEEDED),
    ("too many tokens per day", Kind.QUOTA_SPENT),
    ("model identifier is invalid", Kind.UNKNOWN_MODEL),
    ("on-demand throughput", Kind.UNKNOWN_MODEL),
    ("this model doesn't support", Kind.UNSUPPORTED),
)
"""Words that tell more than the name they come with."""

_WRITTEN: Mapping[Kind, str] = {
    Kind.INVALID: "ValidationException",
    Kind.TOO_LARGE: "RequestEntityTooLargeException",
    Kind.CONTEXT_EXCEEDED: "ValidationException",
    Kind.UNAUTHENTICATED: "UnrecognizedClientException",
    Kind.FORBIDDEN: "AccessDeniedException",
    Kind.BUDGET_SPENT: "AccessDeniedException",
    Kind.UNKNOWN_MODEL: "ResourceNotFoundException",
    Kind.UNKNOWN_PATH: "UnknownOperationException",
    Kind.WRONG_METHOD: "UnknownOperationException",
    Kind.UNSUPPORTED: "ValidationException",
    Kind.REFUSED: "ValidationException",
    Kind.RATE_LIMITED: "ThrottlingException",
    Kind.UPSTREAM_LIMITED: "ThrottlingException",
    Kind.QUOTA_SPENT: "ThrottlingException",
    Kind.CREDENTIAL_REJECTED: "InternalServerException",
    Kind.CREDENTIAL_REVOKED: "InternalServerException",
    Kind.OVERLOADED: "ServiceUnavailableException",
    Kind.UPSTREAM_FAULT: "ModelErrorException",
    Kind.UNREACHABLE: "InternalServerException",
    Kind.TIMED_OUT: "ModelTimeoutException",
    Kind.GARBLED: "InternalServerException",
    Kind.CUT_SHORT: "ModelStreamErrorException",
    Kind.EMPTY: "ModelErrorException",
    Kind.NO_ACCOUNT: "UnrecognizedClientException",
    Kind.NO_TARGET: "ServiceUnavailableException",
    Kind.STORE_GONE: "ServiceUnavailableException",
    Kind.STOPPING: "ServiceUnavailableException",
    Kind.CANCELLED: "InternalServerException",
    Kind.BUG: "InternalServerException",
}
"""One row per kind. The name goes with the status that RULES gives the kind."""


def read_error(status: int, headers: Headers, body: bytes) -> GatewayError:
    """A refusal in any form: this dialect's, a proxy's JSON, plain text or a web page."""
    name = _plain_name((find(headers, b"x-amzn-errortype") or b"").decode("latin-1"))
    wait = retry_after(headers)
    try:
        said, message = _told(json.document(body))
    except Malformed:
        kind = _NAMES.get(name) or _by_status(status)
        return GatewayError(kind, describe(status, headers, body), status=status, retry_after=wait, code=name or None)
    name = name or said
    shown = message.strip()[:LONGEST] or f"the provider answered {status} and did not say why"
    kind = _kind(name, message, status)
    return GatewayError(
        kind,
        shown,
        status=status,
        retry_after=asked_wait(kind, wait, message),
        code=name or None,
        upstream=UpstreamWords(DIALECT, status, body),
    )


def read_failure(frame: Frame) -> GatewayError | None:
    """What a frame of a stream tells in place of an event; None for an event."""
    if frame.event == GARBLED:
        return GatewayError(Kind.GARBLED, f"the provider's stream: {frame.data.decode(errors='replace')}")
    if not frame.event.startswith(EXCEPTION):
        return None
    name = _plain_name(frame.event.removeprefix(EXCEPTION).decode("latin-1"))
    try:
        _, message = _told(json.document(frame.data))
    except Malformed:
        message = ""
    shown = message.strip()[:LONGEST] or f"the provider broke off with {name or 'an exception'}"
    return GatewayError(_kind(name, message, None), shown, code=name or None)


def _told(fields: Fields) -> tuple[str, str]:
    """The exception's name and its message, which old services spell with a capital."""
    message = _string(fields.raw("message")) or _string(fields.raw("Message"))
    return _plain_name(_string(fields.raw("__type"))), message


def _string(value: Raw | None) -> str:
    return str(json.decode(value)) if value is not None and json.is_text(value) else ""


def _plain_name(name: str) -> str:
    """Without the namespace before it or the address behind it, and with the capital that streams leave out."""
    bare = name.partition(":")[0].rpartition("#")[2].strip()
    return bare[:1].upper() + bare[1:]


def _kind(name: str, message: str, status: int | None) -> Kind:
    lower = message.lower()
    for words, kind in _SAID:
        if words in lower:
            return kind
    if name in _NAMES:
        return _NAMES[name]
    return Kind.UPSTREAM_FAULT if status is None else _by_status(status)


def _by_status(status: int) -> Kind:
    """A 404 or 405 without a name comes from a wrong address, not from the caller."""
    if status in _STATUSES:
        return _STATUSES[status]
    return Kind.INVALID if status in range(400, 500) and status not in (404, 405) else Kind.UPSTREAM_FAULT


def write_error(error: GatewayError) -> bytes:
    """The body of an error answer."""
    return json.encode({"__type": _WRITTEN[error.kind], "message": _message(error)})


def _message(error: GatewayError) -> str:
    if error.kind is Kind.CONTEXT_EXCEEDED and _kind("", error.message, None) is not error.kind:
        return f"{TOO_LONG} {error.message}"
    return error.message


def write_error_event(error: GatewayError) -> bytes:
    name = _WRITTEN[error.kind]
    return write_exception(name[:1].lower() + name[1:], json.encode({"message": _message(error)}))
