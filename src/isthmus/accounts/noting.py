"""When accounts were used, and what answers told of their limits: heard on the way, and noted in the background."""

import logging
from collections.abc import Iterator

from msgspec.structs import replace

from isthmus.accounts.roster import Roster
from isthmus.accounts.windows import laid_over, told_since
from isthmus.core.errors import GatewayError
from isthmus.engine.accounts import Account, AccountRecords
from isthmus.engine.live import Live
from isthmus.engine.ports import Clock

log = logging.getLogger(__name__)


class Noting:
    """`live` is None where nobody routes, and so no answer tells anything."""

    def __init__(self, records: AccountRecords, roster: Roster, clock: Clock, live: Live | None) -> None:
        self._records = records
        self._roster = roster
        self._clock = clock
        self._live = live
        self._used: dict[str, float] = {}
        self._told_until = 0.0
        self._unwritten: set[str] = set()

    def use(self, identity: str, at: float) -> None:
        """The account is used at Unix time `at`. On a request's way."""
        self._used[identity] = at

    def used_at(self, account: Account) -> float | None:
        return self._used.get(account.id) or account.used_at

    def take_up(self) -> None:
        """Have the roster know what was heard so far."""
        heard = {one.id: one for one in self._with_windows()}
        used, self._used = self._used, {}
        for identity, at in used.items():
            account = heard.get(identity) or self._roster.get(identity)
            if account is not None:
                heard[identity] = replace(account, used_at=at)
        for account in heard.values():
            self._roster.put(account)
        self._unwritten |= heard.keys()

    async def write(self) -> None:
        """Take up what was heard, and have the store know of it. Never raises: it is written another time."""
        self.take_up()
        noted = tuple(account for one in self._unwritten if (account := self._roster.get(one)) is not None)
        if not noted:
            return
        self._unwritten.clear()
        try:
            await self._records.note_accounts(noted)
        except GatewayError as error:
            self._unwritten.update(account.id for account in noted)
            log.info("the use of accounts is not noted: %s", error.message)

    def _with_windows(self) -> Iterator[Account]:
        """Those of whose limits something newer was told."""
        if self._live is None:
            return
        since, self._told_until = self._told_until, self._clock.now()
        named = told_since(self._live.take(), since, self._clock)
        ids = {(one.issuer, one.name): one for one in self._roster.all()} if named else {}
        for key, windows in named.items():
            if (account := ids.get(key)) is not None:
                newest = laid_over(windows, account.windows)
                yield replace(account, windows=newest, windows_at=self._clock.time())
