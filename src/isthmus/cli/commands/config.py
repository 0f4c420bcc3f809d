"""`isthmus config`: the file of another system read into ours, what is in force, and which file that is from."""

from pathlib import Path

import click

from isthmus.cli.configured import config_option, load_or_fail
from isthmus.cli.output import count, fail, fail_for, say, say_json
from isthmus.config.foreign import Foreign
from isthmus.config.imports.kinds import KINDS
from isthmus.config.imports.report import Fit
from isthmus.config.load import FILE, Found, find, import_file, parse, read_text
from isthmus.config.masking import mask
from isthmus.config.problems import ConfigProblems, write_path
from isthmus.config.secrets import of_this_process
from isthmus.config.write import write_new

HEADING = "# Written by isthmus config import, from a file of {system}. isthmus check tells what is wrong with it.\n"
TITLES = {
    Fit.DIFFERS: "taken over, with a difference",
    Fit.NO_EQUAL: "left out, because there is no equal",
    Fit.UNKNOWN: "left out, because the key is not known",
}


@click.group("config")
def command() -> None:
    """Read another system's configuration, or look at the present one."""


@command.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--from", "kind", type=click.Choice(list(KINDS)), help="Whose file it is. Without it: as its shape tells."
)
@click.option("--to", "target", type=click.Path(path_type=Path), help=f"The file to write; without it ./{FILE}.")
@click.option("--json", "as_json", is_flag=True, help="Write the report as JSON.")
def import_command(file: Path, kind: str | None, target: Path | None, as_json: bool) -> None:
    """Write an isthmus.yaml that does what FILE does, and tell what of it has no equal."""
    target = target or Path(FILE)
    try:
        found = import_file(file, of_this_process(), kind)
    except ConfigProblems as bad:
        fail_for(bad)
    if found is None:
        fail(f"{file} is not a file of {', '.join(one.system for one in KINDS.values())}; --from says whose it is")
    try:
        write_new(target, HEADING.format(system=found.system) + found.text)
    except FileExistsError:
        fail(f"{target} exists and was left alone; --to names another file")
    except OSError as error:
        fail(f"{target} cannot be written: {error.strerror or type(error).__name__}")
    click.echo(f"wrote {target}", err=True)
    (_report_json if as_json else _report)(found, _left(target))


def _left(target: Path) -> list[str]:
    """What is still wrong with the file that was written: variables that are not set here, for most."""
    try:
        parse(read_text(target), Found(target, "--to"), of_this_process())
    except ConfigProblems as bad:
        return bad.lines()
    return []


def _report(found: Foreign, left: list[str]) -> None:
    for what, title in TITLES.items():
        remarks = [one for one in found.remarks if one.what is what]
        if remarks:
            say(f"{title}:")
        for one in remarks:
            say(f"  {write_path(one.path) or 'the file'}: {one.note}")
    if left:
        say("still to mend:")
        for line in left:
            say(f"  {line}")
    say(f"{found.system}: {count(len(found.remarks), 'remark')}, {count(len(left), 'problem')}")


def _report_json(found: Foreign, left: list[str]) -> None:
    remarks = [{"key": write_path(one.path), "what": one.what, "note": one.note} for one in found.remarks]
    say_json({"system": found.system, "remarks": remarks, "problems": left})


@command.command("show")
@config_option
def show_command(config: Path | None) -> None:
    """Print the configuration file, its secrets hidden; one of another system in our words."""
    loaded = load_or_fail(config)
    if loaded.path is None:
        fail(f"there is no file: {loaded.found}")
    other = import_file(loaded.path, loaded.environment)
    say(mask(read_text(loaded.path) if other is None else other.text).rstrip("\n"))


@command.command("path")
@config_option
def path_command(config: Path | None) -> None:
    """Print which configuration file is used."""
    found = find(config, of_this_process(), Path())
    if found.path is None:
        fail(f"there is no file: {found.how}")
    say(str(found.path))
