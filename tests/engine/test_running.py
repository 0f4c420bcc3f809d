"""What runs at a place is counted from the first try to the last byte, and down again once, whatever happens."""

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from fakes.transport import SSE, Scripted
from isthmus.core.errors import GatewayError, Kind
from isthmus.routing.health import Place
from isthmus.routing.meters import ENOUGH, ERROR_WEIGHT, Meter
from isthmus.routing.plan import Hedge, Route, Rules, Target, first_of
from support.asgi import Visit, application
from support.line import Line, provider

CHAT = "/v1/chat/completions"
STREAMED = b'{"model":"fast","stream":true,"messages":[{"role":"user","content":"hi"}]}'
PIECE = (
    b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,'
    b'"delta":{"content":"hello"},"finish_reason":null}]}\n\n'
)
END = PIECE.replace(b'"delta":{"content":"hello"},"finish_reason":null', b'"delta":{},"finish_reason":"stop"')
DONE = b"data: [DONE]\n\n"
ONE, TWO = Place("one", "key", "m1"), Place("two", "key", "m2")


def line_of(*scripts: Sequence[Scripted | GatewayError]) -> Line:
    names = ("one", "two")[: len(scripts)]
    routes = {"fast": [f"{name}/m{number}" for number, name in enumerate(names, 1)]}
    return Line([provider(name) for name in names], dict(zip(names, scripts, strict=True)), routes)


def meter(line: Line, place: Place) -> Meter:
    found = line.live.take().board.meters.of(place)
    assert found is not None
    return found


async def test_an_answer_runs_until_its_last_byte() -> None:
    more = asyncio.Event()
    line = line_of([Scripted(PIECE, more, END, DONE, headers=SSE)])
    visit = Visit(application(line), CHAT, STREAMED)
    await visit.until(lambda one: b"hello" in one.body)
    assert meter(line, ONE).running == 1
    more.set()
    await visit.done()
    assert meter(line, ONE).running == 0
    assert meter(line, ONE).pace(stream=True) == 0.0
    assert meter(line, ONE).pace(stream=False) is None


async def test_who_fails_does_not_run_any_more_while_another_answers() -> None:
    more = asyncio.Event()
    line = line_of([GatewayError(Kind.UNREACHABLE, "refused")], [Scripted(PIECE, more, END, DONE, headers=SSE)])
    visit = Visit(application(line), CHAT, STREAMED)
    await visit.until(lambda one: b"hello" in one.body)
    assert (meter(line, ONE).running, meter(line, TWO).running) == (0, 1)
    assert meter(line, ONE).errors(line.clock.now()) == ERROR_WEIGHT
    more.set()
    await visit.done()


async def test_an_answer_that_breaks_off_is_an_error_of_its_place() -> None:
    line = line_of([Scripted(PIECE, GatewayError(Kind.CUT_SHORT, "reset"), headers=SSE)])
    await Visit(application(line), CHAT, STREAMED).done()
    assert meter(line, ONE).running == 0
    assert meter(line, ONE).errors(line.clock.now()) == ERROR_WEIGHT


async def test_a_refusal_of_the_request_is_no_error_of_its_place() -> None:
    refusal = b'{"error":{"message":"no such field","type":"invalid_request_error"}}'
    line = line_of([Scripted(refusal, status=400)])
    await Visit(application(line), CHAT, STREAMED).done()
    assert meter(line, ONE).running == 0
    assert meter(line, ONE).errors(line.clock.now()) == 0.0


def answer(kind: str) -> Scripted | GatewayError:
    pause = asyncio.Event()
    after(12 if kind == "late" else 1, pause)
    match kind:
        case "answered" | "late":
            return Scripted(pause, PIECE, END, DONE, headers=SSE)
        case "cut":
            return Scripted(PIECE, pause, GatewayError(Kind.CUT_SHORT, "reset"), headers=SSE)
        case "refused":
            return Scripted(pause, b"{}", status=500)
        case "hanging":
            return Scripted(PIECE, asyncio.Event(), headers=SSE)
        case "silent":
            return Scripted(asyncio.Event(), headers=SSE)
        case _:
            return GatewayError(Kind.UNREACHABLE, "refused")


def after(turns: int, pause: asyncio.Event) -> None:
    """Set it after so many turns of the loop."""
    if turns:
        asyncio.get_running_loop().call_soon(after, turns - 1, pause)
    else:
        pause.set()


KINDS = st.sampled_from(["answered", "late", "silent", "cut", "refused", "hanging", "unreachable"])
COURSES = st.lists(st.tuples(KINDS, st.none() | st.integers(0, 30)), min_size=1, max_size=8)
"""What the first provider makes of each request, and after how many turns of the loop the request is given up."""


async def run(courses: list[tuple[str, int | None]], *, hedged: bool = False) -> Line:
    """All requests at once; whoever waits for ever is given up at last."""
    line = line_of([answer(kind) for kind, _ in courses], [answer(kind) for kind, _ in courses * 2][::-1])
    if hedged:
        hedge(line)
    app = application(line)
    visits = [Visit(app, CHAT, STREAMED) for _ in courses]
    for turn in range(40):
        for visit, (_, patience) in zip(visits, courses, strict=True):
            if turn == (39 if patience is None else patience):
                visit.task.cancel()
        await asyncio.sleep(0)
    await asyncio.gather(*(visit.task for visit in visits), return_exceptions=True)
    return line


def hedge(line: Line) -> None:
    """Every request is asked of the second provider too, as soon as it was asked of the first."""
    now = line.live.take()
    rules = Rules(hedge=Hedge(share=1.0, quantile=0.0, least=0.0))
    route = Route(tiers=first_of(Target("one", "m1"), Target("two", "m2")), rules=rules)
    line.live.swap(replace(now.snapshot, routes={"fast": route}))
    known = now.board.meters.began(ONE, 0.0)
    known.ended()
    for _ in range(ENOUGH):
        known.answered(0.0, 0.0, stream=True)


@pytest.mark.parametrize("hedged", [False, True])
@given(courses=COURSES)
def test_nothing_runs_when_all_is_over(hedged: bool, courses: list[tuple[str, int | None]]) -> None:
    line = asyncio.run(run(courses, hedged=hedged))
    meters = line.live.take().board.meters
    for place in (ONE, TWO):
        found = meters.of(place)
        assert found is None or found.running == 0
