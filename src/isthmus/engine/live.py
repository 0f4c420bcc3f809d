"""The snapshot in force. Swapping is one assignment; whoever took one keeps it to the end."""

from collections.abc import Mapping
from types import MappingProxyType

from isthmus.core.facts import ModelFacts
from isthmus.core.value import Value
from isthmus.engine.scales import Prices, Shares
from isthmus.engine.snapshot import Snapshot
from isthmus.routing.board import Board
from isthmus.routing.names import Directory
from isthmus.routing.offers import Offer
from isthmus.routing.order import NO_SCALES, Scales
from isthmus.routing.places import ONE_KEY, Places

ANY = ("*",)
"""What a provider is taken to serve that has not been heard yet: it judges names itself, after all others."""


class Now(Value, frozen=True):
    """What one exchange runs on: a snapshot, and the directory of names that goes with it.

    `board` outlives it; `places` are those of the snapshot's targets. `told` is what providers tell of their
    models, by provider and model. `scales` weigh places without their limits, `shares` is None where there are none.
    """

    snapshot: Snapshot
    directory: Directory
    version: int
    board: Board
    places: Places
    told: Mapping[str, Mapping[str, ModelFacts]] = {}
    scales: Scales = NO_SCALES
    shares: Shares | None = None


class Live:
    """Holds what is in force. What providers list, and who of them rests, outlives a swap of the configuration."""

    __slots__ = ("_board", "_listed", "_now", "_told")

    def __init__(self, snapshot: Snapshot) -> None:
        self._board = Board()
        self._listed: dict[str, tuple[str, ...]] = {}
        self._told: dict[str, Mapping[str, ModelFacts]] = {}
        self._now = self._make(snapshot, 1)

    def take(self) -> Now:
        return self._now

    def swap(self, snapshot: Snapshot) -> None:
        """Put another configuration in force, for every exchange that begins from here on."""
        self._listed = {name: models for name, models in self._listed.items() if name in snapshot.providers}
        self._told = {name: facts for name, facts in self._told.items() if name in snapshot.providers}
        self._board.keep(frozenset(snapshot.providers))
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
        credentials = {name: tuple(snapshot.credentials.get(name, ONE_KEY)) for name in snapshot.providers}
        told = dict(self._told)
        return Now(
            snapshot=snapshot,
            directory=Directory(snapshot.routes, offers),
            version=version,
            board=self._board,
            places=Places(credentials),
            told=told,
            scales=Scales(price=Prices(snapshot, told).of, weights=snapshot.weights),
            shares=Shares(snapshot.allowances) if snapshot.allowances else None,
        )
