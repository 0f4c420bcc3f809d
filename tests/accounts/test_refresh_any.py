"""Several processes refresh one account, while connections drop, the store goes, and some of them are killed.

As long as its issuer takes a refresh token whose successor nobody used, the account is never lost.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from unittest.mock import patch
from urllib.parse import parse_qsl

from hypothesis import given
from hypothesis import strategies as st

from fakes.account_records import FakeAccountRecords
from fakes.clock import FakeClock
from fakes.strict_issuer import StrictIssuer, row
from fakes.strict_words import Asked, Trouble
from isthmus.accounts.endpoint import Reply
from isthmus.accounts.keeper import Keeper
from isthmus.accounts.refreshing import LEASE, LOOK, MOST_AGAIN, Outside
from isthmus.accounts.seal_keys import SaidKeys
from isthmus.accounts.sealing import Seal
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.secret import Secret
from isthmus.engine.accounts import Account, Sealed, Tokens
from isthmus.providers.provider import Outgoing
from isthmus.wire import json
from support.keeping import KEY

HOUR = 3600.0
PROCESSES = 3
POINTS = ("lease", "sealed", "replace_tokens", "release", "written")
TROUBLES = (
    Trouble(drop="before"),
    Trouble(drop="after"),
    Trouble(status=503),
    Trouble(status=429, retry_after="30"),
)


class Killed(Exception):
    """The process is no more."""


class Mortal(FakeAccountRecords):
    """The store as one process has it, which dies when it comes to `point`: "written" is right after new tokens are."""

    def __init__(self, shared: FakeAccountRecords) -> None:
        super().__init__()
        self.kept, self.tokens, self.leases = shared.kept, shared.tokens, shared.leases
        self._shared = shared
        self.point = ""
        self.dead = False

    async def accounts_version(self) -> int:
        self._reach("accounts_version")
        return self._shared.version

    async def replace_tokens(self, account: Account, sealed: Sealed) -> bool:
        replaced = await super().replace_tokens(account, sealed)
        self._shared.version += 1
        if self.point == "written":
            self.dead = True
            raise Killed
        return replaced

    def _reach(self, name: str) -> None:
        self.dead = self.dead or name == self.point
        if self.dead:
            raise Killed
        self.gone = self._shared.gone
        super()._reach(name)


class World:
    """An issuer, a store, and some processes of one account. Time passes only when a test says so."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.failures: set[Kind] = set()
        self.issuer = StrictIssuer(url="http://127.0.0.1:1", grace=1e9, clock=self.clock.time)
        self.shared = FakeAccountRecords()
        self.seal = Seal(SaidKeys(Secret(KEY), "a test"))
        given = self.issuer.sign_in()
        ends = self.clock.time() + HOUR
        access, refresh = Secret(given["access_token"]), Secret(given["refresh_token"])
        account = Account(id="acc_1", issuer="strict", name="ada", subject="acc-ada", expires_at=ends)
        self.shared.kept["acc_1"] = account
        tokens = Tokens(access=access, refresh=refresh, expires_at=ends)
        self.shared.tokens["acc_1"] = self.seal.close(tokens, "acc_1", 1)
        self.processes = [self.process() for _ in range(PROCESSES)]

    def process(self) -> tuple[Mortal, Keeper]:
        records, known = Mortal(self.shared), {"strict": row(self.issuer)}
        outside = Outside(records, self.seal, self.ask, lambda: known, self.clock, self.pause, lambda: 0.5)
        return records, Keeper(outside)

    async def pause(self, seconds: float) -> None:
        """Whoever waits for another waits no time: the other one works."""
        if seconds != LOOK:
            self.clock.move(seconds)
        await asyncio.sleep(0)

    async def ask(self, outgoing: Outgoing) -> Reply:
        headers = {name.decode(): value.decode() for name, value in outgoing.headers}
        asked = Asked(outgoing.method, outgoing.target, {}, headers, dict(parse_qsl(outgoing.body.decode())))
        trouble = self.issuer.next_trouble(asked)
        await asyncio.sleep(0)
        if trouble.drop == "before":
            raise GatewayError(Kind.CUT_SHORT, "the connection dropped")
        if trouble.status:
            waits = ((b"retry-after", trouble.retry_after.encode()),) if trouble.retry_after else ()
            return Reply(trouble.status, waits, b"")
        answer = self.issuer.answer(asked)
        await asyncio.sleep(0)
        if trouble.drop == "after":
            raise GatewayError(Kind.CUT_SHORT, "the connection dropped")
        return Reply(answer.status, (), json.encode(answer.fields))

    async def use(self, number: int) -> None:
        """A process asks under the account, or cannot, or dies."""
        _, keeper = self.processes[number]
        try:
            await keeper.refresh()
            kept = await keeper.usable("acc_1")
        except GatewayError as error:
            self.failures.add(error.kind)
        except Killed:
            self.failures.add(Kind.STOPPING)
        else:
            assert kept.tokens.access is not None
            assert self.issuer.who(kept.tokens.access.reveal()) is not None

    async def use_all(self, numbers: Iterable[int]) -> None:
        """Several at the same moment. Where any died, others are started, and time passes until its lease is over."""
        await asyncio.gather(*(self.use(number) for number in numbers))
        dead = [number for number, (records, _) in enumerate(self.processes) if records.dead]
        for number in dead:
            self.processes[number] = self.process()
        self.clock.move(LEASE if dead else 0.0)

    async def end(self) -> None:
        """All is well again: every process can ask under the account."""
        self.shared.gone = False
        self.issuer.troubles.clear()
        for records, _ in self.processes:
            records.point = ""
        for _ in range(2):
            self.clock.move(HOUR + MOST_AGAIN + LEASE)
            await self.use_all(range(PROCESSES))
        for _, keeper in self.processes:
            kept = await keeper.usable("acc_1")
            assert kept.tokens.access is not None
            assert self.issuer.who(kept.tokens.access.reveal()) is not None
        assert not any(family.dead for family in self.issuer.families)
        assert Kind.CREDENTIAL_REVOKED not in self.failures


def unwritten(world: World) -> bool:
    """Has any process tokens that exist nowhere else?"""
    return any(keeper.refreshing.unsaved for _, keeper in world.processes)


def dies(number: int, point: str) -> Callable[[World], None]:
    def step(world: World) -> None:
        if not unwritten(world):
            world.processes[number][0].point = point

    return step


def goes(world: World) -> None:
    """The store cannot be reached from here on."""
    if not any(records.point for records, _ in world.processes):
        world.shared.gone = True


def comes(world: World) -> None:
    world.shared.gone = False


def ends(world: World) -> None:
    """The token of the account does."""
    world.clock.move(HOUR)


def troubled(trouble: Trouble) -> Callable[[World], None]:
    return lambda world: world.issuer.troubles.append(trouble)


numbers = st.integers(0, PROCESSES - 1)
steps = st.one_of(
    st.just(ends),
    st.just(goes),
    st.just(comes),
    st.builds(troubled, st.sampled_from(TROUBLES)),
    st.builds(dies, numbers, st.sampled_from(POINTS)),
    st.lists(numbers, min_size=1, max_size=4),
)


async def lived(history: Sequence[Callable[[World], None] | list[int]]) -> None:
    world = World()
    for step in history:
        if isinstance(step, list):
            await world.use_all(set(step))
        else:
            step(world)
    await world.end()


async def at_once(work: Callable[..., object], *said: object) -> object:
    """In place of a thread: nothing here depends on how fast one is."""
    await asyncio.sleep(0)
    return work(*said)


@given(st.lists(steps, max_size=25))
def test_an_account_is_never_lost(history: list[Callable[[World], None] | list[int]]) -> None:
    with patch("asyncio.to_thread", at_once):
        asyncio.run(lived(history))
