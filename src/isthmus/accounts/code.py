"""The authorization code: the address where somebody signs in, and what their browser brings back (RFC 6749, 8252).

A code and the state that belongs to it are compared by whoever began the sign-in; here they are only read.
"""

import secrets
from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, urlencode

from isthmus.accounts.pkce import METHOD, challenge_of
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.secret import Secret
from isthmus.core.value import Value
from isthmus.providers.issuer import Issuer

LONGEST = 8192
"""Characters of what may be pasted."""
_FIELDS = 32
"""Parameters that a browser may bring back."""


class Returned(Value, frozen=True):
    """What a browser brought back, or somebody pasted: a code or the word of an error. `state` is "" where unsaid."""

    code: Secret | None = None
    state: str = ""
    error: str = ""


def new_state() -> str:
    """By which a browser that comes back is known: 128 bits that nobody can guess."""
    return secrets.token_hex(16)


def redirect_uri_of(issuer: Issuer, port: int) -> str:
    host = f"[{issuer.callback_host}]" if ":" in issuer.callback_host else issuer.callback_host
    return f"http://{host}:{port}{issuer.callback_path}"


def authorize_url_of(issuer: Issuer, state: str, verifier: Secret, redirect_uri: str) -> str:
    """Where somebody signs in."""
    said = {"response_type": "code", "client_id": issuer.client_id, "redirect_uri": redirect_uri}
    if issuer.scopes:
        said["scope"] = " ".join(issuer.scopes)
    said |= {"code_challenge": challenge_of(verifier), "code_challenge_method": METHOD, "state": state}
    between = "&" if "?" in issuer.authorize_url else "?"
    return issuer.authorize_url + between + urlencode({**said, **issuer.parameters}, quote_via=quote)


def read_pasted(said: str) -> Returned:
    """The whole address that a browser was sent back to, its query alone, or the bare code. Raises INVALID."""
    text = said.strip()
    if not text or len(text) > LONGEST:
        raise GatewayError(Kind.INVALID, "paste the address that the browser was sent back to, or the code in it")
    if "://" in text:
        return read_query(text.partition("#")[0].partition("?")[2])
    if "code=" in text or "error=" in text:
        return read_query(text.lstrip("?"))
    return Returned(code=Secret(text))


def read_query(query: str) -> Returned:
    """Raises INVALID for a query that holds neither, or anything twice (RFC 6749, section 3.1)."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=_FIELDS)
    except ValueError as error:
        raise GatewayError(Kind.INVALID, "the address that the browser was sent back to is not understood") from error
    if len(pairs) != len({name for name, _ in pairs}):
        raise GatewayError(Kind.INVALID, "the address that the browser was sent back to holds a parameter twice")
    return read_parameters(dict(pairs))


def read_parameters(told: Mapping[str, str]) -> Returned:
    """Raises INVALID where there is neither a code nor an error."""
    code, error = told.get("code", ""), told.get("error", "")
    if not code and not error:
        raise GatewayError(Kind.INVALID, "the address that the browser was sent back to holds no code")
    return Returned(Secret(code) if code and not error else None, told.get("state", ""), error)
