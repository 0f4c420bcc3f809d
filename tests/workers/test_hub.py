"""What workers must agree on: limits, memory, the model. Their end of the hub behaves as if it were their own."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from fakes.clock import FakeClock
from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.logs import LEVELS
from isthmus.routing.limits import Claim, Grant, Limit, Measure, Refusal
from isthmus.state.memory import BoundedMemory
from isthmus.state.seen import FRESH
from isthmus.telemetry.ring import Ring
from isthmus.workers.frames import Frames, TooLong, frame
from isthmus.workers.hub import ANSWERS, Hub
from isthmus.workers.link import HubLimiter, HubMemory, HubModel, Link, open_link
from isthmus.workers.logs import LogOfWorkers

RUNNING = Limit("provider:one", Measure.RUNNING, 2)
TOKENS = Limit("key:one/a", Measure.TOKENS, 100, 60, 12)


class Quiet(Ring):
    """A ring with a level of its own, as that of another process has."""

    _level = "info"

    @property
    def level(self) -> str:
        return self._level

    @level.setter
    def level(self, level: str) -> None:
        if level not in LEVELS:
            raise GatewayError(Kind.INVALID, "no level")
        self._level = level


class FakeModel:
    def __init__(self) -> None:
        self.users = 0
        self.error: GatewayError | None = None

    def enter(self) -> None:
        self.users += 1

    def leave(self) -> None:
        self.users -= 1

    async def port(self) -> int:
        if self.error is not None:
            raise self.error
        return 4711

    async def lost(self, port: int, within: float = 1.0) -> bool:
        return port != 4711


class Team:
    """A hub and two workers' ends of it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "hub"
        self.clock = FakeClock()
        self.model = FakeModel()
        self.hub = Hub(BoundedMemory(self.clock.now), self.model, self.clock)
        self.gone: list[str] = []
        self.links: list[Link] = []

    def limiter(self, worker: int) -> HubLimiter:
        return HubLimiter(self.links[worker], self.clock)

    async def heard(self) -> None:
        """All that both workers told has been heard."""
        for link in self.links:
            await link.ask("get", "nothing")


@pytest.fixture
async def team(tmp_path: Path) -> AsyncIterator[Team]:
    team = Team(tmp_path)
    async with AsyncExitStack() as opened:
        await opened.enter_async_context(team.hub.open(team.path))
        for name in ("first", "second"):
            link = await opened.enter_async_context(open_link(team.path, lambda name=name: team.gone.append(name)))
            team.links.append(link)
        yield team


def granted(found: Grant | Refusal) -> Grant:
    assert isinstance(found, Grant)
    return found


async def test_what_one_worker_claims_another_cannot(team: Team) -> None:
    first, second = team.limiter(0), team.limiter(1)
    granted(await first.claim([Claim(RUNNING, 1), Claim(TOKENS, 60)]))
    refused = await second.claim([Claim(RUNNING, 1), Claim(TOKENS, 60)])
    assert isinstance(refused, Refusal)
    assert refused.limit == TOKENS
    assert 60 <= refused.wait <= 65
    granted(await second.claim([Claim(RUNNING, 1), Claim(TOKENS, 40)]))
    assert await first.claim([Claim(RUNNING, 1)]) == Refusal(RUNNING, 0.0)


async def test_what_was_settled_with_less_is_free_for_all(team: Team) -> None:
    first, second = team.limiter(0), team.limiter(1)
    grant = granted(await first.claim([Claim(RUNNING, 1), Claim(TOKENS, 100)]))
    first.settle(grant, {Measure.TOKENS: 30})
    await team.heard()
    granted(await second.claim([Claim(TOKENS, 70)]))
    assert first.share(TOKENS) == pytest.approx(0.3)


async def test_a_worker_that_asked_knows_what_the_others_use(team: Team) -> None:
    first, second = team.limiter(0), team.limiter(1)
    granted(await first.claim([Claim(TOKENS, 60)]))
    granted(await second.claim([Claim(TOKENS, 10)]))
    assert second.share(TOKENS) == pytest.approx(0.7)


async def test_what_the_hub_granted_too_late_is_settled_there_all_the_same(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = team.limiter(0), team.limiter(1)
    ask = team.links[0].ask

    async def late(what: str, *about: object) -> None:
        await ask(what, *about)

    monkeypatch.setattr(team.links[0], "ask", late)
    grant = granted(await first.claim([Claim(RUNNING, 1), Claim(TOKENS, 100)]))
    assert isinstance(await second.claim([Claim(TOKENS, 1)]), Refusal)
    first.settle(grant, {Measure.TOKENS: 30})
    await team.links[1].ask("get", "nothing")
    monkeypatch.undo()
    await team.heard()
    granted(await second.claim([Claim(TOKENS, 70), Claim(RUNNING, 1)]))
    granted(await second.claim([Claim(RUNNING, 1)]))


async def test_a_request_that_is_given_up_while_it_claims_gives_back_what_it_is_granted(team: Team) -> None:
    first, second = team.limiter(0), team.limiter(1)
    claiming = asyncio.create_task(first.claim([Claim(RUNNING, 1), Claim(TOKENS, 100)]))
    await asyncio.sleep(0)
    claiming.cancel()
    with pytest.raises(asyncio.CancelledError):
        await claiming
    await team.heard()
    granted(await second.claim([Claim(RUNNING, 1), Claim(TOKENS, 100)]))
    granted(await second.claim([Claim(RUNNING, 1)]))


async def test_what_a_worker_granted_itself_takes_nothing_from_what_others_have_used(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = team.limiter(0), team.limiter(1)
    granted(await second.claim([Claim(TOKENS, 60)]))

    async def never(what: str, *about: object) -> None:
        return None

    monkeypatch.setattr(team.links[0], "ask", never)
    grant = granted(await first.claim([Claim(TOKENS, 100)]))
    monkeypatch.undo()
    first.settle(grant, {Measure.TOKENS: 0})
    await team.heard()
    assert isinstance(await second.claim([Claim(TOKENS, 50)]), Refusal)


async def test_what_a_worker_granted_itself_counts_for_all(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = team.limiter(0), team.limiter(1)

    async def never(what: str, *about: object) -> None:
        return None

    monkeypatch.setattr(team.links[0], "ask", never)
    grants = [granted(await first.claim([Claim(RUNNING, 1), Claim(TOKENS, 50)])) for _ in range(2)]
    monkeypatch.undo()
    await team.heard()
    assert isinstance(await second.claim([Claim(TOKENS, 1)]), Refusal)
    assert isinstance(await second.claim([Claim(RUNNING, 1)]), Refusal)
    first.settle(grants[0], {Measure.TOKENS: 10})
    await team.heard()
    granted(await second.claim([Claim(TOKENS, 40), Claim(RUNNING, 1)]))
    assert first.alone == 2


async def test_while_the_hub_is_slow_a_worker_goes_by_what_it_was_told_last(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = team.limiter(0), team.limiter(1)
    granted(await second.claim([Claim(TOKENS, 60)]))
    granted(await first.claim([Claim(TOKENS, 10)]))

    async def never(what: str, *about: object) -> None:
        return None

    monkeypatch.setattr(team.links[0], "ask", never)
    assert isinstance(await first.claim([Claim(TOKENS, 31)]), Refusal)
    granted(await first.claim([Claim(TOKENS, 30)]))
    team.clock.move(FRESH)
    granted(await first.claim([Claim(TOKENS, 31)]))


async def test_what_a_worker_was_running_ends_with_it(team: Team) -> None:
    first, second = team.limiter(0), team.limiter(1)
    for _ in range(2):
        granted(await first.claim([Claim(RUNNING, 1)]))
    team.links[0].close()
    async with asyncio.timeout(5):
        while len(team.hub.guests) > 1:
            await asyncio.sleep(0)
    granted(await second.claim([Claim(RUNNING, 1)]))


async def test_what_one_worker_keeps_another_finds(team: Team) -> None:
    first, second = HubMemory(team.links[0], team.clock), HubMemory(team.links[1], team.clock)
    await first.put(("a", "b"), b"kept")
    await team.heard()
    assert await second.get(("a", "b", "c")) == {"a": b"kept", "b": b"kept"}
    await second.forget(("a",))
    await team.heard()
    assert await first.get(("a",)) == {}


async def test_what_one_worker_tells_all_others_hear(team: Team) -> None:
    heard: list[object] = []
    team.links[0].hears["weather"] = heard.append
    team.links[1].hears["weather"] = heard.append
    team.links[0].tell_others("weather", ["rain", 7])
    team.links[0].tell_others("nobody's subject", None)
    await team.heard()
    assert heard == [["rain", 7]]


async def test_how_much_one_workers_log_tells_is_what_all_tell(team: Team) -> None:
    rings = [Quiet(), Quiet()]
    first, _ = (LogOfWorkers(link, ring) for link, ring in zip(team.links, rings, strict=False))
    first.level = "debug"
    await team.heard()
    assert [ring.level for ring in rings] == ["debug", "debug"]


async def test_a_level_that_there_is_not_is_told_to_nobody(team: Team) -> None:
    rings = [Quiet(), Quiet()]
    first, _ = (LogOfWorkers(link, ring) for link, ring in zip(team.links, rings, strict=False))
    with pytest.raises(GatewayError):
        first.level = "loud"
    await team.heard()
    assert [ring.level for ring in rings] == ["info", "info"]


async def test_the_model_is_in_use_until_the_last_worker_has_left_it(team: Team) -> None:
    first, second = HubModel(team.links[0]), HubModel(team.links[1])
    first.enter()
    second.enter()
    assert await first.port() == 4711
    assert (await first.lost(4711), await first.lost(4712)) == (False, True)
    assert team.model.users == 2
    first.leave()
    team.links[1].close()
    await team.links[0].ask("get", "nothing")
    async with asyncio.timeout(5):
        while team.model.users:
            await asyncio.sleep(0)


async def test_a_model_that_cannot_be_started_says_so_to_the_worker(team: Team) -> None:
    team.model.error = GatewayError(Kind.UNREACHABLE, "the bundled model is not installed")
    with pytest.raises(GatewayError, match="not installed") as caught:
        await HubModel(team.links[0]).port()
    assert caught.value.kind is Kind.UNREACHABLE


async def test_a_worker_goes_on_by_itself_when_the_hub_is_gone_and_is_told(team: Team) -> None:
    limiter, memory = team.limiter(0), HubMemory(team.links[0], team.clock)
    await memory.put(("a",), b"kept")
    for guest in tuple(team.hub.guests):
        guest.close()
    async with asyncio.timeout(5):
        while len(team.gone) < 2:
            await asyncio.sleep(0)
    assert sorted(team.gone) == ["first", "second"]
    granted(await limiter.claim([Claim(TOKENS, 100)]))
    assert isinstance(await limiter.claim([Claim(TOKENS, 1)]), Refusal)
    assert await memory.get(("a",)) == {"a": b"kept"}


async def test_no_request_waits_for_a_hub_that_does_not_answer(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: object) -> object:
        await asyncio.Event().wait()
        return None

    monkeypatch.setitem(ANSWERS, "claim", never)
    async with asyncio.timeout(5):
        granted(await team.limiter(0).claim([Claim(TOKENS, 100)]))


@pytest.mark.parametrize("step", [1, 2, 3, 5, 7, 1000])
def test_messages_may_come_in_any_pieces(step: int) -> None:
    messages: Sequence[object] = [[1, "claim", ["a", b"b"]], [0, "put", []], [2, "x" * 300, None]]
    data = b"".join(map(frame, messages))
    frames = Frames()
    assert [one for at in range(0, len(data), step) for one in frames.feed(data[at : at + step])] == messages


def test_a_message_longer_than_any_that_is_meant_is_refused() -> None:
    with pytest.raises(TooLong):
        list(Frames().feed(b"\xff\xff\xff\xff"))
