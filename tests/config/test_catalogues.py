"""Where catalogues lie: the newer one is used, and one is made from a wheel."""

from datetime import date
from pathlib import Path

import pytest

from fakes.litellm_wheel import write_wheel
from isthmus.catalog.catalogue import Catalogue, Edition, NotACatalogue, pack
from isthmus.config.catalogues import SHIPPED, Shelf, keep, take_shelf
from isthmus.config.wheels import read_wheel
from isthmus.core.facts import ModelFacts

TODAY = date(2026, 5, 6)


def packed(day: str, source: str) -> bytes:
    return pack(Edition(source, "1", date.fromisoformat(day), ""), {"openai": {"m": ModelFacts(input_limit=1)}})


@pytest.mark.parametrize(
    ("shipped", "fetched", "used"),
    [
        ("2026-01-01", "2026-01-02", "fetched"),
        ("2026-01-02", "2026-01-02", "fetched"),
        ("2026-01-03", "2026-01-02", "shipped"),
    ],
)
def test_the_newer_one_is_used_and_of_one_day_the_one_that_was_fetched(shipped: str, fetched: str, used: str) -> None:
    assert Shelf(packed(shipped, "shipped"), packed(fetched, "fetched")).newest().edition.source == used


@pytest.mark.parametrize("fetched", [None, b"", b"damaged", packed("2030-01-01", "fetched")[:-20]])
def test_one_that_cannot_be_read_is_as_good_as_none(fetched: bytes | None) -> None:
    assert Shelf(packed("2026-01-01", "shipped"), fetched).newest().edition.source == "shipped"


def test_what_is_kept_is_found_again(tmp_path: Path) -> None:
    path = keep(tmp_path / "new" / "folder", packed("2030-01-01", "mine"))
    assert path == tmp_path / "new" / "folder" / SHIPPED
    assert take_shelf(path.parent).newest().edition.source == "mine"
    assert [file.name for file in path.parent.iterdir()] == [SHIPPED]


def test_without_data_there_is_what_was_shipped(tmp_path: Path) -> None:
    assert take_shelf(tmp_path / "nothing").fetched is None


def test_a_wheel_gives_a_catalogue_with_its_name_version_day_and_licence(tmp_path: Path) -> None:
    made = Catalogue(read_wheel(write_wheel(tmp_path), TODAY))
    assert made.edition == Edition("litellm", "9.1.2", TODAY, "MIT License\nCopyright somebody")
    assert list(made.names("openai")) == ["gpt-9"]


def test_the_same_wheel_and_day_give_the_same_bytes(tmp_path: Path) -> None:
    wheel = write_wheel(tmp_path)
    assert read_wheel(wheel, TODAY) == read_wheel(wheel, TODAY)


@pytest.mark.parametrize("models", [None, [], {}, {"m": {"mode": "chat"}}])
def test_a_wheel_without_such_a_list_is_refused(tmp_path: Path, models: object) -> None:
    with pytest.raises(NotACatalogue, match=r"litellm-9\.1\.2-py3-none-any\.whl holds no list of models"):
        read_wheel(write_wheel(tmp_path, models=models), TODAY)


def test_what_is_no_wheel_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.whl").write_bytes(b"nothing")
    with pytest.raises(NotACatalogue):
        read_wheel(tmp_path / "x.whl", TODAY)
