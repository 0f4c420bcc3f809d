"""A real server on a real socket: heads that are too large or too slow, bodies that are large, answers in one piece."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn

from isthmus.server import protocol
from isthmus.server.listeners import addresses, listen

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answers with the length of what it was sent."""
    size, more = 0, True
    while more:
        message = await receive()
        size, more = size + len(message["body"]), message["more_body"]
    body = b"%d" % size
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def connected() -> AsyncIterator[Stream]:
    """A connection to a server of this kind, which ends with it."""
    sockets = listen([("127.0.0.1", 0)])
    port = int(addresses(sockets)[0].rpartition(":")[2])
    server = uvicorn.Server(uvicorn.Config(echo, timeout_graceful_shutdown=1, **protocol.protocol_options()))
    running = asyncio.create_task(server._serve(sockets))
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()
        server.should_exit = True
        await running


async def answer(stream: Stream, *pieces: bytes) -> bytes:
    """What comes back until the server closes, or until the answer to a request that asks for that."""
    reader, writer = stream
    for piece in pieces:
        writer.write(piece)
    async with asyncio.timeout(5):
        return await reader.read()


async def test_a_head_with_too_many_headers_is_refused_and_the_connection_closed() -> None:
    async with connected() as stream:
        lines = b"".join(b"x-%d: y\r\n" % number for number in range(protocol.HEAD_COUNT + 1))
        assert (await answer(stream, b"POST / HTTP/1.1\r\nhost: a\r\n" + lines + b"\r\n")).startswith(b"HTTP/1.1 400")


async def test_a_head_that_never_ends_is_refused_when_it_passes_its_bound() -> None:
    async with connected() as stream:
        pieces = [b"POST / HTTP/1.1\r\nhost: a\r\n", *[b"x-%d: %b\r\n" % (n, b"y" * 1000) for n in range(80)]]
        assert b"too large" in await answer(stream, *pieces)


@pytest.mark.parametrize("sent", [b"", b"POST / HT", b"POST / HTTP/1.1\r\nhost: a\r\nx-y"])
async def test_a_head_that_does_not_come_is_not_waited_for_for_ever(sent: bytes, monkeypatch: Any) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.05)
    async with connected() as stream:
        assert await answer(stream, sent) == b""


async def test_the_next_request_on_a_connection_may_come_late(monkeypatch: Any) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.05)
    async with connected() as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        assert await reader.readexactly(1) == b"0"
        late = asyncio.Event()
        asyncio.get_running_loop().call_later(0.15, late.set)
        await late.wait()
        last = await answer((reader, writer), b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        assert last.startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("size", [0, 1, 65_536, protocol.BODY_AHEAD, 3 * protocol.BODY_AHEAD + 7])
async def test_a_body_of_any_size_arrives_whole(size: int) -> None:
    async with connected() as stream:
        head = b"POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % size
        assert (await answer(stream, head, b"z" * size)).endswith(b"\r\n\r\n%d" % size)


async def test_conflicting_lengths_are_refused() -> None:
    async with connected() as stream:
        head = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"
        assert (await answer(stream, head)).startswith(b"HTTP/1.1 400")
