"""What becomes of a request tells of the place that it went to: that it is well, that it is not, or nothing.

A failure tells at once. An answer tells when it begins, and once more at its end, since who breaks off what was begun
is not well either. A client who leaves, or is at fault itself, or has no patience, tells nothing of anybody.
"""

from collections.abc import Sequence

from isthmus.core.errors import Blame, GatewayError, Kind, Rest
from isthmus.core.quota import Window
from isthmus.engine.exchange import AttemptRecord, Exchange
from isthmus.engine.live import Now
from isthmus.providers.quota_headers import OF_ACCOUNTS

CAUSE = 200
"""Characters of a failure that are kept with the rest it led to."""
_LIMITS = frozenset({Kind.UPSTREAM_LIMITED, Kind.QUOTA_SPENT})
MOMENT = 0.05
"""Seconds around a caller's own deadline, within which a silence is the caller's impatience."""


def note_failure(
    error: GatewayError,
    record: AttemptRecord,
    now: Now,
    at: float,
    *,
    time: float | None = None,
    until: float | None = None,
    counts: bool = False,
) -> None:
    """The try of `record` failed at `at`, in the clock's seconds, which is `time` in Unix seconds.

    `until` is when the caller wanted it to be over. `counts`: only tokens were to be counted, which has limits of its
    own.
    """
    health, place = now.board.health, record.place
    if counts and (error.rule.blame is Blame.CLIENT or error.kind in _LIMITS):
        health.left(place)
    elif error.rule.blame is Blame.CLIENT and error.upstream_status is not None:
        health.succeeded(place, record.began)
    elif error.rule.blame is Blame.CLIENT or (error.kind is Kind.TIMED_OUT and _impatient(at, until)):
        health.left(place)
    else:
        used_up = _used_up(error, record, now, at, time)
        now.board.meters.failed(place, at)
        health.failed(
            place,
            error.kind,
            _scope(error, record, now, used_up),
            at,
            hint=_hint(error, used_up),
            since=record.began,
            cause=(record.reason or "")[:CAUSE],
        )


def note_heard(record: AttemptRecord, now: Now, time: float, *, counts: bool) -> None:
    """The try is over, and its answer's headers came at Unix time `time`: they may tell of limits of the place.

    Where all of these have room again, a rest that the provider asked for is over.
    """
    place, at, health, quotas = record.place, record.heard_at, now.board.health, now.board.quotas
    quotas.told(place, record.heard, at, time)
    record.heard = ()
    if health.ailing and record.error is None and not counts and quotas.roomy(place, at):
        health.has_room(place, at)


def note_end(exchange: Exchange, now: Now, at: float) -> None:
    """The answer to `exchange` is over. A fault of its provider in the middle counts as one at its beginning does."""
    record, health, error = exchange.answered, now.board.health, exchange.error
    if record is None or exchange.cancelled:
        return
    if error is not None and error.rule.blame is Blame.UPSTREAM:
        record.error, record.reason = error.kind, record.reason or error.message[:500]
        note_failure(error, record, now, at)
    elif health.ailing:
        health.succeeded(record.place, record.began)


def _impatient(at: float, until: float | None) -> bool:
    return until is not None and at >= until - MOMENT


def _used_up(error: GatewayError, record: AttemptRecord, now: Now, at: float, time: float | None) -> Sequence[Window]:
    """The limits that the refusal itself tells are used up."""
    if time is None or error.kind not in _LIMITS or not record.heard:
        return ()
    quotas = now.board.quotas
    quotas.told(record.place, record.heard, at, time)
    return [window for window in quotas.of(record.place, at) if window.remaining <= 0]


def _hint(error: GatewayError, used_up: Sequence[Window]) -> float | None:
    """The seconds that the provider asks to wait: those it told, else until what is used up resets."""
    if error.retry_after is not None:
        return error.retry_after
    return max((window.reset for window in used_up if window.reset is not None), default=None)


def _scope(error: GatewayError, record: AttemptRecord, now: Now, used_up: Sequence[Window]) -> Rest:
    """What rests: as the kind of error says, unless the provider limits, or is reached, in a way of its own."""
    name, rest = record.target.provider, error.rule.rest
    provider = now.snapshot.providers.get(name)
    if provider is None:
        return rest
    of_account = provider.limits_account or any(window.measure in OF_ACCOUNTS for window in used_up)
    if error.kind is Kind.UPSTREAM_LIMITED and of_account:
        return Rest.CREDENTIAL
    own_way = now.snapshot.keyed(name, record.credential).origin.proxy != provider.origin.proxy
    return Rest.CREDENTIAL if rest is Rest.PROVIDER and own_way else rest
