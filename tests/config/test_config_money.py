"""Budgets of clients, teams and the gateway, and prices that follow one another, as the file has them."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from isthmus.catalog.tariff import Tariff
from isthmus.config.compile import compile_config
from isthmus.config.facts import facts_of, price_of
from isthmus.config.problems import ConfigProblems
from isthmus.config.schema_providers import FactsEntry
from isthmus.core.facts import ModelFacts
from isthmus.core.periods import Period
from isthmus.core.usage import Usage
from isthmus.engine.snapshot import Snapshot
from isthmus.engine.tariffs import Tariffs
from isthmus.routing.limits import Limit, Measure
from isthmus.routing.plan import Target
from support.configured import config_of

DATED = """
providers: {vllm: {}}
models:
  m:
    price:
      - {input: 1, output: 10}
      - {from: 2026-01-01, input: 2, output: 20}
      - {from: 2026-07-01, input: 4, output: 40, request: 0.01}
"""


def budget(scope: str, dollars: int, period: Period) -> Limit:
    return Limit(scope, Measure.MICRODOLLARS, dollars * 1_000_000, period=period)


def test_a_client_a_team_and_the_gateway_have_budgets() -> None:
    snapshot = compile_config(
        config_of(
            """
client-keys: [{key: sk-0123456789, name: alice, team: sales, budgets: {day: 1, week: 2, month: 3, all: 4}}]
teams: {sales: {budgets: {month: 5}, concurrency: 6}}
budgets: {month: 7}
"""
        )
    )
    assert snapshot.allowances == {
        "client:alice": tuple(budget("client:alice", number, period) for number, period in enumerate(Period, 1)),
        "team:sales": (budget("team:sales", 5, Period.MONTH), Limit("team:sales", Measure.RUNNING, 6)),
        "global:": (budget("global:", 7, Period.MONTH),),
    }


def test_a_team_without_keys_in_the_file_is_no_mistake() -> None:
    assert config_of("teams: {sales: {requests-per-minute: 5}}").teams["sales"].requests_per_minute == 5


def test_a_teams_day_is_said_once() -> None:
    with pytest.raises(ConfigProblems, match=r"teams\.sales\.dollars-per-day: says the same as budgets\.day"):
        config_of("teams: {sales: {dollars-per-day: 1, budgets: {day: 1}}}")


def entry_of(text: str) -> FactsEntry:
    return config_of(text).models["m"]


def test_one_price_may_stand_alone() -> None:
    price = facts_of(entry_of("models: {m: {price: {input: 1, output: 2}}}")).price
    assert price is not None
    assert (price.rates.input, price.rates.output, price.earlier) == (Decimal(1), Decimal(2), ())


@pytest.mark.parametrize(
    ("day", "microdollars"),
    [("2020-05-05", 1), ("2025-12-31", 1), ("2026-01-01", 2), ("2026-06-30", 2), ("2026-07-01", 10_004)],
)
def test_a_request_costs_what_the_list_of_its_day_says(day: str, microdollars: int) -> None:
    snapshot = Snapshot(providers={}, facts=lambda _, __, ___: facts_of(entry_of(DATED)))
    at = datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()
    tariff = Tariffs(snapshot, {}).of(Target("vllm", "m"), "", at)
    assert tariff is not None
    assert tariff.microdollars(Usage(1)) == microdollars


def test_where_no_time_is_meant_the_last_list_holds() -> None:
    assert Tariff(price_of(entry_of(DATED).price)).microdollars(Usage(1)) == 10_004


def test_a_price_of_a_place_is_looked_up_once() -> None:
    asked = []

    def facts(provider: str, model: str, told: ModelFacts | None) -> ModelFacts:
        asked.append(model)
        return facts_of(entry_of(DATED))

    tariffs = Tariffs(Snapshot(providers={}, facts=facts), {})
    assert tariffs.of(Target("vllm", "m"), "", 0) is tariffs.of(Target("vllm", "m"), "", 1)
    assert asked == ["m"]


@pytest.mark.parametrize(
    ("price", "problem"),
    [
        ("[{input: 1, output: 1}, {input: 2, output: 2}]", r"price\[1\]: needs 'from'"),
        (
            "[{from: 2026-02-01, input: 1, output: 1}, {from: 2026-01-01, input: 2, output: 2}]",
            r"price\[1\]\.from: is not after that of the price before it",
        ),
        ("{from: tomorrow, input: 1, output: 1}", r"price\.from: must be a date such as 2026-01-31"),
        ("cheap", r"price: must be a mapping or a list, not a single value"),
    ],
)
def test_prices_that_cannot_follow_one_another_are_told_with_their_place(price: str, problem: str) -> None:
    with pytest.raises(ConfigProblems, match=problem):
        config_of(f"models: {{m: {{price: {price}}}}}")
