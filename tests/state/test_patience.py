"""Waiting for another process: what is late is late, but not what came while this process did not look."""

import asyncio
import time

from isthmus.state.patience import in_time

BUDGET = 0.02


async def test_an_answer_that_lies_unread_while_the_loop_is_held_up_is_not_late() -> None:
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[bool] = loop.create_future()

    async def read() -> None:
        """It passes through some hands until it is here."""
        for _ in range(5):
            await asyncio.sleep(0)
        answer.set_result(True)

    loop.call_soon(time.sleep, BUDGET * 2)
    reading = asyncio.create_task(read())
    assert await in_time(answer, BUDGET)
    await reading


async def test_an_answer_that_does_not_come_is_late() -> None:
    assert not await in_time(asyncio.get_running_loop().create_future(), 0.001)
