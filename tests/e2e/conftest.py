"""The scripted provider, a gateway in front of it, and the clients that `make e2e` installed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.gateway import RunningGateway, between, open_gateway
from fakes.upstream import Upstream, open_upstream

CLIENTS = Path(__file__).parents[2] / "build" / "e2e"
ROUTES = """
routes:
  agent-on-openai: [openai/agent]
  agent-on-anthropic: [anthropic/agent]
  agent-on-deepseek: [deepseek/agent]
  claude-sonnet-4-5: [openai/agent]
  claude-haiku-4-5-20251001: [openai/says-hello]
"""


@pytest.fixture(scope="session")
def clients() -> Path:
    """Where npm put the clients."""
    if not (CLIENTS / "node_modules").is_dir():
        pytest.fail("the clients from npm are not installed: run `make e2e`")
    return CLIENTS


@pytest.fixture(scope="session")
def upstream() -> Iterator[Upstream]:
    with open_upstream() as running:
        yield running


@pytest.fixture(scope="session")
def gateway(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    with open_gateway(between(upstream, more=ROUTES), tmp_path_factory.mktemp("gateway")) as running:
        yield running
