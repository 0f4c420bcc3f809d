"""`isthmus accounts`: the accounts that somebody signed in to, on this machine's store."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import click

from isthmus.cli.account_lines import COLUMNS, WINDOWS, line, remarks, windows
from isthmus.cli.accounts_alone import account_of, with_book
from isthmus.cli.accounts_moved import clear_command, export_command, import_command, restore_command, rotate_command
from isthmus.cli.commands.login import command as add_command
from isthmus.cli.configured import config_option
from isthmus.cli.output import FAILED, fail, say, say_json, say_table
from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.accounts import Account, AccountBook, AccountState
from isthmus.server.admin.account_shapes import AccountChange, IssuersTold, changed, told, with_use
from isthmus.server.admin.accounts import for_each
from isthmus.server.admin.readers import reader
from isthmus.server.admin.sign_ins import issuers_told
from isthmus.system_clock import SystemClock
from isthmus.wire import json

Deed: TypeAlias = Callable[[AccountBook, Account], Awaitable[Account]]
NONE = "there are no accounts; sign in to one with: isthmus login"
json_option = click.option("--json", "as_json", is_flag=True, help="Write JSON.")
account_argument = click.argument("account")
_read_change = reader(AccountChange)
accounts_argument = click.argument("accounts", nargs=-1)


@click.group("accounts", invoke_without_command=True)
@json_option
@config_option
@click.pass_context
def command(ctx: click.Context, *, as_json: bool, config: Path | None) -> None:
    """Accounts that you signed in to. An ACCOUNT is told by its name, its e-mail address, or its id."""
    if ctx.invoked_subcommand is None:
        _list(config, as_json=as_json)


@command.command("list")
@json_option
@config_option
def list_command(*, as_json: bool, config: Path | None) -> None:
    """List them, without asking anybody."""
    _list(config, as_json=as_json)


@command.command("switch")
@account_argument
@config_option
def switch_command(account: str, config: Path | None) -> None:
    """Ask under ACCOUNT first from now on. Where all take turns, nothing changes."""
    say(f"switched to {_done(config, account, lambda book, one: book.activate(one.id)).name}")


@command.command("disable")
@account_argument
@config_option
def disable_command(account: str, config: Path | None) -> None:
    """Ask under ACCOUNT no more, until it is enabled."""
    say(f"{_done(config, account, lambda book, one: book.change(with_use(one, disabled=True))).name} is disabled")


@command.command("enable")
@account_argument
@config_option
def enable_command(account: str, config: Path | None) -> None:
    """Ask under ACCOUNT again."""
    one = _done(config, account, lambda book, one: book.change(with_use(one, disabled=False)))
    if one.state is AccountState.REVOKED:
        fail(f"{one.name} was revoked: {one.why}", "sign in to it again with: isthmus login")
    say(f"{one.name} is enabled")


@command.command("set")
@account_argument
@click.option("--name", help="What it is called here.")
@click.option("--concurrency", type=click.IntRange(0), help="Requests that may run under it; 0 for any number.")
@click.option("--model", "models", multiple=True, help="What it may be used for: a name, also with *; may be repeated.")
@click.option("--any-model", is_flag=True, help="It may be used for every model.")
@config_option
def set_command(
    *,
    account: str,
    name: str | None,
    concurrency: int | None,
    models: tuple[str, ...],
    any_model: bool,
    config: Path | None,
) -> None:
    """Change what may be changed of ACCOUNT."""
    if models and any_model:
        raise click.UsageError("say --model, or --any-model")
    said: dict[str, object] = {} if name is None else {"name": name}
    if concurrency is not None:
        said["concurrency"] = concurrency or None
    if models or any_model:
        said["models"] = models
    if not said:
        raise click.UsageError("say what is to be another")

    async def change(book: AccountBook, one: Account) -> Account:
        return await book.change(changed(one, _read_change(json.encode(said))))

    say(f"{_done(config, account, change).name} is changed")


@command.command("remove")
@click.argument("account", required=False)
@config_option
def remove_command(account: str | None, config: Path | None) -> None:
    """Forget ACCOUNT and its tokens. Nothing changes at its issuer."""

    async def remove(book: AccountBook) -> Account:
        if not book.all():
            fail(NONE)
        said = account or click.prompt("Which account", type=click.Choice([one.name for one in book.all()]), err=True)
        return await book.remove(account_of(book.all(), said).id)

    say(f"{with_book(config, remove).name} is removed")


@command.command("refresh")
@accounts_argument
@json_option
@config_option
def refresh_command(accounts: Sequence[str], *, as_json: bool, config: Path | None) -> None:
    """Renew tokens now. Those of ACCOUNTS; without any, of all."""
    _each(config, accounts, lambda book, one: book.refresh(one.id), as_json=as_json)


@command.command("verify")
@accounts_argument
@json_option
@config_option
def verify_command(accounts: Sequence[str], *, as_json: bool, config: Path | None) -> None:
    """Try whether accounts are taken. ACCOUNTS; without any, all. Ends with 1 where one is not."""
    _each(config, accounts, _verify, as_json=as_json)


@command.command("quota")
@accounts_argument
@click.option("--cached", is_flag=True, help="As it was told last; nobody is asked.")
@json_option
@config_option
def quota_command(accounts: Sequence[str], *, cached: bool, as_json: bool, config: Path | None) -> None:
    """Tell how much of their limits is used. Of ACCOUNTS; without any, of all."""

    found = _asked(config, accounts, lambda book, one: _quota(book, one, fresh=not cached))
    if as_json:
        say_json({"accounts": [told(one) for one, _ in found]})
    else:
        now = SystemClock.time()
        say_table(WINDOWS, [row for one, _ in found for row in windows(one, now)])
    if faults := [f"{one.name}: {why}; this is what was told before" for one, why in found if why]:
        fail(*faults)


@command.command("models")
@account_argument
@json_option
@config_option
def models_command(account: str, *, as_json: bool, config: Path | None) -> None:
    """List the models of ACCOUNT. They are as its vendor tells them."""

    async def ask(book: AccountBook) -> Sequence[Any]:
        return await book.models(account_of(book.all(), account).id)

    models = with_book(config, ask)
    if as_json:
        say_json({"models": models})
    else:
        rows = [(_first(one, "slug", "id"), _first(one, "display_name", "name", "title")) for one in models]
        say_table(("MODEL", "NAME"), rows)


@command.command("issuers")
@json_option
@config_option
def issuers_command(*, as_json: bool, config: Path | None) -> None:
    """List where accounts can be signed in to, and how."""

    async def look(book: AccountBook) -> IssuersTold:
        return issuers_told(book)

    found = with_book(config, look)
    if as_json:
        say_json(found)
    else:
        rows = [(one.name, one.title, ", ".join(one.flows), str(one.accounts)) for one in found.issuers]
        say_table(("ISSUER", "TITLE", "FLOWS", "ACCOUNTS"), rows)


@command.command("help", hidden=True)
@click.pass_context
def help_command(ctx: click.Context) -> None:
    """As --help."""
    if ctx.parent is not None:
        say(ctx.parent.get_help())


for more in (import_command, export_command, restore_command, rotate_command, clear_command):
    command.add_command(more)
command.add_command(add_command, "add")


def _list(config: Path | None, *, as_json: bool) -> None:
    async def look(book: AccountBook) -> Sequence[Account]:
        return book.all()

    found = with_book(config, look)
    if as_json:
        say_json({"accounts": [told(one) for one in found]})
    elif not found:
        say(NONE)
    else:
        now = SystemClock.time()
        say_table(COLUMNS, [line(one, now) for one in found])
        for remark in remarks(found):
            say(remark)


def _done(config: Path | None, said: str, deed: Deed) -> Account:
    """One account, after it."""

    async def do(book: AccountBook) -> Account:
        return await deed(book, account_of(book.all(), said))

    return with_book(config, do)


def _each(config: Path | None, said: Sequence[str], deed: Deed, *, as_json: bool) -> None:
    """Tell what became of each; the exit code tells whether all went well."""
    found = _asked(config, said, deed)
    if as_json:
        say_json({"accounts": [{"id": one.id, "name": one.name, "good": not why, "why": why} for one, why in found]})
    else:
        say_table(("ACCOUNT", "ISSUER", "RESULT"), [(one.name, one.issuer, why or "good") for one, why in found])
    if any(why for _, why in found):
        raise click.exceptions.Exit(FAILED)


def _asked(config: Path | None, said: Sequence[str], deed: Deed) -> Sequence[tuple[Account, str]]:
    """Those that were said, or all, after it; with what went wrong, which keeps nobody from the others."""

    async def do(book: AccountBook) -> Sequence[tuple[Account, str]]:
        async def one(account: Account) -> tuple[Account, str]:
            try:
                return await deed(book, account), ""
            except GatewayError as error:
                return account, error.message

        return await for_each(_chosen(book, said), one)

    return with_book(config, do)


def _chosen(book: AccountBook, said: Sequence[str]) -> Sequence[Account]:
    """Those that were said; without any, all. Without accounts the command ends."""
    if not book.all():
        fail(NONE)
    return [account_of(book.all(), one) for one in said] or book.all()


async def _quota(book: AccountBook, account: Account, *, fresh: bool) -> Account:
    """As it was told before, where its vendor cannot be asked at all."""
    try:
        return await book.quota(account.id, fresh=fresh)
    except GatewayError as error:
        if error.kind is Kind.UNSUPPORTED:
            return account
        raise


async def _verify(book: AccountBook, account: Account) -> Account:
    """Ask its vendor under it, for what costs nothing. Where there is no such question, or it is refused: renew it."""
    issuer = book.issuers().get(account.issuer)
    if issuer is not None and issuer.usage_url:
        try:
            await book.usage(account.id)
        except GatewayError as error:
            if error.kind is not Kind.CREDENTIAL_REJECTED:
                raise
        else:
            return account
    return await book.refresh(account.id)


def _first(told_of: Any, *names: str) -> str:
    return next((str(told_of[name]) for name in names if told_of.get(name)), "-")
