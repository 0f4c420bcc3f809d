"""From the name a caller asks for to the targets that can answer it.

Holds the order in which a name is understood. Knows which provider offers which names,
as plain strings; never what a provider is.
"""

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from heapq import nlargest
from typing import NamedTuple, TypeAlias

from msgspec.structs import replace

from isthmus.routing.naming import Naming, closest, is_pattern
from isthmus.routing.offers import Closeness, Holder, Offer, Offers, TakeApart, plainly
from isthmus.routing.plan import NO_RULES, Plan, Route, Target, Tier, narrowed
from isthmus.routing.suffixes import always_ours, split_suffix

REMEMBERED = 4096
"""Names whose plan is kept; beyond that, plans are worked out again."""
LONGEST = 512
"""Characters of a name whose plan is kept."""
AUTO = "auto"
"""The name that leaves the choice of a model to us."""
LATEST = ":latest"
"""Put behind a name by clients of Ollama; it changes nothing where nobody offers the longer name."""
NEAR = 3
"""Names suggested for one that nobody offers."""
COMPARED = 64
"""Characters of a name, and names, that are compared at length to suggest one: that takes its time."""
TOLD = 3
"""Names told of those that could have been meant too."""

MOST_STEPS = 16
"""Aliases, endings and fallbacks that one name may lead through."""


class Way(NamedTuple):
    """How a name was come to. No alias is followed twice and no way is longer than MOST_STEPS, so every one ends."""

    followed: set[str]
    steps: int = 0

    def on(self) -> "Way":
        return Way(self.followed, self.steps + 1)


class UnknownName(Exception):
    """Nobody offers the name. `near` are the closest ones that somebody does."""

    def __init__(self, name: str, near: Sequence[str]) -> None:
        super().__init__(name)
        self.name = name
        self.near = tuple(near)


def unknown(_: Target) -> None:
    """Nobody knows of any model whether it is one to talk to."""


class Directory:
    """All names of one configuration. Built when it is loaded, asked on every request.

    `take_apart` tells what a model's name says; `talks` whether a model is one to talk to, None where nobody knows.
    """

    def __init__(
        self,
        routes: Mapping[str, Route],
        offers: Sequence[Offer],
        naming: Naming = Naming(),  # noqa: B008  a frozen value
        *,
        take_apart: TakeApart = plainly,
        talks: Callable[[Target], bool | None] = unknown,
    ) -> None:
        self._routes = routes
        self._take_apart = take_apart
        self._offers = Offers(offers, take_apart)
        self._naming = naming
        self._talks = talks
        self._known: dict[str, Plan] = {}
        self._names: tuple[tuple[str, str], ...] | None = None
        self._patterns = tuple(filter(is_pattern, naming.aliases))
        own = [*routes, *(name for name in naming.aliases if not is_pattern(name))]
        self._folded = {name.lower(): name for name in reversed(own)}
        self._providers = {offer.provider.lower(): offer.provider for offer in reversed(offers)}

    def plan(self, name: str) -> Plan:
        """The targets for `name`, or UnknownName. The order in which a name is understood is that of STEPS.

        What comes after its own targets, by its route or by the configured fallbacks, stands in tiers behind them.
        """
        plan = self._known.get(name)
        if plan is None:
            plan = self._work_out(name, Way(set()))
            if plan is None:
                raise UnknownName(name, self._near(name))
            plan = self._with_fallbacks(name, plan)
            if len(self._known) < REMEMBERED and len(name) <= LONGEST:
                self._known[name] = plan
        return plan

    def with_names(self, aliases: Mapping[str, tuple[str, ...]], default: str | None) -> "Directory":
        """The same providers and routes, where these names lead on too. What is configured of a name comes before."""
        naming = replace(
            self._naming,
            aliases={**aliases, **self._naming.aliases},
            default=default if self._naming.default is None else self._naming.default,
        )
        offers = tuple(self._offers.by_provider.values())
        return Directory(self._routes, offers, naming, take_apart=self._take_apart, talks=self._talks)

    def lead(self, name: str) -> Plan | None:
        """What a name in the configuration leads to: there, a provider that is named is meant before all lists."""
        return self._lead(name, Way(set(), 1))

    def names(self) -> tuple[tuple[str, str], ...]:
        """Every name that can be listed, each once, with its owner ("isthmus" for routes and aliases)."""
        if self._names is None:
            aliases = [name for name in self._naming.aliases if not is_pattern(name) and self.lead(name) is not None]
            owners = dict.fromkeys((*self._routes, *aliases), "isthmus")
            for name, provider in self._offers.names():
                owners.setdefault(name, provider)
            self._names = tuple(owners.items())
        return self._names

    def excluding(self, models: Iterable[str]) -> tuple[str, ...]:
        """The providers whose configuration excludes one of these models."""
        wanted = set(models)
        return tuple(
            name for name, offer in self._offers.by_provider.items() if not all(offer.allows(model) for model in wanted)
        )

    def offer(self, provider: str) -> Offer:
        """What one of the providers offers."""
        return self._offers.by_provider[provider]

    def _work_out(self, name: str, way: Way) -> Plan | None:
        for step in STEPS if way.steps < MOST_STEPS else ():
            if (plan := step(self, name, way)) is not None:
                return plan
        return None

    def _route(self, name: str, way: Way) -> Plan | None:  # noqa: ARG002  one of STEPS
        if (route := self._routes.get(name)) is None:
            return None
        return Plan(route.tiers, f"{name} is a route", name=name, rules=route.rules, route=name)

    def _alias(self, name: str, way: Way) -> Plan | None:
        return self._follow(name, name, way) if name in self._naming.aliases else None

    def _offered(self, name: str, way: Way) -> Plan | None:  # noqa: ARG002  one of STEPS
        return self._held(name, self._offers.holders(name)) if name in self._offers else None

    def _auto(self, name: str, way: Way) -> Plan | None:  # noqa: ARG002  one of STEPS
        if name != AUTO:
            return None
        firsts = [first for offer in self._offers.by_provider.values() if (first := self._first_model(offer))]
        if not firsts:
            return None
        tiers = self._ranked(firsts)
        return Plan(tiers, f"{AUTO} is the first model of each provider", name=tiers[0].targets[0].model)

    def _first_model(self, offer: Offer) -> Target | None:
        """The first that is known to be one to talk to, else the first that is not known to be another."""
        doubtful = None
        for _, model in offer.served():
            target = Target(offer.provider, model)
            talks = self._talks(target)
            if talks:
                return target
            if talks is None and doubtful is None:
                doubtful = target
        return doubtful

    def _thinking(self, name: str, way: Way) -> Plan | None:
        """The name ends in how much is to be thought, and nobody offers it with that ending."""
        if (split := split_suffix(name)) is None:
            return None
        base, reasoning = split
        if not (always_ours(base) or self._listed(base)) or (plan := self._work_out(base, way.on())) is None:
            return None
        return replace(plan, reasoning=reasoning, because=f"{plan.because}; its ending says how much to think")

    def _forced(self, name: str, way: Way) -> Plan | None:  # noqa: ARG002  one of STEPS
        """The name says which provider it wants. What that provider offers, it is the judge of."""
        for said, model in _spellings(name):
            provider = self._provider(said)
            if provider is None or not model:
                continue
            if holders := _dated(self._offers.holders(model, provider)):
                plan = self._held(model, holders)
                return replace(plan, because=f"{provider} is named in it; {plan.because}")
            allowed = self._offers.by_provider[provider].allows(model)
            return (
                Plan((Tier((Target(provider, model),)),), f"{provider} is named in it", name=model) if allowed else None
            )
        return None

    def _alike(self, name: str, way: Way) -> Plan | None:
        """The name differs from a known one in capitals, a vendor in front, or the spelling of its version or day."""
        own = self._folded.get(name.lower())
        if own is not None and own != name:
            return self._because(f"{name} is read as {own}", self._work_out(own, way.on()))
        holders = self._offers.holders(name)
        return self._held(name, holders) if _dated(holders) else None

    def _alias_pattern(self, name: str, way: Way) -> Plan | None:
        pattern = closest(name, self._patterns)
        return None if pattern is None else self._follow(name, pattern, way)

    def _matching(self, name: str, way: Way) -> Plan | None:  # noqa: ARG002  one of STEPS
        holders = [offer.provider for offer in self._offers.by_provider.values() if offer.matches(name)]
        if not holders:
            return None
        tiers = self._ranked(Target(provider, name) for provider in holders)
        return Plan(tiers, f"matches the models of {', '.join(holders)}", name=name)

    def _undated(self, name: str, way: Way) -> Plan | None:  # noqa: ARG002  one of STEPS
        """The name asks for a model of one day, and somebody has it without saying of which."""
        holders = self._offers.holders(name)
        return self._held(name, holders) if holders else None

    def _latest(self, name: str, way: Way) -> Plan | None:
        return self._work_out(name.removesuffix(LATEST), way.on()) if name.endswith(LATEST) else None

    def _stand_in(self, name: str, way: Way) -> Plan | None:  # noqa: ARG002  one of STEPS
        """Nobody offers the name, and somebody has a model that is asked in place of such ones."""
        offers = self._offers.by_provider.values()
        found = [Target(offer.provider, model) for offer in offers if (model := offer.stand_in(name)) is not None]
        if not found:
            return None
        tiers = self._ranked(found)
        words = ", ".join(f"{target.model} of {target.provider}" for target in found)
        because = f"nobody offers {name[:LONGEST]}; {words} stands in for it (claude-models)"
        return Plan(tiers, because, name=tiers[0].targets[0].model)

    def _default(self, name: str, way: Way) -> Plan | None:
        default = self._naming.default
        if default is None or way.steps > 0:
            return None
        plan = self._because(
            f"nobody offers {name[:LONGEST]}; {default} is the default model", self._lead(default, way.on())
        )
        return None if plan is None else replace(plan, default=True)

    def _follow(self, name: str, alias: str, way: Way) -> Plan | None:
        """The plan of an alias: that of the one name it leads to, or the tiers of them all."""
        if alias in way.followed:
            return None
        way.followed.add(alias)
        led = [plan for to in self._naming.aliases[alias] if (plan := self._lead(to, way.on())) is not None]
        if len(led) <= 1:
            return self._because(f"{name} is an alias", led[0] if led else None)
        because = f"{name} is an alias of {', '.join(plan.name for plan in led)}"
        tiers = _behind((), *(plan.tiers for plan in led))
        return Plan(tiers, because, reasoning=led[0].reasoning, name=name, rules=NO_RULES)

    def _lead(self, name: str, way: Way) -> Plan | None:
        if name in self._routes or name in self._naming.aliases:
            return self._work_out(name, way)
        return self._forced(name, way) or self._work_out(name, way)

    def _with_fallbacks(self, name: str, plan: Plan) -> Plan:
        own = self._routes[plan.name].fallbacks if plan.name in self._routes else ()
        key = closest(name, self._naming.fallbacks) or closest(plan.name, self._naming.fallbacks)
        further = own + (self._naming.fallbacks[key] if key is not None else ())
        led = [after for to in further if (after := self.lead(to)) is not None]
        if not led:
            return plan
        behind = [after.tiers for after in led]
        branches = tuple(replace(branch, tiers=_behind(branch.tiers, *behind)) for branch in plan.rules.branches)
        because = f"{plan.because}; after it {', '.join(after.name for after in led)}"
        rules = replace(plan.rules, branches=branches) if branches else plan.rules
        return replace(plan, tiers=_behind(plan.tiers, *behind), because=because, rules=rules)

    def _held(self, name: str, holders: Sequence[Holder]) -> Plan:
        """The plan of a model: who offers it by this name comes before who offers it by another."""
        nearest = min(holders, key=lambda one: one.closeness)
        ordered = sorted(holders, key=lambda one: one.closeness)
        tiers = self._ranked(one.target for one in ordered)
        return Plan(tiers, _told(name, nearest, ordered), name=nearest.name)

    def _ranked(self, targets: Iterable[Target]) -> tuple[Tier, ...]:
        """A tier for each number that providers are preferred by."""
        ranks: dict[float, list[Target]] = {}
        for target in targets:
            ranks.setdefault(self._naming.priority.get(target.provider, float("inf")), []).append(target)
        return tuple(Tier(tuple(dict.fromkeys(ranks[rank])), self._naming.strategy) for rank in sorted(ranks))

    def _provider(self, said: str) -> str | None:
        """The provider that is called so, or is shown so to people ("Gemini CLI")."""
        if said in self._offers.by_provider:
            return said
        return self._providers.get(said.lower()) or self._providers.get(said.lower().replace(" ", "-"))

    def _because(self, words: str, plan: Plan | None) -> Plan | None:
        return None if plan is None else replace(plan, because=f"{words}; {plan.because}")

    def _listed(self, name: str) -> bool:
        """Is this very name a route's, an alias, or on some provider's list, also with that provider in front?"""
        if name in self._routes or name in self._naming.aliases or name in self._offers:
            return True
        named = ((self._provider(said), model) for said, model in _spellings(name))
        return any(provider is not None and self._offers.holders(model, provider) for provider, model in named)

    def _near(self, name: str) -> list[str]:
        listed = [known for known, _ in self.names()]
        return difflib.get_close_matches(name[:COMPARED], _shortlist(name, listed), NEAR, 0.4) or listed[:NEAR]


Step: TypeAlias = Callable[[Directory, str, Way], Plan | None]
STEPS: Sequence[Step] = (
    Directory._route,
    Directory._alias,
    Directory._offered,
    Directory._auto,
    Directory._thinking,
    Directory._forced,
    Directory._alike,
    Directory._alias_pattern,
    Directory._matching,
    Directory._undated,
    Directory._latest,
    Directory._stand_in,
    Directory._default,
)
"""How a name is understood: the first that has a plan for it wins.

A route; an alias; a name that providers offer; `auto`; such a name, or one of Claude or Gemini, with an ending that
says how much to think; `provider://model`, `[provider] model`, `provider/model`, `provider:model`; a name that
differs from a known one in capitals, in a vendor in front, or in how its version and its day are written; an alias
that holds `*`; a name that matches a provider's wildcard; the name without its day; without `:latest`; a name for which
a model of some provider stands in; the default model.
"""


def _spellings(name: str) -> list[tuple[str, str]]:
    """How the name may be read as that of a provider and of a model there."""
    found: list[tuple[str, str]] = []
    if name.startswith("[") and "] " in name:
        left, _, right = name[1:].partition("] ")
        found.append((left, right))
    for mark in ("://", "/", ":"):
        left, seen, right = name.partition(mark)
        if seen:
            found.append((left, right))
    return found


def _shortlist(name: str, listed: Sequence[str]) -> Sequence[str]:
    """The names that have the most in common with this one, at a glance."""
    if len(listed) <= COMPARED:
        return listed
    pieces = {name[at : at + 3] for at in range(min(len(name), COMPARED) - 2)}
    return nlargest(COMPARED, listed, key=lambda known: sum(piece in known for piece in pieces))


def _dated(holders: Sequence[Holder]) -> list[Holder]:
    """Those whose names say as much as was asked for."""
    return [one for one in holders if one.closeness is not Closeness.UNDATED]


def _told(name: str, nearest: Holder, holders: Sequence[Holder]) -> str:
    """Why these: by which name each provider has the model, and which others were just as near."""
    same = [one.target.provider for one in holders if one.name == nearest.name]
    read = "" if nearest.closeness is Closeness.EXACT else f"{name} is read as {nearest.name}; "
    further = "".join(f"; {one.target.provider} has it as {one.name}" for one in holders if one.name != nearest.name)
    doubts = [f"{one.target.provider} also has {', '.join(one.others[:TOLD])}" for one in holders if one.others]
    return "; ".join([f"{read}offered by {', '.join(same)}{further}", *doubts])


def _behind(first: tuple[Tier, ...], *further: Sequence[Tier]) -> tuple[Tier, ...]:
    """The tiers, and the further ones behind them with what is not there yet."""
    found, seen = list(first), {target for tier in first for target in tier.targets}
    for tier in (tier for tiers in further for tier in tiers):
        found += narrowed((tier,), lambda target: target not in seen)
        seen.update(tier.targets)
    return tuple(found)
