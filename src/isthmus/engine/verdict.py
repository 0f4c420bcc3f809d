"""What becomes of a request tells of the place that it went to: that it is well, that it is not, or nothing.

A failure tells at once. An answer tells when it begins, and once more at its end, since who breaks off what was begun
is not well either. A client who leaves, or is at fault itself, or has no patience, tells nothing of anybody.
"""

from isthmus.core.errors import Blame, GatewayError, Kind, Rest
from isthmus.engine.exchange import AttemptRecord, Exchange
from isthmus.engine.live import Now

CAUSE = 200
"""Characters of a failure that are kept with the rest it led to."""
MOMENT = 0.05
"""Seconds around a caller's own deadline, within which a silence is the caller's impatience."""


def note_failure(
    error: GatewayError, record: AttemptRecord, now: Now, at: float, *, until: float | None = None
) -> None:
    """The try of `record` failed at `at`, in the clock's seconds. `until` is when the caller wanted it to be over."""
    health, place = now.board.health, record.place
    if error.rule.blame is Blame.CLIENT and error.upstream_status is not None:
        health.succeeded(place, record.began)
    elif error.rule.blame is Blame.CLIENT or (error.kind is Kind.TIMED_OUT and _impatient(at, until)):
        health.left(place)
    else:
        now.board.meters.failed(place, at)
        health.failed(
            place,
            error.kind,
            _scope(error, record, now),
            at,
            hint=error.retry_after,
            since=record.began,
            cause=(record.reason or "")[:CAUSE],
        )


def note_end(exchange: Exchange, now: Now, at: float) -> None:
    """The answer to `exchange` is over. A fault of its provider in the middle counts as one at its beginning does."""
    record, health, error = exchange.answered, now.board.health, exchange.error
    if record is None or exchange.cancelled:
        return
    if error is not None and error.rule.blame is Blame.UPSTREAM:
        record.error, record.reason = error.kind, error.message[:500]
        note_failure(error, record, now, at)
    elif health.ailing:
        health.succeeded(record.place, record.began)


def _impatient(at: float, until: float | None) -> bool:
    return until is not None and at >= until - MOMENT


def _scope(error: GatewayError, record: AttemptRecord, now: Now) -> Rest:
    """What rests: as the kind of error says, unless the provider limits, or is reached, in a way of its own."""
    name, rest = record.target.provider, error.rule.rest
    provider = now.snapshot.providers.get(name)
    if provider is None:
        return rest
    if error.kind is Kind.UPSTREAM_LIMITED and provider.limits_account:
        return Rest.CREDENTIAL
    own_way = now.snapshot.keyed(name, record.credential).origin.proxy != provider.origin.proxy
    return Rest.CREDENTIAL if rest is Rest.PROVIDER and own_way else rest
