"""What a request will come to, told before it is sent: by its length, and by what others before it came to.

A guess of a few microseconds, for claims that are corrected as soon as a provider has counted. What must be counted
well is counted elsewhere (counting.py). Nothing is read of the request but the fields that bound its answer.
"""

import re
from collections import OrderedDict
from collections.abc import Iterator

from msgspec import UNSET

from isthmus.core.usage import Usage
from isthmus.core.value import Value
from isthmus.dialects.body_fields import DATA_URL, FILES, OUTPUT_BOUNDS
from isthmus.dialects.codec import Peek
from isthmus.engine.counting import WEIGHT, corrected

END = 8 * 1024
"""Bytes at either end of a long body in which its bound is looked for: in the whole of it that takes a millisecond."""
BYTES = 4
"""Of a request's body for one token of its input."""
MEDIA = 300
"""Tokens for a picture, or whatever else is sent as a file."""
LONG = 512
"""Bytes from which on the value of such a field is a file, and not a word."""
LOOKS = 16
"""Places of a body that are looked at for a file, as far from each other: to search all of it takes nearly half as long
as all else that is done with it. What is missed is a small part of the body, and counts as text."""
FRAME = 128
"""Bytes before a file in which it is said to be one."""
OUTPUT = 500
"""Tokens of output, of a model that has not answered yet."""
EACH, EVERY = 64, 8
"""So many answers of a model teach each by itself; of those that follow, one in so many does."""
REMEMBERED = 512
"""Models whose answers are remembered; the one that answered longest ago is forgotten first."""

SHORT = 4096
"""Bytes up to which no body is looked into for files: one that is so small costs about what its length says."""

_BASE64 = re.compile(rb"[\w+/=\\-]{64}")
_FILE = re.compile(b"(?:" + b"|".join(FILES) + rb')"\Z')
_NEXT = re.compile(rb'"\s*,\s*"')
_BOUND = re.compile(b"(?:" + b"|".join(OUTPUT_BOUNDS) + rb")\s*:\s*(\d{1,9})")
_ENDINGS = (b'okens"', b'_predict"')
"""What the names of all bounds end with: in most bodies there is none of them, or one."""
LONGEST = max(map(len, OUTPUT_BOUNDS))


class Expectation(Value, frozen=True, gc=False):
    """Tokens. `measured` is the input by the body's length, before what was learnt of the model."""

    input: int
    output: int
    measured: int


class _Learnt:
    """Of one model, from `answers`: what its provider counts for each token that is measured, and how long they are.

    `ratio` is None while no answer was long enough to tell.
    """

    __slots__ = ("answers", "output", "ratio")

    def __init__(self, output: float) -> None:
        self.answers = 0
        self.output = output
        self.ratio: float | None = None


class Expectations:
    """What models made of requests until now. `model` is the provider's name for it throughout."""

    def __init__(self) -> None:
        self._models: OrderedDict[str, _Learnt] = OrderedDict()

    def of(self, body: bytes, model: str, peek: Peek | None = None) -> Expectation:
        """What `body` would come to: its output is what answers have of late, and no more than it allows.

        `peek` is what was read of it, which may tell what it allows.
        """
        measured, known = tokens_of(body), self._models.get(model)
        bound = UNSET if peek is None else peek.bound
        if bound is UNSET:
            bound = output_bound(body)
        ratio, output = (None, OUTPUT) if known is None else (known.ratio, int(known.output + 0.5))
        if bound is not None and 0 <= bound < output:
            output = bound
        return Expectation((measured if ratio is None else int(measured * ratio + 0.5)) or 1, output, measured)

    def learn(self, model: str, expected: Expectation, usage: Usage) -> None:
        """A provider has counted what came of it."""
        known = self._models.get(model)
        if known is None:
            known = self._models[model] = _Learnt(usage.total_output)
            if len(self._models) > REMEMBERED:
                self._models.popitem(last=False)
        known.answers += 1
        if known.answers > EACH and known.answers % EVERY:
            return
        known.ratio = corrected(known.ratio, expected.measured, usage.input)
        known.output += WEIGHT * (usage.total_output - known.output)
        self._models.move_to_end(model)


def tokens_of(body: bytes) -> int:
    """Of its input, by its length. Files count by their number."""
    if len(body) <= SHORT:
        return len(body) // BYTES
    files = size = 0
    for start, end in _files(body):
        files, size = files + 1, size + end - start
    return (len(body) - size) // BYTES + MEDIA * files


def output_bound(body: bytes) -> int | None:
    """The most tokens that the answer may have, where the body says so near one of its ends, beside a conversation."""
    if len(body) > 2 * END:
        body = body[:END] + b" " + body[-END:]
    for ending in _ENDINGS:
        at = body.find(ending)
        if at >= 0 and (found := _BOUND.search(body, max(0, at - LONGEST))) is not None:
            return int(found[1])
    return None


def _files(body: bytes) -> Iterator[tuple[int, int]]:
    """Where files begin and end, but for small ones that no look fell on. One that is not closed ends with the body."""
    step = max(LONG, len(body) // LOOKS)
    at, last = step, -1
    while at < len(body):
        if _BASE64.match(body, at) is None:
            at += step
            continue
        quote, end = body.rfind(b'"', 0, at), body.find(b'"', at)
        end = len(body) if end < 0 else end
        start = _file_at(body, quote, last)
        if start is not None and end - start >= LONG:
            yield start, end
            last = end
        at = max(end + 1, at + step)


def _file_at(body: bytes, quote: int, last: int) -> int | None:
    """Where the file begins in the string behind `quote`, if it is one. `last`: where the string of another ended."""
    url = body.find(DATA_URL, quote, quote + FRAME)
    if url >= 0:
        return url + len(DATA_URL)
    begin = max(0, quote + 1 - FRAME)
    listed = last >= begin and _NEXT.fullmatch(body, last, quote + 1)
    return quote + 1 if listed or _FILE.search(body, begin, quote + 1) else None
