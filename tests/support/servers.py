"""Real servers of PostgreSQL and of Redis or Valkey for as long as a test takes, which is skipped without them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from bench.postgres_server import PROGRAM as POSTGRES
from bench.postgres_server import PostgresServer
from fakes.redis_server import PROGRAM as REDIS
from fakes.redis_server import RedisServer


@contextmanager
def open_postgres() -> Iterator[PostgresServer]:
    if POSTGRES is None:
        pytest.skip("postgres is not on the PATH")
    with TemporaryDirectory(prefix="isthmus-") as folder:
        server = PostgresServer(Path(folder))
        server.make()
        try:
            server.start()
            yield server
        finally:
            server.stop()


@contextmanager
def open_redis(folder: Path, *options: str, tls: bool = False) -> Iterator[RedisServer]:
    if REDIS is None:
        pytest.skip("neither valkey-server nor redis-server is on the PATH")
    server = RedisServer(folder, *options, tls=tls)
    server.start()
    try:
        yield server
    finally:
        server.stop()
