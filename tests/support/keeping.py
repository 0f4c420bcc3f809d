"""A keeper of accounts whose store is in memory, and whose issuer is strict and at the wire. No test waits."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from msgspec.structs import replace

from fakes.account_records import FakeAccountRecords
from fakes.clock import FakeClock
from fakes.strict_issuer import StrictIssuer, open_strict_issuer, row
from fakes.strict_words import Person
from isthmus.accounts.endpoint import asking
from isthmus.accounts.keeper import Keeper
from isthmus.accounts.refreshing import ISSUER_DEADLINES, LOOK, Outside
from isthmus.accounts.seal_keys import SaidKeys
from isthmus.accounts.sealing import Seal
from isthmus.core.secret import Secret
from isthmus.engine.accounts import Account, AccountRecords, Tokens
from isthmus.engine.live import Live
from isthmus.engine.snapshot import Snapshot
from isthmus.providers.issuer import Issuer
from isthmus.providers.provider import Outgoing, Provider
from isthmus.transport.client import open_transport
from support.line import provider

KEY = bytes(range(32)).hex()


def strict(name: str = "strict") -> Provider:
    """A provider that is asked under accounts of the strict issuer."""
    return replace(provider(name), secret=None, issuer="strict", sign=lambda headers, secret: headers)


class Home:
    """A keeper and all around it. Whoever pauses moves the clock, and nobody waits."""

    def __init__(self, issuer: StrictIssuer, outside: Outside, live: Live, clock: FakeClock) -> None:
        self.issuer = issuer
        self.outside = outside
        self.live = live
        self.clock = clock
        self.keeper = Keeper(outside, live)

    @property
    def records(self) -> FakeAccountRecords:
        assert isinstance(self.outside.records, FakeAccountRecords)
        return self.outside.records

    async def add(self, name: str = "ada", person: Person | None = None, **changes: object) -> Account:
        """Somebody who signed in before, known to the store and to the keeper."""
        given = self.issuer.sign_in(person or Person(f"{name}@example.com", f"acc-{name}"))
        tokens = Tokens(
            access=Secret(given["access_token"]),
            refresh=Secret(given["refresh_token"]),
            id_token=Secret(given["id_token"]),
            expires_at=self.clock.time() + self.issuer.lifetime,
        )
        account = Account(
            id=f"acc_{name}",
            issuer="strict",
            name=f"{name}@example.com",
            email=f"{name}@example.com",
            subject=f"acc-{name}",
            expires_at=tokens.expires_at,
            refreshed_at=self.clock.time(),
        )
        account = replace(account, **changes)
        sealed = self.outside.seal.close(tokens, account.id, 1)
        await self.outside.records.add_account(account, sealed)
        await self.keeper.refresh()
        return account

    def another(self) -> "Home":
        """Another process on the same store."""
        return Home(self.issuer, self.outside, Live(self.live.take().snapshot), self.clock)

    async def access(self, identity: str = "acc_ada") -> str:
        """The token that a request would be signed with."""
        kept = await self.keeper.usable(identity)
        assert kept.tokens.access is not None
        return kept.tokens.access.reveal()

    def good(self, access: str) -> bool:
        return self.issuer.who(access) is not None


def outgoing() -> Outgoing:
    return Outgoing(provider("strict").origin, "POST", "/v1/answer", ())


@asynccontextmanager
async def open_home(
    records: AccountRecords | None = None, clock: FakeClock | None = None, *, stands: bool = True, **settings: object
) -> AsyncIterator[Home]:
    """`stands`: time stands still while another process is waited for, which works in real time."""
    clock = clock or FakeClock()

    async def pause(seconds: float) -> None:
        if seconds == LOOK and stands:
            await asyncio.sleep(0.05)
            return
        clock.move(seconds)
        await asyncio.sleep(0)

    with open_strict_issuer(clock=clock.time, **settings) as issuer:
        known: dict[str, Issuer] = {"strict": row(issuer)}
        live = Live(Snapshot(providers={"strict": strict()}, issuers=known))
        async with open_transport() as transport:
            ask = asking(transport, ISSUER_DEADLINES)
            kept = records or FakeAccountRecords()
            outside = Outside(
                kept, Seal(SaidKeys(Secret(KEY), "a test")), ask, lambda: known, clock, pause, lambda: 0.5
            )
            home = Home(issuer, outside, live, clock)
            try:
                yield home
            finally:
                await home.keeper.aclose()
