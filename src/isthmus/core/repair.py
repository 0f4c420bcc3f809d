"""Tool calls and their results, brought into pairs.

Every provider refuses a call that has no result right behind it, and a result that answers no
call. Histories like that come from clients that were interrupted, or that cut old turns away.
Each repair is told as a loss.
"""

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from msgspec.structs import replace

from isthmus.core.chat import ChatRequest, Message, Role
from isthmus.core.content import Part, Text, ToolCall, ToolResult
from isthmus.core.losses import Losses

_Place: TypeAlias = tuple[int, int]
"""The number of a message, and of a part in it."""

UNANSWERED = "This call was interrupted; it has no result."
"""Said in place of the result that a call never got."""


def repair(request: ChatRequest, losses: Losses) -> ChatRequest:
    """The request with every call answered in the turn behind it, and no result without a call.

    A missing result is made up and marked as failed; a result that came in a later turn is moved
    to where it belongs; one that answers no call, or a call that is answered already, becomes text.
    """
    if _sound(request.messages):
        return request
    return replace(request, messages=tuple(_Mending(request.messages, losses).mended()))


def _sound(messages: Sequence[Message]) -> bool:
    """Are the results of each turn just those of the calls before it, each once? So they are where there are none."""
    due: set[str] = set()
    for message in messages:
        calls: list[str] = []
        for part in message.parts:
            if type(part) is ToolCall:
                calls.append(part.id)
            elif type(part) is ToolResult:
                if part.call_id not in due:
                    return False
                due.remove(part.call_id)
        if due:
            return False
        if calls:
            due = set(calls)
            if len(due) < len(calls):
                return False
    return not due


class _Mending:
    """One walk to find each call its result, by place, and one to write the turns anew."""

    def __init__(self, messages: Sequence[Message], losses: Losses) -> None:
        self._messages = messages
        self._losses = losses
        self._waiting: dict[str, list[_Place]] = {}
        for place, part in _places(messages):
            if type(part) is ToolResult:
                self._waiting.setdefault(part.call_id, []).append(place)
        self._placed: set[_Place] = set()
        self._results = [tuple(self._results_of(number)) for number in range(len(messages))]

    def mended(self) -> Iterable[Message]:
        due: tuple[ToolResult, ...] = ()
        for number, message in enumerate(self._messages):
            if due and message.role is not Role.USER:
                yield Message(Role.USER, due)
                due = ()
            parts = due + tuple(self._rest(number))
            if parts or not message.parts:
                yield replace(message, parts=parts)
            due = self._results[number]
        if due:
            yield Message(Role.USER, due)

    def _results_of(self, number: int) -> Iterable[ToolResult]:
        """The results of one turn's calls, in the order of the calls."""
        for at, part in enumerate(self._messages[number].parts):
            if type(part) is ToolCall:
                yield self._result_of(part.id, number, f"messages[{number}].parts[{at}]")

    def _result_of(self, call: str, number: int, path: str) -> ToolResult:
        waiting = [place for place in self._waiting.get(call, ()) if place[0] > number and place not in self._placed]
        if not waiting:
            self._losses.emulate(path, "the call has no result; one was made up that says so")
            return ToolResult(call, (Text(UNANSWERED),), failed=True)
        self._placed.add(waiting[0])
        where, at = waiting[0]
        if where != number + 1:
            self._losses.rewrite(path, "its result stood in a later turn and was moved behind the call")
        result = self._messages[where].parts[at]
        assert isinstance(result, ToolResult)  # noqa: S101  only places of results wait
        return result

    def _rest(self, number: int) -> Iterable[Part]:
        """What is left of a turn when its results are where they belong."""
        for at, part in enumerate(self._messages[number].parts):
            if type(part) is not ToolResult:
                yield part
            elif (number, at) not in self._placed:
                self._losses.rewrite(f"messages[{number}].parts[{at}]", "a result that answers no call became text")
                yield Text(f"Result of the tool call {part.call_id}:")
                yield from part.parts


def _places(messages: Sequence[Message]) -> Iterable[tuple[_Place, Part]]:
    return (((number, at), part) for number, one in enumerate(messages) for at, part in enumerate(one.parts))
