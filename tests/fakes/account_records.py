"""Accounts in memory, for tests: they implement AccountRecords, and are out of reach when a test says so."""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.accounts import Account, AccountState, Sealed


class FakeAccountRecords:
    """`gone`: nothing can be reached; so are the calls named in `failing`. `asked` counts the calls of each name."""

    def __init__(self) -> None:
        self.kept: dict[str, Account] = {}
        self.tokens: dict[str, Sealed] = {}
        self.leases: dict[str, tuple[str, float]] = {}
        self.version = 1
        self.gone = False
        self.failing: set[str] = set()
        self.asked: dict[str, int] = {}

    async def accounts_version(self) -> int:
        self._reach("accounts_version")
        return self.version

    async def accounts(self) -> Sequence[Account]:
        self._reach("accounts")
        return tuple(self.kept.values())

    async def sealed(self, identity: str) -> Sealed | None:
        self._reach("sealed")
        return self.tokens.get(identity)

    async def sealed_otherwise(self, key: str, limit: int = 100) -> Sequence[str]:
        self._reach("sealed_otherwise")
        return tuple(identity for identity, one in self.tokens.items() if one.key != key)[:limit]

    async def add_account(self, account: Account, sealed: Sealed) -> None:
        self._reach("add_account")
        self._check_name(account)
        self.kept[account.id], self.tokens[account.id] = account, sealed
        self.version += 1

    async def change_account(self, account: Account) -> None:
        self._reach("change_account")
        self._check_name(account)
        if account.id in self.kept:
            self.kept[account.id] = account
            self.version += 1

    async def note_accounts(self, accounts: Sequence[Account]) -> None:
        self._reach("note_accounts")
        for one in accounts:
            if (known := self.kept.get(one.id)) is not None:
                noted = replace(known, used_at=one.used_at, windows=one.windows, windows_at=one.windows_at)
                self.kept[one.id] = noted

    async def drop_account(self, identity: str) -> None:
        self._reach("drop_account")
        self.kept.pop(identity, None)
        self.tokens.pop(identity, None)
        self.version += 1

    async def lease(self, identity: str, owner: str, until: float, now: float) -> bool:
        self._reach("lease")
        holder, ends = self.leases.get(identity, ("", 0.0))
        if holder not in ("", owner) and ends > now:
            return False
        self.leases[identity] = owner, until
        return True

    async def release(self, identity: str, owner: str) -> None:
        self._reach("release")
        if self.leases.get(identity, ("", 0.0))[0] == owner:
            del self.leases[identity]

    async def replace_tokens(self, account: Account, sealed: Sealed) -> bool:
        self._reach("replace_tokens")
        known = self.tokens.get(account.id)
        if known is None or known.version != sealed.version - 1:
            return False
        before = self.kept[account.id]
        state = before if before.state is AccountState.DISABLED else account
        told = replace(
            before,
            email=account.email,
            subject=account.subject,
            plan=account.plan,
            expires_at=account.expires_at,
            refreshed_at=account.refreshed_at,
            source=account.source,
            state=state.state,
            why=state.why,
        )
        self.kept[account.id], self.tokens[account.id] = told, sealed
        self.version += 1
        return True

    async def reseal(self, sealed: Mapping[str, Sealed], now: float) -> int:
        self._reach("reseal")
        self.tokens |= sealed
        return len(sealed)

    def _reach(self, name: str) -> None:
        self.asked[name] = self.asked.get(name, 0) + 1
        if self.gone or name in self.failing:
            raise GatewayError(Kind.STORE_GONE, "the store cannot be reached; try again shortly", retry_after=1.0)

    def _check_name(self, account: Account) -> None:
        for one in self.kept.values():
            if one.id != account.id and (one.issuer, one.name) == (account.issuer, account.name):
                raise GatewayError(Kind.INVALID, f"another account has the name {account.name!r}", param="name")
