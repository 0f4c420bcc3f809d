"""Routes of the file become routes that requests are sent along."""

import pytest

from isthmus.config.compile import compile_config
from isthmus.config.routes import spoken
from isthmus.config.schema_routing import Family
from isthmus.dialects.table import CODECS, COUNT_CODECS, EMBED_CODECS
from isthmus.routing.plan import (
    NO_RULES,
    Branch,
    Hedge,
    Route,
    Rules,
    Shadow,
    Strategy,
    Target,
    Tier,
    Timing,
    When,
    first_of,
)
from support.configured import config_of

A, B, C = Target("vllm", "a"), Target("vllm", "b"), Target("ollama", "c")
PROVIDERS = "providers: {vllm: {}, ollama: {}, gone: {type: vllm, enabled: false}}\n"
CLIENTS = "client-keys: [{name: alice, key: key-0123456789}]\n"


def route_of(entry: str, *, routing: str = "{}") -> Route:
    """The route that is written so."""
    text = f"{PROVIDERS}{CLIENTS}routing: {routing}\nroutes: {{r: {entry}}}\n"
    return compile_config(config_of(text)).routes["r"]


@pytest.mark.parametrize(
    "entry",
    [
        "[vllm/a, ollama/c]",
        "{targets: [vllm/a, ollama/c]}",
        "{targets: [{provider: vllm, model: a}, ollama/c]}",
        "{tiers: [[vllm/a, ollama/c]]}",
        "{tiers: [{targets: [vllm/a, ollama/c]}]}",
    ],
)
def test_a_list_of_targets_is_one_tier_however_it_is_written(entry: str) -> None:
    assert route_of(entry) == Route(tiers=first_of(A, C), rules=NO_RULES)


def test_tiers_stand_in_their_order_and_may_be_one_target_alone() -> None:
    entry = "{tiers: [vllm/a, [vllm/b, ollama/c], {strategy: cheapest, targets: [vllm/b]}]}"
    assert route_of(entry).tiers == (Tier((A,)), Tier((B, C)), Tier((B,), Strategy.CHEAPEST))


@pytest.mark.parametrize(
    ("entry", "strategy"),
    [
        ("[vllm/a, vllm/b]", Strategy.LEAST_BUSY),
        ("{strategy: sticky, targets: [vllm/a, vllm/b]}", Strategy.STICKY),
        ("{strategy: sticky, tiers: [[vllm/a, vllm/b]]}", Strategy.STICKY),
        ("{strategy: sticky, tiers: [{strategy: fastest, targets: [vllm/a, vllm/b]}]}", Strategy.FASTEST),
        ("{strategy: Round-Robin, targets: [vllm/a, vllm/b]}", Strategy.ROUND_ROBIN),
    ],
)
def test_the_nearest_strategy_holds(entry: str, strategy: Strategy) -> None:
    assert route_of(entry, routing="{strategy: least_busy}").tiers == (Tier((A, B), strategy),)


def test_a_branch_without_a_strategy_has_its_routes() -> None:
    route = route_of("{strategy: sticky, targets: [vllm/a], branches: [{share: 1%, targets: [vllm/b]}]}")
    assert route.rules.branches[0].tiers == (Tier((B,), Strategy.STICKY),)


def test_where_one_target_has_a_weight_the_others_weigh_one() -> None:
    entry = "{strategy: weighted, targets: [{provider: vllm, model: a, weight: 2.5}, ollama/c]}"
    assert route_of(entry).tiers == (Tier((A, C), Strategy.WEIGHTED, (2.5, 1.0)),)


def test_a_target_that_is_there_twice_is_one_with_both_weights() -> None:
    entry = "{strategy: weighted, targets: [{provider: vllm, model: a, weight: 2}, vllm/b, vllm/a]}"
    assert route_of(entry).tiers == (Tier((A, B), Strategy.WEIGHTED, (3.0, 1.0)),)


def test_a_branch_says_which_requests_and_where_they_go() -> None:
    entry = """
    targets: [vllm/a]
    branches:
      - when:
          dialects: [anthropic]
          clients: [alice]
          tags: [batch, night]
          header: {X-Team: blue}
          images: false
          tools: true
          stream: true
          tokens-over: 1000
          tokens-under: 2000
        targets: [vllm/b]
      - share: 10%
        tiers: [vllm/b, ollama/c]
"""
    route = compile_config(config_of(f"{PROVIDERS}{CLIENTS}routes:\n  r:{entry}")).routes["r"]
    assert route.rules.branches == (
        Branch(
            tiers=first_of(B),
            when=When(
                dialects=("anthropic",),
                clients=("alice",),
                tags=("batch", "night"),
                header=("x-team", "blue"),
                images=False,
                tools=True,
                stream=True,
                tokens_over=1000,
                tokens_under=2000,
            ),
        ),
        Branch(tiers=(Tier((B,)), Tier((C,))), share=0.1),
    )


def test_a_header_may_have_any_value() -> None:
    route = route_of("{targets: [vllm/a], branches: [{when: {header: {X-Any: '*'}}, targets: [vllm/b]}]}")
    assert route.rules.branches[0].when == When(header=("x-any", ""))


def test_every_dialect_that_a_client_can_speak_is_of_one_family() -> None:
    families = (Family.OPENAI, Family.ANTHROPIC, Family.GEMINI, Family.OLLAMA)
    found = [dialect for family in families for dialect in spoken(family)]
    codecs = {*(dialect for dialect, _ in CODECS), *EMBED_CODECS, *COUNT_CODECS}
    assert len(found) == len(set(found))
    assert {name.split("_")[0] for name in codecs - set(found)} <= {"bedrock", "vertex"}
    assert spoken(Family.OPENAI_RESPONSES) == ("openai_responses",)


def test_all_that_a_route_can_say_becomes_its_rules() -> None:
    entry = """
    targets: [vllm/a]
    fallbacks: [ollama/c]
    shadow: {target: vllm/b, share: 5%}
    hedge: {share: 0.02, quantile: 0.9, least: 1}
    continue: true
    affinity: false
    deadlines: {first-byte: 20, total: 120}
"""
    route = compile_config(config_of(f"{PROVIDERS}routes:\n  r:{entry}")).routes["r"]
    assert route.fallbacks == ("ollama/c",)
    assert route.rules == Rules(
        shadow=Shadow(B, 0.05),
        hedge=Hedge(share=0.02, quantile=0.9, least=1.0),
        continues=True,
        affinity=False,
        timing=Timing(first_byte=20.0, total=120.0),
    )


@pytest.mark.parametrize(("said", "hedge"), [("true", Hedge()), ("{}", Hedge()), ("false", None)])
def test_a_hedge_may_be_switched_on_and_off_in_one_word(said: str, hedge: Hedge | None) -> None:
    assert route_of(f"{{targets: [vllm/a], hedge: {said}}}").rules.hedge == hedge


def test_what_would_go_to_a_disabled_provider_is_gone_from_every_part_of_a_route() -> None:
    entry = """
    strategy: weighted
    tiers: [[{provider: gone, model: x, weight: 5}, {provider: vllm, model: a, weight: 2}], gone/y]
    branches: [{share: 10%, targets: [gone/x]}, {share: 20%, targets: [gone/x, vllm/b]}]
    shadow: {target: gone/x}
"""
    route = compile_config(config_of(f"{PROVIDERS}routes:\n  r:{entry}")).routes["r"]
    assert route.tiers == (Tier((A,), Strategy.WEIGHTED, (2.0,)),)
    assert route.rules == Rules(branches=(Branch(tiers=(Tier((B,), Strategy.WEIGHTED),), share=0.2),))


def test_a_route_stays_while_it_has_anything_to_fall_back_on() -> None:
    routes = "routes: {r: {targets: [gone/x], fallbacks: [vllm/a]}, s: [gone/x]}"
    assert list(compile_config(config_of(PROVIDERS + routes)).routes) == ["r"]


@pytest.mark.parametrize(
    "entry",
    [
        "{targets: [vllm/a], branches: [{share: 1%, targets: [local/m]}]}",
        "{targets: [vllm/a], shadow: {target: local/m}}",
        "{tiers: [vllm/a, local/m]}",
    ],
)
def test_the_bundled_model_is_on_when_any_part_of_a_route_leads_to_it(entry: str) -> None:
    assert "local" in compile_config(config_of(f"{PROVIDERS}routes: {{r: {entry}}}")).providers
