"""A request's trace: read as the W3C's Trace Context has it, begun for a share of the others, and told to providers."""

from random import Random

import pytest

from fakes.transport import Scripted
from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.exchange import Exchange
from isthmus.engine.tracing import STATE_BYTES, Tracer, read_parent, read_state, told
from isthmus.wire.headers import Headers
from support.asgi import Visit, application
from support.line import Line, provider

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SAMPLED = f"00-{TRACE}-{SPAN}-01".encode()
UNSAMPLED = f"00-{TRACE}-{SPAN}-00".encode()
ASKED = b'{"model":"one/m","messages":[{"role":"user","content":"hi"}]}'
ANSWER = (
    b'{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"hello"},"finish_reason":"stop"}]}'
)
FAULT = GatewayError(Kind.UPSTREAM_FAULT, "broken")


def parent(said: bytes) -> Headers:
    return ((b"traceparent", said),)


async def asked(
    headers: Headers = (), *script: Scripted | GatewayError, tracer: Tracer | None = None
) -> tuple[Exchange, list[Headers]]:
    """The exchange, and the headers that its provider was sent, each time."""
    line = Line([provider("one")], {"one": script or (Scripted(ANSWER),)})
    line.ports.tracer = tracer
    await Visit(application(line), "/v1/chat/completions", ASKED, headers=headers).done()
    return line.recorded.exchanges[-1], [one.headers for one in line.transport.sent]


def test_who_asks_and_in_which_trace_is_read() -> None:
    found = read_parent(parent(SAMPLED))
    assert found is not None
    assert (found.trace, found.span, found.flags) == (int(TRACE, 16), int(SPAN, 16), 1)


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"00",
        SAMPLED + b"-00",
        SAMPLED[:-1],
        SAMPLED.upper(),
        b"ff" + SAMPLED[2:],
        b"0g" + SAMPLED[2:],
        b"00-" + b"0" * 32 + SAMPLED[35:],
        SAMPLED[:36] + b"0" * 16 + b"-01",
        SAMPLED + b"\n",
        SAMPLED.replace(b"-", b"_"),
        b" " + SAMPLED,
    ],
)
def test_what_is_not_said_as_it_is_to_be_said_is_no_trace(said: bytes) -> None:
    assert read_parent(parent(said)) is None


def test_a_later_version_may_say_more() -> None:
    assert read_parent(parent(b"cc" + SAMPLED[2:] + b"-more")) is not None
    assert read_parent(parent(b"cc" + SAMPLED[2:] + b".more")) is None


def test_two_parents_are_none() -> None:
    assert read_parent(parent(SAMPLED) + parent(SAMPLED)) is None


def test_state_in_several_headers_is_one() -> None:
    assert read_state(((b"tracestate", b"a=1"), (b"tracestate", b"b=2,c=3"))) == b"a=1,b=2,c=3"


def test_state_that_is_too_long_loses_its_last_entries() -> None:
    entries = [b"%03d=%b" % (number, b"x" * 60) for number in range(20)]
    state = read_state(((b"tracestate", b",".join(entries)),))
    assert len(state) <= STATE_BYTES
    assert state == b",".join(entries[:7])


def test_state_that_no_header_can_carry_is_not_passed_on() -> None:
    assert read_state(((b"tracestate", b"a=\xff"),)) == b""


def test_a_trace_that_was_begun_goes_on_whatever_share_is_sampled() -> None:
    for share in (0.0, 1.0):
        for said, sampled in ((SAMPLED, True), (UNSAMPLED, False)):
            trace = Tracer(share).begin(parent(said))
            assert trace is not None
            assert (trace.id, trace.parent, trace.sampled) == (int(TRACE, 16), int(SPAN, 16), sampled)


def test_the_share_of_others_that_begins_a_trace_is_as_configured() -> None:
    tracer = Tracer(0.25, dice=Random(3))
    begun = sum(tracer.begin(()) is not None for _ in range(4000))
    assert 900 < begun < 1100
    assert all(Tracer(0.0, dice=Random(3)).begin(()) is None for _ in range(100))
    assert all(Tracer(1.0, dice=Random(3)).begin(()) is not None for _ in range(100))


def test_what_is_told_is_a_parent_that_is_read_again() -> None:
    trace = Tracer(1.0, dice=Random(1)).begin(())
    assert trace is not None
    found = read_parent(told(trace, 5))
    assert found is not None
    assert (found.trace, found.span, found.flags) == (trace.id, 5, 1)


async def test_each_try_tells_its_provider_a_span_of_its_own_in_the_trace_of_the_request() -> None:
    headers = (*parent(SAMPLED), (b"tracestate", b"vendor=1"))
    exchange, sent = await asked(headers, FAULT, Scripted(ANSWER), tracer=Tracer())
    spans = [one.span for one in exchange.attempts]
    assert len(set(spans)) == 2
    assert [dict(one)[b"traceparent"] for one in sent] == [f"00-{TRACE}-{span:016x}-01".encode() for span in spans]
    assert [dict(one)[b"tracestate"] for one in sent] == [b"vendor=1", b"vendor=1"]


async def test_a_trace_that_is_not_sampled_goes_on_as_such() -> None:
    exchange, [sent] = await asked(parent(UNSAMPLED), tracer=Tracer())
    assert dict(sent)[b"traceparent"] == f"00-{TRACE}-{exchange.attempts[0].span:016x}-00".encode()


async def test_providers_are_told_nothing_where_they_are_not_to_be() -> None:
    exchange, [sent] = await asked(parent(SAMPLED), tracer=Tracer(tells=False))
    assert exchange.trace is not None
    assert not {b"traceparent", b"tracestate"} & dict(sent).keys()


async def test_without_a_tracer_nothing_of_a_trace_is_passed_on() -> None:
    exchange, [sent] = await asked(parent(SAMPLED))
    assert exchange.trace is None
    assert b"traceparent" not in dict(sent)


async def test_the_answer_and_the_request_are_otherwise_the_same() -> None:
    _, [plain] = await asked()
    _, [traced] = await asked(tracer=Tracer())
    assert [pair for pair in traced if pair[0] != b"traceparent"] == list(plain)
