"""The catalogue: packed and opened again, the one that is shipped, and how a model is found in it."""

import gzip
import tracemalloc
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.catalog.catalogue import Catalogue, Edition, NotACatalogue, pack
from isthmus.catalog.spellings import ALSO, MAKERS, stem
from isthmus.config.catalogues import take_shelf
from isthmus.core.facts import Ability, Mode, ModelFacts, Price, Rates
from isthmus.providers.table import PROVIDERS
from isthmus.wire import json

EDITION = Edition("a-package", "1.2", date(2026, 1, 2), "MIT")
PRICE = Price(rates=Rates(input=Decimal("0.15"), output=Decimal(1)))
OLD, NEW, PLAIN, BASE = (ModelFacts(mode=Mode.CHAT, input_limit=limit, price=PRICE) for limit in (1, 2, 3, 4))
ROWS = {
    "openai": {"gpt-9": PLAIN, "gpt-9-2026-01-01": OLD, "ft:gpt-9-2026-01-01": NEW},
    "anthropic": {"claude-x-9-20260101": OLD, "claude-x-9-20260707": NEW},
    "bedrock": {"anthropic.claude-x-9-20260101-v1:0": BASE, "us.anthropic.claude-x-9-20260101-v1:0": OLD},
    "azure-ai": {"claude-x-9": BASE},
}
PACKED = pack(EDITION, ROWS)


def made() -> Catalogue:
    return Catalogue(pack(EDITION, ROWS))


@pytest.fixture(scope="module")
def shipped() -> Catalogue:
    return take_shelf(Path("nowhere")).newest()


class TestFile:
    def test_what_is_packed_is_what_is_opened(self) -> None:
        catalogue = made()
        assert catalogue.edition == EDITION
        assert {kind: {name: catalogue.facts(kind, name) for name in catalogue.names(kind)} for kind in ROWS} == ROWS
        assert len(catalogue) == 8

    def test_the_same_facts_give_the_same_bytes_in_any_order(self) -> None:
        turned = {kind: dict(reversed(rows.items())) for kind, rows in reversed(ROWS.items())}
        assert pack(EDITION, turned) == pack(EDITION, ROWS)

    @pytest.mark.parametrize(
        ("packed", "reason"),
        [
            (b"", "cut short"),
            (b"hello", "not gzipped"),
            (pack(EDITION, ROWS)[:-9], "cut short"),
            (gzip.compress(b"[]"), "not a catalogue"),
            (gzip.compress(b'{"format":1}'), "not a catalogue"),
            (gzip.compress(gzip.decompress(pack(EDITION, {})).replace(b'"format":1', b'"format":2')), "format 2"),
        ],
    )
    def test_what_is_no_catalogue_is_refused_with_the_reason(self, packed: bytes, reason: str) -> None:
        with pytest.raises(NotACatalogue, match=reason):
            Catalogue(packed)

    def test_a_row_that_this_version_has_no_words_for_is_as_good_as_none(self) -> None:
        text = gzip.decompress(pack(EDITION, ROWS)).replace(b'"mode":"chat","input_limit":1,', b'"mode":"telepathy",')
        catalogue = Catalogue(gzip.compress(text))
        assert catalogue.facts("anthropic", "claude-x-9-20260101") is None
        assert catalogue.facts("anthropic", "claude-x-9-20260707") == NEW

    @given(st.integers(0, len(PACKED) - 1), st.integers(0, 255))
    def test_a_damaged_file_is_refused_or_read(self, place: int, byte: int) -> None:
        try:
            catalogue = Catalogue(PACKED[:place] + bytes([byte]) + PACKED[place + 1 :])
        except NotACatalogue:
            return
        for kind in ROWS:
            catalogue.find(kind, "gpt-9")

    def test_a_file_that_unpacks_without_end_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("isthmus.catalog.catalogue.LARGEST", 1000)
        with pytest.raises(NotACatalogue, match="longer than 1000 bytes"):
            Catalogue(gzip.compress(b" " * 100_000))


class TestFind:
    @pytest.mark.parametrize(
        ("kind", "model", "row", "exact"),
        [
            ("openai", "gpt-9", "openai/gpt-9", True),
            ("openai", "openai/gpt-9", "openai/gpt-9", True),
            ("openai", "GPT-9", "openai/gpt-9", True),
            ("openai", "gpt-9-2026-01-01", "openai/gpt-9-2026-01-01", True),
            ("openai", "gpt-9-2030-12-31", "openai/gpt-9", False),
            ("openai", "gpt-9-latest", "openai/gpt-9", False),
            ("openai", "ft:gpt-9-2026-01-01:me::id", "openai/ft:gpt-9-2026-01-01", True),
            ("anthropic", "claude-x-9", "anthropic/claude-x-9-20260707", False),
            ("anthropic", "claude-x-9-latest", "anthropic/claude-x-9-20260707", False),
            ("bedrock", "us.anthropic.claude-x-9-20260101-v1:0", "bedrock/us.anthropic.claude-x-9-20260101-v1:0", True),
            ("bedrock", "eu.anthropic.claude-x-9-20260101-v1:0", "bedrock/anthropic.claude-x-9-20260101-v1:0", False),
            (
                "bedrock",
                "arn:aws:bedrock:eu-west-1:1:inference-profile/us.anthropic.claude-x-9-20260101-v1:0",
                "bedrock/us.anthropic.claude-x-9-20260101-v1:0",
                True,
            ),
            ("azure", "claude-x-9", "azure-ai/claude-x-9", True),
            ("openrouter", "anthropic/claude-x-9:beta", "anthropic/claude-x-9-20260707", False),
            ("vertex", "claude-x-9@20260707", "anthropic/claude-x-9-20260707", False),
            ("vertex", "publishers/openai/models/gpt-9", "openai/gpt-9", False),
            ("compatible", "gpt-9", "openai/gpt-9", False),
        ],
    )
    def test_a_model_is_found_by_what_its_host_calls_it(self, kind: str, model: str, row: str, exact: bool) -> None:
        found = made().find(kind, model)
        assert found is not None
        assert (f"{found.kind}/{found.name}", found.exact) == (row, exact)

    def test_a_sibling_at_the_same_host_tells_its_price(self) -> None:
        found = made().find("anthropic", "claude-x-9")
        assert found is not None
        assert found.facts.price == PRICE

    def test_the_maker_tells_no_price_for_another_host(self) -> None:
        found = made().find("openrouter", "openai/gpt-9")
        assert found is not None
        assert (found.facts.input_limit, found.facts.price) == (3, None)

    @pytest.mark.parametrize("model", ["", "gpt-99", "gpt", "claude", "other/9", "9", "/", ":", "a" * 100_000])
    def test_what_nobody_knows_is_not_found(self, model: str) -> None:
        assert made().find("openai", model) is None


@pytest.mark.parametrize(
    "name",
    [
        "claude-sonnet-4-5",
        "claude-sonnet-4-5-20250929",
        "claude-sonnet-4-5-latest",
        "claude-sonnet-4-5@20250929",
        "claude-sonnet-4-5@default",
        "anthropic/claude-sonnet-4.5",
        "anthropic/claude-sonnet-4.5:beta",
        "anthropic.claude-sonnet-4-5-20250929-v1:0",
        "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    ],
)
def test_every_spelling_has_the_same_stem(name: str) -> None:
    assert stem(name) == "claude-sonnet-4-5"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("deepseek-v3", "deepseek-v2"),
        ("qwen3:8b", "qwen3:4b"),
        ("amazon.titan-embed-text-v1", "amazon.titan-embed-text-v2:0"),
        ("gpt-4.1", "gpt-4"),
        ("command-r-08-2024", "command-r"),
    ],
)
def test_different_models_have_different_stems(one: str, other: str) -> None:
    assert stem(one) != stem(other)


class TestShipped:
    def test_it_says_where_its_facts_come_from(self, shipped: Catalogue) -> None:
        assert shipped.edition.source == "litellm"
        assert "MIT License" in shipped.edition.notice
        assert shipped.edition.date >= date(2026, 11, 21)

    def test_every_row_of_it_can_be_read_and_makes_sense(self, shipped: Catalogue) -> None:
        for kind in shipped.kinds():
            for name in shipped.names(kind):
                facts = shipped.facts(kind, name)
                assert facts is not None
                assert facts.mode
                assert all(limit is None or limit > 0 for limit in (facts.input_limit, facts.output_limit))
                assert facts.price is None or min(all_prices(facts.price), default=0) >= 0

    def test_it_names_hosts_as_the_provider_table_does(self, shipped: Catalogue) -> None:
        both = set(shipped.kinds()) & set(PROVIDERS)
        assert both >= {
            "openai",
            "anthropic",
            "gemini",
            "groq",
            "together",
            "fireworks",
            "alibaba",
            "vercel",
            "friendli",
        }
        assert set(shipped.kinds()) >= {*MAKERS, *(door for doors in ALSO.values() for door in doors)}

    @pytest.mark.parametrize(
        ("kind", "model", "limit", "ability"),
        [
            ("openai", "gpt-5.2", 272_000, Ability.TOOLS),
            ("anthropic", "claude-sonnet-4-5", 200_000, Ability.VISION),
            ("gemini", "gemini-2.5-pro", 1_048_576, Ability.AUDIO),
            ("bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", 200_000, Ability.CACHING),
        ],
    )
    def test_it_knows_the_well_known(
        self, shipped: Catalogue, kind: str, model: str, limit: int, ability: Ability
    ) -> None:
        found = shipped.find(kind, model)
        assert found is not None
        assert found.exact
        assert found.facts.input_limit == limit
        assert found.facts.abilities[ability]

    def test_an_open_one_is_little_more_than_its_text(self) -> None:
        shelf = take_shelf(Path("nowhere"))
        size = len(gzip.decompress(shelf.shipped))
        tracemalloc.start()
        catalogue = shelf.newest()
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert len(catalogue) > 3000
        assert held < 3 * size


def all_prices(price: Price) -> set[Decimal]:
    lists = [price.rates, *(tier.rates for tier in price.tiers)]
    told = {rate for rates in lists for rate in json.decode(json.encode(rates)).values()}
    return {Decimal(rate) for rate in told} | {rate for other in price.services.values() for rate in all_prices(other)}
