"""`isthmus check`: every problem of a configuration, each with its line."""

from pathlib import Path

import click

from isthmus.cli.configured import named_file
from isthmus.cli.output import FAILED, count, say, say_json
from isthmus.config.allowances import allowances
from isthmus.config.keys import named_keys
from isthmus.config.load import Loaded, load
from isthmus.config.problems import ConfigProblems
from isthmus.config.schema import Config
from isthmus.config.secrets import of_this_process


@click.command("check")
@click.argument("file", required=False, type=click.Path(path_type=Path), callback=named_file)
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@click.pass_context
def command(ctx: click.Context, file: Path | None, as_json: bool) -> None:
    """Tell everything that is wrong with FILE, or with the configuration that serve would use."""
    try:
        loaded = load(file, of_this_process())
    except ConfigProblems as bad:
        (_bad_json if as_json else _bad_text)(bad)
        ctx.exit(FAILED)
    if as_json:
        say_json({"file": str(loaded.path) if loaded.path else None, "problems": []})
    else:
        say(f"{loaded.source}: no problems; {_summary(loaded)}")


def _bad_text(bad: ConfigProblems) -> None:
    for line in bad.lines():
        say(line)
    say(count(len(bad.problems), "problem"))


def _bad_json(bad: ConfigProblems) -> None:
    say_json({"file": bad.file, "problems": bad.problems})


def _summary(loaded: Loaded) -> str:
    config = loaded.config
    found = "found in the environment" if loaded.automatic else "configured"
    limits = sum(map(len, allowances(config).values()))
    parts = [
        f"{count(len(config.providers), 'provider')} {found}",
        *([count(keys, "key")] if (keys := _keys(config)) else []),
        count(len(config.routes), "route"),
        count(len(config.aliases), "alias", "aliases"),
        *([count(limits, "limit")] if limits else []),
    ]
    return ", ".join(parts)


def _keys(config: Config) -> int:
    """Those of providers that have several."""
    return sum(len(named_keys(entry)) for entry in config.providers.values() if entry.enabled)
