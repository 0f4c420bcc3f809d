"""A line that somebody may type while something else happens: waited for without a thread that nobody could end."""

import asyncio
import io
import os
import sys
from typing import TextIO

MOST = 16 * 1024
"""Bytes of a line; a terminal takes fewer."""


async def typed_line() -> str | None:
    """The next line of standard input, without its end; None where nobody will type any more."""
    stream: TextIO | None = sys.stdin
    if stream is None:
        return None
    try:
        descriptor = stream.fileno()
    except (io.UnsupportedOperation, ValueError):
        line = stream.readline()
        return line.strip() if line else None
    try:
        return await _read(descriptor)
    except OSError:
        return None


async def _read(descriptor: int) -> str | None:
    """Raises OSError for what cannot be waited for, such as a file."""
    loop, line = asyncio.get_running_loop(), b""
    while b"\n" not in line and len(line) < MOST:
        ready: asyncio.Future[None] = loop.create_future()
        loop.add_reader(descriptor, _set, ready)
        try:
            await ready
        finally:
            loop.remove_reader(descriptor)
        more = os.read(descriptor, MOST)
        if not more:
            return None
        line += more
    return line.decode(errors="replace").partition("\n")[0].strip()


def _set(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)
