"""Files and functions stay small enough to be read at a glance."""

import ast
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "isthmus"
FILES = sorted(SOURCE.rglob("*.py"))
LONGEST_FILE, LONGEST_FUNCTION, MEDIAN_FUNCTION = 400, 50, 12


def functions(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            yield f"{path.name}:{node.name}", node.end_lineno - node.lineno + 1


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_file_fits_in_one_reading(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= LONGEST_FILE
    assert path.stem not in ("utils", "util", "helpers", "common", "misc")


def test_no_function_is_longer_than_a_screen() -> None:
    long = [f"{name} has {size} lines" for path in FILES for name, size in functions(path) if size > LONGEST_FUNCTION]
    assert not long


def test_most_functions_are_short() -> None:
    assert statistics.median(size for path in FILES for _, size in functions(path)) <= MEDIAN_FUNCTION


def test_every_module_says_what_it_holds() -> None:
    silent = [str(path.relative_to(SOURCE)) for path in FILES if not ast.get_docstring(ast.parse(path.read_text()))]
    assert not silent
