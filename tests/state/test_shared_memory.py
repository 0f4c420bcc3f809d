"""A memory shared through a server: what one instance keeps, another finds; and a server that fails harms nobody."""

import asyncio
import logging
import signal
import socket
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fakes.clock import FakeClock
from fakes.redis_server import RedisServer
from isthmus.core.chat import ChatRequest, Message, Role
from isthmus.core.content import Reasoning, Signature, Text
from isthmus.core.losses import Losses
from isthmus.core.secret import Secret
from isthmus.engine.reasoning_memory import recall, remember
from isthmus.state.memory import BoundedMemory
from isthmus.state.shared_memory import MOST, SharedMemory
from isthmus.state.shared_server import BUDGET, FAILURES, REST, open_server

MARGIN = 0.9
"""Seconds that a busy machine may add to a call; below what a call takes that waits for a frozen server."""


@asynccontextmanager
async def open_shared(
    url: Secret, prefix: str, clock: FakeClock, *, budget: float = BUDGET
) -> AsyncIterator[SharedMemory]:
    async with open_server(url, clock, budget=budget) as shared:
        yield SharedMemory(shared, clock, prefix=prefix)


def patient(
    server: RedisServer, prefix: str, clock: FakeClock | None = None
) -> AbstractAsyncContextManager[SharedMemory]:
    """One that waits for its server as long as a busy machine needs."""
    return open_shared(server.url, prefix, clock or FakeClock(), budget=10)


@pytest.fixture
async def nobody() -> AsyncIterator[tuple[SharedMemory, FakeClock]]:
    """A memory whose server refuses connections."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        clock = FakeClock()
        async with open_shared(Secret(f"redis://:hunter2@127.0.0.1:{taken.getsockname()[1]}"), "t", clock) as memory:
            yield memory, clock


async def until_shared(memory: SharedMemory, clock: FakeClock) -> None:
    """Ask, a rest apart, until the server is used again."""
    async with asyncio.timeout(20):
        while memory.state != "shared":
            clock.move(REST)
            await memory.get(("anything",))


async def failed(memory: SharedMemory) -> None:
    for _ in range(FAILURES):
        await memory.get(("anything",))


async def settled(memory: SharedMemory) -> None:
    """A first connection may take longer than a call waits for it, so ask until one does not."""
    async with asyncio.timeout(20):
        await memory.put(("settled",), b"yes")
        while await memory._server.ask(memory._server.redis.ping) is None:
            await memory._server.settled()


async def test_what_one_instance_keeps_another_finds(server: RedisServer) -> None:
    async with patient(server, "t") as one, patient(server, "t") as other:
        await one.put(("a", "b"), b"value")
        assert await other.get(("a", "b", "c")) == {"a": b"value", "b": b"value"}


async def test_reasoning_kept_by_one_instance_is_put_back_by_another(server: RedisServer) -> None:
    said = (Reasoning("I think.", signature=Signature("anthropic", "proof")), Text("Hello."))
    returns = ChatRequest(model="m", messages=(Message(Role.ASSISTANT, (Text("Hello."),)),))
    async with patient(server, "t") as one, patient(server, "t") as other:
        await remember(said, "scope", one)
        recalled = await recall(returns, "scope", other, Losses())
    assert recalled.messages[0].parts == said


async def test_what_one_instance_forgets_is_not_found_by_another(server: RedisServer) -> None:
    async with patient(server, "t") as one, patient(server, "t") as other:
        await one.put(("a",), b"value")
        await one.forget(("a",))
        assert await other.get(("a",)) == {}


async def test_another_prefix_is_another_memory(server: RedisServer) -> None:
    async with patient(server, "t") as one, patient(server, "u") as other:
        await one.put(("a",), b"value")
        assert await other.get(("a",)) == {}


async def test_a_value_that_is_too_long_stays_with_its_instance(server: RedisServer) -> None:
    async with patient(server, "t") as one, patient(server, "t") as other:
        await one.put(("a",), b"x" * (MOST + 1))
        assert len((await one.get(("a",)))["a"]) == MOST + 1
        assert await other.get(("a",)) == {}


async def test_every_key_is_forgotten_a_day_after_it_was_last_asked_for(server: RedisServer) -> None:
    async with patient(server, "t") as one, patient(server, "t") as other:
        await one.put(("a",), b"value")
        assert 86_000 < await one._server.redis.ttl("t:1:a") <= 86_400
        await one._server.redis.expire("t:1:a", 100)
        await other.get(("a",))
        assert 86_000 < await one._server.redis.ttl("t:1:a") <= 86_400


async def test_a_frozen_server_delays_no_call_and_is_taken_up_again(server: RedisServer) -> None:
    clock = FakeClock()
    async with open_shared(server.url, "t", clock) as memory:
        await settled(memory)
        server.send(signal.SIGSTOP)
        try:
            for number in range(FAILURES + 3):
                began = time.monotonic()
                await memory.put((f"kept {number}",), b"value")
                assert time.monotonic() - began < BUDGET + MARGIN
            assert memory.state.startswith("shared, unreachable since ")
            assert await memory.get(("kept 0",)) == {"kept 0": b"value"}
        finally:
            server.send(signal.SIGCONT)
        await until_shared(memory, clock)


async def test_a_server_that_was_restarted_is_taken_up_again(server: RedisServer) -> None:
    clock = FakeClock()
    async with patient(server, "t", clock) as one, patient(server, "t") as other:
        server.stop()
        await failed(one)
        assert one.state != "shared"
        server.start()
        await until_shared(one, clock)
        await one.put(("a",), b"value")
        assert await other.get(("a",)) == {"a": b"value"}


async def test_without_its_server_an_instance_goes_on_alone(nobody: tuple[SharedMemory, FakeClock]) -> None:
    memory, _ = nobody
    await memory.put(("a", "b"), b"value")
    await memory.forget(("b",))
    assert await memory.get(("a", "b")) == await local_after(("a", "b"), b"value", ("b",))


async def local_after(keys: tuple[str, ...], value: bytes, forgotten: tuple[str, ...]) -> dict[str, bytes]:
    local = BoundedMemory(FakeClock().now)
    await local.put(keys, value)
    await local.forget(forgotten)
    return dict(await local.get(keys))


async def test_a_server_that_is_gone_is_told_once_and_without_its_secret(
    nobody: tuple[SharedMemory, FakeClock], caplog: pytest.LogCaptureFixture
) -> None:
    memory, _ = nobody
    with caplog.at_level(logging.INFO, logger="isthmus"):
        for _ in range(3):
            await failed(memory)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "127.0.0.1:" in caplog.text
    assert "hunter2" not in caplog.text


async def test_a_server_that_is_gone_is_asked_once_for_each_rest(nobody: tuple[SharedMemory, FakeClock]) -> None:
    memory, clock = nobody
    await failed(memory)
    assert not memory._server.breaker.lets_through()
    clock.move(REST)
    assert memory._server.breaker.lets_through()
    assert not memory._server.breaker.lets_through()


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.sampled_from("abc"), st.binary(max_size=20)),
        st.tuples(st.just("forget"), st.sampled_from("abc"), st.just(b"")),
        st.tuples(st.just("get"), st.sampled_from("abc"), st.just(b"")),
    ),
    max_size=20,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_step_by_step_it_answers_as_a_memory_of_ones_own(
    server: RedisServer, steps: list[tuple[str, str, bytes]]
) -> None:
    """Each step at another instance than the one before, none of which knows anything by itself."""

    async def play() -> None:
        own = BoundedMemory(FakeClock().now)
        prefix = f"t{time.monotonic_ns()}"
        for kind, key, value in steps:
            async with patient(server, prefix) as shared:
                for memory in (own, shared):
                    if kind == "put":
                        await memory.put((key,), value)
                    elif kind == "forget":
                        await memory.forget((key,))
                assert await shared.get((key,)) == await own.get((key,))

    asyncio.run(play())
