"""Every way of changing a file is noticed, and nothing else is."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from isthmus.config.watch import Watch, fingerprint

PATIENCE = 10.0


class Watched:
    """A watch whose `changed` waits for its next call."""

    def __init__(self, path: Path) -> None:
        self._called = asyncio.Event()
        self.watch = Watch(path, self._called.set, every=0.02)

    async def changed(self) -> None:
        async with asyncio.timeout(PATIENCE):
            await self._called.wait()
        self._called.clear()


@asynccontextmanager
async def watched(path: Path) -> AsyncIterator[Watched]:
    found = Watched(path)
    running = asyncio.create_task(found.watch.run())
    try:
        yield found
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def write(file: Path, text: str) -> None:
    file.write_text(text)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "isthmus.yaml"
    file.write_text("one")
    return file


async def test_a_file_written_in_place_is_noticed(file: Path) -> None:
    async with watched(file) as found:
        write(file, "two and more")
        await found.changed()


async def test_a_file_put_in_its_place_is_noticed(file: Path) -> None:
    async with watched(file) as found:
        beside = file.with_suffix(".new")
        beside.write_text("two")
        beside.replace(file)
        await found.changed()


async def test_a_file_that_was_away_for_a_moment_is_noticed_when_it_is_back(file: Path) -> None:
    async with watched(file) as found:
        await asyncio.to_thread(file.unlink)
        write(file, "two and more")
        await found.changed()


async def test_a_swapped_link_beside_the_file_is_noticed(tmp_path: Path) -> None:
    for name, text in (("first", "one"), ("second", "two")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "isthmus.yaml").write_text(text)
    (tmp_path / "..data").symlink_to("first")
    file = tmp_path / "isthmus.yaml"
    file.symlink_to("..data/isthmus.yaml")
    async with watched(file) as found:
        (tmp_path / "..new").symlink_to("second")
        (tmp_path / "..new").replace(tmp_path / "..data")
        await found.changed()


async def test_a_link_to_another_folder_is_followed(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    target = tmp_path / "far" / "real.yaml"
    target.write_text("one")
    (tmp_path / "near").mkdir()
    link = tmp_path / "near" / "isthmus.yaml"
    link.symlink_to(target)
    async with watched(link) as found:
        target.write_text("two and more")
        await found.changed()


async def test_a_change_before_the_watch_runs_is_noticed(file: Path) -> None:
    found = Watched(file)
    write(file, "two and more")
    running = asyncio.create_task(found.watch.run())
    await found.changed()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_two_changes_in_a_row_are_noticed_one_after_the_other(file: Path) -> None:
    async with watched(file) as found:
        write(file, "two and more")
        await found.changed()
        write(file, "three, and still more")
        await found.changed()


def test_a_change_of_another_file_is_none(file: Path) -> None:
    watch = Watched(file).watch
    file.with_name("other.yaml").write_text("two")
    assert not watch.look()


def test_a_file_that_is_gone_is_no_change(file: Path) -> None:
    watch = Watched(file).watch
    file.unlink()
    assert not watch.look()
    assert fingerprint(file) is None
