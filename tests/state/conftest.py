"""A server of Redis or Valkey for each test that asks for one, where the machine has any."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.redis_server import RedisServer
from support.servers import open_redis


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with open_redis(tmp_path) as server:
        yield server
