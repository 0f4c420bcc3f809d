"""A log's file is put aside when it is long, by whichever process finds it so, and no line is cut or lost."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from isthmus.telemetry.rotation import RotatingFile, Rotation

LINE = b"0123456789\n"


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def written(folder: Path, lines: int, rotation: Rotation) -> dict[str, bytes]:
    file = RotatingFile(folder / "log", rotation)
    for number in range(lines):
        file.write(b"%d\n" % number)
    file.close()
    return contents(folder)


def test_a_file_is_put_aside_before_it_is_longer_than_it_may_be(tmp_path: Path) -> None:
    assert written(tmp_path, 3, Rotation(4, 2)) == {"log": b"2\n", "log.1": b"0\n1\n"}


def test_the_oldest_goes_where_there_are_too_many(tmp_path: Path) -> None:
    assert written(tmp_path, 4, Rotation(2, 2)) == {"log": b"3\n", "log.1": b"2\n", "log.2": b"1\n"}


def test_without_backups_the_file_begins_anew(tmp_path: Path) -> None:
    assert written(tmp_path, 3, Rotation(2, 0)) == {"log": b"2\n"}


def test_without_a_bound_it_grows(tmp_path: Path) -> None:
    assert written(tmp_path, 3, Rotation()) == {"log": b"0\n1\n2\n"}


def test_what_is_longer_than_a_file_is_written_whole(tmp_path: Path) -> None:
    file = RotatingFile(tmp_path / "log", Rotation(5, 2))
    file.write(LINE)
    file.write(LINE)
    file.close()
    assert contents(tmp_path) == {"log": LINE, "log.1": LINE}


def test_a_file_that_was_there_is_gone_on_with(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"before\n")
    assert written(tmp_path, 1, Rotation(100, 2)) == {"log": b"before\n0\n"}


def test_two_processes_share_a_file_and_its_backups(tmp_path: Path) -> None:
    one, other = (RotatingFile(tmp_path / "log", Rotation(4, 3)) for _ in range(2))
    for file, line in ((one, b"a\n"), (other, b"b\n"), (one, b"c\n"), (other, b"d\n"), (other, b"e\n"), (one, b"f\n")):
        file.write(line)
    one.close()
    other.close()
    assert contents(tmp_path) == {"log": b"e\nf\n", "log.1": b"c\nd\n", "log.2": b"a\nb\n"}


def test_a_file_that_an_outsider_moved_away_is_left(tmp_path: Path) -> None:
    file = RotatingFile(tmp_path / "log")
    file.write(b"a\n")
    (tmp_path / "log").rename(tmp_path / "elsewhere")
    file.write(b"b\n")
    file.close()
    assert contents(tmp_path) == {"elsewhere": b"a\n", "log": b"b\n"}


def test_lines_go_on_in_the_same_file_where_it_cannot_be_put_aside(tmp_path: Path) -> None:
    (tmp_path / "log.1").mkdir()
    (tmp_path / "log.1" / "in the way").touch()
    file = RotatingFile(tmp_path / "log", Rotation(2, 1))
    file.write(b"a\n")
    file.write(b"b\n")
    file.close()
    assert (tmp_path / "log").read_bytes() == b"a\nb\n"


def test_a_folder_that_is_gone_costs_lines_until_it_is_back(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    file = RotatingFile(folder / "log")
    shutil.rmtree(folder)
    with pytest.raises(ValueError, match="closed"):
        file.write(b"lost\n")
    folder.mkdir()
    file.write(b"kept\n")
    file.close()
    assert contents(folder) == {"log": b"kept\n"}


WRITES = """
import sys
from pathlib import Path
from isthmus.telemetry.rotation import RotatingFile, Rotation
file = RotatingFile(Path(sys.argv[1]), Rotation(2000, 1000))
for number in range(500):
    file.write(b"%s-%d\\n" % (sys.argv[2].encode(), number))
"""


def test_no_line_is_cut_or_lost_where_several_processes_put_a_file_aside_at_once(tmp_path: Path) -> None:
    names = ("one", "two", "three")
    writers = [subprocess.Popen([sys.executable, "-c", WRITES, str(tmp_path / "log"), name]) for name in names]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    lines = b"".join(contents(tmp_path).values()).decode().splitlines()
    assert sorted(lines) == sorted(f"{name}-{number}" for name in names for number in range(500))
    assert len(contents(tmp_path)) > 3
