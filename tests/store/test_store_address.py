"""Where a database is: by URL, or in the folder for data."""

from pathlib import Path

import pytest

from isthmus.core.secret import Secret
from isthmus.store.address import Address, address_of

FOLDER = Path("/data/isthmus")


def test_without_a_url_it_is_a_file_in_the_folder() -> None:
    address = address_of(None, FOLDER)
    assert address == Address("sqlite", file=FOLDER / "isthmus.db")


@pytest.mark.parametrize("url", ["postgresql://u:p%40w@db.example.com:5433/name?sslmode=require", "postgres://db/name"])
def test_the_url_of_a_server_is_left_to_its_driver(url: str) -> None:
    assert address_of(Secret(url), FOLDER) == Address("postgresql", Secret(url))


@pytest.mark.parametrize(("url", "file"), [("sqlite:////var/lib/x.db", "/var/lib/x.db"), ("sqlite:///x.db", "x.db")])
def test_the_url_of_a_file_leads_to_it(url: str, file: str) -> None:
    assert address_of(Secret(url), FOLDER) == Address("sqlite", file=Path(file))


def test_a_relative_path_is_below_the_folder_of_the_configuration() -> None:
    assert address_of(Secret("sqlite:///x.db"), FOLDER, Path("/etc/isthmus")).file == Path("/etc/isthmus/x.db")
    assert address_of(Secret("sqlite:////x.db"), FOLDER, Path("/etc/isthmus")).file == Path("/x.db")


def test_another_kind_of_database_is_refused_without_repeating_it() -> None:
    with pytest.raises(ValueError, match="postgresql://") as refused:
        address_of(Secret("mysql://root:hunter2@db.example.com/name"), FOLDER)
    assert "hunter2" not in str(refused.value)
