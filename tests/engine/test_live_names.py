"""Names in force: what is configured of them, with what providers tell of their models."""

from msgspec.structs import replace

from isthmus.core.facts import Mode, ModelFacts
from isthmus.engine.live import Live
from isthmus.engine.snapshot import Snapshot
from isthmus.providers.provider import Provider
from isthmus.routing.naming import Naming
from support.line import provider


def listing(name: str) -> Provider:
    """A provider that has to be asked for its models."""
    return replace(provider(name), models=(), listed=True)


def live(naming: Naming) -> Live:
    providers = [listing("one"), listing("two")]
    made = Live(Snapshot(providers={each.name: each for each in providers}, naming=naming))
    made.learn(
        {"one": ("search-embed", "claude-sonnet-4-5-20250929"), "two": ("anthropic/claude-sonnet-4.5", "old")},
        {"one": {"search-embed": ModelFacts(mode=Mode.EMBEDDING)}},
    )
    return made


def asked(made: Live, name: str) -> list[str]:
    return [f"{target.provider}/{target.model}" for target in made.take().directory.plan(name).targets]


def test_one_model_under_two_names_is_one_target_of_both() -> None:
    both = ["one/claude-sonnet-4-5-20250929", "two/anthropic/claude-sonnet-4.5"]
    assert asked(live(Naming()), "claude-sonnet-4-5") == both
    assert asked(live(Naming(priority={"two": 1})), "claude-sonnet-4-5") == both[::-1]


def test_auto_passes_over_what_is_known_to_be_no_model_to_talk_to() -> None:
    found = live(Naming())
    assert asked(found, "auto") == ["one/claude-sonnet-4-5-20250929", "two/anthropic/claude-sonnet-4.5"]


def test_what_a_provider_lists_is_excluded_and_renamed_as_configured() -> None:
    naming = Naming(excluded={"two": ("OLD", "anthropic/*")}, aliases_at={"one": {"vectors": "search-embed"}})
    found = live(naming)
    listed = [name for name, _ in found.take().directory.names()]
    assert listed == ["search-embed", "claude-sonnet-4-5-20250929", "vectors"]
    assert asked(found, "claude-sonnet-4.5") == ["one/claude-sonnet-4-5-20250929"]
    assert asked(found, "vectors") == ["one/search-embed"]


def test_an_alias_reaches_what_was_learned_after_it_was_configured() -> None:
    assert asked(live(Naming(aliases={"best": ("claude-sonnet-4.5",)})), "best")[0] == "two/anthropic/claude-sonnet-4.5"
