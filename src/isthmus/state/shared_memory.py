"""A memory that many instances share through Redis or Valkey, behind a bounded memory of this instance's own.

What is found here is not asked for there. While the server is slow or gone, this instance goes on alone. Nothing is
written later that could not be written at the time. Not for decisions that instances must take together: another one
may still know what was forgotten or replaced here.
"""

from collections.abc import Mapping, Sequence

from isthmus.engine.ports import Clock
from isthmus.state.memory import BoundedMemory
from isthmus.state.shared_server import SharedServer

MOST = 1024 * 1024
"""Bytes of a value that is shared; a longer one stays with this instance."""
KEPT_FOR = 24 * 3600
"""Seconds since it was last asked for at the server, after which it forgets a value."""
FORM = 1
"""Of the values: an instance that writes another form, after an upgrade, does not find these."""


class SharedMemory:
    """Implements the engine's Memory. `prefix` begins the names of all that is kept."""

    def __init__(self, server: SharedServer, clock: Clock, *, prefix: str) -> None:
        self._server = server
        self._local = BoundedMemory(clock.now)
        self._prefix = prefix

    @property
    def state(self) -> str:
        """For people: "shared", or since when the server cannot be reached."""
        return self._server.state

    async def put(self, keys: Sequence[str], value: bytes) -> None:
        """Keep `value` under every key, here and there. Never raises."""
        await self._local.put(keys, value)
        if not keys or len(value) > MOST:
            return
        pipe = self._server.redis.pipeline(transaction=False)
        for key in keys:
            pipe.set(self._named(key), value, ex=KEPT_FOR)
        await self._server.ask(pipe.execute)

    async def forget(self, keys: Sequence[str]) -> None:
        """Nothing is found under these keys any more, here and there. Never raises."""
        await self._local.forget(keys)
        if keys:
            pipe = self._server.redis.pipeline(transaction=False)
            pipe.delete(*map(self._named, keys))
            await self._server.ask(pipe.execute)

    async def get(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        """What is kept under these keys, here or there, by key. Never raises."""
        found = await self._local.get(keys)
        missing = [key for key in dict.fromkeys(keys) if key not in found]
        if not missing:
            return found
        pipe = self._server.redis.pipeline(transaction=False)
        for key in missing:
            pipe.getex(self._named(key), ex=KEPT_FOR)
        values = await self._server.ask(pipe.execute) or ()
        fetched = {key: value for key, value in zip(missing, values, strict=False) if isinstance(value, bytes)}
        for key, value in fetched.items():
            await self._local.put((key,), value)
        return {**found, **fetched}

    def may_hold(self, _: str) -> bool:
        """Always: other instances keep what they like."""
        return True

    def _named(self, key: str) -> str:
        return f"{self._prefix}:{FORM}:{key}"
