"""All that instances share through one server of Redis or Valkey. Imported where one is configured."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from isthmus.core.secret import Secret
from isthmus.engine.ports import Clock
from isthmus.state.shared_limits import SharedLimiter, open_limiter
from isthmus.state.shared_memory import SharedMemory
from isthmus.state.shared_post import SharedPost
from isthmus.state.shared_server import BUDGET, open_server


@asynccontextmanager
async def open_shared(
    url: Secret, clock: Clock, *, prefix: str, budget: float = BUDGET
) -> AsyncIterator[tuple[SharedMemory, SharedLimiter, SharedPost]]:
    """The memory, the limiter and the post for rests of the server at a redis:// or rediss:// URL."""
    async with (
        open_server(url, clock, budget=budget) as server,
        open_limiter(server, clock, prefix=prefix) as limiter,
    ):
        yield SharedMemory(server, clock, prefix=prefix), limiter, SharedPost(server, clock, prefix=prefix)
