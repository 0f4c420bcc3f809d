"""Where a command points a tool: at the gateway that runs, with a key that it takes and a model that it has."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NoReturn, TypeVar

import click

from isthmus.cli.configured import config_option
from isthmus.cli.output import fail
from isthmus.cli.running import Running, ask, good, running
from isthmus.config.load import Loaded
from isthmus.config.places import data_dir
from isthmus.config.secrets import Environment
from isthmus.core.secret import Secret
from isthmus.core.value import Value
from isthmus.tools.records import RecordFolder
from isthmus.tools.table import TOOLS
from isthmus.tools.tool import ANY_KEY, Aim, Home, Tool
from isthmus.wire import json

KEY_VARIABLE = "ISTHMUS_CLIENT_KEY"
_F = TypeVar("_F", bound=Callable[..., object])


class Listed(Value, frozen=True):
    """A model, as far as its name goes."""

    id: str


class Models(Value, frozen=True):
    data: tuple[Listed, ...]


_models = json.decoder(Models)


def aim_options(command: _F) -> _F:
    """Where a tool is pointed."""
    options = (
        click.option("--url", help="The running gateway. Without it: the configuration's first listener."),
        click.option(
            "--key",
            envvar=KEY_VARIABLE,
            show_envvar=True,
            help="The client key it sends. Without it: the configuration's first, if any.",
        ),
        click.option("--model", help="A model by its name at the gateway. Without it: the likeliest that is listed."),
    )
    for option in reversed(options):
        command = option(command)
    return config_option(command)


def tool_named(name: str) -> Tool:
    """The tool. Ends the command for one that is not known."""
    if name not in TOOLS:
        fail(f"there is no tool {name}; there are {', '.join(TOOLS)}")
    return TOOLS[name]


def home_of(environment: Environment) -> Home:
    """Whose settings are meant. Ends the command for somebody without a home folder."""
    folder = environment.get("HOME") or environment.get("USERPROFILE")
    if folder is None:
        fail("the settings of tools cannot be found: there is no home folder")
    return Home(Path(folder), environment.get)


def records_of(environment: Environment) -> RecordFolder:
    return RecordFolder(data_dir(environment) / "tools")


def without_models(loaded: Loaded, url: str | None = None) -> Aim:
    """The aim as far as it is known without asking anybody."""
    return Aim(running(loaded, url).url, _key(loaded, None), "")


def aim_of(tool: Tool, loaded: Loaded, said: Mapping[str, str | None], nobody: Callable[[str], NoReturn]) -> Aim:
    """The aim, with the models that the gateway lists. `said` holds url, key and model, each of them may be None.

    Where no gateway answers it takes a model that was said, or else calls `nobody` with the address.
    """
    gateway = Running(running(loaded, said["url"]).origin, ())
    key, model = _key(loaded, said["key"]), said["model"]
    models = _listed(tool, gateway, key)
    if models is None and model is None:
        nobody(gateway.url)
    chosen = model or tool.liked(models or ())
    if chosen is None:
        fail(f"the gateway at {gateway.url} lists no model; say which with --model")
    return Aim(gateway.url, key, chosen, models or ())


def _key(loaded: Loaded, said: str | None) -> Secret:
    if said:
        return Secret(said)
    return next((entry.key for entry in loaded.config.client_keys), Secret(ANY_KEY))


def _listed(tool: Tool, gateway: Running, key: Secret) -> tuple[str, ...] | None:
    """The names that the gateway lists; None where none answers. A refusal ends the command."""
    answer = ask(gateway, "GET", "/v1/models", headers=((b"authorization", b"Bearer " + key.reveal().encode()),))
    if answer is None:
        return None
    if answer.status == 401:
        fail(
            f"the gateway at {gateway.url} asks for a client key; make one with: isthmus keys create {tool.name},",
            f"and say it with --key, or in {KEY_VARIABLE}",
        )
    try:
        return tuple(one.id for one in _models(good(answer)).data)
    except json.DECODE_ERRORS:
        fail(f"what answers at {gateway.url} is no gateway: it lists no models")
