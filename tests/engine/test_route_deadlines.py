"""How long a request may take: its caller's word, its route's and its provider's, and which of them holds."""

import pytest
from msgspec.structs import replace

from fakes.transport import Scripted, ScriptedTransport
from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.deadlines import deadline, within
from isthmus.engine.snapshot import Snapshot
from isthmus.providers.provider import Deadlines, Outgoing
from isthmus.routing.plan import Plan, Route, Rules, Target, Timing, first_of
from isthmus.wire.headers import Headers
from support.line import Line, provider

ASKED = b'{"model":"fast","messages":[{"role":"user","content":"hi"}]}'
ANSWER = (
    b'{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"hello"},"finish_reason":"stop"}]}'
)
REFUSED = Scripted(b'{"error":{"message":"later"}}', status=503)
OWN = Deadlines(connect=1.0, first_byte=2.0, between_bytes=3.0, total=4.0)
TARGETS = first_of(Target("one", "m1"), Target("two", "m2"))


class Watched(ScriptedTransport):
    """Notes the deadlines that requests are sent with. Each of them takes two seconds."""

    def __init__(self, line: Line, *answers: Scripted) -> None:
        super().__init__(
            {f"{name}.example.com": [answer] for name, answer in zip(("one", "two"), answers, strict=False)}
        )
        self.deadlines: list[Deadlines] = []
        self._clock = line.clock

    async def send(self, outgoing: Outgoing, deadlines: Deadlines) -> Scripted:
        self.deadlines.append(deadlines)
        self._clock.move(2.0)
        return await super().send(outgoing, deadlines)


async def deadlines_of(timing: Timing | None, *answers: Scripted, headers: Headers = ()) -> list[Deadlines]:
    """Those of each attempt at the route `fast`, whose providers have deadlines of their own."""
    line = Line([replace(provider(name), deadlines=OWN) for name in ("one", "two")], {})
    snapshot: Snapshot = line.live.take().snapshot
    line.live.swap(replace(snapshot, routes={"fast": Route(tiers=TARGETS, rules=Rules(timing=timing))}))
    line.ports.transport = transport = Watched(line, *answers)
    await line.ask(ASKED, headers=headers)
    return transport.deadlines


async def test_a_route_that_says_nothing_leaves_its_providers_theirs() -> None:
    assert await deadlines_of(None, Scripted(ANSWER)) == [OWN]


async def test_what_a_route_says_takes_the_place_of_what_its_providers_say() -> None:
    (sent,) = await deadlines_of(Timing(first_byte=20.0, between_bytes=30.0), Scripted(ANSWER))
    assert sent == Deadlines(connect=1.0, first_byte=20.0, between_bytes=30.0, total=4.0)


async def test_the_total_of_a_route_is_for_all_of_its_attempts() -> None:
    sent = await deadlines_of(Timing(total=10.0), REFUSED, Scripted(ANSWER))
    assert [one.total for one in sent] == [10.0, 8.0]


@pytest.mark.parametrize(("said", "total"), [(b"5", 5.0), (b"30", 10.0)])
async def test_the_sooner_of_the_callers_and_the_routes_total_holds(said: bytes, total: float) -> None:
    (sent,) = await deadlines_of(Timing(total=10.0), Scripted(ANSWER), headers=((b"x-isthmus-timeout", said),))
    assert sent.total == total


async def test_a_callers_total_is_never_more_than_the_providers() -> None:
    (sent,) = await deadlines_of(None, Scripted(ANSWER), headers=((b"x-isthmus-timeout", b"30"),))
    assert sent.total == 4.0


def test_when_no_time_is_left_nobody_is_asked() -> None:
    with pytest.raises(GatewayError) as caught:
        within(provider("one"), None, 0.0)
    assert caught.value.kind is Kind.TIMED_OUT


def test_the_time_of_a_request_begins_when_it_came() -> None:
    line = Line([provider("one")], {})
    exchange = line.open()
    exchange.plan = Plan(TARGETS, "a route", rules=Rules(timing=Timing(total=10.0)))
    line.clock.move(3.0)
    assert deadline(exchange) == exchange.started_at + 10.0


@pytest.mark.parametrize("said", [b"soon", b"0", b"-1", b"inf", b"nan"])
def test_a_time_that_is_none_is_refused(said: bytes) -> None:
    with pytest.raises(GatewayError) as caught:
        deadline(Line([provider("one")], {}).open(headers=((b"x-isthmus-timeout", said),)))
    assert caught.value.kind is Kind.INVALID
