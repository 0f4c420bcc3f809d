"""On any board: what is told is what the call then does, and telling it changes nothing."""

import asyncio
from collections.abc import Mapping, Sequence, Set
from typing import Any
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from fakes.transport import Scripted
from isthmus.core.errors import Kind, Rest
from isthmus.engine.snapshot import Limits
from isthmus.routing.board import Board
from isthmus.routing.health import Place
from isthmus.routing.plan import Route, Strategy, Target, Tier
from isthmus.wire import json
from support.explaining import BODY, change, explained, places, pooled
from support.line import Line, provider

PROVIDERS = ("one", "two", "three")
KEYS = ("a", "b")
MISSING = b'{"error":{"message":"no such model","type":"invalid_request_error","code":"model_not_found"}}'
"""A refusal after which the next place is asked, and nobody rests."""

targets = st.sampled_from([Target(name, "m") for name in PROVIDERS])
tiers = st.lists(
    st.builds(Tier, st.lists(targets, min_size=1, max_size=3, unique=True).map(tuple), st.sampled_from(list(Strategy))),
    min_size=1,
    max_size=2,
)


def failures(*rests: Rest) -> st.SearchStrategy[list[Any]]:
    """What may have happened before: who failed, how, how long ago, for how long, and whether somebody finds out."""
    kinds = [kind for kind in Kind if kind is not Kind.TIMED_OUT or Rest.PROVIDER in rests]
    return st.lists(
        st.tuples(
            st.sampled_from(PROVIDERS),
            st.sampled_from(KEYS),
            st.tuples(st.sampled_from(kinds), st.sampled_from(rests)),
            st.floats(0, 100),
            st.none() | st.floats(0, 400),
            st.booleans(),
        ),
        max_size=8,
    )


faults = failures(*Rest)
own_faults = failures(Rest.NOTHING, Rest.TARGET)
"""Of places alone, so that an answer of one says nothing of another."""


class Steady:
    """A draw that is always the same."""

    def random(self) -> float:
        return 0.99


def told_to(line: Line, ladder: Sequence[Tier], failed: Sequence[Any]) -> None:
    """The route, the keys, and everything that has failed before."""
    board, now = line.live.take().board, line.clock.now()
    change(line, routes={"fast": Route(tiers=tuple(ladder))}, limits=replace(Limits(), wait=0.0, attempts=50))
    for name in PROVIDERS:
        pooled_more(line, name)
    for name, key, (kind, rest), age, hint, began in failed:
        place = Place(name, key, "m")
        board.health.failed(place, kind, rest, now - age, hint=hint)
        if began:
            board.health.begin(place, now)
            board.meters.began(place, now - age).failed(now - age)


def pooled_more(line: Line, name: str) -> None:
    snapshot = line.live.take().snapshot
    kept = dict(snapshot.credentials), dict(snapshot.keys)
    pooled(line, provider(name), KEYS)
    fresh = line.live.take().snapshot
    change(line, credentials={**kept[0], **fresh.credentials}, keys={**kept[1], **fresh.keys})


def frozen(value: Any) -> Any:
    """Everything in it, to be compared."""
    if isinstance(value, Mapping):
        return {str(frozen(key)): frozen(one) for key, one in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [frozen(one) for one in value]
    if isinstance(value, Set):
        return sorted(map(str, value))
    if slots := getattr(type(value), "__slots__", ()):
        return {name: frozen(getattr(value, name)) for name in slots if hasattr(value, name)}
    if type(value).__module__.startswith("isthmus") and hasattr(value, "__dict__"):
        return frozen(vars(value))
    return repr(value)


def asked(line: Line) -> list[tuple[str, str]]:
    assert line.exchange is not None
    return [(one.target.provider, one.credential) for one in line.exchange.attempts]


def board(line: Line) -> Board:
    return line.live.take().board


def made(ladder: Sequence[Tier], failed: Sequence[Any]) -> Line:
    refusals = {name: [Scripted(MISSING, status=404) for _ in range(9)] for name in PROVIDERS}
    line = Line([provider(name) for name in PROVIDERS], refusals)
    told_to(line, ladder, failed)
    return line


@patch("isthmus.engine.walk._DICE", Steady())
@given(tiers, faults)
def test_the_call_asks_first_whom_the_explanation_named_first_and_sends_what_it_said(
    ladder: Sequence[Tier], failed: Sequence[Any]
) -> None:
    async def both() -> None:
        line = made(ladder, failed)
        told = await explained(line)
        await line.ask(BODY)
        assert asked(line)[:1] == places(told)[:1]
        if places(told):
            assert json.decode(line.transport.sent[0].body) == told["candidates"][0]["upstream"]["body"]

    asyncio.run(both())


@patch("isthmus.engine.walk._DICE", Steady())
@given(tiers, own_faults)
def test_the_call_goes_on_in_the_order_of_the_explanation(ladder: Sequence[Tier], failed: Sequence[Any]) -> None:
    async def both() -> None:
        line = made(ladder, failed)
        told = await explained(line)
        await line.ask(BODY)
        assert asked(line) == places(told)

    asyncio.run(both())


@patch("isthmus.engine.walk._DICE", Steady())
@given(tiers, faults)
def test_an_explanation_changes_nothing(ladder: Sequence[Tier], failed: Sequence[Any]) -> None:
    async def twice() -> None:
        line = made(ladder, failed)
        before = frozen(board(line))
        first = await explained(line)
        assert await explained(line) == first
        assert frozen(board(line)) == before
        assert line.transport.sent == []

    asyncio.run(twice())


@given(tiers, faults)
def test_every_place_of_the_plan_is_told_once_with_a_reason(ladder: Sequence[Tier], failed: Sequence[Any]) -> None:
    async def once() -> None:
        told = await explained(made(ladder, failed), every=False)
        found = [(one["provider"], one["key"]) for one in told["candidates"]]
        wanted = {(target.provider, key) for tier in ladder for target in tier.targets for key in KEYS}
        assert sorted(found) == sorted(wanted)
        assert all(one["why"] and all(one["why"]) for one in told["candidates"])

    asyncio.run(once())
