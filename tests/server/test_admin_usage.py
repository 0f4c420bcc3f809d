"""What was used is told in sums, as JSON and as CSV."""

from collections.abc import Sequence
from typing import Any

import pytest

from fakes.records import FakeRecords
from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.management import Actor, Role
from isthmus.engine.records import By, UsageQuery, UsageSum, Used
from isthmus.server.admin import usage as resource
from isthmus.server.admin.call import AdminCall
from isthmus.server.admin.usage import NOTHING, read_query, usage
from isthmus.wire import json

NOON = 1_767_268_800.0
"""2026-01-01T12:00:00Z."""


def used(number: int, *, at: float, model: str = "gpt-5", microdollars: int | None = 10, **more: Any) -> Used:
    fields: dict[str, Any] = {
        "id": f"ex_{number}", "at": at, "client": "ada", "team": "", "provider": "openai", "key": "main",
        "model": model, "asked": model,
        "dialect": "openai_chat", "operation": "chat", "lane": "passthrough", "stream": False,
        "outcome": "answered", "status": 200, "error": "", "attempts": 1, "fresh_input": 100, "cache_read": 20,
        "cache_write": 3, "output": 40, "reasoning": 5, "microdollars": microdollars, "ms": 300.0, "first_ms": 100.0,
    }  # fmt: skip
    return Used(**{**fields, **more})


def kept(*rows: Used) -> FakeRecords:
    records = FakeRecords()
    records.use(rows)
    return records


def call(query: bytes) -> AdminCall:
    return AdminCall(
        method="GET", path="/admin/usage", params={}, query=query, headers=(), body=b"", peer="127.0.0.1",
        actor=Actor("ada", Role.VIEWER), at=0.0, time=NOON,
    )  # fmt: skip


async def told(records: FakeRecords, query: bytes) -> Any:
    return json.decode(json.encode(await usage(records, read_query(call(query)))))


async def test_a_group_is_the_sum_of_its_requests() -> None:
    records = kept(used(1, at=NOON - 60), used(2, at=NOON - 30, outcome="failed", first_ms=None))
    [group] = (await told(records, b"by=model"))["groups"]
    assert group == {
        "group": {"model": "gpt-5"},
        "at": None,
        "requests": 2,
        "failed": 1,
        "cancelled": 0,
        "failed_share": 0.5,
        "input_tokens": 200,
        "cached_tokens": 40,
        "written_tokens": 6,
        "output_tokens": 80,
        "reasoning_tokens": 10,
        "dollars": "0.000020",
        "unpriced": 0,
        "mean_ms": 300.0,
        "mean_first_ms": 100.0,
    }


async def test_the_total_is_over_groups_that_the_limit_leaves_out_too() -> None:
    records = kept(used(1, at=NOON - 60), used(2, at=NOON - 60, model="other"))
    found = await told(records, b"by=model&limit=1")
    assert (len(found["groups"]), found["more"], found["total"]["requests"]) == (1, True, 2)


async def test_what_is_written_while_it_is_asked_for_is_in_the_total_as_in_the_groups() -> None:
    class Busy(FakeRecords):
        async def usage(self, query: UsageQuery) -> Sequence[UsageSum]:
            found = await super().usage(query)
            self.use([used(number, at=NOON - 60) for number in range(6, 12)])
            return found

    records = Busy()
    records.use([used(number, at=NOON - 60, model=f"m-{number % 2}") for number in range(6)])
    found = await usage(records, read_query(call(b"by=model")))
    assert [one.requests for one in found.groups] == [3, 3]
    assert (found.total.requests, found.total.dollars, found.total.mean_ms) == (6, "0.000060", 300.0)


async def test_groups_by_time_tell_when_they_begin() -> None:
    records = kept(used(1, at=NOON - 3601), used(2, at=NOON - 3600), used(3, at=NOON - 1))
    groups = (await told(records, b"by=hour"))["groups"]
    assert [(group["at"], group["requests"]) for group in groups] == [
        ("2026-01-01T10:00:00Z", 1),
        ("2026-01-01T11:00:00Z", 2),
    ]


async def test_only_what_is_asked_for_is_summed_up() -> None:
    records = kept(used(1, at=NOON - 60), used(2, at=NOON - 60, client="grace"), used(3, at=NOON - 60, client="kay"))
    assert (await told(records, b"client=grace&client=kay"))["total"]["requests"] == 2


async def test_without_times_it_is_the_last_day() -> None:
    records = kept(used(1, at=NOON - 86_399), used(2, at=NOON - 86_401))
    found = await told(records, b"")
    assert (found["since"], found["until"]) == ("2025-12-31T12:00:00Z", "2026-01-01T12:00:00Z")
    assert found["total"]["requests"] == 1


async def test_where_nothing_was_used_the_total_is_nothing() -> None:
    assert (await usage(kept(), read_query(call(b"")))).total == NOTHING


@pytest.mark.parametrize(
    ("query", "since"),
    [
        (b"since=90m", NOON - 5400),
        (b"since=7d", NOON - 604_800),
        (b"since=2026-01-01", NOON - 43_200),
        (b"since=2026-01-01T01:00:00%2B01:00", NOON - 43_200),
        (b"since=1700000000.5", 1_700_000_000.5),
        (b"since=0", 0.0),
    ],
)
def test_a_time_is_a_date_a_moment_unix_seconds_or_how_long_ago(query: bytes, since: float) -> None:
    assert read_query(call(query)).since == since


@pytest.mark.parametrize(
    ("query", "param"),
    [
        (b"since=yesterday", "since"),
        (b"since=inf", "since"),
        (b"until=-1", "until"),
        (b"until=1e9", "until"),
        (b"until=2025-01-01&since=2026-01-01", "since"),
        (b"by=colour", "by"),
        (b"limit=0", "limit"),
        (b"limit=99999", "limit"),
    ],
)
def test_a_wrong_question_is_told_which_field_is_wrong(query: bytes, param: str) -> None:
    with pytest.raises(GatewayError) as refused:
        read_query(call(query))
    assert (refused.value.kind, refused.value.param) == (Kind.INVALID, param)


def test_what_it_is_summed_up_by_is_named_once_however_it_is_written() -> None:
    assert read_query(call(b"by=model,client&by=model")).by == (By.MODEL, By.CLIENT)


async def test_a_spreadsheet_gets_the_same_columns_whatever_was_found() -> None:
    page = resource.as_csv(await usage(kept(used(1, at=NOON - 60)), read_query(call(b"by=model"))), (By.MODEL,))
    head, line, end = page.body.decode().split("\r\n")
    assert head.startswith("model,requests,failed,cancelled,failed_share,input_tokens")
    assert line == "gpt-5,1,0,0,0.0,100,20,3,40,5,0.000010,0,300.0,100.0"
    assert end == ""


async def test_a_name_is_no_formula_in_a_spreadsheet() -> None:
    records = kept(used(1, at=NOON - 60, model="=HYPERLINK(1)"))
    page = resource.as_csv(await usage(records, read_query(call(b"by=model"))), (By.MODEL,))
    assert b"\r\n'=HYPERLINK(1),1," in page.body


async def test_a_store_out_of_reach_is_told() -> None:
    records = kept()
    records.gone = True
    with pytest.raises(GatewayError) as refused:
        await usage(records, read_query(call(b"")))
    assert refused.value.kind is Kind.STORE_GONE
