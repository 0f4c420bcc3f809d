"""A gateway with accounts that are in memory, asked by programs on its own machine."""

import json
from typing import Any

from fakes.account_book import FakeAccountBook
from isthmus.engine.accounts import Account, UsedWindow
from support.administering import Header, Managed, told
from support.asgi import Visit

JSON = (b"content-type", b"application/json")
NOW = 1_700_000_000.0
ALICE = Account(
    id="acc_a",
    issuer="codex",
    name="alice@example.com",
    email="alice@example.com",
    subject="ws_1",
    plan="plus",
    added_at=NOW,
    active=True,
)
BOB = Account(id="acc_b", issuer="codex", name="Bob+work@example.com", email="Bob+work@example.com", added_at=NOW)
ROBOT = Account(id="acc_r", issuer="google-service-account", name="robot", added_at=NOW)
WINDOWS = (UsedWindow("primary", 0.2, NOW + 600, 18_000.0), UsedWindow("secondary", 0.75, NOW + 7200, 604_800.0))


class Door:
    """A gateway with these accounts, asked by programs on its own machine."""

    def __init__(self, *accounts: Account, secrets: tuple[bytes, ...] = (), **settings: bool) -> None:
        self.book = FakeAccountBook(*accounts, time=NOW)
        self.managed = Managed(*secrets, **settings).at_desk(accounts=self.book)

    async def ask(self, method: str, path: str, said: Any = None, *headers: Header, **how: Any) -> Visit:
        body = b"" if said is None else json.dumps(said).encode()
        return await self.managed.ask(method, path, JSON, *headers, body=body, **how)

    async def told(self, method: str, path: str, said: Any = None) -> tuple[int, Any]:
        visit = await self.ask(method, path, said)
        return visit.status, told(visit)

    async def begin(self) -> str:
        """The state of a sign-in."""
        return str((await self.told("POST", "/accounts/add"))[1]["state"])
