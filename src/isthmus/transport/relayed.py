"""An answer that httpx2 carries, and its failures in our words. Implements the engine's Incoming."""

import asyncio
import ssl
import struct
from collections.abc import Callable
from contextlib import suppress

import h2.exceptions
import httpx2
import socksio.exceptions

from isthmus.core.errors import GatewayError, Kind
from isthmus.providers.provider import Deadlines, Origin
from isthmus.transport.decode import decoder_for
from isthmus.transport.dial import reason
from isthmus.transport.framing import HEAD_COUNT, without_coding
from isthmus.transport.head import authority
from isthmus.transport.reading import Reading
from isthmus.transport.tls import explain
from isthmus.wire.headers import Headers, find

FAULTS = (httpx2.TransportError, h2.exceptions.H2Error, OSError)
"""What httpx2 raises for an upstream's doing; HTTP/2 errors of a body reach us unmapped."""
PROXY_FAULTS = (socksio.exceptions.SOCKSError, AssertionError, LookupError, ValueError, struct.error)
"""What it raises besides, when a SOCKS proxy does not speak SOCKS."""
_CUT = ("disconnected", "closed connection", "streamreset", "connectionterminated")


class Relayed(Reading):
    """`done` is called once: with True when the link can be used again, with False when it must be closed."""

    __slots__ = ("_chunks", "_deadlines", "_done", "_failure", "_over", "_peer", "_stream", "_until")

    def __init__(
        self,
        response: httpx2.Response,
        peer: str,
        done: Callable[[bool], None],
        *,
        deadlines: Deadlines,
        until: float | None,
    ) -> None:
        """Raises GARBLED for a head that own connections would refuse too. `until` is in the loop's time."""
        headers: Headers = tuple((name.lower(), value) for name, value in response.headers.raw)
        self.status = response.status_code
        self._decoder = decoder_for(find(headers, b"content-encoding") or b"")
        self.headers = headers if self._decoder is None else without_coding(headers)
        if self.status < 200 or len(headers) > HEAD_COUNT:
            raise GatewayError(Kind.GARBLED, f"{peer} sent an answer that cannot be used (status {self.status})")
        assert isinstance(response.stream, httpx2.AsyncByteStream)  # noqa: S101  an async transport gives no other
        self._stream = response.stream
        self._chunks = aiter(response.stream)
        self._deadlines = deadlines
        self._peer = peer
        self._until = until
        self._done = done
        self._over = False
        self._failure: tuple[Kind, str] | None = None

    def want(self, size: int) -> None:
        """httpx2 reads on demand and holds nothing back."""

    async def _read_wire(self) -> bytes:
        if not self._over:
            try:
                if chunk := await self._next():
                    return chunk
                await self._stream.aclose()
                self._finish(reusable=True)
            except TimeoutError:
                self._fail(Kind.TIMED_OUT, self._late())
            except FAULTS as error:
                fault = explained(error, self._peer)
                self._fail(fault.kind, fault.message)
            except asyncio.CancelledError:
                self.close()
                raise
        if self._failure is not None:
            raise GatewayError(*self._failure)
        return b""

    def close(self) -> None:
        self._fail(Kind.CUT_SHORT, "the answer was closed before its end")

    async def _next(self) -> bytes:
        """The next bytes; b"" at the end. HTTP/2 knows empty pieces, which are none."""
        due = asyncio.get_running_loop().time() + self._deadlines.between_bytes
        async with asyncio.timeout_at(earlier(due, self._until)):
            async for chunk in self._chunks:
                if chunk:
                    return chunk
        return b""

    def _fail(self, kind: Kind, words: str) -> None:
        if not self._over:
            self._failure = (kind, words)
            self._finish(reusable=False)

    def _finish(self, *, reusable: bool) -> None:
        self._over = True
        self._done(reusable)

    def _late(self) -> str:
        if self._until is not None and asyncio.get_running_loop().time() >= self._until:
            return f"{self._peer} took longer than {self._deadlines.total:g} s over the whole answer (total deadline)"
        seconds = self._deadlines.between_bytes
        return f"{self._peer} fell silent for {seconds:g} s in the middle of its answer (between-bytes deadline)"


def earlier(due: float, until: float | None) -> float:
    return due if until is None else min(due, until)


def proxy_of(origin: Origin, tls: ssl.SSLContext | None = None) -> httpx2.Proxy | None:
    """Raises UNREACHABLE, and does not quote it, when the configured URL is none of a proxy."""
    if origin.proxy is None:
        return None
    with suppress(ValueError, httpx2.InvalidURL):
        proxy = httpx2.Proxy(origin.proxy, ssl_context=tls)
        if proxy.url.host and (proxy.url.port or 1) < 65536:
            return proxy
    raise GatewayError(Kind.UNREACHABLE, f"the proxy for {origin.host} is not an http, https or socks5 URL")


def way_to(origin: Origin) -> str:
    """Where a request goes, in words without secrets: "api.example.com through the proxy http://10.0.0.1:3128"."""
    proxy = proxy_of(origin)
    return authority(origin) if proxy is None else f"{authority(origin)} through the proxy {str(proxy.url).rstrip('/')}"


def unconnected(error: BaseException, peer: str) -> GatewayError:
    """A failure before the request was sent."""
    if isinstance(error, httpx2.ProxyError):
        return GatewayError(Kind.UNREACHABLE, f"no connection to {peer}: the proxy says {str(error)[:200]!r}")
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return explain(cause, peer)
        cause = cause.__cause__ or cause.__context__
    return GatewayError(Kind.UNREACHABLE, f"no connection to {peer}: {reason(error)}")


def explained(error: BaseException, peer: str) -> GatewayError:
    """A failure after the request was sent."""
    words = str(error)
    protocol = isinstance(error, (httpx2.ProtocolError, h2.exceptions.H2Error))
    if protocol and not any(sign in words.lower() for sign in _CUT):
        return GatewayError(Kind.GARBLED, f"{peer} sent an answer that cannot be read: {words[:200]}")
    return GatewayError(Kind.CUT_SHORT, f"{peer} closed the connection before its answer was complete")
