"""`isthmus catalogue`: what is known of models in general, and how old that is."""

from datetime import UTC, datetime
from pathlib import Path

import click

from isthmus.catalog.catalogue import Catalogue, NotACatalogue
from isthmus.cli.output import fail, say, say_json
from isthmus.config.catalogues import keep, take_shelf
from isthmus.config.packages import NotDownloaded, downloaded
from isthmus.config.places import data_dir
from isthmus.config.secrets import of_this_process
from isthmus.config.wheels import read_wheel

PACKAGE = "litellm"
"""Whose list of models is read."""


@click.group("catalogue")
def command() -> None:
    """What is known of models in general: limits, abilities, prices."""


@command.command("status")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def status_command(as_json: bool) -> None:
    """Tell which catalogue is in use, how old it is, and under what licence its facts came."""
    catalogue = take_shelf(data_dir(of_this_process())).newest()
    edition = catalogue.edition
    if as_json:
        say_json({"source": edition.source, "version": edition.version, "date": edition.date, "models": len(catalogue)})
    else:
        say(f"{_summary(catalogue)}\n\n{edition.notice.strip()}")


@command.command("refresh")
@click.option("--package", default=PACKAGE, help="The package to read, or one version of it: litellm==1.109.1.")
@click.option(
    "--from",
    "wheel",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A wheel of it fetched elsewhere, for a machine without a network.",
)
def refresh_command(package: str, wheel: Path | None) -> None:
    """Read the newest list of models out of the package litellm, which pip downloads. Nothing of it is installed.

    A gateway that is running takes it up with its next change of configuration, or when it is started again.
    """
    try:
        packed = _packed(wheel) if wheel else _downloaded(package)
        path = keep(data_dir(of_this_process()), packed)
    except (NotDownloaded, NotACatalogue) as error:
        fail(f"The catalogue was not refreshed: {error}")
    except OSError as error:
        fail(f"The catalogue could not be written: {error.strerror or error}")
    say(f"{_summary(Catalogue(packed))}, kept in {path}")


def _downloaded(package: str) -> bytes:
    with downloaded(package) as wheel:
        return _packed(wheel)


def _packed(wheel: Path) -> bytes:
    return read_wheel(wheel, datetime.now(UTC).date())


def _summary(catalogue: Catalogue) -> str:
    edition = catalogue.edition
    return f"{len(catalogue)} models, from {edition.source} {edition.version} as of {edition.date}"
