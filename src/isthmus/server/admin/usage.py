"""What was used and what it cost: sums by whatever tells requests apart, as JSON, or as CSV for a spreadsheet."""

import csv
import io
from collections.abc import Mapping, Sequence

from msgspec.structs import asdict

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.value import Value
from isthmus.engine.records import By, Records, UsageQuery, UsageSum
from isthmus.server.admin.budgets import dollars
from isthmus.server.admin.call import AdminCall, Media, Role, Row
from isthmus.server.admin.desk import Desk, records_of
from isthmus.server.admin.queries import time, whole
from isthmus.server.admin.times import HOW, as_date
from isthmus.server.pages import Page
from isthmus.wire import json

DAY = 86_400.0
MOST = 10_000
"""Sums in one answer."""
CSV = b"text/csv; charset=utf-8"
_SUMMED = tuple(name for name in UsageSum.__struct_fields__ if name not in ("group", "at"))
_TIMES = frozenset({By.HOUR, By.DAY, By.MONTH})
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""


class Figures(Value, frozen=True, kw_only=True):
    """Sums over requests. Tokens are disjoint, dollars exact to a millionth; shares are parts of 1.

    `unpriced` are requests of models whose price nobody knows. Means are milliseconds, None over nothing.
    """

    requests: int
    failed: int
    cancelled: int
    failed_share: float
    input_tokens: int
    cached_tokens: int
    written_tokens: int
    output_tokens: int
    reasoning_tokens: int
    dollars: str
    unpriced: int
    mean_ms: float | None
    mean_first_ms: float | None


class Group(Figures, frozen=True, kw_only=True):
    """The sums of one group. `at` is when its hour, day or month begins, where it is by time."""

    group: Mapping[str, str]
    at: str | None = None


class Usage(Value, frozen=True, kw_only=True):
    """`since` and `until` as asked. `more`: there are groups beyond the limit; the total has them too."""

    since: str
    until: str
    by: tuple[str, ...]
    groups: tuple[Group, ...]
    total: Figures
    more: bool


async def usage(records: Records, query: UsageQuery) -> Usage:
    """The sums that are asked for, and those over all of them. Raises STORE_GONE."""
    one_more = UsageQuery(since=query.since, until=query.until, by=query.by, only=query.only, limit=query.limit + 1)
    found = await records.usage(one_more)
    if len(found) > query.limit:
        whole = await records.usage(UsageQuery(since=query.since, until=query.until, only=query.only))
    else:
        whole = _together(found)  # and not asked for: what was written since would be in one of them alone
    return Usage(
        since=as_date(query.since),
        until=as_date(query.until),
        by=query.by,
        groups=tuple(_group(one) for one in found[: query.limit]) if query.by else (),
        total=_figures(whole[0]) if whole else NOTHING,
        more=len(found) > query.limit,
    )


def _together(found: Sequence[UsageSum]) -> Sequence[UsageSum]:
    """One sum over all of these, or none over none."""
    sums = {name: sum(getattr(one, name) for one in found) for name in _SUMMED}
    return [UsageSum(group={}, at=None, **sums)] if found else []


def read_query(call: AdminCall) -> UsageQuery:
    """What the query asks for: the last 24 hours, where it does not say. Raises INVALID."""
    until = time(call, "until", call.time)
    since = time(call, "since", until - DAY)
    if since >= until:
        raise GatewayError(Kind.INVALID, "since must be before until", param="since")
    only = {by: tuple(names) for by in By if by not in _TIMES and (names := call.asked_all(by))}
    limit = whole(call, "limit", 1000, least=1, most=MOST)
    return UsageQuery(since=since, until=until, by=_by(call), only=only, limit=limit)


async def show(call: AdminCall, desk: Desk) -> Page:
    query = read_query(call)
    form = call.asked("format", "json")
    if form not in ("json", "csv"):
        raise GatewayError(Kind.INVALID, "format is json or csv", param="format")
    found = await usage(records_of(desk), query)
    return Page(200, json.encode(found)) if form == "json" else as_csv(found, query.by)


def _by(call: AdminCall) -> tuple[By, ...]:
    names = [name.strip() for said in call.asked_all("by") for name in said.split(",") if name.strip()]
    unknown = [name for name in names if name not in list(By)]
    if unknown:
        raise GatewayError(Kind.INVALID, f"use is summed up by {', '.join(By)}", param="by")
    return tuple(dict.fromkeys(By(name) for name in names))


def _figures(one: UsageSum) -> Figures:
    return Figures(
        requests=one.requests,
        failed=one.failed,
        cancelled=one.cancelled,
        failed_share=round(one.failed / one.requests, 6) if one.requests else 0.0,
        input_tokens=one.fresh_input,
        cached_tokens=one.cache_read,
        written_tokens=one.cache_write,
        output_tokens=one.output,
        reasoning_tokens=one.reasoning,
        dollars=dollars(one.microdollars),
        unpriced=one.unpriced,
        mean_ms=round(one.ms / one.requests, 1) if one.requests else None,
        mean_first_ms=round(one.first_ms / one.first_count, 1) if one.first_count else None,
    )


def _group(one: UsageSum) -> Group:
    at = None if one.at is None else as_date(one.at)
    return Group(**asdict(_figures(one)), group={str(by): name for by, name in one.group.items()}, at=at)


NOTHING = Figures(
    requests=0,
    failed=0,
    cancelled=0,
    failed_share=0.0,
    input_tokens=0,
    cached_tokens=0,
    written_tokens=0,
    output_tokens=0,
    reasoning_tokens=0,
    dollars="0.000000",
    unpriced=0,
    mean_ms=None,
    mean_first_ms=None,
)


def as_csv(found: Usage, by: Sequence[By]) -> Page:
    """A line a group, or one of the total; the same columns whatever was found."""
    names = [one for one in by if one not in _TIMES]
    figures = Figures.__struct_fields__
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([*(["at"] if len(names) < len(by) else []), *names, *figures])
    for one in found.groups if by else (found.total,):
        at = [one.at] if isinstance(one, Group) and one.at else []
        labels = [_plain(one.group.get(name, "")) for name in names] if isinstance(one, Group) else []
        writer.writerow([*at, *labels, *(_cell(getattr(one, name)) for name in figures)])
    disposition = ((b"content-disposition", b'attachment; filename="usage.csv"'),)
    return Page(200, out.getvalue().encode(), disposition, CSV)


def _cell(value: object) -> object:
    return "" if value is None else value


def _plain(name: str) -> str:
    """A name that no spreadsheet takes for a formula."""
    return f"'{name}" if name.startswith(_FORMULA) else name


ROWS = (
    Row(
        method="GET",
        path="/admin/usage",
        role=Role.VIEWER,
        handler=show,
        about="Requests, tokens, dollars and times, summed up.",
        gives=(Usage, Media("text/csv")),
        query={
            "since": f"From when: {HOW}. Without it: the day before until.",
            "until": "Before when. Without it: now.",
            "by": f"By what, separated by commas: {', '.join(By)}. Without it: the total alone.",
            **{by.value: f"Only this {by}; may be repeated." for by in By if by not in _TIMES},
            "limit": "At most so many groups.",
            "format": "json or csv.",
        },
    ),
)
