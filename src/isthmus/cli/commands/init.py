"""`isthmus init`: the first configuration file, and later a new management key."""

from pathlib import Path

import click

from isthmus.cli.configured import config_option
from isthmus.cli.output import fail, fail_for, say
from isthmus.config.load import FILE
from isthmus.config.nodes import Broken
from isthmus.config.problems import ConfigProblems
from isthmus.config.secrets import of_this_process
from isthmus.config.template import CannotRekey
from isthmus.config.write import begin, change_key, new_key


@click.command("init")
@click.option("--path", type=click.Path(path_type=Path), help=f"The file to write; without it ./{FILE}.")
@click.option("--force", is_flag=True, help="Put a new management key into a file that exists; the rest stays.")
@config_option
def command(force: bool = False, path: Path | None = None, config: Path | None = None) -> None:
    """Write a commented isthmus.yaml with a fresh management key, readable by its owner only."""
    file = path or config or Path(of_this_process().get("ISTHMUS_CONFIG") or FILE)
    there = file.exists()
    if there and not force:
        fail(f"{file} exists and was left alone; --force would put a new management key into it")
    key = new_key()
    try:
        (change_key if there else begin)(file, key)
    except ConfigProblems as bad:
        fail_for(bad)
    except Broken as broken:
        fail_for(ConfigProblems(str(file), [broken.problem]))
    except CannotRekey as error:
        fail(f"{file}: {error}")
    except OSError as error:
        fail(f"{file} cannot be written: {error.strerror or type(error).__name__}")
    click.echo(f"wrote {file}", err=True)
    say(f"Management key: {key.reveal()}")
