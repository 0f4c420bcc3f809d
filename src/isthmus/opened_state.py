"""What is kept between requests, opened as the configuration says: by this process, by all workers or all instances."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeAlias

from isthmus.config.schema import Config, StateEntry
from isthmus.engine.ports import Clock, Limiter
from isthmus.state.limits import LocalLimiter
from isthmus.state.memory import BoundedMemory
from isthmus.state.shared_rests import Post
from isthmus.workers.link import HubLimiter, HubMemory, HubPost, Link

if TYPE_CHECKING:
    from isthmus.state.shared_memory import SharedMemory

    Kept: TypeAlias = BoundedMemory | SharedMemory | HubMemory


@asynccontextmanager
async def opened_state(
    entry: StateEntry, link: Link | None, clock: Clock
) -> "AsyncIterator[tuple[Kept, Limiter, Post | None]]":
    """The memory, the limiter, and through what others are told of rests."""
    if entry.url is None and link is not None:
        yield HubMemory(link, clock), HubLimiter(link, clock), HubPost(link)
    elif entry.url is None:
        yield BoundedMemory(clock.now), LocalLimiter(clock.time), None
    else:
        from isthmus.state.shared import open_shared  # noqa: PLC0415  an extra, and slow to import

        async with open_shared(entry.url, clock, prefix=entry.prefix) as shared:
            yield shared


def kept_answers(config: Config, memory: "Kept", clock: Clock) -> "Kept":
    """Where answers are kept: in the memory that is shared, else in one of their own, which crowds out nothing else."""
    if isinstance(memory, BoundedMemory):
        return BoundedMemory(clock.now, most_bytes=config.cache.memory)
    return memory
