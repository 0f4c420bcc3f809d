"""Each deadline, what it covers, what it does not, and what it says."""

import asyncio
from time import monotonic

import pytest
from hostile import LEAN, OK, QUICK, Wire, answering, serve

from isthmus.core.errors import GatewayError, Kind
from isthmus.providers.provider import Deadlines
from isthmus.transport.client import Client
from isthmus.transport.deadlines import Alarm

SOON = 0.04


async def refused(client: Client, outgoing, deadlines: Deadlines) -> str:
    """The words of the deadline that ends this request."""

    async def ask() -> None:
        await (await client.send(outgoing, deadlines)).body(1_000_000)

    with pytest.raises(GatewayError) as told:
        await ask()
    assert told.value.kind is Kind.TIMED_OUT
    return told.value.message


async def silent(wire: Wire) -> None:
    await wire.until_left()


async def test_no_answer_in_time(client: Client) -> None:
    async with serve(silent) as server:
        words = await refused(client, server.post(), Deadlines(first_byte=SOON))
        assert words == f"127.0.0.1:{server.port} did not answer within 0.04 s (first-byte deadline)"
        assert await asyncio.wait_for(server.ended.get(), 5) == 1


@pytest.mark.parametrize("drip", [b"HTTP/1.1 200 OK\r\nx: yyyyyyyyyyyyyyyy", b"HTTP/1.1 100 Continue\r\n\r\n" * 2])
async def test_a_head_that_drips_is_no_answer(client: Client, drip: bytes) -> None:
    async def play(wire: Wire) -> None:
        await wire.request()
        for byte in drip:
            await wire.send(bytes([byte]))
            await asyncio.sleep(SOON / 10)
        await wire.until_left()

    async with serve(play) as server:
        assert "first-byte" in await refused(client, server.post(), Deadlines(first_byte=SOON, between_bytes=5))


async def test_silence_in_the_middle(client: Client) -> None:
    async def play(wire: Wire) -> None:
        await wire.request()
        await wire.send(OK + b"\r\nhalf")
        await wire.until_left()

    async with serve(play) as server:
        words = await refused(client, server.post(), Deadlines(between_bytes=SOON))
        assert words == (
            f"127.0.0.1:{server.port} fell silent for 0.04 s in the middle of its answer (between-bytes deadline)"
        )
        assert await asyncio.wait_for(server.ended.get(), 5) == 1


async def test_silence_behind_the_head(client: Client) -> None:
    async def play(wire: Wire) -> None:
        await wire.request()
        await wire.send(OK + b"\r\n")
        await wire.until_left()

    async with serve(play) as server:
        assert "between-bytes" in await refused(client, server.post(), Deadlines(between_bytes=SOON))


async def test_each_byte_starts_the_wait_anew(client: Client) -> None:
    async def play(wire: Wire) -> None:
        await wire.request()
        await wire.send(OK + b"content-length: 10\r\n\r\n")
        for _ in range(10):
            await asyncio.sleep(0.05)
            await wire.send(b"x")
        await wire.until_left()

    async with serve(play) as server:
        incoming = await client.send(server.post(), Deadlines(first_byte=0.4, between_bytes=0.4))
        assert await incoming.body(10) == b"x" * 10
        await client.aclose()


async def test_the_whole_has_its_own_end(client: Client) -> None:
    async def play(wire: Wire) -> None:
        await wire.request()
        await wire.send(OK + b"\r\n")
        while True:
            await wire.send(b"x")
            await asyncio.sleep(0.005)

    async with serve(play) as server:
        words = await refused(client, server.post(), Deadlines(total=0.3))
        assert words == f"127.0.0.1:{server.port} took longer than 0.3 s over the whole answer (total deadline)"


async def test_the_whole_ends_a_wait_for_the_first_byte_too(client: Client) -> None:
    async with serve(silent) as server:
        assert "total" in await refused(client, server.post(), Deadlines(total=0.3))


async def test_the_whole_ends_even_when_nobody_reads(client: Client) -> None:
    async def play(wire: Wire) -> None:
        await wire.request()
        await wire.send(OK + b"\r\n" + b"x" * 4_000_000)
        await wire.until_left()

    async with serve(play) as server:
        incoming = await client.send(server.post(), Deadlines(total=0.3))
        assert await asyncio.wait_for(server.ended.get(), 5) == 1
        with pytest.raises(GatewayError) as told:
            await incoming.body(4_000_000)
        assert told.value.kind is Kind.TIMED_OUT


async def test_a_slow_reader_of_ours_is_not_the_upstreams_silence(client: Client) -> None:
    size = 8_000_000

    async def play(wire: Wire) -> None:
        await wire.request()
        await wire.send(OK + b"content-length: %d\r\n\r\n" % size + bytes(size))
        await wire.until_left()

    async with serve(play) as server:
        incoming = await client.send(server.post(), Deadlines(between_bytes=0.2))
        await asyncio.sleep(0.5)
        got = 0
        while piece := await incoming.read():
            got += len(piece)
        assert got == size
        await client.aclose()


async def test_a_server_that_does_not_take_the_request(client: Client) -> None:
    async def play(wire: Wire) -> None:
        await wire.head()
        wire.writer.transport.pause_reading()
        await gone.wait()

    gone = asyncio.Event()
    async with serve(play) as server:
        words = await refused(client, server.post(bytes(32_000_000)), Deadlines(between_bytes=0.2))
        assert words == f"127.0.0.1:{server.port} took no more of the request for 0.2 s (between-bytes deadline)"
        gone.set()


async def test_a_slow_upload_is_not_a_stalled_one(client: Client) -> None:
    size = 24_000_000

    async def play(wire: Wire) -> None:
        await wire.head()
        left = size
        while left:
            left -= len(await wire.reader.read(256 * 1024))
            await asyncio.sleep(0.01)
        await wire.send(LEAN)
        await wire.until_left()

    async with serve(play) as server:
        incoming = await client.send(server.post(bytes(size)), Deadlines(first_byte=5.0, between_bytes=0.5))
        assert await incoming.body(10) == b"hi"
        await client.aclose()


async def test_a_connection_that_waited_long_keeps_to_the_deadlines_of_its_new_request(client: Client) -> None:
    async def play(wire: Wire) -> None:
        await wire.request()
        await wire.send(LEAN)
        await wire.until_left()

    async with serve(play) as server:
        first = await client.send(server.post(), QUICK)
        assert await first.body(10) == b"hi"
        assert "0.04 s (first-byte" in await refused(client, server.post(), Deadlines(first_byte=SOON))


async def test_the_deadlines_of_an_old_request_do_not_hurt_the_next(client: Client) -> None:
    async def play(wire: Wire) -> None:
        await wire.request()
        await wire.send(LEAN)
        await wire.request()
        await asyncio.sleep(0.7)
        await wire.send(LEAN)
        await wire.until_left()

    async with serve(play) as server:
        short = Deadlines(first_byte=0.5, between_bytes=0.5, total=0.5)
        assert await (await client.send(server.post(), short)).body(10) == b"hi"
        assert await (await client.send(server.post(), QUICK)).body(10) == b"hi"
        assert server.connections == 1
        await client.aclose()


async def test_a_handshake_that_never_ends_hits_the_connect_deadline(client: Client, ca_file: str) -> None:
    async with serve(silent) as server:
        server.secure = True
        words = await refused(client, server.post(ca_file=ca_file), Deadlines(connect=0.3))
        assert words == f"no connection to 127.0.0.1:{server.port} within 0.3 s (connect deadline)"
        assert await asyncio.wait_for(server.ended.get(), 5) == 1


async def test_the_total_bounds_connecting_as_well(client: Client, ca_file: str) -> None:
    async with serve(silent) as server:
        server.secure = True
        assert "(total deadline)" in await refused(client, server.post(ca_file=ca_file), Deadlines(total=0.3))
        await server.ended.get()


async def test_an_alarm_that_is_moved_later_rings_once_and_not_before() -> None:
    loop, rung = asyncio.get_running_loop(), asyncio.Event()
    times: list[float] = []

    def ring() -> None:
        times.append(monotonic())
        rung.set()

    alarm = Alarm(loop, ring)
    alarm.set(monotonic() + 0.02)
    due = alarm.due = monotonic() + 0.06
    await rung.wait()
    assert times[0] >= due
    assert len(times) == 1


async def test_an_alarm_that_is_stopped_does_not_ring() -> None:
    rung: list[int] = []
    alarm = Alarm(asyncio.get_running_loop(), lambda: rung.append(1))
    alarm.set(monotonic() + 0.01)
    alarm.stop()
    await asyncio.sleep(0.05)
    assert rung == []


async def test_thousands_of_requests_arm_the_timer_a_few_times(client: Client, monkeypatch) -> None:
    armed = 0
    arm = Alarm._arm

    def counted(self: Alarm, due: float) -> None:
        nonlocal armed
        armed += 1
        arm(self, due)

    monkeypatch.setattr(Alarm, "_arm", counted)
    async with serve(answering(LEAN)) as server:
        for _ in range(500):
            incoming = await client.send(server.post(), Deadlines())
            await incoming.body(10)
        assert armed <= 5
        await client.aclose()
