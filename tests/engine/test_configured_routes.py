"""Routes as a file has them, from its text to who is asked."""

import asyncio
from collections import Counter

from fakes.transport import Scripted
from isthmus.config.compile import compile_loaded
from isthmus.engine.shadow import Shadows
from isthmus.wire import json
from isthmus.wire.headers import Headers
from support.configured import load_text
from support.line import Line

PROVIDERS = """
providers:
  one: {type: compatible, dialect: openai, base-url: "https://one.example.com/v1", api-key: sk-one}
  two: {type: compatible, dialect: openai, base-url: "https://two.example.com/v1", api-key: sk-two}
  three:
    type: compatible
    dialect: openai
    base-url: https://three.example.com/v1
    api-keys: [{name: a, key: sk-a}, {name: b, key: sk-b, models: [large]}]
"""
ASKED = b'{"model":"smart","messages":[{"role":"user","content":"hi"}]}'
ANSWER = (
    b'{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"smart","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"hello"},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}'
)


def configured(routes: str) -> Line:
    line = Line([], {name: [Scripted(ANSWER) for _ in range(50)] for name in ("one", "two", "three")})
    line.live.swap(compile_loaded(load_text(PROVIDERS + routes), ollama=False))
    line.ports.shadows = Shadows()
    return line


async def asked(line: Line, headers: Headers = ()) -> str:
    """The target that answers: its host and its model."""
    status, _, _ = await line.ask(ASKED, headers=headers)
    assert status == 200
    assert line.exchange is not None
    target = line.exchange.attempts[-1].target
    return f"{target.provider}/{target.model}"


async def test_weights_share_the_requests_out() -> None:
    line = configured("""
routes:
  smart:
    strategy: weighted
    targets: [{provider: one, model: m1, weight: 3}, two/m2]
""")
    assert Counter([await asked(line) for _ in range(20)]) == {"one/m1": 15, "two/m2": 5}


async def test_a_tag_leads_along_a_branch_and_a_share_of_the_rest_along_another() -> None:
    line = configured("""
routes:
  smart:
    targets: [one/m1]
    branches:
      - {when: {tags: [batch]}, targets: [two/m2]}
      - {share: 30%, strategy: round_robin, targets: [three/large, three/small]}
""")
    assert await asked(line, ((b"x-isthmus-tags", b"batch"),)) == "two/m2"
    sessions = [((b"x-isthmus-session", b"%d" % number),) for number in range(40)]
    taken = Counter([await asked(line, session) for session in sessions])
    assert set(taken) == {"one/m1", "three/large", "three/small"}
    assert 20 <= taken["one/m1"] <= 36
    assert taken["three/large"] > taken["three/small"]


async def test_a_shadow_is_sent_what_the_route_was_asked() -> None:
    line = configured("""
routes:
  smart: {targets: [one/m1], shadow: {target: two/m2, share: 100%}}
""")
    assert await asked(line) == "one/m1"
    async with asyncio.timeout(5):
        while line.ports.shadows is not None and line.ports.shadows.running:
            await asyncio.sleep(0)
    assert [json.decode(one.body)["model"] for one in line.transport.sent] == ["m1", "m2"]
