"""Errors: `{"error": "text"}` under a status, or as a line of a stream.

The text is all that Ollama tells beside the status, so its words are asked first where they say more.

Source: https://docs.ollama.com/api/errors, and the messages of its server.
"""

from collections.abc import Mapping

from msgspec import Raw

from isthmus.core.errors import GatewayError, Kind, UpstreamWords
from isthmus.dialects.ollama import OLLAMA
from isthmus.wire import json
from isthmus.wire.headers import Headers, retry_after
from isthmus.wire.json import Fields, Malformed
from isthmus.wire.no_json import LONGEST
from isthmus.wire.waits import asked_wait

TOO_LONG = "the input length exceeds the context length"
"""Said by the server, and by us, of a conversation that the model cannot hold."""

_PHRASES: tuple[tuple[str, Kind], ...] = (
    ("exceeds the context length", Kind.CONTEXT_EXCEEDED),
    ("exceeds maximum context length", Kind.CONTEXT_EXCEEDED),
    ("exceeds the available context size", Kind.CONTEXT_EXCEEDED),
    ("does not support", Kind.UNSUPPORTED),
    ("is not supported for this model", Kind.UNSUPPORTED),
    ("maximum pending requests exceeded", Kind.OVERLOADED),
    ("usage limit", Kind.QUOTA_SPENT),
    ("unauthorized", Kind.CREDENTIAL_REJECTED),
)
"""What the server says, in lower case. A status that names the kind by itself outranks them."""

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
_MESSAGES = ("message", "detail", "error")


def read_error(status: int, headers: Headers, body: bytes, *, dialect: str = OLLAMA) -> GatewayError:
    """An upstream's refusal. Its words are kept; an HTML page is named and not shown."""
    told = _told(body)
    message = told or _plain_words(body) or _unsaid(status, body)
    kind = _kind(status, message, told=told is not None)
    return GatewayError(
        kind,
        message[:LONGEST],
        status=status,
        retry_after=asked_wait(kind, retry_after(headers), message),
        upstream=UpstreamWords(dialect, status, body) if _is_ours(body) else None,
    )


def told_error(body: bytes | Raw) -> GatewayError:
    """The error in `body`, which came under a good status: a whole answer or one line of a stream."""
    message = _told(bytes(body)) or "the provider told an error without words"
    kind = _kind(None, message, told=True)
    return GatewayError(kind, message[:LONGEST], retry_after=asked_wait(kind, None, message))


def write_error(error: GatewayError) -> bytes:
    """The body of an error answer."""
    message = error.message
    if error.kind is Kind.CONTEXT_EXCEEDED and _by_words(message) is not Kind.CONTEXT_EXCEEDED:
        message = f"{TOO_LONG}: {message}"
    return json.encode({"error": message})


def write_error_event(error: GatewayError) -> bytes:
    """The same as the last line of a stream."""
    return write_error(error) + b"\n"


def _kind(status: int | None, message: str, *, told: bool) -> Kind:
    found = _by_words(message)
    if status is None:
        return found or Kind.UPSTREAM_FAULT
    if status in _STATUSES and not (status == 429 and found is Kind.QUOTA_SPENT):
        return _STATUSES[status]
    if found is not None:
        return found
    if status == 404:
        return Kind.UNKNOWN_MODEL if told else Kind.UPSTREAM_FAULT
    return Kind.INVALID if 400 <= status < 500 and status != 405 else Kind.UPSTREAM_FAULT


def _by_words(message: str) -> Kind | None:
    lower = message.lower()
    if "model" in lower and "not found" in lower:
        return Kind.UNKNOWN_MODEL
    return next((kind for words, kind in _PHRASES if words in lower), None)


def _told(body: bytes) -> str | None:
    """The text of `error`, wherever a server that resembles Ollama puts it; None where nothing is said."""
    try:
        return _text(Raw(body.strip()))
    except (Malformed, RecursionError):
        return None


def _text(value: Raw) -> str | None:
    match bytes(memoryview(value)[:1]):
        case b'"':
            return str(json.decode(value)).strip() or None
        case b"{":
            fields = Fields(value)
            inner = [fields.raw(name) for name in ("error", *_MESSAGES)]
            return next((text for one in inner if one is not None and (text := _text(one))), None)
        case _:
            return None


def _plain_words(body: bytes) -> str | None:
    """What a proxy says in plain text."""
    text = body[: LONGEST * 4].decode("utf-8", "replace").strip()
    plain = text and text[0] not in '<{["' and "\ufffd" not in text
    return text if plain else None


def _unsaid(status: int, body: bytes) -> str:
    start = body.lstrip()[:1]
    what = "without a body" if not start else "with an HTML page" if start == b"<" else "with a body that says nothing"
    return f"the provider answered HTTP {status} {what}"


def _is_ours(body: bytes) -> bool:
    """Is it an error as Ollama's clients read it?"""
    try:
        return Fields(body).text("error") is not None
    except Malformed:
        return False
