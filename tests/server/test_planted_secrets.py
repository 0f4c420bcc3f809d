"""Secrets are planted wherever one can stand, everything that keeps or tells anything is on, and none is found in it.

A gateway of its own is asked all sorts of things, by clients and administrators, with right and with wrong keys, of a
provider that repeats what it is sent. Then every byte is searched that it wrote, kept or told an administrator: once
where it keeps all for itself, and once with servers of PostgreSQL and Redis, and answers kept.
"""

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import redis

from bench.postgres_server import PROGRAM as POSTGRES
from bench.postgres_server import PostgresServer
from fakes.echoing_host import open_echoing_host
from fakes.gateway import open_gateway
from fakes.redis_server import PROGRAM as REDIS
from fakes.redis_server import RedisServer
from isthmus.providers.key_guard import MASK
from support.planting import CONFIG, CONFIGURED, MODELS, PLANTED, administer, closed_port, drive, found, settle

OF_PROVIDERS = {"PLANTED_OPENAI", "PLANTED_PLAIN", "PLANTED_ANTHROPIC"}
"""The provider's model says these itself, in its own words."""
PROVING = (
    *sorted(CONFIGURED.keys() - OF_PROVIDERS),
    *("wrong key", "cookie", "header", "basic", "query", "new management key"),
)
"""What proves who asks, and no part of any conversation."""


@dataclass(frozen=True)
class Traces:
    """All that is left of what was asked: files by their names, with them what went to the collector of traces, and
    answers to administrators by what they asked."""

    files: Mapping[str, bytes]
    answers: Mapping[str, bytes]
    refusals: Sequence[bytes]
    made: str
    """A client key that an administrator made."""
    heads: bytes
    """The heads of all answers to clients."""
    failures: bytes
    """The bodies of those that the provider refused or garbled."""
    shared: Mapping[str, bytes] = field(default_factory=dict)
    """What is shared with other instances, conversations among it."""


class Servers:
    """Of PostgreSQL and Redis, for a gateway that keeps all there; `more` is what its configuration says of them."""

    def __init__(self, stack: ExitStack) -> None:
        if POSTGRES is None or REDIS is None:
            pytest.skip("pg_ctl of PostgreSQL, or a server of Redis or Valkey, is not on the PATH")
        self._folder = Path(stack.enter_context(TemporaryDirectory(prefix="isthmus-")))
        self._postgres = PostgresServer(self._folder)
        self._postgres.make()
        self._postgres.start()
        stack.callback(self._postgres.stop)
        self._postgres.ask("CREATE DATABASE planted")
        state = Path(stack.enter_context(TemporaryDirectory(prefix="isthmus-")))
        self._redis = RedisServer(state, "--requirepass", CONFIGURED["PLANTED_STATE"])
        self._redis.start()
        stack.callback(self._redis.stop)
        port = self._postgres.port
        self.more = f"""
store: {{url: "postgresql://isthmus:${{PLANTED_STORE}}@127.0.0.1:{port}/planted"}}
state: {{url: "redis://:${{PLANTED_STATE}}@127.0.0.1:{self._redis.port}/0"}}
cache: {{enabled: true}}
"""

    def kept(self) -> Mapping[str, bytes]:
        """All of the database, and what its server logged."""
        where = ["--host=127.0.0.1", f"--port={self._postgres.port}", "--username=isthmus", "planted"]
        dump = subprocess.run(["pg_dump", *where], stdout=subprocess.PIPE, check=True).stdout
        return {"database": dump, "the database's log": (self._folder / "log").read_bytes()}

    def shared(self) -> Mapping[str, bytes]:
        """Every key of Redis, with its value."""
        with redis.Redis(port=self._redis.port, password=CONFIGURED["PLANTED_STATE"]) as client:
            return {repr(key): key + b" " + self._value(client, key) for key in client.scan_iter(count=1000)}

    def _value(self, client: "redis.Redis", key: bytes) -> bytes:
        kind = client.type(key)
        if kind == b"string":
            return bytes(client.get(key))
        if kind == b"hash":
            return repr(client.hgetall(key)).encode()
        return repr(client.zrange(key, 0, -1, withscores=True) if kind == b"zset" else client.dump(key)).encode()


@pytest.fixture(scope="module", params=["alone", "shared"])
def traces(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traces]:
    folder = tmp_path_factory.mktemp("planted")
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        host = stack.enter_context(open_echoing_host())
        for name, value in CONFIGURED.items():
            patch.setenv(name, value)
        servers = Servers(stack) if request.param == "shared" else None
        more = "" if servers is None else servers.more
        config = CONFIG.format(host=host.root, models=", ".join(MODELS), closed=closed_port(), more=more)
        with open_gateway(config, folder) as gateway:
            heads, failures = drive(gateway.root)
            settle(gateway)
            told = administer(gateway.root)
            shared = {} if servers is None else servers.shared()
        files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        files |= {f"sent to the collector, {number}": body for number, body in enumerate(host.collected)}
        files |= {} if servers is None else servers.kept()
        yield Traces(files, *told, heads, failures, shared)


@pytest.mark.parametrize("name", PLANTED)
def test_no_file_holds_a_planted_secret(name: str, traces: Traces) -> None:
    assert found(PLANTED[name], traces.files) == []


@pytest.mark.parametrize("name", PLANTED)
def test_no_administrator_is_told_a_planted_secret(name: str, traces: Traces) -> None:
    assert found(PLANTED[name], traces.answers) == []


@pytest.mark.parametrize("name", CONFIGURED)
def test_no_client_is_told_a_planted_secret(name: str, traces: Traces) -> None:
    """But by the model itself, in its own words."""
    assert found(CONFIGURED[name], {"heads": traces.heads, "failures": traces.failures}) == []


def test_a_key_that_was_made_is_told_once_and_kept_nowhere(traces: Traces) -> None:
    assert traces.made.startswith("isk_")
    assert found(traces.made, {**traces.files, **traces.answers}) == []


def test_who_is_refused_is_not_told_what_was_wrong_with_it(traces: Traces) -> None:
    refusals = {str(number): body for number, body in enumerate(traces.refusals)}
    assert [found(secret, refusals) for secret in PLANTED.values()] == [[]] * len(PLANTED)


@pytest.mark.parametrize("name", PROVING)
def test_nothing_that_proves_who_asks_is_shared_with_other_instances(name: str, traces: Traces) -> None:
    assert found(PLANTED[name], traces.shared) == []


def test_all_that_was_searched_was_there(traces: Traces) -> None:
    """A search of nothing finds nothing."""
    log = [json.loads(line) for line in traces.files["planted.log"].splitlines()]
    assert {"answered", "failed"} <= {line.get("outcome") for line in log}
    assert {"openai_chat", "anthropic", "openai_responses", "gemini", "ollama"} <= {line.get("dialect") for line in log}
    kept = b"".join(body for name, body in traces.files.items() if "isthmus.db" in name or name == "database")
    assert MASK.encode() in kept
    assert b"your key is " in kept
    dumps = [json.loads(body) for name, body in traces.files.items() if "/dumps/" in name]
    assert {"upstream_fault", "credential_rejected", "unreachable"} <= {dump["exchange"]["error"] for dump in dumps}
    assert b"planted.log" in traces.answers["/admin/config/file"]
    assert any(b"gen_ai" in body for name, body in traces.files.items() if "collector" in name)
    assert all(traces.answers.values())
    if "database" in traces.files:
        shared = " ".join(traces.shared)
        assert ":response:" in shared
        assert ":limit" in shared
        assert ":answer:" in shared
