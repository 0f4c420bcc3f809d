"""The simulation of routing: reproducible, and worth what it says of a gateway."""

import pytest

from bench.simulation.chart import chart, table
from bench.simulation.drive import ATTEMPTS, Result, Run
from isthmus.routing.plan import Strategy

SECONDS = 40.0


def play(strategy: Strategy | None, tries: int = ATTEMPTS, seed: int = 3) -> Result:
    return Run(strategy.value if strategy else "chance", strategy, tries, seed, SECONDS).play()


def test_the_same_seed_gives_the_same_run_and_another_one_another() -> None:
    assert play(Strategy.LEAST_BUSY) == play(Strategy.LEAST_BUSY)
    assert play(Strategy.LEAST_BUSY).times != play(Strategy.LEAST_BUSY, seed=4).times


@pytest.mark.parametrize("strategy", [Strategy.ROUND_ROBIN, Strategy.LEAST_ERROR])
def test_every_request_is_answered_while_anybody_can_and_with_fewer_asks_in_vain_than_by_chance(
    strategy: Strategy,
) -> None:
    ours, blind = play(strategy), play(None, tries=1)
    assert ours.success == 1.0
    assert blind.success < 0.95
    assert ours.wasted / ours.asks < blind.wasted / blind.asks


def test_the_table_and_the_chart_show_every_way() -> None:
    results = [Result("one way", 4, [0.1, 0.2, 0.3], 5, 2, 1.5), Result("another", 4, [0.1] * 4, 4, 0, 1.0)]
    assert "| one way | 75.000% | 0.20 s | 0.30 s | 1.250 | 40.00% | 1.50 |" in table(results)
    assert chart(results).count("</text>") == 2 + 3 * len(results)
