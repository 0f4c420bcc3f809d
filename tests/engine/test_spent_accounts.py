"""An account whose limit of use is spent comes back when that resets: without a restart, and no later."""

import pytest
from msgspec.structs import replace

from fakes.authority import AccountAuthority
from fakes.clock import FakeClock
from fakes.transport import Scripted
from isthmus.engine.accounts import Account
from isthmus.providers.provider import Deadlines, Outgoing
from isthmus.routing.places import PoolStrategy
from isthmus.wire import json
from isthmus.wire.headers import find
from support.line import Line, provider

ASKED = b'{"model":"fast","messages":[{"role":"user","content":"hi"}]}'
ANSWER = (
    b'{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"hello"},"finish_reason":"stop"}]}'
)
HOUR, MINUTE = 3600.0, 60.0


class Limited:
    """Implements the engine's Transport. Each account is refused until its limit resets, with the seconds until then.

    `answered` is who answered.
    """

    def __init__(self, clock: FakeClock, resets: dict[str, float]) -> None:
        self.answered: list[str] = []
        self.refused = 0
        self._clock = clock
        self._began = clock.now()
        self._resets = resets

    async def send(self, outgoing: Outgoing, deadlines: Deadlines) -> Scripted:
        account = (find(outgoing.headers, b"chatgpt-account-id") or b"").decode()
        left = self._began + self._resets.get(account, 0.0) - self._clock.now()
        if left <= 0:
            self.answered.append(account)
            return Scripted(ANSWER)
        self.refused += 1
        told = {"type": "usage_limit_reached", "message": "no more", "resets_in_seconds": left}
        return Scripted(json.encode({"error": told}), status=429)


def accounts(resets: dict[str, float]) -> tuple[Line, Limited]:
    """A provider that is asked under the accounts a and b, and a comes first."""
    line = Line([replace(provider("one"), issuer="codex", secret=None)], {}, {"fast": ["one/m"]})
    line.live.swap(replace(line.live.take().snapshot, account_pool=PoolStrategy.FILL_FIRST))
    names = ("a", "b")
    line.live.sign_in([Account(id=name, issuer="codex", name=name, active=name == "a") for name in names])
    line.ports.authority = AccountAuthority()
    limited = Limited(line.clock, resets)
    line.ports.transport = limited
    return line, limited


@pytest.mark.parametrize("reset", [90.0, 20 * MINUTE, 5 * HOUR, 50 * HOUR])
async def test_the_account_is_asked_again_by_the_first_request_behind_its_reset(reset: float) -> None:
    line, limited = accounts({"a": reset})
    began, step = line.clock.now(), reset / 40
    while line.clock.now() < began + reset:
        assert (await line.ask(ASKED))[0] == 200
        line.clock.move(step)
    assert set(limited.answered) == {"b"}
    line.clock.move(began + reset + 1 - line.clock.now())
    assert (await line.ask(ASKED))[0] == 200
    assert limited.answered[-1] == "a"


async def test_whoever_is_spent_for_long_is_tried_now_and_then_and_no_request_fails_by_it() -> None:
    line, limited = accounts({"a": 5 * HOUR})
    for _ in range(5 * 60):
        assert (await line.ask(ASKED))[0] == 200
        line.clock.move(MINUTE)
    assert limited.refused <= 5 * 6 + 1, "it is tried every ten minutes, in case it was wrong"


async def test_where_nobody_asked_for_days_the_first_request_finds_it_back() -> None:
    line, limited = accounts({"a": 5 * HOUR})
    await line.ask(ASKED)
    line.clock.move(5 * HOUR + 1)
    await line.ask(ASKED)
    assert limited.answered == ["b", "a"]


async def test_when_both_are_spent_the_caller_is_told_when_the_first_is_back() -> None:
    line, _ = accounts({"a": 5 * HOUR, "b": 30 * MINUTE})
    await line.ask(ASKED)
    status, headers, _ = await line.ask(ASKED)
    assert (status, dict(headers)[b"retry-after"]) == (429, b"1800")
