"""`isthmus login`, which is `isthmus accounts add`: an account more, signed in to now or known from elsewhere."""

import sys
from pathlib import Path

import click

from isthmus.cli.accounts_alone import with_book
from isthmus.cli.configured import config_option, load_or_fail
from isthmus.cli.output import fail, say, say_json
from isthmus.cli.signing_in import BY_HAND, agree, issuer_of, signed_in
from isthmus.config.compile import compile_loaded
from isthmus.config.load import Loaded
from isthmus.core.secret import Secret
from isthmus.core.value import Value
from isthmus.engine.accounts import Account, AccountBook, Tokens
from isthmus.providers.issuer import Issuer, SignInFlow
from isthmus.providers.table import PROVIDERS
from isthmus.server.admin.account_shapes import told

MOST = 64 * 1024
"""Bytes of a token or of a key file."""


class Way(Value, frozen=True, kw_only=True):
    """How somebody wants to sign in."""

    browser: bool = True
    port: int | None = None
    flow: SignInFlow | None = None
    source: str | None = None

    @property
    def flows(self) -> tuple[SignInFlow, ...]:
        """Those that an issuer must have one of."""
        return BY_HAND if self.flow is None else (self.flow,)


@click.command("login")
@click.argument("issuer", required=False)
@click.option("--no-browser", is_flag=True, help="Open none; print the address, and take what is pasted.")
@click.option("--port", type=click.IntRange(1, 65_535), help="The browser comes back to this port, and to no other.")
@click.option("--device", is_flag=True, help="By a code to type on any machine, where the issuer has that.")
@click.option("--refresh-token", metavar="FILE", help="Take a refresh token that you have: in FILE, or - to type it.")
@click.option("--service-account", metavar="FILE", help="Take a service account's key: a JSON file, or - to read it.")
@click.option("--yes", is_flag=True, help="Agree to the notice that is shown.")
@click.option("--json", "as_json", is_flag=True, help="Write the account as JSON.")
@config_option
def command(  # noqa: PLR0913  one argument for each option
    *,
    issuer: str | None,
    no_browser: bool,
    port: int | None,
    device: bool,
    refresh_token: str | None,
    service_account: str | None,
    yes: bool,
    as_json: bool,
    config: Path | None,
) -> None:
    """Sign in to an account at ISSUER, and keep it. Without ISSUER: the only one where that can be done."""
    ways = {
        SignInFlow.DEVICE: "-" if device else None,
        SignInFlow.PASTED: refresh_token,
        SignInFlow.SERVICE_ACCOUNT: service_account,
    }
    said = [(flow, source) for flow, source in ways.items() if source is not None]
    if len(said) > 1:
        raise click.UsageError("say one of --device, --refresh-token and --service-account")
    flow, source = said[0] if said else (None, None)
    way = Way(browser=not no_browser, port=port, flow=flow, source=source)

    async def add(book: AccountBook) -> tuple[Issuer, Account]:
        chosen = issuer_of(book, issuer, way.flows)
        if not set(way.flows) & set(chosen.flows):
            fail(_other_ways(chosen))
        agree(book, chosen, yes=yes)
        return chosen, await _added(book, chosen, way)

    at, account = with_book(config, add)
    if as_json:
        say_json(told(account))
    else:
        plan = f" ({account.plan})" if account.plan else ""
        say(f"signed in to {at.title} as {account.name}{plan}")
    if (advice := _unused(load_or_fail(config), at.name)) is not None:
        click.echo(advice, err=True)


def _unused(loaded: Loaded, issuer: str) -> str | None:
    """What to do where nobody asks under accounts of this issuer, because a file says which providers there are."""
    if loaded.automatic or any(one.issuer == issuer for one in compile_loaded(loaded, ollama=False).providers.values()):
        return None
    usual = [name for name, host in PROVIDERS.items() if host.issuer == issuer]
    how = f"add below providers: {usual[0]}: {{}}" if usual else f"say in one: issuer: {issuer}"
    return f"no provider of {loaded.source} asks under it yet; {how}"


async def _added(book: AccountBook, issuer: Issuer, way: Way) -> Account:
    if way.flow in (SignInFlow.PASTED, SignInFlow.SERVICE_ACCOUNT) and way.source is not None:
        text = Secret(_read(way.source, way.flow))
        tokens = Tokens(refresh=text) if way.flow is SignInFlow.PASTED else Tokens(service_account=text)
        return await book.adopt(issuer.name, tokens, source="taken in on the command line")
    flow = way.flow or next(flow for flow in issuer.flows if flow in BY_HAND)
    return await signed_in(book, await book.begin(issuer.name, flow, port=way.port), browser=way.browser)


def _read(source: str, what: SignInFlow) -> str:
    """The text of a file, or of standard input; typed unseen where that is a terminal. It never stands in a command."""
    if source == "-" and what is SignInFlow.PASTED and sys.stdin.isatty():
        return str(click.prompt("Refresh token", hide_input=True, err=True)).strip()
    try:
        with click.open_file(source, "rb") as file:
            text: str = file.read(MOST).decode().strip()
    except OSError as error:
        fail(f"{source} cannot be read: {error.strerror}")
    except UnicodeDecodeError:
        fail(f"{source} is no text")
    if not text:
        fail("there is nothing in standard input" if source == "-" else f"there is nothing in {source}")
    return text


def _other_ways(issuer: Issuer) -> str:
    ways = ", ".join(_WAYS[flow] for flow in issuer.flows)
    return f"{issuer.title} takes accounts in another way: {ways}"


_WAYS = {
    SignInFlow.CODE: "isthmus login",
    SignInFlow.DEVICE: "--device",
    SignInFlow.PASTED: "--refresh-token",
    SignInFlow.SERVICE_ACCOUNT: "--service-account",
    SignInFlow.FILE: "isthmus accounts import",
}
