"""What tokens tell of their account, where they are JWTs (RFC 7519).

Nothing is verified: they are read as they come from the issuer itself, over TLS, and only to know what to call an
account and when its token ends. Nobody is let in for what they say.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

from isthmus.core.secret import Secret
from isthmus.core.value import Value
from isthmus.engine.accounts import Tokens
from isthmus.providers.issuer import Issuer
from isthmus.wire import json

LONGEST = 256
"""Characters of a fact; a longer one is none."""


class Told(Value, frozen=True):
    """What is known of an account by its tokens; "" for what is not."""

    email: str = ""
    subject: str = ""
    plan: str = ""


def told_by(issuer: Issuer, tokens: Tokens) -> Told:
    """By the ID token, and what it leaves out by the access token; for a service account, by its key file."""
    if tokens.service_account is not None:
        name = _text(_object(tokens.service_account.reveal().encode()), ("client_email",))
        return Told(email=name, subject=name)
    known = [payload_of(token) for token in (tokens.id_token, tokens.access)]
    paths = issuer.claims
    return Told(_first(known, paths.email), _first(known, paths.subject), _first(known, paths.plan))


def expiry_of(token: Secret | None) -> float | None:
    """Unix time at which a JWT ends, None where it does not say."""
    return _time(payload_of(token), "exp")


def lifetime_of(token: Secret | None) -> float | None:
    """Seconds from a JWT's beginning to its end, by its issuer's clock; None where it does not say."""
    payload = payload_of(token)
    begins, ends = _time(payload, "iat"), _time(payload, "exp")
    return None if begins is None or ends is None or ends <= begins else ends - begins


def payload_of(token: Secret | None) -> Mapping[str, Any]:
    """The claims of a JWT; none for what is no JWT."""
    parts = [] if token is None else token.reveal().split(".")
    if len(parts) != 3:
        return {}
    try:
        return _object(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError):
        return {}


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        found = json.decode(body)
    except json.Malformed:
        return {}
    return found if isinstance(found, dict) else {}


def _first(known: Sequence[Mapping[str, Any]], path: Sequence[str]) -> str:
    return next((text for claims in known if (text := _text(claims, path))), "")


def _text(claims: Mapping[str, Any], path: Sequence[str]) -> str:
    """The printable text at this path, "" where there is none."""
    found: Any = claims if path else None
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, str) and found.isprintable() and len(found) <= LONGEST else ""


def _time(claims: Mapping[str, Any], name: str) -> float | None:
    found = claims.get(name)
    return float(found) if isinstance(found, int | float) and 0 < found < 1e11 else None
