"""Which branch of a route a request takes, and what is said of those that it does not."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.routing.branches import Picked, pick
from isthmus.routing.places import ONE_KEY, Credential, Places
from isthmus.routing.plan import Branch, Plan, Rules, Target, Tier, When, first_of

OWN, OTHER, THIRD = (first_of(Target(name, "m")) for name in ("own", "other", "third"))
PLACES = Places({"own": ONE_KEY, "other": ONE_KEY, "third": ONE_KEY, "choosy": (Credential("key", ("another",)),)})


class Asked:
    """Implements Traits by what it is told."""

    def __init__(
        self,
        *,
        dialect: str = "openai_chat",
        client: str = "alice",
        stream: bool = False,
        tags: frozenset[str] = frozenset(),
        headers: Mapping[str, str] | None = None,
        images: bool | None = False,
        tools: bool | None = False,
        tokens: int | None = 100,
    ) -> None:
        self.dialect = dialect
        self.client = client
        self.stream = stream
        self.tags = tags
        self._headers = headers or {}
        self._images = images
        self._tools = tools
        self._tokens = tokens
        self.looked: list[str] = []

    def header(self, name: str) -> str | None:
        return self._headers.get(name)

    def images(self) -> bool | None:
        self.looked.append("images")
        return self._images

    def tools(self) -> bool | None:
        self.looked.append("tools")
        return self._tools

    def tokens(self) -> int | None:
        self.looked.append("tokens")
        return self._tokens


def plan(*branches: Branch) -> Plan:
    return Plan(OWN, "smart is a route", name="smart", rules=Rules(branches=branches))


def picked(when: When, asked: Asked) -> Picked:
    return pick(plan(Branch(tiers=OTHER, when=when)), asked, 0.0, PLACES)


HOLDS = [
    (When(dialects=("openai_chat", "anthropic")), Asked(), Asked(dialect="gemini")),
    (When(clients=("alice",)), Asked(), Asked(client="bob")),
    (When(tags=("batch", "night")), Asked(tags=frozenset({"night", "x"})), Asked(tags=frozenset({"x"}))),
    (When(header=("x-team", "blue")), Asked(headers={"x-team": "blue"}), Asked(headers={"x-team": "red"})),
    (When(header=("x-team", "")), Asked(headers={"x-team": "red"}), Asked()),
    (When(images=True), Asked(images=True), Asked()),
    (When(images=False), Asked(), Asked(images=True)),
    (When(tools=True), Asked(tools=True), Asked()),
    (When(tools=False), Asked(), Asked(tools=True)),
    (When(stream=True), Asked(stream=True), Asked()),
    (When(stream=False), Asked(), Asked(stream=True)),
    (When(tokens_over=99), Asked(), Asked(tokens=99)),
    (When(tokens_under=101), Asked(), Asked(tokens=101)),
    (When(), Asked(), None),
]


@pytest.mark.parametrize(("when", "fits", "fails"), HOLDS)
def test_a_condition_holds_for_some_requests_and_not_for_others(when: When, fits: Asked, fails: Asked | None) -> None:
    assert picked(when, fits).tiers == OTHER
    if fails is not None:
        assert picked(when, fails).tiers == OWN


def test_all_that_is_said_must_hold() -> None:
    when = When(tools=True, stream=True)
    assert picked(when, Asked(tools=True, stream=True)).branch == 1
    assert picked(when, Asked(tools=True)).branch is None


@pytest.mark.parametrize("when", [When(tools=False), When(images=True), When(tokens_under=100)])
def test_what_nobody_can_tell_does_not_hold(when: When) -> None:
    found = picked(when, Asked(tools=None, images=None, tokens=None))
    assert found.branch is None
    assert "nobody can tell" in found.because


def test_nothing_is_looked_for_that_decides_nothing() -> None:
    asked = Asked(client="bob")
    picked(When(clients=("alice",), tools=True, tokens_over=1), asked)
    assert asked.looked == []


def test_the_first_branch_that_fits_is_taken_and_told() -> None:
    branches = Branch(tiers=OTHER, when=When(tools=True)), Branch(tiers=THIRD), Branch(tiers=OTHER)
    assert pick(plan(*branches), Asked(), 0.0, PLACES) == (
        THIRD,
        "branch 1: it has no tools; branch 2 of smart takes it",
        2,
    )


def test_a_branch_in_which_nobody_can_be_asked_is_passed_by() -> None:
    gone, choosy = first_of(Target("gone", "m")), first_of(Target("choosy", "m"))
    found = pick(plan(Branch(tiers=gone), Branch(tiers=choosy), Branch(tiers=(Tier(()),))), Asked(), 0.0, PLACES)
    assert found.tiers == OWN
    assert found.because.count("none of its targets can be asked") == 3


def test_where_no_branch_is_taken_the_reasons_are_told() -> None:
    found = pick(plan(Branch(tiers=OTHER, share=0.1)), Asked(), 0.5, PLACES)
    assert found == (OWN, "branch 1: it is not among the 10 % that this takes", None)


@given(st.floats(0, 1, exclude_max=True))
def test_shares_are_of_all_requests_and_the_rest_is_the_routes(draw: float) -> None:
    branches = Branch(tiers=OTHER, share=0.25), Branch(tiers=THIRD, share=0.5)
    expected = OTHER if draw < 0.25 else THIRD if draw < 0.75 else OWN
    assert pick(plan(*branches), Asked(), draw, PLACES).tiers == expected


def test_a_share_is_of_the_requests_that_the_condition_holds_for() -> None:
    branches = Branch(tiers=OTHER, share=0.5, when=When(tools=True)), Branch(tiers=THIRD, share=0.5)
    assert pick(plan(*branches), Asked(tools=True), 0.6, PLACES).tiers == THIRD
    assert pick(plan(*branches), Asked(), 0.6, PLACES).tiers == OWN
