"""Media by URL, for providers that fetch nothing themselves.

The URL comes from a client, so nothing of it is trusted: only http and https, only addresses of the
public internet, no credentials, few redirects, a bounded size, known types, and a limit in time.
"""

import base64
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from urllib.parse import urljoin, urlsplit

from isthmus.core.content import Inline
from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.ports import Incoming
from isthmus.providers.provider import Deadlines, Origin, Outgoing
from isthmus.transport.client import Client
from isthmus.transport.guarded import GuardedResolver, is_public
from isthmus.wire.headers import find

MOST = 20 * 1024 * 1024
"""Bytes of one file."""
REDIRECTS = 3
PATIENCE = Deadlines(connect=5.0, first_byte=10.0, between_bytes=10.0, total=30.0)
_HEADERS = ((b"accept", b"image/*, audio/*, video/*, application/pdf, text/*"), (b"user-agent", b"isthmus"))
_PORTS = {"http": 80, "https": 443}
_FAMILIES = ("image/", "audio/", "video/", "text/")
_MAGIC: Mapping[bytes, str] = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
    b"%PDF-": "application/pdf",
}
"""First bytes by which a file is known whose server does not say what it is."""


@asynccontextmanager
async def open_fetcher(*, most: int = MOST, allowed: Callable[[str], bool] = is_public) -> AsyncIterator["Fetcher"]:
    """A fetcher with connections of its own, closed on the way out."""
    client = Client(resolver=GuardedResolver(allowed))
    try:
        yield Fetcher(client, most)
    finally:
        await client.aclose()


class Fetcher:
    """Implements the engine's Fetcher."""

    def __init__(self, client: Client, most: int) -> None:
        self._client = client
        self._most = most

    async def fetch(self, url: str) -> Inline:
        """The file at `url`. Raises INVALID, saying which rule it breaks or what its server answered."""
        for _ in range(REDIRECTS + 1):
            incoming = await self._send(url)
            try:
                if 300 <= incoming.status < 400 and (to := find(incoming.headers, b"location")) is not None:
                    url = urljoin(url, to.decode("latin-1"))
                    continue
                return await self._read(incoming, url)
            finally:
                incoming.close()
        raise _refused(url, f"redirects more than {REDIRECTS} times")

    async def _send(self, url: str) -> Incoming:
        try:
            return await self._client.send(_outgoing(url), PATIENCE)
        except GatewayError as error:
            raise _refused(url, f"cannot be fetched: {error.message}") from error

    async def _read(self, incoming: Incoming, url: str) -> Inline:
        if incoming.status != 200:
            raise _refused(url, f"was answered with HTTP {incoming.status}")
        try:
            data = await incoming.body(self._most)
        except GatewayError as error:
            raise _refused(url, f"cannot be fetched: {error.message}") from error
        kind = _type_of(find(incoming.headers, b"content-type"), data)
        if kind is None:
            raise _refused(url, "is no image, sound, film, PDF or text")
        return Inline(kind, base64.b64encode(data).decode("ascii"))


def _outgoing(url: str) -> Outgoing:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise _refused(url, f"is no address: {error}") from error
    host = parts.hostname or ""
    if parts.scheme not in _PORTS or not host:
        raise _refused(url, "is no http or https address")
    if parts.username is not None or parts.password is not None:
        raise _refused(url, "holds a user name or password")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not (target.isascii() and target.isprintable() and host.isascii()) or " " in target:
        raise _refused(url, "holds characters that must be percent-encoded")
    return Outgoing(Origin(parts.scheme, host, _PORTS[parts.scheme] if port is None else port), "GET", target, _HEADERS)


def _type_of(told: bytes | None, data: bytes) -> str | None:
    """The media type: as the server says it where that is one we take, else by the first bytes."""
    said = (told or b"").partition(b";")[0].strip().lower().decode("latin-1")
    if said.startswith(_FAMILIES) or said == "application/pdf":
        return said
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for magic, kind in _MAGIC.items() if data.startswith(magic)), None)


def _refused(url: str, why: str) -> GatewayError:
    shown = url.split("?", 1)[0][:200]
    return GatewayError(Kind.INVALID, f"the file at {shown} {why}; send it inline, as base64")
