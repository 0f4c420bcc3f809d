"""Exchanges that are over, as the rows by which use is known and billed: made many at a time, away from requests.

What asks nothing of a model is no row, nor is a shadow's copy, for which nobody pays, nor a caller whom nobody knows:
strangers do not fill the store.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeAlias

from isthmus.core.errors import Kind
from isthmus.core.operations import Operation
from isthmus.engine.exchange import AttemptRecord, Exchange
from isthmus.engine.live import Live, Now
from isthmus.engine.records import Records, Used
from isthmus.engine.shadow import PATH as SHADOW
from isthmus.engine.spending import spending
from isthmus.routing.plan import Target
from isthmus.telemetry.tally import NO_QUESTION

LONGEST = 200
"""Characters of a name that a caller made up."""
OPERATIONS: Mapping[Operation, str] = {
    Operation.CHAT: "chat",
    Operation.EMBED: "embed",
    Operation.COUNT_TOKENS: "count",
    Operation.LIST_MODELS: "list",
}
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
        """Have exchanges stored that are over, each once."""
        rows = tuple(_rows(exchanges, self._live.take()))
        if rows:
            self._records.use(rows)
            if self._handed is not None:
                self._handed(rows)


def _rows(exchanges: Sequence[Exchange], now: Now) -> Iterator[Used]:
    for exchange in exchanges:
        path, error = exchange.call.path, exchange.error
        if path.startswith(NO_QUESTION) or path == SHADOW:
            continue
        if error is None or error.kind is not Kind.UNAUTHENTICATED:
            yield _row(exchange, now)


def _row(exchange: Exchange, now: Now) -> Used:
    attempts, peek, client, error = exchange.attempts, exchange.peek, exchange.client, exchange.error
    last = exchange.answered or (attempts[-1] if attempts else NOBODY)
    usage, microdollars = spending(exchange, now.tariffs)
    codec, began = exchange.call.codec, exchange.started_at
    end, first = exchange.finished_at, exchange.first_byte_at
    return Used(
        id=exchange.id,
        at=exchange.at,
        client=client.name,
        team=client.team,
        provider=last.target.provider,
        key=last.credential,
        model=last.target.model,
        asked="" if peek is None else peek.model[:LONGEST],
        dialect=codec.dialect,
        operation=OPERATIONS[codec.operation],
        lane=exchange.lane or "",
        stream=peek is not None and peek.stream,
        outcome=exchange.outcome,
        status=exchange.status,
        error="" if error is None else error.kind,
        attempts=len(attempts),
        fresh_input=usage.fresh_input,
        cache_read=usage.cache_read,
        cache_write=usage.cache_write,
        output=usage.output,
        reasoning=usage.reasoning,
        microdollars=microdollars,
        ms=0.0 if end is None else (end - began) * 1000,
        first_ms=None if first is None else (first - began) * 1000,
        losses=len(exchange.losses.found) + exchange.losses.more,
        cached=exchange.cached,
    )
