"""Accounts that other tools left on this machine, taken in.

Tokens that last a while are kept as they are, so that the tool is left in peace until they end. What is known here
already and lasts longer stays: the file then holds a refresh token that was used long ago.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from isthmus.accounts.claims import Told, told_by
from isthmus.accounts.files import Found
from isthmus.accounts.intake import Intake
from isthmus.accounts.keeper import Keeper
from isthmus.accounts.refreshing import Outside, tried
from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.accounts import Account, AccountState
from isthmus.providers.issuer import Issuer

LASTING = 60.0
"""Seconds for which tokens must last to be kept as they are."""

Left: TypeAlias = Callable[[Issuer], Awaitable[Sequence[Found]]]
"""What other tools left of an issuer's accounts. Raises INVALID where that is nothing, or no longer readable."""


class Importing:
    def __init__(self, keeper: Keeper, outside: Outside, intake: Intake, left: Left) -> None:
        self._keeper = keeper
        self._outside = outside
        self._intake = intake
        self._left = left

    async def all_of(self, issuer: Issuer) -> Sequence[Account]:
        """Those that could be taken in. Raises INVALID where none could, and as `tried` and `take_in`."""
        found = await self._left(issuer)
        await self._keeper.refresh()  # what could not be kept must not be asked for
        await asyncio.to_thread(self._outside.seal.ready)
        taken: dict[str, Account] = {}
        dead: list[GatewayError] = []
        for one in found:
            try:
                account = await self._taken_in(issuer, one)
            except GatewayError as error:
                if error.kind is not Kind.CREDENTIAL_REVOKED:
                    raise
                dead.append(error)
            else:
                taken[account.id] = account
        if not taken:
            where = found[0].source.partition(",")[0]
            raise GatewayError(
                Kind.INVALID, f"what {where} holds is of no use any more: sign in to {issuer.title} anew"
            ) from dead[0]
        return tuple(taken.values())

    async def _taken_in(self, issuer: Issuer, found: Found) -> Account:
        ends = found.tokens.expires_at or 0.0
        known = self._known(issuer, told_by(issuer, found.tokens))
        if known is not None and known.state is not AccountState.REVOKED and (known.expires_at or 0.0) >= ends:
            return known
        now = self._outside.clock.time()
        lasts = found.tokens.access is not None and ends > now + LASTING
        tokens = found.tokens if lasts else await tried(self._outside, issuer, found.tokens)
        return await self._intake.take_in(issuer, tokens, found.source)

    def _known(self, issuer: Issuer, told: Told) -> Account | None:
        wanted = (issuer.name, told.subject, told.email)
        everybody = self._keeper.roster.all()
        return next((one for one in everybody if (one.issuer, one.subject, one.email) == wanted), None)
