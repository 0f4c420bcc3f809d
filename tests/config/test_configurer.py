"""The configuration is changed while the gateway runs: planned, applied, remembered, rolled back."""

from pathlib import Path

import pytest

from fakes.records import FakeRecords
from isthmus.config.compile import compile_loaded
from isthmus.config.configurer import Configurer
from isthmus.config.load import load
from isthmus.config.reload import Reloader
from isthmus.config.secrets import Environment
from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.live import Live

GOOD = "# Ours.\nroutes: {r: [vllm/one]}\nproviders: {vllm: {}}\nmanagement-key: planted-in-the-file\n"


class Running:
    def __init__(self, file: Path | None) -> None:
        self.file = file
        loaded = load(file, Environment({}), here=Path("/nowhere"))
        self.live = Live(compile_loaded(loaded, ollama=False))
        self.records = FakeRecords()
        self.configurer = Configurer(Reloader(loaded, self.live), lambda: self.records)

    @property
    def model(self) -> str:
        return self.live.take().snapshot.routes["r"].tiers[0].targets[0].model


@pytest.fixture
def running(tmp_path: Path) -> Running:
    file = tmp_path / "isthmus.yaml"
    file.write_text(GOOD)
    return Running(file)


def read(running: Running) -> str:
    assert running.file is not None
    return running.file.read_text()


def test_the_file_is_shown_without_its_secrets(running: Running) -> None:
    text = running.configurer.text()
    assert "# Ours." in text
    assert "planted" not in text


def test_a_plan_tells_what_would_change_and_changes_nothing(running: Running) -> None:
    change = running.configurer.plan(GOOD.replace("vllm/one", "vllm/two"))
    assert change.problems == ()
    assert change.changed == ("routes",)
    assert "-routes: {r: [vllm/one]}\n+routes: {r: [vllm/two]}\n" in change.diff
    assert "planted" not in change.diff
    assert (read(running), running.model) == (GOOD, "one")


def test_a_plan_names_what_takes_a_restart(running: Running) -> None:
    change = running.configurer.plan(GOOD + "listeners: [{port: 9000}]\n")
    assert change.restart == ("listeners",)


def test_a_plan_of_a_bad_text_names_its_problems_by_line(running: Running) -> None:
    change = running.configurer.plan(GOOD + "limit: {}\n")
    assert len(change.problems) == 1
    assert ":5:1: limit: is not a key; did you mean 'limits'?" in change.problems[0]


async def test_what_is_applied_is_in_the_file_and_in_force(running: Running) -> None:
    text = running.configurer.text().replace("vllm/one", "vllm/two")
    change = await running.configurer.apply(text, "ada", "a better model")
    assert change.changed == ("routes",)
    assert (read(running), running.model) == (GOOD.replace("one", "two"), "two")
    assert running.configurer.version == 2


async def test_a_bad_text_is_refused_and_nothing_is_changed(running: Running) -> None:
    with pytest.raises(GatewayError, match="did you mean 'limits'") as refused:
        await running.configurer.apply(GOOD + "limit: {}\n", "ada")
    assert refused.value.kind is Kind.INVALID
    assert (read(running), running.model, running.records.history) == (GOOD, "one", [])


async def test_a_text_read_before_another_change_is_refused(running: Running) -> None:
    text = running.configurer.text()
    await running.configurer.edit({("limits", "attempts"): 2}, "grace")
    with pytest.raises(GatewayError, match="read it again"):
        await running.configurer.apply(text, "ada")


async def test_an_edit_keeps_the_comments(running: Running) -> None:
    await running.configurer.edit({("limits", "attempts"): 2}, "ada")
    assert read(running) == GOOD + "limits:\n  attempts: 2\n"
    assert running.live.take().snapshot.limits.attempts == 2


async def test_a_section_that_is_set_keeps_the_secrets_that_stand_hidden_in_it(running: Running) -> None:
    assert running.file is not None
    running.file.write_text("providers: {vllm: {api-key: planted-key}}\n")
    running.configurer.reload()
    await running.configurer.edit({("providers",): {"vllm": {"api-key": "********", "models": ["m"]}}}, "ada")
    assert running.live.take().snapshot.providers["vllm"].models == ("m",)
    assert "planted-key" in read(running)


async def test_an_edit_that_makes_the_configuration_bad_changes_nothing(running: Running) -> None:
    with pytest.raises(GatewayError, match="vllm"):
        await running.configurer.edit({("providers", "vllm"): None}, "ada")
    assert read(running) == GOOD


async def test_what_stood_in_the_file_before_the_first_change_is_remembered_too(running: Running) -> None:
    await running.configurer.edit({("limits", "attempts"): 2}, "ada", "fewer")
    told = [(one.who, one.note) for one in await running.configurer.history()]
    assert told == [("ada", "fewer"), ("the file", "")]


async def test_an_earlier_configuration_is_shown_without_its_secrets(running: Running) -> None:
    await running.configurer.edit({("limits", "attempts"): 2}, "ada")
    first = await running.configurer.past(1)
    assert "vllm/one" in first.text
    assert "planted" not in first.text


async def test_an_earlier_configuration_is_put_in_force_again_secrets_and_all(running: Running) -> None:
    await running.configurer.edit({("limits", "attempts"): 2}, "ada")
    await running.configurer.roll_back(1, "grace")
    assert read(running) == GOOD
    latest = (await running.configurer.history())[0]
    assert (latest.who, latest.note) == ("grace", "back to 1")


async def test_a_number_that_nothing_has_is_told(running: Running) -> None:
    with pytest.raises(GatewayError) as refused:
        await running.configurer.roll_back(7, "ada")
    assert refused.value.kind is Kind.UNKNOWN_PATH


async def test_without_a_file_nothing_is_changed_and_the_way_out_is_told() -> None:
    running = Running(None)
    with pytest.raises(GatewayError, match="isthmus init"):
        await running.configurer.apply("", "ada")
    assert not running.configurer.editable


async def test_a_store_out_of_reach_keeps_nobody_from_changing_the_configuration(running: Running) -> None:
    running.records.gone = True
    await running.configurer.edit({("limits", "attempts"): 2}, "ada")
    assert running.live.take().snapshot.limits.attempts == 2


async def test_a_file_of_another_system_is_read_and_never_written(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("port: 8317\ndisable-auth: true\n")
    running = Running(file)
    with pytest.raises(GatewayError, match="isthmus config import"):
        await running.configurer.edit({("limits", "attempts"): 2}, "ada")
    assert not running.configurer.editable


def test_a_configuration_of_another_system_is_told_in_our_words(running: Running) -> None:
    theirs = '{"version": "1.0", "server": {"listen": ":9000"}, "providers": []}'
    assert running.configurer.translate(theirs, "truckllm")["listeners"] == [
        {"host": "127.0.0.1", "port": 9000, "compat": "truck"}
    ]


def test_what_is_wrong_with_a_configuration_of_another_system_is_told(running: Running) -> None:
    with pytest.raises(GatewayError, match="server"):
        running.configurer.translate('{"server": 3}', "truckllm")
