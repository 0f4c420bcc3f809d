"""From the routes of the file to those that requests are sent along."""

from collections.abc import Mapping, Sequence

from msgspec.structs import asdict, replace

from isthmus.config.schema import Config
from isthmus.config.schema_routing import (
    BranchEntry,
    ChoiceEntry,
    Family,
    HedgeEntry,
    RouteEntry,
    ShadowEntry,
    TargetEntry,
    TimingEntry,
    WhenEntry,
)
from isthmus.dialects.table import CODECS, COUNT_CODECS, EMBED_CODECS
from isthmus.routing.plan import Branch, Hedge, Route, Rules, Shadow, Strategy, Target, Tier, Timing, When, narrowed

ANY_VALUE = "*"
"""A header's value in the file that stands for each."""
_SPOKEN = sorted({*(dialect for dialect, _ in CODECS), *EMBED_CODECS, *COUNT_CODECS})


def routes_of(config: Config) -> dict[str, Route]:
    """Every route as it was written, also with targets that nobody can reach."""
    return {name: _route(entry, config.routing.strategy) for name, entry in config.routes.items()}


def within_reach(route: Route, providers: Mapping[str, object]) -> Route:
    """The route without what would go to a provider that is not among `providers`.

    A branch or shadow of which nothing is left is gone; tiers may be empty.
    """

    def reached(target: Target) -> bool:
        return target.provider in providers

    rules = route.rules
    branches = tuple(replace(branch, tiers=narrowed(branch.tiers, reached)) for branch in rules.branches)
    shadow = rules.shadow if rules.shadow is not None and reached(rules.shadow.target) else None
    rules = replace(rules, branches=tuple(branch for branch in branches if branch.tiers), shadow=shadow)
    return replace(route, tiers=narrowed(route.tiers, reached), rules=rules)


def targets_of(route: Route) -> list[Target]:
    """Every target that a route may lead to by itself."""
    tiers = [*route.tiers, *(tier for branch in route.rules.branches for tier in branch.tiers)]
    shadows = [route.rules.shadow.target] if route.rules.shadow is not None else []
    return [*(target for tier in tiers for target in tier.targets), *shadows]


def _route(entry: RouteEntry, usual: Strategy) -> Route:
    strategy = entry.strategy or usual
    rules = Rules(
        branches=tuple(_branch(branch, strategy) for branch in entry.branches),
        shadow=None if entry.shadow is None else _shadow(entry.shadow),
        hedge=None if entry.hedge is None or not entry.hedge.enabled else _hedge(entry.hedge),
        continues=entry.continues,
        affinity=entry.affinity,
        timing=_timing(entry.deadlines),
    )
    return Route(tiers=_tiers(entry, strategy), fallbacks=entry.fallbacks, rules=rules)


def _tiers(entry: ChoiceEntry, strategy: Strategy) -> tuple[Tier, ...]:
    if not entry.tiers:
        return (_tier(entry.targets, strategy),) if entry.targets else ()
    return tuple(_tier(tier.targets, tier.strategy or strategy) for tier in entry.tiers)


def _tier(targets: Sequence[TargetEntry], strategy: Strategy) -> Tier:
    """A target that is there twice is one with the weight of both."""
    weights: dict[Target, float] = {}
    for entry in targets:
        target = Target(entry.provider, entry.model)
        weights[target] = weights.get(target, 0.0) + (1.0 if entry.weight is None else entry.weight)
    weighed = any(entry.weight is not None for entry in targets)
    return Tier(tuple(weights), strategy, tuple(weights.values()) if weighed else ())


def _branch(entry: BranchEntry, strategy: Strategy) -> Branch:
    return Branch(
        tiers=_tiers(entry, entry.strategy or strategy),
        when=None if entry.when == WhenEntry() else _when(entry.when),
        share=1.0 if entry.share is None else entry.share,
    )


def _when(entry: WhenEntry) -> When:
    return When(
        dialects=tuple(dialect for family in entry.dialects for dialect in spoken(family)),
        clients=entry.clients,
        tags=entry.tags,
        header=next(((name.lower(), "" if said == ANY_VALUE else said) for name, said in entry.header.items()), None),
        images=entry.images,
        tools=entry.tools,
        stream=entry.stream,
        tokens_over=entry.tokens_over,
        tokens_under=entry.tokens_under,
    )


def spoken(family: Family) -> tuple[str, ...]:
    """Every dialect of the family, as codecs call them: openai_chat and openai_responses are of openai."""
    return tuple(dialect for dialect in _SPOKEN if dialect == family or dialect.startswith(f"{family}_"))


def _shadow(entry: ShadowEntry) -> Shadow:
    return Shadow(Target(entry.target.provider, entry.target.model), entry.share)


def _hedge(entry: HedgeEntry) -> Hedge:
    return Hedge(share=entry.share, quantile=entry.quantile, least=entry.least)


def _timing(entry: TimingEntry) -> Timing | None:
    return None if entry == TimingEntry() else Timing(**asdict(entry))
