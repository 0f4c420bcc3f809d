"""What scripted exchanges come to as metrics, read from the page by the official parser."""

from collections.abc import Iterable, Mapping, Sequence

from prometheus_client.parser import text_string_to_metric_families

from isthmus.engine.exchange import Exchange
from isthmus.engine.queue import Queue
from isthmus.engine.shadow import Shadows
from isthmus.server.app import Application
from isthmus.telemetry.current import Parts
from isthmus.telemetry.metrics import Metrics, Others
from isthmus.telemetry.tally import Tally
from support.asgi import Visit, application
from support.line import Line

Samples = Mapping[str, float]
"""Numbers by name and labels, as in `llm_requests_total{model=m,provider=one}`."""


def samples(page: bytes) -> Samples:
    """Every number on the page but those of histograms' buckets."""
    found = (sample for family in text_string_to_metric_families(page.decode()) for sample in family.samples)
    return {_written(one.name, one.labels): one.value for one in found if "le" not in one.labels}


def buckets(page: bytes, name: str) -> list[tuple[str, float]]:
    """The buckets of one histogram with one series."""
    found = (sample for family in text_string_to_metric_families(page.decode()) for sample in family.samples)
    return [(one.labels["le"], one.value) for one in found if one.name == f"{name}_bucket"]


def _written(name: str, labels: Mapping[str, str]) -> str:
    inside = ",".join(f"{label}={value}" for label, value in sorted(labels.items()))
    return f"{name}{{{inside}}}" if inside else name


class Meter:
    """A line whose exchanges are counted. `exchanges` are those that are over and were not counted yet."""

    def __init__(self, line: Line, others: Others | None = None, worker: str = "1") -> None:
        self.line = line
        self.tally = Tally(line.live)
        self.queue = Queue(line.clock)
        self.shadows = Shadows()
        line.ports.queue, line.ports.shadows = self.queue, self.shadows
        self.dropped_lines = self.alone = self.rows_waiting = self.rows_lost = 0
        self.accounts: Mapping[str, int] = {}
        self.client_keys = self.bodies_lost = self.dumps_skipped = self.traces_lost = 0
        self.refused: dict[str, int] = {}
        self.running = 0
        self.connections: dict[str, dict[str, int]] = {}
        self.states = {"limits": "local", "memory": "local"}
        self.metrics = Metrics(self.tally, self._parts(), self.flush, others, worker)

    @property
    def application(self) -> Application:
        return application(self.line, metrics=self.metrics.page)

    def flush(self) -> None:
        over, self.line.recorded.exchanges = self.line.recorded.exchanges, []
        self.tally.count(over)

    async def ask(
        self, body: bytes, path: str = "/v1/chat/completions", headers: Sequence[tuple[bytes, bytes]] = ()
    ) -> int:
        """The status of the answer to one request."""
        return (await Visit(self.application, path, body, headers=headers).done()).status

    async def read(self) -> Samples:
        return samples(await self.metrics.page())

    async def named(self, *names: str) -> Samples:
        """What the page says under these names."""
        return {key: value for key, value in (await self.read()).items() if key.partition("{")[0] in names}

    def count(self, exchanges: Iterable[Exchange]) -> None:
        self.tally.count(list(exchanges))

    def _parts(self) -> Parts:
        return Parts(
            now=self.line.live.take,
            clock=self.line.clock,
            running=lambda: self.running,
            queue=self.queue,
            shadows=self.shadows,
            connections=lambda: self.connections,
            states=lambda: self.states,
            dropped_lines=lambda: self.dropped_lines,
            alone=lambda: self.alone,
            rows_waiting=lambda: self.rows_waiting,
            rows_lost=lambda: self.rows_lost,
            client_keys=lambda: self.client_keys,
            accounts=lambda: self.accounts,
            bodies_lost=lambda: self.bodies_lost,
            dumps_skipped=lambda: self.dumps_skipped,
            traces_lost=lambda: self.traces_lost,
            refused=lambda: self.refused,
        )
