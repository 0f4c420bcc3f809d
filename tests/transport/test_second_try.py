"""A reused connection that turns out to be dead costs one silent second try; nothing else does."""

import asyncio

import pytest
from hostile import LEAN, OK, QUICK, Server, Wire, closing, serve

from isthmus.core.errors import GatewayError, Kind
from isthmus.transport.client import Client


async def ask(client: Client, server: Server, body: bytes = b"{}") -> bytes:
    incoming = await client.send(server.post(body), QUICK)
    try:
        return await incoming.body(1000)
    finally:
        incoming.close()


def dying(how: str):
    """The first connection answers once, and dies when it is asked again."""

    async def play(wire: Wire) -> None:
        await wire.request()
        await wire.send(LEAN)
        await wire.head()
        if wire.number > 1:
            raise AssertionError("the fresh connection was asked twice")
        match how:
            case "reset":
                wire.reset()
            case "half an answer":
                await wire.send(OK)
            case "interim":
                await wire.send(b"HTTP/1.1 100 Continue\r\n\r\n")

    return play


@pytest.mark.parametrize("how", ["eof", "reset"])
@pytest.mark.parametrize("size", [2, 300_000])
async def test_a_reused_connection_that_is_dead_is_replaced_by_a_fresh_one(client: Client, how: str, size: int) -> None:
    async with serve(dying(how)) as server:
        assert await ask(client, server) == b"hi"
        assert await ask(client, server, b"x" * size) == b"hi"
        assert server.connections == 2
        await client.aclose()


@pytest.mark.parametrize("how", ["half an answer", "interim"])
async def test_nothing_is_sent_again_once_the_answer_has_begun(client: Client, how: str) -> None:
    async with serve(dying(how)) as server:
        await ask(client, server)
        with pytest.raises(GatewayError) as told:
            await ask(client, server)
        assert told.value.kind is Kind.CUT_SHORT
        assert server.connections == 1


@pytest.mark.parametrize("reset", [True, False])
async def test_a_fresh_connection_that_dies_is_not_tried_again(client: Client, reset: bool) -> None:
    async def play(wire: Wire) -> None:
        await wire.request()
        if reset:
            wire.reset()

    async with serve(play) as server:
        with pytest.raises(GatewayError) as told:
            await ask(client, server)
        assert told.value.kind is Kind.CUT_SHORT
        assert told.value.message == f"127.0.0.1:{server.port} closed the connection before it answered"
        assert server.connections == 1


async def test_the_second_try_never_takes_another_old_connection(client: Client) -> None:
    """Three idle connections, all dead: one request needs two tries, not four."""

    all_there, asked = asyncio.Barrier(3), 0

    async def play(wire: Wire) -> None:
        nonlocal asked
        await wire.request()
        asked += 1
        if wire.number <= 3:
            await all_there.wait()
        await wire.send(LEAN)
        await wire.head()
        asked += 1

    async with serve(play) as server:
        await asyncio.gather(*(ask(client, server) for _ in range(3)))
        assert await ask(client, server) == b"hi"
        assert asked == 5
        assert server.connections == 4
        await client.aclose()


async def test_an_upstream_that_breaks_off_at_work_is_not_asked_again(client: Client, monkeypatch) -> None:
    monkeypatch.setattr("isthmus.transport.connection.STALE_WITHIN", 0.0)
    async with serve(dying("eof")) as server:
        await ask(client, server)
        with pytest.raises(GatewayError) as told:
            await ask(client, server)
        assert told.value.kind is Kind.CUT_SHORT


async def test_a_connection_closed_while_idle_is_not_even_tried(client: Client) -> None:
    async with serve(closing(LEAN)) as server:
        assert await ask(client, server) == b"hi"
        await server.ended.get()
        assert await ask(client, server) == b"hi"
        assert server.connections == 2
