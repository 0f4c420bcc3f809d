"""The client keys that the gateway gave out: read from the store in the background, and never on a request's way.

What was read last is taken for the truth for `trust` seconds after the store was last heard. From then on nobody can
tell which keys are still good: only keys that are believed are taken, and for others the store is said to be gone,
never that they are wrong. It is the same before the store was heard for the first time. Where it held no key when it
was heard last, and no other is known, none is asked for.
"""

import asyncio
import hashlib
import logging
import secrets
from collections.abc import Sequence

from msgspec.structs import replace

from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.allowances import limits_of
from isthmus.engine.clients import NOBODY, Client, Roll, clients_of
from isthmus.engine.live import Live
from isthmus.engine.ports import Clock
from isthmus.engine.records import ClientKey, Records
from isthmus.routing.limits import Limit

EVERY = 1.0
"""Seconds between two looks whether any key has changed; so long can what one instance changes be unseen by others."""
BETWEEN = 0.2
"""Seconds between two looks for a key that was shown and is not known."""
TRUST = 300.0
MOST = 100_000
"""Client keys in one store."""
SLICE = 1000
"""Keys that are read before others come in between."""
PACE = 10_000
"""Keys that are read in a second, on average: after a change to many, the next look waits the longer."""
PREFIX = "isk_"

log = logging.getLogger(__name__)


def new_text() -> str:
    """A key, of 256 bits that nobody can guess."""
    return PREFIX + secrets.token_urlsafe(32)


def new_id() -> str:
    return "key_" + secrets.token_hex(8)


def digest_of(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def hint_of(text: str) -> str:
    """By what people tell one key from another."""
    return f"{text[:8]}...{text[-4:]}"


class Keyring:
    """Implements KeyChain. What is taken is handed to `live`, so that a request asks nobody.

    `empty`: it is known that the store holds no key yet, so nothing needs to be heard of it first.
    """

    def __init__(
        self, live: Live, records: Records, clock: Clock, *, trust: float = TRUST, empty: bool = False
    ) -> None:
        self._live = live
        self._records = records
        self._clock = clock
        self._trust = trust
        self._keys: dict[str, ClientKey] = {}
        self._roll = NOBODY
        self._version: int | None = None
        self._heard = clock.now() if empty else None
        self._whole = empty
        self._sought = -BETWEEN
        self._changing = asyncio.Lock()
        self.first = asyncio.Event()
        """Set when the store was heard, or could not be."""
        self._hand_over(Roll(whole=empty, asks=not empty))

    @property
    def state(self) -> str:
        """For people: how much it knows, and whether that can be relied on."""
        if self._heard is None:
            return "not read yet"
        return f"{len(self._keys)} keys" if self._whole else f"{len(self._keys)} keys, read too long ago"

    @property
    def heard(self) -> bool:
        """Is it known which keys there are, or were?"""
        return self._heard is not None

    async def run(self) -> None:
        """Read what has changed, for as long as the gateway runs."""
        while True:
            version = self._version
            await self.look()
            self.first.set()
            read = 0 if version == self._version else len(self._keys)
            await asyncio.sleep(max(EVERY, read / PACE))

    async def look(self) -> None:
        """Read what has changed, if the store can be reached. Where it cannot for too long, fewer keys are taken."""
        try:
            await self.refresh()
        except GatewayError as error:
            if not self.heard and not self.first.is_set():
                log.warning(
                    "client keys cannot be read, so only those of the configuration are taken: %s", error.message
                )
            if self._whole and not self._relied_on():
                log.warning("client keys could not be read for %.0f s; only those believed are taken", self._trust)
                believed = await roll_of([key for key in self._keys.values() if key.believed])
                self._hand_over(replace(believed, whole=False, asks=bool(self._keys)))

    @property
    def count(self) -> int:
        """How many are known."""
        return len(self._keys)

    def all(self) -> Sequence[ClientKey]:
        return tuple(self._keys.values())

    async def add(self, key: ClientKey) -> None:
        """Raises INVALID where there are too many, or another has its name, and STORE_GONE."""
        async with self._changing:
            if len(self._keys) >= MOST:
                raise GatewayError(Kind.INVALID, f"there are {MOST} client keys, which is as many as may be")
            await self._put(key)

    async def change(self, key: ClientKey) -> None:
        """Raises as `add`."""
        async with self._changing:
            await self._put(key)

    async def remove(self, identity: str) -> None:
        """Raises STORE_GONE."""
        async with self._changing:
            await self._records.drop_client_key(identity)
            self._replace(self._keys.pop(identity, None), None)

    async def refresh(self) -> None:
        """Read them again if any was changed. Raises STORE_GONE."""
        async with self._changing:
            version = await self._records.client_keys_version()
            changed = version != self._version
            if changed:
                keys = await self._records.client_keys()
                self._roll = await roll_of(keys)
                self._keys = {key.id: key for key in keys}
                self._version = version
            self._heard = self._clock.now()
            if changed or not self._whole:
                self._hand_over(self._roll)

    async def seek(self, text: str | None) -> bool:
        """Look at once for a key that another instance may just have made. True where any key has changed.

        Those who come while one looks wait for what is found.
        """
        now, version = self._clock.now(), self._version
        if text is None or not text.startswith(PREFIX):
            return False
        if now >= self._sought + BETWEEN:
            self._sought = now
            await self.look()
        elif self._changing.locked():
            async with self._changing:
                pass
        return self._version != version

    async def _put(self, key: ClientKey) -> None:
        await self._records.put_client_key(key)
        before = self._keys.get(key.id)
        self._keys[key.id] = key
        self._replace(before, key)

    def _replace(self, before: ClientKey | None, after: ClientKey | None) -> None:
        """Take one key for another. While others cannot be relied on, that has to wait until they are read."""
        clients, allowances = dict(self._roll.clients), dict(self._roll.allowances)
        if before is not None:
            allowances.pop(_scope(before), None)
            for digest, _ in clients_of(before):
                clients.pop(digest, None)
        if after is not None:
            _enter(after, clients, allowances)
        self._roll = Roll(clients, allowances)
        if self._whole:
            self._hand_over(self._roll)

    def _relied_on(self) -> bool:
        return self._heard is not None and self._clock.now() - self._heard <= self._trust

    def _hand_over(self, roll: Roll) -> None:
        self._whole = roll.whole
        self._live.enroll(roll)


async def roll_of(keys: Sequence[ClientKey]) -> Roll:
    """The clients behind these keys, and what they are limited to. Of many, others come in between."""
    clients: dict[bytes, Client] = {}
    allowances: dict[str, tuple[Limit, ...]] = {}
    for start in range(0, len(keys), SLICE):
        for key in keys[start : start + SLICE]:
            _enter(key, clients, allowances)
        await asyncio.sleep(0)
    return Roll(clients, allowances)


def _enter(key: ClientKey, clients: dict[bytes, Client], allowances: dict[str, tuple[Limit, ...]]) -> None:
    clients.update(clients_of(key, key.id))
    if limits := limits_of(_scope(key), key.allowance):
        allowances[_scope(key)] = limits


def _scope(key: ClientKey) -> str:
    return f"client:{key.name}"
