"""Proxies and a tiny HTTP/2 server, as plays for `hostile.serve`."""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import h2.config
import h2.connection
import h2.events
from hostile import Play, Request, Wire


async def relay(wire: Wire, host: str, port: int, first: bytes = b"") -> None:
    """Carry bytes both ways until either side is done."""
    reader, writer = await asyncio.open_connection(host, port)

    async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()

    writer.write(first)
    pumps = {asyncio.create_task(pump(wire.reader, writer)), asyncio.create_task(pump(reader, wire.writer))}
    try:
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
    finally:
        writer.transport.abort()
        for task in pumps:
            task.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)


def http_proxy(seen: list[Request], key: str | None = None) -> Play:
    """CONNECT for what is encrypted, the absolute form for what is not. `key` is user:password."""
    expected = None if key is None else "Basic " + base64.b64encode(key.encode()).decode()

    async def play(wire: Wire) -> None:
        request = await wire.head()
        seen.append(request)
        headers = {name.lower(): value for name, value in request.headers}
        if headers.get("proxy-authorization") != expected:
            await wire.send(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n")
            await wire.until_left()
            return
        method, target, version = request.line.split(" ")
        if method == "CONNECT":
            host, _, port = target.rpartition(":")
            await wire.send(b"HTTP/1.1 200 Connected\r\n\r\n")
            await relay(wire, host, int(port))
        else:
            url = urlsplit(target)
            lines = [f"{method} {url.path} {version}", *(f"{name}: {value}" for name, value in request.headers)]
            await relay(wire, url.hostname or "", url.port or 80, ("\r\n".join(lines) + "\r\n\r\n").encode())

    return play


def socks_proxy(seen: list[str], key: str | None = None) -> Play:
    """SOCKS5 (RFC 1928), with a user and a password (RFC 1929) where `key` is given as user:password."""

    async def play(wire: Wire) -> None:
        read = wire.reader.readexactly
        _, count = await read(2)
        method = b"\x00" if key is None else b"\x02"
        if method not in await read(count):
            await wire.send(b"\x05\xff")
            return
        await wire.send(b"\x05" + method)
        if key is not None:
            _, size = await read(2)
            user = await read(size)
            password = await read((await read(1))[0])
            right = f"{user.decode()}:{password.decode()}" == key
            await wire.send(b"\x01" + (b"\x00" if right else b"\x01"))
            if not right:
                return
        _, _, _, kind = await read(4)
        host = (await read((await read(1))[0])).decode() if kind == 3 else ".".join(map(str, await read(4)))
        port = int.from_bytes(await read(2), "big")
        seen.append(f"{host}:{port}")
        await wire.send(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
        await relay(wire, host, port)

    return play


@dataclass
class Stream:
    """One HTTP/2 request, and how to answer it."""

    wire: Wire
    connection: h2.connection.H2Connection
    id: int
    headers: dict[str, str]
    body: bytearray = field(default_factory=bytearray)

    async def answer(self, headers: dict[str, str], *pieces: bytes, end: bool = True) -> None:
        self.connection.send_headers(self.id, list(headers.items()), end_stream=end and not pieces)
        for number, piece in enumerate(pieces):
            self.connection.send_data(self.id, piece, end_stream=end and number == len(pieces) - 1)
        await self.flush()

    async def flush(self) -> None:
        await self.wire.send(self.connection.data_to_send())


def http2(respond: Callable[[Stream], Awaitable[None]]) -> Play:
    """Call `respond` with each request once it is complete."""

    async def play(wire: Wire) -> None:
        connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        connection.initiate_connection()
        await wire.send(connection.data_to_send())
        streams: dict[int, Stream] = {}
        while data := await wire.reader.read(65536):
            for event in connection.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    streams[event.stream_id] = Stream(wire, connection, event.stream_id, dict(event.headers))
                elif isinstance(event, h2.events.DataReceived):
                    streams[event.stream_id].body += event.data
                    connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, h2.events.StreamEnded):
                    await respond(streams.pop(event.stream_id))
            await wire.send(connection.data_to_send())

    return play
