"""A server of Redis or Valkey for each test that asks for one, where the machine has any."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.redis_server import PROGRAM, RedisServer


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    if PROGRAM is None:
        pytest.skip("neither valkey-server nor redis-server is on the PATH")
    server = RedisServer(tmp_path)
    server.start()
    try:
        yield server
    finally:
        server.stop()
