"""Web pages: which may use the gateway from a browser, and what they are told."""

import pytest
from msgspec.structs import replace

from fakes.transport import Scripted
from isthmus.server.origins import may_ask
from isthmus.wire import json
from support.asgi import Visit, application
from support.line import Line, provider

ASKED = b'{"model":"m","messages":[{"role":"user","content":"hi"}]}'
ANSWER = (
    b'{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"hello"},"finish_reason":"stop"}]}'
)
APP = b"https://app.example.com"


def line(*cors: str) -> Line:
    made = Line([provider("one")], {"one": [Scripted(ANSWER)]})
    made.live.swap(replace(made.live.take().snapshot, cors=cors))
    return made


async def ask(made: Line, *headers: tuple[bytes, bytes], method: str = "POST") -> Visit:
    return await Visit(application(made), "/v1/chat/completions", ASKED, method=method, headers=headers).done()


@pytest.mark.parametrize(
    "origin",
    [b"http://localhost:3000", b"http://127.0.0.1:8317", b"https://localhost", b"http://[::1]:5173"],
)
def test_pages_from_this_machine_may_ask(origin: bytes) -> None:
    assert may_ask(origin, ())


@pytest.mark.parametrize(
    "origin",
    [
        b"https://attacker.example.com",
        b"http://localhost.attacker.example.com",
        b"http://127.0.0.1.attacker.example.com",
        b"null",
        b"file://",
        b"http://[::1",
        b"",
    ],
)
def test_other_pages_may_not(origin: bytes) -> None:
    assert not may_ask(origin, ("https://app.example.com",))


async def test_a_page_that_is_not_allowed_is_refused_before_anything_is_asked() -> None:
    made = line()
    visit = await ask(made, (b"origin", APP))
    assert visit.status == 403
    assert "may not use the gateway" in json.decode(visit.body)["error"]["message"]
    assert b"access-control-allow-origin" not in visit.headers
    assert made.transport.sent == []


@pytest.mark.parametrize("allowed", ["https://app.example.com", "*"])
async def test_a_page_that_is_allowed_may_read_its_answer(allowed: str) -> None:
    visit = await ask(line(allowed), (b"origin", APP))
    assert (visit.status, visit.body) == (200, ANSWER)
    assert visit.headers[b"access-control-allow-origin"] == APP
    assert b"x-isthmus-losses" in visit.headers[b"access-control-expose-headers"]


async def test_a_browser_that_asks_beforehand_is_told_yes() -> None:
    visit = await ask(line("*"), (b"origin", APP), (b"access-control-request-headers", b"x-api-key"), method="OPTIONS")
    assert (visit.status, visit.body) == (204, b"")
    assert visit.headers[b"access-control-allow-headers"] == b"x-api-key"
    assert b"POST" in visit.headers[b"access-control-allow-methods"]


async def test_a_program_sends_no_origin_and_is_told_nothing_of_this() -> None:
    visit = await ask(line())
    assert visit.status == 200
    assert not [name for name in visit.headers if name.startswith(b"access-control")]
