"""Why a place is asked, asked later or skipped, in plain words. Names and seconds only; decides nothing."""

from collections.abc import Mapping

from isthmus.core.errors import Kind
from isthmus.routing.health import Resting, State
from isthmus.routing.places import PoolStrategy
from isthmus.routing.plan import Strategy

ORDERED: Mapping[Strategy, str] = {
    Strategy.FIRST: "the targets stand as the configuration lists them, and the keys of each take turns",
    Strategy.ROUND_ROBIN: "all places of the tier take turns",
    Strategy.WEIGHTED: "the tier's weights share its requests out",
    Strategy.LEAST_BUSY: "the place with the fewest running requests comes first",
    Strategy.FASTEST: "the place that answers soonest comes first",
    Strategy.LEAST_ERROR: "the place that fails least comes first",
    Strategy.CHEAPEST: "the cheapest place comes first",
    Strategy.HYBRID: "the place with the least weighted sum of use, errors, time and price comes first",
    Strategy.STICKY: "the tier stays with one place until that fails",
    Strategy.FILL_FIRST: "the first place that has room comes first",
}
"""How each strategy orders the places of a tier."""
POOLED: Mapping[PoolStrategy, str] = {
    PoolStrategy.ROUND_ROBIN: "the keys of its provider take turns",
    PoolStrategy.STICKY: "its provider's pool stays with one key until that rests for more than a moment",
    PoolStrategy.FILL_FIRST: "its provider's pool begins with the first key that is well",
}
"""How each strategy orders the keys of a pool."""
AS_LISTED = "the targets stand as the configuration lists them"
_CAUSES: Mapping[Kind, str] = {
    Kind.UPSTREAM_LIMITED: "its rate limit was reached",
    Kind.QUOTA_SPENT: "its quota is spent",
    Kind.CREDENTIAL_REJECTED: "its key was refused",
    Kind.CREDENTIAL_REVOKED: "its key was revoked",
    Kind.OVERLOADED: "it was overloaded",
    Kind.UNREACHABLE: "it could not be reached",
    Kind.TIMED_OUT: "it took too long",
    Kind.GARBLED: "its answer made no sense",
    Kind.CUT_SHORT: "its answer broke off",
    Kind.UPSTREAM_FAULT: "it had a fault of its own",
    Kind.EMPTY: "its answer was empty",
}
NOT_PERMITTED = "the client key that asks may not use it"
WELL = "it is well"
TRIAL = "its rest is over, and this request is the one that finds out whether it is well"
TRIED = "its rest is over, but another request is just finding out whether it is well"
AFFINITY = "it answered this conversation before (affinity)"
NEARLY_SPENT = "its provider tells that little is left of its limits there, so it stands behind the others of its tier"
NO_RETRIES = "this request failed at its provider, whose share of repeated requests is used up"
LEAST_BAD = "nobody is left that is well"
WAITED = "the request waits for it"
NO_TURN = "its turn does not come"
TOO_LONG = "that is longer than the request may wait"


def health_words(state: State, rest: Resting | None, now: float) -> str:
    """How a place is at `now`; `rest` is the one that keeps it from being asked."""
    if state is State.READY:
        return WELL
    if state is State.TRIAL:
        return TRIAL
    return TRIED if rest is None else rest_words(rest, now)


def rest_words(rest: Resting, now: float) -> str:
    """Who rests, how long, and why."""
    place = rest.place
    whole = "" if place.model else f"all of the key {place.credential} " if place.credential else "all of the provider "
    why = _CAUSES.get(rest.kind, "it failed")
    asked = ", as the provider asked" if rest.hinted else ""
    times = f" {rest.failures} times in a row" if rest.failures > 1 else ""
    return f"{whole or 'it '}rests for another {seconds(rest.until - now)}{asked}: {why}{times}"


def not_allowed(credential: str, model: str) -> str:
    """A key that may not serve the model."""
    return f"the key {credential} may not serve {model} (its models are listed in the configuration)"


def near_limit(share: float) -> str:
    """A place that has used most of a limit."""
    return f"it has used {share * 100:.0f} % of one of its limits, so it stands behind the others of its tier"


def no_room(limit: str) -> str:
    """A place for which a limit of ours has no room."""
    return f"its limit is used up: {limit}"


def beyond(attempts: int) -> str:
    """A place that no request gets to."""
    return f"one request tries {attempts} times at most (limits.attempts)"


def seconds(number: float) -> str:
    """A time for people."""
    return f"{max(0.0, number):.1f} s" if number < 10 else f"{number:.0f} s"
