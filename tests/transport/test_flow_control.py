"""Neither side is drowned: bodies that nobody reads, uploads that nobody takes, answers that come early."""

import asyncio

import pytest
from hostile import LEAN, OK, QUICK, Wire, serve

from isthmus.core.errors import GatewayError, Kind
from isthmus.transport.answer import HIGH_WATER, Answer
from isthmus.transport.client import Client

BIG = 40_000_000


async def until_stuck(progress) -> int:
    """Wait until `progress()` stands still, and tell where."""
    seen, still = -1, 0
    async with asyncio.timeout(20):
        while still < 10:
            await asyncio.sleep(0.02)
            now = progress()
            seen, still = now, still + 1 if now == seen else 0
    return seen


async def test_a_body_that_nobody_reads_stops_coming(client: Client) -> None:
    sent = 0

    async def play(wire: Wire) -> None:
        nonlocal sent
        await wire.request()
        await wire.send(OK + b"content-length: %d\r\n\r\n" % BIG)
        while sent < BIG:
            await wire.send(bytes(100_000))
            sent += 100_000
        await wire.until_left()

    async with serve(play) as server:
        incoming = await client.send(server.post(), QUICK)
        assert isinstance(incoming, Answer)
        assert await until_stuck(lambda: sent) < BIG
        assert incoming.size <= 2 * HIGH_WATER + 1
        got = 0
        while piece := await incoming.read():
            got += len(piece)
        assert got == BIG
        assert sum(stats["idle"] for stats in client.stats().values()) == 1
        await client.aclose()


async def test_a_large_request_leaves_as_it_is_taken(client: Client) -> None:
    body = bytes(range(256)) * 100_000
    seen = []

    async def play(wire: Wire) -> None:
        seen.append(await wire.request())
        await wire.send(LEAN)
        await wire.until_left()

    async with serve(play) as server:
        incoming = await client.send(server.post(body), QUICK)
        assert await incoming.body(10) == b"hi"
        assert seen[0].body == body
        assert sum(stats["idle"] for stats in client.stats().values()) == 1
        await client.aclose()


@pytest.mark.parametrize("size", [65_535, 65_536, 65_537, 131_073])
async def test_sizes_around_one_write_arrive_whole(client: Client, size: int) -> None:
    seen = []

    async def play(wire: Wire) -> None:
        seen.append(await wire.request())
        await wire.send(LEAN)
        await wire.until_left()

    async with serve(play) as server:
        body = bytes(number % 251 for number in range(size))
        assert await (await client.send(server.post(body), QUICK)).body(10) == b"hi"
        assert seen[0].body == body
        await client.aclose()


@pytest.mark.parametrize("close", [False, True])
async def test_a_refusal_in_the_middle_of_an_upload_is_delivered(client: Client, close: bool) -> None:
    taken = 0

    async def play(wire: Wire) -> None:
        nonlocal taken
        await wire.head()
        await wire.send(b"HTTP/1.1 413 Too Large\r\ncontent-length: 9\r\n\r\ntoo large")
        if close:
            wire.writer.write_eof()
        while data := await wire.reader.read(65536):
            taken += len(data)

    async with serve(play) as server:
        incoming = await client.send(server.post(bytes(BIG)), QUICK)
        assert incoming.status == 413
        assert await incoming.body(100) == b"too large"
        await asyncio.wait_for(server.ended.get(), 5)
        assert taken < BIG


async def test_an_answer_that_begins_while_the_request_still_leaves_lets_it_leave(client: Client) -> None:
    async def play(wire: Wire) -> None:
        head = await wire.head()
        await wire.send(OK + b"transfer-encoding: chunked\r\n\r\n2\r\nhi\r\n")
        await wire.reader.readexactly(int(head.header("content-length") or 0))
        await wire.send(b"3\r\nall\r\n0\r\n\r\n")
        await wire.until_left()

    async with serve(play) as server:
        incoming = await client.send(server.post(bytes(BIG)), QUICK)
        assert await incoming.body(100) == b"hiall"
        await client.aclose()


async def test_an_answer_that_is_complete_before_its_request_does_not_keep_the_connection(client: Client) -> None:
    async def play(wire: Wire) -> None:
        await wire.head()
        await wire.send(LEAN)
        wire.writer.transport.pause_reading()
        await gone.wait()

    gone = asyncio.Event()
    async with serve(play) as server:
        incoming = await client.send(server.post(bytes(BIG)), QUICK)
        assert await incoming.body(100) == b"hi"
        assert sum(stats["idle"] for stats in client.stats().values()) == 0
        gone.set()


async def test_cancelling_an_upload_closes_the_connection(client: Client) -> None:
    begun, gone = asyncio.Event(), asyncio.Event()

    async def play(wire: Wire) -> None:
        await wire.head()
        begun.set()
        wire.writer.transport.pause_reading()
        await gone.wait()
        await wire.until_left()

    async with serve(play) as server:
        task = asyncio.create_task(client.send(server.post(bytes(BIG)), QUICK))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await client.aclose()
        gone.set()


async def test_an_answer_is_read_by_one_task_at_a_time(client: Client) -> None:
    async def play(wire: Wire) -> None:
        await wire.request()
        await wire.send(OK + b"\r\n")
        await wire.until_left()

    async with serve(play) as server:
        incoming = await client.send(server.post(), QUICK)
        first = asyncio.create_task(incoming.read())
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="one task at a time"):
            await incoming.read()
        incoming.close()
        with pytest.raises(GatewayError) as told:
            await first
        assert told.value.kind is Kind.CUT_SHORT


async def test_each_piece_of_a_stream_is_given_as_it_comes(client: Client) -> None:
    taken = asyncio.Semaphore(0)

    async def play(wire: Wire) -> None:
        await wire.request()
        await wire.send(OK + b"transfer-encoding: chunked\r\n\r\n")
        for number in range(5):
            await wire.send(b"3\r\n%d\n\n\r\n" % number)
            await taken.acquire()
        await wire.send(b"0\r\n\r\n")
        await wire.until_left()

    async with serve(play) as server:
        incoming = await client.send(server.post(), QUICK)
        for number in range(5):
            assert await incoming.read() == b"%d\n\n" % number
            taken.release()
        assert await incoming.read() == b""
        await client.aclose()


async def test_pieces_that_came_together_are_given_together(client: Client) -> None:
    async def play(wire: Wire) -> None:
        await wire.request()
        await wire.send(OK + b"transfer-encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * 100 + b"0\r\n\r\n")
        await wire.until_left()

    async with serve(play) as server:
        incoming = await client.send(server.post(), QUICK)
        assert await incoming.read() == b"a" * 100
        await client.aclose()
