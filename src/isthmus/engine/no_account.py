"""Whether a request failed because none of the accounts that its name leads to can be asked under.

Decides only what is told; who is asked is the business of the walk.
"""

from collections.abc import Iterable

from isthmus.core.errors import NO_ACCOUNT_WORDS, GatewayError, Kind
from isthmus.engine.exchange import Exchange
from isthmus.engine.live import Now
from isthmus.providers.provider import Provider
from isthmus.routing.health import Place

_CREDENTIALS = frozenset({Kind.CREDENTIAL_REJECTED, Kind.CREDENTIAL_REVOKED})
_LIMITS = frozenset({Kind.UPSTREAM_LIMITED, Kind.QUOTA_SPENT})


def without_accounts(
    exchange: Exchange, now: Now, places: Iterable[Place], at: float, failure: GatewayError | None
) -> GatewayError | None:
    """The error to tell in place of `failure`, which is the last one, at `at` in the clock's seconds.

    None where the name leads to anybody else than accounts of issuers, or where they failed for another reason than
    their tokens. `places` are all that could have been asked; where one of them rests for a limit, that is told.
    """
    if exchange.plan is None or (failure is not None and failure.kind not in _CREDENTIALS):
        return None
    providers = now.snapshot.providers
    if not all(_signed_in(providers.get(one.provider)) for one in exchange.plan.targets):
        return None
    if failure is None and any(True for _ in places):
        return None
    rests = [now.board.health.worst(place, at) for place in places]
    ends = [rest.until for rest in rests if rest is not None and rest.kind in _LIMITS]
    if ends:
        return limited(min(ends) - at)
    return GatewayError(Kind.NO_ACCOUNT, NO_ACCOUNT_WORDS)


def _signed_in(provider: Provider | None) -> bool:
    """Is it asked under accounts alone?"""
    return provider is not None and bool(provider.issuer) and provider.secret is None


def limited(seconds: float) -> GatewayError:
    """All places rest, and the first is back in so many seconds."""
    words = f"every provider of this model rests, as it asked; the first is back in {seconds:.0f} s"
    return GatewayError(Kind.UPSTREAM_LIMITED, words, retry_after=seconds)
