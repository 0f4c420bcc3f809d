"""The sign-ins of all workers, as if they were this one's own: whichever a client comes back to, ends them.

Each stays with the worker that began it, and so do its verifier or device code. The others know how far it is, and hand
on what was pasted. The hub tells a worker that is started later.
"""

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from isthmus.accounts.signing_in import SignIns
from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.accounts import Account, SignIn, SignInProgress
from isthmus.providers.issuer import Issuer, SignInFlow
from isthmus.wire import json
from isthmus.workers.hub import NEWS_OF_SIGN_INS, SIGN_INS
from isthmus.workers.link import Link

PATIENCE = 60.0
"""Seconds in which another worker has exchanged a code, or has not."""
HEARD = 1.0
"""Seconds that a sign-in waits until others have heard of it, and a new worker for those that there are."""
ASKED, ANSWERED = "sign-in asked", "sign-in answered"
FINISH, CANCEL, STOP = "finish", "cancel", "stop"
_GONE = "the worker that began this sign-in does not answer: begin it again"

_read = json.decoder(SignIn)


class SignInsOfWorkers:
    """Ends this worker's `own` when it is closed. `find` is the account with this id, as the store has it now."""

    def __init__(self, link: Link, own: SignIns, find: Callable[[str], Awaitable[Account]]) -> None:
        self._link = link
        self._own = own
        self._find = find
        self._others: OrderedDict[str, SignIn] = OrderedDict()
        self._waiting: dict[str, asyncio.Future[Sequence[Any]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        own.tell = self._tell
        link.hears |= {NEWS_OF_SIGN_INS: self._hear, ASKED: self._hear_asked, ANSWERED: self._hear_answer}

    async def catch_up(self) -> None:
        """Know those that others began before this worker was started, as far as the hub answers."""
        for told in await self._link.ask("sign-ins", budget=HEARD) or ():
            sign_in = _read(told)
            self._others.setdefault(sign_in.id, sign_in)

    async def begin(self, issuer: Issuer, flow: SignInFlow | None = None, *, port: int | None = None) -> SignIn:
        """All workers have heard of it when this returns, as far as the hub answers."""
        begun = await self._own.begin(issuer, flow, port=port)
        await self._link.ask("sign-in", begun.id, json.encode(begun), budget=HEARD)
        return begun

    def sign_in(self, identity: str) -> SignIn:
        """Raises UNKNOWN_PATH for one that no worker has begun."""
        return self._others.get(identity) or self._own.sign_in(identity)

    async def finish(self, identity: str, said: str) -> Account:
        """Raises as that of `SignIns`, and TIMED_OUT where the worker that began it is gone."""
        if identity not in self._others:
            return await self._own.finish(identity, said)
        ended = await self._ask(FINISH, identity, said)
        return await self._find(ended.account)

    async def cancel(self, identity: str) -> SignIn:
        """Raises as `finish`."""
        return await (self._ask(CANCEL, identity) if identity in self._others else self._own.cancel(identity))

    async def stop_listening(self) -> int:
        """How many were stopped here, and how many others had."""
        waiting = [
            one
            for one in self._others.values()
            if one.progress is SignInProgress.PENDING and one.flow is SignInFlow.CODE
        ]
        self._link.tell_others(ASKED, ["", STOP, "", ""])
        return await self._own.stop_listening() + len(waiting)

    async def aclose(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._own.aclose()

    async def _ask(self, what: str, identity: str, said: str = "") -> SignIn:
        """Have the worker that began it do this. How it is then."""
        number = secrets.token_hex(8)
        waiting = self._waiting[number] = asyncio.get_running_loop().create_future()
        self._link.tell_others(ASKED, [number, what, identity, said])
        try:
            async with asyncio.timeout(PATIENCE):
                kind, told, wait = await waiting
        except TimeoutError as error:
            raise GatewayError(Kind.TIMED_OUT, _GONE) from error
        finally:
            del self._waiting[number]
        if kind:
            raise GatewayError(Kind(kind), told, retry_after=wait)
        return _read(told)

    def _tell(self, sign_in: SignIn) -> None:
        self._link.tell("sign-in", sign_in.id, json.encode(sign_in))

    def _hear(self, told: bytes) -> None:
        sign_in = _read(told)
        self._others[sign_in.id] = sign_in
        while len(self._others) > SIGN_INS:
            self._others.popitem(last=False)

    def _hear_asked(self, asked: Sequence[str]) -> None:
        number, what, identity, said = asked
        task = asyncio.get_running_loop().create_task(self._answer(number, what, identity, said))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _hear_answer(self, answer: Sequence[Any]) -> None:
        number, *found = answer
        if (waiting := self._waiting.get(number)) is not None and not waiting.done():
            waiting.set_result(found)

    async def _answer(self, number: str, what: str, identity: str, said: str) -> None:
        if what == STOP:
            await self._own.stop_listening()
            return
        if not self._is_own(identity):
            return
        try:
            if what == FINISH:
                await self._own.finish(identity, said)
            else:
                await self._own.cancel(identity)
            found: Sequence[object] = ["", json.encode(self._own.sign_in(identity)), None]
        except GatewayError as error:
            found = [error.kind.value, error.message, error.retry_after]
        self._link.tell_others(ANSWERED, [number, *found])

    def _is_own(self, identity: str) -> bool:
        try:
            self._own.sign_in(identity)
        except GatewayError:
            return False
        return True
