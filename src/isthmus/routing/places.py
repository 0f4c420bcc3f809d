"""The places where a target can be asked: the target itself, under each of its provider's keys that may serve it."""

from collections.abc import Mapping, Sequence

from isthmus.core.value import Value
from isthmus.routing.health import Place
from isthmus.routing.naming import any_matches
from isthmus.routing.plan import Plan, Target, header_word

REMEMBERED = 4096
"""Targets whose places are kept; beyond that, they are worked out again."""

CHOICES = 256
"""Choices of keys whose places are kept; beyond that likewise."""


class Credential(Value, frozen=True):
    """One key of a provider. `models` are the names and wildcards it may serve; empty for all of its provider's."""

    name: str
    models: tuple[str, ...] = ()

    def serves(self, model: str) -> bool:
        return not self.models or any_matches(model, self.models)


ONE_KEY = (Credential("key"),)
"""What the key of a provider is called that has no other."""


class Ask(Value, frozen=True):
    """Ask `target` under the key called `credential`, after `wait` seconds. `place` is both as one name.

    `told` is what a header says of the target, b"" where that is not told.
    """

    target: Target
    credential: str
    place: Place
    wait: float = 0.0
    told: bytes = b""


class Places:
    """Built when a configuration comes into force. `credentials` are each provider's keys, in their order.

    `told`: headers may say who was asked.
    """

    def __init__(self, credentials: Mapping[str, Sequence[Credential]], *, told: bool = True) -> None:
        self._told = told
        self._credentials = credentials
        self._known: dict[Target, tuple[Ask, ...]] = {}
        self._some: dict[tuple[str, ...], Places] = {}

    def lone(self, plan: Plan) -> Ask | None:
        """The only place of the plan; None where there are several, or none."""
        tiers = plan.tiers
        if len(tiers) != 1 or len(tiers[0].targets) != 1:
            return None
        asks = self.of(tiers[0].targets[0])
        return asks[0] if len(asks) == 1 else None

    def several(self, plan: Plan) -> bool:
        """Is there a choice in any tier of the plan?"""
        for tier in plan.tiers:
            if len(tier.targets) > 1:
                return True
            for target in tier.targets:
                if len(self.of(target)) > 1:
                    return True
        return False

    def of(self, target: Target) -> tuple[Ask, ...]:
        """Its places, in the order of the keys; none where no key may serve the model."""
        found = self._known.get(target)
        if found is None:
            found = self._asks(target, serving=True)
            if len(self._known) < REMEMBERED:
                self._known[target] = found
        return found

    def only(self, keys: tuple[str, ...]) -> "Places":
        """Those under these keys alone, each named "PROVIDER/KEY"."""
        found = self._some.get(keys)
        if found is None:
            wanted = {
                provider: tuple(one for one in credentials if f"{provider}/{one.name}" in keys)
                for provider, credentials in self._credentials.items()
            }
            found = Places(wanted, told=self._told)
            if len(self._some) < CHOICES:
                self._some[keys] = found
        return found

    def refused(self, target: Target) -> tuple[Ask, ...]:
        """Where it would be asked under the keys that may not serve the model."""
        return self._asks(target, serving=False)

    def _asks(self, target: Target, *, serving: bool) -> tuple[Ask, ...]:
        told = header_word(f"{target.provider}/{target.model}") if self._told else b""
        return tuple(
            Ask(target, key.name, Place(target.provider, key.name, target.model), told=told)
            for key in self._credentials.get(target.provider, ())
            if key.serves(target.model) is serving
        )
