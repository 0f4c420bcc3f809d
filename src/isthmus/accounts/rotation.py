"""A new key in place of the one that tokens are sealed with, while gateways go on working.

The new key is put first, and the old ones stay until nothing is sealed with them any more. Whoever is stopped at any
step leaves keys that open everything, and doing it again ends it. Tokens that are being refreshed are waited for.
"""

import asyncio
from typing import NamedTuple

from isthmus.accounts.seal_keys import new_key
from isthmus.accounts.sealing import Seal
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.value import Value
from isthmus.engine.accounts import AccountRecords, Sealed
from isthmus.engine.ports import Clock

AT_ONCE = 100
"""Accounts in one transaction."""


class Patience(Value, frozen=True, kw_only=True):
    """In seconds. `pause` is between two looks for accounts that are being refreshed, `most` for all of them.

    `settle` is until the last look: what was sealed with an old key before the new one was there is kept by then.
    """

    pause: float = 1.0
    most: float = 180.0
    settle: float = 2.0


PATIENCE = Patience()


class _Sweep(NamedTuple):
    """How many were sealed anew, how many were not free, and what is wrong with one that no key opens."""

    done: int
    busy: int
    shut: GatewayError | None


async def rotated(records: AccountRecords, seal: Seal, clock: Clock, patience: Patience = PATIENCE) -> int:
    """Seal every account with a new key, where one can be made, else with the first one. How many were.

    Raises as `resealed`, and CREDENTIAL_REJECTED where somebody else does so at the same moment. What was not finished
    has all keys that were there.
    """
    source = seal.source
    if not source.changes:
        return await resealed(records, seal, clock, patience)
    with source.alone():
        new = new_key()
        await asyncio.to_thread(source.put, (new, *await asyncio.to_thread(source.made)))
        many = await resealed(records, seal, clock, patience)
        await asyncio.sleep(patience.settle)
        many += await resealed(records, seal, clock, patience)
        await asyncio.to_thread(source.put, (new,))
    return many


async def resealed(records: AccountRecords, seal: Seal, clock: Clock, patience: Patience = PATIENCE) -> int:
    """Seal every account with the first key. How many were not before.

    Raises CREDENTIAL_REJECTED where there is one that no key opens, when all others are done; TIMED_OUT where some are
    being refreshed for too long.
    """
    many, until = 0, clock.now() + patience.most
    while True:
        sweep = await _swept(records, seal, clock.time())
        many += sweep.done
        if not sweep.busy:
            break
        if clock.now() >= until:
            raise GatewayError(Kind.TIMED_OUT, f"{sweep.busy} accounts are being refreshed for long; do it once more")
        await asyncio.sleep(patience.pause)
    if sweep.shut is not None:
        raise sweep.shut
    return many


async def _swept(records: AccountRecords, seal: Seal, time: float) -> _Sweep:
    key, after = await asyncio.to_thread(seal.ready), ""
    done, busy, shut = 0, 0, None
    while others := await records.sealed_otherwise(key, after, AT_ONCE):
        anew: dict[str, Sealed] = {}
        for identity in others:
            try:
                anew.update(await _anew(records, seal, identity))
            except GatewayError as error:
                if error.kind is not Kind.CREDENTIAL_REJECTED:
                    raise
                shut = shut or error
        kept = await records.reseal(anew, time) if anew else 0
        done, busy, after = done + kept, busy + len(anew) - kept, others[-1]
    return _Sweep(done, busy, shut)


async def _anew(records: AccountRecords, seal: Seal, identity: str) -> dict[str, Sealed]:
    """By the account; of one that has been dropped meanwhile, nothing."""
    sealed = await records.sealed(identity)
    if sealed is None:
        return {}
    return {identity: seal.close(seal.open(sealed, identity), identity, sealed.version + 1)}
