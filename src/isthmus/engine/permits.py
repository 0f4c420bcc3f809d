"""What a client may use. Asked once it is known what a request is for, and only of clients to whom not all is open."""

from collections.abc import Mapping

from msgspec.structs import replace

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.operations import Operation
from isthmus.engine.exchange import Exchange
from isthmus.engine.live import Now
from isthmus.engine.narrowing import is_model, is_named
from isthmus.engine.records import Permits
from isthmus.routing.plan import Plan

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
    exchange.plan = left = now.narrowed.of(plan, exchange.peek.model, permits, now.places)
    if not left.tiers and not any(branch.tiers for branch in left.rules.branches):
        raise nothing_permitted(permits, plan, exchange.peek.model)
    return now


def may_ask(name: str, permits: Permits, now: Now) -> bool:
    """Would anything be left for a request for `name`, which is one that is listed?"""
    places = now.places.only(permits.keys) if permits.keys else now.places
    left = now.narrowed.of(now.directory.plan(name), name, permits, places)
    return bool(left.tiers) or any(branch.tiers for branch in left.rules.branches)


def nothing_permitted(permits: Permits, plan: Plan, asked: str) -> GatewayError:
    """Why the client is turned away that asked for `asked`. It is told what it may use, never what else there is."""
    if is_named(plan, asked, permits) or any(is_model(target, permits) for target in plan.targets):
        words = f"this client key may not use any provider of {asked[:200]!r}"
    else:
        told = ", ".join(permits.models[:TOLD]) + (", ..." if len(permits.models) > TOLD else "")
        words = f"this client key may not use {asked[:200]!r}; its models are {told}"
    return GatewayError(Kind.FORBIDDEN, words, param="model")
