"""From the name a caller asks for to the targets that can answer it.

Holds the order in which a name is understood. Knows which provider offers which names,
as plain strings; never what a provider is.
"""

import difflib
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from msgspec.structs import replace

from isthmus.core.value import Value
from isthmus.routing.plan import Plan, Route, Target, first_of
from isthmus.routing.suffixes import always_ours, split_suffix

REMEMBERED = 4096
"""Names whose plan is kept; beyond that, plans are worked out again."""
LATEST = ":latest"
"""Put behind a name by clients of Ollama; it changes nothing where nobody offers the longer name."""
NEAR = 3
"""Names suggested for one that nobody offers."""


class Offer(Value, frozen=True):
    """What one provider serves: `names` are exact, `patterns` may hold `*`."""

    provider: str
    names: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()

    def serves(self, model: str) -> bool:
        return model in self.names or any(fnmatchcase(model, pattern) for pattern in self.patterns)


class UnknownName(Exception):
    """Nobody offers the name. `near` are the closest ones that somebody does."""

    def __init__(self, name: str, near: Sequence[str]) -> None:
        super().__init__(name)
        self.name = name
        self.near = tuple(near)


class Directory:
    """All names of one configuration. Built when it is loaded, asked on every request."""

    def __init__(self, routes: Mapping[str, Route], offers: Sequence[Offer]) -> None:
        self._routes = routes
        self._offers = {offer.provider: offer for offer in offers}
        self._known: dict[str, Plan] = {}

    def plan(self, name: str) -> Plan:
        """The targets for `name`, or UnknownName.

        In this order: a route or alias; a name that providers offer, in the providers' order; such a
        name, or one of Claude or Gemini, with an ending that says how much to think;
        `provider://model`; `[provider] model`; `provider/model`; `provider:model`; a name
        that matches a provider's wildcard; the name without `:latest`.
        """
        plan = self._known.get(name)
        if plan is None:
            plan = self._work_out(name)
            if len(self._known) < REMEMBERED:
                self._known[name] = plan
        return plan

    def names(self) -> tuple[tuple[str, str], ...]:
        """Every name that can be listed, each once, with its owner ("isthmus" for routes)."""
        owners = {name: "isthmus" for name in self._routes}
        for offer in self._offers.values():
            for name in offer.names:
                owners.setdefault(name, offer.provider)
        return tuple(owners.items())

    def _work_out(self, name: str) -> Plan:
        if (route := self._routes.get(name)) is not None:
            return Plan(route.tiers, f"{name} is a route", name=name, rules=route.rules)
        if holders := [offer.provider for offer in self._offers.values() if name in offer.names]:
            return _plan(holders, name, f"offered by {', '.join(holders)}")
        if (thinking := self._thinking(name)) is not None:
            return thinking
        if (forced := self._forced(name)) is not None:
            return forced
        if holders := [offer.provider for offer in self._offers.values() if offer.serves(name)]:
            return _plan(holders, name, f"matches the models of {', '.join(holders)}")
        if name.endswith(LATEST):
            return self._work_out(name.removesuffix(LATEST))
        raise UnknownName(name, self._near(name))

    def _forced(self, name: str) -> Plan | None:
        """The name says which provider it wants. What that provider offers, it is the judge of."""
        for provider, model in _spellings(name):
            if provider in self._offers and model:
                return _plan([provider], model, f"{provider} is named in it")
        return None

    def _thinking(self, name: str) -> Plan | None:
        """The name ends in how much is to be thought, and nobody offers it with that ending."""
        if (split := split_suffix(name)) is None:
            return None
        base, reasoning = split
        if not (always_ours(base) or self._listed(base)):
            return None
        plan = self._work_out(base)
        return replace(plan, reasoning=reasoning, because=f"{plan.because}; its ending says how much to think")

    def _listed(self, name: str) -> bool:
        """Is this very name a route's, or on some provider's list, also with that provider in front?"""
        if name in self._routes or any(name in offer.names for offer in self._offers.values()):
            return True
        return any(
            provider in self._offers and model in self._offers[provider].names for provider, model in _spellings(name)
        )

    def _near(self, name: str) -> list[str]:
        listed = [known for known, _ in self.names()]
        return difflib.get_close_matches(name, listed, NEAR, 0.4) or listed[:NEAR]


def _spellings(name: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    if name.startswith("[") and "] " in name:
        left, _, right = name[1:].partition("] ")
        found.append((left, right))
    for mark in ("://", "/", ":"):
        left, seen, right = name.partition(mark)
        if seen:
            found.append((left, right))
    return found


def _plan(providers: Sequence[str], model: str, because: str) -> Plan:
    return Plan(first_of(*(Target(provider, model) for provider in providers)), because, name=model)
