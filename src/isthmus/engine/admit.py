"""May this exchange begin? Who is calling, and is there room."""

import asyncio
import hashlib
from datetime import UTC, datetime

from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.clients import ANYONE, Client
from isthmus.engine.snapshot import Snapshot

BUSY_RETRY = 1.0
"""Seconds after which a caller who found no room may come again."""
STORE_RETRY = 5.0
"""Seconds after which a caller whose key could not be looked up may come again."""


class Gate:
    """Counts the exchanges that run, and is closed when the gateway stops."""

    __slots__ = ("_empty", "closing", "running")

    def __init__(self) -> None:
        self.running = 0
        self.closing = False
        self._empty = asyncio.Event()

    def enter(self, limit: int) -> None:
        """Let one more in. Raises STOPPING or OVERLOADED; whoever got in must `leave`."""
        if self.closing:
            raise GatewayError(Kind.STOPPING, "the gateway is stopping; try again shortly", retry_after=BUSY_RETRY)
        if self.running >= limit:
            raise GatewayError(
                Kind.OVERLOADED,
                f"the gateway already runs {limit} exchanges, which is its limit (limits.exchanges); try again shortly",
                retry_after=BUSY_RETRY,
            )
        self.running += 1

    def leave(self) -> None:
        self.running -= 1
        if self.closing and self.running == 0:
            self._empty.set()

    async def close(self, patience: float) -> bool:
        """Let nobody in any more and wait, for so many seconds, until the last has left. False when some have not."""
        self.closing = True
        if self.running == 0:
            return True
        try:
            async with asyncio.timeout(patience):
                await self._empty.wait()
        except TimeoutError:
            return False
        return True


def identify(presented: str | None, snapshot: Snapshot, time: float) -> Client:
    """Whose key this is, at Unix `time`. Only its digest is looked up: nothing depends on its characters in time.

    Raises UNAUTHENTICATED, or STORE_GONE for a key that may be known to a store which is out of reach.
    """
    if not snapshot.asks:
        return ANYONE
    if presented is None:
        raise _missing(snapshot)
    client = snapshot.clients.get(hashlib.sha256(presented.encode()).digest())
    if client is None:
        raise _unknown(snapshot)
    if client.ends is not None and time >= client.ends:
        raise _over(client)
    return client


def _missing(snapshot: Snapshot) -> GatewayError:
    if snapshot.blind and not snapshot.clients:
        return _blind("whether a client key is needed")
    words = "a client key is required; send it as 'Authorization: Bearer KEY' or 'x-api-key: KEY'"
    return GatewayError(Kind.UNAUTHENTICATED, words)


def _blind(what: str) -> GatewayError:
    words = f"{what} cannot be looked up at present; try again shortly"
    return GatewayError(Kind.STORE_GONE, words, retry_after=STORE_RETRY)


def _unknown(snapshot: Snapshot) -> GatewayError:
    if snapshot.blind:
        return _blind("whether this client key is known")
    return GatewayError(Kind.UNAUTHENTICATED, "this client key is not known here; check the key you send")


def _over(client: Client) -> GatewayError:
    if client.disabled:
        words = "this client key is switched off; ask whoever gave it to you"
    else:
        words = f"this client key is not taken any more since {_as_date(client.ends or 0.0)}; ask for a new one"
    return GatewayError(Kind.UNAUTHENTICATED, words)


def _as_date(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}"
