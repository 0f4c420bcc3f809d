"""What is left of a plan for a client to whom not all is open. Reads plans and permits; knows no request.

A name that is asked for opens all that it leads to: a route or an alias, and what comes after them, are the
operator's word. Where the name is not permitted, those of its targets are left whose model is, by the name of the
model or as PROVIDER/MODEL. The default model is asked in place of a name, so the name does not open it. Providers
and upstream keys that are not permitted are not asked, whatever the name.
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain

from msgspec.structs import replace

from isthmus.engine.records import Permits
from isthmus.routing.names import LATEST, LONGEST
from isthmus.routing.naming import any_matches
from isthmus.routing.places import Places
from isthmus.routing.plan import Plan, Target, narrowed
from isthmus.routing.suffixes import split_suffix

REMEMBERED = 4096
"""Names, each with one client's permits, of which it is known what is left; beyond that, it is worked out again."""


class Narrowed:
    """What was left of the plans of one configuration, so that it is worked out once for a name and its permits."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[tuple[str, Permits], tuple[Plan, Plan]] = {}

    def __len__(self) -> int:
        return len(self._known)

    def of(self, plan: Plan, asked: str, permits: Permits, places: Places) -> Plan:
        """As `permitted`."""
        found = self._known.get((asked, permits))
        if found is not None and found[0] is plan:
            return found[1]
        left = permitted(plan, asked, permits, places)
        if len(self._known) < REMEMBERED and len(asked) <= LONGEST:
            self._known[asked, permits] = plan, left
        return left


def permitted(plan: Plan, asked: str, permits: Permits, places: Places) -> Plan:
    """What is left of the plan of the name `asked`; `places` are those under permitted keys."""
    named = is_named(plan, asked, permits)
    allowed = partial(_may_go, permits=permits, places=places, named=named)
    return plan if all(map(allowed, _everybody(plan))) else _without(plan, allowed)


def is_named(plan: Plan, asked: str, permits: Permits) -> bool:
    """Is all of the plan open, by its name?"""
    return not permits.models or any(any_matches(name, permits.models) for name in _names(plan, asked))


def _names(plan: Plan, asked: str) -> Iterator[str]:
    """By what the plan was asked for: the name, without what it says beside a model, and the route that it led to."""
    if plan.route:
        yield plan.route
    if not plan.default:
        yield asked
        yield asked.removesuffix(LATEST)
        if (split := split_suffix(asked)) is not None and plan.reasoning is not None:
            yield split[0]


def is_model(target: Target, permits: Permits) -> bool:
    """Is the target open by its model?"""
    return any_matches(target.model, permits.models) or any_matches(f"{target.provider}/{target.model}", permits.models)


def _may_go(target: Target, *, permits: Permits, places: Places, named: bool) -> bool:
    if permits.providers and target.provider not in permits.providers:
        return False
    if permits.keys and not places.of(target):
        return False
    return named or is_model(target, permits)


def _everybody(plan: Plan) -> Iterator[Target]:
    """All targets that a request of the plan may reach."""
    yield from plan.targets
    for tier in chain.from_iterable(branch.tiers for branch in plan.rules.branches):
        yield from tier.targets
    if plan.rules.shadow is not None:
        yield plan.rules.shadow.target


def _without(plan: Plan, allowed: Callable[[Target], bool]) -> Plan:
    rules, shadow = plan.rules, plan.rules.shadow
    branches = tuple(replace(branch, tiers=narrowed(branch.tiers, allowed)) for branch in rules.branches)
    shadow = shadow if shadow is not None and allowed(shadow.target) else None
    return replace(
        plan,
        tiers=narrowed(plan.tiers, allowed),
        because=f"{plan.because}; without what the client may not use",
        rules=replace(rules, branches=branches, shadow=shadow),
    )
