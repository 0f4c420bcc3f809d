"""What a request will come to, told before it is sent: by its length, and by what others before it came to.

A guess of a few microseconds, for claims that are corrected as soon as a provider has counted. What must be counted
well is counted elsewhere (counting.py). Nothing is read of the request but the fields that bound its answer.
"""

import re
from collections import OrderedDict
from typing import NamedTuple

from isthmus.core.usage import Usage
from isthmus.dialects.body_fields import FILES, OUTPUT_BOUNDS
from isthmus.engine.counting import WEIGHT, Corrections

END = 8 * 1024
"""Bytes at either end of a long body in which its bound is looked for: in the whole of it that takes a millisecond."""
BYTES = 4
"""Of a request's body for one token of its input."""
MEDIA = 300
"""Tokens for a picture, or whatever else stands in the body as base64."""
LONG = 512
"""Bytes from which on the value of such a field is a file, and not a word."""
OUTPUT = 500
"""Tokens of output, of a model that has not answered yet."""
REMEMBERED = 512
"""Models whose answers are remembered; the one that answered longest ago is forgotten first."""

_VALUE = re.compile(rb'\s*:?\s*"?')
_NUMBER = re.compile(rb"\s*:\s*(\d{1,9})")


class Expectation(NamedTuple):
    """Tokens. `measured` is the input by the body's length, before what was learnt of the model."""

    input: int
    output: int
    measured: int


class Expectations:
    """What models made of requests until now. `model` is the provider's name for it throughout."""

    def __init__(self) -> None:
        self._corrections = Corrections()
        self._outputs: OrderedDict[str, float] = OrderedDict()

    def of(self, body: bytes, model: str) -> Expectation:
        """What `body` would come to: its output is what answers have of late, and no more than it allows."""
        measured = tokens_of(body)
        output = round(self._outputs.get(model, OUTPUT))
        bound = output_bound(body)
        return Expectation(
            max(1, round(measured * self._corrections.of(model))),
            output if bound is None else min(output, bound),
            measured,
        )

    def learn(self, model: str, expected: Expectation, usage: Usage) -> None:
        """A provider has counted what came of it."""
        self._corrections.learn(model, expected.measured, usage.input)
        before = self._outputs.get(model)
        told = float(usage.total_output)
        self._outputs[model] = told if before is None else before + WEIGHT * (told - before)
        self._outputs.move_to_end(model)
        if len(self._outputs) > REMEMBERED:
            self._outputs.popitem(last=False)


def tokens_of(body: bytes) -> int:
    """Of its input, by its length. Files count by their number."""
    files = size = 0
    for mark in FILES:
        if mark not in body:  # as in most
            continue
        for start, end in _values(body, mark):
            if end - start >= LONG:
                files, size = files + 1, size + end - start
    return (len(body) - size) // BYTES + MEDIA * files


def output_bound(body: bytes) -> int | None:
    """The most tokens that the answer may have, where the body says so near one of its ends, beside a conversation."""
    if len(body) > 2 * END:
        body = body[:END] + b" " + body[-END:]
    for name in OUTPUT_BOUNDS:
        at = body.find(name)
        if at >= 0 and (found := _NUMBER.match(body, at + len(name))) is not None:
            return int(found[1])
    return None


def _values(body: bytes, mark: bytes) -> list[tuple[int, int]]:
    """Where the values behind each `mark` begin and end. One that is not closed ends with the body."""
    found = []
    at = body.find(mark)
    while at >= 0:
        opened = _VALUE.match(body, at + len(mark))
        start = at + len(mark) if opened is None else opened.end()
        end = body.find(b'"', start)
        end = len(body) if end < 0 else end
        found.append((start, end))
        at = body.find(mark, end)
    return found
