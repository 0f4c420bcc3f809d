"""The gateway that runs, as a command asks it: where it listens, and who asks."""

import asyncio
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from isthmus.cli.output import fail
from isthmus.config.administrators import ROLES
from isthmus.config.load import Loaded
from isthmus.config.schema import Config
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.secret import Secret
from isthmus.engine.ports import Incoming
from isthmus.providers.provider import Deadlines, Origin, Outgoing
from isthmus.transport.client import open_transport
from isthmus.wire import json
from isthmus.wire.headers import Headers

PATIENCE = Deadlines(connect=2.0, first_byte=30.0, between_bytes=30.0, total=60.0)
LONGEST = 256 * 1024 * 1024
"""Bytes of an answer that are read."""
_HERE: Mapping[str, str] = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104  what to ask for it
_PORTS: Mapping[str, int] = {"http": 80, "https": 443}


class Running(NamedTuple):
    """Where the gateway listens, and what proves that an administrator asks."""

    origin: Origin
    headers: Headers

    @property
    def url(self) -> str:
        host = f"[{self.origin.host}]" if ":" in self.origin.host else self.origin.host
        return f"{self.origin.scheme}://{host}:{self.origin.port}"


class Answered(NamedTuple):
    """What the gateway said."""

    status: int
    body: bytes


def running(loaded: Loaded, url: str | None) -> Running:
    """The gateway of this configuration, by its first listener; or the one at `url`."""
    key = _key(loaded.config)
    headers = () if key is None else ((b"x-management-key", key.reveal().encode()),)
    if url is not None:
        return Running(_origin(url), headers)
    first = loaded.config.listeners[0]
    return Running(Origin("http", _HERE.get(first.host, first.host), first.port), headers)


def _key(config: Config) -> Secret | None:
    """The management key, else the first of the keys whose owner may do most."""
    if config.management_key is not None or not config.admin.keys:
        return config.management_key
    return max(config.admin.keys, key=lambda one: ROLES[one.role]).key


def ask(gateway: Running, method: str, target: str, body: bytes = b"", *, headers: Headers = ()) -> Answered | None:
    """What the gateway answers; None when none listens there. Anything else that goes wrong ends the command."""
    try:
        return asyncio.run(_ask(Outgoing(gateway.origin, method, target, gateway.headers + headers, body)))
    except GatewayError as error:
        if error.kind is Kind.UNREACHABLE:
            return None
        fail(f"{gateway.url} did not answer: {error.message}")


def good(answer: Answered) -> bytes:
    """What a good answer holds. A refusal ends the command with its words, in whatever dialect they are."""
    if not 200 <= answer.status < 300:
        fail(_words(answer.body) or f"the gateway answered {answer.status}, and did not say why")
    return answer.body


def _words(body: bytes) -> str | None:
    try:
        told: object = json.decode(body)
    except json.Malformed:
        return None
    match told:
        case {"error": {"message": str(words)}} | {"error": str(words)}:
            return words
        case _:
            return None


async def _ask(outgoing: Outgoing) -> Answered:
    async with open_transport() as transport:
        incoming: Incoming = await transport.send(outgoing, PATIENCE)
        try:
            return Answered(incoming.status, await incoming.body(LONGEST))
        finally:
            incoming.close()


def _origin(url: str) -> Origin:
    parts = urlsplit(url if "://" in url else f"http://{url}")
    if parts.scheme not in _PORTS or not parts.hostname:
        fail(f"{url} is no address of a gateway; write http://HOST:PORT")
    try:
        port = parts.port
    except ValueError:
        fail(f"{url} has no port that there is")
    return Origin(parts.scheme, parts.hostname, port or _PORTS[parts.scheme])
