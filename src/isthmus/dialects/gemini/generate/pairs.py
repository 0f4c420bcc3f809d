"""Calls and their results, arranged as this provider takes them.

The user's turn behind one that calls, or behind a run of those, must answer each call, once and in their order.
Results are moved there from wherever they stand; what cannot be paired is told in words, or made up for. Each repair
is recorded.

Source: https://ai.google.dev/gemini-api/docs/function-calling (parallel function calling).
"""

from collections.abc import Mapping, Sequence

from isthmus.core.chat import Message, Role
from isthmus.core.content import Part, Text, ToolCall, ToolResult
from isthmus.core.losses import Losses
from isthmus.core.value import Value
from isthmus.dialects.gemini.generate.results import NO_RESULT

_SYSTEM = (Role.SYSTEM, Role.DEVELOPER)


class Turn(Value, frozen=True):
    """A message to be written. `path` is its own, and each part carries the path that it had in the request."""

    role: Role
    parts: tuple[tuple[str, Part], ...]
    path: str
    message: Message | None = None


def names_of(turn: Turn) -> Mapping[str, str]:
    """The tools' names by the ids of the turn's calls."""
    return {part.id: part.name for _, part in turn.parts if type(part) is ToolCall}


def arrange(messages: Sequence[Message], losses: Losses) -> list[Turn]:
    """The conversation with every result behind its call."""
    turns = [_placed(message, number) for number, message in enumerate(messages)]
    if not any(type(part) in (ToolCall, ToolResult) for message in messages for part in message.parts):
        return turns
    return _Arranging(turns, losses).arranged()


def _placed(message: Message, number: int) -> Turn:
    path = f"messages[{number}]"
    parts = tuple([(f"{path}.parts[{place}]", part) for place, part in enumerate(message.parts)])
    return Turn(message.role, parts, path, message)


class _Arranging:
    """`_found` are the results for each call, with their paths, and the numbers of the turns that hold them.

    There may be several: some hosts give the same ids again in every turn.
    """

    def __init__(self, turns: Sequence[Turn], losses: Losses) -> None:
        self._turns = turns
        self._losses = losses
        self._found: dict[str, list[tuple[int, str, ToolResult]]] = {}
        self._taken: set[str] = set()
        for number, turn in enumerate(turns):
            for path, part in turn.parts:
                if type(part) is ToolResult:
                    self._found.setdefault(part.call_id, []).append((number, path, part))

    def arranged(self) -> list[Turn]:
        arranged: list[Turn] = []
        run: list[tuple[str, ToolCall]] = []
        for number, turn in enumerate(self._turns):
            answers = self._results(number, run) if run and turn.role is not Role.ASSISTANT else ()
            kept = self._kept(turn)
            if answers and turn.role is not Role.USER:
                arranged.append(Turn(Role.USER, tuple(answers), answers[0][0]))
                answers = ()
            if answers or kept or not turn.parts:
                arranged.append(Turn(turn.role, (*answers, *kept), turn.path, turn.message))
            run = [*run, *_calls(turn)] if turn.role is Role.ASSISTANT else []
        return arranged

    def _kept(self, turn: Turn) -> Sequence[tuple[str, Part]]:
        """What stays where it is: all but the results that have been put behind their calls."""
        kept: list[tuple[str, Part]] = []
        for path, part in turn.parts:
            if type(part) is not ToolResult:
                kept.append((path, part))
            elif path not in self._taken:
                self._losses.rewrite(path, "a result without its call is told in words")
                kept.extend(_in_words(path, part))
        return kept

    def _results(self, number: int, calls: Sequence[tuple[str, ToolCall]]) -> Sequence[tuple[str, Part]]:
        """The answers to the calls before turn `number`, in the order of the calls."""
        answers: list[tuple[str, Part]] = []
        places: list[tuple[int, str]] = []
        for path, call in calls:
            waiting = [one for one in self._found.get(call.id, ()) if one[0] >= number and one[1] not in self._taken]
            if waiting:
                place, at, result = waiting[0]
                self._taken.add(at)
                answers.append((at, result))
                places.append((place, at))
            else:
                self._losses.emulate(path, "a call without its result is answered with an error")
                answers.append((path, ToolResult(call.id, (Text(NO_RESULT),), failed=True)))
        self._note_moves(number, places)
        return answers

    def _note_moves(self, number: int, places: Sequence[tuple[int, str]]) -> None:
        order = [place_of(at) for _, at in places]
        if order != sorted(order):
            self._losses.rewrite(f"messages[{places[0][0]}].parts", "results stand in the order of their calls")
        for place, at in places:
            if any(turn.role not in _SYSTEM for turn in self._turns[number:place]):
                self._losses.rewrite(at, "a result stands directly behind its call")


def _calls(turn: Turn) -> Sequence[tuple[str, ToolCall]]:
    return [(path, part) for path, part in turn.parts if type(part) is ToolCall]


def place_of(path: str) -> tuple[int, ...]:
    """The numbers in a path, by which paths are ordered."""
    return tuple(int(piece.partition("]")[0]) for piece in path.split("[")[1:])


def _in_words(path: str, result: ToolResult) -> Sequence[tuple[str, Part]]:
    """A result that answers nothing, as the user's words and what comes with them."""
    said = "failed" if result.failed else "answered"
    told = "\n".join(part.text for part in result.parts if isinstance(part, Text))
    rest = [(path, part) for part in result.parts if not isinstance(part, Text)]
    return [(path, Text(f"(A tool {said}: {told})")), *rest]
