"""What the Codex backend refuses with: OpenAI's error objects, and FastAPI's `detail`.

Source: github.com/openai/codex, codex-rs/codex-api/src/api_bridge.rs (limits of use, with `resets_at`, and plans
without Codex); what accounts that are closed get: github.com/Wei-Shaw/sub2api/pull/1302; the challenge in front of
chatgpt.com: github.com/GewoonJaap/codex-openai-wrapper/issues/53.
"""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from msgspec import Raw

from isthmus.core.errors import GatewayError, Kind
from isthmus.dialects.openai import RESPONSES
from isthmus.dialects.openai import errors as openai
from isthmus.wire import json
from isthmus.wire.headers import Headers, find

_WORDS: Mapping[str, Kind] = {
    "usage_limit_reached": Kind.QUOTA_SPENT,
    "usage_not_included": Kind.CREDENTIAL_REJECTED,
    "deactivated_workspace": Kind.CREDENTIAL_REVOKED,
    "account_deactivated": Kind.CREDENTIAL_REVOKED,
    "token_invalidated": Kind.CREDENTIAL_REVOKED,
    "token_revoked": Kind.CREDENTIAL_REVOKED,
    "unsupported_parameter": Kind.UNSUPPORTED,
}
"""`type` and `code`, of an error or of a detail."""
_PHRASES: tuple[tuple[str, Kind], ...] = (
    ("not supported when using codex with a chatgpt account", Kind.UNKNOWN_MODEL),
    ("unsupported parameter", Kind.UNSUPPORTED),
    ("has been deactivated", Kind.CREDENTIAL_REVOKED),
)
"""What is said without a code, in lower case."""


LATEST = 1e10
"""Unix time, and seconds, from which on a number is neither."""


def read_error(status: int, headers: Headers, body: bytes) -> GatewayError:
    """A refusal, with the seconds until a limit resets where they can be known."""
    error = openai.read_error(status, headers, body, RESPONSES)
    if status == 403 and body.lstrip()[:1] == b"<":
        words = "a page for browsers stands in front of the Codex backend: it is not reached from this network"
        return GatewayError(Kind.UPSTREAM_FAULT, words)
    told = _told(body)
    kind = _kind(told, error)
    wait = _wait(told, headers)
    return GatewayError(
        kind,
        error.message,
        status=status,
        retry_after=error.retry_after if wait is None else wait,
        param=error.param,
        code=error.code,
        upstream=error.upstream,
    )


def _told(body: bytes) -> Mapping[str, Raw]:
    """The object that says what is wrong."""
    try:
        fields = json.read_fields(body)
        for name in ("error", "detail"):
            if (value := fields.get(name)) is not None and json.is_object(value):
                return json.read_fields(value)
    except json.Malformed:
        return {}
    return fields


def _kind(told: Mapping[str, Raw], error: GatewayError) -> Kind:
    for name in ("code", "type"):
        value = told.get(name, json.NULL)
        if json.is_text(value) and (kind := _WORDS.get(json.decode(value))) is not None:
            return kind
    message = error.message.lower()
    return next((kind for phrase, kind in _PHRASES if phrase in message), error.kind)


def _wait(told: Mapping[str, Raw], headers: Headers) -> float | None:
    """Seconds until the limit resets: as they are told, else from the backend's own clock to the time it tells."""
    seconds, moment = _number(told.get("resets_in_seconds")), _number(told.get("resets_at"))
    if seconds is not None or moment is None:
        return seconds if seconds is None or seconds <= openai.YEAR else None
    try:
        now = parsedate_to_datetime((find(headers, b"date") or b"").decode("latin-1")).timestamp()
    except ValueError:
        return None
    return min(max(0.0, moment - now), openai.YEAR)


def _number(value: Raw | None) -> float | None:
    if value is None:
        return None
    try:
        said = json.decode(value)
    except json.Malformed:
        return None
    return float(said) if type(said) in (int, float) and 0 <= said < LATEST else None
