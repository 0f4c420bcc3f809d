"""What providers tell of their limits is heard on every line, and who is nearly used up is asked last."""

from msgspec.structs import replace

from fakes.transport import Scripted
from isthmus.core.errors import GatewayError, Kind
from isthmus.routing.health import Place
from isthmus.routing.places import Credential
from support.line import Line, provider

ASKED = b'{"model":"fast","messages":[{"role":"user","content":"hi"}]}'
ANSWER = (
    b'{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"hello"},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":30,"completion_tokens":12,"total_tokens":42}}'
)
LIMITED = b'{"error":{"message":"slow down","type":"rate_limit_error","code":null}}'


def telling(remaining: int, body: bytes = ANSWER, status: int = 200) -> Scripted:
    headers = (
        (b"content-type", b"application/json"),
        (b"x-ratelimit-limit-requests", b"100"),
        (b"x-ratelimit-remaining-requests", b"%d" % remaining),
        (b"x-ratelimit-reset-requests", b"1m0s"),
    )
    return Scripted(body, status=status, headers=headers)


def pool(*answers: Scripted | GatewayError) -> Line:
    """One provider with the keys a and b behind the name `fast`."""
    line = Line([provider("one")], {"one": answers}, {"fast": ["one/m"]})
    line.live.swap(
        replace(
            line.live.take().snapshot,
            credentials={"one": (Credential("a"), Credential("b"))},
            keys={"one": dict.fromkeys("ab", provider("one"))},
        )
    )
    return line


async def asked(line: Line, times: int) -> str:
    """Who was asked first, one time after the other."""
    names = []
    for _ in range(times):
        await line.ask(ASKED)
        assert line.exchange is not None
        names.append(line.exchange.attempts[0].credential)
    return "".join(names)


async def test_keys_take_turns_while_all_have_room() -> None:
    assert await asked(pool(*[telling(50) for _ in range(4)]), 4) == "abab"


async def test_a_key_that_is_nearly_used_up_is_asked_after_the_others() -> None:
    assert await asked(pool(telling(5), *[telling(50) for _ in range(3)]), 4) == "abbb"


async def test_it_takes_its_turn_again_when_its_window_is_over() -> None:
    line = pool(telling(5), *[telling(50) for _ in range(4)])
    assert await asked(line, 2) == "ab"
    line.clock.move(61)
    assert "a" in await asked(line, 2)


async def test_a_refusal_tells_of_limits_too() -> None:
    line = pool(telling(0, LIMITED, 429), telling(50))
    await line.ask(ASKED)
    board = line.live.take().board
    (spent,), (left,) = (board.quotas.of(Place("one", key, "m"), line.clock.now()) for key in "ab")
    assert (spent.remaining, spent.reset) == (0, 60)
    assert left.remaining > 0


async def test_a_place_that_cannot_be_reached_tells_nothing() -> None:
    line = pool(*[GatewayError(Kind.UNREACHABLE, "refused")] * 3)
    await line.ask(ASKED)
    assert line.live.take().board.quotas.of(Place("one", "a", "m"), line.clock.now()) == ()
