"""The open database: runs plain functions of a connection, each in one transaction. The only door to SQL.

What goes wrong leaves here as one of `faults`.
"""

import os
import sqlite3
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, event
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from isthmus.store.address import POSTGRESQL, Address
from isthmus.store.faults import Duplicate, OutOfReach, Unfit

CONNECTIONS = 5
CONNECT_WITHIN = 5.0
"""Seconds for a new connection, and for one from the pool."""
RUN_WITHIN = 10.0
"""Seconds for one statement of PostgreSQL, and for SQLite's other writers."""
PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=NORMAL",
    "PRAGMA journal_size_limit=67108864",
    "PRAGMA foreign_keys=ON",
)
_UNFIT = ("22", "23", "54")
"""Classes of SQLSTATE that are the values' fault: data exceptions, broken constraints, and what is beyond limits."""

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Database:
    """`kind` as in Address."""

    def __init__(self, engine: AsyncEngine, kind: str) -> None:
        self._reads = engine
        self._writes = engine.execution_options(writes=True)
        self.kind = kind

    async def read(self, work: Callable[Concatenate[Connection, _P], _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """What `work` makes of a connection. Raises as `write`."""
        try:
            async with self._reads.begin() as connection:
                return await connection.run_sync(work, *args, **kwargs)
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            raise fault_of(error) from error

    async def write(self, work: Callable[Concatenate[Connection, _P], _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """All of `work` or nothing of it. Raises OutOfReach, or Unfit for values that no database takes."""
        try:
            async with self._writes.begin() as connection:
                return await connection.run_sync(work, *args, **kwargs)
        except (SQLAlchemyError, OSError, TimeoutError, ValueError, OverflowError) as error:
            raise fault_of(error) from error

    async def close(self) -> None:
        await self._reads.dispose()


def open_database(address: Address, *, run_within: float = RUN_WITHIN) -> Database:
    """Connects when it is first asked. The file of SQLite is made here, for its owner's eyes alone."""
    if address.kind == POSTGRESQL:
        return Database(_open_postgresql(address, run_within), address.kind)
    return Database(_open_sqlite(address, run_within), address.kind)


def fault_of(error: Exception) -> OutOfReach | Unfit:
    """What this means for whoever asked."""
    if isinstance(error, IntegrityError):
        return Duplicate("there is one like it already")
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    if isinstance(cause, ValueError | OverflowError) or str(getattr(cause, "sqlstate", None) or "")[:2] in _UNFIT:
        return Unfit(type(cause).__name__)
    words = str(cause).strip() or type(cause).__name__
    return OutOfReach(words.splitlines()[0].rpartition(">: ")[2])


def _open_postgresql(address: Address, run_within: float) -> AsyncEngine:
    return create_async_engine(
        address.url.reveal(),
        pool_size=CONNECTIONS,
        max_overflow=0,
        pool_timeout=CONNECT_WITHIN,
        pool_pre_ping=True,
        connect_args={
            "timeout": CONNECT_WITHIN,
            "command_timeout": run_within,
            "server_settings": {"application_name": "isthmus"},
        },
    )


def _open_sqlite(address: Address, run_within: float) -> AsyncEngine:
    if address.file is not None:
        address.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(address.file, os.O_RDWR | os.O_CREAT, 0o600))
    engine = create_async_engine(
        address.url.reveal(),
        pool_size=CONNECTIONS,
        max_overflow=0,
        pool_timeout=CONNECT_WITHIN,
        connect_args={"timeout": run_within},
    )
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _: object) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    """One that will write waits for the others here: later on it could not, without losing what it has read."""
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
