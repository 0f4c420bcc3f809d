"""Several requests at once for one caller, a few at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from isthmus.core.errors import GatewayError

_T = TypeVar("_T")

PARALLEL = 4
"""Requests of one caller that are under way at the same moment."""


async def each(jobs: Sequence[Callable[[], Awaitable[_T]]]) -> list[_T]:
    """What the jobs give, in their order. The first error ends the others and is raised."""
    if len(jobs) == 1:
        return [await jobs[0]()]
    gate = asyncio.Semaphore(PARALLEL)

    async def run(job: Callable[[], Awaitable[_T]]) -> _T:
        async with gate:
            return await job()

    failed: BaseException | None = None
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(run(job)) for job in jobs]
    except BaseExceptionGroup as group_failed:
        failed = _first(group_failed)
    if failed is not None:
        try:
            raise failed  # outside of the handler: an error that held its own group would be a cycle
        finally:
            del failed
    return [task.result() for task in tasks]


def _first(failed: BaseExceptionGroup) -> BaseException:
    """One error for all: one of ours, unless there is something worse."""
    worse = next((error for error in failed.exceptions if not isinstance(error, GatewayError)), None)
    return worse or failed.exceptions[0]
