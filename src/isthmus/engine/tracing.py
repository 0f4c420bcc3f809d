"""The trace that a request belongs to, as the W3C's Trace Context has it: read from its headers, and told to providers.

Decides which requests are traced and numbers their spans. Makes no span and sends none: that is done when all is over.
"""

import re
from random import Random

from msgspec.structs import replace

from isthmus.core.value import Value
from isthmus.engine.exchange import AttemptRecord
from isthmus.engine.traces import Trace
from isthmus.providers.provider import Provider
from isthmus.wire.headers import Headers

PARENT, STATE = b"traceparent", b"tracestate"
STATE_BYTES = 512
"""Of a request's `tracestate` that are passed on: as many whole entries as fit."""
_PARENT = re.compile(rb"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-[!-~]*)?")
_STATE = re.compile(rb"[ -~\t]*")
_WHOLE = 2**64
_SAMPLED, _FLAGS = 1, 3


class _Parent(Value, frozen=True):
    trace: int
    span: int
    flags: int


class Tracer:
    """Numbers the spans of one process. `share` of the requests without a trace begin one; `tells`: providers, too."""

    def __init__(self, share: float = 1.0, *, tells: bool = True, dice: Random | None = None) -> None:
        self._below = round(share * _WHOLE)
        self._tells = tells
        self._dice = dice or Random()  # noqa: S311  a number to find things by, not a secret

    def begin(self, headers: Headers) -> Trace | None:
        """The trace of a request that came with these headers; None for one that belongs to none and begins none.

        A trace that was begun elsewhere goes on, sampled or not, as whoever began it has decided.
        """
        parent = read_parent(headers)
        if parent is not None:
            state = read_state(headers)
            return Trace(parent.trace, self._number(64), parent.span, parent.flags & _FLAGS, state)
        identity = self._number(128)
        if identity % _WHOLE >= self._below:
            return None
        return Trace(identity, self._number(64), 0, _SAMPLED)

    def attempt(self, trace: Trace, record: AttemptRecord, provider: Provider) -> Provider:
        """The try is a span of its own, and the provider is told, where it may be."""
        record.span = self._number(64)
        if not self._tells:
            return provider
        return replace(provider, headers=provider.headers + told(trace, record.span))

    def _number(self, bits: int) -> int:
        """Never 0, which stands for none."""
        return self._dice.getrandbits(bits) or 1


def told(trace: Trace, span: int) -> Headers:
    """What tells somebody that they are asked within this span."""
    parent = (PARENT, b"00-%032x-%016x-%02x" % (trace.id, span, trace.flags))
    return (parent, (STATE, trace.state)) if trace.state else (parent,)


def read_parent(headers: Headers) -> _Parent | None:
    """Who asks, and within which trace; None where nobody says so, or not as it is to be said."""
    said = [value for name, value in headers if name == PARENT]
    found = _PARENT.fullmatch(said[0]) if len(said) == 1 else None
    if found is None or (found[1] == b"00" and found[5] is not None):
        return None
    return _Parent(int(found[2], 16), int(found[3], 16), int(found[4], 16))


def read_state(headers: Headers) -> bytes:
    """What others want to find again, as it is passed on."""
    said = b",".join([value for name, value in headers if name == STATE])
    if _STATE.fullmatch(said) is None:
        return b""
    if len(said) > STATE_BYTES:
        said = said[: STATE_BYTES + 1].rpartition(b",")[0]
    return said.strip(b", \t")
