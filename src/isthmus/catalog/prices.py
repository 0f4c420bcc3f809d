"""What a request cost, from its tokens and a price list. Exact decimals in US dollars; nothing is rounded.

A price list names some rates and leaves others out. What has no rate of its own is billed as what it is a kind of:
cached, spoken and pictured input as input, thinking as output. What has no rate even so is named in the cost, and
the total is that of the rest. Beyond a tier's threshold every token of the request has the tier's rate, as all hosts
with tiers bill: platform.claude.com/docs/en/about-claude/pricing (long context), ai.google.dev/gemini-api/docs/pricing,
openai.com/api/pricing.
"""

from collections.abc import Iterator, Mapping
from decimal import Context, Decimal, Inexact

from msgspec.structs import asdict

from isthmus.core.facts import Price, Rates, Service
from isthmus.core.usage import NO_DETAIL, Usage, UsageDetail
from isthmus.core.value import Value

_EXACT = Context(prec=60, traps=[Inexact])
_NOTHING = Decimal(0)

BILLED_AS: Mapping[str, tuple[str, ...]] = {
    "input": ("input",),
    "audio_input": ("audio_input", "input"),
    "image_input": ("image_input", "input"),
    "cache_read": ("cache_read", "input"),
    "cache_write": ("cache_write", "input"),
    "cache_write_hour": ("cache_write_hour", "cache_write", "input"),
    "output": ("output",),
    "audio_output": ("audio_output", "output"),
    "image_output": ("image_output", "output"),
    "reasoning": ("reasoning", "output"),
}
"""The rates under which each kind of token is billed: the first that the list has."""


class Part(Value, frozen=True):
    """So many of one thing, and what they cost together. `rate` is for a million tokens, one request or one image."""

    what: str
    count: int
    rate: Decimal
    amount: Decimal


class Cost(Value, frozen=True):
    """`total` is the sum of the parts. `unpriced` names what was used and has no price in the list."""

    total: Decimal
    parts: tuple[Part, ...]
    unpriced: tuple[str, ...] = ()


def cost(usage: Usage, price: Price, *, detail: UsageDetail = NO_DETAIL, service: Service | None = None) -> Cost:
    """What the tokens cost. A service that the list does not name is billed by the list itself."""
    applied = price.services.get(service, price) if service else price
    rates = rates_for(applied, usage.input)
    used = counts(usage, detail)
    parts = (*_parts(used, rates), *_each(price, detail))
    total = _NOTHING
    for part in parts:
        total = _EXACT.add(total, part.amount)
    priced = {part.what for part in parts}
    return Cost(total, parts, tuple(what for what, count in used.items() if count and what not in priced))


def in_force(price: Price, at: float) -> Price:
    """The list that holds at Unix time `at`: the price, or one of those that it took the place of."""
    return next((one.price for one in price.earlier if at < one.until), price)


def rates_for(price: Price, input_tokens: int) -> Rates:
    """The rates for a request with so many tokens of input, cached ones too."""
    tier = next((tier for tier in reversed(price.tiers) if input_tokens > tier.above), None)
    if tier is None:
        return price.rates
    said = {name: rate for name, rate in asdict(tier.rates).items() if rate is not None}
    return Rates(**{**asdict(price.rates), **said})


def counts(usage: Usage, detail: UsageDetail) -> Mapping[str, int]:
    """Every token once, under what it is billed as."""
    hour = min(detail.cache_write_hour, usage.cache_write)
    heard = min(detail.audio_input, usage.fresh_input)
    seen = min(detail.image_input, usage.fresh_input - heard)
    spoken = min(detail.audio_output, usage.output)
    drawn = min(detail.image_output, usage.output - spoken)
    return {
        "input": usage.fresh_input - heard - seen,
        "audio_input": heard,
        "image_input": seen,
        "cache_read": usage.cache_read,
        "cache_write": usage.cache_write - hour,
        "cache_write_hour": hour,
        "output": usage.output - spoken - drawn,
        "audio_output": spoken,
        "image_output": drawn,
        "reasoning": usage.reasoning,
    }


def _parts(used: Mapping[str, int], rates: Rates) -> Iterator[Part]:
    told: Mapping[str, Decimal | None] = asdict(rates)
    for what, count in used.items():
        rate = next((rate for name in BILLED_AS[what] if (rate := told[name]) is not None), None)
        if count and rate is not None:
            yield Part(what, count, rate, _EXACT.scaleb(_EXACT.multiply(Decimal(count), rate), -6))


def _each(price: Price, detail: UsageDetail) -> Iterator[Part]:
    """What is not billed by tokens."""
    for what, count, rate in (("request", 1, price.request), ("image", detail.images, price.image)):
        if count and rate is not None:
            yield Part(what, count, rate, _EXACT.multiply(Decimal(count), rate))
