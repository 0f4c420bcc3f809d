"""The places where a target can be asked: the target itself, under each of its provider's keys that may serve it.

A pool of keys that stay in line, or of many, makes its places when somebody looks at them: of thousands of accounts a
request looks at one or two.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple, overload

from isthmus.core.value import Value
from isthmus.routing.health import Place
from isthmus.routing.naming import any_matches
from isthmus.routing.plan import Plan, Target, header_word

REMEMBERED = 4096
"""Targets whose places are kept; beyond that, they are worked out again."""

CHOICES = 256
"""Choices of keys whose places are kept; beyond that likewise."""

CROWD = 16
"""Keys of one provider, beyond which their places are made one by one."""


class PoolStrategy(StrEnum):
    """How the keys of one provider take turns.

    ROUND_ROBIN: each in turn. STICKY stays with one, for all of the provider's models, until that one rests.
    FILL_FIRST always begins with the first.
    """

    ROUND_ROBIN = "round-robin"
    STICKY = "sticky"
    FILL_FIRST = "fill-first"


NO_POOLS: Mapping[str, PoolStrategy] = MappingProxyType({})


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


class Keys:
    """Keys of one provider in their order, and where each of them stands."""

    __slots__ = ("_positions", "all", "names")

    def __init__(self, keys: Sequence[Credential]) -> None:
        self.all = keys
        self.names = tuple(key.name for key in keys)
        self._positions: Mapping[str, int] | None = None

    @property
    def first(self) -> str:
        """The name of the one in front."""
        return self.names[0]

    def position(self, name: str) -> int | None:
        """None where no key of this name is among them."""
        if self._positions is None:
            self._positions = {name: position for position, name in enumerate(self.names)}
        return self._positions.get(name)


class Asleep(NamedTuple):
    """All keys of a pool rest, as they were looked through when there had been so many `changes` of rests; taken to be
    so until `until`. `first` are those that are back first.
    """

    changes: int
    until: float
    first: Sequence[Ask]


class Pool(Sequence[Ask]):
    """The places of one target under the keys of a pool, in the order of the keys. `own` are those that may serve it,
    `whole` all keys of its provider, which is at `host`; `at` is the target as a place. `stays`: it waits a short while
    for the key that it holds. `asleep` is noted by who looks through it.
    """

    __slots__ = ("_made", "_told", "asleep", "at", "host", "own", "stays", "strategy", "target", "whole")

    def __init__(self, target: Target, own: Keys, whole: Keys, strategy: PoolStrategy, told: bytes) -> None:
        self.target = target
        self.own = own
        self.whole = whole
        self.strategy = strategy
        self.stays = strategy is PoolStrategy.STICKY
        self.host = Place(target.provider)
        self.at = Place(target.provider, model=target.model)
        self.asleep: Asleep | None = None
        self._told = told
        self._made: dict[int, Ask] = {}

    def __len__(self) -> int:
        return len(self.own.names)

    @overload
    def __getitem__(self, index: int) -> Ask: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Ask]: ...

    def __getitem__(self, index: int | slice) -> Ask | Sequence[Ask]:
        if isinstance(index, slice):
            return [self[one] for one in range(*index.indices(len(self)))]
        found = self._made.get(index)
        if found is None:
            found = _ask(self.target, self.own.names[index], self._told)
            if len(self._made) >= CROWD:
                self._made.clear()
            self._made[index] = found
        return found

    def find(self, place: Place) -> Ask | None:
        """What asks at this place, if it is one of them."""
        if (place.provider, place.model) != (self.target.provider, self.target.model):
            return None
        position = self.own.position(place.credential)
        return None if position is None else self[position]


class Places:
    """Built when a configuration comes into force. `credentials` are each provider's keys, in their order, `pools` how
    they take turns where that is not one after the other.

    `told`: headers may say who was asked. `pooled`: there may be a Pool among them.
    """

    def __init__(
        self,
        credentials: Mapping[str, Sequence[Credential]],
        *,
        told: bool = True,
        pools: Mapping[str, PoolStrategy] = NO_POOLS,
    ) -> None:
        self._told = told
        self._credentials = credentials
        self._pools = pools
        self._base = self
        self.pooled = any(one is not PoolStrategy.ROUND_ROBIN for one in pools.values()) or any(
            len(keys) > CROWD for keys in credentials.values()
        )
        self._keys: dict[str, Keys] = {}
        self._known: dict[Target, Sequence[Ask]] = {}
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

    def of(self, target: Target) -> Sequence[Ask]:
        """Its places, in the order of the keys; none where no key may serve the model."""
        found = self._known.get(target)
        if found is None:
            found = self._look_up(target)
            if len(self._known) < REMEMBERED:
                self._known[target] = found
        return found

    def only(self, keys: tuple[str, ...]) -> "Places":
        """Those under these keys alone, each named "PROVIDER/KEY"."""
        found = self._some.get(keys)
        if found is None:
            chosen = frozenset(keys)
            wanted = {
                provider: tuple(one for one in credentials if f"{provider}/{one.name}" in chosen)
                for provider, credentials in self._credentials.items()
            }
            found = Places(wanted, told=self._told, pools=self._pools)
            found._base = self._base
            if len(self._some) < CHOICES:
                self._some[keys] = found
        return found

    def stays(self, provider: str) -> bool:
        """Does the provider's pool stay with one key?"""
        return self._pools.get(provider) is PoolStrategy.STICKY

    def refused(self, target: Target) -> tuple[Ask, ...]:
        """Where it would be asked under the keys that may not serve the model."""
        told, keys = self._word(target), self._credentials.get(target.provider, ())
        return tuple(_ask(target, key.name, told) for key in keys if not key.serves(target.model))

    def _look_up(self, target: Target) -> Sequence[Ask]:
        told, keys = self._word(target), self._credentials.get(target.provider, ())
        some = any(key.models for key in keys)
        own = tuple(key for key in keys if key.serves(target.model)) if some else keys
        strategy = self._pools.get(target.provider, PoolStrategy.ROUND_ROBIN)
        if len(own) < 2 or (strategy is PoolStrategy.ROUND_ROBIN and len(own) <= CROWD):
            return tuple(_ask(target, key.name, told) for key in own)
        whole = self._base.keys_of(target.provider)
        return Pool(target, whole if own is whole.all else Keys(own), whole, strategy, told)

    def keys_of(self, provider: str) -> Keys:
        """All of them."""
        found = self._keys.get(provider)
        if found is None:
            found = self._keys[provider] = Keys(self._credentials.get(provider, ()))
        return found

    def _word(self, target: Target) -> bytes:
        return header_word(f"{target.provider}/{target.model}") if self._told else b""


def _ask(target: Target, credential: str, told: bytes) -> Ask:
    return Ask(target, credential, Place(target.provider, credential, target.model), told=told)
