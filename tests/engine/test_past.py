"""What is kept of an exchange that is over holds nothing of what was said in it."""

import gc
from typing import Any

from msgspec import Raw

from fakes.transport import Scripted
from isthmus.engine.past import Past
from support.line import Line, provider

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
    kept = [text(one) for one in reached(Past(line.exchange)) if isinstance(one, bytes | str | Raw)]
    assert b"ex_test" in kept
    assert not any(SAID in one or b"sk-client" in one for one in kept)
