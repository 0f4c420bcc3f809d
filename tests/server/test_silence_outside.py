"""What a client hears, and when, while a provider takes its time."""

import json
import time
from collections.abc import Iterator

import pytest

from fakes.clients import Door, through
from fakes.gateway import RunningGateway, between, open_gateway
from fakes.raw import Heard, listen, text_of
from fakes.scripts import HELLO
from fakes.upstream import Upstream

DIALECTS = ("openai", "anthropic")
PINGS = {"openai": b":", "anthropic": b"event: ping"}


@pytest.fixture(scope="module")
def gateway(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    with open_gateway(
        between(upstream, more="limits: {ping-every: 0.1}\n"), tmp_path_factory.mktemp("gateway")
    ) as running:
        yield running


@pytest.fixture(params=DIALECTS, ids=lambda dialect: f"{dialect}-client")
def dialect(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(params=DIALECTS, ids=lambda dialect: f"{dialect}-provider")
def door(request: pytest.FixtureRequest, gateway: RunningGateway) -> Door:
    return through(gateway, request.param)


def whole(heard: list[tuple[float, bytes]]) -> bytes:
    return b"".join(data for _, data in heard)


def test_each_piece_is_passed_on_when_it_comes(dialect: str, door: Door) -> None:
    heard = listen(door, dialect, "ticks")
    told = [at for at, data in heard if b"tick" in data]
    assert text_of(whole(heard), dialect) == "tick " * 10
    assert len(told) >= 5, "the pieces were collected and passed on together"
    assert told[-1] - told[0] > 0.3, "the first piece was held back"


@pytest.mark.parametrize("model", ["dawdles", "pauses"])
def test_a_silent_provider_is_bridged_with_pings_between_whole_events(dialect: str, door: Door, model: str) -> None:
    began = time.monotonic()
    heard = listen(door, dialect, model)
    first_ping = next(at for at, data in heard if data.startswith(PINGS[dialect]))
    first_text = next(at for at, data in heard if b"Hello" in data or b"One" in data)
    assert first_ping - began < 0.4, "nothing was heard while the provider was silent"
    assert first_ping < first_text
    assert text_of(whole(heard), dialect) == (HELLO if model == "dawdles" else "One two")


def test_a_failure_behind_a_ping_is_told_as_an_event(dialect: str, door: Door) -> None:
    heard = whole(listen(door, dialect, "dawdles-and-fails"))
    name, event = Heard(200, {}, heard).events[-1]
    assert name == ("error" if dialect == "anthropic" else "")
    assert json.loads(event)["error"]["message"] == "Too late."
    for ending in (b"[DONE]", b"message_stop"):
        assert ending not in heard
