"""A server that does on each connection exactly what a test says, byte for byte, and notices when it is left."""

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from isthmus.providers.provider import Deadlines, Origin, Outgoing

OK = b"HTTP/1.1 200 OK\r\n"
LEAN = OK + b"content-length: 2\r\n\r\nhi"
"""The shortest useful answer."""


@dataclass
class Request:
    """One request as it came over the wire."""

    line: str
    headers: list[tuple[str, str]]
    body: bytes = b""

    def header(self, name: str) -> str | None:
        return dict(self.headers).get(name)


class Wire:
    """One connection, from the server's side. `left` is set when the client has closed it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        self.reader = reader
        self.writer = writer
        self.number = number

    async def head(self) -> Request:
        """Read a request's head. Raises IncompleteReadError when the client leaves first."""
        raw = await self.reader.readuntil(b"\r\n\r\n")
        line, *rest = raw.decode("latin-1").split("\r\n")[:-2]
        return Request(line, [(name, value) for name, _, value in (item.partition(": ") for item in rest)])

    async def request(self) -> Request:
        request = await self.head()
        request.body = await self.reader.readexactly(int(request.header("content-length") or 0))
        return request

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def until_left(self) -> None:
        """Wait until the client closes the connection; what it still sends is thrown away."""
        with suppress(ConnectionError):
            while await self.reader.read(65536):
                pass

    def reset(self) -> None:
        """End the connection with a RST."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


Play = Callable[[Wire], Awaitable[None]]


@dataclass
class Server:
    """`requests` and `connections` count what came; `left` is set each time a play has ended."""

    host: str
    port: int = 0
    secure: bool = False
    connections: int = 0
    open: int = 0
    requests: list[Request] = field(default_factory=list)
    failures: list[BaseException] = field(default_factory=list)
    ended: asyncio.Queue[int] = field(default_factory=asyncio.Queue)

    def origin(self, host: str | None = None, **more: object) -> Origin:
        return Origin("https" if self.secure else "http", host or self.host, self.port, **more)  # type: ignore[arg-type]

    def post(self, body: bytes = b"{}", **more: object) -> Outgoing:
        return Outgoing(self.origin(**more), "POST", "/v1/chat", ((b"x-key", b"abc"),), body)  # type: ignore[arg-type]

    def get(self, method: str = "GET") -> Outgoing:
        return Outgoing(self.origin(), method, "/v1/models", ())


@asynccontextmanager
async def serve(play: Play, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> AsyncIterator[Server]:
    """Play on every connection; a mistake of the play itself fails the test."""
    server = Server(host, secure=tls is not None)
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        server.connections += 1
        server.open += 1
        number = server.connections
        try:
            await play(Wire(reader, writer, number))
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError, asyncio.CancelledError):
            pass  # the other side left; whatever it had sent by then, TLS may call that an error
        except Exception as error:
            server.failures.append(error)
        finally:
            server.open -= 1
            server.ended.put_nowait(number)
            writer.transport.abort()
            with suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()
            tasks.discard(task)

    listening = await asyncio.start_server(connected, host, 0, ssl=tls, limit=2**20)
    # Some kernels take tens of megabytes for a reader that sleeps; whether an upload stalls must not depend on them.
    listening.sockets[0].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 128 * 1024)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        for _ in range(10):  # who was let in at the last moment has yet to begin, and is left open if it never does
            await asyncio.sleep(0)
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await listening.wait_closed()
    if server.failures:
        raise server.failures[0]


def answering(*answers: bytes) -> Play:
    """Answer each request of a connection with the next of `answers`, the last one over and over."""

    async def play(wire: Wire) -> None:
        for number in range(10_000):
            await wire.request()
            await wire.send(answers[min(number, len(answers) - 1)])

    return play


def closing(answer: bytes) -> Play:
    """Answer one request and close."""

    async def play(wire: Wire) -> None:
        await wire.request()
        await wire.send(answer)
        wire.writer.write_eof() if wire.writer.can_write_eof() else wire.writer.close()
        await wire.until_left()

    return play


QUICK = Deadlines(connect=5.0, first_byte=5.0, between_bytes=5.0)
