"""Several tell of one model: the later word holds, and who said it is kept."""

from decimal import Decimal

from isthmus.catalog.merge import Known, Said, merge
from isthmus.core.facts import Ability, ModelFacts, Price, Rates, Service

BOOK = Said(
    "book",
    ModelFacts(
        input_limit=100,
        output_limit=10,
        abilities={Ability.TOOLS: True, Ability.VISION: True},
        price=Price(
            rates=Rates(input=Decimal(1), output=Decimal(2), cache_read=Decimal("0.1")),
            services={Service.BATCH: Price(rates=Rates(input=Decimal("0.5")))},
        ),
    ),
)
HOST = Said("host", ModelFacts(output_limit=8, abilities={Ability.VISION: False}))
USER = Said("user", ModelFacts(input_limit=50, price=Price(rates=Rates(input=Decimal(0), output=Decimal(0)))))


def test_the_later_word_holds_limit_by_limit_and_ability_by_ability() -> None:
    facts = merge(BOOK, HOST, USER).facts
    assert (facts.input_limit, facts.output_limit) == (50, 8)
    assert facts.abilities == {Ability.TOOLS: True, Ability.VISION: False}


def test_who_said_what_is_kept() -> None:
    assert merge(BOOK, HOST, USER).sources == {
        "input_limit": "user",
        "output_limit": "host",
        "abilities.tools": "book",
        "abilities.vision": "host",
        "price": "user",
    }


def test_a_price_list_holds_as_a_whole() -> None:
    assert merge(BOOK, HOST, USER).facts.price == USER.facts.price
    assert merge(BOOK, HOST).facts.price == BOOK.facts.price


def test_of_what_the_user_wrote_the_last_holds() -> None:
    again = Said("again", ModelFacts(input_limit=70))
    assert merge(None, None, USER, again).facts.input_limit == 70
    assert merge(None, None, again, USER).facts.input_limit == 50


def test_where_nobody_says_anything_nothing_is_known() -> None:
    assert merge(None, None) == Known()


def test_what_was_said_is_not_changed() -> None:
    before = dict(BOOK.facts.abilities)
    merge(BOOK, HOST)
    assert BOOK.facts.abilities == before
