"""No pair of dialects loses what it once kept: every cell of docs/dialects/GRID.md is held to its numbers."""

import pytest

from grid import PAGE, Cell, read, work_out, write

pytestmark = pytest.mark.recordings


def test_every_cell_keeps_what_the_page_says() -> None:
    before, (after, failures) = read(PAGE.read_text()), work_out()
    assert not failures, "\n".join(list(failures)[:20])
    assert before.keys() == after.keys()
    fallen = {
        place: (str(after[place]), "before", str(cell))
        for place, cell in before.items()
        if after[place].worse_than(cell)
    }
    assert not fallen


def test_a_page_reads_as_it_was_written() -> None:
    grid = read(PAGE.read_text())
    assert read(write(grid)) == grid


@pytest.mark.parametrize(
    ("before", "after"),
    [(Cell(3, 2), Cell(2, 3)), (Cell(3, 2), Cell(3, 1)), (Cell(3, 2), Cell(4, 0)), (Cell(3, 2), Cell(3, 2, 1))],
)
def test_a_cell_that_falls_is_seen(before: Cell, after: Cell) -> None:
    assert after.worse_than(before)


def test_a_cell_that_rises_is_none() -> None:
    assert not Cell(4, 1).worse_than(Cell(3, 2))
