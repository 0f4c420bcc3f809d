"""The snapshot in force. Swapping is one assignment; whoever took one keeps it to the end."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from isthmus.core.facts import ModelFacts
from isthmus.core.value import Value
from isthmus.engine.snapshot import Snapshot
from isthmus.routing.health import Health
from isthmus.routing.names import Directory, Offer
from isthmus.routing.walk import Rota

ANY = ("*",)
"""What a provider is taken to serve that has not been heard yet: it judges names itself, after all others."""


ONE_KEY = ("key",)
"""What the key of a provider is called that has no other."""


class Now(Value, frozen=True):
    """What one exchange runs on: a snapshot, and the directory of names that goes with it.

    `health` and `rota` outlive it; `credentials` are the names of each provider's keys. `told` is what
    providers tell of their models, by provider and model.
    """

    snapshot: Snapshot
    directory: Directory
    version: int
    health: Health
    rota: Rota
    credentials: Mapping[str, Sequence[str]]
    told: Mapping[str, Mapping[str, ModelFacts]] = {}


class Live:
    """Holds what is in force. What providers list, and who of them rests, outlives a swap of the configuration."""

    __slots__ = ("_health", "_listed", "_now", "_rota", "_told")

    def __init__(self, snapshot: Snapshot) -> None:
        self._health = Health()
        self._rota = Rota()
        self._listed: dict[str, tuple[str, ...]] = {}
        self._told: dict[str, Mapping[str, ModelFacts]] = {}
        self._now = self._make(snapshot, 1)

    def take(self) -> Now:
        return self._now

    def swap(self, snapshot: Snapshot) -> None:
        """Put another configuration in force, for every exchange that begins from here on."""
        self._listed = {name: models for name, models in self._listed.items() if name in snapshot.providers}
        self._told = {name: facts for name, facts in self._told.items() if name in snapshot.providers}
        self._health.keep(frozenset(snapshot.providers))
        self._now = self._make(snapshot, self._now.version + 1)

    def learn(
        self, listed: Mapping[str, tuple[str, ...]], told: Mapping[str, Mapping[str, ModelFacts]] = MappingProxyType({})
    ) -> None:
        """Take in the models that providers say they have, and what they tell of them, by provider."""
        self._listed.update(listed)
        self._told.update(told)
        self._now = self._make(self._now.snapshot, self._now.version)

    def _make(self, snapshot: Snapshot, version: int) -> Now:
        offers = []
        for name, provider in snapshot.providers.items():
            exact = tuple(model for model in provider.models if "*" not in model)
            patterns = tuple(model for model in provider.models if "*" in model)
            if provider.listed and not provider.models and name not in self._listed:
                patterns = ANY
            offers.append(Offer(name, exact + self._listed.get(name, ()), patterns))
        credentials = {name: tuple(snapshot.keys.get(name, ONE_KEY)) for name in snapshot.providers}
        return Now(
            snapshot=snapshot,
            directory=Directory(snapshot.routes, offers),
            version=version,
            health=self._health,
            rota=self._rota,
            credentials=credentials,
            told=dict(self._told),
        )
