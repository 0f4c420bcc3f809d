"""The process that started the workers answers what all of them must agree on: limits, memory, the bundled model, sums.

It carries no request. What it keeps is the same ledger and the same memory that a single process keeps by itself.
Nothing here waits for a worker: answers that one does not read in time end its connection.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol, cast

from isthmus.core.errors import GatewayError
from isthmus.core.periods import Period
from isthmus.engine.ports import Clock, Memory
from isthmus.routing.limits import Claim, Grant, Ledger, Limit, Measure
from isthmus.workers.frames import Frames, TooLong, frame
from isthmus.workers.sums import Sums

UNREAD = 16 * 1024 * 1024
"""Bytes of answers that a worker may leave unread."""

FIRST_LINE = 100_000
"""Lines are numbered above those that a worker wrote before it knew the hub."""
LATE = 1024 * 1024
"""Bytes that a worker may leave unread before it is told no more lines of the log."""
SIGN_INS = 500
"""Sign-ins that are known of at a time: by the hub, and of others by each worker."""
NEWS_OF_SIGN_INS = "sign-in"
"""The subject under which workers are told how far a sign-in of another one is."""

log = logging.getLogger(__name__)


class Model(Protocol):
    """The bundled model's process, in use between `enter` and `leave`."""

    def enter(self) -> None: ...

    def leave(self) -> None: ...

    async def port(self) -> int:
        """Where it listens, once it does. Raises UNREACHABLE."""
        ...

    async def lost(self, port: int, within: float = 1.0) -> bool:
        """Has the process behind `port` ended?"""
        ...


class Hub:
    """What is shared. `greeted` is set for the first time when a worker said that it serves."""

    def __init__(self, memory: Memory, model: Model, clock: Clock) -> None:
        self.ledger = Ledger()
        self.memory = memory
        self.model = model
        self.clock = clock
        self.guests: set[Guest] = set()
        self.sums = Sums()
        self.sign_ins: OrderedDict[str, bytes] = OrderedDict()
        self.greeted = asyncio.Event()
        self.words = ""
        self.lines = FIRST_LINE

    @asynccontextmanager
    async def open(self, path: Path) -> AsyncIterator[None]:
        """Answer at this socket, which nobody but this user can reach."""
        server = await asyncio.get_running_loop().create_unix_server(lambda: Guest(self), path)
        try:
            yield
        finally:
            server.close()
            for guest in tuple(self.guests):
                guest.close()

    def tell_others(self, guest: "Guest", message: object) -> None:
        """Pass on what one worker told to all others."""
        data = frame([0, "told", message])
        for other in self.guests - {guest}:
            other.send(data)

    def note_sign_in(self, identity: str, told: bytes) -> None:
        """How far it is, for workers that are started later."""
        self.sign_ins[identity] = told
        while len(self.sign_ins) > SIGN_INS:
            self.sign_ins.popitem(last=False)

    def tell_lines(self, entries: Sequence[Any]) -> None:
        """Number lines of the log, and tell all workers; one that reads slowly misses some."""
        data = frame([0, "told", ["log", [self.lines + 1, entries]]])
        self.lines += len(entries)
        for guest in self.guests:
            if guest.unread < LATE:
                guest.send(data)


class Guest(asyncio.Protocol):
    """One worker's connection. What the worker holds ends with it."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.uses = 0
        self.grants: dict[str, Grant] = {}
        self._frames = Frames()
        self._transport: asyncio.Transport | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(UNREAD)
        self.hub.guests.add(self)

    def pause_writing(self) -> None:
        """The worker has stopped reading: it is stuck, and no use to anybody."""
        log.warning("a worker does not read what it is answered; its connection is ended")
        self.close()

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002  as the protocol is
        self.hub.guests.discard(self)
        self.hub.sums.leave(self)
        for task in self._tasks:
            task.cancel()
        now = self.hub.clock.time()
        for grant in self.grants.values():
            self.hub.ledger.settle(grant, {}, now)
        for _ in range(self.uses):
            self.hub.model.leave()

    def data_received(self, data: bytes) -> None:
        try:
            for number, what, about in self._frames.feed(data):
                task = asyncio.get_running_loop().create_task(self._answer(number, what, about))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        except TooLong:
            self.close()

    @property
    def unread(self) -> int:
        """Bytes that the worker has not read yet."""
        return 0 if self._transport is None else self._transport.get_write_buffer_size()

    def send(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    async def _answer(self, number: int, what: str, about: Sequence[Any]) -> None:
        found = await ANSWERS[what](self, *about)
        if number:
            self.send(frame([number, found]))


Answer = Callable[..., Awaitable[object]]


async def _claim(guest: Guest, lease: str, *asked: Sequence[Any]) -> object:
    """Which claim is refused, from 1 on, and for how long; or 0, and when it was granted. Then what is used."""
    claims = [Claim(limit_of(limit), amount) for limit, amount in asked]
    ledger, now = guest.hub.ledger, guest.hub.clock.time()
    found = ledger.claim(claims, now, f"{id(guest)}-{lease}")
    used = [ledger.used(claim.limit, now) for claim in claims]
    if isinstance(found, Grant):
        guest.grants[lease] = found
        return [0, found.at, *used]
    return [[claim.limit for claim in claims].index(found.limit) + 1, found.wait, *used]


async def _took(guest: Guest, lease: str, *asked: Sequence[Any]) -> object:
    """The worker granted it by itself, having no answer in time: it counts, whether it was granted here or not."""
    if lease not in guest.grants:
        claims = tuple(Claim(limit_of(limit), amount) for limit, amount in asked)
        guest.grants[lease] = Grant(claims, guest.hub.clock.time(), f"{id(guest)}-{lease}")
        guest.hub.ledger.note(guest.grants[lease])
    return None


async def _settle(guest: Guest, lease: str, spent: Mapping[str, int]) -> object:
    """What was granted is settled; what the worker gives back unused may never have been."""
    grant = guest.grants.pop(lease, None)
    if grant is not None:
        told = {Measure(name): spent[name] for name in spent}
        guest.hub.ledger.settle(grant, told, guest.hub.clock.time())
    return None


async def _remember(guest: Guest, limit: Sequence[Any], total: int, at: float) -> object:
    guest.hub.ledger.raise_to(limit_of(limit), total, at)
    return None


async def _put(guest: Guest, keys: Sequence[str], value: bytes) -> object:
    await guest.hub.memory.put(keys, value)
    return None


async def _get(guest: Guest, *keys: str) -> object:
    return dict(await guest.hub.memory.get(keys))


async def _forget(guest: Guest, *keys: str) -> object:
    await guest.hub.memory.forget(keys)
    return None


async def _port(guest: Guest) -> object:
    """The model's port, or what went wrong: the kind and the words."""
    try:
        return await guest.hub.model.port()
    except GatewayError as error:
        return [error.kind, error.message]


async def _lost(guest: Guest, port: int) -> object:
    return await guest.hub.model.lost(port)


async def _use(guest: Guest, change: int) -> object:
    guest.uses += change
    if change > 0:
        guest.hub.model.enter()
    else:
        guest.hub.model.leave()
    return None


async def _tell(guest: Guest, message: object) -> object:
    guest.hub.tell_others(guest, message)
    return None


async def _sign_in(guest: Guest, identity: str, told: bytes) -> object:
    guest.hub.note_sign_in(identity, told)
    guest.hub.tell_others(guest, [NEWS_OF_SIGN_INS, told])
    return None


async def _sign_ins(guest: Guest) -> object:
    return list(guest.hub.sign_ins.values())


async def _log(guest: Guest, entries: Sequence[Any]) -> object:
    guest.hub.tell_lines(entries)
    return None


async def _count(guest: Guest, counted: Sequence[Any], current: Sequence[Any]) -> object:
    guest.hub.sums.take_in(guest, counted, current)
    return None


async def _counted(guest: Guest, counted: Sequence[Any], current: Sequence[Any]) -> object:
    """What all have counted, and the current values of the other workers."""
    guest.hub.sums.take_in(guest, counted, current)
    return guest.hub.sums.told(guest)


async def _greet(guest: Guest, words: str) -> object:
    """A worker serves, and has `words` for whoever started it."""
    guest.hub.words = guest.hub.words or words
    guest.hub.greeted.set()
    return None


ANSWERS: Mapping[str, Answer] = {
    "claim": _claim,
    "took": _took,
    "settle": _settle,
    "remember": _remember,
    "put": _put,
    "get": _get,
    "forget": _forget,
    "port": _port,
    "lost": _lost,
    "use": _use,
    "tell": _tell,
    "sign-in": _sign_in,
    "sign-ins": _sign_ins,
    "log": _log,
    "count": _count,
    "counted": _counted,
    "greet": _greet,
}


def limit_of(told: Sequence[Any]) -> Limit:
    """A limit as it was sent: its fields in order."""
    scope, measure, most, span, parts, period = told
    return Limit(scope, Measure(measure), most, span, parts, None if period is None else Period(period))
