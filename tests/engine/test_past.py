"""What is kept of an exchange that is over holds nothing of what was said in it."""

import gc
from typing import Any

from msgspec import Raw

from fakes.transport import Scripted
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.usage import Usage
from isthmus.engine.exchange import AttemptRecord, Exchange
from isthmus.engine.past import PastRing
from isthmus.routing.plan import Target
from support.line import Line, past_of, provider

SAID = b"a secret that somebody told a model"
BODY = b'{"model":"m1","messages":[{"role":"user","content":"%b"}]}' % SAID
ANSWER = (
    b'{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"%b"},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}' % SAID
)


def reached(value: object) -> list[object]:
    """Everything that the exchange alone is kept alive by: values of its own, and not the configuration's."""
    found: dict[int, object] = {}
    left: list[Any] = [value]
    while left:
        one = left.pop()
        if id(one) not in found and not isinstance(one, type) and not callable(one):
            found[id(one)] = one
            left += gc.get_referents(one)
    return list(found.values())


def text(one: bytes | str | Raw) -> bytes:
    return one.encode() if isinstance(one, str) else bytes(one)


async def test_nothing_that_was_asked_or_answered_is_kept() -> None:
    line = Line([provider("one")], {"one": [Scripted(ANSWER)]})
    await line.ask(BODY, headers=((b"authorization", b"Bearer sk-client-0123456789"),))
    assert line.exchange is not None
    kept = [text(one) for one in reached(past_of(line.exchange)) if isinstance(one, bytes | str | Raw)]
    assert b"ex_test" in kept
    assert not any(SAID in one or b"sk-client" in one for one in kept)


def over(line: Line, name: str, *, usage: Usage | None = None, error: GatewayError | None = None) -> Exchange:
    exchange = line.open()
    exchange.id, exchange.usage, exchange.error = name, usage, error
    exchange.peek = exchange.call.codec.peek(BODY)
    return exchange


def test_each_is_found_by_its_own_id_and_the_oldest_makes_room() -> None:
    line, ring = Line([provider("one")], {"one": []}), PastRing(3)
    for number in range(5):
        ring.keep(over(line, f"ex_{number}", usage=Usage(number, 1, 2, 3, 4)))
    found = {number: ring.of(f"ex_{number}") for number in range(5)}
    assert {number: past.usage for number, past in found.items() if past is not None} == {
        number: Usage(number, 1, 2, 3, 4) for number in (2, 3, 4)
    }


def test_what_is_odd_of_one_is_not_told_of_the_next_in_its_place() -> None:
    line, ring = Line([provider("one")], {"one": [Scripted(ANSWER)]}), PastRing(1)
    ring.keep(over(line, "ex_failed", error=GatewayError(Kind.OVERLOADED, "too much")))
    failed = ring.of("ex_failed")
    assert failed is not None
    assert failed.odd.error is not None
    ring.keep(answered(line, "ex_fine"))
    fine = ring.of("ex_fine")
    assert fine is not None
    assert fine.odd.error is None


def test_counts_beyond_all_measure_are_kept_as_the_most_there_is() -> None:
    line, ring = Line([provider("one")], {"one": []}), PastRing(1)
    ring.keep(over(line, "ex_many", usage=Usage(10**30, 0, 0, 7, 0)))
    many = ring.of("ex_many")
    assert many is not None
    assert many.usage == Usage(2**62, 0, 0, 7, 0)


def answered(line: Line, name: str) -> Exchange:
    """One that a single place answered."""
    exchange = over(line, name, usage=Usage(3, output=1))
    exchange.answered = AttemptRecord(Target("one", "m1"))
    exchange.attempts.append(exchange.answered)
    return exchange
