"""All that instances share through one server of Redis or Valkey. Imported where one is configured."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from isthmus.core.secret import Secret
from isthmus.engine.ports import Clock
from isthmus.state.shared_limits import SharedLimiter, open_limiter
from isthmus.state.shared_memory import SharedMemory
from isthmus.state.store import BUDGET, open_store
from isthmus.state.store_rests import StorePost


@asynccontextmanager
async def open_shared(
    url: Secret, clock: Clock, *, prefix: str, budget: float = BUDGET
) -> AsyncIterator[tuple[SharedMemory, SharedLimiter, StorePost]]:
    """The memory, the limiter and the post for rests of the server at a redis:// or rediss:// URL."""
    async with open_store(url, clock, budget=budget) as store, open_limiter(store, clock, prefix=prefix) as limiter:
        yield SharedMemory(store, clock, prefix=prefix), limiter, StorePost(store, clock, prefix=prefix)
