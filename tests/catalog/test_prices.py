"""What tokens cost: every token once, under the rate that holds, exactly."""

from decimal import Decimal, getcontext, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import fields

from isthmus.catalog.prices import cost, rates_for
from isthmus.core.facts import Price, Rates, Service, Tier
from isthmus.core.usage import Usage, UsageDetail

D = Decimal
FULL = Rates(
    input=D(3),
    output=D(15),
    cache_read=D("0.3"),
    cache_write=D("3.75"),
    cache_write_hour=D(6),
    reasoning=D(20),
    audio_input=D(10),
    audio_output=D(40),
    image_input=D(5),
    image_output=D(50),
)
PLAIN = Rates(input=D(3), output=D(15))
EVERYTHING = Usage(fresh_input=600, cache_read=500, cache_write=400, output=300, reasoning=200)
DETAIL = UsageDetail(cache_write_hour=100, audio_input=50, image_input=50, audio_output=30, image_output=20, images=2)

counts = st.integers(min_value=0, max_value=10**12)
rates = st.decimals(min_value=0, max_value=10**6, places=6)
usages = st.builds(Usage, fresh_input=counts, cache_read=counts, cache_write=counts, output=counts, reasoning=counts)
details = st.builds(UsageDetail, **dict.fromkeys([field.name for field in fields(UsageDetail)], counts))
price_lists = st.builds(Rates, **dict.fromkeys([field.name for field in fields(Rates)], st.none() | rates))


def test_each_kind_of_token_has_its_own_rate() -> None:
    found = cost(EVERYTHING, Price(rates=FULL), detail=DETAIL)
    assert [(part.what, part.count, part.amount) for part in found.parts] == [
        ("input", 500, D("0.0015")),
        ("audio_input", 50, D("0.0005")),
        ("image_input", 50, D("0.00025")),
        ("cache_read", 500, D("0.00015")),
        ("cache_write", 300, D("0.001125")),
        ("cache_write_hour", 100, D("0.0006")),
        ("output", 250, D("0.00375")),
        ("audio_output", 30, D("0.0012")),
        ("image_output", 20, D("0.001")),
        ("reasoning", 200, D("0.004")),
    ]
    assert found.total == D("0.014075")


def test_what_has_no_rate_of_its_own_is_billed_as_what_it_is() -> None:
    found = cost(EVERYTHING, Price(rates=PLAIN), detail=DETAIL)
    assert found.total == D(1500) * 3 / 10**6 + D(500) * 15 / 10**6
    assert {part.rate for part in found.parts} == {D(3), D(15)}


def test_an_hour_in_the_cache_costs_what_a_write_costs_where_no_more_is_said() -> None:
    price = Price(rates=Rates(input=D(1), output=D(1), cache_write=D(2)))
    assert cost(Usage(cache_write=10**6), price, detail=UsageDetail(cache_write_hour=10**6)).total == D(2)


def test_what_has_no_rate_at_all_is_named() -> None:
    found = cost(Usage(fresh_input=5, output=7, reasoning=1), Price(rates=Rates(input=D(1))))
    assert (found.total, found.unpriced) == (D("0.000005"), ("output", "reasoning"))


def test_what_was_not_used_is_not_missed() -> None:
    assert cost(Usage(fresh_input=5), Price(rates=Rates(input=D(1)))).unpriced == ()


def test_nothing_costs_nothing() -> None:
    assert cost(Usage(), Price(rates=FULL)).total == 0


def test_a_request_and_its_images_are_billed_beside_the_tokens() -> None:
    found = cost(Usage(), Price(request=D("0.005"), image=D("0.001")), detail=UsageDetail(images=3))
    assert found.total == D("0.008")


TIERED = Price(
    rates=Rates(input=D(1), output=D(2), cache_read=D("0.1")),
    tiers=(Tier(200, Rates(input=D(2))), Tier(500, Rates(input=D(4), output=D(8)))),
)


@pytest.mark.parametrize(
    ("tokens", "input_rate", "output_rate"),
    [(0, 1, 2), (200, 1, 2), (201, 2, 2), (500, 2, 2), (501, 4, 8), (10**9, 4, 8)],
)
def test_beyond_a_threshold_the_tiers_rates_hold(tokens: int, input_rate: int, output_rate: int) -> None:
    found = rates_for(TIERED, tokens)
    assert (found.input, found.output, found.cache_read) == (input_rate, output_rate, D("0.1"))


def test_cached_input_counts_towards_the_threshold_and_every_token_has_the_tiers_rate() -> None:
    assert cost(Usage(fresh_input=1, cache_read=200), TIERED).parts[0].rate == D(2)
    assert cost(Usage(fresh_input=501), TIERED).total == D("0.002004")


def test_a_service_has_its_own_list_and_tiers() -> None:
    batch = Price(rates=Rates(input=D("0.5"), output=D(1)), tiers=(Tier(200, Rates(input=D(1))),))
    price = Price(rates=PLAIN, services={Service.BATCH: batch})
    assert cost(Usage(fresh_input=100), price, service=Service.BATCH).total == D("0.00005")
    assert cost(Usage(fresh_input=300), price, service=Service.BATCH).total == D("0.0003")


def test_a_service_without_a_list_is_billed_by_the_usual_one() -> None:
    assert cost(Usage(fresh_input=100), Price(rates=PLAIN), service=Service.FLEX).total == D("0.0003")


@given(usages, price_lists, details)
def test_every_token_is_billed_once_or_named(usage: Usage, told: Rates, detail: UsageDetail) -> None:
    found = cost(usage, Price(rates=told), detail=detail)
    assert found.total == sum((part.amount for part in found.parts), D(0))
    billed = sum(part.count for part in found.parts)
    assert billed <= usage.input + usage.total_output
    assert found.unpriced or billed == usage.input + usage.total_output
    assert all(part.count > 0 for part in found.parts)


@given(usages, rates)
def test_one_rate_for_all_is_the_rate_times_the_tokens(usage: Usage, rate: Decimal) -> None:
    with localcontext() as exact:
        exact.prec = 60
        whole = (usage.input + usage.total_output) * rate / 10**6
    assert cost(usage, Price(rates=Rates(input=rate, output=rate))).total == whole


def test_the_callers_precision_changes_nothing() -> None:
    before = getcontext().prec
    try:
        getcontext().prec = 3
        assert cost(Usage(fresh_input=123_456_789), Price(rates=PLAIN)).total == D("370.370367")
    finally:
        getcontext().prec = before
