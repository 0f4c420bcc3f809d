"""`isthmus version`."""

import platform

import click

from isthmus import __version__
from isthmus.cli.output import say, say_json


@click.command("version")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def command(as_json: bool) -> None:
    """Tell the version of Isthmus, and of the Python that runs it."""
    python = platform.python_version()
    if as_json:
        say_json({"isthmus": __version__, "python": python})
    else:
        say(f"isthmus {__version__} (Python {python})")
