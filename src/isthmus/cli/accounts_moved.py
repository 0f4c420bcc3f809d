"""Accounts taken in from other tools, to another machine and back, under another key, or all forgotten.

These commands belong to `isthmus accounts`. An archive is sealed with a passphrase, which is never part of a command.
"""

import os
import sys
from pathlib import Path

import click

from isthmus.accounts.files import left_by
from isthmus.cli.accounts_alone import resealed, with_book
from isthmus.cli.configured import config_option
from isthmus.cli.output import count, fail, say
from isthmus.cli.signing_in import agree, issuer_of
from isthmus.config.places import home
from isthmus.config.secrets import of_this_process
from isthmus.core.errors import GatewayError
from isthmus.core.secret import Secret
from isthmus.engine.accounts import Account, AccountBook
from isthmus.providers.issuer import Issuer, SignInFlow

LEAST = 12
"""Characters of a passphrase."""
MOST = 64 * 1024 * 1024
"""Bytes of an archive."""

passphrase_option = click.option(
    "--passphrase-file", metavar="FILE", help="Its first line is the passphrase; - for standard input."
)


@click.command("import")
@click.argument("issuer", required=False)
@click.option("--yes", is_flag=True, help="Agree to the notice that is shown.")
@config_option
def import_command(issuer: str | None, *, yes: bool, config: Path | None) -> None:
    """Take in what other tools left on this machine. Their files are only read."""

    async def take(book: AccountBook) -> list[Account]:
        chosen = [issuer_of(book, issuer, (SignInFlow.FILE,))] if issuer else _with_files(book)
        found: list[Account] = []
        for one in [one for one in chosen if await _has_left(one, alone=len(chosen) == 1)]:
            agree(book, one, yes=yes)
            found += await book.import_files(one.name)
        return found

    found = with_book(config, take)
    if not found:
        fail("no other tool left an account on this machine")
    for account in found:
        say(f"took in {account.name}{f' from {account.source}' if account.source else ''}")


@click.command("export")
@click.argument("file", type=click.Path(path_type=Path))
@passphrase_option
@config_option
def export_command(file: Path, passphrase_file: str | None, config: Path | None) -> None:
    """Write all accounts to FILE. It has their tokens, and is sealed with a passphrase."""
    if file.exists():
        fail(f"{file} exists and was left alone")
    passphrase = _passphrase(passphrase_file, new=True)
    if len(passphrase.reveal()) < LEAST:
        fail(f"a passphrase has at least {LEAST} characters")

    async def export(book: AccountBook) -> tuple[bytes, int]:
        return await book.export(passphrase), len(book.all())

    archive, number = with_book(config, export)
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
            opened.write(archive)
    except OSError as error:
        fail(f"{file} cannot be written: {error.strerror}")
    say(f"{count(number, 'account')} in {file}; who has it and the passphrase has them")


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path))
@passphrase_option
@config_option
def restore_command(file: Path, passphrase_file: str | None, config: Path | None) -> None:
    """Take in the accounts of FILE. One that is here already is put in place."""
    try:
        with file.open("rb") as opened:
            archive = opened.read(MOST + 1)
    except OSError as error:
        fail(f"{file} cannot be read: {error.strerror}")
    if len(archive) > MOST:
        fail(f"{file} is longer than {MOST // 1024**2} MiB, and no archive of accounts")
    passphrase = _passphrase(passphrase_file, new=False)

    async def restore(book: AccountBook) -> int:
        return len(await book.restore(archive, passphrase))

    say(f"took in {count(with_book(config, restore), 'account')}")


@click.command("rotate-key")
@config_option
def rotate_command(config: Path | None) -> None:
    """Seal all tokens with another key. It is a new one, or the first of ISTHMUS_ACCOUNTS_KEY."""
    say(f"sealed {count(resealed(config), 'account')} anew")


@click.command("clear")
@click.option("--issuer", help="Only those of this issuer.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@config_option
def clear_command(issuer: str | None, *, yes: bool, config: Path | None) -> None:
    """Forget all accounts and their tokens."""

    async def clear(book: AccountBook) -> int:
        gone = [one for one in book.all() if issuer in (None, one.issuer)]
        if gone and not yes:
            _ask(f"Forget {count(len(gone), 'account')}? There is no way back but to sign in again.")
        for one in gone:
            await book.remove(one.id)
        return len(gone)

    say(f"{count(with_book(config, clear), 'account')} removed")


def _with_files(book: AccountBook) -> list[Issuer]:
    return [issuer for issuer in book.issuers().values() if SignInFlow.FILE in issuer.flows]


async def _has_left(issuer: Issuer, *, alone: bool) -> bool:
    """Is there anything of this issuer? Where it is the only one that is meant, what is wrong is told."""
    environment = of_this_process()
    try:
        return bool(await left_by(issuer, home(environment), environment.get))
    except GatewayError:
        if alone:
            raise
        return False


def _ask(question: str) -> None:
    try:
        if not click.confirm(question, err=True):
            fail("nothing was done")
    except click.Abort:
        fail("nobody answered; --yes does it without asking")


def _passphrase(file: str | None, *, new: bool) -> Secret:
    if file is None:
        if not sys.stdin.isatty():
            fail("there is nobody to type a passphrase; --passphrase-file - reads it from standard input")
        return Secret(click.prompt("Passphrase", hide_input=True, confirmation_prompt=new, err=True))
    try:
        with click.open_file(file, "rb") as opened:
            return Secret(opened.readline(4096).decode().rstrip("\r\n"))
    except OSError as error:
        fail(f"{file} cannot be read: {error.strerror}")
    except UnicodeDecodeError:
        fail(f"{file} is no text")
