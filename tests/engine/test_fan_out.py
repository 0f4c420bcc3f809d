"""Several requests at once: in order, a few at a time, and ended together by the first that fails."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import pytest

from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.fan_out import PARALLEL, each


async def test_the_answers_stand_in_the_order_of_the_jobs_whatever_ends_first() -> None:
    last_done = asyncio.Event()

    async def first() -> int:
        await last_done.wait()
        return 1

    async def last() -> int:
        last_done.set()
        return 2

    assert await each([first, last]) == [1, 2]


async def test_no_more_than_a_few_run_at_once() -> None:
    running, most, go_on = 0, 0, asyncio.Event()

    async def job() -> None:
        nonlocal running, most
        running, most = running + 1, max(most, running + 1)
        if running == PARALLEL:
            go_on.set()
        await go_on.wait()
        running -= 1

    await each([job] * (3 * PARALLEL))
    assert most == PARALLEL


async def test_the_first_failure_ends_the_others_and_is_raised_as_itself() -> None:
    ended = asyncio.Event()

    async def waits() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def fails() -> None:
        raise GatewayError(Kind.OVERLOADED, "busy")

    jobs: list[Callable[[], Awaitable[None]]] = [waits, fails]
    with pytest.raises(GatewayError, match="busy"):
        await each(jobs)
    assert ended.is_set()


async def test_a_fault_of_ours_outranks_a_providers() -> None:
    async def fails(error: Exception) -> None:
        await asyncio.sleep(0)
        raise error

    with pytest.raises(KeyError):
        await each([partial(fails, GatewayError(Kind.OVERLOADED, "busy")), partial(fails, KeyError("bug"))])


async def test_a_caller_who_leaves_ends_all() -> None:
    begun, ended = asyncio.Event(), 0

    async def waits() -> None:
        nonlocal ended
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended += 1

    task = asyncio.create_task(each([waits, waits]))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == 2


async def test_a_failure_leaves_nothing_for_the_collector_of_cycles() -> None:
    async def fails() -> None:
        raise GatewayError(Kind.OVERLOADED, "busy")

    async def waits() -> None:
        await asyncio.Event().wait()

    with pytest.raises(GatewayError) as caught:
        await each([waits, fails])
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None
