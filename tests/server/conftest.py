"""One scripted provider and one gateway for each file of tests."""

from collections.abc import Iterator

import pytest

from fakes.gateway import RunningGateway, between, open_gateway
from fakes.upstream import Upstream, open_upstream


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with open_upstream() as running:
        yield running


@pytest.fixture(scope="module")
def gateway(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    with open_gateway(between(upstream), tmp_path_factory.mktemp("gateway")) as running:
        yield running
