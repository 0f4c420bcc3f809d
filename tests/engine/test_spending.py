"""What an exchange came to, way by way: the row, the budget and the limit of a place say the same."""

import asyncio
import math

import pytest
from msgspec.structs import replace

from fakes.transport import SSE, Scripted
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.periods import Period
from isthmus.core.profile import UNKNOWN
from isthmus.dialects.table import CODECS
from isthmus.engine.caching import CacheRule
from isthmus.engine.records import Used
from isthmus.engine.spending import RULES, STREAMED, Ending
from isthmus.routing.health import Place
from isthmus.routing.limits import Limit, Measure
from isthmus.routing.plan import Hedge, Route, Rules, Target, first_of
from isthmus.state.memory import BoundedMemory
from support.accounts import ASKED, HELLO, OVERLOADED, Accounts, budget, ending, streamed

INPUT = len(ASKED) // 4
"""What the request is taken for, in tokens, before anybody has counted."""
BUDGET = budget("client:alice", 1_000_000, Period.ALL)
KEY = Limit("provider:one", Measure.MICRODOLLARS, 1_000_000, 86_400)


async def row_of(accounts: Accounts, *, pieces: int | None = None) -> Used:
    """The row of one request, whose cost is also what its budget has spent."""
    await accounts.ask(pieces=pieces)
    accounts.store()
    [row] = accounts.fake.rows.values()
    assert accounts.used(BUDGET) == (row.microdollars or 0)
    return row


async def test_an_answer_came_to_what_its_provider_counted() -> None:
    row = await row_of(Accounts(BUDGET, KEY, one=[streamed(1000, 30)]))
    assert (row.fresh_input, row.output, row.microdollars) == (1000, 30, math.ceil(1000 * 2.5 + 30 * 10))


async def test_a_part_of_a_microdollar_is_rounded_up_once() -> None:
    overloaded = Scripted(OVERLOADED, status=503)
    row = await row_of(Accounts(BUDGET, one=[overloaded, overloaded], two=[streamed(101, 3)]))
    assert row.microdollars == math.ceil(101 * 0.075 + 3 * 0.3)


async def test_who_refused_was_sent_nothing_that_costs() -> None:
    accounts = Accounts(BUDGET, KEY, one=[Scripted(OVERLOADED, status=503)] * 2, two=[streamed(100, 10)])
    row = await row_of(accounts)
    assert accounts.used(KEY) == 0
    assert (row.provider, row.fresh_input) == ("two", 100)


async def test_who_was_not_reached_was_sent_nothing() -> None:
    gone = GatewayError(Kind.UNREACHABLE, "nobody there")
    row = await row_of(Accounts(BUDGET, one=[gone, gone], two=[gone, gone]))
    assert (row.outcome, row.fresh_input, row.microdollars) == ("failed", 0, 0)


async def test_who_had_the_request_and_did_not_answer_is_paid_its_input() -> None:
    late = GatewayError(Kind.TIMED_OUT, "no answer in time")
    accounts = Accounts(BUDGET, KEY, one=[late], two=[streamed(100, 10)])
    row = await row_of(accounts)
    assert accounts.used(KEY) == math.ceil(INPUT * 2.5)
    assert row.fresh_input == INPUT + 100
    assert row.microdollars == math.ceil(INPUT * 2.5 + 100 * 0.075 + 10 * 0.3)


async def test_an_answer_that_broke_off_came_to_its_input_and_what_was_seen_of_it() -> None:
    row = await row_of(Accounts(BUDGET, one=[Scripted(HELLO * 10, headers=SSE)]))
    seen = row.output
    assert row.outcome == "failed"
    assert (row.fresh_input, row.microdollars) == (INPUT, math.ceil(INPUT * 2.5 + seen * 10))
    assert 0 < seen <= 10


async def test_what_was_counted_of_an_answer_that_broke_off_is_what_it_came_to() -> None:
    counted = ending(1000, 30).partition(b"data: [DONE]")[0]
    cut = Scripted(HELLO, counted, GatewayError(Kind.CUT_SHORT, "gone"), headers=SSE)
    row = await row_of(Accounts(BUDGET, one=[cut]))
    assert (row.fresh_input, row.output) == (1000, 30)


async def test_a_client_that_leaves_in_mid_stream_pays_what_it_saw() -> None:
    row = await row_of(Accounts(BUDGET, one=[Scripted(HELLO * 10, asyncio.Event(), headers=SSE)]), pieces=1)
    assert (row.outcome, row.fresh_input) == ("cancelled", INPUT)
    assert 0 < row.output <= 10


async def test_a_client_that_leaves_before_the_answer_pays_the_input() -> None:
    accounts = Accounts(BUDGET, one=[Scripted(asyncio.Event(), headers=SSE)])
    waiting = asyncio.create_task(accounts.ask())
    while not accounts.line.transport.played:
        await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    accounts.store()
    [row] = accounts.fake.rows.values()
    assert (row.outcome, row.fresh_input, row.output) == ("cancelled", INPUT, 0)
    assert accounts.used(BUDGET) == row.microdollars == math.ceil(INPUT * 2.5)


async def test_what_is_refused_before_anything_is_sent_costs_nothing() -> None:
    accounts = Accounts(budget("client:alice", 1), one=[])
    status, _ = await accounts.ask()
    accounts.store()
    [row] = accounts.fake.rows.values()
    assert (status, row.attempts, row.microdollars, row.error) == (403, 0, 0, "budget_spent")


async def test_an_answer_that_nobody_counted_came_to_what_was_expected() -> None:
    done = HELLO + ending(0, 0).partition(b',"usage"')[0] + b"}\n\ndata: [DONE]\n\n"
    accounts = Accounts(BUDGET, one=[Scripted(done, headers=SSE)])
    row = await row_of(accounts)
    assert (row.outcome, row.fresh_input, row.output) == ("answered", INPUT, 500)


async def test_who_was_outrun_by_another_is_paid_its_input() -> None:
    accounts = Accounts(BUDGET, KEY, one=[Scripted(asyncio.Event(), headers=SSE)], two=[streamed(100, 10)])
    hedge = Hedge(share=1.0, quantile=0.5, least=0.0)
    targets = first_of(Target("one", "m"), Target("two", "m"))
    routes = {"fast": Route(tiers=targets, rules=Rules(hedge=hedge))}
    accounts.line.live.swap(replace(accounts.line.live.take().snapshot, routes=routes))
    meter = accounts.line.live.take().board.meters.began(Place("one", "key", "m"), accounts.line.clock.now())
    meter.ended()
    for _ in range(10):
        meter.answered(0.001, accounts.line.clock.now(), stream=True)
    row = await row_of(accounts)
    assert accounts.used(KEY) == math.ceil(INPUT * 2.5)
    assert (row.provider, row.attempts, row.fresh_input) == ("two", 2, INPUT + 100)
    assert row.microdollars == math.ceil(INPUT * 2.5 + 100 * 0.075 + 10 * 0.3)


async def test_an_answer_that_another_place_went_on_with_came_to_both_parts() -> None:
    accounts = Accounts(
        BUDGET,
        one=[Scripted(HELLO * 8, GatewayError(Kind.CUT_SHORT, "gone"), headers=SSE)],
        two=[Scripted(HELLO, ending(100, 10), headers=SSE)],
    )
    snapshot = accounts.line.live.take().snapshot
    targets = first_of(Target("one", "m"), Target("two", "m"))
    two = replace(snapshot.providers["two"], profile=lambda _: replace(UNKNOWN, continues=True))
    accounts.line.live.swap(
        replace(
            snapshot,
            routes={"fast": Route(tiers=targets, rules=Rules(continues=True))},
            providers={**snapshot.providers, "two": two},
        )
    )
    row = await row_of(accounts)
    seen = len("hello" * 8) // 4
    assert (row.outcome, row.provider, row.attempts) == ("answered", "two", 2)
    assert (row.fresh_input, row.output) == (INPUT + 100, seen + 10)
    assert row.microdollars == math.ceil(INPUT * 2.5 + seen * 10 + 100 * 0.075 + 10 * 0.3)


async def test_an_answer_that_was_kept_costs_nothing() -> None:
    accounts = Accounts(BUDGET, one=[streamed(1000, 30)])
    accounts.line.ports.answers = BoundedMemory(accounts.line.clock.now)
    accounts.line.live.swap(replace(accounts.line.live.take().snapshot, caching=CacheRule(enabled=True)))
    await accounts.ask()
    await accounts.ask()
    accounts.store()
    first, second = accounts.fake.rows.values()
    assert (first.cached, first.microdollars) == (False, 2800)
    assert (second.cached, second.microdollars, second.fresh_input) == (True, 0, 0)
    assert accounts.used(BUDGET) == 2800


async def test_without_any_limit_an_estimate_is_made_of_the_bodys_length() -> None:
    accounts = Accounts(one=[GatewayError(Kind.TIMED_OUT, "late")], two=[streamed(100, 10)])
    await accounts.ask()
    accounts.store()
    [row] = accounts.fake.rows.values()
    assert row.fresh_input == INPUT + 100


async def test_what_has_no_price_costs_nothing_and_the_row_says_that_nobody_knows() -> None:
    accounts = Accounts(BUDGET, one=[streamed(100, 10)])
    accounts.line.live.swap(replace(accounts.line.live.take().snapshot, facts=Unpriced()))
    row = await row_of(accounts)
    assert (row.microdollars, row.fresh_input) == (None, 100)


def test_every_ending_has_a_rule() -> None:
    assert set(RULES) == set(Ending)


def test_streams_are_measured_by_dialects_that_there_are() -> None:
    assert set(STREAMED) <= {dialect for dialect, _ in CODECS}


class Unpriced:
    """Knows nothing of any model."""

    def __call__(self, provider: str, model: str, told: object) -> object:
        from isthmus.core.facts import NOTHING_KNOWN

        return NOTHING_KNOWN
