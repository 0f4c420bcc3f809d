"""Connections are kept, handed on, bounded, expired and closed."""

import asyncio

import pytest
from hostile import LEAN, OK, QUICK, Server, Wire, answering, closing, serve

from isthmus.core.errors import GatewayError, Kind
from isthmus.providers.provider import Deadlines
from isthmus.transport.client import Client, open_transport
from isthmus.transport.connection import Connection
from isthmus.transport.pool import Pool, PoolLimits


async def ask(client: Client, server: Server, deadlines: Deadlines = QUICK) -> bytes:
    incoming = await client.send(server.post(), deadlines)
    try:
        return await incoming.body(1000)
    finally:
        incoming.close()


def counts(client: Client) -> dict[str, int]:
    (only,) = client.stats().values()
    return dict(only)


async def until(condition) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.002)


async def test_one_connection_serves_many_requests(client: Client) -> None:
    async with serve(answering(LEAN)) as server:
        for _ in range(5):
            assert await ask(client, server) == b"hi"
        assert server.connections == 1
        await client.aclose()


async def test_what_the_wire_sees_is_the_request_and_four_headers_of_ours(client: Client) -> None:
    seen = []

    async def play(wire: Wire) -> None:
        seen.append(await wire.request())
        await wire.send(LEAN)
        await wire.until_left()

    async with serve(play) as server:
        await ask(client, server)
        assert seen[0].line == "POST /v1/chat HTTP/1.1"
        assert seen[0].body == b"{}"
        assert sorted(seen[0].headers) == [
            ("accept-encoding", "identity"),
            ("connection", "keep-alive"),
            ("content-length", "2"),
            ("host", f"127.0.0.1:{server.port}"),
            ("x-key", "abc"),
        ]
        await client.aclose()


async def test_a_connection_that_the_server_closes_is_not_used_again(client: Client) -> None:
    async with serve(closing(OK + b"connection: close\r\ncontent-length: 2\r\n\r\nhi")) as server:
        assert await ask(client, server) == b"hi"
        assert await ask(client, server) == b"hi"
        assert server.connections == 2


async def test_an_http_1_0_answer_closes_its_connection(client: Client) -> None:
    async with serve(answering(LEAN.replace(b"1.1", b"1.0"))) as server:
        assert await ask(client, server) == b"hi"
        await until(lambda: counts(client)["open"] == 0)


async def test_an_unfinished_answer_is_closed_with_its_connection_at_once(client: Client) -> None:
    async def play(wire: Wire) -> None:
        await wire.request()
        await wire.send(OK + b"content-length: 10\r\n\r\nhalf")
        await wire.until_left()

    async with serve(play) as server:
        incoming = await client.send(server.post(), QUICK)
        assert await incoming.read() == b"half"
        incoming.close()
        assert await asyncio.wait_for(server.ended.get(), 5) == 1


async def test_a_closed_answer_does_not_pretend_to_have_ended_well(client: Client) -> None:
    async def play(wire: Wire) -> None:
        await wire.request()
        await wire.send(OK + b"content-length: 10\r\n\r\n")
        await wire.until_left()

    async with serve(play) as server:
        incoming = await client.send(server.post(), QUICK)
        incoming.close()
        with pytest.raises(GatewayError) as told:
            await incoming.read()
        assert told.value.kind is Kind.CUT_SHORT


async def test_closing_twice_does_not_disturb_who_has_the_connection_now(client: Client) -> None:
    async with serve(answering(LEAN, OK + b"content-length: 4\r\n\r\nsl")) as server:
        first = await client.send(server.post(), QUICK)
        assert await first.body(10) == b"hi"
        second = await client.send(server.post(), QUICK)
        first.close()
        assert await second.read() == b"sl"
        second.close()


async def test_cancelling_send_closes_the_connection(client: Client) -> None:
    asked = asyncio.Event()

    async def play(wire: Wire) -> None:
        await wire.request()
        asked.set()
        await wire.until_left()

    async with serve(play) as server:
        task = asyncio.create_task(client.send(server.post(), QUICK))
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.wait_for(server.ended.get(), 5) == 1
        await until(lambda: counts(client)["open"] == 0)


async def test_a_read_that_is_cancelled_can_be_taken_up_again(client: Client) -> None:
    go_on = asyncio.Event()

    async def play(wire: Wire) -> None:
        await wire.request()
        await wire.send(OK + b"content-length: 2\r\n\r\n")
        await go_on.wait()
        await wire.send(b"hi")
        await wire.until_left()

    async with serve(play) as server:
        incoming = await client.send(server.post(), QUICK)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(incoming.read(), 0.01)
        go_on.set()
        assert await incoming.read() == b"hi"
        assert await incoming.read() == b""
        await client.aclose()


async def test_no_more_connections_than_allowed_and_the_rest_wait() -> None:
    open_now, most = 0, 0

    async def play(wire: Wire) -> None:
        nonlocal open_now, most
        open_now += 1
        most = max(most, open_now)
        try:
            await answering(LEAN)(wire)
        finally:
            open_now -= 1

    async with serve(play) as server, open_transport(PoolLimits(connections=3)) as client:
        bodies = await asyncio.gather(*(ask(client, server) for _ in range(50)))
        assert bodies == [b"hi"] * 50
        assert most == 3
        assert counts(client) == {"open": 3, "idle": 3, "in_use": 0, "waiting": 0}


async def test_who_waits_gets_the_place_of_a_connection_that_closed() -> None:
    async with (
        serve(closing(OK + b"connection: close\r\ncontent-length: 2\r\n\r\nhi")) as server,
        open_transport(PoolLimits(connections=2)) as client,
    ):
        assert await asyncio.gather(*(ask(client, server) for _ in range(9))) == [b"hi"] * 9
        assert server.connections == 9


async def test_waiting_for_a_busy_connection_is_bounded_by_the_connect_deadline() -> None:
    async def play(wire: Wire) -> None:
        await wire.request()
        await wire.send(OK + b"content-length: 2\r\n\r\n")
        await wire.until_left()

    async with serve(play) as server, open_transport(PoolLimits(connections=1)) as client:
        busy = await client.send(server.post(), QUICK)
        with pytest.raises(GatewayError) as told:
            await client.send(server.post(), Deadlines(connect=0.02))
        assert told.value.kind is Kind.TIMED_OUT
        assert "all 1 connections" in told.value.message
        assert "0.02 s (connect deadline)" in told.value.message
        assert counts(client)["waiting"] == 0
        busy.close()


async def test_a_waiter_that_leaves_as_its_turn_comes_passes_it_on() -> None:
    async with serve(answering(LEAN)) as server, open_transport(PoolLimits(connections=1)) as client:
        for _ in range(20):
            tasks = [asyncio.create_task(ask(client, server)) for _ in range(4)]
            await tasks[0]
            tasks[1].cancel()
            assert await tasks[2] == b"hi"
            assert await tasks[3] == b"hi"
            await asyncio.wait(tasks)
        assert counts(client) == {"open": 1, "idle": 1, "in_use": 0, "waiting": 0}


async def test_an_unused_connection_is_closed_after_its_idle_time() -> None:
    async with serve(answering(LEAN)) as server, open_transport(PoolLimits(idle=0.05)) as client:
        await ask(client, server)
        assert counts(client)["idle"] == 1
        assert await asyncio.wait_for(server.ended.get(), 5) == 1
        await until(lambda: counts(client)["open"] == 0)


async def test_the_connection_used_last_is_used_first(client: Client) -> None:
    served: list[int] = []
    both = asyncio.Barrier(2)

    async def play(wire: Wire) -> None:
        for number in range(100):
            await wire.request()
            served.append(wire.number)
            if number == 0:
                await both.wait()
            await wire.send(LEAN)

    async with serve(play) as server:
        await asyncio.gather(ask(client, server), ask(client, server))
        first = served[:]
        for _ in range(4):
            await ask(client, server)
        assert len(set(first)) == 2
        assert len(set(served[2:])) == 1
        await client.aclose()


@pytest.mark.parametrize("surplus", [b"HTTP/1.1 200 OK\r\n", b"\x00", b"{}"])
async def test_bytes_that_nobody_asked_for_close_an_idle_connection(client: Client, surplus: bytes) -> None:
    more = asyncio.Event()

    async def play(wire: Wire) -> None:
        await wire.request()
        await wire.send(LEAN)
        if wire.number == 1:
            await more.wait()
            await wire.send(surplus)
        await wire.until_left()

    async with serve(play) as server:
        await ask(client, server)
        more.set()
        await until(lambda: counts(client)["open"] == 0)
        assert await ask(client, server) == b"hi"
        await client.aclose()


async def test_bytes_behind_an_answer_in_the_same_breath_close_the_connection(client: Client) -> None:
    async with serve(answering(LEAN + LEAN)) as server:
        assert await ask(client, server) == b"hi"
        await until(lambda: counts(client)["open"] == 0)
        assert await ask(client, server) == b"hi"
        assert server.connections == 2


async def test_closing_the_client_ends_what_is_under_way_and_says_why(client: Client) -> None:
    async def play(wire: Wire) -> None:
        await wire.request()
        await wire.send(OK + b"content-length: 2\r\n\r\n")
        await wire.until_left()

    async with serve(play) as server:
        incoming = await client.send(server.post(), QUICK)
        reading = asyncio.create_task(incoming.read())
        await asyncio.sleep(0)
        await client.aclose()
        with pytest.raises(GatewayError) as told:
            await reading
        assert told.value.kind is Kind.STOPPING
        with pytest.raises(GatewayError) as told:
            await client.send(server.post(), QUICK)
        assert told.value.kind is Kind.STOPPING


async def test_closing_the_client_ends_a_wait_for_a_connection() -> None:
    async def play(wire: Wire) -> None:
        await wire.request()
        await wire.until_left()

    async with serve(play) as server, open_transport(PoolLimits(connections=1)) as client:
        tasks = [asyncio.create_task(client.send(server.post(), QUICK)) for _ in range(2)]
        await until(lambda: client.stats() and counts(client)["waiting"] == 1)
        await client.aclose()
        for task in tasks:
            with pytest.raises(GatewayError) as told:
                await task
            assert told.value.kind is Kind.STOPPING


async def test_pools_of_origins_that_are_used_no_more_are_forgotten() -> None:
    gone = OK + b"connection: close\r\ncontent-length: 2\r\n\r\nhi"
    async with serve(closing(gone)) as old, serve(answering(LEAN)) as new, open_transport() as client:
        await ask(client, old)
        await until(lambda: counts(client)["open"] == 0)
        await ask(client, new)
        assert list(client.stats()) == [f"http://127.0.0.1:{new.port}"]


async def test_a_request_given_up_just_as_its_connection_is_made_leaves_no_place_taken(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    joined = Pool.joined

    def given_up(pool: Pool, connection: Connection) -> None:
        joined(pool, connection)
        asking.cancel()

    monkeypatch.setattr(Pool, "joined", given_up)
    async with serve(answering(LEAN)) as server:
        asking = asyncio.create_task(ask(client, server))
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert counts(client)["open"] == 0
        await client.aclose()
