"""How keys and accounts take turns, as configured; and that what a subscription covers costs nothing."""

from decimal import Decimal
from pathlib import Path

from isthmus.config.catalogues import take_shelf
from isthmus.config.compile import compile_config
from isthmus.config.facts import Facts
from isthmus.engine.live import Live
from isthmus.engine.snapshot import Snapshot
from isthmus.routing.places import PoolStrategy
from support.configured import config_of, problems_of

CODEX = "providers: {codex: {}"


def snapshot_of(text: str) -> Snapshot:
    return compile_config(config_of(text))


def stays(text: str, provider: str = "codex") -> bool:
    return Live(snapshot_of(text)).take().places.stays(provider)


def price(text: str, provider: str = "codex") -> Decimal | None:
    found = Facts(config_of(text), take_shelf(Path("nowhere"))).of(provider, "gpt-5").price
    return None if found is None else found.rates.output


def test_accounts_stay_in_line_unless_told_otherwise() -> None:
    assert stays(f"{CODEX}}}")
    assert not stays(f"{CODEX}}}\nrouting: {{pool: round-robin}}")


def test_what_the_provider_says_comes_before_what_routing_says() -> None:
    assert stays("providers: {codex: {pool: sticky}}\nrouting: {pool: fill-first}")
    assert not stays("providers: {codex: {pool: fill-first}}")


def test_keys_take_turns_unless_their_provider_says_otherwise() -> None:
    keys = "api-keys: [one, two]"
    assert not stays(f"providers: {{openai: {{{keys}}}}}\nrouting: {{pool: sticky}}", "openai")
    assert stays(f"providers: {{openai: {{{keys}, pool: sticky}}}}", "openai")


def test_another_word_is_refused_with_the_words_there_are() -> None:
    (problem,) = problems_of("providers: {codex: {pool: least-busy}}")
    assert "round-robin" in problem.message


def test_the_plan_of_a_subscription_covers_what_is_asked_under_it() -> None:
    assert price(f"{CODEX}}}") == 0
    assert price("providers: {codex: {}, openai: {api-key: k}}", "openai") != 0


def test_a_configured_price_holds_all_the_same() -> None:
    assert price(f"{CODEX}}}\nmodels: {{codex/gpt-5: {{price: {{input: 1, output: 2}}}}}}") == 2


def test_accounts_of_others_are_paid_unless_told_otherwise() -> None:
    issuer = "issuers: {ours: {client-id: c, token-url: 'https://id.example.com/token'"
    provider = "providers: {ours: {type: compatible, base-url: 'https://api.example.com/v1', issuer: ours}}"
    assert price(f"{provider}\naccounts: {{{issuer}}}}}}}", "ours") is None
    assert price(f"{provider}\naccounts: {{{issuer}, subscription: true}}}}}}", "ours") == 0


def test_pools_are_told_by_name() -> None:
    assert snapshot_of("providers: {codex: {pool: fill-first}}").pools == {"codex": PoolStrategy.FILL_FIRST}
