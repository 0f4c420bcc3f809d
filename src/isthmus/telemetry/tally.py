"""Counts exchanges that are over, many at a time and away from the requests' way.

Most exchanges are like one before them: they share a row, which holds the numbers that they add to. Rows are forgotten
when the configuration or its prices change, and when the counts are taken away.
"""

from bisect import bisect_left
from collections.abc import Sequence

from isthmus.catalog.tariff import MICRODOLLARS
from isthmus.engine.exchange import AttemptRecord, Exchange, Note
from isthmus.engine.live import Live, Now
from isthmus.engine.shadow import PATH as SHADOW
from isthmus.engine.spending import SPENT_NOTHING, Spending, spending
from isthmus.routing.health import Place
from isthmus.telemetry.model_names import OTHER, ModelNames
from isthmus.telemetry.one_by_one import one_by_one
from isthmus.telemetry.sums import Series
from isthmus.telemetry.table import FIRST_SECONDS, METRICS, SECONDS

NO_QUESTION = "/v0/"
"""What paths begin with that ask nothing of a model."""
KINDS = ("input", "cached", "written", "output", "reasoning")
"""Of tokens, in the order of a Usage."""
MOST_ROWS = 2000
NOWHERE = Place("", "", "")


class Row:
    """The numbers that exchanges of one kind add to; `labels` are their provider and model.

    `tokens` are there once one of them has used something, `dollars` and `unpriced` once one had a price, or none.
    """

    __slots__ = ("attempts", "dollars", "exchanges", "first", "labels", "requests", "seconds", "tokens", "unpriced")

    def __init__(self) -> None:
        self.labels = ("", "")
        self.attempts = [0.0]
        self.exchanges = [0.0]
        self.requests = [0.0]
        self.seconds = [0.0] * METRICS["llm_request_duration_seconds"].width
        self.first: list[float] | None = None
        self.tokens: tuple[list[float], ...] = ()
        self.dollars: list[float] | None = None
        self.unpriced: list[float] | None = None


class Tally:
    """`take` gives away what was counted since it was asked the last time; `series` is all since then."""

    def __init__(self, live: Live) -> None:
        self.series: Series = {}
        self._live = live
        self._names = ModelNames()
        self._rows: dict[tuple[object, ...], Row] = {}
        self._now = live.take()

    def count(self, exchanges: Sequence[Exchange]) -> None:
        """Take in exchanges that are over, each once. Raises Spoiled."""
        now = self._live.take()
        if now is not self._now or len(self._rows) > MOST_ROWS:
            self._rows.clear()
            self._now = now
        one_by_one(exchanges, self._count)

    def add(self, name: str, amount: float, *labels: str) -> None:
        """Count `amount` more of something."""
        self._numbers(name, *labels)[0] += amount

    def observe(self, name: str, value: float) -> None:
        """Count one value in a histogram without labels."""
        numbers = self._numbers(name)
        numbers[bisect_left(METRICS[name].buckets, value)] += 1
        numbers[-1] += value

    def take(self) -> Series:
        """What was counted, which is forgotten here."""
        taken, self.series = self.series, {}
        self._rows.clear()
        return taken

    def _numbers(self, name: str, *labels: str) -> list[float]:
        key = (name, *labels)
        found = self.series.get(key)
        if found is None:
            found = self.series[key] = [0.0] * METRICS[name].width
        return found

    def _count(self, exchange: Exchange) -> None:
        if exchange.call.path.startswith(NO_QUESTION):
            return
        attempts, now = exchange.attempts, self._now
        last = exchange.answered or (attempts[-1] if attempts else None)
        row = self._row_of(exchange, last, now)
        row.exchanges[0] += 1
        if last is not None:
            self._count_request(exchange, row, now)
        if len(attempts) == 1 and attempts[0] is exchange.answered:
            row.attempts[0] += 1
        else:
            self._count_attempts(exchange)
        if exchange.error is not None and exchange.call.path != SHADOW:
            self.add("isthmus_failures_total", 1, exchange.error.kind)
        if exchange.cached:
            self.add("isthmus_cache_hits_total", 1)
        if (answered := exchange.answered) is not None and answered.spill is not None:
            self.add("isthmus_spills_total", 1, answered.spill.source, answered.target.provider)
        if exchange.seams:
            self.add("isthmus_continuations_total", len(exchange.seams))
        for loss in exchange.losses.found:
            self.add("isthmus_losses_total", 1, loss.deed)
        if exchange.losses.more:
            self.add("isthmus_losses_total", exchange.losses.more, "further")

    def _count_attempts(self, exchange: Exchange) -> None:
        for one in exchange.attempts:
            result = one.error or ("answered" if one is exchange.answered else "given_up")
            self.add("isthmus_attempts_total", 1, one.target.provider, result)
            if one.note is Note.HEDGED:
                self.add("isthmus_hedges_total", 1)

    def _count_request(self, exchange: Exchange, row: Row, now: Now) -> None:
        began, end, first = exchange.started_at, exchange.finished_at, exchange.first_byte_at
        row.requests[0] += 1
        seconds = 0.0 if end is None else end - began
        row.seconds[bisect_left(SECONDS, seconds)] += 1
        row.seconds[-1] += seconds
        if row.first is not None and first is not None:
            row.first[bisect_left(FIRST_SECONDS, first - began)] += 1
            row.first[-1] += first - began
        spent = spending(exchange, now.tariffs)
        if spent is not SPENT_NOTHING:
            self._count_spent(spent, row)

    def _count_spent(self, spent: Spending, row: Row) -> None:
        usage, microdollars = spent.usage, spent.microdollars
        if not row.tokens:
            row.tokens = tuple(self._numbers("isthmus_tokens_total", *row.labels, kind) for kind in KINDS)
        fresh, read, written, output, reasoning = row.tokens
        fresh[0] += usage.fresh_input
        read[0] += usage.cache_read
        written[0] += usage.cache_write
        output[0] += usage.output
        reasoning[0] += usage.reasoning
        if microdollars is None:
            row.unpriced = row.unpriced or self._numbers("isthmus_unpriced_total", *row.labels)
            row.unpriced[0] += 1
        else:
            row.dollars = row.dollars or self._numbers("isthmus_cost_dollars_total", *row.labels)
            row.dollars[0] += microdollars / MICRODOLLARS

    def _row_of(self, exchange: Exchange, last: AttemptRecord | None, now: Now) -> Row:
        codec, stream = exchange.call.codec, exchange.peek is not None and exchange.peek.stream
        place = NOWHERE if last is None else last.place
        shadow = exchange.call.path == SHADOW
        key = (codec.dialect, codec.operation, exchange.lane, exchange.outcome, *place, shadow, stream)
        return self._rows.get(key) or self._open_row(key, exchange, last, now)

    def _open_row(self, key: tuple[object, ...], exchange: Exchange, last: AttemptRecord | None, now: Now) -> Row:
        """The row of these. One whose label may become another is not kept."""
        shadow = exchange.call.path == SHADOW
        row = Row()
        if last is not None:
            answered = exchange.answered is not None
            row.labels = last.target.provider, self._names.label(last.target, now, answered=answered)
            if answered:
                row.attempts = self._numbers("isthmus_attempts_total", last.target.provider, "answered")
            if answered or row.labels[1] != OTHER:
                self._rows[key] = row
            if not shadow:
                self._open_request(row, exchange)
        if shadow:
            row.exchanges = self._numbers("isthmus_shadow_exchanges_total", exchange.outcome)
        else:
            codec = exchange.call.codec
            how = (codec.dialect, codec.operation, exchange.lane or "none", exchange.outcome)
            row.exchanges = self._numbers("isthmus_exchanges_total", *how)
        return row

    def _open_request(self, row: Row, exchange: Exchange) -> None:
        """What is counted of a request that reached a provider."""
        row.requests = self._numbers("llm_requests_total", *row.labels)
        row.seconds = self._numbers("llm_request_duration_seconds", row.labels[0])
        if exchange.peek is not None and exchange.peek.stream and exchange.error is None:
            row.first = self._numbers("isthmus_first_token_seconds", *row.labels)
