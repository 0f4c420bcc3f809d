"""The snapshot in force. Swapping is one assignment; whoever took one keeps it to the end."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Protocol

from msgspec.structs import replace

from isthmus.catalog.prices import in_force
from isthmus.catalog.spellings import take_apart
from isthmus.core.errors import Kind
from isthmus.core.facts import Mode, ModelFacts, Price
from isthmus.core.value import Value
from isthmus.engine.accounts import Account
from isthmus.engine.clients import NOBODY, Auth, Roll
from isthmus.engine.entry import Entries
from isthmus.engine.fingerprints import fingerprints
from isthmus.engine.narrowing import Narrowed
from isthmus.engine.scales import Prices, Shares
from isthmus.engine.signed_in import Fingerprints, Signed, by_issuer, covered_by, pools_of, signed_in, takes_accounts
from isthmus.engine.snapshot import NOTHING_TOLD, Snapshot, ToldFacts
from isthmus.engine.tariffs import Tariffs
from isthmus.providers.provider import Provider
from isthmus.providers.quota_headers import read_quota
from isthmus.routing.board import Board
from isthmus.routing.health import Place
from isthmus.routing.names import Directory
from isthmus.routing.naming import Naming, is_pattern
from isthmus.routing.offers import Offer
from isthmus.routing.order import NO_SCALES, Scales
from isthmus.routing.places import ONE_KEY, Places
from isthmus.routing.plan import Target
from isthmus.routing.quotas import Quotas

_OF_PLACES = ("provider:", "key:")
_OF_CREDENTIALS = frozenset({Kind.CREDENTIAL_REJECTED, Kind.CREDENTIAL_REVOKED})
_OF_LIMITS = frozenset({Kind.UPSTREAM_LIMITED, Kind.QUOTA_SPENT})
ANY = ("*",)
"""What a provider is taken to serve that has not been heard yet: it judges names itself, after all others."""


class Now(Value, frozen=True):
    """What one exchange runs on: a snapshot, and the directory of names that goes with it.

    `board` outlives it; `places` are those of the snapshot's targets, `narrowed` what is left of plans for clients to
    whom not all is open. `told` is what providers tell of their models, by provider and model; `tariffs` what places
    cost. `scales` weigh places without their limits, `shares` is None where there are none. `bounded`: a provider or
    one of its keys has limits, and not only clients and routes; `entries` are what these claim. `covered` are the
    providers that subscriptions pay for.
    """

    snapshot: Snapshot
    directory: Directory
    version: int
    board: Board
    places: Places
    narrowed: Narrowed
    tariffs: Tariffs
    told: ToldFacts = NOTHING_TOLD
    scales: Scales = NO_SCALES
    bounded: bool = False
    covered: frozenset[str] = frozenset()
    shares: Shares | None = None
    entries: Entries = Entries({})

    def facts(self, target: Target) -> ModelFacts:
        """All that is known of the target's model."""
        return self.snapshot.known(target, self.told)

    def price(self, target: Target, credential: str, at: float) -> Price | None:
        """What the target costs under this key at Unix time `at`; None where nobody knows it."""
        found = self.snapshot.price(target, credential, self.told)
        return None if found is None else in_force(found, at)


class InForce(Protocol):
    """Tells what is in force."""

    def take(self) -> Now: ...


class Live:
    """Holds what is in force. What providers list, and who of them rests, outlives a swap of the configuration."""

    __slots__ = ("_board", "_configured", "_keys", "_listed", "_now", "_own", "_roll", "_signed", "_told")

    def __init__(self, snapshot: Snapshot) -> None:
        self._configured = snapshot
        self._signed: Mapping[str, Signed] = {}
        self._own = signed_in(snapshot, self._signed)
        self._roll = NOBODY
        self._board = Board(Quotas(read_quota))
        self._keys = fingerprints(snapshot)
        self._listed: dict[str, tuple[str, ...]] = {}
        self._told: dict[str, Mapping[str, ModelFacts]] = {}
        self._now = self._make(self._own, 1)

    def take(self) -> Now:
        return self._now

    def keys(self) -> Mapping[Place, str]:
        """The fingerprints of all keys that are configured, and of all accounts."""
        return Fingerprints(self._keys, self._own.keys) if self._signed else self._keys

    def swap(self, snapshot: Snapshot) -> None:
        """Put another configuration in force, for every exchange that begins from here on.

        Who rested under a key that is another one now, or at another host, is well.
        """
        self._wake(self._configured, snapshot)
        self._configured = snapshot
        self._own = own = signed_in(snapshot, self._signed)
        self._listed = {name: models for name, models in self._listed.items() if name in own.providers}
        self._told = {name: facts for name, facts in self._told.items() if name in own.providers}
        self._board.keep(frozenset(own.providers))
        self._now = self._make(own, self._now.version + 1)

    def learn(self, listed: Mapping[str, tuple[str, ...]], told: ToldFacts = NOTHING_TOLD) -> None:
        """Take in the models that providers say they have, and what they tell of them, by provider."""
        self._listed.update(listed)
        self._told.update(told)
        self._now = self._make(self._own, self._now.version)

    def sign_in(self, accounts: Sequence[Account]) -> None:
        """From here on these are the accounts, the oldest first; what only was noted of their use changes nothing.

        An account that is another one than that of its name before is well.
        """
        signed = by_issuer(accounts)
        if signed == self._signed:
            return
        before, self._signed = self.keys(), signed
        self._own = signed_in(self._configured, signed)
        self._wake_accounts(before)
        self._now = self._make(self._own, self._now.version)

    def trust(self, account: Account) -> None:
        """The account has new tokens: what rests because those before were refused is well."""
        self._end_rests(account, _OF_CREDENTIALS)

    def has_room(self, account: Account) -> None:
        """Its vendor tells, asked for it, that none of its limits is used up: what rests for one is well."""
        self._end_rests(account, _OF_LIMITS)

    def _end_rests(self, account: Account, kinds: frozenset[Kind]) -> None:
        at = {name for name, one in self._own.providers.items() if takes_accounts(one) and one.issuer == account.issuer}
        health = self._board.health
        for place in health.failed_by(kinds):
            if place.provider in at and place.credential == account.name:
                health.clear(place)

    def begin_again(self, issuer: str) -> None:
        """Pools that stay with one of the issuer's accounts stay with the active one from here on."""
        for name, one in self._own.providers.items():
            if takes_accounts(one) and one.issuer == issuer:
                self._board.turns.begin_again(name)

    def _wake_accounts(self, before: Mapping[Place, str]) -> None:
        """Only of accounts that rest anything is known."""
        health, after = self._board.health, self.keys()
        for account in health.accounts():
            if account in before and after.get(account, before[account]) != before[account]:
                health.clear(account)

    def enroll(self, roll: Roll) -> None:
        """From here on these clients may ask too, and no others but those of the configuration."""
        self._roll = roll
        self._now = self._admitting(self._now)

    def _admitting(self, now: Now) -> Now:
        """With all who may ask. Where two have one key, or limits for one name, the configuration's hold."""
        own, roll = self._own, self._roll
        if own.auth is Auth.OFF or roll == NOBODY:
            if now.snapshot is own:
                return now
            return replace(now, snapshot=own, shares=_shares(own), entries=Entries(own.allowances))
        snapshot = replace(
            own,
            clients={**roll.clients, **own.clients},
            allowances={**roll.allowances, **own.allowances},
            auth=Auth.REQUIRED if roll.asks else own.auth,
            blind=not roll.whole,
            caching=own.cache_rule if own.cache_rule.used or _any_caches(roll) else None,
        )
        return replace(now, snapshot=snapshot, shares=_shares(snapshot), entries=Entries(snapshot.allowances))

    def _wake(self, old: Snapshot, new: Snapshot) -> None:
        """What was known of another key, or of another host, tells nothing any more."""
        health, before, self._keys = self._board.health, self._keys, fingerprints(new)
        for account in before.keys() & self._keys.keys():
            if before[account] != self._keys[account]:
                health.clear(account)
        for name in old.providers.keys() & new.providers.keys():
            was, now = old.providers[name].origin, new.providers[name].origin
            if (was.host, was.port, was.proxy) != (now.host, now.port, now.proxy):
                health.clear(Place(name))

    def _make(self, snapshot: Snapshot, version: int) -> Now:
        self._board.retries.rule = snapshot.retry_budget
        credentials = {name: tuple(snapshot.credentials.get(name, ONE_KEY)) for name in snapshot.providers}
        told = dict(self._told)
        now = Now(
            snapshot=snapshot,
            directory=Directory(
                snapshot.routes,
                [self._offer(provider, snapshot.naming) for provider in snapshot.providers.values()],
                snapshot.naming,
                take_apart=take_apart,
                talks=partial(_talks, snapshot, told),
            ),
            version=version,
            board=self._board,
            places=Places(credentials, told=snapshot.habits.route_headers, pools=pools_of(snapshot)),
            tariffs=Tariffs(snapshot, told),
            narrowed=Narrowed(),
            told=told,
            scales=Scales(price=Prices(snapshot, told).of, weights=snapshot.weights),
            covered=covered_by(snapshot),
            bounded=any(scope.startswith(_OF_PLACES) for scope in snapshot.allowances),
            shares=_shares(snapshot),
            entries=Entries(snapshot.allowances),
        )
        return self._admitting(now)

    def _offer(self, provider: Provider, naming: Naming) -> Offer:
        """What is known so far of what the provider serves."""
        name, listed = provider.name, self._listed.get(provider.name)
        patterns = tuple(filter(is_pattern, provider.models))
        if provider.listed and not provider.models and listed is None:
            patterns = ANY
        presumed = listed and provider.issuer and provider.models_presumed
        exact = () if presumed else tuple(model for model in provider.models if not is_pattern(model))
        aliases, excluded = naming.aliases_at.get(name, {}), naming.excluded.get(name, ())
        return Offer(name, exact + (listed or ()), patterns, aliases, excluded, _standing_in(provider, listed))


def _standing_in(provider: Provider, listed: tuple[str, ...] | None) -> Mapping[str, str]:
    """Its models that stand in for others; in place of one that it was presumed to have, the first that it lists."""
    if not listed or not provider.stand_ins_presumed:
        return provider.stand_ins
    return {name: model if model in listed else listed[0] for name, model in provider.stand_ins.items()}


def _shares(snapshot: Snapshot) -> Shares | None:
    return Shares(snapshot.allowances) if snapshot.allowances else None


def _talks(snapshot: Snapshot, told: ToldFacts, target: Target) -> bool | None:
    """Is this a model to talk to? None where nobody knows."""
    mode = snapshot.known(target, told).mode
    return None if mode is None else mode in (Mode.CHAT, Mode.RESPONSES)


def _any_caches(roll: Roll) -> bool:
    return any(client.cache for client in roll.clients.values())
