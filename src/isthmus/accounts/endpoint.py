"""An issuer's endpoints: one request, one bounded answer, and what a refusal means.

Says in errors only which word an issuer refused with, and that only where it is a word: what was sent to an issuer, and
what it gave out, is secret.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias
from urllib.parse import urlencode, urlsplit

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.value import Value
from isthmus.engine.ports import Transport
from isthmus.providers.build import parse_base
from isthmus.providers.issuer import Issuer
from isthmus.providers.provider import Deadlines, Outgoing
from isthmus.wire import json
from isthmus.wire.headers import Headers, retry_after

MOST = 1024 * 1024
"""Bytes of an answer that are read."""
DEADLINES = Deadlines(connect=10.0, first_byte=20.0, between_bytes=10.0, total=30.0)

_WORD = re.compile(r"[a-z]+(_[a-z]+){0,5}")
_LONGEST_WORD = 40
_FORM = b"application/x-www-form-urlencoded"
_JSON = b"application/json"


class Reply(Value, frozen=True):
    """All of an issuer's answer. Names in `headers` are in lower case; the body may hold secrets."""

    status: int
    headers: Headers
    body: bytes


Ask: TypeAlias = Callable[[Outgoing], Awaitable[Reply]]
"""Asks an issuer once. Raises as the transport does, and GARBLED for an answer longer than MOST."""


def asking(transport: Transport, deadlines: Deadlines = DEADLINES) -> Ask:
    """To ask by this transport."""

    async def ask(outgoing: Outgoing) -> Reply:
        incoming = await transport.send(outgoing, deadlines)
        try:
            return Reply(incoming.status, incoming.headers, await incoming.body(MOST))
        finally:
            incoming.close()

    return ask


def posted(issuer: Issuer, url: str, fields: Mapping[str, str]) -> Outgoing:
    """A request with these fields, beside those that say which client this is. Raises ValueError for no address."""
    said = {**fields, "client_id": issuer.client_id} if issuer.client_id else dict(fields)
    if issuer.client_secret is not None:
        said["client_secret"] = issuer.client_secret.reveal()
    body, kind = (json.encode(said), _JSON) if issuer.json_tokens else (urlencode(said).encode(), _FORM)
    origin, _ = parse_base(url.partition("?")[0], proxy=issuer.proxy, ca_file=issuer.ca_file)
    headers = ((b"content-type", kind), (b"accept", _JSON))
    return Outgoing(origin, "POST", target_of(url), headers, body)


def target_of(url: str) -> str:
    """The path of an address, with its query."""
    parts = urlsplit(url)
    path = parts.path or "/"
    return f"{path}?{parts.query}" if parts.query else path


def told_in(reply: Reply) -> Mapping[str, Any]:
    """The fields of an answer in JSON; none where it is anything else."""
    try:
        told = json.decode(reply.body)
    except json.Malformed:
        return {}
    return told if isinstance(told, dict) else {}


def refusal_in(reply: Reply, told: Mapping[str, Any]) -> str | None:
    """The word that an issuer refuses with, "" for a refusal without one, None where it does not refuse.

    RFC 6749, section 5.2, has it as `error`; OpenAI as `error.code`, or `code`. GitHub refuses with status 200.
    """
    error = told.get("error")
    if error is None and reply.status < 400:
        return None
    words = (error, error.get("code") if isinstance(error, dict) else None, told.get("code"))
    return next((word for word in words if isinstance(word, str)), "")


def shown(word: str) -> str:
    """The word in brackets, where it is sure to be one and no secret."""
    return f" ({word})" if len(word) <= _LONGEST_WORD and _WORD.fullmatch(word) else ""


def check_reached(issuer: Issuer, reply: Reply) -> None:
    """Raises UPSTREAM_LIMITED, OVERLOADED or GARBLED where the issuer has neither given nor refused anything."""
    if reply.status == 429:
        raise GatewayError(
            Kind.UPSTREAM_LIMITED, f"{issuer.title} was asked too often", retry_after=retry_after(reply.headers)
        )
    if reply.status >= 500:
        raise GatewayError(
            Kind.OVERLOADED,
            f"{issuer.title} cannot answer now: it said {reply.status}",
            status=reply.status,
            retry_after=retry_after(reply.headers),
        )
    if reply.status < 200 or 300 <= reply.status < 400:
        raise garbled(issuer, f"with status {reply.status}, which no endpoint of an issuer does")


def garbled(issuer: Issuer, how: str) -> GatewayError:
    return GatewayError(Kind.GARBLED, f"{issuer.title} answered {how}; check the addresses of the issuer {issuer.name}")
