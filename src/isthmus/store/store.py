"""The store: implements the engine's Records and AccountRecords, and is there before its database is.

The database is opened behind the gateway's back, and with it all that is slow to import. Until then, and while it
cannot be reached, rows of use wait and every question is answered with STORE_GONE after a few seconds at most.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from importlib import import_module
from typing import TYPE_CHECKING

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.periods import DAY
from isthmus.engine.accounts import Account, Sealed
from isthmus.engine.bodies import Bodies
from isthmus.engine.ports import Clock
from isthmus.engine.records import ClientKey, Configuration, Deed, Spent, UsageQuery, UsageSum, Used, UsedQuery
from isthmus.store.address import Address
from isthmus.store.faults import Duplicate, OutOfReach, Unfit, Unusable
from isthmus.store.rules import KEEP, PACE, Keep, Pace
from isthmus.store.writer import Writer

if TYPE_CHECKING:
    from isthmus.store.opened import Opened

log = logging.getLogger(__name__)


class Store:
    """`run` is its work, for as long as it is open; `on_open` is called once the database is there."""

    def __init__(
        self,
        address: Address,
        clock: Clock,
        keep: Keep = KEEP,
        pace: Pace = PACE,
        *,
        on_open: Callable[[], object] | None = None,
    ) -> None:
        self._address = address
        self._clock = clock
        self._keep = keep
        self._pace = pace
        self._on_open = on_open
        self._opened: asyncio.Future[Opened] = asyncio.get_running_loop().create_future()
        self._writer = Writer(self._write, clock, pace, most=keep.queue)
        self._since: float | None = None
        self._why = ""

    @property
    def state(self) -> str:
        """For people: "sqlite" or "postgresql", "opening", or since when it is unreachable, why, and what waits."""
        writer = self._writer
        why, since = (writer.why, writer.since) if self._since is None else (self._why, self._since)
        if since is not None:
            told = f"unreachable since {datetime.fromtimestamp(since, UTC):%Y-%m-%dT%H:%M:%SZ} ({why})"
            return f"{self._address.kind} {told}, {writer.waiting} rows wait, {writer.dropped} are lost"
        where = self._address.kind if self._opened.done() else "opening"
        return f"{where} ({writer.dropped} rows are lost)" if writer.dropped else where

    @property
    def waiting(self) -> int:
        """Rows of use that are not written yet."""
        return self._writer.waiting

    @property
    def lost(self) -> int:
        """Rows of use that will never be written, since the start."""
        return self._writer.dropped

    def use(self, rows: Sequence[Used]) -> None:
        self._writer.put(rows)

    async def client_keys(self) -> Sequence[ClientKey]:
        async with self._reach() as opened:
            return await opened.client_keys()

    async def client_keys_version(self) -> int:
        async with self._reach() as opened:
            return await opened.client_keys_version()

    async def put_client_key(self, key: ClientKey) -> None:
        async with self._reach() as opened:
            try:
                await opened.put_client_key(key)
            except Duplicate as error:
                message = f"another client key has the name {key.name!r}"
                raise GatewayError(Kind.INVALID, message, param="name") from error

    async def drop_client_key(self, identity: str) -> None:
        async with self._reach() as opened:
            await opened.drop_client_key(identity)

    async def accounts(self) -> Sequence[Account]:
        async with self._reach() as opened:
            return await opened.accounts()

    async def accounts_version(self) -> int:
        async with self._reach() as opened:
            return await opened.accounts_version()

    async def sealed(self, identity: str) -> Sealed | None:
        async with self._reach() as opened:
            return await opened.sealed(identity)

    async def sealed_otherwise(self, key: str, after: str = "", limit: int = 100) -> Sequence[str]:
        async with self._reach() as opened:
            return await opened.sealed_otherwise(key, after, limit)

    async def add_account(self, account: Account, sealed: Sealed) -> None:
        async with self._reach() as opened:
            with _unique_name(account):
                await opened.add_account(account, sealed)

    async def change_account(self, account: Account) -> None:
        async with self._reach() as opened:
            with _unique_name(account):
                await opened.change_account(account)

    async def note_accounts(self, accounts: Sequence[Account]) -> None:
        async with self._reach() as opened:
            await opened.note_accounts(accounts)

    async def drop_account(self, identity: str) -> None:
        async with self._reach() as opened:
            await opened.drop_account(identity)

    async def lease(self, identity: str, owner: str, until: float, now: float) -> bool:
        async with self._reach() as opened:
            return await opened.lease(identity, owner, until, now)

    async def release(self, identity: str, owner: str) -> None:
        async with self._reach() as opened:
            await opened.release(identity, owner)

    async def replace_tokens(self, account: Account, sealed: Sealed) -> bool:
        async with self._reach() as opened:
            return await opened.replace_tokens(account, sealed)

    async def reseal(self, sealed: Mapping[str, Sealed], now: float) -> int:
        async with self._reach() as opened:
            return await opened.reseal(sealed, now)

    async def spent(self, now: float) -> Sequence[Spent]:
        async with self._reach() as opened:
            return await opened.spent(now)

    async def usage(self, query: UsageQuery) -> Sequence[UsageSum]:
        async with self._reach() as opened:
            return await opened.usage(query, self._kept_since(self._keep.rows))

    async def used(self, query: UsedQuery) -> Sequence[Used]:
        async with self._reach() as opened:
            return await opened.used(query, self._kept_since(self._keep.rows))

    async def note(self, deed: Deed) -> None:
        async with self._reach() as opened:
            await opened.note(deed)

    async def deeds(self, *, before: float | None = None, limit: int = 100) -> Sequence[Deed]:
        async with self._reach() as opened:
            return await opened.deeds(before, limit)

    async def keep_configuration(self, who: str, text: str, note: str = "") -> int:
        async with self._reach() as opened:
            return await opened.keep_configuration(self._clock.time(), who, text, note)

    async def configurations(self, limit: int = 100) -> Sequence[Configuration]:
        async with self._reach() as opened:
            return await opened.configurations(limit)

    async def configuration(self, number: int) -> Configuration | None:
        async with self._reach() as opened:
            return await opened.configuration(number)

    async def keep_bodies(self, rows: Sequence[Bodies]) -> None:
        async with self._reach() as opened:
            await opened.keep_bodies(rows)

    async def bodies(self, identity: str) -> Bodies | None:
        async with self._reach() as opened:
            return await opened.bodies(identity)

    async def run(self) -> None:
        """Open the database, write rows, and forget what is old, until cancelled."""
        opened = await self._open()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._writer.run())
            tasks.create_task(self._keep_house(opened))

    async def close(self) -> None:
        """Write what waits, within a bound, and let the database go. `run` has ended before."""
        await self._writer.drain(self._pace.close if self._opened.done() else 0)
        if self._opened.done():
            await self._opened.result().close()

    async def _open(self) -> "Opened":
        pause = self._pace.retry
        while True:
            try:
                module = await asyncio.to_thread(import_module, "isthmus.store.opened")
                opened: Opened = await module.open_at(self._address)
            except (OutOfReach, Unfit, Unusable) as error:
                self._fail(str(error))
                await asyncio.sleep(pause)
                pause = min(self._pace.retry_most, pause * 2)
            else:
                self._since, self._why = None, ""
                self._opened.set_result(opened)
                if self._on_open is not None:
                    self._on_open()
                return opened

    def _fail(self, why: str) -> None:
        """It could not be opened, or not be asked: log each reason once."""
        if why != self._why:
            log.warning("the store cannot be reached: %s", why)
        self._why = why
        self._since = self._since or self._clock.time()

    @asynccontextmanager
    async def _reach(self) -> "AsyncIterator[Opened]":
        """The open database, for as long as a question may take. Raises STORE_GONE, INVALID for what it never takes."""
        try:
            async with asyncio.timeout(self._pace.patience):
                yield await asyncio.shield(self._opened)
                self._since, self._why = None, ""
        except (OutOfReach, TimeoutError) as error:
            if self._opened.done():
                self._fail(str(error) or f"it did not answer within {self._pace.patience:g} s")
            message = "the store cannot be reached; try again shortly"
            raise GatewayError(Kind.STORE_GONE, message, retry_after=1.0) from error
        except Unfit as error:
            raise GatewayError(Kind.INVALID, f"the store cannot hold this: {error}") from error

    async def _write(self, rows: Sequence[Used], doubtful: bool) -> int:
        return await self._opened.result().write(rows, doubtful)

    async def _keep_house(self, opened: "Opened") -> None:
        while True:
            for days, forget in (
                (self._keep.rows, opened.forget_rows),
                (self._keep.sums, opened.forget_sums),
                (self._keep.deeds, opened.forget_deeds),
                (self._keep.bodies, opened.forget_bodies),
            ):
                if days:
                    await self._forget(forget, self._kept_since(days))
            await asyncio.sleep(self._pace.house)

    async def _forget(self, step: Callable[[float], Awaitable[bool]], before: float) -> None:
        """Step by step. What cannot be reached now is forgotten another time."""
        try:
            more = True
            while more:
                more = await step(before)
                await asyncio.sleep(self._pace.step)
        except (OutOfReach, Unfit) as error:
            log.info("the store forgets nothing for now: %s", error)
        except Exception:  # rows go on being written
            log.exception("the store forgets nothing for now, by a fault of the gateway")

    def _kept_since(self, days: int) -> float:
        """Since when things are kept that are kept for so many days."""
        return self._clock.time() - days * DAY if days else 0.0


@contextmanager
def _unique_name(account: Account) -> Iterator[None]:
    """Raises INVALID where another has the account's name."""
    try:
        yield
    except Duplicate as error:
        message = f"another account of {account.issuer} has the name {account.name!r}"
        raise GatewayError(Kind.INVALID, message, param="name") from error


@asynccontextmanager
async def open_store(
    address: Address,
    clock: Clock,
    keep: Keep = KEEP,
    pace: Pace = PACE,
    *,
    on_open: Callable[[], object] | None = None,
) -> AsyncIterator[Store]:
    """The store, whose database is opened behind the caller's back. What waits is written before it is closed."""
    store = Store(address, clock, keep, pace, on_open=on_open)
    work = asyncio.create_task(store.run())
    try:
        yield store
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        await store.close()
