"""The measuring tools themselves: they start, measure, judge, and know a right answer from a wrong one."""

import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from bench.bodies import Dialect
from bench.caller import Case, Leaving, judge
from bench.chunk_cost import steps
from bench.faults import Fate
from bench.report import BUDGET
from bench.soak import Sample, growth

ROOT = Path(__file__).parents[2]


def run(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def sample(at: float, memory: float) -> Sample:
    return Sample(at, memory, files=0, connections=0, running=0, pooled=0, in_use=0, tasks=0)


def cut_stream() -> Case:
    return Case("", b"", Dialect.OPENAI, streamed=True, fate=Fate.TRUNCATE, leaving=Leaving.NEVER)


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_quick_run_measures_every_lane_without_an_error(tmp_path: Path) -> None:
    written = tmp_path / "bench.json"
    ran = run("bench", "--quick", "--only", "small", "--only", "first", "--json", str(written))
    assert ran.returncode == 0, ran.stderr
    found = json.loads(written.read_text())
    assert found["errors"] == {}
    for lane in ("openai", "anthropic", "openai>anthropic", "anthropic>openai"):
        assert found["figures"]["1.5 KB: CPU, us a request"][lane] > 0
        assert found["figures"]["first event: p50, ms"][lane] > 0
    if shutil.which("nginx"):
        assert found["budget"]["translate_request"]["found"] > 1


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_short_soak_sees_every_fate_and_no_wrong_answer() -> None:
    ran = run("bench.soak", "--minutes", "0.1")
    assert "wrong answers" not in ran.stdout, ran.stdout
    for fate in ("fault", "limit", "reset", "truncate", "hang", "left before", "left midway"):
        assert f" {fate}" in ran.stdout, ran.stdout


def test_every_step_of_the_data_path_has_a_ceiling() -> None:
    assert set(steps()) == set(tomllib.loads(BUDGET.read_text())["chunk_cost"])


def test_a_cut_stream_that_ends_like_a_good_one_is_wrong() -> None:
    assert judge(cut_stream(), 200, b"data: [DONE]\n\n")


def test_a_cut_stream_that_ends_with_an_error_is_right() -> None:
    assert not judge(cut_stream(), 200, b'data: {"error": {"message": "cut"}}\n\n')


def test_memory_that_rises_all_the_time_shows_as_its_slope() -> None:
    slope, rise = growth([sample(at, 50 + at / 20) for at in range(0, 240, 2)])
    assert (round(slope, 6), round(rise, 1)) == (3.0, 8.9)


@pytest.mark.parametrize("moment", [30, 120, 200])
def test_memory_that_is_taken_at_one_moment_and_kept_shows_no_slope(moment: int) -> None:
    slope, _ = growth([sample(at, 50 if at < moment else 60) for at in range(0, 240, 2)])
    assert round(slope, 6) == 0
