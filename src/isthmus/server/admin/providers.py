"""Where requests go: each provider, the names of its keys, how they are at present, and what they were asked so far."""

from collections.abc import Iterable, Mapping, Sequence, Set

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.value import Value
from isthmus.engine.explanation import Left, Measured
from isthmus.engine.key_count import KeyCount
from isthmus.engine.live import Now
from isthmus.providers.provider import Provider
from isthmus.routing.health import Place
from isthmus.routing.meters import Meter
from isthmus.routing.places import ONE_KEY, Credential
from isthmus.server.admin.call import AdminCall, Role, Row
from isthmus.server.admin.desk import Desk
from isthmus.server.admin.limits import Bound, bounds_of
from isthmus.server.admin.paging import QUERY, piece
from isthmus.server.admin.rests import Rest, rests
from isthmus.server.pages import Page
from isthmus.wire import json

MOST_MODELS = 1000
"""Models of one key that are told of."""


class Asked(Value, frozen=True, kw_only=True):
    """A model that was asked under a key: what was measured of it, and what the provider told of its own limits."""

    model: str
    measured: Measured | None
    told_by_provider: tuple[Left, ...]


class Key(Value, frozen=True, kw_only=True):
    """`name` is what the key is called, never the key. `models` are those it may be used for, empty for all of them.

    `running` are requests under way, `since_start` what this process asked under it, `rests` those of the key and of
    its models. `asked` is told of a single provider.
    """

    name: str
    models: tuple[str, ...]
    resting: bool
    running: int
    since_start: KeyCount
    limits: tuple[Bound, ...]
    rests: tuple[Rest, ...]
    asked: tuple[Asked, ...] | None = None


class ProviderTold(Value, frozen=True, kw_only=True):
    """`dialects` are by operation, `models` the names or wildcards that it is known to serve.

    `rests` are those of the whole provider; those of its keys stand with them.
    """

    name: str
    host: str
    dialects: Mapping[str, tuple[str, ...]]
    models: tuple[str, ...]
    limits: tuple[Bound, ...]
    rests: tuple[Rest, ...]
    keys: tuple[Key, ...]


class Providers(Value, frozen=True):
    providers: tuple[ProviderTold, ...]
    more: bool


class _Look:
    """What is known at one moment, gathered once for all providers that are told of."""

    def __init__(self, call: AdminCall, desk: Desk) -> None:
        self.now: Now = desk.live.take()
        self._at = call.at
        self._limiter = desk.ports.limiter
        self._rests = _by_account(rests(call, self.now))
        self._counts = {} if desk.key_counts is None else desk.key_counts()
        self._places = self._asked()

    def provider(self, provider: Provider, *, whole: bool = False) -> ProviderTold:
        """`whole`: with the models that were asked under each key."""
        name, keys = provider.name, self.now.snapshot.credentials.get(provider.name, ONE_KEY)
        return ProviderTold(
            name=name,
            host=provider.origin.host,
            dialects={str(operation): dialects for operation, dialects in provider.dialects.items()},
            models=provider.models,
            limits=self._limits(f"provider:{name}"),
            rests=tuple(self._rests.get((name, ""), ())),
            keys=tuple(self._key(name, key, whole=whole) for key in keys),
        )

    def _key(self, provider: str, key: Credential, *, whole: bool) -> Key:
        mine = tuple(self._rests.get((provider, key.name), ()))
        places = sorted(self._places.get((provider, key.name), ()))
        meters = (self.now.board.meters.of(place) for place in places)
        return Key(
            name=key.name,
            models=key.models,
            resting=any(not one.model for one in mine),
            running=sum(meter.running for meter in meters if meter is not None),
            since_start=self._counts.get((provider, key.name), KeyCount()),
            limits=self._limits(f"key:{provider}/{key.name}"),
            rests=mine,
            asked=tuple(self._told(place) for place in places[:MOST_MODELS]) if whole else None,
        )

    def _told(self, place: Place) -> Asked:
        meter = self.now.board.meters.of(place)
        windows = self.now.board.quotas.of(place, self._at)
        return Asked(
            model=place.model,
            measured=None if meter is None else self._measured(meter),
            told_by_provider=tuple(Left(*window) for window in windows),
        )

    def _measured(self, meter: Meter) -> Measured:
        errors = round(meter.errors(self._at), 3)
        return Measured(meter.running, meter.pace(stream=True), meter.pace(stream=False), errors)

    def _limits(self, scope: str) -> tuple[Bound, ...]:
        return bounds_of(self.now.snapshot.allowances.get(scope, ()), self._limiter)

    def _asked(self) -> Mapping[tuple[str, str], Set[Place]]:
        """The places that were asked, by provider and key."""
        found: dict[tuple[str, str], set[Place]] = {}
        for place in (*self.now.board.meters.places(), *self.now.board.quotas.places()):
            found.setdefault((place.provider, place.credential), set()).add(place)
        return found


def _by_account(found: Iterable[Rest]) -> Mapping[tuple[str, str], Sequence[Rest]]:
    """By provider and key, which is "" for those of a whole provider."""
    sorted_out: dict[tuple[str, str], list[Rest]] = {}
    for one in found:
        sorted_out.setdefault((one.provider, one.key), []).append(one)
    return sorted_out


def providers(call: AdminCall, desk: Desk, chosen: Sequence[Provider]) -> tuple[ProviderTold, ...]:
    """How these are at present."""
    look = _Look(call, desk)
    return tuple(look.provider(one) for one in chosen)


async def list_providers(call: AdminCall, desk: Desk) -> Page:
    chosen, more = piece(call, tuple(desk.live.take().snapshot.providers.values()), lambda one: one.name)
    return Page(200, json.encode(Providers(providers(call, desk, chosen), more)))


async def show_provider(call: AdminCall, desk: Desk) -> Page:
    look = _Look(call, desk)
    provider = look.now.snapshot.providers.get(call.params["name"])
    if provider is None:
        raise GatewayError(Kind.UNKNOWN_PATH, "no provider of this name is configured; GET /admin/providers lists them")
    return Page(200, json.encode(look.provider(provider, whole=True)))


ROWS = (
    Row(
        method="GET",
        path="/admin/providers",
        role=Role.VIEWER,
        handler=list_providers,
        about="Every provider, the names of its keys, and how they are at present.",
        gives=Providers,
        query=QUERY,
    ),
    Row(
        method="GET",
        path="/admin/providers/{name}",
        role=Role.VIEWER,
        handler=show_provider,
        about="One provider, with what was measured of the models that were asked there.",
        gives=ProviderTold,
    ),
)
