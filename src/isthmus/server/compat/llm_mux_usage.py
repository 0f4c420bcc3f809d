"""llm-mux's usage and log: the sums of the store and the lines of the ring, in its two shapes of an answer."""

from collections.abc import Mapping, Sequence

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.value import Value
from isthmus.engine.logs import LogQuery
from isthmus.engine.records import By, UsageQuery, UsageSum
from isthmus.server.admin.call import AdminCall
from isthmus.server.admin.configuration import configurer_of
from isthmus.server.admin.desk import Desk, logs_of, records_of
from isthmus.server.admin.queries import time, whole
from isthmus.server.admin.times import as_date

DAY = 86_400.0
DAYS = 30
"""Days that are summed up where nothing is said."""
MOST_DAYS = 400
MOST_LINES = 1000
_NAMED: Mapping[str, By] = {"by_provider": By.PROVIDER, "by_account": By.KEY, "by_model": By.MODEL}
_TIMED: Mapping[str, By] = {"by_day": By.DAY, "by_hour": By.HOUR}


class Tokens(Value, frozen=True):
    """Input has cached tokens in it, and output reasoning."""

    total: int
    input: int
    output: int
    reasoning: int


class Sums(Value, frozen=True):
    requests: int
    success: int
    failure: int
    tokens: Tokens


NOTHING = Sums(0, 0, 0, Tokens(0, 0, 0, 0))


async def usage(call: AdminCall, desk: Desk) -> object:
    """The answer of `/v0`: one object of sums, and how many requests failed."""
    told = await _sums(call, desk)
    total = _total(told["total"])
    days, hours = _timed(told["by_day"]), _timed(told["by_hour"])
    found = {
        "total_requests": total.requests,
        "success_count": total.success,
        "failure_count": total.failure,
        "total_tokens": total.tokens.total,
        **{name: _named(told[name]) for name in _NAMED},
        "requests_by_day": {at: one.requests for at, one in days.items()},
        "tokens_by_day": {at: one.tokens.total for at, one in days.items()},
        "requests_by_hour": {at: one.requests for at, one in hours.items()},
        "tokens_by_hour": {at: one.tokens.total for at, one in hours.items()},
    }
    return {"usage": found, "failed_requests": total.failure}


async def summary(call: AdminCall, desk: Desk) -> object:
    """The answer of `/v1`."""
    since, until = _period(call)
    told = await _sums(call, desk)
    total = _total(told["total"])
    return {
        "summary": {
            "total_requests": total.requests,
            "success_count": total.success,
            "failure_count": total.failure,
            "tokens": total.tokens,
        },
        **{name: _named(told[name]) for name in _NAMED},
        "timeline": {name: _timed(told[name]) for name in _TIMED},
        "period": {"from": as_date(since), "to": as_date(until), "retention_days": _retention(desk)},
    }


async def read_logs(call: AdminCall, desk: Desk) -> object:
    """Lines for people. `after` is a time in Unix seconds."""
    since = call.asked("after")
    after = float(since) if since.isascii() and since.isdigit() and len(since) < 12 else 0.0
    found = logs_of(desk).lines(LogQuery(since=after, limit=whole(call, "limit", 100, least=1, most=MOST_LINES)))
    latest = int(found[-1].at) if found else int(after)
    return {"lines": [line.text for line in found], "line-count": len(found), "latest-timestamp": latest}


async def clear_logs(call: AdminCall, desk: Desk) -> object:  # noqa: ARG001  a handler
    removed = logs_of(desk).clear()
    return {"success": True, "message": "Logs cleared successfully", "removed": removed}


async def _sums(call: AdminCall, desk: Desk) -> Mapping[str, Sequence[UsageSum]]:
    records, (since, until) = records_of(desk), _period(call)
    wanted: Mapping[str, tuple[By, ...]] = {
        "total": (),
        **{name: (by,) for name, by in (*_NAMED.items(), *_TIMED.items())},
    }
    return {
        name: await records.usage(UsageQuery(since=since, until=until, by=by, limit=10_000))
        for name, by in wanted.items()
    }


def _period(call: AdminCall) -> tuple[float, float]:
    """`from` and `to`, or the last `days`. Raises INVALID."""
    until = time(call, "to", call.time)
    days = whole(call, "days", DAYS, least=1, most=MOST_DAYS)
    since = time(call, "from", until - days * DAY)
    if since >= until:
        raise GatewayError(Kind.INVALID, "from must be before to", param="from")
    return since, until


def _one(found: UsageSum) -> Sums:
    taken = found.fresh_input + found.cache_read + found.cache_write
    said = found.output + found.reasoning
    failure = found.failed + found.cancelled
    tokens = Tokens(taken + said, taken, said, found.reasoning)
    return Sums(found.requests, found.requests - failure, failure, tokens)


def _total(found: Sequence[UsageSum]) -> Sums:
    return _one(found[0]) if found else NOTHING


def _named(found: Sequence[UsageSum]) -> Mapping[str, Sums]:
    return {next(iter(one.group.values())): _one(one) for one in found}


def _timed(found: Sequence[UsageSum]) -> Mapping[str, Sums]:
    return {as_date(one.at): _one(one) for one in found if one.at is not None}


def _retention(desk: Desk) -> object:
    store = configurer_of(desk).shown()["store"]
    return store.get("keep-sums-days") if isinstance(store, dict) else None
