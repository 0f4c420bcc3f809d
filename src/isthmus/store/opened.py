"""The store once it is open: each question of Records as one transaction. Imported when the store is opened."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from threading import Thread

from isthmus.engine.accounts import Account, Sealed
from isthmus.engine.bodies import Bodies
from isthmus.engine.records import ClientKey, Configuration, Deed, Spent, UsageQuery, UsageSum, Used, UsedQuery
from isthmus.store import accounts, journal, keys, reading, retention, sums
from isthmus.store.address import Address
from isthmus.store.bodies import read_bodies, write_bodies
from isthmus.store.database import Database, open_database
from isthmus.store.migrating import migrate
from isthmus.store.writing import write_rows


class Opened:
    """Everything raises OutOfReach, and what writes Unfit."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self, rows: Sequence[Used], doubtful: bool) -> int:
        return await self._database.write(write_rows, rows, doubtful=doubtful)

    async def client_keys(self) -> Sequence[ClientKey]:
        return await self._database.read(keys.read_keys)

    async def client_keys_version(self) -> int:
        return await self._database.read(keys.read_version)

    async def put_client_key(self, key: ClientKey) -> None:
        await self._database.write(keys.put_key, key)

    async def drop_client_key(self, identity: str) -> None:
        await self._database.write(keys.drop_key, identity)

    async def accounts(self) -> Sequence[Account]:
        return await self._database.read(accounts.read_accounts)

    async def accounts_version(self) -> int:
        return await self._database.read(accounts.read_version)

    async def sealed(self, identity: str) -> Sealed | None:
        return await self._database.read(accounts.read_sealed, identity)

    async def sealed_otherwise(self, key: str, after: str, limit: int) -> Sequence[str]:
        return await self._database.read(accounts.sealed_otherwise, key, after, limit)

    async def add_account(self, account: Account, sealed: Sealed) -> None:
        await self._database.write_durably(accounts.add_account, account, sealed)

    async def change_account(self, account: Account) -> None:
        await self._database.write(accounts.change_account, account)

    async def note_accounts(self, noted: Sequence[Account]) -> None:
        await self._database.write(accounts.note_accounts, noted)

    async def drop_account(self, identity: str) -> None:
        await self._database.write_durably(accounts.drop_account, identity)

    async def lease(self, identity: str, owner: str, until: float, now: float) -> bool:
        return await self._database.write(accounts.lease, identity, owner, until=until, now=now)

    async def release(self, identity: str, owner: str) -> None:
        await self._database.write(accounts.release, identity, owner)

    async def replace_tokens(self, account: Account, sealed: Sealed) -> bool:
        return await self._database.write_durably(accounts.replace_tokens, account, sealed)

    async def reseal(self, sealed: Mapping[str, Sealed], now: float) -> int:
        return await self._database.write_durably(accounts.reseal, sealed, now)

    async def spent(self, now: float) -> Sequence[Spent]:
        return await self._database.read(reading.read_spent, now)

    async def usage(self, query: UsageQuery, kept_since: float) -> Sequence[UsageSum]:
        return await self._database.read(sums.read_usage, query, kept_since)

    async def used(self, query: UsedQuery, kept_since: float) -> Sequence[Used]:
        return await self._database.read(reading.read_used, query, kept_since)

    async def note(self, deed: Deed) -> None:
        await self._database.write(journal.write_deed, deed)

    async def deeds(self, before: float | None, limit: int) -> Sequence[Deed]:
        return await self._database.read(journal.read_deeds, before, limit)

    async def keep_configuration(self, at: float, who: str, words: str, note: str) -> int:
        return await self._database.write(journal.keep_configuration, at, who, words, note)

    async def configurations(self, limit: int) -> Sequence[Configuration]:
        return await self._database.read(journal.read_configurations, limit)

    async def configuration(self, number: int) -> Configuration | None:
        return await self._database.read(journal.read_configuration, number)

    async def keep_bodies(self, rows: Sequence[Bodies]) -> None:
        await self._database.write(write_bodies, rows)

    async def bodies(self, identity: str) -> Bodies | None:
        return await self._database.read(read_bodies, identity)

    async def forget_rows(self, before: float) -> bool:
        """Some of the rows of use before this time; are there more?"""
        return await self._database.write(retention.forget_some, retention.ROWS, before) >= retention.STEP

    async def forget_sums(self, before: float) -> bool:
        return await self._database.write(retention.forget_some, retention.SUMS, before) >= retention.STEP

    async def forget_deeds(self, before: float) -> bool:
        return await self._database.write(retention.forget_some, retention.DEEDS, before) >= retention.STEP

    async def forget_bodies(self, before: float) -> bool:
        return await self._database.write(retention.forget_some, retention.BODIES, before) >= retention.STEP

    async def close(self) -> None:
        await self._database.close()


async def open_at(address: Address) -> Opened:
    """With this version's tables. Raises OutOfReach or Unusable."""
    await _apart(partial(migrate, address))
    return Opened(open_database(address))


async def _apart(work: Callable[[], None]) -> None:
    """In a thread that nobody waits for when the gateway stops: another instance may keep it waiting for long."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def settle(error: Exception | None) -> None:
        if done.cancelled():
            return
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)

    def run() -> None:
        error = None
        try:
            work()
        except Exception as failed:
            error = failed
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(settle, error)

    Thread(target=run, name="isthmus-migrations", daemon=True).start()
    await done
