"""Two renderings of what a command found: aligned columns for people, JSON for programs. And how commands fail."""

import logging
from collections.abc import Sequence
from typing import NoReturn

import click

from isthmus.config.problems import ConfigProblems
from isthmus.wire import json

FAILED = 1


def say(text: str) -> None:
    click.echo(text)


def say_json(value: object) -> None:
    click.echo(json.encode(value))


def say_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns as wide as their longest cell, with their names above."""
    lines = [columns, *rows]
    widths = [max(len(line[index]) for line in lines) for index in range(len(columns))]
    for line in lines:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def quiet() -> None:
    """What the parts of a gateway log is for its log. A command tells by itself what its user should know."""
    logging.getLogger("isthmus").addHandler(logging.NullHandler())


def fail(*lines: str) -> NoReturn:
    """Say why on standard error, and end with exit code 1."""
    for line in lines:
        click.echo(line, err=True)
    raise click.exceptions.Exit(FAILED)


def fail_for(bad: ConfigProblems) -> NoReturn:
    """The configuration cannot be used."""
    fail(*bad.lines(), count(len(bad.problems), "problem"))


def count(number: int, one: str, many: str = "") -> str:
    """ "1 route", "2 routes"; `many` where the plural is not made with an s."""
    return f"{number} {one if number == 1 else many or one + 's'}"
