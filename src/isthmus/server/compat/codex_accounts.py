"""codex-claude-proxy's accounts: listed, added, switched, refreshed and removed.

What it answers with 200 and `success: false` is answered so. No verifier is told: a code is pasted with its `state`.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated
from urllib.parse import parse_qs, urlsplit

from msgspec import Meta

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.value import Value
from isthmus.engine.accounts import Account, AccountBook
from isthmus.providers.issuer import SignInFlow
from isthmus.server.admin.account_shapes import LONGEST_SAID, Port
from isthmus.server.admin.accounts import all_accounts, find_account, for_each
from isthmus.server.admin.call import AdminCall, Role, Row
from isthmus.server.admin.desk import Desk, accounts_of
from isthmus.server.admin.readers import reader
from isthmus.server.compat.codex_shapes import (
    ISSUER,
    AccountList,
    Called,
    Status,
    account_list,
    status,
)
from isthmus.server.pages import Page
from isthmus.wire import json

MOST_IN_HEALTH = 100
"""Accounts that /health tells of."""
NONE_ACTIVE = "No active account"
_NO_STATE = "state is required: send the state of POST /accounts/add, or the whole URL that the browser came back to"


class Add(Value, frozen=True):
    """`port`: the browser comes back there and nowhere else."""

    port: Port | None = None


class Begun(Value, frozen=True, kw_only=True):
    """`terms` is ours: what to know of the vendor's terms before."""

    status: str
    oauth_url: str
    state: str
    callback_port: int | None
    terms: str


class Pasted(Value, frozen=True):
    """`code` may be the whole URL that the browser came back to. A `verifier` is not needed, and not looked at."""

    code: Annotated[str, Meta(max_length=LONGEST_SAID)] = ""
    state: Annotated[str, Meta(max_length=LONGEST_SAID)] = ""


class Chosen(Value, frozen=True):
    email: str = ""


class Outcome(Value, frozen=True, omit_defaults=True):
    success: bool
    message: str
    error: str = ""


class Refreshed(Value, frozen=True):
    email: str
    success: bool
    message: str


_read_add, _read_pasted, _read_chosen = reader(Add), reader(Pasted), reader(Chosen)


async def accounts_here(desk: Desk) -> Sequence[Account]:
    """Those of its issuer, as the store has them now. Raises as `all_accounts`."""
    return _of_issuer(await all_accounts(desk))


def _of_issuer(accounts: Sequence[Account]) -> Sequence[Account]:
    return tuple(account for account in accounts if account.issuer == ISSUER)


def accounts_health(book: AccountBook | None, now: float) -> Mapping[str, object]:
    """What /health tells of them: how many, which one is active, and how the first ones are."""
    told = status(() if book is None else _of_issuer(book.all()), now, most=MOST_IN_HEALTH)
    return {"total": told.total, "active": told.active, "accounts": told.accounts}


async def list_all(call: AdminCall, desk: Desk) -> Page:
    return Page(200, json.encode(account_list(await accounts_here(desk), call.time)))


async def show_status(call: AdminCall, desk: Desk) -> Page:
    return Page(200, json.encode(status(await accounts_here(desk), call.time)))


async def add(call: AdminCall, desk: Desk) -> Page:
    book = accounts_of(desk)
    asked = _read_add(call.body) if call.body else Add()
    begun = await book.begin(ISSUER, SignInFlow.CODE, port=asked.port)
    terms = book.issuers()[ISSUER].terms
    told = Begun(status="oauth_url", oauth_url=begun.url, state=begun.id, callback_port=begun.port, terms=terms)
    return Page(200, json.encode(told))


async def add_pasted(call: AdminCall, desk: Desk) -> Page:
    asked = _read_pasted(call.body)
    if not asked.code:
        raise GatewayError(Kind.INVALID, "Code is required", param="code")
    account = await finish(accounts_of(desk), asked.state or _state_of(asked.code), asked.code)
    return _done(f"Account {account.email or account.name} added successfully")


async def finish(book: AccountBook, state: str, said: str) -> Account:
    """End the sign-in with this state. Raises INVALID for one that nobody began, and as the book does."""
    if not state:
        raise GatewayError(Kind.INVALID, _NO_STATE, param="state")
    try:
        return await book.finish(state, said)
    except GatewayError as error:
        if error.kind is not Kind.UNKNOWN_PATH:
            raise
        raise GatewayError(Kind.INVALID, error.message, param="state") from error


async def switch(call: AdminCall, desk: Desk) -> Page:
    email = _read_chosen(call.body or b"{}").email
    if not email:
        raise GatewayError(Kind.INVALID, "Email is required", param="email")
    return await _with(desk, email, lambda book, one: book.activate(one.id), "Switched to account: {}")


async def remove(call: AdminCall, desk: Desk) -> Page:
    return await _with(desk, call.params["email"], lambda book, one: book.remove(one.id), "Account removed: {}")


async def refresh(call: AdminCall, desk: Desk) -> Page:
    account = find_account(await accounts_here(desk), call.params["email"])
    if account is None:
        return _failed(f"Account not found: {call.params['email']}")
    return await _refresh_one(desk, account)


async def refresh_active(call: AdminCall, desk: Desk) -> Page:  # noqa: ARG001  a handler
    account = next((one for one in await accounts_here(desk) if one.active), None)
    return _failed(NONE_ACTIVE) if account is None else await _refresh_one(desk, account)


async def refresh_all(call: AdminCall, desk: Desk) -> Page:  # noqa: ARG001  a handler
    book = accounts_of(desk)
    accounts = await accounts_here(desk)
    called = Called(accounts)

    async def one(account: Account) -> Refreshed:
        name = called.name(account)
        error = await _refreshing(book, account)
        return Refreshed(name, error is None, _refresh_words(name, error))

    return Page(200, json.encode(await for_each(accounts, one)))


async def import_files(call: AdminCall, desk: Desk) -> Page:  # noqa: ARG001  a handler
    try:
        found = await accounts_of(desk).import_files(ISSUER)
    except GatewayError as error:
        if error.kind is not Kind.INVALID:
            raise
        return _failed(f"Import failed: {error.message}")
    if not found:
        return _failed("No Codex auth.json found")
    named = ", ".join(f"{one.email or one.name} ({one.plan or 'unknown'})" for one in found)
    return _done(f"Imported account: {named}")


async def clean_up(call: AdminCall, desk: Desk) -> Page:  # noqa: ARG001  a handler
    await accounts_of(desk).stop_listening()
    return _done("OAuth servers cleaned up")


async def _with(desk: Desk, email: str, act: Callable[[AccountBook, Account], Awaitable[Account]], words: str) -> Page:
    book = accounts_of(desk)
    accounts = await accounts_here(desk)
    account = find_account(accounts, email)
    if account is None:
        return _failed(f"Account not found: {email}")
    await act(book, account)
    return _done(words.format(Called(accounts).name(account)))


async def _refresh_one(desk: Desk, account: Account) -> Page:
    book = accounts_of(desk)
    error = await _refreshing(book, account)
    words = _refresh_words(Called(await accounts_here(desk)).name(account), error)
    return _done(words) if error is None else _failed(words)


async def _refreshing(book: AccountBook, account: Account) -> GatewayError | None:
    """What went wrong."""
    try:
        await book.refresh(account.id)
    except GatewayError as error:
        return error
    return None


def _refresh_words(name: str, error: GatewayError | None) -> str:
    return f"Token refreshed for: {name}" if error is None else f"Token refresh failed: {error.message}"


def _state_of(said: str) -> str:
    """The state of a URL that somebody was sent back to; "" for a bare code."""
    query = urlsplit(said).query if "?" in said else ""
    return parse_qs(query).get("state", [""])[0]


def _done(message: str) -> Page:
    return Page(200, json.encode(Outcome(True, message)))


def _failed(message: str) -> Page:
    return Page(200, json.encode(Outcome(False, message, message)))


ROWS = (
    Row(
        method="GET",
        path="/accounts",
        role=Role.VIEWER,
        handler=list_all,
        about="All accounts.",
        gives=AccountList,
    ),
    Row(
        method="GET",
        path="/accounts/status",
        role=Role.VIEWER,
        handler=show_status,
        about="How all accounts are.",
        gives=Status,
    ),
    Row(
        method="POST",
        path="/accounts/add",
        role=Role.OWNER,
        handler=add,
        about="Begin a sign-in, in a browser on this machine.",
        takes=Add,
        may_be_empty=True,
        gives=Begun,
        audited=True,
    ),
    Row(
        method="POST",
        path="/accounts/add/manual",
        role=Role.OWNER,
        handler=add_pasted,
        about="End a sign-in with what the browser came back with.",
        takes=Pasted,
        gives=Outcome,
        audited=True,
    ),
    Row(
        method="POST",
        path="/accounts/switch",
        role=Role.OWNER,
        handler=switch,
        about="Make another account the active one.",
        takes=Chosen,
        may_be_empty=True,
        gives=Outcome,
        audited=True,
    ),
    Row(
        method="POST",
        path="/accounts/import",
        role=Role.OWNER,
        handler=import_files,
        about="Take in the accounts that other tools left on this machine. Their files are only read.",
        gives=Outcome,
        audited=True,
    ),
    Row(
        method="POST",
        path="/accounts/refresh",
        role=Role.OWNER,
        handler=refresh_active,
        about="Renew the active account's tokens.",
        gives=Outcome,
        audited=True,
    ),
    Row(
        method="POST",
        path="/accounts/refresh/all",
        role=Role.OWNER,
        handler=refresh_all,
        about="Renew all accounts' tokens.",
        gives=tuple[Refreshed, ...],
        audited=True,
    ),
    Row(
        method="POST",
        path="/accounts/oauth/cleanup",
        role=Role.OWNER,
        handler=clean_up,
        about="Give up every sign-in that waits for a browser.",
        gives=Outcome,
        audited=True,
    ),
    Row(
        method="POST",
        path="/accounts/{email}/refresh",
        role=Role.OWNER,
        handler=refresh,
        about="Renew an account's tokens.",
        gives=Outcome,
        audited=True,
    ),
    Row(
        method="DELETE",
        path="/accounts/{email}",
        role=Role.OWNER,
        handler=remove,
        about="Forget an account and its tokens.",
        gives=Outcome,
        audited=True,
    ),
)
