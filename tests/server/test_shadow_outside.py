"""A copy of a request is sent to a shadow, at the wire: the caller sees nothing of it, and the log tells of it."""

from collections.abc import Iterator

import pytest

from fakes import openai_sdk
from fakes.clients import through
from fakes.gateway import RunningGateway, between, open_gateway
from fakes.scripts import HELLO
from fakes.upstream import Upstream


@pytest.fixture
def gateway(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    route = "{targets: [openai/says-hello], shadow: {target: anthropic/says-hello}}"
    with open_gateway(
        between(upstream, more=f"routes:\n  copied: {route}\n"), tmp_path_factory.mktemp("gateway")
    ) as it:
        yield it


def test_a_shadow_is_asked_too_and_logged_by_itself(gateway: RunningGateway, upstream: Upstream) -> None:
    completion = openai_sdk.whole(
        through(gateway, "openai"), model="copied", messages=[{"role": "user", "content": "Hello?"}]
    )
    assert completion.choices[0].message.content == HELLO
    said = gateway.said_soon('"path":"shadow"')
    copy = next(line for line in said.splitlines() if '"path":"shadow"' in line)
    assert '"target":"anthropic/says-hello"' in copy
    assert '"outcome":"answered"' in copy
    asked = [one.path for one in upstream.requests if one.method == "POST"]
    assert asked == ["/v1/chat/completions", "/v1/messages"]
