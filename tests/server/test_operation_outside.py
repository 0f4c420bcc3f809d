"""The gateway as its operator meets it: a changed file, a bad file, a stop while answers are under way."""

import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from fakes.clients import Door, through
from fakes.gateway import RunningGateway, between, open_gateway
from fakes.raw import Heard, ask, send
from fakes.scripts import HELLO
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


def test_nothing_is_left_open_after_a_busy_hour_in_small(gateway: RunningGateway, upstream: Upstream) -> None:
    """Answers, failures and clients that leave, and then the gateway holds no exchange and no dead connection."""
    for provider in ("openai", "anthropic"):
        for model in ("says-hello", "drops", "resets-midway", "sends-html", "fails-429"):
            for stream in (False, True):
                ask(through(gateway, provider), "openai", model, stream=stream)
    stranger = Door(gateway.root, "", "", "")
    soon(lambda: send(stranger, "GET", "/health").json["running"] == 0, "an exchange was never closed")
    assert ask(through(gateway, "openai"), "openai", "says-hello").json["choices"][0]["message"]["content"] == HELLO
