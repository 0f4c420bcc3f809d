"""The upstream client: one request out, one answer in, over connections that are kept.

Implements the engine's Transport. Origins behind a proxy or with HTTP/2 go another way
(egress.py); all others go over our own connections. Nothing here follows redirects,
keeps cookies, or reads the environment.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from time import monotonic
from typing import TYPE_CHECKING

from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.ports import Incoming
from isthmus.providers.provider import Deadlines, Origin, Outgoing
from isthmus.transport.answer import Unheard
from isthmus.transport.deadlines import NEVER
from isthmus.transport.head import authority
from isthmus.transport.pool import Pool, PoolLimits
from isthmus.transport.resolve import Resolver
from isthmus.transport.tls import Contexts

if TYPE_CHECKING:
    from isthmus.transport.egress import Egress


@asynccontextmanager
async def open_transport(limits: PoolLimits = PoolLimits()) -> AsyncIterator["Client"]:  # noqa: B008  a frozen value
    """A client that is closed, with every connection it made, on the way out."""
    client = Client(limits=limits)
    try:
        yield client
    finally:
        await client.aclose()


class Client:
    """Use it from one event loop. `aclose` ends what is under way and waits until all is closed."""

    def __init__(self, *, limits: PoolLimits = PoolLimits(), resolver: Resolver | None = None) -> None:  # noqa: B008  a frozen value
        self._limits = limits
        self._pools: dict[Origin, Pool] = {}
        self._resolver = resolver or Resolver()
        self._contexts = Contexts(["http/1.1"])
        self._egress: Egress | None = None
        self._closed = False

    async def send(self, outgoing: Outgoing, deadlines: Deadlines) -> Incoming:
        pool = self._pools.get(outgoing.origin)
        if pool is None:
            if self._closed:
                raise GatewayError(Kind.STOPPING, "the gateway is stopping")
            if outgoing.origin.proxy is not None or outgoing.origin.http2:
                return await self._open_egress().send(outgoing, deadlines)
            pool = self._open_pool(outgoing.origin)
        until = NEVER if deadlines.total is None else monotonic() + deadlines.total
        head = pool.heads.write(outgoing)
        connection = pool.take() or await pool.acquire(deadlines, until)
        while True:
            answer = connection.begin(head, outgoing.body, deadlines, until=until, bodiless=outgoing.method == "HEAD")
            try:
                await answer.head()
            except Unheard:
                connection = await pool.acquire(deadlines, until, fresh=True)  # on which nothing is Unheard
            except BaseException:
                answer.close()
                raise
            else:
                return answer

    async def aclose(self) -> None:
        self._closed = True
        for pool in tuple(self._pools.values()):
            await pool.aclose()
        await self._resolver.aclose()
        if self._egress is not None:
            await self._egress.aclose()

    def stats(self) -> Mapping[str, Mapping[str, int]]:
        """Connections per origin, by its URL: open, idle, in use, and requests waiting for one."""
        parts = [(origin, pool.stats()) for origin, pool in self._pools.items()]
        if self._egress is not None:
            parts += self._egress.stats()
        told: dict[str, dict[str, int]] = {}
        for origin, stats in parts:
            counts = told.setdefault(f"{origin.scheme}://{authority(origin)}", {})
            for name, count in stats.items():
                counts[name] = counts.get(name, 0) + count
        return told

    def _open_pool(self, origin: Origin) -> Pool:
        """Opening one is rare, and the moment to forget those of origins that are configured no more."""
        self._pools = {origin: pool for origin, pool in self._pools.items() if not pool.unused}
        pool = self._pools[origin] = Pool(origin, self._limits, self._resolver, self._contexts)
        return pool

    def _open_egress(self) -> "Egress":
        if self._egress is None:
            from isthmus.transport.egress import Egress  # noqa: PLC0415  its library is large and rarely needed

            self._egress = Egress(self._limits)
        return self._egress
