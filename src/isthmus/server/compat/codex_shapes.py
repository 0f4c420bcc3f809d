"""Accounts as codex-claude-proxy writes them. Its clients know one limit of an account: the one used most."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from isthmus.core.value import Value
from isthmus.engine.accounts import Account, AccountState
from isthmus.server.admin.account_shapes import date_of
from isthmus.server.admin.times import as_date

ISSUER = "codex"
"""Its accounts are of this one alone."""
FULL = 100.0


class UsageSaid(Value, frozen=True, kw_only=True, rename="camel"):
    """Percents of a limit. `raw` is what the vendor told, in its own words, where it was asked just now."""

    total_token_usage: float | None
    limit: float
    remaining: float | None
    percentage: float | None
    reset_at: str | None
    reset_after_seconds: int | None
    limit_window_seconds: int | None
    plan_type: str
    limit_reached: bool
    allowed: bool
    raw: Mapping[str, Any] | None = None


class QuotaSaid(Value, frozen=True, rename="camel"):
    usage: UsageSaid
    last_checked: str | None


class StatusEntry(Value, frozen=True, kw_only=True, rename="camel"):
    """`state` and `why` are ours: an account may be one that nobody can ask under."""

    email: str
    plan_type: str
    is_active: bool
    quota: QuotaSaid | None
    token_expired: bool
    last_used: str | None
    state: AccountState
    why: str


class AccountEntry(StatusEntry, frozen=True, kw_only=True, rename="camel"):
    account_id: str
    added_at: str


class AccountList(Value, frozen=True, rename="camel"):
    accounts: tuple[AccountEntry, ...]
    active_account: str | None
    total: int


class Status(Value, frozen=True):
    total: int
    active: str | None
    accounts: tuple[StatusEntry, ...]


class ModelSaid(Value, frozen=True, kw_only=True, rename="camel"):
    id: str
    name: str
    description: str | None
    default_reasoning_level: str | None
    supported_reasoning_levels: tuple[Any, ...]
    context_window: int | None


class Called:
    """What accounts are called: by their emails, and where two have the same one by their names."""

    def __init__(self, accounts: Sequence[Account]) -> None:
        self._emails = Counter(account.email for account in accounts)

    def name(self, account: Account) -> str:
        return account.email if account.email and self._emails[account.email] == 1 else account.name


def account_list(accounts: Sequence[Account], now: float) -> AccountList:
    called = Called(accounts)
    entries = tuple(_entry(account, called, now) for account in accounts)
    return AccountList(entries, _active(accounts, called), len(entries))


def status(accounts: Sequence[Account], now: float, *, most: int | None = None) -> Status:
    """Of all; of the first `most`, where a bound is said, each by itself."""
    called = Called(accounts)
    entries = tuple(_status_entry(account, called, now) for account in accounts[:most])
    return Status(len(accounts), _active(accounts, called), entries)


def quota_of(account: Account, now: float) -> QuotaSaid | None:
    """None where nobody told."""
    if account.windows_at is None and not account.windows:
        return None
    return QuotaSaid(usage_of(account, now), date_of(account.windows_at))


def usage_of(account: Account, now: float, raw: Mapping[str, Any] | None = None) -> UsageSaid:
    window = max(account.windows, key=lambda one: one.used, default=None)
    used = None if window is None else round(window.used * FULL, 1)
    reset = None if window is None else window.resets_at
    spent = used is not None and used >= FULL
    return UsageSaid(
        total_token_usage=used,
        limit=FULL,
        remaining=None if used is None else max(0.0, round(FULL - used, 1)),
        percentage=used,
        reset_at=date_of(reset),
        reset_after_seconds=None if reset is None else max(0, round(reset - now)),
        limit_window_seconds=None if window is None or window.seconds is None else round(window.seconds),
        plan_type=account.plan or "unknown",
        limit_reached=spent,
        allowed=not spent,
        raw=raw,
    )


def model_of(told: Mapping[str, Any]) -> ModelSaid:
    """A model in the vendor's words: what is missing or of another type there is not said."""
    name = _text(told, "slug") or _text(told, "id") or ""
    levels = told.get("supported_reasoning_levels")
    window = told.get("context_window")
    return ModelSaid(
        id=name,
        name=_text(told, "display_name") or name,
        description=_text(told, "description"),
        default_reasoning_level=_text(told, "default_reasoning_level"),
        supported_reasoning_levels=tuple(levels) if isinstance(levels, list) else (),
        context_window=window if isinstance(window, int) else None,
    )


def _entry(account: Account, called: Called, now: float) -> AccountEntry:
    return AccountEntry(account_id=account.subject, added_at=as_date(account.added_at), **_told(account, called, now))


def _status_entry(account: Account, called: Called, now: float) -> StatusEntry:
    return StatusEntry(**_told(account, called, now))


def _told(account: Account, called: Called, now: float) -> Mapping[str, Any]:
    expired = account.expires_at is not None and account.expires_at <= now
    return {
        "email": called.name(account),
        "plan_type": account.plan or "unknown",
        "is_active": account.active,
        "quota": quota_of(account, now),
        "token_expired": expired or account.state is AccountState.REVOKED,
        "last_used": date_of(account.used_at),
        "state": account.state,
        "why": account.why,
    }


def _active(accounts: Sequence[Account], called: Called) -> str | None:
    return next((called.name(account) for account in accounts if account.active), None)


def _text(told: Mapping[str, Any], name: str) -> str | None:
    found = told.get(name)
    return found if isinstance(found, str) else None
