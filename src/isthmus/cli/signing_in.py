"""A sign-in as one person at a terminal goes through it: the notice, the browser or what is pasted, whichever is first.

The address where somebody signs in is printed for them and nowhere else.
"""

import asyncio
import sys
import webbrowser
from collections.abc import Mapping, Sequence
from contextlib import suppress
from threading import Thread

import click

from isthmus.cli.output import fail
from isthmus.cli.typed import typed_line
from isthmus.config.secrets import of_this_process
from isthmus.core.errors import GatewayError
from isthmus.engine.accounts import Account, AccountBook, SignIn, SignInProgress
from isthmus.providers.issuer import Issuer, SignInFlow

PAUSE = 0.2
"""Seconds between two looks at how far a sign-in is."""
WIDTH = 100
"""Characters of a line of the notice."""
BY_HAND = (SignInFlow.CODE, SignInFlow.DEVICE)
"""The flows in which somebody signs in now."""
_SCREENS = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
"""Variables of which one is set where a browser can be opened; a Mac needs none."""
_NOT: Mapping[SignInProgress, str] = {
    SignInProgress.FAILED: "the sign-in failed",
    SignInProgress.CANCELLED: "the sign-in was cancelled",
    SignInProgress.EXPIRED: "nobody signed in within the time that there is",
}


def issuer_of(book: AccountBook, named: str | None, flows: Sequence[SignInFlow]) -> Issuer:
    """The issuer that was named; without a name the only one with one of these flows."""
    known = book.issuers()
    if named is not None:
        if named not in known:
            fail(f"there is no issuer {named!r}; there are {', '.join(known)}")
        return known[named]
    fitting = [issuer for issuer in known.values() if set(flows) & set(issuer.flows)]
    if len(fitting) != 1:
        fail(f"which issuer? there are {', '.join(issuer.name for issuer in fitting) or 'none for this'}")
    return fitting[0]


def agree(book: AccountBook, issuer: Issuer, *, yes: bool) -> None:
    """Show the notice about its terms before its first account, and ask. Without consent the command ends."""
    if not issuer.terms or any(account.issuer == issuer.name for account in book.all()):
        return
    click.echo(click.wrap_text(f"{issuer.title}: {issuer.terms}", WIDTH), err=True)
    if yes:
        return
    try:
        agreed = click.confirm("Sign in under these terms?", err=True)
    except click.Abort:
        fail("nobody answered; --yes agrees")
    if not agreed:
        fail("nothing was done")


async def signed_in(book: AccountBook, sign_in: SignIn, *, browser: bool) -> Account:
    """See a sign-in through that was begun. What ends without an account ends the command."""
    tell(sign_in)
    if browser and sign_in.flow is SignInFlow.CODE and has_screen():
        Thread(target=_open, args=(sign_in.url,), daemon=True).start()
    reading = asyncio.create_task(_take_lines(book, sign_in)) if sign_in.flow is SignInFlow.CODE else None
    try:
        while (now := book.sign_in(sign_in.id)).progress is SignInProgress.PENDING:  # noqa: ASYNC110  nobody tells
            await asyncio.sleep(PAUSE)
    except BaseException:
        with suppress(GatewayError):
            await book.cancel(sign_in.id)
        raise
    finally:
        if reading is not None:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
    if now.progress is not SignInProgress.COMPLETED:
        fail(f"{_NOT[now.progress]}{': ' if now.why else ''}{now.why}")
    await asyncio.sleep(PAUSE)  # the page that tells the browser so is on its way
    return next(account for account in book.all() if account.id == now.account)


def tell(sign_in: SignIn) -> None:
    """What to do, on standard error."""
    click.echo(f"\n  {sign_in.url}\n", err=True)
    if sign_in.flow is SignInFlow.DEVICE:
        click.echo(f"Open it on any machine, and type this code: {sign_in.user_code}", err=True)
    else:
        click.echo(
            "Sign in there. On a machine without a browser: open it on another one, and paste here the", err=True
        )
        click.echo("address that the browser ends at, even where it shows no page.", err=True)


def has_screen() -> bool:
    """May a browser be opened?"""
    environment = of_this_process()
    return sys.platform in ("darwin", "win32") or any(environment.get(name) for name in _SCREENS)


def _open(url: str) -> None:
    """Some browsers do not return before they are closed."""
    with suppress(webbrowser.Error, OSError):
        webbrowser.open(url)


async def _take_lines(book: AccountBook, sign_in: SignIn) -> None:
    """What is typed, until the sign-in is over. What cannot be used is told, and another line is waited for."""
    while _progress(book, sign_in) is SignInProgress.PENDING and (line := await typed_line()) is not None:
        if not line:
            continue
        try:
            await book.finish(sign_in.id, line)
        except GatewayError as error:
            if _progress(book, sign_in) is SignInProgress.PENDING:
                click.echo(error.message, err=True)


def _progress(book: AccountBook, sign_in: SignIn) -> SignInProgress:
    return book.sign_in(sign_in.id).progress
