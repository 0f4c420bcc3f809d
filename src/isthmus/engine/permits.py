"""What a client may use. Asked once it is known what a request is for, and only of clients to whom not all is open.

A name that is asked for opens all that it leads to: a route or an alias, and what comes after them, are the
operator's word. Where the name is not permitted, those of its targets are left whose model is, by the name of the
model or as PROVIDER/MODEL. The default model is asked in place of a name, so the name does not open it. Providers
and upstream keys that are not permitted are not asked, whatever the name.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import chain

from msgspec.structs import replace

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.operations import Operation
from isthmus.engine.exchange import Exchange
from isthmus.engine.live import Now
from isthmus.engine.records import Permits
from isthmus.routing.names import LATEST
from isthmus.routing.naming import any_matches
from isthmus.routing.places import Places
from isthmus.routing.plan import Plan, Target, narrowed
from isthmus.routing.suffixes import split_suffix

OPERATIONS: Mapping[Operation, str] = {
    Operation.CHAT: "chat",
    Operation.EMBED: "embed",
    Operation.COUNT_TOKENS: "count",
}
"""What an operation is called in Permits."""
TOLD = 10
"""Names of models that a refusal tells."""


def check_operation(exchange: Exchange) -> None:
    """Raises FORBIDDEN where the client may not ask this of any model."""
    permits = exchange.client.permits
    name = OPERATIONS[exchange.call.codec.operation]
    if permits is not None and permits.operations and name not in permits.operations:
        words = f"this client key may not {name}; it may {', '.join(permits.operations)}"
        raise GatewayError(Kind.FORBIDDEN, words)


def hold_to_permits(exchange: Exchange, now: Now) -> Now:
    """Leave of the exchange's plan what its client may use; what it then runs on. Raises FORBIDDEN for nothing."""
    permits, plan = exchange.client.permits, exchange.plan
    assert permits is not None  # noqa: S101  it was looked at
    assert plan is not None  # noqa: S101  it was planned
    assert exchange.peek is not None  # noqa: S101  and looked at before
    check_operation(exchange)
    if permits.keys:
        now = replace(now, places=now.places.only(permits.keys))
    exchange.plan = left = permitted(plan, exchange.peek.model, permits, now.places)
    if not left.tiers and not any(branch.tiers for branch in left.rules.branches):
        raise nothing_permitted(permits, plan, exchange.peek.model)
    return now


def permitted(plan: Plan, asked: str, permits: Permits, places: Places) -> Plan:
    """What is left of the plan of the name `asked`; `places` are those under permitted keys."""
    named = _any_matches(_names(plan, asked), permits.models)
    allowed = partial(_may_go, permits=permits, places=places, named=named)
    return plan if all(map(allowed, _everybody(plan))) else _without(plan, allowed)


def may_ask(name: str, permits: Permits, now: Now) -> bool:
    """Would anything be left for a request for `name`, which is one that is listed?"""
    places = now.places.only(permits.keys) if permits.keys else now.places
    left = permitted(now.directory.plan(name), name, permits, places)
    return bool(left.tiers) or any(branch.tiers for branch in left.rules.branches)


def nothing_permitted(permits: Permits, plan: Plan, asked: str) -> GatewayError:
    """Why the client is turned away that asked for `asked`. It is told what it may use, never what else there is."""
    named = _any_matches(_names(plan, asked), permits.models)
    if any(named or _is_model(target, permits) for target in plan.targets):
        words = f"this client key may not use any provider of {asked[:200]!r}"
    else:
        told = ", ".join(permits.models[:TOLD]) + (", ..." if len(permits.models) > TOLD else "")
        words = f"this client key may not use {asked[:200]!r}; its models are {told}"
    return GatewayError(Kind.FORBIDDEN, words, param="model")


def _names(plan: Plan, asked: str) -> Iterator[str]:
    """By what the plan was asked for: the name, without what it says beside a model, and the route that it led to."""
    if plan.route:
        yield plan.route
    if not plan.default:
        yield asked
        yield asked.removesuffix(LATEST)
        if (split := split_suffix(asked)) is not None and plan.reasoning is not None:
            yield split[0]


def _any_matches(names: Iterator[str], patterns: tuple[str, ...]) -> bool:
    return not patterns or any(any_matches(name, patterns) for name in names)


def _is_model(target: Target, permits: Permits) -> bool:
    return any_matches(target.model, permits.models) or any_matches(f"{target.provider}/{target.model}", permits.models)


def _may_go(target: Target, *, permits: Permits, places: Places, named: bool) -> bool:
    if permits.providers and target.provider not in permits.providers:
        return False
    if permits.keys and not places.of(target):
        return False
    return named or _is_model(target, permits)


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
