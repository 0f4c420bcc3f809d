"""Which exchanges become rows of use, and what a row says."""

import asyncio

import pytest
from msgspec.structs import replace

from fakes.records import FakeRecords
from fakes.transport import Scripted
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.operations import Operation
from isthmus.dialects.table import CODECS
from isthmus.engine.exchange import Call, Exchange
from isthmus.engine.shadow import Shadows
from isthmus.routing.plan import Route, Rules, Shadow, Target, first_of
from isthmus.telemetry.used import LONGEST, UsedRows
from support.accounts import ASKED, Accounts, streamed


async def test_a_row_says_who_asked_whom_for_what_and_what_became_of_it() -> None:
    accounts = Accounts(one=[Scripted(b'{"error":{"message":"later"}}', status=503)], two=[streamed(1000, 30)])
    await accounts.ask("alice")
    accounts.store()
    [row] = accounts.fake.rows.values()
    assert (row.client, row.team, row.asked) == ("alice", "sales", "fast")
    assert (row.provider, row.key, row.model, row.attempts) == ("two", "key", "m", 2)
    assert (row.dialect, row.operation, row.lane, row.stream) == ("openai_chat", "chat", "passthrough", True)
    assert (row.outcome, row.status, row.error, row.cached) == ("answered", 200, "", False)
    assert (row.fresh_input, row.cache_read, row.cache_write, row.output, row.reasoning) == (1000, 0, 0, 30, 0)


async def test_times_are_milliseconds_and_none_where_nothing_was_said() -> None:
    gone = GatewayError(Kind.UNREACHABLE, "nobody there")
    accounts = Accounts(one=[streamed(10, 3), gone, gone], two=[gone, gone])
    exchange, answer = await accounts.begin()
    accounts.line.clock.move(0.25)
    await accounts.finish(exchange, answer)
    await accounts.ask()
    accounts.store()
    first, second = accounts.fake.rows.values()
    assert (first.ms, first.first_ms) == (pytest.approx(250), pytest.approx(250))
    assert (second.outcome, second.first_ms) == ("failed", None)


async def test_a_stranger_is_no_row() -> None:
    accounts = Accounts()
    assert (await accounts.ask("mallory"))[0] == 401
    accounts.store()
    assert accounts.fake.rows == {}


async def test_a_shadows_copy_is_no_row() -> None:
    accounts = Accounts(one=[streamed(10, 3)], two=[streamed(10, 3)])
    rules = Rules(shadow=Shadow(Target("two", "m"), 1.0))
    route = Route(tiers=first_of(Target("one", "m")), rules=rules)
    accounts.line.live.swap(replace(accounts.line.live.take().snapshot, routes={"fast": route}))
    accounts.line.ports.shadows = shadows = Shadows()
    await accounts.ask()
    async with asyncio.timeout(5):
        while shadows.running:
            await asyncio.sleep(0)
    assert len(accounts.line.recorded.exchanges) == 2
    accounts.store()
    assert [row.provider for row in accounts.fake.rows.values()] == ["one"]


async def test_what_asks_nothing_of_a_model_is_no_row() -> None:
    accounts = Accounts()
    call = Call(CODECS["openai_chat", Operation.CHAT], "/v0/explain", ())
    UsedRows(accounts.line.live, accounts.fake).keep([Exchange("ex_1", call, accounts.line.clock, 1)])
    assert accounts.fake.rows == {}


async def test_a_name_that_a_caller_made_up_is_kept_to_a_length() -> None:
    accounts = Accounts(one=[streamed(10, 3)])
    await accounts.ask(body=ASKED.replace(b"fast", b"x" * 5000))
    accounts.store()
    [row] = accounts.fake.rows.values()
    assert row.asked == "x" * LONGEST


async def test_a_batch_is_handed_over_at_once() -> None:
    accounts = Accounts(one=[streamed(10, 3), streamed(10, 3)])
    handed: list[int] = []

    class Counting(FakeRecords):
        def use(self, rows: object) -> None:
            handed.append(len(tuple(rows)))  # type: ignore[call-overload]  # rows

    await accounts.ask()
    await accounts.ask()
    UsedRows(accounts.line.live, Counting()).keep(accounts.line.recorded.exchanges)
    assert handed == [2]
