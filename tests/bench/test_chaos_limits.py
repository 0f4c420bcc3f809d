"""How the chaos run judges whether a limit was held: by what a key was asked, against what was granted alone."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from bench.chaos.limits import EVERY, MINUTE, UNTOLD, Alone, Held, held, worst
from bench.chaos.stage import Process


def alone(*times: float, lost: Sequence[float] = ()) -> Alone:
    found = Alone()
    found.times += times
    found.lost += lost
    return found


def test_no_more_than_the_limit_in_a_minute_is_held() -> None:
    assert held([6.0 * number for number in range(100)], alone(), 10) == Held(10, 10, 0)


def test_more_than_the_limit_in_a_minute_exceeds_it() -> None:
    assert held([1.0] * 10 + [2.0, 3.0], alone(), 10) == Held(12, 12, 2)


def test_what_was_granted_alone_a_moment_ago_exceeds_nothing() -> None:
    assert held([1.0] * 12, alone(1.0, 1.2), 10) == Held(0, 12, 0)


def test_what_was_granted_alone_before_that_is_known_to_all_and_excuses_nothing() -> None:
    after = 1.0 + UNTOLD + 3 * EVERY
    assert held([1.0] * 2 + [after] * 10, alone(1.0, 1.2), 10) == Held(12, 12, 2)


def test_what_nobody_was_ever_told_of_excuses_as_much_for_a_minute() -> None:
    after = MINUTE - EVERY
    assert held([1.0] * 2 + [after] * 10, alone(lost=[1.0, 1.2]), 10) == Held(0, 12, 0)


def test_a_key_that_was_not_asked_is_held() -> None:
    assert held([], alone(), 10) == Held(0, 0, -10)


def test_the_worst_of_several_keys_is_told() -> None:
    assert worst([Held(5, 6, -1), Held(4, 9, 2)]) == Held(5, 9, 2)


@pytest.mark.parametrize(("killed", "lost"), [(True, 3), (False, 0)])
async def test_what_an_instance_granted_alone_is_counted_once_though_it_begins_anew(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, killed: bool, lost: int
) -> None:
    totals = iter([b"isthmus_limits_alone_total 2.0", b"isthmus_limits_alone_total 3.0", b"", b"x 1"])

    async def page(_port: int, _path: str) -> bytes:
        return b"# HELP\n" + next(totals, b"isthmus_limits_alone_total 1.0")

    monkeypatch.setattr("bench.chaos.limits.page", page)
    found, one = Alone(), Process("one", [], tmp_path, 1)
    for _ in range(4):
        await found.look(one)
    found.ended(one, killed=killed)
    await found.look(one)
    assert (len(found.times), len(found.lost)) == (4, lost)
