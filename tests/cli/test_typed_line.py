"""A line that is typed is waited for beside other work, in whatever pieces it comes; nobody is waited for in vain."""

import asyncio
import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from isthmus.cli.typed import typed_line


class Typist:
    """Whoever types at the other end of standard input."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._open = True

    def types(self, text: str) -> None:
        os.write(self._descriptor, text.encode())

    def leaves(self) -> None:
        if self._open:
            os.close(self._descriptor)
        self._open = False


@pytest.fixture
def typist(monkeypatch: pytest.MonkeyPatch) -> Iterator[Typist]:
    reading, writing = os.pipe()
    someone = Typist(writing)
    with open(reading) as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        yield someone
    someone.leaves()


async def test_a_line_in_pieces_is_one_line(typist: Typist) -> None:
    waiting = asyncio.create_task(typed_line())
    for piece in ("http://localhost", ":1455/?code=", "x\n"):
        typist.types(piece)
        await asyncio.sleep(0)
    assert await waiting == "http://localhost:1455/?code=x"


async def test_other_work_goes_on_while_nobody_types(typist: Typist) -> None:
    waiting = asyncio.create_task(typed_line())
    await asyncio.sleep(0)
    assert not waiting.done()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_an_empty_line_is_a_line(typist: Typist) -> None:
    typist.types("\n")
    assert await typed_line() == ""


async def test_nobody_who_left_is_waited_for(typist: Typist) -> None:
    typist.leaves()
    assert await typed_line() is None


async def test_what_cannot_be_waited_for_types_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("a line\n")
    with (tmp_path / "file").open() as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        assert await typed_line() is None


async def test_standard_input_may_stand_in_memory_or_be_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("one\n"))
    assert [await typed_line(), await typed_line()] == ["one", None]
    monkeypatch.setattr(sys, "stdin", None)
    assert await typed_line() is None
