"""A changed file comes into force while the gateway runs; a bad one changes nothing."""

import logging
from pathlib import Path

import pytest

from isthmus.config.compile import compile_loaded
from isthmus.config.load import load
from isthmus.config.reload import Reloader
from isthmus.config.secrets import Environment
from isthmus.engine.live import Live

GOOD = "routes: {r: [vllm/one]}\nproviders: {vllm: {}}\n"
BETTER = "routes: {r: [vllm/two]}\nproviders: {vllm: {}}\n"
BAD = "routes: {r: [nobody/one]}\nproviders: {vllm: {}}\nlimit: {}\n"


class Running:
    def __init__(self, file: Path) -> None:
        self.file = file
        loaded = load(file, Environment({"KEY": "sk-never-in-a-log-0123"}))
        self.live = Live(compile_loaded(loaded, ollama=False))
        self.reloader = Reloader(loaded, self.live)

    def change(self, text: str) -> bool:
        self.file.write_text(text)
        return self.reloader.reload()

    @property
    def model(self) -> str:
        return self.live.take().snapshot.routes["r"].tiers[0].targets[0].model

    @property
    def version(self) -> int:
        return self.live.take().version


@pytest.fixture
def running(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Running:
    caplog.set_level(logging.INFO, "isthmus")
    file = tmp_path / "isthmus.yaml"
    file.write_text(GOOD)
    return Running(file)


def test_a_good_file_is_put_in_force(running: Running) -> None:
    before = running.live.take()
    assert running.change(BETTER)
    assert (running.model, running.version) == ("two", 2)
    assert before.snapshot.routes["r"].tiers[0].targets[0].model == "one"


def test_a_bad_file_changes_nothing_and_every_problem_is_logged(
    running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    assert not running.change(BAD)
    assert (running.model, running.version) == ("one", 1)
    assert [line.split(": ", 1)[1] for line in caplog.messages] == [
        f"{running.file}:1:14: routes.r[0]: 'nobody' is not a configured provider; it is one of vllm, local",
        f"{running.file}:3:1: limit: is not a key; did you mean 'limits'?",
        "nothing was changed; problems found: 2",
    ]


@pytest.mark.parametrize("text", ["", "\x00", "providers: [", "- 1", "providers: {vllm: {api-key: '${KEY} '}}"])
def test_no_text_takes_the_gateway_down(running: Running, text: str, caplog: pytest.LogCaptureFixture) -> None:
    running.change(text)
    assert "sk-never" not in caplog.text


def test_a_mended_file_is_put_in_force(running: Running) -> None:
    running.change(BAD)
    assert running.change(BETTER)
    assert running.model == "two"


def test_a_missing_file_changes_nothing(running: Running) -> None:
    running.file.unlink()
    assert not running.reloader.reload()
    assert running.model == "one"


def test_a_file_that_says_the_same_makes_no_new_version(running: Running) -> None:
    assert running.change(GOOD + "# only a remark\n")
    assert running.version == 1


@pytest.mark.parametrize(
    ("more", "section"),
    [
        ("listeners: [{port: 9}]", "listeners"),
        ("log: {level: debug}", "log"),
        ("state: {prefix: other}", "state"),
        ("otel: true", "otel"),
        ("store: {keep-days: 3}", "store"),
        ("admin: {listener: {port: 9}}", "admin.listener"),
    ],
)
def test_what_takes_a_restart_is_said(
    running: Running, more: str, section: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert running.change(GOOD + more)
    assert f"a change of {section} takes a restart" in caplog.text


def test_what_was_found_on_this_machine_stays_until_the_file_names_providers(tmp_path: Path) -> None:
    file = tmp_path / "isthmus.yaml"
    file.write_text("")
    loaded = load(file, Environment({}))
    live = Live(compile_loaded(loaded, ollama=True))
    reloader = Reloader(loaded, live, ollama=True)
    file.write_text("limits: {attempts: 2}")
    assert reloader.reload()
    assert list(live.take().snapshot.providers) == ["ollama"]
    file.write_text("providers: {vllm: {}}")
    assert reloader.reload()
    assert list(live.take().snapshot.providers) == ["vllm"]
