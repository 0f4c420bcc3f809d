"""The log's latest lines over the admin API: read, cleared, followed; and the exchanges that the store has."""

import pytest

from fakes.records import FakeRecords
from isthmus.engine.records import Used
from isthmus.telemetry.ring import Ring
from isthmus.wire import json
from support.administering import Managed
from support.asgi import Visit


def message(words: str, level: str = "info") -> tuple[float, str, bytes]:
    fields = {"at": "2026-01-02T03:04:05.000Z", "level": level, "logger": "isthmus", "message": words}
    return 1_767_323_045.0, level, json.encode(fields)


def managed(*lines: tuple[float, str, bytes], ring: Ring | None = None, **how: object) -> Managed:
    ring = ring or Ring()
    ring.put(lines)
    return Managed().at_desk(logs=ring, **how)


def numbers(visit: Visit) -> list[int]:
    return [line["number"] for line in json.decode(visit.body)["lines"]]


async def test_the_latest_lines_are_told_with_their_fields_and_in_words() -> None:
    visit = await managed(message("one"), message("two", "error")).ask("GET", "/admin/logs")
    told = json.decode(visit.body)
    assert told["last"] == 2
    assert told["lines"][1] == {
        "number": 2,
        "at": "2026-01-02T03:04:05Z",
        "level": "error",
        "text": "2026-01-02T03:04:05.000Z error two",
        "fields": {"at": "2026-01-02T03:04:05.000Z", "level": "error", "logger": "isthmus", "message": "two"},
    }


async def test_lines_as_text_are_one_below_the_other() -> None:
    visit = await managed(message("one"), message("two")).ask("GET", "/admin/logs?format=text")
    assert visit.headers[b"content-type"] == b"text/plain; charset=utf-8"
    assert [line.split()[-1] for line in visit.body.decode().splitlines()] == ["one", "two"]


@pytest.mark.parametrize(
    ("query", "found"),
    [("after=1", [2, 3]), ("limit=1", [3]), ("level=error", [2]), ("since=1767323046", []), ("client=alice", [])],
)
async def test_a_query_asks_for_some_of_them(query: str, found: list[int]) -> None:
    gateway = managed(message("one"), message("two", "error"), message("three"))
    assert numbers(await gateway.ask("GET", f"/admin/logs?{query}")) == found


@pytest.mark.parametrize(
    "query", ["after=x", "after=-1", "limit=0", "limit=1001", "limit=٣", "level=loud", "format=xml", "since=nan"]
)
async def test_a_query_that_cannot_be_read_is_refused_and_its_field_is_named(query: str) -> None:
    visit = await managed().ask("GET", f"/admin/logs?{query}")
    assert visit.status == 400
    assert query.partition("=")[0] in json.decode(visit.body)["error"]["message"]


async def test_lines_that_were_cleared_are_counted_and_gone() -> None:
    gateway = managed(message("one"), message("two"))
    assert json.decode((await gateway.ask("DELETE", "/admin/logs")).body) == {"cleared": 2}
    assert numbers(await gateway.ask("GET", "/admin/logs")) == []


async def test_without_a_ring_it_is_said_that_none_is_kept() -> None:
    assert (await Managed().ask("GET", "/admin/logs")).status == 501


async def followed(visit: Visit, words: bytes) -> bytes:
    """What the stream has said once it has said these words; the client then leaves."""
    await visit.until(lambda seen: words in seen.body)
    visit.leave()
    return (await visit.done()).body


async def test_lines_are_followed_from_now_on() -> None:
    ring = Ring()
    visit = managed(message("before"), ring=ring).visit("GET", "/admin/logs/stream")
    await visit.until(lambda seen: bool(seen.status))
    ring.put([message("after")])
    body = await followed(visit, b"after")
    assert visit.headers[b"content-type"] == b"text/event-stream"
    assert body == b"id: 2\ndata: " + message("after")[2] + b"\n\n"


@pytest.mark.parametrize("header", [(), ((b"last-event-id", b"1"),)])
async def test_lines_are_followed_from_where_the_reader_was(header: tuple[tuple[bytes, bytes], ...]) -> None:
    target = "/admin/logs/stream" if header else "/admin/logs/stream?after=1"
    body = await followed(managed(message("one"), message("two")).visit("GET", target, *header), b"two")
    assert body.startswith(b"id: 2\n")


async def test_followed_lines_may_be_words() -> None:
    target = "/admin/logs/stream?after=0&format=text&level=error"
    body = await followed(managed(message("one"), message("two\r\nthree", "error")).visit("GET", target), b"three")
    assert body == b"id: 2\ndata: 2026-01-02T03:04:05.000Z error two  three\n\n"


async def test_who_follows_is_done_when_the_gateway_stops() -> None:
    ring = Ring()
    visit = managed(ring=ring).visit("GET", "/admin/logs/stream")
    await visit.until(lambda seen: bool(seen.status))
    ring.close()
    assert (await visit.done()).status == 200


async def test_too_many_readers_are_told_so() -> None:
    ring = Ring(followers=0)
    assert (await managed(ring=ring).ask("GET", "/admin/logs/stream")).status == 503


def used(number: int, **fields: object) -> Used:
    told = {
        "id": f"ex_{number}", "at": float(number), "client": "alice", "team": "", "provider": "one", "key": "",
        "model": "m", "asked": "m", "dialect": "openai", "operation": "chat", "lane": "patch", "stream": False,
        "outcome": "answered", "status": 200, "error": "", "attempts": 1, "fresh_input": 1, "cache_read": 0,
        "cache_write": 0, "output": 1, "reasoning": 0, "microdollars": 5, "ms": 1.0, "first_ms": None,
    }  # fmt: skip
    return Used(**(told | fields))  # type: ignore[arg-type] # fields by name


def kept() -> Managed:
    records = FakeRecords()
    records.use([used(1), used(2, client="bob", outcome="failed"), used(3), used(4, provider="two")])
    return managed(records=records)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["ex_4", "ex_3", "ex_2", "ex_1"]),
        ("?client=alice&provider=one", ["ex_3", "ex_1"]),
        ("?provider=one&provider=two&limit=2", ["ex_4", "ex_3"]),
        ("?failed=true", ["ex_2"]),
        ("?before=3", ["ex_2", "ex_1"]),
    ],
)
async def test_exchanges_are_told_the_latest_first(query: str, found: list[str]) -> None:
    told = json.decode((await kept().ask("GET", f"/admin/exchanges{query}")).body)
    assert [one["id"] for one in told["exchanges"]] == found


async def test_a_page_of_exchanges_says_how_to_ask_for_the_next() -> None:
    told = json.decode((await kept().ask("GET", "/admin/exchanges?limit=2")).body)
    assert told["before"] == 3.0
    told = json.decode((await kept().ask("GET", "/admin/exchanges?limit=3&before=3")).body)
    assert told["before"] is None


async def test_without_a_store_it_is_said_that_no_exchange_is_kept() -> None:
    assert (await managed(records=None).ask("GET", "/admin/exchanges")).status == 501
