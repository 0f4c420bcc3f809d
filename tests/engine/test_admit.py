"""Who is let in, and how the gateway empties when it stops."""

import asyncio
import hashlib

import pytest

from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.admit import Gate, identify
from isthmus.engine.clients import ANYONE, Client
from isthmus.engine.snapshot import Snapshot

OURS = Snapshot(providers={}, clients={hashlib.sha256(b"right").digest(): Client("team")})


def test_without_client_keys_anyone_may_ask_with_any_key() -> None:
    assert identify(None, Snapshot(providers={}), 0.0) is ANYONE
    assert identify("any-key", Snapshot(providers={}), 0.0) is ANYONE


def test_a_known_key_tells_who_is_calling() -> None:
    assert identify("right", OURS, 0.0) == Client("team")


@pytest.mark.parametrize("presented", [None, "", "wrong", "Right", "right "])
def test_any_other_key_is_refused_without_being_repeated(presented: str | None) -> None:
    with pytest.raises(GatewayError) as caught:
        identify(presented, OURS, 0.0)
    assert caught.value.kind is Kind.UNAUTHENTICATED
    assert "wrong" not in caught.value.message


async def test_an_empty_gateway_closes_at_once() -> None:
    assert await Gate().close(0.0)


async def test_closing_waits_for_the_last_exchange_and_lets_nobody_in() -> None:
    gate = Gate()
    gate.enter(2)
    gate.enter(2)
    closing = asyncio.create_task(gate.close(5.0))
    await asyncio.sleep(0)
    with pytest.raises(GatewayError) as caught:
        gate.enter(2)
    assert caught.value.kind is Kind.STOPPING
    gate.leave()
    assert not closing.done()
    gate.leave()
    assert await closing


async def test_closing_gives_up_on_exchanges_that_do_not_end() -> None:
    gate = Gate()
    gate.enter(1)
    assert not await gate.close(0.0)
