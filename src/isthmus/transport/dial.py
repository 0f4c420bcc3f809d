"""A connected socket to the first of several addresses that answers, each a little later than the one before."""

import asyncio
import os
import socket
from collections.abc import Sequence

from isthmus.transport.resolve import Address

STAGGER = 0.25
"""Seconds before the next address is tried beside those that have not answered yet (RFC 8305, section 5)."""
_KEEPALIVE = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4))
"""A model may think for minutes: keep the path open meanwhile, and notice within two minutes that it is gone."""


async def dial(addresses: Sequence[Address]) -> socket.socket:
    """Connect to one of `addresses`. Raises OSError with every reason when none can be reached."""
    if len(addresses) == 1:
        return await _connect(addresses[0])
    running: set[asyncio.Task[socket.socket]] = set()
    failed: list[str] = []
    try:
        for address in addresses:
            running.add(asyncio.create_task(_connect(address)))
            if (winner := await _first(running, failed, STAGGER)) is not None:
                return winner
        while running:
            if (winner := await _first(running, failed, None)) is not None:
                return winner
    finally:
        await _dismiss(running)
    raise OSError(0, ", ".join(dict.fromkeys(failed)))


async def _first(
    running: set[asyncio.Task[socket.socket]], failed: list[str], seconds: float | None
) -> socket.socket | None:
    """Wait until one of `running` is done; it is taken out. A failure is noted, and lets the next start at once."""
    done, _ = await asyncio.wait(running, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        error = task.exception()
        if error is None:
            running.discard(task)
            return task.result()
        running.discard(task)
        failed.append(reason(error))
    return None


async def _dismiss(running: set[asyncio.Task[socket.socket]]) -> None:
    for task in running:
        task.cancel()
    for late in await asyncio.gather(*running, return_exceptions=True):
        if isinstance(late, socket.socket):
            late.close()


async def _connect(address: Address) -> socket.socket:
    sock = socket.socket(address.family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _KEEPALIVE:
            if (option := getattr(socket, name, None)) is not None:
                sock.setsockopt(socket.IPPROTO_TCP, option, value)
        await asyncio.get_running_loop().sock_connect(sock, address.sockaddr)
    except BaseException:
        sock.close()
        raise
    return sock


def reason(error: BaseException) -> str:
    """Why, as the system says it: "Connection refused". The loops put the address in its place."""
    if isinstance(error, OSError):
        if error.errno and not isinstance(error, socket.gaierror):
            return os.strerror(error.errno)
        return error.strerror or str(error) or type(error).__name__
    return str(error) or type(error).__name__
