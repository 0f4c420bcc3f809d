"""Tokens that are kept until shortly before their end, and asked for once however many wait for them.

Never reads the clock itself, and asks nobody: callers bring both.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable
from functools import partial
from typing import NamedTuple

from msgspec.structs import replace

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.secret import Secret
from isthmus.core.value import Value
from isthmus.providers.provider import Outgoing
from isthmus.wire.headers import find

EARLY = 300.0
"""Seconds before a token's end from which a new one is asked for, while the old one is still used."""
SPENT = 15.0
"""Seconds before its end from which a token is not used any more: a request takes a while to arrive."""
AGAIN = 20.0
"""Seconds after a failure in which the issuer is not asked again."""
FRESH = 60.0
"""Seconds after it was given out in which a token that is refused is not asked for anew: it would be the same one."""
PATIENCE = 30.0
"""Seconds that an issuer may take, over all that it must be asked."""
MOST = 256
"""Credentials that are remembered; those asked for first are forgotten first."""

log = logging.getLogger(__name__)


class Token(Value, frozen=True):
    """What stands behind `Bearer`. `ends` is Unix seconds; `project` is billed in place of the token's own, if set."""

    secret: Secret
    ends: float
    project: str | None = None

    def sign(self, outgoing: Outgoing) -> Outgoing:
        """The request with this token in place of any other."""
        headers = [pair for pair in outgoing.headers if pair[0] != b"authorization"]
        headers.append((b"authorization", b"Bearer " + self.secret.reveal().encode("latin-1")))
        if self.project is not None and find(outgoing.headers, b"x-goog-user-project") is None:
            headers.append((b"x-goog-user-project", self.project.encode("latin-1")))
        return replace(outgoing, headers=tuple(headers))


Ask = Callable[[], Awaitable[Token]]
"""Asks an issuer. Raises GatewayError."""


class Kept(NamedTuple):
    token: Token
    since: float


class Failure(NamedTuple):
    error: GatewayError
    at: float


class Tokens:
    """The tokens of one process. Belongs to whoever calls `aclose`."""

    def __init__(self, time: Callable[[], float], patience: float = PATIENCE) -> None:
        self._time = time
        self._patience = patience
        self._kept: dict[Hashable, Kept] = {}
        self._failed: dict[Hashable, Failure] = {}
        self._asking: dict[Hashable, asyncio.Task[Token]] = {}

    async def of(self, key: Hashable, ask: Ask) -> Token:
        """A token that is good for a while. Raises what `ask` raises, and TIMED_OUT when it takes too long.

        A caller that is cancelled takes the question from nobody else.
        """
        kept, now = self._kept.get(key), self._time()
        if kept is None or now >= kept.token.ends - SPENT:
            self._check_failed(key, now)
            return await asyncio.shield(self._begin(key, ask))
        if now >= kept.token.ends - EARLY and not self._fails(key, now):
            self._begin(key, ask)
        return kept.token

    def forget(self, key: Hashable) -> None:
        """Whoever the token is for refuses it. The next request asks for another."""
        kept = self._kept.get(key)
        if kept is not None and self._time() >= kept.since + FRESH:
            del self._kept[key]

    async def aclose(self) -> None:
        """Nobody is asked any more."""
        asking = tuple(self._asking.values())
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)

    def _check_failed(self, key: Hashable, now: float) -> None:
        if self._fails(key, now):
            error = self._failed[key].error
            raise GatewayError(error.kind, error.message)

    def _fails(self, key: Hashable, now: float) -> bool:
        failure = self._failed.get(key)
        return failure is not None and now < failure.at + AGAIN

    def _begin(self, key: Hashable, ask: Ask) -> "asyncio.Task[Token]":
        task = self._asking.get(key)
        if task is None:
            task = self._asking[key] = asyncio.create_task(self._in_time(ask))
            task.add_done_callback(partial(self._done, key))
        return task

    async def _in_time(self, ask: Ask) -> Token:
        try:
            async with asyncio.timeout(self._patience):
                return await ask()
        except TimeoutError as error:
            raise GatewayError(Kind.TIMED_OUT, f"no token was given out within {self._patience:g} seconds") from error

    def _done(self, key: Hashable, task: "asyncio.Task[Token]") -> None:
        del self._asking[key]
        if task.cancelled():
            return
        error = task.exception()
        if error is None:
            self._kept[key] = Kept(task.result(), self._time())
            self._failed.pop(key, None)
        elif isinstance(error, GatewayError):
            self._failed[key] = Failure(error, self._time())
            log.warning("no token: %s", error.message)
        for known in (self._kept, self._failed):
            while len(known) > MOST:
                del known[next(iter(known))]
