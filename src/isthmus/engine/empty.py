"""Answers that say nothing, though they ended as if all were said.

The first one is set aside, and the request goes on as after a failure that rests nobody: to another place, or once
more to the same where there is no other. Where nobody says more, it is passed on just as it came.
"""

from isthmus.engine.answer import Answer
from isthmus.engine.exchange import Exchange


class Aside:
    """An empty answer that waits whether anybody says more, with what was noted of it."""

    __slots__ = ("_answer", "_guessed", "_lane", "_losses", "_usage")

    def __init__(self, exchange: Exchange, answer: Answer) -> None:
        self._answer = answer
        self._guessed = exchange.guessed
        self._lane = exchange.lane
        self._losses = tuple(exchange.losses.found)
        self._usage = exchange.usage

    def passed_on(self, exchange: Exchange) -> Answer:
        """The answer after all."""
        exchange.empty = True
        exchange.guessed, exchange.lane, exchange.usage = self._guessed, self._lane, self._usage
        exchange.losses.found[:] = self._losses
        return self._answer
