"""A gateway as its clients see it while its database cannot be written, and after it was killed."""

import json
import sqlite3
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from fakes.gateway import CLIENT_KEY, RunningGateway, between, open_gateway, open_gateway_on
from fakes.upstream import Upstream

SECONDS = 3.0
"""Of load, before it is killed."""
LATE = 2.0
"""Seconds within which rows are written even on a machine that has much else to do."""
NO_ROOM = ("disk is full", "disk I/O error")
"""How SQLite says so: the second where it is its index of the log that cannot grow, as before the first row."""


def ask(gateway: RunningGateway) -> int:
    chat = {"model": "openai/says-hello", "messages": [{"role": "user", "content": "hi"}]}
    headers = {"content-type": "application/json", "authorization": f"Bearer {CLIENT_KEY}"}
    request = urllib.request.Request(f"{gateway.root}/v1/chat/completions", json.dumps(chat).encode(), headers)
    with urllib.request.urlopen(request, timeout=20) as answer:
        status: int = answer.status
    return status


def store_of(gateway: RunningGateway) -> str:
    with urllib.request.urlopen(f"{gateway.root}/health", timeout=5) as answer:
        return str(json.loads(answer.read())["store"])


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def rows_in(file: Path) -> int:
    """Rows and sums, which are the same, of a file that is as it should be."""
    with closing(sqlite3.connect(file)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        (rows,) = database.execute("SELECT count(*) FROM used").fetchone()
        assert database.execute("SELECT coalesce(sum(requests), 0) FROM used_hours").fetchone() == (rows,)
    return int(rows)


def test_a_gateway_that_is_killed_under_load_loses_little_and_goes_on(upstream: Upstream, tmp_path: Path) -> None:
    file = tmp_path / ".local/share/isthmus/isthmus.db"
    with open_gateway(between(upstream), tmp_path) as gateway:
        until(lambda: store_of(gateway) == "sqlite")
        times = [time.monotonic()]
        while times[-1] < times[0] + SECONDS:
            assert ask(gateway) == 200
            times.append(time.monotonic())
        gateway.process.kill()
        gateway.process.wait()
    kept, answered = rows_in(file), len(times) - 1
    assert sum(at < times[-1] - LATE for at in times[1:]) <= kept <= answered
    with open_gateway(between(upstream), tmp_path) as gateway:
        until(lambda: store_of(gateway) == "sqlite")
        for _ in range(5):
            assert ask(gateway) == 200
    assert rows_in(file) == kept + 5


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of four megabytes."""
    with TemporaryDirectory(prefix="isthmus-") as folder:
        mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder]
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", folder], check=True)


def fill(file: Path) -> None:
    """Until there is no room."""
    with file.open("wb", buffering=0) as out:
        try:
            while True:
                out.write(b"x" * 4096)
        except OSError:
            return


def test_a_full_disk_costs_no_request_and_is_told_and_heals(
    upstream: Upstream, tmp_path: Path, small_disk: Path
) -> None:
    file = tmp_path / "isthmus.yaml"
    file.write_text(between(upstream))
    with open_gateway_on(file, variables={"XDG_DATA_HOME": str(small_disk)}) as gateway:
        until(lambda: store_of(gateway) == "sqlite")
        filler = small_disk / "filler"
        fill(filler)
        asked = 0
        while not any(words in store_of(gateway) for words in NO_ROOM):
            assert ask(gateway) == 200
            asked += 1
            assert asked < 10_000, store_of(gateway)
        assert ask(gateway) == 200
        filler.unlink()
        until(lambda: store_of(gateway) == "sqlite")
    assert rows_in(small_disk / "isthmus/isthmus.db") == asked + 1
