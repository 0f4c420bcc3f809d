"""Each metric moves by exactly what happened."""

import asyncio
from decimal import Decimal

import pytest
from msgspec.structs import replace
from prometheus_client.parser import text_string_to_metric_families

from fakes.transport import SSE, Scripted
from isthmus.core.errors import GatewayError, Kind, Rest
from isthmus.core.facts import ModelFacts, Price, Rates, Tier
from isthmus.core.usage import Usage
from isthmus.engine.caching import CacheRule
from isthmus.engine.ending import end
from isthmus.engine.exchange import AttemptRecord, Note
from isthmus.engine.queue import QueueRule, Waiter
from isthmus.routing.health import Place
from isthmus.routing.places import Credential
from isthmus.routing.plan import Route, Rules, Shadow, Target, first_of
from isthmus.telemetry import metrics
from isthmus.telemetry.table import METRICS
from support.line import Line, provider
from support.metering import Meter, buckets

ASKED = b'{"model":"one/m","messages":[{"role":"user","content":"hi"}]}'
STREAMED = b'{"model":"one/m","stream":true,"messages":[{"role":"user","content":"hi"}]}'
ANSWER = (
    b'{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":30,"completion_tokens":9,'
    b'"total_tokens":39,"prompt_tokens_details":{"cached_tokens":20},"completion_tokens_details":{"reasoning_tokens":4}}}'
)
CLAUDE = (
    b'{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"hello"}],'
    b'"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":1}}'
)
PIECE = (
    b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,'
    b'"delta":{"content":"hello"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
)
PRICE = Price(rates=Rates(input=Decimal(2), output=Decimal(10), cache_read=Decimal("0.5")), request=Decimal("0.001"))


def failure(kind: Kind = Kind.UPSTREAM_FAULT) -> GatewayError:
    return GatewayError(kind, "broken")


def meter(*script: Scripted | GatewayError, dialect: str = "openai_chat", price: Price | None = None) -> Meter:
    line = Line([provider("one", dialect)], {"one": script})
    facts = ModelFacts(price=price)
    line.live.swap(replace(line.live.take().snapshot, facts=lambda provider, model, told: facts))
    return Meter(line)


async def test_an_answered_request_is_one_of_its_provider_and_model() -> None:
    counted = meter(Scripted(ANSWER))
    await counted.ask(ASKED)
    assert await counted.named("llm_requests_total", "isthmus_exchanges_total", "isthmus_attempts_total") == {
        "llm_requests_total{model=m,provider=one}": 1,
        "isthmus_exchanges_total{dialect=openai_chat,lane=passthrough,operation=chat,outcome=answered}": 1,
        "isthmus_attempts_total{provider=one,result=answered}": 1,
    }


async def test_every_token_is_counted_once_under_its_kind() -> None:
    counted = meter(Scripted(ANSWER))
    await counted.ask(ASKED)
    assert await counted.named("isthmus_tokens_total") == {
        "isthmus_tokens_total{kind=input,model=m,provider=one}": 10,
        "isthmus_tokens_total{kind=cached,model=m,provider=one}": 20,
        "isthmus_tokens_total{kind=written,model=m,provider=one}": 0,
        "isthmus_tokens_total{kind=output,model=m,provider=one}": 5,
        "isthmus_tokens_total{kind=reasoning,model=m,provider=one}": 4,
    }


async def test_the_cost_is_that_of_the_price_list() -> None:
    counted = meter(Scripted(ANSWER), price=PRICE)
    await counted.ask(ASKED)
    dollars = 0.001 + (10 * 2 + 20 * 0.5 + 9 * 10) / 1e6
    assert await counted.named("isthmus_cost_dollars_total", "llm_cost_total", "isthmus_unpriced_total") == {
        "isthmus_cost_dollars_total{model=m,provider=one}": pytest.approx(dollars),
        "llm_cost_total{currency=USD,provider=one}": pytest.approx(dollars),
    }


async def test_rates_that_rise_with_the_request_are_those_of_each_request() -> None:
    steep = replace(PRICE, request=None, tiers=(Tier(25, Rates(output=Decimal(1000))),))
    counted = meter(Scripted(ANSWER), price=steep)
    await counted.ask(ASKED)
    dollars = (10 * 2 + 20 * 0.5 + 9 * 1000) / 1e6
    assert await counted.named("llm_cost_total") == {
        "llm_cost_total{currency=USD,provider=one}": pytest.approx(dollars)
    }


async def test_an_answer_without_a_known_price_is_counted_as_such() -> None:
    counted = meter(Scripted(ANSWER))
    await counted.ask(ASKED)
    assert await counted.named("isthmus_unpriced_total", "isthmus_cost_dollars_total") == {
        "isthmus_unpriced_total{model=m,provider=one}": 1
    }


async def test_attempts_that_failed_are_counted_by_what_went_wrong() -> None:
    counted = meter(failure(), Scripted(ANSWER))
    await counted.ask(ASKED)
    assert await counted.named("isthmus_attempts_total", "llm_error_rate", "isthmus_failures_total") == {
        "isthmus_attempts_total{provider=one,result=upstream_fault}": 1,
        "isthmus_attempts_total{provider=one,result=answered}": 1,
        "llm_error_rate{provider=one}": 0.5,
    }


async def test_a_request_that_failed_is_counted_by_its_error() -> None:
    counted = meter(failure(Kind.INVALID))
    assert await counted.ask(ASKED) == 400
    assert await counted.named("isthmus_failures_total", "isthmus_exchanges_total", "llm_requests_total") == {
        "isthmus_failures_total{kind=invalid}": 1,
        "isthmus_exchanges_total{dialect=openai_chat,lane=passthrough,operation=chat,outcome=failed}": 1,
        "llm_requests_total{model=other,provider=one}": 1,
    }


async def test_a_request_that_reached_nobody_is_no_request_of_any_provider() -> None:
    counted = meter()
    assert await counted.ask(b'{"model":"nobody/x","messages":[]}') in (400, 404)
    assert await counted.named("llm_requests_total", "isthmus_attempts_total") == {}
    assert sum((await counted.named("isthmus_exchanges_total")).values()) == 1


async def test_what_only_explains_is_no_request() -> None:
    counted = meter()
    await counted.ask(ASKED, "/v0/explain")
    assert await counted.named("isthmus_exchanges_total") == {}


async def test_losses_are_counted_by_what_was_done() -> None:
    counted = meter(Scripted(CLAUDE), dialect="anthropic")
    await counted.ask(ASKED.replace(b'"model"', b'"seed":7,"frequency_penalty":0.5,"max_tokens":9,"model"'))
    assert await counted.named("isthmus_losses_total") == {"isthmus_losses_total{deed=dropped}": 2}


async def test_the_duration_of_a_request_falls_into_truckllms_buckets() -> None:
    counted = meter(Scripted(ANSWER))
    exchange = counted.line.open()
    exchange.attempts = [AttemptRecord(Target("one", "m"), "key")]
    exchange.answered = exchange.attempts[0]
    counted.line.clock.move(0.75)
    end(exchange, counted.line.live.take(), counted.line.ports)
    page = await counted.metrics.page()
    assert buckets(page, "llm_request_duration_seconds")[:5] == [
        ("0.1", 0),
        ("0.25", 0),
        ("0.5", 0),
        ("1.0", 1),
        ("2.5", 1),
    ]
    assert (await counted.read())["llm_request_duration_seconds_sum{provider=one}"] == 0.75
    assert (await counted.read())["llm_latency_ms_avg{provider=one}"] == 750


async def test_the_first_token_is_timed_of_streams_alone() -> None:
    counted = meter(Scripted(ANSWER), Scripted(PIECE, headers=SSE))
    await counted.ask(ASKED)
    await counted.ask(STREAMED)
    assert (await counted.read())["isthmus_first_token_seconds_count{model=m,provider=one}"] == 1


async def test_an_attempt_that_was_outrun_is_a_hedge_and_no_error() -> None:
    counted = meter()
    exchange = counted.line.open()
    lost, won = (AttemptRecord(Target("one", "m"), "key") for _ in range(2))
    lost.note, lost.error = Note.HEDGED, Kind.CANCELLED
    exchange.attempts, exchange.answered = [lost, won], won
    end(exchange, counted.line.live.take(), counted.line.ports)
    assert await counted.named("isthmus_hedges_total", "isthmus_attempts_total", "llm_error_rate") == {
        "isthmus_hedges_total": 1,
        "isthmus_attempts_total{provider=one,result=answered}": 1,
        "isthmus_attempts_total{provider=one,result=cancelled}": 1,
        "llm_error_rate{provider=one}": 0,
    }


async def test_every_seam_of_an_answer_is_a_continuation() -> None:
    counted = meter()
    exchange = counted.line.open()
    exchange.seams = ("at 5 by one/m", "at 9 by one/n")
    end(exchange, counted.line.live.take(), counted.line.ports)
    assert await counted.named("isthmus_continuations_total") == {"isthmus_continuations_total": 2}


async def test_a_shadow_costs_tokens_and_is_nobodys_request() -> None:
    line = Line([provider("one")], {"one": [Scripted(ANSWER), Scripted(ANSWER)]})
    rules = Rules(shadow=Shadow(Target("one", "copy"), 1.0))
    route = Route(tiers=first_of(Target("one", "m")), rules=rules)
    line.live.swap(replace(line.live.take().snapshot, routes={"smart": route}))
    counted = Meter(line)
    await counted.ask(ASKED.replace(b"one/m", b"smart"))
    async with asyncio.timeout(5):
        while counted.shadows.running:
            await asyncio.sleep(0)
    found = await counted.named("isthmus_shadow_exchanges_total", "llm_requests_total", "isthmus_tokens_total")
    assert found["isthmus_shadow_exchanges_total{outcome=answered}"] == 1
    assert found["llm_requests_total{model=m,provider=one}"] == 1
    assert "llm_requests_total{model=copy,provider=one}" not in found
    assert found["isthmus_tokens_total{kind=output,model=copy,provider=one}"] == 5


async def test_what_the_queue_refused_is_counted_once() -> None:
    counted = meter()
    with pytest.raises(GatewayError):
        await counted.queue.wait(Waiter(frozenset({"x"}), "c", 0), QueueRule(length=0), 2000.0)
    await counted.read()
    assert await counted.named("isthmus_queue_refused_total") == {"isthmus_queue_refused_total": 1}


async def test_current_values_are_those_of_the_parts() -> None:
    counted = meter()
    counted.running, counted.queue.length, counted.dropped_lines, counted.alone = 3, 2, 7, 5
    counted.rows_waiting, counted.rows_lost = 11, 13
    counted.client_keys, counted.bodies_lost, counted.dumps_skipped, counted.traces_lost = 17, 19, 23, 29
    counted.accounts = {"ready": 31, "revoked": 0}
    counted.connections = {"https://one.example.com": {"open": 4, "idle": 1}}
    counted.states = {"limits": "shared, unreachable since 2026-01-01T00:00:00Z", "memory": "shared by workers"}
    found = await counted.read()
    assert found["isthmus_exchanges_running"] == 3
    assert found["isthmus_queue_length"] == 2
    assert found["isthmus_log_lines_dropped_total"] == 7
    assert found["isthmus_limits_alone_total"] == 5
    assert found["isthmus_store_rows_waiting"] == 11
    assert found["isthmus_store_rows_lost_total"] == 13
    assert found["isthmus_client_keys"] == 17
    assert found["isthmus_accounts{state=ready}"] == 31
    assert found["isthmus_bodies_lost_total"] == 19
    assert found["isthmus_dumps_skipped_total"] == 23
    assert found["isthmus_traces_lost_total"] == 29
    assert found["isthmus_connections{origin=https://one.example.com,state=open}"] == 4
    assert found["isthmus_state{part=limits,where=unreachable}"] == 1
    assert found["isthmus_state{part=memory,where=shared}"] == 1


async def test_a_key_that_rests_is_not_active_and_one_of_whose_models_rests_is() -> None:
    counted = meter()
    keys = tuple(map(Credential, ("a", "b", "c")))
    live, now = counted.line.live, counted.line.clock.now()
    live.swap(replace(live.take().snapshot, credentials={"one": keys}))
    health = live.take().board.health
    health.failed(Place("one", "a", "m"), Kind.QUOTA_SPENT, Rest.CREDENTIAL, now)
    health.failed(Place("one", "b", "m"), Kind.UPSTREAM_LIMITED, Rest.TARGET, now)
    assert await counted.named("llm_active_keys_total", "isthmus_rests") == {
        "llm_active_keys_total{provider=one}": 2,
        "isthmus_rests{kind=quota_spent,provider=one}": 1,
        "isthmus_rests{kind=upstream_limited,provider=one}": 1,
    }


async def test_the_lateness_of_the_loop_falls_into_its_bucket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "EVERY", 0.001)
    counted = meter()
    looking = asyncio.create_task(counted.metrics.run())
    await asyncio.sleep(0)
    counted.line.clock.move(0.001 + 0.03)
    async with asyncio.timeout(5):
        while not counted.tally.series:
            await asyncio.sleep(0)
    looking.cancel()
    page = await counted.metrics.page()
    assert [count for _, count in buckets(page, "isthmus_event_loop_lag_seconds")] == [0, 0, 0, 0, 1, 1, 1, 1, 1]


async def test_truckllms_metrics_have_its_names_sorts_and_words() -> None:
    page = (await meter().metrics.page()).decode()
    assert "# HELP llm_requests_total Total number of LLM requests\n# TYPE llm_requests_total counter\n" in page
    assert (
        "# HELP llm_request_duration_seconds Request duration in seconds\n"
        "# TYPE llm_request_duration_seconds histogram\n"
    ) in page


async def test_every_metric_of_the_table_is_on_the_page_and_no_other() -> None:
    page = (await meter().metrics.page()).decode()
    assert [line.split()[2] for line in page.splitlines() if line.startswith("# TYPE")] == list(METRICS)
    assert len(list(text_string_to_metric_families(page))) == len(METRICS)


async def test_counting_forgets_nothing_when_the_configuration_is_swapped() -> None:
    counted = meter(Scripted(ANSWER), Scripted(ANSWER))
    await counted.ask(ASKED)
    counted.flush()
    counted.line.live.swap(counted.line.live.take().snapshot)
    await counted.ask(ASKED)
    assert await counted.named("llm_requests_total") == {"llm_requests_total{model=m,provider=one}": 2}


async def test_usage_of_answers_that_broke_off_counts_too() -> None:
    counted = meter()
    exchange = counted.line.open()
    exchange.attempts = [AttemptRecord(Target("one", "m"), "key")]
    exchange.answered, exchange.usage = exchange.attempts[0], Usage(fresh_input=8)
    exchange.fail(failure(Kind.CUT_SHORT))
    end(exchange, counted.line.live.take(), counted.line.ports)
    found = await counted.named("isthmus_tokens_total", "isthmus_failures_total")
    assert found["isthmus_tokens_total{kind=input,model=m,provider=one}"] == 8
    assert found["isthmus_failures_total{kind=cut_short}"] == 1


async def test_what_was_refused_of_management_is_counted_by_its_kind_and_once() -> None:
    counted = meter()
    counted.refused = {"unauthenticated": 2}
    await counted.read()
    counted.refused = {"unauthenticated": 3, "forbidden": 1}
    assert await counted.named("isthmus_management_refused_total") == {
        "isthmus_management_refused_total{kind=unauthenticated}": 3,
        "isthmus_management_refused_total{kind=forbidden}": 1,
    }


async def test_an_answer_that_was_kept_is_counted_as_a_hit() -> None:
    counted = meter(Scripted(ANSWER))
    rule = CacheRule(enabled=True, seconds=60.0)
    snapshot = counted.line.live.take().snapshot
    counted.line.live.swap(replace(snapshot, cache_rule=rule, caching=rule))
    counted.line.ports.answers = counted.line.ports.memory
    assert [await counted.ask(ASKED), await counted.ask(ASKED)] == [200, 200]
    assert await counted.named("isthmus_cache_hits_total", "isthmus_attempts_total") == {
        "isthmus_cache_hits_total": 1,
        "isthmus_attempts_total{provider=one,result=answered}": 1,
    }
