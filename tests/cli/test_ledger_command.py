"""`isthmus ledger` reads the store itself, and says whether what was spent comes to the same."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fakes.clock import FakeClock
from isthmus.cli.main import main
from isthmus.engine.records import Used
from isthmus.store.address import address_of
from isthmus.store.rules import KEEP
from isthmus.store.store import open_store
from isthmus.wire import json
from support.stores import PATIENT, written
from support.used import ROW


async def _fill(folder: Path, rows: tuple[Used, ...]) -> None:
    async with open_store(address_of(None, folder), FakeClock(), KEEP, PATIENT) as store:
        await store.client_keys_version()
        store.use(rows)
        await written(store)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for data, with a configuration beside it."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    (tmp_path / "isthmus.yaml").write_text("providers: {openai: {api-key: sk-0123456789}}\n")
    return tmp_path / "isthmus"


def looked_over(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["ledger", "--config", str(folder.parent / "isthmus.yaml"), *words])


def test_books_that_are_right_are_said_to_be(folder: Path) -> None:
    asyncio.run(_fill(folder, (ROW,)))
    result = looked_over(folder)
    assert (result.exit_code, result.output) == (0, "13 sums came to the same, 0 sums differ\n")


def test_a_difference_is_told_and_fails_the_command(folder: Path) -> None:
    asyncio.run(_fill(folder, (ROW,)))
    with closing(sqlite3.connect(folder / "isthmus.db")) as database:
        database.execute("UPDATE spent SET microdollars = 7 WHERE scope = 'global:' AND period = 'week'")
        database.commit()
    result = looked_over(folder)
    assert result.exit_code == 1
    expected = "global:, week from 2023-11-13T00:00:00Z: 0.000007 dollars stand there, 0.000100 were used"
    assert result.output.splitlines()[0] == expected
    told = json.decode(looked_over(folder, "--json").output.encode())
    assert (told["same"], [one["comes_to"] for one in told["differences"]]) == (12, [100])


def test_where_there_is_no_store_yet_none_is_made(folder: Path) -> None:
    result = looked_over(folder)
    assert (result.exit_code, "there is no store yet" in result.output) == (1, True)
    assert not folder.exists()
