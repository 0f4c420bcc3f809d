"""One scripted provider and one gateway for each file of tests."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from fakes.gateway import RUNNING, RunningGateway, between, open_gateway
from fakes.upstream import Upstream, open_upstream

try:
    import uvloop
except ImportError:  # Windows
    uvloop = None  # type: ignore[assignment] # the module or nothing


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with open_upstream() as running:
        yield running


@pytest.fixture(scope="module")
def gateway(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    with open_gateway(between(upstream), tmp_path_factory.mktemp("gateway")) as running:
        yield running


@pytest.fixture(autouse=True)
def nobody_rests() -> None:
    """What one test made fail does not concern the next."""
    for gateway in RUNNING:
        gateway.wake_all()


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """What handles bytes itself is tested on each event loop that there is."""
    factories: dict[str, Callable[[], Any]] = {"asyncio": asyncio.new_event_loop}
    if uvloop is not None and item.path.name == "test_connection.py":
        factories["uvloop"] = uvloop.new_event_loop
    return factories
