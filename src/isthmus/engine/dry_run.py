"""The outside for a request that is only looked at: it goes all the way to the door, and does not leave.

The engine does with these ports what it does with the real ones; so what is told of a request is what would be sent.
What cannot be known without spending something (a file that is fetched, a signature that a cloud gives) stands as it is
known here, and is noted in words.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from isthmus.core.content import Inline
from isthmus.engine.exchange import Exchange
from isthmus.engine.ports import Authority, Fetcher, Incoming, Limiter, Memory, Ports
from isthmus.providers.provider import CloudKey, Deadlines, Outgoing
from isthmus.routing.limits import NEVER, Claim, Grant, Limit, Measure, Refusal, Remembered

_TYPES: Mapping[str, str] = {
    ".pdf": "application/pdf",
    ".mp3": "audio/mpeg",
    ".wav": "audio/wav",
    ".mp4": "video/mp4",
    ".txt": "text/plain",
}
"""What a file is taken for by the end of its URL; a picture otherwise."""


class DryRun:
    """Ports to hand down the line, and what they noted: `sent`, which did not leave, and `notes` for people."""

    def __init__(self, real: Ports) -> None:
        self.sent: list[Outgoing] = []
        self.notes: list[str] = []
        self.ports = Ports(
            _Door(self),
            real.clock,
            _Nobody(),
            authority=None if real.authority is None else _Unsigned(self),
            memory=None if real.memory is None else _Reading(real.memory),
            fetcher=None if real.fetcher is None else _Unfetched(self),
            counting=real.counting,
            limiter=None if real.limiter is None else _Counted(real.limiter),
        )
        self.ports.expected = real.expected

    async def run(self, once: Callable[[], Awaitable[object]]) -> None:
        """Let `once` ask. Raises GatewayError for a request that would not have been sent."""
        await asyncio.sleep(0)  # writing a request takes as long as it is; others come in between
        try:
            await once()
        except _AtTheDoor:
            return

    def note(self, words: str) -> None:
        if words not in self.notes:
            self.notes.append(words)


class _AtTheDoor(Exception):
    """The request would be sent now."""


class _Door:
    """Implements Transport."""

    def __init__(self, run: DryRun) -> None:
        self._run = run

    async def send(self, outgoing: Outgoing, deadlines: Deadlines) -> Incoming:  # noqa: ARG002  as Transport
        self._run.sent.append(outgoing)
        raise _AtTheDoor


class _Counted(Limiter):
    """Looks whether there is room, and takes none. What is wanted has room here by what is known to be used."""

    def __init__(self, real: Limiter) -> None:
        self._real = real

    @property
    def state(self) -> str:
        return self._real.state

    @property
    def alone(self) -> int:
        return self._real.alone

    async def claim(self, claims: Sequence[Claim]) -> Grant | Refusal:
        for limit, amount in claims:
            if amount > limit.most:
                return Refusal(limit, NEVER)
            if round(self.share(limit) * limit.most) + amount > limit.most:
                return Refusal(limit, 0.0)
        return Grant(tuple(claims), 0.0, "")

    def settle(self, grant: Grant, spent: Mapping[Measure, int]) -> None:
        """Nothing was taken."""

    async def remember(self, found: Sequence[Remembered]) -> None:
        """Nobody tells it."""

    def tab(self, limits: Sequence[Limit]) -> None:
        """None of them is counted here alone."""

    def share(self, limit: Limit) -> float:
        return self._real.share(limit)


class _Unsigned(Authority):
    """Asks no cloud for anything."""

    def __init__(self, run: DryRun) -> None:
        self._run = run

    async def sign(self, outgoing: Outgoing, key: CloudKey) -> Outgoing:
        self._run.note(f"the signature of {key.kind} is made when it is sent, and is not shown")
        return outgoing

    async def refused(self, outgoing: Outgoing, key: CloudKey) -> None:
        """Nothing was asked."""


class _Reading(Memory):
    """What is remembered is looked up; nothing is added or forgotten."""

    def __init__(self, real: Memory) -> None:
        self._real = real

    async def put(self, keys: Sequence[str], value: bytes) -> None:
        """Nothing is kept."""

    async def forget(self, keys: Sequence[str]) -> None:
        """Nothing is forgotten."""

    async def get(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        return await self._real.get(keys)

    def may_hold(self, sort: str) -> bool:
        return self._real.may_hold(sort)


class _Unfetched(Fetcher):
    """Fetches nothing: an empty file stands where one would."""

    def __init__(self, run: DryRun) -> None:
        self._run = run

    async def fetch(self, url: str) -> Inline:
        self._run.note("files that the provider does not fetch itself are fetched when it is sent; here they are empty")
        path = url.partition("?")[0].lower()
        return Inline(next((kind for end, kind in _TYPES.items() if path.endswith(end)), "image/png"), "")


class _Nobody:
    """Implements Recorder."""

    def record(self, exchange: Exchange) -> None:
        """Nothing happened."""
