"""Clients cannot make labels without end, and what is counted of them is not lost."""

from collections import Counter

from msgspec.structs import replace

from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.ending import end
from isthmus.engine.exchange import AttemptRecord
from isthmus.routing.plan import Route, Target, first_of
from isthmus.telemetry.model_names import MERELY_NAMED, OTHER
from isthmus.telemetry.tally import MOST_ROWS
from support.line import Line, provider
from support.metering import Meter

ALL = 10_000


def exchange(meter: Meter, model: str, *, answered: bool = True) -> None:
    """One request for this model is over."""
    made = meter.line.open()
    made.attempts = [AttemptRecord(Target("one", model), "key")]
    if answered:
        made.answered = made.attempts[0]
    else:
        made.fail(GatewayError(Kind.UNKNOWN_MODEL, "who?"))
    end(made, meter.line.live.take(), meter.line.ports)
    meter.flush()


def meter(*models: str) -> Meter:
    """A provider that lists these, and takes every other."""
    line = Line([replace(provider("one"), models=("*", *models))], {})
    return Meter(line)


async def requests(meter: Meter) -> Counter[str]:
    """How many there were, by the model's label."""
    found = await meter.named("llm_requests_total")
    return Counter({key.split("model=")[1].split(",provider=")[0]: int(value) for key, value in found.items()})


async def test_ten_thousand_invented_models_have_few_labels_and_all_are_counted() -> None:
    counted = meter()
    for number in range(ALL):
        exchange(counted, f"model-{number}")
    found = await requests(counted)
    assert len(found) == MERELY_NAMED + 1
    assert found[OTHER] == ALL - MERELY_NAMED
    assert len(counted.tally._rows) <= MOST_ROWS + 1


async def test_models_that_nobody_knows_have_no_label_however_often_they_are_asked_for() -> None:
    counted = meter()
    for number in range(ALL):
        exchange(counted, f"model-{number}", answered=False)
    assert await requests(counted) == {OTHER: ALL}


async def test_a_configured_model_has_its_own_label_whatever_came_before_and_even_if_it_only_fails() -> None:
    counted = meter("listed")
    routes = {"smart": Route(tiers=first_of(Target("one", "routed")))}
    counted.line.live.swap(replace(counted.line.live.take().snapshot, routes=routes))
    for number in range(MERELY_NAMED):
        exchange(counted, f"model-{number}")
    exchange(counted, "listed", answered=False)
    exchange(counted, "routed")
    found = await requests(counted)
    assert (found["listed"], found["routed"], found[OTHER]) == (1, 1, 0)


async def test_a_model_is_other_until_it_has_answered() -> None:
    counted = meter()
    exchange(counted, "new", answered=False)
    exchange(counted, "new")
    exchange(counted, "new", answered=False)
    assert await requests(counted) == {OTHER: 1, "new": 2}


async def test_a_name_that_is_too_long_or_cannot_be_read_is_no_label() -> None:
    counted = meter()
    for name in ("m" * 201, "\ud800", "line\nfeed"):
        exchange(counted, name)
    assert await requests(counted) == {OTHER: 3}


async def test_quotes_and_backslashes_in_a_name_do_not_break_the_page() -> None:
    counted = meter()
    exchange(counted, 'a"b\\c{d}')
    assert await requests(counted) == {'a"b\\c{d}': 1}
