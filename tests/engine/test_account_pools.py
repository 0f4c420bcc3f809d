"""Accounts of one provider on the line: who is asked, who takes over, and what explain tells of it."""

import asyncio
import json
from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from fakes.authority import AccountAuthority
from fakes.transport import Scripted
from isthmus.engine import walk
from isthmus.engine.accounts import Account
from isthmus.engine.past import told_past
from isthmus.engine.snapshot import Limits
from isthmus.providers.provider import Deadlines, Outgoing
from isthmus.routing.places import PoolStrategy
from isthmus.routing.plan import Route, Target, first_of
from isthmus.routing.retry_budget import RetryBudgetRule
from isthmus.state.limits import LocalLimiter
from isthmus.wire.headers import find
from support.explaining import explained, why
from support.line import Line, past_of, provider

ASKED = b'{"model":"fast","messages":[{"role":"user","content":"hi"}]}'
ANSWER = (
    b'{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"hello"},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":30,"completion_tokens":12,"total_tokens":42}}'
)
HOUR = 3600.0


def answer(*headers: tuple[bytes, bytes]) -> Scripted:
    return Scripted(ANSWER, headers=((b"content-type", b"application/json"), *headers))


def limited(seconds: float) -> Scripted:
    """The account is limited for so long."""
    told = {"type": "usage_limit_reached", "message": "no more", "resets_in_seconds": seconds}
    return Scripted(json.dumps({"error": told}).encode(), status=429)


def busy(seconds: int) -> Scripted:
    """The account is asked too often at the moment."""
    error = b'{"error":{"message":"slow down","type":"rate_limit_error","code":null}}'
    return Scripted(error, status=429, headers=((b"retry-after", b"%d" % seconds),))


def account(name: str, *, active: bool = False, concurrency: int | None = None) -> Account:
    return Account(id=f"acc_{name}", issuer="codex", name=name, active=active, concurrency=concurrency)


def accounts(*script: Scripted, names: Sequence[str] = "ab", active: str = "") -> Line:
    codex = replace(provider("codex"), secret=None, issuer="codex", limits_account=True)
    routes = {"fast": Route(tiers=first_of(Target("codex", "m"))), "other": Route(tiers=first_of(Target("codex", "n")))}
    line = Line([codex], {"codex": script})
    line.live.swap(replace(line.live.take().snapshot, routes=routes))
    line.live.sign_in([account(name, active=name == active) for name in names])
    line.ports.authority = AccountAuthority()
    return line


async def asked(line: Line, model: bytes = b"fast") -> str:
    """Under whom one request was asked, one after the other."""
    status, _, _ = await line.ask(ASKED.replace(b"fast", model))
    assert status == 200
    assert line.exchange is not None
    return "".join(one.credential for one in line.exchange.attempts)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What requests waited before they asked. No time passes."""
    found: list[float] = []

    async def sleep(seconds: float) -> None:
        found.append(seconds)

    monkeypatch.setattr(walk.asyncio, "sleep", sleep)
    return found


async def test_one_account_is_asked_until_its_limit_is_reached_and_the_next_from_then_on() -> None:
    line = accounts(answer(), limited(HOUR), answer(), answer(), answer())
    assert [await asked(line) for _ in range(4)] == ["a", "ab", "b", "b"]


async def test_the_limit_of_an_account_is_one_for_all_its_models() -> None:
    line = accounts(limited(HOUR), answer(), answer())
    assert (await asked(line), await asked(line, b"other")) == ("ab", "b")


async def test_the_first_account_is_asked_again_when_its_limit_is_over_and_the_next_is_limited() -> None:
    line = accounts(limited(HOUR), answer(), limited(HOUR), answer())
    assert await asked(line) == "ab"
    line.clock.move(HOUR + 1)
    assert await asked(line) == "ba"


async def test_the_active_account_is_asked_first_and_another_at_once_when_that_becomes_active() -> None:
    line = accounts(answer(), answer(), active="b")
    assert await asked(line) == "b"
    line.live.sign_in([account("a", active=True), account("b")])
    assert await asked(line) == "a"


async def test_an_active_account_that_was_left_is_asked_again_when_somebody_wants_that() -> None:
    line = accounts(limited(HOUR), answer(), answer(), active="a")
    assert await asked(line) == "ab"
    line.clock.move(HOUR + 1)
    line.live.begin_again("codex")
    assert await asked(line) == "a"


async def test_a_moments_limit_is_waited_for_and_the_same_account_asked(waits: list[float]) -> None:
    line = accounts(busy(5), answer())
    assert await asked(line) == "aa"
    assert waits == [5.0]


async def test_who_comes_meanwhile_waits_for_the_same_account(waits: list[float]) -> None:
    line = accounts(busy(4), answer())
    line.live.swap(replace(line.live.take().snapshot, limits=Limits(attempts=1)))
    assert (await line.ask(ASKED))[0] == 429
    line.clock.move(1.0)
    assert await asked(line) == "a"
    assert waits == [3.0]


async def test_a_longer_limit_is_not_waited_for(waits: list[float]) -> None:
    line = accounts(busy(6), answer())
    assert await asked(line) == "ab"
    assert waits == []


async def test_a_caller_who_cannot_wait_is_answered_by_the_next(waits: list[float]) -> None:
    line = accounts(busy(4), answer(), answer())
    line.live.swap(replace(line.live.take().snapshot, limits=Limits(wait=2.0)))
    assert await asked(line) == "ab"
    assert waits == []
    line.clock.move(5.0)
    assert await asked(line) == "a"


async def test_when_all_are_limited_the_caller_is_told_when_the_first_is_back() -> None:
    line = accounts(limited(HOUR), limited(HOUR / 2))
    status, headers, _ = await line.ask(ASKED)
    assert (status, dict(headers)[b"retry-after"]) == (429, b"1800")


async def test_the_first_that_is_back_is_told_whoever_was_asked_last() -> None:
    line = accounts(limited(HOUR / 2), limited(HOUR))
    status, headers, _ = await line.ask(ASKED)
    assert (status, dict(headers)[b"retry-after"]) == (429, b"1800")


async def test_accounts_that_are_found_spent_are_no_tries() -> None:
    line = accounts(*[limited(HOUR) for _ in range(9)], answer(), names="abcdefghij")
    assert await asked(line) == "abcdefghij"


async def test_but_no_request_looks_through_hundreds_of_them() -> None:
    names = [f"n{number}" for number in range(60)]
    line = accounts(*[limited(HOUR) for _ in names], names=names)
    status, headers, _ = await line.ask(ASKED)
    assert (status, dict(headers)[b"x-isthmus-attempts"], dict(headers)[b"retry-after"]) == (429, b"26", b"1")


async def test_failures_of_another_kind_are_tries_under_accounts_too() -> None:
    line = accounts(*[Scripted(b"{}", status=500) for _ in range(11)], names="abcdefghijkl")
    line.live.swap(replace(line.live.take().snapshot, retry_budget=RetryBudgetRule(share=1.0, least=100)))
    status, headers, _ = await line.ask(ASKED)
    assert (status, dict(headers)[b"x-isthmus-attempts"]) == (500, b"10")


async def test_an_account_that_is_full_gives_way_and_stays_the_one() -> None:
    line = accounts(answer(), answer(), answer())
    line.live.sign_in([account("a", concurrency=1), account("b")])
    line.ports.limiter = LocalLimiter(line.clock.time)
    assert await asked(line) == "a"
    assert await asked(line) == "b", "the first is not settled yet"


async def test_pools_of_keys_can_fill_the_first_too() -> None:
    line = accounts(answer(), limited(HOUR), answer(), answer())
    line.live.swap(replace(line.live.take().snapshot, pools={"codex": PoolStrategy.FILL_FIRST}))
    assert [await asked(line) for _ in range(2)] == ["a", "ab"]
    line.live.take().board.health.clear()
    assert await asked(line) == "a"


class Spent:
    """Implements the engine's Transport: the account a is limited, all others answer. `asked` is who was."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def send(self, outgoing: Outgoing, deadlines: Deadlines) -> Scripted:
        account = (find(outgoing.headers, b"chatgpt-account-id") or b"").decode().removeprefix("acc_")
        self.asked.append(account)
        await asyncio.sleep(0)
        return limited(HOUR) if account == "a" else answer()


async def test_requests_at_the_same_time_move_on_to_the_same_account() -> None:
    line = accounts(names="abc")
    line.ports.transport = spent = Spent()
    found = await asyncio.gather(*[line.ask(ASKED) for _ in range(20)])
    assert {status for status, _, _ in found} == {200}
    assert sorted(spent.asked) == ["a"] * 20 + ["b"] * 20


async def test_explain_names_the_accounts_and_why_one_is_skipped() -> None:
    line = accounts(limited(HOUR), answer())
    await line.ask(ASKED)
    told = await explained(line)
    assert [(one["key"], one["verdict"]) for one in told["candidates"]] == [("b", "asked first"), ("a", "skipped")]
    assert "all of the key a rests for another 3600 s, as the provider asked" in why(told, "codex", "a")
    assert "stays with one key" in why(told, "codex", "b")
    assert told["candidates"][1]["health"]["rest"]["until"] == line.clock.time() + HOUR


async def test_explain_tells_windows_of_an_account_whichever_model_was_asked() -> None:
    used = (
        (b"x-codex-primary-used-percent", b"40"),
        (b"x-codex-primary-window-minutes", b"300"),
        (b"x-codex-primary-reset-after-seconds", b"600"),
    )
    line = accounts(answer(*used))
    await asked(line, b"other")
    first = (await explained(line))["candidates"][0]
    assert (first["key"], first["told_by_provider"]) == (
        "a",
        [{"measure": "5 hours", "remaining": 0.6, "limit": 1.0, "reset": 600.0}],
    )


async def test_who_does_not_manage_sees_no_names_of_accounts() -> None:
    line = accounts(limited(HOUR), answer(), names=("me@example.com", "you@example.com"))
    await line.ask(ASKED)
    assert "example.com" not in json.dumps(await explained(line, manages=False))


async def test_thousands_of_accounts_are_told_as_far_as_anybody_reads() -> None:
    line = accounts()
    line.live.sign_in([account(f"n{number}") for number in range(1000)])
    assert len((await explained(line))["candidates"]) == 200


async def test_the_record_of_a_request_names_the_accounts_it_went_to() -> None:
    line = accounts(limited(HOUR), answer())
    await line.ask(ASKED)
    assert line.exchange is not None
    told = told_past(past_of(line.exchange), line.live.take())
    assert [(one.key, one.error) for one in told.attempts] == [("a", "quota_spent"), ("b", None)]
    assert [(one.key, one.fate) for one in told.candidates] == [("a", "asked"), ("b", "asked")]
