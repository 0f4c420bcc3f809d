"""The other way out: through a proxy, or over HTTP/2, by httpx2's transports.

The same port and the same meanings as our own client: raw bytes as they come, no
redirects, no cookies, no environment. Each link carries one answer at a time, over
HTTP/2 too: only so does closing an unfinished answer end the upstream's work, for
httpx2 resets no single stream.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from time import monotonic
from typing import Any

import httpx2

from isthmus.core.errors import GatewayError, Kind
from isthmus.providers.provider import Deadlines, Origin, Outgoing
from isthmus.transport.answer import Unheard
from isthmus.transport.connection import SLICE, STALE_WITHIN
from isthmus.transport.head import HeadWriter
from isthmus.transport.pool import PoolLimits
from isthmus.transport.relayed import FAULTS, PROXY_FAULTS, Relayed, earlier, explained, proxy_of, unconnected, way_to
from isthmus.transport.tls import Contexts

TRUSTS_NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For origins without TLS: reading the system's certificates takes a while, and httpx2 insists on some context."""


class Phase:
    """Where a request is on its way. Moves its patience along; times are the loop's.

    `streams` are the TCP connections made for it: httpx2 forgets those on which a proxy's
    handshake fails.
    """

    def __init__(self, deadlines: Deadlines, patience: asyncio.Timeout, until: float | None) -> None:
        self.name = "connect"
        self.streams: list[Any] = []
        self._deadlines = deadlines
        self._patience = patience
        self._until = until

    async def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """httpx2 tells what it does. What it asks of a proxy is still part of connecting."""
        if event.endswith("connect_tcp.complete"):
            self.streams.append(info["return_value"])
        elif event.endswith("send_request_headers.started") and info["request"].method != b"CONNECT":
            self.enter("first-byte")

    def enter(self, name: str) -> None:
        self.name = name
        seconds = self._deadlines.first_byte if name == "first-byte" else self._deadlines.between_bytes
        self._patience.reschedule(earlier(asyncio.get_running_loop().time() + seconds, self._until))


class Body(httpx2.AsyncByteStream):
    """A request body in slices. Each one taken is a sign of life."""

    def __init__(self, body: bytes, phase: Phase) -> None:
        self._body = body
        self._phase = phase

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for at in range(0, len(self._body), SLICE):
            self._phase.enter("between-bytes")
            yield self._body[at : at + SLICE]
        self._phase.enter("first-byte")


class Link:
    """One connection's worth of httpx2."""

    def __init__(self, transport: httpx2.AsyncHTTPTransport) -> None:
        self.transport = transport
        self.served = 0
        self.idle_since = 0.0


class Line:
    """The links to one origin, the one used last first; those not used for a while are closed."""

    def __init__(self, origin: Origin, limits: PoolLimits, contexts: Mapping[bool, Contexts]) -> None:
        self._origin = origin
        self._limits = limits
        self._contexts = contexts
        self._peer = way_to(origin)
        self._heads = HeadWriter(origin)
        self._room = asyncio.Semaphore(limits.connections)
        self._idle: list[Link] = []
        self._busy: set[Link] = set()
        self._closing: set[asyncio.Task[None]] = set()
        self._sweep: asyncio.TimerHandle | None = None
        self._closed = False

    def stats(self) -> Mapping[str, int]:
        idle, busy = len(self._idle), len(self._busy)
        return {"open": idle + busy, "idle": idle, "in_use": busy, "waiting": 0}

    async def send(self, outgoing: Outgoing, deadlines: Deadlines) -> Relayed:
        headers = self._heads.pairs(outgoing)
        until = None if deadlines.total is None else asyncio.get_running_loop().time() + deadlines.total
        try:
            return await self._ask(outgoing, headers, deadlines, until, fresh=False)
        except Unheard:
            return await self._ask(outgoing, headers, deadlines, until, fresh=True)

    async def aclose(self) -> None:
        self._closed = True
        if self._sweep is not None:
            self._sweep.cancel()
        for link in (*self._idle, *self._busy):
            self._close_soon(link)
        self._idle.clear()
        while self._closing:
            await asyncio.wait(self._closing)

    async def _ask(
        self,
        outgoing: Outgoing,
        headers: list[tuple[bytes, bytes]],
        deadlines: Deadlines,
        until: float | None,
        *,
        fresh: bool,
    ) -> Relayed:
        loop = asyncio.get_running_loop()
        phase: Phase | None = None
        try:
            async with asyncio.timeout_at(earlier(loop.time() + deadlines.connect, until)) as patience:
                phase = Phase(deadlines, patience, until)
                link = await self._link(fresh=fresh)
                response = await self._head(link, self._request(outgoing, headers, phase), phase)
        except TimeoutError:
            late = until is not None and loop.time() >= until
            raise self._late(deadlines, "total" if late else phase.name if phase else "connect") from None
        try:
            return Relayed(
                response, self._peer, lambda reusable: self._done(link, reusable), deadlines=deadlines, until=until
            )
        except GatewayError:
            self._done(link, reusable=False)
            raise

    async def _head(self, link: Link, request: httpx2.Request, phase: Phase) -> httpx2.Response:
        began = monotonic()
        link.served += 1
        try:
            return await link.transport.handle_async_request(request)
        except BaseException as error:
            self._done(link, reusable=False, streams=phase.streams)
            if not isinstance(error, FAULTS + PROXY_FAULTS if phase.name == "connect" else FAULTS):
                raise
            reused = link.served > 1 and not phase.streams
            raise self._failure(error, phase, stale=reused and monotonic() - began < STALE_WITHIN) from error

    def _failure(self, error: BaseException, phase: Phase, *, stale: bool) -> Exception:
        if self._closed:
            return GatewayError(Kind.STOPPING, "the gateway is stopping")
        if phase.name == "connect":
            return unconnected(error, self._peer)
        fault = explained(error, self._peer)
        return Unheard() if stale and fault.kind is Kind.CUT_SHORT else fault

    def _request(self, outgoing: Outgoing, headers: list[tuple[bytes, bytes]], phase: Phase) -> httpx2.Request:
        origin = self._origin
        url = httpx2.URL(scheme=origin.scheme, host=origin.host, port=origin.port, raw_path=outgoing.target.encode())
        extensions = {"trace": phase.trace}
        return httpx2.Request(
            outgoing.method, url, headers=headers, stream=Body(outgoing.body, phase), extensions=extensions
        )

    async def _link(self, *, fresh: bool) -> Link:
        await self._room.acquire()
        try:
            if self._closed:
                raise GatewayError(Kind.STOPPING, "the gateway is stopping")
            link = self._idle.pop() if self._idle and not fresh else Link(await self._transport())
        except BaseException:
            self._room.release()
            raise
        self._busy.add(link)
        return link

    async def _transport(self) -> httpx2.AsyncHTTPTransport:
        origin, secure = self._origin, self._origin.scheme == "https"
        return httpx2.AsyncHTTPTransport(
            verify=await self._contexts[origin.http2].get(origin.ca_file) if secure else TRUSTS_NOBODY,
            trust_env=False,
            http1=secure or not origin.http2,  # without TLS nobody is asked: HTTP/2 is spoken at once
            http2=origin.http2,
            limits=httpx2.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=self._limits.idle),
            proxy=await self._proxy(),
        )

    async def _proxy(self) -> httpx2.Proxy | None:
        secure = self._origin.proxy is not None and self._origin.proxy.startswith("https:")
        return proxy_of(self._origin, await self._contexts[False].get(self._origin.ca_file) if secure else None)

    def _done(self, link: Link, reusable: bool, streams: list[Any] | None = None) -> None:
        self._busy.discard(link)
        self._room.release()
        if not reusable or self._closed:
            self._close_soon(link, streams)
            return
        link.idle_since = monotonic()
        self._idle.append(link)
        if self._sweep is None:
            self._sweep = asyncio.get_running_loop().call_later(self._limits.idle, self._close_unused)

    def _close_unused(self) -> None:
        """Once per idle time, while there are any."""
        self._sweep = None
        oldest = monotonic() - self._limits.idle / 2
        for link in [link for link in self._idle if link.idle_since <= oldest]:
            self._idle.remove(link)
            self._close_soon(link)
        if self._idle:
            self._sweep = asyncio.get_running_loop().call_later(self._limits.idle / 2, self._close_unused)

    def _close_soon(self, link: Link, streams: list[Any] | None = None) -> None:
        """Closing takes a task, for whoever asks for it does not wait; `aclose` waits for all of them."""
        task = asyncio.create_task(_close(link, streams or []))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    def _late(self, deadlines: Deadlines, which: str) -> GatewayError:
        seconds = {
            "connect": deadlines.connect,
            "first-byte": deadlines.first_byte,
            "between-bytes": deadlines.between_bytes,
            "total": deadlines.total,
        }[which]
        what = "no connection to" if which == "connect" else "no answer from"
        return GatewayError(Kind.TIMED_OUT, f"{what} {self._peer} within {seconds:g} s ({which} deadline)")


async def _close(link: Link, streams: list[Any]) -> None:
    with suppress(*FAULTS):
        await link.transport.aclose()
    for stream in streams:
        with suppress(*FAULTS):
            await stream.aclose()


class Egress:
    """A Line for each origin that cannot be reached by our own connections."""

    def __init__(self, limits: PoolLimits) -> None:
        self._limits = limits
        self._lines: dict[Origin, Line] = {}
        # httpx2 writes its own ALPN into a context, so those for HTTP/2 are kept apart.
        self._contexts = {True: Contexts(["h2", "http/1.1"]), False: Contexts(["http/1.1"])}

    async def send(self, outgoing: Outgoing, deadlines: Deadlines) -> Relayed:
        origin = outgoing.origin
        if origin not in self._lines:
            self._lines[origin] = Line(origin, self._limits, self._contexts)
        return await self._lines[origin].send(outgoing, deadlines)

    def stats(self) -> list[tuple[Origin, Mapping[str, int]]]:
        return [(origin, line.stats()) for origin, line in self._lines.items()]

    async def aclose(self) -> None:
        for line in self._lines.values():
            await line.aclose()
