"""How the chaos run judges whether a limit was held: by what a key was asked, against what was granted alone."""

from pathlib import Path

import pytest

from bench.chaos.limits import EVERY, MINUTE, Alone, Held, held, worst
from bench.chaos.stage import Process


def test_no_more_than_the_limit_in_a_minute_is_held() -> None:
    assert held([6.0 * number for number in range(100)], [], 10) == Held(10, 10, 0)


def test_more_than_the_limit_in_a_minute_exceeds_it() -> None:
    assert held([1.0] * 10 + [2.0, 3.0], [], 10) == Held(12, 12, 2)


def test_what_was_granted_alone_in_that_minute_exceeds_nothing() -> None:
    assert held([1.0] * 12, [1.0, 1.2], 10) == Held(0, 12, 0)


def test_what_was_granted_alone_in_another_minute_excuses_nothing() -> None:
    after = 1.0 + MINUTE + 3 * EVERY
    assert held([after] * 12, [1.0, 1.2], 10) == Held(12, 12, 2)


def test_a_key_that_was_not_asked_is_held() -> None:
    assert held([], [], 10) == Held(0, 0, -10)


def test_the_worst_of_several_keys_is_told() -> None:
    assert worst([Held(5, 6, -1), Held(4, 9, 2)]) == Held(5, 9, 2)


async def test_what_an_instance_granted_alone_is_counted_once_though_it_begins_anew(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    totals = iter([b"isthmus_limits_alone_total 2.0", b"isthmus_limits_alone_total 3.0", b"", b"x 1"])

    async def page(_port: int, _path: str) -> bytes:
        return b"# HELP\n" + next(totals, b"isthmus_limits_alone_total 1.0")

    monkeypatch.setattr("bench.chaos.limits.page", page)
    alone, one = Alone(), Process("one", [], tmp_path, 1)
    for _ in range(4):
        await alone.look(one)
    alone.forget(one)
    await alone.look(one)
    assert len(alone.times) == 4
