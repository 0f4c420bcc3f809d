"""An exchange leaves nothing behind that only the collector of cycles could free: bodies are large."""

import asyncio
import gc
from collections.abc import Iterator

import pytest
from test_respond import CHAT, HELLO, MESSAGES, STOP, STREAMED, UNARY

from fakes.transport import SSE, Scripted
from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.exchange import Exchange
from isthmus.server import patrol
from isthmus.server.respond import Responder
from support.asgi import Visit, application
from support.line import Line, provider


@pytest.fixture
def no_collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(patrol, "EVERY", 0.0)
    gc.collect()
    gc.freeze()
    gc.disable()
    yield
    gc.enable()
    gc.unfreeze()


def left() -> list[str]:
    return [type(one).__name__ for one in gc.get_objects() if isinstance(one, Exchange | Responder)]


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("path", [CHAT, MESSAGES])
@pytest.mark.parametrize("case", ["answered", "refused", "unreachable", "cut", "left"])
async def test_a_finished_exchange_is_freed_at_once(path: str, case: str) -> None:
    answered, refusal = asyncio.Event(), b'{"error":{"message":"no","type":"x"}}'
    script = {
        "answered": Scripted(answered, HELLO, STOP, headers=SSE),
        "refused": Scripted(answered, refusal, status=400),
        "unreachable": GatewayError(Kind.TIMED_OUT, "too late"),
        "cut": Scripted(answered, HELLO, GatewayError(Kind.CUT_SHORT, "reset"), headers=SSE),
        "left": Scripted(asyncio.Event(), headers=SSE),
    }[case]
    line = Line([provider("one")], {"one": [script]})
    line.ports.recorder = type("Nobody", (), {"record": lambda *_: None})()
    visit = Visit(application(line), path, STREAMED if case != "refused" else UNARY)
    watched = asyncio.Event()
    asyncio.get_running_loop().call_later(0.03, watched.set)
    await watched.wait()
    answered.set()
    if case == "left":
        visit.leave()
    await visit.done()
    del visit, line, script
    for _ in range(3):
        await asyncio.sleep(0)
    assert left() == []
