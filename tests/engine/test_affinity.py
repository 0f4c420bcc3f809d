"""Requests of one conversation prefer the place that answered the last one, and never wait for it."""

import pytest
from msgspec.structs import replace

from fakes.transport import Scripted
from isthmus.core.errors import GatewayError
from isthmus.engine.snapshot import AffinityRule, Snapshot
from isthmus.routing.places import Credential
from isthmus.wire.headers import Headers
from support.line import Line, provider

ANSWER = (
    b'{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"hello"},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}'
)
OVERLOADED = b'{"error":{"message":"try later","type":"server_error","code":null}}'
NAMED = ((b"x-claude-code-session-id", b"one-conversation"),)
BODY = b'{"model":"%s","messages":[{"role":"system","content":"be brief"},{"role":"user","content":"%s"}%s]%s}'


def asked(question: bytes = b"hi", *, more: bytes = b"", field: bytes = b"") -> bytes:
    return BODY % (b"pool/m", question, more, field)


def pool(*scripts: Scripted | GatewayError, rule: AffinityRule = AffinityRule()) -> Line:  # noqa: B008  a frozen value
    """One provider with three keys that take turns."""
    one = provider("pool")
    line = Line([one], {"pool": list(scripts) or [Scripted(ANSWER) for _ in range(6)]})
    keys = {name: one for name in "abc"}
    snapshot: Snapshot = replace(
        line.live.take().snapshot,
        keys={"pool": keys},
        credentials={"pool": tuple(map(Credential, keys))},
        affinity=rule,
    )
    line.live.swap(snapshot)
    return line


async def keys_of(line: Line, *bodies: bytes, headers: Headers = ()) -> list[str]:
    """The keys that answered these requests."""
    answered = []
    for body in bodies:
        status, _, _ = await line.ask(body, headers=headers)
        assert status == 200
        assert line.exchange is not None
        answered.append(line.exchange.attempts[-1].credential)
    return answered


async def test_without_a_name_the_keys_take_turns() -> None:
    assert await keys_of(pool(), asked(), asked(), asked()) == ["a", "b", "c"]


async def test_a_conversation_that_an_agent_names_stays_with_its_key() -> None:
    line = pool()
    assert await keys_of(line, asked(), asked(b"more"), headers=NAMED) == ["a", "a"]
    assert await keys_of(line, asked()) == ["b"]


@pytest.mark.parametrize("field", [b',"prompt_cache_key":"thread-1"', b',"metadata":{"user_id":"session-1"}'])
async def test_a_conversation_may_be_named_in_the_body(field: bytes) -> None:
    assert await keys_of(pool(), *[asked(field=field)] * 3) == ["a", "a", "a"]


async def test_conversations_have_places_of_their_own() -> None:
    line, fields = pool(), [b',"prompt_cache_key":"%d"' % number for number in (1, 2, 1, 2)]
    assert await keys_of(line, *(asked(field=field) for field in fields)) == ["a", "b", "a", "b"]


async def test_where_it_is_switched_on_a_conversation_is_known_by_how_it_begins() -> None:
    line = pool(rule=AffinityRule(enabled=True))
    answer = b',{"role":"assistant","content":"yes"},{"role":"user","content":"more"}'
    assert await keys_of(line, asked(), asked(more=answer), asked(b"another")) == ["a", "a", "b"]


async def test_it_can_be_switched_off() -> None:
    assert await keys_of(pool(rule=AffinityRule(enabled=False)), asked(), asked(), headers=NAMED) == ["a", "b"]


async def test_it_yields_to_failure_and_stays_with_whoever_answered_instead() -> None:
    line = pool(Scripted(ANSWER), Scripted(OVERLOADED, status=503), *[Scripted(ANSWER) for _ in range(4)])
    first, second, third = await keys_of(line, asked(), asked(), asked(), headers=NAMED)
    assert first != second
    assert second == third


async def test_a_conversation_is_forgotten_some_time_after_its_last_request() -> None:
    line = pool(rule=AffinityRule(seconds=60.0))
    assert await keys_of(line, asked(), headers=NAMED) == ["a"]
    line.clock.move(50.0)
    assert await keys_of(line, asked(), headers=NAMED) == ["a"]
    line.clock.move(61.0)
    assert await keys_of(line, asked(), headers=NAMED) == ["b"]


async def test_nothing_of_the_conversation_is_kept_but_a_digest() -> None:
    line = pool()
    await keys_of(line, asked(b"a secret question"), headers=NAMED)
    kept = str(vars(line.ports.memory))
    assert "bond:" in kept
    assert "one-conversation" not in kept
    assert "question" not in kept
