"""Ten providers with five keys each, and what goes wrong with them: the same for every strategy, by one seed."""

from random import Random
from typing import NamedTuple

from isthmus.core.errors import GatewayError, Kind
from isthmus.routing.health import Place

PROVIDERS = 10
KEYS = 5
PER_MINUTE = 200
"""Requests a minute that a key may send. All together may send half as much again as the clients do."""
PATIENCE = 10.0
"""Seconds that the gateway waits for a provider's first token."""
SILENCE = 1000.0


class Fault(NamedTuple):
    """What is wrong with a provider from `begin` to `end`, in seconds. `size` is how much: a share, or seconds."""

    kind: str
    provider: int
    begin: float
    end: float
    size: float = 0.0


def faults(seconds: float) -> list[Fault]:
    """All that goes wrong in a run of this length: at any moment two or three of ten providers are unwell."""

    def at(kind: str, provider: int, begin: float, end: float, size: float = 0.0) -> Fault:
        return Fault(kind, provider, begin * seconds, end * seconds, size)

    return [
        at("brownout", 0, 0.08, 0.25, 0.4),
        at("brownout", 1, 0.55, 0.70, 0.5),
        at("storm", 2, 0.15, 0.35, 0.1),
        at("storm", 3, 0.60, 0.80, 0.1),
        at("tail", 4, 0.0, 1.0, 0.05),
        at("flapping", 5, 0.30, 0.60, 20.0),
        at("outage", 6, 0.40, 0.50),
        at("hanging", 7, 0.75, 0.85),
        at("storm", 0, 0.85, 0.95, 0.2),
    ]


class Outcome(NamedTuple):
    """What becomes of one request: after `seconds` its first token, or `error`. `serving` is how long it runs on."""

    seconds: float
    error: GatewayError | None = None
    serving: float = 0.0


class World:
    """The providers. Each has a pace and a price of its own; the dearer are not always the faster."""

    def __init__(self, seed: int, seconds: float) -> None:
        self._dice = Random(seed)
        self._faults = faults(seconds)
        self._paces = [0.25 + 0.1 * index for index in range(PROVIDERS)]
        self.prices = [8.0 - 0.7 * index if index % 2 else 2.0 + 0.9 * index for index in range(PROVIDERS)]
        self._room = {(provider, key): float(PER_MINUTE) for provider in range(PROVIDERS) for key in range(KEYS)}
        self._seen = dict.fromkeys(self._room, 0.0)
        self._dice.shuffle(self._paces)

    def ask(self, place: Place, now: float) -> Outcome:
        """What the provider does with a request that arrives now."""
        provider, key = int(place.provider[1:]), int(place.credential[1:])
        dice, wrong = self._dice, {one.kind: one for one in self._faults if self._is_on(one, provider, now)}
        seconds = self._paces[provider] * dice.lognormvariate(0.0, 0.4)
        if "flapping" in wrong and int(now / wrong["flapping"].size) % 2:
            return Outcome(0.01, GatewayError(Kind.UNREACHABLE, "refused"))
        if "outage" in wrong:
            return Outcome(0.01, GatewayError(Kind.UNREACHABLE, "refused"))
        if "hanging" in wrong:
            return Outcome(PATIENCE, GatewayError(Kind.TIMED_OUT, "silent"))
        wait = self._limited(provider, key, now, wrong["storm"].size if "storm" in wrong else 1.0)
        if wait is not None:
            return Outcome(0.05, GatewayError(Kind.UPSTREAM_LIMITED, "slow down", retry_after=wait))
        if "brownout" in wrong:
            if dice.random() < wrong["brownout"].size:
                return Outcome(2.0 * seconds, GatewayError(Kind.OVERLOADED, "overloaded"))
            seconds *= 4.0
        if "tail" in wrong and dice.random() < wrong["tail"].size:
            seconds += SILENCE
        if seconds > PATIENCE:
            return Outcome(PATIENCE, GatewayError(Kind.TIMED_OUT, "silent"))
        return Outcome(seconds, serving=dice.uniform(1.0, 8.0))

    def _is_on(self, fault: Fault, provider: int, now: float) -> bool:
        return fault.provider == provider and fault.begin <= now < fault.end

    def _limited(self, provider: int, key: int, now: float, share: float) -> float | None:
        """Seconds until the key has room again; None where it has."""
        one, rate = (provider, key), PER_MINUTE * share / 60.0
        room = min(PER_MINUTE * share, self._room[one] + (now - self._seen[one]) * rate)
        self._seen[one] = now
        if room < 1.0:
            self._room[one] = room
            return (1.0 - room) / rate
        self._room[one] = room - 1.0
        return None
