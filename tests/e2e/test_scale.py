"""What the guide to several instances promises, with the files of `deploy/`, a database, a Redis and both balancers."""

import http.client
import json
import os
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Barrier
from typing import Any
from urllib.parse import urlsplit

import pytest

from bench.postgres_server import PostgresServer
from fakes.gateway import RunningGateway, free_port, open_gateway_on
from fakes.redis_server import RedisServer
from fakes.scripts import KEY
from fakes.upstream import Upstream
from support.deployed import BALANCERS, Balanced, filled, open_balancer
from support.servers import open_postgres, open_redis

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]
MANAGEMENT = "mk-0123456789abcdef0123456789abcdef"
WITHIN = 20.0
"""Seconds in which one instance knows what another did. A busy machine takes its time."""
MODELS = "says-hello, ticks, speaks-slowly"


@dataclass(frozen=True)
class Team:
    """Two instances and a balancer. `admins` is where each is managed; `variables` are those of the configuration."""

    balancer: Balanced
    instances: tuple[RunningGateway, RunningGateway]
    admins: tuple[str, str]
    variables: Mapping[str, str]

    def new_key(self, instance: int, **limits: object) -> str:
        status, told = call(f"{self.admins[instance]}/admin/keys", MANAGEMENT, {"name": "tester", "limits": limits})
        assert status == 201, told
        return str(told["key"])

    def ask(self, key: str, *, at: str | None = None) -> int:
        """The status of a short question, through the balancer unless one instance is meant."""
        asked = {"model": "there/says-hello", "messages": [{"role": "user", "content": "Hi"}]}
        status, _ = call(f"{at or self.balancer.root}/v1/chat/completions", key, asked, self.balancer.trust)
        return status

    def used(self, instance: int) -> Any:
        return call(f"{self.admins[instance]}/admin/usage?since=1d&by=client", MANAGEMENT)[1]

    @contextmanager
    def stream(self, key: str, model: str) -> Iterator[http.client.HTTPResponse]:
        """A stream through the balancer, not read yet."""
        where = urlsplit(self.balancer.root)
        assert where.hostname is not None
        client = http.client.HTTPSConnection(where.hostname, where.port, timeout=30, context=self.balancer.trust)
        asked = {"model": f"there/{model}", "stream": True, "messages": [{"role": "user", "content": "Hi"}]}
        headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
        with closing(client):
            client.request("POST", "/v1/chat/completions", json.dumps(asked), headers)
            with client.getresponse() as answer:
                yield answer

    def hear(self, key: str, begun: Barrier) -> bytes:
        """A stream of ten ticks to its end; all who hear one wait for one another when they have its first line."""
        with self.stream(key, "ticks") as answer:
            first = answer.readline()
            begun.wait(WITHIN)
            return first + answer.read()


def call(url: str, key: str, body: object = None, trust: ssl.SSLContext | None = None) -> tuple[int, Any]:
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    asking = urllib.request.Request(url, None if body is None else json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(asking, timeout=30, context=trust) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode(errors="replace")


@pytest.fixture(autouse=True)
def nobody_rests() -> None:
    """Each test has instances of its own."""


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    with open_postgres() as server:
        yield server


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    with open_redis(tmp_path) as server:
        yield server


@pytest.fixture(params=BALANCERS)
def team(
    request: pytest.FixtureRequest, upstream: Upstream, postgres: PostgresServer, redis: RedisServer, tmp_path: Path
) -> Iterator[Team]:
    if BALANCERS[request.param] is None:
        pytest.skip(f"{request.param} is not installed")
    variables = {
        "MANAGEMENT_KEY": MANAGEMENT,
        "STORE_URL": postgres.new_database().reveal(),
        "STATE_URL": redis.url.reveal(),
    }
    ports = free_port(), free_port()
    with ExitStack() as opened:
        instances = []
        for number, port in enumerate(ports, 1):
            file = tmp_path / f"instance-{number}" / "isthmus.yaml"
            file.parent.mkdir()
            file.write_text(
                filled(
                    "isthmus.yaml", {"0.0.0.0": "127.0.0.1", "port: 8318": f"port: {port}", "drain: 120": "drain: 9"}
                )
                + f"providers: {{there: {{type: compatible, base-url: '{upstream.root}/v1', api-key: {KEY}, "
                f"models: [{MODELS}]}}}}\n"
            )
            instances.append(opened.enter_context(open_gateway_on(file, variables=variables)))
        behind = [urlsplit(one.root).netloc for one in instances]
        balancer = opened.enter_context(open_balancer(request.param, behind, tmp_path))
        one, other = instances
        admins = f"http://127.0.0.1:{ports[0]}", f"http://127.0.0.1:{ports[1]}"
        yield Team(balancer, (one, other), admins, variables)


def test_a_key_made_at_one_instance_is_taken_by_the_other(team: Team) -> None:
    key = team.new_key(0)
    assert [team.ask(key, at=one.root) for one in (*reversed(team.instances), *team.instances)] == [200] * 4
    assert team.ask(key) == 200
    assert team.ask("isk_not-a-key") == 401


def test_the_command_of_the_guide_makes_the_first_key(team: Team) -> None:
    one, other = team.instances
    file = one.log.parent / "isthmus.yaml"
    command = [sys.executable, "-m", "isthmus", "keys", "create", "first", "--config", str(file), "--url", one.root]
    environment = {**os.environ, **team.variables}
    out = subprocess.run(command, capture_output=True, text=True, timeout=30, env=environment, check=False)
    assert out.returncode == 0, out.stderr
    assert team.ask(out.stdout.strip(), at=other.root) == 200


def test_a_limit_is_held_by_all_instances_together(team: Team) -> None:
    key = team.new_key(1, requests_per_minute=5)
    answers = [team.ask(key, at=team.instances[turn % 2].root) for turn in range(4)]
    answers += [team.ask(key) for _ in range(4)]
    assert answers == [200] * 5 + [429] * 3


def test_what_was_used_is_summed_once_over_all_instances(team: Team) -> None:
    key = team.new_key(0)
    assert [team.ask(key) for _ in range(12)] == [200] * 12
    deadline = time.monotonic() + WITHIN
    while (told := team.used(0))["total"]["requests"] < 12 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert told["total"]["requests"] == 12
    assert team.used(1)["groups"] == told["groups"]
    assert all('"model":"there/says-hello"' in one.said().replace(" ", "") for one in team.instances)


def test_nobody_notices_that_an_instance_was_killed(team: Team) -> None:
    key = team.new_key(0)
    assert team.ask(key) == 200
    team.instances[0].process.kill()
    assert [team.ask(key) for _ in range(20)] == [200] * 20


def test_an_instance_that_ends_gives_its_answers_first(team: Team) -> None:
    key, begun = team.new_key(0), Barrier(9)
    with ThreadPoolExecutor(8) as together:
        heard = [together.submit(team.hear, key, begun) for _ in range(8)]
        begun.wait(WITHIN)
        team.instances[0].process.terminate()
        assert [team.ask(key) for _ in range(10)] == [200] * 10
    said = [one.result() for one in heard]
    assert [(one.count(b"tick "), one.count(b"data: [DONE]")) for one in said] == [(10, 1)] * 8
    assert team.instances[0].process.wait(WITHIN) == 0


def test_a_stream_is_passed_on_as_it_is_written(team: Team) -> None:
    with team.stream(team.new_key(0), "speaks-slowly") as answer:
        began = time.monotonic()
        while b"tick " not in answer.readline():
            pass
        assert time.monotonic() - began < 10  # the whole of it takes twenty seconds


def test_neither_management_nor_metrics_can_be_reached_through_the_balancer(team: Team) -> None:
    trust = team.balancer.trust
    assert call(f"{team.balancer.root}/metrics", MANAGEMENT, trust=trust)[0] == 404
    assert call(f"{team.balancer.root}/admin/status", MANAGEMENT, trust=trust)[0] == 403
    assert call(f"{team.admins[0]}/admin/status", MANAGEMENT)[0] == 200
