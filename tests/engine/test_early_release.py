"""A rest that a provider asked for ends early by its own word: headers that tell of room in its limits."""

import asyncio

import pytest

from fakes.transport import Scripted, ScriptedTransport
from isthmus.providers.provider import Deadlines, Outgoing
from isthmus.routing.health import Place, State
from isthmus.wire.headers import Headers
from support.line import Line, provider

ASKED = b'{"model":"one/m","messages":[{"role":"user","content":"hi"}]}'
ANSWER = (
    b'{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"hello"},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}'
)
LIMITED = b'{"error":{"message":"slow down","type":"rate_limit_error","code":null}}'
SPENT = b'{"error":{"message":"no credit left","type":"insufficient_quota","code":"insufficient_quota"}}'
JSON = (b"content-type", b"application/json")
PLACE = Place("one", "key", "m")


def told(remaining: int) -> Headers:
    return (
        JSON,
        (b"x-ratelimit-limit-requests", b"100"),
        (b"x-ratelimit-remaining-requests", b"%d" % remaining),
        (b"x-ratelimit-reset-requests", b"30s"),
    )


class SlowHead(ScriptedTransport):
    """The head of the first answer comes when it is let go."""

    def __init__(self, *script: Scripted) -> None:
        super().__init__({"one.example.com": script})
        self.go = asyncio.Event()

    async def send(self, outgoing: Outgoing, deadlines: Deadlines) -> Scripted:
        first = not self.sent
        answer = await super().send(outgoing, deadlines)
        if first:
            await self.go.wait()
        return answer


async def state_after(refusal: bytes, headers: Headers, *, head_before: bool = False) -> State:
    """A request is answered late, with these headers; another is refused for ten minutes in the meantime."""
    body = asyncio.Event()
    refused = Scripted(refusal, status=429, headers=(JSON, (b"retry-after", b"600")))
    line = Line([provider("one")], {})
    transport = line.ports.transport = SlowHead(Scripted(body, ANSWER, headers=headers), refused)
    board = line.live.take().board
    first = asyncio.create_task(line.ask(ASKED))
    while not transport.played:
        await asyncio.sleep(0)
    if head_before:
        transport.go.set()
        await asyncio.sleep(0)
    line.clock.move(1.0)
    await line.ask(ASKED)
    assert board.health.state(PLACE, line.clock.now()) is State.RESTING
    line.clock.move(1.0)
    transport.go.set()
    body.set()
    await first
    return board.health.state(PLACE, line.clock.now())


async def test_a_later_answer_that_tells_of_room_ends_the_rest() -> None:
    assert await state_after(LIMITED, told(60)) is State.READY


@pytest.mark.parametrize("headers", [told(5), told(0), (JSON,)], ids=["little", "nothing", "silence"])
async def test_an_answer_that_tells_of_little_room_or_of_none_leaves_it(headers: Headers) -> None:
    assert await state_after(LIMITED, headers) is State.RESTING


async def test_room_in_a_limit_says_nothing_of_spent_credit() -> None:
    assert await state_after(SPENT, told(60)) is State.RESTING


async def test_what_was_told_before_the_refusal_says_nothing_of_it() -> None:
    assert await state_after(LIMITED, told(60), head_before=True) is State.RESTING
