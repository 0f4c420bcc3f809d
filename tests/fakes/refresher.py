"""A process that refreshes the tokens of one account of a store, and may die at a certain point of it.

Arguments: the database's URL, the issuer's URL, the Unix time, and where to die: "leased", "given", "written", "used",
or "nowhere". It prints the access token that it would use.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

from fakes.clock import FakeClock
from fakes.strict_issuer import StrictIssuer, row
from isthmus.accounts.endpoint import asking
from isthmus.accounts.keeper import Keeper
from isthmus.accounts.refreshing import ISSUER_DEADLINES, Outside
from isthmus.accounts.seal_keys import SaidKeys
from isthmus.accounts.sealing import Seal
from isthmus.core.secret import Secret
from isthmus.engine.accounts import Account, Sealed
from isthmus.store.address import address_of
from isthmus.store.store import Store, open_store
from isthmus.transport.client import open_transport
from support.stores import PATIENT

KEY = Secret(bytes(range(32)).hex())


class Dying:
    """Accounts as the store has them; whoever reaches `point` is killed."""

    def __init__(self, store: Store, point: str) -> None:
        self._store = store
        self._point = point
        self.accounts_version = store.accounts_version
        self.accounts = store.accounts
        self.sealed = store.sealed
        self.sealed_otherwise = store.sealed_otherwise
        self.add_account = store.add_account
        self.change_account = store.change_account
        self.note_accounts = store.note_accounts
        self.drop_account = store.drop_account
        self.reseal = store.reseal

    async def lease(self, identity: str, owner: str, until: float, now: float) -> bool:
        leased = await self._store.lease(identity, owner, until, now)
        self.reach("leased")
        return leased

    async def replace_tokens(self, account: Account, sealed: Sealed) -> bool:
        self.reach("given")
        replaced = await self._store.replace_tokens(account, sealed)
        self.reach("written")
        return replaced

    async def release(self, identity: str, owner: str) -> None:
        self.reach("used")
        await self._store.release(identity, owner)

    def reach(self, point: str) -> None:
        if point == self._point:
            os.kill(os.getpid(), signal.SIGKILL)


async def refresh(database: str, url: str, time: float, point: str) -> None:
    known = row(StrictIssuer(url=url))
    clock, seal = FakeClock(time=time), Seal(SaidKeys(KEY, "a test"))
    address = address_of(Secret(database), Path())
    async with open_store(address, clock, pace=PATIENT) as store, open_transport() as transport:
        ask = asking(transport, ISSUER_DEADLINES)
        keeper = Keeper(Outside(Dying(store, point), seal, ask, lambda: {"strict": known}, clock, shortly))
        await keeper.refresh()
        (account,) = keeper.roster.all()
        kept = await keeper.usable(account.id)
        assert kept.tokens.access is not None
        print(kept.tokens.access.reveal(), flush=True)
        await keeper.aclose()


async def shortly(seconds: float) -> None:
    """Nobody waits long here."""
    await asyncio.sleep(min(seconds, 0.05))


if __name__ == "__main__":
    asyncio.run(refresh(sys.argv[1], sys.argv[2], float(sys.argv[3]), sys.argv[4]))
