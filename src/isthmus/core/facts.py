"""What is known of a model beyond its name: its limits, what it can do, what it costs.

Data only. None, or an ability that is not named, means that nobody said so. Prices are exact decimals in US
dollars; how a bill is made of them is in catalog/prices.py.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum

from isthmus.core.value import Value


class Mode(StrEnum):
    """What a model is for, by the operation it is served under."""

    CHAT = "chat"
    RESPONSES = "responses"
    COMPLETION = "completion"
    EMBEDDING = "embedding"


class Ability(StrEnum):
    """What a model may be able to do. VISION, PDF, AUDIO and VIDEO are taken in; SPEECH and IMAGES come out."""

    TOOLS = "tools"
    PARALLEL_TOOLS = "parallel-tools"
    REASONING = "reasoning"
    SCHEMA = "schema"
    CACHING = "caching"
    VISION = "vision"
    PDF = "pdf"
    AUDIO = "audio"
    VIDEO = "video"
    SPEECH = "speech"
    IMAGES = "images"
    WEB_SEARCH = "web-search"
    COMPUTER_USE = "computer-use"
    PREFILL = "prefill"


class Service(StrEnum):
    """How soon an answer is wanted, where that changes its price."""

    BATCH = "batch"
    FLEX = "flex"
    PRIORITY = "priority"


class Rates(Value, frozen=True, kw_only=True, omit_defaults=True):
    """US dollars for a million tokens. `cache_write_hour` is for input kept an hour and longer."""

    input: Decimal | None = None
    output: Decimal | None = None
    cache_read: Decimal | None = None
    cache_write: Decimal | None = None
    cache_write_hour: Decimal | None = None
    reasoning: Decimal | None = None
    audio_input: Decimal | None = None
    audio_output: Decimal | None = None
    image_input: Decimal | None = None
    image_output: Decimal | None = None


class Tier(Value, frozen=True):
    """The rates for the whole of a request with more than `above` tokens of input; what is None is as below it."""

    above: int
    rates: Rates


class Price(Value, frozen=True, kw_only=True, omit_defaults=True):
    """One price list. `request` is US dollars for each request, `image` for each image taken in.

    `tiers` rise. `services` are whole price lists of their own, without services. `earlier` are those that held before
    this one, the first that did first.
    """

    rates: Rates = Rates()
    tiers: tuple[Tier, ...] = ()
    request: Decimal | None = None
    image: Decimal | None = None
    services: Mapping[Service, "Price"] = {}
    earlier: tuple["Superseded", ...] = ()


class Superseded(Value, frozen=True):
    """A price list that held until Unix time `until`."""

    until: float
    price: Price


class ModelFacts(Value, frozen=True, kw_only=True, omit_defaults=True):
    """Limits in tokens: `context_limit` is for input and output together. `retires` is the day it is switched off.

    `dimensions` is the length of an embedding. `abilities` holds what is known to be so, and what is known not to be.
    """

    mode: Mode | None = None
    context_limit: int | None = None
    input_limit: int | None = None
    output_limit: int | None = None
    dimensions: int | None = None
    abilities: Mapping[Ability, bool] = {}
    price: Price | None = None
    retires: date | None = None


NOTHING_KNOWN = ModelFacts()
