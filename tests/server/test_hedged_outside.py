"""A second provider is asked beside a slow one, at the wire: who answers, and what the slow one sees of it."""

import time
from collections.abc import Iterator

import pytest

from fakes import openai_sdk
from fakes.clients import Door, through
from fakes.gateway import RunningGateway, between, open_gateway
from fakes.scripts import HELLO
from fakes.upstream import Upstream

MEASURED = 8
"""Answers of a place before anybody knows what is slow there."""


@pytest.fixture
def gateway(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    route = "{targets: [openai/slow-if-asked, anthropic/says-hello], hedge: {share: 50%, least: 0.05}}"
    config = between(upstream, more=f"routes:\n  brisk: {route}\n")
    with open_gateway(config, tmp_path_factory.mktemp("gateway")) as running:
        yield running


def say(door: Door, words: str) -> str | None:
    completion = openai_sdk.streamed(door, model="brisk", messages=[{"role": "user", "content": words}])
    return completion.choices[0].message.content


def test_a_slow_answer_is_given_up_for_a_quick_one(gateway: RunningGateway, upstream: Upstream) -> None:
    door = through(gateway, "openai")
    assert [say(door, "Hello?") for _ in range(MEASURED)] == [HELLO] * MEASURED
    began = time.monotonic()
    assert say(door, "Slowly.") == HELLO
    assert time.monotonic() - began < 4.0
    slow = next(one for one in upstream.requests if one.model == "slow-if-asked" and b"Slowly." in one.body)
    assert upstream.wait_for_departure(slow) - began < 4.0
    assert '"note":"hedged"' in gateway.said_soon("anthropic/says-hello was asked as well and answered first")
