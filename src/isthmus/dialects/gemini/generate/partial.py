"""Arguments of a call that come in pieces: `partialArgs`, each with the path of the value that it is a piece of.

Source: https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/function-calling (streaming arguments).
"""

import re
from collections.abc import Sequence
from itertools import pairwise

from msgspec import Raw

from isthmus.dialects.gemini.spelling import Camel
from isthmus.wire import json
from isthmus.wire.json import Malformed

DEEPEST = 64
"""Steps of a path that is followed."""
_STEP = re.compile(r"""\.([^.\[\]]+)|\[(\d{1,9})\]|\['([^']*)'\]|\["([^"]*)"\]""")

_Step = str | int


class PartialArguments:
    """One call's arguments while they come. A path that leads nowhere is Malformed."""

    def __init__(self, start: Raw | None) -> None:
        self._root: dict[str, object] = dict(json.read_fields(start)) if start is not None else {}

    def add(self, piece: Camel) -> None:
        steps = _steps(piece.text("jsonPath") or "")
        value = _value(piece)
        holder: object = self._root
        for step, following in pairwise(steps):
            holder = _enter(holder, step, [] if isinstance(following, int) else {})
        _put(holder, steps[-1], value)

    def text(self) -> str:
        """The JSON of what came."""
        return json.encode(_joined(self._root)).decode()


def _steps(path: str) -> Sequence[_Step]:
    steps: list[_Step] = []
    at = 1
    while path.startswith("$") and at < len(path) and len(steps) < DEEPEST:
        found = _STEP.match(path, at)
        if found is None:
            break
        at = found.end()
        name, number, single, double = found.groups()
        steps.append(int(number) if number is not None else name or single or double or "")
    if not steps or at < len(path):
        raise Malformed(f"{path[:80]!r} is no path that arguments have", "partialArgs")
    return steps


class _Text:
    """A string in pieces. `open`: more of it is to come."""

    __slots__ = ("open", "pieces")

    def __init__(self, piece: str, *, more: bool) -> None:
        self.pieces = [piece]
        self.open = more


def _value(piece: Camel) -> object:
    more = piece.flag("willContinue") or False
    text = piece.text("stringValue")
    if text is not None:
        return _Text(text, more=more)
    for name in ("numberValue", "boolValue"):
        if (told := piece.raw(name)) is not None:
            return told
    return None


def _enter(holder: object, step: _Step, empty: object) -> object:
    """The list or object at `step`, which is made where it is not there."""
    if isinstance(holder, dict) and isinstance(step, str):
        inner = holder.setdefault(step, empty)
    elif isinstance(holder, list) and isinstance(step, int) and step <= len(holder):
        if step == len(holder):
            holder.append(empty)
        inner = holder[step]
    else:
        raise Malformed("a piece of the arguments has no place among the others", "partialArgs")
    return inner


def _put(holder: object, step: _Step, value: object) -> None:
    known = _enter(holder, step, value)
    if known is value:
        return
    if isinstance(known, _Text) and isinstance(value, _Text) and known.open:
        known.pieces.extend(value.pieces)
        known.open = value.open
    elif isinstance(holder, dict | list):
        holder[step] = value  # type: ignore[index]  # _enter found that the step fits the holder


def _joined(node: object) -> object:
    if isinstance(node, dict):
        return {name: _joined(inner) for name, inner in node.items()}
    if isinstance(node, list):
        return [_joined(inner) for inner in node]
    return "".join(node.pieces) if isinstance(node, _Text) else node
