"""Where a database is: by URL, or in the folder for data."""

from pathlib import Path

import pytest

from isthmus.core.secret import Secret
from isthmus.store.address import address_of

FOLDER = Path("/data/isthmus")


def test_without_a_url_it_is_a_file_in_the_folder() -> None:
    address = address_of(None, FOLDER)
    assert (address.kind, address.file) == ("sqlite", FOLDER / "isthmus.db")
    assert address.url == Secret("sqlite+aiosqlite:////data/isthmus/isthmus.db")


@pytest.mark.parametrize(
    ("url", "read"),
    [
        ("postgresql://u:p%40w@db.example.com:5433/name", "postgresql+asyncpg://u:p%40w@db.example.com:5433/name"),
        ("postgres://db.example.com/name", "postgresql+asyncpg://db.example.com/name"),
        ("postgresql://db.example.com/name?sslmode=require", "postgresql+asyncpg://db.example.com/name?ssl=require"),
        ("sqlite:////var/lib/x.db", "sqlite+aiosqlite:////var/lib/x.db"),
        ("sqlite:///x.db", "sqlite+aiosqlite:///x.db"),
    ],
)
def test_a_url_names_no_driver(url: str, read: str) -> None:
    assert address_of(Secret(url), FOLDER).url == Secret(read)


def test_another_kind_of_database_is_refused_without_repeating_it() -> None:
    with pytest.raises(ValueError, match="postgresql://") as refused:
        address_of(Secret("mysql://root:hunter2@db.example.com/name"), FOLDER)
    assert "hunter2" not in str(refused.value)
