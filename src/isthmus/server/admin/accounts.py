"""Accounts: listed, taken in, changed, refreshed, removed; what their vendors tell of them; all of them in an archive.

The functions that other systems' management APIs share stand first, and take and give values. No token is told.
"""

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TypeVar

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.secret import Secret
from isthmus.engine.accounts import Account
from isthmus.server.admin.account_shapes import (
    AccountChange,
    AccountsTold,
    AccountTold,
    ArchiveTold,
    Export,
    Issued,
    ModelsTold,
    NewAccount,
    Restoration,
    UsageTold,
    changed,
    tokens_of,
    told,
    with_use,
)
from isthmus.server.admin.call import AdminCall, Role, Row
from isthmus.server.admin.desk import Desk, accounts_of
from isthmus.server.admin.key_shapes import Deleted
from isthmus.server.admin.paging import QUERY, piece
from isthmus.server.admin.queries import flag
from isthmus.server.admin.readers import reader
from isthmus.server.pages import Page
from isthmus.wire import json

AT_ONCE = 4
"""Accounts whose issuers are asked at the same moment, where all of them are."""
MOST_ARCHIVE = 32 * 1024 * 1024
"""Bytes of an archive that is restored over HTTP, in base64; a longer one is restored on the gateway's machine."""
_UNKNOWN = "there is no account of this id, name or email; GET /admin/accounts lists them"

_T = TypeVar("_T")
_read_new, _read_change, _read_issued = reader(NewAccount), reader(AccountChange), reader(Issued)
_read_export, _read_restoration = reader(Export), reader(Restoration)


def find_account(accounts: Sequence[Account], named: str) -> Account | None:
    """The account with this id, else this name, else this email; large and small letters are one."""
    wanted = named.casefold()
    for field in ("id", "name", "email"):
        for account in accounts:
            if wanted and getattr(account, field).casefold() == wanted:
                return account
    return None


async def all_accounts(desk: Desk) -> Sequence[Account]:
    """As the store has them now, the oldest first. Raises STORE_GONE, or UNSUPPORTED without a store."""
    book = accounts_of(desk)
    await book.catch_up()
    return book.all()


async def account_of(call: AdminCall, desk: Desk) -> Account:
    """The one that the path names. Raises UNKNOWN_PATH, and as `all_accounts`."""
    found = find_account(await all_accounts(desk), call.params["id"])
    if found is None:
        raise GatewayError(Kind.UNKNOWN_PATH, _UNKNOWN)
    return found


async def for_each(accounts: Iterable[Account], ask: Callable[[Account], Awaitable[_T]]) -> Sequence[_T]:
    """What `ask` says of each, a few at a time; in their order."""
    room = asyncio.Semaphore(AT_ONCE)

    async def one(account: Account) -> _T:
        async with room:
            return await ask(account)

    return await asyncio.gather(*map(one, accounts))


async def list_accounts(call: AdminCall, desk: Desk) -> Page:
    wanted = [(field, said) for field in ("issuer", "state") if (said := call.asked(field))]
    found = [one for one in await all_accounts(desk) if all(getattr(one, field) == said for field, said in wanted)]
    some, more = piece(call, found, lambda one: one.id)
    return Page(200, json.encode(AccountsTold(tuple(map(told, some)), more)))


async def show(call: AdminCall, desk: Desk) -> Page:
    return _page(await account_of(call, desk))


async def adopt(call: AdminCall, desk: Desk) -> Page:
    asked = _read_new(call.body)
    source = asked.source or f"taken in by {call.actor.name}"
    account = await accounts_of(desk).adopt(asked.issuer, tokens_of(asked), source=source)
    return Page(201, json.encode(told(account)))


async def import_files(call: AdminCall, desk: Desk) -> Page:
    found = await accounts_of(desk).import_files(_read_issued(call.body).issuer)
    return Page(200, json.encode(AccountsTold(tuple(map(told, found)), False)))


async def change(call: AdminCall, desk: Desk) -> Page:
    book, account = accounts_of(desk), await account_of(call, desk)
    return _page(await book.change(changed(account, _read_change(call.body))))


async def enable(call: AdminCall, desk: Desk) -> Page:
    return _page(await accounts_of(desk).change(with_use(await account_of(call, desk), disabled=False)))


async def disable(call: AdminCall, desk: Desk) -> Page:
    return _page(await accounts_of(desk).change(with_use(await account_of(call, desk), disabled=True)))


async def activate(call: AdminCall, desk: Desk) -> Page:
    return _page(await accounts_of(desk).activate((await account_of(call, desk)).id))


async def refresh(call: AdminCall, desk: Desk) -> Page:
    return _page(await accounts_of(desk).refresh((await account_of(call, desk)).id))


async def remove(call: AdminCall, desk: Desk) -> Page:
    gone = await accounts_of(desk).remove((await account_of(call, desk)).id)
    return Page(200, json.encode(Deleted(gone.id)))


async def show_quota(call: AdminCall, desk: Desk) -> Page:
    return _page(await accounts_of(desk).quota((await account_of(call, desk)).id, fresh=flag(call, "fresh")))


async def show_usage(call: AdminCall, desk: Desk) -> Page:
    return Page(200, json.encode(UsageTold(await accounts_of(desk).usage((await account_of(call, desk)).id))))


async def show_models(call: AdminCall, desk: Desk) -> Page:
    found = await accounts_of(desk).models((await account_of(call, desk)).id)
    return Page(200, json.encode(ModelsTold(tuple(found))))


async def export(call: AdminCall, desk: Desk) -> Page:
    archive = await accounts_of(desk).export(Secret(_read_export(call.body).passphrase))
    return Page(200, json.encode(ArchiveTold(base64.b64encode(archive).decode())))


async def restore(call: AdminCall, desk: Desk) -> Page:
    asked = _read_restoration(call.body)
    try:
        archive = base64.b64decode(asked.archive, validate=True)
    except (binascii.Error, ValueError) as error:
        raise GatewayError(Kind.INVALID, "archive: this is no base64", param="archive") from error
    found = await accounts_of(desk).restore(archive, Secret(asked.passphrase))
    return Page(200, json.encode(AccountsTold(tuple(map(told, found)), False)))


def _page(account: Account) -> Page:
    return Page(200, json.encode(told(account)))


ROWS = (
    Row(
        method="GET",
        path="/admin/accounts",
        role=Role.VIEWER,
        handler=list_accounts,
        about="The accounts that somebody signed in to, the oldest first, without their tokens.",
        gives=AccountsTold,
        query={
            "issuer": "Only those of this issuer.",
            "state": "Only those that are ready, revoked or disabled.",
            "limit": QUERY["limit"],
            "after": "Only those behind the one of this id, where the list goes on.",
        },
    ),
    Row(
        method="POST",
        path="/admin/accounts",
        role=Role.OWNER,
        handler=adopt,
        about="Take in an account by what somebody has of it: a refresh token, or a service account. It is tried now.",
        takes=NewAccount,
        gives=AccountTold,
        status=201,
        audited=True,
    ),
    Row(
        method="POST",
        path="/admin/accounts/import",
        role=Role.OWNER,
        handler=import_files,
        about="Take in the accounts that other tools left on the gateway's machine. Their files are only read.",
        takes=Issued,
        gives=AccountsTold,
        audited=True,
    ),
    Row(
        method="POST",
        path="/admin/accounts/export",
        role=Role.OWNER,
        handler=export,
        about="All accounts with their tokens, sealed with a passphrase of at least 12 characters.",
        takes=Export,
        gives=ArchiveTold,
        audited=True,
    ),
    Row(
        method="POST",
        path="/admin/accounts/restore",
        role=Role.OWNER,
        handler=restore,
        about="Take in the accounts of an archive. Those that are there already are put in place.",
        takes=Restoration,
        gives=AccountsTold,
        most=MOST_ARCHIVE,
        audited=True,
    ),
    Row(
        method="GET",
        path="/admin/accounts/{id}",
        role=Role.VIEWER,
        handler=show,
        about="One account, by its id, its name or its email.",
        gives=AccountTold,
    ),
    Row(
        method="PATCH",
        path="/admin/accounts/{id}",
        role=Role.OWNER,
        handler=change,
        about="Rename an account, switch it off or on, or say how much and for what it may be used.",
        takes=AccountChange,
        gives=AccountTold,
        audited=True,
    ),
    Row(
        method="DELETE",
        path="/admin/accounts/{id}",
        role=Role.OWNER,
        handler=remove,
        about="Forget an account and its tokens. At its issuer nothing changes.",
        gives=Deleted,
        audited=True,
    ),
    Row(
        method="POST",
        path="/admin/accounts/{id}/activate",
        role=Role.OPERATOR,
        handler=activate,
        about="Have pools that hold on to one account hold on to this one.",
        gives=AccountTold,
        audited=True,
    ),
    Row(
        method="POST",
        path="/admin/accounts/{id}/refresh",
        role=Role.OPERATOR,
        handler=refresh,
        about="Have an account's tokens renewed now, one that was revoked among them.",
        gives=AccountTold,
        audited=True,
    ),
    Row(
        method="POST",
        path="/admin/accounts/{id}/enable",
        role=Role.OPERATOR,
        handler=enable,
        about="Have an account asked under again.",
        gives=AccountTold,
        audited=True,
    ),
    Row(
        method="POST",
        path="/admin/accounts/{id}/disable",
        role=Role.OPERATOR,
        handler=disable,
        about="Have an account asked under no more. Its tokens are kept.",
        gives=AccountTold,
        audited=True,
    ),
    Row(
        method="GET",
        path="/admin/accounts/{id}/quota",
        role=Role.OPERATOR,
        handler=show_quota,
        about="An account with its limits as they were told last.",
        gives=AccountTold,
        query={"fresh": "true: as its vendor tells them now."},
    ),
    Row(
        method="GET",
        path="/admin/accounts/{id}/usage",
        role=Role.OPERATOR,
        handler=show_usage,
        about="What an account's vendor tells of its use.",
        gives=UsageTold,
    ),
    Row(
        method="GET",
        path="/admin/accounts/{id}/models",
        role=Role.OPERATOR,
        handler=show_models,
        about="What an account's vendor tells of the models that it may use.",
        gives=ModelsTold,
    ),
)
