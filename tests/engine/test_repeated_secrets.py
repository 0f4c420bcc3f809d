"""What a provider repeats of its key in an answer's headers does not reach the client; all else that is passed does."""

import pytest
from msgspec.structs import replace

from fakes.transport import SSE, Scripted
from isthmus.core.operations import Operation
from isthmus.dialects.table import CODECS
from support.accounts import HELLO, ending
from support.line import KEY, Line, provider

TEAM = b"team-token-0123456789"
ASKED = b'{"model":"one/m","max_tokens":9,"stream":%s,"messages":[{"role":"user","content":"hi"}]}'
WHOLE = (
    b'{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant",'
    b'"content":"hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}'
)
PASSED = sorted(CODECS["openai_chat", Operation.CHAT].passed_reply_headers)
JSON = (b"content-type", b"application/json")


def line_of(*headers: tuple[bytes, bytes], stream: bool = False) -> Line:
    script = Scripted(HELLO, ending(1, 2), headers=(*SSE, *headers))
    one = replace(provider("one"), headers=((b"x-team", TEAM),))
    return Line([one], {"one": [script if stream else Scripted(WHOLE, headers=(JSON, *headers))]})


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("caller", ["openai_chat", "anthropic"])
@pytest.mark.parametrize("secret", [KEY.encode(), TEAM])
async def test_no_header_of_an_answer_tells_what_was_sent_to_prove_who_asks(
    secret: bytes, caller: str, stream: bool
) -> None:
    names = sorted({*PASSED, *CODECS[caller, Operation.CHAT].passed_reply_headers})
    said = [(name, b"Bearer " + secret) for name in (*names, b"set-cookie", b"authorization", b"x-echo")]
    line = line_of(*said, stream=stream)
    status, headers, _ = await line.ask(ASKED % (b"true" if stream else b"false"), caller)
    assert status == 200
    assert not [name for name, value in headers if secret in value]


async def test_headers_beside_it_are_passed_on() -> None:
    line = line_of((b"x-request-id", b"req_1"), (b"openai-version", KEY.encode()))
    _, headers, _ = await line.ask(ASKED % b"false")
    assert dict(headers)[b"x-request-id"] == b"req_1"
    assert b"openai-version" not in dict(headers)


async def test_what_is_not_listed_is_not_passed_on() -> None:
    line = line_of((b"set-cookie", b"a=b"), (b"server", b"nginx"), (b"x-anything", b"1"))
    _, headers, _ = await line.ask(ASKED % b"false")
    assert not {b"set-cookie", b"server", b"x-anything"} & dict(headers).keys()
