"""An upstream's answer, between the connection that fills it and the engine that reads it.

Holds what has arrived and was not yet read, and one future that whoever waits is woken by.
Implements the engine's Incoming.
"""

import asyncio
from typing import TYPE_CHECKING

from isthmus.core.errors import GatewayError, Kind
from isthmus.transport.decode import Decoder
from isthmus.transport.reading import Reading
from isthmus.wire.headers import Headers

if TYPE_CHECKING:
    from isthmus.transport.connection import Connection

HIGH_WATER = 256 * 1024
"""Unread bytes beyond which the connection stops reading."""


class Unheard(Exception):
    """A reused connection turned out to be dead before a byte of the answer: the request may be sent again."""


class Answer(Reading):
    """`status` is 0 until the head has arrived. `size` counts the unread bytes, `high` is how many may wait."""

    __slots__ = (
        "_connection",
        "_failure",
        "_loop",
        "_over",
        "_unheard",
        "_waiter",
        "high",
        "pieces",
        "size",
    )

    def __init__(self, connection: "Connection", loop: asyncio.AbstractEventLoop) -> None:
        self.status = 0
        self.headers: Headers = ()
        self._decoder: Decoder | None = None
        self.pieces: list[bytes] = []
        self.size = 0
        self.high = HIGH_WATER
        self._connection: Connection | None = connection
        self._loop = loop
        self._over = self._unheard = False
        self._failure: tuple[Kind, str] | None = None
        self._waiter: asyncio.Future[None] | None = None

    async def head(self) -> None:
        """Wait for the head. Raises Unheard, or what went wrong instead."""
        while not self.status and not self._over:
            await self._waiting()
        if not self.status:
            if self._unheard:
                raise Unheard
            self._raise_failure()

    def want(self, size: int) -> None:
        self.high = max(self.high, size)

    def close(self) -> None:
        """Give up what is left. A connection in the middle of this answer is closed with it."""
        if self._connection is not None:
            self._connection.drop(self)
            self.fail(Kind.CUT_SHORT, "the answer was closed before its end")

    def begin(self, status: int, headers: Headers, decoder: Decoder | None) -> None:
        self.status = status
        self.headers = headers
        self._decoder = decoder

    def wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def end(self) -> None:
        """The answer is complete; its connection serves others from here on."""
        self._over, self._connection = True, None
        self.wake()

    async def body(self, limit: int) -> bytes:
        if self._over and self._failure is None and self._decoder is None and self.size <= limit:
            return self._take()  # it has all come with its head, as most do
        return await super().body(limit)

    def fail(self, kind: Kind, words: str, *, unheard: bool = False) -> None:
        """What has arrived can still be read; then `read` raises this."""
        if not self._over:
            self._failure, self._unheard = (kind, words), unheard
            self.end()

    async def _read_wire(self) -> bytes:
        while not self.pieces and not self._over:
            await self._waiting()
        if self.pieces:
            return self._take()
        self._raise_failure()
        return b""

    def _take(self) -> bytes:
        pieces, self.pieces, self.size = self.pieces, [], 0
        if self._connection is not None and self._connection.held:
            self._connection.resume()
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _waiting(self) -> "asyncio.Future[None]":
        """Done when something has changed."""
        if self._waiter is not None and not self._waiter.done():
            raise RuntimeError("an answer is read by one task at a time")
        self._waiter = waiter = self._loop.create_future()
        return waiter

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise GatewayError(*self._failure)
