"""Service accounts: a key file, and the assertion by which it asks for tokens (RFC 7523, signed with RS256).

The file is Google's JSON: `client_email`, `private_key`, and, where they are said, `private_key_id`, `token_uri`,
`scopes` and `audience`. A key is asked for at the issuer's own address; the one in the file counts only where the
issuer has none.
"""

import asyncio
import base64
from collections.abc import Mapping, Sequence
from typing import Any

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.secret import Secret
from isthmus.providers.issuer import Issuer
from isthmus.providers.issuers.checked import check_url
from isthmus.wire import json

LASTS = 3600
"""Seconds that an assertion is good for; Google takes no longer one."""
MOST = 64 * 1024
"""Bytes of a key file."""
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def service_account_of(issuer: Issuer, text: str) -> Secret:
    """The key file, once it is known to be one. Raises INVALID, in words that hold nothing of it."""
    from isthmus.accounts.rsa_keys import check_key  # noqa: PLC0415  30 ms and 9 MB, for who has such an account

    if len(text) > MOST:
        raise _invalid(f"the service account's file is longer than {MOST} bytes")
    key = Secret(text)
    try:
        check_key(_text(_fields(key), "private_key"))
    except ValueError as error:
        raise _invalid(f"of the service account's file, {error}") from error
    if not _text(_fields(key), "client_email"):
        raise _invalid("the service account's file has no client_email")
    token_url_of(issuer, key)
    return key


def token_url_of(issuer: Issuer, key: Secret) -> str:
    """Where tokens are asked for. Raises INVALID where neither the issuer nor the file says it."""
    url = issuer.token_url or _text(_fields(key), "token_uri")
    try:
        check_url("token_uri", url)
    except ValueError as error:
        raise _invalid(f"of the service account's file, {error}") from error
    return url


async def assertion_of(issuer: Issuer, key: Secret, time: float) -> Mapping[str, str]:
    """The fields that ask for a token, signed at `time`, which is Unix time. Raises INVALID for no key file."""
    return await asyncio.to_thread(_assertion, issuer, key, int(time))


def _assertion(issuer: Issuer, key: Secret, now: int) -> Mapping[str, str]:
    from isthmus.accounts.rsa_keys import rs256  # noqa: PLC0415  as above

    told = _fields(key)
    header = {"alg": "RS256", "typ": "JWT"}
    if kid := _text(told, "private_key_id"):
        header["kid"] = kid
    claims: dict[str, object] = {
        "iss": _text(told, "client_email"),
        "sub": _text(told, "client_email"),
        "aud": issuer.audience or _text(told, "audience") or token_url_of(issuer, key),
        "iat": now,
        "exp": now + LASTS,
    }
    if scope := " ".join(issuer.scopes or _scopes(told)):
        claims["scope"] = scope
    signed = f"{_part(header)}.{_part(claims)}"
    try:
        signature = rs256(_text(told, "private_key"), signed.encode())
    except ValueError as error:
        raise _invalid(f"of the service account's file, {error}") from error
    return {"grant_type": JWT_BEARER, "assertion": f"{signed}.{_encoded(signature)}"}


def _fields(key: Secret) -> Mapping[str, Any]:
    try:
        told = json.decode(key.reveal().encode())
    except json.Malformed:
        raise _invalid("the service account's file is not JSON") from None
    if not isinstance(told, dict):
        raise _invalid("the service account's file is no JSON object")
    return told


def _text(told: Mapping[str, Any], name: str) -> str:
    found = told.get(name)
    return found if isinstance(found, str) else ""


def _scopes(told: Mapping[str, Any]) -> Sequence[str]:
    found = told.get("scopes")
    if isinstance(found, str):
        return found.split()
    return [scope for scope in found if isinstance(scope, str)] if isinstance(found, list) else []


def _part(value: object) -> str:
    return _encoded(json.encode(value))


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _invalid(message: str) -> GatewayError:
    return GatewayError(Kind.INVALID, message)
