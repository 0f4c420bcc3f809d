"""Values of this moment, read from the parts when somebody asks."""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from isthmus import __version__
from isthmus.engine.live import Now
from isthmus.engine.ports import Clock
from isthmus.engine.queue import Queue
from isthmus.engine.shadow import Shadows
from isthmus.routing.health import Place
from isthmus.routing.places import ONE_KEY
from isthmus.telemetry.sums import Key, Series

UNREACHABLE = "unreachable"


class Parts(NamedTuple):
    """What is looked at. `states` are the words in which the parts say where they keep what, by the part's name.

    `alone` is how often limits that others share were decided without them; `refused` are calls of management that were
    answered with an error, by its kind.
    """

    now: Callable[[], Now]
    clock: Clock
    running: Callable[[], int]
    queue: Queue
    shadows: Shadows
    connections: Callable[[], Mapping[str, Mapping[str, int]]]
    states: Callable[[], Mapping[str, str]]
    dropped_lines: Callable[[], int]
    rows_waiting: Callable[[], int]
    rows_lost: Callable[[], int]
    alone: Callable[[], int]
    client_keys: Callable[[], int]
    accounts: Callable[[], Mapping[str, int]]
    bodies_lost: Callable[[], int]
    dumps_skipped: Callable[[], int]
    traces_lost: Callable[[], int]
    refused: Callable[[], Mapping[str, int]]


def read_parts(parts: Parts) -> Series:
    """All values, but for those of the process."""
    return {key: [float(value)] for key, value in _values(parts)}


def grown(parts: Parts) -> Mapping[Key, int]:
    """What parts count by themselves, since the start."""
    return {
        ("isthmus_shadows_dropped_total",): parts.shadows.dropped,
        ("isthmus_queue_refused_total",): parts.queue.refused,
        ("isthmus_limits_alone_total",): parts.alone(),
        ("isthmus_log_lines_dropped_total",): parts.dropped_lines(),
        ("isthmus_store_rows_lost_total",): parts.rows_lost(),
        ("isthmus_bodies_lost_total",): parts.bodies_lost(),
        ("isthmus_dumps_skipped_total",): parts.dumps_skipped(),
        ("isthmus_traces_lost_total",): parts.traces_lost(),
        **{("isthmus_management_refused_total", kind): count for kind, count in parts.refused().items()},
    }


def read_process(worker: str) -> Series:
    """What the system says of this process, where it says something. Reads files."""
    from prometheus_client import CollectorRegistry, ProcessCollector  # noqa: PLC0415  slow to import

    found = ProcessCollector(registry=CollectorRegistry()).collect()
    return {(sample.name, worker): [float(sample.value)] for family in found for sample in family.samples}


def _values(parts: Parts) -> Iterator[tuple[Key, float]]:
    now = parts.now()
    yield ("isthmus_build_info", __version__), 1
    yield ("isthmus_exchanges_running",), parts.running()
    yield ("isthmus_shadows_running",), parts.shadows.running
    yield ("isthmus_queue_length",), parts.queue.length
    yield ("isthmus_store_rows_waiting",), parts.rows_waiting()
    yield ("isthmus_client_keys",), parts.client_keys()
    for state, count in parts.accounts().items():
        yield ("isthmus_accounts", state), count
    for origin, counts in parts.connections().items():
        for state, count in counts.items():
            yield ("isthmus_connections", origin, state), count
    for part, words in parts.states().items():
        yield ("isthmus_state", part, _where(words)), 1
    yield from _rests(now, parts.clock.now()).items()
    yield from _active_keys(now, parts.clock.now())


def _where(words: str) -> str:
    """One of few words: what is beside them is for people."""
    return UNREACHABLE if UNREACHABLE in words else words.split(" ", 1)[0]


def _rests(now: Now, at: float) -> dict[Key, float]:
    counts: dict[Key, float] = {}
    for one in now.board.health.resting(at):
        key = "isthmus_rests", one.place.provider, str(one.kind)
        counts[key] = counts.get(key, 0) + 1
    return counts


def _active_keys(now: Now, at: float) -> Iterator[tuple[Key, float]]:
    """A key rests where its account or its whole provider does; a rest of one model leaves it active."""
    resting = {one.place for one in now.board.health.resting(at)}
    for provider in now.snapshot.providers:
        if Place(provider) in resting:
            yield ("llm_active_keys_total", provider), 0
            continue
        keys = now.snapshot.credentials.get(provider, ONE_KEY)
        yield ("llm_active_keys_total", provider), sum(Place(provider, key.name) not in resting for key in keys)
