"""The gateway as its operator meets it: a changed file, a bad file, a stop while answers are under way."""

import asyncio
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest

from fakes.clients import Door, through
from fakes.gateway import CLIENT_KEY, RunningGateway, between, open_gateway
from fakes.raw import Heard, ask, send
from fakes.upstream import Upstream

PATIENCE = 10.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def soon(true: Callable[[], bool], why: str) -> None:
    """Look until it is so. There is nothing to await in another process but what it shows."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, f"within {PATIENCE:.0f} s {why}"
        time.sleep(0.02)


def in_another_thread(ask_it: Callable[[], Heard]) -> tuple[threading.Thread, list[Heard]]:
    heard: list[Heard] = []
    thread = threading.Thread(target=lambda: heard.append(ask_it()))
    thread.start()
    return thread, heard


def test_a_changed_file_is_in_force_without_a_restart(upstream: Upstream, folder: Path) -> None:
    with open_gateway(between(upstream), folder) as gateway:
        door = through(gateway, "openai")
        nickname = Door(door.root, door.key, "", "openai")
        assert ask(nickname, "openai", "nickname").status == 404
        file = folder / "isthmus.yaml"
        file.write_text(file.read_text() + "routes:\n  nickname: [openai/says-hello]\n")
        gateway.process.send_signal(signal.SIGHUP)
        soon(lambda: ask(nickname, "openai", "nickname").status == 200, "the new route was not served")


def test_a_bad_file_changes_nothing_and_is_complained_about(upstream: Upstream, folder: Path) -> None:
    with open_gateway(between(upstream), folder) as gateway:
        door = through(gateway, "openai")
        file = folder / "isthmus.yaml"
        file.write_text(file.read_text() + "provders: {}\n")
        gateway.process.send_signal(signal.SIGHUP)
        soon(lambda: "provders" in gateway.said(), "the log did not name the unknown key")
        assert ask(door, "openai", "says-hello").status == 200


def test_a_stop_lets_running_answers_finish(upstream: Upstream, folder: Path) -> None:
    with open_gateway(between(upstream), folder) as gateway:
        door = through(gateway, "anthropic")
        model = "ticks@stop"
        thread, heard = in_another_thread(lambda: ask(door, "openai", model, stream=True))
        upstream.wait_for_request(model)
        gateway.process.send_signal(signal.SIGTERM)
        thread.join(PATIENCE)
        assert gateway.process.wait(PATIENCE) == 0, "a stop that was asked for is no failure"
    assert heard[0].complete
    assert heard[0].body.rstrip().endswith(b"[DONE]"), "the answer under way was cut by the stop"


async def one_of_many(number: int, oai: openai.AsyncOpenAI, ant: anthropic.AsyncAnthropic) -> str:
    """A fifth each: streams of either client, streams that are left, calls that are left, calls that break."""
    model = ("openai/", "anthropic/")[number % 2]
    asked: dict[str, Any] = {"messages": [{"role": "user", "content": "Hello?"}]}
    match number % 5:
        case 0:
            async with oai.chat.completions.stream(model=f"{model}says-much", **asked) as stream:
                return (await stream.get_final_completion()).choices[0].message.content or ""
        case 1:
            async with ant.messages.stream(model=f"{model}says-much", max_tokens=64, **asked) as stream:
                return await stream.get_final_text()
        case 2:
            async with ant.messages.stream(model=f"{model}speaks-slowly", max_tokens=64, **asked) as stream:
                return await anext(stream.text_stream)
        case 3:
            with suppress(TimeoutError):
                async with asyncio.timeout(0.5):
                    await oai.chat.completions.create(model=f"{model}never-answers", **asked)
            return "left"
        case _:
            with pytest.raises(openai.InternalServerError):
                await oai.chat.completions.create(model=f"{model}cuts-body", **asked)
            return "broken"


async def test_many_at_once_disturb_nobody_and_leave_nothing_open(gateway: RunningGateway, upstream: Upstream) -> None:
    settings: dict[str, Any] = {"api_key": CLIENT_KEY, "max_retries": 0, "timeout": 15}
    async with (
        openai.AsyncOpenAI(base_url=f"{gateway.root}/v1", **settings) as oai,
        anthropic.AsyncAnthropic(base_url=gateway.root, **settings) as ant,
    ):
        heard = await asyncio.gather(*[one_of_many(number, oai, ant) for number in range(60)])
    expected = ["word " * 500, "word " * 500, "tick ", "left", "broken"]
    assert heard == expected * 12
    stranger = Door(gateway.root, "", "", "")
    await asyncio.to_thread(soon, lambda: running(stranger) == 0, "an exchange was never closed")
    upstream.wait_until(
        lambda: all(seen.finished or seen.departed is not None for seen in upstream.requests),
        "a call was kept that nobody waits for",
    )
    assert "Traceback" not in gateway.said()


def running(door: Door) -> int:
    count: int = send(door, "GET", "/health").json["running"]
    return count
