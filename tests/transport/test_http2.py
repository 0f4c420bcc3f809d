"""HTTP/2, one answer to a connection."""

import asyncio
import ssl

import pytest
import trustme
from hostile import QUICK, serve
from middlemen import Stream, http2, http_proxy

from isthmus.core.errors import GatewayError, Kind
from isthmus.providers.provider import Deadlines
from isthmus.transport.client import Client


@pytest.fixture(scope="module")
def good(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    context.set_alpn_protocols(["h2"])
    return context


async def echo(stream: Stream) -> None:
    await stream.answer({":status": "200", "x-path": stream.headers[":path"]}, b"got ", bytes(stream.body))


async def test_a_request_and_its_answer(client: Client, good: ssl.SSLContext, ca_file: str) -> None:
    async with serve(http2(echo), tls=good) as server:
        for _ in range(3):
            incoming = await client.send(server.post(ca_file=ca_file, http2=True), QUICK)
            assert incoming.status == 200
            assert incoming.headers == ((b"x-path", b"/v1/chat"),)
            assert await incoming.body(100) == b"got {}"
        assert server.connections == 1
        await client.aclose()


async def test_without_tls_it_is_spoken_at_once(client: Client) -> None:
    async with serve(http2(echo)) as server:
        incoming = await client.send(server.post(http2=True), QUICK)
        assert await incoming.body(100) == b"got {}"
        await client.aclose()


async def test_through_a_proxy(client: Client, good: ssl.SSLContext, ca_file: str) -> None:
    async with serve(http_proxy([])) as middle, serve(http2(echo), tls=good) as server:
        outgoing = server.post(ca_file=ca_file, http2=True, proxy=f"http://127.0.0.1:{middle.port}")
        incoming = await client.send(outgoing, QUICK)
        assert await incoming.body(100) == b"got {}"
        await client.aclose()


async def test_a_body_larger_than_its_window_is_sent(client: Client, good: ssl.SSLContext, ca_file: str) -> None:
    async def size(stream: Stream) -> None:
        await stream.answer({":status": "200"}, b"%d" % len(stream.body))

    async with serve(http2(size), tls=good) as server:
        incoming = await client.send(server.post(bytes(1_000_000), ca_file=ca_file, http2=True), QUICK)
        assert await incoming.body(100) == b"1000000"
        await client.aclose()


async def begin(stream: Stream) -> None:
    await stream.answer({":status": "200"}, b"half", end=False)


async def test_each_piece_is_given_as_it_comes(client: Client, good: ssl.SSLContext, ca_file: str) -> None:
    streams: asyncio.Queue[Stream] = asyncio.Queue()

    async def respond(stream: Stream) -> None:
        await begin(stream)
        streams.put_nowait(stream)

    async with serve(http2(respond), tls=good) as server:
        incoming = await client.send(server.post(ca_file=ca_file, http2=True), QUICK)
        assert await incoming.read() == b"half"
        stream = await streams.get()
        stream.connection.send_data(stream.id, b"")
        stream.connection.send_data(stream.id, b"rest", end_stream=True)
        await stream.flush()
        assert await incoming.read() == b"rest"
        assert await incoming.read() == b""
        await client.aclose()


async def test_closing_an_unfinished_answer_ends_the_upstreams_work(
    client: Client, good: ssl.SSLContext, ca_file: str
) -> None:
    async with serve(http2(begin), tls=good) as server:
        other = await client.send(server.post(ca_file=ca_file, http2=True), QUICK)
        incoming = await client.send(server.post(ca_file=ca_file, http2=True), QUICK)
        await incoming.read()
        incoming.close()
        assert await asyncio.wait_for(server.ended.get(), 5) == 2
        assert await other.read() == b"half"
        other.close()


async def test_silence_hits_the_deadlines(client: Client, good: ssl.SSLContext, ca_file: str) -> None:
    async with serve(http2(begin), tls=good) as server:
        incoming = await client.send(server.post(ca_file=ca_file, http2=True), Deadlines(between_bytes=0.1))
        assert await incoming.read() == b"half"
        with pytest.raises(GatewayError) as told:
            await incoming.read()
        assert told.value.kind is Kind.TIMED_OUT


async def test_a_stream_that_is_reset_is_cut_short(client: Client, good: ssl.SSLContext, ca_file: str) -> None:
    async def reset(stream: Stream) -> None:
        await begin(stream)
        stream.connection.reset_stream(stream.id)
        await stream.flush()

    async with serve(http2(reset), tls=good) as server:
        incoming = await client.send(server.post(ca_file=ca_file, http2=True), QUICK)
        with pytest.raises(GatewayError) as told:
            await incoming.body(100)
        assert told.value.kind is Kind.CUT_SHORT


async def test_frames_that_are_none_are_garbled(client: Client, good: ssl.SSLContext, ca_file: str) -> None:
    async def junk(stream: Stream) -> None:
        await begin(stream)
        await stream.wire.send(b"\x00\x00\x04\x03\x00\x00\x00\x00\x00junk" * 3)

    async with serve(http2(junk), tls=good) as server:
        incoming = await client.send(server.post(ca_file=ca_file, http2=True), QUICK)
        with pytest.raises(GatewayError) as told:
            await incoming.body(100)
        assert told.value.kind is Kind.GARBLED


async def test_a_connection_that_ends_is_cut_short(client: Client, good: ssl.SSLContext, ca_file: str) -> None:
    async def leave(stream: Stream) -> None:
        await begin(stream)
        stream.wire.writer.close()

    async with serve(http2(leave), tls=good) as server:
        incoming = await client.send(server.post(ca_file=ca_file, http2=True), QUICK)
        with pytest.raises(GatewayError) as told:
            await incoming.body(100)
        assert told.value.kind is Kind.CUT_SHORT
