"""Makes what is kept of bodies: clean of secrets, as one answer, and within bounds; in a thread, away from requests."""

import asyncio
import logging
from collections.abc import Sequence

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.secret import Secret
from isthmus.engine.bodies import Bodies, BodyShelf, Captured, whole_answer
from isthmus.telemetry.redaction import Redactor

WAITING = 1000
"""Exchanges whose bodies wait at most."""
WAITING_BYTES = 64 * 1024 * 1024
"""What these may hold together."""
AT_ONCE = 32
RETRY = 1.0
"""Seconds between two tries while the store is gone."""
CLOSES_WITHIN = 3.0
"""Seconds in which what waits is still kept when the gateway stops."""

log = logging.getLogger(__name__)


class Scribe:
    """Implements the engine's BodyKeeper. `dropped` counts the exchanges whose bodies were lost. `run` is its work."""

    def __init__(self, shelf: BodyShelf, redactor: Redactor) -> None:
        self.dropped = 0
        self._shelf = shelf
        self._redactor = redactor
        self._waiting: list[Captured] = []
        self._size = 0
        self._called = asyncio.Event()
        self._trouble = False

    def put(self, captured: Captured) -> None:
        size = _size(captured)
        if len(self._waiting) >= WAITING or self._size + size > WAITING_BYTES:
            self.dropped += 1
            return
        self._waiting.append(captured)
        self._size += size
        self._called.set()

    async def run(self) -> None:
        """Keep what comes, until cancelled."""
        while True:
            await self._called.wait()
            if not await self._keep_some():
                await asyncio.sleep(RETRY)

    async def close(self) -> None:
        """Keep what waits, within a bound. `run` has ended before."""
        try:
            async with asyncio.timeout(CLOSES_WITHIN):
                while self._waiting and await self._keep_some():
                    pass
        except TimeoutError:
            pass
        self.dropped += len(self._waiting)

    async def _keep_some(self) -> bool:
        """False where the store is gone, and they go on waiting."""
        batch = self._waiting[:AT_ONCE]
        rows = await asyncio.to_thread(self._made, batch)
        try:
            await self._shelf.keep_bodies(rows)
            self._trouble = False
        except GatewayError as error:
            if not self._trouble:
                log.warning("bodies cannot be kept: %s", error.message)
            self._trouble = True
            if error.kind is Kind.STORE_GONE:
                return False
            self.dropped += len(batch)
        except Exception:  # those that come later are kept
            log.exception("bodies of %d exchanges are lost by a fault of the gateway", len(batch))
            self.dropped += len(batch)
        del self._waiting[: len(batch)]
        self._size -= sum(map(_size, batch))
        if not self._waiting:
            self._called.clear()
        return True

    def _made(self, batch: Sequence[Captured]) -> list[Bodies]:
        rows = []
        for one in batch:
            try:
                rows.append(self._make(one))
            except Exception:
                log.exception("the bodies of exchange %s are lost by a fault of the gateway", one.id)
                self.dropped += 1
        return rows

    def _make(self, one: Captured) -> Bodies:
        answer = one.answer
        if answer is not None and one.streamed is not None:
            answer = whole_answer(answer, one.streamed)
        return Bodies(
            id=one.id,
            at=one.at,
            client=one.client,
            route=one.route,
            request=self._clean(one.request, one.known, one.most),
            answer=self._clean(answer, one.known, one.most),
            request_bytes=one.request_bytes,
            answer_bytes=one.answer_bytes,
        )

    def _clean(self, body: bytes | None, known: Sequence[Secret], most: int) -> str | None:
        if body is None:
            return None
        clean = self._redactor.clean(body[: 2 * most + 4096].decode(errors="replace").replace("\0", ""), known)
        return clean.encode()[:most].decode(errors="ignore")


def _size(captured: Captured) -> int:
    return len(captured.request or b"") + len(captured.answer or b"")
