"""Real workers: they share a port and their limits, one that dies is replaced, and all end in good order."""

import os
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fakes.gateway import RunningGateway, open_gateway
from fakes.scripts import KEY
from fakes.upstream import Upstream, open_upstream
from isthmus.wire import json

PATIENCE = 15.0


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with open_upstream() as running:
        yield running


def config(upstream: Upstream, limit: str = "") -> str:
    return f"""
providers:
  ours:
    type: compatible
    base-url: {upstream.root}/v1
    models: [says-hello]
    api-keys: [{{key: {KEY}{limit}}}]
"""


def ask(gateway: RunningGateway) -> int:
    """The status of one request on a connection of its own."""
    body = b'{"model":"says-hello","messages":[{"role":"user","content":"hi"}]}'
    headers = {"content-type": "application/json", "connection": "close"}
    asking = urllib.request.Request(f"{gateway.root}/v1/chat/completions", body, headers)
    try:
        with urllib.request.urlopen(asking, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code


def worker_of(gateway: RunningGateway) -> int:
    with urllib.request.urlopen(f"{gateway.root}/health", timeout=10) as answer:
        return int(json.decode(answer.read())["pid"])


def workers_of(gateway: RunningGateway, many: int) -> set[int]:
    """The processes that answer, once there are so many."""
    found: set[int] = set()
    until(lambda: found.add(worker_of(gateway)) is None and len(found) >= many)
    return found


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_all_workers_answer_on_one_port_and_hold_one_limit(upstream: Upstream, tmp_path: Path) -> None:
    with open_gateway(config(upstream, ", requests-per-minute: 7"), tmp_path, workers=3) as gateway:
        assert len(workers_of(gateway, 3)) == 3
        assert sorted(ask(gateway) for _ in range(12)) == [200] * 7 + [429] * 5
        assert "3 workers" in gateway.said_soon("3 workers")


def test_a_worker_that_dies_is_replaced(upstream: Upstream, tmp_path: Path) -> None:
    with open_gateway(config(upstream), tmp_path, workers=2) as gateway:
        before = workers_of(gateway, 2)
        dead = min(before)
        os.kill(dead, signal.SIGKILL)
        gateway.said_soon("another one takes its seat")
        after = {one for _ in range(200) if (one := worker_of(gateway)) != dead}
        until(lambda: after.add(worker_of(gateway)) is None and len(after) == 2)
        assert len(after - before) == 1
        assert [ask(gateway) for _ in range(8)] == [200] * 8


def test_no_worker_outlives_the_process_that_keeps_them(upstream: Upstream, tmp_path: Path) -> None:
    with open_gateway(config(upstream), tmp_path, workers=2) as gateway:
        workers = workers_of(gateway, 2)
        gateway.process.kill()
        gateway.process.wait()
        until(lambda: not any(map(lives, workers)))


def test_all_end_well_when_they_are_told_to(upstream: Upstream, tmp_path: Path) -> None:
    with open_gateway(config(upstream), tmp_path, workers=2) as gateway:
        workers = workers_of(gateway, 2)
        gateway.process.send_signal(signal.SIGTERM)
        assert gateway.process.wait(PATIENCE) == 0
        assert not any(map(lives, workers))
