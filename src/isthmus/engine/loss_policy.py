"""May this request lose something on its way? Who says so, and how a refusal reads."""

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.losses import Losses, OnLoss
from isthmus.engine.exchange import Exchange
from isthmus.engine.snapshot import Snapshot
from isthmus.wire.headers import find

HEADER = b"x-isthmus-on-loss"
NAMED = 20
"""Losses that a refusal names; further ones are counted."""


def check_losses(exchange: Exchange, snapshot: Snapshot) -> None:
    """Raise UNSUPPORTED when something was lost and nothing may be. Raises INVALID for a word nobody knows."""
    if exchange.losses.found and on_loss(exchange, snapshot) is OnLoss.REFUSE:
        raise GatewayError(Kind.UNSUPPORTED, _refusal(exchange.losses))


def on_loss(exchange: Exchange, snapshot: Snapshot) -> OnLoss:
    """The request's own word, else its client key's, else its route's, else the gateway's."""
    said = find(exchange.call.headers, HEADER)
    if said is not None:
        return _read(said)
    if exchange.client.on_loss is not None:
        return exchange.client.on_loss
    route = exchange.plan.name if exchange.plan is not None else ""
    return snapshot.route_on_loss.get(route, snapshot.on_loss)


def _read(said: bytes) -> OnLoss:
    try:
        return OnLoss(said.strip().decode("latin-1").lower())
    except ValueError:
        raise GatewayError(Kind.INVALID, "the header x-isthmus-on-loss must be 'allow' or 'refuse'") from None


def _refusal(losses: Losses) -> str:
    named = "; ".join(f"{one.path} would be {one.deed} ({one.reason})" for one in losses.found[:NAMED])
    more = len(losses.found) - NAMED + losses.more
    rest = f"; and {more} more" if more > 0 else ""
    return f"this request cannot be said in full to its provider, and losses are to be refused: {named}{rest}"
