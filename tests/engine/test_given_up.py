"""A caller who leaves at any moment of a race, or of an answer that goes on elsewhere, leaves nothing behind."""

import asyncio
from collections.abc import Callable
from typing import Literal

import pytest
from msgspec.structs import replace
from test_continuation import CUT, GOES_ON, PIECES, WHOLE, ask, going_on, read, said, stream, text_of, wire

from fakes.transport import Scripted
from isthmus.engine.ending import end
from isthmus.routing.health import Place
from isthmus.routing.limits import Limit, Measure
from isthmus.routing.plan import Hedge, Rules
from isthmus.state.limits import LocalLimiter
from support.line import Line, provider

NAMES = ("one", "two", "three")
STEPS = 30
"""Turns of the loop after which everything below is over."""


class Turn(asyncio.Event):
    """Lets the loop turn once."""

    async def wait(self) -> Literal[True]:
        await asyncio.sleep(0)
        return True


BOTH = Rules(continues=True, hedge=Hedge(share=1.0, quantile=0.5, least=0.0))


def slowly(*pieces: str, whole: bool) -> Scripted:
    """The loop turns before each event. An answer that is not whole breaks off."""
    events = wire("openai_chat", said(*pieces))
    steps = [*events] if whole else [*events[: 2 + len(pieces)], CUT]
    return stream("openai_chat", *(one for step in steps if step for one in (Turn(), step)))


def race() -> Line:
    """The first is slow, the second breaks off, the third goes on."""
    line = going_on(
        (provider("one"), [stream("openai_chat", asyncio.Event())]),
        (provider("two"), [slowly(*PIECES, whole=False)]),
        (provider("three", profile=GOES_ON), [slowly(" an end", " to it.", whole=True)]),
        rules=BOTH,
    )
    meter = line.live.take().board.meters.began(Place("one", "key", "m-one"), line.clock.now())
    meter.ended()
    for _ in range(10):
        meter.answered(0.0, line.clock.now(), stream=True)
    return line


def relay() -> Line:
    """The first breaks off, the second fails, the third breaks off as well, and the second is asked once more."""
    return going_on(
        (provider("one"), [slowly(*PIECES, whole=False)]),
        (provider("two", profile=GOES_ON), [CUT, slowly(" to it.", whole=True)]),
        (provider("three", profile=GOES_ON), [slowly(" an end", whole=False)]),
        rules=BOTH,
    )


@pytest.mark.parametrize("case", [race, relay])
async def test_in_the_end_it_is_whole(case: Callable[[], Line]) -> None:
    line = case()
    asking, turns = asyncio.create_task(ask(line)), 0
    while not asking.done():
        await asyncio.sleep(0)
        turns += 1
    assert text_of(read("openai_chat", asking.result())) == WHOLE
    assert turns < STEPS


@pytest.mark.parametrize("case", [race, relay])
@pytest.mark.parametrize("step", range(STEPS))
async def test_nothing_is_held_and_nothing_runs(case: Callable[[], Line], step: int) -> None:
    line = case()
    limits = {name: Limit(f"provider:{name}", Measure.RUNNING, 9) for name in NAMES}
    limits["client"] = Limit("client:anyone", Measure.RUNNING, 9)
    limiter = line.ports.limiter = LocalLimiter(line.clock.time)
    allowances = {limit.scope: (limit,) for limit in limits.values()}
    line.live.swap(replace(line.live.take().snapshot, allowances=allowances))
    asking = asyncio.create_task(ask(line))
    for _ in range(step):
        await asyncio.sleep(0)
    asking.cancel()
    await asyncio.wait((asking,))
    if not asking.cancelled():
        asking.exception()
    assert line.exchange is not None or step == 0
    if line.exchange is not None:
        line.exchange.cancelled = asking.cancelled()
        end(line.exchange, line.live.take(), line.ports)
    assert [limiter.share(limit) for limit in limits.values()] == [0, 0, 0, 0]
    assert all(answer.closed.is_set() for answer in line.transport.played)
    meters = line.live.take().board.meters
    assert not [name for name in NAMES if (meter := meters.of(Place(name, "key", f"m-{name}"))) and meter.running]
