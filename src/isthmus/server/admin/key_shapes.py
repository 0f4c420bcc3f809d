"""Client keys as administrators write and read them, and how that becomes what is kept. Every length has its bound."""

import math
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, TypeAlias

from msgspec import UNSET, Meta, UnsetType, field
from msgspec.structs import replace

from isthmus.catalog.tariff import MICRODOLLARS
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.losses import OnLoss
from isthmus.core.value import Value
from isthmus.engine.records import Allowance, ClientKey, Period, Permits
from isthmus.server.admin.times import as_date, read_date

MOST_DOLLARS = 1_000_000
LONGEST_OVERLAP = 30 * 86_400
"""Seconds."""

Name: TypeAlias = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@+-]{0,99}$(?!\n)")]
Team: TypeAlias = Annotated[str, Meta(pattern=r"^([A-Za-z0-9][A-Za-z0-9._@+-]{0,99})?$(?!\n)")]
Label: TypeAlias = Annotated[str, Meta(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$(?!\n)")]
Tag: TypeAlias = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]*$(?!\n)")]
Tags: TypeAlias = Annotated[tuple[Tag, ...], Meta(max_length=32)]
Named: TypeAlias = Annotated[str, Meta(min_length=1, max_length=256, pattern=r"^[^\x00-\x1f\x7f]*$(?!\n)")]
Names: TypeAlias = Annotated[tuple[Named, ...], Meta(max_length=256)]
Metadata: TypeAlias = Annotated[
    Mapping[Tag, Annotated[str, Meta(max_length=512, pattern=r"^[^\x00]*$")]], Meta(max_length=16)
]
Count: TypeAlias = Annotated[int, Meta(ge=1, le=1_000_000_000_000)]
Moment: TypeAlias = Annotated[str, Meta(max_length=40)]


class KeyOperation(StrEnum):
    """What can be asked of a model."""

    CHAT = "chat"
    EMBED = "embed"
    COUNT = "count"


class KeyPermits(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What it may use; nothing said is everything. `models` are routes, aliases, models or PROVIDER/MODEL, with `*`.

    `keys` are upstream keys, as PROVIDER/KEY.
    """

    models: Names = ()
    providers: Names = ()
    keys: Names = ()
    operations: Annotated[tuple[KeyOperation, ...], Meta(max_length=3)] = ()


class KeyLimits(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much it may ask; null is no bound. `budgets` are US dollars by period: day, week, month, all."""

    requests_per_minute: Count | None = None
    tokens_per_minute: Count | None = None
    requests_per_day: Count | None = None
    tokens_per_day: Count | None = None
    concurrency: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    budgets: Mapping[Period, Decimal] = {}


class NewKey(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A client key to be given out. `expires_at` is a date or a moment, UTC where it does not say.

    `believed`: it is taken also while the store has been out of reach for too long to know better.
    """

    name: Name
    owner: Label = ""
    team: Team = ""
    tags: Tags = ()
    metadata: Metadata = field(default_factory=dict)
    expires_at: Moment | None = None
    disabled: bool = False
    permits: KeyPermits = KeyPermits()
    limits: KeyLimits = KeyLimits()
    on_loss: OnLoss | None = None
    believed: bool = False
    cache: bool | None = None


class KeyChange(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What of a key is to be another; what is not said stays. Its name stays too: what it used is kept by that."""

    owner: Label | UnsetType = UNSET
    team: Team | UnsetType = UNSET
    tags: Tags | UnsetType = UNSET
    metadata: Metadata | UnsetType = UNSET
    expires_at: Moment | UnsetType | None = UNSET
    disabled: bool | UnsetType = UNSET
    permits: KeyPermits | UnsetType = UNSET
    limits: KeyLimits | UnsetType = UNSET
    on_loss: OnLoss | UnsetType | None = UNSET
    believed: bool | UnsetType = UNSET
    cache: bool | UnsetType | None = UNSET


class Rotation(Value, frozen=True, forbid_unknown_fields=True):
    """`overlap_seconds`: how long the key that was taken so far is still taken beside the new one."""

    overlap_seconds: Annotated[int, Meta(ge=0, le=LONGEST_OVERLAP)] = 0


class Key(Value, frozen=True, kw_only=True):
    """A client key, without the key: `hint` is its first and last characters. `state`: active, disabled or expired.

    `source` is "store", or "file" for one that stands in the configuration and is changed there. `earlier_until`:
    until when keys that it was rotated away from are taken.
    """

    id: str
    name: str
    source: str
    state: str
    hint: str
    owner: str
    team: str
    tags: tuple[str, ...]
    metadata: Mapping[str, str]
    created_at: str | None
    expires_at: str | None
    earlier_until: tuple[str, ...]
    disabled: bool
    permits: KeyPermits
    limits: KeyLimits
    on_loss: OnLoss | None
    believed: bool
    cache: bool | None


class Keys(Value, frozen=True):
    """By name. `more`: those behind the last one's name are asked for by `after`."""

    keys: tuple[Key, ...]
    more: bool


class Deleted(Value, frozen=True):
    """The id of the key that is gone."""

    deleted: str


class Given(Value, frozen=True):
    """`key` is what the client sends. It is told now, and never again."""

    key: str
    details: Key


def told(key: ClientKey, *, filed: bool, now: float) -> Key:
    return Key(
        id=key.id,
        name=key.name,
        source="file" if filed else "store",
        state=_state(key, now),
        hint=key.hint,
        owner=key.owner,
        team=key.team,
        tags=key.tags,
        metadata=key.metadata,
        created_at=None if filed else as_date(key.created_at),
        expires_at=None if key.expires_at is None else as_date(key.expires_at),
        earlier_until=tuple(as_date(until) for _, until in key.earlier if until > now),
        disabled=key.disabled,
        permits=_told_permits(key.permits),
        limits=_told_limits(key.allowance),
        on_loss=key.on_loss,
        believed=key.believed,
        cache=key.cache,
    )


def made(asked: NewKey, base: ClientKey, now: float) -> ClientKey:
    """`base`, which has its id, digest and hint, as it was asked for. Raises INVALID."""
    return replace(
        base,
        name=asked.name,
        owner=asked.owner,
        team=asked.team,
        tags=asked.tags,
        metadata=asked.metadata,
        expires_at=_read_moment(asked.expires_at, now),
        disabled=asked.disabled,
        permits=_read_permits(asked.permits),
        allowance=_read_limits(asked.limits),
        on_loss=asked.on_loss,
        believed=asked.believed,
        cache=asked.cache,
    )


def changed(key: ClientKey, asked: KeyChange, now: float) -> ClientKey:
    """The key with what was said. Raises INVALID."""
    plain = ("owner", "team", "tags", "metadata", "disabled", "on_loss", "believed", "cache")
    said = {name: value for name in plain if (value := getattr(asked, name)) is not UNSET}
    if asked.expires_at is not UNSET:
        said["expires_at"] = _read_moment(asked.expires_at, now)
    if asked.permits is not UNSET:
        said["permits"] = _read_permits(asked.permits)
    if asked.limits is not UNSET:
        said["allowance"] = _read_limits(asked.limits)
    return replace(key, **said)


def _state(key: ClientKey, now: float) -> str:
    if key.disabled:
        return "disabled"
    return "expired" if key.expires_at is not None and key.expires_at <= now else "active"


def _told_permits(permits: Permits) -> KeyPermits:
    return KeyPermits(
        models=permits.models,
        providers=permits.providers,
        keys=permits.keys,
        operations=tuple(map(KeyOperation, permits.operations)),
    )


def _read_permits(asked: KeyPermits) -> Permits:
    operations = tuple(one.value for one in asked.operations)
    return Permits(models=asked.models, providers=asked.providers, keys=asked.keys, operations=operations)


def _told_limits(allowance: Allowance) -> KeyLimits:
    return KeyLimits(
        requests_per_minute=allowance.requests_per_minute,
        tokens_per_minute=allowance.tokens_per_minute,
        requests_per_day=allowance.requests_per_day,
        tokens_per_day=allowance.tokens_per_day,
        concurrency=allowance.concurrency,
        budgets={period: Decimal(sum_) / MICRODOLLARS for period, sum_ in allowance.budgets.items()},
    )


def _read_limits(asked: KeyLimits) -> Allowance:
    return Allowance(
        requests_per_minute=asked.requests_per_minute,
        tokens_per_minute=asked.tokens_per_minute,
        requests_per_day=asked.requests_per_day,
        tokens_per_day=asked.tokens_per_day,
        concurrency=asked.concurrency,
        budgets={period: _microdollars(dollars, period) for period, dollars in asked.budgets.items()},
    )


def _microdollars(dollars: Decimal, period: Period) -> int:
    if not (dollars.is_finite() and 0 < dollars <= MOST_DOLLARS):
        words = f"a budget is an amount of US dollars above 0, up to {MOST_DOLLARS}"
        raise GatewayError(Kind.INVALID, words, param=f"limits.budgets.{period}")
    return math.ceil(dollars * MICRODOLLARS)


def _read_moment(said: str | None, now: float) -> float | None:
    if said is None:
        return None
    time = read_date(said, "expires_at")
    if time <= now:
        raise GatewayError(Kind.INVALID, "expires_at is over already; to end a key, disable it", param="expires_at")
    return time
