"""`isthmus service`: the gateway kept running for the user who asks."""

import getpass
import math
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn, TypeVar

import click

from isthmus.cli.configured import config_option
from isthmus.cli.output import fail, fail_for, say, say_json
from isthmus.config.load import Loaded, find, load
from isthmus.config.places import home
from isthmus.config.problems import ConfigProblems
from isthmus.config.secrets import Environment, of_this_process
from isthmus.tools.service.environment_file import is_open, variables_in
from isthmus.tools.service.launchd import Launchd
from isthmus.tools.service.manager import Manager, NoManager, Refused, Service
from isthmus.tools.service.systemd import Systemd

NOT_HERE = 2
"""The exit code where no service can be kept: no manager, or the user is root."""
NOT_RUNNING = 3
"""The exit code of `status`."""
USUAL: Mapping[str, str] = {"linux": "systemd", "darwin": "launchd"}
"""The service manager of each platform."""
_FOLDERS = ("XDG_CONFIG_HOME", "XDG_DATA_HOME")
"""Variables that say where the gateway keeps things: the service must look where its user's commands do."""
_SHARED = ("ISTHMUS_ACCOUNTS_KEY", "ISTHMUS_MANAGEMENT_KEY")
"""Variables that commands and the gateway must agree on: what accounts are sealed with, who may manage."""
_AROUND = 30
"""Seconds to end in, beyond the draining."""
_F = TypeVar("_F", bound=Callable[..., object])


@click.group("service")
def command() -> None:
    """Keep the gateway running for you: by systemd, or by launchd on macOS."""


def manager_option(function: _F) -> _F:
    return click.option(
        "--manager", type=click.Choice(["systemd", "launchd"]), help="Without it: the one of this system."
    )(function)


@command.command("install")
@click.option("--print", "only_print", is_flag=True, help="Write the file to standard output, and change nothing.")
@click.option("--no-start", is_flag=True, help="Have it started from the next login on, and not now.")
@click.option("--workers", type=click.IntRange(1, 256), default=1, help="As of serve.")
@manager_option
@config_option
def install_command(
    *, only_print: bool, no_start: bool, workers: int, manager: str | None, config: Path | None
) -> None:
    """Have the gateway started at every login, and start it. Said again, it takes what is different now."""
    file = _file(config)
    with _told():
        chosen = _manager(manager or USUAL.get(sys.platform, "systemd")) if only_print else _here(manager)
        try:
            loaded = load(file, _its_environment(), here=_home())
        except ConfigProblems as bad:
            click.echo(f"the service reads its variables from {_environment_file()}, not from this shell", err=True)
            fail_for(bad)
        service = _service(loaded, workers)
        if only_print:
            say(chosen.text(service).rstrip("\n"))
            return
        changed = chosen.install(service)
        if not no_start:
            chosen.start(again=changed)
    say(f"{'wrote' if changed else 'nothing to change in'} {chosen.path}")
    told = f"configuration: {loaded.source}", _of_variables(service.environment_file), *_left_out(loaded)
    for line in (*told, *chosen.hints()):
        say(line)


@command.command("start")
@manager_option
def start_command(manager: str | None) -> None:
    """Start it, if it does not run."""
    with _told():
        _here(manager).start()
    say("the service was told to start; isthmus service status tells how it is")


@command.command("stop")
@manager_option
def stop_command(manager: str | None) -> None:
    """Stop it, until it is started or you log in again. Running requests may finish."""
    with _told():
        _here(manager).stop()
    say("the service is stopped")


@command.command("restart")
@manager_option
def restart_command(manager: str | None) -> None:
    """Stop it and start it, as after an update. Running requests may finish."""
    with _told():
        _here(manager).start(again=True)
    say("the service was told to start again; isthmus service status tells how it is")


@command.command("status")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@manager_option
@click.pass_context
def status_command(ctx: click.Context, *, as_json: bool, manager: str | None) -> None:
    """Tell whether it is installed and runs. Ends with 0 where it runs, and with 3 where it does not."""
    with _told():
        chosen = _here(manager)
        state = chosen.state()
    if as_json:
        say_json({"manager": chosen.name, "file": str(chosen.path), "state": state})
    elif not state.installed:
        say("the service is not installed; install it with: isthmus service install")
    else:
        process = f", process {state.pid}" if state.pid is not None else ""
        say(f"the service {'runs' if state.running else 'does not run'}: {state.told}{process}")
    ctx.exit(0 if state.running else NOT_RUNNING)


@command.command("logs")
@click.option("-n", "--lines", default=50, show_default=True, type=click.IntRange(1, 100_000), help="How many.")
@click.option("-f", "--follow", is_flag=True, help="Go on with what is written, until interrupted.")
@manager_option
@click.pass_context
def logs_command(ctx: click.Context, *, lines: int, follow: bool, manager: str | None) -> None:
    """Show what it wrote last. What it wrote in each request: isthmus logs."""
    with _told():
        words = _here(manager).logs(lines, follow=follow)
    try:
        code = subprocess.call(words)  # noqa: S603  no shell, and words of ours
    except FileNotFoundError:
        _not_here(f"{words[0]} is not on this machine")
    except KeyboardInterrupt:
        code = 0
    ctx.exit(code)


@command.command("uninstall")
@manager_option
def uninstall_command(manager: str | None) -> None:
    """Stop it and remove its file. Configuration, variables and data stay."""
    with _told():
        gone = _here(manager).uninstall()
    say("the service is uninstalled" if gone else "the service is not installed")


def _here(named: str | None) -> Manager:
    """The manager of this machine. Raises NoManager where there is none, or where root asks."""
    name = named or USUAL.get(sys.platform)
    if name is None:
        raise NoManager(f"no service manager of {sys.platform} is known; run isthmus serve under the one that you have")
    if os.geteuid() == 0:
        raise NoManager("a gateway never runs as root; install the service as the user who will use it, without sudo")
    return _manager(name)


def _manager(name: str) -> Manager:
    return Launchd(_home(), os.getuid()) if name == "launchd" else Systemd(_settings(), getpass.getuser())


def _service(loaded: Loaded, workers: int) -> Service:
    """The gateway, as the Python that runs this command starts it. -P: nothing is imported from where it starts."""
    configured = () if loaded.path is None else ("--config", str(loaded.path))
    many = () if workers == 1 else ("--workers", str(workers))
    return Service(
        command=(sys.executable, "-P", "-m", "isthmus", "serve", *configured, *many),
        variables=_variables(),
        environment_file=_environment_file(),
        home=_home(),
        stop_within=_AROUND + math.ceil(loaded.config.limits.drain),
    )


def _its_environment() -> Environment:
    """What the service will find, which is not what this shell has. Raises Refused."""
    return Environment({"HOME": str(_home()), **_variables(), **variables_in(_environment_file())})


def _variables() -> Mapping[str, str]:
    environment = of_this_process()
    folders = {name: said for name in _FOLDERS if (said := environment.get(name)) is not None}
    return {"PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin", **folders}


def _left_out(loaded: Loaded) -> Iterator[str]:
    """The variables that this shell's commands have, and the service has not."""
    here = of_this_process()
    for name in _SHARED:
        if here.get(name) is not None and here.get(name) != loaded.environment.get(name):
            yield f"{name} is another one for the service than for this shell"


def _of_variables(path: Path) -> str:
    if not path.exists():
        return f"variables for it, such as keys of providers, go into {path} (one NAME=VALUE a line)"
    warning = f", which others can read: chmod 600 {path}" if is_open(path) else ""
    return f"variables: {path}{warning}"


def _file(config: Path | None) -> Path | None:
    """The configuration's whole path; None where there is none."""
    found = find(config, of_this_process(), Path()).path
    return None if found is None else found.absolute()


def _environment_file() -> Path:
    return _settings() / "isthmus" / "environment"


def _settings() -> Path:
    return Path(of_this_process().get("XDG_CONFIG_HOME") or _home() / ".config")


def _home() -> Path:
    return home(of_this_process())


@contextmanager
def _told() -> Iterator[None]:
    """What goes wrong, on standard error and as the exit code."""
    try:
        yield
    except NoManager as error:
        _not_here(str(error))
    except Refused as error:
        fail(str(error))


def _not_here(words: str) -> NoReturn:
    click.echo(words, err=True)
    raise click.exceptions.Exit(NOT_HERE)
