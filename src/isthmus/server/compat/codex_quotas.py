"""What codex-claude-proxy tells of its accounts' quotas and models, most of it as their vendor tells it when asked."""

from collections.abc import Awaitable, Mapping, Sequence
from typing import Any

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.value import Value
from isthmus.engine.accounts import Account
from isthmus.server.admin.accounts import find_account, for_each
from isthmus.server.admin.call import AdminCall, Role, Row
from isthmus.server.admin.desk import Desk, accounts_of
from isthmus.server.admin.queries import flag
from isthmus.server.compat.codex_accounts import NONE_ACTIVE, accounts_here
from isthmus.server.compat.codex_shapes import Called, ModelSaid, QuotaSaid, UsageSaid, model_of, quota_of, usage_of
from isthmus.server.pages import Page
from isthmus.wire import json

STALE = 300.0
"""Seconds after which what was told of a quota is asked for again."""


class Quota(Value, frozen=True, kw_only=True, omit_defaults=True):
    """`cached`: as it was told last; `warning` says why, where it should have been asked for."""

    success: bool
    email: str
    quota: QuotaSaid | None
    cached: bool
    warning: str = ""


class OneQuota(Value, frozen=True, omit_defaults=True):
    email: str
    quota: QuotaSaid | None
    warning: str = ""


class Quotas(Value, frozen=True):
    accounts: tuple[OneQuota, ...]


class Usage(Value, frozen=True):
    success: bool
    email: str
    usage: UsageSaid


class Models(Value, frozen=True):
    success: bool
    email: str
    models: tuple[ModelSaid, ...]


async def show_quota(call: AdminCall, desk: Desk) -> Page:
    book = accounts_of(desk)
    account, name = await _asked(call, desk)
    told_at = account.windows_at
    if not flag(call, "refresh") and told_at is not None and call.time - told_at <= STALE:
        return _quota(name, account, call, cached=True)
    try:
        return _quota(name, await book.quota(account.id, fresh=True), call, cached=False)
    except GatewayError as error:
        if told_at is None:
            raise _as_its_clients_know(error) from error
        return _quota(name, account, call, cached=True, warning="Using cached data due to fetch error")


async def show_quotas(call: AdminCall, desk: Desk) -> Page:
    """All of them as their vendor tells them now."""
    book = accounts_of(desk)
    accounts = await accounts_here(desk)
    called = Called(accounts)

    async def one(account: Account) -> OneQuota:
        name = called.name(account)
        try:
            return OneQuota(name, quota_of(await book.quota(account.id, fresh=True), call.time))
        except GatewayError as error:
            return OneQuota(name, quota_of(account, call.time), error.message)

    return Page(200, json.encode(Quotas(tuple(await for_each(accounts, one)))))


async def show_usage(call: AdminCall, desk: Desk) -> Page:
    book = accounts_of(desk)
    account, name = await _asked(call, desk)
    account = await _of_vendor(book.quota(account.id, fresh=True))
    raw: Mapping[str, Any] = await _of_vendor(book.usage(account.id))
    return Page(200, json.encode(Usage(True, name, usage_of(account, call.time, raw))))


async def show_models(call: AdminCall, desk: Desk) -> Page:
    book = accounts_of(desk)
    account, name = await _asked(call, desk)
    models: Sequence[Mapping[str, Any]] = await _of_vendor(book.models(account.id))
    return Page(200, json.encode(Models(True, name, tuple(map(model_of, models)))))


async def _asked(call: AdminCall, desk: Desk) -> tuple[Account, str]:
    """The account that the query names, else the active one; and what it is called. Raises UNKNOWN_PATH."""
    accounts, email = await accounts_here(desk), call.asked("email")
    found = find_account(accounts, email) if email else next((one for one in accounts if one.active), None)
    if found is None:
        raise GatewayError(Kind.UNKNOWN_PATH, f"Account not found: {email}" if email else NONE_ACTIVE)
    return found, Called(accounts).name(found)


async def _of_vendor(asked: Awaitable[Any]) -> Any:
    try:
        return await asked
    except GatewayError as error:
        raise _as_its_clients_know(error) from error


def _as_its_clients_know(error: GatewayError) -> GatewayError:
    """Its clients know 500 for whatever a vendor did not tell."""
    if error.status < 500:
        return error
    return GatewayError(Kind.UPSTREAM_FAULT, error.message, status=500)


def _quota(name: str, account: Account, call: AdminCall, *, cached: bool, warning: str = "") -> Page:
    quota = quota_of(account, call.time)
    told = Quota(success=True, email=name, quota=quota, cached=cached, warning=warning)
    return Page(200, json.encode(told))


_WHOSE = {"email": "Whose; without it, the active account's."}
ROWS = (
    Row(
        method="GET",
        path="/accounts/models",
        role=Role.OPERATOR,
        handler=show_models,
        about="The models that an account may use.",
        gives=Models,
        query=_WHOSE,
    ),
    Row(
        method="GET",
        path="/accounts/quota",
        role=Role.OPERATOR,
        handler=show_quota,
        about="How much of an account's limit was used.",
        gives=Quota,
        query={**_WHOSE, "refresh": "true: as its vendor tells it now. Else it is asked after five minutes."},
    ),
    Row(
        method="GET",
        path="/accounts/quota/all",
        role=Role.OPERATOR,
        handler=show_quotas,
        about="How much of each account's limit was used, as their vendor tells it now.",
        gives=Quotas,
    ),
    Row(
        method="GET",
        path="/accounts/usage",
        role=Role.OPERATOR,
        handler=show_usage,
        about="What an account's vendor tells of its use.",
        gives=Usage,
        query=_WHOSE,
    ),
)
