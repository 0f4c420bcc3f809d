"""`isthmus route explain`: who would be asked for a model, and why; and what became of a request that is over."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import click

from isthmus.cli.configured import config_option, load_or_fail
from isthmus.cli.explained import say_explained, say_past
from isthmus.cli.output import fail, say_json
from isthmus.cli.running import Answered, Running, ask, good, running
from isthmus.config.allowances import client_name
from isthmus.config.load import Loaded
from isthmus.wire import json
from isthmus.wire.headers import Headers

CHAT = "/v1/chat/completions"
_HELLO = [{"role": "user", "content": "Hello"}]
BODIES: Mapping[str, Mapping[str, object]] = {
    CHAT: {"messages": _HELLO},
    "/v1/messages": {"max_tokens": 1024, "messages": _HELLO},
    "/v1/messages/count_tokens": {"messages": _HELLO},
    "/v1/responses": {"input": "Hello"},
    "/v1/completions": {"prompt": "Hello"},
    "/v1/embeddings": {"input": "Hello"},
    "/api/chat": {"messages": _HELLO},
    "/api/generate": {"prompt": "Hello"},
    "/api/embed": {"input": "Hello"},
}
"""A small request for each path, where none is given."""


class Question(NamedTuple):
    """A call that is to be explained. `key` is the client key that it would be sent with."""

    path: str
    body: bytes
    every: bool
    key: str | None

    @property
    def headers(self) -> Headers:
        own = () if self.key is None else ((b"x-api-key", self.key.encode()),)
        return ((b"content-type", b"application/json"), *own)

    @property
    def query(self) -> str:
        return f"path={quote(self.path, safe='')}{'&all=true' if self.every else ''}"


@click.group("route")
def command() -> None:
    """Where requests go, and why."""


@command.command("explain")
@click.argument("model", required=False)
@click.option("--path", default=CHAT, show_default=True, help="The path of the call, which says which API it is of.")
@click.option(
    "--file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The request's body. Without it: a small one.",
)
@click.option("--id", "exchange", help="Tell what became of this past exchange instead (an answer's x-isthmus-id).")
@click.option("--all", "every", is_flag=True, help="Write the requests to all candidates, not to the first alone.")
@click.option("--client", help="Ask as the client of this name. Without it: the first that is configured.")
@click.option("--url", help="The running gateway. Without it: the configuration's first listener.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@config_option
def explain_command(  # noqa: PLR0913  the command's options
    model: str | None,
    *,
    path: str,
    file: Path | None,
    exchange: str | None,
    every: bool,
    client: str | None,
    url: str | None,
    as_json: bool,
    config: Path | None,
) -> None:
    """Tell who would be asked for MODEL, in which order and why, and what they would be sent. Nothing is sent.

    A gateway that runs is asked, which knows who rests and how much of each limit is used. Where none does, the
    configuration alone is explained.
    """
    loaded = load_or_fail(config)
    gateway = running(loaded, url)
    if exchange is not None:
        told = _past(gateway, exchange)
        (say_json if as_json else say_past)(told)
        return
    if model is None and file is None:
        raise click.UsageError("name a MODEL, or give a request with --file")
    question = Question(path, _body(model, path, file), every, _key(loaded, client))
    told = _explained(loaded, gateway, question, alone=url is None)
    (say_json if as_json else say_explained)(told)


def _past(gateway: Running, exchange: str) -> object:
    answer = ask(gateway, "GET", f"/admin/explain/{quote(exchange, safe='')}")
    if answer is None:
        fail(f"no gateway answers at {gateway.url}; what became of past exchanges is in its log")
    return _read(answer)


def _explained(loaded: Loaded, gateway: Running, question: Question, *, alone: bool) -> object:
    """By the gateway that runs; `alone`: by the configuration where none does."""
    answer = ask(gateway, "POST", f"/v0/explain?{question.query}", question.body, headers=question.headers)
    if answer is not None:
        return _read(answer)
    if not alone:
        fail(f"no gateway answers at {gateway.url}")
    click.echo(f"no gateway runs at {gateway.url}; this is what the configuration says by itself", err=True)
    from isthmus.cli.alone import explain_alone  # noqa: PLC0415  it loads all of a gateway, where none runs

    status, body = asyncio.run(explain_alone(loaded, question.body, question.headers, question.query.encode()))
    return _read(Answered(status, body))


def _body(model: str | None, path: str, file: Path | None) -> bytes:
    """What would be sent: the file, or a small request; with the model's name in it where the path does not say it."""
    if file is None:
        body = json.encode(BODIES.get(path.rstrip("/"), {"contents": [{"parts": [{"text": "Hello"}]}]}))
    else:
        body = file.read_bytes()
    if model is None or ":" in path:
        return body
    try:
        return json.splice(body, {"model": json.raw(model)})
    except json.Malformed as error:
        fail(f"{file}: {error.message}")


def _key(loaded: Loaded, client: str | None) -> str | None:
    """A client key that the configuration has."""
    for number, entry in enumerate(loaded.config.client_keys, 1):
        if client is None or client == client_name(entry.name, number):
            return entry.key.reveal()
    if client is not None:
        fail(f"the configuration has no client called {client}")
    return None


def _read(answer: Answered) -> object:
    """What the answer says; a refusal ends the command."""
    try:
        told: object = json.decode(good(answer))
    except json.Malformed:
        fail("the gateway answered with no JSON")
    return told
