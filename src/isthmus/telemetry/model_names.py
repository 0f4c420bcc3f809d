"""Which models have a label of their own, so that clients cannot make labels without end by inventing names.

What the configuration names or a provider lists always has one. Any other model has one once it has answered, as long
as there are few enough of these; else it counts as OTHER.
"""

from collections.abc import Iterator

from isthmus.engine.live import Now
from isthmus.routing.plan import Route, Target
from isthmus.telemetry.sums import Key
from isthmus.telemetry.table import METRICS

OTHER = "other"
MERELY_NAMED = 500
"""Models with a label of their own that only clients have named."""
LONGEST = 200
"""Characters of a label; a longer name is nobody's."""


class ModelNames:
    """For one process. A label that was given once stays."""

    def __init__(self, most: int = MERELY_NAMED) -> None:
        self._most = most
        self._given: set[tuple[str, str]] = set()
        self._configured: frozenset[tuple[str, str]] = frozenset()
        self._now: Now | None = None

    def label(self, target: Target, now: Now, *, answered: bool) -> str:
        """The model's own name, or OTHER. `answered`: its provider knows it."""
        if now is not self._now:
            self._configured, self._now = _configured(now), now
        pair = target.provider, target.model
        if pair in self._configured or pair in self._given:
            return target.model
        if not answered or len(self._given) >= self._most or len(target.model) > LONGEST:
            return OTHER
        if not target.model.isprintable():
            return OTHER
        self._given.add(pair)
        return target.model


def without_model(key: Key) -> Key:
    """The series of OTHER models in its place."""
    labels = METRICS[key[0]].labels
    return (key[0], *(OTHER if label == "model" else value for label, value in zip(labels, key[1:], strict=True)))


def _configured(now: Now) -> frozenset[tuple[str, str]]:
    offered = {(name, model) for name in now.snapshot.providers for model in now.directory.offer(name).names}
    targets = {target for route in now.snapshot.routes.values() for target in _targets(route)}
    return frozenset(offered | {(target.provider, target.model) for target in targets})


def _targets(route: Route) -> Iterator[Target]:
    """All that the route itself names, whichever way it goes."""
    for tier in (*route.tiers, *(tier for branch in route.rules.branches for tier in branch.tiers)):
        yield from tier.targets
    if route.rules.shadow is not None:
        yield route.rules.shadow.target
