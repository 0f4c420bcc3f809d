"""What a provider asked of one instance is known to all, and so is that it is over."""

from collections.abc import AsyncIterator, Mapping

import pytest

from fakes.clock import FakeClock
from fakes.redis_server import RedisServer
from isthmus.core.errors import RULES, Kind
from isthmus.routing.health import Health, Place, State
from isthmus.state.shared_post import SharedPost
from isthmus.state.shared_rests import News, SharedRests, unpack
from isthmus.state.shared_server import SharedServer, open_server

HERE = Place("openai", "first", "gpt-5")
KEYS: Mapping[Place, str] = {HERE.account: "0123456789abcdef"}


class Wire:
    """Two posts: what one tells, the other hears. It can be cut."""

    def __init__(self) -> None:
        self.letters: list[list[News]] = [[], []]

    def post(self, mine: int) -> "WirePost":
        return WirePost(self, mine)


class WirePost:
    """Implements Post."""

    def __init__(self, wire: Wire, mine: int) -> None:
        self._wire = wire
        self._mine = mine

    async def exchange(self, news: News) -> News:
        self._wire.letters[1 - self._mine].append(news)
        heard = self._wire.letters[self._mine]
        self._wire.letters[self._mine] = []
        return News(tuple(row for one in heard for row in one.begun), tuple(row for one in heard for row in one.over))


class Instance:
    """One of several gateways. Its monotonic seconds are its own."""

    def __init__(self, post: WirePost | SharedPost, clock: FakeClock, keys: Mapping[Place, str] = KEYS) -> None:
        self.clock = clock
        self.health = Health()
        self.rests = SharedRests(post, self.health, clock, lambda: keys)

    def fail(self, kind: Kind, hint: float | None = None, since: float | None = None) -> None:
        self.health.failed(HERE, kind, RULES[kind].rest, self.clock.now(), hint=hint, since=since)

    @property
    def state(self) -> State:
        return self.health.state(HERE, self.clock.now())

    @property
    def left(self) -> float:
        return self.health.rests_until(HERE, self.clock.now()) - self.clock.now()


async def rounds(*instances: Instance) -> None:
    """Long enough that everybody has told and heard everything."""
    for _ in range(3):
        for one in instances:
            await one.rests.round()


class Pair:
    """Two instances whose clocks move together."""

    def __init__(self, first: Instance, second: Instance) -> None:
        self.first = first
        self.second = second

    async def settle(self) -> None:
        await rounds(self.first, self.second)

    def move(self, seconds: float) -> None:
        self.first.clock.move(seconds)
        self.second.clock.move(seconds)


@pytest.fixture
def wired() -> Pair:
    wire = Wire()
    return Pair(Instance(wire.post(0), FakeClock()), Instance(wire.post(1), FakeClock(now=7.0)))


@pytest.fixture
async def served(server: RedisServer) -> AsyncIterator[Pair]:
    clocks = FakeClock(), FakeClock(now=7.0)
    async with (
        open_server(server.url, clocks[0], budget=10) as one,
        open_server(server.url, clocks[1], budget=10) as two,
    ):
        yield Pair(*(Instance(post_of(shared, clock), clock) for shared, clock in zip((one, two), clocks, strict=True)))


def post_of(shared: SharedServer, clock: FakeClock) -> SharedPost:
    return SharedPost(shared, clock, prefix="t")


@pytest.fixture(params=["wired", "served"])
def pair(request: pytest.FixtureRequest) -> Pair:
    found: Pair = request.getfixturevalue(request.param)
    return found


async def test_a_rest_that_the_provider_named_is_known_to_all(pair: Pair) -> None:
    pair.first.fail(Kind.UPSTREAM_LIMITED, 60.0)
    pair.move(5.0)
    await pair.settle()
    assert pair.second.left == pytest.approx(55.0, abs=0.2)
    assert pair.second.health.hinted(HERE)


@pytest.mark.parametrize("kind", [Kind.OVERLOADED, Kind.UNREACHABLE, Kind.TIMED_OUT])
async def test_what_one_found_out_by_failing_stays_its_own(pair: Pair, kind: Kind) -> None:
    pair.first.fail(kind)
    await pair.settle()
    assert pair.second.state is State.READY


async def test_an_answer_that_one_of_them_had_ends_the_rest_for_all(pair: Pair) -> None:
    pair.first.fail(Kind.QUOTA_SPENT, 3600.0)
    await pair.settle()
    pair.second.health.begin(HERE, pair.second.clock.now())
    pair.second.health.answered(HERE, pair.second.clock.now())
    await pair.settle()
    assert pair.first.state is State.READY


async def test_a_rest_that_an_administrator_ended_stays_ended(pair: Pair) -> None:
    pair.first.fail(Kind.QUOTA_SPENT, 3600.0)
    await pair.settle()
    pair.first.health.clear()
    await pair.settle()
    await pair.settle()
    assert [pair.first.state, pair.second.state] == [State.READY, State.READY]


async def test_a_later_word_to_any_of_them_holds_for_all(pair: Pair) -> None:
    pair.first.fail(Kind.UPSTREAM_LIMITED, 60.0)
    await pair.settle()
    pair.move(1.0)
    pair.second.fail(Kind.UPSTREAM_LIMITED, 600.0)
    await pair.settle()
    assert pair.first.left == pytest.approx(600.0, abs=0.2)


async def test_a_new_failure_outlives_the_news_that_an_older_one_is_over(pair: Pair) -> None:
    pair.first.fail(Kind.UPSTREAM_LIMITED, 60.0)
    await pair.settle()
    pair.first.health.clear()
    pair.move(2.0)
    pair.second.fail(Kind.UPSTREAM_LIMITED, 300.0)
    await pair.settle()
    assert pair.second.left == pytest.approx(300.0, abs=0.2)


async def test_a_rest_ends_for_all_when_its_time_is_over(pair: Pair) -> None:
    pair.first.fail(Kind.UPSTREAM_LIMITED, 10.0)
    await pair.settle()
    pair.move(11.0)
    await pair.settle()
    assert [one.state for one in (pair.first, pair.second)] == [State.TRIAL, State.TRIAL]


async def test_another_key_of_the_same_name_is_not_concerned() -> None:
    wire = Wire()
    first, second = Instance(wire.post(0), FakeClock()), Instance(wire.post(1), FakeClock(), {HERE.account: "other"})
    first.fail(Kind.QUOTA_SPENT, 3600.0)
    await rounds(first, second)
    assert second.state is State.READY


async def test_a_newcomer_hears_what_was_told_before(server: RedisServer) -> None:
    clock = FakeClock()
    async with open_server(server.url, clock, budget=10) as shared:
        first = Instance(post_of(shared, clock), clock)
        first.fail(Kind.QUOTA_SPENT, 3600.0)
        await rounds(first)
        newcomer = Instance(post_of(shared, clock), clock)
        await rounds(newcomer)
        assert newcomer.state is State.RESTING


async def test_what_could_not_be_told_is_told_when_the_server_is_back(server: RedisServer) -> None:
    clock = FakeClock()
    async with open_server(server.url, clock, budget=10) as shared:
        first, second = Instance(post_of(shared, clock), clock), Instance(post_of(shared, clock), clock)
        server.stop()
        first.fail(Kind.QUOTA_SPENT, 3600.0)
        await rounds(first, second)
        assert (first.state, second.state) == (State.RESTING, State.READY)
        server.start()
        for _ in range(5):
            clock.move(1.0)
            await rounds(first, second)
        assert second.state is State.RESTING


@pytest.mark.parametrize("value", [b"", b"{}", b"[]", b'{"provider":1}', b"\xff"])
def test_a_row_of_another_form_is_passed_over(value: bytes) -> None:
    assert unpack(value) is None
