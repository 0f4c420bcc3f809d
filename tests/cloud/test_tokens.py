"""Tokens are kept, asked for once, and asked for ahead of their end."""

import asyncio

import pytest

from fakes.clock import FakeClock
from isthmus.cloud.tokens import AGAIN, EARLY, FRESH, MOST, Token, Tokens
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.secret import Secret
from isthmus.providers.provider import Origin, Outgoing


class Asking:
    """Counts how often it is asked. Answers only while it is `open`."""

    def __init__(self, clock: FakeClock) -> None:
        self.times = 0
        self.ended = 0
        self.open = asyncio.Event()
        self.open.set()
        self.error: GatewayError | None = None
        self._clock = clock

    async def __call__(self) -> Token:
        self.times += 1
        number = self.times
        await self.open.wait()
        self.ended += 1
        if self.error is not None:
            raise self.error
        return Token(Secret(f"token-{number}"), self._clock.time() + 3600)


@pytest.fixture
def asking(clock: FakeClock) -> Asking:
    return Asking(clock)


@pytest.fixture
def tokens(clock: FakeClock) -> Tokens:
    return Tokens(clock.time)


async def several(tokens: Tokens, asking: Asking, number: int = 20) -> list[str]:
    found = await asyncio.gather(*(tokens.of("a", asking) for _ in range(number)))
    return [token.secret.reveal() for token in found]


async def test_twenty_who_come_at_once_get_one_token(tokens: Tokens, asking: Asking) -> None:
    assert await several(tokens, asking) == ["token-1"] * 20
    assert asking.times == 1


async def test_a_token_is_used_again_while_it_lasts(tokens: Tokens, asking: Asking, clock: FakeClock) -> None:
    await several(tokens, asking)
    clock.move(3600 - EARLY - 1)
    assert await several(tokens, asking) == ["token-1"] * 20
    assert asking.times == 1


async def test_a_token_that_has_ended_is_replaced_once(tokens: Tokens, asking: Asking, clock: FakeClock) -> None:
    await several(tokens, asking)
    clock.move(3600)
    assert await several(tokens, asking) == ["token-2"] * 20
    assert asking.times == 2


async def test_shortly_before_its_end_the_old_one_is_used_while_the_new_one_is_asked_for(
    tokens: Tokens, asking: Asking, clock: FakeClock
) -> None:
    await several(tokens, asking)
    clock.move(3600 - EARLY)
    asking.open.clear()
    assert await several(tokens, asking) == ["token-1"] * 20
    asking.open.set()
    while await several(tokens, asking, 1) == ["token-1"]:
        await asyncio.sleep(0)
    assert await several(tokens, asking) == ["token-2"] * 20
    assert asking.times == 2


async def test_when_the_new_one_cannot_be_had_the_old_one_is_used_to_its_end(
    tokens: Tokens, asking: Asking, clock: FakeClock
) -> None:
    await several(tokens, asking)
    clock.move(3600 - EARLY)
    asking.error = GatewayError(Kind.UNREACHABLE, "nobody there")
    for _ in range(3):
        assert await several(tokens, asking) == ["token-1"] * 20
        while asking.ended < 2:
            await asyncio.sleep(0)
    assert asking.times == 2


async def test_a_failure_is_told_to_all_who_wait_and_not_repeated_at_once(
    tokens: Tokens, asking: Asking, clock: FakeClock
) -> None:
    asking.error = GatewayError(Kind.CREDENTIAL_REJECTED, "no such application")
    found = await asyncio.gather(*(tokens.of("a", asking) for _ in range(20)), return_exceptions=True)
    assert [str(error) for error in found] == ["no such application"] * 20
    with pytest.raises(GatewayError, match="no such application") as again:
        await tokens.of("a", asking)
    assert (again.value.kind, asking.times) == (Kind.CREDENTIAL_REJECTED, 1)
    clock.move(AGAIN)
    asking.error = None
    assert await several(tokens, asking, 1) == ["token-2"]


async def test_whoever_leaves_takes_the_question_from_nobody(tokens: Tokens, asking: Asking) -> None:
    asking.open.clear()
    first = asyncio.create_task(tokens.of("a", asking))
    second = asyncio.create_task(tokens.of("a", asking))
    while not asking.times:
        await asyncio.sleep(0)
    first.cancel()
    asking.open.set()
    assert (await second).secret.reveal() == "token-1"
    assert asking.times == 1


async def test_an_issuer_that_takes_too_long_is_not_waited_for(clock: FakeClock, asking: Asking) -> None:
    asking.open.clear()
    tokens = Tokens(clock.time, patience=0.01)
    with pytest.raises(GatewayError, match="no token was given out") as caught:
        await tokens.of("a", asking)
    assert caught.value.kind is Kind.TIMED_OUT


async def test_nobody_is_asked_any_more_after_the_end(tokens: Tokens, asking: Asking) -> None:
    asking.open.clear()
    waiting = asyncio.create_task(tokens.of("a", asking))
    while not asking.times:
        await asyncio.sleep(0)
    await tokens.aclose()
    assert isinstance((await asyncio.gather(waiting, return_exceptions=True))[0], asyncio.CancelledError)


async def test_only_so_many_credentials_are_remembered(tokens: Tokens, asking: Asking) -> None:
    for number in range(MOST + 1):
        await tokens.of(number, asking)
    await tokens.of(MOST, asking)
    assert asking.times == MOST + 1
    await tokens.of(0, asking)
    assert asking.times == MOST + 2


def test_a_token_stands_in_place_of_any_other() -> None:
    before = Outgoing(Origin("https", "example.com", 443), "POST", "/", ((b"authorization", b"x"), (b"accept", b"*/*")))
    after = Token(Secret("abc"), 0.0, "billed-project").sign(before)
    assert after.headers == (
        (b"accept", b"*/*"),
        (b"authorization", b"Bearer abc"),
        (b"x-goog-user-project", b"billed-project"),
    )


def test_a_project_that_the_client_names_is_billed() -> None:
    headers = ((b"x-goog-user-project", b"theirs"),)
    before = Outgoing(Origin("https", "example.com", 443), "POST", "/", headers)
    assert (b"x-goog-user-project", b"ours") not in Token(Secret("abc"), 0.0, "ours").sign(before).headers


async def test_a_token_that_is_refused_is_asked_for_anew(tokens: Tokens, asking: Asking, clock: FakeClock) -> None:
    await several(tokens, asking)
    clock.move(FRESH)
    tokens.forget("a")
    assert await several(tokens, asking) == ["token-2"] * 20


async def test_a_token_that_is_refused_at_once_would_be_the_same_again(
    tokens: Tokens, asking: Asking, clock: FakeClock
) -> None:
    await several(tokens, asking)
    clock.move(FRESH - 1)
    tokens.forget("a")
    assert await several(tokens, asking) == ["token-1"] * 20


def test_what_was_never_given_out_can_be_forgotten(tokens: Tokens) -> None:
    tokens.forget("a")
