"""How recorded traffic survives every pair of dialects: `make grid` writes docs/dialects/GRID.md.

Needs the recordings (ISTHMUS_RECORDINGS). Each cell counts, of the records of a row's dialect told in the column's:
those that say the same with nothing lost, and those of which all that is lost was declared. What is neither is
counted as failed, and by what; there should be none.
"""

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parent))

from isthmus.core.content import Text
from isthmus.core.errors import GatewayError
from isthmus.core.events import StreamError
from isthmus.core.fold import fold
from isthmus.core.losses import Losses
from isthmus.dialects.codec import Codec, ReplyHead
from support.recordings import Record, records
from support.saying import compare, said_in_reply, said_in_request
from support.specimens import ABLE, CREATED, codec_of, dated
from support.streams import events_of, stream_of
from support.tongues import TONGUES

PAGE = Path(__file__).parents[1] / "docs" / "dialects" / "GRID.md"
OPENING = """\
# The grid: recorded traffic in every dialect

Written by `make grid` from {records} recorded bodies; do not edit. A row is the dialect that was recorded, a column
the one it was translated into and read from again. `whole` say the same and lost nothing; `told` lost something, and
every loss was declared; `failed` would be neither. Compared are the words, the thoughts, the calls with their
arguments, the tools, the results, media and foreign items, the reason to stop, and the usage. A test holds every
cell to these numbers.
"""


class Cell(NamedTuple):
    whole: int = 0
    told: int = 0
    failed: int = 0

    def __str__(self) -> str:
        return f"{self.whole} whole, {self.told} told" + (f", **{self.failed} failed**" if self.failed else "")

    def worse_than(self, before: "Cell") -> bool:
        """Did fewer come through, or fewer of them whole?"""
        return self.failed > before.failed or self.whole < before.whole or sum(self[:2]) < sum(before[:2])


Grid = Mapping[tuple[str, str, str], Cell]
"""By what is told ("requests", "answers", "streams"), source and target."""
WHATS = ("requests", "answers", "streams")


def work_out() -> tuple[Grid, Counter[str]]:
    """Every cell, and how often each failure was met."""
    failures: Counter[str] = Counter()
    cells = {
        (what, source, target): _cell(what, source, target, failures)
        for what in WHATS
        for source in TONGUES
        for target in TONGUES
        if source != target
    }
    return cells, failures


def _cell(what: str, source: str, target: str, failures: Counter[str]) -> Cell:
    whole = told = failed = 0
    for record in _chosen(what, source):
        try:
            losses = _TELL[what](record, codec_of(source), codec_of(target), target)
        except _Unsayable:
            continue
        except Exception as error:
            failed += 1
            failures[f"{what} {source} -> {target}: {record.id}: {type(error).__name__}: {error!s:.200}"] += 1
        else:
            whole += not losses.found
            told += bool(losses.found)
    return Cell(whole, told, failed)


class _Unsayable(Exception):
    """The record holds nothing that could be translated: no request of this dialect, no answer."""


def _chosen(what: str, dialect: str) -> Iterable[Record]:
    return filter(_CHOOSE[what], records(dialect))


_CHOOSE: Mapping[str, Callable[[Record], bool]] = {
    "requests": lambda record: record.request is not None,
    "answers": lambda record: record.whole and "error_in_200" not in record.features,
    "streams": lambda record: record.streamed,
}


def _request(record: Record, source: Codec, target: Codec, name: str) -> Losses:
    assert record.request is not None
    try:
        request = source.read_request(record.request)
    except GatewayError as error:
        raise _Unsayable from error
    if all(part == Text("") for message in request.messages for part in message.parts):
        raise _Unsayable
    losses = Losses()
    try:
        written = target.write_request(request, ABLE[name], losses)
    except GatewayError as error:
        losses.drop("messages", error.message)
        return losses
    compare(said_in_request(request), said_in_request(target.read_request(written)), losses)
    return losses


def _answer(record: Record, source: Codec, target: Codec, _name: str) -> Losses:
    losses = Losses()
    reply = dated(source.read_reply(record.answer))
    compare(said_in_reply(reply), said_in_reply(target.read_reply(target.write_reply(reply, losses))), losses)
    return losses


def _stream(record: Record, source: Codec, target: Codec, _name: str) -> Losses:
    events, losses = events_of(source, [record.answer]), Losses()
    if isinstance(events[-1], StreamError):
        raise _Unsayable
    reply = fold(events)
    written = stream_of(target, ReplyHead(reply.model, CREATED), events, losses)
    compare(said_in_reply(reply), said_in_reply(fold(events_of(target, [written]))), losses)
    return losses


_TELL: Mapping[str, Callable[[Record, Codec, Codec, str], Losses]] = {
    "requests": _request,
    "answers": _answer,
    "streams": _stream,
}


def write(grid: Grid) -> str:
    """The page."""
    counted = sum(sum(cell) for (what, source, target), cell in grid.items() if _first(what, source, target))
    return OPENING.format(records=counted) + "".join(_table(what, grid) for what in WHATS)


def _first(_what: str, source: str, target: str) -> bool:
    """Is this the first column of its row? What a row holds is counted there."""
    return target == next(one for one in TONGUES if one != source)


def _table(what: str, grid: Grid) -> str:
    head = f"\n## {what.capitalize()}\n\n| from \\ to | {' | '.join(TONGUES)} |\n| --- |{' --- |' * len(TONGUES)}\n"
    return head + "".join(
        f"| {source} | {' | '.join(str(grid.get((what, source, target), '')) for target in TONGUES)} |\n"
        for source in TONGUES
    )


def read(page: str) -> Grid:
    """What a page says, as it was written."""
    cells: dict[tuple[str, str, str], Cell] = {}
    what, columns = "", list[str]()
    for line in page.splitlines():
        if line.startswith("## "):
            what = line[3:].lower()
        elif line.startswith("| from"):
            columns = [name.strip() for name in line.split("|")[2:-1]]
        elif line.startswith("| ") and not line.startswith("| ---"):
            source, *told = [cell.strip() for cell in line.split("|")[1:-1]]
            for target, cell in zip(columns, told, strict=True):
                if cell:
                    numbers = [int(word.strip("*")) for word in cell.split() if word.strip("*").isdigit()]
                    cells[what, source, target] = Cell(*numbers)
    return cells


def main() -> int:
    grid, failures = work_out()
    page = write(grid)
    print(page)
    for failure in failures:
        print(failure, file=sys.stderr)
    PAGE.write_text(page)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
