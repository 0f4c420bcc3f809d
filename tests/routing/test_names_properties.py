"""What holds of any name in any configuration."""

from hypothesis import given
from hypothesis import strategies as st

from isthmus.catalog.spellings import take_apart
from isthmus.routing.names import Directory, UnknownName
from isthmus.routing.naming import Naming
from isthmus.routing.offers import Offer
from isthmus.routing.plan import Plan, Route, Target, first_of

WORDS = (
    "gpt-5", "GPT-5", "Gpt-5", "openai/gpt-5", "gpt-5-2025-08-07", "claude-opus-4-8", "claude-opus-4.8", "auto", "a",
    "anthropic/claude-opus-4.8", "eu.anthropic.claude-opus-4-8-v1:0", "a:latest", "a-thinking", "a/b", "b", "c",
)  # fmt: skip
NAME = st.sampled_from(WORDS) | st.text(alphabet="abAB-/:.*[] 4", max_size=8)
EXACT = NAME.filter(lambda name: "*" not in name)
PROVIDERS = ("openai", "a", "B")
NAMES = st.lists(EXACT, max_size=5).map(tuple)
PATTERNS = st.lists(st.sampled_from(["gpt-*", "*", "a*"]), max_size=1).map(tuple)
OFFERS = st.tuples(
    *(
        st.builds(
            Offer,
            st.just(provider),
            NAMES,
            PATTERNS,
            st.dictionaries(EXACT, EXACT, max_size=2),
            st.lists(NAME, max_size=1).map(tuple),
        )
        for provider in PROVIDERS
    )
)
LISTS = st.lists(NAME, max_size=3).map(tuple)
NAMINGS = st.builds(
    Naming,
    aliases=st.dictionaries(NAME, LISTS, max_size=4),
    fallbacks=st.dictionaries(NAME, LISTS, max_size=3),
    priority=st.dictionaries(st.sampled_from(PROVIDERS), st.sampled_from([0.0, 1.0, 2.0])),
    default=st.none() | NAME,
)
ROUTES = st.dictionaries(
    EXACT,
    st.builds(
        Route,
        tiers=st.builds(first_of, st.builds(Target, st.sampled_from(PROVIDERS), EXACT)),
        fallbacks=LISTS,
    ),
    max_size=2,
)


def plan_of(directory: Directory, name: str) -> Plan | None:
    try:
        return directory.plan(name)
    except UnknownName:
        return None


@given(ROUTES, OFFERS, NAMINGS, NAME)
def test_every_name_has_a_plan_or_is_unknown_and_always_the_same(
    routes: dict[str, Route], offers: tuple[Offer, ...], naming: Naming, name: str
) -> None:
    directory = Directory(routes, offers, naming, take_apart=take_apart)
    plan = plan_of(directory, name)
    assert plan == plan_of(directory, name)
    assert plan == plan_of(Directory(routes, offers, naming, take_apart=take_apart), name)
    if plan is not None:
        listed = [target for tier in plan.tiers for target in tier.targets]
        assert all(tier.targets for tier in plan.tiers)
        assert listed
        assert len(listed) == len(set(listed))
        assert plan.because


@given(OFFERS, NAMINGS)
def test_a_name_that_is_offered_is_never_read_as_another(offers: tuple[Offer, ...], naming: Naming) -> None:
    directory = Directory({}, offers, naming, take_apart=take_apart)
    for offer in offers:
        for name, model in offer.served():
            if name not in naming.aliases:
                assert Target(offer.provider, model) in directory.plan(name).targets


@given(OFFERS, EXACT)
def test_who_offers_the_very_name_comes_before_all_others(offers: tuple[Offer, ...], name: str) -> None:
    holders = [Target(offer.provider, dict(offer.served())[name]) for offer in offers if name in dict(offer.served())]
    plan = plan_of(Directory({}, offers, take_apart=take_apart), name)
    if holders:
        assert plan is not None
        assert list(plan.targets[: len(holders)]) == holders


@given(ROUTES, OFFERS, NAMINGS)
def test_every_name_that_is_listed_has_a_plan(
    routes: dict[str, Route], offers: tuple[Offer, ...], naming: Naming
) -> None:
    directory = Directory(routes, offers, naming, take_apart=take_apart)
    for name, _ in directory.names():
        assert plan_of(directory, name) is not None


@given(OFFERS, NAME)
def test_what_is_excluded_is_never_asked(offers: tuple[Offer, ...], name: str) -> None:
    plan = plan_of(Directory({}, offers, take_apart=take_apart), name)
    by_name = {offer.provider: offer for offer in offers}
    for target in plan.targets if plan is not None else ():
        assert by_name[target.provider].allows(target.model)
