"""Tasks that run the application: used again, never after they were cancelled, and let go when nobody needs them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from isthmus.server import house
from isthmus.server.house import House
from isthmus.server.listeners import addresses, listen

GET = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"


@asynccontextmanager
async def asking(application: Any) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to a server with this application."""
    sockets = listen([("127.0.0.1", 0)])
    running = House(application)
    await running.open(sockets)
    reader, writer = await asyncio.open_connection("127.0.0.1", int(addresses(sockets)[0].rpartition(":")[2]))
    try:
        yield reader, writer
    finally:
        writer.close()
        await running.close(1.0)


async def answered(send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": ((b"content-length", b"2"),)})
    await send({"type": "http.response.body", "body": b"ok"})


async def ask(stream: tuple[asyncio.StreamReader, asyncio.StreamWriter], times: int) -> None:
    reader, writer = stream
    async with asyncio.timeout(5):
        for _ in range(times):
            writer.write(GET)
            await reader.readuntil(b"\r\n\r\nok")


async def test_one_task_serves_one_request_after_another() -> None:
    tasks: list[object] = []

    async def application(_scope: Any, _receive: Any, send: Any) -> None:
        tasks.append(asyncio.current_task())
        await answered(send)

    async with asking(application) as stream:
        await ask(stream, 3)
    assert len(tasks) == 3
    assert len(set(tasks)) == 1


async def test_a_task_that_was_cancelled_serves_no_other_request() -> None:
    tasks: list[object] = []

    async def application(_scope: Any, _receive: Any, send: Any) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.append(task)
        task.cancel()
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            await answered(send)

    async with asking(application) as stream:
        await ask(stream, 2)
    assert len(set(tasks)) == 2


async def test_a_failure_in_one_request_does_not_reach_the_next() -> None:
    count = 0

    async def application(_scope: Any, _receive: Any, send: Any) -> None:
        nonlocal count
        count += 1
        await answered(send)
        if count == 1:
            raise ValueError("after the answer")

    async with asking(application) as stream:
        await ask(stream, 2)
    assert count == 2


async def test_tasks_that_nobody_needs_are_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house, "ROUND", 0.001)

    async def application(_scope: Any, _receive: Any, send: Any) -> None:
        await answered(send)

    async with asking(application) as stream:
        before = len(asyncio.all_tasks())
        await ask(stream, 1)
        async with asyncio.timeout(5):
            while len(asyncio.all_tasks()) > before:
                await asyncio.sleep(0)
