"""Copies of a share of a route's requests, for a target whose answers nobody sees: to learn how it would do.

A copy is made when the request's own answer has begun, so that it delays nothing and costs nobody's limits but its
provider's; it is tried once, and waits for nothing. It is an exchange of its own, logged like any other under the path
`shadow`; what becomes of it changes nothing for the caller. At most so many are under way; beyond that none are made,
and those are counted.
"""

import asyncio
from collections.abc import Awaitable
from contextlib import aclosing
from random import Random
from typing import Protocol

from msgspec.structs import replace

from isthmus.core.errors import GatewayError
from isthmus.engine.answer import Answer
from isthmus.engine.clients import SHADOW
from isthmus.engine.ending import end
from isthmus.engine.exchange import Exchange
from isthmus.engine.live import Now
from isthmus.engine.ports import Ports
from isthmus.engine.queue import QueueRule
from isthmus.routing.plan import Plan, Target, first_of

MOST = 64
"""Copies under way at a time."""
PATH = SHADOW.name
"""What stands in the log for the path of a copy, and for its client, since nobody asked for it."""
_DICE = Random()  # noqa: S311  a share of requests, not a secret


class Line(Protocol):
    """What answers the copy."""

    def __call__(self, exchange: Exchange, *, now: Now) -> Awaitable[Answer]: ...


class Shadows:
    """The copies under way. `dropped` counts those that were not made for want of room."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._tasks: set[asyncio.Task[None]] = set()
        self.dropped = 0

    @property
    def running(self) -> int:
        return len(self._tasks)

    def cast(self, exchange: Exchange, line: Line, now: Now, ports: Ports) -> None:
        """Send a copy of a request with a shadow down the `line`, if it is among the share. Never waits or raises."""
        assert exchange.plan is not None  # noqa: S101  the line has planned before
        shadow = exchange.plan.rules.shadow
        if shadow is None or _DICE.random() >= shadow.share:
            return
        if len(self._tasks) >= self._most:
            self.dropped += 1
            return
        task = asyncio.create_task(_run(_copy(exchange, exchange.plan, shadow.target), line, now, ports))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Give up what is under way."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _copy(exchange: Exchange, plan: Plan, target: Target) -> Exchange:
    """The same request for `target` alone. It takes nothing of its client's or its route's limits."""
    call = replace(exchange.call, path=PATH)
    twin = Exchange(f"{exchange.id}-{PATH}", call, exchange.clock, exchange.version)
    twin.client, twin.peek = SHADOW, exchange.peek
    twin.plan = Plan(first_of(target), f"the shadow of {plan.name}", plan.reasoning)
    return twin


def _hurried(now: Now) -> Now:
    """One try, and no waiting: whoever waits for a place stands in the way of others."""
    limits = replace(now.snapshot.limits, attempts=1, wait=0.0)
    return replace(now, snapshot=replace(now.snapshot, limits=limits, queue=QueueRule(length=0, wait=0.0)))


async def _run(twin: Exchange, line: Line, now: Now, ports: Ports) -> None:
    try:
        answer = await line(twin, now=_hurried(now))
        twin.status, twin.bytes_out = answer.status, len(answer.body)
        if answer.stream is not None:
            async with aclosing(answer.stream) as pieces:
                async for piece in pieces:
                    twin.bytes_out += len(piece)
    except GatewayError as error:
        twin.fail(error)
        twin.status = error.status
    except asyncio.CancelledError:
        twin.cancelled = True
        raise
    finally:
        end(twin, now, ports)
