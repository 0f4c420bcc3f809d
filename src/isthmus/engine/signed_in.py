"""Accounts laid over a configuration: those that are ready are the credentials of every provider of their issuer.

Thousands cost next to nothing: what a provider is under one of them is made when it is asked for. Holds no tokens; who
signs finds these by the account's id.
"""

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import chain
from types import MappingProxyType
from typing import NamedTuple

from msgspec.structs import replace

from isthmus.engine.accounts import Account, AccountState
from isthmus.engine.allowances import limits_of
from isthmus.engine.records import Allowance
from isthmus.engine.snapshot import Snapshot
from isthmus.providers.provider import CloudKey, Provider
from isthmus.routing.health import Place
from isthmus.routing.limits import Limit
from isthmus.routing.places import Credential, PoolStrategy

ACCOUNT = "account"
"""The kind of the cloud credential that an account is, and the setting that has its id."""
REMEMBERED = 64
"""Accounts of one provider under which it is kept as it was made; beyond that, the one made first is made again."""
LENGTH = 16
"""Characters of a fingerprint, as of those of keys."""


class Signed(NamedTuple):
    """The ready accounts of one issuer, the active one first, else the oldest.

    `ids` are by name; `bounded` are the names of those under which no more than so many requests may run.
    """

    ids: Mapping[str, str]
    credentials: tuple[Credential, ...]
    bounded: tuple[tuple[str, int], ...]
    first: str


NOBODY = Signed({}, (), (), "")
"""Nobody has signed in."""


class Under(Mapping[str, Provider]):
    """A provider as it is under each of its accounts, by the account's name."""

    def __init__(self, provider: Provider, ids: Mapping[str, str]) -> None:
        self._provider = provider
        self._ids = ids
        self._made: dict[str, Provider] = {}

    def __getitem__(self, name: str) -> Provider:
        found = self._made.get(name)
        if found is None:
            found = replace(self._provider, cloud=CloudKey(ACCOUNT, {ACCOUNT: self._ids[name]}))
            if len(self._made) >= REMEMBERED:
                del self._made[next(iter(self._made))]
            self._made[name] = found
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._ids)

    def __len__(self) -> int:
        return len(self._ids)

    def fingerprint(self, name: str) -> str | None:
        """What the account is known by where it was used. None where there is none of this name."""
        identity, origin = self._ids.get(name), self._provider.origin
        if identity is None:
            return None
        return sha256(f"{origin.scheme}\n{origin.host}\n{origin.port}\n{identity}".encode()).hexdigest()[:LENGTH]


class Fingerprints(Mapping[Place, str]):
    """Those of the configured keys, and of accounts, which are worked out when somebody asks."""

    def __init__(self, configured: Mapping[Place, str], keys: Mapping[str, Mapping[str, Provider]]) -> None:
        self._configured = configured
        self._under = {name: one for name, one in keys.items() if isinstance(one, Under)}

    def __getitem__(self, place: Place) -> str:
        under = self._under.get(place.provider)
        if under is None or place.model:
            return self._configured[place]
        found = under.fingerprint(place.credential)
        if found is None:
            raise KeyError(place)
        return found

    def __iter__(self) -> Iterator[Place]:
        own = (place for place in self._configured if place.provider not in self._under)
        accounts = (Place(provider, name) for provider, under in self._under.items() for name in under)
        return chain(own, accounts)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def as_routed(account: Account) -> tuple[object, ...]:
    """All of an account that plays a part in who is asked."""
    return account.issuer, account.name, account.state, account.active, account.concurrency, account.models


def by_issuer(accounts: Sequence[Account]) -> Mapping[str, Signed]:
    """Those that may be asked under; nobody where all of an issuer's accounts may not.

    What is told is the same for equal accounts, whatever was noted of their use.
    """
    found: dict[str, list[Account]] = {}
    for account in accounts:
        ready = found.setdefault(account.issuer, [])
        if account.state is AccountState.READY:
            ready.append(account)
    return {issuer: _signed(some) if some else NOBODY for issuer, some in found.items()}


def _signed(accounts: Sequence[Account]) -> Signed:
    ordered = sorted(accounts, key=lambda account: not account.active)
    return Signed(
        ids={account.name: account.id for account in ordered},
        credentials=tuple(Credential(account.name, account.models) for account in ordered),
        bounded=tuple((one.name, one.concurrency) for one in ordered if one.concurrency is not None),
        first=ordered[0].name,
    )


def takes_accounts(provider: Provider) -> bool:
    """Is it asked under accounts? One that has a key of its own is not."""
    return bool(provider.issuer) and provider.secret is None


def signed_in(own: Snapshot, signed: Mapping[str, Signed]) -> Snapshot:
    """The configuration `own` with these accounts.

    A provider that takes accounts has no others, and none where nobody has signed in: it is there, and cannot be asked.
    One that is only awaited is not there then.
    """
    awaited = {name: one for name, one in own.awaited.items() if one.issuer in signed and name not in own.providers}
    taking = {name: one for name, one in (*awaited.items(), *own.providers.items()) if takes_accounts(one)}
    if not taking:
        return own
    of = {name: signed.get(one.issuer, NOBODY) for name, one in taking.items()}
    return replace(
        own,
        providers=MappingProxyType({**awaited, **own.providers}),
        keys={**own.keys, **{name: Under(taking[name], one.ids) for name, one in of.items()}},
        credentials={**own.credentials, **{name: one.credentials for name, one in of.items()}},
        allowances={**own.allowances, **_allowances(of)},
    )


def pools_of(own: Snapshot) -> Mapping[str, PoolStrategy]:
    """How the keys, or accounts, of each provider take turns."""
    accounts = {name: own.account_pool for name, one in own.providers.items() if takes_accounts(one)}
    return {**accounts, **own.pools}


def covered_by(own: Snapshot) -> frozenset[str]:
    """The providers that are asked under accounts of subscriptions."""
    paid = {name for name, issuer in own.issuers.items() if issuer.subscription}
    return frozenset(name for name, one in own.providers.items() if one.issuer in paid and takes_accounts(one))


def _allowances(of: Mapping[str, Signed]) -> dict[str, tuple[Limit, ...]]:
    found: dict[str, tuple[Limit, ...]] = {}
    for provider, one in of.items():
        for name, most in one.bounded:
            scope = f"key:{provider}/{name}"
            found[scope] = limits_of(scope, Allowance(concurrency=most))
    return found
