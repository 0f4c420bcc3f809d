"""Every test runs on each event loop that there is, and must leave no task and no socket behind."""

import asyncio
import gc
import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import trustme

from isthmus.transport.client import Client, open_transport

try:
    import uvloop
except ImportError:  # Windows
    uvloop = None  # type: ignore[assignment] # the module or nothing


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    factories: dict[str, Callable[[], Any]] = {"asyncio": asyncio.new_event_loop}
    if uvloop is not None:
        factories["uvloop"] = uvloop.new_event_loop
    return factories


@pytest.fixture(scope="module", autouse=True)
def only_what_a_test_makes_is_searched() -> Iterator[None]:
    """Everything imported so far is out of the collector's sight: a search of it at each test takes the longest."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
async def nothing_is_left() -> AsyncIterator[None]:
    sockets = open_sockets()
    yield
    for _ in range(100):
        if not other_tasks() and open_sockets() <= sockets:
            break
        await asyncio.sleep(0.01)
    gc.collect()
    assert not other_tasks()
    assert open_sockets() <= sockets


def other_tasks() -> set[asyncio.Task[Any]]:
    return asyncio.all_tasks() - {asyncio.current_task()}


def open_sockets() -> frozenset[str]:
    """The TCP sockets of this process, by their inode; empty where the system does not tell."""
    tables = [Path(f"/proc/self/net/{name}") for name in ("tcp", "tcp6")]
    inodes = {line.split()[9] for table in tables if table.exists() for line in table.read_text().splitlines()[1:]}
    ours = descriptors() if inodes else set()
    return frozenset(inode for inode in inodes if f"socket:[{inode}]" in ours)


def descriptors() -> set[str]:
    found = set()
    for number in os.listdir("/proc/self/fd"):
        with suppress(OSError):
            found.add(os.readlink(f"/proc/self/fd/{number}"))
    return found


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with open_transport() as opened:
        yield opened


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)
