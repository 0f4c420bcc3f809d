"""Calls to a server that instances share: none waits for a connection, none is lost with one that ended meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable

from fakes.clock import FakeClock
from fakes.redis_server import RedisServer
from isthmus.core.secret import Secret
from isthmus.state.shared_server import FAILURES, WARM, Answers, SharedServer, open_server


def answering(answer: asyncio.Future[Answers]) -> Callable[[], Awaitable[Answers]]:
    async def call() -> Answers:
        return await answer

    return call


async def asked_in_vain(shared: SharedServer, times: int) -> None:
    """So many calls at once, none of which is answered."""
    never: asyncio.Future[Answers] = asyncio.get_running_loop().create_future()
    await asyncio.gather(*(shared.ask(answering(never)) for _ in range(times)))


async def test_a_server_is_connected_to_before_anything_is_asked_of_it(server: RedisServer) -> None:
    async with (
        open_server(server.url, FakeClock()) as shared,
        open_server(server.url, FakeClock()) as other,
    ):
        before = (await other.redis.info("stats"))["total_connections_received"]
        assert await asyncio.gather(*(shared.redis.ping() for _ in range(WARM))) == [True] * WARM
        assert (await other.redis.info("stats"))["total_connections_received"] == before


async def test_a_connection_that_ended_while_it_was_idle_costs_no_call(server: RedisServer) -> None:
    async with open_server(server.url, FakeClock(), budget=10) as shared:
        server.stop()
        server.start()
        for _ in range(5):
            await asyncio.sleep(0)
        assert [await shared.ask(shared.redis.time) is not None for _ in range(WARM)] == [True] * WARM


async def test_calls_that_fail_together_are_one_failure() -> None:
    async with open_server(Secret("redis://127.0.0.1:1"), FakeClock(), budget=0) as shared:
        await asked_in_vain(shared, FAILURES * 2)
        assert shared.in_use
        for _ in range(FAILURES - 1):
            await asked_in_vain(shared, 1)
        assert not shared.in_use
