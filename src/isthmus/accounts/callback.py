"""The listener on this machine that a browser comes back to after somebody has signed in (RFC 8252, section 7.3).

It is bound on 127.0.0.1 and ::1 and nowhere else, before the address that names its port is given out, and closed as
soon as no sign-in waits for it. It serves one page at the paths that are waited for, and 404 at any other. It reads a
head of bounded length, of hosts that are this machine, and logs nothing of what it reads.
"""

import asyncio
import errno
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from html import escape
from urllib.parse import urlsplit

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.value import Value
from isthmus.providers.issuer import Issuer
from isthmus.providers.issuers.checked import is_loopback

HEAD = 8192
"""Bytes of a request's head."""
PATIENCE = 10.0
"""Seconds that a browser may take for it."""
CONNECTIONS = 32
"""Connections at a time to one listener."""
TRIES = 5
"""How often any free port is tried: one that is free at one address need not be at the other."""
HOSTS = ("127.0.0.1", "::1")

_NO_SUCH_FAMILY = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT}
"""How a machine says that it has no IPv6."""
_REASONS = {
    200: "OK",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    502: "Bad Gateway",
}

log = logging.getLogger(__name__)


class Outcome(Value, frozen=True):
    """What the page says to whoever signed in."""

    status: int
    title: str
    words: str


Arrived = Callable[[str], Awaitable[Outcome]]
"""Told the query that a browser brought back. Never raises GatewayError."""
NOT_FOUND = Outcome(404, "Not found", "There is nothing here.")
NOT_HERE = Outcome(403, "Refused", "This page is only for this machine.")
NOT_SO = Outcome(405, "Refused", "This page can only be read.")
NOT_READ = Outcome(400, "Refused", "The request is not understood.")


class Callbacks:
    """All listeners of a process; sign-ins that want the same port share one. Belongs to whoever calls `aclose`."""

    def __init__(self, arrived: Arrived) -> None:
        self._arrived = arrived
        self._open: dict[int, Listener] = {}
        self._ended: set[Listener] = set()
        self._opening = asyncio.Lock()

    async def listen(self, identity: str, issuer: Issuer, *, port: int | None = None) -> int:
        """Have the sign-in called `identity` waited for, at `port` alone where it is said. The port it is.

        Raises INVALID where no port could be had.
        """
        wanted = (port,) if port is not None else issuer.callback_ports or (0,) * TRIES
        async with self._opening:
            for one in wanted:
                listener = self._open.get(one) or await self._opened(one)
                if listener is not None:
                    listener.waiting[identity] = issuer.callback_path
                    self._open[listener.port] = listener
                    return listener.port
        raise GatewayError(Kind.INVALID, _taken(issuer, wanted))

    def stop(self, identity: str) -> None:
        """The sign-in is not waited for any more."""
        for port, listener in tuple(self._open.items()):
            listener.waiting.pop(identity, None)
            if not listener.waiting:
                del self._open[port]
                listener.close()
                self._ended = {one for one in self._ended if one.serving} | {listener}

    async def aclose(self) -> None:
        """Nothing is listened for, and nobody is served any more."""
        for listener in (*self._open.values(), *self._ended):
            await listener.aclose()
        self._open.clear()
        self._ended.clear()

    async def _opened(self, port: int) -> "Listener | None":
        listener = Listener(self._arrived)
        return listener if await listener.open(port) else None


class Listener:
    """One port, on every loopback address that the machine has. `waiting`: paths, by who waits for them."""

    def __init__(self, arrived: Arrived) -> None:
        self.port = 0
        self.waiting: dict[str, str] = {}
        self.serving: set[asyncio.Task[None]] = set()
        self._arrived = arrived
        self._servers: list[asyncio.Server] = []
        self._reading: set[asyncio.Task[None]] = set()

    async def open(self, port: int) -> bool:
        """Listen at this port, or any where it is 0. False where somebody else does, at either address."""
        try:
            for host in HOSTS:
                await self._bind(host, self.port or port)
        except OSError:
            self.close()
            return False
        except BaseException:
            self.close()
            raise
        return True

    async def _bind(self, host: str, port: int) -> None:
        """Nothing happens where the machine has no such address beside one that it has."""
        try:
            server = await asyncio.start_server(self._connected, host, port, limit=HEAD)
            if not server.sockets:  # asyncio passes over a family without a word
                raise OSError(errno.EAFNOSUPPORT, "no such family of addresses")
        except OSError as error:
            if not self._servers or error.errno not in _NO_SUCH_FAMILY:
                raise
            return
        self._servers.append(server)
        self.port = server.sockets[0].getsockname()[1]

    def close(self) -> None:
        """Nobody else is let in. Who has been heard is still answered."""
        for server in self._servers:
            server.close()
        for task in self._reading:
            task.cancel()

    async def aclose(self) -> None:
        self.close()
        for task in self.serving:
            task.cancel()
        await asyncio.gather(*self.serving, return_exceptions=True)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self.serving) >= CONNECTIONS:
            writer.close()
            return
        task = asyncio.create_task(self._serve(reader, writer))
        self.serving.add(task)
        self._reading.add(task)
        task.add_done_callback(self._left)

    def _left(self, task: "asyncio.Task[None]") -> None:
        self.serving.discard(task)
        self._reading.discard(task)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                head = await reader.readuntil(b"\r\n\r\n")
            self._reading -= {asyncio.current_task()}
            writer.write(page_of(await self._answer(head)))
            async with asyncio.timeout(PATIENCE):
                await writer.drain()
        except (OSError, EOFError, asyncio.LimitOverrunError):  # gone, too slow, or too long
            return
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _answer(self, head: bytes) -> Outcome:
        read = read_head(head)
        if isinstance(read, Outcome):
            return read
        parts = urlsplit(read)
        if parts.path not in self.waiting.values():
            return NOT_FOUND
        return await self._arrived(parts.query)


def read_head(head: bytes) -> str | Outcome:
    """The target of a request, or why it is not answered."""
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[1].startswith("/") or words[1].startswith("//"):
        return NOT_READ
    if words[0] != "GET":
        return NOT_SO
    hosts = [value for name, _, value in (line.partition(":") for line in lines) if name.lower() == "host"]
    if len(hosts) != 1 or not _is_here(hosts[0].strip()):
        return NOT_HERE
    return words[1]


def page_of(outcome: Outcome) -> bytes:
    """The whole answer. Nothing of what the browser brought is on the page, and nobody is told where it came from."""
    title, words = escape(outcome.title), escape(outcome.words)
    body = _PAGE.replace("TITLE", title).replace("WORDS", words).encode()
    lines = (
        f"HTTP/1.1 {outcome.status} {_REASONS.get(outcome.status, 'OK')}",
        "content-type: text/html; charset=utf-8",
        f"content-length: {len(body)}",
        "cache-control: no-store",
        "referrer-policy: no-referrer",
        "x-content-type-options: nosniff",
        "content-security-policy: default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
        "connection: close",
        "",
        "",
    )
    return "\r\n".join(lines).encode() + body


def _is_here(host: str) -> bool:
    """Is it this machine that the browser believes to be speaking to, by the name of no other?"""
    try:
        return is_loopback((urlsplit(f"//{host}").hostname or "").lower())
    except ValueError:
        return False


def _taken(issuer: Issuer, wanted: Sequence[int]) -> str:
    ports = ", ".join(dict.fromkeys(str(port) if port else "any free one" for port in wanted))
    return (
        f"the browser could not come back from {issuer.title}: on this machine something else listens at port {ports},"
        " or it may not be listened at; end that, or name another port"
    )


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>TITLE</title>
<style>:root{color-scheme:light dark}body{font:1.1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:20vh auto;
padding:0 1.5rem}h1{font-size:1.5rem}</style></head>
<body><h1>TITLE</h1><p>WORDS</p></body></html>
"""
