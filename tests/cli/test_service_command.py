"""`isthmus service`: the gateway handed to systemd and to launchd, which are told the right things in order."""

import os
import plistlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import Result

from fakes.service_managers import ServiceManagers
from isthmus.tools.service import launchd
from isthmus.tools.service.manager import MARK
from isthmus.wire import json
from support.shell import Shell

USER = 501
ANALYZE = shutil.which("systemd-analyze")


class Machine:
    """A user's shell on a machine with a service manager."""

    def __init__(self, shell: Shell, monkeypatch: pytest.MonkeyPatch, manager: str) -> None:
        self.shell = shell
        self.home = shell.folder
        self.managers = ServiceManagers(shell.folder / "bin")
        self.manager = manager
        monkeypatch.setenv("PATH", str(self.managers.folder))
        monkeypatch.setenv("LOGNAME", "alice")
        monkeypatch.setattr(os, "geteuid", lambda: USER)
        monkeypatch.setattr(os, "getuid", lambda: USER)
        monkeypatch.setattr(launchd, "PAUSE", 0.0)
        shell.write("providers: {vllm: {}}\n")

    @property
    def file(self) -> Path:
        folders = {"systemd": ".config/systemd/user/isthmus.service"}
        return self.home / folders.get(self.manager, "Library/LaunchAgents/isthmus.gateway.plist")

    def try_to(self, *words: str) -> Result:
        return self.shell.run("service", words[0], "--manager", self.manager, *words[1:])

    def run(self, *words: str, code: int = 0) -> str:
        result = self.try_to(*words)
        assert result.exit_code == code, result.output
        return result.stdout if code in (0, 3) else result.stderr


@pytest.fixture
def systemd(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(shell, monkeypatch, "systemd")


@pytest.fixture
def mac(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(shell, monkeypatch, "launchd")


@pytest.fixture(params=["systemd", "launchd"])
def machine(shell: Shell, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Machine:
    return Machine(shell, monkeypatch, request.param)


class TestEverywhere:
    def test_a_service_lives_its_life(self, machine: Machine) -> None:
        assert f"wrote {machine.file}" in machine.run("install")
        assert machine.managers.are("runs")
        assert "the service runs: " in machine.run("status")
        machine.run("stop")
        assert "the service does not run: " in machine.run("status", code=3)
        machine.run("start")
        assert machine.managers.are("runs")
        machine.run("restart")
        assert machine.managers.are("runs")
        assert machine.run("uninstall") == "the service is uninstalled\n"
        assert (machine.file.exists(), machine.managers.are("runs")) == (False, False)

    def test_installed_twice_is_installed_once(self, machine: Machine) -> None:
        machine.run("install")
        before = machine.file.read_bytes()
        assert f"nothing to change in {machine.file}" in machine.run("install")
        assert machine.file.read_bytes() == before
        assert [one.name for one in machine.file.parent.iterdir()] == [machine.file.name]

    def test_it_may_wait_for_the_next_login(self, machine: Machine) -> None:
        machine.run("install", "--no-start")
        assert (machine.file.exists(), machine.managers.are("runs")) == (True, False)

    def test_what_another_wrote_is_left_alone(self, machine: Machine) -> None:
        machine.file.parent.mkdir(parents=True)
        machine.file.write_text("theirs")
        for word in ("install", "start", "stop", "uninstall"):
            assert "was not written by isthmus service install" in machine.run(word, code=1)
        assert machine.file.read_text() == "theirs"
        assert not machine.managers.are("runs")

    def test_what_is_not_installed_is_told(self, machine: Machine) -> None:
        for word in ("start", "stop", "restart", "logs"):
            assert machine.run(word, code=1) == (
                "the service is not installed; install it with: isthmus service install\n"
            )
        assert machine.run("uninstall") == "the service is not installed\n"
        assert "is not installed" in machine.run("status", code=3)

    def test_the_status_is_told_to_programs(self, machine: Machine) -> None:
        machine.run("install")
        told = json.decode(machine.run("status", "--json").encode())
        assert told["file"] == str(machine.file)
        assert (told["state"]["installed"], told["state"]["running"], told["state"]["pid"]) == (True, True, 4711)

    def test_printing_changes_nothing_and_needs_no_manager(
        self, machine: Machine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", "")
        monkeypatch.setattr(os, "geteuid", lambda: 0)
        assert MARK in machine.run("install", "--print")
        assert not machine.file.exists()
        assert machine.managers.calls() == []

    def test_what_is_printed_is_what_is_installed(self, machine: Machine) -> None:
        printed = machine.run("install", "--print")
        machine.run("install")
        assert machine.file.read_text() == printed

    def test_root_is_refused(self, machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "geteuid", lambda: 0)
        assert "never runs as root" in machine.run("install", code=2)
        assert not machine.file.exists()

    def test_without_its_programs_nothing_is_written(self, machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", "")
        assert "is not on this machine" in machine.run("install", code=2)
        assert not machine.file.exists()

    def test_a_configuration_that_cannot_be_used_is_not_installed(self, machine: Machine) -> None:
        machine.shell.write("providers: {opnai: }\n")
        assert "opnai" in machine.run("install", code=1)
        assert not machine.file.exists()

    def test_variables_are_those_of_its_file_and_not_of_the_shell(
        self, machine: Machine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        machine.shell.write("providers: {openai: {api-key: '${MY_KEY}'}}\n")
        monkeypatch.setenv("MY_KEY", "sk-0123456789")
        file = machine.home / ".config" / "isthmus" / "environment"
        refused = machine.run("install", code=1)
        assert "MY_KEY" in refused
        assert f"reads its variables from {file}, not from this shell" in refused
        file.parent.mkdir(parents=True)
        file.write_text('# a key\nMY_KEY="sk-0123456789"\n')
        file.chmod(0o644)
        assert f"others can read: chmod 600 {file}" in machine.run("install")
        file.chmod(0o600)
        said = machine.run("install")
        assert f"variables: {file}\n" in said
        assert "sk-0123456789" not in said + machine.file.read_text()

    def test_a_key_that_only_the_shell_has_is_told(self, machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ISTHMUS_ACCOUNTS_KEY", "00" * 32)
        said = machine.run("install")
        assert "ISTHMUS_ACCOUNTS_KEY is another one for the service than for this shell\n" in said
        assert "00" * 32 not in said


class TestSystemd:
    def test_systemctl_is_told_in_this_order(self, systemd: Machine) -> None:
        systemd.run("install")
        assert systemd.managers.calls() == [
            "systemctl --user show-environment",
            "systemctl --user daemon-reload",
            "systemctl --user enable isthmus.service",
            "systemctl --user reset-failed isthmus.service",
            "systemctl --user restart isthmus.service",
            "loginctl show-user alice --property Linger",
        ]
        systemd.run("install")
        assert "systemctl --user start isthmus.service" in systemd.managers.calls()
        systemd.run("uninstall")
        assert systemd.managers.calls() == [
            "systemctl --user disable --now isthmus.service",
            "systemctl --user daemon-reload",
        ]

    def test_its_user_is_told_how_to_have_it_run_always(self, systemd: Machine) -> None:
        assert "loginctl enable-linger alice" in systemd.run("install")
        systemd.managers.say("lingers")
        assert "enable-linger" not in systemd.run("install")

    def test_a_user_without_a_systemd_is_told_so(self, systemd: Machine) -> None:
        systemd.managers.say("no bus")
        assert "no systemd of this user answers" in systemd.run("install", code=2)
        assert not systemd.file.exists()

    def test_what_systemctl_refuses_is_told_in_its_words(self, systemd: Machine) -> None:
        systemd.managers.say("refuses restart")
        assert systemd.run("install", code=1) == (
            "systemctl --user restart isthmus.service: Job for isthmus.service failed.\n"
        )

    def test_the_journal_is_shown(self, systemd: Machine) -> None:
        systemd.run("install")
        systemd.managers.calls()
        systemd.run("logs")
        systemd.run("logs", "-n", "5", "-f")
        assert systemd.managers.calls() == [
            "journalctl --user-unit isthmus.service --lines 50",
            "journalctl --user-unit isthmus.service --lines 5 --follow",
        ]

    def test_folders_that_are_elsewhere_stay_there(self, systemd: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("XDG_CONFIG_HOME", str(systemd.home / "settings"))
        monkeypatch.setenv("XDG_DATA_HOME", str(systemd.home / "data"))
        systemd.run("install")
        text = (systemd.home / "settings" / "systemd" / "user" / "isthmus.service").read_text()
        assert f'Environment="XDG_DATA_HOME={systemd.home}/data"' in text
        assert f"EnvironmentFile=-{systemd.home}/settings/isthmus/environment" in text

    def test_the_unit_starts_this_python_with_this_file(self, systemd: Machine) -> None:
        text = systemd.run("install", "--print", "--workers", "4")
        file = systemd.home / "isthmus.yaml"
        command = f'"{sys.executable}" "-P" "-m" "isthmus" "serve" "--config" "{file}" "--workers" "4"'
        assert f"\nExecStart={command}\n" in text

    def test_it_has_time_to_let_requests_finish(self, systemd: Machine) -> None:
        systemd.shell.write("providers: {vllm: {}}\nlimits: {drain: 90.5}\n")
        assert "\nTimeoutStopSec=121\n" in systemd.run("install", "--print")

    def test_a_name_with_signs_that_systemd_reads_is_meant_as_it_stands(self, systemd: Machine) -> None:
        odd = 'odd $HOME %h "x" \\y.yaml'
        systemd.shell.write("providers: {vllm: {}}\n", odd)
        text = systemd.run("install", "--print", "--config", odd)
        assert '/odd $$HOME %%h \\"x\\" \\\\y.yaml"' in text

    @pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not on this machine")
    def test_systemd_finds_nothing_wrong_with_the_unit(self, systemd: Machine) -> None:
        systemd.shell.write("providers: {vllm: {}}\n", "two words.yaml")
        systemd.run("install", "--config", "two words.yaml")
        home = {"HOME": str(systemd.home), "XDG_RUNTIME_DIR": str(systemd.home)}
        words = [str(ANALYZE), "verify", "--user", "--man=no", str(systemd.file)]
        done = subprocess.run(words, capture_output=True, text=True, env=home, check=False)
        assert (done.returncode, "isthmus.service" in done.stderr) == (0, False), done.stderr


class TestLaunchd:
    def test_launchctl_is_told_in_this_order(self, mac: Machine) -> None:
        domain, target = f"gui/{USER}", f"gui/{USER}/isthmus.gateway"
        mac.run("install")
        assert mac.managers.calls() == [
            "launchctl version",
            f"launchctl enable {target}",
            f"launchctl print {target}",
            f"launchctl print {target}",
            f"launchctl bootstrap {domain} {mac.file}",
        ]
        mac.run("uninstall")
        looked = f"launchctl print {target}"
        assert mac.managers.calls() == [looked, f"launchctl bootout {target}", looked]

    def test_what_is_still_ending_is_waited_for(self, mac: Machine) -> None:
        mac.run("install")
        mac.shell.write("providers: {vllm: {}}\nlimits: {drain: 90}\n")
        mac.run("install")
        told = [call.split()[1] for call in mac.managers.calls()]
        assert told[-5:] == ["bootout", "print", "print", "bootstrap", "bootstrap"]
        assert mac.managers.are("runs")

    def test_a_gateway_that_takes_its_time_to_end_is_waited_for(self, mac: Machine) -> None:
        mac.run("install")
        mac.managers.say("ends slowly")
        mac.run("restart")
        told = [call.split()[1] for call in mac.managers.calls()]
        assert told[-5:] == ["bootout", "print", "print", "print", "bootstrap"]
        assert mac.managers.are("runs")

    def test_what_ended_by_itself_is_started_again(self, mac: Machine) -> None:
        mac.run("install")
        (mac.managers.folder / "runs").unlink()
        mac.run("start")
        assert f"launchctl kickstart gui/{USER}/isthmus.gateway" in mac.managers.calls()

    def test_without_anybody_at_the_screen_it_is_told_so(self, mac: Machine) -> None:
        mac.managers.say("no screen")
        assert "nobody is logged in at this machine's screen" in mac.run("install", code=2)

    def test_the_log_is_a_file(self, mac: Machine) -> None:
        mac.run("install")
        assert "nothing was written" in mac.run("logs", code=1)
        log = mac.home / "Library" / "Logs" / "isthmus.log"
        log.write_text("a line\n")
        mac.managers.calls()
        mac.run("logs", "-n", "5", "-f")
        assert mac.managers.calls() == [f"tail -n 5 -F {log}"]

    def test_the_agent_is_a_property_list_that_says_what_is_run(self, mac: Machine) -> None:
        mac.run("install")
        agent = plistlib.loads(mac.file.read_bytes())
        file = mac.home / "isthmus.yaml"
        assert agent["ProgramArguments"][4:] == [
            str(mac.home / ".config" / "isthmus" / "environment"),
            *(sys.executable, "-P", "-m", "isthmus", "serve", "--config", str(file)),
        ]
        assert (agent["RunAtLoad"], agent["KeepAlive"]) == (True, {"SuccessfulExit": False})
        assert agent["EnvironmentVariables"]["HOME"] == str(mac.home)

    def test_its_shell_reads_the_variables_and_becomes_the_gateway(self, mac: Machine) -> None:
        mac.run("install")
        file = mac.home / ".config" / "isthmus" / "environment"
        file.parent.mkdir(parents=True)
        file.write_text("ONE=1\nTWO='two words'\n")
        words = plistlib.loads(mac.file.read_bytes())["ProgramArguments"][:5]
        told = [*words, sys.executable, "-c", "import os; print(os.environ['ONE'], os.environ['TWO'])"]
        assert subprocess.run(told, capture_output=True, text=True, check=True).stdout == "1 two words\n"


def test_a_system_without_a_known_manager_is_told_so(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isthmus.cli.commands.service.USUAL", {})
    result = shell.run("service", "status")
    assert (result.exit_code, "run isthmus serve under the one that you have" in result.stderr) == (2, True)
    assert shell.run("service", "install", "--print").stdout.startswith(f"# {MARK}")
