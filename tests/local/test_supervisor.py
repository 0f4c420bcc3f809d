"""The model's process is started once, watched, restarted, let go, and never outlives who keeps it."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from fakes.transport import Scripted, ScriptedTransport
from isthmus.core.errors import GatewayError, Kind
from isthmus.local import supervisor as supervising
from isthmus.local.supervisor import Supervisor
from isthmus.local.transport import OnDemand
from isthmus.providers.provider import Deadlines, Origin, Outgoing
from isthmus.providers.table import LOCAL_ORIGIN

FAKE = str(Path(__file__).parents[1] / "fakes" / "model_process.py")
CALL = Outgoing(LOCAL_ORIGIN, "POST", "/v1/chat/completions", ())
REFUSED = GatewayError(Kind.UNREACHABLE, "connection refused")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervising, "GRACE", 0.3)
    monkeypatch.setattr(supervising, "BACKOFF", 0.01)


def keeping(mode: str = "good", **more: float) -> Supervisor:
    return Supervisor(lambda: (sys.executable, FAKE, mode), **more)  # type: ignore[arg-type] # each test names known arguments


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def until(condition: Callable[[], bool]) -> None:
    """Bounded by the test's own timeout; there is no event for a process that others end."""
    while not condition():
        await asyncio.sleep(0.005)


async def starts(keeper: Supervisor, number: int) -> None:
    await until(lambda: keeper.starts == number and keeper.pid is not None)


async def test_nothing_runs_until_somebody_asks() -> None:
    async with keeping() as keeper:
        assert (keeper.starts, keeper.pid) == (0, None)


async def test_however_many_ask_it_is_started_once() -> None:
    async with keeping() as keeper:
        ports = await asyncio.gather(*(keeper.port() for _ in range(20)))
        assert len(set(ports)) == 1
        assert keeper.starts == 1


async def test_who_leaves_during_the_start_does_not_end_it_for_the_others() -> None:
    async with keeping() as keeper:
        leaving = asyncio.create_task(keeper.port())
        staying = asyncio.create_task(keeper.port())
        await asyncio.sleep(0)
        leaving.cancel()
        assert await staying == keeper.pid
        assert keeper.starts == 1


async def test_a_process_that_is_killed_is_started_again() -> None:
    async with keeping() as keeper:
        first = await keeper.port()
        os.kill(first, signal.SIGKILL)
        await starts(keeper, 2)
        assert await keeper.port() != first


async def test_who_asks_during_a_restart_waits_for_it() -> None:
    async with keeping() as keeper:
        first = await keeper.port()
        os.kill(first, signal.SIGKILL)
        assert await keeper.lost(first)
        assert await keeper.port() != first
        assert keeper.starts == 2


async def test_a_process_that_always_dies_is_not_started_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervising, "RESTARTS", 2)
    async with keeping("brief") as keeper:
        await keeper.port()
        await until(lambda: keeper.starts == 3 and not keeper._tasks)
        assert keeper.starts == 3


async def test_a_process_that_cannot_start_is_told_with_its_last_words() -> None:
    async with keeping("broken") as keeper:
        with pytest.raises(GatewayError, match="cannot load the model") as caught:
            await keeper.port()
        assert caught.value.kind is Kind.UNREACHABLE


async def test_a_process_that_is_never_ready_is_given_up() -> None:
    async with keeping("silent", ready_within=0.3) as keeper:
        with pytest.raises(GatewayError, match="not ready within"):
            await keeper.port()
        assert keeper.pid is None


async def test_a_command_that_is_not_there_is_told() -> None:
    async with Supervisor(lambda: ("/nowhere/python",)) as keeper:
        with pytest.raises(GatewayError, match="cannot be started"):
            await keeper.port()


async def test_what_the_command_refuses_reaches_the_caller() -> None:
    def refuse() -> tuple[str, ...]:
        raise GatewayError(Kind.UNREACHABLE, "run: isthmus local install")

    async with Supervisor(refuse) as keeper:
        with pytest.raises(GatewayError, match="local install"):
            await keeper.port()


async def test_a_chatty_process_is_never_held_up_and_little_of_it_is_kept() -> None:
    async with keeping("chatty") as keeper:
        await keeper.port()
        assert keeper._child is not None
        words = keeper._child.words
        await until(lambda: words.endswith(b"y\n"))
        assert len(words) <= supervising.KEPT


async def test_an_idle_process_is_stopped_and_started_again_when_asked() -> None:
    async with keeping(idle=0.02) as keeper:
        first = await keeper.port()
        await until(lambda: not alive(first))
        assert keeper.pid is None
        assert await keeper.port() != first


async def test_a_process_in_use_is_not_idle() -> None:
    async with keeping(idle=0.02) as keeper:
        keeper.enter()
        first = await keeper.port()
        await asyncio.sleep(0.1)
        assert keeper.pid == first
        keeper.leave()
        await until(lambda: keeper.pid is None)


@pytest.mark.parametrize("mode", ["good", "deaf"])
async def test_closing_ends_the_process_even_one_that_does_not_listen(mode: str) -> None:
    async with keeping(mode) as keeper:
        pid = await keeper.port()
    assert not alive(pid)


async def test_closing_during_a_start_ends_it() -> None:
    keeper = keeping("silent")
    asking = asyncio.create_task(keeper.port())
    await until(lambda: keeper.starts == 1)
    await asyncio.sleep(0.05)
    await keeper.close()
    with pytest.raises(asyncio.CancelledError):
        await asking


async def test_a_closed_keeper_starts_nothing() -> None:
    keeper = keeping()
    await keeper.close()
    with pytest.raises(GatewayError, match="stopping"):
        await keeper.port()


def test_the_process_ends_when_its_keeper_is_killed() -> None:
    program = (
        "import asyncio, sys\n"
        "from isthmus.local.supervisor import Supervisor\n"
        "async def main():\n"
        f"    keeper = Supervisor(lambda: (sys.executable, {FAKE!r}, 'good'))\n"
        "    print(await keeper.port(), flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as keeper:
        assert keeper.stdout is not None
        pid = int(keeper.stdout.readline())
        keeper.kill()
    _wait_for_end(pid)


def _wait_for_end(pid: int) -> None:
    asyncio.run(until(lambda: not alive(pid)))


Send = Callable[[OnDemand], Awaitable[object]]


async def test_a_call_for_the_model_goes_to_the_port_it_listens_on() -> None:
    inner = ScriptedTransport({"127.0.0.1": [Scripted(b"{}")]})
    async with keeping() as keeper:
        answer = await OnDemand(inner, keeper).send(CALL, Deadlines())
        assert inner.sent[0].origin == Origin("http", "127.0.0.1", keeper.pid or 0)
        assert await answer.body(10) == b"{}"
        answer.close()


async def test_every_other_call_starts_nothing() -> None:
    inner = ScriptedTransport({"api.example.com": [Scripted(b"{}")]})
    call = Outgoing(Origin("https", "api.example.com", 443), "POST", "/v1", ())
    async with keeping() as keeper:
        await OnDemand(inner, keeper).send(call, Deadlines())
        assert inner.sent == [call]
        assert keeper.starts == 0


async def test_a_call_that_meets_a_dead_process_goes_to_the_next_one() -> None:
    async with keeping() as keeper:
        first = await keeper.port()
        inner = ScriptedTransport({"127.0.0.1": [REFUSED, Scripted(b"{}")]})
        os.kill(first, signal.SIGKILL)
        await OnDemand(inner, keeper).send(CALL, Deadlines())
        assert [call.origin.port for call in inner.sent][-1] == keeper.pid != first


async def test_a_call_that_is_refused_by_a_living_process_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    inner = ScriptedTransport({"127.0.0.1": [REFUSED]})
    async with keeping() as keeper:
        real = keeper.lost
        monkeypatch.setattr(keeper, "lost", lambda port: real(port, 0.01))
        with pytest.raises(GatewayError, match="connection refused"):
            await OnDemand(inner, keeper).send(CALL, Deadlines())
        assert keeper.starts == 1


async def test_the_process_is_in_use_until_the_answer_is_closed() -> None:
    inner = ScriptedTransport({"127.0.0.1": [Scripted(b"{}")]})
    async with keeping(idle=0.02) as keeper:
        answer = await OnDemand(inner, keeper).send(CALL, Deadlines())
        await asyncio.sleep(0.1)
        assert keeper.pid is not None
        answer.close()
        answer.close()
        await until(lambda: keeper.pid is None)
        assert keeper._users == 0


async def test_a_call_that_fails_does_not_keep_the_process_in_use() -> None:
    inner = ScriptedTransport({"127.0.0.1": [GatewayError(Kind.TIMED_OUT, "too slow")]})
    async with keeping(idle=0.02) as keeper:
        with pytest.raises(GatewayError, match="too slow"):
            await OnDemand(inner, keeper).send(CALL, Deadlines())
        await until(lambda: keeper.pid is None)
