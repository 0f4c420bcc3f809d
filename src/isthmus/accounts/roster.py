"""All accounts as they are known in this process, without their tokens. Asks nobody and waits for nothing."""

import sys
from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.accounts import Account


class Roster:
    """By id, the oldest first. Of what is noted of an account's use the newest word counts, whoever heard it."""

    def __init__(self) -> None:
        self._accounts: dict[str, Account] = {}

    def __len__(self) -> int:
        return len(self._accounts)

    def all(self) -> Sequence[Account]:
        return tuple(self._accounts.values())

    def get(self, identity: str) -> Account | None:
        return self._accounts.get(identity)

    def need(self, identity: str) -> Account:
        """Raises UNKNOWN_PATH where there is none."""
        found = self._accounts.get(identity)
        if found is None:
            raise GatewayError(Kind.UNKNOWN_PATH, "no account has this id")
        return found

    def put(self, account: Account) -> None:
        """Add it, or put it in place of the one with its id."""
        self._accounts[account.id] = account

    def remove(self, identity: str) -> None:
        self._accounts.pop(identity, None)

    def take(self, accounts: Iterable[Account]) -> frozenset[str]:
        """These are all from now on. The ids of those whose tokens may be other ones than before."""
        before, self._accounts = self._accounts, {}
        changed = set(before)
        for account in accounts:
            known = before.get(account.id)
            self._accounts[account.id] = _lean(account) if known is None else _lean(_newest(account, known))
            if known is not None and known.refreshed_at == account.refreshed_at and known.state is account.state:
                changed.remove(account.id)
        return frozenset(changed)


def _newest(account: Account, known: Account) -> Account:
    """With what was noted of `known`, where that is newer than what the store has of it."""
    changes: dict[str, object] = {}
    if (known.used_at or 0.0) > (account.used_at or 0.0):
        changes["used_at"] = known.used_at
    if (known.windows_at or 0.0) > (account.windows_at or 0.0):
        changes |= {"windows": known.windows, "windows_at": known.windows_at}
    return replace(account, **changes) if changes else account


def _lean(account: Account) -> Account:
    """Words that thousands of accounts have in common are kept once."""
    return replace(
        account,
        issuer=sys.intern(account.issuer),
        plan=sys.intern(account.plan),
        source=sys.intern(account.source),
        email=account.name if account.email == account.name else account.email,
    )
