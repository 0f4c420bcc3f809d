"""How long an answer of another process is waited for."""

import asyncio
from typing import TypeVar

HELD_UP = 0.005
"""Seconds by which the event loop is late when an answer may have come that nobody has read yet."""

_T = TypeVar("_T")


async def in_time(answer: "asyncio.Future[_T]", seconds: float) -> bool:
    """Does the answer come within so many seconds? While this loop was held up, it may have come and lain unread."""
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    await asyncio.wait((answer,), timeout=seconds)
    if not answer.done() and loop.time() - until > HELD_UP:
        await asyncio.wait((answer,), timeout=seconds)
    return answer.done()
