"""How many requests a provider carries at a time, found out by trying.

The bound grows by one for each round of answers that came while it was reached, and shrinks by a fifth when the
provider is overloaded, limits us, or takes far longer to its first token than it does at its best. It never grows
while it is not used, nor shrinks twice for the requests of one moment. Times in seconds, passed in.
"""

from isthmus.core.value import Value

SHRINK = 0.8
SLOW = 2.5
"""Times the best first token, from which on an answer counts as a sign of too much."""
FORGET = 0.02
"""Share by which the best first token gives way to slower ones with each answer, so that it does not stand for ever."""


class AdaptiveRule(Value, frozen=True):
    """Requests at a time: the bound of a provider stays between the two."""

    most: int
    least: int = 1


class Bound:
    """The bound of one provider. It begins in the middle, and `most` holds in any case."""

    __slots__ = ("_best", "_calm_until", "_size", "rule")

    def __init__(self, rule: AdaptiveRule) -> None:
        self.rule = rule
        self._size = float(max(rule.least, rule.most // 2))
        self._best: float | None = None
        self._calm_until = 0.0

    @property
    def size(self) -> int:
        return int(self._size)

    def answered(self, first_token: float, running: int, now: float) -> None:
        """An answer began after `first_token` seconds, while `running` requests were under way, itself among them."""
        best = self._best
        if best is None or first_token < best:
            self._best = first_token
        else:
            self._best = best + FORGET * (first_token - best)
            if first_token > SLOW * best:
                self._shrink(first_token, now)
                return
        if running >= self.size:
            self._size = min(self.rule.most, self._size + 1 / self._size)

    def burdened(self, now: float) -> None:
        """The provider refused a request for there being too many."""
        self._shrink(self._best or 1.0, now)

    def _shrink(self, calm: float, now: float) -> None:
        """What began before the bound shrank says nothing of the smaller one; it is not heard for `calm` seconds."""
        if now < self._calm_until:
            return
        self._calm_until = now + calm
        self._size = max(self.rule.least, self._size * SHRINK)


class Bounds:
    """Of all providers that have one."""

    def __init__(self) -> None:
        self._bounds: dict[str, Bound] = {}

    def of(self, provider: str, rule: AdaptiveRule) -> Bound:
        """The provider's bound, which begins anew where its rule has changed."""
        bound = self._bounds.get(provider)
        if bound is None or bound.rule != rule:
            bound = self._bounds[provider] = Bound(rule)
        return bound

    def keep(self, providers: frozenset[str]) -> None:
        """Forget what no configuration names any more."""
        self._bounds = {name: bound for name, bound in self._bounds.items() if name in providers}
