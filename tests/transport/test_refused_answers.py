"""Answers that are not to be trusted: refused as garbled, and their connection is closed."""

import asyncio

import pytest
from hostile import LEAN, OK, QUICK, Server, Wire, serve

from isthmus.core.errors import GatewayError, Kind
from isthmus.transport.client import Client
from isthmus.transport.framing import HEAD_BYTES, HEAD_COUNT

CHUNKED = OK + b"transfer-encoding: chunked\r\n\r\n"
SMUGGLED = b"2\r\nhi\r\n0\r\n\r\n"

REFUSED = {
    "lengths that conflict": OK + b"content-length: 2\r\ncontent-length: 3\r\n\r\nhi!",
    "a length twice": OK + b"content-length: 2\r\ncontent-length: 2\r\n\r\nhi",
    "a list of lengths": OK + b"content-length: 2, 2\r\n\r\nhi",
    "a negative length": OK + b"content-length: -2\r\n\r\nhi",
    "a signed length": OK + b"content-length: +2\r\n\r\nhi",
    "a hexadecimal length": OK + b"content-length: 0x2\r\n\r\nhi",
    "an empty length": OK + b"content-length:\r\n\r\nhi",
    "an endless length": OK + b"content-length: 99999999999999999999\r\n\r\nhi",
    "length and chunked": OK + b"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n" + SMUGGLED,
    "chunked and length": OK + b"transfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n" + SMUGGLED,
    "chunked twice": OK + b"transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n" + SMUGGLED,
    "chunked, chunked": OK + b"transfer-encoding: chunked, chunked\r\n\r\n" + SMUGGLED,
    "gzip, chunked": OK + b"transfer-encoding: gzip, chunked\r\n\r\n" + SMUGGLED,
    "chunked, identity": OK + b"transfer-encoding: chunked, identity\r\n\r\n" + SMUGGLED,
    "another transfer-encoding": OK + b"transfer-encoding: xchunked\r\n\r\n" + SMUGGLED,
    "a chunk size that is none": CHUNKED + b"zz\r\nhi\r\n0\r\n\r\n",
    "a negative chunk size": CHUNKED + b"-2\r\nhi\r\n0\r\n\r\n",
    "a chunk size with 0x": CHUNKED + b"0x2\r\nhi\r\n0\r\n\r\n",
    "an endless chunk size": CHUNKED + b"fffffffffffffffff\r\nhi",
    "a chunk longer than it says": CHUNKED + b"2\r\nhi!\r\n0\r\n\r\n",
    "a chunk with a bare line feed": CHUNKED + b"2\nhi\n0\n\n",
    "a length among the trailers": CHUNKED + b"2\r\nhi\r\n0\r\ncontent-length: 3\r\n\r\n",
    "a folded header": OK + b"x-a: b\r\n c\r\ncontent-length: 2\r\n\r\nhi",
    "a NUL in a header": OK + b"x-a: b\0c\r\ncontent-length: 2\r\n\r\nhi",
    "a bare CR in a header": OK + b"x-a: b\rc\r\ncontent-length: 2\r\n\r\nhi",
    "bare line feeds": b"HTTP/1.1 200 OK\ncontent-length: 2\n\nhi",
    "a space before the colon": OK + b"content-length : 2\r\n\r\nhi",
    "a space in a name": OK + b"content length: 2\r\n\r\nhi",
    "no colon": OK + b"content-length 2\r\n\r\nhi",
    "no name": OK + b": 2\r\n\r\nhi",
    "a switch of protocols": b"HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
    "a bare 101": b"HTTP/1.1 101 Switching\r\n\r\n" + LEAN,
    "a status below 100": b"HTTP/1.1 099 Odd\r\ncontent-length: 2\r\n\r\nhi",
    "a status of four digits": b"HTTP/1.1 2000 OK\r\ncontent-length: 2\r\n\r\nhi",
    "no status": b"HTTP/1.1 OK\r\ncontent-length: 2\r\n\r\nhi",
    "another version": b"HTTP/3.7 200 OK\r\ncontent-length: 2\r\n\r\nhi",
    "another protocol": b"SSH-2.0-OpenSSH_9.2\r\n",
    "a TLS alert": b"\x15\x03\x01\x00\x02\x02\x46",
    "interim answers without end": b"HTTP/1.1 102 Processing\r\n\r\n" * 50 + LEAN,
    "too many headers": OK + b"x: y\r\n" * (HEAD_COUNT + 1) + b"content-length: 2\r\n\r\nhi",
    "too long a header": OK + b"x: " + b"y" * HEAD_BYTES + b"\r\ncontent-length: 2\r\n\r\nhi",
    "a header without end": OK + b"x: " + b"y" * (4 * HEAD_BYTES),
    "a name without end": OK + b"y" * (4 * HEAD_BYTES),
    "a status line without end": b"HTTP/1.1 200 " + b"y" * (4 * HEAD_BYTES),
    "trailers without end": CHUNKED + b"2\r\nhi\r\n0\r\n" + b"x: y\r\n" * 300_000,
    "a trailer without end": CHUNKED + b"2\r\nhi\r\n0\r\nx: " + b"y" * 1_000_000,
    "a chunk extension without end": CHUNKED + b"2;" + b"y" * 1_000_000,
}


async def ask(client: Client, server: Server) -> bytes:
    return await (await client.send(server.post(), QUICK)).body(100)


@pytest.mark.parametrize("why", REFUSED)
async def test_it_is_garbled_and_the_connection_is_closed(client: Client, why: str) -> None:
    async def play(wire: Wire) -> None:
        await wire.request()
        await wire.send(REFUSED[why])
        await wire.until_left()

    async with serve(play) as server:
        with pytest.raises(GatewayError) as told:
            await ask(client, server)
        assert told.value.kind is Kind.GARBLED, told.value.message
        assert told.value.message.startswith(f"127.0.0.1:{server.port} sent an answer that cannot be read: ")
        assert await asyncio.wait_for(server.ended.get(), 5) == 1


async def test_a_head_at_its_bounds_is_read(client: Client) -> None:
    headers = b"x: y\r\n" * (HEAD_COUNT - 2) + b"z: " + b"y" * 60_000 + b"\r\ncontent-length: 2\r\n\r\n"

    async def play(wire: Wire) -> None:
        await wire.request()
        await wire.send(OK + headers + b"hi")
        await wire.until_left()

    async with serve(play) as server:
        incoming = await client.send(server.post(), QUICK)
        assert len(incoming.headers) == HEAD_COUNT
        assert await incoming.body(10) == b"hi"
        await client.aclose()


async def test_twenty_interim_answers_are_endured(client: Client) -> None:
    async def play(wire: Wire) -> None:
        await wire.request()
        await wire.send(b"HTTP/1.1 102 Processing\r\nx: y\r\n\r\n" * 20 + LEAN)
        await wire.until_left()

    async with serve(play) as server:
        incoming = await client.send(server.post(), QUICK)
        assert dict(incoming.headers) == {b"content-length": b"2"}
        await client.aclose()


async def test_many_small_chunks_are_not_mistaken_for_something_endless(client: Client) -> None:
    async def play(wire: Wire) -> None:
        await wire.request()
        await wire.send(CHUNKED + b"1;" + b"x" * 90 + b"\r\na\r\n" * 1 + b"1\r\na\r\n" * 50_000 + b"0\r\n\r\n")
        await wire.until_left()

    async with serve(play) as server:
        incoming = await client.send(server.post(), QUICK)
        assert await incoming.body(100_000) == b"a" * 50_001
        await client.aclose()
