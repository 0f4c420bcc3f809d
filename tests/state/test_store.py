"""Calls to a server that instances share: none waits for a connection, none is lost with one that ended meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable

from fakes.clock import FakeClock
from fakes.store_server import StoreServer
from isthmus.core.secret import Secret
from isthmus.state.store import FAILURES, WARM, Answers, Store, open_store


def answering(answer: asyncio.Future[Answers]) -> Callable[[], Awaitable[Answers]]:
    async def call() -> Answers:
        return await answer

    return call


async def asked_in_vain(store: Store, times: int) -> None:
    """So many calls at once, none of which is answered."""
    never: asyncio.Future[Answers] = asyncio.get_running_loop().create_future()
    await asyncio.gather(*(store.ask(answering(never)) for _ in range(times)))


async def test_a_server_is_connected_to_before_anything_is_asked_of_it(server: StoreServer) -> None:
    async with open_store(server.url, FakeClock()) as store, open_store(server.url, FakeClock()) as other:
        before = (await other.redis.info("stats"))["total_connections_received"]
        assert await asyncio.gather(*(store.redis.ping() for _ in range(WARM))) == [True] * WARM
        assert (await other.redis.info("stats"))["total_connections_received"] == before


async def test_a_connection_that_ended_while_it_was_idle_costs_no_call(server: StoreServer) -> None:
    async with open_store(server.url, FakeClock(), budget=10) as store:
        server.stop()
        server.start()
        for _ in range(5):
            await asyncio.sleep(0)
        assert [await store.ask(store.redis.time) is not None for _ in range(WARM)] == [True] * WARM


async def test_calls_that_fail_together_are_one_failure() -> None:
    async with open_store(Secret("redis://127.0.0.1:1"), FakeClock(), budget=0) as store:
        await asked_in_vain(store, FAILURES * 2)
        assert store.in_use
        for _ in range(FAILURES - 1):
            await asked_in_vain(store, 1)
        assert not store.in_use
