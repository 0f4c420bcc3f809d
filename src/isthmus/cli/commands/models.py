"""`isthmus models`: the names that a configuration answers to, and what is known of the models behind them."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click

from isthmus.cli.configured import config_option, load_or_fail
from isthmus.cli.facts import KnownTarget, details, in_short
from isthmus.cli.known_accounts import known_accounts
from isthmus.cli.output import fail, say, say_json, say_table
from isthmus.config.compile import compile_loaded
from isthmus.config.environment import ollama_answers
from isthmus.config.facts import Facts, facts_of_loaded
from isthmus.core.value import Value
from isthmus.engine.discovery import Listed, ask_all
from isthmus.engine.live import Live
from isthmus.engine.snapshot import Snapshot
from isthmus.routing.names import UnknownName
from isthmus.routing.naming import is_pattern
from isthmus.routing.plan import Target
from isthmus.transport.client import open_transport

COLUMNS = ("MODEL", "KIND", "GOES TO", "INPUT", "OUTPUT", "PRICE")


class Name(Value, frozen=True):
    """One name or wildcard. `kind` is route, model or any: whatever the provider itself has by that name.

    `known` is what is known of each target that is one model.
    """

    name: str
    kind: str
    targets: tuple[str, ...]
    known: tuple[KnownTarget, ...] = ()


@click.command("models")
@click.argument("name", required=False)
@click.option("--ask", is_flag=True, help="Ask the providers which models they have, and what they tell of them.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@config_option
def command(name: str | None, ask: bool, as_json: bool, config: Path | None) -> None:
    """List what the configuration would serve; with NAME, all that is known of the models behind it, and from whom.

    Limits are tokens, prices US dollars for a million tokens of input and of output.
    """
    loaded = load_or_fail(config)
    ollama = loaded.automatic and asyncio.run(ollama_answers())
    live = Live(compile_loaded(loaded, ollama=ollama))
    live.sign_in(asyncio.run(known_accounts(loaded)))
    book = Book(live, facts_of_loaded(loaded), asyncio.run(_ask(live.take().snapshot)) if ask else {})
    names = list(book.names()) if name is None else [_one(book, name)]
    if as_json:
        say_json({"models": names})
    elif name is None:
        say_table(COLUMNS, [(row.name, row.kind, ", ".join(row.targets), *in_short(row.known)) for row in names])
    else:
        for known in names[0].known:
            _say_known(known)


class Book:
    """Every name of what is in force, and what is known behind it. `listed` is what providers answered, if asked."""

    def __init__(self, live: Live, facts: Facts, listed: Mapping[str, Listed]) -> None:
        self._snapshot = live.take().snapshot
        self._facts = facts
        self._listed = listed
        live.learn({provider: told.names for provider, told in listed.items()})
        self._directory = live.take().directory

    def names(self) -> Iterator[Name]:
        """Routes and aliases first, then each provider's models, and what can be asked of it by its own name."""
        for name in (*self._snapshot.naming.aliases, *self._snapshot.routes):
            plan = None if is_pattern(name) else self._directory.lead(name)
            if plan is not None:
                yield self._name(name, "route", plan.targets)
        for provider in self._snapshot.providers.values():
            patterns = ((pattern, pattern) for pattern in filter(is_pattern, provider.models))
            for name, model in (*self._directory.offer(provider.name).served(), *patterns):
                yield self._name(name, "model", [Target(provider.name, model)])
            yield Name(f"{provider.name}/*", "any", (f"{provider.name}/*",))

    def one(self, name: str) -> Name:
        """One name, whether or not it is listed. Raises UnknownName."""
        own = name in self._snapshot.routes or name in self._snapshot.naming.aliases
        return self._name(name, "route" if own else "model", self._directory.plan(name).targets)

    def _name(self, name: str, kind: str, targets: Sequence[Target]) -> Name:
        known = tuple(self._known(target) for target in targets if "*" not in target.model)
        return Name(name, kind, tuple(f"{target.provider}/{target.model}" for target in targets), known)

    def _known(self, target: Target) -> KnownTarget:
        listed = self._listed.get(target.provider)
        known = self._facts.known(target.provider, target.model, listed.facts.get(target.model) if listed else None)
        return KnownTarget(f"{target.provider}/{target.model}", known.facts, known.sources)


def _say_known(known: KnownTarget) -> None:
    lines = list(details(known))
    say(known.target if lines else f"{known.target}: nothing is known of it")
    if lines:
        say_table(("FACT", "VALUE", "SOURCE"), lines)


def _one(book: Book, name: str) -> Name:
    try:
        return book.one(name)
    except UnknownName as unknown:
        near = f"; the nearest names are {', '.join(unknown.near)}" if unknown.near else ""
        fail(f"no provider offers {name}{near}")


async def _ask(snapshot: Snapshot) -> Mapping[str, Listed]:
    """What the providers list. Those that do not say are named on standard error."""
    async with open_transport() as transport:
        answers = await ask_all(snapshot.providers.values(), transport)
    for name in [name for name, listed in answers.items() if listed is None]:
        click.echo(f"{name} did not tell its models", err=True)
    return {name: listed for name, listed in answers.items() if listed is not None}
