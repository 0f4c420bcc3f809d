"""A line that is filled into a form is the line that the facts themselves make."""

from collections.abc import Callable

import pytest
from msgspec.structs import fields

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.usage import Usage
from isthmus.dialects.codec import Peek
from isthmus.dialects.openai.chat import CODEC
from isthmus.engine.clients import Client
from isthmus.engine.exchange import AttemptRecord, Call, Exchange, Lane
from isthmus.engine.facts import Facts, facts
from isthmus.engine.traces import Trace
from isthmus.routing.plan import Plan, Target, first_of
from isthmus.telemetry.line_forms import MOST, OWN, SHARED, LineForms
from isthmus.wire import json
from tests.fakes.clock import FakeClock

ODD = {
    "first_byte_ms", "attempts", "skipped", "continued", "spill", "empty", "cached", "trace", "error", "message",
}  # fmt: skip


def finished(number: int = 1, model: str = "fast") -> Exchange:
    """One about which nothing is odd."""
    exchange = Exchange(f"ex_{number}", Call(CODEC, "/v1/chat/completions", ()), FakeClock(), version=1)
    exchange.peek = Peek(model, stream=False, usage_asked=False)
    exchange.plan = Plan(first_of(Target("one", "m")), name=model, because="a route of this name")
    exchange.attempts = [AttemptRecord(Target("one", "m"), "key")]
    exchange.answered = exchange.attempts[0]
    exchange.usage = Usage(100 + number, number, 0, 20 * number, 3)
    exchange.status, exchange.lane, exchange.bytes_out = 200, Lane.PASSTHROUGH, 1000 + number
    exchange.finished_at = exchange.started_at + number * 0.12345
    return exchange


def ended_badly(exchange: Exchange) -> None:
    exchange.error = GatewayError(Kind.UPSTREAM_FAULT, 'it said "no"')


def went_to(target: Target) -> Callable[[Exchange], None]:
    def change(exchange: Exchange) -> None:
        exchange.attempts = [AttemptRecord(target, "key")]

    return change


def has(name: str, value: object) -> Callable[[Exchange], None]:
    return lambda exchange: setattr(exchange, name, value)


def test_lines_of_one_form_are_those_of_the_facts() -> None:
    forms = LineForms()
    for number in (1, 2, 3, 70_000):
        exchange = finished(number)
        assert forms.line(exchange, f"at {number}") == json.encode(facts(exchange, f"at {number}"))


@pytest.mark.parametrize(
    "change",
    [
        ended_badly,
        went_to(Target("two", "m")),
        went_to(Target("one", "100% \"x\" %d")),
        has("client", Client("somebody")),
        has("lane", Lane.PATCH),
        has("status", 201),
        has("version", 2),
        has("cancelled", True),
        has("usage", None),
        has("bytes_out", 0),
        has("attempts", []),
        has("skipped", ("one/key/m",)),
        has("seams", ("after 3 characters",)),
        has("empty", True),
        has("cached", True),
        has("trace", Trace(7, 8, 0, 1)),
        has("first_byte_at", 0.5),
        has("finished_at", None),
        has("peek", None),
        has("peek", Peek("fast", stream=True, usage_asked=False)),
        has("peek", Peek("faster", stream=False, usage_asked=False)),
        has("peek", Peek("m" * 300, stream=False, usage_asked=False)),
        has("plan", None),
    ],
)  # fmt: skip
def test_who_differs_in_anything_does_not_get_the_line_of_another(change: Callable[[Exchange], None]) -> None:
    forms, exchange = LineForms(), finished(2)
    forms.line(finished(), "then")
    change(exchange)
    assert forms.line(exchange, "now") == json.encode(facts(exchange, "now"))


def test_losses_are_told_with_the_exchange_that_has_them() -> None:
    forms = LineForms()
    forms.line(finished(), "then")
    for number, path in enumerate(["sampling.top_k", '100% "x" %d', "sampling.top_k"]):
        exchange = finished(number)
        exchange.losses.drop(path, "this dialect has none")
        line = forms.line(exchange, "now")
        assert json.decode(line)["losses"] == [f"{path} dropped"]
        assert line == json.encode(facts(exchange, "now"))


def test_every_fact_is_of_one_kind() -> None:
    """A new one must be put into the form, or into what exchanges of a form share, or make an exchange odd."""
    assert {one.name for one in fields(Facts)} - ODD == OWN.keys() | SHARED
    assert not ODD & SHARED
    assert not OWN.keys() & (SHARED | ODD)


def test_more_kinds_than_are_kept_are_written_all_the_same() -> None:
    forms = LineForms()
    for number in range(MOST + 2):
        exchange = finished(number, f"model-{number}")
        assert forms.line(exchange, "now") == json.encode(facts(exchange, "now"))
