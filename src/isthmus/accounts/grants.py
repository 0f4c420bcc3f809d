"""What an issuer gives tokens for: a refresh token, a code, or an assertion that a service account signed.

Each function asks once and keeps nothing; trying again is its caller's. RFC 6749, sections 4.1.3, 5 and 6.
"""

import re
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from isthmus.accounts.claims import lifetime_of
from isthmus.accounts.endpoint import Ask, Reply, check_reached, garbled, posted, refusal_in, shown, told_in
from isthmus.accounts.service_account import assertion_of, token_url_of
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.secret import Secret
from isthmus.engine.accounts import Tokens
from isthmus.providers.issuer import Issuer

DEAD = frozenset(
    {
        "access_denied",
        "account_deactivated",
        "bad_refresh_token",
        "consent_required",
        "interaction_required",
        "invalid_grant",
        "invalid_token",
        "login_required",
        "refresh_token_expired",
        "refresh_token_invalidated",
        "refresh_token_reused",
    }
)
"""Words for tokens that are never taken again: of RFC 6749 and 6750, OpenID Connect, OpenAI and GitHub."""
MISCONFIGURED = frozenset(
    {
        "invalid_client",
        "invalid_request",
        "invalid_scope",
        "invalid_target",
        "unauthorized_client",
        "unsupported_grant_type",
    }
)
"""Words for what would be refused whoever asks: a matter of the configuration, and not of the account."""

_TOKEN = re.compile(r"[!-~]{1,65536}")
_YEARS = 10 * 366 * 86400.0


async def refreshed(issuer: Issuer, tokens: Tokens, ask: Ask, time: float) -> Tokens:
    """Tokens in place of these, by the refresh token or the service account. `time` is Unix time.

    Raises CREDENTIAL_REVOKED where they are taken no more, CREDENTIAL_REJECTED where the configuration is wrong,
    UPSTREAM_LIMITED with `retry_after`, and, for what may be tried again, UNREACHABLE, TIMED_OUT, CUT_SHORT,
    OVERLOADED and GARBLED.
    """
    if tokens.service_account is not None:
        signed = await assertion_of(issuer, tokens.service_account, time)
        given = await _given(issuer, token_url_of(issuer, tokens.service_account), signed, ask, time)
        return replace(given, refresh=None, service_account=tokens.service_account)
    if tokens.refresh is None:
        raise GatewayError(Kind.CREDENTIAL_REVOKED, f"there is no refresh token of {issuer.title}: sign in again")
    fields = {"grant_type": "refresh_token", "refresh_token": tokens.refresh.reveal()}
    if issuer.refresh_scopes:
        fields["scope"] = " ".join(issuer.refresh_scopes)
    given = await given_for(issuer, fields, ask, time)
    return replace(given, refresh=given.refresh or tokens.refresh, id_token=given.id_token or tokens.id_token)


async def exchanged(
    issuer: Issuer, code: Secret, *, verifier: Secret, redirect_uri: str, ask: Ask, time: float
) -> Tokens:
    """The tokens that a code stands for. Raises INVALID where the code is not taken, else as `refreshed`."""
    fields = {
        "grant_type": "authorization_code",
        "code": code.reveal(),
        "redirect_uri": redirect_uri,
        "code_verifier": verifier.reveal(),
    }
    try:
        return await given_for(issuer, fields, ask, time)
    except GatewayError as error:
        if error.kind is not Kind.CREDENTIAL_REVOKED:
            raise
        word = shown(error.code or "")
        raise GatewayError(
            Kind.INVALID, f"{issuer.title} does not take the code{word}: begin the sign-in again"
        ) from error


async def given_for(issuer: Issuer, fields: Mapping[str, str], ask: Ask, time: float) -> Tokens:
    """What the issuer gives for these fields. Raises as `refreshed`, with the issuer's word as `code`."""
    return await _given(issuer, issuer.token_url, fields, ask, time)


def tokens_in(issuer: Issuer, told: Mapping[str, Any], time: float) -> Tokens:
    """The tokens that an answer gives. Raises GARBLED where it holds none that a request could carry."""
    access = _secret(told, "access_token")
    if access is None:
        raise garbled(issuer, "without an access token")
    kind = told.get("token_type")
    if isinstance(kind, str) and kind.lower() != "bearer":
        raise garbled(issuer, "with a token that is no bearer token")
    lasts = _seconds(told.get("expires_in")) or lifetime_of(access)
    return Tokens(
        access=access,
        refresh=_secret(told, "refresh_token"),
        id_token=_secret(told, "id_token"),
        expires_at=None if lasts is None else time + lasts,
    )


async def _given(issuer: Issuer, url: str, fields: Mapping[str, str], ask: Ask, time: float) -> Tokens:
    reply = await ask(posted(issuer, url, fields))
    check_reached(issuer, reply)
    told = told_in(reply)
    word = refusal_in(reply, told)
    if word is not None:
        raise _refused(issuer, reply, word)
    return tokens_in(issuer, told, time)


def _refused(issuer: Issuer, reply: Reply, word: str) -> GatewayError:
    """A 401 without a word that says otherwise means the token too: OpenAI answers so."""
    if word in DEAD or (reply.status == 401 and word not in MISCONFIGURED):
        told = f"{issuer.title} takes the account's tokens no more{shown(word)}: sign in again"
        return GatewayError(Kind.CREDENTIAL_REVOKED, told, status=reply.status, code=word)
    told = f"{issuer.title} gives out no token: it said {reply.status}{shown(word)}; check the issuer {issuer.name}"
    return GatewayError(Kind.CREDENTIAL_REJECTED, told, status=reply.status, code=word)


def _secret(told: Mapping[str, Any], name: str) -> Secret | None:
    found = told.get(name)
    return Secret(found) if isinstance(found, str) and _TOKEN.fullmatch(found) else None


def _seconds(told: object) -> float | None:
    """Some issuers write the number as text."""
    if isinstance(told, str) and told.isdigit() and len(told) <= 12:
        told = int(told)
    return float(told) if isinstance(told, int | float) and 0 < told <= _YEARS else None
