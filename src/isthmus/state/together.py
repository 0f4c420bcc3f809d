"""Questions to the server that are asked at the same moment, sent as one call."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Generic, TypeAlias, TypeVar

from isthmus.state.shared_server import Answers, SharedServer

MOST = 100
"""Questions in one call."""
CALLS = 4
"""Calls under way at a time, so that one that is late does not make all others late."""

_Q = TypeVar("_Q")
Reply: TypeAlias = "asyncio.Future[object | None]"
"""The answer to one question; None when there is none."""


class Together(Generic[_Q]):
    """`call` has one answer for each question, in their order."""

    def __init__(self, server: SharedServer, call: Callable[[Sequence[_Q]], Awaitable[Answers]]) -> None:
        self._server = server
        self._call = call
        self._waiting: list[tuple[_Q, Reply]] = []
        self._senders: set[asyncio.Task[None]] = set()

    def ask(self, question: _Q) -> Reply:
        """The answer, when it comes. Nobody need wait for it."""
        reply: Reply = asyncio.get_running_loop().create_future()
        self._waiting.append((question, reply))
        if len(self._senders) < CALLS:
            sender = asyncio.ensure_future(self._send_all())
            self._senders.add(sender)
            sender.add_done_callback(self._senders.discard)
        return reply

    async def _send_all(self) -> None:
        while self._waiting:
            asked, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            replies = [reply for _, reply in asked]
            task = self._server.start(partial(self._call, [question for question, _ in asked]))
            if task is None:
                _answer(replies, None)
            else:
                task.add_done_callback(partial(_answered, replies))
                await self._server.wait(task)


def _answered(replies: Sequence[Reply], task: asyncio.Task[Answers | None]) -> None:
    _answer(replies, None if task.cancelled() else task.result())


def _answer(replies: Sequence[Reply], answers: Answers | None) -> None:
    for reply, answer in zip(replies, answers or [None] * len(replies), strict=True):
        if not reply.done():
            reply.set_result(answer)
