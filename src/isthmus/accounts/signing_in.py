"""Sign-ins that are under way: begun here, waited for, and ended by a browser, by what was pasted, or by time.

Verifiers and device codes stay here. What somebody brought is compared in constant time with what they were sent away
with; whoever brings anything else changes nothing. Tokens that were given out and could not be kept are kept at the
next try, since no issuer gives them out for the same code again.
"""

import asyncio
import hmac
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeAlias

from msgspec.structs import replace

from isthmus.accounts.callback import Callbacks, Outcome
from isthmus.accounts.code import Returned, authorize_url_of, new_state, read_pasted, read_query, redirect_uri_of
from isthmus.accounts.device import INTERVALS, MAY_PASS, SLOW_DOWN, SLOWER, DeviceCode, device_code_of, polled
from isthmus.accounts.endpoint import Ask, shown
from isthmus.accounts.grants import exchanged
from isthmus.accounts.pkce import new_verifier
from isthmus.core.errors import Blame, GatewayError, Kind
from isthmus.core.secret import Secret
from isthmus.engine.accounts import Account, SignIn, SignInProgress, Tokens
from isthmus.engine.ports import Clock
from isthmus.providers.issuer import Issuer, SignInFlow

LASTS = 300.0
"""Seconds in which a browser must be back."""
MOST = 20
"""Sign-ins under way at a time."""
REMEMBERED = 600.0
"""Seconds for which it is told how one ended."""
ENDED = 100
"""Sign-ins that have ended and are remembered."""
SOURCE = "signed in"

_PENDING = SignInProgress.PENDING
_MAY_PASS = MAY_PASS | {Kind.STORE_GONE}

log = logging.getLogger(__name__)

Keep: TypeAlias = Callable[[Issuer, Tokens, str], Awaitable[Account]]
"""Keeps an account: who gave its tokens, the tokens, and, for people, where they come from."""
Sleep: TypeAlias = Callable[[float], Awaitable[None]]


class Pending:
    """One sign-in and its secrets. `ends` is of the monotonic clock."""

    __slots__ = (
        "device",
        "ended_at",
        "ending",
        "ends",
        "issuer",
        "redirect_uri",
        "tokens",
        "told",
        "verifier",
        "watch",
    )

    def __init__(self, issuer: Issuer, told: SignIn, ends: float) -> None:
        self.issuer = issuer
        self.told = told
        self.ends = ends
        self.ended_at: float | None = None
        self.verifier = Secret("")
        self.redirect_uri = ""
        self.device: DeviceCode | None = None
        self.tokens: Tokens | None = None
        self.ending: asyncio.Task[Account] | None = None
        self.watch: asyncio.Task[None] | None = None


class SignIns:
    """Belongs to whoever calls `aclose`. `tell` is called with each that has ended, where somebody else must know."""

    def __init__(self, ask: Ask, keep: Keep, clock: Clock, *, sleep: Sleep = asyncio.sleep) -> None:
        self.tell: Callable[[SignIn], None] | None = None
        self._ask = ask
        self._keep = keep
        self._clock = clock
        self._sleep = sleep
        self._known: dict[str, Pending] = {}
        self._beginning = 0
        self._callbacks = Callbacks(self._came_back)

    async def begin(self, issuer: Issuer, flow: SignInFlow | None = None, *, port: int | None = None) -> SignIn:
        """Raises INVALID for a flow that the issuer has not, or no port; RATE_LIMITED where too many are under way.

        For a device code, raises also as the transport does.
        """
        chosen = _chosen(issuer, flow)
        self._check_room()
        self._beginning += 1
        try:
            if chosen is SignInFlow.DEVICE:
                return await self._begin_device(issuer)
            return await self._begin_code(issuer, port)
        finally:
            self._beginning -= 1

    def sign_in(self, identity: str) -> SignIn:
        """How far it is. Raises UNKNOWN_PATH for one that is not known, or not any more."""
        return self._pending(identity).told

    async def finish(self, identity: str, said: str) -> Account:
        """End one with what was pasted. Raises INVALID, and as `exchanged`; after what may pass it can be tried again.

        Whoever finishes one that has ended well is given the same account.
        """
        return await self._finish(self._pending(identity), read_pasted(said))

    async def arrived(self, query: str) -> Account:
        """End whichever sign-in the query of a browser that came back belongs to. Raises as `finish`."""
        returned = read_query(query)
        found = [one for one in self._known.values() if _same(returned.state, one.told.id)]
        if not found:
            raise GatewayError(Kind.INVALID, "no sign-in is under way that this belongs to: begin it again")
        return await self._finish(found[0], returned)

    async def cancel(self, identity: str) -> SignIn:
        pending = self._pending(identity)
        self._end(pending, SignInProgress.CANCELLED)
        return pending.told

    async def stop_listening(self) -> int:
        """Cancel every one that waits for a browser. How many those were."""
        waiting = [one for one in self._known.values() if one.told.progress is _PENDING and one.device is None]
        for pending in waiting:
            self._end(pending, SignInProgress.CANCELLED)
        return len(waiting)

    async def aclose(self) -> None:
        """Everything under way ends; nobody is told."""
        tasks = [task for one in self._known.values() for task in (one.watch, one.ending) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._callbacks.aclose()

    async def _begin_code(self, issuer: Issuer, port: int | None) -> SignIn:
        if port is not None and not 0 < port < 65536:
            raise GatewayError(Kind.INVALID, f"{port} is no port that a browser could be sent to")
        state, verifier = new_state(), new_verifier()
        bound = await self._callbacks.listen(state, issuer, port=port)
        redirect_uri = redirect_uri_of(issuer, bound)
        url = authorize_url_of(issuer, state, verifier, redirect_uri)
        pending = self._new(issuer, SignInFlow.CODE, state, LASTS)
        pending.told = replace(pending.told, url=url, port=bound)
        pending.verifier, pending.redirect_uri = verifier, redirect_uri
        pending.watch = asyncio.create_task(self._until_late(pending))
        return pending.told

    async def _begin_device(self, issuer: Issuer) -> SignIn:
        device = await device_code_of(issuer, self._ask)
        pending = self._new(issuer, SignInFlow.DEVICE, new_state(), device.lasts)
        pending.told = replace(pending.told, url=device.url, user_code=device.user_code, interval=device.interval)
        pending.device = device
        pending.watch = asyncio.create_task(self._until_typed(pending, device))
        return pending.told

    def _new(self, issuer: Issuer, flow: SignInFlow, identity: str, lasts: float) -> Pending:
        told = SignIn(id=identity, issuer=issuer.name, flow=flow, expires_at=self._clock.time() + lasts)
        self._known[identity] = pending = Pending(issuer, told, self._clock.now() + lasts)
        log.info("a sign-in at %s has begun", issuer.title)
        return pending

    async def _until_late(self, pending: Pending) -> None:
        await self._sleep(pending.ends - self._clock.now())
        self._end(pending, SignInProgress.EXPIRED, f"nobody came back from {pending.issuer.title} in time")

    async def _until_typed(self, pending: Pending, device: DeviceCode) -> None:
        interval = device.interval
        while self._clock.now() + interval < pending.ends:
            await self._sleep(interval)
            try:
                if await self._typed(pending, device):
                    return
            except GatewayError as error:
                if error.code != SLOW_DOWN and error.kind not in _MAY_PASS:
                    self._end(pending, SignInProgress.FAILED, error.message)
                    return
                interval = min(max(interval + SLOWER, error.retry_after or 0.0), INTERVALS[1])
        await self._sleep(pending.ends - self._clock.now())
        self._end(pending, SignInProgress.EXPIRED, f"the code was not typed at {pending.issuer.title} in time")

    async def _typed(self, pending: Pending, device: DeviceCode) -> bool:
        if pending.tokens is None:
            pending.tokens = await polled(pending.issuer, device, self._ask, self._clock.time())
        if pending.tokens is None:
            return False
        await self._kept(pending, pending.tokens)
        return True

    async def _finish(self, pending: Pending, returned: Returned) -> Account:
        """Once for all who come at the same time."""
        if pending.device is not None:
            raise GatewayError(Kind.INVALID, "this sign-in ends by itself once its code is typed")
        if returned.state and not _same(returned.state, pending.told.id):
            raise GatewayError(Kind.INVALID, "what was pasted belongs to another sign-in")
        if pending.ending is None:
            self._check_pending(pending)
            pending.ending = asyncio.create_task(self._ended(pending, returned))
            pending.ending.add_done_callback(partial(_over, pending))
        return await asyncio.shield(pending.ending)

    async def _ended(self, pending: Pending, returned: Returned) -> Account:
        try:
            return await self._kept(pending, await self._tokens(pending, returned))
        except GatewayError as error:
            if error.kind not in _MAY_PASS:
                self._end(pending, SignInProgress.FAILED, error.message)
            raise

    async def _tokens(self, pending: Pending, returned: Returned) -> Tokens:
        if pending.tokens is not None:
            return pending.tokens
        if returned.code is None:
            raise GatewayError(
                Kind.INVALID, f"{pending.issuer.title} did not sign you in{shown(returned.error)}: begin again"
            )
        given = await exchanged(
            pending.issuer,
            returned.code,
            verifier=pending.verifier,
            redirect_uri=pending.redirect_uri,
            ask=self._ask,
            time=self._clock.time(),
        )
        self._check_pending(pending)
        pending.tokens = given
        return given

    async def _kept(self, pending: Pending, tokens: Tokens) -> Account:
        account = await self._keep(pending.issuer, tokens, SOURCE)
        pending.told = replace(pending.told, account=account.id)
        self._end(pending, SignInProgress.COMPLETED)
        return account

    def _end(self, pending: Pending, progress: SignInProgress, why: str = "") -> None:
        """Its secrets are gone; how it ended is remembered for a while. Nothing happens to one that has ended."""
        if pending.told.progress is not _PENDING:
            return
        pending.told = replace(pending.told, progress=progress, why=why)
        pending.ended_at = self._clock.now()
        pending.verifier, pending.tokens = Secret(""), None
        if self.tell is not None:
            self.tell(pending.told)
        self._callbacks.stop(pending.told.id)
        if pending.watch is not None and pending.watch is not asyncio.current_task():
            pending.watch.cancel()
        log.info("a sign-in at %s is %s%s", pending.issuer.title, progress.value, f": {why}" if why else "")

    def _check_room(self) -> None:
        self._forget()
        ends = [one.ends for one in self._known.values() if one.told.progress is _PENDING]
        if len(ends) + self._beginning >= MOST:
            wait = max(1.0, min(ends, default=0.0) - self._clock.now())
            raise GatewayError(
                Kind.RATE_LIMITED, f"{MOST} sign-ins are under way: end one, or wait until one has", retry_after=wait
            )

    def _check_pending(self, pending: Pending) -> None:
        if pending.told.progress is not _PENDING:
            why = f": {pending.told.why}" if pending.told.why else ""
            raise GatewayError(Kind.INVALID, f"this sign-in is {pending.told.progress.value}{why}; begin another")

    def _pending(self, identity: str) -> Pending:
        self._forget()
        pending = self._known.get(identity)
        if pending is None:
            raise GatewayError(Kind.UNKNOWN_PATH, "there is no such sign-in, or it ended a while ago")
        return pending

    def _forget(self) -> None:
        """Those that ended long ago, and those that ended first where there are many."""
        ended = {key: one.ended_at for key, one in self._known.items() if one.ended_at is not None}
        late = self._clock.now() - REMEMBERED
        oldest = sorted(ended, key=lambda key: ended[key])[: max(0, len(ended) - ENDED)]
        for key in {*oldest, *(key for key, at in ended.items() if at < late)}:
            del self._known[key]

    async def _came_back(self, query: str) -> Outcome:
        """What the page says to whoever came back."""
        try:
            account = await self.arrived(query)
        except GatewayError as error:
            again = " Load this page again to try once more." if error.kind in _MAY_PASS else ""
            status = 400 if error.rule.blame is Blame.CLIENT else 502
            return Outcome(status, "Not signed in", f"{error.message}.{again}")
        return Outcome(200, "Signed in", f"Signed in as {account.name}. You can close this page.")


def _chosen(issuer: Issuer, flow: SignInFlow | None) -> SignInFlow:
    """The flow to begin: the first that can be, where none is said. Raises INVALID."""
    can = [one for one in issuer.flows if one in (SignInFlow.CODE, SignInFlow.DEVICE)]
    if flow is None and can:
        return can[0]
    if flow in can:
        return flow
    others = ", ".join(one.value for one in issuer.flows if one is not flow) or "none"
    what = "is no sign-in that can be begun" if flow is None else f"cannot be signed in to by {flow.value}"
    raise GatewayError(Kind.INVALID, f"{issuer.title} {what}; its flows are {others}")


def _over(pending: Pending, task: "asyncio.Task[Account]") -> None:
    """What may pass can be tried again. Whoever waited for it has heard of its error, or has left."""
    if not task.cancelled():
        task.exception()
    if pending.told.progress is _PENDING:
        pending.ending = None


def _same(said: str, known: str) -> bool:
    return hmac.compare_digest(said.encode(errors="replace"), known.encode())
