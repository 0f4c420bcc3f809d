"""Exchanges that are over, as the rows by which use is known and billed: made many at a time, away from requests.

What asks nothing of a model is no row, nor is a shadow's copy, for which nobody pays, nor a caller whom nobody knows:
strangers do not fill the store.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from isthmus.core.errors import Kind
from isthmus.core.operations import Operation
from isthmus.engine.exchange import AttemptRecord, Exchange, Lane
from isthmus.engine.live import Live, Now
from isthmus.engine.records import Records, Used
from isthmus.engine.shadow import PATH as SHADOW
from isthmus.engine.spending import spending
from isthmus.routing.plan import Target
from isthmus.telemetry.one_by_one import one_by_one
from isthmus.telemetry.tally import NO_QUESTION

LONGEST = 200
"""Characters of a name that a caller made up."""
OPERATIONS: Mapping[Operation, str] = {
    Operation.CHAT: "chat",
    Operation.EMBED: "embed",
    Operation.COUNT_TOKENS: "count",
    Operation.LIST_MODELS: "list",
}
LANES: Mapping[Lane | None, str] = {None: "", **{lane: lane.value for lane in Lane}}
"""As plain texts: a database's driver would ask each member of an enumeration how it wants to be written."""
NOBODY = AttemptRecord(Target("", ""))
"""In place of a try, where none was made."""

Handed: TypeAlias = Callable[[Sequence[Used]], None]


class UsedRows:
    """`handed` is told of the rows too, where somebody keeps count."""

    def __init__(self, live: Live, records: Records, handed: Handed | None = None) -> None:
        self._live = live
        self._records = records
        self._handed = handed

    def keep(self, exchanges: Sequence[Exchange]) -> None:
        """Have exchanges stored that are over, each once. Raises Spoiled."""
        rows: list[Used] = []
        now = self._live.take()
        try:
            one_by_one(filter(_is_paid, exchanges), lambda exchange: rows.append(_row(exchange, now)))
        finally:
            if rows:
                self._records.use(rows)
                if self._handed is not None:
                    self._handed(rows)


def _is_paid(exchange: Exchange) -> bool:
    """Does anybody pay for it?"""
    path, error = exchange.call.path, exchange.error
    if path.startswith(NO_QUESTION) or path == SHADOW:
        return False
    return error is None or error.kind is not Kind.UNAUTHENTICATED


def _row(exchange: Exchange, now: Now) -> Used:
    attempts, peek, client, error = exchange.attempts, exchange.peek, exchange.client, exchange.error
    last = exchange.answered or (attempts[-1] if attempts else NOBODY)
    spent = spending(exchange, now.tariffs)
    usage, microdollars = spent.usage, spent.microdollars
    codec, began = exchange.call.codec, exchange.started_at
    end, first = exchange.finished_at, exchange.first_byte_at
    return Used(  # in the order of its fields: by their names it would take five times as long
        exchange.id,
        exchange.at,
        client.name,
        client.team,
        last.target.provider,
        last.credential,
        last.target.model,
        "" if peek is None else peek.model[:LONGEST],
        codec.dialect,
        OPERATIONS[codec.operation],
        LANES[exchange.lane],
        peek is not None and peek.stream,
        exchange.outcome,
        exchange.status,
        "" if error is None else error.kind,
        len(attempts),
        usage.fresh_input,
        usage.cache_read,
        usage.cache_write,
        usage.output,
        usage.reasoning,
        microdollars,
        0.0 if end is None else (end - began) * 1000,
        None if first is None else (first - began) * 1000,
        len(exchange.losses.found) + exchange.losses.more,
        exchange.cached,
    )
