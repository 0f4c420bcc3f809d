"""A name's ending is said to the provider in its own dialect's words."""

import pytest

from fakes.transport import Scripted
from isthmus.engine.exchange import Lane
from isthmus.wire import json
from support.line import Line, provider

ASKED = b'{"model":"claude-x-thinking-low","max_tokens":4000,"messages":[{"role":"user","content":"hi"}]}'
ANSWER = (
    b'{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"hello"}],'
    b'"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":1}}'
)


@pytest.mark.parametrize("dialect", ["anthropic", "openai_chat"])
async def test_the_ending_becomes_the_providers_own_field(dialect: str) -> None:
    line = Line([provider("one", "anthropic")], {"one": [Scripted(ANSWER)]})
    status, _, _ = await line.ask(ASKED, dialect)
    sent = json.decode(line.transport.sent[0].body)
    assert status == 200
    assert (sent["model"], sent["thinking"]) == ("claude-x", {"type": "enabled", "budget_tokens": 1024})
    assert line.exchange is not None
    assert line.exchange.lane is Lane.TRANSLATE
