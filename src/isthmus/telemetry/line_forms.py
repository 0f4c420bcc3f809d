"""Lines of exchanges as JSON. Most are like one before them but for a few numbers: its form is kept, and filled in.

What a line says is decided in `facts`, here also: a form is made of the facts of the first exchange that has it. Only
exchanges about which nothing is odd have forms.
"""

from collections.abc import Mapping
from operator import attrgetter
from typing import TypeAlias

from msgspec import Raw
from msgspec.structs import replace

from isthmus.dialects.codec import Peek
from isthmus.engine.exchange import AttemptRecord, Exchange
from isthmus.engine.facts import facts
from isthmus.routing.plan import Plan
from isthmus.wire import json

OWN: Mapping[str, bytes] = {
    "at": b'"%b"',
    "id": b'"%b"',
    "ms": b"%.1f",
    "bytes_out": b"%d",
    "input_tokens": b"%d",
    "output_tokens": b"%d",
    "cached_tokens": b"%d",
    "reasoning_tokens": b"%d",
}
"""The facts that are each exchange's own, in their order, and how they are written."""
SHARED = frozenset(
    {"level", "event", "client", "path", "dialect", "model", "read_as", "target", "lane", "stream", "status", "outcome",
     "version", "losses"}
)  # fmt: skip
"""The facts by which exchanges have one form. All others are odd: an exchange that has one is written by itself."""
MOST = 500
"""Forms that are kept; beyond that, all are made again."""
LONGEST = 200
"""Characters of a model's name in a form: clients choose them."""
_MARK = b"\0"
"""Stands in no JSON."""

_oddities = attrgetter("error", "empty", "cached", "skipped", "seams", "trace")
_Kind: TypeAlias = tuple[object, ...]


class LineForms:
    """The forms that were seen."""

    def __init__(self) -> None:
        self._forms: dict[_Kind, bytes] = {}

    def line(self, exchange: Exchange, at: str) -> bytes:
        """The line without its end; `at` is when the exchange began, as text."""
        peek, plan, usage, end = exchange.peek, exchange.plan, exchange.usage, exchange.finished_at
        if peek is None or plan is None or usage is None or end is None or _is_odd(exchange):
            return json.encode(facts(exchange, at))
        kind = _kind_of(exchange, peek, plan, exchange.attempts[0])
        form = self._forms.get(kind)
        if form is None:
            form = self._learn(kind, exchange)
        return form % (
            at.encode(),
            exchange.id.encode(),
            (end - exchange.started_at) * 1000,
            exchange.bytes_out,
            usage.input,
            usage.total_output,
            usage.cache_read,
            usage.reasoning,
        )

    def _learn(self, kind: _Kind, exchange: Exchange) -> bytes:
        if len(self._forms) >= MOST:
            self._forms.clear()
        marked = replace(facts(exchange, ""), **{name: Raw(_MARK + name.encode() + _MARK) for name in OWN})
        form = json.encode(marked).replace(b"%", b"%%")
        for name, written in OWN.items():
            form = form.replace(_MARK + name.encode() + _MARK, written)
        self._forms[kind] = form
        return form


def _is_odd(exchange: Exchange) -> bool:
    """Has it facts that are neither its own numbers nor shared with others?"""
    attempts = exchange.attempts
    if len(attempts) != 1 or attempts[0].spill is not None or not exchange.bytes_out:
        return True
    if exchange.first_byte_at is not None:
        return True
    return any(_oddities(exchange))


def _kind_of(exchange: Exchange, peek: Peek, plan: Plan, only: AttemptRecord) -> _Kind:
    call, target, model = exchange.call, only.target, peek.model
    return (
        exchange.client.name,
        call.path,
        call.codec.dialect,
        model if len(model) <= LONGEST else model[:LONGEST],
        None if plan.name == model else plan.because,
        target.provider,
        target.model,
        exchange.lane,
        peek.stream,
        exchange.status,
        exchange.outcome,
        exchange.version,
        (*exchange.losses.found,),
    )
