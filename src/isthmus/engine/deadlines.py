"""How long a request may take: as its caller says, as its route does, and as each provider does."""

from msgspec.structs import asdict, replace

from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.exchange import Exchange
from isthmus.providers.provider import Provider
from isthmus.routing.plan import Timing

TIMEOUT = b"x-isthmus-timeout"


def deadline(exchange: Exchange) -> float | None:
    """When the answer is to be over, in the clock's seconds: by the caller's word or the route's, whichever is sooner.

    Raises INVALID for a wrong header.
    """
    said, timing = exchange.call.said.get(TIMEOUT), timing_of(exchange)
    total = None if timing is None else timing.total
    if said is not None:
        seconds = _read(said)
        total = seconds if total is None else min(seconds, total)
    return None if total is None else exchange.started_at + total


def timing_of(exchange: Exchange) -> Timing | None:
    """What the exchange's route says of deadlines."""
    return None if exchange.plan is None else exchange.plan.rules.timing


def within(provider: Provider, timing: Timing | None, left: float | None) -> Provider:
    """The provider with the deadlines of a route in place of its own, and at most the seconds that are `left`.

    Raises TIMED_OUT when none are.
    """
    if left is not None and left <= 0:
        raise GatewayError(Kind.TIMED_OUT, "the time that this request may take is over")
    own = provider.deadlines
    if timing is not None:
        own = replace(own, **{phase: seconds for phase, seconds in asdict(timing).items() if seconds is not None})
    if left is not None:
        own = replace(own, total=left if own.total is None else min(left, own.total))
    return replace(provider, deadlines=own)


def _read(said: bytes) -> float:
    try:
        seconds = float(said)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds < float("inf"):
        raise GatewayError(Kind.INVALID, "the header x-isthmus-timeout must be a number of seconds above 0")
    return seconds
