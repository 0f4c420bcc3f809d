"""The latest lines of the log are kept within bounds, found by what they say, and followed while they are written."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Sequence

import pytest

from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.logs import LogLine, LogQuery
from isthmus.telemetry.ring import Ring
from isthmus.wire import json

SOON = 5.0
"""Seconds within which what was written is told."""


def exchange(**fields: object) -> bytes:
    told = {
        "at": "2026-01-02T03:04:05.678Z",
        "level": "info",
        "event": "exchange",
        "id": "ex_1",
        "client": "alice",
        "path": "/v1/chat/completions",
        "dialect": "openai",
        "model": "fast",
        "target": "groq/llama",
        "lane": "patch",
        "status": 200,
        "outcome": "answered",
        "ms": 12.5,
        "version": 1,
    }
    return json.encode(told | fields)


def filled(*lines: bytes, **how: int) -> Ring:
    ring = Ring(**how)
    ring.put([(float(number), "info", line) for number, line in enumerate(lines, 1)])
    return ring


def numbers(lines: Sequence[LogLine]) -> list[int]:
    return [line.number for line in lines]


def test_the_latest_lines_are_told_the_oldest_first() -> None:
    assert numbers(filled(b"{}", b"{}", b"{}").lines(LogQuery(limit=2))) == [2, 3]


def test_lines_above_a_number_are_told() -> None:
    assert numbers(filled(b"{}", b"{}", b"{}").lines(LogQuery(after=2))) == [3]


def test_a_number_of_a_gateway_that_ran_before_counts_as_none() -> None:
    assert numbers(filled(b"{}", b"{}").lines(LogQuery(after=700))) == [1, 2]


def test_lines_since_a_time_are_told() -> None:
    assert numbers(filled(b"{}", b"{}", b"{}").lines(LogQuery(since=2.0))) == [2, 3]


def test_more_lines_than_it_may_hold_push_out_the_oldest_and_keep_their_numbers() -> None:
    assert numbers(filled(*[b"{}"] * 5, lines=3).lines()) == [3, 4, 5]


def test_more_bytes_than_it_may_hold_push_out_the_oldest() -> None:
    assert numbers(filled(b"x" * 60, b"x" * 30, b"x" * 60, size=100).lines()) == [2, 3]


def test_what_was_cleared_is_counted_and_gone_and_numbers_go_on() -> None:
    ring = filled(b"{}", b"{}")
    assert ring.clear() == 2
    ring.put([(3.0, "info", b"{}")])
    assert numbers(ring.lines()) == [3]


def test_a_level_asks_for_lines_that_matter_as_much() -> None:
    ring = Ring()
    ring.put([(1.0, level, b"{}") for level in ("debug", "info", "warning", "error", "critical")])
    assert [line.level for line in ring.lines(LogQuery(level="warning"))] == ["warning", "error", "critical"]


NAMED = (
    exchange(),
    exchange(client="bob", model="slow", target="openai/gpt-5.5"),
    exchange(model='a "client":"bob" in a name', target="openai/slow"),
    json.encode({"at": "-", "level": "info", "logger": "isthmus", "message": '"client":"bob"'}),
)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (LogQuery(client="bob"), [2]),
        (LogQuery(client="bo"), []),
        (LogQuery(provider="openai"), [2, 3]),
        (LogQuery(provider="open"), []),
        (LogQuery(model="slow"), [2, 3]),
        (LogQuery(model="gpt-5.5"), [2]),
        (LogQuery(model="gpt-5x5"), []),
        (LogQuery(client="alice", provider="groq", model="fast"), [1]),
        (LogQuery(client="bob", provider="groq"), []),
    ],
)
def test_names_ask_for_the_exchanges_that_they_fit(query: LogQuery, found: list[int]) -> None:
    assert numbers(filled(*NAMED).lines(query)) == found


def test_a_line_of_an_exchange_has_words_for_people() -> None:
    words = "2026-01-02T03:04:05.678Z 200 /v1/chat/completions fast -> groq/llama (patch) 12.5 ms"
    assert filled(exchange()).lines()[0].text == words


def test_a_message_has_words_for_people() -> None:
    line = json.encode({"at": "now", "level": "error", "logger": "isthmus.app", "message": "all is\nlost"})
    assert filled(line).lines()[0].text == "now error all is lost"


def test_no_client_commands_the_terminal_that_shows_its_line() -> None:
    text = filled(exchange(model="red \x1b[31m\r\n\x9b2J\u2028\u00e9")).lines()[0].text
    assert " red  [31m   2J \u00e9 -> " in text


async def told(feed: AsyncIterator[Sequence[LogLine]]) -> Sequence[LogLine]:
    async with asyncio.timeout(SOON):
        return await anext(feed)


async def test_who_follows_is_told_what_is_there_and_then_what_is_written() -> None:
    ring = filled(b"{}", b"{}")
    feed = ring.follow(LogQuery(after=1))
    assert numbers(await told(feed)) == [2]
    asyncio.get_running_loop().call_soon(ring.put, [(3.0, "info", b"{}")])
    assert numbers(await told(feed)) == [3]


async def test_a_line_from_another_thread_wakes_who_follows() -> None:
    ring = filled(b"{}")
    feed = ring.follow(LogQuery(after=1))
    waiting = asyncio.ensure_future(told(feed))
    await asyncio.to_thread(ring.put, [(2.0, "info", b"{}")])
    assert numbers(await waiting) == [2]


async def test_who_follows_some_lines_is_told_no_others() -> None:
    ring = filled(*NAMED)
    feed = ring.follow(LogQuery(client="bob"))
    assert numbers(await told(feed)) == [2]
    ring.put([(5.0, "info", exchange()), (6.0, "info", exchange(client="bob"))])
    assert numbers(await told(feed)) == [6]


async def test_who_reads_too_slowly_is_told_how_many_lines_were_missed() -> None:
    ring = filled(b"{}", lines=3)
    feed = ring.follow()
    assert numbers(await told(feed)) == [1]
    ring.put([(2.0, "info", b"{}")] * 7)
    gap, *rest = await told(feed)
    assert gap.text == "warning 4 lines were written faster than they were read"
    assert (gap.number, numbers(rest)) == (5, [6, 7, 8])


async def test_lines_that_were_cleared_away_are_not_missed() -> None:
    ring = filled(b"{}", b"{}")
    feed = ring.follow(LogQuery(after=1))
    ring.clear()
    ring.put([(3.0, "info", b"{}")])
    assert numbers(await told(feed)) == [3]


async def test_silence_is_told_and_nothing_is_lost_by_it() -> None:
    ring = Ring()
    feed = ring.follow(silence=0.001)
    assert await told(feed) == ()
    ring.put([(1.0, "info", b"{}")])
    assert numbers(await told(feed)) == [1]


async def test_whoever_follows_is_done_when_the_ring_is_closed() -> None:
    ring = filled(b"{}")
    feed = ring.follow()
    ring.close()
    assert numbers(await told(feed)) == [1]
    with pytest.raises(StopAsyncIteration):
        await told(feed)


async def test_one_more_than_may_follow_is_refused_until_another_leaves() -> None:
    ring = filled(b"{}", followers=1)
    first = ring.follow()
    await told(first)
    with pytest.raises(GatewayError) as refused:
        ring.follow()
    assert (refused.value.kind, refused.value.status) == (Kind.OVERLOADED, 503)
    await first.aclose()
    assert numbers(await told(ring.follow())) == [1]


async def test_one_who_never_began_to_read_takes_no_place() -> None:
    ring = filled(b"{}", followers=1)
    ring.follow()
    assert numbers(await told(ring.follow())) == [1]


@pytest.fixture
def usual_level() -> Iterator[None]:
    logger = logging.getLogger("isthmus")
    before = logger.level
    yield
    logger.setLevel(before)


@pytest.mark.usefixtures("usual_level")
def test_the_level_is_changed_while_the_gateway_runs() -> None:
    ring = Ring()
    ring.level = "error"
    assert (ring.level, ring.writes("warning"), ring.writes("error")) == ("error", False, True)


def test_a_level_that_is_none_is_refused_with_the_names_of_all() -> None:
    with pytest.raises(GatewayError, match="debug, info, warning, error"):
        Ring().level = "loud"
