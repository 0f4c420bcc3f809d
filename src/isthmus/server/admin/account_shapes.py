"""Accounts, sign-ins and issuers as administrators write and read them. No shape that is told has room for a token."""

from collections.abc import Mapping
from typing import Annotated, Any, TypeAlias

from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import replace

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.secret import Secret
from isthmus.core.value import Value
from isthmus.engine.accounts import Account, AccountState, SignIn, Tokens, UsedWindow
from isthmus.providers.issuer import Issuer, SignInFlow
from isthmus.server.admin.key_shapes import Label, Names
from isthmus.server.admin.times import as_date
from isthmus.wire import json

LONGEST_TOKEN = 16 * 1024
LONGEST_SAID = 8 * 1024
"""Characters of a code, or of the URL that a browser was sent back to."""

Named: TypeAlias = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f/]+$(?!\n)")]
Token: TypeAlias = Annotated[str, Meta(min_length=1, max_length=LONGEST_TOKEN)]
Port: TypeAlias = Annotated[int, Meta(ge=1, le=65_535)]
Concurrency: TypeAlias = Annotated[int, Meta(ge=1, le=100_000)]
Passphrase: TypeAlias = Annotated[str, Meta(min_length=12, max_length=1024)]


class NewAccount(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody has already: a refresh token, or the JSON of a service account. One of the two."""

    issuer: Named
    refresh_token: Token | None = None
    service_account: Mapping[str, Any] | None = None
    source: Label = ""


class Issued(Value, frozen=True, forbid_unknown_fields=True):
    """Whose accounts are meant."""

    issuer: Named


class AccountChange(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What of an account is to be another; what is not said stays. A `concurrency` of null is no bound."""

    name: Named | UnsetType = UNSET
    disabled: bool | UnsetType = UNSET
    concurrency: Concurrency | UnsetType | None = UNSET
    models: Names | UnsetType = UNSET


class Export(Value, frozen=True, forbid_unknown_fields=True):
    """What the archive is sealed with."""

    passphrase: Passphrase


class Restoration(Value, frozen=True, forbid_unknown_fields=True):
    """An archive, in base64, and what it was sealed with."""

    archive: str
    passphrase: Annotated[str, Meta(min_length=1, max_length=1024)]


class NewSignIn(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`flow` is one of the issuer's, the first one without it. `port`: the browser comes back there, nowhere else."""

    issuer: Named
    flow: SignInFlow | None = None
    port: Port | None = None


class Finish(Value, frozen=True, forbid_unknown_fields=True):
    """The code, or the whole URL that the browser was sent back to."""

    code: Annotated[str, Meta(min_length=1, max_length=LONGEST_SAID)]


class WindowTold(Value, frozen=True, kw_only=True):
    """How much of one limit was used, from 0 to 1, and when it begins anew."""

    measure: str
    used: float
    resets_at: str | None
    seconds: float | None


class AccountTold(Value, frozen=True, kw_only=True):
    """An account, without its tokens. `state`: ready, revoked or disabled; `why`, for people, where it is not ready.

    `active`: pools that hold on to one account hold on to this one. `expires_at` is when its access token does, and it
    is renewed before. `windows` are its limits as they were told at `windows_at`. `models` are those it may be used
    for, empty for all.
    """

    id: str
    issuer: str
    name: str
    email: str
    subject: str
    plan: str
    state: AccountState
    why: str
    active: bool
    concurrency: int | None
    models: tuple[str, ...]
    added_at: str
    expires_at: str | None
    refreshed_at: str | None
    used_at: str | None
    windows: tuple[WindowTold, ...]
    windows_at: str | None
    source: str


class AccountsTold(Value, frozen=True):
    """The oldest first. `more`: those behind the last one are asked for by its id (`after`)."""

    accounts: tuple[AccountTold, ...]
    more: bool


class SignInTold(Value, frozen=True, kw_only=True):
    """How far a sign-in is. Its `id` is the `state` of its URL, by which it is ended: nobody else should know it.

    `url` is where somebody signs in, `user_code` what they type there; `port` is the one that their browser comes back
    to. `account` is the account's id once it is completed. `terms` is what to know before.
    """

    id: str
    issuer: str
    flow: SignInFlow
    url: str
    user_code: str
    port: int | None
    expires_at: str
    interval: float
    progress: str
    account: str
    why: str
    terms: str


class IssuerTold(Value, frozen=True, kw_only=True):
    """Where accounts are signed in to: how, and what to know before. `accounts` is how many there are."""

    name: str
    title: str
    flows: tuple[SignInFlow, ...]
    callback_ports: tuple[int, ...]
    terms: str
    accounts: int


class IssuersTold(Value, frozen=True):
    issuers: tuple[IssuerTold, ...]


class UsageTold(Value, frozen=True):
    """In the words of the account's vendor."""

    usage: Mapping[str, Any]


class ModelsTold(Value, frozen=True):
    """In the words of the account's vendor."""

    models: tuple[Mapping[str, Any], ...]


class ArchiveTold(Value, frozen=True):
    """All accounts with their tokens, sealed with the passphrase; in base64."""

    archive: str


class Cancelled(Value, frozen=True):
    """How many sign-ins were waiting for a browser."""

    cancelled: int


def told(account: Account) -> AccountTold:
    return AccountTold(
        id=account.id,
        issuer=account.issuer,
        name=account.name,
        email=account.email,
        subject=account.subject,
        plan=account.plan,
        state=account.state,
        why=account.why,
        active=account.active,
        concurrency=account.concurrency,
        models=account.models,
        added_at=as_date(account.added_at),
        expires_at=date_of(account.expires_at),
        refreshed_at=date_of(account.refreshed_at),
        used_at=date_of(account.used_at),
        windows=tuple(map(_window, account.windows)),
        windows_at=date_of(account.windows_at),
        source=account.source,
    )


def told_sign_in(sign_in: SignIn, issuers: Mapping[str, Issuer]) -> SignInTold:
    issuer = issuers.get(sign_in.issuer)
    return SignInTold(
        id=sign_in.id,
        issuer=sign_in.issuer,
        flow=sign_in.flow,
        url=sign_in.url,
        user_code=sign_in.user_code,
        port=sign_in.port,
        expires_at=as_date(sign_in.expires_at),
        interval=sign_in.interval,
        progress=sign_in.progress,
        account=sign_in.account,
        why=sign_in.why,
        terms="" if issuer is None else issuer.terms,
    )


def date_of(time: float | None) -> str | None:
    return None if time is None else as_date(time)


def tokens_of(asked: NewAccount) -> Tokens:
    """Raises INVALID for both or neither."""
    if (asked.refresh_token is None) is (asked.service_account is None):
        raise GatewayError(Kind.INVALID, "send refresh_token, or service_account: one of the two")
    if asked.refresh_token is not None:
        return Tokens(refresh=Secret(asked.refresh_token))
    return Tokens(service_account=Secret(json.encode(asked.service_account).decode()))


def changed(account: Account, asked: AccountChange) -> Account:
    """The account with what was said. One that was revoked stays so until somebody signs in again."""
    plain = ("name", "concurrency", "models")
    said = {name: value for name in plain if (value := getattr(asked, name)) is not UNSET}
    after = replace(account, **said)
    return after if asked.disabled is UNSET else with_use(after, disabled=bool(asked.disabled))


def with_use(account: Account, *, disabled: bool) -> Account:
    """The account, to be asked under or not."""
    if disabled:
        return replace(account, state=AccountState.DISABLED, why="")
    return replace(account, state=AccountState.READY) if account.state is AccountState.DISABLED else account


def _window(window: UsedWindow) -> WindowTold:
    return WindowTold(
        measure=window.measure, used=window.used, resets_at=date_of(window.resets_at), seconds=window.seconds
    )
