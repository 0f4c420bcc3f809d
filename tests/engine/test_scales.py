"""What strategies are told of places beside what was measured: what keys have used, and what places cost."""

from decimal import Decimal

from msgspec.structs import replace

from fakes.transport import Scripted
from isthmus.core.facts import ModelFacts, Price, Rates
from isthmus.engine.scales import FRESH, Prices, Shares
from isthmus.engine.snapshot import Snapshot
from isthmus.routing.health import Place
from isthmus.routing.limits import Claim, Grant, Limit, Measure
from isthmus.routing.order import Used
from isthmus.routing.places import Ask, Credential
from isthmus.routing.plan import Route, Strategy, Target, Tier
from isthmus.state.limits import LocalLimiter
from support.line import Line, provider

ASKED = b'{"model":"fast","messages":[{"role":"user","content":"hi"}]}'
ANSWER = (
    b'{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"fast","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"hello"},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}'
)


def at(provider: str, model: str, key: str = "a") -> Ask:
    return Ask(Target(provider, model), key, Place(provider, key, model))


def costing(dollars_in: str | None, dollars_out: str | None) -> Price:
    numbers = (None if one is None else Decimal(one) for one in (dollars_in, dollars_out))
    return Price(rates=Rates(**dict(zip(("input", "output"), numbers, strict=True))))


PRICES = {"dear": costing("3", "15"), "free": costing("0", "0"), "half": costing("3", None)}


def facts(provider: str, model: str, told: ModelFacts | None) -> ModelFacts:
    return told or ModelFacts(price=PRICES.get(model))


SNAPSHOT = Snapshot(providers={}, facts=facts, prices={("one", "own"): costing("1", "1")})


def test_a_price_is_of_a_thousand_tokens_of_input_and_a_thousand_of_output() -> None:
    """3 dollars for a million are 0.003 for a thousand, and 15 are 0.015."""
    assert Prices(SNAPSHOT, {}).of(at("one", "dear")) == 18_000.0


def test_what_costs_nothing_has_a_price_and_what_is_not_known_has_none() -> None:
    prices = Prices(SNAPSHOT, {})
    assert prices.of(at("one", "free")) == 0.0
    assert prices.of(at("one", "half")) is None
    assert prices.of(at("one", "unheard")) is None


def test_a_keys_own_price_holds_for_whatever_it_serves() -> None:
    assert Prices(SNAPSHOT, {}).of(at("one", "dear", "own")) == 2000.0


def test_the_facts_are_told_what_the_provider_told() -> None:
    told = {"one": {"unheard": ModelFacts(price=costing("2", "2"))}}
    assert Prices(SNAPSHOT, told).of(at("one", "unheard")) == 4000.0


def limit(scope: str, measure: Measure, most: int) -> Limit:
    return Limit(scope, measure, most, 0 if measure is Measure.RUNNING else 60, 12)


async def used(limiter: LocalLimiter, **amounts: int) -> None:
    for name, amount in amounts.items():
        measure = Measure(name)
        assert isinstance(await limiter.claim([Claim(limit("key:one/a", measure, 100), amount)]), Grant)


ALLOWED = {
    "key:one/a": tuple(limit("key:one/a", measure, 100) for measure in Measure),
    "provider:one": (limit("provider:one", Measure.REQUESTS, 10),),
}


async def test_shares_are_of_the_limit_that_is_nearest_to_its_end() -> None:
    limiter = LocalLimiter(lambda: 1e9)
    await used(limiter, requests=10, tokens=40, microdollars=20)
    assert Shares(ALLOWED).of(limiter, 0.0, Place("one", "a", "m")) == Used(0.1, 0.4, 0.4)
    await limiter.claim([Claim(limit("provider:one", Measure.REQUESTS, 10), 9)])
    assert Shares(ALLOWED).of(limiter, 0.0, Place("one", "a", "m")) == Used(0.9, 0.4, 0.9)


async def test_a_share_is_remembered_for_a_moment_for_all_models_of_a_key() -> None:
    limiter, shares = LocalLimiter(lambda: 1e9), Shares(ALLOWED)
    assert shares.of(limiter, 5.0, Place("one", "a", "m")).most == 0.0
    await used(limiter, tokens=50)
    assert shares.of(limiter, 5.0 + FRESH / 2, Place("one", "a", "other")).most == 0.0
    assert shares.of(limiter, 5.0 + FRESH, Place("one", "a", "m")).most == 0.5


def pooled(strategy: Strategy, most: int) -> Line:
    """One provider with two keys, of which the first may be asked `most` times in a minute."""
    one = provider("one")
    line = Line([one], {"one": [Scripted(ANSWER) for _ in range(20)]})
    route = Route(tiers=(Tier((Target("one", "m"),), strategy),))
    allowances = {"key:one/a": (limit("key:one/a", Measure.REQUESTS, most),)}
    line.live.swap(
        replace(
            line.live.take().snapshot,
            routes={"fast": route},
            keys={"one": {"a": one, "b": one}},
            credentials={"one": (Credential("a"), Credential("b"))},
            allowances=allowances,
        )
    )
    line.ports.limiter = LocalLimiter(line.clock.time)
    return line


async def test_a_key_is_rotated_away_from_before_it_hits_its_limit() -> None:
    line, keys = pooled(Strategy.FILL_FIRST, most=10), []
    for _ in range(10):
        await line.ask(ASKED)
        assert line.exchange is not None
        keys.append(line.exchange.attempts[-1].credential)
        line.clock.move(0.2)
    assert keys == ["a"] * 8 + ["b"] * 2
    assert line.exchange is not None
    assert len(line.exchange.attempts) == 1
    line.clock.move(66.0)
    await line.ask(ASKED)
    assert line.exchange.attempts[-1].credential == "a"
