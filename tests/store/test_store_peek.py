"""Whether there may be a client key is seen before the database is opened, and never said too lightly."""

import sqlite3
from pathlib import Path

from isthmus.core.secret import Secret
from isthmus.store.address import Address, address_of
from isthmus.store.peek import may_hold_keys


def database(folder: Path, *statements: str) -> Address:
    with sqlite3.connect(folder / "isthmus.db") as made:
        for statement in statements:
            made.execute(statement)
    made.close()
    return address_of(None, folder)


def test_where_there_is_no_file_there_is_no_key(tmp_path: Path) -> None:
    assert not may_hold_keys(address_of(None, tmp_path))


def test_an_empty_table_holds_no_key(tmp_path: Path) -> None:
    assert not may_hold_keys(database(tmp_path, "CREATE TABLE client_keys (id TEXT)"))


def test_a_row_of_the_table_is_a_key(tmp_path: Path) -> None:
    made = database(tmp_path, "CREATE TABLE client_keys (id TEXT)", "INSERT INTO client_keys VALUES ('one')")
    assert may_hold_keys(made)


def test_a_database_that_is_not_made_yet_or_is_broken_may_hold_keys(tmp_path: Path) -> None:
    assert may_hold_keys(database(tmp_path, "CREATE TABLE something (id TEXT)"))
    (tmp_path / "isthmus.db").write_bytes(b"not a database, whatever it says" * 100)
    assert may_hold_keys(address_of(None, tmp_path))


def test_a_database_that_somebody_writes_to_is_waited_for_only_a_moment(tmp_path: Path) -> None:
    made = database(tmp_path, "CREATE TABLE client_keys (id TEXT)")
    other = sqlite3.connect(tmp_path / "isthmus.db", isolation_level=None)
    try:
        other.execute("BEGIN EXCLUSIVE")
        assert may_hold_keys(made)
    finally:
        other.close()


def test_nobody_can_tell_of_a_server_without_asking_it() -> None:
    assert may_hold_keys(address_of(Secret("postgresql://u:p@db.example.com/isthmus"), Path("nowhere")))
