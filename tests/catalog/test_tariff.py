"""A price list made ready for many requests: exactly what the exact reckoning says, rounded up once."""

import math
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw
from msgspec.structs import fields, replace

from isthmus.catalog.prices import cost
from isthmus.catalog.tariff import Tariff
from isthmus.core.facts import Price, Rates, Service, Tier
from isthmus.core.usage import Usage, UsageDetail
from isthmus.core.value import Foreign
from isthmus.dialects.bills import service_of

COUNTS = st.integers(0, 10**9)
RATES = st.decimals(0, 10**6, places=9)
USAGES = st.builds(Usage, fresh_input=COUNTS, cache_read=COUNTS, cache_write=COUNTS, output=COUNTS, reasoning=COUNTS)
DETAILS = st.builds(UsageDetail, **dict.fromkeys([field.name for field in fields(UsageDetail)], COUNTS))
LISTS = st.builds(Rates, **dict.fromkeys([field.name for field in fields(Rates)], st.none() | RATES))
TIERS = st.lists(st.builds(Tier, COUNTS, LISTS), max_size=3, unique_by=lambda tier: tier.above).map(
    lambda tiers: tuple(sorted(tiers, key=lambda tier: tier.above))
)
PLAIN = st.builds(Price, rates=LISTS, tiers=TIERS)
PRICES = st.builds(
    Price,
    rates=LISTS,
    tiers=TIERS,
    request=st.none() | RATES,
    image=st.none() | RATES,
    services=st.dictionaries(st.sampled_from(Service), PLAIN),
)


@given(USAGES, PRICES, DETAILS, st.none() | st.sampled_from(Service))
def test_it_says_exactly_what_the_exact_reckoning_says(
    usage: Usage, price: Price, detail: UsageDetail, service: Service | None
) -> None:
    tariff = Tariff(price)
    told = Fraction(tariff.units(usage, detail, service), tariff.unit)
    assert told == Fraction(cost(usage, price, detail=detail, service=service).total) * 1_000_000


@given(USAGES, PRICES)
def test_a_request_is_rounded_up_to_the_microdollar(usage: Usage, price: Price) -> None:
    assert Tariff(price).microdollars(usage) == math.ceil(cost(usage, price).total * 1_000_000)


@given(st.lists(USAGES, min_size=1, max_size=4), PRICES)
def test_the_parts_of_a_request_are_not_rounded(usages: list[Usage], price: Price) -> None:
    tariff = Tariff(price)
    assert sum(map(tariff.fraction, usages)) == sum(Fraction(cost(one, price).total) * 1_000_000 for one in usages)


def test_what_the_usages_own_object_tells_is_looked_at_where_it_has_a_rate_of_its_own() -> None:
    body = Raw(b'{"cache_creation": {"ephemeral_1h_input_tokens": 400}, "service_tier": "standard"}')
    usage = Usage(cache_write=1000, native=Foreign("anthropic", body))
    rates = Rates(input=Decimal(3), cache_write=Decimal("3.75"), cache_write_hour=Decimal(6))
    assert Tariff(Price(rates=rates)).microdollars(usage) == 600 * 3.75 + 400 * 6


def test_a_service_that_the_usage_names_has_its_own_list() -> None:
    usage = Usage(1000, native=Foreign("anthropic", Raw(b'{"service_tier": "batch"}')))
    price = Price(rates=Rates(input=Decimal(4)), services={Service.BATCH: Price(rates=Rates(input=Decimal(2)))})
    assert Tariff(price).microdollars(usage) == 2000


@given(USAGES, PRICES)
def test_what_needs_no_second_look_comes_to_the_same(usage: Usage, price: Price) -> None:
    told = replace(usage, native=Foreign("openai_chat", Raw(b"{}")))
    assert Tariff(price).microdollars(told) == Tariff(price).microdollars(usage)


@given(USAGES, PRICES, COUNTS, st.sampled_from(["standard", "batch", "priority"]))
def test_what_anthropic_tells_of_its_cache_and_service_is_billed_exactly(
    usage: Usage, price: Price, hour: int, service: str
) -> None:
    body = b'{"cache_creation": {"ephemeral_1h_input_tokens": %d}, "service_tier": "%b"}' % (hour, service.encode())
    told = replace(usage, native=Foreign("anthropic", Raw(body)))
    exact = cost(told, price, detail=UsageDetail(cache_write_hour=hour), service=service_of(told)).total
    assert Tariff(price).microdollars(told) == math.ceil(exact * 1_000_000)


def test_a_list_whose_rates_all_end_in_noughts_is_reckoned_as_any_other() -> None:
    """Ten dollars a million is one with an exponent; there were fewer than no digits behind the point."""
    price = Price(rates=Rates(input=Decimal(10), output=Decimal(500)))
    assert Tariff(price).microdollars(Usage(fresh_input=7, output=3)) == 70 + 1500
