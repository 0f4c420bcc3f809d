"""The open database: runs plain functions of a connection, each in one transaction. The only door to SQL.

What goes wrong leaves here as one of `faults`.
"""

import asyncio
import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from functools import partial
from math import inf
from types import NoneType
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from sqlalchemy import URL, Connection, event
from sqlalchemy.dialects.sqlite.aiosqlite import AsyncAdapt_aiosqlite_connection
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from isthmus.store.address import POSTGRESQL, Address
from isthmus.store.faults import Duplicate, OutOfReach, Unfit, Unusable

CONNECTIONS = 5
CONNECT_WITHIN = 5.0
"""Seconds for a new connection, and for one from the pool."""
RUN_WITHIN = 10.0
"""Seconds for one statement of PostgreSQL, for one transaction of SQLite, and there for other writers as well."""
STEPS = 20_000
"""Of SQLite's own machine, between two looks at the time."""
PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=NORMAL",
    "PRAGMA journal_size_limit=67108864",
    "PRAGMA foreign_keys=ON",
)
SURELY = "SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'"
"""To PostgreSQL: this transaction is on the disk when it is committed."""
_UNFIT = ("22", "23", "54")
"""Classes of SQLSTATE that are the values' fault: data exceptions, broken constraints, and what is beyond limits."""

_VALUES = (TypeError, ValueError, ArithmeticError)
"""What values raise that no driver can send."""

sqlite3.register_adapter(bool, int)
sqlite3.register_adapter(NoneType, {None: None}.get)
"""As the driver takes it anyway, but only after it has asked twice whether somebody knows better."""

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Database:
    """`kind` as in Address. What is asked goes on for a while behind the back of a caller who does not wait for it."""

    def __init__(self, engine: AsyncEngine, kind: str) -> None:
        self._reads = engine
        self._writes = engine.execution_options(writes=True)
        self._durable = engine.execution_options(writes=True, durable=True)
        self._under_way: set[asyncio.Task[Any]] = set()
        self.kind = kind

    async def read(self, work: Callable[Concatenate[Connection, _P], _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """What `work` makes of a connection. Raises as `write`."""
        return await self._run(self._reads, lambda connection: work(connection, *args, **kwargs))

    async def write(self, work: Callable[Concatenate[Connection, _P], _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """All of `work` or nothing of it. Raises OutOfReach, or Unfit for values that no database takes."""
        return await self._run(self._writes, lambda connection: work(connection, *args, **kwargs))

    async def write_durably(
        self, work: Callable[Concatenate[Connection, _P], _T], *args: _P.args, **kwargs: _P.kwargs
    ) -> _T:
        """As `write`; and it is on the disk when this returns, whatever the machine does then."""
        return await self._run(self._durable, lambda connection: work(connection, *args, **kwargs))

    async def close(self) -> None:
        """End what is still under way, and the connections."""
        for one in self._under_way:
            one.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        await self._reads.dispose()

    async def _run(self, engine: AsyncEngine, work: Callable[[Connection], _T]) -> _T:
        """Being cancelled does not wait for the database, which may be at something long."""
        task = asyncio.create_task(_in_transaction(engine, work))
        self._under_way.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        """Whoever asked has its error, unless they have left."""
        self._under_way.discard(task)
        if not task.cancelled():
            task.exception()


async def _in_transaction(engine: AsyncEngine, work: Callable[[Connection], _T]) -> _T:
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(work)
    except (SQLAlchemyError, sqlite3.Error, OSError, TimeoutError, *_VALUES) as error:
        raise fault_of(error) from error


def execute_many(connection: Connection, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """The statement with each of `rows`, as the driver takes both: to SQLite's thread and back once, not thrice."""
    if connection.dialect.name == POSTGRESQL:
        connection.exec_driver_sql(statement, list(rows))
    else:
        _driver(connection).run_async(lambda driver: driver.executemany(statement, rows))


def _driver(connection: Connection) -> AsyncAdapt_aiosqlite_connection:
    return cast("AsyncAdapt_aiosqlite_connection", connection.connection.dbapi_connection)


def open_database(address: Address, *, run_within: float = RUN_WITHIN) -> Database:
    """Connects when it is first asked. The file of SQLite is made here, for its owner's eyes alone.

    Raises OutOfReach where that cannot be done, Unusable for an address that is none.
    """
    open_engine = _open_postgresql if address.kind == POSTGRESQL else _open_sqlite
    try:
        return Database(open_engine(address, run_within), address.kind)
    except OSError as error:
        raise OutOfReach(f"{error.strerror}: {error.filename}") from error
    except (SQLAlchemyError, ImportError) as error:
        raise Unusable(f"no driver opens this address: {type(error).__name__}") from error


def fault_of(error: Exception) -> OutOfReach | Unfit:
    """What this means for whoever asked."""
    if isinstance(error, IntegrityError | sqlite3.IntegrityError):
        return Duplicate("there is one like it already")
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    if isinstance(cause, _VALUES) or str(getattr(cause, "sqlstate", None) or "")[:2] in _UNFIT:
        return Unfit(type(cause).__name__)
    words = str(cause).strip() or type(cause).__name__
    return OutOfReach(words.splitlines()[0].rpartition(">: ")[2])


def _open_postgresql(address: Address, run_within: float) -> AsyncEngine:
    """The driver reads the URL itself: it knows what `sslmode` and all others mean."""
    engine = create_async_engine(
        "postgresql+asyncpg://",
        pool_size=CONNECTIONS,
        max_overflow=0,
        pool_timeout=CONNECT_WITHIN,
        pool_pre_ping=True,
        connect_args={
            "dsn": address.url and address.url.reveal(),
            "timeout": CONNECT_WITHIN,
            "command_timeout": run_within,
            "server_settings": {"application_name": "isthmus"},
        },
    )
    event.listen(engine.sync_engine, "begin", _begin_postgresql)
    return engine


def _begin_postgresql(connection: Connection) -> None:
    """A server may be told to say that something is written before it is."""
    if connection.get_execution_options().get("durable", False):
        connection.exec_driver_sql(SURELY)


def _open_sqlite(address: Address, run_within: float) -> AsyncEngine:
    if address.file is not None:
        address.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(address.file, os.O_RDWR | os.O_CREAT, 0o600))
    engine = create_async_engine(
        URL.create("sqlite+aiosqlite", database=str(address.file)),
        pool_size=CONNECTIONS,
        max_overflow=0,
        pool_timeout=CONNECT_WITHIN,
        pool_use_lifo=True,
        connect_args={"timeout": run_within},
    )
    event.listen(engine.sync_engine, "connect", partial(_prepare_sqlite, run_within))
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


class _Patience:
    """Until when a transaction may run, by the monotonic clock. SQLite itself knows no such bound."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._until = inf

    def begin(self) -> None:
        self._until = time.monotonic() + self._seconds

    def is_over(self) -> bool:
        return time.monotonic() > self._until


def _prepare_sqlite(
    run_within: float, connection: AsyncAdapt_aiosqlite_connection, record: ConnectionPoolEntry
) -> None:
    patience = record.info["patience"] = _Patience(run_within)
    connection.run_async(lambda driver: driver.set_progress_handler(patience.is_over, STEPS))
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    """One that will write waits for the others here: later on it could not, without losing what it has read."""
    connection.info["patience"].begin()
    options = connection.get_execution_options()
    _set_durable(connection, options.get("durable", False))
    begin = "BEGIN IMMEDIATE" if options.get("writes", False) else "BEGIN"
    _driver(connection).run_async(lambda driver: driver.execute(begin))


def _set_durable(connection: Connection, durable: bool) -> None:
    """Whether a commit waits for the disk, where that is not so already: it cannot be said in a transaction."""
    if connection.info.get("durable", False) != durable:
        pragma = f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}"
        _driver(connection).run_async(lambda driver: driver.execute(pragma))
        connection.info["durable"] = durable
