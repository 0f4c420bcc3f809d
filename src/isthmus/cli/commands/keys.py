"""`isthmus keys`: the client keys of the gateway that runs: list, show, create, rotate, disable, enable, delete."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias, TypeVar
from urllib.parse import quote, urlencode

import click

from isthmus.cli.configured import config_option, load_or_fail
from isthmus.cli.output import fail, say, say_json, say_table
from isthmus.cli.running import ask, good, running
from isthmus.core.value import Value
from isthmus.wire import json

COLUMNS = ("NAME", "STATE", "HINT", "TEAM", "OWNER", "EXPIRES", "SOURCE", "ID")
LIMITS = ("requests_per_minute", "tokens_per_minute", "requests_per_day", "tokens_per_day", "concurrency")
PERMITS: Mapping[str, str] = MappingProxyType(
    {"model": "models", "provider": "providers", "upstream_key": "keys", "operation": "operations"}
)
"""The field of each option."""
_SPAN = re.compile(r"(?P<number>[0-9]{1,9})(?P<unit>[smhd]?)", re.ASCII)
_SECONDS: Mapping[str, int] = MappingProxyType({"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400})
_JSON = ((b"content-type", b"application/json"),)
Pairs: TypeAlias = tuple[tuple[str, str], ...]
_F = TypeVar("_F", bound=Callable[..., object])


class Key(Value, frozen=True):
    """One key, as far as a line tells it."""

    id: str
    name: str
    source: str
    state: str
    hint: str
    team: str
    owner: str
    expires_at: str | None


class Keys(Value, frozen=True):
    keys: tuple[Key, ...]
    more: bool


class Given(Value, frozen=True):
    key: str
    details: Key


_keys, _given = json.decoder(Keys), json.decoder(Given)


class Span(click.ParamType[int]):
    """Seconds, written as 90, 90s, 15m, 24h or 7d."""

    name = "span"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        found = _SPAN.fullmatch(str(value))
        if found is None:
            self.fail(f"{value} is no time; write 90s, 15m, 24h or 7d", param, ctx)
        return int(found["number"]) * _SECONDS[found["unit"]]


class Pair(click.ParamType[tuple[str, str]]):
    """NAME=VALUE."""

    name = "pair"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        name, mark, said = str(value).partition("=")
        if not name or not mark:
            self.fail(f"{value} is not written NAME=VALUE", param, ctx)
        return name, said


def where(command: _F) -> _F:
    """Which gateway is meant."""
    named = click.option("--url", help="The running gateway. Without it: the configuration's first listener.")
    return config_option(named(command))


as_json_option = click.option("--json", "as_json", is_flag=True, help="Write JSON.")


@click.group("keys")
def command() -> None:
    """Client keys that the gateway gives out."""


@command.command("list")
@click.option("--team", default="", help="Only those of this team.")
@click.option("--owner", default="", help="Only those of this owner.")
@click.option("--tag", default="", help="Only those with this tag.")
@as_json_option
@where
def list_command(*, as_json: bool, url: str | None, config: Path | None, **only: str) -> None:
    """List the keys, without the keys themselves."""
    chosen = {name: said for name, said in only.items() if said}
    found: list[Key] = []
    whole: list[object] = []
    after: Mapping[str, str] = {}
    while True:
        body = _asked(url, config, "GET", f"/admin/keys?{urlencode({**chosen, **after})}")
        page = _keys(body)
        found += page.keys
        whole += json.decode(body)["keys"]
        if not page.more:
            break
        after = {"after": page.keys[-1].name}
    if as_json:
        say_json({"keys": whole})
    elif not found:
        say("there are no client keys; make one with: isthmus keys create NAME")
    else:
        say_table(COLUMNS, [_line(one) for one in found])


@command.command("show")
@click.argument("key")
@where
def show_command(key: str, url: str | None, config: Path | None) -> None:
    """Tell all that is known of KEY, by its name or its id, as JSON."""
    say(_asked(url, config, "GET", _path(key)).decode())


@command.command("create")
@click.argument("name")
@click.option("--owner", help="Who answers for it.")
@click.option("--team", help="Whose it is.")
@click.option("--tag", "tags", multiple=True, help="A word to find it by; may be repeated.")
@click.option("--metadata", multiple=True, type=Pair(), metavar="NAME=VALUE", help="Kept with it; may be repeated.")
@click.option("--expires", "expires_at", help="Until when it is taken: 2027-01-31, or 2027-01-31T18:00:00Z.")
@click.option("--model", multiple=True, help="What it may be used for, as a name or with *; may be repeated.")
@click.option("--provider", multiple=True, help="A provider that may be asked; may be repeated.")
@click.option("--upstream-key", multiple=True, metavar="PROVIDER/KEY", help="A provider's key that may be used.")
@click.option("--operation", multiple=True, type=click.Choice(["chat", "embed", "count"]), help="What may be asked.")
@click.option("--requests-per-minute", type=int)
@click.option("--tokens-per-minute", type=int)
@click.option("--requests-per-day", type=int)
@click.option("--tokens-per-day", type=int)
@click.option("--concurrency", type=int, help="Its requests that may run at the same time.")
@click.option("--budget", multiple=True, type=Pair(), metavar="PERIOD=DOLLARS", help="day, week, month or all.")
@click.option("--on-loss", type=click.Choice(["allow", "refuse"]), help="May its requests lose something?")
@click.option("--cache/--no-cache", default=None, help="Are its answers kept? Without it: as the configuration says.")
@click.option("--believed", is_flag=True, help="Take it also while the store has been out of reach for long.")
@as_json_option
@where
def create_command(
    *, as_json: bool, url: str | None, config: Path | None, metadata: Pairs, budget: Pairs, **said: object
) -> None:
    """Make a key for NAME. It is written now, and can never be shown again."""
    asked = _new_key(said, dict(metadata), dict(budget))
    _say_given(_asked(url, config, "POST", "/admin/keys", asked), as_json=as_json)


@command.command("rotate")
@click.argument("key")
@click.option("--overlap", type=Span(), default=0, help="How long the key so far is still taken: 15m, 24h. Else: not.")
@as_json_option
@where
def rotate_command(key: str, overlap: int, *, as_json: bool, url: str | None, config: Path | None) -> None:
    """Give the client of KEY another key."""
    body = _asked(url, config, "POST", f"{_path(key)}/rotate", {"overlap_seconds": overlap})
    _say_given(body, as_json=as_json)


@command.command("disable")
@click.argument("key")
@where
def disable_command(key: str, url: str | None, config: Path | None) -> None:
    """Take KEY no more, until it is enabled."""
    _asked(url, config, "PATCH", _path(key), {"disabled": True})
    say(f"{key} is disabled")


@command.command("enable")
@click.argument("key")
@where
def enable_command(key: str, url: str | None, config: Path | None) -> None:
    """Take KEY again."""
    _asked(url, config, "PATCH", _path(key), {"disabled": False})
    say(f"{key} is enabled")


@command.command("delete")
@click.argument("key")
@where
def delete_command(key: str, url: str | None, config: Path | None) -> None:
    """Forget KEY. What it used stays in the usage."""
    _asked(url, config, "DELETE", _path(key))
    say(f"{key} is deleted")


def _new_key(said: Mapping[str, object], metadata: Mapping[str, str], budgets: Mapping[str, str]) -> dict[str, object]:
    """The body that asks for a key."""
    permits = {field: said[option] for option, field in PERMITS.items() if said[option]}
    limits = {name: said[name] for name in LIMITS if said[name] is not None}
    plain = ("name", "owner", "team", "expires_at", "on_loss", "cache")
    return {
        **{name: said[name] for name in plain if said[name] is not None},
        "tags": said["tags"],
        "metadata": metadata,
        "permits": permits,
        "limits": {**limits, "budgets": budgets},
        "believed": said["believed"],
    }


def _say_given(body: bytes, *, as_json: bool) -> None:
    """The key alone on standard output, so that a program can take it; the rest beside it."""
    if as_json:
        say(body.decode())
        return
    given = _given(body)
    click.echo(f"the key of {given.details.name} ({given.details.id}); it is not shown again:", err=True)
    say(given.key)


def _line(key: Key) -> tuple[str, ...]:
    cells = (key.hint, key.team, key.owner, key.expires_at or "")
    return key.name, key.state, *(cell or "-" for cell in cells), key.source, key.id


def _path(key: str) -> str:
    return f"/admin/keys/{quote(key, safe='')}"


def _asked(url: str | None, config: Path | None, method: str, target: str, said: object = None) -> bytes:
    """The gateway's answer. Anything but a good one ends the command."""
    gateway = running(load_or_fail(config), url)
    body = b"" if said is None else json.encode(said)
    answer = ask(gateway, method, target, body, headers=_JSON if body else ())
    if answer is None:
        fail(f"no gateway answers at {gateway.url}; start one with: isthmus serve")
    return good(answer)
