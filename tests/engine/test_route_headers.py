"""Answers say who gave them and how many were tried for it, unless that is not to be told."""

import pytest
from msgspec.structs import replace

from fakes.transport import SSE, Scripted
from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.snapshot import Habits
from isthmus.routing.plan import header_word
from support.explaining import BODY, change
from support.line import Line, provider

ROUTES = {"fast": ["one/m1", "two/m2"]}
ANSWER = (
    b'{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"hello"},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}'
)
CHUNK = (
    b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,'
    b'"delta":{"content":"hello"},"finish_reason":"stop"}]}\n\n'
)


def two(*scripts: list[Scripted | GatewayError]) -> Line:
    return Line([provider("one"), provider("two")], dict(zip(("one", "two"), scripts, strict=True)), ROUTES)


async def told(line: Line, body: bytes = BODY) -> tuple[bytes | None, bytes | None]:
    _, headers, _ = await line.ask(body)
    found = dict(headers)
    return found.get(b"x-isthmus-route"), found.get(b"x-isthmus-attempts")


async def test_an_answer_names_its_target_its_route_and_one_attempt() -> None:
    assert await told(two([Scripted(ANSWER)], [])) == (b"one/m1; route=fast", b"1")


async def test_a_model_that_is_no_route_is_named_alone() -> None:
    line = Line([provider("one")], {"one": [Scripted(ANSWER)]})
    assert await told(line, BODY.replace(b"fast", b"m1")) == (b"one/m1", b"1")


async def test_attempts_that_failed_are_counted() -> None:
    line = two([GatewayError(Kind.UNREACHABLE, "refused")], [Scripted(ANSWER)])
    assert await told(line) == (b"two/m2; route=fast", b"2")


async def test_a_stream_says_the_same() -> None:
    line = two([Scripted(CHUNK, b"data: [DONE]\n\n", headers=SSE)], [])
    assert await told(line, BODY[:-1] + b',"stream":true}') == (b"one/m1; route=fast", b"1")


async def test_an_error_after_attempts_names_the_last_one() -> None:
    line = two([GatewayError(Kind.UNREACHABLE, "refused")], [Scripted(b"{}", status=401)])
    assert await told(line) == (b"two/m2; route=fast", b"2")


async def test_nothing_is_named_before_anybody_was_asked() -> None:
    line = Line([replace(provider("one"), models=("m1",))], {})
    assert await told(line, BODY.replace(b"fast", b"nothing")) == (None, None)


async def test_nothing_is_named_where_that_is_switched_off() -> None:
    line = two([Scripted(ANSWER)], [])
    change(line, habits=Habits(route_headers=False))
    assert await told(line) == (None, None)


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("openai/gpt-5.2", b"openai/gpt-5.2"),
        ("ollama/qwen3:8b", b"ollama/qwen3:8b"),
        ("a\r\nset-cookie: b", b"a%0D%0Aset-cookie:%20b"),
        ("modèle; q=1", b"mod%C3%A8le%3B%20q%3D1"),
        ("x" * 900, b"x" * 200),
    ],
    ids=["plain", "with a colon", "a line break", "not ASCII", "long"],
)
def test_a_name_cannot_leave_its_header(name: str, word: bytes) -> None:
    assert header_word(name) == word
