"""`isthmus models`: the names that a configuration answers to, before any provider is asked."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import click

from isthmus.cli.configured import config_option, load_or_fail
from isthmus.cli.output import say_json, say_table
from isthmus.config.compile import compile_loaded
from isthmus.config.environment import ollama_answers
from isthmus.core.value import Value
from isthmus.engine.snapshot import Snapshot


class Name(Value, frozen=True):
    """One name or wildcard. `kind` is route, model or any: whatever the provider itself has by that name."""

    name: str
    kind: str
    targets: tuple[str, ...]


@click.command("models")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@config_option
def command(as_json: bool, config: Path | None) -> None:
    """List what the configuration would serve. A running gateway also lists what its providers say they have."""
    loaded = load_or_fail(config)
    ollama = loaded.automatic and asyncio.run(ollama_answers())
    names = list(names_of(compile_loaded(loaded, ollama=ollama)))
    if as_json:
        say_json({"models": names})
    else:
        say_table(("MODEL", "KIND", "GOES TO"), [(row.name, row.kind, ", ".join(row.targets)) for row in names])


def names_of(snapshot: Snapshot) -> Iterator[Name]:
    """Routes and aliases first, then each provider's models, and what can be asked of it by its own name."""
    for name, targets in snapshot.routes.items():
        yield Name(name, "route", tuple(f"{target.provider}/{target.model}" for target in targets))
    for provider in snapshot.providers.values():
        for model in provider.models:
            yield Name(model, "model", (f"{provider.name}/{model}",))
        yield Name(f"{provider.name}/*", "any", (f"{provider.name}/*",))
